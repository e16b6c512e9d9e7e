#!/usr/bin/env python3
"""Finding personal data in free text: all detectors on one core, and the same shapes by RE2 and ripgrep beside it.

  scan_bench.py [--megabytes N] [--file TEXT]

The text is made by scan_data.py unless one is named. RE2 runs the rules of scan.cc one after the other in the same
process, `rg -o` (if there) the same rules as one alternation on one thread; both only look for shapes, our scanner also
validates, weighs context, and finds names, places and addresses. Counts must be equal on the made text: exit code 1 if
not. CPU time; the best of several runs. The build directory comes from MLOPS_BUILD_DIR.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("MLOPS_BUILD_DIR", ROOT / "build" / "release"))
RUNS = 5


def rules():
    """The patterns of scan.cc: one place for both rivals."""
    return re.findall(r'\{"\w+", R"\((.*)\)"\}', (HERE / "scan.cc").read_text())


def ripgrep(text, rg):
    """(MB/s of CPU time, matches) of one alternation on one thread."""
    best, matches = float("inf"), 0
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([rg, "-o", "-j1", "--no-line-number", "--no-unicode", "|".join(f"(?:{r})" for r in rules()),
                               text], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        matches = done.stdout.count(b"\n")
    return text.stat().st_size / 1e6 / best, matches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=8)
    parser.add_argument("--file", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = arguments.file or pathlib.Path(folder) / "notes.txt"
        if not arguments.file:
            subprocess.run([sys.executable, HERE / "scan_data.py", "notes", text,
                            "--megabytes", str(arguments.megabytes)], check=True)
        found = json.loads(subprocess.run([BUILD / "bin" / "bench_scan", text], capture_output=True, text=True,
                                          check=True).stdout)
        rg = shutil.which("rg")
        rival = ripgrep(text, rg) if rg else None
    ours = found["all_detectors"]
    print(f"{found['size_bytes'] / 1e6:.1f} MB of text, one core")
    print(f"  all detectors        {ours:8.1f} MB/s   {found['findings']} findings")
    print(f"  the subset's         {found['subset']:8.1f} MB/s")
    print(f"  RE2, {len(found['rules'])} rules         {found['re2']:8.1f} MB/s   subset {found['subset'] / found['re2']:.2f}x, "
          f"all {ours / found['re2']:.2f}x")
    if rival:
        print(f"  rg -o -j1            {rival[0]:8.1f} MB/s   subset {found['subset'] / rival[0]:.2f}x, "
              f"all {ours / rival[0]:.2f}x ({rival[1]} matches)")
    else:
        print("  rg -o -j1            skipped: ripgrep is not installed")
    different = [rule for rule in found["rules"] if rule["ours"] != rule["re2"]]
    for rule in found["rules"]:
        mark = "" if rule["ours"] == rule["re2"] else "   DIFFERENT"
        print(f"    {rule['id']:<12} {rule['ours']:>7} {rule['re2']:>7}{mark}")
    return 1 if different and not arguments.file else 0


if __name__ == "__main__":
    sys.exit(main())
