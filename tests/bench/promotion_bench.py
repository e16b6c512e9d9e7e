#!/usr/bin/env python3
"""Measures promotion at scale, beside raw SQLite transactions on the same disk in the same run.

    tests/bench/promotion_bench.py             100,000 versions, 1,000 environments, 1,000,000 intervals
    tests/bench/promotion_bench.py --quick     a hundredth of it, to see that it works

Versions and intervals are put into the database while no daemon runs (registering and promoting them one by one would
take an hour); everything measured goes through HTTP. A release passes 7 built-in gates and 5 of a policy. Times are of
one client alone, from the request to the answer, which is given when the commit is durable.
"""

import argparse
import concurrent.futures
import http.client
import json
import multiprocessing
import pathlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "functional"))
import harness  # noqa: E402

RAW_SQLITE = harness.BUILD_DIR / "bin" / "bench_raw_sqlite"
POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: gates, version: 1.0.0}
spec:
  select: {kinds: [model]}
  gates:
    - {id: auc, metric: {name: auc, min: 0.5}}
    - {id: recall, metric: {name: recall, min: 0.5}}
    - {id: brier, metric: {name: brier, max: 0.9}}
    - {id: regression, metric: {name: auc, not_below_current_by: 0.5}}
    - {id: no-taint, assert: '!taint.has("personal")'}
"""


class Client:
    def __init__(self, port, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        data = json.loads(answer.read())
        if answer.status >= 300:
            sys.exit(f"bench: {method} {path}: {answer.status} {data.get('slug')} {data.get('detail')}")
        return data

    def timed_ms(self, *words):
        before = time.perf_counter()
        self.call(*words)
        return (time.perf_counter() - before) * 1000


def environments(count):
    lines = ["apiVersion: mlops/v1", "kind: Environments", "environments:"]
    return "\n".join(lines + [f"  - {{name: e{i}, clearance: none, policies: [gates]}}" for i in range(count)]) + "\n"


def fill(database, versions, count_environments, intervals):
    """More rows of the kind that are there already; derived tables too. The audit log does not know them."""
    db = sqlite3.connect(database)
    db.execute("PRAGMA synchronous=OFF")
    artifact = db.execute("SELECT id FROM artifacts WHERE name = 'm0'").fetchone()[0]
    row = list(db.execute("SELECT * FROM versions WHERE artifact_id = ?", (artifact,)).fetchone())
    columns = [c[1] for c in db.execute("PRAGMA table_info(versions)")]
    at = {name: i for i, name in enumerate(columns)}
    more = []
    for number in range(11, versions + 1):
        copy = list(row)
        copy[at["id"]], copy[at["number"]], copy[at["deleted_at"]] = f"00000000-v{number}", number, 1
        copy[at["deleted_reason"]] = "bench"
        more.append(copy)
    db.executemany(f"INSERT INTO versions VALUES ({','.join('?' * len(columns))})", more)
    db.execute("UPDATE artifacts SET last_number = ? WHERE id = ?", (versions, artifact))
    plan = db.execute("SELECT plan_id FROM deployments LIMIT 1").fetchone()[0]
    pasts = 1000
    for i in range(pasts):
        db.execute("INSERT INTO releases VALUES (?, 'model', ?, ?, ?, 1)", (f"00-r{i:04d}", f"past{i % 4}", i + 1, f"sha256:{i:064d}"))
        db.execute("INSERT INTO release_members VALUES (?, ?, 0, ?)", (f"00-m{i:04d}", f"00-r{i:04d}", more[i % len(more)][at["id"]]))
    start, step = 1_600_000_000_000_000, 60_000_000
    lines = count_environments * 4
    rows = ((f"0000-{i:09d}", f"e{i % lines // 4}", "model", f"past{i % 4}", f"00-r{i % pasts:04d}", plan, "promote", "", "bench",
             start + i // lines * step, start + (i // lines + 1) * step, start + i // lines * step)
            for i in range(intervals))
    db.executemany("INSERT INTO deployments (id, environment, kind, name, release_id, plan_id, action, reason, created_by, "
                   "valid_from, valid_to, recorded_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute("INSERT OR IGNORE INTO deployment_lines SELECT DISTINCT environment, name, kind, NULL FROM deployments")
    db.commit()
    db.close()
    return start + intervals // lines // 2 * step


def read_answer(stream):
    """Status and nothing else: the client must not cost what the server is measured for."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.recv(65536)
    head, rest = head.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    left = length - len(rest)
    while left > 0:
        left -= len(stream.recv(65536))
    return int(head[9:12])


def promote_for(job):
    port, token, worker, workers, count_environments, seconds = job
    done, until = 0, time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", port)) as stream:
        while time.perf_counter() < until:
            environment = (worker + done // 10 * workers) % count_environments
            body = (f'{{"ref":"w{worker}@v{done % 10 + 1}","environment":"e{environment}","reason":"bench",'
                    '"even_rejected":true}').encode()
            stream.sendall(b"POST /api/v1/promotions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                           b"Authorization: Bearer " + token.encode() + b"\r\nContent-Length: " + str(len(body)).encode() +
                           b"\r\n\r\n" + body)
            status = read_answer(stream)
            if status != 200:
                sys.exit(f"bench: a promotion answered {status}")
            done += 1
    return done


def told(name, values_ms, goal_ms):
    values = sorted(values_ms)
    p50, p99 = statistics.median(values), values[int(len(values) * 0.99)]
    print(f"{name:46} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  goal p50 {goal_ms} ms  {'met' if p50 <= goal_ms else 'MISSED'}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    part = 100 if options.quick else 1
    count_versions, count_environments, intervals = 100_000 // part, 1_000 // part, 1_000_000 // part
    rounds, seconds, workers = (20, 1, 2) if options.quick else (200, 5, 24)

    daemon = harness.Daemon()
    client = Client(daemon.port, daemon.admin_token)
    client.call("POST", "/api/v1/policies", {"yaml": POLICY})
    client.call("POST", "/api/v1/environments", {"yaml": environments(count_environments)})
    folder = pathlib.Path(tempfile.mkdtemp())
    for name in ["m0"] + [f"w{i}" for i in range(workers)]:
        for number in range(10):
            (folder / "model").write_text(f"{name} {number}")
            daemon.ctl("register", "model", name, str(folder / "model"), "--sensitivity", "none", "--metric", "auc=0.9",
                       "--metric", "recall=0.8", "--metric", "brier=0.1", check=0)
    client.call("POST", "/api/v1/promotions", {"ref": "m0@v1", "environment": "e0", "reason": "bench"})
    daemon.stop()
    moment = fill(daemon.data_dir / "mlops.db", count_versions, count_environments, intervals)
    daemon.start()
    client = Client(daemon.port, daemon.admin_token)
    with tempfile.TemporaryDirectory() as disk:
        raw = json.loads(subprocess.run([RAW_SQLITE, disk, "2"], capture_output=True, text=True, check=True).stdout)
    print("raw SQLite, one row a commit, same disk:", {k: round(v, 3) for k, v in raw.items() if isinstance(v, (int, float))})
    both, rollbacks, plans = [], [], []
    for i in range(rounds):
        body = {"ref": f"m0@v{i % 9 + 1}", "environment": f"e{i % count_environments}", "reason": "bench"}
        before = time.perf_counter()
        plan = client.call("POST", "/api/v1/plans", body)
        plans.append((time.perf_counter() - before) * 1000)
        client.call("POST", "/api/v1/promotions", {"plan": plan["id"]})
        both.append((time.perf_counter() - before) * 1000)
        gates = len(plan["gates"])
    for i in range(rounds):
        environment = f"e{i % count_environments}"
        client.call("POST", "/api/v1/promotions", {"ref": "m0@v10", "environment": environment, "reason": "bench", "even_rejected": True})
        rollbacks.append(client.timed_ms("POST", "/api/v1/rollbacks",
                                         {"name": "m0", "environment": environment, "reason": "bench"}))
    as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment / 1_000_000))
    one = [client.timed_ms("GET", f"/api/v1/status?environment=e{i % count_environments}&as_of={as_of}") for i in range(rounds)]
    page = [client.timed_ms("GET", f"/api/v1/status?as_of={as_of}") for _ in range(max(5, rounds // 10))]
    print(f"{count_versions:,} versions, {count_environments:,} environments, {intervals:,} intervals, {gates} gates")
    told("plan", plans, 10)
    told("plan + promote", both, 10)
    told("rollback", rollbacks, 5)
    told("status --as-of, one environment", one, 10)
    told("status --as-of, everywhere, a page of 100", page, 10)
    jobs = [(daemon.port, daemon.admin_token, i, workers, count_environments, seconds) for i in range(workers)]
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        before = time.perf_counter()
        done = sum(pool.map(promote_for, jobs))
        took = time.perf_counter() - before
    print(f"{'promotions, each audited':46} {done / took:,.0f}/s with {workers} clients on the same cores  goal 1,000/s  "
          f"{'met' if done / took >= 1000 else 'MISSED'}")
    daemon.stop()


if __name__ == "__main__":
    main()
