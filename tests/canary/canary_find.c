// SPDX-License-Identifier: Apache-2.0
// Why this file: a state directory, its free pages and the cores of three
// processes are gigabytes; a scan that is not run because it is slow proves nothing.
#include "canary_find.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define HASH 0x9E3779B97F4A7C15ull
#define BLOOM_BITS_MAX 26

typedef struct pattern {
    uint64_t blob; // where its bytes are
    uint32_t needle;
    uint32_t next; // with the same anchor
    uint16_t n;
    uint16_t anchor; // offset of the anchor in it
    uint8_t form;
} pattern;

typedef struct slot {
    uint64_t key;
    uint32_t head; // NONE: free
    uint32_t load;
} slot;

typedef struct address {
    uint32_t key; // four bytes as they lie in memory
    uint8_t what; // 0 free, 1 sent, 2 decoy
} address;

struct wn_canary_set {
    pattern *pattern;
    size_t patterns_n, patterns_cap;
    uint8_t *blob;
    size_t blob_n, blob_cap;
    uint32_t *same;  // content hash → pattern, while adding
    size_t same_cap; // power of two
    slot *slot;      // anchors
    size_t slots_cap;
    uint64_t *bloom;
    unsigned bloom_shift;
    address *address;
    size_t addresses_n, addresses_cap;
    uint64_t first_two[1024]; // bit per value of an address's first two bytes
};

static void *must(void *p) {
    if (!p) abort();
    return p;
}

static uint64_t load8(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

static uint32_t load4(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}

static uint64_t hash_bytes(const uint8_t *p, size_t n) {
    uint64_t h = n * HASH;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001B3ull;
    return h ^ h >> 29;
}

wn_canary_set *wn_canary_set_new(void) {
    wn_canary_set *s = must(calloc(1, sizeof *s));
    s->same_cap = 1024;
    s->same = must(malloc(s->same_cap * sizeof *s->same));
    memset(s->same, 0xff, s->same_cap * sizeof *s->same);
    s->addresses_cap = 1024;
    s->address = must(calloc(s->addresses_cap, sizeof *s->address));
    return s;
}

void wn_canary_set_free(wn_canary_set *s) {
    if (!s) return;
    free(s->pattern);
    free(s->blob);
    free(s->same);
    free(s->slot);
    free(s->bloom);
    free(s->address);
    free(s);
}

static void grow_same(wn_canary_set *s) {
    size_t cap = s->same_cap * 2;
    uint32_t *same = must(malloc(cap * sizeof *same));
    memset(same, 0xff, cap * sizeof *same);
    for (uint32_t i = 0; i < s->patterns_n; i++) {
        size_t at = hash_bytes(s->blob + s->pattern[i].blob, s->pattern[i].n) & (cap - 1);
        while (same[at] != NONE) at = (at + 1) & (cap - 1);
        same[at] = i;
    }
    free(s->same);
    s->same = same;
    s->same_cap = cap;
}

void wn_canary_set_add(wn_canary_set *s, uint32_t needle, wn_canary_form form, const uint8_t *p, size_t n) {
    if (n < WN_CANARY_PATTERN_MIN || n > WN_CANARY_PATTERN_MAX) return;
    if (s->patterns_n * 2 >= s->same_cap) grow_same(s);
    size_t at = hash_bytes(p, n) & (s->same_cap - 1);
    for (; s->same[at] != NONE; at = (at + 1) & (s->same_cap - 1)) {
        const pattern *q = &s->pattern[s->same[at]];
        if (q->n == n && memcmp(s->blob + q->blob, p, n) == 0) return;
    }
    if (s->patterns_n == s->patterns_cap) {
        s->patterns_cap = s->patterns_cap ? s->patterns_cap * 2 : 1024;
        s->pattern = must(realloc(s->pattern, s->patterns_cap * sizeof *s->pattern));
    }
    if (s->blob_n + n > s->blob_cap) {
        s->blob_cap = (s->blob_cap + n) * 2;
        s->blob = must(realloc(s->blob, s->blob_cap));
    }
    memcpy(s->blob + s->blob_n, p, n);
    s->same[at] = (uint32_t)s->patterns_n;
    s->pattern[s->patterns_n++] =
        (pattern){.blob = s->blob_n, .needle = needle, .n = (uint16_t)n, .form = (uint8_t)form};
    s->blob_n += n;
}

typedef struct adding {
    wn_canary_set *set;
    uint32_t needle;
} adding;

static void add_form(void *ctx, wn_canary_form form, const uint8_t *p, size_t n) {
    const adding *a = ctx;
    wn_canary_set_add(a->set, a->needle, form, p, n);
}

// ---- packed IPv4 ----

static address *address_of(const wn_canary_set *s, uint32_t key) {
    size_t at = (size_t)((key * HASH) >> 32) & (s->addresses_cap - 1);
    while (s->address[at].what != 0 && s->address[at].key != key) at = (at + 1) & (s->addresses_cap - 1);
    return &s->address[at];
}

static void add_address(wn_canary_set *s, uint32_t key, uint8_t what) {
    if (s->addresses_n * 2 >= s->addresses_cap) {
        wn_canary_set grown = {.addresses_cap = s->addresses_cap * 2};
        grown.address = must(calloc(grown.addresses_cap, sizeof *grown.address));
        for (size_t i = 0; i < s->addresses_cap; i++) {
            if (s->address[i].what != 0) *address_of(&grown, s->address[i].key) = s->address[i];
        }
        free(s->address);
        s->address = grown.address;
        s->addresses_cap = grown.addresses_cap;
    }
    address *a = address_of(s, key);
    if (a->what == 0) s->addresses_n++;
    if (a->what != 1) *a = (address){.key = key, .what = what};
    s->first_two[(key & 0xffff) >> 6] |= 1ull << (key & 63);
}

static void add_both_orders(wn_canary_set *s, const char *text, uint8_t what) {
    uint8_t b[4];
    if (inet_pton(AF_INET, text, b) != 1) return;
    uint8_t back[4] = {b[3], b[2], b[1], b[0]};
    add_address(s, load4(b), what);
    add_address(s, load4(back), what);
}

void wn_canary_set_add_needle(wn_canary_set *s, uint32_t needle, wn_canary_kind kind, const char *text) {
    adding a = {.set = s, .needle = needle};
    wn_canary_forms(kind, text, add_form, &a);
    if (kind == WN_CANARY_ipv4) add_both_orders(s, text, 1);
}

void wn_canary_set_add_decoy(wn_canary_set *s, const char *ipv4) {
    add_both_orders(s, ipv4, 2);
}

void wn_canary_set_count_ipv4(const wn_canary_set *s, const uint8_t *p, size_t n,
                              wn_canary_ipv4_counts *inout) {
    for (size_t i = 0; i + 4 <= n; i++) {
        uint32_t key = load4(p + i);
        if (!(s->first_two[(key & 0xffff) >> 6] >> (key & 63) & 1)) continue;
        const address *a = address_of(s, key);
        if (a->what == 1) inout->sent++;
        else if (a->what == 2) inout->decoys++;
    }
}

bool wn_canary_ipv4_leaks(const wn_canary_ipv4_counts *c) {
    if (c->sent <= c->decoys) return false;
    double more = (double)(c->sent - c->decoys);
    return more * more > 16.0 * (double)(c->sent + c->decoys);
}

// ---- anchors ----

static slot *slot_of(const wn_canary_set *s, uint64_t key) {
    size_t at = (size_t)((key * HASH) >> 20) & (s->slots_cap - 1);
    while (s->slot[at].head != NONE && s->slot[at].key != key) at = (at + 1) & (s->slots_cap - 1);
    return &s->slot[at];
}

// The least used of three pieces, so that patterns that begin alike do not share one.
static void give_anchor(wn_canary_set *s, uint32_t i) {
    pattern *q = &s->pattern[i];
    size_t last = q->n - 8u, place[3] = {0, last, last / 2};
    uint32_t least = NONE;
    for (size_t j = 0; j < 3; j++) {
        uint64_t key = load8(s->blob + q->blob + place[j]);
        bool flat = key == (key << 8 | key >> 56); // one byte eight times, as padding has
        uint32_t load = flat ? NONE - 1 : slot_of(s, key)->load;
        if (load >= least) continue;
        least = load;
        q->anchor = (uint16_t)place[j];
    }
    uint64_t key = load8(s->blob + q->blob + q->anchor);
    slot *at = slot_of(s, key);
    q->next = at->head;
    *at = (slot){.key = key, .head = i, .load = at->load + 1};
    uint64_t h = (key * HASH) >> s->bloom_shift;
    s->bloom[h >> 6] |= 1ull << (h & 63);
}

void wn_canary_set_close(wn_canary_set *s) {
    free(s->same);
    s->same = NULL;
    s->slots_cap = 1024;
    unsigned bits = 15;
    while (s->slots_cap < 2 * s->patterns_n) s->slots_cap *= 2;
    while (bits < BLOOM_BITS_MAX && (1ull << bits) < 32 * s->patterns_n) bits++;
    s->bloom_shift = 64 - bits;
    s->bloom = must(calloc((size_t)1 << (bits - 6), 8));
    s->slot = must(calloc(s->slots_cap, sizeof *s->slot));
    for (size_t i = 0; i < s->slots_cap; i++) s->slot[i].head = NONE;
    for (uint32_t i = 0; i < s->patterns_n; i++) give_anchor(s, i);
}

size_t wn_canary_set_patterns(const wn_canary_set *s) {
    return s->patterns_n;
}

static void compare(const wn_canary_set *s, const uint8_t *p, size_t n, size_t at, wn_canary_hit_fn fn,
                    void *ctx) {
    const slot *found = slot_of(s, load8(p + at));
    for (uint32_t i = found->head; i != NONE; i = s->pattern[i].next) {
        const pattern *q = &s->pattern[i];
        if (at < q->anchor || at - q->anchor + q->n > n) continue;
        if (memcmp(p + at - q->anchor, s->blob + q->blob, q->n) == 0) {
            fn(ctx, q->needle, (wn_canary_form)q->form, at - q->anchor);
        }
    }
}

void wn_canary_set_scan(const wn_canary_set *s, const uint8_t *p, size_t n, wn_canary_hit_fn fn, void *ctx) {
    const uint64_t *bloom = s->bloom;
    unsigned shift = s->bloom_shift;
    for (size_t i = 0; i + 8 <= n; i++) {
        uint64_t h = (load8(p + i) * HASH) >> shift;
        if (bloom[h >> 6] >> (h & 63) & 1) compare(s, p, n, i, fn, ctx);
    }
}
