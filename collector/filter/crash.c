// SPDX-License-Identifier: Apache-2.0
// crash.c: the grammar of exception classes. Digits are few in classes and many in ids.
#include "crash.h"

#include <string.h>

#include "identifiers.h"

#define CLASS_DIGITS_MAX 3 // in a whole class: Win32Exception
#define VERSION_DIGITS_MAX 4
#define VERSION_PARTS_MAX 3

#define CRASH_NAME(text) {text, sizeof(text) - 1},
static const struct text {
    const char *s;
    size_t n;
} names[] = {
#include "crash_classes.def"
};
#define CRASH_ENDING(text) {text, sizeof(text) - 1},
static const struct text endings[] = {
#include "crash_classes.def"
};

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_name(wn_span t) {
    for (size_t i = 0; i < WN_COUNT(names); i++)
        if (names[i].n == t.n && memcmp(names[i].s, t.p, t.n) == 0) return true;
    return false;
}

static bool has_ending(wn_span t) {
    for (size_t i = 0; i < WN_COUNT(endings); i++) {
        size_t n = endings[i].n;
        if (t.n >= n && memcmp(endings[i].s, t.p + t.n - n, n) == 0) return true;
    }
    return false;
}

// Bytes of the joint at i; 0: none.
static size_t joint(wn_span t, size_t i) {
    if (t.p[i] == '.' || t.p[i] == '$') return 1;
    return t.p[i] == ':' && i + 1 < t.n && t.p[i + 1] == ':' ? 2 : 0;
}

static bool is_class(wn_span t) {
    size_t digits = 0, i = 0;
    for (;;) {
        if (i >= t.n || !is_letter(t.p[i])) return false;
        for (; i < t.n && (is_letter(t.p[i]) || is_digit(t.p[i]) || t.p[i] == '_'); i++)
            digits += is_digit(t.p[i]);
        if (i == t.n) break;
        size_t bytes = joint(t, i);
        if (bytes == 0) return false;
        i += bytes;
    }
    return digits <= CLASS_DIGITS_MAX && has_ending(t);
}

size_t wn_crash_class(wn_span text, char out[WN_CRASH_CLASS_MAX + 1]) {
    if (text.n == 0 || text.n > WN_CRASH_CLASS_MAX) return 0;
    if (!is_name(text) && (!is_class(text) || wn_identifier_in(text, NULL))) return 0;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return text.n;
}

size_t wn_app_version(wn_span text, char out[WN_APP_VERSION_MAX + 1]) {
    char said[WN_APP_VERSION_MAX + 1];
    size_t to = 0, parts = 0;
    for (size_t i = 0; i <= text.n; i++) {
        size_t begin = i;
        while (i < text.n && is_digit(text.p[i])) i++;
        if (i == begin || i - begin > VERSION_DIGITS_MAX || parts == VERSION_PARTS_MAX) return 0;
        if (i < text.n && text.p[i] != '.') return 0;
        while (i - begin > 1 && text.p[begin] == '0') begin++;
        if (parts++ > 0) said[to++] = '.';
        memcpy(said + to, text.p + begin, i - begin);
        to += i - begin;
    }
    if (parts < 2) return 0;
    said[to] = '\0';
    memcpy(out, said, to + 1);
    return to;
}
