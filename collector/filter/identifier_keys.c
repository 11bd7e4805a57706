// SPDX-License-Identifier: Apache-2.0
// identifier_keys.c: names of properties that hold identifiers, however their
// words are joined: user_email, userEmail, USER-EMAIL, user.e-mail.
#include <string.h>

#include "identifier_scan.h"

typedef enum match { EXACT, TAIL, WORDS, GLUED } match;

typedef struct folded_key {
    char s[WN_FOLDED_MAX];
    bool edge[WN_FOLDED_MAX + 1]; // a word begins here, or the key ends
    size_t n;
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
    bool edge = true;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = t[i];
        bool wordy = wn_is_alpha(c) || wn_is_digit(c) || c == WN_FOLDED_LETTER;
        if (!wordy) {
            edge = true;
            continue;
        }
        uint8_t before = i > 0 ? t[i - 1] : 0, after = i + 1 < n ? t[i + 1] : 0;
        bool hump = wn_is_upper(c) && (wn_is_lower(before) || wn_is_digit(before) ||
                                       (wn_is_upper(before) && wn_is_lower(after)));
        bool count = wn_is_digit(c) != wn_is_digit(before) && i > 0;
        out->edge[out->n] = edge || hump || count;
        out->s[out->n++] = (char)wn_lower(c);
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

static bool row_in(const folded_key *k, size_t row) {
    for (size_t i = 0; i < k->n; i++) {
        size_t end = 0;
        if (!row_at(k, i, rows[row].text, rows[row].n, &end)) continue;
        bool whole = k->edge[i] && k->edge[end];
        switch (rows[row].how) {
        case EXACT:
            if (i == 0 && end == k->n) return true;
            break;
        case TAIL:
            if (whole && end == k->n) return true;
            break;
        case WORDS:
            if (whole) return true;
            break;
        case GLUED:
            if (whole || i == 0 || end == k->n) return true;
            break;
        }
    }
    return false;
}

bool wn_identifier_key(wn_span key) {
    if (key.n > WN_IDENTIFIER_KEY_MAX) return true;
    uint8_t t[WN_FOLDED_MAX];
    size_t n = 0;
    wn_fold_result folded = wn_fold(key, t, &n);
    bool hit = folded != WN_FOLD_DONE;
    if (!hit) {
        folded_key k;
        fold_key(t, n, &k);
        for (size_t row = 0; row < WN_COUNT(rows) && !hit; row++) hit = row_in(&k, row);
        wn_wipe(&k, sizeof k);
    }
    wn_wipe(t, sizeof t);
    return hit;
}
