// SPDX-License-Identifier: Apache-2.0
// Head and rows of a record hold together or are refused: when written, and,
// whoever wrote them, when read.
#include "public_columns.h"
#include "public_head.h"
#include "public_rows.h"
#include "store_support.h"

static wn_public_codec codec;
static wn_vault_buf out;

static void teardown(void) {
    wn_public_codec_fini(&codec);
    wn_vault_buf_fini(&out);
}

TestSuite(public_head, .fini = teardown);

#define ROUTE (WN_CLOSED_N + WN_DIM_route)
enum { LOCKED_ONE = WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER2 };

static wn_public_head crowd_head(void) {
    return (wn_public_head){.window = window_of_day(20777),
                            .plan_version = UINT32_MAX,
                            .policy_version = 1,
                            .tick = UINT64_MAX,
                            .published_s = INT64_MIN,
                            .sealed = true,
                            .k = 10,
                            .measures = 7 | LOCKED_ONE,
                            .dims_n = 1,
                            .dims = {WN_DIM_country, WN_DIM_NONE},
                            .share = true,
                            .receivers_n = 2,
                            .receiver = {"ads", "r-2_x"},
                            .table = "countries",
                            .site = "example"};
}

static wn_public_head noise_head(void) {
    wn_public_head h = crowd_head();
    h.profile = WN_PROFILE_NOISE;
    h.measures = WN_MEASURE_PEOPLE;
    h.k = 20;
    h.noise = (wn_noise_terms){.rho_micro = 30000,
                               .signed_only = true,
                               .l0 = 12,
                               .variance_num = 200,
                               .variance_den = 1,
                               .threshold_closed = 106,
                               .threshold_open = 136};
    return h;
}

static wn_public_row row_of(uint32_t people) {
    return (wn_public_row){.label = {"DE"}, .people = people};
}

static bool same_head(const wn_public_head *a, const wn_public_head *b) {
    bool same = a->profile == b->profile && a->share == b->share && a->receivers_n == b->receivers_n &&
                a->measures == b->measures && a->plan_version == b->plan_version && a->tick == b->tick &&
                a->published_s == b->published_s && a->k == b->k;
    for (unsigned i = 0; same && i < a->receivers_n; i++) same = strcmp(a->receiver[i], b->receiver[i]) == 0;
    const wn_noise_terms *s = &a->noise, *t = &b->noise;
    return same && s->rho_micro == t->rho_micro && s->signed_only == t->signed_only && s->l0 == t->l0 &&
           s->variance_num == t->variance_num && s->variance_den == t->variance_den &&
           s->threshold_closed == t->threshold_closed && s->threshold_open == t->threshold_open;
}

// What `encode` says; when it writes, decode must give it back.
static wn_err written(const wn_public_head *h, const wn_public_row *r, size_t n) {
    wn_public_head back;
    wn_public_row *rows = NULL;
    size_t cap = 0, rows_n = 0;
    out.n = 0;
    wn_err err = wn_public_rows_encode(&codec, h, r, n, &out);
    if (err) return err;
    cr_assert_eq(wn_public_rows_decode(&codec, (wn_span){out.p, out.n}, &back, &rows, &cap, &rows_n), WN_OK);
    cr_assert(rows_n == n && same_head(&back, h));
    for (size_t i = 0; i < n; i++) {
        cr_assert(rows[i].people == r[i].people && rows[i].locked == r[i].locked);
        cr_assert(rows[i].bounces == r[i].bounces && rows[i].seconds == r[i].seconds &&
                  rows[i].number == r[i].number);
    }
    free(rows);
    return WN_OK;
}

// What decode says of a record that nobody checked when it was written.
static wn_err forged(const wn_public_head *h, const wn_public_row *r, size_t n) {
    msgpack_sbuffer body;
    msgpack_packer pk;
    wn_public_head back;
    wn_public_row *rows = NULL;
    size_t cap = 0, rows_n = 0;
    msgpack_sbuffer_init(&body);
    msgpack_packer_init(&pk, &body, msgpack_sbuffer_write);
    wn_public_head_pack(&pk, h);
    msgpack_pack_uint32(&pk, (uint32_t)n);
    out.n = 0;
    cr_assert_eq(wn_vault_buf_fit(&out, body.size + 2), WN_OK);
    memcpy(out.p, "\3\0", 2);
    memcpy(out.p + 2, body.data, body.size);
    out.n = body.size + 2;
    msgpack_sbuffer_destroy(&body);
    cr_assert_eq(wn_public_columns_encode(r, n, h->measures, &out), WN_OK);
    wn_err err = wn_public_rows_decode(&codec, (wn_span){out.p, out.n}, &back, &rows, &cap, &rows_n);
    free(rows);
    return err;
}

#define REFUSED_HEAD(from, change)                                                                           \
    do {                                                                                                     \
        wn_public_head h = from();                                                                           \
        change;                                                                                              \
        cr_assert_eq(written(&h, NULL, 0), WN_ERR_FORMAT, "%s", #change);                                    \
        cr_assert_eq(forged(&h, NULL, 0), WN_ERR_FORMAT, "read: %s", #change);                               \
    } while (0)
#define KEPT_HEAD(from, change)                                                                              \
    do {                                                                                                     \
        wn_public_head h = from();                                                                           \
        change;                                                                                              \
        cr_assert_eq(written(&h, NULL, 0), WN_OK, "%s", #change);                                            \
        cr_assert_eq(forged(&h, NULL, 0), WN_OK, "read: %s", #change);                                       \
    } while (0)
#define REFUSED_ROW(from, people, change)                                                                    \
    do {                                                                                                     \
        wn_public_head h = from();                                                                           \
        wn_public_row r = row_of(people);                                                                    \
        change;                                                                                              \
        cr_assert_eq(written(&h, &r, 1), WN_ERR_FORMAT, "%s", #change);                                      \
        cr_assert_eq(forged(&h, &r, 1), WN_ERR_FORMAT, "read: %s", #change);                                 \
    } while (0)
#define KEPT_ROW(from, people, change)                                                                       \
    do {                                                                                                     \
        wn_public_head h = from();                                                                           \
        wn_public_row r = row_of(people);                                                                    \
        change;                                                                                              \
        cr_assert_eq(written(&h, &r, 1), WN_OK, "%s", #change);                                              \
        cr_assert_eq(forged(&h, &r, 1), WN_OK, "read: %s", #change);                                         \
    } while (0)

static void eight(wn_public_head *h) {
    h->receivers_n = WN_RECEIVERS_MAX;
    for (unsigned i = 0; i < WN_RECEIVERS_MAX; i++) {
        memset(h->receiver[i], 'a', WN_RECEIVER_BYTES - 2);
        h->receiver[i][WN_RECEIVER_BYTES - 2] = (char)('0' + i);
    }
}

Test(public_head, receivers_are_names_once_each_and_get_what_was_agreed_to) {
    KEPT_HEAD(crowd_head, h.share = true);
    KEPT_HEAD(crowd_head, h.receivers_n = 0);
    KEPT_HEAD(crowd_head, (h.receivers_n = 0, h.share = false));
    KEPT_HEAD(crowd_head, eight(&h));
    REFUSED_HEAD(crowd_head, h.share = false);
    REFUSED_HEAD(crowd_head, h.receiver[1][0] = 0);
    REFUSED_HEAD(crowd_head, h.receiver[1][0] = 'R');
    REFUSED_HEAD(crowd_head, h.receiver[1][0] = '2');
    REFUSED_HEAD(crowd_head, h.receiver[1][1] = '.');
    REFUSED_HEAD(crowd_head, h.receiver[1][4] = '\x80');
    REFUSED_HEAD(crowd_head, strcpy(h.receiver[1], h.receiver[0]));
    wn_public_head h = crowd_head();
    h.receivers_n = WN_RECEIVERS_MAX + 1;
    cr_assert_eq(written(&h, NULL, 0), WN_ERR_FORMAT);
    h = crowd_head();
    memset(h.receiver[0], 'a', WN_RECEIVER_BYTES);
    cr_assert_eq(written(&h, NULL, 0), WN_ERR_FORMAT, "does not end");
}

Test(public_head, measures_are_known_and_of_one_sum) {
    KEPT_HEAD(crowd_head, h.measures = WN_MEASURE_PEOPLE);
    KEPT_HEAD(crowd_head, h.measures = 0x7F & ~WN_MEASURE_NUMBER1);
    KEPT_HEAD(crowd_head, h.measures = 0x7F & ~WN_MEASURE_NUMBER2);
    REFUSED_HEAD(crowd_head, h.measures = 0x7F);
    REFUSED_HEAD(crowd_head, h.measures |= 0x80);
    REFUSED_HEAD(crowd_head, h.profile = WN_PROFILE_N);
}

Test(public_head, noise_terms_belong_together) {
    KEPT_HEAD(noise_head, h.share = true);
    KEPT_HEAD(noise_head, (h.noise.signed_only = false, h.noise.l0 = 24, h.noise.variance_num = 400));
    KEPT_HEAD(noise_head, (h.noise.rho_micro = WN_RHO_MICRO_MAX, h.noise.variance_num = 60));
    KEPT_HEAD(noise_head, (h.noise.rho_micro = 70000, h.noise.variance_num = 600, h.noise.variance_den = 7));
    REFUSED_HEAD(noise_head, h.noise.rho_micro = 0);
    REFUSED_HEAD(noise_head, (h.noise.rho_micro = WN_RHO_MICRO_MAX + 1, h.noise.variance_num = 6000000,
                              h.noise.variance_den = WN_RHO_MICRO_MAX + 1));
    REFUSED_HEAD(noise_head, (h.noise.l0 = 0, h.noise.variance_num = 0));
    REFUSED_HEAD(noise_head, (h.noise.l0 = 24, h.noise.variance_num = 400));
    REFUSED_HEAD(noise_head, (h.noise.signed_only = false, h.noise.l0 = 25, h.noise.variance_num = 1250,
                              h.noise.variance_den = 3));
    REFUSED_HEAD(noise_head, h.noise.variance_num = 100); // half of what the budget says
    REFUSED_HEAD(noise_head, (h.noise.variance_num = 400, h.noise.variance_den = 2)); // not lowest
    REFUSED_HEAD(noise_head, h.noise.variance_den = 0);
    REFUSED_HEAD(noise_head, h.noise.threshold_closed = h.k);
    REFUSED_HEAD(noise_head, h.measures |= WN_MEASURE_EVENTS);
    REFUSED_HEAD(noise_head, h.measures = 0);
}

// A plan has one set of terms, whatever a table's profile: those of a crowd table are not its own.
Test(public_head, a_crowd_record_keeps_no_noise_terms) {
    wn_public_head h = crowd_head(), plain = crowd_head(), back;
    wn_public_row *rows = NULL;
    size_t cap = 0, n = 0, bytes;
    h.noise = noise_head().noise;
    h.noise.rho_micro = 0;
    cr_assert_eq(wn_public_rows_encode(&codec, &h, NULL, 0, &out), WN_OK);
    bytes = out.n;
    cr_assert_eq(wn_public_rows_decode(&codec, (wn_span){out.p, out.n}, &back, &rows, &cap, &n), WN_OK);
    cr_assert(same_head(&back, &plain));
    out.n = 0;
    cr_assert_eq(wn_public_rows_encode(&codec, &plain, NULL, 0, &out), WN_OK);
    cr_assert_eq(out.n, bytes);
    free(rows);
}

Test(public_head, a_locked_figure_has_its_bit_its_measure_and_its_seal) {
    KEPT_ROW(crowd_head, 20, (r.locked = LOCKED_ONE, r.bounces = 10, r.seconds = 10, r.number = 1));
    KEPT_ROW(crowd_head, 20, (r.locked = LOCKED_ONE, r.bounces = r.seconds = r.number = UINT64_MAX));
    KEPT_ROW(crowd_head, UINT32_MAX, r.locked = WN_MEASURE_BOUNCES);
    REFUSED_ROW(crowd_head, 20, (h.sealed = false, r.locked = WN_MEASURE_BOUNCES));
    REFUSED_ROW(crowd_head, 20, (h.measures ^= WN_MEASURE_BOUNCES, r.locked = WN_MEASURE_BOUNCES));
    REFUSED_ROW(crowd_head, 20, r.locked = WN_MEASURE_NUMBER1);
    // These cannot be said in a record's bytes: a figure is there where its bit is.
    for (unsigned figure = 0; figure < 3; figure++) {
        wn_public_head h = crowd_head();
        wn_public_row r = row_of(20);
        if (figure == 0) r.bounces = 1, r.locked = LOCKED_ONE & ~WN_MEASURE_BOUNCES;
        if (figure == 1) r.seconds = 1, r.locked = LOCKED_ONE & ~WN_MEASURE_TIME;
        if (figure == 2) r.number = 1, r.locked = LOCKED_ONE & ~WN_MEASURE_NUMBER2;
        cr_assert_eq(written(&h, &r, 1), WN_ERR_FORMAT);
        r.locked = WN_MEASURE_PEOPLE | LOCKED_ONE;
        cr_assert_eq(written(&h, &r, 1), WN_ERR_FORMAT);
    }
}

Test(public_head, a_noise_row_is_people_at_the_seal_and_not_under_its_threshold) {
    KEPT_ROW(noise_head, 106, h.sealed = true);
    KEPT_ROW(noise_head, UINT32_MAX, h.sealed = true);
    REFUSED_ROW(noise_head, 105, h.sealed = true);
    KEPT_ROW(noise_head, 136, h.dims[0] = ROUTE);
    REFUSED_ROW(noise_head, 135, h.dims[0] = ROUTE);
    REFUSED_ROW(noise_head, 135, (h.dims_n = 2, h.dims[1] = ROUTE));
    KEPT_ROW(noise_head, 106, h.dims_n = 0);
    KEPT_HEAD(noise_head, h.sealed = false); // no rows yet
    REFUSED_ROW(noise_head, 106, h.sealed = false);
    REFUSED_ROW(noise_head, 106, r.is_other = true);
    REFUSED_ROW(noise_head, 106, r.events = 1);
    REFUSED_ROW(noise_head, 106, r.sessions = 1);
    wn_public_head h = noise_head();
    wn_public_row r = row_of(106);
    r.locked = WN_MEASURE_BOUNCES; // which its bytes could not say
    cr_assert_eq(written(&h, &r, 1), WN_ERR_FORMAT);
}

// Numbers of noise share no divisor: they come back all the same, in few bytes.
Test(public_head, noise_rows_come_back_and_are_small) {
    enum { ROWS = 2000 };
    wn_public_head h = noise_head();
    wn_public_row *rows = calloc(ROWS, sizeof *rows);
    for (unsigned i = 0; i < ROWS; i++) {
        rows[i] = row_of(106 + i * 7919u % 5000);
        snprintf(rows[i].label[0], sizeof rows[i].label[0], "%u", i);
    }
    cr_assert_eq(written(&h, rows, ROWS), WN_OK);
    cr_assert_lt(out.n, 7u * ROWS);
    free(rows);
}

Test(public_head, a_name_with_a_zero_in_it_is_refused) {
    wn_public_head h = crowd_head(), back;
    wn_public_row *rows = NULL;
    size_t cap = 0, n = 0;
    h.sealed = false;
    cr_assert_eq(wn_public_rows_encode(&codec, &h, NULL, 0, &out), WN_OK);
    uint8_t *name = memmem(out.p, out.n, "countries", 9);
    cr_assert(name);
    name[4] = 0;
    cr_assert_eq(wn_public_rows_decode(&codec, (wn_span){out.p, out.n}, &back, &rows, &cap, &n),
                 WN_ERR_FORMAT);
    free(rows);
}

// Whatever a flipped bit makes of it, what is taken for a record holds together.
Test(public_head, no_flipped_bit_makes_a_record_that_does_not_hold) {
    wn_public_head back;
    wn_public_row row[2] = {row_of(120), row_of(107)}, *rows = NULL;
    size_t cap = 0, n = 0, refused = 0, flips = 0;
    for (int noise = 0; noise < 2; noise++) {
        wn_public_head h = noise ? noise_head() : crowd_head();
        if (!noise) row[0].locked = LOCKED_ONE, row[0].seconds = 130, row[0].bounces = 10, row[0].number = 5;
        else row[0] = row_of(120);
        cr_assert_eq(forged(&h, row, 2), WN_OK); // plain, so that every bit is met
        for (size_t i = 1; i < out.n; i++) {
            for (unsigned bit = 0; bit < 8; bit++, flips++) {
                out.p[i] ^= (uint8_t)(1u << bit);
                wn_err err = wn_public_rows_decode(&codec, (wn_span){out.p, out.n}, &back, &rows, &cap, &n);
                cr_assert(err == WN_ERR_FORMAT || (err == WN_OK && wn_public_head_holds(&back) &&
                                                   wn_public_rows_hold(&back, rows, n)));
                refused += err != WN_OK;
                out.p[i] ^= (uint8_t)(1u << bit);
            }
        }
    }
    cr_assert_gt(refused, flips / 4);
    free(rows);
}
