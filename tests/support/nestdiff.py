# SPDX-License-Identifier: Apache-2.0
"""NEST/DIFF: what can be learned by subtracting published figures from each other?

Usage: nestdiff.py DIR      DIR holds one folder a state, named in order of time; each
                            holds files that `winnow report --format json` wrote

Checks every row, every pair of states and every pair of nested tables (nested tables and states, by subtraction).
Prints what it checked; exit status 1 on a breach, 2 when there was nothing to check.
"""
import pathlib
import sys

sys.dont_write_bytecode = True  # the tree stays as it is
from reports import LOCKED, MEASURES, read_reports

# A person has one value a window, so the rows of these tables share nobody.
PARTITIONS = ("browsers", "systems")
# (part, whole): everybody in a row of `part` is in the row of `whole` with the same label; a whole
# without dimension is everybody.
NESTED = (("entry_pages", "pages"), ("exit_pages", "pages"))
# A table of two dimensions and the two of one: a row lies in the rows of both its labels.
MARGINS = {
    "country_devices": ("countries", "devices"),
    "channel_devices": ("channels", "devices"),
    "channel_countries": ("channels", "countries"),
}


class Checker:
    def __init__(self):
        self.breaches = []
        self.notes = []
        self.counts = {}

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def breach(self, text):
        self.breaches.append(text)

    # ---- one row ----

    def check_row(self, state, report, row):
        k = report.k
        for measure, value in row.values.items():
            self.count("values")
            if value % k:
                self.breach(f"{state}: {report.name}: {row}: {measure} {value} is no multiple of {k}")
        if row.values.get("people", 0) < k:
            self.breach(f"{state}: {report.name}: {row}: people {row.values.get('people')} below {k}")
        if "events" in row.values and row.values["events"] < row.values["people"]:
            self.breach(f"{state}: {report.name}: {row}: fewer events than people")

    def check_locked(self, state, report, row):
        """Bounces, time and numbers: at the seal, in units, and bounces with k sessions that were none."""
        where = f"{state}: {report.name}: {row}"
        for measure, value in row.locked.items():
            self.count("locked values")
            unit = LOCKED[measure] or report.k
            if report.one_day and not report.sealed:
                self.breach(f"{where}: {measure} before the seal")
            if row.other:
                self.breach(f"{where}: `other` shows {measure}")
            if value % unit:
                self.breach(f"{where}: {measure} {value} is no multiple of {unit}")
        bounces, sessions = row.locked.get("bounces"), row.values.get("sessions")
        if bounces is not None and sessions is not None and sessions - bounces < report.k:
            self.breach(f"{where}: {sessions} sessions less {bounces} bounces: less than {report.k}")

    def check_noise(self, state, report):
        """What can be said of figures with noise without knowing it: whole, once, people alone."""
        self.count("reports with noise")
        if report.one_day and not report.sealed and report.rows:
            self.breach(f"{state}: {report.name}: noise before the seal")
        if "other" in report.rows:
            self.breach(f"{state}: {report.name}: `other` with noise")
        for row in report.rows.values():
            self.count("rows with noise")
            if row.locked or set(row.values) != {"people"} or not isinstance(row.values["people"], int):
                self.breach(f"{state}: {report.name}: {row}: {row.values}, not whole people alone")

    def check_state(self, state, reports):
        for report in reports.values():
            if report.noise:
                self.check_noise(state, report)
                continue
            self.count("reports")
            if report.k < 5:
                self.breach(f"{state}: {report.name}: k {report.k} is below the floor of 5")
            if report.cut:
                self.breach(f"{state}: {report.name}: {report.cut} rows cut; ask for all")
            for row in report.rows.values():
                self.count("rows")
                self.check_row(state, report, row)
                self.check_locked(state, report, row)
            if report.one_day and not report.sealed and "other" in report.rows:
                self.breach(f"{state}: {report.name}: `other` before the seal")

    # ---- two states ----

    def check_pair(self, before_name, before, after_name, after):
        for key, old in before.items():
            new = after.get(key)
            where = f"{before_name}..{after_name}: {old.name}"
            self.count("pairs of states")
            if new is None:
                self.breach(f"{where}: the report is gone")
                continue
            if old.sealed and not new.sealed and old.one_day:
                self.breach(f"{where}: sealed, then open again")
            if old.noise:
                if old.sealed and old.one_day and {k: r.values for k, r in old.rows.items()} != {
                    k: r.values for k, r in new.rows.items()
                }:
                    self.breach(f"{where}: noise was drawn again")
                continue
            for label, row in old.rows.items():
                self.compare_rows(where, old, row, new, new.rows.get(label))
            if old.sealed and old.one_day:
                for label in new.rows.keys() - old.rows.keys():
                    self.breach(f"{where}: row {new.rows[label]} appeared after the seal")

    def compare_rows(self, where, old, row, new, grown):
        self.count("pairs of rows")
        if grown is None:
            # A seal may take a row into `other`; over several days that shows in the sums.
            if old.sealed or not new.sealed:
                self.breach(
                    f"{where}: row {row} vanished while the window was "
                    + ("sealed" if old.sealed else "open")
                )
            return
        if old.sealed and old.one_day and grown.locked != row.locked:
            self.breach(f"{where}: row {row}: {row.locked} changed to {grown.locked} after the seal")
        moved = grown.values.get("people", 0) - row.values.get("people", 0)
        for measure, value in row.values.items():
            step = grown.values.get(measure, 0) - value
            if step and old.sealed and old.one_day:
                self.breach(f"{where}: row {row}: {measure} changed by {step} after the seal")
            elif step < 0 and (old.one_day or not new.sealed):
                self.breach(f"{where}: row {row}: {measure} shrank from {value} to {value + step}")
            elif 0 < step < old.k:
                self.breach(f"{where}: row {row}: {measure} moved by {step}, less than {old.k}")
            elif measure == "sessions" and value == 0 and new.sealed and not old.sealed:
                self.count("sessions shown at the seal")  # once, over the people whom the row shows
            elif step and moved == 0 and old.one_day:
                self.breach(f"{where}: row {row}: {measure} moved alone by {step}")

    # ---- sums over days ----

    def check_sums(self, state, reports):
        for whole in reports.values():
            if whole.one_day:
                continue
            days = [
                r
                for r in reports.values()
                if r.one_day
                and (r.site, r.table) == (whole.site, whole.table)
                and whole.first <= r.first <= whole.last
            ]
            if {w["day"] for w in whole.windows} - {r.first for r in days}:
                continue
            self.count("sums over days")
            for label in whole.rows.keys() | {label for r in days for label in r.rows}:
                for measure in MEASURES:
                    parts = sum(r.rows[label].values.get(measure, 0) for r in days if label in r.rows)
                    got = whole.rows[label].values.get(measure) if label in whole.rows else 0
                    if (
                        got is not None
                        and got != parts
                        and any(measure in x.values for x in whole.rows.values())
                    ):
                        self.breach(
                            f"{state}: {whole.name}: {label}: {measure} {got}, but its days sum to {parts}"
                        )

    # ---- intervals ----

    def check_intervals(self, state, reports):
        """Bounds of every true count from all published ones of a window."""
        for site, day in sorted({(r.site, r.first) for r in reports.values() if r.one_day}):
            tables = {
                r.table: r
                for r in reports.values()
                if r.one_day and not r.noise and (r.site, r.first) == (site, day)
            }
            bounds = Bounds()
            for report in tables.values():
                bounds.add_report(report)
            bounds.relate(tables)
            self.count("true counts bounded", len(bounds.interval))
            for held in bounds.narrow():
                self.notes.append(f"{state}: {site} {day}: {held}: held back; nothing follows")
            for name, (low, high), k in bounds.too_narrow():
                self.breach(f"{state}: {site} {day}: {name} lies in [{low}, {high}], narrower than {k - 1}")
            self.count("differences bounded", bounds.check_differences(self, state, tables))


class Bounds:
    """Intervals of true counts, and what is at most what. Narrowed until nothing moves."""

    def __init__(self):
        self.interval, self.k = {}, {}
        self.at_most = []  # (smaller, larger)
        self.sums = []  # (whole, [parts]): the parts share nobody and are no more than the whole
        self.contradiction = set()

    def add(self, name, value, k):
        # A figure that is no multiple of k is exact, as far as a reader knows.
        self.interval[name] = (value, value + k - 1) if value % k == 0 else (value, value)
        self.k[name] = k

    def add_report(self, report):
        for label, row in report.rows.items():
            for measure, value in row.values.items():
                self.add((report.table, label, measure), value, report.k)
            for larger in (
                ("events", "sessions") if report.table in ("entry_pages", "exit_pages") else ("events",)
            ):
                if larger in row.values:
                    self.at_most.append(((report.table, label, "people"), (report.table, label, larger)))

    def relate(self, tables):
        total = next((r for r in tables.values() if not r.dimensions), None)
        for report in tables.values():
            if total is None or report is total or () not in total.rows:
                continue
            for label, row in report.rows.items():
                for measure in row.values:
                    if measure in total.rows[()].values:
                        self.at_most.append(((report.table, label, measure), (total.table, (), measure)))
            if report.table in PARTITIONS and report.rows:
                parts = [(report.table, label, "people") for label in report.rows]
                self.sums.append(((total.table, (), "people"), parts))
        for part, wholes in MARGINS.items():
            for axis, whole in enumerate(wholes):
                if part not in tables or whole not in tables:
                    continue
                for label, row in tables[part].rows.items():
                    larger = tables[whole].rows.get((label[axis],)) if label != "other" else None
                    for measure in row.values if larger else ():
                        if measure in larger.values:
                            self.at_most.append(((part, label, measure), (whole, (label[axis],), measure)))
        for part, whole in NESTED:
            if part in tables and whole in tables:
                for label in tables[part].rows.keys() & tables[whole].rows.keys() - {"other"}:
                    self.at_most.append(((part, label, "people"), (whole, label, "people")))

    def set(self, name, low, high):
        old = self.interval[name]
        if name in self.contradiction:
            return False
        new = (max(old[0], low), min(old[1], high))
        if new[0] > new[1]:
            self.contradiction.add(name)
            return False
        self.interval[name] = new
        return new != old

    def narrow(self):
        """Narrows all intervals. Names rows whose figure can only have been held back, by the
        organisation rule or because it moved at an earlier tick."""
        moved = True
        while moved:
            moved = False
            for a, b in self.at_most:
                if a in self.contradiction or b in self.contradiction:
                    continue
                (a_low, a_high), (b_low, b_high) = self.interval[a], self.interval[b]
                if a_low > b_high:
                    self.contradiction.add(b)  # b is larger than it seems: its step was held back
                    moved = True
                    continue
                moved |= self.set(a, a_low, b_high) | self.set(b, a_low, b_high)
            for whole, parts in self.sums:
                if whole in self.contradiction or any(p in self.contradiction for p in parts):
                    continue
                low = sum(self.interval[p][0] for p in parts)
                if low > self.interval[whole][1]:
                    self.contradiction.add(whole)
                    moved = True
                    continue
                moved |= self.set(whole, low, self.interval[whole][1])
                for p in parts:
                    p_low, p_high = self.interval[p]
                    moved |= self.set(p, p_low, self.interval[whole][1] - (low - p_low))
        return sorted(map(str, self.contradiction))

    def floor_k(self, *names):
        """The smallest k of a derivation in which these took part: what a reader was promised at least."""
        return min([self.k[n] for n in names] + [min(self.k.values())])

    def too_narrow(self):
        for name, (low, high) in self.interval.items():
            if name not in self.contradiction and high - low < self.floor_k(name) - 1:
                yield name, (low, high), self.floor_k(name)

    def check_differences(self, checker, state, tables):
        """parent − children, total − rows: the hidden rest is 0.. at least k − 1, or holds ≥ k."""
        n = 0
        rests = [(whole, parts) for whole, parts in self.sums] + [(b, [a]) for a, b in self.at_most]
        for whole, parts in rests:
            if whole in self.contradiction or any(p in self.contradiction for p in parts):
                continue
            n += 1
            high = self.interval[whole][1] - sum(self.interval[p][0] for p in parts)
            low = max(0, self.interval[whole][0] - sum(self.interval[p][1] for p in parts))
            k = self.floor_k(whole, *parts)
            if high - low < k - 1 and low < k:
                checker.breach(f"{state}: {whole} less {parts}: [{low}, {high}], narrower than {k - 1}")
        return n


def check(states):
    """states: [(name, {key: Report})] in order of time."""
    c = Checker()
    for name, reports in states:
        c.check_state(name, reports)
        c.check_sums(name, reports)
        c.check_intervals(name, reports)
    for i, (before_name, before) in enumerate(states):
        for after_name, after in states[i + 1 :]:
            c.check_pair(before_name, before, after_name, after)
    return c


def read_states(directory):
    folders = sorted(p for p in pathlib.Path(directory).iterdir() if p.is_dir())
    states = [(p.name, read_reports(p)) for p in folders]
    return [s for s in states if s[1]]


def main(arguments):
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    states = read_states(arguments[0])
    c = check(states)
    for note in c.notes:
        print("note:", note)
    for breach in c.breaches:
        print("BREACH:", breach)
    checked = ", ".join(f"{n} {what}" for what, n in sorted(c.counts.items()))
    print(f"{len(states)} states: {checked}; {len(c.breaches)} breaches")
    if not c.counts.get("rows"):
        print("no published row: nothing was checked")
        return 2
    return 1 if c.breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
