"""Key rings, vaults and the way back, offline: real mlopsctl processes, no server.

Threats of the privacy specification: 27 (keys in no output and no file in the clear), 28 (rotation and second runs), 30
(a ciphertext that was moved), 44 (two runs at once and one vault), and what destroying a key leaves behind.
"""

import csv
import io
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import unittest

from harness import AUTHENTICATION, BUILD_DIR, DONE, INTEGRITY, REFUSED, USAGE

MLOPSCTL = BUILD_DIR / "bin" / "mlopsctl"
POLICY = """
apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: keyed, version: 1.0.0}
spec:
  classification:
    columns:
      mrn: {class: mrn}
      account: {class: account}
      card: {class: credit_card}
      name: {class: person_name}
      city: {class: city}
      seen: {class: date}
      los: {class: clinical}
  transforms:
    keys: {research: {purpose: pseudonymisation}, vault: {purpose: tokens}}
    rules:
      - {match: {class: mrn}, apply: {tokenize: {vault: vault}}}
      - {match: {class: account}, apply: {encrypt: {key: research}}}
      - {match: {class: credit_card}, apply: {fpe: {key: research}}}
      - {match: {class: person_name}, apply: {pseudonymize: {key: research}}}
      - {match: {class: city}, apply: {encrypt_deterministic: {key: research}}}
      - {match: {class: date}, apply: {date_shift: {key: research, subject: "column:mrn"}}}
"""
HEADER = "mrn,account,card,name,city,seen,los\n"
ROWS = "".join(f"{40000000 + i % 20},DE{i:04}ACC,4000-1234-5678-{i:04},Quentin Roe{i % 20},Smallville,"
               f"2024-02-{1 + i % 28:02},{i}\n" for i in range(60))


class KeyringTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.said = []
        self.write("policy.yaml", POLICY)
        self.write("in.csv", HEADER + ROWS)
        self.ctl("keyring", "init", "ring.json", "--generate-master", "master.key")
        self.ring("add", "research")
        self.ring("add", "vault")

    def write(self, name, text):
        (self.work / name).write_text(text)

    def read(self, name):
        return (self.work / name).read_text()

    def table(self, name):
        return list(csv.DictReader(io.StringIO(self.read(name))))

    def run_ctl(self, *words, env=None):
        words = [str(MLOPSCTL), *map(str, words)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), **(env or {})}
        return subprocess.Popen(words, cwd=self.work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def finish(self, process, want):
        out, err = process.communicate(timeout=120)
        self.said.append(out + err)
        self.assertEqual(process.returncode, want, f"{process.args}\n{out}\n{err}")
        return out

    def ctl(self, *words, want=DONE, env=None):
        return self.finish(self.run_ctl(*words, env=env), want)

    def ring(self, verb, *words, **options):
        return self.ctl("keyring", verb, "ring.json", *words, "--master", "file:master.key", **options)

    KEYS = ("--keyring", "ring.json", "--master", "file:master.key", "--vault", "tokens.vault")

    def mask(self, source, target, **options):
        return self.ctl("policy", "mask", "policy.yaml", source, "-O", target, "--dataset", "ward", *self.KEYS,
                        **options)

    def mask_with(self, source, target, *words, **options):
        return self.ctl("policy", "mask", "policy.yaml", source, "-O", target, "--dataset", "ward", *self.KEYS, *words,
                        **options)

    def reveal(self, source, target, *columns, **options):
        words = [word for column in columns for word in ("--column", column)]
        return self.ctl("policy", "reveal", "policy.yaml", source, "-O", target, "--dataset", "ward", *words,
                        *self.KEYS, **options)

    def test_the_report_is_json(self):
        report = json.loads(self.mask_with("in.csv", "masked.csv", "--report", "json"))
        self.assertEqual(report["evidence"]["residual"]["findings"], 0)
        self.assertGreater(len(report["columns"]), 0)

    def test_no_output_over_what_is_read(self):
        self.mask("in.csv", "masked.csv")
        for name in ("policy.yaml", "ring.json", "./master.key", "tokens.vault"):
            before = (self.work / name).read_bytes()
            self.ctl("policy", "mask", "policy.yaml", "in.csv", "-O", name, "--dataset", "ward", *self.KEYS, want=USAGE)
            self.ctl("policy", "reveal", "policy.yaml", "masked.csv", "-O", name, "--dataset", "ward", "--column", "mrn",
                     *self.KEYS, want=USAGE)
            self.assertEqual((self.work / name).read_bytes(), before, name)
        self.ctl("policy", "mask", "policy.yaml", "in.csv", "-O", "somewhere/", *self.KEYS, want=USAGE)

    def test_what_the_files_are_can_be_said(self):
        text = self.read("in.csv")
        (self.work / "in.dat").write_bytes(text.encode("utf-16le"))
        self.mask_with("in.dat", "told.csv", "--format", "csv", "--encoding", "utf-16le")
        self.mask("in.csv", "plain.csv")
        told = csv.DictReader(io.StringIO((self.work / "told.csv").read_bytes().decode("utf-16le")))
        self.assertEqual([row["name"] for row in told], [row["name"] for row in self.table("plain.csv")])
        self.mask_with("in.csv", "x.csv", "--encoding", "klingon", want=USAGE)

    def test_masked_and_revealed(self):
        self.mask("in.csv", "masked.csv")
        raw, masked = self.table("in.csv"), self.table("masked.csv")
        for before, after in zip(raw, masked):
            for column in ("mrn", "account", "card", "name", "city", "seen"):
                self.assertNotEqual(before[column], after[column])
            self.assertRegex(after["mrn"], r"^tok-[0-9a-f]{32}$")
            self.assertRegex(after["card"], r"^\d{4}-\d{4}-\d{4}-\d{4}$")
            self.assertRegex(after["seen"], r"^2024-\d\d-\d\d$|^2023-\d\d-\d\d$")
            self.assertEqual(before["los"], after["los"])
        self.assertEqual(len({row["mrn"] for row in masked}), 20, "a token for each subject")
        self.assertEqual(len({row["account"] for row in masked}), 60)
        self.assertEqual(len({row["city"] for row in masked}), 1)
        self.reveal("masked.csv", "clear.csv", "mrn", "account", "card", "city")
        for before, after in zip(raw, self.table("clear.csv")):
            for column in ("mrn", "account", "card", "city"):
                self.assertEqual(before[column], after[column])
        self.assertEqual((self.work / "clear.csv").stat().st_mode & 0o777, 0o600)

    def test_values_are_not_shown_unasked(self):
        self.mask("in.csv", "masked.csv")
        words = ("policy", "reveal", "policy.yaml", "masked.csv", "--column", "account", "--dataset", "ward",
                 *self.KEYS)
        self.ctl(*words, want=USAGE)
        self.assertIn("DE0007ACC", self.ctl(*words, "--yes"))
        self.ctl("policy", "reveal", "policy.yaml", "masked.csv", "--column", "name", "--dataset", "ward",
                 *self.KEYS, "-O", "x.csv", want=USAGE)

    def test_rotation_and_a_second_run(self):
        self.mask("in.csv", "one.csv")
        self.ring("rotate", "research")
        self.ring("rotate", "vault")
        rows = self.table("one.csv")
        # dates and card numbers cannot say that they are masked; the others stay
        self.mask("one.csv", "two.csv")
        for before, after in zip(rows, self.table("two.csv")):
            for column in ("mrn", "account", "name", "city"):
                self.assertEqual(before[column], after[column], column)
        self.mask("in.csv", "three.csv")
        for before, after in zip(rows, self.table("three.csv")):
            self.assertEqual(before["mrn"], after["mrn"], "a value keeps its token")
            self.assertTrue(after["name"].startswith("k2-"))
            self.assertTrue(after["account"].startswith("enc-k2-"))
        self.reveal("one.csv", "clear.csv", "mrn", "account", "city")
        self.assertEqual([row["account"] for row in self.table("clear.csv")],
                         [row["account"] for row in self.table("in.csv")])

    def test_a_ciphertext_that_was_moved(self):
        self.mask("in.csv", "masked.csv")
        lines = self.read("masked.csv").splitlines(keepends=True)
        self.write("moved.csv", "".join([lines[0], lines[2], lines[1], *lines[3:]]))
        report = json.loads(self.ctl("policy", "reveal", "policy.yaml", "moved.csv", "--column", "account", "--dataset",
                                     "ward", *self.KEYS, "-O", "clear.csv", "-o", "json"))
        self.assertEqual((report["revealed"], report["left"]), (58, 2))
        self.ctl("policy", "reveal", "policy.yaml", "masked.csv", "--column", "account", "--dataset", "other",
                 *self.KEYS, "-O", "no.csv", want=REFUSED)
        self.assertFalse((self.work / "no.csv").exists())

    def test_destroyed(self):
        self.mask("in.csv", "masked.csv")
        self.ring("destroy", "research.1", want=USAGE)
        self.ring("destroy", "research.1", "--yes")
        self.ctl("policy", "mask", "policy.yaml", "in.csv", "-O", "again.csv", "--dataset", "ward", *self.KEYS,
                 want=REFUSED)
        self.ring("rotate", "research")
        self.reveal("masked.csv", "clear.csv", "account", want=REFUSED)
        states = {row["id"]: row["state"] for row in json.loads(self.ring("list", "-o", "json"))}
        self.assertEqual(states, {"research.1": "destroyed", "research.2": "active", "vault.1": "active"})

    def test_two_runs_at_once_share_a_vault(self):
        runs = [self.run_ctl("policy", "mask", "policy.yaml", "in.csv", "-O", f"out{i}.csv", "--dataset", "ward",
                             *self.KEYS) for i in range(4)]
        for run in runs:
            self.finish(run, DONE)
        tokens = [[row["mrn"] for row in self.table(f"out{i}.csv")] for i in range(4)]
        for one in tokens:
            self.assertEqual(one, tokens[0])

    def test_keys_stand_nowhere(self):
        master = self.read("master.key").strip()
        self.mask("in.csv", "masked.csv")
        self.reveal("masked.csv", "clear.csv", "account")
        self.ring("list")
        for path in self.work.iterdir():
            if path.name != "master.key":
                self.assertNotIn(master.encode(), path.read_bytes(), path.name)
                self.assertNotIn(bytes.fromhex(master), path.read_bytes(), path.name)
        vault = (self.work / "tokens.vault").read_bytes()
        for row in self.table("in.csv"):
            self.assertNotIn(row["mrn"].encode(), vault)
        text = "".join(self.said)
        self.assertNotIn(master, text)
        for row in self.table("in.csv")[:20]:
            self.assertNotIn(row["account"], text)
        for name in ("ring.json", "tokens.vault", "master.key"):
            self.assertEqual((self.work / name).stat().st_mode & 0o777, 0o600, name)

    def test_master_keys(self):
        master = self.read("master.key").strip()
        self.ctl("keyring", "list", "ring.json", env={"MLOPS_MASTER_KEY": master})
        self.ctl("keyring", "list", "ring.json", "--master", "env:OTHER", env={"OTHER": master})
        self.ctl("keyring", "list", "ring.json", "--master", "credential:master.key",
                 env={"CREDENTIALS_DIRECTORY": str(self.work)})
        self.ctl("keyring", "list", "ring.json", env={"MLOPS_MASTER_KEY": secrets.token_hex(32)}, want=AUTHENTICATION)
        self.ctl("keyring", "list", "ring.json", env={"MLOPS_MASTER_KEY": "short"}, want=USAGE)
        (self.work / "master.key").chmod(0o644)
        self.ring("list", want=USAGE)
        (self.work / "master.key").chmod(0o600)
        self.write("new.key", secrets.token_hex(32))
        (self.work / "new.key").chmod(0o600)
        self.mask("in.csv", "masked.csv")
        self.ring("rewrap", "--new-master", "file:new.key")
        self.ring("list", want=AUTHENTICATION)
        self.ctl("policy", "reveal", "policy.yaml", "masked.csv", "--column", "mrn", "--dataset", "ward", "-O",
                 "clear.csv", "--keyring", "ring.json", "--master", "file:new.key", "--vault", "tokens.vault")
        self.assertEqual(self.table("clear.csv")[5]["mrn"], self.table("in.csv")[5]["mrn"])

    def test_a_changed_ring(self):
        self.write("ring.json", self.read("ring.json").replace('"active"', '"retired"', 1))
        self.ring("list", want=INTEGRITY)


if __name__ == "__main__":
    unittest.main()
