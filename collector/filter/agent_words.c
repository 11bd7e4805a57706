// SPDX-License-Identifier: Apache-2.0
// agent_words.c: one pass over a user agent for all listed words at once. Rows
// stand under their first letter, and a letter's row is found by its line in the
// .def file: the tables are constants, nothing is prepared for an agent. A byte
// costs at most the rows of its letter, so time is linear whatever is sent.
#include "agent_words.h"

#include <string.h>

#ifdef WN_AGENT_STEPS // the test that counts work
size_t wn_agent_steps;
#define STEP() (wn_agent_steps++)
#else
#define STEP() ((void)0)
#endif

enum { NO_MAJOR = 0, SAID = UINT16_MAX }; // SAID: the number that follows
enum { MAJOR_DIGITS_MAX = 4 };

typedef struct word {
    const char *text; // NULL: end of a letter's rows
    uint8_t n;
    uint16_t major;
    uint64_t names, places;
} word;

#define N(sign) (UINT64_C(1) << WN_NAME_##sign)
#define P(sign) (UINT64_C(1) << WN_PLACE_##sign)
#define LETTER(c)
#define WORD(text, names, places, major) [__LINE__] = {text, sizeof(text) - 1, major, names, places},
static const word words[] = {
#include "agent_words.def"
    {0},
};
#undef WORD
#undef LETTER
#define WORD(text, names, places, major)
#define LETTER(c) [c] = __LINE__ + 1,
static const uint16_t first_word[256] = {
#include "agent_words.def"
};
#undef WORD
#undef LETTER

typedef struct robot_word {
    const char *text;
    uint8_t n;
    bool inside; // also in the middle of a word
} robot_word;

#define LETTER(c)
#define BOT(text) [__LINE__] = {text, sizeof(text) - 1, false},
#define BOT_INSIDE(text) [__LINE__] = {text, sizeof(text) - 1, true},
static const robot_word robot_words[] = {
#include "bots.def"
    {0},
};
#undef BOT
#undef BOT_INSIDE
#undef LETTER
#define LETTER(c) [c] = __LINE__ + 1,
#define BOT(text)
#define BOT_INSIDE(text)
static const uint16_t first_robot[256] = {
#include "bots.def"
};

static bool is_letter(uint8_t c) {
    return (uint8_t)(c - 'a') < 26;
}

static bool is_digit(uint8_t c) {
    return (uint8_t)(c - '0') < 10;
}

static bool says(const char *text, size_t n, const uint8_t *p, const uint8_t *end) {
    STEP();
    return n <= (size_t)(end - p) && (n < 2 || p[1] == (uint8_t)text[1]) && memcmp(p, text, n) == 0;
}

// "/120.0", " 8.5", "-4", " os/3": at most two bytes, then the digits. 0: no number, or one too long.
static uint16_t number_at(const uint8_t *p, const uint8_t *end) {
    for (int skipped = 0; p < end && !is_digit(*p); p++)
        if (is_letter(*p) || ++skipped > 2) return 0;
    unsigned value = 0, digits = 0;
    for (; p < end && is_digit(*p); p++) {
        if (++digits > MAJOR_DIGITS_MAX) return 0;
        value = value * 10 + (*p - '0');
    }
    return (uint16_t)value;
}

static void take_major(const word *w, uint16_t major, wn_agent_signs *out) {
    unsigned name = w->names ? (unsigned)__builtin_ctzll(w->names) : WN_NAME_N;
    unsigned place = w->places ? (unsigned)__builtin_ctzll(w->places) : WN_PLACE_N;
    if (name < WN_NAME_N && out->name_major[name] == 0) out->name_major[name] = major;
    if (place < WN_PLACE_N && out->place_major[place] == 0) out->place_major[place] = major;
}

// True when a listed word begins here.
static bool read_word(const uint8_t *p, const uint8_t *end, wn_agent_signs *out) {
    bool known = false;
    for (const word *w = &words[first_word[*p]]; w->text; w++) {
        if (!says(w->text, w->n, p, end)) continue;
        known = true;
        out->names |= w->names;
        out->places |= w->places;
        if (w->major) take_major(w, w->major == SAID ? number_at(p + w->n, end) : w->major, out);
    }
    return known;
}

// "cubot" is a maker of phones.
static bool is_cubot(const robot_word *w, const uint8_t *p, const uint8_t *begin) {
    return w->n == 3 && p - begin >= 2 && memcmp(p - 2, "cubot", 5) == 0;
}

static bool begins_robot(const uint8_t *begin, const uint8_t *p, const uint8_t *end, bool starts) {
    for (const robot_word *w = &robot_words[first_robot[*p]]; w->text; w++)
        if ((starts || w->inside) && says(w->text, w->n, p, end) && !is_cubot(w, p, begin)) return true;
    return false;
}

void wn_agent_words(const char *lower, size_t n, wn_agent_signs *out) {
    const uint8_t *begin = (const uint8_t *)lower, *end = begin + n;
    memset(out, 0, sizeof *out);
    int depth = 0;
    uint8_t before = ' ';
    for (const uint8_t *p = begin; p < end; before = *p++) {
        bool starts = !is_letter(before) && !is_digit(before);
        if (*p == '(') depth++;
        if (*p == ')' && depth > 0) depth--;
        if (!out->robot && first_robot[*p]) out->robot = begins_robot(begin, p, end, starts);
        if (!starts || !(is_letter(*p) || is_digit(*p))) continue;
        bool known = first_word[*p] && read_word(p, end, out);
        bool product = depth == 0 && (before == ' ' || before == ')') && is_letter(*p);
        if (product && !known) out->names |= N(FOREIGN);
    }
}
