#!/usr/bin/env python3
"""Writes the awkward spreadsheets of tests/golden/sheets: make_sheets.py DIR [--libreoffice].

Each case is NAME.EXT with NAME.EXT.json: {"options", "expect"}, where "expect" is what a reader must say
(tests/support/sheet_json.h); members that it leaves out may be anything. The expectations are written down here, never
taken from the reader. All names and numbers are made up. --libreoffice also makes anew what that program wrote.

Needs openpyxl and odfpy (tests/e2e/requirements.txt).
"""
import datetime
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import openpyxl
import sheet_parts as parts
from sheet_parts import cell, error, head, ods, row, sheet, text_cell, xlsx, zip_of

CASES = {}


def case(name, content, rows=None, failure=None, options=None, **expect):
    """rows: those before the failure too."""
    assert name not in CASES, name
    if isinstance(content, str):
        content = content.encode()
    expect["rows"] = rows or []
    if failure:
        expect["error"] = failure
    CASES[name] = (content, {"options": options or {}, "expect": expect})


# ── Text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = [row(1, "Name", "Ort", "Betrag"), row(2, "Änne Groß", "Jena", "12,50"), row(3, "Özlem Naß", "Köln", "-35,01")]
PEOPLE_TEXT = "Name;Ort;Betrag\nÄnne Groß;Jena;12,50\nÖzlem Naß;Köln;-35,01\n"


def text_encodings():
    case("utf-8.csv", PEOPLE_TEXT, PEOPLE, format="csv", encoding="utf-8", delimiter=";")
    case("utf-8-bom.csv", b"\xef\xbb\xbf" + PEOPLE_TEXT.encode(), PEOPLE, encoding="utf-8")
    case("utf-16le-bom.csv", b"\xff\xfe" + PEOPLE_TEXT.encode("utf-16le"), PEOPLE, encoding="utf-16le")
    case("utf-16be-bom.csv", b"\xfe\xff" + PEOPLE_TEXT.encode("utf-16be"), PEOPLE, encoding="utf-16be")
    case("utf-16le.csv", PEOPLE_TEXT.encode("utf-16le"), PEOPLE, encoding="utf-16le")
    case("utf-16be.csv", PEOPLE_TEXT.encode("utf-16be"), PEOPLE, encoding="utf-16be")
    case("utf-16-emoji.tsv", b"\xff\xfe" + "a\tb\n🦭\t€\n".encode("utf-16le"), [row(1, "a", "b"), row(2, "🦭", "€")])
    case("utf-16-half.csv", b"\xff\xfe" + "a;b\n".encode("utf-16le") + b"\x00\xd8;\x00", failure=error("bad_encoding"))
    case("utf-16-odd.csv", b"\xff\xfe" + "a;b\n1;2\n".encode("utf-16le") + b"\x41", failure=error("bad_encoding"))
    case("cp1252-euro.csv", "Preis;Wer\n5 €;„Jürgen“ – Weiß\n".encode("cp1252"),
         [row(1, "Preis", "Wer"), row(2, "5 €", "„Jürgen“ – Weiß")], encoding="windows-1252")
    case("cp850.csv", "Name;Ort\nGrößler;Köln\nJürgen;Würzburg\n".encode("cp850"), failure=error("bad_encoding", row="2"))
    case("utf-32.csv", b"\xff\xfe\0\0" + "a;b\n".encode("utf-32le"), failure=error("bad_encoding"))
    case("broken-utf-8.csv", "Name;Ort\nÄnne;Jena\n".encode() + b"J\xfcrgen;K\xc3\xb6ln\n", failure=error("bad_encoding", row="3"))
    case("cut-utf-8.csv", "Name;Ort\nÄnne;Köln\nZo".encode() + b"\xc3", failure=error("bad_encoding", row="3"))
    case("nul.csv", b"a;b\n1;2\n3;\x00\n", [row(1, "a", "b"), row(2, "1", "2")], error("bad_encoding", row="3"))
    case("wanted-encoding.csv", b"a;b\n\xe2\x82\xac;x\n", [row(1, "a", "b"), row(2, "â‚¬", "x")],
         options={"encoding": "windows-1252"}, encoding="windows-1252")
    case("unknown-encoding.csv", b"a;b\n", failure=error("bad_encoding"), options={"encoding": "ebcdic"})


def text_lines():
    wanted = [row(1, "a", "b"), row(2, "1", "2"), row(3, "3", "4")]
    case("crlf.csv", "a,b\r\n1,2\r\n3,4\r\n", wanted, delimiter=",")
    case("cr.csv", "a,b\r1,2\r3,4\r", wanted)
    case("no-last-line-end.csv", "a,b\n1,2\n3,4", wanted)
    case("mixed-line-ends.csv", "a,b\r\n1,2\n3,4\r", wanted)
    case("empty-lines.csv", "a;b\n\n1;2\n;\n\"\";\n3;4\n\n", [row(1, "a", "b"), row(3, "1", "2"), row(6, "3", "4")])
    case("multi-line.csv", 'a;b\n"x\ny\r\nz";2\n3;4\n', [row(1, "a", "b"), row(2, "x\ny\r\nz", "2"), row(5, "3", "4")])
    case("sep.csv", "sep=,\r\na,b;c\r\n1,2\r\n", [row(2, "a", "b;c"), row(3, "1", "2")], delimiter=",")
    case("sep-caret.csv", "SEP=^\na^b\n", [row(2, "a", "b")], delimiter="^")
    case("sep-overruled.csv", "sep=,\na;b,c\n", [row(2, "a", "b,c")], options={"delimiter": ";"})
    case("empty.csv", "")
    case("blank.csv", "\r\n\r\n")
    case("only-header.csv", "Name;Ort\n", [row(1, "Name", "Ort")])
    case("no-header.csv", "1;2;3\n4;5;6\n", [row(1, "1", "2", "3"), row(2, "4", "5", "6")])
    case("repeated-and-empty-headers.csv", "Name,,Name,\n1,2,3,4\n", [row(1, "Name", None, "Name"), row(2, "1", "2", "3", "4")])
    case("ragged.csv", "a;b;c\n1\n1;2;3;4\n;;x\n", [row(1, "a", "b", "c"), row(2, "1"), row(3, "1", "2", "3", "4"), row(4, None, None, "x")])


def text_delimiters():
    case("comma.csv", 'Name,Born\n"Maier, Anna",1980\n', [row(1, "Name", "Born"), row(2, "Maier, Anna", "1980")], delimiter=",")
    case("pipe.csv", "a|b|c\n1|x, y|3\n", [row(1, "a", "b", "c"), row(2, "1", "x, y", "3")], delimiter="|")
    case("decimal-commas.csv", "Nr;Preis\n1;1,50\n2;8.000,01\n3;7,00\n",
         [row(1, "Nr", "Preis"), row(2, "1", "1,50"), row(3, "2", "8.000,01"), row(4, "3", "7,00")], delimiter=";")
    case("one-column-of-decimals.csv", "Preis\n1,50\n-35,01\n8.000,01\n", [row(1, "Preis"), row(2, "1,50"), row(3, "-35,01"), row(4, "8.000,01")])
    case("one-column-of-sentences.csv", "Notiz\nKommt, sagt er, später\nNein\nJa, gern\n",
         [row(1, "Notiz"), row(2, "Kommt, sagt er, später"), row(3, "Nein"), row(4, "Ja, gern")])
    case("delimiters-in-quotes.csv", '"a,b,c";"d,e,f"\n"1,2,3";"4,5,6"\n', [row(1, "a,b,c", "d,e,f"), row(2, "1,2,3", "4,5,6")])
    case("heading-above.csv", "Mitglieder 2025\n\nName;Ort\nA;B\nC;D\nE;F\nG;H\n",
         [row(1, "Mitglieder 2025"), row(3, "Name", "Ort"), row(4, "A", "B"), row(5, "C", "D"), row(6, "E", "F"), row(7, "G", "H")])
    exact = ["007", "1/2", "vmx-15", "-35,01", "8.000,01", "123456789012345678901234567890", "31.12.2025", "12/31/2025", " 1 "]
    case("as-it-stands.csv", "\n".join(["v", *exact]) + "\n", [row(1, "v"), *(row(n, value) for n, value in enumerate(exact, 2))])


def text_quotes():
    case("quotes.csv", 'a;b\n"say ""x""";5" pipe\n"";""""\n', [row(1, "a", "b"), row(2, 'say "x"', '5" pipe'), row(3, None, '"')])
    case("open-quote.csv", 'a;b\n1;"open\n2;3\n', [row(1, "a", "b")], error("bad_csv", row="2"))
    case("after-quote.csv", 'a;b\n1;2\n"x"y;3\n', [row(1, "a", "b"), row(2, "1", "2")], error("bad_csv", row="3"))
    pasted = {"format": "tsv"}
    case("pasted.txt", 'Name\tNotiz\nÄnne\t"zwei\nZeilen mit ""Zitat"""\nÖzlem\t5" Rohr\n', [row(1, "Name", "Notiz"),
         row(2, "Änne", 'zwei\nZeilen mit "Zitat"'), row(4, "Özlem", '5" Rohr')], options=pasted, format="tsv", delimiter="\t")
    case("pasted-raw-quotes.txt", 'a\tb\n"Anna" Maier\tx\n"open\ty\n', [row(1, "a", "b"), row(2, '"Anna" Maier', "x"), row(3, '"open', "y")], options=pasted)
    case("pasted-names.txt", "Maier, Anna\nGroß, Jürgen\nNaß, Özlem\n", [row(1, "Maier, Anna"), row(2, "Groß, Jürgen"), row(3, "Naß, Özlem")], options=pasted)
    case("pasted-csv.txt", "a;b\n1;2\n3;4\n", [row(1, "a", "b"), row(2, "1", "2"), row(3, "3", "4")], options=pasted, delimiter=";")


def text_limits():
    case("columns-20000.csv", ";".join(["x"] * 20000) + "\n", failure=error("too_large", row="1", limit_name="columns_max", limit_value="1000"))
    case("long-cell.csv", "a;b\n1;" + "x" * 40000 + "\n", [row(1, "a", "b")], error("too_large", row="2", limit_name="cell_bytes_max", limit_value="32768"))
    case("many-rows.csv", "a;b\n1;2\n3;4\n5;6\n", [row(1, "a", "b"), row(2, "1", "2"), row(3, "3", "4")],
         error("too_large", row="4", limit_name="rows_max", limit_value="2"), options={"limits": {"rows_max": 2}})


def ndjson():
    case("objects.ndjson", '{"name":"Änne","n":1.50,"ok":true}\n\n{"name":null,"tags":["a",{"b":1}],"n":123456789012345678901234567890}\n'
         '{"x":"\\u00e4\\ud83e\\uddad\\n","n":1E-3}\n',
         [row(0, "name", "n", "ok", "tags", "x"), row(1, "Änne", {"number": "1.5"}, {"boolean": "true"}),
          row(3, None, {"number": "123456789012345678901234567890"}, None, '["a",{"b":1}]'),
          row(4, None, {"number": "0.001"}, None, None, "ä🦭\n")], format="ndjson", encoding="utf-8")
    case("objects-bom.ndjson", '\ufeff{"a":1}\r\n{"a":-0.0}\r\n', [row(0, "a"), row(1, {"number": "1"}), row(2, {"number": "0"})])
    case("twice.ndjson", '{"a":1}\n{"a":1,"a":2}\n', failure=error("damaged_file", row="2"))
    case("trailing.ndjson", '{"a":1}\n{"a":1} x\n', failure=error("damaged_file", row="2"))
    case("broken-line.ndjson", '{"a":1}\n{"a":tru}\n', failure=error("damaged_file", row="2"))
    case("no-object.ndjson", '{"a":1}\n[1]\n', failure=error("damaged_file", row="2"))
    case("deep.ndjson", '{"a":1}\n{"a":' + "[" * 40 + "]" * 40 + "}\n", failure=error("damaged_file", row="2"))
    case("nul.ndjson", '{"a":1}\n{"a":"\\u0000"}\n', failure=error("bad_encoding", row="2"))
    case("half-a-pair.ndjson", '{"a":1}\n{"a":"\\uddad"}\n', failure=error("bad_encoding", row="2"))
    case("half-a-pair-in-name.ndjson", '{"a":1}\n{"\\uddad":1}\n', failure=error("bad_encoding", row="2"))
    case("half-a-pair-within.ndjson", '{"a":1}\n{"a":["\\uddad"]}\n', failure=error("bad_encoding", row="2"))
    case("bad-utf-8.ndjson", b'{"a":1}\n{"a":"\xfc"}\n', failure=error("damaged_file", row="2"))
    case("document.txt", '[{"a":1},\n{"a":2}]\n', failure=error("unknown_format"))
    case("pretty.txt", '{\n  "a": 1\n}\n', failure=error("unknown_format"))


def foreign():
    case("page.xls", "<html><body><table><tr><td>1</td></tr></table></body></html>", failure=error("unknown_format"))
    case("xml-2003.xls", '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', failure=error("unknown_format"))
    case("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", failure=error("unknown_format"))
    case("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(64), failure=error("unknown_format"))
    case("noise.bin", bytes((i * 73 + i * i) % 256 for i in range(2048)), failure=error("unknown_format"))
    case("old.xls", parts.compound("Workbook"), failure=error("unknown_format"))
    case("old-word.doc", parts.compound("WordDocument"), failure=error("unknown_format"))
    case("encrypted.xlsx", parts.compound("EncryptionInfo", "EncryptedPackage"), failure=error("encrypted_file"))
    case("biff5.xls", b"\x09\x08\x08\x00\x00\x05\x10\x00" + bytes(200), failure=error("unknown_format"))
    case("archive.zip", zip_of({"a.csv": "a;b\n"}), failure=error("unknown_format"))
    case("empty.zip", b"PK\x05\x06" + bytes(18), failure=error("unknown_format"))
    case("letter.docx", zip_of({"_rels/.rels": parts.rels(("rId1", "officeDocument", "word/document.xml")),
                                "word/document.xml": '<w:document xmlns:w="urn:x"/>'}), failure=error("unknown_format"))
    case("binary.xlsb", zip_of({"_rels/.rels": parts.rels(("rId1", "officeDocument", "xl/workbook.bin")), "xl/workbook.bin": "x"}),
         failure=error("unknown_format"))
    case("text.odt", zip_of({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}), failure=error("unknown_format"))
    case("numbers.zip", zip_of({"Index/Document.iwa": "x"}), failure=error("unknown_format"))
    case("csv-named.xlsx", "a;b\n1;2\n", [row(1, "a", "b"), row(2, "1", "2")], options={"format": "xlsx"}, format="csv")


# ── XLSX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

def xlsx_values():
    values = sheet('<row r="1">', *(text_cell(f"{c}1", t) for c, t in zip("ABC", ("text", "number", "other"))), "</row>",
                   '<row r="2">', cell("A2", "0", t="s"), cell("B2", "0.10000000000000001"), cell("C2", "1", t="b"), "</row>",
                   '<row r="3">', cell("A3", "1", t="s"), cell("B3", "1E+20"), cell("C3", "#DIV/0!", t="e"), "</row>",
                   '<row r="4">', cell("A4", "2", t="s"), cell("B4", "-1.5E-3"), cell("C4", "0", t="b"), "</row>",
                   '<row r="5">', cell("A5", "3", t="s"), cell("B5", "123456789012345678901234567890"), "</row>",
                   '<row r="6">', cell("A6", "4", t="s"), cell("B6", "-0"), cell("C6", " 7 "), "</row>",
                   '<row r="7">', cell("A7", "5", t="s"), cell("B7", "0.30000000000000004"), cell("C7", "1.50"), "</row>")
    shared = ("<si><t>plain</t></si>", "<si><r><t>rich </t></r><r><rPr><b/></rPr><t>text</t></r></si>",
              '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>', "<si><t>a_x000D_b_x005F_x000D_ _xD83E__xDDAD_ _x0000_</t></si>",
              '<si><t xml:space="preserve">  spaces  </t></si>', "<si><t>a &amp; b &lt;c&gt;\nd</t></si>")
    case("values.xlsx", xlsx(values, shared=shared),
         [row(1, "text", "number", "other"), row(2, "plain", {"number": "0.1"}, {"boolean": "true"}),
          row(3, "rich text", {"number": "1" + "0" * 20}, {"error": "#DIV/0!"}), row(4, "東京", {"number": "-0.0015"}, {"boolean": "false"}),
          row(5, "a\rb_x000D_ 🦭 _x0000_", {"number": "123456789012345678901234567890"}), row(6, "  spaces  ", {"number": "0"}, {"number": "7"}),
          row(7, "a & b <c>\nd", {"number": "0.30000000000000004"}, {"number": "1.5"})], format="xlsx", sheet="Tabelle1", merged=0)
    formulas = sheet('<row r="1">', '<c r="A1"><f>1/0</f><v>2</v></c>', '<c r="B1" t="str"><f>"a"</f><v>a_x000A_b</v></c>',
                     '<c r="C1" t="e"><f>NA()</f><v>#N/A</v></c>', '<c r="D1"><f>SUM(A1)</f><v></v></c>', '<c r="E1" t="str"><f>""</f><v></v></c>',
                     '<c r="F1" t="b"><f>TRUE</f><v>1</v></c>', "</row>")
    case("formulas.xlsx", xlsx(formulas), [row(1, {"number": "2"}, "a\nb", {"error": "#N/A"}, {"error": "#NO_RESULT!"}, None, {"boolean": "true"})])
    inline = sheet('<row r="1">', '<c r="A1" t="inlineStr"><is><t>plain</t></is></c>',
                   '<c r="B1" t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r><rPh sb="0" eb="1"><t>no</t></rPh></is></c>',
                   '<c r="C1" t="inlineStr"><is><t></t></is></c>', '<c r="D1" t="inlineStr"><is><t>007</t></is></c>', "</row>")
    case("inline.xlsx", xlsx(inline), [row(1, "plain", "rich", None, "007")])
    case("text-that-looks-like-numbers.xlsx", xlsx(sheet('<row r="1">', *(text_cell(f"{c}1", v) for c, v in zip("ABCDE", ("007", "1/2", "-35,01", "8.000,01", "31.12.2025"))), "</row>")),
         [row(1, "007", "1/2", "-35,01", "8.000,01", "31.12.2025")])


FORMATS = ["General", 14, 22, 20, 46, 'dd/mm/yyyy', '0.00" Tage"', "[h]:mm:ss", "[$-407]d\\. mmmm yyyy;@", "0.00E+00", "[Red]0;[Blue]-0", "mm:ss.0",
           "h:mm AM/PM", 'yyyy\\-mm\\-dd\\Thh:mm:ss', '"day" 0', "# ?/?", "_-* #,##0.00\\ _d", "@", "[<=1]h:mm;0.0", "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
           "00000", "000;-000"]


def dated(*pairs):
    """One row: (value, format) each."""
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return sheet('<row r="1">', *(f'<c r="{names[i]}1" s="{FORMATS.index(f)}"><v>{v}</v></c>' for i, (v, f) in enumerate(pairs)), "</row>")


def xlsx_dates():
    styles = parts.styles(FORMATS)
    number = lambda v: {"number": v}
    case("dates-1900.xlsx", xlsx(dated(("1", 14), ("59", 14), ("60", 14), ("61", 14), ("46022", 14), ("46022.999988425923", 22), ("2958465", 14),
                                       ("0", 14), ("-1", 14), ("2958466", 14), ("46022.5", 14), ("46022", 22), ("60.5", 22)), styles=styles),
         [row(1, {"date": "1900-01-01"}, {"date": "1900-02-28"}, "1900-02-29", {"date": "1900-03-01"}, {"date": "2025-12-31"},
              {"datetime": "2025-12-31T23:59:59"}, {"date": "9999-12-31"}, number("0"), number("-1"), number("2958466"),
              {"datetime": "2025-12-31T12:00:00"}, {"datetime": "2025-12-31T00:00:00"}, "1900-02-29T12:00:00")])
    case("dates-1904.xlsx", xlsx(dated(("0", 14), ("1462", 14), ("44560", 14), ("44560.25", 22), ("-5", 14)), styles=styles, book_properties='<workbookPr date1904="1"/>'),
         [row(1, {"date": "1904-01-01"}, {"date": "1908-01-02"}, {"date": "2025-12-31"}, {"datetime": "2025-12-31T06:00:00"}, number("-5"))])
    case("times.xlsx", xlsx(dated(("0.5", 20), ("1.0625", 46), ("0.999988425925926", "[h]:mm:ss"), ("4.1666666666666664E-2", "[h]:mm:ss"), ("0.75", "h:mm AM/PM"),
                                  ("5.7870370370370366E-6", "mm:ss.0"), ("46022.5", 20), ("1.5", 20), ("-0.5", 46), ("0", 20)), styles=styles),
         [row(1, {"time": "12:00:00"}, {"time": "25:30:00"}, {"time": "23:59:59"}, {"time": "01:00:00"}, {"time": "18:00:00"}, {"time": "00:00:00.5"},
              {"datetime": "2025-12-31T12:00:00"}, {"time": "36:00:00"}, number("-0.5"), {"time": "00:00:00"})])
    case("formats.xlsx", xlsx(dated(("46022", "dd/mm/yyyy"), ("3", '0.00" Tage"'), ("46022", "[$-407]d\\. mmmm yyyy;@"), ("5", "0.00E+00"), ("5", "[Red]0;[Blue]-0"),
                                    ("46022.25", 'yyyy\\-mm\\-dd\\Thh:mm:ss'), ("5", '"day" 0'), ("0.5", "# ?/?"), ("5", "_-* #,##0.00\\ _d"), ("5", "@"),
                                    ("0.5", "[<=1]h:mm;0.0"), ("46022", "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy"), ("46022", "General")), styles=styles),
         [row(1, {"date": "2025-12-31"}, number("3"), {"date": "2025-12-31"}, number("5"), number("5"), {"datetime": "2025-12-31T06:00:00"},
              number("5"), number("0.5"), number("5"), number("5"), {"time": "12:00:00"}, {"date": "2025-12-31"}, number("46022"))])
    case("leading-zeros-by-format.xlsx", xlsx(dated(("1067", "00000"), ("80331", "00000"), ("7", "000;-000"), ("-7", "000;-000"), ("1.5", "000;-000"),
                                                    ("123456", "00000")), styles=styles),
         [row(1, "01067", "80331", "007", number("-7"), number("1.5"), "123456")])
    iso = sheet('<row r="1">', '<c r="A1" t="d" s="1"><v>2025-12-31T00:00:00</v></c>', '<c r="B1" t="d"><v>2025-12-31T10:00:00.250</v></c>',
                '<c r="C1" t="d"><v>2025-12-31</v></c>', '<c r="D1" t="d"><v>2025-02-30</v></c>', "</row>", namespace=parts.STRICT_MAIN)
    case("strict.xlsx", xlsx(iso, styles=parts.styles(FORMATS, parts.STRICT_MAIN), strict=True),
         [row(1, {"date": "2025-12-31"}, {"datetime": "2025-12-31T10:00:00.25"}, {"date": "2025-12-31"}, "2025-02-30")])


def xlsx_shape():
    simple = [row(1, "a")]
    one = sheet('<row r="1">', text_cell("A1", "a"), "</row>")
    case("absolute-targets.xlsx", xlsx(one, shared=("<si><t>x</t></si>",), absolute=True), simple)
    case("backslashes.xlsx", parts.renamed(xlsx(one), lambda name: name.replace("/", "\\")), simple)
    case("upper-case-names.xlsx", parts.renamed(xlsx(one), str.upper), simple)
    case("prefixed.xlsx", xlsx(parts.prefixed_sheet()), [row(1, "a", {"number": "1"})])
    case("sparse.xlsx", xlsx(sheet('<row r="3">', text_cell("C3", "x"), "</row>", '<row r="7" spans="1:5">', text_cell("B7", "y"), '<c r="D7" s="0"/>', "</row>")),
         [row(3, None, None, "x"), row(7, None, "y")])
    case("no-references.xlsx", xlsx(sheet("<row>", "<c><v>1</v></c><c/><c><v>3</v></c>", "</row>", "<row>", "<c/>", "</row>", "<row>", "<c><v>5</v></c>", "</row>")),
         [row(1, {"number": "1"}, None, {"number": "3"}), row(3, {"number": "5"})])
    case("cells-without-row-number.xlsx", xlsx(sheet("<row>", cell("A4", "1"), cell("B4", "2"), "</row>", "<row>", cell("A5", "3"), "</row>")),
         [row(4, {"number": "1"}, {"number": "2"}), row(5, {"number": "3"})])
    case("cells-out-of-order.xlsx", xlsx(sheet('<row r="1">', cell("C1", "3"), cell("A1", "1"), "</row>")), [row(1, {"number": "1"}, None, {"number": "3"})])
    case("hidden-rows.xlsx", xlsx(sheet('<row r="1">', text_cell("A1", "a"), "</row>", '<row r="2" hidden="1">', text_cell("A2", "b"), "</row>",
                                        '<row r="3" hidden="0">', text_cell("A3", "c"), "</row>")), [row(1, "a"), row(2, "b", hidden=True), row(3, "c")])
    case("merged.xlsx", xlsx(sheet('<row r="1">', text_cell("A1", "a"), '<c r="B1" s="0"/>', "</row>", after='<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A2:A3"/></mergeCells>')), simple, merged=2)
    book = parts.many_sheets([("Leer", "visible", sheet()), ("Geheim", "hidden", sheet('<row r="1">', text_cell("A1", "h"), "</row>")),
                              ("Ganz geheim", "veryHidden", sheet()), ("Daten & mehr", "visible", one)])
    infos = [head("Leer"), head("Geheim", True), head("Ganz geheim", True), head("Daten & mehr")]
    case("sheets.xlsx", book, simple, sheets=infos, sheet="Daten & mehr")
    case("sheet-chosen.xlsx", book, [row(1, "h")], sheets=infos, sheet="Geheim", options={"sheet": "Geheim"})
    case("sheet-unknown.xlsx", book, failure=error("sheet_unknown"), options={"sheet": "Andere"})
    case("macros.xlsm", xlsx(one, book_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml"), simple)
    case("empty-sheet.xlsx", xlsx(sheet()), sheet="Tabelle1")
    case("columns-20000.xlsx", xlsx(sheet('<row r="1">', "<c><v>1</v></c>" * 20000, "</row>")), failure=error("too_large", limit_name="columns_max", limit_value="1000", sheet="Tabelle1", row="1"))
    case("empty-columns-16384.xlsx", xlsx(sheet('<row r="1">', text_cell("A1", "a"), '<c r="XFD1" s="0"/>', "</row>")), simple)


def xlsx_broken():
    one = sheet('<row r="1">', text_cell("A1", "a"), "</row>")
    whole = xlsx(one)
    damaged = error("damaged_file")
    case("cut.xlsx", whole[:len(whole) // 2], failure=damaged)
    case("checksum.xlsx", parts.with_wrong_checksum(whole, "xl/worksheets/sheet1.xml"), failure=damaged)
    case("no-sheet-part.xlsx", parts.without(whole, "xl/worksheets/sheet1.xml"), failure=damaged)
    case("part-twice.xlsx", parts.twice(whole, "xl/worksheets/sheet1.xml"), failure=damaged)
    case("cut-xml.xlsx", xlsx(one[:-40]), failure=damaged)
    case("doctype.xlsx", xlsx('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + one), failure=damaged)
    case("deep.xlsx", xlsx(sheet("<a>" * 5000)), failure=damaged)
    case("endless-tag.xlsx", xlsx(sheet('<row r="1" x="' + " " * 3_000_000)), failure=damaged)
    case("foreign-text.xlsx", xlsx(sheet('<row r="1">', cell("A1", "7", t="s"), "</row>")), failure=error("damaged_file", sheet="Tabelle1", row="1", column="1"))
    case("foreign-format.xlsx", xlsx(sheet('<row r="1">', '<c r="B1" s="9"><v>1</v></c>', "</row>"), styles=parts.styles(["General"])),
         failure=error("damaged_file", row="1", column="2"))
    case("rows-backwards.xlsx", xlsx(sheet('<row r="2">', cell("A2", "1"), "</row>", '<row r="1">', cell("A1", "1"), "</row>")),
         [row(2, {"number": "1"})], error("damaged_file", row="2"))
    case("cell-twice.xlsx", xlsx(sheet('<row r="1">', cell("A1", "1"), cell("A1", "2"), "</row>")), failure=error("damaged_file", row="1"))
    case("cell-of-other-row.xlsx", xlsx(sheet('<row r="1">', cell("A2", "1"), "</row>")), failure=damaged)
    case("protected-zip.xlsx", parts.with_encrypted_flag(whole), failure=error("encrypted_file"))
    small = {"limits": {"unpacked_bytes_max": 8 << 20}}
    bomb = error("too_large", limit_name="sheet_unpacked_bytes_max", limit_value=str(8 << 20))
    case("bomb.xlsx", xlsx(sheet('<row r="1">' + " " * (40 << 20) + "</row>")), failure=bomb, options=small)
    case("bomb-that-lies.xlsx", parts.with_declared_size(xlsx(sheet('<row r="1">' + " " * (4 << 20) + "</row>")), "xl/worksheets/sheet1.xml", 100), failure=damaged, options=small)
    shared = "".join(f"<row>{cell_of_shared * 100}</row>" for cell_of_shared in 6 * ['<c t="s"><v>0</v></c>'])
    case("bomb-of-texts.xlsx", xlsx(sheet(shared), shared=("<si><t>" + "x" * 30000 + "</t></si>",)),
         failure=error("too_large", limit_name="sheet_unpacked_bytes_max", limit_value="2000000", row="1"), options={"limits": {"unpacked_bytes_max": 2_000_000}})
    case("not-a-number.xlsx", xlsx(sheet('<row r="1">', cell("A1", "abc"), cell("B1", "1E+999"), cell("C1", "1,5"), "</row>")), [row(1, "abc", "1E+999", "1,5")])


# ── ODS ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

def ods_cases():
    p = lambda text: f"<text:p>{text}</text:p>"
    typed = lambda kind, value, text="": f'<table:table-cell office:value-type="{kind}" office:{value}>{p(text)}</table:table-cell>'
    values = ods('<table:table table:name="Tabelle1"><table:table-row>' + typed("string", 'x="0"', "007") + typed("float", 'value="0.1"', "0,10")
                 + typed("percentage", 'value="0.19"', "19 %") + typed("currency", 'value="8000.01"', "8.000,01 €") + typed("date", 'date-value="1899-12-31"', "31.12.99")
                 + typed("date", 'date-value="2025-12-31T23:59:59.5"') + typed("time", 'time-value="PT36H05M00.500000000S"') + typed("boolean", 'boolean-value="true"', "WAHR")
                 + '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
                 + '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0"><text:p>#DIV/0!</text:p></table:table-cell>'
                 + '<table:table-cell table:formula="of:=1"/>' + typed("float", 'value="1.5E+020"') + typed("date", 'date-value="-0044-03-15"')
                 + typed("time", 'time-value="-PT1H"') + typed("float", 'value="123456789012345678901234567890"') + "</table:table-row></table:table>")
    number = lambda v: {"number": v}
    case("values.ods", values, [row(1, "007", number("0.1"), number("0.19"), number("8000.01"), {"date": "1899-12-31"}, {"datetime": "2025-12-31T23:59:59.5"},
         {"time": "36:05:00.5"}, {"boolean": "true"}, {"error": "#DIV/0!"}, {"error": "#DIV/0!"}, {"error": "#NO_RESULT!"}, number("15" + "0" * 19),
         "-0044-03-15", "-PT1H", number("123456789012345678901234567890"))], format="ods", sheet="Tabelle1")
    case("leading-zeros-by-format.ods",
         ods('<table:table table:name="T"><table:table-row>' + typed("float", 'value="1067"', "01067") + typed("float", 'value="80331"', "80331")
             + typed("float", 'value="0"', "0") + typed("float", 'value="0"', "000") + typed("float", 'value="12"', "013") + typed("float", 'value="0.5"', "0,5")
             + "</table:table-row></table:table>"),
         [row(1, "01067", number("80331"), number("0"), "000", number("12"), number("0.5"))])
    texts = ods('<table:table table:name="T"><table:table-row><table:table-cell office:value-type="string"><office:annotation><text:p>no</text:p></office:annotation>'
                '<text:p>  a   b<text:s text:c="3"/>c\n d<text:tab/>e </text:p><text:p/><text:p><text:span>f<text:a>g</text:a></text:span><text:line-break/>h'
                '<text:note><text:note-body><text:p>no</text:p></text:note-body></text:note></text:p></table:table-cell>'
                '<table:table-cell office:value-type="string"><draw:frame><draw:text-box><text:p>no</text:p></draw:text-box></draw:frame><text:p>x</text:p></table:table-cell>'
                "</table:table-row></table:table>")
    case("texts.ods", texts, [row(1, "a b   c d\te\n\nfg\nh", "x")])
    repeated = ods('<table:table table:name="T"><table:table-column table:number-columns-repeated="16384"/>'
                   '<table:table-row><table:table-cell table:number-columns-repeated="2"/><table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>a</text:p></table:table-cell>'
                   '<table:table-cell table:number-columns-repeated="16380"/></table:table-row>'
                   '<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="float" office:value="1"/></table:table-row>'
                   '<table:table-row table:number-rows-repeated="3" table:visibility="collapse"><table:table-cell/></table:table-row>'
                   '<table:table-row table:visibility="filter"><table:table-cell office:value-type="float" office:value="2"/></table:table-row>'
                   '<table:table-row table:number-rows-repeated="1048569"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>')
    case("repeated.ods", repeated, [row(1, None, None, "a", "a"), row(2, number("1")), row(3, number("1")), row(7, number("2"), hidden=True)])
    grouped = ods('<table:table table:name="T"><table:table-header-rows><table:table-row><table:table-cell office:value-type="string"><text:p>h</text:p></table:table-cell></table:table-row></table:table-header-rows>'
                  '<table:table-row-group table:display="false"><table:table-row><table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="1" office:value-type="string"><text:p>a</text:p></table:table-cell>'
                  "<table:covered-table-cell/></table:table-row></table:table-row-group></table:table>")
    case("grouped.ods", grouped, [row(1, "h"), row(2, "a", hidden=True)], merged=1)
    tables = ods('<table:table table:name="Leer"><table:table-row><table:table-cell/></table:table-row></table:table>'
                 '<table:table table:name="Geheim" table:style-name="ta2"><table:table-row><table:table-cell office:value-type="string"><text:p>h</text:p></table:table-cell></table:table-row></table:table>'
                 '<table:table table:name="Da"><table:table-row><table:table-cell office:value-type="string"><text:p>d</text:p></table:table-cell></table:table-row></table:table>',
                 styles='<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>')
    infos = [head("Leer"), head("Geheim", True), head("Da")]
    case("sheets.ods", tables, [row(1, "d")], sheets=infos, sheet="Da")
    case("sheet-chosen.ods", tables, [row(1, "h")], sheets=infos, sheet="Geheim", options={"sheet": "Geheim"})
    case("sheet-unknown.ods", tables, failure=error("sheet_unknown"), options={"sheet": "x"})
    case("encrypted.ods", ods("", manifest='<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'), failure=error("encrypted_file"))
    case("cut.ods", tables[:-200], failure=error("damaged_file"))
    case("no-content.ods", zip_of({"mimetype": parts.ODS}), failure=error("damaged_file"))
    case("doctype.ods", ods("", doctype="<!DOCTYPE x>"), failure=error("damaged_file"))
    full = '<table:table-cell office:value-type="string" table:number-columns-repeated="{}"><text:p>{}</text:p></table:table-cell>'
    case("columns-20000.ods", ods(f'<table:table table:name="T"><table:table-row>{full.format(20000, "x")}</table:table-row></table:table>'),
         failure=error("too_large", limit_name="columns_max", limit_value="1000", sheet="T", row="1"))
    case("bomb-of-rows.ods", ods(f'<table:table table:name="T"><table:table-row table:number-rows-repeated="4000000000">{full.format(1, "x" * 30)}</table:table-row></table:table>'),
         [row(n, "x" * 30) for n in range(1, 101)], error("too_large", limit_name="sheet_unpacked_bytes_max", limit_value="3000", row="101"),
         options={"limits": {"unpacked_bytes_max": 3000}})


# ── What programs write ───────────────────────────────────────────────────────────────────────────────────────────────

def demo_book():
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Kontakte"
    page.append(["Name", "PLZ", "Geboren", "Um", "Dauer", "Betrag", "Aktiv", "Summe", "Fehler"])
    page.append(["Änne Groß", "01067", datetime.date(1980, 12, 31), datetime.datetime(2025, 12, 31, 23, 59, 59), datetime.timedelta(hours=36, minutes=5), 8000.01, True, "=F2*2", "=1/0"])
    page.append(["Zeile 1\nZeile 2", "  x  ", datetime.date(1900, 3, 1), datetime.time(12, 30), None, -35.01, False, "=\"a\"&\"b\"", "=NA()"])
    page.append(["Hidden", None, None, None, None, 0.1])
    page.row_dimensions[4].hidden = True
    page.merge_cells("B4:C4")
    hidden = book.create_sheet("Geheim")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    return book


DEMO_INFOS = [head("Kontakte"), head("Geheim", True)]


def demo_rows(total, joined, divided, missing):
    return [row(1, "Name", "PLZ", "Geboren", "Um", "Dauer", "Betrag", "Aktiv", "Summe", "Fehler"),
            row(2, "Änne Groß", "01067", {"date": "1980-12-31"}, {"datetime": "2025-12-31T23:59:59"}, {"time": "36:05:00"}, {"number": "8000.01"}, {"boolean": "true"}, total, divided),
            row(3, "Zeile 1\nZeile 2", "  x  ", {"date": "1900-03-01"}, {"time": "12:30:00"}, None, {"number": "-35.01"}, {"boolean": "false"}, joined, missing),
            row(4, "Hidden", None, None, None, None, {"number": "0.1"}, hidden=True)]


def programs(folder, libreoffice):
    out = io.BytesIO()
    demo_book().save(out)
    none = {"error": "#NO_RESULT!"}
    written = parts.unzip(out.getvalue())
    written["docProps/core.xml"] = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2025-01-01T00:00:00Z", written["docProps/core.xml"])
    case("openpyxl.xlsx", zip_of(written), demo_rows(none, none, none, none), sheets=DEMO_INFOS, sheet="Kontakte", merged=1)
    calculated = demo_rows({"number": "16000.02"}, "ab", {"error": "#DIV/0!"}, {"error": "#N/A"})
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work) / "source.xlsx"
        demo_book().save(source)
        for extension in ("xlsx", "ods"):
            name = f"libreoffice.{extension}"
            if libreoffice:
                subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{work}/profile", "--convert-to", extension, "--outdir", f"{work}/out", source], check=True, stdout=subprocess.DEVNULL)
                content = (pathlib.Path(work) / "out" / f"source.{extension}").read_bytes()
                content = parts.renamed(content, str, drop=("Thumbnails/thumbnail.png",))
            else:
                content = (folder / name).read_bytes()
            case(name, content, calculated, sheets=DEMO_INFOS, sheet="Kontakte", merged=1)


def main():
    folder = pathlib.Path(sys.argv[1])
    for make in (text_encodings, text_lines, text_delimiters, text_quotes, text_limits, ndjson, foreign, xlsx_values, xlsx_dates, xlsx_shape, xlsx_broken, ods_cases):
        make()
    programs(folder, "--libreoffice" in sys.argv)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, (content, expectation) in CASES.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}.json").write_text(json.dumps(expectation, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(CASES)} cases")


main()
