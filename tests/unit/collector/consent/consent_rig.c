// SPDX-License-Identifier: Apache-2.0
// consent_rig.c: reads vectors.txt.
#include "consent_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *rig_file(const char *path) {
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    WN_ASSERT(f != NULL && text != NULL);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    WN_ASSERT(n > 0 && feof(f));
    fclose(f);
    return text;
}

wn_tcf_terms rig_terms(char *text) {
    wn_tcf_terms t = {0};
    char *one, *vendors, *save = NULL;
    int li = 0;
    long long now = 0;
    WN_ASSERT(sscanf(text, "now=%lld li=%d", &now, &li) == 2);
    vendors = strstr(text, "vendors=") + strlen("vendors=");
    one = strstr(text, " one=");
    *one = '\0';
    one += strlen(" one=");
    t.now_s = now;
    t.li_allowed = li != 0;
    size_t n = 0;
    for (char *v = strtok_r(vendors, ",", &save); v != NULL; v = strtok_r(NULL, ",", &save))
        t.vendors[n++] = (uint16_t)atoi(v);
    n = 0;
    for (char *c = strtok_r(one, ",", &save); c != NULL; c = strtok_r(NULL, ",", &save))
        memcpy(t.purpose_one_countries[n++], c, 3);
    return t;
}

static uint8_t purposes(const char *names, size_t n) {
    static const char *const all[] = {
#define PURPOSE(name, dflt, doc) #name,
#include "purposes.def"
#undef PURPOSE
    };
    uint8_t bits = 0;
    while (n > 0) {
        size_t word = strcspn(names, ", "), i = 0;
        if (word > n) word = n;
        while (i < WN_COUNT(all) && (strlen(all[i]) != word || strncmp(all[i], names, word) != 0)) i++;
        WN_ASSERT(i < WN_COUNT(all));
        bits |= (uint8_t)(1u << i);
        if (word == n) break;
        names += word + 1;
        n -= word + 1;
    }
    return bits;
}

static wn_signal expectation(const char *text) {
    if (strncmp(text, "doubt", 5) == 0) return WN_SIGNAL_DOUBT;
    const char *no = strstr(text, " no=");
    WN_ASSERT(strncmp(text, "yes=", 4) == 0 && no != NULL);
    return (wn_signal){purposes(text + 4, (size_t)(no - text) - 4), purposes(no + 4, strlen(no + 4)), false};
}

static void line(rig_vector *v, char *word, char *rest) {
    if (strcmp(word, "kind") == 0) v->kind = rest;
    else if (strcmp(word, "text") == 0) v->text = rest;
    else if (strcmp(word, "sid") == 0) v->sid = rest;
    else if (strcmp(word, "terms") == 0) v->terms = rig_terms(rest);
    else if (strcmp(word, "iab") == 0) v->iab_reads = strcmp(rest, "reads") == 0;
    else if (strcmp(word, "field") == 0) {
        WN_ASSERT(v->fields < RIG_FIELDS_MAX);
        char *value = strchr(rest, '=');
        *value = '\0';
        v->key[v->fields] = rest;
        v->value[v->fields++] = value + 1;
    } else {
        WN_ASSERT(strcmp(word, "expect") == 0);
        v->expect = expectation(rest);
        v->hostile = strchr(rest, '(') != NULL;
    }
}

size_t rig_vectors_load(const char *path, rig_vector out[RIG_VECTORS_MAX]) {
    size_t n = 0;
    for (char *at = rig_file(path), *end; *at != '\0'; at = end) {
        end = at + strcspn(at, "\n");
        if (*end != '\0') *end++ = '\0';
        char *rest = strchr(at, ' ');
        if (rest == NULL) continue;
        *rest++ = '\0';
        if (strcmp(at, "vector") == 0) {
            WN_ASSERT(n < RIG_VECTORS_MAX);
            out[n++] = (rig_vector){.name = rest};
        } else line(&out[n - 1], at, rest);
    }
    return n;
}

wn_signal rig_read(const char *kind, wn_span text, wn_span sid, const wn_tcf_terms *t) {
    if (strcmp(kind, "tcf") == 0) return wn_tcf_read(text, t);
    WN_ASSERT(strcmp(kind, "gpp") == 0);
    return wn_gpp_read(text, sid, t);
}
