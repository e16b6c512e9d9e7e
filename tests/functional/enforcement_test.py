"""What a policy says about risk, consent and exceptions holds on a masking run, on the server and offline."""

import pathlib
import subprocess
import unittest

from harness import DONE, MLOPSCTL, REFUSED, DaemonCase

POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: %s, version: 1.0.0}
spec:
  select: {kinds: [dataset]}
  classification:
    columns:
      id: {class: patient_id}
      consent_id: {class: consent}
      dob: {class: birth_date}
      sex: {class: demographic}
      dx: {class: clinical}
  transforms:
    rules:
      - {match: {class: patient_id}, apply: suppress}
      - {match: {column: consent_id}, apply: suppress}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 89, reference: 2026-01-01}}}
  risk: {quasi_identifiers: [dob, sex], require: {k: 3}, on_fail: %s}
  purpose: {declared: [operations], consent: {field: consent_id, on_missing: exclude_record}}
%s"""
EXCEPTION = """  residual: {max_findings: 1}
  exceptions:
    - {id: EX-7, gate: residual.max_findings, scope: "dataset:pilot", reason: pilot, approver: board, expires: 2099-12-31}
"""
ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: suppressing, clearance: pseudonymous, policies: [suppressing], labels: {purpose: operations}}
  - {name: denying, clearance: pseudonymous, policies: [denying], labels: {purpose: operations}}
  - {name: excepting, clearance: pseudonymous, policies: [excepting], labels: {purpose: operations}}
"""
# Three of 1980 that consent, one that does not, and one alone in 1951.
TABLE = ("id,consent_id,dob,sex,dx\nP-1,C-1,1980-01-01,f,flu\nP-2,C-2,1980-02-02,f,asthma\nP-3,,1980-03-03,f,gout\n"
         "P-4,C-4,1951-04-04,m,angina\nP-5,C-5,1980-05-05,f,flu\n")
KEPT = "dob,sex,dx\n1980,f,flu\n1980,f,asthma\n1980,f,flu\n"
POLICIES = {"suppressing": ("suppress_records", ""), "denying": ("deny", ""), "excepting": ("suppress_records", EXCEPTION)}


def policy_text(name):
    return POLICY % (name, *POLICIES[name])


class EnforcementTest(DaemonCase):
    @classmethod
    def prepare(cls):
        for name in POLICIES:
            cls.ok("policy", "apply", cls.file(f"{name}.yaml", policy_text(name)))
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))

    def registered(self, name, text=TABLE):
        path = self.file("people.csv", text)
        return self.json("register", "dataset", name, path, "--sensitivity", "personal")["version"]["ref"]

    def test_records_that_stand_out_and_those_without_consent_are_not_published(self):
        promotion = self.json("promote", self.registered("kept"), "--to", "suppressing", "--reason", "study")
        evidence = promotion["masking"]
        self.assertEqual(evidence["rows"], 3)
        self.assertEqual(evidence["rows_without_consent"], 1)
        self.assertEqual(evidence["rows_suppressed"], 1)
        self.assertEqual(evidence["risk"][0]["k"], {"need": 3, "have": 3})
        folder = self.work / "kept-out"
        self.ok("pull", promotion["masking"]["output"], folder)
        self.assertEqual([path.read_text() for path in folder.rglob("*.csv")], [KEPT])

    def test_a_risk_too_high_is_refused_with_counts_and_leaves_nothing(self):
        result = self.ctl("promote", self.registered("risky"), "--to", "denying", "--reason", "study")
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("k is 1 where 3 is asked", result.text)
        for value in ("1951", "angina", "P-4"):
            self.assertNotIn(value, result.text)
        versions = self.daemon.api("GET", "/api/v1/versions?limit=1000", token="admin").json["items"]
        self.assertNotIn("risky-deid", {version["name"] for version in versions})

    def test_an_exception_for_one_dataset_does_not_loosen_another(self):
        result = self.ctl("promote", self.registered("others"), "--to", "excepting", "--reason", "study")
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("EX-7", result.text)
        self.json("promote", self.registered("pilot"), "--to", "excepting", "--reason", "study")

    def offline(self, name, *options, code):
        source, policy = self.file("offline.csv", TABLE), self.file("offline.yaml", policy_text(name))
        out = pathlib.Path(self.work) / f"offline-{name}.csv"
        done = subprocess.run([str(MLOPSCTL), "policy", "mask", str(policy), str(source), "-O", str(out), *options],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        left = [path for path in out.parent.iterdir() if path.name.startswith(f".{out.name}")]
        self.assertEqual(left, [], "nothing is left behind")
        return out

    def test_offline_runs_do_the_same(self):
        self.assertEqual(self.offline("suppressing", code=DONE).read_text(), KEPT)
        self.assertFalse(self.offline("denying", code=REFUSED).exists())
        self.assertFalse(self.offline("excepting", code=REFUSED).exists())
        self.assertEqual(self.offline("excepting", "--dataset", "pilot", code=DONE).read_text(), KEPT)


if __name__ == "__main__":
    unittest.main()
