// SPDX-License-Identifier: Apache-2.0
// key_names.c: names of properties that hold identifiers, however their words
// are joined: user_email, userEmail, USER-EMAIL, user.e-mail.
#include "key_names.h"

#include <string.h>

typedef enum match { EXACT, TAIL, WORDS, GLUED } match;

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c) {
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

typedef struct folded_key {
    char s[WN_KEY_CHARS_MAX];
    bool edge[WN_KEY_CHARS_MAX + 1]; // a word begins here, or the key ends
    uint16_t word[WN_KEY_CHARS_MAX]; // where each word begins
    size_t n, words;
} folded_key;

static const struct {
    const char *text;
    uint8_t n;
    match how;
} rows[] = {
#define IDENTIFIER_KEY(text, how) {text, sizeof(text) - 1, how},
#include "identifier_keys.def"
#undef IDENTIFIER_KEY
#define CLICK_ID(text) {text, sizeof(text) - 1, EXACT},
#include "click_ids.def"
#undef CLICK_ID
};

static void fold_key(const uint8_t *t, size_t n, folded_key *out) {
    out->n = 0;
    out->words = 0;
    bool edge = true;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = t[i];
        bool wordy = is_lower(c) || is_upper(c) || is_digit(c) || c == WN_KEY_LETTER;
        if (!wordy) {
            edge = true;
            continue;
        }
        uint8_t before = i > 0 ? t[i - 1] : 0, after = i + 1 < n ? t[i + 1] : 0;
        bool hump =
            is_upper(c) && (is_lower(before) || is_digit(before) || (is_upper(before) && is_lower(after)));
        bool count = is_digit(c) != is_digit(before) && i > 0;
        edge = edge || hump || count;
        if (edge) out->word[out->words++] = (uint16_t)out->n;
        out->edge[out->n] = edge;
        out->s[out->n++] = (char)(is_upper(c) ? c + ('a' - 'A') : c);
        edge = false;
    }
    out->edge[out->n] = true;
}

// Rows as written may hold '_'; a key without its marks is compared.
static bool row_at(const folded_key *k, size_t i, const char *text, size_t n, size_t *out_end) {
    for (size_t t = 0; t < n; t++) {
        if (text[t] == '_') continue;
        if (i >= k->n || k->s[i] != text[t]) return false;
        i++;
    }
    *out_end = i;
    return true;
}

static bool fits(const folded_key *k, size_t row, size_t begin, size_t end) {
    switch (rows[row].how) {
    case EXACT: return begin == 0 && end == k->n;
    case TAIL: return end == k->n;
    case WORDS: return k->edge[end];
    case GLUED: return k->edge[end] || begin == 0;
    }
    return true;
}

static bool row_in(const folded_key *k, size_t row) {
    size_t n = rows[row].n, end = 0;
    for (size_t w = 0; w < k->words; w++)
        if (row_at(k, k->word[w], rows[row].text, n, &end) && fits(k, row, k->word[w], end)) return true;
    // The key's end, in the middle of a word.
    return rows[row].how == GLUED && n <= k->n && row_at(k, k->n - n, rows[row].text, n, &end);
}

bool wn_key_names(const uint8_t *t, size_t n) {
    if (n > WN_KEY_CHARS_MAX) return true;
    folded_key k;
    fold_key(t, n, &k);
    bool hit = false;
    for (size_t row = 0; row < WN_COUNT(rows) && !hit; row++) hit = row_in(&k, row);
    wn_wipe(&k, sizeof k);
    return hit;
}
