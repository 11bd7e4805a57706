# SPDX-License-Identifier: Apache-2.0
"""Beacons a second of collector CPU over HTTP, beside nginx answering an empty
gif with its access log on; memory with 1,000 connections open."""
import os
import re
import socket
import subprocess

from bench_kit import (
    QUICK,
    RUNS,
    Scratch,
    Winnow,
    children,
    cpu_s,
    feed,
    free_port,
    has,
    line,
    note,
    rss_bytes,
    stop,
)
from bench_kit import HERE, program, version, wait_for

SECONDS = 1 if QUICK else 5
REQUESTS = 20_000
NGINX_CONF = """daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/err; user root;
events {{ worker_connections 2048; }}
http {{ access_log {dir}/access.log combined; keepalive_requests 1000000000;
  client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir};
  scgi_temp_path {dir};
  server {{ listen 127.0.0.1:{port}; location = /e.gif {{ empty_gif; }} }} }}"""


class Nginx(Scratch):
    process = None

    def start(self):
        self.port = free_port()
        with open(self.path("conf"), "w") as f:
            f.write(NGINX_CONF.format(dir=self.dir, port=self.port))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", self.dir, "-e", self.path("err"), "-c", self.path("conf")],
            stdin=subprocess.DEVNULL,
        )
        wait_for("nginx", self.up, 10)
        self.pids = [self.process.pid, *children(self.process.pid)]

    def __exit__(self, *a):
        stop(self.process)
        super().__exit__(*a)

    def up(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0 and len(children(self.process.pid)) == 1


class Bare(Scratch):
    """The same HTTP library with nothing behind it."""

    process = None

    def start(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            [program("winnow-bench-bare"), "--endpoint", str(self.port)], stdin=subprocess.PIPE
        )
        self.pids = [self.process.pid]
        wait_for("winnow-bench-bare", self.up, 10)

    def __exit__(self, *a):
        stop(self.process)
        super().__exit__(*a)

    def up(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0


def wrk(port, connections, requests):
    """Requests answered 2xx, and those not."""
    p = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{SECONDS}s",
            "--timeout",
            "10s",
            "--latency",
            "-s",
            os.path.join(HERE, "bench_http.lua"),
            f"http://127.0.0.1:{port}/",
        ],
        env=dict(os.environ, BENCH_REQUESTS=requests),
        stdout=subprocess.PIPE,
        timeout=SECONDS + 60,
    )
    text = p.stdout.decode()
    done = int(re.search(r"(\d+) requests in", text).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if errors:
        note("wrk:", errors.group(0))
    ms = float(p99.group(1)) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99.group(2)] if p99 else 0.0
    return done, int(bad.group(1)) if bad else 0, ms


def measure(port, pids, connections, requests, each=1):
    before = [cpu_s(p) for p in pids]
    done, bad, p99 = wrk(port, connections, requests)
    after = [cpu_s(p) for p in pids]
    if bad:
        note(f"{bad} of {done} requests were not answered 2xx")
    return (done - bad) * each, sum(after) - sum(before), p99


def reference_rates(kind, requests, connections):
    with kind() as n:
        wrk(n.port, connections, requests)
        rates = []
        for _ in range(RUNS):
            done, cpu, _ = measure(n.port, n.pids, connections, requests)
            rates.append(done / cpu)
    return rates


def collector_rates(w, connections, requests, each):
    """Events a second of collector CPU, of both daemons' CPU, of wall time; p99 in ms."""
    one, both, wall, late = [], [], [], []
    for _ in range(RUNS):
        all_before = cpu_s(w.aggregator)
        done, cpu, p99 = measure(w.http, [w.collector], connections, requests, each)
        one.append(done / cpu)
        w.drain()
        both.append(done / (cpu + cpu_s(w.aggregator) - all_before))
        wall.append(done / SECONDS)
        late.append(p99)
    return one, both, wall, late


def run(slow=False):
    if not has("wrk"):
        return note("http: wrk is not installed")
    bench = "slow_disk" if slow else "http"
    with Scratch() as s, Winnow(**({"sync_delay_ms": 5} if slow else {})) as w:
        beacon, batch, gif = s.path("beacon"), s.path("batch"), s.path("gif")
        feed(beacon, "beacon", REQUESTS)
        feed(batch, "batch", REQUESTS * 5)
        feed(gif, "gif", REQUESTS)
        for connections in (64, 8):
            reference = bare = None
            if not slow and os.path.exists("/usr/sbin/nginx"):
                rate = line(
                    bench, f"nginx_{connections}", "requests/s/cpu", reference_rates(Nginx, gif, connections)
                )
                reference = (f"nginx {version('nginx')} empty_gif with access log", rate)
            if not slow:
                rate = line(
                    bench, f"bare_{connections}", "requests/s/cpu", reference_rates(Bare, beacon, connections)
                )
                bare = (f"libmicrohttpd {version('libmicrohttpd12')} that reads nothing", rate)
            wrk(w.http, connections, beacon)
            one, both, wall, late = collector_rates(w, connections, beacon, 1)
            line(bench, f"beacon_{connections}", "events/s/cpu", one, reference)
            if bare:
                line(bench, f"beacon_{connections}_of_bare", "events/s/cpu", one, bare)
            line(bench, f"beacon_{connections}_both_daemons", "events/s/cpu", both)
            line(bench, f"beacon_{connections}_wall", "events/s", wall)
            line(bench, f"beacon_{connections}_p99", "ms", late)
            one, both, wall, late = collector_rates(w, connections, batch, 20)
            line(bench, f"batch20_{connections}", "events/s/cpu", one)
            line(bench, f"batch20_{connections}_wall", "events/s", wall)


def rest():
    """Memory at rest and with 1,000 connections that have each sent a beacon."""
    with Scratch() as s, Winnow() as w:
        line("memory", "collector_at_rest", "B", [rss_bytes(w.collector)])
        line("memory", "aggregator_at_rest", "B", [rss_bytes(w.aggregator)])
        requests = s.path("beacon")
        feed(requests, "beacon", 1000)
        with open(requests, "rb") as f:
            raw = f.read()
        at, sockets, refused = 0, [], 0
        while at < len(raw):
            end = raw.index(b"\n", at)
            n = int(raw[at:end])
            c = socket.create_connection(("127.0.0.1", w.http), timeout=10)
            try:
                c.sendall(raw[end + 1 : end + 1 + n])
                refused += not c.recv(4096).startswith(b"HTTP/1.1 200")
                sockets.append(c)
            except OSError:
                refused += 1
            at = end + 1 + n
        if refused:
            note(f"{refused} of 1,000 connections were not answered 200")
        line("memory", f"collector_at_{len(sockets)}_connections", "B", [rss_bytes(w.collector)])
        line("memory", "aggregator_after_1000_beacons", "B", [rss_bytes(w.aggregator)])
        for c in sockets:
            c.close()
