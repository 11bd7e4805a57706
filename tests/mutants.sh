#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which test kills which mutant: runs every mutant of a build and prints a table,
# then what became of those that the rules name. Exits 1 when one of them lives,
# crashes, does not run or is not there.
#
#   tests/mutants.sh [BUILD]     BUILD: build/dev beside this folder's parent
set -u
build=${1:-$(dirname "$0")/../build/dev}
runs=$(mktemp -d) && dead=$(mktemp) || exit 1
trap 'rm -rf "$runs" "$dead"' EXIT
trap 'exit 1' INT TERM
bad=0 n=0
export WN_ATTACK_WORLDS=1 WN_ATTACK_DAYS=1 # one world of the attacker's is enough to see them

for program in "$build"/tests/mutant_*; do
  [ -x "$program" ] && basename "$program"
done | xargs -P "$(nproc)" -I MUTANT sh -c 'timeout 300 "$1/tests/MUTANT" >"$2/MUTANT" 2>&1; true' - "$build" "$runs"

printf '%-24s %s\n' mutant 'killed by'
for program in "$build"/tests/mutant_*; do
  [ -x "$program" ] || continue
  n=$((n + 1))
  name=$(basename "$program" | sed 's/^mutant_//; s/\..*//' | tr '[:lower:]' '[:upper:]')
  said=$runs/$(basename "$program")
  # Criterion names what failed as "[FAIL] suite::test: (0.00s)".
  tests=$(sed -n 's/^\[FAIL\] \([^ ]*\): .*/\1/p' "$said")
  if ! grep -qE 'Failing: [1-9][0-9]* \| Crashing: 0' "$said" || [ -z "$tests" ]; then
    tests="NOTHING: $(grep -a 'Synthesis' "$said" || echo 'it did not run to its end')"
    bad=1
  else
    echo "$name" >>"$dead"
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
printf '%s mutants\n\n' "$n"

# What the rules say must die, and the mutants that are it, one for each place where the rule is kept: all must.
printf '%-38s %s\n' 'named by the rules' state
while IFS='|' read -r what mutant; do
  [ -n "$what" ] || continue
  if [ -z "$mutant" ]; then
    state='no sketch is built: every lock counts exactly (R15)'
  else
    state="dies ($mutant)"
    for one in $mutant; do
      grep -qx "$one" "$dead" && continue
      state="NOT KILLED: no dead mutant is called $one"
      bad=1
    done
  fi
  printf '%-38s %s\n' "$what" "$state"
done <<'END'
sigma halved|SIGMA_HALVED
cap off|CAP_OFF NOISE_CAP_OFF
cap by arrival|CAP_BY_ARRIVAL
noise per query|NOISE_PER_QUERY
threshold on noisy only|THRESHOLD_NOISY_ONLY
k off by one|K_OFF_BY_ONE
exact at seal|EXACT_AT_SEAL
step rule off|STEP_RULE_OFF
organisation rule off|ORG_RULE_OFF
undeclared as many organisations|UNDECLARED_MANY
measure complement off|MEASURE_COMPLEMENT_OFF
sketch feeds a lock|
one key for all tables|ONE_KEY_ALL_TABLES
key written to disk|KEY_ON_DISK KEY_IN_STORE
query string kept|QUERY_KEPT
percent-decoded once|DECODE_ONCE NET_DECODE_ONCE
body address believed|BODY_IP_BELIEVED
plan applied in mid-window|PLAN_MIDWINDOW
restore without purge list|RESTORE_WITHOUT_PURGE_LIST
organisation heard at first sight only|ORG_AFTER_FIRST_SIGHT SESSION_ORG_FIRST SESSIONS_OF_THEN
second organisation not purged|PURGE_COUNTED_ONLY
purged people kept, or shown by a step|PURGE_KEPT PURGE_UNFROZEN
second epoch added|SECOND_EPOCH_ADDED NOISE_SECOND_EPOCH_ADDED
restore leaves windows unsealed|RESTORE_UNSEALED
restore forgets the purge list|PURGE_LIST_NOT_KEPT
purge not verified|PURGE_UNVERIFIED
retention off|RETENTION_OFF
clock that jumped believed|JUMP_BELIEVED
ledger head not kept|HEAD_NOT_KEPT
END
exit "$bad"
