// SPDX-License-Identifier: Apache-2.0
// increments.c: which tables an observation counts in, and under which name.
#include "increments.h"

#include <string.h>

#include "crypt.h"

void wn_table_keys_derive(const uint8_t k_core[32], wn_table_keys *out) {
    for (unsigned t = 0; t < WN_TABLES_MAX; t++) {
        uint8_t label[6] = {'t', 'a', 'b', 'l', 'e', (uint8_t)t};
#ifdef WN_MUTANT_ONE_KEY_ALL_TABLES
        label[5] = 0;
#endif
        wn_prf(k_core, (wn_span){label, sizeof label}, out->key[t], sizeof out->key[t]);
    }
}

uint64_t wn_table_person(const wn_table_keys *keys, unsigned table, const uint8_t person[16]) {
    return wn_prf64(keys->key[table], (wn_span){person, 16});
}

static uint64_t value_of(const wn_observation *obs, unsigned dim) {
    return wn_dim_is_open(dim) ? obs->open[dim - WN_CLOSED_N] : obs->closed[dim];
}

// May this table know of the person at all?
static bool open_to(const wn_observation *obs, const wn_plan *plan, const wn_table *table) {
#ifndef WN_MUTANT_SHARE_UNHEARD
    if (table->share && (obs->flags & WN_OBS_SHARE) == 0) return false;
#endif
    bool signed_only = table->profile == WN_PROFILE_NOISE && plan->noise.signed_only;
    return !signed_only || (obs->flags & WN_OBS_SIGNED) != 0;
}

static bool counts_in(const wn_observation *obs, const wn_table *table) {
    enum { OF_SESSIONS = WN_MEASURE_SESSIONS | WN_MEASURE_BOUNCES | WN_MEASURE_TIME };
    if ((table->kinds & (1u << obs->kind)) != 0) return true;
    return obs->kind == WN_OBS_SESSION && (table->measures & OF_SESSIONS) != 0;
}

static void measure_session(const wn_observation *obs, unsigned measures, wn_increment *inc) {
    inc->sessions = 1;
    if ((measures & WN_MEASURE_BOUNCES) != 0) inc->bounces = (obs->flags & WN_OBS_BOUNCED) != 0;
    if ((measures & WN_MEASURE_TIME) != 0)
        inc->seconds = obs->seconds < WN_SESSION_SECONDS_MAX ? obs->seconds : WN_SESSION_SECONDS_MAX;
}

static void measure_event(const wn_observation *obs, unsigned measures, wn_increment *inc) {
    inc->events = 1;
    if ((measures & WN_MEASURE_NUMBER1) != 0) inc->number = obs->number[0];
    if ((measures & WN_MEASURE_NUMBER2) != 0) inc->number = obs->number[1];
}

size_t wn_increments_of(const wn_observation *obs, const wn_plan *plan, const wn_table_keys *keys,
                        uint8_t epoch, wn_increment out[WN_TABLES_MAX]) {
    size_t n = 0;
    for (size_t t = 0; t < plan->n; t++) {
        const wn_table *table = &plan->table[t];
        bool counted = counts_in(obs, table) && open_to(obs, plan, table);
        if (!counted && t > 0) continue;
        wn_increment *inc = &out[n]; // counts only when nothing is absent
        *inc = (wn_increment){
            .site = obs->site, .prefix = obs->prefix, .org = obs->org, .table = (uint8_t)t, .epoch = epoch};
        bool absent = false;
        for (unsigned d = 0; d < table->dims_n; d++) {
            inc->value[d] = value_of(obs, table->dims[d]);
            absent |= inc->value[d] == 0;
        }
        if (absent) continue;
        inc->signed_id = (obs->flags & WN_OBS_SIGNED) != 0;
        if (counted && obs->kind == WN_OBS_SESSION) measure_session(obs, table->measures, inc);
        if (counted && obs->kind != WN_OBS_SESSION) measure_event(obs, table->measures, inc);
        inc->person = wn_table_person(keys, (unsigned)t, obs->person);
        n++;
    }
    return n;
}
