// SPDX-License-Identifier: Apache-2.0
// declared.c: custom properties and survey answers. Nothing of them passes but
// what the policy declared, in both its states.
#include <string.h>

#include "event_body.h"
#include "identifiers.h"
#include "work.h"

_Static_assert(WN_DIM_prop4 - WN_DIM_prop1 + 1 == WN_POLICY_PROPS_MAX, "a dimension a declared property");
_Static_assert(WN_NUMBERS_N == WN_POLICY_NUMBERS_MAX, "a place a declared number");

static const wn_policy_list *find(const wn_policy_list *lists, size_t n, wn_span name) {
    for (size_t i = 0; i < n; i++)
        if (wn_span_is(name, lists[i].name)) return &lists[i];
    return NULL;
}

static bool lists_value(const wn_policy_list *list, wn_span value) {
    for (size_t i = 0; i < list->values_n; i++)
        if (wn_span_is(value, list->values[i])) return true;
    return false;
}

// A value nobody listed is free text: `measure`, a tag's form, no identifier's shape
// and no identifier's name; then its small letters are in `room`, and *value is they.
static bool passes(const wn_work *w, const wn_policy_list *list, wn_span *value, char room[33]) {
    if (list == NULL || (list->purpose & ~w->grants.bits) != 0) return false;
    if (list->values_n > 0) return lists_value(list, *value);
    if (wn_identifier_key((wn_span){(const uint8_t *)list->name, strlen(list->name)})) return false;
    if (!wn_granted(w->grants, WN_PURPOSE_measure) || wn_identifier_in(*value, NULL) || !wn_tag(*value, room))
        return false;
    *value = (wn_span){(const uint8_t *)room, strlen(room)};
    return true;
}

// "name=value"; both are short words.
static void set(wn_work *w, wn_dim_open dim, const char *name, wn_span value) {
    wn_text *t = &w->text[dim];
    size_t n = strlen(name);
    WN_ASSERT(n <= WN_POLICY_WORD_MAX && value.n <= WN_POLICY_WORD_MAX);
    memcpy(t->s, name, n);
    t->s[n] = '=';
    memcpy(t->s + n + 1, value.p, value.n);
    t->n = n + 1 + value.n;
    t->s[t->n] = '\0';
}

static wn_span value_of(const wn_pair *p) {
    static const uint8_t yes[] = "true", no[] = "false";
    if (p->type == WN_PAIR_TRUE) return (wn_span){yes, 4};
    if (p->type == WN_PAIR_FALSE) return (wn_span){no, 5};
    bool scalar = p->type == WN_PAIR_TEXT || p->type == WN_PAIR_NUMBER;
    if (!scalar || p->value.n > WN_POLICY_WORD_MAX) return (wn_span){NULL, 0};
    return p->value;
}

#define DIGITS_MAX WN_PAIR_BYTES_MAX
#define EXPONENT_MAX 999

static size_t digits_at(wn_span s, size_t at) {
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9') n++;
    return n;
}

bool wn_number_whole(wn_span text, uint16_t max, uint16_t *out) {
    size_t whole = digits_at(text, 0), at = whole, part = 0, digits_n = 0;
    uint8_t digits[DIGITS_MAX];
    if (whole == 0 || text.n > DIGITS_MAX) return false; // "-" too
    for (size_t i = 0; i < whole; i++) digits[digits_n++] = text.p[i];
    if (at < text.n && text.p[at] == '.') {
        part = digits_at(text, ++at);
        if (part == 0) return false;
        for (size_t i = 0; i < part; i++) digits[digits_n++] = text.p[at + i];
        at += part;
    }
    long exponent = 0;
    if (at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        bool below = ++at < text.n && text.p[at] == '-';
        if (at < text.n && (text.p[at] == '-' || text.p[at] == '+')) at++;
        size_t n = digits_at(text, at);
        if (n == 0) return false;
        for (size_t i = 0; i < n; i++)
            exponent = exponent > EXPONENT_MAX ? exponent : exponent * 10 + (text.p[at + i] - '0');
        if (below) exponent = -exponent;
        at += n;
    }
    if (at != text.n) return false;
    uint32_t value = 0;
    // Five zeros behind the digits make anything but 0 too large, so that an exponent costs no time.
    for (long i = 0; i < (long)whole + exponent && i < (long)digits_n + 5 && value <= UINT16_MAX; i++)
        value = value * 10 + (i < (long)digits_n ? digits[i] - (uint32_t)'0' : 0);
#ifdef WN_MUTANT_NUMBER_UNCLAMPED
    max = UINT16_MAX;
#endif
    *out = value < max ? (uint16_t)value : max;
    return true;
}

// A number that both policies declare; the smaller bound holds.
static void read_number(wn_work *w, const wn_pair *p) {
    const wn_site_policy *began = w->policy[0], *newest = w->policy[1];
    const wn_policy_list *list = find(began->numbers, began->numbers_n, p->key),
                         *now = find(newest->numbers, newest->numbers_n, p->key);
    if (list == NULL || now == NULL || ((list->purpose | now->purpose) & ~w->grants.bits) != 0) return;
    uint16_t max = list->number_max < now->number_max ? list->number_max : now->number_max, value = 0;
    if (p->type == WN_PAIR_NUMBER && wn_number_whole(p->value, max, &value))
        w->obs->number[list - began->numbers] = value;
}

static void read_props(wn_work *w) {
    const wn_site_policy *began = w->policy[0], *newest = w->policy[1];
    wn_pair p;
    if (wn_work_get(w, WN_FIELD_props).n == 0) return;
    for (size_t at = 0; wn_event_pair_next(w->e, WN_FIELD_props, &at, &p);) {
        read_number(w, &p);
        const wn_policy_list *list = find(began->props, began->props_n, p.key);
        wn_span value = value_of(&p), now = value;
        char room[33], room_now[33];
        if (list == NULL || value.n == 0) continue;
        if (!passes(w, list, &value, room)) continue;
        if (newest != began && !passes(w, find(newest->props, newest->props_n, p.key), &now, room_now))
            continue;
        set(w, WN_DIM_prop1 + (wn_dim_open)(list - began->props), list->name, value);
    }
}

static void read_answer(wn_work *w) {
    wn_span survey = wn_work_get(w, WN_FIELD_survey), answer = wn_work_get(w, WN_FIELD_answer);
    if (survey.n == 0 || answer.n == 0 || answer.n > WN_POLICY_WORD_MAX) return;
    for (size_t i = 0; i < 2; i++) {
        const wn_policy_list *list = find(w->policy[i]->surveys, w->policy[i]->surveys_n, survey);
        char room[33];
        if (list == NULL || list->values_n == 0 || !passes(w, list, &answer, room)) return;
        if (i == 1) set(w, WN_DIM_answer, list->name, answer);
    }
}

void wn_declared(wn_work *w) {
    read_props(w);
    read_answer(w);
}
