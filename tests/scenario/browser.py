# SPDX-License-Identifier: Apache-2.0
"""Drives headless Chromium by a script in tests/browser/, for scenarios."""
import json
import os
import shutil
import subprocess
import sys

from winnow import expect

SOURCE = os.environ["WINNOW_SOURCE"]
NPM = os.path.join(SOURCE, "build/npm")
MODULES = os.path.join(NPM, "node_modules")


def can_run(otherwise):
    """False with a notice when npm's registry was out of reach at setup; fails when setup was not run."""
    have = shutil.which("node") and os.path.exists("/usr/bin/chromium") and os.path.isdir(os.path.join(MODULES, "playwright-core"))
    if not have and os.path.exists(os.path.join(NPM, "playwright-core.unreachable")):
        print("notice: setup could not fetch playwright-core;", otherwise)
        return False
    expect(have, "node, chromium or playwright-core is missing: run ./setup --tests")
    return True


def drive(script, told, folder, timeout_s):
    """Runs the script with `told` (and where npm's modules are) as a JSON file; gives the JSON it prints."""
    home = os.path.join(folder, "home")
    os.makedirs(home, exist_ok=True)
    path = os.path.join(home, "told.json")
    with open(path, "w") as f:
        json.dump(dict(told, modules=MODULES), f)
    p = subprocess.run(["node", os.path.join(SOURCE, "tests/browser", script), path], capture_output=True, text=True, timeout=timeout_s,
                       env=dict(os.environ, HOME=home))
    expect(p.returncode == 0, p.stderr[-4000:], p.stdout[-2000:])
    sys.stderr.write(p.stderr)
    return json.loads(p.stdout)
