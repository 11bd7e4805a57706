// SPDX-License-Identifier: Apache-2.0
// test_consent_mutations.c: what a damaged string may say.
//
// A bit that turned from 0 to 1 makes another valid string, which nobody can
// tell from an honest one. What can be asked of a reader is this, and is asked here:
// a string cut anywhere, or with a byte no encoder writes, grants nothing more
// than the whole one; any other is read exactly as a second, plain reader reads it.
// WN_CONSENT_MUTATIONS sets their number.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consent_rig.h"
#include "naive_consent.h"

enum { MUTATIONS = 1000000, TEXT_MAX = 4096, SEED = 20261121 };

static rig_vector vectors[RIG_VECTORS_MAX];
static size_t vectors_n;

static void load(void) {
    vectors_n = rig_vectors_load(WN_GOLDEN_FILE, vectors);
}

TestSuite(consent_mutations, .init = load, .timeout = 240);

static uint64_t state = SEED;
static size_t dice(size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(state >> 33) % n;
}

static bool is_tcf(const rig_vector *v) {
    return strcmp(v->kind, "tcf") == 0;
}

// As a block of its own size, so that a sanitizer sees a read past its end.
static wn_signal first_reader(const rig_vector *v, const char *text, size_t n) {
    return rig_read(v->kind, (wn_span){(const uint8_t *)text, n}, (wn_span){NULL, 0}, &v->terms);
}

static wn_signal second_reader(const rig_vector *v, const char *text, size_t n) {
    return is_tcf(v) ? naive_tcf(text, n, &v->terms) : naive_gpp(text, n, &v->terms);
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// One edit. `other` is there to splice from.
static size_t edit(char *text, size_t n, const rig_vector *other) {
    size_t at = n > 0 ? dice(n) : 0, run = 1 + dice(4), from, other_n = strlen(other->text);
    if (n == 0 || n + 64 > TEXT_MAX) return n;
    switch (dice(12)) {
    case 0: // a letter
    case 1: text[at] = letters[dice(64)]; return n;
    case 2: // one bit of a letter: versions, types, lengths, flags
    case 3:
    case 4: {
        const char *p = strchr(letters, text[at]);
        if (text[at] != '\0' && p != NULL) text[at] = letters[(size_t)(p - letters) ^ 1u << dice(6)];
        return n;
    }
    case 5: // a bit of the first letter of a part
        while (at > 0 && text[at - 1] != '.' && text[at - 1] != '~') at--;
        text[at] = letters[dice(64)];
        return n;
    case 6: // something put in
        memmove(text + at + run, text + at, n - at);
        for (size_t i = 0; i < run; i++) text[at + i] = letters[dice(64)];
        return n + run;
    case 7: // something taken out
        if (run > n - at) run = n - at;
        memmove(text + at, text + at + run, n - at - run);
        return n - run;
    case 8: text[at] = "=+/ .~%\0\n\xff"[dice(10)]; return n;
    case 9: return at; // cut off
    case 10:           // zero bits, dots
        for (size_t i = 0; i < run; i++) text[n + i] = "AAA.~"[dice(5)];
        return n + run;
    default: // the tail of another
        from = other_n > 0 ? dice(other_n) : 0;
        if (other_n - from + at > TEXT_MAX - 64) return n;
        memcpy(text + at, other->text + from, other_n - from);
        return at + other_n - from;
    }
}

Test(consent_mutations, both_readers_agree_on_what_the_iab_made) {
    for (size_t i = 0; i < vectors_n; i++) {
        const rig_vector *v = &vectors[i];
        if (v->sid != NULL && !v->hostile && strcmp(v->sid, "-1") == 0) continue;
        wn_signal a = first_reader(v, v->text, strlen(v->text)),
                  b = second_reader(v, v->text, strlen(v->text));
        cr_expect(rig_same(a, b), "%s: %x %x %d, %x %x %d", v->name, a.yes, a.no, a.doubt, b.yes, b.no,
                  b.doubt);
    }
}

// At every byte of every good string.
Test(consent_mutations, a_string_cut_short_grants_nothing_more) {
    size_t cuts = 0, doubts = 0;
    for (size_t i = 0; i < vectors_n; i++) {
        const rig_vector *v = &vectors[i];
        size_t n = strlen(v->text);
        wn_signal whole = first_reader(v, v->text, n);
        if (whole.doubt) continue;
        for (size_t cut = 0; cut < n; cut++) {
            wn_signal s = first_reader(v, v->text, cut);
            cr_expect((s.yes & ~whole.yes) == 0, "%s cut at %zu grants %x", v->name, cut, s.yes & ~whole.yes);
            cr_expect((wn_signal_grants(s, WN_SIGNAL_basic) & ~wn_signal_grants(whole, WN_SIGNAL_basic)) == 0,
                      "%s cut at %zu", v->name, cut);
            cuts++;
            if (s.doubt) doubts++;
        }
    }
    cr_log_info("%zu cuts, %zu doubted", cuts, doubts);
    cr_expect_geq(cuts, 5000);
    cr_expect_geq(doubts * 10, cuts * 8);
}

// At every place of every good string, each byte that no encoder writes.
Test(consent_mutations, a_foreign_byte_anywhere_is_a_doubt) {
    char text[TEXT_MAX];
    for (size_t i = 0; i < vectors_n; i++) {
        const rig_vector *v = &vectors[i];
        size_t n = strlen(v->text);
        for (size_t at = 0; at <= n; at++) {
            const char foreign = "=+/ %\0\n\xff,:"[at % 10];
            memcpy(text, v->text, at);
            text[at] = foreign;
            memcpy(text + at + 1, v->text + at, n - at);
            cr_assert(first_reader(v, text, n + 1).doubt, "%s: %d put in at %zu", v->name, foreign, at);
            if (at == n) continue;
            memcpy(text, v->text, n);
            text[at] = foreign;
            cr_assert(first_reader(v, text, n).doubt, "%s: %d at %zu", v->name, foreign, at);
        }
    }
}

Test(consent_mutations, a_damaged_string_is_read_as_a_second_reader_reads_it) {
    const char *set = getenv("WN_CONSENT_MUTATIONS");
    size_t count = set != NULL ? strtoull(set, NULL, 10) : MUTATIONS, readable = 0, granting = 0;
    char text[TEXT_MAX];
    for (size_t i = 0; i < count; i++) {
        const rig_vector *v = &vectors[dice(vectors_n)];
        while ((strlen(v->text) > 400 || v->hostile) && dice(20) != 0)
            v = &vectors[dice(vectors_n)]; // seldom
        size_t n = strlen(v->text);
        memcpy(text, v->text, n);
        for (size_t edits = 1 + dice(4) / 3; edits > 0; edits--) n = edit(text, n, &vectors[dice(vectors_n)]);
        wn_signal a = first_reader(v, text, n), b = second_reader(v, text, n);
        cr_assert(rig_same(a, b), "from %s: '%.*s': %x %x %d, but %x %x %d", v->name, (int)n, text, a.yes,
                  a.no, a.doubt, b.yes, b.no, b.doubt);
        cr_assert(a.doubt ? a.yes == 0 && a.no == WN_SIGNAL_ALL : (a.yes & a.no) == 0);
        if (!a.doubt) readable++;
        if (a.yes != 0) granting++;
    }
    cr_log_info("%zu mutations, %zu readable, %zu granting", count, readable, granting);
    cr_expect_geq(readable * 10, count); // or the readers agree on nothing but doubt
    cr_expect_geq(granting * 20, count);
}
