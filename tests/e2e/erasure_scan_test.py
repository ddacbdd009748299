"""Whoever is erased is in no byte of any file, log or metric: not his values, not a hash of them. Nor is anybody else in
clear. Through the real server, with the program's own import, and with kill -9 in between.

usage: erasure_scan_test.py SIEGEL_BINARY [KILLS]
"""
import base64
import hashlib
import json
import os
import pathlib
import random
import secrets
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import PURPOSE, prepare, wait_for_index  # noqa: E402
from siegel_process import Siegel, all_bytes  # noqa: E402

BINARY = None
KILLS = 10
PEOPLE = 12


def person():
    """Values that occur nowhere else in the world, umlauts and capitals among them."""
    word = "Kanari" + secrets.token_hex(8)
    return {"name": f"Ötker {word}", "e-mail": f"{word}@Example.org",
            "born": f"{random.randrange(1950, 2000)}-0{random.randrange(1, 9)}-1{random.randrange(0, 9)}",
            "news": "brief-" + secrets.token_hex(8)}


def canaries(values):
    """The values that are unique enough to be looked for, in every form that they take on their way."""
    out = set()
    for field in ("name", "e-mail", "news"):
        value = values[field]
        out |= {value, value.lower(), value.upper(), value.casefold(), value.split()[-1], value.split("@")[0]}
        out.add(value.split("@")[0] + "@" + value.split("@")[-1].lower())
    return {text.encode() for text in out}


def hashes(values):
    """Every usual hash of every form, as bytes, hex and base64; of the birthday too, for a hash of it is unique."""
    out = set()
    for value in canaries(values) | {values["born"].encode()}:
        for make in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512):
            for text in (value, b"\x00" + value, value + b"\n"):  # as a leaf of a tree, too
                digest = make(text).digest()
                out |= {digest, digest.hex().encode(), digest.hex().upper().encode(),
                        base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"=")}
    return out


def hits(needles, *places):
    """(file, needle) for each that is found in the bytes or in the name of a file."""
    found = []
    for file, content in all_bytes(*places):
        for needle in needles:
            if needle in content or needle in str(file).encode():
                found.append((file.name, needle))
    return found


def root_key(home):
    """The root key in the root store's file (docs/formats/keys.md): of the one whole slot."""
    content = (home / "data.root" / "root").read_bytes()
    slots = [content[at:at + 512] for at in (0, 4096) if content[at:at + 8] == b"SIEGELR1"]
    assert len(slots) == 1
    return slots[0][24:56]


def in_memory(pid, needle):
    """Whether the bytes lie anywhere in the process's memory."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights[0] != "r" or end - begin > 1 << 36 or "[vvar]" in line:  # a sanitizer's shadow is no data
                continue
            rest = b""
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    piece = memory.read(min(1 << 24, end - at))
                except OSError:
                    break
                if needle in rest + piece:
                    return True
                rest = piece[-len(needle):]
    return False


class Scan(unittest.TestCase):
    def setUp(self):
        self.s = Siegel(BINARY)
        self.addCleanup(self.end)
        self.keep = pathlib.Path(tempfile.mkdtemp(prefix="siegel-keep-"))
        prepare(self.s, news="text")

    def end(self):
        if self.s.process is not None:
            self.s.stop(9)
        shutil.rmtree(self.s.home, ignore_errors=True)
        shutil.rmtree(self.keep, ignore_errors=True)

    def call(self, method, path, body=None, role="editor", **more):
        return self.s.request(method, path, body, token=self.s.tokens[role], **more)

    def add(self, values, key=None):
        answer = self.call("POST", "/v1/record-types/contacts/records", {"values": values},
                           headers={"Idempotency-Key": key} if key else None)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def erase(self, subject, classes="all"):
        answer = self.call("POST", "/v1/erasures", {"subject": subject, "classes": classes, "ground": "art17-1-b", "mode": "now"},
                           role="privacy_officer")
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def import_people(self, people):
        file = self.keep / "people.csv"
        lines = ["Name;E-Mail;Geboren;Newsletter"]
        lines += [f"{p['name']};{p['e-mail']};{p['born']};{p['news']}" for p in people]
        lines.append(f"{people[0]['name']};not an address at all;31.31.1980;x")  # a row that is refused
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = self.s.run("--server", f"http://127.0.0.1:{self.s.port}", "--token", self.s.tokens["editor"], "--purpose",
                          PURPOSE, "import", str(file), "--type", "contacts", "--rejects", str(self.keep / "rejects.csv"),
                          check=False)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        return (done.stdout + done.stderr).encode()

    def records_by_name(self, position):
        answer = self.call("GET", "/v1/record-types/contacts/records?limit=200", headers={"Siegel-At-Least": position})
        self.assertEqual(answer.status, 200, answer.body)
        return {r["values"]["name"]: r for r in answer.json["items"]}

    def everything_said(self, subject, record):
        """All that the server says of one person, and what it says to those who ask the wrong way."""
        said = []
        for path, role in ((f"/v1/records/{record}", "editor"), (f"/v1/records/{record}/history", "editor"),
                           (f"/v1/subjects/{subject}", "editor"), (f"/v1/subjects/{subject}/history", "editor"),
                           (f"/v1/subjects/{subject}/export?format=json", "privacy_officer"),
                           (f"/v1/subjects/{subject}/export?format=csv", "privacy_officer"),
                           ("/v1/record-types/contacts/records?limit=200", "editor")):
            said.append(self.call("GET", path, role=role).body)
        return b"\n".join(said)

    def public_texts(self):
        texts = [self.s.request("GET", "/metrics", token=None).body, self.call("GET", "/v1/status").body,
                 self.call("GET", "/v1/log/checkpoint", role="auditor").body]
        size = self.call("GET", "/v1/status").json["size"]
        for at in range(0, size, 1000):
            texts.append(self.call("GET", f"/v1/events?from={at}&limit=1000", role="auditor").body)
        return b"\n".join(texts)

    def test_G31_F6_G30_EV06_nothing_of_the_erased_is_left(self):
        """[G31] [F6] [G30] [EV-06]"""
        people = [person() for _ in range(PEOPLE)]
        printed = self.import_people(people[:4])
        for i, values in enumerate(people[4:]):
            last = self.add(values, key=f"scan/{i}")
        known = self.records_by_name(last["position"])
        self.assertEqual(set(known), {p["name"] for p in people})
        gone, partly = people[0], people[5]
        # Old values, refused writes and answers to them belong to what must not stay.
        changed = person()
        answer = self.call("PATCH", f"/v1/records/{known[gone['name']]['record']}",
                           {"values": {"name": changed["name"], "news": changed["news"]}})
        self.assertEqual(answer.status, 200, answer.body)
        for wrong in ({"values": {"name": gone["name"], "born": gone["name"]}}, {"values": {"nothing": gone["news"]}},
                      {"values": {"name": gone["news"]}, "more": gone["name"]}):
            self.assertEqual(self.call("POST", "/v1/record-types/contacts/records", wrong).status, 400)
        self.assertEqual(self.call("POST", "/v1/record-types/contacts/records", {"values": gone}, role="auditor").status, 403)
        subject, record = known[gone["name"]]["subject"], known[gone["name"]]["record"]
        said = self.everything_said(subject, record)
        (self.keep / "said").write_bytes(said)
        wanted = canaries(gone) | canaries({**gone, "name": changed["name"], "news": changed["news"]})
        digests = hashes(gone) | hashes({**gone, "name": changed["name"], "news": changed["news"]})
        # The look can find: what the server said, and a hash beside it, is found.
        self.assertTrue(hits({gone["name"].encode()}, self.keep))
        (self.keep / "digest").write_bytes(hashlib.sha1(gone["e-mail"].encode()).hexdigest().encode())
        self.assertTrue(hits(digests, self.keep))

        # In clear nobody is anywhere, before the erasure as after it.
        everybody = set().union(*(canaries(p) for p in [*people, changed]))
        everybodys_hashes = set().union(*(hashes(p) for p in people[:3]))
        self.assertEqual(hits(everybody | everybodys_hashes, self.s.home), [])
        before = self.public_texts() + printed
        self.assertEqual([n for n in everybody if n in before], [])

        erased = self.erase(subject)
        only_class = self.erase(known[partly["name"]]["subject"], ["customer"])
        position = {"Siegel-At-Least": only_class["position"]}
        answer = self.call("GET", f"/v1/records/{record}", headers=position)
        self.assertEqual((answer.status, answer.code), (410, "erased"), answer.body)
        after = self.everything_said(subject, record) + self.public_texts()
        self.assertEqual([n for n in wanted | digests if n in after], [])
        for other in [p for p in people if p not in (gone, partly)]:
            self.assertIn(other["news"].encode(), after)

        # One class went, the other stays readable, and the certificate names it.
        shown = self.call("GET", f"/v1/records/{known[partly['name']]['record']}", headers=position)
        self.assertEqual(shown.status, 200, shown.body)
        self.assertEqual(shown.json["values"].get("news"), partly["news"])
        self.assertNotIn(partly["name"].encode(), shown.body)
        certificates = b""
        for erasure, kept in ((erased, False), (only_class, True)):
            for accept in ("application/json", "text/plain", "text/html"):
                answer = self.call("GET", erasure["certificate"], role="auditor", headers={"Accept": accept})
                self.assertEqual(answer.status, 200, (accept, answer.body))
                certificates += answer.body
            told = self.call("GET", erasure["certificate"], role="auditor").json
            self.assertEqual(told["erased_classes"], ["customer"] if kept else [])
            note = self.call("GET", erasure["certificate"], role="auditor", headers={"Accept": "text/plain"}).body.decode()
            self.assertIn("\nerased class: " + ("customer" if kept else "all but those kept") + "\n", note)
            listed = told["kept_classes"]
            self.assertEqual(any(k.startswith("marketing") for k in listed), kept, listed)
            self.assertFalse(any(k.startswith("customer") for k in listed), listed)
        self.assertEqual([n for n in everybody if n in certificates], [])

        copied = self.keep / "copied"
        shutil.copytree(self.s.home, copied)  # as it lies there while the server runs
        exported = self.keep / "exported"
        self.s.run("export-log", str(exported))
        self.assertEqual(self.s.stop(), 0)
        saved = self.keep / "saved"
        self.s.run("backup", str(saved))
        for place, name in ((exported, "tile"), (saved, "ledger")):
            self.assertTrue(any((place / name).rglob("*")), place)
        partly_gone = {partly["name"].encode(), partly["e-mail"].encode(), partly["name"].split()[-1].encode()}
        for place in (self.s.home, copied, exported, saved):
            self.assertEqual(hits(wanted | digests | partly_gone, place), [])
            self.assertEqual(hits(everybody, place), [])

        # After a rebuild from nothing but ledger, keys and root it is the same.
        shutil.rmtree(self.s.data / "views")
        self.s.serve()
        wait_for_index(self.s)
        again = self.everything_said(subject, record) + self.public_texts()
        self.assertEqual([n for n in wanted | digests | partly_gone if n in again], [])
        for other in [p for p in people if p not in (gone, partly)]:
            self.assertIn(other["name"].encode(), again)
        self.assertEqual(self.s.stop(), 0)
        self.assertEqual(hits(everybody | digests, self.s.home), [])

    @unittest.skipUnless(os.geteuid() == 0, "the server's memory is closed to all but root")
    def test_ER06_the_servers_memory_forgets_the_old_root(self):
        """[ER-06]"""
        subjects = [self.add(person())["subject"] for _ in range(3)]
        for subject in subjects[:2]:
            old = root_key(self.s.home)
            self.assertTrue(in_memory(self.s.process.pid, old))
            self.erase(subject)
            new = root_key(self.s.home)
            self.assertNotEqual(old, new)
            self.assertTrue(in_memory(self.s.process.pid, new))
            self.assertFalse(in_memory(self.s.process.pid, old))
        self.assertEqual(self.s.stop(), 0)

    def test_G31_D1_killed_again_and_again(self):
        """[G31] [D1]: no acknowledged event is lost, none comes twice, and nobody comes back."""
        seed = random.randrange(1 << 30)
        choice = random.Random(seed)
        print(f"seed {seed}")
        living, gone, open_requests, mark = {}, {}, [], [0]
        lock = threading.Lock()

        def work(stop):
            port, token = self.s.port, self.s.tokens
            client = Siegel(BINARY, directory=self.s.home)  # a connection of its own
            client.port, client.connection = port, None

            def call(method, path, body, role, key):
                return client.request(method, path, body, token=token[role], headers={"Idempotency-Key": key})

            while not stop.is_set():
                with lock:
                    retry = open_requests.pop() if open_requests else None
                    mark[0] += 1
                    number = mark[0]
                    victim = choice.choice(list(living)) if retry is None and len(living) > 5 and choice.random() < 0.2 else None
                    values = living.pop(victim) if victim else None
                request = retry or ({"kind": "erase", "record": victim, "values": values, "key": f"kill/{number}"} if victim else
                                    {"kind": "add", "values": person(), "key": f"kill/{number}"})
                try:
                    if request["kind"] == "add":
                        answer = call("POST", "/v1/record-types/contacts/records", {"values": request["values"]}, "editor",
                                      request["key"])
                    else:
                        answer = call("POST", "/v1/erasures", {"subject": request["values"]["subject"], "ground": "art17-1-b",
                                                               "mode": "now"}, "privacy_officer", request["key"])
                except (OSError, Exception) as error:  # noqa: B014  whatever a killed server does to a connection
                    if isinstance(error, AssertionError):
                        raise
                    with lock:
                        open_requests.append(request)
                    return
                with lock:
                    if answer.status in (200, 201, 202):
                        if request["kind"] == "add":
                            living[answer.json["record"]] = {**request["values"], "subject": answer.json["subject"]}
                        else:
                            gone[request["record"]] = request["values"]
                    elif answer.status == 503:
                        open_requests.append(request)
                    else:
                        raise AssertionError((answer.status, answer.body))

        for _ in range(KILLS):
            stop = threading.Event()
            failures = []

            def guarded():
                try:
                    work(stop)
                except AssertionError as error:
                    failures.append(error)

            threads = [threading.Thread(target=guarded) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.1 + choice.random() * 0.9)
            self.s.stop(9)
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.s.serve()
            wait_for_index(self.s)
            shown = self.whole_list()
            for record, values in living.items():
                self.assertIn(record, shown)
                self.assertEqual({k: shown[record][k] for k in ("name", "news")}, {k: values[k] for k in ("name", "news")})
            for record in gone:
                self.assertNotIn(record, shown)
        # What was never answered is asked again under its key: done once, whether it had been done or not.
        stop = threading.Event()
        while open_requests:
            request = open_requests.pop()
            if request["kind"] == "erase":
                answer = self.call("POST", "/v1/erasures", {"subject": request["values"]["subject"], "ground": "art17-1-b",
                                                            "mode": "now"}, role="privacy_officer",
                                   headers={"Idempotency-Key": request["key"]})
                self.assertIn(answer.status, (200, 201, 202), answer.body)
                gone[request["record"]] = request["values"]
            else:
                added = self.add(request["values"], key=request["key"])
                living[added["record"]] = {**request["values"], "subject": added["subject"]}
        self.assertGreater(len(living), KILLS)
        self.assertGreater(len(gone), 0)
        self.wait_for_erasures()
        shown = self.whole_list()
        self.assertEqual(set(shown), set(living))
        names = [values["name"] for values in shown.values()]
        self.assertEqual(len(names), len(set(names)), "a record came twice")
        size = self.call("GET", "/v1/status").json["size"]
        sequences = []
        while len(sequences) < size:
            page = self.call("GET", f"/v1/events?from={len(sequences)}&limit=1000", role="auditor").body.splitlines()
            sequences += [json.loads(line)["seq"] for line in page]
        self.assertEqual(sequences[:size], list(range(size)))
        self.assertEqual(self.s.stop(), 0)
        wanted = set().union(*(canaries(v) for v in gone.values()))
        for v in list(gone.values())[:5]:
            wanted |= hashes(v)
        self.assertEqual(hits(wanted, self.s.home), [])
        self.assertEqual(hits({b"Kanari", b"kanari", b"brief-"}, self.s.home), [])

    def whole_list(self):
        out, cursor = {}, ""
        while True:
            answer = self.call("GET", f"/v1/record-types/contacts/records?limit=200{cursor}")
            self.assertEqual(answer.status, 200, answer.body)
            out.update({r["record"]: r["values"] for r in answer.json["items"]})
            if answer.json["next"] is None:
                return out
            cursor = "&cursor=" + answer.json["next"]

    def wait_for_erasures(self):
        for _ in range(200):
            if self.call("GET", "/v1/status").json["erasures_open"] == 0:
                return
            time.sleep(0.1)
        self.fail("an erasure stays open")


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        KILLS = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
