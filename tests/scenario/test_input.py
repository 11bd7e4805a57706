# SPDX-License-Identifier: Apache-2.0
"""Bad input is refused with a reason, counted, and loses nothing else; floods stay within named memory."""
import json
import os
import re
import socket
import subprocess
import threading

from winnow import AGENT, Winnow, expect, free_port, person, view, wait_for

LIMIT = 65536  # body_bytes_max
GOOD = view("shop", "https://shop.example/")


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS")) / 1024


def reasons(answer):
    return {r["index"]: r["reason"] for r in answer["refused"]}


with Winnow(body_bytes_max=LIMIT) as w:
    w.up("shop")
    w.site("pages", "--zone", "UTC", "--host", "shop.example")  # only pages of a listed host may opt in
    who = {"X-Forwarded-For": person(1), "User-Agent": AGENT}

    # One bad event in a batch: refused by its reason, its neighbours kept.
    deep = {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}
    bad = {
        "unknown_field": dict(GOOD, colour="red"),
        "too_long": dict(GOOD, url="https://shop.example/" + "a" * 4000),
        "too_deep": dict(GOOD, props=deep),
        "unknown_site": dict(GOOD, site="nobody"),
        "missing_field": {"site": "shop"},
        "malformed": dict(GOOD, name=True),
        "too_many": dict(GOOD, props={f"p{i}": None for i in range(257)}),
        "not_allowed": dict(GOOD, ip="1.2.3.4"),
        "future": dict(GOOD, time="2099-01-01T00:00:00Z"),
    }
    for reason, event in bad.items():
        before = w.metrics()
        status, answer = w.post([GOOD, event, GOOD], who)
        expect(status == 200 and answer["accepted"] == 2, reason, status, answer)
        expect(reasons(answer) == {1: reason}, reason, answer)
        expect("secret" not in json.dumps(answer) and "1.2.3.4" not in json.dumps(answer), "an answer echoes input", answer)
        key = next((k for k in w.metrics() if f'reason="{reason}"' in k), None)
        expect(key and w.metrics()[key] == before.get(key, 0) + 1, reason, "is not counted", key)
    twice = b'[{"site":"shop","name":"pageview","url":"https://shop.example/","url":"https://shop.example/b"},' + \
        json.dumps(GOOD).encode() + b"]"
    status, answer = w.post(twice, who)
    expect(status == 200 and reasons(answer) == {0: "duplicate_field"} and answer["accepted"] == 1, "duplicate", answer)
    for event in (b'{"site":"shop","name":"a","url":"/","props":{"a":1,"b":2,"a":3}}', b'{"site":"shop","name":"a","url":"/","gpp":"x","gpp":"x"}'):
        expect(reasons(w.post(b"[" + event + b"]", who)[1]) == {0: "duplicate_field"}, "duplicate", event)
    for event in (dict(GOOD, child="yes"), dict(GOOD, props=["a"]), dict(GOOD, props="a")):
        expect(reasons(w.post([event], who)[1]) == {0: "malformed"}, "malformed", event)

    # Consent nobody can read is a person's refusal: plain success, nothing counted, in a body, in a query, in a cookie.
    for consent in ("all", [], [True], 1, {"a": "x" * 129}, {"a" * 129: True}):
        expect(w.post([dict(GOOD, consent=consent)], who) == (200, {"accepted": 1, "refused": []}), "consent", consent)
    doubtful = b'{"site":"shop","name":"a","url":"/","consent":{"C0002":false,"C0002":true}}'
    for body, more, path in ((doubtful, {}, ""), (json.dumps(GOOD).encode(), {"Cookie": "usprivacy=1YNN; usprivacy=1YYN"}, ""),
                             (json.dumps(GOOD).encode(), {}, "?purposes=")):
        expect(w.post(body, dict(who, **more), "/v1/events" + path) == (200, {"accepted": 1, "refused": []}), "doubtful", body, more, path)
    twice = w.post([GOOD, dict(GOOD, gcs="G111")], who, "/v1/events?gcs=G100&gcs=G111")
    expect(reasons(twice[1]) == {0: "duplicate_field"}, "a parameter twice", twice)

    # Opting out, as a page's form, as a script and as a program does it.
    plain = {"Accept": "text/html"}
    status, heads, page = w.get("/v1/opt-out", plain)
    expect(status == 200 and b"has not opted out here</strong>" in page and "Set-Cookie" not in heads, "the page", status, heads, page)
    expect("default-src 'none'" in heads["Content-Security-Policy"], "the page's policy", heads)
    status, heads, _ = w.request("POST", "/v1/opt-out", b"", plain)
    expect(status == 303 and heads["Location"] == "opt-out", "a form", status, heads)
    cookie = heads["Set-Cookie"].split(";")[0]
    expect(cookie == "winnow_opt_out=1" and "HttpOnly" in heads["Set-Cookie"] and "Secure" not in heads["Set-Cookie"], "the cookie", heads)
    expect(b"has opted out</strong>" in w.get("/v1/opt-out", {"Cookie": cookie})[2], "the page, opted out")
    script = {"Origin": "https://shop.example", "Cookie": cookie, "X-Forwarded-Proto": "https"}
    status, heads, body = w.request("POST", "/v1/opt-out", b"", script)
    expect(status == 200 and json.loads(body) == {"opted_out": True}, "a script", status, body)
    expect(heads["Set-Cookie"].endswith("SameSite=None; Secure"), "the cookie over https", heads)
    for method, path, body in (("POST", "/v1/events", json.dumps(GOOD).encode()), ("POST", "/v1/opt-out", b""), ("DELETE", "/v1/opt-out", None)):
        status, heads, body = w.request(method, path, body, dict(who, **script))
        expect(status == 200 and heads["Access-Control-Allow-Origin"] == "https://shop.example" and
               heads["Access-Control-Allow-Credentials"] == "true", "credentials", method, path, status, heads)
    expect(json.loads(body) == {"opted_out": False} and "winnow_opt_out=; Max-Age=0" in heads["Set-Cookie"], "opting in", body, heads)
    preflight = w.request("OPTIONS", "/v1/opt-out", None, {"Origin": "https://shop.example", "Access-Control-Request-Method": "DELETE"})
    expect(preflight[0] == 204 and "DELETE" in preflight[1]["Access-Control-Allow-Methods"], "preflight", preflight)
    robot = w.post([GOOD], dict(who, **{"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}))
    expect(reasons(robot[1]) == {0: "bot"}, "robot", robot)

    # Truncated or broken bodies: what stood before stays, the answer is 400.
    whole = json.dumps([GOOD, GOOD, GOOD]).encode()
    status, answer = w.post(whole[:-30], who)
    expect(status == 400 and answer["accepted"] == 2 and list(reasons(answer).values()) == ["malformed"], "truncated", status, answer)
    # Each body, its status and the reasons by index. What is JSON throughout is 200, each item on its own.
    broken, whole_but_wrong = 400, 200
    for junk, want, why in (
        (b"", broken, {}),
        (b"\0", broken, {}),
        (b"nonsense", broken, {}),
        (b"3", broken, {}),
        (b"null", broken, {}),
        (b'"text"', broken, {}),
        (b"\xff\xfe[]", broken, {}),
        (b" " * LIMIT, broken, {}),
        (b"[" * 60000, broken, {0: "malformed"}),
        (b'{"a":' * 5000, broken, {0: "malformed"}),
        (b"[{}]{}", broken, {0: "missing_field"}),
        (b"[]", whole_but_wrong, {}),
        (b"{}", whole_but_wrong, {0: "missing_field"}),
        (b"[[]]", whole_but_wrong, {0: "malformed"}),
        (b"[1,2,3]", whole_but_wrong, {0: "malformed", 1: "malformed", 2: "malformed"}),
    ):
        status, answer = w.post(junk, who)
        expect(status == want and answer["accepted"] == 0 and reasons(answer) == why, "junk", junk[:10], status, answer)
        expect((answer.get("error") == "malformed") == (want == broken), "junk's error", junk[:10], answer)

    # The limit on a body, to the byte; 1,000 events are more.
    some = json.dumps([GOOD] * 900).encode()
    for size, want in ((LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (LIMIT + 5000, 413)):
        status, answer = w.post(some[:-1] + b" " * (size - len(some)) + b"]", who)
        expect(status == want, "a body of", size, "bytes", status, answer)
        expect(want == 413 or answer == {"accepted": 900, "refused": []}, "a body of", size, "bytes", answer)
    expect(len(json.dumps([GOOD] * 1000)) > LIMIT, "1,000 events are no longer too many")
    status, answer = w.post([GOOD] * 1000, who)
    expect(status == 413 and answer == {"error": "body too large"}, "1,000 events", status, answer)
    # Heads as browsers send them: 8 KiB of cookies in pairs, a target of 16 KiB; and those that are too large.
    pairs = "; ".join(["_ga_0123456=GS1.1.1700000000.12.1.170"] * (8192 // 38 + 1))
    heads = [({"Cookie": pairs}, "", (200,)), ({"Cookie": "a" * 16384}, "", (200,)), ({}, "x" * 16384, (200,)),
             ({"Cookie": "a" * 40000}, "", (431,)), ({}, "x" * 50000, (414,))]
    for more, target, want in heads:
        path = "/p.gif?site=shop&u=https://shop.example/&x=" + target
        status = w.request("GET", path, headers=dict(who, **more))[0]
        expect(status in want, "a head of", len(pairs if more.get("Cookie") == pairs else more.get("Cookie", target)), "bytes", status)
    expect(w.get("/nowhere")[0] == 404 and w.request("PUT", "/v1/events")[0] == 405, "other paths and methods")
    status, answer = w.post([GOOD], who)
    expect((status, answer["accepted"]) == (200, 1), "and it still works", status, answer)

    # A person who refuses sees plain success; a foreign host does not.
    expect(w.post([dict(GOOD, purposes=[])], who)[1]["accepted"] == 1, "refusal")

    # HTTP flood: 1,500 connections, half of them silent, the others sending forever and never ending a body.
    pid = w.pids()["collector"]
    calm = rss_mib(pid)
    sockets = []
    for i in range(1500):
        s = socket.socket()
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", w.http))
            if i % 2:
                s.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 65000\r\n\r\n[" +
                          b",".join([json.dumps(GOOD).encode()] * 400))
        except OSError:
            pass
        sockets.append(s)
    flooded = rss_mib(pid)
    for s in sockets:
        s.close()
    limit = 64 + 33554432 / (1 << 20)  # 1,000 connections, and request_bytes_total_max
    expect(flooded < limit, "memory under an HTTP flood", flooded, "MiB, limit", limit)
    wait_for("service after the flood", lambda: w.post([GOOD], who)[0] == 200, 30)

    # Unlisted ZeroMQ peers: 200 connections that speak CURVE with keys nobody listed, and plain junk.
    calm_after = rss_mib(pid)
    stop = threading.Event()

    def junk():
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", w.sdk), 1) as s:
                    s.settimeout(0.5)
                    s.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL" + b"\0" * 45)
                    s.sendall(b"\0\xff" * 32768)
            except OSError:
                continue

    threads = [threading.Thread(target=junk) for _ in range(8)]
    for t in threads:
        t.start()
    strangers = []
    for i in range(6):
        folder = os.path.join(w.dir, f"stranger{i}")
        os.makedirs(folder)
        w.cli("keys", "new", "sdk", "--dir", folder, check=False)
        strangers.append(subprocess.Popen(
            [os.path.join(w.bin, "winnow"), "send", "--site", "shop", "--no-register", "--key-dir", folder, "--timeout", "3", "-"],
            env=w.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    outs = [p.communicate(b"".join(json.dumps(GOOD).encode() + b"\n" for _ in range(20000)), timeout=60) for p in strangers]
    stop.set()
    for t in threads:
        t.join()
    expect(all(p.returncode != 0 for p in strangers), "a stranger was served", [p.returncode for p in strangers])
    expect(rss_mib(pid) < limit, "memory under unlisted ZeroMQ peers", rss_mib(pid), "MiB, limit", limit)
    expect(pid == w.pids()["collector"], "the collector was restarted")
    w.send("shop", [dict(GOOD, ip=person(5), user_agent=AGENT)])
    # Maps and flags through `winnow send`: judged as in JSON.
    sent = [dict(GOOD, consent={"categoryPreferences": {"C0002": True, "C0004": False}}, props={"plan": "pro", "deep": {"a": [1]}}),
            dict(GOOD, consent={"a" * 129: True}), dict(GOOD, child=True), dict(GOOD, child="yes"), dict(GOOD, props={"a": deep}),
            dict(GOOD, props={f"p{i}": None for i in range(257)})]
    said = w.cli("send", "--site", "shop", "-", input="".join(json.dumps(e) + "\n" for e in sent).encode(), check=False).stdout.decode()
    expect(re.search(r"accepted +3\b", said) and all(why in said for why in ("malformed", "too_deep", "too_many")), "maps over ZeroMQ", said)
    print(f"ok: {len(bad) + 2} reasons; RSS calm {calm:.0f} MiB, flooded {flooded:.0f} MiB, unlisted peers {rss_mib(pid):.0f} MiB, limit {limit:.0f} MiB")
