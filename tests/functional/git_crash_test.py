"""kill -9 of mlopsd at every change of a lock, a reference or an object while it delivers promotions to a folder.

Before each round the mirror is removed, so that it is made anew, fetched into and pushed from under the knife; in every
other one the remote's references are packed, where a moved branch is a new file.
"""

import pathlib
import re
import shutil
import tempfile
import unittest

from git_servers import Repository
from harness import BUILD_DIR, DONE, DaemonCase, wait_until

KILL_POINTS = BUILD_DIR / "bin" / "kill_points.so"
POINTS_MAX = 400
ENVIRONMENT = """apiVersion: mlops/v1
kind: Environments
environments:
  - name: live
    clearance: none
    gitops: {repository: clusters, path: live, renderer: manifest}
"""


def has_sanitizer():
    return re.search(r"^MLOPS_SANITIZE:STRING=.+$", (BUILD_DIR / "CMakeCache.txt").read_text(), re.M)


@unittest.skipIf(has_sanitizer(), "a sanitizer must be loaded before kill_points.so")
class GitCrashTest(DaemonCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mlops-git-crash-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        cls.clusters = Repository(cls.place, "clusters")
        repositories = cls.place / "repositories.yaml"
        repositories.write_text(f"repositories:\n  clusters: {{url: 'file://{cls.clusters.bare}', use: [gitops]}}\n")
        cls.settings = {"MLOPSD_GIT_REPOSITORIES_FILE": str(repositories)}
        super().setUpClass()

    def promotions(self):
        """What is in the outbox; None when mlopsd has just been killed."""
        answer = self.ctl("gitops", "status", "--env", "live", "--limit", "0", "-o", "json")
        return answer.json() if answer.code == DONE else None

    def is_delivered(self):
        promotions = self.promotions()
        return promotions and all(one["state"] == "done" for one in promotions)

    def delivered(self, when):
        try:
            wait_until(self.is_delivered, 30, f"every promotion a commit, {when}")
        except AssertionError as error:
            problems = [one.get("problem") for one in self.promotions() if one["state"] != "done"]
            raise AssertionError(f"{error}: {problems}\n{self.daemon.log_text()[-2000:]}") from None

    def register(self, number):
        return self.json("register", "model", "crashing", self.file(f"{number}.json", f'{{"w": {number}}}'),
                         "--sensitivity", "none")["version"]["ref"]

    def promote(self, ref, check=None):
        return self.ctl("promote", ref, "--to", "live", "--reason", "a reason", check=check)

    def is_killed_at(self, point, ref):
        """Promotes `ref` with a new mirror, to be killed at a point. False: all was delivered before."""
        daemon, settings = self.daemon, self.daemon.settings
        daemon.stop()
        shutil.rmtree(daemon.data_dir / "git")
        daemon.settings = {**settings, "LD_PRELOAD": str(KILL_POINTS), "MLOPS_KILL_AT": str(point),
                           "MLOPS_KILL_IN": ".git/"}
        daemon.spawn()
        daemon.settings = settings
        wait_until(lambda: daemon.process.poll() is not None or daemon.ready(), 30, "mlopsd ready or killed")
        promoted = self.promote(ref)
        if promoted.code != DONE and daemon.process.poll() is None:
            wait_until(lambda: daemon.process.poll() is not None, 5, f"killed, since it did not promote: {promoted}")
        wait_until(lambda: daemon.process.poll() is not None or self.is_delivered(), 30, "killed or delivered")
        return daemon.process.poll() is not None

    def test_no_moment_of_a_kill_stops_the_delivery(self):
        self.ok("env", "apply", self.file("live.yaml", ENVIRONMENT))
        self.promote(self.register(0), DONE)
        self.delivered("before the first kill")
        for point in range(1, POINTS_MAX):
            if point % 2 == 0:
                self.clusters.run(self.clusters.bare, "pack-refs", "--all")
            killed = self.is_killed_at(point, self.register(point))
            if not killed:
                break
            self.daemon.start()
            self.promote(self.register(f"{point}-again"), DONE)  # the first may have come too late to be promoted
            self.delivered(f"after a kill at point {point}")
        self.assertFalse(killed, "there are more points than that")
        self.assertGreater(point, 60, "the points of a mirror, a fetch and a push")
        told = re.findall(r"^Mlops-Deployment: (.+)$", "\n".join(self.clusters.log()), re.M)
        self.assertEqual(sorted(told), sorted(one["deployment"] for one in self.promotions()))
        self.assertEqual(self.clusters.run(self.clusters.bare, "fsck", "--strict", "--no-dangling"), "")
        self.ok("audit", "verify")


if __name__ == "__main__":
    unittest.main()
