// SPDX-License-Identifier: Apache-2.0
// What must hold for any event, on random ones.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_rig.h"

enum { FIELDS_MAX = 64, EVENTS = 20000 };

// One event as a list of calls, so that it can be set again in another way.
typedef struct script {
    wn_field field[FIELDS_MAX];
    char value[FIELDS_MAX][160];
    size_t n;
} script;

static rig r;

static void start(void) {
    rig_init(&r);
    r.country = "FR";
    srand(7);
}

static void stop(void) {
    rig_fini(&r);
}

TestSuite(filter_properties, .init = start, .fini = stop);

static const char *pick(const char *const *list, size_t n) {
    return list[(size_t)rand() % n];
}
#define PICK(...) pick((const char *const[]){__VA_ARGS__}, WN_COUNT(((const char *const[]){__VA_ARGS__})))

static void add(script *s, wn_field f, const char *value) {
    s->field[s->n] = f;
    snprintf(s->value[s->n++], sizeof s->value[0], "%s", value);
}

// Bytes that stand in no legal output: a run of six of them is a leak.
static void random_id(char *out, size_t n) {
    static const char alphabet[] = "QWXZJKqwxzjk0123456789";
    for (size_t i = 0; i < n; i++) out[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
    out[n] = '\0';
}

// Fields that a page view seldom has; "" never is one.
static void random_extras(script *s) {
    static const struct {
        wn_field field;
        const char *values[3];
    } rows[] = {
        {WN_FIELD_time_zone, {"Europe/Vienna", "America/Lima", "UTC"}},
        {WN_FIELD_os, {"iOS", "Android", "Plan 9"}},
        {WN_FIELD_os_version, {"17.1", "9", "x"}},
        {WN_FIELD_app_version, {"1.2.3", "12.4", "20240131"}},
        {WN_FIELD_maker, {"Apple", "samsung", "Nobody"}},
        {WN_FIELD_model, {"iPhone14,5", "SM-G991B", "Pixel 8"}},
        {WN_FIELD_connection, {"wifi", "4g", "pigeon"}},
        {WN_FIELD_campaign, {"spring", "autumn-24", "a b"}},
        {WN_FIELD_link, {"/a/b", "https://example.com/c", "https://elsewhere.example/"}},
        {WN_FIELD_exit_link, {"https://www.bbc.co.uk/news", "mailto:x", "/a"}},
        {WN_FIELD_feature, {"export", "Dark Mode", "12345678"}},
        {WN_FIELD_interaction, {"1", "7", "many"}},
        {WN_FIELD_search_term, {"red shoes", "Schuhe", "call 0660 1234567"}},
        {WN_FIELD_crash, {"SIGSEGV", "java.lang.NullPointerException", "x: y"}},
        {WN_FIELD_age, {"40", "13", "200"}},
        {WN_FIELD_job_title, {"Nurse", "Software Engineer", "Wizard"}},
        {WN_FIELD_survey, {"nps", "nps", "other"}},
        {WN_FIELD_answer, {"0", "10", "11"}},
        {WN_FIELD_us_privacy, {"1YYN", "1YNN", "1---"}},
        {WN_FIELD_att, {"3", "2", "authorized"}},
        {WN_FIELD_gcs, {"G111", "G100", "G1--"}},
    };
    static const wn_field ids[] = {
        WN_FIELD_idfa,  WN_FIELD_gaid,    WN_FIELD_windows_id, WN_FIELD_idfv,       WN_FIELD_udid,
        WN_FIELD_phone, WN_FIELD_carrier, WN_FIELD_latitude,   WN_FIELD_android_id, WN_FIELD_longitude};
    char id[64];
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (rand() % 4 == 0) add(s, rows[i].field, rows[i].values[rand() % 3]);
    for (size_t i = 0; i < WN_COUNT(ids); i++) {
        if (rand() % 4) continue;
        random_id(id, 6 + (size_t)rand() % 40);
        add(s, ids[i], id);
    }
}

static void random_script(script *s) {
    char id[64];
    s->n = 0;
    add(s, WN_FIELD_site, "example");
    add(s, WN_FIELD_name, PICK("pageview", "signup", "Order 12345", "click"));
    add(s, WN_FIELD_url,
        PICK("https://example.com/a/b?x=1", "/u/bob%2540example.com",
             "https://shop.example.com/?utm_source=google&utm_medium=cpc",
             "/2024/05/x;sid=1?utm_campaign=spring#f"));
    if (rand() % 2)
        add(s, WN_FIELD_referrer,
            PICK("https://www.google.com/", "https://example.com/a", "https://alice.github.io/x", "x"));
    if (rand() % 2) add(s, WN_FIELD_language, PICK("de", "en-US", "xx"));
    if (rand() % 2) add(s, WN_FIELD_screen, PICK("1920x1080", "390"));
    if (rand() % 2) add(s, WN_FIELD_country, PICK("DE", "XX"));
    if (rand() % 2) add(s, WN_FIELD_props, "");
    static const wn_field ids[] = {WN_FIELD_user_id, WN_FIELD_anonymous_id, WN_FIELD_device_id,
                                   WN_FIELD_org,     WN_FIELD_batch_id,     WN_FIELD_user_sig};
    for (size_t i = 0; i < WN_COUNT(ids); i++) {
        if (rand() % 2) continue;
        random_id(id, 6 + (size_t)rand() % 40);
        add(s, ids[i], id);
    }
    if (rand() % 8 == 0) add(s, WN_FIELD_dnt, "1");
    random_extras(s);
}

static void set_all(const script *s, unsigned grants, const size_t *order) {
    rig_clear(&r);
    for (size_t i = 0; i < s->n; i++) {
        size_t at = order ? order[i] : i;
        cr_assert_eq(rig_set_bytes(&r, s->field[at], s->value[at], strlen(s->value[at])), WN_KEEP);
    }
    rig_set_bytes(&r, WN_FIELD_purposes, NULL, 0);
    static const char *const names[] = {"basic", "measure", "locate", "share", "profile", "sensitive"};
    for (unsigned p = 0; p < WN_PURPOSE_N; p++)
        if (grants >> p & 1) rig_set(&r, "purposes", names[p]);
}

static void surroundings(void) {
    char text[32];
    snprintf(text, sizeof text, "192.0.2.%d", rand() % 256);
    rig_address(&r, rand() % 4 ? text : NULL);
    rig_agent(&r, rand() % 2 ? rig_chrome : rig_iphone);
    r.sender.server_key = rand() % 4 == 0;
    r.has_policy = rand() % 2;
    r.region = rand() % 2 ? "FR-BRE" : NULL;
}

typedef struct result {
    wn_verdict verdict;
    wn_observation obs;
    bool has_batch_id;
    uint8_t batch_key[16];
    wn_value values[WN_OPEN_N];
} result;

static void run(result *out) {
    memset(out, 0, sizeof *out);
    out->verdict = rig_run(&r);
    out->obs = r.out.obs;
    out->has_batch_id = r.out.has_batch_id;
    memcpy(out->batch_key, r.out.batch_key, 16);
    for (unsigned d = 0; d < WN_OPEN_N; d++) {
        if (r.out.values[d] == NULL) continue;
        memcpy(out->values[d].nonce, r.out.values[d]->nonce, 24);
        out->values[d].n = r.out.values[d]->n;
        memcpy(out->values[d].bytes, r.out.values[d]->bytes, r.out.values[d]->n);
    }
}

Test(filter_properties, order_of_fields_changes_nothing) {
    for (int i = 0; i < EVENTS; i++) {
        script s;
        result a, b;
        size_t order[FIELDS_MAX];
        random_script(&s);
        surroundings();
        set_all(&s, 1 | (unsigned)rand() % 64, NULL);
        unsigned grants = 1 | (unsigned)rand() % 64;
        set_all(&s, grants, NULL);
        run(&a);
        for (size_t k = 0; k < s.n; k++) order[k] = k;
        for (size_t k = s.n; k > 1; k--) {
            size_t j = (size_t)rand() % k, swap = order[k - 1];
            order[k - 1] = order[j];
            order[j] = swap;
        }
        set_all(&s, grants, order);
        run(&b);
        cr_assert_arr_eq(&a, &b, sizeof a);
    }
}

Test(filter_properties, a_duplicate_refuses_and_leaves_nothing) {
    for (int i = 0; i < EVENTS; i++) {
        script s;
        result a, none;
        random_script(&s);
        surroundings();
        set_all(&s, 1, NULL);
        size_t at = (size_t)rand() % s.n;
        cr_assert_eq(rig_set_bytes(&r, s.field[at], "other", 1), WN_VERDICT_duplicate_field);
        run(&a);
        memset(&none, 0, sizeof none);
        none.verdict = WN_VERDICT_duplicate_field;
        cr_assert_arr_eq(&a, &none, sizeof a);
    }
}

Test(filter_properties, no_run_of_an_identifying_value_comes_out) {
    for (int i = 0; i < EVENTS; i++) {
        script s;
        random_script(&s);
        surroundings();
        bool refused = rand() % 4 == 0;
        set_all(&s, refused ? 0 : 1 | (unsigned)rand() % 64, NULL);
        cr_assert_eq(rig_run(&r) == WN_VERDICT_refused, refused);
        for (size_t k = 0; k < s.n; k++) {
            bool identifying = (s.field[k] >= WN_FIELD_user_id && s.field[k] <= WN_FIELD_longitude) ||
                               s.field[k] == WN_FIELD_batch_id;
            if (identifying || refused)
                cr_assert_not(rig_leaks(&r, s.value[k], strlen(s.value[k]), 6), "%s", s.value[k]);
        }
        // "Windows " stands in the label of a system with its version, too.
        cr_assert_not(rig_leaks(&r, rig_chrome, strlen(rig_chrome), 9));
        cr_assert_not(rig_leaks(&r, "192.0.2.", 8, 6));
        if (r.sender.address) cr_assert_not(rig_leaks(&r, r.address.b + 12, 4, 4));
        cr_assert_not(r.trace.identifying);
    }
}

// Fewer grants: nothing appears that was not there. Only the person's pseudonym
// changes (it falls back to the network), and flags, org and values only go.
Test(filter_properties, removing_a_grant_never_adds) {
    for (int i = 0; i < EVENTS; i++) {
        script s;
        result more, less;
        random_script(&s);
        surroundings();
        unsigned grants = (unsigned)rand() % 64, fewer = grants & ~(1u << rand() % WN_PURPOSE_N);
        set_all(&s, grants, NULL);
        run(&more);
        set_all(&s, fewer, NULL);
        run(&less);
        if (less.verdict != WN_KEEP) {
            static const wn_observation nothing;
            cr_assert_arr_eq(&less.obs, &nothing, sizeof nothing);
            cr_assert_not(less.has_batch_id);
            continue;
        }
        cr_assert_eq(more.verdict, WN_KEEP);
        cr_assert_eq(less.obs.flags & ~more.obs.flags, 0);
        cr_assert(less.obs.org == more.obs.org || less.obs.org == 0);
        for (unsigned d = 0; d < WN_OPEN_N; d++)
            cr_assert(less.values[d].n == 0 ||
                      memcmp(&less.values[d], &more.values[d], sizeof less.values[d]) == 0);
        for (unsigned d = 0; d < WN_CLOSED_N; d++)
            cr_assert(less.obs.closed[d] == 0 || less.obs.closed[d] == more.obs.closed[d]);
        cr_assert(less.obs.prefix == more.obs.prefix && less.obs.kind == more.obs.kind &&
                  less.obs.site == more.obs.site);
    }
}

Test(filter_properties, warm_caches_change_nothing) {
    static script scripts[2000];
    static result cold[2000];
    for (size_t i = 0; i < 2000; i++) {
        random_script(&scripts[i]);
        char url[64];
        snprintf(url, sizeof url, "https://example.com/p/%zu/%zu", i % 900, i % 7);
        memcpy(scripts[i].value[2], url, sizeof url);
    }
    rig_address(&r, "192.0.2.7");
    rig_agent(&r, rig_chrome);
    uint8_t key[32] = {8};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 2000; i++) {
            if (round == 0) wn_scratch_init(r.scratch, key); // always cold
            set_all(&scripts[i], 3, NULL);
            result now;
            run(round == 0 ? &cold[i] : &now);
            if (round > 0) cr_assert_arr_eq(&now, &cold[i], sizeof now);
        }
}
