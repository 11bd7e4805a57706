// SPDX-License-Identifier: Apache-2.0
// consent_rig.h: the golden vectors as C values, for the tests of the consent readers.
#pragma once

#include "consent_signals.h"

enum { RIG_VECTORS_MAX = 256, RIG_FIELDS_MAX = 24 };

typedef struct rig_vector {
    const char *name, *kind, *text, *sid; // sid NULL: absent
    wn_tcf_terms terms;
    bool iab_reads, hostile;
    const char *key[RIG_FIELDS_MAX], *value[RIG_FIELDS_MAX];
    size_t fields;
    wn_signal expect;
} rig_vector;

// Aborts when the file is not as make.mjs writes it. The strings live for ever.
size_t rig_vectors_load(const char *path, rig_vector out[RIG_VECTORS_MAX]);
wn_tcf_terms rig_terms(char *text); // "now=.. li=.. vendors=.. one=.."; takes text apart
char *rig_file(const char *path);   // whole, with a NUL

wn_signal rig_read(const char *kind, wn_span text, wn_span sid, const wn_tcf_terms *t);

static inline wn_span rig_span(const char *text) {
    if (text == NULL) return (wn_span){NULL, 0};
    size_t n = 0;
    while (text[n] != '\0') n++;
    return (wn_span){(const uint8_t *)text, n};
}

static inline bool rig_same(wn_signal a, wn_signal b) {
    return a.yes == b.yes && a.no == b.no && a.doubt == b.doubt;
}
