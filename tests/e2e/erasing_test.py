"""Work goes on while people are erased, and permission ends where its withdrawal stands. usage: erasing_test.py SIEGEL_BINARY"""
import base64
import hashlib
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from clients import Client, at_once  # noqa: E402
from contacts import PURPOSE, RECORDS, add, erase, expect, get, token, wait_for_index  # noqa: E402

LONG = "SIEGEL_LONG" in os.environ


def root_by(leaf, index, size, path):
    """Where the path of an inclusion proof leads to (RFC 9162 2.1.3.2); none if it is too short or too long."""
    node, last, at = leaf, size - 1, index
    for hash_ in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = hashlib.sha256(b"\1" + hash_ + node).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + hash_).digest()
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


class Erasing(Checked):
    def test_commands_at_every_step_of_an_erasure(self):
        """Writers for the living and for those being erased never stop while one erasure follows the other."""
        s = self.s
        rounds, living, doomed = (300 if LONG else 25), 6, 4
        living_records = [expect(add(s, {"name": f"0 L{i}", "e-mail": f"l{i}@example.org"}), 201).json for i in range(living)]
        newest = [0] * living
        added = [[] for _ in range(living)]  # further records of the living, acknowledged
        target = {}
        stop = threading.Event()
        seen = set()

        def of_the_living(number):
            with Client(s, s.tokens["editor"]) as client:
                i = 0
                while not stop.is_set():
                    i += 1
                    expect(client.request("PATCH", f"/v1/records/{living_records[number]['record']}", {"values": {"name": f"{i} L{number}"}}), 200)
                    newest[number] = i
                    new = expect(client.request("POST", RECORDS, {"values": {"name": f"more {i}", "e-mail": f"l{number}@example.org"}}), 201)
                    assert new.json["subject"] == living_records[number]["subject"]
                    if len(added[number]) < 500:
                        added[number].append((new.json["record"], f"more {i}"))
                    shown = expect(client.request("GET", f"/v1/records/{living_records[number]['record']}"), 200)
                    assert int(shown.json["values"]["name"].split()[0]) >= i

        def of_the_doomed(number):
            with Client(s, s.tokens["editor"]) as client:
                i = 0
                while not stop.is_set():
                    person = target.get("now")
                    if person is None:
                        time.sleep(0.001)
                        continue
                    i += 1
                    late = person.get("gone", False)  # before the first request: everything after the erasure's answer is refused
                    answers = (client.request("PATCH", f"/v1/records/{person['record']}", {"values": {"name": f"{i} D"}}),
                               client.request("PATCH", f"/v1/records/{person['record']}", {"values": {"news": i % 2 == 0}}),
                               client.request("GET", f"/v1/records/{person['record']}"),
                               client.request("POST", RECORDS, {"values": {"name": "again"}, "subject": person["subject"]}))
                    for answer in answers:
                        expect(answer, *((410,) if late else (200, 201, 410)))
                        seen.add(answer.status)

        threads = [threading.Thread(target=self.guard(of_the_living, stop), args=(i,)) for i in range(living)]
        threads += [threading.Thread(target=self.guard(of_the_doomed, stop), args=(i,)) for i in range(doomed)]
        for thread in threads:
            thread.start()
        erased = []
        try:
            for i in range(rounds):
                person = expect(add(s, {"name": f"D {i}", "e-mail": f"d{i}@example.org", "news": True}), 201).json
                target["now"] = person
                time.sleep(0.05)
                mode = "now" if i % 3 else "window"
                answer = expect(erase(s, person["subject"], mode=mode), 201, 202)
                person["gone"] = True
                for path in (f"/v1/records/{person['record']}", f"/v1/subjects/{person['subject']}"):
                    self.assertEqual(get(s, path).status, 410, f"{mode} {path}")
                erased.append((person, answer.json["erasure"]))
                if stop.is_set():
                    break
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.failures, [])
        self.assertLessEqual({200, 410}, seen)
        for _ in range(600):
            if all(e["state"] == "effective" for e in (get(s, f"/v1/erasures/{id}", "privacy_officer").json for _, id in erased)):
                break
            time.sleep(0.05)
        for restart in (False, True):
            if restart:
                self.assertEqual(s.stop(), 0)
                s.serve()
                wait_for_index(s)
            for number, record in enumerate(living_records):
                self.assertEqual(get(s, f"/v1/records/{record['record']}").json["values"]["name"], f"{newest[number]} L{number}")
                for more, name in added[number][:50]:
                    self.assertEqual(get(s, f"/v1/records/{more}").json["values"]["name"], name)
            for person, erasure in erased:
                answer = get(s, f"/v1/records/{person['record']}")
                self.assertEqual((answer.status, answer.json["erasure"]), (410, erasure))
                self.assertEqual(get(s, f"/v1/subjects/{person['subject']}").status, 410)

    def test_an_erasure_of_more_people_than_one_epoch_takes(self):
        """ER-08 The certificate proves each of its events, as JSON, as a page and as a note."""
        s = self.s

        def bring(number):
            with Client(s, s.tokens["editor"], check=False) as client:
                values = [{"values": {"name": f"M {i}", "e-mail": f"m{i}@example.org"}} for i in range(number, 4_001, 16)]
                return [expect(client.request("POST", RECORDS, one), 201).json["subject"] for one in values]

        people = [subject for some in at_once(bring, 16) for subject in some]
        with Client(s, s.tokens["privacy_officer"]) as client:
            body = {"subjects": people, "classes": ["customer"], "ground": "art17-1-b", "mode": "now"}
            erased = expect(client.request("POST", "/v1/erasures", body), 201).json
            path = f"/v1/erasures/{erased['erasure']}"
            state = expect(client.request("GET", path, Siegel_At_Least=erased["position"], Siegel_Wait_Ms="30000"), 200).json
            shown = expect(client.request("GET", path + "/certificate"), 200).json
            note = expect(client.request("GET", path + "/certificate", Accept="text/plain"), 200).body.decode()
            page = expect(client.request("GET", path + "/certificate", Accept="text/html", Accept_Language="en"), 200).body.decode()
        self.assertEqual((shown["subjects"], shown["requests"], [e["requests"] for e in shown["earlier"]]), (4_001, 1, [4_000]))
        # Whoever waits hears of the last epoch, and so do the state and the top of the certificate.
        self.assertEqual((shown["epoch"], state["epoch"], state["seq"]), (erased["epoch"], erased["epoch"], shown["proof"]["index"]))
        self.assertEqual(shown["earlier"][0]["epoch"]["new"], shown["epoch"]["old"])
        self.assertTrue(any(kept.startswith("marketing (contract, ") for kept in shown["kept_classes"]))
        for event in (shown, *shown["earlier"]):
            proof = event["proof"]
            root = base64.b64decode(proof["checkpoint"].splitlines()[2])
            leaf = hashlib.sha256(b"\0" + base64.b64decode(proof["header"])).digest()
            self.assertEqual(root_by(leaf, proof["index"], proof["size"], [base64.b64decode(h) for h in proof["hashes"]]), root)
            self.assertIn(f"\nevent: {proof['index']}\n", note)
            self.assertIn(f"{event['epoch']['old']} -&gt; {event['epoch']['new']}", page)
        self.assertIn("\nearlier events: 1\n", note)

    def guard(self, work, stop):
        self.failures = []

        def run(*arguments):
            try:
                work(*arguments)
            except Exception as error:  # told by the test, not by a thread that dies alone
                self.failures.append(repr(error))
                stop.set()
        return run

    def test_a_token_withdrawn_among_its_uses(self):
        """Uses and the revocation meet in one group: what is decided after it is refused, wherever it was prepared."""
        s = self.s
        record = expect(add(s, {"name": "Use", "e-mail": "use@example.org"}), 201).json["record"]
        for _ in range(40 if LONG else 6):
            made = expect(s.request("POST", "/v1/tokens", {"role": "editor", "purposes": [PURPOSE], "types": ["contacts"]}), 201).json
            revoked = threading.Event()
            start = threading.Barrier(17)

            def use(number):
                used, after = [], 0
                with Client(s, made["token"]) as client:
                    start.wait()
                    while after < 3:
                        late = revoked.is_set()
                        answer = client.request("PATCH", f"/v1/records/{record}", {"values": {"name": f"use {number}"}})
                        expect(answer, *((401,) if late else (200, 401)))
                        if answer.status == 200:
                            used.append(answer.json["seq"])
                        after += late
                return used

            def revoke():
                start.wait()
                time.sleep(0.1)
                answer = expect(s.request("DELETE", f"/v1/tokens/{made['token_id']}"), 204)
                revoked.set()
                return int(answer.headers["Siegel-Position"].split(":")[1]) - 1

            ends = []
            ender = threading.Thread(target=lambda: ends.append(revoke()))
            ender.start()
            used = [seq for some in at_once(use, 16) for seq in some]
            ender.join()
            self.assertTrue(used)
            self.assertLess(max(used), ends[0], "a use behind the withdrawal")

    def test_a_purpose_narrowed_among_its_uses(self):
        s = self.s
        record = expect(add(s, {"name": "Narrow", "e-mail": "narrow@example.org"}), 201).json["record"]
        path = "/v1/purposes/narrowing"
        wide, narrow = {"legal_ground": "contract"}, {"legal_ground": "contract", "fields": {"contacts": ["e-mail"]}}
        expect(s.request("PUT", path, wide), 201)
        clerk = token(s, "editor", purposes=["narrowing"])
        for _ in range(40 if LONG else 6):
            expect(s.request("PUT", path, wide), 200)
            narrowed = threading.Event()
            start = threading.Barrier(17)

            def use(number):
                used, after = [], 0
                with Client(s, clerk) as client:
                    start.wait()
                    while after < 3:
                        late = narrowed.is_set()
                        answer = client.request("PATCH", f"/v1/records/{record}", {"values": {"name": f"use {number}"}})
                        expect(answer, *((403,) if late else (200, 403)))
                        if answer.status == 200:
                            used.append(answer.json["seq"])
                        else:
                            assert answer.code == "field_denied", answer.body
                        after += late
                return used

            ends = []

            def narrow_it():
                start.wait()
                time.sleep(0.1)
                answer = expect(s.request("PUT", path, narrow), 200)
                narrowed.set()
                ends.append(int(answer.headers["Siegel-Position"].split(":")[1]) - 1)

            ender = threading.Thread(target=narrow_it)
            ender.start()
            used = [seq for some in at_once(use, 16) for seq in some]
            ender.join()
            self.assertTrue(used)
            self.assertLess(max(used), ends[0], "a use behind the withdrawal")


if __name__ == "__main__":
    main()
