// SPDX-License-Identifier: Apache-2.0
// conf_nodes.c: YAML as nodes. A first pass over the events refuses what a
// configuration has no use for, so that building the nodes costs what the text costs.
#include "conf_nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

static wn_err refused(wn_nodes *d, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static wn_err refused(wn_nodes *d, size_t line, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(d->why, d->why_bytes, fmt, args);
    va_end(args);
    *d->out_line = (int)line + 1;
    return WN_ERR_CONFIG;
}

// True when the line, counted from 0, is indented with a tab.
static bool tab_begins(const char *text, size_t n, size_t line) {
    size_t i = 0;
    for (; i < n && line > 0; i++) line -= text[i] == '\n';
    while (i < n && text[i] == ' ') i++;
    return i < n && text[i] == '\t';
}

// libyaml places bytes that are not UTF-8 by their offset only.
static wn_err parser_says(wn_nodes *d, const yaml_parser_t *p, const char *text, size_t n) {
    if (p->error == YAML_MEMORY_ERROR) return WN_ERR_NOMEM;
    if (p->error == YAML_READER_ERROR) {
        size_t line = 0;
        for (size_t i = 0; i < n && i < p->problem_offset; i++) line += text[i] == '\n';
        return refused(d, line, "not UTF-8 text: %s", p->problem);
    }
    if (tab_begins(text, n, p->problem_mark.line))
        return refused(d, p->problem_mark.line, "a tab before the text: indent with blanks");
    return refused(d, p->problem_mark.line, "column %zu: %s", p->problem_mark.column + 1,
                   p->problem != NULL ? p->problem : "not YAML");
}

static wn_err check_event(wn_nodes *d, const yaml_event_t *e, unsigned *inout_depth,
                          unsigned *inout_documents) {
    size_t line = e->start_mark.line;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*inout_documents > 1)
            return refused(d, line, "more than one document: remove what follows `---`");
        return WN_OK;
    case YAML_ALIAS_EVENT: return refused(d, line, "aliases (*name) are not taken: write the value out");
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
        if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
            return refused(d, line, "a value holds a NUL character: remove it");
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
        ++*inout_depth;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
        ++*inout_depth;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: --*inout_depth; return WN_OK;
    default: return WN_OK;
    }
    if (anchor != NULL) return refused(d, line, "anchors (&name) are not taken: write the value out");
    if (tag != NULL) return refused(d, line, "tags (!name) are not taken: remove it");
    if (*inout_depth > WN_NODES_DEPTH_MAX)
        return refused(d, line, "nested too deep: nothing here has so many levels");
    return WN_OK;
}

static wn_err check_events(wn_nodes *d, const char *text, size_t n) {
    yaml_parser_t p;
    yaml_event_t e;
    unsigned depth = 0, documents = 0;
    if (!yaml_parser_initialize(&p)) return WN_ERR_NOMEM;
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
    wn_err err = WN_OK;
    for (bool end = false; err == WN_OK && !end;) {
        if (!yaml_parser_parse(&p, &e)) {
            err = parser_says(d, &p, text, n);
            break;
        }
        end = e.type == YAML_STREAM_END_EVENT;
        err = check_event(d, &e, &depth, &documents);
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&p);
    return err;
}

wn_err wn_nodes_open(wn_nodes *d, const char *text, size_t n, char *why, size_t why_bytes, int *out_line) {
    yaml_parser_t p;
    *d = (wn_nodes){.why = why, .why_bytes = why_bytes, .out_line = out_line};
    *out_line = 0;
    snprintf(why, why_bytes, "%s", "");
    static const char mark[] = "\xef\xbb\xbf"; // of UTF-8, which some editors write first
    if (n >= 3 && memcmp(text, mark, 3) == 0) text += 3, n -= 3;
    if (memchr(text, '\0', n) != NULL) return refused(d, 0, "holds a NUL character: is it a text file?");
    WN_TRY(check_events(d, text, n));
    if (!yaml_parser_initialize(&p)) return WN_ERR_NOMEM;
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
    wn_err err = yaml_parser_load(&p, &d->doc) ? WN_OK : parser_says(d, &p, text, n);
    yaml_parser_delete(&p);
    return err;
}

void wn_nodes_close(wn_nodes *d) {
    yaml_document_delete(&d->doc);
}

const yaml_node_t *wn_nodes_root(wn_nodes *d) {
    return yaml_document_get_root_node(&d->doc);
}

bool wn_nodes_no(wn_nodes *d, const yaml_node_t *at, const char *fmt, ...) {
    va_list args;
    if (d->why[0] != '\0') return false;
    va_start(args, fmt);
    vsnprintf(d->why, d->why_bytes, fmt, args);
    va_end(args);
    *d->out_line = (int)at->start_mark.line + 1;
    return false;
}

static const yaml_node_t *node(wn_nodes *d, int i) {
    return yaml_document_get_node(&d->doc, i);
}

static bool is_text(const yaml_node_t *at, const char *text) {
    return at->type == YAML_SCALAR_NODE && strcmp((const char *)at->data.scalar.value, text) == 0;
}

const yaml_node_t *wn_nodes_get(wn_nodes *d, const yaml_node_t *map, const char *key) {
    if (map->type != YAML_MAPPING_NODE) return NULL;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
        if (is_text(node(d, p->key), key)) return node(d, p->value);
    return NULL;
}

// Every key is known and stands once.
static bool check_keys(wn_nodes *d, const yaml_node_t *map, const char *what, const wn_node_key *rows,
                       size_t n) {
    bool seen[WN_NODE_KEYS_MAX] = {false};
    const char *names[WN_NODE_KEYS_MAX];
    WN_ASSERT(n <= WN_COUNT(seen));
    for (size_t i = 0; i < n; i++) names[i] = rows[i].name;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node(d, p->key);
        size_t i = 0;
        if (key->type != YAML_SCALAR_NODE) return wn_nodes_no(d, key, "%s: a key is a word", what);
        while (i < n && !is_text(key, names[i])) i++;
        if (i == n) {
            const char *word = (const char *)key->data.scalar.value;
            const char *near = wn_options_nearest(word, names, n);
            return wn_nodes_no(d, key, "%s: unknown key \"%.40s\"%s%s%s", what, word,
                               near ? "; did you mean " : ": remove it", near ? near : "", near ? "?" : "");
        }
        if (seen[i]) return wn_nodes_no(d, key, "%s: %s stands twice: keep one", what, names[i]);
        seen[i] = true;
    }
    return true;
}

bool wn_nodes_map(wn_nodes *d, const yaml_node_t *map, const char *what, const wn_node_key *rows, size_t n,
                  void *ctx) {
    if (map->type != YAML_MAPPING_NODE)
        return wn_nodes_no(d, map, "%s must be `key: value` lines; the first key is `%s`", what,
                           rows[0].name);
    if (!check_keys(d, map, what, rows, n)) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *value = wn_nodes_get(d, map, rows[i].name);
        if (value != NULL && !rows[i].read(d, value, ctx)) return false;
    }
    return true;
}

const char *wn_nodes_text(wn_nodes *d, const yaml_node_t *at, const char *what) {
    if (at->type == YAML_SCALAR_NODE) return (const char *)at->data.scalar.value;
    bool list = at->type == YAML_SEQUENCE_NODE;
    (void)wn_nodes_no(d, at, "%s must be one word or text%s", what,
                      list ? ", not a list" : ": put it in quotes");
    return NULL;
}

// A line of YAML as it may stand under the key.
static void list_example(const char *key, char *out, size_t cap) {
    static const struct {
        const char *key, *items;
    } rows[] = {
        {"tables",
         "{id: traffic, doc: Everybody, purpose: basic, dimensions: [], of: [view], measures: [people]}"},
        {"dimensions", "country, device"},
        {"of", "view, event"},
        {"measures", "people, events"},
        {"receivers", "partner"},
        {"sites", "{site: shop, retention_days: 730}"},
        {"props", "{name: plan, values: [free, pro]}"},
        {"surveys", "{name: nps, values: [\"0\", \"10\"]}"},
        {"organisations", "{org: acme, purposes: [basic]}"},
        {"categories", "{id: C0002, purposes: [basic, measure]}"},
        {"vendors", "755"},
        {"values", "free, pro"},
        {"sensitive", "/health/**"},
        {"routes", "\"/users/:id/orders\""},
    };
    const char *items = "measure"; // of `purposes`, and of a field
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (strcmp(rows[i].key, key) == 0) items = rows[i].items;
    snprintf(out, cap, "%s: [%s]", key, items);
}

bool wn_nodes_list(wn_nodes *d, const yaml_node_t *at, const char *what, size_t max, size_t *out_n) {
    if (at->type != YAML_SEQUENCE_NODE) {
        char example[160];
        list_example(what, example, sizeof example);
        return wn_nodes_no(d, at, "%s must be a list; example: %s", what, example);
    }
    size_t n = (size_t)(at->data.sequence.items.top - at->data.sequence.items.start);
    if (n > max) {
        const yaml_node_t *over = wn_nodes_item(d, at, max);
        return wn_nodes_no(d, over, "%s holds %zu entries: at most %zu are allowed", what, n, max);
    }
    *out_n = n;
    return true;
}

const yaml_node_t *wn_nodes_item(wn_nodes *d, const yaml_node_t *list, size_t i) {
    return node(d, list->data.sequence.items.start[i]);
}

bool wn_nodes_uint(wn_nodes *d, const yaml_node_t *at, const char *what, uint64_t min, uint64_t max,
                   uint64_t *out) {
    const char *text = wn_nodes_text(d, at, what);
    if (text == NULL) return false;
    size_t n = strlen(text);
    bool digits = n > 0 && n <= 18 && strspn(text, "0123456789") == n;
    uint64_t value = digits ? strtoull(text, NULL, 10) : 0;
    if (!digits || value < min || value > max)
        return wn_nodes_no(d, at, "%s \"%.40s\": allowed is a whole number from %llu to %llu", what, text,
                           (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return true;
}

bool wn_nodes_word(wn_nodes *d, const yaml_node_t *at, const char *what, const char *const *words, size_t n,
                   size_t *out) {
    const char *text = wn_nodes_text(d, at, what);
    char allowed[120] = "";
    if (text == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) return *out = i, true;
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s",
                 i == 0      ? ""
                 : i + 1 < n ? ", "
                             : " and ",
                 words[i]);
    }
    return wn_nodes_no(d, at, "%s \"%.40s\": allowed are %s", what, text, allowed);
}
