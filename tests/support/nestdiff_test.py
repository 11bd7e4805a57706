# SPDX-License-Identifier: Apache-2.0
"""nestdiff_test.py: breaches planted one at a time; a checker that cannot fail proves nothing."""
import sys

sys.dont_write_bytecode = True  # the tree stays as it is
from nestdiff import check
from reports import Report


def made(table, dimension, rows, k=10, sealed=False, day="2026-11-20", last=None, days=None, noise=False):
    dims = dimension.split("/") if dimension else []
    out = {
        "profile": "noise" if noise else "crowd",
        "site": "s",
        "table": table,
        "from": day,
        "to": last or day,
        "k": k,
        "dimensions": dims,
        "windows": [{"day": d, "sealed": sealed} for d in days or [day]],
        "rows": [],
    }
    for label, values in rows.items():
        measures = ("people", "events", "sessions", "bounces", "time_s", "number1_sum")
        row = {m: v for m, v in zip(measures, values) if v is not None}
        if label == "other":
            row["other"] = True
        row.update(zip(dims, label.split("/") if len(dims) > 1 else [label]))
        out["rows"].append(row)
    return Report("made", out)


def state(*reports):
    return {r.key: r for r in reports}


def sound():
    """Three states without a breach: two ticks and a seal."""
    one = state(
        made("traffic", None, {"": (60, 120, 60)}),
        made("browsers", "browser", {"Firefox": (20, 40, 20)}),
        made("pages", "route", {"/": (40, 60)}, k=20),
    )
    two = state(
        made("traffic", None, {"": (90, 200, 90)}),
        made("browsers", "browser", {"Firefox": (20, 40, 20), "Chrome": (50, 100, 50)}),
        made("pages", "route", {"/": (60, 100)}, k=20),
    )
    end = state(
        made("traffic", None, {"": (90, 200, 90, 40, 5430, 140)}, sealed=True),
        made("browsers", "browser", {"Chrome": (50, 100, 50, None, 640), "other": (30, 60, 30)}, sealed=True),
        made("pages", "route", {"/": (60, 100)}, k=20, sealed=True),
    )
    return [("1", one), ("2", two), ("3", end)]


def noisy(rows, sealed=True):
    return state(made("noise_browsers", "browser", rows, k=20, sealed=sealed, noise=True))


def replaced(which, report):
    states = sound()
    states[which][1][report.key] = report
    return states


def self_test():
    day2 = made("traffic", None, {"": (20, 20, 20)}, sealed=True, day="2026-11-21")
    planted = {
        ("exact value", "is no multiple"): replaced(1, made("traffic", None, {"": (93, 200, 90)})),
        ("exact events", "is no multiple"): replaced(1, made("traffic", None, {"": (90, 203, 90)})),
        ("below k", "below 20"): replaced(1, made("pages", "route", {"/": (60, 100), "/a": (0, 20)}, k=20)),
        ("shrinking row", "shrank"): replaced(
            1, made("browsers", "browser", {"Firefox": (10, 40, 20), "Chrome": (50, 100, 50)})
        ),
        ("vanishing row", "vanished"): replaced(1, made("browsers", "browser", {"Chrome": (50, 100, 50)})),
        ("difference of 1", "moved by 1,"): replaced(1, made("traffic", None, {"": (61, 120, 60)})),
        ("events moved alone", "moved alone"): replaced(1, made("traffic", None, {"": (60, 130, 60)})),
        ("other before the seal", "before the seal"): replaced(
            1, made("browsers", "browser", {"Firefox": (20, 40, 20), "other": (10, 20, 10)})
        ),
        ("change after the seal", "changed by"): sound()
        + [
            (
                "4",
                state(
                    made("traffic", None, {"": (100, 220, 90)}, sealed=True),
                    *(r for r in sound()[2][1].values() if r.table != "traffic"),
                ),
            )
        ],
        ("reopened", "open again"): sound()
        + [
            (
                "4",
                state(
                    made("traffic", None, {"": (90, 200, 90)}),
                    *(r for r in sound()[2][1].values() if r.table != "traffic"),
                ),
            )
        ],
        ("new row after the seal", "appeared after"): sound()
        + [
            (
                "4",
                state(
                    made(
                        "browsers",
                        "browser",
                        {"Chrome": (50, 100, 50), "other": (30, 60, 30), "Edge": (10, 10, 10)},
                        sealed=True,
                    ),
                    *(r for r in sound()[2][1].values() if r.table != "browsers"),
                ),
            )
        ],
        ("bounces before the seal", "bounces before"): replaced(1, made("traffic", None, {"": (90, 200, 90, 40)})),
        ("exact bounces", "bounces 41 is no"): replaced(2, made("traffic", None, {"": (90, 200, 90, 41)}, sealed=True)),
        ("exact time", "time_s 5432 is no"): replaced(2, made("traffic", None, {"": (90, 200, 90, 40, 5432)}, sealed=True)),
        ("exact number", "number1_sum 143 is no"): replaced(
            2, made("traffic", None, {"": (90, 200, 90, 40, 5430, 143)}, sealed=True)
        ),
        ("all but few bounce", "90 sessions less 90 bounces"): replaced(
            2, made("traffic", None, {"": (90, 200, 90, 90)}, sealed=True)
        ),
        ("time of other", "`other` shows"): replaced(
            2, made("browsers", "browser", {"Chrome": (50, 100, 50), "other": (30, 60, 30, None, 600)}, sealed=True)
        ),
        ("noise with bounces", "people alone"): [("1", noisy({"Firefox": (157, None, None, 20)}))],
        ("time changed after the seal", "after the seal"): [
            sound()[2],
            (
                "4",
                state(
                    made("traffic", None, {"": (90, 200, 90, 40, 5440, 140)}, sealed=True),
                    *(r for r in sound()[2][1].values() if r.table != "traffic"),
                ),
            ),
        ],
        ("k under the floor", "floor of 5"): replaced(0, made("hours", "hour", {"08:00": (4, 4, 4)}, k=4)),
        ("fewer events than people", "fewer events"): replaced(1, made("traffic", None, {"": (90, 80, 80)})),
        ("noise drawn again", "drawn again"): [("1", noisy({"Firefox": (157,)})), ("2", noisy({"Firefox": (151,)}))],
        ("noise before the seal", "noise before"): [("1", noisy({"Firefox": (157,)}, sealed=False))],
        ("noise with more than people", "people alone"): [("1", noisy({"Firefox": (157, 300)}))],
        ("noise with other", "`other` with"): [("1", noisy({"Firefox": (157,), "other": (131,)}))],
        # 60..66 in a country, 63..69 of them with one class of devices.
        ("a margin narrow by two k", "narrower than 5"): [
            (
                "1",
                state(
                    made("countries", "country", {"DE": (63, 70, 63)}, k=7),
                    made("country_devices", "country/device", {"DE/Desktop": (66, 66, 66)}, k=6),
                ),
            )
        ],
        # A second table of the same total with another k: 60..66 and 63..69 leave four values.
        ("narrow by two k", "narrower than 5"): [
            (
                "1",
                state(
                    made("traffic", None, {"": (63, 70, 63)}, k=7),
                    made("browsers", "browser", {"Firefox": (66, 66, 66)}, k=6),
                ),
            )
        ],
        ("sum that does not add up", "days sum to"): [
            (
                "1",
                state(
                    made("traffic", None, {"": (60, 120, 60)}, sealed=True),
                    day2,
                    made(
                        "traffic",
                        None,
                        {"": (70, 140, 80)},
                        sealed=True,
                        last="2026-11-21",
                        days=["2026-11-20", "2026-11-21"],
                    ),
                ),
            )
        ],
    }
    failed = [f"sound states: {b}" for b in check(sound()).breaches]
    summed = [
        (
            "1",
            state(
                made("traffic", None, {"": (60, 120, 60)}, sealed=True),
                day2,
                made(
                    "traffic",
                    None,
                    {"": (80, 140, 80)},
                    sealed=True,
                    last="2026-11-21",
                    days=["2026-11-20", "2026-11-21"],
                ),
            ),
        )
    ]
    failed += [f"sound sum: {b}" for b in check(summed).breaches]
    once = [("1", noisy({"Firefox": (157,)})), ("2", noisy({"Firefox": (157,)}))]
    failed += [f"sound noise: {b}" for b in check(once).breaches]
    failed += [
        f"not seen: {name}"
        for (name, words), states in planted.items()
        if not any(words in breach for breach in check(states).breaches)
    ]
    held = check(
        [
            (
                "1",
                state(
                    made("traffic", None, {"": (60, 120, 60)}),
                    made("browsers", "browser", {"Chrome": (40, 60, 40), "Firefox": (40, 60, 40)}),
                ),
            )
        ]
    )
    if held.breaches or not held.notes:
        failed.append(f"a total held back by the organisation rule: {held.breaches} {held.notes}")
    for line in failed:
        print(line)
    print(f"nestdiff self-test: {len(planted)} planted breaches, {'failed' if failed else 'ok'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(self_test())
