// SPDX-License-Identifier: Apache-2.0
// conf_policy_pages.c: page patterns of a policy: sensitive pages and route templates.
#include <string.h>

#include "conf_policy.h"

typedef char pattern[WN_POLICY_TEXT_MAX + 1];

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD_CHARS LETTERS "0123456789_"
#define SEGMENT_CHARS WORD_CHARS "-.~!$&'()+,;=@%"

// NULL when this segment may stand there, else why not.
static const char *segment_check(const char *p, size_t n, bool last, bool params) {
    if (n == 0) return last ? NULL : "two slashes follow each other: write one";
    if (n == 1 && p[0] == '*') return NULL;
    if (n == 2 && p[0] == '*' && p[1] == '*') return last ? NULL : "** stands for the rest and comes last";
    if (memchr(p, '*', n) != NULL) return "* stands for a whole segment; example: /users/*/orders";
    if (p[0] == ':') {
        if (!params) return "write * for a segment that varies";
        bool word = n > 1 && strspn(p + 1, WORD_CHARS) >= n - 1;
        return word ? NULL : "a segment that varies is : and a word; example: /users/:id/orders";
    }
    if (strspn(p, SEGMENT_CHARS) < n)
        return "a path holds letters, digits and - . _ ~ ! $ & ' ( ) + , ; = @ %; no query, no fragment";
    return NULL;
}

static const char *pattern_check(const char *text, bool params) {
    if (text[0] != '/') return "must begin with /; example: /health/**";
    if (strlen(text) > WN_POLICY_TEXT_MAX) return "is longer than 128 bytes";
    for (const char *p = text + 1;;) {
        size_t n = strcspn(p, "/");
        const char *bad = segment_check(p, n, p[n] == '\0', params);
        if (bad != NULL) return bad;
        if (p[n] == '\0') return NULL;
        p += n + 1;
    }
}

static bool stands_in(const pattern *list, size_t n, const char *text) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], text) == 0) return true;
    return false;
}

typedef struct kind { // of list
    const char *name;
    size_t max;
    bool params;
} kind;

// The entry's own patterns, then those inherited that it does not repeat.
static bool read_patterns(wn_nodes *d, const yaml_node_t *at, wn_policy_reading *r, const kind *k,
                          const pattern *inherited, size_t inherited_n, pattern **out, size_t *out_n) {
    size_t own = 0;
    if (!wn_nodes_list(d, at, k->name, k->max, &own)) return false;
    pattern *list = wn_policy_room(r, own + inherited_n, sizeof *list);
    if (list == NULL) return false;
    for (size_t i = 0; i < own; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        const char *text = wn_nodes_text(d, item, k->name);
        if (text == NULL) return false;
        const char *bad = pattern_check(text, k->params);
        if (bad != NULL) return wn_nodes_no(d, item, "%s \"%.60s\": %s", k->name, text, bad);
        if (stands_in((const pattern *)list, i, text))
            return wn_nodes_no(d, item, "%s: \"%.60s\" stands twice: keep one", k->name, text);
        strcpy(list[i], text);
    }
    size_t n = own;
    for (size_t i = 0; i < inherited_n; i++)
        if (!stands_in((const pattern *)list, own, inherited[i])) strcpy(list[n++], inherited[i]);
    if (n > k->max)
        return wn_nodes_no(d, at, "%s holds %zu entries with the defaults': at most %zu are allowed", k->name,
                           n, k->max);
    *out = list;
    *out_n = n;
    return true;
}

bool wn_policy_read_sensitive(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const kind k = {"sensitive", WN_POLICY_PATTERNS_MAX, false};
    wn_policy_reading *r = ctx;
    wn_site_policy *s = r->site;
    return read_patterns(d, at, r, &k, (const pattern *)s->sensitive, s->sensitive_n, &s->sensitive,
                         &s->sensitive_n);
}

bool wn_policy_read_routes(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const kind k = {"routes", WN_POLICY_ROUTES_MAX, true};
    wn_policy_reading *r = ctx;
    wn_site_policy *s = r->site;
    return read_patterns(d, at, r, &k, (const pattern *)s->routes, s->routes_n, &s->routes, &s->routes_n);
}
