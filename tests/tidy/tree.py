"""The source tree as tidy_test.py sees it: which files there are, their includes and their string literals."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", "build", ".mlops-demo", "__pycache__", "third_party"}
PRODUCT_FOLDERS = ("core", "storage", "policies", "daemon", "cli")
CODE_SUFFIXES = {".h", ".cc", ".py", ".sh", ".sql", ".cmake"}


def _walk(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED_FOLDERS and not path.is_symlink():
                yield from _walk(path)
        elif path.is_file():
            yield path


def relative(path):
    return path.relative_to(ROOT).as_posix()


def text_files():
    """Every file of the repository that is UTF-8 text, as {relative path: text}."""
    out = {}
    for path in _walk(ROOT):
        raw = path.read_bytes()
        if b"\0" in raw[:8192]:
            continue
        try:
            out[relative(path)] = raw.decode()
        except UnicodeDecodeError:
            continue
    return out


FILES = text_files()


def files(*suffixes, under=("",)):
    """{path: text} of the files with one of the suffixes below one of the folders."""
    return {p: t for p, t in FILES.items()
            if pathlib.PurePosixPath(p).suffix in suffixes and any(p.startswith(u + "/") or not u for u in under)}


def product():
    return files(".h", ".cc", under=PRODUCT_FOLDERS)


def quoted_includes(text):
    """[(line, "core/base/x.h")] of the includes in quotes."""
    return [(n, m.group(1)) for n, line in enumerate(text.splitlines(), 1)
            if (m := re.match(r'\s*#\s*include\s+"([^"]+)"', line))]


def system_includes(text):
    return [(n, m.group(1)) for n, line in enumerate(text.splitlines(), 1)
            if (m := re.match(r"\s*#\s*include\s+<([^>]+)>", line))]


# Comments go, literals stay, in one pass: whichever begins first wins.
_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^ ()\\\n]{0,16})\((?P<raw>.*?)\)(?P=tag)"'
                     r"|\"(?P<text>(?:[^\"\\\n]|\\.)*)\"|'(?:[^'\\\n]|\\.)+'", re.DOTALL)


def string_literals(text):
    """[(line, content)] of the C++ string literals, comments and include lines left out."""
    out = []
    for match in _TOKENS.finditer(text):
        content = match.group("raw") if match.group("raw") is not None else match.group("text")
        if content is None:
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start:match.start()].lstrip().startswith("#"):
            continue
        out.append((text.count("\n", 0, match.start()) + 1, content))
    return out


def markdown_anchors(text):
    """The anchors that headings get on the usual forges."""
    out = set()
    for line in without_fences(text).splitlines():
        if match := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
            words = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", lambda m: m.group(1) or "", match.group(1)).lower()
            out.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return out


def without_fences(text):
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)


class Layers:
    """layers.txt: rooms, what each may include, and the exemptions."""

    def __init__(self, text):
        self.allowed, self.exempt = {}, {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].strip() if line.lstrip().startswith("#") else line.strip()
            if not line:
                continue
            if match := re.fullmatch(r"exempt\s+(\S+)\s+->\s+(\S+)\s+(.+)", line):
                self.exempt[(match.group(1), match.group(2))] = match.group(3)
            elif match := re.fullmatch(r"([\w/]+):\s*(.*)", line):
                self.allowed[match.group(1)] = match.group(2).split()
            else:
                raise ValueError(f"layers.txt:{number}: neither a room nor an exemption: {line}")
        for room, words in self.allowed.items():
            self.allowed[room] = {r for word in words for r in self._expand(word)}

    def _expand(self, word):
        if not word.endswith("/*"):
            return [word]
        return [room for room in self.allowed if room.startswith(word[:-1])]

    def room_of(self, path):
        fitting = [room for room in self.allowed if path.startswith(room + "/")]
        return max(fitting, key=len) if fitting else None
