// SPDX-License-Identifier: Apache-2.0
// fuzz_web_query.c: any query string: refused in words, or what it is bounded to be.
#include <string.h>

#include "web_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TODAY 20785

static size_t split(const uint8_t *p, size_t n, wn_web_pair out[WN_WEB_PAIRS_MAX]) {
    size_t pairs = 0, at = 0;
    while (at < n && pairs < WN_WEB_PAIRS_MAX) {
        size_t end = at, equals;
        while (end < n && p[end] != '&') end++;
        for (equals = at; equals < end && p[equals] != '=';) equals++;
        size_t value = equals < end ? equals + 1 : end;
        out[pairs++] = (wn_web_pair){{p + at, equals - at}, {p + value, end - value}};
        at = end + 1;
    }
    return pairs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_web_pair pair[WN_WEB_PAIRS_MAX];
    wn_web_report_ask ask;
    wn_problem problem = {.kind = WN_PROBLEM_none};
    int32_t from, to;
    char site[WN_SITE_NAME_BYTES], cursor[WN_WEB_CURSOR_BYTES];
    size_t pairs = split(data, n, pair);
    if (wn_web_report_parse(pair, pairs, &ask, &problem)) {
        WN_ASSERT(problem.kind == WN_PROBLEM_none && ask.table[0] && ask.format != WN_REPORT_TABLE);
        WN_ASSERT(ask.limit <= WN_WEB_LIMIT_MAX && ask.offset <= WN_REPORT_ROWS_MAX &&
                  !(ask.by_day && ask.limit));
        WN_ASSERT(!ask.site[0] || !wn_site_name_check(ask.site));
        if (wn_web_days(&ask, TODAY, &from, &to, &problem))
            WN_ASSERT(from <= to && to - from < WN_WEB_DAYS_MAX);
        else WN_ASSERT(problem.detail[0]);
        if (ask.has_cursor) wn_web_cursor_write(ask.cursor_state, ask.offset, cursor);
    } else {
        WN_ASSERT(problem.kind != WN_PROBLEM_none && problem.detail[0]);
    }
    (void)wn_web_site_parse(pair, pairs, site, &problem);
    return 0;
}
