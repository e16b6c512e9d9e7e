"""Promotion beside a small model of what it must do (tests/sim): seeded sequences with crashes; a difference prints its seed.

MLOPS_SIM_SEQUENCES asks for more than the 1,000 of a usual run; 100,000 take about half an hour on a disk in memory.
"""

import os
import subprocess
import unittest

from harness import BUILD_DIR

SIMULATOR = BUILD_DIR / "bin" / "promotion_sim"


class PromotionSimulatorTest(unittest.TestCase):
    def test_seeded_sequences(self):
        sequences = os.environ.get("MLOPS_SIM_SEQUENCES", "1000")
        in_memory = dict(os.environ, TMPDIR="/dev/shm") if os.path.isdir("/dev/shm") else None
        done = subprocess.run([SIMULATOR, "--sequences", sequences], capture_output=True, text=True, env=in_memory)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        self.assertIn("as the model says", done.stdout)


if __name__ == "__main__":
    unittest.main()
