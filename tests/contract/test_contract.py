# SPDX-License-Identifier: Apache-2.0
"""Every kind of destination through refusals, waits, silence and kills: each published row of a table that names the
receiver is delivered, a repeat has the same id, nothing else leaves, and the ledger says so once a window."""
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenario"))
from vendors import KINDS, Receiver  # noqa: E402
from winnow import AGENT, Winnow, expect, person, wait_for  # noqa: E402

EVERYBODY = "[mix, google, hub, events, hook, click, folder]"
CROWD = 'share: true, contract: "processing contract of 2026-03-01"'
PLAN = """version: {version}
noise: {{rho: default, people: all}}
tables:
  - {{id: traffic, doc: All, purpose: basic, dimensions: [], of: [view, event], measures: [people, events, sessions]}}
  - {{id: pages, doc: Pages, purpose: basic, dimensions: [route], of: [view], measures: [people, events]}}
  - {{id: devices, doc: Devices, purpose: basic, dimensions: [device], of: [view], measures: [people, events]{late}}}
  - {{id: systems, doc: Of nobody, purpose: basic, dimensions: [system], of: [view], measures: [people], share: true}}
  - {{id: c_all, doc: All who share, purpose: basic, dimensions: [], of: [view], measures: [people, events, sessions, bounces, time], {crowd}, receivers: {all}}}
  - {{id: c_pages, doc: Pages, purpose: basic, dimensions: [route], of: [view], measures: [people, events], {crowd}, receivers: {all}}}
  - {{id: n_all, doc: All, purpose: basic, dimensions: [], of: [view], measures: [people], profile: noise, cells: 1, receivers: {all}}}
  - {{id: n_pages, doc: Pages, purpose: basic, dimensions: [route], of: [view], measures: [people], profile: noise, cells: 3, receivers: {all}}}
"""
FORWARDED = {"c_all", "c_pages", "n_all", "n_pages"}
DESTINATIONS = """destinations:
  - {{name: mix, kind: mixpanel, account: "12345", user: sa.name, {at}/mix"}}
  - {{name: google, kind: ga4, account: G-ABC123, {at}/google"}}
  - {{name: hub, kind: hubspot, account: analytics_aggregate, {at}/hub"}}
  - {{name: events, kind: hubspot, account: pe1_rows, object_id: "777", {at}/events"}}
  - {{name: hook, kind: webhook, sites: [shop], {at}/hook"}}
  - {{name: click, kind: clickhouse, account: stats.winnow_rows, user: winnow, {at}/click"}}
  - {{name: folder, kind: file, path: {out}, basis: "a contract"}}
"""
SECRETS = {"mix": "mixpanel-s3cret", "google": "ga4-s3cret", "hub": "hubspot-s3cret", "events": "hubspot-s3cret", "click": "clickhouse-s3cret",
           "hook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
PEOPLE = 300
offset = 0


def config(w, receiver):
    folder = w.env["WINNOW_CONFIG_DIR"]
    out = os.path.join(w.dir, "out")
    os.mkdir(out)
    text = DESTINATIONS.format(at=f'basis: "a contract", private_network: true, secret_file: {folder}/NAME.secret, url: "http://127.0.0.1:{receiver.port}',
                               out=out)
    lines = [line.replace("NAME", line[11:].split(",")[0]) for line in text.splitlines()]
    with open(os.path.join(folder, "destinations.yaml"), "w") as f:
        f.write("\n".join(lines) + "\n")
    for name, secret in SECRETS.items():
        with open(os.open(os.path.join(folder, name + ".secret"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(secret + "\n")
    return out


def write_plan(w, version, late=""):
    with open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "plan.yaml"), "w") as f:
        f.write(PLAN.format(version=version, all=EVERYBODY, crowd=CROWD, late=late))


def traffic(w, site):
    def visit(i):
        pages = ["/", "/poison" if site == "blog" and i % 10 == 0 else f"/p{i % 3}", "/help"][:3 if i % 2 else 2]
        said = w.post([{"site": site, "name": "pageview", "url": f"https://{site}.example{p}", "purposes": ["basic", "measure", "share"]} for p in pages],
                      {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect(said[1]["accepted"] == len(pages), said)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(visit, range(PEOPLE)))


def status(w):
    """{name: {state, left, sent, aside, doubtful, http}}; None while winnow-forward is away."""
    p = w.cli("forward", "status", check=False)
    if p.returncode:
        return None
    lines = [line.split() for line in p.stdout.decode().splitlines()]
    return {f[0]: dict(state=f[2], left=int(f[3]), sent=int(f[4]), aside=int(f[5]), doubtful=int(f[6]), http=int(f[7]))
            for f in lines if len(f) >= 8 and f[0] in (*KINDS, "folder") and f[3].isdigit()}


def later(w, seconds):
    """Moves every clock: the daemons' before the receivers', who so are never ahead."""
    global offset
    w.clock(offset + seconds)
    time.sleep(0.1)  # for which a daemon may go by what it read before
    offset += seconds


def settle(w, what, done, seconds=180):
    """Moves the clock past every wait until `done(status)`."""
    def step():
        later(w, 30)
        s = status(w)
        return s if s and done(s) else None

    return wait_for(what, step, seconds, every=0)


def idle(s):
    return len(s) == len(KINDS) + 1 and all(v["left"] == 0 and v["state"] == "idle" for v in s.values())


def ledger(w):
    return [json.loads(line) for line in w.cli("ledger", "list", "--format", "ndjson").stdout.splitlines()]


def kill(w, role):
    pid = w.pids().get(role)
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # another's turn killed it just before


def published(w, sites=("shop", "blog")):
    return {(s, t): w.report(s, t) for s in sites for t in FORWARDED}


def sites_of(name):
    return ("shop",) if name == "hook" else ("shop", "blog")


def delivered(receiver, rows, doubtful):
    """Each published row is there, was refused by name, or is in doubt in the ledger, which GA4's alone are: killed before
    they left, they are not sent again. What came twice had the same id (Receiver looks at that)."""
    for name in KINDS:
        want = {(s, t) for s, t in rows if s in sites_of(name)}
        for site, table in want:
            got = [x for x in receiver.rows[name].values() if (x["site"], x["table"]) == (site, table)]
            refused = sum(1 for r in rows[site, table] if r.get("route") == "/poison") if name != "google" else 0
            missing = len(rows[site, table]) - len(got) - refused
            expect(missing == 0 or (missing > 0 and (name, site, table) in doubtful), name, site, table, len(got), "of", len(rows[site, table]), "refused", refused)
            for row in got:
                said = next(r for r in rows[site, table] if r.get("route") == row.get("route") and bool(r.get("other")) == (row.get("row") == "other"))
                expect(int(row["people"]) == said["people"] and row["profile"] == ("noise" if table[0] == "n" else "crowd"), name, row, said)
        expect({(x["site"], x["table"]) for x in receiver.rows[name].values()} <= want, name, "got what does not name it")


def transfers(w, rows):
    """One entry a receiver, site, table and window, of the rows that went; none before its rows."""
    entries = [e for e in ledger(w) if e["what"] == "transfer"]
    keys = [(e["receiver"], e["site"], e["table"], e["window"]) for e in entries]
    expect(len(set(keys)) == len(keys), "a transfer twice", [k for k in keys if keys.count(k) > 1])
    want = {(n, s, t) for s, t in rows if rows[s, t] for n in (*KINDS, "folder") if s in sites_of(n)}
    expect({k[:3] for k in keys} == want, "not", {k[:3] for k in keys} ^ want)
    for e in entries:
        whole = rows[e["site"], e["table"]]
        aside = sum(1 for r in whole if r.get("route") == "/poison") if e["receiver"] not in ("google", "folder") else 0
        expect(e["rows"] == len(whole) - aside and e["profile"] == ("noise" if e["table"][0] == "n" else "crowd"), e, len(whole))
    who = {r["receiver"]: r for r in map(json.loads, w.cli("ledger", "recipients", "--format", "ndjson").stdout.splitlines())}
    # Announced before it went, of all rows, once a window; nothing that went is missing from the recipients.
    announced = {}
    for e in ledger(w):
        key = (e["receiver"], e["site"], e["table"], e["window"])
        if e["what"] == "sending":
            expect(key not in announced and e["rows"] == len(rows[e["site"], e["table"]]), "announced twice, or not whole", e)
            announced[key] = e
        elif e["what"] == "transfer":
            expect(key in announced and announced[key]["content"] == e["content"] and "announced" in e["notes"], "came before it was announced", e)
    for name, r in who.items():
        expect(r["rows"] == sum(e["rows"] for k, e in announced.items() if k[0] == name) and r["rows_taken"] <= r["rows"], name, r)
    expect(set(who) == {*KINDS, "folder"} and who["hook"]["sites"] == ["shop"] and set(who["mix"]["tables"]) == FORWARDED, who)
    w.cli("ledger", "verify")


def dry_run(w, receiver, doubtful):
    """Exactly the bytes that went, secrets hidden; but for those in doubt, which may have gone nowhere."""
    n = 0
    for name in KINDS:
        sent = {r.body for r in receiver.requests if r.name == name}
        text = w.cli("forward", "dry-run", name, "--all").stdout
        for secret in SECRETS.values():
            expect(secret.encode() not in text, name, "shows its secret")
        for request in text.split(b"POST http://127.0.0.1:")[1:]:
            head, _, body = request.partition(b"\n\n")
            if name == "google" and body[:-2] not in sent:
                facts = json.loads(body)["events"][0]["params"]
                expect((name, facts["site"], facts["table"]) in doubtful, name, "would send what it did not send", facts)
                continue
            expect(body[:-2] in sent, name, "would send what it did not send", body[:300], "end", body[-50:])
            lines = [line.split(b": ", 1) for line in head.splitlines()[1:]]
            real = next(r for r in receiver.requests if r.name == name and r.body == body[:-2])
            for k, v in lines:
                if k.lower() not in (b"authorization", b"x-clickhouse-key", b"webhook-timestamp", b"webhook-signature"):
                    expect(real.headers[k.decode()] == v.decode(), name, k, v)
            n += 1
    return n


def folder_rows(out):
    rows = {}
    for name in os.listdir(out):
        expect(name.endswith(".ndjson"), "left behind", name)
        with open(os.path.join(out, name)) as f:
            for line in f:
                row = json.loads(line)
                expect(row["id"] not in rows, "twice", row)
                rows[row["id"]] = row
    return rows


with Winnow(forward_s=1, map_mib=16) as w:
    receiver = Receiver(lambda: time.time() + offset)
    w.env["WINNOW_TEST_TRANSPORT_MS"] = "700"
    out = config(w, receiver)
    write_plan(w, 2)
    w.site("shop", "--zone", "UTC", "--host", "shop.example")
    w.site("blog", "--zone", "UTC", "--host", "blog.example")
    expect(b"is right" in w.cli("--check-config").stdout, "check")
    w.up()
    wait_for("winnow-forward", lambda: status(w))
    expect(w.cli("forward", "dry-run", "mix", check=False).returncode == 1, "nothing sealed, nothing to send")
    traffic(w, "shop")
    traffic(w, "blog")
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.tick()
    expect(not receiver.requests and status(w)["mix"]["left"] == 0, "an open window went out")

    # Request by request: what each vendor does to the windows of this day.
    receiver.poison = "/poison"
    fates = ["429", "take", "500", "cut", "drop", "take", "slow", lambda: kill(w, "forward"), lambda: kill(w, "aggregator"), "429", "401"]
    named = {}  # receiver: what the ledger says it got, while its first request is under way

    def first(name):
        def fate():
            said = map(json.loads, w.cli("ledger", "recipients", "--format", "ndjson").stdout.splitlines())
            named[name] = next(({k: r[k] for k in ("rows", "rows_taken", "transfers")} for r in said if r["receiver"] == name), None)
            kill(w, "forward")
        return fate

    for n, name in enumerate(KINDS):
        turned = [first(name)] + fates[n:] + fates[:n]  # each begins elsewhere, so that not all are killed at once
        # What may have come to GA4 is not sent again (it knows no repeats), so a line that goes dead would lose rows.
        receiver.script[name] = [f for f in turned if f != "drop" or name != "google"]
    os.rename(out, out + ".away")
    w.seal("shop", "today", force=True)
    # Nobody listens, and there is no folder: each waits, and nothing is lost.
    settle(w, "everybody to be refused", lambda s: len(s) == len(KINDS) + 1 and all(v["state"] == "waiting" and v["http"] == 0 and not v["sent"] for v in s.values()))
    expect(not receiver.requests, "a request without a listener")
    os.rename(out + ".away", out)
    receiver.listen()
    rows = published(w)
    expect(all(len(rows[s, t]) >= (4 if t == "c_pages" else 1) for s, t in rows), {k: len(v) for k, v in rows.items()})
    expect(any(r.get("route") == "/poison" for r in rows["blog", "c_pages"]), rows["blog", "c_pages"])

    # Everybody comes to 401 once and is stopped there until the operator says so, which is said to all at once.
    stops = set()

    def happened():  # GA4 has no second try for what a kill left in doubt, so its rows may end before its script
        return all(not s for n, s in receiver.script.items() if n != "google")

    def stopped(s):
        stops.update(n for n in s if s[n]["state"] == "stopped")
        if any(s[n]["state"] == "stopped" and s[n]["http"] == 401 for n in s):
            w.cli("forward", "retry", check=False)  # winnow-forward may be being killed
        return happened() and idle(s)

    settle(w, "everything to be there", stopped)
    expect(not receiver.broken, "rules were broken", receiver.broken[:3])
    expect(stops and stops <= set(KINDS), "stopped by 401", stops)
    doubtful = {(e["receiver"], e["site"], e["table"]) for e in ledger(w) if e["what"] == "transfer" and "doubtful" in e["notes"]}
    expect(doubtful and {d[0] for d in doubtful} == {"google"}, "doubtful", doubtful)
    delivered(receiver, rows, doubtful)
    transfers(w, rows)
    for name in KINDS:  # killed between send and note: no row of the request is unnamed
        at_first = receiver.first[name]
        expect(named.get(name) and named[name]["rows"] >= at_first > 0, name, named.get(name), at_first)
        expect(named[name]["rows_taken"] == 0 or name == "google", name, "is said to have taken", named[name])
    expect(all(receiver.dropped[n] == (n != "google") for n in KINDS), "dropped", receiver.dropped)
    # GA4 knows no repeats: to it nothing ever goes twice, and what was killed, cut or silent is doubtful. To others it goes again.
    repeated = {n: len(receiver.taken[n]) - len(set(receiver.taken[n])) for n in KINDS}
    expect(all((repeated[n] > 0) == (n != "google") for n in KINDS), "sent twice", repeated)
    expect(all(v["doubtful"] == 0 for n, v in status(w).items() if n != "google"), "doubtful", status(w))
    there = folder_rows(out)
    expect(len(there) == sum(len(r) for r in rows.values()), "folder", len(there))
    dried = dry_run(w, receiver, doubtful)

    # A table with a new receiver starts empty: of the days before nothing goes, of those after it all.
    w.down()
    write_plan(w, 3, ", receivers: [hook], " + CROWD)
    later(w, 86400)
    receiver.poison = None
    before = len(receiver.requests)
    receiver.script = {name: ["wait"] for name in KINDS}  # a minute and a half
    w.up()
    traffic(w, "shop")
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.seal("shop", "today", force=True)
    wait_for("everybody to be told to wait", lambda: len(receiver.requests) == before + len(KINDS) and all(v["http"] == 429 for n, v in status(w).items() if n in KINDS))
    later(w, 60)
    time.sleep(2)  # in which winnow-forward looks around
    expect(len(receiver.requests) == before + len(KINDS), "came before Retry-After was over", [r.name for r in receiver.requests[before:]])
    settle(w, "the second day", lambda s: all(n in {r.name for r in receiver.requests[before + len(KINDS):]} for n in KINDS) and idle(s))
    late = [x for x in receiver.rows["hook"].values() if x["table"] == "devices"]
    expect(late and len({x["day"] for x in late}) == 1 and late[0]["day"] != next(iter(there.values()))["day"], late)
    expect(not receiver.broken, receiver.broken[:3])
    asked = w.get("/.well-known/winnow.json", port=w.web)[2]
    public = {d["name"]: d for d in json.loads(asked)["destinations"]}
    expect(public["hook"] == {"name": "hook", "kind": "webhook", "basis": "a contract", "tables": ["devices", *sorted(FORWARDED)]}, public["hook"])
    expect(set(public) == {*KINDS, "folder"} and b"127.0.0.1" not in asked and b"secret" not in asked and b"sa.name" not in asked, asked)
    log = w.log()
    for word in (*SECRETS.values(), "/poison", "127.0.0.1:%d" % receiver.port):
        expect(word not in log, "the log holds", word)
    receiver.close()
print(f"ok: {sum(map(len, receiver.taken.values()))} rows to {len(KINDS)} vendors in {len(receiver.requests)} requests, "
      f"{sum(repeated.values())} of them again under the same id; {dried} dry requests byte for byte")
