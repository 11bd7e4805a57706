// SPDX-License-Identifier: Apache-2.0
// conf_plan.c: the release plan: which tables exist, checked before anything counts.
//
// A plan that could publish one population twice, or a table that can never
// have a row, is refused with its line. Rules R3, R5.
#include <sodium.h>

#include "conf.h"
#include "conf_yaml.h"

// The assembler reads the file when this unit is compiled: no generator, no copy in C.
__asm__(".pushsection .rodata\n"
        ".global wn_plan_default\n"
        ".type wn_plan_default, @object\n"
        "wn_plan_default:\n"
        ".incbin \"plan.yaml\"\n"
        ".byte 0\n"
        ".size wn_plan_default, .-wn_plan_default\n"
        ".popsection\n");

#define CLAMP_MIN 20
#define CLAMP_MAX 200

// As in the file; converted to wn_table once it is known to be right.
typedef struct plan_table {
    char *id, *doc;
    uint32_t *dims, *kinds, *measures;
    unsigned dims_count, kinds_count, measures_count;
    uint32_t *clamp;
} plan_table;

typedef struct plan_file {
    uint32_t version;
    plan_table *tables;
    unsigned tables_count;
} plan_file;

static const cyaml_strval_t dim_names[] = {
#define DIM_CLOSED(name, doc) {#name, WN_DIM_##name},
#define DIM_OPEN(name, doc)
#include "dims.def"
#define DIM_CLOSED(name, doc)
#define DIM_OPEN(name, doc) {#name, WN_CLOSED_N + WN_DIM_##name},
#include "dims.def"
};
static const cyaml_strval_t kind_names[] = {
    {"view", WN_OBS_VIEW}, {"event", WN_OBS_EVENT}, {"session", WN_OBS_SESSION}};
static const cyaml_strval_t measure_names[] = {
    {"people", WN_MEASURE_PEOPLE}, {"events", WN_MEASURE_EVENTS}, {"sessions", WN_MEASURE_SESSIONS}};

static const cyaml_schema_value_t dim_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, uint32_t, dim_names, WN_COUNT(dim_names))};
static const cyaml_schema_value_t kind_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, uint32_t, kind_names, WN_COUNT(kind_names))};
static const cyaml_schema_value_t measure_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, uint32_t, measure_names, WN_COUNT(measure_names))};

static const cyaml_schema_field_t table_fields[] = {
    CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_POINTER, plan_table, id, 0, 256),
    CYAML_FIELD_STRING_PTR("doc", CYAML_FLAG_POINTER, plan_table, doc, 0, 1024),
    CYAML_FIELD_SEQUENCE_COUNT("dimensions", CYAML_FLAG_POINTER, plan_table, dims, dims_count, &dim_value, 0,
                               16),
    CYAML_FIELD_SEQUENCE_COUNT("of", CYAML_FLAG_POINTER, plan_table, kinds, kinds_count, &kind_value, 1, 16),
    CYAML_FIELD_SEQUENCE_COUNT("measures", CYAML_FLAG_POINTER, plan_table, measures, measures_count,
                               &measure_value, 1, 16),
    CYAML_FIELD_UINT_PTR("clamp", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, plan_table, clamp),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t table_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, plan_table, table_fields)};
static const cyaml_schema_field_t plan_fields[] = {
    CYAML_FIELD_UINT("version", CYAML_FLAG_DEFAULT, plan_file, version),
    CYAML_FIELD_SEQUENCE("tables", CYAML_FLAG_POINTER, plan_file, tables, &table_value, 1, WN_TABLES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t plan_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, plan_file, plan_fields)};

static bool id_ok(const char *id) {
    if (id[0] < 'a' || id[0] > 'z' || strlen(id) > 31) return false;
    return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(id);
}

static bool doc_ok(const char *doc) {
    if (doc[0] == '\0' || strlen(doc) >= sizeof((wn_table *)0)->doc) return false;
    for (const char *p = doc; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) return false;
    }
    return true;
}

// Sets a bit an item; false when one stands twice.
static bool bits_of(const uint32_t *item, unsigned n, bool shift, uint8_t *out) {
    uint8_t bits = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t bit = (uint8_t)(shift ? 1u << item[i] : item[i]);
        if (bits & bit) return false;
        bits |= bit;
    }
    *out = bits;
    return true;
}

static bool same_population(const wn_table *a, const wn_table *b) {
    if (a->kinds != b->kinds || a->dims_n != b->dims_n) return false;
    return (a->dims[0] == b->dims[0] && a->dims[1] == b->dims[1]) ||
           (a->dims_n == 2 && a->dims[0] == b->dims[1] && a->dims[1] == b->dims[0]);
}

// Checks one table by itself. Answers the key at fault, NULL when right.
static const char *table_check(const plan_table *in, wn_table *t, char *why, size_t why_bytes) {
    *t = (wn_table){.dims = {WN_DIM_NONE, WN_DIM_NONE}, .clamp = CLAMP_MIN, .k = WN_K_CLOSED};
    if (!id_ok(in->id)) {
        snprintf(why, why_bytes,
                 "id \"%.40s\": allowed is [a-z][a-z0-9_]*, at most 31 characters; example: pages", in->id);
        return "id";
    }
    strcpy(t->id, in->id);
    if (!doc_ok(in->doc)) {
        snprintf(why, why_bytes, "table %s: doc must be 1 to 127 bytes of plain text", t->id);
        return "doc";
    }
    strcpy(t->doc, in->doc);
    if (in->dims_count > 2) {
        snprintf(why, why_bytes, "table %s has %u dimensions: at most 2 are allowed", t->id, in->dims_count);
        return "dimensions";
    }
    for (unsigned i = 0; i < in->dims_count; i++) t->dims[i] = (uint8_t)in->dims[i];
    t->dims_n = (uint8_t)in->dims_count;
    if (t->dims_n == 2 && t->dims[0] == t->dims[1]) {
        snprintf(why, why_bytes, "table %s names the dimension %s twice", t->id, wn_dim_name(t->dims[0]));
        return "dimensions";
    }
    if (!bits_of(in->kinds, in->kinds_count, true, &t->kinds)) {
        snprintf(why, why_bytes, "table %s: a word stands twice in `of`; allowed are view, event, session",
                 t->id);
        return "of";
    }
    if (!bits_of(in->measures, in->measures_count, false, &t->measures) ||
        !(t->measures & WN_MEASURE_PEOPLE)) {
        snprintf(why, why_bytes,
                 "table %s: measures must hold people, and may hold events and sessions, each once;"
                 " example: [people, events]",
                 t->id);
        return "measures";
    }
    for (unsigned i = 0; i < t->dims_n; i++) {
        bool of_session = t->dims[i] == WN_CLOSED_N + WN_DIM_entry || t->dims[i] == WN_CLOSED_N + WN_DIM_exit;
        if (of_session && t->kinds != 1u << WN_OBS_SESSION) {
            snprintf(why, why_bytes, "table %s: %s is known of finished sessions only; write of: [session]",
                     t->id, wn_dim_name(t->dims[i]));
            return "of";
        }
        bool sessions = (t->measures & WN_MEASURE_SESSIONS) || (t->kinds & 1u << WN_OBS_SESSION);
        if (sessions && !wn_dim_of_session(t->dims[i])) {
            snprintf(why, why_bytes,
                     "table %s: sessions do not carry %s; take sessions out of `measures` and `of`", t->id,
                     wn_dim_name(t->dims[i]));
            return "measures";
        }
        if (wn_dim_is_open(t->dims[i])) t->k = WN_K_OPEN;
    }
    if (in->clamp && (*in->clamp < CLAMP_MIN || *in->clamp > CLAMP_MAX)) {
        snprintf(why, why_bytes, "table %s: clamp %u: allowed is %d to %d; example: clamp: 20", t->id,
                 *in->clamp, CLAMP_MIN, CLAMP_MAX);
        return "clamp";
    }
    if (in->clamp) t->clamp = (uint16_t)*in->clamp;
    return NULL;
}

// Checks table i against those before it. Answers the key at fault, NULL when right.
static const char *table_fits(const wn_plan *p, size_t i, char *why, size_t why_bytes) {
    const wn_table *t = &p->table[i];
    if (i == 0 && t->dims_n != 0) {
        snprintf(why, why_bytes,
                 "table %s comes first and must have no dimension: it counts everybody; example:"
                 " {id: traffic, doc: Everybody, dimensions: [], of: [view, event], measures: [people]}",
                 t->id);
        return "dimensions";
    }
    for (size_t j = 0; j < i; j++) {
        if (strcmp(p->table[j].id, t->id) == 0) {
            snprintf(why, why_bytes, "two tables are called %s", t->id);
            return "id";
        }
        if (same_population(&p->table[j], t)) {
            snprintf(why, why_bytes,
                     "table %s has the dimensions and the `of` of table %s: a population is released once;"
                     " remove one",
                     t->id, p->table[j].id);
            return "dimensions";
        }
    }
    return NULL;
}

wn_err wn_plan_load(const char *text, size_t n, wn_plan *out, char *why, size_t why_bytes, int *out_line) {
    *out_line = 1;
    snprintf(why, why_bytes, "%s", "");
    if (n > WN_YAML_BYTES_MAX || memchr(text, '\0', n)) {
        snprintf(why, why_bytes, "not a YAML text of at most %u bytes", WN_YAML_BYTES_MAX);
        return WN_ERR_CONFIG;
    }
    wn_plan p = {.text = malloc(n + 1), .text_bytes = n};
    if (!p.text) return WN_ERR_NOMEM;
    memcpy(p.text, text, n);
    p.text[n] = '\0';

    void *data = NULL;
    wn_err err = wn_yaml_load(p.text, &plan_schema, &data, why, why_bytes, out_line);
    const plan_file *file = data;
    if (err == WN_OK && !file) {
        snprintf(why, why_bytes, "empty: `version` and `tables` must be there; see `winnow plan print`");
        err = WN_ERR_CONFIG;
    }
    if (err == WN_OK && file->version == 0) {
        snprintf(why, why_bytes, "version 0: versions count from 1; example: version: 1");
        *out_line = wn_yaml_line(p.text, "version", SIZE_MAX, NULL);
        err = WN_ERR_CONFIG;
    }
    for (unsigned i = 0; err == WN_OK && i < file->tables_count; i++) {
        const char *key = table_check(&file->tables[i], &p.table[i], why, why_bytes);
        if (!key) key = table_fits(&p, i, why, why_bytes);
        if (key) {
            *out_line = wn_yaml_line(p.text, "tables", i, key);
            err = WN_ERR_CONFIG;
        }
    }
    if (err == WN_OK) {
        p.version = file->version;
        p.n = file->tables_count;
        (void)crypto_generichash(p.digest, sizeof p.digest, (const uint8_t *)p.text, n, NULL, 0);
        *out = p;
    } else {
        free(p.text);
    }
    if (data) wn_yaml_free(&plan_schema, data);
    return err;
}

wn_err wn_plan_load_file(const char *path, wn_plan *out, char *why, size_t why_bytes, int *out_line) {
    char *text = NULL;
    size_t n = 0;
    *out_line = 0;
    wn_err err = wn_yaml_slurp(path, &text, &n);
    if (err != WN_OK) {
        snprintf(why, why_bytes, "cannot be read: %s", wn_err_text(err));
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

// One column of comma-separated words.
static void print_words(FILE *out, int width, const char *const *word, size_t n) {
    char line[64] = "";
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (!word[i]) continue;
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", at ? "," : "", word[i]);
    }
    fprintf(out, "%-*s ", width, at ? line : "-");
}

void wn_plan_print(const wn_plan *p, FILE *out) {
    fprintf(out, "plan version %u, digest ", p->version);
    for (size_t i = 0; i < sizeof p->digest; i++) fprintf(out, "%02x", p->digest[i]);
    fprintf(out, "\n%-14s %-20s %-14s %-22s %5s %3s  %s\n", "table", "dimensions", "of", "measures", "clamp",
            "k", "doc");
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        fprintf(out, "%-14s ", t->id);
        print_words(out, 20,
                    (const char *[]){t->dims_n > 0 ? wn_dim_name(t->dims[0]) : NULL,
                                     t->dims_n > 1 ? wn_dim_name(t->dims[1]) : NULL},
                    2);
        print_words(out, 14,
                    (const char *[]){t->kinds & 1u << WN_OBS_VIEW ? "view" : NULL,
                                     t->kinds & 1u << WN_OBS_EVENT ? "event" : NULL,
                                     t->kinds & 1u << WN_OBS_SESSION ? "session" : NULL},
                    3);
        print_words(out, 22,
                    (const char *[]){t->measures & WN_MEASURE_PEOPLE ? "people" : NULL,
                                     t->measures & WN_MEASURE_EVENTS ? "events" : NULL,
                                     t->measures & WN_MEASURE_SESSIONS ? "sessions" : NULL},
                    3);
        fprintf(out, "%5u %3u  %s\n", t->clamp, t->k, t->doc);
    }
}
