# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks named on the command line, or all, each by itself: one
that fails says so and the others go on."""
import os
import subprocess
import sys

import bench_api
import bench_clickhouse
import bench_flow
import bench_http
from bench_kit import COUNTRY_DB, DAY_S, EVENTS, RUNS, Scratch, line, note, program, run_program


def machine():
    cpu = next(
        (r.split(":", 1)[1].strip() for r in open("/proc/cpuinfo") if r.startswith("model name")), "unknown"
    )
    memory = next(int(r.split()[1]) for r in open("/proc/meminfo") if r.startswith("MemTotal"))
    u = os.uname()
    print(
        f'{{"machine":{{"cpu":"{cpu}","cores":{os.cpu_count()},"kernel":"{u.release}",'
        f'"memory_mib":{memory // 1024},'
        f'"load":{os.getloadavg()[0]:.2f},"events":{EVENTS},"runs":{RUNS}}}}}',
        flush=True,
    )


def module(name, *more, events=EVENTS):
    with Scratch() as s:
        args = ["--dir", s.dir, "--events", events, "--runs", RUNS, "--day", DAY_S]
        if os.path.exists(COUNTRY_DB) and name in ("filter", "wire", "fold"):
            args += ["--country-db", os.path.abspath(COUNTRY_DB)]
        return run_program(f"winnow-bench-{name}", *args, *more)


def fold():
    module("fold", *with_reference("per_cpu"))
    module("fold", "--form", "sparse", events=EVENTS // 30)


def with_reference(figure):
    value = bench_clickhouse.figures().get(figure)
    return ["--reference", bench_clickhouse.NAME, "--reference-value", value] if value else []


def clickhouse():
    got, name = bench_clickhouse.figures(), bench_clickhouse.NAME
    if not got:
        return note("clickhouse: not here; its ratios stay null")
    units = {
        "per_cpu": "events/s/cpu",
        "per_wall": "events/s",
        "memory": "B",
        "cell_bytes": "B/cell",
        "report_ms": "ms",
    }
    for metric, unit in units.items():
        line("clickhouse", metric, unit, [got[metric]] if metric == "cell_bytes" else got[metric + "_all"])
    return name


def report():
    of_store("winnow-bench-report", *with_reference("report_ms"))


def export():  # --events: rows
    of_store("winnow-bench-export", "--events", EVENTS, then=bench_api.measure)


def of_store(bench, *more, then=None):
    with Scratch() as s:
        state, config = s.path("state"), s.path("config")
        os.mkdir(state, 0o700)
        os.mkdir(config, 0o700)
        with open(os.path.join(config, "sites.yaml"), "w") as f:
            f.write("sites:\n  - name: site-07\n    zone: Etc/UTC\n    kind: app\n")
        well = run_program(
            bench,
            "--dir",
            state,
            "--endpoint",
            config,
            "--key",
            program("winnow"),
            "--day",
            DAY_S,
            "--runs",
            RUNS,
            *more,
        )
        if well and then:
            then(state, config)


def seal():
    module("seal")  # --events: cells


def people():
    module("people", events=EVENTS * 10)


BENCHES = {
    "filter": lambda: module("filter"),
    "wire": lambda: module("wire"),
    "clickhouse": clickhouse,
    "fold": fold,
    "seal": seal,
    "people": people,
    "http": bench_http.run,
    "slow-disk": lambda: bench_http.run(slow=True),
    "pipeline": bench_flow.pipeline,
    "import": bench_flow.imports,
    "report": report,
    "export": export,
    "memory": bench_http.rest,
}


def main(names):
    unknown = [n for n in names if n not in BENCHES]
    if unknown:
        note(f"no bench is called {unknown[0]}; there are: {' '.join(BENCHES)}")
        return 2
    machine()
    failed = 0
    if os.getloadavg()[0] > 0.5:
        note("this machine is busy with something else: figures by wall time will be too low")
    for name in names or BENCHES:
        note(name)
        try:
            BENCHES[name]()
        except (RuntimeError, OSError, KeyError, subprocess.SubprocessError) as e:
            note(f"{name} failed: {e!r}")
            failed = 1
    return failed


sys.exit(main(sys.argv[1:]))
