#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""noise_doc.py docs/noise.md: recomputes the numbers of the page's tables and fails where one is not so.

Exact rationals and 60 decimal digits; shares nothing with the C code.
"""
import re
import sys
from decimal import Decimal as D, getcontext
from fractions import Fraction as F

getcontext().prec = 60
DELTA = D(10) ** -8
CELLS = 12


def epsilon(rho):
    """min over a of a·rho + ln(1/(a·delta))/(a-1) + ln(1-1/a): convex in a, so thirds do."""
    def at(a):
        return a * rho - (a * DELTA).ln() / (a - 1) + (1 - 1 / a).ln()
    low, high = D("1.0001"), D(10000)
    for _ in range(200):
        third = (high - low) / 3
        if at(low + third) < at(high - third):
            high -= third
        else:
            low += third
    return at((low + high) / 2)


def tail_from(rho, l0):
    """Least m with Pr[X >= m] <= delta/l0, by summing from the far end."""
    variance = F(l0) / (2 * F(str(rho)))
    y = D(variance.denominator) / (2 * D(variance.numerator))
    weights = []
    while not weights or weights[-1] > D(10) ** -40:
        weights.append((-y * len(weights) ** 2).exp())
    whole, part = 2 * sum(weights) - 1, D(0)
    for x in range(len(weights) - 1, 0, -1):
        part += weights[x]
        if part / whole > DELTA / l0:
            return x + 1
    return 1


def shown(value, like):
    """`value` with as many decimals as the text `like` has."""
    decimals = len(like.split(".")[1]) if "." in like else 0
    return f"{value:.{decimals}f}"


def rows_of(page, first):
    """Cells of the table whose header begins with `first`."""
    lines = page.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[at + 2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def check(page):
    wrong, seen = [], 0

    def same(said, value):
        nonlocal seen
        seen += 1
        if said != shown(value, said):
            wrong.append(f"says {said}, is {value:.4f}")

    for row in rows_of(page, "ρ a window"):
        rho = D(re.match(r"[0-9.]+", row[0]).group())
        sigma = (D(CELLS) / (2 * rho)).sqrt()
        for said, value in zip(row[1:5], (epsilon(rho), epsilon(30 * rho), sigma, D("1.959964") * sigma)):
            same(said, value)
        for said, l0 in ((row[5], CELLS), (row[6], 2 * CELLS)):
            m = tail_from(rho, l0)
            seen += 1
            if said != f"{20 + m} / {50 + m}":
                wrong.append(f"rho {rho}, L0 {l0}: says {said}, is {20 + m} / {50 + m}")
    for row in rows_of(page, "pseudonyms"):
        rho = D("0.03") * int(row[0]) ** 2
        for said, value in zip(row[1:], (rho, epsilon(rho), epsilon(30 * rho))):
            same(said, value)
    return wrong, seen


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        page = f.read()
    wrong, seen = check(page)
    if seen != 27:
        wrong.append(f"the tables have {seen} numbers, not 27")
    # A page with one wrong digit must not pass.
    broken, _ = check(page.replace("| 1.34 | 8.46 | 14.1 |", "| 1.33 | 8.46 | 14.1 |"))
    if not broken:
        wrong.append("a wrong number was not seen")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
