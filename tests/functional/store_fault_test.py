"""The content store with each call that changes a file being the daemon's last one, or failing: a push that breaks off,
the push that resumes it, the same of a file as plain bytes, three versions, two of which share chunks, one of them deleted,
collected, and a backup. Counted a thread and a call, not sampled. Needs strace.

Normally steps through the calls; MLOPS_ALL_FAULTS=1 takes every one of them. After each fault the daemon starts without
faults and everything acknowledged must be there; the next fault goes to that daemon, so the store has a past.
"""

import collections
import contextlib
import hashlib
import http.client
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import time
import unittest

from fault_test import UNUSABLE
from harness import Daemon, quote, wait_until
from store_test import SEED, digest_of

ALL = os.environ.get("MLOPS_ALL_FAULTS") == "1"
FAMILIES = ("write", "pwrite64", "writev,pwritev,pwritev2", "fdatasync", "fsync", "rename,renameat,renameat2",
            "unlink,unlinkat", "rmdir", "openat", "mkdir,mkdirat", "link,linkat", "ftruncate,fallocate",
            "sync_file_range")
FAULTS = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")
# Of each thread's calls of a family; the first and the last are always among them. A write that wrote nothing is the
# one short write that strace can make without lying to the program; partial ones come with a full disk
# (store_damage_test.py).
POINTS = {"signal=SIGKILL": 6, "error=EIO": 3, "error=ENOSPC": 3, "retval=0": 2}
FAULTS_A_STORE = 60
SETTINGS = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0", "MLOPSD_STORE_SCRUB_MIB_PER_S": "0",
            # One thread for each kind of request, so that its calls are counted together.
            "MLOPSD_LISTEN_STREAM_THREADS": "1", "MLOPSD_LISTEN_WORKER_THREADS": "1"}


def record(kind, payload, digest):
    """docs/format/push.md"""
    return struct.pack("<cBHIII", kind, 0, 0, len(payload), len(payload), 0) + digest + payload


def stream_of(files):
    out = []
    for chunks in files:
        out += [record(b"C", chunk, hashlib.sha256(chunk).digest()) for chunk in chunks]
        out.append(record(b"E", b"", hashlib.sha256(b"".join(chunks)).digest()))
    return b"".join(out)


class Scenario:
    """What is done to the daemon under fault, with bytes and names of its own, and what it acknowledged."""

    def __init__(self, daemon, number, rng):
        self.daemon, self.token, self.name = daemon, daemon.admin_token, f"fault/m{number}"
        chunks = [rng.randbytes(rng.randrange(200, 30_000)) for _ in range(12)]
        self.files = [chunks[:8], chunks[4:]]
        self.plain = rng.randbytes(700_000)  # long enough for several threads
        self.versions = {}      # ref → content, acknowledged
        self.maybe_gone = None  # deleting this one was under way

    def run(self):
        """As far as it comes; True when nothing failed."""
        try:
            for path, body in (("/api/v1/store/push", stream_of(self.files)), ("/api/v1/blobs", self.plain)):
                self.break_off(path, body)
                self.call("POST", path, body)
            refs = [self.register(chunks) for chunks in [*self.files, [self.plain]]]
            self.maybe_gone = refs[0]
            self.call("DELETE", f"/api/v1/versions/{quote(refs[0])}", {"reason": "x"})
            self.versions.pop(refs[0])
            for _ in range(2):
                self.call("POST", "/api/v1/gc/runs", {"reason": "x", "min_age_s": 0, "grace_s": 0})
            backup = self.call("POST", "/api/v1/backups", {})
            for item in backup["items"]:
                self.call("GET", f"/api/v1/backups/{backup['id']}/items/{item['name']}")
            self.call("DELETE", f"/api/v1/backups/{backup['id']}")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def break_off(self, path, body):
        """Half of the body, and no more."""
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
                f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10) as client:
            client.sendall(head + body[:len(body) // 2])
            client.shutdown(socket.SHUT_WR)
            client.recv(1)  # it has been dealt with

    def register(self, chunks):
        content = b"".join(chunks)
        ref = self.call("POST", "/api/v1/versions", {"kind": "model", "name": self.name, "files": [
            {"path": "m.bin", "digest": digest_of(content), "size_bytes": len(content)}]})["version"]["ref"]
        self.versions[ref] = content
        return ref

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/octet-stream"} if isinstance(body, bytes) else {}
        answer = self.daemon.api(method, path, body, token=self.token, headers=headers, timeout_s=10)
        if answer.status not in (200, 201):
            raise ConnectionError(f"{method} {path}: {answer}")
        return answer.json if "json" in answer.headers.get("content-type", "") else answer.body


def threads_of(daemon):
    return sorted(map(int, os.listdir(f"/proc/{daemon.pid}/task")))


@contextlib.contextmanager
def traced(daemon, thread, injection):
    """strace on one of the daemon's threads (None: on all, and on those to come); gives the path of its log."""
    log = daemon.root / "strace.log"
    log.unlink(missing_ok=True)
    words = ["-p", str(thread)] if thread else ["-f", "-p", str(daemon.pid)]
    calls = injection.split(":")[0]
    tracer = subprocess.Popen(["strace", "-qq", "-o", str(log), "-e", f"trace={calls}", "-e", f"inject={injection}",
                               *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for one in [thread] if thread else threads_of(daemon):
            status = pathlib.Path(f"/proc/{daemon.pid}/task/{one}/status")
            wait_until(lambda status=status: "TracerPid:\t0" not in status.read_text(), 20, "strace attached")
        yield log
    finally:
        tracer.terminate()
        try:
            tracer.wait(3)
        except subprocess.TimeoutExpired:  # it may wait for a thread that has been killed
            tracer.kill()
            tracer.wait()


@unittest.skipIf(UNUSABLE, UNUSABLE)
class StoreFaultTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.daemon, cls.number, cls.kept = None, 0, {}

    def fresh_daemon(self):
        """After a failure the store is another one, so that one defect is told once. Now and then it is, too, because every
        fault is followed by reading all of it."""
        if self.daemon:
            self.daemon.close()
        type(self).daemon = Daemon(settings=SETTINGS)
        self.addClassCleanup(self.daemon.close)
        type(self).kept = {}
        self.kept_scenario().run()

    def kept_scenario(self):
        type(self).number += 1
        return Scenario(self.daemon, self.number, self.random)

    def count(self):
        """{(which of the daemon's threads, None: one begun meanwhile; family): calls} of a run without faults."""
        calls = ",".join(FAMILIES)
        threads, counted = threads_of(self.daemon), collections.Counter()
        with traced(self.daemon, None, f"{calls}:delay_enter=0:when=65535") as log:
            self.assertTrue(self.kept_scenario().run(), "the scenario without faults fails")
            text = log.read_text(errors="replace")
        for thread, call in re.findall(r"^(\d+)\s+(\w+)\(", text, re.MULTILINE):
            family = next(f for f in FAMILIES if call in f.split(","))
            place = threads.index(int(thread)) if int(thread) in threads else None
            counted[place, family] += 1
        return counted

    def points(self):
        """(thread, family, fault, number)"""
        counted = self.count()
        calls = sum(counted.values())
        for (place, family), total in sorted(counted.items(), key=str):
            faults = FAULTS + (("retval=0",) if "write" in family else ())
            for fault in faults:
                most = total if ALL else min(total, POINTS[fault])
                numbers = {1 + round(i * (total - 1) / max(1, most - 1)) for i in range(most)}
                for number in sorted(numbers):
                    yield calls, place, family, fault, number

    def test_one_fault_at_every_call(self):
        self.fresh_daemon()
        runs, hits, started = collections.Counter(), collections.Counter(), time.monotonic()
        for calls, place, family, fault, number in self.points():
            what = f"{fault} at {family} {number} of thread {place}, seed {SEED}"
            with self.subTest(what):
                whole = False
                try:
                    hits[fault] += self.run_with_fault(place, f"{family}:{fault}:when={number}", what)
                    whole = True
                finally:
                    if not whole:
                        self.fresh_daemon()
            runs[fault] += 1
            if sum(runs.values()) % FAULTS_A_STORE == 0:
                self.fresh_daemon()
        print(f"store_fault_test: {sum(runs.values())} faults at {calls} calls in {time.monotonic() - started:.0f} s: "
              f"{dict(runs)}, of them reached {dict(hits)}", flush=True)
        for fault, count in runs.items():
            # Not all: how the calls fall to threads and come together in one commit differs from run to run.
            self.assertGreater(hits[fault], count * 0.4, f"too few of {fault} were reached")

    def run_with_fault(self, place, injection, what):
        """Was the call reached?"""
        scenarios, daemon = [self.kept_scenario()], self.daemon
        log_begins = len(daemon.log_text())
        thread = None if place is None else threads_of(daemon)[place]
        with traced(daemon, thread, injection) as log:
            done = scenarios[0].run()
            hit = "(INJECTED)" in log.read_text(errors="replace")
        # What is killed at a call does not return from it, so strace does not say "(INJECTED)".
        if not done and "SIGKILL" in injection:
            daemon.process.wait(20)
            hit = True
        self.assertTrue(hit or done, f"{what}: it fails without a fault")
        if hit and "SIGKILL" not in injection:
            scenarios.append(self.kept_scenario())
            # An error must not need a restart, but for a commit whose fate is open: that stops the daemon by design.
            if not scenarios[1].run() and "stopping_after_failed_commit" not in daemon.log_text()[log_begins:]:
                self.fail(f"{what}: what came after the fault failed, too: {daemon.log_text()[log_begins:][-2000:]}")
        daemon.kill9()
        daemon.start()
        for scenario in scenarios:
            self.kept.update(scenario.versions)
        self.check([scenario.maybe_gone for scenario in scenarios], what)
        return hit

    def check(self, maybe_gone, what):
        daemon, token = self.daemon, self.daemon.admin_token
        fsck = daemon.api("GET", "/api/v1/fsck?read_data=1", token=token).json
        self.assertTrue(fsck["ok"], f"{what}: {fsck}")
        verified = daemon.api("GET", "/api/v1/audit/verify", token=token).json
        self.assertTrue(verified["ok"], f"{what}: {verified}")
        for ref, content in list(self.kept.items()):
            shown = daemon.api("GET", f"/api/v1/versions/{quote(ref)}", token=token)
            if ref in maybe_gone and (shown.status == 404 or shown.json["deleted"]):
                del self.kept[ref]
                continue
            self.assertEqual(shown.status, 200, f"{what}: acknowledged {ref} is gone")
            body = daemon.api("GET", f"/api/v1/blobs/{digest_of(content)}", token=token).body
            self.assertTrue(body == content, f"{what}: bytes of {ref}")
        # A few of them are checked again and again.
        for ref in list(self.kept)[:-6]:
            del self.kept[ref]
        left = [str(p.relative_to(daemon.data_dir)) for p in daemon.data_dir.rglob("*")
                if re.search(r"tmp|\.new$|\.part$", p.name) or "backup" in p.parts[:-1]]
        self.assertEqual(left, [], f"{what}: left after the restart")


if __name__ == "__main__":
    unittest.main()
