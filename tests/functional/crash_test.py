"""kill -9 at random points while versions are registered, promoted and rolled back; then everything must be whole.

MLOPS_CRASH_SEED replays the delays of a run, MLOPS_CRASH_POINTS sets how many kills (default 200). A kill counts only
if a request was under way. After every restart each worker checks what it had been told; `audit verify` and
`fsck --read-data` run every tenth time and at the end.
"""

import collections
import hashlib
import http.client
import math
import os
import random
import threading
import time
import unittest

from harness import DONE, DaemonCase, quote

POINTS = int(os.environ.get("MLOPS_CRASH_POINTS", "200"))
CHECK_EVERY = 10
RESTART_WITHIN_S = 2.0
ENVIRONMENT = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: live, clearance: child}
"""


class Worker:
    """One client with its own model: what the daemon acknowledged to it, and the one request under way, if any."""

    def __init__(self, number, daemon, rng):
        self.name, self.daemon, self.rng = f"crash/m{number}", daemon, rng
        self.versions = []      # [(ref, file digest, content)] acknowledged
        self.unchecked = []     # those of them not looked at since the last restart
        self.running = None     # ref in `live` as acknowledged
        self.deployments = []   # ids acknowledged
        self.under_way = None   # (kind, ref or None)
        self.counter = 0
        self.failures = []
        self.token = daemon.admin_token

    def loop(self, stop):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=10)
        try:
            while not stop.is_set():
                self.step(connection)
        except (OSError, http.client.HTTPException):
            pass  # the kill; under_way says what it hit
        except Exception as error:  # a failure of the test itself must not vanish with its thread
            self.failures.append(repr(error))
        finally:
            connection.close()

    def step(self, connection):
        kind = self.rng.choice(("register", "promote", "promote", "rollback"))
        if kind == "register" or not self.versions:
            self.register(connection)
        elif kind == "promote" or len(self.deployments) < 2:
            self.promote(connection, self.rng.choice(self.versions)[0])
        else:
            self.rollback(connection)

    def call(self, connection, method, path, body, expected):
        answer = self.daemon.api(method, path, body, token=self.token, connection=connection,
                                 headers={"Content-Type": "application/octet-stream"} if isinstance(body, bytes) else {})
        if answer.status not in expected:
            self.failures.append(f"{method} {path}: {answer}")
        return answer

    def register(self, connection):
        self.counter += 1
        content = f"{self.name} {self.counter} ".encode() + self.rng.randbytes(self.rng.choice((20, 3000, 200_000)))
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.under_way = ("register", None)
        self.call(connection, "POST", f"/api/v1/blobs?digest={digest}", content, (200, 201))
        answer = self.call(connection, "POST", "/api/v1/versions", {
            "kind": "model", "name": self.name,
            "files": [{"path": "m.bin", "digest": digest, "size_bytes": len(content)}]}, (200, 201))
        entry = (answer.json["version"]["ref"], digest, content)
        self.versions.append(entry)
        self.unchecked.append(entry)
        self.under_way = None

    def promote(self, connection, ref):
        self.under_way = ("promote", ref)
        answer = self.call(connection, "POST", "/api/v1/promotions",
                           {"even_rejected": True, "ref": ref, "environment": "live", "reason": "crash test"}, (200,))
        self.acknowledge(answer)

    def rollback(self, connection):
        self.under_way = ("rollback", None)
        # Refused is an answer too: there may be no release before the one that runs.
        answer = self.call(connection, "POST", "/api/v1/rollbacks",
                           {"name": self.name, "environment": "live", "reason": "crash test"}, (200, 400, 404, 409))
        if answer.status == 200:
            self.acknowledge(answer)
        self.under_way = None

    def acknowledge(self, answer):
        if answer.status == 200:
            deployment = answer.json["deployment"]
            self.running = deployment["ref"]
            self.deployments.append(deployment["id"])
        self.under_way = None


class CrashTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.seed = int(os.environ.get("MLOPS_CRASH_SEED") or random.SystemRandom().randrange(1 << 32))
        cls.rng = random.Random(cls.seed)
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENT))
        cls.workers = [Worker(n, cls.daemon, random.Random(cls.seed + n + 1)) for n in range(3)]

    def get(self, path):
        return self.daemon.api("GET", path, token=self.workers[0].token)

    def run_until_killed(self):
        """Workers run for a random while, then the daemon is killed; the kinds of requests the kill hit."""
        stop = threading.Event()
        threads = [threading.Thread(target=worker.loop, args=(stop,)) for worker in self.workers]
        delay_s = self.rng.uniform(0, 0.08) if self.rng.random() < 0.5 else math.exp(
            self.rng.uniform(math.log(0.0002), math.log(0.04)))
        for thread in threads:
            thread.start()
        time.sleep(delay_s)  # the random point itself, not a wait for anything
        self.daemon.kill9()
        hit = [worker.under_way[0] for worker in self.workers if worker.under_way]
        stop.set()
        for thread in threads:
            thread.join()
        for worker in self.workers:
            self.assertEqual(worker.failures, [], f"seed {self.seed}")
        return hit

    def check_acknowledged(self, worker):
        for ref, digest, content in worker.unchecked:
            answer = self.get(f"/api/v1/versions/{quote(ref)}")
            self.assertEqual(answer.status, 200, f"seed {self.seed}: acknowledged {ref} is gone: {answer}")
            self.assertEqual(self.get(f"/api/v1/blobs/{digest}").body, content, f"seed {self.seed}: bytes of {ref}")
        worker.unchecked.clear()

    def check_running(self, worker):
        answer = self.get(f"/api/v1/status?environment=live&name={quote(worker.name)}")
        self.assertEqual(answer.status, 200, answer)
        running = [item["ref"] for item in answer.json["items"]]
        self.assertLessEqual(len(running), 1, "two releases of one name run in one environment")
        now = running[0] if running else None
        allowed = {worker.running}
        if worker.under_way and worker.under_way[0] == "promote":
            allowed.add(worker.under_way[1])
        if worker.under_way and worker.under_way[0] == "rollback":
            allowed |= {ref for ref, _, _ in worker.versions}
        self.assertIn(now, allowed, f"seed {self.seed}: {worker.name} runs what was neither acknowledged nor asked for")
        worker.running, worker.under_way = now, None

    def check_whole(self):
        self.ok("audit", "verify")
        self.ok("fsck", "--read-data")

    def test_two_hundred_kills(self):
        print(f"\ncrash_test: MLOPS_CRASH_SEED={self.seed}", flush=True)
        started = time.monotonic()
        hits, points, rounds, slowest_s = collections.Counter(), 0, 0, 0.0
        while points < POINTS:
            hit = self.run_until_killed()
            rounds += 1
            points += bool(hit)
            hits.update(hit)
            before = time.monotonic()
            self.daemon.start()
            slowest_s = max(slowest_s, time.monotonic() - before)
            for worker in self.workers:
                self.check_acknowledged(worker)
                self.check_running(worker)
            if rounds % CHECK_EVERY == 0:
                self.check_whole()
            self.assertLess(rounds, 3 * POINTS + 20, "too few kills hit a request")
        self.check_whole()
        self.check_history()
        for kind in ("register", "promote", "rollback"):
            self.assertGreaterEqual(hits[kind], POINTS // 20, f"too few kills hit a {kind}: {dict(hits)}")
        self.assertLess(slowest_s, RESTART_WITHIN_S, "restart after a kill")
        print(f"crash_test: {points} kills in {time.monotonic() - started:.0f} s hit {dict(hits)}; "
              f"slowest restart {slowest_s * 1000:.0f} ms", flush=True)

    def check_history(self):
        """Every acknowledged version and deployment of the whole run, and everything pulls."""
        for worker in self.workers:
            seen, path = set(), f"/api/v1/history?environment=live&name={quote(worker.name)}&limit=1000"
            while path:
                page = self.get(path).json
                seen |= {item["id"] for item in page["items"]}
                path = page["next"] and f"/api/v1/history?environment=live&name={quote(worker.name)}&limit=1000" \
                                        f"&after={quote(page['next'])}"
            self.assertEqual(set(worker.deployments) - seen, set(), f"seed {self.seed}: acknowledged, but not in history")
            for ref, _, _ in worker.versions:
                self.assertEqual(self.get(f"/api/v1/versions/{quote(ref)}").status, 200, ref)
            if worker.versions:
                ref, _, content = worker.versions[-1]
                folder = self.work / worker.name
                self.daemon.ctl("pull", ref, folder, check=DONE)
                self.assertEqual((folder / "m.bin").read_bytes(), content)


if __name__ == "__main__":
    unittest.main()
