"""What happens to the content store: bits that flip, indexes that are lost, the format before packs, and a full disk.

MLOPS_STORE_SEED (store_test.py) replays the contents and the places of the damage.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness import DONE, FAILED, INTEGRITY, Daemon, quote
from store_test import MIB, SEED, StoreCase, digest_of, missing, tree_of


def setUpModule():
    print(f"\nstore_damage_test: MLOPS_STORE_SEED={SEED}", flush=True)


class CopyCase(StoreCase):
    """Every test works on its own copy of one stopped daemon's data directory."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.contents = {"one@v1": cls.random.randbytes(40_000), "large@v1": cls.random.randbytes(3 * MIB),
                        "dataset:tree@v1": {f"d{i % 5}/f{i}": cls.random.randbytes(i) for i in range(600)}}
        for ref, content in cls.contents.items():
            name = ref.removeprefix("dataset:").removesuffix("@v1")
            for path, piece in (content if isinstance(content, dict) else {"m.bin": content}).items():
                cls.file(f"{name}/{path}", piece)
            cls.ok("register", "dataset" if ref.startswith("dataset") else "model", name, cls.work / name,
                   "--sensitivity", "none")
        cls.before_stop()
        cls.daemon.stop()

    @classmethod
    def before_stop(cls):
        pass

    def copy(self):
        self.copies = getattr(self, "copies", 0) + 1
        root = self.daemon.root / f"copy-{self._testMethodName}-{self.copies}"
        root.mkdir()
        shutil.copytree(self.daemon.data_dir, root / "data")
        copy = Daemon(start=False, root=root, settings=self.settings)
        self.addCleanup(copy.close)
        return copy

    def assert_whole(self, copy):
        for ref, content in self.contents.items():
            self.assert_pulls(ref, content, copy)
        copy.ctl("fsck", "--read-data", check=DONE)
        copy.ctl("audit", "verify", check=DONE)


class DamageTest(CopyCase):
    def flip(self, copy, piece):
        found = [(p, p.read_bytes().find(piece)) for p in copy.data_dir.rglob("*.pack")]
        found = [(path, at) for path, at in found if at >= 0]
        self.assertEqual(len(found), 1, "the content is not in one pack, as it is")
        path, at = found[0]
        with open(path, "r+b") as pack:
            pack.seek(at)
            pack.write(bytes([piece[0] ^ 1 << self.random.randrange(8)]))

    def test_a_flipped_bit_is_found_kept_away_and_healed(self):
        for ref, found_by in (("one@v1", "pull"), ("large@v1", "pull"), ("one@v1", "fsck"), ("large@v1", "fsck")):
            with self.subTest(ref, found_by=found_by, seed=SEED):
                copy, content, name = self.copy(), self.contents[ref], ref.removesuffix("@v1")
                at = self.random.randrange(len(content) - 64)
                self.flip(copy, content[at:at + 64])
                copy.start()
                out = copy.root / "out"
                if found_by == "pull":
                    copy.ctl("pull", ref, out, check=INTEGRITY)
                    self.assertEqual([p.name for p in copy.root.iterdir() if p.name.startswith(("out", ".out"))], [])
                self.assertIn(digest_of(content), copy.ctl("fsck", "--read-data", check=INTEGRITY).text)
                self.assertTrue(missing(copy, content), "damaged bytes are deduplicated against")
                copy.restart()
                self.assertTrue(missing(copy, content), "the damage is forgotten")
                copy.ctl("pull", ref, out, check=INTEGRITY)
                copy.ctl("register", "model", name, self.work / name, "--sensitivity", "none", "--rehash", check=DONE)
                self.assertFalse(missing(copy, content))
                self.assert_whole(copy)
                copy.restart()
                self.assert_whole(copy)
                copy.close()

    def test_an_index_is_only_derived(self):
        def cut(path):
            with open(path, "r+b") as index:
                index.truncate(self.random.randrange(path.stat().st_size))

        def flip(path):
            data = bytearray(path.read_bytes())
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            path.write_bytes(data)

        for what, harm in (("deleted", pathlib.Path.unlink), ("empty", lambda p: p.write_bytes(b"")),
                           ("truncated", cut), *[("flipped", flip)] * 4):
            with self.subTest(what, seed=SEED):
                copy = self.copy()
                indexes = list(copy.data_dir.rglob("*.idx"))
                self.assertGreater(len(indexes), 0, "a daemon that is stopped leaves an index")
                for path in indexes:
                    harm(path)
                copy.start()
                self.assert_whole(copy)
                copy.close()


class OldFormatTest(CopyCase):
    @classmethod
    def before_stop(cls):
        """All blobs of all versions, as the API gives them."""
        cls.blobs = {}
        for ref in cls.contents:
            base = f"/api/v1/versions/{quote(ref)}"
            manifest = cls.daemon.api("GET", f"{base}/manifest", token="admin").body
            digests = {digest_of(manifest), *re.findall(r"sha256:[0-9a-f]{64}", manifest.decode())}
            files = cls.daemon.api("GET", f"{base}/files", token="admin").json["items"]
            digests |= {f["digest"] for f in files}
            for digest in digests:
                answer = cls.daemon.api("GET", f"/api/v1/blobs/{digest}", token="admin")
                if answer.status == 200:
                    cls.blobs[digest] = answer.body

    def old_copy(self, damaged=None):
        copy = self.copy()
        blobs = copy.data_dir / "blobs"
        shutil.rmtree(blobs)
        for digest, content in self.blobs.items():
            path = blobs / "sha256" / digest[7:9] / digest[7:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if digest == damaged else content)
        (blobs / "tmp").mkdir()
        (blobs / "tmp" / "upload-1").write_bytes(b"never ended")
        return copy

    def events(self, copy):
        return {line["event"]: line for line in map(json.loads, copy.log_text().splitlines())}

    def test_a_store_of_whole_files_is_converted(self):
        copy = self.old_copy()
        copy.start()
        events = self.events(copy)
        self.assertIn("converting_store", events)
        self.assertEqual((events["store_converted"]["files"], events["store_converted"]["damaged"]),
                         (len(self.blobs), 0))
        self.assertFalse((copy.data_dir / "blobs" / "sha256").exists())
        self.assertFalse((copy.data_dir / "blobs" / "tmp").exists())
        self.assert_whole(copy)
        copy.log_path.unlink()
        copy.restart()
        self.assertNotIn("converting_store", self.events(copy))
        self.assert_whole(copy)

    def test_a_damaged_file_is_kept_apart_and_named(self):
        digest = digest_of(self.contents["one@v1"])
        copy = self.old_copy(damaged=digest)
        copy.start()
        self.assertEqual(self.events(copy)["store_converted"]["damaged"], 1)
        self.assertEqual([p.name for p in (copy.data_dir / "blobs" / "damaged").iterdir()], [digest[7:]])
        self.assertFalse((copy.data_dir / "blobs" / "sha256").exists())
        said = copy.ctl("fsck", check=INTEGRITY).text
        self.assertIn(digest, said)
        self.assertEqual(copy.ctl("pull", "one@v1", copy.root / "out").code, INTEGRITY)
        self.assert_pulls("large@v1", self.contents["large@v1"], copy)
        copy.ctl("register", "model", "one", self.work / "one", "--sensitivity", "none", "--rehash", check=DONE)
        self.assert_whole(copy)


class DiskFullTest(StoreCase):
    """On a small file system of its own, filled by a ballast file and by pushes."""

    SIZE, BALLAST, PUSHED = 48 * MIB, 24 * MIB, 30 * MIB

    def daemon_on_small_disk(self, low_water_percent):
        daemon = Daemon(start=False, settings={"MLOPSD_STORE_LOW_WATER_PERCENT": str(low_water_percent)})
        self.addCleanup(daemon.close)
        daemon.data_dir.mkdir(mode=0o700)
        words = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE},mode=0700", "mlops-test", str(daemon.data_dir)]
        if not shutil.which("mount") or subprocess.run(words, capture_output=True).returncode != 0:
            self.skipTest("a small file system cannot be mounted here (not permitted)")
        self.addCleanup(subprocess.run, ["umount", "-l", str(daemon.data_dir)], check=False)
        self.addCleanup(lambda: daemon.process and daemon.process.poll() is None and daemon.kill9())
        daemon.start()
        return daemon

    def push(self, daemon, name, path, check):
        return daemon.ctl("register", "model", name, path, "--sensitivity", "none", check=check)

    def assert_refused_and_recovers(self, reserve):
        daemon = self.daemon_on_small_disk(reserve)
        first, large = self.file("first/m.bin", self.random.randbytes(50_000)), self.work / "large" / "m.bin"
        self.file("large/m.bin", self.random.randbytes(self.PUSHED))
        self.push(daemon, "first", first, DONE)
        ballast = daemon.data_dir / "ballast"
        ballast.write_bytes(b"b" * self.BALLAST)
        for _ in range(2):
            result = self.push(daemon, "large", large, FAILED)
            self.assertRegex(result.stderr, "(?i)(disk|free space|no space)")
        answer = daemon.api("POST", "/api/v1/blobs", large.read_bytes(), token="admin",
                            headers={"Content-Type": "application/octet-stream"})
        self.assertEqual((answer.status, answer.slug), (507, "disk_full"), answer)
        if reserve:
            daemon.ctl("label", "first@v1", "while=full", check=DONE)
            daemon.ctl("audit", "verify", check=DONE)
        self.assert_pulls("first@v1", first.read_bytes(), daemon)
        pid = daemon.pid
        ballast.unlink()
        self.push(daemon, "large", large, DONE)
        self.assertEqual(daemon.pid, pid)
        self.assertIsNone(daemon.process.poll())
        for _ in range(2):
            self.assert_pulls("large@v1", large.read_bytes(), daemon)
            daemon.ctl("fsck", "--read-data", check=DONE)
            daemon.ctl("audit", "verify", check=DONE)
            daemon.restart()

    def test_below_the_low_water_mark(self):
        """The reserve is kept from pushes, so the audit log still writes."""
        self.assert_refused_and_recovers(5)

    def test_full_to_the_last_byte(self):
        self.assert_refused_and_recovers(0)


if __name__ == "__main__":
    unittest.main()
