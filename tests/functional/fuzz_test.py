"""The fuzz targets (tests/fuzz): the corpus replayed, then mutated for a few seconds (MLOPS_FUZZ_SECONDS each)."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, REPOSITORY

SECONDS = int(os.environ.get("MLOPS_FUZZ_SECONDS") or 2)
CORPUS = REPOSITORY / "tests" / "fuzz" / "corpus"


class FuzzTest(unittest.TestCase):
    def test_every_target(self):
        for folder in sorted(CORPUS.iterdir()):
            with self.subTest(folder.name), tempfile.TemporaryDirectory() as place:
                binary = BUILD_DIR / "fuzz" / f"fuzz_{folder.name}"
                seeds = pathlib.Path(place) / "corpus"  # libFuzzer adds what it finds
                seeds.mkdir()
                for file in folder.iterdir():
                    (seeds / file.name).write_bytes(file.read_bytes())
                done = subprocess.run([binary, f"-max_total_time={SECONDS}", "-seed=1", seeds], cwd=place,
                                      capture_output=True, timeout=60 + 10 * SECONDS)
                left = b"".join(path.read_bytes() for path in pathlib.Path(place).glob("crash-*"))
                self.assertEqual(done.returncode, 0, f"{done.stderr[-3000:]!r}\ninput: {left!r}")

    def test_every_target_has_seeds(self):
        targets = {path.name.removesuffix("_fuzz.cc") for path in CORPUS.parent.glob("*_fuzz.cc")}
        self.assertEqual(targets, {folder.name for folder in CORPUS.iterdir()})


if __name__ == "__main__":
    unittest.main()
