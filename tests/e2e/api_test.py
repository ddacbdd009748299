"""The whole slice over HTTP against the real server: registries, records, reads, erasure, restart.

Every answer is held against schemas/openapi.yaml. usage: api_test.py SIEGEL_BINARY
"""
import base64
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import wait_for_index  # noqa: E402
from siegel_process import all_bytes  # noqa: E402


class Slice(Checked):
    def add(self, values, **more):
        return self.s.request("POST", "/v1/record-types/contacts/records", {"values": values}, token=self.s.tokens["editor"],
                              **more)

    def get(self, path, role="editor", **more):
        return self.s.request("GET", path, token=self.s.tokens[role], **more)

    def test_01_record_life(self):
        added = self.add({"name": "Änne Müller", "e-mail": "aenne@Example.org", "born": "1980-12-31", "news": True})
        self.assertEqual(added.status, 201, added.body)
        record = added.json["record"]
        self.assertEqual(added.json["version"], 1)
        self.assertEqual(len(added.json["event_hash"]), 64)
        shown = self.get(f"/v1/records/{record}")
        self.assertEqual(shown.status, 200, shown.body)
        self.assertEqual(shown.json["values"], {"name": "Änne Müller", "e-mail": "aenne@example.org", "born": "1980-12-31",
                                                "news": True})
        self.assertEqual(shown.headers["ETag"], '"1"')
        changed = self.s.request("PATCH", f"/v1/records/{record}", {"values": {"name": "Änne Maier"}},
                                 token=self.s.tokens["editor"], headers={"If-Match": '"1"'})
        self.assertEqual((changed.status, changed.json["version"]), (200, 2), changed.body)
        stale = self.s.request("PATCH", f"/v1/records/{record}", {"values": {"name": "Anders"}},
                               token=self.s.tokens["editor"], headers={"If-Match": '"1"'})
        self.assertEqual((stale.status, stale.code, stale.json["current_version"]), (412, "version_conflict", 2))
        self.assertEqual(self.get(f"/v1/records/{record}").json["values"]["name"], "Änne Maier")
        history = self.get(f"/v1/records/{record}/history").json["items"]
        self.assertEqual([i["type"] for i in history], ["record.added", "record.changed"])
        self.assertEqual(history[1]["changes"], [{"field": "name", "old": "Änne Müller", "new": "Änne Maier"}])
        self.assertRegex(history[0]["actor"], "^tk_")
        self.assertEqual(history[0]["actor_label"], "editor")
        removed = self.s.request("DELETE", f"/v1/records/{record}", token=self.s.tokens["editor"])
        self.assertEqual(removed.status, 200, removed.body)
        self.assertEqual(set(removed.json), set(changed.json))
        self.assertEqual((removed.json["record"], removed.json["subject"], removed.json["version"]),
                         (record, added.json["subject"], 3))
        self.assertEqual(removed.headers["ETag"], '"3"')
        self.assertEqual(self.get(f"/v1/records/{record}").status, 404)

    def test_02_equal_identity_is_one_person(self):
        one = self.add({"name": "Bo Berg", "e-mail": "bo@example.org"}).json
        two = self.add({"name": "B. Berg", "e-mail": "BO@example.org"}).json
        self.assertEqual(one["subject"], two["subject"])
        self.assertNotEqual(one["record"], two["record"])
        subject = self.get(f"/v1/subjects/{one['subject']}").json
        self.assertEqual({r["record"] for r in subject["records"]}, {one["record"], two["record"]})
        exported = self.get(f"/v1/subjects/{one['subject']}/export?format=csv", role="privacy_officer")
        self.assertEqual(exported.status, 200)
        self.assertIn("Bo Berg", exported.body.decode("utf-8-sig"))

    def test_03_idempotency(self):
        key = {"Idempotency-Key": "run-1/7"}
        one = self.add({"name": "Cy Cohn", "e-mail": "cy@example.org"}, headers=key)
        again = self.add({"name": "Cy Cohn", "e-mail": "cy@example.org"}, headers=key)
        self.assertEqual((again.status, again.json), (one.status, one.json))
        self.assertEqual(again.headers["Siegel-Replayed"], "true")
        other = self.add({"name": "Cy Other", "e-mail": "cy@example.org"}, headers=key)
        self.assertEqual((other.status, other.code), (409, "idempotency_conflict"))

    def test_04_permits(self):
        self.assertEqual(self.s.request("GET", "/v1/status", token=None).code, "token_missing")
        self.assertEqual(self.s.request("GET", "/v1/status", token="sgl_" + "A" * 43).code, "token_wrong")
        body = {"values": {"name": "X", "e-mail": "x@example.org"}}
        path = "/v1/record-types/contacts/records"
        self.assertEqual(self.s.request("POST", path, body, token=self.s.tokens["auditor"]).code, "role_denied")
        self.assertEqual(self.s.request("POST", path, body, token=self.s.tokens["editor"], purpose="spying").code,
                         "purpose_unknown")
        self.assertEqual(self.s.request("POST", path, {"values": {"nope": "X"}}, token=self.s.tokens["editor"]).code,
                         "unknown_field")
        self.assertEqual(self.s.request("POST", "/v1/record-types/nothing/records", body,
                                        token=self.s.tokens["editor"]).status, 404)
        events = [__import__("json").loads(l) for l in self.get("/v1/events?from=0&limit=1000", "auditor").body.splitlines()]
        self.assertIn("refusal.recorded", {e["type"] for e in events})
        self.assertIn("access.read", {e["type"] for e in events})
        self.assertEqual([e["seq"] for e in events], list(range(len(events))))

    def test_05_bad_input(self):
        path, token = "/v1/record-types/contacts/records", self.s.tokens["editor"]

        def post(raw, **more):
            return self.s.request("POST", path, raw=raw, token=token, **more)

        self.assertEqual(post(b"{").code, "bad_json")
        self.assertEqual(post(b'{"values":{"name":"a","name":"b"}}').code, "bad_json")
        self.assertEqual(post(b'{"values":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}").code, "bad_json")
        self.assertEqual(post(b'{"values":{"name":"a"},"more":1}').code, "unknown_field")
        self.assertEqual(post(b'{"values":{"name":7}}').code, "bad_value")
        self.assertEqual(post(b'{"values":{"name":"a","born":"31.12.1980"}}').json["pointer"], "/values/born")
        self.assertEqual(post(b"{}", headers={"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(post(b'{"values":{"name":"' + b"x" * 2_000_000 + b'"}}').status, 413)
        self.assertEqual(self.s.request("PUT", path, {}, token=token).status, 405)
        self.assertEqual(self.get("/v1/record-types/contacts/records?cursor=zz").code, "bad_cursor")
        self.assertEqual(self.get("/v1/record-types/contacts/records?limit=0").code, "bad_value")
        self.assertEqual(self.get("/v1/records/re_nothing").status, 404)

    def test_06_lists_and_positions(self):
        for i in range(5):
            last = self.add({"name": f"List {i}", "e-mail": f"list{i}@example.org"})
        token, seen, cursor = self.s.tokens["editor"], [], ""
        while True:
            answer = self.get(f"/v1/record-types/contacts/records?limit=2{cursor}",
                              headers={"Siegel-At-Least": last.json["position"]})
            self.assertEqual(answer.status, 200, answer.body)
            seen += [r["record"] for r in answer.json["items"]]
            if answer.json["next"] is None:
                break
            cursor = "&cursor=" + answer.json["next"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertIn(last.json["record"], seen)
        other = self.get("/v1/status", headers={"Siegel-At-Least": "0000000000000000:1"})
        self.assertEqual((other.status, other.code), (409, "other_ledger"))
        ledger, size = last.json["position"].split(":")
        late = self.get("/v1/status", headers={"Siegel-At-Least": f"{ledger}:{int(size) + 10**6}", "Siegel-Wait-Ms": "10"})
        self.assertEqual((late.status, late.code), (503, "position_not_reached"))
        self.assertTrue(token)

    def test_07_G38_erasing_one_leaves_the_other(self):
        """[G38]"""
        gone = self.add({"name": "Dora Dachs", "e-mail": "dora@example.org", "news": False}).json
        stays = self.add({"name": "Egon Elch", "e-mail": "egon@example.org"}).json
        before = self.s.request("GET", "/v1/log/checkpoint").body
        erased = self.s.request("POST", "/v1/erasures", {"subject": gone["subject"], "classes": "all", "ground": "art17-1-b",
                                                         "mode": "now"}, token=self.s.tokens["privacy_officer"])
        self.assertEqual(erased.status, 201, erased.body)
        self.assertEqual(erased.json["epoch"]["new"], erased.json["epoch"]["old"] + 1)
        self.assertEqual(erased.json["grade"], "L0")
        seen = {"Siegel-At-Least": erased.json["position"]}
        answer = self.get(f"/v1/records/{gone['record']}", headers=seen)
        self.assertEqual((answer.status, answer.code), (410, "erased"), answer.body)
        self.assertEqual(answer.json["erasure"], erased.json["erasure"])
        self.assertEqual(self.get(f"/v1/records/{stays['record']}").json["values"]["name"], "Egon Elch")
        again = self.s.request("POST", "/v1/erasures", {"subject": gone["subject"], "ground": "art17-1-b", "mode": "now"},
                               token=self.s.tokens["privacy_officer"])
        self.assertEqual(again.json["erasure"], erased.json["erasure"], again.body)
        state = self.get(f"/v1/erasures/{erased.json['erasure']}", "privacy_officer", headers=seen).json
        self.assertEqual(state["state"], "effective")
        certificate = self.get(erased.json["certificate"], "auditor").json
        self.assertEqual(certificate["epoch"], erased.json["epoch"])
        self.assertIn(certificate["unencrypted_swap"], ("yes", "no"))
        self.assertTrue(any(k.startswith("access-log") for k in certificate["kept_classes"]))
        page = self.get(erased.json["certificate"], "auditor", headers={"Accept": "text/html", "Accept-Language": "de"})
        self.assertIn("Löschbescheinigung", page.body.decode())
        note = self.get(erased.json["certificate"], "auditor", headers={"Accept": "text/plain"}).body.decode()
        self.check_note(note)
        self.assertIn(f"\nerasure: {erased.json['erasure']}\n", note)
        self.assertIn(f"\nkey epoch after: {erased.json['epoch']['new']}\n", note)
        self.assertIn("\nground: art17-1-b\n", note)
        self.assertNotEqual(note.splitlines()[0], self.s.request("GET", "/v1/status").json["origin"])
        with self.assertRaises(AssertionError):
            self.check_note(note.replace("people: 1\n", "people: 0\n"))
        new_life = self.add({"name": "Dora D.", "e-mail": "dora@example.org"})
        self.assertEqual(new_life.status, 201, new_life.body)
        self.assertNotEqual(new_life.json["subject"], gone["subject"])
        self.assertNotEqual(before, self.s.request("GET", "/v1/log/checkpoint").body)

    def check_note(self, note):
        """The note's one signature, checked by OpenSSL with the key that the ledger publishes."""
        text, line = note.split("\n\n\u2014 ")
        name, signature = line.split(" ")
        key_name, key_id, key = self.s.request("GET", "/v1/status").json["verifier_key"].split("+", 2)
        raw, key = base64.b64decode(signature), base64.b64decode(key)
        self.assertEqual((name, raw[:4].hex(), key[0]), (key_name, key_id, 1))
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            (home / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + key[1:])  # SubjectPublicKeyInfo of RFC 8410
            (home / "text").write_bytes((text + "\n").encode())
            (home / "signature").write_bytes(raw[4:])
            done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", home / "key", "-rawin", "-in",
                                   home / "text", "-sigfile", home / "signature"], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_08_proofs(self):
        size = self.s.request("GET", "/v1/status").json["size"]
        proof = self.get(f"/v1/log/proofs/inclusion?index=3&size={size}", "auditor")
        self.assertEqual(proof.status, 200, proof.body)
        self.assertEqual(proof.json["checkpoint"].splitlines()[1], str(size))
        self.assertEqual(self.get(f"/v1/log/proofs/consistency?from=1&to={size}", "auditor").status, 200)
        self.assertEqual(self.get(f"/v1/log/proofs/inclusion?index={size}&size={size}", "auditor").code, "bad_value")

    def test_09_G10_no_get_changes_anything(self):
        """[G10]"""
        before = self.s.request("GET", "/v1/status").json["size"]
        for path in ("/healthz", "/readyz", "/v1/openapi.yaml", "/v1/status", "/v1/tokens", "/v1/purposes",
                     "/v1/deletion-classes", "/v1/record-types", "/v1/log/checkpoint", "/v1/erasures", "/metrics"):
            for method in ("GET", "HEAD"):
                self.assertEqual(self.s.request(method, path).status, 200, path)
        self.assertEqual(self.s.request("GET", "/v1/status").json["size"], before)

    def test_10_metrics_move(self):
        text = self.s.request("GET", "/metrics", token=None).body.decode()
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        self.assertGreater(float(values['siegel_events_total{type="record.added"}']), 0)
        self.assertGreater(float(values["siegel_ledger_size"]), 0)
        self.assertGreater(float(values["siegel_batch_events_count"]), 0)
        self.assertGreater(float(values["siegel_sync_seconds_count"]), 0)
        self.assertGreater(float(values["siegel_time_to_guaranteed_erasure_seconds_count"]), 0)
        self.assertEqual(float(values["siegel_read_only"]), 0)
        self.assertIn('siegel_http_requests_total{route="/v1/records/*",status="200"}', values)

    def test_11_restart_keeps_everything(self):
        added = self.add({"name": "Frida Fink", "e-mail": "frida@example.org"}, headers={"Idempotency-Key": "restart-1"})
        for how in (15, 9):
            self.s.stop(how)
            self.s.serve()
            wait_for_index(self.s)
            shown = self.get(f"/v1/records/{added.json['record']}")
            self.assertEqual((shown.status, shown.json["values"]["name"]), (200, "Frida Fink"))
            same = self.add({"name": "F. Fink", "e-mail": "frida@example.org"})
            self.assertEqual(same.json["subject"], added.json["subject"])
            again = self.add({"name": "Frida Fink", "e-mail": "frida@example.org"}, headers={"Idempotency-Key": "restart-1"})
            self.assertEqual((again.status, again.json, again.headers["Siegel-Replayed"]), (201, added.json, "true"))

    def test_12_EV06_no_canary_on_disk_or_in_a_log(self):
        """[EV-06]"""
        canaries = [f"kanarienvogel-{i:04d}-{'xyzzy' * 2}" for i in range(1000)]
        for canary in canaries:
            self.assertEqual(self.add({"name": canary, "e-mail": f"{canary}@example.org"}).status, 201)
        # A token is a secret of the same kind: what is kept of it is a hash.
        secrets = [token.encode() for token in (self.s.token, *self.s.tokens.values())]
        needles = (b"kanarienvogel", b"xyzzyxyzzy", *secrets, *(base64.urlsafe_b64decode(s[4:] + b"=") for s in secrets))
        for running in (True, False):
            if not running:
                self.s.stop()
            for file, content in all_bytes(self.s.home):
                for needle in needles:
                    self.assertFalse(needle in content or needle in str(file).encode(), file)
            if running:
                metrics = self.s.request("GET", "/metrics", token=None).body
                self.assertFalse(any(needle in metrics for needle in needles))
        self.s.serve()
        wait_for_index(self.s)


if __name__ == "__main__":
    main()
