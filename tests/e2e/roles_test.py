"""Who may do what: each route of the API with each role, against the table of roles in the contract. usage: roles_test.py SIEGEL_BINARY"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import openapi_check  # noqa: E402
from checked import Checked, main  # noqa: E402
from contacts import RECORDS, TYPE, add, expect, token, wait_for_index  # noqa: E402

LETTERS = {"A": "admin", "D": "privacy_officer", "E": "editor", "S": "sender", "U": "auditor", "C": "consumer"}
ANY = "ADESUC"
PERIOD = {"period": "P1Y", "start": "collection", "legal_ground": "contract"}
GROUND = {"legal_ground": "contract"}
# The contract's letters, but for one addition: an admin may look at the checkpoint, too.
ALLOWED = {
    ("get", "/v1/status"): ANY,
    ("post", "/v1/tokens"): "A", ("get", "/v1/tokens"): "A", ("delete", "/v1/tokens/{id}"): "A",
    ("get", "/v1/purposes"): ANY, ("get", "/v1/purposes/{name}"): ANY, ("put", "/v1/purposes/{name}"): "AD",
    ("get", "/v1/deletion-classes"): ANY, ("get", "/v1/deletion-classes/{name}"): ANY, ("put", "/v1/deletion-classes/{name}"): "AD",
    ("get", "/v1/record-types"): ANY, ("get", "/v1/record-types/{type}"): ANY, ("put", "/v1/record-types/{type}"): "AE",
    ("post", "/v1/record-types/{type}/records"): "E", ("get", "/v1/record-types/{type}/records"): "EDS",
    ("post", "/v1/record-types/{type}/search"): "EDS",
    ("get", "/v1/records/{id}"): "EDS", ("patch", "/v1/records/{id}"): "E", ("delete", "/v1/records/{id}"): "E",
    ("get", "/v1/records/{id}/history"): "ED", ("get", "/v1/subjects/{id}"): "ED", ("get", "/v1/subjects/{id}/history"): "ED",
    ("get", "/v1/subjects/{id}/export"): "ED",
    ("post", "/v1/subjects/search"): "ED", ("post", "/v1/subjects/{id}/merge"): "ED",
    ("post", "/v1/exports"): "ED",
    ("post", "/v1/erasures"): "DA", ("get", "/v1/erasures"): "DA", ("get", "/v1/erasures/{id}"): "DA",
    ("get", "/v1/erasures/{id}/certificate"): "DAU",
    ("post", "/v1/imports"): "E", ("get", "/v1/imports"): "ED", ("get", "/v1/imports/{id}"): "ED", ("delete", "/v1/imports/{id}"): "ED",
    ("post", "/v1/imports/{id}/commit"): "E", ("post", "/v1/imports/{id}/undo"): "E", ("get", "/v1/imports/{id}/rejects"): "E",
    ("get", "/v1/events"): "UD", ("get", "/v1/log/checkpoint"): "UDA",
    ("get", "/v1/log/proofs/inclusion"): "UD", ("get", "/v1/log/proofs/consistency"): "UD",
}
BODIES = {
    ("post", "/v1/tokens"): {"role": "auditor"}, ("put", "/v1/purposes/{name}"): GROUND, ("put", "/v1/deletion-classes/{name}"): PERIOD,
    ("put", "/v1/record-types/{type}"): TYPE, ("post", "/v1/record-types/{type}/records"): {"values": {"name": "Ro"}},
    ("post", "/v1/record-types/{type}/search"): {"where": [{"field": "name", "op": "exact", "value": "Who"}]},
    ("post", "/v1/subjects/search"): {"where": [{"field": "name", "op": "exact", "value": "Who"}]},
    ("post", "/v1/exports"): {"type": "contacts", "format": "ndjson"},
    ("patch", "/v1/records/{id}"): {"values": {"name": "La"}}, ("post", "/v1/erasures"): {"ground": "art17-1-a", "mode": "window"},
    ("post", "/v1/imports/{id}/commit"): {"bad_rows": "skip"},
}
SHEET = {"raw": b"Name;E-Mail\nIm;im@example.org\n", "headers": {"Content-Type": "text/csv"}}
QUERIES = {("get", "/v1/events"): "?from=0&limit=1", ("get", "/v1/log/proofs/inclusion"): "?index=0&size=1",
           ("get", "/v1/log/proofs/consistency"): "?from=1&to=1", ("post", "/v1/imports"): "?type=contacts"}
OPEN = {"/healthz", "/readyz", "/metrics", "/v1/openapi.yaml"}  # to whom no token is asked on loopback


class Roles(Checked):
    serial = 0

    def person(self):
        type(self).serial += 1
        return expect(add(self.s, {"name": "Who", "e-mail": f"who{self.serial}@example.org"}), 201).json

    def imported(self, editor, finished):
        """an import of that editor: a preview is for nobody else's eyes"""
        one = expect(self.s.request("POST", "/v1/imports?type=contacts&match=e-mail", token=editor, **SHEET), 201).json["import"]
        if finished:
            expect(self.s.request("POST", f"/v1/imports/{one}/commit?wait=true", {"bad_rows": "skip"}, token=editor), 200)
        return one

    def test_every_route_with_every_role(self):
        s = self.s
        described = {(method, path) for path, methods in openapi_check.document()["paths"].items() if path not in OPEN
                     for method in methods if method in ("get", "post", "put", "patch", "delete")}
        self.assertEqual(described, set(ALLOWED), "a route without a row of its own here")
        wait_for_index(s)
        tokens = {letter: token(s, role, types=None, all_types=True, bulk_until="2100-01-01T00:00:00Z") for letter, role in LETTERS.items()}
        officer = s.tokens["privacy_officer"]
        gone = expect(s.request("POST", "/v1/erasures", {"subject": self.person()["subject"], "ground": "art17-1-a", "mode": "now"},
                                token=officer), 201).json["erasure"]
        for (method, path), letters in ALLOWED.items():
            one = None
            for letter in LETTERS:
                if path.startswith("/v1/imports/{") and (one is None or letter in letters):
                    one = self.imported(tokens["E"], finished=method == "get" or path.endswith("/undo"))
                # A preview is its sender's: an officer cancels what is under way, and is told here that it is over.
                late = (method, path, letter) == ("delete", "/v1/imports/{id}", "D")
                if late:
                    one = self.imported(tokens["E"], finished=True)
                person = self.person() if not path.startswith("/v1/imports") else {"record": None, "subject": None}
                spare = expect(s.request("POST", "/v1/tokens", {"role": "auditor"}), 201).json["token_id"]
                ids = {"/v1/tokens": spare, "/v1/purposes": "customer-care", "/v1/deletion-classes": "customer", "/v1/record-types": "contacts",
                       "/v1/records": person["record"], "/v1/subjects": person["subject"], "/v1/erasures": gone, "/v1/imports": one}
                where, body = path, BODIES.get((method, path))
                if "{" in path:
                    prefix, rest = path.split("/{")[0], path.split("}", 1)[1]
                    where = f"{prefix}/{ids[prefix]}{rest}"
                if method == "put":
                    # An editor defines the types that the token carries.
                    name = "contacts" if letter == "E" and path.startswith("/v1/record-types") else f"of-{letter.lower()}"
                    where = f"{path.split('/{')[0]}/{name}"
                if path == "/v1/erasures" and body:
                    body = {**body, "subject": person["subject"]}
                if path.endswith("/merge"):
                    body = {"subjects": [self.person()["subject"]]}
                more = SHEET if (method, path) == ("post", "/v1/imports") else {}
                answer = s.request(method.upper(), where + QUERIES.get((method, path), ""), body, token=tokens[letter], **more)
                if late:
                    self.assertEqual((answer.status, answer.code), (409, "state_conflict"))
                elif letter in letters:
                    self.assertIn(answer.status, (200, 201, 202, 204), (method, path, letter, answer.body[:200]))
                else:
                    self.assertEqual((answer.status, answer.code), (403, "role_denied"), (method, path, letter))
        # What was refused had no effect.
        listed = {item["name"] for kind in ("purposes", "deletion-classes", "record-types")
                  for item in s.request("GET", f"/v1/{kind}").json["items"]}
        self.assertEqual({name for name in listed if name.startswith("of-")}, {"of-a", "of-d"})
        names = [r["values"]["name"] for r in s.request("GET", RECORDS + "?limit=200", token=s.tokens["editor"]).json["items"]]
        self.assertEqual((names.count("Ro"), names.count("La")), (1, 1))


if __name__ == "__main__":
    main()
