# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of everything: what was acknowledged counts once.

100,000 events (WN_KILL_EVENTS) go half over HTTP, half over ZeroMQ, each sender
repeating what was not acknowledged, while each daemon is killed ten times
(WN_KILLS). Published counts are floors in tens, so two sites sit on the edges:
`even` has counts that end in 0 (one lost shows), `nine` in 9 (one twice shows).
"""
import json
import os
import random
import re
import threading
import time

from winnow import AGENT, Winnow, expect, view, wait_for

EVENTS = int(os.environ.get("WN_KILL_EVENTS", "100000"))
KILLS = int(os.environ.get("WN_KILLS", "10"))
EACH = 10                                  # events a person, in two sessions
PEOPLE = {"even": EVENTS // 2 // EACH, "nine": EVENTS // 2 // EACH - 2}  # and one more with nine events
PARTS = max(20, KILLS)                     # what the ZeroMQ senders send in turn with the kills
TABLES = ["traffic", "hours", "pages", "entry_pages", "exit_pages", "channels", "languages", "browsers", "devices", "events"]


def address(i):
    return f"{20 + (i >> 16)}.{(i >> 8) & 255}.{i & 255}.9"


def events_of(site, i, now):
    """Ten events: five three hours ago, five now."""
    out = []
    for n in range(EACH):
        t = now - (3 * 3600 if n < EACH // 2 else 0) + n
        out.append(view(site, f"https://x.example/p{(i + n) % 7}", time=t, language="de"))
    return out


def batches(now):
    http, zmq = [], []
    for site, people in PEOPLE.items():
        for i in range(people):
            if i % 2:
                http.append((address(i), events_of(site, i, now)))
            else:
                zmq += [(site, dict(e, ip=address(i), user_agent=AGENT)) for e in events_of(site, i, now)]
    # One more person with nine events: people, events and the sum of sessions of `nine` end in 9, 9 and 8.
    zmq += [("nine", dict(e, ip=address(PEOPLE["nine"]), user_agent=AGENT)) for e in events_of("nine", 0, now)[:9]]
    return http, zmq


def send_http(w, work, seed, failures):
    import http.client
    c = None
    for n, (ip, events) in enumerate(work):
        body = json.dumps({"batch_id": f"{seed}-{n}", "events": events})
        for _ in range(2000):
            try:
                if c is None:
                    c = http.client.HTTPConnection("127.0.0.1", w.http, timeout=10)
                c.request("POST", "/v1/events", body, {"X-Forwarded-For": ip, "User-Agent": AGENT})
                r = c.getresponse()
                answer = r.read()
                if r.status == 200:
                    if json.loads(answer)["accepted"] != len(events):
                        failures.append(answer)
                    break
                time.sleep(0.02)
            except (OSError, http.client.HTTPException):
                c = None
                time.sleep(0.02)
        else:
            failures.append(f"never accepted: {n}")
            return


def meanwhile(w):
    return sum(int(n) for n in re.findall(r"replayed; (\d+) batches came meanwhile", w.log()))


def run(disturb):
    # A slow disk stretches the load over the kills.
    with Winnow(sync_delay_ms=20 if disturb else 0) as w:
        noon = int(time.time()) // 86400 * 86400 + 36 * 3600  # tomorrow: the clock only moves forward
        w.clock(noon - int(time.time()))
        if disturb:
            w.env["WINNOW_TEST_SLOW_REPLAY"] = "1"  # so that batches come while the aggregator replays
        w.up("even", "nine")
        http, zmq = batches(noon)
        failures, killed = [], []
        for site in PEOPLE:
            w.send(site, [])  # lists the sender's key
        threads = [threading.Thread(target=send_http, args=(w, http[i::4], f"h{i}", failures)) for i in range(4)]
        for site in PEOPLE:
            lines = [e for s, e in zmq if s == site]

            def send(site=site, lines=lines):
                part = -(-len(lines) // PARTS)
                for n in range(PARTS):
                    while disturb and len(killed) < n * KILLS // PARTS:
                        time.sleep(0.02)
                    try:
                        w.send(site, lines[n * part:(n + 1) * part], "--batch-prefix", f"z{site}{n}", "--timeout", "120")
                    except Exception as e:
                        failures.append(e)
                        return

            threads.append(threading.Thread(target=send))
        for t in threads:
            t.start()
        under_load = 0
        rng = random.Random(7)
        # KILLS, and more while the senders send, until a batch came during a replay.
        while disturb and (len(killed) < KILLS or (len(killed) < 3 * KILLS and not meanwhile(w) and any(t.is_alive() for t in threads))):
            time.sleep(rng.uniform(0.05, 0.3))
            for role in ("collector", "aggregator"):
                w.kill(role)
            killed.append(1)
            under_load += any(t.is_alive() for t in threads)
        for t in threads:
            t.join()
        expect(not failures, failures[:3])
        expect(not disturb or under_load >= KILLS - 1, "too few kills fell into the load:", under_load)
        w.ready()
        w.seal("even", "today", force=True)
        found = {(s, t): w.report(s, t) for s in PEOPLE for t in TABLES}
        held = meanwhile(w)
        expect(not disturb or held > 0, "no batch came during a replay")
        epochs = w.log().count("a new epoch began")
        expect(epochs == 0, "the keeper lost identity keys", epochs)
        return found, under_load, held


calm, _, _ = run(False)
for site, people in (("even", PEOPLE["even"]), ("nine", PEOPLE["nine"] + 1)):
    row = calm[site, "traffic"][0]
    events = (people - 1) * EACH + (EACH if site == "even" else EACH - 1)
    want = {"people": people // 10 * 10, "events": events // 10 * 10, "sessions": 2 * people // 10 * 10}
    got = {k: row[k] for k in want}
    expect(got == want, site, "undisturbed", got, "want", want)
killed, under_load, held = run(True)
for key in calm:
    expect(killed[key] == calm[key], key, "killed", killed[key][:5], "calm", calm[key][:5])
print(f"ok: {EVENTS} events, each daemon killed at least {KILLS} times ({under_load} of them while senders sent), {held} batches held over replays, {len(calm)} tables equal")
