#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which test kills which mutant: runs every mutant of a build and prints a table.
# Exits 1 when one lives, crashes or does not run.
#
#   tests/mutants.sh [BUILD]     BUILD: build/dev beside this folder's parent
set -u
build=${1:-$(dirname "$0")/../build/dev}
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
trap 'exit 1' INT TERM
bad=0 n=0

printf '%-24s %s\n' mutant 'killed by'
for program in "$build"/tests/mutant_*; do
  [ -x "$program" ] || continue
  n=$((n + 1))
  name=$(basename "$program" | sed 's/^mutant_//; s/\..*//' | tr '[:lower:]' '[:upper:]')
  timeout 300 "$program" >"$said" 2>&1
  # Criterion names what failed as "[FAIL] suite::test: (0.00s)".
  tests=$(sed -n 's/^\[FAIL\] \([^ ]*\): .*/\1/p' "$said")
  if ! grep -qE 'Failing: [1-9][0-9]* \| Crashing: 0' "$said" || [ -z "$tests" ]; then
    tests="NOTHING: $(grep -a 'Synthesis' "$said" || echo 'it did not run to its end')"
    bad=1
  fi
  echo "$tests" | while IFS= read -r test; do
    printf '%-24s %s\n' "$name" "$test"
    name=""
  done
done
if [ "$n" = 0 ]; then
  echo "mutants: none in $build/tests; build them first (cmake --build --preset dev)" >&2
  exit 1
fi
printf '%s mutants\n' "$n"
exit "$bad"
