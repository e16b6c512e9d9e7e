"""National identifiers: our validators agree with python-stdnum (Debian python3-stdnum, the oracle of this test only).

A hundred thousand seeded random strings of each id's shape, and valid ones with one character changed, go through
id_check (tests/oracle). Where the two differ on purpose, EXCEPTIONS says why, and only those strings may differ.
"""

import datetime
import importlib
import os
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's modules, also for an interpreter that is not Debian's

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MLOPS_BUILD_DIR", ROOT / "build" / "release"))
ID_CHECK = BUILD / "bin" / "id_check"
STRINGS = 100_000
MUTANTS = 2_000
SEED = 20260901

TODAY = datetime.date.today()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Our id, the oracle's module, the strings: # digit, @ letter, $ either, {…|…} one of; d a day, m a month (two digits,
# mostly such that a date comes about).
TABLE = [
    ("uk_nhs", "gb.nhs", "##########"),
    ("de_steuer_id", "de.idnr", "###########"),
    ("es_dni", "es.dni", "########@"),
    ("es_nie", "es.nie", "{X|Y|Z}#######@"),
    ("it_codice_fiscale", "it.codicefiscale", "@@@@@@##{A|B|C|D|E|H|L|M|P|R|S|T|F}{0|1|2|3|4|5|6|7}#@###@"),
    ("fr_nir", "fr.nir", "{1|2}##m{2A|2B|##}########"),
    ("pl_pesel", "pl.pesel", "##md#####"),
    ("nl_bsn", "nl.bsn", "{#########|########}"),
    ("se_personnummer", "se.personnummer", "{##md{-|+}####|19##md-####|20##md####|##md####}"),
    ("fi_hetu", "fi.hetu", "dm##{-|+|A|B|Y}###{#|A|B|C|D|E|F|H|J|K|L|M|N|P|R|S|T|U|V|W|X|Y}"),
    ("in_aadhaar", "in_.aadhaar", "############"),
    ("ca_sin", "ca.sin", "#########"),
    ("be_rrn", "be.nn", "##md#####"),
    ("ch_ahv", "ch.ssn", "{756|###}##########"),
    ("at_svnr", "at.vnr", "####dm##"),
    ("dk_cpr", "dk.cpr", "dm######"),
    ("no_fnr", "no.fodselsnummer", "dm#######"),
    ("ie_pps", "ie.pps", "#######@{A|H|W|T|X|B|}"),
    ("pt_cc", "pt.cc", "#########$$#"),
    ("ro_cnp", "ro.cnp", "###md######"),
    ("cz_rc", "cz.rc", "##md{/|}{####|###}"),
    ("bg_egn", "bg.egn", "##md####"),
    ("ee_ik", "ee.ik", "###md####"),
    ("lt_ak", "lt.asmens", "###md####"),
    ("hr_oib", "hr.oib", "{HR|}###########"),
    ("si_emso", "si.emso", "dm{9|0|#}########"),
    ("gr_amka", "gr.amka", "dm#######"),
    ("tr_tckn", "tr.tckimlik", "###########"),
    ("za_id", "za.idnr", "##md{####0|####1|#####}##"),
    ("br_cpf", "br.cpf", "{###########|###.###.###-##}"),
    ("au_tfn", "au.tfn", "{#########|########}"),
    ("us_itin", "us.itin", "{9##-##-####|9########|#########}"),
    ("us_ein", "us.ein", "##-#######"),
    ("aba_routing", "us.rtn", "#########"),
    ("imei", "imei", "###############"),
]

# Why, and which strings may differ.
EXCEPTIONS = {
    "se_personnummer": ("coordination numbers (60 added to the day) are ours; years of the first millennia are theirs",
                        lambda v: int(v.replace("-", "").replace("+", "")[-6:-4]) > 60 or
                        (len(v) > 11 and v[:2] < "18")),
    "fi_hetu": ("signs B–F and U–Y exist since 2023", lambda v: v[6] in "BCDEFUVWXY"),
    "be_rrn": ("a birth year after today counts for 19yy only with the oracle; ours does not ask for today's date",
               lambda v: 2000 + int(v[:2]) > TODAY.year),
    "dk_cpr": ("ours does not ask whether the birth date is after today", lambda v: True if future_cpr(v) else False),
    "no_fnr": ("ours does not ask for today's date, and takes the tax office's test numbers (80 added to the month)",
               lambda v: int(v[2:4]) > 80 or (v[6] >= "5" and 2000 + int(v[4:6]) >= TODAY.year)),
    "br_cpf": ("eleven equal digits are never issued", lambda v: len(set(v) - set(".-")) == 1),
    "us_itin": ("groups 50 to 65 are issued since 2014; group 89 and 93 are nobody's",
                lambda v: 50 <= int(v.replace("-", "")[3:5]) <= 65),
    "aba_routing": ("districts the Federal Reserve never assigned are refused, and equal digits",
                    lambda v: not (int(v[:2]) <= 12 or 21 <= int(v[:2]) <= 32 or 61 <= int(v[:2]) <= 72
                                   or v[:2] == "80") or len(set(v)) == 1),
    "imei": ("equal digits are a placeholder", lambda v: len(set(v)) == 1),
}


def future_cpr(value):
    year = int(value[4:6])
    return 2000 + year >= TODAY.year and (value[6] in "49" and year < 37 or value[6] in "5678" and year < 58)


def parse(pattern):
    """A function that appends one random string of the pattern to a list of parts."""
    makers, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == "{":
            depth, end = 1, i + 1
            while depth:
                depth += {"{": 1, "}": -1}.get(pattern[end], 0)
                end += 1
            makers.append(choice_of([parse(part) for part in split(pattern[i + 1:end - 1])]))
            i = end
            continue
        if c == "#":
            count = 1
            while i + count < len(pattern) and pattern[i + count] == "#":
                count += 1
            makers.append(lambda rng, n=count: f"{rng.randrange(10 ** n):0{n}d}")
            i += count
            continue
        makers.append({
            "@": lambda rng: rng.choice(LETTERS), "$": lambda rng: rng.choice("0123456789" + LETTERS),
            "d": lambda rng: f"{rng.randint(1, 31) if rng.random() < 0.8 else rng.randrange(100):02d}",
            "m": lambda rng: f"{rng.randint(1, 12) if rng.random() < 0.6 else rng.randrange(100):02d}",
        }.get(c, lambda rng, literal=c: literal))
        i += 1
    return lambda rng: "".join([make(rng) for make in makers])


def split(alternatives):
    parts, depth = [""], 0
    for c in alternatives:
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def choice_of(makers):
    return lambda rng: rng.choice(makers)(rng)


def mutated(value, rng):
    at = rng.randrange(len(value))
    same_kind = "0123456789" if value[at].isdigit() else LETTERS if value[at].isalpha() else value[at]
    return value[:at] + rng.choice(same_kind) + value[at + 1:]


def oracle_of(module):
    valid = importlib.import_module("stdnum." + module).is_valid
    return (lambda value: valid(value, allow_temporary=True)) if module == "fi.hetu" else valid


def ours(identifier, values):
    text = "".join(f"{identifier} {value}\n" for value in values)
    done = subprocess.run([ID_CHECK], input=text.encode(), capture_output=True, check=True)
    return [answer == "1" for answer in done.stdout.decode().split()]


class OracleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not ID_CHECK.exists():
            raise unittest.SkipTest(f"{ID_CHECK} is not built")
        try:
            import stdnum  # noqa: F401
        except ImportError as missing:
            raise unittest.SkipTest("python3-stdnum is not installed") from missing

    def test_vectors(self):
        listed = subprocess.run([ID_CHECK, "--list"], capture_output=True, check=True).stdout.decode()
        rows = [line.split("\t") for line in listed.splitlines()]
        self.assertGreaterEqual(len(rows), 40)
        for identifier, vector in rows:
            self.assertEqual(ours(identifier, [vector]), [True], identifier)

    def test_exceptions_are_needed_and_known(self):
        self.assertLessEqual(set(EXCEPTIONS), {identifier for identifier, _, _ in TABLE})


def agreement(identifier, module, pattern):
    def test(self):
        rng = random.Random(f"{SEED} {identifier}")
        make, valid = parse(pattern), oracle_of(module)
        values = [make(rng) for _ in range(STRINGS)]
        expected = [valid(value) for value in values]
        good = [value for value, passes in zip(values, expected) if passes]
        self.assertGreater(len(good), 10, "the pattern makes no valid strings")
        mutants = [mutated(rng.choice(good), rng) for _ in range(MUTANTS)] + good[:MUTANTS]
        values += mutants
        expected += [valid(value) for value in mutants]
        reason, may_differ = EXCEPTIONS.get(identifier, ("", lambda value: False))
        wrong = [(value, passes) for value, passes, mine in zip(values, expected, ours(identifier, values))
                 if mine != passes and not may_differ(value)]
        self.assertEqual(wrong[:10], [], f"{len(wrong)} strings differ (value, oracle says); known: {reason}")
    return test


for _identifier, _module, _pattern in TABLE:
    setattr(OracleTest, "test_" + _identifier, agreement(_identifier, _module, _pattern))

if __name__ == "__main__":
    unittest.main()
