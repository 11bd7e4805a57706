#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# units.sh SYSTEMD_DIR: every unit is one that systemd takes, is confined, and logs where lines end after seven days.
set -u
dir=$1
bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
command -v systemd-analyze >/dev/null || { echo "no systemd-analyze here: skipped"; exit 77; }

say() { echo "FAIL: $*"; bad=1; }
verify() { systemd-analyze verify --man=no --recursive-errors=no "$@" 2>&1; }

# Binaries need only be there.
mkdir "$work/bin"
for name in winnow winnow-collector winnow-aggregator winnow-web winnow-forward; do
    printf '#!/bin/sh\n' >"$work/bin/$name"
    chmod +x "$work/bin/$name"
done
for in in "$dir"/winnow-*.service.in; do
    sed "s|@CMAKE_INSTALL_FULL_BINDIR@|$work/bin|" "$in" >"$work/$(basename "$in" .in)"
done
cp "$dir"/*.timer "$work"

n=0
for unit in "$work"/*.service "$work"/*.timer; do
    n=$((n + 1))
    words=$(verify "$unit") || say "$(basename "$unit"): $words"
    case $words in *"$(basename "$unit")"*) say "$words" ;; esac
done
[ "$n" -eq 6 ] || say "$n units, not 6"

for unit in "$work"/*.service; do
    for line in 'User=winnow' 'LogNamespace=winnow' '#LoadCredentialEncrypted=winnow-key:' 'LimitCORE=0' 'MemorySwapMax=0' \
        'NoNewPrivileges=yes' 'ProtectSystem=strict' 'MemoryDenyWriteExecute=yes' 'RestrictNamespaces=yes'; do
        grep -q "^$line" "$unit" || say "$(basename "$unit") has no $line"
    done
done
grep -q '^MaxRetentionSec=7day$' "$dir/winnow.journald.conf" || say "logs have no age limit of seven days"
grep -q '^MaxFileSec=1day$' "$dir/winnow.journald.conf" || say "a file of the log that never ends never goes"

# The check sees a mistake.
sed 's/^ExecStart=.*/ExecStart=nowhere/' "$work/winnow-web.service" >"$work/winnow-broken.service"
if words=$(verify "$work/winnow-broken.service"); then say "a unit without a program passes: $words"; fi
[ "$bad" -eq 0 ] && echo "ok: $n units"
exit "$bad"
