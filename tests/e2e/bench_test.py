"""`siegel bench --quick`: every figure is measured and told in full. How fast is not asked here: docs/performance.md.

usage: bench_test.py SIEGEL_BINARY
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARY = None
NAMES = ["bare_loop_events_per_s", "bulk_events_per_s", "bulk_to_bare_loop_ratio", "projected_events_per_s",
         "http_commands_per_s", "http_commands_p99_ms", "http_cpu_us_per_command", "single_client_commands_per_s",
         "single_client_to_sync_ratio", "traced_reads_per_s", "traced_reads_p99_ms", "verify_events_per_s_per_core",
         "rebuild_events_per_s", "erase_one_p99_ms", "open_ms", "search_load_s", "search_p99_ms", "import_preview_s",
         "import_commit_s", "import_workbook_s", "import_memory_mib", "server_rss_mib",
         "ledger_bytes_per_event"]
LOWER_IS_BETTER = {"ms", "s", "us", "MiB", "bytes"}
SYNC = ["sync_latency_p50_ms", "sync_latency_p99_ms", "sync_latency_max_ms"]


def bench(directory, *arguments):
    return subprocess.run([BINARY, "--data", str(directory), *arguments], capture_output=True, text=True, timeout=500)


class Bench(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory(prefix="siegel-bench-test-")
        self.addCleanup(self.home.cleanup)

    def left_over(self):
        return list(pathlib.Path(self.home.name).iterdir())

    def check_figure(self, figure):
        self.assertEqual(list(figure), ["value", "unit", "floor", "aim", "met", *SYNC])
        for key in ("value", *SYNC):
            self.assertGreater(figure[key], 0, key)
        self.assertLessEqual(figure["sync_latency_p50_ms"], figure["sync_latency_p99_ms"])
        self.assertLessEqual(figure["sync_latency_p99_ms"], figure["sync_latency_max_ms"])
        if figure["floor"] is None:
            self.assertIsNone(figure["met"])
        elif figure["unit"] in LOWER_IS_BETTER:
            self.assertEqual(figure["met"], figure["value"] <= figure["floor"])
        else:
            self.assertEqual(figure["met"], figure["value"] >= figure["floor"])

    def test_all_figures(self):
        done = bench(self.home.name, "--json", "bench", "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads(done.stdout)
        self.assertEqual(list(results), NAMES)
        for name, figure in results.items():
            with self.subTest(name):
                self.check_figure(figure)
        self.assertEqual(self.left_over(), [])

    def test_one_figure_as_a_table(self):
        done = bench(self.home.name, "bench", "--quick", "--only", "bare_loop_events_per_s")
        self.assertEqual(done.returncode, 0, done.stderr)
        header, line = done.stdout.splitlines()
        self.assertTrue(header.startswith("figure"))
        self.assertTrue(line.startswith("bare_loop_events_per_s"))

    def test_an_unknown_figure_is_refused_with_the_names(self):
        done = bench(self.home.name, "bench", "--only", "speed")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for name in NAMES:
            self.assertIn(name, done.stderr)
        self.assertEqual(self.left_over(), [])


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main()
