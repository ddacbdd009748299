"""A disk that is full: writes are refused, looking at the server goes on, nothing crashes; room is made and the server
writes again by itself, with every record that was acknowledged.

usage: full_disk_test.py SIEGEL_BINARY
The data directory lies on a small tmpfs: mounting it takes root. Without root the test says so and is skipped (77).
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import prepare, wait_for_index  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
DISK_MIB = 192
SKIPPED = 77
FOR_CHANGES = 64 << 20  # room.h: below it only looks are taken, with their traces
KEPT_FREE = 16 << 20  # rocks_store.h: below it the server stops by itself; above it, its own writes use the rest up


class SmallDisk:
    """A tmpfs of a few MiB at a directory, and what fills it."""

    def __init__(self, at, mebibytes=DISK_MIB):
        self.at = at
        at.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(at)], check=True)
        self.ballast = at / "BALLAST"

    def free(self):
        state = os.statvfs(self.at)
        return state.f_bavail * state.f_frsize

    def fill(self, leave=0):
        with open(self.ballast, "ab") as file:
            while self.free() > leave:
                try:
                    file.write(b"\0" * max(1, min(1 << 20, self.free() - leave)))
                    file.flush()
                except OSError:
                    return

    def make_room(self):
        self.ballast.unlink(missing_ok=True)

    def unmount(self):
        subprocess.run(["umount", str(self.at)], check=True)


def metrics(s):
    answer = s.request("GET", "/metrics", token=None)
    assert answer.status == 200, answer.status
    return dict(line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if not line.startswith("#"))


class FullDisk(unittest.TestCase):
    # Reads that no event needs to stand behind: they go on.
    WITHOUT_A_TRACE = (("/v1/record-types", "editor"), ("/v1/purposes/customer-care", "editor"), ("/v1/tokens", "admin"),
                       ("/v1/erasures", "privacy_officer"), ("/v1/events?from=0&limit=5", "auditor"), ("/v1/log/checkpoint", "auditor"),
                       ("/v1/log/proofs/inclusion?index=1&size=3", "auditor"), ("/v1/openapi.yaml", "editor"))

    def setUp(self):
        self.s = Siegel(BINARY)
        self.disk = SmallDisk(self.s.data)
        self.addCleanup(self.end)
        prepare(self.s, news="text")
        self.acknowledged = {}
        self.count = 0

    def end(self):
        if self.s.process is not None:
            self.s.stop(9)
        self.disk.unmount()
        shutil.rmtree(self.s.home, ignore_errors=True)

    def alive(self):
        self.assertIsNone(self.s.process.poll(), self.s.log_text()[-3000:])

    def add(self):
        self.count += 1
        values = {"name": f"Full {self.count} " + "x" * random.randrange(400), "e-mail": f"full{self.count}@example.org"}
        answer = self.s.request("POST", "/v1/record-types/contacts/records", {"values": values}, token=self.s.tokens["editor"])
        if answer.status == 201:
            self.acknowledged[answer.json["record"]] = values["name"]
        return answer

    def add_until_refused(self, at_most=20_000):
        for _ in range(at_most):
            answer = self.add()
            if answer.status != 201:
                self.assertEqual((answer.status, answer.code), (503, "read_only"), answer.body)
                self.assertIn("Retry-After", answer.headers)
                return
        self.fail("the disk does not get full")

    def wait_until_writing(self, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.alive()
            if self.s.request("GET", "/readyz", token=None).status == 200:
                answer = self.add()
                if answer.status == 201:
                    return answer
                self.assertEqual(answer.status, 503, answer.body)
            time.sleep(0.2)
        self.fail("the server does not write again: " + self.s.log_text()[-3000:])

    def check_all_there(self):
        for record, name in self.acknowledged.items():
            shown = self.s.request("GET", f"/v1/records/{record}", token=self.s.tokens["editor"])
            self.assertEqual((shown.status, shown.json.get("values", {}).get("name")), (200, name), shown.body)

    def look(self, record):
        return self.s.request("GET", f"/v1/records/{record}", token=self.s.tokens["editor"])

    def look_until_refused(self, at_most=40_000):
        """Each look leaves a trace, and these use up what is kept for them."""
        record = next(iter(self.acknowledged))
        for looks in range(at_most):
            answer = self.look(record)
            if answer.status != 200:
                self.assertEqual((answer.status, answer.code), (503, "read_only"), answer.body)
                return looks
        self.fail("the room kept for traces does not end")

    def test_looking_goes_on_when_changes_do_not(self):
        self.assertEqual(self.add().status, 201)
        opened = self.s.log_text().count("takes writes again")
        self.disk.fill(FOR_CHANGES - (8 << 20))
        time.sleep(0.5)
        self.add_until_refused(1)
        erase = self.s.request("PATCH", f"/v1/records/{next(iter(self.acknowledged))}", {"values": {"name": "Other"}},
                               token=self.s.tokens["editor"])
        self.assertEqual((erase.status, erase.code, erase.json["reason"]), (503, "read_only", "disk_full"), erase.body)
        size = self.s.request("GET", "/v1/status").json["size"]
        for _ in range(50):
            self.check_all_there()
        status = self.s.request("GET", "/v1/status").json
        self.assertEqual((status["read_only"], [r["code"] for r in status["reasons"]]), (True, ["disk_full"]))
        self.assertGreaterEqual(status["size"], size + 50)  # every look left its trace
        self.assertEqual(self.s.request("GET", "/readyz", token=None).status, 503)
        self.assertEqual(float(metrics(self.s)["siegel_read_only"]), 1)
        end = time.monotonic() + 20  # it is told within a second
        while "ALARM There is little room left" not in self.s.log_text():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.disk.make_room()
        self.wait_until_writing()
        self.assertEqual(self.s.log_text().count("takes writes again"), opened, "it was opened anew for nothing")
        self.assertEqual(float(metrics(self.s)["siegel_read_only"]), 0)

    def test_full_and_room_again(self):
        self.assertEqual(float(metrics(self.s)["siegel_read_only"]), 0)
        first = self.add()
        self.assertEqual(first.status, 201, first.body)
        # Another amount of room left each time: another write is the one that meets the end.
        for leave in (0, 200_000, KEPT_FREE + 300_000, KEPT_FREE + 3_000_000):
            with self.subTest(leave=leave):
                self.disk.fill(leave)
                self.add_until_refused()
                self.look_until_refused()
                self.alive()
                seen, others = set(), {path: set() for path, _ in self.WITHOUT_A_TRACE}
                for _ in range(16):  # also while the server tries to open its stores again, every two seconds
                    self.alive()
                    self.assertEqual(self.s.request("GET", "/healthz", token=None).status, 200)
                    ready = self.s.request("GET", "/readyz", token=None)
                    self.assertEqual(ready.status, 503, ready.body)
                    self.assertEqual(float(metrics(self.s)["siegel_read_only"]), 1)
                    status = self.s.request("GET", "/v1/status")
                    seen.add(status.status)
                    if status.status == 200:
                        self.assertTrue(status.json["read_only"])
                        self.assertTrue(status.json["reasons"])
                    for path, role in self.WITHOUT_A_TRACE:
                        others[path].add(self.s.request("GET", path, token=self.s.tokens.get(role, self.s.token)).status)
                    # A look at a person must leave a trace, and there is no room for one. (Above the mark one may
                    # find room again: what needs a new key wants more of it than what does not.)
                    look = self.look(next(iter(self.acknowledged)))
                    if leave < KEPT_FREE or look.status != 200:
                        self.assertEqual((look.status, look.code), (503, "read_only"), look.body)
                    refused = self.add()
                    self.assertEqual((refused.status, refused.code), (503, "read_only"), refused.body)
                    time.sleep(0.3)
                self.assertIn(200, seen, "status is not answered while the disk is full")
                for path, statuses in others.items():  # 503 only for the moment of opening again
                    self.assertIn(200, statuses, f"{path} is not answered while the disk is full")
                    self.assertLessEqual(statuses, {200, 503}, path)
                self.disk.make_room()
                self.wait_until_writing()
                wait_for_index(self.s)
                status = self.s.request("GET", "/v1/status").json
                self.assertFalse(status["read_only"])
                self.assertEqual(status["reasons"], [])
                self.assertEqual(float(metrics(self.s)["siegel_read_only"]), 0)
                self.check_all_there()
        # The ledger has no gap, and a restart finds the same.
        self.assertEqual(self.s.stop(), 0)
        self.s.serve()
        wait_for_index(self.s)
        self.check_all_there()
        size = self.s.request("GET", "/v1/status").json["size"]
        lines = []
        while len(lines) < size:
            answer = self.s.request("GET", f"/v1/events?from={len(lines)}&limit=1000", token=self.s.tokens["auditor"])
            lines += answer.body.splitlines()
        self.assertEqual([json.loads(line)["seq"] for line in lines[:size]], list(range(size)))
        for name in self.acknowledged.values():
            self.assertNotIn(name, self.s.log_text())

    def test_filled_while_many_write(self):
        """Somebody else takes the room in the middle of writes, so that RocksDB itself meets the end."""
        stop = threading.Event()
        acknowledged, answers = {}, set()

        def work(number):
            client = Siegel(BINARY, directory=self.s.home)
            client.port, client.connection, count = self.s.port, None, 0
            while not stop.is_set():
                count += 1
                values = {"name": f"Many {number} {count} " + "x" * 3000, "e-mail": f"many{number}.{count}@example.org"}
                answer = client.request("POST", "/v1/record-types/contacts/records", {"values": values},
                                        token=self.s.tokens["editor"])
                answers.add((answer.status, answer.code if answer.status != 201 else None))
                if answer.status == 201:
                    acknowledged[answer.json["record"]] = values["name"]
            client.connection.close()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(1)
            self.disk.fill()
            time.sleep(4)
            self.alive()
            self.disk.make_room()
            self.wait_until_writing()
        stop.set()
        for thread in threads:
            thread.join()
        self.alive()
        self.assertEqual(answers - {(503, "starting")}, {(201, None), (503, "read_only")})
        self.acknowledged.update(acknowledged)
        wait_for_index(self.s)
        self.check_all_there()
        self.assertEqual(self.s.stop(), 0)

    def test_started_on_a_full_disk(self):
        for _ in range(20):
            self.assertEqual(self.add().status, 201)
        self.assertEqual(self.s.stop(), 0)
        self.disk.fill()
        process = subprocess.run([BINARY, "--data", str(self.s.data), "serve", "--listen", "127.0.0.1:0"],
                                 capture_output=True, text=True, timeout=120)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn("[disk_full]", process.stderr)
        self.disk.make_room()
        self.s.serve()
        wait_for_index(self.s)
        self.check_all_there()

    def test_killed_while_full(self):
        self.disk.fill(100_000)
        self.add_until_refused()
        self.s.stop(9)
        self.disk.make_room()
        self.s.serve()
        wait_for_index(self.s)
        self.check_all_there()
        self.assertEqual(self.add().status, 201)


class LittleRoom(unittest.TestCase):
    """With little room a start works, or it says that the disk is full: it never waits for room without a word."""
    WITHIN = 60  # seconds; it is one or two, on a machine that does nothing else

    def setUp(self):
        self.s = Siegel(BINARY)
        self.disk = SmallDisk(self.s.data)
        self.addCleanup(self.end)

    def end(self):
        if self.s.process is not None:
            self.s.stop(9)
        self.disk.unmount()
        shutil.rmtree(self.s.home, ignore_errors=True)

    def full_or(self, code, errors, *good):
        self.assertIn(code, (1, *good), errors)
        if code == 1:
            self.assertIn("[disk_full]", errors)
            self.assertIn("siegel: what to do: Make room", errors)

    def run_siegel(self, *words):
        return subprocess.run([BINARY, "--data", str(self.s.data), *words], capture_output=True, text=True, timeout=self.WITHIN)

    def serve_or_full(self, filled=False):
        free = self.disk.free()
        with open(self.s.home / "starts.log", "w+") as log:
            process = subprocess.Popen([BINARY, "--data", str(self.s.data), "serve", "--listen", "127.0.0.1:0"],
                                       stdout=subprocess.PIPE, stderr=log, text=True)
            watch = threading.Timer(self.WITHIN, process.kill)
            watch.start()
            line = process.stdout.readline()
            if line:
                self.assertIn("listening on", line)
                with urllib.request.urlopen(line.split()[-1] + "/healthz", timeout=self.WITHIN) as answer:
                    self.assertEqual(answer.status, 200)
                process.send_signal(signal.SIGTERM)
            code = process.wait()
            watch.cancel()
            process.stdout.close()
            log.seek(0)
            self.assertEqual(code == 0, bool(line), code)
            self.full_or(code, log.read(), 0)
        if code == 1 and not filled:
            # One page may be the lock's, which is written once.
            self.assertLessEqual(free - self.disk.free(), 4096, "a start that was refused used up some of the disk")
        return code

    def test_a_start_with_little_room_works_or_says_so(self):
        self.s.run("init", "--single-disk")
        codes = []
        commands = [("token", "create", "--local", "--role", "admin"), ("rebuild",), ("lock", "show"), ("verify",),
                    ("backup", str(self.s.home / "backup"))]
        # Opening the stores takes room for their logs: which of them meets the end is another one at each level.
        for mebibytes, some in ((0, 1), (4, 1), (20, 1), (27, 5), (40, 5), (64, 1), (128, 1)):
            with self.subTest(mebibytes=mebibytes):
                self.disk.fill(mebibytes << 20)
                codes.append(self.serve_or_full())
                for words in commands[:some]:
                    done = self.run_siegel(*words)
                    with self.subTest(words[0]):
                        self.full_or(done.returncode, done.stderr, 0)
                shutil.rmtree(self.s.home / "backup", ignore_errors=True)
                self.disk.make_room()
        self.assertEqual(self.serve_or_full(), 0)
        self.assertEqual((codes[0], codes[-2:]), (1, [0, 0]), codes)  # both were met
        self.assertEqual(self.run_siegel("verify").returncode, 0)


    def test_filled_while_it_starts(self):
        """Somebody else takes the room at some moment of a start that had enough of it, with read models far behind."""
        prepare(self.s, news="text")
        for i in range(300):
            values = {"name": f"Late {i}", "e-mail": f"late{i}@example.org"}
            self.assertEqual(self.s.request("POST", "/v1/record-types/contacts/records", {"values": values},
                                            token=self.s.tokens["editor"]).status, 201)
        self.assertEqual(self.s.stop(), 0)
        codes = []
        for delay in (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5):
            with self.subTest(delay=delay):
                for name in ("views", "VIEWS"):
                    path = self.s.data / name
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                filler = threading.Timer(delay, self.disk.fill)
                filler.start()
                codes.append(self.serve_or_full(filled=True))
                filler.join()
                self.disk.make_room()
        self.s.serve()
        wait_for_index(self.s)
        self.assertEqual(self.s.stop(), 0)
        self.assertEqual(self.run_siegel("verify").returncode, 0)
        self.assertIn(1, codes)


class SmallDisks(unittest.TestCase):
    def test_a_new_ledger_on_a_small_disk(self):
        works = []
        for mebibytes in (4, 20, 40, 64, 128):
            with self.subTest(mebibytes=mebibytes):
                home = pathlib.Path(tempfile.mkdtemp())
                disk = SmallDisk(home / "disk", mebibytes)
                try:
                    words = [BINARY, "--data", str(disk.at / "data")]
                    for command in (["init", "--single-disk"], ["token", "create", "--local", "--role", "admin"]):
                        done = subprocess.run([*words, *command], capture_output=True, text=True, timeout=LittleRoom.WITHIN)
                        if done.returncode != 0:
                            self.assertEqual(done.returncode, 1, done.stderr)
                            self.assertIn("[disk_full]", done.stderr)
                            break
                    works.append(done.returncode == 0)
                finally:
                    disk.unmount()
                    shutil.rmtree(home)
        self.assertEqual((works[0], works[-1]), (False, True))


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    if os.geteuid() != 0:
        print("SKIPPED: only root can mount the small disk that this test fills", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
