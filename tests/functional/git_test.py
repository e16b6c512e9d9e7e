"""Git: policies from a repository at a pinned commit, promotions as commits of a GitOps repository, code provenance.

One file on purpose: its sources, GitOps and provenance cases share one daemon with one set of repositories. How servers
are reached is in git_remote_test.py.
"""

import pathlib
import re
import shutil
import tempfile
import unittest

from git_servers import Repository, WebServer, serve_web
from harness import (AUTHENTICATION, CONFLICT, DONE, FAILED, NOT_FOUND, REFUSED, USAGE, DaemonCase, wait_until)

POLICY = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {{name: {name}, version: 1.0.0}}
spec:
  select: {{kinds: [model]}}
  gates:
    - {{id: auc-floor, metric: {{name: auc, min: {floor}}}}}
"""

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - name: gated
    clearance: none
    policies: [model-gates]
"""


class GitTest(DaemonCase):
    counter = 0

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mlops-git-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        cls.names = []
        cls.repository_file = cls.place / "repositories.yaml"
        for name in ("gates", "protected", "rewritten", "environments", "clusters", "moving", "away", "crash", "kserve", "stack", "late", "code"):
            setattr(cls, name, Repository(cls.place, name))
            cls.names.append(name)
        lines = ["repositories:"]
        for name in cls.names:
            use = ("provenance" if name == "code" else "policies" if name in ("gates", "protected", "rewritten", "environments")
                   else "gitops")
            lines.append(f"  {name}: {{url: 'file://{cls.place / (name + '.git')}', use: [{use}]}}")
        cls.web = Repository(cls.place, "web")
        port, secret = serve_web(cls, cls.web)
        lines.append(f"  web: {{url: 'http://127.0.0.1:{port}/web.git', use: [gitops], "
                     f"credential: 'file:{secret}'}}")
        cls.repository_file.write_text("\n".join(lines) + "\n")
        cls.settings = {"MLOPSD_GIT_REPOSITORIES_FILE": str(cls.repository_file), "MLOPSD_GIT_REFRESH_SECONDS": "1",
                        "MLOPSD_GIT_AUTHOR_NAME": "Release bot", "MLOPSD_GIT_AUTHOR_EMAIL": "bot@example.org"}
        super().setUpClass()

    @classmethod
    def prepare(cls):
        cls.rita = cls.daemon.new_token("rita", "release")
        cls.omar = cls.daemon.new_token("omar", "approver")
        cls.ada = cls.daemon.new_token("ada", "approver")

    def environment(self, name, extra="", labels=""):
        text = (f"apiVersion: mlops/v1\nkind: Environments\nenvironments:\n  - name: {name}\n    clearance: none\n"
                f"    labels: {{{labels}}}\n{extra}")
        self.ok("env", "apply", self.file(f"{name}.yaml", text))

    def gitops(self, repository, path="clusters/prod", renderer="manifest"):
        return f"    gitops: {{repository: {repository}, path: '{path}', renderer: {renderer}}}\n"

    def model(self, name, auc=0.9, *options):
        GitTest.counter += 1
        path = self.file(f"m{self.counter}.json", f'{{"w": {self.counter}}}')
        return self.json("register", "model", name, path, "--metric", f"auc={auc}", "--sensitivity", "none",
                         *options)["version"]["ref"]

    def promote(self, ref, environment, check=DONE, token=None):
        return self.ctl("promote", ref, "--to", environment, "--reason", "a reason", "-o", "json",
                        token=token, check=check)

    def delivered(self, environment, count, within_s=30):
        def done():
            items = self.items("gitops", "status", "--env", environment, "--limit", "0")
            return items if len([i for i in items if i["state"] == "done"]) == count else None
        return wait_until(done, within_s, f"{count} commits of {environment}")

    def trailers(self, repository):
        """The deployment ids of the branch's commits, newest first."""
        return [found for text in repository.log() for found in re.findall(r"^Mlops-Deployment: (.+)$", text, re.M)]

    # --- policies ----------------------------------------------------------------------------------------------------

    def test_a_policy_commit_changes_the_verdict_as_replay_predicted(self):
        first = self.gates.commit({"policies/model-gates.yaml": POLICY.format(name="model-gates", floor=0.7),
                                   "environments.yaml": ENVIRONMENTS})
        self.ok("policy", "source", "add", "gates", "--repository", "gates", "--path", "policies/", "--environments",
                "environments.yaml")
        self.assertEqual(self.items("policy", "source", "list")[0]["commit"], None)
        dry = self.json("policy", "source", "sync", "gates", "--dry-run")
        self.assertTrue(dry["dry_run"])
        self.ctl("policy", "show", "model-gates", check=NOT_FOUND)
        done = self.json("policy", "source", "sync", "gates")
        self.assertEqual((done["state"], done["commit"]), ("applied", first))
        self.assertEqual([(c["kind"], c["name"], c["change"]) for c in done["changes"]],
                         [("policy", "model-gates", "added"), ("environment", "gated", "added")])
        self.assertEqual(self.json("policy", "source", "sync", "gates")["state"], "unchanged")

        ref = self.model("gitted", 0.8)
        view = self.promote(ref, "gated").json()
        gate = [g for g in view["plan"]["gates"] if g["id"] == "auc-floor"][0]
        self.assertEqual(gate["rule"], f"gates.git@{first}:policies/model-gates.yaml:7")
        record = self.json("decision", "show", view["plan"]["id"])
        self.assertEqual(record["facts"]["environment_source"], f"gates.git@{first}:environments.yaml")
        self.assertTrue(record["proved"])

        stricter = POLICY.format(name="model-gates", floor=0.85)
        second = self.gates.commit({"policies/model-gates.yaml": stricter})
        predicted = self.ctl("policy", "replay", self.file("stricter.yaml", stricter), "-o", "json",
                             check=REFUSED).json()
        self.assertTrue(predicted["flips"])
        planned = self.json("policy", "source", "sync", "gates", "--reason", "stricter")
        self.assertEqual(planned["flips"]["total"], len(predicted["flips"]))
        self.assertEqual(planned["flips"]["first"][0]["decision"], predicted["flips"][0]["decision"])
        self.promote(self.model("gitted", 0.8), "gated", check=REFUSED)
        shown = self.daemon.api("GET", "/api/v1/policies/model-gates", token="admin").json
        self.assertEqual(shown["source"]["commit"], second)
        self.assertEqual(self.json("env", "show", "gated")["source"]["commit"], first)
        # Decisions of before stay as they were.
        self.assertEqual(self.json("decision", "verify")["differing"], [])

        # Back to the commit before, by its name.
        self.assertEqual(self.json("policy", "source", "sync", "gates", "--commit", first)["state"], "applied")
        self.promote(self.model("gitted", 0.8), "gated")

        # By hand it is changed no more.
        by_hand = self.file("by-hand.yaml", POLICY.format(name="model-gates", floor=0.1))
        refused = self.ctl("policy", "apply", by_hand, check=REFUSED)
        self.assertIn("policies/model-gates.yaml", refused.text)
        self.ctl("policy", "apply", by_hand, "--override", check=USAGE)
        self.ok("policy", "apply", by_hand, "--override", "--reason", "an incident")
        self.assertIn("policy.override", self.ok("audit", "log", "-o", "json", "--action", "policy.override").stdout)
        environments = self.file("environments.yaml", ENVIRONMENTS.replace("clearance: none", "clearance: personal"))
        self.ctl("env", "apply", environments, check=REFUSED)
        # The next sync takes it back.
        again = self.json("policy", "source", "sync", "gates", "--commit", first)
        self.assertEqual([c["change"] for c in again["changes"]], ["changed"])

        # What an environment names cannot go.
        self.gates.commit({"policies/model-gates.yaml": None, "policies/other.yaml": POLICY.format(name="other", floor=0.5)})
        still = self.ctl("policy", "source", "sync", "gates", check=REFUSED)
        self.assertIn("gated", still.text)
        # YAML that is wrong is named by commit, file, line and column, and changes nothing.
        wrong = self.gates.commit({"policies/model-gates.yaml": stricter.replace("min: 0.85", "min: high")})
        bad = self.ctl("policy", "source", "sync", "gates", check=USAGE)
        self.assertIn(f"gates.git@{wrong}:policies/model-gates.yaml:7:", bad.text)
        self.assertEqual(self.json("policy", "source", "show", "gates")["commit"], first)

        missing = self.ctl("policy", "source", "sync", "gates", "--commit", "a" * 40, check=NOT_FOUND)
        self.assertIn("has no commit " + "a" * 40, missing.text)
        self.gates.git("checkout", "-q", "-b", "side")
        side = self.gates.commit({"x": "1"})
        self.gates.git("checkout", "-q", "main")
        off = self.ctl("policy", "source", "sync", "gates", "--commit", side, check=REFUSED)
        self.assertIn("not on the branch main", off.text)

        # What nobody names any more goes, and what is new comes.
        gone = self.gates.commit({"policies/model-gates.yaml": None, "policies/other.yaml": POLICY.format(name="other", floor=0.5),
                                  "environments.yaml": ENVIRONMENTS.replace("[model-gates]", "[other]")})
        moved = self.json("policy", "source", "sync", "gates")
        self.assertEqual(sorted((c["name"], c["change"]) for c in moved["changes"]),
                         [("gated", "changed"), ("model-gates", "removed"), ("other", "added")])
        self.assertEqual(moved["commit"], gone)
        self.ctl("policy", "show", "model-gates", check=NOT_FOUND)
        self.assertEqual(self.json("decision", "verify")["differing"], [])
        self.ok("policy", "source", "remove", "gates", "--reason", "test")
        self.ok("policy", "apply", by_hand)
        self.assertEqual(self.items("policy", "source", "list") and
                         [s for s in self.items("policy", "source", "list") if s["name"] == "gates"], [])
        self.ok("audit", "verify")

    def test_a_rewritten_history_is_refused(self):
        repository = self.rewritten
        first = repository.commit({"p/a.yaml": POLICY.format(name="rewritten-a", floor=0.5)})
        second = repository.commit({"p/a.yaml": POLICY.format(name="rewritten-a", floor=0.6)})
        self.ok("policy", "source", "add", "rewritten", "--repository", "rewritten", "--path", "p")
        self.ok("policy", "source", "sync", "rewritten")
        repository.git("reset", "-q", "--hard", first)
        third = repository.commit({"p/a.yaml": POLICY.format(name="rewritten-a", floor=0.1)}, push=False)
        repository.git("push", "-q", "--force", "origin", "main")
        refused = self.ctl("policy", "source", "sync", "rewritten", check=REFUSED)
        self.assertIn(second[:12], refused.text)
        self.assertIn(third[:12], refused.text)
        self.assertIn("rewritten", refused.text)
        self.assertEqual(self.json("policy", "source", "show", "rewritten")["commit"], second)
        self.ctl("policy", "source", "sync", "rewritten", "--accept-rewrite", check=USAGE)
        self.ok("policy", "source", "sync", "rewritten", "--accept-rewrite", "--reason", "agreed with Ada")
        self.assertEqual(self.json("policy", "source", "show", "rewritten")["commit"], third)
        self.assertIn("agreed with Ada", self.ok("audit", "log", "-o", "json", "--action", "source.rewrite").stdout)
        # A repository that is gone is told, and changes nothing.
        repository.bare.rename(str(repository.bare) + ".gone")
        gone = self.ctl("policy", "source", "sync", "rewritten", check=FAILED)
        self.assertIn("cannot be reached", gone.text)
        pathlib.Path(str(repository.bare) + ".gone").rename(repository.bare)

    def test_a_protected_source_waits_for_people_who_did_not_write_it(self):
        repository = self.protected
        repository.commit({"p/a.yaml": POLICY.format(name="protected-a", floor=0.5)}, author="ada")
        self.ok("policy", "source", "add", "protected", "--repository", "protected", "--path", "p", "--approvals", "1")
        plan = self.json("policy", "source", "sync", "protected")
        self.assertEqual(plan["state"], "open")
        self.ctl("policy", "show", "protected-a", check=NOT_FOUND)
        self.ctl("policy", "source", "apply", plan["id"], check=REFUSED)
        self.ctl("policy", "source", "approve", plan["id"], "--reason", "mine", check=AUTHENTICATION)
        own = self.ctl("policy", "source", "approve", plan["id"], "--reason", "x", token=self.ada, check=AUTHENTICATION)
        self.assertIn("wrote a commit", own.text)
        self.ok("policy", "source", "approve", plan["id"], "--reason", "read it", token=self.omar)
        self.ctl("policy", "source", "approve", plan["id"], "--reason", "again", token=self.omar, check=CONFLICT)
        shown = self.daemon.api("GET", f"/api/v1/source-plans/{plan['id']}", token="admin")
        self.assertEqual([a["by"] for a in shown.json["approvals"]], ["omar"])
        self.assertNotIn("authors", shown.json)
        # A commit that came later is not what was approved: the plan brings its own.
        newer = repository.commit({"p/a.yaml": POLICY.format(name="protected-a", floor=0.6)})
        applied = self.json("policy", "source", "apply", plan["id"])
        self.assertEqual(applied["state"], "applied")
        self.assertNotEqual(self.json("policy", "source", "show", "protected")["commit"], newer)
        self.ctl("policy", "source", "apply", plan["id"], check=CONFLICT)
        # A plan over which the source moved on is stale.
        one = self.json("policy", "source", "sync", "protected")
        two = self.json("policy", "source", "sync", "protected")
        for each in (one, two):
            self.ok("policy", "source", "approve", each["id"], "--reason", "ok", token=self.omar)
        self.ok("policy", "source", "apply", one["id"])
        self.ctl("policy", "source", "apply", two["id"], check=CONFLICT)
        # And so is one whose commit was forced off the branch.
        repository.commit({"p/a.yaml": POLICY.format(name="protected-a", floor=0.7)})
        three = self.json("policy", "source", "sync", "protected")
        self.ok("policy", "source", "approve", three["id"], "--reason", "ok", token=self.omar)
        repository.git("reset", "-q", "--hard", newer)
        repository.git("push", "-q", "--force", "origin", "main")
        forced = self.ctl("policy", "source", "apply", three["id"], check=CONFLICT)
        self.assertIn("rewritten", forced.text)

    def test_what_a_source_may_name(self):
        self.ctl("policy", "source", "add", "x", "--repository", "nowhere", "--path", "p", check=NOT_FOUND)
        self.ctl("policy", "source", "add", "x", "--repository", "clusters", "--path", "p", check=REFUSED)
        self.ctl("policy", "source", "add", "x", "--repository", "gates", check=USAGE)
        self.ctl("policy", "source", "add", "x", "--repository", "gates", "--path", "../p", check=USAGE)
        self.ctl("policy", "source", "sync", "never-added", check=NOT_FOUND)
        bad = self.file("bad-gitops.yaml", "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n"
                        "  - {name: nowhere, clearance: none, gitops: {repository: gates}}\n")
        self.assertIn("not configured", self.ctl("env", "apply", bad, check=USAGE).text)

    # --- GitOps ------------------------------------------------------------------------------------------------------

    def test_promotions_and_rollbacks_are_commits(self):
        self.environment("cluster", self.gitops("clusters"))
        one, two = self.model("team/served"), self.model("team/served")
        view = self.promote(one, "cluster").json()
        self.delivered("cluster", 1)
        text = self.clusters.log()[0]
        self.assertTrue(text.startswith(f"Promote {one} to cluster"), text)
        self.assertIn("a reason", text)
        self.assertIn(view["plan"]["digest"], text)
        manifest = self.clusters.show("clusters/prod/team/served.yaml")
        self.assertIn(view["deployment"]["members"][0]["digest"], manifest)
        self.assertIn("kind: Release", manifest)
        author = self.clusters.run(self.clusters.bare, "log", "-1", "--format=%an <%ae>", "main")
        self.assertEqual(author, "Release bot <bot@example.org>")
        self.promote(two, "cluster")
        self.ok("rollback", "team/served", "--env", "cluster", "--reason", "worse")
        items = self.delivered("cluster", 3)
        self.assertTrue(self.clusters.log()[0].startswith(f"Roll back to {one} in cluster"))
        self.assertEqual(self.trailers(self.clusters), [i["deployment"] for i in items])
        self.assertEqual(items[0]["commit"], self.clusters.run(self.clusters.bare, "rev-parse", "main"))
        self.assertEqual(self.daemon.api("POST", "/api/v1/gitops/retry", {}, token="admin").json["retried"], 0)
        self.ok("gitops", "retry", "--env", "cluster")
        self.assertIn("gitops.commit", self.ok("audit", "log", "-o", "json", "--action", "gitops.commit").stdout)

    def test_the_remote_moves_meanwhile(self):
        self.environment("moving", self.gitops("moving"))
        self.moving.commit({"README": "ours"})
        refs = [self.model(f"mover-{i}") for i in range(6)]
        for number, ref in enumerate(refs):
            self.promote(ref, "moving")
            self.moving.commit({f"theirs-{number}": "x"}, push=False)
            self.moving.push_among_others()
        self.delivered("moving", 6)
        names = self.moving.run(self.moving.bare, "ls-tree", "-r", "--name-only", "main").split()
        for number in range(6):
            self.assertIn(f"theirs-{number}", names)
            self.assertIn(f"clusters/prod/mover-{number}.yaml", names)
        self.assertEqual(len(self.trailers(self.moving)), 6)

    def test_a_repository_that_is_away_is_tried_again_in_order(self):
        self.environment("away", self.gitops("away"))
        hidden = pathlib.Path(str(self.away.bare) + ".hidden")
        self.away.bare.rename(hidden)
        refs = [self.model("absent") for _ in range(3)]
        for ref in refs:
            self.promote(ref, "away")
        def trouble():
            items = self.items("gitops", "status", "--env", "away")
            return [i for i in items if i["problem"]]
        self.assertIn("cannot be reached", wait_until(trouble, 30, "a failed push")[0]["problem"])
        self.daemon.restart()  # the outbox is durable
        hidden.rename(self.away.bare)
        self.ok("gitops", "retry", "--env", "away")
        items = self.delivered("away", 3)
        self.assertEqual(self.trailers(self.away), [i["deployment"] for i in items])
        self.assertIn(refs[-1], self.away.show("clusters/prod/absent.yaml"))

    def test_over_http_with_a_token_and_somebody_faster(self):
        self.environment("web", self.gitops("web"))
        self.web.commit({"README": "ours"})
        WebServer.before_push = lambda: self.web.commit({"theirs": "pushed in between"})
        self.promote(self.model("webbed"), "web")
        self.delivered("web", 1)
        names = self.web.run(self.web.bare, "ls-tree", "-r", "--name-only", "main").split()
        self.assertEqual(sorted(names), ["README", "clusters/prod/webbed.yaml", "theirs"])
        right, WebServer.token = WebServer.token, "another"
        self.promote(self.model("webbed"), "web")
        def refused():
            return [i for i in self.items("gitops", "status", "--env", "web") if i["problem"]]
        problem = wait_until(refused, 30, "a refused credential")[0]["problem"]
        self.assertIn("does not accept the configured credential", problem)
        self.assertNotIn(right, self.daemon.log_text() + problem)
        WebServer.token = right
        self.ok("gitops", "retry", "--env", "web")
        self.delivered("web", 2)

    def test_kill_9_commits_nothing_twice(self):
        self.environment("crash", self.gitops("crash"))
        for number in range(12):
            self.promote(self.model("crashing"), "crash")
            if number % 3 == 0:
                self.daemon.kill9()
                self.daemon.start()
        self.delivered("crash", 12)
        trailers = self.trailers(self.crash)
        self.assertEqual(len(trailers), 12)
        self.assertEqual(len(set(trailers)), 12)
        self.ok("audit", "verify")

    def test_kserve(self):
        self.environment("serving", self.gitops("kserve", "", "kserve"),
                         "storage_uri_template: 'oci://registry.example/{name}@{digest}', kserve_namespace: models")
        ref = self.model("team/served.v2")
        view = self.promote(ref, "serving").json()
        def failed():
            return [i for i in self.items("gitops", "status", "--env", "serving") if i["state"] == "failed"]
        self.assertIn("model_format", wait_until(failed, 30, "a failed rendering")[0]["problem"])
        self.ok("label", ref, "model_format=sklearn")
        self.ok("gitops", "retry", "--env", "serving")
        self.delivered("serving", 1)
        digest = view["deployment"]["members"][0]["digest"]
        service = self.kserve.show("_kserve/team/served.v2.yaml")
        for line in ("apiVersion: serving.kserve.io/v1beta1", "kind: InferenceService", f"oci://registry.example/team/served.v2@{digest}",
                     "name: sklearn", "namespace: models", view["deployment"]["id"]):
            self.assertIn(line, service)
        self.assertRegex(service, r"name: team-served-v2-[0-9a-f]{8}\n")
        self.assertIn("kind: Release", self.kserve.show("team/served.v2.yaml"))

    def test_a_named_release_takes_the_place_of_what_ran_alone_and_gives_it_back(self):
        self.environment("stack", self.gitops("stack", "", "kserve"),
                         "storage_uri_template: 'oci://registry.example/{name}@{digest}', model_format: onnx")
        first, second = self.model("stack/served"), self.model("stack/served")
        prepare = self.model("stack/prepare")
        self.promote(first, "stack")
        self.delivered("stack", 1)
        self.ok("release", "create", "stack/whole", "--member", f"model={second}", "--member", f"preprocessing={prepare}")
        moved = self.promote("release:stack/whole@r1", "stack").json()
        self.assertEqual(moved["took_places"], ["stack/served release 1"])
        self.delivered("stack", 2)
        repository = self.stack
        names = repository.run(repository.bare, "ls-tree", "-r", "--name-only", "main").split()
        self.assertEqual(names, ["_kserve/stack/served.yaml", "_releases/stack/whole.yaml"])
        self.assertIn(f"mlops/ref: {second}", repository.show("_kserve/stack/served.yaml"))
        self.assertIn("Takes the place of model stack/served.", repository.log()[0])
        back = self.ok("rollback", "release:stack/whole", "--env", "stack", "--reason", "worse").stdout
        self.assertIn(f"rolled back stack to {first}", back)
        self.delivered("stack", 3)
        names = repository.run(repository.bare, "ls-tree", "-r", "--name-only", "main").split()
        self.assertEqual(names, ["_kserve/stack/served.yaml", "stack/served.yaml"])
        self.assertIn(f"mlops/ref: {first}", repository.show("_kserve/stack/served.yaml"))
        self.ok("audit", "verify")

    def test_what_is_tried_again_late_undoes_nothing(self):
        self.environment("late", self.gitops("late", "", "kserve"),
                         "storage_uri_template: 'oci://registry.example/{name}@{digest}'")
        def states():
            return [i["state"] for i in self.items("gitops", "status", "--env", "late", "--limit", "0")]
        def tree():
            return self.late.run(self.late.bare, "ls-tree", "-r", "--name-only", "main").split()
        silent, spoken = self.model("late/silent"), self.model("late/spoken")  # nothing says the first one's format
        newer = [self.model("late/silent"), self.model("late/spoken")]
        for ref in (spoken, *newer):
            self.ok("label", ref, "model_format=onnx")
        self.promote(silent, "late")
        self.promote(spoken, "late")
        self.ok("release", "create", "late/whole", "--member", f"model={newer[0]}", "--member", f"model={newer[1]}")
        self.promote("release:late/whole@r1", "late")
        wait_until(lambda: states() == ["done", "done", "failed"], 30, "a bundle committed")
        self.ok("rollback", "release:late/whole", "--env", "late", "--reason", "worse")
        wait_until(lambda: states() == ["done", "failed", "done", "done", "failed"], 30, "one of two committed")
        # What the first one cannot replace goes on being served.
        self.assertEqual(tree(), ["_kserve/late/silent.yaml", "_kserve/late/spoken.yaml", "late/spoken.yaml"])
        self.ok("label", silent, "model_format=onnx")
        self.ok("gitops", "retry", "--env", "late")
        wait_until(lambda: states() == ["done", "done", "done", "done", "superseded"], 30, "the rest committed")
        self.assertEqual(tree(), ["_kserve/late/silent.yaml", "_kserve/late/spoken.yaml", "late/silent.yaml", "late/spoken.yaml"])
        self.assertIn(f"mlops/ref: {silent}", self.late.show("_kserve/late/silent.yaml"))

    # --- provenance --------------------------------------------------------------------------------------------------

    def test_provenance(self):
        gate = ("apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: code-gates, version: 1.0.0}\nspec:\n"
                "  select: {kinds: [model]}\n  gates:\n"
                "    - {id: from-main, provenance: {repositories: [code], branches: [main, 'release/*'], clean: true}}\n")
        self.ok("policy", "apply", self.file("code-gates.yaml", gate))
        self.environment("proved", "    policies: [code-gates]\n")
        self.code.commit({"train.py": "x = 1\n"})

        def result(name, *options):
            ref = self.model(name, 0.9, *options)
            plan = self.ctl("plan", ref, "--to", "proved", "--reason", "r", "-o", "json").json()
            return ref, [g for g in plan["gates"] if g["id"] == "from-main"][0]

        from_clone = ("--git", self.code.clone)
        ref, good = result("proven", *from_clone)
        self.assertEqual((good["verdict"], good["kind"]), ("pass", "provenance"), good)
        view = self.promote(ref, "proved").json()
        self.assertTrue(self.json("decision", "show", view["plan"]["id"])["proved"])

        _, none = result("unproven")
        self.assertEqual(none["verdict"], "fail")
        self.assertIn("--git", none["would_pass_if"])

        (self.code.clone / "train.py").write_text("x = 2\n")
        _, dirty = result("dirty", *from_clone)
        self.assertIn("local changes", dirty["reason"])
        self.code.git("checkout", "-q", "train.py")

        self.code.git("checkout", "-q", "-b", "feature")
        self.code.commit({"train.py": "x = 3\n"}, push=False)
        unpushed_ref, unpushed = result("unpushed", *from_clone)
        self.assertIn("has no commit", unpushed["reason"])
        self.code.git("push", "-q", "origin", "HEAD")

        def on_feature():  # what was missing a moment ago is not asked for again at once
            plan = self.ctl("plan", unpushed_ref, "--to", "proved", "--reason", "r", "-o", "json").json()
            return "feature" in [g for g in plan["gates"] if g["id"] == "from-main"][0]["reason"]
        wait_until(on_feature, 30, "the pushed branch is seen")
        self.code.git("checkout", "-q", "main")
        self.code.git("merge", "-q", "--ff-only", "feature")
        self.code.git("push", "-q", "origin", "main")
        def merged():
            plan = self.ctl("plan", unpushed_ref, "--to", "proved", "--reason", "r", "-o", "json").json()
            return [g for g in plan["gates"] if g["id"] == "from-main"][0]["verdict"] == "pass"
        wait_until(merged, 30, "the merged commit is seen")

        stranger = Repository(self.place, "stranger")
        stranger.commit({"a": "1"})
        _, unknown = result("strange", "--git", stranger.clone)
        self.assertIn("which is not code", unknown["reason"])

        hidden = pathlib.Path(str(self.code.bare) + ".hidden")
        self.code.bare.rename(hidden)
        def unreachable():
            plan = self.ctl("plan", unpushed_ref, "--to", "proved", "--reason", "r", "-o", "json").json()
            return "could not be asked" in [g for g in plan["gates"] if g["id"] == "from-main"][0]["reason"]
        wait_until(unreachable, 30, "an unreachable repository fails")
        hidden.rename(self.code.bare)
        self.assertEqual(self.json("decision", "verify")["differing"], [])


if __name__ == "__main__":
    unittest.main()
