// SPDX-License-Identifier: Apache-2.0
// person.c: who an event is about becomes pseudonyms under the window's keys.
#include <sodium.h>
#include <string.h>

#include "consent_signals.h"
#include "crypt.h"
#include "event_body.h"
#include "work.h"

// What a pseudonym was made of, so that an id never meets an address.
enum { BY_USER = 1, BY_ANONYMOUS = 2, BY_DEVICE = 3, BY_NETWORK = 4 };

// A zero advertising id stands for everybody who has none.
static bool is_id(wn_span v) {
#ifdef WN_MUTANT_ZERO_ID_A_PERSON
    return v.n > 0;
#endif
    return v.n > 0 && !wn_zero_advertising_id(v);
}

wn_field wn_person_field(const wn_work *w) {
    static const wn_field fields[] = {WN_FIELD_user_id, WN_FIELD_anonymous_id, WN_FIELD_device_id};
    for (size_t i = 0; i < WN_COUNT(fields); i++)
        if (is_id(wn_work_get(w, fields[i]))) return fields[i];
    return WN_FIELD_N;
}

static bool is_v4(const wn_address *a) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped, sizeof mapped) == 0;
}

static bool signature_holds(const wn_work *w, wn_span user_id) {
    wn_span hex = wn_work_get(w, WN_FIELD_user_sig);
    uint8_t given[32];
    size_t bytes = 0;
    if (!w->site->has_sign_key || hex.n != 64) return false;
    if (sodium_hex2bin(given, sizeof given, (const char *)hex.p, hex.n, NULL, &bytes, NULL) != 0)
        return false;
    return bytes == sizeof given &&
           crypto_auth_hmacsha256_verify(given, user_id.p, user_id.n, w->site->sign_key) == 0;
}

static void put_u64(uint8_t *p, uint64_t v) {
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static size_t put_network(const wn_work *w, uint8_t *p) {
    size_t n = 0;
    if (w->has_address) {
        bool v4 = is_v4(&w->address);
        n = v4 ? 4 : 8;
        memcpy(p, w->address.b + (v4 ? 12 : 0), n);
    }
    p[n++] = (uint8_t)w->agent.browser;
    p[n++] = (uint8_t)w->agent.system;
    return n;
}

// The IPv4 address that an IPv6 one is made of, which its owner can make more of: 6to4 (RFC 3056) and
// Teredo (RFC 4380), where its bits are turned over.
static bool holds_v4(const wn_address *a, uint8_t out[4]) {
    static const uint8_t teredo[4] = {0x20, 0x01, 0, 0};
    bool six = a->b[0] == 0x20 && a->b[1] == 0x02, mapped = is_v4(a);
    bool turned = memcmp(a->b, teredo, sizeof teredo) == 0;
    memcpy(out, a->b + (six ? 2 : 12), 4);
    for (int i = 0; turned && i < 4; i++) out[i] = (uint8_t)~out[i];
    return mapped || six || turned;
}

// What the locks count people by: a /24 or a /48.
static uint64_t prefix_of(const wn_work *w) {
    uint8_t net[7] = {6}, v4[4] = {0}; // no address: the all-zero one, so that all such people are one prefix
    size_t n = sizeof net;
    const uint8_t *b = w->address.b;
    bool link_local = w->has_address && b[0] == 0xfe && (b[1] & 0xc0) == 0x80; // one link, whatever follows
    if (w->has_address && holds_v4(&w->address, v4)) {
        net[0] = 4;
        memcpy(net + 1, v4, 3);
        n = 4;
    } else if (w->has_address) {
        memcpy(net + 1, b, link_local ? 1 : 6);
    }
    wn_wipe(v4, sizeof v4);
    uint64_t prefix = wn_prf64(w->window->key_prefix, (wn_span){net, n});
    wn_wipe(net, sizeof net);
    return prefix;
}

uint64_t wn_org_pseudonym(const wn_edge_window *w, uint64_t site, wn_span org) {
    uint8_t text[8 + WN_PURGE_ORG_BYTES_MAX];
    put_u64(text, site);
    size_t n = 8 + wn_org_plain(org.p, org.n, text + 8);
    uint64_t key = wn_prf64(w->key_org, (wn_span){text, n});
    wn_wipe(text, n);
    return key ? key : 1; // 0 means undeclared
}

void wn_person_believe(wn_work *w) {
    w->signed_id =
        wn_person_field(w) == WN_FIELD_user_id && signature_holds(w, wn_work_get(w, WN_FIELD_user_id));
#ifdef WN_MUTANT_ORG_FROM_ANYBODY
    w->org_believed = wn_work_get(w, WN_FIELD_org).n > 0;
    return;
#endif
    w->org_believed = (w->sender->server_key || w->signed_id) && wn_work_get(w, WN_FIELD_org).n > 0;
}

void wn_person_set(wn_work *w) {
    uint8_t text[9 + 128];
    size_t n = 9;
    put_u64(text, w->site->tag);
    wn_field field = wn_person_field(w);
    if (field == WN_FIELD_N) {
        text[8] = BY_NETWORK;
        n += put_network(w, text + 9);
    } else {
        wn_span id = wn_work_get(w, field);
        text[8] = field == WN_FIELD_user_id        ? BY_USER
                  : field == WN_FIELD_anonymous_id ? BY_ANONYMOUS
                                                   : BY_DEVICE;
        memcpy(text + 9, id.p, id.n);
        n += id.n;
    }
    wn_prf(w->window->key_edge, (wn_span){text, n}, w->obs->person, sizeof w->obs->person);
    wn_wipe(text, n);
    w->obs->prefix = prefix_of(w);
    // A member of a narrowed organisation whose id may no longer be read is no account.
    if (w->signed_id && field == WN_FIELD_user_id) w->obs->flags |= WN_OBS_SIGNED;
    if (w->org_believed)
        w->obs->org = wn_org_pseudonym(w->window, w->site->tag, wn_work_get(w, WN_FIELD_org));
}
