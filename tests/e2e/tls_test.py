"""TLS by configuration, with certificates made here: HTTPS works for any client and for the command line, plain HTTP
does not, and what is wrong with a key or a certificate is said before anything is served.

usage: tls_test.py SIEGEL_BINARY
"""
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from siegel_process import Siegel  # noqa: E402

BINARY = None


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True, timeout=60)


def make_certificate(home, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=home)
    return home / f"{name}.pem", home / f"{name}.key"


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        cls.s.init()
        cls.cert, cls.key = make_certificate(cls.s.home, "server")
        cls.other_cert, cls.other_key = make_certificate(cls.s.home, "other")
        cls.token = cls.s.make_token()

    @classmethod
    def tearDownClass(cls):
        cls.s.__exit__(None, None, None)

    def env(self, more=None):
        return {k: v for k, v in os.environ.items() if not k.startswith("SIEGEL_")} | (more or {})

    def start(self, *words, config=""):
        file = self.s.home / "siegel.toml"
        file.write_text(config)
        self.s.log = open(self.s.home / "server.log", "ab")
        self.s.process = subprocess.Popen([self.s.binary, "--data", str(self.s.data), "--config", str(file), "serve", *words],
                                          stdout=subprocess.PIPE, stderr=self.s.log, text=True, env=self.env())
        line = self.s.process.stdout.readline()
        self.assertTrue(line.startswith("listening on https://"), f"{line!r} {self.s.log_text()}")
        self.s.port, self.s.connection = int(line.rsplit(":", 1)[1]), None
        for _ in range(600):
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError("the server does not get ready")

    def get(self, path, context=None, token=True):
        context = context or ssl.create_default_context(cafile=self.cert)
        connection = http.client.HTTPSConnection("localhost", self.s.port, context=context, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def siegel(self, *words, env=None):
        return subprocess.run([self.s.binary, *map(str, words)], env=self.env({"SIEGEL_TOKEN": self.token, **(env or {})}),
                              capture_output=True, text=True, timeout=60)

    def check_served(self):
        status, body = self.get("/v1/status")
        self.assertEqual(status, 200)
        self.assertIn("ledger", json.loads(body))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.get("/v1/status", ssl.create_default_context(cafile=self.other_cert))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=self.cert)
            context.minimum_version = context.maximum_version = version
            self.assertEqual(self.get("/healthz", context)[0], 200)
        old = ssl.create_default_context(cafile=self.cert)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get("/healthz", old)
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=30) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            try:
                while chunk := plain.recv(4096):
                    answer += chunk
            except ConnectionError:
                pass
            self.assertNotIn(b"HTTP/1.1 200", answer)

    def test_by_configuration_and_beyond_loopback(self):
        self.start(config=f'[server]\nlisten = "0.0.0.0:0"\ntls_cert = "{self.cert}"\ntls_key = "{self.key}"\n')
        self.check_served()
        # Beyond loopback the metrics are for those who have a token.
        status, body = self.get("/metrics", token=False)
        self.assertEqual((status, json.loads(body)["code"]), (401, "token_missing"))
        self.assertEqual(self.get("/metrics")[0], 200)
        for path in ("/healthz", "/readyz", "/v1/openapi.yaml"):
            self.assertEqual(self.get(path, token=False)[0], 200, path)
        self.assertEqual(self.s.stop(), 0)

    def test_by_flags_with_the_command_line_as_client(self):
        self.start("--listen", "127.0.0.1:0", "--tls-cert", str(self.cert), "--tls-key", str(self.key))
        self.check_served()
        server = ("--server", f"https://localhost:{self.s.port}")
        done = self.siegel(*server, "--cacert", self.cert, "--json", "status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ledger", json.loads(done.stdout))
        self.assertEqual(self.siegel(*server, "status", env={"SIEGEL_CACERT": str(self.cert)}).returncode, 0)
        for words in ((), ("--cacert", self.other_cert)):
            done = self.siegel(*server, *words, "status")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("--cacert", done.stderr)
        done = self.siegel(*server, "--cacert", self.s.home / "absent.pem", "status")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("absent.pem", done.stderr)
        done = self.siegel("--server", f"http://localhost:{self.s.port}", "status")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.s.stop(), 0)

    def test_wrong_certificates_and_keys(self):
        empty = self.s.home / "empty.pem"
        empty.write_text("")
        locked = self.s.home / "locked.key"
        openssl("ec", "-in", "server.key", "-aes128", "-passout", "pass:x", "-out", str(locked), cwd=self.s.home)
        for cert, key, said in ((self.s.home / "absent.pem", self.key, "certificate"), (self.cert, self.s.home / "absent.key", "key"),
                                (empty, self.key, "certificate"), (self.cert, empty, "key"), (self.key, self.key, "certificate"),
                                (self.cert, self.other_key, "does not belong"), (self.cert, locked, "key"),
                                (self.cert, None, "both"), (None, self.key, "both")):
            words = [f"--tls-cert={cert}"] if cert else []
            words += [f"--tls-key={key}"] if key else []
            done = subprocess.run([self.s.binary, "--data", str(self.s.data), "serve", "--listen", "127.0.0.1:0", *words],
                                  capture_output=True, text=True, timeout=60, env=self.env(), stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 2, (cert, key, done.stderr))
            self.assertIn("tls_invalid", done.stderr)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    BINARY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
