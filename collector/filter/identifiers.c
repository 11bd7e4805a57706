// SPDX-License-Identifier: Apache-2.0
// identifiers.c: one walk over the folded text; each detector is asked where
// what it knows can begin.
#include "identifiers.h"

#include <string.h>

#include "identifier_scan.h"

const char *wn_identifier_name(wn_identifier_kind k) {
    static const char *const names[] = {
#define IDENTIFIER_KIND(name, doc) #name,
#include "identifier_kinds.def"
#undef IDENTIFIER_KIND
    };
    return k < WN_IDENTIFIER_N ? names[k] : "";
}

static bool click_id(wn_scan *s, size_t i) {
    static const char *const names[] = {
#define CLICK_ID(name) name,
#include "click_ids.def"
#undef CLICK_ID
    };
    for (size_t row = 0; row < WN_COUNT(names); row++)
        if (wn_word_at(s, i, names[row]) && wn_at(s, i + strlen(names[row])) == '=') return true;
    return false;
}

// At the first character of a word.
static bool word_begins(wn_scan *s, size_t i, wn_identifier_kind *out) {
    static const struct {
        bool (*at)(wn_scan *s, size_t i);
        wn_identifier_kind kind;
    } detectors[] = {
        {wn_scan_uuid, WN_IDENTIFIER_uuid}, {wn_scan_iban, WN_IDENTIFIER_iban},
        {wn_scan_mac, WN_IDENTIFIER_mac},   {wn_scan_ip4, WN_IDENTIFIER_ip},
        {wn_scan_ip6, WN_IDENTIFIER_ip},    {wn_scan_mail_words, WN_IDENTIFIER_email},
    };
    for (size_t d = 0; d < WN_COUNT(detectors); d++)
        if (detectors[d].at(s, i)) {
            *out = detectors[d].kind;
            return true;
        }
    return wn_scan_secret(s, i, out);
}

static bool found(wn_identifier_kind *out, wn_identifier_kind kind) {
    *out = kind;
    return true;
}

static bool walk(wn_scan *s, wn_identifier_kind *out) {
    size_t number_end = 0, wide_end = 0;
    uint8_t before = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint8_t c = wn_at(s, i);
        bool edge = wn_is_word(c) && !wn_is_word(before);
        if (c == '@' && wn_scan_mail(s, i)) return found(out, WN_IDENTIFIER_email);
        if (c == '=' && wn_scan_mail_quoted(s, i)) return found(out, WN_IDENTIFIER_email);
        if (edge && word_begins(s, i, out)) return true;
        if (s->any_equals && (edge || c == '_') && before != '_' && !wn_is_word(before) && click_id(s, i))
            return found(out, WN_IDENTIFIER_click_id);
        if (c == ':' && before != ':' && !wn_is_word(before) && wn_scan_ip6(s, i))
            return found(out, WN_IDENTIFIER_ip);
        if (wn_is_digit(c) && !wn_is_digit(before)) {
            if (before != '.' && wn_scan_gps(s, i)) return found(out, WN_IDENTIFIER_gps);
            if (i >= number_end && wn_scan_number(s, i, &number_end, out)) return true;
            if (i >= wide_end && wn_scan_wide(s, i, &wide_end, out)) return true;
        }
        before = c;
    }
    return false;
}

bool wn_identifier_count(wn_span text, wn_identifier_kind *out, size_t *out_steps) {
    uint8_t folded[WN_PLAIN_MAX];
    size_t n = 0;
    *out_steps = text.n;
    switch (wn_plain(text, folded, &n)) {
    case WN_PLAIN_TOO_LONG: return found(out, WN_IDENTIFIER_too_long);
    case WN_PLAIN_ESCAPED: wn_wipe(folded, sizeof folded); return found(out, WN_IDENTIFIER_escaped);
    case WN_PLAIN_UNREADABLE: wn_wipe(folded, sizeof folded); return found(out, WN_IDENTIFIER_unreadable);
    case WN_PLAIN_DONE: break;
    }
    if (n == 0) return false;
    wn_scan s = {.t = folded, .n = n, .any_equals = memchr(folded, '=', n) != NULL};
    wn_identifier_kind kind = WN_IDENTIFIER_N;
    bool hit = walk(&s, &kind);
    if (hit) *out = kind;
    *out_steps += s.steps;
    wn_wipe(folded, n);
    return hit;
}

bool wn_identifier_in(wn_span text, wn_identifier_kind *out) {
    wn_identifier_kind kind;
    size_t steps = 0;
#ifdef WN_MUTANT_IDENTIFIERS_UNSEEN
    return false;
#endif
    return wn_identifier_count(text, out != NULL ? out : &kind, &steps);
}
