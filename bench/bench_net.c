// SPDX-License-Identifier: Apache-2.0
// bench_net.c: how often the second net takes ordinary text for an identifier,
// and what it costs. Reads lines, prints counts by kind and never a line.
//
//   winnow-bench-net < TEXT        hits by kind, terms refused, ns a line
//
// Measured on Debian 12 (sources are not kept, only these counts): see
// tests/golden/identifiers.txt, at the end of its head.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "identifiers.h"
#include "terms.h"

enum { LINE_BYTES_MAX = 4096 };

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(void) {
    char line[LINE_BYTES_MAX + 2], out[WN_TERM_BYTES_MAX + 1];
    size_t lines = 0, bytes = 0, hits = 0, by_kind[WN_IDENTIFIER_N] = {0}, terms = 0;
    double in_ns = 0, term_ns = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        wn_span text = {(const uint8_t *)line, strcspn(line, "\n")};
        wn_identifier_kind kind;
        double begin = now_ns();
        bool hit = wn_identifier_in(text, &kind);
        double mid = now_ns();
        terms += wn_term(text, out) > 0;
        term_ns += now_ns() - mid;
        in_ns += mid - begin;
        lines++;
        bytes += text.n;
        if (!hit) continue;
        hits++;
        by_kind[kind]++;
    }
    if (lines == 0) return 1;
    double n = (double)lines;
    printf("lines %zu, %.0f bytes each, %.0f ns a look, %.0f ns a term\n", lines, (double)bytes / n,
           in_ns / n, term_ns / n);
    printf("hits %zu (%.3f %%), terms kept %.2f %%\n", hits, 100 * (double)hits / n, 100 * (double)terms / n);
    for (unsigned k = 0; k < WN_IDENTIFIER_N; k++)
        if (by_kind[k] > 0) printf("  %-12s %zu\n", wn_identifier_name((wn_identifier_kind)k), by_kind[k]);
    return 0;
}
