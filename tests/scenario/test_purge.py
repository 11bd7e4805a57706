# SPDX-License-Identifier: Apache-2.0
"""An organisation, then a whole site, purged from running daemons (L-R1): through kills of both, verified, its
pseudonym in no memory and its name in no file; what was published stays, nobody else's rows change."""
import datetime
import hashlib
import os
import re
import signal
import struct
import subprocess
import sys

from places import files_of, kept_memory, memory_of
from winnow import AGENT, Winnow, expect, person, wait_for

os.environ["WINNOW_TEST_DUMPABLE"] = "1"
ACME, BOLT = "Acme Canary 7316 Ltd", "Bolt 99 AG"


def event(i, org, url="https://shop.example/pricing", site="shop"):
    e = {"site": site, "name": "pageview", "url": url, "ip": person(i), "user_agent": AGENT, "user_id": f"u{i}",
         "purposes": ["basic", "measure"]}
    if org:
        e["org"] = org
    return e


def siphash(key, text):
    """SipHash-2-4, as the collector keys an organisation."""
    mask = (1 << 64) - 1
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, b):
        return ((x << b) | (x >> (64 - b))) & mask

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask; v[1] = turn(v[1], 13) ^ v[0]; v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & mask; v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask; v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask; v[1] = turn(v[1], 17) ^ v[2]; v[2] = turn(v[2], 32)

    tail = text[len(text) // 8 * 8:]
    words = [text[i:i + 8] for i in range(0, len(text) // 8 * 8, 8)] + [tail + bytes(7 - len(tail)) + bytes([len(text) & 255])]
    for w in words:
        m = struct.unpack("<Q", w)[0]
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def prf(key, text, n):
    return hashlib.blake2b(key + text, digest_size=n).digest()


def pseudonyms(w, window, org, ids):
    """What an organisation and its people are called in this window, of the collector, of table 0 of the aggregator:
    from each pair of keys that the keeper holds."""
    tag = hashlib.blake2b(b"shop", digest_size=16).digest()[:8]
    keys = [data[m.start() + 64:m.start() + 96] for _, data in kept_memory(w.process.pid)
            for m in re.finditer(re.escape(window.encode()) + b"\0", data)]
    orgs = [siphash(prf(k, b"winnow organisation", 32)[:16], tag + org.lower().encode()) for k in keys]  # as it is compared
    people = [prf(k, tag + b"\1" + f"u{i}".encode(), 16) for k in keys for i in ids]
    core = [siphash(prf(k, b"table\0", 16), p) for k in keys for p in people]
    return orgs, people + core


def seen(w, needles):
    pids = dict(w.pids(), keeper=w.process.pid)
    places = [(f"{role} {where}", data) for role, pid in pids.items() for where, data in memory_of(pid)]
    places += [(f"{role} {where}", data) for role, pid in pids.items() for where, data in kept_memory(pid)]
    return sorted({p for p, data in places for n in needles if n in data})


def in_files(w, text):
    needles = [text.encode(), text.lower().encode(), text.encode("utf-16-le"), text.encode().hex().encode()]
    return [p for p, data in files_of(w.dir) for n in needles if n in data]


def delivered(w):
    wait_for("delivery", lambda: b"spool waiting     0" in w.cli("status").stdout)


with Winnow(tick_s=3600) as w:
    w.site("shop", "--zone", "Etc/UTC", "--organisations")
    w.site("blog", "--zone", "Etc/UTC")
    w.up()
    window = datetime.datetime.now(datetime.timezone.utc).date().isoformat() + ".web.Etc_UTC"
    # Six organisations of ten people and Acme's ten; /pricing is everybody's, /bolt is not Acme's.
    orgs = [ACME, BOLT, "C", "D", "E", "F", None]
    w.send("shop", [event(i, orgs[i % 7]) for i in range(210)])
    w.send("shop", [event(i, orgs[i % 7], "https://shop.example/bolt") for i in range(210) if i % 7 != 0])
    # Three more of Acme's name it late, or another first.
    w.send("shop", [event(700, None), event(701, None), event(702, BOLT)])
    w.send("shop", [event(i, ACME) for i in (700, 701, 702)])
    w.send("blog", [event(i, None, "https://blog.example/", "blog") for i in range(60)])
    delivered(w)
    w.tick()
    before = {r["route"]: r["people"] for r in w.report("shop", "pages")}
    expect(before.get("/pricing") == 200 and before.get("/bolt") == 180, "published before", before)
    orgs_seen, people = pseudonyms(w, window, ACME, [0, 203, 310, 400, 700, 701, 702])
    control = pseudonyms(w, window, BOLT, [1, 106])[1]
    for what in (orgs_seen, people):
        expect(any("aggregator" in p for p in seen(w, what)) and any("collector" in p for p in seen(w, what)),
               "the search is blind: Acme is not seen while it counts", seen(w, what))

    # What it would do, without doing it; and not without a word.
    dry = w.cli("purge", "--site", "shop", "--org", "-", "--dry-run", input=ACME.encode())
    expect(b"Nothing was purged" in dry.stdout and ACME.encode() not in dry.stdout, dry.stdout)
    expect(w.cli("purge", "--site", "shop", "--org", ACME, check=False, input=b"").returncode != 0, "asked nobody")
    expect(b"Nothing was ever purged" in w.cli("purge", "--status").stdout, "nothing began")
    expect(w.cli("purge", "--site", "shp", "--org", ACME, "--yes", check=False).returncode == 1, "a site misspelled")

    # Both daemons are killed as soon as it has begun, and again.
    w.send("shop", [event(i, ACME) for i in range(300, 320)])
    cli = subprocess.Popen([os.path.join(w.bin, "winnow"), "purge", "--site", "shop", "--org", "-", "--yes"], env=w.env,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    cli.stdin.write(ACME.encode() + b"\n")
    cli.stdin.close()
    wait_for("its begin", lambda: "a purge began" in w.log(), every=0.002)
    for role in ("aggregator", "collector", "aggregator"):
        w.kill(role)
    w.ready()
    expect(w.log().count("a purge is done") < 2, "the kills came too late to prove anything")
    expect(cli.wait(60) == 0, cli.stderr.read())
    wait_for("the purge", lambda: b"purged and verified" in w.cli("purge", "--status").stdout)

    # Gone: its people from all memory, under the very names under which they were seen; what is left of the
    # organisation is the word to refuse it, in the aggregator alone. Its events are refused from now on.
    w.send("shop", [event(i, ACME) for i in range(400, 440)])
    w.send("shop", [event(i, BOLT, "https://shop.example/bolt") for i in range(500, 540)])
    delivered(w)
    left = seen(w, people)
    expect(not left, "its people are left in", left)
    left = [p for p in seen(w, orgs_seen) if "aggregator" not in p]
    expect(not left, "Acme is left in", left)
    expect(any("aggregator" in p for p in seen(w, control)), "Bolt is still seen")
    places = in_files(w, ACME)
    expect(not places, "the name stands in", places)
    # A tick moves what Acme never touched, and nothing else.
    w.send("shop", [event(i, orgs[1 + i % 6], "https://shop.example/bolt") for i in range(600, 660)])
    w.send("shop", [event(i, orgs[1 + i % 6]) for i in range(600, 660)])
    delivered(w)
    w.tick()
    after = {r["route"]: r["people"] for r in w.report("shop", "pages")}
    expect(after["/pricing"] == before["/pricing"] and after["/bolt"] > before["/bolt"], "frozen and free", before, after)

    # A whole site, with an aggregator that is away: it stays open, says so, and ends when it is back.
    aggregator = w.pids()["aggregator"]
    os.kill(aggregator, signal.SIGSTOP)
    try:
        purge = subprocess.Popen([os.path.join(w.bin, "winnow"), "purge", "--site", "blog", "--yes"], env=w.env,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for("its begin", lambda: b"the site blog: open since" in w.cli("purge", "--status").stdout)
        expect(purge.poll() is None, "the command waits", purge.communicate() if purge.poll() is not None else "")
    finally:
        os.kill(aggregator, signal.SIGCONT)
    expect(purge.wait(60) == 0, purge.stderr.read())
    wait_for("the site's purge", lambda: w.cli("purge", "--status").stdout.count(b"purged and verified") == 2)
    expect(b"blog" not in w.cli("site", "list").stdout, "still in sites.yaml")
    status, answer = w.post({"site": "blog", "name": "pageview", "url": "https://blog.example/"})
    expect(status == 404 or "unknown_site" in str(answer), status, answer)
    expect(w.cli("site", "add", "blog", check=False).returncode == 1, "a purged name comes back")
    w.tick()

    # The seal publishes; frozen rows stay, their tables show no `other`.
    w.seal("shop", "today", force=True)
    pages = w.report("shop", "pages")
    rows = {r["route"]: r for r in pages}
    expect(rows["/pricing"]["people"] == before["/pricing"], "the frozen row after the seal", pages)
    expect("other" not in rows, "`other` beside a frozen row", pages)
    expect(w.report("blog", "traffic") == [], "rows of a purged site")
    ledger = w.cli("ledger", "verify")
    expect(ledger.returncode == 0, ledger.stdout)
    places = in_files(w, ACME)
    expect(not places, "the name stands in", places)
    w.down()
    w.up()  # lists, refusals and rows are there after a clean stop
    expect(w.cli("purge", "--status").stdout.count(b"purged and verified") == 2, "after a restart")
    print(f"ok: an organisation seen in memory before, in none after; {len(pages)} rows after the seal")
sys.exit(0)
