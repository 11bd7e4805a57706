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
    size_t people, agree[ATTRIBUTES], listed, listed_device, wrong;
    size_t spiders, spiders_refused, people_refused;
} tally;

typedef struct golden_agent {
    bool npm, robot;
    char *want[ATTRIBUTES]; // label, or labels with '|' between
    char *ua;
} golden_agent;

static bool read_line(char *line, golden_agent *g) {
    char *column[6];
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
    for (size_t i = 0; i < ATTRIBUTES; i++) g->want[i] = column[1 + i];
    g->robot = column[4][0] == '1';
    g->ua = column[5];
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
    t->people_refused += a.bot && g->npm;
    if (a.bot) return;
    t->people++;
    const uint16_t value[ATTRIBUTES] = {a.browser, a.system, a.device};
    bool listed = !is_first(g->want[BROWSER_AT], "Other");
    t->listed += listed;
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        char label[32];
        wn_closed_label(dims[i], value[i], label);
        bool agree = is_first(g->want[i], label);
        t->agree[i] += agree;
        if (i == DEVICE_AT) {
            t->listed_device += listed && agree;
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

Test(agents_golden, agrees_with_uap_core_and_never_names_a_wrong_family) {
    char *line = NULL;
    size_t cap = 0;
    tally t = {0};
    FILE *in = fopen(WN_AGENTS_FILE, "r");
    cr_assert_not_null(in);
    while (getline(&line, &cap, in) > 0) {
        golden_agent g;
        if (read_line(line, &g)) count(&g, &t);
    }
    free(line);
    fclose(in);
    cr_expect_gt(t.people, 2400);
    cr_expect_gt(t.spiders, 50);
    cr_expect_eq(t.wrong, 0);
    cr_expect_geq(share(t.agree[BROWSER_AT], t.people), 9900, "%zu of %zu", t.agree[BROWSER_AT], t.people);
    cr_expect_geq(share(t.agree[SYSTEM_AT], t.people), 9900, "%zu of %zu", t.agree[SYSTEM_AT], t.people);
    cr_expect_geq(share(t.listed_device, t.listed), 9900, "%zu of %zu", t.listed_device, t.listed);
    cr_expect_geq(share(t.spiders_refused, t.spiders), 9500, "%zu of %zu", t.spiders_refused, t.spiders);
    cr_expect_eq(t.people_refused, 0);
}
