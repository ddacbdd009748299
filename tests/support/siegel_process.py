"""A real `siegel` on a fresh data directory: init, serve on a free port, stop; and a small HTTP client."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import openapi_check


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")


class Siegel:
    """with Siegel(binary) as s: s.request("GET", "/healthz"); each answer is held against schemas/openapi.yaml."""

    def __init__(self, binary, directory=None, environment=None):
        """environment: settings of the server beside the test's own (SIEGEL_LEDGER_QUEUE_COMMANDS_MAX=1 …)."""
        self.binary = str(binary)
        self.environment = dict(environment or {})
        self.home = pathlib.Path(directory or tempfile.mkdtemp(prefix="siegel-e2e-"))
        self.data = self.home / "data"
        self.process = None
        self.token = None
        self.port = None

    def run(self, *arguments, check=True, **options):
        done = subprocess.run([self.binary, "--data", str(self.data), *arguments], capture_output=True, text=True,
                              timeout=120, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"siegel {arguments} ended with {done.returncode}: {done.stderr}")
        return done

    def init(self):
        self.run("init", "--single-disk")
        return self

    def make_token(self, role="admin"):
        return self.run("token", "create", "--local", "--role", role, "--expires", "12h").stdout.strip()

    def serve(self, ready=True):
        """ready: waits until /readyz is 200; a server that is read-only never gets there."""
        self.log = open(self.home / "server.log", "ab")
        self.process = subprocess.Popen([self.binary, "--data", str(self.data), "serve", "--listen", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, **self.environment})
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait(timeout=30)
            raise AssertionError(f"the server did not start: {self.log_text()}")
        self.port = int(line.rsplit(":", 1)[1])
        self.connection = None
        if not ready:
            return self
        for _ in range(600):
            if self.request("GET", "/readyz", token=None).status == 200:
                return self
            time.sleep(0.05)
        raise AssertionError("the server does not get ready")

    def log_text(self):
        return (self.home / "server.log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if kind is None:
            shutil.rmtree(self.home, ignore_errors=True)
        else:
            print(f"kept: {self.home}\n{self.log_text()[-4000:]}")

    def request(self, method, path, body=None, token="own", purpose=None, headers=None, raw=None):
        given = dict(headers or {})
        if token == "own":
            token = self.token
        if token:
            given["Authorization"] = f"Bearer {token}"
        if purpose:
            given["Siegel-Purpose"] = purpose
        payload = raw
        if body is not None:
            payload = json.dumps(body).encode()
        if payload is not None:
            given.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.connection.request(method, path, payload, given)
                answer = self.connection.getresponse()
                answer = Answer(answer.status, answer.headers, answer.read())
                break
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        openapi_check.validate(method, path, answer.status, answer.headers, answer.body)
        return answer


def all_bytes(*directories):
    """Every byte of every file below the directories, file by file."""
    for directory in directories:
        for path, _, names in os.walk(directory):
            for name in names:
                file = pathlib.Path(path) / name
                try:
                    yield file, file.read_bytes()
                except FileNotFoundError:
                    continue  # a table that was compacted away meanwhile
