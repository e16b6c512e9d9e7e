#!/usr/bin/env python3
"""Writes policies/detect/fold_table.cc: which characters vanish or become ASCII in the plain shadow of a text.

    tools/fold_table.py > policies/detect/fold_table.cc

Sources: the Unicode character database inside Python's `unicodedata` module (categories, decompositions, digits, names;
Unicode licence, no part of it is copied into the repository beyond what the table states), and LOOKALIKES below, written
for this project: letters of other scripts whose usual glyph is that of an ASCII letter, after the idea of UTS #39.
"""

import re
import sys
import unicodedata

LAST = 0x10FFFF
HANGUL = range(0xAC00, 0xD7A4)
# Compatibility ideographs and Arabic words: nothing an identifier is written with.
SKIPPED = [HANGUL, range(0xF900, 0xFB00), range(0x2F800, 0x2FA20), range(0xFBD3, 0xFE00)]

LOOKALIKES = {
    # Cyrillic
    "АВЕЅІЈКМНОРСТУҮХԚԜӀѴ": "ABESIJKMHOPCTYYXQWIV", "аеорсухүѕіјһԁԛԝѵӏ": "aeopcyxysijhdqwvl",
    # Greek
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ": "ABEZHIKMNOPTYXCJ", "αινορυϲϳ": "aivopucj",
    # Armenian
    "ՏԼՕՍհոսօցզգյ": "SLOUhnuogqqj",
    # Cherokee
    "ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏃᏎᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏴᏮ": "DRTiAJEWMHYGZ4bRWSVSLCPKdB6",
    # Lisu
    "ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ": "BPDTGKJCZFMNLSRVHWXYAEIOU",
    # Coptic
    "ⲀⲂⲎⲒⲔⲘⲚⲞⲢⲤⲦⲬⲟⲣⲥⲭ": "ABHIKMNOPCTXopcx",
    # Latin letters without a name that says so
    "ıȷɑɡɩʋſƖ": "ijagivsl",
    # dashes, beside category Pd
    "˗⁃−─━➖ー۔": "--------",
    # quotes, blanks, stops, slashes, colons
    "‘’‚‛′‵ʹʼʽʻˈ´‹›": "''''''''''''''", "“”„‟″‶ʺ«»": '"""""""""',
    "\u2800\u2028\u2029\u0085": " \n\n\n", "․·‧٫。｡": "......", "٬،": ",,", "⁄∕⧸╱": "////", "∖⧵╲": "\\\\\\", "∶ː։׃": "::::",
    "＠﹫": "@@", "ǀ∣": "||",
}
# Younger than the database of Python 3.11: zeros of decimal digits, capital letters in a row, format characters.
YOUNGER_ZEROS = [0x10D40, 0x116D0, 0x116DA, 0x11BF0, 0x11DE0, 0x11F50, 0x16D70, 0x1CCF0, 0x1E4F0, 0x1E5F1]
YOUNGER_LETTERS = 0x1CCD6
YOUNGER_FORMATS = range(0x13439, 0x13440)
SINGLE_LETTER = re.compile(r"LATIN (SMALL|CAPITAL) LETTER ([A-Z])( WITH .*)?$")
SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z])$")
EMBLEM = re.compile(r"(?:NEGATIVE |PARENTHESIZED |CIRCLED |SQUARED |CROSSED )*(?:LATIN (SMALL|CAPITAL) LETTER|"
                    r"REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])$")
VULGAR = re.compile(r"VULGAR FRACTION|FRACTION NUMERATOR")

lookalikes = {}
for source, target in LOOKALIKES.items():
    assert len(source) == len(target), (source, target)
    lookalikes.update(zip(source, target))


def vanishes(c):
    """Invisible, or a mark on the letter before it: format characters, marks, controls, unassigned ignorables."""
    code = ord(c)
    if 0x80 <= code < 0xA0 and code != 0x85:
        return True
    if code in (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2065) or 0xFFF0 <= code <= 0xFFF8 or 0xE0000 <= code <= 0xE0FFF:
        return True
    return code in YOUNGER_FORMATS or unicodedata.category(c) in ("Cf", "Mn", "Me")


def by_itself(c):
    """The ASCII character of one code point without decomposing it, or None."""
    if c in lookalikes:
        return lookalikes[c]
    for zero in YOUNGER_ZEROS:
        if 0 <= ord(c) - zero < 10:
            return str(ord(c) - zero)
    if 0 <= ord(c) - YOUNGER_LETTERS < 26:
        return chr(ord("A") + ord(c) - YOUNGER_LETTERS)
    category = unicodedata.category(c)
    if category == "Pd":
        return "-"
    if category == "Zs":
        return " "
    digit = unicodedata.digit(c, None)
    if digit is not None:
        return str(digit)
    name = unicodedata.name(c, "")
    if match := SINGLE_LETTER.match(name) or EMBLEM.match(name):
        letter = match.group(2)
        return letter.lower() if match.group(1) == "SMALL" else letter
    if match := SMALL_CAPITAL.match(name):
        return match.group(1).lower()
    return None


def folded(c):
    """What a code point becomes: None when it stays, "" when it vanishes."""
    if any(ord(c) in block for block in SKIPPED) and not vanishes(c):
        return None
    if vanishes(c):
        return ""
    if (one := by_itself(c)) is not None:
        return one
    if VULGAR.search(unicodedata.name(c, "")):
        return None
    parts = [p for p in unicodedata.normalize("NFKD", c) if not vanishes(p)]
    if not parts or "".join(parts) == c:
        return None
    out = "".join(p if p < "\x80" else by_itself(p) or p for p in parts)
    if unicodedata.category(c) == "No" and (digits := re.sub(r"[^0-9]", "", out)):
        return digits  # a numbered bullet is its number
    canonical = not unicodedata.decomposition(c).startswith("<")
    return out if out.isascii() or (canonical and len(out) == 1) else None


def quoted(text):
    out = ""
    for c in text:
        if c in '"\\':
            out += "\\" + c
        elif c == "\n":
            out += "\\n"
        elif 0x20 <= ord(c) < 0x7F:
            out += c
        else:
            out += "".join(f"\\{byte:03o}" for byte in c.encode())
    return f'"{out}"'


def rows(items):
    """Items after one another, as many a line as fit."""
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 118:
            print(line)
            line = "   "
        line += f" {item},"
    if line.strip():
        print(line)


def main():
    dropped, runs, sequences = [], [], []
    for code in range(0x80, LAST + 1):
        if 0xD800 <= code < 0xE000:
            continue
        target = folded(chr(code))
        if target is None:
            continue
        if target == "":
            if dropped and dropped[-1][1] == code - 1:
                dropped[-1][1] = code
            else:
                dropped.append([code, code])
        elif len(target) == 1 and target < "\x80":
            if runs and runs[-1][0] + len(runs[-1][1]) == code and len(runs[-1][1]) < 80:
                runs[-1][1] += target
            else:
                runs.append([code, target])
        else:
            sequences.append([code, target])
    print("// Written by tools/fold_table.py from the Unicode character database "
          f"{unicodedata.unidata_version}; do not edit.")
    print('#include "policies/detect/fold_table.h"\n\nnamespace mlops::detect {\nnamespace {\n')
    print("// clang-format off")
    print("constexpr FoldRange kDropped[] = {")
    rows(f"{{0x{a:X}, 0x{b:X}}}" for a, b in dropped)
    print("};\n\nconstexpr FoldRun kRuns[] = {")
    rows(f"{{0x{code:X}, {quoted(text)}}}" for code, text in runs)
    print("};\n\nconstexpr FoldRun kSequences[] = {")
    rows(f"{{0x{code:X}, {quoted(text)}}}" for code, text in sequences)
    print("};\n// clang-format on\n\n}  // namespace\n")
    for name, kind, table in (("dropped", "FoldRange", "kDropped"), ("runs", "FoldRun", "kRuns"),
                              ("sequences", "FoldRun", "kSequences")):
        print(f"std::span<const {kind}> fold_{name}() {{\n  return {table};\n}}")
    print("\n}  // namespace mlops::detect")
    print(f"{len(dropped)} ranges, {len(runs)} runs, {len(sequences)} sequences", file=sys.stderr)


if __name__ == "__main__":
    main()
