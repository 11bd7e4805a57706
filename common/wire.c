// SPDX-License-Identifier: Apache-2.0
// wire.c: batches and uplink messages, both ways. Positional arrays: a key a
// field would cost more than the fields, and cannot be duplicated.
#include "winnow/wire.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "mp.h"

// batch = [version, collector, window, generation, sequence, policy version,
//          policy id, epoch, text_key, sites, refusals, values, observations]
#define BATCH_FIELDS 13
#define OBS_FIELDS 10
#define MSG_FIELDS 6   // [version, what, collector, window, generation, sequence]
#define PURGE_FIELDS 8 // and of a purge: name, site

#define INDEX_SLOTS 8192u // power of two, twice WN_BATCH_VALUES_MAX
#define OBS_BYTES_WORST 4096u
#define HEAD_BYTES_WORST 4096u

typedef struct slot {
    uint64_t id;
    uint32_t stamp, index;
} slot;

struct wn_batch_builder {
    uint64_t sites[WN_BATCH_SITES_MAX];
    uint32_t sites_n;
    uint32_t refused[WN_BATCH_SITES_MAX]; // by site index
    uint32_t values_n, obs_n, stamp;
    msgpack_sbuffer values, obs;
    slot index[INDEX_SLOTS];
};

wn_err wn_batch_builder_new(wn_batch_builder **out) {
    wn_batch_builder *b = calloc(1, sizeof *b);
    if (b == NULL) return WN_ERR_NOMEM;
    msgpack_sbuffer_init(&b->values);
    msgpack_sbuffer_init(&b->obs);
    b->stamp = 1;
    *out = b;
    return WN_OK;
}

static void sbuffer_wipe(msgpack_sbuffer *s) {
    wn_wipe(s->data, s->size);
    msgpack_sbuffer_clear(s);
}

void wn_batch_builder_reset(wn_batch_builder *b) {
    sbuffer_wipe(&b->values);
    sbuffer_wipe(&b->obs);
    b->sites_n = b->values_n = b->obs_n = 0;
    memset(b->refused, 0, sizeof b->refused);
    if (++b->stamp == 0) {
        memset(b->index, 0, sizeof b->index);
        b->stamp = 1;
    }
}

void wn_batch_builder_free(wn_batch_builder *b) {
    if (b == NULL) return;
    wn_batch_builder_reset(b);
    msgpack_sbuffer_destroy(&b->values);
    msgpack_sbuffer_destroy(&b->obs);
    wn_wipe(b, sizeof *b);
    free(b);
}

uint32_t wn_batch_builder_count(const wn_batch_builder *b) {
    return b->obs_n;
}

bool wn_batch_builder_empty(const wn_batch_builder *b) {
    return b->obs_n == 0 && b->sites_n == 0;
}

static wn_err site_index(wn_batch_builder *b, uint64_t site, uint32_t *out) {
    for (uint32_t i = 0; i < b->sites_n; i++)
        if (b->sites[i] == site) return *out = i, WN_OK;
    if (b->sites_n == WN_BATCH_SITES_MAX) return WN_ERR_FULL;
    b->sites[b->sites_n] = site;
    *out = b->sites_n++;
    return WN_OK;
}

static void pack_bin(msgpack_packer *pk, const void *p, size_t n) {
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, p, n);
}

static void pack_value(msgpack_packer *pk, const wn_value *v) {
    msgpack_pack_array(pk, 2);
    pack_bin(pk, v->nonce, v->n != 0 ? sizeof v->nonce : 8);
    pack_bin(pk, v->bytes, v->n);
}

// The value's number in this batch, from 1; adds it on first sight. The caller
// has made sure that there is room.
static uint32_t value_number(wn_batch_builder *b, msgpack_packer *pk, uint64_t id, const wn_value *v) {
    uint32_t i = (uint32_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 40) & (INDEX_SLOTS - 1);
    for (; b->index[i].stamp == b->stamp; i = (i + 1) & (INDEX_SLOTS - 1))
        if (b->index[i].id == id) return b->index[i].index;
    wn_value bare = {.n = 0};
    for (int j = 0; j < 8; j++) bare.nonce[j] = (uint8_t)(id >> (8 * j));
    pack_value(pk, v != NULL ? v : &bare);
    b->index[i] = (slot){id, b->stamp, ++b->values_n};
    return b->values_n;
}

// Most dimensions are absent: [bits of those present, each one's value].
_Static_assert(WN_CLOSED_N <= 32 && WN_OPEN_N <= 32, "presence is one word");

static void pack_closed(msgpack_packer *pk, const wn_observation *obs) {
    uint32_t present = 0;
    for (unsigned i = 0; i < WN_CLOSED_N; i++) present |= (uint32_t)(obs->closed[i] != 0) << i;
    msgpack_pack_array(pk, 1 + (size_t)__builtin_popcount(present));
    msgpack_pack_uint32(pk, present);
    for (; present != 0; present &= present - 1) msgpack_pack_uint16(pk, obs->closed[__builtin_ctz(present)]);
}

static void pack_open(wn_batch_builder *b, msgpack_packer *pk, msgpack_packer *values_pk,
                      const wn_observation *obs, const wn_value *const values[WN_OPEN_N]) {
    uint32_t present = 0;
    for (unsigned i = 0; i < WN_OPEN_N; i++) present |= (uint32_t)(obs->open[i] != 0) << i;
    msgpack_pack_array(pk, 1 + (size_t)__builtin_popcount(present));
    msgpack_pack_uint32(pk, present);
    for (; present != 0; present &= present - 1) {
        unsigned i = (unsigned)__builtin_ctz(present);
        msgpack_pack_uint32(pk, value_number(b, values_pk, obs->open[i], values[i]));
    }
}

// Up to the last that is there: of most observations none, of sessions never one.
static void pack_numbers(msgpack_packer *pk, const wn_observation *obs) {
    size_t n = obs->kind == WN_OBS_SESSION ? 0 : WN_NUMBERS_N;
    while (n > 0 && obs->number[n - 1] == 0) n--;
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++) msgpack_pack_uint16(pk, obs->number[i]);
}

wn_err wn_batch_builder_add(wn_batch_builder *b, const wn_observation *obs,
                            const wn_value *const values[WN_OPEN_N]) {
    size_t used = b->values.size + b->obs.size + OBS_BYTES_WORST + HEAD_BYTES_WORST;
    if (b->obs_n == WN_BATCH_OBS_MAX || used > WN_BATCH_BYTES_MAX) return WN_ERR_FULL;
    if (b->values_n + WN_OPEN_N > WN_BATCH_VALUES_MAX) return WN_ERR_FULL;
    uint32_t site;
    WN_TRY(site_index(b, obs->site, &site));

    msgpack_packer values_pk, pk;
    msgpack_packer_init(&values_pk, &b->values, msgpack_sbuffer_write);
    msgpack_packer_init(&pk, &b->obs, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, OBS_FIELDS);
    msgpack_pack_uint8(&pk, obs->kind);
    msgpack_pack_uint8(&pk, obs->flags);
    msgpack_pack_uint32(&pk, site);
    pack_bin(&pk, obs->person, sizeof obs->person);
    msgpack_pack_uint64(&pk, obs->prefix);
    msgpack_pack_uint64(&pk, obs->org);
    pack_closed(&pk, obs);
    pack_open(b, &pk, &values_pk, obs, values);
    msgpack_pack_uint16(&pk, obs->seconds);
    pack_numbers(&pk, obs);
    b->obs_n++;
    return WN_OK;
}

wn_err wn_batch_builder_refuse(wn_batch_builder *b, uint64_t site, uint32_t events) {
    uint32_t i;
    WN_TRY(site_index(b, site, &i));
    b->refused[i] += events;
    return WN_OK;
}

static void pack_window(msgpack_packer *pk, const wn_window *w) {
    msgpack_pack_array(pk, 5);
    size_t n = strnlen(w->zone, sizeof w->zone);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, w->zone, n);
    msgpack_pack_uint8(pk, w->kind);
    msgpack_pack_int32(pk, w->day);
    msgpack_pack_int64(pk, w->start_s);
    msgpack_pack_int64(pk, w->end_s);
}

// Packs into a caller's bytes; `full` says that they did not suffice.
typedef struct sink {
    uint8_t *p;
    size_t n, cap;
    bool full;
} sink;

static int sink_write(void *ctx, const char *p, size_t n) {
    sink *s = ctx;
    if (s->full || n > s->cap - s->n) return s->full = true, -1;
    if (n != 0) memcpy(s->p + s->n, p, n);
    s->n += n;
    return 0;
}

wn_err wn_batch_builder_finish(wn_batch_builder *b, const wn_batch_head *head, uint8_t *out, size_t cap,
                               size_t *out_bytes) {
    sink s = {out, 0, cap, false};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    msgpack_pack_array(&pk, BATCH_FIELDS);
    msgpack_pack_uint8(&pk, WN_WIRE_VERSION);
    pack_bin(&pk, head->id.collector, sizeof head->id.collector);
    pack_window(&pk, &head->window);
    msgpack_pack_uint64(&pk, head->id.generation);
    msgpack_pack_uint64(&pk, head->id.sequence);
    msgpack_pack_uint32(&pk, head->policy_version);
    msgpack_pack_uint64(&pk, head->policy_id);
    pack_bin(&pk, head->edge_epoch, sizeof head->edge_epoch);
    pack_bin(&pk, head->text_key, sizeof head->text_key);
    msgpack_pack_array(&pk, b->sites_n);
    for (uint32_t i = 0; i < b->sites_n; i++) msgpack_pack_uint64(&pk, b->sites[i]);
    uint32_t refusals = 0;
    for (uint32_t i = 0; i < b->sites_n; i++) refusals += b->refused[i] != 0;
    msgpack_pack_array(&pk, refusals);
    for (uint32_t i = 0; i < b->sites_n; i++) {
        if (b->refused[i] == 0) continue;
        msgpack_pack_array(&pk, 2);
        msgpack_pack_uint32(&pk, i);
        msgpack_pack_uint32(&pk, b->refused[i]);
    }
    msgpack_pack_array(&pk, b->values_n);
    if (b->values.size != 0) sink_write(&s, b->values.data, b->values.size);
    msgpack_pack_array(&pk, b->obs_n);
    if (b->obs.size != 0) sink_write(&s, b->obs.data, b->obs.size);
    if (s.full) return WN_ERR_FULL;
    *out_bytes = s.n;
    return WN_OK;
}

static bool read_window(wn_mp *m, wn_window *w) {
    memset(w, 0, sizeof *w);
    uint32_t n = 0;
    wn_span zone = {NULL, 0};
    uint64_t kind = 0;
    int64_t day = 0;
    bool ok = wn_mp_array(m, 5, &n) && n == 5 && wn_mp_str(m, WN_ZONE_BYTES - 1, &zone) &&
              wn_mp_uint(m, WN_KIND_N - 1, &kind) && wn_mp_int(m, &day) && wn_mp_int(m, &w->start_s) &&
              wn_mp_int(m, &w->end_s);
    if (!ok || day < INT32_MIN || day > INT32_MAX || memchr(zone.p, 0, zone.n) != NULL) return false;
    memcpy(w->zone, zone.p, zone.n);
    w->kind = (uint8_t)kind;
    w->day = (int32_t)day;
    return true;
}

// The bits of the dimensions that follow; one more item than there are bits.
static bool read_present(wn_mp *m, unsigned dims_n, uint32_t *out) {
    uint32_t n = 0;
    uint64_t bits = 0;
    if (!wn_mp_array(m, 1 + dims_n, &n) || n == 0 || !wn_mp_uint(m, (UINT64_C(1) << dims_n) - 1, &bits))
        return false;
    *out = (uint32_t)bits;
    return n == 1 + (uint32_t)__builtin_popcount(*out);
}

// As they were packed: none behind the last that is there. Sessions have none.
static bool read_numbers(wn_mp *m, wn_observation *o, bool session) {
    uint32_t n = 0;
    uint64_t v = 0;
    if (!wn_mp_array(m, session ? 0 : WN_NUMBERS_N, &n)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!wn_mp_uint(m, UINT16_MAX, &v)) return false;
        o->number[i] = (uint16_t)v;
    }
    return n == 0 || v != 0;
}

static bool read_observation(wn_mp *m, const wn_batch_reader *r, wn_observation *o) {
    uint32_t n = 0;
    uint64_t kind = 0, flags = 0, site = 0, v = 0;
    memset(o, 0, sizeof *o);
    if (!wn_mp_array(m, OBS_FIELDS, &n) || n != OBS_FIELDS) return false;
    bool ok = wn_mp_uint(m, WN_OBS_PURGE, &kind) && kind >= WN_OBS_VIEW &&
              wn_mp_uint(m, WN_OBS_FLAGS_ALL, &flags) && wn_mp_uint(m, WN_BATCH_SITES_MAX, &site) &&
              site < r->sites_n && wn_mp_bin_exact(m, sizeof o->person, o->person) &&
              wn_mp_uint(m, UINT64_MAX, &o->prefix) && wn_mp_uint(m, UINT64_MAX, &o->org);
    if (!ok) return false;
    uint32_t present = 0;
    if (!read_present(m, WN_CLOSED_N, &present)) return false;
    for (; present != 0; present &= present - 1) {
        unsigned i = (unsigned)__builtin_ctz(present);
        if (!wn_mp_uint(m, UINT16_MAX, &v) || v == 0 || !wn_closed_valid(i, (uint16_t)v)) return false;
        o->closed[i] = (uint16_t)v;
    }
    if (!read_present(m, WN_OPEN_N, &present)) return false;
    for (; present != 0; present &= present - 1) {
        if (!wn_mp_uint(m, r->values_n, &v) || v == 0) return false;
        o->open[__builtin_ctz(present)] = r->value_id[v - 1];
    }
    if (!wn_mp_uint(m, UINT16_MAX, &v)) return false;
    o->seconds = (uint16_t)v;
    if (!read_numbers(m, o, kind == WN_OBS_SESSION)) return false;
    o->kind = (uint8_t)kind;
    o->flags = (uint8_t)flags;
    o->site = r->sites[site];
    return true;
}

// A value is [nonce, sealed bytes], or [id, empty] when its text went before.
static bool check_value(wn_mp *m) {
    uint32_t n = 0;
    wn_span nonce, bytes;
    if (!wn_mp_array(m, 2, &n) || n != 2 || !wn_mp_bin(m, 24, &nonce) ||
        !wn_mp_bin(m, WN_VALUE_SEALED_MAX, &bytes))
        return false;
    return bytes.n != 0 ? nonce.n == 24 : nonce.n == 8;
}

wn_err wn_batch_reader_init(wn_batch_reader *r, wn_span bytes) {
    wn_mp m;
    uint32_t n = 0;
    uint64_t v = 0;
    if (bytes.n > WN_BATCH_BYTES_MAX) return WN_ERR_FORMAT;
    wn_mp_init(&m, bytes);
    r->end = m.end;
    if (!wn_mp_array(&m, BATCH_FIELDS, &n) || n != BATCH_FIELDS || !wn_mp_uint(&m, UINT64_MAX, &v))
        return WN_ERR_FORMAT;
    if (v != WN_WIRE_VERSION) return WN_ERR_VERSION;
    wn_batch_head *h = &r->head;
    bool ok = wn_mp_bin_exact(&m, sizeof h->id.collector, h->id.collector) && read_window(&m, &h->window) &&
              wn_mp_uint(&m, UINT64_MAX, &h->id.generation) && wn_mp_uint(&m, UINT64_MAX, &h->id.sequence) &&
              wn_mp_uint(&m, UINT32_MAX, &v) && wn_mp_uint(&m, UINT64_MAX, &h->policy_id) &&
              wn_mp_bin_exact(&m, sizeof h->edge_epoch, h->edge_epoch) &&
              wn_mp_bin_exact(&m, sizeof h->text_key, h->text_key) &&
              wn_mp_array(&m, WN_BATCH_SITES_MAX, &r->sites_n);
    if (!ok) return WN_ERR_FORMAT;
    h->policy_version = (uint32_t)v;
    for (uint32_t i = 0; i < r->sites_n; i++)
        if (!wn_mp_uint(&m, UINT64_MAX, &r->sites[i])) return WN_ERR_FORMAT;
    if (!wn_mp_array(&m, WN_BATCH_SITES_MAX, &r->refusals_n)) return WN_ERR_FORMAT;
    for (uint32_t i = 0; i < r->refusals_n; i++) {
        uint64_t count = 0;
        ok = wn_mp_array(&m, 2, &n) && n == 2 && wn_mp_uint(&m, WN_BATCH_SITES_MAX, &v) && v < r->sites_n &&
             wn_mp_uint(&m, UINT32_MAX, &count);
        if (!ok) return WN_ERR_FORMAT;
        r->refusals[i] = (wn_refusals){r->sites[v], (uint32_t)count};
    }
    if (!wn_mp_array(&m, WN_BATCH_VALUES_MAX, &r->values_n)) return WN_ERR_FORMAT;
    for (uint32_t i = 0; i < r->values_n; i++) {
        r->value_at[i] = m.p;
        if (!check_value(&m)) return WN_ERR_FORMAT;
        wn_value value;
        wn_batch_reader_value(r, i, &value);
        r->value_id[i] = wn_value_id(&value);
        if (r->value_id[i] == 0) return WN_ERR_FORMAT; // 0 means absent
    }
    if (!wn_mp_array(&m, WN_BATCH_OBS_MAX, &h->observations)) return WN_ERR_FORMAT;
    r->p = m.p;
    r->obs_left = h->observations;
    wn_observation o;
    for (uint32_t i = 0; i < h->observations; i++)
        if (!read_observation(&m, r, &o)) return WN_ERR_FORMAT;
    return wn_mp_done(&m) ? WN_OK : WN_ERR_FORMAT;
}

uint32_t wn_batch_reader_values(const wn_batch_reader *r) {
    return r->values_n;
}

void wn_batch_reader_value(const wn_batch_reader *r, uint32_t i, wn_value *out) {
    WN_ASSERT(i < r->values_n);
    wn_mp m = {r->value_at[i], r->end, false};
    uint32_t n = 0;
    wn_span nonce = {NULL, 0}, bytes = {NULL, 0};
    bool ok =
        wn_mp_array(&m, 2, &n) && wn_mp_bin(&m, 24, &nonce) && wn_mp_bin(&m, WN_VALUE_SEALED_MAX, &bytes);
    WN_ASSERT(ok); // checked whole by init
    memset(out->nonce, 0, sizeof out->nonce);
    memcpy(out->nonce, nonce.p, nonce.n);
    memcpy(out->bytes, bytes.p, bytes.n);
    out->n = (uint8_t)bytes.n;
}

bool wn_batch_reader_next(wn_batch_reader *r, wn_observation *out) {
    if (r->obs_left == 0) return false;
    wn_mp m = {r->p, r->end, false};
    bool ok = read_observation(&m, r, out);
    WN_ASSERT(ok);
    r->p = m.p;
    r->obs_left--;
    return true;
}

static bool of_purge(uint8_t what) {
    return what == WN_ASK_PURGE || what == WN_ANSWER_PURGED;
}

size_t wn_uplink_msg_encode(const wn_uplink_msg *msg, uint8_t out[WN_UPLINK_MSG_BYTES_MAX]) {
    sink s = {out, 0, WN_UPLINK_MSG_BYTES_MAX, false};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    bool purge = of_purge(msg->what);
    msgpack_pack_array(&pk, purge ? PURGE_FIELDS : MSG_FIELDS);
    msgpack_pack_uint8(&pk, WN_WIRE_VERSION);
    msgpack_pack_uint8(&pk, msg->what);
    pack_bin(&pk, msg->collector, sizeof msg->collector);
    pack_window(&pk, &msg->window);
    msgpack_pack_uint64(&pk, msg->generation);
    msgpack_pack_uint64(&pk, msg->sequence);
    if (purge) {
        size_t n = strnlen(msg->site, sizeof msg->site - 1);
        pack_bin(&pk, msg->name, sizeof msg->name);
        msgpack_pack_str(&pk, n);
        msgpack_pack_str_body(&pk, msg->site, n);
    }
    WN_ASSERT(!s.full);
    return s.n;
}

wn_err wn_uplink_msg_decode(wn_span bytes, wn_uplink_msg *out) {
    wn_mp m;
    uint32_t n = 0;
    uint64_t v = 0, what = 0;
    wn_mp_init(&m, bytes);
    if (!wn_mp_array(&m, PURGE_FIELDS, &n) || n < MSG_FIELDS || !wn_mp_uint(&m, UINT64_MAX, &v))
        return WN_ERR_FORMAT;
    if (v != WN_WIRE_VERSION) return WN_ERR_VERSION;
    wn_uplink_msg msg = {.what = 0};
    bool ok = wn_mp_uint(&m, UINT8_MAX, &what) && wn_mp_bin_exact(&m, sizeof msg.collector, msg.collector) &&
              read_window(&m, &msg.window) && wn_mp_uint(&m, UINT64_MAX, &msg.generation) &&
              wn_mp_uint(&m, UINT64_MAX, &msg.sequence);
    if (ok && of_purge((uint8_t)what)) {
        wn_span site;
        ok = n == PURGE_FIELDS && wn_mp_bin_exact(&m, sizeof msg.name, msg.name) &&
             wn_mp_str(&m, sizeof msg.site - 1, &site);
        if (ok && site.n > 0) memcpy(msg.site, site.p, site.n);
    } else {
        ok = ok && n == MSG_FIELDS;
    }
    if (!ok || !wn_mp_done(&m)) return WN_ERR_FORMAT;
    msg.what = (uint8_t)what;
    *out = msg;
    return WN_OK;
}

bool wn_wire_is_batch(wn_span bytes) {
    wn_mp m;
    uint32_t n = 0;
    wn_mp_init(&m, bytes);
    return wn_mp_array(&m, BATCH_FIELDS, &n) && n == BATCH_FIELDS;
}
