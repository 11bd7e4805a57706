// SPDX-License-Identifier: Apache-2.0
// What an answer means, status by status, for each kind.
#include "forward_kit.h"

enum { T = WN_FATE_TAKEN, A = WN_FATE_AGAIN, S = WN_FATE_SMALLER, X = WN_FATE_STOP };

static wn_sink_verdict v;

static void judge(const char *kind, size_t n, int status, int64_t retry_after_s, bool maybe_sent,
                  const char *body) {
    wn_destination to = destination_of(kind);
    wn_public_head head = crowd_head();
    wn_sink_batch batch = {.to = &to, .head = &head, .rows = crowd_rows, .n = n, .now_s = DAY_END_S + 7200};
    wn_sink_answer a = {.status = status,
                        .maybe_sent = maybe_sent,
                        .retry_after_s = retry_after_s,
                        .body = {(const uint8_t *)body, strlen(body)}};
    memset(&v, 0xAA, sizeof v); // what is not set shows
    wn_sink_by_kind(kind)->judge(&batch, &a, &v);
}

Test(sinks_judge, each_status_for_each_kind) {
    static const char *const kinds[] = {"file", "webhook", "mixpanel", "ga4", "hubspot", "clickhouse"};
    static const struct {
        int status;
        int fate[WN_COUNT(kinds)];
    } rows[] = {
        {0, {A, A, A, A, A, A}},   {200, {T, T, T, T, T, T}}, {201, {T, T, T, T, T, T}},
        {204, {T, T, T, T, T, T}}, {301, {X, X, X, X, X, X}}, {302, {X, X, X, X, X, X}},
        {304, {X, X, X, X, X, X}}, {400, {S, S, S, S, S, S}}, {401, {X, X, X, X, X, X}},
        {403, {X, X, X, X, X, X}}, {404, {X, X, X, X, X, X}}, {405, {X, X, X, X, X, X}},
        {408, {A, A, A, A, A, A}}, {410, {X, X, X, X, X, X}}, {413, {S, S, S, S, S, S}},
        {422, {S, S, S, S, S, S}}, {423, {A, A, A, A, A, A}}, {425, {A, A, A, A, A, A}},
        {429, {A, A, A, A, A, A}}, {500, {A, A, A, A, A, A}}, {502, {A, A, A, A, A, A}},
        {503, {A, A, A, A, A, A}}, {504, {A, A, A, A, A, A}}, {207, {T, T, T, T, S, T}},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        for (size_t k = 0; k < WN_COUNT(kinds); k++) {
            judge(kinds[k], 3, rows[i].status, -1, false, "");
            cr_assert_eq((int)v.fate, rows[i].fate[k], "%s: %d", kinds[k], rows[i].status);
            cr_assert(v.refused_n == 0 && !v.doubtful, "%s: %d", kinds[k], rows[i].status);
        }
}

Test(sinks_judge, what_a_receiver_asks_is_kept) {
    static const char *const kinds[] = {"webhook", "mixpanel", "ga4", "hubspot", "clickhouse"};
    for (size_t k = 0; k < WN_COUNT(kinds); k++) {
        judge(kinds[k], 3, 429, 77, false, "");
        cr_assert(v.fate == WN_FATE_AGAIN && v.wait_s == 77, "%s", kinds[k]);
        judge(kinds[k], 3, 503, 78, false, "");
        cr_assert(v.fate == WN_FATE_AGAIN && v.wait_s == 78, "%s", kinds[k]);
        judge(kinds[k], 3, 200, 79, false, "");
        cr_assert(v.fate == WN_FATE_TAKEN && v.wait_s == 0, "%s", kinds[k]);
    }
}

// Only Google knows no repeats: what may be there is not sent twice.
Test(sinks_judge, no_answer_is_a_repeat_but_for_ga4) {
    static const char *const kinds[] = {"webhook", "mixpanel", "hubspot", "clickhouse"};
    for (size_t k = 0; k < WN_COUNT(kinds); k++) {
        judge(kinds[k], 3, 0, -1, true, "");
        cr_assert(v.fate == WN_FATE_AGAIN && !v.doubtful, "%s", kinds[k]);
    }
    judge("ga4", 3, 0, -1, true, "");
    cr_assert(v.fate == WN_FATE_TAKEN && v.doubtful && v.refused_n == 0);
    judge("ga4", 3, 0, -1, false, "");
    cr_assert(v.fate == WN_FATE_AGAIN && !v.doubtful);
    judge("ga4", 3, 500, -1, true, "");
    cr_assert(v.fate == WN_FATE_AGAIN && !v.doubtful);
}

Test(sinks_judge, mixpanel_names_whom_it_refuses_and_keeps_the_rest) {
    static const struct {
        const char *body;
        size_t n;
        uint16_t refused[3];
    } rows[] = {
        {"{\"code\":400,\"failed_records\":[{\"index\":1,\"insert_id\":\"x\",\"field\":\"properties.time\"}]"
         "}",
         1,
         {1}},
        {"{\"failed_records\":[{\"index\": 0},{\"index\" : 2}]}", 2, {0, 2}},
        {"{\"failed_records\":[{\"index\":2},{\"index\":2}]}", 1, {2}},
        {"{\"failed_records\":[{\"index\":3},{\"index\":65537},{\"index\":-1},{\"index\":null},{\"index\":1}]"
         "}",
         1,
         {1}},
        {"{\"failed_records\":[{\"index\":0,\"message\":\"\\\"index\\\":1\"}]}", 1, {0}},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        judge("mixpanel", 3, 400, -1, false, rows[i].body);
        cr_assert_eq(v.fate, WN_FATE_TAKEN, "%s", rows[i].body);
        cr_assert_eq(v.refused_n, rows[i].n, "%s", rows[i].body);
        cr_assert_arr_eq(v.refused, rows[i].refused, rows[i].n * sizeof *v.refused);
    }
    static const char *const none[] = {"",
                                       "{\"error\":\"some data points in the request failed validation\"}",
                                       "{\"failed_records\":[]}", "{\"index\":", "\"index\""};
    for (size_t i = 0; i < WN_COUNT(none); i++) {
        judge("mixpanel", 3, 400, -1, false, none[i]);
        cr_assert(v.fate == WN_FATE_SMALLER && v.refused_n == 0, "%s", none[i]);
    }
    judge("mixpanel", 3, 500, -1, false, rows[0].body);
    cr_assert(v.fate == WN_FATE_AGAIN && v.refused_n == 0);
}

Test(sinks_judge, hubspot_s_207_is_looked_at_row_by_row) {
    static const char some[] =
        "{\"status\":\"COMPLETE\",\"results\":[],\"errors\":[{\"category\":\"VALIDATION_ERROR\"}]}";
    judge("hubspot", 2, 207, -1, false, some);
    cr_assert(v.fate == WN_FATE_SMALLER && v.refused_n == 0);
    judge("hubspot", 1, 207, -1, false, some);
    cr_assert(v.fate == WN_FATE_TAKEN && v.refused_n == 1 && v.refused[0] == 0);
    judge("hubspot", 1, 207, -1, false, "{\"results\":[{}]}");
    cr_assert(v.fate == WN_FATE_TAKEN && v.refused_n == 0);
}

Test(sinks_judge, hubspot_s_daily_limit_lasts_until_midnight) {
    judge("hubspot", 3, 429, -1, false, "{\"policyName\":\"DAILY\"}");
    cr_assert(v.fate == WN_FATE_AGAIN && v.wait_s == 86400 - (DAY_END_S + 7200) % 86400, "%lld",
              (long long)v.wait_s);
    judge("hubspot", 3, 429, -1, false, "{\"policyName\":\"TEN_SECONDLY_ROLLING\"}");
    cr_assert(v.fate == WN_FATE_AGAIN && v.wait_s == 10);
    judge("hubspot", 3, 429, 3, false, "{\"policyName\":\"DAILY\"}");
    cr_assert(v.fate == WN_FATE_AGAIN && v.wait_s == 3);
}
