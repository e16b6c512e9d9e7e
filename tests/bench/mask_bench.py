#!/usr/bin/env python3
"""Masking typed tables: mlopsctl beside Miller, Presidio (structured), Python's json and cp, on the same rows.

  mask_bench.py [--rows N] [--rounds N] [--presidio PYTHON]

Twenty columns: seven become HMAC pseudonyms, three are generalised, ten are kept and looked at. Miller hashes the seven
by its own sha256, unkeyed and without looking at the rest; Python loads each JSON line, does the seven by hmac and the
three by slicing, and dumps it; Presidio hashes the seven columns of a data frame (--presidio names an interpreter that
has presidio-structured). Wall seconds, the programs one after the other in every round, each on a calm machine; a ratio
is formed within its round and its median told. The build directory comes from MLOPS_BUILD_DIR.
"""

import argparse
import csv
import hashlib
import hmac
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MLOPS_BUILD_DIR", ROOT / "build" / "release"))
HASHED = ["mrn", "first_name", "last_name", "ssn", "phone", "email", "account"]
COLUMNS = {"mrn": "mrn", "first_name": "person_name", "last_name": "person_name", "ssn": "us_ssn", "phone": "phone",
           "email": "email", "account": "account", "zip": "us_zip", "birth_date": "birth_date", "age": "age",
           "sex": "demographic", "icd10": "code", "systolic": "measurement", "diastolic": "measurement",
           "glucose": "measurement", "creatinine": "measurement", "los_days": "duration", "cost": "cost",
           "readmitted": "label", "ward": "category"}
GIVEN = "Ada Bo Carla Dan Eva Finn Gus Hana Ivo Jane Kai Lena Max Nora Olaf Pia Quinn Rosa Sven Tara".split()
FAMILY = "Smith Okonkwo Reyes Tanaka Mueller Rossi Novak Silva Kim Haddad Larsen Dubois Petrov Costa Weber".split()
CODES = "E11.9 I10 J45.909 N18.3 I50.9 F32.1 M54.5 K21.9".split()
PRESIDIO = """
import sys, time
import pandas
from presidio_anonymizer.entities import OperatorConfig
from presidio_structured import StructuredEngine
from presidio_structured.config import StructuredAnalysis
from presidio_structured.data import PandasDataProcessor
begin = time.perf_counter()
frame = pandas.read_csv(sys.argv[1], dtype=str)
columns = sys.argv[3].split(",")
engine = StructuredEngine(data_processor=PandasDataProcessor())
analysis = StructuredAnalysis(entity_mapping={name: name.upper() for name in columns})
operators = {name.upper(): OperatorConfig("hash", {"hash_type": "sha256"}) for name in columns}
engine.anonymize(frame, analysis, operators=operators).to_csv(sys.argv[2], index=False)
print(time.perf_counter() - begin)
"""


def policy(pointer):
    at = "/" if pointer else ""
    columns = "\n".join(f"      {at}{name}: {{class: {kind}}}" for name, kind in COLUMNS.items())
    rules = "\n".join(f"      - {{match: {{class: {kind}}}, apply: {{pseudonymize: {{key: research}}}}}}"
                      for kind in dict.fromkeys(COLUMNS[name] for name in HASHED))
    return f"""apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {{name: bench, version: 1.0.0}}
spec:
  classification:
    columns:
{columns}
  transforms:
    keys: {{research: {{purpose: pseudonymisation}}}}
    rules:
{rules}
      - {{match: {{class: us_zip}}, apply: {{generalize: {{zip3: {{census: union}}}}}}}}
      - {{match: {{class: birth_date}}, apply: {{date_truncate: {{to: year, cap_age: 89, reference: 2026-01-01}}}}}}
      - {{match: {{class: age}}, apply: {{generalize: {{age_cap: 89}}}}}}
"""


def write_data(folder, rows):
    r = random.Random(7)
    zips = [f"{r.randrange(1001, 99950):05}" for _ in range(5000)]
    with open(folder / "t.csv", "w") as table, open(folder / "t.jsonl", "w") as lines:
        table.write(",".join(COLUMNS) + "\n")
        for i in range(rows):
            age = r.randrange(18, 99)
            row = [str(70000000 + i), r.choice(GIVEN), r.choice(FAMILY),
                   f"{r.randrange(1, 899):03}-{r.randrange(1, 99):02}-{r.randrange(1, 9999):04}",
                   f"({r.randrange(201, 989)}) 555-{r.randrange(0, 9999):04}", f"p{i}@example.org",
                   f"{r.randrange(10**10):010}", r.choice(zips),
                   f"{2026 - age:04}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}", str(age), r.choice("MF"),
                   r.choice(CODES), str(r.randrange(90, 190)), str(r.randrange(50, 110)), f"{r.uniform(60, 300):.1f}",
                   f"{r.uniform(0.4, 4):.2f}", str(r.randrange(1, 30)), f"{r.uniform(100, 90000):.2f}",
                   str(r.randrange(2)), r.choice(["A1", "A2", "B1", "B2", "C3", "ICU"])]
            table.write(",".join(row) + "\n")
            lines.write(json.dumps(dict(zip(COLUMNS, row))) + "\n")


def calm(folder, size_bytes):
    """Memory for so much output is touched, since what the host has reclaimed is slow at first; nothing is dirty."""
    path = folder / "touched"
    with open(path, "wb") as file:
        for _ in range(size_bytes >> 20):
            file.write(bytes(1 << 20))
    path.unlink()
    os.sync()


def timed(words, **options):
    folder = pathlib.Path(words[-1]).parent
    calm(folder, 3 * (folder / "t.csv").stat().st_size)
    begin = time.perf_counter()
    subprocess.run([str(word) for word in words], check=True, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - begin


def ours(folder, policy_file, source):
    target = folder / ("out" + pathlib.Path(source).suffix)
    target.unlink(missing_ok=True)
    return timed([BUILD / "bin" / "mlopsctl", "policy", "mask", folder / policy_file, folder / source, "-O", target,
                  "--key-file", folder / "key"], stdout=subprocess.DEVNULL)


def miller(folder):
    if not shutil.which("mlr"):
        return None
    put = ";".join(f"${name}=sha256(string(${name}))" for name in HASHED)
    with open(folder / "mlr.csv", "wb") as out:
        return timed(["mlr", "-S", "--icsv", "--ocsv", "put", put, folder / "t.csv"], stdout=out)


def python_json(folder):
    key = b"k" * 32
    begin = time.perf_counter()
    with open(folder / "t.jsonl") as source, open(folder / "py.jsonl", "w") as out:
        for line in source:
            row = json.loads(line)
            for name in HASHED:
                row[name] = hmac.new(key, row[name].encode(), hashlib.sha256).hexdigest()[:40]
            row["zip"] = row["zip"][:3]
            row["birth_date"] = row["birth_date"][:4]
            row["age"] = "90+" if int(row["age"]) > 89 else row["age"]
            out.write(json.dumps(row) + "\n")
    return time.perf_counter() - begin


def presidio(folder, python):
    if not python:
        return None
    done = subprocess.run([python, "-c", PRESIDIO, folder / "t.csv", folder / "presidio.csv", ",".join(HASHED)],
                          capture_output=True, text=True, check=True)
    return float(done.stdout)  # without starting Python and importing


def check(folder, rows):
    """What was measured did what it says."""
    with open(folder / "out.csv") as masked, open(folder / "t.csv") as raw:
        for got, had in zip(csv.DictReader(masked), csv.DictReader(raw)):
            assert all(got[name].startswith("k1-") for name in HASHED) and got["birth_date"] != had["birth_date"], got
            assert all(got[name] == had[name] for name in COLUMNS if name not in HASHED + ["zip", "birth_date", "age"])
            rows -= 1
    assert rows == 0, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=700_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presidio", metavar="PYTHON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, arguments.rows)
        (folder / "csv.yaml").write_text(policy(False))
        (folder / "jsonl.yaml").write_text(policy(True))
        (folder / "key").write_text(hashlib.sha256(b"bench").hexdigest() + "\n")
        (folder / "key").chmod(0o600)
        rounds = []
        for _ in range(arguments.rounds):
            rounds.append({"cp": timed(["cp", folder / "t.csv", folder / "cp.csv"]), "csv": ours(folder, "csv.yaml", "t.csv"),
                           "mlr": miller(folder), "jsonl": ours(folder, "jsonl.yaml", "t.jsonl"),
                           "python_json": python_json(folder), "presidio": presidio(folder, arguments.presidio)})
        check(folder, arguments.rows)

        def median(of):
            values = [value for value in map(of, rounds) if value is not None]
            return round(statistics.median(values), 2) if values else None

        def ratio(rival, own):
            return median(lambda one: one[rival] / one[own] if one[rival] is not None else None)

        json.dump({"rows": arguments.rows, "csv_bytes": (folder / "t.csv").stat().st_size,
                   "jsonl_bytes": (folder / "t.jsonl").stat().st_size,
                   "seconds": {name: median(lambda one, name=name: one[name]) for name in rounds[0]},
                   "times_faster": {"csv_than_mlr": ratio("mlr", "csv"), "csv_than_presidio": ratio("presidio", "csv"),
                                    "csv_than_cp": ratio("cp", "csv"), "jsonl_than_python_json": ratio("python_json", "jsonl")}},
                  sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
