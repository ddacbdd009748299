"""Reads change nothing (G10), and one that asks for a position is never stale (PJ-03). usage: reads_test.py SIEGEL_BINARY"""
import json
import os
import pathlib
import random
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import openapi_check  # noqa: E402
from checked import Checked, main  # noqa: E402
from clients import Client, at_once  # noqa: E402
from contacts import PURPOSE, RECORDS, add, erase, expect, get  # noqa: E402

LONG = "SIEGEL_LONG" in os.environ
# Routes that show people: each look is one event. All others leave no event at all.
TRACED = {"/v1/record-types/{type}/records", "/v1/records/{id}", "/v1/records/{id}/history", "/v1/subjects/{id}",
          "/v1/subjects/{id}/history", "/v1/subjects/{id}/export", "/v1/imports/{id}/rejects"}


class Reads(Checked):
    def size(self):
        return self.s.request("GET", "/v1/status").json["size"]

    def everything(self, person, gone):
        """What can be seen from outside, without leaving a trace that would show in it."""
        s = self.s
        seen = {p: json.loads(s.request("GET", p).body)["items"]
                for p in ("/v1/purposes", "/v1/deletion-classes", "/v1/record-types", "/v1/tokens", "/v1/erasures")}
        seen["certificate"] = get(s, f"/v1/erasures/{gone}", "privacy_officer").json
        record = get(s, f"/v1/records/{person['record']}").json
        history = get(s, f"/v1/records/{person['record']}/history").json["items"]
        return json.dumps([seen, record, history], sort_keys=True)

    def test_G10_no_read_of_any_route_changes_anything(self):
        """[G10]"""
        s = self.s
        person = expect(add(s, {"name": "Ada", "e-mail": "ada@example.org", "news": True}), 201).json
        other = expect(add(s, {"name": "Bo", "e-mail": "bo@example.org"}), 201).json
        erasure = expect(erase(s, other["subject"]), 201).json["erasure"]
        rows = "Name;E-Mail;Geboren\nCleo;cleo@example.org;31.2.1980\n".encode()
        preview = expect(s.request("POST", "/v1/imports?type=contacts", raw=rows, token=s.tokens["editor"],
                                   headers={"Content-Type": "text/csv"}), 201).json["import"]
        ids = {"/v1/imports": preview, "/v1/records": person["record"], "/v1/subjects": person["subject"], "/v1/erasures": erasure,
               "/v1/purposes": PURPOSE, "/v1/deletion-classes": "customer", "/v1/record-types": "contacts"}
        queries = {"/v1/events": "?from=0", "/v1/log/proofs/inclusion": "?index=1&size=3", "/v1/log/proofs/consistency": "?from=1&to=3"}
        routes = [path for path, operations in openapi_check.document()["paths"].items() if "get" in operations]
        self.assertGreater(len(routes), 20)
        self.assertLessEqual(TRACED, set(routes))
        paths = []
        for route in routes:
            if "{" in route:
                prefix, rest = route.split("/{")[0], route.split("}", 1)[1]
                path = f"{prefix}/{ids[prefix]}{rest}"
            else:
                path = route + queries.get(route, "")
            allowed = [r for r in ("editor", "privacy_officer", "auditor", "admin")
                       if s.request("GET", path, token=s.tokens.get(r, s.token)).status == 200]
            self.assertTrue(allowed, f"nobody may read {path}")
            paths.append((route, path, allowed[0]))
        # Refusals met on the way are events that nobody waited for: they stand before the answer to this.
        expect(s.request("PATCH", f"/v1/records/{person['record']}", {"values": {"name": "Ada L."}}, token=s.tokens["editor"]), 200)
        before = self.everything(person, erasure)
        for route, path, role in paths:
            for method in ("GET", "HEAD"):
                at = self.size()
                answer = s.request(method, path, token=s.tokens.get(role, s.token))
                self.assertEqual(answer.status, 200, path)
                events = [json.loads(line) for line in get(s, f"/v1/events?from={at}", "auditor").body.splitlines()]
                wanted = ["access.read"] if route in TRACED else []
                self.assertEqual([e["type"] for e in events], wanted, f"{method} {path}")
        self.assertEqual(self.everything(person, erasure), before)

    def test_PJ03_a_read_that_asks_for_a_position_is_never_stale(self):
        """[PJ-03]"""
        s = self.s
        pairs, threads = (100_000 if LONG else 3_000), 16
        records = [expect(add(s, {"name": f"0 {i}", "e-mail": f"stale{i}@example.org"}), 201).json for i in range(threads)]
        newest = [(0, record["position"]) for record in records]  # of each record: number in its name, position of that write
        lock = threading.Lock()

        def pair(number):
            rng = random.Random(number)
            with Client(s, s.tokens["editor"], check=number == 0) as client:
                for i in range(1, pairs // threads + 1):
                    path = f"/v1/records/{records[number]['record']}"
                    written = expect(client.request("PATCH", path, {"values": {"name": f"{i} {number}"}}), 200).json
                    with lock:
                        newest[number] = (i, written["position"])
                        which = rng.choice((number, rng.randrange(threads)))
                        least, position = newest[which]
                    if rng.random() < 0.8:
                        path = f"/v1/records/{records[which]['record']}"
                        shown = expect(client.request("GET", path, Siegel_At_Least=position), 200)
                        name = shown.json["values"]["name"]
                    else:
                        shown = expect(client.request("GET", f"{RECORDS}?limit=200&fields=name", Siegel_At_Least=position), 200)
                        name = next(r["values"]["name"] for r in shown.json["items"] if r["record"] == records[which]["record"])
                    self.assertGreaterEqual(int(name.split()[0]), least, "a stale answer")
                    ledger, size = shown.headers["Siegel-Position"].split(":")
                    self.assertGreaterEqual(int(size), int(position.split(":")[1]))
                    if i % 100 == 0:
                        late = client.request("GET", path, Siegel_At_Least=f"{ledger}:{int(size) + 10**9}", Siegel_Wait_Ms="1")
                        self.assertEqual((late.status, late.code), (503, "position_not_reached"))

        at_once(pair, threads)


if __name__ == "__main__":
    main()
