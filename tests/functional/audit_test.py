"""Tampering with the stopped daemon's files: whatever is edited, `audit verify`, `fsck` or `pull` says so and exits 8."""

import json
import os
import shutil
import sqlite3
import unittest

import fixtures
from harness import DONE, INTEGRITY, USAGE, Daemon, DaemonCase


class AuditTest(DaemonCase):
    """Every test works on its own copy of one small history."""

    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.content = bytes(range(256)) * 40
        cls.model_ref = cls.json("register", "model", "m", cls.file("m.bin", cls.content), "--metric", "auc=0.9",
                                 "--sensitivity", "none")["version"]["ref"]
        cls.ok("label", cls.model_ref, "team=cardio")
        cls.ok("alias", cls.model_ref, "champion")
        cls.ok("promote", cls.model_ref, "--to", "clinical", "--reason", "first")
        cls.version = cls.json("show", cls.model_ref)
        cls.entries = cls.items("audit", "log", "--limit", "0")
        cls.daemon.stop()

    def setUp(self):
        root = self.daemon.root / f"copy-{self._testMethodName}"
        root.mkdir()
        shutil.copytree(self.daemon.data_dir, root / "data")
        self.copy = Daemon(start=False, root=root)
        self.addCleanup(self.copy.close)

    def database(self):
        found = [p for p in self.copy.data_dir.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3"]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def edit(self, *statements):
        database = sqlite3.connect(self.database())
        with database:
            changed = sum(database.execute(sql, values).rowcount for sql, values in statements)
        database.close()
        self.assertGreater(changed, 0, "the test edited nothing")

    def stored_at(self, offset):
        """The pack that holds the byte at this offset of the model's file, and where."""
        piece = self.content[offset:offset + 64]
        found = [(p, p.read_bytes().find(piece)) for p in self.copy.data_dir.rglob("*.pack")]
        found = [(path, at) for path, at in found if at >= 0]
        self.assertEqual(len(found), 1, "the content is not in one pack, as it is")
        return found[0]

    def verify(self, *must_name):
        """Starts the copy and expects exit 8 that names every given word."""
        self.copy.start()
        result = self.copy.ctl("audit", "verify", check=INTEGRITY)
        for word in must_name:
            self.assertIn(str(word), result.text)
        machine = self.copy.ctl("audit", "verify", "-o", "json", check=INTEGRITY)
        self.assertIn("audit_broken", machine.text)
        return result

    def test_untouched(self):
        self.copy.start()
        report = self.copy.ctl("audit", "verify", "-o", "json", check=DONE).json()
        self.assertTrue(report["ok"])
        self.assertGreaterEqual(report["entries"], len(self.entries))
        self.copy.ctl("fsck", "--read-data", check=DONE)

    def test_one_byte_of_an_entry(self):
        seq = self.entries[len(self.entries) // 2]["seq"]
        path = self.database()
        database = sqlite3.connect(path)
        body = database.execute("SELECT body FROM audit WHERE seq = ?", (seq,)).fetchone()[0].encode()
        database.close()
        # One byte in the file itself, as a disk or an editor would change it.
        data = bytearray(path.read_bytes())
        at = data.find(body[:200])
        self.assertGreater(at, 0, "the entry's bytes were not found in the file")
        offset = at + body.index(b'"action":"') + len(b'"action":"')
        data[offset] ^= 0x01
        path.write_bytes(data)
        self.verify(f"entry {seq}")

    def test_every_entry_is_guarded(self):
        """The first, the second and the last entry as well: no seam at the ends of the chain."""
        total = self.entries[-1]["seq"]
        for seq in (1, 2, total):
            with self.subTest(seq=seq):
                self.edit(("UPDATE audit SET body = replace(body, '\"reason\":\"', '\"reason\":\"x') WHERE seq = ?", (seq,)))
                self.verify(f"entry {seq}")
                self.copy.stop()
                self.edit(("UPDATE audit SET body = replace(body, '\"reason\":\"x', '\"reason\":\"') WHERE seq = ?", (seq,)))

    def test_a_hash_made_to_fit(self):
        """Who edits an entry and recomputes its hash breaks the link to the next one."""
        import hashlib
        database = sqlite3.connect(self.database())
        body = database.execute("SELECT body FROM audit WHERE seq = 2").fetchone()[0].replace('"reason":"', '"reason":"y')
        database.close()
        self.edit(("UPDATE audit SET body = ?, hash = ? WHERE seq = 2", (body, hashlib.sha256(body.encode()).hexdigest())))
        self.verify("entry 3")

    def test_deleted_last_entry(self):
        last = self.entries[-1]["seq"]
        self.edit(("DELETE FROM audit WHERE seq = ?", (last,)), ("DELETE FROM audit_index WHERE seq = ?", (last,)))
        self.verify()

    def test_deleted_entry_in_the_middle(self):
        self.edit(("DELETE FROM audit WHERE seq = 3", ()), ("DELETE FROM audit_index WHERE seq = 3", ()))
        self.verify("entry 3")

    def test_swapped_entries(self):
        self.edit(("UPDATE audit SET seq = -1 WHERE seq = 2", ()), ("UPDATE audit SET seq = 2 WHERE seq = 3", ()),
                  ("UPDATE audit SET seq = 3 WHERE seq = -1", ()))
        self.verify("entry 2")

    def test_the_index_lies(self):
        self.edit(("UPDATE audit_index SET actor = 'somebody' WHERE seq = 4", ()))
        self.verify("entry 4")

    def test_edited_state(self):
        for table, statement in (
                ("versions/", "UPDATE versions SET metrics = '{\"auc\":0.99}'"),
                ("versions/", "UPDATE versions SET sensitivity = 'child'"),
                ("deployments/", "UPDATE deployments SET reason = 'another'"),
                ("environments/", "UPDATE environments SET body = replace(body, 'pseudonymous', 'child')"),
                ("policies/", "UPDATE policies SET body = replace(body, '0.7', '0.1')"),
                ("tokens/", "UPDATE tokens SET expires_at = expires_at + 1"),
                ("principals/", "UPDATE principals SET is_human = 1 - is_human"),
                ("version_labels/", "UPDATE version_labels SET value = 'x'"),
                ("aliases/", "UPDATE aliases SET alias = 'winner'"),
                ("deployments/", "DELETE FROM deployments")):
            with self.subTest(statement):
                self.copy.stop()
                shutil.rmtree(self.copy.data_dir)
                shutil.copytree(self.daemon.data_dir, self.copy.data_dir)
                self.edit((statement, ()))
                self.verify(table)

    def test_an_invented_row(self):
        self.edit(("INSERT INTO version_labels SELECT '00000000-0000-7000-8000-000000000000', version_id, 'extra', value, "
                   "valid_from, valid_to FROM version_labels LIMIT 1", ()))
        self.verify("version_labels/00000000-0000-7000-8000-000000000000")

    def test_flipped_blob_byte(self):
        path, at = self.stored_at(5000)
        data = bytearray(path.read_bytes())
        data[at] ^= 0x10
        path.write_bytes(data)
        digest = self.version["files"][0]["digest"]
        self.copy.start()
        target = self.copy.root / "pulled"
        self.copy.ctl("pull", self.model_ref, target, check=INTEGRITY)
        self.assertFalse((target / "m.bin").exists(), "broken bytes were left behind")
        self.assertEqual([p for p in target.rglob("*") if p.is_file()] if target.exists() else [], [])
        result = self.copy.ctl("fsck", "--read-data", check=INTEGRITY)
        self.assertIn(digest.split(":")[1][:12], result.text)

    def test_missing_and_short_pack(self):
        path, at = self.stored_at(0)
        index = path.with_suffix(".idx")
        if index.exists():
            index.unlink()
        os.truncate(path, at + 10)
        self.copy.start()
        self.assertIn(self.version["files"][0]["digest"].split(":")[1][:12], self.copy.ctl("fsck", check=INTEGRITY).text)
        self.copy.ctl("pull", self.model_ref, self.copy.root / "short", check=INTEGRITY)
        self.copy.stop()
        path.unlink()
        self.copy.start()
        self.assertIn(self.version["files"][0]["digest"].split(":")[1][:12], self.copy.ctl("fsck", check=INTEGRITY).text)
        # The same bytes again heal the store.
        self.copy.ctl("register", "model", "m", self.work / "m.bin", "--sensitivity", "none", check=DONE)
        self.copy.ctl("fsck", "--read-data", check=DONE)

    def test_edited_manifest(self):
        self.edit(("UPDATE manifests SET body = replace(body, 'm.bin', 'n.bin')", ()))
        self.copy.start()
        self.copy.ctl("fsck", check=INTEGRITY)

    def test_log_filters(self):
        self.copy.start()
        entries = self.copy.ctl("audit", "log", "--action", "version.register", "-o", "json", check=DONE).json()
        self.assertEqual([e["action"] for e in entries], ["version.register"])
        entry = entries[0]
        self.assertEqual(entry["target"].removeprefix("model:"), self.model_ref)
        self.assertTrue(entry["request_id"] and entry["source_ip"] == "127.0.0.1" and entry["at"].endswith("Z"))
        self.assertTrue(all(c["before"] is None and c["after"] for c in entry["changes"]))
        actions = {e["action"] for e in self.entries}
        self.assertLessEqual({"token.create", "policy.apply", "environment.apply", "version.register", "version.label",
                              "alias.set", "plan.create", "release.promote"}, actions)
        seqs = [e["seq"] for e in self.entries]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        for before, after in zip(self.entries, self.entries[1:]):
            self.assertEqual(after["previous"], before["hash"])
        late = self.copy.ctl("audit", "log", "--until", "2020-01-01", "-o", "json", check=DONE).json()
        self.assertEqual(late, [])
        self.copy.ctl("audit", "log", "--since", "no time", check=USAGE)
        self.assertNotIn("mlo_", json.dumps(self.entries))


if __name__ == "__main__":
    unittest.main()
