# SPDX-License-Identifier: Apache-2.0
"""A store of published rows over HTTP: milliseconds until the first byte of the body, and rows a second until its last,
of 30 days by day in each format for programs, by one reader on loopback."""
import signal
import socket
import subprocess
import time

from bench_kit import DAY_S, EVENTS, RUNS, free_port, line, program, wait_for

FORMATS = ["csv", "ndjson", "json", "msgpack"]


def day(at_s):
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def ask(port, form):
    """(ms until the body begins, seconds until it ends)"""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        began, first, head = time.perf_counter(), None, b""
        s.sendall(
            f"GET /api/v1/report?site=site-07&table=pages&from={day(DAY_S - 29 * 86400)}&to={day(DAY_S)}&by=day&format={form}"
            f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        while data := s.recv(1 << 20):
            if first is None:
                head += data
                if b"\r\n\r\n" not in head or head.endswith(b"\r\n\r\n"):
                    continue
                first = (time.perf_counter() - began) * 1e3
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head[:300])
        return first, time.perf_counter() - began


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def measure(state, config):
    port = free_port()
    web = subprocess.Popen(
        [program("winnow-web"), "--state-dir", state, "--config-dir", config, "--web-listen", f"127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("winnow-web", lambda: listens(port))
        for form in FORMATS:
            ask(port, form)  # the first warms
            took = [ask(port, form) for _ in range(RUNS)]
            line("export", f"{form}_over_http_first_byte", "ms", [t[0] for t in took])
            line("export", f"{form}_over_http_rows", "M/s", [EVENTS / t[1] / 1e6 for t in took])
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(20)
