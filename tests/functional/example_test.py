"""The example that ./run shows, walked by its own script against a fresh daemon, and the state it must leave."""

import csv
import io
import os
import subprocess
import unittest

from harness import MLOPSCTL, REPOSITORY, DaemonCase, clean_environment

EXAMPLE = REPOSITORY / "examples" / "readmission"
STORY_WITHIN_S = 150


class ExampleTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.story = cls.work / "story"
        token_file = cls.daemon.data_dir / "admin-token"
        cls.variables = clean_environment(
            cls.daemon.root, PATH=f"{MLOPSCTL.parent}:{os.environ['PATH']}", MLOPS_SERVER=cls.daemon.url,
            MLOPS_TOKEN_FILE=str(token_file), STORY_DIR=str(cls.story), NO_COLOR="1")
        cls.first = cls.run_story()

    @classmethod
    def run_story(cls):
        return subprocess.run([str(EXAMPLE / "story.sh")], env=cls.variables, cwd=REPOSITORY, capture_output=True,
                              text=True, timeout=STORY_WITHIN_S)

    def test_the_story_ends_well(self):
        self.assertEqual(self.first.returncode, 0, f"{self.first.stdout[-6000:]}\n{self.first.stderr[-3000:]}")
        for word in ("research", "staging", "prod", "rollback", "audit"):
            self.assertIn(word, self.first.stdout + self.first.stderr)

    def test_what_it_left(self):
        running = {(d["environment"], d["name"]): d["ref"] for d in self.items("status")}
        self.assertTrue(any(environment == "prod" for environment, _ in running), running)
        history = self.items("history", "--env", "prod")
        self.assertEqual(history[0]["action"], "rollback", "a release went live and was rolled back")
        self.assertGreaterEqual(len(history), 3)
        self.ok("audit", "verify")
        self.ok("fsck", "--read-data")
        refused = self.items("audit", "log", "--action", "release.refused")
        self.assertTrue(refused, "the tainted model and the worse version were refused")

    def test_a_second_run_is_idempotent(self):
        before = self.items("history", "--env", "prod")
        again = self.run_story()
        self.assertEqual(again.returncode, 0, f"{again.stdout[-3000:]}\n{again.stderr[-3000:]}")
        self.assertEqual(self.items("history", "--env", "prod"), before)
        self.ok("audit", "verify")

    def test_no_colour_codes_in_a_pipe(self):
        self.assertNotIn("\x1b[", self.first.stdout)


SYNTHEA_STORY = REPOSITORY / "examples" / "synthea" / "story.sh"
SYNTHEA_DATA = REPOSITORY.parent / "shared" / "data"


def tell_synthea(case, **more):
    story = case.work / "synthea-story"
    variables = clean_environment(
        case.daemon.root, PATH=f"{MLOPSCTL.parent}:{os.environ['PATH']}", MLOPS_SERVER=case.daemon.url,
        MLOPS_TOKEN_FILE=str(case.daemon.data_dir / "admin-token"), STORY_DIR=str(story), NO_COLOR="1", **more)
    told = subprocess.run([str(SYNTHEA_STORY)], env=variables, cwd=REPOSITORY, capture_output=True, text=True,
                          timeout=STORY_WITHIN_S)
    case.assertEqual(told.returncode, 0, f"{told.stdout[-6000:]}\n{told.stderr[-3000:]}")
    return story, told.stdout


def tables_of(folder):
    return {path.stem: list(csv.DictReader(io.StringIO(path.read_text()))) for path in folder.glob("*.csv")}


class ScanStoryTest(DaemonCase):
    """A policy authored from a scan, on people made up in Synthea's form."""

    def test_the_story(self):
        story, said = tell_synthea(self)
        self.check_masked(story, said)

    def check_masked(self, story, said):
        raw, masked = tables_of(story / "csv"), tables_of(story / "masked-csv")
        self.assertEqual(raw.keys(), masked.keys())
        for table, rows in raw.items():
            self.assertEqual(len(rows), len(masked[table]), table)
        patients = {row["Id"] for row in masked["patients"]}
        self.assertEqual(len(patients), len(raw["patients"]))
        self.assertTrue({row["PATIENT"] for row in masked["encounters"]} <= patients, "the tables still join")
        bundles = "".join(path.read_text() for path in (story / "masked-fhir").glob("*.json"))
        everything = said + bundles + "".join(path.read_text() for path in (story / "masked-csv").glob("*.csv"))
        everything += self.daemon.log_text()
        for row in raw["patients"]:
            for column in ("Id", "BIRTHDATE", "SSN", "DRIVERS", "PASSPORT", "FIRST", "LAST", "MAIDEN", "ADDRESS"):
                if len(row[column]) > 4:
                    self.assertNotIn(row[column], everything, column)


@unittest.skipUnless((SYNTHEA_DATA / "synthea-csv").exists(), "../shared/data/synthea-csv is not there")
class ScanStoryOnSyntheaTest(ScanStoryTest):
    """The same on what Synthea wrote itself."""

    def test_the_story(self):
        story, said = tell_synthea(self, SYNTHEA_CSV=str(SYNTHEA_DATA / "synthea-csv"),
                                   SYNTHEA_FHIR=str(SYNTHEA_DATA / "synthea-fhir"))
        self.check_masked(story, said)


SYNTHEA = REPOSITORY.parent / "shared" / "data" / "synthea-csv" / "patients.csv"


@unittest.skipUnless(SYNTHEA.exists(), "../shared/data/synthea-csv is not there")
class SyntheaTest(DaemonCase):
    """Somebody else's patients table: nothing in it may pass a policy that does not know its columns."""

    def test_unknown_table_is_quarantined(self):
        import fixtures
        fixtures.apply_all(self)
        self.ok("register", "dataset", "synthea", SYNTHEA, "--sensitivity", "special_category")
        result = self.ctl("promote", "synthea@v1", "--to", "research", "--reason", "try", check=3)
        rows = fixtures.read_csv(SYNTHEA.read_text())
        for row in rows:
            for column, value in row.items():
                if column.lower() in ("ssn", "passport", "drivers", "birthdate") and len(value or "") >= 4:
                    self.assertNotIn(value, result.text)
                    self.assertNotIn(value, self.daemon.log_text())


if __name__ == "__main__":
    unittest.main()
