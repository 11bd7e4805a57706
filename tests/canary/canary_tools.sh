#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# canary_tools.sh MAKE SCAN DIR: what canary_make writes, canary_scan finds, all
# of it and in each file; another seed's needles, it does not.
set -eu
make=$1 scan=$2 dir=$3
rm -rf "$dir"
mkdir -p "$dir/mine" "$dir/other" "$dir/packed"
"$make" --out "$dir/mine" --count 60 --seed 7 --rotations 11 --time 1795132887
"$make" --out "$dir/other" --count 60 --seed 8 --time 1795132887
for file in events.ndjson http.jsonl access.log; do
    "$scan" --needles "$dir/mine/needles.tsv" --expect 100 "$dir/mine/$file" >"$dir/out"
    if "$scan" --needles "$dir/mine/needles.tsv" "$dir/mine/$file" >"$dir/out"; then
        echo "a file full of identifiers passed: $file"
        exit 1
    fi
    "$scan" --needles "$dir/mine/needles.tsv" "$dir/other/$file" >"$dir/out"
done
if "$scan" --needles "$dir/mine/needles.tsv" --expect 1 "$dir/other/events.ndjson" >"$dir/out"; then
    echo "--expect held although nothing was there"
    exit 1
fi
# Packed addresses: every one that was sent, none of the decoys.
awk -F'[\t.]' '$1 == "ipv4" { printf "\\%03o\\%03o\\%03o\\%03o", $2, $3, $4, $5 }' "$dir/mine/needles.tsv" >"$dir/octal"
printf "$(cat "$dir/octal")" >"$dir/packed/addresses"
if "$scan" --needles "$dir/mine/needles.tsv" "$dir/packed" >"$dir/out"; then
    echo "packed addresses passed"
    exit 1
fi
grep -q 'form=packed4 sent=60 decoys=0' "$dir/out"
# A path that is not there is not a clean one.
status=0
"$scan" --needles "$dir/mine/needles.tsv" "$dir/none" >"$dir/out" 2>&1 || status=$?
[ "$status" -eq 2 ]
echo ok
