// SPDX-License-Identifier: Apache-2.0
// The release plan: what must be refused, and with which line.
#include <criterion/criterion.h>
#include <string.h>

#include "conf.h"

#define HEAD "version: 1\ntables:\n"
#define FIRST "  - {id: traffic, doc: Everybody, dimensions: [], of: [view], measures: [people]}\n"
#define ROW(id, dims, of, measures, rest)                                                                    \
    "  - {id: " id ", doc: x, dimensions: [" dims "], of: [" of "], measures: [" measures "]" rest "}\n"

static char why[400];
static int line;

static wn_err load(const char *text) {
    wn_plan p;
    wn_err err = wn_plan_load(text, strlen(text), &p, why, sizeof why, &line);
    if (err == WN_OK) wn_plan_fini(&p);
    return err;
}

Test(conf_plan, refuses_each_mistake_with_its_line_and_words) {
    static const struct {
        const char *text, *says;
        int line;
    } bad[] = {
        {"", "empty", 1},
        {"tables: [\n", "", 0},
        {"- 1\n", "Expecting MAPPING", 1},
        {"version: 1\n", "Missing required mapping field: tables", 0},
        {"version: 1\ntables: []\n", "", 2},
        {"version: 0\ntables:\n" FIRST, "version 0", 1},
        {"version: 1\nnoise: 3\ntables:\n" FIRST, "Unexpected key: noise", 2},
        {HEAD FIRST FIRST, "two tables are called traffic", 4},
        {HEAD ROW("pages", "route", "view", "people", ""), "must have no dimension", 3},
        {HEAD FIRST ROW("Pages", "route", "view", "people", ""), "[a-z][a-z0-9_]*", 4},
        {HEAD FIRST ROW("a2345678901234567890123456789012", "route", "view", "people", ""), "31", 4},
        {HEAD FIRST ROW("pages", "colour", "view", "people", ""), "colour", 4},
        {HEAD FIRST ROW("pages", "route, country, hour", "view", "people", ""), "at most 2", 4},
        {HEAD FIRST ROW("pages", "route, route", "view", "people", ""), "twice", 4},
        {HEAD FIRST ROW("pages", "route", "", "people", ""), "", 4},
        {HEAD FIRST ROW("pages", "route", "click", "people", ""), "click", 4},
        {HEAD FIRST ROW("pages", "route", "view, view", "people", ""), "twice", 4},
        {HEAD FIRST ROW("pages", "route", "view", "events", ""), "must hold people", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people, people", ""), "must hold people", 4},
        {HEAD FIRST ROW("pages", "route", "view", "money", ""), "money", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: 19"), "20 to 200", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: 201"), "20 to 200", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: many"), "", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", k: 2"), "Unexpected key: k", 4},
        {HEAD FIRST ROW("entries", "entry", "view", "people", ""), "of: [session]", 4},
        {HEAD FIRST ROW("a", "route", "view", "people", "") ROW("b", "route", "view", "people, events", ""),
         "released once", 5},
        {HEAD FIRST ROW("a", "route, country", "view", "people", "")
             ROW("b", "country, route", "view", "people", ""),
         "released once", 5},
        {HEAD FIRST ROW("all", "", "view", "people", ""), "released once", 4},
        {HEAD FIRST "---\nversion: 2\n", "more than one document", 1},
        {"version: &v 1\ntables: *v\n", "alias", 2},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_expect_eq(load(bad[i].text), WN_ERR_CONFIG, "%zu: taken", i);
        cr_expect(strstr(why, bad[i].says), "%zu: says %s", i, why);
        cr_expect(why[0], "%zu: says nothing", i);
        if (bad[i].line) cr_expect_eq(line, bad[i].line, "%zu: line %d, not %d", i, line, bad[i].line);
    }
}

Test(conf_plan, refuses_a_nul_inside) {
    wn_plan p;
    static const char text[] = HEAD FIRST "\0" ROW("pages", "route", "view", "people", "");
    cr_assert_eq(wn_plan_load(text, sizeof text - 1, &p, why, sizeof why, &line), WN_ERR_CONFIG);
}

Test(conf_plan, takes_48_tables_and_refuses_49) {
    static char text[16384];
    static const char *const dims[] = {"country", "language", "browser", "system",
                                       "device",  "screen",   "channel", "hour"};
    for (size_t more = 47; more <= 48; more++) {
        strcpy(text, HEAD FIRST);
        size_t at = strlen(text), made = 0;
        for (size_t i = 0; i < WN_COUNT(dims); i++) {
            for (size_t j = 0; j < 6 && made < more; j++, made++) {
                at += (size_t)snprintf(
                    text + at, sizeof text - at,
                    "  - {id: t%zu, doc: x, dimensions: [%s%s%s], of: [%s], measures: [people]}\n", made,
                    dims[i], j > i ? "," : "", j > i ? dims[j] : "",
                    j > i    ? "view"
                    : j == 0 ? "view"
                    : j == 1 ? "event"
                    : j == 2 ? "session"
                    : j == 3 ? "view, event"
                    : j == 4 ? "event, session"
                             : "view, session");
            }
        }
        cr_assert_eq(made, more);
        cr_assert_eq(load(text), more == 47 ? WN_OK : WN_ERR_CONFIG, "%zu: %s", more, why);
    }
}

Test(conf_plan, takes_edges_of_clamp_and_one_set_of_two_populations) {
    cr_assert_eq(load(HEAD FIRST ROW("a", "route", "view", "people",
                                     ", clamp: 20") ROW("b", "route", "view, event", "people", ", clamp: 200")
                          ROW("a23456789012345678901234567890_", "entry", "session", "people, sessions", "")),
                 WN_OK, "%s", why);
}

Test(conf_plan, built_in_plan_is_right_and_derives_k) {
    wn_plan p;
    cr_assert_eq(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &p, why, sizeof why, &line), WN_OK,
                 "%s", why);
    cr_assert_geq(p.n, 2);
    cr_assert_eq(p.table[0].dims_n, 0);
    for (size_t i = 0; i < p.n; i++) {
        const wn_table *t = &p.table[i];
        bool open =
            (t->dims_n > 0 && wn_dim_is_open(t->dims[0])) || (t->dims_n > 1 && wn_dim_is_open(t->dims[1]));
        cr_expect_eq(t->k, open ? 20 : 10, "%s", t->id);
        cr_expect(t->measures & WN_MEASURE_PEOPLE, "%s", t->id);
        cr_expect_eq(wn_plan_table(&p, t->id), (int)i);
    }
    cr_assert_eq(wn_plan_table(&p, "nothing"), -1);
    int pages = wn_plan_table(&p, "pages");
    cr_assert_geq(pages, 0);
    cr_assert_eq(p.table[pages].kinds, 1u << WN_OBS_VIEW);
    cr_assert_str_eq(wn_dim_name(p.table[pages].dims[0]), "route");
    cr_assert_eq(p.table[pages].dims[1], WN_DIM_NONE);
    wn_plan_fini(&p);
}

Test(conf_plan, digest_is_of_the_text) {
    wn_plan a, b;
    cr_assert_eq(wn_plan_load(HEAD FIRST, strlen(HEAD FIRST), &a, why, sizeof why, &line), WN_OK);
    cr_assert_eq(wn_plan_load(HEAD FIRST "# x\n", strlen(HEAD FIRST "# x\n"), &b, why, sizeof why, &line),
                 WN_OK);
    cr_assert_neq(memcmp(a.digest, b.digest, 32), 0);
    wn_plan_fini(&a);
    wn_plan_fini(&b);
}

Test(conf_plan, missing_file_is_not_an_empty_plan) {
    wn_plan p;
    cr_assert_eq(wn_plan_load_file("/nonexistent/plan.yaml", &p, why, sizeof why, &line), WN_ERR_NOTFOUND);
}
