"""`mlopsctl policy risk` against figures counted here, by the definitions, on tables made here and on the Adult census."""

import collections
import csv
import json
import math
import pathlib
import random
import subprocess
import tempfile
import unittest

from harness import DONE, MLOPSCTL, REFUSED, REPOSITORY, USAGE

ADULT = REPOSITORY.parent / "shared" / "data" / "adult"


def risk(*words, code=None):
    done = subprocess.run([str(MLOPSCTL), "policy", "risk", *map(str, words)], capture_output=True, text=True, timeout=120)
    if code is not None and done.returncode != code:
        raise AssertionError(f"exit {code} expected, not {done.returncode}: {done.stdout}{done.stderr}")
    return done


def report(*words, code=None):
    return json.loads(risk(*words, "-o", "json", code=code).stdout)


def classes_of(rows, quasi):
    classes = collections.defaultdict(list)
    for number, row in enumerate(rows):
        classes[tuple(row[column] for column in quasi)].append(number)
    return classes


def equal_distance(values, everything):
    shares, whole = collections.Counter(values), collections.Counter(everything)
    return sum(abs(shares[v] / len(values) - whole[v] / len(everything)) for v in whole) / 2


def ordered_distance(values, everything):
    ranks = sorted(set(everything), key=float)
    shares, whole = collections.Counter(values), collections.Counter(everything)
    run = total = 0.0
    for value in ranks:
        run += shares[value] / len(values) - whole[value] / len(everything)
        total += abs(run)
    return total / (len(ranks) - 1)


def entropy_l(values):
    return math.exp(-sum(n / len(values) * math.log(n / len(values)) for n in collections.Counter(values).values()))


class RiskTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def table(self, name, rows):
        path = self.root / name
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def random_rows(self, seed, count=400):
        draw = random.Random(seed)
        return [{"zip": f"0{draw.randrange(36, 39)}", "sex": draw.choice("mf"), "note": f"Canary-{n}, \"q\"",
                 "ill": draw.choice(["flu", "cold", "gout", "gout"]), "pay": str(draw.randrange(1, 9) * 1000)}
                for n, _ in enumerate(range(count))]

    def test_frequencies_of_pseudonyms(self):
        rows = [{"mrn": f"k1-{n:06}", "name": "k1-a" if n < 50 else "k1-b" if n < 75 else f"k1-{n}"} for n in range(100)]
        path = self.table("tokens.csv", rows)
        found = report(path, "--tokens", "mrn,name", "--min-entropy", 2, code=REFUSED)
        mrn, name = found["tokens"]
        self.assertAlmostEqual(mrn["entropy_bits"], math.log2(100))
        self.assertEqual((mrn["told_by_count"], name["told_by_count"], name["distinct"]), (0, 75, 27))
        self.assertAlmostEqual(name["min_entropy_bits"], 1)
        self.assertAlmostEqual(name["entropy_bits"], 0.5 + 0.25 * 2 + 0.25 * math.log2(100))
        self.assertEqual([(one["rule"], one["attr"]) for one in found["shortfalls"]], [("min_entropy", "name")])
        self.assertNotIn("table", found)
        self.assertTrue(report(path, "--tokens", "mrn,name", "--min-entropy", 1, code=DONE)["is_met"])
        # Beside classes: one verdict of both.
        both = report(path, "--quasi", "name", "--k", 1, "--tokens", "name", "--min-entropy", 2, code=REFUSED)
        self.assertFalse(both["is_met"])
        self.assertIn("table", both)
        self.assertEqual(found["min_entropy_bits"], 2)
        self.assertEqual(len(report(path, "--tokens", "name,NAME", code=DONE)["tokens"]), 1)
        text = risk(path, "--tokens", "name").stdout
        self.assertNotIn("is met", text)  # nothing was asked for
        self.assertIn("TOLD BY COUNT", text)
        self.assertNotIn("k1-", text)
        for words in (["--tokens", "name", "--k", "3"], ["--tokens", "name", "--max-suppressed", "0.1"], ["--min-entropy", "3"],
                      ["--quasi", "name", "--min-entropy", "3"], ["--tokens", "nobody"],
                      ["--tokens", "name", "--min-entropy", "many"]):
            risk(path, *words, code=USAGE)

    def test_pseudonyms_are_judged_apart(self):
        old = self.table("v1.csv", [{"zip": "036", "mrn": f"k1-{n}"} for n in range(10)])
        new = self.table("v2.csv", [{"zip": "036", "mrn": f"k2-{n}"} for n in range(11)])
        people = self.table("people.csv", [{"zip": "036"}] * 40)
        words = [new, "--quasi", "zip", "--k", 3, "--against", old, "--population", people]
        plain = report(*words, code=REFUSED)  # one was added, whom the difference isolates
        with_tokens = report(*words, "--tokens", "mrn", code=REFUSED)
        self.assertEqual(with_tokens.pop("tokens")[0]["distinct"], 11)
        self.assertEqual(with_tokens, plain)

    def test_pseudonyms_of_what_is_released(self):
        rows = ([{"zip": "a", "name": "k1-x"}] * 50 + [{"zip": "b", "name": f"k1-{n}"} for n in range(40)] +
                [{"zip": f"c{n}", "name": f"k1-c{n}"} for n in range(10)])
        path, out = self.table("all.csv", rows), self.root / "out.csv"
        words = [path, "--quasi", "zip", "--k", 2, "--suppress", "-O", out, "--tokens", "name", "--min-entropy"]
        refused = report(*words, 1, code=REFUSED)  # 50 of the 90 that would be left
        self.assertEqual(refused["tokens"][0]["records"], 90)
        self.assertFalse(out.exists())
        report(*words, 0.8, code=DONE)
        self.assertEqual(len(out.read_text().splitlines()), 91)

    def test_figures_agree_with_the_definitions(self):
        for seed in range(5):
            rows = self.random_rows(seed, 60 + 40 * seed)
            table = report(self.table("t.csv", rows), "--quasi", "zip,sex", "--sensitive", "ill,pay", "--k", 12)["table"]
            classes = classes_of(rows, ("zip", "sex"))
            sizes = [len(members) for members in classes.values()]
            self.assertEqual(table["classes"]["classes"], len(classes))
            self.assertEqual(table["classes"]["smallest"], min(sizes))
            self.assertEqual(table["classes"]["below_k"], sum(size for size in sizes if size < 12))
            self.assertAlmostEqual(table["risk"]["prosecutor"]["highest"], 1 / min(sizes))
            self.assertAlmostEqual(table["risk"]["marketer"], len(classes) / len(rows))
            for number, (attr, distance) in enumerate((("ill", equal_distance), ("pay", ordered_distance))):
                everything = [row[attr] for row in rows]
                values = [[rows[n][attr] for n in members] for members in classes.values()]
                self.assertEqual(table["diversity"][number]["distinct"], min(len(set(v)) for v in values))
                self.assertAlmostEqual(table["diversity"][number]["entropy"], min(map(entropy_l, values)))
                self.assertAlmostEqual(table["closeness"][number]["t"], max(distance(v, everything) for v in values))

    def test_suppression_keeps_bytes_and_satisfies(self):
        rows = self.random_rows(7) + [{"zip": "999", "sex": "m", "note": "x", "ill": "flu", "pay": "1"}] * 3
        path = self.table("t.csv", rows)
        out = self.root / "out.csv"
        words = ["--quasi", "zip,sex", "--sensitive", "ill", "--k", 5, "--l", 2]
        risk(path, *words, code=REFUSED)
        risk(path, *words, "--suppress", "-O", out, code=DONE)
        lines = path.read_bytes().splitlines(keepends=True)
        self.assertEqual(out.read_bytes(), b"".join(lines[:-3]))
        risk(out, *words, code=DONE)
        refused = self.root / "refused.csv"
        risk(path, *words, "--suppress", "-O", refused, "--max-suppressed", 0, code=REFUSED)
        self.assertFalse(refused.exists())

    def test_versions(self):
        rows = self.random_rows(3)
        old = self.table("old.csv", rows)
        risk(self.table("same.csv", rows), "--quasi", "zip,sex", "--k", 3, "--against", old, code=DONE)
        fewer = report(self.table("new.csv", rows[1:]), "--quasi", "zip,sex", "--k", 3, "--against", old, code=REFUSED)
        self.assertEqual([one["rule"] for one in fewer["shortfalls"]], ["isolated"])
        self.assertEqual(fewer["versions"]["isolated"], 1)

    def test_no_value_is_shown(self):
        path = self.table("t.csv", self.random_rows(1, 30))
        for form in ("table", "json"):
            done = risk(path, "--quasi", "note,zip", "--sensitive", "ill", "--k", 3, "--suggest", "-o", form, code=REFUSED)
            for word in ("Canary", "gout", "036"):
                self.assertNotIn(word, done.stdout + done.stderr)

    def test_wrong_words(self):
        path = self.table("t.csv", self.random_rows(1, 30))
        for words in ([], ["--quasi", "nothing"], ["--quasi", "zip", "--l", 2], ["--quasi", "zip", "--suppress"],
                      ["--quasi", "zip", "--t", 2, "--sensitive", "ill"], ["--quasi", "zip", "--generalize", "zip=x:1"],
                      ["--quasi", "zip", "--suppress", "-O", path], ["--quasi", "zip", "--hierarchy", "zip"]):
            self.assertEqual(risk(path, *words).returncode, USAGE, words)

    def test_adult(self):
        if not (ADULT / "adult.csv").exists():
            self.skipTest("there is no ../shared/data/adult/adult.csv")
        for quasi, classes, unique, below in (("sex,age,race", 528, 62, 425), ("sex,age,race,marital-status", 1690, 543, 1824)):
            sizes = report(ADULT / "adult.csv", "--quasi", quasi, "--k", 5, code=REFUSED)["table"]["classes"]
            self.assertEqual((sizes["classes"], sizes["unique"], sizes["below_k"]), (classes, unique, below))
        coarse = report(ADULT / "adult.csv", "--quasi", "sex,age,race", "--k", 5, "--generalize", "age=bucket:10")
        sizes = coarse["table"]["classes"]
        self.assertEqual((sizes["classes"], sizes["unique"], sizes["below_k"]), (77, 6, 31))
        close = report(ADULT / "adult.csv", "--quasi", "sex,race", "--sensitive", "salary-class", "--l", 2, "--t", 0.21, code=DONE)
        self.assertEqual(round(close["table"]["closeness"][0]["t"], 4), 0.2029)


if __name__ == "__main__":
    unittest.main()
