"""A masking run that was killed leaves a hidden folder beside its output: the next run of that output takes it away and
says so, and leaves alone what another run is still writing and what somebody else called alike."""

import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import MLOPSCTL, clean_environment

POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: 1.0.0}
spec:
  classification: {columns: {name: {class: person_name}, note: {class: free_text}}}
  transforms:
    rules:
      - {match: {class: person_name}, apply: redact}
      - {match: {class: free_text}, apply: {redact: {spans: detected}}}
"""
ROW = "Jane Roe,seen by Dr. Miller on 2024-03-05 for follow up of a cough that began two weeks before the visit\n"
LIMIT_S = 60


class MaskKilledTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mlops-killed-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        (self.root / "policy.yaml").write_text(POLICY)
        (self.root / "small.csv").write_text("name,note\n" + ROW)
        (self.root / "large.csv").write_text("name,note\n" + ROW * 150_000)

    def start(self, source):
        command = [str(MLOPSCTL), "policy", "mask", "policy.yaml", source, "-O", "out.csv"]
        return subprocess.Popen(command, cwd=self.root, env=clean_environment(self.root), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def mask(self, source):
        run = self.start(source)
        output, _ = run.communicate(timeout=LIMIT_S)
        self.assertEqual(run.returncode, 0, output)
        return output

    def hidden(self):
        return sorted(path.name for path in self.root.glob(".out.csv.masking-*"))

    def test_what_a_killed_run_left_goes_with_the_next(self):
        mine = self.root / ".out.csv.masking-notes"
        mine.mkdir()
        run = self.start("large.csv")
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        until = time.monotonic() + LIMIT_S
        while len(self.hidden()) < 2:
            self.assertIsNone(run.poll(), "it ended before it was killed: the input is too small")
            self.assertLess(time.monotonic(), until)
        run.send_signal(signal.SIGSTOP)
        left = self.hidden()
        self.assertNotIn("removed", self.mask("small.csv"), "its owner is alive")
        self.assertEqual(self.hidden(), left)
        run.kill()
        run.communicate()
        self.assertEqual(self.hidden(), left)
        said = self.mask("small.csv")
        self.assertIn("removed what 1 run of out.csv that did not end had left behind", said)
        self.assertEqual(self.hidden(), [mine.name])
        self.assertNotIn("Roe", (self.root / "out.csv").read_text())
        self.assertNotIn("removed", self.mask("small.csv"))


if __name__ == "__main__":
    unittest.main()
