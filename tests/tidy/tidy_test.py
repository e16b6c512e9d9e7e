"""Rules of the house that a machine can check: run with `python3 tests/tidy/tidy_test.py`.

Every message names file:line and what to do. The layer table is layers.txt beside this file.
"""

import ast
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tree  # noqa: E402

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
ROOT_CMAKE_LINES_MAX = 120
CLANG_FORMAT_MAJOR = 14  # Debian 12's

# Header prefix → where it may be included; a path ending in .cc is that file alone.
LIBRARIES = {
    "httplib.h": ["core/net"],
    "yaml-cpp/": ["core/base/yaml.cc"],
    "sqlite3.h": ["storage/sql"],
    "boost/": ["daemon/http", "core/net/answer_parser.cc"],  # the listener, and the parser of answers to bulk transfers
    "git2": ["storage/git"],
    # TLS comes through boost/asio/ssl and cpp-httplib, but for bulk transfers
    "openssl/": ["core/crypto", "core/net/tls_channel.cc"],
    "CLI/": ["cli/args.cc"],
    "re2/": ["policies/detect", "policies/cel/matches.cc"],
    "xxhash.h": ["core/base/checksum.cc"],
    "zlib.h": ["policies/data/inflate.cc"],
    "zstd.h": ["storage/cas/zstd_frame.cc"],
}

SQL = re.compile(r"\b(SELECT\s+[\w*(.,\s]+\s+FROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|"
                 r"CREATE\s+(UNIQUE\s+)?(TABLE|INDEX|TRIGGER|VIEW)|DROP\s+TABLE|ALTER\s+TABLE|PRAGMA\s+\w|SAVEPOINT\s+\w|"
                 r"BEGIN\s+IMMEDIATE|ROLLBACK\s+TO)\b")
SQL_ROOMS = ("storage/sql/", "storage/meta/", "storage/audit/")

# Written in two halves so that this file obeys its own rule.
HOST_PATHS = re.compile(r"(?<![\w.~-])/(" + "wo" + "rk|" + "tm" + "p|" + "ro" + r"ot)/\w|\b(" + "pypi" + r"\.org|"
                        + "registry" + r"\.npmjs|" + "proxy" + r"\.golang|" + "crates" + r"\.io)\b")
UNFINISHED = re.compile(r"\b(" + "TO" + "DO|" + "FIX" + "ME)\\b")


class Checks(unittest.TestCase):
    maxDiff = None

    def none_of(self, findings, rule):
        if findings:
            self.fail(f"{rule}\n  " + "\n  ".join(findings))


class LayerTest(Checks):
    """The include graph obeys layers.txt, and layers.txt holds nothing that is not so."""

    @classmethod
    def setUpClass(cls):
        cls.layers = tree.Layers(tree.FILES["tests/tidy/layers.txt"])

    def test_include_graph(self):
        findings = []
        for path, text in tree.product().items():
            room = self.layers.room_of(path)
            if room is None:
                findings.append(f"{path}: its folder is not in layers.txt")
                continue
            for line, include in tree.quoted_includes(text):
                target = self.layers.room_of(include)
                if target is None or include not in tree.FILES:
                    if not include.startswith("generated/"):
                        findings.append(f"{path}:{line}: \"{include}\" is no file from the repository root")
                elif target != room and target not in self.layers.allowed[room] \
                        and (room, target) not in self.layers.exempt:
                    findings.append(f"{path}:{line}: {room} may not include {target} ({include})")
        self.none_of(findings, "the layer table is violated (tests/tidy/layers.txt)")

    def test_table_is_acyclic(self):
        state = {}

        def visit(room, trail):
            if state.get(room) == "done":
                return
            self.assertNotIn(room, trail, "layers.txt allows a cycle: " + " -> ".join([*trail, room]))
            for below in self.layers.allowed.get(room, ()):
                self.assertTrue(below in self.layers.allowed, f"layers.txt: {room} names an unknown room {below}")
                visit(below, [*trail, room])
            state[room] = "done"

        for room in self.layers.allowed:
            visit(room, [])

    def test_include_graph_has_no_cycle_between_files(self):
        graph = {p: [i for _, i in tree.quoted_includes(t)] for p, t in tree.product().items()}
        done = set()

        def visit(path, trail):
            self.assertNotIn(path, trail, "headers include each other: " + " -> ".join([*trail, path]))
            if path in done:
                return
            for below in graph.get(path, ()):
                visit(below, [*trail, path])
            done.add(path)

        for path in graph:
            visit(path, [])

    def test_no_stale_exemption(self):
        used = {(self.layers.room_of(p), self.layers.room_of(i))
                for p, t in tree.product().items() for _, i in tree.quoted_includes(t)}
        findings = [f"exempt {a} -> {b}: no file needs it any more" for a, b in self.layers.exempt if (a, b) not in used]
        for (source, target), reason in self.layers.exempt.items():
            record = re.search(r"ADR (\d{4})", reason)
            if not record or not any(p.startswith(f"docs/adr/{record.group(1)}") for p in tree.FILES):
                findings.append(f"exempt {source} -> {target}: \"{reason}\" names no file in docs/adr")
        self.none_of(findings, "stale exemptions in layers.txt")

    def test_no_stale_room(self):
        empty = [room for room in self.layers.allowed
                 if not any(self.layers.room_of(p) == room for p in tree.FILES)]
        self.none_of(empty, "rooms in layers.txt that hold no file")


class LibraryTest(Checks):
    """Each foreign library lives in one room."""

    def test_one_room_libraries(self):
        findings, used = [], set()
        for path, text in tree.product().items():
            for line, include in tree.system_includes(text):
                for prefix, rooms in LIBRARIES.items():
                    if not include.startswith(prefix):
                        continue
                    home = next((r for r in rooms if path == r or path.startswith(r + "/")), None)
                    if home is None:
                        findings.append(f"{path}:{line}: <{include}> belongs to {', '.join(rooms)}")
                    used.add((prefix, home))
        for prefix, rooms in LIBRARIES.items():
            findings += [f"LIBRARIES: {prefix} is no longer used in {room}" for room in rooms if (prefix, room) not in used]
        self.none_of(findings, "a library outside its room")

    def test_no_sql_outside_storage(self):
        findings = [f"{path}:{line}: {content.strip()[:60]!r}"
                    for path, text in tree.product().items() if not path.startswith(SQL_ROOMS)
                    for line, content in tree.string_literals(text) if SQL.search(content)]
        self.none_of(findings, "SQL belongs to storage/meta, storage/audit, storage/sql and migrations")


class ShapeTest(Checks):
    """Sizes and heads of files."""

    def test_file_size(self):
        findings = [f"{path}: {lines} lines" for path, text in tree.FILES.items()
                    if pathlib.PurePosixPath(path).suffix in tree.CODE_SUFFIXES
                    and (lines := text.count("\n")) > FILE_LINES_MAX]
        self.none_of(findings, f"files over {FILE_LINES_MAX} lines: split the room")

    def test_function_size(self):
        findings = []
        for path, text in tree.product().items():
            start = None
            for number, line in enumerate(text.splitlines(), 1):
                if start is None and line.endswith("{") and re.match(r"[\w:<>~\[]", line) \
                        and not re.match(r"(namespace|class|struct|enum|union|extern)\b", line):
                    start = number
                elif start is None and re.match(r"\S.*\(.*[^;{})]$", line):
                    continue
                elif line.startswith("}"):
                    if start and line == "}" and number - start - 1 > FUNCTION_LINES_MAX:
                        findings.append(f"{path}:{start}: {number - start - 1} lines")
                    start = None
        self.none_of(findings, f"functions over {FUNCTION_LINES_MAX} lines")

    def test_headers(self):
        findings = []
        for path, text in tree.files(".h").items():
            lines = text.splitlines()
            if not lines or not lines[0].startswith("//"):
                findings.append(f"{path}:1: a header opens with a comment stating its purpose")
            if "#pragma once" not in lines:
                findings.append(f"{path}: no #pragma once")
        self.none_of(findings, "headers")

    def test_format(self):
        version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=False) \
            if shutil.which("clang-format") else None
        if version is None or f"version {CLANG_FORMAT_MAJOR}." not in version.stdout:
            self.skipTest(f"clang-format {CLANG_FORMAT_MAJOR} is not installed, and others format otherwise")
        paths = list(tree.files(".cc", ".h"))
        checked = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=tree.ROOT, capture_output=True,
                                 text=True, check=False)
        findings = sorted({line.split(":")[0] for line in checked.stderr.splitlines() if "error:" in line})
        self.none_of(findings, "files to be formatted: git ls-files '*.cc' '*.h' | xargs clang-format -i")

    def test_cmake_size(self):
        lines = tree.FILES["CMakeLists.txt"].count("\n")
        self.assertLessEqual(lines, ROOT_CMAKE_LINES_MAX, "the root CMakeLists.txt is too long")

    def test_nothing_unfinished(self):
        findings = [f"{path}:{number}: {line.strip()[:80]}" for path, text in tree.FILES.items()
                    if pathlib.PurePosixPath(path).suffix in tree.CODE_SUFFIXES | {".txt"}
                    for number, line in enumerate(text.splitlines(), 1) if UNFINISHED.search(line)]
        self.none_of(findings, "unfinished work")

    def test_no_host_paths(self):
        findings = [f"{path}:{number}: {line.strip()[:90]}" for path, text in tree.FILES.items()
                    for number, line in enumerate(text.splitlines(), 1) if HOST_PATHS.search(line)]
        self.none_of(findings, "paths or hosts of one machine")


class DeadFileTest(Checks):
    """Nothing lies around unbuilt or unused."""

    def test_headers_are_included(self):
        included = {}
        for path, text in tree.files(".h", ".cc").items():
            for _, include in tree.quoted_includes(text):
                included.setdefault(include, set()).add(path)
        findings = []
        for path in tree.files(".h", under=tree.PRODUCT_FOLDERS + ("tests",)):
            own = path[:-2] + ".cc"
            users = included.get(path, set()) | included.get(pathlib.PurePosixPath(path).name, set())
            if not users - {own} and not (users and tree.files(".cc").get(own, "").find("int main") >= 0):
                findings.append(f"{path}: nobody but {own} includes it")
        self.none_of(findings, "unreferenced headers")

    def test_sources_are_built(self):
        findings = []
        for path in tree.files(".cc", under=tree.PRODUCT_FOLDERS):
            folder = pathlib.PurePosixPath(path).parent.as_posix()
            text = tree.FILES.get(f"{folder}/CMakeLists.txt", "")
            program = "mlops_program" in text or f"{pathlib.PurePosixPath(path).name}" in text
            if path.endswith("/main.cc") and not program or not path.endswith("/main.cc") and "mlops_room" not in text \
                    and pathlib.PurePosixPath(path).name not in text:
                findings.append(f"{path}: no target of {folder}/CMakeLists.txt builds it")
        self.none_of(findings, "unbuilt sources")

    def test_unit_tests_are_built(self):
        """tests/unit/CMakeLists.txt leaves out, silently, a folder that matches no room: so it is checked here."""
        findings = []
        for path in tree.files(".cc", under=("tests/unit",)):
            parts = pathlib.PurePosixPath(path).parts[2:]
            if len(parts) < 2:
                continue
            # tests/unit/cli/x_test.cc needs a target of its own; tests/unit/core/base/… is the room core/base.
            rooms = ["/".join(parts[:2]), parts[0]]
            named = any(f"{r}/CMakeLists.txt" in tree.FILES and "mlops_room" in tree.FILES[f"{r}/CMakeLists.txt"]
                        for r in rooms)
            if not named and pathlib.PurePosixPath(path).name not in tree.FILES.get("tests/unit/CMakeLists.txt", ""):
                findings.append(f"{path}: its folder mirrors no room, so it is never built")
            if not path.endswith("_test.cc") and "#include" in tree.FILES[path] and "TEST_CASE" in tree.FILES[path]:
                findings.append(f"{path}: test cases outside *_test.cc are not built")
        self.none_of(findings, "unit tests that nobody runs")


class ScriptTest(Checks):
    """Scripts parse."""

    def test_python_syntax(self):
        findings = []
        for path, text in tree.FILES.items():
            if path.endswith(".py") or re.match(r"#!.*\bpython3?\b", text):
                try:
                    ast.parse(text, path)
                except SyntaxError as error:
                    findings.append(f"{path}:{error.lineno}: {error.msg}")
        self.none_of(findings, "python syntax")

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_shell_syntax(self):
        findings = []
        for path, text in tree.FILES.items():
            if path.endswith((".sh", ".bash")) or re.match(r"#!.*\b(ba)?sh\b", text):
                done = subprocess.run(["bash", "-n", str(tree.ROOT / path)], capture_output=True, text=True)
                if done.returncode:
                    findings.append(f"{path}: {done.stderr.strip().splitlines()[0]}")
        self.none_of(findings, "shell syntax")

    def test_scripts_are_executable(self):
        findings = [path for path, text in tree.FILES.items()
                    if text.startswith("#!") and not (tree.ROOT / path).stat().st_mode & 0o100]
        self.none_of(findings, "files with a #! line that cannot be executed")


class DocumentTest(Checks):
    """Documents say what is so."""

    def test_links_resolve(self):
        findings = []
        for path, text in tree.files(".md").items():
            folder = (tree.ROOT / path).parent
            for link in re.findall(r"(?<!\\)\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", tree.without_fences(text)):
                if re.match(r"[a-z][a-z0-9+.-]*:", link):
                    continue
                target, _, anchor = link.partition("#")
                file = (folder / target).resolve() if target else tree.ROOT / path
                if not file.exists():
                    findings.append(f"{path}: {link} does not exist")
                elif anchor and file.suffix == ".md" and anchor not in tree.markdown_anchors(file.read_text()):
                    findings.append(f"{path}: {link} has no such heading")
        self.none_of(findings, "broken links")

    def test_required_documents(self):
        needed = ("README.md", "docs/ARCHITECTURE.md", "docs/STYLE.md", "docs/PERFORMANCE.md", "docs/format/wire.md")
        missing = [path for path in needed if path not in tree.FILES]
        if not any(path.startswith("docs/adr/0001") for path in tree.FILES):
            missing.append("docs/adr/0001-….md")
        self.none_of(missing, "documents that must exist")

    def test_every_route_is_documented(self):
        rows = set()
        for text in tree.files(".cc", under=("daemon",)).values():
            for method, pattern in re.findall(r"Method::k(\w+),\s*\"(/[^\"]*)\"", text):
                rows.add((method.upper(), re.sub(r"\{[^}]*\}", "{}", pattern)))
        self.assertGreater(len(rows), 30, "the route table was not found in daemon/")
        documented = documented_routes(tree.FILES["docs/format/wire.md"])
        findings = [f"{m} {p}: a route, but not in docs/format/wire.md" for m, p in sorted(rows - documented)]
        findings += [f"{m} {p}: in docs/format/wire.md, but no route" for m, p in sorted(documented - rows)]
        self.none_of(findings, "routes and their documentation differ")

    def test_threats_have_their_tests(self):
        """Every row of docs/threats.md names tests that exist, or why there is none; numbers run without a gap."""
        rows = re.findall(r"^\| (\d+) \|(.*)\|$", tree.FILES["docs/threats.md"], re.MULTILINE)
        self.assertEqual([int(number) for number, _ in rows], list(range(1, 45)), "rows of docs/threats.md")
        findings = []
        for number, row in rows:
            cell = row.split(" | ")[-1].strip()
            named = re.findall(r"`([^`]+)`: `([^`]+)`", cell)
            if bool(named) == cell.startswith("does not apply: ") or len(named) != cell.count("`: `"):
                findings.append(f"docs/threats.md: {number} names neither tests nor a reason")
            for path, case in named:
                text = tree.FILES.get("tests/" + path)
                known = f"def {case}(" if path.endswith(".py") else f'TEST_CASE("{case}")'
                if text is None or known not in text:
                    findings.append(f"docs/threats.md: {number}: tests/{path} has no case \"{case}\"")
        self.none_of(findings, "threats without a test")

    def test_layer_table_is_documented(self):
        text = tree.FILES.get("docs/ARCHITECTURE.md", "")
        rooms = tree.Layers(tree.FILES["tests/tidy/layers.txt"]).allowed
        missing = [room for room in rooms if room not in text and room.split("/")[-1] not in text]
        self.none_of(missing, "rooms that docs/ARCHITECTURE.md does not mention")


def documented_routes(text):
    """{(method, pattern with {} for each parameter)} of the first column of the route table.

    "GET /livez, /readyz" are two routes; "/plans/{id}/approve, /reject" replaces the last segment.
    """
    out = set()
    for method, cell in re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) ([^|]+)\|", text, re.MULTILINE):
        previous = ""
        for word in re.sub(r"[⏱∅]", "", cell).split(","):
            pattern = word.strip().split("?")[0]
            if previous and pattern.count("/") == 1 and previous.startswith("/api/"):
                pattern = previous.rsplit("/", 1)[0] + pattern
            previous = pattern
            out.add((method, re.sub(r"\{[^}]*\}", "{}", pattern)))
    return out


if __name__ == "__main__":
    unittest.main()
