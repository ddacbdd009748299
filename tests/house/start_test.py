#!/usr/bin/env python3
"""./start as a user meets it, with the program that is already built: start_test.py SIEGEL

A copy of the tree gets SIEGEL where the release build would have put it, so that nothing is compiled here.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

REPO = pathlib.Path(__file__).resolve().parents[2]
SECONDS_MAX = 180
LAST_LINES = re.compile(r"siegel: address (http://127\.0\.0\.1:\d+)\nsiegel: token (sgl_[A-Za-z0-9_-]{43})\n"
                        r"siegel: data \./siegel-data\nsiegel: pid (\d+)\n\Z")


def expect(holds, text, *evidence):
    if not holds:
        sys.exit("start: " + text + "".join(f"\n{e}" for e in evidence))


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(address):
    host, port = address.rsplit(":", 1)
    with contextlib.closing(socket.socket()) as s:
        return s.connect_ex((host, int(port))) == 0


class Tree:
    """The copy, with its data directory inside."""

    def __init__(self, folder, siegel):
        self.folder = folder
        for name in ("CMakeLists.txt", "CMakePresets.json", "start"):
            shutil.copy2(REPO / name, folder / name)
        for name in ("cmake", "packaging", "src", "projections", "bench", "schemas", "docs"):
            shutil.copytree(REPO / name, folder / name)
        binary = folder / "build/release/src/app/siegel"
        binary.parent.mkdir(parents=True)
        binary.symlink_to(siegel)
        (folder / "build/release/.start-stamp").touch()
        self.siegel = binary

    def start(self, *arguments, **options):
        return subprocess.run([self.folder / "start", *arguments], cwd=self.folder, text=True, capture_output=True,
                              timeout=SECONDS_MAX, check=False, **options)

    def records(self, address, token):
        """How many records of the example an editor can list."""
        made = subprocess.run([self.siegel, "--server", address, "--json", "token", "create", "--role", "editor", "--purposes",
                               "customer-care", "--types", "contacts", "--expires", "1h", "--label", "count"], text=True,
                              capture_output=True, check=True, env={**os.environ, "SIEGEL_TOKEN": token}).stdout
        editor = re.search(r"sgl_[A-Za-z0-9_-]{43}", made).group()
        request = urllib.request.Request(address + "/v1/record-types/contacts/records?limit=200",
                                         headers={"Authorization": f"Bearer {editor}", "Siegel-Purpose": "customer-care"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        return len(page["items"]) + (1 if page["next"] else 0)


def last_lines(done):
    found = LAST_LINES.search(done.stdout)
    expect(done.returncode == 0 and found, f"ended with {done.returncode}", done.stdout, done.stderr)
    return found.groups()


def check_interrupted_first_start(tree, listen):
    """Ctrl-C again and again while the example goes in, each time a little later; then it is left alone."""
    for delay in range(12):
        first = subprocess.Popen([tree.folder / "start", "--listen", listen], cwd=tree.folder, stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        for line in first.stdout:
            if line.startswith("Taking in the example"):
                break
        time.sleep(0.03 * delay)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGINT)
        first.stdout.read()
        if first.wait(SECONDS_MAX) == 0:
            return  # too late to interrupt anything
        expect(first.returncode in (1, 130), f"after Ctrl-C: exit {first.returncode}")
        expect(not listens(listen), "after Ctrl-C a server was left behind")


def check_runs(tree, listen):
    address, token, _ = last_lines(tree.start("--listen", listen))
    expect(urllib.request.urlopen(address + "/readyz", timeout=5).status == 200, "/readyz is not 200")
    count = tree.records(address, token)
    expect(count == 200, f"{count} example records instead of 200")
    begin = time.monotonic()
    _, other_token, pid = last_lines(tree.start("--listen", listen))
    expect(time.monotonic() - begin < 10, f"a later start took {time.monotonic() - begin:.1f} s")
    expect(other_token != token, "the token is not new")
    expect(tree.records(address, other_token) == 200, "a later start took the example in again")
    for _ in range(2):  # the second time there is nothing to stop
        expect(tree.start("--stop").returncode == 0, "--stop failed")
    expect(not listens(listen), f"the server (pid {pid}) outlived --stop")


def check_refusals(tree):
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = tree.start("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        expect(done.returncode == 1 and done.stderr.count("\n") == 1 and "taken" in done.stderr, "a taken port", done.stderr)
    done = tree.start("--listen", f"0.0.0.0:{free_port()}")
    expect(done.returncode == 1 and "siegel: " in done.stderr, "no TLS beyond loopback", done.stderr)
    (tree.folder / "packaging/apt-build.txt").write_text("no-such-package-of-debian\n")
    done = tree.start("--no-install", "--listen", f"127.0.0.1:{free_port()}")
    expect(done.returncode == 1 and done.stderr.count("\n") == 1 and "no-such-package-of-debian" in done.stderr,
           "missing packages are not listed", done.stderr)


def check_words(tree):
    """A wrong word is named, in the language of the terminal; German is whole."""
    for lang, unknown, needs, builds in (("C", "Not understood: --wrong", "--listen needs a value", "Builds Siegel"),
                                         ("de_DE.UTF-8", "Nicht verstanden: --wrong", "--listen braucht einen Wert", "Baut Siegel")):
        env = {k: v for k, v in os.environ.items() if not k.startswith("LC_")} | {"LANG": lang}
        for words, code, said in ((("--wrong",), 2, unknown), (("--listen",), 2, needs), (("--help",), 0, builds)):
            done = tree.start(*words, env=env)
            expect(done.returncode == code and said in done.stderr and not done.stdout, f"{words} in {lang}", done.stdout, done.stderr)
    done = tree.start("--listen", f"127.0.0.1:{free_port()}", "--no-example", env=env)
    last_lines(done)
    before = done.stdout.split("siegel: address")[0] + done.stderr
    expect(not re.search(r"\b(the|is|with|and|not)\b", before), "a German start speaks English", before)
    expect("nur einmal gezeigt" in done.stdout.split("siegel: address")[0].splitlines()[-1] and before.count("einmal gezeigt") == 1,
           "that the token is shown once stands far before it", before)


def main():
    with tempfile.TemporaryDirectory() as name:
        tree = Tree(pathlib.Path(name), pathlib.Path(sys.argv[1]).resolve())
        listen = f"127.0.0.1:{free_port()}"
        try:
            check_interrupted_first_start(tree, listen)
            check_runs(tree, listen)
            check_words(tree)
            check_refusals(tree)
        finally:
            tree.start("--stop")


main()
