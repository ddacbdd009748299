"""The command line against the real server: every command of contract section 3 that works over HTTP, its flags, its
exit codes, and what it says about wrong words and wrong files.

usage: cli_test.py SIEGEL_BINARY
"""
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "support"))
from imports_test import xlsx  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
EXAMPLES = HERE.parents[2] / "docs/examples"
DONE, FAILED, USAGE, REFUSED, PART = 0, 1, 2, 4, 5
RECORD, SUBJECT, ERASURE = re.compile(r"re_[\w-]{22}"), re.compile(r"su_[\w-]{22}"), re.compile(r"er_[\w-]{22}")
HEADER = "Name;E-Mail;Geboren;Umsatz;Newsletter\n"


class Cli:
    """siegel as a person types it: server and token from the environment."""

    def __init__(self, server):
        self.server = server
        self.home = server.home

    def run(self, *words, token="editor", stdin=None, env=None, data=None):
        given = {k: v for k, v in os.environ.items() if not k.startswith(("SIEGEL_", "LC_", "LANG"))}
        given |= {"SIEGEL_SERVER": f"http://127.0.0.1:{self.server.port}", "LANG": "C.UTF-8"} | (env or {})
        if token:
            given["SIEGEL_TOKEN"] = self.server.tokens.get(token, token)
        return subprocess.run([self.server.binary, *(["--data", str(data)] if data else []), *words], input=stdin, env=given,
                              capture_output=True, timeout=120, text=not isinstance(stdin, bytes), cwd=self.home)

    def json(self, *words, **options):
        done = self.run("--json", *words, **options)
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def lines(self, *words, **options):
        done = self.run("--json", *words, **options)
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def file(self, name, content):
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def prepare(server):
    """The example's registries, by the command line itself, and a token for each role."""
    server.init()
    server.tokens = {"admin": server.make_token()}
    server.token = server.tokens["admin"]
    server.serve()
    cli = Cli(server)
    for words in (("class", "set", "customer", "customer.json"), ("purpose", "set", "customer-care", "customer-care.json"),
                  ("type", "set", "contacts", "contacts.json")):
        cli.json(*words[:3], str(EXAMPLES / words[3]), token="admin")
    for role in ("editor", "privacy_officer", "auditor"):
        server.tokens[role] = cli.json("token", "create", "--role", role, "--purposes", "customer-care", "--types", "contacts",
                                       "--expires", "12h", "--label", role, token="admin")["token"]
    for _ in range(200):
        if cli.json("status", token="admin")["search"] == "ready":
            return cli
        time.sleep(0.05)
    raise AssertionError("the identity index does not load")


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        cls.cli = prepare(cls.s)

    @classmethod
    def tearDownClass(cls):
        code = cls.s.stop()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"

    def refused(self, done, code, *said):
        """Ended with `code`, said why in one line and what to do, and printed no result."""
        self.assertEqual(done.returncode, code, done.stderr)
        text = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for word in said:
            self.assertIn(word, text)
        return text

    def add(self, name, **more):
        words = [f"name={name}"] + [f"{k.replace('_', '-')}={v}" for k, v in more.items()]
        return self.cli.json("records", "add", "--type", "contacts", *[w for word in words for w in ("--set", word)])


class Registries(WithServer):
    def test_definitions_are_set_shown_and_listed(self):
        for kind, name, file in (("class", "customer", "customer.json"), ("purpose", "customer-care", "customer-care.json"),
                                 ("type", "contacts", "contacts.json")):
            shown = self.cli.json(kind, "show", name, token="admin")
            for key, value in json.loads((EXAMPLES / file).read_text()).items():
                if key != "fields":
                    self.assertEqual(shown[key], value, (kind, key))
            self.assertIn(name, {row["name"] for row in self.cli.lines(kind, "list", token="admin")})
            table = self.cli.run(kind, "list", token="admin")
            self.assertEqual(table.returncode, DONE)
            self.assertTrue(table.stdout.startswith("name "), table.stdout)
            self.assertIn(name, table.stdout)
            # What is shown can be set again; only the expected version wins.
            again = json.dumps(shown)
            self.refused(self.cli.run(kind, "set", name, "-", "--expect", "0", stdin=again, token="admin"), REFUSED, "412")
            self.refused(self.cli.run(kind, "set", name, "-", "--expect", "99", stdin=again, token="admin"), REFUSED,
                         "version_conflict")
            version = shown["version"]
            changed = self.cli.json(kind, "set", name, "-", "--expect", str(version), stdin=again, token="admin")
            self.assertGreaterEqual(changed["version"], version)

    def test_wrong_definitions(self):
        self.refused(self.cli.run("class", "set", "x", "absent.json", token="admin"), USAGE, "cannot be read", "absent.json")
        self.refused(self.cli.run("class", "set", "x", "-", stdin="[]", token="admin"), USAGE, "not an object")
        self.refused(self.cli.run("class", "set", "x", str(EXAMPLES), token="admin"), USAGE, "cannot be read")
        twice = '{"period":"P3Y","start":"end_of_year","period":"P1D"}'
        self.refused(self.cli.run("class", "set", "x", "-", stdin=twice, token="admin"), USAGE, "same member twice", "member=period")
        self.refused(self.cli.run("class", "set", "x", "-", stdin='{"period":\n  soon}', token="admin"), USAGE, "line=2", "column=3")
        self.refused(self.cli.run("class", "set", "x", "-", stdin='{"a":1e999}', token="admin"), USAGE, "not valid JSON")
        deep = '{"a":' * 200_000 + "1" + "}" * 200_000
        self.refused(self.cli.run("class", "set", "x", "-", stdin=deep, token="admin"), USAGE, "32 deep")
        self.refused(self.cli.run("records", "add", "--type", "contacts", "--values", "-", stdin='{"name":"A","name":"B"}'), USAGE,
                     "same member twice")
        self.refused(self.cli.run("class", "set", "x", "-", stdin='{"period":"soon"}', token="admin"), USAGE, "[4")
        for words, better in ((("class", "set", "Wrong Name", str(EXAMPLES / "customer.json")), "wrong-name"),
                              (("type", "show", "Mitglieder"), "mitglieder"), (("purpose", "set", "1. Größe", "-"), "contacts"),
                              (("type", "set", "Größe!", "-"), "groesse"), (("records", "list", "--type", "Contacts"), "contacts"),
                              (("records", "add", "--type", "Contacts", "--set", "name=x"), "contacts"),
                              (("import", str(EXAMPLES / "contacts.csv"), "--type", "../x"), "x")):
            self.refused(self.cli.run(*words, token="admin"), USAGE, "beginning with a letter", f"such as {better}.")
        for words, said in ((("type", "show", "contactsx"), "There is no record type contactsx. `siegel type list`"),
                            (("purpose", "show", "x"), "There is no purpose x. `siegel purpose list`"),
                            (("class", "show", "x"), "There is no deletion class x. `siegel class list`"),
                            (("token", "revoke", "tk_" + "A" * 22), "There is no such token. `siegel token list`"),
                            (("records", "list", "--type", "contactsx"), "There is no record type contactsx."),
                            (("--purpose", "customer-care", "records", "get", "re_" + "A" * 22), "There is no such record.")):
            token = "editor" if "records" in words else "admin"
            self.refused(self.cli.run(*words, token=token), FAILED, said, "404 not_found")
        self.refused(self.cli.run("--lang", "de", "type", "show", "x"), FAILED, "Es gibt keinen Datensatztyp x. `siegel type list`")
        self.refused(self.cli.run("class", "set", "x", str(EXAMPLES / "customer.json")), REFUSED, "role_denied")


class Tokens(WithServer):
    def test_life_of_a_token(self):
        made = self.cli.json("token", "create", "--role", "editor", "--purposes", "customer-care", "--types", "contacts",
                             "--expires", "30d", "--label", "desk", token="admin")
        self.assertRegex(made["token"], r"^sgl_[\w-]{43}$")
        self.assertRegex(made["token_id"], r"^tk_[\w-]{22}$")
        self.assertEqual(self.cli.run("status", token=made["token"]).returncode, DONE)
        listed = {row["token_id"]: row for row in self.cli.lines("token", "list", token="admin")}
        self.assertEqual(listed[made["token_id"]]["label"], "desk")
        table = self.cli.run("token", "list", token="admin").stdout
        self.assertNotIn(made["token"], table)
        self.assertNotIn("[", table)
        line = next(line for line in table.splitlines() if made["token_id"] in line)
        self.assertRegex(line, r" desk +customer-care +contacts +20")
        self.assertRegex(table, r" admin +.*all +all +20")
        self.assertEqual(self.cli.run("token", "revoke", made["token_id"], token="admin").returncode, DONE)
        self.refused(self.cli.run("status", token=made["token"]), REFUSED, "401")

    def test_token_from_file_flag_and_environment(self):
        file = self.cli.file("token", self.s.tokens["admin"] + "\n")
        self.assertEqual(self.cli.run("--token", f"@{file}", "status", token=None).returncode, DONE)
        self.assertEqual(self.cli.run("--token", self.s.tokens["admin"], "status", token="sgl_" + "A" * 43).returncode, DONE)
        self.refused(self.cli.run("--token", "@absent", "status", token=None), USAGE, "cannot be read")
        self.refused(self.cli.run("--token", f"@{self.cli.file('empty', '')}", "status"), USAGE, "empty")
        self.refused(self.cli.run("status", token=None), REFUSED, "token_missing")
        self.refused(self.cli.run("status", token="sgl_" + "A" * 43), REFUSED, "token_wrong")
        self.refused(self.cli.run("status", token="a\nb"), USAGE, "line break")

    def test_an_empty_value_is_not_all(self):
        """A script with an unset variable has not said all."""
        person = self.add("Gil Gar", e_mail="gil@example.org")
        erase = ("erase", "--subject", person["subject"], "--ground", "art17-1-b", "--now", "--yes", "--classes")
        for nothing in ("", " ", ","):
            self.refused(self.cli.run(*erase, nothing, token="privacy_officer"), USAGE, "--classes needs a value")
            self.refused(self.cli.run("token", "create", "--role", "editor", "--purposes", nothing), USAGE, "--purposes needs a value")
        for words, name in ((("backup", ""), "DIR"), (("verify", "--key", ""), "--key"), (("--data", "", "verify"), "--data"),
                            (("--token", "", "status"), "--token")):
            self.refused(self.cli.run(*words), USAGE, f"{name} needs a value")
        self.assertEqual(self.cli.run("records", "get", person["record"]).returncode, DONE)

    def test_wrong_words(self):
        create = ("token", "create", "--role")
        self.refused(self.cli.run(*create, "king", token="admin"), USAGE, "[4")
        self.refused(self.cli.run(*create, "editor", "--expires", "soon", token="admin"), USAGE, "12h")
        self.refused(self.cli.run(*create, "editor", "--expires", "0h", token="admin"), USAGE, "12h")
        self.refused(self.cli.run("token", "create", token="admin"), USAGE, "--role")
        self.refused(self.cli.run(*create, "editor"), REFUSED, "role_denied")

    def test_local_token_beside_a_running_server_is_refused(self):
        done = self.cli.run("token", "create", "--local", "--role", "admin", data=self.s.data)
        self.assertEqual(done.returncode, REFUSED, done.stderr)
        self.assertIn("data_in_use", done.stderr)


class Roles(WithServer):
    ALL = ("admin", "privacy_officer", "editor", "sender", "auditor", "consumer")

    def test_a_refusal_names_the_roles_that_may_and_they_do(self):
        """each word of the command line with each role: who is not named is refused, who is named is not"""
        for role in self.ALL:
            self.s.tokens[role] = self.cli.json("token", "create", "--role", role, "--purposes", "customer-care", "--types", "contacts",
                                                "--expires", "1h", token="admin")["token"]
        person, nobody = "su_" + "A" * 22, "re_" + "A" * 22
        rows = self.cli.file("roles.csv", HEADER + ";no-name@example.org;;;\nRo;ro@example.org;;;\n")
        definition = {name: str(EXAMPLES / f"{name}.json") for name in ("customer", "customer-care", "contacts")}
        for words in (("token", "list"), ("token", "revoke", "tk_" + "A" * 22), ("class", "set", "customer", definition["customer"]),
                      ("purpose", "set", "customer-care", definition["customer-care"]), ("type", "set", "contacts", definition["contacts"]),
                      ("records", "list", "--type", "contacts"), ("records", "search", "--type", "contacts", "--where", "name=x"),
                      ("records", "get", nobody), ("records", "history", nobody), ("records", "remove", nobody),
                      ("records", "add", "--type", "contacts", "--set", "name=Ro"), ("import", str(rows), "--type", "contacts"),
                      ("import", str(rows), "--type", "contacts", "--preview"), ("import", "list"), ("import", "undo", "im_" + "A" * 22),
                      ("subject", "show", person), ("subject", "history", person), ("subject", "export", person),
                      ("erase", "--subject", person, "--ground", "art17-1-b", "--yes"), ("erasure", "list"),
                      ("erasure", "certificate", "er_" + "A" * 22), ("proof", "inclusion", "--seq", "0")):
            said = {role: self.cli.run(*words, token=role).stderr for role in self.ALL}
            refused = [role for role, text in said.items() if "role_denied" in text]
            self.assertTrue(refused and len(refused) < len(self.ALL), (words, said))
            for role in refused:
                named = re.search(r"The roles that may: ([a-z_, ]+)\.", said[role])
                self.assertIsNotNone(named, (words, role, said[role]))
                self.assertEqual(set(named.group(1).split(", ")), set(self.ALL) - set(refused), (words, role))
        self.assertIn("Das dürfen die Rollen admin. ", self.cli.run("--lang", "de", "token", "list").stderr)

    def test_a_wrong_role_is_told_with_those_that_there_are(self):
        self.refused(self.cli.run("token", "create", "--role", "editr", token="admin"), USAGE, "admin, privacy_officer, editor, sender")
        self.refused(self.cli.run("--lang", "de", "token", "create", "--role", "editr", token="admin"), USAGE, "Eine Rolle ist eine von admin")
        bad = json.dumps(json.loads((EXAMPLES / "customer-care.json").read_text()) | {"legal_ground": "x"})
        self.refused(self.cli.run("--lang", "de", "purpose", "set", "other", "-", stdin=bad, token="admin"), USAGE, "eine von consent")


class Search(WithServer):
    def search(self, *wheres, **options):
        words = [word for where in wheres for word in ("--where", where)]
        return self.cli.run("records", "search", "--type", "contacts", *words, **options)

    def test_what_is_found_and_what_is_wrong_is_told(self):
        position = self.add("Tarek Lindström", customer_number="000111")
        self.assertIsNotNone(position)
        for _ in range(100):  # the index follows
            done = self.search("name=Tarek*")
            if "Lindström" in done.stdout:
                break
            time.sleep(0.05)
        self.assertIn("Lindström", done.stdout, done.stderr)
        self.assertIn("Lindström", self.search("customer-number=000111", "name=tarek l*").stdout)  # as the help shows
        self.assertIn("Lindström", self.search("name=lindstrom*").stdout)  # a surname behind a first name
        for where in ("name=indström*", "name=SECRET"):
            none = self.search(where)
            self.assertEqual((none.returncode, none.stdout), (DONE, ""))
            self.assertRegex(none.stderr, r"^Nothing found\. .*looks at the beginning of each word")
            self.assertIn("Nichts gefunden.", self.search(where, env={"LANG": "de_DE.UTF-8"}).stderr)
        for where in ("name=*Lindström*", "name=Ta*k", "name=x**"):
            self.refused(self.search(where), USAGE, "* stands at the end only", "beginning of each word")
        self.refused(self.search("city=SECRET"), USAGE, "city is not searchable", "name, e-mail, customer-number.")
        self.refused(self.search("Ort=SECRET"), USAGE, "city is not searchable")
        said = self.refused(self.search("SECRET=SECRET"), USAGE, "field of the type", "name, e-mail, customer-number.")
        self.assertNotIn("SECRET", said)
        self.assertIsNone(Words.ENGLISH.search(self.search("city=x", env={"LANG": "de_DE.UTF-8"}).stderr))

    def test_empty_lists_say_so(self):
        for words, token in ((("erasure", "list"), "admin"), (("records", "list", "--type", "contacts", "--fields", "city", "--limit", "1"), "editor")):
            done = self.cli.run(*words, token=token)
            if words[0] == "erasure":
                self.assertEqual((done.returncode, done.stdout, done.stderr), (DONE, "", "Nothing found.\n"))
            self.assertEqual(self.cli.run("--quiet", *words, token=token).stderr, "")


class Records(WithServer):
    def test_life_of_a_record(self):
        added = self.add("Änne Müller", e_mail="aenne@example.org", born="31.12.1980", revenue="1.234,50", newsletter="ja")
        record = added["record"]
        shown = self.cli.json("records", "get", record)
        self.assertEqual(shown["values"], {"name": "Änne Müller", "e-mail": "aenne@example.org", "born": "1980-12-31",
                                           "revenue": "1234.50", "newsletter": True} |
                         {k: v for k, v in shown["values"].items() if v is None})
        changed = self.cli.json("records", "set", record, "--set", "name=Änne Maier", "--set", "born=", "--expect", "1")
        self.assertEqual(changed["version"], 2)
        self.refused(self.cli.run("records", "set", record, "--set", "name=Anders", "--expect", "1"), REFUSED,
                     "version_conflict")
        values = self.cli.json("records", "get", record)["values"]
        self.assertEqual(values["name"], "Änne Maier")
        self.assertIsNone(values.get("born"))
        history = self.cli.lines("records", "history", record)
        self.assertEqual([row["type"] for row in history], ["record.added", "record.changed"])
        self.assertIn({"field": "name", "old": "Änne Müller", "new": "Änne Maier"}, history[1]["changes"])
        self.refused(self.cli.run("records", "remove", record, "--expect", "1"), REFUSED, "version_conflict")
        self.assertEqual(self.cli.run("records", "remove", record, "--expect", "2").returncode, DONE)
        self.refused(self.cli.run("records", "get", record), FAILED, "404 not_found")

    def test_values_from_json_and_another_record_of_one_person(self):
        first = self.add("Bo Berg", e_mail="bo@example.org")
        body = json.dumps({"name": "B. Berg", "born": "1990-02-28"})
        second = self.cli.json("records", "add", "--type", "contacts", "--values", "-", "--subject", first["subject"], stdin=body)
        self.assertEqual(second["subject"], first["subject"])
        self.cli.json("records", "set", second["record"], "--type", "contacts", "--set", "Ort=Köln")
        self.assertEqual(self.cli.json("records", "get", second["record"])["values"]["city"], "Köln")

    def test_list_pages_fields_and_limit(self):
        for number in range(3):
            self.add(f"Person {number}", e_mail=f"list{number}@example.org")
        rows = self.cli.lines("records", "list", "--type", "contacts", "--limit", "2", "--fields", "name")
        self.assertEqual(len(rows), 2)
        self.assertEqual(set(rows[0]["values"]), {"name"})
        self.assertGreaterEqual(len(self.cli.lines("records", "list", "--type", "contacts")), 3)
        table = self.cli.run("records", "list", "--type", "contacts").stdout.splitlines()
        self.assertRegex(table[0], r"^record +Name +E-Mail +.*subject +version +updated_at$")
        self.assertRegex("\n".join(table), r"\nre_\S+ +Person 1 +list1@example.org ")
        german = self.cli.run("--lang", "de", "records", "list", "--type", "contacts", "--fields", "e-mail,name", "--limit", "all").stdout
        self.assertRegex(german.splitlines()[0], r"^Datensatz +Name +E-Mail +Person +Version +geändert am$")
        self.assertNotIn("{", german)
        size = self.cli.json("status")["size"]
        for limit in ("0", "-1", "few", "1.5", ""):
            self.refused(self.cli.run("records", "list", "--type", "contacts", f"--limit={limit}"), USAGE, "--limit")
        self.assertEqual(self.cli.json("status")["size"], size)
        self.refused(self.cli.run("records", "list", "--type", "contacts", "--fields", "shoe-size"), USAGE, "[4")
        self.refused(self.cli.run("records", "list"), USAGE, "--type")

    def test_wrong_values_are_told_without_the_value(self):
        for word, code in (("born=SECRET-31", "bad_date"), ("revenue=SECRET-1", "bad_decimal"), ("newsletter=SECRET", "bad_boolean"),
                           ("e-mail=SECRET at home", "bad_value"), ("shoe=SECRET", "field of the type"), ("SECRET", "field of the type")):
            done = self.cli.run("records", "add", "--type", "contacts", "--set", "name=X", "--set", word)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertNotIn("SECRET", done.stderr)
        self.refused(self.cli.run("records", "add", "--type", "contacts"), USAGE, "--set FIELD=VALUE")
        self.refused(self.cli.run("records", "add", "--type", "contacts", "--values", "-", stdin="nonsense"), USAGE, "not valid JSON")
        self.refused(self.cli.run("records", "add", "--type", "nothing", "--set", "name=X"), FAILED, "not_found")
        self.refused(self.cli.run("records", "get", "re_" + "A" * 22), FAILED, "not_found")
        self.refused(self.cli.run("records", "get", "../tokens"), USAGE, "400 bad_value")
        said = self.refused(self.cli.run("--purpose", "spying", "records", "list", "--type", "contacts"), REFUSED, "purpose_unknown",
                            "--purpose NAME; `siegel purpose list`")
        self.assertNotIn("GET /v1", said)

    def test_purpose_of_configuration_and_flag(self):
        config = self.cli.file("client.toml", '[defaults]\npurpose = "spying"\nlanguage = "de"\n')
        said = self.refused(self.cli.run("--config", str(config), "records", "list", "--type", "contacts"), REFUSED)
        self.assertIn("purpose_unknown", said)
        done = self.cli.run("--config", str(config), "--purpose", "customer-care", "records", "list", "--type", "contacts")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("Datensätze", self.cli.run("--config", str(config), "--help").stdout)
        done = self.cli.run("records", "list", "--type", "contacts", env={"SIEGEL_DEFAULTS_PURPOSE": "spying"})
        self.refused(done, REFUSED, "purpose_unknown")


    def test_purpose_of_the_type_is_taken_if_the_token_leaves_it_open(self):
        token = self.cli.json("token", "create", "--role", "editor", "--label", "open", token="admin")["token"]
        added = self.cli.json("records", "add", "--type", "contacts", "--set", "name=Offen Eins", token=token)
        self.assertTrue(self.cli.lines("records", "list", "--type", "contacts", token=token))
        record = added["record"]  # whose type is not said: all types have the same purpose
        self.assertEqual(self.cli.json("records", "get", record, token=token)["values"]["name"], "Offen Eins")
        self.cli.json("records", "set", record, "--set", "name=Offen Zwei", token=token)
        history = self.cli.lines("records", "history", record, token=token)
        self.assertEqual({row["purpose"] for row in history}, {"customer-care"})
        self.assertIn("Offen Zwei", self.cli.run("export", "--subject", added["subject"], token=token).stdout)
        # Two purposes: only the type says which.
        self.cli.json("purpose", "set", "repairs", "-", stdin='{"legal_ground":"contract","title":{"en":"Repairs"}}', token="admin")
        other = json.loads((EXAMPLES / "contacts.json").read_text()) | {"default_purpose": "repairs"}
        self.cli.json("type", "set", "repairs", "-", stdin=json.dumps(other), token="admin")
        self.refused(self.cli.run("records", "get", record, token=token), REFUSED, "purpose_missing")
        self.cli.json("records", "get", record, "--type", "contacts", token=token)
        self.assertEqual(self.cli.run("records", "remove", record, "--type", "contacts", token=token).returncode, DONE)


class Erasures(WithServer):
    def test_erase_with_certificate_export_and_proofs(self):
        gone, kept = self.add("Cy Cohn", e_mail="cy@example.org"), self.add("Di Dorn", e_mail="di@example.org")
        export = ("export", "--subject", gone["subject"], "--format")
        self.assertIn("Cy Cohn", self.cli.run(*export, "json").stdout)
        file = self.cli.home / "person.csv"
        self.assertEqual(self.cli.run(*export, "csv", "-o", str(file)).returncode, DONE)
        self.assertIn("Cy Cohn", file.read_text("utf-8-sig"))
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        erase = ("erase", "--subject", gone["subject"], "--ground", "art17-1-b", "--now")
        self.refused(self.cli.run(*erase, token="privacy_officer", stdin=""), REFUSED, "--yes")
        self.assertIn("Cy Cohn", self.cli.run("records", "get", gone["record"]).stdout)
        self.refused(self.cli.run(*erase, "--yes"), REFUSED, "role_denied")
        note, plain = self.cli.home / "certificate.txt", self.cli.home / "certificate.json"
        done = self.cli.json(*erase, "--yes", "--certificate", str(note), token="privacy_officer")
        self.assertRegex(done["erasure"], ERASURE)
        self.assertEqual(done["state"], "effective")
        self.assertIn("\n\u2014 ", note.read_text())  # a signed note
        again = self.cli.json(*erase, "--yes", "--certificate", str(plain), token="privacy_officer")
        self.assertEqual(again["erasure"], done["erasure"])
        self.assertEqual(json.loads(plain.read_text())["erasure"], done["erasure"])
        self.refused(self.cli.run("records", "get", gone["record"]), REFUSED, "410 erased", done["erasure"], "siegel erasure show")
        self.refused(self.cli.run(*export, "json"), REFUSED, "410 erased")
        self.assertIn("Di Dorn", self.cli.run("records", "get", kept["record"]).stdout)
        self.assertEqual(self.cli.json("status")["erasures_open"], 0)

    def test_what_a_data_protection_officer_asks_for(self):
        person = self.add("Do Dahl", e_mail="do@example.org")
        self.cli.json("records", "get", person["record"])
        ask = {"token": "privacy_officer"}
        shown = self.cli.json("subject", "show", person["subject"], **ask)
        self.assertEqual([record["record"] for record in shown["records"]], [person["record"]])
        history = self.cli.lines("subject", "history", person["subject"], **ask)
        self.assertIn("record.added", {item["type"] for item in history})
        reads = [item for item in history if item["type"] == "access.read"]
        self.assertGreaterEqual(len(reads), 2, history)  # the editor's and the officer's
        self.assertEqual({item["purpose"] for item in reads}, {"customer-care"})
        self.assertIn("access.read", self.cli.run("subject", "history", person["subject"], **ask).stdout)
        file = self.cli.home / "dahl.csv"
        self.assertEqual(self.cli.run("subject", "export", person["subject"], "--format", "csv", "-o", str(file), **ask).returncode, DONE)
        self.assertIn("Do Dahl", file.read_text("utf-8-sig"))
        erasure = self.cli.json("erase", "--subject", person["subject"], "--ground", "art17-1-b", "--now", "--yes", **ask)["erasure"]
        listed = {row["erasure"]: row for row in self.cli.lines("erasure", "list", **ask)}
        self.assertIn("effective_at", listed[erasure])
        self.assertRegex(self.cli.run("erasure", "list", **ask).stdout, rf"^erasure +state +ground (.*\n)*{erasure} ")
        self.assertEqual(self.cli.json("erasure", "show", erasure, **ask)["subjects"], 1)
        certificate = ("erasure", "certificate", erasure)
        self.assertIn("\n\u2014 ", self.cli.run(*certificate, **ask).stdout)
        self.assertEqual(json.loads(self.cli.run(*certificate, "--format", "json", **ask).stdout)["erasure"], erasure)
        page = self.cli.home / "certificate.html"
        self.assertEqual(self.cli.run("--lang", "de", *certificate, "-o", str(page), **ask).returncode, DONE)
        self.assertIn("Löschbescheinigung", page.read_text())
        self.refused(self.cli.run(*certificate, "-o", str(page), **ask), REFUSED, "--force")
        self.refused(self.cli.run("erasure", "show", "er_" + "A" * 22, **ask), FAILED, "There is no erasure er_AAA", "siegel erasure list")
        self.refused(self.cli.run("subject", "show", "su_" + "A" * 22, **ask), FAILED, "There is no such person.")
        self.refused(self.cli.run("subject", "show", person["subject"], **ask), REFUSED, erasure)

    def test_people_who_are_one(self):
        clerk = self.cli.json("token", "create", "--role", "editor", "--purposes", "customer-care",
                              "--expires", "12h", "--label", "merger", token="admin")["token"]
        one, two = (self.add(f"Fe Fuchs {i}", e_mail=f"fuchs{i}@example.org")["subject"] for i in range(2))
        merge = ("subject", "merge", one, two)
        self.refused(self.cli.run(*merge, token=clerk), REFUSED, "--yes")
        self.refused(self.cli.run(*merge, "--yes"), REFUSED, "type_denied")
        self.assertEqual(self.cli.json(*merge, "--yes", token=clerk)["subject"], one)
        self.assertEqual(self.cli.json("subject", "show", two)["merged"], [two])
        self.refused(self.cli.run(*merge, "--yes", token=clerk), REFUSED, "state_conflict")
        self.assertIn("subject.merged", {item["type"] for item in self.cli.lines("subject", "history", one)})

    def test_the_certificate_is_waited_for(self):
        """the erasure is in the window, a second or so: the file is there when the command ends"""
        for ending, mark in ((".txt", "\n\u2014 "), (".html", "Certificate of erasure"), (".json", '"erasure":'), ("", "\n\u2014 ")):
            person = self.add("Eb Ehrlich", e_mail="eb@example.org")
            file = self.cli.home / ("waited" + ending)
            done = self.cli.run("erase", "--subject", person["subject"], "--ground", "art17-1-b", "--yes", "--certificate", str(file),
                                token="privacy_officer")
            self.assertEqual((done.returncode, done.stderr), (DONE, ""), done.stdout)
            self.assertIn(mark, file.read_text())
            self.assertTrue(file.read_text().endswith("\n"))

    def test_a_certificate_that_does_not_come_can_be_had_later(self):
        """nobody waits longer than Ctrl-C; what is said then works"""
        person = self.add("Ec Ehrlich", e_mail="ec@example.org")
        early = CuttingProxy(self.s.port, lambda n: False, early=problem(409, "state_conflict"))
        file = self.cli.home / "later.txt"
        env = {**os.environ, "SIEGEL_TOKEN": self.s.tokens["privacy_officer"], "SIEGEL_SERVER": early.address}
        with subprocess.Popen([self.s.binary, "--lang", "en", "erase", "--subject", person["subject"], "--ground", "art17-1-b", "--yes",
                               "--certificate", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
            self.assertIn("destroyed", process.stderr.readline())  # after two seconds
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=60)
        early.close()
        self.assertEqual(process.returncode, PART, said)
        erasure = ERASURE.search(out).group()
        self.assertFalse(file.exists())
        self.assertIn(f"siegel erasure certificate {erasure} -o {file}", said)
        self.assertEqual(self.cli.run("erasure", "certificate", erasure, "-o", str(file), token="privacy_officer").returncode, DONE)
        self.assertEqual(sorted(self.cli.home.glob("later*")), [file])

    def test_a_certificate_has_an_ending_that_says_what_it_is(self):
        person = self.add("Ef Ende", e_mail="ef@example.org")
        for file in ("cert.pdf", "cert.docx", "cert.csv"):
            size = self.cli.json("status")["size"]
            self.refused(self.cli.run("erase", "--subject", person["subject"], "--ground", "art17-1-b", "--now", "--yes", "--certificate", file,
                                      token="privacy_officer"), USAGE, ".txt (signed), .html or .json")
            self.refused(self.cli.run("erasure", "certificate", "er_" + "A" * 22, "-o", file, token="privacy_officer"), USAGE, ".html or .json")
            self.assertEqual(self.cli.json("status")["size"], size)
        self.refused(self.cli.run("erasure", "certificate", "er_" + "A" * 22, "-o", "x.pdf", "--format", "text", token="privacy_officer"),
                     FAILED, "not_found")
        export = self.cli.run("export", "--subject", person["subject"])
        self.assertTrue(export.stdout.endswith("}\n"), export.stdout[-20:])

    def test_one_class_in_the_window(self):
        person = self.add("Ed Ems", e_mail="ed@example.org")
        done = self.cli.json("erase", "--subject", person["subject"], "--classes", "customer", "--ground", "art17-1-a", "--yes",
                             token="privacy_officer")
        self.assertIn(done["state"], ("requested", "fenced", "effective"))
        for _ in range(200):
            if self.cli.run("records", "get", person["record"]).returncode == REFUSED:
                break
            time.sleep(0.05)
        else:
            self.fail("the window passed and the person is readable")
        someone = self.add("Fay Fox", e_mail="fay@example.org")
        self.refused(self.cli.run("erase", "--subject", someone["subject"], "--classes", "message-log", "--ground", "art17-1-a", "--yes",
                                  token="privacy_officer"), FAILED, "or nothing of that person in these classes")

    def test_wrong_words(self):
        self.refused(self.cli.run("erase", "--ground", "art17-1-b", "--yes"), USAGE, "--subject")
        self.refused(self.cli.run("erase", "--subject", "su_" + "A" * 22, "--yes"), USAGE, "--ground")
        self.refused(self.cli.run("erase", "--subject", "su_" + "A" * 22, "--ground", "art17-1-b", "--now", "--yes",
                                  token="privacy_officer"), FAILED, "404")
        self.refused(self.cli.run("export", "--format", "json"), USAGE, "--subject")
        self.refused(self.cli.run("export", "--subject", "su_" + "A" * 22, "--format", "pdf"), USAGE, "--format")

    def test_proofs(self):
        seq = self.add("Fa Falk", e_mail="fa@example.org")["seq"]
        proof = self.cli.json("proof", "inclusion", "--seq", str(seq), token="auditor")
        self.assertEqual(proof["index"], seq)
        self.assertIn("\n\u2014 ", proof["checkpoint"])
        file = self.cli.home / "proof.json"
        words = ("proof", "inclusion", "--seq", str(seq), "--size", str(seq + 1), "-o", str(file))
        self.assertEqual(self.cli.run(*words, token="auditor").returncode, DONE)
        self.assertEqual(json.loads(file.read_text())["size"], seq + 1)
        consistency = self.cli.json("proof", "consistency", "--from", "3", "--to", str(seq + 1), token="auditor")
        self.assertTrue(consistency["hashes"])
        self.refused(self.cli.run("proof", "inclusion", "--seq", "99999999", token="auditor"), USAGE, "400")
        self.refused(self.cli.run("proof", "consistency", "--from", "9", "--to", "3", token="auditor"), USAGE, "400")
        self.refused(self.cli.run("proof", "inclusion", "--seq", "first", token="auditor"), USAGE, "--seq")
        self.refused(self.cli.run("proof", "inclusion", "--seq", "1"), REFUSED, "role_denied")


class Files(WithServer):
    """What a command writes is opened before anything is sent."""

    def size(self):
        return self.cli.json("status")["size"]

    def test_a_file_that_cannot_be_written_stops_before_anything_is_sent(self):
        person = self.add("Ga Gabel", e_mail="ga@example.org")
        rows = self.cli.file("files.csv", HEADER + "Ga Zwei;ga2@example.org;;;\n")
        erase = ("erase", "--subject", person["subject"], "--ground", "art17-1-b", "--now", "--yes", "--certificate")
        commands = ((("import", str(rows), "--type", "contacts", "--rejects"), "editor"), (erase, "privacy_officer"),
                    (("export", "--subject", person["subject"], "-o"), "editor"), (("proof", "inclusion", "--seq", "0", "-o"), "auditor"))
        there = self.cli.file("there.txt", "kept")
        link = self.cli.home / "link"
        link.symlink_to("nowhere")
        before, size = sorted(self.cli.home.iterdir()), self.size()
        for words, token in commands:
            for place, code, said in ((self.cli.home / "absent" / "x.txt", USAGE, "No such file"), (self.cli.home, USAGE, "Is a directory"),
                                      (there, REFUSED, "--force"), (link, REFUSED, "--force")):
                self.refused(self.cli.run(*words, str(place), token=token), code, said, str(place))
        self.assertEqual(self.size(), size)
        self.assertEqual(there.read_text(), "kept")
        self.assertEqual(sorted(self.cli.home.iterdir()), before)
        done = self.cli.run(*commands[2][0], str(there), "--force")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("Ga Gabel", there.read_text())
        self.assertEqual(self.cli.run(*commands[2][0], "/dev/null").returncode, DONE)

    def test_rejects_do_not_replace_the_file_that_is_read(self):
        content = HEADER + "Ge Selbst;no-mail;;;\n"
        rows = self.cli.file("self.csv", content)
        other = self.cli.home / "same.csv"
        os.link(rows, other)
        for place in (rows, other):
            for force in ((), ("--force",)):
                self.refused(self.cli.run("import", str(rows), "--type", "contacts", "--rejects", str(place), *force), USAGE, "that is read")
        self.assertEqual(rows.read_text(), content)

    def test_words_that_are_not_utf8(self):
        bad = os.fsdecode(b"J\xfcrgen")
        for words, option in ((("records", "add", "--type", "contacts", "--set", "name=" + bad), "--set"),
                              (("records", "add", "--type", "contacts", "--set", "name=x", "--subject", bad), "--subject"),
                              (("token", "create", "--role", "editor", "--label", bad), "--label"),
                              (("token", "create", "--local", "--role", "editor", "--label", bad), "--label"),
                              (("erase", "--ground", "art17-1-b", "--yes", "--subject", bad), "--subject"),
                              (("--purpose", bad, "records", "get", "re_x"), "--purpose"), (("type", "show", bad), "NAME")):
            self.refused(self.cli.run(*words), USAGE, option, "UTF-8")
            problem = json.loads(self.cli.run("--json", *words).stderr)
            self.assertEqual(problem["code"], "usage")
        named = self.cli.home / bad  # a file's name is bytes
        named.write_text(HEADER)
        self.assertEqual(self.cli.run("import", str(named), "--type", "contacts").returncode, DONE)
        self.refused(self.cli.run("--json", "import", str(named) + "x", "--type", "contacts"), USAGE, "cannot be read")


class Import(WithServer):
    def load(self, content, *words, stdin=False, **options):
        file = "-" if stdin else str(self.cli.file("rows.csv", content))
        if stdin:
            options["stdin"] = content
        return self.cli.run("--json", "import", file, "--type", "contacts", *words, **options)

    def counts(self, done):
        return {k: v for k, v in json.loads(done.stdout)["counts"].items() if k in ("new", "failed")}

    def values_of(self, name):
        rows = self.cli.lines("records", "list", "--type", "contacts")
        return [row["values"] for row in rows if row["values"].get("name") == name]

    def test_german_and_iso_cells(self):
        done = self.load("\ufeff" + HEADER + 'Gü Groß;gue@example.org;03.10.1990;1.234,50;ja\nHo "Hü" Weiß;ho@example.org;1990-10-03;17.5;nein\n'
                         '"Ida; Ems";ida@example.org;;;\n')
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 3, "failed": 0}), done.stderr)
        german = self.values_of("Gü Groß")[0]
        self.assertEqual((german["born"], german["revenue"], german["newsletter"]), ("1990-10-03", "1234.50", True))
        iso = self.values_of('Ho "Hü" Weiß')[0]
        self.assertEqual((iso["born"], iso["revenue"], iso["newsletter"]), ("1990-10-03", "17.5", False))
        self.assertIsNone(self.values_of("Ida; Ems")[0].get("born"))
        done = self.load("Name,E-Mail,Umsatz\nJo Point,jo@example.org,1.234\n", "--decimal", "point")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(self.values_of("Jo Point")[0]["revenue"], "1.234")

    def test_bad_rows_are_refused_with_their_reason_and_the_rest_goes_in(self):
        rejects = self.cli.home / "rejects.csv"
        rows = (HEADER + "Ka Good;ka@example.org;01.02.1990;1,5;ja\nSECRET Eins;s1@example.org;31.02.1990;;\n"
                ";s2@example.org;;;\nSECRET Drei;no-mail;;;\nSECRET Vier;s4@example.org;;1.234;\nSECRET Fuenf;s5@example.org;;;;extra\n")
        done = self.load(rows, "--rejects", str(rejects))
        self.assertEqual((done.returncode, self.counts(done)), (PART, {"new": 1, "failed": 5}), done.stderr)
        codes = {f["row"]: f["code"] for f in json.loads(done.stdout)["failures"]}
        self.assertEqual((codes[3], codes[4], codes[6], codes[7]), ("bad_date", "missing_value", "ambiguous_number", "extra_cells"))
        self.assertNotIn("SECRET", done.stderr)
        self.assertNotIn("SECRET", done.stdout)
        text = rejects.read_text("utf-8-sig")
        self.assertEqual(rejects.stat().st_mode & 0o777, 0o600)
        self.assertIn("siegel-reason", text.splitlines()[0])
        self.assertEqual(text.count("SECRET"), 4)
        # Mended, the rejects are a file to import: with the columns that were added passed over.
        mended = text.replace("31.02.1990", "28.02.1990").replace(";s2@", "Li;s2@").replace("no-mail", "s3@example.org")
        mended = mended.replace(";1.234;", ";1234;").replace(";extra;", ";;")
        done = self.load(mended)
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 5, "failed": 0}), done.stderr + done.stdout)

    def test_no_rejects_no_file(self):
        rejects = self.cli.home / "no-rejects.csv"
        good, bad = HEADER + "Kb Gut;kb@example.org;;;\n", HEADER + "Kb Gut;kb@example.org;;;\nKb Schlecht;no-mail;;;\n"
        for content, options, words, code in ((good, {}, (), DONE), (good, {"token": "auditor"}, (), REFUSED), ("Schuhe\nx\n", {}, (), USAGE),
                                              (good, {}, ("--force",), DONE), (good, {"env": {"SIEGEL_SERVER": "http://127.0.0.1:1"}}, (), FAILED)):
            done = self.load(content, "--rejects", str(rejects), *words, **options)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertFalse(rejects.exists(), (content, options))
        self.assertEqual(self.load(bad, "--rejects", str(rejects)).returncode, PART)
        kept = rejects.read_text("utf-8-sig")
        self.assertIn("no-mail", kept)
        self.assertEqual(self.load(good, "--rejects", str(rejects), "--force", token="auditor").returncode, REFUSED)
        self.assertEqual(rejects.read_text("utf-8-sig"), kept)  # nothing was read: those of before stay
        self.assertEqual(self.load(good, "--rejects", str(rejects), "--force").returncode, DONE)
        self.assertNotIn("no-mail", rejects.read_text("utf-8-sig"))  # they are not those of this one

    def test_a_refused_cell_says_what_is_expected(self):
        """the form of the value, of a choice the choices; never the value"""
        kinds = {"e-mail": ("email", "no-SECRET", "not an e-mail address", "keine E-Mail-Adresse"),
                 "phone": ("phone", "SECRET", "telephone number of 3 to 15 digits, such as +49 30", "mit 3 bis 15 Ziffern"),
                 "web": ("url", "SECRET", "begins with https:// or http://", "mit https:// oder http:// beginnt"),
                 "kasse": ("choice", "SECRET", "(AOK, TK, Barmer)", "(AOK, TK, Barmer)"),
                 "sport": ("multichoice", "SECRET", "(Turnen, Schach)", "(Turnen, Schach)")}
        fields = [{"name": "name", "type": "text", "required": True}] + [{"name": name, "type": kind[0]} for name, kind in kinds.items()]
        fields[4]["choices"], fields[5]["choices"] = ["AOK", "TK", "Barmer"], ["Turnen", "Schach"]
        definition = {"title": {"de": "Art"}, "subject": {"mode": "row"}, "class": "customer", "default_purpose": "customer-care", "fields": fields}
        self.cli.json("type", "set", "kinds", "-", stdin=json.dumps(definition), token="admin")
        token = self.cli.json("token", "create", "--role", "editor", "--purposes", "customer-care", "--types", "kinds", token="admin")["token"]
        rejects = self.cli.home / "kinds-rejects.csv"
        for name, (_, value, english, german) in kinds.items():
            file = self.cli.file("kinds.csv", f"name;{name}\nKi;{value}\n")
            for lang, expected in (("en", english), ("de", german)):
                done = self.cli.run("--lang", lang, "import", str(file), "--type", "kinds", "--rejects", str(rejects), "--force", token=token)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertIn(expected, done.stdout)
                self.assertIn(expected, rejects.read_text("utf-8-sig"))
                self.assertNotIn("SECRET", done.stdout + done.stderr)
                done = self.cli.run("--lang", lang, "records", "add", "--type", "kinds", "--set", f"{name}={value}", token=token)
                self.assertIn(expected.strip("()"), done.stderr)
                self.assertNotIn("SECRET", done.stderr)

    def test_one_row_is_one_row(self):
        row = HEADER + "Ze Eins;ze@example.org;;;\n"
        self.load(row)
        self.assertIn("1 row belongs to a person who was there already: it is one more record", self.load(row).stderr)

    def test_all_faults_of_a_row_are_told_and_rejects_can_be_rejected_again(self):
        rejects, again = self.cli.home / "faults.csv", self.cli.home / "again.csv"
        row = ";no-mail;31.02.1990;1,2,3;vielleicht\n"
        done = self.load(HEADER + row, "--rejects", str(rejects))
        self.assertEqual((done.returncode, self.counts(done)), (USAGE, {"new": 0, "failed": 1}), done.stderr)
        faults = {f["column"]: f["code"] for f in json.loads(done.stdout)["failures"]}
        self.assertEqual(faults, {"name": "missing_value", "e-mail": "bad_value", "born": "bad_date", "revenue": "bad_decimal",
                                  "newsletter": "bad_boolean"})
        self.assertIn("born: bad_date", rejects.read_text("utf-8-sig"))
        text = self.cli.run("import", str(self.cli.home / "rows.csv"), "--type", "contacts").stdout
        self.assertEqual(text.count("  row 2, "), 5, text)
        self.assertEqual(self.cli.run("import", str(rejects), "--type", "contacts", "--rejects", str(again)).returncode, USAGE)
        self.assertEqual(again.read_bytes(), rejects.read_bytes())

    def test_empty_rows_and_cells_without_a_title(self):
        done = self.load("Name;E-Mail;;\n;;;\nVa Voll;va@example.org;;\n  ; ;;\n\nVe Voll;ve@example.org;;;;\nVi SECRET;vi@example.org;;x\n")
        self.assertEqual((done.returncode, self.counts(done)), (PART, {"new": 2, "failed": 1}), done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["rows_read"], result["rows_empty"], result["failures"]),
                         (5, 2, [{"row": 7, "column": None, "code": "extra_cells"}]))
        numbered = ";Name;E-Mail\n1;Vo Nummer;vo@example.org\n"
        for lang, sentence in (("en", "cells that no title of the header stands above"), ("de", "Zellen, über denen in der Kopfzeile nichts steht")):
            done = self.cli.run("--lang", lang, "import", str(self.cli.file("numbered.csv", numbered)), "--type", "contacts")
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertIn(sentence, done.stdout)
        done = self.load(numbered, "--ignore-unknown")
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 1, "failed": 0}), done.stderr)

    def test_ids_of_an_export_are_passed_over_where_both_stand_first(self):
        for header, unknown in (("record;Name;E-Mail", "record"), ("subject;record;Name;E-Mail", "subject, record"), ("Name;subject;E-Mail", "subject")):
            cells = ["SECRET"] * header.count(";") + ["xa@example.org"]
            rows = header + "\n" + ";".join(cells) + "\n"
            for words in ((), ("--match", "e-mail")):
                done = self.load(rows, *words)
                self.assertEqual(done.returncode, USAGE, (header, words, done.stdout))
                self.assertIn("unknown_column", done.stderr)
                self.assertIn(f"columns={unknown}", done.stderr)
        done = self.load("record;subject;Name;E-Mail\nre_x;su_x;Xa Export;xa@example.org\n")
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 1, "failed": 0}), done.stderr)
        done = self.load("record;subject;Name;E-Mail\nre_x;su_x;Xb Export;xb@example.org\n", "--match", "e-mail")
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 1, "failed": 0}), done.stderr)

    def test_a_line_that_names_the_delimiter(self):
        done = self.load("sep=;\nName;E-Mail\nWa, Wb;wa@example.org\n")
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 1, "failed": 0}), done.stderr)
        self.assertEqual(len(self.values_of("Wa, Wb")), 1)

    def test_rows_for_people_who_were_there_are_counted(self):
        rows = HEADER + "".join(f"Ya Zweimal;ya{i % 30}@example.org;;;\n" for i in range(60))
        first = self.load(rows, "--run", "5ad5f8ff05533f9eedc37144fcb991a8")
        self.assertEqual((json.loads(first.stdout)["known_people"], first.stderr), (0, ""))
        again = self.load(rows, "--run", "5ad5f8ff05533f9eedc37144fcb991a8")
        self.assertEqual((json.loads(again.stdout)["known_people"], again.stderr), (0, ""))
        second = self.load(rows)
        self.assertEqual(json.loads(second.stdout)["known_people"], 60)
        self.assertIn("60 rows belong to people who were there already", second.stderr)
        third = self.cli.run("--lang", "de", "import", str(self.cli.file("ya.csv", HEADER + "Ya Zweimal;ya3@example.org;;;\nYo Neu;yo@example.org;;;\n")),
                             "--type", "contacts")
        self.assertRegex(third.stdout, r"zu Bekannten: +1\n")

    def test_progress_without_a_terminal(self):
        """one line every ten seconds, with the run of a long file at its beginning"""
        command = [self.s.binary, "--lang", "en", "import", "-", "--type", "contacts"]
        env = {**os.environ, "SIEGEL_TOKEN": self.s.tokens["editor"], "SIEGEL_SERVER": f"http://127.0.0.1:{self.s.port}"}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
            process.stdin.write(HEADER.encode())
            said = b""
            for _ in range(600):
                process.stdin.write(b";;;;\n" * 1000)
                process.stdin.flush()
                if select.select([process.stderr], [], [], 0.1)[0]:
                    said += os.read(process.stderr.fileno(), 65_536)
                if b"rows: " in said and said.endswith(b"\n"):
                    break
            process.stdin.close()
            self.assertEqual(process.wait(60), DONE)
        self.assertRegex(said.decode(), r"^Run (\w+): if it breaks off, the same file with --run \1 goes on\.\nrows: \d+\n")

    def test_bad_rows_none_takes_in_nothing(self):
        rows = HEADER + "Mo None;mo@example.org;;;\nMo Bad;mo2@example.org;31.02.1990;;\n"
        rejects = self.cli.home / "none.csv"
        for stdin in (False, True):
            done = self.load(rows, "--bad-rows", "none", "--rejects", str(rejects), "--force", stdin=stdin)
            self.assertEqual((done.returncode, self.counts(done)), (USAGE, {"new": 0, "failed": 1}), done.stderr)
            self.assertEqual(json.loads(done.stderr)["code"], "rows_invalid")
            self.assertIn("Mo Bad", rejects.read_text("utf-8-sig"))
            self.assertEqual(self.values_of("Mo None"), [])
        done = self.load(rows.replace("31.02", "28.02"), "--bad-rows", "none", stdin=True)
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 2, "failed": 0}), done.stderr)

    def test_what_the_server_would_refuse_is_found_before_the_first_row_goes_in(self):
        for cell in ("no-mail;;;", "ok@example.org;31.02.1990;;", "ok@example.org;;1,2,3;", "ok@example.org;;;vielleicht"):
            rows = HEADER + "Mi Vorher;mi@example.org;;;\n" * 40 + f"Mi Falsch;{cell}\n"
            size = self.cli.json("status")["size"]
            done = self.load(rows, "--bad-rows", "none")
            self.assertEqual((done.returncode, self.counts(done)), (USAGE, {"new": 0, "failed": 1}), done.stderr)
            self.assertEqual(json.loads(done.stderr)["code"], "rows_invalid")
            self.assertEqual(self.cli.json("status")["size"], size, cell)  # no event: nothing was sent

    def test_a_run_goes_on_without_taking_rows_in_twice(self):
        rows = HEADER + "".join(f"Na Run;na{i}@example.org;;;\n" for i in range(40))
        first = self.load(rows[:rows.index("na20")] + "na20@example.org;;;\n", "--run", "7ad5f8ff05533f9eedc37144fcb991a7")
        self.assertEqual(self.counts(first)["new"], 21, first.stderr)
        second = json.loads(self.load(rows, "--run", "7ad5f8ff05533f9eedc37144fcb991a7").stdout)
        self.assertEqual((second["counts"]["new"], second["counts"]["unchanged"]), (19, 21))
        self.assertEqual(len(self.values_of("Na Run")), 40)

    def test_wrong_files(self):
        row = "Oz SECRET;oz@example.org;;;\n"
        for content, said in ((b"", "empty"), (b"\n\n", "empty"), ("Oz SECRET;oz@example.org\n", "lack its header row"),
                              ("Name;Schuhe;Hut\nOz SECRET;44\n", "columns=Schuhe, Hut"), (b"PK\x03\x04\x14\x00", "CSV UTF-8"), ("Name;name\nOz SECRET;x\n", "Two columns"),
                              ("E-Mail\noz@example.org\n", "required field"), (HEADER + '"Oz SECRET;x\n', "never closed"),
                              (HEADER + '"Oz" SECRET;x\n', "closing quote"), ((HEADER + row).encode("utf-16"), "UTF-16"),
                              ((HEADER + row + "Oz Mäder;;;;\n").encode("latin-1"), "not UTF-8; in Excel"),
                              (HEADER.encode() + b"Oz\x00SECRET;;;;\n", "NUL"), (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8")):
            for mode in ("skip", "none"):
                done = self.cli.run("import", str(self.cli.file("wrong.csv", content)), "--type", "contacts", "--bad-rows", mode)
                self.assertNotIn("SECRET", done.stderr + done.stdout)
                self.assertTrue(done.stderr, (content, mode, done.stdout))
                self.refused(done, USAGE, said)
        rows = [row for row in self.cli.lines("records", "list", "--type", "contacts") if row["values"]["name"].startswith("Oz")]
        self.assertEqual(rows, [])  # a file that breaks off in its middle took nothing in
        self.refused(self.cli.run("import", "absent.csv", "--type", "contacts"), USAGE, "cannot be read", "absent.csv")
        self.refused(self.cli.run("import", str(self.cli.home), "--type", "contacts"), USAGE, "cannot be read")
        self.refused(self.cli.run("import", "rows.csv"), USAGE, "--type")
        self.refused(self.cli.run("import", "a.csv", "b.csv", "--type", "contacts"), USAGE, "One file")
        self.refused(self.cli.run("import", str(self.cli.file("ok.csv", HEADER + row)), "--type", "nothing"), FAILED, "not_found")
        self.refused(self.cli.run("import", str(self.cli.file("ok.csv", HEADER + row)), "--type", "contacts", "--bad-rows", "few"),
                     USAGE, "--bad-rows")

    def test_header_only_and_long_cells(self):
        done = self.load(HEADER)
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 0, "failed": 0}), done.stderr)
        done = self.load("Name;Notiz\nPe Long;" + "x" * 40_000 + "\n")
        self.assertEqual(done.returncode, USAGE)
        self.assertEqual(json.loads(done.stderr)["code"], "too_large")

    def test_refused_as_a_whole(self):
        rows = HEADER + "Qi;qi@example.org;;;\n" * 50
        done = self.load(rows, token="auditor")
        self.assertEqual(done.returncode, REFUSED, done.stderr)
        self.assertEqual(json.loads(done.stderr)["code"], "role_denied")
        self.assertEqual(self.counts(done)["new"], 0)
        done = self.cli.run("import", str(self.cli.file("rows.csv", rows)), "--type", "contacts", token="auditor")
        self.assertEqual(done.stdout, "")  # "rows read: 1" of a file of 50 says nothing
        self.refused(done, REFUSED, "role_denied", "The roles that may: editor.")
        done = self.cli.run("import", str(self.cli.file("rows.csv", rows)), "--type", "contacts",
                            env={"SIEGEL_SERVER": "http://127.0.0.1:1"})
        self.refused(done, FAILED, "cannot be reached", "siegel serve")

    def test_purpose_of_the_type_is_taken_if_the_token_leaves_it_open(self):
        token = self.cli.json("token", "create", "--role", "editor", "--label", "open", token="admin")["token"]
        done = self.load(HEADER + "".join(f"Ra;ra{i}@example.org;;;\n" for i in range(5)), token=token)
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 5, "failed": 0}), done.stderr)
        # And one of another purpose needs none named, though the type's is another.
        self.cli.json("purpose", "set", "billing", "-", stdin='{"legal_ground":"contract","title":{"en":"Billing"}}', token="admin")
        token = self.cli.json("token", "create", "--role", "editor", "--purposes", "billing", "--label", "b", token="admin")["token"]
        done = self.load(HEADER + "Su;su@example.org;;;\n", token=token)
        self.assertEqual((done.returncode, self.counts(done)), (DONE, {"new": 1, "failed": 0}), done.stderr)

    def test_ten_thousand_rows_with_progress(self):
        rows = HEADER + "".join(f"Zehntausend {i};z{i}@example.org;01.02.1990;{i},50;ja\n" for i in range(10_000))
        file = self.cli.file("many.csv", rows)
        control, terminal = pty.openpty()
        begin = time.monotonic()
        env = {**os.environ, "SIEGEL_TOKEN": self.s.tokens["editor"], "SIEGEL_SERVER": f"http://127.0.0.1:{self.s.port}"}
        with subprocess.Popen([self.s.binary, "--lang", "en", "import", str(file), "--type", "contacts"], stderr=terminal,
                              stdout=subprocess.PIPE, env=env) as process:
            os.close(terminal)
            shown = b""
            while process.poll() is None or select.select([control], [], [], 0)[0]:
                if select.select([control], [], [], 0.1)[0]:
                    try:
                        shown += os.read(control, 65_536)
                    except OSError:
                        break
            out = process.stdout.read().decode()
            process.wait(300)
        os.close(control)
        seconds = time.monotonic() - begin
        self.assertEqual(process.returncode, DONE, shown[-2000:])
        self.assertRegex(out, r"taken in: +10000\n")
        self.assertGreater(shown.count(b" / 10000"), 20)
        print(f"10,000 rows in {seconds:.1f} s", file=sys.stderr)
        self.assertLess(seconds, 300)  # with sanitizers, beside other tests; released it takes seconds


class CuttingProxy:
    """Forwards to the server; cuts the connection after the server has answered and before the client hears it, for
    each answer that `cut` says so of, counted from 1 over those to POST and DELETE. Or the client hears `instead`; and
    `early` where it asks for a certificate; and each of `looks` once where it looks at an import, empty for no answer."""

    def __init__(self, port, cut, instead=b"", early=b"", looks=()):
        self.port, self.cut, self.instead, self.early, self.looks = port, cut, instead, early, list(looks)
        self.changes = self.cuts = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    @staticmethod
    def message(source):
        """One whole request or answer, by its Content-Length."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = source.recv(65_536)
            if not piece:
                return b""
            data += piece
        head = data[:data.index(b"\r\n\r\n") + 4]
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        rest = len(head) + int(length.group(1) if length else 0) - len(data)
        while rest > 0:
            piece = source.recv(65_536)
            data, rest = data + piece, rest - len(piece)
        return data

    def carry(self, client):
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            while request := self.message(client):
                if self.early and b"/certificate " in request.split(b"\r\n", 1)[0]:
                    client.sendall(self.early)
                    continue
                if self.looks and request.startswith(b"GET /v1/imports/im_"):
                    look = self.looks.pop(0)
                    if not look:
                        return
                    client.sendall(look)
                    continue
                server.sendall(request)
                answer = self.message(server)
                if request.startswith((b"POST", b"DELETE")):
                    with self.lock:
                        self.changes += 1
                        cut = self.cut(self.changes)
                        self.cuts += cut
                    if cut and not self.instead:
                        return
                    if cut:
                        answer = self.instead
                client.sendall(answer)

    def close(self):
        self.listener.close()


def problem(status, code):
    """A whole answer of a server that failed."""
    body = json.dumps({"type": f"urn:siegel:problem:{code}", "title": code, "status": status, "code": code, "detail": code}).encode()
    return (f"HTTP/1.1 {status} Failed\r\nContent-Type: application/problem+json\r\nRetry-After: 30\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class LostAnswers(WithServer):
    def load(self, rows, proxy, *words):
        file = self.cli.file("lost.csv", HEADER + "".join(rows))
        return self.cli.run("--json", "import", str(file), "--type", "contacts", *words, env={"SIEGEL_SERVER": proxy.address})

    def names(self):
        rows = self.cli.lines("records", "list", "--type", "contacts", "--fields", "name")
        return sorted(row["values"]["name"] for row in rows)

    def test_1_a_lost_answer_takes_no_row_in_twice(self):
        """[EV-03] also several times for the same row, and for the first, which goes alone"""
        proxy = CuttingProxy(self.s.port, lambda n: n in (1, 2) or n % 3 == 0)
        expected = [f"Lo {i:03}" for i in range(150)]
        done = self.load([f"{name};{name[3:]}@example.org;;;\n" for name in expected], proxy)
        proxy.close()
        self.assertEqual(done.returncode, DONE, done.stderr)
        counts = json.loads(done.stdout)["counts"]
        self.assertEqual((counts["new"] + counts["unchanged"], counts["failed"]), (150, 0))
        self.assertGreater(proxy.cuts, 40)
        self.assertEqual(self.names(), expected)

    def test_2_what_only_the_server_refuses_takes_the_others_back(self):
        """--bad-rows none, answers lost on the way in and on the way back"""
        before = self.names()
        proxy = CuttingProxy(self.s.port, lambda n: n % 4 == 0)
        rows = [f"Re {i:03};re{i}@example.org;;;\n" for i in range(60)]
        rows.insert(40, '"' + "x" * 32_000 + '";big@example.org;;;\n')  # more than the server's limit of one event
        rejects = self.cli.home / "lost-rejects.csv"
        done = self.load(rows, proxy, "--bad-rows", "none", "--rejects", str(rejects))
        proxy.close()
        self.assertEqual(done.returncode, USAGE, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["counts"]["new"], result["counts"]["failed"]), (0, 1), done.stdout)
        self.assertGreaterEqual(result["taken_back"], 10)
        self.assertIn("taken back", done.stderr)
        self.assertIn("too_large", done.stderr)
        self.assertEqual(self.names(), before)
        self.assertIn("big@example.org", rejects.read_text("utf-8-sig"))

    def test_3_a_failed_write_may_have_gone_in(self):
        """--bad-rows none: the server says that it is read-only, after the row's group was written"""
        before, failed = self.names(), []

        def fails(n):  # for two seconds: then the ledger is open again
            if n == 20:
                failed.append(time.monotonic())
            return bool(failed) and time.monotonic() - failed[0] < 2

        proxy = CuttingProxy(self.s.port, fails, problem(503, "read_only"))
        done = self.load([f"Fa {i:03};fa{i}@example.org;;;\n" for i in range(200)], proxy, "--bad-rows", "none")
        proxy.close()
        self.assertEqual(done.returncode, REFUSED, done.stderr)
        self.assertIn("read_only", done.stderr)
        self.assertEqual(json.loads(done.stdout)["counts"]["new"], 0, done.stdout)
        self.assertGreaterEqual(json.loads(done.stdout)["taken_back"], 20)
        self.assertEqual(self.names(), before)

    def test_4_rows_that_nobody_can_tell_of_are_named(self):
        proxy = CuttingProxy(self.s.port, lambda n: n >= 20, problem(500, "internal"))
        done = self.load([f"Un {i:03};un{i}@example.org;;;\n" for i in range(200)], proxy, "--bad-rows", "none")
        proxy.close()
        self.assertEqual(done.returncode, PART, done.stderr)
        self.assertEqual(json.loads(done.stdout)["counts"]["new"], 19, done.stdout)
        unknown = len(re.findall(r"row \d+: not known whether it is in", done.stderr))
        self.assertEqual(unknown, len([name for name in self.names() if name.startswith("Un")]))

    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY, environment={"SIEGEL_LIMITS_EVENT_BYTES_MAX": "28672"})
        cls.s.__enter__()
        cls.cli = prepare(cls.s)


class Interrupted(WithServer):
    """Ctrl-C in the middle of an import."""

    def start(self, rows, proxy, *words):
        command = [self.s.binary, "--lang", "en", "import", str(self.cli.file("stopped.csv", HEADER + "".join(rows))), "--type", "contacts",
                   *words]
        env = {**os.environ, "SIEGEL_TOKEN": self.s.tokens["editor"], "SIEGEL_SERVER": proxy.address}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def test_the_first_signal_stops_in_order_and_the_run_goes_on(self):
        rows = [f"St {i:04};st{i}@example.org;;;\n" for i in range(2000)]
        rows[3] = "St SECRET;no-mail;;;\n"
        for number, how in enumerate((signal.SIGINT, signal.SIGTERM)):
            reached = threading.Event()
            proxy = CuttingProxy(self.s.port, lambda n: n > 40 and bool(reached.set()))
            rejects = self.cli.home / f"stopped-{number}.csv"
            with self.start(rows, proxy, "--rejects", str(rejects)) as process:
                self.assertTrue(reached.wait(60))
                process.send_signal(how)
                out, said = process.communicate(timeout=60)
            proxy.close()
            self.assertEqual(process.returncode, PART, said)
            run = re.search(r"the same file with --run (\w+) goes on without taking rows in twice", said).group(1)
            self.assertIn("stopped before all rows", said)
            taken = int(re.search(r"taken in: +(\d+)", out).group(1))
            self.assertTrue(40 <= taken < 1999, taken)
            self.assertIn("no-mail", rejects.read_text("utf-8-sig"))
            if number:
                rest = self.cli.run("--json", "import", str(self.cli.home / "stopped.csv"), "--type", "contacts", "--run", run)
                counts = json.loads(rest.stdout)["counts"]
                self.assertEqual((rest.returncode, counts["unchanged"], counts["new"]), (PART, taken, 1999 - taken), rest.stderr)

    def test_bad_rows_none_that_is_stopped_says_what_is_in(self):
        """nothing is taken back then: how many are in, each with --json, and --run as the way out"""
        rows = [f"Si {i:04};si{i}@example.org;;;\n" for i in range(2000)]
        reached = threading.Event()
        proxy = CuttingProxy(self.s.port, lambda n: n > 40 and bool(reached.set()))
        with self.start(rows, proxy, "--bad-rows", "none", "--json") as process:
            self.assertTrue(reached.wait(60))
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=60)
        proxy.close()
        self.assertEqual(process.returncode, PART, said)
        result = json.loads(out)
        there = {row["record"] for row in self.cli.lines("records", "list", "--type", "contacts") if row["values"]["name"].startswith("Si")}
        self.assertEqual({row["record"] for row in result["not_taken_back"]}, there)
        self.assertEqual(len(there), result["counts"]["new"])
        self.assertIn(f"nothing was taken back. Rows that are in: {len(there)}", said)
        self.assertIn(f"the same file with --run {result['run']} goes on", said)

    def test_the_second_signal_ends_at_once_and_nothing_in_is_a_failure(self):
        answered = threading.Event()
        proxy = CuttingProxy(self.s.port, lambda n: answered.wait(60) and False)  # holds the answer back
        rows = [f"Su {i};su{i}@example.org;;;\n" for i in range(50)]
        with self.start(rows, proxy) as process:
            while proxy.changes == 0:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            with self.assertRaises(subprocess.TimeoutExpired):  # waits for the answer
                process.wait(0.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(10), -signal.SIGINT)
        answered.set()
        proxy.close()
        lost = CuttingProxy(self.s.port, lambda n: True)  # no answer arrives: it tries again, and waits longer each time
        with self.start(rows, lost) as process:
            while lost.changes < 3:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=20)[1]
        self.assertEqual(process.returncode, FAILED, said)
        self.assertIn("was stopped", said)
        lost.close()


class Sheets(WithServer):
    """Files taken in as a whole."""
    ROWS = [("Name", "E-Mail", "Geboren"), ("Ann Blatt", "ann@sheet.example", "31.12.1980"), ("Bo Blatt", "bo@sheet.example", "31.02.1980")]

    def test_a_workbook_is_looked_at_taken_in_and_taken_back(self):
        file = self.cli.file("people.xlsx", xlsx(self.ROWS))
        into = ("import", str(file), "--type", "contacts", "--match", "e-mail")
        ids = lambda: [item["import"] for item in self.cli.lines("import", "list")]  # noqa: E731
        before = ids()
        seen = self.cli.json(*into, "--preview")
        self.assertEqual(seen["counts"], {"new": 1, "changed": 0, "unchanged": 0, "failed": 1})
        self.assertEqual(ids(), before)  # nothing is left of it
        text = self.cli.run(*into, "--preview")
        self.assertEqual(text.returncode, DONE, text.stderr)
        for word in ("E-Mail", "email", "row 3, Geboren", "bad_date"):
            self.assertIn(word, text.stdout)
        self.assertEqual(self.cli.run(*into, "--bad-rows", "none").returncode, USAGE)
        rejects = self.cli.home / "sheet-rejects.csv"
        done = self.cli.run("--json", *into, "--rejects", str(rejects))
        self.assertEqual(done.returncode, PART, done.stderr)
        finished = json.loads(done.stdout)
        self.assertEqual((finished["state"], finished["counts"]), ("finished", seen["counts"]))
        self.assertIn("31.02.1980;Geboren: bad_date", rejects.read_text())
        self.assertEqual(json.loads(self.cli.run("--json", *into).stdout)["counts"], {"new": 0, "changed": 0, "unchanged": 1, "failed": 1})
        listed = self.cli.run("import", "list").stdout
        self.assertIn(finished["import"], listed)
        self.assertIn("finished", listed)
        undone = self.cli.json("import", "undo", finished["import"])
        self.assertEqual(undone["undone"], {"removed": 1, "restored": 0, "kept": 0})
        self.assertIn("removed", self.cli.run("import", "undo", finished["import"]).stdout)

    def test_a_look_at_an_import_that_fails_is_made_again(self):
        rows = [("Name", "E-Mail")] + [(f"Lo {i}", f"lo{i}@look.example") for i in range(300)]
        file = str(self.cli.file("looks.xlsx", xlsx(rows)))
        busy = problem(503, "overloaded").replace(b"Retry-After: 30", b"Retry-After: 1")
        proxy = CuttingProxy(self.s.port, lambda n: False, looks=(busy, b"", problem(429, "rate_limited"), b""))
        done = self.cli.run("--json", "import", file, "--type", "contacts", env={"SIEGEL_SERVER": proxy.address})
        proxy.close()
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(proxy.looks, [])
        self.assertEqual(json.loads(done.stdout)["counts"]["new"], 300)
        proxy = CuttingProxy(self.s.port, lambda n: False, looks=[problem(500, "internal")])
        lost = self.cli.run("import", file, "--type", "contacts", "--match", "e-mail", env={"SIEGEL_SERVER": proxy.address})
        proxy.close()
        self.assertEqual(lost.returncode, FAILED, lost.stderr)
        self.assertRegex(lost.stderr, r"im_[\w-]{22}")

    def test_a_file_of_rejects_is_only_where_there_are_some(self):
        good = str(self.cli.file("good.xlsx", xlsx([("Name", "E-Mail"), ("Cy Blatt", "cy@sheet.example")])))
        rejects = self.cli.home / "no-rejects.csv"
        into = ("import", good, "--type", "contacts", "--match", "e-mail", "--rejects", str(rejects))
        self.assertEqual(self.cli.run(*into).returncode, DONE)
        self.assertFalse(rejects.exists())
        rejects.write_text("of another try")
        self.refused(self.cli.run(*into), REFUSED, "--force")
        self.assertEqual(self.cli.run(*into, "--force").returncode, DONE)
        self.assertEqual(rejects.read_text().splitlines(), ["Name;E-Mail;reason"])

    def test_no_value_of_a_file_goes_nowhere_without_a_word(self):
        into = ("--type", "contacts", "--match", "e-mail")
        for rows, title in ((b"Name;E-Mail\nUna Zelle;una@sheet.example;too much\n", "Spalte 3"),
                            (b";Name;E-Mail\n1;Una Nummer;una@sheet.example\n", "Spalte 1"),
                            (b"Name;Foo;E-Mail\nUna Spalte;x;una@sheet.example\n", "Foo")):
            file = str(self.cli.file("unknown.csv", rows))
            self.refused(self.cli.run("import", file, *into), USAGE, "no field of the type", f"columns={title}", "--ignore-unknown")
            self.assertEqual(self.cli.json("import", file, *into, "--preview", "--ignore-unknown")["counts"]["failed"], 0)
        for rows in (b"reason;Name;E-Mail\nx;Una Grund;una@sheet.example\n", b"Name;Foo;E-Mail\nUna Leer;;una@sheet.example\n"):
            self.refused(self.cli.run("import", str(self.cli.file("more.csv", rows)), *into), USAGE, "no field of the type")
        done = self.cli.run("--json", "import", file, *into, "--ignore-unknown")
        self.assertEqual((done.returncode, json.loads(done.stdout)["counts"]["new"]), (DONE, 1), done.stderr)
        self.refused(self.cli.run("import", file, *into, "--sheet", "Foo"), USAGE, "no workbook", "sheet_unknown")

    def test_a_cell_that_no_preview_shows_is_left_out_on_demand_only(self):
        into = ("--type", "contacts", "--match", "e-mail")
        rows = "Name;;E-Mail\n" + "".join(f"Wim {i};;wim{i}@sheet.example\n" for i in range(1001)) + "Wim Fern;SECRET;wimfern@sheet.example\n"
        file = str(self.cli.file("far.csv", rows))
        for lang, sentence in (("en", "row 1003, Spalte 2: no title stands above this cell [extra_cells]"),
                               ("de", "Zeile 1003, Spalte 2: über dieser Zelle steht keine Überschrift [extra_cells]")):
            self.assertIn(sentence, self.cli.run("--lang", lang, "import", file, *into, "--preview").stdout)
        self.assertEqual([column["cells"] for column in self.cli.json("import", file, *into, "--preview")["columns"]], [1002, 1, 1002])
        self.refused(self.cli.run("import", file, *into), USAGE, "no field of the type", "columns=Spalte 2", "--ignore-unknown")
        half = str(self.cli.file("half.csv", b"Name;E-Mail\nHal Halb;halb@sheet.example\nHal Falsch;nowhere\n"))
        done = self.cli.run("--json", "import", half, *into)
        self.assertEqual((done.returncode, json.loads(done.stdout)["counts"]["failed"]), (PART, 1), done.stderr)
        self.assertEqual(self.cli.json("import", file, *into, "--ignore-unknown", "--preview")["counts"]["failed"], 0)
        done = self.cli.run("--json", "import", file, *into, "--ignore-unknown")
        counts = json.loads(done.stdout)["counts"]
        self.assertEqual((done.returncode, counts["new"], counts["failed"]), (DONE, 1002, 0), done.stderr)

    def test_rejects_of_the_server_are_taken_in_again(self):
        rejects = self.cli.home / "again.csv"
        rows = b"Name;E-Mail\nRia Gut;ria@sheet.example\nRob Falsch;nowhere\nRia Lang;ril@sheet.example;\n"
        file = str(self.cli.file("again-from.csv", rows))
        done = self.cli.run("import", file, "--type", "contacts", "--match", "e-mail", "--rejects", str(rejects))
        self.assertEqual(done.returncode, PART, done.stderr)
        self.assertIn("not an e-mail address [bad_email]", done.stdout)
        german = self.cli.run("--lang", "de", "import", file, "--type", "contacts", "--match", "e-mail", "--preview")
        self.assertIn("keine E-Mail-Adresse [bad_email]", german.stdout)
        mended = self.cli.file("mended.csv", rejects.read_text().replace("nowhere", "rob@sheet.example"))
        self.assertEqual(self.cli.json("import", str(mended), "--type", "contacts")["counts"]["new"], 1)
        mended.write_text(rejects.read_text().replace("nowhere", "roc@sheet.example"))
        self.assertEqual(self.cli.json("import", str(mended), "--type", "contacts", "--match", "e-mail")["counts"]["new"], 1)

    def test_a_long_preview_says_how_much_more_there_is(self):
        rows = "Name;E-Mail\n" + "".join(f"Rita {i};nowhere{i}\n" for i in range(30))
        shown = self.cli.run("import", str(self.cli.file("long.csv", rows)), "--type", "contacts", "--match", "e-mail", "--preview")
        self.assertEqual(shown.stdout.count("[bad_email]"), 20)
        self.assertIn("and more; --json names them", shown.stdout)

    def test_a_type_is_made_of_a_file(self):
        token = self.cli.json("token", "create", "--role", "editor", "--purposes", "customer-care", "--expires", "12h", token="admin")["token"]
        rows = "Name;E-Mail;Tisch\n" + "".join(f"Gast {i};gast{i}@sheet.example;007\n" for i in range(30))
        file = str(self.cli.file("guests.csv", rows))
        done = self.cli.run("--json", "import", file, "--create", "guests", "--class", "customer", token=token)
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(json.loads(done.stdout)["counts"]["new"], 30)
        self.assertEqual([f["type"] for f in self.cli.json("type", "show", "guests", token="admin")["fields"]], ["text", "email", "text"])
        self.refused(self.cli.run("import", file, "--create", "others", token=token), USAGE, "class_missing")
        self.refused(self.cli.run("import", file, "--create", "others", "--class", "customer"), REFUSED, "type_denied")

    def test_wrong_words_and_files(self):
        file = str(self.cli.file("some.xlsx", xlsx(self.ROWS)))
        self.refused(self.cli.run("import", file), USAGE, "--type")
        self.refused(self.cli.run("import", file, "--type", "contacts", "--run", "x"), USAGE, "row by row")
        self.refused(self.cli.run("import", str(EXAMPLES / "contacts.csv"), "--type", "contacts", "--run", "zzz"), USAGE, "32 digits")
        self.refused(self.cli.run("import", file, "--type", "nothing"), FAILED, "not_found")
        self.refused(self.cli.run("import", file + "x", "--type", "contacts", "--match", "e-mail"), USAGE, "cannot be read")
        self.refused(self.cli.run("import", str(self.cli.file("torn.xlsx", b"PK\x03\x04torn")), "--type", "contacts"), USAGE, "damaged_file")
        self.refused(self.cli.run("import", "undo"), USAGE, "im_")
        self.refused(self.cli.run("import", "undo", "im_" + "A" * 22), FAILED, "not_found")


class Words(WithServer):
    LATER = {
        "sheets": (("erase", "--find", "e-mail=SECRET"),),
        "deletion": (("sweep",), ("root", "SECRET"), ("keys",), ("restore", "SECRET"), ("hold", "--reason", "SECRET"), ("share-holder",)),
        "proofs": (("proof", "receipt", "--seq", "3"), ("signer",), ("witness",), ("replay",)),
        "kafka": (("consume", "--group", "SECRET"),),
        "messages": (("send",), ("template",), ("consent", "SECRET"), ("request",))}

    def test_what_comes_later_is_said_to(self):
        for work, lines in self.LATER.items():
            for words in lines:
                said = self.refused(self.cli.run(*words), USAGE, f"This version cannot do that yet: it comes with {work}.")
                self.assertNotIn("SECRET", said)
                self.assertEqual(json.loads(self.cli.run("--json", *words).stderr)["code"], "not_yet")
                self.refused(self.cli.run("--lang", "de", *words), USAGE, "Das kann diese Version noch nicht: es kommt mit ")
                if not any(word.startswith("--") for word in words):
                    self.refused(self.cli.run(*words, "--help"), USAGE, f"it comes with {work}.")

    def test_unknown_words_are_no_success_with_help(self):
        for words, meant in ((("nonsense",), None), (("verfy",), "verify"), (("recods", "list"), "records"), (("records", "lst"), "list"),
                             (("token", "creat"), "create"), (("swepe",), None), (("rooot",), None), (("root0",), None)):
            for more in ((), ("--help",), ("--version",)):
                said = self.refused(self.cli.run(*words, *more), USAGE, "Not understood: ")
                self.assertEqual(f"did you mean {meant}?" in said, meant is not None, said)
                self.assertEqual("did you mean" in said, meant is not None, said)
        self.refused(self.cli.run("--lang", "de", "verfy"), USAGE, "Nicht verstanden: verfy; gemeint: verify?")
        self.refused(self.cli.run("records", "show", "re_x"), USAGE, "Not understood: show (siegel records --help tells more)")
        self.refused(self.cli.run("--lang", "de", "type", "show"), USAGE, "Es fehlt NAME (siegel type show --help hilft)")
        self.refused(self.cli.run("--lang", "de", "token", "revoke"), USAGE, "Es fehlt KENNUNG")

    def test_a_flag_given_twice_counts_as_the_last_one_says(self):
        here = f"http://127.0.0.1:{self.s.port}"
        for words in (("--server", "http://127.0.0.1:1", "--server", here, "status"), ("--server", "http://127.0.0.1:1", "status", "--server", here),
                      ("--lang", "de", "--lang", "en", "--purpose", "x", "--purpose", "y", "--token", "x", "--token",
                       self.s.tokens["admin"], "--cacert", "/none", "--cacert", "", "--data", "x", "--data", "y", "--config", "/none",
                       "--config", "", "status")):
            done = self.cli.run(*words)
            self.assertEqual((done.returncode, done.stderr), (DONE, ""), words)
        self.refused(self.cli.run("--lang", "en", "--lang", "de", "verfy"), USAGE, "Nicht verstanden")

    def test_a_token_file_that_is_not_there_stops_only_who_needs_one(self):
        absent = {"SIEGEL_TOKEN": "@absent.tok"}
        self.refused(self.cli.run("status", token=None, env=absent), USAGE, "absent.tok")
        self.refused(self.cli.run("--lang", "de", "status", token=None, env=absent), USAGE, "Die Datei des Zugangsschlüssels", "absent.tok")
        done = self.cli.run("verify", token=None, env=absent, data=self.s.data)
        self.assertEqual(done.returncode, DONE, done.stderr)
        (self.cli.home / "ed.tok").write_text(self.s.tokens["admin"] + "\n")
        self.assertEqual(self.cli.run("status", token=None, env={"SIEGEL_TOKEN": "@ed.tok"}).returncode, DONE)

    def test_unknown_words(self):
        self.refused(self.cli.run("improt"), USAGE, "improt", "--help")
        self.refused(self.cli.run("records", "list", "--type", "contacts", "--frobnicate=SECRET"), USAGE, "--frobnicate")
        said = self.refused(self.cli.run("records", "add", "--type", "contacts", "--set", "name=Änne", "SECRET"), USAGE, "quotes")
        self.assertNotIn("SECRET", said)
        self.assertEqual(self.cli.run().returncode, USAGE)
        self.assertEqual(self.cli.run("records").returncode, USAGE)
        self.refused(self.cli.run("--lang", "fr", "status"), USAGE, "--lang")
        problem = json.loads(self.cli.run("--json", "records", "list", "--bogus").stderr)
        self.assertEqual(problem["code"], "usage")

    def commands(self, *words):
        """Every command that --help shows, with those that it holds."""
        text = self.cli.run("--lang", "en", *words, "--help").stdout
        listed = text.split("\nCommands:\n")[1].split("\n\n")[0].split("Examples:")[0] if "\nCommands:\n" in text else ""
        names = re.findall(r"^  ([a-z-]+) ", listed, re.M)
        return [words] + [c for name in names for c in self.commands(*words, name)]

    def test_help_of_each_command_has_an_example(self):
        commands = self.commands()
        self.assertGreater(len(commands), 35)
        for words in commands:
            for lang, title, usage in (("de", "Beispiele:", "Aufruf: siegel"), ("en", "Examples:", "Usage: siegel")):
                done = self.cli.run("--lang", lang, *words, "--help")
                self.assertEqual((done.returncode, done.stderr), (DONE, ""), words)
                self.assertIn(f"{title}\n  siegel ", done.stdout, words)
                self.assertIn(usage, done.stdout)
                self.assertNotIn("[]", done.stdout, words)
                self.assertNotIn("\n\n\n", done.stdout, words)
                lines = done.stdout.split(title)[0].splitlines()
                for line, following in zip(lines, lines[1:] + [""]):  # each flag and argument is described, in one column
                    if re.match(r"  (-|[A-Z]{2})", line):
                        self.assertTrue((len(line) > 30 and line[29] == " " != line[30]) or following.startswith(" " * 30), (words, line))
                if words:
                    self.assertIn(" ".join(("siegel", *words)), done.stdout.split(title)[1].replace("--json ", "").replace(
                        "--purpose customer-care ", "").replace("--data ./siegel-data ", "").replace("--data /srv/siegel ", ""), words)
                if lang == "de":
                    for english in ("Usage", "Options", "REQUIRED", "required", "Subcommand", "Print this", "Display", "default", "FILE", " ID", "DIR", "# a new",
                                    "# with the", "# compare", "# beside", "# those"):
                        self.assertNotIn(english, done.stdout, words)
        said = self.cli.run("--help").stdout
        for default in ("./siegel-data", "http://127.0.0.1:8480", "SIEGEL_TOKEN", "LANG"):
            self.assertIn(default, said)
        self.assertIn("skip|none (default: skip)", self.cli.run("import", "--help").stdout)
        self.assertIn("127.0.0.1:8480", self.cli.run("serve", "--help").stdout.split("Examples")[0])

    GERMAN = (  # words, token, what is said
        (("records", "get", "re_" + "A" * 22), "editor", "Es gibt keinen solchen Datensatz."),
        (("records", "get", "re_x"), "editor", "[404 not_found"),
        (("token", "list"), "editor", "Die Rolle des Zugangsschlüssels erlaubt das nicht."),
        (("token", "list"), "sgl_" + "A" * 43, "Der Zugangsschlüssel ist unbekannt oder gesperrt."),
        (("--purpose", "nope", "records", "list", "--type", "contacts"), "editor", "Den genannten Zweck gibt es nicht."),
        (("records", "add", "--type", "contacts", "--set", "name=X", "--set", "born=32.12.1980"), "editor", "steht im Kalender"),
        (("records", "add", "--type", "contacts", "--set", "name=X", "--set", "e-mail=nope"), "editor", "E-Mail-Adresse"),
        (("type", "show", "nothing"), "editor", "Es gibt keinen Datensatztyp nothing."),
        (("import", "absent.csv", "--type", "contacts"), "editor", "Die Datei lässt sich nicht lesen. (Datei=absent.csv)"),
        (("erase",), "editor", "Es fehlt --ground"), (("records",), "editor", "Es fehlt ein Befehl"),
        (("--lang", "de", "export", "--format", "xml"), "editor", "--format ist eines von json, csv"),
        (("proof", "inclusion", "--seq", "x"), "editor", "--seq ist eine Zahl"),
        (("status", "--server", "ftp://x"), "editor", "--server ist eine Adresse"))
    ENGLISH = re.compile(r"\b(the|is|not|no|there|and|with|server's|cannot|check|use|Not understood)\b")

    def test_german_is_whole(self):
        for words, token, expected in self.GERMAN:
            for options in ({"env": {"LANG": "de_DE.UTF-8"}}, {"env": {"LC_ALL": "de_AT.UTF-8", "LANG": "C"}}, {}):
                lang = () if options else ("--lang", "de")
                done = self.cli.run(*lang, *words, token=token, **options)
                self.assertNotEqual(done.returncode, DONE)
                self.assertIn(expected, done.stderr, words)
                self.assertIsNone(self.ENGLISH.search(done.stderr), done.stderr)

    def test_rows_and_reports_are_german(self):
        file = self.cli.file("german.csv", HEADER + "Gut;gut@example.org;;;\nDatum;d@example.org;31.2.1980;;\nZahl;z@example.org;;1.234;\n"
                                                    "Null;n@example.org;;007;\nJa;j@example.org;;;vielleicht\n")
        rejects = self.cli.home / "german-rejects.csv"
        done = self.cli.run("--lang", "de", "import", str(file), "--type", "contacts", "--rejects", str(rejects))
        self.assertEqual(done.returncode, PART, done.stdout + done.stderr)
        for said in ("steht im Kalender. [bad_date]", "--decimal sagt, was gilt. [ambiguous_number]", "beginnt nicht mit Nullen", "weder ja noch nein"):
            self.assertIn(said, done.stdout)
        self.assertIsNone(self.ENGLISH.search(done.stdout), done.stdout)
        self.assertIn("bad_date: Ein Datum", rejects.read_text("utf-8-sig"))
        done = self.cli.run("--lang", "de", "verify", data=self.s.data)
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("unversehrt: ", done.stdout)
        self.assertIn("ohne --key: geprüft", done.stderr)
        self.assertIsNone(self.ENGLISH.search(done.stdout + done.stderr), done.stdout + done.stderr)

    def test_version_and_language(self):
        self.assertRegex(self.cli.run("--version").stdout, r"^siegel \d+\.\d+\.\d+\n$")
        self.assertIn("Server", self.cli.run("status", "--help", env={"LANG": "de_DE.UTF-8"}).stdout)
        self.assertIn("Zustand", self.cli.run("--help", env={"LANG": "de_DE.UTF-8"}).stdout)
        self.assertIn("State of", self.cli.run("--lang", "en", "--help", env={"LANG": "de_DE.UTF-8"}).stdout)

    def test_problems_as_json_and_quiet(self):
        done = self.cli.run("--json", "records", "get", "re_" + "A" * 22)
        problem = json.loads(done.stderr)
        self.assertEqual((done.stdout, problem["status"], problem["code"]), ("", 404, "not_found"))
        self.assertRegex(problem["request_id"], ".")
        away = self.cli.run("--json", "status", env={"SIEGEL_SERVER": "http://127.0.0.1:1"})
        self.assertEqual((away.returncode, json.loads(away.stderr)["code"]), (FAILED, "server_away"))
        self.refused(self.cli.run("status", env={"SIEGEL_SERVER": "ftp://127.0.0.1"}), USAGE, "--server")
        self.refused(self.cli.run("--lang", "de", "status", env={"SIEGEL_SERVER": "http://127.0.0.1:1"}), FAILED, "Läuft")
        self.assertEqual(self.cli.run("--quiet", "status").stderr, "")

    def test_status(self):
        status = self.cli.json("status")
        for key in ("version", "ledger", "origin", "size", "read_only", "epoch", "root_store", "projections"):
            self.assertIn(key, status)
        self.assertIn("read_only: false", self.cli.run("status").stdout)

    def test_result_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            env = {**os.environ, "SIEGEL_TOKEN": self.s.tokens["admin"], "SIEGEL_SERVER": f"http://127.0.0.1:{self.s.port}"}
            done = subprocess.run([self.s.binary, "type", "show", "contacts"], stdout=full, stderr=subprocess.PIPE, text=True, env=env,
                                  timeout=60)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("cannot be written", done.stderr)


class Local(unittest.TestCase):
    """The commands on a data directory whose server is stopped."""

    def test_problems_are_objects_with_json_and_quiet_says_no_more(self):
        with Siegel(BINARY) as s:
            s.tokens, s.port = {}, 1
            cli = Cli(s)
            quiet = cli.run("--quiet", "init", "--single-disk", data=s.data)
            self.assertEqual((quiet.returncode, quiet.stderr), (DONE, ""))
            config = cli.file("bad.toml", "[server]\nnonsense = 1\n")
            for words, code, name in ((("init", "--single-disk"), REFUSED, "exists"), (("lock", "adopt", "--reason", "x"), REFUSED, "not_confirmed"),
                                      (("rebuild", "--projection", "x"), USAGE, None), (("verify", "--checkpoint", "/none"), USAGE, "no_file"),
                                      (("export-log", str(s.data)), REFUSED, "exists"), (("backup", str(s.data / "b")), REFUSED, "backup_place"),
                                      (("token", "create", "--local", "--role", "king"), USAGE, "bad_value"),
                                      (("serve", "--listen", "0.0.0.0:0"), USAGE, None), (("--config", str(config), "status"), USAGE, None)):
                done = cli.run("--json", "--quiet", *words, data=s.data)
                self.assertEqual((done.returncode, done.stdout), (code, ""), (words, done.stderr))
                problem = json.loads(done.stderr.splitlines()[-1])  # serve has said before what its root store is worth
                self.assertEqual(problem["type"], "urn:siegel:problem:" + problem["code"], words)
                self.assertTrue(problem["title"] and problem["detail"], words)
                if name:
                    self.assertEqual(problem["code"], name)
            (s.data.parent / "data.outside" / "head").unlink()
            adopted = cli.run("--json", "lock", "adopt", "--reason", "x", "--yes", data=s.data)
            self.assertEqual((adopted.returncode, list(json.loads(adopted.stdout))), (DONE, ["size", "keys_given_up"]))
            again = cli.run("--json", "lock", "adopt", "--reason", "x", "--yes", data=s.data)
            self.assertEqual((again.returncode, again.stdout, json.loads(again.stderr)["code"]), (REFUSED, "", "not_in_doubt"))

    def test_init_looks_at_every_place_before_it_makes_anything(self):
        with Siegel(BINARY) as s:
            s.tokens, s.port = {}, 1
            cli = Cli(s)
            good, full, file = s.home / "b", s.home / "full", s.home / "file"
            good.mkdir()
            full.mkdir()
            (full / "something").touch()
            file.touch()
            keys, root = str(good / "keys"), str(good / "root")
            before = sorted(s.home.rglob("*"))
            for replica, mirror, code, said in (
                    (str(s.home / "not-mounted" / "keys"), root, USAGE, "place_missing"),
                    (keys, str(s.home / "not-mounted" / "root"), USAGE, "place_missing"),
                    (str(full), root, REFUSED, "exists"), (keys, str(full), REFUSED, "exists"), (str(file), root, REFUSED, "exists"),
                    (keys, str(file / "root"), USAGE, "place_missing"), (str(s.data / "keys2"), root, USAGE, "place_inside_data"), (keys, str(s.data / "root"), USAGE, "inside_data"),
                    (keys, str(s.home / "data.root"), USAGE, "place_inside_data"), (keys, keys, USAGE, "place_twice"),
                    (keys + "/", keys + "/../keys", USAGE, "place_twice")):
                done = cli.run("init", "--key-replica", replica, "--root-mirror", mirror, data=s.data)
                self.assertEqual(done.returncode, code, (replica, mirror, done.stderr))
                self.assertIn(said, done.stderr)
                self.assertEqual(sorted(s.home.rglob("*")), before, (replica, mirror))
            # A copy of the directory that is put back would agree with itself.
            for flags, environment in ((["--lock", str(s.data / "head")], {}), ([], {"SIEGEL_SIGNER_PATH": str(s.data / "x" / "signer")})):
                done = cli.run("init", "--single-disk", *flags, data=s.data, env=environment)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertIn("place_inside_data", done.stderr)
                self.assertEqual(sorted(s.home.rglob("*")), before)
            if os.geteuid() != 0:  # root may write everywhere
                good.chmod(0o500)
                done = cli.run("init", "--key-replica", keys, "--root-mirror", root, data=s.data)
                self.assertEqual((done.returncode, "not_permitted" in done.stderr), (FAILED, True), done.stderr)
                good.chmod(0o700)
            # What is missing above DIR is made; above a second place, on another disk, it is not.
            done = cli.run("init", "--key-replica", keys + "/", "--root-mirror", root, data=s.home / "new" / "above" / "data")
            self.assertEqual(done.returncode, DONE, done.stderr)
            self.assertTrue((good / "root" / "root").exists())

    def test_local_commands_speak_german(self):
        with Siegel(BINARY) as s:
            s.tokens, s.port = {}, 1
            cli = Cli(s)
            lines = ((("status",), FAILED, "Der Server ist nicht zu erreichen."), (("verify",), FAILED, "Hier ist kein Datenverzeichnis"),
                     (("init",), USAGE, "Ein verlorener Datenträger"), (("init", "--single-disk"), DONE, "Prüfschlüssel aufheben"),
                     (("init", "--single-disk"), REFUSED, "Da ist schon etwas; init überschreibt nie. (Pfad="),
                     (("token", "create", "--local", "--role", "admin"), DONE, "nur einmal gezeigt"),
                     (("token", "create", "--local", "--role", "king"), USAGE, "--role ist eine von"),
                     (("lock", "show"), DONE, "Sperrdatei:"), (("lock", "adopt", "--reason", "x"), REFUSED, "Damit gilt dieses Buch"),
                     (("lock", "adopt", "--reason", "x", "--yes"), REFUSED, "da ist nichts anzunehmen"),
                     (("rebuild", "--projection", "x"), USAGE, "Eine Ansicht dieses Namens gibt es nicht. (Ansichten="),
                     (("rebuild",), DONE, "neu berechnet bei Position"), (("backup", str(s.data / "b")), REFUSED, "Eine Sicherung darf nicht"),
                     (("backup", str(s.home / "b")), DONE, "Wiederherstellung zur Probe"), (("export-log", str(s.home / "e")), DONE, "ausgegeben nach"),
                     (("serve", "--listen", "nowhere"), USAGE, "nicht von der Form"), (("serve", "--listen", "0.0.0.0:0"), USAGE, "nur mit TLS"))
            for words, code, expected in lines:
                done = cli.run(*words, data=s.data, env={"LANG": "de_DE.UTF-8"})
                self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
                self.assertIn(expected, done.stdout + done.stderr)
                self.assertIsNone(Words.ENGLISH.search(done.stdout + done.stderr), done.stdout + done.stderr)
            (s.data.parent / "data.outside" / "head").unlink()
            done = cli.run("lock", "adopt", "--reason", "x", "--yes", data=s.data, env={"LANG": "de_DE.UTF-8"})
            self.assertEqual(done.returncode, DONE, done.stderr)
            self.assertIn("Sperrdatei angenommen", done.stdout)
            self.assertRegex(done.stderr, r"\d+ Schlüssel werden aufgegeben, auch leere auf Vorrat")
            self.assertIsNone(Words.ENGLISH.search(done.stdout + done.stderr), done.stdout + done.stderr)

    def test_an_older_backup_is_no_cause_for_alarm(self):
        """exit 3 as for any copy that is older than the lock record knows, and a line that says what it means"""
        with Siegel(BINARY) as s:
            s.tokens, s.port = {}, 1
            cli = Cli(s)
            backup, export = s.home / "backup", s.home / "export"
            for words in (("init", "--single-disk"), ("backup", str(backup)), ("token", "create", "--local", "--role", "admin"),
                          ("export-log", str(export))):
                done = cli.run(*words, data=s.data)
                self.assertEqual(done.returncode, DONE, done.stderr)
            self.assertNotIn("there are only newer", cli.run("verify", data=s.data).stderr)
            for lang, said in (("C.UTF-8", "A backup is not expected to say anything else"), ("de_DE.UTF-8", "Von einer Sicherung ist nichts anderes")):
                done = cli.run("verify", data=backup, env={"LANG": lang})
                self.assertEqual((done.returncode, "roll_back" in done.stdout), (3, True), done.stdout)
                self.assertIn(said, done.stderr)
            self.assertEqual(cli.run("--quiet", "verify", data=backup).stderr, "")
            done = cli.run("verify", data=export)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("ledgercheck", done.stderr)
            self.assertIn("ledgercheck prüft sie", cli.run("--lang", "de", "verify", data=export).stderr)

    def test_a_place_that_cannot_be_made_is_named(self):
        with Siegel(BINARY) as s:
            s.tokens, s.port = {}, 1
            for words in (("init", "--single-disk"), ("verify",), ("serve", "--listen", "127.0.0.1:0")):
                done = Cli(s).run(*words, data="/proc/absent/data")
                self.assertNotEqual(done.returncode, DONE)
                self.assertIn("/proc", done.stderr)
                self.assertIn("absent" if words[0] != "init" or os.geteuid() == 0 else "/proc", done.stderr)

    def test_init_token_and_lock(self):
        with Siegel(BINARY) as s:
            s.tokens = {}
            cli = Cli(s)
            s.port = 1
            missing = cli.run("token", "create", "--local", "--role", "admin", data=s.data)
            self.assertEqual(missing.returncode, FAILED)
            self.assertIn("siegel init", missing.stderr)
            self.assertEqual(cli.run("init", data=s.data).returncode, USAGE)  # where the second place is must be said
            made = cli.run("--json", "init", "--single-disk", "--origin", "example.org/log", data=s.data)
            self.assertEqual(made.returncode, DONE, made.stderr)
            self.assertEqual(json.loads(made.stdout)["origin"], "example.org/log")
            self.assertEqual(cli.run("init", "--single-disk", data=s.data).returncode, REFUSED)
            token = cli.run("--json", "token", "create", "--local", "--role", "editor", "--expires", "1h", "--label", "x", data=s.data)
            self.assertRegex(json.loads(token.stdout)["token"], r"^sgl_[\w-]{43}$")
            self.assertEqual(cli.run("token", "create", "--local", "--role", "king", data=s.data).returncode, USAGE)
            self.assertEqual(cli.run("token", "create", "--local", "--role", "admin", "--expires", "soon", data=s.data).returncode,
                             USAGE)
            lock = json.loads(cli.run("--json", "lock", "show", data=s.data).stdout)
            self.assertEqual((lock["lock_record"], lock["read_only"]), (True, False))
            self.assertEqual(cli.run("lock", "adopt", "--reason", "test", data=s.data).returncode, REFUSED)
            (s.data.parent / "data.outside" / "head").unlink()
            self.assertEqual(cli.run("lock", "adopt", "--reason", "test", "--yes", data=s.data).returncode, DONE)


if __name__ == "__main__":
    BINARY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
