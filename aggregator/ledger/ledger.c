// SPDX-License-Identifier: Apache-2.0
// Why: a release is believed later only if nobody could have changed what was
// written about it. One canonical form of an entry, so that one digest names it.
#include "ledger.h"

#include <msgpack.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "mp.h"

enum { VERSION = 2, FIELDS = 18, FIELDS_MAX = 64 }; // and the digest, a second value after the array

static const char *const what_text[] = {
    [WN_LEDGER_INSTALL] = "install",
    [WN_LEDGER_RELEASE] = "release",
    [WN_LEDGER_KEYS_BORN] = "keys_born",
    [WN_LEDGER_KEYS_DEAD] = "keys_dead",
    [WN_LEDGER_EPOCH] = "epoch",
    [WN_LEDGER_PLAN] = "plan",
    [WN_LEDGER_POLICY] = "policy",
    [WN_LEDGER_TRANSFER] = "transfer",
    [WN_LEDGER_BACKUP] = "backup",
    [WN_LEDGER_RESTORE] = "restore",
    [WN_LEDGER_PURGE_ASKED] = "purge_asked",
    [WN_LEDGER_PURGED] = "purged",
    [WN_LEDGER_EXPIRED] = "expired",
    [WN_LEDGER_SENDING] = "sending",
};
static const char *const note_text[] = {"crowd_beside_noise", "organisation", "announced",
                                        "doubtful"}; // by bit

const char *wn_ledger_what_text(uint8_t what) {
    return what < WN_COUNT(what_text) && what_text[what] ? what_text[what] : "unknown";
}

void wn_ledger_notes_text(uint32_t notes, char out[WN_LEDGER_NOTES_TEXT]) {
    size_t n = 0;
    out[0] = 0;
    for (unsigned i = 0; i < WN_COUNT(note_text); i++) {
        if ((notes & 1u << i) == 0) continue;
        n += (size_t)snprintf(out + n, WN_LEDGER_NOTES_TEXT - n, "%s%s", n ? " " : "", note_text[i]);
    }
}

typedef struct sink {
    uint8_t *p;
    size_t n;
} sink;

static int sink_write(void *ctx, const char *bytes, size_t n) {
    sink *s = ctx;
    WN_ASSERT(n <= WN_LEDGER_BYTES_MAX - s->n);
    memcpy(s->p + s->n, bytes, n);
    s->n += n;
    return 0;
}

static void pack_text(msgpack_packer *pk, const char *text, size_t cap) {
    size_t n = strnlen(text, cap);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

static void pack_bytes(msgpack_packer *pk, const uint8_t bytes[32]) {
    msgpack_pack_bin(pk, 32);
    msgpack_pack_bin_body(pk, bytes, 32);
}

// All fields but the digest, which covers exactly these bytes.
static void pack_body(msgpack_packer *pk, const wn_ledger_entry *e) {
    msgpack_pack_array(pk, FIELDS);
    msgpack_pack_uint8(pk, VERSION);
    msgpack_pack_uint64(pk, e->number);
    msgpack_pack_int64(pk, e->at_s);
    msgpack_pack_uint8(pk, e->what);
    pack_text(pk, e->window, sizeof e->window);
    msgpack_pack_uint32(pk, e->plan_version);
    msgpack_pack_uint32(pk, e->policy_version);
    pack_text(pk, e->profile, sizeof e->profile);
    msgpack_pack_uint32(pk, e->k_closed);
    msgpack_pack_uint32(pk, e->k_open);
    msgpack_pack_uint32(pk, e->rho_micro);
    msgpack_pack_uint32(pk, e->delta_nano);
    msgpack_pack_uint64(pk, e->rows);
    pack_text(pk, e->site, sizeof e->site);
    pack_text(pk, e->receiver, sizeof e->receiver);
    pack_text(pk, e->table, sizeof e->table);
    msgpack_pack_uint32(pk, e->notes);
    pack_bytes(pk, e->content);
}

static void digest_of(const wn_ledger_entry *e, const uint8_t previous[32], uint8_t out[32]) {
    uint8_t body[WN_LEDGER_BYTES_MAX];
    sink s = {body, 0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    pack_body(&pk, e);
    crypto_generichash_state h;
    WN_ASSERT(crypto_generichash_init(&h, NULL, 0, 32) == 0);
    WN_ASSERT(crypto_generichash_update(&h, previous, 32) == 0);
    WN_ASSERT(crypto_generichash_update(&h, s.p, s.n) == 0);
    WN_ASSERT(crypto_generichash_final(&h, out, 32) == 0);
}

void wn_ledger_chain(wn_ledger_entry *e, const uint8_t previous[32]) {
    digest_of(e, previous, e->digest);
}

bool wn_ledger_follows(const wn_ledger_entry *e, uint64_t number, const uint8_t previous[32]) {
    uint8_t digest[32];
    if (e->number != number) return false;
    digest_of(e, previous, digest);
    return memcmp(digest, e->digest, 32) == 0;
}

size_t wn_ledger_encode(const wn_ledger_entry *e, uint8_t out[WN_LEDGER_BYTES_MAX]) {
    sink s = {out, 0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    pack_body(&pk, e);
    pack_bytes(&pk, e->digest);
    return s.n;
}

static void read_text(wn_mp *m, char *out, size_t cap) {
    wn_span s;
    if (!wn_mp_str(m, cap - 1, &s)) return;
    if (s.n && memchr(s.p, 0, s.n)) m->bad = true;
    if (s.n) memcpy(out, s.p, s.n);
    out[s.n] = 0;
}

static uint64_t read_uint(wn_mp *m, uint64_t max) {
    uint64_t x = 0;
    (void)wn_mp_uint(m, max, &x); // an error stays in the cursor
    return x;
}

wn_err wn_ledger_decode(wn_span bytes, wn_ledger_entry *out) {
    wn_mp m;
    uint32_t fields;
    wn_ledger_entry e = {0};
    wn_mp_init(&m, bytes);
    if (!wn_mp_array(&m, FIELDS_MAX, &fields)) return WN_ERR_FORMAT;
    uint64_t version = read_uint(&m, UINT32_MAX);
    if (!m.bad && version != VERSION) return WN_ERR_VERSION;
    if (fields != FIELDS) return WN_ERR_FORMAT;
    e.number = read_uint(&m, UINT64_MAX);
    (void)wn_mp_int(&m, &e.at_s);
    e.what = (uint8_t)read_uint(&m, UINT8_MAX);
    read_text(&m, e.window, sizeof e.window);
    e.plan_version = (uint32_t)read_uint(&m, UINT32_MAX);
    e.policy_version = (uint32_t)read_uint(&m, UINT32_MAX);
    read_text(&m, e.profile, sizeof e.profile);
    e.k_closed = (uint32_t)read_uint(&m, UINT32_MAX);
    e.k_open = (uint32_t)read_uint(&m, UINT32_MAX);
    e.rho_micro = (uint32_t)read_uint(&m, UINT32_MAX);
    e.delta_nano = (uint32_t)read_uint(&m, UINT32_MAX);
    e.rows = read_uint(&m, UINT64_MAX);
    read_text(&m, e.site, sizeof e.site);
    read_text(&m, e.receiver, sizeof e.receiver);
    read_text(&m, e.table, sizeof e.table);
    e.notes = (uint32_t)read_uint(&m, UINT32_MAX);
    (void)wn_mp_bin_exact(&m, sizeof e.content, e.content);
    (void)wn_mp_bin_exact(&m, sizeof e.digest, e.digest);
    if (!wn_mp_done(&m)) return WN_ERR_FORMAT;
    *out = e;
    return WN_OK;
}
