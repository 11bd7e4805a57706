# SPDX-License-Identifier: Apache-2.0
"""SYBIL through the real door: one client that invents people, addresses and proxies opens no row and forces no step."""
import sys

from winnow import AGENT, Winnow, expect, person, view

FORGERS = 400  # made-up people, each with an address and an id of its own


def forge(w, page, network=None):
    """Everything that a client alone can claim: ids, and addresses in headers and body."""
    for i in range(FORGERS):
        forged = f"{person(i)}, {network}" if network else person(i)
        event = view("shop", f"https://shop.example/{page}", anonymous_id=f"anon-{i}", purposes=["basic", "measure"])
        heads = {"X-Forwarded-For": forged, "Forwarded": f"for={person(i)}", "X-Real-IP": person(i),
                 "CF-Connecting-IP": person(i), "True-Client-IP": person(i), "User-Agent": AGENT}
        w.post(event, heads)
        status, answer = w.post(dict(event, ip=person(i)), heads)
        expect(answer["refused"][0]["reason"] == "not_allowed", "a body's address without a server's key", answer)


def counts(w):
    out = w.cli("report", "--site", "shop", "--table", "traffic", "--from", "today", "--to", "today", "--format", "json",
                check=False).stdout.decode()
    at = out.find('"capped":')
    return int(out[at + 9:].split("}")[0].split(",")[0]) if at >= 0 else 0


# No proxy is trusted: the client is who holds the socket.
with Winnow(spool_bytes_max=8 << 20, map_mib=16, trusted_proxies="10.255.255.0/24") as w:
    w.site("shop", "--zone", "Etc/UTC")
    w.up()
    forge(w, "a")
    w.tick()
    for table in ("traffic", "pages", "hours", "browsers", "countries"):
        expect(w.report("shop", table) == [], "one client opened a row of", table, w.report("shop", table))
    w.seal("shop", "today", force=True)
    for table in ("traffic", "pages", "hours", "browsers", "countries"):
        expect(w.report("shop", table) == [], "one client opened a row at the seal of", table)

# A proxy is trusted: real people come through it, and the forger too, from one network.
with Winnow(spool_bytes_max=8 << 20, map_mib=16) as w:
    w.site("shop", "--zone", "Etc/UTC")
    w.up()
    for i in range(18):
        w.post(view("shop", "https://shop.example/a"), {"X-Forwarded-For": person(1000 + i), "User-Agent": AGENT})
    w.tick()
    before = w.report("shop", "traffic")
    expect(before and before[0]["people"] == 10, "eighteen people are at least ten", before)
    forge(w, "a", "198.51.100.7")  # what stands left of the proxy's own entry is the client's word
    w.tick()
    after = w.report("shop", "traffic")
    expect(after[0]["people"] == 10 and after[0]["events"] == before[0]["events"], "a forger forced a step", before, after)
    expect(w.report("shop", "pages") == [], "eighteen people and one network opened a page", w.report("shop", "pages"))
    w.seal("shop", "today", force=True)
    expect(w.report("shop", "traffic")[0]["people"] == 10, "a forger forced a step at the seal")
    capped = counts(w)
    expect(capped >= (FORGERS - 64) // 10 * 10 - 10, "those over the cap are counted", capped)
    # The test sees: as many people from networks of their own do move the row (the next day's, for this one is sealed).
    w.clock(86400)
    for i in range(40):
        w.post(view("shop", "https://shop.example/a"), {"X-Forwarded-For": f"{person(i)}, {person(3000 + i)}", "User-Agent": AGENT})
    w.tick()
    moved = w.report("shop", "traffic")
    expect(moved and moved[0]["people"] == 40, "forty networks are forty people", moved)
    print(f"ok: {2 * FORGERS} invented people opened no row; {capped} of them at least were over the cap")
sys.exit(0)
