// SPDX-License-Identifier: Apache-2.0
// Runs tests/golden/identifiers.txt through the second net. Fails too when a
// kind has fewer than three hits or three near misses.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identifiers.h"

enum { LINE_MAX_BYTES = 1024, EACH_MIN = 3 };

static size_t unescape(char *s) {
    char *to = s;
    for (const char *p = s; *p != '\0'; p++) {
        if (*p != '\\') {
            *to++ = *p;
            continue;
        }
        p++;
        if (*p == 'x') {
            char hex[3] = {p[1], p[2], '\0'};
            *to++ = (char)strtoul(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p;
        }
    }
    return (size_t)(to - s);
}

static wn_identifier_kind kind_by_name(const char *name) {
    unsigned k = 0;
    while (k < WN_IDENTIFIER_N && strcmp(wn_identifier_name((wn_identifier_kind)k), name) != 0) k++;
    cr_assert_lt(k, (unsigned)WN_IDENTIFIER_N, "no kind %s", name);
    return (wn_identifier_kind)k;
}

Test(identifiers_golden, every_line_is_judged_as_written_and_every_kind_has_both_sides) {
    size_t hits[WN_IDENTIFIER_N] = {0}, near[WN_IDENTIFIER_N] = {0}, ordinary = 0;
    char line[LINE_MAX_BYTES];
    FILE *in = fopen(WN_GOLDEN_FILE, "r");
    cr_assert_not_null(in);
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') continue;
        char *text = strchr(line, '\t');
        cr_assert_not_null(text, "%s", line);
        *text++ = '\0';
        size_t n = unescape(text);
        wn_identifier_kind got = WN_IDENTIFIER_N, want = WN_IDENTIFIER_N;
        bool hit = wn_identifier_in((wn_span){(const uint8_t *)text, n}, &got);
        if (line[0] == '-') ordinary++;
        else if (line[0] == '~') near[kind_by_name(line + 1)]++;
        else hits[want = kind_by_name(line)]++;
        cr_expect_eq(got, want, "%s: %.*s is said to hold %s", line, (int)n, text, wn_identifier_name(got));
        cr_expect_eq(hit, want != WN_IDENTIFIER_N, "%s", line);
    }
    fclose(in);
    cr_expect_gt(ordinary, 30);
    for (unsigned k = 0; k < WN_IDENTIFIER_N; k++) {
        if (k == WN_IDENTIFIER_too_long) continue; // no line is as long; see test_identifiers
        const char *name = wn_identifier_name((wn_identifier_kind)k);
        cr_expect_geq(hits[k], EACH_MIN, "%s has %zu hits", name, hits[k]);
        cr_expect_geq(near[k], EACH_MIN, "%s has %zu near misses", name, near[k]);
    }
}
