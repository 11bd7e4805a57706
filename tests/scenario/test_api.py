# SPDX-License-Identifier: Apache-2.0
"""Readers over HTTP: figures equal `winnow report`, pages hold every row once, keys open what they name and no more,
limits stand where they are named, every answer is what the API's description says, and nothing of a query is logged."""
import contextlib
import csv
import io
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import time

import jsonschema

from formats import same_everywhere
from winnow import AGENT, Winnow, expect, person, view, wait_for

os.environ["WINNOW_TEST_DUMPABLE"] = "1"  # a sanitizer looks for leaks at the end
TABLES = ["traffic", "hours", "pages", "referrers", "countries", "browsers", "systems", "devices", "events"]
DESCRIPTION = os.path.join(os.environ["WINNOW_SOURCE"], "schemas/openapi.json")
AGENTS = [AGENT, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"]
SHARED = 'share: true, contract: "processing contract of 2026-03-01"'
NAMES = "receivers: [partner]"
PLAN = f"""  - {{id: c_devices, doc: Devices, purpose: basic, dimensions: [device], of: [view], measures: [people, events], {SHARED}, {NAMES}}}
  - {{id: c_browsers, doc: Browsers, purpose: basic, dimensions: [browser], of: [view], measures: [people, events], {SHARED}, {NAMES}}}
""" + """  - {id: pages_by_device, doc: Pages by device, purpose: basic, dimensions: [route, device], of: [view], measures: [people, events]}
"""
DAYS = ["2026-11-18", "2026-11-19", "2026-11-20"]


class Api:
    """Asks, and holds every answer against the description."""

    def __init__(self, w):
        self.w, self.key, self.seen = w, None, set()
        with open(DESCRIPTION) as f:
            self.description = json.load(f)

    def resolve(self, node):
        while "$ref" in node:
            at = self.description
            for part in node["$ref"][2:].split("/"):
                at = at[part]
            node = at
        return node

    def valid(self, schema, value, what):
        whole = dict(schema, components=self.description["components"])
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        expect(not errors, what, [e.message for e in errors][:3], value if not isinstance(value, dict) else list(value))

    def ask(self, path, headers=None, method="GET", body=None):
        headers = dict(headers or {})
        if self.key and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.key}"
        status, heads, text = self.w.request(method, path, body, headers, port=self.w.web)
        self.check(method, path.split("?")[0], status, heads, text)
        return status, heads, text

    def check(self, method, path, status, heads, text):
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")):
            expect(heads.get(name) == value, path, name, heads)
        expect("default-src 'self'" in heads.get("Content-Security-Policy", ""), path, heads)
        expect(not any(h.lower().startswith("access-control") for h in heads), "CORS", heads)
        operation = self.description["paths"].get(path, {}).get(method.lower())
        if not operation:
            return
        self.seen.add((path, status))
        expect(str(status) in operation["responses"], path, status, "is not described", text[:300])
        content = self.resolve(operation["responses"][str(status)]).get("content", {})
        kind = heads.get("Content-Type", "").split(";")[0]
        if status != 304:
            expect(kind in content, path, status, kind)
        if kind in ("application/json", "application/problem+json") and status != 304:
            self.valid(content[kind]["schema"], json.loads(text), f"{path} {status}")

    def get(self, path, **headers):
        status, _, text = self.ask(path, headers)
        expect(status == 200, path, status, text[:500])
        return json.loads(text)

    def query(self, status=200, **query):
        query = {"site_id": "shop", "date_range": [DAYS[0], DAYS[-1]], "metrics": ["visitors"], **query}
        got, _, text = self.ask("/api/v2/query", {"Content-Type": "application/json"}, "POST", json.dumps(query).encode())
        answer = json.loads(text)
        expect(got == status, query, got, answer)
        if status == 200:
            self.valid(self.description["components"]["schemas"]["Query"], query, "a query that was taken")
        return answer

    def problem(self, status, name, path, **more):
        got, heads, text = self.ask(path, **more)
        expect(got == status, path, "gives", got, "not", status, text[:300])
        expect(heads["Content-Type"] == "application/problem+json" and heads["Cache-Control"] == "no-store", path, heads)
        found = json.loads(text)
        expect(found["type"] == f"urn:winnow:problem:{name}" and found["status"] == status and len(found["detail"]) > 10, path, found)
        return found, heads


def traffic(w):
    """Three sealed days from logs, of which the last is the largest, and today's live ones."""
    for d, day in enumerate(DAYS):
        year, month, date = day.split("-")
        lines = []
        for i in range(150 + 50 * d):
            referrer = "https://news.example/" if i % 3 else "-"
            for page in ("/", f"/page/{'abcdefgh'[i % 8]}", "/basket" if i % 2 else "/help"):
                lines.append(f'{person(i)} - - [{date}/Nov/{year}:{8 + i % 12:02}:{i % 60:02}:00 +0000] "GET {page} HTTP/1.1" 200 512'
                             f' "{referrer}" "{AGENTS[i % 2]}"\n')
        w.cli("import", "--site", "shop", "--format", "combined", "-", input="".join(lines).encode())


def figures(api):
    """Every table, format and range: byte for byte what `winnow report` says, but for what a key narrows."""
    compared = 0
    for table in TABLES + ["pages_by_device"]:
        for first, last in ((DAYS[0], DAYS[-1]), (DAYS[1], DAYS[1]), ("2020-01-01", "2020-01-02")):
            texts = {}
            for form in ("json", "csv", "ndjson", "msgpack", "meta"):
                path = f"/api/v1/report?site=shop&table={table}&from={first}&to={last}&format={form}"
                status, heads, text = api.ask(path)
                said = api.w.cli("report", "--site", "shop", "--table", table, "--from", first, "--to", last, "--format", form, check=False)
                expect(status == 200 and text == said.stdout, path, text[:500], "not", said.stdout[:500])
                texts[form] = text
                compared += 1
            same_everywhere(texts, texts.pop("meta"))
    rows = api.get(f"/api/v1/report?site=shop&table=pages&from={DAYS[0]}&to={DAYS[-1]}")["rows"]
    expect(len(rows) > 8 and all(r["visitor_days"] % 20 == 0 for r in rows), rows)
    # By day adds up to the range; the period names the same days.
    by_day = api.get(f"/api/v1/report?site=shop&table=pages&from={DAYS[0]}&to={DAYS[-1]}&by=day")
    sums = {}
    for r in by_day["rows"]:
        sums[r["route"]] = sums.get(r["route"], 0) + r["people"]
    expect(sums == {r["route"]: r["visitor_days"] for r in rows} and by_day["by"] == "day", sums)
    expect({r["day"] for r in by_day["rows"]} == set(DAYS) and len(by_day["windows"]) == 3, by_day["windows"])
    status, heads, text = api.ask(f"/api/v1/report?site=shop&table=pages&from={DAYS[0]}&to={DAYS[-1]}&by=day&format=csv")
    table = list(csv.DictReader(io.StringIO(text.decode())))
    expect([(r["day"], r["route"], int(r["people"])) for r in table] == [(r["day"], r["route"], r["people"]) for r in by_day["rows"]], "csv by day")
    expect("attachment" in heads["Content-Disposition"], heads)
    texts = {}
    for form in ("json", "csv", "ndjson", "msgpack", "meta"):
        path = f"/api/v1/report?site=shop&table=pages&from={DAYS[0]}&to={DAYS[-1]}&by=day&format={form}"
        said = api.w.cli("report", "--site", "shop", "--table", "pages", "--from", DAYS[0], "--to", DAYS[-1], "--by", "day", "--format", form)
        texts[form] = api.ask(path)[2]
        expect(texts[form] == said.stdout, path, texts[form][:500], said.stdout[:500])
    expect(same_everywhere(texts, texts.pop("meta")) > 20, "rows by day")
    # What is not asked for by name is chosen by Accept; CSV and ndjson say where their rules stand.
    path = f"/api/v1/report?site=shop&table=pages&from={DAYS[0]}&to={DAYS[-1]}"
    for accept, form in (("text/csv", "text/csv"), ("application/x-ndjson;q=0.5, application/vnd.msgpack", "application/vnd.msgpack"),
                         ("application/x-ndjson", "application/x-ndjson"), ("text/html, */*;q=0.1", "application/json"), ("image/png", "application/json")):
        status, heads, text = api.ask(path, {"Accept": accept})
        expect(status == 200 and heads["Content-Type"].split(";")[0] == form and heads["Vary"] == "Authorization, Accept", accept, heads)
        said = re.search(r'<(/api/v1/report\?[^>]*)>; rel="describedby"', heads.get("Link", ""))
        expect(bool(said) == (form in ("text/csv", "application/x-ndjson")), accept, heads)
        if said:
            expect(api.get(said.group(1))["rows_shown"] == len(rows), said)
    expect(api.ask(path + "&format=json", {"Accept": "text/csv"})[1]["Content-Type"] == "application/json", "the parameter wins")
    return compared


def on_terminal(w, *args, **env):
    """What `winnow report` writes to a terminal."""
    mine, its = pty.openpty()
    p = subprocess.Popen([os.path.join(w.bin, "winnow"), "report", *args], env={**w.env, "TERM": "xterm", **env}, stdout=its, stderr=subprocess.DEVNULL,
                         stdin=subprocess.DEVNULL)
    os.close(its)
    text = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while piece := os.read(mine, 65536):
            text += piece
    os.close(mine)
    expect(p.wait(30) == 0, args, text)
    return text.decode()


def screen(w):
    """Change and marks stand on a terminal alone, or where they are asked for; marks where it shows UTF-8."""
    args = ("--site", "shop", "--table", "traffic", "--from", DAYS[1], "--to", DAYS[2])
    of = lambda text: ("change" in text, any(c in text for c in "\u2581\u2584\u2588"))
    for env, want in (({"LC_ALL": "C.UTF-8"}, (True, True)), ({"LC_ALL": "C", "LANG": "C.UTF-8"}, (True, False)),
                      ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.utf8"}, (True, True)), ({"LC_ALL": "C.UTF-8", "TERM": "dumb"}, (True, False))):
        text = on_terminal(w, *args, **env)
        expect(of(text) == want, env, text)
    expect(of(on_terminal(w, *args, "--plain", LC_ALL="C.UTF-8")) == (False, False), "--plain")
    w.env["LC_ALL"] = "C.UTF-8"
    run = lambda *more, **kw: w.cli("report", *args, *more, **kw)
    expect(of(run().stdout.decode()) == (False, False) and of(run("--trend").stdout.decode()) == (True, True), "a pipe")
    for bad in (("--trend", "--format", "csv"), ("--trend", "--plain"), ("--by", "day"), ("--by", "week", "--format", "csv"),
                ("--by", "day", "--format", "csv", "--limit", "3"), ("--format", "xml")):
        said = run(*bad, check=False)
        expect(said.returncode == 2 and said.stderr, bad, said)
    # One day against the day before: more people came.
    day = run("--trend", "--from", DAYS[2]).stdout.decode()
    now, was = (w.report("shop", "traffic", d)[0]["people"] for d in (DAYS[2], DAYS[1]))
    expect(f"+{int((now - was) / was * 100 + 0.5)}%" in day, day, now, was)
    expect(run("--format", "csv", "--by", "day").stderr == b"", "no progress in a pipe")


def etags(api):
    path = "/api/v1/report?site=shop&table=pages&from=2026-11-01&to=2026-11-30"
    status, heads, text = api.ask(path)
    tag = heads["ETag"]
    expect(heads["Cache-Control"] == "private, no-cache" and heads["Vary"] == "Authorization, Accept", heads)
    for known in (tag, f'W/{tag}, "other"', "*"):
        status, again, text = api.ask(path, {"If-None-Match": known})
        expect(status == 304 and text == b"" and again["ETag"] == tag, known, status, again)
    expect(api.ask(path, {"If-None-Match": '"other"'})[0] == 200, "another tag")
    expect(api.ask(path.replace("pages", "events"))[1]["ETag"] != tag, "another table has another tag")
    # Words for the same days are the same question.
    expect(api.ask(path + "&limit=5")[1]["ETag"] != tag, "a page of it is another answer")
    for p in ("/api/v1/sites", "/api/v1/tables", "/.well-known/winnow.json", "/", "/app.js"):
        known = api.ask(p)[1]["ETag"]
        expect(api.ask(p, {"If-None-Match": known})[0] == 304, p)
    return path, tag


def pages(api):
    base = f"/api/v1/report?site=shop&table=pages_by_device&from={DAYS[0]}&to={DAYS[-1]}"
    whole = api.get(base)["rows"]
    expect(len(whole) > 5, "too few rows for pages", whole)
    for limit in (1, 3, len(whole) - 1, len(whole), 10000):
        rows, cursor, n = [], None, 0
        while True:
            page = api.get(f"{base}&limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
            rows += page["rows"]
            n += 1
            expect(page["rows_total"] == len(whole) and len(page["rows"]) <= limit, page)
            cursor = page.get("next")
            if not cursor:
                break
            expect(n <= len(whole), "pages without end")
        expect(rows == whole, "pages of", limit, "are not the whole")
    # The Link header of a CSV's page leads to the next one.
    path, lines, n = f"{base}&limit=4&format=csv", [], 0
    while path:
        status, heads, text = api.ask(path)
        expect(status == 200, path, status)
        lines += text.decode().split("\r\n")[1 if lines else 0:-1]
        link = re.match(r'<(/api/v1/report\?\S+)>; rel="next"', heads.get("Link", ""))
        path, n = link and link.group(1), n + 1
    expect(n == -(-len(whole) // 4) and "\r\n".join(lines) + "\r\n" == api.ask(base + "&format=csv")[2].decode(), n, lines)
    return api.get(f"{base}&limit=1")["next"]


def refusals(api):
    get = "/api/v1/report?site=shop&table=pages"
    api.problem(404, "unknown-site", "/api/v1/report?site=shopp&table=pages")
    api.problem(404, "unknown-table", "/api/v1/report?site=shop&table=nothing")
    api.problem(400, "bad-parameter", "/api/v1/report?table=pages&site=")
    api.problem(400, "bad-parameter", "/api/v1/report?table=pages")  # two sites
    for more in ("&from=2026-13-01", "&limit=0", "&format=xml", "&what=1", "&table=pages", "&period=fortnight", "&%00=1", "&limit=1%00"):
        api.problem(400, "bad-parameter", get + more)
    api.problem(400, "bad-parameter", get + "".join(f"&p{i}=1" for i in range(16)))
    api.problem(400, "bad-parameter", "/api/v1/sites?site=shop")
    api.problem(404, "unknown-site", "/api/v1/tables?site=nothing")
    api.problem(400, "bad-parameter", "/api/v1/tables?sites=shop")
    api.problem(404, "not-here", "/api/v1/")
    api.problem(404, "not-here", "/../../etc/passwd")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        found, heads = api.problem(405, "bad-method", "/api/v1/sites", method=method)
        expect(heads["Allow"] == "GET, HEAD, OPTIONS", heads)
        api.problem(405, "bad-method", "/", method=method)
    expect(api.problem(405, "bad-method", "/api/v2/query")[1]["Allow"] == "POST, OPTIONS", "allow")
    status, heads, text = api.ask("/api/v1/report", method="OPTIONS", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"})
    expect(status == 204 and heads["Allow"] == "GET, HEAD, OPTIONS", status, heads)
    status, heads, text = api.ask(get, method="HEAD")
    expect(status == 200 and text == b"" and "ETag" in heads, status, heads)
    api.problem(400, "unwanted-body", "/api/v1/sites", body=b"{}")
    # The address: 2,048 bytes are taken, one more is not.
    fit = get + "&cursor="
    api.problem(400, "bad-parameter", fit + "a" * (2048 - len(fit)))
    api.problem(414, "url-too-long", fit + "a" * (2049 - len(fit)))
    # The body: 16,384 bytes.
    json_head = {"Content-Type": "application/json"}
    query = json.dumps({"site_id": "shop", "date_range": "7d", "metrics": ["visitors"]})
    fits = query + " " * (16384 - len(query))
    expect(api.ask("/api/v2/query", json_head, "POST", fits.encode())[0] == 200, "a body of just the limit")
    api.problem(413, "body-too-large", "/api/v2/query", headers=json_head, method="POST", body=(fits + " ").encode())
    api.problem(415, "not-json", "/api/v2/query", headers={"Content-Type": "text/plain"}, method="POST", body=query.encode())
    for bad in (b"", b"{", b"[" * 9 + b"]" * 9, b"\xff", query.encode()[:-1]):
        api.problem(400, "bad-body", "/api/v2/query", headers=json_head, method="POST", body=bad)
    api.problem(400, "bad-query", "/api/v2/query", headers=json_head, method="POST", body=b"[]")
    # Headers beyond what a connection may hold are the server's own 431, whatever stands there.
    expect(api.w.get("/api/v1/sites", {"X-Long": "a" * 20000}, port=api.w.web)[0] == 200, "20,000 bytes of header")
    expect(api.w.get("/api/v1/sites", {"X-Long": "a" * 40000}, port=api.w.web)[0] == 431, "40,000 bytes of header")
    # Another name for this machine is somebody else's page (DNS rebinding); so is what a proxy passed on.
    api.problem(421, "wrong-host", "/api/v1/sites", headers={"Host": "evil.example"})
    api.problem(421, "wrong-host", "/api/v2/query", headers={"Host": "evil.example:8093", **json_head}, method="POST", body=query.encode())
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        found, heads = api.problem(401, "key-needed", "/api/v1/sites", headers={header: "1.2.3.4"})
        expect(heads["WWW-Authenticate"].startswith("Bearer"), heads)


def stats(api):
    """The same figures in the other API's shape, and what it cannot be asked."""
    days = {"from": DAYS[0], "to": DAYS[-1]}
    report = lambda table, more="": api.get(f"/api/v1/report?site=shop&table={table}&from={days['from']}&to={days['to']}{more}")["rows"]
    whole = report("traffic")[0]
    answer = api.query(metrics=["visitors", "visits", "events"])
    expect(answer["results"] == [{"metrics": [whole["visitor_days"], whole["sessions"], whole["events"]], "dimensions": []}], answer, whole)
    expect(answer["meta"]["metric_warnings"]["visitors"]["code"] == "visitor_days" and answer["meta"]["table"] == "traffic", answer["meta"])
    expect(answer["query"]["date_range"] == [DAYS[0], DAYS[-1]], answer["query"])
    for dimension, table, column in (("event:page", "pages", "route"), ("visit:browser", "browsers", "browser"), ("visit:os", "systems", "system"),
                                     ("visit:device", "devices", "device"), ("visit:referrer", "referrers", "referrer"), ("visit:source", "referrers", "referrer"),
                                     ("visit:country", "countries", "country"), ("event:name", "events", "event")):
        answer = api.query(dimensions=[dimension], include={"total_rows": True})
        rows = report(table)
        name = lambda r: "(other)" if r.get("other") else r[column]
        expect(sorted((r["dimensions"][0], r["metrics"][0]) for r in answer["results"]) == sorted((name(r), r["visitor_days"]) for r in rows), dimension, answer, rows)
        expect(answer["meta"]["total_rows"] == len(rows), answer["meta"])
        expect([r["metrics"][0] for r in answer["results"]] == sorted((r["metrics"][0] for r in answer["results"]), reverse=True), "order")
    views = api.query(dimensions=["event:page"], metrics=["pageviews"])
    expect(sum(r["metrics"][0] for r in views["results"]) == sum(r["events"] for r in report("pages")), views)
    # Days, weeks, months, hours: by day each is what that day's report says; one day is visitors, not visitor days.
    answer = api.query(dimensions=["time:day"], include={"time_labels": True})
    each = {d: api.get(f"/api/v1/report?site=shop&table=traffic&from={d}&to={d}")["rows"][0]["people"] for d in DAYS}
    expect([(r["dimensions"][0], r["metrics"][0]) for r in answer["results"]] == list(each.items()), answer, each)
    expect(answer["meta"]["time_labels"] == DAYS and answer["meta"]["metric_warnings"]["visitors"]["code"] == "at_least", answer["meta"])
    for dimension, label in (("time:week", "2026-11-16"), ("time:month", "2026-11-01")):
        answer = api.query(dimensions=[dimension])
        expect(answer["results"] == [{"metrics": [sum(each.values())], "dimensions": [label]}], answer)
    answer = api.query(dimensions=["time:hour"], date_range=[DAYS[0], DAYS[0]])
    hours = api.get(f"/api/v1/report?site=shop&table=hours&from={DAYS[0]}&to={DAYS[0]}")["rows"]
    shown = [r for r in hours if not r.get("other")]
    expect([(r["dimensions"][0], r["metrics"][0]) for r in answer["results"]][:len(shown)] == [(f"{DAYS[0]} {r['hour']}:00", r["people"]) for r in shown], answer, hours)
    both = api.query(dimensions=["visit:device", "time:day", "event:page"])
    expect(both["meta"]["table"] == "pages_by_device" and all(len(r["dimensions"]) == 3 for r in both["results"]), both)
    # Filters choose rows; pages; order.
    one = api.query(filters=[["is", "event:page", ["/"]]])
    expect(one["results"][0]["metrics"] == [next(r["visitor_days"] for r in report("pages") if r["route"] == "/")], one)
    some = api.query(dimensions=["event:page"], filters=[["contains", "event:page", ["/page"]], ["is_not", "event:page", ["/page/a"]]],
                     order_by=[["event:page", "desc"]])
    names = [r["dimensions"][0] for r in some["results"]]
    expect(names == sorted(names, reverse=True) and names and "/page/a" not in names and all("/page" in n for n in names), names)
    paged = [api.query(dimensions=["event:page"], pagination={"limit": 2, "offset": o})["results"] for o in range(0, 20, 2)]
    expect(sum(paged, []) == api.query(dimensions=["event:page"])["results"], paged)
    # A hidden figure is null, never 0.
    expect(api.query(date_range=["2020-01-01", "2020-01-02"])["results"] == [{"metrics": [None], "dimensions": []}], "nothing published")
    expect(api.query(date_range=["2020-01-01", "2020-01-02"], dimensions=["event:page"])["results"] == [], "nothing published")
    # What no table answers, and who would come near.
    said = api.query(400, dimensions=["visit:country", "visit:browser"])["error"]
    expect("countries" in said and "browsers" in said, said)
    said = api.query(400, metrics=["pageviews"])["error"]
    expect("traffic" in said, said)
    for bad in ({"metrics": ["scroll_depth"]}, {"dimensions": ["event:goal"]}, {"filters": [["matches", "event:page", ["a"]]]}, {"date_range": "24h"},
                {"filters": [["is", "event:page", ["/", "/help"]]]}, {"compare": "previous_period"}):
        api.query(400, **bad)
    api.query(404, site_id="nothing")


def keys(api, w):
    """Open until the first key; from then on each reads what it was made for, and nothing after it is revoked."""
    def make(name, *args):
        return w.cli("keys", "api", name, *args).stdout.decode().strip()

    everything = make("all")
    found, heads = api.problem(401, "key-needed", "/api/v1/sites")
    expect(heads["WWW-Authenticate"] == 'Bearer realm="winnow"', heads)
    for path in ("/api/v1/tables", "/api/v1/report?table=pages"):
        api.problem(401, "key-needed", path)
    api.problem(401, "key-needed", "/api/v2/query", method="POST", body=b"{}", headers={"Content-Type": "application/json"})
    for bad in ("Bearer wn_wrong", "Bearer " + everything[:-1], "Bearer", "Basic " + everything, everything):
        expect(api.ask("/api/v1/sites", {"Authorization": bad})[0] == 401, bad)
    some = make("some", "--site", "blog", "--table", "pages", "--table", "traffic")
    expect(re.fullmatch(r"wn_[A-Za-z0-9_-]{43}", some), some)
    with open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "api_keys.yaml")) as f:
        text = f.read()
    expect(some not in text and everything not in text and "blog" in text, text)
    expect(os.stat(f.name).st_mode & 0o777 == 0o600, "mode")
    expect(w.cli("keys", "api", "some", check=False).returncode == 1, "a name twice")
    expect(w.cli("keys", "api", "x", "--table", "nothing", check=False).returncode == 1, "a table that is none")
    expect(w.cli("keys", "api", "x", "--site", "nothing", check=False).returncode == 1, "a site that is none")
    expect(w.cli("keys", "api", "x", "--receiver", "nobody", check=False).returncode == 1, "a receiver that is none")

    api.key = everything
    expect([s["name"] for s in api.get("/api/v1/sites")["sites"]] == ["blog", "shop"], "all sites")
    api.key = some
    expect([s["name"] for s in api.get("/api/v1/sites")["sites"]] == ["blog"], "its sites")
    expect({t["id"] for t in api.get("/api/v1/tables")["tables"]} == {"pages", "traffic"}, "its tables")
    expect(api.get("/api/v1/report?table=pages")["site"] == "blog", "its one site needs no name")
    api.problem(404, "unknown-site", "/api/v1/report?site=shop&table=pages")
    api.problem(403, "not-yours", "/api/v1/report?site=blog&table=events")
    expect("events" not in api.query(400, site_id="blog", dimensions=["event:name"])["error"].split("tables")[0], "names what it does not read")
    api.query(404, site_id="shop")
    api.query(site_id="blog")

    w.cli("keys", "revoke", "some")
    api.problem(401, "key-unknown", "/api/v1/sites")
    expect(w.cli("keys", "revoke", "some", check=False).returncode == 1, "revoked twice")
    expect(b"all" in w.cli("keys", "list").stdout, "list")
    w.cli("keys", "revoke", "all")
    api.key = None
    api.problem(401, "key-needed", "/api/v1/sites")  # the last one gone opens nothing
    path = os.path.join(w.env["WINNOW_CONFIG_DIR"], "api_keys.yaml")
    with open(path, "w") as f:
        f.write("keys: 5\n")
    api.problem(503, "keys-unreadable", "/api/v1/sites")
    os.remove(path)
    expect(api.ask("/api/v1/sites")[0] == 200, "without the file this machine reads again")
    # The public page and the page itself never need one.
    return [everything, some]


def life(api, w, tag, cursor):
    """New rows show without a restart; a kill is survived; a stop lets an answer end; a new site is known at once."""
    path, tag = tag
    before = api.get("/api/v1/report?site=shop&table=traffic&from=today")["rows"]
    for i in range(40):
        w.post(view("shop", "https://shop.example/", ), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.tick()
    after = api.get("/api/v1/report?site=shop&table=traffic&from=today")["rows"]
    expect(before == [] and after[0]["people"] == 40 and after[0]["sessions"] is None, before, after)
    expect(api.ask(path)[1]["ETag"] != tag, "the tag outlived a tick")
    api.problem(409, "stale-cursor", f"/api/v1/report?site=shop&table=pages_by_device&from={DAYS[0]}&to={DAYS[-1]}&limit=1&cursor={cursor}")
    w.kill("web")
    wait_for("winnow-web again", lambda: w.get("/healthz", port=w.web)[0] == 200)
    expect(api.get("/api/v1/report?site=shop&table=traffic&from=today")["rows"] == after, "after a kill")
    w.kill("aggregator")
    w.ready()
    expect(api.get("/api/v1/report?site=shop&table=traffic&from=today")["rows"] == after, "after the aggregator's kill")
    w.site("late", "--zone", "UTC")
    expect("late" in [s["name"] for s in api.get("/api/v1/sites")["sites"]], "a new site")
    # One that sends nothing, one that leaves in the middle: others are answered.
    idle = [socket.create_connection(("127.0.0.1", w.web)) for _ in range(20)]
    for s in idle[::2]:
        s.sendall(b"GET /api/v1/report?site=shop&table=pages&by=day HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.close()
    expect(api.get("/api/v1/sites")["sites"], "beside idle ones")
    for s in idle[1::2]:
        s.close()


def receivers(api, w):
    """A receiver's key reads what the plan names it for, then and now: a list in the key, written by hand or made
    under another plan, opens nothing more."""
    for i in range(260):
        w.post([view("blog", "https://blog.example/", purposes=["basic", "share"])], {"X-Forwarded-For": person(i), "User-Agent": AGENT})
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.seal("blog", "today", force=True)
    refused = w.cli("keys", "api", "p", "--receiver", "partner", "--table", "devices", check=False)
    expect(refused.returncode == 1 and b"does not name partner" in refused.stderr, refused)
    make = lambda name, *more: w.cli("keys", "api", name, "--receiver", "partner", *more).stdout.decode().strip()
    plain, listed = make("plain"), make("listed", "--table", "c_devices", "--table", "noise_people")
    path = os.path.join(w.env["WINNOW_CONFIG_DIR"], "api_keys.yaml")
    with open(path) as f:
        text = f.read()
    expect(text.count("c_devices") == 1, text)
    with open(path, "w") as f:
        f.write(text.replace('"c_devices"', '"devices", "c_devices"'))  # by hand, past what `winnow keys` refuses

    def reads(key, table):
        """Rows that the key gets, or None: by the report, and by the other API the same."""
        api.key = key
        status, _, text = api.ask(f"/api/v1/report?site=blog&table={table}&from=today")
        expect(status in (200, 403, 404), table, status, text)
        return json.loads(text)["rows"] if status == 200 else None

    def sees(key):
        return {t for t in ("traffic", "devices", "c_devices", "c_browsers", "noise_people") if reads(key, t)}

    expect(sees(plain) == {"noise_people"} and sees(listed) == {"noise_people", "c_devices"}, sees(plain), sees(listed))
    api.key = listed
    expect({t["id"] for t in api.get("/api/v1/tables")["tables"]} == {"noise_people", "c_devices"}, "its tables")
    answer = api.query(site_id="blog", dimensions=["visit:device"], date_range="day")
    expect(answer["meta"]["table"] == "c_devices", "a table that does not name it", answer["meta"])
    api.query(400, site_id="blog", dimensions=["visit:browser"], date_range="day")
    for table in ("noise_people", "c_devices"):
        texts = {form: w.cli("report", "--site", "blog", "--table", table, "--from", "today", "--format", form).stdout
                 for form in ("json", "csv", "ndjson", "msgpack", "meta")}
        expect(same_everywhere(texts, texts.pop("meta")) > 0, table)
    # The plan names it no more: from the next request on it reads nothing, of old windows neither.
    plan = os.path.join(w.env["WINNOW_CONFIG_DIR"], "plan.yaml")
    with open(plan) as f:
        text = f.read()
    with open(plan + ".new", "w") as f:
        f.write(text.replace(NAMES, "receivers: [other]").replace("version: 2", "version: 3"))
    os.rename(plan + ".new", plan)
    expect(sees(plain) == sees(listed) == set(), sees(plain), sees(listed))
    with open(plan + ".new", "w") as f:  # of one table again, and of one whose windows never named it
        f.write(text.replace(f"{SHARED}, {NAMES}}}\n  - {{id: c_br", f"{SHARED}, receivers: [other]}}\n  - {{id: c_br")
                .replace("  - {id: devices,", "  - {id: old_devices,").replace("id: c_browsers,", "id: devices,").replace("version: 2", "version: 4"))
    os.rename(plan + ".new", plan)
    expect(sees(listed) == {"noise_people"}, sees(listed), "devices was published before the plan named anybody for it")
    with open(plan + ".new", "w") as f:
        f.write(text)
    os.rename(plan + ".new", plan)
    expect(sees(listed) == {"noise_people", "c_devices"}, sees(listed))
    w.cli("keys", "revoke", "plain")
    w.cli("keys", "revoke", "listed")
    os.remove(path)
    api.key = None
    return [plain, listed]


def replaced(w):
    """A store that takes the place of the one that is served, as a restore puts it there: winnow-web ends and says why."""
    store = os.path.join(w.dir, "state/aggregator/published/data.mdb")
    with subprocess.Popen([os.path.join(w.bin, "winnow-web")], env=w.env, stderr=subprocess.PIPE) as p:
        try:
            wait_for("winnow-web", lambda: w.get("/healthz", port=w.web)[0] == 200)
            shutil.copyfile(store, store + ".new")
            expect(p.poll() is None, "ended before")
            os.rename(store + ".new", store)
            said = p.communicate(timeout=30)[1]
        finally:
            p.kill()
    expect(p.returncode == 1 and b"took this one's place" in said, p.returncode, said)


def binary(w):
    run = lambda *args, **env: subprocess.run([os.path.join(w.bin, "winnow-web"), *args], env=dict(w.env, **env), capture_output=True, timeout=30)
    said = run("--check-config")
    expect(said.returncode == 0 and b"configuration is valid" in said.stdout, said)
    for bad, words in ((["--web-listen", "0.0.0.0:0"], b"web_behind_proxy"), (["--web-listen", "[::]:0"], b"web_behind_proxy"),
                       (["--web-listen", "localhost:1"], b"an IP address and a port"), (["--nothing"], b"no option"), (["--web-listen", "off"], b"off")):
        said = run("--check-config", *bad)
        expect(said.returncode == 2 and words in said.stderr, bad, said)
    expect(run("--check-config", "--web-listen", "0.0.0.0:0", "--web-behind-proxy").returncode == 0, "behind a proxy")
    expect(b"--web-listen" in run("--help").stdout and b".TH winnow-web 8" in run("--man").stdout, "help")
    said = run()  # the port is taken
    expect(said.returncode == 1 and b"--web-listen" in said.stderr, said)


with Winnow(map_mib=16) as w:
    with open(os.path.join(os.environ["WINNOW_SOURCE"], "schemas/plan.yaml")) as plan, \
         open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "plan.yaml"), "w") as mine:
        mine.write(plan.read().replace("cells: 1, share: true}", f"cells: 1, share: true, {NAMES}}}", 1) + PLAN)
    w.site("shop", "--zone", "UTC", "--host", "shop.example")
    w.site("blog", "--zone", "UTC")
    w.up()
    api = Api(w)
    expect(api.get("/api/v1/report?site=shop&table=pages")["rows"] == [], "before anything")
    traffic(w)
    compared = figures(api)
    screen(w)
    tag = etags(api)
    cursor = pages(api)
    refusals(api)
    stats(api)
    expect(api.ask("/healthz")[2] == b"ok\n", "health")
    public = api.get("/.well-known/winnow.json")
    expect(public["destinations"] == [{"name": "partner", "tables": ["noise_people", "c_devices", "c_browsers"]}] and re.fullmatch(r"\d{4}-\d\d-\d\d", public["policy"]["date"]), public)
    expect(api.get("/api/v1/openapi.json") == api.description, "the description served is the one in the tree")
    made = keys(api, w)
    life(api, w, tag, cursor)
    made += receivers(api, w)
    binary(w)
    # The page's files come packed to who takes it, and name nothing outside.
    status, heads, text = api.ask("/")
    expect(status == 200 and heads["Content-Type"].startswith("text/html") and b"//" not in text.replace(b"<!doctype", b""), heads)
    expect(api.ask("/app.js", {"Accept-Encoding": "gzip"})[1]["Content-Encoding"] == "gzip", "gzip")
    # Every path and every answer of the description was met.
    for p, methods in api.description["paths"].items():
        for method, operation in methods.items():
            met = {s for path, s in api.seen if path == p}
            missing = {int(s) for s in operation["responses"]} - met - {503, 422, 409, 414, 421, 415, 413, 403}
            expect(not missing, p, "never answered", missing)
    log = w.log()
    for words in ("pages_by_device", "visit:", "cursor", "evil", *made, *(m[3:] for m in made)):
        expect(words not in log, "the log holds", words)
    w.down()
    for words in ("did not stop", "Sanitizer", "runtime error"):
        expect(words not in w.log(), "the end:", words)
    replaced(w)
# Nobody reads over HTTP where nobody is to.
with Winnow(map_mib=16) as w:
    w.env["WINNOW_WEB_LISTEN"] = "off"
    w.up("shop")
    expect(set(w.pids()) == {"collector", "aggregator"}, w.pids())
print(f"ok: {compared} reports as `winnow report` gives them; {len(api.seen)} kinds of answers as described")
