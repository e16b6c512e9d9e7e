"""The daemon as an operator meets it: starting, refusing to start, TLS, draining, what it tells about itself."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from harness import DONE, MLOPSCTL, MLOPSD, REPOSITORY, Daemon, DaemonCase, quote, wait_until

sys.path.insert(0, str(REPOSITORY / "tests" / "tidy"))
from tidy_test import documented_routes  # noqa: E402

REFUSES_WITHIN_S = 5.0
METRIC_LINE = re.compile(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*\})? '
                         r"(NaN|[+-]?Inf|[+-]?[0-9.]+(e[+-]?[0-9]+)?)$")


class Refusing(unittest.TestCase):
    """A daemon that must not start: its exit code is not 0 and it says why."""

    def daemon(self, **keywords):
        daemon = Daemon(start=False, **keywords)
        self.addCleanup(daemon.close)
        return daemon

    def refuses(self, daemon, *words):
        daemon.spawn()
        wait_until(lambda: daemon.process.poll() is not None, REFUSES_WITHIN_S, "the daemon refuses to start")
        self.assertNotEqual(daemon.process.returncode, 0)
        self.assertGreater(daemon.process.returncode, 0, "it ended by a signal")
        said = daemon.log_text()
        for word in words:
            self.assertRegex(said, word)
        return said


class StartTest(Refusing):
    def test_second_daemon_on_the_same_directory(self):
        first = self.daemon()
        first.start()
        second = self.daemon(settings={"MLOPSD_DATA_DIR": str(first.data_dir)})
        before = time.monotonic()
        self.refuses(second, re.escape(str(first.data_dir)))
        self.assertLess(time.monotonic() - before, 2.0)
        self.assertEqual(first.api("GET", "/readyz").status, 200, "the first one is unharmed")

    def test_newer_schema(self):
        daemon = self.daemon()
        daemon.start()
        self.assertEqual(daemon.stop(), 0)
        path = next(p for p in daemon.data_dir.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3")
        database = sqlite3.connect(path)
        with database:
            database.execute("INSERT INTO migrations VALUES ('9999_from_the_future.sql', 'ab', 0)")
        database.close()
        self.refuses(daemon, "9999_from_the_future")

    def test_altered_migration(self):
        daemon = self.daemon()
        daemon.start()
        daemon.stop()
        path = next(p for p in daemon.data_dir.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3")
        database = sqlite3.connect(path)
        with database:
            database.execute("UPDATE migrations SET sha256 = 'ab'")
        database.close()
        self.refuses(daemon, "migration")

    def test_unknown_key(self):
        said = self.refuses(self.daemon(config_text="listen:\n  port: 1\n  prot: 2\n"), r"mlopsd\.yaml:3:3")
        self.assertIn("prot", said)

    def test_broken_yaml(self):
        self.refuses(self.daemon(config_text="listen: [\n"), r"mlopsd\.yaml:\d+:\d+")

    def test_unknown_option(self):
        done = subprocess.run([str(MLOPSD), "--confg"], capture_output=True, text=True, timeout=REFUSES_WITHIN_S)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("--confg", done.stderr)

    def test_rewrap_without_a_place(self):
        done = subprocess.run([str(MLOPSD), "--rewrap-keys", ""], capture_output=True, text=True,
                              timeout=REFUSES_WITHIN_S)
        self.assertEqual(done.returncode, 2, "an unset variable of a script starts no daemon")
        self.assertIn("--rewrap-keys", done.stderr)

    def test_help_and_version(self):
        done = subprocess.run([str(MLOPSD), "--help"], capture_output=True, text=True, timeout=REFUSES_WITHIN_S)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("--config", done.stdout)
        done = subprocess.run([str(MLOPSD), "--version"], capture_output=True, text=True, timeout=REFUSES_WITHIN_S)
        self.assertRegex(done.stdout, r"mlopsd \d+\.\d+\.\d+")

    def test_bad_environment_value(self):
        daemon = self.daemon(settings={"MLOPSD_LISTEN_PORT": "eighty"})
        self.refuses(daemon, "MLOPSD_LISTEN_PORT")

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.refuses(self.daemon(settings={"MLOPSD_LISTEN_PORT": str(taken.getsockname()[1])}), "cannot.listen")

    def test_open_address_without_tls(self):
        said = self.refuses(self.daemon(settings={"MLOPSD_LISTEN_ADDRESS": "0.0.0.0"}), "TLS|tls")
        self.assertRegex(said, r"[a-z_]+", "the setting that allows it is named")

    def test_unwritable_data_directory(self):
        blocker = self.daemon()
        (blocker.root / "file").write_text("")
        blocker.settings["MLOPSD_DATA_DIR"] = str(blocker.root / "file")
        self.refuses(blocker)

    def test_first_start_sets_up_the_local_client(self):
        daemon = self.daemon()
        daemon.start()
        environment = daemon.client_environment()
        del environment["MLOPS_SERVER"], environment["MLOPS_TOKEN"]
        done = subprocess.run([str(MLOPSCTL), "whoami", "-o", "json"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn('"admin"', done.stdout)

    def test_state_survives_a_restart(self):
        daemon = self.daemon()
        daemon.start()
        path = daemon.root / "m.bin"
        path.write_bytes(b"kept")
        daemon.ctl("register", "model", "kept", path, check=DONE)
        token = daemon.admin_token
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        self.assertEqual(daemon.admin_token, token)
        self.assertEqual(daemon.ctl("show", "kept@v1", "-o", "json", check=DONE).json()["ref"], "kept@v1")

    def test_no_temporary_files_after_a_clean_stop(self):
        daemon = self.daemon()
        daemon.start()
        daemon.stop()
        names = [p.name for p in daemon.data_dir.rglob("*") if p.is_file()]
        self.assertEqual([n for n in names if "tmp" in n.lower()], [])

    def test_logs_are_one_json_object_a_line(self):
        daemon = self.daemon()
        daemon.start()
        daemon.api("GET", "/api/v1/whoami", token="admin")
        daemon.api("GET", "/api/v1/whoami")
        daemon.stop()
        lines = daemon.log_text().splitlines()
        self.assertGreater(len(lines), 2)
        for line in lines:
            entry = json.loads(line)
            self.assertTrue({"level"} <= set(entry), line)
        self.assertNotIn(daemon.admin_token, daemon.log_text())


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class TlsTest(Refusing):
    def certificate(self, folder):
        certificate, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        return certificate, key

    def test_tls(self):
        daemon = self.daemon()
        daemon.tls = self.certificate(daemon.root)
        daemon.settings["MLOPSD_LISTEN_ADDRESS"] = "0.0.0.0"  # with TLS an open address is allowed
        daemon.start()
        self.assertEqual(daemon.api("GET", "/api/v1/whoami", token="admin").json["principal"], "admin")
        path = daemon.root / "m.bin"
        path.write_bytes(os.urandom(2_000_000))
        daemon.ctl("register", "model", "over-tls", path, check=DONE)
        daemon.ctl("pull", "over-tls@v1", daemon.root / "out", check=DONE)
        self.assertEqual((daemon.root / "out" / "m.bin").read_bytes(), path.read_bytes())
        untrusted = daemon.ctl("whoami", env={"MLOPS_CA_FILE": None})
        self.assertEqual(untrusted.code, 1, untrusted)
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as plain:
            plain.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.assertNotIn(b"200 OK", plain.recv(4096))
        old = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", "-tls1_1"],
                             input=b"", capture_output=True, timeout=10)
        self.assertNotEqual(old.returncode, 0, "TLS 1.1 was accepted")

    def test_certificate_without_key(self):
        daemon = self.daemon()
        certificate, _ = self.certificate(daemon.root)
        daemon.settings["MLOPSD_TLS_CERTIFICATE"] = str(certificate)
        self.refuses(daemon, "key")

    def test_key_of_another_certificate(self):
        daemon = self.daemon()
        certificate, _ = self.certificate(daemon.root)
        other = daemon.root / "other"
        other.mkdir()
        _, key = self.certificate(other)
        daemon.tls = (certificate, key)
        self.refuses(daemon)


class DrainTest(Refusing):
    def test_sigterm_under_load(self):
        """No request that was accepted fails: each is answered 2xx, or its connection was closed between requests."""
        daemon = self.daemon()
        daemon.start()
        token = daemon.admin_token
        blob = os.urandom(200_000)
        broken, answered, stop = [], [0], threading.Event()

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    if number % 2:
                        answer = daemon.api("POST", "/api/v1/blobs", blob + bytes([number]) + str(count).encode(), token=token,
                                            headers={"Content-Type": "application/octet-stream"}, connection=connection)
                    else:
                        answer = daemon.api("GET", "/api/v1/whoami", token=token, connection=connection)
                except (http.client.RemoteDisconnected, ConnectionRefusedError, ConnectionResetError, BrokenPipeError,
                        http.client.CannotSendRequest):
                    return  # closed between requests, or no longer accepting: never half an answer
                except http.client.HTTPException as error:
                    broken.append(repr(error))
                    return
                if answer.status == 503:
                    return
                if answer.status not in (200, 201):
                    broken.append(str(answer))
                answered[0] += 1

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            clients = [pool.submit(client, n) for n in range(24)]
            wait_until(lambda: answered[0] > 200, 20, "the load is running")
            daemon.terminate()
            daemon.process.wait(35)
            stop.set()
            for one in clients:
                one.result()
        self.assertEqual(broken, [])
        self.assertEqual(daemon.process.returncode, 0)
        daemon.start()
        self.assertEqual(daemon.api("GET", "/api/v1/fsck?read_data=1", token="admin", timeout_s=60).json["ok"], True)

    def test_a_running_upload_is_finished(self):
        daemon = self.daemon()
        daemon.start()
        token = daemon.admin_token
        body = os.urandom(400_000)
        connection = socket.create_connection(("127.0.0.1", daemon.port), timeout=20)
        connection.sendall((f"POST /api/v1/blobs HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nAuthorization: Bearer {token}\r\n"
                            f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n").encode())
        connection.sendall(body[:200_000])
        # The daemon has the head once part of the body has left our socket buffer; then it is told to stop.
        wait_until(lambda: daemon.api("GET", "/readyz").status == 200, 5, "the daemon is alive")
        daemon.terminate()
        wait_until(lambda: not daemon.ready(), 5, "readiness turns false first")
        connection.sendall(body[200_000:])
        answer = connection.recv(65536)
        self.assertIn(b" 201 ", answer.split(b"\r\n")[0])
        connection.close()
        self.assertEqual(daemon.process.wait(35), 0)

    def test_idle_connections_do_not_hold_it(self):
        daemon = self.daemon()
        daemon.start()
        idle = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(20)]
        idle[0].sendall(b"GET /livez HTTP/1.1\r\nHo")
        before = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - before, 10)
        for connection in idle:
            connection.close()


class SelfDescriptionTest(DaemonCase):
    def test_health(self):
        for path in ("/livez", "/readyz"):
            answer = self.daemon.api("GET", path)
            self.assertEqual((answer.status, answer.json), (200, {"status": "ok"}))
        answer = self.daemon.api("HEAD", "/livez")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_version(self):
        version = self.daemon.api("GET", "/version").json
        self.assertEqual((version["name"], version["api"]), ("mlopsd", "v1"))
        self.assertRegex(version["version"], r"^\d+\.\d+\.\d+")
        self.assertEqual(self.daemon.api("GET", "/version").headers.get("server", ""), "", "no banner")

    def test_openapi_holds_every_documented_route(self):
        document = self.daemon.api("GET", "/openapi.json").json
        self.assertTrue(document["openapi"].startswith("3.1"))
        self.assertTrue(document["info"]["title"] and document["info"]["version"])
        listed = {(method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
                  for path, item in document["paths"].items() for method in item if method != "parameters"}
        documented = documented_routes((REPOSITORY / "docs/format/wire.md").read_text())
        self.assertEqual(documented - listed, set())
        self.assertEqual(listed - documented, set())
        seen = set()
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                self.assertTrue(operation["summary"] and operation["responses"] and operation["x-scope"], path)
                if "operationId" in operation:
                    self.assertNotIn(operation["operationId"], seen)
                    seen.add(operation["operationId"])
                names = {p["name"] for p in operation.get("parameters", []) + item.get("parameters", []) if p["in"] == "path"}
                self.assertEqual(names, set(re.findall(r"\{([^}]*)\}", path)), path)

    def test_metrics(self):
        self.daemon.api("GET", f"/api/v1/versions/{quote('secret-name@v1')}", token="admin")
        answer = self.daemon.api("GET", "/metrics", token="admin")
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        text = answer.body.decode()
        types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.assertNotIn(name, types)
                types[name] = kind
            elif line and not line.startswith("#"):
                self.assertRegex(line, METRIC_LINE)
                name = re.split(r"[{ ]", line)[0]
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name) if name not in types else name, types)
        self.assertTrue(any("request" in name for name in types), types)
        self.assertNotIn("secret-name", text, "no path parameter becomes a label")

    def test_problem_json(self):
        answer = self.daemon.api("GET", f"/api/v1/versions/{quote('absent@v1')}", token="admin")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.headers["content-type"].split(";")[0], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"]), (404, "not_found"))
        self.assertEqual(problem["type"], "urn:mlops:error:" + problem["slug"])
        self.assertTrue(problem["detail"] and problem["request_id"] and problem["title"])

    def test_request_ids_differ(self):
        ids = {self.daemon.api("GET", "/api/v1/whoami").json["request_id"] for _ in range(5)}
        self.assertEqual(len(ids), 5)

    def test_foreign_host_is_refused(self):
        answer = self.daemon.api("GET", "/livez", headers={"Host": "evil.example.org"})
        self.assertEqual(answer.status, 421, answer)

    def test_unknown_members_are_errors(self):
        answer = self.daemon.api("POST", "/api/v1/tokens", {"principal": "x", "human": True, "role": "viewer", "name": "x",
                                                            "expires_in_s": 60, "colour": "red"}, token="admin")
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid"))

    def test_lists_have_limits(self):
        for bad in ("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=2147483648", "after=%00"):
            answer = self.daemon.api("GET", f"/api/v1/versions?{bad}", token="admin")
            self.assertEqual(answer.status, 400, f"{bad}: {answer}")

    @unittest.skipUnless(pathlib.Path("/proc/self/status").exists(), "no /proc")
    def test_idle_memory(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        rss_kib = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        if "san" not in os.environ.get("MLOPS_BUILD_DIR", ""):
            self.assertLess(rss_kib, 64 * 1024)

    @unittest.skipUnless(pathlib.Path("/proc/self/limits").exists(), "no /proc")
    def test_keys_get_into_no_core_dump(self):
        limits = pathlib.Path(f"/proc/{self.daemon.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_file_modes(self):
        for path in self.daemon.data_dir.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, f"{path.name} is open to others")


if __name__ == "__main__":
    unittest.main()
