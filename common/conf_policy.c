// SPDX-License-Identifier: Apache-2.0
// conf_policy.c: reads policy.yaml. Nothing in it can widen what schemas/
// allow: a field needs the purposes of its row and those added here, and what
// carries a refusal cannot be turned off.
#include "conf_policy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "conf_yaml.h"

__asm__(".pushsection .rodata\n"
        ".global wn_policy_default\n"
        ".type wn_policy_default, @object\n"
        "wn_policy_default:\n"
        ".incbin \"policy.yaml\"\n"
        ".byte 0\n"
        ".size wn_policy_default, .-wn_policy_default\n"
        ".popsection\n");

struct wn_policy_block {
    struct wn_policy_block *next;
    _Alignas(16) uint8_t bytes[];
};

#define FIELD(name, type, purpose, transform, max, from, doc) {#name, #transform},
static const struct {
    const char *name, *transform;
} fields[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define PURPOSE(name, dflt, doc) #name,
static const char *const purposes[WN_PURPOSE_N] = {
#include "purposes.def"
};
#undef PURPOSE

// ---- what the readers share ----

void *wn_policy_room(wn_policy_reading *r, size_t n, size_t bytes) {
    struct wn_policy_block *b = calloc(1, sizeof *b + n * bytes);
    if (b == NULL) return r->no_memory = true, NULL;
    b->next = r->policy->blocks;
    r->policy->blocks = b;
    return b->bytes;
}

bool wn_policy_purpose(wn_nodes *d, const yaml_node_t *at, const char *what, uint8_t *out) {
    size_t which = 0;
    if (!wn_nodes_word(d, at, what, purposes, WN_PURPOSE_N, &which)) return false;
    *out = (uint8_t)(1u << which);
    return true;
}

bool wn_policy_purposes(wn_nodes *d, const yaml_node_t *at, const char *what, bool may_be_empty,
                        uint8_t *out) {
    size_t n = 0;
    uint8_t bits = 0;
    if (!wn_nodes_list(d, at, what, WN_PURPOSE_N, &n)) return false;
    if (n == 0 && !may_be_empty)
        return wn_nodes_no(d, at, "%s: an empty list changes nothing: remove it, or name a purpose", what);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        uint8_t bit = 0;
        if (!wn_policy_purpose(d, item, what, &bit)) return false;
        if (bits & bit)
            return wn_nodes_no(d, item, "%s: %s stands twice", what, purposes[__builtin_ctz(bit)]);
        bits |= bit;
    }
    *out = bits;
    return true;
}

bool wn_policy_word(wn_nodes *d, const yaml_node_t *at, const char *what, char out[WN_POLICY_WORD_MAX + 1]) {
    const char *text = wn_nodes_text(d, at, what);
    if (text == NULL) return false;
    size_t n = strlen(text);
    if (n == 0 || n > WN_POLICY_WORD_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return wn_nodes_no(d, at, "%s \"%.40s\": allowed is 1 to %d of a-z 0-9 _ -", what, text,
                           WN_POLICY_WORD_MAX);
    memcpy(out, text, n + 1);
    return true;
}

bool wn_policy_text(wn_nodes *d, const yaml_node_t *at, const char *what, char out[WN_POLICY_TEXT_MAX + 1]) {
    const char *text = wn_nodes_text(d, at, what);
    if (text == NULL) return false;
    size_t n = strlen(text);
    bool plain = n > 0 && n <= WN_POLICY_TEXT_MAX;
    for (size_t i = 0; i < n && plain; i++) plain = (uint8_t)text[i] >= 0x20 && text[i] != 0x7F;
    if (!plain) return wn_nodes_no(d, at, "%s must be 1 to %d bytes of plain text", what, WN_POLICY_TEXT_MAX);
    memcpy(out, text, n + 1);
    return true;
}

// ---- consent ----

static bool read_mode(wn_nodes *d, const yaml_node_t *at, const char *what, wn_signal_mode *out) {
    static const char *const modes[] = {"ignore", "limit", "drop"};
    size_t i = 0;
    if (!wn_nodes_word(d, at, what, modes, WN_COUNT(modes), &i)) return false;
    *out = (wn_signal_mode)i;
    return true;
}

static bool read_gpc(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    return read_mode(d, at, "gpc", &((wn_policy_reading *)ctx)->site->gpc);
}

static bool read_dnt(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    return read_mode(d, at, "dnt", &((wn_policy_reading *)ctx)->site->dnt);
}

static bool read_unknown(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const char *const words[] = {"none", "basic"};
    size_t i = 0;
    if (!wn_nodes_word(d, at, "unknown", words, WN_COUNT(words), &i)) return false;
    ((wn_policy_reading *)ctx)->site->counts_unknown = i == 1;
    return true;
}

static bool read_interest(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const char *const words[] = {"false", "true"};
    size_t i = 0;
    if (!wn_nodes_word(d, at, "legitimate_interest", words, WN_COUNT(words), &i)) return false;
    ((wn_policy_reading *)ctx)->site->legitimate_interest = i == 1;
    return true;
}

static bool read_consent(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const wn_node_key keys[] = {
        {"unknown", read_unknown},
        {"gpc", read_gpc},
        {"dnt", read_dnt},
        {"legitimate_interest", read_interest},
        {"vendors", wn_policy_read_vendors},
        {"categories", wn_policy_read_categories},
    };
    return wn_nodes_map(d, at, "consent", keys, WN_COUNT(keys), ctx);
}

// ---- fields ----

// What says no, what says where to count, what keeps a repeat from counting twice.
static const char *indispensable(size_t f) {
    const char *t = fields[f].transform;
    if (strncmp(t, "CONSENT", 7) == 0 || strcmp(t, "ADVERTISING_ID") == 0)
        return "it carries a person's refusal, which must be heard";
    if (strcmp(t, "CHILD") == 0) return "it keeps children out";
    if (strcmp(t, "SITE") == 0 || strcmp(t, "EVENT_NAME") == 0) return "without it nothing can be counted";
    if (strcmp(t, "DEDUPLICATE") == 0) return "without it a repeated event counts twice";
    if (strcmp(t, "TIME_TO_HOUR") == 0) return "without it no window is known";
    return NULL;
}

// What may be narrowed but never done without.
static const char *not_off(size_t f) {
    const char *t = fields[f].transform;
    if (strcmp(t, "IP_TO_COUNTRY") == 0)
        return "the locks count networks; ip: [locate] keeps its country shut";
    if (strcmp(t, "AGENT_TO_FAMILY") == 0)
        return "robots are known by it, and people of one network; user_agent: [profile] keeps it shut";
    return NULL;
}

static bool read_field(wn_nodes *d, const yaml_node_t *key, const yaml_node_t *value, wn_policy_reading *r,
                       bool seen[WN_FIELD_N]) {
    const char *name = wn_nodes_text(d, key, "a field's name"), *names[WN_FIELD_N];
    if (name == NULL) return false;
    size_t f = 0;
    while (f < WN_FIELD_N && strcmp(fields[f].name, name) != 0) f++;
    if (f == WN_FIELD_N) {
        for (size_t i = 0; i < WN_FIELD_N; i++) names[i] = fields[i].name;
        const char *near = wn_options_nearest(name, names, WN_FIELD_N);
        return wn_nodes_no(d, key,
                           "fields: there is no field \"%.40s\"%s%s%s; `winnow explain --matrix` lists them",
                           name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    if (seen[f]) return wn_nodes_no(d, key, "fields: %s stands twice: keep one", name);
    seen[f] = true;
    const char *kept = indispensable(f);
    if (kept != NULL) return wn_nodes_no(d, key, "fields: %s cannot be narrowed: %s; remove it", name, kept);
    if (value->type == YAML_SCALAR_NODE) {
        if (strcmp((const char *)value->data.scalar.value, "off") != 0)
            return wn_nodes_no(d, value,
                               "fields: %s \"%.40s\": write off, or purposes; example: %s: [measure]", name,
                               (const char *)value->data.scalar.value, name);
        if (not_off(f) != NULL)
            return wn_nodes_no(d, value, "fields: %s cannot be off: %s", name, not_off(f));
        r->site->fields_off |= WN_FIELD_BIT(f);
        return true;
    }
    uint8_t bits = 0;
    if (!wn_policy_purposes(d, value, name, false, &bits)) return false;
    r->site->needs[f] |= bits;
    return true;
}

static bool read_fields(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    bool seen[WN_FIELD_N] = {false};
    if (at->type != YAML_MAPPING_NODE)
        return wn_nodes_no(d, at, "fields must be `name: off` or `name: [purpose]` lines");
    for (const yaml_node_pair_t *p = at->data.mapping.pairs.start; p < at->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(&d->doc, p->key);
        if (!read_field(d, key, yaml_document_get_node(&d->doc, p->value), ctx, seen)) return false;
    }
    return true;
}

// ---- a site, and the file ----

static bool read_name(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    const char *name = wn_nodes_text(d, at, "site");
    if (name == NULL) return false;
    const char *bad = wn_site_name_check(name);
    if (bad != NULL) return wn_nodes_no(d, at, "site \"%.70s\": %s", name, bad);
    strcpy(r->site->site, name);
    return true;
}

static bool read_retention(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint64_t days = 0;
    if (!wn_nodes_uint(d, at, "retention_days (0: for ever)", 0, WN_POLICY_RETENTION_DAYS_MAX, &days))
        return false;
    ((wn_policy_reading *)ctx)->site->retention_days = (uint16_t)days;
    return true;
}

static const wn_node_key site_keys[] = {
    {"site", read_name}, // not of the defaults
    {"consent", read_consent},
    {"fields", read_fields},
    {"sensitive", wn_policy_read_sensitive},
    {"routes", wn_policy_read_routes},
    {"props", wn_policy_read_props},
    {"surveys", wn_policy_read_surveys},
    {"organisations", wn_policy_read_orgs},
    {"retention_days", read_retention},
};

static bool read_version(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint64_t version = 0;
    if (!wn_nodes_uint(d, at, "version", 1, UINT32_MAX, &version)) return false;
    ((wn_policy_reading *)ctx)->policy->version = (uint32_t)version;
    return true;
}

static bool read_date(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    const char *text = wn_nodes_text(d, at, "date");
    if (text == NULL) return false;
    int32_t day = 0;
    if (!wn_day_parse(text, strlen(text), &day) || day < 0)
        return wn_nodes_no(d, at, "date \"%.40s\" is no day: write YYYY-MM-DD; example: 2026-11-20", text);
    strcpy(((wn_policy_reading *)ctx)->policy->date, text);
    return true;
}

static bool read_defaults(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    r->site = &r->policy->defaults;
    return wn_nodes_map(d, at, "defaults", site_keys + 1, WN_COUNT(site_keys) - 1, r);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const wn_site_policy *)a)->site, ((const wn_site_policy *)b)->site);
}

static bool read_sites(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    wn_policy *p = r->policy;
    size_t n = 0;
    if (!wn_nodes_list(d, at, "sites", WN_POLICY_SITES_MAX, &n)) return false;
    p->sites = wn_policy_room(r, n, sizeof *p->sites);
    if (p->sites == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        r->site = &p->sites[i];
        *r->site = p->defaults;
        if (!wn_nodes_map(d, item, "a site", site_keys, WN_COUNT(site_keys), r)) return false;
        if (r->site->site[0] == '\0')
            return wn_nodes_no(d, item, "an entry of sites has no name; example: site: shop.example");
        for (size_t j = 0; j < i; j++)
            if (strcmp(p->sites[j].site, r->site->site) == 0)
                return wn_nodes_no(d, wn_nodes_get(d, item, "site"),
                                   "site %s stands twice: make it one entry", r->site->site);
    }
    p->sites_n = n;
    if (n > 1) qsort(p->sites, n, sizeof *p->sites, by_name);
    return true;
}

static bool read_file(wn_nodes *d, wn_policy_reading *r) {
    // In this order: sites begin as copies of the defaults.
    static const wn_node_key keys[] = {
        {"version", read_version}, {"date", read_date}, {"defaults", read_defaults}, {"sites", read_sites}};
    const yaml_node_t *root = wn_nodes_root(d);
    if (root == NULL) {
        snprintf(d->why, d->why_bytes,
                 "empty: `version` and `date` must be there; `winnow policy print` without a file prints the "
                 "built-in one to begin with");
        *d->out_line = 1;
        return false;
    }
    if (!wn_nodes_map(d, root, "the policy", keys, WN_COUNT(keys), r)) return false;
    if (r->policy->version == 0) return wn_nodes_no(d, root, "version is missing; example: version: 1");
    if (r->policy->date[0] == '\0') return wn_nodes_no(d, root, "date is missing; example: date: 2026-11-20");
    return true;
}

wn_err wn_policy_load(const char *text, size_t n, wn_policy *out, char *why, size_t why_bytes,
                      int *out_line) {
    wn_nodes d;
    wn_policy p = {.defaults = {.gpc = WN_SIGNAL_LIMIT, .dnt = WN_SIGNAL_LIMIT, .counts_unknown = true}};
    *out_line = 0;
    snprintf(why, why_bytes, "%s", "");
    if (n > WN_POLICY_BYTES_MAX) {
        snprintf(why, why_bytes, "is %zu bytes long: at most %u are allowed", n, WN_POLICY_BYTES_MAX);
        return WN_ERR_CONFIG;
    }
    WN_TRY(wn_nodes_open(&d, text, n, why, why_bytes, out_line));
    wn_policy_reading r = {.policy = &p};
    wn_err err = read_file(&d, &r) ? WN_OK : WN_ERR_CONFIG;
    wn_nodes_close(&d);
    p.text = err == WN_OK ? malloc(n + 1) : NULL;
    if (r.no_memory || (err == WN_OK && p.text == NULL)) err = WN_ERR_NOMEM;
    if (err != WN_OK) {
        wn_policy_fini(&p);
        return err;
    }
    memcpy(p.text, text, n);
    p.text[n] = '\0';
    p.text_bytes = n;
    (void)crypto_generichash(p.digest, sizeof p.digest, (const uint8_t *)text, n, NULL, 0);
    for (size_t i = 8; i-- > 0;) p.id = p.id << 8 | p.digest[i];
    *out = p;
    return WN_OK;
}

wn_err wn_policy_load_file(const char *path, wn_policy *out, char *why, size_t why_bytes, int *out_line) {
    char *text = NULL;
    size_t n = 0;
    *out_line = 0;
    wn_err err = wn_yaml_slurp(path, &text, &n);
    if (err == WN_ERR_NOTFOUND) {
        err = wn_policy_load(wn_policy_default, strlen(wn_policy_default), out, why, why_bytes, out_line);
        if (err == WN_OK) out->built_in = true;
        return err;
    }
    if (err != WN_OK) {
        snprintf(why, why_bytes, "cannot be read: %s", wn_yaml_unread(err));
        return err;
    }
    err = wn_policy_load(text, n, out, why, why_bytes, out_line);
    free(text);
    return err;
}

void wn_policy_fini(wn_policy *p) {
    while (p->blocks != NULL) {
        struct wn_policy_block *b = p->blocks;
        p->blocks = b->next;
        free(b);
    }
    free(p->text);
    *p = (wn_policy){.version = 0};
}
