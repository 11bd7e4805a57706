# SPDX-License-Identifier: Apache-2.0
"""Windows end by themselves: web after 2 hours of grace, app after 72; a running day is not sealed unasked; a
daemon that dies while a window closes only delays it; what comes after counts as late."""
import datetime
import os
import threading
import time

from winnow import AGENT, Winnow, expect, person, view, wait_for

HOUR = 3600


def open_windows(w):
    folder = os.path.join(w.env["WINNOW_STATE_DIR"], "aggregator", "open")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


with Winnow() as w:
    now = int(time.time())
    start = now // 86400 * 86400 + 86400 + 20 * HOUR  # tomorrow, 20:00 UTC
    w.clock(start - now)
    day = datetime.datetime.fromtimestamp(start, datetime.timezone.utc).date().isoformat()
    w.site("web", "--zone", "Etc/UTC")
    w.site("app", "--zone", "Etc/UTC", "--kind", "app")
    w.up()

    def people(site, n, first=0, **more):
        for i in range(first, first + n):
            status, answer = w.post(view(site, f"https://{site}.example/", **more), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
            expect((status, answer["accepted"]) == (200, 1), "post", status, answer)

    def settle():
        # The next tick of its own then finds nothing to move: when rows step is decided here, not by the clock.
        wait_for("delivery", lambda: w.metrics()["winnow_spool_waiting"] == 0)
        w.tick()

    people("web", 34)
    people("app", 27)
    wait_for("both windows", lambda: len(open_windows(w)) == 2)
    settle()
    refused = w.cli("seal", "--site", "web", "--date", "today", check=False)
    expect(refused.returncode == 1 and b"--force" in refused.stderr, "a running day was sealed unasked", refused)

    # 01:30 of the next day: the day is over, its grace is not. Yesterday's events still count.
    w.clock(start - now + 5 * HOUR + 1800)
    settle()
    people("web", 19, 100, time=start + 3 * HOUR)
    expect(f"{day}.web.Etc_UTC" in open_windows(w), "sealed within its grace", open_windows(w))

    # 02:30: web is due. Its daemons die while it closes; it still seals, once.
    w.clock(start - now + 6 * HOUR + 1800)
    w.kill("aggregator")
    w.kill("collector")
    wait_for("the seal", lambda: f"{day}.web.Etc_UTC" not in open_windows(w), 60)
    row = wait_for("the sealed row", lambda: w.report("web", "traffic", day))[0]
    expect((row["people"], row["events"], row["sessions"]) == (50, 50, 50), "53 people, one visit each", row)
    expect(f"{day}.app.Etc_UTC" in open_windows(w), "the app's window has 72 hours", open_windows(w))
    entries = w.cli("ledger", "list").stdout.decode()
    expect(entries.count("release") + entries.count("published") >= 1 and f"{day}.web.Etc_UTC" in entries, "the ledger", entries)
    people("web", 5, 200, time=start)  # late: plain success, nothing changes
    w.tick()
    expect(w.report("web", "traffic", day)[0] == row, "a late event moved a sealed row")

    # The app's phones deliver two days later.
    w.clock(start - now + 60 * HOUR)
    settle()
    people("app", 19, 300, time=start + HOUR)
    w.clock(start - now + 77 * HOUR)
    wait_for("the app's seal", lambda: f"{day}.app.Etc_UTC" not in open_windows(w), 60)
    expect(w.report("app", "traffic", day)[0]["people"] == 40, "27 people, then 19", w.report("app", "traffic", day))
    expect(w.cli("ledger", "verify").returncode == 0, "ledger")
    expect("a new epoch began" not in w.log(), "the keeper lost keys")

# A keeper that goes takes the identity keys along: a second epoch begins, and its people are never added to the first.
with Winnow() as w:
    w.site("web", "--zone", "Etc/UTC")
    w.up()
    for turn in range(2):
        for i in range(30):
            w.post(view("web", "https://web.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        if turn == 0:
            w.tick()
            w.down()
            w.up()
    w.seal("web", "today", force=True)
    row = w.report("web", "traffic")[0]
    expect(row["people"] == 30, "the same 30 people in two epochs", row)
    expect("a new epoch began" in w.log() or "epoch" in w.cli("ledger", "list").stdout.decode(), "the ledger names the epoch")
print("ok: sealed by the clock through kills, late counted apart, two epochs never added")
