"""Every route × every kind of token, from the route table as /openapi.json tells it: nothing can be forgotten here."""

import json
import os
import re
import stat
import time
import unittest

from harness import AUTHENTICATION, DONE, DaemonCase, wait_until

ROLES = ("viewer", "ci", "release", "approver", "auditor", "admin", "oncall")
# Held apart on purpose, whatever else a role may do: (role, scope it must not have).
SEPARATION = [
    ("viewer", "artifact:write"), ("viewer", "release:promote"), ("viewer", "audit:read"),
    ("ci", "release:promote"), ("ci", "release:approve"), ("ci", "artifact:delete"), ("ci", "policy:write"),
    ("release", "release:approve"), ("release", "policy:write"), ("release", "environment:write"),
    ("approver", "release:promote"), ("approver", "artifact:write"), ("auditor", "artifact:write"),
    ("auditor", "release:promote"), ("release", "token:admin"), ("auditor", "token:admin"),
    ("oncall", "release:approve"), ("oncall", "policy:write"), ("admin", "release:break-glass"),
]


class AuthTest(DaemonCase):
    @classmethod
    def prepare(cls):
        document = cls.daemon.api("GET", "/openapi.json").json
        cls.routes = [(method.upper(), path, operation["x-scope"], operation)
                      for path, item in document["paths"].items() for method, operation in item.items()
                      if method in ("get", "put", "post", "delete", "patch", "head")]
        cls.tokens = {role: cls.daemon.new_token(f"{role}-person", role) for role in ROLES}
        cls.scopes = {role: set(cls.daemon.api("GET", "/api/v1/whoami", token=token).json["scopes"])
                      for role, token in cls.tokens.items()}

    def call(self, method, path, token=None, **options):
        """A call that names nothing that exists, so that only authorisation decides between 401/403 and the rest."""
        concrete = re.sub(r"\{[^}]*\}", "00000000", path)
        body = {} if method in ("POST", "PUT", "DELETE", "PATCH") else None
        return self.daemon.api(method, concrete, body, token=token, **options)

    def closed_routes(self):
        return [(m, p, s) for m, p, s, _ in self.routes if s != "public"]

    def test_the_table_is_whole(self):
        self.assertGreaterEqual(len(self.routes), 40)
        public = {p for _, p, s, _ in self.routes if s == "public"}
        self.assertEqual(public, {"/livez", "/readyz", "/version", "/openapi.json"})

    def assert_all_401(self, what, token=None, **options):
        for method, path, _ in self.closed_routes():
            with self.subTest(f"{method} {path}", token=what):
                answer = self.call(method, path, token, **options)
                self.assertEqual(answer.status, 401, answer)
                self.assertEqual(answer.json["code"], "unauthenticated")
                self.assertIn("bearer", answer.headers.get("www-authenticate", "").lower())

    def test_no_token(self):
        self.assert_all_401("none")

    def test_garbage(self):
        self.assert_all_401("garbage", "mlo_" + "A" * 43)

    def test_malformed_headers(self):
        good = self.tokens["admin"]
        flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
        for value in ("Bearer", "Bearer ", f"Basic {good}", good, f"Bearer {flipped}", f"Bearer {good}x",
                      f"Bearer {good[:-1]}", f"Bearer {good} {good}", "Bearer \u00e9".encode().decode("latin-1")):
            with self.subTest(value[:12]):
                answer = self.daemon.api("GET", "/api/v1/whoami", headers={"Authorization": value})
                self.assertEqual(answer.status, 401, answer)
                self.assertNotIn(good[8:], answer.body.decode(errors="replace"))

    def test_a_token_in_the_query_is_no_token(self):
        for name in ("token", "access_token", "authorization"):
            answer = self.daemon.api("GET", f"/api/v1/whoami?{name}={self.tokens['admin']}")
            self.assertIn(answer.status, (400, 401), answer)

    def test_expired(self):
        token = self.daemon.new_token("short-lived", "admin", expires_in_s=1)
        wait_until(lambda: self.daemon.api("GET", "/api/v1/whoami", token=token).status == 401, 5, "the token expires")
        self.assert_all_401("expired", token)

    def test_revoked_within_a_second(self):
        token = self.daemon.new_token("revoked-person", "admin")
        self.assertEqual(self.daemon.api("GET", "/api/v1/whoami", token=token).status, 200)
        token_id = self.daemon.api("GET", "/api/v1/whoami", token=token).json["token"]["id"]
        answer = self.daemon.api("DELETE", f"/api/v1/tokens/{token_id}", {}, token="admin")
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.json["revoked_at"])
        revoked = time.monotonic()
        wait_until(lambda: self.daemon.api("GET", "/api/v1/whoami", token=token).status == 401, 1, "revocation works")
        self.assertLess(time.monotonic() - revoked, 1.0)
        self.assert_all_401("revoked", token)

    def test_every_route_for_every_role(self):
        for role in ROLES:
            for method, path, scope in self.closed_routes():
                allowed = scope == "self" or scope in self.scopes[role]
                with self.subTest(f"{method} {path}", role=role, scope=scope):
                    answer = self.call(method, path, self.tokens[role])
                    if allowed:
                        self.assertNotIn(answer.status, (401, 403), answer)
                        self.assertLess(answer.status, 500, answer)
                    else:
                        self.assertEqual(answer.status, 403, answer)
                        self.assertEqual(answer.json["code"], "denied")
                        self.assertIn(scope, answer.body.decode(), "the answer says which scope was missing")

    def test_viewer_cannot_write_anything(self):
        # What a pull asks for is too long for a GET.
        reads = {"/api/v1/store/fetch"}
        # Everybody may register a signing key of their own.
        writes = [(m, p, s) for m, p, s in self.closed_routes() if m != "GET" and p not in reads and s != "self"]
        self.assertGreater(len(writes), 15)
        for method, path, _ in writes:
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.call(method, path, self.tokens["viewer"]).status, 403)

    def test_roles_are_held_apart(self):
        for role, scope in SEPARATION:
            self.assertNotIn(scope, self.scopes[role], f"{role} must not have {scope}")
        # Breaking the glass is nobody's but those on call.
        everything = set().union(*(self.scopes[role] for role in ROLES)) - {"release:break-glass"}
        self.assertTrue(self.scopes["admin"].issuperset(everything))

    def test_a_narrowed_token(self):
        token = self.daemon.new_token("narrow", "admin", scopes=["read"])
        self.assertEqual(self.daemon.api("GET", "/api/v1/versions", token=token).status, 200)
        self.assertEqual(self.daemon.api("GET", "/api/v1/audit", token=token).status, 403)

    def test_a_token_cannot_widen_its_role(self):
        answer = self.daemon.api("POST", "/api/v1/tokens", {
            "principal": "wide", "human": True, "role": "viewer", "name": "wide", "expires_in_s": 60,
            "scopes": ["read", "token:admin"]}, token="admin")
        self.assertIn(answer.status, (400, 403), answer)

    def test_can_i_agrees_with_the_routes(self):
        for role in ROLES:
            for scope in sorted({s for _, _, s in self.closed_routes()} - {"self"}):
                answer = self.daemon.api("GET", f"/api/v1/can-i?action={scope}", token=self.tokens[role])
                self.assertEqual(answer.json["allowed"], scope in self.scopes[role], f"{role} {scope}")
                self.assertTrue(answer.json["why"])

    def test_wrong_method_and_unknown_route(self):
        answer = self.daemon.api("DELETE", "/api/v1/versions", {}, token="admin")
        self.assertEqual(answer.status, 405, answer)
        self.assertIn("GET", answer.headers.get("allow", ""))
        self.assertEqual(self.daemon.api("GET", "/api/v1/nothing", token="admin").status, 404)

    def test_the_secret_is_nowhere_on_disk(self):
        secret = self.tokens["release"]
        self.daemon.ctl("whoami", token=secret, check=DONE)
        for path in self.daemon.root.rglob("*"):
            if path.is_file() and path.name != "admin-token" and not path.is_relative_to(self.daemon.root / "config"):
                self.assertNotIn(secret.encode(), path.read_bytes(), f"the secret stands in {path.name}")

    def test_the_administrators_file(self):
        path = self.daemon.data_dir / "admin-token"
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.daemon.data_dir).st_mode) & 0o077, 0)

    def test_cli_words(self):
        made = self.json("token", "create", "cli-person", "--role", "viewer")
        self.assertTrue(made["secret"].startswith("mlo_"))
        who = self.json("whoami", token=made["secret"])
        self.assertEqual((who["principal"], who["roles"]), ("cli-person", ["viewer"]))
        listed = json.dumps(self.items("token", "list"))
        self.assertNotIn(made["secret"], listed)
        self.assertIn(made["id"], listed)
        self.ctl("label", "x@v1", "a=b", token=made["secret"], check=AUTHENTICATION)
        self.ok("token", "revoke", made["id"])
        self.ctl("whoami", token=made["secret"], check=AUTHENTICATION)

    def test_can_i_on_the_command_line(self):
        self.ctl("can-i", "release:promote", token=self.tokens["release"], check=DONE)
        self.ctl("can-i", "release:promote", token=self.tokens["viewer"], check=3)


if __name__ == "__main__":
    unittest.main()
