"""The measurements of store_bench.py: a group of rows each, as Figure values, from rounds of the product and its rivals."""

import collections
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

import harness
import store_data
import store_measure
from store_data import GIB, MIB
from store_measure import Failure, Relay, Side, settle

# what: the row; measured, must, aim: words; verdict: "aim", "met", "missed" or "" when nothing was promised.
Figure = collections.namedtuple("Figure", "what measured must aim verdict beside")


def judge(value, must=None, aim=None, at_least=False):
    def reached(goal):
        return value >= goal if at_least else value <= goal

    if aim is not None and reached(aim):
        return "aim"
    if must is not None:
        return "met" if reached(must) else "missed"
    return "" if aim is None else "aim missed"


def times_figure(what, value, must, aim, beside, seconds=None):
    """A ratio that should be small: "0.71 s = 1.18 ×"."""
    measured = f"{value:.2f} ×" if seconds is None else f"{seconds:.3g} s = {value:.2f} ×"
    goals = [f"≤ {goal:g} ×" if goal else "—" for goal in (must, aim)]
    return Figure(what, measured, *goals, judge(value, must, aim), beside)


def faster_figure(what, value, must, beside):
    return Figure(what, f"{value:.1f} × faster", f"≥ {must:g} ×", "—", judge(value, must, at_least=True), beside)


class Sizes:
    def __init__(self, options):
        quick = options.quick
        self.rounds = options.rounds or (2 if quick else 7)
        self.large_bytes = 64 * MIB if quick else GIB
        self.half_bytes = 16 * MIB if quick else 256 * MIB
        self.files, self.file_bytes = (2_000 if quick else 20_000), 10_000
        self.huge_files, self.huge_file_bytes = (5_000 if quick else 600_000), 3_000
        self.pushes = 8 if quick else 64
        self.push_bytes = 64 * MIB if quick else GIB
        self.again = 3


class Lab:
    """What the groups share: the folder of all that is temporary, data, samples, rivals."""

    def __init__(self, options, folder, rivals, samples):
        self.options, self.folder, self.rivals, self.samples = options, folder, rivals, samples
        self.sizes = Sizes(options)
        self.maker = store_data.Maker(folder, harness.BUILD_DIR)
        self.ideal_bytes = 0

    def side(self):
        return Side(self.folder / "side")

    def rounds(self, group):
        """Their numbers; tells on stderr how far it is."""
        for number in range(self.sizes.rounds):
            print(f"{group}: round {number + 1} of {self.sizes.rounds}", file=sys.stderr)
            store_measure.wait_for_calm(self.options.calm)
            yield number

    def need(self, size_bytes):
        """Refuses before the disk is full, not after."""
        free = store_data.free_bytes(self.folder) - GIB
        if size_bytes > free:
            raise Failure(f"needs {size_bytes / GIB:.0f} GiB of disk, {max(free, 0) / GIB:.0f} GiB are free")

    def large_pair(self):
        """The folders a and b, one file each."""
        a, b = self.folder / "a", self.folder / "b"
        if not a.exists():
            self.need(7 * self.sizes.large_bytes)
            self.maker.file("float32", self.sizes.large_bytes, 1, a / "model.bin")
            self.ideal_bytes = self.maker.variant(a / "model.bin", b / "model.bin")
        return a, b

    def limit(self, what, number, command, quiet=True):
        self.samples.add(what, number, store_measure.run(command, quiet=quiet, cwd=self.folder).seconds)

    def copy_limit(self, what, number, source):
        """`cp` (a new file) right before what is compared with it."""
        copy = self.folder / "copy"
        settle(self.folder, self.sizes.large_bytes)
        self.limit(what, number, ["cp", "-r", "--reflink=never", source, copy])
        store_data.remove(copy)


# --- one large file and its successor ----------------------------------------------------------------------------------


def push_round(lab, side, number, a, b):
    samples, size = lab.samples, lab.sizes.large_bytes
    lab.copy_limit("cp beside push a", number, a / "model.bin")
    settle(lab.folder, size)
    lab.limit("openssl", number, ["openssl", "dgst", "-sha256", a / "model.bin"])
    pushed = side.timed(samples, "push a", number, side.push, "large", a / "model.bin")
    samples.add("push a, daemon KiB", number, side.peak_kib())
    samples.add("push a, own KiB", number, pushed.peak_kib)
    samples.add("push a, anonymous KiB", number, pushed.anonymous_kib)
    lab.copy_limit("cp beside push b", number, b / "model.bin")
    settle(lab.folder, size)
    side.timed(samples, "push b", number, side.push, "large", b / "model.bin")


def pull_round(lab, side, number, a, b):
    samples, size, target = lab.samples, lab.sizes.large_bytes, lab.folder / "pulled"
    for what, reference, wanted, options in (("pull a", "large@v1", a, ()), ("delta pull", "large@v2", b, ("--force",))):
        lab.copy_limit("cp beside " + what, number, wanted / "model.bin")
        settle(lab.folder, size)
        side.timed(samples, what, number, side.pull, reference, target, *options)
        if not store_measure.same_files(target / "model.bin", wanted / "model.bin"):
            raise Failure(f"{what}: other bytes than were pushed")
    store_data.remove(target)


def count_bytes(lab, a, b):
    """What a push of `b` and a delta pull move over the wire and add to the store; not timed."""
    size, target = lab.sizes.large_bytes, lab.folder / "pulled"
    with lab.side() as side, Relay(side.daemon.port) as relay:
        env = dict(side.environment, MLOPS_SERVER=f"http://127.0.0.1:{relay.port}")
        empty = side.stored_bytes()
        side.push("large", a / "model.bin", env=env)
        after_a, (sent_a, _) = side.stored_bytes(), relay.taken()
        told = json.loads(side.push("large", b / "model.bin", env=env).stdout)
        after_b, (sent_b, _) = side.stored_bytes(), relay.taken()
        side.pull("large@v1", target, env=env)
        relay.taken()
        side.pull("large@v2", target, "--force", env=env)
        _, fetched = relay.taken()
    store_data.remove(target)
    return {"sent_a": sent_a / size, "stored_a": (after_a - empty) / size, "sent_b": sent_b, "stored_b": after_b - after_a,
            "fetched": fetched, "told": told.get("sent_bytes")}


def measure_large(lab):
    a, b = lab.large_pair()
    for number in lab.rounds("large"):
        with lab.side() as side:
            push_round(lab, side, number, a, b)
            pull_round(lab, side, number, a, b)
        lab.rivals.large(number, a, b)
    moved = count_bytes(lab, a, b)
    lab.counted = moved
    for what in ("add a", "add b", "restore"):
        for name, labels in lab.rivals.families().items():
            lab.samples.fastest(f"{name} {what}", [f"{label} {what}" for label in labels])
    yield from push_figures(lab, moved)
    yield from pull_figures(lab, moved)


def push_figures(lab, moved):
    samples, rivals = lab.samples, lab.rivals
    size = f"{lab.sizes.large_bytes // MIB:,} MiB"
    yield times_figure(f"push of `a` ({size} float32), to `openssl dgst -sha256`", samples.ratio("push a", "openssl"), 2,
                       1.15, f"openssl {samples.median('openssl'):.2f} s, `cp` {samples.median('cp beside push a'):.2f} s",
                       samples.median("push a"))
    if samples.has("restic add a"):
        yield faster_figure("— than restic", samples.ratio("restic add a", "push a"), 3,
                            rivals.told("add a", rivals.MAIN))
    growth = samples.largest("push a, own KiB") / 1024
    yield Figure("— largest RSS of the pushing mlopsctl", f"{growth:.0f} MiB", "—", "≤ 64 MiB", judge(growth, aim=64),
                 f"of it {samples.largest('push a, anonymous KiB') / 1024:.0f} MiB its own, the rest pages of files")
    yield times_figure("push of `b` (1 % changed, 1,000 bytes inserted), to `cp`", samples.ratio("push b", "cp beside push b"),
                       None, 1, f"`cp` {samples.median('cp beside push b'):.2f} s", samples.median("push b"))
    for name in ("restic", "borg"):
        if samples.has(f"{name} add b"):
            yield faster_figure(f"— than {name}", samples.ratio(f"{name} add b", "push b"), 3,
                                rivals.told("add b", rivals.families()[name]))
    ideal = f"changed: {lab.ideal_bytes:,} bytes"
    own = "" if moved["told"] is None else f"; the CLI says {moved['told']:,}"
    yield times_figure("— bytes sent, to those changed", moved["sent_b"] / lab.ideal_bytes, 1.3, 1.1,
                       f"{moved['sent_b']:,} on the wire{own}; {ideal}")
    yield times_figure("— bytes stored, to those changed", moved["stored_b"] / lab.ideal_bytes, 1.3, 1.1,
                       f"{moved['stored_b']:,} stored; {ideal}")


def pull_figures(lab, moved):
    samples, rivals = lab.samples, lab.rivals
    fetched = f"; fetched {moved['fetched']:,} bytes, {moved['fetched'] / lab.ideal_bytes:.2f} × the changed"
    for what, key, extra in (("pull of `a`, verified, to `cp`", "pull a", ""),
                             ("delta pull `a` → `b` in place, to `cp`", "delta pull", fetched)):
        yield times_figure(what, samples.ratio(key, f"cp beside {key}"), 2.5, 1.3,
                           f"`cp` {samples.median(f'cp beside {key}'):.2f} s{extra}", samples.median(key))
        if samples.has("restic restore"):
            yield faster_figure("— than restic restore", samples.ratio("restic restore", key), 4,
                                rivals.told("restore", rivals.MAIN))


# --- many small files ---------------------------------------------------------------------------------------------------


def repush_rounds(lab, side, name, folder, first):
    """Unchanged re-pushes, each beside a `find` of the same tree."""
    lab.samples.add(f"{name} round trip", first, side.round_trip_s())
    lab.samples.add(f"{name} whoami", first, min(side.ctl("whoami").seconds for _ in range(5)))
    for number in range(first, first + lab.sizes.again):
        lab.limit(f"{name} find", number, ["find", folder, "-type", "f", "-printf", r"%s %T@ %C@ %i %p\n"])
        lab.samples.add(f"{name} again", number, side.push(name, folder).seconds)


def repush_figure(lab, name, what):
    samples = lab.samples
    took, find = samples.median(f"{name} again"), samples.median(f"{name} find")
    trip = samples.median(f"{name} round trip")
    ratio = (took - trip) / find
    return Figure(what, f"{took:.3g} s = {ratio:.2f} × + a round trip", "≤ 3 ×", "≤ 1.5 ×", judge(ratio, 3, 1.5),
                  f"`find -printf` {find:.3g} s; GET /livez {trip * 1000:.2f} ms; `mlopsctl whoami` "
                  f"{samples.median(f'{name} whoami') * 1000:.0f} ms")


def measure_tree(lab):
    sizes, samples, folder = lab.sizes, lab.samples, lab.folder / "tree"
    lab.need(6 * sizes.files * 20_000)
    size = lab.maker.files(sizes.files, sizes.file_bytes, folder)
    lab.tree_ready_at = time.monotonic()
    for number in lab.rounds("tree"):
        settle(lab.folder, size)
        lab.limit("tree cp", number, ["cp", "-r", "--reflink=never", folder, lab.folder / "copy"])
        store_data.remove(lab.folder / "copy")
        with lab.side() as side:
            settle(lab.folder, size)
            lab.limit("tree openssl", number,
                      ["sh", "-c", 'find "$0" -type f -print0 | xargs -0 -n 500 -P 2 openssl dgst -sha256', folder])
            # A stat cache cannot vouch for files that are younger than two seconds.
            harness.wait_until(lambda: time.monotonic() > lab.tree_ready_at + 3, 10, "files older than 3 s")
            side.timed(samples, "tree push", number, side.push, "tree", folder)
            os.sync()
            repush_rounds(lab, side, "tree", folder, number * sizes.again)
        lab.rivals.tree(number, folder, size)
    for name, labels in lab.rivals.families().items():
        samples.fastest(f"{name} tree", [f"{label} tree" for label in labels])
    store_data.remove(folder)
    yield from tree_figures(lab, size)


def tree_figures(lab, size):
    samples, rivals = lab.samples, lab.rivals
    what = f"{lab.sizes.files:,} files of about 10 KB ({size / 1e6:.0f} MB)"
    yield times_figure(f"{what}: add, to `find … openssl` on both cores", samples.ratio("tree push", "tree openssl"),
                       None, 1.5, f"openssl {samples.median('tree openssl'):.2f} s, `cp -r` {samples.median('tree cp'):.2f} s",
                       samples.median("tree push"))
    for name, must in (("restic", 3), ("git-lfs", 20)):
        if samples.has(f"{name} tree"):
            yield faster_figure(f"— than {name}", samples.ratio(f"{name} tree", "tree push"), must,
                                rivals.told("tree", rivals.families().get(name, [name])))
    yield repush_figure(lab, "tree", "— unchanged re-push, warm stat cache")


def measure_huge(lab):
    """600,000 files: one push, then re-pushes."""
    sizes, folder = lab.sizes, lab.folder / "huge"
    lab.need(4 * sizes.huge_files * 4096)
    size = lab.maker.files(sizes.huge_files, sizes.huge_file_bytes, folder)
    try:
        settle(lab.folder, 0)
        with lab.side() as side:
            lab.limit("huge openssl", 0,
                      ["sh", "-c", 'find "$0" -type f -print0 | xargs -0 -n 500 -P 2 openssl dgst -sha256', folder])
            pushed = side.push("huge", folder)
            os.sync()
            yield Figure(f"{sizes.huge_files:,} files of about 3 KB ({size / 1e9:.2f} GB): first push",
                         f"{pushed.seconds:.1f} s", "—", "—", "",
                         f"`find … openssl` on both cores {lab.samples.median('huge openssl'):.1f} s; one round; RSS "
                         f"mlopsctl {pushed.peak_kib / 1024:.0f} MiB, mlopsd {side.peak_kib() / 1024:.0f} MiB")
            repush_rounds(lab, side, "huge", folder, 0)
        yield repush_figure(lab, "huge", "— unchanged re-push, warm stat cache")
    finally:
        store_data.remove(folder)


# --- size of weights -----------------------------------------------------------------------------------------------------


def decode_rate(path):
    """GB/s of one core, or None: bench_store_codec is built with the codec only."""
    program = harness.BUILD_DIR / "bin" / "bench_store_codec"
    if not program.exists():
        return None
    return json.loads(store_measure.run([program, path]).stdout)["decode_gb_s"]


def measure_size(lab):
    a, _ = lab.large_pair()
    half = lab.maker.file("bfloat16", lab.sizes.half_bytes, 2, lab.folder / "half" / "model.bin")
    for word, path, must, aim in (("float32", a / "model.bin", 0.90, 0.86), ("bfloat16", half, 0.75, 0.70)):
        with lab.side() as side:
            empty = side.stored_bytes()
            side.push(word, path)
            ratio = (side.stored_bytes() - empty) / path.stat().st_size
        yield times_figure(f"stored size of {word} weights ({path.stat().st_size // MIB:,} MiB), to the raw", ratio, must, aim,
                           lab.rivals.stored_told("stored a", lab.sizes.large_bytes) if word == "float32" else "—")
        rate = decode_rate(path)
        yield Figure("— decode, one core", "not measured" if rate is None else f"{rate:.2f} GB/s", "≥ 1 GB/s", "—",
                     "" if rate is None else judge(rate, 1, at_least=True),
                     "needs bench_store_codec" if rate is None else "CPU time, 64 MiB in memory, best of 5")


# --- memory while many push -----------------------------------------------------------------------------------------------


def parallel_pushes(lab, kind, count, size_bytes):
    """All at once on a new daemon: (seconds, daemon's idle KiB, its largest, largest of a client, its anonymous part)."""
    folder = lab.folder / "pushes"
    try:
        paths = [lab.maker.file(kind, size_bytes, 1000 + n, folder / f"{n:02}.bin") for n in range(count)]
        settle(lab.folder, 0)
        with lab.side() as side, contextlib.ExitStack() as opened:
            errors = [opened.enter_context(tempfile.TemporaryFile()) for _ in paths]
            before = time.perf_counter()
            pushes = [store_measure.start(side.push_command(f"m{n:02}", path), side.environment, side.root,
                                          subprocess.DEVNULL, errors[n]) for n, path in enumerate(paths)]
            for push in pushes:
                opened.callback(push.kill)
            with store_measure.Watch(*(push.pid for push in pushes), every_s=0.05) as watch:
                failed = [n for n, push in enumerate(pushes) if push.wait(store_measure.WITHIN_S)]
            took = time.perf_counter() - before
            if failed:
                raise Failure(f"{len(failed)} of {count} pushes failed: {store_measure.error_line(errors[failed[0]])}")
            return (took, side.idle_kib, side.peak_kib(), *(max(p[i] for p in watch.peaks.values()) for i in (0, 1)))
    finally:
        store_data.remove(folder)


def memory_figures(lab, kind, words, count, size_bytes):
    took, idle, peak, client, anonymous = parallel_pushes(lab, kind, count, size_bytes)
    mib = peak / 1024
    yield Figure(f"daemon's largest RSS, {count} parallel pushes of {size_bytes // MIB:,} MiB {words}", f"{mib:.0f} MiB",
                 "≤ 256 MiB", "—", judge(mib, 256),
                 f"idle {idle / 1024:.0f} MiB, growth {(peak - idle) / 1024:.0f} MiB; all done after {took:.1f} s "
                 f"({count * size_bytes / took / 1e9:.2f} GB/s)")
    yield Figure("— largest RSS of a pushing mlopsctl", f"{client / 1024:.0f} MiB", "—", "≤ 64 MiB",
                 judge(client / 1024, aim=64), f"of it {anonymous / 1024:.0f} MiB its own, the rest pages of files")


def store_compresses(lab):
    """Whether islands take little disk in the store too."""
    path = lab.maker.file("islands", 64 * MIB, 999, lab.folder / "islands.bin")
    with lab.side() as side:
        empty = side.stored_bytes()
        side.push("islands", path)
        return side.stored_bytes() - empty < 16 * MIB


def measure_memory(lab):
    """Dense files as large as the disk allows (each byte sent and stored), and files of full size that are mostly holes."""
    sizes = lab.sizes
    budget = min(lab.options.disk_gib * GIB, store_data.free_bytes(lab.folder) - 5 * GIB)
    dense = min(sizes.push_bytes, budget // (2 * sizes.pushes) // (16 * MIB) * (16 * MIB))
    if dense <= 0:
        raise Failure("too little disk")
    yield from memory_figures(lab, "float32", "float32", sizes.pushes, dense)
    if dense < sizes.push_bytes or lab.options.quick:
        if not store_compresses(lab):
            yield Figure(f"— {sizes.pushes} × {sizes.push_bytes // MIB:,} MiB, 1/16 of it random bytes, the rest zeros",
                         "not run", "≤ 256 MiB", "—", "", "this store keeps zeros as they are: too little disk")
            return
        yield from memory_figures(lab, "islands", "(1/16 random bytes, the rest zeros)", sizes.pushes, sizes.push_bytes)


GROUPS = {"large": measure_large, "tree": measure_tree, "huge": measure_huge, "size": measure_size,
          "memory": measure_memory}
