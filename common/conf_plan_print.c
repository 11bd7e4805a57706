// SPDX-License-Identifier: Apache-2.0
// conf_plan_print.c: a plan as text: what it amounts to, and what it gives away.
#include <stdarg.h>
#include <string.h>

#include "conf.h"

// Appends to a bounded line; "-" is what an empty one prints as.
typedef struct words {
    char line[160];
    size_t n;
} words;

static void add(words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(words *w, const char *fmt, ...) {
    va_list args;
    int n = snprintf(w->line + w->n, sizeof w->line - w->n, "%s", w->n != 0 ? "," : "");
    w->n += (size_t)n;
    va_start(args, fmt);
    n = vsnprintf(w->line + w->n, sizeof w->line - w->n, fmt, args);
    va_end(args);
    WN_ASSERT(n >= 0 && (size_t)n < sizeof w->line - w->n);
    w->n += (size_t)n;
}

static void put(FILE *out, int width, const words *w) {
    fprintf(out, "%-*s ", width, w->n != 0 ? w->line : "-");
}

static void print_table(const wn_table *t, FILE *out) {
    static const char *const kinds[] = {"view", "event", "session"};
    static const char *const measures[] = {"people", "events", "sessions", "bounces", "time"};
    words dims = {.n = 0}, of = {.n = 0}, shows = {.n = 0}, share = {.n = 0}, cells = {.n = 0},
          clamp = {.n = 0};
    for (unsigned i = 0; i < t->dims_n; i++) add(&dims, "%s", wn_dim_name(t->dims[i]));
    for (unsigned i = 0; i < WN_COUNT(kinds); i++)
        if (t->kinds >> (WN_OBS_VIEW + i) & 1) add(&of, "%s", kinds[i]);
    for (unsigned i = 0; i < WN_COUNT(measures); i++)
        if (t->measures >> i & 1) add(&shows, "%s", measures[i]);
    if (t->measures & WN_MEASURE_NUMBER1) add(&shows, "number1<=%u", t->number_clamp);
    if (t->measures & WN_MEASURE_NUMBER2) add(&shows, "number2<=%u", t->number_clamp);
    if (t->share) add(&share, "yes");
    if (t->cells != 0) add(&cells, "%u", t->cells);
    if (t->profile == WN_PROFILE_CROWD) add(&clamp, "%u", t->clamp);
    fprintf(out, "%-18s ", t->id);
    put(out, 20, &dims);
    put(out, 14, &of);
    put(out, 35, &shows);
    fprintf(out, "%-9s %-7s ", wn_purpose_name((wn_purpose)t->purpose),
            t->profile == WN_PROFILE_NOISE ? "noise" : "crowd");
    put(out, 5, &share);
    put(out, 5, &cells);
    put(out, 5, &clamp);
    fprintf(out, "%3u  %s\n", t->k, t->doc);
}

static void print_noise(const wn_noise_terms *n, FILE *out) {
    if (n->rho_micro == 0) {
        fputs("noise: none\n", out);
        return;
    }
    fprintf(
        out,
        "noise: rho %u.%06u a window, people %s, at most %u cells a person's going changes, variance %llu",
        n->rho_micro / 1000000, n->rho_micro % 1000000, n->signed_only ? "signed" : "all", n->l0,
        (unsigned long long)n->variance_num);
    if (n->variance_den != 1) fprintf(out, "/%llu", (unsigned long long)n->variance_den);
    fprintf(out, ", a row is shown from %u on (closed) or %u (open)\n", n->threshold_closed,
            n->threshold_open);
}

static void print_receivers(const wn_plan *p, FILE *out) {
    if (p->receivers_n == 0) fputs("receivers: none\n", out);
    for (size_t r = 0; r < p->receivers_n; r++) {
        fprintf(out, "receiver %s:", p->receiver[r]);
        for (size_t i = 0; i < p->n; i++)
            if (p->table[i].receivers >> r & 1) fprintf(out, " %s", p->table[i].id);
        fputs("\n", out);
    }
}

void wn_plan_print(const wn_plan *p, FILE *out) {
    fprintf(out, "plan version %u, digest ", p->version);
    for (size_t i = 0; i < sizeof p->digest; i++) fprintf(out, "%02x", p->digest[i]);
    fputs("\n", out);
    print_noise(&p->noise, out);
    print_receivers(p, out);
    fprintf(out, "%-18s %-20s %-14s %-35s %-9s %-7s %-5s %-5s %-5s %3s  %s\n", "table", "dimensions", "of",
            "measures", "purpose", "profile", "share", "cells", "clamp", "k", "doc");
    for (size_t i = 0; i < p->n; i++) print_table(&p->table[i], out);
}

// ---- what it gives away ----

static const wn_table *first_for(const wn_plan *p, uint8_t receivers, wn_profile profile) {
    for (size_t i = 0; i < p->n; i++)
        if (p->table[i].receivers & receivers && p->table[i].profile == profile) return &p->table[i];
    return NULL;
}

bool wn_plan_crowd_beside_noise(const wn_plan *p, size_t receiver, const wn_table **out_crowd,
                                const wn_table **out_noise) {
    WN_ASSERT(receiver < p->receivers_n);
    const wn_table *crowd = first_for(p, (uint8_t)(1u << receiver), WN_PROFILE_CROWD),
                   *noise = first_for(p, (uint8_t)(1u << receiver), WN_PROFILE_NOISE);
    if (crowd == NULL || noise == NULL) return false;
    if (out_crowd != NULL) *out_crowd = crowd;
    if (out_noise != NULL) *out_noise = noise;
    return true;
}

bool wn_plan_mixes(const wn_plan *p) {
    const wn_table *crowd, *noise;
    for (size_t r = 0; r < p->receivers_n; r++)
        if (wn_plan_crowd_beside_noise(p, r, &crowd, &noise)) return true;
    return false;
}

size_t wn_plan_warn(const wn_plan *p, FILE *out) {
    size_t n = 0, pairs = 0;
    const wn_table *crowd, *noise;
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        if (t->contract[0] == '\0') continue;
        fprintf(out,
                "warning: table %s goes out as a crowd under the contract \"%s\": a receiver who knows all "
                "the others "
                "of a row learns exactly whether one more person was there\n",
                t->id, t->contract);
        n++;
    }
    for (size_t r = 0; r < p->receivers_n; r++) {
        if (!wn_plan_crowd_beside_noise(p, r, &crowd, &noise)) continue;
        fprintf(out,
                "warning: receiver %s gets table %s (crowd) beside table %s (noise): for it no epsilon "
                "holds; the "
                "ledger says so\n",
                p->receiver[r], crowd->id, noise->id);
        pairs++;
    }
    // Receivers talk to each other.
    crowd = first_for(p, UINT8_MAX, WN_PROFILE_CROWD), noise = first_for(p, UINT8_MAX, WN_PROFILE_NOISE);
    if (pairs == 0 && crowd != NULL && noise != NULL) {
        fprintf(out,
                "warning: receivers of table %s (crowd) and of table %s (noise) who put them together: for "
                "them no "
                "epsilon holds\n",
                crowd->id, noise->id);
        pairs++;
    }
    return n + pairs;
}
