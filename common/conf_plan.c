// SPDX-License-Identifier: Apache-2.0
// conf_plan.c: reads the release plan: which tables exist, checked before anything counts.
//
// A plan that could publish one population twice, a table that can never have
// a row or names no purpose, and a budget beyond the maximum are refused with
// their line (conf_plan_check.c). Rules R3, R5, R6.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "conf_plan.h"
#include "conf_yaml.h"
#include "noise_terms.h"

// The assembler reads the file when this unit is compiled: no generator, no copy in C.
__asm__(".pushsection .rodata\n"
        ".global wn_plan_default\n"
        ".type wn_plan_default, @object\n"
        "wn_plan_default:\n"
        ".incbin \"plan.yaml\"\n"
        ".byte 0\n"
        ".size wn_plan_default, .-wn_plan_default\n"
        ".popsection\n");

typedef struct reading {
    wn_plan *plan;
    wn_plan_row row; // the one being read
    uint32_t rho_micro;
    bool signed_only;
} reading;

// ---- words that stand for numbers ----

static const char *const dims[WN_DIM_N] = {
#define DIM_CLOSED(name, purpose, doc) #name,
#include "dims.def"
#define DIM_OPEN(name, purpose, doc) #name,
#include "dims.def"
};
static const char *const kinds[] = {"view", "event", "session"}; // wn_obs_kind - 1
static const char *const measures[] = {"people", "events",  "sessions", "bounces",
                                       "time",   "number1", "number2"};
static const char *const truths[] = {"false", "true"};
static const char *const profiles[WN_PROFILE_N] = {
    [WN_PROFILE_CROWD] = "crowd", [WN_PROFILE_NOISE] = "noise"};

// A list of words, each once, as bits.
static bool read_bits(wn_nodes *d, const yaml_node_t *at, const char *what, const char *const *words,
                      size_t words_n, uint32_t *out) {
    size_t n = 0;
    if (!wn_nodes_list(d, at, what, words_n, &n)) return false;
    if (n == 0) return wn_nodes_no(d, at, "%s lists nothing: name at least one", what);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        size_t word = 0;
        if (!wn_nodes_word(d, item, what, words, words_n, &word)) return false;
        if (*out >> word & 1) return wn_nodes_no(d, item, "%s: %s stands twice: keep one", what, words[word]);
        *out |= 1u << word;
    }
    return true;
}

// Begins with a letter; then lower case letters, digits and what is in `more`.
static bool is_name(const char *s, size_t bytes_max, const char *more) {
    size_t n = strlen(s);
    if (s[0] < 'a' || s[0] > 'z' || n > bytes_max) return false;
    for (size_t i = 0; i < n; i++) {
        bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        if (!word && strchr(more, s[i]) == NULL) return false;
    }
    return true;
}

static bool read_plain(wn_nodes *d, const yaml_node_t *at, const char *what, char *out, size_t bytes) {
    const char *text = wn_nodes_text(d, at, what);
    if (text == NULL) return false;
    bool plain = text[0] != '\0' && strlen(text) < bytes;
    for (const char *p = text; *p != '\0'; p++) plain = plain && (unsigned char)*p >= 0x20 && *p != 0x7F;
    if (!plain) return wn_nodes_no(d, at, "%s must be 1 to %zu bytes of plain text", what, bytes - 1);
    strcpy(out, text);
    return true;
}

// ---- a table ----

static wn_table *table_of(void *ctx) {
    return ((reading *)ctx)->row.table;
}

static bool read_id(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_table *t = table_of(ctx);
    const char *id = wn_nodes_text(d, at, "id");
    if (id == NULL) return false;
    if (!is_name(id, sizeof t->id - 1, "_"))
        return wn_nodes_no(d, at,
                           "id \"%.40s\": allowed is [a-z][a-z0-9_]*, at most %zu characters; example: pages",
                           id, sizeof t->id - 1);
    strcpy(t->id, id);
    return true;
}

static bool read_doc(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_table *t = table_of(ctx);
    return read_plain(d, at, "doc", t->doc, sizeof t->doc);
}

static bool read_purpose(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const char *const purposes[WN_PURPOSE_N] = {
#define PURPOSE(name, dflt, doc) #name,
#include "purposes.def"
#undef PURPOSE
    };
    size_t purpose = 0;
    if (!wn_nodes_word(d, at, "purpose", purposes, WN_PURPOSE_N, &purpose)) return false;
    table_of(ctx)->purpose = (uint8_t)purpose;
    return true;
}

static bool read_profile(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    size_t profile = 0;
    if (!wn_nodes_word(d, at, "profile", profiles, WN_PROFILE_N, &profile)) return false;
    table_of(ctx)->profile = (uint8_t)profile;
    return true;
}

static bool read_dimensions(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_table *t = table_of(ctx);
    size_t n = 0;
    if (!wn_nodes_list(d, at, "dimensions", WN_COUNT(t->dims), &n)) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        const char *word = wn_nodes_text(d, item, "dimensions");
        if (word == NULL) return false;
        unsigned dim = wn_dim_by_name(word);
        if (dim == WN_DIM_NONE) {
            const char *near = wn_options_nearest(word, dims, WN_DIM_N);
            return wn_nodes_no(d, item, "dimensions: there is no \"%.40s\"%s%s%s", word,
                               near ? "; did you mean " : ": schemas/dims.def lists them", near ? near : "",
                               near ? "?" : "");
        }
        if (i > 0 && t->dims[0] == dim)
            return wn_nodes_no(d, item, "dimensions: %s stands twice: keep one", word);
        t->dims[i] = (uint8_t)dim;
    }
    t->dims_n = (uint8_t)n;
    return true;
}

static bool read_of(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint32_t bits = 0;
    if (!read_bits(d, at, "of", kinds, WN_COUNT(kinds), &bits)) return false;
    table_of(ctx)->kinds = (uint8_t)(bits << WN_OBS_VIEW);
    return true;
}

static bool read_measures(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint32_t bits = 0;
    if (!read_bits(d, at, "measures", measures, WN_COUNT(measures), &bits)) return false;
    table_of(ctx)->measures = (uint8_t)bits;
    return true;
}

static bool read_count(wn_nodes *d, const yaml_node_t *at, const char *what, uint64_t min, uint64_t max,
                       uint16_t *out) {
    uint64_t value = 0;
    if (!wn_nodes_uint(d, at, what, min, max, &value)) return false;
    *out = (uint16_t)value;
    return true;
}

static bool read_clamp(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    return read_count(d, at, "clamp", WN_PLAN_CLAMP_MIN, WN_PLAN_CLAMP_MAX, &table_of(ctx)->clamp);
}

static bool read_number_clamp(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    return read_count(d, at, "number_clamp", 1, UINT16_MAX, &table_of(ctx)->number_clamp);
}

static bool read_cells(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint16_t cells = 0;
    if (!read_count(d, at, "cells", 1, WN_NOISE_CELLS_MAX, &cells)) return false;
    table_of(ctx)->cells = (uint8_t)cells;
    return true;
}

static bool read_share(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    size_t truth = 0;
    if (!wn_nodes_word(d, at, "share", truths, WN_COUNT(truths), &truth)) return false;
    table_of(ctx)->share = truth != 0;
    return true;
}

// The receiver's place in the plan, added on first sight.
static bool receiver_place(wn_nodes *d, const yaml_node_t *at, wn_plan *p, size_t *out) {
    const char *name = wn_nodes_text(d, at, "receivers");
    if (name == NULL) return false;
    if (!is_name(name, WN_RECEIVER_BYTES - 1, "_-"))
        return wn_nodes_no(
            d, at,
            "receivers: \"%.40s\": allowed is [a-z][a-z0-9_-]*, at most %d characters; example: "
            "partner",
            name, WN_RECEIVER_BYTES - 1);
    for (*out = 0; *out < p->receivers_n; ++*out)
        if (strcmp(p->receiver[*out], name) == 0) return true;
    if (p->receivers_n == WN_RECEIVERS_MAX)
        return wn_nodes_no(d, at, "receivers: %s would be one more than the %d that a plan may name", name,
                           WN_RECEIVERS_MAX);
    strcpy(p->receiver[p->receivers_n++], name);
    return true;
}

static bool read_receivers(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    reading *r = ctx;
    size_t n = 0;
    if (!wn_nodes_list(d, at, "receivers", WN_RECEIVERS_MAX, &n)) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        size_t place = 0;
        if (!receiver_place(d, item, r->plan, &place)) return false;
        uint8_t bit = (uint8_t)(1u << place);
        if (r->row.table->receivers & bit)
            return wn_nodes_no(d, item, "receivers: %s stands twice: keep one", r->plan->receiver[place]);
        r->row.table->receivers |= bit;
    }
    return true;
}

static bool read_contract(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_table *t = table_of(ctx);
    return read_plain(d, at, "contract", t->contract, sizeof t->contract);
}

static const wn_node_key table_keys[WN_PLAN_KEYS_N] = {
    [WN_PLAN_id] = {"id", read_id},
    [WN_PLAN_doc] = {"doc", read_doc},
    [WN_PLAN_purpose] = {"purpose", read_purpose},
    [WN_PLAN_profile] = {"profile", read_profile},
    [WN_PLAN_dimensions] = {"dimensions", read_dimensions},
    [WN_PLAN_of] = {"of", read_of},
    [WN_PLAN_measures] = {"measures", read_measures},
    [WN_PLAN_clamp] = {"clamp", read_clamp},
    [WN_PLAN_number_clamp] = {"number_clamp", read_number_clamp},
    [WN_PLAN_cells] = {"cells", read_cells},
    [WN_PLAN_share] = {"share", read_share},
    [WN_PLAN_receivers] = {"receivers", read_receivers},
    [WN_PLAN_contract] = {"contract", read_contract},
};

// Before these are known nothing else of a table can be judged.
static bool has_needed(wn_nodes *d, const wn_plan_row *row) {
    static const struct {
        wn_plan_key key;
        const char *example;
    } needed[] = {{WN_PLAN_id, "id: pages"},           {WN_PLAN_doc, "doc: Pages viewed"},
                  {WN_PLAN_purpose, "purpose: basic"}, {WN_PLAN_dimensions, "dimensions: [route]"},
                  {WN_PLAN_of, "of: [view]"},          {WN_PLAN_measures, "measures: [people, events]"}};
    for (size_t i = 0; i < WN_COUNT(needed); i++)
        if (row->at[needed[i].key] == NULL)
            return wn_nodes_no(d, row->item, "table %s has no %s; example: %s",
                               row->table->id[0] != '\0' ? row->table->id : "without a name",
                               table_keys[needed[i].key].name, needed[i].example);
    return true;
}

static bool read_tables(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    reading *r = ctx;
    size_t n = 0;
    if (!wn_nodes_list(d, at, "tables", WN_TABLES_MAX, &n)) return false;
    if (n == 0) return wn_nodes_no(d, at, "tables lists nothing: the first counts everybody");
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        wn_table *t = &r->plan->table[i];
        *t = (wn_table){.dims = {WN_DIM_NONE, WN_DIM_NONE},
                        .clamp = WN_PLAN_CLAMP_MIN,
                        .number_clamp = WN_PLAN_NUMBER_CLAMP_DEFAULT};
        r->row = (wn_plan_row){.table = t, .item = item};
        if (item->type == YAML_MAPPING_NODE)
            for (size_t k = 0; k < WN_PLAN_KEYS_N; k++)
                r->row.at[k] = wn_nodes_get(d, item, table_keys[k].name);
        if (!wn_nodes_map(d, item, "a table", table_keys, WN_PLAN_KEYS_N, r) || !has_needed(d, &r->row) ||
            !wn_plan_check_table(d, &r->row) || !wn_plan_check_place(d, r->plan, i, &r->row))
            return false;
    }
    r->plan->n = n;
    return true;
}

// ---- the budget, and the file ----

// "0.03" as millionths, without floating point. False unless digits, a point and at most six digits.
static bool millionths(const char *text, uint32_t *out) {
    size_t whole = strspn(text, "0123456789");
    if (whole == 0 || whole > 3 || text[whole] != '.') return false;
    const char *part = text + whole + 1;
    size_t n = strspn(part, "0123456789");
    if (n == 0 || n > 6 || part[n] != '\0') return false;
    uint32_t value = 0;
    for (size_t i = 0; i < whole; i++) value = value * 10 + (uint32_t)(text[i] - '0');
    for (size_t i = 0; i < 6; i++) value = value * 10 + (i < n ? (uint32_t)(part[i] - '0') : 0);
    *out = value;
    return true;
}

static bool read_rho(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    reading *r = ctx;
    const char *text = wn_nodes_text(d, at, "rho");
    if (text == NULL) return false;
    uint32_t rho = 0;
    if (strcmp(text, "strict") == 0) rho = WN_RHO_MICRO_STRICT;
    else if (strcmp(text, "default") == 0) rho = WN_RHO_MICRO_DEFAULT;
#ifdef WN_MUTANT_BUDGET_UNBOUND
    else if (millionths(text, &rho) && rho > WN_RHO_MICRO_MAX) r->rho_micro = rho;
#endif
    else if (!millionths(text, &rho) || rho < WN_RHO_MICRO_MIN || rho > WN_RHO_MICRO_MAX)
        return wn_nodes_no(
            d, at,
            "rho \"%.40s\": allowed are strict (0.015), default (0.03) and 0.001 to 0.1 with at "
            "most six digits behind the point; above 0.1 noise would promise too little",
            text);
    r->rho_micro = rho;
    return true;
}

static bool read_people(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const char *const words[] = {"all", "signed"};
    size_t word = 0;
    if (!wn_nodes_word(d, at, "people", words, WN_COUNT(words), &word)) return false;
    ((reading *)ctx)->signed_only = word != 0;
    return true;
}

static bool read_noise(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const wn_node_key keys[] = {{"rho", read_rho}, {"people", read_people}};
    return wn_nodes_map(d, at, "noise", keys, WN_COUNT(keys), ctx);
}

static bool read_version(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint64_t version = 0;
    if (!wn_nodes_uint(d, at, "version", 1, UINT32_MAX, &version)) return false;
    ((reading *)ctx)->plan->version = (uint32_t)version;
    return true;
}

static bool read_file(wn_nodes *d, reading *r) {
    static const wn_node_key keys[] = {
        {"version", read_version}, {"noise", read_noise}, {"tables", read_tables}};
    const yaml_node_t *root = wn_nodes_root(d);
    if (root == NULL) {
        snprintf(d->why, d->why_bytes,
                 "empty: `version` and `tables` must be there; see `winnow plan print`");
        *d->out_line = 1;
        return false;
    }
    if (!wn_nodes_map(d, root, "the plan", keys, WN_COUNT(keys), r)) return false;
    if (r->plan->version == 0) return wn_nodes_no(d, root, "version is missing; example: version: 1");
    if (r->plan->n == 0) return wn_nodes_no(d, root, "tables is missing: the first counts everybody");
    return true;
}

// What the noise tables cost together, once all are known.
static wn_err make_noise(const reading *r, wn_plan *p) {
    uint32_t cells = 0;
    for (size_t i = 0; i < p->n; i++) cells += p->table[i].cells;
    return cells == 0 ? WN_OK : wn_noise_terms_make(r->rho_micro, r->signed_only, cells, &p->noise);
}

wn_err wn_plan_load(const char *text, size_t n, wn_plan *out, char *why, size_t why_bytes, int *out_line) {
    wn_nodes d;
    *out_line = 1;
    snprintf(why, why_bytes, "%s", "");
    if (n > WN_YAML_BYTES_MAX || memchr(text, '\0', n) != NULL) {
        snprintf(why, why_bytes, "not a YAML text of at most %u bytes", WN_YAML_BYTES_MAX);
        return WN_ERR_CONFIG;
    }
    WN_TRY(wn_nodes_open(&d, text, n, why, why_bytes, out_line));
    wn_plan p = {.text_bytes = n};
    reading r = {.plan = &p, .rho_micro = WN_RHO_MICRO_DEFAULT};
    wn_err err = read_file(&d, &r) ? WN_OK : WN_ERR_CONFIG;
    wn_nodes_close(&d);
    if (err == WN_OK) err = make_noise(&r, &p);
    if (err == WN_OK && (p.text = malloc(n + 1)) == NULL) err = WN_ERR_NOMEM;
    WN_TRY(err);
    memcpy(p.text, text, n);
    p.text[n] = '\0';
    (void)crypto_generichash(p.digest, sizeof p.digest, (const uint8_t *)p.text, n, NULL, 0);
    *out = p;
    return WN_OK;
}

wn_err wn_plan_load_file(const char *path, wn_plan *out, char *why, size_t why_bytes, int *out_line) {
    char *text = NULL;
    size_t n = 0;
    *out_line = 0;
    wn_err err = wn_yaml_slurp(path, &text, &n);
    if (err != WN_OK) {
        snprintf(why, why_bytes, "cannot be read: %s", wn_yaml_unread(err));
        return err;
    }
    err = wn_plan_load(text, n, out, why, why_bytes, out_line);
    free(text);
    return err;
}

void wn_plan_fini(wn_plan *p) {
    free(p->text);
    *p = (wn_plan){0};
}

int wn_plan_table(const wn_plan *p, const char *id) {
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->table[i].id, id) == 0) return (int)i;
    }
    return -1;
}
