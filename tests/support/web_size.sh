#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# web_size.sh FILE BYTES_MAX: fails when FILE, gzipped, is larger than BYTES_MAX.
set -eu
size=$(gzip -9 -n -c "$1" | wc -c)
echo "$size bytes gzipped, limit $2"
[ "$size" -gt 0 ] && [ "$size" -le "$2" ]
