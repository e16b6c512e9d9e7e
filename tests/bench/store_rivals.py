"""The programs that store_bench.py stands beside the product: how each adds a folder, adds a changed one, and restores.

A rival is one repository on the same disk. `add` and `restore` give the commands that are timed together; what `prepare`
and `stage` do is not timed. All its settings and caches lie below its own folder. A rival that is not installed, or one of
whose commands fails, is told in `notes` and its cells stay empty.
"""

import os
import shutil
import subprocess

import store_data
import store_measure


class Rival:
    program = ""
    label = ""
    is_slow = False  # runs in the first rounds only (slow_rounds)
    stores_trees = True  # of many small files, too

    def __init__(self, root):
        self.root = root
        self.store = root / "store"
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(root), "LANG": "C.UTF-8", "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@localhost",
            "GIT_COMMITTER_NAME": "bench", "GIT_COMMITTER_EMAIL": "bench@localhost", "RESTIC_PASSWORD": "bench",
            "BORG_BASE_DIR": str(root / "borg"), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BUP_DIR": str(self.store)}

    @classmethod
    def is_installed(cls):
        return shutil.which(cls.program) is not None

    def prepare(self):
        """Makes an empty repository."""

    def stage(self, source):
        """Puts `source` where the program looks for it."""

    def add(self, name, source):
        raise NotImplementedError

    def restore(self, name, source, target):
        """None when it is not measured."""
        return None

    def stored_bytes(self):
        return store_data.tree_bytes(self.store)

    def run(self, *command, cwd=None):
        return store_measure.run(command, env=self.environment, cwd=cwd or self.root)

    def time(self, commands, cwd=None):
        """(seconds, CPU seconds, peak_kib) of the commands one after another."""
        runs = [self.run(*command, cwd=cwd) for command in commands]
        return sum(r.seconds for r in runs), sum(r.cpu_s for r in runs), max(r.peak_kib for r in runs)


class Restic(Rival):
    program = "restic"
    compression = "off"

    def _restic(self, *words):
        return [self.program, "-q", "-r", self.store, "--compression", self.compression, *words]

    def prepare(self):
        self.run(*self._restic("init"))

    def add(self, name, source):
        return [self._restic("backup", "--tag", name, source)]

    def restore(self, name, source, target):
        return [self._restic("restore", "latest", "--tag", name, "--target", target)]


class ResticRaw(Restic):
    label = "restic, no compression"


class ResticAuto(Restic):
    label = "restic, compression auto"
    compression = "auto"


class Borg(Rival):
    program = "borg"
    compression = "none"

    def prepare(self):
        self.run("borg", "init", "-e", "none", self.store)

    def add(self, name, source):
        # Borg refuses a name that is there; the tree is added twice.
        self._serial = getattr(self, "_serial", 0) + 1
        self._last = {**getattr(self, "_last", {}), name: f"{self.store}::{name}-{self._serial}"}
        return [["borg", "create", "--compression", self.compression, self._last[name], source]]

    def restore(self, name, source, target):
        return [["borg", "extract", self._last[name]]]


class BorgRaw(Borg):
    label = "borg, no compression"


class BorgLz4(Borg):
    label = "borg, lz4"
    compression = "lz4"


class Casync(Rival):
    program = label = "casync"
    is_slow = True

    def _index(self, name):
        return self.root / f"{name}.caidx"

    def add(self, name, source):
        return [["casync", "make", f"--store={self.store}", self._index(name), source]]

    def stored_bytes(self):
        return super().stored_bytes() + sum(path.stat().st_size for path in self.root.glob("*.caidx"))

    def restore(self, name, source, target):
        return [["casync", "extract", f"--store={self.store}", self._index(name), target]]


class Bup(Rival):
    program = label = "bup"
    is_slow = True

    def prepare(self):
        self.run("bup", "init")

    def add(self, name, source):
        return [["bup", "index", source], ["bup", "save", "-q", "-n", name, source]]

    def restore(self, name, source, target):
        return [["bup", "restore", "-q", "-C", target, f"/{name}/latest{source}/."]]


class _InWorkTree(Rival):
    """Git and what lies on it: the files stand in the work tree when they are added."""

    is_slow = True

    def stage(self, source):
        store_data.remove(self.store / "data")
        subprocess.run(["cp", "-r", "--reflink=never", str(source), str(self.store / "data")], check=True)

    def stored_bytes(self):
        return store_data.tree_bytes(self.store / ".git")

    def time(self, commands, cwd=None):
        return super().time(commands, cwd=self.store)


class GitLfs(_InWorkTree):
    program = label = "git-lfs"

    def prepare(self):
        self.store.mkdir()
        self.run("git", "init", "-q", cwd=self.store)
        self.run("git", "lfs", "install", "--local", cwd=self.store)
        (self.store / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")

    def add(self, name, source):
        return [["git", "add", "."]]


class GitAnnex(_InWorkTree):
    program = label = "git-annex"
    stores_trees = False  # 96 s for 20,000 files, and nothing is compared with it

    def prepare(self):
        self.store.mkdir()
        self.run("git", "init", "-q", cwd=self.store)
        self.run("git", "annex", "init", "-q", "bench", cwd=self.store)

    def add(self, name, source):
        return [["git", "annex", "add", "-q", "."]]


ALL = (ResticRaw, ResticAuto, BorgRaw, BorgLz4, Casync, Bup, GitLfs, GitAnnex)


class Rivals:
    """Those that are here, and what they took: samples "<label> add a", "add b", "restore", "tree", "tree again"."""

    MAIN = (ResticRaw.label, ResticAuto.label, BorgRaw.label, BorgLz4.label)

    def __init__(self, folder, samples, rounds, slow_rounds):
        self.folder, self.samples, self.notes = folder, samples, []
        self.rounds = {False: rounds, True: slow_rounds}
        self.here = [kind for kind in ALL if kind.is_installed()]
        self.absent = sorted({kind.program for kind in ALL if not kind.is_installed()})
        self.numbers = {}  # (label, what) → what does not change from round to round

    def _step(self, rival, what, number, commands, cwd=None):
        seconds, cpu_s, peak_kib = rival.time(commands, cwd=cwd)
        self.samples.add(f"{rival.label} {what}", number, seconds)
        self.samples.add(f"{rival.label} {what} cpu", number, cpu_s)
        key = (rival.label, "peak_kib")
        self.numbers[key] = max(self.numbers.get(key, 0), peak_kib)

    def _each(self, number, steps, wanted=lambda kind: True):
        """steps(rival) for each that takes part in this round, on a new repository."""
        for kind in self.here:
            if not wanted(kind) or number >= self.rounds[kind.is_slow]:
                continue
            rival = kind(self.folder / "rival")
            store_data.remove(rival.root)
            rival.root.mkdir()
            try:
                rival.prepare()
                steps(rival)
            except store_measure.Failure as failure:
                self.notes.append(f"{rival.label}: {failure}")
            finally:
                store_data.remove(rival.root)

    def large(self, number, a, b):
        """The folders a and b hold one large file each."""
        size_bytes = store_data.tree_bytes(a)

        def steps(rival):
            for name, source in (("a", a), ("b", b)):
                rival.stage(source)
                before = rival.stored_bytes()
                store_measure.settle(self.folder, size_bytes)
                self._step(rival, f"add {name}", number, rival.add(name, source))
                self.numbers[(rival.label, f"stored {name}")] = rival.stored_bytes() - before
            target = rival.root / "restored"
            target.mkdir()
            commands = rival.restore("a", a, target)
            if commands:
                store_measure.settle(self.folder, size_bytes)
                self._step(rival, "restore", number, commands, cwd=target)
                if store_data.tree_bytes(target) != size_bytes:
                    raise store_measure.Failure("what it restored has another size")

        self._each(number, steps)

    def tree(self, number, folder, size_bytes):
        """Many small files."""

        def steps(rival):
            rival.stage(folder)
            store_measure.settle(self.folder, size_bytes)
            self._step(rival, "tree", number, rival.add("tree", folder))
            os.sync()
            self._step(rival, "tree again", number, rival.add("tree", folder))

        self._each(number, steps, lambda kind: kind.stores_trees)

    @staticmethod
    def families():
        """{"restic": its labels}: the product is compared with the fastest of each round."""
        out = {}
        for kind in ALL:
            out.setdefault(kind.program, []).append(kind.label)
        return out

    def stored_told(self, what, raw_bytes):
        """"restic, … 0.998; …": what was stored, to the raw size."""
        return "; ".join(f"{kind.label} {self.numbers[(kind.label, what)] / raw_bytes:.3f}" for kind in self.here
                         if (kind.label, what) in self.numbers) or "—"

    def seconds(self, label, what):
        """"1.23 s", or "" when it was not measured."""
        key = f"{label} {what}"
        return f"{self.samples.median(key):.2f} s" if self.samples.has(key) else ""

    def told(self, what, labels=None):
        """"restic, … 1.23 s; borg, … 4.56 s" of those measured."""
        words = [f"{kind.label} {self.seconds(kind.label, what)}" for kind in self.here
                 if self.samples.has(f"{kind.label} {what}") and (labels is None or kind.label in labels)]
        return "; ".join(words) or "—"
