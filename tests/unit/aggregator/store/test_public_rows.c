// SPDX-License-Identifier: Apache-2.0
// A record of published rows comes back as it was, and nothing that no encode
// made is taken for one: the store's seal is not the only check.
#include "public_columns.h"
#include "public_rows.h"
#include "store_support.h"

static wn_public_codec codec;
static wn_vault_buf out;
static wn_public_row *rows;
static size_t cap, rows_n;
static wn_public_head head;

static void teardown(void) {
    wn_public_codec_fini(&codec);
    wn_vault_buf_fini(&out);
    free(rows);
}

TestSuite(public_rows, .fini = teardown);

static wn_public_head head_of(bool is_sealed) {
    wn_public_head h = {.window = window_of_day(20777),
                        .plan_version = 3,
                        .policy_version = 70000,
                        .tick = 12,
                        .published_s = 1795000000,
                        .sealed = is_sealed,
                        .k = 20,
                        .measures = 7 | WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER1,
                        .dims_n = 1,
                        .dims = {WN_CLOSED_N + WN_DIM_route, WN_DIM_NONE},
                        .table = "pages",
                        .site = "example"};
    memset(h.plan_digest, 0xAB, sizeof h.plan_digest);
    return h;
}

static wn_public_row row_of(const char *first, const char *second, uint32_t people, uint64_t events,
                            uint64_t sessions) {
    wn_public_row r = {.people = people, .events = events, .sessions = sessions};
    snprintf(r.label[0], sizeof r.label[0], "%s", first);
    snprintf(r.label[1], sizeof r.label[1], "%s", second);
    return r;
}

static void encode(bool is_sealed, const wn_public_row *in, size_t n) {
    wn_public_head h = head_of(is_sealed);
    out.n = 0;
    cr_assert_eq(wn_public_rows_encode(&codec, &h, in, n, &out), WN_OK);
}

static wn_err decode(wn_span bytes) {
    uint8_t *exact = malloc(bytes.n + 1); // so that a sanitizer sees a read past the end
    if (bytes.n) memcpy(exact, bytes.p, bytes.n);
    uint8_t *copy = realloc(exact, bytes.n ? bytes.n : 1);
    wn_err err = wn_public_rows_decode(&codec, (wn_span){copy, bytes.n}, &head, &rows, &cap, &rows_n);
    free(copy);
    return err;
}

static void same(const wn_public_row *want, size_t n) {
    cr_assert_eq(rows_n, n);
    for (size_t i = 0; i < n; i++) {
        cr_assert_str_eq(rows[i].label[0], want[i].label[0]);
        cr_assert_str_eq(rows[i].label[1], want[i].label[1]);
        cr_assert_eq(rows[i].is_other, want[i].is_other);
        cr_assert_eq(rows[i].people, want[i].people);
        cr_assert_eq(rows[i].events, want[i].events);
        cr_assert_eq(rows[i].sessions, want[i].sessions);
        cr_assert_eq(rows[i].locked, want[i].locked);
        cr_assert_eq(rows[i].bounces, want[i].bounces);
        cr_assert_eq(rows[i].seconds, want[i].seconds);
        cr_assert_eq(rows[i].number, want[i].number);
    }
}

static bool any_locked(const wn_public_row *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (in[i].locked) return true;
    return false;
}

static void back(const wn_public_row *in, size_t n) {
    for (int is_sealed = any_locked(in, n); is_sealed < 2; is_sealed++) {
        encode(is_sealed != 0, in, n);
        cr_assert_eq(decode((wn_span){out.p, out.n}), WN_OK);
        same(in, n);
        wn_public_head want = head_of(is_sealed != 0);
        cr_assert(wn_window_same(&head.window, &want.window) && head.window.end_s == want.window.end_s);
        cr_assert(head.sealed == want.sealed && head.tick == 12 && head.policy_version == 70000);
        cr_assert(memcmp(head.plan_digest, want.plan_digest, sizeof want.plan_digest) == 0);
        cr_assert(strcmp(head.site, "example") == 0 && strcmp(head.table, "pages") == 0);
    }
}

// 40 pages and what is left over, as a month's report has them.
static size_t month(wn_public_row in[41]) {
    for (unsigned i = 0; i < 40; i++) {
        char label[32];
        snprintf(label, sizeof label, "/section/page-%u", i * 37 % 100);
        in[i] = row_of(label, "", 20 * (200 - i), 20 * (200 - i) * (1 + i % 4), 20 * (200 - i));
    }
    in[40] = row_of("other", "", 60, 90, 30);
    in[40].is_other = true;
    return 41;
}

// The same month with locked figures in some rows of it.
static size_t locked_month(wn_public_row in[41]) {
    size_t n = month(in);
    for (size_t i = 0; i < n; i++) {
        if (i % 3 != 0) in[i].locked |= WN_MEASURE_BOUNCES, in[i].bounces = 20 * (i % 7);
        if (i % 5 != 0) in[i].locked |= WN_MEASURE_TIME, in[i].seconds = 10 * (1000 - 7 * i);
        if (i > 30) in[i].locked |= WN_MEASURE_NUMBER1, in[i].number = 3 * i * i;
    }
    return n;
}

Test(public_rows, come_back_as_they_were) {
    wn_public_row in[41];
    char longest[WN_OPEN_TEXT_MAX + 1];
    memset(longest, 'x', WN_OPEN_TEXT_MAX);
    longest[WN_OPEN_TEXT_MAX] = 0;
    back(NULL, 0);
    back(in, month(in));
    in[0] = row_of("", "", 0, 0, 0);
    back(in, 1);
    in[0] = row_of(longest, longest, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1);
    back(in, 1);
    in[1] = row_of("", "", 1, 0, 0);
    in[2] = row_of("", "second alone", 7, UINT64_C(1) << 63, 3);
    in[3] = row_of("a", "b", 0, 1, UINT64_MAX);
    in[3].is_other = true;
    back(in, 4);
    in[0] = row_of("x", "", 30, 0, 0); // a table that measures people alone
    in[1] = row_of("y", "", 20, 0, 0);
    back(in, 2);
}

Test(public_rows, locked_figures_come_back_where_they_are_shown) {
    wn_public_row in[41];
    back(in, locked_month(in));
    in[0].locked = 0; // the first row, then the last one, has none
    in[0].bounces = in[0].seconds = in[0].number = 0;
    back(in, 41);
    in[0].locked = in[40].locked = WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER1;
    in[0].bounces = in[40].seconds = UINT64_MAX; // extremes beside what has no common divisor
    in[0].seconds = 0, in[0].number = UINT64_MAX - 1, in[40].number = 1;
    back(in, 41);
    for (size_t i = 0; i < 41; i++) in[i].bounces = 0; // shown, and all 0
    back(in, 41);
    back(in, 1);
    in[0].locked = WN_MEASURE_NUMBER1;
    in[0].bounces = in[0].seconds = 0;
    back(in, 1);
}

// Units are what they have in common: a table without locked measures pays nothing for them.
Test(public_rows, what_is_absent_takes_no_room) {
    wn_public_row in[41];
    wn_vault_buf without = {0}, with = {0};
    size_t n = month(in);
    cr_assert_eq(wn_public_columns_encode(in, n, 7, &without), WN_OK);
    cr_assert_eq(wn_public_columns_encode(in, n, 7 | WN_MEASURES_LOCKED, &with), WN_OK);
    cr_assert_eq(with.n, without.n + 2, "none is shown: one run");
    for (size_t i = 0; i < n; i++) in[i].locked = WN_MEASURE_BOUNCES, in[i].bounces = 20 * i;
    with.n = 0;
    cr_assert_eq(wn_public_columns_encode(in, n, 7 | WN_MEASURES_LOCKED, &with), WN_OK);
    cr_assert_eq(with.n, without.n + 2 + 1 + n, "a run, a unit, and a byte a row");
    wn_vault_buf_fini(&without);
    wn_vault_buf_fini(&with);
}

Test(public_rows, a_sealed_record_is_small_and_an_open_one_is_readable_at_once) {
    wn_public_row in[41];
    size_t n = month(in);
    encode(false, in, n);
    size_t open_n = out.n;
    cr_assert_eq(out.p[1], 0);
    encode(true, in, n);
    cr_assert_eq(out.p[1], 1);
    cr_assert_lt(out.n * 2, open_n);
    encode(true, NULL, 0); // what deflate would make longer stays as it is
    cr_assert_leq(out.n, 200);
}

Test(public_rows, a_label_that_does_not_end_is_refused) {
    wn_public_head h = head_of(true);
    wn_public_row r = row_of("a", "b", 10, 0, 0);
    memset(r.label[1], 'x', sizeof r.label[1]);
    cr_assert_eq(wn_public_rows_encode(&codec, &h, &r, 1, &out), WN_ERR_FORMAT);
}

Test(public_rows, every_cut_and_every_addition_is_refused) {
    wn_public_row in[41];
    for (int is_sealed = 0; is_sealed < 2; is_sealed++) {
        size_t n = is_sealed ? locked_month(in) : month(in);
        encode(is_sealed != 0, in, n);
        for (size_t cut = 0; cut < out.n; cut++)
            cr_assert_eq(decode((wn_span){out.p, cut}), WN_ERR_FORMAT, "cut at %zu of %zu", cut, out.n);
        cr_assert_eq(wn_vault_buf_fit(&out, out.n + 1), WN_OK);
        out.p[out.n] = 0;
        cr_assert_eq(decode((wn_span){out.p, out.n + 1}), WN_ERR_FORMAT);
    }
}

Test(public_rows, no_flipped_bit_reads_outside_or_is_taken_for_another_version) {
    wn_public_row in[41];
    size_t refused = 0, flips = 0;
    for (int is_sealed = 0; is_sealed < 2; is_sealed++) {
        size_t n = is_sealed ? locked_month(in) : month(in);
        encode(is_sealed != 0, in, n);
        for (size_t i = 0; i < out.n; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                out.p[i] ^= (uint8_t)(1u << bit);
                wn_err err = decode((wn_span){out.p, out.n});
                cr_assert(err == WN_OK || err == (i == 0 ? WN_ERR_VERSION : WN_ERR_FORMAT));
                for (size_t r = 0; err == WN_OK && r < rows_n; r++)
                    cr_assert(memchr(rows[r].label[0], 0, sizeof rows[r].label[0]) &&
                              memchr(rows[r].label[1], 0, sizeof rows[r].label[1]));
                out.p[i] ^= (uint8_t)(1u << bit);
                refused += err != WN_OK;
                flips++;
            }
        }
    }
    cr_assert_gt(refused, flips / 4);
}

Test(public_rows, other_versions_and_methods_are_refused) {
    wn_public_row r = row_of("a", "", 10, 10, 10);
    encode(false, &r, 1);
    for (unsigned version = 0; version < 256; version++) {
        out.p[0] = (uint8_t)version;
        cr_assert_eq(decode((wn_span){out.p, out.n}), version == 3 ? WN_OK : WN_ERR_VERSION);
    }
    out.p[0] = 3;
    for (unsigned method = 1; method < 256; method++) {
        out.p[1] = (uint8_t)method;
        cr_assert_eq(decode((wn_span){out.p, out.n}), WN_ERR_FORMAT);
    }
}

Test(public_rows, a_lying_length_is_refused_before_memory_is_asked_for) {
    wn_public_row in[41];
    encode(true, in, month(in));
    size_t before = codec.plain.cap;
    static const uint32_t lies[] = {0, 1, 100, 100000, UINT32_MAX};
    for (size_t i = 0; i < WN_COUNT(lies); i++) {
        for (unsigned b = 0; b < 4; b++) out.p[2 + b] = (uint8_t)(lies[i] >> (8 * b));
        cr_assert_eq(decode((wn_span){out.p, out.n}), WN_ERR_FORMAT);
    }
    cr_assert_lt(codec.plain.cap, before + 1040 * out.n + 2);
}

// ---- forged columns, one row ----

static wn_err columns(uint8_t measures, const uint8_t *bytes, size_t n) {
    static wn_public_row r;
    return wn_public_columns_decode((wn_span){bytes, n}, measures, &r, 1);
}
#define COLUMNS(...) columns(7, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define MOST 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01

Test(public_rows, forged_columns_are_refused) {
    // shape, run, label, people unit and number, events unit and difference, sessions unit
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 5, 0, 0), WN_OK);
    cr_assert_eq(COLUMNS(3, 1, 'a', 0, 10, 2, 5, 0, 0), WN_ERR_FORMAT, "three labels");
    cr_assert_eq(COLUMNS(7, 1, 'a', 0, 10, 2, 5, 0, 0), WN_ERR_FORMAT, "no such shape");
    cr_assert_eq(COLUMNS(1, 2, 'a', 0, 10, 2, 5, 0, 0), WN_ERR_FORMAT, "more rows than there are");
    cr_assert_eq(COLUMNS(1, 0, 1, 1, 'a', 0, 10, 2, 5, 0, 0), WN_ERR_FORMAT, "a run of none");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 0, 2, 5, 0, 0), WN_ERR_FORMAT, "people in units of nothing");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 0x8A, 0, 2, 5, 0, 0), WN_ERR_FORMAT, "two forms of a number");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 2, 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0), WN_ERR_FORMAT, "people 2^32");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, MOST, 0, 0), WN_ERR_FORMAT, "events past 64 bits");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 5, 4, 0), WN_OK);
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 5, 5, 0), WN_ERR_FORMAT, "fewer events than none");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 0, 0, 0), WN_ERR_FORMAT, "one byte too many");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 0), WN_ERR_FORMAT, "a column too few");
    uint8_t longer[2 + WN_OPEN_TEXT_MAX + 2 + 4] = {1, 1};
    memset(longer + 2, 'x', WN_OPEN_TEXT_MAX + 1);
    longer[2 + WN_OPEN_TEXT_MAX + 2] = 1;
    cr_assert_eq(columns(7, longer, sizeof longer), WN_ERR_FORMAT, "a label past its array");
}

#define LOCKED(...)                                                                                          \
    columns(7 | WN_MEASURES_LOCKED, (const uint8_t[]){1, 1, 'a', 0, 10, 2, 0, 0, __VA_ARGS__},               \
            8 + sizeof((const uint8_t[]){__VA_ARGS__}))

Test(public_rows, forged_locked_columns_are_refused) {
    enum { BOUNCES = 8, TIME = 16, NUMBER1 = 32, NUMBER2 = 64 };
    cr_assert_eq(LOCKED(0, 1), WN_OK);
    cr_assert_eq(LOCKED(BOUNCES, 1, 20, 3), WN_OK);
    cr_assert_eq(LOCKED(BOUNCES, 1, 0), WN_OK, "all are 0");
    cr_assert_eq(LOCKED(BOUNCES | TIME | NUMBER2, 1, 20, 3, 10, 9, 1, 7), WN_OK);
    cr_assert_eq(LOCKED(1, 1), WN_ERR_FORMAT, "people have no lock of their own");
    cr_assert_eq(LOCKED(0x80, 1, 1), WN_ERR_FORMAT, "no such measure");
    cr_assert_eq(LOCKED(0, 2), WN_ERR_FORMAT, "more rows than there are");
    cr_assert_eq(LOCKED(0, 0, 0, 1), WN_ERR_FORMAT, "a run of none");
    cr_assert_eq(LOCKED(0, 1, 20, 3), WN_ERR_FORMAT, "a figure without its bit");
    cr_assert_eq(LOCKED(BOUNCES, 1, 20), WN_ERR_FORMAT, "a bit without its figure");
    cr_assert_eq(LOCKED(BOUNCES, 1, 2, MOST), WN_ERR_FORMAT, "past 64 bits");
    cr_assert_eq(COLUMNS(1, 1, 'a', 0, 10, 2, 0, 0, 0, 1), WN_ERR_FORMAT, "of a table that has none");
}
