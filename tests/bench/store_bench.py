#!/usr/bin/env python3
"""Measures the content store beside its rivals in one run: the section "The content store" of docs/PERFORMANCE.md.

    tests/bench/store_bench.py               everything but 600,000 files (about 20 minutes, 30 GiB of disk)
    tests/bench/store_bench.py --quick       small sizes, two rounds, less than a minute: to see that it works
    tests/bench/store_bench.py --full        also 600,000 files
    tests/bench/store_bench.py --only tree   one group: large, tree, huge, size, memory (repeatable)
    tests/bench/store_bench.py --write       also writes the tables of what was measured into docs/PERFORMANCE.md

mlopsctl talks to mlopsd over loopback; every round has a new daemon on a new data directory and a new repository of each
rival. Before anything large is written, a file of its size is written and deleted (the first touch of memory that the host
has reclaimed costs more than anything measured here) and all dirty pages are flushed. `cp` and openssl run right before
what is compared with them; ratios are formed within a round, their median over the rounds is told. Rivals: restic, borg,
casync, bup, git-lfs, git-annex (Debian packages); an absent one is named and left out. Status 1 when the product failed.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--full", action="store_true", help="600,000 files, too")
    parser.add_argument("--only", action="append", metavar="GROUP", help="a group (repeatable)")
    parser.add_argument("--rounds", type=int, help="instead of 7 (2 with --quick)")
    parser.add_argument("--no-rivals", action="store_true", help="the product and its limits (cp, openssl, find) only")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/PERFORMANCE.md")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the numbers of every round, too")
    parser.add_argument("--build", type=pathlib.Path, help="the build directory (default build/release, or MLOPS_BUILD_DIR)")
    parser.add_argument("--dir", type=pathlib.Path, help="where all that is temporary lies for the time of the run")
    parser.add_argument("--calm", type=int, default=0, metavar="SECONDS",
                        help="before a round, wait up to so long until others use less than a tenth of the CPUs")
    parser.add_argument("--disk-gib", type=int, default=30, help="the most disk to take (default 30)")
    return parser, parser.parse_args()


PARSER, OPTIONS = parse()
if OPTIONS.build:
    os.environ["MLOPS_BUILD_DIR"] = str(OPTIONS.build.resolve())  # harness reads it once
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "functional"))
import bench  # noqa: E402
import harness  # noqa: E402
import store_data  # noqa: E402
import store_measure  # noqa: E402
import store_rivals  # noqa: E402
import store_rows  # noqa: E402

VERDICTS = {"aim": "aim met", "met": "met", "missed": "**missed**", "aim missed": "aim missed", "": ""}


def figures_table(figures):
    lines = ["| Hot path | Measured | Must | Aim | | Beside it in the same run |", "|---|---|---|---|---|---|"]
    lines += [f"| {f.what} | {f.measured} | {f.must} | {f.aim} | {VERDICTS[f.verdict]} | {f.beside} |" for f in figures]
    return "\n".join(lines)


OWN = "**mlopsctl and mlopsd**"


def large_rows(lab):
    """All programs with one large file and its successor; what was not measured stays empty."""
    samples, rivals, moved, ideal = lab.samples, lab.rivals, lab.counted, lab.ideal_bytes
    yield ["", "add `a`", "add `b`", "new for `b` (× changed)", "restore `a`", "largest RSS", "rounds"]
    peaks = [samples.largest(key) / 1024 for key in ("push a, own KiB", "push a, daemon KiB")]
    yield [OWN, *(f"{samples.median(key):.2f} s" for key in ("push a", "push b")),
           f"{moved['stored_b'] / 1e6:.1f} MB = {moved['stored_b'] / ideal:.2f} ×", f"{samples.median('pull a'):.2f} s",
           "{:.0f} + {:.0f} MiB".format(*peaks), str(samples.count("push a"))]
    for label in (kind.label for kind in rivals.here):
        new, peak = (rivals.numbers.get((label, what)) for what in ("stored b", "peak_kib"))
        yield [label, *(rivals.seconds(label, what) for what in ("add a", "add b")),
               f"{new / 1e6:.1f} MB = {new / ideal:.2f} ×" if new is not None else "", rivals.seconds(label, "restore"),
               f"{peak / 1024:.0f} MiB" if peak else "", str(samples.count(f"{label} add a"))]


def tree_rows(lab):
    """The same with many small files."""
    samples, rivals = lab.samples, lab.rivals
    yield ["", "add", "the same again", "rounds"]
    yield [OWN, *(f"{samples.median(key):.2f} s" for key in ("tree push", "tree again")), str(samples.count("tree push"))]
    for label in (kind.label for kind in rivals.here):
        if samples.has(f"{label} tree"):
            yield [label, *(rivals.seconds(label, what) for what in ("tree", "tree again")),
                   str(samples.count(f"{label} tree"))]


def rivals_table(rows):
    head, *rest = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rest])


RIVAL_ROWS = {"large": large_rows, "tree": tree_rows}


def write_page(group, text):
    """Between the two marks of the group."""
    begin, end = (f"<!-- store-figures {group}: {word} -->" for word in ("begin", "end"))
    page = bench.PAGE.read_text()
    if begin not in page:
        sys.exit(f"store_bench: {bench.PAGE.name} has no {begin}")
    head, rest = page.split(begin, 1)
    bench.PAGE.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def show(figure):
    print(f"{figure.what:<66} {figure.measured:<34} {figure.must:<10} {figure.aim:<9} "
          f"{VERDICTS[figure.verdict].strip('*'):<10} {figure.beside}", flush=True)


def measure(lab, name):
    """A group's figures and whether all went well; one that cannot go on gives a figure that says why."""
    figures = []
    try:
        for figure in store_rows.GROUPS[name](lab):
            figures.append(figure)
            show(figure)
    except (store_measure.Failure, AssertionError) as failure:  # the harness asserts that a daemon starts
        why = (str(failure) or "no message").splitlines()[0]
        figures.append(store_rows.Figure(f"group {name}", f"failed: {why}", "—", "—", "missed", "—"))
        show(figures[-1])
        return figures, False
    return figures, True


def tell(lab, name, figures, others):
    """A group's tables and what the reader must know about them."""
    lines = [f"{bench.machine_line()}; other processes used {others.share():.0%} of the CPUs meanwhile.", "",
             figures_table(figures)]
    if name in RIVAL_ROWS and lab.rivals.here:
        lines += ["", rivals_table(RIVAL_ROWS[name](lab))]
        if lab.rivals.absent:
            lines += ["", f"Not installed, so not measured: {', '.join(lab.rivals.absent)}."]
        lines += [f"\nNot measured: {note}" for note in sorted(set(lab.rivals.notes))]
    return "\n".join(lines)


def run_in(folder, groups):
    tempfile.tempdir = str(folder)
    samples = store_measure.Samples()
    rivals = store_rivals.Rivals(folder, samples, *((1, 1) if OPTIONS.quick else (99, 3)))
    if OPTIONS.quick:  # one setting of each
        rivals.here = [kind for kind in rivals.here if kind.label == rivals.families()[kind.program][0]]
    if OPTIONS.no_rivals:
        rivals.here = []
    lab = store_rows.Lab(OPTIONS, folder, rivals, samples)
    print(f"Machine: {bench.machine_line()}\n")
    is_whole = True
    for name in groups:
        others = store_measure.Others()
        figures, is_well = measure(lab, name)
        is_whole = is_whole and is_well
        if is_well:
            text = tell(lab, name, figures, others)
            print(f"\n{text}\n")
            if OPTIONS.write:
                write_page(name, text)
                print(f"written to {bench.PAGE.relative_to(bench.ROOT)}")
    if OPTIONS.json:
        numbers = {" ".join(key): value for key, value in rivals.numbers.items()}
        OPTIONS.json.write_text(json.dumps({"samples": samples.values, "numbers": numbers,
                                            "counted": getattr(lab, "counted", None)}, indent=1))
    return 0 if is_whole else 1


def main():
    groups = OPTIONS.only or [name for name in store_rows.GROUPS if name != "huge" or OPTIONS.full]
    if unknown := [name for name in groups if name not in store_rows.GROUPS]:
        PARSER.error(f"no group {unknown[0]}; there are {', '.join(store_rows.GROUPS)}")
    if OPTIONS.write and (OPTIONS.quick or OPTIONS.no_rivals):
        PARSER.error("--write tells what is measured at full size, with the rivals")
    missing = [path.name for path in (harness.MLOPSD, harness.MLOPSCTL) if not path.exists()]
    if missing:
        sys.exit(f"store_bench: {', '.join(missing)} not in {harness.BUILD_DIR}/bin: build first, or give --build")
    store_measure.end_tidily()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlops-store-bench-", dir=OPTIONS.dir))
    try:
        return run_in(folder, groups)
    finally:
        store_data.remove(folder)


if __name__ == "__main__":
    sys.exit(main())
