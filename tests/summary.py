#!/usr/bin/env python3
"""Runs every test of the checkout and counts single test cases; ./test ends with it.

    tests/tidy/*_test.py          unittest modules, one process each
    BUILD/tests/unit/unit_*       Catch2 binaries (v2 or v3), read through their XML reporter
    tests/functional/*_test.py    unittest modules, one process each

Prints one line a suite, what failed below it, the reasons of skipped tests, and as the last line
"N passed, N failed" (", N skipped"). Exit status 1 when anything failed, crashed, hung, or when a folder of unit tests
has no binary. The build directory comes from MLOPS_BUILD_DIR (default build/release).
"""

import argparse
import collections
import concurrent.futures
import glob
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUITE_WITHIN_S = 1800
BESIDE = "functional/fuzz_test"  # takes minutes and nothing but processor time: runs on what the others leave
SHOWN_OUTPUT_CHARS = 8000

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
Case = collections.namedtuple("Case", "name outcome text")  # text: why it failed or was skipped


def tail(text):
    return text if len(text) <= SHOWN_OUTPUT_CHARS else "[…]\n" + text[-SHOWN_OUTPUT_CHARS:]


def run_child(command, env=None):
    """(exit status or None after a timeout, standard output, standard error)"""
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SUITE_WITHIN_S)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as expired:
        return None, (expired.stdout or b"").decode(errors="replace"), (expired.stderr or b"").decode(errors="replace")


def ended_badly(status):
    if status is None:
        return f"did not end within {SUITE_WITHIN_S} s"
    return f"ended by signal {-status}" if status < 0 else f"ended with exit status {status}"


# --- Catch2 ---------------------------------------------------------------------------------------------------------


def catch_failure_text(element):
    lines = []
    for node in element.iter():
        place = f"{node.get('filename')}:{node.get('line')}"
        if node.tag == "Expression" and node.get("success") == "false":
            original, expanded = (node.findtext(tag, "").strip() for tag in ("Original", "Expanded"))
            lines.append(f"{place}: {node.get('type', '')}( {original} )\n  with: {expanded}")
            lines += [f"  exception: {inner.text.strip()}" for inner in node if inner.tag == "Exception" and inner.text]
        elif node.tag in ("Failure", "FatalErrorCondition", "Exception") and node.text and node.get("filename"):
            lines.append(f"{place}: {node.text.strip()}")
    return "\n".join(lines) or "no assertion was reported"


def catch_case(element):
    verdict = element.find("OverallResult")
    if verdict is not None and int(verdict.get("skips") or 0) > 0 and verdict.get("success") == "true":
        reason = next((node.text.strip() for node in element.iter("Skip") if node.text), "no reason given")
        return Case(element.get("name"), SKIPPED, reason)
    if verdict is not None and verdict.get("success") == "true":
        return Case(element.get("name"), PASSED, "")
    return Case(element.get("name"), FAILED, catch_failure_text(element))


def run_catch(binary):
    status, out, err = run_child([str(binary), "--reporter", "xml"])
    cases, begun = [], None
    parser = xml.etree.ElementTree.XMLPullParser(["start", "end"])
    try:
        parser.feed(out)  # a truncated document (a crash) still gives the cases that ended
        for event, element in parser.read_events():
            if element.tag != "TestCase":
                continue
            begun = element.get("name") if event == "start" else None
            if event == "end":
                cases.append(catch_case(element))
    except xml.etree.ElementTree.ParseError as error:
        err = f"unreadable XML report: {error}\n{err}"
    if status != 0 and not any(case.outcome == FAILED for case in cases):
        cases.append(Case(begun or binary.name, FAILED, f"{ended_badly(status)}\n{tail(err)}"))
    if not cases:
        cases.append(Case(binary.name, FAILED, f"reported no test case\n{tail(err)}"))
    return cases


# --- unittest -------------------------------------------------------------------------------------------------------


class Recorder(unittest.TestResult):
    """One outcome a test; the worst one where subtests differ. A failed class fixture counts as a failed case."""

    def __init__(self):
        super().__init__()
        self.cases = {}

    def record(self, test, outcome, text=""):
        name = test.id()
        before = self.cases.get(name)
        if before and before.outcome == FAILED:
            if outcome == FAILED:
                self.cases[name] = Case(name, FAILED, before.text + "\n" + text)
            return
        self.cases[name] = Case(name, outcome, text)

    def addSuccess(self, test):
        if test.id() not in self.cases:
            self.record(test, PASSED)

    def addFailure(self, test, err):
        self.record(test, FAILED, self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.record(getattr(test, "test_case", test), SKIPPED, reason)

    def addExpectedFailure(self, test, err):
        self.record(test, PASSED)

    def addUnexpectedSuccess(self, test):
        self.record(test, FAILED, "was expected to fail, but passed")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.record(test, FAILED, f"{subtest.id()}\n{self._exc_info_to_string(err, test)}")


def unittest_child(path, report):
    """In the child process: runs one module and writes its cases as JSON to the file `report`."""
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    recorder = Recorder()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(recorder)
    with open(report, "w", encoding="utf-8") as stream:
        json.dump(list(recorder.cases.values()), stream)


def run_unittest(path, build_dir):
    report = build_dir / "tests" / f"{path.stem}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    env = dict(os.environ, MLOPS_BUILD_DIR=str(build_dir))
    status, out, err = run_child([sys.executable, __file__, "--child", str(path), str(report)], env)
    cases = []
    if report.exists():
        cases = [Case(*fields) for fields in json.loads(report.read_text(encoding="utf-8"))]
    if status != 0:
        cases.append(Case(path.stem, FAILED, f"{ended_badly(status)}\n{tail(out + err)}"))
    if not cases:
        cases.append(Case(path.stem, FAILED, "holds no test"))
    return cases


# --- all of them ----------------------------------------------------------------------------------------------------


def find_suites(build_dir):
    """(name, function that runs it) in the order of running: cheap checks first."""
    suites = []

    def add_python(folder):
        for path in sorted((ROOT / "tests" / folder).glob("*_test.py")):
            suites.append((f"{folder}/{path.stem}", lambda path=path: run_unittest(path, build_dir)))

    add_python("tidy")
    folders = {pathlib.Path(source).parent for source in glob.glob(str(ROOT / "tests/unit/*/*/**/*_test.cc"), recursive=True)}
    names = sorted({"unit_" + "_".join(folder.relative_to(ROOT / "tests/unit").parts[:2]) for folder in folders})
    for name in names:
        binary = build_dir / "tests" / "unit" / name
        missing = [Case(name, FAILED, "its test files are there, but not its binary: is the room in CMake?")]
        suites.append((name, (lambda binary=binary: run_catch(binary)) if binary.exists() else lambda m=missing: m))
    add_python("functional")
    return suites


def timed(run):
    started = time.monotonic()
    return run(), time.monotonic() - started


def show(name, cases, seconds):
    count = collections.Counter(case.outcome for case in cases)
    words = [f"{count[outcome]} {outcome}" for outcome in (PASSED, FAILED, SKIPPED) if count[outcome]]
    print(f"{'FAIL' if count[FAILED] else ' ok '}  {name:<40} {', '.join(words)}  ({seconds:.1f} s)", flush=True)
    for case in cases:
        if case.outcome == FAILED:
            print(f"      FAILED {case.name}")
            print("".join(f"        {line}\n" for line in case.text.strip().splitlines()), flush=True)
    return count


def main():
    parser = argparse.ArgumentParser(description="Runs every test and counts single cases.")
    parser.add_argument("--filter", default="", help="only suites whose name contains this text")
    parser.add_argument("--child", nargs=2, metavar=("FILE", "REPORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        unittest_child(*options.child)
        return

    build_dir = ROOT / os.environ.get("MLOPS_BUILD_DIR", "build/release")
    suites = [(name, run) for name, run in find_suites(build_dir) if options.filter in name]
    if not suites:
        sys.exit(f"no test matches '{options.filter}'")
    total, skipped = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        beside = {name: pool.submit(timed, run) for name, run in suites if name == BESIDE}
        for name, run in sorted(suites, key=lambda suite: suite[0] in beside):  # told last: nobody waits for it before
            cases, seconds = beside[name].result() if name in beside else timed(run)
            total += show(name, cases, seconds)
            skipped += [(name, case) for case in cases if case.outcome == SKIPPED]
    if skipped:
        print("\nskipped:")
        for name, case in skipped:
            print(f"  {name}: {case.name}: {case.text}")
    print(f"\n{total[PASSED]} passed, {total[FAILED]} failed" + (f", {total[SKIPPED]} skipped" if skipped else ""))
    sys.exit(1 if total[FAILED] else 0)


if __name__ == "__main__":
    main()
