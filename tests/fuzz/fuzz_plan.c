// SPDX-License-Identifier: Apache-2.0
// fuzz_plan.c: any text as a release plan: refused in words, or a plan that
// keeps its promises.
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const wn_plan *p) {
    WN_ASSERT(p->n >= 1 && p->n <= WN_TABLES_MAX && p->table[0].dims_n == 0);
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        bool open = false;
        WN_ASSERT(t->dims_n <= 2 && (t->measures & WN_MEASURE_PEOPLE) != 0 && t->kinds != 0);
        for (unsigned d = 0; d < t->dims_n; d++) {
            WN_ASSERT(t->dims[d] < WN_CLOSED_N + WN_OPEN_N);
            open = open || wn_dim_is_open(t->dims[d]);
        }
        WN_ASSERT(t->clamp >= 20 && t->clamp <= 200 && t->k == (open ? 20 : 10));
        WN_ASSERT(wn_plan_table(p, t->id) == (int)i);
    }
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
