"""Events out: a real receiver that is down, slow, wrong or gone while the daemon is killed; every event arrives, in order
for its subject, signed; what was given up is a dead letter; private destinations are refused."""

import base64
import collections
import json
import shutil
import subprocess
import tempfile
import time
import unittest

from events_fixture import SETTINGS, EventsCase, Receiver, check_signature, event_of
from harness import AUTHENTICATION, CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, Daemon, DaemonCase, wait_until


class DeliveryTest(EventsCase):
    def test_a_promotion_is_delivered_signed_and_whole(self):
        receiver = self.receiver()
        hook, secret = self.hook(receiver)
        ref = self.model("acme/one")
        answer = self.promote(ref)
        event = wait_until(receiver.taken, 10, "the event")[0]
        headers, body, _ = receiver.attempts[0]
        check_signature(self, secret, headers, body)
        self.assertEqual(event["specversion"], "1.0")
        self.assertEqual(event["type"], "mlops.release.promote.v1")
        self.assertEqual(event["source"], "https://mlops.example.org")
        self.assertEqual(event["subject"], "acme/one#dev")
        self.assertEqual(headers["webhook-id"], event["id"])
        data = event["data"]
        self.assertEqual(data["environment"], "dev")
        self.assertEqual(data["actor"], "admin")
        self.assertEqual(data["reason"], "test")
        self.assertEqual(data["deployment"], answer["deployment"]["id"])
        self.assertEqual(data["plan"]["id"], answer["plan"]["id"])
        self.assertEqual(data["members"][0]["ref"], ref)
        self.assertEqual(data["members"][0]["digest"], answer["deployment"]["members"][0]["digest"])
        text = json.dumps(event)
        for forbidden in ("127.0.0.1", "source_ip", "request_id"):
            self.assertNotIn(forbidden, text)
        wait_until(lambda: self.figures(hook)["delivered"] == 1, 5, "the count")
        metrics = self.daemon.api("GET", "/metrics", token="admin").body.decode()
        self.assertIn(f'mlopsd_webhook_delivered{{webhook="{self.figures(hook)["id"]}"}} 1', metrics)

    def test_binary_mode(self):
        receiver = self.receiver()
        _, secret = self.hook(receiver, "--mode", "binary", events="version.register")
        ref = self.model("acme/binary")
        wait_until(receiver.taken, 10, "the event")
        headers, body, _ = receiver.attempts[0]
        check_signature(self, secret, headers, body)
        self.assertEqual(headers["ce-type"], "mlops.version.register.v1")
        self.assertEqual(headers["ce-id"], headers["webhook-id"])
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(json.loads(body)["members"][0]["ref"], ref)

    def test_environment_and_patterns_narrow(self):
        receiver = self.receiver()
        self.hook(receiver, "--env", "gated", events="release.*,plan.*")
        ref = self.model("acme/narrow")
        self.promote(ref)
        plan = self.daemon.api("POST", "/api/v1/plans", {"ref": ref, "environment": "gated"}, token="admin").json
        wait_until(receiver.taken, 10, "the plan")
        self.assertEqual([e["type"] for e in receiver.taken()], ["mlops.plan.create.v1"])
        self.assertEqual(receiver.taken()[0]["data"]["plan"]["id"], plan["id"])

    def test_a_receiver_that_is_down_gets_everything_later(self):
        receiver = self.receiver()
        hook, _ = self.hook(receiver)
        refs = [self.model("acme/down"), self.model("acme/down")]
        receiver.stop()
        self.swing(refs, 10)
        wait_until(lambda: self.figures(hook)["last_error"] == "server_unreachable", 10, "the failed attempt")
        receiver.start()
        self.assert_all_taken(receiver, ["acme/down"])

    def test_one_failing_subject_does_not_stop_others(self):
        receiver = self.receiver()
        receiver.behave = lambda headers, event: 500 if event["subject"].startswith("acme/bad") else 200
        hook, _ = self.hook(receiver)
        bad, good = [self.model("acme/bad"), self.model("acme/bad")], [self.model("acme/good"), self.model("acme/good")]
        self.promote(bad[0])
        self.promote(bad[1])
        self.swing(good, 4)
        self.assert_all_taken(receiver, ["acme/good"])
        held = self.figures(hook)
        self.assertEqual((held["held_lanes"], held["held"]), (1, 2), held)
        receiver.behave = lambda headers, event: 200
        self.assert_all_taken(receiver, ["acme/bad"])
        wait_until(lambda: self.figures(hook)["held"] == 0, 10, "nothing held")

    def test_slow_and_hanging_receiver(self):
        receiver = self.receiver()
        hangs = collections.Counter()

        def behave(headers, event):
            hangs[headers["webhook-id"]] += 1
            return "hang" if len(hangs) == 1 and hangs[headers["webhook-id"]] == 1 else 200

        receiver.behave = behave
        other = self.receiver()
        hook, _ = self.hook(receiver)
        self.hook(other)
        refs = [self.model("acme/slow"), self.model("acme/slow")]
        self.swing(refs, 4)
        self.assert_all_taken(other, ["acme/slow"], within_s=5)  # the one that hangs holds nobody else up
        self.assert_all_taken(receiver, ["acme/slow"])
        self.assertGreater(self.figures(hook)["failed_attempts"], 0)

    def test_redirects_are_failures_and_429_is_obeyed(self):
        receiver, elsewhere = self.receiver(), self.receiver()
        answers = [(307, {"Location": elsewhere.url}), (429, {"Retry-After": "1"}), 200]
        times = []

        def behave(headers, event):
            times.append(time.monotonic())
            return answers.pop(0) if answers else 200

        receiver.behave = behave
        self.hook(receiver)
        self.promote(self.model("acme/redirect"))
        self.assert_all_taken(receiver, ["acme/redirect"])
        self.assertEqual(elsewhere.attempts, [])
        self.assertGreaterEqual(times[2] - times[1], 0.99)
        self.assertEqual(len({h["webhook-id"] for h, _, _ in receiver.attempts}), 1)

    def test_gone_disables_and_resume_enables(self):
        receiver = self.receiver()
        receiver.behave = lambda headers, event: 410
        hook, _ = self.hook(receiver)
        self.promote(self.model("acme/gone"))
        wait_until(lambda: self.figures(hook)["state"] == "disabled", 10, "disabled")
        receiver.behave = lambda headers, event: 200
        self.ok("webhook", "resume", hook)
        self.assert_all_taken(receiver, ["acme/gone"])

    def test_secrets_rotate_without_a_gap(self):
        receiver = self.receiver()
        hook, old = self.hook(receiver)
        new = self.json("webhook", "rotate-secret", hook, "--overlap", "1h")["secret"]
        self.assertNotEqual(old, new)
        self.promote(self.model("acme/rotated"))
        wait_until(receiver.taken, 10, "the event")
        headers, body, _ = receiver.attempts[0]
        check_signature(self, old, headers, body)
        check_signature(self, new, headers, body)
        self.ok("webhook", "rotate-secret", hook, "--overlap", "0s")
        self.promote(self.model("acme/rotated2"))
        wait_until(lambda: len(receiver.taken()) == 2, 10, "the event")
        self.assertEqual(len(receiver.attempts[-1][0]["webhook-signature"].split(" ")), 1)

    def test_no_secret_anywhere(self):
        receiver = self.receiver()
        hook, secret = self.hook(receiver)
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        for path in self.daemon.data_dir.glob("mlops.db*"):
            content = path.read_bytes()
            self.assertNotIn(raw, content)
            self.assertNotIn(secret.encode(), content)
        self.assertNotIn(secret, self.daemon.log_text())
        self.assertNotIn("secret", self.figures(hook))
        self.assertNotIn(secret, self.ok("audit", "log", "-o", "json").text)

    def test_pause_test_and_who_may(self):
        receiver = self.receiver()
        hook, secret = self.hook(receiver)
        self.ok("webhook", "test", hook)
        headers, body, _ = receiver.attempts[0]
        check_signature(self, secret, headers, body)
        self.assertEqual(event_of(headers, body)["type"], "mlops.webhook.test.v1")
        self.ok("webhook", "pause", hook, "--reason", "moving")
        self.promote(self.model("acme/paused"))
        self.assertEqual(self.figures(hook)["state"], "paused")
        self.ok("webhook", "resume", hook)
        wait_until(lambda: len(receiver.taken()) == 2, 10, "what happened meanwhile")
        receiver.behave = lambda headers, event: 404
        self.ctl("webhook", "test", hook, check=REFUSED)
        for words in (("list",), ("show", hook), ("pause", hook), ("remove", hook), ("dead", hook)):
            self.ctl("webhook", *words, token=self.rita, check=AUTHENTICATION)
        self.ctl("webhook", "show", "nobody", check=NOT_FOUND)
        self.ctl("webhook", "add", hook, receiver.url, "--events", "*", check=CONFLICT)
        self.ctl("webhook", "add", "x", receiver.url, "--events", "Bad!", check=USAGE)
        self.ok("audit", "verify")


class DeadLetterTest(EventsCase):
    settings = {**SETTINGS, "MLOPSD_EVENTS_RETRY_SECONDS": "0,0.05"}

    def test_dead_letters_and_redelivery(self):
        receiver = self.receiver()
        receiver.behave = lambda headers, event: 500
        hook, _ = self.hook(receiver)
        refs = [self.model("acme/dead"), self.model("acme/dead")]
        self.swing(refs, 2)
        wait_until(lambda: self.figures(hook)["dead"] == 2, 20, "both given up")
        letters = self.items("webhook", "dead", hook)
        self.assertEqual([letter["seq"] for letter in letters], self.promotions("acme/dead"))
        self.assertEqual(letters[0]["last_error"], "http_500")
        self.assertEqual(letters[0]["attempts"], 2)
        receiver.behave = lambda headers, event: 200
        self.promote(refs[0])
        wait_until(lambda: len(receiver.taken()) == 1, 10, "the lane goes on")
        self.ok("webhook", "redeliver", hook, "--all")
        self.assert_all_taken_in_any_order(receiver, "acme/dead")
        self.assertEqual(self.figures(hook)["dead"], 0)
        ids = collections.defaultdict(set)
        for headers, body, _ in receiver.attempts:
            ids[event_of(headers, body)["sequence"]].add(headers["webhook-id"])
        self.assertTrue(all(len(of) == 1 for of in ids.values()), ids)

        before = len(receiver.taken())
        self.ok("webhook", "redeliver", hook, "--event", letters[0]["seq"])
        wait_until(lambda: len(receiver.taken()) == before + 1, 10, "one again")
        self.assertEqual(receiver.sequences()[-1], letters[0]["seq"])
        self.ok("webhook", "redeliver", hook, "--since", letters[0]["seq"])
        wait_until(lambda: len(receiver.taken()) == before + 4, 10, "all three again")
        self.assertEqual(receiver.sequences()[-3:], self.promotions("acme/dead"))
        self.ctl("webhook", "redeliver", hook, check=USAGE)
        self.ctl("webhook", "redeliver", hook, "--event", "999999", check=NOT_FOUND)
        self.ok("audit", "verify")

    def assert_all_taken_in_any_order(self, receiver, name):
        wanted = set(self.promotions(name))
        wait_until(lambda: wanted <= set(receiver.sequences()), 10, "all")


class KillTest(EventsCase):
    def test_kill_in_the_middle_loses_nothing(self):
        receiver = self.receiver()
        counter = collections.Counter()

        def behave(headers, event):
            counter["all"] += 1
            if counter["all"] % 7 == 0:
                return 500
            if counter["all"] % 11 == 0:
                return 503
            return 200

        receiver.behave = behave
        hook, secret = self.hook(receiver)
        names = ["acme/k0", "acme/k1", "acme/k2"]
        refs = {name: [self.model(name), self.model(name)] for name in names}
        for round_ in range(4):
            for i in range(15):
                self.promote(refs[names[i % 3]][(i // 3 + round_) % 2])
            wait_until(lambda: counter["all"] > 10 * (round_ + 1), 20, "deliveries under way")
            self.daemon.kill9()
            if round_ % 2:  # the receiver comes and goes, too
                receiver.stop()
                receiver.start()
            self.daemon.start()
        self.assert_all_taken(receiver, names, within_s=60)
        for headers, body, _ in receiver.attempts:
            check_signature(self, secret, headers, body)
        by_id = collections.defaultdict(set)
        for headers, body, _ in receiver.attempts:
            by_id[headers["webhook-id"]].add(body)
        self.assertTrue(all(len(bodies) == 1 for bodies in by_id.values()))
        self.ok("audit", "verify")

    def test_stopping_is_prompt_and_counts_nothing(self):
        receiver = self.receiver()
        receiver.behave = lambda headers, event: "hang"
        hook, _ = self.hook(receiver)
        self.promote(self.model("acme/hang"))
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 10)
        receiver.behave = lambda headers, event: 200
        receiver.hanging.set()
        self.daemon.start()
        self.assert_all_taken(receiver, ["acme/hang"])


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class TlsTest(unittest.TestCase):
    def test_the_name_is_checked_though_the_address_is_pinned(self):
        with tempfile.TemporaryDirectory() as folder:
            names = {"localhost": f"{folder}/good", "elsewhere": f"{folder}/bad"}
            for name, stem in names.items():
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                                "-keyout", f"{stem}.key", "-out", f"{stem}.pem"], check=True, capture_output=True)
            with open(f"{folder}/ca.pem", "w") as both:
                for stem in names.values():
                    with open(f"{stem}.pem") as one:
                        both.write(one.read())
            daemon = Daemon(settings={**SETTINGS, "MLOPSD_EVENTS_CA_FILE": f"{folder}/ca.pem"})
            self.addCleanup(daemon.close)
            for name, stem in names.items():
                receiver = Receiver(tls=(f"{stem}.pem", f"{stem}.key"))
                self.addCleanup(receiver.stop)
                daemon.ctl("webhook", "add", name, f"https://localhost:{receiver.port}/", "--events", "*", check=DONE)
                tested = daemon.ctl("webhook", "test", name, "-o", "json").json()
                wanted = {"delivered": True, "error": "", "status": 200} if name == "localhost" else \
                    {"delivered": False, "error": "tls_failed", "status": 0}
                self.assertEqual(tested, wanted)


class PrivateTest(DaemonCase):
    """As it is installed: nothing private, nothing in clear."""

    def test_private_destinations_are_refused(self):
        for url in ("https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/",
                    "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://0.0.0.0/",
                    "https://10.0.0.1/", "https://100.64.0.1/", "https://169.254.169.254/latest/meta-data",
                    "https://[fd00:ec2::254]/", "http://8.8.8.8/"):
            result = self.ctl("webhook", "add", "evil", url, "--events", "*", check=REFUSED)
            self.assertIn("events.allowed_destinations", result.stderr)
        for url in ("ftp://example.org/", "https://user:pw@example.org/", "file:///etc/passwd"):
            result = self.ctl("webhook", "add", "evil", url, "--events", "*", check=USAGE)
            self.assertNotIn("pw", result.text)

    def test_what_was_allowed_is_judged_again_at_each_delivery(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        daemon = Daemon(settings={**SETTINGS, "MLOPSD_EVENTS_ALLOW_PRIVATE": "false",
                                  "MLOPSD_EVENTS_ALLOWED_DESTINATIONS": f"127.0.0.1:{receiver.port}"})
        self.addCleanup(daemon.close)
        daemon.ctl("webhook", "add", "ci", receiver.url, "--events", "*", check=DONE)
        wait_until(lambda: daemon.ctl("webhook", "test", "ci").code == DONE, 5, "the test event")
        daemon.settings["MLOPSD_EVENTS_ALLOWED_DESTINATIONS"] = "127.0.0.1:1"
        daemon.restart()
        came = len(receiver.attempts)
        daemon.new_token("someone", "viewer")
        show = lambda: daemon.ctl("webhook", "show", "ci", "-o", "json", check=DONE).json()
        wait_until(lambda: show()["last_error"] == "private_destination", 10, "refused at delivery")
        self.assertEqual(len(receiver.attempts), came)


if __name__ == "__main__":
    unittest.main()
