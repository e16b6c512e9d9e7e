"""Canaries: values of invented people, planted wherever something is read, must come out nowhere.

What is planted: cells, headers, keys, narratives, extensions, references, encoded cells, broken files, file names,
policy texts, reasons and requests. Where they must not be: in what any command prints, in the daemon's log, in metrics,
audit entries, masked versions, the database and backups. Of raw versions the bytes themselves are kept, in packs; a
second daemon that was never given raw bytes, but every other input, must hold none in any file.

A command may name the file it was given and the columns that nobody declared: names of columns are no cells.
"""

import base64
import gzip
import pathlib
import re
import resource
import shutil
import sqlite3
import subprocess
import unittest

from harness import DONE, MLOPSCTL, REFUSED, USAGE, Daemon, DaemonCase, wait_until

FIRST, LAST = "Zebulonia", "Quillfeather"
SSN, MRN, EMAIL, CARD = "536-22-8731", "70318842", "zq.hollow@canarymail.example", "4539 5787 6362 1486"
CANARIES = (FIRST, LAST, SSN, SSN.replace("-", ""), MRN, EMAIL, "zq.hollow", CARD, CARD.replace(" ", ""))
# What people say about what they do is stored with it, and shown: in the audit log, nowhere else.
REASON = "Request of Ottoline Brackenbury"

COLUMNS = """mrn: {class: mrn}, first: {class: person_name}, last: {class: person_name}, ssn: {class: us_ssn},
        email: {class: email}, card: {class: credit_card}, note: {class: free_text}, los: {class: measurement}"""
POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: canary, version: 1.0.0, extends: [pack/hipaa-safe-harbor]}
spec:
  select: {kinds: [dataset]}
  attestations: {no_actual_knowledge: {ref: A-1, by: officer, at: 2026-01-01}}
  classification:
    columns:
      { %s }
"""
ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: clinical, clearance: special_category}
  - {name: research, clearance: pseudonymous, policies: [canary]}
"""
HEADER = "mrn,first,last,ssn,email,card,note,los\n"


def row(note, los="3"):
    return f'{MRN},{FIRST},{LAST},{SSN},{EMAIL},{CARD},"{note}",{los}\n'


def encoded(text):
    return base64.b64encode(text.encode()).decode()


PLAIN = f"{FIRST} {LAST}, SSN {SSN}, MRN {MRN}, mail {EMAIL}, card {CARD}"
NOTES = (PLAIN, encoded(PLAIN), base64.b64encode(gzip.compress(PLAIN.encode(), mtime=0)).decode(),
         PLAIN.replace(" ", "%20"), f"{LAST.upper()}'s and the {LAST}s", "<p>" + PLAIN.replace("e", "&#101;") + "</p>")
NARRATIVE = f'<div xmlns=\\"http://www.w3.org/1999/xhtml\\">{PLAIN}</div>'
FHIR = f"""{{"resourceType":"Bundle","entry":[{{"fullUrl":"Patient/{MRN}","resource":{{
"resourceType":"Patient","id":"{MRN}",
"text":{{"status":"generated","div":"{NARRATIVE}"}},"name":[{{"family":"{LAST}","given":["{FIRST}"]}}],
"extension":[{{"url":"http://example.org/nick","valueString":"{PLAIN}"}}],
"telecom":[{{"system":"email","value":"{EMAIL}"}}],
"identifier":[{{"system":"http://hl7.org/fhir/sid/us-ssn","value":"{SSN}"}}]}}}},
{{"resource":{{"resourceType":"Observation","status":"final",
"subject":{{"reference":"Patient/{MRN}","display":"{FIRST} {LAST}"}},
"note":[{{"text":"{PLAIN}"}}],"valueQuantity":{{"value":7.25}}}}}}]}}
"""
JSONL = f'{{"mrn":"{MRN}","name":{{"first":"{FIRST}","last":"{LAST}"}},"note":"{PLAIN}","los":3}}\n'

# name → (file name, content, columns of the policy); all of them can be masked.
MASKABLE = {
    "table": ("visits.csv", HEADER + "".join(row(note) for note in NOTES), COLUMNS),
    "tabs": ("visits.tsv", (HEADER + row("fine")).replace(",", "\t").replace('"', ""), COLUMNS),
    "lines": ("visits.jsonl", JSONL, "/mrn: {class: mrn}, '/name/*': {class: person_name}, /note: {class: free_text}, "
                                     "/los: {class: measurement}"),
    "fhir": ("bundle.json", FHIR, None),
    "text": ("letter.txt", f"Dear Dr. {LAST},\n\n{PLAIN}.\nShe walks well.\n", "text: {class: free_text}"),
}
# The same: all of them must be refused.
REFUSABLE = {
    "header": ("header.csv", HEADER.replace("los", SSN) + row("fine"), COLUMNS),
    "header-mail": ("header.csv", HEADER.replace("los", EMAIL) + row("fine"), COLUMNS),
    "no-header": ("none.csv", row("fine") + row("well"), COLUMNS),
    "unknown": ("unknown.csv", "extra," + HEADER + f"{SSN}," + row("fine"), COLUMNS),
    "quote": ("quote.csv", HEADER + row("fine") + f'{MRN},"{FIRST} {LAST},{SSN}\n', COLUMNS),
    "ragged": ("ragged.csv", HEADER + f"{MRN},{FIRST},{LAST},{SSN},{EMAIL},{CARD},x,3,{LAST}\n", COLUMNS),
    "kept": ("kept.csv", HEADER + row("fine", f"for {LAST}"), COLUMNS),
    "key": ("key.jsonl", f'{{"{SSN}":{{"los":3}}}}\n', "'/*/los': {class: measurement}"),
    "json": ("broken.json", f'{{"note": "{FIRST} {LAST}" {SSN}', "/note: {class: free_text}"),
    "escape": ("broken.jsonl", f'{{"note": "{LAST} \\q {SSN}"}}\n', "/note: {class: free_text}"),
    "bytes": ("bytes.csv", (HEADER + row("fine")).encode() + f"{LAST} \u00e9,".encode() + b"\xe9\n", COLUMNS),
    "name": (f"{FIRST.lower()}_{LAST.lower()}.csv", HEADER + row("fine"), COLUMNS),
}


class CanaryTest(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.masked, cls.left = {}, {}
        cls.published = Daemon()
        cls.addClassCleanup(cls.published.close)
        cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS.replace(", policies: [canary]", "")))
        cls.mask_all()
        cls.promote_all()
        cls.hostile_policies()
        cls.hostile_requests()
        cls.show_everything()

    @classmethod
    def input(cls, name):
        file, content, columns = {**MASKABLE, **REFUSABLE}[name]
        policy = cls.file(f"{name}/policy.yaml", POLICY % columns if columns else POLICY.split("  classification")[0])
        return cls.file(f"{name}/in/{file}", content), policy

    @classmethod
    def mask_all(cls):
        """Offline, by mlopsctl; what comes out is registered where nothing raw is."""
        for name in MASKABLE:
            path, policy = cls.input(name)
            out = path.parent.parent / ("out-" + path.name)
            cls.ok("policy", "scan", path)
            cls.ok("policy", "scan", path, "--draft", path.parent.parent / "draft.yaml")
            cls.ok("policy", "mask", policy, path, "-O", out, "--report", "json")
            cls.masked[name] = out.read_bytes()
            cls.published.ctl("register", "dataset", f"canary/{name}", out, "--sensitivity", "none", check=DONE)
        for name in REFUSABLE:
            path, policy = cls.input(name)
            out = path.parent.parent / "out"
            told = cls.ctl("policy", "mask", policy, path.parent, "-O", out)
            assert told.code in (REFUSED, USAGE), f"{name}: {told}"
            cls.left[name] = {p.name for p in path.parent.parent.iterdir()} - {"in", "policy.yaml"}
            for verb in (["policy", "scan", path.parent], ["policy", "risk", path, "--quasi", "mrn", "--k", "2"]):
                cls.ctl(*verb)

    @classmethod
    def promote_all(cls):
        """On the server: masked on the way in, or refused."""
        for name in (*MASKABLE, *REFUSABLE):
            path, policy = cls.input(name)
            cls.ok("policy", "apply", policy)
            cls.ok("env", "apply", cls.file("environments.yaml", ENVIRONMENTS))
            ref = cls.json("register", "dataset", f"raw/{name}", path.parent, "--sensitivity",
                           "special_category")["version"]["ref"]
            told = cls.ctl("promote", ref, "--to", "research", "--reason", REASON, "-o", "json")
            assert told.code in ((DONE,) if name in MASKABLE else (REFUSED, USAGE)), f"{name}: {told}"
            cls.published.ctl("promote", ref, "--to", "research", "--reason", REASON)
            if name in MASKABLE:
                folder = cls.work / "pulled" / name
                cls.ok("pull", told.json()["masking"]["output"], folder)
                cls.masked["server " + name] = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())

    @classmethod
    def hostile_policies(cls):
        head = POLICY % COLUMNS
        test = f"  tests: [{{given: {{row: {{last: {LAST}}}}}, expect: {{last: {LAST}}}}}]\nother: {LAST}\n"
        texts = (f"# {PLAIN}\nspec: [\n", f'spec: {{a: "{PLAIN}" {SSN}\n', f"spec:\n  a: 1\n  {PLAIN}\n {SSN}: [\n",
                 head + test, head + f"  residual: {{min_score: {LAST}, max_findings: {SSN}}}\n")
        for i, text in enumerate(texts):
            path = cls.file(f"hostile/{i}.yaml", text)
            for daemon in (cls.daemon, cls.published):
                for verb in (("policy", "apply"), ("env", "apply")):
                    daemon.ctl(*verb, path)
            for verb in ("lint", "test", "explain"):
                cls.ctl("policy", verb, path)

    @classmethod
    def hostile_requests(cls):
        words = PLAIN.replace(" ", "%20")
        cls.said = []
        for daemon in (cls.daemon, cls.published):
            for method, path, body in (
                    ("POST", "/api/v1/versions", f'{{"name": "{PLAIN}'.encode()),
                    ("POST", "/api/v1/promotions", f'{{"refs": ["{LAST}"], "{SSN}": 1}}'.encode()),
                    ("POST", "/api/v1/promotions", f'{{"{LAST}": "\\q{SSN}"}}'.encode()),
                    ("POST", "/api/v1/tokens", {"principal": 7, "human": PLAIN, "role": 1, "name": PLAIN}),
                    ("PUT", "/api/v1/policies", PLAIN.encode()), ("DELETE", "/api/v1/versions", PLAIN.encode()),
                    ("GET", f"/{words}", None), ("GET", f"/api/v1/versions?limit={words}", None),
                    ("GET", f"/api/v1/audit?action={words}", None)):
                answer = daemon.api(method, path, body, token="admin", headers={"Content-Type": "application/json"})
                cls.said.append(answer.body)
            answer = daemon.api("GET", "/api/v1/versions", token=PLAIN)
            cls.said.append(answer.body)

    @classmethod
    def show_everything(cls):
        for daemon in (cls.daemon, cls.published):
            for words in (["list"], ["status"], ["audit", "log", "--limit", "0"], ["audit", "verify"],
                          ["decision", "verify"], ["policy", "list"], ["plans"], ["gc", "plan"], ["doctor"], ["fsck"]):
                for form in ("table", "json"):
                    daemon.ctl(*words, "-o", form)

    # --- the search ---------------------------------------------------------------------------------------------------

    def assert_silent(self, text, where, canaries=CANARIES):
        """None stands in the text, in any case, nor in UTF-16, nor in base64 of any alignment."""
        low = text.lower() if isinstance(text, bytes) else text.lower().encode()
        for i, canary in enumerate(canaries):
            needle = canary.encode()
            forms = {needle.lower(), canary.lower().encode("utf-16-le")}
            for shift in range(3):
                inner = base64.b64encode(b"x" * shift + needle)[4 if shift else 0:-4]
                forms |= {inner.lower()} if len(inner) >= 8 else set()
            for form in forms:
                self.assertFalse(form in low, f"canary {i} stands in {where}")

    def test_the_search_finds_them(self):
        for name, (_, content, _) in {**MASKABLE, **REFUSABLE}.items():
            with self.assertRaises(AssertionError, msg=name):
                self.assert_silent(content, name)
        with self.assertRaises(AssertionError):
            self.assert_silent(NOTES[1], "base64")

    def test_masked_bytes(self):
        self.assertEqual(len(self.masked), 2 * len(MASKABLE))
        for name, content in self.masked.items():
            self.assertTrue(content)
            self.assert_silent(content, f"the masked {name}")
            for layer in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", content):
                self.assert_silent(base64.b64decode(layer + b"==", validate=False), f"base64 of the masked {name}")

    def test_the_server_masks_as_the_command_does(self):
        """Threat 40: what is masked elsewhere is masked alike."""
        for name in MASKABLE:
            self.assertEqual(self.masked[name], self.masked["server " + name], name)

    def test_refused_runs_leave_nothing(self):
        """Threat 37: no output, nor a part of one, on disk or in the registry."""
        self.assertEqual(set(self.left), set(REFUSABLE))
        self.assertEqual([name for name, files in self.left.items() if files], [])
        names = {item["name"] for item in self.items("list")}
        self.assertEqual({f"raw/{name}-deid" for name in REFUSABLE} & names, set())
        self.assertEqual({f"raw/{name}-deid" for name in MASKABLE} - names, set())

    def test_outputs(self):
        outputs = b"\n".join(self.daemon.outputs + self.published.outputs)
        self.assertGreater(len(outputs), 20_000)
        # A command names the file it was given, whatever that is called, and the table after it.
        file = REFUSABLE["name"][0].removesuffix(".csv").encode()
        self.assert_silent(outputs.replace(file, b"[its own file]"), "the output of mlopsctl")
        self.assert_silent(b"\n".join(self.said), "answers to requests")

    def test_logs_and_metrics(self):
        for daemon in (self.daemon, self.published):
            self.assert_silent(daemon.log_path.read_bytes(), "the daemon's log", (*CANARIES, REASON, "Brackenbury"))
            metrics = daemon.api("GET", "/metrics", token="admin").body
            self.assertGreater(len(metrics), 1000)
            self.assert_silent(metrics, "metrics", (*CANARIES, REASON, "Brackenbury"))

    def test_audit_entries(self):
        log = self.ok("audit", "log", "--limit", "0", "-o", "json").stdout
        self.assertIn(REASON, log, "what somebody said about a promotion is on record")
        self.assert_silent(log, "the audit log")

    def database(self, folder):
        return next(p for p in folder.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3")

    def cells(self, path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            tables = [r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.assertGreater(len(tables), 10)
            text = "\n".join(repr(row) for table in tables for row in database.execute(f'SELECT * FROM "{table}"'))
        database.close()
        # The path of a raw version's file is part of its manifest.
        return text.replace(REFUSABLE["name"][0], "[its own file]").encode()

    def test_database_and_files(self):
        database = self.database(self.daemon.data_dir)
        self.assert_silent(self.cells(database), "the database")
        # Pages of the database that nothing refers to are searched, too.
        for path in self.daemon.data_dir.rglob("*"):
            if path.is_file() and path.suffix != ".pack":
                content = path.read_bytes().replace(REFUSABLE["name"][0].encode(), b"[its own file]")
                self.assert_silent(content, path.name)

    def test_nothing_raw_reached_the_other_daemon(self):
        looked_at = 0
        for path in self.published.data_dir.rglob("*"):
            if path.is_file():
                looked_at += 1
                self.assert_silent(path.read_bytes(), path.relative_to(self.published.data_dir))
        self.assertGreater(looked_at, 3)

    def test_backups(self):
        target = self.work / "published.bak"
        self.published.ctl("backup", target, check=DONE)
        self.assert_silent(target.read_bytes(), "the backup")
        target = self.work / "raw.bak"
        self.ok("backup", target)
        twin = self.work / "twin"
        self.ok("restore", target, twin)
        self.assert_silent(self.cells(self.database(twin)), "the database in the backup")
        packs = b"".join(p.read_bytes() for p in self.daemon.data_dir.rglob("*.pack"))
        whole = target.read_bytes()
        for i, canary in enumerate(CANARIES):
            self.assertLessEqual(whole.count(canary.encode()), packs.count(canary.encode()),
                                 f"canary {i} is in the backup outside the packs of raw versions")
        shutil.rmtree(twin)

    @unittest.skipUnless(pathlib.Path("/proc/self/limits").exists(), "no /proc")
    @unittest.skipIf(resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, "nothing here leaves a core")
    def test_core_dumps(self):
        """Neither the daemon nor a command that reads people's data leaves a core."""
        words = ["erase", "plan", "--subject-file", "-", "--reason", "x"]
        waiting = subprocess.Popen([str(MLOPSCTL), *words], env=self.daemon.client_environment(), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(waiting.communicate, timeout=30)
        self.addCleanup(waiting.kill)
        none = re.compile(r"Max core file size +0 +0 ")
        for pid in (self.daemon.pid, waiting.pid):
            limits = pathlib.Path(f"/proc/{pid}/limits")
            wait_until(lambda where=limits: none.search(where.read_text()), 10, "no core dumps")


if __name__ == "__main__":
    unittest.main()
