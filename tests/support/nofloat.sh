#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nofloat.sh LIBRARY OBJECT...: fails when one of these objects of a static library has an instruction of floating
# point: rounding is how samplers of noise leak. (x86-64; elsewhere it says so and passes.)
#
# Judged by class. Not allowed: anything of the x87, and on vector registers (%xmm, %ymm, %zmm) anything that is
# not listed here: moves, whole-number arithmetic and logic, which compilers use to copy and to zero memory.
#
#   nofloat.sh --itself     shows that it sees what it is for
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case "$(uname -m)" in x86_64) ;; *) echo "nofloat: knows x86-64 only; not judged"; exit 0 ;; esac

# Prints "object: instruction" for each that is not allowed; fails when there are any or an object has no code.
judge() { # object file
  objdump -d --no-show-raw-insn "$1" >"$work/code"
  grep -q '<' "$work/code" || { echo "$1: no code"; return 1; }
  awk -v of="$(basename "$1")" '
    $1 ~ /^[0-9a-f]+:$/ {
      at = 2
      while ($at ~ /^(lock|rep|repz|repnz|notrack|bnd|data16|cs|ds)$/) at++
      op = $at
      x87 = op ~ /^f/ || op ~ /^wait$/
      vector = $0 ~ /%[xyz]mm[0-9]/
      whole = op ~ /^v?mov(a|u|hl|lh|h|l)p[sd]$/ || op ~ /^v?mov(dqa|dqu|d|q|ntdq)(8|16|32|64)?$/ || \
              op ~ /^v?(p[a-z0-9]+)$/ || op ~ /^v?(xor|and|andn|or|shuf|unpckl|unpckh)p[sd]$/ || \
              op ~ /^v?(insert|extract|broadcast|perm)i[0-9a-z]*$/ || op ~ /^vzero(upper|all)$/
      if (x87 || (vector && !whole)) { print of ": " $0; bad = 1 }
    }
    END { exit bad }' "$work/code"
}

if [ "${1:-}" = "--itself" ]; then
  for body in 'double f(double a, double b) { return a * b; }' 'double f(int a) { return a; }' \
              'long double f(long double a) { return a + 1; }' 'float f(float a) { return a < 1 ? 1 : a; }' \
              'int f(double a) { return (int)a; }'; do
    echo "$body" >"$work/float.c"
    "${CC:-cc}" -O2 -c -o "$work/float.o" "$work/float.c"
    if judge "$work/float.o" >/dev/null; then echo "does not see: $body"; exit 1; fi
  done
  echo 'struct s { long a[8]; }; void f(struct s *a, const struct s *b) { *a = *b; }' >"$work/whole.c"
  "${CC:-cc}" -O2 -c -o "$work/whole.o" "$work/whole.c"
  judge "$work/whole.o"
  echo "sees it"
  exit 0
fi

library=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
bad=0
for object in "$@"; do
  (cd "$work" && ar x "$library" "$object")
  [ -s "$work/$object" ] || { echo "$library has no $object"; exit 1; }
  judge "$work/$object" || bad=1
done
exit $bad
