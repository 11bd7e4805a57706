# SPDX-License-Identifier: Apache-2.0
"""Who was in which cell: people, networks, sessions and the default plan (R10), and
which rows may be shown of them (R4, R5)."""
import collections
import datetime
import ipaddress

IDLE_S = 1800
CLAMP = 20
K_CLOSED, K_OPEN = 10, 20
OPEN = {"route", "entry", "exit", "referrer", "source", "medium", "campaign", "event"}
UNSEEN = ("", "unknown")

# The default plan (schemas/plan.yaml), by hand: id, dimension (or two), what makes a person a member, measures.
# Without the tables of what no access log knows, those with noise, and the measures of the seal that have a lock of
# their own (bounces, time).
VISITS, VIEWS, SESSIONS = "visits", "views", "sessions"
PLAN = (
    ("traffic", None, VISITS, ("people", "events", "sessions")),
    ("hours", "hour", VISITS, ("people", "events", "sessions")),
    ("pages", "route", VIEWS, ("people", "events")),
    ("entry_pages", "entry", SESSIONS, ("people", "sessions")),
    ("exit_pages", "exit", SESSIONS, ("people", "sessions")),
    ("referrers", "referrer", VISITS, ("people", "events", "sessions")),
    ("channels", "channel", VISITS, ("people", "events", "sessions")),
    ("sources", "source", VISITS, ("people", "events", "sessions")),
    ("campaigns", "campaign", VISITS, ("people", "events", "sessions")),
    ("countries", "country", VISITS, ("people", "events", "sessions")),
    ("languages", "language", VISITS, ("people", "events", "sessions")),
    ("browsers", "browser", VISITS, ("people", "events", "sessions")),
    ("systems", "system", VISITS, ("people", "events", "sessions")),
    ("devices", "device", VISITS, ("people", "events", "sessions")),
    ("screens", "screen", VISITS, ("people", "events", "sessions")),
    ("events", "event", VISITS, ("people", "events")),
    ("country_devices", ("country", "device"), VISITS, ("people", "events", "sessions")),
    ("channel_devices", ("channel", "device"), VISITS, ("people", "events", "sessions")),
    ("channel_countries", ("channel", "country"), VISITS, ("people", "events", "sessions")),
)


def dims_of(dimension):
    return dimension if isinstance(dimension, tuple) else (dimension,) if dimension else ()


def k_of(dimension):
    return K_OPEN if OPEN & set(dims_of(dimension)) else K_CLOSED


def value_of(dims, dimension):
    """The row this falls into; "" when a value is missing."""
    values = [dims.get(d, "") for d in dims_of(dimension)]
    return "" if any(v in UNSEEN for v in values) else "/".join(values) or "everybody"


class Observation:
    """One counted line: who, from which network, when, with which coarse values."""

    __slots__ = ("window", "person", "prefix", "time_s", "view", "dims")


def network(address, v4_bits, v6_bits):
    return str(ipaddress.ip_network((address, v4_bits if address.version == 4 else v6_bits), strict=False))


class Window:
    def __init__(self, day, zone):
        self.day = day
        start = datetime.datetime(day.year, day.month, day.day, tzinfo=zone)
        self.start_s = int(start.timestamp())
        self.observations = []
        self.tables = {}


class Cell:
    """People (network, events, sessions) of one value; `maybe`: whom a tie in time may put here."""

    def __init__(self):
        self.members = {}
        self.maybe = {}

    def add(self, person, prefix, events, sessions, sure=True):
        m = (self.members if sure else self.maybe).setdefault(person, [prefix, 0, 0])
        m[1] += events
        m[2] += sessions


def sessions_of(observations):
    """Groups one person's observations: whoever lies within 30 minutes belongs together."""
    groups = []
    for o in sorted(observations, key=lambda o: o.time_s):
        if groups and o.time_s - groups[-1][-1].time_s <= IDLE_S:
            groups[-1].append(o)
        else:
            groups.append([o])
    return groups


def lead_values(session, dimension):
    """Values of the first event; more than one when several share its second."""
    first = session[0].time_s
    return {value_of(o.dims, dimension) for o in session if o.time_s == first}


def edge_values(session, last):
    """Route of the first or last page view."""
    views = [o for o in session if o.view]
    if not views:
        return {""}
    at = views[-1].time_s if last else views[0].time_s
    return {o.dims.get("route", "") for o in views if o.time_s == at}


def fill(window):
    """All cells of all tables, from the window's observations."""
    window.tables = {t[0]: collections.defaultdict(Cell) for t in PLAN}
    people = collections.defaultdict(list)
    for o in window.observations:
        people[o.person].append(o)
        for table, dimension, members, _ in PLAN:
            if members == SESSIONS or (members == VIEWS and not o.view):
                continue
            value = value_of(o.dims, dimension)
            if value:
                window.tables[table][value].add(o.person, o.prefix, 1, 0)
    for person, theirs in people.items():
        for session in sessions_of(theirs):
            for table, dimension, members, measures in PLAN:
                if "sessions" not in measures:
                    continue
                if members == SESSIONS:
                    values = edge_values(session, dimension == "exit")
                else:
                    values = lead_values(session, dimension)
                for value in values - set(UNSEEN):
                    window.tables[table][value].add(person, session[0].prefix, 0, 1, sure=len(values) == 1)


# ---- what may be shown ----


def holds(members, k, p):
    """R4: enough networks, and no three of them stand for nearly everybody."""
    sizes = sorted(collections.Counter(m[0] for m in members.values()).values(), reverse=True)
    if len(sizes) < k or len(sizes) < 4:
        return False
    return 100 * (len(members) - sum(sizes[:3])) >= p * sizes[0]


def figures(members, k, measures):
    sums = {
        "people": len(members),
        "events": sum(min(m[1], CLAMP) for m in members.values()),
        "sessions": sum(min(m[2], CLAMP) for m in members.values()),
    }
    return {m: sums[m] // k * k for m in measures}


def union(cells):
    """Everybody in any of the cells, once; shares of a cell clamped, and their sum again."""
    out = {}
    for cell in cells:
        for person, (prefix, events, sessions) in cell.members.items():
            m = out.setdefault(person, [prefix, 0, 0])
            m[1] += min(events, CLAMP)
            m[2] += min(sessions, CLAMP)
    return out


def with_maybe(cell):
    both = Cell()
    for part in (cell.members, cell.maybe):
        for person, (prefix, events, sessions) in part.items():
            both.add(person, prefix, events, sessions)
    return both


class Expected:
    """What one table of one window may show when the secret percentage is p."""

    def __init__(self, cells, k, p, measures):
        self.cells, self.k, self.p, self.measures = cells, k, p, measures
        self.shown = {v: figures(c.members, k, measures) for v, c in cells.items() if holds(c.members, k, p)}
        self.tied = {v: with_maybe(c) for v, c in cells.items() if c.maybe}

    def possible(self, value, got):
        """A tie in time leaves it open what this row says: is `got` (None: no row) among the answers?"""
        if value not in self.tied:
            return False
        low, high = self.cells[value], self.tied[value]
        if got is None:
            return not (holds(low.members, self.k, self.p) and holds(high.members, self.k, self.p))
        if not (holds(low.members, self.k, self.p) or holds(high.members, self.k, self.p)):
            return False
        least, most = (figures(c.members, self.k, self.measures) for c in (low, high))
        return all(least[m] <= got.get(m, -1) <= most[m] for m in self.measures)

    def compare(self, rows):
        """Differences between these rows ({value: {measure: n}}, 'other' among them) and what may stand."""
        wrong = []
        plain = {v: r for v, r in rows.items() if v != "other"}
        for value, got in plain.items():
            want = self.shown.get(value)
            if got != want and not self.possible(value, got):
                true = self.cells.get(value)
                wrong.append(
                    f"row {value!r}: {got}, expected {want} (true people {len(true.members) if true else 0})"
                )
        missing = {v for v in self.shown if v not in plain}
        hidden = [c for v, c in self.cells.items() if v not in self.shown and v not in plain]
        absorbed = {v for v in missing if not self.possible(v, None)}
        return wrong + self.compare_other(rows.get("other"), plain, hidden, absorbed, missing)

    def compare_other(self, got, plain, hidden, absorbed, missing):
        """`other`: everybody hidden; it takes in the smallest shown rows while it fails, and no more."""
        loose = bool(self.tied)
        taken = missing if got is not None else absorbed
        ordered = sorted(taken, key=lambda v: self.shown[v]["people"])
        everybody = union(hidden + [self.cells[v] for v in taken])
        if got is None:
            wrong = [
                f"row {v!r}: missing, expected {self.shown[v]} (true people {len(self.cells[v].members)})"
                for v in ordered
            ]
            if hidden and not loose and len(self.cells) > 1 and not wrong:
                members, rest = union(hidden), sorted(self.shown, key=lambda v: self.shown[v]["people"])
                for i in range(len(rest) + 1):
                    if holds(members, self.k, self.p):
                        wrong.append(
                            f"no `other`, although {len(members)} people are hidden or absorbed with {i} rows"
                        )
                        break
                    members = union(hidden + [self.cells[v] for v in rest[: i + 1]])
            return wrong
        if loose:
            return []
        wrong = []
        if not hidden:
            wrong.append(f"`other` {got}, although no row is hidden")
        want = figures(everybody, self.k, self.measures)
        if got != want:
            wrong.append(f"`other` {got}, expected {want} (true people {len(everybody)}, absorbed {ordered})")
        if not holds(everybody, self.k, self.p):
            wrong.append(f"`other` fails a lock ({len(everybody)} people)")
        if ordered:
            without = union(hidden + [self.cells[v] for v in ordered[:-1]])
            if holds(without, self.k, self.p):
                wrong.append(f"`other` absorbed {ordered[-1]!r} without need")
            smallest = min((r["people"] for r in plain.values()), default=None)
            if smallest is not None and self.shown[ordered[-1]]["people"] > smallest:
                wrong.append(f"`other` absorbed {ordered[-1]!r}, which is not the smallest")
        return wrong
