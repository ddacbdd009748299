#!/usr/bin/env python3
"""Every test case that is written is compiled, and every one that is compiled is run: cases.py BUILD_DIR TREE.

ctest learns the cases from the programs, through lists of CMake, where a name can get lost. Programs that are not built
are passed over: ./test LABEL builds some only.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

CASE = re.compile(r'^TEST_CASE\(\s*"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*\s*(?:,\s*"([^"]*)")?', re.M)
TARGET = re.compile(r"CMakeFiles/(test_\w+)\.dir/")


def sources(build, tree):
    """By target, from what the build compiles."""
    of = collections.defaultdict(list)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        target = TARGET.search(entry.get("output") or entry["command"])
        path = pathlib.Path(entry["file"])
        if target and path.is_relative_to(tree / "tests"):
            of[target.group(1)].append(path)
    return of


def listed_by_ctest(build):
    found = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"], check=True, capture_output=True)
    counts = collections.Counter()
    for test in json.loads(found.stdout)["tests"]:
        if test.get("command"):
            counts[pathlib.Path(test["command"][0]).name] += 1
    return counts


def main():
    build, tree = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    of, listed, breaches, cases = sources(build, tree), listed_by_ctest(build), [], 0
    compiled = {path for paths in of.values() for path in paths}
    for path in sorted((tree / "tests").rglob("*_test.cc")):
        if path not in compiled:
            breaches.append(f"{path.relative_to(tree)}: no test program is made of it")
    for target, paths in sorted(of.items()):
        program = next((p for p in (build / "tests").glob(f"*/{target}") if p.is_file()), None)
        if program is None:
            continue
        written = 0
        for path in paths:
            text = path.read_text(encoding="utf-8")
            found = CASE.findall(text)
            if len(found) != len(re.findall(r"^TEST_CASE\(", text, re.M)):
                breaches.append(f"{path.relative_to(tree)}: a TEST_CASE that this check cannot read")
            written += sum(not tags.startswith("[.") for tags in found)
        # One case of a template is several for ctest: there only the lost ones can be counted.
        templates = any("TEMPLATE_TEST_CASE(" in path.read_text(encoding="utf-8") for path in paths)
        if listed[target] < written or (listed[target] > written and not templates):
            breaches.append(f"{target}: {written} cases are written, ctest runs {listed[target]}")
        cases += written
    if breaches:
        sys.exit("\n".join(breaches))
    if cases == 0:
        sys.exit("no test program is built")
    print(f"{cases} cases")


main()
