"""Malicious requests: each gets its stated refusal, then the daemon still answers and has not grown.

Raw sockets, so that nothing between the test and the daemon repairs what is sent. The numbers in the names are those of
the project's list of malicious inputs; a letter marks a further case of the same number.
"""

import concurrent.futures
import json
import re
import socket
import ssl
import time
import unittest

import harness

MEMORY_LIMIT_KIB = 256 * 1024
SLOW_WITHIN_S = 45  # the longest deadline of the listener (30 s) and some room

KIB = 1024
MIB = 1024 * KIB


class Reply:
    """One answer read from a raw socket; status 0: the connection ended without one."""

    def __init__(self, raw, closed):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        self.status = int(words[1]) if len(words) > 1 else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.closed = closed
        self.answers = len(re.findall(rb"HTTP/1\.1 \d{3} ", raw))

    @property
    def problem(self):
        return json.loads(self.body)

    def __str__(self):
        return f"status {self.status}, closed {self.closed}, {self.answers} answer(s): {self.body[:300]!r}"


def request(line, headers=(), body=b"", host=b"Host: localhost"):
    """The bytes of one request."""
    parts = [line if isinstance(line, bytes) else line.encode("latin-1")]
    if host is not None:
        parts.append(host)
    parts += [h if isinstance(h, bytes) else h.encode("latin-1") for h in headers]
    return b"\r\n".join(parts) + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class HostileCase(harness.DaemonCase):
    """The daemon and the checks that follow every attack."""

    def setUp(self):
        self.token = f"Authorization: Bearer {self.daemon.admin_token}"

    def tearDown(self):
        self.assertEqual(self.daemon.api("GET", "/livez").status, 200, "the daemon no longer answers")
        self.assertLess(self.resident_kib(), MEMORY_LIMIT_KIB, "the daemon has grown")

    def resident_kib(self):
        """The most the daemon ever had, not only what it has now."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        self.fail("no VmHWM")

    def connect(self, timeout_s=10):
        sock = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=timeout_s)
        self.addCleanup(sock.close)
        return sock

    def receive(self, sock, quiet_s=0.3):
        """What comes back until the daemon closes, or is quiet after an answer."""
        raw = b""
        try:
            while True:
                piece = sock.recv(64 * KIB)
                if not piece:
                    return Reply(raw, True)
                raw += piece
                sock.settimeout(quiet_s)
        except TimeoutError:
            return Reply(raw, False)
        except ConnectionError:
            return Reply(raw, True)

    def send(self, *segments, timeout_s=10):
        """Sends each segment on its own; a daemon that stops reading is no error of the test."""
        sock = self.connect(timeout_s)
        try:
            for segment in segments:
                sock.sendall(segment)
        except (ConnectionError, TimeoutError):
            pass
        return self.receive(sock)

    def refused(self, status, *segments, closes=True, timeout_s=10):
        """The one answer to `segments` has this status and a stable problem as its body."""
        reply = self.send(*segments, timeout_s=timeout_s)
        self.assertEqual(reply.status, status, str(reply))
        self.assertEqual(reply.answers, 1, f"more than one request was carried out: {reply}")
        if closes:
            self.assertTrue(reply.closed, f"the connection stays open: {reply}")
        self.check_problem(reply, status)
        return reply

    def check_problem(self, reply, status):
        self.assertEqual(reply.headers.get("content-type"), "application/problem+json", str(reply))
        problem = reply.problem
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["request_id"], reply.headers["x-request-id"])
        self.assertEqual(reply.headers.get("x-content-type-options"), "nosniff")
        self.assertNotIn("server", reply.headers)
        for word in (b"/src/", b".cc", b"boost", b"exception", b"what()"):
            self.assertNotIn(word, reply.body.lower(), "internals in an answer")

    def refused_json(self, path, body, status=400, method="POST"):
        """An authenticated request whose JSON text is `body`."""
        body = body if isinstance(body, bytes) else body.encode()
        return self.refused(status, request(f"{method} {path} HTTP/1.1",
                                            [self.token, "Content-Type: application/json",
                                             f"Content-Length: {len(body)}"], body), closes=False)

    def post(self, *headers):
        return request("POST /api/v1/versions HTTP/1.1", [self.token, "Content-Type: application/json", *headers])


class FramingTest(HostileCase):
    """Where one request ends and the next begins."""

    smuggled = request("GET /livez HTTP/1.1")

    def test_01_two_content_lengths(self):
        self.refused(400, self.post("Content-Length: 2", "Content-Length: 40") + b"{}" + self.smuggled)

    def test_01b_equal_content_lengths(self):
        self.refused(400, self.post("Content-Length: 2", "Content-Length: 2") + b"{}")
        self.refused(400, self.post("Content-Length: 2, 2") + b"{}")

    def test_02_content_length_and_transfer_encoding(self):
        self.refused(400, self.post("Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + self.smuggled)
        self.refused(400, self.post("Transfer-Encoding: chunked", "Content-Length: 4") + b"0\r\n\r\n" + self.smuggled)

    def test_03_other_transfer_encodings(self):
        for coding in ("xchunked", "gzip, chunked", "chunked, identity", "identity", "chunked, chunked", "\"chunked\""):
            with self.subTest(coding):
                self.refused(400, self.post(f"Transfer-Encoding: {coding}") + b"0\r\n\r\n" + self.smuggled)

    def test_04_negative_content_length(self):
        self.refused(400, self.post("Content-Length: -1"))

    def test_05_decorated_content_length(self):
        for value in ("+5", "5abc", "0x5", "5 5", "", "5.0", "\u00b2"):
            with self.subTest(value):
                self.refused(400, self.post(f"Content-Length: {value}") + b"{}   ")

    def test_06_huge_content_length(self):
        self.refused(400, self.post("Content-Length: 12345678901234567890123"))
        self.refused(413, self.post("Content-Length: 18446744073709551615"))

    def test_07_get_with_body_hides_a_request(self):
        self.refused(400, request("GET /livez HTTP/1.1", [f"Content-Length: {len(self.smuggled)}"]), self.smuggled)

    def test_08_get_with_body_on_every_path(self):
        for path in ("/", "/openapi.json", "/nowhere"):
            with self.subTest(path):
                self.refused(400, request(f"GET {path} HTTP/1.1", ["Transfer-Encoding: chunked"]),
                             b"0\r\n\r\n" + self.smuggled)
                reply = self.send(request(f"HEAD {path} HTTP/1.1", [f"Content-Length: {len(self.smuggled)}"]),
                                  self.smuggled)
                self.assertEqual((reply.status, reply.answers, reply.closed), (400, 1, True), str(reply))

    def test_09_negative_chunk_size(self):
        self.refused(400, self.post("Transfer-Encoding: chunked") + b"-2\r\nab\r\n0\r\n\r\n")

    def test_10_chunk_size_is_no_number(self):
        self.refused(400, self.post("Transfer-Encoding: chunked") + b"zz\r\nab\r\n0\r\n\r\n")

    def test_11_chunk_size_overflows(self):
        self.refused(400, self.post("Transfer-Encoding: chunked") + b"1" + b"0" * 16 + b"\r\nab\r\n0\r\n\r\n")

    def test_12_long_chunk_extension(self):
        self.refused(400, self.post("Transfer-Encoding: chunked") + b"2;" + b"e" * MIB + b"\r\n{}\r\n0\r\n\r\n")

    def test_12b_endless_trailers(self):
        self.refused(400, self.post("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n" + b"T: x\r\n" * 50_000)

    def test_13_chunked_body_over_the_limit(self):
        piece = chunk(b" " * MIB)
        self.refused(413, self.post("Transfer-Encoding: chunked"), *[piece] * 64)

    def test_13b_announced_body_over_the_limit(self):
        self.refused(413, self.post("Content-Length: 1073741824"))

    def test_14_post_without_length(self):
        self.refused(411, self.post())
        self.refused(411, request("POST /api/v1/blobs HTTP/1.1", [self.token]))
        self.refused(411, request("PUT /api/v1/aliases HTTP/1.1", [self.token]))

    def test_14b_authentication_comes_before_the_body(self):
        reply = self.refused(401, request("POST /api/v1/blobs HTTP/1.1", ["Content-Length: 1099511627776"]))
        self.assertEqual(reply.headers.get("www-authenticate"), "Bearer")

    def test_pipelined_requests_are_answered_in_order(self):
        reply = self.send(self.smuggled * 3 + request("GET /nowhere HTTP/1.1"))
        self.assertEqual(reply.answers, 4)
        self.assertEqual(reply.status, 200)
        self.assertIn(b"HTTP/1.1 404 ", reply.body)


class HeadTest(HostileCase):
    """The request line and the headers."""

    def test_15_bare_line_feeds(self):
        self.refused(400, b"GET /livez HTTP/1.1\nHost: localhost\n\n")
        self.refused(400, b"GET /livez HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n")

    def test_16_folded_header(self):
        self.refused(400, request("GET /livez HTTP/1.1", ["X-A: b", " folded"]))
        self.refused(400, request("GET /livez HTTP/1.1", ["X-A: b", "\tfolded"]))

    def test_17_space_before_the_colon(self):
        self.refused(400, self.post("Transfer-Encoding : chunked") + b"0\r\n\r\n")
        self.refused(400, request("GET /livez HTTP/1.1", ["X-A\t: b"]))

    def test_18_control_bytes(self):
        for byte in (b"\0", b"\x01", b"\x0b", b"\x1b", b"\x7f", b"\r"):
            with self.subTest(byte):
                self.refused(400, request("GET /livez HTTP/1.1", [b"X-A: a" + byte + b"b"]))
                self.refused(400, request(b"GET /li" + byte + b"vez HTTP/1.1"))

    def test_19_no_host(self):
        self.refused(400, request("GET /livez HTTP/1.1", host=None))
        self.refused(400, request("GET /livez HTTP/1.1", host=b"Host:"))

    def test_20_two_hosts(self):
        self.refused(400, request("GET /livez HTTP/1.1", ["Host: localhost"]))

    def test_21_host_of_somebody_else(self):
        for name in (b"evil.example", b"localhost.evil.example", b"127.0.0.1.evil.example", b"localhost:80:80",
                     b"[::1", b"169.254.169.254"):
            with self.subTest(name):
                self.refused(421, request("GET /livez HTTP/1.1", host=b"Host: " + name))

    def test_21b_own_names_are_answered(self):
        for name in (b"localhost", b"LOCALHOST:1", b"127.0.0.1", b"127.0.0.1:%d" % self.daemon.port):
            with self.subTest(name):
                self.assertEqual(self.send(request("GET /livez HTTP/1.1", host=b"Host: " + name)).status, 200)

    def test_22_escaped_line_break(self):
        reply = self.send(request("GET /livez HTTP/1.1", ["X-Request-Id: a%0d%0aSet-Cookie: b"]))
        self.assertEqual(reply.status, 200)
        self.assertNotIn("set-cookie", reply.headers)
        self.assertNotIn("%0d", reply.headers["x-request-id"])
        self.refused(400, request("GET /livez%0d%0aSet-Cookie:%20b HTTP/1.1"))
        self.refused(400, request("GET /livez?a=%0d%0aSet-Cookie:%20b HTTP/1.1"))

    def test_23_claimed_addresses_are_ignored(self):
        reply = self.send(request("GET /api/v1/whoami HTTP/1.1",
                                  [self.token, "REMOTE_ADDR: 10.1.2.3", "X-Forwarded-For: 10.1.2.3",
                                   "Forwarded: for=10.1.2.3", "X-Real-IP: 10.1.2.3"]))
        self.assertEqual(reply.status, 200, str(reply))
        self.assertNotIn(b"10.1.2.3", reply.body)
        self.assertNotIn("10.1.2.3", self.daemon.log_text())

    def test_24_too_many_headers(self):
        self.refused(431, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n" * 200_000)
        self.refused(431, request("GET /livez HTTP/1.1", [f"X{i}: y" for i in range(70)]))

    def test_25_endless_header(self):
        piece = b"a" * MIB
        self.refused(431, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ", *[piece] * 200)

    def test_26_long_target(self):
        self.refused(414, request("GET /" + "a" * 9000 + " HTTP/1.1"))
        self.refused(414, request("GET /livez?x=" + "a" * 9000 + " HTTP/1.1"))

    def test_query_parameters(self):
        self.refused(400, request("GET /livez?a=1&a=2 HTTP/1.1"))
        self.refused(400, request("GET /livez?a=1&%61=2 HTTP/1.1"))
        self.refused(400, request("GET /livez?" + "&".join(f"k{i}=v" for i in range(101)) + " HTTP/1.1"))

    def test_other_protocols_on_this_port(self):
        self.refused(400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.refused(400, request("GET /livez HTTP/0.9"))
        self.refused(400, request("GET http://localhost/livez HTTP/1.1"))
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(self.connect())

    def test_http_10_is_answered_and_closed(self):
        reply = self.send(request("GET /livez HTTP/1.0", ["Connection: keep-alive"]))
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.closed)
        self.assertEqual(reply.headers.get("connection"), "close")

    def test_unknown_methods(self):
        for method in ("BREW", "get", "CONNECT", "TRACE"):
            with self.subTest(method):
                self.refused(501, request(f"{method} /livez HTTP/1.1"))

    def test_wrong_method_names_the_right_ones(self):
        reply = self.refused(405, request("DELETE /livez HTTP/1.1"), closes=False)
        self.assertIn("GET", reply.headers["allow"])


class SlowTest(HostileCase):
    """Peers that hold on to what they have."""

    def drip(self, start, piece, pause_s):
        """Sends `start`, then `piece` again and again until the daemon answers."""
        sock = self.connect()
        sock.sendall(start)
        began = time.monotonic()
        sock.settimeout(pause_s)
        while time.monotonic() - began < SLOW_WITHIN_S:
            try:
                raw = sock.recv(64 * KIB)
            except TimeoutError:
                try:
                    sock.sendall(piece)
                except ConnectionError:
                    pass  # closed after its answer, which the next recv reads
                continue
            except ConnectionError:
                raw = b""
            return Reply(raw, True), time.monotonic() - began
        self.fail(f"still open after {SLOW_WITHIN_S} s")

    def test_27_28_slow_heads_and_bodies_while_others_work(self):
        head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "
        buffered = self.post("Content-Length: 1000000") + b"{"
        streamed = request("POST /api/v1/blobs HTTP/1.1", [self.token, "Content-Length: 1000000"])
        silent = self.post("Content-Length: 1000000") + b"{"
        with concurrent.futures.ThreadPoolExecutor(80) as pool:
            heads = [pool.submit(self.drip, head, b"a", 2.0) for _ in range(40)]
            bodies = [pool.submit(self.drip, buffered, b" ", 1.0), pool.submit(self.drip, streamed, b"x", 1.0),
                      pool.submit(self.drip, silent, b"", 1.0)]
            slowest_s = 0.0
            while not all(job.done() for job in heads + bodies):
                began = time.monotonic()
                self.assertEqual(self.daemon.api("GET", "/livez").status, 200)
                slowest_s = max(slowest_s, time.monotonic() - began)
                time.sleep(0.05)
            for job in heads:
                reply, after_s = job.result()
                self.assertEqual(reply.status, 408, str(reply))
                self.assertLess(after_s, 8, "the deadline of a head is absolute")
            for job in bodies:
                reply, _ = job.result()
                self.assertEqual(reply.status, 408, str(reply))
        self.assertLess(slowest_s, 2.0, "slow peers held up an honest one")

    def test_a_thousand_idle_connections(self):
        held = [self.connect() for _ in range(900)]
        began = time.monotonic()
        self.assertEqual(self.daemon.api("GET", "/livez").status, 200)
        self.assertLess(time.monotonic() - began, 2.0)
        for sock in held:
            sock.close()


class BodyTest(HostileCase):
    """What is inside a well-framed body, and in which encoding."""

    versions = "/api/v1/versions"

    def test_29_many_ranges(self):
        upload = request("POST /api/v1/blobs HTTP/1.1", [self.token, "Content-Length: 4"], b"data")
        self.assertEqual(self.send(upload).status, 201)
        digest = "sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
        many = ",".join(f"{i}-{i}" for i in range(0, 2500))[:8000].rsplit(",", 1)[0]
        for ranges in (many, "0-1,0-1", "9-", "1-0", "x"):
            with self.subTest(ranges[:20]):
                reply = self.send(request(f"GET /api/v1/blobs/{digest} HTTP/1.1",
                                          [self.token, f"Range: bytes={ranges}"]))
                self.assertEqual(reply.status, 416, str(reply))
        self.refused(400, request(f"GET /api/v1/blobs/{digest} HTTP/1.1",
                                  [self.token, "Range: bytes=0-1", "Range: bytes=2-3"]))

    def test_30_31_32_encoded_bodies(self):
        for coding in ("gzip", "br", "deflate", "zstd", "identity, gzip", "nonsense"):
            with self.subTest(coding):
                self.refused(415, self.post(f"Content-Encoding: {coding}", "Content-Length: 2") + b"{}")

    def test_other_content_types(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"):
            with self.subTest(kind):
                self.refused(415, request("POST /api/v1/versions HTTP/1.1",
                                          [self.token, f"Content-Type: {kind}", "Content-Length: 2"], b"{}"))

    def test_33_json_depth(self):
        self.refused_json(self.versions, "[" * 1_000_000)
        self.refused_json(self.versions, '{"a":' * 1_000_000 + "1" + "}" * 1_000_000, status=413)
        self.refused_json(self.versions, '{"a":' * 500_000 + "1" + "}" * 500_000)

    def test_34_json_keys(self):
        keys = ",".join(f'"{i:x}":0' for i in range(350_000))
        self.refused_json(self.versions, "{" + keys + "}")
        self.refused_json(self.versions, "{" + ",".join(f'"{i}":0' for i in range(1_000_000)) + "}", status=413)

    def test_35_json_duplicate_keys(self):
        self.refused_json(self.versions, '{"kind":"model","kind":"dataset","name":"x","files":[]}')

    def test_36_37_38_numbers_that_are_no_size(self):
        digest = "sha256:" + "a" * 64
        for size in ("-1", "1e30", "18446744073709551616", "1.5", "\"1\"", "null", "true"):
            with self.subTest(size):
                self.refused_json("/api/v1/blobs/missing", f'{{"blobs":[{{"digest":"{digest}","size_bytes":{size}}}]}}')

    def test_39_text_that_is_no_text(self):
        for name in (b"\\ud800", b"\\udc00\\ud800", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"a\\u0000b", b"a\x00b",
                     b"a\x01b"):
            with self.subTest(name):
                self.refused_json(self.versions, b'{"kind":"model","name":"' + name + b'","files":[]}')

    def test_json_that_is_no_json(self):
        for text in ("", "{", "[]", "1", "null", "{}{}", "{'a':1}", "NaN", "{\"a\":1,}", "\ufeff{}"):
            with self.subTest(text):
                self.refused_json(self.versions, text)

    def test_40_to_44_hostile_yaml(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8))
        cases = {
            "40 comma": ",",
            "41 cyclic alias": "a: &a [*a]",
            "42 alias bomb": bomb,
            "43 duplicate key": "kind: Environments\nkind: Environments",
            "44 tag": "!!python/object/apply:os.system ['true']",
            "two documents": "kind: Environments\n---\nkind: Environments",
            "depth": "[" * 100_000,
            "nodes": "[" + "1," * 300_000 + "1]",
        }
        for path in ("/api/v1/environments", "/api/v1/policies"):
            for name, text in cases.items():
                with self.subTest(name, path=path):
                    self.refused_json(path, json.dumps({"yaml": text, "origin": "hostile.yaml"}))


class NameTest(HostileCase):
    """45: names that would be paths."""

    spellings = ("../x", "..\\x", "%2e%2e%2f", "%252e%252e", "x;/../y", "x#/../../etc/passwd", "x%00.png", "..%2Fx",
                 "%2e%2e%5cx", "a%2F..%2F..%2Fetc%2Fpasswd", "..%c0%afx", "%ff", "%", "%zz", "x%0ay")

    def test_45_in_the_path(self):
        for spelling in self.spellings:
            with self.subTest(spelling):
                self.refused(400, request(f"GET /api/v1/versions/{spelling} HTTP/1.1", [self.token]), closes=False)

    def test_45_in_the_body(self):
        for spelling in ("../x", "..\\x", "%2e%2e%2f", "%252e%252e", "x;/../y", "x#/../../etc/passwd", "x%00.png",
                         "/etc/passwd", "x/../../y", ".", "..", "", "a//b", "A", "x y", "\u202ex"):
            with self.subTest(spelling):
                self.refused_json("/api/v1/versions", json.dumps({"kind": "model", "name": spelling, "files": []}))


if __name__ == "__main__":
    unittest.main()
