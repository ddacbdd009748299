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
    """Ctrl-C again and again while the example goes in, each time a little later; then it is left alone. How often it went through."""
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
            return 1  # too late to interrupt anything
        expect(first.returncode in (1, 130), f"after Ctrl-C: exit {first.returncode}")
        expect(not listens(listen), "after Ctrl-C a server was left behind")
    return 0


def check_runs(tree, listen, earlier):
    address, token, _ = last_lines(tree.start("--listen", listen))
    expect(urllib.request.urlopen(address + "/readyz", timeout=5).status == 200, "/readyz is not 200")
    count = tree.records(address, token)
    expect(count == 200, f"{count} example records instead of 200")
    begin = time.monotonic()
    _, other_token, pid = last_lines(tree.start("--listen", listen))
    expect(time.monotonic() - begin < 10, f"a later start took {time.monotonic() - begin:.1f} s")
    expect(other_token != token, "the token is not new")
    expect(tree.records(address, other_token) == 200, "a later start took the example in again")
    check_nobody_unknown_rules(tree, address, other_token, earlier + 2)
    for said in (f"(pid {pid}) is stopped.", "No server of ./siegel-data is running."):  # the second time there is nothing to stop
        done = tree.start("--stop")
        expect(done.returncode == 0 and said in done.stdout, "--stop failed", done.stdout, done.stderr)
    expect(not listens(listen), f"the server (pid {pid}) outlived --stop")


def tokens(tree, address, token):
    listed = subprocess.run([tree.siegel, "--server", address, "--json", "token", "list"], text=True, capture_output=True, check=True,
                            env={**os.environ, "SIEGEL_TOKEN": token}).stdout
    return [json.loads(line) for line in listed.splitlines()]


def check_nobody_unknown_rules(tree, address, token, shown):
    """Of all the starts, also those that were interrupted: no admin but those that were shown, else for minutes at most."""
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 16 * 60))
    lasting = [t for t in tokens(tree, address, token) if t["role"] == "admin" and not t["revoked"] and t["expires_at"] > soon]
    expect(len(lasting) == shown, f"{len(lasting)} admins for hours, and {shown} were shown", lasting)


def check_what_cannot_start_stops_nothing(tree, listen):
    """Each is found before the running server is told to end."""
    _, token, pid = last_lines(tree.start("--listen", listen))
    before = len(tokens(tree, f"http://{listen}", token))
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for wrong, why in ((f"127.0.0.1:{taken.getsockname()[1]}", "taken"), (f"0.0.0.0:{free_port()}", "TLS"),
                           ("127.0.0.1:99999", "65535"), ("127.0.0.300:8480", "no address"), ("somewhere:8480", "no address")):
            done = tree.start("--listen", wrong)
            expect(done.returncode == 1 and done.stderr.count("\n") == 1 and why in done.stderr, f"--listen {wrong}", done.stderr)
            expect(listens(listen), f"--listen {wrong} stopped the running server")
    expect((tree.folder / "siegel-data/start.pid").read_text().strip() == pid, "another server runs")
    expect(len(tokens(tree, f"http://{listen}", token)) == before, "a start that failed left a token")


def serve(siegel, data, log, **options):
    """A server that nobody started with ./start."""
    server = subprocess.Popen([siegel, "--data", data, "serve", "--listen", "127.0.0.1:0"], stdout=open(log, "wb"),
                              stderr=subprocess.STDOUT, **options)
    for _ in range(SECONDS_MAX * 10):
        if b"listening on" in pathlib.Path(log).read_bytes():
            return server
        expect(server.poll() is None, "a server ended", pathlib.Path(log).read_text())
        time.sleep(0.1)
    sys.exit("start: a server does not listen")


def check_stale_number(tree, listen):
    """The number in start.pid, left by a power loss, is that of a server of other data by now: that one goes on."""
    tree.start("--stop")
    other = tree.folder / "others"
    subprocess.run([tree.siegel, "--data", other, "init", "--single-disk"], check=True, capture_output=True)
    server = serve(tree.siegel, other, tree.folder / "others.log")
    for name in ("start.pid", "LOCK"):
        (tree.folder / "siegel-data" / name).write_text(f"{server.pid}\n")
    done = tree.start("--stop")
    expect(done.returncode == 0 and "No server" in done.stdout, "--stop with a stale number", done.stdout, done.stderr)
    (tree.folder / "siegel-data/start.pid").write_text(f"{server.pid}\n")
    _, _, pid = last_lines(tree.start("--listen", listen))
    expect(server.poll() is None and int(pid) != server.pid, "a server of other data was stopped")
    server.terminate()
    expect(server.wait(SECONDS_MAX) == 0, "the other server does not end")


def check_stop_by_its_user(tree):
    """Who is not root stops his server too, though the system tells him little of a process that forbids dumps."""
    if os.geteuid() != 0:
        return  # all other checks show it
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        siegel, start, data = home / "siegel", home / "start", home / "data"
        shutil.copy2(tree.siegel.resolve(), siegel)
        shutil.copy2(REPO / "start", start)
        shutil.copytree(REPO / "packaging", home / "packaging")
        os.chown(home, 65534, 65534)
        nobody = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": home}
        subprocess.run([siegel, "--data", data, "init", "--single-disk"], check=True, capture_output=True, **nobody)
        server = serve(siegel, data, home / "log", **nobody)
        (data / "start.pid").write_text(f"{server.pid}\n")
        done = subprocess.run([start, "--stop", "--data", "./data"], text=True, capture_output=True, check=False, **nobody)
        ended = server.poll()  # at once: who stops it may start the next one
        server.kill()
        server.wait()
        expect(done.returncode == 0 and ended == 0, "--stop does not stop a server of who is not root", done.stdout, done.stderr)


def check_missing_lock_record(tree, listen):
    """The server runs read-only and says so; one way out is printed, and works."""
    tree.start("--stop")
    (tree.folder / "siegel-data.outside/head").unlink()
    done = tree.start("--listen", listen)
    expect(done.returncode == 1 and "lock_record_missing" in done.stderr, "a missing lock record", done.stdout, done.stderr)
    expect("lock show" in done.stderr and "lock adopt --reason" in done.stderr, "no advice", done.stderr)
    expect(listens(listen), "the read-only server does not run")
    tree.start("--stop")
    subprocess.run([tree.siegel, "--data", tree.folder / "siegel-data", "lock", "adopt", "--reason", "test", "--yes"], check=True,
                   stdout=subprocess.DEVNULL)
    last_lines(tree.start("--listen", listen))


def check_example_later(tree):
    """A data directory made without the example: it is said, and --example takes it in, unless its names are taken."""
    def start(data, *arguments):
        return tree.start("--data", f"./{data}", "--listen", f"127.0.0.1:{free_port()}", *arguments)

    def address_and_token(done):
        expect(done.returncode == 0, f"ended with {done.returncode}", done.stdout, done.stderr)
        return re.search(r"siegel: address (\S+)\nsiegel: token (\S+)\n", done.stdout).groups()

    address, token = address_and_token(start("other", "--no-example"))
    done = start("other")
    address, token = address_and_token(done)
    expect("./start --example" in done.stdout, "nobody said that the example is not there", done.stdout)
    address, token = address_and_token(start("other", "--example"))
    expect(tree.records(address, token) == 200, "--example took nothing in")
    expect("--example" not in start("other").stdout, "the example is there, and it is said that it is not")
    tree.start("--stop", "--data", "./other")

    address, token = address_and_token(start("own", "--no-example"))
    subprocess.run([tree.siegel, "--server", address, "class", "set", "customer", REPO / "docs/examples/customer.json"], check=True,
                   env={**os.environ, "SIEGEL_TOKEN": token}, stdout=subprocess.DEVNULL)
    done = start("own", "--example")
    expect(done.returncode == 1 and "there already" in done.stderr, "the example went over somebody's own class", done.stderr)
    tree.start("--stop", "--data", "./own")


def check_read_models_made_anew(tree, listen):
    """Shown as the server tells of it, and waited for as long as it goes on: here the patience is four seconds, the work takes five."""
    tree.start("--stop")
    siegel, script = tree.siegel.resolve(), tree.folder / "start"
    text = script.read_text()
    expect("quiet < 600" in text, "the patience of ./start is not where this test shortens it")
    script.write_text(text.replace("quiet < 600", "quiet < 40"))
    tree.siegel.unlink()
    for seconds, ends_well in ((5, True), (0, False)):
        tree.siegel.write_text("#!/bin/bash\n"
                               "if [[ \" $* \" == *' create --local '* ]]; then echo 'siegel: the read models catch up: 0000 of 5000 events' >&2; fi\n"
                               "if [[ \" $* \" == *' serve '* ]]; then\n"
                               f"  for ((i = 1; i <= {seconds}; ++i)); do\n"
                               "    echo \"siegel: the read models catch up: $((i * 1000)) of 5000 events\" >&2; sleep 1; done\n"
                               + ("" if ends_well else "  exec -a siegel sleep 60\n") + f"fi\nexec {siegel} \"$@\"\n")
        tree.siegel.chmod(0o755)
        done = tree.start("--listen", listen)
        lines = re.findall(r"^the read models catch up: (\d)000 of 5000 events$", done.stdout, re.M)
        expect(lines == [str(i) for i in range(seconds + 1)], "the progress is not shown", done.stdout, done.stderr)
        expect((done.returncode == 0) == ends_well, f"ended with {done.returncode}", done.stdout, done.stderr)
        expect(ends_well or "nothing went on" in done.stderr, "it is not said that nothing went on", done.stderr)
        tree.start("--stop")
    script.write_text(text)
    tree.siegel.unlink()
    tree.siegel.symlink_to(siegel)


def check_wrong_places(tree):
    """Said before anything is made."""
    file, full = tree.folder / "a-file", tree.folder / "full"
    file.touch()
    full.mkdir()
    (full / "somebody's").touch()
    before = sorted(tree.folder.iterdir())
    for place, said in (("./a-file", "is a file"), ("./full", "something is in it"), ("./not/there", "there is no directory ./not")):
        done = tree.start("--data", place, "--listen", f"127.0.0.1:{free_port()}")
        expect(done.returncode == 1 and said in done.stderr and not done.stdout, f"--data {place}", done.stdout, done.stderr)
        expect(sorted(tree.folder.iterdir()) == before, f"--data {place} made something")


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
    os.environ["LC_ALL"] = "C.UTF-8"  # what is looked for is English
    with tempfile.TemporaryDirectory() as name:
        tree = Tree(pathlib.Path(name), pathlib.Path(sys.argv[1]).resolve())
        listen = f"127.0.0.1:{free_port()}"
        try:
            earlier = check_interrupted_first_start(tree, listen)
            check_runs(tree, listen, earlier)
            check_what_cannot_start_stops_nothing(tree, listen)
            check_stale_number(tree, listen)
            check_stop_by_its_user(tree)
            check_missing_lock_record(tree, listen)
            check_example_later(tree)
            check_wrong_places(tree)
            check_read_models_made_anew(tree, listen)
            check_words(tree)
            check_refusals(tree)
        finally:
            for data in ("siegel-data", "other", "own"):
                tree.start("--stop", "--data", f"./{data}")


main()
