// SPDX-License-Identifier: Apache-2.0
// Leaks that other collectors of statistics had, where keys and ids are made and
// forgotten; test_leaks_seen.c has those where something comes in.
#include <criterion/criterion.h>
#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypt.h"
#include "leak_rig.h"

static leak_rig l;

static void setup(void) {
    leak_open(&l);
}

static void teardown(void) {
    leak_close(&l);
}

TestSuite(leaks, .init = setup, .fini = teardown);

#define RUN 7 // bytes of an identifier in a row that would be one too many
#define AGREED "\"purposes\":[\"basic\",\"measure\",\"locate\",\"share\",\"profile\"]"

static void masked(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) p[i] ^= 0xa5;
}

// The table of sessions and the caches beside the road: when their window is sealed they hold nothing of it.
Test(leaks, side_table) {
    wn_window w = leak_window(&l);
    uint8_t edge_key[32], text_key[32];
    wn_observation o[32];
    char body[512];
    for (int i = 0; i < 20; i++) {
        snprintf(
            body, sizeof body,
            "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/side/%c\",\"user_id\":\"person-%d\"," AGREED
            "}",
            'a' + i, i);
        leak_post(&l, "/v1/events", "", body);
    }
    const wn_edge_window *open = wn_edge_find(l.r.edge, &w);
    memcpy(edge_key, open->key_edge, 32), memcpy(text_key, open->key_text, 32);
    cr_assert_eq(leak_observations(&l, o, WN_COUNT(o)), 20);
    leak_heap all = leak_all(&l);
    cr_expect(leak_holds_bytes(&all, edge_key, 32), "the key is not where it is looked for");
    size_t spool_only = 0;
    for (size_t i = 0; i < 20; i++) spool_only += !leak_holds_bytes(&all, o[i].person, 16);
    cr_expect_eq(spool_only, 0);
    masked(edge_key, 32), masked(text_key, 32);
    for (size_t i = 0; i < 20; i++) masked((uint8_t *)&o[i], sizeof o[i]);
    leak_seal(&l);
    all = leak_all(&l);
    cr_expect_eq(wn_sessions_count(l.r.sessions), 0);
    masked(edge_key, 32), masked(text_key, 32);
    for (size_t i = 0; i < 20; i++) masked((uint8_t *)&o[i], sizeof o[i]);
    cr_expect_not(leak_holds_bytes(&all, edge_key, 32));
    cr_expect_not(leak_holds_bytes(&all, text_key, 32));
    for (size_t i = 0; i < 20; i++) {
        cr_expect_not(leak_holds_bytes(&all, o[i].person, 16), "person %zu", i);
        cr_expect_not(leak_holds_bytes(&all, &o[i].prefix, 8), "prefix %zu", i);
    }
    cr_expect_not(leak_holds(&all, "/side/", 6));
    cr_expect_not(leak_holds(&all, "person-", RUN));
}

// Nobody who knows the configuration and the date knows the keys: each collector and each day draws its own.
Test(leaks, predictable_salt) {
    static leak_rig second;
    static const char view[] =
        "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\",\"user_id\":\"anna\","
        "\"batch_id\":\"b-1\"," AGREED "}";
    wn_observation a[4], b[4];
    uint8_t hash[2][16];
    leak_open(&second);
    leak_post(&l, "/v1/events", "", view);
    leak_post(&second, "/v1/events", "", view);
    cr_assert_eq(leak_observations(&second, b, 4), 1);
    cr_assert_eq(leak_observations(&l, a, 4), 1);
    wn_pipeline_hash(l.r.pipeline, 'b', (wn_span){(const uint8_t *)"b-1", 3}, hash[0]);
    wn_pipeline_hash(second.r.pipeline, 'b', (wn_span){(const uint8_t *)"b-1", 3}, hash[1]);
    wn_pipeline_clock(l.r.pipeline, l.r.now_s + 86400);
    leak_post(&l, "/v1/events", "", view + 0);
    leak_close(&second);
    cr_expect_arr_neq(a[0].person, b[0].person, 16);
    cr_expect_neq(a[0].prefix, b[0].prefix);
    cr_expect_neq(a[0].open[WN_DIM_route], b[0].open[WN_DIM_route]);
    cr_expect_arr_neq(hash[0], hash[1], 16);
    cr_expect_eq(a[0].site, b[0].site, "same configuration");
    // The next day in the same collector. The batch_id would be known: another one.
    leak_post(&l, "/v1/events", "",
              "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\",\"user_id\":\"anna\"," AGREED
              "}");
    cr_assert_eq(leak_observations(&l, b, 4), 2);
    cr_expect_arr_neq(b[0].person, b[1].person, 16);
    cr_expect_neq(b[0].prefix, b[1].prefix);
    cr_expect_neq(b[0].open[WN_DIM_route], b[1].open[WN_DIM_route]);
}

// ---- hashes that anybody can compute ----

static const leak_heap *searched;
static size_t hashes;

// Either half of eight bytes and more, as a number in either order.
static void expect_no_hash(const uint8_t *h, size_t n, const char *what) {
    uint8_t turned[8];
    hashes++;
    for (size_t i = 0; i < 8; i++) turned[i] = h[7 - i];
    cr_expect_not(leak_holds_bytes(searched, h, 8), "%s", what);
    cr_expect_not(leak_holds_bytes(searched, h + n - 8, 8), "%s, its end", what);
    cr_expect_not(leak_holds_bytes(searched, turned, 8), "%s, turned", what);
}

static void expect_no_hash_of(wn_span in) {
    static const GChecksumType sums[] = {G_CHECKSUM_MD5, G_CHECKSUM_SHA1, G_CHECKSUM_SHA256,
                                         G_CHECKSUM_SHA512};
    static const size_t sizes[] = {8, 16, 20, 24, 32, 64};
    static const uint8_t zero[32] = {0};
    uint8_t out[64];
    for (size_t i = 0; i < WN_COUNT(sums); i++) {
        GChecksum *c = g_checksum_new(sums[i]);
        gsize n = sizeof out;
        g_checksum_update(c, in.p, (gssize)in.n);
        g_checksum_get_digest(c, out, &n);
        g_checksum_free(c);
        expect_no_hash(out, n, "a checksum");
    }
    for (size_t i = 0; i < WN_COUNT(sizes); i++) {
        wn_prf(zero, in, out, sizes[i]);
        expect_no_hash(out, sizes[i], "BLAKE2b, a zero key before it");
        if (sizes[i] < crypto_generichash_BYTES_MIN) continue;
        crypto_generichash(out, sizes[i], in.p, in.n, NULL, 0);
        expect_no_hash(out, sizes[i], "BLAKE2b");
        crypto_generichash(out, sizes[i], in.p, in.n, zero, sizeof zero);
        expect_no_hash(out, sizes[i], "BLAKE2b, keyed with zeros");
    }
    crypto_shorthash(out, in.p, in.n, zero);
    expect_no_hash(out, 8, "SipHash, keyed with zeros");
}

// As it stands, with a kind before it, with the site's tag before that, with the site's name.
static void expect_no_hash_of_any(const void *p, size_t n) {
    uint8_t text[256];
    uint64_t tag = wn_site_tag("shop");
    memcpy(text + 9, p, n);
    for (int i = 0; i < 8; i++) text[i] = (uint8_t)(tag >> (8 * i));
    expect_no_hash_of((wn_span){text + 9, n});
    for (uint8_t kind = 1; kind <= 6; kind++) {
        text[8] = kind;
        expect_no_hash_of((wn_span){text + 8, n + 1});
        expect_no_hash_of((wn_span){text, n + 9});
    }
    memmove(text + 8, p, n);
    expect_no_hash_of((wn_span){text, n + 8});
    n = (size_t)snprintf((char *)text, sizeof text, "shop%.*s", (int)n, (const char *)p);
    expect_no_hash_of((wn_span){text, n});
}

Test(leaks, unkeyed_hash) {
    static const uint8_t v4[] = {81, 2, 3, 7},
                         v6[] = {0x2a, 2, 0x83, 0x88, 0x1d, 0x41, 0x7b, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    static const char *const texts[] = {
        "anna",           "cookie-77", "device-88", "b-17",   "acme",
        "/welcome",       "spring",    "81.2.3.7",  "81.2.3", "2a02:8388:1d41:7b00::7",
        "81.2.3.7" RIG_UA};
    for (int i = 0; i < 5; i++) {
        char body[512], heads[64];
        static const char *const who[] = {"\"user_id\":\"anna\",", "\"anonymous_id\":\"cookie-77\",",
                                          "\"device_id\":\"device-88\",", "", ""};
        snprintf(heads, sizeof heads, "X-Forwarded-For: %s\r\n",
                 i % 2 ? "2a02:8388:1d41:7b00::7" : "81.2.3.7");
        snprintf(body, sizeof body,
                 "{\"site\":\"shop\",\"name\":\"pageview\",%s\"url\":\"/"
                 "welcome?utm_campaign=spring\",\"org\":\"acme\",\"batch_id\":\"b-1%d\"," AGREED "}",
                 who[i], i + 7);
        leak_post(&l, "/v1/events", heads, body);
    }
    wn_observation o[8];
    cr_assert_eq(leak_observations(&l, o, 8), 5);
    leak_heap all = leak_all(&l);
    searched = &all;
    for (size_t i = 0; i < WN_COUNT(texts); i++) expect_no_hash_of_any(texts[i], strlen(texts[i]));
    for (size_t n = 3; n <= 4; n++) expect_no_hash_of_any(v4, n);
    for (size_t n = 6; n <= 16; n += 2) expect_no_hash_of_any(v6, n);
    uint8_t net[] = {81, 2, 3, 7, 0, 0}; // beside the classes of the agent
    net[4] = (uint8_t)o[4].closed[WN_DIM_browser], net[5] = (uint8_t)o[4].closed[WN_DIM_system];
    expect_no_hash_of_any(net, sizeof net);
    cr_expect_gt(hashes, 5000);
    // The search sees hashes: the site's tag is one, of what the operator wrote.
    uint8_t tag[64];
    crypto_generichash(tag, sizeof tag, (const uint8_t *)"shop", 4, NULL, 0);
    uint64_t known = wn_site_tag("shop");
    cr_expect(leak_holds_bytes(&all, &known, 8));
}

// Who said no id gets none: no cookie, no tag in a cache, nothing drawn by chance.
Test(leaks, sink_inventing_an_id) {
    static const struct {
        const char *target, *body;
    } asked[] = {
        {"/v1/events", "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\"}"},
        {"/v1/events", "[{\"site\":\"shop\",\"name\":\"used\",\"url\":\"/welcome\",\"feature\":\"export\"}]"},
        {"/v1/events", "{"},
        {"/v1/events?gdpr=0", "{\"site\":\"shop\",\"name\":\"x\",\"purposes\":[]}"},
        {"/p.gif?site=shop&u=/welcome", NULL},
        {"/p.gif?site=shop&n=email_open&c=spring", NULL},
        {"/w.js", NULL},
        {"/v1/opt-out", NULL},
        {"/healthz", NULL},
        {"/nothing", NULL}};
    static char first[8192];
    for (size_t i = 0; i < WN_COUNT(asked); i++)
        for (int visit = 0; visit < 3; visit++) { // twice the same person, then another
            static const char *const from[] = {"X-Forwarded-For: 81.2.3.7\r\n",
                                               "X-Forwarded-For: 81.2.3.7\r\n",
                                               "X-Forwarded-For: 94.5.6.8\r\n"};
            if (asked[i].body) leak_post(&l, asked[i].target, from[visit], asked[i].body);
            else leak_get(&l, asked[i].target, from[visit]);
            cr_expect_null(strcasestr(l.answer, "set-cookie"), "%s", asked[i].target);
            cr_expect_null(strcasestr(l.answer, "last-modified"), "%s", asked[i].target);
            char *date = strstr(l.answer, "Date: "); // the only thing that may differ
            if (date != NULL) memset(date, ' ', strcspn(date, "\r"));
            cr_assert_lt(strlen(l.answer), sizeof first);
            if (visit == 0) strcpy(first, l.answer);
            else cr_expect_str_eq(l.answer, first, "%s answers each visitor differently", asked[i].target);
        }
    wn_observation o[32];
    size_t n = leak_observations(&l, o, WN_COUNT(o));
    cr_assert_eq(n, 12, "%zu", n);
    for (size_t i = 0; i < n; i += 3) {
        cr_expect_arr_eq(&o[i], &o[i + 1], sizeof o[i], "the same network and agent, and something differs");
        cr_expect_arr_neq(o[i].person, o[i + 2].person, 16);
        cr_expect_eq(o[i].flags & WN_OBS_SIGNED, 0);
        cr_expect_arr_eq(o[i].person, o[0].person, 16);
    }
    // The opt-out's cookie says one thing to all.
    leak_post(&l, "/v1/opt-out", "X-Forwarded-For: 81.2.3.7\r\n", "");
    const char *cookie = strstr(l.answer, "Set-Cookie: ");
    cr_assert_not_null(cookie);
    strcpy(first, cookie);
    leak_post(&l, "/v1/opt-out", "X-Forwarded-For: 94.5.6.8\r\n", "");
    cookie = strstr(l.answer, "Set-Cookie: ");
    cr_assert_not_null(cookie);
    cr_expect(strncmp(cookie, first, strcspn(first, "\r")) == 0 &&
              strncmp(cookie, "Set-Cookie: winnow_opt_out=1;", 29) == 0);
}
