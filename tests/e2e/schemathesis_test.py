"""schemathesis, all its checks, against the real server. usage: schemathesis_test.py SIEGEL_BINARY

Bounded in each run (about a minute), longer under SIEGEL_LONG. The description is the tester's source; what it cannot
say (which records there are, how large the ledger is) comes from schemathesis_hooks.py.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import PURPOSE, add, expect, prepare, token  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY = None
LONG = "SIEGEL_LONG" in os.environ
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "openapi.yaml"
SETTINGS = pathlib.Path(__file__).resolve().parent / "schemathesis.toml"
HOOKS = pathlib.Path(__file__).resolve().parent / "schemathesis_hooks.py"


def known(s):
    """What is there, for the hooks: a request that asks for it reaches more than a 404."""
    people = [expect(add(s, {"name": f"Known {i}", "e-mail": f"known{i}@example.org"}), 201).json for i in range(40)]
    tokens = [item["token_id"] for item in s.request("GET", "/v1/tokens").json["items"]]
    spare = expect(s.request("POST", "/v1/tokens", {"role": "auditor", "label": "spare"}), 201).json["token_id"]
    return {"size": s.request("GET", "/v1/status").json["size"], "tokens": tokens, "spare_token": spare,
            "records": [one["record"] for one in people[:8]], "subjects": [one["subject"] for one in people[:8]],
            "erasable": [one["subject"] for one in people[8:]]}


class Schemathesis(unittest.TestCase):
    def test_openapi_all_checks(self):
        # The description names the highest limit that may be configured.
        with Siegel(BINARY, environment={"SIEGEL_LIMITS_SEARCH_RESULTS_MAX": "10000"}) as s:
            prepare(s)
            s.tokens.update({role: token(s, role, bulk_until="2100-01-01T00:00:00Z") for role in ("editor", "privacy_officer")})
            there = json.dumps(known(s))
            # Each role sees other routes from the inside; what it may not do must be refused as described.
            for role, seconds in (("editor", 20), ("admin", 20), ("privacy_officer", 12), ("auditor", 8)):
                with self.subTest(role), tempfile.TemporaryDirectory() as scratch:
                    done = subprocess.run(
                        [str(pathlib.Path(sys.executable).with_name("st")), "--config-file", str(SETTINGS), "run", str(DOCUMENT),
                         "--url", f"http://127.0.0.1:{s.port}", "--header", f"Authorization: Bearer {s.tokens.get(role, s.token)}",
                         "--header", f"Siegel-Purpose: {PURPOSE}", "--no-color",
                         "--max-time", str(seconds * (15 if LONG else 1)), "--continue-on-failure"],
                        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "SIEGEL_KNOWN": there},
                        capture_output=True, text=True, cwd=scratch, timeout=600 if not LONG else 7200)
                    self.assertEqual(done.returncode, 0, done.stdout[-12000:] + done.stderr[-2000:])
            self.assertEqual(s.stop(), 0)
            log = s.log_text()
            self.assertNotIn("runtime error", log)
            self.assertNotIn("AddressSanitizer", log)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
