// SPDX-License-Identifier: Apache-2.0
// test_conf_policy.c: a policy is read whole or refused with its line; it only narrows.
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"

#define HEAD "version: 3\ndate: 2026-11-20\n"
#define SITE HEAD "sites:\n  - site: shop.example\n"

static char why[300];
static int line;

static wn_err load(const char *text, wn_policy *out) {
    why[0] = '\0', line = -1;
    return wn_policy_load(text, strlen(text), out, why, sizeof why, &line);
}

static wn_policy good(const char *text) {
    wn_policy p = {.version = 0};
    cr_assert_eq(load(text, &p), WN_OK, "line %d: %s", line, why);
    return p;
}

Test(conf_policy, an_editor_s_mark_of_utf8_and_its_line_ends_are_no_mistake) {
    wn_policy p = good("\xef\xbb\xbfversion: 7\r\ndate: 2026-11-20\r\n");
    cr_expect_eq(p.version, 7);
    wn_policy_fini(&p);
}

Test(conf_policy, refuses_each_mistake_with_its_line_and_words) {
    static const struct {
        const char *text, *words;
        int line;
    } cases[] = {
        {"", "empty", 1},
        {"# nothing\n", "empty", 1},
        {"- a\n", "`key: value`", 1},
        {"date: 2026-11-20\n", "version is missing", 1},
        {"version: 1\n", "date is missing", 1},
        {"version: 0\ndate: 2026-11-20\n", "whole number from 1", 1},
        {"version: -1\ndate: 2026-11-20\n", "whole number", 1},
        {"version: 4294967296\ndate: 2026-11-20\n", "whole number", 1},
        {"version: 1.5\ndate: 2026-11-20\n", "whole number", 1},
        {"version: [1]\ndate: 2026-11-20\n", "not a list", 1},
        {"version: 1\ndate: 2026-02-29\n", "is no day", 2},
        {"version: 1\ndate: 2026-13-01\n", "is no day", 2},
        {"version: 1\ndate: 2026-11-31\n", "is no day", 2},
        {"version: 1\ndate: 2026-11-00\n", "is no day", 2},
        {"version: 1\ndate: 1969-11-01\n", "is no day", 2},
        {"version: 1\ndate: 20-11-2026\n", "is no day", 2},
        {"version: 1\ndate: 2026-11-20 \xff\n", "not UTF-8", 2},
        {HEAD "defaults:\n\tsensitive: [/x]\n", "indent with blanks", 4},
        {"\xef\xbb\xbfversion: 1\n\xef\xbb\xbfx: 1\n", "", 2},
        {HEAD "version: 4\n", "stands twice", 3},
        {HEAD "siites: []\n", "did you mean sites?", 3},
        {HEAD "whatever: 1\n", "unknown key \"whatever\"", 3},
        {HEAD "sites: 4\n", "must be a list", 3},
        {HEAD "sites:\n  - 4\n", "`key: value`", 4},
        {HEAD "sites:\n  - consent: {gpc: drop}\n", "has no name", 4},
        {HEAD "sites:\n  - site: Shop\n", "a site's name", 4},
        {SITE "  - site: blog\n  - site: shop.example\n", "stands twice", 6},
        {SITE "    site: blog\n", "stands twice", 5},
        {HEAD "defaults: {site: a}\n", "unknown key \"site\"", 3},
        {HEAD "defaults:\n  consent:\n    gpc: maybe\n", "ignore, limit and drop", 5},
        {HEAD "defaults:\n  consent:\n    dnt: off\n", "ignore, limit and drop", 5},
        {HEAD "defaults:\n  consent:\n    unknown: measure\n", "none and basic", 5},
        {HEAD "defaults:\n  consent:\n    legitimate_interest: yes\n", "false and true", 5},
        {HEAD "defaults:\n  consent:\n    gcp: drop\n", "did you mean gpc?", 5},
        {HEAD "defaults:\n  consent: basic\n", "`key: value`", 4},
        {HEAD "defaults:\n  consent:\n    vendors:\n      - 0\n", "vendor", 6},
        {HEAD "defaults:\n  consent:\n    vendors: [7,\n      7]\n", "7 stands twice", 6},
        {HEAD "defaults:\n  consent:\n    vendors: [65536]\n", "65535", 5},
        {HEAD "defaults:\n  consent:\n    categories:\n      - {id: A}\n", "id and purposes", 6},
        {HEAD "defaults:\n  consent:\n    categories:\n      - {purposes: [basic]}\n", "id and purposes", 6},
        {HEAD "defaults:\n  consent:\n    categories:\n      - {id: '', purposes: []}\n", "1 to 128 bytes",
         6},
        {HEAD "defaults:\n  consent:\n    categories:\n      - {id: A, purposes: [all]}\n",
         "allowed are basic", 6},
        {HEAD "defaults:\n  consent:\n    categories:\n      - {id: A, purposes: []}\n      - {id: A, "
              "purposes: []}\n",
         "stands twice", 7},
        {SITE "    fields:\n      search: off\n", "no field \"search\"", 6},
        {SITE "    fields:\n      refferer: off\n", "did you mean referrer?", 6},
        {SITE "    fields:\n      referrer: on\n", "write off, or purposes", 6},
        {SITE "    fields:\n      referrer: []\n", "changes nothing", 6},
        {SITE "    fields:\n      referrer: [profile, profile]\n", "stands twice", 6},
        {SITE "    fields:\n      referrer:\n        - profile\n        - any\n", "allowed are", 8},
        {SITE "    fields:\n      referrer: off\n      referrer: [measure]\n", "stands twice", 7},
        {SITE "    fields: off\n", "`name: off`", 5},
        {SITE "    sensitive: [health]\n", "must begin with /", 5},
        {SITE "    sensitive: ['']\n", "must begin with /", 5},
        {SITE "    sensitive:\n      - /a\n      - /**/b\n", "comes last", 7},
        {SITE "    sensitive: [/a*]\n", "whole segment", 5},
        {SITE "    sensitive: [/a//b]\n", "two slashes", 5},
        {SITE "    sensitive: [/a/:id]\n", "write *", 5},
        {SITE "    sensitive: ['/a?b=1']\n", "no query", 5},
        {SITE "    sensitive: ['/a b']\n", "no query", 5},
        {SITE "    sensitive: [/a, /b, /a]\n", "stands twice", 5},
        {SITE "    sensitive: [/a, /%61]\n", "stands twice", 5},
        {SITE "    sensitive: ['/a;b/**']\n", "cut off a page", 5},
        {SITE "    sensitive: ['/a%3Bb/**']\n", "escape may not", 5},
        {SITE "    sensitive: [/./h/**]\n", "no page holds", 5},
        {SITE "    sensitive: [/p/../q/**]\n", "no page holds", 5},
        {SITE "    sensitive: [/p/..]\n", "no page holds", 5},
        {SITE "    sensitive: ['/p/%2e%2e/q']\n", "no page holds", 5},
        {SITE "    sensitive: ['/a%2fb']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%5Cb']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%3fb']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%2523']\n", "escape may not", 5},
        {SITE "    sensitive: ['/%2a']\n", "escape may not", 5},
        {SITE "    sensitive: ['/%3Aid']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%00']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%0A']\n", "escape may not", 5},
        {SITE "    sensitive: ['/a%7f']\n", "escape may not", 5},
        {SITE "    sensitive: ['/%E4rzte']\n", "no UTF-8", 5},
        {SITE "    sensitive: ['/a%2525252520b']\n", "more than three times", 5},
        {SITE "    routes: ['/a:b']\n", "begin a segment", 5},
        {SITE "    routes: ['/a/../:id']\n", "no page holds", 5},
        {SITE "    sensitive: [[/a]]\n", "not a list", 5},
        {SITE "    routes:\n      - '/users/:'\n", ": and a word", 6},
        {SITE "    routes:\n      - /users/:i.d\n", ": and a word", 6},
        {SITE "    routes:\n      - /users/:\n", "put it in quotes", 6},
        {SITE "    routes: [users]\n", "must begin with /", 5},
        {SITE "    props:\n      - {values: [a]}\n", "has no name", 6},
        {SITE "    props:\n      - {name: Plan}\n", "a-z 0-9", 6},
        {SITE "    props:\n      - {name: plan, values: []}\n", "lists nothing", 6},
        {SITE "    props:\n      - {name: plan, values: [a, a]}\n", "stands twice", 6},
        {SITE "    props:\n      - {name: plan, values: [a b]}\n", "a-z 0-9", 6},
        {SITE "    props:\n      - {name: plan, purpose: any}\n", "allowed are basic", 6},
        {SITE "    props:\n      - {name: plan, needs: any}\n", "unknown key \"needs\"", 6},
        {SITE "    props:\n      - name: plan\n      - name: plan\n", "stands twice", 7},
        {SITE "    props:\n      - name: email\n", "identifies a person or device", 6},
        {SITE "    props:\n      - name: phone\n", "list its values", 6},
        {SITE "    props:\n      - name: push_token\n", "identifies a person or device", 6},
        {SITE "    props:\n      - {name: phone, number: {max: 9}}\n", "device: leave it out", 6},
        {SITE "    props:\n      - {name: a, number: 5}\n", "the first key is `max`", 6},
        {SITE "    props:\n      - {name: a, number: {}}\n", "has no max", 6},
        {SITE "    props:\n      - {name: a, number: {min: 1}}\n", "unknown key \"min\"", 6},
        {SITE "    props:\n      - {name: a, number: {max: 0}}\n", "from 1 to 65535", 6},
        {SITE "    props:\n      - {name: a, number: {max: 65536}}\n", "from 1 to 65535", 6},
        {SITE "    props:\n      - {name: a, number: {max: -1}}\n", "from 1 to 65535", 6},
        {SITE "    props:\n      - {name: a, number: {max: 1.5}}\n", "from 1 to 65535", 6},
        {SITE "    props:\n      - {name: a, number: {max: 9}, values: [b]}\n", "no list of values", 6},
        {SITE "    props:\n      - {name: a}\n      - {name: a, number: {max: 9}}\n", "stands twice", 7},
        {SITE "    surveys:\n      - {name: a, values: [b], number: {max: 9}}\n", "unknown key \"number\"",
         6},
        {SITE "    surveys:\n      - {name: nps}\n", "needs values", 6},
        {SITE "    organisations:\n      - {org: acme}\n", "org and purposes", 6},
        {SITE "    organisations:\n      - {org: \"a\\tb\", purposes: []}\n", "plain text", 6},
        {SITE "    organisations:\n      - {org: a, purposes: []}\n      - {org: a, purposes: [basic]}\n",
         "stands twice", 7},
        {SITE "    retention_days: 36501\n", "0 to 36500", 5},
        {SITE "    retention_days: a\n", "whole number", 5},
        {HEAD "defaults: &a {}\n", "anchors", 3},
        {HEAD "defaults: &a {}\nsites: *a\n", "anchors", 3},
        {HEAD "sites: *a\n", "aliases", 3},
        {HEAD "defaults: !!map {}\n", "tags", 3},
        {HEAD "sites: [[[[[[[[[a]]]]]]]]]\n", "too deep", 3},
        {HEAD "---\n" HEAD, "more than one document", 3},
        {HEAD "sites: [\n", "column", 4},
        {HEAD "? [a]\n: b\n", "a key is a word", 3},
    };
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_policy p = {.version = 77};
        cr_expect_eq(load(cases[i].text, &p), WN_ERR_CONFIG, "case %zu was taken:\n%s", i, cases[i].text);
        cr_expect_not_null(strstr(why, cases[i].words), "case %zu says: %s", i, why);
        cr_expect_neq(why[0], '\0', "case %zu says nothing", i);
        cr_expect_eq(line, cases[i].line, "case %zu says line %d: %s", i, line, why);
        cr_expect_eq(p.version, 77u, "written although refused");
    }
}

Test(conf_policy, what_carries_a_refusal_or_counts_cannot_be_narrowed) {
    static const struct {
        const char *name, *transform;
    } rows[] = {
#define FIELD(name, type, purpose, transform, max, from, doc) {#name, #transform},
#include "fields.def"
#undef FIELD
    };
    static const char *const named[] = {"gpc", "dnt", "purposes", "site", "name", "batch_id", "time"};
    const char *fields[WN_COUNT(named) + WN_COUNT(rows)];
    size_t n = 0;
    for (size_t i = 0; i < WN_COUNT(named); i++) fields[n++] = named[i];
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        const char *t = rows[i].transform;
        if (strcmp(t, "CONSENT") == 0 || strcmp(t, "ADVERTISING_ID") == 0 || strcmp(t, "CHILD") == 0)
            fields[n++] = rows[i].name;
    }
    for (size_t i = 0; i < n; i++) {
        char text[200];
        wn_policy p;
        snprintf(text, sizeof text, SITE "    fields: {%s: off}\n", fields[i]);
        cr_expect_eq(load(text, &p), WN_ERR_CONFIG, "%s", fields[i]);
        cr_expect_not_null(strstr(why, "cannot be narrowed"), "%s", why);
        snprintf(text, sizeof text, SITE "    fields: {%s: [measure]}\n", fields[i]);
        cr_expect_eq(load(text, &p), WN_ERR_CONFIG, "%s", fields[i]);
    }
}

Test(conf_policy, what_the_locks_need_can_be_narrowed_but_not_shut) {
    static const char *const fields[] = {"ip", "user_agent"};
    for (size_t i = 0; i < WN_COUNT(fields); i++) {
        char text[200];
        wn_policy p;
        snprintf(text, sizeof text, SITE "    fields: {%s: off}\n", fields[i]);
        cr_expect_eq(load(text, &p), WN_ERR_CONFIG, "%s", fields[i]);
        cr_expect_not_null(strstr(why, "cannot be off"), "%s", why);
        snprintf(text, sizeof text, SITE "    fields: {%s: [locate]}\n", fields[i]);
        cr_assert_eq(load(text, &p), WN_OK, "%s: %s", fields[i], why);
        wn_policy_fini(&p);
    }
}

Test(conf_policy, categories_that_differ_in_letter_case_only_are_one) {
    wn_policy p;
    cr_expect_eq(load(SITE "    consent:\n      categories:\n        - {id: c0002, purposes: [basic]}\n"
                           "        - {id: C0002, purposes: [measure]}\n",
                      &p),
                 WN_ERR_CONFIG);
    cr_expect_eq(line, 8, "line %d: %s", line, why);
    cr_expect_not_null(strstr(why, "\"C0002\" stands twice"), "%s", why);
}

// The example after a list's key is itself taken.
Test(conf_policy, examples_of_lists_are_right) {
    static const struct {
        const char *head, *key, *tail;
    } rows[] = {
        {HEAD, "sites", ""},
        {SITE "    ", "props", ""},
        {SITE "    ", "surveys", ""},
        {SITE "    ", "organisations", ""},
        {SITE "    ", "sensitive", ""},
        {SITE "    ", "routes", ""},
        {SITE "    consent:\n      ", "categories", ""},
        {SITE "    consent:\n      ", "vendors", ""},
        {SITE "    props:\n      - name: p\n        ", "values", ""},
        {SITE "    organisations:\n      - org: o\n        ", "purposes", ""},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char text[600], said[400];
        wn_policy p;
        snprintf(text, sizeof text, "%s%s: 4\n", rows[i].head, rows[i].key);
        cr_assert_eq(load(text, &p), WN_ERR_CONFIG, "%s", text);
        const char *example = strstr(why, "example: ");
        cr_assert_not_null(example, "%s", why);
        snprintf(said, sizeof said, "%s", example + 9);
        snprintf(text, sizeof text, "%s%s\n", rows[i].head, said);
        cr_assert_eq(load(text, &p), WN_OK, "%s: %s", text, why);
        wn_policy_fini(&p);
    }
}

Test(conf_policy, a_file_that_is_gone_is_said_to_be_gone) {
    wn_policy now, next;
    cr_assert_eq(load("version: 2\ndate: 2026-11-20\n", &now), WN_OK);
    cr_assert_eq(wn_policy_load_file("/nonexistent/policy.yaml", &next, why, sizeof why, &line), WN_OK);
    cr_expect(next.built_in && !now.built_in);
    cr_expect_eq(wn_policy_follows(&now, &next, why, sizeof why), WN_ERR_CONFIG);
    cr_expect_str_eq(
        why, "policy.yaml is gone; version 2 of 2026-11-20 was in force: write one of version 3 or higher");
    cr_expect(wn_policy_names_file(why));
    cr_expect_not(wn_policy_names_file("the text changed"));
    cr_expect(wn_policy_dated_before(&next, &now) && !wn_policy_dated_before(&now, &now));
    wn_policy_fini(&now);
    wn_policy_fini(&next);
}

// A text that grows, for limits.
typedef struct grown {
    char *p;
    size_t n;
} grown;

static void add(grown *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(grown *t, const char *fmt, ...) {
    va_list args;
    if (t->p == NULL) t->p = malloc(2u << 20);
    va_start(args, fmt);
    t->n += (size_t)vsnprintf(t->p + t->n, 4096, fmt, args);
    va_end(args);
}

// `n` items take; one more does not.
static void edge(const char *head, const char *item, const char *tail, size_t n, int lines_before) {
    for (size_t more = 0; more < 2; more++) {
        grown t = {NULL, 0};
        wn_policy p = {.version = 0};
        add(&t, "%s", head);
        for (size_t i = 0; i < n + more; i++) {
            for (const char *c = item; *c; c++) {
                if (*c == '#') add(&t, "%zu", i + 1);
                else add(&t, "%c", *c);
            }
        }
        add(&t, "%s", tail);
        wn_err err = load(t.p, &p);
        if (more == 0) {
            cr_expect_eq(err, WN_OK, "%zu of %s: line %d: %s", n, item, line, why);
            if (err == WN_OK) wn_policy_fini(&p);
        } else {
            cr_expect_eq(err, WN_ERR_CONFIG, "%zu of %s were taken", n + 1, item);
            cr_expect_eq(line, lines_before + (int)n + 1, "line %d of %s: %s", line, item, why);
        }
        free(t.p);
    }
}

Test(conf_policy, every_limit_holds_and_one_more_is_refused) {
    edge(HEAD "sites:\n", "  - site: s#\n", "", WN_POLICY_SITES_MAX, 3);
    edge(SITE "    sensitive:\n", "      - /p#/**\n", "", WN_POLICY_PATTERNS_MAX, 5);
    edge(SITE "    routes:\n", "      - /p#/:id\n", "", WN_POLICY_ROUTES_MAX, 5);
    edge(SITE "    props:\n", "      - name: p#\n", "", WN_POLICY_PROPS_MAX, 5);
    edge(SITE "    props:\n", "      - {name: p#, number: {max: 5}}\n", "", WN_POLICY_NUMBERS_MAX, 5);
    edge(SITE "    props:\n      - {name: a, number: {max: 1}}\n      - {name: b, number: {max: 1}}\n",
         "      - name: p#\n", "", WN_POLICY_PROPS_MAX, 7);
    edge(SITE "    surveys:\n", "      - {name: p#, values: [a]}\n", "", WN_POLICY_SURVEYS_MAX, 5);
    edge(SITE "    props:\n      - name: a\n        values:\n", "          - v#\n", "", WN_POLICY_VALUES_MAX,
         7);
    edge(SITE "    organisations:\n", "      - {org: o#, purposes: []}\n", "", WN_POLICY_ORGS_MAX, 5);
    edge(SITE "    consent:\n      categories:\n", "        - {id: c#, purposes: []}\n", "",
         WN_POLICY_CATEGORIES_MAX, 6);
    edge(SITE "    consent:\n      vendors:\n", "        - #\n", "", WN_POLICY_VENDORS_MAX, 6);
}

Test(conf_policy, a_number_has_its_own_place_and_its_edges) {
    wn_policy p =
        good(HEAD "defaults:\n  props: [{name: old, number: {max: 7}}, {name: plan}]\nsites:\n  - site: a\n"
                  "    props: [{name: amount, purpose: profile, number: {max: 65535}}, {name: colour},\n"
                  "            {name: minutes, number: {max: 1}}]\n  - site: b\n");
    const wn_site_policy *a = wn_policy_of(&p, "a"), *b = wn_policy_of(&p, "b");
    cr_assert(a->props_n == 1 && a->numbers_n == 2);
    cr_assert_str_eq(a->props[0].name, "colour");
    cr_assert_eq(a->props[0].number_max, 0);
    cr_assert_str_eq(a->numbers[0].name, "amount");
    cr_assert(a->numbers[0].number_max == 65535 && a->numbers[0].purpose == 1u << WN_PURPOSE_profile);
    cr_assert_str_eq(a->numbers[1].name, "minutes");
    cr_assert(a->numbers[1].number_max == 1 && a->numbers[1].purpose == 0);
    cr_assert(b->props_n == 1 && b->numbers_n == 1 && b->numbers[0].number_max == 7, "inherited");
    wn_policy_fini(&p);
}

// `fmt` with a word of n letters in it.
static wn_err with_word(const char *before, size_t n, const char *after) {
    grown t = {NULL, 0};
    wn_policy p = {.version = 0};
    add(&t, "%s", before);
    for (size_t i = 0; i < n; i++) add(&t, "a");
    add(&t, "%s", after);
    wn_err err = load(t.p, &p);
    if (err == WN_OK) wn_policy_fini(&p);
    free(t.p);
    return err;
}

Test(conf_policy, words_and_texts_have_their_limits) {
    cr_expect_eq(with_word(SITE "    props: [{name: ", WN_POLICY_WORD_MAX, "}]\n"), WN_OK, "%s", why);
    cr_expect_eq(with_word(SITE "    props: [{name: ", WN_POLICY_WORD_MAX + 1, "}]\n"), WN_ERR_CONFIG);
    cr_expect_eq(with_word(SITE "    sensitive: [/", WN_POLICY_TEXT_MAX - 1, "]\n"), WN_OK, "%s", why);
    cr_expect_eq(with_word(SITE "    sensitive: [/", WN_POLICY_TEXT_MAX, "]\n"), WN_ERR_CONFIG);
    cr_expect_eq(with_word(SITE "    routes: [/", WN_POLICY_TEXT_MAX - 1, "]\n"), WN_OK, "%s", why);
    cr_expect_eq(with_word(SITE "    routes: [/", WN_POLICY_TEXT_MAX, "]\n"), WN_ERR_CONFIG);
    cr_expect_eq(with_word(SITE "    organisations: [{org: ", WN_POLICY_TEXT_MAX, ", purposes: []}]\n"),
                 WN_OK);
    cr_expect_eq(with_word(SITE "    organisations: [{org: ", WN_POLICY_TEXT_MAX + 1, ", purposes: []}]\n"),
                 WN_ERR_CONFIG);
    size_t room = WN_POLICY_BYTES_MAX - strlen(HEAD "# ");
    cr_expect_eq(with_word(HEAD "# ", room, ""), WN_OK, "%s", why);
    cr_expect_eq(with_word(HEAD "# ", room + 1, ""), WN_ERR_CONFIG);
    cr_expect_not_null(strstr(why, "at most 1048576"), "%s", why);
}

Test(conf_policy, a_nul_inside_is_refused) {
    static const char bytes[] = HEAD "# a\0b\n";
    wn_policy p;
    cr_assert_eq(wn_policy_load(bytes, sizeof bytes - 1, &p, why, sizeof why, &line), WN_ERR_CONFIG);
    cr_assert_eq(load(SITE "    organisations: [{org: \"a\\0b\", purposes: []}]\n", &p), WN_ERR_CONFIG);
    cr_assert_not_null(strstr(why, "NUL"));
    cr_assert_eq(line, 5);
}

Test(conf_policy, the_built_in_policy_limits_gpc_and_dnt_and_counts_the_unknown) {
    wn_policy p = good(wn_policy_default);
    const wn_site_policy *s = wn_policy_of(&p, "any");
    cr_assert_eq(s, &p.defaults);
    cr_assert(s->gpc == WN_SIGNAL_LIMIT && s->dnt == WN_SIGNAL_LIMIT && s->counts_unknown);
    cr_assert(!s->legitimate_interest && s->fields_off == 0 && s->sensitive_n == 0 && s->site[0] == '\0');
    for (size_t i = 0; i < WN_FIELD_N; i++) cr_assert_eq(s->needs[i], 0);
    cr_assert_geq(p.version, 1u);
    wn_policy_fini(&p);
}

Test(conf_policy, a_file_without_consent_keeps_the_strict_defaults) {
    wn_policy p = good(HEAD);
    cr_assert(p.defaults.gpc == WN_SIGNAL_LIMIT && p.defaults.dnt == WN_SIGNAL_LIMIT);
    cr_assert(p.defaults.counts_unknown && !p.defaults.legitimate_interest);
    cr_assert(p.version == 3 && strcmp(p.date, "2026-11-20") == 0 && p.sites_n == 0);
    wn_policy_fini(&p);
}

static const char whole[] = HEAD
    "defaults:\n"
    "  consent: {gpc: drop, vendors: [755]}\n"
    "  fields: {referrer: [share], screen: off}\n"
    "  sensitive: [/health/**]\n"
    "  routes: [/help/:topic]\n"
    "  organisations: [{org: acme, purposes: [basic, measure]}, {org: beta, purposes: []}]\n"
    "  retention_days: 730\n"
    "sites:\n"
    "  - site: shop\n"
    "    consent: {unknown: none, gpc: limit, dnt: ignore, legitimate_interest: true, vendors: [755, 1],\n"
    "              categories: [{id: Analytics, purposes: [basic, measure]}]}\n"
    "    fields: {referrer: [profile], language: off}\n"
    "    sensitive: [/faith, /health/**]\n"
    "    routes: ['/users/:id/orders', '/*/x', /docs/**, /]\n"
    "    props: [{name: plan, values: [free, pro], purpose: profile}, {name: colour}]\n"
    "    surveys: [{name: nps, values: ['0', '10']}]\n"
    "    organisations: [{org: acme, purposes: [measure, share]}]\n"
    "    retention_days: 0\n"
    "  - site: blog\n";

Test(conf_policy, a_site_is_whole_and_adds_to_the_defaults) {
    wn_policy p = good(whole);
    const wn_site_policy *s = wn_policy_of(&p, "shop"), *b = wn_policy_of(&p, "blog");
    cr_assert_str_eq(s->site, "shop");
    cr_assert(s->gpc == WN_SIGNAL_LIMIT && s->dnt == WN_SIGNAL_IGNORE && !s->counts_unknown);
    cr_assert(s->legitimate_interest && s->vendors_n == 2 && s->vendors[0] == 755 && s->vendors[1] == 1);
    cr_assert(s->categories_n == 1 && strcmp(s->categories[0].id, "Analytics") == 0);
    cr_assert_eq(s->categories[0].purposes, 1u << WN_PURPOSE_basic | 1u << WN_PURPOSE_measure);
    cr_assert_eq(s->fields_off, UINT64_C(1) << WN_FIELD_screen | UINT64_C(1) << WN_FIELD_language);
    cr_assert_eq(s->needs[WN_FIELD_referrer], 1u << WN_PURPOSE_share | 1u << WN_PURPOSE_profile);
    cr_assert(s->sensitive_n == 2 && strcmp(s->sensitive[0], "/faith") == 0);
    cr_assert_str_eq(s->sensitive[1], "/health/**");
    cr_assert(s->routes_n == 5 && strcmp(s->routes[0], "/users/:id/orders") == 0);
    cr_assert_str_eq(s->routes[4], "/help/:topic");
    cr_assert(s->props_n == 2 && s->props[0].values_n == 2 && s->props[1].values_n == 0);
    cr_assert(s->props[0].purpose == 1u << WN_PURPOSE_profile && s->props[1].purpose == 0);
    cr_assert_str_eq(s->props[0].values[1], "pro");
    cr_assert(s->surveys_n == 1 && strcmp(s->surveys[0].values[1], "10") == 0 && s->retention_days == 0);
    // An organisation in both keeps what both grant.
    cr_assert_eq(s->orgs_n, 2u);
    cr_assert_eq(wn_policy_org_of(s, "acme", 4), 1u << WN_PURPOSE_measure);
    cr_assert_eq(wn_policy_org_of(s, "beta", 4), 0);
    cr_assert_eq(wn_policy_org_of(s, " ACME ", 6), 1u << WN_PURPOSE_measure);
    cr_assert_eq(wn_policy_org_of(s, "acm", 3), WN_PURPOSES_ALL);
    cr_assert_eq(wn_policy_org_of(s, "acme2", 5), WN_PURPOSES_ALL);
    cr_assert_eq(wn_policy_org_of(s, "", 0), WN_PURPOSES_ALL);

    cr_assert(b->gpc == WN_SIGNAL_DROP && b->vendors_n == 1 && b->retention_days == 730 && b->props_n == 0);
    cr_assert_eq(b->fields_off, UINT64_C(1) << WN_FIELD_screen);
    cr_assert_eq(wn_policy_org_of(b, "acme", 4), 1u << WN_PURPOSE_basic | 1u << WN_PURPOSE_measure);
    cr_assert_eq(wn_policy_of(&p, "nobody"), &p.defaults);
    cr_assert_str_eq(p.sites[0].site, "blog", "sorted");
    wn_policy_fini(&p);
}

Test(conf_policy, limits_hold_with_what_the_defaults_bring) {
    grown t = {NULL, 0};
    wn_policy p;
    add(&t, HEAD "defaults:\n  sensitive:\n");
    for (int i = 0; i < WN_POLICY_PATTERNS_MAX; i++) add(&t, "    - /p%d\n", i);
    add(&t, "sites:\n  - site: a\n    sensitive: [/p0]\n");
    p = good(t.p);
    cr_assert_eq(p.sites[0].sensitive_n, (size_t)WN_POLICY_PATTERNS_MAX);
    wn_policy_fini(&p);
    add(&t, "  - site: b\n    sensitive: [/other]\n");
    cr_assert_eq(load(t.p, &p), WN_ERR_CONFIG);
    cr_assert_not_null(strstr(why, "with the defaults'"), "%s", why);
    free(t.p);
}

Test(conf_policy, the_id_is_the_digest_of_the_text) {
    wn_policy a = good(HEAD), b = good(HEAD "# x\n"), c = good(HEAD);
    uint64_t id = 0;
    for (size_t i = 0; i < 8; i++) id |= (uint64_t)a.digest[i] << (8 * i);
    cr_assert_eq(a.id, id);
    cr_assert_neq(a.id, b.id);
    cr_assert_eq(a.id, c.id);
    wn_policy_fini(&a), wn_policy_fini(&b), wn_policy_fini(&c);
}

Test(conf_policy, a_changed_text_needs_a_greater_version) {
    wn_policy now = good(HEAD), same = good(HEAD), changed = good(HEAD "# x\n");
    wn_policy less = good("version: 2\ndate: 2026-11-20\n"), more = good("version: 4\ndate: 2026-11-20\n");
    cr_assert_eq(wn_policy_follows(&now, &same, why, sizeof why), WN_OK);
    cr_assert_eq(wn_policy_follows(&now, &more, why, sizeof why), WN_OK);
    cr_assert_eq(wn_policy_follows(&now, &changed, why, sizeof why), WN_ERR_CONFIG);
    cr_assert_not_null(strstr(why, "raise version to 4"));
    cr_assert_eq(wn_policy_follows(&now, &less, why, sizeof why), WN_ERR_CONFIG);
    wn_policy_fini(&now), wn_policy_fini(&same), wn_policy_fini(&changed);
    wn_policy_fini(&less), wn_policy_fini(&more);
}

Test(conf_policy, a_missing_file_is_the_built_in_policy) {
    wn_policy p;
    cr_assert_eq(wn_policy_load_file("/nonexistent/policy.yaml", &p, why, sizeof why, &line), WN_OK);
    cr_assert_str_eq(p.text, wn_policy_default);
    wn_policy_fini(&p);
    cr_assert_eq(wn_policy_load_file("/", &p, why, sizeof why, &line), WN_ERR_IO);
    cr_assert_neq(why[0], '\0');
}

// A listed value says no more than the list does.
Test(conf_policy, a_listed_property_may_have_any_name_and_a_near_one_too) {
    cr_expect_eq(with_word(SITE "    props: [{name: token, values: [a, b", 1, "]}]\n"), WN_OK, "%s", why);
    cr_expect_eq(with_word(SITE "    props: [{name: mailing, purpose: basic}, {name: a", 1, "}]\n"), WN_OK,
                 "%s", why);
}
