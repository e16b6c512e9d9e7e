"""The server's key ring, with real processes: rotated, a new promotion masks under the new version and the old one is
still revealed; destroyed, it is not; the audit log tells all of it, and no key is in a file, a backup, a log or an output."""

import hashlib
import hmac
import subprocess
import unittest

from harness import AUTHENTICATION, BUILD_DIR, DONE, REFUSED, USAGE, Daemon, DaemonCase

POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: 1.0.0}
spec:
  select: {kinds: [dataset]}
  classification:
    columns: {mrn: {class: mrn}, account: {class: account}, a1c: {class: measurement}}
    unknown_column: quarantine
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {tokenize: {vault: research}}}
      - {match: {class: account}, apply: {encrypt: {key: research}}}
  output: {sensitivity: pseudonymous}
"""
ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: research, clearance: pseudonymous, policies: [deid]}
"""


def table(first, count):
    rows = "".join(f"MRN-{first + i:07},acc-{first + i},{5 + i / 10}\n" for i in range(count))
    return ("mrn,account,a1c\n" + rows).encode()


class KeysTest(DaemonCase):
    settings = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0"}

    @classmethod
    def prepare(cls):
        cls.ok("policy", "apply", cls.file("p/deid.yaml", POLICY))
        cls.ok("env", "apply", cls.file("p/environments.yaml", ENVIRONMENTS))

    def masked(self, name, content):
        path = self.file(f"{name}/t.csv", content)
        ref = self.json("register", "dataset", name, path, "--sensitivity", "personal")["version"]["ref"]
        return self.json("promote", ref, "--to", "research", "--reason", "study")["masking"]["output"]

    def revealed(self, ref, *columns, **options):
        words = [word for column in columns for word in ("--column", column)]
        return self.ctl("reveal", ref, *words, "--reason", "recall 7", "--yes", **options)

    def states(self):
        return {key["id"]: key["state"] for key in self.items("key", "list")}

    def test_life_of_a_key(self):
        first = table(1000, 20)
        one = self.masked("ward", first)
        self.assertEqual(self.states(), {"research.1": "active"})
        self.assertEqual(self.revealed(one, "mrn", "account", check=DONE).stdout.encode(), first)

        self.ctl("key", "rotate", "research", check=USAGE)
        self.ok("key", "rotate", "research", "--reason", "yearly")
        self.assertEqual(self.states(), {"research.1": "retired", "research.2": "active"})
        second = table(2000, 20)
        two = self.masked("ward", second)
        self.assertEqual(self.revealed(one, "mrn", "account", check=DONE).stdout.encode(), first)
        self.assertEqual(self.revealed(two, "mrn", "account", check=DONE).stdout.encode(), second)
        runs = self.json("lineage", two)
        self.assertIn("masking", {node["type"] for node in runs["nodes"]})
        uses = [entry["target"] for entry in self.items("audit", "log", "--action", "key.use")]
        self.assertIn("research.2", uses)

        self.ctl("key", "destroy", "research.1", "--reason", "over", check=USAGE)
        self.ctl("key", "destroy", "research.2", "--reason", "over", "--yes", check=REFUSED)
        self.ctl("key", "destroy", "research.1", "--reason", "over", "--yes", check=AUTHENTICATION,
                 token=self.daemon.new_token("rita", "release"))
        self.assertEqual(self.json("key", "destroy", "research.1", "--reason", "over", "--dry-run")["tokens"], 20)
        said = self.ok("key", "destroy", "research.1", "--reason", "over", "--yes")
        self.assertIn("20 tokens of the vault", said.text)
        refused = self.revealed(one, "account", check=REFUSED)
        self.assertIn("research.1 was destroyed", refused.text)
        self.assertEqual(self.revealed(two, "mrn", "account", check=DONE).stdout.encode(), second)
        self.daemon.restart()
        self.assertEqual(self.states(), {"research.1": "destroyed", "research.2": "active"})
        self.revealed(one, "mrn", check=REFUSED)
        self.ctl("reveal", two, "--column", "mrn", "--reason", "x", "--yes", check=AUTHENTICATION,
                 token=self.daemon.new_token("vic", "viewer"))

        entries = self.items("audit", "log", "--limit", "0")
        told = [(entry["action"], entry["target"]) for entry in entries]
        for want in (("key.create", "research.1"), ("key.rotate", "research.2"), ("key.destroy", "research.1"),
                     ("key.use", "research.1"), ("key.use", "research.2"), ("data.reveal", one), ("data.reveal", two),
                     ("data.reveal_refused", one)):
            self.assertIn(want, told)
        reasons = " ".join(entry["reason"] for entry in entries)
        self.assertIn("recall 7", reasons)
        self.assertNotIn("MRN-0001000", reasons)
        self.ok("audit", "verify")

    def test_resealed_tokens_outlive_their_key(self):
        content = table(7000, 12)
        policy = POLICY.replace("name: deid", "name: sealed").replace("research", "sealed")
        self.ok("policy", "apply", self.file("p/sealed.yaml", policy))
        self.ok("env", "apply", self.file("p/more.yaml", ENVIRONMENTS + "  - {name: lab, clearance: pseudonymous, policies: [sealed]}\n"))
        ref = self.json("register", "dataset", "kept", self.file("kept/t.csv", content), "--sensitivity",
                        "personal")["version"]["ref"]
        one = self.json("promote", ref, "--to", "lab", "--reason", "study")["masking"]["output"]
        self.ok("key", "rotate", "sealed", "--reason", "yearly")
        said = self.ok("key", "destroy", "sealed.1", "--reason", "over", "--reseal", "--yes")
        self.assertIn("12 tokens of the vault are sealed under the active version", said.text)
        self.assertNotIn("lead nowhere", said.text)
        self.daemon.restart()
        shown = self.revealed(one, "mrn", check=DONE)
        self.assertEqual([line.split(",")[0] for line in shown.stdout.splitlines()[1:]],
                         [line.split(",")[0] for line in content.decode().splitlines()[1:]])
        self.assertIn("under sealed.2", shown.text)
        partly = self.revealed(one, "mrn", "account", check=DONE)
        self.assertIn("sealed.1 is destroyed: what only it opened is lost", partly.text)
        self.assertIn("sealed.1 was destroyed", self.revealed(one, "account", check=REFUSED).text)
        self.ok("audit", "verify")

    def test_refused_reveals_are_on_record(self):
        one = self.masked("refusing", table(9000, 2))
        viewer = self.daemon.new_token("ida", "viewer")
        self.revealed(one, "mrn", token=viewer, check=AUTHENTICATION)
        for ref, column in ((one, "a1c"), (one, "nothing=mrn"), ("nobody@v1", "mrn"), ("Jane Roe", "mrn")):
            self.assertNotEqual(self.revealed(ref, column).code, DONE)
        entries = self.items("audit", "log", "--action", "data.reveal_refused", "--limit", "0")
        told = [(entry["actor"], entry["target"], entry["reason"].split(":")[0]) for entry in entries]
        slugs = {(target, slug) for _, target, slug in told}
        self.assertIn((one, "missing_scope"), slugs)
        self.assertIn("ida", str([who for who, _, slug in told if slug == "missing_scope"]))
        self.assertIn((one, "column_not_reversible"), slugs)
        self.assertIn((one, "column_missing"), slugs)
        self.assertIn("nobody@v1", {target for target, _ in slugs})
        self.assertNotIn("Roe", str(entries))

    def test_no_key_in_the_clear(self):
        self.masked("other", table(5000, 3))
        master = bytes.fromhex((self.daemon.data_dir / "keys" / "masking.key").read_text().strip())
        self.ok("key", "create", "spare", "--reason", "test")
        backup = self.daemon.root / "backup"
        self.ok("backup", backup)
        wrap = hmac.new(master, b"mlops/server-keys/v1\0wrap", hashlib.sha256).digest()
        secrets = [form for key in (master, wrap) for form in (key, key.hex().encode())]
        files = [path for folder in (self.daemon.data_dir, backup) for path in folder.rglob("*")
                 if path.is_file() and path.parent.name != "keys"]
        self.assertTrue(any(path.suffix == ".db" or "mlops.db" in path.name for path in files))
        for path in [*files, self.daemon.log_path]:
            content = path.read_bytes()
            for secret in secrets:
                self.assertNotIn(secret, content, path)
        said = b"".join(self.daemon.outputs)
        self.assertNotIn(master.hex().encode(), said)


class ScanTest(DaemonCase):
    """What registration says about people in a dataset that was declared to have none."""
    settings = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0"}

    def test_raised_and_inherited(self):
        rows = "".join(f"{i},quentin{i}@example.org,{i / 7:.3f}\n" for i in range(40))
        answer = self.json("register", "dataset", "leads", self.file("leads/t.csv", ("id,email,x\n" + rows).encode()),
                           "--sensitivity", "none")
        self.assertEqual(answer["version"]["sensitivity"], "personal")
        self.assertEqual(answer["version"]["labels"], {"contains-pii": "email"})
        self.assertIn("email", answer["note"])
        self.assertNotIn("quentin", str(answer))
        model = self.json("register", "model", "m", self.file("m.bin", b"weights"), "--input", "leads@v1")["version"]
        self.assertEqual((model["sensitivity"], model["labels"]), ("personal", {"contains-pii": "email"}))
        plain = self.json("register", "dataset", "plain", self.file("plain/t.csv", b"x,y\n1,2\n3,4\n"),
                          "--sensitivity", "none")
        self.assertEqual((plain["version"]["sensitivity"], plain["version"]["labels"]), ("none", {}))


class MasterKeyTest(unittest.TestCase):
    def start(self, **settings):
        daemon = Daemon(settings={"MLOPSD_STORE_LOW_WATER_PERCENT": "0", **settings}, start=False)
        self.addCleanup(daemon.close)
        return daemon

    def test_places_and_rewrapping(self):
        daemon = self.start()
        keys = daemon.root / "credentials"
        keys.mkdir()
        for name, byte in (("one", "a1b2c3d4e5f60718293a4b5c6d7e8f90"), ("two", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")):
            (keys / name).write_text(byte * 2 + "\n")
            (keys / name).chmod(0o600)
        daemon.settings["MLOPSD_MASKING_MASTER_KEY"] = "credential:one"
        daemon.settings["CREDENTIALS_DIRECTORY"] = str(keys)
        daemon.start()
        self.assertFalse((daemon.data_dir / "keys" / "masking.key").exists())
        daemon.ctl("key", "create", "research", "--reason", "x", check=DONE)
        before = daemon.ctl("key", "list", "-o", "json", check=DONE).json()[0]["check"]
        daemon.stop()

        def mlopsd(*words):
            return subprocess.run([str(BUILD_DIR / "bin" / "mlopsd"), *words], env=daemon.environment(),
                                  capture_output=True, text=True, timeout=60, check=False)

        daemon.settings["MLOPSD_MASKING_MASTER_KEY"] = f"file:{keys / 'two'}"
        wrong = mlopsd()
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("does not open the key ring", wrong.stderr)
        daemon.settings["MLOPSD_MASKING_MASTER_KEY"] = "credential:one"
        rewrapped = mlopsd("--rewrap-keys", f"file:{keys / 'two'}")
        self.assertEqual(rewrapped.returncode, 0, rewrapped.stderr)
        daemon.settings["MLOPSD_MASKING_MASTER_KEY"] = "env:MASTER"
        daemon.settings["MASTER"] = (keys / "two").read_text()
        daemon.start()
        self.assertEqual(daemon.ctl("key", "list", "-o", "json", check=DONE).json()[0]["check"], before)
        daemon.ctl("audit", "verify", check=DONE)


if __name__ == "__main__":
    unittest.main()
