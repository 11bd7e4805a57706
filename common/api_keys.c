// SPDX-License-Identifier: Apache-2.0
// Why: what leaves over HTTP leaves to somebody, whom the operator named.
#include "api_keys.h"

#include <sodium.h>

#include "conf_yaml.h"
#include "clock.h"
#include "crypt.h"
#include "save.h"

#define PREFIX "wn_"
#define RANDOM_BYTES 32
// Longer than any key of ours: what is longer is not hashed.
#define TEXT_MAX 256

// As in the file; converted once it is known to be right.
typedef struct key_file {
    char *name, *hash, *made, *receiver;
    char **sites, **tables;
    unsigned sites_count, tables_count;
} key_file;

typedef struct keys_file {
    key_file *keys;
    unsigned keys_count;
} keys_file;

#define MAY_LACK (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 1024)};
// An empty list would read as "every one", which nobody means by it: at least one.
static const cyaml_schema_field_t key_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, key_file, name, 0, 1024),
    CYAML_FIELD_STRING_PTR("hash", CYAML_FLAG_POINTER, key_file, hash, 0, 1024),
    CYAML_FIELD_STRING_PTR("made", MAY_LACK, key_file, made, 0, 1024),
    CYAML_FIELD_STRING_PTR("receiver", MAY_LACK, key_file, receiver, 0, 1024),
    CYAML_FIELD_SEQUENCE_COUNT("sites", MAY_LACK, key_file, sites, sites_count, &text_value, 1,
                               WN_API_KEY_SITES_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("tables", MAY_LACK, key_file, tables, tables_count, &text_value, 1,
                               WN_TABLES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t key_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, key_file, key_fields)};
static const cyaml_schema_field_t keys_fields[] = {
    CYAML_FIELD_SEQUENCE("keys", MAY_LACK, keys_file, keys, &key_value, 0, WN_API_KEYS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t keys_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, keys_file, keys_fields)};

const char *wn_api_key_name_check(const char *name) {
    size_t n = strlen(name);
    if (n > 0 && n < WN_API_KEY_NAME_BYTES &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n)
        return NULL;
    return "a key's name is 1 to 63 of a-z A-Z 0-9 _ -; example: sales-team";
}

static bool word_ok(const char *text, size_t cap) {
    size_t n = strlen(text);
    return n > 0 && n < cap && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

// Never quotes a hash.
static const char *key_set(const key_file *in, wn_api_key *k, const char **out_field) {
    size_t n = 0;
    int32_t day;
    *out_field = "name";
    const char *bad = wn_api_key_name_check(in->name);
    if (bad) return bad;
    strcpy(k->name, in->name);
    *out_field = "hash";
    if (strlen(in->hash) != 64 || sodium_hex2bin(k->hash, 32, in->hash, 64, NULL, &n, NULL) != 0 || n != 32)
        return "a hash is 64 hexadecimal digits; make a key with `winnow keys api NAME`";
    *out_field = "made";
    if (in->made && !wn_day_parse(in->made, strlen(in->made), &day)) return "a date such as 2026-11-20";
    if (in->made) strcpy(k->made, in->made);
    *out_field = "receiver";
    if (in->receiver && !word_ok(in->receiver, sizeof k->receiver)) return "a receiver of the plan";
    if (in->receiver) strcpy(k->receiver, in->receiver);
    *out_field = "sites";
    for (; k->sites_n < in->sites_count; k->sites_n++) {
        const char *site = in->sites[k->sites_n];
        if (wn_site_name_check(site)) return wn_site_name_check(site);
        strcpy(k->site[k->sites_n], site);
    }
    *out_field = "tables";
    for (; k->tables_n < in->tables_count; k->tables_n++) {
        const char *table = in->tables[k->tables_n];
        if (!word_ok(table, sizeof k->table[0])) return "ids of tables; `winnow plan print` lists them";
        strcpy(k->table[k->tables_n], table);
    }
    return NULL;
}

static wn_err keys_set(const char *text, const keys_file *file, wn_api_keys *out, char *why, size_t why_bytes,
                       int *out_line) {
    wn_api_keys k = {.key = calloc(file->keys_count + 1, sizeof *k.key), .there = true};
    if (!k.key) return WN_ERR_NOMEM;
    for (; k.n < file->keys_count; k.n++) {
        const char *field = "name", *bad = key_set(&file->keys[k.n], &k.key[k.n], &field);
        for (size_t j = 0; !bad && j < k.n; j++) {
            if (strcmp(k.key[j].name, k.key[k.n].name) != 0) continue;
            bad = "two keys have this name";
            field = "name";
        }
        if (!bad) continue;
        snprintf(why, why_bytes, "key %zu: %s: %s", k.n + 1, field, bad);
        *out_line = wn_yaml_line(text, "keys", k.n, field);
        wn_api_keys_fini(&k);
        return WN_ERR_CONFIG;
    }
    *out = k;
    return WN_OK;
}

wn_err wn_api_keys_load(const char *path, wn_api_keys *out, char *why, size_t why_bytes, int *out_line) {
    char *text = NULL;
    size_t n = 0;
    void *data = NULL;
    *out = (wn_api_keys){0};
    *out_line = 0;
    snprintf(why, why_bytes, "%s", "");
    wn_err err = wn_yaml_slurp(path, &text, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    out->there = true;
    if (err != WN_OK) {
        snprintf(why, why_bytes, "cannot be read: %s", wn_yaml_unread(err));
        return err;
    }
    err = wn_yaml_load(text, &keys_schema, &data, why, why_bytes, out_line);
    if (err == WN_OK && data) err = keys_set(text, data, out, why, why_bytes, out_line);
    if (data) wn_yaml_free(&keys_schema, data);
    free(text);
    return err;
}

static void list_write(FILE *f, const char *name, const char *first, size_t stride, size_t n) {
    if (n == 0) return;
    fprintf(f, "    %s: [", name);
    for (size_t i = 0; i < n; i++) fprintf(f, "%s\"%s\"", i ? ", " : "", first + i * stride);
    fputs("]\n", f);
}

// Every value was checked to need no quoting.
static void keys_write(FILE *f, const void *ctx) {
    const wn_api_keys *keys = ctx;
    char hex[65];
    fputs("# Written by `winnow keys api`; comments are not kept. Holds hashes of keys, no key.\n"
          "# While this file is here a reader needs a key, even when it lists none.\n",
          f);
    fputs(keys->n ? "keys:\n" : "keys: []\n", f);
    for (size_t i = 0; i < keys->n; i++) {
        const wn_api_key *k = &keys->key[i];
        fprintf(f, "  - name: \"%s\"\n    hash: \"%s\"\n", k->name,
                sodium_bin2hex(hex, sizeof hex, k->hash, sizeof k->hash));
        if (k->made[0]) fprintf(f, "    made: \"%s\"\n", k->made);
        if (k->receiver[0]) fprintf(f, "    receiver: \"%s\"\n", k->receiver);
        list_write(f, "sites", k->site[0], sizeof k->site[0], k->sites_n);
        list_write(f, "tables", k->table[0], sizeof k->table[0], k->tables_n);
    }
}

wn_err wn_api_keys_save(const char *path, const wn_api_keys *k) {
    return k->n > WN_API_KEYS_MAX ? WN_ERR_FULL : wn_save(path, keys_write, k);
}

void wn_api_keys_fini(wn_api_keys *k) {
    free(k->key);
    *k = (wn_api_keys){0};
}

static void hash_of(wn_span text, uint8_t out[32]) {
    static const uint8_t domain[] = "winnow: a reader's key";
    WN_ASSERT(crypto_generichash(out, 32, text.p, text.n, domain, sizeof domain - 1) == 0);
}

wn_err wn_api_key_draw(char out_text[WN_API_KEY_TEXT_BYTES], uint8_t out_hash[32]) {
    uint8_t random[RANDOM_BYTES];
    WN_TRY(wn_random(random, sizeof random));
    memcpy(out_text, PREFIX, sizeof PREFIX);
    sodium_bin2base64(out_text + sizeof PREFIX - 1, WN_API_KEY_TEXT_BYTES - (sizeof PREFIX - 1), random,
                      sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    wn_wipe(random, sizeof random);
    hash_of((wn_span){(const uint8_t *)out_text, strlen(out_text)}, out_hash);
    return WN_OK;
}

const wn_api_key *wn_api_keys_find(const wn_api_keys *k, wn_span text) {
    uint8_t hash[32];
    const wn_api_key *found = NULL;
    if (text.n == 0 || text.n > TEXT_MAX) return NULL;
    hash_of(text, hash);
    for (size_t i = 0; i < k->n; i++)
        if (sodium_memcmp(k->key[i].hash, hash, sizeof hash) == 0) found = &k->key[i];
    wn_wipe(hash, sizeof hash);
    return found;
}

static bool listed(const char *first, size_t stride, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(first + i * stride, name) == 0) return true;
    return false;
}

bool wn_api_key_reads_site(const wn_api_key *k, const char *site) {
    return k->sites_n == 0 || listed(k->site[0], sizeof k->site[0], k->sites_n, site);
}

bool wn_api_key_reads_table(const wn_api_key *k, const char *table, uint8_t profile,
                            const char (*receiver)[WN_RECEIVER_BYTES], size_t receivers_n) {
    bool named = listed(k->table[0], sizeof k->table[0], k->tables_n, table);
    bool receives = receivers_n > 0 && listed(receiver[0], sizeof receiver[0], receivers_n, k->receiver);
#ifdef WN_MUTANT_RECEIVER_NOT_NAMED
    receives = true;
#endif
#ifdef WN_MUTANT_RECEIVER_READS_CROWD
    return k->tables_n == 0 || named;
#endif
    if (k->receiver[0] == '\0') return k->tables_n == 0 || named;
    return receives && (named || (k->tables_n == 0 && profile == WN_PROFILE_NOISE));
}
