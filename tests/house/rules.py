#!/usr/bin/env python3
"""House rules that no compiler checks: rules.py TREE, or rules.py --self-test, which plants one breach of each.

Prints path:line: reason for every breach; exit 1 if there is any.
"""
import pathlib
import re
import sys
import tempfile

LINES_MAX = 800
CODE = {".h", ".cc"}
TEXT = CODE | {".ts", ".css", ".cmake", ".txt", ".json", ".yml", ".yaml", ".md", ".py", ".sh", ".go", ".capnp", ".toml", ""}
OUTSIDE = {"build", ".git", "node_modules", "__pycache__", "siegel-data", "siegel-data.root", "siegel-data.outside"}
# Third parties meet one module each; tests/support may look below.
OWNERS = {"openssl/": ["src/crypto"], "rocksdb/": ["src/store"], "capnp/": ["src/codec"], "kj/": ["src/codec"],
          "boost/": ["src/http"], "librdkafka/": ["src/bus"], "prometheus/": ["src/app"], "spdlog/": ["src/app"], "toml++/": ["src/app"], "simdjson": ["src/codec", "src/http"],
          "minizip/": ["src/sheet", "bench"], "expat.h": ["src/sheet"], "unicode/": ["src/sheet", "src/search"],
          "CLI/": ["src/ctl", "src/app"], "curl/": ["src/mail", "src/ctl"]}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# Written in pieces, so that this file does not breach its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|Users|work|mnt)/[a-z]")
TAG = re.compile(r"\[((?:[A-Z]{1,2}-\d{2})|(?:[A-Z]\d{1,2}))\]")
CASE_NAME = re.compile(r'^TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', re.M)
# Lists of CMake end at a semicolon, and the others mean something in Catch2's filters: such a case would not be run.
CASE_NAME_BAD = re.compile(r"[;\\\[\]]|^[~!*]|\*$")
SHOWN = "docs/requirements-shown.md"
SHOWN_ROW = re.compile(r"^\| *([A-Z]{1,2}-?\d{1,2}) *\|")
VENDOR = "src/pages/vendor/"  # others' work, as it is
MOUNTED = {"tests/fresh/run"}  # builds below /work of its own root


def files(tree):
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree)
        if path.is_file() and not path.is_symlink() and relative.parts[0] not in OUTSIDE and "__pycache__" not in relative.parts:
            yield relative


def owner_breach(name, included):
    for prefix, owners in OWNERS.items():
        if included.startswith(prefix) and not any(name.startswith(owner + "/") for owner in owners):
            return f"<{included}> belongs to {' and '.join(owners)}"
    return None


def check_line(name, line, is_code):
    if UNFINISHED.search(line):
        yield "unfinished work is an issue, not a comment"
    if MACHINE_PATH.search(line) and name not in MOUNTED:
        yield "a path of one machine"
    include = INCLUDE.match(line) if is_code and name.startswith(("src/", "projections/", "bench/")) else None
    if include:
        breach = owner_breach(name, include.group(1))
        if breach:
            yield breach


def check_case_names(name, text):
    for found in CASE_NAME.finditer(text):
        title = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(1)))
        if CASE_NAME_BAD.search(title):
            yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: ctest would not run a case of this name"


def check(tree):
    breaches, tags, shown = [], {}, {}
    for relative in files(tree):
        name = relative.as_posix()
        if relative.suffix not in TEXT:
            continue
        try:
            lines = (tree / relative).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        is_code = relative.suffix in CODE
        if name.startswith(VENDOR):
            continue
        if is_code and name.startswith("tests/"):
            breaches += check_case_names(name, "\n".join(lines))
        if is_code and len(lines) > LINES_MAX:
            breaches.append(f"{name}:{LINES_MAX + 1}: more than {LINES_MAX} lines")
        for number, line in enumerate(lines, 1):
            breaches += [f"{name}:{number}: {reason}" for reason in check_line(name, line, is_code)]
            if name.startswith("tests/") and not name.startswith("tests/house/"):
                for tag in TAG.findall(line):
                    tags.setdefault(tag, f"{name}:{number}")
            if name == SHOWN and SHOWN_ROW.match(line):
                shown[SHOWN_ROW.match(line).group(1)] = f"{name}:{number}"
    breaches += [f"{where}: {tag} is not in {SHOWN}" for tag, where in tags.items() if tag not in shown]
    breaches += [f"{where}: no test carries [{tag}]" for tag, where in shown.items() if tag not in tags]
    return breaches


def self_test():
    planted = {
        "src/base/long.cc": ("\n" * (LINES_MAX + 1), "more than"),
        "src/base/later.cc": ("// TO" "DO\n", "unfinished"),
        "docs/page.md": ("see /ho" "me/somebody\n", "one machine"),
        "src/model/hash.cc": ("#include <openssl/evp.h>\n", "belongs to src/crypto"),
        "tests/unit/a_test.cc": ('TEST_CASE("x", "[unit][Q9]")\n', "Q9 is not in"),
        "tests/unit/b_test.cc": ('TEST_CASE("one thing; "\n          "another")\n', "would not run"),
        SHOWN: ("| F1 | vectors |\n", "no test carries [F1]"),
    }
    clean = {"src/crypto/hash.cc": "#include <openssl/evp.h>\n", "src/base/whole.cc": "// a cosy home\n"}
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name)
        for path, text in [*((p, t) for p, (t, _) in planted.items()), *clean.items()]:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        found = check(tree)
        missed = [path for path, (_, reason) in planted.items() if not any(reason in breach for breach in found)]
        if missed or len(found) != len(planted):
            sys.exit(f"rules: the self-test missed {missed}; found {found}")


def main():
    if sys.argv[1] == "--self-test":
        self_test()
        return
    breaches = check(pathlib.Path(sys.argv[1]).resolve())
    if breaches:
        sys.exit("\n".join(breaches))


main()
