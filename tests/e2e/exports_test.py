"""Bulk exports over HTTP and by the command line: who may, what stands in them, what traces they leave, and what a slow reader or an erasure changes.

usage: exports_test.py SIEGEL_BINARY
"""
import csv
import datetime
import http.client
import io
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checked import Checked, main  # noqa: E402
from contacts import PURPOSE, add, erase, expect, get, token, wait_for_index  # noqa: E402

ROWS = int(os.environ.get("SIEGEL_EXPORT_ROWS", "10000"))  # of the look at the server's memory
LATER = "2100-01-01T00:00:00Z"
MEMBERS = {
    "title": {"de": "Mitglieder"}, "subject": {"mode": "row"}, "default_purpose": PURPOSE, "class": "customer",
    "fields": [{"name": "name", "title": "Name", "type": "text", "personal": True},
               {"name": "note", "title": "Notiz", "type": "multiline", "personal": True},
               {"name": "phone", "title": "Telefon", "type": "phone", "personal": True},
               {"name": "kind", "title": "Art", "type": "multichoice", "choices": ["Groß", "Klein"], "personal": True},
               {"name": "news", "title": "Newsletter", "type": "boolean", "personal": True},
               {"name": "paid", "title": "Bezahlt", "type": "decimal", "personal": True}],
}


def soon(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Exports(Checked):
    big = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        expect(cls.s.request("PUT", "/v1/purposes/mail", {"legal_ground": "contract", "fields": {"contacts": ["name", "e-mail"]}}), 201)
        cls.bulk = cls.token_for("contacts")
        cls.made = 0

    @classmethod
    def token_for(cls, *types, role="editor", until=LATER, **grant):
        return token(cls.s, role, types=list(types), bulk_until=until, **grant)

    @classmethod
    def new_type(cls, **definition):
        cls.made = getattr(cls, "made", 0) + 1
        name = f"members{cls.made}"
        expect(cls.s.request("PUT", f"/v1/record-types/{name}", {**MEMBERS, **definition}), 201)
        return name, cls.token_for(name), cls.token_for(name, role="privacy_officer")

    def fill(self, name, clerk, rows, columns=("Name",)):
        """rows of a table, taken in by one import: thousands in a moment"""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(rows)
        headers = {"Content-Type": "text/csv"}
        one = expect(self.s.request("POST", f"/v1/imports?type={name}", raw=text.getvalue().encode(), headers=headers, token=clerk), 201).json["import"]
        done = expect(self.s.request("POST", f"/v1/imports/{one}/commit?wait=true", {"bad_rows": "none"}, token=clerk), 200).json
        self.assertEqual(done["counts"]["new"], len(rows))
        return done["position"]

    def ask(self, clerk, position=None, **body):
        headers = {"Siegel-At-Least": position} if position else {}
        return self.s.request("POST", "/v1/exports", body, token=clerk, headers=headers)

    def refused(self, answer, status, code, pointer=None):
        self.assertEqual((answer.status, answer.code), (status, code), answer.body[:300])
        if pointer is not None:
            self.assertEqual(answer.json.get("pointer"), pointer)

    def size(self):
        return self.s.request("GET", "/v1/status").json["size"]

    def events(self, since, kind="access.read"):
        found = []
        while lines := get(self.s, f"/v1/events?from={since}&limit=1000", "auditor").body.splitlines():
            found += [json.loads(line) for line in lines]
            since = found[-1]["seq"] + 1
        return [event for event in found if event["type"] == kind]

    def cli(self, clerk, *words, **options):
        return subprocess.run([self.s.binary, "--server", f"http://127.0.0.1:{self.s.port}", "--token", clerk, *words],
                              capture_output=True, text=True, encoding="utf-8", timeout=120, **options)

    # ── who may ──

    def test_G22_the_permission_is_a_grant_of_its_own_and_ends(self):
        """[G22]"""
        for until in (None, "2020-01-01T00:00:00Z"):
            size = self.size()
            answer = self.ask(self.token_for("contacts", until=until), type="contacts", format="csv")
            self.refused(answer, 403, "bulk_denied")
            self.assertIn("bulk_until", answer.json["detail"])
            self.assertIn("POST /v1/tokens", answer.json["hint"])
            self.assertEqual(len(self.events(size, "refusal.recorded")), 1)
        self.refused(self.ask(self.token_for("contacts", role="sender"), type="contacts"), 403, "role_denied")
        for role in ("editor", "privacy_officer"):
            expect(self.ask(self.token_for("contacts", role=role), type="contacts"), 200)
        short = self.token_for("contacts", until=soon(1.5))
        expect(self.ask(short, type="contacts"), 200)
        time.sleep(1.7)
        self.refused(self.ask(short, type="contacts"), 403, "bulk_denied")
        listed = [item for item in self.s.request("GET", "/v1/tokens").json["items"] if item["bulk_until"]]
        self.assertGreaterEqual(len(listed), 4)

    def test_what_is_not_acceptable(self):
        for body, status, code, pointer in (
                ({"type": "contacts", "format": "pdf"}, 400, "bad_value", "/format"), ({"format": "csv"}, 400, "bad_value", "/type"),
                ({"type": "contacts", "fields": ["name", "name"]}, 400, "bad_value", "/fields"),
                ({"type": "contacts", "fields": "name"}, 400, "bad_value", "/fields"),
                ({"type": "contacts", "fields": ["nothing"]}, 400, "unknown_field", None),
                ({"type": "contacts", "limit": 5}, 400, "unknown_field", ""), ({"type": "Not A Name"}, 404, "not_found", None)):
            self.refused(self.ask(self.bulk, **body), status, code, pointer)
        everything = self.token_for(all_types=True)
        self.refused(self.ask(everything, type="nothing", format="csv"), 404, "not_found")
        self.refused(self.ask(self.bulk, type="others"), 404, "not_found")
        name, _, _ = self.new_type()
        self.refused(self.ask(self.bulk, type=name), 403, "type_denied")
        mail = self.token_for("contacts", name, purposes=["mail"])
        self.refused(self.ask(mail, type="contacts", fields=["name", "born"]), 403, "field_denied")
        self.refused(self.ask(mail, type=name), 403, "field_denied")  # the purpose covers none of its fields
        self.refused(self.s.request("POST", "/v1/exports", {"type": "contacts"}, token=self.token_for("contacts", purposes=[], all_purposes=True)),
                     403, "purpose_missing")
        self.assertEqual(self.s.request("GET", "/v1/exports").status, 405)

    def test_fields_are_those_that_were_named_or_all_that_the_purpose_covers(self):
        added = expect(add(self.s, {"name": "Fay Field", "e-mail": "fay@example.org", "born": "1980-12-31"}), 201).json
        mail = self.token_for("contacts", purposes=["mail"])

        def shown(clerk, **body):
            items = self.ask(clerk, added["position"], type="contacts", **body).json["items"]
            return next(item["values"] for item in items if item["record"] == added["record"])

        self.assertEqual(shown(mail), {"name": "Fay Field", "e-mail": "fay@example.org"})
        self.assertEqual(shown(mail, fields=["name"]), {"name": "Fay Field"})
        self.assertEqual(shown(self.bulk, fields=["born"]), {"born": "1980-12-31"})
        self.assertEqual(set(shown(self.bulk, fields=[])), {"name", "e-mail", "born"})
        header = self.ask(self.bulk, type="contacts", fields=["born", "name"], format="csv").body.decode("utf-8-sig").splitlines()[0]
        self.assertEqual(header, '"record","subject","Geboren","Name"')

    # ── what stands in it ──

    def test_the_same_in_each_format_and_read_again(self):
        name, clerk, _ = self.new_type()
        wild = [{"name": 'Änne "Anna" Müller; Groß, Übel', "note": "eins\nzwei\r\n\"drei\"", "phone": "+49 30 23125001", "kind": ["Groß", "Klein"], "news": True,
                 "paid": "-35.01"},
                {"name": "=HYPERLINK(1)", "note": "- kein Anruf"}, {"name": "@b", "note": "+c"}, {"note": "nur Notiz", "news": False}]
        for values in wild:
            last = expect(self.s.request("POST", f"/v1/record-types/{name}/records", {"values": values}, token=clerk), 201).json
        whole = expect(self.ask(clerk, last["position"], type=name, format="json"), 200)
        self.assertEqual(whole.headers["Content-Disposition"], f'attachment; filename="{name}.json"')
        self.assertIsNone(whole.json["next"])
        self.assertEqual([item["values"] for item in whole.json["items"]], wild)
        lines = expect(self.ask(clerk, type=name, format="ndjson"), 200)
        self.assertEqual([json.loads(line) for line in lines.body.splitlines()], whole.json["items"])
        table = expect(self.ask(clerk, type=name, format="csv"), 200)
        rows = list(csv.reader(io.StringIO(table.body.decode("utf-8-sig"), newline="")))
        self.assertEqual(rows[0], ["record", "subject", "Name", "Notiz", "Telefon", "Art", "Newsletter", "Bezahlt"])
        self.assertEqual([row[:2] for row in rows[1:]], [[item["record"], item["subject"]] for item in whole.json["items"]])
        self.assertEqual(rows[1][2:], [wild[0]["name"], wild[0]["note"], "+49 30 23125001", "Groß; Klein", "true", "-35.01"])
        self.assertEqual([row[2:4] for row in rows[2:]], [["'=HYPERLINK(1)", "'- kein Anruf"], ["'@b", "'+c"], ["", "nur Notiz"]])
        # The server's own reader makes the same of it.
        again, reader, _ = self.new_type()
        preview = expect(self.s.request("POST", f"/v1/imports?type={again}", raw=table.body, headers={"Content-Type": "text/csv"}, token=reader), 201).json
        self.assertEqual((preview["counts"]["new"], preview["failures"]), (4, []))
        done = expect(self.s.request("POST", f"/v1/imports/{preview['import']}/commit?wait=true", {"bad_rows": "none"}, token=reader), 200).json
        read = [item["values"] for item in self.ask(reader, done["position"], type=again).json["items"]]
        self.assertIn({**wild[0], "phone": "+493023125001"}, read)  # as an import writes them
        self.assertIn(wild[3], read)

    def test_nobody(self):
        name, clerk, _ = self.new_type()
        self.assertEqual(self.ask(clerk, type=name).json["items"], [])
        self.assertEqual(self.ask(clerk, type=name, format="ndjson").body, b"")
        self.assertEqual(len(self.ask(clerk, type=name, format="csv").body.decode("utf-8-sig").splitlines()), 1)

    # ── traces ──

    def test_G22_three_thousand_people_are_each_named(self):
        """[G22]"""
        name, clerk, officer = self.new_type()
        position = self.fill(name, clerk, [[f"Person {i:04}"] for i in range(3000)])
        since = self.size()
        lines = expect(self.ask(clerk, position, type=name, format="ndjson", fields=["name"]), 200).body.splitlines()
        people = [json.loads(line) for line in lines]
        self.assertEqual({one["values"]["name"] for one in people}, {f"Person {i:04}" for i in range(3000)})
        looks = self.events(since)
        self.assertEqual([event["parts"] for event in looks], [1001, 1001, 1001])
        purposes = [item["name"] for item in self.s.request("GET", "/v1/purposes").json["items"]]
        self.assertIn(PURPOSE, purposes)
        for at, look in ((0, looks[0]), (1500, looks[1]), (2999, looks[2])):
            history = expect(self.s.request("GET", f"/v1/subjects/{people[at]['subject']}/history", token=officer), 200).json["items"]
            mine = [item for item in history if item["type"] == "access.read" and item["seq"] == look["seq"]]
            self.assertEqual([(item["purpose"], item["access"]) for item in mine], [(PURPOSE, "bulk_export")])

    # ── a slow reader ──

    def begin(self, clerk, **body):
        """an export whose answer nobody reads yet"""
        wire = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=60)
        wire.connect()
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # what the kernel takes for the reader
        wire.request("POST", "/v1/exports", json.dumps(body), {"Authorization": f"Bearer {clerk}", "Content-Type": "application/json"})
        answer = wire.getresponse()
        self.assertEqual(answer.status, 200)
        return wire, answer

    def big_type(self):
        """so large that the buffers between here and there do not take half of it: 12 MB, in chunks of 2 MiB"""
        if self.big is None:
            name, clerk, officer = self.new_type()
            position = self.fill(name, clerk, [[f"Person {i:05}", "n" * 4000] for i in range(3000)], ("Name", "Notiz"))
            since = self.size()
            lines = self.ask(clerk, position, type=name, format="ndjson").body.splitlines()
            type(self).big = name, clerk, officer, [json.loads(line) for line in lines], len(self.events(since))
        return self.big

    def test_a_slow_reader_holds_back_the_work_and_who_is_erased_meanwhile_is_not_in_it(self):
        name, clerk, officer, people, chunks = self.big_type()
        since = self.size()
        wire, answer = self.begin(clerk, type=name, format="ndjson")
        time.sleep(1)
        held = len(self.events(since))
        time.sleep(1)
        self.assertEqual(len(self.events(since)), held)
        self.assertLess(held, chunks)
        gone = people[-1]
        expect(self.s.request("POST", "/v1/erasures", {"subject": gone["subject"], "ground": "art17-1-b", "mode": "now"}, token=officer), 201)
        shown = [json.loads(line)["record"] for line in answer.read().splitlines()]
        self.assertEqual(shown, [one["record"] for one in people[:-1]])
        people.pop()
        wire.close()
        # Whoever goes is not read for any more.
        since = self.size()
        wire, answer = self.begin(clerk, type=name, format="ndjson")
        answer.read(1000)
        wire.close()
        answer.close()
        time.sleep(0.5)
        held = len(self.events(since))
        time.sleep(0.5)
        self.assertEqual(len(self.events(since)), held)
        self.assertLess(held, chunks)

    def test_what_breaks_off_is_not_taken_for_whole(self):
        name, clerk = self.big_type()[:2]
        ending = self.token_for(name, until=soon(4))
        wire, answer = self.begin(ending, type=name, format="ndjson")
        answer.read(1000)
        time.sleep(4)
        with self.assertRaises(http.client.IncompleteRead):
            answer.read()
        wire.close()
        # The command line says so, and leaves no file under the name, nor beside it.
        file = self.s.home / "half" / "people.csv"
        file.parent.mkdir()
        slow = subprocess.Popen([self.s.binary, "--server", f"http://127.0.0.1:{self.s.port}", "--token", self.token_for(name, until=soon(3)),
                                 "export", "--type", name, "--format", "csv", "-o", str(file)], stderr=subprocess.PIPE, text=True)
        while not any(one.stat().st_size for one in file.parent.iterdir()):
            time.sleep(0.001)
        slow.send_signal(signal.SIGSTOP)
        time.sleep(3.2)
        slow.send_signal(signal.SIGCONT)
        said = slow.communicate(timeout=60)[1]
        self.assertEqual(slow.returncode, 1, said)
        self.assertIn("broke off before its end", said)
        self.assertEqual(list(file.parent.iterdir()), [])
        # Nor when it is stopped.
        stopped = subprocess.Popen([self.s.binary, "--lang", "de", "--server", f"http://127.0.0.1:{self.s.port}", "--token", clerk,
                                    "export", "--type", name, "--format", "csv", "-o", str(file)], stderr=subprocess.PIPE, text=True)
        while not any(one.stat().st_size for one in file.parent.iterdir()):
            time.sleep(0.001)
        stopped.send_signal(signal.SIGSTOP)
        stopped.send_signal(signal.SIGINT)
        stopped.send_signal(signal.SIGCONT)
        said = stopped.communicate(timeout=60)[1]
        self.assertEqual(stopped.returncode, 1, said)
        self.assertIn("abgebrochen", said)
        self.assertEqual(list(file.parent.iterdir()), [])

    def test_memory_stays_bounded(self):
        name, clerk, _ = self.new_type()
        position = self.fill(name, clerk, [[f"Person {i:05}", "n" * 2000] for i in range(ROWS)], ("Name", "Notiz"))

        def resident():
            text = pathlib.Path(f"/proc/{self.s.process.pid}/status").read_text()
            return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024

        self.ask(clerk, position, type=name, format="csv")  # what is held anyhow: caches, the decision state
        before = resident()
        wire, answer = self.begin(clerk, type=name, format="json")
        most, read = before, 0
        while piece := answer.read(1 << 16):
            read += len(piece)
            most = max(most, resident())
        wire.close()
        self.assertGreater(read, ROWS * 2000)
        shadows = 3 if "TSAN_OPTIONS" in os.environ else 1  # ThreadSanitizer keeps a multiple of what is used
        self.assertLess(most - before, shadows * (ROWS * 2000 / 2 ** 20 / 2 + 8), "MiB more while it went out")

    # ── the command line ──

    def test_the_command_line(self):
        name, clerk, _ = self.new_type()
        position = self.fill(name, clerk, [[f"Übung {i}", "a\nb"] for i in range(1200)], ("Name", "Notiz"))
        self.ask(clerk, position, type=name)
        file = self.s.home / "übung.csv"
        done = self.cli(clerk, "export", "--type", name, "--fields", "note,name", "--format", "csv", "-o", str(file))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual(done.stderr, f"1,200 records in {file}\n")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
        self.assertEqual((len(rows), rows[0]), (1201, ["record", "subject", "Notiz", "Name"]))
        few = self.s.home / "few.csv"  # an import reads it again, without the ids
        few.write_text("\ufeff" + "".join(file.read_bytes().decode("utf-8-sig").splitlines(True)[:1]) + '"re_x","su_x","wieder","Übung neu"\r\n')
        taken = self.cli(clerk, "--purpose", PURPOSE, "import", str(few), "--type", name, "--preview")
        self.assertEqual(taken.returncode, 0, taken.stderr)
        taken = self.cli(clerk, "--purpose", PURPOSE, "import", str(few), "--type", name)
        self.assertEqual(taken.returncode, 0, taken.stderr)
        again = self.cli(clerk, "export", "--type", name, "-o", str(file))
        self.assertEqual(again.returncode, 4)
        self.assertIn("--force", again.stderr)
        german = self.cli(clerk, "--lang", "de", "export", "--type", name, "-o", str(file), "--force")
        self.assertEqual((german.returncode, german.stderr), (0, f"1.201 Datensätze in {file}\n"))
        self.assertEqual(len(json.loads(file.read_text(encoding="utf-8"))["items"]), 1201)
        told = self.cli(clerk, "--json", "export", "--type", name, "--format", "ndjson", "-o", str(file), "--force")
        self.assertEqual(json.loads(told.stdout), {"file": str(file), "format": "ndjson", "records": 1201})
        out = self.cli(clerk, "--quiet", "export", "--type", name, "--format", "ndjson")
        self.assertEqual((len(out.stdout.splitlines()), out.stderr), (1201, ""))
        # Beginning with the default purpose of the type, where the token has several.
        several = self.token_for(name, purposes=[PURPOSE, "mail"])
        self.assertEqual(len(self.cli(several, "export", "--type", name, "--format", "ndjson").stdout.splitlines()), 1201)
        for words, code, text in ((("--type", name, "--format", "xml"), 2, "--format"), ((), 2, "--type"), (("--type", name, "--subject", "su_x"), 2, "--subject"),
                                  (("--subject", "su_x", "--format", "ndjson"), 2, "--type"), (("--type", "No Name"), 2, "a-z"),
                                  (("--type", "nothing"), 1, "nothing"), (("--type", name, "--fields", "nothing"), 2, "unknown_field")):
            with self.subTest(words):
                wrong = self.cli(self.token_for(all_types=True), "export", *words)
                self.assertEqual(wrong.returncode, code, wrong.stderr)
                self.assertIn(text, wrong.stderr)
        denied = self.cli(token(self.s, "editor", types=[name]), "export", "--type", name, "-o", str(self.s.home / "none.csv"))
        self.assertEqual(denied.returncode, 4)
        self.assertIn("token create --role editor --bulk-until 2h", denied.stderr)
        self.assertFalse((self.s.home / "none.csv").exists())
        denied = self.cli(token(self.s, "sender", types=[name]), "export", "--type", name)
        self.assertIn("editor, privacy_officer", denied.stderr)
        for words, text in ((("--help",), "--fields name,e-mail"), (("--lang", "de", "--help"), "alle Datensätze eines Typs")):
            shown = self.cli(clerk, *words[:-1], "export", words[-1])
            self.assertEqual(shown.returncode, 0)
            self.assertIn(text, shown.stdout)
        full = self.cli(clerk, "export", "--type", name, "-o", "/dev/full")
        self.assertEqual(full.returncode, 1, full.stderr)

    def test_a_token_gets_the_permission_by_the_command_line_and_keeps_it_over_a_restart(self):
        s = self.s
        made = self.cli(s.token, "--json", "token", "create", "--role", "editor", "--purposes", PURPOSE, "--types", "contacts", "--bulk-until", "2h")
        self.assertEqual(made.returncode, 0, made.stderr)
        given = json.loads(made.stdout)
        listed = self.cli(s.token, "token", "list").stdout
        self.assertIn("bulk_until", listed.splitlines()[0])
        self.assertEqual(self.cli(s.token, "token", "create", "--role", "editor", "--bulk-until", "soon").returncode, 2)
        self.assertEqual(s.stop(), 0)
        local = s.run("token", "create", "--local", "--role", "privacy_officer", "--purposes", PURPOSE, "--bulk-until", "1h").stdout.strip()
        wrong = s.run("token", "create", "--local", "--role", "editor", "--bulk-until", "soon", check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--bulk-until", wrong.stderr)
        s.serve()
        wait_for_index(s)
        for clerk in (given["token"], local):
            self.assertEqual(self.cli(clerk, "export", "--type", "contacts").returncode, 0)


if __name__ == "__main__":
    os.environ.pop("SIEGEL_TOKEN", None)
    # What is freed is to be free: the look at the server's memory is not one at what a sanitizer keeps aside.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2:thread_local_quarantine_size_kb=64"
    main()
