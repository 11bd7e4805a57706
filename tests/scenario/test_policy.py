# SPDX-License-Identifier: Apache-2.0
"""A reload of the policy loses no event; a day keeps the policy it began with, through kill and restart."""
import json
import os
import shutil
import signal
import threading

from winnow import AGENT, Winnow, expect, person, view, wait_for

SENDERS = 3
GOOD = "version: {}\ndate: 2026-11-20\nsites:\n  - site: shop\n    consent: {{gpc: {}}}\n"
BAD = (
    ("version: 1000\ndate: 2026-11-20\nsites:\n  - site: shop\n    consent: {gpc: maybe}\n", "line 5"),
    ("version: 1000\ndate: 2026-02-30\n", "line 2"),
    ("version: [\n", "line"),
    ("", "empty"),
)


class Policy:
    def __init__(self, w):
        self.w = w
        self.path = os.path.join(w.env["WINNOW_CONFIG_DIR"], "policy.yaml")

    def write(self, text):
        with open(self.path + ".new", "w") as f:
            f.write(text)
        os.rename(self.path + ".new", self.path)

    def reload(self):
        p = self.w.cli("policy", "reload", check=False)
        return p.returncode, (p.stdout + p.stderr).decode()

    def in_force(self):
        said = self.w.cli("status").stdout.decode()
        return [line.split()[2] for line in said.splitlines() if line.split()[:2] == ["policy", "version"]]


def document(w, day="today"):
    return json.loads(w.cli("report", "--site", "shop", "--table", "traffic", "--from", day, "--to", day,
                            "--format", "json").stdout)


with Winnow() as w:
    w.up("shop")
    policy = Policy(w)
    expect(policy.in_force() == ["1", "1"], "both daemons begin under the built-in policy", policy.in_force())

    accepted, stop, lock, next_person = [0], threading.Event(), threading.Lock(), [0]

    def send_one():
        with lock:
            i = next_person[0]
            next_person[0] += 1
        status, answer = w.post(view("shop", "https://shop.example/"),
                                {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect((status, answer.get("accepted"), answer.get("refused")) == (200, 1, []), "post", status, answer)
        with lock:
            accepted[0] += 1

    def sender():
        while not stop.is_set():
            send_one()

    send_one()  # the day begins now, under the first policy
    threads = [threading.Thread(target=sender) for _ in range(SENDERS)]
    for t in threads:
        t.start()
    version = 1
    for turn in range(12):
        text, words = BAD[turn % len(BAD)]
        policy.write(text)
        code, said = policy.reload()
        expect(code == 1 and words in said, "a bad policy is refused with its place", text, said)
        before = w.log().count("the old one stays")
        for role in ("collector", "aggregator"):
            os.kill(w.pids()[role], signal.SIGHUP)
        wait_for("both say so", lambda: w.log().count("the old one stays") >= before + 2)
        expect(policy.in_force() == [str(version)] * 2, "the old one stays", policy.in_force())
        version += 1
        policy.write(GOOD.format(version, "drop" if turn % 2 else "limit"))
        code, said = policy.reload()
        expect(code == 0, "a good one is taken", said)
        expect(policy.in_force() == [str(version)] * 2, "the newest", policy.in_force())
        policy.write(GOOD.format(version, "drop" if turn % 2 else "limit") + "# changed\n")
        code, said = policy.reload()
        expect(code == 1 and f"raise version to {version + 1}" in said, "changed under one version", said)
        os.unlink(policy.path)
        code, said = policy.reload()
        expect(code == 1 and f"policy.yaml is gone; version {version} of 2026-11-20 was in force" in said
               and said.count("policy.yaml") == said.count("policy.yaml is gone"), "the file is gone", said)
    policy.write(GOOD.format(version, "drop"))
    stop.set()
    for t in threads:
        t.join()
    while accepted[0] % 10 or accepted[0] < 20:
        send_one()

    def shown():
        w.tick()
        report = document(w)
        return report["rows"] and (report["rows"][0]["people"], report["policy_version"])

    wait_for("every event, under the policy the day began with", lambda: shown() == (accepted[0], 1))

    # Through kill -9, and a stop and a start.
    w.kill("collector")
    w.kill("aggregator")
    w.ready()
    for i in range(10):
        send_one()

    wait_for("all of them, under the same policy", lambda: shown() == (accepted[0], 1))
    policies = os.path.join(w.env["WINNOW_STATE_DIR"], "collector", "policy")
    kept = [f for f in os.listdir(policies) if f.endswith(".yaml")]
    expect(len(kept) == 2, "the window's and the newest", kept)
    w.seal("shop", "today", force=True)
    wait_for("the old policy to go", lambda: len([f for f in os.listdir(policies) if f.endswith(".yaml")]) == 1)

    # The next day begins under the newest.
    w.clock(86400)
    for i in range(20):
        send_one()
    wait_for("the next day under the newest", lambda: shown() == (20, version))

    # A collector that lost its state goes on under the newest; the day's rows name one version, and the log says so.
    w.down()
    shutil.rmtree(policies)
    policy.write(GOOD.format(version + 1, "drop"))
    w.up()
    send_one()
    wait_for("a word about it", lambda: f"policy version {version + 1} beside version {version}" in w.log())
    w.tick()
    expect(document(w)["policy_version"] == version, "one version a day", document(w))
    expect(w.cli("ledger", "verify").returncode == 0, "ledger")
print("ok")
