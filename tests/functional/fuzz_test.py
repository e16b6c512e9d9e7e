"""The fuzz targets (tests/fuzz): the corpus replayed, then mutated for two seconds; with MLOPS_FUZZ_SECONDS for so long,
by libFuzzer where ./test has built the targets with it (MLOPS_FUZZ_DIR)."""

import concurrent.futures
import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, REPOSITORY

SECONDS = int(os.environ.get("MLOPS_FUZZ_SECONDS") or 2)  # 0: the corpus alone
TARGETS = pathlib.Path(os.environ.get("MLOPS_FUZZ_DIR") or BUILD_DIR / "fuzz")
CORPUS = REPOSITORY / "tests" / "fuzz" / "corpus"
LEFT = ("crash-*", "leak-*", "oom-*", "timeout-*")  # inputs a target ended on
IS_LIBFUZZER = "MLOPS_FUZZ_DIR" in os.environ


def run_target(folder):
    """The exit code (None: it did not end), the end of what it said, and the inputs it ended on."""
    with tempfile.TemporaryDirectory() as place:
        seeds = pathlib.Path(place) / "corpus"  # libFuzzer adds what it finds
        seeds.mkdir()
        for file in folder.iterdir():
            (seeds / file.name).write_bytes(file.read_bytes())
        limits = [f"-max_total_time={SECONDS}"] if SECONDS else ["-runs=0"]
        if IS_LIBFUZZER:
            limits.append("-timeout=60")  # seconds an input; what our own driver hangs on is told by its end alone
        try:
            done = subprocess.run([TARGETS / f"fuzz_{folder.name}", *limits, "-seed=1", seeds],
                                  cwd=place, capture_output=True, timeout=60 + 10 * SECONDS)
            code, said = done.returncode, done.stderr
        except subprocess.TimeoutExpired as expired:
            code, said = None, expired.stderr or b""
        left = b"".join(path.read_bytes() for name in LEFT for path in pathlib.Path(place).glob(name))
        return code, said[-3000:], left


class FuzzTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.nice(10)  # other tests run beside it (summary.py)

    def test_every_target(self):
        folders = sorted(CORPUS.iterdir())
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # a processor each
            for folder, (code, said, left) in zip(folders, pool.map(run_target, folders)):
                with self.subTest(folder.name):
                    self.assertEqual(code, 0, f"{said!r}\ninput: {left!r}")

    def test_every_target_has_seeds(self):
        targets = {path.name.removesuffix("_fuzz.cc") for path in CORPUS.parent.glob("*_fuzz.cc")}
        self.assertEqual(targets, {folder.name for folder in CORPUS.iterdir()})


if __name__ == "__main__":
    unittest.main()
