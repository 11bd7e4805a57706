# SPDX-License-Identifier: Apache-2.0
"""The independent recount: what may be published about an access log, computed the slow and plain way.

Usage: oracle.py --coarsen PROGRAM [--log FILE] [--host HOST] [--zone ZONE] [--reports DIR]
                 [--counts FILE] [--country-json FILE | --country-program PROGRAM]
                 [--write-log FILE --traffic PROGRAM] [--dump FILE]

Shares nothing with Winnow but `coarsen`, which turns URLs, referrers and user agents into their
coarse values. Everything else follows the design: rules R4, R5, R10 and the
default plan, for windows that were published once, at the seal.

--log       combined log (default ../shared/data/access.log beside the tree, else one made by --traffic)
--host      the site's host, put before each request target, so that own pages are no referrers
--reports   folder of `winnow report --format json` files, one a table and day: compared
--counts    what `winnow import` printed: compared
--dump      writes every cell's true figures (for looking at differences)
Exit status 1 when anything differs.
"""
import argparse
import collections
import datetime
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse
import zoneinfo

sys.dont_write_bytecode = True  # the tree stays as it is
from oracle_cells import PLAN, Expected, Observation, Window, dims_of, fill, holds, k_of, network
from oracle_log import extensions, judge, parse_line
from reports import read_reports

HERE = pathlib.Path(__file__).resolve().parent

# ---- coarse values ----


def coarsen_all(program, triples):
    """{(url, referrer, agent): dict} through one run of the program."""
    triples = sorted(set(triples))
    clean = [[re.sub(r"[\t\n\r\0]", " ", part) for part in t] for t in triples]
    text = "".join("\t".join(t) + "\n" for t in clean)
    run = subprocess.run(
        [program], input=text.encode("utf-8", "surrogateescape"), stdout=subprocess.PIPE, check=True
    )
    lines = run.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]
    if len(lines) != len(triples):
        raise SystemExit(f"{program} wrote {len(lines)} lines for {len(triples)}")
    names = ("route", "referrer", "browser", "system", "device", "bot", "channel")
    out = {}
    for t, line in zip(triples, lines):
        values = line.split("\t")
        if len(values) != len(names):
            raise SystemExit(f"{program}: {len(values)} columns, {len(names)} wanted: {line!r}")
        out[t] = dict(zip(names, values))
    return out


def tag(target, key):
    """utm_KEY of a request target: kept when it is 1 to 32 of a-z 0-9 _ - ."""
    query = urllib.parse.urlsplit(re.sub(r"^//+", "/", target)).query
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "utm_" + key:
            return value.lower() if re.fullmatch(r"[a-z0-9_-]{1,32}", value.lower()) else ""
    return ""


def countries_of(addresses, args):
    """{address: "DE"}; None when countries cannot be known here."""
    if args.country_json:
        return json.loads(pathlib.Path(args.country_json).read_text())
    if not args.country_program:
        return None
    texts = sorted({str(a) for a in addresses})
    run = subprocess.run(
        args.country_program.split(),
        input="\n".join(texts) + "\n",
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return dict(zip(texts, run.stdout.split("\n")))


def read_counts(text):
    """What `winnow import` printed (reasons stand indented under `refused`), or the same as JSON."""
    out = {"lines": 0, "counted": 0, "late": 0, "repeated": 0, "refused": {}}
    if text.lstrip().startswith("{"):
        return {**out, **json.loads(text)}
    for indent, name, number in re.findall(r"^( *)([a-z_]+) +(\d+)$", text, re.M):
        if indent:
            out["refused"][name] = int(number)
        elif name in out and name != "refused":
            out[name] = int(number)
    return out


# ---- the whole recount ----


class Recount:
    def __init__(self, args):
        self.args = args
        self.zone = zoneinfo.ZoneInfo(args.zone)
        self.counts = collections.Counter()
        self.windows = {}
        self.has_countries = False

    def read(self, path):
        assets, downloads = extensions("assets.def", "ASSET"), extensions("downloads.def", "DOWNLOAD")
        lines = []
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            for text in f:
                self.counts["lines"] += 1
                line = parse_line(text.rstrip("\n").rstrip("\r"))
                if line is None:
                    self.counts["malformed"] += 1
                    continue
                reason, name = judge(line, assets, downloads)
                if reason:
                    self.counts[reason] += 1
                else:
                    lines.append((line, name))
        self.observe(lines)

    def url_of(self, target):
        return f"https://{self.args.host}{target}" if self.args.host and target.startswith("/") else target

    def observe(self, lines):
        coarse = coarsen_all(
            self.args.coarsen, [(self.url_of(l.target), l.referrer, l.agent) for l, _ in lines]
        )
        countries = countries_of([l.address for l, _ in lines], self.args)
        self.has_countries = countries is not None
        for line, name in lines:
            values = coarse[(self.url_of(line.target), line.referrer, line.agent)]
            if values["bot"] not in ("", "0", "false", "no"):
                self.counts["bot"] += 1
                continue
            self.counts["counted"] += 1
            self.add(line, name, values, (countries or {}).get(str(line.address), ""))
        for window in self.windows.values():
            fill(window)

    def add(self, line, name, values, country):
        local = datetime.datetime.fromtimestamp(line.time_s, self.zone)
        window = self.windows.setdefault(local.date(), Window(local.date(), self.zone))
        o = Observation()
        o.person = (network(line.address, 32, 64), values["browser"], values["system"])
        o.prefix = network(line.address, 24, 48)
        o.time_s, o.view = line.time_s, name == "pageview"
        hour = (line.time_s - window.start_s) // 3600
        o.dims = {"event": name, "hour": f"{hour:02d}:00", "country": country}
        for key in ("route", "referrer", "browser", "system", "device", "channel"):
            o.dims[key] = values[key]
        if not o.view and o.dims["channel"] == "direct":
            o.dims["channel"] = ""  # a deed says nothing about how the visit came
        for key in ("source", "medium", "campaign"):
            o.dims[key] = tag(line.target, key)
        window.observations.append(o)

    def check_caps(self):
        """People of one network beyond the cap are dropped by order of arrival: not to be recounted."""
        for window in self.windows.values():
            networks = collections.defaultdict(set)
            for o in window.observations:
                networks[o.prefix].add(o.person)
            worst = max((len(p) for p in networks.values()), default=0)
            if worst > self.args.ids_per_prefix_max:
                raise SystemExit(
                    f"{window.day}: {worst} people in one network, more than {self.args.ids_per_prefix_max}: "
                    "raise --ids-per-prefix-max here and in the aggregator"
                )

    def refused(self):
        return {
            r: self.counts[r] for r in ("malformed", "method", "status", "asset", "bot") if self.counts[r]
        }

    def compare_counts(self, path):
        got = read_counts(pathlib.Path(path).read_text())
        want = {"lines": self.counts["lines"], "counted": self.counts["counted"], "refused": self.refused()}
        wrong = [f"counts: {k} {got.get(k)}, expected {v}" for k, v in want.items() if got.get(k) != v]
        total = got["counted"] + sum(got["refused"].values()) + got["late"] + got["repeated"]
        if total != got["lines"]:
            wrong.append(f"counts: {got['lines']} lines, but counted + refused + late is {total}")
        return wrong

    def compare_table(self, window, table, report, p):
        _, dimension, _, measures = next(t for t in PLAN if t[0] == table)
        cells = window.tables[table] if window else {}
        k = k_of(dimension)
        wrong = [] if report.k == k else [f"k is {report.k}, expected {k}"]
        rows = {}
        for key, row in report.rows.items():
            value = "other" if key == "other" else "/".join(row.labels) or "everybody"
            rows[value] = row.values
        return wrong + Expected(cells, k, p, measures).compare(rows)

    def compare_reports(self, directory):
        """Differences for the percentage that explains the reports best."""
        reports = read_reports(directory)
        by_day = {str(day): w for day, w in self.windows.items()}
        known = {t[0] for t in PLAN if self.has_countries or "country" not in dims_of(t[1])}
        checked = [r for r in reports.values() if r.one_day and r.table in known]
        seen = {(r.table, r.first) for r in checked}
        absent = [
            f"{t[0]} {day}: no report"
            for day in sorted(by_day)
            for t in PLAN
            if (t[0], day) not in seen and t[0] in known
        ]
        best, fitting = None, []
        for p in range(20, 36):
            wrong = [
                f"{r.name}: {w}"
                for r in checked
                for w in self.compare_table(by_day.get(r.first), r.table, r, p)
            ]
            if not wrong:
                fitting.append(p)
            if best is None or len(wrong) < len(best):
                best = wrong
        rows = sum(len(r.rows) for r in checked)
        print(
            f"{len(checked)} reports, {rows} rows compared; "
            + (
                f"p% of {fitting[0]}..{fitting[-1]} explains all of them"
                if fitting
                else "no p% of 20..35 explains them"
            )
        )
        if not rows:
            absent.append("no row was published: nothing was compared")
        return absent + (best or [])

    def dump(self, path):
        out = {}
        for day, window in sorted(self.windows.items()):
            for table, dimension, _, measures in PLAN:
                k = k_of(dimension)
                rows = [
                    {
                        "value": v,
                        "people": len(c.members),
                        "prefixes": len({m[0] for m in c.members.values()}),
                        "events": sum(m[1] for m in c.members.values()),
                        "sessions": sum(m[2] for m in c.members.values()),
                        "in_doubt": len(c.maybe),
                        "shown_20": holds(c.members, k, 20),
                        "shown_35": holds(c.members, k, 35),
                    }
                    for v, c in window.tables[table].items()
                ]
                out.setdefault(str(day), {})[table] = sorted(rows, key=lambda r: (-r["people"], r["value"]))
        pathlib.Path(path).write_text(json.dumps(out, indent=1))

    def summary(self):
        print(
            json.dumps(
                {"lines": self.counts["lines"], "counted": self.counts["counted"], "refused": self.refused()}
            )
        )
        for day, window in sorted(self.windows.items()):
            shown = sum(holds(c.members, k_of(t[1]), 28) for t in PLAN for c in window.tables[t[0]].values())
            cells = sum(len(window.tables[t[0]]) for t in PLAN)
            doubt = sum(bool(c.maybe) for t in PLAN for c in window.tables[t[0]].values())
            people = len({o.person for o in window.observations})
            print(
                f"{day}: {len(window.observations)} counted, {people} people, {cells} cells, "
                f"{shown} pass the locks, "
                f"{doubt} depend on ties"
            )


def find_log(args):
    if args.log:
        return args.log
    shared = HERE.parents[2] / "shared" / "data" / "access.log"
    if shared.exists():
        return shared
    if not (args.write_log and args.traffic):
        raise SystemExit("no log: give --log, or --write-log and --traffic")
    with open(args.write_log, "wb") as f:
        subprocess.run(
            [
                args.traffic,
                "--mode",
                "log",
                "--date",
                "2026-11-20",
                "--people",
                "3000",
                "--orgs",
                "100",
                "--seed",
                "7",
            ],
            stdout=f,
            check=True,
        )
    print(f"wrote {args.write_log}")
    return args.write_log


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in (
        "log",
        "host",
        "reports",
        "counts",
        "country-json",
        "country-program",
        "write-log",
        "traffic",
        "dump",
    ):
        parser.add_argument("--" + name)
    parser.add_argument("--coarsen", required=True)
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--ids-per-prefix-max", type=int, default=64)
    args = parser.parse_args()
    recount = Recount(args)
    recount.read(find_log(args))
    recount.check_caps()
    recount.summary()
    if args.dump:
        recount.dump(args.dump)
    wrong = recount.compare_counts(args.counts) if args.counts else []
    wrong += recount.compare_reports(args.reports) if args.reports else []
    for line in wrong:
        print("DIFFERENT:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
