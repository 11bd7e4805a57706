# SPDX-License-Identifier: Apache-2.0
"""No ack leaves before the fdatasync that covers its events, read from a system call trace."""
import os
import re
import subprocess
import time

from winnow import AGENT, Winnow, expect, person, view, wait_for

CALLS = "fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg,recvfrom,recvmsg,read"


class Trace:
    """strace of a daemon: [(time of completion, call, arguments)], in order."""

    def __init__(self, w, role):
        self.path = os.path.join(w.dir, f"trace.{role}")
        self.process = subprocess.Popen(["strace", "-f", "-yy", "-ttt", "-s", "64", "-e", f"trace={CALLS}", "-o", self.path,
                                         "-p", str(w.pids()[role])], stderr=subprocess.PIPE)
        wait_for("strace", lambda: b"attached" in self.process.stderr.read1(200))

    def lines(self):
        self.process.terminate()
        self.process.wait(10)
        started, out = {}, []
        with open(self.path, errors="replace") as f:
            for line in f:
                m = re.match(r"(\d+)\s+(\d+\.\d+) (.*)", line)
                if not m:
                    continue
                pid, _, text = m.groups()
                if text.endswith("<unfinished ...>"):
                    started[pid] = text[:-len("<unfinished ...>")]
                elif text.startswith("<... "):
                    rest = re.sub(r"^<\.\.\. \w+ resumed>", "", text)
                    out.append(started.pop(pid, "") + rest)  # counts where it completed
                else:
                    out.append(text)
        return out


def is_sync(line, what):
    return re.match(r"f(data)?sync\(", line) and what in line and line.rstrip().endswith("= 0")


def is_open_store_sync(line):
    return is_sync(line, "data.mdb>") and re.search(r"/aggregator/open/[^/>]+/data\.mdb>", line)


def covered(lines, reply, stored, name):
    """Each reply has, before it and after the one before, a write to `stored` and then its sync."""
    replies = [i for i, l in enumerate(lines) if reply(l)]
    expect(replies, name, "no reply in the trace")
    start = 0
    for r in replies:
        part = lines[start:r]
        writes = [i for i, l in enumerate(part) if re.match(r"p?write(v|64)?\(|pwritev\(", l) and stored in l]
        syncs = [i for i, l in enumerate(part) if is_sync(l, stored)]
        expect(writes, name, "a reply without a write before it:", lines[r][:200])
        expect(syncs and syncs[-1] > writes[-1], name, "a reply before its sync:", lines[r][:200])
        start = r + 1
    return len(replies)


os.environ["WINNOW_TEST_DUMPABLE"] = "1"
with Winnow() as w:
    def delivered():
        wait_for("delivery", lambda: w.metrics()["winnow_spool_waiting"] == 0)

    w.up("shop")
    w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(0), "User-Agent": AGENT})
    delivered()
    collector, aggregator = Trace(w, "collector"), Trace(w, "aggregator")
    for i in range(20):
        status, _ = w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect(status == 200, "post", status)
        delivered()  # one batch at a time, so that each ack's own sync is known
    for i in range(5):
        status, _, _ = w.get("/p.gif?site=shop&u=https%3A%2F%2Fshop.example%2F",
                             {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect(status == 200, "pixel", status)
        delivered()
    w.send("shop", [view("shop", "https://shop.example/", ip=person(99), user_agent=AGENT)])
    delivered()
    time.sleep(0.2)  # strace writes a little later
    lines = collector.lines()
    n = covered(lines, lambda l: re.match(r"(sendto|sendmsg|writev?)\(", l) and "HTTP/1.1 200" in l and
                ("accepted" in l or "image/gif" in l or f":{w.http}" in l), ".seg", "HTTP")
    expect(n == 25, "HTTP replies seen", n)

    # ZeroMQ: the last send on the SDK's connection is the ack; greetings come before.
    door = f":{w.sdk}->"
    sends = [i for i, l in enumerate(lines) if re.match(r"(sendto|sendmsg|write)\(", l) and door in l]
    receives = [i for i, l in enumerate(lines) if re.match(r"(recvfrom|recvmsg|read)\(", l) and door in l]
    expect(len(sends) >= 3 and receives, "ZeroMQ traffic in the trace", len(sends))
    ack = sends[-1]
    part = lines[sends[-2] + 1:ack]
    writes = [i for i, l in enumerate(part) if "write" in l.split("(")[0] and ".seg" in l]
    syncs = [i for i, l in enumerate(part) if is_sync(l, ".seg")]
    expect(writes and syncs and syncs[-1] > writes[-1], "ZeroMQ ack before its sync")

    # The aggregator's acks go out on the uplink's unix socket. What covers a batch is the sync of an open
    # window's own store; published/data.mdb says nothing of it.
    lines = aggregator.lines()
    syncs = [i for i, l in enumerate(lines) if is_open_store_sync(l)]
    expect(syncs, "no sync of an open window's store in the trace")
    taken = sent_before_sync = 0
    fresh = False  # a batch came in since the last sync
    for l in lines:
        if re.match(r"(recvfrom|recvmsg|read)\(", l) and "uplink.sock" in l:
            m = re.search(r"= (\d+)$", l.rstrip())
            if m and int(m.group(1)) > 200:
                fresh, taken = True, taken + 1
        elif is_open_store_sync(l):
            fresh = False
        elif re.match(r"(sendto|sendmsg|write)\(", l) and "uplink.sock" in l and fresh:
            sent_before_sync += 1
    expect(taken >= 10, "batches seen by the aggregator", taken)
    expect(sent_before_sync == 0, "aggregator acks before their sync", sent_before_sync)
    print(f"ok: {n} HTTP answers, the ZeroMQ ack and {taken} uplink batches, each after its fdatasync")
