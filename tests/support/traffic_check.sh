#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# traffic_check.sh TRAFFIC DIR: the same seed gives the same day, another seed
# another one; options do what they say; it talks to this machine alone.
set -eu
traffic=$1 dir=$2
rm -rf "$dir"
mkdir -p "$dir"
fail() {
    echo "$1"
    exit 1
}
day() { "$traffic" --site demo --date 2026-11-20 --people 400 --orgs 9 "$@"; }

for mode in ndjson log; do
    day --mode $mode >"$dir/a"
    day --mode $mode >"$dir/b"
    day --mode $mode --seed 2 >"$dir/c"
    cmp -s "$dir/a" "$dir/b" || fail "$mode: one seed, two days"
    if cmp -s "$dir/a" "$dir/c"; then fail "$mode: two seeds, one day"; fi
done
day --refuse 100 >"$dir/all"
[ "$(wc -l <"$dir/all")" -eq "$(grep -c '"purposes":\[\]' "$dir/all")" ] || fail "--refuse 100 left someone out"
if day --refuse 0 | grep -q '"purposes":\[\]'; then fail "--refuse 0 refuses"; fi
day | grep -q '"purposes":\["basic"\]' || fail "nobody sends GPC"
day | grep -q '/user/[0-9]' || fail "no identifying path"
if "$traffic" --people 50 | grep -q '"time"'; then fail "a time without --date"; fi
if day --hours 8-10 --mode log | grep -qv '20/Nov/2026:0[89]:\|broken$'; then fail "--hours 8-10 left the hours"; fi
if "$traffic" --mode http --url http://192.0.2.1:80 2>"$dir/err"; then fail "would send to another machine"; fi
grep -q 'only this machine' "$dir/err" || fail "does not say why"
if "$traffic" --people 0 2>"$dir/err"; then fail "--people 0 passed"; fi
echo ok
