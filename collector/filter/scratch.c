// SPDX-License-Identifier: Apache-2.0
// scratch.c: caches of small sets that change no result.
//
// A value's hash is keyed with this process's key and the window's text key
// together: two windows never share an entry, and once the window's key is gone
// its entries cannot be tried against a list of texts.
#include "scratch.h"

#include <string.h>

#include "channels.h"
#include "crypt.h"
#include "identifiers.h"
#include "url_parts.h"

#define AGENT_SETS 8192
#define HOST_SETS 2048
#define WAYS 2
#define VALUE_SETS 2048
#define VALUE_WAYS 4 // a site's pages, all of one window: two would push each other out

typedef struct agent_entry {
    uint64_t hash; // 0: empty
    wn_agent agent;
} agent_entry;

typedef struct host_entry {
    uint64_t hash;
    wn_host_class class;
} host_entry;

// What is asked of a set lies in one line of the processor's cache.
typedef struct value_set {
    uint64_t hash[VALUE_WAYS];
    uint64_t call[VALUE_WAYS]; // last call that handed it out
} value_set;

struct wn_scratch {
    uint8_t agent_key[16], host_key[16], window_key[16];
    uint8_t value_key[16]; // of the current call
    uint64_t value_mask;
    uint64_t call;
    agent_entry agents[AGENT_SETS][WAYS]; // newest first
    host_entry hosts[HOST_SETS][WAYS];
    value_set sets[VALUE_SETS];
    wn_value values[VALUE_SETS][VALUE_WAYS];
    wn_value spill[WN_OPEN_N]; // when all ways were handed out in this call
};

size_t wn_scratch_bytes(void) {
    return (sizeof(wn_scratch) + 15) & ~(size_t)15;
}

void wn_scratch_init(wn_scratch *s, const uint8_t key[32]) {
    memset(s, 0, sizeof *s);
    uint8_t keys[48];
    wn_prf(key, (wn_span){(const uint8_t *)"winnow scratch", 14}, keys, sizeof keys);
    memcpy(s->agent_key, keys, 16);
    memcpy(s->host_key, keys + 16, 16);
    memcpy(s->window_key, keys + 32, 16);
    wn_wipe(keys, sizeof keys);
}

void wn_scratch_wipe(wn_scratch *s) {
    wn_wipe(s, sizeof *s);
}

// Agents and hosts are hashed under no window's key, so that they would outlive every window.
void wn_scratch_renew(wn_scratch *s, const uint8_t key[32]) {
    wn_scratch_wipe(s);
    wn_scratch_init(s, key);
}

static uint64_t hash_of(const uint8_t key[16], wn_span text) {
    uint64_t h = wn_prf64(key, text);
    return h ? h : 1;
}

void wn_scratch_agent(wn_scratch *s, wn_span ua, wn_agent *out) {
    if (ua.n > 512) ua.n = 512; // what the parser reads
    uint64_t hash = hash_of(s->agent_key, ua);
    agent_entry *set = s->agents[hash % AGENT_SETS];
    if (set[1].hash == hash) {
        *out = set[1].agent;
        return;
    }
    if (set[0].hash != hash) {
        set[1] = set[0];
        wn_agent_parse((const char *)ua.p, ua.n, &set[0].agent);
        set[0].hash = hash;
    }
    *out = set[0].agent;
}

static wn_host_class class_of(const char *host, size_t n) {
    char domain[WN_OPEN_TEXT_MAX + 1];
    if (!wn_domain_registrable(host, n, domain)) return (wn_host_class){WN_HOST_NO_DOMAIN, WN_CHANNEL_direct};
    wn_host_class class = {(uint8_t)(n - strlen(domain)), (uint8_t)wn_channel_of_domain(domain)};
    // A telephone number or a key is no site's name, though somebody registered it.
    if (wn_identifier_in((wn_span){(const uint8_t *)domain, strcspn(domain, ".")}, NULL))
        class.start = WN_HOST_NO_DOMAIN;
    wn_wipe(domain, sizeof domain);
    return class;
}

wn_host_class wn_scratch_host(wn_scratch *s, const char *host, size_t n) {
    uint64_t hash = hash_of(s->host_key, (wn_span){(const uint8_t *)host, n});
    host_entry *set = s->hosts[hash % HOST_SETS];
    if (set[1].hash == hash) return set[1].class;
    if (set[0].hash != hash) {
        set[1] = set[0];
        set[0] = (host_entry){hash, class_of(host, n)};
    }
    return set[0].class;
}

// The window's key enters whole: one half the hash's key, the other its result.
void wn_scratch_begin(wn_scratch *s, const uint8_t key_text[32]) {
    uint64_t halves[2];
    s->call++;
    for (size_t i = 0; i < 16; i++) s->value_key[i] = s->window_key[i] ^ key_text[i];
    memcpy(halves, key_text + 16, sizeof halves);
    s->value_mask = halves[0] ^ (halves[1] << 1 | halves[1] >> 63);
    wn_wipe(halves, sizeof halves);
}

const wn_value *wn_scratch_value(wn_scratch *s, unsigned slot, const uint8_t key_text[32], wn_span text) {
    uint64_t hash = wn_prf64(s->value_key, text) ^ s->value_mask;
    if (hash == 0) hash = 1;
    value_set *set = &s->sets[hash % VALUE_SETS];
    wn_value *values = s->values[hash % VALUE_SETS];
    unsigned victim = VALUE_WAYS;
    for (unsigned way = 0; way < VALUE_WAYS; way++) {
        if (set->hash[way] == hash) {
            set->call[way] = s->call;
            return &values[way];
        }
        bool free = set->call[way] != s->call;
        if (free && (victim == VALUE_WAYS || set->call[way] < set->call[victim])) victim = way;
    }
    if (victim == VALUE_WAYS) {
        wn_value_seal(key_text, text, &s->spill[slot]);
        return &s->spill[slot];
    }
    set->hash[victim] = 0;
    wn_value_seal(key_text, text, &values[victim]);
    set->hash[victim] = hash;
    set->call[victim] = s->call;
    return &values[victim];
}
