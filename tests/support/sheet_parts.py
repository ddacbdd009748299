"""The parts of spreadsheets, made by hand: for make_sheets.py and the tests of the readers."""
import io
import struct
import zipfile
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
BOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


# ── Expectations ──────────────────────────────────────────────────────────────────────────────────────────────────────

def row(number, *cells, hidden=False):
    out = {"row": number, "cells": list(cells)}
    return {**out, "hidden": True} if hidden else out


def error(code, **context):
    return {"code": code, **context}


def head(name, hidden=False):
    return {"name": name, "hidden": hidden}


# ── Zips ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

def entry(name, method=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = method
    return info


def zip_of(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(entry(name, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED), content, compresslevel=9)
    return out.getvalue()


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def renamed(content, rename, drop=()):
    """The same parts under other names, written anew without the time of their making."""
    return zip_of({rename(name): part for name, part in unzip(content).items() if name not in drop})


def without(content, name):
    parts = unzip(content)
    del parts[name]
    return zip_of(parts)


def twice(content, name):
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as file:
        file.writestr(entry(name.upper()), "<x/>")
    return out.getvalue()


def headers_of(content, name):
    """Offsets of the local and the central header of a part."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        local = file.getinfo(name).header_offset
    at = content.index(b"PK\x01\x02")
    while content[at + 46:at + 46 + len(name)] != name.encode():
        at = content.index(b"PK\x01\x02", at + 1)
    return local, at


def with_field(content, name, local_at, central_at, value):
    changed = bytearray(content)
    local, central = headers_of(content, name)
    changed[local + local_at:local + local_at + len(value)] = value
    changed[central + central_at:central + central_at + len(value)] = value
    return bytes(changed)


def with_wrong_checksum(content, name):
    return with_field(content, name, 14, 16, b"\x12\x34\x56\x78")


def with_declared_size(content, name, size):
    return with_field(content, name, 22, 24, struct.pack("<I", size))


def with_encrypted_flag(content):
    for name in unzip(content):
        content = with_field(content, name, 6, 8, b"\x01\x00")
    return content


def compound(*names):
    """A compound file (MS-CFB) of one directory sector with streams of these names; all of them empty."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 0, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 1) + b"\xff" * 432
    directory = b""
    for kind, name in [(5, "Root Entry"), *((2, name) for name in names)]:
        wide = name.encode("utf-16le")
        directory += wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide) + 2, kind, 1) + b"\xff" * 12 + bytes(48)
    return header.ljust(512, b"\xff") + directory.ljust(512, b"\0") + (struct.pack("<II", 0xFFFFFFFE, 0xFFFFFFFD)).ljust(512, b"\xff")


# ── OOXML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

def cell(reference, value, **attributes):
    return f'<c r="{reference}"' + "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items()) + f"><v>{value}</v></c>"


def text_cell(reference, text):
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def sheet(*content, after="", namespace=MAIN):
    return f'<worksheet xmlns="{namespace}"><sheetData>' + "".join(content) + f"</sheetData>{after}</worksheet>"


def prefixed_sheet():
    return (f'<?xml version="1.0" encoding="UTF-8"?><x:worksheet xmlns:x="{MAIN}" xmlns="urn:other"><row r="1"><c r="A1"><v>9</v></c></row><x:sheetData><x:row r="1">'
            '<x:c r="A1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c><x:c r="B1"><x:v>1</x:v><v>2</v></x:c></x:row></x:sheetData></x:worksheet>')


def rels(*relations, base=OFFICE_RELATIONS):
    return f'<Relationships xmlns="{PACKAGE_RELATIONS}">' + "".join(
        f'<Relationship Id="{i}" Type="{base}/{kind}" Target="{target}"/>' for i, kind, target in relations) + "</Relationships>"


def workbook(sheets, properties="", strict=False):
    main, relations = (STRICT_MAIN, STRICT_RELATIONS) if strict else (MAIN, OFFICE_RELATIONS)
    return (f'<workbook xmlns="{main}" xmlns:r="{relations}">{properties}<sheets>' + "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" state="{state}" r:id="rId{n}"/>' for n, (name, state) in enumerate(sheets, 1)) + "</sheets></workbook>")


def styles(formats, namespace=MAIN):
    """A style for each format: the number of a built-in one, or a code."""
    own = [f for f in formats if isinstance(f, str) and f != "General"]
    codes = "".join(f'<numFmt numFmtId="{164 + i}" formatCode={quoteattr(code)}/>' for i, code in enumerate(own))
    number = lambda f: 0 if f == "General" else 164 + own.index(f) if isinstance(f, str) else f
    xfs = "".join(f'<xf numFmtId="{number(f)}" applyNumberFormat="1"/>' for f in formats)
    return f'<styleSheet xmlns="{namespace}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>{xfs}</cellXfs></styleSheet>'


def types(book_type):
    return ('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{book_type}"/></Types>')


def many_sheets(sheets, shared=None, styles=None, book_properties="", absolute=False, strict=False, book_type=BOOK_TYPE):
    """sheets: (name, state, XML)"""
    base, main = (STRICT_RELATIONS, STRICT_MAIN) if strict else (OFFICE_RELATIONS, MAIN)
    folder = "/xl/" if absolute else ""
    relations = [(f"rId{n}", "worksheet", f"{folder}worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
    out = {"[Content_Types].xml": types(book_type), "_rels/.rels": rels(("rId1", "officeDocument", "/xl/workbook.xml" if absolute else "xl/workbook.xml"), base=base),
           "xl/workbook.xml": workbook([(name, state) for name, state, _ in sheets], book_properties, strict)}
    if shared is not None:
        relations.append(("rIdS", "sharedStrings", f"{folder}sharedStrings.xml"))
        out["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">' + "".join(shared) + "</sst>"
    if styles is not None:
        relations.append(("rIdF", "styles", f"{folder}./styles.xml"))
        out["xl/styles.xml"] = styles
    out["xl/_rels/workbook.xml.rels"] = rels(*relations, base=base)
    for n, (_, _, content) in enumerate(sheets, 1):
        out[f"xl/worksheets/sheet{n}.xml"] = content
    return zip_of(out)


def xlsx(content, **rest):
    return many_sheets([("Tabelle1", "visible", content)], **rest)


# ── ODF ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

def ods(tables, styles="", manifest="", doctype=""):
    urn = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = " ".join(f'xmlns:{p}="{urn}{p}:1.0"' for p in ("office", "table", "text", "style"))
    spaces += f' xmlns:draw="{urn}drawing:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    content = (f'{doctype}<office:document-content {spaces}><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>'
               f"{tables}</office:spreadsheet></office:body></office:document-content>")
    listing = f'<manifest:manifest xmlns:manifest="{urn}manifest:1.0">{manifest}</manifest:manifest>'
    return zip_of({"mimetype": ODS, "content.xml": content, "META-INF/manifest.xml": listing})
