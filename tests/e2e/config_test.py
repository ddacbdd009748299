"""The configuration (contract section 4): flag > SIEGEL_<SECTION>_<KEY> > file > default; a wrong one ends with exit 2
and names file and line; limits take effect; the server's log.

usage: config_test.py SIEGEL_BINARY
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from siegel_process import Siegel  # noqa: E402

BINARY = None


def environment(extra=None):
    return {k: v for k, v in os.environ.items() if not k.startswith("SIEGEL_")} | (extra or {})


class Data(unittest.TestCase):
    """A data directory of its own for each test."""

    def setUp(self):
        self.s = Siegel(BINARY)
        self.s.__enter__()
        self.s.init()

    def tearDown(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", []) or [])
        self.s.__exit__(AssertionError if failed else None, None, None)

    def config(self, text, name="siegel.toml"):
        path = self.s.home / name
        path.write_text(text)
        return path

    def run_siegel(self, *words, env=None, timeout=60):
        return subprocess.run([self.s.binary, *map(str, words)], env=environment(env), capture_output=True, text=True, timeout=timeout,
                              cwd=self.s.home)

    def serve(self, *words, env=None):
        """A running server by these words and this environment; the address it says."""
        self.s.log = open(self.s.home / "server.log", "ab")
        self.s.process = subprocess.Popen([self.s.binary, *map(str, words)], env=environment(env), stdout=subprocess.PIPE,
                                          stderr=self.s.log, text=True, cwd=self.s.home)
        line = self.s.process.stdout.readline()
        self.assertTrue(line.startswith("listening on http://"), f"{line!r} {self.s.log_text()}")
        self.s.port, self.s.connection = int(line.rsplit(":", 1)[1]), None
        for _ in range(600):
            if self.s.request("GET", "/readyz", token=None).status == 200:
                return line.split()[-1]
            time.sleep(0.05)
        raise AssertionError("the server does not get ready")

    def port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]


class Precedence(Data):
    def test_flag_before_environment_before_file(self):
        file, env, flag = (f"127.0.0.1:{self.port()}" for _ in range(3))
        config = self.config(f'[server]\nlisten = "{file}"\n[data]\ndir = "{self.s.data}"\n')
        words = ("--config", config, "serve")
        for expected, more, environ in ((file, (), {}), (env, (), {"SIEGEL_SERVER_LISTEN": env}),
                                        (flag, ("--listen", flag), {"SIEGEL_SERVER_LISTEN": env})):
            self.assertEqual(self.serve(*words, *more, env=environ), f"http://{expected}")
            self.assertEqual(self.s.stop(), 0)

    def test_data_directory(self):
        other = self.s.home / "other"
        config = self.config(f'[data]\ndir = "{self.s.data}"\n')
        self.assertIn("lock record", self.run_siegel("--config", config, "lock", "show").stdout)
        done = self.run_siegel("--config", config, "lock", "show", env={"SIEGEL_DATA_DIR": str(other)})
        self.assertEqual(done.returncode, 1, done.stderr)
        done = self.run_siegel("--config", config, "--data", self.s.data, "lock", "show", env={"SIEGEL_DATA_DIR": str(other)})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_places_of_init(self):
        home = self.s.home
        config = self.config(f'[data]\ndir = "{home}/d2"\n[lock]\npath = "{home}/out/head"\n[root_store]\nkind = "file"\n'
                             f'path = "{home}/rootdir/root"\n[signer]\npath = "{home}/sign/signer"\n')
        done = self.run_siegel("--config", config, "init", "--single-disk")
        self.assertEqual(done.returncode, 0, done.stderr)
        for place in ("out/head", "rootdir/root", "sign/signer"):
            self.assertTrue((home / place).is_file(), place)
        self.assertEqual(self.run_siegel("--config", config, "lock", "show").returncode, 0)
        self.assertEqual(self.run_siegel("--data", home / "d2", "lock", "show").returncode, 0)
        done = self.run_siegel("--config", config, "lock", "show", env={"SIEGEL_LOCK_PATH": str(home / "elsewhere")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("PLACES", done.stderr)

    def test_what_init_makes_and_says(self):
        """Contract section 5: where each thing lies, and for whom."""
        made = json.loads(self.run_siegel("--data", self.s.home / "d4", "--json", "init", "--single-disk").stdout)
        self.assertRegex(made["ledger"], r"^[0-9a-f]{16}$")
        self.assertEqual(made["origin"], f"siegel.local/{made['ledger']}")
        self.assertRegex(made["verifier_key"], rf"^{re.escape(made['origin'])}\+[0-9a-f]{{8}}\+[A-Za-z0-9+/]{{44}}$")
        self.assertEqual(made["grade"], "L0")
        for directory in ("d4", "d4.root", "d4.outside"):
            self.assertEqual((self.s.home / directory).stat().st_mode & 0o777, 0o700, directory)
        self.assertEqual((self.s.home / "d4" / "FORMAT").read_text().strip(), f"siegel-data 1 {made['ledger']}")
        self.assertLessEqual({"FORMAT", "ledger", "keys", "views"}, {entry.name for entry in (self.s.home / "d4").iterdir()})
        self.assertEqual({entry.name for entry in (self.s.home / "d4.root").iterdir()}, {"root", "CACHEDIR.TAG"})
        self.assertTrue((self.s.home / "d4.root" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55"))
        self.assertEqual({entry.name for entry in (self.s.home / "d4.outside").iterdir()}, {"signer", "head"})
        for secret in ("d4.root/root", "d4.outside/signer"):
            self.assertEqual((self.s.home / secret).stat().st_mode & 0o777, 0o600, secret)
        self.assertTrue((self.s.home / "d4.outside" / "signer").read_text().startswith(f"PRIVATE+KEY+{made['origin']}+"))

    def test_root_inside_the_data_directory_is_refused(self):
        for place in ("d3/root", "d3/keys/root", "d3/../d3/root"):
            done = self.run_siegel("--data", self.s.home / "d3", "init", "--single-disk",
                                   env={"SIEGEL_ROOT_STORE_PATH": str(self.s.home / place)})
            self.assertIn(done.returncode, (2, 4), done.stderr)
            self.assertIn("root_inside_data", done.stderr)
            self.assertFalse((self.s.home / "d3").exists())


class Wrong(Data):
    def refused(self, text, line, *said):
        config = self.config(text)
        for words in (("serve",), ("lock", "show"), ("status",)):
            done = self.run_siegel("--data", self.s.data, "--config", config, *words)
            self.assertEqual(done.returncode, 2, (text, words, done.stderr))
            self.assertIn(f"siegel.toml:{line}", done.stderr, text)
            for word in said:
                self.assertIn(word, done.stderr, text)
            self.assertEqual(done.stdout, "")

    def test_each_wrong_file_names_its_line(self):
        self.refused('[server]\n\nlistn = "127.0.0.1:1"\n', 3, "server.listn", "unknown key")
        self.refused('[sever]\nlisten = "127.0.0.1:1"\n', 2, "sever.listen")
        self.refused('listen = "127.0.0.1:1"\n', 1, "outside a section")
        self.refused('[server]\nlisten = 8480\n', 2, "no text")
        self.refused('[server]\nlisten = "8480"\n', 2, "ADDRESS:PORT")
        self.refused('[server]\nlisten = "127.0.0.1:99999"\n', 2, "ADDRESS:PORT")
        self.refused('[server]\nlog_level = "loud"\n', 2, "debug")
        self.refused('[server]\npublic_url = "example.org"\n', 2, "https://")
        self.refused('[limits]\nbody_bytes_max = "1 MiB"\n', 2, "whole number")
        self.refused('[limits]\nbody_bytes_max = 1.5\n', 2, "whole number")
        self.refused('[limits]\nbody_bytes_max = -1\n', 2, "whole number")
        self.refused('[limits]\nbody_bytes_max = 0\n', 2, "least=1024")
        self.refused('[limits]\nevent_bytes_max = 8388609\n', 2, "most=8388608")  # more than the ledger takes of one event
        self.refused('[vault]\nspare_leaves = true\n', 2, "whole number")
        self.refused('[defaults]\nlanguage = "fr"\n', 2, "de or en")
        self.refused('[defaults]\ntimezone = "../etc/passwd"\n', 2, "Europe/Berlin")
        self.refused('[defaults]\npurpose = "Customer Care"\n', 2, "purpose")
        self.refused('[root_store]\nkind = "cloud"\n', 2, "file")
        self.refused('[server\nlisten = "x"\n', 1, "TOML")
        self.refused('[server]\nlisten = "127.0.0.1:1"\nlisten = "127.0.0.1:2"\n', 3, "TOML")
        self.refused('[server]\ntls_key = "k"\ntls_key_password = "no secrets in here"\n', 3, "tls_key_password")

    def test_absent_file_and_environment(self):
        for name in ("absent.toml", "."):
            done = self.run_siegel("--config", name, "--data", self.s.data, "lock", "show")
            self.assertEqual(done.returncode, 2)
            self.assertIn("config_invalid", done.stderr)
        for name, value, said in (("SIEGEL_SERVER_LISTN", "x", "SIEGEL_SERVER_LISTN"),
                                  ("SIEGEL_LIMITS_BODY_BYTES_MAX", "many", "SIEGEL_LIMITS_BODY_BYTES_MAX"),
                                  ("SIEGEL_VAULT_SPARE_LEAVES", "0", "least=1")):
            done = self.run_siegel("--data", self.s.data, "lock", "show", env={name: value})
            self.assertEqual(done.returncode, 2, name)
            self.assertIn(said, done.stderr)
        self.assertEqual(self.run_siegel("--data", self.s.data, "lock", "show", env={"SIEGEL_TOKEN": "x"}).returncode, 0)

    def test_listeners_that_are_refused(self):
        """before a store is opened: RocksDB begins its own log anew at each opening"""
        log = pathlib.Path(self.s.data) / "ledger" / "LOG"
        before = (log.stat().st_ino, log.stat().st_mtime_ns)
        for listen, code, said in (("0.0.0.0:0", 2, "tls_required"), ("[::]:0", 2, "tls_required"), ("192.0.2.7:0", 2, "tls_required"),
                                   ("example.org:80", 2, "listen_invalid"), ("127.0.0.1", 2, "listen")):
            done = self.run_siegel("--data", self.s.data, "serve", "--listen", listen)
            self.assertEqual(done.returncode, code, (listen, done.stderr))
            self.assertIn(said, done.stderr, listen)
            self.assertEqual(done.stdout, "")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = self.run_siegel("--data", self.s.data, "serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("port_in_use", done.stderr)
        self.assertEqual((log.stat().st_ino, log.stat().st_mtime_ns), before)


class Limits(Data):
    def start(self, *limits):
        self.s.token = self.s.make_token()
        self.serve("--data", self.s.data, "--config", self.config("\n".join(["[limits]", *limits, ""])), "serve", "--listen",
                   "127.0.0.1:0")

    def definitions(self):
        definition = {"period": "P3Y", "start": "last_change", "legal_ground": "contract"}
        self.assertEqual(self.s.request("PUT", "/v1/deletion-classes/customer", definition).status, 201)
        self.assertEqual(self.s.request("PUT", "/v1/purposes/care", {"legal_ground": "contract", "title": {"en": "Care"}}).status, 201)
        kind = {"title": {"en": "Notes"}, "subject": {"mode": "row"}, "default_purpose": "care", "fields": [
            {"name": "note", "title": "Note", "type": "multiline", "personal": True, "class": "customer"}], "form": [["note"]]}
        self.assertEqual(self.s.request("PUT", "/v1/record-types/notes", kind).status, 201)
        made = self.s.request("POST", "/v1/tokens", {"role": "editor", "purposes": ["care"], "types": ["notes"], "label": "e"})
        return made.json["token"]

    def test_bodies_headers_events_and_pages(self):
        self.start("body_bytes_max = 20000", "header_bytes_max = 2048", "event_bytes_max = 4096", "page_items_max = 3")
        editor = self.definitions()
        path = "/v1/record-types/notes/records"
        add = lambda length: self.s.request("POST", path, {"values": {"note": "x" * length}}, token=editor)  # noqa: E731
        for length, name in ((30_000, "body_bytes_max"), (10_000, "event_bytes_max")):
            answer = add(length)
            self.assertEqual((answer.status, answer.code), (413, "too_large"), answer.body)
            self.assertEqual(answer.json["limit"]["name"], name)
        self.assertEqual(add(1000).status, 201)
        long = self.s.request("GET", "/v1/status", headers={"X-Long": "x" * 3000})
        self.assertEqual((long.status, long.code), (431, "header_too_large"))
        for _ in range(4):
            self.assertEqual(add(10).status, 201)
        page = self.s.request("GET", path, token=editor)
        self.assertEqual((page.status, len(page.json["items"])), (200, 3), page.body)
        self.assertTrue(page.json["next"])
        self.assertEqual(self.s.request("GET", path + "?limit=4", token=editor).status, 400)

    def test_searches_and_the_people_of_one_event(self):
        self.start("search_results_max = 3", "subjects_per_event_max = 2")
        self.definitions()
        kind = {"title": {"en": "Names"}, "subject": {"mode": "row"}, "default_purpose": "care", "fields": [
            {"name": "name", "title": "Name", "type": "text", "personal": True, "searchable": True, "class": "customer"}], "form": [["name"]]}
        self.assertEqual(self.s.request("PUT", "/v1/record-types/names", kind).status, 201)
        made = self.s.request("POST", "/v1/tokens", {"role": "editor", "purposes": ["care"], "types": ["names"], "label": "e"})
        editor = made.json["token"]
        for i in range(4):
            added = self.s.request("POST", "/v1/record-types/names/records", {"values": {"name": f"Anna {i}"}}, token=editor)
            self.assertEqual(added.status, 201, added.body)

        def search(**more):
            body = {"where": [{"field": "name", "op": "prefix", "value": "Anna"}], **more}
            for _ in range(600):
                answer = self.s.request("POST", "/v1/record-types/names/search", body, token=editor,
                                        headers={"Siegel-At-Least": added.json["position"]})
                if answer.status != 503:  # the index loads
                    return answer
                time.sleep(0.1)
            return answer

        size = lambda: self.s.request("GET", "/v1/status").json["size"]  # noqa: E731
        self.assertEqual(search().status, 200)
        before = size()
        page = search()
        self.assertEqual((len(page.json["items"]), bool(page.json["next"])), (3, True), page.body)
        self.assertEqual(size() - before, 2)  # three people: two events
        self.assertEqual(search(limit=3).status, 200)
        refused = search(limit=4)
        self.assertEqual((refused.status, refused.json["limit"]["name"]), (400, "search_results_max"))
        self.assertEqual(search(sort={"field": "name"}).json["reason"], "too_many_to_sort")

    def test_defaults_are_wider(self):
        self.start()
        editor = self.definitions()
        answer = self.s.request("POST", "/v1/record-types/notes/records", {"values": {"note": "x" * 10_000}}, token=editor)
        self.assertEqual(answer.status, 201, answer.body)


class Log(Data):
    LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+) request id=(\S+) method=(\S+) route=(\S+) status=(\d+) ms=\d+\.\d$")

    def lines(self, level):
        token = self.s.token = self.s.make_token()
        self.serve("--data", self.s.data, "serve", "--listen", "127.0.0.1:0", env={"SIEGEL_SERVER_LOG_LEVEL": level})
        self.s.request("GET", "/v1/status")
        self.s.request("GET", "/v1/records/re_" + "C" * 22)
        answer = self.s.request("POST", "/v1/record-types/nothing/records", {"values": {"name": "CANARY-VALUE"}})
        self.s.request("GET", "/CANARY-PATH?x=CANARY-QUERY", headers={"Siegel-Request-Id": "canonical-id-of-mine-1"})
        self.assertEqual(self.s.stop(), 0)
        text = self.s.log_text()
        (self.s.home / "server.log").unlink()
        for canary in ("CANARY", "C" * 22, token):
            self.assertNotIn(canary, text)
        found = [match.groups() for match in map(self.LINE.match, text.splitlines()) if match]
        self.assertEqual(len(found), text.count(" request "), text)
        return answer.headers["Siegel-Request-Id"], found

    def test_refusals_are_found_by_their_request_id(self):
        refused, found = self.lines("info")
        self.assertIn(("info", refused, "POST", "/v1/record-types/*/records"), [line[:4] for line in found])
        self.assertIn(("canonical-id-of-mine-1", "404"), [(line[1], line[4]) for line in found])
        self.assertNotIn("200", {line[4] for line in found})
        _, found = self.lines("debug")
        self.assertIn(("debug", "GET", "/v1/status", "200"), [(line[0], line[2], line[3], line[4]) for line in found])
        _, found = self.lines("error")
        self.assertEqual(found, [])


if __name__ == "__main__":
    BINARY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
