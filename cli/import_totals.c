// SPDX-License-Identifier: Apache-2.0
// import_totals.c: lines = counted + refused + late + repeated, or the import failed.
#include "import_totals.h"

#include <stdlib.h>
#include <string.h>

static bool add_reasons(wn_totals *t, const wn_reply *r) {
    wn_mp m;
    uint32_t n = 0;
    if (!wn_reply_find(r, "reasons", &m)) return true;
    if (!wn_mp_map(&m, 256, &n)) return false;
    for (uint32_t i = 0; i < n; i++) {
        wn_span name;
        uint64_t count = 0;
        size_t at = 0;
        if (!wn_mp_str(&m, sizeof t->reason[0].name - 1, &name) || !wn_mp_uint(&m, UINT64_MAX / 2, &count))
            return false;
        while (at < t->reasons_n &&
               (strlen(t->reason[at].name) != name.n || memcmp(t->reason[at].name, name.p, name.n) != 0)) {
            at++;
        }
        if (at == WN_TOTALS_REASONS_MAX) return false;
        if (at == t->reasons_n) {
            memcpy(t->reason[at].name, name.p, name.n);
            t->reason[at].name[name.n] = '\0';
            t->reason[at].n = 0;
            t->reasons_n++;
        }
        t->reason[at].n += count;
    }
    return true;
}

void wn_totals_windows(wn_totals *t, const wn_reply *r) {
    wn_mp m;
    uint32_t n = 0;
    if (!wn_reply_find(r, "windows", &m) || !wn_mp_array(&m, 65536, &n)) return;
    for (uint32_t i = 0; i < n; i++) {
        wn_span text;
        bool there = false;
        if (!wn_mp_str(&m, WN_WINDOW_TEXT_BYTES - 1, &text)) return;
        for (size_t j = 0; j < t->windows_n && !there; j++) {
            there = strlen(t->window[j]) == text.n && memcmp(t->window[j], text.p, text.n) == 0;
        }
        if (there) continue;
        if (t->windows_n == t->windows_cap) {
            size_t cap = t->windows_cap ? t->windows_cap * 2 : 64;
            void *more = realloc(t->window, cap * sizeof *t->window);
            if (!more) return;
            t->window = more;
            t->windows_cap = cap;
        }
        memcpy(t->window[t->windows_n], text.p, text.n);
        t->window[t->windows_n++][text.n] = '\0';
    }
}

bool wn_totals_chunk(wn_totals *t, const wn_reply *r, uint32_t lines) {
    int64_t said = 0, counted = 0, late = 0, repeated = 0;
    t->lines += lines;
    wn_totals_windows(t, r);
    if (!wn_reply_number(r, "lines", &said) || said != lines) return false;
    if (!wn_reply_number(r, "counted", &counted) || counted < 0) return false;
    if (wn_reply_number(r, "late", &late) && late < 0) return false;
    if (wn_reply_number(r, "repeated", &repeated) && repeated < 0) return false;
    t->counted += (uint64_t)counted;
    t->late += (uint64_t)late;
    t->repeated += (uint64_t)repeated;
    return add_reasons(t, r);
}

static uint64_t refused(const wn_totals *t) {
    uint64_t sum = 0;
    for (size_t i = 0; i < t->reasons_n; i++) {
        if (strcmp(t->reason[i].name, "late") != 0) sum += t->reason[i].n;
    }
    return sum;
}

bool wn_totals_add_up(const wn_totals *t) {
    return t->counted + refused(t) + t->late + t->repeated == t->lines;
}

// Windows begin with their day: the least and the greatest text are the first and the last.
static void print_days(const wn_totals *t, FILE *out) {
    const char *first = NULL, *last = NULL;
    for (size_t i = 0; i < t->windows_n; i++) {
        if (!first || strcmp(t->window[i], first) < 0) first = t->window[i];
        if (!last || strcmp(t->window[i], last) > 0) last = t->window[i];
    }
    if (!first) return;
    bool one = strncmp(first, last, 10) == 0;
    fprintf(out, "days       %.10s%s%.10s\n", first, one ? "" : " to ", one ? "" : last);
}

bool wn_totals_print(const wn_totals *t, FILE *out) {
    fprintf(out, "lines      %llu\ncounted    %llu\nrefused    %llu\n", (unsigned long long)t->lines,
            (unsigned long long)t->counted, (unsigned long long)refused(t));
    for (size_t i = 0; i < t->reasons_n; i++) {
        if (strcmp(t->reason[i].name, "late") == 0 || t->reason[i].n == 0) continue;
        fprintf(out, "  %-16s %llu\n", t->reason[i].name, (unsigned long long)t->reason[i].n);
    }
    fprintf(out, "late       %llu\n", (unsigned long long)t->late);
    if (t->repeated)
        fprintf(out, "repeated   %llu (known from an earlier import or try; not counted again)\n",
                (unsigned long long)t->repeated);
    print_days(t, out);
    return wn_totals_add_up(t);
}

void wn_totals_fini(wn_totals *t) {
    free(t->window);
    *t = (wn_totals){0};
}
