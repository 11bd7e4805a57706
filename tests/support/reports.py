# SPDX-License-Identifier: Apache-2.0
"""What `winnow report --format json` writes, read strictly: shared by oracle.py and nestdiff.py."""
import json
import pathlib

MEASURES = ("people", "events", "sessions")
# Shown at the seal only, each where a lock of its own holds: the least unit it is rounded down to, 0 for k.
LOCKED = {"bounces": 0, "time_s": 10, "number1_sum": 0, "number2_sum": 0}


class Row:
    """One published row: labels (one a dimension), whether it is `other`, measures by name.
    `locked`: those of LOCKED that it shows."""

    def __init__(self, labels, other, values, locked):
        self.labels, self.other, self.values, self.locked = labels, other, values, locked

    def __repr__(self):
        return "other" if self.other else "/".join(self.labels) or "everybody"


class Report:
    """One report file: a table over days [first, last]; `rows` by key (labels, or 'other')."""

    def __init__(self, path, j):
        self.path = path
        self.site, self.table, self.k = j["site"], j["table"], j["k"]
        self.noise = j.get("profile", "crowd") == "noise"  # its rows are no steps of k, and stand at the seal only
        self.first, self.last = j["from"], j["to"]
        self.dimensions = list(j["dimensions"])
        self.windows = j["windows"]
        self.sealed = bool(self.windows) and all(w["sealed"] for w in self.windows)
        self.refused, self.capped = j.get("refused", 0), j.get("capped", 0)
        self.cut = j.get("rows_cut", 0)
        self.rows = {}
        for r in j["rows"]:
            other = r.get("other", False)
            labels = tuple(r.get(d, "") for d in self.dimensions)
            values = {m: r[m] or 0 for m in MEASURES if m in r}  # null: sessions, before the seal
            if "visitor_days" in r:
                values["people"] = r["visitor_days"]
            key = "other" if other else labels
            if key in self.rows:
                raise ValueError(f"{path}: row {key} stands twice")
            locked = {m: r[m] for m in LOCKED if r.get(m) is not None}
            self.rows[key] = Row(labels, other, values, locked)

    @property
    def one_day(self):
        return self.first == self.last

    @property
    def name(self):
        return f"{self.site} {self.table} {self.first}" + ("" if self.one_day else f"..{self.last}")

    @property
    def key(self):
        return (self.site, self.table, self.first, self.last)


def read_reports(directory):
    """Every *.json below the directory that is a report, by (site, table, first day, last day)."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob("*.json")):
        with open(path, encoding="utf-8") as f:
            j = json.load(f)
        if not isinstance(j, dict) or "table" not in j or "rows" not in j:
            continue
        report = Report(path, j)
        if report.key in found:
            raise ValueError(f"{path} and {found[report.key].path} are the same report")
        found[report.key] = report
    return found
