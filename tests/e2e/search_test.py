"""Search over HTTP and by the command line: what is found, what it leaves, and what an erasure takes out. usage: search_test.py SIEGEL_BINARY"""
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import PURPOSE, erase, expect, get, token, wait_for_index  # noqa: E402

TYPE = {
    "title": {"de": "Kunden"}, "subject": {"mode": "match", "fields": ["e-mail"]}, "default_purpose": PURPOSE, "class": "customer",
    "fields": [
        {"name": "name", "title": "Name", "type": "text", "personal": True, "searchable": True},
        {"name": "e-mail", "title": "E-Mail", "type": "email", "personal": True, "searchable": True},
        {"name": "phone", "title": "Telefon", "type": "phone", "personal": True, "searchable": True},
        {"name": "city", "title": "Ort", "type": "text", "personal": True, "class": "marketing", "searchable": True},
        {"name": "kind", "title": "Art", "type": "multichoice", "choices": ["Groß", "Klein", "Alt"], "personal": True, "searchable": True},
        {"name": "news", "title": "Newsletter", "type": "boolean", "personal": True, "searchable": True},
        {"name": "note", "title": "Notiz", "type": "multiline", "personal": True},
    ],
    "form": [["name"]],
}
LEDGER_OF = "/v1/events?from={}"


class Search(Checked):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.s
        expect(s.request("PUT", "/v1/record-types/clients", TYPE), 201)
        expect(s.request("PUT", "/v1/purposes/calls", {"legal_ground": "contract", "fields": {"clients": ["name", "phone"]}}), 201)
        s.tokens = {role: token(s, role, types=["contacts", "clients"], purposes=[PURPOSE])
                    for role in ("editor", "privacy_officer", "auditor", "sender")}
        wait_for_index(s)  # the type that was just made is loaded
        cls.made = 0

    def add(self, **values):
        type(self).made += 1
        values = {name.replace("_", "-"): value for name, value in values.items()}
        values.setdefault("e-mail", f"nobody{self.made}@example.org")
        return expect(self.s.request("POST", "/v1/record-types/clients/records", {"values": values}, token=self.s.tokens["editor"]), 201).json

    def ask(self, where, role="editor", at_least=None, token=None, **more):
        conditions = [{"field": field, "op": op, "value": value} for field, op, value in where]
        headers = {"Siegel-At-Least": at_least} if at_least else {}
        return self.s.request("POST", "/v1/record-types/clients/search", {"where": conditions, **more},
                              token=token or self.s.tokens[role], headers=headers)

    def found(self, *where, **more):
        return {item["record"] for item in expect(self.ask(where, **more), 200).json["items"]}

    def size(self):
        return self.s.request("GET", "/v1/status").json["size"]

    def events(self, since):
        return [json.loads(line) for line in get(self.s, LEDGER_OF.format(since), "auditor").body.splitlines()]

    def refused(self, answer, status, code, pointer=None, reason=None):
        self.assertEqual((answer.status, answer.code), (status, code), answer.body)
        if pointer:
            self.assertEqual(answer.json["pointer"], pointer)
        if reason:
            self.assertEqual(answer.json["reason"], reason)

    def test_case_umlauts_and_accents_do_not_count(self):
        one = self.add(name="Änne Müller-Strauß", city="Łódź", phone="0171 / 123-456", kind=["Groß", "Alt"], news=True)
        two = self.add(name="Anne Mueller", city="Saarbrücken", kind=["Klein"], news=False)
        at = two["position"]
        for wanted in ("änne müller-strauß", "AENNE MUELLER-STRAUSS", "anne muller-strauss", "  Änne   Müller-Strauß "):
            self.assertEqual(self.found(("name", "exact", wanted), at_least=at), {one["record"]}, wanted)
        self.assertEqual(self.found(("name", "prefix", "anne mu")), {one["record"], two["record"]})
        self.assertEqual(self.found(("name", "prefix", "änne mü")), {one["record"], two["record"]})
        self.assertEqual(self.found(("name", "prefix", "müller")), set())
        self.assertEqual(self.found(("name", "word", "muell")), {one["record"], two["record"]})
        self.assertEqual(self.found(("name", "word", "strauss"), ("name", "word", "änne")), {one["record"]})
        self.assertEqual(self.found(("name", "word", "müller-st")), {one["record"]})
        self.assertEqual(self.found(("name", "exact", "Müller-Strauß")), set())
        self.assertEqual(self.found(("name", "word", "uller")), set())
        self.assertEqual(self.found(("city", "prefix", "lod")), {one["record"]})
        self.assertEqual(self.found(("city", "exact", "saarbruecken")), {two["record"]})
        self.assertEqual(self.found(("phone", "prefix", "0171123")), {one["record"]})
        self.assertEqual(self.found(("kind", "exact", "gross")), {one["record"]})
        self.assertEqual(self.found(("kind", "exact", "alt"), ("news", "exact", True), ("name", "prefix", "an")), {one["record"]})
        self.assertEqual(self.found(("kind", "exact", "alt"), ("news", "exact", False)), set())

    def test_what_is_written_is_found_and_what_is_not_there_any_more_is_not(self):
        s, editor = self.s, self.s.tokens["editor"]
        one = self.add(name="Before Change", city="Here")
        path = f"/v1/records/{one['record']}"
        self.assertEqual(self.found(("name", "exact", "before change"), at_least=one["position"]), {one["record"]})
        changed = expect(s.request("PATCH", path, {"values": {"name": "After Change"}}, token=editor), 200).json
        self.assertEqual(self.found(("name", "exact", "before change"), at_least=changed["position"]), set())
        self.assertEqual(self.found(("name", "exact", "after change"), ("city", "exact", "here")), {one["record"]})
        emptied = expect(s.request("PATCH", path, {"values": {"city": None}}, token=editor), 200).json
        self.assertEqual(self.found(("city", "exact", "here"), at_least=emptied["position"]), set())
        removed = expect(s.request("DELETE", path, token=editor), 200).json
        self.assertEqual(self.found(("name", "exact", "after change"), at_least=removed["position"]), set())

    def test_pages(self):
        records = [self.add(name=f"Paging {i}") for i in range(7)]
        expected = sorted(record["record"] for record in records)
        seen, cursor, pages = [], None, 0
        while True:
            page = expect(self.ask([("name", "prefix", "paging")], limit=3, cursor=cursor, at_least=records[-1]["position"]), 200).json
            seen += [item["record"] for item in page["items"]]
            cursor, pages = page["next"], pages + 1
            if cursor is None:
                break
        self.assertEqual((sorted(seen), pages), (expected, 3))
        self.assertEqual(len(set(seen)), 7)

    def test_sorted_it_comes_in_one_answer(self):
        cities = ["Zwickau", "Öhringen", "Ohrdruf", "aalen", "Ärzen"]
        for city in cities:
            last = self.add(name="Sorted Person", city=city)
        self.add(name="Sorted Person")
        last = self.add(name="Other Person", city="Bonn")
        self.found(("name", "exact", "x"), at_least=last["position"])
        where = [("name", "exact", "sorted person")]
        found = expect(self.ask(where, sort={"field": "city"}, fields=["city"]), 200).json
        self.assertEqual([item["values"].get("city") for item in found["items"]], ["aalen", "Ärzen", "Ohrdruf", "Öhringen", "Zwickau", None])
        self.assertIsNone(found["next"])
        found = expect(self.ask(where, sort={"field": "city", "descending": True}), 200).json
        self.assertEqual([item["values"].get("city") for item in found["items"]], ["Zwickau", "Öhringen", "Ohrdruf", "Ärzen", "aalen", None])
        size = self.size()
        self.refused(self.ask(where, sort={"field": "city"}, limit=5), 400, "bad_value", "/sort", "too_many_to_sort")
        self.assertEqual(self.size(), size + 1)  # that there are more is an answer too
        for sort, code in (({"field": "nothing"}, "unknown_field"), ({}, "bad_value"), ("city", "bad_value"), ({"field": "city", "by": 1}, "unknown_field"),
                           ({"field": "city", "descending": "yes"}, "bad_value")):
            answer = self.ask(where, sort=sort)
            self.assertEqual((answer.status, answer.code), (400, code), sort)
        answer = self.people([("name", "exact", "x")], sort={"field": "city"})
        self.assertEqual((answer.status, answer.code), (400, "unknown_field"))

    def test_a_page_of_very_large_records_ends_early(self):
        """so that many who read slowly fill no memory: 100 notes of 30 KB are more than a page takes"""
        made = [self.add(name=f"Large Note {i}", note="n" * 30_000) for i in range(100)]
        seen, cursor, sizes = set(), None, []
        while True:
            page = expect(self.ask([("name", "prefix", "large note")], limit=200, cursor=cursor, at_least=made[-1]["position"]), 200).json
            sizes.append(len(page["items"]))
            seen |= {item["record"] for item in page["items"]}
            cursor = page["next"]
            if cursor is None:
                break
        self.assertEqual(seen, {one["record"] for one in made})
        self.assertEqual(len(sizes), 2, sizes)
        listed = get(self.s, "/v1/record-types/clients/records?limit=200").json
        self.assertLess(len(listed["items"]), 100)
        self.assertIsNotNone(listed["next"])

    def test_only_the_fields_that_are_named_are_shown(self):
        one = self.add(name="Shown Fields", city="Hidden")
        answer = expect(self.ask([("name", "exact", "shown fields")], fields=["city"], at_least=one["position"]), 200).json
        self.assertEqual(answer["items"][0]["values"], {"city": "Hidden"})
        whole = expect(self.ask([("name", "exact", "shown fields")], fields=[]), 200).json["items"][0]["values"]
        self.assertEqual(whole, {"name": "Shown Fields", "city": "Hidden", "e-mail": whole["e-mail"]})

    def test_each_search_is_an_event_before_its_answer_also_without_a_hit(self):
        people = [self.add(name="Traced Person", city="Trace"), self.add(name="Traced Person", city="Trace")]
        self.found(("name", "exact", "traced person"), at_least=people[-1]["position"])
        before = self.size()
        self.assertEqual(len(self.found(("name", "exact", "traced person"), fields=["city"])), 2)
        self.assertEqual(len(self.found(("name", "exact", "nobody at all"))), 0)
        hit, miss = self.events(before)
        self.assertEqual([hit["type"], miss["type"]], ["access.read", "access.read"])
        self.assertEqual(hit["parts"], 3)  # the actor's, and a trace for each person
        self.assertEqual(miss["parts"], 1)
        for person in people:
            history = get(self.s, f"/v1/subjects/{person['subject']}/history?limit=200").json["items"]
            self.assertIn(hit["seq"], [item["seq"] for item in history])
            self.assertNotIn(miss["seq"], [item["seq"] for item in history])

    def test_who_may_search_and_by_what(self):
        s = self.s
        one = self.add(name="Permit Test", city="Town", phone="+49 30 1234567")
        self.found(("name", "exact", "permit test"), at_least=one["position"])
        expect(self.ask([("name", "exact", "permit test")], role="sender"), 200)
        expect(self.ask([("name", "exact", "permit test")], role="privacy_officer"), 200)
        self.refused(self.ask([("name", "exact", "x")], role="auditor"), 403, "role_denied")
        calls = token(s, "editor", types=["clients"], purposes=["calls"])
        shown = expect(self.ask([("name", "exact", "permit test")], token=calls), 200).json["items"]
        self.assertEqual([item["values"] for item in shown], [{"name": "Permit Test", "phone": "+49 30 1234567"}])
        before = self.size()
        self.refused(self.ask([("city", "exact", "town")], token=calls), 403, "field_denied")
        self.refused(self.ask([("name", "exact", "permit test")], token=calls, fields=["city"]), 403, "field_denied")
        self.assertEqual([event["type"] for event in self.events(before)], ["refusal.recorded"] * 2)
        both = token(s, "editor", types=["clients"], purposes=["calls", PURPOSE])
        self.refused(self.ask([("name", "exact", "x")], token=both), 403, "purpose_missing")
        other = token(s, "editor", types=["contacts"])
        self.refused(self.ask([("name", "exact", "x")], token=other), 403, "type_denied")

    def test_bad_searches_are_told_apart(self):
        ask = self.ask
        self.refused(ask([]), 400, "bad_value", "/where")
        self.refused(ask([("name", "exact", "x")] * 17), 400, "bad_value", "/where")
        self.refused(ask([("note", "exact", "x")]), 400, "bad_value", "/where/0/field", "not_searchable")
        self.refused(ask([("name", "exact", "x"), ("name", "exact", " \t ")]), 400, "bad_value", "/where/1/value", "nothing_to_search_by")
        self.refused(ask([("news", "exact", "true")]), 400, "bad_value", "/where/0/value", "wrong_kind")
        self.refused(ask([("name", "exact", True)]), 400, "bad_value", "/where/0/value", "wrong_kind")
        self.refused(ask([("name", "like", "x")]), 400, "bad_value", "/where/0/op")
        self.refused(ask([("name", "exact", 7)]), 400, "bad_value", "/where/0/value")
        self.refused(ask([("nothing", "exact", "x")]), 400, "unknown_field")
        self.refused(ask([("name", "exact", "x")], limit=1001), 400, "bad_value")
        self.refused(ask([("name", "exact", "x")], limit=0), 400, "bad_value", "/limit")
        self.refused(ask([("name", "exact", "x")], limit="5"), 400, "bad_value", "/limit")
        self.refused(ask([("name", "exact", "x")], limit=5.5), 400, "bad_value", "/limit")
        expect(ask([("name", "exact", "x")], limit=5.0), 200)  # a whole number as JSON has it
        self.refused(ask([("name", "exact", "x")], cursor="no"), 400, "bad_cursor")
        self.refused(ask([("name", "exact", "x")], cursor=""), 400, "bad_cursor")
        self.refused(ask([("name", "exact", "x")], order="name"), 400, "unknown_field")
        post = lambda path, body: self.s.request("POST", path, body, token=self.s.tokens["editor"])  # noqa: E731
        self.refused(post("/v1/record-types/clients/search", {"where": "name"}), 400, "bad_value", "/where")
        self.refused(post("/v1/record-types/clients/search", {"where": [7]}), 400, "bad_value", "/where/0")
        self.refused(post("/v1/record-types/clients/search", {}), 400, "bad_value", "/where")
        self.refused(post("/v1/record-types/nothing/search", {"where": [{"field": "a", "op": "exact", "value": "b"}]}), 404, "not_found")
        self.assertEqual(self.s.request("GET", "/v1/record-types/clients/search").status, 405)
        long = "x" * 3000
        one = self.add(name=long + " end")
        self.assertEqual(self.found(("name", "prefix", long), at_least=one["position"]), {one["record"]})
        self.assertEqual(self.found(("name", "exact", long)), set())

    def test_texts_made_to_be_expensive_cost_a_moment(self):
        """a character of 18 letters as often as a cell takes it; marks that are sorted, as many as a body takes"""
        wide, marked = "\uFDFA" * 10_900, "a" + "\u0301" * 60_000 + "\u0316" * 60_000
        one = self.add(name=wide)
        self.assertEqual(self.found(("name", "exact", wide), at_least=one["position"]), {one["record"]})
        marks = self.add(name=marked[:8_000] + marked[-8_000:])
        self.assertEqual(self.found(("name", "exact", marked[:8_000] + marked[-8_000:]), at_least=marks["position"]), {marks["record"]})
        begin = time.monotonic()
        self.refused(self.ask([("name", "prefix", marked)]), 400, "bad_value", "/where/0/value", "too_long")
        self.assertLess(time.monotonic() - begin, 5)

    def test_who_is_erased_is_found_no_more_and_the_rest_still_is(self):
        one = self.add(name="Erased Wholly", city="Gone", e_mail="erased@example.org")
        other = self.add(name="Erased Partly", city="Gone")
        self.assertEqual(len(self.found(("city", "exact", "gone"), at_least=other["position"])), 2)
        expect(erase(self.s, one["subject"]), 201)
        self.assertEqual(self.found(("name", "exact", "erased wholly")), set())
        self.assertEqual(self.found(("city", "exact", "gone")), {other["record"]})
        expect(erase(self.s, other["subject"], classes=["marketing"]), 201)
        self.assertEqual(self.found(("city", "exact", "gone")), set())
        self.assertEqual(self.found(("name", "exact", "erased partly")), {other["record"]})
        again = self.add(name="Erased Again", e_mail="erased@example.org")
        self.assertEqual(self.found(("e-mail", "exact", "ERASED@example.org"), at_least=again["position"]), {again["record"]})

    def test_a_restart_and_a_field_that_becomes_searchable_load_the_index_anew(self):
        s = self.s
        one = self.add(name="Loaded Again", note="By its note", city="Dresden")
        expect(erase(s, self.add(name="Loaded Never")["subject"]), 201)
        self.assertEqual(s.stop(), 0)
        s.serve()
        wait_for_index(s)
        self.assertEqual(self.found(("name", "prefix", "loaded"), ("city", "exact", "dresden")), {one["record"]})
        self.assertEqual(self.found(("name", "prefix", "loaded")), {one["record"]})
        fields = [{**field, "searchable": field["name"] != "city"} for field in TYPE["fields"]]
        changed = expect(s.request("PUT", "/v1/record-types/clients", {**TYPE, "fields": fields}), 200).json
        for _ in range(200):
            answer = self.ask([("note", "prefix", "by its")], at_least=changed["position"])
            if answer.status == 200:
                break
            self.refused(answer, 503, "starting")
            time.sleep(0.05)
        self.assertEqual([item["record"] for item in answer.json["items"]], [one["record"]])
        self.refused(self.ask([("city", "exact", "dresden")]), 400, "bad_value", "/where/0/field", "not_searchable")
        changed = expect(s.request("PUT", "/v1/record-types/clients", TYPE), 200).json
        self.found_when_loaded(("city", "exact", "dresden"), changed["position"], [one["record"]])

    def found_when_loaded(self, where, position, expected):
        for _ in range(200):
            answer = self.ask([where], at_least=position)
            if answer.status == 200:
                break
            time.sleep(0.05)
        self.assertEqual([item["record"] for item in expect(answer, 200).json["items"]], expected)

    def cli(self, *words):
        s = self.s
        return subprocess.run([s.binary, "--server", f"http://127.0.0.1:{s.port}", "--token", s.tokens["editor"], *words],
                              capture_output=True, text=True, timeout=60)

    def test_the_command_line_searches(self):
        records = [self.add(name=f"Übung {i}", city="Köln", news=i == 0) for i in range(5)]
        self.found(("name", "prefix", "übung"), at_least=records[-1]["position"])
        done = self.cli("--json", "records", "search", "--type", "clients", "--where", "name=uebung*", "--where", "city=KOELN")
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({item["record"] for item in shown}, {record["record"] for record in records})
        done = self.cli("records", "list", "--type", "clients", "--where", "Name=Ubung*", "--limit", "2", "--fields", "name,city")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("Köln"), 2)
        done = self.cli("--json", "records", "search", "--type", "clients", "--where", "Ort=köln", "--where", "Newsletter=ja")
        self.assertEqual([json.loads(line)["record"] for line in done.stdout.splitlines()], [records[0]["record"]])
        sorting = ("records", "search", "--type", "clients", "--where", "name=uebung*", "--sort", "name")
        done = self.cli("--json", *sorting, "--descending", "--limit", "3")
        self.assertEqual([json.loads(line)["values"]["name"] for line in done.stdout.splitlines()], ["Übung 4", "Übung 3", "Übung 2"], done.stderr)
        done = self.cli(*sorting)
        at = [done.stdout.index(f"Übung {i}") for i in range(5)]
        self.assertEqual(at, sorted(at))
        self.assertEqual(self.cli("records", "search", "--type", "clients", "--where", "name=x", "--descending").returncode, 2)
        done = self.cli("--json", "records", "search", "--type", "clients", "--where", "name=nobody")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        for wrong in ("name", "nothing=x"):
            done = self.cli("records", "search", "--type", "clients", "--where", wrong)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--where is FIELD=VALUE", done.stderr)
        done = self.cli("--lang", "de", "records", "search", "--type", "clients", "--where", "note=x")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("note ist kein durchsuchbares Feld", done.stderr)
        self.assertEqual(self.cli("records", "search", "--type", "clients").returncode, 2)
        self.assertIn("records search --type contacts", self.cli("records", "search", "--help").stdout)

    def people(self, where, token=None, **more):
        conditions = [{"field": field, "op": op, "value": value} for field, op, value in where]
        return self.s.request("POST", "/v1/subjects/search", {"where": conditions, **more}, token=token or self.s.tokens["privacy_officer"])

    def test_G20_people_are_found_in_all_types(self):
        s = self.s
        one = self.add(name="Paula People", e_mail="paula@example.org", city="Ulm", phone="0171 555")
        two = expect(s.request("POST", "/v1/record-types/contacts/records",
                               {"values": {"name": "Paula People", "e-mail": "paula@example.org"}}, token=s.tokens["editor"]), 201).json
        self.assertEqual(one["subject"], two["subject"])
        self.found(("name", "exact", "x"), at_least=two["position"])
        size = self.size()
        found = expect(self.people([("e-mail", "exact", "PAULA@example.org")], fields=["city", "e-mail"]), 200).json
        self.assertEqual([item["subject"] for item in found["items"]], [one["subject"]])
        shown = {record["record"]: record["values"] for record in found["items"][0]["records"]}
        self.assertEqual(shown, {one["record"]: {"e-mail": "paula@example.org", "city": "Ulm"}, two["record"]: {"e-mail": "paula@example.org"}})
        self.assertIsNone(found["next"])
        self.assertEqual(sorted(found["types"]), ["clients", "contacts"])
        self.assertEqual([event["type"] for event in self.events(size)], ["access.read"])
        history = get(s, f"/v1/subjects/{one['subject']}/history", "privacy_officer").json["items"]
        self.assertIn("search", [item.get("access") for item in history])
        # Of one type only; of none; not for everybody; in what the purpose covers.
        found = expect(self.people([("city", "exact", "ulm"), ("name", "exact", "paula people")]), 200).json
        self.assertEqual((len(found["items"]), found["types"]), (1, ["clients"]))
        self.refused(self.people([("nothing", "exact", "x")]), 400, "bad_value", "/where/0/field", "not_searchable")
        self.refused(self.people([("e-mail", "exact", "x")], cursor="A" * 22), 400, "bad_cursor")
        self.refused(self.people([("e-mail", "exact", "x")], token=s.tokens["sender"]), 403, "role_denied")
        calls = token(s, "editor", types=["clients"], purposes=["calls"])
        ask = {"where": [{"field": "name", "op": "exact", "value": "Paula People"}]}
        found = expect(s.request("POST", "/v1/subjects/search", ask, token=calls, headers={"Siegel-Purpose": "calls"}), 200).json
        self.assertEqual([sorted(record["values"]) for item in found["items"] for record in item["records"]], [["name", "phone"]])
        ask["where"][0]["field"] = "city"
        self.refused(s.request("POST", "/v1/subjects/search", ask, token=calls, headers={"Siegel-Purpose": "calls"}), 403, "field_denied")
        # A field to be shown that none of the types has, or that is not covered: nobody is looked at.
        size = self.size()
        self.refused(self.people([("name", "exact", "Paula People")], fields=["name", "nmae"]), 400, "unknown_field", "/fields")
        ask = {"where": [{"field": "name", "op": "exact", "value": "Paula People"}], "fields": ["name", "city"]}
        self.refused(s.request("POST", "/v1/subjects/search", ask, token=calls, headers={"Siegel-Purpose": "calls"}), 403, "field_denied")
        self.assertEqual([event["type"] for event in self.events(size)], ["refusal.recorded"])
        answer = s.request("GET", "/v1/subjects/search", token=s.tokens["privacy_officer"])
        self.refused(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["Allow"], "POST")
        # The same by the command line.
        done = self.cli("--purpose", PURPOSE, "subject", "search", "--where", "e-mail=paula@example.org", "--fields", "name")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in (one["record"], two["record"], "clients", "contacts", "name=Paula People"):
            self.assertIn(word, done.stdout)
        self.assertRegex(done.stderr, r"Looked in: (clients, contacts|contacts, clients)\.")
        done = self.cli("--purpose", PURPOSE, "--lang", "de", "subject", "search", "--where", "city=Nirgends")
        self.assertIn("Niemand gefunden.", done.stderr)
        self.assertIn("Gesucht in: clients.", done.stderr)
        done = self.cli("--purpose", PURPOSE, "--json", "subject", "search", "--where", "name=paula*")
        self.assertEqual([json.loads(line)["subject"] for line in done.stdout.splitlines()], [one["subject"]])
        self.assertEqual(self.cli("--purpose", PURPOSE, "subject", "search", "--where", "paula").returncode, 2)
        expect(erase(s, one["subject"]), 201)
        self.assertEqual(expect(self.people([("e-mail", "exact", "paula@example.org")]), 200).json["items"], [])

    def test_a_search_of_people_looks_at_no_more_than_the_limit(self):
        for i in range(3):
            last = self.add(name=f"Lia Limit {i}", e_mail=f"lia{i}@example.org")
        self.found(("name", "exact", "x"), at_least=last["position"])
        search = ("--purpose", PURPOSE, "--json", "subject", "search", "--where", "name=lia*")
        self.assertEqual(len(self.cli(*search).stdout.splitlines()), 3)
        size = self.size()
        for limit in (1, 2):
            done = self.cli(*search, "--limit", str(limit))
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, limit), done.stderr)
        self.assertEqual([event["parts"] for event in self.events(size)], [2, 3])  # the actor's, and theirs
        self.assertEqual(len(self.cli(*search, "--limit", "all").stdout.splitlines()), 3)
        for wrong in ("0", "x"):
            done = self.cli(*search, "--limit", wrong)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--limit is a number from 1, or all.", done.stderr)

    def test_no_wanted_value_reaches_log_or_error(self):
        self.ask([("name", "exact", "canaryvalue")])
        self.assertNotIn(b"canaryvalue", self.ask([("note", "exact", "canaryvalue")]).body)
        self.assertNotIn("canaryvalue", self.s.log_text())


if __name__ == "__main__":
    main()
