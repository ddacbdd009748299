"""Each line of the contract's table of codes that the core can answer, against the real server.

Every answer is held against schemas/openapi.yaml; no error and no log may hold what was sent. usage: codes_test.py SIEGEL_BINARY
"""
import concurrent.futures
import datetime
import http.client
import json
import pathlib
import shutil
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import openapi_check  # noqa: E402
from contacts import PURPOSE, RECORDS, TYPE, add, erase, expect, get, prepare, token  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
CANARY = "kanari-wuxqy"  # stands in every bad value, member, header and path; nothing may answer or log it
NOBODY = "re_" + "A" * 22


def is_problem(case, answer, status, code, **members):
    case.assertEqual((answer.status, answer.code), (status, code), answer.body[:300])
    body = answer.json
    case.assertEqual(answer.headers["Content-Type"], "application/problem+json")
    case.assertEqual(body["type"], f"urn:siegel:problem:{code}")
    case.assertEqual(body["status"], status)
    for member in ("title", "detail", "hint"):
        case.assertTrue(body[member], member)
    case.assertEqual(body["request_id"], answer.headers["Siegel-Request-Id"])
    case.assertNotIn(CANARY.encode(), answer.body)
    case.assertEqual("Retry-After" in answer.headers, status in (429, 503))
    case.assertEqual("WWW-Authenticate" in answer.headers, status == 401)
    for name, value in members.items():
        case.assertEqual(body.get(name), value, name)


class Codes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        prepare(cls.s)
        cls.known = expect(add(cls.s, {"name": "Ada", "e-mail": "ada@example.org"}), 201).json

    @classmethod
    def tearDownClass(cls):
        code = cls.s.stop()
        log = cls.s.log_text()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"
        assert CANARY not in log, "the log holds what was sent"
        assert "ERROR" not in log and "runtime error" not in log, log[-2000:]

    problem = is_problem

    def post(self, raw, path=RECORDS, role="editor", **more):
        raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
        return self.s.request("POST", path, raw=raw, token=self.s.tokens.get(role, self.s.token), **more)

    def raw(self, data):
        """Bytes that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=30) as wire:
            wire.sendall(data)
            answer = http.client.HTTPResponse(wire)
            answer.begin()
            from siegel_process import Answer
            return Answer(answer.status, answer.headers, answer.read())

    # ── 400 ──

    def test_400_bad_json(self):
        deep = b'{"values":' + b'{"a":' * 31 + b'"' + CANARY.encode() + b'"' + b"}" * 32
        for raw in (b"", b"{", b"[]", b'"%s"' % CANARY.encode(), b"null", b"{}{}", b'{"values":{}}x', b'{"values":{"name":"\xff"}}',
                    b'{"values":{"name":NaN}}', b"{'values':{}}", b'{"values":{"name":"a","name":"%s"}}' % CANARY.encode(),
                    b'{"values":{},"values":{}}', b'{"values":{"na\\u006de":"a","name":"b"}}', deep, b"{" * 100_000,
                    b'{"values":{"name":"\\ud800"}}', b'{"values":{"name":"a\nb"}}'):
            self.problem(self.post(raw), 400, "bad_json")

    def test_400_depth_32_is_still_read(self):
        nested = b'{"values":' + b'{"a":' * 30 + b'""' + b"}" * 31
        self.problem(self.post(nested), 400, "bad_value")

    def test_400_unknown_field(self):
        self.problem(self.post({"values": {"name": "a"}, CANARY: 1}), 400, "unknown_field", pointer="")
        self.problem(self.post({"values": {"name": "a", CANARY: "b"}}), 400, "unknown_field")
        self.problem(self.post({"values": {"name": "a"}, "external": {"system": "crm", "id": "1", CANARY: 1}}), 400,
                     "unknown_field", pointer="/external")
        for fields in (f"name,{CANARY}", "name,", ",name"):
            self.problem(get(self.s, f"{RECORDS}?fields={fields}"), 400, "unknown_field")
        for path, body in (("/v1/purposes/p", {"legal_ground": "contract"}), ("/v1/deletion-classes/c", {}),
                           ("/v1/record-types/t", {"fields": []})):
            self.problem(self.s.request("PUT", path, {**body, CANARY: 1}), 400, "unknown_field", pointer="")
        self.problem(self.s.request("POST", "/v1/tokens", {"role": "editor", CANARY: 1}), 400, "unknown_field", pointer="")
        self.problem(self.s.request("POST", "/v1/erasures", {"ground": "art17-1-a", CANARY: 1},
                                    token=self.s.tokens["privacy_officer"]), 400, "unknown_field", pointer="")

    def test_400_bad_value(self):
        for values, pointer in (({"name": 7}, "/values"), ({"name": 1.5}, "/values"), ({"name": {"a": CANARY}}, "/values"),
                                ({"name": [1]}, "/values"), ({"name": [CANARY]}, "/values/name"),
                                ({"name": True}, "/values/name"), ({"name": None}, "/values/name"), ({}, "/values/name"),
                                ({"name": "a", "born": CANARY}, "/values/born"), ({"name": "a", "born": "2025-02-30"}, "/values/born"),
                                ({"name": "a", "e-mail": CANARY}, "/values/e-mail"), ({"name": "a", "news": CANARY}, "/values/news")):
            self.problem(self.post({"values": values}), 400, "bad_value", pointer=pointer)
        for body, pointer in (({}, "/values"), ({"values": None}, "/values"), ({"values": [CANARY]}, "/values"),
                              ({"values": {"name": "a"}, "subject": CANARY}, "/subject"),
                              ({"values": {"name": "a"}, "subject": ""}, "/subject"),  # empty is not left out
                              ({"values": {"name": "a"}, "subject": 1}, "/subject"),
                              ({"values": {"name": "a"}, "reason": 1}, "/reason"),
                              ({"values": {"name": "a"}, "external": {"system": CANARY.upper(), "id": "1"}}, "/external"),
                              ({"values": {"name": "a"}, "external": CANARY}, "/external")):
            self.problem(self.post(body), 400, "bad_value", pointer=pointer)
        record = f"/v1/records/{self.known['record']}"
        self.problem(self.s.request("PATCH", record, {"values": {}}, token=self.s.tokens["editor"]), 400, "bad_value", pointer="/values")
        for query in ("limit=0", "limit=201", f"limit={CANARY}", "limit=-1", "limit=", "limit=99999999999999999999"):
            self.assertEqual(get(self.s, f"{RECORDS}?{query}").code, "bad_value", query)
        self.problem(get(self.s, f"{RECORDS}?limit=1&limit=2"), 400, "bad_value")
        self.problem(get(self.s, f"{RECORDS}?limit=%zz{CANARY}"), 400, "bad_value")
        self.problem(get(self.s, f"/v1/subjects/{self.known['subject']}/export?format={CANARY}"), 400, "bad_value", pointer="/format")
        self.problem(get(self.s, f"/v1/events?from={CANARY}", "auditor"), 400, "bad_value", pointer="/from")
        self.problem(get(self.s, "/v1/events?limit=1001", "auditor"), 400, "bad_value", pointer="/limit")
        for path in (f"/v1/records/{self.known['record']}", f"/v1/subjects/{self.known['subject']}", RECORDS):
            self.problem(get(self.s, f"{path}?as_of=1"), 400, "bad_value", pointer="/as_of")
        for query in ("index=1", "index=5&size=5", "index=0&size=999999", f"index={CANARY}&size=1"):
            self.problem(get(self.s, f"/v1/log/proofs/inclusion?{query}", "auditor"), 400, "bad_value")
        for query in ("from=2&to=1", "from=0&to=0", "from=0&to=999999"):
            self.problem(get(self.s, f"/v1/log/proofs/consistency?{query}", "auditor"), 400, "bad_value")
        subject = self.known["subject"]
        for body, pointer in (({"subject": CANARY, "ground": "art17-1-a"}, "/subject"), ({"subject": subject}, "/ground"),
                              ({"subject": subject, "ground": CANARY}, "/ground"), ({"ground": "art17-1-a"}, "/subject"),
                              ({"subject": subject, "subjects": [subject], "ground": "art17-1-a"}, "/subject"),
                              ({"subjects": [subject, subject], "ground": "art17-1-a"}, "/subjects"),
                              ({"subject": subject, "ground": "art17-1-a", "classes": [CANARY]}, "/classes"),
                              ({"subject": subject, "ground": "art17-1-a", "classes": ["access-log"]}, "/classes"),
                              ({"subject": subject, "ground": "art17-1-a", "classes": CANARY}, "/classes"),
                              ({"subject": subject, "ground": "art17-1-a", "classes": None}, "/classes"),
                              ({"subject": subject, "ground": "art17-1-a", "mode": CANARY}, "/mode")):
            self.problem(self.post(body, "/v1/erasures", "privacy_officer"), 400, "bad_value", pointer=pointer)
        for body, pointer in (({}, "/role"), ({"role": CANARY}, "/role"), ({"role": "editor", "expires_at": CANARY}, "/expires_at"),
                              ({"role": "editor", "purposes": CANARY}, "/purposes"), ({"role": "editor", "subject": CANARY}, "/subject")):
            self.problem(self.post(body, "/v1/tokens", "admin"), 400, "bad_value", pointer=pointer)

    def test_400_bad_cursor(self):
        for cursor in (CANARY, "A", "A" * 23, "=" * 22):
            self.problem(get(self.s, f"{RECORDS}?cursor={cursor}"), 400, "bad_cursor")
        self.problem(get(self.s, f"/v1/records/{self.known['record']}/history?cursor={CANARY}"), 400, "bad_cursor")
        self.problem(get(self.s, f"/v1/erasures?cursor={CANARY}", "privacy_officer"), 400, "bad_cursor")

    def test_400_bad_header(self):
        body = {"values": {"name": "a"}}
        for name, value in (("Idempotency-Key", ""), ("Idempotency-Key", CANARY + " x"), ("Idempotency-Key", "x" * 129),
                            ("If-Match", CANARY), ("If-Match", '"x"'), ("If-Match", "*"), ("If-None-Match", f'"{CANARY}"')):
            self.problem(self.post(body, headers={name: value}), 400, "bad_header")
        for headers in ({"Siegel-At-Least": CANARY}, {"Siegel-At-Least": self.known["position"], "Siegel-Wait-Ms": "30001"},
                        {"Siegel-At-Least": self.known["position"], "Siegel-Wait-Ms": CANARY}):
            self.problem(get(self.s, f"/v1/records/{self.known['record']}", headers=headers), 400, "bad_header")
        for last in (CANARY, "9" * 19):
            for accept in ("text/event-stream", "application/x-ndjson"):
                self.problem(get(self.s, "/v1/events?from=0", "auditor", headers={"Accept": accept, "Last-Event-ID": last}),
                             400, "bad_header")
        self.problem(get(self.s, f"/v1/events?from={'9' * 19}", "auditor"), 400, "bad_value", pointer="/from")
        empty = get(self.s, f"/v1/events?from={'9' * 18}", "auditor")
        self.assertEqual((empty.status, empty.body, empty.headers["Content-Type"]), (200, b"", "application/x-ndjson"))
        bearer = f"Authorization: Bearer {self.s.tokens['editor']}\r\n"
        for lines in ("", "Host: a\r\nHost: b\r\n", "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
                      "Host: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Host: a\r\nTransfer-Encoding: gzip\r\n",
                      f"Host: a\r\n{bearer}{bearer}",
                      f"Host: a\r\n{bearer}Siegel-Purpose: {PURPOSE}\r\nSiegel-Purpose: {CANARY}\r\n"):
            self.problem(self.raw(f"GET /v1/status HTTP/1.1\r\n{lines}\r\n".encode()), 400, "bad_header")

    # ── 401, 403 ──

    def test_401_tokens(self):
        self.problem(self.s.request("GET", "/v1/status", token=None), 401, "token_missing")
        self.problem(self.s.request("GET", "/v1/status", token=None, headers={"Authorization": f"Basic {CANARY}"}), 401, "token_missing")
        for wrong in (f"sgl_{CANARY}", "sgl_" + "A" * 43, "A" * 47, self.s.token + "x"):
            self.problem(self.s.request("GET", "/v1/status", token=wrong), 401, "token_wrong")
        made = expect(self.s.request("POST", "/v1/tokens", {"role": "editor", "label": "gone"}), 201).json
        self.assertEqual(self.s.request("GET", "/v1/status", token=made["token"]).status, 200)
        self.assertEqual(self.s.request("DELETE", f"/v1/tokens/{made['token_id']}").status, 204)
        self.problem(self.s.request("GET", "/v1/status", token=made["token"]), 401, "token_wrong")

    def test_401_expired(self):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
        short = token(self.s, "editor", expires_at=end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        while datetime.datetime.now(datetime.timezone.utc) <= end + datetime.timedelta(milliseconds=5):
            time.sleep(0.05)
        self.problem(self.s.request("GET", f"/v1/records/{self.known['record']}", token=short), 401, "token_expired")
        self.problem(self.s.request("GET", "/v1/status", token=short), 401, "token_expired")

    def test_403_role_denied(self):
        record = f"/v1/records/{self.known['record']}"
        for method, path, role in (("POST", RECORDS, "sender"), ("PATCH", record, "privacy_officer"), ("DELETE", record, "auditor"),
                                   ("GET", record, "auditor"), ("GET", record + "/history", "sender"), ("GET", "/v1/tokens", "editor"),
                                   ("PUT", "/v1/purposes/p", "editor"), ("PUT", "/v1/record-types/t", "privacy_officer"),
                                   ("POST", "/v1/erasures", "editor"), ("GET", "/v1/events?from=0", "editor"),
                                   ("GET", "/v1/log/checkpoint", "sender"), ("GET", "/v1/erasures", "auditor")):
            body = None if method in ("GET", "DELETE") else {"values": {"name": CANARY}}
            self.problem(self.s.request(method, path, body, token=self.s.tokens[role]), 403, "role_denied")

    def test_403_purposes_types_fields(self):
        for name in ("second", "limited"):
            fields = {"fields": {"contacts": ["e-mail"]}} if name == "limited" else {}
            expect(self.s.request("PUT", f"/v1/purposes/{name}", {"legal_ground": "consent", **fields}), 200, 201)
        expect(self.s.request("PUT", "/v1/record-types/others", {**TYPE, "title": {"de": "Andere"}}), 200, 201)
        two = token(self.s, "editor", purposes=[PURPOSE, "limited"])
        values = {"values": {"name": CANARY, "e-mail": "x@example.org"}}

        def use(purpose=None, method="POST", path=RECORDS, body=values):
            return self.s.request(method, path, body, token=two, purpose=purpose)

        self.problem(use(), 403, "purpose_missing")
        self.problem(use(CANARY), 403, "purpose_unknown")
        self.problem(use(CANARY.upper() + "/"), 403, "purpose_unknown")
        self.problem(use("second"), 403, "purpose_denied")
        self.problem(use(PURPOSE, path="/v1/record-types/others/records"), 403, "type_denied")
        self.problem(use(PURPOSE, "GET", "/v1/record-types/others/records", None), 403, "type_denied")
        for name in ("others", "brand-new"):
            self.problem(use(method="PUT", path=f"/v1/record-types/{name}", body={**TYPE, "title": {"de": "Neu"}}), 403, "type_denied")
        same = {**TYPE, "title": {"de": "Kontakte und mehr"}}
        expect(use(method="PUT", path="/v1/record-types/contacts", body=same), 200)
        expect(use(method="PUT", path="/v1/record-types/contacts", body=TYPE), 200)
        self.problem(use("limited"), 403, "field_denied")
        self.problem(use("limited", "GET", RECORDS + "?fields=e-mail,name", None), 403, "field_denied")
        record = f"/v1/records/{self.known['record']}"
        self.problem(use("limited", "PATCH", record, {"values": {"name": CANARY}}), 403, "field_denied")
        shown = expect(use("limited", "GET", record, None), 200)
        self.assertEqual(set(shown.json["values"]), {"e-mail"})

    # ── 404 to 415 ──

    def test_404_405(self):
        for path in ("/v1", f"/v1/{CANARY}", "/v1/records/", f"/v1/records/{CANARY}", f"/v1/records/{NOBODY}",
                     "/v1/records/su_" + "A" * 22, f"/v1/subjects/{CANARY}", "/v1/subjects/su_" + "A" * 22,
                     f"/v1/record-types/{CANARY}/records", f"/v1/record-types/{CANARY.upper()}/records", f"/v1/purposes/{CANARY}",
                     f"/v1/deletion-classes/{CANARY}", f"/v1/record-types/{CANARY}", "/v1/records//history", "/v1/status/"):
            self.problem(get(self.s, path), 404, "not_found")
        for path in (f"/v1/erasures/{CANARY}", "/v1/erasures/er_" + "A" * 22, "/v1/erasures/er_" + "A" * 22 + "/certificate"):
            self.problem(get(self.s, path, "privacy_officer"), 404, "not_found")
        self.problem(self.s.request("DELETE", "/v1/tokens/tk_" + "A" * 22), 404, "not_found")
        self.problem(self.post({"subject": "su_" + "A" * 22, "ground": "art17-1-a"}, "/v1/erasures", "privacy_officer"), 404, "not_found")
        self.problem(self.post({"values": {"name": "a"}, "subject": "su_" + "A" * 22}), 404, "not_found")
        for method, path, allow in (("PUT", RECORDS, "POST, GET"), ("POST", "/v1/status", "GET"), ("DELETE", "/v1/purposes/x", "GET, PUT"),
                                    ("PATCH", "/v1/erasures", "POST, GET"), ("OPTIONS", "/healthz", "GET"), ("TRACE", "/healthz", "GET"),
                                    ("BREW", "/healthz", "GET")):
            answer = self.s.request(method, path, token=self.s.tokens["editor"])
            self.problem(answer, 405, "method_not_allowed")
            self.assertEqual(answer.headers["Allow"], allow)

    def test_409(self):
        key = {"Idempotency-Key": CANARY}
        expect(add(self.s, {"name": "Key", "e-mail": "key@example.org"}, headers=key), 201)
        self.problem(add(self.s, {"name": "Other", "e-mail": "key@example.org"}, headers=key), 409, "idempotency_conflict")
        self.problem(self.s.request("PATCH", f"/v1/records/{self.known['record']}", {"values": {"name": "b"}},
                                    token=self.s.tokens["editor"], headers=key), 409, "idempotency_conflict")
        for path, role in (("/v1/status", "editor"), (f"/v1/records/{self.known['record']}", "editor"), ("/v1/erasures", "privacy_officer")):
            self.problem(get(self.s, path, role, headers={"Siegel-At-Least": "0123456789abcdef:1"}), 409, "other_ledger")

    def test_409_state_conflict_and_410(self):
        person = expect(add(self.s, {"name": "Gone", "e-mail": "gone@example.org"}), 201).json
        asked = expect(erase(self.s, person["subject"], mode="window"), 202).json
        certificate = f"/v1/erasures/{asked['erasure']}/certificate"
        self.problem(get(self.s, certificate, "auditor", headers={"Siegel-At-Least": asked["position"]}), 409, "state_conflict")
        self.problem(get(self.s, f"/v1/records/{person['record']}"), 410, "erased", erasure=asked["erasure"])
        for _ in range(200):
            if get(self.s, f"/v1/erasures/{asked['erasure']}", "privacy_officer").json["state"] == "effective":
                break
            time.sleep(0.05)
        self.assertEqual(get(self.s, certificate, "auditor").status, 200)
        self.problem(get(self.s, f"/v1/subjects/{person['subject']}"), 410, "erased", erasure=asked["erasure"])

    def test_412(self):
        record = f"/v1/records/{self.known['record']}"
        version = get(self.s, record).json["version"]
        for method, body in (("PATCH", {"values": {"name": CANARY}}), ("DELETE", None)):
            self.problem(self.s.request(method, record, body, token=self.s.tokens["editor"], headers={"If-Match": '"77"'}), 412,
                         "version_conflict", current_version=version)
        ground = {"legal_ground": "contract"}
        self.problem(self.s.request("PUT", f"/v1/purposes/{PURPOSE}", ground, headers={"If-None-Match": "*"}), 412, "version_conflict",
                     current_version=1)
        self.problem(self.s.request("PUT", f"/v1/purposes/{PURPOSE}", ground, headers={"If-Match": '"9"'}), 412, "version_conflict",
                     current_version=1)
        self.problem(self.s.request("PUT", "/v1/purposes/none-yet", ground, headers={"If-Match": '"1"'}), 412, "version_conflict",
                     current_version=0)

    def test_413(self):
        large = {"values": {"name": CANARY * 200_000}}
        self.problem(self.post(large), 413, "too_large", limit={"name": "body_bytes_max", "value": 1 << 20})
        self.problem(self.raw(b"POST /v1/record-types/contacts/records HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"), 413,
                     "too_large", limit={"name": "body_bytes_max", "value": 1 << 20})
        names = [f"t{i}" for i in range(30)]
        fields = [{"name": n, "title": n, "type": "multiline", "personal": True, "class": "customer"} for n in names]
        expect(self.s.request("PUT", "/v1/record-types/wide", {"subject": {"mode": "row"}, "fields": fields}), 200, 201)
        wide = token(self.s, "editor", types=["wide"])
        body = {"values": {n: "x" * 20_000 for n in names}}
        self.problem(self.s.request("POST", "/v1/record-types/wide/records", body, token=wide), 413, "too_large",
                     limit={"name": "event_bytes_max", "value": 256 << 10})

    def test_415(self):
        for media in ("text/plain", "application/jsonx", "application/x-www-form-urlencoded", CANARY, ""):
            self.problem(self.post({"values": {"name": "a"}}, headers={"Content-Type": media}), 415, "unsupported_media")
        self.assertEqual(self.post({"values": {"name": "a"}}, headers={"Content-Type": "Application/JSON; charset=utf-8"}).status, 201)

    def test_422(self):
        period = {"period": "P1Y", "start": "collection", "legal_ground": "contract"}
        field = {"name": "a", "title": "A", "type": "text", "class": "customer"}
        for path, body in (("/v1/deletion-classes/c", {**period, "period": CANARY}),
                           ("/v1/purposes/p", {"legal_ground": "contract", "fields": {CANARY.upper(): ["name"]}}),
                           ("/v1/record-types/t", {"fields": []}),
                           ("/v1/record-types/t", {"fields": [{**field, "class": CANARY}]}),
                           ("/v1/record-types/t", {"fields": [field, field]}),
                           ("/v1/record-types/t", {"fields": [{**field, "name": CANARY.upper()}]}),
                           ("/v1/record-types/t", {"fields": [{**field, "personal": True}]}),
                           ("/v1/record-types/t", {"subject": {"mode": "match", "fields": [CANARY]}, "fields": [field]}),
                           ("/v1/record-types/t", {"fields": [field], "form": [[CANARY]]})):
            answer = self.s.request("PUT", path, body)
            self.assertIn(answer.code, ("schema_invalid", "class_missing"), (path, body, answer.body))
            self.problem(answer, 422, answer.code)
            self.assertIn("pointer", answer.json)
        self.problem(self.s.request("PUT", "/v1/record-types/t", {"fields": [{k: v for k, v in field.items() if k != "class"}]}), 422,
                     "class_missing", pointer="/fields/0/class")
        self.problem(self.s.request("POST", "/v1/tokens", {"role": "editor", "expires_at": "2020-01-01T00:00:00Z"}), 422,
                     "schema_invalid", pointer="/expires_at")
        self.problem(self.s.request("POST", "/v1/tokens", {"role": "editor", "label": CANARY * 50}), 422, "schema_invalid", pointer="/label")

    def test_431(self):
        answer = self.s.request("GET", "/v1/status", headers={"X-Long": CANARY * 1000})
        self.problem(answer, 431, "header_too_large", limit={"name": "header_bytes_max", "value": 8 << 10})

    # ── 503 ──

    def test_503_position_not_reached(self):
        ledger, size = self.known["position"].split(":")
        started = time.monotonic()
        answer = get(self.s, f"/v1/records/{self.known['record']}",
                     headers={"Siegel-At-Least": f"{ledger}:{int(size) + 10**6}", "Siegel-Wait-Ms": "200"})
        self.problem(answer, 503, "position_not_reached")
        self.assertGreaterEqual(time.monotonic() - started, 0.19)

    def test_request_ids(self):
        answer = get(self.s, f"/v1/{CANARY}", headers={"Siegel-Request-Id": "mine-1234"})
        self.assertEqual(answer.json["request_id"], "mine-1234")
        self.assertNotEqual(get(self.s, "/v1/nothing", headers={"Siegel-Request-Id": CANARY + " \x7f"}).json["request_id"][:12], CANARY)


class Limits(unittest.TestCase):
    problem = is_problem

    def test_429_requests_per_second_per_token(self):
        environment = {"SIEGEL_LIMITS_REQUESTS_PER_SECOND_PER_TOKEN": "20"}
        with Siegel(BINARY, environment=environment) as s:
            s.init()
            s.token = s.make_token()
            other = s.make_token()
            s.serve()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                answer = s.request("GET", "/v1/status")
                if answer.status == 429:
                    break
            self.problem(answer, 429, "rate_limited", limit={"name": "requests_per_second_per_token", "value": 20})
            self.assertEqual(s.request("GET", "/v1/status", token=other).status, 200)
            time.sleep(int(answer.headers["Retry-After"]) + 0.1)
            self.assertEqual(s.request("GET", "/v1/status").status, 200)
            self.assertEqual(s.stop(), 0)

    def test_I13_a_full_queue_answers_overloaded(self):
        """[I13]"""
        with Siegel(BINARY, environment={"SIEGEL_LEDGER_QUEUE_COMMANDS_MAX": "1"}) as s:
            prepare(s)
            deadline = time.monotonic() + 60

            def client(number):
                seen = []
                wire = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
                for i in range(200):
                    if time.monotonic() > deadline:
                        break
                    body = json.dumps({"values": {"name": CANARY, "e-mail": f"q{number}-{i}@example.org"}})
                    wire.request("POST", RECORDS, body, {"Authorization": f"Bearer {s.tokens['editor']}",
                                                         "Content-Type": "application/json"})
                    answer = wire.getresponse()
                    seen.append((answer.status, answer.headers, answer.read()))
                wire.close()
                return seen

            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = [a for some in pool.map(client, range(32)) for a in some]
            self.assertLessEqual({status for status, _, _ in answers}, {201, 503})
            full = [a for a in answers if a[0] == 503]
            self.assertTrue(full, "the queue was never full")
            from siegel_process import Answer
            for answer in full:
                self.problem(Answer(*answer), 503, "overloaded")
                openapi_check.validate("POST", RECORDS, *answer)
            # What was answered 201 is there, what was refused is not.
            listed, cursor = 0, ""
            while True:
                page = expect(get(s, f"{RECORDS}?limit=200{cursor}"), 200, 503)
                if page.status == 503:
                    continue
                listed += len(page.json["items"])
                if page.json["next"] is None:
                    break
                cursor = f"&cursor={page.json['next']}"
            self.assertEqual(listed, len(answers) - len(full))
            self.assertEqual(s.stop(), 0)
            self.assertNotIn(CANARY, s.log_text())

    def test_503_starting_until_the_identity_index_is_loaded(self):
        with Siegel(BINARY) as s:
            prepare(s)

            def client(number):
                wire = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
                for i in range(150):
                    body = json.dumps({"values": {"name": "Many", "e-mail": f"m{number}-{i}@example.org", "news": True}})
                    wire.request("POST", RECORDS, body, {"Authorization": f"Bearer {s.tokens['editor']}",
                                                         "Content-Type": "application/json"})
                    assert wire.getresponse().read() is not None
                wire.close()

            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                list(pool.map(client, range(32)))
            self.assertEqual(s.stop(), 0)
            shutil.rmtree(s.data / "views")
            (s.data / "VIEWS").unlink()
            s.serve()
            seen = set()
            for i in range(10_000):
                answer = add(s, {"name": CANARY, "e-mail": f"early{i}@example.org"})
                if answer.status == 201:
                    break
                self.problem(answer, 503, "starting")
                seen.add(answer.code)
            self.assertEqual(answer.status, 201)
            self.assertEqual(seen, {"starting"}, "the index was loaded before anybody could ask")
            self.assertEqual(s.stop(), 0)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
