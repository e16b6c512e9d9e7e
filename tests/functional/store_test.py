"""The content store through real processes: push and pull by chunks, cuts and resumption, who may know what is stored.

MLOPS_STORE_SEED replays the contents and the places of the cuts.
"""

import contextlib
import hashlib
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import threading
import unittest

from harness import DONE, FAILED, DaemonCase, quote

SEED = int(os.environ.get("MLOPS_STORE_SEED") or random.SystemRandom().randrange(1 << 32))
KIB, MIB = 1 << 10, 1 << 20
SMALL = 600 * KIB  # "little" beside files of many MiB: a few chunks and the nodes above them


def setUpModule():
    print(f"\nstore_test: MLOPS_STORE_SEED={SEED}", flush=True)


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def missing(daemon, content, token="admin"):
    """Is it missing to /api/v1/blobs/missing, and to /api/v1/store/missing? Both must say the same."""
    digest = digest_of(content)
    blobs = daemon.api("POST", "/api/v1/blobs/missing", {"blobs": [{"digest": digest, "size_bytes": len(content)}]},
                       token=token)
    question = struct.pack("<c32sQ", b"E", bytes.fromhex(digest[7:]), len(content))
    store = daemon.api("POST", "/api/v1/store/missing", question, token=token,
                       headers={"Content-Type": "application/octet-stream"})
    assert (blobs.status, store.status) == (200, 200), f"{blobs} {store}"
    answers = (blobs.json["missing"] == [digest], store.body == b"\x00")
    assert answers[0] == answers[1], f"{blobs} {store}"
    return answers[0]


def tree_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}


class StoreCase(DaemonCase):
    settings = {"MLOPSD_STORE_LOW_WATER_PERCENT": "0"}

    @classmethod
    def prepare(cls):
        cls.random = random.Random(f"{SEED} {cls.__name__}")

    def register(self, name, path, *options, kind="model", **more):
        return self.json("register", kind, name, path, "--sensitivity", "none", *options, **more)

    def assert_pulls(self, ref, contents, daemon=None):
        """`contents`: bytes of the only file, or of each file by its path."""
        daemon = daemon or self.daemon
        out = daemon.root / "pulled"
        try:
            daemon.ctl("pull", ref, out, check=DONE)
            got = tree_of(out)
            self.assertTrue(list(got.values()) == [contents] if isinstance(contents, bytes) else got == contents,
                            f"{ref} pulls other bytes")
        finally:
            shutil.rmtree(out, ignore_errors=True)


class PushAndPullTest(StoreCase):
    def test_sizes_and_edits(self):
        for size in (0, 1, 16 * KIB, 300_000, 5 * MIB, 9 * MIB):
            with self.subTest(size=size):
                name, content = f"size/b{size}", self.random.randbytes(size)
                path = self.file(f"{name}/m.bin", content)
                first = self.register(name, path)
                self.assertEqual((first["created"], first["known_bytes"]), (True, 0))
                self.assertGreaterEqual(first["sent_bytes"], size)
                self.assert_pulls(f"{name}@v1", content)
                for options in ([], ["--rehash"]):
                    again = self.register(name, path, *options)
                    self.assertEqual((again["created"], again["version"]["ref"]), (False, f"{name}@v1"))
                    self.assertLess(again["sent_bytes"], 4 * KIB)
                if size >= 5 * MIB:
                    self.edit(name, path, content)

    def edit(self, name, path, content):
        """Bytes overwritten in the middle and inserted near the beginning: little goes, little comes."""
        middle = len(content) // 2
        edited = (content[:1000] + self.random.randbytes(77) + content[1000:middle] + self.random.randbytes(500)
                  + content[middle + 500:])
        path.write_bytes(edited)
        second = self.register(name, path)
        self.assertEqual(second["version"]["ref"], f"{name}@v2")
        self.assertLess(second["sent_bytes"], SMALL)
        self.assertLess(second["stored_bytes"], SMALL)
        out = self.work / f"delta-{len(content)}"
        self.assertGreaterEqual(self.json("pull", f"{name}@v1", out)["received_bytes"], len(content))
        for ref, want in ((f"{name}@v2", edited), (f"{name}@v1", content)):
            delta = self.json("pull", ref, out, "--force")
            self.assertLess(delta["received_bytes"], SMALL)
            self.assertTrue(tree_of(out) == {"m.bin": want}, f"{ref} after a delta pull")

    def test_tree_of_small_files(self):
        folder, contents = self.work / "tree", {}
        for i in range(700):
            contents[f"d{i % 10}/e{i % 3}/f{i}.bin"] = self.random.randbytes(self.random.randrange(3000))
        for name, content in contents.items():
            self.file(f"tree/{name}", content)
        first = self.register("tree", folder, kind="dataset")
        self.assertEqual((first["created"], first["version"]["file_count"]), (True, 700))
        again = self.register("tree", folder, kind="dataset")
        # Files written just before they were read are read again; of the list of files only names of chunks go.
        self.assertFalse(again["created"])
        self.assertLess(again["sent_bytes"], 1000)
        self.assert_pulls("dataset:tree@v1", contents)
        changed = dict(contents)
        changed["d3/e0/f3.bin"] = self.random.randbytes(2000)
        self.file("tree/d3/e0/f3.bin", changed["d3/e0/f3.bin"])
        second = self.register("tree", folder, kind="dataset")
        self.assertTrue(second["created"])
        # The file, and the list of all files: about 100 bytes a file.
        self.assertLess(second["sent_bytes"], 150 * KIB)
        self.assert_pulls("dataset:tree@v2", changed)
        self.ok("fsck", "--read-data")


class Proxy:
    """Passes TCP on to the daemon and cuts the connection once `limit` bytes of one direction have passed, counted from
    where a request for `path` begins. Once it has cut, it is down for good when `stays_down` is set."""

    def __init__(self, port, path, upwards, limit, stays_down, reset):
        self._port, self._mark, self._upwards = port, f"POST {path} ".encode(), upwards
        self._limit, self._stays_down, self._reset = limit, stays_down, reset
        self.passed, self.has_cut = 0, False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.has_cut and self._stays_down:
                client.close()
                continue
            pair = (client, socket.create_connection(("127.0.0.1", self._port)))
            seen = threading.Event()
            for source, target, up in ((*pair, True), (*pair[::-1], False)):
                threading.Thread(target=self._pump, args=(pair, source, target, up, seen), daemon=True).start()

    def _pump(self, pair, source, target, up, seen):
        try:
            while data := source.recv(16 * KIB):
                if up and self._mark in data:
                    seen.set()
                room = self._room(len(data)) if up == self._upwards and seen.is_set() else len(data)
                target.sendall(data[:room])
                if room < len(data):
                    break
        except OSError:
            pass
        for end in pair:
            with contextlib.suppress(OSError):  # the other direction may have closed them
                if self._reset and self.has_cut:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _room(self, count):
        with self._lock:
            if self.has_cut:
                return count if not self._stays_down else 0
            room = min(count, self._limit - self.passed)
            self.passed += room
            self.has_cut = room < count
            return room


class CutTest(StoreCase):
    SIZE = 12 * MIB
    IN_FLIGHT = 5 * MIB  # what sockets and the server's batches may hold when a connection breaks

    def through(self, path, upwards, limit, stays_down, *words):
        """The result of mlopsctl through a proxy that cuts after `limit` bytes, and whether it did."""
        proxy = Proxy(self.daemon.port, path, upwards, limit, stays_down, reset=self.random.random() < 0.5)
        try:
            return self.ctl(*words, env={"MLOPS_SERVER": proxy.url}), proxy.has_cut
        finally:
            proxy.close()

    def test_an_interrupted_push_goes_on_where_it_was(self):
        for number in range(6):
            cut = self.random.randrange(1, self.SIZE)
            with self.subTest(number=number, cut=cut, seed=SEED):
                content = self.random.randbytes(self.SIZE)
                path = self.file(f"cut{number}/m.bin", content)
                words = ("register", "model", f"cut/m{number}", path, "--sensitivity", "none")
                result, has_cut = self.through("/api/v1/store/push", True, cut, True, *words)
                self.assertTrue(has_cut, result)
                self.assertEqual(result.code, FAILED, result)
                self.assertEqual(self.daemon.api("GET", f"/api/v1/versions/{quote(f'cut/m{number}@v1')}",
                                                 token="admin").status, 404)
                sent = self.json(*words)["sent_bytes"]
                self.assertGreater(sent + cut, self.SIZE - 64 * KIB, "less was sent than there is")
                self.assertLess(sent + cut, self.SIZE + self.IN_FLIGHT, "what had gone through was sent again")
                self.assert_pulls(f"cut/m{number}@v1", content)
        self.ok("fsck", "--read-data")

    def test_an_interrupted_pull(self):
        content = self.random.randbytes(self.SIZE)
        self.register("pull", self.file("pull/m.bin", content))
        for number in range(6):
            cut, stays_down = self.random.randrange(1, self.SIZE), number % 2 == 0
            with self.subTest(number=number, cut=cut, stays_down=stays_down, seed=SEED):
                parent = self.work / f"pulls{number}"
                parent.mkdir()
                result, has_cut = self.through("/api/v1/store/fetch", False, cut, stays_down, "pull", "pull@v1",
                                               parent / "out")
                self.assertTrue(has_cut, result)
                if result.code == DONE:
                    self.assertFalse(stays_down)
                    self.assertTrue(tree_of(parent) == {"out/m.bin": content})
                else:
                    self.assertEqual(result.code, FAILED, result)
                    self.assertEqual(os.listdir(parent), [], "something is left behind")

    def test_an_interrupted_delta_pull_leaves_the_older_version(self):
        old = self.random.randbytes(4 * MIB)
        new = old[:MIB] + self.random.randbytes(2 * MIB) + old[3 * MIB:]
        for content in (old, new):
            self.register("delta", self.file("delta/m.bin", content))
        out = self.work / "delta-parent" / "out"
        out.parent.mkdir()
        self.ok("pull", "delta@v1", out)
        result, _ = self.through("/api/v1/store/fetch", False, MIB, True, "pull", "delta@v2", out, "--force")
        self.assertEqual(result.code, FAILED, result)
        self.assertTrue(tree_of(out.parent) == {"out/m.bin": old}, f"not as it was: {list(tree_of(out.parent))}")
        self.ok("pull", "delta@v2", out, "--force")
        self.assertTrue(tree_of(out.parent) == {"out/m.bin": new})


class WhoMayKnowTest(StoreCase):
    """Somebody who may only write learns nothing of what others have stored."""

    def version(self, token, name, content):
        return self.daemon.api("POST", "/api/v1/versions", {"kind": "model", "name": name, "files": [
            {"path": "m.bin", "digest": digest_of(content), "size_bytes": len(content)}]}, token=token)

    def test_possession_is_shown_by_sending_or_by_the_right_to_read(self):
        for size in (20_000, 700_000):
            with self.subTest(size=size):
                writer = self.daemon.new_token(f"writer-{size}", "ci", scopes=["artifact:write"])
                reader = self.daemon.new_token(f"reader-{size}", "ci")
                theirs, absent = self.random.randbytes(size), self.random.randbytes(size)
                self.register(f"theirs-{size}", self.file(f"theirs{size}/m.bin", theirs))
                self.assertTrue(missing(self.daemon, theirs, writer))
                self.assertTrue(missing(self.daemon, absent, writer))
                self.assertFalse(missing(self.daemon, theirs, reader))
                told = [self.version(writer, f"mine-{size}", content) for content in (theirs, absent)]
                for answer in told:
                    self.assertEqual((answer.status, answer.slug), (told[1].status, "blobs_missing"), answer)
                plain = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "", a.body.decode()) for a in told]
                self.assertEqual(*plain, "the answers differ in more than the digest")
                path = self.file(f"mine{size}/m.bin", theirs)
                sent = self.register(f"mine-{size}", path, token=writer)
                self.assertGreaterEqual(sent["sent_bytes"], size, "it had to send everything")
                self.assertEqual(sent["version"]["ref"], f"mine-{size}@v1")
                self.assertFalse(missing(self.daemon, theirs, writer))
                other = self.daemon.new_token(f"other-{size}", "ci", scopes=["artifact:write"])
                self.assertTrue(missing(self.daemon, theirs, other))
                self.assertEqual(self.version(reader, f"readers-{size}", theirs).status, 201)
        self.ok("fsck", "--read-data")


if __name__ == "__main__":
    unittest.main()
