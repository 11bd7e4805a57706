# SPDX-License-Identifier: Apache-2.0
"""oracle_test.py: the recount's own rules, on cases small enough to do by hand."""
import sys

sys.dont_write_bytecode = True  # the tree stays as it is
from oracle_cells import Cell, Expected, Observation, edge_values, figures, holds, sessions_of
from oracle_log import extension_of, judge, parse_line
from oracle import read_counts, tag


def crowd(sizes, events=1, first=0):
    """A cell of people over networks of these sizes."""
    cell = Cell()
    n = first
    for prefix, size in enumerate(sizes):
        for _ in range(size):
            cell.add(n, f"net{prefix + first}", events, 1)
            n += 1
    return cell


def self_test():
    failed = []

    def expect(what, got, want):
        if got != want:
            failed.append(f"{what}: {got!r}, expected {want!r}")

    measures = ("people", "events", "sessions")
    good = '84.1.2.3 - - [17/May/2015:10:05:03 +0200] "GET /a;x?b HTTP/1.1" 200 12 "-" "Agent"'
    expect("time zone", parse_line(good).time_s, 1431849903)
    expect("referrer", parse_line(good).referrer, "")
    for bad in (
        good[:-1],
        good.replace("GET /a;x?b HTTP/1.1", "GET"),
        good.replace("May", "Mai"),
        good.replace("84.1.2.3", "host"),
        "",
    ):
        expect(f"malformed {bad}", parse_line(bad), None)
    expect(
        "extension",
        [extension_of(t) for t in ("/a.PNG?x.zip", "/a.b/c", "/x.tar.gz;v=1", "/.")],
        ["png", "", "gz", ""],
    )
    expect(
        "judge",
        [
            judge(parse_line(good.replace(*r)), {"png"}, {"zip"})
            for r in (
                ("GET", "POST"),
                (" 200 ", " 301 "),
                (" 200 ", " 304 "),
                ("/a;x", "/a.png"),
                ("/a;x", "/a.zip"),
            )
        ],
        [("method", None), ("status", None), (None, "pageview"), ("asset", None), (None, "download")],
    )
    expect(
        "tags",
        [tag(t, "source") for t in ("/?utm_source=News-1", "/?utm_source=a%20b", "/?a&utm_source=x", "/")],
        ["news-1", "", "x", ""],
    )
    printed = "lines   9\ncounted   4\nrefused   3\n  bot   1\n  asset   2\nlate   2\nsealed   1 windows\n"
    refused = {"bot": 1, "asset": 2}
    counts = {"lines": 9, "counted": 4, "late": 2, "repeated": 0, "refused": refused}
    expect("counts as printed", read_counts(printed), counts)
    expect(
        "counts as JSON",
        read_counts('{"lines":9,"counted":4,"late":2,"refused":{"bot":1,"asset":2}}'),
        counts,
    )
    expect("9 networks", holds(crowd([1] * 9).members, 10, 20), False)
    expect("10 networks", holds(crowd([1] * 10).members, 10, 20), True)
    expect("one network", holds(crowd([1000]).members, 10, 20), False)
    # 10 networks: n − x1 − x2 − x3 = 9, x1 = 30: 9 ≥ 0.30 · 30, but not ≥ 0.31 · 30.
    lopsided = crowd([30, 1, 1] + [1] * 9)
    expect("p% holds", holds(lopsided.members, 10, 30), True)
    expect("p% fails", holds(lopsided.members, 10, 31), False)
    expect(
        "floors",
        figures(crowd([1] * 29, events=3).members, 10, measures),
        {"people": 20, "events": 80, "sessions": 20},
    )
    expect("clamp", figures(crowd([1] * 10, events=99).members, 10, measures)["events"], 200)

    cells = {
        "a": crowd([1] * 37),
        "b": crowd([1] * 12, first=100),
        "c": crowd([1] * 6, first=200),
        "d": crowd([1] * 2, first=300),
    }
    row = lambda n: {"people": n, "events": n, "sessions": n}  # noqa: E731
    good_rows = {"a": row(30), "other": row(20)}  # c and d make 8: b is absorbed
    compare = lambda rows: Expected(cells, 10, 25, measures).compare(rows)  # noqa: E731
    expect("right rows", compare(good_rows), [])
    for name, rows in {
        "exact": {**good_rows, "a": row(37)},
        "too many": {**good_rows, "a": row(40)},
        "extra row": {**good_rows, "c": row(10)},
        "not absorbed": {**good_rows, "b": row(10)},
        "absorbed without need": {"other": row(50)},
        "missing": {"other": row(20)},
        "no other": {"a": row(30)},
        "no other, nothing absorbed": {"a": row(30), "b": row(10)},
        "other wrong": {**good_rows, "other": row(10)},
    }.items():
        if not compare(rows):
            failed.append(f"not seen: {name}")

    def at(time_s, route, view=True):
        o = Observation()
        o.person, o.prefix, o.time_s, o.view, o.dims = "p", "n", time_s, view, {"route": route}
        return o

    visits = [at(5000, "/c"), at(0, "/a"), at(1800, "/b"), at(3601, "/d"), at(1800, "/b2")]
    groups = sessions_of(visits)
    expect("sessions", [[o.time_s for o in g] for g in groups], [[0, 1800, 1800], [3601, 5000]])
    expect("bridge", len(sessions_of(visits + [at(2700, "/e")])), 1)
    expect("entry", edge_values(groups[0], False), {"/a"})
    expect("exit tie", edge_values(groups[0], True), {"/b", "/b2"})
    for line in failed:
        print(line)
    print(f"oracle self-test: {'failed' if failed else 'ok'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(self_test())
