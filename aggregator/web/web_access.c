// SPDX-License-Identifier: Apache-2.0
// Why: one place decides who comes in, so that it can be tried with every visitor there is.
#include "web_access.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

// The host of "host", "host:port" or "[v6]:port", without brackets and port; empty for what is none.
static wn_span host_of(const char *text) {
    bool v6 = text[0] == '[';
    const char *from = text + v6, *end = from + strcspn(from, v6 ? "]" : ":");
    const char *rest = end + (v6 && *end == ']');
    bool port = *rest == ':' && strspn(rest + 1, "0123456789") == strlen(rest + 1);
    bool whole = v6 ? *end == ']' : true;
    if (!whole || (*rest && !port)) end = from;
    return (wn_span){(const uint8_t *)from, (size_t)(end - from)};
}

static bool host_is_ours(const char *host, const char *listen) {
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    if (!host) return false;
    wn_span h = host_of(host), own = host_of(listen);
    for (size_t i = 0; i < WN_COUNT(names); i++)
        if (h.n == strlen(names[i]) && strncasecmp((const char *)h.p, names[i], h.n) == 0) return true;
    return h.n && h.n == own.n && memcmp(h.p, own.p, h.n) == 0;
}

bool wn_web_header_of_proxy(const char *name) {
    static const char *const names[] = {"Forwarded",           "Via",
                                        "X-Real-IP",           "X-Client-IP",
                                        "True-Client-IP",      "CF-Connecting-IP",
                                        "X-Cluster-Client-IP", "X-Original-Forwarded-For"};
    static const char prefix[] = "X-Forwarded-";
    if (strncasecmp(name, prefix, sizeof prefix - 1) == 0) return true;
    for (size_t i = 0; i < WN_COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static bool bearer_of(const char *authorization, wn_span *out) {
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) return false;
    const char *text = authorization + sizeof scheme - 1;
    text += strspn(text, " ");
    *out = (wn_span){(const uint8_t *)text, strlen(text)};
    return true;
}

bool wn_web_access(const wn_web_rules *rules, const wn_web_conf *conf, const wn_web_visitor *v,
                   wn_web_reader *out, wn_problem *out_problem) {
    wn_span text;
    *out = (wn_web_reader){.all = true};
    if (conf->keys_bad)
        return wn_problem_set(
            out_problem, WN_PROBLEM_keys_unreadable,
            "api_keys.yaml is not valid; whoever runs Winnow sees why with `winnow keys list`");
    // A key that is shown must be right, also where none would be asked for.
    if (bearer_of(v->authorization, &text)) {
        const wn_api_key *key = wn_api_keys_find(&conf->keys, text);
        if (!key)
            return wn_problem_set(
                out_problem, WN_PROBLEM_key_unknown,
                "It is not, or no longer, one of `winnow keys list`; ask whoever runs Winnow");
        out->all = false;
        out->key = *key;
        return true;
    }
    if (rules->open_to_all) return true;
#ifdef WN_MUTANT_KEYS_NOT_ASKED
    return true;
#endif
    if (conf->keys.there || rules->behind_proxy || v->forwarded || !v->loopback)
        return wn_problem_set(out_problem, WN_PROBLEM_key_needed,
                              "Send it as `Authorization: Bearer wn_…`; whoever runs Winnow makes one with"
                              " `winnow keys api NAME`");
    if (!host_is_ours(v->host, rules->listen))
        return wn_problem_set(out_problem, WN_PROBLEM_wrong_host,
                              "Without keys this answers to localhost, 127.0.0.1 and [::1] alone; for other"
                              " names make a key with `winnow keys api NAME`");
#ifndef WN_MUTANT_ANY_USER_READS
    if (!v->same_user)
        return wn_problem_set(
            out_problem, WN_PROBLEM_key_needed,
            "Without keys this answers to programs of the user who runs winnow-web alone: a proxy, or another"
            " user's, is none. Make a key with `winnow keys api NAME` and send it as `Authorization: Bearer"
            " wn_…`; behind a proxy also set web_behind_proxy: true");
#endif
    return true;
}

bool wn_web_reads_site(const wn_web_reader *r, const char *site) {
    return r->all || wn_api_key_reads_site(&r->key, site);
}

bool wn_web_reads_table(const wn_web_reader *r, const wn_plan *plan, const wn_table *t) {
    char names[WN_RECEIVERS_MAX][WN_RECEIVER_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < plan->receivers_n && i < WN_RECEIVERS_MAX; i++)
        if (t->receivers & 1u << i) memcpy(names[n++], plan->receiver[i], WN_RECEIVER_BYTES);
    return r->all ||
           wn_api_key_reads_table(&r->key, t->id, t->profile, (const char(*)[WN_RECEIVER_BYTES])names, n);
}

bool wn_web_reads_window(const wn_web_reader *r, const wn_plan *plan, const wn_public_head *head) {
    if (r->all) return true;
    if (!wn_api_key_reads_table(&r->key, head->table, head->profile,
                                (const char(*)[WN_RECEIVER_BYTES])head->receiver, head->receivers_n))
        return false;
    if (!wn_web_is_receiver(r)) return true;
#ifdef WN_MUTANT_RECEIVER_KEEPS_READING
    return true;
#endif
    int at = wn_plan_table(plan, head->table);
    return at >= 0 && wn_web_reads_table(r, plan, &plan->table[at]);
}

bool wn_web_reads_all(const wn_web_reader *r) {
    return r->all || (r->key.sites_n == 0 && r->key.tables_n == 0 && r->key.receiver[0] == '\0');
}

void wn_web_rights(const wn_web_reader *r, uint8_t out[WN_WEB_RIGHTS_BYTES]) {
    crypto_generichash_state h;
    const wn_api_key *k = &r->key;
    const uint8_t counts[] = {r->all, (uint8_t)k->sites_n, (uint8_t)k->tables_n};
    _Static_assert(WN_API_KEY_SITES_MAX < 256 && WN_TABLES_MAX < 256, "a byte each");
    crypto_generichash_init(&h, NULL, 0, WN_WEB_RIGHTS_BYTES);
    crypto_generichash_update(&h, &counts[0], 1);
#ifdef WN_MUTANT_ETAG_OF_NAME
    crypto_generichash_update(&h, (const uint8_t *)k->name, sizeof k->name);
#else
    if (!r->all) {
        crypto_generichash_update(&h, counts, sizeof counts);
        crypto_generichash_update(&h, k->hash, sizeof k->hash);
        crypto_generichash_update(&h, (const uint8_t *)k->site, k->sites_n * sizeof k->site[0]);
        crypto_generichash_update(&h, (const uint8_t *)k->table, k->tables_n * sizeof k->table[0]);
        crypto_generichash_update(&h, (const uint8_t *)k->receiver, sizeof k->receiver);
    }
#endif
    crypto_generichash_final(&h, out, WN_WEB_RIGHTS_BYTES);
}

bool wn_web_is_receiver(const wn_web_reader *r) {
    return !r->all && r->key.receiver[0] != '\0';
}
