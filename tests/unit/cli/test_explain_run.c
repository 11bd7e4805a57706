// SPDX-License-Identifier: Apache-2.0
// One event through the real filter under throw-away keys.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain_matrix.h"
#include "explain_run.h"

static wn_bench *bench;
static wn_site site = {.name = "site", .zone = "UTC"};
static wn_explained e;
static const char *why;

static void setup(void) {
    site.tag = wn_site_tag("site");
    cr_assert_eq(wn_bench_new(&bench), WN_OK);
}

static void teardown(void) {
    wn_explained_fini(&e);
    wn_bench_free(bench);
}

static const wn_trace_step *step(wn_field f) {
    for (size_t i = 0; i < e.trace.n; i++) {
        if (e.trace.step[i].field == f) return &e.trace.step[i];
    }
    return NULL;
}

static bool json(const wn_explain_sender *s, const char *text) {
    wn_explained_fini(&e);
    return wn_bench_json(bench, s, text, strlen(text), &e, &why);
}

Test(explain_run, what_is_no_event_is_said_to_be_none, .init = setup, .fini = teardown) {
    wn_explain_sender s = {.site = &site};
    cr_assert(!json(&s, ""));
    cr_assert(!json(&s, "[]"));
    cr_assert(!json(&s, "{\"name\":"));
    cr_assert(!json(&s, "{} {}"));
    wn_explained_fini(&e);
    cr_assert(!wn_bench_line(bench, &s, "nonsense", 8, &e, &why));
}

Test(explain_run, nothing_stays_of_a_person_who_refused, .init = setup, .fini = teardown) {
    wn_explain_sender s = {.site = &site, .purposes = ""};
    cr_assert(json(&s, "{\"name\":\"pageview\",\"url\":\"/a\"}"));
    cr_assert_eq(e.verdict, WN_VERDICT_refused);
}

Test(explain_run, events_own_purposes_stand_before_those_given, .init = setup, .fini = teardown) {
    wn_explain_sender s = {.site = &site, .purposes = "basic,measure"};
    cr_assert(
        json(&s, "{\"name\":\"pageview\",\"url\":\"/a\",\"user_id\":\"ann-4711\",\"purposes\":[\"basic\"]}"));
    cr_assert_eq(e.verdict, WN_KEEP);
    cr_assert_str_eq(step(WN_FIELD_user_id)->outcome, "dropped: needs measure");
    cr_assert(json(&s, "{\"name\":\"pageview\",\"url\":\"/a\",\"user_id\":\"ann-4711\"}"));
    cr_assert_str_eq(step(WN_FIELD_user_id)->outcome, "keyed: person");
}

Test(explain_run, only_a_server_key_may_state_an_address, .init = setup, .fini = teardown) {
    wn_explain_sender s = {.site = &site};
    const char *text = "{\"name\":\"pageview\",\"url\":\"/a\",\"ip\":\"192.0.2.7\"}";
    cr_assert(json(&s, text));
    cr_assert_eq(e.verdict, WN_VERDICT_not_allowed);
    s.server = true;
    cr_assert(json(&s, text));
    cr_assert_eq(e.verdict, WN_KEEP);
    cr_assert_null(e.leak);
    cr_assert_eq(e.given_n, 3);
}

Test(explain_run, a_log_line_of_any_age_is_explained, .init = setup, .fini = teardown) {
    wn_explain_sender s = {.site = &site};
    const char *line =
        "192.0.2.9 - - [20/Nov/2020:10:00:00 +0000] \"GET /docs/intro?mail=a@b.example HTTP/1.1\" 200 512 "
        "\"https://www.search.example/q\" \"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 "
        "Firefox/143.0\"";
    cr_assert(wn_bench_line(bench, &s, line, strlen(line), &e, &why));
    cr_assert_eq(e.verdict, WN_KEEP, "%s", wn_verdict_name(e.verdict));
    cr_assert_str_eq(step(WN_FIELD_url)->out, "/docs/intro");
    cr_assert_null(e.leak);
}

Test(explain_run, a_planted_leak_is_found, .init = setup, .fini = teardown) {
    // The id is also the page's name, which travels by rule: the check must not look away.
    wn_explain_sender s = {.site = &site, .purposes = "basic,measure"};
    cr_assert(json(&s, "{\"name\":\"pageview\",\"url\":\"/pricing\",\"user_id\":\"pricing\"}"));
    cr_assert_eq(e.verdict, WN_KEEP);
    cr_assert_str_eq(e.leak, "user_id");
}

Test(explain_run, an_id_in_the_name_or_in_another_letter_case_is_found, .init = setup, .fini = teardown) {
    static const struct {
        const char *text, *leak;
    } cases[] = {
        {"{\"name\":\"ann_meyer\",\"url\":\"/a\",\"user_id\":\"ann_meyer\"}", "user_id"},
        {"{\"name\":\"Ann_Meyer\",\"url\":\"/a\",\"anonymous_id\":\"ANN_MEYER\"}", "anonymous_id"},
        {"{\"name\":\"pageview\",\"url\":\"/team/annmeyer/\",\"device_id\":\"annmeyer\"}", "device_id"},
        {"{\"name\":\"pageview\",\"url\":\"/team/annmeyer?who=annmeyer\"}", "url"},
        {"{\"name\":\"annmeyer\",\"url\":\"/a\",\"props\":{\"who\":\"annmeyer\"}}", "props"},
    };
    wn_explain_sender s = {.site = &site, .purposes = "basic,measure"};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        cr_assert(json(&s, cases[i].text));
        cr_assert_eq(e.verdict, WN_KEEP, "case %zu: %s", i, wn_verdict_name(e.verdict));
        cr_assert(e.leak && strcmp(e.leak, cases[i].leak) == 0, "case %zu", i);
    }
}

Test(explain_run, an_id_that_the_filter_takes_out_is_none, .init = setup, .fini = teardown) {
    static const char *const cases[] = {
        "{\"name\":\"ann-4711\",\"url\":\"/a\",\"user_id\":\"ann-4711\"}",
        "{\"name\":\"pageview\",\"url\":\"/u/ann@b.example/x\",\"user_id\":\"ann@b.example\"}",
        "{\"name\":\"annm\",\"url\":\"/a?annmeyer\",\"user_id\":\"other_1\"}",
    };
    wn_explain_sender s = {.site = &site, .purposes = "basic,measure"};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        cr_assert(json(&s, cases[i]));
        cr_assert_eq(e.verdict, WN_KEEP);
        cr_assert(!e.leak && !e.trace.identifying, "case %zu: %s", i, e.leak ? e.leak : "the filter says so");
    }
}

Test(explain_run, matrix_is_the_same_text_on_every_run) {
    char *text[2] = {NULL, NULL};
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        FILE *f = open_memstream(&text[i], &n[i]);
        cr_assert(wn_matrix_print(f));
        fclose(f);
    }
    cr_assert_str_eq(text[0], text[1]);
    for (unsigned f = 0; f < WN_FIELD_N; f++) cr_expect(strstr(text[0], wn_field_name((wn_field)f)));
    cr_assert_null(strstr(text[0], "future"));
    cr_assert_null(strstr(text[0], "4711"));
    free(text[0]);
    free(text[1]);
}
