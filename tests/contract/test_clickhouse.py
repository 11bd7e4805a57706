# SPDX-License-Identifier: Apache-2.0
"""Two aggregators with a site each forward into one real ClickHouse: together they hold what one aggregator of both
sites has, a repeat leaves nothing twice, and figures are those of `winnow report`. Needs clickhouse-server."""
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenario"))
from winnow import AGENT, Winnow, expect, free_port, person, wait_for  # noqa: E402

CONFIG = """<yandex><logger><level>error</level><log>{dir}/log</log><errorlog>{dir}/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><path>{dir}/data/</path><tmp_path>{dir}/tmp/</tmp_path>
<mark_cache_size>1000000</mark_cache_size><macros><shard>1</shard><replica>a</replica></macros>
<remote_servers><winnow><shard><replica><host>127.0.0.1</host><port>{tcp}</port></replica></shard></winnow></remote_servers>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<winnow><password>s3cret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></winnow></users>
<profiles><default/></profiles><quotas><default/></quotas></yandex>
"""
PLAN = """version: 2
noise: {rho: default, people: all}
tables:
  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view], measures: [people]}
  - {id: all, doc: All who share, purpose: basic, dimensions: [], of: [view], measures: [people, events, sessions, bounces, time], share: true, contract: own, receivers: [ch]}
  - {id: pages, doc: Pages, purpose: basic, dimensions: [route], of: [view], measures: [people, events], share: true, contract: own, receivers: [ch]}
  - {id: devices, doc: Devices, purpose: basic, dimensions: [device, system], of: [view], measures: [people, events], share: true, contract: own, receivers: [ch]}
"""
SITES = ("blog", "shop")


class ClickHouse:
    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="winnow-clickhouse-")
        self.http, tcp = free_port(), free_port()
        path = os.path.join(self.dir.name, "config.xml")
        with open(path, "w") as f:
            f.write(CONFIG.format(dir=self.dir.name, http=self.http, tcp=tcp))
        self.process = subprocess.Popen(["clickhouse-server", f"--config-file={path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        cwd=self.dir.name)
        wait_for("ClickHouse", lambda: self.ask("SELECT 1", check=False) == "1\n")

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.dir.cleanup()

    def ask(self, query, body=b"", check=True):
        url = f"http://127.0.0.1:{self.http}/?query=" + urllib.parse.quote(query)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as r:
                return r.read().decode()
        except urllib.error.HTTPError as e:
            text = e.read().decode()
            expect(not check, query[:200], text)
            return text
        except OSError:
            expect(not check, "ClickHouse is away")
            return ""


def statements():
    with open(os.path.join(os.environ["WINNOW_SOURCE"], "schemas/clickhouse.sql")) as f:
        parts = re.split(r"^-- \d.*$", f.read(), flags=re.M)[1:]
    return [p.strip().rstrip(";") for p in parts]


def start(stack, ch, table, sites):
    w = stack.enter_context(Winnow(forward_s=1, map_mib=16))
    w.env["WINNOW_WEB_LISTEN"] = "off"
    folder = w.env["WINNOW_CONFIG_DIR"]
    with open(os.path.join(folder, "plan.yaml"), "w") as f:
        f.write(PLAN)
    with open(os.path.join(folder, "destinations.yaml"), "w") as f:
        f.write(f'destinations:\n  - {{name: ch, kind: clickhouse, account: {table}, user: winnow, secret_file: {folder}/secret,\n'
                f'     basis: our own, private_network: true, url: "http://127.0.0.1:{ch.http}/"}}\n')
    with open(os.open(os.path.join(folder, "secret"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("s3cret\n")
    for s in sites:
        w.site(s, "--zone", "UTC", "--host", f"{s}.example")
    w.up()
    for s in sites:
        def visit(i):
            pages = [f"https://{s}.example/p{i % (3 if s == 'shop' else 4)}", f"https://{s}.example/"]
            said = w.post([{"site": s, "name": "pageview", "url": p, "purposes": ["basic", "share"]} for p in pages],
                          {"X-Forwarded-For": person(i), "User-Agent": AGENT})
            expect(said[1]["accepted"] == 2, said)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(visit, range(240 if s == "shop" else 160)))
    wait_for("an empty spool", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    w.seal(sites[0], "today", force=True)
    return w


COLUMNS = "id,site,`table`,day,zone,window_start,label1,label2,row,people,events,sessions,bounces,seconds,profile,k"

with ClickHouse() as ch, contextlib.ExitStack() as stack:
    database, one, replicated, distributed = statements()
    for s in (database, one, distributed, one.replace("winnow.rows", "winnow.single")):
        ch.ask(s)
    # Without a keeper of replicas here, ClickHouse gets as far as to miss it: what is said is understood.
    said = ch.ask(replicated.replace("winnow.rows", "winnow.replicated"), check=False)
    expect("ZooKeeper" in said, said)
    halves = [start(stack, ch, "winnow.rows_all", [s]) for s in SITES]
    both = start(stack, ch, "winnow.single", list(SITES))

    def rows(table, final=""):
        return ch.ask(f"SELECT {COLUMNS} FROM {table} {final} ORDER BY id FORMAT TabSeparated").splitlines()

    def ledgered(w):
        return w.cli("ledger", "list", "--format", "csv").stdout.count(b",transfer,")

    wait_for("all transfers", lambda: [ledgered(w) for w in (*halves, both)] == [3, 3, 6])
    wait_for("the shard", lambda: len(rows("winnow.rows_all")) == len(rows("winnow.single")))
    expect(len(rows("winnow.single")) >= 10, rows("winnow.single"))
    expect(rows("winnow.rows_all", "FINAL") == rows("winnow.single", "FINAL"), rows("winnow.rows_all"), "are not", rows("winnow.single"))
    # Figures: those of the report, hidden ones NULL.
    for site, w in zip(SITES, halves):
        told = dict(line.split("\t") for line in ch.ask(
            f"SELECT if(row = 'other', '(other)', label1), sum(people) FROM winnow.rows_all FINAL WHERE site = '{site}' AND `table` = 'pages' "
            "GROUP BY if(row = 'other', '(other)', label1)").splitlines())
        want = {"(other)" if r.get("other") else r["route"]: str(r["people"]) for r in w.report(site, "pages")}
        expect(told == want and len(want) >= 4, told, want)
    expect(ch.ask("SELECT count() FROM winnow.rows_all WHERE `table` = 'pages' AND sessions IS NOT NULL") == "0\n", "hidden is NULL")
    # All of it once more, as after a kill between send and record.
    before, n = rows("winnow.rows_all", "FINAL"), 0
    for w in halves:
        for request in w.cli("forward", "dry-run", "ch", "--all").stdout.split(b"POST http://127.0.0.1:")[1:]:
            url = f"http://127.0.0.1:{ch.http}/?query=INSERT%20INTO%20winnow.rows%20FORMAT%20JSONEachRow&input_format_skip_unknown_fields=1"
            urllib.request.urlopen(urllib.request.Request(url, data=request.partition(b"\n\n")[2]), timeout=30).read()
            n += 1
    expect(n == 6 and len(rows("winnow.rows")) == 2 * len(before), n, len(rows("winnow.rows")))
    expect(rows("winnow.rows_all", "FINAL") == before, "a repeat doubled")
    ch.ask("OPTIMIZE TABLE winnow.rows FINAL")
    expect(rows("winnow.rows") == before, "a merge leaves one")
print(f"ok: {len(before)} rows of two aggregators are those of one; {n} requests repeated, nothing doubled")
