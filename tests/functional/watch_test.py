"""Watching events and waiting for one: over restarts, within what a reader may see, without a thread for each."""

import contextlib
import json
import subprocess
import threading
import time
import unittest

from events_fixture import SETTINGS, EventsCase
from harness import DONE, MLOPSCTL, NOT_FOUND, REFUSED, USAGE, WAIT_TIMED_OUT, Daemon, wait_until


class Watcher:
    """A `mlopsctl watch -o json` whose lines are kept."""

    def __init__(self, daemon, *options, token=None):
        self.process = subprocess.Popen([str(MLOPSCTL), "watch", "-o", "json", *options],
                                        env=daemon.client_environment(token), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=daemon.root)
        self.events = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class WatchTest(EventsCase):
    def watcher(self, *options, token=None):
        watcher = Watcher(self.daemon, *options, token=token)
        self.addCleanup(watcher.close)
        return watcher

    def test_watch_goes_on_after_a_restart_and_a_kill(self):
        refs = [self.model("acme/watched"), self.model("acme/watched")]
        begin = self.items("audit", "log", "--limit", "1")[-1]["seq"] + 1
        watcher = self.watcher("--events", "release.*", "--since", str(begin))
        self.swing(refs, 3)
        wait_until(lambda: len(watcher.events) == 3, 10, "three events")
        self.daemon.stop()
        self.daemon.start()
        self.swing(refs[::-1], 2)
        wait_until(lambda: len(watcher.events) == 5, 20, "after the restart")
        self.daemon.kill9()
        self.daemon.start()
        self.swing(refs[::-1], 2)
        wait_until(lambda: len(watcher.events) == 7, 20, "after the kill")
        self.assertEqual([int(e["sequence"]) for e in watcher.events], self.promotions("acme/watched"))

    def test_readers_see_what_moves_and_nothing_else(self):
        begin = self.items("audit", "log", "--limit", "1")[-1]["seq"] + 1
        reader = self.watcher("--since", str(begin), token=self.vera)
        admin = self.watcher("--since", str(begin))
        self.daemon.new_token("newcomer", "viewer")
        self.promote(self.model("acme/seen"))
        wait_until(lambda: "mlops.release.promote.v1" in [e["type"] for e in reader.events], 10, "the promotion")
        wait_until(lambda: "mlops.release.promote.v1" in [e["type"] for e in admin.events], 10, "the promotion")
        self.assertNotIn("mlops.token.create.v1", [e["type"] for e in reader.events])
        self.assertIn("mlops.token.create.v1", [e["type"] for e in admin.events])

    def test_a_revoked_token_watches_no_more(self):
        secret = self.daemon.new_token("brief", "viewer")
        with contextlib.closing(self.daemon.connect()) as connection:
            connection.request("GET", "/api/v1/events?heartbeat=1", headers={"Authorization": "Bearer " + secret})
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.getheader("content-type"), "text/event-stream")
            self.assertTrue(reply.readline())
            token = [t for t in self.items("token", "list") if t["principal"] == "brief"][0]
            self.ok("token", "revoke", token["id"])
            while reply.readline():
                pass  # the stream ends

    def test_last_event_id_and_bad_filters(self):
        self.promote(self.model("acme/resumed"))
        seq = self.promotions("acme/resumed")[0]
        with contextlib.closing(self.daemon.connect()) as connection:
            connection.request("GET", "/api/v1/events?type=mlops.release.promote.v1",
                               headers={"Authorization": "Bearer " + self.vera, "Last-Event-ID": str(seq - 1)})
            reply = connection.getresponse()
            lines = []
            while not any(line.startswith(b"data:") for line in lines):
                lines.append(reply.readline())
            self.assertIn(f"id: {seq}\n".encode(), lines)
        for query in ("type=Bad!", "after=x", "since=never", "heartbeat=0", "nonsense=1"):
            self.assertEqual(self.daemon.api("GET", "/api/v1/events?" + query, token="admin").status, 400, query)
        self.assertEqual(self.daemon.api("GET", "/api/v1/events").status, 401)

    def test_many_watchers_hold_no_threads_and_have_a_limit(self):
        daemon = Daemon(settings={**SETTINGS, "MLOPSD_LISTEN_STREAM_THREADS": "2", "MLOPSD_EVENTS_WATCHERS": "40",
                                  "MLOPSD_LISTEN_WORKER_THREADS": "2"})
        self.addCleanup(daemon.close)
        header = {"Authorization": "Bearer " + daemon.admin_token}
        replies = []
        for _ in range(40):
            connection = daemon.connect()
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v1/events", headers=header)
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200)
            replies.append(reply)
        refused = daemon.api("GET", "/api/v1/events", token="admin")
        self.assertEqual((refused.status, refused.slug), (503, "too_many_watchers"))
        daemon.new_token("someone", "viewer")
        for reply in replies:
            while b"mlops.token.create.v1" not in reply.readline():
                pass
        began = time.monotonic()
        daemon.stop()  # parked answers do not hold it up
        self.assertLess(time.monotonic() - began, 10)

    def wait(self, *words, check, token=None):
        return self.ctl("wait", *words, check=check, token=token)

    def test_wait_for_a_plan(self):
        ref = self.model("acme/waited")
        plan = self.daemon.api("POST", "/api/v1/plans", {"ref": ref, "environment": "gated"}, token="admin").json["id"]
        self.wait("--for=approved", f"plan/{plan}", "--timeout", "1s", check=WAIT_TIMED_OUT)
        done = []
        waiting = threading.Thread(target=lambda: done.append(self.ctl("wait", f"--for=plan/{plan}=approved",
                                                                       "--timeout", "1m", token=self.vera)))
        waiting.start()
        self.ok("approve", plan, "--reason", "fine", token=self.omar)
        waiting.join(30)
        self.assertEqual(done[0].code, DONE, done[0])
        self.wait(f"--for=plan/{plan}=approved", check=DONE)  # it has come to be before
        executing = threading.Thread(target=lambda: done.append(self.ctl("wait", "--for=executed", plan, "--timeout", "1m")))
        executing.start()
        self.ok("promote", "--plan", plan)
        executing.join(30)
        self.assertEqual(done[1].code, DONE, done[1])
        self.wait("--for=deployed", ref, "--env", "gated", check=DONE)

    def test_wait_ends_when_it_can_no_longer_happen(self):
        plan = self.daemon.api("POST", "/api/v1/plans", {"ref": self.model("acme/refused"), "environment": "gated"},
                               token="admin").json["id"]
        done = []
        waiting = threading.Thread(target=lambda: done.append(self.ctl("wait", f"--for=plan/{plan}=executed",
                                                                       "--timeout", "1m")))
        waiting.start()
        self.ok("reject", plan, "--reason", "no", token=self.omar)
        waiting.join(30)
        self.assertEqual(done[0].code, REFUSED, done[0])
        self.wait("--for=approved", plan, check=REFUSED)

    def test_wait_for_an_event_and_a_deployment(self):
        ref = self.model("acme/later")
        done = []
        threads = [threading.Thread(target=lambda words=words: done.append(self.ctl("wait", *words, "--timeout", "1m")))
                   for words in (("--for=event", "release.promote", "--env", "dev"),
                                 ("--for=deployed", ref, "--env", "dev"))]
        for thread in threads:
            thread.start()
        refs = [ref, self.model("acme/later")]

        def both_done():  # until the waiters have begun to listen
            self.swing(refs[::-1], 2)
            return len(done) == 2

        wait_until(both_done, 30, "both waits")
        self.assertEqual([result.code for result in done], [DONE, DONE], [str(result) for result in done])

    def test_wait_usage(self):
        for words in (("--for=sometime", "x"), ("--for=approved",), ("--for=deployed", "m@v1"), ()):
            self.ctl("wait", *words, check=USAGE)
        self.ctl("wait", "--for=approved", "00000000", check=NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
