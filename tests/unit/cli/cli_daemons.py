# SPDX-License-Identifier: Apache-2.0
"""What commands say of windows that are open: status, seal, report and down against running daemons."""
from winnow import AGENT, Winnow, expect, person, view, wait_for

LINE = '81.2.3.4 - - [20/Nov/2020:10:00:00 +0000] "GET / HTTP/1.1" 200 512 "-" "%s"\n' % AGENT

with Winnow() as w:
    w.up()
    w.cli("site", "add", "shop", "--zone", "UTC")
    w.cli("site", "add", "app", "--kind", "app", "--zone", "UTC")

    # Nothing is open: a forced seal of yesterday is no mistake, it has nothing to do.
    said = w.cli("seal", "--site", "shop", "--force", check=False)
    expect(said.returncode == 0 and b"is not open" in said.stdout, "seal of nothing", said)

    # A window that logs filled has no time at which it seals.
    said = w.cli("import", "--site", "shop", "--keep-open", "-", input=LINE.encode())
    wait_for("the imported day", lambda: b"2020-11-20.web" in w.cli("status").stdout)
    lines = [l for l in w.cli("status").stdout.decode().splitlines() if "2020-11-20.web" in l]
    expect(len(lines) == 1 and lines[0].endswith(", seals on `winnow seal`"), "backfilled window", lines)
    said = w.cli("seal", "--site", "shop", "--date", "2020-11-20")
    expect(b"is sealed" in said.stdout, "seal of the imported day", said)

    # Today is open and yesterday is not: said, named, exit 1, and nothing is sealed. An app's are its own.
    for i in range(30):
        w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
    wait_for("today's window", lambda: b".web.UTC" in w.cli("status").stdout)
    said = w.cli("seal", "--site", "shop", "--force", check=False)
    expect(said.returncode == 1 and b"--date today" in said.stderr, "seal --force without a date", said)
    expect(b".web.UTC" in w.cli("status").stdout, "today was sealed")
    said = w.cli("seal", "--site", "app", "--force", check=False)
    expect(said.returncode == 0 and b"--date today" not in said.stderr, "another kind's window", said)
    said = w.cli("seal", "--site", "shop", check=False)
    expect(said.returncode == 0 and said.stderr == b"", "seal of yesterday without --force", said)

    # Sessions are no figure before the seal.
    w.tick()
    row = w.report("shop", "traffic")[0]
    expect(row["people"] == 30 and row["sessions"] is None, "live row", row)
    table = w.cli("report", "--site", "shop", "--table", "traffic", "--from", "today").stdout.decode()
    expect("\u2013" in table and "sessions appear when a day is sealed." in table, "live table", table)

    # Stopping with a window open says what it costs.
    said = w.cli("down")
    expect(b"is stopped" in said.stdout and b"larger of the two counts" in said.stdout, "down with an open window", said)
    w.process.wait(20)
    w.up()
    w.seal("shop", "today", force=True)
    row = w.report("shop", "traffic")[0]
    expect(row["people"] == 30 and row["sessions"] is not None, "sealed row", row)
    said = w.cli("down")
    expect(said.stdout == b"Winnow is stopped.\n", "down with nothing open", said)
    w.process.wait(20)
print("ok: seal, status, report and down say what is open")
