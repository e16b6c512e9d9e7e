"""Backups: the whole drill to a machine that knows nothing, what each run adds, and what kills and damage do to a file.

MLOPS_BACKUP_SEED replays the delays of a run, MLOPS_BACKUP_KILLS sets how many kills of each kind (default 12).
"""

import math
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time
import unittest

from harness import (AUTHENTICATION, CONFLICT, DONE, INTEGRITY, MLOPSCTL, MLOPSD, NOT_FOUND, Daemon, DaemonCase,
                     wait_until)

SEED = int(os.environ.get("MLOPS_BACKUP_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("MLOPS_BACKUP_KILLS", "12"))


class BackupCase(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.rng = random.Random(SEED)
        cls.backup_file = cls.work / "mlops.bak"

    def register(self, name, size):
        content = self.rng.randbytes(size)
        folder = name.replace("/", "-")
        self.ok("register", "model", name, self.file(f"{folder}/m.bin", content))
        return content

    def backup(self, file=None):
        return self.json("backup", file or self.backup_file)

    def flip(self, path, at):
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def verify(self, file=None, check=DONE):
        return self.ctl("backup", file or self.backup_file, "--verify", "-o", "json", check=check).json()

    def restored(self, *options, file=None):
        """A daemon on a restored data directory, not started, that knows nothing of the first one."""
        twin = Daemon(start=False)
        self.addCleanup(twin.close)
        self.ok("restore", file or self.backup_file, twin.data_dir, *options)
        return twin

    @property
    def keys(self):
        return self.daemon.data_dir / "keys"


class DrillTest(BackupCase):
    """From nothing to a running server again."""

    def test_drill(self):
        first = self.register("drill/one", 3_000_000)
        small = self.register("drill/small", 1000)
        told = self.backup()
        self.assertEqual(told["snapshot"], 1)
        self.assertFalse(told["keys_included"])
        second = self.register("drill/one", 2_000_000)
        self.backup()
        token = self.daemon.admin_token

        with self.subTest("the newest snapshot"):
            twin = self.restored("--keys", self.keys)
            twin.start()
            self.assertEqual(twin.ctl("fsck", "--read-data", "-o", "json", token=token, check=DONE).json()["ok"], True)
            twin.ctl("audit", "verify", token=token, check=DONE)
            for ref, content in (("drill/one@v1", first), ("drill/one@v2", second), ("drill/small@v1", small)):
                folder = twin.root / ref.replace("/", "-")
                twin.ctl("pull", ref, folder, token=token, check=DONE)
                self.assertEqual((folder / "m.bin").read_bytes(), content, ref)
            # It is a whole server: it takes new versions, and its own backup goes on in the same file.
            new = twin.root / "new.bin"
            new.write_bytes(b"after the disaster")
            twin.ctl("register", "model", "drill/new", new, token=token, check=DONE)
            copy = shutil.copy(self.backup_file, twin.root / "copy.bak")
            self.assertEqual(twin.ctl("backup", copy, "-o", "json", token=token, check=DONE).json()["snapshot"], 3)
            self.assertTrue(self.verify(copy)["ok"])

        with self.subTest("an older one"):
            twin = self.restored("--keys", self.keys, "--snapshot", "1")
            twin.start()
            twin.ctl("fsck", "--read-data", token=token, check=DONE)
            twin.ctl("show", "drill/one@v2", token=token, check=NOT_FOUND)
            head = twin.ctl("audit", "verify", "-o", "json", token=token, check=DONE).json()
            self.assertEqual(head["head"].removeprefix("sha256:"), told["audit"]["head"])
            # Its future is another one than that in the file.
            copy = shutil.copy(self.backup_file, twin.root / "copy.bak")
            refused = twin.ctl("backup", copy, token=token, check=CONFLICT)
            self.assertIn("does not continue", refused.stderr)
            self.assertEqual(pathlib.Path(copy).read_bytes(), self.backup_file.read_bytes())

    def test_without_keys(self):
        self.register("keyless/one", 1000)
        file = self.work / "keyless.bak"
        self.backup(file)
        old = self.daemon.admin_token
        twin = self.restored(file=file)
        done = subprocess.run(twin.arguments(), env=twin.environment(), capture_output=True, text=True, timeout=30)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("keys/token.key is not there", done.stderr)
        self.assertIn("--replace-keys", done.stderr)
        self.assertFalse((twin.data_dir / "admin-token").exists())

        twin.arguments = lambda: [str(MLOPSD), "--replace-keys"]
        twin.start()
        twin.ctl("whoami", token=old, check=AUTHENTICATION)
        twin.ctl("show", "keyless/one@v1", check=DONE)
        log = twin.ctl("audit", "log", "--action", "daemon.keys", "-o", "json", check=DONE).json()
        self.assertEqual(len(log), 1)
        twin.arguments = lambda: [str(MLOPSD)]
        twin.restart()
        twin.ctl("fsck", "--read-data", check=DONE)

    def test_list_and_choices(self):
        file = self.work / "list.bak"
        self.backup(file)
        self.backup(file)
        listed = self.json("restore", file, "--list")
        self.assertEqual([item["number"] for item in listed], [1, 2])
        self.ctl("restore", file, self.work / "nowhere", "--snapshot", "3", check=NOT_FOUND)
        self.ctl("restore", file, self.work, check=CONFLICT)
        dry = self.json("restore", file, self.work / "nowhere", "--dry-run")
        self.assertTrue(dry["dry_run"])
        self.assertFalse((self.work / "nowhere").exists())
        self.ctl("restore", self.work / "absent.bak", self.work / "nowhere", check=NOT_FOUND)


class RunTest(BackupCase):
    """What one run adds, and who may."""

    def test_only_what_is_new_is_added(self):
        self.register("grow/one", 5_000_000)
        first = self.backup()
        self.assertGreater(first["added_bytes"], 5_000_000)
        again = self.backup()
        self.assertEqual(again["packs_added"], 0)
        self.assertLess(again["added_bytes"], 600_000)
        self.register("grow/two", 1_000_000)
        third = self.backup()
        self.assertEqual(third["packs_added"], 1)
        self.assertGreater(third["added_bytes"], 1_000_000)
        self.assertLess(third["added_bytes"], 1_600_000)
        report = self.verify()
        self.assertEqual((report["ok"], report["snapshots"]), (True, 3))
        self.assertEqual(report["file_bytes"], self.backup_file.stat().st_size)

    def test_a_dry_run_changes_nothing(self):
        file = self.work / "dry.bak"
        told = self.json("backup", file, "--dry-run")
        self.assertGreater(told["fetch_bytes"], 0)
        self.assertFalse(file.exists())

    def test_who_may(self):
        for role in ("viewer", "ci", "release", "auditor"):
            token = self.daemon.new_token(f"nosy-{role}", role)
            self.ctl("backup", self.work / "nosy.bak", token=token, check=AUTHENTICATION)
        self.assertEqual(self.daemon.api("POST", "/api/v1/backups", {}).status, 401)
        log = self.items("audit", "log", "--action", "backup.create")
        self.assertTrue(all(entry["actor"] == "admin" for entry in log))

    def test_another_servers_file_is_refused(self):
        file = self.work / "mine.bak"
        self.backup(file)
        other = Daemon()
        self.addCleanup(other.close)
        before = file.read_bytes()
        other.ctl("backup", file, check=CONFLICT)
        self.assertEqual(file.read_bytes(), before)

    def test_what_is_collected_meanwhile_can_still_be_fetched(self):
        self.register("gone/one", 2_000_000)
        started = self.daemon.api("POST", "/api/v1/backups", {}, token="admin")
        self.assertEqual(started.status, 201, started)
        before = {pack.name: pack.read_bytes() for pack in (self.daemon.data_dir / "blobs" / "packs").glob("*.pack")}
        self.ok("delete", "gone/one@v1", "--reason", "test", "--confirm", "gone/one@v1")
        self.ok("gc", "run", "--reason", "test", "--min-age", "0s", "--grace", "0s", "--yes")
        self.ok("gc", "run", "--reason", "sweep", "--min-age", "0s", "--grace", "0s", "--yes")
        path = f"/api/v1/backups/{started.json['id']}"
        packs = [item for item in started.json["items"] if item["name"].endswith(".pack")]
        self.assertTrue(packs)
        for item in packs:
            answer = self.daemon.api("GET", f"{path}/items/{item['name']}", token="admin")
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body, before[item["name"]][:item["size_bytes"]])
        self.assertEqual(self.daemon.api("DELETE", path, token="admin").status, 200)
        self.assertEqual(self.daemon.api("GET", f"{path}/items/mlops.db", token="admin").status, 404)
        folder = self.daemon.data_dir / "blobs" / "backup" / started.json["id"]
        wait_until(lambda: not folder.exists(), 5, "the backup's folder removed")
        self.assertTrue(self.verify_new("after-collection.bak")["ok"])

    def verify_new(self, name):
        self.backup(self.work / name)
        return self.verify(self.work / name)

    def test_names_and_places_are_checked(self):
        started = self.daemon.api("POST", "/api/v1/backups", {}, token="admin").json
        base = f"/api/v1/backups/{started['id']}/items"
        size = started["items"][0]["size_bytes"]
        for name in ("..%2F..%2Fkeys%2Ftoken.key", "%2Fetc%2Fpasswd", "mlops.db-wal", "."):
            self.assertIn(self.daemon.api("GET", f"{base}/{name}", token="admin").status, (400, 404), name)
        for query in ("offset=-1", f"end={size + 1}", "offset=10&end=5", "offset=x"):
            self.assertEqual(self.daemon.api("GET", f"{base}/mlops.db?{query}", token="admin").status, 400, query)
        part = self.daemon.api("GET", f"{base}/mlops.db?offset=0&end=15", token="admin")
        self.assertEqual(part.body, b"SQLite format 3")
        self.assertIn(self.daemon.api("GET", "/api/v1/backups/x%2F../items/mlops.db", token="admin").status, (400, 404))


class DamageTest(BackupCase):
    """Bits of the file that are wrong."""

    def test_flipped_bits_in_the_file(self):
        self.register("flip/one", 400_000)
        self.backup()
        self.register("flip/one", 100_000)
        self.backup()
        size = self.backup_file.stat().st_size
        for at in sorted(self.rng.randrange(size) for _ in range(20)):
            copy = pathlib.Path(shutil.copy(self.backup_file, self.work / "flipped.bak"))
            self.flip(copy, at)
            report = self.verify(copy, check=INTEGRITY)
            self.assertFalse(report["ok"], f"seed {SEED}: byte {at}")
            done = self.ctl("restore", copy, self.work / "flipped", "--snapshot", "2")
            # Only damage to what this snapshot needs keeps it from being restored, and then nothing is left.
            if done.code == DONE:
                shutil.rmtree(self.work / "flipped")
            else:
                self.assertIn(done.code, (INTEGRITY, NOT_FOUND), done)
                self.assertEqual(list(self.work.glob("flipped*")), [copy])

    def test_salvage(self):
        content = self.register("salvage/one", 300_000)
        self.register("salvage/two", 300_000)
        file = self.work / "salvage.bak"
        self.backup(file)
        at = file.read_bytes().index(content[1000:1064])
        self.flip(file, at)
        self.ctl("restore", file, self.work / "saved", check=INTEGRITY)
        twin = Daemon(start=False)
        self.addCleanup(twin.close)
        done = self.ctl("restore", file, twin.data_dir, "--salvage", "--keys", self.keys, check=INTEGRITY)
        self.assertIn("no whole frame", done.stderr)
        twin.start()
        token = self.daemon.admin_token
        twin.ctl("fsck", "--read-data", token=token, check=INTEGRITY)
        twin.ctl("pull", "salvage/two@v1", twin.root / "two", token=token, check=DONE)
        # Pushing the source again heals it.
        source = twin.root / "m.bin"
        source.write_bytes(content)
        twin.ctl("register", "model", "salvage/one", source, token=token, check=DONE)
        twin.ctl("pull", "salvage/one@v1", twin.root / "one", token=token, check=DONE)


class RottenServerTest(BackupCase):
    """A disk of the server that has bits wrong."""

    def test_a_damaged_server_is_backed_up_and_says_so(self):
        content = self.register("rot/one", 300_000)
        self.register("rot/two", 300_000)
        for pack in (self.daemon.data_dir / "blobs" / "packs").glob("*.pack"):
            at = pack.read_bytes().find(content[5000:5064])
            if at >= 0:
                self.flip(pack, at)
        file = self.work / "rot.bak"
        done = self.ctl("backup", file, "-o", "json", check=INTEGRITY)
        self.assertEqual(len(done.json()["damaged"]), 1)
        self.assertIn("damaged on the server", done.stderr)
        report = self.verify(file)
        self.assertEqual((report["ok"], len(report["came_damaged"])), (True, 1))
        twin = self.restored("--keys", self.keys, file=file)
        twin.start()
        twin.ctl("pull", "rot/two@v1", twin.root / "two", token=self.daemon.admin_token, check=DONE)


class KillTest(BackupCase):
    """kill -9 of either side at random moments; MLOPS_BACKUP_SEED replays them."""

    def run_and_kill(self, victim_of, file, longest_s):
        """Starts a backup and kills after a random while; did the command end well before?"""
        process = subprocess.Popen([str(MLOPSCTL), "backup", str(file), "-q"], env=self.daemon.client_environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Half of the points early: later runs of one file are short.
        early_s = math.exp(self.rng.uniform(math.log(0.002), math.log(0.05)))
        delay_s = early_s if self.rng.random() < 0.5 else self.rng.uniform(0, longest_s)
        time.sleep(delay_s)  # the random point itself, not a wait for anything
        victim_of(process)
        process.communicate(timeout=60)
        return process.returncode == DONE

    def check_file(self, file, known):
        """Whatever was killed: nothing is damaged, and no snapshot that was told of is lost."""
        if not file.exists() or file.stat().st_size == 0:
            self.assertEqual(known, 0)
            return 0
        done = self.ctl("backup", file, "--verify", "-o", "json")
        self.assertIn(done.code, (DONE, INTEGRITY), done)
        report = done.json()
        self.assertEqual(report["damage"], [], f"seed {SEED}")
        self.assertEqual(report["ok"], report["unfinished_bytes"] == 0)
        self.assertGreaterEqual(report["snapshots"], known, f"seed {SEED}")
        return report["snapshots"]

    def one_run_s(self):
        started = time.monotonic()
        self.backup(self.work / "measure.bak")
        (self.work / "measure.bak").unlink()
        return time.monotonic() - started

    def test_mlopsctl_is_killed(self):
        self.register("kill/base", 20_000_000)
        longest_s = self.one_run_s()
        file, known, hit = self.work / "killed.bak", 0, 0
        for point in range(KILLS):
            if point % 3 == 2:
                self.register(f"kill/m{point}", 2_000_000)
            if point % 4 == 3:
                file.unlink(missing_ok=True)
                known = 0
            ended = self.run_and_kill(lambda process: process.kill(), file, longest_s)
            known = self.check_file(file, known + ended)
            hit += not ended
        print(f"backup_test: seed {SEED}, {hit} of {KILLS} kills hit a run under way", flush=True)
        self.ok("backup", file)
        self.assertTrue(self.verify(file)["ok"])
        twin = self.restored("--keys", self.keys, file=file)
        twin.start()
        twin.ctl("fsck", "--read-data", token=self.daemon.admin_token, check=DONE)

    def test_an_interrupted_first_run_goes_on(self):
        self.register("resume/base", 30_000_000)
        file = self.work / "resumed.bak"
        process = subprocess.Popen([str(MLOPSCTL), "backup", str(file), "-q"], env=self.daemon.client_environment())
        wait_until(lambda: process.poll() is not None or (file.exists() and file.stat().st_size > 17_000_000), 60,
                   "some megabytes")
        process.kill()
        process.wait()
        if self.verify_snapshots(file) > 0:
            self.skipTest("the run ended before it could be killed")
        held = file.stat().st_size
        told = self.backup(file)
        self.assertLess(told["fetched_bytes"], told["pack_bytes"] + told["database_bytes"] - held + 17_000_000)
        self.assertTrue(self.verify(file)["ok"])

    def verify_snapshots(self, file):
        return self.ctl("backup", file, "--verify", "-o", "json").json()["snapshots"]

    def test_mlopsd_is_killed(self):
        self.register("fall/base", 20_000_000)
        longest_s = self.one_run_s()
        file, known = self.work / "fallen.bak", 0
        for point in range(max(KILLS // 3, 2)):
            ended = self.run_and_kill(lambda process: self.daemon.kill9(), file, longest_s)
            self.daemon.start()
            self.assertEqual(list((self.daemon.data_dir / "blobs" / "backup").iterdir()), [])
            known = self.check_file(file, known + ended)
        self.ok("backup", file)
        self.assertTrue(self.verify(file)["ok"])

    def test_restore_is_killed(self):
        self.register("half/base", 20_000_000)
        file = self.work / "half.bak"
        self.backup(file)
        started = time.monotonic()
        self.ok("restore", file, self.work / "measure")
        longest_s = time.monotonic() - started
        for point in range(KILLS):
            target = self.work / f"half-{point}"
            process = subprocess.Popen([str(MLOPSCTL), "restore", str(file), str(target), "-q"],
                                       env=self.daemon.client_environment(), stdout=subprocess.DEVNULL)
            time.sleep(self.rng.uniform(0, longest_s))  # the random point itself
            process.kill()
            process.wait()
            # All or nothing under its own name.
            if target.exists():
                self.assertEqual((target / "mlops.db").stat().st_size,
                                 (self.work / "measure" / "mlops.db").stat().st_size)
                self.assertEqual(sorted(p.name for p in (target / "blobs" / "packs").iterdir()),
                                 sorted(p.name for p in (self.work / "measure" / "blobs" / "packs").iterdir()))

    def test_people_work_on_meanwhile(self):
        self.register("busy/base", 10_000_000)
        stop, failures, count = threading.Event(), [], [0]

        def work():
            rng = random.Random(SEED + 1)
            while not stop.is_set():
                content = self.work / "busy.bin"
                content.write_bytes(rng.randbytes(200_000))
                done = self.daemon.ctl("register", "model", f"busy/m{count[0]}", content)
                if done.code != DONE:
                    failures.append(str(done))
                    return
                count[0] += 1

        worker = threading.Thread(target=work)
        worker.start()
        file = self.work / "busy.bak"
        try:
            for _ in range(4):
                self.backup(file)
        finally:
            stop.set()
            worker.join()
        self.assertEqual(failures, [])
        self.assertTrue(self.verify(file)["ok"])
        token = self.daemon.admin_token
        for number in range(1, 5):
            twin = self.restored("--keys", self.keys, "--snapshot", str(number), file=file)
            twin.start()
            twin.ctl("fsck", "--read-data", token=token, check=DONE)
            twin.stop()


if __name__ == "__main__":
    unittest.main()
