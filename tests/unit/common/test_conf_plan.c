// SPDX-License-Identifier: Apache-2.0
// The release plan: what must be refused, and with which line.
#include <criterion/criterion.h>
#include <string.h>

#include "conf.h"

#define HEAD "version: 1\ntables:\n"
#define FIRST                                                                                                \
    "  - {id: traffic, doc: Everybody, purpose: basic, dimensions: [], of: [view], measures: [people]}\n"
// A table of purpose `for`, with `rest` behind.
#define ROW_FOR(id, for, dims, of, measures, rest)                                                           \
    "  - {id: " id ", doc: x, purpose: " for ", dimensions: [" dims "], of: [" of "], measures: [" measures "]" rest "}\n"
#define ROW(id, dims, of, measures, rest) ROW_FOR(id, "basic", dims, of, measures, rest)
#define NOISE(id, dims, cells) ROW(id, dims, "view", "people", ", profile: noise, cells: " #cells)
#define NUMBERED(measures, rest) ROW("a", "country", "view", measures, rest)
#define X31 "a234567890123456789012345678901"
#define X127 X31 X31 X31 X31 "abc"

static char why[400];
static int line;

static wn_err load(const char *text) {
    wn_plan p;
    wn_err err = wn_plan_load(text, strlen(text), &p, why, sizeof why, &line);
    if (err == WN_OK) wn_plan_fini(&p);
    return err;
}

// A plan that must load; wn_plan_fini it.
static wn_plan good(const char *text) {
    wn_plan p;
    cr_assert_eq(wn_plan_load(text, strlen(text), &p, why, sizeof why, &line), WN_OK, "line %d: %s", line,
                 why);
    return p;
}

typedef struct mistake {
    const char *text, *says;
    int line;
} mistake;

static void refused(const mistake *bad, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(load(bad[i].text), WN_ERR_CONFIG, "%zu: taken", i);
        cr_expect(strstr(why, bad[i].says), "%zu: says %s", i, why);
        cr_expect(why[0], "%zu: says nothing", i);
        if (bad[i].line) cr_expect_eq(line, bad[i].line, "%zu: line %d, not %d", i, line, bad[i].line);
    }
}

Test(conf_plan, refuses_each_mistake_with_its_line_and_words) {
    static const mistake bad[] = {
        {"", "empty", 1},
        {"tables: [\n", "", 0},
        {"- 1\n", "the first key is `version`", 1},
        {"version: 1\n", "tables is missing", 1},
        {"tables:\n" FIRST, "version is missing", 1},
        {"version: 1\ntables: []\n", "tables lists nothing", 2},
        {"version: 1\ntables: 5\n", "must be a list", 2},
        {"version: 0\ntables:\n" FIRST, "version \"0\"", 1},
        {"version: 4294967296\ntables:\n" FIRST, "to 4294967295", 1},
        {"version: 1\nrho: 3\ntables:\n" FIRST, "unknown key \"rho\"", 2},
        {HEAD FIRST FIRST, "two tables are called traffic", 4},
        {HEAD ROW("pages", "route", "view", "people", ""), "must have no dimension", 3},
        {HEAD "  - {id: a, doc: x, purpose: basic, dimensions: [], of: [view], measures: [people],\n     "
              "share: true}\n",
         "no share", 4},
        {HEAD "  - {id: a, doc: x, purpose: basic, dimensions: [], of: [view], measures: [people],\n"
              "     cells: 1,\n     profile: noise}\n",
         "profile crowd", 5},
        {HEAD FIRST ROW("Pages", "route", "view", "people", ""), "[a-z][a-z0-9_]*", 4},
        {HEAD FIRST ROW(X31 "2", "route", "view", "people", ""), "31", 4},
        {HEAD FIRST "  - {id: a, doc: '', purpose: basic, dimensions: [], of: [event], measures: [people]}\n",
         "1 to 127 bytes", 4},
        {HEAD FIRST
         "  - {id: a, doc: \"a\\tb\", purpose: basic, dimensions: [], of: [event], measures: [people]}\n",
         "plain text", 4},
        {HEAD FIRST "  - {id: a, doc: " X127
                    "d, purpose: basic, dimensions: [], of: [event], measures: [people]}\n",
         "1 to 127 bytes", 4},
        {HEAD FIRST ROW("pages", "colour", "view", "people", ""), "there is no \"colour\"", 4},
        {HEAD FIRST ROW("pages", "contry", "view", "people", ""), "did you mean country?", 4},
        {HEAD FIRST ROW("pages", "route, country, hour", "view", "people", ""), "at most 2", 4},
        {HEAD FIRST ROW("pages", "route, route", "view", "people", ""), "twice", 4},
        {HEAD FIRST ROW("pages", "route", "", "people", ""), "of lists nothing", 4},
        {HEAD FIRST ROW("pages", "route", "click", "people", ""), "click", 4},
        {HEAD FIRST ROW("pages", "route", "view, view", "people", ""), "twice", 4},
        {HEAD FIRST ROW("pages", "route", "view", "events", ""), "must hold people", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people, people", ""), "people stands twice", 4},
        {HEAD FIRST ROW("pages", "route", "view", "money", ""), "money", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: 19"), "20 to 200", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: 201"), "20 to 200", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", clamp: many"), "20 to 200", 4},
        {HEAD FIRST ROW("pages", "route", "view", "people", ", k: 2"), "unknown key \"k\"", 4},
        {HEAD FIRST ROW("entries", "entry", "view", "people", ""), "of: [session]", 4},
        {HEAD FIRST ROW("a", "route", "view", "people", "") ROW("b", "route", "view", "people, events", ""),
         "released once", 5},
        {HEAD FIRST ROW("a", "route, country", "view", "people", "")
             ROW("b", "country, route", "view", "people", ""),
         "released once", 5},
        {HEAD FIRST ROW("all", "", "view", "people", ""), "released once", 4},
        {HEAD FIRST "---\nversion: 2\n", "more than one document", 4},
        {"version: &v 1\ntables: *v\n", "anchors", 1},
        {"version: 1\ntables: *v\n", "aliases", 2},
        {"version: !x 1\ntables:\n" FIRST, "tags", 1},
    };
    refused(bad, WN_COUNT(bad));
}

Test(conf_plan, a_table_says_all_that_is_needed_of_it) {
    static const char *const keys[] = {"id: pages",           "doc: Pages", "purpose: basic",
                                       "dimensions: [route]", "of: [view]", "measures: [people]"};
    for (size_t without = 0; without < WN_COUNT(keys); without++) {
        char text[400] = HEAD FIRST "  - {", words[40];
        for (size_t i = 0; i < WN_COUNT(keys); i++)
            if (i != without) strcat(strcat(text, keys[i]), i + 1 < WN_COUNT(keys) ? ", " : "");
        strcat(text, "}\n");
        cr_expect_eq(load(text), WN_ERR_CONFIG, "%s", text);
        snprintf(words, sizeof words, "has no %.*s; example: ", (int)strcspn(keys[without], ":"),
                 keys[without]);
        cr_expect(strstr(why, words), "%s: %s", keys[without], why);
        cr_expect_eq(line, 4);
    }
}

// L-P1: a table is of the purpose for which its values were given, no more and no less.
Test(conf_plan, a_table_has_the_purpose_of_its_dimensions) {
    static const mistake bad[] = {
        {HEAD FIRST ROW_FOR("a", "any", "route", "view", "people", ""), "allowed are basic, measure", 4},
        {HEAD FIRST ROW("a", "term", "view", "people", ""), "term needs another: write purpose: measure", 4},
        {HEAD FIRST ROW("a", "region", "view", "people", ""), "write purpose: locate", 4},
        {HEAD FIRST ROW("a", "age", "view", "people", ""), "write purpose: profile", 4},
        {HEAD FIRST ROW("a", "job", "view", "people", ""), "write purpose: profile", 4},
        {HEAD FIRST ROW("a", "answer", "view", "people", ""), "write purpose: profile", 4},
        {HEAD FIRST ROW("a", "country, region", "view", "people", ""), "write purpose: locate", 4},
        {HEAD FIRST ROW_FOR("a", "profile", "term", "view", "people", ""), "write purpose: measure", 4},
        {HEAD FIRST ROW_FOR("a", "measure", "route", "view", "people", ""), "write purpose: basic", 4},
        {HEAD FIRST ROW_FOR("a", "share", "route", "view", "people", ""), "write purpose: basic", 4},
        {HEAD FIRST ROW_FOR("a", "sensitive", "route", "view", "people", ""), "write purpose: basic", 4},
        {HEAD FIRST ROW_FOR("a", "measure", "", "event", "people", ""), "write purpose: basic", 4},
        {HEAD FIRST ROW_FOR("a", "measure", "term, region", "view", "people", ""),
         "term needs measure and region needs locate: a table has one purpose", 4},
        {HEAD FIRST ROW_FOR("a", "profile", "age, region", "view", "people", ""), "one purpose", 4},
        {HEAD "  - {id: a, doc: x,\n     purpose: measure,\n     dimensions: [], of: [view], measures: "
              "[people]}\n",
         "write purpose: basic", 4},
    };
    refused(bad, WN_COUNT(bad));
    cr_expect_eq(load(HEAD FIRST ROW_FOR("a", "profile", "age, job", "view", "people", "")
                          ROW_FOR("b", "locate", "region, country", "view", "people", "")
                              ROW_FOR("c", "measure", "hour, term", "view", "people", "")),
                 WN_OK, "%s", why);
}

Test(conf_plan, a_measure_is_of_what_the_table_counts) {
    static const mistake bad[] = {
        {HEAD FIRST NUMBERED("people, bounces", ""), "add sessions to `measures`", 4},
        {HEAD FIRST NUMBERED("people, events, time", ""), "add sessions to `measures`", 4},
        {HEAD FIRST ROW("a", "route", "view", "people, sessions, time", ""), "sessions do not carry route",
         4},
        {HEAD FIRST ROW("a", "maker", "session", "people", ""), "sessions do not carry maker", 4},
        {HEAD FIRST NUMBERED("people, number1, number2", ""), "make it two", 4},
        {HEAD FIRST ROW("a", "country", "session", "people, sessions, number1", ""),
         "sessions carry no number", 4},
        {HEAD FIRST ROW("a", "country", "session", "people, sessions, number2", ""),
         "sessions carry no number", 4},
        {HEAD FIRST NUMBERED("people", ", number_clamp: 5"), "number_clamp is of number1 or number2", 4},
        {HEAD FIRST NUMBERED("people, number1", ", number_clamp: 0"), "from 1 to 65535", 4},
        {HEAD FIRST NUMBERED("people, number1", ", number_clamp: 65536"), "from 1 to 65535", 4},
        {HEAD FIRST NUMBERED("people, number1", ", number_clamp: 1.5"), "from 1 to 65535", 4},
    };
    refused(bad, WN_COUNT(bad));
    wn_plan p = good(HEAD FIRST NUMBERED("people, number1", "") ROW(
        "b", "device", "view, session", "people, sessions, bounces, time, number2", ", number_clamp: 65535")
                         ROW("c", "hour", "event", "people, number1", ", number_clamp: 1")
                             ROW("d", "entry", "session", "people, sessions, bounces, time", ""));
    cr_expect_eq(p.table[1].measures, WN_MEASURE_PEOPLE | WN_MEASURE_NUMBER1);
    cr_expect_eq(p.table[1].number_clamp, 1000);
    cr_expect_eq(p.table[2].measures, WN_MEASURE_PEOPLE | WN_MEASURE_SESSIONS | WN_MEASURE_BOUNCES |
                                          WN_MEASURE_TIME | WN_MEASURE_NUMBER2);
    cr_expect(p.table[2].number_clamp == 65535 && p.table[3].number_clamp == 1);
    cr_expect_eq(p.table[4].kinds, 1u << WN_OBS_SESSION);
    wn_plan_fini(&p);
}

Test(conf_plan, noise_is_of_people_alone_in_a_bounded_number_of_cells) {
    static const mistake bad[] = {
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: dots"), "allowed are crowd and noise",
         4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: noise"), "example: cells: 1", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", cells: 1"), "cells is of profile noise", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: crowd, cells: 1"),
         "cells is of profile", 4},
        {HEAD FIRST NOISE("a", "country", 0), "from 1 to 12", 4},
        {HEAD FIRST NOISE("a", "country", 13), "from 1 to 12", 4},
        {HEAD FIRST NOISE("a", "", 2), "has one cell; write cells: 1", 4},
        {HEAD FIRST ROW("a", "country", "view", "people, events", ", profile: noise, cells: 1"),
         "nothing but people is shown", 4},
        {HEAD FIRST ROW("a", "country", "view", "people, sessions, time", ", profile: noise, cells: 1"),
         "nothing but people is shown", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: noise, cells: 1, clamp: 20"),
         "clamp is of", 4},
        {HEAD FIRST NOISE("a", "country", 12) NOISE("b", "browser", 1),
         "13 cells a person in all noise tables", 5},
        {HEAD FIRST NOISE("a", "country", 6) NOISE("b", "browser", 6) ROW("c", "hour", "view", "people", "")
             NOISE("d", "", 1),
         "at most 12", 7},
        {HEAD FIRST NOISE("a", "country", 1) NOISE("b", "country", 1), "released once", 5},
    };
    refused(bad, WN_COUNT(bad));
    wn_plan p = good(HEAD FIRST NOISE("a", "country", 7) NOISE("b", "route, country", 4) NOISE("c", "", 1));
    cr_expect(p.table[1].profile == WN_PROFILE_NOISE && p.table[1].cells == 7 && p.table[1].k == 20);
    cr_expect(p.table[2].cells == 4 && p.table[2].k == 50);
    cr_expect(p.table[3].cells == 1 && p.table[3].k == 20);
    cr_expect(p.table[1].share && !p.table[0].share, "made to leave, whoever receives it yet");
    wn_plan_fini(&p);
    p = good(HEAD FIRST NOISE("a", "country", 12));
    cr_expect_eq(p.noise.l0, 24, "unsigned people: the cap may displace somebody");
    wn_plan_fini(&p);
}

// The same dimensions may be counted of everybody and of those who share, and of these be shown in either profile.
Test(conf_plan, a_population_is_dimensions_kinds_share_and_profile) {
    cr_expect_eq(
        load(HEAD FIRST ROW("a", "country", "view", "people", "")
                 ROW("b", "country", "view", "people", ", share: true")
                     ROW("c", "country", "view", "people", ", profile: noise, cells: 1")),
        WN_OK, "%s", why);
    static const mistake bad[] = {
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: noise, cells: 1")
             ROW("b", "country", "view", "people", ", profile: noise, cells: 1, share: true"),
         "released once", 5},
        {HEAD FIRST ROW("a", "country", "view", "people", ", profile: noise, cells: 1, share: false"),
         "remove share: false", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", share: true")
             ROW("b", "country", "view", "people, events", ", receivers: [x], contract: c"),
         "released once", 5},
        {HEAD FIRST ROW("a", "country", "view", "people", ", share: yes"), "allowed are false and true", 4},
    };
    refused(bad, WN_COUNT(bad));
}

Test(conf_plan, the_budget_has_a_maximum_and_is_read_in_integers) {
    static const struct {
        const char *rho;
        uint32_t micro; // 0: refused
    } rows[] = {
        {"strict", 15000},  {"default", 30000}, {"0.1", 100000},     {"0.10", 100000},   {"0.100000", 100000},
        {"0.001", 1000},    {"0.03", 30000},    {"0.012345", 12345}, {"00.05", 50000},   {"0.100001", 0},
        {"0.11", 0},        {"0.000999", 0},    {"0.0", 0},          {"0.1000000", 0},   {"0.0123456", 0},
        {"1", 0},           {"1.0", 0},         {"999.9", 0},        {"0", 0},           {".05", 0},
        {"0.", 0},          {"-0.05", 0},       {"+0.05", 0},        {"5e-2", 0},        {"0,05", 0},
        {"0.05x", 0},       {"none", 0},        {"0.03 ", 30000},    {"4294.967296", 0}, {"\"\"", 0},
        {"99999999.05", 0},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char text[400];
        snprintf(text, sizeof text, "version: 1\nnoise:\n  rho: %s\ntables:\n%s%s", rows[i].rho, FIRST,
                 NOISE("a", "country", 3));
        if (rows[i].micro != 0) {
            wn_plan p = good(text);
            cr_expect_eq(p.noise.rho_micro, rows[i].micro, "%s: %u", rows[i].rho, p.noise.rho_micro);
            cr_expect_eq(p.noise.l0, 6);
            wn_plan_fini(&p);
        } else {
            cr_expect_eq(load(text), WN_ERR_CONFIG, "%s", rows[i].rho);
            cr_expect(strstr(why, "0.001 to 0.1"), "%s: %s", rows[i].rho, why);
            cr_expect_eq(line, 3);
        }
    }
}

Test(conf_plan, noise_terms_are_of_all_noise_tables_and_absent_without_one) {
    wn_plan p = good("version: 1\nnoise: {people: signed}\ntables:\n" FIRST NOISE("a", "country", 3)
                         NOISE("b", "browser", 2));
    cr_expect(p.noise.signed_only && p.noise.l0 == 5 && p.noise.rho_micro == WN_RHO_MICRO_DEFAULT);
    wn_plan_fini(&p);
    p = good("version: 1\nnoise: {rho: strict, people: all}\ntables:\n" FIRST NOISE("a", "country", 3));
    cr_expect(!p.noise.signed_only && p.noise.l0 == 6 && p.noise.rho_micro == WN_RHO_MICRO_STRICT);
    cr_expect(p.noise.threshold_closed > WN_K_NOISE_CLOSED && p.noise.threshold_open > WN_K_NOISE_OPEN);
    wn_plan_fini(&p);
    p = good("version: 1\nnoise: {rho: strict}\ntables:\n" FIRST);
    cr_expect(p.noise.rho_micro == 0 && p.noise.l0 == 0 && p.noise.threshold_closed == 0);
    wn_plan_fini(&p);
    static const mistake bad[] = {
        {"version: 1\nnoise: strict\ntables:\n" FIRST, "the first key is `rho`", 2},
        {"version: 1\nnoise: {people: some}\ntables:\n" FIRST, "allowed are all and signed", 2},
        {"version: 1\nnoise: {epsilon: 1}\ntables:\n" FIRST, "unknown key \"epsilon\"", 2},
    };
    refused(bad, WN_COUNT(bad));
}

#define TO(id, who) NOISE_TO(id, "country", who)
#define NOISE_TO(id, dims, who)                                                                              \
    ROW(id, dims, "view", "people", ", profile: noise, cells: 1, receivers: [" who "]")
#define CROWD_TO(id, dims, who) ROW(id, dims, "view", "people", ", contract: C-1, receivers: [" who "]")

Test(conf_plan, receivers_have_names_and_count_those_who_share) {
    static const mistake bad[] = {
        {HEAD FIRST TO("a", "Acme"), "[a-z][a-z0-9_-]*", 4},
        {HEAD FIRST TO("a", "9a"), "[a-z][a-z0-9_-]*", 4},
        {HEAD FIRST TO("a", "a.b"), "[a-z][a-z0-9_-]*", 4},
        {HEAD FIRST TO("a", "''"), "[a-z][a-z0-9_-]*", 4},
        {HEAD FIRST TO("a", X31 "2"), "at most 31", 4},
        {HEAD FIRST TO("a", "x, x"), "x stands twice", 4},
        {HEAD FIRST TO("a", "[x]"), "not a list", 4},
        {HEAD FIRST TO("a", "r1, r2, r3, r4, r5, r6, r7, r8, r9"), "at most 8", 4},
        {HEAD FIRST TO("a", "r1, r2, r3, r4, r5, r6, r7, r8") NOISE_TO("b", "browser", "r1, r9"),
         "r9 would be one more than the 8", 5},
        {HEAD FIRST ROW("a", "country", "view", "people",
                        ", profile: noise, cells: 1, receivers: [x], share: false"),
         "remove share: false", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", receivers: [x]"), "by a named contract a crowd",
         4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", contract: c"),
         "contract is of a crowd table with", 4},
        {HEAD FIRST ROW("a", "country", "view", "people",
                        ", profile: noise, cells: 1, receivers: [x], contract: c"),
         "contract is of a crowd table with", 4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", receivers: [x], contract: ''"), "1 to 127 bytes",
         4},
        {HEAD FIRST ROW("a", "country", "view", "people", ", receivers: [x], contract: " X127 "d"),
         "1 to 127", 4},
        {HEAD
         "  - {id: a, doc: x, purpose: basic, dimensions: [], of: [view], measures: [people], contract: c,\n"
         "     receivers: [x]}\n",
         "counts everybody", 4},
    };
    refused(bad, WN_COUNT(bad));
    wn_plan p = good(HEAD FIRST TO("a", "r1, r2, r3, r4, r5, r6, r7, " X31) NOISE_TO("b", "browser", "r3, r2")
                         ROW("c", "hour", "view", "people", ", receivers: [r1], share: true, contract: " X127)
                             ROW("d", "hour", "view", "people", ", receivers: []"));
    cr_expect_eq(p.receivers_n, WN_RECEIVERS_MAX);
    cr_expect_str_eq(p.receiver[7], X31);
    cr_expect_eq(p.table[1].receivers, 0xFF);
    cr_expect_eq(p.table[2].receivers, 1u << 1 | 1u << 2);
    cr_expect(p.table[1].share && p.table[2].share && p.table[3].share);
    cr_expect(!p.table[4].share && p.table[4].receivers == 0 && p.table[0].receivers == 0);
    cr_expect_str_eq(p.table[3].contract, X127);
    wn_plan_fini(&p);
}

static size_t warnings(const char *text, char *out, size_t cap) {
    wn_plan p = good(text);
    memset(out, 0, cap);
    FILE *f = fmemopen(out, cap - 1, "w");
    size_t n = wn_plan_warn(&p, f);
    fclose(f);
    wn_plan_fini(&p);
    return n;
}

// R9: the load names the pair, and does not refuse it.
Test(conf_plan, a_crowd_beside_noise_is_named) {
    char said[2000];
    cr_expect_eq(warnings(HEAD FIRST TO("a", "x, y") NOISE_TO("b", "browser", "x"), said, sizeof said), 0);
    cr_expect_str_eq(said, "");
    cr_expect_eq(warnings(HEAD FIRST CROWD_TO("a", "hour", "x"), said, sizeof said), 1);
    cr_expect(strstr(said, "warning: table a goes out as a crowd under the contract \"C-1\""), "%s", said);
    cr_expect(strstr(said, "learns exactly whether one more person was there"), "%s", said);

    const char *both = HEAD FIRST TO("a", "x, y") CROWD_TO("b", "hour", "z, y") CROWD_TO("c", "device", "y");
    cr_expect_eq(warnings(both, said, sizeof said), 3);
    cr_expect(strstr(said, "warning: receiver y gets table b (crowd) beside table a (noise)"), "%s", said);
    cr_expect_not(strstr(said, "receiver x") || strstr(said, "receiver z"), "%s", said);
    wn_plan p = good(both);
    const wn_table *crowd = NULL, *noise = NULL;
    cr_expect_not(wn_plan_crowd_beside_noise(&p, 0, &crowd, &noise));
    cr_expect(crowd == NULL && noise == NULL);
    cr_expect(wn_plan_crowd_beside_noise(&p, 1, &crowd, &noise));
    cr_expect(crowd == &p.table[2] && noise == &p.table[1]);
    cr_expect_not(wn_plan_crowd_beside_noise(&p, 2, NULL, NULL));
    wn_plan_fini(&p);

    cr_expect_eq(warnings(HEAD FIRST TO("a", "x") CROWD_TO("b", "hour", "z"), said, sizeof said), 2);
    cr_expect(strstr(said, "receivers of table b (crowd) and of table a (noise) who put them together"), "%s",
              said);
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
                at += (size_t)snprintf(text + at, sizeof text - at,
                                       "  - {id: t%zu, doc: x, purpose: basic, dimensions: [%s%s%s], of: "
                                       "[%s], measures: [people]}\n",
                                       made, dims[i], j > i ? "," : "", j > i ? dims[j] : "",
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
    unsigned cells = 0;
    cr_assert_geq(p.n, 2);
    cr_assert_eq(p.table[0].dims_n, 0);
    for (size_t i = 0; i < p.n; i++) {
        const wn_table *t = &p.table[i];
        bool open =
            (t->dims_n > 0 && wn_dim_is_open(t->dims[0])) || (t->dims_n > 1 && wn_dim_is_open(t->dims[1]));
        bool noise = t->profile == WN_PROFILE_NOISE;
        cr_expect_eq(t->k, noise ? open ? 50 : 20 : open ? 20 : 10, "%s", t->id);
        cr_expect_eq(noise, t->cells != 0, "%s", t->id);
        cr_expect_eq(noise, t->share, "%s", t->id);
        cr_expect_eq(t->receivers, 0, "%s: a destination is named by the operator", t->id);
        cells += t->cells;
        cr_expect(t->measures & WN_MEASURE_PEOPLE, "%s", t->id);
        cr_expect_eq(wn_plan_table(&p, t->id), (int)i);
    }
    cr_expect_eq(cells, WN_NOISE_CELLS_MAX);
    cr_expect(p.noise.rho_micro == WN_RHO_MICRO_DEFAULT && p.noise.l0 == 2 * WN_NOISE_CELLS_MAX);
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
