"""The hex examples of docs/formats are the golden fixtures: each block under a line that names a fixture is held against it.

In a block, bytes end where two spaces begin; "…" stands for bytes left out. A block for several fixtures has a name before
each ("key", "body", "row"), and one of several lines may leave out what is between and behind them.
"""
import pathlib
import re
import sys

BLOCK = re.compile(r"\n([^\n]*\.hex`[^\n]*)\n\n```\n(.*?)\n```\n", re.DOTALL)
LABEL = re.compile(r"(?:key|body|row) +|\s+")


def pattern(lines, left_out):
    """What the lines allow, as a regular expression over the hex of the fixture; left_out: what may follow a line."""
    given = [re.split(r" {2,}", line.strip(), maxsplit=1)[0].replace(" | ", " ") for line in lines]
    return re.compile("".join(re.sub("…", "[0-9a-f]*", text.replace(" ", "")) + left_out for text in given))


def groups(block):
    """The lines of each fixture, without the name before them."""
    found = []
    for line in block.splitlines():
        label = LABEL.match(line)
        if not found or (label and not label[0].isspace()):
            found.append([])
        found[-1].append(line[label.end():] if label else line)
    return found


def check(page, fixtures):
    """The number of examples of a page and what is wrong with them."""
    wrong, count = [], 0
    for said, block in BLOCK.findall(page):
        names = re.findall(r"([a-z-]+\.hex)`", said)
        parts = groups(block)
        if len(parts) != len(names):
            wrong.append(f"{names}: {len(parts)} examples")
            continue
        for name, lines in zip(names, parts):
            count += 1
            whole = "".join((fixtures / name).read_text().split())
            if not pattern(lines, "[0-9a-f]*" if len(names) > 1 and len(lines) > 1 else "").fullmatch(whole):
                wrong.append(f"{name}: the example is not the fixture")
    return count, wrong


def main(tree):
    total, faults = 0, []
    for path in sorted((tree / "docs" / "formats").glob("*.md")):
        page, fixtures = path.read_text(), tree / "tests" / "golden" / ("keys-v1" if path.stem == "keys" else "codec-v1")
        count, wrong = check(page, fixtures)
        total += count
        faults += [f"{path.name}: {one}" for one in wrong]
        for said, block in BLOCK.findall(page):  # a digit changed in the page has to be found
            at = re.search(r"[0-9a-f]{8}", block)
            bent = block[:at.start()] + ("0" if block[at.start()] != "0" else "1") + block[at.start() + 1:]
            if not check(f"\n{said}\n\n```\n{bent}\n```\n", fixtures)[1]:
                faults.append(f"{path.name}: a change of {said} is not found")
    if total < 9:
        faults.append(f"only {total} examples found")
    print("\n".join(faults) or f"{total} examples are their fixtures")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
