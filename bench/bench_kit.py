# SPDX-License-Identifier: Apache-2.0
"""What every benchmark of whole processes needs: lines, medians, server CPU,
a Winnow of its own in a temporary directory. Servers listen on loopback, on
free ports; every wait has an end; only processes started here are ended."""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ.get("WINNOW_BIN", os.path.join(HERE, "../build/release/bin"))
COUNTRY_DB = os.path.join(HERE, "../build/share/country.mmdb")
QUICK = bool(os.environ.get("BENCH_QUICK"))
EVENTS = 100_000 if QUICK else 1_000_000
RUNS = 3
SITES = 50
DAY_S = (int(time.time()) // 86400 - 1) * 86400  # yesterday, UTC: open for kind app
TICK = os.sysconf("SC_CLK_TCK")


def note(*words):
    print("bench:", *words, file=sys.stderr, flush=True)


def line(bench, metric, unit, values, reference=None):
    """reference: (name, value) or None."""
    v = statistics.median(values)
    out = {
        "bench": bench,
        "metric": metric,
        "value": round(v, 6),
        "unit": unit,
        "runs": len(values),
        "min": round(min(values), 6),
        "max": round(max(values), 6),
        "reference": None,
        "ratio": None,
    }
    if reference and reference[1]:
        out["reference"] = {"name": reference[0], "value": round(reference[1], 6)}
        out["ratio"] = round(v / reference[1], 4)
    print(json.dumps(out, separators=(",", ":")), flush=True)
    return v


def program(name):
    return os.path.join(BIN, name)


def run_program(name, *args, **more):
    """Runs one of our C programs, which prints its own lines."""
    sys.stdout.flush()
    p = subprocess.run([program(name), *map(str, args)], stderr=subprocess.PIPE, timeout=600, **more)
    if p.returncode != 0:
        note(f"{name}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-600:]}")
    return p.returncode == 0


def version(package):
    p = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return p.stdout.decode() if p.returncode == 0 else ""


def has(name):
    return shutil.which(name) is not None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, test, seconds=60, every=0.01):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(every)


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found.append(int(name))
            except OSError:
                pass
    return found


def cpu_s(*pids):
    """User and system time of these processes, all threads."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            part = f.read().rsplit(")", 1)[1].split()
            ticks += int(part[11]) + int(part[12])
    return ticks / TICK


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def disk_bytes(path):
    return sum(os.stat(os.path.join(d, n)).st_blocks * 512 for d, _, names in os.walk(path) for n in names)


def stop(process, seconds=20):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


class Scratch:
    """A temporary directory that goes in the end, and what `start` started in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="winnow-bench-")

    def start(self):
        pass

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)


class Winnow(Scratch):
    """Both daemons under `winnow up`, 50 sites, one ZeroMQ key that may write to all."""

    def __init__(self, **options):
        super().__init__()
        self.options = options
        self.process = self.log = None

    def start(self):
        self.http, self.admin, self.sdk = free_port(), free_port(), free_port()
        self.state, self.config = self.path("state"), self.path("config")
        for d in (self.state, self.config, self.path("keys")):
            os.mkdir(d, 0o700)
        self.env = dict(
            os.environ,
            WINNOW_STATE_DIR=self.state,
            WINNOW_CONFIG_DIR=self.config,
            WINNOW_HTTP_LISTEN=f"127.0.0.1:{self.http}",
            WINNOW_ADMIN_LISTEN=f"127.0.0.1:{self.admin}",
            WINNOW_SDK_LISTEN=f"tcp://127.0.0.1:{self.sdk}",
            WINNOW_WEB_LISTEN="off",
            WINNOW_COUNTRY_DB=os.path.abspath(COUNTRY_DB),
            PATH=f"{os.path.abspath(BIN)}:{os.environ['PATH']}",
            **{f"WINNOW_{k.upper()}": str(v) for k, v in self.options.items()},
        )
        key = (
            subprocess.run(
                [program("winnow-bench-load"), "--form", "key", "--dir", self.path("keys")],
                check=True,
                stdout=subprocess.PIPE,
            )
            .stdout.decode()
            .strip()
        )
        with open(os.path.join(self.config, "sites.yaml"), "w") as f:
            f.write("sites:\n")
            for i in range(SITES):
                f.write(
                    f"  - name: site-{i:02}\n    zone: Etc/UTC\n    kind: app\n    keys:\n"
                    f"      - key: \"{key}\"\n        server: true\n"
                )
        self.log = open(self.path("log"), "w")
        self.process = subprocess.Popen(
            [program("winnow"), "up"],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        wait_for("winnow up", self.ready, 30)
        for pid in children(self.process.pid):
            with open(f"/proc/{pid}/cmdline") as f:
                role = os.path.basename(f.read().split("\0")[0])
            setattr(self, role.replace("winnow-", ""), pid)

    def __exit__(self, kind, *_):
        stop(self.process, 30)
        if self.log:
            self.log.close()
        if kind and self.log:
            with open(self.path("log"), errors="replace") as f:
                note("log of the daemons:\n" + f.read()[-3000:])
        super().__exit__(kind, *_)

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("winnow up ended")
        try:
            return self.metric("uplink_up") == 1
        except (OSError, KeyError):
            return False

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as r:
            rows = [r.rsplit(" ", 1) for r in r.read().decode().splitlines() if r and not r.startswith("#")]
        return {name: float(value) for name, value in rows}

    def metric(self, name):
        m = self.metrics()
        for form in (
            f"winnow_{name}",
            f"winnow_collector_{name}",
            f"winnow_{name}_total",
            f"winnow_collector_{name}_total",
        ):
            if form in m:
                return m[form]
        raise KeyError(name)

    def drained(self):
        return self.metric("spool_waiting") == 0

    def drain(self, seconds=120):
        wait_for("the spool to drain", self.drained, seconds, 0.005)

    def cpu(self):
        return cpu_s(self.collector, self.aggregator)

    def cli(self, *args, timeout=600):
        return subprocess.run(
            [program("winnow"), *args],
            env=self.env,
            timeout=timeout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def feed(path, form, events, **more):
    args = [program("winnow-bench-feed"), "--form", form, "--events", str(events), "--day", str(DAY_S)]
    for k, v in more.items():
        args += [f"--{k}", str(v)]
    with open(path, "wb") as f:
        subprocess.run(args, stdout=f, check=True, timeout=300)
