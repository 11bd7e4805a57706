// SPDX-License-Identifier: Apache-2.0
// gpp_us.c: the GPP sections of the United States, by the rows of gpp_sections.def.
#include "bits.h"
#include "gpp_parts.h"

typedef enum role { UNREAD, OPT_OUT, GEO, CHILD, CHILD_ANY, UNDER_13 } role;

enum {
#define GPP_SECTION(name, id, newest) SECTION_##name = id,
#define GPP_FIELD(section, name, items_1, items_2, role)
#include "gpp_sections.def"
#undef GPP_SECTION
#undef GPP_FIELD
    VERSIONS = 2,
    VALUE_VOID = 3, // of two bits; no edition gives it a meaning
    GPC_TYPE = 1
};

static const struct section {
    uint8_t id, newest;
} sections[] = {
#define GPP_SECTION(name, id, newest) {id, newest},
#define GPP_FIELD(section, name, items_1, items_2, role)
#include "gpp_sections.def"
#undef GPP_SECTION
#undef GPP_FIELD
};

static const struct field {
    uint8_t section, items[VERSIONS], role;
} fields[] = {
#define GPP_SECTION(name, id, newest)
#define GPP_FIELD(section, name, items_1, items_2, role) {SECTION_##section, {items_1, items_2}, role},
#include "gpp_sections.def"
#undef GPP_SECTION
#undef GPP_FIELD
};

#define GPP_SECTION(name, id, newest) _Static_assert((newest) <= VERSIONS, "a column a version");
#define GPP_FIELD(section, name, items_1, items_2, role)
#include "gpp_sections.def"
#undef GPP_SECTION
#undef GPP_FIELD

// Room for the items of all versions together is room for any one.
_Static_assert((0
#define GPP_SECTION(name, id, newest)
#define GPP_FIELD(section, name, items_1, items_2, role) +(items_1) + (items_2)
#include "gpp_sections.def"
#undef GPP_SECTION
#undef GPP_FIELD
                ) <= WN_GPP_US_ITEMS_MAX,
               "items of a core");

static const struct section *find(unsigned id) {
    for (size_t i = 0; i < WN_COUNT(sections); i++)
        if (sections[i].id == id) return &sections[i];
    return NULL;
}

bool wn_gpp_us_known(unsigned id) {
    return find(id) != NULL;
}

static void hear(wn_signal *s, role as, unsigned value) {
#ifdef WN_MUTANT_UNDER_13_UNHEARD
    if (as == UNDER_13) return;
#endif
    const uint8_t but_basic = WN_SIGNAL_measure | WN_SIGNAL_locate | WN_SIGNAL_share;
    switch (as) {
    case UNREAD: return;
    case OPT_OUT:
        if (value == 1) s->no |= WN_SIGNAL_share;
        return;
    case GEO:
        if (value == 1) s->no |= WN_SIGNAL_locate;
        if (value == 2) s->yes |= WN_SIGNAL_locate;
        return;
    case CHILD:
        if (value == 1) s->no |= but_basic;
        return;
    case CHILD_ANY:
        if (value != 0) s->no |= but_basic;
        return;
    case UNDER_13:
        if (value != 0) s->no |= WN_SIGNAL_ALL;
        return;
    }
}

bool wn_gpp_us_core_read(unsigned id, wn_span core, wn_gpp_us_core *out) {
    const struct section *of = find(id);
    wn_bits b = wn_bits_over(core);
    wn_gpp_us_core c = {.version = (uint8_t)wn_bits_take(&b, 6)};
    if (of == NULL || b.bad || c.version == 0) return false;
    c.newer = c.version > of->newest;
    for (size_t i = 0; i < WN_COUNT(fields) && !c.newer; i++) {
        if (fields[i].section != id) continue;
        for (unsigned item = 0; item < fields[i].items[c.version - 1]; item++) {
            unsigned value = (unsigned)wn_bits_take(&b, 2);
            if (value == VALUE_VOID) return false;
            c.value[c.items] = (uint8_t)value;
            c.role[c.items++] = fields[i].role;
        }
    }
    if (!c.newer && !wn_bits_ended(&b)) return false;
    *out = c;
    return true;
}

static uint8_t denied_by_gpc(bool drops) {
    return drops ? WN_SIGNAL_ALL : WN_SIGNAL_ALL & ~WN_SIGNAL_basic;
}

wn_signal wn_gpp_us_read(unsigned id, wn_span section, bool gpc_drops, bool *out_whole) {
    wn_signal s = WN_SIGNAL_SILENT;
    wn_gpp_us_core core;
    bool more;
    if (!wn_gpp_us_core_read(id, wn_bits_cut(&section, '.', &more), &core)) return WN_SIGNAL_DOUBT;
    // Which bits are opt-outs is unknown: what they could refuse is refused.
    if (core.newer) s.no = WN_SIGNAL_share | WN_SIGNAL_locate;
    for (size_t i = 0; i < core.items; i++) hear(&s, (role)core.role[i], core.value[i]);
    *out_whole = more && !core.newer;
    if (more) {
        wn_bits b = wn_bits_over(wn_bits_cut(&section, '.', &more));
        bool typed = wn_bits_take(&b, 2) == GPC_TYPE, gpc = wn_bits_take(&b, 1) != 0;
        if (more || !typed || !wn_bits_ended(&b)) return WN_SIGNAL_DOUBT;
#ifdef WN_MUTANT_GPC_UNHEARD
        gpc = false;
#endif
        if (gpc) s.no |= denied_by_gpc(gpc_drops);
    }
    s.yes &= (uint8_t)~s.no;
    return s;
}

// Its opt-outs are unknown. A sub-section that says Gpc = 1 in the family's
// common form is heard all the same: it can only refuse.
wn_signal wn_gpp_us_unknown(wn_span section, bool gpc_drops) {
    wn_signal s = wn_signal_refusing(WN_SIGNAL_share | WN_SIGNAL_locate);
    bool more;
    (void)wn_bits_cut(&section, '.', &more);
    while (more) {
        wn_bits b = wn_bits_over(wn_bits_cut(&section, '.', &more));
        if (wn_bits_take(&b, 2) == GPC_TYPE && wn_bits_take(&b, 1) != 0) s.no |= denied_by_gpc(gpc_drops);
    }
    return s;
}
