"""Plan, approve, promote, roll back: who may, in what order, on what evidence, and what it leaves behind."""

import threading
import unittest

import fixtures
from harness import AUTHENTICATION, CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, WAIT_TIMED_OUT, DaemonCase

EXTRA = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: lab, clearance: pseudonymous}
  - {name: canary, clearance: pseudonymous, after: [staging, lab]}
"""


class PromotionTest(DaemonCase):
    counter = 0

    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.ok("env", "apply", cls.file("extra.yaml", EXTRA))
        cls.rita = cls.daemon.new_token("rita", "release")
        cls.omar = cls.daemon.new_token("omar", "approver")
        cls.vera = cls.daemon.new_token("vera", "viewer")
        cls.data = cls.json("register", "dataset", "train", cls.file("train.csv", "x,y\n1,0\n"), "--sensitivity",
                            "pseudonymous")["version"]["ref"]

    def model(self, name, auc=0.9, *options):
        PromotionTest.counter += 1
        path = self.file(f"m{self.counter}.json", f'{{"w": {self.counter}}}')
        return self.json("register", "model", name, path, "--metric", f"auc={auc}", "--input", self.data, "--role",
                         "train", *options, token=self.rita)["version"]["ref"]

    def plan(self, ref, environment, **keywords):
        """A plan that fails its gates is still a plan (exit 0 or 3)."""
        result = self.ctl("plan", ref, "--to", environment, "--reason", "test", "-o", "json", token=self.rita, **keywords)
        self.assertIn(result.code, (DONE, REFUSED), result)
        return result.json()

    def promote(self, ref, environment, check=DONE, token=None, options=()):
        result = self.ctl("promote", ref, "--to", environment, "--reason", "test", *options, "-o", "json",
                          token=token or self.rita, check=check)
        return result.json() if check == DONE else result

    def to_prod(self, ref):
        """Through staging and one approval."""
        self.promote(ref, "staging")
        plan = self.plan(ref, "prod")
        self.ok("approve", plan["id"], "--reason", "looked at it", token=self.omar)
        return self.json("promote", ref, "--to", "prod", "--plan", plan["id"], token=self.rita)

    def running(self, environment, name, *options):
        found = [d["ref"] for d in self.items("status", "--env", environment, *options) if d["name"] == name]
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def gate(self, plan, kind):
        return [g for g in plan["gates"] if g["kind"] == kind]

    def test_plan_approve_promote(self):
        ref = self.model("flow")
        plan = self.plan(ref, "staging")
        self.assertEqual((plan["verdict"], plan["state"], plan["environment"]), ("pass", "open", "staging"))
        self.assertRegex(plan["digest"], r"^sha256:[0-9a-f]{64}$")
        for gate in plan["gates"]:
            self.assertEqual(gate["verdict"], "pass", gate)
            self.assertTrue(gate["rule"] and gate["reason"])
        done = self.json("promote", ref, "--to", "staging", "--plan", plan["id"], token=self.rita)
        self.assertEqual(done["deployment"]["ref"], ref)
        self.assertIn("rollback", done["undo"] or "rollback")
        self.assertEqual(self.running("staging", "flow"), ref)
        self.assertEqual(self.json("show", "flow#staging")["ref"], ref)

        plan = self.plan(ref, "prod")
        self.assertEqual((plan["verdict"], plan["approvals_needed"]), ("pending", 1))
        pending = self.ctl("promote", ref, "--to", "prod", "--plan", plan["id"], token=self.rita, check=REFUSED)
        self.assertIn("approv", pending.text)
        self.assertIsNone(self.running("prod", "flow"))
        self.ok("approve", plan["id"], "--reason", "fine", token=self.omar)
        self.ok("promote", ref, "--to", "prod", "--plan", plan["id"], token=self.rita)
        self.assertEqual(self.running("prod", "flow"), ref)
        self.assertEqual(self.json("show", ref)["environments"], ["prod", "staging"])

    def test_plan_by_digest_prefix(self):
        ref = self.model("prefix")
        plan = self.plan(ref, "staging")
        hexadecimal = plan["digest"].split(":")[1]
        shown = self.daemon.api("GET", f"/api/v1/plans/{hexadecimal[:12]}", token="admin").json
        self.assertEqual(shown["id"], plan["id"])
        self.ctl("promote", ref, "--to", "staging", "--plan", plan["id"][:3], token=self.rita, check=USAGE)

    def test_own_approval_is_refused(self):
        ref = self.model("own")
        self.promote(ref, "staging")
        # By the administrator, who may do both.
        plan = self.ctl("plan", ref, "--to", "prod", "--reason", "mine", "-o", "json", check=REFUSED).json()
        result = self.ctl("approve", plan["id"], "--reason", "me too", check=AUTHENTICATION)
        self.assertIn("requested this plan", result.text)
        self.assertEqual(self.daemon.api("GET", f"/api/v1/plans/{plan['id']}", token="admin").json["approvals"], [])

    def test_viewers_and_requesters_cannot_approve(self):
        ref = self.model("who")
        self.promote(ref, "staging")
        plan = self.plan(ref, "prod")
        self.ctl("approve", plan["id"], "--reason", "x", token=self.vera, check=AUTHENTICATION)
        self.ctl("approve", plan["id"], "--reason", "x", token=self.rita, check=AUTHENTICATION)
        self.ctl("promote", ref, "--to", "prod", "--plan", plan["id"], token=self.omar, check=AUTHENTICATION)
        shown = self.daemon.api("GET", f"/api/v1/plans/{plan['id']}", token="admin").json
        self.assertEqual(shown["requested_by"], "rita")
        self.assertEqual(shown["approvals"], [])

    def test_reject(self):
        ref = self.model("rejected")
        self.promote(ref, "staging")
        plan = self.plan(ref, "prod")
        self.ok("reject", plan["id"], "--reason", "numbers look odd", token=self.omar)
        shown = self.daemon.api("GET", f"/api/v1/plans/{plan['id']}", token="admin").json
        self.assertEqual(shown["state"], "rejected")
        result = self.ctl("promote", ref, "--to", "prod", "--plan", plan["id"], token=self.rita)
        self.assertIn(result.code, (REFUSED, CONFLICT), result)
        self.assertIsNone(self.running("prod", "rejected"))

    def test_stale_plan(self):
        first, second = self.model("stale"), self.model("stale")
        plan = self.plan(first, "staging")
        self.promote(second, "staging")
        self.ctl("promote", first, "--to", "staging", "--plan", plan["id"], token=self.rita, check=CONFLICT)
        self.assertEqual(self.running("staging", "stale"), second)

    def test_a_changed_policy_makes_a_plan_stale(self):
        ref = self.model("policy-changed", 0.72)
        plan = self.plan(ref, "staging")
        self.assertEqual(plan["verdict"], "pass")
        self.ok("policy", "apply", self.file("gates2.yaml", fixtures.GATES.replace("1.0.0", "1.1.0").replace("0.7}", "0.8}")))
        try:
            self.ctl("promote", ref, "--to", "staging", "--plan", plan["id"], token=self.rita, check=CONFLICT)
        finally:
            self.ok("policy", "apply", self.file("gates.yaml", fixtures.GATES))
        self.assertIsNone(self.running("staging", "policy-changed"))

    def test_a_plan_runs_once(self):
        ref = self.model("once")
        plan = self.plan(ref, "staging")
        self.ok("promote", ref, "--to", "staging", "--plan", plan["id"], token=self.rita)
        again = self.ctl("promote", ref, "--to", "staging", "--plan", plan["id"], "-o", "json", token=self.rita)
        self.assertIn(again.code, (DONE, CONFLICT), again)
        self.assertEqual(len([d for d in self.items("history", "--env", "staging") if d["name"] == "once"]), 1)

    def test_order(self):
        ref = self.model("order")
        refused = self.promote(ref, "prod", check=REFUSED)
        self.assertIn("staging", refused.text)
        failed = [g for g in self.gate(self.plan(ref, "prod"), "order") if g["verdict"] == "fail"]
        self.assertTrue(failed and failed[0]["would_pass_if"])

    def test_order_is_a_graph(self):
        """canary comes after staging or lab: one of them is enough."""
        ref = self.model("graph")
        self.promote(ref, "canary", check=REFUSED)
        self.promote(ref, "lab")
        self.promote(ref, "canary")
        self.assertEqual(self.running("canary", "graph"), ref)

    def test_metric_floor(self):
        ref = self.model("floor", 0.61)
        refused = self.promote(ref, "staging", check=REFUSED)
        for word in ("auc-floor", "0.61", "0.7", "gates.yaml:"):
            self.assertIn(word, refused.text)
        gate = next(g for g in self.plan(ref, "staging")["gates"] if g["id"].endswith("auc-floor"))
        self.assertEqual(gate["verdict"], "fail")
        self.assertRegex(gate["rule"], r"gates\.yaml:\d+")

    def test_metric_missing_is_a_failure(self):
        path = self.file("nometric.json", "{}")
        self.ok("register", "model", "nometric", path, "--input", self.data, "--role", "train")
        self.promote("nometric@v1", "staging", check=REFUSED)

    def test_metric_regression(self):
        self.promote(self.model("regress", 0.9), "staging")
        worse = self.model("regress", 0.85)
        self.assertIn("auc-no-regression", self.promote(worse, "staging", check=REFUSED).text)
        self.promote(self.model("regress", 0.89), "staging")

    def test_lineage_gate(self):
        path = self.file("orphan.json", '{"o": 1}')
        self.ok("register", "model", "orphan", path, "--metric", "auc=0.9")
        self.promote("orphan@v1", "staging", check=REFUSED)

    def test_reason_is_required(self):
        ref = self.model("reason")
        self.promote(ref, "staging")
        result = self.ctl("promote", ref, "--to", "prod", token=self.rita)
        self.assertIn(result.code, (REFUSED, USAGE), result)
        self.assertIn("reason", result.text)

    def test_dry_run_changes_nothing(self):
        ref = self.model("dry")
        entries = self.json("audit", "verify")["entries"]
        result = self.promote(ref, "staging", options=("--dry-run",))
        self.assertTrue(result.get("dry_run"))
        bad = self.model("dry", 0.1)
        entries += 1  # the registration
        self.promote(bad, "staging", check=REFUSED, options=("--dry-run",))
        self.assertIsNone(self.running("staging", "dry"))
        self.assertEqual(self.json("audit", "verify")["entries"], entries)

    def test_same_release_again(self):
        ref = self.model("again")
        self.promote(ref, "staging")
        self.assertTrue(self.promote(ref, "staging").get("unchanged"))
        self.assertEqual(len([d for d in self.items("history", "--env", "staging") if d["name"] == "again"]), 1)

    def test_rollback_history_and_as_of(self):
        first, second, third = (self.model("past", 0.9) for _ in range(3))
        started = [self.to_prod(ref)["deployment"]["started_at"] for ref in (first, second, third)]
        self.ctl("rollback", "past", "--env", "prod", token=self.rita, check=USAGE)  # no reason
        for ref, time in zip((first, second, third), started):
            self.assertEqual(self.running("prod", "past", "--as-of", time), ref)
        self.assertEqual(self.running("prod", "past"), third)

        back = self.rollback("past", "prod")
        self.assertEqual(back["deployment"]["ref"], second)
        self.assertEqual(self.running("prod", "past"), second)
        self.assertEqual(self.running("prod", "past", "--as-of", started[2]), third)
        self.assertEqual(self.rollback("past", "prod", "--to", "v1")["deployment"]["ref"], first)

        history = [d for d in self.items("history", "--env", "prod") if d["name"] == "past"]
        self.assertEqual([d["ref"] for d in history], [first, second, third, second, first])
        self.assertEqual([d["action"] for d in history], ["rollback"] * 2 + ["promote"] * 3)
        self.assertIsNone(history[0]["ended_at"])
        for newer, older in zip(history, history[1:]):
            self.assertEqual(older["ended_at"], newer["started_at"], "intervals touch, none overlap")

    def rollback(self, name, environment, *options):
        """Rolls back where an approval is needed: the plan of the refusal is approved and then executed."""
        words = ("rollback", name, "--env", environment, *options, "--reason", "it misbehaves", "-o", "json")
        result = self.ctl(*words, token=self.rita)
        if result.code == REFUSED:
            plans = self.items("plans", "--env", environment, "--state", "open")
            plan = next(p for p in plans if p["kind"] == "rollback" and p["release"]["name"] == name)
            self.ok("approve", plan["id"], "--reason", "go back", token=self.omar)
            result = self.ctl("promote", "--plan", plan["id"], "-o", "json", token=self.rita)
        self.assertEqual(result.code, DONE, result)
        return result.json()

    def test_rollback_runs_todays_gates(self):
        first, second = self.model("gated"), self.model("gated")
        self.promote(first, "staging")
        self.promote(second, "staging")
        self.ok("deprecate", first, "--reason", "wrong labels")
        self.ctl("rollback", "gated", "--env", "staging", "--reason", "back", token=self.rita, check=REFUSED)
        self.assertEqual(self.running("staging", "gated"), second)

    def test_rollback_without_a_past(self):
        self.promote(self.model("nopast"), "staging")
        result = self.ctl("rollback", "nopast", "--env", "staging", "--reason", "back", token=self.rita)
        self.assertIn(result.code, (REFUSED, NOT_FOUND, CONFLICT), result)
        self.ctl("rollback", "never-there", "--env", "staging", "--reason", "x", token=self.rita, check=NOT_FOUND)

    def test_a_second_rollback_still_counts_the_approval(self):
        first, second, third = self.model("twice"), self.model("twice"), self.model("twice")
        self.to_prod(first)
        self.to_prod(second)
        self.ok("rollback", "twice", "--env", "prod", "--reason", "back", token=self.rita)
        self.to_prod(third)
        self.ok("rollback", "twice", "--env", "prod", "--reason", "back again", token=self.rita)
        self.assertEqual(self.running("prod", "twice"), first)

    def test_who_executes_is_no_second_person(self):
        # Registered by the administrator: an author would not count either.
        ref = self.json("register", "model", "alone", self.file("alone.json", "{}"), "--metric", "auc=0.9", "--input",
                        self.data, "--role", "train")["version"]["ref"]
        self.promote(ref, "staging")
        service = self.daemon.new_token("pipeline-plans", "ci", human=False)
        approving = self.daemon.new_token("rita", "approver")
        plan = self.ctl("plan", ref, "--to", "prod", "--reason", "x", "-o", "json", token=service, check=REFUSED).json()
        self.ok("approve", plan["id"], "--reason", "by rita", token=approving)
        self.ctl("promote", "--plan", plan["id"], token=self.rita, check=REFUSED)
        self.assertIsNone(self.running("prod", "alone"))

    def test_the_reason_of_a_plan_cannot_be_replaced(self):
        ref = self.model("said")
        plan = self.plan(ref, "staging")
        reply = self.daemon.api("POST", "/api/v1/promotions", {"plan": plan["id"], "reason": "another"}, token=self.rita)
        self.assertEqual(reply.status, 400)

    def test_rollback_in_staging_needs_nobody(self):
        first, second = self.model("easy"), self.model("easy")
        self.promote(first, "staging")
        self.promote(second, "staging")
        self.json("rollback", "easy", "--env", "staging", "--reason", "slow", token=self.rita)
        self.assertEqual(self.running("staging", "easy"), first)

    def test_wait(self):
        ref = self.model("waiting")
        self.promote(ref, "staging")
        plan = self.plan(ref, "prod")
        self.ctl("promote", ref, "--to", "prod", "--plan", plan["id"], "--wait", "--timeout", "1s", token=self.rita,
                 check=WAIT_TIMED_OUT)
        approver = threading.Timer(0.5, lambda: self.ctl("approve", plan["id"], "--reason", "ok", token=self.omar))
        approver.start()
        try:
            self.ok("promote", ref, "--to", "prod", "--plan", plan["id"], "--wait", "--timeout", "30s", token=self.rita)
        finally:
            approver.join()
        self.assertEqual(self.running("prod", "waiting"), ref)

    def test_deprecated_and_running_versions(self):
        ref = self.model("old")
        self.promote(ref, "staging")
        self.ctl("delete", ref, "--reason", "space", "--confirm", ref, check=CONFLICT)
        self.ok("deprecate", ref, "--reason", "superseded")
        self.promote(ref, "lab", check=REFUSED)

    def test_refusals_are_recorded(self):
        ref = self.model("recorded", 0.2)
        self.promote(ref, "staging", check=REFUSED)
        entries = [e for e in self.items("audit", "log", "--action", "release.refused") if "recorded" in str(e)]
        self.assertTrue(entries)
        self.assertIn("auc-floor", str(entries))

    def test_unknown_things(self):
        self.ctl("promote", "nobody@v1", "--to", "staging", token=self.rita, check=NOT_FOUND)
        self.ctl("promote", self.model("nowhere"), "--to", "atlantis", token=self.rita, check=NOT_FOUND)
        self.ctl("approve", "00000000", "--reason", "x", token=self.omar, check=NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
