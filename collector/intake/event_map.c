// SPDX-License-Identifier: Apache-2.0
// event_map.c: a stack of keys and the hashes of those seen. A hash that falls
// together with another costs the sender's own event and nobody else's.
#include "event_map.h"

#include <string.h>

void wn_event_map_begin(wn_event_map *m, wn_field field, bool deep) {
    m->field = field;
    m->levels = m->beyond = 0;
    m->deep = deep;
    m->keys_n = 0;
    wn_event_map_open(m, false);
}

static uint64_t hash(wn_span s) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++) h = (h ^ s.p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

wn_map_key wn_event_map_key(wn_event_map *m, wn_span key) {
    wn_map_level *l = &m->level[m->levels - 1];
    if (m->beyond != 0 || (m->levels > 1 && !m->deep)) return WN_MAP_NEW;
    uint64_t h = hash(key);
    l->key_dropped = true;
    for (unsigned i = l->keys_first; i < m->keys_n; i++)
        if (m->keys[i] == h) return WN_MAP_TWICE;
    if (m->keys_n == WN_MAP_KEYS_MAX) return WN_MAP_TOO_MANY;
    m->keys[m->keys_n++] = h;
    if (m->keys_most < m->keys_n) m->keys_most = m->keys_n;
    if (key.n > WN_PAIR_BYTES_MAX) return WN_MAP_TOO_LONG;
    l->key_dropped = false;
    l->key_n = (uint8_t)key.n;
    if (key.n != 0) memcpy(m->key[m->levels - 1], key.p, key.n);
    return WN_MAP_NEW;
}

bool wn_event_map_value(const wn_event_map *m, wn_span *out_key) {
    if (m->beyond != 0 || (m->levels > 1 && !m->deep)) return false;
    unsigned at = m->level[m->levels - 1].key_of;
    if (m->level[at].key_dropped) return false;
    *out_key = (wn_span){m->key[at], m->level[at].key_n};
    return true;
}

void wn_event_map_open(wn_event_map *m, bool list) {
    if (m->levels == WN_EVENT_DEPTH_MAX) {
        m->beyond++;
        return;
    }
    uint8_t own = (uint8_t)m->levels, above = m->levels == 0 ? own : m->level[own - 1].key_of;
    m->level[own] = (wn_map_level){list, list ? above : own, 0, true, m->keys_n};
    m->levels++;
}

bool wn_event_map_close(wn_event_map *m) {
    if (m->beyond != 0) {
        m->beyond--;
        return false;
    }
    m->levels--;
    m->keys_n = m->level[m->levels].keys_first;
    return m->levels == 0;
}

void wn_event_map_wipe(wn_event_map *m) {
    if (m->keys_most == 0) return;
    wn_wipe(m->key, sizeof m->key);
    wn_wipe(m->keys, m->keys_most * sizeof m->keys[0]);
    m->keys_most = 0;
}
