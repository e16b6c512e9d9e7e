"""The data that store_bench.py stores, made by bench_store_data (store_data.cc), and looking after the disk it takes."""

import collections
import concurrent.futures
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().with_suffix(".cc")
MIB, GIB = 1 << 20, 1 << 30
REMOVERS = 32


class Maker:
    """Makes files below one folder; deterministic for a kind, size and seed."""

    def __init__(self, folder, build):
        self.program = build / "bin" / "bench_store_data"
        if not self.program.exists():
            self.program = self._compiled(folder)

    @staticmethod
    def _compiled(folder):
        """Compiled here when the build has not made it."""
        compiler = next(filter(shutil.which, (os.environ.get("CXX", ""), "c++", "g++", "clang++")), None)
        if not compiler:
            sys.exit("store_bench: neither bench_store_data nor a compiler for it")
        program = folder / "bench_store_data"
        subprocess.run([compiler, "-std=c++20", "-O2", str(SOURCE), "-o", str(program)], check=True)
        return program

    def _run(self, *words):
        done = subprocess.run([str(self.program), *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"store_bench: {done.stderr.strip()}")
        return int(done.stdout) if done.stdout.strip() else None

    def file(self, kind, size_bytes, seed, path):
        """kind: float32, bfloat16, random or islands."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._run(kind, size_bytes, seed, path)
        return path

    def variant(self, source, path):
        """Returns how many bytes of `path` are not in `source`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return self._run("variant", source, path)

    def files(self, count, size_bytes, folder):
        """Returns the bytes of all files."""
        return self._run("files", count, size_bytes, folder)


def tree_bytes(folder, skip=()):
    """The apparent size of all files below, those whose names begin with one of `skip` left out; absent: 0."""
    total, folders = 0, [folder] if os.path.isdir(folder) else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif not entry.name.startswith(tuple(skip)):
                        total += entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    pass
    return total


def _quietly(function, path):
    """One removal; what read-only folders (git-annex) hold needs them writable first."""
    try:
        function(path)
    except FileNotFoundError:
        pass
    except PermissionError:
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        function(path)


def remove(path):
    """A file or a tree; absent is fine. By many threads: with online discard each unlink waits, but they wait together."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    files, levels = [], collections.defaultdict(list)
    for folder, folders, names in os.walk(path):
        levels[folder.count(os.sep)].append(folder)
        files += [os.path.join(folder, name) for name in names]
        files += [link for name in folders if os.path.islink(link := os.path.join(folder, name))]
    random.shuffle(files)  # a folder admits one change at a time
    with concurrent.futures.ThreadPoolExecutor(REMOVERS) as pool:
        list(pool.map(lambda name: _quietly(os.unlink, name), files))
        for depth in sorted(levels, reverse=True):
            list(pool.map(lambda name: _quietly(os.rmdir, name), levels[depth]))


def free_bytes(folder):
    return shutil.disk_usage(folder).free
