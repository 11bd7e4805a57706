// SPDX-License-Identifier: Apache-2.0
// identifier_words.c: what is written as words: mail addresses, account and
// device ids, keys. Thresholds are named here and tested at their edges.
#include <libpsl.h>
#include <string.h>

#include "identifier_scan.h"

// ---- mail ----

#define HOST_LABELS_MAX 64
#define LABEL_CHARS_MAX 63

static bool is_host_byte(uint8_t c) {
    return wn_is_word(c) || c == '-' || c == '_';
}

static bool is_local_byte(uint8_t c) {
    return wn_is_word(c) || (c != 0 && strchr("!#$%&'*+/=?^_`{|}~.-\"", c) != NULL);
}

// What stands around a spelled "at" or "dot".
static bool is_blank(uint8_t c) {
    return c != 0 && strchr(" +()[]{}<>", c) != NULL;
}

static size_t skip_blank(wn_scan *s, size_t i, size_t most) {
    for (size_t k = 0; k < most; k++) {
        uint8_t c = wn_at(s, i);
        if (!is_blank(c)) break;
        i++;
    }
    return i;
}

// "dot" as a word at i, between blanks: where the next label begins; else 0.
static size_t spelled_dot(wn_scan *s, size_t i) {
    size_t word = skip_blank(s, i, 3);
    if (word == i || !wn_word_at(s, word, "dot")) return 0;
    size_t label = skip_blank(s, word + 3, 3);
    return label > word + 3 && wn_is_word(wn_at(s, label)) ? label : 0;
}

// Written as words ("good at node.js") only a real top-level domain makes a host.
static bool is_top(wn_scan *s, size_t i, size_t n) {
    char label[LABEL_CHARS_MAX + 1];
    for (size_t k = 0; k < n; k++) label[k] = (char)wn_lower(wn_at(s, i + k));
    label[n] = '\0';
    return psl_is_public_suffix2(psl_builtin(), label, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1;
}

// A host with a dot and a last label of letters begins at i. "2x.png" is the
// second half of a picture's name.
static bool host_at(wn_scan *s, size_t i, bool spelled) {
    size_t labels = 0;
    bool scale = wn_is_digit(wn_at(s, i)) && wn_lower(wn_at(s, i + 1)) == 'x' && wn_at(s, i + 2) == '.';
    for (; labels < HOST_LABELS_MAX; labels++) {
        size_t bytes = 0, letters = 0;
        bool ascii = true;
        for (uint8_t c = wn_at(s, i); is_host_byte(c); c = wn_at(s, ++i), bytes++) {
            if (bytes == LABEL_CHARS_MAX) return false;
            letters += !wn_is_digit(c) && c != '-' && c != '_';
            ascii &= c < 0x80;
        }
        if (bytes == 0) return false;
        bool puny = bytes > 4 && wn_word_at(s, i - bytes, "xn--");
        bool last = (letters == bytes && (bytes >= 2 || !ascii)) || puny;
        size_t next = spelled_dot(s, i);
        if (next == 0 && wn_at(s, i) == '.' && is_host_byte(wn_at(s, i + 1))) next = i + 1;
        if (next == 0 && spelled) return labels > 0 && ascii && is_top(s, i - bytes, bytes);
        if (next == 0) return labels > 0 && !(scale && labels == 1) && last;
        i = next;
    }
    return true;
}

bool wn_scan_mail(wn_scan *s, size_t i) {
    uint8_t before = wn_before(s, i);
    if (before == ' ') before = wn_before(s, i - 1);
    if (!is_local_byte(before) && before != ']' && before != ')') return false;
    size_t host = i + 1;
    if (wn_at(s, host) == ' ') host++;
    return host_at(s, host, false);
}

bool wn_scan_mail_quoted(wn_scan *s, size_t i) {
    return wn_at(s, i + 1) == '4' && wn_at(s, i + 2) == '0' && is_local_byte(wn_before(s, i)) &&
           host_at(s, i + 3, false);
}

// "gmail", or "example com": a host whose dot is a blank. Other top-level domains are words of a language.
static bool host_without_dot(wn_scan *s, size_t i) {
    static const char *const providers[] = {"gmail",  "googlemail", "hotmail",    "yahoo",
                                            "icloud", "gmx",        "protonmail", "outlook"};
    size_t n = 0;
    while (n < LABEL_CHARS_MAX && is_host_byte(wn_at(s, i + n))) n++;
    if (n < 2 || wn_at(s, i + n) != ' ') return false;
    size_t top = i + n + 1;
    if (wn_word_at(s, top, "com") && !wn_is_word(wn_at(s, top + 3))) return true;
    for (size_t k = 0; k < WN_COUNT(providers); k++)
        if (strlen(providers[k]) == n && wn_word_at(s, i, providers[k])) return true;
    return false;
}

bool wn_scan_mail_words(wn_scan *s, size_t i) {
    size_t word = wn_word_at(s, i, "at") ? 2 : wn_word_at(s, i, "a") ? 1 : 0;
    if (word == 0 || i < 2) return false;
    uint8_t before = wn_before(s, i), after = wn_at(s, i + word);
    if (!is_blank(before) ||
        (word == 1 && (before == ' ' || before == '+' || !is_blank(after) || after == ' ')))
        return false;
    size_t name = i - 1;
    for (int k = 0; k < 2 && name > 0 && is_blank(wn_at(s, name)); k++) name--;
    size_t host = skip_blank(s, i + word, 3);
    if (host == i + word || !wn_is_word(wn_at(s, name)) || !wn_is_word(wn_at(s, host))) return false;
    return host_at(s, host, true) || (word == 2 && host_without_dot(s, host));
}

// ---- UUID ----

bool wn_scan_uuid(wn_scan *s, size_t i) {
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    uint8_t mark = 0;
    for (size_t g = 0; g < WN_COUNT(groups); g++) {
        if (g == 1) mark = wn_at(s, i);
        if (g >= 1 && ((mark != '-' && mark != '_' && mark != '.') || wn_at(s, i++) != mark)) return false;
        for (size_t k = 0; k < groups[g]; k++)
            if (!wn_is_hex(wn_at(s, i++))) return false;
    }
    return !wn_is_hex(wn_at(s, i));
}

// ---- IBAN ----

#define IBAN_CHARS_MAX 34

static size_t iban_length(uint8_t a, uint8_t b) {
    static const struct {
        char country[3];
        uint8_t n;
    } rows[] = {
#define IBAN_LENGTH(country, n) {country, n},
#include "iban_lengths.def"
#undef IBAN_LENGTH
    };
    for (size_t r = 0; r < WN_COUNT(rows); r++)
        if (wn_lower((uint8_t)rows[r].country[0]) == a && wn_lower((uint8_t)rows[r].country[1]) == b)
            return rows[r].n;
    return 0;
}

static unsigned mod97(unsigned rest, uint8_t c) {
    if (wn_is_digit(c)) return (rest * 10 + (unsigned)(c - '0')) % 97;
    return (rest * 100 + (unsigned)(wn_lower(c) - 'a') + 10) % 97;
}

static bool is_iban_mark(uint8_t c) {
    return c != 0 && strchr(" -,.:*|/_", c) != NULL;
}

bool wn_scan_iban(wn_scan *s, size_t i) {
    uint8_t chars[IBAN_CHARS_MAX];
    if (!wn_is_alpha(wn_at(s, i)) || !wn_is_alpha(wn_at(s, i + 1))) return false;
    uint8_t third = wn_at(s, i + 2);
    if (!wn_is_digit(third) && !is_iban_mark(third)) return false;
    size_t want = iban_length(wn_lower(wn_at(s, i)), wn_lower(wn_at(s, i + 1))), n = 0;
    for (; n < want; i++) {
        uint8_t c = wn_at(s, i);
        bool mark = n > 0 && is_iban_mark(c) && wn_is_word(wn_at(s, i + 1));
        if (mark) continue;
        if (!wn_is_digit(c) && !wn_is_alpha(c)) break;
        if ((n == 2 || n == 3) && !wn_is_digit(c)) break;
        chars[n++] = c;
    }
    bool whole = want > 0 && n == want && !wn_is_word(wn_at(s, i));
    unsigned rest = 0;
    for (size_t k = 0; whole && k < n; k++) rest = mod97(rest, chars[(k + 4) % n]);
    wn_wipe(chars, sizeof chars);
    return whole && rest == 1;
}

// ---- tokens and keys ----

#define JWT_HEADER_CHARS_MIN 8
#define JWT_BODY_CHARS_MIN 4

static bool is_base64url(uint8_t c) {
    return wn_is_alpha(c) || wn_is_digit(c) || c == '-' || c == '_';
}

static size_t base64url_run(wn_scan *s, size_t i) {
    size_t n = 0;
    while (is_base64url(wn_at(s, i + n))) n++;
    return n;
}

// In any case of letters: a search box may have made them small. A failed look
// covers every later beginning inside what it looked at.
static bool jwt(wn_scan *s, size_t i) {
    if (i < s->jwt_end || !wn_word_at(s, i, "eyj")) return false;
    size_t header = base64url_run(s, i), dot = i + header;
    s->jwt_end = dot;
    if (header < JWT_HEADER_CHARS_MIN || wn_at(s, dot) != '.') return false;
    size_t body = base64url_run(s, dot + 1);
    s->jwt_end = dot + 1 + body;
    return body >= JWT_BODY_CHARS_MIN && wn_at(s, dot + 1 + body) == '.';
}

static bool key_prefix(wn_scan *s, size_t i) {
    static const struct {
        const char *text;
        uint8_t n, more;
    } rows[] = {
#define KEY_PREFIX(text, more) {text, sizeof(text) - 1, more},
#include "key_prefixes.def"
#undef KEY_PREFIX
    };
    static const uint8_t firsts[] = {
#define KEY_PREFIX(text, more) (text)[0],
#include "key_prefixes.def"
#undef KEY_PREFIX
    };
    uint8_t first = wn_at(s, i);
    if (memchr(firsts, first, sizeof firsts) == NULL) return false; // most words
    for (size_t r = 0; r < WN_COUNT(rows); r++) {
        if (firsts[r] != first) continue;
        size_t k = 0;
        while (k < rows[r].n && wn_at(s, i + k) == (uint8_t)rows[r].text[k]) k++;
        if (k < rows[r].n) continue;
        while (k < (size_t)rows[r].n + rows[r].more && is_base64url(wn_at(s, i + k))) k++;
        if (k == (size_t)rows[r].n + rows[r].more) return true;
    }
    return false;
}

typedef struct word {
    size_t n, digits, hex, lower, upper;
    size_t turns; // changes between lower case, upper case and digits, but for a capital's
} word;

static word measure(wn_scan *s, size_t i) {
    word w = {0};
    bool digit_before = false, lower_before = false;
    for (; i + w.n < s->n; w.n++) {
        uint8_t c = s->t[i + w.n];
        bool digit = wn_is_digit(c), lower = wn_is_lower(c), upper = wn_is_upper(c);
        if (!digit && !lower && !upper) break;
        w.digits += digit;
        w.lower += lower;
        w.upper += upper;
        w.hex += digit || (uint8_t)((c | 0x20) - 'a') < 6;
        w.turns += w.n > 0 && (digit != digit_before || (upper && lower_before));
        digit_before = digit;
        lower_before = lower;
    }
    s->steps += w.n + 1;
    return w;
}

// A word of at least 16 letters and digits turns more often between classes
// than names in CamelCase, product numbers and dates do: one character in four
// with a digit among them, one in three of letters alone.
#define RANDOM_CHARS_MIN 16
static bool is_random(const word *w) {
    if (w->n < RANDOM_CHARS_MIN || (w->lower == 0 && w->upper == 0)) return false;
    if (w->digits > 0) return w->turns * 4 >= w->n;
    return w->turns * 3 >= w->n;
}

static bool is_packed_uuid(wn_scan *s, size_t i) {
    uint8_t version = wn_at(s, i + 12), variant = wn_lower(wn_at(s, i + 16));
    return version >= '1' && version <= '8' &&
           (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

#define DIGEST_CHARS_MIN 20
static bool hex_word(wn_scan *s, size_t i, const word *w, wn_identifier_kind *out) {
    size_t letters = w->n - w->digits;
    if (w->hex != w->n || w->digits == 0) return false;
    if (w->n == 8 && wn_at(s, i + 8) == '-') {
        word tail = measure(s, i + 9);
        *out = WN_IDENTIFIER_udid;
        if (tail.n == 16 && tail.hex == 16) return true;
    }
    if (letters == 0) return false; // a number
    if (w->n == 12) *out = WN_IDENTIFIER_mac;
    else if (w->n == 16) *out = WN_IDENTIFIER_android_id;
    else if (w->n == 40) *out = WN_IDENTIFIER_udid;
    else if (w->n == 32 && is_packed_uuid(s, i)) *out = WN_IDENTIFIER_uuid;
    else *out = WN_IDENTIFIER_digest;
    if (w->n == 12) return w->digits >= 2 && letters >= 2;
    return w->n == 16 || w->n >= DIGEST_CHARS_MIN;
}

// Eight hexadecimal digits, behind 0x or with decimal ones and letters among them.
static bool packed_ip4(wn_scan *s, size_t i, const word *w) {
    if (w->n == 8) return w->hex == 8 && w->digits >= 2 && w->digits < 8;
    return w->n == 10 && wn_at(s, i) == '0' && wn_lower(wn_at(s, i + 1)) == 'x' && w->hex == 9;
}

bool wn_scan_secret(wn_scan *s, size_t i, wn_identifier_kind *out) {
    if (jwt(s, i)) {
        *out = WN_IDENTIFIER_jwt;
        return true;
    }
    word w = measure(s, i);
    if (hex_word(s, i, &w, out)) return true;
    if (packed_ip4(s, i, &w)) {
        *out = WN_IDENTIFIER_ip;
        return true;
    }
    *out = WN_IDENTIFIER_key;
    return is_random(&w) || key_prefix(s, i);
}
