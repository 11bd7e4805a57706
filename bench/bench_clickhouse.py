# SPDX-License-Identifier: Apache-2.0
"""ClickHouse as a reference: Debian's, one server started here with its data in
a temporary directory; 12 materialized views over a table that keeps nothing,
each counting events and people (HyperLogLog) of one dimension by site and hour."""
import os
import subprocess
import time
import urllib.parse
import urllib.request

from bench_kit import (
    DAY_S,
    EVENTS,
    RUNS,
    Scratch,
    cpu_s,
    feed,
    free_port,
    has,
    note,
    rss_bytes,
    stop,
    version,
    wait_for,
)

DIMS = [
    "path",
    "domain",
    "channel",
    "source",
    "campaign",
    "country",
    "language",
    "browser",
    "system",
    "device",
    "screen",
    "name",
]
NAME = f"ClickHouse {version('clickhouse-server')}, 12 views"

CONFIG = """<?xml version="1.0"?><yandex>
<logger><level>error</level><log>{dir}/log</log><errorlog>{dir}/err</errorlog></logger>
<http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{dir}/data/</path><tmp_path>{dir}/tmp/</tmp_path><users_config>{dir}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>1073741824</mark_cache_size></yandex>"""
COMMIT = 65536
USERS = """<?xml version="1.0"?><yandex>
<profiles><default><max_memory_usage>8000000000</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
<quota>default</quota></default></users><quotas><default></default></quotas></yandex>"""


class ClickHouse(Scratch):
    process = None

    def start(self):
        self.http = free_port()
        for name, text in (("config.xml", CONFIG), ("users.xml", USERS)):
            with open(self.path(name), "w") as f:
                f.write(text.format(dir=self.dir, http=self.http, tcp=free_port()))
        exe = (
            "/usr/sbin/clickhouse-server"
            if os.path.exists("/usr/sbin/clickhouse-server")
            else "clickhouse-server"
        )
        log = open(self.path("out"), "w")
        self.process = subprocess.Popen(
            [exe, f"--config-file={self.path('config.xml')}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.dir,
        )
        log.close()
        wait_for("clickhouse-server", self.up, 30, 0.1)
        self.ask(
            "CREATE TABLE events (time UInt32, site String, person String, "
            + ", ".join(f"{d} String" for d in DIMS)
            + ") ENGINE = Null"
        )
        for d in DIMS:
            self.ask(
                f"CREATE MATERIALIZED VIEW by_{d} ENGINE = "
                "AggregatingMergeTree(day, (site, hour, value), 8192) "
                f"AS SELECT toDate(time) AS day, site, toStartOfHour(toDateTime(time)) AS hour, {d} AS value,"
                " countState() AS events, uniqHLL12State(person) AS people FROM events "
                "GROUP BY day, site, hour, value"
            )

    def __exit__(self, *a):
        stop(self.process, 30)
        super().__exit__(*a)

    def up(self):
        if self.process.poll() is not None:
            raise RuntimeError(
                "clickhouse-server ended: " + open(self.path("out"), errors="replace").read()[-500:]
            )
        try:
            return self.ask("SELECT 1").strip() == b"1"
        except OSError:
            return False

    def ask(self, query, body=None):
        url = f"http://127.0.0.1:{self.http}/?" + urllib.parse.urlencode(
            {"query": query} if body is not None else {}
        )
        try:
            with urllib.request.urlopen(url, data=query.encode() if body is None else body, timeout=300) as r:
                return r.read()
        except urllib.error.HTTPError as e:
            raise RuntimeError(e.read().decode(errors="replace")[:400]) from None

    def load(self, path):
        """Seconds of wall and of server CPU, with merges. An INSERT is as large as an aggregator's commit."""
        with open(path, "rb") as f:
            rows = f.readlines()
        parts = [b"".join(rows[i : i + COMMIT]) for i in range(0, len(rows), COMMIT)]
        wall, cpu = time.monotonic(), cpu_s(self.process.pid)
        for p in parts:
            self.ask("INSERT INTO events FORMAT TSV", p)
        wall = time.monotonic() - wall
        wait_for("merges", lambda: self.ask("SELECT count() FROM system.merges").strip() == b"0", 60, 0.02)
        return wall, cpu_s(self.process.pid) - cpu

    def bytes(self):
        got = self.ask("SELECT sum(bytes), sum(rows) FROM system.parts WHERE active").split()
        return int(got[0]), int(got[1])

    def report_s(self):
        """Every view's first 100 rows of one site, 30 days."""
        at = time.monotonic()
        for d in DIMS:
            self.ask(
                f"SELECT value, countMerge(events) AS n, uniqHLL12Merge(people) FROM by_{d} "
                "WHERE site = 'site-07' GROUP BY value ORDER BY n DESC LIMIT 100"
            )
        return time.monotonic() - at


_known = {}


def figures():
    """{per_cpu, per_wall, report_ms, memory}: medians; {} when it cannot run here."""
    if _known or not has("clickhouse-server") and not os.path.exists("/usr/sbin/clickhouse-server"):
        return _known
    note("reference: " + NAME)
    try:
        measure()
    except (RuntimeError, OSError, subprocess.SubprocessError) as e:
        note("ClickHouse does not run here:", e)
    return _known


def median(v):
    return sorted(v)[len(v) // 2]


def measure():
    all_of = {}
    with ClickHouse() as c:
        day = c.path("day.tsv")
        feed(day, "tsv", EVENTS)
        walls, cpus = zip(*(c.load(day) for _ in range(RUNS)))
        counted = int(c.ask("SELECT countMerge(events) FROM by_path"))
        if counted != RUNS * EVENTS:
            raise RuntimeError(f"it counted {counted} of {RUNS * EVENTS} events")
        all_of["per_wall"] = [EVENTS / s for s in walls]
        all_of["per_cpu"] = [EVENTS / s for s in cpus]
        all_of["memory"] = [rss_bytes(c.process.pid)]
    with ClickHouse() as c:
        month = c.path("month.tsv")
        feed(month, "tsv", EVENTS, day=DAY_S - 29 * 86400, days=30)
        c.load(month)
        found_bytes, cells = c.bytes()
        all_of["report_ms"] = [c.report_s() * 1e3 for _ in range(2 * RUNS)][RUNS:]
    for metric, values in all_of.items():
        _known[metric + "_all"] = values
        _known[metric] = median(values)
    _known["cell_bytes"] = found_bytes / cells
