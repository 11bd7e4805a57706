# SPDX-License-Identifier: Apache-2.0
"""Runs a whole Winnow on loopback in a temporary directory, for scenarios.

    with Winnow() as w:
        w.up("demo")
        w.post([{"site": "demo", "name": "pageview", "url": "https://example.org/"}])
        w.seal("demo", "today", force=True)
        rows = w.report("demo", "pages")

Binaries: WINNOW_BIN (a build's bin directory). Ports are free ones, chosen at
start; every wait has an end.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("WINNOW_BIN", os.path.join(os.path.dirname(__file__), "../../build/dev/bin"))
WAIT_S = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, test, seconds=WAIT_S, every=0.05):
    """Asks `test` until it answers something true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = test()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(every)


class Winnow:
    def __init__(self, bin=BIN, keep=False, **options):
        self.bin = bin
        self.keep = keep or bool(os.environ.get("WINNOW_KEEP"))
        self.dir = tempfile.mkdtemp(prefix="winnow-test-")
        self.http = free_port()
        self.admin = free_port()
        self.sdk = free_port()
        self.web = free_port()
        self.clock_file = os.path.join(self.dir, "clock")
        self.process = None
        self.env = dict(
            os.environ,
            WINNOW_STATE_DIR=os.path.join(self.dir, "state"),
            WINNOW_CONFIG_DIR=os.path.join(self.dir, "config"),
            WINNOW_HTTP_LISTEN=f"127.0.0.1:{self.http}",
            WINNOW_ADMIN_LISTEN=f"127.0.0.1:{self.admin}",
            WINNOW_SDK_LISTEN=f"tcp://127.0.0.1:{self.sdk}",
            WINNOW_WEB_LISTEN=f"127.0.0.1:{self.web}",
            WINNOW_TEST_CLOCK=self.clock_file,
            **{f"WINNOW_{k.upper()}": str(v) for k, v in options.items()},
        )
        os.makedirs(self.env["WINNOW_CONFIG_DIR"], mode=0o700)
        self.log_path = os.path.join(self.dir, "log")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.down()
        if kind is not None:
            sys.stderr.write(f"--- log of {self.dir} ---\n" + self.log()[-8000:] + "\n")
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    # ---- processes ----
    def up(self, *sites):
        args = [os.path.join(self.bin, "winnow"), "up"]
        for s in sites:
            args += ["--site", s]
        log = open(self.log_path, "a")
        self.process = subprocess.Popen(args, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        self.ready()

    def ready(self):
        def both():
            if self.process.poll() is not None:
                raise AssertionError("winnow up ended: " + self.log()[-3000:])
            return self.get("/healthz")[0] == 200 and self.cli("status", check=False).returncode == 0

        wait_for("both daemons", both)

    def down(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in self.pids().values():
                    os.kill(pid, signal.SIGKILL)
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def pids(self):
        """{'collector': pid, 'aggregator': pid}: the daemons that run now, children of `winnow up`."""
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat") as f:
                    stat = f.read()
                with open(f"/proc/{name}/cmdline") as f:
                    exe = os.path.basename(f.read().split("\0")[0])
            except OSError:
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            if self.process and parent == self.process.pid and exe.startswith("winnow-"):
                found[exe[len("winnow-"):]] = int(name)
        return found

    def kill(self, role):
        pid = wait_for(f"the {role}", lambda: self.pids().get(role))
        os.kill(pid, signal.SIGKILL)
        wait_for(f"a new {role}", lambda: self.pids().get(role, pid) != pid)

    # ---- clock ----
    def clock(self, offset_s):
        """Moves the daemons' clocks forward (test builds only)."""
        tmp = self.clock_file + ".new"
        with open(tmp, "w") as f:
            f.write(str(int(offset_s)))
        os.rename(tmp, self.clock_file)
        time.sleep(0.1)  # longer than the daemons keep a value

    # ---- CLI ----
    def cli(self, *args, check=True, input=None, timeout=300):
        p = subprocess.run([os.path.join(self.bin, "winnow"), *args], env=self.env, input=input, timeout=timeout,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and p.returncode != 0:
            raise AssertionError(f"winnow {' '.join(args)}: exit {p.returncode}: {p.stderr.decode()[-2000:]}")
        return p

    def site(self, name, *args):
        self.cli("site", "add", name, *args)

    def send(self, site, events, *args):
        return self.cli("send", "--site", site, *args, input="".join(json.dumps(e) + "\n" for e in events).encode())

    def seal(self, site, date, force=False):
        return self.cli("seal", "--site", site, "--date", date, *(["--force"] if force else []))

    def tick(self):
        return self.cli("tick")

    def report(self, site, table, day="today"):
        """One day's rows of a table as a list of dicts; [] when nothing is published."""
        p = self.cli("report", "--site", site, "--table", table, "--from", day, "--to", day, "--format", "json", check=False)
        if not p.stdout.strip():
            return []
        return json.loads(p.stdout).get("rows", [])

    # ---- HTTP ----
    def request(self, method, path, body=None, headers=None, port=None, timeout=30):
        c = http.client.HTTPConnection("127.0.0.1", port or self.http, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        except OSError:
            return 0, {}, b""
        finally:
            c.close()

    def get(self, path, headers=None, port=None):
        return self.request("GET", path, headers=headers, port=port)

    def post(self, body, headers=None, path="/v1/events"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, _, text = self.request("POST", path, data, {"Content-Type": "application/json", **(headers or {})})
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def metrics(self):
        """{name{labels}: value} of the collector's /metrics."""
        found = {}
        for line in self.get("/metrics", port=self.admin)[2].decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found


def person(i, bits=16):
    """A visitor's address: each in a network prefix of their own."""
    return f"81.{(i >> 8) & 255}.{i & 255}.7"


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def view(site, url, **more):
    return {"site": site, "name": "pageview", "url": url, **more}


def expect(condition, *words):
    """An assertion that says what it saw."""
    if not condition:
        raise AssertionError(" ".join(str(w) for w in words))
