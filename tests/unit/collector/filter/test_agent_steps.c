// SPDX-License-Identifier: Apache-2.0
// The matcher with its steps counted: work grows with the bytes and no faster.
// A step is one row tried; the clock says nothing on a busy machine.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agents.h"

extern size_t wn_agent_steps;

static size_t steps(const char *ua, size_t n) {
    wn_agent a;
    wn_agent_steps = 0;
    wn_agent_parse(ua, n, &a);
    return wn_agent_steps;
}

// Rows under the fullest letter: what one byte can cost at most.
static size_t rows_max(void) {
    size_t words[256] = {0}, robots[256] = {0}, most = 0;
#define LETTER(c)
#define WORD(text, names, places, major) words[(unsigned char)(text)[0]]++;
#include "agent_words.def"
#define BOT(text) robots[(unsigned char)(text)[0]]++;
#define BOT_INSIDE(text) BOT(text)
#include "bots.def"
    for (size_t c = 0; c < 256; c++)
        if (words[c] + robots[c] > most) most = words[c] + robots[c];
    return most;
}

static void fill(char *ua, size_t n, const char *with) {
    size_t len = strlen(with);
    for (size_t i = 0; i < n; i++) ua[i] = with[i % len];
}

Test(agent_steps, hostile_agents_cost_a_bounded_number_of_steps) {
    static const char *const hostile[] = {
        "s ",
        "s;s/s(",
        "a",
        "(",
        ")",
        "((((s ",
        "samsun ",
        "windows nt 6.",
        "windows nt 10 ",
        "bo",
        "cubo",
        "cubot ",
        "mozilla/5.0 (",
        "android 9",
        "android ",
        "spide ",
        "crawspide",
        "/",
        "x/y ",
        "\xff\xfe",
        "msie 1",
        "chrome/9",
    };
    size_t most = rows_max();
    for (size_t i = 0; i < WN_COUNT(hostile); i++) {
        char ua[WN_AGENT_BYTES_MAX];
        fill(ua, sizeof ua, hostile[i]);
        for (size_t n = 1; n <= sizeof ua; n *= 2) {
            size_t cost = steps(ua, n);
            cr_expect_leq(cost, n * most, "%s: %zu bytes, %zu steps", hostile[i], n, cost);
        }
        size_t half = steps(ua, sizeof ua / 2), whole = steps(ua, sizeof ua);
        cr_expect_leq(whole, 2 * half + 2 * most * strlen(hostile[i]), "%s: %zu, then %zu", hostile[i], half,
                      whole);
    }
    cr_expect_lt(most, 160);
}

Test(agent_steps, any_bytes_cost_a_bounded_number_of_steps) {
    size_t most = rows_max();
    srand(7);
    for (int round = 0; round < 5000; round++) {
        char ua[WN_AGENT_BYTES_MAX];
        for (size_t i = 0; i < sizeof ua; i++) ua[i] = "swmab /(;)9"[rand() % 11];
        cr_assert_leq(steps(ua, sizeof ua), sizeof ua * most);
    }
}

Test(agent_steps, what_is_beyond_512_bytes_is_not_read) {
    char ua[4096];
    fill(ua, sizeof ua, "samsung windows ");
    cr_expect_gt(steps(ua, 512), 0);
    cr_expect_eq(steps(ua, sizeof ua), steps(ua, 512));
    wn_agent a, b;
    fill(ua, sizeof ua, "z");
    memcpy(ua + 512, " googlebot Firefox/150.0", 24);
    wn_agent_parse(ua, sizeof ua, &a);
    wn_agent_parse(ua, 512, &b);
    cr_expect_not(a.bot);
    cr_expect_eq(a.browser, b.browser);
    cr_expect_eq(a.browser_major, b.browser_major);
}
