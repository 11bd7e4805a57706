# SPDX-License-Identifier: Apache-2.0
"""Ten thousand marked identifiers (a hundred thousand in tests/long.sh) go in through every door; not one may be found anywhere afterwards.

The same run on the build without walls (WINNOW_WALLS_BIN) shows that the scan sees: there, each
surface must hold 99 % of what can reach it. WN_CANARIES: how many identifiers (5000).
"""
import concurrent.futures
import gzip
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from winnow import AGENT, BIN, Winnow, expect, person, view, wait_for

os.environ["WINNOW_TEST_DUMPABLE"] = "1"  # cores are taken
WALLS = os.environ.get("WINNOW_WALLS_BIN", os.path.join(os.environ["WINNOW_SOURCE"], "build/walls/bin"))
TOOLS = BIN
KINDS = ["email", "phone", "user_id", "idfa", "gaid", "ipv4", "ipv6", "card", "name", "token", "consent"]
PEOPLE = -(-int(os.environ.get("WN_CANARIES", "5000")) // len(KINDS))
SCALE = max(1, PEOPLE // 1000)  # of what a day must hold, above ten thousand identifiers
SITES = {"web": "canary.example", "sdk": "app.example", "log": "log.example"}  # one for each way in: none repeats another's batch_id
TABLES = """traffic hours pages entry_pages exit_pages referrers channels sources campaigns countries languages browsers systems devices
screens events regions terms links exit_links features sizes ages jobs answers crashes app_versions connections makers models prop1 prop2
prop3 prop4 country_devices channel_devices channel_countries noise_people noise_countries noise_devices noise_browsers noise_events
noise_pages noise_referrers noise_terms shared_pages""".split()
RECEIVED = """  - {id: shared_pages, doc: Pages of who shares, purpose: basic, dimensions: [route], of: [view], measures: [people, events], share: true, contract: own, receivers: [folder]}
"""
POLICY = """version: 2
date: 2026-11-20
defaults:
  consent: {categories: [{id: Analytics, purposes: [basic, measure]}], vendors: [31]}
  props:
    - {name: plan, values: [free, pro]}
    - {name: note}
    - {name: team}
    - {name: beta, purpose: profile, values: ["true", "false"]}
    - {name: amount, number: {max: 500}}
  surveys:
    - {name: nps, values: ["0", "10"]}
  routes: ["/account/:user/items/:item", "/orders/:order", "/team/*/:member/all"]
  sensitive: [/health/**]
  organisations:
    - {org: acme, purposes: [basic]}
"""
DECLARED = {"pages": ("route", ["/welcome", "/account/:user/items/:item", "/mail"]), "prop1": ("prop1", ["plan=pro"]),
            "prop2": ("prop2", ["note=blue"]), "prop4": ("prop4", ["beta=true"]), "answers": ("answer", ["nps=10"])}
FORMATS = ["table", "csv", "json", "ndjson"]
BODY_MAX = 65536
THREADS = 3
CUT_SHORT = 200  # requests whose sender leaves in the middle
UNMARKED = 64


# ---- what is sent ----

def make(folder, at_s):
    """{site: folder of canary_make's files}; the needles are the same for all."""
    made = {}
    for site, host in SITES.items():
        made[site] = os.path.join(folder, site)
        os.makedirs(made[site])
        subprocess.run([os.path.join(TOOLS, "canary_make"), "--out", made[site], "--site", site, "--host", host, "--count", str(PEOPLE),
                        "--seed", "20", "--rotations", str(len(KINDS)), "--time", str(at_s)], check=True)
    return made


def needles(made):
    with open(os.path.join(made["web"], "needles.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return {k: [text for kind, text in rows if kind == k] for k in KINDS}


class Client:
    """One HTTP connection that is kept open; every byte that comes back goes into `answers`."""

    def __init__(self, port, answers):
        self.port, self.answers, self.socket, self.buffer = port, answers, None, b""

    def ask(self, request):
        for again in (True, False):
            try:
                if self.socket is None:
                    self.socket, self.buffer = socket.create_connection(("127.0.0.1", self.port), 30), b""
                self.socket.sendall(request)
                return self.answer()
            except OSError:
                self.close()
                if not again:
                    raise

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        n = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
        while len(self.buffer) < n:
            self.more()
        body, self.buffer = self.buffer[:n], self.buffer[n:]
        self.answers.append(head + b"\r\n\r\n" + body + b"\n")
        if b"connection: close" in head.lower():
            self.close()
        return int(head.split(b" ", 2)[1])

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self.buffer += data

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def raw(r, number):
    """A row of http.jsonl as bytes: JSON and text/plain in turn."""
    body = r["body"].encode()
    head = [f"{r['method']} {r['target']} HTTP/1.1", *r["headers"]]
    if r["method"] == "POST":
        head += [f"Content-Type: {'text/plain' if number % 2 else 'application/json'}", f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def send_http(w, made, answers):
    with open(os.path.join(made["web"], "http.jsonl")) as f:
        requests = [raw(json.loads(line), i) for i, line in enumerate(f)]
    statuses = {}

    def some(first):
        c = Client(w.http, answers)
        for r in requests[first::THREADS]:
            status = c.ask(r)
            statuses[status] = statuses.get(status, 0) + 1
        c.close()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(some, range(THREADS)))
    expect(statuses.get(200, 0) >= (len(KINDS) + 1) * PEOPLE and statuses.get(404, 0) >= PEOPLE and statuses.get(400, 0) >= PEOPLE and
           503 not in statuses, "answers", statuses)
    return requests


def send_broken(w, requests, ids, answers):
    """Senders that leave, bodies that are too large, values that are too long, and no HTTP at all."""
    posts = [r for r in requests if r.startswith(b"POST")]
    for i, r in enumerate(posts[:CUT_SHORT]):
        with socket.create_connection(("127.0.0.1", w.http), 30) as s:
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(r[:len(r) * (i % 9 + 1) // 10])
    every = [text for kind in ids.values() for text in kind]
    heap = " ".join(every[i % len(every)] for i in range(0, 40 * 4000, 41)).encode()[:2 * BODY_MAX - 100]
    c = Client(w.http, answers)
    for body in (heap, json.dumps([{"site": "web", "name": "long", "url": "https://canary.example/" + heap[:4000].decode()}]).encode(),
                 json.dumps({"site": "web", "name": "pageview", "props": {t: {t: [t]} for t in every[:300]}}).encode()[:BODY_MAX]):
        expect(c.ask(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body) in (200, 400, 413), "large")
        c.close()
        expect(c.ask(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body +
                     b"\r\n0\r\n\r\n") in (200, 400, 413), "chunked")
        c.close()
    for port in (w.http, w.sdk, w.admin):
        for t in every[:: max(1, len(every) // 50)]:
            with socket.create_connection(("127.0.0.1", port), 30) as s:
                s.sendall(f"GET /{t.replace(' ', '+')} NONE/1\r\n{t}: {t}\r\n\r\n".encode())


def send_sdk(w, made, ids):
    said = w.cli("send", "--site", "sdk", os.path.join(made["sdk"], "events.ndjson")).stdout.decode()
    expect(int(re.search(r"accepted +(\d+)", said).group(1)) >= 9 * PEOPLE, "events of a server", said)
    with open(os.path.join(made["sdk"], "events.ndjson"), "rb") as f:
        w.cli("send", "--site", "web", "-", input=b"".join(f.readlines()[:500]))  # a site the events do not name: refused
    bad = []
    for kind in KINDS:
        deep = ids[kind][3]
        for level in range(20):
            deep = {ids[kind][level % len(ids[kind])]: [deep]}
        bad += [{"props": deep}, {"url": "https://app.example/" + "/".join(ids[kind][:200])}, {"user_id": " ".join(ids[kind][:40])},
                {ids[kind][1]: ids[kind][2]}, {"name": ids[kind][:3]}, {"screen": {ids[kind][5]: 1}}]
    w.send("sdk", [dict(view("sdk", "https://app.example/"), **b) for b in bad])
    w.cli("send", "--site", "sdk", "-", input="\n".join(ids["token"][:100]).encode(), check=False)  # no JSON at all


def send_log(w, made):
    """A quarter of the lines in each way of writing a log."""
    with open(os.path.join(made["log"], "access.log"), "rb") as f:
        lines = f.readlines()
    plain, vhost, packed = (os.path.join(made["log"], n) for n in ("plain.log", "vhost.log", "packed.log.gz"))
    with open(plain, "wb") as f:
        f.writelines(lines[0::4])
    with open(vhost, "wb") as f:
        f.writelines(b"log.example:443 " + line for line in lines[1::4])
    with gzip.open(packed, "wb", 1) as f:
        f.writelines(lines[2::4])
    for *how, data in (("combined", plain, None), ("vhost-combined", vhost, None), ("combined", packed, None),
                       ("combined", "-", b"".join(lines[3::4]))):
        said = w.cli("import", "--site", "log", "--keep-open", "--format", *how, input=data).stdout.decode()
        expect(int(re.search(r"counted:? +([\d,]+)", said).group(1).replace(",", "")) >= PEOPLE // 2, "lines of a log", said)


def send_commands(w, ids):
    """Names that no site has, where an operator would give one; what the terminal shows is the operator's own."""
    for kind in KINDS:
        for words in (["report", "--site"], ["seal", "--date", "today", "--site"], ["import", "--keep-open", "--site"], ["send", "--site"]):
            w.cli(*words, ids[kind][0], *([os.devnull] if words[0] in ("import", "send") else []), check=False, timeout=20)


def send_unmarked(w, ids, first):
    """People in networks of their own, whose crowds open. Nothing of theirs is looked for but the consent string each of them
    gives, in a field, inside a GPP string, in the pixel's query and in a cookie."""
    more = {"purposes": ["basic", "measure", "share", "profile"], "props": {"plan": "pro", "note": "blue", "beta": True, "amount": 19.9}, "survey": "nps", "answer": "10"}
    events = []
    for i in range(first, first + UNMARKED):
        tcf = ids["consent"][i % len(ids["consent"])]
        who = {"X-Forwarded-For": person(i), "User-Agent": AGENT}
        mine = [dict(view("web", "https://canary.example/welcome", tcf=tcf), **more),
                view("web", f"https://canary.example/account/{i}/items/{i}", gpp=f"DBABMA~{tcf}", gpp_sid="2")]
        status, answer = w.post(mine, who)
        expect(status == 200 and answer["accepted"] == 2, "unmarked", status, answer)
        for path, cookie in ((f"gdpr_consent={tcf}", {}), ("w=1280", {"Cookie": f"euconsent-v2={tcf}"})):
            expect(w.get(f"/p.gif?site=web&u=https://canary.example/mail&{path}", dict(who, **cookie))[0] == 200, "pixel")
        events += [dict(e, site="sdk", url=e["url"].replace("canary", "app"), ip=person(i), user_agent=AGENT, org=f"org-{i % 16}") for e in mine]
    said = w.send("sdk", events).stdout.decode()
    expect(re.search(rf"accepted +{len(events)}\b", said), "unmarked events of a server", said)


def idle(w):
    """Nobody is connected any more. Under load the server may see that a sender left only after http_idle_s,
    and holds what it had sent until then: this scan says nothing about that time."""
    def connections():
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        return [r for r in rows if int(r[1].split(":")[1], 16) == w.http and r[3] in ("01", "08")]

    wait_for("the last connection to end", lambda: not connections(), 30)


# ---- what is looked at ----

def core(pid, path, seen):
    """What a core of the process would hold: private and shared memory, but no file's clean pages (scanned as files)."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem, open(path, "wb") as out:
        for line in maps:
            span, rights, _, device, inode, *name = line.split()
            name = name[0] if name else ""
            if not rights.startswith("r") or name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            mapped = inode != "0"
            if mapped and "w" not in rights and not name.startswith("/memfd:"):
                continue
            if mapped and rights.endswith("s"):
                if (device, inode, span) in seen or name.endswith(".mdb"):
                    continue
                seen.add((device, inode, span))
            start, end = (int(x, 16) for x in span.split("-"))
            zero = bytes(1 << 20)
            for at in range(start, end, 1 << 20):
                try:
                    mem.seek(at)
                    data = mem.read(min(1 << 20, end - at))
                except (OSError, ValueError, OverflowError):
                    break
                if data != zero[:len(data)]:
                    out.write(data)
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:"):
                    with open(f"/proc/{pid}/fd/{fd}", "rb") as f:
                        data = f.read()
                        if hash(data) not in seen:  # kept memory, that a daemon and its keeper share
                            seen.add(hash(data))
                            out.write(data)
            except OSError:
                continue
    return os.path.getsize(path)


class Run:
    """One build on its way through a day; each stage's surfaces are copied and scanned while the next begins."""

    def __init__(self, name, bin, made, scanner):
        self.name, self.bin, self.made, self.scanner = name, bin, made, scanner
        self.folder = tempfile.mkdtemp(prefix=f"winnow-canary-{name}-")
        self.answers, self.scans, self.seconds = [], [], {}
        self.began = time.monotonic()

    def at(self, *names):
        path = os.path.join(self.folder, *names)
        os.makedirs(path, exist_ok=True)
        return path

    def scan(self, stage):
        """The product: everything in the stage's folder."""
        self.seconds[stage] = round(time.monotonic() - self.began, 1)
        if self.name == "product":
            self.scans.append((stage, self.scanner.submit(scan, self.made, [self.at(stage)])))

    def files(self, w, stage):
        for what in ("state", "config", "tmp", "out"):
            source = os.path.join(w.dir, what)
            if os.path.exists(source):
                subprocess.run(["cp", "-r", "--sparse=always", source, self.at(stage)], check=False, stderr=subprocess.DEVNULL)
        shutil.copyfile(w.log_path, os.path.join(self.at(stage, "log"), "log"))

    def cores(self, w, stage, *roles):
        if self.name == "control" and stage != "open":
            return  # see CONTROL
        seen = set()
        pids = dict(w.pids(), keeper=w.process.pid)
        for role in roles or ("keeper", "collector", "aggregator", "web", "forward"):
            core(pids[role], os.path.join(self.at(stage, f"core-{role}"), "core"), seen)

    def words(self, w, stage, sealed=False):
        """All that Winnow says: reports, ledger, status, metrics."""
        def put(name, data):
            with open(os.path.join(self.at(stage, "words"), name), "wb") as f:
                f.write(data)

        for site in SITES:
            for table in TABLES:
                for form in FORMATS if sealed else FORMATS[:3:2]:
                    p = w.cli("report", "--site", site, "--table", table, "--from", "today", "--to", "today", "--limit", "0",
                              "--format", form, check=False)
                    put(f"report-{site}-{table}.{form}", p.stdout + p.stderr)
        for form in ("table", "csv", "ndjson"):
            put(f"ledger.{form}", w.cli("ledger", "list", "--format", form, check=False).stdout)
        with open(os.path.join(self.at(stage, "words-web"), "answers"), "wb") as f:
            f.writelines(over_http(w))
        for name, words in (("recipients", ("ledger", "recipients")), ("forward", ("forward", "status")), ("dry-run", ("forward", "dry-run", "folder"))):
            p = w.cli(*words, check=False)
            put(name, p.stdout + p.stderr)
        put("status", w.cli("status").stdout)
        put("metrics", w.get("/metrics", port=w.admin)[2])
        put("answers", b"".join(self.answers))
        expect(all(os.path.getsize(os.path.join(self.at(stage, "words"), n)) for n in ("status", "metrics", "answers")), "nothing said")


    def restored(self, w):
        """A backup with its keys, and all that an installation that begins from it says and stores."""
        state, again = w.env["WINNOW_STATE_DIR"], os.path.join(w.dir, "again")
        key = os.path.join(w.env["TMPDIR"], "key")
        w.cli("backup", "--export-key", key)
        backup, = os.listdir(os.path.join(state, "backup"))
        w.env["WINNOW_STATE_DIR"] = again
        try:
            said = w.cli("restore", os.path.join(state, "backup", backup), "--key", key, "--purge-list",
                         os.path.join(state, "aggregator", "keys", "purges"))
            rows = [w.cli("report", "--site", site, "--table", table, "--from", "today", "--to", "today", "--limit", "0",
                          "--format", "csv", check=False) for site in SITES for table in TABLES]
            lists = [w.cli("ledger", word, "--format", "ndjson", check=False) for word in ("list", "recipients")]
        finally:
            w.env["WINNOW_STATE_DIR"] = state
        with open(os.path.join(self.at("restored", "words"), "said"), "wb") as f:
            f.writelines(p.stdout + p.stderr for p in [said, *rows, *lists])
        subprocess.run(["cp", "-r", "--sparse=always", again, self.at("restored", "state")], check=True)
        for role in ("aggregator", "collector"):
            expect(os.path.getsize(os.path.join(self.at("restored", "state"), "again", role, "keys", "purges")) > 16, "no purge list", role)


def forwards(w):
    """A receiver of all noise tables and of a crowd table: a folder, which winnow-forward fills at the seal."""
    config = w.env["WINNOW_CONFIG_DIR"]
    os.makedirs(os.path.join(w.dir, "out"))
    with open(os.path.join(os.environ["WINNOW_SOURCE"], "schemas/plan.yaml")) as plan, open(os.path.join(config, "plan.yaml"), "w") as mine:
        mine.write(re.sub(r"(profile: noise.*share: true)}", r"\1, receivers: [folder]}", plan.read()) + RECEIVED)
    with open(os.path.join(config, "destinations.yaml"), "w") as f:
        f.write(f"destinations:\n  - {{name: folder, kind: file, path: {w.dir}/out, basis: our own}}\n")
    w.env["WINNOW_FORWARD_S"] = "1"


def over_http(w):
    """All that winnow-web says of every table: heads and bodies, what it refuses too."""
    asked = [("GET", p, None) for p in ("/", "/app.js", "/healthz", "/api/v1/sites", "/api/v1/tables", "/.well-known/winnow.json", "/nothing")]
    for site in SITES:
        for table in TABLES:
            asked += [("GET", f"/api/v1/report?site={site}&table={table}&period=day{more}", None)
                      for more in ("", "&format=csv", "&format=ndjson&by=day", "&limit=7")]
        for dimension in ("event:page", "event:name", "visit:referrer", "visit:utm_source", "visit:utm_campaign", "visit:utm_term", "visit:country",
                          "visit:browser", "visit:entry_page", "visit:exit_page", "time:hour"):
            asked.append(("POST", "/api/v2/query", json.dumps({"site_id": site, "date_range": "day", "metrics": ["visitors"], "dimensions": [dimension]}).encode()))
    for method, path, body in asked:
        status, heads, text = w.request(method, path, body, {"Content-Type": "application/json"} if body else {}, port=w.web)
        expect(status in (200, 400, 404, 422), path, status)  # 422: without walls there are more rows than one answer holds
        yield f"{status} {heads}\n".encode() + text + b"\n"


def scan(made, paths, percent=None, needle_file=None):
    args = [os.path.join(TOOLS, "canary_scan"), "--needles", needle_file or os.path.join(made["web"], "needles.tsv")]
    p = subprocess.run([*args, *(["--expect", str(percent)] if percent else []), *paths], capture_output=True, text=True)
    expect(p.returncode in (0, 1), "the scan failed", p.returncode, p.stderr)
    last = dict(re.findall(r"(\w+)=(\d+)", p.stdout.splitlines()[-1]))
    return {"clean": p.returncode == 0, "lines": p.stdout.splitlines()[:-1], **{k: int(v) for k, v in last.items()}}


def day(run, ids, offset_s):
    """The scenario, the same for both builds."""
    with Winnow(bin=run.bin, body_bytes_max=BODY_MAX, map_mib=16 * SCALE, open_values_max=min(262144 * SCALE, 1 << 20), spool_bytes_max=SCALE << 29, ids_per_prefix_max=65536,
                sessions_max=65536 * SCALE, http_idle_s=2, verbose=1) as w:
        w.env["TMPDIR"] = os.path.join(w.dir, "tmp")
        os.makedirs(w.env["TMPDIR"])
        if run.name == "control":  # what the keeper, winnow-web and winnow-forward, which see no event, could hold: their own environment
            w.env["WN_PLANTED"] = " ".join(ids[k][0] for k in KINDS)
        w.clock(offset_s)
        with open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "policy.yaml"), "w") as mine:
            mine.write(POLICY)
        for site, host in SITES.items():
            w.site(site, "--zone", "Etc/UTC", "--host", host)
        forwards(w)
        w.up()
        send_unmarked(w, ids, 0)
        aggregator = w.pids()["aggregator"]
        os.kill(aggregator, signal.SIGSTOP)
        try:
            requests = send_http(w, run.made, run.answers)
            send_broken(w, requests, ids, run.answers)
            send_sdk(w, run.made, ids)
            expect(w.metrics()["winnow_spool_waiting"] > 3, "the spool is empty although nobody takes from it")
            idle(w)
            run.files(w, "spooled")
            run.cores(w, "spooled", "collector")
        finally:
            os.kill(aggregator, signal.SIGCONT)
        run.scan("spooled")
        send_log(w, run.made)
        send_commands(w, ids)
        wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0, 120)
        w.tick()
        idle(w)
        run.files(w, "open")
        run.words(w, "open")
        run.cores(w, "open")  # after winnow-web answered
        run.scan("open")
        send_unmarked(w, ids, 1000)
        w.tick()
        if run.name == "product":  # now: at the seal `other` takes in the smallest row where it would be too few
            for site in ("web", "sdk"):
                for table, (column, values) in DECLARED.items():
                    rows = {r[column]: r["people"] for r in w.report(site, table)}
                    expect(all(rows.get(v, 0) >= 120 for v in values if v != "/mail" or site == "web"), "a crowd that consented", site, table, rows)
        run.cores(w, "after64")
        run.scan("after64")
        for role in ("collector", "aggregator"):
            w.kill(role)
        w.ready()
        run.cores(w, "killed")
        run.files(w, "killed")
        run.scan("killed")
        w.seal("web", "today", force=True)
        wait_for("what the folder receives", lambda: b" idle " in w.cli("forward", "status", check=False).stdout and any("shared_pages" in n for n in os.listdir(os.path.join(w.dir, "out"))), 120)
        w.cli("purge", "--site", "log", "--org", "-", "--yes", input=ids["email"][0].encode())  # its digest stays in keys/purges
        w.cli("backup")
        run.files(w, "sealed")
        run.words(w, "sealed", sealed=True)
        run.cores(w, "sealed")
        run.scan("sealed")
        run.restored(w)
        run.scan("restored")
        print(run.name, run.seconds, len(run.answers), "answers", file=sys.stderr)


def files_bytes(*names):
    return sum(os.path.getsize(os.path.join(top, n)) for top, _, files in os.walk(os.path.join(*names)) for n in files)


def kept(w):
    """The keeper's memory: keys, and every session that is open."""
    found = []
    for fd in sorted(os.listdir(f"/proc/{w.process.pid}/fd"), key=int):
        if os.readlink(f"/proc/{w.process.pid}/fd/{fd}").startswith("/memfd:"):
            with open(f"/proc/{w.process.pid}/fd/{fd}", "rb") as f:
                found.append(f.read())
    return found


def refusers(offset_s):
    """Who refuses, or says GPC, or is a child, leaves nothing but a step of a counter."""
    def people(n, **more):
        return [view("quiet", f"https://quiet.example/{i}", ip=person(i), user_agent=AGENT, user_id=f"person-{i}", batch_id=f"{n}-{i}", **more)
                for i in range(n)]

    with Winnow(map_mib=16, sessions_max=1024) as w:
        w.clock(offset_s)
        for site in ("quiet", "gpc", "plain", "out"):
            w.site(site, "--zone", "Etc/UTC")
        w.up()
        w.send("quiet", people(1, purposes=[]))
        wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
        aggregator = w.pids()["aggregator"]
        os.kill(aggregator, signal.SIGSTOP)
        try:
            memory, grown = kept(w), []
            for n in (1, 2, 400):
                before = files_bytes(w.dir, "state", "collector", "spool")
                w.send("quiet", people(n, purposes=[]))
                grown.append(files_bytes(w.dir, "state", "collector", "spool") - before)
            expect(len(set(grown)) == 1, "the spool tells how many refused, or who", grown)
            expect(kept(w) == memory and len(memory) > 0, "kept memory changed when people refused")
            before = files_bytes(w.dir, "state", "collector", "spool")
            w.send("quiet", [dict(e, **more) for e, more in zip(people(40), [{"age": 9}, {"birthday": "2020-01-02"}] * 20)])
            expect(files_bytes(w.dir, "state", "collector", "spool") == before and kept(w) == memory, "children left something")
        finally:
            os.kill(aggregator, signal.SIGCONT)
        both = ["basic", "measure"]
        for i in range(30):
            w.post(view("out", "https://quiet.example/", user_id=f"{i}-1", purposes=both),
                   {"X-Forwarded-For": person(i), "User-Agent": AGENT, "Cookie": "winnow_opt_out=1"})
            for site, gpc in (("gpc", {"Sec-GPC": "1"}), ("plain", {})):
                for device in (1, 2):
                    w.post(view(site, "https://quiet.example/", user_id=f"{i}-{device}", purposes=both),
                           {"X-Forwarded-For": person(i), "User-Agent": AGENT, **gpc})
        w.seal("quiet", "today", force=True)
        for site in ("quiet", "out"):
            expect(w.report(site, "traffic") == [], "people who refused are counted", site, w.report(site, "traffic"))
        counted = {site: w.report(site, "traffic")[0]["people"] for site in ("gpc", "plain")}
        expect(counted == {"gpc": 30, "plain": 60}, "GPC keeps an id out", counted)
    return f"403 refusals grew the spool by {grown[0]} bytes a message, whatever was in it"


# surface, stage and place: where all kinds of identifiers come to lie when no wall stands
CONTROL = [("spool", "spooled", "state/collector"), ("open windows", "open", "state/aggregator"), ("collector's core", "open", "core-collector"),
           ("aggregator's core", "open", "core-aggregator"), ("winnow-web's answers", "sealed", "words-web"), ("logs", "open", "log"), ("live reports", "open", "words"),
           ("open windows after kill -9", "killed", "state/aggregator"), ("published store", "sealed", "state/aggregator"),
           ("reports", "sealed", "words"), ("a backup's bytes", "sealed", "state/backup"),
           ("what a backup brings back", "restored", "words")]


def control_scans(run, ids):
    found = [(name, run.scanner.submit(scan, run.made, [run.at(stage, place)], 99)) for name, stage, place in CONTROL]
    planted = os.path.join(run.folder, "planted.tsv")
    with open(planted, "w") as f:
        f.writelines(f"{k}\t{ids[k][0]}\n" for k in KINDS)
    for role in ("keeper", "web", "forward"):
        found.append((f"{role}'s core (planted)", run.scanner.submit(scan, run.made, [run.at("open", f"core-{role}")], 99, planted)))
    bad = []
    for name, result in found:
        r = result.result()
        shares = {k: 100 * int(seen) / int(of) for k, seen, of in
                  (re.fullmatch(r"kind=(\S+) seen=(\d+) of=(\d+)", line).groups() for line in r["lines"] if " seen=" in line)}
        least = min(shares, key=shares.get)
        print(f"control: {name}: {len(shares)} kinds, least {least} {shares[least]:.1f} % ({r['bytes'] >> 20} MiB)")
        if not r["clean"]:
            bad.append((name, {k: v for k, v in shares.items() if v < 99}))
        if name == "collector's core" and "more than chance" not in r["lines"][-1]:
            bad.append((name, "packed addresses", r["lines"][-1]))
    r = scan(run.made, [run.at("sealed", "out")])
    print(f"control: a destination's folder: {r['hits']} hits without walls")
    if r["clean"]:
        bad.append(("a destination's folder", "no hit"))
    # No wall keeps identifiers from these, so the control can show nothing about them but what it sees.
    said = run.at("sealed", "words")
    others = [os.path.join(said, n) for n in os.listdir(said) if not n.startswith("report-")]
    keys = [run.at("sealed", "state", role, "keys") for role in ("aggregator", "collector")]  # heads, purge lists, slots
    r = scan(run.made, [*others, *keys, run.at("sealed", "config"), run.at("sealed", "tmp")])
    print(f"no control for answers, status, metrics, ledger, its head, purge lists, configuration, temporary files: {r['hits']} hits without walls")
    expect(not bad, "the scan is blind:", bad)


def main():
    for bin in (BIN, WALLS):
        expect(os.path.exists(os.path.join(bin, "winnow")), f"{bin} holds no winnow; build it:",
               "cmake --preset walls && cmake --build --preset walls" if bin == WALLS else "cmake --preset dev && cmake --build --preset dev")
    now = int(time.time())
    offset_s = now // 86400 * 86400 + 86400 + 43200 - now  # tomorrow noon: no midnight comes while this runs
    folder = tempfile.mkdtemp(prefix="winnow-canary-")
    runs = []
    try:
        made = make(folder, now + offset_s - 7200)
        ids = needles(made)
        with concurrent.futures.ThreadPoolExecutor(1) as scanner, concurrent.futures.ThreadPoolExecutor(2) as both:
            runs = [Run("product", BIN, made, scanner), Run("control", WALLS, made, scanner)]
            for result in [both.submit(day, r, ids, offset_s) for r in runs]:
                result.result()
            hits, scanned, refused = [], 0, refusers(offset_s)
            for stage, result in runs[0].scans:
                r = result.result()
                scanned += r["bytes"]
                print(f"product: {stage}: {r['files']} files, {r['bytes'] >> 20} MiB, {r['hits']} hits")
                hits += [] if r["clean"] else [f"{stage}: {line.replace(runs[0].folder, '')}" for line in r["lines"]]
            for line in hits:
                print(line)
            control_scans(runs[1], ids)
            expect(not hits, "identifiers were found")
        print(f"ok: {r['identifiers']} identifiers, {r['patterns']} patterns, {scanned >> 20} MiB scanned, 0 hits; {refused}")
    finally:
        if not os.environ.get("WINNOW_KEEP"):
            for path in [folder, *(r.folder for r in runs)]:
                shutil.rmtree(path, ignore_errors=True)


main()
