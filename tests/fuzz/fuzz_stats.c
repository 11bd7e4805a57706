// SPDX-License-Identifier: Apache-2.0
// fuzz_stats.c: any body of the Stats API: refused in words, or a query within
// its bounds that a table answers or none does.
#include <string.h>

#include "stats_ask.h"
#include "web_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool reads(void *ctx, const wn_table *t) {
    (void)ctx, (void)t;
    return true;
}

static void check(const wn_body *b) {
    static wn_plan plan;
    char why[200];
    int line;
    wn_stats_ask ask;
    wn_problem problem = {.kind = WN_PROBLEM_none};
    if (plan.n == 0)
        WN_ASSERT(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line) ==
                  WN_OK);
    if (!wn_stats_parse(b, &ask, &problem)) {
        WN_ASSERT(problem.kind == WN_PROBLEM_bad_query && problem.detail[0]);
        return;
    }
    wn_stats_settle(&ask, 20785);
    WN_ASSERT(ask.from_day <= ask.to_day && ask.to_day - ask.from_day < WN_WEB_DAYS_MAX &&
              ask.time != WN_STATS_AUTO);
    WN_ASSERT(ask.metrics_n > 0 && ask.limit > 0 && ask.limit <= WN_STATS_LIMIT_MAX);
    for (size_t i = 0; i < ask.filters_n; i++) WN_ASSERT(ask.filter[i].values_n > 0 && ask.filter[i].dim);
    const wn_table *t = wn_stats_table(&ask, &plan, reads, NULL, &problem);
    WN_ASSERT(t || problem.detail[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static wn_body body;
    const char *why = NULL;
    if (wn_body_parse((wn_span){data, n}, &body, &why)) {
        WN_ASSERT(body.n > 0 && body.n <= WN_BODY_NODES_MAX && body.node[0].end == body.n);
        check(&body);
    } else {
        WN_ASSERT(why && why[0]);
    }
    return 0;
}
