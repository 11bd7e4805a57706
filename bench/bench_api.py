# SPDX-License-Identifier: Apache-2.0
"""A store of published rows over HTTP: milliseconds until the first byte of the body, and rows a second until its last,
of 30 days by day in each format for programs, by one reader on loopback."""
import signal
import socket
import subprocess
import time

from bench_kit import DAY_S, EVENTS, RUNS, free_port, line, note, program

FORMATS = ["csv", "ndjson", "json", "msgpack"]


def day(at_s):
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def ask(port, form):
    """(ms until the body begins, seconds until it ends, bytes)"""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        began, first, n, head = time.perf_counter(), None, 0, b""
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
                data = head.split(b"\r\n\r\n", 1)[1]
            n += len(data)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head[:300])
        return first, time.perf_counter() - began, n


def wait(port, process):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            if process.poll() is not None:
                return False
            time.sleep(0.05)
    return False


def measure(state, config):
    port = free_port()
    web = subprocess.Popen(
        [program("winnow-web"), "--state-dir", state, "--config-dir", config, "--web-listen", f"127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        if not wait(port, web):
            return note("export: winnow-web did not begin")
        for form in FORMATS:
            ask(port, form)  # the first warms
            took = [ask(port, form) for _ in range(RUNS)]
            line("export", f"{form}_over_http_first_byte", "ms", [t[0] for t in took])
            line("export", f"{form}_over_http_rows", "M/s", [EVENTS / t[1] / 1e6 for t in took])
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(20)
