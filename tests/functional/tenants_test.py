"""Environments of tenants: templates, isolation, soak, windows and freezes, rollouts in waves, the board."""

import datetime
import unittest

from harness import CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, DaemonCase, quote, wait_until

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
templates:
  prod:
    clearance: none
    region: eu-central
    owners: [rita]
environments:
  - {name: test, clearance: none}
  - {name: staging, clearance: none, after: [test], tenants: [acme, globex]}
  - name: prod
    template: prod
    after: ["staging/{tenant}"]
    tenants:
      acme: {region: eu-west}
      globex: {region: us-east}
"""

FROZEN = """apiVersion: mlops/v1
kind: Environments
environments:
  - name: prod/globex
    clearance: none
    region: us-east
    after: [staging/globex]
    labels: {tenant: globex}
    freezes: [{from: 2020-01-01, to: 2099-12-31, time_zone: America/New_York, reason: year end}]
"""

MANY = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: fleet, clearance: none, tenants: [%s]}
""" % ", ".join(f"t{i:02}" for i in range(40))


class TenantsTest(DaemonCase):
    counter = 0

    @classmethod
    def prepare(cls):
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))
        cls.ok("env", "apply", cls.file("many.yaml", MANY))
        cls.rita = cls.daemon.new_token("rita", "release")
        cls.omar = cls.daemon.new_token("omar", "approver")

    def setUp(self):
        self.ok("env", "apply", self.file("environments.yaml", ENVIRONMENTS))

    def model(self, name, *options):
        TenantsTest.counter += 1
        path = self.file(f"m{self.counter}.bin", f"weights {self.counter}")
        return self.json("register", "model", name, path, "--sensitivity", "none", *options,
                         token=self.rita)["version"]["ref"]

    def promote(self, ref, to, *options, check=DONE):
        return self.ctl("promote", ref, "--to", to, "--reason", "test", *options, token=self.rita, check=check)

    def staged(self, name, *options):
        ref = self.model(name, *options)
        self.promote(ref, "test")
        self.promote(ref, "staging/*")
        return ref

    def running(self, name):
        return {d["environment"]: d["ref"] for d in self.items("status", name)}

    def rollout(self, identifier):
        return self.json("rollout", "show", identifier)

    def test_expanded_environments(self):
        acme = self.json("env", "show", "prod/acme")
        self.assertEqual((acme["region"], acme["after"], acme["labels"]), ("eu-west", ["staging/acme"], {"tenant": "acme"}))
        self.assertEqual((acme["template"], acme["tenants_of"], acme["owners"]), ("prod", "prod", ["rita"]))
        self.assertIn("a tenant of prod", self.ok("env", "show", "prod/globex").stdout)
        changed = ENVIRONMENTS.replace("us-east", "us-west")
        shown = self.ok("env", "diff", self.file("changed.yaml", changed)).stdout
        self.assertIn("prod/globex  region: us-east → us-west", shown)
        self.assertNotIn("prod/acme", shown)
        dry = self.ok("env", "apply", self.file("changed.yaml", changed), "--dry-run")
        self.assertIn("us-east → us-west", dry.stderr)
        self.assertIn("no difference", self.ok("env", "diff", self.file("same.yaml", ENVIRONMENTS)).stdout)
        bad = ENVIRONMENTS.replace("clearance: none\n    region: eu-central", "clearance: purple\n    region: eu-central")
        refused = self.ctl("env", "apply", self.file("bad.yaml", bad), check=USAGE)
        self.assertIn("bad.yaml:5:16", refused.text)
        self.assertIn("environment prod/acme", refused.text)
        zone = FROZEN.replace("America/New_York", "America/New_Yrok")
        self.assertIn("America/New_York", self.ctl("env", "apply", self.file("zone.yaml", zone), check=USAGE).text)

    def test_graph(self):
        text = self.ok("env", "graph").stdout
        self.assertRegex(text, r"test  \(none\)\n├─ staging/acme  \(none\)\n│  └─ prod/acme  \(none, eu-west\)")
        self.assertIn('"staging/acme" -> "prod/acme";', self.ok("env", "graph", "--format", "dot").stdout)
        self.assertIn({"from": "test", "to": "staging/acme"}, self.json("env", "graph")["edges"])

    def test_plan_and_promote_to_a_selector(self):
        ref = self.staged("wide")
        rows = self.json("plan", ref, "--to", "prod/*", token=self.rita)
        self.assertEqual([(p["environment"], p["verdict"]) for p in rows], [("prod/acme", "pass"), ("prod/globex", "pass")])
        dry = self.promote(ref, "prod/*", "--wave", "1", "--dry-run")
        self.assertIn("wave 2", dry.stdout)
        self.assertNotIn("prod/acme", self.running("wide"))
        done = self.promote(ref, "staging/*,prod/*", "--wave", "1,100%", "-o", "json").json()
        self.assertEqual([(s["environment"], s["state"]) for s in done["steps"]],
                         [("staging/acme", "unchanged"), ("staging/globex", "unchanged"), ("prod/acme", "done"),
                          ("prod/globex", "done")])
        self.assertEqual(self.running("wide")["prod/globex"], ref)
        self.assertEqual(self.json("show", "wide#prod/acme")["ref"], ref)
        self.assertIn(done["id"], self.ok("rollout", "list", "-o", "json").stdout)
        answer = self.daemon.api("GET", f"/api/v1/environments/{quote('prod/acme')}", token="admin")
        self.assertEqual(answer.status, 200)
        self.promote(ref, "nowhere/*", check=NOT_FOUND)
        self.ctl("plan", ref, "--to", "nowhere/*", check=NOT_FOUND, token=self.rita)
        self.promote(ref, "prod/acme", "--waves", "2", check=USAGE)
        self.ok("audit", "verify")

    def test_failure_stops_and_freeze_lets_rollbacks_through(self):
        first = self.staged("iced")
        self.promote(first, "prod/*")
        second = self.staged("iced")
        self.ok("env", "apply", self.file("frozen.yaml", FROZEN))
        stopped = self.promote(second, "prod/*", "--waves", "2", check=REFUSED)
        self.assertIn("freeze", stopped.text)
        running = self.running("iced")
        self.assertEqual((running["prod/acme"], running["prod/globex"]), (second, first))
        refused = self.promote(second, "prod/globex", check=REFUSED)
        for part in ("year end", "2100-01-01T05:00:00Z (2100-01-01 00:00 America/New_York)"):
            self.assertIn(part, refused.text)
        # Back to the release before, though the freeze holds.
        self.ok("env", "apply", self.file("environments.yaml", ENVIRONMENTS))
        self.promote(second, "prod/globex")
        self.ok("env", "apply", self.file("frozen.yaml", FROZEN))
        back = self.json("rollback", "iced", "--env", "prod/globex", "--reason", "alerts", token=self.rita)
        freeze = [g for g in back["plan"]["gates"] if g["id"] == "freeze"]
        self.assertEqual([g["verdict"] for g in freeze], ["pass"])
        self.assertIn("rollback", freeze[0]["reason"])
        self.assertEqual(self.running("iced")["prod/globex"], first)
        self.ok("decision", "verify")

    def test_rollback_on_failure(self):
        first = self.staged("undone")
        self.promote(first, "prod/*")
        second = self.staged("undone")
        self.ok("env", "apply", self.file("frozen.yaml", FROZEN))
        stopped = self.promote(second, "prod/*", "--rollback-on-failure", "-o", "json", check=REFUSED).json()
        self.assertEqual([s["state"] for s in stopped["steps"]], ["rolled_back", "failed"])
        self.assertEqual(self.running("undone")["prod/acme"], first)

    def test_manual_pause_continue_and_stop(self):
        ref = self.staged("paused")
        paused = self.promote(ref, "prod/*", "--wave", "1", "--pause", "manual", "-o", "json").json()
        self.assertEqual(([s["state"] for s in paused["steps"]], paused["state"]), (["done", "waiting"], "paused"))
        self.assertNotIn("prod/globex", self.running("paused"))
        self.ctl("rollout", "continue", paused["id"], token=self.omar, check=4)
        done = self.json("rollout", "continue", paused["id"], token=self.rita)
        self.assertEqual(done["state"], "done")
        self.ctl("rollout", "continue", paused["id"], token=self.rita, check=CONFLICT)
        ref = self.staged("paused")
        paused = self.promote(ref, "prod/*", "--wave", "1", "--pause", "manual", "-o", "json").json()
        self.ctl("rollout", "stop", paused["id"], token=self.rita, check=USAGE)
        stopped = self.json("rollout", "stop", paused["id"], "--reason", "enough", token=self.rita)
        self.assertEqual([s["state"] for s in stopped["steps"]], ["done", "skipped"])
        self.assertIn(paused["id"][:8], self.ok("rollout", "list", "--state", "stopped").stdout)
        self.ctl("rollout", "show", "00000000-0000", check=NOT_FOUND)

    def test_timed_pause_ends_by_itself(self):
        ref = self.staged("timed")
        done = self.promote(ref, "prod/*", "--waves", "2", "--pause", "1s", "-o", "json").json()
        self.assertEqual(done["state"], "done")
        times = [datetime.datetime.fromisoformat(s["changed_at"].replace("Z", "+00:00")) for s in done["steps"]]
        self.assertGreaterEqual((times[1] - times[0]).total_seconds(), 1.0)

    def test_a_killed_daemon_goes_on_where_it_was(self):
        ref = self.model("fleet")
        begun = self.daemon.api("POST", "/api/v1/rollouts",
                                {"ref": ref, "to": "fleet/*", "reason": "r", "waves": "4"}, token=self.rita)
        self.assertEqual(begun.status, 201, begun)
        identifier = begun.json["id"]
        for least in (3, 12, 25):
            def reached():
                state = self.daemon.api("GET", f"/api/v1/rollouts/{identifier}", token="admin").json
                return sum(s["state"] == "done" for s in state["steps"]) >= least
            wait_until(reached, 60, f"{least} steps")
            self.daemon.kill9()
            self.daemon.start()
        wait_until(lambda: self.rollout(identifier)["state"] == "done", 60, "the rollout is done")
        history = [d["environment"] for d in self.items("history", "fleet", "--limit", "0")]
        self.assertEqual(sorted(history), [f"fleet/t{i:02}" for i in range(40)])
        self.assertEqual({s["state"] for s in self.rollout(identifier)["steps"]}, {"done"})
        self.ok("audit", "verify")

    def test_isolation(self):
        ref = self.model("owned", "--label", "tenant=acme")
        self.promote(ref, "test")
        self.promote(ref, "staging/acme")
        refused = self.promote(ref, "staging/globex", check=REFUSED)
        self.assertIn("is acme's, and staging/globex is globex's", refused.text)

    def test_soak(self):
        soaking = ENVIRONMENTS.replace('    after: ["staging/{tenant}"]', '    after: ["staging/{tenant}"]\n    soak: 2s')
        ref = self.staged("soaked")
        self.ok("env", "apply", self.file("soaking.yaml", soaking.replace("2s", "24h")))
        refused = self.promote(ref, "prod/acme", check=REFUSED)
        self.assertIn("24h are needed", refused.text)
        self.ok("env", "apply", self.file("soaking.yaml", soaking))
        plan = wait_until(lambda: self.ctl("plan", ref, "--to", "prod/acme", token=self.rita).code == DONE, 20, "soaked")
        self.assertTrue(plan)
        self.promote(ref, "prod/acme")

    def test_closed_window(self):
        today = datetime.datetime.now(datetime.timezone.utc)
        day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(today.weekday() + 3) % 7]
        closed = FROZEN.split("    freezes:")[0] + f'    windows: [{{days: [{day}], from: "08:00", to: "09:00"}}]\n'
        self.ok("env", "apply", self.file("closed.yaml", closed))
        ref = self.staged("closed")
        refused = self.promote(ref, "prod/globex", check=REFUSED)
        self.assertRegex(refused.text, r"promoted at or after \d{4}-\d\d-\d\dT08:00:00Z")

    def test_board(self):
        first = self.staged("board")
        self.promote(first, "prod/*")
        second = self.model("board")
        self.promote(second, "test")
        rows = [r for r in self.items("board", "board") if r["name"] == "board"]
        cells = rows[0]["environments"]
        self.assertEqual((cells["test"]["ref"], cells["prod/acme"]["ref"]), (second, first))
        self.assertTrue(cells["staging/acme"]["differs"])
        self.assertFalse(cells["prod/acme"]["differs"])
        self.assertEqual(cells["test"]["sensitivity"], "none")
        wide = self.ok("board", "board").stdout
        self.assertIn("prod/*", wide)
        self.assertIn("v1 ×2", wide)
        narrow = self.ok("board", "board", "--env", "label:tenant=acme").stdout
        self.assertIn("staging/acme", narrow)
        self.assertIn("v1*", narrow)
        self.assertNotIn("globex", narrow)
        self.assertIn("staging/globex", self.ok("board", "--tenants").stdout)


if __name__ == "__main__":
    unittest.main()
