#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh LIBRARY ALLOWED: fails when a library calls something that the
# file ALLOWED does not list (one symbol a line, '#' begins a comment), or keeps
# writable data of its own.
set -eu
library=$1
allowed=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm "$library" > "$work/all"
awk '$1 == "U" { print $2 }' "$work/all" | sort -u > "$work/called"
awk 'NF == 3 && $2 ~ /^[TWVDBR]$/ { print $3 }' "$work/all" | sort -u > "$work/own"
sed 's/#.*//' "$allowed" | awk 'NF { print $1 }' | sort -u > "$work/allowed"
test -s "$work/own" || { echo "no symbols in $library"; exit 1; }
bad=0
for symbol in $(comm -23 "$work/called" "$work/own" | comm -23 - "$work/allowed"); do
    echo "calls $symbol, which is not allowed"
    bad=1
done
if size -A "$library" | awk '$1 ~ /^\.(data|bss)$/ && $2 > 0 { found = 1 } END { exit !found }'; then
    echo "keeps writable data"
    bad=1
fi
exit $bad
