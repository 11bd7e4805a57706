# SPDX-License-Identifier: Apache-2.0
"""State that was lost, damaged or loosened: nothing vanishes silently, nothing damaged is served, no lock opens in mid-window."""
import glob
import os
import shutil

from winnow import AGENT, Winnow, expect, person, view, wait_for


def people(w, site, n, first=0):
    for i in range(first, first + n):
        status, answer = w.post(view(site, f"https://{site}.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect((status, answer["accepted"]) == (200, 1), "post", status, answer)


def delivered(w):
    wait_for("delivery", lambda: w.metrics()["winnow_spool_waiting"] == 0)


# A collector that lost its storage keys and its spool goes on with new ones; texts of both keys open.
with Winnow() as w:
    w.up("shop")
    people(w, "shop", 25)
    delivered(w)
    w.down()
    state = os.path.join(w.env["WINNOW_STATE_DIR"], "collector")
    os.remove(os.path.join(state, "keys", "slots"))
    shutil.rmtree(os.path.join(state, "spool"))
    w.up()
    people(w, "shop", 60)
    delivered(w)
    w.seal("shop", "today", force=True)
    row = w.report("shop", "traffic")[0]
    expect(row["people"] == 60, "the larger epoch counts", row)
    pages = w.report("shop", "pages")
    expect([p["route"] for p in pages] == ["/"] and pages[0]["people"] == 60, "one row a page", pages)

# A damaged window is neither served nor written over; its site's later days work.
with Winnow() as w:
    w.up("shop")
    people(w, "shop", 35)
    delivered(w)
    w.tick()
    before = w.report("shop", "traffic")
    expect(before[0]["people"] == 30, "before", before)
    w.down()
    for path in glob.glob(os.path.join(w.env["WINNOW_STATE_DIR"], "aggregator", "open", "*", "data.mdb")):
        with open(path, "r+b") as f:
            data = bytearray(f.read())
            for at in range(8192 + 100, len(data), 97):
                data[at] ^= 0x55
            f.seek(0)
            f.write(data)
    w.up()
    expect("fails its authentication" in w.log(), "the log says so")
    people(w, "shop", 50, 100)
    delivered(w)
    w.tick()
    expect(w.report("shop", "traffic") == before, "rows of a damaged window moved", w.report("shop", "traffic"))
    w.site("isle", "--zone", "Pacific/Kiritimati")
    people(w, "isle", 25, 300)
    delivered(w)
    w.tick()
    expect(w.cli("status").returncode == 0, "status")

# Organisations: a site that declares them counts all undeclared people as one; turning that off acts tomorrow.
with Winnow() as w:
    w.site("team", "--organisations")
    w.up()
    people(w, "team", 60)
    delivered(w)
    w.tick()
    expect(w.report("team", "traffic") == [], "one organisation hides", w.report("team", "traffic"))
    path = os.path.join(w.env["WINNOW_CONFIG_DIR"], "sites.yaml")
    text = open(path).read()
    expect("organisations: true" in text, text)
    with open(path, "w") as f:
        f.write(text.replace("organisations: true", "organisations: false"))
    w.site("another")  # also makes the daemons read the list again
    people(w, "team", 30, 200)
    delivered(w)
    w.tick()
    expect(w.report("team", "traffic") == [], "a lock was loosened in mid-window", w.report("team", "traffic"))
    with open(path, "w") as f:
        f.write("sites: []\n")
    said = w.cli("site", "list")
    pid = w.pids()["collector"]
    os.kill(pid, 1)
    os.kill(w.pids()["aggregator"], 1)
    people(w, "team", 3, 400)  # still known: an emptied list is not taken
print("ok: lost keys, a damaged window, a loosened lock and an emptied site list")
