# SPDX-License-Identifier: Apache-2.0
"""Reads a report back from each of its formats: rows as dicts, hidden figures as None, and what stands beside them."""
import csv
import io
import json
import struct

from winnow import expect

FIGURES = {"people", "visitor_days", "events", "sessions", "bounces", "time_s", "number1_sum", "number2_sum"}
RULES = {"site", "table", "from", "to", "by", "k", "profile", "rho", "sigma2", "l0", "signed_only", "threshold", "half_width", "share",
         "plan_version", "policy_version", "sealed", "ledger_number", "ledger_head"}


def msgpack_values(data):
    """The values of a msgpack stream, of the types that a report has."""
    at, values = 0, []

    def take(n):
        nonlocal at
        expect(at + n <= len(data), "cut off")
        at += n
        return data[at - n:at]

    def number(form):
        return struct.unpack(">" + form, take(struct.calcsize(form)))[0]

    def value():
        b = number("B")
        if b < 0x80:
            return b
        if b < 0x90:
            return pairs(b & 15)
        if b < 0xA0:
            return [value() for _ in range(b & 15)]
        if b < 0xC0:
            return take(b & 31).decode()
        if b in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[b]
        forms = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q"}
        if b in forms:
            return number(forms[b])
        sizes = {0xD9: "B", 0xDA: "H", 0xDB: "I", 0xDC: "H", 0xDD: "I", 0xDE: "H", 0xDF: "I"}
        n = number(sizes[b])
        return take(n).decode() if b <= 0xDB else [value() for _ in range(n)] if b <= 0xDD else pairs(n)

    def pairs(n):
        found = {}
        for _ in range(n):
            k = value()
            expect(k not in found, "twice", k)
            found[k] = value()
        return found

    while at < len(data):
        values.append(value())
    return values


def read_json(data):
    whole = json.loads(data)
    return whole.pop("rows"), whole


def read_ndjson(data):
    lines = [json.loads(line) for line in data.splitlines()]
    beside = {k: v for k, v in lines[0].items() if k in RULES} if lines else {}
    for r in lines:
        expect({k: r[k] for k in beside if k != "half_width"} == {k: v for k, v in beside.items() if k != "half_width"}, "rules of", r)
    return [{k: v for k, v in r.items() if k not in RULES} for r in lines], beside


def read_csv(data):
    rows = []
    for r in csv.DictReader(io.StringIO(data.decode(), newline="")):
        r.pop("half_width", None)
        rows.append({k: (int(v) if v else None) if k in FIGURES else v for k, v in r.items()})
    return rows, {}


def read_msgpack(data):
    first, *rows, last = msgpack_values(data)
    expect(first["report"] == 1 and last["end"] is True and last["rows_shown"] == len(rows), first, last)
    return rows, {**{k: v for k, v in first.items() if k != "report"}, **{k: v for k, v in last.items() if k not in ("end", "rows_shown")}}


READERS = {"json": read_json, "csv": read_csv, "ndjson": read_ndjson, "msgpack": read_msgpack}


def same_everywhere(texts, meta):
    """texts: {format: bytes}. The same rows in all; what they must be read with is in the format or beside it."""
    rows, beside = read_json(texts["json"])
    for form, data in texts.items():
        got, said = READERS[form](data)
        want = [{k: v for k, v in r.items() if k != "other"} for r in rows] if form == "csv" else rows
        expect(got == want, form, "has other rows", got[:3], "not", want[:3])
        expect(all(beside.get(k) == v for k, v in said.items()), form, "says", {k: v for k, v in said.items() if beside.get(k) != v}, beside)
    meta = json.loads(meta)
    expect(meta.pop("rows_shown") == len(rows) and meta == beside, "meta", meta, beside)
    for k in ("plan_version", "policy_version", "profile", "k", "ledger_head", "at_least", "meaning", "windows"):
        expect(k in meta, "meta lacks", k)
    return len(rows)
