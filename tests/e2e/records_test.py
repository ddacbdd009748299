"""Records beside erasures: what is gone, what stays, and that a rebuild comes to the same. usage: records_test.py SIEGEL_BINARY"""
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import RECORDS, add, erase, expect, get, token, wait_for_index  # noqa: E402

NOBODY = "re_" + "A" * 22


class Records(Checked):
    serial = 0

    def person(self, **values):
        type(self).serial += 1
        return expect(add(self.s, {"name": f"Kim {self.serial}", "e-mail": f"kim{self.serial}@example.org", **values}), 201).json

    def patch(self, record, values, **more):
        return self.s.request("PATCH", f"/v1/records/{record}", {"values": values}, token=self.s.tokens["editor"], **more)

    def remove(self, record, **more):
        return self.s.request("DELETE", f"/v1/records/{record}", token=self.s.tokens["editor"], **more)

    def rebuild(self):
        """The server on read models made anew."""
        self.assertEqual(self.s.stop(), 0)
        shutil.rmtree(self.s.data / "views")
        (self.s.data / "VIEWS").unlink()
        self.s.serve()
        wait_for_index(self.s)

    def test_missing_is_404_and_erased_410_whatever_is_named(self):
        person = self.person()
        self.assertEqual(self.patch(NOBODY, {"name": "X"}).status, 404)
        self.assertEqual(self.patch(NOBODY, {"nope": "X"}).status, 404)
        self.assertEqual(self.remove(NOBODY).status, 404)
        self.assertEqual(get(self.s, f"/v1/records/{NOBODY}").status, 404)
        erased = expect(erase(self.s, person["subject"]), 201).json
        for answer in (self.patch(person["record"], {"name": "X"}), self.patch(person["record"], {"nope": "X"}),
                       self.remove(person["record"]), get(self.s, f"/v1/records/{person['record']}"),
                       get(self.s, f"/v1/records/{person['record']}/history"), get(self.s, f"/v1/subjects/{person['subject']}"),
                       get(self.s, f"/v1/subjects/{person['subject']}/history"),
                       get(self.s, f"/v1/subjects/{person['subject']}/export"),
                       self.s.request("POST", RECORDS, {"values": {"name": "X"}, "subject": person["subject"]},
                                      token=self.s.tokens["editor"])):
            self.assertEqual((answer.status, answer.code, answer.json.get("erasure")), (410, "erased", erased["erasure"]))

    def test_410_names_the_erasure_while_it_is_only_requested(self):
        person = self.person()
        asked = expect(erase(self.s, person["subject"], mode="window"), 202).json
        for answer in (self.patch(person["record"], {"name": "X"}), get(self.s, f"/v1/records/{person['record']}"),
                       self.remove(person["record"])):
            self.assertEqual((answer.status, answer.json.get("erasure")), (410, asked["erasure"]))

    def test_remove_answers_like_a_change(self):
        person = self.person(news=True)
        stale = self.remove(person["record"], headers={"If-Match": '"7"'})
        self.assertEqual((stale.status, stale.json["current_version"]), (412, 1))
        key = {"Idempotency-Key": f"remove-{person['record']}"}
        removed = self.remove(person["record"], headers={**key, "If-Match": '"1"'})
        self.assertEqual(removed.status, 200, removed.body)
        self.assertEqual(removed.json["version"], 2)
        again = self.remove(person["record"], headers={**key, "If-Match": '"1"'})
        self.assertEqual((again.status, again.json, again.headers["Siegel-Replayed"]), (200, removed.json, "true"))
        self.assertEqual(self.remove(person["record"]).status, 404)

    def test_EV03_a_retry_gets_the_stored_result_whatever_came_between(self):
        """[EV-03] after the record moved on, after a restart, on every route that writes; another request is a conflict"""
        s, admin = self.s, self.s.token
        person, other, third = self.person(), self.person(), self.person()
        record = f"/v1/records/{person['record']}"
        period = {"period": "P1Y", "start": "collection", "legal_ground": "contract"}
        requests = [
            ("POST", RECORDS, {"values": {"name": "Retry", "e-mail": "retry@example.org"}}, s.tokens["editor"], {}),
            ("PATCH", record, {"values": {"name": "First"}}, s.tokens["editor"], {"If-Match": '"1"'}),
            ("PUT", "/v1/deletion-classes/retried", period, admin, {"If-None-Match": "*"}),
            ("PUT", "/v1/purposes/retried", {"legal_ground": "contract"}, admin, {}),
            ("POST", "/v1/erasures", {"subject": other["subject"], "ground": "art17-1-b", "mode": "now"}, s.tokens["privacy_officer"], {}),
            ("POST", "/v1/erasures", {"subject": third["subject"], "ground": "art17-1-b"}, s.tokens["privacy_officer"], {}),
        ]

        def ask(number, **changed):
            method, path, body, token, headers = requests[number]
            return s.request(method, path, changed.get("body", body), token=token,
                             headers={**headers, "Idempotency-Key": f"retry-{number}", **changed.get("headers", {})})

        first = [expect(ask(i), 200, 201, 202) for i in range(len(requests))]
        self.assertEqual((first[4].status, first[5].status), (201, 202))
        end = time.monotonic() + 30  # until the second erasure is effective too: its retry answers as it was answered
        shown = {"headers": {"Siegel-At-Least": first[5].json["position"]}}
        while get(s, f"/v1/erasures/{first[5].json['erasure']}", "privacy_officer", **shown).json["state"] != "effective":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        expect(self.patch(person["record"], {"name": "Second"}), 200)
        expect(s.request("PUT", "/v1/deletion-classes/retried", {**period, "period": "P2Y"}), 200)
        for restarted in (False, True):
            if restarted:
                self.assertEqual(s.stop(), 0)
                s.serve()
                wait_for_index(s)
            size = s.request("GET", "/v1/status").json["size"]
            for i, answer in enumerate(first):
                again = ask(i)
                self.assertEqual((again.status, again.headers["Siegel-Replayed"]), (answer.status, "true"), requests[i][1])
                self.assertEqual(again.json, answer.json, requests[i][1])
                self.assertEqual(again.headers.get("ETag"), answer.headers.get("ETag"))
            self.assertEqual(s.request("GET", "/v1/status").json["size"], size)  # no event
            self.assertEqual(get(s, record).json["values"]["name"], "Second")
            for i, changed in ((0, {"body": {"values": {"name": "Else", "e-mail": "retry@example.org"}}}), (1, {"headers": {"If-Match": '"9"'}}),
                               (2, {"body": {**period, "period": "P3Y"}}), (4, {"body": {"subject": person["subject"], "ground": "art17-1-b"}})):
                self.assertEqual((ask(i, **changed).status, ask(i, **changed).code), (409, "idempotency_conflict"), requests[i][1])
        across = s.request("PATCH", record, {"values": {"name": "Third"}}, token=s.tokens["editor"], headers={"Idempotency-Key": "retry-0"})
        self.assertEqual(across.code, "idempotency_conflict")

    def test_PJ05_a_removal_outlives_the_erasure_of_one_class(self):
        """[PJ-05] A part in the first class only would bring the record back with a rebuild."""
        for first, second in (("customer", "marketing"), ("marketing", "customer")):
            person = self.person(news=True)
            expect(self.remove(person["record"]), 200)
            expect(erase(self.s, person["subject"], [first]), 201)
            self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 404)
            self.rebuild()
            self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 404, first)
            listed = {r["record"] for r in get(self.s, f"{RECORDS}?limit=200").json["items"]}
            self.assertNotIn(person["record"], listed)
            expect(erase(self.s, person["subject"], [second]), 201)
            self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 410)

    def test_a_removal_covers_classes_that_came_later(self):
        person = self.person()
        expect(self.patch(person["record"], {"news": True}), 200)
        expect(self.remove(person["record"]), 200)
        expect(erase(self.s, person["subject"], ["customer"]), 201)
        self.rebuild()
        self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 404)

    def test_one_class_erased_the_other_stays(self):
        person = self.person(news=True, born="1980-01-02")
        expect(self.patch(person["record"], {"news": False}), 200)
        expect(self.patch(person["record"], {"born": "1980-01-03"}), 200)
        expect(erase(self.s, person["subject"], ["marketing"]), 201)
        for _ in range(2):  # live, and rebuilt
            shown = expect(get(self.s, f"/v1/records/{person['record']}"), 200)
            self.assertEqual(shown.json["erased"], ["marketing"])
            self.assertEqual(shown.json["values"], {"name": shown.json["values"]["name"], "born": "1980-01-03",
                                                    "e-mail": shown.json["values"]["e-mail"]})
            listed = [r for r in get(self.s, f"{RECORDS}?limit=200").json["items"] if r["record"] == person["record"]]
            self.assertEqual(listed, [shown.json])
            history = get(self.s, f"/v1/records/{person['record']}/history").json["items"]
            self.assertNotIn("news", {c["field"] for i in history for c in i["changes"]})
            self.rebuild()
        # The version shown is the one that counts.
        changed = self.patch(person["record"], {"name": "Kim neu"}, headers={"If-Match": shown.headers["ETag"]})
        self.assertEqual(changed.status, 200, changed.body)

    def test_an_erased_class_can_be_filled_anew_and_erased_again(self):
        person = self.person(news=True)
        for _ in range(2):
            shown = get(self.s, f"/v1/records/{person['record']}")
            expect(erase(self.s, person["subject"], ["marketing"]), 201)
            shown = expect(get(self.s, f"/v1/records/{person['record']}"), 200)
            self.assertEqual(shown.json["erased"], ["marketing"])
            changed = self.patch(person["record"], {"news": True}, headers={"If-Match": shown.headers["ETag"]})
            self.assertEqual(changed.status, 200, changed.body)
            shown = expect(get(self.s, f"/v1/records/{person['record']}",
                               headers={"Siegel-At-Least": changed.json["position"]}), 200)
            self.assertNotIn("erased", shown.json)
            self.assertIs(shown.json["values"]["news"], True)
            self.assertEqual(shown.json["version"], changed.json["version"])
        expect(erase(self.s, person["subject"]), 201)
        self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 410)

    def test_all_can_be_erased_while_one_class_is_being_erased(self):
        person = self.person(news=True)
        expect(erase(self.s, person["subject"], ["marketing"], mode="window"), 202)
        expect(erase(self.s, person["subject"]), 201)
        self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 410)

    def test_an_erased_identity_matches_nobody(self):
        person = self.person(news=True)
        mail = get(self.s, f"/v1/records/{person['record']}").json["values"]["e-mail"]
        expect(erase(self.s, person["subject"], ["customer"]), 201)
        other = expect(add(self.s, {"name": "Lou", "e-mail": mail}), 201).json
        self.assertNotEqual(other["subject"], person["subject"])

    def test_the_reason_of_a_change_is_shown_with_it(self):
        person = self.person(news=True)
        record = f"/v1/records/{person['record']}"
        expect(self.s.request("PATCH", record, {"values": {"name": "Now Other"}, "reason": "Heirat"}, token=self.s.tokens["editor"]), 200)
        history = get(self.s, record + "/history").json["items"]
        self.assertEqual([item.get("reason") for item in history], [None, "Heirat"])
        export = expect(self.s.request("GET", f"/v1/subjects/{person['subject']}/export", token=self.s.tokens["privacy_officer"]), 200)
        self.assertIn("Heirat", [item.get("reason") for item in export.json["history"]])
        expect(self.s.request("PUT", "/v1/purposes/news-only", {"title": {"de": "Nur News"}, "legal_ground": "contract", "fields": {"contacts": ["news"]}}), 201)
        other = token(self.s, "editor", purposes=["news-only"])
        shown = expect(self.s.request("GET", record + "/history", token=other, purpose="news-only"), 200).json["items"]
        self.assertEqual([item.get("reason") for item in shown], [None, None])
        officer = token(self.s, "privacy_officer", purposes=["news-only"])
        for path in ("history", "export"):
            asked = self.s.request("GET", f"/v1/subjects/{person['subject']}/{path}", token=officer, purpose="news-only")
            items = expect(asked, 200).json["items" if path == "history" else "history"]
            self.assertEqual({item.get("reason") for item in items}, {None}, path)

    def test_the_reason_of_a_change_of_two_classes_is_for_whoever_sees_both_and_dies_with_the_first(self):
        person = self.person(news=True)
        record = f"/v1/records/{person['record']}"
        body = {"values": {"name": "Now Other", "news": False}, "reason": "Umzug ins Heim"}
        expect(self.s.request("PATCH", record, body, token=self.s.tokens["editor"]), 200)
        expect(self.s.request("PUT", "/v1/purposes/name-only", {"title": {"de": "Nur Name"}, "legal_ground": "contract", "fields": {"contacts": ["name"]}}), 201)
        officer = token(self.s, "privacy_officer", purposes=["name-only", "customer-care"])

        def changes(purpose):
            for path in (record + "/history", f"/v1/subjects/{person['subject']}/history", f"/v1/subjects/{person['subject']}/export"):
                shown = expect(self.s.request("GET", path, token=officer, purpose=purpose), 200).json
                item = [item for item in shown.get("items", shown.get("history")) if item["type"] == "record.changed"][-1]
                yield [change["field"] for change in item["changes"]], item.get("reason")

        self.assertEqual(list(changes("customer-care")), [(["name", "news"], "Umzug ins Heim")] * 3)
        self.assertEqual(list(changes("name-only")), [(["name"], None)] * 3)
        expect(erase(self.s, person["subject"], ["marketing"]), 201)
        self.assertEqual(list(changes("customer-care")), [(["name"], None)] * 3)
        self.rebuild()
        self.assertEqual(list(changes("customer-care")), [(["name"], None)] * 3)

    def test_a_token_is_shown_once(self):
        body = {"role": "editor", "purposes": ["customer-care"], "types": ["contacts"], "label": "once"}
        key = {"Idempotency-Key": "token-once"}
        made = expect(self.s.request("POST", "/v1/tokens", body, headers=key), 201)
        again = expect(self.s.request("POST", "/v1/tokens", body, headers=key), 201)
        self.assertRegex(made.json["token"], "^sgl_[A-Za-z0-9_-]{43}$")
        self.assertIsNone(again.json["token"])
        self.assertEqual({**again.json, "token": made.json["token"]}, made.json)
        self.assertEqual(again.headers["Siegel-Replayed"], "true")


if __name__ == "__main__":
    main()
