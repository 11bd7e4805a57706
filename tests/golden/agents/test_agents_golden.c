// SPDX-License-Identifier: Apache-2.0
// Agents of uap-core's tests and of npm's user-agents list, with uap-core's
// verdicts (agents.txt, made by uap.py): Winnow agrees, or says Other.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents.h"

enum { BROWSER_AT, SYSTEM_AT, DEVICE_AT, ATTRIBUTES };

static const unsigned dims[ATTRIBUTES] = {WN_DIM_browser, WN_DIM_system, WN_DIM_device};

typedef struct tally {
    size_t people, agree[ATTRIBUTES], listed, listed_device; // by weight
    size_t lines, wrong, spiders, spiders_refused, people_refused;
} tally;

typedef struct golden_agent {
    bool npm, robot;
    size_t weight;
    char *want[ATTRIBUTES]; // label, or labels with '|' between
    char *ua;
} golden_agent;

static bool read_line(char *line, golden_agent *g) {
    char *column[7];
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '#' || line[0] == '\0') return false;
    for (char *at = line; at && n < WN_COUNT(column); n++) {
        column[n] = at;
        char *tab = n + 1 < WN_COUNT(column) ? strchr(at, '\t') : NULL;
        if (tab) *tab = '\0';
        at = tab ? tab + 1 : NULL;
    }
    cr_assert_eq(n, WN_COUNT(column), "%s", line);
    g->npm = strcmp(column[0], "npm") == 0;
    g->weight = strtoul(column[1], NULL, 10);
    for (size_t i = 0; i < ATTRIBUTES; i++) g->want[i] = column[2 + i];
    g->robot = column[5][0] == '1';
    g->ua = column[6];
    return true;
}

static bool is_first(const char *labels, const char *label) {
    size_t n = strlen(label);
    return strncmp(labels, label, n) == 0 && (labels[n] == '\0' || labels[n] == '|');
}

static bool is_any(const char *labels, const char *label) {
    for (; labels; labels = strchr(labels, '|') ? strchr(labels, '|') + 1 : NULL)
        if (is_first(labels, label)) return true;
    return false;
}

static void count(const golden_agent *g, tally *t) {
    wn_agent a;
    wn_agent_parse(g->ua, strlen(g->ua), &a);
    if (g->robot) {
        t->spiders++;
        t->spiders_refused += a.bot;
        return;
    }
    t->people_refused += a.bot;
    if (a.bot) return;
    t->lines++;
    t->people += g->weight;
    const uint16_t value[ATTRIBUTES] = {a.browser, a.system, a.device};
    bool listed = !is_first(g->want[BROWSER_AT], "Other");
    t->listed += listed ? g->weight : 0;
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        char label[32];
        wn_closed_label(dims[i], value[i], label);
        bool agree = is_first(g->want[i], label);
        t->agree[i] += agree ? g->weight : 0;
        if (i == DEVICE_AT) {
            t->listed_device += listed && agree ? g->weight : 0;
            continue;
        }
        bool wrong =
            strcmp(label, "Other") != 0 && !is_first(g->want[i], "Other") && !is_any(g->want[i], label);
        cr_expect_not(wrong, "%s, not %s: %s", label, g->want[i], g->ua);
        t->wrong += wrong;
    }
}

// Of ten thousand.
static size_t share(size_t part, size_t whole) {
    return whole ? part * 10000 / whole : 10000;
}

static void expect_agreement(const tally *t) {
    cr_expect_eq(t->wrong, 0);
    cr_expect_geq(share(t->agree[BROWSER_AT], t->people), 9900, "%zu of %zu", t->agree[BROWSER_AT],
                  t->people);
    cr_expect_geq(share(t->agree[SYSTEM_AT], t->people), 9900, "%zu of %zu", t->agree[SYSTEM_AT], t->people);
    cr_expect_geq(share(t->listed_device, t->listed), 9900, "%zu of %zu", t->listed_device, t->listed);
}

static void replay(tally *npm, tally *uap) {
    char *line = NULL;
    size_t cap = 0;
    FILE *in = fopen(WN_AGENTS_FILE, "r");
    cr_assert_not_null(in);
    while (getline(&line, &cap, in) > 0) {
        golden_agent g;
        if (read_line(line, &g)) count(&g, g.npm ? npm : uap);
    }
    free(line);
    fclose(in);
}

Test(agents_golden, agrees_with_uap_core_and_never_names_a_wrong_family) {
    tally npm = {0}, uap = {0};
    replay(&npm, &uap);
    expect_agreement(&npm);
    expect_agreement(&uap);
    cr_expect_gt(npm.lines, 50);
    cr_expect_gt(uap.lines, 2000);
}

Test(agents_golden, refuses_spiders_and_nobody_of_todays_list) {
    tally npm = {0}, uap = {0};
    replay(&npm, &uap);
    cr_expect_eq(npm.people_refused, 0);
    cr_expect_gt(uap.spiders, 50);
    cr_expect_geq(share(uap.spiders_refused, uap.spiders), 9500, "%zu of %zu", uap.spiders_refused,
                  uap.spiders);
    cr_expect_lt(share(uap.people_refused, uap.lines), 200, "%zu", uap.people_refused);
}
