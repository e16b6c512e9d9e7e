"""The crash of crash_test.py by counting instead of by chance: the daemon is killed, or its disk fails, at the Nth call of
each system call that makes things durable, for every N that the scenario reaches. Needs strace.
"""

import contextlib
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from harness import DONE, MLOPSD, Daemon, quote, wait_until

# strace counts per thread, so N runs over what the busiest thread does; `,` joins the calls of one family.
DURABLE_CALLS = ("fdatasync", "fsync", "renameat2,rename,renameat", "unlink,unlinkat", "ftruncate")
POINTS_PER_CALL = 12
ENVIRONMENT = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: live, clearance: child}
"""


def strace_works():
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True)
    return None if done.returncode == 0 else "strace may not trace here"


UNUSABLE = strace_works()


class TracedDaemon(Daemon):
    """A daemon under `strace -e inject=…`; the traced child's end is the tracer's end."""

    injection = None

    def arguments(self):
        words = super().arguments()
        if not self.injection:
            return words
        calls = self.injection.split(":")[0]
        return ["strace", "-f", "-qq", "-o", str(self.root / "strace.log"), "-e", f"trace={calls}", "-e",
                f"inject={self.injection}", *words]


@unittest.skipIf(UNUSABLE, UNUSABLE)
class FaultTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not MLOPSD.exists():
            raise AssertionError("mlopsd is not built")
        cls.template = Daemon()
        cls.addClassCleanup(cls.template.close)
        path = cls.template.root / "environments.yaml"
        path.write_text(ENVIRONMENT)
        cls.template.ctl("env", "apply", path, check=DONE)
        cls.template.stop()

    def daemon(self, injection=None):
        """A daemon on a fresh copy of the prepared data directory."""
        # One thread for uploads, so that its calls are counted together.
        daemon = TracedDaemon(start=False, settings={"MLOPSD_LISTEN_STREAM_THREADS": "1"})
        self.addCleanup(daemon.close)
        shutil.copytree(self.template.data_dir, daemon.data_dir)
        daemon.injection = injection
        return daemon

    def scenario(self, daemon):
        """Registers, promotes, rolls back until something fails; gives the answers that were acknowledged."""
        acknowledged = []
        token = daemon.admin_token
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)

        def call(kind, path, body):
            raw = isinstance(body, bytes)
            answer = daemon.api("POST", path, body, token=token, connection=connection,
                                headers={"Content-Type": "application/octet-stream"} if raw else {})
            if answer.status not in (200, 201):
                raise ConnectionError(f"{kind}: {answer}")
            acknowledged.append((kind, answer.json))
            return answer.json

        try:
            for number in (1, 2):
                content = f"version {number} ".encode() * 1000
                digest = "sha256:" + hashlib.sha256(content).hexdigest()
                call("blob", f"/api/v1/blobs?digest={digest}", content)
                version = call("version", "/api/v1/versions", {"kind": "model", "name": "m", "files": [
                    {"path": "m.bin", "digest": digest, "size_bytes": len(content)}]})["version"]
                call("promotion", "/api/v1/promotions", {"ref": version["ref"], "environment": "live", "reason": "x"})
            call("promotion", "/api/v1/rollbacks", {"name": "m", "environment": "live", "reason": "x"})
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        return acknowledged

    def check(self, daemon, acknowledged, what):
        """On a daemon started without faults: clean, and everything acknowledged is there."""
        daemon.injection = None
        daemon.start()
        daemon.ctl("audit", "verify", check=DONE)
        daemon.ctl("fsck", "--read-data", check=DONE)
        running = None
        for kind, value in acknowledged:
            if kind == "blob":
                self.assertEqual(daemon.api("GET", f"/api/v1/blobs/{value['digest']}", token="admin").status, 200, what)
            elif kind == "version":
                ref = quote(value["version"]["ref"])
                self.assertEqual(daemon.api("GET", f"/api/v1/versions/{ref}", token="admin").status, 200, what)
            else:
                running = value["deployment"]["ref"]
        history = daemon.api("GET", "/api/v1/history?environment=live", token="admin").json["items"]
        ids = [d["id"] for d in history]
        for kind, value in acknowledged:
            if kind == "promotion":
                self.assertIn(value["deployment"]["id"], ids, what)
        if running and len(history) == sum(kind == "promotion" for kind, _ in acknowledged):
            self.assertEqual(history[0]["ref"], running, what)
        leftovers = [p.name for p in daemon.data_dir.rglob("*") if p.is_file() and "tmp" in p.name.lower()]
        self.assertEqual(leftovers, [], f"{what}: temporary files survive the restart")

    def count(self, calls):
        """How often the busiest thread makes one of these calls in a run without faults."""
        daemon = self.daemon(f"{calls}:delay_enter=0:when=1")
        daemon.start()
        self.scenario(daemon)
        self.end_traced(daemon)
        per_thread = {}
        for line in (daemon.root / "strace.log").read_text(errors="replace").splitlines():
            if match := re.match(r"(\d+)\s+(\w+)\(", line):
                key = match.groups()
                per_thread[key] = per_thread.get(key, 0) + 1
        return max(per_thread.values(), default=0)

    @staticmethod
    def end_traced(daemon):
        """Ends the traced daemon; its tracer follows. strace holds fatal signals back, so the child is what is killed."""
        with contextlib.suppress(OSError):  # both may be gone already
            for child in pathlib.Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            daemon.process.wait(5)
        except subprocess.TimeoutExpired:
            daemon.kill9()
            raise AssertionError("the tracer outlived the daemon") from None

    def test_killed_at_every_durable_call(self):
        tried = 0
        for calls in DURABLE_CALLS:
            total = self.count(calls)
            step = max(1, -(-total // POINTS_PER_CALL))
            for number in range(1, total + 1, step):
                with self.subTest(f"SIGKILL at {calls} number {number}"):
                    daemon = self.daemon(f"{calls}:signal=SIGKILL:when={number}")
                    daemon.spawn()
                    wait_until(lambda: daemon.process.poll() is not None or daemon.ready(), 20, "started or killed")
                    acknowledged = self.scenario(daemon) if daemon.process.poll() is None else []
                    self.end_traced(daemon)
                    self.check(daemon, acknowledged, f"{calls} {number}")
                    daemon.close()
                    tried += 1
        self.assertGreater(tried, 8, "the scenario makes too few durable calls to mean anything")

    def test_failing_sync_is_never_acknowledged(self):
        """EIO from fdatasync: nothing after it is acknowledged that is not on disk."""
        for calls, number in (("fdatasync", 2), ("fdatasync", 4), ("fsync", 1), ("fsync", 2)):
            with self.subTest(f"EIO at {calls} number {number}"):
                daemon = self.daemon(f"{calls}:error=EIO:when={number}+")
                daemon.spawn()
                wait_until(lambda: daemon.process.poll() is not None or daemon.ready(), 20, "started or ended")
                acknowledged = self.scenario(daemon) if daemon.process.poll() is None else []
                self.end_traced(daemon)
                self.check(daemon, acknowledged, f"EIO {calls} {number}")
                daemon.close()

    def test_full_disk(self):
        """ENOSPC while writing: an error answer, a daemon that lives on, and success once there is room."""
        daemon = self.daemon("write,pwrite64,writev:error=ENOSPC:when=200..204")
        daemon.start()
        for number in range(40):
            answer = daemon.api("POST", "/api/v1/blobs", f"content {number} ".encode() * 20_000, token="admin",
                                headers={"Content-Type": "application/octet-stream"})
            self.assertIn(answer.status, (200, 201, 500, 503, 507), answer)
        self.end_traced(daemon)
        self.check(daemon, [], "ENOSPC")


if __name__ == "__main__":
    unittest.main()
