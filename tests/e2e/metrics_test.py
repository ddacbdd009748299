"""Each metric of the core moves with what it measures, in a real server.

usage: metrics_test.py SIEGEL_BINARY
"""
import os
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import prepare  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
WINDOW_MS = 2500
RECORDS = "/v1/record-types/contacts/records"


def scrape(s):
    answer = s.request("GET", "/metrics", token=None)
    assert answer.status == 200, answer.body
    lines = [line for line in answer.body.decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def another_client(s):
    """A second connection to the same server, for another thread."""
    other = Siegel(BINARY, s.home)
    other.port, other.token, other.tokens, other.connection = s.port, s.token, s.tokens, None
    return other


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["SIEGEL_VAULT_ERASE_WINDOW_MS"] = str(WINDOW_MS)
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        prepare(cls.s)

    @classmethod
    def tearDownClass(cls):
        cls.s.stop()
        cls.s.__exit__(None, None, None)

    def add(self, s, name):
        answer = s.request("POST", RECORDS, {"values": {"name": name, "e-mail": f"{name}@example.org"}},
                           token=s.tokens["editor"])
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def moved(self, before, name):
        return scrape(self.s).get(name, 0) - before.get(name, 0)

    def test_1_what_is_written(self):
        before = scrape(self.s)
        for i in range(7):
            self.add(self.s, f"written-{i}")
        for _ in range(200):  # a group is counted behind its answers
            if self.moved(before, 'siegel_events_total{type="record.added"}') == 7:
                break
            time.sleep(0.05)
        self.assertEqual(self.moved(before, 'siegel_events_total{type="record.added"}'), 7)
        self.assertGreaterEqual(self.moved(before, "siegel_ledger_size"), 7)
        groups = self.moved(before, "siegel_batch_events_count")
        self.assertGreaterEqual(groups, 1)
        self.assertEqual(self.moved(before, "siegel_batch_events_sum"), self.moved(before, "siegel_ledger_size"))
        self.assertEqual(self.moved(before, "siegel_sync_seconds_count"), groups)
        self.assertGreater(self.moved(before, "siegel_sync_seconds_sum"), 0)

    def test_2_what_is_asked(self):
        def of(metrics, name, status=None):
            labels = f',status="{status}"' if status else ""
            return metrics.get(f'{name}{{route="/v1/record-types/*/records"{labels}}}', 0)

        before = scrape(self.s)
        self.add(self.s, "asked")
        refused = self.s.request("POST", RECORDS, {"values": {"nothing": "x"}}, token=self.s.tokens["editor"])
        self.assertEqual(refused.status, 400)
        after = scrape(self.s)
        for status, count in ((201, 1), (400, 1)):
            self.assertEqual(of(after, "siegel_http_requests_total", status) - of(before, "siegel_http_requests_total", status),
                             count, sorted(k for k in after if "http_requests" in k))
        self.assertEqual(of(after, "siegel_http_request_seconds_count") - of(before, "siegel_http_request_seconds_count"), 2)

    def test_3_what_waits(self):
        """Under load commands wait for the writer and events for the read models; then both fall to nothing."""
        stop = threading.Event()

        def load(number):
            client = another_client(self.s)
            i = 0
            while not stop.is_set():
                self.add(client, f"load-{number}-{i}")
                i += 1
            client.connection.close()

        threads = [threading.Thread(target=load, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        seen = {"siegel_queue_commands": 0, 'siegel_projection_lag_events{projection="records"}': 0}
        until = time.monotonic() + 60
        while time.monotonic() < until and not all(seen.values()):
            now = scrape(self.s)
            for name in seen:
                seen[name] = max(seen[name], now[name])
        stop.set()
        for thread in threads:
            thread.join()
        self.assertTrue(all(seen.values()), seen)
        for _ in range(200):
            if not any(scrape(self.s)[name] for name in seen):
                return
            time.sleep(0.05)
        self.fail("what waits does not fall to nothing")

    def test_4_erasures(self):
        subject = self.add(self.s, "to-be-erased")["subject"]
        before = scrape(self.s)
        self.assertEqual(before["siegel_erasure_open_seconds"], 0)
        asked = self.s.request("POST", "/v1/erasures", {"subject": subject, "ground": "art17-1-b", "mode": "window"},
                               token=self.s.tokens["privacy_officer"])
        self.assertEqual(asked.status, 202, asked.body)
        time.sleep(0.2)
        self.assertGreater(scrape(self.s)["siegel_erasure_open_seconds"], 0)
        until = time.monotonic() + 60
        while self.moved(before, "siegel_time_to_guaranteed_erasure_seconds_count") < 1:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        self.assertGreaterEqual(self.moved(before, "siegel_time_to_guaranteed_erasure_seconds_sum"), WINDOW_MS / 1000 - 0.1)
        self.assertEqual(scrape(self.s)["siegel_erasure_open_seconds"], 0)

    def test_5_read_only(self):
        self.assertEqual(scrape(self.s)["siegel_read_only"], 0)
        self.s.stop()
        head = self.s.home / "data.outside" / "head"
        record = head.read_bytes()
        head.unlink()
        self.s.serve(ready=False)
        try:
            self.assertEqual(scrape(self.s)["siegel_read_only"], 1)
        finally:
            self.s.stop()
            head.write_bytes(record)
            self.s.serve()

    def test_6_kept_evidence(self):
        """Copies of damaged logs are seen for as long as they are there."""
        names = ("siegel_evidence_copies", "siegel_evidence_oldest_seconds")
        self.assertEqual([scrape(self.s)[name] for name in names], [0, 0])
        self.s.stop()
        days = {"evidence-20261101T000000Z": 20, "evidence-20261120T000000Z": 2}
        for name, age in days.items():
            (self.s.data / name).mkdir(mode=0o700)
            os.utime(self.s.data / name, (time.time() - age * 86400,) * 2)
        self.s.serve()
        self.assertRegex(self.s.log_text(), "ALARM copies of damaged logs .* number: 2, .*: they hold ciphertext of people erased since")
        copies, oldest = (scrape(self.s)[name] for name in names)
        self.assertEqual(copies, 2)
        self.assertAlmostEqual(oldest, 20 * 86400, delta=600)
        for name in days:
            (self.s.data / name).rmdir()
        self.assertEqual([scrape(self.s)[name] for name in names], [0, 0])


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
