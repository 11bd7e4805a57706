#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promises.py TESTS: the table of promises in TESTS/README.md names tests that exist, and all of those that promise something."""
import glob
import os
import re
import sys

tests = sys.argv[1]
known = set()
for path in glob.glob(os.path.join(tests, "**", "*.c"), recursive=True):
    with open(path, encoding="utf-8", errors="replace") as f:
        known |= {"::".join(pair) for pair in re.findall(r"^(?:Parameterized)?Test\((\w+), *(\w+)", f.read(), re.M)}
with open(os.path.join(tests, "README.md"), encoding="utf-8") as f:
    rows = [line.split("|") for line in f if line.startswith("|") and "`" in line]
bad, named = [], set()
for row in rows:
    proofs = re.findall(r"`([^`]+)`", row[-2])
    if not proofs:
        bad.append(f"{row[1].strip()}: no test")
    for proof in proofs:
        named.add(proof)
        if proof not in known and not ("::" not in proof and os.path.isfile(os.path.join(tests, proof))):
            bad.append(f"{row[1].strip()}: there is no {proof}")
bad += [f"{test} stands in no row" for test in sorted(known - named) if test.split("::")[0] in ("promises", "leaks")]
if len(known) < 500 or len(rows) < 30:
    bad.append(f"found {len(known)} tests and {len(rows)} rows only")
print("\n".join(bad) or f"ok: {len(rows)} rows, {len(named)} proofs, {len(known)} tests")
sys.exit(bool(bad))
