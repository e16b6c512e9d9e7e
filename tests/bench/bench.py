#!/usr/bin/env python3
"""Measures the figures of docs/PERFORMANCE.md, each beside its rival or limit in the same run.

    tests/bench/bench.py                  all figures (about 5 minutes)
    tests/bench/bench.py --quick          small sizes, to see that it works
    tests/bench/bench.py --only files     one group: commands, start, writes, reads, scale, files
    tests/bench/bench.py --full           `scale` with 1,000,000 versions instead of 100,000
    tests/bench/bench.py --write          also writes the table into docs/PERFORMANCE.md

Rules: rival and product take turns on the same disk; the median (or, for a start, the minimum) of several rounds is
told; a large write is preceded by writing and deleting a file of the same size, because the first touch of memory the
host has reclaimed costs more than anything measured here. The build directory comes from MLOPS_BUILD_DIR.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "functional"))
import harness  # noqa: E402

LOAD = harness.BUILD_DIR / "bin" / "bench_load"
RAW_SQLITE = harness.BUILD_DIR / "bin" / "bench_raw_sqlite"
PAGE = ROOT / "docs" / "PERFORMANCE.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
CLIENTS = 64

# what: the figure; value: as measured; goal: the words of the goal and whether it is met; rival: what stood beside it.
Figure = collections.namedtuple("Figure", "what value goal met rival")


class Sizes:
    def __init__(self, options):
        quick = options.quick
        self.rounds = 3
        self.seconds = 1.0 if quick else 4.0
        self.starts = 3 if quick else 7
        self.commands = 5 if quick else 25
        self.versions = 2_000 if quick else 1_000_000 if options.full else 100_000
        self.file_bytes = (64 << 20) if quick else (1 << 30)
        self.file_rounds = 3 if quick else 5


def run_json(command, **keywords):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **keywords)
    if done.returncode:
        sys.exit(f"bench: {command[0]} failed: {done.stderr}")
    return json.loads(done.stdout)


def timed(command, **keywords):
    before = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **keywords)
    took = time.perf_counter() - before
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))} failed: {done.stderr}")
    return took


def load(daemon, mode, **options):
    words = [LOAD, "--port", daemon.port, "--mode", mode, "--connections", options.pop("connections", CLIENTS)]
    for name, value in options.items():
        words += ["--" + name, value]
    return run_json(words, env=dict(os.environ, MLOPS_TOKEN=daemon.admin_token))


def seed_blob(daemon):
    """One blob that all seeded versions share, as (digest, size)."""
    answer = daemon.api("POST", "/api/v1/blobs", b"bench", token="admin",
                        headers={"Content-Type": "application/octet-stream"})
    if answer.status not in (200, 201):
        sys.exit(f"bench: cannot upload: {answer}")
    return answer.json["digest"], answer.json["size_bytes"]


def seed(daemon, versions, artifacts):
    digest, size = seed_blob(daemon)
    return load(daemon, "register", requests=versions, artifacts=artifacts, digest=digest, size=size)


def rate(value):
    return f"{value:,.0f}/s"


def milliseconds(microseconds):
    return f"{microseconds / 1000:.2f} ms"


# --- the groups -----------------------------------------------------------------------------------------------------


def measure_commands(sizes):
    """`mlopsctl --help`: the whole life of a process."""
    git = [timed(["git", "--version"]) for _ in range(sizes.commands)] if shutil.which("git") else []
    ours = [timed([harness.MLOPSCTL, "--help"]) for _ in range(sizes.commands)]
    value = min(ours) * 1000
    yield Figure("`mlopsctl --help`", f"{value:.1f} ms", "≤ 20 ms", value <= 20,
                 f"`git --version` {min(git) * 1000:.1f} ms, ratio {min(ours) / min(git):.1f}" if git else "—")


def ready_at(port, process):
    """Blocks until /readyz answers 200; half a millisecond between two looks."""
    request = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(request)
                if b" 200 " in connection.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.0005)
    sys.exit("bench: mlopsd ended before it was ready")


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def measure_start(sizes):
    """From exec to the first 200 of /readyz, on a data directory that exists; then the memory of the idle process."""
    daemon = harness.Daemon()
    try:
        times, memory = [], []
        for _ in range(sizes.starts):
            daemon.stop()
            before = time.perf_counter()
            daemon.spawn()
            ready_at(daemon.port, daemon.process)
            times.append((time.perf_counter() - before) * 1000)
            memory.append(resident_kib(daemon.pid) / 1024)
        yield Figure("start to ready", f"{min(times):.0f} ms (median {statistics.median(times):.0f})", "≤ 100 ms",
                     min(times) <= 100, "—")
        yield Figure("idle RSS", f"{statistics.median(memory):.1f} MiB", "≤ 30 MB",
                     statistics.median(memory) * 1.048576 <= 30, "—")
    finally:
        daemon.close()


def measure_writes(sizes):
    """Durable metadata changes (a label each: state rows and an audit entry) against single-row SQLite commits."""
    daemon = harness.Daemon()
    try:
        seed(daemon, 1000, 100)
        raw, ours, lone = [], [], []
        for _ in range(sizes.rounds):
            folder = tempfile.mkdtemp(dir=daemon.root)
            raw.append(run_json([RAW_SQLITE, folder, sizes.seconds]))
            shutil.rmtree(folder)
            ours.append(load(daemon, "label", seconds=sizes.seconds, artifacts=100, versions=10))
            lone.append(load(daemon, "label", seconds=sizes.seconds / 2, artifacts=100, versions=10, connections=1))
        raw_s = statistics.median(r["per_s"] for r in raw)
        per_s = statistics.median(r["per_s"] for r in ours)
        yield Figure(f"durable changes, {CLIENTS} clients", rate(per_s), "≥ 5,000/s", per_s >= 5000,
                     f"raw SQLite, one row a commit {rate(raw_s)}, ratio {per_s / raw_s:.2f}")
        yield Figure("— their p50, p99", ", ".join(milliseconds(statistics.median(r[k] for r in ours))
                                                   for k in ("p50_us", "p99_us")), "—", None, "—")
        lone_us, raw_us = (statistics.median(r["p50_us"] for r in rs) for rs in (lone, raw))
        yield Figure("— one client alone, p50", milliseconds(lone_us), "—", None,
                     f"raw SQLite commit {milliseconds(raw_us)}, ratio {lone_us / raw_us:.1f}")
    finally:
        daemon.close()


def measure_reads(sizes):
    daemon = harness.Daemon()
    try:
        seed(daemon, 1000, 100)
        reads, empty = [], []
        for _ in range(sizes.rounds):
            empty.append(load(daemon, "ready", seconds=sizes.seconds))
            reads.append(load(daemon, "read", seconds=sizes.seconds, artifacts=100, versions=10))
        per_s, empty_s = (statistics.median(r["per_s"] for r in rs) for rs in (reads, empty))
        yield Figure(f"`GET version`, {CLIENTS} clients", rate(per_s), "≥ 20,000/s", per_s >= 20000,
                     f"`GET /readyz` of the same listener {rate(empty_s)}, ratio {per_s / empty_s:.2f}")
        yield Figure("— their p50, p99", ", ".join(milliseconds(statistics.median(r[k] for r in reads))
                                                   for k in ("p50_us", "p99_us")), "—", None, "—")
    finally:
        daemon.close()


def measure_scale(sizes):
    """Registers many versions through the API, then reads them at random, and starts once more on what they made."""
    daemon = harness.Daemon()
    try:
        artifacts = max(100, sizes.versions // 1000)
        loaded = seed(daemon, sizes.versions, artifacts)
        yield Figure(f"registering {sizes.versions:,} versions, {CLIENTS} clients", rate(loaded["per_s"]), "—", None, "—")
        reads = [load(daemon, "read", seconds=sizes.seconds, artifacts=artifacts, versions=sizes.versions // artifacts)
                 for _ in range(sizes.rounds)]
        p99 = statistics.median(r["p99_us"] for r in reads)
        yield Figure(f"p99 of `GET version` at {sizes.versions:,} versions", milliseconds(p99), "≤ 10 ms", p99 <= 10_000,
                     f"{rate(statistics.median(r['per_s'] for r in reads))} with {CLIENTS} clients")
        daemon.stop()
        before = time.perf_counter()
        daemon.spawn()
        ready_at(daemon.port, daemon.process)
        took = (time.perf_counter() - before) * 1000
        yield Figure(f"start to ready at {sizes.versions:,} versions", f"{took:.0f} ms", "—", None, "one start")
        yield Figure(f"idle RSS at {sizes.versions:,} versions", f"{resident_kib(daemon.pid) / 1024:.1f} MiB", "—", None, "—")
    finally:
        daemon.close()


def touch_memory(folder, size_bytes):
    """Writes and deletes a file of the size that is about to be written."""
    block = os.urandom(1 << 20)
    path = folder / "warm-up"
    with open(path, "wb") as stream:
        for _ in range(size_bytes >> 20):
            stream.write(block)
    path.unlink()


def file_round(folder, source, number, size_bytes):
    """One round on a daemon of its own: seconds of openssl, cp, register and pull."""
    with open(source, "r+b") as stream:  # other bytes each time, or nothing would be uploaded
        stream.write(f"round {number}".encode())
    touch_memory(folder, size_bytes)
    daemon = harness.Daemon(root=folder / f"round-{number}")
    try:
        environment = daemon.client_environment()
        copy, target = folder / "copy", folder / "pulled"
        took = {"openssl": timed(["openssl", "dgst", "-sha256", source])}
        took["cp"] = timed(["cp", source, copy])
        copy.unlink()
        took["register"] = timed([harness.MLOPSCTL, "register", "model", "large", source], env=environment)
        touch_memory(folder, size_bytes)
        took["openssl"] = min(took["openssl"], timed(["openssl", "dgst", "-sha256", source]))
        took["pull"] = timed([harness.MLOPSCTL, "pull", "large@v1", target], env=environment)
        if (target / source.name).stat().st_size != size_bytes:
            sys.exit("bench: the pulled file has another size")
        took["peak_kib"] = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text()).group(1))
        return took
    finally:
        daemon.close()
        shutil.rmtree(folder / f"round-{number}", ignore_errors=True)
        shutil.rmtree(folder / "pulled", ignore_errors=True)


def measure_files(sizes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlops-bench-"))
    try:
        if shutil.disk_usage(folder).free < 5 * sizes.file_bytes:
            sys.exit(f"bench: {folder} has too little room for the file figures")
        source = folder / "large.bin"
        with open(source, "wb") as stream:
            for _ in range(sizes.file_bytes >> 20):
                stream.write(os.urandom(1 << 20))
        rounds = [file_round(folder, source, n, sizes.file_bytes) for n in range(sizes.file_rounds)]
        size = f"{sizes.file_bytes >> 20:,} MiB"
        for verb, limit in (("register", 2.5), ("pull", 2.0)):
            ratio = statistics.median(r[verb] / r["openssl"] for r in rounds)
            rivals = ", ".join(f"{name} {statistics.median(r[key] for r in rounds):.2f} s"
                               for name, key in (("`openssl dgst -sha256`", "openssl"), ("`cp`", "cp")))
            yield Figure(f"`{verb}` of {size}", f"{statistics.median(r[verb] for r in rounds):.2f} s, ratio {ratio:.2f}",
                         f"≤ {limit} × openssl", ratio <= limit, rivals)
        peak = max(r["peak_kib"] for r in rounds) / 1024
        yield Figure("— the daemon's largest RSS meanwhile", f"{peak:.0f} MiB", "—", None, "—")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


GROUPS = {"commands": measure_commands, "start": measure_start, "writes": measure_writes, "reads": measure_reads,
          "scale": measure_scale, "files": measure_files}


# --- telling it -----------------------------------------------------------------------------------------------------


def machine_line():
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / (1 << 20)
    system = re.search(r'PRETTY_NAME="([^"]*)"', pathlib.Path("/etc/os-release").read_text())
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True, text=True).stdout
    return (f"{os.cpu_count()} × {cpu.group(1) if cpu else platform.machine()}, {memory:.0f} GiB, "
            f"{system.group(1) if system else platform.system()}, {filesystem.strip()}, "
            f"{datetime.date.today().isoformat()}")


def table(figures):
    mark = {True: "met", False: "**missed**", None: ""}
    lines = ["| Figure | Measured | Goal | | Beside it in the same run |", "|---|---|---|---|---|"]
    lines += [f"| {f.what} | {f.value} | {f.goal} | {mark[f.met]} | {f.rival} |" for f in figures]
    return "\n".join(lines)


def write_page(figures):
    text = PAGE.read_text()
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    PAGE.write_text(f"{head}{BEGIN}\nMachine: {machine_line()}\n\n{table(figures)}\n{END}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--full", action="store_true", help="1,000,000 versions")
    parser.add_argument("--only", choices=GROUPS, action="append", help="a group (repeatable)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/PERFORMANCE.md")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write tells all figures at full size")
    missing = [path.name for path in (harness.MLOPSD, harness.MLOPSCTL, LOAD, RAW_SQLITE) if not path.exists()]
    if missing:
        sys.exit(f"bench: {', '.join(missing)} not in {harness.BUILD_DIR}/bin: build first, or set MLOPS_BUILD_DIR")
    print(f"Machine: {machine_line()}\n")
    figures = []
    for name in options.only or GROUPS:
        for figure in GROUPS[name](Sizes(options)):
            figures.append(figure)
            print(f"{figure.what:<48} {figure.value:<28} {figure.goal:<18} "
                  f"{'' if figure.met is None else 'met' if figure.met else 'MISSED':<7} {figure.rival}", flush=True)
    if options.write:
        write_page(figures)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
