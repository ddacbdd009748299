"""Imports over HTTP: a file becomes a preview, the preview records, and an undo takes them back. usage: imports_test.py SIEGEL_BINARY"""
import io
import pathlib
import socket
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import PURPOSE, RECORDS, add, erase, expect, get, token, wait_for_index  # noqa: E402

IMPORTS = "/v1/imports"
CSV = {"Content-Type": "text/csv"}


def table(rows, titles=("Name", "E-Mail", "Geboren")):
    return "\n".join(";".join(row) for row in (titles, *rows)).encode() + b"\n"


def xlsx(rows):
    """The least that is a workbook: inline strings only."""
    out = io.BytesIO()
    cells = "".join("<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in rows)
    main_ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')
        book.writestr("_rels/.rels", f'<Relationships {relations}><Relationship Id="r1" Type="{office}/officeDocument" '
                                     'Target="xl/workbook.xml"/></Relationships>')
        book.writestr("xl/workbook.xml", f'<workbook {main_ns} xmlns:r="{office}"><sheets><sheet name="Leute" sheetId="1" r:id="r1"/>'
                                         "</sheets></workbook>")
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships {relations}><Relationship Id="r1" Type="{office}/worksheet" '
                                                    'Target="worksheets/sheet1.xml"/></Relationships>')
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet {main_ns}><sheetData>{cells}</sheetData></worksheet>")
    return out.getvalue()


def form(file, options=None):
    boundary = "a-boundary"
    body = b""
    if options is not None:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="options"\r\nContent-Type: application/json\r\n\r\n{options}\r\n'.encode()
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a;b.csv"\r\n\r\n'.encode() + file
    return body + f"\r\n--{boundary}--\r\n".encode(), {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}


class Imports(Checked):
    environment = {"SIEGEL_SERVER_LOG_LEVEL": "debug"}

    def upload(self, file, query="?type=contacts&match=e-mail", role="editor", headers=CSV):
        return self.s.request("POST", IMPORTS + query, raw=file, token=self.s.tokens[role], headers=headers)

    def commit(self, preview, body=None, query="?wait=true", role="editor"):
        return self.s.request("POST", f"{IMPORTS}/{preview['import']}/commit{query}", body or {"bad_rows": "skip"},
                              token=self.s.tokens[role])

    def undo(self, preview, query="?wait=true"):
        return self.s.request("POST", f"{IMPORTS}/{preview['import']}/undo{query}", token=self.s.tokens["editor"])

    def all_records(self, position, path=RECORDS):
        items, cursor = [], ""
        while cursor is not None:
            page = expect(get(self.s, f"{path}?limit=200{cursor}", headers={"Siegel-At-Least": position}), 200).json
            items += page["items"]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        return {item["values"].get("e-mail"): item for item in items}

    def test_G1_G6_G7_from_file_to_records_and_back(self):
        known = expect(add(self.s, {"name": "Änne", "e-mail": "aenne@import.example", "born": "1980-12-31"}), 201).json
        same = expect(add(self.s, {"name": "Bo", "e-mail": "bo@import.example"}), 201).json
        file = table([("Änne Maier", "AENNE@import.example", "31.12.1980"), ("Bo", "bo@import.example", ""),
                      ("Cem", "cem@import.example", "01.02.1990"), ("Dea", "dea@import.example", "31.02.1990"),
                      ("", "erik@import.example", "")])
        preview = expect(self.upload(file), 201).json
        self.assertEqual(preview["state"], "previewed")
        self.assertEqual(preview["counts"], {"new": 1, "changed": 1, "unchanged": 1, "failed": 2})
        self.assertEqual(sum(preview["counts"].values()), preview["rows_read"])
        self.assertEqual([c["field"] for c in preview["columns"]], ["name", "e-mail", "born"])
        self.assertEqual({c["field"]: (c["old"], c["new"]) for c in preview["changes"]},
                         {"name": ("Änne", "Änne Maier"), "e-mail": ("aenne@import.example", "AENNE@import.example")})
        self.assertEqual([(f["row"], f["column"], f["code"]) for f in preview["failures"]],
                         [(5, "Geboren", "bad_date"), (6, "Name", "required")])
        before = self.all_records(preview["position"])
        self.assertNotIn("cem@import.example", before)

        whole = self.commit(preview, {"bad_rows": "none"})
        self.assertEqual((whole.status, whole.code), (422, "rows_invalid"))
        done = expect(self.commit(preview), 200).json
        self.assertEqual((done["state"], done["counts"]), ("finished", preview["counts"]))
        again = expect(self.commit(preview), 200)
        self.assertEqual((again.headers["Siegel-Replayed"], again.json["counts"]), ("true", done["counts"]))
        for other in ({"bad_rows": "none"}, {"bad_rows": "skip", "types": {"name": "text"}}):
            answer = self.commit(preview, other)
            self.assertEqual((answer.status, answer.code), (409, "state_conflict"), other)
        records = self.all_records(done["position"])
        self.assertEqual(records["cem@import.example"]["values"]["born"], "1990-02-01")
        self.assertEqual(records["AENNE@import.example"]["record"], known["record"])
        self.assertEqual(records["bo@import.example"]["version"], same["version"])
        history = expect(get(self.s, f"/v1/records/{known['record']}/history"), 200).json["items"]
        self.assertEqual(history[-1]["import"], preview["import"])

        rejects = expect(self.s.request("GET", f"{IMPORTS}/{preview['import']}/rejects", token=self.s.tokens["editor"]), 200)
        self.assertEqual(rejects.body.decode(),
                         "Name;E-Mail;Geboren;reason\r\nDea;dea@import.example;31.02.1990;Geboren: bad_date\r\n"
                         ";erik@import.example;;Name: required\r\n")

        expect(self.s.request("PATCH", f"/v1/records/{known['record']}", {"values": {"name": "Änne M."}},
                              token=self.s.tokens["editor"]), 200)
        undone = expect(self.undo(preview), 200).json
        self.assertEqual(undone["undone"], {"removed": 1, "restored": 0, "kept": 1})
        self.assertEqual(undone["kept"], [{"row": 2, "record": known["record"], "reason": "edited"}])
        records = self.all_records(undone["position"])
        self.assertNotIn("cem@import.example", records)
        self.assertEqual(records["AENNE@import.example"]["values"]["name"], "Änne M.")
        self.assertEqual(expect(self.undo(preview), 200).json["undone"], undone["undone"])
        for body in ({"bad_rows": "skip"}, {"bad_rows": "none"}):
            answer = self.commit(preview, body)
            self.assertEqual((answer.status, answer.code), (409, "state_conflict"))
        listed = expect(get(self.s, IMPORTS), 200).json["items"]
        self.assertEqual(listed[0]["state"], "undone")

    def test_G7_a_restored_record_has_its_values_back(self):
        known = expect(add(self.s, {"name": "Fay", "e-mail": "fay@import.example", "news": True}), 201).json
        preview = expect(self.upload(table([("Fay B.", "fay@import.example", "02.03.1970")])), 201).json
        done = expect(self.commit(preview), 200).json
        changed = expect(get(self.s, f"/v1/records/{known['record']}", headers={"Siegel-At-Least": done["position"]}), 200).json
        self.assertEqual(changed["values"], {"name": "Fay B.", "e-mail": "fay@import.example", "born": "1970-03-02", "news": True})
        undone = expect(self.undo(preview), 200).json
        self.assertEqual(undone["undone"], {"removed": 0, "restored": 1, "kept": 0})
        back = expect(get(self.s, f"/v1/records/{known['record']}", headers={"Siegel-At-Least": undone["position"]}), 200).json
        self.assertEqual(back["values"], {"name": "Fay", "e-mail": "fay@import.example", "news": True})

    def test_formats_and_forms(self):
        rows = [("Name", "E-Mail"), ("Gus", "gus@import.example")]
        book = xlsx(rows)
        sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        preview = expect(self.upload(book, headers={"Content-Type": sheet}), 201).json
        self.assertEqual((preview["sheet"], preview["sheets"], preview["counts"]["new"]), ("Leute", ["Leute"], 1))
        unknown = self.upload(book, "?type=contacts&sheet=Andere", headers={"Content-Type": sheet})
        self.assertEqual((unknown.status, unknown.code), (400, "sheet_unknown"))
        body, headers = form(table(rows[1:], rows[0]), '{"type":"contacts","match":["e-mail"],"delimiter":";"}')
        self.assertEqual(expect(self.upload(body, "", headers=headers), 201).json["counts"]["new"], 1)
        body, headers = form(book)
        self.assertEqual(expect(self.upload(body, headers=headers), 201).json["sheet"], "Leute")
        for raw, headers, code, status in ((b"x", {"Content-Type": "image/png"}, "unsupported_media", 415),
                                           (b"nothing", {"Content-Type": "multipart/form-data; boundary=b"}, "bad_value", 400),
                                           (b"PK\x03\x04torn", {"Content-Type": sheet}, "damaged_file", 400)):
            answer = self.upload(raw, headers=headers)
            self.assertEqual((answer.status, answer.code), (status, code))

    def test_columns_go_where_the_caller_says(self):
        file = table([("Jo", "jo@import.example", "x")], ("Wer", "Post", "Geboren"))
        body, headers = form(file, '{"type":"contacts","columns":{"Wer":"name","Post":"e-mail","Geboren":null}}')
        preview = expect(self.upload(body, "", headers=headers), 201).json
        self.assertEqual([c["field"] for c in preview["columns"]], ["name", "e-mail", None])
        done = expect(self.commit(preview), 200).json
        self.assertEqual(self.all_records(done["position"])["jo@import.example"]["values"], {"name": "Jo", "e-mail": "jo@import.example"})
        for columns, code in (('{"Wo":"name"}', "bad_value"), ('{"Wer":"nobody"}', "schema_invalid"), ('{"Wer":1}', "bad_value")):
            body, headers = form(file, f'{{"type":"contacts","columns":{columns}}}')
            answer = self.upload(body, "", headers=headers)
            self.assertEqual((answer.code, answer.json["pointer"]), (code, "/columns"))

    def test_EV03_a_key_gives_the_answer_of_before(self):  # [EV-03]
        def keyed(key, call, *args, **more):
            def request(*words, headers=None, **rest):
                return plain(*words, headers={**(headers or {}), "Idempotency-Key": key}, **rest)

            plain, self.s.request = self.s.request, request
            try:
                return call(*args, **more)
            finally:
                self.s.request = plain

        def is_replayed(answer, before):
            self.assertEqual((answer.status, answer.headers["Siegel-Replayed"]), (before.status, "true"))

        file = table([("Kim", "kim@import.example", ""), ("Kai", "kai@import.example", "")])
        first = expect(keyed("up", self.upload, file), 201)
        again = keyed("up", self.upload, file)
        is_replayed(again, first)
        self.assertEqual((again.json["import"], again.json["columns"]), (first.json["import"], first.json["columns"]))
        self.assertEqual(keyed("up", self.upload, file + b"Kit;kit@import.example;\n").code, "idempotency_conflict")
        preview = first.json
        done = expect(keyed("commit", self.commit, preview), 200)
        self.assertEqual(keyed("up", self.upload, file).code, "state_conflict")
        self.assertEqual(keyed("commit", self.commit, preview, {"bad_rows": "none"}).code, "idempotency_conflict")
        self.s.stop()
        self.s.serve()
        wait_for_index(self.s)
        again = keyed("commit", self.commit, preview)
        is_replayed(again, done)
        self.assertEqual((again.json["state"], again.json["counts"]), ("finished", done.json["counts"]))
        undone = expect(keyed("undo", self.undo, preview), 200)
        again = keyed("undo", self.undo, preview)
        is_replayed(again, undone)
        self.assertEqual(again.json["undone"], {"removed": 2, "restored": 0, "kept": 0})
        path = f"{IMPORTS}/{expect(self.upload(file), 201).json['import']}"
        for replayed in (None, "true"):
            answer = keyed("cancel", lambda: self.s.request("DELETE", path, token=self.s.tokens["editor"]))
            self.assertEqual((answer.status, answer.headers["Siegel-Replayed"]), (204, replayed))

    def test_files_in_memory_are_bounded(self):
        own = token(self.s, "editor", label="many")
        ask = lambda method, path, **more: self.s.request(method, path, token=own, **more)  # noqa: E731
        file = table([("Lu", "lu@import.example", "")])
        ids = []
        while (answer := ask("POST", f"{IMPORTS}?type=contacts", raw=file, headers=CSV)).status == 201:
            ids.append(answer.json["import"])
        self.assertEqual((answer.status, answer.code, answer.json["limit"]["name"]), (503, "overloaded", "previews_per_token_max"))
        self.assertIn("Retry-After", answer.headers)
        for one in ids:
            expect(ask("DELETE", f"{IMPORTS}/{one}"), 204)
        expect(ask("POST", f"{IMPORTS}?type=contacts", raw=file, headers=CSV), 201)

    def test_G8_a_search_sees_an_import_when_it_is_finished(self):
        def found(position=None):
            body = {"where": [{"field": "e-mail", "op": "prefix", "value": "seek"}], "limit": 1000}
            headers = {"Siegel-At-Least": position} if position else {}
            return len(expect(self.s.request("POST", "/v1/record-types/contacts/search", body, token=self.s.tokens["editor"],
                                             headers=headers), 200).json["items"])

        preview = expect(self.upload(table([(f"Seek {i}", f"seek{i}@import.example", "") for i in range(900)])), 201).json
        path = f"{IMPORTS}/{preview['import']}"
        expect(self.commit(preview, query=""), 202)
        looks = 0
        while True:
            seen = found()
            if (state := expect(get(self.s, path), 200).json)["state"] != "committing":
                break
            self.assertEqual(seen, 0)
            looks += 1
        self.assertGreater(looks, 0)
        self.assertEqual(found(state["position"]), 900)
        self.assertEqual(found(expect(self.undo(preview), 200).json["position"]), 0)

    def test_who_may(self):
        file = table([("Hal", "hal@import.example", "")])
        self.assertEqual(self.upload(file, role="auditor").code, "role_denied")
        self.assertEqual(self.upload(file, "?type=unknown").status, 404)
        self.assertEqual(self.upload(file, "?type=contacts&match=born").json["reason"], "match_not_searchable")
        other = token(self.s, "editor", label="other")
        preview = expect(self.upload(file), 201).json
        path = f"{IMPORTS}/{preview['import']}"
        self.assertEqual(self.s.request("GET", path, token=other).status, 404)
        self.assertEqual(self.s.request("POST", f"{path}/commit", {}, token=other).status, 404)
        self.assertEqual(self.s.request("GET", f"{path}/rejects", token=other).status, 404)
        self.assertEqual(self.s.request("GET", path, token=self.s.tokens["sender"]).code, "role_denied")
        for stranger in (other, self.s.tokens["privacy_officer"]):
            self.assertEqual(self.s.request("DELETE", path, token=stranger).status, 404)
        self.assertEqual(self.s.request("DELETE", path, token=self.s.tokens["editor"]).status, 204)
        self.assertEqual(self.commit(preview).status, 404)
        nobody = f"{IMPORTS}/im_{'A' * 22}"
        for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/undo"), ("GET", "/rejects")):
            self.assertEqual(self.s.request(method, nobody + more, token=self.s.tokens["editor"]).status, 404)
        self.assertEqual(self.commit({"import": f"im_{'A' * 22}"}).status, 404)

    def test_whoever_may_not_import_is_refused_before_the_file_comes(self):
        def asks(role, length, purpose=PURPOSE):
            with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as connection:
                connection.sendall((f"POST {IMPORTS}?type=contacts HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {self.s.tokens[role]}\r\n"
                                    f"Siegel-Purpose: {purpose}\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\n\r\nN").encode())
                return connection.recv(65_536).decode()

        self.assertIn("role_denied", asks("auditor", 256 << 20))
        self.assertIn("purpose_unknown", asks("editor", 256 << 20, "nothing"))
        expect(self.upload(table([("Ida", "ida@import.example", "")])), 201)  # nobody holds the room

    def test_G1_a_type_of_the_file(self):
        all_types = expect(self.s.request("POST", "/v1/tokens", {"role": "editor", "purposes": [PURPOSE], "all_types": True,
                                                                 "label": "types"}), 201).json["token"]
        rows = [(f"Person {i}", f"p{i}@guests.example", "007") for i in range(30)]
        ask = lambda path, **more: self.s.request("POST", IMPORTS + path, token=all_types, **more)  # noqa: E731
        preview = expect(ask("", raw=table(rows, ("Name", "E-Mail", "Tisch")), headers=CSV), 201).json
        self.assertEqual([c["type"] for c in preview["columns"]], ["text", "email", "text"])
        self.assertEqual(preview["columns"][2]["reason"], "leading_zero")
        path = f"/{preview['import']}/commit?wait=true"
        self.assertEqual(ask(path, body={}).json["pointer"], "/create_type")
        self.assertEqual(ask(path, body={"create_type": "guests"}).code, "class_missing")
        self.assertEqual(ask(path, body={"create_type": "contacts", "class": "customer"}).code, "exists")
        done = expect(ask(path, body={"create_type": "guests", "class": "customer", "title": {"de": "Gäste"}}), 200).json
        self.assertEqual((done["type"], done["counts"]["new"]), ("guests", 30))
        made = expect(self.s.request("GET", "/v1/record-types/guests"), 200).json
        self.assertEqual(made["subject"], {"mode": "match", "fields": ["e-mail"]})

    def test_a_type_of_the_file_is_for_a_token_that_carries_it(self):
        preview = expect(self.upload(table([("Gil", "gil@guests.example", "")]), ""), 201).json  # the editor's is for contacts only
        for query in ("", "?wait=true"):
            answer = self.commit(preview, {"create_type": "strangers", "class": "customer"}, query)
            self.assertEqual((answer.status, answer.code), (403, "type_denied"))
        self.assertEqual(self.commit(preview, {"create_type": "contacts", "class": "customer"}).code, "exists")
        self.assertEqual(self.s.request("GET", "/v1/record-types/strangers").status, 404)
        self.assertEqual(expect(get(self.s, f"{IMPORTS}/{preview['import']}"), 200).json["state"], "previewed")
        expect(self.s.request("DELETE", f"{IMPORTS}/{preview['import']}", token=self.s.tokens["editor"]), 204)

    def test_G8_cancel_and_stop_leave_nothing(self):
        rows = [(f"Many {i}", f"many{i}@import.example", "") for i in range(4000)]
        for how in ("cancel", "stop"):
            preview = expect(self.upload(table(rows)), 201).json
            path = f"{IMPORTS}/{preview['import']}"
            expect(self.commit(preview, query=""), 202)
            while (state := expect(get(self.s, path), 200).json)["state"] == "committing" and state.get("done", 0) == 0:
                time.sleep(0.001)
            if how == "cancel":
                answer = self.s.request("DELETE", path, token=self.s.tokens["editor"])
                self.assertEqual(answer.status, 204)
            else:
                self.s.stop()
                self.s.serve()
                wait_for_index(self.s)
            ended = expect(get(self.s, path), 200).json
            self.assertEqual(ended["state"], "cancelled")
            self.assertFalse([key for key in self.all_records(ended["position"]) if key and key.startswith("many")])

    def test_G9_no_cell_in_the_log(self):  # [G9]
        canary = "kanarien-zelle"
        rows = [(canary, f"{canary}@import.example", ""), (canary, f"{canary}2@import.example", canary), (canary, canary, "31.12.1980")]
        preview = expect(self.upload(table(rows)), 201).json
        self.assertEqual(self.commit(preview, {"bad_rows": "none"}).code, "rows_invalid")
        done = expect(self.commit(preview), 200).json
        self.assertEqual((done["counts"]["new"], done["counts"]["failed"]), (1, 2))
        self.assertIn(canary, expect(self.s.request("GET", f"{IMPORTS}/{preview['import']}/rejects", token=self.s.tokens["editor"]), 200).body.decode())
        self.assertIn(canary, str(expect(self.upload(table([("Andere", *rows[0][1:])])), 201).json["changes"]))
        expect(self.undo(preview), 200)
        book = xlsx([("Name", "E-Mail"), (canary, f"{canary}@import.example")])
        sheet = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        expect(self.upload(book, "?type=contacts", headers=sheet), 201)
        wrong, boundary = form(table(rows), f'{{"type":"contacts","columns":{{"{canary}":"name"}}}}')
        for answer in (self.upload(book[:-40], "?type=contacts", headers=sheet), self.upload(book, f"?type=contacts&sheet={canary}", headers=sheet),
                       self.upload(wrong, "", headers=boundary), self.upload(table(rows), f"?type=contacts&match={canary}")):
            self.assertIn(answer.status, (400, 422), answer.body)
            self.assertNotIn(canary, answer.body.decode())
        self.upload(f'Name\n"{canary}'.encode() + b"\xff\x00", "?type=contacts")  # whatever is made of it
        log = self.s.log_text()
        self.assertIn("status=201", log)  # it tells of each answer
        self.assertNotIn(canary, log)

    def test_an_erasure_takes_what_an_import_brought(self):
        preview = expect(self.upload(table([("Ida", "ida@import.example", "")])), 201).json
        done = expect(self.commit(preview), 200).json
        record = self.all_records(done["position"])["ida@import.example"]
        expect(erase(self.s, record["subject"]), 201)
        self.assertEqual(get(self.s, f"/v1/records/{record['record']}").status, 410)
        undone = expect(self.undo(preview), 200).json
        self.assertEqual([kept["reason"] for kept in undone["kept"]], ["erased"])


if __name__ == "__main__":
    main()
