"""Backup and restore with every call that changes a file failing or being the last one, counted, not sampled: mlopsctl
is killed, or gets EIO or ENOSPC, at the Nth such call, for every N there is. The same on the server's side for the copy
it makes. Needs strace.
"""

import pathlib
import re
import shutil
import subprocess
import unittest

from fault_test import UNUSABLE, TracedDaemon
from harness import DONE, INTEGRITY, MLOPSCTL, DaemonCase, wait_until

FAULTS = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")
FILE_CALLS = ("write", "fdatasync", "fsync", "ftruncate", "openat")
RESTORE_CALLS = ("write", "fdatasync", "fsync", "mkdir,mkdirat", "rename,renameat,renameat2", "openat")
# A failing sync of the metadata's own log stops the daemon by design (fault_test.py), so syncs are not among them.
SERVER_CALLS = ("pwrite64", "link,linkat", "mkdir,mkdirat", "openat")


@unittest.skipIf(UNUSABLE, UNUSABLE)
class BackupFaultTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.first = cls.work / "first.bak"
        cls.base = cls.work / "base.bak"
        cls.ok("register", "model", "m", cls.file("m.bin", b"first " * 20_000))
        cls.ok("backup", cls.first)
        cls.ok("register", "model", "m", cls.file("m.bin", b"second " * 20_000))
        # The base of every run: one snapshot, and what an interrupted run left behind it.
        shutil.copy(cls.first, cls.base)
        cls.ok("backup", cls.base)
        cut = cls.first.stat().st_size + 3000
        with open(cls.base, "r+b") as file:
            file.truncate(cut)

    def traced(self, injection, paths, *words):
        """mlopsctl under strace; the calls of its busiest thread that were traced, and the exit code."""
        log = self.work / "strace.log"
        calls = injection.split(":")[0]
        only = [word for path in paths for word in ("-P", str(path))]
        done = subprocess.run(["strace", "-f", "-qq", "-o", str(log), *only, "-e", f"trace={calls}", "-e",
                               f"inject={injection}", str(MLOPSCTL), *map(str, words)],
                              env=self.daemon.client_environment(), capture_output=True, timeout=60)
        per_thread = {}
        for line in log.read_text(errors="replace").splitlines():
            if match := re.match(r"(\d+)\s+\w+\(", line):
                per_thread[match[1]] = per_thread.get(match[1], 0) + 1
        return max(per_thread.values(), default=0), done.returncode

    def each_fault(self, calls, paths, words, prepare):
        """(what, exit code) of one run for every call and fault."""
        for family in calls:
            prepare()
            total, code = self.traced(f"{family}:delay_enter=0:when=1", paths, *words)
            self.assertEqual(code, DONE, family)
            for fault in FAULTS:
                for number in range(1, total + 1):
                    prepare()
                    what = f"{fault} at {family} {number} of {total}"
                    yield what, self.traced(f"{family}:{fault}:when={number}", paths, *words)[1]

    def snapshots(self, file):
        done = self.ctl("backup", file, "--verify", "-o", "json")
        self.assertIn(done.code, (DONE, INTEGRITY), done)
        self.assertEqual(done.json()["damage"], [], done)
        return done.json()["snapshots"]

    def test_backup(self):
        file, runs, failed = self.work / "run.bak", 0, 0
        for what, code in self.each_fault(FILE_CALLS, [file], ["backup", file, "-q"],
                                          lambda: shutil.copy(self.base, file)):
            # Told of means there; not told of means that what was there before still is.
            self.assertGreaterEqual(self.snapshots(file), 2 if code == DONE else 1, what)
            self.ok("backup", file)
            self.assertTrue(self.json("backup", file, "--verify")["ok"], what)
            runs += 1
            failed += code != DONE
        self.assertGreater(runs, 30)
        self.assertGreater(failed, 25, "faults that nobody notices")
        print(f"backup_fault_test: {failed} of {runs} backups with one fault failed, all as they should", flush=True)

    def test_a_snapshot_is_written_after_what_it_speaks_of(self):
        """The order that a power cut cannot turn round: records, sync, the snapshot's record, sync."""
        file, log = self.work / "order.bak", self.work / "strace.log"
        shutil.copy(self.first, file)
        subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-P", str(file), "-e", "trace=write,fdatasync",
                        str(MLOPSCTL), "backup", str(file), "-q"], env=self.daemon.client_environment(),
                       capture_output=True, timeout=60, check=True)
        calls = re.findall(r"^\d+\s+(write|fdatasync)\(", log.read_text(errors="replace"), re.MULTILINE)
        self.assertRegex("".join(call[0] for call in calls), r"^w{4,}fw{2,3}f$")

    def test_first_backup(self):
        file = self.work / "new.bak"
        for what, code in self.each_fault(FILE_CALLS, [file], ["backup", file, "-q"],
                                          lambda: file.unlink(missing_ok=True)):
            if code == DONE:
                self.assertEqual(self.snapshots(file), 1, what)
            self.ok("backup", file)
            self.assertTrue(self.json("backup", file, "--verify")["ok"], what)

    def test_restore(self):
        target = self.work / "restored"
        keys = self.daemon.data_dir / "keys"

        def prepare():
            for left in self.work.glob("restored*"):
                shutil.rmtree(left)

        runs = 0
        for what, code in self.each_fault(RESTORE_CALLS, [], ["restore", self.first, target, "-q", "--keys", keys],
                                          prepare):
            # All of it, or nothing under that name; only a kill may leave anything beside it.
            if target.exists():
                self.assertEqual(self.tree(target), self.expected_tree(keys), what)
            else:
                self.assertNotEqual(code, DONE, what)
            if "SIGKILL" not in what:
                self.assertEqual(list(self.work.glob("restored.mlops-part*")), [], what)
            runs += 1
        self.assertGreater(runs, 50)
        print(f"backup_fault_test: {runs} restores with one fault", flush=True)

    def expected_tree(self, keys):
        if not hasattr(self, "_tree"):
            self.ok("restore", self.first, self.work / "expected", "--keys", keys)
            self._tree = self.tree(self.work / "expected")
        return self._tree

    @staticmethod
    def tree(folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}


@unittest.skipIf(UNUSABLE, UNUSABLE)
class ServerFaultTest(unittest.TestCase):
    """The server's copy cannot be made: an answer that says so, nothing left over, and a server that goes on."""

    def test_start_of_a_backup(self):
        daemon = TracedDaemon()
        self.addCleanup(daemon.close)
        source = daemon.root / "m.bin"
        source.write_bytes(b"content " * 10_000)
        daemon.ctl("register", "model", "m", source, check=DONE)
        folder = daemon.data_dir / "blobs" / "backup"
        refused = 0
        for family in SERVER_CALLS:
            for number in range(1, 200):
                answer, reached = self.start_with_fault(daemon, f"{family}:error=ENOSPC:when={number}")
                self.assertIn(answer.status, (201, 500, 503, 507), answer)
                if answer.status == 201:
                    daemon.api("DELETE", f"/api/v1/backups/{answer.json['id']}", token="admin")
                else:
                    refused += 1
                self.assertEqual(list(folder.iterdir()), [], f"{family} {number}: {answer}")
                if not reached:
                    break
        self.assertGreater(refused, 20)
        print(f"backup_fault_test: {refused} starts refused", flush=True)
        daemon.ctl("fsck", "--read-data", check=DONE)
        daemon.ctl("audit", "verify", check=DONE)
        daemon.ctl("backup", daemon.root / "f.bak", check=DONE)
        daemon.ctl("backup", daemon.root / "f.bak", "--verify", check=DONE)

    def start_with_fault(self, daemon, injection):
        """The answer of one start with a tracer attached for it alone; was the call reached?"""
        log = daemon.root / "strace.log"
        log.unlink(missing_ok=True)
        folder = daemon.data_dir / "blobs" / "backup"
        calls = injection.split(":")[0]
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}", "-e",
                                   f"inject={injection}", "-p", str(daemon.pid)], stderr=subprocess.PIPE)
        try:
            tasks = pathlib.Path(f"/proc/{daemon.pid}/task")
            wait_until(lambda: all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks.iterdir()), 20,
                       "strace attached to every thread")
            answer = daemon.api("POST", "/api/v1/backups", {}, token="admin")
            self.assertTrue(folder.exists())
        finally:
            tracer.terminate()
            tracer.communicate(timeout=10)
        return answer, "(INJECTED)" in log.read_text(errors="replace")


if __name__ == "__main__":
    unittest.main()
