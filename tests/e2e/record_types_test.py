"""Definitions of types, classes, purposes and tokens: docs/record-types.md step by step, what is assumed where a definition says nothing,
and what a refusal names. usage: record_types_test.py SIEGEL_BINARY
"""
import csv
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "support"))
from contacts import PURPOSE, add, expect, get, prepare, wait_for_index  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
DOC = (REPO / "docs" / "record-types.md").read_text()
FIELD_TYPES = {"text", "multiline", "email", "phone", "url", "integer", "decimal", "date", "datetime", "boolean", "choice", "multichoice",
               "reference", "file", "signature", "geo"}


class TheDocument(unittest.TestCase):
    """Its commands, run as they stand there."""

    def setUp(self):
        self.s = Siegel(BINARY)
        self.s.__enter__()
        self.addCleanup(lambda: self.s.__exit__(None, None, None))
        self.s.init()
        self.s.token = self.s.make_token()
        self.s.serve()
        wait_for_index(self.s)

    def run_block(self, block, token):
        """The output of the last command. What the block writes lies in the test's own directory."""
        out = None
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if not words or words[0] == "export":
                continue
            self.assertEqual(words[0], "siegel", line)
            words = [str(REPO / w) if w.startswith("docs/") else w for w in words[1:]]
            out = subprocess.run([BINARY, "--server", f"http://127.0.0.1:{self.s.port}", *words], capture_output=True, text=True, timeout=120,
                                 cwd=self.s.home, env={**os.environ, "SIEGEL_TOKEN": token})
            self.assertEqual(out.returncode, 0, f"{line}\n{out.stdout}\n{out.stderr}")
        return out.stdout

    def test_the_worked_example(self):
        blocks = re.findall(r"```sh\n(.*?)```", DOC, re.S)
        self.assertEqual(len(blocks), 4)
        editor = re.search(r"sgl_[A-Za-z0-9_-]{43}", self.run_block(blocks[0], self.s.token)).group()
        self.run_block(blocks[1], editor)
        exporter = re.search(r"sgl_[A-Za-z0-9_-]{43}", self.run_block(blocks[2], self.s.token)).group()
        lines = [json.loads(line) for line in self.run_block(blocks[3], exporter).splitlines()]
        self.assertEqual((len(lines), {name for one in lines for name in one["values"]}), (21, {"name", "e-mail"}))
        listed = expect(self.s.request("GET", "/v1/record-types/mitglieder/records?limit=200", token=editor), 200).json["items"]
        members = {item["values"]["nummer"]: item for item in listed}
        with open(REPO / "docs" / "examples" / "mitglieder.csv", newline="", encoding="utf-8") as file:
            rows = {row["Mitgliedsnummer"]: row for row in csv.DictReader(file, delimiter=";")}
        self.assertEqual((len(rows), set(members)), (20, {*rows, "0021"}))
        self.assertEqual(members["0001"]["values"]["abteilungen"], ["Turnen", "Schwimmen"])
        self.assertEqual(members["0001"]["values"]["geboren"], "1960-11-24")
        self.assertIn("\n", members["0015"]["values"]["notiz"])
        # The child has the mother's address, and is somebody else.
        self.assertEqual(members["0015"]["values"]["e-mail"], members["0003"]["values"]["e-mail"])
        self.assertEqual(len({item["subject"] for item in listed}), 21)
        shown = expect(self.s.request("GET", "/v1/record-types/mitglieder"), 200).json
        self.assertTrue(all(field["personal"] for field in shown["fields"]))
        self.s.stop()

    def test_other_definitions_that_it_shows(self):
        mitglied, purpose = re.findall(r"```json\n(.*?)```", DOC, re.S)
        expect(self.s.request("PUT", "/v1/deletion-classes/c", raw=mitglied.encode()), 201)
        expect(self.s.request("PUT", "/v1/purposes/p", raw=purpose.encode()), 201)
        self.assertEqual(set(re.findall(r"`([a-z]+)`", "".join(
            line.split("|")[1] for line in DOC.split("### Field types")[1].split("##")[0].splitlines() if line.startswith("| `")))), FIELD_TYPES)
        self.s.stop()


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        prepare(cls.s)

    @classmethod
    def tearDownClass(cls):
        cls.s.stop()
        cls.s.__exit__(None, None, None)

    def put(self, name, fields, subject):
        return self.s.request("PUT", f"/v1/record-types/{name}", {"class": "customer", "subject": subject, "fields": fields})

    def test_personal_is_what_a_person_says_unless_it_is_denied(self):
        """docs/adr/0008"""
        fields = [{"name": "a", "type": "text"}, {"name": "b", "type": "text", "personal": False}, {"name": "c", "type": "text", "personal": None}]
        for name, subject, personal in (("as-row", {"mode": "row"}, [True, False, True]),
                                        ("as-match", {"mode": "match", "fields": ["a"]}, [True, False, True]),
                                        ("as-none", {"mode": "none"}, [False, False, False]), ("unsaid", None, [False, False, False])):
            expect(self.put(name, fields, subject), 201)
            shown = expect(self.s.request("GET", f"/v1/record-types/{name}"), 200).json
            self.assertEqual([field["personal"] for field in shown["fields"]], personal, name)
        refused = self.put("denied", fields, {"mode": "match", "fields": ["b"]})
        self.assertEqual((refused.status, refused.code), (422, "schema_invalid"))

    def test_a_refused_word_is_told_with_those_that_are_allowed(self):
        field = self.put("wrong", [{"name": "a", "type": "string"}], {"mode": "none"})
        self.assertEqual(field.json["pointer"], "/fields/0/type")
        for name in FIELD_TYPES:
            self.assertIn(name, field.json["detail"])
        good = {"period": "P3Y", "start": "collection", "legal_ground": "contract"}
        start = self.s.request("PUT", "/v1/deletion-classes/wrong", {**good, "start": "today"})
        self.assertEqual(start.json["pointer"], "/start")
        for name in ("collection", "last_change", "end_of_case", "end_of_relationship", "end_of_calendar_year_of_"):
            self.assertIn(name, start.json["detail"])
        for path, body in (("/v1/deletion-classes/wrong", {**good, "legal_ground": "none"}), ("/v1/purposes/wrong", {"legal_ground": "none"})):
            ground = self.s.request("PUT", path, body)
            self.assertEqual(ground.json["pointer"], "/legal_ground")
            for name in ("consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests"):
                self.assertIn(name, ground.json["detail"])

    def test_a_token_for_what_is_not_registered_is_refused(self):
        grant = {"role": "editor", "purposes": [PURPOSE], "types": ["contacts"]}
        expect(self.s.request("POST", "/v1/tokens", grant), 201)
        for member, pointer in (({"purposes": [PURPOSE, "nothing"]}, "/purposes/1"), ({"types": ["nothing"]}, "/types/0")):
            refused = self.s.request("POST", "/v1/tokens", {**grant, **member})
            self.assertEqual((refused.status, refused.code, refused.json["pointer"]), (422, "schema_invalid", pointer))
        # A purpose may name a type that comes later: it is registered first.
        expect(self.s.request("PUT", "/v1/purposes/early", {"legal_ground": "contract", "fields": {"later": ["a"]}}), 201)

    def test_white_space_is_no_value_of_a_required_field(self):
        for blank in (" ", "\t ", "\u00a0", "\u2003\u3000"):
            refused = add(self.s, {"name": blank})
            self.assertEqual((refused.status, refused.code), (400, "bad_value"))
            self.assertEqual((refused.json["pointer"], refused.json["reason"]), ("/values/name", "required"))
        made = expect(add(self.s, {"name": " A\u00a0"}), 201).json
        self.assertEqual(get(self.s, f"/v1/records/{made['record']}").json["values"]["name"], " A\u00a0")
        changed = self.s.request("PATCH", f"/v1/records/{made['record']}", {"values": {"name": "  "}}, token=self.s.tokens["editor"])
        self.assertEqual((changed.status, changed.json["reason"]), (400, "required"))


class LocalTokens(unittest.TestCase):
    def test_the_local_command_looks_too(self):
        with Siegel(BINARY) as s:
            s.init()
            done = s.run("token", "create", "--local", "--role", "editor", "--purposes", "nothing", check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("pointer=/purposes/0", done.stderr)


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
