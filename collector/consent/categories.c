// SPDX-License-Identifier: Apache-2.0
// categories.c: consent categories that SDKs send one by one.
#include "consent_signals.h"

static const struct category {
    const char *name;
    uint8_t purpose;
} categories[] = {
#define CONSENT_CATEGORY(name, purpose) {name, WN_SIGNAL_##purpose},
#include "consent_categories.def"
#undef CONSENT_CATEGORY
};

enum {
    MAPPED = 0
#define CONSENT_CATEGORY(name, purpose) | WN_SIGNAL_##purpose
#include "consent_categories.def"
#undef CONSENT_CATEGORY
};

static bool same(wn_span id, const char *name) {
    size_t i = 0;
    while (i < id.n && name[i] != '\0' && wn_lower(id.p[i]) == wn_lower((uint8_t)name[i])) i++;
    return i == id.n && name[i] == '\0';
}

void wn_categories_init(wn_categories *c) {
    *c = (wn_categories){0};
}

void wn_categories_begin(wn_categories *c, bool missing_refuses) {
    c->begun = true;
    c->missing_refuses = c->missing_refuses || missing_refuses;
}

void wn_categories_add(wn_categories *c, wn_span id, bool agreed) {
    for (size_t i = 0; i < WN_COUNT(categories); i++)
        if (same(id, categories[i].name)) *(agreed ? &c->agreed : &c->refused) |= categories[i].purpose;
}

void wn_categories_grant(wn_categories *c, uint8_t purposes, bool agreed) {
    *(agreed ? &c->agreed : &c->refused) |= purposes;
}

void wn_categories_doubt(wn_categories *c) {
    c->doubt = true;
}

wn_signal wn_categories_end(const wn_categories *c) {
    if (c->doubt) return WN_SIGNAL_DOUBT;
    if (!c->begun) return WN_SIGNAL_SILENT;
    uint8_t no = c->refused;
    if (c->missing_refuses) no |= (uint8_t)(MAPPED & ~c->agreed);
    return (wn_signal){(uint8_t)(c->agreed & ~no), no, false};
}
