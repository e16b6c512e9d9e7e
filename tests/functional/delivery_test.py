"""Releases as files for a serving process: what readers see through promotions, rollbacks, kill -9 and damage."""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from harness import DONE, INTEGRITY, NOT_FOUND, USAGE, Daemon, DaemonCase, quote, wait_until

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: live, clearance: none, target: {directory: models, path: live}}
  - {name: swap, clearance: none, target: {directory: models, path: swap, switch: exchange}}
  - {name: triton, clearance: none, target: {directory: models, path: triton, layout: triton}}
  - {name: tf, clearance: none, target: {directory: models, path: tf, layout: tensorflow_serving}}
  - {name: lost, clearance: none, target: {directory: lost, path: a}}
  - {name: bare, clearance: none}
"""

DELIVERED_WITHIN_S = 60.0


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Reader(threading.Thread):
    """Opens the visible name again and again, and reads everything behind it: all must belong to one release."""

    def __init__(self, visible):
        super().__init__(daemon=True)
        self.visible, self.problems, self.rounds, self.deployments = visible, [], 0, set()
        self._stop_asked = threading.Event()

    def run(self):
        while not self._stop_asked.is_set():
            try:
                self.look()
            except (OSError, ValueError, KeyError) as error:
                self.problems.append(repr(error))
            self.rounds += 1

    def look(self):
        directory = os.open(self.visible, os.O_RDONLY | os.O_DIRECTORY)
        try:
            about = json.loads(self.read(directory, "RELEASE.json"))
            self.deployments.add(about["deployment"])
            for file in about["files"]:
                found = sha256(self.read(directory, file["path"]))
                if found != file["digest"]:
                    self.problems.append(f"{file['path']} of {about['deployment']} is another release's")
        finally:
            os.close(directory)

    @staticmethod
    def read(directory, path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def stop(self):
        self._stop_asked.set()
        self.join()


class DeliveryTest(DaemonCase):
    @classmethod
    def setUpClass(cls):
        root = pathlib.Path(tempfile.mkdtemp(prefix="mlops-delivery-"))
        cls.addClassCleanup(shutil.rmtree, root, True)
        cls.srv, cls.lost = root / "srv", root / "lost"
        cls.srv.mkdir()
        cls.lost.mkdir()
        cls.daemon = Daemon(root=root, settings={"MLOPSD_DELIVERY_ROOTS": f"models={cls.srv},lost={cls.lost}"})
        cls.addClassCleanup(cls.daemon.close)
        cls.work = root / "work"
        cls.work.mkdir()
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))

    # --- helpers --------------------------------------------------------------------------------------------------

    def model(self, name, files):
        """A version whose files are the given map from path to bytes."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return self.json("register", "model", name, folder, "--sensitivity", "none")["version"]["ref"]

    def promote(self, ref, environment, connection=None):
        answer = self.daemon.api("POST", "/api/v1/promotions", {"ref": ref, "environment": environment,
                                                                "even_rejected": True},
                                 token="admin", connection=connection)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["deployment"]["id"]

    def rollback(self, name, environment, connection=None):
        answer = self.daemon.api("POST", "/api/v1/rollbacks", {"name": name, "environment": environment,
                                                               "reason": "test"},
                                 token="admin", connection=connection)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["deployment"]["id"]

    def delivery(self, environment, name):
        place_end = "/" + name.replace("/", ".")
        found = [d for d in self.items("delivery", "list", "--env", environment) if d["place"].endswith(place_end)]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def wait_for_state(self, environment, name, state, deployment=None):
        def there():
            found = self.delivery(environment, name)
            return found if found["state"] == state and deployment in (None, found["deployment"]) else None
        return wait_until(there, DELIVERED_WITHIN_S, f"{name} in {environment} is {state}")

    def tree(self, directory):
        """Paths of the files below, as serving processes see them."""
        return sorted(str(path.relative_to(directory)) for path in pathlib.Path(directory).rglob("*") if path.is_file())

    def checked(self, visible, deployment=None):
        reader = Reader(visible)
        reader.look()
        self.assertEqual(reader.problems, [])
        if deployment:
            self.assertEqual(reader.deployments, {deployment})

    # --- tests ----------------------------------------------------------------------------------------------------

    def test_release_is_laid_down_with_modes_and_description(self):
        ref = self.model("plain/one", {"model.bin": b"weights", "a/b/tokens.txt": b"t"})
        deployment = self.promote(ref, "live")
        row = self.wait_for_state("live", "plain/one", "delivered", deployment)
        self.assertEqual((row["place"], row["layout"], row["error"]), ("models/live/plain.one", "plain", ""))
        visible = self.srv / "live" / "plain.one"
        self.assertEqual(self.tree(visible), ["RELEASE.json", "a/b/tokens.txt", "model.bin"])
        self.checked(visible, deployment)
        self.assertEqual(stat.S_IMODE((visible / "model.bin").stat().st_mode), 0o644)
        self.assertEqual(stat.S_IMODE((visible / "a" / "b").stat().st_mode), 0o755)
        about = json.loads((visible / "RELEASE.json").read_text())
        self.assertEqual(about["members"][0]["ref"], "model:" + ref)
        self.assertEqual(sorted(os.listdir(self.srv / "live")), sorted(n for n in os.listdir(self.srv / "live")
                                                                       if not n.startswith(".")))

    def test_named_release_has_a_directory_a_role(self):
        model = self.model("bundle/m", {"m.bin": b"m"})
        limits = self.model("bundle/t", {"t.json": b"{}"})
        made = self.json("release", "create", "bundle/all", "--member", f"model={model}", "--member",
                         f"thresholds={limits}")
        self.assertTrue(made["created"])
        self.promote("release:bundle/all@r1", "live")
        self.wait_for_state("live", "bundle/all", "delivered")
        self.assertEqual(self.tree(self.srv / "live" / "bundle.all"),
                         ["RELEASE.json", "model/m.bin", "thresholds/t.json"])

    def test_triton_layout(self):
        first = self.model("vision/net", {"config.pbtxt": b'backend: "onnxruntime"', "model.onnx": b"v1"})
        self.promote(first, "triton")
        self.wait_for_state("triton", "vision/net", "delivered")
        self.assertEqual(self.tree(self.srv / "triton" / "vision.net"),
                         ["1/model.onnx", "RELEASE.json", "config.pbtxt"])
        # A version that is a model directory itself keeps its shape under its own number.
        second = self.model("vision/net", {"config.pbtxt": b'backend: "onnxruntime"', "labels.txt": b"cat",
                                           "1/model.onnx": b"v2"})
        self.wait_for_state("triton", "vision/net", "delivered", self.promote(second, "triton"))
        self.assertEqual(self.tree(self.srv / "triton" / "vision.net"),
                         ["2/model.onnx", "RELEASE.json", "config.pbtxt", "labels.txt"])
        self.assertEqual([n for n in os.listdir(self.srv / "triton") if n.startswith(".")], [])

    def test_tensorflow_serving_layout_shows_one_number(self):
        for number in (1, 2):
            ref = self.model("tf/net", {"saved_model.pb": b"graph %d" % number, "variables/variables.index": b"i"})
            self.wait_for_state("tf", "tf/net", "delivered", self.promote(ref, "tf"))
            numbers = [n for n in os.listdir(self.srv / "tf" / "tf.net") if n.isdigit()]
            self.assertEqual(numbers, [str(number)])
        self.wait_for_state("tf", "tf/net", "delivered", self.rollback("tf/net", "tf"))
        self.assertEqual([n for n in os.listdir(self.srv / "tf" / "tf.net") if n.isdigit()], ["1"])

    def test_reader_never_sees_a_mixed_or_missing_release(self):
        for environment in ("live", "swap"):
            with self.subTest(environment=environment):
                self.switch_under_a_reader(environment)

    def switch_under_a_reader(self, environment):
        """MLOPS_DELIVERY_MOVES=1000 for all of them; without it as many as fit into a part of a test's time."""
        wanted = int(os.environ.get("MLOPS_DELIVERY_MOVES", "0"))
        budget_s = 20.0
        name = f"race/{environment}"
        refs = [self.model(name, {f"part{i}.bin": bytes([n * 16 + i]) * (2000 * (i + 1)) for i in range(4)})
                for n in range(3)]
        visible = self.srv / environment / name.replace("/", ".")
        self.wait_for_state(environment, name, "delivered", self.promote(refs[0], environment))
        reader = Reader(visible)
        reader.start()
        connection = self.daemon.connect()
        began, moves, last = time.monotonic(), 0, None
        # A rollback goes to the release before; three versions in turn keep every move a change.
        while moves < (wanted or 1000) and (wanted or time.monotonic() - began < budget_s):
            if moves % 2:
                last = self.rollback(name, environment, connection)
            else:
                last = self.promote(refs[1 + (moves // 2) % 2], environment, connection)
            moves += 1
        self.wait_for_state(environment, name, "delivered", last)
        reader.stop()
        connection.close()
        self.assertEqual(reader.problems[:5], [])
        self.assertGreater(reader.rounds, 10)
        self.assertGreater(len(reader.deployments), 2)
        self.checked(visible, last)
        print(f"{environment}: {moves} moves in {time.monotonic() - began:.1f} s, {reader.rounds} reads saw "
              f"{len(reader.deployments)} releases")

    def test_kill_9_leaves_a_whole_release(self):
        name = "crash/m"
        refs = [self.model(name, {f"f{i}": os.urandom(200_000) for i in range(8)}) for _ in range(2)]
        visible = self.srv / "live" / "crash.m"
        self.wait_for_state("live", name, "delivered", self.promote(refs[0], "live"))
        reader = Reader(visible)
        reader.start()
        staging = self.srv / ".mlops-releases" / "live" / "crash.m"
        for turn in range(6):
            last = self.promote(refs[1 - turn % 2], "live")
            seen = lambda: any(n.startswith(".mlops-staging-") for n in os.listdir(staging)) or os.path.basename(
                os.readlink(visible)).startswith(last)
            wait_until(seen, DELIVERED_WITHIN_S, "the delivery has begun")
            self.daemon.kill9()
            self.checked(visible)
            self.daemon.start()
            self.wait_for_state("live", name, "delivered", last)
            self.checked(visible, last)
        reader.stop()
        self.assertEqual(reader.problems[:5], [])
        self.assertEqual([n for n in os.listdir(staging) if n.startswith(".mlops-")], [])

    def test_changed_files_are_found_and_delivered_again(self):
        ref = self.model("drift/m", {"m.bin": b"as it was"})
        deployment = self.promote(ref, "live")
        self.wait_for_state("live", "drift/m", "delivered", deployment)
        visible = self.srv / "live" / "drift.m"
        (visible / "m.bin").write_bytes(b"touched")
        result = self.ctl("delivery", "verify", "live", "-o", "json")
        self.assertIn(result.code, (DONE, INTEGRITY), result)  # it may be whole again when the answer is made
        wait_until(lambda: (visible / "m.bin").read_bytes() == b"as it was", DELIVERED_WITHIN_S, "it is whole again")
        self.wait_for_state("live", "drift/m", "delivered", deployment)
        (visible / "m.bin").unlink()
        (visible / "m.bin").symlink_to("/etc/hostname")
        self.ctl("delivery", "verify", "live")
        wait_until(lambda: not (visible / "m.bin").is_symlink(), DELIVERED_WITHIN_S, "the link is gone")
        self.checked(visible, deployment)

    def test_a_missing_root_fails_loudly_and_heals(self):
        first = self.model("lost/m", {"m": b"1"})
        self.wait_for_state("lost", "lost/m", "delivered", self.promote(first, "lost"))
        away = self.lost.with_name("away")
        self.lost.rename(away)
        second = self.promote(self.model("lost/m", {"m": b"2"}), "lost")
        row = self.wait_for_state("lost", "lost/m", "failed", second)
        self.assertEqual(row["error"], "root_missing")
        self.assertIn("lost", row["message"])
        self.assertEqual((away / "a" / "lost.m" / "m").read_bytes(), b"1")
        away.rename(self.lost)
        self.ok("delivery", "retry", "lost")
        self.wait_for_state("lost", "lost/m", "delivered", second)
        self.assertEqual((self.lost / "a" / "lost.m" / "m").read_bytes(), b"2")

    def test_what_is_not_ours_is_left_alone(self):
        taken = self.srv / "live" / "taken.m"
        taken.mkdir(parents=True)
        (taken / "precious").write_text("x")
        deployment = self.promote(self.model("taken/m", {"m": b"1"}), "live")
        row = self.wait_for_state("live", "taken/m", "failed", deployment)
        self.assertEqual(row["error"], "name_taken")
        self.assertEqual((taken / "precious").read_text(), "x")
        taken.rename(self.srv / "elsewhere")
        self.ok("delivery", "retry", "live")
        self.wait_for_state("live", "taken/m", "delivered", deployment)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a file system needs root")
    def test_full_disk_keeps_the_old_release(self):
        first = self.model("lost/full", {"m": b"small"})
        self.wait_for_state("lost", "lost/full", "delivered", self.promote(first, "lost"))
        small = self.lost / ".mlops-releases" / "a" / "lost.full2"
        small.mkdir(parents=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(small)], check=False)
        row = self.wait_for_state("lost", "lost/full2", "failed",
                                  self.promote(self.model("lost/full2", {"m": os.urandom(500_000)}), "lost"))
        self.assertEqual(row["error"], "disk_full")
        self.assertEqual([n for n in os.listdir(small) if n.startswith(".mlops-staging")], [])

    def test_declarations_that_cannot_work_are_refused_with_their_place(self):
        def refused(target, *words):
            path = self.file("bad.yaml", "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n"
                                         f"  - name: bad\n    clearance: none\n    target: {target}\n")
            result = self.ctl("env", "apply", path, check=USAGE)
            for word in ("bad.yaml:6:", *words):
                self.assertIn(word, result.stderr)
        refused("{directory: nowhere}", "nowhere", "delivery.roots")
        refused("{directory: /etc}", "bad.yaml:6:")
        refused("{directory: models, path: ../x}", "path")
        refused("{directory: models, path: live/deeper}", "same directory")
        refused("{directory: models, layout: triton}", "path")
        refused("{directory: models, path: x, layout: onnx}", "layout")
        away = self.lost.with_name("away2")
        self.lost.rename(away)
        refused("{directory: lost, path: new}", "missing")
        away.rename(self.lost)
        self.assertEqual(self.ctl("delivery", "list", "--env", "bare").code, NOT_FOUND)
        self.assertEqual(self.ctl("delivery", "verify", "nobody").code, NOT_FOUND)

    def test_who_may(self):
        viewer = self.daemon.new_token("vera", "viewer")
        self.assertEqual(self.daemon.api("GET", "/api/v1/deliveries", token=viewer).status, 200)
        for verb in ("verify", "retry"):
            path = f"/api/v1/deliveries/{quote('live')}/{verb}"
            self.assertEqual(self.daemon.api("POST", path, {}, token=viewer).status, 403)


if __name__ == "__main__":
    unittest.main()
