#!/usr/bin/env python3
"""Any table that openpyxl, odfpy or Python's csv writes is read back equal: sheet_written_test.py SHEET_ROWS [SEEDS].

Each seed makes one table of texts, numbers, dates, times and truth values, with gaps, and writes it in each format.
"""
import csv
import datetime
import decimal
import io
import json
import random
import subprocess
import sys
import tempfile

import odf.opendocument
import odf.table
import odf.text
import openpyxl

PROGRAM = sys.argv[1]
SEEDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
LETTERS = "abcXYZ äöüß€,;|\t\"'=<>&0123456789._-\n🦭東"


def text(rng):
    # "_x0041_" would be an escaped character to any reader; openpyxl does not escape it.
    out = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(1, 12)))
    return "'" + out if out.startswith("=") else out  # otherwise openpyxl takes it for a formula


def sixteen(value):
    return float(f"{value:.16g}")  # more digits openpyxl does not write


def number(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randrange(-10**15, 10**15)
    if kind == 1:
        return sixteen(rng.uniform(-1e6, 1e6))
    if kind == 2:
        return sixteen(rng.random() * 10.0 ** rng.randrange(-12, 20))
    return round(rng.uniform(-1e5, 1e5), 2)


def spelled(value):
    """Digits, sign and point of the number; shortest."""
    out = format(decimal.Decimal(repr(value)), "f")
    out = out.rstrip("0").rstrip(".") if "." in out else out
    return "0" if out == "-0" else out


def moment(rng):
    at = datetime.datetime(1900, 3, 1) + datetime.timedelta(seconds=rng.randrange(250_000_000_000 // 100))
    return at.replace(microsecond=rng.choice([0, 0, 500_000, 250_000, 125_000]))


def clock(value):
    seconds = int(value.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def stamp(value):
    return value.strftime("%Y-%m-%dT%H:%M:%S") + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "")


def cell(rng):
    """(value, as the reader gives it)"""
    kind = rng.randrange(8)
    if kind < 2:
        return None, None
    if kind < 4:
        value = text(rng)
        return value, value
    if kind == 4:
        value = number(rng)
        return value, {"number": spelled(value)}
    if kind == 5:
        value = rng.random() < 0.5
        return value, {"boolean": str(value).lower()}
    if kind == 6:
        value = moment(rng)
        if rng.random() < 0.5:
            return value.date(), {"date": value.date().isoformat()}
        return value, {"datetime": stamp(value)}
    value = datetime.timedelta(seconds=rng.randrange(200_000))
    return value, {"time": clock(value)}


def table(rng):
    columns = rng.randrange(1, 9)
    return [[cell(rng) for _ in range(columns)] for _ in range(rng.randrange(1, 30))]


def expected(rows):
    out = []
    for number_of_row, row in enumerate(rows, 1):
        cells = list(row)
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            out.append({"row": number_of_row, "cells": cells})
    return out


def read(content, options):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return json.loads(subprocess.run([PROGRAM, file.name, json.dumps(options)], check=True, capture_output=True).stdout)


def check(name, seed, content, wanted, options=None):
    got = read(content, options or {})
    if got.get("error") or got["rows"] != wanted:
        different = [(w, g) for w, g in zip(wanted, got["rows"]) if w != g][:1]
        sys.exit(f"{name}, seed {seed}: {len(wanted)} and {len(got['rows'])} rows, {got.get('error')}, {different}")


def as_xlsx(rows, strings_inline):
    book = openpyxl.Workbook(write_only=strings_inline)
    page = book.create_sheet("Daten") if strings_inline else book.active
    for row in rows:
        page.append([value for value, _ in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods_cell(value):
    kinds = {bool: "boolean", int: "float", float: "float", str: "string", datetime.date: "date", datetime.datetime: "date", datetime.timedelta: "time"}
    if value is None:
        return odf.table.TableCell()
    kind = kinds[type(value)]
    if kind == "string":
        out = odf.table.TableCell(valuetype=kind)
        for line in value.split("\n"):
            paragraph = odf.text.P()
            for at, piece in enumerate(line.split("\t")):
                if at:
                    paragraph.addElement(odf.text.Tab())
                for space, word in enumerate(piece.split(" ")):
                    if space:
                        paragraph.addElement(odf.text.S(c=1))
                    paragraph.addText(word)
            out.addElement(paragraph)
        return out
    if kind == "boolean":
        return odf.table.TableCell(valuetype=kind, booleanvalue=str(value).lower())
    if kind == "date":
        return odf.table.TableCell(valuetype=kind, datevalue=stamp(value) if isinstance(value, datetime.datetime) else value.isoformat())
    if kind == "time":
        hours, minutes, seconds = clock(value).split(":")
        return odf.table.TableCell(valuetype=kind, timevalue=f"PT{hours}H{minutes}M{seconds}S")
    return odf.table.TableCell(valuetype=kind, value=repr(value))


def as_ods(rows):
    document = odf.opendocument.OpenDocumentSpreadsheet()
    page = odf.table.Table(name="Daten")
    for row in rows:
        line = odf.table.TableRow()
        for value, _ in row:
            line.addElement(ods_cell(value))
        page.addElement(line)
    document.spreadsheet.addElement(page)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def check_texts(rng, seed):
    columns = rng.randrange(2, 7)
    rows = [[text(rng) for _ in range(columns)] for _ in range(rng.randrange(3, 20))]
    for delimiter in ";,\t|":
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            out = io.StringIO(newline="")
            csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(["\r\n", "\n"])).writerows(rows)
            got = read(out.getvalue().encode(encoding), {"delimiter": delimiter})
            if got.get("error") or [row["cells"] for row in got["rows"]] != rows:
                sys.exit(f"text {delimiter!r} {encoding}, seed {seed}:\n  wanted {rows}\n  got    {got}")
    plain = [["Name", "Ort", "Notiz"], *([f"N{n}", text(rng), text(rng)] for n in range(5))]
    for delimiter in ";\t|,":
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(plain)
        got = read(out.getvalue().encode(), {})
        if got["delimiter"] != delimiter or [row["cells"] for row in got["rows"]] != plain:
            sys.exit(f"found delimiter {delimiter!r}, seed {seed}:\n  wanted {plain}\n  got    {got}")


def main():
    for seed in range(SEEDS):
        rng = random.Random(seed)
        rows = table(rng)
        wanted = expected([[shown for _, shown in row] for row in rows])
        for inline in (False, True):
            check(f"openpyxl, write-only {inline}", seed, as_xlsx(rows, inline), wanted)
        check("odfpy", seed, as_ods(rows), wanted)
        check_texts(rng, seed)
    print(f"{SEEDS} tables in each format")


main()
