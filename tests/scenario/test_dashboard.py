# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real browser, from an empty install to thirty days: its figures equal `winnow report`, nothing is
asked of others, nothing is kept but a theme, keys and keyboards work, axe finds nothing serious, and it is light."""
import datetime
import gzip
import json
import math
import os
import subprocess
import sys

from concurrent.futures import ThreadPoolExecutor

from browser import SOURCE, can_run, drive
from winnow import AGENT, Winnow, expect, person, wait_for

MORE = [  # unless the plan has them already
    ("[country, device]", "  - {id: countries_by_device, doc: Countries by device, dimensions: [country, device], of: [view, event], measures: [people, events]}\n"),
]
DAYS = 30
CARDS = {  # card: {tab: (table, dimension)}
    "pages": {"Viewed": ("pages", "route"), "Entry": ("entry_pages", "entry"), "Exit": ("exit_pages", "exit")},
    "sources": {"Referrers": ("referrers", "referrer"), "Channels": ("channels", "channel"), "Tagged": ("sources", "source")},
    "countries": {"Languages": ("languages", "language"), "Countries": ("countries", "country")},
    "devices": {"Browser": ("browsers", "browser"), "System": ("systems", "system"), "Type": ("devices", "device"), "Screen": ("screens", "screen")},
    "events": {"": ("events", "event")},
    "campaigns": {"": ("campaigns", "campaign")},
}


def day_text(today, back):
    return str(datetime.date.fromisoformat(today) - datetime.timedelta(days=back))


def made(*args):
    return subprocess.run([os.path.join(os.environ["WINNOW_BIN"], "winnow-traffic"), "--site", "shop", "--host", "shop.example", *args],
                          check=True, stdout=subprocess.PIPE).stdout


def fill(w, today):
    """Two times thirty days from logs, sealed but for today, which comes by events."""
    def log_of(back):
        people = int(420 + 3 * (2 * DAYS - back) + 60 * math.sin(back)) // (2 if back % 7 < 2 else 1)
        return made("--date", day_text(today, back), "--people", str(people), "--seed", str(back), "--mode", "log")

    with ThreadPoolExecutor(2) as pool:
        log = list(pool.map(log_of, range(2 * DAYS - 1, 0, -1)))
    w.cli("import", "--site", "shop", "--format", "combined", "-", input=b"".join(log))
    w.cli("send", "--site", "shop", "-", input=made("--people", "300", "--mode", "ndjson"))
    w.tick()
    wait_for("today's rows", lambda: w.tick() and w.report("shop", "traffic"))


def share(w):
    """A site of its own time, whose people agree to sharing, sealed today: what receivers get is shown with its band."""
    def visit(i):
        pages = [f"https://lab.example{p}" for p in ("/", "/method" if i % 4 else "/data")]
        agent = AGENT if i % 3 else "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
        said = w.post([{"site": "lab", "name": "pageview", "url": p, "purposes": ["basic", "share"]} for p in pages],
                      {"X-Forwarded-For": person(i), "User-Agent": agent})
        expect(said[1]["accepted"] == len(pages), said)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(visit, range(600)))
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.seal("lab", "today", force=True)


def wanted_noise(w):
    """{table: rows as the card lists them}, of the noise tables that have any."""
    tables = [t for t in json.loads(w.get("/api/v1/tables", port=w.web)[2])["tables"] if t["profile"] == "noise"]
    found = {}
    for t in tables:
        whole = json.loads(w.cli("report", "--site", "lab", "--table", t["id"], "--from", "today", "--format", "json").stdout)
        if whole["rows"]:
            found[t["id"]] = {"doc": t["doc"], "dims": t["dimensions"], "half": whole["half_width"],
                              "rows": [["\t".join(r[d] for d in t["dimensions"]), r["people"]] for r in whole["rows"]]}
    expect({"noise_people", "noise_pages", "noise_devices"} <= set(found), "too little noise", found)
    return found


def report(w, table, first, last, form="json"):
    text = w.cli("report", "--site", "shop", "--table", table, "--from", first, "--to", last, "--format", form).stdout.decode()
    return json.loads(text) if form == "json" else text


def compared(by_day, today, measure):
    """Sealed days that both periods published, against each other."""
    pairs = [(by_day[day_text(today, b)].get(measure), by_day[day_text(today, b + DAYS)].get(measure)) for b in range(DAYS - 1, 0, -1)
             if day_text(today, b) in by_day and day_text(today, b + DAYS) in by_day]
    pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
    now, was = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    return {"percent": math.floor((now - was) / was * 100 + 0.5), "n": len(pairs)}


def wanted(w, today):
    """What the page must show, from `winnow report` alone."""
    first = day_text(today, DAYS - 1)
    lines = w.cli("report", "--site", "shop", "--table", "traffic", "--from", day_text(today, 2 * DAYS - 1), "--by", "day", "--format", "ndjson").stdout
    by_day = {r["day"]: r for r in map(json.loads, lines.splitlines())}
    whole = report(w, "traffic", first, today)["rows"][0]
    row_of = lambda dim: lambda r: ["other" if r.get("other") else r[dim], r["visitor_days"]]
    cards = {card: {tab: list(map(row_of(dim), report(w, table, first, today)["rows"])) for tab, (table, dim) in tabs.items()} for card, tabs in CARDS.items()}
    tables = json.loads(w.get("/api/v1/tables", port=w.web)[2])["tables"]
    by_device = report(w, next(t["id"] for t in tables if t["dimensions"] == ["country", "device"]), first, today)["rows"]
    yesterday = day_text(today, 1)
    custom = {"from": day_text(today, 20), "to": day_text(today, 10)}
    expect(len(by_day) > 2 * DAYS - 4 and len(cards["pages"]["Viewed"]) >= 8 and len(cards["countries"]["Countries"]) >= 8, "too little to show", len(by_day), cards)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"]
    part = lambda d: f"{int(d[8:])} {months[int(d[5:7]) - 1]}"
    years = (" " + first[:4]) if first[:4] != today[:4] else ""
    return {
        "title": f"shop, {part(first)}{years} – {part(today)} {today[:4]}",
        "totals": {"people": whole["visitor_days"], "events": whole["events"], "sessions": whole["sessions"]},
        "compared": {m: compared(by_day, today, m) for m in ("people", "events", "sessions")},
        "cards": cards, "pages": report(w, "pages", first, today)["rows"],
        "days": [by_day.get(day_text(today, b), {}).get("people") for b in range(DAYS - 1, -1, -1)],
        "yesterday": {"people": by_day[yesterday]["people"], "hours": [[r["hour"], r["people"]] for r in w.report("shop", "hours", yesterday)]},
        "csv": {card: report(w, list(CARDS[card].values())[-1][0], first, today, "csv") for card in ("pages", "sources", "events")},  # the tab opened last
        "csv_pages": report(w, "pages", first, today, "csv"),
        "drill": {"rows": [[r["device"], r["visitor_days"]] for r in by_device if r.get("country") == "DE"]},
        "custom": dict(custom, people=report(w, "traffic", custom["from"], custom["to"])["rows"][0]["visitor_days"]),
    }


if can_run("the dashboard was not tried in a browser"):
    shots = os.path.join(os.environ["WINNOW_TESTS"], "dashboard")
    os.makedirs(shots, exist_ok=True)
    country = os.path.join(SOURCE, "build/share/country.mmdb")
    with Winnow(country_db=country) as w:
        with open(os.path.join(SOURCE, "schemas/plan.yaml")) as plan, open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "plan.yaml"), "w") as mine:
            text = plan.read()
            mine.write(text + "".join(line for dims, line in MORE if dims not in text))
        w.site("shop", "--zone", "UTC", "--host", "shop.example")
        w.site("lab", "--zone", "Europe/Berlin", "--host", "lab.example")
        w.up()
        told = {"url": f"http://127.0.0.1:{w.web}", "shots": shots}
        wait_for("the dashboard", lambda: w.get("/healthz", port=w.web)[0] == 200)
        today = next(s["today"] for s in json.loads(w.get("/api/v1/sites", port=w.web)[2])["sites"] if s["name"] == "shop")
        phase = lambda name, **more: drive("test_dashboard.js", {**told, "phase": name, **more}, w.dir, 200)
        phase("empty")
        fill(w, today)
        share(w)
        said = wanted(w, today)
        said["noise"] = wanted_noise(w)
        saw = phase("full", **said)
        packed = w.get("/api/v1/tables", {"Accept-Encoding": "gzip"}, port=w.web)
        plain = w.get("/api/v1/tables", port=w.web)
        expect(packed[1].get("Content-Encoding") == "gzip" and "Content-Encoding" not in plain[1], packed[1], plain[1])
        expect(gzip.decompress(packed[2]) == plain[2] and packed[1]["ETag"] == plain[1]["ETag"], "lists are packed for who takes it")
        key = w.cli("keys", "api", "analyst").stdout.decode().split()
        key = next(word for word in key if word.startswith("wnk_") or len(word) > 30)
        phase("key", key=key, csv_pages=said["csv_pages"])
        expect(w.cli("ledger", "verify").returncode == 0, "ledger")
        axe = f"{saw['axe']} looks by axe" if saw["axe"] else "axe-core is missing: accessibility not judged"
        print(f"ok: {saw['bytes']} bytes in {saw['requests']} requests, first paint {saw['paint_ms']} ms, {axe}; pictures in {shots}")
sys.exit(0)
