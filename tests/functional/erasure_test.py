"""One person leaves: found by fingerprint, approved by two people, rewritten, remasked, collected, proved; and what must
not happen on the way: half a quorum, a stale plan, a promoted model, an id in any file, log or output."""

import hashlib
import unittest

import fixtures
from harness import (AUTHENTICATION, CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, Daemon, DaemonCase, wait_until)

PSEUDO = fixtures.DEID.replace(
    "- {match: {class: mrn}, apply: {suppress: {}}}", "- {match: {class: mrn}, apply: {pseudonymize: {key: research}}}").replace(
    "  extends: [pack/hipaa-safe-harbor]\n", "").replace(
    "  transforms:\n", "  transforms:\n    keys: {research: {purpose: pseudonymisation}}\n") + "  output: {sensitivity: pseudonymous}\n"

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: clinical, clearance: special_category}
  - {name: research, clearance: pseudonymous, policies: [deid]}
"""


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class ErasureCase(DaemonCase):
    settings = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0"}

    @classmethod
    def prepare(cls):
        cls.ok("policy", "apply", cls.file("p/deid.yaml", PSEUDO))
        cls.ok("env", "apply", cls.file("p/environments.yaml", ENVIRONMENTS))
        cls.vera, cls.otto = (cls.daemon.new_token(name, "approver") for name in ("vera", "otto"))

    @classmethod
    def register(cls, kind, name, path, *options):
        return cls.json("register", kind, name, path, *options)["version"]["ref"]

    def plan(self, *ids, name_space=None, check=DONE, options=()):
        words = ["erase", "plan", "--subject-file", "-", "--reason", "request 17", "-o", "json", *options]
        if name_space:
            words += ["--namespace", name_space]
        result = self.ctl(*words, stdin="\n".join(ids).encode(), check=check)
        return result.json() if check == DONE else result

    def approve(self, erasure):
        for token in (self.vera, self.otto):
            self.ok("erase", "approve", erasure["id"], "--reason", "identity checked", token=token)

    def apply(self, erasure, check=DONE):
        result = self.ctl("erase", "apply", erasure["id"], "--yes", "-o", "json", check=check)
        return result.json() if check == DONE else result

    def erase(self, *ids, **options):
        erasure = self.plan(*ids, **options)
        self.approve(erasure)
        return self.apply(erasure)

    def steps(self, erasure):
        return {step["ref"]: step["action"] for step in erasure["steps"]}

    def outcome(self, erasure):
        return {item["ref"]: item for item in erasure["items"]}

    def pulled(self, ref, name):
        folder = self.work / "pulled" / name
        self.ok("pull", ref, folder)
        return next(folder.rglob("*.csv")).read_bytes()

    def assert_sound(self):
        self.ok("audit", "verify")
        self.ok("fsck", "--read-data")

    def assert_nowhere(self, *needles):
        """In no file of the data directory, no log, no output. Packs hold compressed chunks: tests/unit reads those."""
        for path in self.daemon.data_dir.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            for needle in needles:
                self.assertNotIn(needle.encode(), content, f"{path.name} holds {len(needle)} bytes of a person")
        for text in (self.daemon.log_path.read_bytes(), b"\n".join(self.daemon.outputs)):
            for needle in needles:
                self.assertNotIn(needle.encode(), text)


class StoryTest(ErasureCase):
    """From a hospital's table over its masked copy to a model that runs."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.rows = fixtures.read_csv(fixtures.patients_csv(400))
        cls.person = dict(cls.rows[123])
        cls.rows.insert(300, dict(cls.person, note="seen again"))
        cls.table = fixtures.write_csv(cls.rows).encode()
        cls.raw = cls.register("dataset", "ward/patients", cls.file("patients.csv", cls.table), "--sensitivity",
                               "special_category")
        cls.ok("subject-key", "set", "ward/patients", "MRN ")
        cls.ok("alias", cls.raw, "current")
        cls.ok("promote", cls.raw, "--to", "clinical", "--reason", "ward")
        cls.masked = cls.json("promote", cls.raw, "--to", "research", "--reason", "study")["masking"]["output"]
        folder = cls.work / "deid"
        cls.ok("pull", cls.masked, folder)
        cls.masked_rows = fixtures.read_csv(next(folder.rglob("*.csv")).read_text())
        # Somebody outside makes a training set of the masked copy and registers it without saying where it is from.
        cls.train = cls.register("dataset", "study/train", cls.file("train.csv", fixtures.write_csv(cls.masked_rows)),
                                 "--sensitivity", "pseudonymous")
        cls.ok("subject-key", "set", "study/train", "mrn", "--pseudonyms-of", "ward/patients-deid")
        cls.model = cls.register("model", "study/model", cls.file("model.bin", b"w" * 1000), "--input", cls.train)
        cls.ok("promote", cls.model, "--to", "research", "--reason", "study")
        cls.bystander = cls.register("model", "other/model", cls.file("other.bin", b"o" * 1000), "--sensitivity", "none")
        cls.old_packs = {p.name for p in cls.daemon.data_dir.rglob("*.pack")}
        cls.planned = cls.ctl("erase", "plan", "--subject-file", "-", "--reason", "request 17", "-o", "json",
                              stdin=(cls.person["mrn"] + "\n").encode(), check=DONE).json()
        assert cls.ctl("erase", "apply", cls.planned["id"], "--yes").code == REFUSED  # nobody approved yet
        assert cls.ctl("erase", "approve", cls.planned["id"], "--reason", "me").code == AUTHENTICATION  # who asked
        cls.ok("erase", "approve", cls.planned["id"], "--reason", "checked", token=cls.vera)
        assert cls.ctl("erase", "apply", cls.planned["id"], "--yes").code == REFUSED  # one is not two
        cls.ok("erase", "approve", cls.planned["id"], "--reason", "checked", token=cls.otto)
        cls.ok("erase", "apply", cls.planned["id"], "--dry-run")
        cls.applied = cls.json("erase", "apply", cls.planned["id"], "--yes")
        cls.running = {(d["environment"], d["ref"]) for d in cls.items("status")}

    def test_plan_names_what_each_version_needs(self):
        self.assertEqual(self.steps(self.planned),
                         {f"dataset:{self.raw}": "rewrite", f"dataset:{self.masked}": "remask",
                          f"dataset:{self.train}": "rewrite", f"model:{self.model}": "decide"})
        by_ref = {s["ref"]: s for s in self.planned["steps"]}
        self.assertEqual(by_ref[f"dataset:{self.raw}"]["rows"], 2)
        self.assertEqual(by_ref[f"dataset:{self.raw}"]["environments"], ["clinical"])
        self.assertEqual(by_ref[f"dataset:{self.masked}"]["environments"], ["research"])
        self.assertEqual(by_ref[f"model:{self.model}"]["environments"], ["research"])
        self.assertEqual({s["namespace"] for s in self.planned["subject"]}, {"subject", "pseudonym:ward/patients-deid"})

    def test_rewritten_rows(self):
        items = self.outcome(self.applied)
        replacement = items[f"dataset:{self.raw}"]["replacement"]
        lines = self.table.splitlines(keepends=True)
        expected = b"".join(line for line in lines if not line.startswith(self.person["mrn"].encode() + b","))
        self.assertEqual(len(lines) - expected.count(b"\n"), 2)
        self.assertEqual(self.pulled(replacement, "raw"), expected, "all other bytes are as they were")
        masked = fixtures.read_csv(self.pulled(items[f"dataset:{self.masked}"]["replacement"], "masked").decode())
        kept = [row for row, raw in zip(self.masked_rows, self.rows) if raw["mrn"] != self.person["mrn"]]
        self.assertEqual(masked, kept, "masking again gives the same pseudonyms to everybody else")
        train = fixtures.read_csv(self.pulled(items[f"dataset:{self.train}"]["replacement"], "train").decode())
        self.assertEqual(train, kept)

    def test_tombstones_aliases_and_what_runs(self):
        for ref in (self.raw, self.masked, self.train):
            shown = self.json("show", f"dataset:{ref}")
            self.assertEqual(shown["deleted"]["reason"], "erasure " + self.planned["id"])
        items = self.outcome(self.applied)
        fresh = items[f"dataset:{self.raw}"]["replacement"].split(":")[1]
        self.assertEqual(self.json("show", "ward/patients@current")["ref"], fresh)
        masked = items[f"dataset:{self.masked}"]["replacement"].split(":")[1]
        self.assertEqual(self.running, {("clinical", fresh), ("research", masked), ("research", self.model)})
        self.assertEqual(self.json("show", masked)["masked_from"], fresh)
        edges = self.json("lineage", fresh, "--up")["edges"]
        self.assertIn("erased", {edge["role"] for edge in edges})

    def test_bytes_are_gone(self):
        for content in (self.table, fixtures.write_csv(self.masked_rows).encode()):
            self.assertEqual(self.daemon.api("GET", f"/api/v1/blobs/{sha256(content)}", token="admin").status, 404)
            self.assertEqual(self.json("gc", "why", sha256(content))["verdict"], "gone")
        self.assertEqual({p.name for p in self.daemon.data_dir.rglob("*.pack")} & self.old_packs, set(),
                         "packs that held the person are written again")
        self.assertEqual([p for p in (self.daemon.data_dir / "blobs").rglob("*") if "trash" in str(p) and p.is_file()], [])

    def test_the_person_is_nowhere(self):
        for options in ((), ("-o", "wide"), ("-o", "yaml")):
            self.ok("erase", "status", self.planned["id"], *options)
            self.ok("erase", "receipt", self.planned["id"], *options)
            self.ok("erase", "list", *options)
        self.ok("audit", "log", "--limit", "0", "-o", "json")
        self.assert_nowhere(self.person["mrn"], self.person["ssn"], self.person["email"])
        index = list((self.daemon.data_dir / "erasure").iterdir())
        self.assertTrue(all(sha256(self.table)[7:] not in path.name for path in index))

    def test_the_same_bytes_do_not_come_back(self):
        result = self.ctl("register", "dataset", "ward/again", self.work / "patients.csv", "--sensitivity",
                          "special_category")
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("erased", result.text)

    def test_another_search_finds_nobody(self):
        result = self.plan(self.person["mrn"], check=NOT_FOUND)
        self.assertIn("none of", result.text)
        self.assertNotIn(self.person["mrn"], result.text)

    def test_receipt(self):
        answer = self.json("erase", "receipt", self.planned["id"][:13])
        self.assertTrue(answer["sound"])
        receipt = answer["receipt"]
        self.assertEqual([one["by"] for one in receipt["approvals"]], ["vera", "otto"])
        by_ref = {item["version"]: item for item in receipt["items"]}
        raw = by_ref[f"dataset:{self.raw}"]
        self.assertEqual((raw["rows"], raw["state"]), (2, "done"))
        self.assertEqual(raw["after"], self.json("show", raw["replacement"])["digest"])
        self.assertEqual(receipt["not_erased"], [])
        entries = self.daemon.api("GET", "/api/v1/audit?action=erasure.done&limit=1000", token="admin").json["items"]
        self.assertIn("receipt " + answer["digest"], [entry["reason"] for entry in entries])
        self.assert_sound()

    def test_applying_again_changes_nothing(self):
        before = self.json("audit", "verify")["entries"]
        self.assertEqual(self.json("erase", "apply", self.planned["id"], "--yes")["state"], "done")
        self.assertEqual(self.json("audit", "verify")["entries"], before)

    def test_the_model_is_blocked_until_somebody_decides(self):
        def gate(ref):
            plan = self.ctl("plan", ref, "--to", "research", "-o", "json").json()
            return next(g for g in plan["gates"] if g["kind"] == "erasure")
        denied = gate(self.model)
        self.assertEqual(denied["verdict"], "fail")
        self.assertIn("erase decide", denied["would_pass_if"])
        self.assertEqual(gate(self.bystander)["verdict"], "pass")
        tuned = self.register("model", "study/tuned", self.file("tuned.bin", b"t" * 1000), "--input", f"base={self.model}")
        self.assertEqual(gate(tuned)["verdict"], "fail", "made from it after the erasure")
        same = self.register("model", "study/model", self.file("worse.bin", b"x" * 1000), "--input", f"base={self.model}")
        self.ctl("erase", "decide", self.model, "--retrained-as", same, token=self.vera, check=REFUSED)
        fresh_data = self.outcome(self.applied)[f"dataset:{self.train}"]["replacement"]
        fresh = self.register("model", "study/model", self.file("fresh.bin", b"f" * 1000), "--input", fresh_data)
        self.ctl("erase", "decide", self.model, "--assessed", "not a digest", token=self.vera, check=USAGE)
        self.ctl("erase", "decide", self.model, "--accept", "x", "--assessed", "y", token=self.vera, check=USAGE)
        self.ok("erase", "decide", self.model, "--retrained-as", fresh, token=self.vera)
        self.assertIn(fresh, gate(self.model)["would_pass_if"])
        self.assertEqual(gate(fresh)["verdict"], "pass")
        self.ok("promote", fresh, "--to", "research", "--reason", "without the person")
        self.assertEqual(self.ctl("rollback", "study/model", "--env", "research", "--reason", "no").code, REFUSED)
        self.ok("erase", "decide", tuned, "--accept", "only its vocabulary is used", token=self.vera)
        self.assertEqual(gate(tuned)["verdict"], "pass")
        self.assert_sound()


class RulesTest(ErasureCase):
    """Each test has its own people and datasets."""

    def people(self, name, *ids, extra=""):
        rows = "".join(f"{one},value of {one}{extra}\n" for one in ids)
        ref = self.register("dataset", name, self.file(f"{name}.csv", "id,v\n" + rows), "--sensitivity", "personal")
        self.ok("subject-key", "set", name, "id", "--namespace", name)
        return ref

    def test_wrong_words(self):
        self.people("words", "w-1", "w-2")
        self.assertIn("no_subject_key", self.ctl("erase", "plan", "--subject-file", "-", "--reason", "r", "--namespace",
                                                 "nobodys", "-o", "json", stdin=b"w-1", check=NOT_FOUND).text)
        self.plan("w-3", name_space="words", check=NOT_FOUND)
        self.plan("W-1", name_space="words", check=NOT_FOUND)  # another person, perhaps
        leak = self.ctl("erase", "plan", "--subject-file", "-", "--reason", "about w-1", "--namespace", "words",
                        stdin=b"w-1", check=USAGE)
        self.assertNotIn("w-1", leak.stdout + leak.stderr.replace("about w-1", ""))
        self.ctl("erase", "plan", "--reason", "r", check=USAGE)
        self.ctl("erase", "plan", "w-1", check=USAGE)
        self.ctl("erase", "plan", "--subject-file", "-", "--reason", "r", stdin=b" \n", check=USAGE)
        self.ctl("erase", "status", "00000000", check=NOT_FOUND)
        self.ctl("subject-key", "set", "no-such-dataset", "id", check=NOT_FOUND)
        erasure = self.plan("w-1", name_space="words")
        self.assertEqual(self.ctl("erase", "apply", erasure["id"]).code, USAGE)  # without --yes
        self.ctl("erase", "receipt", erasure["id"], check=NOT_FOUND)
        viewer = self.daemon.new_token("eve", "viewer")
        robot = self.daemon.new_token("robot", "approver", human=False)
        self.ctl("erase", "approve", erasure["id"], "--reason", "r", token=viewer, check=AUTHENTICATION)
        self.ctl("erase", "approve", erasure["id"], "--reason", "r", token=robot, check=AUTHENTICATION)
        self.ctl("erase", "apply", erasure["id"], "--yes", token=self.vera, check=AUTHENTICATION)
        self.ok("erase", "reject", erasure["id"], "--reason", "no proof of identity", token=self.otto)
        self.apply(erasure, check=CONFLICT)

    def test_a_plan_goes_stale(self):
        self.people("stale", "s-1", "s-2")
        erasure = self.plan("s-1", name_space="stale")
        self.approve(erasure)
        self.people("stale", "s-1", "s-2", "s-3")
        self.assertIn("stale", self.apply(erasure, check=CONFLICT).text)
        self.assertEqual(self.json("erase", "status", erasure["id"])["state"], "stale")
        again = self.erase("s-1", name_space="stale")
        self.assertEqual(set(self.steps(again).values()), {"rewrite"})
        self.assertEqual(len(again["items"]), 2)

    def test_a_hold_beats_it(self):
        held = self.people("held", "h-1", "h-2")
        hold = self.json("hold", "add", held, "--case", "2026-17", "--reason", "court")["id"]
        done = self.erase("h-1", name_space="held")
        self.assertEqual(self.outcome(done)[f"dataset:{held}"]["state"], "kept")
        receipt = self.json("erase", "receipt", done["id"])["receipt"]
        self.assertEqual([one["what"] for one in receipt["not_erased"]], [f"dataset:{held}"])
        self.assertIsNone(self.json("show", held)["deleted"])
        result = self.ctl("promote", held, "--to", "clinical", "--reason", "r", check=REFUSED)
        self.assertIn("erasure", result.text)
        self.ok("hold", "release", hold, "--reason", "over")
        again = self.erase("h-1", name_space="held")
        fresh = self.outcome(again)[f"dataset:{held}"]["replacement"]
        self.ok("promote", fresh, "--to", "clinical", "--reason", "r")
        self.assertEqual(self.pulled(fresh, "held"), b"id,v\nh-2,value of h-2\n")

    def test_retention_does_not(self):
        ref = self.people("retained", "r-1", "r-2")
        self.ok("retention", "set", "kind:dataset", "6y")
        try:
            self.erase("r-1", name_space="retained")
            content = b"id,v\nr-1,value of r-1\nr-2,value of r-2\n"
            self.assertEqual(self.json("gc", "why", sha256(content))["verdict"], "gone")
            self.assertTrue(self.json("show", ref)["deleted"])
        finally:
            self.ok("retention", "remove", "kind:dataset")

    def test_deleted_and_in_the_trash(self):
        """A deleted version whose bytes are here, one in the trash, the same bytes under another name."""
        first = self.people("layers", "l-1", "l-2", extra="#1")
        second = self.people("layers", "l-1", "l-2", extra="#2")
        third = self.people("layers", "l-1", "l-2", extra="#3")
        twin = self.register("dataset", "twin", self.work / "layers.csv", "--sensitivity", "personal")
        self.ok("delete", first, "--reason", "old", f"--confirm={first}")
        self.ok("gc", "run", "--reason", "r", "--yes", "--min-age", "0s", "--all")
        self.ok("delete", second, "--reason", "old", f"--confirm={second}")
        erasure = self.plan("l-1", name_space="layers")
        self.assertEqual(self.steps(erasure), {f"dataset:{second}": "shred", f"dataset:{third}": "rewrite",
                                               f"dataset:{twin}": "rewrite"})
        self.assertGreaterEqual(erasure["trash_runs"], 1)
        self.approve(erasure)
        self.apply(erasure)
        self.assertTrue(all(run["trash"] is None for run in self.items_of_runs()))
        for extra in ("#1", "#2", "#3"):
            content = f"id,v\nl-1,value of l-1{extra}\nl-2,value of l-2{extra}\n".encode()
            self.assertEqual(self.json("gc", "why", sha256(content))["verdict"], "gone")
        self.assert_sound()

    def items_of_runs(self):
        return self.daemon.api("GET", "/api/v1/gc/runs", token="admin").json["items"]

    def test_nothing_else_is_in_it(self):
        ref = self.people("alone", "a-1")
        self.ok("promote", ref, "--to", "clinical", "--reason", "r")
        done = self.erase("a-1", name_space="alone")
        self.assertEqual(self.steps(done), {f"dataset:{ref}": "shred"})
        self.assertEqual(self.outcome(done)[f"dataset:{ref}"]["detail"]["environments"], ["clinical"])
        self.assertEqual([d for d in self.daemon.api("GET", "/api/v1/status?name=alone", token="admin").json["items"]], [])

    def test_shred_mode_and_files_that_cannot_be_searched(self):
        folder = self.work / "mixed"
        folder.mkdir()
        (folder / "people.csv").write_text("id,v\nm-1,a\nm-2,b\n")
        (folder / "codes.csv").write_text("code,text\n1,x\n")
        (folder / "picture.bin").write_bytes(bytes(range(256)) * 4)
        ref = self.register("dataset", "mixed", folder, "--sensitivity", "personal", "--subject-key", "V")
        self.assertIn(("mixed", "v", "subject"), [(k["name"], k["column"], k["namespace"])
                                                  for k in self.items("subject-key", "list")])
        self.ok("subject-key", "remove", "mixed", "v")
        self.ok("subject-key", "set", "mixed", "ID", "--namespace", "mixed")
        erasure = self.plan("m-1", name_space="mixed", options=["--shred"])
        self.assertEqual(self.steps(erasure), {f"dataset:{ref}": "shred"})
        unsearched = {f["path"]: f["why"] for f in erasure["steps"][0]["unsearched"]}
        self.assertEqual(set(unsearched), {"codes.csv", "picture.bin"})
        self.assertEqual(unsearched["codes.csv"], "column_missing")
        rewritten = self.erase("m-1", name_space="mixed")
        fresh = self.outcome(rewritten)[f"dataset:{ref}"]["replacement"]
        self.assertEqual({f["path"] for f in self.json("show", fresh)["files"]},
                         {"people.csv", "codes.csv", "picture.bin"})

    def test_several_ids_of_one_person(self):
        self.people("many", "x-1", "y-1", "z-1")
        done = self.erase("x-1", "z-1", name_space="many")
        fresh = done["items"][0]["replacement"]
        self.assertEqual(self.pulled(fresh, "many"), b"id,v\ny-1,value of y-1\n")
        second = self.erase("y-1", name_space="many")  # the version before holds them, too, and is gone
        self.assertEqual(set(self.steps(second).values()), {"shred"})

    def test_a_model_of_a_forerunner(self):
        """Trained before the first erasure, on rows of a person who is erased in the second."""
        first = self.people("fore", "f-1", "f-2", "f-3")
        model = self.register("model", "fore-model", self.file("fore.bin", b"m" * 99), "--input", first)
        self.erase("f-1", name_space="fore")
        second = self.plan("f-2", name_space="fore")
        self.assertEqual(self.steps(second)[f"model:{model}"], "decide")


class CrashTest(unittest.TestCase):
    """kill -9 while an erasure is applied: the next application goes on, and nothing is half-done in the end."""

    KILLS = 6

    def setUp(self):
        self.daemon = Daemon(settings={"MLOPSD_STORE_LOW_WATER_PERCENT": "0"})
        self.addCleanup(self.daemon.close)
        self.work = self.daemon.root / "work"
        self.work.mkdir()

    def ok(self, *words, **options):
        return self.daemon.ctl(*words, check=DONE, **options)

    def test_kill_while_applying(self):
        tokens = [self.daemon.new_token(name, "approver") for name in ("vera", "otto")]
        names = [f"set{i}" for i in range(8)]
        for name in names:
            path = self.work / f"{name}.csv"
            path.write_text("id,v\n" + "".join(f"p-{i},{name} {i}\n" for i in range(20_000)))
            self.ok("register", "dataset", name, path, "--sensitivity", "personal")
            self.ok("subject-key", "set", name, "id")
        erasure = self.ok("erase", "plan", "--subject-file", "-", "--reason", "r", "-o", "json", stdin=b"p-77").json()
        self.assertEqual(len(erasure["steps"]), len(names))
        for token in tokens:
            self.ok("erase", "approve", erasure["id"], "--reason", "r", token=token)
        states = set()
        for kill in range(self.KILLS):
            self.start_applying(erasure["id"])
            wait_until(lambda: self.done_items(erasure["id"]) > kill or self.state(erasure["id"]) == "done", 60,
                       "another version is done")
            self.daemon.kill9()
            self.daemon.start()
            states.add(self.state(erasure["id"]))
            if "done" in states:
                break
        self.assertIn("interrupted", states)
        done = self.ok("erase", "apply", erasure["id"], "--yes", "-o", "json", timeout_s=300).json()
        self.assertEqual(done["state"], "done")
        self.assertEqual({item["state"] for item in done["items"]}, {"done"})
        for name in names:
            folder = self.work / f"out-{name}"
            self.ok("pull", f"{name}@v2", folder)
            text = next(folder.rglob("*.csv")).read_text()
            self.assertNotIn("\np-77,", text)
            self.assertEqual(text.count("\n"), 20_000)
            self.daemon.ctl("show", f"{name}@v3", check=NOT_FOUND)
        self.ok("audit", "verify")
        self.ok("fsck", "--read-data")
        self.daemon.ctl("erase", "plan", "--subject-file", "-", "--reason", "r", stdin=b"p-77", check=NOT_FOUND)

    def start_applying(self, erasure):
        """Sends the request and does not wait for the answer."""
        connection = self.daemon.connect()
        connection.request("POST", f"/api/v1/erasures/{erasure}/apply", body=b"{}",
                           headers={"Authorization": "Bearer " + self.daemon.admin_token,
                                    "Content-Type": "application/json"})
        self.addCleanup(connection.close)

    def erasure(self, erasure):
        return self.daemon.api("GET", f"/api/v1/erasures/{erasure}", token="admin").json

    def state(self, erasure):
        return self.erasure(erasure)["state"]

    def done_items(self, erasure):
        return sum(item["state"] == "done" for item in self.erasure(erasure)["items"])


if __name__ == "__main__":
    unittest.main()
