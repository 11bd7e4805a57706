#!/bin/sh
# The main promise, tried for real: on a bare Debian 12, with this repository and
# nothing beside it, ./quickstart --once exits 0. Root only. The mounts and
# processes of the trial live in namespaces of their own and end with it.
#
#   tests/bare.sh          the last commit (or the revision WN_BARE_REV)
set -eu
cd "$(dirname "$0")/.."

enter() {  # in the namespaces: mounts, then the trial
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  exec chroot "$1" /usr/bin/env -i HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
    sh -c 'cd /root/winnow && exec ./quickstart --once'
}
if [ "${1:-}" = --enter ]; then enter "$2"; fi

[ "$(id -u)" = 0 ] || { echo "bare: run me as root" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM
root="$work/root"

echo "bare: a minimal Debian 12"
# This machine's mirrors, when it is a Debian 12 itself; else Debian's own.
mirrors=$(grep -ls bookworm /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources || true)
# shellcheck disable=SC2086  # none, one or two words
mmdebstrap --quiet --variant=minbase bookworm "$root" $mirrors
# What this machine needs to reach its network; nothing else of it comes along.
cp /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump | grep -E '^Acquire::(http|https)::.*Proxy|^Acquire::Check-' >"$root/etc/apt/apt.conf.d/90network" || true
mkdir -p "$root/usr/local/share/ca-certificates" "$root/root/winnow"
for authority in /usr/local/share/ca-certificates/*.crt; do
  [ ! -e "$authority" ] || cp "$authority" "$root/usr/local/share/ca-certificates/"
done
git archive "${WN_BARE_REV:-HEAD}" | tar -x -C "$root/root/winnow"

echo "bare: ./quickstart --once, with $(chroot "$root" dpkg-query -f . -W | wc -c) packages installed"
start=$(date +%s)
unshare --mount --propagation private --pid --fork --kill-child "$0" --enter "$root"
echo "bare: right, after $(($(date +%s) - start)) s"
