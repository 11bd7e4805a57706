# SPDX-License-Identifier: Apache-2.0
"""Where something may still lie: memory of processes, memory files, files."""
import os


def memory_of(pid):
    """Yields the readable memory of a process, mapping by mapping."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("r") or "[vvar" in line or "[vsyscall" in line:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(start)
                yield line.split()[-1], mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue


def kept_memory(pid):
    """The memfds a process holds, mapped or not."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        try:
            if os.readlink(path).startswith("/memfd:"):
                with open(path, "rb") as f:
                    yield path, f.read()
        except OSError:
            continue


def files_of(folder):
    for top, _, names in os.walk(folder):
        for n in names:
            path = os.path.join(top, n)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()
