// SPDX-License-Identifier: Apache-2.0
// public_columns.c: what is alike stands together. Numbers are floors in tens or
// multiples of k, and sessions and events lie near people: so each column is
// divided by what divides it all, and those two are differences to people.
//
//   shapes   runs of (shape, how many)
//   labels   each ended by a zero byte
//   people   unit, then one a row
//   events   unit (0: all are 0, and nothing follows), then differences; sessions the same
//   of a table with locked measures also:
//   locked   runs of (bits, how many)
//   bounces  where a row has the bit: unit (0: all are 0), then one a row that has it;
//            seconds and number the same
#include "public_columns.h"

#include <string.h>

enum { SHAPE_OTHER = 4, SHAPE_MAX = 6 }; // labels written (0..2), plus SHAPE_OTHER
enum { VARINT_BYTES_MAX = 10 };

static unsigned labels_of(const wn_public_row *r) {
    return r->label[1][0] ? 2 : r->label[0][0] ? 1 : 0;
}

static uint8_t shape_of(const wn_public_row *r) {
    return (uint8_t)(labels_of(r) | (r->is_other ? SHAPE_OTHER : 0));
}

// ---- writing; room was made for the most ----

static void put_varint(wn_vault_buf *out, uint64_t x) {
    for (; x >= 0x80; x >>= 7) out->p[out->n++] = (uint8_t)(x | 0x80);
    out->p[out->n++] = (uint8_t)x;
}

static uint64_t divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void put_shapes(wn_vault_buf *out, const wn_public_row *rows, size_t n) {
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && shape_of(&rows[i + run]) == shape_of(&rows[i]);) run++;
        put_varint(out, shape_of(&rows[i]));
        put_varint(out, run);
    }
}

static void put_labels(wn_vault_buf *out, const wn_public_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (unsigned d = 0; d < labels_of(&rows[i]); d++) {
            size_t bytes = strlen(rows[i].label[d]) + 1;
            memcpy(out->p + out->n, rows[i].label[d], bytes);
            out->n += bytes;
        }
    }
}

static uint64_t zigzag(uint64_t difference) {
    return difference << 1 ^ (0 - (difference >> 63));
}

static uint64_t unzigzag(uint64_t x) {
    return x >> 1 ^ (0 - (x & 1));
}

static uint64_t events_of(const wn_public_row *r) {
    return r->events;
}

static uint64_t sessions_of(const wn_public_row *r) {
    return r->sessions;
}

static void put_beside(wn_vault_buf *out, const wn_public_row *rows, size_t n, uint64_t people_unit,
                       uint64_t (*number)(const wn_public_row *r)) {
    uint64_t unit = 0;
    for (size_t i = 0; i < n; i++) unit = divisor(unit, number(&rows[i]));
    put_varint(out, unit);
    for (size_t i = 0; i < n && unit != 0; i++)
        put_varint(out, zigzag(number(&rows[i]) / unit - rows[i].people / people_unit));
}

// ---- the locked ones ----

typedef struct locked_column {
    uint8_t bits; // a row has a figure where one of them is set
    size_t at;    // of the uint64_t in the row
} locked_column;

static const locked_column locked_columns[] = {
    {WN_MEASURE_BOUNCES, offsetof(wn_public_row, bounces)},
    {WN_MEASURE_TIME, offsetof(wn_public_row, seconds)},
    {WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2, offsetof(wn_public_row, number)},
};

static uint64_t locked_of(const wn_public_row *r, const locked_column *c) {
    uint64_t x;
    memcpy(&x, (const char *)r + c->at, sizeof x);
    return x;
}

static void put_locked(wn_vault_buf *out, const wn_public_row *rows, size_t n) {
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && rows[i + run].locked == rows[i].locked;) run++;
        put_varint(out, rows[i].locked);
        put_varint(out, run);
    }
    for (size_t c = 0; c < WN_COUNT(locked_columns); c++) {
        const locked_column *column = &locked_columns[c];
        uint64_t unit = 0;
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            if ((rows[i].locked & column->bits) == 0) continue;
            unit = divisor(unit, locked_of(&rows[i], column));
            any = true;
        }
        if (any) put_varint(out, unit);
        for (size_t i = 0; i < n && unit != 0; i++)
            if ((rows[i].locked & column->bits) != 0) put_varint(out, locked_of(&rows[i], column) / unit);
    }
}

wn_err wn_public_columns_encode(const wn_public_row *rows, size_t n, uint8_t measures, wn_vault_buf *out) {
    // shape, run, people, events, sessions; locked, run and its three
    size_t most = (n + 1) * (size_t)(10 * VARINT_BYTES_MAX);
    uint64_t unit = 0;
    for (size_t i = 0; i < n; i++) {
        most += strlen(rows[i].label[0]) + strlen(rows[i].label[1]) + 2;
        unit = divisor(unit, rows[i].people);
    }
    WN_TRY(wn_vault_buf_fit(out, out->n + most));
    if (unit == 0) unit = 1;
    put_shapes(out, rows, n);
    put_labels(out, rows, n);
    put_varint(out, unit);
    for (size_t i = 0; i < n; i++) put_varint(out, rows[i].people / unit);
    put_beside(out, rows, n, unit, events_of);
    put_beside(out, rows, n, unit, sessions_of);
    if ((measures & WN_MEASURES_LOCKED) != 0) put_locked(out, rows, n);
    return WN_OK;
}

// ---- reading ----

static bool get_varint(wn_span *in, uint64_t max, uint64_t *out) {
    uint64_t x = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && i < in->n; i++) {
        uint8_t byte = in->p[i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1) return false;
        if (i > 0 && byte == 0) return false; // one form a number
        x |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        *in = (wn_span){in->p + i + 1, in->n - i - 1};
        *out = x;
        return x <= max;
    }
    return false;
}

static bool get_shapes(wn_span *in, wn_public_row *rows, size_t n) {
    for (size_t i = 0; i < n;) {
        uint64_t shape, run;
        if (!get_varint(in, SHAPE_MAX, &shape) || (shape & 3) > 2) return false;
        if (!get_varint(in, n - i, &run) || run == 0) return false;
        for (uint64_t j = 0; j < run; j++) {
            wn_public_row *r = &rows[i++];
            r->is_other = (shape & SHAPE_OTHER) != 0;
            r->label[0][0] = r->label[1][0] = 0;
            // Marks what is to be read; get_labels overwrites it.
            for (unsigned d = 0; d < (shape & 3); d++) r->label[d][0] = 1;
        }
    }
    return true;
}

static bool get_labels(wn_span *in, wn_public_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (unsigned d = 0; d < 2 && rows[i].label[d][0]; d++) {
            size_t most = in->n < WN_OPEN_TEXT_MAX + 1 ? in->n : WN_OPEN_TEXT_MAX + 1;
            const uint8_t *end = memchr(in->p, 0, most);
            if (end == NULL) return false;
            size_t bytes = (size_t)(end - in->p) + 1;
            memcpy(rows[i].label[d], in->p, bytes);
            *in = (wn_span){in->p + bytes, in->n - bytes};
        }
    }
    return true;
}

static bool get_people(wn_span *in, wn_public_row *rows, size_t n, uint64_t *out_unit) {
    uint64_t x, people;
    if (!get_varint(in, UINT32_MAX, out_unit) || *out_unit == 0) return false;
    for (size_t i = 0; i < n; i++) {
        if (!get_varint(in, UINT32_MAX, &x)) return false;
        people = x * *out_unit;
        if (people > UINT32_MAX) return false;
        rows[i].people = (uint32_t)people;
    }
    return true;
}

static bool get_beside(wn_span *in, wn_public_row *rows, size_t n, uint64_t people_unit, bool sessions) {
    uint64_t unit, x, number;
    if (!get_varint(in, UINT64_MAX, &unit)) return false;
    for (size_t i = 0; i < n; i++) {
        number = 0;
        if (unit != 0 && (!get_varint(in, UINT64_MAX, &x) ||
                          __builtin_mul_overflow(unzigzag(x) + rows[i].people / people_unit, unit, &number)))
            return false;
        if (sessions) rows[i].sessions = number;
        else rows[i].events = number;
    }
    return true;
}

static bool get_locked_bits(wn_span *in, wn_public_row *rows, size_t n) {
    for (size_t i = 0; i < n;) {
        uint64_t bits, run;
        if (!get_varint(in, UINT8_MAX, &bits) || (bits & ~(uint64_t)WN_MEASURES_LOCKED) != 0) return false;
        if (!get_varint(in, n - i, &run) || run == 0) return false;
        for (uint64_t j = 0; j < run; j++) rows[i++].locked = (uint8_t)bits;
    }
    return true;
}

static bool get_locked_column(wn_span *in, wn_public_row *rows, size_t n, const locked_column *c) {
    uint64_t unit = 0, x, number;
    bool known = false; // the unit
    for (size_t i = 0; i < n; i++) {
        if ((rows[i].locked & c->bits) == 0) continue;
        if (!known && !get_varint(in, UINT64_MAX, &unit)) return false;
        known = true;
        number = 0;
        if (unit != 0 && (!get_varint(in, UINT64_MAX, &x) || __builtin_mul_overflow(x, unit, &number)))
            return false;
        memcpy((char *)&rows[i] + c->at, &number, sizeof number);
    }
    return true;
}

static bool get_locked(wn_span *in, uint8_t measures, wn_public_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        rows[i].bounces = rows[i].seconds = rows[i].number = 0;
        rows[i].locked = 0;
    }
    if ((measures & WN_MEASURES_LOCKED) == 0) return true;
    if (!get_locked_bits(in, rows, n)) return false;
    for (size_t c = 0; c < WN_COUNT(locked_columns); c++)
        if (!get_locked_column(in, rows, n, &locked_columns[c])) return false;
    return true;
}

wn_err wn_public_columns_decode(wn_span in, uint8_t measures, wn_public_row *rows, size_t n) {
    uint64_t unit;
    bool well = get_shapes(&in, rows, n) && get_labels(&in, rows, n) && get_people(&in, rows, n, &unit) &&
                get_beside(&in, rows, n, unit, false) && get_beside(&in, rows, n, unit, true) &&
                get_locked(&in, measures, rows, n) && in.n == 0;
    return well ? WN_OK : WN_ERR_FORMAT;
}
