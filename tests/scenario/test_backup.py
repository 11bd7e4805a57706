# SPDX-License-Identifier: Apache-2.0
"""Backups (L-R2), retention (L-R3) and the ledger (L-G1, L-T2) over one installation's life and its second one: what was
counted comes back, what was purged does not, now or later; no window is published twice; a clock that jumps deletes nothing."""
import datetime
import glob
import json
import os
import shutil
import stat
import subprocess

from winnow import AGENT, Winnow, expect, person, wait_for

DAY = 86400
FIRST = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
ACME, BOLT = "Acme 7316 Ltd", "Bolt 99 AG"
POLICY = """version: 2
date: 2026-01-01
defaults: {retention_days: 0}
sites:
  - {site: brief, retention_days: 2}
"""


def events(site, n, first=0, org=None):
    names = [ACME, BOLT, "C", "D", "E", "F"]
    return [{"site": site, "name": "pageview", "url": f"https://{site}.example/", "ip": person(first + i), "user_agent": AGENT,
             **({"org": org or names[i % 6]} if site == "shop" else {})} for i in range(n)]


def delivered(w):
    wait_for("delivery", lambda: b"spool waiting     0" in w.cli("status").stdout)


def totals(w):
    found = {}
    for site in ("shop", "blog", "brief"):
        said = w.cli("report", "--site", site, "--table", "traffic", "--from", FIRST, "--to", FIRST, "--format", "json", check=False)
        found[site] = json.loads(said.stdout).get("rows", []) if said.stdout.strip() else []
    return found


def ledger(w, what):
    lines = w.cli("ledger", "list", "--format", "csv").stdout.decode().splitlines()
    return [l.split(",") for l in lines if l.split(",")[2] == what]


def sound(w):
    said = w.cli("ledger", "verify").stdout
    expect(b"The ledger is sound" in said and b"kept in keys/ is in it" in said, said)


def received(w):
    return w.cli("ledger", "recipients", "--format", "csv").stdout.decode()


def state_of(w, *more):
    return os.path.join(w.env["WINNOW_STATE_DIR"], *more)


def lists(w):
    return [state_of(w, role, "keys", "purges") for role in ("aggregator", "collector")]


def hours_pass(w, what, test):
    """Moves both clocks on, seven hours at a time, until it has happened: the wall clock must be believed first."""
    def step():
        w.hours = getattr(w, "hours", 3 * 24) + 7
        w.clock(w.hours * 3600)
        return test()
    wait_for(what, step)


def lose_state(w, name):
    w.down()
    os.rename(state_of(w), os.path.join(w.dir, name))


with Winnow(tick_s=3600) as w:
    kept = os.path.join(w.dir, "kept")
    os.mkdir(kept)
    key, purges, nothing = (os.path.join(kept, n) for n in ("key", "purges", "nothing"))
    with open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "policy.yaml"), "w") as f:
        f.write(POLICY)
    w.site("shop", "--zone", "Etc/UTC", "--organisations")
    w.site("blog", "--zone", "Etc/UTC")
    w.site("brief", "--zone", "Etc/UTC")
    w.up()
    for site in ("shop", "blog", "brief"):
        w.send(site, events(site, 120))
    delivered(w)
    w.seal("shop", "today", force=True)
    before = totals(w)
    expect(all(before.values()), "counted", before)
    expect("backup" not in received(w), "nobody received anything", received(w))
    sound(w)

    # Two backups at once are two.
    w.cli("backup")
    w.cli("backup")
    backups = sorted(glob.glob(state_of(w, "backup", "*.backup")))
    expect(len(backups) == 2 and stat.S_IMODE(os.stat(backups[0]).st_mode) == 0o600, backups)
    expect("backup,2," in received(w), received(w))
    w.cli("backup", "--export-key", key)
    expect(stat.S_IMODE(os.stat(key).st_mode) == 0o600 and len(open(key).read().split()) == 2, "both keys")

    # An organisation and a site, after the backup; the purge says which backups hold the site.
    w.cli("purge", "--site", "shop", "--org", "-", "--yes", input=ACME.encode())
    said = w.cli("purge", "--site", "blog", "--yes").stdout.decode()
    expect("2 backups in" in said and "may hold its rows" in said and os.path.basename(backups[0]) in said and os.path.basename(backups[1]) in said, said)
    expect("free pages" in said and "7th backup from now" in said, said)
    wait_for("the purges", lambda: w.cli("purge", "--status").stdout.count(b"purged and verified") == 2)
    expect(totals(w) == dict(before, blog=[]), "the site is gone", totals(w))
    shutil.copy(lists(w)[0], purges)
    open(nothing, "w").close()

    # Past its end. A wall clock that jumps alone deletes nothing; both clocks do.
    with open(w.clock_file, "w") as f:
        f.write(f"{300 * DAY} 0")
    wait_for("the jump", lambda: b"looked for in 5 h" in w.cli("status").stdout or b"looked for in 6 h" in w.cli("status").stdout)
    expect("past their retention" not in w.log() and totals(w) == dict(before, blog=[]), "a jump", totals(w))
    hours_pass(w, "the end of its retention", lambda: "past their retention" in w.log())
    expect(totals(w) == dict(before, blog=[], brief=[]), "past its retention", totals(w))
    sound(w)
    expect(len(ledger(w, "expired")) == 1 and len(ledger(w, "purged")) == 2, "in the ledger")
    head = w.cli("ledger", "verify").stdout.decode().split("head ")[1][:64]
    lose_state(w, "lost")
    backup = backups[0].replace(state_of(w), os.path.join(w.dir, "lost"))

    # Onto nothing: not without the list, not with one that is not there; and nothing is made where it was said to be.
    for args, words in (((), b"no purge list"), (("--purge-list", os.path.join(kept, "typo")), b"no purge list"),
                        (("--purge-list", key), b"purge list")):
        no = w.cli("restore", backup, "--key", key, *args, check=False)
        expect(no.returncode == 1 and words in no.stderr, args, no.stderr)
    no = w.cli("restore", backup, "--purge-list", purges, check=False)
    expect(no.returncode == 1 and b"--key FILE" in no.stderr, no.stderr)
    expect(sorted(os.listdir(kept)) == ["key", "nothing", "purges"], os.listdir(kept))
    expect(not any(os.path.exists(p) for p in lists(w)), "a restore that was refused changed something")
    was = (open(purges, "rb").read(), os.stat(purges).st_mtime_ns, os.stat(purges).st_ino)
    said = w.cli("restore", backup, "--key", key, "--purge-list", purges).stdout.decode()
    expect("rows of purged sites stay away" in said and "nobody can recognise" not in said, said)
    expect(was == (open(purges, "rb").read(), os.stat(purges).st_mtime_ns, os.stat(purges).st_ino), "FILE was written to")
    for path in lists(w):
        expect(stat.S_IMODE(os.stat(path).st_mode) == 0o600 and open(path, "rb").read() == was[0], path)
    expect(totals(w) == dict(before, blog=[]), "as it was backed up, but what was purged", totals(w), before)
    sound(w)
    expect("backup,1," not in received(w), "what the backup knew", received(w))
    cut = w.cli("ledger", "verify", "--head", head, check=False)
    expect(cut.returncode == 1 and b"not sound" in cut.stderr, "what came after the backup is lost, and shows", cut)

    # The second life refuses what the first was asked to forget, and seals no window twice.
    w.up()
    expect(w.cli("purge", "--status").stdout.count(b"purged and verified") == 2, "both purges are known")
    w.send("shop", events("shop", 40, 500, ACME))  # refused as a person is: plain success, one count
    status, answer = w.post({"site": "blog", "name": "pageview", "url": "https://blog.example/"}, {"User-Agent": AGENT})
    expect(status == 404 or "purged" in str(answer) or "unknown_site" in str(answer), "the site's events", status, answer)
    w.send("shop", events("shop", 120, 900, BOLT))
    w.send("brief", events("brief", 120, 900))
    delivered(w)
    w.cli("seal", "--site", "brief", "--date", "today", "--force", check=False)
    now = totals(w)
    expect(now["shop"] == before["shop"] and now["brief"] in (before["brief"], []), "the day of the restore is over", now)
    released = sorted((e[3], e[9]) for e in ledger(w, "release"))
    expect([r[1] for r in released] == ["crowd", "noise"] and released[0][0][:10] == FIRST, "one release a window and profile", released)
    hours_pass(w, "the end of its retention again", lambda: totals(w)["brief"] == [])
    refused = 'winnow_verdicts_total{reason="purged"}'
    hours_pass(w, "the organisation's events", lambda: w.metrics()[refused] >= 40)
    expect(w.metrics()[refused] == 40, "all of Acme's and nobody else's", w.metrics()[refused])
    sound(w)

    # The next backup opens with the same key, and the second life's list is all that a third one needs.
    w.cli("backup")
    newer = glob.glob(state_of(w, "backup", "*.backup"))
    expect(len(newer) == 1, newer)
    lose_state(w, "lost2")
    newer = newer[0].replace(state_of(w), os.path.join(w.dir, "lost2"))
    w.cli("restore", newer, "--key", key, "--purge-list", os.path.join(w.dir, "lost2", "collector", "keys", "purges"))
    expect(totals(w) == dict(before, blog=[], brief=[]), "the third life", totals(w))
    sound(w)
    w.up()
    expect(w.cli("site", "add", "blog", check=False).returncode == 1, "a purged name comes back")
    w.down()
    # The older backup again, with nothing said: the lists that are here suffice.
    shutil.rmtree(state_of(w, "aggregator", "published"))
    w.cli("restore", backup)
    expect(totals(w) == dict(before, blog=[]), "without a list given", totals(w))
    # Nothing was ever purged, says the operator: then all of it is back, on an installation that knows nothing else.
    lose_state(w, "lost3")
    w.cli("restore", backup, "--key", key, "--purge-list", nothing)
    w.site("blog", "--zone", "Etc/UTC")
    expect(totals(w) == before, "a list of no bytes", totals(w))
    # The list without the collector's key: said by the restore, and by the collector at every start that makes a new one.
    lose_state(w, "lost4")
    with open(key) as f, open(os.path.join(kept, "one"), "w") as one:
        one.write(f.readline())
    said = w.cli("restore", backup, "--key", os.path.join(kept, "one"), "--purge-list", purges).stdout.decode()
    expect("1 of its entries are organisations" in said and "nobody can recognise" in said, said)
    w.up()
    expect("its 1 organisations cannot be recognised" in w.log(), "a key that is gone")

# Who reads the store notices that another stands in its place, and is started again: by `winnow up`, and by systemd, whose
# units of the readers may run while a restore wants the collector and the aggregator stopped alone.
with Winnow(forward_s=1, map_mib=16) as w:
    out, published = os.path.join(w.dir, "out"), state_of(w, "aggregator", "published")
    os.mkdir(out)
    with open(os.path.join(w.env["WINNOW_CONFIG_DIR"], "destinations.yaml"), "w") as f:
        f.write(f"destinations:\n  - {{name: fold, kind: file, basis: b, path: {out}}}\n")
    w.site("blog", "--zone", "Etc/UTC")
    w.up()
    w.send("blog", events("blog", 120))
    delivered(w)
    w.seal("blog", "today", force=True)
    w.cli("backup")
    before, rows = w.pids(), totals(w)["blog"]
    backup = glob.glob(state_of(w, "backup", "*.backup"))[0]
    no = w.cli("restore", backup, check=False)
    expect(no.returncode == 1 and b"Winnow runs: stop it first" in no.stderr, no.stderr)

    def web_rows():
        status, _, text = w.get(f"/api/v1/report?site=blog&table=traffic&from={FIRST}&to={FIRST}", port=w.web)
        return json.loads(text)["rows"] if status == 200 else None

    def forwards():
        return b"fold" in w.cli("forward", "status", check=False).stdout

    seen = wait_for("the readers", lambda: forwards() and web_rows())
    expect(w.pids() == before and "ended with status" not in w.log(), "one ended by itself", w.log()[-500:])
    shutil.copy(os.path.join(published, "data.mdb"), os.path.join(w.dir, "data.mdb"))
    os.rename(os.path.join(w.dir, "data.mdb"), os.path.join(published, "data.mdb"))
    wait_for("both to be started again", lambda: all(w.pids().get(r, before[r]) != before[r] for r in ("web", "forward")))
    wait_for("the readers", lambda: forwards() and web_rows() == seen)
    expect({r: w.pids()[r] for r in ("collector", "aggregator")} == {r: before[r] for r in ("collector", "aggregator")}, "the others run on")
    expect(w.log().count("starting it again") == 2 and "a daemon ended with status 75" in w.log(), w.log()[-500:])
    w.down()

    # As systemd runs them: each by itself, and again after it failed.
    def alone(role):
        return subprocess.Popen([os.path.join(w.bin, "winnow-" + role)], env=w.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    with open(w.log_path, "a") as log:
        for turn in range(2):
            readers = {role: alone(role) for role in ("web", "forward")}
            try:
                wait_for("the readers", lambda: forwards() and web_rows() == seen)
                if turn == 0:
                    os.rename(published, published + ".away")  # as a restore asks for where the ledger here is not sound
                    ended = {role: p.wait(30) for role, p in readers.items()}
                    expect(all(0 < code < 128 for code in ended.values()), "not a failure, so not started again", ended)
                    w.cli("restore", backup)
            finally:
                for p in readers.values():
                    p.terminate()
                    p.wait(30)
    expect(totals(w)["blog"] == rows, "what came back", totals(w), rows)
print("ok: three lives; what was purged stays away, no window is sealed twice, a jump deletes nothing, readers follow")
