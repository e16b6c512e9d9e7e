"""mlopsctl as a person and a script meet it: help, typos, exit codes, formats, colour, completion, man page, goldens.

UPDATE_GOLDEN=1 rewrites the files under tests/golden; the difference is then reviewed like any other change.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import unittest

import fixtures
from harness import (AUTHENTICATION, DONE, FAILED, MLOPSCTL, NOT_FOUND, REFUSED, REPOSITORY, USAGE, DaemonCase,
                     clean_environment, free_port)

GOLDEN = REPOSITORY / "tests" / "golden"
EXIT_CODES = ("0", "1", "2", "3", "4", "5", "6", "7", "8")


def normalise(text):
    """Ids, digests, times and paths as words, so that a golden shows form and content only."""
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:<digest>", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"\b(sha256:)?[0-9a-f]{12,63}\b", r"\1<short-digest>", text)
    text = re.sub(r"\b0[0-9a-f]{7}\b", "<short-id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?", "<time>", text)
    return re.sub(r"\b\d+(\.\d+)? ?(s|m|h|seconds?|minutes?) ago\b|\bjust now\b", "<ago>", text)


class CliCase(DaemonCase):
    def golden(self, name, text):
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text)
            return
        want = path.read_text() if path.exists() else ""
        if text != want:
            self.fail(f"tests/golden/{name} differs (UPDATE_GOLDEN=1 accepts):\n" + "".join(
                difflib.unified_diff(want.splitlines(True), text.splitlines(True), "golden", "now")))

    @classmethod
    def commands(cls):
        """The paths that `mlopsctl help` lists under its groups."""
        body = cls.ok("help").stdout.split("Options of every command")[0]
        return re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)*)(?:  |$)", body, re.MULTILINE)


class HelpTest(CliCase):
    def test_golden(self):
        self.golden("help.txt", self.ok("help").stdout)

    def test_every_command_has_help(self):
        commands = self.commands()
        self.assertGreater(len(commands), 35, commands)
        for command in commands:
            with self.subTest(command):
                words = command.split()
                text = self.ok("help", *words).stdout
                self.assertIn(f"usage: mlopsctl {command}", text)
                exits = text.split("Exit status")[1]
                for code in EXIT_CODES:
                    self.assertRegex(exits, rf"(?m)^ +{code} ")
                self.assertEqual(self.ok(*words, "--help").stdout, text)

    def test_help_needs_no_server(self):
        environment = {"MLOPS_SERVER": "http://127.0.0.1:9", "MLOPS_TOKEN": None}
        self.ok("help", env=environment)
        self.ok("--help", env=environment)
        self.ok("--version", env=environment)

    def test_every_issued_command_is_there(self):
        commands = set(self.commands())
        wanted = {"register", "pull", "list", "show", "diff", "alias", "label", "deprecate", "delete", "env apply", "env list",
                  "env show", "policy lint", "policy mask", "policy apply", "plan", "promote", "approve", "reject",
                  "rollback", "status", "history", "lineage", "audit log", "audit verify", "fsck", "whoami", "can-i",
                  "doctor", "api", "completion", "man", "ran", "gc plan", "gc run", "gc why", "gc runs", "gc restore",
                  "hold add", "hold list", "hold release", "retention set", "retention list", "retention remove"}
        self.assertEqual(wanted - commands, set())

    def test_typos_are_answered_with_a_suggestion(self):
        for words, suggestion in ((["promtoe"], "promote"), (["env", "aply"], "env apply"), (["regster"], "register"),
                                  (["promote", "x@v1", "--too", "prod"], "--to"), (["list", "-o", "jsn"], "json")):
            result = self.ctl(*words, check=USAGE)
            self.assertIn(suggestion, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_usage_errors(self):
        for words in ([], ["show"], ["show", "a@v1", "b@v1"], ["promote", "a@v1"], ["list", "--limit"], ["env"],
                      ["register", "model", "x"], ["approve", "--reason", "x"], ["diff", "a@v1"], ["show", "a@v1", "--to", "b"]):
            self.assertEqual(self.ctl(*words).code, USAGE, words)

    def test_man_page(self):
        roff = self.ok("man", env={"MLOPS_SERVER": "http://127.0.0.1:9"}).stdout
        self.assertIn(".TH MLOPSCTL 1", roff)
        page = roff.replace("\\-", "-")
        for command in self.commands():
            self.assertIn(command.split()[0], page)
        self.assertGreater(len(page), 5000)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=roff.encode(), capture_output=True)
            self.assertEqual(done.stderr.decode(), "")


class OutputTest(CliCase):
    @classmethod
    def prepare(cls):
        fixtures.apply_all(cls)
        cls.data = cls.json("register", "dataset", "cli/data", cls.file("d.csv", "a,b\n1,2\n"), "--sensitivity",
                            "pseudonymous")["version"]["ref"]
        cls.model = cls.json("register", "model", "cli/model", cls.file("m.json", "{}"), "--input", cls.data, "--role",
                             "train", "--metric", "auc=0.9")["version"]["ref"]
        cls.ok("promote", cls.model, "--to", "staging", "--reason", "first")
        cls.reads = [["list"], ["list", "cli/model"], ["show", cls.model], ["diff", cls.model, cls.model], ["status"],
                     ["history", "--env", "staging"], ["lineage", cls.model, "--up"], ["lineage", cls.data, "--down"],
                     ["env", "list"], ["env", "show", "prod"], ["policy", "list"], ["policy", "show", "gates"],
                     ["plans"], ["audit", "log"], ["audit", "verify"], ["fsck"], ["token", "list"], ["whoami"],
                     ["can-i", "read"], ["doctor"], ["policy", "packs"], ["gc", "plan"], ["gc", "runs"],
                     ["gc", "why", cls.model], ["hold", "list"], ["retention", "list"]]

    def test_json_of_every_read_command(self):
        for words in self.reads:
            with self.subTest(" ".join(words)):
                self.assertIsInstance(self.ok(*words, "-o", "json").json(), (dict, list))

    def test_every_format_ends_well(self):
        for words in self.reads:
            for form in ("table", "wide", "yaml", "name"):
                with self.subTest(" ".join(words), form=form):
                    self.ok(*words, "-o", form)

    def test_tables_are_aligned(self):
        lines = self.ok("env", "list").stdout.splitlines()
        self.assertGreaterEqual(len(lines), 5)
        second_column = lines[0].index("  ") + 2
        second_column += len(lines[0][second_column:]) - len(lines[0][second_column:].lstrip())
        for line in lines[1:]:
            self.assertEqual(line[second_column - 1], " ", line)
        self.assertFalse(any(line != line.rstrip() for line in lines), "trailing blanks")

    def test_names_pipe_into_the_next_command(self):
        for ref in self.ok("list", "--versions", "-o", "name").stdout.split():
            self.ok("show", ref)

    def test_colour(self):
        self.assertNotIn("\x1b", self.ok("status").text)
        forced = self.ok("status", env={"CLICOLOR_FORCE": "1", "TERM": "xterm-256color"})
        self.assertIn("\x1b[", forced.stdout + self.ok("plan", self.model, "--to", "staging", env={
            "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"}).stdout)
        self.assertNotIn("\x1b", self.ok("status", env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}).text)
        self.assertNotIn("\x1b", self.ok("status", "--color", "never", env={"CLICOLOR_FORCE": "1"}).text)

    def test_errors_go_to_stderr(self):
        result = self.ctl("show", "absent@v1", check=NOT_FOUND)
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr)
        result = self.ctl("show", "absent@v1", "-o", "json", check=NOT_FOUND)
        self.assertEqual(result.stdout, "")
        problem = json.loads(result.stderr)
        self.assertEqual(problem["code"], "not_found")
        self.assertTrue(problem["request_id"])

    def test_exit_codes(self):
        self.ctl("whoami", token="mlo_" + "x" * 40, check=AUTHENTICATION)
        self.ctl("whoami", env={"MLOPS_SERVER": f"http://127.0.0.1:{free_port()}"}, check=FAILED)
        self.ctl("whoami", env={"MLOPS_SERVER": "ftp://x"}, check=USAGE)
        self.ctl("promote", self.model, "--to", "prod", check=REFUSED)
        self.ctl("diff", self.model, self.data, check=REFUSED)

    def test_api(self):
        result = self.ok("api", "GET", "/api/v1/whoami")
        self.assertEqual(json.loads(result.stdout)["principal"], "admin")
        self.ctl("api", "GET", "/api/v1/versions/absent%40v1", check=NOT_FOUND)

    def test_doctor(self):
        self.ok("doctor")
        dead = self.ctl("doctor", env={"MLOPS_SERVER": f"http://127.0.0.1:{free_port()}"})
        self.assertNotEqual(dead.code, DONE)
        self.assertGreater(len(dead.text.splitlines()), 2, "it says what works and what does not")

    def test_times_of_as_of(self):
        for time in ("2h ago", "yesterday", "2026-01-01", "2026-01-01T00:00:00Z"):
            self.assertEqual(self.items("status", "--as-of", time), [])
        self.ctl("status", "--as-of", "whenever", check=USAGE)

    def test_plan_golden(self):
        self.golden("plan-pass.txt", normalise(self.ok("plan", self.model, "--to", "staging", "--reason", "golden").stdout))
        waiting = self.ctl("plan", self.model, "--to", "prod", "--reason", "golden")
        self.golden("plan-pending.txt", normalise(waiting.stdout))
        worse = self.json("register", "model", "cli/worse", self.file("w.json", "{ }"), "--metric", "auc=0.31",
                          "--sensitivity", "special_category")["version"]["ref"]
        refused = self.ctl("plan", worse, "--to", "staging", "--reason", "golden")
        self.assertIn(refused.code, (DONE, REFUSED))
        self.golden("plan-fail.txt", normalise(refused.stdout))

    def test_policy_lint(self):
        self.ok("policy", "lint", self.file("good.yaml", fixtures.DEID), env={"MLOPS_SERVER": "http://127.0.0.1:9"})
        bad = self.file("bad.yaml", fixtures.DEID.replace("class: us_ssn}, apply: {suppress", "class: us_ssn}, apply: {supress"))
        result = self.ctl("policy", "lint", bad)
        self.assertEqual(result.code, REFUSED, result)
        self.assertRegex(result.text, r"bad\.yaml:\d+:\d+")
        self.assertIn("suppress", result.text)
        keep = self.file("keep.yaml", fixtures.DEID.replace("class: us_ssn}, apply: {suppress: {}}", "class: us_ssn}, apply: {keep: {}}"))
        self.assertNotEqual(self.ctl("policy", "lint", keep).code, DONE, "keeping an SSN under Safe Harbor is an error")
        self.assertNotEqual(self.ctl("policy", "apply", bad).code, DONE)

    def test_token_file_and_context(self):
        secret = self.file("token", self.daemon.admin_token)
        secret.chmod(0o600)
        self.assertEqual(self.json("whoami", "--token-file", secret, env={"MLOPS_TOKEN": None})["principal"], "admin")


class CompletionTest(CliCase):
    @classmethod
    def prepare(cls):
        cls.ok("register", "model", "complete/me", cls.file("m.bin", b"c"))

    def bash(self, *words):
        """What bash would offer after these words."""
        quoted = " ".join(f"'{w}'" for w in ("mlopsctl", *words))
        script = (f'source <("{MLOPSCTL}" completion bash)\n'
                  f'COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}\n'
                  'f=$(complete -p mlopsctl | sed -E "s/.*-F ([^ ]+).*/\\1/"); "$f" mlopsctl "${COMP_WORDS[COMP_CWORD]}" ""\n'
                  'printf "%s\\n" "${COMPREPLY[@]}"\n')
        environment = self.daemon.client_environment()
        environment["PATH"] = f"{MLOPSCTL.parent}:{environment['PATH']}"
        done = subprocess.run(["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, timeout=20)
        self.assertEqual(done.stderr, "")
        return [line.strip() for line in done.stdout.split("\n") if line.strip()]

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        self.assertIn("promote", self.bash("pro"))
        self.assertIn("apply", self.bash("env", ""))
        self.assertIn("--to", self.bash("promote", "x@v1", "--t"))

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_live_names(self):
        self.assertTrue(any(word.startswith("complete/me") for word in self.bash("show", "compl")))

    def test_scripts_of_other_shells(self):
        for shell, check in (("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
            text = self.ok("completion", shell, env={"MLOPS_SERVER": "http://127.0.0.1:9"}).stdout
            self.assertGreater(len(text), 100)
            if shutil.which(shell):
                path = self.file(f"completion.{shell}", text)
                self.assertEqual(subprocess.run([*check, str(path)], capture_output=True).returncode, 0)

    def test_a_dead_server_does_not_disturb(self):
        environment = clean_environment(self.daemon.root, MLOPS_SERVER="http://127.0.0.1:9", MLOPS_TOKEN="x")
        done = subprocess.run([str(MLOPSCTL), "__complete", "show", "x"], env=environment, capture_output=True, timeout=5)
        self.assertEqual(done.stderr, b"")

    def test_unknown_shell(self):
        self.ctl("completion", "tcsh", check=USAGE)


if __name__ == "__main__":
    unittest.main()
