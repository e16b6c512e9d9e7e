"""No value of a PHI column leaves the raw table: not in the masked version, the database, a log or any output.

The second half: what must be refused (taint, laundering, unknown or missing columns, residual findings) is refused
with nothing half-done.
"""

import pathlib
import sqlite3
import unittest

import fixtures
from harness import CONFLICT, DONE, REFUSED, USAGE, DaemonCase

ROWS = 5000
PHI_COLUMNS = ("mrn", "first_name", "last_name", "ssn", "birth_date", "street", "zip", "phone", "email")
WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
PREFIX_BYTES = 4


class PhiValues:
    """All raw cell values of the PHI columns (of 4 characters and more), searchable in one pass over a text."""

    def __init__(self, rows):
        self.by_prefix = {}
        for row in rows:
            for column in PHI_COLUMNS:
                if len(row[column]) >= PREFIX_BYTES:
                    value = row[column].encode()
                    self.by_prefix.setdefault(value[:PREFIX_BYTES], {})[value] = column

    def found_in(self, text):
        """{column: count} of the values that stand in the text; the values themselves are not repeated."""
        hits, by_prefix = {}, self.by_prefix
        for at in range(len(text) - PREFIX_BYTES + 1):
            values = by_prefix.get(text[at:at + PREFIX_BYTES])
            if values is None:
                continue
            for value, column in values.items():
                if text.startswith(value, at) and not is_coincidence(text, at, value, column):
                    hits[column] = hits.get(column, 0) + 1
        return hits


def is_coincidence(text, at, value, column):
    """Numbers of 5 and 8 digits (ZIP, MRN) stand by chance inside digests and as the decimals of durations: they count
    as found only as a whole word that is no fraction. Names count wherever they stand outside of a longer word; all
    other columns count anywhere."""
    if column not in ("zip", "mrn", "first_name", "last_name"):
        return False
    end = at + len(value)
    inside_word = at > 0 and text[at - 1] in WORD or end < len(text) and text[end] in WORD
    fraction = value.isdigit() and at > 1 and text[at - 1:at] == b"." and text[at - 2:at - 1].isdigit()
    return inside_word or fraction


class PrivacyTest(DaemonCase):
    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.raw_text = fixtures.patients_csv(ROWS)
        cls.raw_rows = fixtures.read_csv(cls.raw_text)
        cls.phi = PhiValues(cls.raw_rows)
        cls.raw_path = cls.file("patients.csv", cls.raw_text)
        cls.raw = cls.registered("dataset", "ward/patients", cls.raw_path, "--sensitivity", "special_category")
        cls.promotion = cls.json("promote", cls.raw["ref"], "--to", "research", "--reason", "study 12")

    @classmethod
    def registered(cls, kind, name, path, *options, **keywords):
        value = cls.json("register", kind, name, path, *options, **keywords)
        return cls.json("show", f"{kind}:{value['version']['ref']}")

    def counts(self):
        """What must not change when something is refused."""
        versions = self.daemon.api("GET", "/api/v1/versions?limit=1000", token="admin").json["items"]
        running = self.daemon.api("GET", "/api/v1/status", token="admin").json["items"]
        return [v["ref"] for v in versions], [(d["environment"], d["ref"]) for d in running]

    def assert_no_phi(self, text, where):
        hits = self.phi.found_in(text)
        self.assertEqual(hits, {}, f"raw values (column: how many) stand in {where}")

    # --- the value search ------------------------------------------------------------------------------------------

    def test_the_search_finds_what_is_there(self):
        """A search that cannot find anything would pass everything below."""
        hits = self.phi.found_in(self.raw_text.encode())
        for column in PHI_COLUMNS:
            self.assertGreaterEqual(hits.get(column, 0), ROWS * 9 // 10, column)

    def test_masked_bytes(self):
        output = self.promotion["masking"]["output"]
        folder = self.work / "masked"
        self.ok("pull", output, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        self.assertTrue(files)
        masked = b"".join(path.read_bytes() for path in files)
        self.assertEqual(masked.count(b"\n"), ROWS + 1)
        self.assert_no_phi(masked, "the masked version")
        rows = fixtures.read_csv(masked.decode())
        kept = [(a["icd10"], a["creatinine"], a["readmitted_30d"]) for a in rows]
        self.assertEqual(kept, [(b["icd10"], b["creatinine"], b["readmitted_30d"]) for b in self.raw_rows],
                         "clinical columns and the order of rows stay")

    def test_masked_values_follow_safe_harbor(self):
        folder = self.work / "rules"
        self.ok("pull", self.promotion["masking"]["output"], folder)
        rows = fixtures.read_csv(next(folder.rglob("*.csv")).read_text())
        small = {"036", "059", "102", "203", "205", "369", "556", "692", "753", "772", "821", "823", "878", "879", "884",
                 "893"}
        for masked, raw in zip(rows, self.raw_rows):
            self.assertRegex(masked["admission_date"], r"^\d{4}$")
            self.assertEqual(masked["zip"][:3], "000" if raw["zip"][:3] in small else masked["zip"][:3])
            self.assertRegex(masked["zip"], r"^\d{3}(00|\*\*)?$")
            if int(raw["age"]) > 89:
                self.assertFalse(masked["age"].isdigit() and int(masked["age"]) > 90, "ages above 89 are one group")
        self.assertGreater(sum(r["zip"].startswith("000") for r in rows), 0)

    def test_evidence(self):
        masking = self.promotion["masking"]
        self.assertEqual(masking["source"], self.raw["ref"])
        self.assertEqual(masking["rows"], ROWS)
        self.assertEqual(masking["residual"]["findings"], 0)
        self.assertGreater(masking["residual"]["scanned_cells"], ROWS)
        columns = {c["column"]: c for c in masking["columns"]}
        for column in PHI_COLUMNS:
            self.assertNotEqual(columns[column]["transform"], "keep", column)
            self.assertEqual(columns[column]["changed"], ROWS, column)
        output = self.json("show", masking["output"])
        self.assertEqual(output["masked_from"], self.raw["ref"])
        self.assertIn(output["sensitivity"], ("none", "pseudonymous"))
        running = [d["ref"] for d in self.items("status", "--env", "research")]
        self.assertIn(masking["output"], running)
        self.assertNotIn(self.raw["ref"], running)
        edges = self.json("lineage", masking["output"], "--up")["edges"]
        self.assertTrue(edges, "the masked version has a lineage edge to its source")

    def test_the_same_promotion_again_changes_nothing(self):
        before = self.counts()
        again = self.json("promote", self.raw["ref"], "--to", "research", "--reason", "study 12")
        self.assertTrue(again.get("unchanged"))
        self.assertEqual(self.counts(), before)

    # --- everything the daemon writes and everything the client prints ----------------------------------------------

    def say_everything(self):
        """Every command that shows something, on everything there is."""
        output = self.promotion["masking"]["output"]
        for words in (["list"], ["show", self.raw["ref"]], ["show", output], ["diff", self.raw["ref"], output],
                      ["lineage", output, "--up"], ["lineage", self.raw["ref"], "--down"], ["status"],
                      ["history", "--env", "research"], ["audit", "log"], ["audit", "verify"], ["fsck"],
                      ["env", "list"], ["env", "show", "research"], ["policy", "list"], ["policy", "show", "deid"],
                      ["plans"], ["token", "list"], ["whoami"], ["doctor"], ["gc", "plan"], ["gc", "runs"],
                      ["gc", "why", self.raw["ref"]], ["hold", "list"], ["retention", "list"]):
            for form in ((), ("-o", "json"), ("-o", "wide"), ("-o", "yaml")):
                self.ctl(*words, *form)

    def test_database_logs_and_outputs(self):
        self.say_everything()
        self.ctl("promote", self.raw["ref"], "--to", "prod", "--reason", "no")
        outputs = b"\n".join(self.daemon.outputs)
        self.assertGreater(len(outputs), 20_000)
        self.assert_no_phi(outputs, "the output of mlopsctl")
        self.assert_no_phi(self.daemon.log_path.read_bytes(), "the daemon's log")
        audit = self.ok("audit", "log", "--limit", "0", "-o", "json").stdout
        self.assert_no_phi(audit.encode(), "the audit log")
        metrics = self.daemon.api("GET", "/metrics", token="admin").body
        self.assert_no_phi(metrics, "the metrics")

    def test_database_files(self):
        """Every file below the data directory but the bytes that were registered as raw."""
        versions = self.daemon.api("GET", "/api/v1/versions?kind=dataset&limit=1000", token="admin").json["items"]
        raw = {f["digest"].split(":")[1] for v in versions if not v["masked_from"]
               for f in self.json("show", f"dataset:{v['ref']}")["files"]}
        looked_at = 0
        for path in self.daemon.data_dir.rglob("*"):
            if not path.is_file() or path.name in raw:
                continue
            looked_at += 1
            self.assert_no_phi(path.read_bytes(), path.relative_to(self.daemon.data_dir))
        self.assertGreaterEqual(looked_at, 2)

    def test_database_cells(self):
        """Pages are searched above as bytes; here each cell as SQLite reads it, whatever pages it spans."""
        source = next(p for p in self.daemon.data_dir.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3")
        with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as database:
            tables = [r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.assertGreater(len(tables), 10)
            for table in tables:
                text = "\n".join(repr(row) for row in database.execute(f'SELECT * FROM "{table}"'))
                self.assert_no_phi(text.encode(), f"table {table}")
        database.close()

    # --- what must be refused ---------------------------------------------------------------------------------------

    def refused(self, *words, code=REFUSED):
        before = self.counts()
        result = self.ctl(*words)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.counts(), before, f"something was half-done: {result}")
        self.assert_no_phi(result.text.encode(), "a refusal")
        return result

    def test_a_model_trained_on_raw_data(self):
        model = self.registered("model", "tainted", self.file("tainted.json", '{"w": [1]}'), "--input", self.raw["ref"],
                                "--role", "train", "--metric", "auc=0.9")
        self.assertEqual(model["sensitivity"], "special_category")
        self.ok("promote", model["ref"], "--to", "clinical", "--reason", "the ward may hold it")
        for target in ("staging", "research"):
            result = self.refused("promote", model["ref"], "--to", target, "--reason", "please")
            self.assertIn(self.raw["ref"], result.text, "the path to the raw data is printed")
            self.assertIn("special_category", result.text)
        plan = self.ctl("plan", model["ref"], "--to", "staging", "-o", "json").json()
        clearance = [g for g in plan["gates"] if g["kind"] == "clearance" and g["verdict"] == "fail"]
        self.assertTrue(clearance and all(g["would_pass_if"] for g in clearance), "the remedy is told")

    def test_a_model_trained_on_masked_data_passes(self):
        model = self.registered("model", "clean", self.file("clean.json", '{"w": [2]}'), "--input",
                                self.promotion["masking"]["output"], "--role", "train", "--metric", "auc=0.9")
        self.ok("promote", model["ref"], "--to", "staging", "--reason", "it is clean")

    def test_taint_travels_through_generations(self):
        base = self.registered("model", "base", self.file("base.json", '{"w": [3]}'), "--input", self.raw["ref"],
                               "--role", "train", "--metric", "auc=0.9")
        child = self.registered("model", "tuned", self.file("tuned.json", '{"w": [4]}'), "--input", base["ref"],
                                "--role", "base", "--input", self.promotion["masking"]["output"], "--role", "train",
                                "--metric", "auc=0.9")
        self.assertEqual(child["sensitivity"], "special_category")
        result = self.refused("promote", child["ref"], "--to", "staging", "--reason", "please")
        for step in (child["ref"], base["ref"], self.raw["ref"]):
            self.assertIn(step, result.text)

    def test_laundering_by_a_lower_label(self):
        copy = self.file("copy.csv", self.raw_text + "\n")
        before = self.counts()
        result = self.ctl("register", "dataset", "copy", copy, "--input", self.raw["ref"], "--role", "base",
                          "--sensitivity", "none")
        if result.code == DONE:  # accepted only if the inputs' label stays on it
            version = self.json("show", "copy@v1")
            self.assertEqual(version["sensitivity"], "special_category")
            self.refused("promote", "copy@v1", "--to", "staging", "--reason", "please")
        else:
            self.assertIn(result.code, (REFUSED, USAGE), result)
            self.assertEqual(self.counts(), before)

    def test_laundering_by_the_same_bytes_under_another_name(self):
        """Bytes that are known to be raw stay raw under any name, even without --input."""
        result = self.ctl("register", "dataset", "innocent", self.raw_path, "--sensitivity", "none")
        if result.code == DONE:
            version = self.json("show", "innocent@v1")
            self.assertEqual(version["sensitivity"], "special_category", "the same bytes got a lower label")
        else:
            self.assertIn(result.code, (REFUSED, CONFLICT), result)

    def test_nobody_registers_under_a_masked_name(self):
        path = self.file("other.csv", "a,b\n1,2\n")
        self.ctl("register", "dataset", "ward/patients-deid", path, "--sensitivity", "none", check=CONFLICT)

    def test_a_higher_label_for_known_bytes_is_no_silent_success(self):
        path = self.file("relabel.csv", "x,y\n3,4\n")
        self.registered("dataset", "relabel", path, "--sensitivity", "none")
        self.ctl("register", "dataset", "relabel", path, "--sensitivity", "special_category", check=CONFLICT)

    def test_refused_masking_is_recorded(self):
        rows = [dict(row, shoe_size="42") for row in self.raw_rows[:20]]
        version = self.registered("dataset", "recorded", self.file("recorded.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        self.refused("promote", version["ref"], "--to", "research", "--reason", "please")
        entries = self.daemon.api("GET", "/api/v1/audit?action=release.refused&limit=1000", token="admin").json["items"]
        self.assertTrue(any("recorded@v1" in e["target"] and "masking" in e["reason"] for e in entries))

    def test_a_record_number_in_a_kept_column(self):
        rows = [dict(row) for row in self.raw_rows[:50]]
        kept = next(c for c in ("icd10", "diagnosis", "sex") if c in rows[0])
        rows[7][kept] = "MRN 12345678"
        version = self.registered("dataset", "kept-mrn", self.file("kept.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        result = self.ctl("promote", version["ref"], "--to", "research", "--reason", "please")
        if result.code == DONE:  # then the column was raised and masked
            out = pathlib.Path(self.file("kept-out.marker", "")).with_name("kept-out")
            self.ok("pull", "kept-mrn-deid@v1", str(out))
            for masked in out.rglob("*.csv"):
                self.assertNotIn("12345678", masked.read_text())
        else:
            self.assertEqual(result.code, REFUSED, result)

    def test_unknown_column(self):
        rows = [dict(row, passport_no="X1234567") for row in self.raw_rows[:50]]
        version = self.registered("dataset", "unknown-column", self.file("unknown.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        result = self.refused("promote", version["ref"], "--to", "research", "--reason", "please")
        self.assertIn("passport_no", result.text)
        self.assertNotIn("X1234567", result.text)

    def test_missing_declared_column(self):
        rows = [{k: v for k, v in row.items() if k != "ssn"} for row in self.raw_rows[:50]]
        version = self.registered("dataset", "missing-column", self.file("missing.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        result = self.refused("promote", version["ref"], "--to", "research", "--reason", "please")
        self.assertIn("ssn", result.text)

    def test_an_identifier_in_a_kept_column(self):
        """One SSN among 200 codes: the detector raises the column's class, so that none of its cells goes through."""
        rows = [dict(row) for row in self.raw_rows[:200]]
        rows[137]["icd10"] = "ssn 536-22-8731"
        version = self.registered("dataset", "raised", self.file("raised.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        result = self.ctl("promote", version["ref"], "--to", "research", "--reason", "please", "-o", "json", check=DONE)
        column = next(c for c in result.json()["masking"]["columns"] if c["column"] == "icd10")
        self.assertNotEqual(column["transform"], "keep")
        self.ok("pull", result.json()["masking"]["output"], self.work / "raised-out")
        for text in (result.text, self.daemon.log_text(), self.ok("audit", "log", "--limit", "0", "-o", "json").stdout,
                     next((self.work / "raised-out").rglob("*.csv")).read_text()):
            self.assertNotIn("536-22-8731", text)

    def test_residual_finding(self):
        """A patient's name in a column that is kept: the scan of the output finds it and nothing is kept."""
        rows = [dict(row) for row in self.raw_rows[:60]]
        rows[3]["icd10"] = rows[3]["last_name"]
        version = self.registered("dataset", "spread", self.file("spread.csv", fixtures.write_csv(rows)),
                                  "--sensitivity", "special_category")
        result = self.refused("promote", version["ref"], "--to", "research", "--reason", "please")
        self.assertIn("icd10", result.text, "the column is named")
        self.assertNotIn(rows[3]["last_name"], result.text, "the value is not")
        self.assertEqual([i for i in self.items("list") if i["name"] == "spread-deid"], [])

    def test_broken_csv_is_refused_whole(self):
        text = self.raw_text.splitlines()[0] + "\n" + "1,2,3\n"
        version = self.registered("dataset", "broken", self.file("broken.csv", text), "--sensitivity", "special_category")
        result = self.ctl("promote", version["ref"], "--to", "research", "--reason", "please")
        self.assertIn(result.code, (REFUSED, USAGE), result)

    def test_offline_masking_gives_no_raw_value(self):
        out = self.work / "offline.csv"
        self.ok("policy", "mask", self.work / "deid.yaml", self.raw_path, "-O", out, env={"MLOPS_SERVER": "http://127.0.0.1:9"})
        self.assert_no_phi(out.read_bytes(), "the file masked offline")
        self.assertEqual(out.read_text().count("\n"), ROWS + 1)


if __name__ == "__main__":
    unittest.main()
