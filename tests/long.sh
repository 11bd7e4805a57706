#!/bin/sh
# The runs that take hours rather than minutes; `./check --long` comes here with
# build/dev and build/walls built. Every number can be set:
#
#   WN_FUZZ_RUNS    inputs a fuzz target (1,000,000, but at most WN_FUZZ_S seconds: 600)
#   WN_KILLS        kill -9 of each daemon under load (200)
#   WN_WORLDS       made-up worlds for the locks (100,000)
#   WN_CANARIES     marked identifiers for the scan (100,000)
#
#   tests/long.sh            all
#   tests/long.sh PART...    of: fuzz kill worlds canary valgrind bare
set -eu
cd "$(dirname "$0")/.."
export WN_KILLS="${WN_KILLS:-200}" WN_WORLDS="${WN_WORLDS:-100000}" WN_CANARIES="${WN_CANARIES:-100000}"
export WINNOW_BIN="$PWD/build/dev/bin" WINNOW_TESTS="$PWD/build/dev/tests" WINNOW_SOURCE="$PWD" PYTHONDONTWRITEBYTECODE=1

step() { printf '\n-- %s\n' "$*"; }

# Runs a command and shows its end; fails with it, and on a sanitizer's or
# valgrind's words even where the runner, whose tests are its children, exits 0.
judged() {
  said=$(mktemp)
  err=0
  "$@" >"$said" 2>&1 || err=$?
  if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:|are definitely lost|Invalid (read|write)' "$said"; then err=1; fi
  if [ "$err" != 0 ]; then cat "$said"; else tail -n 1 "$said"; fi
  rm -f "$said"
  return "$err"
}

long_fuzz() {
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz --target fuzz_targets
  for target in build/fuzz/fuzz/fuzz_*; do
    name=${target##*/fuzz_}
    step "fuzz $name"
    mkdir -p "build/fuzz/corpus/$name"
    # Inputs that break it are left as build/fuzz/crash-NAME-*: add them to tests/fuzz/corpus/NAME.
    judged "$target" -runs="${WN_FUZZ_RUNS:-1000000}" -max_total_time="${WN_FUZZ_S:-600}" -max_len=4096 -timeout=20 \
      -rss_limit_mb=2048 -artifact_prefix="build/fuzz/crash-$name-" \
      "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
  done
}

long_kill() {
  step "each daemon killed $WN_KILLS times under load"
  judged python3 tests/scenario/test_kill.py
}

long_worlds() {
  step "$WN_WORLDS worlds"
  judged build/dev/tests/test_worlds
}

long_canary() {
  step "$WN_CANARIES canaries"
  judged python3 tests/scenario/test_canary.py
}

long_valgrind() {
  for test in test_commit test_wire test_event_mp; do
    step "valgrind $test"
    judged valgrind --trace-children=yes --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
      --errors-for-leak-kinds=definite "build/dev/tests/$test" --quiet
  done
}

long_bare() {
  step "a bare Debian 12"
  if [ "$(id -u)" = 0 ]; then tests/bare.sh; else sudo tests/bare.sh; fi
}

[ $# -gt 0 ] || set -- fuzz worlds canary valgrind kill bare
for part in "$@"; do
  case "$part" in
    fuzz|kill|worlds|canary|valgrind|bare) "long_$part" ;;
    *) echo "usage: tests/long.sh [fuzz|kill|worlds|canary|valgrind|bare]..." >&2; exit 2 ;;
  esac
done
