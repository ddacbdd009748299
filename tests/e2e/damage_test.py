"""Data directories that are damaged, older, newer or another's: each is refused or opened read-only with a stable code
and a message that says what to do; nothing crashes, nothing is changed by the way, and once the cause is mended
everything is there.

usage: damage_test.py SIEGEL_BINARY
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import prepare, wait_for_index  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
PERSON = "Zacharias Zaunkönig"
ADVICE = re.compile(r"^siegel: what to do: .+", re.M)


class World:
    """A home with people in it, one of them erased, and copies of it from before and after, put back for each test."""

    def __init__(self, *init):
        self.s = Siegel(BINARY)
        self.copies = pathlib.Path(tempfile.mkdtemp(prefix="siegel-copies-"))
        options = []
        for option, name in init:
            options += [option, str(self.s.home / name)]
        prepare(self.s, options or ("--single-disk",), news="text")
        self.records = [self.add(f"{PERSON} {i}") for i in range(30)]
        self.stop()
        self.keep("before")
        self.start()
        gone = self.records.pop()
        erased = self.s.request("POST", "/v1/erasures", {"subject": gone["subject"], "ground": "art17-1-b", "mode": "now"})
        assert erased.status == 201, erased.body
        # A leaf of a batch of keys that the copy from before has not.
        self.records += [self.add(f"{PERSON} {i}") for i in range(100, 104)]
        self.lists = self.look()
        self.stop()
        self.keep("after")

    def try_to_add(self, name, **values):
        mail = name.replace(" ", ".").replace("ö", "oe") + "@example.org"
        return self.s.request("POST", "/v1/record-types/contacts/records", {"values": {"name": name, "e-mail": mail, **values}},
                              token=self.s.tokens["editor"])

    def add(self, name, **values):
        answer = self.try_to_add(name, **values)
        assert answer.status == 201, answer.body
        return answer.json

    def start(self):
        self.s.serve()
        wait_for_index(self.s)

    def stop(self):
        if self.s.process is not None:
            code = self.s.stop()
            assert code == 0, (code, self.s.log_text()[-3000:])

    def look(self):
        """What the read models say of everybody."""
        out = []
        for record in self.records:
            shown = self.s.request("GET", f"/v1/records/{record['record']}", token=self.s.tokens["editor"])
            assert shown.status == 200, shown.body
            history = self.s.request("GET", f"/v1/records/{record['record']}/history", token=self.s.tokens["editor"])
            out.append((shown.json["values"], shown.json["version"], [i["type"] for i in history.json["items"]]))
        return out

    def keep(self, name):
        shutil.copytree(self.s.home, self.copies / name)

    def put_back(self, name="after", *parts):
        """The whole home, or parts of it, as they were in that copy."""
        if not parts:
            for entry in self.s.home.iterdir():
                remove(entry)
            for entry in (self.copies / name).iterdir():
                copy(entry, self.s.home / entry.name)
            (self.s.home / "server.log").write_bytes(b"")
        for part in parts:
            remove(self.s.home / part)
            copy(self.copies / name / part, self.s.home / part)

    def end(self):
        if self.s.process is not None:
            self.s.process.kill()
            self.s.process.wait()
        shutil.rmtree(self.s.home, ignore_errors=True)
        shutil.rmtree(self.copies, ignore_errors=True)


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy(source, to):
    if source.is_dir():
        shutil.copytree(source, to)
    else:
        shutil.copy2(source, to)


def contents(*roots):
    """Names, modes and bytes of everything below, but what a mere attempt to open may touch."""
    out = {}
    for root in roots:
        for path in sorted([root, *root.rglob("*")]) if root.is_dir() else [root]:
            if path.name == "LOCK" or path.name.startswith("LOG"):
                continue
            out[str(path)] = (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
    return out


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def manifest_of(directory):
    return directory / (directory / "CURRENT").read_text().strip()


def largest_log(directory):
    return max(directory.glob("*.log"), key=lambda p: p.stat().st_size)


class Damage(unittest.TestCase):
    init = ()

    @classmethod
    def setUpClass(cls):
        cls.world = World(*cls.init)
        cls.s = cls.world.s

    @classmethod
    def tearDownClass(cls):
        cls.world.end()

    def setUp(self):
        self.world.put_back()
        self.home = self.s.home

    def tearDown(self):
        if self.s.process is not None:
            self.s.process.kill()
            self.s.process.wait()
            self.s.process.stdout.close()
            self.s.log.close()
            self.s.process = None

    def refused(self, code, exit_code, *words, untouched=("data.root", "data.outside", "data/FORMAT", "data/PLACES"), **options):
        """`serve` ends at once: exit code, stable code, what to do; the parts named are what they were."""
        present = [self.home / name for name in untouched if (self.home / name).exists()]
        before = contents(*present)
        done = subprocess.run([BINARY, "--data", str(self.s.data), "serve", "--listen", "127.0.0.1:0"], capture_output=True,
                              text=True, timeout=120, **options)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertIn(f"[{code}]", done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertRegex(done.stderr, ADVICE)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("Zaunk", done.stderr)
        self.assertEqual(contents(*present), before)
        return done

    def mended(self, *parts):
        """With these parts put back everything is there: the refusal had no effect."""
        if parts:
            self.world.put_back("after", *parts)
        self.world.start()
        self.assertEqual(self.world.look(), self.world.lists)
        self.assertEqual(self.s.stop(), 0)

    def read_only(self, reason):
        """The server runs, refuses writes and names the reason."""
        self.s.serve(ready=False)
        ready = self.s.request("GET", "/readyz", token=None)
        self.assertEqual(ready.status, 503, ready.body)
        self.assertIn(reason, ready.json["checks"])
        self.assertEqual(self.s.request("GET", "/healthz", token=None).status, 200)
        refused = self.s.request("POST", "/v1/record-types/contacts/records", {"values": {"name": "x"}},
                                 token=self.s.tokens["editor"])
        self.assertEqual((refused.status, refused.code), (503, "read_only"), refused.body)
        metrics = self.s.request("GET", "/metrics", token=None).body.decode()
        self.assertIn("siegel_read_only 1", metrics)
        self.assertEqual(self.s.stop(), 0)
        log = self.s.log_text()
        self.assertIn("ALARM", log)
        self.assertIn(reason, log)
        self.assertNotIn("Zaunk", log)


class SingleDisk(Damage):
    def test_format_newer(self):
        path = self.s.data / "FORMAT"
        path.write_text(path.read_text().replace("siegel-data 1", "siegel-data 2"))
        self.refused("format_newer", 4, "2", untouched=("data", "data.root", "data.outside"))
        self.mended("data/FORMAT")

    def test_what_to_do_in_german(self):
        (self.home / "data.root" / "root").unlink()
        done = subprocess.run([BINARY, "--lang", "de", "--data", str(self.s.data), "serve", "--listen", "127.0.0.1:0"],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("[root_store_missing]", done.stderr)
        self.assertIn("siegel: was zu tun ist: Den Datenträger mit dem Wurzelspeicher anschließen", done.stderr)

    def test_format_damaged(self):
        (self.s.data / "FORMAT").write_bytes(b"\x00\xff")
        self.refused("format_damaged", 1, untouched=("data", "data.root", "data.outside"))
        self.mended("data/FORMAT")

    def test_nothing_there(self):
        remove(self.s.data)
        self.refused("store_missing", 1, "siegel init", untouched=("data.root", "data.outside"))
        self.assertFalse(self.s.data.exists())

    def test_another_ledger(self):
        other = Siegel(BINARY)
        other.run("init", "--single-disk")
        for mine, code in (("data/ledger", "other_ledger"), ("data/keys", "other_ledger"), ("data.root/root", "other_ledger"),
                           ("data/FORMAT", "other_ledger")):
            with self.subTest(mine):
                self.world.put_back()
                remove(self.home / mine)
                copy(other.home / mine, self.home / mine)
                self.refused(code, 4)
                self.mended("data", "data.root", "data.outside")
        shutil.rmtree(other.home)

    def test_opened_twice(self):
        self.world.start()
        for command in (["serve", "--listen", "127.0.0.1:0"], ["token", "create", "--local", "--role", "admin"],
                        ["lock", "adopt", "--reason", "test", "--yes"]):
            with self.subTest(command[0]):
                done = subprocess.run([BINARY, "--data", str(self.s.data), *command], capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn("[data_in_use]", done.stderr)
                self.assertIn(str(self.s.process.pid), done.stderr)
        self.assertEqual(self.world.look(), self.world.lists)
        self.assertEqual(self.s.stop(), 0)

    def test_copied_beside_its_original(self):
        """A copied directory names the root store and the lock record of the original."""
        self.world.start()
        copied = self.home / "copied"
        shutil.copytree(self.s.data, copied, ignore=shutil.ignore_patterns("views"))  # its files come and go meanwhile
        before = (self.home / "data.root" / "root").read_bytes()
        for command in (["serve", "--listen", "127.0.0.1:0"], ["lock", "adopt", "--reason", "test", "--yes"]):
            with self.subTest(command[0]):
                done = subprocess.run([BINARY, "--data", str(copied), *command], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn("[data_in_use]", done.stderr)
                self.assertIn(str(self.s.process.pid), done.stderr)
        self.assertEqual((self.home / "data.root" / "root").read_bytes(), before)
        self.assertEqual(self.world.look(), self.world.lists)
        self.assertEqual(self.s.stop(), 0)
        shutil.rmtree(copied)

    def test_root_missing(self):
        (self.home / "data.root" / "root").unlink()
        self.refused("root_store_missing", 1)
        self.assertFalse((self.home / "data.root" / "root").exists())
        self.mended("data.root")

    def test_root_older(self):
        self.world.put_back("before", "data.root")
        self.refused("root_behind", 4, "1", "2")
        self.mended("data.root")

    def test_root_torn(self):
        root = self.home / "data.root" / "root"
        whole = root.read_bytes()
        for name, bad in (("empty", b""), ("cut in a slot", whole[:100]), ("one slot", whole[:4096]),
                          ("longer", whole + b"x"), ("noise", bytes(len(whole)))):
            with self.subTest(name):
                root.write_bytes(bad)
                self.refused("root_store_damaged", 1)
        living = [at for at in (0, 4096) if whole[at:at + 8] == b"SIEGELR1"]
        for at in (0, 9, 16, 30, 60, 90, 100, 200, 511):
            with self.subTest(flipped=at):
                root.write_bytes(whole)
                flip(root, living[0] + at)
                self.refused("root_store_damaged", 1)
        # The other slot is noise: what happens to it does not matter.
        root.write_bytes(whole)
        flip(root, 4096 - living[0] + 20)
        self.mended()

    def test_root_inside_the_data_directory(self):
        inside = self.s.data / "root"
        shutil.copy2(self.home / "data.root" / "root", inside)
        places = self.s.data / "PLACES"
        places.write_text(places.read_text().replace(str(self.home / "data.root" / "root"), str(inside)))
        self.refused("root_inside_data", 2)
        inside.unlink()
        self.mended("data/PLACES")

    def test_keys_older(self):
        self.world.put_back("before", "data/keys")
        self.refused("keys_behind", 4)
        self.mended("data/keys")

    def test_keys_missing(self):
        remove(self.s.data / "keys")
        self.refused("store_missing", 1)
        self.mended("data/keys")

    def test_ledger_missing(self):
        remove(self.s.data / "ledger")
        self.refused("store_missing", 1)
        self.mended("data/ledger")

    def test_files_of_a_store_missing(self):
        for store in ("ledger", "keys"):
            with self.subTest(store):
                self.world.put_back()
                (self.s.data / store / "CURRENT").unlink()
                self.refused("store_damaged", 1, str(self.s.data / store))
                verified = self.s.run("verify", check=False)
                self.assertEqual(verified.returncode, 3, verified.stdout)
                if store == "keys":  # the ledger is whole
                    self.assertIn(f"A keys store or a replica of it is damaged. ({self.s.data / store}", verified.stdout)
                    self.assertIn("could not be read. Beside a running server try again. Code: store_damaged", verified.stderr)
                self.mended("data")

    def test_views_deleted(self):
        for name in ("views", "views/1"):
            with self.subTest(name):
                remove(self.s.data / name)
                self.world.start()
                self.assertEqual(self.world.look(), self.world.lists)
                self.world.stop()
                # What came back by itself is what a rebuild beside it makes: 3 if their digests differed.
                self.assertEqual(self.s.run("rebuild", check=False).returncode, 0)

    def test_views_damaged(self):
        """What cannot be opened is made anew by the server itself; it starts with the same answers, and says so."""
        table = max((self.s.data / "views/1").glob("*.sst"), key=lambda p: p.stat().st_size)
        manifest = manifest_of(self.s.data / "views/1")
        for name, damage in (
                ("middle of the manifest", lambda: flip(manifest, manifest.stat().st_size // 2)),
                ("end of the manifest", lambda: flip(manifest, manifest.stat().st_size - 1)),
                ("manifest cut", lambda: os.truncate(manifest, manifest.stat().st_size - 1)),
                ("end of a table", lambda: flip(table, table.stat().st_size - 1)),
                ("table cut", lambda: os.truncate(table, table.stat().st_size // 2)),
                ("table missing", table.unlink),
                ("CURRENT", lambda: (self.s.data / "views/1/CURRENT").write_bytes(b"\xff\n")),
                ("rows", lambda: [flip(path, 20) for path in table.parent.glob("*.sst")]),
                ("VIEWS", lambda: (self.s.data / "VIEWS").write_bytes(b"../ledger\n"))):
            with self.subTest(name):
                self.world.put_back()
                damage()
                self.world.start()
                log = self.s.log_text()
                self.assertRegex(log, r"ALARM .*made anew.* \[views_damaged\]")
                self.assertEqual(self.world.look(), self.world.lists)
                self.assertEqual((self.s.data / "VIEWS").read_text(), "2\n")
                if name != "VIEWS":
                    self.assertEqual([path.name for path in (self.s.data / "views").iterdir()], ["2"])
                self.world.stop()
                self.world.start()
                self.assertNotIn("ALARM", self.s.log_text()[len(log):])
                self.world.stop()
                self.assertEqual(self.s.run("rebuild", check=False).returncode, 0)

    def test_views_damaged_where_the_server_looks_later(self):
        """They open; who comes upon the damage makes them anew, and nobody has to do anything."""
        for older in (False, True):
            with self.subTest(older=older):
                self.world.put_back()
                if older:
                    self.world.put_back("before", "data/views")
                table = max((self.s.data / "views/1").glob("*.sst"), key=lambda p: p.stat().st_size)
                for at in range(0, table.stat().st_size // 2, 64):
                    flip(table, at)
                self.s.serve()
                deadline = time.monotonic() + 60
                while "[views_damaged]" not in self.s.log_text():
                    self.assertLess(time.monotonic(), deadline, self.s.log_text())
                    for record in self.world.records:
                        self.s.request("GET", f"/v1/records/{record['record']}", token=self.s.tokens["editor"])
                    time.sleep(0.1)
                while self.s.request("GET", "/readyz", token=None).status != 200:
                    self.assertLess(time.monotonic(), deadline, self.s.log_text())
                    time.sleep(0.1)
                wait_for_index(self.s)
                self.assertEqual(self.world.look(), self.world.lists)
                self.assertEqual(self.world.try_to_add("Danach Da").status, 201)
                self.assertEqual(self.s.log_text().count("[views_damaged]"), 1, self.s.log_text())
                self.assertEqual((self.s.data / "VIEWS").read_text(), "2\n")
                self.world.stop()
                self.assertEqual(self.s.run("rebuild", check=False).returncode, 0)

    def test_views_damaged_beside_a_ledger_in_doubt(self):
        """Nobody can make them anew: the server only reads, and says why."""
        manifest = manifest_of(self.s.data / "views/1")
        flip(manifest, manifest.stat().st_size // 2)
        flip(largest_log(self.s.data / "ledger"), largest_log(self.s.data / "ledger").stat().st_size // 2)
        self.read_only("behind_lock_record")
        self.assertEqual((self.s.data / "VIEWS").read_text(), "1\n")
        self.mended("data/ledger", "data/keys")

    def test_ledger_or_keys_moved_away_under_way(self):
        """RocksDB goes on with the files that it holds open; nothing of it may be acknowledged."""
        for name in ("ledger", "keys"):
            with self.subTest(name):
                self.world.put_back()
                self.world.start()
                self.assertEqual(self.world.try_to_add("Vorher Da").status, 201)
                self.assertEqual(self.s.request("GET", "/readyz", token=None).json["checks"], [])
                place = self.s.data / name
                away = place.rename(self.home / "away")
                if name == "ledger":
                    self.assertEqual(self.world.try_to_add("Nie Da").status, 503)
                self.eventually(lambda: self.s.request("GET", "/readyz", token=None).json["checks"] == ["store_missing"])
                self.assertEqual(self.world.try_to_add("Nie Da").status, 503)
                self.assertRegex(self.s.log_text(), rf"(?m)^siegel: ALARM .*place={re.escape(str(place))}.*\[store_missing\]$")
                self.assertFalse(place.exists())
                away.rename(place)
                self.eventually(lambda: self.s.request("GET", "/readyz", token=None).status == 200)
                wait_for_index(self.s)
                self.assertEqual(self.world.try_to_add("Nachher Da").status, 201)
                self.assertEqual(self.world.look(), self.world.lists)
                self.assertEqual(self.s.stop(), 0)
                done = subprocess.run([BINARY, "--data", str(self.s.data), "verify"], capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_views_moved_away_under_way(self):
        """They are disposable: opened or made anew at the place, with an alarm, and complete."""
        for put_back in (False, True):
            with self.subTest(put_back=put_back):
                self.world.put_back()
                self.world.start()
                place = self.s.data / "views/1"
                away = place.rename(self.home / "away")
                if put_back:
                    shutil.copytree(away, self.home / "copy")
                    (self.home / "copy").rename(place)
                answers = []
                self.eventually(lambda: answers.append(self.world.try_to_add("Steht Da")) or answers[-1].status == 201)
                self.assertTrue(all(answer.status in (201, 503) for answer in answers))  # 503: opened anew just then
                self.assertLess(len(answers), 100)  # ten seconds
                self.eventually(lambda: "[store_missing]" in self.s.log_text())
                self.assertRegex(self.s.log_text(), rf"(?m)^siegel: ALARM .*place={re.escape(str(place))}.*\[store_missing\]$")
                self.eventually(lambda: self.s.request("GET", "/readyz", token=None).status == 200 and self.views().exists())
                wait_for_index(self.s)
                self.assertEqual(self.world.try_to_add("Nachher Da").status, 201)
                self.assertEqual(self.world.look(), self.world.lists)
                shutil.rmtree(away)
                self.assertEqual(self.s.stop(), 0)

    def views(self):
        """Where they stand now: those that are made anew stand beside the ones before."""
        return self.s.data / "views" / (self.s.data / "VIEWS").read_text().strip()

    def eventually(self, what):
        end = time.monotonic() + 60
        while not what():
            self.assertLess(time.monotonic(), end, "it does not happen")
            time.sleep(0.1)

    def test_damage_that_a_read_meets_is_told(self):
        self.world.start()
        records = [self.world.add(f"{PERSON} {i}", news="x" * 8_000) for i in range(200, 240)]
        for i in range(300, 440):  # a start reads the newest events itself
            self.world.add(f"{PERSON} {i}")
        self.assertEqual(self.s.stop(), 0)
        self.world.start()  # makes tables of the logs
        table = max((self.s.data / "ledger").glob("*.sst"), key=lambda p: p.stat().st_size)
        flip(table, table.stat().st_size // 2)
        self.assertEqual(self.s.request("GET", "/v1/status").json["checks"], [])
        met = [self.s.request("GET", f"/v1/records/{record['record']}/history", token=self.s.tokens["editor"]).status
               for record in records]
        self.assertIn(503, met)
        self.eventually(lambda: self.s.request("GET", "/v1/status").json["checks"] == ["store_damaged"])
        ready = self.s.request("GET", "/readyz", token=None)
        self.assertEqual((ready.status, ready.json["checks"]), (200, ["store_damaged"]))
        self.assertIn("siegel_store_damaged 1", self.s.request("GET", "/metrics", token=None).body.decode())
        told = [line for line in self.s.log_text().splitlines() if "ALARM" in line]
        self.assertEqual(len(told), 1, told)
        self.assertEqual(self.world.try_to_add("Geht Weiter").status, 201)
        # It does not hide what becomes of the keys.
        away = (self.s.data / "keys").rename(self.home / "away")
        self.eventually(lambda: self.s.request("GET", "/readyz", token=None).json["checks"] == ["store_missing"])
        away.rename(self.s.data / "keys")
        self.eventually(lambda: self.s.request("GET", "/readyz", token=None).status == 200)
        self.assertIn(str(self.s.data / "ledger"), told[0])
        self.assertIn(table.name, told[0])
        self.assertEqual(self.s.stop(), 0)

    def test_manifest_damaged(self):
        """Of a store that is the truth: what was synced once is never passed over, and nothing is swept."""
        for store in ("ledger", "keys"):
            for name in ("middle", "end", "cut"):
                with self.subTest(f"{store} {name}"):
                    self.world.put_back()
                    manifest = manifest_of(self.s.data / store)
                    size = manifest.stat().st_size
                    if name == "cut":
                        os.truncate(manifest, size - 1)
                    else:
                        flip(manifest, size - 1 if name == "end" else size // 2)
                    self.refused("store_damaged", 1, untouched=(f"data/{store}", "data.root", "data.outside"))
                    self.mended(f"data/{store}")

    def test_what_a_power_loss_left_at_the_end_of_a_manifest(self):
        """As long as it was to be, some of its sectors never written: nobody was told of it, and it hinders nobody."""
        for store in ("ledger", "keys", "views/1"):
            for behind in (bytes(600), b"\0" * 300 + b"x" * 300, b"x" * 600, b"\1\2\3\4\x20\0\1" + b"x" * 0x20):
                with self.subTest(store):
                    self.world.put_back()
                    with open(manifest_of(self.s.data / store), "ab") as file:
                        file.write(behind)
                    verified = self.s.run("--json", "verify", check=False)
                    self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
                    self.mended()
                    self.assertNotIn("ALARM", self.s.log_text())
        self.assertEqual(list(self.s.data.glob("*evidence-*")), [])

    def test_views_older(self):
        self.world.put_back("before", "data/views")
        self.mended()

    def test_bad_byte_in_the_ledgers_log(self):
        log = largest_log(self.s.data / "ledger")
        flip(log, log.stat().st_size // 2)
        damaged = log.read_bytes()
        self.read_only("behind_lock_record")
        kept = list(self.s.data.glob("evidence-*"))
        self.assertEqual(len(kept), 1)
        self.assertEqual((kept[0] / log.name).read_bytes(), damaged)
        self.assertEqual((kept[0] / "head").read_bytes(), (self.home / "data.outside" / "head").read_bytes())
        self.assertEqual(kept[0].stat().st_mode & 0o777, 0o700)
        self.assertFalse(log.exists())  # RocksDB has dropped it
        self.assertIn(f"kept in {kept[0].name}", self.s.log_text())
        self.read_only("behind_lock_record")  # and stays so: it is not made good by a second start
        self.assertIn(f"kept in {kept[0].name}", self.s.log_text())
        self.assertEqual(list(self.s.data.glob("evidence-*")), kept)
        self.mended("data/ledger", "data/keys", "data/views")

    def test_what_a_power_loss_cut_off_is_no_evidence(self):
        """The end of a log that nobody was told of: the server starts as ever, and keeps nothing."""
        log = largest_log(self.s.data / "ledger")
        with open(log, "ab") as file:
            file.write(b"half a record")
        self.mended()
        self.assertEqual(list(self.s.data.glob("*evidence-*")), [])

    def behind_the_lock_record(self):
        """Records of the last moments before a kill, which the lock record does not know yet. Where they begin in the log."""
        self.world.start()
        time.sleep(1.5)  # the lock record knows the start
        log, head = largest_log(self.s.data / "ledger"), self.home / "data.outside" / "head"
        known, begin = head.read_bytes(), log.stat().st_size
        for i in range(10):
            self.world.add(f"{PERSON} {200 + i}")
        self.s.stop(9)
        head.write_bytes(known)
        return log, begin

    def test_bad_byte_behind_the_lock_record(self):
        log, begin = self.behind_the_lock_record()
        ledger = self.home / "whole"
        shutil.copytree(self.s.data / "ledger", ledger)
        flip(log, begin + 20)
        damaged = log.read_bytes()
        for _ in range(2):  # and stays so: it is not made good by a second start
            self.read_only("log_damaged")
            kept = list(self.s.data.glob("evidence-*"))
            self.assertEqual([(path / log.name).read_bytes() for path in kept], [damaged])
            self.assertIn(f"kept in {kept[0].name}", self.s.log_text())
            self.assertTrue((self.s.data / "LOST").exists())
        # The whole ledger is put back: nothing is in doubt.
        remove(self.s.data / "ledger")
        shutil.move(ledger, self.s.data / "ledger")
        self.world.start()
        self.assertFalse((self.s.data / "LOST").exists())
        self.assertEqual(self.world.look(), self.world.lists)
        self.world.stop()

    def test_bad_byte_behind_the_lock_record_is_adopted(self):
        log, begin = self.behind_the_lock_record()
        flip(log, begin + 20)
        self.read_only("log_damaged")
        self.assertEqual(self.s.run("lock", "adopt", "--reason", "a bad byte", "--yes", check=False).returncode, 0)
        self.assertFalse((self.s.data / "LOST").exists())
        self.s.run("rebuild", check=False)  # the read models know of the records that are gone
        self.world.start()
        self.world.stop()

    def test_bad_byte_in_the_last_record_is_a_torn_end(self):
        """What nothing stands behind was perhaps never acknowledged: a power loss looks the same."""
        log, _ = self.behind_the_lock_record()
        flip(log, log.stat().st_size - 3)
        remove(self.s.data / "views")
        self.world.start()
        self.assertEqual(self.world.look(), self.world.lists)
        self.world.stop()
        self.assertEqual(list(self.s.data.glob("*evidence-*")), [])

    def test_evidence_is_bounded(self):
        log = largest_log(self.s.data / "ledger")
        flip(log, log.stat().st_size // 2)
        for i in range(4):
            (self.s.data / f"evidence-2026110{i}T000000Z").mkdir()
        self.read_only("behind_lock_record")
        self.assertEqual(len(list(self.s.data.glob("evidence-*"))), 4)

    def test_bad_byte_at_the_end_of_the_ledgers_log(self):
        log = largest_log(self.s.data / "ledger")
        flip(log, log.stat().st_size - 3)
        self.read_only("behind_lock_record")

    def test_bad_byte_in_the_log_of_the_keys(self):
        log = largest_log(self.s.data / "keys")
        for part in (10, 4, 2):
            with self.subTest(part):
                self.world.put_back()
                flip(log, log.stat().st_size // part)
                self.refused("keys_behind", 4)
                self.mended("data/keys")

    def test_lock_record(self):
        head = self.home / "data.outside" / "head"
        head.unlink()
        self.read_only("lock_record_missing")
        head.write_text("not a note\n")
        self.read_only("lock_record_damaged")
        shown = self.s.run("lock", "show", check=False)
        self.assertNotIn("Zaunk", shown.stdout + shown.stderr)
        adopted = self.s.run("lock", "adopt", "--reason", "the disk of the lock record was lost", "--yes", check=False)
        self.assertEqual(adopted.returncode, 0, adopted.stderr)
        self.mended()

    def test_ledger_older(self):
        self.world.put_back("before", "data/ledger", "data/views")
        self.read_only("behind_lock_record")

    def test_signer_missing(self):
        (self.home / "data.outside" / "signer").unlink()
        self.refused("signer_missing", 1)
        self.mended("data.outside")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody who may not read")
    def test_not_permitted(self):
        def become_nobody():
            os.setgid(65534)
            os.setuid(65534)

        os.chmod(self.home, 0o755)
        self.refused("not_permitted", 1, preexec_fn=become_nobody, untouched=("data", "data.root", "data.outside"))
        os.chmod(self.s.data, 0o755)
        self.refused("not_permitted", 1, preexec_fn=become_nobody, untouched=("data", "data.root", "data.outside"))


class Mirrored(Damage):
    init = (("--key-replica", "replica"), ("--root-mirror", "mirror"))

    def test_copies_are_written(self):
        """What stands at the second place is enough to go on, without anything of the first."""
        roots = [(self.home / "data.root" / "root").read_bytes(), (self.home / "mirror" / "root").read_bytes()]
        for root in roots:
            self.assertEqual([root[at:at + 8] for at in (0, 4096)].count(b"SIEGELR1"), 1)
        remove(self.s.data / "keys")
        copy(self.home / "replica", self.s.data / "keys")
        shutil.copy2(self.home / "mirror" / "root", self.home / "data.root" / "root")
        self.mended()

    def test_replica_is_written_with_the_keys(self):
        """A leaf drawn a moment ago is on the replica before its record is acknowledged, and so is an erasure."""
        self.world.start()
        added = self.world.add("Nur Eben")
        erased = self.s.request("POST", "/v1/erasures",
                                {"subject": self.world.records[0]["subject"], "ground": "art17-1-b", "mode": "now"})
        self.assertEqual(erased.status, 201, erased.body)
        certificate = self.s.request("GET", erased.json["certificate"], token=self.s.tokens["auditor"],
                                     headers={"Siegel-At-Least": erased.json["position"]}).json
        self.s.stop(9)
        remove(self.s.data / "keys")
        copy(self.home / "replica", self.s.data / "keys")
        self.world.start()
        shown = self.s.request("GET", f"/v1/records/{added['record']}", token=self.s.tokens["editor"])
        self.assertEqual((shown.status, shown.json["values"]["name"]), (200, "Nur Eben"))
        gone = self.s.request("GET", f"/v1/records/{self.world.records[0]['record']}", token=self.s.tokens["editor"])
        self.assertEqual((gone.status, gone.code), (410, "erased"))
        self.assertEqual(certificate["epoch"], erased.json["epoch"])
        self.assertEqual(self.s.stop(), 0)

    def test_one_root_missing_or_torn(self):
        for name in ("data.root/root", "mirror/root"):
            for how in ("missing", "torn", "older"):
                with self.subTest(f"{name} {how}"):
                    self.world.put_back()
                    root = self.home / name
                    if how == "missing":
                        root.unlink()
                    elif how == "torn":
                        root.write_bytes(root.read_bytes()[:5000])
                    else:
                        self.world.put_back("before", name.split("/")[0])
                    self.mended()
                    told = f"no erasure ends until they are back: {root} [root_store_unavailable]\n" in self.s.log_text()
                    self.assertEqual(told, how != "older")

    def test_verify_reads_keys_and_replicas(self):
        """What has rotted at a second place is found before it is needed."""
        for place in (self.s.data / "keys", self.home / "replica"):
            with self.subTest(place.name):
                self.world.put_back()
                self.world.start()  # makes tables of the logs
                self.assertEqual(self.s.stop(), 0)
                done = subprocess.run([BINARY, "--data", str(self.s.data), "verify"], capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout)
                table = max(place.glob("*.sst"), key=lambda p: p.stat().st_size)
                flip(table, table.stat().st_size // 3)
                done = subprocess.run([BINARY, "--data", str(self.s.data), "verify"], capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 3, done.stdout)
                self.assertIn(f"A keys store or a replica of it is damaged. ({table})", done.stdout)
                done = subprocess.run([BINARY, "--lang", "de", "--data", str(self.s.data), "verify"], capture_output=True, text=True, timeout=120)
                self.assertIn(f"Zweitkopie davon ist beschädigt. ({table})", done.stdout)
                backup = self.home / "backup"
                if place.name == "replica":  # what is wrong with the living system is not wrong with its backup
                    self.s.run("backup", str(backup), check=False)
                    done = subprocess.run([BINARY, "--data", str(backup), "verify"], capture_output=True, text=True, timeout=120)
                    self.assertNotIn("replica", done.stdout)
                    self.assertNotIn("unreadable", done.stdout)

    def test_older_replica_is_brought_up(self):
        self.world.put_back("before", "replica")
        self.mended()
        remove(self.s.data / "keys")
        copy(self.home / "replica", self.s.data / "keys")
        self.mended()

    def test_keys_behind_their_replica(self):
        self.world.put_back("before", "data/keys")
        self.refused("keys_behind", 4)
        self.mended("data/keys")

    def test_replica_missing(self):
        """What has its key goes on; nothing is sealed under a key that a lost disk would take."""
        remove(self.home / "replica")
        self.world.start()
        self.assertIn("siegel: ALARM 1 replica(s) of the keys are away: what needs a new key waits until they are back: "
                      f"{self.home / 'replica'} [keys_replica_unavailable]\n", self.s.log_text())
        self.assertEqual(self.world.look(), self.world.lists)
        refused = self.world.try_to_add("Neu Da")
        self.assertEqual((refused.status, refused.code), (503, "keys_replica_unavailable"), refused.body)
        self.assertTrue(refused.headers["Retry-After"])
        # Attached again it is brought up, and writing goes on without a restart.
        copy(self.world.copies / "after" / "replica", self.home / "replica")
        deadline = time.monotonic() + 60
        while self.world.try_to_add("Neu Da").status != 201:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(self.s.stop(), 0)

    ALL = ("data", "data.root", "data.outside", "replica", "mirror")

    def test_places_damaged(self):
        """A mirror that is passed over keeps the root of whoever is erased later."""
        path = self.s.data / "PLACES"
        whole = path.read_text()
        self.assertIn("\nmembers 2\n", whole)
        lines = whole.splitlines(keepends=True)
        hows = {"mistyped mirror": (whole.replace("root-mirror ", "root-miror "), 5), "mistyped replica": (whole.replace("key-", "kay-"), 4),
                "cut off in a line": (whole[:whole.index("/mirror") + 4], 5), "first lines only": ("".join(lines[:3]), 3),
                "not counted": ("".join(lines[:-1]), 5), "a line is missing": ("".join(lines[:3] + lines[4:]), 5),
                "relative": (whole.replace(f"root-mirror {self.home}/", "root-mirror "), 5), "a word twice": (lines[0] + whole, 2),
                "something else": (whole.replace("members", "unfug x\nmembers"), 6), "empty": ("", 1)}
        for how, (text, line) in hows.items():
            with self.subTest(how):
                path.write_text(text)
                self.refused("places_damaged", 2, f"{path}:{line}", "members 2", untouched=self.ALL)
        path.write_text(hows["mistyped mirror"][0])
        for command in (["verify"], ["lock", "show"], ["lock", "adopt", "--reason", "test", "--yes"], ["rebuild"], ["backup", "b"],
                        ["export-log", "e"], ["token", "create", "--local", "--role", "admin"], ["init", "--single-disk"]):
            with self.subTest(command[0]):
                before = contents(*(self.home / name for name in self.ALL))
                done = subprocess.run([BINARY, "--lang", "de", "--data", str(self.s.data), *command], capture_output=True, text=True,
                                      timeout=60, cwd=self.home)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(f"Eine Zeile von PLACES beginnt mit einem unbekannten Wort. (Stelle={path}:5) [places_damaged]", done.stderr)
                self.assertIn("was zu tun ist: Die Datei PLACES", done.stderr)
                self.assertEqual(contents(*(self.home / name for name in self.ALL)), before)
        self.assertFalse((self.home / "b").exists() or (self.home / "e").exists())
        self.mended("data/PLACES")

    def test_places_gone(self):
        (self.s.data / "PLACES").unlink()
        self.refused("places_damaged", 2, untouched=self.ALL)
        self.mended("data/PLACES")

    def test_places_changed_on_purpose(self):
        """Each start says which second places there are."""
        path = self.s.data / "PLACES"
        replica, mirror = f"siegel: key replica: {self.home / 'replica'}\n", f"siegel: root mirror: {self.home / 'mirror' / 'root'}\n"
        whole = path.read_text()
        self.world.start()
        self.assertIn(replica + mirror, self.s.log_text())
        self.assertEqual(self.s.stop(), 0)
        (self.s.home / "server.log").write_bytes(b"")
        path.write_text(re.sub("root-mirror .*\n", "", whole).replace("members 2", "members 1"))
        self.world.start()
        self.assertIn(replica, self.s.log_text())
        self.assertNotIn("root mirror: ", self.s.log_text())
        self.assertEqual(self.s.request("GET", "/v1/status").json["warnings"][0], "single_disk")
        self.assertEqual(self.s.stop(), 0)
        # A new one gets a copy of what it is to be the second of, as docs/operations.md says.
        (self.home / "other").mkdir()
        shutil.copy2(self.home / "data.root" / "root", self.home / "other" / "root")
        copy(self.s.data / "keys", self.home / "other" / "keys")
        path.write_text(whole.replace("members 2", f"root-mirror {self.home}/other/root\nkey-replica {self.home}/other/keys\nmembers 4"))
        (self.s.home / "server.log").write_bytes(b"")
        self.world.start()
        self.assertEqual(self.world.try_to_add("Neu Da").status, 201)
        before = (self.home / "other" / "root").read_bytes()
        erased = self.s.request("POST", "/v1/erasures", {"subject": self.world.records[0]["subject"], "ground": "art17-1-b", "mode": "now"})
        self.assertEqual((erased.status, erased.json["state"]), (201, "effective"), erased.body)
        self.assertNotEqual((self.home / "other" / "root").read_bytes(), before)
        self.assertEqual(self.s.request("GET", "/v1/status").json["checks"], [])
        self.assertEqual(self.s.stop(), 0)
        self.assertNotIn("ALARM", self.s.log_text())


del Damage

if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
