// SPDX-License-Identifier: Apache-2.0
// conf_policy_pages.c: page patterns of a policy: sensitive pages and route templates.
#include <string.h>

#include "conf_policy.h"

typedef char pattern[WN_POLICY_TEXT_MAX + 1];

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD_CHARS LETTERS "0123456789_"
#define SEGMENT_CHARS WORD_CHARS "-.~!$&'()+,=@%"

static bool is_ascii_path(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)p[i] < 0x80 && (p[i] == '\0' || strchr(SEGMENT_CHARS "/*:;", p[i]) == NULL))
            return false;
    return true;
}

// ---- escapes: a page is read with them undone, so a pattern is kept that way ----

static size_t escape_at(const char *p) {
    return p[0] == '%' && wn_hex_digit((uint8_t)p[1]) >= 0 && wn_hex_digit((uint8_t)p[2]) >= 0 ? 3 : 0;
}

static bool has_escape(const char *p) {
    for (; *p != '\0'; p++)
        if (escape_at(p) != 0) return true;
    return false;
}

// In place. NULL, or why its escapes say nothing that a page could be.
static const char *decode(char *text) {
    for (int round = 0; round < WN_ESCAPE_ROUNDS && has_escape(text); round++) {
        char *to = text;
        for (const char *p = text; *p != '\0'; to++) {
            size_t n = escape_at(p);
            unsigned c = n == 0 ? (uint8_t)*p
                                : (unsigned)(wn_hex_digit((uint8_t)p[1]) << 4 | wn_hex_digit((uint8_t)p[2]));
            if (n != 0 && (c < 0x20 || c == 0x7f || strchr("/\\?#*:;", (int)c) != NULL))
                return "an escape may not stand for a control character or one of / \\ ? # * : ;";
            *to = (char)c;
            p += n == 0 ? 1 : n;
        }
        *to = '\0';
    }
    return has_escape(text) ? "is escaped more than three times: write the character itself" : NULL;
}

// Bytes of the UTF-8 character at p; 0: none is there.
static size_t character(const uint8_t *p) {
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0; // the NUL as well
    bool no = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
              (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f);
    return no ? 0 : n;
}

static bool is_utf8(const char *text) {
    const uint8_t *p = (const uint8_t *)text;
    for (size_t n; *p != '\0'; p += n)
        if ((n = character(p)) == 0) return false;
    return true;
}

// ---- segments ----

// NULL when this segment, its escapes undone, may stand there, else why not.
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
    if (memchr(p, ':', n) != NULL) return "holds a : that does not begin a segment: write * for that segment";
    if (memchr(p, ';', n) != NULL) return "what follows a ; is cut off a page: leave it out";
    if (n <= 2 && p[0] == '.' && p[n - 1] == '.')
        return "no page holds . or .. as a segment: write the path they lead to";
    return NULL;
}

// Undoes its escapes in place.
static const char *pattern_check(char text[WN_POLICY_TEXT_MAX + 1], bool params) {
    if (!is_ascii_path(text, strlen(text)))
        return "a path holds letters, digits and - . _ ~ ! $ & ' ( ) + , = @ %; no query, no fragment; a "
               "blank "
               "is %20";
    const char *bad = decode(text);
    if (bad != NULL) return bad;
    if (!is_utf8(text)) return "is no UTF-8 once its escapes are undone: write the letters themselves";
    for (const char *p = text + 1;;) {
        size_t n = strcspn(p, "/");
        bad = segment_check(p, n, p[n] == '\0', params);
        if (bad != NULL) return bad;
        if (p[n] == '\0') return NULL;
        p += n + 1;
    }
}

static const char *pattern_read(const char *text, bool params, char out[WN_POLICY_TEXT_MAX + 1]) {
    if (text[0] != '/') return "must begin with /; example: /health/**";
    if (strlen(text) > WN_POLICY_TEXT_MAX) return "is longer than 128 bytes";
    strcpy(out, text);
    return pattern_check(out, params);
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
        const char *bad = pattern_read(text, k->params, list[i]);
        if (bad != NULL) return wn_nodes_no(d, item, "%s \"%.60s\": %s", k->name, text, bad);
        if (stands_in((const pattern *)list, i, list[i]))
            return wn_nodes_no(d, item, "%s: \"%.60s\" stands twice: keep one", k->name, text);
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
