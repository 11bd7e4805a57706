// SPDX-License-Identifier: Apache-2.0
// conf_sites.c: the sites an installation counts, in CONFIG/sites.yaml.
//
// Sites are closed: none is ever made from traffic. The file may hold signing
// keys, so it is written 0600, whole or not at all.
#include <ctype.h>
#include <sodium.h>

#include "clock.h"
#include "conf.h"
#include "conf_yaml.h"
#include "save.h"

// As in the file; converted to wn_site once it is known to be right.
typedef struct key_file {
    char *key, *server;
} key_file;

typedef struct site_file {
    char *name, *zone, *kind, *organisations, *sign_key;
    char **hosts;
    unsigned hosts_count;
    key_file *keys;
    unsigned keys_count;
} site_file;

typedef struct sites_file {
    site_file *sites;
    unsigned sites_count;
} sites_file;

#define MAY_LACK (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const cyaml_schema_value_t host_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 1024)};
static const cyaml_schema_field_t key_fields[] = {
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, key_file, key, 0, 1024),
    CYAML_FIELD_STRING_PTR("server", MAY_LACK, key_file, server, 0, 1024),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t key_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, key_file, key_fields)};
static const cyaml_schema_field_t site_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, site_file, name, 0, 1024),
    CYAML_FIELD_STRING_PTR("zone", CYAML_FLAG_POINTER, site_file, zone, 0, 1024),
    CYAML_FIELD_STRING_PTR("kind", MAY_LACK, site_file, kind, 0, 1024),
    CYAML_FIELD_STRING_PTR("organisations", MAY_LACK, site_file, organisations, 0, 1024),
    CYAML_FIELD_SEQUENCE_COUNT("hosts", MAY_LACK, site_file, hosts, hosts_count, &host_value, 0,
                               WN_SITE_HOSTS_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("keys", MAY_LACK, site_file, keys, keys_count, &key_value, 0,
                               WN_SITE_KEYS_MAX),
    CYAML_FIELD_STRING_PTR("sign_key", MAY_LACK, site_file, sign_key, 0, 1024),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t site_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, site_file, site_fields)};
static const cyaml_schema_field_t sites_fields[] = {
    CYAML_FIELD_SEQUENCE("sites", MAY_LACK, sites_file, sites, &site_value, 0, WN_SITES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sites_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, sites_file, sites_fields)};

#define LOWER_AND_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

const char *wn_site_name_check(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n >= WN_SITE_NAME_BYTES || strspn(name, LOWER_AND_DIGITS "._-") != n ||
        !strchr(LOWER_AND_DIGITS, name[0])) {
        return "a site's name is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit; example: "
               "shop.example";
    }
    return NULL;
}

const char *wn_site_host_set(const char *host, char out[128]) {
    static const char *const allowed = "a host is a name or address without scheme, port or path; example: "
                                       "www.shop.example";
    char low[256];
    size_t n = strlen(host);
    if (n == 0 || n >= 128) return allowed;
    for (size_t i = 0; i <= n; i++) low[i] = (char)tolower((unsigned char)host[i]);
    if (strspn(low, LOWER_AND_DIGITS ".-_") != n || low[0] == '.' || strstr(low, "..")) return allowed;
    if (low[n - 1] == '.') low[--n] = '\0';
    memcpy(out, low, n + 1);
    return NULL;
}

const char *wn_site_key_check(const char *key) {
    static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/"
                              "*?&<>()[]{}@%$#";
    if (strlen(key) != 40 || strspn(key, z85) != 40) {
        return "a public key is 40 characters of Z85, as `winnow keys new NAME` prints it";
    }
    return NULL;
}

static const char *hosts_set(const site_file *in, wn_site *s) {
    for (unsigned i = 0; i < in->hosts_count; i++) {
        const char *bad = wn_site_host_set(in->hosts[i], s->hosts[i]);
        if (bad) return bad;
    }
    s->hosts_n = in->hosts_count;
    return NULL;
}

static const char *keys_set(const site_file *in, wn_site *s) {
    for (unsigned i = 0; i < in->keys_count; i++) {
        const char *bad = wn_site_key_check(in->keys[i].key);
        if (bad) return bad;
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(in->keys[j].key, in->keys[i].key) == 0) return "the same key stands twice";
        }
        if (in->keys[i].server && !wn_yaml_bool(in->keys[i].server, &s->keys[i].server)) {
            return "server must be true or false; example: {key: \"…\", server: true}";
        }
        memcpy(s->keys[i].key, in->keys[i].key, 41);
    }
    s->keys_n = in->keys_count;
    return NULL;
}

static const char *sign_key_set(const site_file *in, wn_site *s) {
    size_t n = 0;
    if (!in->sign_key) return NULL;
    const char *end = NULL;
    if (strlen(in->sign_key) != 64 ||
        sodium_hex2bin(s->sign_key, 32, in->sign_key, 64, NULL, &n, &end) != 0 || n != 32) {
        return "a signing key is 64 hexadecimal digits; make one with `winnow site sign NAME`";
    }
    s->has_sign_key = true;
    return NULL;
}

// Answers the key at fault, NULL when right. Never quotes a signing key.
static const char *site_set(const site_file *in, wn_site *s, char *why, size_t why_bytes) {
    *s = (wn_site){0};
    const char *bad = wn_site_name_check(in->name);
    if (bad) {
        snprintf(why, why_bytes, "name \"%.70s\": %s", in->name, bad);
        return "name";
    }
    strcpy(s->name, in->name);
    s->tag = wn_site_tag(s->name);
    if (strlen(in->zone) >= WN_ZONE_BYTES || !wn_zone_find(in->zone)) {
        snprintf(why, why_bytes,
                 "site %s: zone \"%.50s\" is not in this system's zone data; example: Europe/Berlin", s->name,
                 in->zone);
        return "zone";
    }
    strcpy(s->zone, in->zone);
    if (in->kind && strcmp(in->kind, "web") != 0 && strcmp(in->kind, "app") != 0) {
        snprintf(why, why_bytes, "site %s: kind \"%.40s\": allowed are web and app; example: kind: web",
                 s->name, in->kind);
        return "kind";
    }
    s->kind = in->kind && strcmp(in->kind, "app") == 0 ? WN_KIND_APP : WN_KIND_WEB;
    const char *key = "organisations";
    if (in->organisations && !wn_yaml_bool(in->organisations, &s->organisations))
        bad = "allowed are true and false";
    if (!bad) key = "hosts", bad = hosts_set(in, s);
    if (!bad) key = "keys", bad = keys_set(in, s);
    if (!bad) key = "sign_key", bad = sign_key_set(in, s);
    if (!bad) return NULL;
    snprintf(why, why_bytes, "site %s: %s: %s", s->name, key, bad);
    return key;
}

static int by_tag(const void *a, const void *b) {
    uint64_t x = ((const wn_site *)a)->tag, y = ((const wn_site *)b)->tag;
    return (x > y) - (x < y);
}

void wn_sites_sort(wn_sites *s) {
    if (s->n > 1) qsort(s->site, s->n, sizeof *s->site, by_tag);
}

static wn_err sites_set(const char *text, const sites_file *file, wn_sites *out, char *why, size_t why_bytes,
                        int *out_line) {
    wn_sites s = {.site = calloc(file->sites_count + 1, sizeof *s.site)};
    if (!s.site) return WN_ERR_NOMEM;
    for (; s.n < file->sites_count; s.n++) {
        wn_site *site = &s.site[s.n];
        const char *key = site_set(&file->sites[s.n], site, why, why_bytes);
        for (size_t j = 0; !key && j < s.n; j++) {
            if (s.site[j].tag != site->tag) continue;
            key = "name";
            if (strcmp(s.site[j].name, site->name) == 0) {
                snprintf(why, why_bytes, "two sites are called %s", site->name);
            } else {
                snprintf(why, why_bytes, "sites %s and %s have the same tag: rename one", s.site[j].name,
                         site->name);
            }
        }
        if (key) {
            *out_line = wn_yaml_line(text, "sites", s.n, key);
            s.n++;
            wn_sites_fini(&s);
            return WN_ERR_CONFIG;
        }
    }
    wn_sites_sort(&s);
    *out = s;
    return WN_OK;
}

wn_err wn_sites_load(const char *path, wn_sites *out, char *why, size_t why_bytes, int *out_line) {
    char *text = NULL;
    size_t n = 0;
    void *data = NULL;
    *out_line = 0;
    snprintf(why, why_bytes, "%s", "");
    wn_err err = wn_yaml_slurp(path, &text, &n);
    if (err == WN_ERR_NOTFOUND) {
        *out = (wn_sites){0};
        return WN_OK;
    }
    if (err != WN_OK) {
        snprintf(why, why_bytes, "cannot be read: %s", wn_yaml_unread(err));
        return err;
    }
    err = wn_yaml_load(text, &sites_schema, &data, why, why_bytes, out_line);
    if (err == WN_OK && !data) *out = (wn_sites){0};
    if (err == WN_OK && data) err = sites_set(text, data, out, why, why_bytes, out_line);
    sites_file *file = data;
    for (unsigned i = 0; file && i < file->sites_count; i++) {
        if (file->sites[i].sign_key) wn_wipe(file->sites[i].sign_key, strlen(file->sites[i].sign_key));
    }
    if (data) wn_yaml_free(&sites_schema, data);
    wn_wipe(text, n);
    free(text);
    return err;
}

// Every value was checked to need no quoting but the keys, whose Z85 holds neither quote nor backslash.
static void site_write(FILE *f, const wn_site *s) {
    fprintf(f, "  - name: \"%s\"\n    zone: \"%s\"\n    kind: %s\n", s->name, s->zone,
            s->kind == WN_KIND_APP ? "app" : "web");
    if (s->organisations) fputs("    organisations: true\n", f);
    for (size_t i = 0; i < s->hosts_n; i++)
        fprintf(f, "%s      - \"%s\"\n", i == 0 ? "    hosts:\n" : "", s->hosts[i]);
    for (size_t i = 0; i < s->keys_n; i++) {
        fprintf(f, "%s      - {key: \"%s\", server: %s}\n", i == 0 ? "    keys:\n" : "", s->keys[i].key,
                s->keys[i].server ? "true" : "false");
    }
    if (!s->has_sign_key) return;
    char hex[65];
    fprintf(f, "    sign_key: \"%s\"\n", sodium_bin2hex(hex, sizeof hex, s->sign_key, 32));
    wn_wipe(hex, sizeof hex);
}

static void sites_write(FILE *f, const void *ctx) {
    const wn_sites *s = ctx;
    fputs("# Written by `winnow site`; comments are not kept. Holds secrets: mode 0600.\n", f);
    fputs(s->n ? "sites:\n" : "sites: []\n", f);
    for (size_t i = 0; i < s->n; i++) site_write(f, &s->site[i]);
}

wn_err wn_sites_save(const char *path, const wn_sites *s) {
    return s->n > WN_SITES_MAX ? WN_ERR_FULL : wn_save(path, sites_write, s);
}

void wn_sites_fini(wn_sites *s) {
    if (s->site) wn_wipe(s->site, s->n * sizeof *s->site);
    free(s->site);
    *s = (wn_sites){0};
}

const wn_site *wn_sites_by_tag(const wn_sites *s, uint64_t tag) {
    size_t low = 0, high = s->n; // by hand: once an event, and a site is large
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->site[middle].tag == tag) return &s->site[middle];
        if (s->site[middle].tag < tag) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

const wn_site *wn_sites_by_name(const wn_sites *s, const char *name, size_t n) {
    char text[WN_SITE_NAME_BYTES];
    if (n == 0 || n >= sizeof text || memchr(name, '\0', n)) return NULL;
    memcpy(text, name, n);
    text[n] = '\0';
    const wn_site *site = wn_sites_by_tag(s, wn_site_tag(text));
    return site && strcmp(site->name, text) == 0 ? site : NULL;
}
