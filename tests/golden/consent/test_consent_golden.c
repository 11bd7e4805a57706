// SPDX-License-Identifier: Apache-2.0
// test_consent_golden.c: strings made by the IAB's own encoders are read as the
// IAB's own decoders read them, field by field, and mean what the rules say.
// Both files are made by make.mjs. Rules R1, R2.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consent_rig.h"
#include "gpp_parts.h"
#include "tcf_fields.h"

static rig_vector vectors[RIG_VECTORS_MAX];
static size_t vectors_n;

static void load(void) {
    vectors_n = rig_vectors_load(WN_GOLDEN_FILE, vectors);
}

TestSuite(consent_golden, .init = load);

static const char *field(const rig_vector *v, const char *key) {
    for (size_t i = 0; i < v->fields; i++)
        if (strcmp(v->key[i], key) == 0) return v->value[i];
    cr_assert_fail("%s: no %s", v->name, key);
    return "";
}

static unsigned long long number(const rig_vector *v, const char *key) {
    return strtoull(field(v, key), NULL, 10);
}

// "1-3,8,755"
static bool lists(const char *ranges, unsigned id) {
    while (*ranges != '\0' && *ranges != ';') {
        char *end;
        unsigned long from = strtoul(ranges, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
        if (id >= from && id <= to) return true;
        ranges = *end == ',' ? end + 1 : end;
    }
    return false;
}

// "8.0:755;9.2:1-3": whether one of type 0 or 2 on this purpose lists the vendor.
static bool bars(const char *restrictions, unsigned purpose, unsigned id) {
    for (const char *at = restrictions; at != NULL && *at != '\0';) {
        unsigned p, type;
        int used;
        cr_assert(sscanf(at, "%u.%u:%n", &p, &type, &used) == 2);
        if (p == purpose && type != 1 && lists(at + used, id)) return true;
        at = strchr(at, ';');
        if (at != NULL) at++;
    }
    return false;
}

static bool in(uint32_t set, unsigned place) {
    return (set >> place & 1u) != 0;
}

static void compare_vendors(const rig_vector *v, unsigned first) {
    uint16_t ids[WN_TCF_VENDORS_MAX];
    wn_tcf_fields f;
    for (unsigned i = 0; i < WN_TCF_VENDORS_MAX; i++) ids[i] = (uint16_t)(first + i);
    cr_assert(wn_tcf_fields_read(rig_span(v->text), ids, &f), "%s", v->name);
    for (unsigned i = 0; i < WN_TCF_VENDORS_MAX; i++) {
        cr_expect_eq(in(f.vendors, i), lists(field(v, "Vendors"), ids[i]), "%s: %u", v->name, ids[i]);
        cr_expect_eq(in(f.vendors_li, i), lists(field(v, "VendorsLI"), ids[i]), "%s: %u", v->name, ids[i]);
        cr_expect_eq(in(f.disclosed, i), lists(field(v, "Disclosed"), ids[i]), "%s: %u", v->name, ids[i]);
        for (unsigned p = 1; p <= WN_TCF_PURPOSES; p++)
            cr_expect_eq(in(f.unconsentable[p - 1], i), bars(field(v, "Restrictions"), p, ids[i]),
                         "%s: %u, %u", v->name, p, ids[i]);
    }
}

static void compare_tcf(const rig_vector *v) {
    const uint16_t nobody[WN_TCF_VENDORS_MAX] = {0};
    wn_tcf_fields f;
    cr_assert(wn_tcf_fields_read(rig_span(v->text), nobody, &f), "%s", v->name);
    cr_expect_eq(f.created_ds, number(v, "Created"), "%s", v->name);
    cr_expect_eq(f.updated_ds, number(v, "LastUpdated"), "%s", v->name);
    cr_expect_eq(f.cmp_id, number(v, "CmpId"), "%s", v->name);
    cr_expect_eq(f.cmp_version, number(v, "CmpVersion"), "%s", v->name);
    cr_expect_eq(f.screen, number(v, "ConsentScreen"), "%s", v->name);
    cr_expect_eq(f.list_version, number(v, "VendorListVersion"), "%s", v->name);
    cr_expect_eq(f.policy, number(v, "PolicyVersion"), "%s", v->name);
    cr_expect_eq(f.nonstandard_texts, number(v, "UseNonStandardTexts"), "%s", v->name);
    cr_expect_eq(f.one_treatment, number(v, "PurposeOneTreatment"), "%s", v->name);
    cr_expect_eq(strncmp(f.language, field(v, "ConsentLanguage"), 2), 0, "%s", v->name);
    cr_expect_eq(strncmp(f.country, field(v, "PublisherCC"), 2), 0, "%s", v->name);
    for (unsigned i = 1; i <= WN_TCF_FEATURES; i++)
        cr_expect_eq(in(f.features, i - 1), lists(field(v, "SpecialFeatures"), i), "%s: %u", v->name, i);
    for (unsigned i = 1; i <= WN_TCF_PURPOSES; i++) {
        cr_expect_eq(in(f.purposes, i - 1), lists(field(v, "Purposes"), i), "%s: %u", v->name, i);
        cr_expect_eq(in(f.purposes_li, i - 1), lists(field(v, "PurposesLI"), i), "%s: %u", v->name, i);
    }
    for (unsigned first = 1; first < 1300; first += WN_TCF_VENDORS_MAX) compare_vendors(v, first);
    compare_vendors(v, 65536 - WN_TCF_VENDORS_MAX);
}

static wn_span section(const char *gpp, size_t at) {
    while (at-- > 0) gpp = strchr(gpp, '~') + 1;
    return (wn_span){(const uint8_t *)gpp, strcspn(gpp, "~")};
}

static void compare_us(const rig_vector *v, unsigned id, wn_span text) {
    char key[16];
    wn_gpp_us_core core;
    const uint8_t *dot = memchr(text.p, '.', text.n);
    wn_span head = {text.p, dot != NULL ? (size_t)(dot - text.p) : text.n};
    cr_assert(wn_gpp_us_core_read(id, head, &core), "%s", v->name);
    snprintf(key, sizeof key, "%u.Version", id);
    cr_expect_eq(core.version, number(v, key), "%s", v->name);
    snprintf(key, sizeof key, "%u.Gpc", id);
    cr_expect_eq(dot == NULL, strcmp(field(v, key), "none") == 0, "%s", v->name);
    if (core.newer) return;
    snprintf(key, sizeof key, "%u.Items", id);
    const char *items = field(v, key);
    cr_assert_eq(core.items, strlen(items), "%s: %u items", v->name, core.items);
    for (size_t i = 0; i < core.items; i++)
        cr_expect_eq(core.value[i], (unsigned)(items[i] - '0'), "%s: item %zu", v->name, i);
}

static void compare_gpp(const rig_vector *v) {
    uint64_t present, in_force = UINT64_MAX;
    size_t at = 0;
    cr_assert(wn_gpp_header_read(section(v->text, 0), &present), "%s", v->name);
    if (v->sid != NULL) cr_assert(wn_gpp_sid_read(rig_span(v->sid), &in_force), "%s", v->name);
    for (unsigned id = 0; id <= WN_GPP_SECTION_MAX; id++) {
        cr_expect_eq(present >> id & 1u, lists(field(v, "Sections"), id), "%s: %u", v->name, id);
        if (!(present >> id & 1u)) continue;
        at++;
        if (wn_gpp_us_known(id) && (in_force >> id & 1u)) compare_us(v, id, section(v->text, at));
    }
}

Test(consent_golden, there_are_enough_good_and_hostile_strings) {
    size_t good[2] = {0}, hostile[2] = {0};
    for (size_t i = 0; i < vectors_n; i++) {
        bool gpp = strcmp(vectors[i].kind, "gpp") == 0;
        vectors[i].hostile ? hostile[gpp]++ : good[gpp]++;
    }
    cr_expect_geq(good[0], 40);
    cr_expect_geq(good[1], 35);
    cr_expect_geq(hostile[0], 30);
    cr_expect_geq(hostile[1], 20);
}

Test(consent_golden, reads_field_by_field_what_the_iab_reads) {
    for (size_t i = 0; i < vectors_n; i++) {
        const rig_vector *v = &vectors[i];
        if (v->hostile) continue;
        cr_expect(v->iab_reads, "%s", v->name);
        if (strcmp(v->kind, "tcf") == 0) compare_tcf(v);
        else compare_gpp(v);
    }
}

Test(consent_golden, says_what_the_rules_say) {
    for (size_t i = 0; i < vectors_n; i++) {
        const rig_vector *v = &vectors[i];
        wn_signal s = rig_read(v->kind, rig_span(v->text), rig_span(v->sid), &v->terms);
        cr_expect(rig_same(s, v->expect), "%s: yes %x no %x doubt %d, expected %x %x %d", v->name, s.yes,
                  s.no, s.doubt, v->expect.yes, v->expect.no, v->expect.doubt);
    }
}

static size_t edit(const char *base, char op, size_t at, char c, char *out) {
    size_t n = strlen(base), used = at;
    memcpy(out, base, at);
    if (op == 's' || op == 'i') out[used++] = c;
    size_t from = op == 't' ? n : op == 'i' ? at : at + 1;
    memcpy(out + used, base + from, n - from);
    return used + n - from;
}

// What the IAB's decoder refuses grants nothing; what it reads is read alike, or is a doubt.
Test(consent_golden, mutated_strings_never_say_more_than_the_iab_hears) {
    const char *bases[16], *kinds[16];
    size_t bases_n = 0, alike = 0, refused = 0, stricter = 0;
    const uint8_t unread = WN_SIGNAL_share | WN_SIGNAL_locate;
    wn_tcf_terms t = {0};
    char *file = rig_file(WN_GOLDEN_MUTATED);
    for (char *at = file, *end; *at != '\0'; at = end) {
        end = at + strcspn(at, "\n");
        if (*end != '\0') *end++ = '\0';
        if (strncmp(at, "terms ", 6) == 0) t = rig_terms(at + 6);
        else if (strncmp(at, "base ", 5) == 0) {
            kinds[bases_n] = strncmp(at + 5, "tcf", 3) == 0 ? "tcf" : "gpp";
            bases[bases_n++] = at + 9;
        } else {
            size_t base, pos;
            unsigned yes = 0, no = 0;
            char op, c, text[512], verdict[16];
            cr_assert_eq(sscanf(at, "%zu %c %zu %c %15s", &base, &op, &pos, &c, verdict), 5);
            wn_span edited = {(const uint8_t *)text, edit(bases[base], op, pos, c, text)};
            wn_signal s = rig_read(kinds[base], edited, (wn_span){NULL, 0}, &t);
            if (verdict[0] == 'x') {
                // Of a section newer than both know, we at least know what to refuse.
                bool newer = s.yes == 0 && (s.no & unread) == unread && bases[base][0] == 'D';
                cr_expect(s.doubt || newer, "%s", at);
                refused++;
                continue;
            }
            cr_assert_eq(sscanf(verdict, "%u/%u", &yes, &no), 2);
            cr_expect(s.doubt || (s.yes == yes && s.no == no), "%s: yes %u no %u", at, s.yes, s.no);
            s.doubt ? stricter++ : alike++;
        }
    }
    free(file);
    cr_log_info("%zu alike, %zu refused by both, %zu by us alone", alike, refused, stricter);
    cr_expect_geq(alike, 1000);
    cr_expect_geq(refused, 2000);
}
