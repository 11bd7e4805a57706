#!/bin/sh
# The runs that take hours rather than minutes; `./check --long` comes here with
# build/dev and build/walls built. Every number can be set:
#
#   WN_FUZZ_RUNS    inputs a fuzz target (10,000,000)
#   WN_FUZZ_TOTAL_S seconds of fuzzing at most (36,000; by their rates all targets need about two hours on two cores)
#   WN_KILLS        kill -9 of each daemon under load (200)
#   WN_WORLDS       made-up worlds for the locks (100,000)
#   WN_CANARIES     marked identifiers for the scan (100,000)
#   WN_ATTACK_WORLDS, WN_ATTACK_DAYS  worlds that the attacker solves for (30, of 30 days; about half an hour)
#   WN_SYBIL_IDS    people whom one network invents (1,000,000)
#   WN_DRAWS        of the discrete Gaussian, judged against its distribution (40,000,000)
#   WN_EPS_RUNS     seals with and without one pseudonym, for each question (1,000,000: an hour)
#
#   tests/long.sh            all
#   tests/long.sh PART...    of: fuzz kill worlds noise canary attack clickhouse valgrind agents bare
set -eu
cd "$(dirname "$0")/.."
export WN_KILLS="${WN_KILLS:-200}" WN_WORLDS="${WN_WORLDS:-100000}" WN_CANARIES="${WN_CANARIES:-100000}"
export WN_ATTACK_WORLDS="${WN_ATTACK_WORLDS:-30}" WN_ATTACK_DAYS="${WN_ATTACK_DAYS:-30}" WN_SYBIL_IDS="${WN_SYBIL_IDS:-1000000}"
export WINNOW_BIN="$PWD/build/dev/bin" WINNOW_TESTS="$PWD/build/dev/tests" WINNOW_SOURCE="$PWD" PYTHONDONTWRITEBYTECODE=1

step() { printf '\n-- %s\n' "$*"; }

# Runs a command and shows its end; fails with it, and on a sanitizer's words even
# where the runner, whose tests are its children, exits 0.
judged() {
  said=$(mktemp)
  err=0
  "$@" >"$said" 2>&1 || err=$?
  if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$said"; then err=1; fi
  if [ "$err" != 0 ]; then cat "$said"; else tail -n 1 "$said"; fi
  rm -f "$said"
  return "$err"
}

# Two at a time. WN_FUZZ_TOTAL_S is shared out beforehand, so that a slow target takes nothing from the
# others. identifier and sites are the slowest, with some 3,000 inputs a second.
long_fuzz() {
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz --target fuzz_targets
  targets=$(ls build/fuzz/fuzz/fuzz_*)
  n=$(echo "$targets" | wc -l)
  runs=${WN_FUZZ_RUNS:-10000000} total=${WN_FUZZ_TOTAL_S:-36000}
  each=$((total * 2 / n))
  step "$n fuzz targets, two at a time: $runs inputs each, at most $each s each, $((total / 60)) minutes in all"
  echo "$targets" | xargs -P 2 -I TARGET tests/fuzz/run_one.sh TARGET "$runs" "$each"
}

long_kill() {
  step "each daemon killed $WN_KILLS times under load"
  judged python3 tests/scenario/test_kill.py
}

long_worlds() {
  step "$WN_WORLDS worlds"
  judged build/dev/tests/test_worlds
  judged build/dev/tests/test_purge_locks
}

long_attack() {
  step "an attacker solves $WN_ATTACK_WORLDS worlds of $WN_ATTACK_DAYS days"
  judged build/dev/tests/test_attack
  step "one network invents $WN_SYBIL_IDS people"
  judged build/dev/tests/test_sybil
}

long_noise() {
  step "noise: ${WN_DRAWS:-40000000} draws"
  WN_DRAWS="${WN_DRAWS:-40000000}" judged build/dev/tests/test_gauss
  step "noise: ${WN_EPS_RUNS:-1000000} seals with and without one pseudonym"
  WN_EPS_RUNS="${WN_EPS_RUNS:-1000000}" judged build/dev/tests/test_eps
}

long_canary() {
  step "$WN_CANARIES canaries"
  judged python3 tests/scenario/test_canary.py
}

# True when valgrind has nothing to say about a test and each of its children,
# whose words and exit status reach nobody but a file.
clean_under_valgrind() {
  logs=$(mktemp -d)
  err=0
  valgrind --trace-children=yes --log-file="$logs/%p" --error-exitcode=99 --leak-check=full "$1" --quiet || err=$?
  [ "$(ls "$logs" | wc -l)" -gt 1 ] || { echo "valgrind followed no child"; err=1; }
  grep -hE 'ERROR SUMMARY: [1-9]|definitely lost: [1-9]|Invalid (read|write)|ninitialised' "$logs"/* && err=1
  echo "$(ls "$logs" | wc -l) processes"
  rm -rf "$logs"
  return "$err"
}

long_valgrind() {
  step "valgrind sees a leak"
  cc -o build/leaks tests/unit/guard/test_leaks.c -lcriterion
  if clean_under_valgrind build/leaks; then echo "it does not" >&2; exit 1; fi
  for test in test_commit test_wire test_event_mp; do
    step "valgrind $test"
    clean_under_valgrind "build/dev/tests/$test"
  done
}

long_agents() {
  step "user agents judged by uap-core"
  tests/golden/agents/uap.py build/dev/tests/agent_print --npm build/npm/node_modules/user-agents/dist/user-agents.json
}

long_clickhouse() {
  step "two aggregators and one ClickHouse"
  judged python3 tests/contract/test_clickhouse.py
}

long_bare() {
  step "a bare Debian 12"
  if [ "$(id -u)" = 0 ]; then tests/bare.sh; else sudo tests/bare.sh; fi
}

[ $# -gt 0 ] || set -- fuzz worlds noise canary attack clickhouse valgrind agents kill bare
for part in "$@"; do
  case "$part" in
    fuzz|kill|worlds|noise|canary|attack|clickhouse|valgrind|agents|bare) "long_$part" ;;
    *) echo "usage: tests/long.sh [fuzz|kill|worlds|noise|canary|attack|clickhouse|valgrind|agents|bare]..." >&2; exit 2 ;;
  esac
done
