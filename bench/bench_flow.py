# SPDX-License-Identifier: Apache-2.0
"""The whole way: ZeroMQ senders to durable in the aggregator; a log import
beside GoAccess and webalizer; what the open window then takes of disk and memory."""
import datetime
import json
import os
import signal
import socket
import subprocess
import time

import bench_clickhouse
from bench_kit import (
    DAY_S,
    EVENTS,
    RUNS,
    Scratch,
    Winnow,
    cpu_s,
    disk_bytes,
    has,
    line,
    note,
    program,
    rss_bytes,
    version,
    wait_for,
)


def send(w, events):
    """Wall seconds until all is durable in the aggregator, CPU of collector and aggregator."""
    with open(os.path.join(w.state, "collector/keys/sdk.pub")) as f:
        key = f.read().strip()
    p = subprocess.Popen(
        [
            program("winnow-bench-load"),
            "--endpoint",
            f"tcp://127.0.0.1:{w.sdk}",
            "--server-key",
            key,
            "--dir",
            w.path("keys"),
            "--events",
            str(events),
            "--day",
            str(DAY_S),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if p.stdout.readline() != b"ready\n":
        raise RuntimeError("winnow-bench-load did not begin")
    before = cpu_s(w.collector), cpu_s(w.aggregator)
    wall = time.monotonic()
    p.stdin.write(b"go\n")
    p.stdin.flush()
    told = p.stdout.readline()
    acked = time.monotonic() - wall
    p.wait(60)
    if not told or p.returncode != 0:
        raise RuntimeError(f"winnow-bench-load: exit {p.returncode}, {told}")
    w.drain()
    wall = time.monotonic() - wall
    return wall, acked, cpu_s(w.collector) - before[0], cpu_s(w.aggregator) - before[1], json.loads(told)


def post(w):
    body = b'{"site":"site-07","name":"pageview","url":"https://site-07.example/"}'
    head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla/5.0 Firefox/140.0\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", w.http), timeout=5) as c:
            c.sendall(head.encode() + body)
            return c.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def recovery(w):
    """Seconds from a kill -9 to the first answer: to a beacon, and to a batch."""
    at = time.monotonic()
    os.kill(w.collector, signal.SIGKILL)
    wait_for("the collector's return", lambda: post(w), 60, 0.002)
    edge = time.monotonic() - at
    w.drain()
    at = time.monotonic()
    os.kill(w.aggregator, signal.SIGKILL)
    if not post(w):
        raise RuntimeError("a beacon was not taken while the aggregator was down")
    before = w.metric("batches_delivered")
    wait_for("the aggregator's return", lambda: w.metric("batches_delivered") > before, 60, 0.002)
    return edge, time.monotonic() - at


def pipeline():
    reference = bench_clickhouse.figures()
    name = bench_clickhouse.NAME
    rows = []
    for _ in range(RUNS):  # each into an empty window
        with Winnow() as w:
            rows.append(send(w, EVENTS))
            disk = disk_bytes(os.path.join(w.state, "aggregator/open"))
            memory = rss_bytes(w.aggregator), rss_bytes(w.collector)
            rows[-1] += (disk, *memory, *recovery(w))
    wall, acked, collector, aggregator = ([r[i] for r in rows] for i in range(4))
    line(
        "pipeline",
        "durable_wall",
        "events/s",
        [EVENTS / s for s in wall],
        (name + ", wall", reference.get("per_wall")),
    )
    line("pipeline", "acked_wall", "events/s", [EVENTS / s for s in acked])
    line(
        "pipeline",
        "both_daemons",
        "events/s/cpu",
        [EVENTS / (a + b) for a, b in zip(collector, aggregator)],
        (name, reference.get("per_cpu")),
    )
    line("pipeline", "collector", "events/s/cpu", [EVENTS / s for s in collector])
    line(
        "pipeline",
        "aggregator",
        "events/s/cpu",
        [EVENTS / s for s in aggregator],
        (name, reference.get("per_cpu")),
    )
    line("pipeline", "sender", "events/s/cpu", [EVENTS / r[4]["cpu_s"] for r in rows])
    line("disk", "open_window", "B/event", [r[5] / EVENTS for r in rows])
    line("memory", "aggregator_after_a_day", "B", [r[6] for r in rows], (name, reference.get("memory")))
    line("memory", "collector_after_a_day", "B", [r[7] for r in rows])
    line("recovery", "collector_first_ack", "s", [r[8] for r in rows])
    line("recovery", "aggregator_first_ack", "s", [r[9] for r in rows])


# ---- access logs ----


def make_log(path, lines):
    people = max(1, lines // 9)
    date = datetime.datetime.fromtimestamp(DAY_S, datetime.timezone.utc).strftime("%Y-%m-%d")
    with open(path, "wb") as f:
        subprocess.run(
            [
                program("winnow-traffic"),
                "--mode",
                "log",
                "--site",
                "site-07",
                "--date",
                date,
                "--people",
                str(people),
            ],
            stdout=f,
            check=True,
            timeout=300,
        )
    with open(path, "rb") as f:
        return sum(part.count(b"\n") for part in iter(lambda: f.read(1 << 20), b""))


def seconds(argv, **more):
    at = time.monotonic()
    p = subprocess.run(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=600, **more
    )
    if p.returncode != 0:
        raise RuntimeError(f"{argv[0]}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-300:]}")
    return time.monotonic() - at


def others(s, log, lines):
    """Lines a second of what else reads logs here."""
    found = {}
    commands = {
        "goaccess": [
            "goaccess",
            log,
            "--log-format=COMBINED",
            "--no-progress",
            "--no-global-config",
            "-o",
            s.path("o.json"),
        ],
        "webalizer": ["webalizer", "-Q", "-c", "/dev/null", "-o", s.path("web"), "-F", "clf", log],
    }
    os.makedirs(s.path("web"), exist_ok=True)
    for name, argv in commands.items():
        if not has(name):
            note(f"import: {name} is not installed")
            continue
        took = []
        for _ in range(RUNS):
            for old in os.listdir(s.path("web")):
                os.unlink(os.path.join(s.path("web"), old))
            took.append(seconds(argv))
        found[name] = line("import", name, "lines/s", [lines / t for t in took])
    return found


def imports():
    with Scratch() as s:
        log = s.path("access.log")
        lines = make_log(log, EVENTS)
        found = others(s, log, lines)
        rates, cpus = [], []
        for _ in range(RUNS):
            with Winnow() as w:
                cpu = w.cpu()
                rates.append(
                    lines
                    / seconds(
                        [program("winnow"), "import", "--site", "site-07", "--keep-open", log], env=w.env
                    )
                )
                cpus.append(lines / (w.cpu() - cpu))
        for name in ("goaccess", "webalizer"):
            reference = (f"{name} {version(name)}, same file", found.get(name))
            line("import", f"winnow_beside_{name}", "lines/s", rates, reference)
        line("import", "both_daemons", "lines/s/cpu", cpus)
        line("import", "log_lines", "lines", [lines])
