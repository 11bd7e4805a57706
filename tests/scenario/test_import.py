# SPDX-License-Identifier: Apache-2.0
"""An access log in, and every published row equals an independent recount.

The real log beside the tree (../shared/data/access.log) when it is there, and a
generated one; it says which. Then the same bytes once more: nothing counts.
A second run publishes while it imports, for NEST/DIFF over several states.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import time

from winnow import AGENT, Winnow, expect, person

SOURCE = os.environ["WINNOW_SOURCE"]
TESTS = os.environ["WINNOW_TESTS"]
REAL = os.path.join(SOURCE, "../shared/data/access.log")
HOST = "semicomplete.com"
TABLES = ["traffic", "hours", "pages", "entry_pages", "exit_pages", "referrers", "channels", "sources", "campaigns",
          "countries", "languages", "browsers", "systems", "devices", "screens", "events", "country_devices", "channel_devices",
          "channel_countries"]


def the_log(folder, made=not os.path.exists(REAL)):
    if not made:
        return REAL, ["2015-05-17", "2015-05-18", "2015-05-19", "2015-05-20"]
    path = os.path.join(folder, "made.log")
    with open(path, "wb") as f:
        subprocess.run([os.path.join(os.environ["WINNOW_BIN"], "winnow-traffic"), "--site", "log", "--date", "2024-03-05", "--people",
                        "1500", "--orgs", "20", "--org-share", "20", "--refuse", "0", "--seed", "9", "--mode", "log"], check=True, stdout=f)
    if not os.path.exists(REAL):
        print("notice: no ../shared/data/access.log; recounting a generated log alone")
    return path, ["2024-03-05"]


def counts_of(text):
    """The printed account of an import: lines, counted, late, and each reason."""
    found = {m.group(1).replace(" ", "_"): int(m.group(2).replace(",", ""))
             for m in re.finditer(r"^\s*([a-z][a-z_ ]*?)\s*:?\s+([\d,]+)\s*$", text, re.M)}
    expect("lines" in found and "counted" in found, "the account cannot be read:", text)
    late = found.pop("late", 0)
    lines, counted = found.pop("lines"), found.pop("counted")
    found.pop("refused", None)
    return {"lines": lines, "counted": counted, "late": late, "refused": found}


def reports(w, folder, days):
    os.makedirs(folder, exist_ok=True)
    for table in TABLES:
        for day in days:
            p = w.cli("report", "--site", "log", "--table", table, "--from", day, "--to", day, "--format", "json", check=False)
            if p.stdout.strip():
                with open(os.path.join(folder, f"{table}-{day}.json"), "wb") as f:
                    f.write(p.stdout)


def nestdiff(folder):
    p = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/support/nestdiff.py"), folder], capture_output=True, text=True)
    expect(p.returncode == 0, p.stdout[-3000:], p.stderr[-2000:])
    return p.stdout.strip().splitlines()[-1]


def recounted(made):
    """Imports a log whole and compares every row; answers what to say about it."""
    with Winnow() as w:
        log, days = the_log(w.dir, made)
        w.up("other")
        w.site("log", "--zone", "UTC", "--host", HOST)
        said = w.cli("import", "--site", "log", "--format", "combined", log).stdout.decode()
        counts = counts_of(said)
        expect(counts["lines"] == counts["counted"] + counts["late"] + sum(counts["refused"].values()), "does not add up", said)
        with open(os.path.join(w.dir, "counts.json"), "w") as f:
            json.dump(counts, f)
        folder = os.path.join(w.dir, "states", "1")
        reports(w, folder, days)
        country = os.path.join(SOURCE, "build/share/country.mmdb")
        more = ["--country-program", f"{TESTS}/country {country}"] if os.path.exists(country) else []
        p = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/support/oracle.py"), "--coarsen", f"{TESTS}/coarsen", "--log", log,
                            "--host", HOST, "--zone", "UTC", "--reports", folder, "--counts", os.path.join(w.dir, "counts.json"), *more],
                           capture_output=True, text=True)
        expect(p.returncode == 0, "the recount differs:\n" + p.stdout[-6000:], p.stderr[-2000:])
        recount = p.stdout.strip().splitlines()[-1]
        diff = nestdiff(os.path.join(w.dir, "states"))
        again = counts_of(w.cli("import", "--site", "log", "--format", "combined", log).stdout.decode())
        expect(again["counted"] == 0, "the same bytes counted twice", again)
        before = {f: open(os.path.join(folder, f)).read() for f in os.listdir(folder)}
        second = os.path.join(w.dir, "second")
        reports(w, second, days)
        expect(before == {f: open(os.path.join(second, f)).read() for f in os.listdir(second)}, "rows moved")

    # A log that has grown since counts from there on, whatever the format it is read by.
    with Winnow() as w:
        w.up("log")
        path = os.path.join(w.dir, "growing.log")

        def grow(first, n):
            with open(path, "a") as f:
                for i in range(first, first + n):
                    f.write(f'{person(i)} - - [17/May/2015:10:{i // 60:02}:{i % 60:02} +0000] "GET /p HTTP/1.1" 200 5 "-" "{AGENT}"\n')

        for first, n, known, form in ((0, 60, 0, "combined"), (60, 30, 60, "combined"), (90, 0, 90, "combined"), (90, 0, 90, "common")):
            grow(first, n)
            said = w.cli("import", "--site", "log", "--format", form, "--keep-open", path).stdout.decode()
            found = counts_of(said)
            expect(found["lines"] == first + n and found["counted"] == n, "a log that grew", said)
            repeated = re.search(r"^repeated +(\d+)", said, re.M)
            expect(int(repeated.group(1) if repeated else 0) == known, "known lines", known, said)
    return counts, recount, diff


CHUNK = 131072  # lines: cli/import_lines.h


def imported(path, day, kills):
    """An import of several chunks, two of them under way at a time; `kills`: (daemon, once so many lines are counted in its life)."""
    with Winnow() as w:
        w.up("other")
        w.site("log", "--zone", "UTC", "--host", "log.example")
        p = subprocess.Popen([os.path.join(w.bin, "winnow"), "import", "--site", "log", path], env=w.env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        done = 0
        for role, lines in kills:
            while p.poll() is None and w.metrics().get("winnow_import_lines_total", 0) < lines:
                time.sleep(0.002)
            if p.poll() is not None:
                break
            w.kill(role)
            w.ready()
            done += 1
        out, err = p.communicate(timeout=240)
        expect(p.returncode == 0, "import through kills", done, out[-2000:], err[-2000:])
        expect(done == len(kills), "too few kills fell into the import", done)
        said = out.decode()
        counts = counts_of(said)
        repeated = re.search(r"^repeated +(\d+)", said, re.M)
        repeated = int(repeated.group(1)) if repeated else 0
        expect(counts["lines"] == counts["counted"] + repeated + counts["late"] + sum(n for r, n in counts["refused"].items() if r != "repeated"),
               "does not add up", said)
        return counts["lines"], repeated, {t: w.report("log", t, day) for t in ("traffic", "pages", "browsers", "hours")}


def through_kills():
    with Winnow() as w:
        day = "2024-03-05"
        path = os.path.join(w.dir, "long.log")
        with open(path, "wb") as f:
            subprocess.run([os.path.join(os.environ["WINNOW_BIN"], "winnow-traffic"), "--site", "log", "--date", day, "--people",
                            "40000", "--refuse", "0", "--seed", "5", "--mode", "log"], check=True, stdout=f)
        lines, repeated, calm = imported(path, day, [])
        expect(lines > 2 * CHUNK and repeated == 0, "the log is too short for three chunks", lines)
        expect(any(calm.values()), "nothing is published")
        # Amid the first chunk; when it is counted and the second begun; the aggregator; amid what came again.
        kills = [("collector", 8192), ("collector", CHUNK), ("aggregator", 4096), ("collector", 20000)]
        _, repeated, killed = imported(path, day, kills)
        for table in calm:
            expect(killed[table] == calm[table], table, "killed", killed[table][:5], "calm", calm[table][:5])
        return f"{lines} lines through {len(kills)} kills ({repeated} found counted when sent again): the same rows"


made = recounted(True)
counts, recount, diff = recounted(False) if os.path.exists(REAL) else made

# The same log in pieces, gzipped, with a tick after each: several published states.
with Winnow() as w:
    log, days = the_log(w.dir)
    w.up("other")
    w.site("log", "--zone", "UTC", "--host", HOST)
    lines = open(log, "rb").read().splitlines(keepends=True)
    pieces = 5
    for i in range(pieces):
        part = lines[i * len(lines) // pieces:(i + 1) * len(lines) // pieces]
        path = os.path.join(w.dir, f"part{i}.log.gz")
        with gzip.open(path, "wb") as f:
            f.writelines(part)
        w.cli("import", "--site", "log", "--format", "combined", "--keep-open", path)
        again = counts_of(w.cli("import", "--site", "log", "--format", "combined", "--keep-open", path).stdout.decode())
        expect(again["counted"] == 0, "an open window took the same bytes twice", again)
        w.tick()
        reports(w, os.path.join(w.dir, "states", f"{i}"), days)
    for day in days:
        w.seal("log", day)
    reports(w, os.path.join(w.dir, "states", "sealed"), days)
    states = nestdiff(os.path.join(w.dir, "states"))
kept = through_kills()
print(f"ok: {kept}; {counts['lines']} lines = {counts['counted']} counted + {sum(counts['refused'].values())} refused + {counts['late']} late;"
      f" {recount}; {diff}; a generated log of {made[0]['lines']} lines: {made[1]}; in {pieces} live states and the seal: {states}")
