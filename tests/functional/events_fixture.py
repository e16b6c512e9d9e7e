"""What the tests of events share: a receiver, environments, and a daemon that may send to it."""

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

from harness import DaemonCase, free_port, wait_until

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: dev, clearance: child}
  - {name: gated, clearance: child, protection: {approvals: 1}}
"""
SETTINGS = {"MLOPSD_EVENTS_ALLOW_PRIVATE": "true", "MLOPSD_EVENTS_RETRY_SECONDS": "0,0.1,0.2,0.4,0.8,1,1,1,1,1,1,1",
            "MLOPSD_EVENTS_SOURCE": "https://mlops.example.org", "MLOPSD_EVENTS_TIMEOUT_SECONDS": "1"}


class Receiver:
    """An HTTP server that keeps what it is sent; `behave(headers, body)` gives the status, or a pause and the status."""

    def __init__(self, port=None, tls=None):
        self.port = port or free_port()
        self.tls = tls  # (certificate file, key file)
        self.lock = threading.Lock()
        self.attempts = []   # (headers, body, status), as they came
        self.behave = lambda headers, event: 200
        self.server = None
        self.start()

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {k.lower(): v for k, v in self.headers.items()}
                with receiver.lock:
                    status = receiver.behave(headers, event_of(headers, body))
                extra = {}
                if isinstance(status, tuple):
                    status, extra = status
                if status == "hang":
                    receiver.hanging.wait(20)
                    return self.close_connection_now()
                with receiver.lock:
                    receiver.attempts.append((headers, body, status))
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def close_connection_now(self):
                self.close_connection = True

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.hanging = threading.Event()
        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, self.tls))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        if self.server:
            self.hanging.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    def taken(self):
        """Events that were answered 2xx, as they came."""
        with self.lock:
            return [event_of(h, b) for h, b, status in self.attempts if 200 <= status < 300]

    def sequences(self):
        return [int(event["sequence"]) for event in self.taken()]


def event_of(headers, body):
    """A CloudEvent of either mode."""
    if headers.get("content-type") == "application/cloudevents+json":
        return json.loads(body)
    event = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    event["data"] = json.loads(body)
    return event


def check_signature(case, secret, headers, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    case.assertIn(wanted, headers["webhook-signature"].split(" "))
    case.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 300)


class EventsCase(DaemonCase):
    settings = SETTINGS
    counter = 0

    @classmethod
    def prepare(cls):
        cls.ok("env", "apply", cls.file("env.yaml", ENVIRONMENTS))
        cls.rita = cls.daemon.new_token("rita", "release")
        cls.omar = cls.daemon.new_token("omar", "approver")
        cls.vera = cls.daemon.new_token("vera", "viewer")

    def setUp(self):
        self.receivers = []
        self.hooks = []

    def tearDown(self):
        for receiver in self.receivers:
            receiver.stop()
        for hook in self.hooks:
            self.ctl("webhook", "remove", hook)

    def receiver(self):
        receiver = Receiver()
        self.receivers.append(receiver)
        return receiver

    def hook(self, receiver, *options, events="release.*"):
        EventsCase.counter += 1
        name = f"hook-{EventsCase.counter}"
        made = self.json("webhook", "add", name, receiver.url, "--events", events, *options)
        self.hooks.append(name)
        return name, made["secret"]

    def model(self, name):
        EventsCase.counter += 1
        path = self.file(f"m{EventsCase.counter}.bin", f"model {EventsCase.counter}")
        return self.json("register", "model", name, path, "--sensitivity", "none")["version"]["ref"]

    def promote(self, ref, environment="dev"):
        """Over the API: quick."""
        answer = self.daemon.api("POST", "/api/v1/promotions", {"ref": ref, "environment": environment, "reason": "test"},
                                 token="admin")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def swing(self, refs, times):
        """Promotes the two versions in turn."""
        for i in range(times):
            self.promote(refs[i % 2])

    def promotions(self, name):
        """Numbers of the audit entries that moved `name`."""
        entries = self.items("audit", "log", "--action", "release.promote", "--limit", "0")
        return [entry["seq"] for entry in entries if entry["target"].startswith(name + "@")]

    def figures(self, hook):
        return self.json("webhook", "show", hook)

    def assert_all_taken(self, receiver, names, within_s=30):
        """Every promotion of every name was taken, and the first time each came, in order."""
        for name in names:
            wanted = self.promotions(name)

            def first_seen():
                seen = [int(e["sequence"]) for e in receiver.taken() if e["subject"] == f"{name}#dev"]
                return list(dict.fromkeys(seen))

            wait_until(lambda: set(first_seen()) >= set(wanted), within_s, f"all events of {name}")
            self.assertEqual([seq for seq in first_seen() if seq in wanted], wanted)
