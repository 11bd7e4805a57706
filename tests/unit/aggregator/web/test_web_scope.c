// SPDX-License-Identifier: Apache-2.0
// What a reader may not see, they cannot tell from what they may: two states of the store that differ in
// that alone give the same answers, headers included.
#include <stdlib.h>
#include <string.h>

#include "web_rig.h"

TestSuite(web_scope, .init = rig_setup, .fini = rig_teardown);

#define ANSWERS_MAX 24
static char bearer[64];

static char *ask(const char *path, const char *more) {
    char headers[400];
    snprintf(headers, sizeof headers, "Authorization: %s\r\n%s", bearer, more);
    return rig_get(path, headers);
}

static const char *const noise_only[] = {
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&limit=1",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&by=day",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&format=csv",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&format=ndjson",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&format=msgpack",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22&format=meta",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-22&to=2026-11-22",
    "/api/v1/sites",
    "/api/v1/tables?site=shop",
    "/.well-known/winnow.json",
    "/healthz",
};
static const char *const one_site[] = {
    "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-22",
    "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-22&limit=1",
    "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-22&by=day&format=msgpack",
    "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-22&format=meta",
    "/api/v1/report?site=shop&table=traffic&from=2026-11-20&to=2026-11-22",
    "/api/v1/report?site=shop&table=n_all&from=2026-11-20&to=2026-11-22",
    "/api/v1/report?site=other&table=pages",
    "/api/v1/sites",
    "/api/v1/tables",
    "/.well-known/winnow.json",
};

static void take(const char *const *path, size_t n, char *out[ANSWERS_MAX]) {
    for (size_t i = 0; i < n; i++) {
        out[i] = ask(path[i], "");
        cr_assert(rig_status(out[i]) == 200 || strstr(path[i], "site=other"), "%s: %.80s", path[i], out[i]);
    }
}

static void same(const char *const *path, size_t n, char *was[ANSWERS_MAX]) {
    for (size_t i = 0; i < n; i++) {
        char *is = ask(path[i], "");
        cr_expect_str_eq(is, was[i], "%s changed from\n%s\nto\n%s", path[i], was[i], is);
        free(is);
        free(was[i]);
    }
}

// The same of the other API; malloc'ed.
static char *query(void) {
    static const char body[] = "{\"site_id\":\"shop\",\"metrics\":[\"visitors\"],\"date_range\":"
                               "[\"2026-11-20\",\"2026-11-22\"]}";
    char request[600];
    snprintf(request, sizeof request,
             "POST /api/v2/query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: %s\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             bearer, sizeof body - 1, body);
    char *answer = rig_raw(request, NULL);
    cr_assert_eq(rig_status(answer), 200, "%s", answer);
    return answer;
}

static const char *const two[] = {"/", "/pricing"};

// A first sealed day, and today's live rows; then what moves beside them.
static void first_day(void) {
    rig_note(&(wn_ledger_entry){.at_s = 1, .what = WN_LEDGER_INSTALL});
    rig_publish("shop", "pages", 0, 7, true, two, (uint32_t[]){40, 20}, 2);
    rig_publish("shop", "traffic", 0, 7, true, NULL, (uint32_t[]){60}, 1);
    rig_publish("shop", "n_all", 0, 7, true, NULL, (uint32_t[]){63}, 1);
    rig_publish("shop", "pages", 2, 3, false, two, (uint32_t[]){40, 20}, 2);
    rig_publish("shop", "traffic", 2, 3, false, NULL, (uint32_t[]){60}, 1);
}

Test(web_scope, a_noise_only_receiver_sees_no_crowd_row_step) {
    char *was[ANSWERS_MAX];
    first_day();
    rig_key(&(wn_api_key){.name = "rcv", .receiver = "hook"}, bearer);
    rig_open();
    take(noise_only, WN_COUNT(noise_only), was);
    rig_publish("shop", "pages", 2, 4, false, two, (uint32_t[]){60, 20}, 2);
    rig_publish("shop", "traffic", 2, 4, false, NULL, (uint32_t[]){80}, 1);
    rig_note(&(wn_ledger_entry){.at_s = 5, .what = WN_LEDGER_KEYS_BORN, .window = "UTC-web-2026-11-23"});
    same(noise_only, WN_COUNT(noise_only), was);
}

// A noise table's head says how often its window was published, which is how often a crowd row stepped.
Test(web_scope, a_seal_tells_the_noisy_rows_alone) {
    char *was[ANSWERS_MAX];
    first_day();
    rig_key(&(wn_api_key){.name = "rcv", .receiver = "hook"}, bearer);
    rig_open();
    take(noise_only, WN_COUNT(noise_only), was);
    char *query_was = query();
    rig_teardown();
    rig_setup();
    first_day();
    rig_publish("shop", "n_all", 1, 2, true, NULL, NULL, 0);
    rig_key(&(wn_api_key){.name = "rcv", .receiver = "hook"}, bearer);
    rig_open();
    for (size_t i = 0; i < WN_COUNT(noise_only); i++) {
        char *is = ask(noise_only[i], ""), *at = strstr(was[i], "ETag"), *now = strstr(is, "ETag");
        if (at && now && strncmp(noise_only[i], "/api/v1/report", 14) == 0) // keys differ, so tags do
            memcpy(at, now, strcspn(now, "\r"));
        cr_expect_str_eq(is, was[i], "%s", noise_only[i]);
        cr_expect(!strstr(is, "\"tick\":7"));
        free(is);
        free(was[i]);
    }
    char *query_is = query();
    cr_expect_str_eq(query_is, query_was);
    free(query_is);
    free(query_was);
}

Test(web_scope, a_key_of_one_site_sees_no_other_site_move) {
    char *was[ANSWERS_MAX];
    wn_api_key key = {.name = "shop-team", .sites_n = 1};
    strcpy(key.site[0], "shop");
    first_day();
    rig_key(&key, bearer);
    rig_open();
    take(one_site, WN_COUNT(one_site), was);
    cr_expect(strstr(was[1], "\"next\":\""), "%s", was[1]);
    // As the aggregator publishes: a step anywhere in the window writes all of its tables again.
    rig_publish("other", "pages", 2, 4, false, two, (uint32_t[]){60, 20}, 2);
    rig_publish("shop", "pages", 2, 4, false, two, (uint32_t[]){40, 20}, 2);
    rig_publish("shop", "traffic", 2, 4, false, NULL, (uint32_t[]){60}, 1);
    rig_note(&(wn_ledger_entry){.at_s = 5, .what = WN_LEDGER_KEYS_BORN, .window = "UTC-web-2026-11-23"});
    same(one_site, WN_COUNT(one_site), was);
}

static void tag_of(const char *answer, char out[40]) {
    const char *at = strstr(answer, "ETag: ");
    cr_assert(at, "%.200s", answer);
    snprintf(out, 40, "%.34s", at + 6);
}

// What they may see still moves: tag, page and cursor.
Test(web_scope, a_narrow_key_is_told_of_its_own_rows) {
    char tag[40], again[40], headers[100], path[300];
    wn_api_key key = {.name = "shop-team", .sites_n = 1};
    strcpy(key.site[0], "shop");
    first_day();
    rig_key(&key, bearer);
    rig_open();
    char *first = ask(one_site[1], "");
    tag_of(first, tag);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", tag);
    char *unchanged = ask(one_site[1], headers);
    cr_expect_eq(rig_status(unchanged), 304);
    char *next = strstr(first, "\"next\":\"");
    cr_assert(next);
    snprintf(path, sizeof path, "%s&cursor=%.*s", one_site[1], (int)strcspn(next + 8, "\""), next + 8);
    char *second = ask(path, "");
    cr_expect_eq(rig_status(second), 200);
    cr_expect(strstr(second, "\"/pricing\""));
    rig_publish("shop", "pages", 2, 5, false, two, (uint32_t[]){60, 20}, 2);
    char *moved = ask(one_site[1], headers), *stale = ask(path, "");
    tag_of(moved, again);
    cr_expect_eq(rig_status(moved), 200);
    cr_expect_str_neq(tag, again);
    cr_expect_eq(rig_status(stale), 409, "%.100s", stale);
    free(first), free(unchanged), free(second), free(moved), free(stale);
}

Test(web_scope, a_key_made_anew_under_its_name_is_another) {
    char tag[40], again[40], headers[100];
    wn_api_key key = {.name = "partner", .sites_n = 1};
    strcpy(key.site[0], "shop");
    first_day();
    rig_key(&key, bearer);
    rig_open();
    char *first = ask(one_site[0], "");
    tag_of(first, tag);
    rig_keys_drop();
    key.tables_n = 1;
    strcpy(key.table[0], "pages");
    rig_key(&key, bearer);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", tag);
    char *second = ask(one_site[0], headers);
    tag_of(second, again);
    cr_expect_eq(rig_status(second), 200);
    cr_expect_str_neq(tag, again);
    free(first), free(second);
}
