"""Garbage collection through real processes: what would go and why, holds, retention, trash, restore, and kill -9."""

import concurrent.futures
import hashlib
import os
import time
import unittest
import urllib.parse

import fixtures
from harness import AUTHENTICATION, CONFLICT, DONE, INTEGRITY, NOT_FOUND, REFUSED, USAGE, DaemonCase, wait_until

NOW = ("--min-age", "0s")  # bytes written a moment ago, too


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class GcCase(DaemonCase):
    settings = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0"}

    @classmethod
    def prepare(cls):
        cls.ok("policy", "apply", cls.file("p/deid.yaml", fixtures.DEID))
        cls.ok("policy", "apply", cls.file("p/gates.yaml", fixtures.GATES))
        cls.ok("env", "apply", cls.file("p/environments.yaml", fixtures.ENVIRONMENTS))

    def make(self, name, content):
        ref = self.json("register", "model", name, self.file(f"{name}/m.bin", content), "--sensitivity", "none")
        return ref["version"]["ref"]

    def delete(self, ref):
        self.ok("delete", ref, "--reason", "not needed", f"--confirm={ref}")

    def run_gc(self, *options):
        return self.json("gc", "run", "--reason", "test", "--yes", *NOW, *options)

    def stored(self, content):
        answer = self.daemon.api("GET", f"/api/v1/blobs/{digest_of(content)}", token="admin")
        return answer.status == 200 and answer.body == content

    def actions(self):
        return [e["action"] for e in self.json("audit", "log", "--limit", "0")]


class CollectionTest(GcCase):
    """One after the other on one store, so each test leaves nothing to collect behind."""

    def tearDown(self):
        self.run_gc("--grace", "0s")
        self.ok("fsck", "--read-data")
        self.ok("audit", "verify")

    def test_plan_names_what_goes_and_why(self):
        gone, kept, stray = (os.urandom(300_000) for _ in range(3))
        ref = self.make("plan", gone)
        self.make("plan", kept)
        self.assertEqual(self.daemon.api("POST", "/api/v1/blobs", stray, token="admin").status, 201)
        self.delete(ref)
        young = self.json("gc", "plan")
        self.assertEqual(young["dead"]["objects"], 0)
        self.assertGreater(young["young"]["bytes"], 600_000)
        plan = self.json("gc", "plan", *NOW)
        groups = {g["why"]: g for g in plan["groups"]}
        self.assertEqual(groups["deleted"]["ref"], f"model:{ref}")
        self.assertEqual(groups["deleted"]["deleted_reason"], "not needed")
        self.assertGreater(groups["deleted"]["dead"]["bytes"], 300_000)
        self.assertGreater(groups["unregistered"]["dead"]["bytes"], 300_000)
        self.assertEqual(sum(g["dead"]["bytes"] for g in plan["groups"]), plan["dead"]["bytes"])
        text = self.ok("gc", "plan", *NOW).stdout
        self.assertIn(f"deleted version model:{ref}", text)
        self.assertIn("not needed", text)
        self.assertIn("uploaded, never registered", text)
        self.assertEqual(self.json("gc", "run", "--dry-run", *NOW)["dead"], plan["dead"])
        self.assertTrue(self.stored(gone), "a plan changes nothing")

    def test_run_needs_a_reason_and_a_yes(self):
        self.ctl("gc", "run", check=USAGE)
        self.ctl("gc", "run", "--reason", "x", check=USAGE)
        self.assertNotIn("gc.start", [e["action"] for e in self.json("audit", "log", "--target", "never")])
        self.ctl("gc", "run", "--reason", "x", "--yes", "--min-age", "soon", check=USAGE)

    def test_run_receipt_and_restore(self):
        gone, kept = os.urandom(300_000), os.urandom(300_000)
        ref = self.make("run", gone)
        self.make("run", kept)
        self.delete(ref)
        run = self.run_gc()
        self.assertEqual(run["state"], "done")
        self.assertEqual([v["ref"] for v in run["receipt"]["versions"]], [f"model:{ref}"])
        self.assertTrue(run["receipt"]["digest"].startswith("sha256:"))
        self.assertGreater(run["trash"]["bytes"], 300_000)
        self.assertFalse(self.stored(gone))
        self.assertTrue(self.stored(kept))
        entry = self.json("audit", "log", "--action", "gc.run", "--target", run["id"])[0]
        self.assertEqual((entry["actor"], entry["reason"]), ("admin", "test"))
        self.assertEqual(entry["changes"][0]["row"], f"gc_runs/{run['id']}")
        runs = self.items("gc", "runs")
        self.assertEqual(runs[0]["id"], run["id"])
        self.assertIn("in the trash until", self.ok("gc", "runs").stdout)
        self.ok("gc", "restore", run["id"], "--dry-run")
        self.assertFalse(self.stored(gone))
        self.ok("gc", "restore", run["id"])
        self.assertTrue(self.stored(gone))
        self.ctl("gc", "restore", run["id"], check=NOT_FOUND)
        self.ctl("gc", "restore", "ffffffff", check=NOT_FOUND)
        self.assertIn("gc.restore", self.actions())

    def test_grace_removes_for_good(self):
        ref = self.make("grace", os.urandom(200_000))
        self.delete(ref)
        run = self.run_gc()
        later = self.run_gc("--grace", "0s")
        self.assertIn(run["trash"]["name"], [s["name"] for s in later["swept"]])
        self.ctl("gc", "restore", run["id"], check=NOT_FOUND)
        self.assertEqual(self.json("gc", "why", ref)["verdict"], "gone")
        self.assertIn("gc.sweep", self.actions())
        self.assertEqual(list((self.daemon.data_dir / "blobs" / "trash").iterdir()), [])

    def test_the_same_bytes_come_back(self):
        content = os.urandom(200_000)
        first = self.make("back", content)
        self.delete(first)
        self.run_gc("--grace", "0s")
        second = self.make("back", content)
        self.assertNotEqual(first, second)
        self.ok("pull", second, self.work / "back-out")
        self.assertEqual((self.work / "back-out" / "m.bin").read_bytes(), content)

    def test_holds_overlap_and_end_one_by_one(self):
        content = os.urandom(200_000)
        ref = self.make("held", content)
        first = self.json("hold", "add", ref, "--case", "2026-17", "--reason", "ombudsman")["id"]
        second = self.json("hold", "add", ref, "--case", "2026-18", "--reason", "court")["id"]
        self.ctl("hold", "add", ref, "--case", "2026-18", "--reason", "again", check=CONFLICT)
        self.ctl("hold", "add", ref, "--reason", "no case", check=USAGE)
        refused = self.ctl("delete", ref, "--reason", "x", f"--confirm={ref}", check=CONFLICT)
        self.assertIn("2026-17, 2026-18", refused.stderr)
        self.ctl("hold", "release", first, check=USAGE)
        self.ok("hold", "release", first, "--reason", "closed")
        self.ctl("delete", ref, "--reason", "x", f"--confirm={ref}", check=CONFLICT)
        self.assertEqual([h["case"] for h in self.items("hold", "list") if h["ref"] == f"model:{ref}"], ["2026-18"])
        self.ok("hold", "release", second, "--reason", "closed")
        self.delete(ref)
        third = self.json("hold", "add", ref, "--case", "2026-19", "--reason", "of a deleted one")
        self.assertTrue(third["whole"])
        self.run_gc("--grace", "0s")
        self.assertTrue(self.stored(content))
        kept = [k for k in self.json("gc", "plan")["kept"] if k["ref"] == f"model:{ref}"]
        self.assertEqual(kept[0]["protections"], [{"kind": "hold", "what": "2026-19", "until": None}])
        self.assertIn("a hold, case 2026-19", self.ok("gc", "why", ref).stdout)
        self.ok("hold", "release", third["id"], "--reason", "closed")
        released = [h for h in self.items("hold", "list", "--all") if h["id"] == third["id"]][0]["released"]
        self.assertEqual((released["by"], released["reason"]), ("admin", "closed"))
        self.run_gc("--grace", "0s")
        self.assertFalse(self.stored(content))

    def test_a_hold_brings_bytes_back_from_the_trash(self):
        content = os.urandom(200_000)
        ref = self.make("rescued", content)
        self.delete(ref)
        run = self.run_gc()
        self.assertFalse(self.stored(content))
        self.assertEqual(self.json("gc", "why", ref)["trash_run"], run["id"])
        hold = self.json("hold", "add", ref, "--case", "2026-20", "--reason", "late")
        self.assertEqual(hold["restored_runs"], [run["id"]])
        self.assertTrue(self.stored(content))
        self.run_gc("--grace", "0s")
        self.assertTrue(self.stored(content))
        self.ok("hold", "release", hold["id"], "--reason", "closed")

    def test_retention_of_a_kind(self):
        content = os.urandom(200_000)
        self.ok("retention", "set", "kind:model", "6y", "--reason", "law")
        self.addCleanup(self.ctl, "retention", "remove", "kind:model")
        ref = self.make("retained", content)
        self.delete(ref)
        self.run_gc("--grace", "0s")
        self.assertTrue(self.stored(content))
        why = self.json("gc", "why", digest_of(content))
        self.assertEqual(why["verdict"], "protected")
        self.assertEqual(why["deleted"]["protections"][0]["what"], "kind:model")
        self.assertIsNotNone(why["deleted"]["protections"][0]["until"])
        self.assertIn("6y", self.ok("retention", "list").stdout)
        self.ok("retention", "remove", "kind:model")
        self.run_gc("--grace", "0s")
        self.assertFalse(self.stored(content))

    def test_retention_of_an_environment(self):
        first, second = os.urandom(200_000), os.urandom(200_000)
        self.ok("retention", "set", "env:clinical", "1h")
        self.addCleanup(self.ctl, "retention", "remove", "env:clinical")
        old = self.make("ran", first)
        self.ok("promote", old, "--to", "clinical", "--reason", "x")
        new = self.make("ran", second)
        self.ok("promote", new, "--to", "clinical", "--reason", "x")
        self.delete(old)
        self.run_gc("--grace", "0s")
        self.assertTrue(self.stored(first))
        self.assertIn("having run in clinical", self.ok("gc", "why", old).stdout)
        self.ok("retention", "set", "env:clinical", "1s")
        wait_until(lambda: self.run_gc("--grace", "0s") and not self.stored(first), 20, "the retention ended")

    def test_rules_are_checked(self):
        self.ctl("retention", "set", "kind:thing", "1d", check=USAGE)
        self.ctl("retention", "set", "env:nowhere", "1d", check=NOT_FOUND)
        self.ctl("retention", "set", "kind:model", "long", check=USAGE)
        self.ctl("retention", "remove", "kind:dataset", check=NOT_FOUND)

    def test_why_goes_down_to_the_chunk(self):
        content = os.urandom(900_000)
        ref = self.make("why/x", content)
        shown = self.json("show", ref)
        manifest = self.json("gc", "why", shown["digest"])
        self.assertEqual([s["kind"] for s in manifest["path"]], ["version", "manifest"])
        why = self.json("gc", "why", digest_of(content))
        self.assertEqual((why["verdict"], why["path"][0]["name"], why["path"][2]["name"]),
                         ("live", f"model:{ref}", "m.bin"))
        text = self.ok("gc", "why", digest_of(content)).stdout
        self.assertIn(f"version model:{ref}", text)
        self.assertIn(f"→ file m.bin {digest_of(content)}", text)
        self.ctl("gc", "why", "sha256:" + "0" * 64, check=NOT_FOUND)
        self.ctl("gc", "why", "sha256:1234", check=USAGE)
        self.ctl("gc", "why", "why/x@v9", check=NOT_FOUND)
        stray = os.urandom(100_000)
        self.daemon.api("POST", "/api/v1/blobs", stray, token="admin")
        self.assertEqual(self.json("gc", "why", digest_of(stray).split(":")[1])["verdict"], "leased")

    def test_a_tree_is_collected_with_its_list(self):
        folder = self.work / "tree"
        for i in range(300):
            path = folder / f"d{i % 7}" / f"f{i}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(200))
        ref = self.json("register", "dataset", "tree", folder, "--sensitivity", "none")["version"]["ref"]
        inside = (folder / "d0" / "f0.bin").read_bytes()
        self.assertEqual([s["kind"] for s in self.json("gc", "why", digest_of(inside))["path"]],
                         ["version", "manifest", "tree", "file"])
        self.run_gc("--grace", "0s")
        self.ok("pull", ref, self.work / "tree-out")
        self.delete(f"dataset:{ref}")
        self.run_gc("--grace", "0s")
        self.assertFalse(self.stored(inside))

    def test_pushes_go_on_meanwhile(self):
        """What is acknowledged while collections run, young or not, is there at the end."""
        def push(i):
            content = hashlib.sha256(str(i % 5).encode()).digest() * 2000
            path = self.file(f"meanwhile/{i}.bin", content)
            done = self.daemon.ctl("register", "model", f"meanwhile/m{i}", path, "--sensitivity", "none")
            return (f"meanwhile/m{i}@v1", content) if done.code == DONE else None

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pushed = [pool.submit(push, i) for i in range(24)]
            while not all(f.done() for f in pushed):
                self.ctl("gc", "run", "--reason", "test", "--yes", *NOW, "--grace", "0s")
        there = [f.result() for f in pushed if f.result()]
        self.assertGreater(len(there), 0)
        for ref, content in there:
            self.assertTrue(self.stored(content), ref)

    def test_scopes(self):
        viewer = self.daemon.new_token("viewer", "viewer")
        for words in (["gc", "plan"], ["gc", "runs"], ["hold", "list"], ["retention", "list"]):
            self.ok(*words, token=viewer)
        self.ctl("gc", "run", "--reason", "x", "--yes", token=viewer, check=AUTHENTICATION)
        self.ctl("gc", "restore", "ffffffff", token=viewer, check=AUTHENTICATION)
        self.ctl("hold", "add", "a@v1", "--case", "1", "--reason", "x", token=viewer, check=AUTHENTICATION)
        self.ctl("retention", "set", "kind:model", "1d", token=viewer, check=AUTHENTICATION)

    def test_every_format(self):
        for words in (["gc", "plan"], ["gc", "runs"], ["hold", "list", "--all"], ["retention", "list"]):
            for form in ("table", "wide", "json", "yaml", "name"):
                self.ok(*words, "-o", form)

    def test_sampled_fsck(self):
        self.make("sampled", os.urandom(100_000))
        report = self.json("fsck", "--sample", "50%")
        self.assertEqual((report["ok"], report["read_data"], report["sample"]), (True, True, 0.5))
        whole = self.json("fsck", "--read-data")
        self.assertEqual(whole["read_objects"], whole["objects"])
        for bad in ("0%", "101%", "5", "x%"):
            self.ctl("fsck", "--sample", bad, check=USAGE)
        for bad in ("0", "1.1", "x", "nan"):
            query = urllib.parse.quote(bad)
            self.assertEqual(self.daemon.api("GET", f"/api/v1/fsck?sample={query}", token="admin").status, 400, bad)


class DamageTest(GcCase):
    def test_a_run_refuses_on_a_damaged_store(self):
        content = os.urandom(50_000)
        ref = self.make("damaged", content)
        gone = os.urandom(50_000)
        other = self.make("other", gone)
        self.delete(other)
        self.daemon.stop()
        for path in (self.daemon.data_dir / "blobs" / "packs").glob("*.pack"):
            data = bytearray(path.read_bytes())
            at = data.find(content[:64])
            if at >= 0:
                data[at] ^= 1
                path.write_bytes(data)
        self.daemon.start()
        self.ctl("fsck", "--read-data", check=INTEGRITY)
        self.assertEqual(self.json("gc", "plan")["damaged"], [f"model:{ref}"])
        refused = self.ctl("gc", "run", "--reason", "x", "--yes", *NOW, check=REFUSED)
        self.assertIn(ref, refused.stderr)
        self.assertTrue(self.stored(gone))
        self.make("healed", content)
        self.run_gc("--grace", "0s")
        self.assertFalse(self.stored(gone))
        self.ok("fsck", "--read-data")


class CrashTest(GcCase):
    def test_kill_9_while_collecting(self):
        """Whenever it dies: what was registered is there, and the next run works."""
        kept = {}
        for i in range(6):
            content = os.urandom(150_000)
            kept[self.make(f"kept/m{i}", content)] = content
        for i in range(8):
            self.delete(self.make(f"crash/m{i}", os.urandom(150_000)))
            pool = concurrent.futures.ThreadPoolExecutor(1)
            run = pool.submit(self.daemon.ctl, "gc", "run", "--reason", "x", "--yes", *NOW, "--grace", "0s")
            time.sleep(0.004 * i)  # another moment each time
            self.daemon.kill9()
            run.result()
            self.daemon.start()
            self.ok("fsck", "--read-data")
            self.ok("audit", "verify")
            for content in kept.values():
                self.assertTrue(self.stored(content))
        self.run_gc("--grace", "0s", "--all")  # also of packs of which little is dead
        self.assertEqual(self.json("gc", "plan", *NOW)["dead"]["objects"], 0)
        for run in self.items("gc", "runs", "--limit", "0"):
            self.assertIn(run["state"], ("done", "interrupted"))


if __name__ == "__main__":
    unittest.main()
