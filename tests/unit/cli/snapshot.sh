#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares what a command prints with a committed file. Usage: snapshot.sh FILE COMMAND…
set -u
file=$1
shift
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
WINNOW_CONFIG_DIR="$dir" "$@" >"$dir/now" || exit 1
diff -u "$file" "$dir/now" && exit 0
echo "The rules changed. If their consequences above are meant: $* > $file"
exit 1
