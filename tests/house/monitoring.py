#!/usr/bin/env python3
"""Starts what compose/ describes: monitoring.py TOOLS_DIR [SIEGEL]

promtool checks configuration and alerts; then Debian's Prometheus runs with the very flags of compose.yaml, only ports and
folders replaced, and has to scrape and to load every alert. Its target is SIEGEL, started by compose/serve with the flags
of compose.yaml; without SIEGEL it is a stand-in that answers only to the bearer token.
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "sgl_" + "0" * 43
START_SECONDS_MAX = 60
METRICS = b"# TYPE siegel_read_only gauge\nsiegel_read_only 0\n# TYPE siegel_ledger_size gauge\nsiegel_ledger_size 4712\n"


def fail(text):
    sys.exit(f"monitoring: {text}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, probe):
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.URLError):
            found = probe()
            if found:
                return found
        time.sleep(0.2)
    return fail(f"{what} did not come within {START_SECONDS_MAX} s")


def get_json(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)["data"]


class StandIn(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.path == "/metrics" and self.headers.get("Authorization") == f"Bearer {TOKEN}"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(METRICS if allowed else b"")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def program(command, log):
    with open(log, "wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def target(siegel, service, work):
    port = free_port()
    if siegel is None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), StandIn)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield port
        server.shutdown()
        return
    entry = [str(REPO / service["entrypoint"][0].removeprefix("/siegel/")), siegel, str(work / "siegel-data")]
    flags = [re.sub(r":8480$", f":{port}", flag) for flag in service["command"]]
    if flags == service["command"]:
        fail("compose.yaml no longer names port 8480")
    with program(entry + flags, work / "siegel.log") as server:
        wait_for("siegel", lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status == 200)
        yield port
        server.terminate()  # exec in compose/serve: the signal reaches the server, which drains and ends with 0
        if server.wait(15) != 0:
            fail(f"siegel ended with {server.returncode}")


def main():
    tools = pathlib.Path(sys.argv[1]).resolve() / "usr/bin"
    siegel = sys.argv[2] if len(sys.argv) > 2 else None
    services = yaml.safe_load((REPO / "compose/compose.yaml").read_text())["services"]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        config = work / "etc"
        shutil.copytree(REPO / "compose", config, ignore=shutil.ignore_patterns("secrets"))
        (config / "secrets").mkdir()
        (config / "secrets/metrics-token").write_text(TOKEN + "\n")
        shutil.copy(REPO / "tests/house/alerts_test.yml", config)
        run(tools / "promtool", "check", "config", config / "prometheus.yml")
        os.chdir(config)
        run(tools / "promtool", "test", "rules", "alerts_test.yml")
        with target(siegel, services["siegel"], work) as target_port:
            text = (config / "prometheus.yml").read_text()
            (config / "prometheus.yml").write_text(text.replace("127.0.0.1:8480", f"127.0.0.1:{target_port}")
                                                   .replace("scrape_interval: 15s", "scrape_interval: 1s"))
            port = free_port()
            flags = [flag.replace("/etc/prometheus", str(config)).replace("=/prometheus", f"={work}/history")
                     .replace(":9090", f":{port}") for flag in services["prometheus"]["command"]]
            with program([tools / "prometheus", *flags], work / "prometheus.log"):
                api = f"http://127.0.0.1:{port}/api/v1"

                def value(query):
                    found = get_json(f"{api}/query?query={query}")["result"]
                    return found and found[0]["value"][1]

                wait_for("a scrape", lambda: value("up") == "1")
                wait_for("a metric of siegel", lambda: value("siegel_read_only") == "0")
                loaded = {rule["name"] for group in get_json(f"{api}/rules")["groups"] for rule in group["rules"]}
                named = set(re.findall(r"- alert: (\w+)", (config / "alerts.yml").read_text()))
                tested = set(re.findall(r"alertname: (\w+)", (config / "alerts_test.yml").read_text()))
                if not named or loaded != named or tested != named:
                    fail(f"alerts: written {named}, loaded {loaded}, tested {tested}")


main()
