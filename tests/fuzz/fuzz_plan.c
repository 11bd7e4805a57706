// SPDX-License-Identifier: Apache-2.0
// fuzz_plan.c: any text as a release plan: refused in words, or a plan that
// keeps its promises.
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const wn_plan *p) {
    unsigned cells = 0;
    WN_ASSERT(p->n >= 1 && p->n <= WN_TABLES_MAX && p->table[0].dims_n == 0);
    WN_ASSERT(p->table[0].profile == WN_PROFILE_CROWD && !p->table[0].share);
    WN_ASSERT(p->receivers_n <= WN_RECEIVERS_MAX);
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        bool open = false, noise = t->profile == WN_PROFILE_NOISE;
        unsigned needs = WN_PURPOSE_basic;
        WN_ASSERT(t->dims_n <= 2 && (t->measures & WN_MEASURE_PEOPLE) != 0 && t->kinds != 0);
        for (unsigned d = 0; d < t->dims_n; d++) {
            WN_ASSERT(t->dims[d] < WN_CLOSED_N + WN_OPEN_N);
            open = open || wn_dim_is_open(t->dims[d]);
            if (wn_dim_purpose(t->dims[d]) != WN_PURPOSE_basic) needs = wn_dim_purpose(t->dims[d]);
        }
        WN_ASSERT(t->clamp >= 20 && t->clamp <= 200 && t->purpose == needs);
        WN_ASSERT(t->k == (noise ? open ? 50 : 20 : open ? 20 : 10));
        WN_ASSERT(noise == (t->cells != 0) && (!noise || t->measures == WN_MEASURE_PEOPLE));
        WN_ASSERT(t->receivers == 0 || (t->share && noise == (t->contract[0] == '\0')));
        WN_ASSERT((t->receivers >> p->receivers_n) == 0 && t->number_clamp >= 1);
        cells += t->cells;
        WN_ASSERT(wn_plan_table(p, t->id) == (int)i);
    }
    WN_ASSERT(cells <= WN_NOISE_CELLS_MAX && (cells == 0) == (p->noise.rho_micro == 0));
    WN_ASSERT(p->noise.rho_micro <= WN_RHO_MICRO_MAX);
    FILE *out = fopen("/dev/null", "w");
    if (out == NULL) abort();
    wn_plan_print(p, out);
    (void)wn_plan_warn(p, out);
    fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_plan p;
    char why[200] = "";
    int line = 0;
    char *text = malloc(n + 1);
    if (text == NULL) abort();
    if (n != 0) memcpy(text, data, n);
    text[n] = '\0';
    if (wn_plan_load(text, n, &p, why, sizeof why, &line) == WN_OK) {
        check(&p);
        wn_plan_fini(&p);
    } else {
        WN_ASSERT(memchr(why, '\0', sizeof why) != NULL && why[0] != '\0' && line >= 0);
    }
    free(text);
    return 0;
}
