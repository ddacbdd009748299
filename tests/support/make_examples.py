#!/usr/bin/env python3
"""Writes the workbooks of docs/examples as people keep them: make_examples.py DIR, or --check DIR.

contacts.xlsx    the people of contacts.csv below a heading, with real dates, amounts, postcodes that only a number
                 format keeps whole, a second sheet, and spaces that nobody sees; each row can be taken in
applicants.xlsx  70 applicants: header of two lines, empty rows, salaries with a unit, an e-mail address that is none
suppliers.xlsx   40 suppliers' contact persons: one twice, numbers with leading zeros, a sum below the table

Always the same people, all made up: domains of RFC 2606, telephone numbers that the German regulator keeps for films.
--check reads what stands in DIR and compares every cell, width and format with what would be written.
"""
import datetime
import pathlib
import random
import sys
import tempfile

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

import make_contacts as people

HEAD = PatternFill("solid", fgColor="DDEBF7")
POSTCODE, MONEY, DATE = "00000", "#,##0.00", "DD.MM.YYYY"


def workbook(title):
    book = openpyxl.Workbook()
    book.properties.creator = "Siegel"
    book.properties.created = book.properties.modified = datetime.datetime(2026, 1, 1)
    book.active.title = title
    return book, book.active


def header(sheet, row, titles, widths):
    for column, (title, width) in enumerate(zip(titles, widths), 1):
        cell = sheet.cell(row, column, title)
        cell.font, cell.fill = Font(bold=True), HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = sheet.cell(row + 1, 1)


def put(sheet, row, values):
    """A value, or (value, number format)."""
    for column, value in enumerate(values, 1):
        value, form = value if isinstance(value, tuple) else (value, None)
        if value in ("", None):
            continue
        cell = sheet.cell(row, column, value)
        if form:
            cell.number_format = form


def date_of(text):
    return (datetime.datetime.strptime(text, "%d.%m.%Y").date(), DATE) if text else None


def contacts():
    book, sheet = workbook("Kontakte")
    sheet["A1"] = "Kontakte der Kundenbetreuung"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A2"] = "Stand: 12.01.2026, bitte nicht per E-Mail weitergeben"
    header(sheet, 4, ["Name", "E-Mail", "Telefon", "Straße", "PLZ", "Ort", "Geboren", "Kundennummer", "Umsatz", "Newsletter", "Notiz"],
           [24, 36, 18, 26, 8, 16, 12, 14, 14, 11, 40])
    rng = random.Random(20251231)  # as contacts.csv
    for number in range(1, people.ROWS + 1):
        name, mail, phone, street, plz, place, born, customer, revenue, newsletter, note = people.person(rng, number)
        money = (float(revenue.replace(".", "").replace(",", ".")), MONEY) if revenue else None
        put(sheet, 4 + number, [name + (" " if number % 17 == 0 else ""), mail.upper() if number % 41 == 0 else mail, phone, street,
                                (int(plz), POSTCODE), place, date_of(born), (int(customer), "000000"), money, newsletter, note])
    notes = book.create_sheet("Hinweise")
    notes["A1"] = "Die Liste führt die Kundenbetreuung. Änderungen bitte melden."
    return book


def applicants():
    book, sheet = workbook("Bewerbungen 2026")
    sheet.merge_cells("A1:K1")
    sheet["A1"] = "Bewerbungen – vertraulich"
    header(sheet, 2, ["Bewerbungs-\nnummer", "Vorname", "Nachname", "E-Mail", "Telefon", "Geburtsdatum", "Stelle", "Eingang", "Gehaltswunsch", "Führerschein",
                      "Bemerkung"], [12, 14, 18, 34, 18, 13, 24, 12, 14, 12, 40])
    rng = random.Random(20260203)
    jobs = ["Sachbearbeitung (m/w/d)", "Elektronikerin / Elektroniker", "Leitung Einkauf", "Ausbildung Büromanagement"]
    remarks = ["Zeugnisse fehlen noch.", "Gespräch am Telefon:\nsehr freundlich, kurze Kündigungsfrist.", "Kennt das Haus aus einem Praktikum."]
    row = 3
    for number in range(1, 71):
        first, last = rng.choice(people.FIRST), rng.choice(people.LAST).replace("von-der-", "von der ")
        mail = f"{first}.{last}.{number}".lower().translate(people.ASCII) + "@example.org"
        if number == 23:
            mail = mail.replace("@", " at ")  # to be corrected by whoever takes the table in
        born = datetime.date(1962, 1, 1) + datetime.timedelta(days=rng.randrange(365 * 44))
        come = datetime.date(2026, 1, 5) + datetime.timedelta(days=rng.randrange(25))
        salary = rng.randrange(26, 78) * 1000
        put(sheet, row, [f"B-{number:04}", first, last, mail, rng.choice(people.PHONES).format(number),
                         born.strftime("%-d.%-m.%Y") if number % 9 == 0 else (born, DATE), rng.choice(jobs), (come, DATE),
                         f"{salary:,} €".replace(",", ".") if number % 7 == 0 else (salary, "#,##0"), rng.choice(["ja", "nein", "Ja", "nein "]),
                         rng.choice(remarks) if rng.random() < 0.25 else ""])
        row += 3 if number == 40 else 1  # somebody left space between January and the rest
    return book


def suppliers():
    book, sheet = workbook("Lieferanten")
    header(sheet, 1, ["Lieferanten-Nr.", "Firma", "Ansprechpartner", "E-Mail", "Telefon", "Website", "Zahlungsziel (Tage)", "Skonto %", "seit", "aktiv",
                      "Umsatz 2025"], [15, 30, 24, 34, 18, 30, 12, 9, 12, 7, 14])
    rng = random.Random(20260304)
    names = ["Nordlicht Papier GmbH", "Gebr. Böhm OHG", "Kaffee & Söhne", "Łódź Logistik Sp. z o.o.", "Zur alten Mühle e.K.", "Hübner + Fuß KG",
             "Elbe-Werkzeug AG", "Grünzeug eG"]
    row = 2
    for number in range(1, 41):
        first, last = rng.choice(people.FIRST), rng.choice(people.LAST).replace("von-der-", "von der ")
        company = f"{names[number % len(names)]} {'Nord' if number % 3 else 'Süd'}"
        since = datetime.date(1998, 1, 1) + datetime.timedelta(days=rng.randrange(365 * 27))
        values = [f"{number * 113:05}", company, f"{first} {last}", f"einkauf.{number}@example.com", rng.choice(people.PHONES).format(number),
                  f"https://lieferant-{number}.example.com/", rng.choice([14, 30, 60]), (rng.choice([0, 2, 2.5, 3]), "0.0"), (since, DATE),
                  rng.choice(["ja", "ja", "ja", "nein"]), (rng.randrange(50_000, 9_000_000) / 100, MONEY)]
        put(sheet, row, values)
        row += 1
        if number == 12:
            put(sheet, row, values)  # entered twice
            row += 1
    sheet.cell(row + 1, 2, "Summe").font = Font(bold=True)
    total = sheet.cell(row + 1, 11, f"=SUM(K2:K{row - 1})")
    total.number_format = MONEY
    return book


BOOKS = {"contacts.xlsx": contacts, "applicants.xlsx": applicants, "suppliers.xlsx": suppliers}


def content(path):
    book = openpyxl.load_workbook(path)
    return [(sheet.title, [(c.coordinate, c.value, c.number_format) for line in sheet.iter_rows() for c in line if c.value is not None],
             [str(r) for r in sheet.merged_cells.ranges], {k: d.width for k, d in sheet.column_dimensions.items()}) for sheet in book]


def main():
    check = sys.argv[1] == "--check"
    to = pathlib.Path(sys.argv[-1])
    wrong = []
    for name, make in BOOKS.items():
        if not check:
            make().save(to / name)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            made = pathlib.Path(scratch) / name
            make().save(made)
            if content(made) != content(to / name):
                wrong.append(name)
    if wrong:
        sys.exit("not what make_examples.py writes: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
