"""A server under way: streams that catch up, read models that stand still, clients that take everything, a start that is ended.

usage: running_test.py SIEGEL_BINARY
"""
import http.client
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from clients import Client, at_once  # noqa: E402
from contacts import add, erase, expect, get, prepare, wait_for_index  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
EVENTS = 1600  # some 400 bytes each: more than twice what a stream keeps for its client


def changes(s, record, count=EVENTS, clients=8):
    """So many events, quickly."""
    def some(client):
        with Client(s, s.tokens["editor"], check=False) as c:
            for i in range(count // clients):
                expect(c.request("PATCH", f"/v1/records/{record}", {"values": {"name": f"Ada {client} {i}"}}), 200)
    at_once(some, clients)


def wait_until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


class EventsOf:
    """A client of the live stream that takes little at a time."""

    def __init__(self, s, **headers):
        self.wire = socket.socket()
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.wire.settimeout(60)
        self.wire.connect(("127.0.0.1", s.port))
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in
                 {"Host": "x", "Accept": "text/event-stream", "Authorization": f"Bearer {s.tokens['auditor']}", **headers}.items()]
        self.wire.sendall(("GET /v1/events HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
        self.answer = http.client.HTTPResponse(self.wire)
        self.answer.begin()
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def ids(self):
        """The id of each event; ends when the server does."""
        while True:
            piece = self.answer.read1(512)
            if not piece:
                return
            *lines, self.rest = (self.rest + piece).split(b"\n")
            yield from (int(line[4:]) for line in lines if line.startswith(b"id: "))

    def read_to(self, last):
        out = []
        for number in self.ids():
            out.append(number)
            if number == last:
                return out
        raise AssertionError(f"the stream ended at {out[-1:]}, before {last}")


class Running(unittest.TestCase):
    def setUp(self):
        self.s = Siegel(BINARY)
        self.s.__enter__()
        prepare(self.s)
        self.person = expect(add(self.s, {"name": "Ada", "e-mail": "ada@example.org"}), 201).json

    def tearDown(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", []) or [])
        self.s.__exit__(AssertionError if failed else None, None, None)

    def stop(self):
        began = time.monotonic()
        self.assertEqual(self.s.stop(), 0, self.s.log_text()[-3000:])
        self.assertLess(time.monotonic() - began, 10)

    def test_a_stream_catches_up_with_more_than_its_buffer_and_goes_on_where_it_was(self):
        s = self.s
        changes(s, self.person["record"])
        last = s.request("GET", "/v1/status").json["size"] - 1
        with EventsOf(s) as stream:
            self.assertEqual(stream.read_to(last), list(range(last + 1)))
            added = expect(add(s, {"name": "Bo", "e-mail": "bo@example.org"}), 201).json["seq"]
            self.assertEqual(stream.read_to(added), list(range(last + 1, added + 1)))
        with EventsOf(s) as stream:
            stream.read_to(last // 4)
        with EventsOf(s, Last_Event_ID=last // 4) as stream:
            self.assertEqual(stream.read_to(added), list(range(last // 4 + 1, added + 1)))
        with EventsOf(s):  # one that takes nothing holds nobody up
            self.stop()

    def test_read_models_that_stand_still_are_named_everywhere(self):
        s = self.s
        self.stop()
        # The rows of records: they are read when a change is folded, not when it is decided.
        damaged = 0
        for table in (s.data / "views").glob("*/*.sst"):
            content = bytearray(table.read_bytes())
            if b"namerecords" in content:  # property …family.name of the table, its value behind it
                content[4:40] = bytes(36)
                table.write_bytes(content)
                damaged += 1
        self.assertGreater(damaged, 0)
        s.serve()
        changed = expect(s.request("PATCH", f"/v1/records/{self.person['record']}", {"values": {"born": "1990-01-01"}},
                                   token=s.tokens["editor"]), 200).json
        wait_until(lambda: "projector_stopped" in s.request("GET", "/readyz", token=None).json["checks"])
        self.assertEqual(s.request("GET", "/readyz", token=None).status, 503)
        self.assertIn("projector_stopped", s.request("GET", "/v1/status").json["checks"])
        began = time.monotonic()
        answer = s.request("GET", "/v1/status", headers={"Siegel-At-Least": changed["position"], "Siegel-Wait-Ms": "30000"})
        self.assertEqual((answer.status, answer.code, answer.json["reason"]), (503, "position_not_reached", "projector_stopped"))
        self.assertLess(time.monotonic() - began, 5)
        wait_until(lambda: "ALARM" in s.log_text() and "projector_stopped" in s.log_text())
        self.stop()

    def test_a_start_that_catches_up_tells_and_can_be_ended(self):
        s = self.s
        changes(s, self.person["record"])
        self.stop()
        shutil.rmtree(s.data / "views")
        with open(s.home / "start.log", "w+b") as log:
            start = subprocess.Popen([s.binary, "--data", str(s.data), "--lang", "de", "serve", "--listen", "127.0.0.1:0"],
                                     stdout=subprocess.PIPE, stderr=log)
            wait_until(lambda: "von" in (s.home / "start.log").read_text() or start.poll() is not None)
            start.send_signal(signal.SIGTERM)
            self.assertEqual(start.wait(timeout=30), 0, (s.home / "start.log").read_text())
            start.stdout.close()
        self.assertRegex((s.home / "start.log").read_text(), r"nachgeführt: \d+ von \d+ Ereignissen")
        s.serve()
        expect(get(s, f"/v1/records/{self.person['record']}"), 200)
        self.stop()

    def test_ER06_what_weakens_the_protection_is_said(self):
        """[ER-06] at the start and in the status; root can show the server a machine that swaps"""
        s = self.s
        self.assertIn("single_disk", s.request("GET", "/v1/status").json["warnings"])
        self.assertIn("one disk failure loses all personal data", s.log_text())
        if os.geteuid() != 0:
            self.skipTest("only root can mount another /proc/swaps")
        swaps, outer = s.home / "swaps", s.home / "outer"
        outer.write_text(f'#!/bin/sh\nexec unshare --mount sh -c \'mount --bind "{swaps}" /proc/swaps && exec "{BINARY}" "$@"\' sh "$@"\n')
        outer.chmod(0o755)
        s.binary = str(outer)
        for area, swaps_out in (("/dev/sda3", True), ("/dev/zram0", False)):
            self.stop()
            (s.home / "server.log").write_bytes(b"")
            swaps.write_text(f"Filename\tType\tSize\tUsed\tPriority\n{area}\tpartition\t1048572\t0\t-2\n")
            s.serve()
            self.assertEqual("unencrypted_swap" in s.request("GET", "/v1/status").json["warnings"], swaps_out, area)
            self.assertEqual("swap without encryption" in s.log_text(), swaps_out, area)
            self.assertNotIn("dumps_possible", s.request("GET", "/v1/status").json["warnings"])
        self.stop()

    def test_an_expired_token_cannot_fill_the_ledger(self):
        s = self.s
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        brief = expect(s.request("POST", "/v1/tokens", {"role": "auditor", "expires_at": at}), 201).json["token"]
        before = s.request("GET", "/v1/status").json["size"]
        wait_until(lambda: s.request("GET", "/v1/status", token=brief).code == "token_expired")
        for _ in range(50):
            self.assertEqual(s.request("GET", "/v1/status", token=brief).code, "token_expired")
        wait_until(lambda: s.request("GET", "/v1/status").json["size"] > before)
        expect(add(s, {"name": "Cy", "e-mail": "cy@example.org"}), 201)  # all that was refused stands before it
        events = [line for line in get(s, f"/v1/events?from={before}&limit=1000", "auditor").body.splitlines() if b"refusal.recorded" in line]
        self.assertEqual(len(events), 1)
        self.stop()


class FewDescriptors(unittest.TestCase):
    def test_many_idle_clients_leave_the_stores_their_files(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with Siegel(BINARY) as s:
            prepare(s)
            people = [expect(add(s, {"name": f"P {i}", "e-mail": f"p{i}@example.org"}), 201).json for i in range(3)]
            self.assertEqual(s.stop(), 0)
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, most[1]))
            try:
                self.limits(s, people, soft=256)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, most)

    def limits(self, s, people, soft):
        wrapper = s.home / "few"
        wrapper.write_text(f'#!/bin/sh\nulimit -Hn {soft} && exec "{BINARY}" "$@"\n')
        wrapper.chmod(0o755)
        s.binary = str(wrapper)
        s.serve()
        wait_for_index(s)
        self.assertIn(f"Max open files            {soft} ", pathlib.Path(f"/proc/{s.process.pid}/limits").read_text())
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        idle = []
        try:
            for _ in range(400):
                one = socket.socket()
                one.settimeout(30)
                one.connect(("127.0.0.1", s.port))
                idle.append(one)
            wait_until(lambda: len(os.listdir(f"/proc/{s.process.pid}/fd")) < soft)
            for person in people:  # a new root, new files
                expect(s.request("PATCH", f"/v1/records/{person['record']}", {"values": {"name": "Q"}}, token=s.tokens["editor"]), 200)
                expect(erase(s, person["subject"]), 201)
            idle[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                refused = idle[-1].recv(4096)
            except ConnectionError:
                refused = b""
            self.assertTrue(refused == b"" or b" 503 " in refused, refused)
        finally:
            for one in idle:
                one.close()
        self.assertEqual(s.stop(), 0)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
