"""A ledger that is read-only from the start: what is served, what is refused, and the way out. usage: read_only_test.py SIEGEL_BINARY"""
import json
import pathlib
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import PURPOSE, RECORDS, TYPE, add, erase, expect, get, prepare  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
REGISTRIES = ("/v1/purposes", f"/v1/purposes/{PURPOSE}", "/v1/deletion-classes", "/v1/deletion-classes/customer", "/v1/record-types",
              "/v1/record-types/contacts", "/v1/tokens")


class ReadOnly(unittest.TestCase):
    def setUp(self):
        self.s = Siegel(BINARY)
        self.s.__enter__()
        self.addCleanup(lambda: self.s.__exit__(None, None, None))
        prepare(self.s)
        self.head = pathlib.Path(str(self.s.data) + ".outside") / "head"
        self.person = expect(add(self.s, {"name": "Ada", "e-mail": "ada@example.org", "news": True}), 201).json

    def registries(self):
        return {path: json.loads(self.s.request("GET", path).body) for path in REGISTRIES}

    def is_read_only(self, reason, size=None):
        s = self.s
        self.assertEqual(s.request("GET", "/healthz", token=None).status, 200)
        ready = s.request("GET", "/readyz", token=None)
        self.assertEqual((ready.status, ready.json["checks"]), (503, [reason]))
        status = expect(s.request("GET", "/v1/status"), 200).json
        self.assertTrue(status["read_only"])
        self.assertEqual([r["code"] for r in status["reasons"]], [reason])
        self.assertTrue(status["reasons"][0]["detail"])
        if size is not None:
            self.assertEqual(status["size"], size)
        metrics = s.request("GET", "/metrics", token=None).body.decode()
        self.assertIn("siegel_read_only 1", metrics)
        record = f"/v1/records/{self.person['record']}"
        subject = f"/v1/subjects/{self.person['subject']}"
        period = {"period": "P1Y", "start": "collection", "legal_ground": "contract"}
        for method, path, body, role in (
                ("GET", record, None, "editor"), ("HEAD", record, None, "editor"), ("GET", record + "/history", None, "editor"),
                ("GET", RECORDS, None, "editor"), ("GET", subject, None, "editor"), ("GET", subject + "/history", None, "editor"),
                ("GET", subject + "/export", None, "privacy_officer"), ("POST", RECORDS, {"values": {"name": "B"}}, "editor"),
                ("PATCH", record, {"values": {"name": "B"}}, "editor"), ("DELETE", record, None, "editor"),
                ("POST", "/v1/erasures", {"subject": self.person["subject"], "ground": "art17-1-a"}, "privacy_officer"),
                ("POST", "/v1/tokens", {"role": "editor"}, None), ("PUT", "/v1/deletion-classes/new", period, None),
                ("PUT", "/v1/purposes/new", {"legal_ground": "contract"}, None), ("PUT", "/v1/record-types/contacts", TYPE, None),
                # A refusal would have to be an event.
                ("GET", "/v1/tokens", None, "editor"), ("GET", "/v1/erasures", None, "editor")):
            answer = s.request(method, path, body, token=s.tokens.get(role, s.token))
            self.assertEqual(answer.status, 503, (method, path, answer.body))
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
            if method != "HEAD":
                self.assertEqual((answer.code, answer.json["reason"]), ("read_only", reason), (method, path))
        self.assertEqual(s.request("GET", "/v1/status", token="sgl_" + "A" * 43).code, "token_wrong")
        self.assertEqual(s.request("GET", "/v1/status", token=None).code, "token_missing")
        return status

    def test_R1_lock_record_missing_and_adopted(self):
        """[R1]"""
        s = self.s
        revoked = expect(s.request("POST", "/v1/tokens", {"role": "editor", "label": "old"}), 201).json
        erased = expect(add(s, {"name": "Bo", "e-mail": "bo@example.org"}), 201).json
        erasure = expect(erase(s, erased["subject"]), 201).json
        self.assertEqual(s.request("DELETE", f"/v1/tokens/{revoked['token_id']}").status, 204)
        before = self.registries()
        self.assertEqual(s.stop(), 0)
        self.head.unlink()
        for views in ("whole", "gone"):  # without read models the registries come from the ledger's events
            if views == "gone":
                shutil.rmtree(s.data / "views")
            s.serve(ready=False)
            status = self.is_read_only("lock_record_missing")
            self.assertEqual(self.registries(), before)
            self.assertEqual(s.request("GET", "/v1/status", token=revoked["token"]).code, "token_wrong")
            note = expect(get(s, "/v1/log/checkpoint", "auditor"), 200).body.decode()
            noted = int(note.splitlines()[1])
            self.assertLessEqual(noted, status["size"])
            proof = expect(get(s, f"/v1/log/proofs/inclusion?index=3&size={noted}", "auditor"), 200).json
            self.assertEqual(proof["checkpoint"], note)
            self.assertEqual(expect(get(s, f"/v1/log/proofs/consistency?from=2&to={noted}", "auditor"), 200).json["checkpoint"], note)
            # No other size is signed while in doubt: another root of it may have been signed before.
            other = get(s, f"/v1/log/proofs/inclusion?index=1&size={noted - 1}", "auditor")
            self.assertEqual((other.status, other.code), (503, "read_only"))
            events = get(s, "/v1/events?from=0&limit=1000", "auditor").body.splitlines()
            self.assertEqual(len(events), status["size"])
            if views == "whole":
                listed = expect(get(s, "/v1/erasures", "privacy_officer"), 200).json["items"]
                self.assertEqual([e["erasure"] for e in listed], [erasure["erasure"]])
                expect(get(s, "/v1/status", headers={"Siegel-At-Least": erasure["position"]}), 200)
            stream = get(s, "/v1/events?from=0", "auditor", headers={"Accept": "text/event-stream"})
            self.assertEqual(stream.body.count(b"event: event"), status["size"])
            late = get(s, "/v1/status", headers={"Siegel-At-Least": f"{status['ledger']}:{status['size'] + 1}"})
            self.assertEqual((late.status, late.code), (503, "read_only"))
            self.assertEqual(s.stop(), 0)
        self.assertNotEqual(s.run("lock", "adopt", "--reason", "moved", check=False).returncode, 0)
        s.run("lock", "adopt", "--reason", "moved", "--yes")
        s.serve()
        self.assertFalse(s.request("GET", "/v1/status").json["read_only"])
        self.assertEqual(self.registries(), before)
        self.assertEqual(get(s, f"/v1/records/{self.person['record']}").json["values"]["name"], "Ada")
        expect(s.request("PATCH", f"/v1/records/{self.person['record']}", {"values": {"name": "Ada B."}}, token=s.tokens["editor"]), 200)
        self.assertEqual(s.stop(), 0)

    def test_R1_a_ledger_behind_the_lock_record(self):
        """[R1]"""
        s = self.s
        self.assertEqual(s.stop(), 0)
        shutil.copytree(s.data / "ledger", s.home / "old-ledger")
        old_size = None
        s.serve()
        old_size = s.request("GET", "/v1/status").json["size"]
        for i in range(5):
            expect(add(s, {"name": f"New {i}", "e-mail": f"new{i}@example.org"}), 201)
        self.assertEqual(s.stop(signal.SIGTERM), 0)
        shutil.rmtree(s.data / "ledger")
        shutil.move(s.home / "old-ledger", s.data / "ledger")
        s.serve(ready=False)
        status = self.is_read_only("behind_lock_record")
        self.assertLess(status["size"], old_size)
        detail = status["reasons"][0]["detail"]
        self.assertIn(str(status["size"]), detail)
        self.assertTrue(any(word.strip(",").isdigit() and int(word.strip(",")) > old_size for word in detail.split()), detail)
        self.assertIn("contacts", {t["name"] for t in s.request("GET", "/v1/record-types").json["items"]})
        self.assertEqual(s.stop(), 0)

    def test_R1_a_lock_record_that_cannot_be_written_is_told(self):
        """[R1] everything goes on, but a loss of the newest events would go unnoticed"""
        s = self.s
        outside, aside = self.head.parent, self.head.parent.with_name("aside")

        def checks():
            for _ in range(3):  # one is asked after the other: in between it may change
                ready = expect(s.request("GET", "/readyz", token=None), 200).json["checks"]
                status = s.request("GET", "/v1/status").json["checks"]
                if status == ready:
                    break
            self.assertEqual(status, ready)
            return ready

        def behind():
            text = s.request("GET", "/metrics", token=None).body.decode()
            return float(next(line for line in text.splitlines() if line.startswith("siegel_lock_record_behind_events ")).split()[1])

        def wait_until(what):
            end = time.monotonic() + 30
            while not what():
                self.assertLess(time.monotonic(), end)
                time.sleep(0.1)

        self.assertEqual((checks(), behind()), ([], 0))
        outside.rename(aside)
        expect(add(s, {"name": "Bo", "e-mail": "bo@example.org"}), 201)
        wait_until(lambda: checks() == ["lock_record_unavailable"])
        self.assertGreater(behind(), 0)
        expect(get(s, f"/v1/records/{self.person['record']}"), 200)
        self.assertEqual(s.log_text().count("[lock_record_unavailable]"), 1)
        aside.rename(outside)
        wait_until(lambda: checks() == [])
        self.assertEqual(behind(), 0)
        self.assertIn("the lock record is written again", s.log_text())
        outside.rename(aside)
        expect(add(s, {"name": "Cy", "e-mail": "cy@example.org"}), 201)
        self.assertEqual(s.stop(), 0)
        self.assertEqual(s.log_text().count("[lock_record_unavailable]"), 2)
        aside.rename(outside)
        s.serve()
        self.assertEqual(s.stop(), 0)
        self.assertEqual(s.log_text().count("[lock_record_unavailable]"), 2)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
