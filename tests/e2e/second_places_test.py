"""The second places fail while the server runs: a key replica that hangs as a dead network mount does, or whose
directory is deleted, a member of the root mirror that is damaged or away. Nobody waits for them who need not, and erasures
end by themselves once they are back.

usage: second_places_test.py SIEGEL_BINARY
A replica hangs for real: where RocksDB will make its next log stands a FIFO that nobody reads, and opening it blocks.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import add, erase, expect, get, prepare  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
REPLICA_WAIT_MS = 500
SOON = 20  # seconds, on a machine under load; without a bound it would be for ever
# So many leaves ahead that the log of the keys is nearly full: some erasures later RocksDB makes a new one.
SPARE_LEAVES = 21_000


def wait_until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


class SecondPlaces(unittest.TestCase):
    def setUp(self):
        self.s = Siegel(BINARY, environment={"SIEGEL_VAULT_SPARE_LEAVES": str(SPARE_LEAVES), "SIEGEL_VAULT_REPLICA_WAIT_MS": str(REPLICA_WAIT_MS)})
        self.s.__enter__()
        self.replica, self.mirror = self.s.home / "replica", self.s.home / "mirror" / "root"
        prepare(self.s, init=("--key-replica", str(self.replica), "--root-mirror", str(self.mirror.parent)))
        self.fifos = []

    def tearDown(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", []) or [])
        self.s.__exit__(AssertionError if failed else None, None, None)

    def person(self, name):
        return expect(add(self.s, {"name": name, "e-mail": f"{name}@example.org"}), 201).json

    def metric(self, name):
        text = self.s.request("GET", "/metrics", token=None).body.decode()
        return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])

    def checks(self):
        """What is named while reads and writes are served."""
        for _ in range(10):  # both say the same, but for what changes between them
            ready = expect(self.s.request("GET", "/readyz", token=None), 200).json
            self.assertTrue(ready["ready"])
            status = self.s.request("GET", "/v1/status").json["checks"]
            if status == ready["checks"]:
                break
        self.assertEqual(status, ready["checks"])
        return status

    def quickly(self, call):
        began = time.monotonic()
        answer = call()
        self.assertLess(time.monotonic() - began, SOON)
        return answer

    def hang(self):
        """Erases people until the replica's next log is wanted: answers who is living, who erased, and who waits."""
        living = [self.person(f"living-{i}") for i in range(3)]
        wait_until(lambda: self.metric("siegel_key_replicas_away") == 0)
        newest = max(int(path.name.split(".")[0].rsplit("-")[-1]) for path in self.replica.iterdir()
                     if path.name.split(".")[0].rsplit("-")[-1].isdigit())
        self.fifos = [self.replica / f"{number:06}.log" for number in range(newest + 1, newest + 60)]
        for fifo in self.fifos:
            os.mkfifo(fifo)
        erased = []
        for i in range(120):
            person = self.person(f"doomed-{i}")
            answer = self.quickly(lambda: expect(erase(self.s, person["subject"]), 201, 202))  # noqa: B023
            erased.append((person, answer.json["erasure"]))
            if answer.status == 202:
                return living, erased
        self.fail("the log of the replica does not get full")

    def let_go(self):
        """The disk answers again: a call that hangs is begun anew after a stop, and finds no FIFO any more."""
        for fifo in self.fifos:
            with contextlib.suppress(FileNotFoundError):  # RocksDB may have swept it
                fifo.unlink()
        if self.s.process is not None:
            threads = pathlib.Path(f"/proc/{self.s.process.pid}/task")
            self.s.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: all((thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads.iterdir()))
            self.s.process.send_signal(signal.SIGCONT)

    def all_gone(self, erased):
        for person, _ in erased:
            self.assertEqual(get(self.s, f"/v1/records/{person['record']}").status, 410)

    def test_a_replica_that_hangs_stops_nobody(self):
        s = self.s
        living, erased = self.hang()
        self.assertEqual(self.checks(), ["keys_replica_unavailable"])
        self.assertEqual(self.metric("siegel_key_replicas_away"), 1)
        wait_until(lambda: "ALARM" in s.log_text())
        for i in range(3):  # more of them, and everything else
            person = self.person(f"late-{i}")
            answer = self.quickly(lambda: expect(erase(s, person["subject"], mode="window" if i else "now"), 202))  # noqa: B023
            erased.append((person, answer.json["erasure"]))
            self.quickly(lambda: expect(s.request("PATCH", f"/v1/records/{living[i]['record']}", {"values": {"born": "1990-01-01"}},  # noqa: B023
                                                  token=s.tokens["editor"]), 200))
            self.quickly(lambda: expect(get(s, f"/v1/records/{living[i]['record']}"), 200))  # noqa: B023
        person = self.person("by-command")
        env = {**os.environ, "SIEGEL_TOKEN": s.tokens["privacy_officer"], "SIEGEL_SERVER": f"http://127.0.0.1:{s.port}"}
        done = subprocess.run([BINARY, "erase", "--subject", person["subject"], "--ground", "art17-1-b", "--now", "--yes"],
                              capture_output=True, text=True, timeout=120, env=env)
        self.assertEqual(done.returncode, 5, done.stderr)  # ER-11: done in part
        self.assertIn("the keys are not destroyed yet", done.stderr)
        erased.append((person, None))
        self.all_gone(erased)  # fenced is unreadable
        self.assertGreater(s.request("GET", "/v1/status").json["erasures_open"], 0)
        self.let_go()
        wait_until(lambda: s.request("GET", "/v1/status").json["erasures_open"] == 0)
        wait_until(lambda: self.checks() == [])
        self.assertEqual(self.metric("siegel_key_replicas_away"), 0)
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])
        # The replica has all of it.
        shutil.rmtree(s.data / "keys")
        shutil.copytree(self.replica, s.data / "keys")
        s.serve()
        for person in living:
            self.assertEqual(expect(get(s, f"/v1/records/{person['record']}"), 200).json["values"]["born"], "1990-01-01")
        self.all_gone(erased)
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])

    def test_an_end_while_a_replica_hangs(self):
        s = self.s
        living, erased = self.hang()
        began = time.monotonic()
        self.assertEqual(s.stop(), 1)
        self.assertLess(time.monotonic() - began, SOON)
        self.assertIn("ended without waiting", s.log_text())
        self.let_go()
        s.serve()
        wait_until(lambda: s.request("GET", "/v1/status").json["erasures_open"] == 0)
        for person in living:
            expect(get(s, f"/v1/records/{person['record']}"), 200)
        self.all_gone(erased)
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])

    def test_a_replica_that_is_deleted(self):
        s = self.s
        stays = self.person("stays")
        self.assertEqual(s.stop(), 0)
        copy = s.home / "copy"
        shutil.copytree(self.replica, copy)
        s.serve()
        wait_until(lambda: self.checks() == [])
        told = f"ALARM 1 replica(s) of the keys are away: what needs a new key waits until they are back: {self.replica} [keys_replica_unavailable]\n"
        for number, back in enumerate(("missing", "empty")):
            before = len(s.log_text())
            elsewhere = self.replica.rename(s.home / f"elsewhere-{number}")
            if back == "empty":
                self.replica.mkdir()  # as where its disk is not mounted
            else:
                shutil.rmtree(elsewhere)
            wait_until(lambda: told in s.log_text()[before:], SOON)  # noqa: B023
            self.assertEqual(self.checks(), ["keys_replica_unavailable"])
            self.assertEqual(self.metric("siegel_key_replicas_away"), 1)
            person = self.person(f"doomed-{number}")
            answer = expect(erase(s, person["subject"]), 202)
            self.assertEqual(get(s, f"/v1/records/{person['record']}").status, 410)
            if back == "empty":
                self.assertEqual(list(self.replica.iterdir()), [])
                self.replica.rmdir()
            shutil.copytree(copy, s.home / "new")  # older: what it lacks is copied
            (s.home / "new").rename(self.replica)  # at once: it is tried each second
            wait_until(lambda: self.checks() == [])
            wait_until(lambda: s.request("GET", "/v1/status").json["erasures_open"] == 0)
            certificate = expect(get(s, f"/v1/erasures/{answer.json['erasure']}/certificate", "auditor"), 200).json
            self.assertEqual(certificate["key_replicas"], 1)
            expect(get(s, f"/v1/records/{stays['record']}"), 200)
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])
        shutil.rmtree(s.data / "keys")
        shutil.copytree(self.replica, s.data / "keys")
        s.serve()
        expect(get(s, f"/v1/records/{stays['record']}"), 200)
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])

    def test_a_root_that_is_damaged_or_away_under_way(self):
        s = self.s
        first = s.home / "data.root" / "root"
        stays = self.person("stays")
        for number, root in enumerate((self.mirror, first)):
            content = bytearray(root.read_bytes())
            for slot in (0, 4096):
                content[slot + 100] ^= 0xff
            with open(root, "r+b") as file:
                file.write(content)
            answer = expect(erase(s, self.person(f"damaged-{number}")["subject"]), 201)
            self.assertEqual(answer.json["state"], "effective")
            healed = root.read_bytes()
            self.assertEqual([healed[at:at + 8] for at in (0, 4096)].count(b"SIEGELR1"), 1)
            slots = [next(content[at:at + 512] for at in (0, 4096) if content[at:at + 8] == b"SIEGELR1")
                     for content in (self.mirror.read_bytes(), first.read_bytes())]
            self.assertEqual(slots[0], slots[1])
            self.assertEqual(self.metric("siegel_root_stores_healed"), number + 1)
            wait_until(lambda: s.log_text().count("ALARM") == number + 1)  # noqa: B023
            self.assertEqual(self.checks(), [])

        away = self.mirror.rename(self.mirror.with_name("elsewhere"))
        waits = self.person("waits")
        answer = expect(erase(s, waits["subject"]), 202)
        self.assertEqual(get(s, f"/v1/records/{waits['record']}").status, 410)
        self.assertEqual(self.checks(), ["root_store_unavailable"])
        self.assertEqual(self.metric("siegel_root_stores_away"), 1)
        wait_until(lambda: s.log_text().count("ALARM") == 3)
        expect(get(s, f"/v1/records/{stays['record']}"), 200)
        away.rename(self.mirror)
        wait_until(lambda: s.request("GET", "/v1/status").json["erasures_open"] == 0)
        self.assertEqual(self.checks(), [])
        shown = expect(get(s, f"/v1/erasures/{answer.json['erasure']}", "privacy_officer"), 200).json
        self.assertEqual(shown["state"], "effective")
        self.assertEqual(s.stop(), 0, s.log_text()[-3000:])


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
