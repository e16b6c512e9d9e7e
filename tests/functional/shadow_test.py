"""Policies and gates in shadow, and policies that speak about labelled versions only: a shadow is evaluated, recorded and
shown wherever a decision is made, and changes neither the decision nor a byte; every decision stays provable."""

import unittest

from harness import DONE, REFUSED, USAGE, DaemonCase

GATES = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: gates, version: %s}
spec:
  select: {kinds: [model]}
%s  gates:
    - {id: auc-floor, metric: {name: auc, min: %s}}
"""
DEID = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: %s}
spec:
  select: {kinds: [dataset]}
%s  classification:
    columns: {mrn: {class: mrn}, note: {class: %s}}
    unknown_column: quarantine
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {tokenize: {vault: research}}}
      - {match: {class: free_text}, apply: {redact: {spans: detected}}}
"""
LABELLED = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: labelled, version: 1.0.0}
spec:
  select: {kinds: [model], labels: {domain: clinical}}
  gates:
    - {id: clinical-floor, metric: {name: auc, min: 0.99}}
"""
ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: staging, clearance: pseudonymous, policies: [gates]}
  - {name: research, clearance: pseudonymous, policies: [deid]}
  - {name: wards, clearance: child, policies: [labelled]}
  - {name: yearly, clearance: pseudonymous, policies: [yearly]}
"""
SHADOW = "  enforcement: {shadow: {policy: %s, until: 2099-12-31}}\n"


class ShadowTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.candidate = cls.file("next.yaml", GATES % ("2.0.0-rc1", "", "0.95"))
        cls.live = cls.file("gates.yaml", GATES % ("1.0.0", SHADOW % "gates@2.0.0-rc1", "0.7"))
        # A shadow nobody gave to the server is refused before it is relied on.
        refused = cls.ctl("policy", "apply", cls.live, check=USAGE)
        assert "shadow_unknown" in refused.text or "does not have" in refused.text, refused
        cls.ok("policy", "apply", "--candidate", cls.candidate)
        cls.ok("policy", "apply", cls.live)
        cls.ok("policy", "apply", cls.file("labelled.yaml", LABELLED))
        cls.ok("policy", "apply", "--candidate", cls.file("deid2.yaml", DEID % ("2.0.0", "", "category")))
        cls.ok("policy", "apply", cls.file("deid.yaml", DEID % ("1.0.0", SHADOW % "deid@2.0.0", "free_text")))
        yearly = (DEID % ("1.0.0", "", "free_text")).replace("name: deid", "name: yearly").replace("research", "years")
        cls.ok("policy", "apply", cls.file("yearly.yaml", yearly))
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))

    def model(self, name, auc, *more):
        path = self.file(f"{name}-{auc}.bin", f"{name} {auc}")
        return self.json("register", "model", name, path, "--metric", f"auc={auc}", "--sensitivity", "none",
                         *more)["version"]["ref"]

    def grown(self):
        return self.items("audit", "log", "--action", "vault.grow", "--limit", "0")

    def test_a_candidate_is_in_force_nowhere(self):
        applied = {policy["name"]: policy["version"] for policy in self.items("policy", "list")}
        self.assertEqual(applied["gates"], "1.0.0")
        again = self.json("policy", "apply", "--candidate", self.candidate)
        self.assertEqual(again["change"], "unchanged")
        self.ok("audit", "verify")

    def test_a_shadow_says_what_it_would_have_said_and_decides_nothing(self):
        middling, good = self.model("shadowed", 0.8), self.model("shadowed", 0.97)
        promotion = self.json("promote", middling, "--to", "staging")
        self.assertEqual(promotion["plan"]["verdict"], "pass")
        (shadow,) = promotion["plan"]["shadow"]
        self.assertEqual((shadow["policy"], shadow["beside"], shadow["verdict"], shadow["flips"]),
                         ("gates@2.0.0-rc1", "gates", "fail", True))
        self.assertEqual([(g["id"], g["verdict"]) for g in shadow["gates"]], [("auc-floor", "fail")])
        record = self.json("decision", "show", promotion["plan"]["id"])
        self.assertTrue(record["proved"])
        self.assertEqual(record["decision"], "allow")
        self.assertEqual(record["shadow"], [shadow])
        said = self.ok("promote", good, "--to", "staging")
        self.assertIn("shadow gates@2.0.0-rc1 beside gates: would be pass, as decided", said.text)
        evaluated = self.ctl("policy", "eval", self.live, middling, "--to", "staging", check=DONE)
        self.assertIn("would be fail, another verdict", evaluated.text)
        # What refuses without a shadow refuses with it.
        bad = self.ctl("promote", self.model("shadowed", 0.1), "--to", "staging", check=REFUSED)
        self.assertIn("below 0.7", bad.text)
        # A decision is proved with the shadow of then, whatever stands in shadow now.
        before = self.json("decision", "show", promotion["plan"]["id"])
        self.ok("policy", "apply", self.file("plain.yaml", GATES % ("1.0.1", "", "0.7")))
        self.addCleanup(self.ok, "policy", "apply", self.live)
        self.assertEqual(self.json("decision", "show", promotion["plan"]["id"]), before)
        self.assertEqual(self.json("decision", "verify")["differing"], [])

    def test_a_plan_outlives_a_change_of_what_its_shadow_says(self):
        plan = self.json("plan", self.model("planned", 0.8), "--to", "staging")
        self.assertEqual([s["verdict"] for s in plan["shadow"]], ["fail"])
        # The same name and version with another text: the newest counts.
        self.ok("policy", "apply", "--candidate", self.file("laxer.yaml", GATES % ("2.0.0-rc1", "", "0.75")))
        again = self.json("plans", plan["id"])
        self.assertEqual((again["state"], [s["verdict"] for s in again["shadow"]]), ("open", ["pass"]))
        self.ok("promote", "--plan", plan["id"])
        self.assertEqual(self.json("decision", "verify")["differing"], [])
        self.ok("policy", "apply", "--candidate", self.file("back.yaml", GATES % ("2.0.0-rc1", "# back\n", "0.95")))

    def test_masking_is_tried_with_the_shadow_and_its_bytes_are_those_of_the_policy(self):
        table = self.file("t.csv", "mrn,note\nMRN-0000001,seen by Dr. John Miller at 555-867-5309\n")
        refs = [self.json("register", "dataset", name, table, "--sensitivity", "personal")["version"]["ref"]
                for name in ("tried", "alone")]
        grown = self.grown()
        promotion = self.json("promote", refs[0], "--to", "research", "--reason", "study")
        shadow = promotion["masking"]["shadow"]
        self.assertEqual((shadow["policy"], shadow["verdict"]), ("deid@2.0.0", "fail"))
        self.assertTrue(shadow["refused_by"])
        self.assertNotIn("Miller", str(shadow))
        self.assertEqual(len(self.grown()) - len(grown), 1, "a trial leaves no token behind")
        self.assertEqual(self.grown()[0]["reason"], "1 tokens")
        keys = promotion["masking"]["columns"]
        self.assertEqual({c["key"] for c in keys if "key" in c}, {"research.1"})
        facts = self.json("decision", "show", promotion["plan"]["id"])["facts"]
        self.assertEqual(facts["members"][0]["keys"], ["research.1"])
        # The same data without a shadow: the same bytes but for the random tokens of another dataset.
        self.ok("policy", "apply", self.file("deid-plain.yaml", DEID % ("1.0.0", "", "free_text")))
        self.addCleanup(self.ok, "policy", "apply", self.work / "deid.yaml")
        other = self.json("promote", refs[1], "--to", "research", "--reason", "study")
        self.assertNotIn("shadow", other["masking"])
        texts = []
        for index, out in enumerate((promotion["masking"]["output"], other["masking"]["output"])):
            self.ok("pull", out, self.work / f"out{index}")
            texts.append((self.work / f"out{index}" / "t.csv").read_text().split(",", 2)[2])
        self.assertEqual(texts[0], texts[1])

    def test_key_versions_are_facts_of_a_decision_also_after_a_rotation(self):
        def keys(plan):
            return self.json("decision", "show", plan["id"])["facts"]["members"][0]["keys"]

        def wish(command, ref):
            return self.json(command, ref, "--to", "yearly", "--reason", "x")

        refs = [self.json("register", "dataset", "keyed", self.file(f"k{i}/k.csv", f"mrn,note\nMRN-000000{i},fine\n"),
                          "--sensitivity", "personal")["version"]["ref"] for i in (1, 2)]
        first = wish("plan", refs[0])
        self.assertEqual(keys(first), ["years.1"], "what it would be, though nothing used the key yet")
        self.assertEqual(keys(wish("promote", refs[0])["plan"]), ["years.1"])
        planned = wish("plan", refs[1])
        self.ok("key", "rotate", "years", "--reason", "yearly")
        done = wish("promote", refs[1])
        self.assertEqual(keys(done["plan"]), ["years.2"])
        self.assertEqual(keys(planned), ["years.1"])
        again = wish("plan", done["masking"]["output"])
        self.ok("key", "rotate", "years", "--reason", "yearly")
        self.assertEqual(keys(again), ["years.2"])
        self.assertEqual(self.json("decision", "verify")["differing"], [])

    def test_a_gate_in_shadow_refuses_nothing_until_its_day(self):
        text = GATES % ("1.0.0", "  enforcement: {shadow: {gates: [auc-floor], until: %s}}\n", "0.7")
        text = text.replace("name: gates", "name: reporting")
        self.ok("policy", "apply", self.file("reporting.yaml", text % "2099-12-31"))
        self.ok("env", "apply", self.file("more.yaml", ENVIRONMENTS + "  - {name: beta, clearance: child, policies: [reporting]}\n"))
        promotion = self.json("promote", self.model("reported", 0.1), "--to", "beta")
        (gate,) = [g for g in promotion["plan"]["gates"] if g["id"] == "auc-floor"]
        self.assertEqual((gate["verdict"], gate["facts"]["shadow"]), ("pass", "fail"))
        self.assertIn("shadow: would be fail", gate["reason"])
        self.ok("policy", "apply", self.file("ended.yaml", text % "2020-01-31"))
        self.ctl("promote", self.model("reported", 0.2), "--to", "beta", check=REFUSED)
        self.assertEqual(self.json("decision", "verify")["differing"], [])

    def test_a_policy_selects_by_labels_and_a_replay_sees_those_of_then(self):
        other = self.model("plain", 0.5)
        self.ok("promote", other, "--to", "wards")
        clinical = self.model("ward-model", 0.5, "--label", "domain=clinical")
        refused = self.ctl("promote", clinical, "--to", "wards", check=REFUSED)
        self.assertIn("clinical-floor", refused.text)
        self.ok("label", clinical, "domain=research")
        plan = self.json("promote", clinical, "--to", "wards")["plan"]
        self.ok("label", clinical, "domain=clinical")
        self.assertEqual(self.json("decision", "verify")["differing"], [])
        record = self.json("decision", "show", plan["id"])
        self.assertEqual(record["facts"]["members"][0]["labels"]["domain"], "research")
        self.assertNotIn("clinical-floor", [g["id"] for g in record["gates"]])
        replay = self.ctl("policy", "replay", self.file("all.yaml", LABELLED.replace(", labels: {domain: clinical}", "")),
                          "-o", "json", check=REFUSED).json()
        self.assertIn(other, {flip["target"] for flip in replay["flips"]})


if __name__ == "__main__":
    unittest.main()
