#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_one.sh PROGRAM RUNS SECONDS: fuzzes with one target, over its own corpus and
# what earlier runs found, until either bound; says in a line how far it came and
# how long RUNS would have taken. An input that breaks it stays beside the program
# as crash-NAME-*: add it to tests/fuzz/corpus/NAME.
set -eu
program=$1 runs=$2 seconds=$3
name=${program##*/fuzz_}
build=$(dirname "$(dirname "$program")")
known=$(cd "$(dirname "$0")" && pwd)/corpus/$name
mkdir -p "$build/corpus/$name"
case "$name" in # what is much longer than the product reads of it teaches nothing, slowly
  term) bytes=128 ;;
  identifier) bytes=256 ;;
  agent) bytes=640 ;;
  url|logline) bytes=4096 ;;
  *) bytes=1024 ;;
esac
said=$(mktemp)
trap 'rm -f "$said"' EXIT
err=0
began=$(date +%s%N)
"$program" -runs="$runs" -max_total_time="$seconds" -max_len="$bytes" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$build/crash-$name-" "$build/corpus/$name" "$known" >"$said" 2>&1 || err=$?
took=$(( ($(date +%s%N) - began) / 1000000 ))
if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$said" >/dev/null; then err=1; fi
done_n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$said")
awk -v name="$name" -v n="${done_n:-0}" -v ms="$took" -v runs="$runs" -v err="$err" 'BEGIN {
  rate = ms > 0 ? n * 1000 / ms : 0
  printf "%-14s %10d inputs in %6.0f s, %7.0f a second; %d would take %.0f s: %s\n", name, n, ms / 1000, rate, runs,
    (rate > 0 ? runs / rate : 0), (err ? "FAILED" : n < runs ? "stopped by the clock" : "done")
}'
if [ "$err" != 0 ]; then tail -n 60 "$said"; fi
exit "$err"
