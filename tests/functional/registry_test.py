"""The registry through real processes: register, refer, compare, describe, delete, pull."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

import fixtures
from harness import CONFLICT, DONE, NOT_FOUND, REFUSED, USAGE, DaemonCase, quote


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class RegistryTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.ok("policy", "apply", cls.file("p/deid.yaml", fixtures.DEID))
        cls.ok("policy", "apply", cls.file("p/gates.yaml", fixtures.GATES))
        cls.ok("env", "apply", cls.file("p/environments.yaml", fixtures.ENVIRONMENTS))

    def make(self, name, content, *options, kind="model"):
        folder = hashlib.sha256(f"{kind}{name}{content}".encode()).hexdigest()[:12]
        path = self.file(f"{folder}/m.bin", content)
        return self.registered(kind, name, path, *options)

    def registered(self, kind, name, path, *options):
        """Registers and gives what `show` tells of it: the answer of registering leaves out the files."""
        ref = self.json("register", kind, name, path, *options)["version"]["ref"]
        return self.json("show", f"{kind}:{ref}")

    # --- register and pull -----------------------------------------------------------------------------------------

    def test_file(self):
        content = os.urandom(100_000)
        version = self.make("file", content, "--param", "lr=0.1", "--metric", "auc=0.83", "--label", "team=icu",
                            "--description", "first try")
        self.assertEqual((version["ref"], version["version"], version["size_bytes"]), ("file@v1", 1, 100_000))
        self.assertEqual(version["files"], [{"path": "m.bin", "digest": "sha256:" + sha256(content), "size_bytes": 100_000}])
        self.assertEqual((version["params"], version["metrics"], version["labels"]),
                         ({"lr": "0.1"}, {"auc": 0.83}, {"team": "icu"}))
        self.assertEqual((version["description"], version["created_by"]), ("first try", "admin"))
        self.ok("pull", "file@v1", self.work / "file-out")
        self.assertEqual((self.work / "file-out" / "m.bin").read_bytes(), content)

    def test_the_digest_is_that_of_the_oci_manifest(self):
        version = self.make("oci", b"weights")
        answer = self.daemon.api("GET", f"/api/v1/versions/{quote('oci@v1')}/manifest", token="admin")
        self.assertEqual("sha256:" + sha256(answer.body), version["digest"])
        self.assertEqual(answer.headers["content-type"], "application/vnd.oci.image.manifest.v1+json")
        manifest = answer.json
        self.assertEqual(manifest["schemaVersion"], 2)
        self.assertEqual(manifest["layers"][0]["digest"], "sha256:" + sha256(b"weights"))
        self.assertNotIn("oci", json.dumps(manifest["layers"]), "no name inside: equal bytes give an equal digest")
        self.assertEqual(self.make("oci-twin", b"weights")["digest"], version["digest"])

    def test_directory(self):
        folder = self.work / "tree"
        contents = {"a.bin": b"a" * 10, "sub/b.txt": b"", "sub/deep/.hidden": b"h", "ümlaut name.txt": "ü".encode()}
        for name, content in contents.items():
            self.file(f"tree/{name}", content)
        version = self.registered("dataset", "tree", folder, "--sensitivity", "none")
        self.assertEqual({f["path"] for f in version["files"]}, set(contents))
        self.ok("pull", "dataset:tree@v1", self.work / "tree-out")
        for name, content in contents.items():
            self.assertEqual((self.work / "tree-out" / name).read_bytes(), content)

    def test_many_files_become_a_tree(self):
        for i in range(600):
            self.file(f"many/{i // 100}/{i}.txt", f"{i}")
        version = self.registered("dataset", "many", self.work / "many", "--sensitivity", "none")
        self.assertEqual(version["file_count"], 600)
        self.assertTrue(version["files_truncated"])
        files = self.daemon.api("GET", f"/api/v1/versions/{quote('many@v1')}/files", token="admin").json["items"]
        self.assertEqual(len(files), 600)
        self.ok("pull", "many@v1", self.work / "many-out")
        self.assertEqual((self.work / "many-out" / "5" / "599.txt").read_text(), "599")
        self.ok("fsck", "--read-data")

    def test_register_again(self):
        first = self.make("idem", b"same bytes")
        again = self.json("register", "model", "idem", self.file("again/m.bin", b"same bytes"))
        self.assertEqual((again["created"], again["version"]["ref"]), (False, first["ref"]))
        said = self.ok("register", "model", "idem", self.work / "again/m.bin").text
        self.assertIn("exists", said)
        self.assertEqual(self.make("idem", b"other bytes")["ref"], "idem@v2")
        self.assertEqual(self.json("register", "dataset", "idem", self.work / "again/m.bin")["version"]["ref"], "idem@v1")

    def test_only_missing_bytes_are_uploaded(self):
        blob = os.urandom(300_000)
        self.make("upload-a", blob)
        answer = self.json("register", "model", "upload-b", self.file("up/m.bin", blob))
        self.assertLess(answer["sent_bytes"], 1000, "more than the names of the chunks was sent")
        self.assertEqual((answer["stored_bytes"], answer["known_bytes"]), (0, len(blob)))

    def test_dry_run(self):
        path = self.file("dry/m.bin", b"dry bytes")
        self.ok("register", "model", "dry", path, "--dry-run")
        self.ctl("show", "dry@v1", check=NOT_FOUND)
        answer = self.daemon.api("POST", "/api/v1/blobs/missing", {"blobs": [
            {"digest": "sha256:" + sha256(b"dry bytes"), "size_bytes": 9}]}, token="admin")
        self.assertEqual(len(answer.json["missing"]), 1)

    def test_what_is_refused(self):
        link = self.work / "links"
        link.mkdir(exist_ok=True)
        if not (link / "l").is_symlink():
            (link / "l").symlink_to("/etc/hostname")
        self.ctl("register", "model", "link", link, check=USAGE)
        self.ctl("register", "model", "absent", self.work / "no such file", check=NOT_FOUND)
        path = self.file("ok/m.bin", b"x")
        for name in ("Upper", "../up", "a//b", "-x", "a@b", "x" * 300, "a b"):
            self.ctl("register", "model", name, path, check=USAGE)
        self.ctl("register", "thing", "x", path, check=USAGE)
        self.ctl("register", "model", "x", path, "--metric", "auc=high", check=USAGE)
        self.ctl("register", "model", "x", path, "--input", "never@v1", "--role", "train", check=NOT_FOUND)
        self.ctl("register", "model", "x", path, "--input", "bare-name", "--role", "train", check=USAGE)

    def test_wrong_bytes_under_a_digest(self):
        digest = "sha256:" + sha256(b"claimed")
        answer = self.daemon.api("POST", f"/api/v1/blobs?digest={digest}", b"other", token="admin",
                                 headers={"Content-Type": "application/octet-stream"})
        self.assertEqual((answer.status, answer.slug), (400, "digest_mismatch"))
        self.assertEqual(self.daemon.api("GET", f"/api/v1/blobs/{digest}", token="admin").status, 404)

    def test_ranges(self):
        content = bytes(range(256)) * 100
        digest = self.make("range", content)["files"][0]["digest"]
        for spec, want in (("0-9", content[:10]), ("100-199", content[100:200]), (f"{len(content) - 5}-", content[-5:]),
                           ("-7", content[-7:])):
            answer = self.daemon.api("GET", f"/api/v1/blobs/{digest}", token="admin", headers={"Range": f"bytes={spec}"})
            self.assertEqual((answer.status, answer.body), (206, want), spec)
        answer = self.daemon.api("GET", f"/api/v1/blobs/{digest}", token="admin", headers={"Range": "bytes=99999999-"})
        self.assertEqual(answer.status, 416)

    def test_pull_does_not_overwrite_silently(self):
        self.make("keep", b"server bytes")
        folder = self.work / "keep-out"
        folder.mkdir()
        (folder / "m.bin").write_bytes(b"mine, precious")
        (folder / "other.txt").write_bytes(b"mine too")
        self.assertNotEqual(self.ctl("pull", "keep@v1", folder).code, DONE)
        self.assertEqual((folder / "m.bin").read_bytes(), b"mine, precious")
        self.ok("pull", "keep@v1", folder, "--force")
        self.assertEqual((folder / "m.bin").read_bytes(), b"server bytes")
        self.assertEqual((folder / "other.txt").read_bytes(), b"mine too")

    # --- manifest file and git -------------------------------------------------------------------------------------

    def test_mlops_yaml(self):
        self.make("base-data", b"rows", "--sensitivity", "none", kind="dataset")
        self.file("described/weights.bin", b"w1")
        self.file("described/mlops.yaml", "kind: model\nname: described\ndescription: from the file\nsensitivity: none\n"
                                          "inputs:\n  - {ref: base-data@v1, role: train}\nparams: {depth: \"3\"}\n"
                                          "metrics: {auc: 0.7}\nlabels: {team: a}\n")
        version = self.registered("model", "described", self.work / "described", "--metric", "auc=0.8")
        self.assertEqual(version["metrics"], {"auc": 0.8}, "options win")
        self.assertEqual((version["params"], version["labels"]), ({"depth": "3"}, {"team": "a"}))
        self.assertEqual([(i["ref"], i["role"]) for i in version["inputs"]], [("base-data@v1", "train")])
        self.assertEqual([f["path"] for f in version["files"]], ["weights.bin"], "the manifest is not content")

    def test_mlops_yaml_errors_have_a_place(self):
        self.file("bad-yaml/weights.bin", b"w")
        self.file("bad-yaml/mlops.yaml", "kind: model\nname: bad-yaml\nmetriks: {auc: 1}\n")
        result = self.ctl("register", "model", "bad-yaml", self.work / "bad-yaml", check=USAGE)
        self.assertIn("mlops.yaml:3:1", result.stderr)
        self.assertIn("metrics", result.stderr)

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_git(self):
        repository = self.work / "repo"
        repository.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), "GIT_CONFIG_NOSYSTEM": "1"}

        def git(*words):
            return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], cwd=repository,
                                  env=environment, check=True, capture_output=True, text=True).stdout.strip()

        git("init", "-q", "-b", "trunk")
        self.file("repo/train.py", "print(1)\n")
        git("add", ".")
        git("commit", "-q", "-m", "one")
        git("remote", "add", "origin", "https://user:secret@git.example.org/team/repo.git")
        version = self.json("register", "model", "gitted", self.file("g/m.bin", b"g1"), "--git", repository)["version"]
        self.assertEqual(version["git"]["commit"], git("rev-parse", "HEAD"))
        self.assertEqual((version["git"]["branch"], version["git"]["dirty"]), ("trunk", False))
        self.assertNotIn("secret", json.dumps(version), "a password in a remote address is not recorded")
        self.assertIn("git.example.org/team/repo", version["git"]["remote"])
        self.file("repo/train.py", "print(2)\n")
        version = self.json("register", "model", "gitted", self.file("g/m.bin", b"g2"), "--git", repository)["version"]
        self.assertTrue(version["git"]["dirty"])
        self.ctl("register", "model", "gitted", self.file("g/m.bin", b"g3"), "--git", self.file("nogit/x", "").parent,
                 check=NOT_FOUND)

    # --- references ------------------------------------------------------------------------------------------------

    def test_every_form_of_reference(self):
        version = self.make("ns/forms", b"forms", "--sensitivity", "none")
        hexadecimal = version["digest"].split(":")[1]
        self.ok("alias", "ns/forms@v1", "champion")
        self.ok("promote", "ns/forms@v1", "--to", "clinical", "--reason", "x")
        for ref in ("ns/forms@v1", "model:ns/forms@v1", f"ns/forms@sha256:{hexadecimal}", "ns/forms@champion",
                    f"ns/forms@sha256:{hexadecimal[:8]}", "ns/forms#clinical", "model:ns/forms#clinical"):
            self.assertEqual(self.json("show", ref)["digest"], version["digest"], ref)

    def test_references_that_are_wrong(self):
        self.make("wrong", b"wrong")
        for ref, code in (("wrong@v2", NOT_FOUND), ("wrong@nobody", NOT_FOUND), ("wrong#clinical", NOT_FOUND),
                          ("absent@v1", NOT_FOUND), ("wrong@sha256:1234567", USAGE), ("wrong@sha256:ZZZZZZZZ", USAGE),
                          ("wrong@v0", USAGE), ("wrong@", USAGE), ("wrong@sha256:00000000", NOT_FOUND)):
            self.assertEqual(self.ctl("show", ref).code, code, ref)

    def test_ambiguity_lists_candidates(self):
        self.make("both", b"model bytes")
        self.make("both", b"data bytes", "--sensitivity", "none", kind="dataset")
        result = self.ctl("show", "both@v1")
        self.assertIn(result.code, (USAGE, CONFLICT), result)
        self.assertIn("model:both@v1", result.stderr)
        self.assertIn("dataset:both@v1", result.stderr)
        self.assertEqual(self.json("show", "dataset:both@v1")["kind"], "dataset")

    # --- describing ------------------------------------------------------------------------------------------------

    def test_diff(self):
        first = self.file("d1/a.txt", "a").parent
        self.file("d1/b.txt", "b"), self.file("d1/c.txt", "c")
        second = self.file("d2/a.txt", "a").parent
        self.file("d2/b.txt", "B!"), self.file("d2/d.txt", "d")
        self.ok("register", "model", "differ", first, "--metric", "auc=0.8")
        self.ok("register", "model", "differ", second, "--metric", "auc=0.7")
        result = self.ctl("diff", "differ@v1", "differ@v2", "-o", "json", check=REFUSED)
        difference = result.json()
        self.assertFalse(difference["same"])
        self.assertEqual([f["path"] for f in difference["files"]["added"]], ["d.txt"])
        self.assertEqual([f["path"] for f in difference["files"]["removed"]], ["c.txt"])
        self.assertEqual([f["path"] for f in difference["files"]["changed"]], ["b.txt"])
        self.assertEqual(difference["files"]["unchanged"], 1)
        metric = next(m for m in difference["metadata"] if m["field"] == "metrics.auc")
        self.assertEqual((metric["a"], metric["b"]), (0.8, 0.7))
        self.ctl("diff", "differ@v1", "differ@v1", check=DONE)

    def test_alias_moves(self):
        self.make("al", b"1"), self.make("al", b"2")
        self.ok("alias", "al@v1", "best")
        moved = self.json("alias", "al@v2", "best")
        self.assertEqual(moved["previous"], "al@v1")
        self.assertEqual(self.json("show", "al@best")["version"], 2)
        self.ctl("alias", "al@v1", "v7", check=USAGE)
        self.ok("alias", "--remove", "al", "best")
        self.ctl("show", "al@best", check=NOT_FOUND)

    def test_labels(self):
        self.make("lab", b"1", "--label", "a=1")
        self.ok("label", "lab@v1", "b=2", "a=3")
        self.assertEqual(self.json("show", "lab@v1")["labels"], {"a": "3", "b": "2"})
        self.ok("label", "lab@v1", "a-")
        self.assertEqual(self.json("show", "lab@v1")["labels"], {"b": "2"})
        self.assertEqual([v["ref"] for v in self.items("list", "--label", "b=2")], ["lab@v1"])

    def test_list(self):
        for i in range(3):
            self.make("listed/thing", f"{i}".encode())
        answer = self.daemon.api("GET", "/api/v1/versions?name=listed%2Fthing&limit=2", token="admin").json
        self.assertEqual([v["ref"] for v in answer["items"]], ["listed/thing@v3", "listed/thing@v2"])
        rest = self.daemon.api("GET", f"/api/v1/versions?name=listed%2Fthing&limit=2&after={quote(answer['next'])}",
                               token="admin").json
        self.assertEqual(([v["ref"] for v in rest["items"]], rest["next"]), (["listed/thing@v1"], None))
        artifacts = self.daemon.api("GET", "/api/v1/artifacts?prefix=listed", token="admin").json["items"]
        self.assertEqual([(a["name"], a["versions"], a["latest"]) for a in artifacts],
                         [("listed/thing", 3, "listed/thing@v3")])

    def test_deprecate(self):
        self.make("dep", b"1")
        self.ok("deprecate", "dep@v1", "--reason", "old data")
        self.assertEqual(self.json("show", "dep@v1")["deprecated"], "old data")
        self.ok("deprecate", "dep@v1", "--undo")
        self.assertIsNone(self.json("show", "dep@v1")["deprecated"])

    def test_delete_leaves_a_tombstone(self):
        self.make("del", b"to be deleted")
        self.ctl("delete", "del@v1", "--confirm=del@v1", check=USAGE)
        self.ctl("delete", "del@v1", "--reason", "wrong table", "--confirm=del@v2", check=USAGE)
        self.ok("delete", "del@v1", "--reason", "wrong table", "--confirm=del@v1")
        shown = self.ctl("show", "del@v1", "-o", "json")
        if shown.code == DONE:
            self.assertEqual(shown.json()["deleted"]["reason"], "wrong table")
        else:
            self.assertEqual(shown.code, NOT_FOUND)
        self.assertNotIn("del@v1", [v["ref"] for v in self.daemon.api(
            "GET", "/api/v1/versions?name=del", token="admin").json["items"]])
        gone = self.daemon.api("GET", "/api/v1/versions?name=del&deleted=1", token="admin").json["items"]
        self.assertEqual([(v["ref"], v["deleted"]["reason"]) for v in gone], [("del@v1", "wrong table")])
        self.assertNotEqual(self.ctl("pull", "del@v1", self.work / "del-out").code, DONE)
        self.assertEqual(self.make("del", b"to be deleted")["ref"], "del@v2", "numbers are never used twice")

    def test_delete_is_refused_while_something_depends_on_it(self):
        data = self.make("depended", b"rows", "--sensitivity", "none", kind="dataset")
        self.make("depends", b"m", "--input", data["ref"], "--role", "train")
        self.ctl("delete", data["ref"], "--reason", "x", "--confirm", data["ref"], check=CONFLICT)

    def test_lineage(self):
        data = self.make("line-data", b"rows", "--sensitivity", "none", kind="dataset")["ref"]
        base = self.make("line-base", b"m0", "--input", data, "--role", "train")["ref"]
        tuned = self.make("line-tuned", b"m1", "--input", base, "--role", "base", "--input", data, "--role", "test")["ref"]
        up = self.json("lineage", tuned, "--up")
        by_id = {n["id"]: n.get("ref") for n in up["nodes"]}
        self.assertEqual({(by_id[e["from"]], by_id[e["to"]], e["role"]) for e in up["edges"]},
                         {(data, base, "train"), (base, tuned, "base"), (data, tuned, "test")})
        self.assertEqual(len(self.json("lineage", tuned, "--up", "--depth", "1")["edges"]), 2)
        down = {n.get("ref") for n in self.json("lineage", data, "--down")["nodes"]}
        self.assertLessEqual({base, tuned}, down)
        self.assertIn("digraph", self.ok("lineage", tuned, "--up", "-o", "dot").stdout)
        self.assertRegex(self.ok("lineage", tuned, "--up", "-o", "mermaid").stdout, r"^(graph|flowchart) ")

    def test_as_of(self):
        self.make("timed", b"1")
        before = self.json("show", "timed@v1")["created_at"]
        self.make("timed", b"2")
        self.ok("label", "timed@v1", "later=yes")
        listed = self.daemon.api("GET", f"/api/v1/versions?name=timed&as_of={quote(before)}", token="admin").json
        self.assertEqual([v["ref"] for v in listed["items"]], ["timed@v1"])
        self.assertEqual(self.json("show", "timed@v1", "--as-of", before)["labels"], {})

    def test_concurrent_registration_of_the_same_bytes(self):
        """Two clients, one content: one version, both are told it."""
        import concurrent.futures
        paths = [self.file(f"race{i}/m.bin", b"raced bytes " * 1000) for i in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda p: self.json("register", "model", "raced", p), paths))
        self.assertEqual({a["version"]["ref"] for a in answers}, {"raced@v1"})
        self.assertEqual(sum(a["created"] for a in answers), 1)


if __name__ == "__main__":
    unittest.main()
