"""Promotion as a controlled change: signed quorum, plans that end and differ, break-glass, rejected releases, bundles."""

import pathlib
import stat
import unittest

from harness import AUTHENTICATION, CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, DaemonCase

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: dev, clearance: none}
  - {name: prod, clearance: none, protection: {approvals: 2, approver_roles: [approver], signed: true, reason_required: true}}
  - {name: ward, clearance: none, protection: {approvals: 1}}
"""


class ChangeControlTest(DaemonCase):
    counter = 0

    @classmethod
    def prepare(cls):
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))
        for name, role in (("rita", "release"), ("omar", "approver"), ("vera", "approver"), ("ona", "oncall")):
            setattr(cls, name, cls.daemon.new_token(name, role))

    def model(self, name):
        ChangeControlTest.counter += 1
        path = self.file(f"m{self.counter}.json", f'{{"w": {self.counter}}}')
        return self.json("register", "model", name, path, "--sensitivity", "none", token=self.rita)["version"]["ref"]

    def plan(self, ref, environment, *options):
        result = self.ctl("plan", ref, "--to", environment, "--reason", "test", *options, "-o", "json", token=self.rita)
        self.assertIn(result.code, (DONE, REFUSED), result)
        return result.json()

    def test_signed_quorum(self):
        ref = self.model("signed")
        plan = self.plan(ref, "prod")
        omar = self.json("key", "add", "--name", "laptop", token=self.omar)
        vera = self.json("key", "add", token=self.vera)
        private = pathlib.Path(self.daemon.root) / "config" / "mlopsctl" / "signing" / "omar.pem"
        found = list(pathlib.Path(self.daemon.root).rglob("omar.pem"))
        self.assertEqual(len(found), 1, private)
        self.assertEqual(stat.S_IMODE(found[0].stat().st_mode), 0o600)
        said = self.ok("approve", plan["id"], "--reason", "read it", "--meaning", "clinically safe", token=self.omar)
        self.assertIn(plan["digest"], said.stderr)  # shown before it is signed
        self.assertIn(omar["id"], said.stderr)
        self.ctl("promote", "--plan", plan["id"], token=self.rita, check=REFUSED)
        self.ok("approve", plan["id"], "--reason", "read it, too", "--meaning", "clinically safe", token=self.vera)
        shown = self.daemon.api("GET", f"/api/v1/plans/{plan['id']}", token="admin").json
        self.assertEqual([a["key"] for a in shown["approvals"]], [omar["id"], vera["id"]])
        self.assertEqual(shown["verdict"], "pass")
        # Without the key nobody speaks for omar.
        refused = self.ctl("approve", plan["id"], "--reason", "x", "--signing-key", "none", token=self.omar, check=USAGE)
        self.assertIn("must sign", refused.text)
        self.ok("key", "revoke", vera["id"], "--reason", "lost", token=self.vera)
        refused = self.ctl("promote", "--plan", plan["id"], token=self.rita, check=REFUSED)
        self.assertIn("1 of 2", refused.text)
        self.assertIn("was revoked", self.ok("plans", plan["id"]).stdout)
        # After a loss an administrator registers the new key.
        self.ctl("key", "add", token=self.vera, check=AUTHENTICATION)
        self.assertEqual(self.ok("key", "signers").code, DONE)
        self.ok("audit", "verify")

    def test_a_private_key_that_others_can_read_is_refused(self):
        plan = self.plan(self.model("exposed"), "ward")
        exposed = pathlib.Path(self.file("key.pem", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
        exposed.chmod(0o644)
        refused = self.ctl("approve", plan["id"], "--reason", "x", "--signing-key", str(exposed), token=self.omar, check=USAGE)
        self.assertIn("chmod 600", refused.text)

    def test_plans_differ_by_what_they_pin(self):
        ref = self.model("again")
        plan = self.plan(ref, "ward")
        self.assertRegex(plan["expires_at"], r"^20")
        same = self.ctl("plan", "--again", plan["id"], "-o", "json", token=self.rita).json()
        self.assertEqual((same["digest"], same["changes"]), (plan["digest"], []))
        self.assertNotEqual(same["id"], plan["id"])
        self.ok("promote", self.model("again"), "--to", "ward", "--reason", "x", "--break-glass", token=self.ona)
        changed = self.ctl("plan", "--again", plan["id"], "-o", "json", token=self.rita, check=REFUSED).json()
        what = [change["what"] for change in changed["changes"]]
        self.assertIn("pins/running", what)
        self.assertIn("gate review", what)
        told = self.ctl("plans", changed["id"], "--against", plan["id"], check=REFUSED)
        self.assertIn("pins/running", told.stdout)
        self.ctl("promote", "--plan", plan["id"], token=self.rita, check=CONFLICT)

    def test_break_glass_and_its_review(self):
        ref = self.model("fire")
        self.ctl("promote", ref, "--to", "prod", "--break-glass", "--reason", "fire", token=self.rita, check=AUTHENTICATION)
        done = self.ok("promote", ref, "--to", "prod", "--break-glass", "--reason", "fire", token=self.ona)
        self.assertIn("the glass is broken", done.stdout)
        deployment = [d for d in self.items("status", "--env", "prod") if d["name"] == "fire"][0]
        self.assertEqual(deployment["review"]["overridden"], ["approvals"])
        self.assertIn("not reviewed", self.ok("status", "fire").stdout)
        refused = self.ctl("plan", self.model("fire"), "--to", "prod", "--reason", "x", token=self.rita, check=REFUSED)
        self.assertIn("has not been reviewed", refused.stdout)
        self.assertEqual([r["deployment"] for r in self.items("review", "list", "--env", "prod")], [deployment["id"]])
        self.ctl("review", "close", deployment["id"], "--outcome", "justified", "--note", "mine", token=self.ona,
                 check=AUTHENTICATION)
        self.ctl("review", "close", deployment["id"], "--outcome", "justified", token=self.omar, check=USAGE)
        self.ok("review", "close", deployment["id"][:18], "--outcome", "justified", "--note", "incident 4711", token=self.omar)
        self.assertEqual(self.items("review", "list"), [])
        self.assertIn("justified", self.ok("status", "fire").stdout)
        actions = [entry["action"] for entry in self.items("audit", "log", "--limit", "0")]
        self.assertIn("release.break_glass", actions)
        self.assertIn("release.review", actions)

    def test_rolled_back_from(self):
        first, second = self.model("back"), self.model("back")
        for ref in (first, second):
            self.ok("promote", ref, "--to", "dev", token=self.rita)
        self.ok("rollback", "back", "--env", "dev", "--reason", "alerts", token=self.rita)
        rejected = self.daemon.api("GET", "/api/v1/environments/dev/rejected", token="admin").json["items"]
        self.assertEqual([r["reason"] for r in rejected if r["release"] == "back"], ["alerts"])
        refused = self.ctl("promote", second, "--to", "dev", token=self.rita, check=REFUSED)
        self.assertIn("--even-rejected", refused.text)
        self.ok("promote", second, "--to", "dev", "--even-rejected", "--reason", "data mended", token=self.rita)

    def test_a_bundle_moves_as_one(self):
        refs = {name: [self.model(name), self.model(name)] for name in ("stack/m", "stack/t")}
        for i in range(2):
            made = self.json("release", "create", "stack", "--member", f"model={refs['stack/m'][i]}", "--member",
                             f"thresholds={refs['stack/t'][i]}", token=self.rita)
            self.assertEqual(made["release"]["ref"], f"release:stack@r{i + 1}")
            self.ok("promote", made["release"]["ref"], "--to", "dev", token=self.rita)
        self.assertEqual(self.json("show", "stack/t#dev")["ref"], refs["stack/t"][1])
        torn = self.ctl("promote", refs["stack/t"][0], "--to", "dev", token=self.rita, check=REFUSED)
        self.assertIn("tear it apart", torn.text)
        done = self.json("rollback", "release:stack", "--env", "dev", "--reason", "worse", token=self.rita)
        self.assertEqual(done["undo"], 'mlopsctl rollback release:stack --env dev --to r2 --reason "…"')
        self.assertEqual(self.json("show", "stack/t#dev")["ref"], refs["stack/t"][0])
        self.assertEqual([m["role"] for m in self.json("release", "show", "release:stack@r1")["members"]],
                         ["model", "thresholds"])
        self.ctl("release", "show", "stack@r9", check=NOT_FOUND)
        self.ctl("release", "create", "stack", "--member", "stack/m@v1", check=USAGE)
        self.assertIn("release:stack@r1", self.ok("status", "--env", "dev").stdout)

    def test_a_request_sent_twice(self):
        first, second = self.model("twice"), self.model("twice")
        done = self.json("promote", first, "--to", "dev", "--idempotency-key", "ci-1", token=self.rita)
        self.ok("promote", second, "--to", "dev", token=self.rita)
        again = self.json("promote", first, "--to", "dev", "--idempotency-key", "ci-1", token=self.rita)
        self.assertTrue(again["replayed"])
        self.assertEqual(again["deployment"]["id"], done["deployment"]["id"])
        self.assertEqual(self.json("show", "twice#dev")["ref"], second)
        self.ctl("promote", second, "--to", "dev", "--idempotency-key", "ci-1", token=self.rita, check=CONFLICT)

    def test_withdrawing(self):
        plan = self.plan(self.model("withdrawn"), "ward")
        nora = self.daemon.new_token("nora", "approver")
        self.ok("approve", plan["id"], "--reason", "fine", token=nora)
        self.ok("withdraw", plan["id"], "--reason", "wrong evaluation set", token=nora)
        self.ctl("promote", "--plan", plan["id"], token=self.rita, check=REFUSED)


if __name__ == "__main__":
    unittest.main()
