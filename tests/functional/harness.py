"""Real mlopsd and mlopsctl processes for the functional tests; links and imports no product code.

    class RegistryTest(DaemonCase):
        def test_register(self):
            self.ok("register", "model", "m", self.file("m.bin", b"x"))

One daemon per test class, in its own temporary directory, on a free port, removed afterwards. The binaries come from
MLOPS_BUILD_DIR (default build/release). Nothing here sleeps for a fixed time to "be sure": everything that must happen
is polled for with a deadline. Every byte that mlopsctl prints is kept in `Daemon.outputs` for the privacy test.
"""

import atexit
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD_DIR = pathlib.Path(os.environ.get("MLOPS_BUILD_DIR") or REPOSITORY / "build" / "release")
if not BUILD_DIR.is_absolute():
    BUILD_DIR = REPOSITORY / BUILD_DIR
MLOPSD = BUILD_DIR / "bin" / "mlopsd"
MLOPSCTL = BUILD_DIR / "bin" / "mlopsctl"

# Exit codes of mlopsctl (cli/exit_code.h).
DONE, FAILED, USAGE, REFUSED, AUTHENTICATION, NOT_FOUND, CONFLICT, WAIT_TIMED_OUT, INTEGRITY = range(9)

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 40.0
COMMAND_WITHIN_S = 120.0

_live = set()


@atexit.register
def _kill_leftovers():
    for process in list(_live):
        if process.poll() is None:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, within_s, what):
    """Polls condition() until it is true; AssertionError naming `what` after the deadline."""
    deadline = time.monotonic() + within_s
    pause_s = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)


class Result:
    """What one mlopsctl run gave."""

    def __init__(self, args, code, stdout, stderr):
        self.args, self.code, self.stdout, self.stderr = args, code, stdout, stderr

    def json(self):
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"not JSON ({error}): {self}") from None

    @property
    def text(self):
        return self.stdout + self.stderr

    def __str__(self):
        return (f"mlopsctl {' '.join(self.args)}\nexit {self.code}\n--- stdout\n{self.stdout[:4000]}\n"
                f"--- stderr\n{self.stderr[:4000]}")


class Answer:
    """One HTTP answer; .json decodes the body, .problem is the slug of a problem+json."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def slug(self):
        if "problem+json" not in self.headers.get("content-type", ""):
            return None
        return self.json.get("slug")

    def __str__(self):
        return f"HTTP {self.status}: {self.body[:2000]!r}"


def clean_environment(home, **extra):
    """The few variables a child needs, nothing of the caller's MLOPS_* or terminal settings."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(home), "LANG": "C.UTF-8",
                   "XDG_CONFIG_HOME": str(pathlib.Path(home) / "config"), "TZ": "UTC"}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if key in os.environ:
            environment[key] = os.environ[key]
    environment.update(extra)
    return environment


class Daemon:
    """One mlopsd with its data directory. Attributes: port, pid, url, admin_token, data_dir, log_path, outputs."""

    def __init__(self, settings=None, config_text=None, start=True, tls=None, root=None):
        self.root = pathlib.Path(root or tempfile.mkdtemp(prefix="mlops-functional-"))
        self.root.mkdir(exist_ok=True)
        self._owns_root = root is None
        (self.root / "config").mkdir(exist_ok=True)
        self.data_dir = self.root / "data"
        self.log_path = self.root / "mlopsd.log"
        self.settings = dict(settings or {})
        self.tls = tls  # (certificate file, key file), for https clients
        self.config_text = config_text
        self.port = free_port()
        self.process = None
        self.outputs = []
        if start:
            self.start()

    # --- life -----------------------------------------------------------------------------------------------------

    @property
    def pid(self):
        return self.process.pid

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def admin_token(self):
        return (self.data_dir / "admin-token").read_text().strip()

    def environment(self):
        settings = {"MLOPSD_DATA_DIR": str(self.data_dir), "MLOPSD_LISTEN_PORT": str(self.port)}
        if self.tls:
            settings["MLOPSD_TLS_CERTIFICATE"] = str(self.tls[0])
            settings["MLOPSD_TLS_KEY"] = str(self.tls[1])
        settings.update(self.settings)
        return clean_environment(self.root, **settings)

    def arguments(self):
        if self.config_text is None:
            return [str(MLOPSD)]
        path = self.root / "mlopsd.yaml"
        path.write_text(self.config_text)
        return [str(MLOPSD), "--config", str(path)]

    def spawn(self):
        """Starts the process without waiting for readiness."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), env=self.environment(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, cwd=self.root)
        _live.add(self.process)

    def start(self):
        for attempt in range(3):
            self.spawn()
            if self._wait_ready():
                return self
            # The port was free a moment ago; another process may have taken it since.
            if attempt == 2 or "cannot listen" not in self.log_text():
                break
            self.port = free_port()
        raise AssertionError(f"mlopsd ended with {self.process.poll()} before it was ready\n{self.log_text()[-4000:]}")

    def _wait_ready(self):
        wait_until(lambda: self.process.poll() is not None or self.ready(), READY_WITHIN_S, "mlopsd ready")
        return self.process.poll() is None

    def ready(self):
        try:
            return self.api("GET", "/readyz", timeout_s=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill9(self):
        self.process.kill()
        self.process.wait()
        _live.discard(self.process)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """SIGTERM and wait; returns the exit code."""
        if self.process and self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError(f"mlopsd did not stop within {STOP_WITHIN_S:g} s") from None
        _live.discard(self.process)
        return self.process.returncode if self.process else None

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill9()
        if self._owns_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # --- talking to it --------------------------------------------------------------------------------------------

    def connect(self, timeout_s=30):
        if self.tls:
            context = ssl.create_default_context(cafile=str(self.tls[0]))
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout_s, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def api(self, method, path, body=None, token=None, headers=None, timeout_s=30, connection=None):
        """One call. body: bytes as they are, anything else as JSON. token: None sends none; "admin" the admin's."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = "Bearer " + (self.admin_token if token == "admin" else token)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        own = connection or self.connect(timeout_s)
        try:
            own.request(method, path, body=body, headers=sent)
            reply = own.getresponse()
            headers = {k.lower(): v for k, v in reply.getheaders()}
            endless = headers.get("content-type", "").startswith("text/event-stream")
            return Answer(reply.status, headers, b"" if endless else reply.read())
        finally:
            if not connection:
                own.close()

    def client_environment(self, token=None, **extra):
        variables = {"MLOPS_SERVER": self.url, "MLOPS_TOKEN": token or self.admin_token}
        if self.tls:
            variables["MLOPS_CA_FILE"] = str(self.tls[0])
        variables.update(extra)
        return clean_environment(self.root, **{k: v for k, v in variables.items() if v is not None})

    def ctl(self, *args, token=None, check=None, env=None, stdin=None, cwd=None, timeout_s=COMMAND_WITHIN_S):
        """Runs mlopsctl as the administrator or with `token`; check: the exit code it must give."""
        words = [str(arg) for arg in args]
        done = subprocess.run([str(MLOPSCTL), *words], env=self.client_environment(token, **(env or {})),
                              input=stdin if stdin is not None else b"", capture_output=True, cwd=cwd or self.root,
                              timeout=timeout_s)
        self.outputs += [done.stdout, done.stderr]
        result = Result(words, done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"))
        if check is not None and result.code != check:
            raise AssertionError(f"exit {check} expected: {result}")
        return result

    def new_token(self, principal, role, human=True, expires_in_s=86400, **extra):
        """A fresh token's secret, made over the API as the administrator."""
        answer = self.api("POST", "/api/v1/tokens", {"principal": principal, "human": human, "role": role,
                                                     "name": f"{principal}-{role}-{time.monotonic_ns()}",
                                                     "expires_in_s": expires_in_s, **extra}, token="admin")
        if answer.status != 201:
            raise AssertionError(f"token not made: {answer}")
        return answer.json["secret"]


def quote(reference):
    """A reference as one path segment."""
    return urllib.parse.quote(reference, safe="")


class DaemonCase(unittest.TestCase):
    """A test class with one daemon for all its tests, as `self.daemon`; each test should use its own names."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        for binary in (MLOPSD, MLOPSCTL):
            if not binary.exists():
                raise AssertionError(f"{binary.name} is not in {BUILD_DIR}/bin: build it, or set MLOPS_BUILD_DIR")
        cls.daemon = Daemon(settings=cls.settings)
        cls.addClassCleanup(cls.daemon.close)
        cls.work = cls.daemon.root / "work"
        cls.work.mkdir()
        cls.prepare()

    @classmethod
    def prepare(cls):
        """For a class's own fixtures."""

    @classmethod
    def file(cls, name, content):
        path = cls.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path

    @classmethod
    def ctl(cls, *args, **options):
        return cls.daemon.ctl(*args, **options)

    @classmethod
    def ok(cls, *args, **options):
        return cls.daemon.ctl(*args, check=DONE, **options)

    @classmethod
    def json(cls, *args, **options):
        """The value that a command prints under -o json; it must end well."""
        return cls.daemon.ctl(*args, "-o", "json", check=DONE, **options).json()

    @classmethod
    def items(cls, *args, **options):
        value = cls.json(*args, **options)
        return value["items"] if isinstance(value, dict) and "items" in value else value
