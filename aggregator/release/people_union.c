// SPDX-License-Identifier: Apache-2.0
// people_union.c: who is in at least one of the cells, found by P_t.
#include "people_union.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_MIN = 256, SESSIONS_CLAMP = 20 };

typedef struct entry {
    uint64_t person;
    uint16_t events, sessions;
    bool used;
} entry;

struct wn_people_union {
    wn_crowd *crowd;
    entry *entries;
    size_t cap, n;
    unsigned clamp;
    uint64_t events, sessions;
    wn_err err; // of the visit under way
};

wn_err wn_people_union_new(wn_people_union **out) {
    wn_people_union *u = calloc(1, sizeof *u);
    if (u == NULL) return WN_ERR_NOMEM;
    wn_err err = wn_crowd_new(&u->crowd);
    if (err != WN_OK) {
        free(u);
        return err;
    }
    *out = u;
    return WN_OK;
}

void wn_people_union_free(wn_people_union *u) {
    if (u == NULL) return;
    wn_crowd_free(u->crowd);
    wn_wipe(u->entries, u->cap * sizeof *u->entries);
    free(u->entries);
    free(u);
}

void wn_people_union_reset(wn_people_union *u, bool site_declares, unsigned clamp) {
    wn_crowd_reset(u->crowd, site_declares);
    if (u->n > 0) memset(u->entries, 0, u->cap * sizeof *u->entries);
    u->n = 0;
    u->events = u->sessions = 0;
    u->clamp = clamp;
}

static entry *entry_of(entry *entries, size_t cap, uint64_t person) {
    size_t s = person & (cap - 1); // P_t is a PRF's output: its bits are spread already
    while (entries[s].used && entries[s].person != person) s = (s + 1) & (cap - 1);
    return &entries[s];
}

static wn_err grow(wn_people_union *u) {
    size_t cap = u->cap > 0 ? u->cap * 2 : CAP_MIN;
    entry *bigger = calloc(cap, sizeof *bigger);
    if (bigger == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < u->cap; i++)
        if (u->entries[i].used) *entry_of(bigger, cap, u->entries[i].person) = u->entries[i];
    wn_wipe(u->entries, u->cap * sizeof *u->entries);
    free(u->entries);
    u->entries = bigger;
    u->cap = cap;
    return WN_OK;
}

static uint16_t more(uint16_t *have, unsigned add, unsigned most) {
    unsigned now = *have + add < most ? *have + add : most;
    uint16_t grown = (uint16_t)(now - *have);
    *have = (uint16_t)now;
    return grown;
}

static wn_err add_member(wn_people_union *u, const wn_member *m) {
    if (u->n * 2 >= u->cap) WN_TRY(grow(u));
    entry *e = entry_of(u->entries, u->cap, m->person);
    if (!e->used) {
        WN_TRY(wn_crowd_add(u->crowd, m));
        *e = (entry){.person = m->person, .used = true};
        u->n++;
    }
    u->events += more(&e->events, m->events, u->clamp);
    u->sessions += more(&e->sessions, m->sessions, SESSIONS_CLAMP);
    return WN_OK;
}

static void visit_member(void *ctx, const wn_member *m) {
    wn_people_union *u = ctx;
    if (u->err == WN_OK) u->err = add_member(u, m);
}

wn_err wn_people_union_add(wn_people_union *u, const wn_fold *f, size_t cell) {
    u->err = WN_OK;
    wn_fold_members(f, cell, 0, visit_member, u);
    return u->err;
}

const wn_crowd *wn_people_union_crowd(const wn_people_union *u) {
    return u->crowd;
}
uint64_t wn_people_union_events(const wn_people_union *u) {
    return u->events;
}
uint64_t wn_people_union_sessions(const wn_people_union *u) {
    return u->sessions;
}
