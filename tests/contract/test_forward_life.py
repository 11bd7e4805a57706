# SPDX-License-Identifier: Apache-2.0
"""winnow-forward beside a running Winnow: it starts when destinations.yaml appears, whoever is taken out of the file gets
nothing more, a file that is not right stops all sending, a silent receiver holds up nobody, an aggregator that is away
makes nothing go twice, it ends at once, and it is confined."""
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenario"))
from winnow import AGENT, BIN, Winnow, expect, person, wait_for  # noqa: E402

PLAN = """version: 2
noise: {rho: default, people: all}
tables:
  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view, event], measures: [people, events, sessions]}
  - {id: c_all, doc: All, purpose: basic, dimensions: [], of: [view], measures: [people, events], share: true, contract: "c", receivers: [hook, goo, fold]}
"""
SECRETS = {"hook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "goo": "ga4-s3cret"}


class Receiver(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        mode = self.server.mode.get(self.path.split("?")[0][1:].split("/")[0], 200)
        # "drop": the line goes dead in the middle of the request's body.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)) // (2 if mode == "drop" else 1))
        self.server.asked.append((self.path[1:].split("/")[0].split("?")[0], body))
        if mode == "drop":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return None
        if mode == "silent":
            return self.server.end.wait(60)
        self.send_response(mode)
        self.send_header("Content-Length", "0")
        self.end_headers()


def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    server.mode, server.asked, server.end = {}, [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


with Winnow(forward_s=1, map_mib=16) as w, tempfile.TemporaryDirectory(dir=BIN) as config:
    # Not below /tmp, which a test's clock opens to it: so what it knows of a changed file, it was handed.
    w.env["WINNOW_CONFIG_DIR"] = config
    out, server = os.path.join(w.dir, "out"), receiver()
    os.mkdir(out)
    for name, secret in SECRETS.items():
        with open(os.open(f"{config}/{name}.secret", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(secret + "\n")
    at = f"http://127.0.0.1:{server.server_port}"
    LINES = {"hook": f'{{name: hook, kind: webhook, basis: b, url: "{at}/hook?token=t0ken-s3cret", private_network: true, secret_file: {config}/hook.secret}}',
             "goo": f'{{name: goo, kind: ga4, account: G-ABC, basis: b, url: "{at}/goo", private_network: true, secret_file: {config}/goo.secret}}',
             "fold": f"{{name: fold, kind: file, basis: b, path: {out}}}"}

    def destinations(*names, text=None):
        with open(config + "/new", "w") as f:
            f.write(text if text is not None else "destinations:\n" + "".join(f"  - {LINES[n]}\n" for n in names))
        os.rename(config + "/new", config + "/destinations.yaml")

    def status():
        p = w.cli("forward", "status", check=False)
        return p.stdout.decode() if p.returncode == 0 else ""

    def line(name):
        return next((x.split() for x in status().splitlines() if x.startswith(name + " ")), None)

    def names():
        return {n for n in LINES if line(n)}

    def seal(day_name="today"):
        w.seal("shop", day_name, force=True)

    def next_day():
        global offset
        offset += 86400
        w.down()
        w.clock(offset)
        w.up()

    def visits():
        def visit(i):
            w.post([{"site": "shop", "name": "pageview", "url": "https://shop.example/", "purposes": ["basic", "measure", "share"]}],
                   {"X-Forwarded-For": person(i), "User-Agent": AGENT})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(visit, range(40)))
        wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
        w.tick()

    offset = 0
    with open(config + "/plan.yaml", "w") as f:
        f.write(PLAN)
    w.site("shop", "--zone", "UTC", "--host", "shop.example")
    w.up()
    expect("forward" not in w.pids(), "it runs without a destination")
    os.chmod(f"{config}/goo.secret", 0o640)
    destinations("hook", "goo", "fold")
    wait_for("winnow-forward to start by itself", lambda: names() == set(LINES))
    # A secret is read before it is confined, so a retry with one that could not be is a fresh start.
    expect(line("goo")[2] == "stopped" and "secret: " in status(), status())
    os.chmod(f"{config}/goo.secret", 0o600)
    w.cli("forward", "retry")
    wait_for("its secret to be read", lambda: names() == set(LINES) and line("goo")[2] == "idle")

    # Confined: nothing of its memory or descriptors is other users', and the kernel says so.
    with open(f"/proc/{w.pids()['forward']}/status") as f:
        expect("NoNewPrivs:\t1" in f.read(), "not confined")

    # Taken out of the file: nothing, from that moment on; and `policy reload` says that it is known.
    visits()
    destinations("goo", "fold")
    w.cli("policy", "reload")
    seal()
    wait_for("the others to have it", lambda: os.listdir(out) and any(n == "goo" for n, _ in server.asked))
    expect(not any(n == "hook" for n, _ in server.asked), "sent to one who was taken out")
    wait_for("the new file", lambda: names() == {"goo", "fold"})

    # A file that is not right: nothing to anybody, said; right again: everything.
    next_day()
    wait_for("winnow-forward", lambda: names() == {"goo", "fold"})
    visits()
    destinations(text="destinations:\n  - {name: goo, kind: ga5}\n")
    p = w.cli("policy", "reload", check=False)
    expect(p.returncode == 1 and b"line 2" in p.stderr, p)
    before = len(server.asked)
    seal()
    wait_for("the mistake to be said", lambda: "not valid: nothing is sent" in status())
    for _ in range(3):
        w.tick()
    expect(len(server.asked) == before and len(os.listdir(out)) == 1, "sent by a file that is not right")
    server.mode = {"goo": "silent"}
    destinations("hook", "goo", "fold")

    # GA4 lies silent: the others have all of it meanwhile, and whoever asks is answered at once.
    wait_for("the others", lambda: len(os.listdir(out)) == 2 and sum(n == "hook" for n, _ in server.asked) >= 2)
    wait_for("GA4 to be asked", lambda: len([1 for n, _ in server.asked if n == "goo"]) == 2)
    begun = time.monotonic()
    expect(line("goo")[2] == "sending" and line("fold")[2] == "idle", status())
    expect(time.monotonic() - begun < 5, "a status took", time.monotonic() - begun)
    # It ends at once, and what was under way is not sent again, but counted as doubtful.
    begun = time.monotonic()
    w.down()
    expect(time.monotonic() - begun < 6 and "it is killed" not in w.log(), "it took", time.monotonic() - begun, w.log()[-500:])
    server.mode = {}
    w.up()
    wait_for("winnow-forward", lambda: names() == set(LINES) and line("goo")[2] == "idle")
    expect(len([1 for n, _ in server.asked if n == "goo"]) == 2, "it went again")
    entries = [json.loads(x) for x in w.cli("ledger", "list", "--format", "ndjson").stdout.splitlines()]
    said = [e["notes"] for e in entries if e["what"] == "transfer" and e["receiver"] == "goo"]
    expect(len(said) == 2 and "doubtful" not in said[0] and "doubtful" in said[1], said)

    # A line that goes dead in the middle of a request's body: Google may have taken it, and knows no repeats, so its rows
    # are doubtful, named so, and not sent again, now or after a restart; to who knows them it goes again.
    next_day()
    wait_for("winnow-forward", lambda: names() == set(LINES))
    visits()
    server.mode = {"goo": "drop", "hook": "drop"}
    asked = len(server.asked)
    seal()
    wait_for("both lines to go dead", lambda: {n for n, _ in server.asked[asked:]} == {"goo", "hook"})
    server.mode = {}
    wait_for("the rest", lambda: w.cli("forward", "retry") and all(line(n) and line(n)[2] == "idle" for n in LINES))
    expect(line("goo")[4:7] == ["1", "0", "1"] and line("hook")[4:7] == ["1", "0", "0"], status())
    w.down()
    w.up()
    wait_for("winnow-forward", lambda: names() == set(LINES) and all(line(n)[2] == "idle" for n in LINES))
    got = {n: [b for m, b in server.asked[asked:] if m == n] for n in ("goo", "hook")}
    expect(len(got["goo"]) == 1 and b"row_id" in got["goo"][0] and len(got["hook"]) > 1, got)
    entries = [json.loads(x) for x in w.cli("ledger", "list", "--format", "ndjson").stdout.splitlines()]
    said = {n: [e for e in entries if e["what"] == "transfer" and e["receiver"] == n][-1] for n in got}
    expect("doubtful" in said["goo"]["notes"] and "doubtful" not in said["hook"]["notes"], said)
    last = max(e["window"] for e in entries if e["what"] == "transfer")
    expect(said["goo"]["window"] == said["hook"]["window"] == last, said, last)

    # The aggregator is there and says nothing: what was sent is not sent again, to nobody.
    next_day()
    wait_for("winnow-forward", lambda: names() == set(LINES))
    visits()
    server.mode = {"goo": 503, "hook": 503}
    asked = len(server.asked)
    seal()
    wait_for("both to be refused", lambda: {n for n, _ in server.asked[asked:]} == {"goo", "hook"} and line("goo")[2] == line("hook")[2] == "waiting")
    expect("http-status" in status() and "503" in status(), status())
    os.kill(w.pids()["aggregator"], signal.SIGSTOP)
    asked = len(server.asked)
    server.mode = {}
    for _ in range(4):
        w.cli("forward", "retry")
        wait_for("a while", lambda: "aggregator" in status() or len(server.asked) > asked)
    expect(max(Counter(server.asked[asked:]).values(), default=0) <= 1, "the same twice", Counter(n for n, _ in server.asked[asked:]))
    os.kill(w.pids()["aggregator"], signal.SIGCONT)
    wait_for("all of it", lambda: w.cli("forward", "retry") and all(line(n) and line(n)[2] == "idle" for n in LINES), 60)
    goo = Counter(b for n, b in server.asked[asked:] if n == "goo")
    expect(list(goo.values()) == [1], "GA4 got", list(goo.values()))

    # What is secret in an address is not shown; what was sent stays unshown unless it is asked for.
    dried = w.cli("forward", "dry-run", "hook", "--all").stdout
    expect(b"POST " in dried and b"t0ken-s3cret" not in dried and b"token=" in dried, dried[:300])
    expect(w.cli("forward", "dry-run", "hook", check=False).returncode == 1, "shows what has gone")
    log = w.log()
    expect(all(word not in log for word in (*SECRETS.values(), "t0ken-s3cret", at)), "the log holds a secret")

    # A purge says who has rows of the site, and must be asked.
    p = w.cli("purge", "--site", "shop", "--yes").stdout.decode()
    expect("hook" in p and "goo" in p and "fold" in p and "ask" in p, p)
    server.end.set()
    server.shutdown()
print(f"ok: {len(server.asked)} requests")
