// SPDX-License-Identifier: Apache-2.0
// What each kind of destination is sent, byte for byte, and that none of it is ever of a person.
#include <sodium.h>
#include <stdlib.h>

#include "crypt.h"
#include "forward_kit.h"

// BLAKE2b-144 of destination, site, table, window, "row" or "other" and labels, worked out elsewhere.
#define ID_A "388e2dc810b15b31a52f4b6f77481ccd30a6"
#define ID_B "f55bf1c37cedde49e6e736296b7ede67b113"
#define ID_OTHER "73fadc509bf411fd10c58eb6c06231cd39f7"
#define ID_NOISE "815564702fd703fd5aac99f51b1fd1cee8fa"
#define ID_BATCH "d5681570a1d46b5c5c23aac615eeae1f5672" // of all three

#define WHERE ",\"site\":\"example\",\"table\":\"pages\",\"day\":\"2026-11-20\",\"zone\":\"Europe/Berlin\""
#define HOW ",\"profile\":\"crowd\",\"k\":20,\"plan_version\":3,\"policy_version\":2"
#define FACTS_A                                                                                              \
    WHERE ",\"route\":\"/a\",\"people\":40,\"events\":120,\"sessions\":60,\"bounces\":20,\"seconds\":900,"   \
          "\"number2\":500" HOW
#define FACTS_B WHERE ",\"route\":\"/b\",\"people\":20,\"events\":21,\"sessions\":20" HOW
#define FACTS_OTHER WHERE ",\"row\":\"other\",\"people\":20,\"events\":33,\"sessions\":20" HOW
#define FACTS_NOISE                                                                                          \
    ",\"site\":\"example\",\"table\":\"noise_devices\",\"day\":\"2026-11-20\",\"zone\":\"Europe/Berlin\","   \
    "\"device\":\"phone\",\"system\":\"Android\",\"people\":138,\"profile\":\"noise\",\"rho_micro\":30000,"  \
    "\"k\":20,\"plan_version\":3,\"policy_version\":2"

static wn_public_head crowd, noise;
static wn_destination to;
static wn_sink_batch batch;
static wn_sink_request r;

static void setup(void) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    crowd = crowd_head();
    noise = noise_head();
}

static void teardown(void) {
    wn_sink_request_fini(&r);
}

TestSuite(sinks, .init = setup, .fini = teardown);

static void use(const char *kind, const char *account, const char *user, const char *secret) {
    to = destination_of(kind);
    snprintf(to.account, sizeof to.account, "%s", account);
    snprintf(to.user, sizeof to.user, "%s", user);
    snprintf(to.secret, sizeof to.secret, "%s", secret);
    batch = (wn_sink_batch){.to = &to, .head = &crowd, .rows = crowd_rows, .n = 3, .now_s = DAY_END_S + 7200};
}

static wn_err write_it(void) {
    wn_sink_request_fini(&r);
    return wn_sink_by_kind(to.kind)->write(&batch, &r);
}

static void wrote(const char *url, const char *const *headers, size_t headers_n, const char *body) {
    cr_assert_eq(write_it(), WN_OK);
    cr_assert_str_eq(r.url, url);
    cr_assert_eq(r.headers_n, headers_n);
    for (size_t i = 0; i < headers_n; i++) cr_assert_str_eq(r.header[i], headers[i]);
    cr_assert(r.body_bytes == strlen(body) && memcmp(r.body, body, r.body_bytes) == 0, "%.*s",
              (int)r.body_bytes, r.body);
}

static void use_noise(void) {
    batch.head = &noise;
    batch.rows = &noise_row;
    batch.n = 1;
}

Test(sinks, rows_have_names_that_last_and_differ) {
    char id[WN_ROW_ID_BYTES], other[WN_ROW_ID_BYTES];
    use("file", "", "", "");
    static const char *const want[] = {ID_A, ID_B, ID_OTHER};
    for (size_t i = 0; i < 3; i++) {
        wn_row_id(&batch, i, id);
        cr_assert_str_eq(id, want[i]);
    }
    wn_batch_id_text(&batch, id);
    cr_assert_str_eq(id, ID_BATCH);
    // Alone, later, in another place of the request: the same.
    batch.rows++, batch.first = 1, batch.n = 1, batch.now_s += 86400;
    crowd.tick++, crowd.plan_version++;
    wn_row_id(&batch, 0, id);
    cr_assert_str_eq(id, ID_B);
    // A row that is called "other" is not the one that holds what is left over; labels do not run together.
    static const wn_public_row near[] = {{.is_other = true},
                                         {.label = {"other"}},
                                         {.label = {"a", "b"}},
                                         {.label = {"ab"}},
                                         {.label = {"", "ab"}}};
    batch.rows = near, batch.n = 5;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++) {
            wn_row_id(&batch, i, id);
            wn_row_id(&batch, j, other);
            cr_assert_str_neq(id, other);
        }
    for (int what = 0; what < 4; what++) { // another receiver, site, table, day
        wn_row_id(&batch, 0, id);
        if (what == 0) snprintf(to.name, sizeof to.name, "elsewhere");
        if (what == 1) snprintf(crowd.site, sizeof crowd.site, "shop");
        if (what == 2) snprintf(crowd.table, sizeof crowd.table, "routes");
        if (what == 3) crowd.window.day++;
        wn_row_id(&batch, 0, other);
        cr_assert_str_neq(id, other);
    }
}

Test(sinks, file) {
    use("file", "", "", "");
    snprintf(to.path, sizeof to.path, "/out");
    wrote("/out/example.pages.2026-11-20.web.Europe_Berlin.000000.ndjson", NULL, 0,
          "{\"id\":\"" ID_A "\"" FACTS_A "}\n{\"id\":\"" ID_B "\"" FACTS_B "}\n{\"id\":\"" ID_OTHER
          "\"" FACTS_OTHER "}\n");
    use_noise();
    batch.first = 2000;
    wrote("/out/example.noise_devices.2026-11-20.web.Europe_Berlin.002000.ndjson", NULL, 0,
          "{\"id\":\"" ID_NOISE "\"" FACTS_NOISE "}\n");
}

Test(sinks, webhook_signs_what_the_specification_says) {
    // The specification's own example.
    uint8_t key[24];
    size_t n = 0;
    cr_assert_eq(sodium_base642bin(key, sizeof key, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32, NULL, &n, NULL,
                                   sodium_base64_VARIANT_ORIGINAL),
                 0);
    static const char body[] = "{\"test\": 2432232314}";
    char signature[64];
    wn_webhook_sign(key, sizeof key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                    (wn_span){(const uint8_t *)body, sizeof body - 1}, signature);
    cr_assert_str_eq(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

Test(sinks, webhook) {
    use("webhook", "", "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    snprintf(to.url, sizeof to.url, "https://x.example/hook?a=1");
    static const char *const headers[] = {
        "Content-Type: application/json",   "webhook-id: " ID_BATCH, "webhook-timestamp: 1795222800",
        "webhook-signature: SIGNED",        "ce-specversion: 1.0",   "ce-id: " ID_BATCH,
        "ce-source: /winnow/example/pages", "ce-type: winnow.rows"};
    cr_assert_eq(write_it(), WN_OK);
    cr_assert_eq(r.headers_n, WN_COUNT(headers));
    for (size_t i = 0; i < WN_COUNT(headers); i++)
        if (i != 3) cr_assert_str_eq(r.header[i], headers[i]);
    static const char body[] =
        "{\"type\":\"winnow.rows\",\"timestamp\":\"2026-11-20T23:00:00Z\",\"id\":\"" ID_BATCH
        "\",\"data\":[{\"id\":\"" ID_A "\"" FACTS_A "},{\"id\":\"" ID_B "\"" FACTS_B "},{\"id\":\"" ID_OTHER
        "\"" FACTS_OTHER "}]}";
    cr_assert_str_eq(r.url, "https://x.example/hook?a=1");
    cr_assert(r.body_bytes == sizeof body - 1 && memcmp(r.body, body, r.body_bytes) == 0, "%s", r.body);
    // Later: the same id and body, another time and signature.
    char signature[512];
    snprintf(signature, sizeof signature, "%s", r.header[3]);
    batch.now_s++;
    cr_assert_eq(write_it(), WN_OK);
    cr_assert_str_eq(r.header[1], "webhook-id: " ID_BATCH);
    cr_assert_str_eq(r.header[2], "webhook-timestamp: 1795222801");
    cr_assert_str_neq(r.header[3], signature);
    cr_assert(memcmp(r.body, body, r.body_bytes) == 0);
}

Test(sinks, webhook_s_secret_is_24_to_64_bytes_in_the_form_agreed) {
    static const struct {
        size_t bytes;
        wn_err err;
    } rows[] = {{23, WN_ERR_CONFIG}, {24, WN_OK}, {64, WN_OK}, {65, WN_ERR_CONFIG}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char text[128];
        size_t left = rows[i].bytes % 3, n = (rows[i].bytes + 2) / 3 * 4;
        memset(text, 'A', n);
        if (left != 0) memset(text + n - (3 - left), '=', 3 - left);
        text[n] = '\0';
        use("webhook", "", "", "");
        snprintf(to.secret, sizeof to.secret, "whsec_%.100s", text);
        cr_assert_eq(write_it(), rows[i].err, "%zu", rows[i].bytes);
    }
    static const char *const bad[] = {"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_",
                                      "whsec_not base64 at all, is it?",
                                      "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        use("webhook", "", "", bad[i]);
        cr_assert_eq(write_it(), WN_ERR_CONFIG, "%s", bad[i]);
    }
}

// distinct_id "" and ip 0: nobody, nowhere; $insert_id of at most 36 of [A-Za-z0-9-].
Test(sinks, mixpanel) {
    use("mixpanel", "12345", "sa.name", "s3cret");
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Authorization: Basic c2EubmFtZTpzM2NyZXQ="};
#define MIXED(id, table)                                                                                     \
    "{\"event\":\"winnow_" table                                                                             \
    "\",\"properties\":{\"time\":1795129200,\"distinct_id\":\"\",\"$insert_id\":\"" id "\",\"ip\":0"
    wrote("https://api.mixpanel.com/import?strict=1&project_id=12345", headers, 2,
          "[" MIXED(ID_A, "pages") FACTS_A "}}," MIXED(ID_B, "pages") FACTS_B "}}," MIXED(ID_OTHER, "pages")
              FACTS_OTHER "}}]");
    cr_assert_leq(strlen(ID_A), 36);
    snprintf(to.url, sizeof to.url, "https://api-eu.mixpanel.com");
    use_noise();
    wrote("https://api-eu.mixpanel.com/import?strict=1&project_id=12345", headers, 2,
          "[" MIXED(ID_NOISE, "noise_devices") FACTS_NOISE "}}]");
}

Test(sinks, mixpanel_refuses_a_secret_that_no_header_holds) {
    use("mixpanel", "12345", "u", "");
    memset(to.secret, 'x', 355);
    cr_assert_eq(write_it(), WN_OK);
    to.secret[355] = 'x', to.secret[356] = 'x', to.secret[357] = 'x', to.secret[358] = 'x';
    cr_assert_eq(write_it(), WN_ERR_CONFIG);
}

#define GA4_HEAD(table, shard)                                                                               \
    "{\"client_id\":\"agg.example." table "." shard "\",\"timestamp_micros\":1795215599000000,\"consent\":{" \
    "\"ad_user_data\":\"DENIED\",\"ad_personalization\":\"DENIED\"},\"events\":["
#define GA4_ROW(id, table) "{\"name\":\"winnow_" table "\",\"params\":{\"row_id\":\"" id "\""

Test(sinks, ga4) {
    static const char *const headers[] = {"Content-Type: application/json"};
    use("ga4", "G-ABC123", "", "s3cret");
    wrote("https://www.google-analytics.com/mp/collect?measurement_id=G-ABC123&api_secret=s3cret", headers, 1,
          GA4_HEAD("pages", "0") GA4_ROW(ID_A, "pages") FACTS_A "}}," GA4_ROW(ID_B, "pages") FACTS_B
          "}}," GA4_ROW(ID_OTHER, "pages") FACTS_OTHER "}}]}");
    use_noise();
    wrote("https://www.google-analytics.com/mp/collect?measurement_id=G-ABC123&api_secret=s3cret", headers, 1,
          GA4_HEAD("noise_devices", "0") GA4_ROW(ID_NOISE, "noise_devices") FACTS_NOISE "}}]}");
    static const char *const never[] = {"session_id",  "engagement_time_msec", "user_id",
                                        "ip_override", "user_agent",           "user_properties"};
    for (size_t i = 0; i < WN_COUNT(never); i++) cr_assert_null(strstr(r.body, never[i]), "%s", never[i]);
    cr_assert_eq(wn_sink_by_kind("ga4")->rows_max, 25);
}

Test(sinks, ga4_s_client_is_one_for_a_shard_whatever_the_rows) {
    use("ga4", "G-ABC123", "", "s");
    static const struct {
        size_t first;
        const char *shard;
    } rows[] = {{0, "\"agg.example.pages.0\""},
                {49999, "\"agg.example.pages.0\""},
                {50000, "\"agg.example.pages.1\""}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        batch.first = rows[i].first;
        batch.n = 1;
        batch.rows = &crowd_rows[i];
        cr_assert_eq(write_it(), WN_OK);
        cr_assert_not_null(strstr(r.body, rows[i].shard), "%s", r.body);
    }
}

Test(sinks, ga4_takes_no_window_older_than_three_days_and_no_name_over_40) {
    use("ga4", "G-ABC123", "", "s");
    batch.now_s = DAY_END_S - 1 + 72 * 3600;
    cr_assert_eq(write_it(), WN_OK);
    batch.now_s++;
    cr_assert_eq(write_it(), WN_ERR_STATE);
    batch.now_s = DAY_END_S;
    memset(crowd.table, 't', sizeof crowd.table - 1); // the longest a plan may have
    cr_assert_eq(write_it(), WN_OK);
    const char *name = strstr(r.body, "\"name\":\"");
    cr_assert(name != NULL && strcspn(name + 8, "\"") == 7 + 31);
    // What would end the address early, or begin another parameter.
    for (const char *bad = "&# %?/"; *bad != '\0'; bad++) {
        char account[] = "G-A_B";
        account[3] = *bad;
        use("ga4", account, "", "s");
        cr_assert_eq(write_it(), WN_ERR_CONFIG, "%s", account);
        use("ga4", "G-AB", "", account);
        cr_assert_eq(write_it(), WN_ERR_CONFIG, "%s", account);
    }
}

#define AS_TEXT                                                                                              \
    WHERE                                                                                                    \
    ",\"route\":\"/a\",\"people\":\"40\",\"events\":\"120\",\"sessions\":\"60\",\"bounces\":\"20\","         \
    "\"seconds\":\"900\",\"number2\":\"500\",\"profile\":\"crowd\",\"k\":\"20\",\"plan_version\":\"3\","     \
    "\"policy_version\":\"2\""

Test(sinks, hubspot_upserts_records_by_a_key_of_ours) {
    static const char *const headers[] = {"Content-Type: application/json", "Authorization: Bearer s3cret"};
    use("hubspot", "analytics_aggregate", "", "s3cret");
    batch.n = 1;
    wrote("https://api.hubapi.com/crm/v3/objects/analytics_aggregate/batch/upsert", headers, 2,
          "{\"inputs\":[{\"idProperty\":\"agg_key\",\"id\":\"" ID_A "\",\"properties\":{\"agg_key\":\"" ID_A
          "\"" AS_TEXT "}}]}");
    batch.n = 3;
    cr_assert_eq(write_it(), WN_OK);
    cr_assert_null(strstr(r.body, "email"));
    cr_assert_null(strstr(r.body, "utk"));
    cr_assert_eq(wn_sink_by_kind("hubspot")->rows_max, 100);
}

Test(sinks, hubspot_s_events_are_of_the_site_s_record) {
    static const char *const headers[] = {"Content-Type: application/json", "Authorization: Bearer s3cret"};
    use("hubspot", "pe1_rows", "", "s3cret");
    snprintf(to.object_id, sizeof to.object_id, "777");
    batch.n = 1;
    wrote("https://api.hubapi.com/events/v3/send/batch", headers, 2,
          "{\"inputs\":[{\"eventName\":\"pe1_rows\",\"objectId\":\"777\",\"occurredAt\":\"2026-11-20T22:59:"
          "59Z\","
          "\"uuid\":\"388e2dc8-10b1-5b31-a52f-4b6f77481ccd\",\"properties\":{\"agg_key\":\"" ID_A "\"" AS_TEXT
          "}}]}");
}

Test(sinks, clickhouse) {
    static const char *const headers[] = {"Content-Type: application/x-ndjson", "X-ClickHouse-User: winnow",
                                          "X-ClickHouse-Key: s3cret"};
#define CLICKED(id, start, l1, l2)                                                                           \
    "{\"id\":\"" id "\",\"window_start\":" start ",\"label1\":\"" l1 "\",\"label2\":\"" l2 "\""
    use("clickhouse", "stats.winnow_rows", "winnow", "s3cret");
    snprintf(to.url, sizeof to.url, "https://ch.example:8443");
    wrote("https://ch.example:8443/?query=INSERT%20INTO%20stats.winnow_rows%20FORMAT%20JSONEachRow"
          "&input_format_skip_unknown_fields=1",
          headers, 3,
          CLICKED(ID_A, "1795129200", "/a", "") FACTS_A "}\n" CLICKED(ID_B, "1795129200", "/b", "") FACTS_B
          "}\n" CLICKED(ID_OTHER, "1795129200", "", "") FACTS_OTHER "}\n");
    use_noise();
    to.user[0] = to.secret[0] = '\0';
    wrote("https://ch.example:8443/?query=INSERT%20INTO%20stats.winnow_rows%20FORMAT%20JSONEachRow"
          "&input_format_skip_unknown_fields=1",
          headers, 1, CLICKED(ID_NOISE, "1795129200", "phone", "Android") FACTS_NOISE "}\n");
}

// Labels were coined by clients: what they hold stays inside its string, and is cut between characters.
Test(sinks, labels_cannot_leave_their_string) {
    use("ga4", "G-ABC123", "", "s");
    wn_public_row row = {.people = 20};
    memset(row.label[0], 'x', 99);
    strcpy(row.label[0] + 99, "\xc3\xa4tail");
    batch.rows = &row, batch.n = 1;
    cr_assert_eq(write_it(), WN_OK);
    const char *at = strstr(r.body, "\"route\":\"");
    cr_assert(at != NULL && strcspn(at + 9, "\"") == 99, "%s", r.body);
    use("file", "", "", "");
    snprintf(to.path, sizeof to.path, "/out");
    snprintf(row.label[0], sizeof row.label[0], "a\",\"email\":\"x@y.z\n");
    batch.rows = &row, batch.n = 1;
    cr_assert_eq(write_it(), WN_OK);
    cr_assert_not_null(strstr(r.body, "\"route\":\"a\\\",\\\"email\\\":\\\"x@y.z"), "%s", r.body);
    cr_assert_eq(strcspn(r.body, "\n"), r.body_bytes - 1);
}

Test(sinks, only_six_kinds) {
    static const char *const kinds[] = {"clickhouse", "file", "ga4", "hubspot", "mixpanel", "webhook"};
    for (size_t i = 0; i < WN_COUNT(kinds); i++) cr_assert_str_eq(wn_sink_by_kind(kinds[i])->kind, kinds[i]);
    cr_assert_null(wn_sink_by_kind("kafka"));
    cr_assert_null(wn_sink_by_kind(""));
}
