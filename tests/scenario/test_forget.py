# SPDX-License-Identifier: Apache-2.0
"""After a seal the window's keys are nowhere: no file, no free block, no process's memory, the keeper's included."""
import datetime
import os
import re
import subprocess
import sys

from places import files_of, kept_memory, memory_of
from winnow import AGENT, Winnow, expect, person, view

SLOTS_KEYS = os.path.join(os.environ["WINNOW_TESTS"], "slots_keys")


def find(keys, w, image=None):
    """Where the keys are: [(key name, place)]."""
    pids = dict(w.pids(), keeper=w.process.pid)
    places = [(f"{role} {where}", data) for role, pid in pids.items() for where, data in memory_of(pid)]
    places += [(f"{role} {where}", data) for role, pid in pids.items() for where, data in kept_memory(pid)]
    places += list(files_of(w.env["WINNOW_STATE_DIR"]))
    if image:
        subprocess.run(["sync"], check=True)
        with open(image, "rb") as f:
            places.append((image, f.read()))
    return [(name, place) for name, key in keys.items() for place, data in places if key in data]


def window_keys(w, window):
    keys = {}
    for role in ("collector", "aggregator"):
        out = subprocess.run([SLOTS_KEYS, os.path.join(w.env["WINNOW_STATE_DIR"], role, "keys", "slots")],
                             check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            name, key = line.split()
            if window in name:
                keys[f"{role} {name}"] = bytes.fromhex(key)
    for path, data in kept_memory(w.process.pid):
        for m in re.finditer(re.escape(window.encode()) + b"\0", data):
            key = data[m.start() + 64:m.start() + 96]
            if any(key) and len(key) == 32:
                keys[f"identity {path} {m.start()}"] = key
    return keys


def with_image(w):
    """Puts the state on a small ext4 image, so that freed blocks are looked at too (root only)."""
    image = os.path.join(w.dir, "image")
    with open(image, "wb") as f:
        f.truncate(64 << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", image], capture_output=True).returncode == 0
    os.makedirs(w.env["WINNOW_STATE_DIR"], exist_ok=True)
    if made and subprocess.run(["mount", "-o", "loop", image, w.env["WINNOW_STATE_DIR"]], capture_output=True).returncode == 0:
        return image
    print("notice: cannot mount a loop image here; freed blocks are not looked at")
    return None


def left_by_renames(folder, image):
    """The control of the image: keys kept in a file that is replaced by rename and at last unlinked, as most
    programs would do it. How many of them are still readable in freed blocks?"""
    keys = [os.urandom(32) for _ in range(RENAMES)]
    path = os.path.join(folder, "control")
    for key in keys:
        with open(path + ".new", "wb") as f:
            f.write(key)
            f.flush()
            os.fsync(f.fileno())
        os.rename(path + ".new", path)
    os.unlink(path)
    subprocess.run(["sync"], check=True)
    with open(image, "rb") as f:
        raw = f.read()
    return sum(key in raw for key in keys)


RENAMES = 20
os.environ["WINNOW_TEST_DUMPABLE"] = "1"
with Winnow(spool_bytes_max=8 << 20, map_mib=16) as w:
    image = with_image(w)
    try:
        w.site("shop", "--zone", "Etc/UTC")
        w.up()
        for i in range(30):
            w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        w.tick()
        window = datetime.datetime.now(datetime.timezone.utc).date().isoformat() + ".web.Etc_UTC"
        w.site("later", "--zone", "Pacific/Kiritimati")  # a window that stays: its keys are the control
        w.post(view("later", "https://later.example/"), {"X-Forwarded-For": person(1), "User-Agent": AGENT})
        keys = window_keys(w, window)
        kinds = {k.split()[0] for k in keys}
        expect(kinds == {"collector", "aggregator", "identity"} and len(keys) >= 5, "keys of the open window", list(keys))
        seen = find(keys, w, image)
        expect({k for k, _ in seen} == set(keys), "the search is blind: some keys are not seen while they live",
               set(keys) - {k for k, _ in seen})
        w.seal("shop", "today", force=True)
        left = find(keys, w, image)
        expect(not left, "keys left after the seal", left)
        if image:
            renamed = left_by_renames(w.env["WINNOW_STATE_DIR"], image)
            expect(renamed > 0, "freed blocks show nothing, so that nothing found there says nothing")
            print(f"control: {renamed} of {RENAMES} keys that a rename replaced are still in the image")
        names = [p for p, _ in files_of(w.env["WINNOW_STATE_DIR"]) if window in p]
        expect(not names, "files of the window left", names)
        folders = [d for top, dirs, _ in os.walk(w.env["WINNOW_STATE_DIR"]) for d in dirs if window in d]
        expect(not folders, "folders of the window left", folders)
        expect(w.report("shop", "traffic")[0]["people"] == 30, "published rows stay")
        print(f"ok: {len(keys)} keys seen in {len(seen)} places while open, in 0 after the seal" +
              (", freed blocks included" if image else ""))
    finally:
        w.down()
        if image:
            subprocess.run(["umount", w.env["WINNOW_STATE_DIR"]], check=False)
sys.exit(0)
