// SPDX-License-Identifier: Apache-2.0
// conf_policy_lists.c: the lists of a policy whose entries have a name: declared
// properties, surveys, organisations, consent categories; and vendors.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_policy.h"
#include "key_names.h"

// ---- properties and surveys ----

typedef struct listing {
    wn_policy_reading *r;
    wn_policy_list *list;
    const char *what;
} listing;

static bool list_name(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    listing *l = ctx;
    return wn_policy_word(d, at, l->what, l->list->name);
}

static bool list_purpose(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    listing *l = ctx;
    return wn_policy_purpose(d, at, "purpose", &l->list->purpose);
}

static bool list_values(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    listing *l = ctx;
    size_t n = 0;
    if (!wn_nodes_list(d, at, "values", WN_POLICY_VALUES_MAX, &n)) return false;
    if (n == 0)
        return wn_nodes_no(d, at, "values lists nothing: name at least one; example: values: [free, pro]");
    l->list->values = wn_policy_room(l->r, n, sizeof *l->list->values);
    if (l->list->values == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        if (!wn_policy_word(d, item, "values", l->list->values[i])) return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(l->list->values[j], l->list->values[i]) == 0)
                return wn_nodes_no(d, item, "values: %s stands twice: keep one", l->list->values[i]);
    }
    l->list->values_n = n;
    return true;
}

static bool number_max(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    uint64_t max = 0;
    if (!wn_nodes_uint(d, at, "max", 1, UINT16_MAX, &max)) return false;
    ((listing *)ctx)->list->number_max = (uint16_t)max;
    return true;
}

static bool list_number(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    static const wn_node_key keys[] = {{"max", number_max}};
    const listing *l = ctx;
    if (!wn_nodes_map(d, at, "number", keys, WN_COUNT(keys), ctx)) return false;
    if (l->list->number_max == 0)
        return wn_nodes_no(d, at, "number has no max, above which it is cut; example: number: {max: 500}");
    if (l->list->values_n != 0)
        return wn_nodes_no(d, at, "%s: a number has no list of values: keep one of both", l->what);
    return true;
}

static bool read_lists(wn_nodes *d, const yaml_node_t *at, wn_policy_reading *r, const char *what, size_t max,
                       bool survey, wn_policy_list **out, size_t *out_n) {
    static const wn_node_key keys[] = {
        {"name", list_name}, {"values", list_values}, {"purpose", list_purpose}, {"number", list_number}};
    size_t n = 0;
    if (!wn_nodes_list(d, at, what, max, &n)) return false;
    wn_policy_list *list = wn_policy_room(r, n, sizeof *list);
    if (list == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        listing l = {r, &list[i], what};
        if (!wn_nodes_map(d, item, what, keys, survey ? WN_COUNT(keys) - 1 : WN_COUNT(keys), &l))
            return false;
        if (list[i].name[0] == '\0')
            return wn_nodes_no(d, item,
                               "%s: an entry has no name; example: {name: plan, values: [free, pro]}", what);
        if (survey && list[i].values_n == 0)
            return wn_nodes_no(d, item, "%s: %s needs values: answers that are not listed are not counted",
                               what, list[i].name);
        // A listed value is the site's own word; a free one would be what the name says.
        if (list[i].values_n == 0 && wn_key_names((const uint8_t *)list[i].name, strlen(list[i].name)))
            return wn_nodes_no(d, item,
                               "%s: %s is a name for what identifies a person or device: %sleave it out",
                               what, list[i].name, list[i].number_max == 0 ? "list its values, or " : "");
        for (size_t j = 0; j < i; j++)
            if (strcmp(list[j].name, list[i].name) == 0)
                return wn_nodes_no(d, item, "%s: %s stands twice: keep one", what, list[i].name);
    }
    *out = list;
    *out_n = n;
    return true;
}

// Words become dimensions, numbers sums: each has its own places.
bool wn_policy_read_props(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    wn_site_policy *s = r->site;
    wn_policy_list *all = NULL;
    size_t n = 0;
    if (!read_lists(d, at, r, "props", WN_POLICY_PROPS_MAX + WN_POLICY_NUMBERS_MAX, false, &all, &n))
        return false;
    s->props = wn_policy_room(r, n, sizeof *all);
    s->numbers = wn_policy_room(r, n, sizeof *all);
    s->props_n = s->numbers_n = 0;
    if (s->props == NULL || s->numbers == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        bool number = all[i].number_max != 0;
        size_t max = number ? WN_POLICY_NUMBERS_MAX : WN_POLICY_PROPS_MAX,
               *count = number ? &s->numbers_n : &s->props_n;
        if (*count == max)
            return wn_nodes_no(d, wn_nodes_item(d, at, i),
                               "props: %s is one %s more than the %zu that are allowed", all[i].name,
                               number ? "number" : "word", max);
        (number ? s->numbers : s->props)[(*count)++] = all[i];
    }
    return true;
}

bool wn_policy_read_surveys(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    return read_lists(d, at, r, "surveys", WN_POLICY_SURVEYS_MAX, true, &r->site->surveys,
                      &r->site->surveys_n);
}

// ---- what names purposes ----

typedef struct granted { // the same shape for organisations and categories
    char text[WN_POLICY_TEXT_MAX + 1];
    uint8_t purposes;
    bool has_purposes;
} granted;

static bool granted_text(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    return wn_policy_text(d, at, "an entry's name", ((granted *)ctx)->text);
}

static bool granted_purposes(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    granted *g = ctx;
    g->has_purposes = true;
    return wn_policy_purposes(d, at, "purposes", true, &g->purposes);
}

static bool read_granted(wn_nodes *d, const yaml_node_t *item, const char *what, const char *key,
                         granted *out) {
    const wn_node_key keys[] = {{key, granted_text}, {"purposes", granted_purposes}};
    *out = (granted){.purposes = 0};
    if (!wn_nodes_map(d, item, what, keys, WN_COUNT(keys), out)) return false;
    if (out->text[0] != '\0' && out->has_purposes) return true;
    return wn_nodes_no(d, item, "%s: an entry has %s and purposes; example: {%s: acme, purposes: [basic]}",
                       what, key, key);
}

static int by_org(const void *a, const void *b) {
    return strcmp(((const wn_policy_org *)a)->org, ((const wn_policy_org *)b)->org);
}

static wn_policy_org *org_find(wn_policy_org *list, size_t n, const char *org) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].org, org) == 0) return &list[i];
    return NULL;
}

bool wn_policy_read_orgs(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    size_t own = 0, before = r->site->orgs_n, n;
    if (!wn_nodes_list(d, at, "organisations", WN_POLICY_ORGS_MAX, &own)) return false;
    wn_policy_org *list = wn_policy_room(r, own + before, sizeof *list);
    if (list == NULL) return false;
    if (before != 0) memcpy(list, r->site->orgs, before * sizeof *list);
    n = before;
    for (size_t i = 0; i < own; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        granted g;
        if (!read_granted(d, item, "organisations", "org", &g)) return false;
        g.text[wn_org_plain(g.text, strlen(g.text), (uint8_t *)g.text)] = '\0';
        if (org_find(list + before, n - before, g.text) != NULL)
            return wn_nodes_no(d, item, "organisations: \"%.60s\" stands twice: keep one", g.text);
        wn_policy_org *o = &list[n++];
        strcpy(o->org, g.text);
        o->purposes = g.purposes;
    }
    // One that the defaults name, too, keeps what both grant.
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        wn_policy_org *earlier = org_find(list, kept, list[i].org);
        if (earlier != NULL) earlier->purposes &= list[i].purposes;
        else list[kept++] = list[i];
    }
    if (kept > WN_POLICY_ORGS_MAX)
        return wn_nodes_no(d, at,
                           "organisations holds %zu entries with the defaults': at most %d are allowed", kept,
                           WN_POLICY_ORGS_MAX);
    qsort(list, kept, sizeof *list, by_org);
    r->site->orgs = list;
    r->site->orgs_n = kept;
    return true;
}

bool wn_policy_read_categories(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    size_t n = 0;
    if (!wn_nodes_list(d, at, "categories", WN_POLICY_CATEGORIES_MAX, &n)) return false;
    wn_policy_category *list = wn_policy_room(r, n, sizeof *list);
    if (list == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        granted g;
        if (!read_granted(d, item, "categories", "id", &g)) return false;
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(list[j].id, g.text) == 0) // platforms' ids are compared without case
                return wn_nodes_no(d, item, "categories: \"%.60s\" stands twice, letter case aside: keep one",
                                   g.text);
        strcpy(list[i].id, g.text);
        list[i].purposes = g.purposes;
    }
    r->site->categories = list;
    r->site->categories_n = n;
    return true;
}

bool wn_policy_read_vendors(wn_nodes *d, const yaml_node_t *at, void *ctx) {
    wn_policy_reading *r = ctx;
    wn_site_policy *s = r->site;
    size_t own = 0, before = s->vendors_n;
    uint16_t list[WN_POLICY_VENDORS_MAX];
    if (!wn_nodes_list(d, at, "vendors", WN_POLICY_VENDORS_MAX, &own)) return false;
    for (size_t i = 0; i < own; i++) {
        const yaml_node_t *item = wn_nodes_item(d, at, i);
        uint64_t id = 0;
        if (!wn_nodes_uint(d, item, "a TCF vendor's number", 1, UINT16_MAX, &id)) return false;
        for (size_t j = 0; j < i; j++)
            if (list[j] == id) return wn_nodes_no(d, item, "vendors: %u stands twice: keep one", list[j]);
        list[i] = (uint16_t)id;
    }
    for (size_t i = 0; i < own; i++) {
        bool known = false;
        for (size_t j = 0; j < before; j++) known = known || s->vendors[j] == list[i];
        if (known) continue;
        if (s->vendors_n == WN_POLICY_VENDORS_MAX)
            return wn_nodes_no(d, at, "vendors are more than %d with the defaults'", WN_POLICY_VENDORS_MAX);
        s->vendors[s->vendors_n++] = list[i];
    }
    return true;
}
