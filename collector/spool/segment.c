// SPDX-License-Identifier: Apache-2.0
// segment.c: heads of segments and records, to bytes and back. The checksum
// tells a torn write from a record; who wrote it is the box's business.
#include "segment.h"

#include <stdio.h>
#include <string.h>

#include "crypt.h"

enum { SEGMENT_CHECK_AT = WN_SEGMENT_HEAD_BYTES - 8, RECORD_CHECK_AT = WN_RECORD_HEAD_BYTES - 8 };
enum { FLAG_LAST = 1 };

static const uint8_t segment_magic[8] = {'W', 'N', 'S', 'P', 'O', 'O', 'L', '\n'};
static const uint8_t record_magic[4] = {'W', 'R', 'E', 'C'};
static const uint8_t check_key[16] = "winnow checksum"; // not a secret

void wn_put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

void wn_put64(uint8_t *p, uint64_t v) {
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (8 * i));
}

uint32_t wn_get32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t wn_get64(const uint8_t *p) {
    return (uint64_t)wn_get32(p) | (uint64_t)wn_get32(p + 4) << 32;
}

static uint64_t check(const uint8_t *p, size_t n) {
    return wn_prf64(check_key, (wn_span){p, n});
}

void wn_segment_name(uint32_t number, char out[WN_SEGMENT_NAME_BYTES]) {
    snprintf(out, WN_SEGMENT_NAME_BYTES, "%010u.seg", number);
}

bool wn_segment_number(const char *name, uint32_t *out) {
    if (strlen(name) != WN_SEGMENT_NAME_BYTES - 1 || strcmp(name + 10, ".seg") != 0) return false;
    uint64_t n = 0;
    for (int i = 0; i < 10; i++) {
        if (name[i] < '0' || name[i] > '9') return false;
        n = n * 10 + (uint64_t)(name[i] - '0');
    }
    if (n == 0 || n > UINT32_MAX) return false;
    *out = (uint32_t)n;
    return true;
}

void wn_segment_head_encode(const wn_segment_head *h, uint8_t out[WN_SEGMENT_HEAD_BYTES]) {
    memset(out, 0, WN_SEGMENT_HEAD_BYTES);
    memcpy(out, segment_magic, sizeof segment_magic);
    wn_put32(out + 8, WN_SEGMENT_VERSION);
    wn_put32(out + 12, h->number);
    wn_put64(out + 16, h->txn_before);
    wn_put64(out + SEGMENT_CHECK_AT, check(out, SEGMENT_CHECK_AT));
}

wn_err wn_segment_head_decode(wn_span bytes, wn_segment_head *out) {
    const uint8_t *p = bytes.p;
    if (bytes.n < WN_SEGMENT_HEAD_BYTES || memcmp(p, segment_magic, sizeof segment_magic) != 0)
        return WN_ERR_FORMAT;
    if (wn_get32(p + 8) != WN_SEGMENT_VERSION) return WN_ERR_VERSION;
    if (wn_get64(p + SEGMENT_CHECK_AT) != check(p, SEGMENT_CHECK_AT)) return WN_ERR_FORMAT;
    *out = (wn_segment_head){.number = wn_get32(p + 12), .txn_before = wn_get64(p + 16)};
    return WN_OK;
}

void wn_record_head_encode(const wn_record_head *h, uint8_t out[WN_RECORD_HEAD_BYTES]) {
    memset(out, 0, WN_RECORD_HEAD_BYTES);
    memcpy(out, record_magic, sizeof record_magic);
    out[4] = h->kind;
    out[5] = h->last ? FLAG_LAST : 0;
    wn_put32(out + 8, h->box_bytes);
    wn_put64(out + 16, h->txn);
    wn_put64(out + 24, h->generation);
    wn_put64(out + 32, h->sequence);
    memcpy(out + 40, h->window, strnlen(h->window, WN_WINDOW_TEXT_BYTES - 1));
    wn_put64(out + RECORD_CHECK_AT, check(out, RECORD_CHECK_AT));
}

wn_err wn_record_head_decode(wn_span bytes, wn_record_head *out) {
    const uint8_t *p = bytes.p;
    if (bytes.n < WN_RECORD_HEAD_BYTES || memcmp(p, record_magic, sizeof record_magic) != 0)
        return WN_ERR_FORMAT;
    if (wn_get64(p + RECORD_CHECK_AT) != check(p, RECORD_CHECK_AT)) return WN_ERR_FORMAT;
    wn_record_head h = {.kind = p[4],
                        .last = (p[5] & FLAG_LAST) != 0,
                        .box_bytes = wn_get32(p + 8),
                        .txn = wn_get64(p + 16),
                        .generation = wn_get64(p + 24),
                        .sequence = wn_get64(p + 32)};
    memcpy(h.window, p + 40, WN_WINDOW_TEXT_BYTES);
    bool ok = h.kind >= WN_RECORD_BATCH && h.kind <= WN_RECORD_REBASE && h.box_bytes >= WN_BOX_OVERHEAD &&
              h.box_bytes <= WN_RECORD_BOX_BYTES_MAX && h.window[WN_WINDOW_TEXT_BYTES - 1] == '\0';
    if (!ok) return WN_ERR_FORMAT;
    *out = h;
    return WN_OK;
}
