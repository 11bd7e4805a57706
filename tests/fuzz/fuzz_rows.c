// SPDX-License-Identifier: Apache-2.0
// fuzz_rows.c: any bytes as a record of published rows: refused, or a head and
// rows that hold together and are written and read the same again.
#include <stdlib.h>
#include <string.h>

#include "public_head.h"
#include "public_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static wn_public_codec codec;

typedef struct record {
    wn_public_head head;
    wn_public_row *rows;
    size_t cap, n;
} record;

static wn_err read_record(wn_span bytes, record *out) {
    return wn_public_rows_decode(&codec, bytes, &out->head, &out->rows, &out->cap, &out->n);
}

static void same_row(const wn_public_row *a, const wn_public_row *b) {
    WN_ASSERT(strcmp(a->label[0], b->label[0]) == 0 && strcmp(a->label[1], b->label[1]) == 0);
    WN_ASSERT(a->is_other == b->is_other && a->people == b->people && a->locked == b->locked);
    WN_ASSERT(a->events == b->events && a->sessions == b->sessions);
    WN_ASSERT(a->bounces == b->bounces && a->seconds == b->seconds && a->number == b->number);
}

static void check(const record *r) {
    record again = {0};
    wn_vault_buf first = {0}, second = {0};
    WN_ASSERT(wn_public_head_holds(&r->head) && wn_public_rows_hold(&r->head, r->rows, r->n));
    WN_ASSERT(wn_public_rows_encode(&codec, &r->head, r->rows, r->n, &first) == WN_OK);
    WN_ASSERT(read_record((wn_span){first.p, first.n}, &again) == WN_OK && again.n == r->n);
    for (size_t i = 0; i < r->n; i++) same_row(&r->rows[i], &again.rows[i]);
    WN_ASSERT(wn_public_rows_encode(&codec, &again.head, again.rows, again.n, &second) == WN_OK);
    WN_ASSERT(second.n == first.n && memcmp(second.p, first.p, first.n) == 0);
    free(again.rows);
    wn_vault_buf_fini(&first);
    wn_vault_buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    record r = {0};
    if (read_record((wn_span){data, n}, &r) == WN_OK) check(&r);
    free(r.rows);
    wn_public_codec_fini(&codec);
    return 0;
}
