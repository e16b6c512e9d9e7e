"""The content store's simulator (tests/sim): seeded interleavings of push, delete, collection and pull; a failure prints its seed."""

import subprocess
import unittest

from harness import BUILD_DIR

SIMULATOR = BUILD_DIR / "bin" / "store_sim"


class StoreSimulatorTest(unittest.TestCase):
    def simulate(self, *words):
        done = subprocess.run([SIMULATOR, *words], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])

    def test_seeded_interleavings(self):
        self.simulate("--seeds", "200")

    def test_threads(self):
        self.simulate("--threads", "4", "--seconds", "3")


if __name__ == "__main__":
    unittest.main()
