"""Values of every field type, and whom a record concerns: nobody, one person a row, a match on fields or on a reference of another system.

usage: people_test.py SIEGEL_BINARY
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import RECORDS, add, erase, expect, get, token, wait_for_index  # noqa: E402

# Of each type: what is taken and shown as it is, and what is refused. None stands for what is shown otherwise (below).
VALUES = {
    "text": (["Änne  Müller ", "007", "=1+1", "\u00e9 e\u0301", "x" * 32 * 1024], ["a\nb", "a\r", "a\0b", "x" * (32 * 1024 + 1), 7, True, ["a"]]),
    "multiline": (["eins\nzwei", "\n"], ["a\0b", 1]),
    "email": (["a@example.org", "Änne.M@example.org", "o'neil+x@sub.example.org"], ["a", "@example.org", "a@", "a@b", "a b@example.org", "a@@example.org",
                                                                                    "a@.example.org", "a@example..org", "a" * 250 + "@example.org"]),
    "phone": (["+49 30 23125001", "030/23125-001", "(0351) 123"], ["12", "+49 30 x", "1" * 16, "30+49111"]),
    "url": (["https://example.org/a?b=c", "http://example.org"], ["example.org", "ftp://example.org", "https://", "https://me:pw@example.org", "https://a b"]),
    "integer": (["0", "-7", "12345678901234567890", "9" * 38], ["007", "-0", "1.0", "1e3", "+1", "9" * 39, " 1", 7]),
    "decimal": (["8000.01", "-35.01", "1.50", "0.10", "9" * 36 + ".99"], ["8.000,01", "1.", ".5", "01.5", "-0.0", "1e3", "9" * 37 + ".99", 1.5]),
    "date": (["2025-12-31", "2024-02-29", "0001-01-01"], ["2025-02-30", "2023-02-29", "31.12.2025", "2025-1-1", "0000-01-01", "2025-12-31T00:00:00Z"]),
    "datetime": (["2026-12-31T22:59:59Z"], ["2026-12-31", "2026-12-31T22:59:59", "2026-12-31T25:00:00Z", "yesterday"]),
    "boolean": ([True, False], ["ja", "TRUE", 1]),
    "choice": (["aktiv"], ["Aktiv", "", "aktiv ", ["aktiv"]]),
    "multichoice": ([["Turnen"], ["Turnen", "Schach"]], [["Turnen", "Turnen"], ["Judo"], "Judo", [7]]),
    "geo": (["51.05,13.74", "-33,151.2", "-90,180"], ["51.05", "here", "51,05,13", "51.05;13.74", "90.1,0", "-91,0", "0,180.01", "0,-999"]),
    "reference": ([], ["su_" + "A" * 22, "re_short", "4711"]),
    "file": ([], ["a.pdf"]), "signature": ([], ["x"]),
}


class Values(Checked):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        choices = {"choice": ["aktiv", "passiv"], "multichoice": ["Turnen", "Schach"]}
        fields = [{"name": name, "title": name.title(), "type": name, "class": "customer", **({"choices": choices[name]} if name in choices else {})}
                  for name in VALUES]
        expect(cls.s.request("PUT", "/v1/record-types/all", {"subject": {"mode": "row"}, "fields": fields}), 201)
        cls.clerk = token(cls.s, "editor", types=["all"])

    def add(self, **values):
        return self.s.request("POST", "/v1/record-types/all/records", {"values": values}, token=self.clerk)

    def shown(self, record):
        return expect(self.s.request("GET", f"/v1/records/{record}", token=self.clerk), 200).json["values"]

    def test_values_of_every_type_are_taken_and_shown_exactly(self):
        for name, (good, _) in VALUES.items():
            for value in good:
                with self.subTest(name, value=str(value)[:40]):
                    added = expect(self.add(**{name: value}), 201).json
                    self.assertEqual(self.shown(added["record"]), {name: value})

    def test_one_spelling_for_what_has_several(self):
        for name, given, kept in (("email", "Aenne@EXAMPLE.Org", "Aenne@example.org"), ("datetime", "2026-12-31T23:59:59+01:00", "2026-12-31T22:59:59Z"),
                                  ("datetime", "2026-12-31T22:59:59.5Z", "2026-12-31T22:59:59.500Z")):
            added = expect(self.add(**{name: given}), 201).json
            self.assertEqual(self.shown(added["record"]), {name: kept})
        other = expect(self.add(text="pointed at"), 201).json["record"]
        self.assertEqual(self.shown(expect(self.add(reference=other), 201).json["record"]), {"reference": other})

    def test_what_does_not_fit_is_refused_with_the_place_and_without_an_event(self):
        size = self.s.request("GET", "/v1/status").json["size"]
        for name, (_, bad) in VALUES.items():
            for value in bad:
                with self.subTest(name, value=str(value)[:40]):
                    answer = self.add(**{name: value})
                    if name == "choice" and value == "":  # empty is no value
                        expect(answer, 201)
                        size += 2
                        continue
                    self.assertEqual((answer.status, answer.code), (400, "bad_value"), answer.body[:200])
                    self.assertTrue(answer.json["pointer"].startswith("/values"), answer.json)
        self.assertEqual(self.s.request("GET", "/v1/status").json["size"], size)

    def test_null_empties_a_field(self):
        added = expect(self.add(text="a", integer="1", multichoice=["Turnen"]), 201).json
        expect(self.s.request("PATCH", f"/v1/records/{added['record']}", {"values": {"text": None, "multichoice": []}}, token=self.clerk), 200)
        self.assertEqual(self.shown(added["record"]), {"integer": "1"})


class People(Checked):
    serial = 0

    def mail(self):
        type(self).serial += 1
        return f"people{self.serial}@example.org"

    def add(self, mail, **more):
        return expect(self.s.request("POST", RECORDS, {"values": {"name": "P", "e-mail": mail}, **more}, token=self.s.tokens["editor"]), 201).json

    def restart(self):
        self.assertEqual(self.s.stop(), 0)
        self.s.serve()
        wait_for_index(self.s)

    def test_a_reference_of_another_system_finds_the_person(self):
        crm, shop = {"system": "crm", "id": "4711"}, {"system": "shop", "id": "4711"}
        one = self.add(self.mail(), external=crm)
        self.assertEqual(self.add(self.mail(), external=crm)["subject"], one["subject"])
        self.assertNotEqual(self.add(self.mail(), external=shop)["subject"], one["subject"])  # another system's 4711
        mail = self.mail()
        known = self.add(mail)
        self.assertEqual(self.add(mail, external={"system": "erp", "id": "K-1"})["subject"], known["subject"])  # he has a reference now
        self.assertEqual(self.add(self.mail(), external={"system": "erp", "id": "K-1"})["subject"], known["subject"])
        self.restart()
        self.assertEqual(self.add(self.mail(), external=crm)["subject"], one["subject"])
        shown = get(self.s, f"/v1/subjects/{one['subject']}").json
        self.assertEqual(shown["external"], [crm])
        self.assertEqual(len(shown["records"]), 3)
        exported = get(self.s, f"/v1/subjects/{one['subject']}/export?format=json", "privacy_officer").json
        self.assertFalse([item for item in exported["history"] if "actor_label" in item])  # who works here is not for her
        self.assertEqual(exported["external"], [crm])
        # The writer counts the parts of a leaf (formats of keys, 3); so does whoever shows them.
        self.assertGreaterEqual(sum(leaf["count"] for leaf in shown["leaves"]), 5)
        expect(erase(self.s, one["subject"]), 201)
        again = self.add(self.mail(), external=crm)
        self.assertNotEqual(again["subject"], one["subject"])

    def test_two_who_fit_are_told_and_none_is_chosen(self):
        mail, other = self.mail(), self.mail()
        one, two = self.add(mail), self.add(other)
        record, clerk = f"/v1/records/{two['record']}", self.s.tokens["editor"]
        own = expect(self.s.request("PATCH", record, {"values": {"e-mail": self.mail()}}, token=clerk), 200)
        self.assertNotIn("ambiguous", own.json)
        for _ in range(2):  # the second one is a retry
            answer = self.s.request("PATCH", record, {"values": {"e-mail": mail}}, token=clerk, headers={"Idempotency-Key": "same"})
            changed = expect(answer, 200).json
            self.assertEqual((changed["subject"], changed.get("ambiguous")), (two["subject"], True))
        named = expect(self.s.request("PATCH", record, {"values": {"name": "Q", "e-mail": mail.upper()}}, token=clerk), 200)
        self.assertNotIn("ambiguous", named.json)  # nothing of the identity has changed
        for restarted in (False, True):
            third = self.add(mail)
            self.assertIs(third.get("ambiguous"), True, restarted)
            self.assertNotIn(third["subject"], (one["subject"], two["subject"]))
            self.restart()
        named = self.s.request("POST", RECORDS, {"values": {"name": "P", "e-mail": mail}, "subject": one["subject"]}, token=self.s.tokens["editor"])
        self.assertEqual(expect(named, 201).json["subject"], one["subject"])
        self.assertNotIn("ambiguous", named.json)
        self.assertNotIn("ambiguous", self.add(other))

    def test_records_that_concern_nobody_and_rows_of_their_own(self):
        field = {"name": "label", "title": "Label", "type": "text", "class": "customer"}
        for name, mode in (("rooms", "none"), ("guests", "row")):
            expect(self.s.request("PUT", f"/v1/record-types/{name}", {"subject": {"mode": mode}, "fields": [field]}), 201)
        clerk = token(self.s, "editor", types=["rooms", "guests"])
        officer = token(self.s, "privacy_officer", types=["rooms", "guests"])

        def add_to(name, label="same"):
            return expect(self.s.request("POST", f"/v1/record-types/{name}/records", {"values": {"label": label}}, token=clerk), 201).json

        room = add_to("rooms")
        self.assertIsNone(room["subject"])
        guests = [add_to("guests") for _ in range(2)]
        self.assertEqual(len({guest["subject"] for guest in guests}), 2)
        expect(self.s.request("POST", "/v1/erasures", {"subject": guests[0]["subject"], "ground": "art17-1-b", "mode": "now"}, token=officer), 201)
        path = f"/v1/records/{room['record']}"
        changed = expect(self.s.request("PATCH", path, {"values": {"label": "Saal"}}, token=clerk), 200).json
        shown = expect(self.s.request("GET", path, token=clerk, headers={"Siegel-At-Least": changed["position"]}), 200).json
        self.assertEqual((shown["values"], shown["subject"], shown["version"]), ({"label": "Saal"}, None, 2))
        history = expect(self.s.request("GET", path + "/history", token=clerk), 200).json["items"]
        self.assertEqual([item["type"] for item in history], ["record.added", "record.changed"])
        self.assertEqual(self.s.request("GET", f"/v1/records/{guests[0]['record']}", token=clerk).status, 410)
        self.assertEqual(self.s.request("GET", f"/v1/records/{guests[1]['record']}", token=clerk).status, 200)

    def test_several_people_in_one_request(self):
        people = [self.add(self.mail()) for _ in range(5)]
        gone, stays = people[:4], people[4]
        body = {"subjects": [p["subject"] for p in gone], "ground": "art17-1-b", "mode": "now"}
        erased = expect(self.s.request("POST", "/v1/erasures", body, token=self.s.tokens["privacy_officer"]), 201).json
        for person in gone:
            answer = get(self.s, f"/v1/records/{person['record']}")
            self.assertEqual((answer.status, answer.json["erasure"]), (410, erased["erasure"]))
        expect(get(self.s, f"/v1/records/{stays['record']}"), 200)
        self.assertEqual(get(self.s, erased["certificate"], "auditor").json["subjects"], 4)
        self.assertEqual(erased["epoch"]["new"], erased["epoch"]["old"] + 1)

    def test_people_who_are_one(self):
        """what is asked about one is asked about both, and an erasure takes both"""
        clerk = token(self.s, "editor", types=None, all_types=True)
        mails = [self.mail(), self.mail()]
        one, two = (self.add(mail) for mail in mails)
        path = f"/v1/subjects/{one['subject']}/merge"
        body = {"subjects": [two["subject"]]}

        def merge(given=body, **more):
            return self.s.request("POST", path, given, **{"token": clerk, **more})

        self.assertEqual(merge(token=self.s.tokens["editor"]).code, "type_denied")
        self.assertEqual(merge(token=self.s.tokens["auditor"]).code, "role_denied")
        for wrong in ({}, {"subjects": []}, {"subjects": ["su_x"]}, {"subjects": [one["subject"]]}, {"subjects": two["subject"]}):
            self.assertEqual(merge(wrong).status, 400, wrong)
        key = {"Idempotency-Key": mails[0]}
        merged = expect(merge(headers=key), 200)
        self.assertEqual(merged.json["subject"], one["subject"])
        again = expect(merge(headers=key), 200)
        self.assertEqual((again.json["seq"], again.headers["Siegel-Replayed"]), (merged.json["seq"], "true"))
        self.assertEqual((merge().status, merge().code), (409, "state_conflict"))

        def check():
            for person in (one, two):
                shown = expect(get(self.s, f"/v1/subjects/{person['subject']}"), 200).json
                self.assertEqual((shown["subject"], shown["merged"]), (one["subject"], [two["subject"]]))
                self.assertLessEqual({one["record"], two["record"]}, {r["record"] for r in shown["records"]})
                self.assertEqual({r["subject"] for r in shown["records"]}, {one["subject"]})

        check()
        self.assertEqual(self.s.stop(), 0)
        self.s.serve()
        wait_for_index(self.s)
        check()
        self.assertEqual(self.add(mails[1])["subject"], one["subject"])
        expect(erase(self.s, two["subject"]), 201)
        for person in (one, two):
            self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 410)
            self.assertEqual(get(self.s, f"/v1/subjects/{person['subject']}").status, 410)
        self.assertEqual(merge().status, 410)
        self.assertNotIn(self.add(mails[1])["subject"], (one["subject"], two["subject"]))

    def test_G38_one_of_two_people_in_one_event(self):
        """[G38] the look at a list is one event with a part of each person in it"""
        one, two = self.add(self.mail()), self.add(self.mail())
        expect(get(self.s, RECORDS + "?limit=200", headers={"Siegel-At-Least": two["position"]}), 200)

        def looks_at(person):
            items = expect(get(self.s, f"/v1/subjects/{person['subject']}/history", "privacy_officer"), 200).json["items"]
            return {item["seq"] for item in items if item["type"] == "access.read"}

        shared = looks_at(one) & looks_at(two)
        self.assertTrue(shared, "no event names both")
        expect(erase(self.s, one["subject"]), 201)
        self.assertLessEqual(shared, looks_at(two))
        self.assertEqual(get(self.s, f"/v1/records/{two['record']}").json["values"]["name"], "P")
        self.assertEqual(get(self.s, f"/v1/subjects/{one['subject']}/history", "privacy_officer").status, 410)
        events = [json.loads(line) for line in get(self.s, f"/v1/events?from={min(shared)}&limit=1", "auditor").body.splitlines()]
        self.assertGreaterEqual(events[0]["parts"], 3)  # the actor's and theirs: all still committed to


if __name__ == "__main__":
    main()
