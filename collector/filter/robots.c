// SPDX-License-Identifier: Apache-2.0
// robots.c: one pass over a user agent for all robot tokens at once: tokens are
// chained by their first byte, so that a byte costs only those it may begin.
#include <string.h>

#include "agents.h"

#define BOT(token) {token, sizeof(token) - 1},
static const struct {
    const char *text;
    uint8_t n;
} tokens[] = {
#include "bots.def"
};
#undef BOT

_Static_assert(WN_COUNT(tokens) < 255, "chains hold token numbers in a byte");

// "cubot" is a maker of phones.
static bool is_cubot(const char *lower, size_t at) {
    return at >= 2 && memcmp(lower + at - 2, "cubot", 5) == 0;
}

bool wn_agent_is_robot(const char *lower, size_t n) {
    uint8_t head[256] = {0}, next[WN_COUNT(tokens) + 1];
    for (size_t t = WN_COUNT(tokens); t > 0; t--) {
        uint8_t first = (uint8_t)tokens[t - 1].text[0];
        next[t] = head[first];
        head[first] = (uint8_t)t;
    }
    for (size_t i = 0; i < n; i++)
        for (uint8_t t = head[(uint8_t)lower[i]]; t != 0; t = next[t]) {
            size_t bytes = tokens[t - 1].n;
            if (bytes > n - i || memcmp(lower + i, tokens[t - 1].text, bytes) != 0) continue;
            if (bytes == 3 && is_cubot(lower, i)) continue;
            return true;
        }
    return false;
}
