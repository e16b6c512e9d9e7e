"""What store_bench.py measures with: timed commands with their memory, the product's two processes, a counting relay.

Whatever is timed is told as numbers a round, in `Samples`; a ratio is formed within a round and its median told, so that
a slow spell of the machine falls on both sides.
"""

import collections
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench
import harness
import store_data

WITHIN_S = 3600
PIECE_BYTES = 1 << 20


class Failure(Exception):
    """A command that was measured ended badly."""


class Run:
    """What one command took: seconds from fork to exit, cpu_s and, of the largest process of its tree, peak_kib (VmHWM)
    and anonymous_kib; both 0 for what ended too soon to be seen."""

    def __init__(self, seconds, cpu_s, stdout, peaks):
        self.seconds, self.cpu_s, self.stdout = seconds, cpu_s, stdout
        self.peak_kib, self.anonymous_kib = peaks


def status_kib(pid, *fields):
    """VmHWM and the like of a process; zeros once it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        text = ""
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE))
    return [int(found.get(field, 0)) for field in fields]


def with_children(pid):
    """The process and those that its main thread started, and theirs."""
    yield pid
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    for child in children:
        yield from with_children(int(child))


class Watch:
    """Looks at processes and their children every 25 ms: largest VmHWM and RssAnon of one of them, as peaks[pid]."""

    def __init__(self, *pids, every_s=0.025):
        self.peaks = collections.defaultdict(lambda: (0, 0))
        self._pids, self._every_s, self._done = pids, every_s, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while True:
            for root in self._pids:
                for pid in with_children(root):
                    self.peaks[root] = tuple(map(max, self.peaks[root], status_kib(pid, "VmHWM", "RssAnon")))
            if self._done.wait(self._every_s):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def start(command, env, cwd, stdout, stderr):
    return subprocess.Popen([str(word) for word in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout,
                            stderr=stderr)


def error_line(file):
    """What a program said on stderr that tells most: the detail of a problem, the line with the word error, or the last."""
    file.seek(0)
    lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    for word in ('"detail":', "error"):
        for line in lines:
            if word in line.lower():
                return line
    return lines[-1] if lines else "no message"


def run(command, env=None, cwd=None, quiet=False):
    """One command, timed from fork to exit; `quiet`: its output is thrown away. Failure when its status is not 0."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = time.perf_counter()
        process = start(command, env, cwd, subprocess.DEVNULL if quiet else out, err)
        timer = threading.Timer(WITHIN_S, process.kill)
        timer.start()
        with Watch(process.pid) as watch:
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                raise
            finally:
                seconds = time.perf_counter() - before
                timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Failure(f"{pathlib.Path(str(command[0])).name} {command[1]} ended with {process.returncode}: "
                          f"{error_line(err)}")
        out.seek(0)
        return Run(seconds, usage.ru_utime + usage.ru_stime, out.read().decode(errors="replace"),
                   watch.peaks[process.pid])


class Samples:
    """Numbers by key and round."""

    def __init__(self):
        self.values = collections.defaultdict(dict)

    def add(self, key, number, value):
        self.values[key][number] = value

    def has(self, *keys):
        return all(self.values.get(key) for key in keys)

    def count(self, key):
        return len(self.values.get(key, ()))

    def median(self, key):
        return statistics.median(self.values[key].values())

    def largest(self, key):
        return max(self.values[key].values())

    def ratios(self, above, below):
        rounds = sorted(self.values[above].keys() & self.values[below].keys())
        return [self.values[above][n] / self.values[below][n] for n in rounds]

    def ratio(self, above, below):
        return statistics.median(self.ratios(above, below))

    def fastest(self, key, among):
        """Makes the samples `key`: of each round the smallest of those under the keys `among`."""
        for number in set().union(*(self.values.get(name, {}) for name in among)):
            self.add(key, number, min(self.values[name][number] for name in among if number in self.values.get(name, ())))


def settle(folder, size_bytes):
    """Before what writes `size_bytes`: memory of the page cache touched, and nobody's writes left on the way."""
    if size_bytes:
        bench.touch_memory(folder, size_bytes)
    os.sync()


def busy_s():
    """CPU seconds that all processes of the machine have used since it started."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, soft_irq = map(int, fields[:7])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


class Others:
    """How much of the CPUs the rest of the machine took meanwhile. Of use once all own children have ended."""

    def __init__(self):
        self._began, self._busy, self._own = time.monotonic(), busy_s(), self._own_s()

    @staticmethod
    def _own_s():
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def share(self):
        seconds = max(time.monotonic() - self._began, 1e-9) * os.cpu_count()
        return max(0.0, (busy_s() - self._busy - self._own_s() + self._own) / seconds)


def wait_for_calm(within_s, share=0.1):
    """Until others take less than `share` of the CPUs for a second, or the time is over."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        others = Others()
        time.sleep(1)
        if others.share() < share:
            return


def same_files(left, right):
    """Byte for byte."""
    return subprocess.run(["cmp", "-s", str(left), str(right)]).returncode == 0


class Side:
    """The product: one mlopsd on a new data directory, and mlopsctl to it. A context manager; all is removed at its end."""

    def __init__(self, root):
        self.root = root
        store_data.remove(root)
        root.mkdir(parents=True)
        self.daemon = harness.Daemon(root=root)
        self.environment = self.daemon.client_environment()
        self.idle_kib = status_kib(self.daemon.pid, "VmRSS")[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.close()
        store_data.remove(self.root)

    def ctl(self, *words, env=None):
        return run([harness.MLOPSCTL, *words], env=env or self.environment, cwd=self.root)

    def push_command(self, name, path):
        return [harness.MLOPSCTL, "register", "model", name, path, "-o", "json"]

    def push(self, name, path, env=None):
        return run(self.push_command(name, path), env=env or self.environment, cwd=self.root)

    def pull(self, reference, folder, *options, env=None):
        return self.ctl("pull", reference, folder, *options, "-o", "json", env=env)

    def stored_bytes(self):
        """All of the data directory except the database of metadata."""
        return store_data.tree_bytes(self.daemon.data_dir, skip=("mlops.db",))

    def peak_kib(self):
        return status_kib(self.daemon.pid, "VmHWM")[0]

    def cpu_s(self):
        """CPU seconds of the daemon since its start."""
        fields = pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def timed(self, samples, what, number, function, *arguments):
        """Seconds as the sample `what`; CPU seconds of both processes beside it."""
        before = self.cpu_s()
        done = function(*arguments)
        samples.add(what, number, done.seconds)
        samples.add(f"{what} cpu", number, done.cpu_s + self.cpu_s() - before)
        return done

    def round_trip_s(self, times=21):
        """Median of connecting, one GET of /livez and its answer."""
        request = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        took = []
        for _ in range(times):
            before = time.perf_counter()
            with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10) as connection:
                connection.sendall(request)
                while connection.recv(4096):
                    pass
            took.append(time.perf_counter() - before)
        return statistics.median(took)


class Relay:
    """Passes connections on to a port of this machine and counts the bytes of either direction: what the wire saw.

    Never part of what is timed.
    """

    def __init__(self, port):
        self.sent = self.received = 0
        self._to, self._lock = port, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def taken(self):
        """(sent, received) since the last call."""
        with self._lock:
            counted, self.sent, self.received = (self.sent, self.received), 0, 0
        return counted

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source, target, is_sent):
        piece = memoryview(bytearray(PIECE_BYTES))
        try:
            while count := source.recv_into(piece):
                with self._lock:
                    if is_sent:
                        self.sent += count
                    else:
                        self.received += count
                target.sendall(piece[:count])
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()


def end_tidily():
    """SIGTERM ends the script like Ctrl-C does, so that what it made is removed."""

    def end(*_):
        print("store_bench: ended by SIGTERM", file=sys.stderr)
        sys.exit(143)

    signal.signal(signal.SIGTERM, end)
