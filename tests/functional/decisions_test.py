"""Decisions that were made: kept with their facts, proved byte for byte, decided again under a policy nobody applied yet.
And clearance: which token reads which bytes, by whatever route."""

import json
import unittest

import fixtures
from harness import AUTHENTICATION, DONE, NOT_FOUND, REFUSED, USAGE, DaemonCase, quote

STRICT = fixtures.GATES.replace("min: 0.7", "min: 0.95").replace("version: 1.0.0", "version: 1.1.0")


class DecisionsTest(DaemonCase):
    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.data = cls.json("register", "dataset", "train", cls.file("train.csv", "x,y\n1,0\n"), "--sensitivity",
                            "none")["version"]["ref"]
        cls.strict = cls.file("strict.yaml", STRICT)

    def model(self, name, auc):
        path = self.file(f"{name}-{auc}.bin", f"{name} {auc}")
        return self.json("register", "model", name, path, "--metric", f"auc={auc}", "--input", self.data, "--role",
                         "train")["version"]["ref"]

    def test_every_decision_is_proved_also_after_its_policy_changed(self):
        good, bad = self.model("proved", 0.9), self.model("proved-bad", 0.1)
        self.ok("promote", good, "--to", "staging")
        self.ctl("promote", bad, "--to", "staging", check=REFUSED)
        plan = self.ctl("plan", good, "--to", "prod", "--reason", "r", "-o", "json").json()
        before = self.json("decision", "show", plan["id"])
        self.assertEqual(before["decision"], "wait")
        self.assertTrue(before["proved"])
        self.ok("policy", "apply", self.strict)
        self.addCleanup(self.ok, "policy", "apply", self.file("gates.yaml", fixtures.GATES))
        after = self.json("decision", "show", plan["id"])
        self.assertEqual(after, before, "a later policy changes nothing about a decision")
        proof = self.json("decision", "verify")
        self.assertGreaterEqual(proof["decisions"], 3)
        self.assertEqual(proof["differing"], [])
        self.ok("audit", "verify")

    def test_masking_promotions_and_rollbacks_are_proved(self):
        raw = self.json("register", "dataset", "ward/proved", self.file("p.csv", fixtures.patients_csv(40)),
                        "--sensitivity", "special_category")["version"]["ref"]
        self.ok("promote", raw, "--to", "research", "--reason", "study")
        for auc in (0.90, 0.91):
            self.ok("promote", self.model("back", auc), "--to", "staging")
        self.ok("rollback", "back", "--env", "staging", "--reason", "worse")
        self.assertEqual(self.json("decision", "verify")["differing"], [])

    def test_replay_tells_what_flips_and_what_runs(self):
        live, gone = self.model("flips", 0.80), self.model("flips", 0.81)
        self.ok("promote", live, "--to", "staging")
        self.ok("promote", gone, "--to", "staging")
        fine = self.model("flips", 0.99)
        self.ok("promote", fine, "--to", "staging")
        self.ok("rollback", "flips", "--env", "staging", "--to", "v1", "--reason", "test")
        replay = self.ctl("policy", "replay", self.strict, "-o", "json", check=REFUSED).json()
        flips = {(f["target"], f["occasion"]): f for f in replay["flips"] if f["target"].startswith("flips")}
        self.assertEqual(set(flips), {(live, "promote"), (gone, "promote"), (live, "rollback")})
        for flip in flips.values():
            self.assertEqual((flip["before"], flip["after"]), ("pass", "fail"))
            self.assertEqual([g["id"] for g in flip["gates"]], ["auc-floor"])
        self.assertTrue(flips[live, "rollback"]["runs_now"])
        self.assertFalse(flips[gone, "promote"]["runs_now"])
        none = self.ctl("policy", "replay", self.file("same.yaml", fixtures.GATES), "-o", "json").json()
        self.assertEqual(none["flips"], [])

    def test_replay_of_a_policy_nobody_knew(self):
        self.ok("promote", self.model("unknown", 0.9), "--to", "staging")
        other = self.file("other.yaml", STRICT.replace("name: gates", "name: other"))
        replay = self.ctl("policy", "replay", other, "-o", "json").json()
        self.assertEqual(replay["governed"], 0)
        everywhere = self.ctl("policy", "replay", other, "--everywhere", "-o", "json", check=REFUSED).json()
        self.assertEqual(everywhere["governed"], everywhere["decisions"])

    def test_eval_decides_as_if_applied_and_writes_nothing(self):
        ref = self.model("eval", 0.9)
        before = (self.items("audit", "log", "--limit", "0"), self.items("plans", "--limit", "0"))
        self.ctl("policy", "eval", self.strict, ref, "--to", "staging", check=REFUSED)
        verdict = self.ctl("policy", "eval", self.file("lax.yaml", fixtures.GATES), ref, "--to", "staging", "-o", "json")
        self.assertEqual((verdict.code, verdict.json()["verdict"]), (DONE, "pass"))
        self.assertEqual((self.items("audit", "log", "--limit", "0"), self.items("plans", "--limit", "0")), before)

    def test_wrong_inputs(self):
        ref = self.model("wrong", 0.9)
        self.ctl("policy", "eval", self.strict, ref, check=USAGE)
        self.ctl("policy", "eval", self.strict, "nobody@v1", "--to", "staging", check=NOT_FOUND)
        self.ctl("policy", "eval", self.strict, ref, "--to", "nowhere", check=NOT_FOUND)
        self.ctl("policy", "replay", self.file("broken.yaml", "kind: x\n"), check=USAGE)
        self.ctl("policy", "replay", self.strict, "--since", "yesterday-ish", check=USAGE)
        self.ctl("decision", "show", "00000000", check=NOT_FOUND)
        viewer = self.daemon.new_token("victor", "viewer")
        self.ctl("policy", "replay", self.strict, token=viewer, check=AUTHENTICATION)


class ClearanceTest(DaemonCase):
    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.raw = cls.registered("ward/patients", cls.file("patients.csv", fixtures.patients_csv(60)), "special_category")
        cls.masked = cls.json("promote", cls.raw, "--to", "research", "--reason", "study")["masking"]["output"]
        cls.low = cls.daemon.new_token("lena", "viewer", clearance="pseudonymous")
        cls.full = cls.daemon.new_token("fred", "viewer")

    @classmethod
    def registered(cls, name, path, label):
        return cls.json("register", "dataset", name, path, "--sensitivity", label)["version"]["ref"]

    def files(self, ref):
        return self.daemon.api("GET", f"/api/v1/versions/{quote(ref)}/files", token="admin").json["items"]

    def test_bytes_above_it_are_refused_by_every_route(self):
        digest = self.files(self.raw)[0]["digest"]
        for path in (f"/api/v1/blobs/{digest}", f"/api/v1/store/recipe/{digest}"):
            answer = self.daemon.api("GET", path, token=self.low)
            self.assertEqual((answer.status, answer.slug), (403, "clearance_exceeded"), path)
            self.assertEqual(self.daemon.api("GET", path, token=self.full).status, 200, path)
        target = self.work / "refused"
        refused = self.ctl("pull", self.raw, target, token=self.low, check=REFUSED)
        self.assertIn("--masked", refused.text)
        self.assertFalse(target.exists())

    def test_what_is_within_it_is_pulled(self):
        self.ok("pull", self.masked, self.work / "masked", token=self.low)
        self.ok("pull", self.raw, self.work / "raw", token=self.full)

    def test_pull_masked_gives_the_masked_version_and_says_so(self):
        target = self.work / "view"
        pulled = self.ctl("pull", self.raw, target, "--masked", "-o", "json", token=self.low, check=DONE).json()
        self.assertEqual(pulled["ref"], self.masked)
        self.assertNotIn(fixtures.read_csv(fixtures.patients_csv(60))[0]["ssn"], next(target.rglob("*.csv")).read_text())
        own = self.ctl("pull", self.raw, self.work / "own", "--masked", "-o", "json", token=self.full, check=DONE).json()
        self.assertEqual(own["ref"], self.raw, "who may read the version itself gets it")

    def test_without_a_masked_version_the_view_is_refused(self):
        alone = self.registered("ward/alone", self.file("alone.csv", fixtures.patients_csv(5, seed=9)), "special_category")
        self.ctl("pull", alone, self.work / "alone", "--masked", token=self.low, check=REFUSED)

    def test_versions_registered_later_and_trees_are_known(self):
        self.ctl("pull", self.raw, self.work / "first", token=self.low, check=REFUSED)  # the index exists from here on
        later = self.registered("open/later", self.file("later.csv", "a,b\n1,2\n"), "none")
        self.ok("pull", later, self.work / "later", token=self.low)
        folder = self.work / "many"
        folder.mkdir()
        for i in range(300):
            (folder / f"{i}.txt").write_text(f"row {i}\n")
        for label, check in (("none", DONE), ("personal", REFUSED)):
            (folder / "label.txt").write_text(label)
            ref = self.registered(f"open/many-{label}", folder, label)
            self.ctl("pull", ref, self.work / f"tree-{label}", token=self.low, check=check)

    def test_a_file_of_an_open_and_a_closed_version_can_be_read(self):
        shared = "shared,column\n" + "1,2\n" * 2000
        low, high = self.work / "low", self.work / "high"
        for folder, extra in ((low, "x"), (high, "y")):
            folder.mkdir()
            (folder / "shared.csv").write_text(shared)
            (folder / "extra.csv").write_text(extra * 5000)
        open_one = self.registered("mix/open", low, "none")
        self.registered("mix/closed", high, "personal")
        self.ok("pull", open_one, self.work / "mixed", token=self.low)

    def test_a_token_says_its_clearance_and_wrong_words_are_refused(self):
        made = self.ok("token", "create", "tess", "--role", "viewer", "--clearance", "personal", "-o", "json").json()
        self.assertEqual(made["clearance"], "personal")
        self.assertEqual(self.ctl("whoami", "-o", "json", token=self.low, check=DONE).json()["clearance"], "pseudonymous")
        self.ctl("token", "create", "ted", "--role", "viewer", "--clearance", "secret", check=USAGE)
        self.daemon.restart()
        self.ctl("pull", self.raw, self.work / "restarted", token=self.low, check=REFUSED)


if __name__ == "__main__":
    unittest.main()
