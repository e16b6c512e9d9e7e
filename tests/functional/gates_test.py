"""Gates on evidence: groups of people, independent data, quality, leftovers, signatures, servers, fitting members."""

import http.server
import json
import threading
import unittest

from harness import CONFLICT, DONE, REFUSED, USAGE, DaemonCase

ANSWERS = {
    "/allow": (200, b'{"allow": true, "reason": "fine by us"}'),
    "/deny": (200, b'{"result": {"allow": false, "reason": "frozen"}}'),
    "/opa": (200, b'{"result": true}'),
    "/fails": (500, b'{"allow": true}'),
    "/garbage": (200, b"yes"),
    "/string": (200, b'{"allow": "true"}'),
    "/large": (200, b'{"allow": true, "reason": "' + b"x" * (70 << 10) + b'"}'),
}


class TeamServer(http.server.ThreadingHTTPServer):
    """A team's own checks. /slow answers when the tests are over."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization"), body))
        if self.path == "/slow":
            self.server.over.wait(60)
        status, answer = ANSWERS.get(self.path, ANSWERS["/allow"])
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            pass  # nobody waits any more

    def log_message(self, *args):
        pass


def policy(name, *gates, kinds="[model, dataset]"):
    lines = "".join(f"    - {gate}\n" for gate in gates)
    return (f"apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {{name: {name}, version: 1.0.0}}\n"
            f"spec:\n  select: {{kinds: {kinds}}}\n  gates:\n{lines}")


class GatesTest(DaemonCase):
    counter = 0

    @classmethod
    def setUpClass(cls):
        cls.server = TeamServer()
        cls.addClassCleanup(cls.server.close)
        port = cls.server.server_address[1]
        endpoints = [{"name": path[1:], "url": f"http://127.0.0.1:{port}{path}"} for path in [*ANSWERS, "/slow"]]
        endpoints.append({"name": "gone", "url": "http://127.0.0.1:9/"})
        endpoints[0]["credential"] = "env:TEAM_TOKEN"
        cls.settings = {"MLOPSD_GATES_EXTERNAL": json.dumps(endpoints), "TEAM_TOKEN": "team-secret"}
        super().setUpClass()

    @classmethod
    def prepare(cls):
        cls.rita = cls.daemon.new_token("rita", "release")
        cls.omar = cls.daemon.new_token("omar", "approver")

    def environment(self, name, *gates, kinds="[model, dataset]"):
        """An environment with one policy of these gates."""
        self.ok("policy", "apply", self.file(f"{name}.yaml", policy(name, *gates, kinds=kinds)))
        self.ok("env", "apply", self.file(f"{name}-env.yaml", "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n"
                                          f"  - {{name: {name}, clearance: child, policies: [{name}]}}\n"))

    def register(self, kind, name, content, *options, suffix="bin"):
        GatesTest.counter += 1
        path = self.file(f"{name}-{self.counter}.{suffix}", content)
        return self.json("register", kind, name, path, *options, token=self.rita)["version"]["ref"]

    def model(self, name, *options):
        return self.register("model", name, f"weights {self.counter}", "--sensitivity", "none", *options)

    def data(self, name, text, *options):
        return self.register("dataset", name, text, "--sensitivity", "personal", *options, suffix="csv")

    def plan(self, ref, environment, *options):
        return self.ctl("plan", ref, "--to", environment, "--reason", "test", *options, "-o", "json", token=self.rita).json()

    def gate(self, plan, name):
        found = [gate for gate in plan["gates"] if gate["id"] == name]
        self.assertEqual(len(found), 1, plan["gates"])
        return found[0]

    def promote(self, ref, environment, *options, check=DONE):
        return self.ctl("promote", ref, "--to", environment, "--reason", "test", *options, token=self.rita, check=check)

    def runs(self, environment):
        return [item["ref"] for item in self.items("status", "--env", environment)]

    # --- groups ---------------------------------------------------------------------------------------------------

    def test_groups_of_people(self):
        self.environment("fair", "{id: fair, kinds: [model], metric: {name: auc, subgroups: {by: sex, min: 0.7, "
                                 "max_gap: 0.05, require: [F, M]}}}")
        unfair = self.model("fairness", "--metric", "auc{sex=F}=0.71", "--metric", "auc{sex=M}=0.9")
        gate = self.gate(self.plan(unfair, "fair"), "fair")
        self.assertEqual(gate["verdict"], "fail")
        self.assertIn("sex=F is within 0.05", gate["would_pass_if"])
        self.promote(unfair, "fair", check=REFUSED)
        fair = self.model("fairness", "--metric", "auc{sex=F}=0.86", "--metric", "auc{sex=M}=0.9")
        self.promote(fair, "fair")
        self.assertIn("auc{sex=F} = 0.86", self.ok("show", fair).stdout)
        self.ctl("register", "model", "fairness", self.file("x.bin", "x"), "--metric", "auc{sex=F;}=1", check=USAGE)

    # --- independence ---------------------------------------------------------------------------------------------

    def test_train_and_test_data_share_nobody(self):
        self.environment("apart", "{id: apart, independence: {roles: [train, test], max_overlap: 0}}")
        rows = lambda first, last: "patient,x\n" + "".join(f"P{n},{n}\n" for n in range(first, last))
        train = self.data("apart/train", rows(0, 500))
        overlapping = self.data("apart/test", rows(490, 600))
        model = self.model("apart/m", "--input", f"train={train}", "--input", f"test={overlapping}")
        self.assertIn("no declared column of people's ids", self.gate(self.plan(model, "apart"), "apart")["reason"])
        for name in ("apart/train", "apart/test"):
            self.ok("subject-key", "set", f"dataset:{name}", "patient")
        gate = self.gate(self.plan(model, "apart"), "apart")
        self.assertEqual(gate["facts"]["shared_subjects"], 10, gate)
        self.promote(model, "apart", check=REFUSED)
        separate = self.data("apart/test", rows(500, 600))
        good = self.model("apart/m", "--input", f"train={train}", "--input", f"test={separate}")
        self.promote(good, "apart")
        same = self.model("apart/m", "--input", f"train={train}", "--input", f"test={train}")
        self.assertIn("1 file in common", self.gate(self.plan(same, "apart"), "apart")["reason"])
        facts = json.dumps(self.plan(model, "apart"))
        self.assertNotIn("P495", facts)

    # --- quality --------------------------------------------------------------------------------------------------

    def test_quality_of_training_data(self):
        self.environment(
            "good", "{id: good, quality: {of: train, checks: ["
            "{metric: rowCount, mustBeGreaterOrEqualTo: 3000}, "
            "{metric: nullValues, column: age, unit: percent, mustBeLessOrEqualTo: 1}, "
            "{metric: invalidValues, column: sex, validValues: [F, M], mustBe: 0}, "
            "{metric: duplicateValues, column: id, mustBe: 0}, "
            "{expect_column_values_to_be_between: {column: age, min_value: 0, max_value: 120}}, "
            "{schema: {columns: {id: integer, age: integer, sex: string}, extra: refuse}}]}}")
        rows = [f"{n},{n % 90},{'FM'[n % 2]}\n" for n in range(3000)]
        good = self.data("good/data", "id,age,sex\n" + "".join(rows))
        self.promote(self.model("good/m", "--input", f"train={good}"), "good")
        entries = [e for e in self.items("audit", "log", "--limit", "0") if e["action"] == "profile.record"]
        self.assertEqual(len(entries), 1)
        # The same data again: nothing is read twice.
        self.promote(self.model("good/m", "--input", f"train={good}"), "good")
        entries = [e for e in self.items("audit", "log", "--limit", "0") if e["action"] == "profile.record"]
        self.assertEqual(len(entries), 1)
        rows[7] = "8,,X\n"  # an id of another row, no age, an unknown word
        bad = self.data("good/data", "id,age,sex\n" + "".join(rows))
        gate = self.gate(self.plan(self.model("good/m", "--input", f"train={bad}"), "good"), "good")
        self.assertEqual(gate["verdict"], "fail")
        self.assertIn("invalidValues of sex", gate["reason"])
        self.assertIn("duplicateValues of id is 1", gate["reason"])
        self.assertNotIn("nullValues of age", gate["reason"])
        self.assertNotIn("8,,X", json.dumps(gate))
        profile = self.json("profile", self.model("good/m", "--input", f"train={good}"), "--to", "good")
        self.assertEqual([item["result"]["records"] for item in profile["items"]], [3000])

    def test_a_dataset_too_large_for_a_plan_is_measured_before(self):
        self.environment("late", "{id: late, quality: [{metric: rowCount, mustBeGreaterThan: 1}]}")
        pictures = self.register("dataset", "late/pictures", b"\x89PNG\r\n\x1a\n" + bytes(99), "--sensitivity", "none", suffix="png")
        gate = self.gate(self.plan(pictures, "late"), "late")
        self.assertIn("no file of it is a table or JSON", gate["reason"])
        self.ctl("profile", pictures, "--to", "late", check=REFUSED)

    # --- leftovers ------------------------------------------------------------------------------------------------

    def test_what_a_scan_left(self):
        self.environment("clean", "{id: clean, residual: {max_findings: 0, of: [dataset]}}")
        harmless = self.data("clean/harmless", "x,y\n1,2\n3,4\n5,6\n")
        self.promote(harmless, "clean")
        people = self.data("clean/people", "email\n" + "".join(f"person{n}@example.org\n" for n in range(50)))
        gate = self.gate(self.plan(people, "clean"), "clean")
        self.assertIn("registration", gate["facts"]["source"])
        self.assertGreater(gate["facts"]["findings"], 0)

    # --- signatures -----------------------------------------------------------------------------------------------

    def test_signatures(self):
        self.environment("signed", "{id: signed, signatures: {count: 1, roles: [release, ci], of: [model]}}")
        ref = self.model("signed/m")
        self.promote(ref, "signed", check=REFUSED)
        self.ctl("sign", ref, token=self.rita, check=USAGE)  # no key yet
        key = self.json("key", "add", token=self.rita)["id"]
        plan = self.plan(ref, "signed")
        signed = self.json("sign", ref, token=self.rita)
        self.assertEqual([one["key"] for one in signed["signatures"]], [key])
        self.ctl("sign", ref, token=self.rita, check=CONFLICT)
        self.ok("verify", ref)
        public = self.file("rita.pub", signed["signatures"][0]["public_key"])
        self.ok("verify", ref, "--public-key", public)
        self.promote(ref, "signed", "--dry-run")
        self.assertEqual(self.json("plans", plan["id"])["verdict"], "pass")
        # An approver's signature is no signature of a release engineer.
        other = self.model("signed/m")
        self.ok("key", "add", token=self.omar)
        self.ok("sign", other, token=self.omar)
        self.ctl("verify", other, "--public-key", public, check=REFUSED)
        self.promote(other, "signed", check=REFUSED)
        # A signature of another version does not fit.
        wrong = self.daemon.api("POST", f"/api/v1/versions/{other.replace('/', '%2F')}/signatures",
                                {"key": key, "signature": signed["signatures"][0]["signature"]}, token=self.rita)
        self.assertEqual((wrong.status, wrong.slug), (400, "bad_signature"))
        self.ok("key", "revoke", key, "--reason", "lost", token=self.rita)
        refused = self.promote(ref, "signed", check=REFUSED)
        self.assertIn("its key was revoked", refused.text)
        self.ctl("verify", ref, check=REFUSED)
        self.ok("audit", "verify")

    # --- servers --------------------------------------------------------------------------------------------------

    def test_servers_of_a_team(self):
        for name in [*ANSWERS, "/slow", "/gone", "/unknown"]:
            self.environment("ext-" + name[1:], f"{{id: ext, kinds: [model], external: {{name: {name[1:]}, timeout: PT1S}}}}")
        ref = self.model("ext/m", "--description", "made by Rita Reyes")
        for name in ("allow", "opa"):
            self.promote(ref, "ext-" + name)
            self.assertEqual(self.runs("ext-" + name), [ref])
        expected = {"deny": "deny denies it: frozen", "fails": "status 500", "garbage": "no JSON",
                    "string": "no \"allow\"", "large": "more than 64", "slow": "gave no answer",
                    "gone": "gave no answer", "unknown": "names no such endpoint"}
        for name, reason in expected.items():
            with self.subTest(name):
                self.assertIn(reason, self.gate(self.plan(ref, "ext-" + name), "ext")["reason"])
                self.promote(ref, "ext-" + name, check=REFUSED)
                self.assertEqual(self.runs("ext-" + name), [])
        path, authorization, body = next(asked for asked in self.server.asked if asked[0] == "/allow")
        self.assertEqual(authorization, "Bearer team-secret")
        question = json.loads(body)["input"]
        self.assertEqual(question["members"][0]["version"]["name"], "ext/m")
        self.assertNotIn(b"rita", body.lower())
        self.assertNotIn(b"Reyes", body)

    def test_a_plan_shows_what_the_server_said_and_execution_asks_again(self):
        self.environment("ext-plan", "{id: ext, kinds: [model], external: {name: opa}}")
        ref = self.model("ext/planned")
        plan = self.plan(ref, "ext-plan")
        self.assertEqual(plan["verdict"], "pass")
        before = len(self.server.asked)
        self.assertEqual(self.json("plans", plan["id"])["verdict"], "pass")
        self.assertEqual(len(self.server.asked), before)  # looking asks nobody
        self.ok("promote", "--plan", plan["id"], token=self.rita)
        self.assertEqual(len(self.server.asked), before + 1)
        self.assertEqual(self.runs("ext-plan"), [ref])
        self.ok("decision", "verify")  # without the server

    # --- members --------------------------------------------------------------------------------------------------

    def schema(self, *columns):
        GatesTest.counter += 1
        return self.file(f"schema-{self.counter}.json", json.dumps([{"name": n, "type": t} for n, t in columns]))

    def test_members_that_do_not_fit_move_nothing(self):
        self.ok("env", "apply", self.file("fit.yaml", "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n"
                                          "  - {name: fit, clearance: child}\n"))
        model = self.model("fit/m", "--input-schema", self.schema(("age", "number"), ("zip", "string")))
        self.assertIn("age number, zip string", self.ok("show", model).stdout)
        silent = self.data("fit/silent", "age\n1\n")
        self.promote(model, "fit", "--with", silent)
        bad = self.data("fit/bad", "age,zip\n1,2\n", "--output-schema", self.schema(("age", "string"), ("zip", "string")))
        refused = self.promote(model, "fit", "--with", bad, check=REFUSED)
        self.assertIn("age is string, and number is needed", refused.text)
        self.assertEqual(self.runs("fit"), [model])
        good = self.data("fit/good", "age,zip\n1,3\n", "--output-schema", self.schema(("age", "integer"), ("zip", "string")))
        self.promote(model, "fit", "--with", good)
        # What is declared stands, and may be declared late.
        late = self.file("late.csv", "age\n1\n2\n")
        self.ok("register", "dataset", "fit/late", late, "--sensitivity", "none")
        self.ok("register", "dataset", "fit/late", late, "--sensitivity", "none", "--output-schema", self.schema(("age", "integer")))
        self.ctl("register", "dataset", "fit/late", late, "--sensitivity", "none", "--output-schema",
                 self.schema(("age", "string")), check=CONFLICT)
        self.ctl("register", "dataset", "fit/late2", late, "--output-schema", self.file("no.json", "[]"), check=USAGE)
        self.ok("audit", "verify")


if __name__ == "__main__":
    unittest.main()
