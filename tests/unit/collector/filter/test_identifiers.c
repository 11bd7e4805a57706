// SPDX-License-Identifier: Apache-2.0
// What a golden line cannot say: limits, thresholds, time, names of keys.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "identifiers.h"

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static bool hit(const char *s) {
    return wn_identifier_in(span(s), NULL);
}

Test(identifiers, finds_nothing_in_nothing) {
    wn_identifier_kind kind = WN_IDENTIFIER_ip;
    cr_expect_not(wn_identifier_in((wn_span){NULL, 0}, &kind));
    cr_expect_eq(kind, WN_IDENTIFIER_ip, "written only when found");
    cr_expect_not(hit("\xc2\xad\xe2\x80\x8b"));
}

Test(identifiers, a_text_past_the_limit_is_a_hit) {
    static char text[4097];
    memset(text, 'a', sizeof text);
    for (size_t i = 9; i < sizeof text; i += 10) text[i] = ' ';
    wn_identifier_kind kind = WN_IDENTIFIER_N;
    cr_expect_not(wn_identifier_in((wn_span){(const uint8_t *)text, 4096}, NULL));
    cr_expect(wn_identifier_in((wn_span){(const uint8_t *)text, 4097}, &kind));
    cr_expect_eq(kind, WN_IDENTIFIER_too_long);
}

// The widest expansion there is, at the longest input: "(10)" from three bytes.
Test(identifiers, expanding_characters_fit) {
    static uint8_t text[4096];
    size_t n = 0;
    for (; n + 3 <= sizeof text; n += 3) memcpy(text + n, "\xe2\x91\xbd", 3);
    (void)wn_identifier_in((wn_span){text, n}, NULL);
    for (n = 0; n + 2 <= sizeof text; n += 2)
        memcpy(text + n, "\xc7\x84", 2); // U+01C4: two letters and a caron
    (void)wn_identifier_in((wn_span){text, n}, NULL);
    for (n = 0; n + 3 <= sizeof text; n += 3) memcpy(text + n, "\xef\xb7\xba", 3); // U+FDFA: eighteen
    cr_expect_not(wn_identifier_in((wn_span){text, n}, NULL));
}

Test(identifiers, thresholds_hold_at_their_edges) {
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"555123", false},           // 6 digits
        {"5551234", true},           // 7
        {"x55512345", false},        // 8 that touch a letter
        {"x555123456", true},        // 9
        {"tel:5551", false},         // 4
        {"tel:55512", true},         // 5
        {"7130000", false},          // three digits and zeros
        {"7131000", true},           // four
        {"0999-1900", true},         // no year
        {"1000-2099", false},        //
        {"2100-1999", true},         //
        {"top 1000 2024", false},    // a year and four digits
        {"top 10000 2024", true},    // and five
        {"12 345 678", false},       // thousands
        {"123 456 789", true},       // telephone
        {"2024-13-01", true},        // no month
        {"20241301", true},          //
        {"20241231", false},         //
        {"20240517235959", false},   //
        {"20240517245959", true},    // no hour
        {"$123456789", false},       // 9 digits
        {"$1234567891", true},       // 10
        {"9783161484101", true},     // not the check digit
        {"1k2k3k4k5k6k7k8", false},  // 15 characters
        {"1k2k3k4k5k6k7k8k", true},  // 16
        {"abcd1efgh2ijkl3m", true},  // turns 6 times in 16
        {"abcd1efghijklmn3", false}, // 3 times
        {"AKIAIOSFODNN7EXAMPL", false},
        {"AKIAIOSFODNN7EXAMPLE", true},
        {"a1b2c3d4e5f", false},    // 11 hexadecimal
        {"a1b2c3d4e5fa", true},    // 12
        {"52.520, 13.405", false}, // three decimals both
        {"52.520, 13.4050", true}, // four of one
        {"52.52, 13.4050", false}, //
        {"52.5200, 181.4050", false},
        {"eyJhbGciO.eyJzd.x", true},
        {"eyJhbGc.eyJzd.x", false}, // 7 characters of header
        {"eyJhbGci.eyJ.x", false},  // 3 of body
        {"192.0.2.255", true},
        {"192.0.2.256", false},
        {"eb00:1:2:3:4:5:6:7", true},
        {"eb00:1:2:3:4:5:6", false},
        {"DE89370400440532013001", true}, // not mod 97, but a long number
        {"GB82WEST12345698765433", true}, // likewise
        {"GB82 WEST", false},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(hit(rows[i].text), rows[i].want, "%s", rows[i].text);
}

Test(identifiers, a_wrong_check_digit_is_no_iban_and_no_card) {
    static const char *const rows[] = {"DE89370400440532013001", "GB82WEST12345698765433", "4111111111111112",
                                       "490154203237519"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_identifier_kind kind = WN_IDENTIFIER_N;
        cr_expect(wn_identifier_in(span(rows[i]), &kind));
        bool other = kind != WN_IDENTIFIER_iban && kind != WN_IDENTIFIER_card && kind != WN_IDENTIFIER_imei;
        cr_expect(other, "%s: %s", rows[i], wn_identifier_name(kind)); // a long number it still is
    }
}

Test(identifiers, case_does_not_hide_one) {
    cr_expect(hit("BOB@EXAMPLE.COM"));
    cr_expect(hit("BOB AT EXAMPLE DOT COM"));
    cr_expect(hit("GCLID=x"));
    cr_expect(hit("9774D56D682E549C"));
}

Test(identifiers, escapes_are_undone_to_a_fixed_point_and_deeper_ones_are_hits) {
    static const struct {
        const char *text;
        wn_identifier_kind want;
    } rows[] = {
        {"bob%40example.com", WN_IDENTIFIER_email},         // once
        {"bob%2540example.com", WN_IDENTIFIER_email},       // twice
        {"bob%252540example.com", WN_IDENTIFIER_email},     // three times
        {"bob%25252540example.com", WN_IDENTIFIER_escaped}, // four
        {"%62%6f%62%40%65%78%61%6d%70%6c%65%2e%63%6f%6d", WN_IDENTIFIER_email},
        {"%2%35%34%30", WN_IDENTIFIER_N},
        {"100%25 cotton", WN_IDENTIFIER_N},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_identifier_kind kind = WN_IDENTIFIER_N;
        (void)wn_identifier_in(span(rows[i].text), &kind);
        cr_expect_eq(kind, rows[i].want, "%s: %s", rows[i].text, wn_identifier_name(kind));
    }
}

// Wherever it stands, with ordinary text around it.
Test(identifiers, neighbours_do_not_hide_one) {
    static const char *const shapes[] = {"bob@example.com",
                                         "+49 170 1234567",
                                         "4111 1111 1111 1111",
                                         "192.0.2.7",
                                         "2001:db8::1",
                                         "123e4567-e89b-12d3-a456-426614174000",
                                         "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
                                         "DE89370400440532013000",
                                         "sk_live_4eC39HqLyjWD",
                                         "52.5200, 13.4050"};
    static const char *const around[][2] = {
        {"", ""},         {"a ", " b"},    {"(", ")"},
        {"\"", "\""},     {"id=", "&x=1"}, {"{", "}"},
        {"for:", ";"},    {"\n", "\r\n"},  {"caf\xc3\xa9 ", " \xe6\x97\xa5"},
        {"/u/", "/edit"}, {"<", ">"},      {"x,", ",y"}};
    for (size_t i = 0; i < WN_COUNT(shapes); i++)
        for (size_t k = 0; k < WN_COUNT(around); k++) {
            char text[256];
            snprintf(text, sizeof text, "%s%s%s", around[k][0], shapes[i], around[k][1]);
            cr_expect(hit(text), "%s", text);
        }
}

// Characters looked at stay within a multiple of the length, which does not
// grow with it: 2 KiB and 4 KiB of what costs most.
#define STEPS_A_BYTE 120
Test(identifiers, time_is_linear_on_hostile_texts) {
    static const char *const tiles[] = {
        "@",          "a@",       "a.",    "a@a.",      " at a.",   "x at a dot ", "1",
        "1 ",         "1-",       "1.",    "12-34-",    "a1",       "aA1",         "eyJ-",
        "eyJaaaaaa.", "eyJ",      "%25",   "%",         "%2525",    "f:",          ":",
        "::",         "1:",       "00-",   "0000.",     "DE89 ",    "D-E-8-9-",    "gb82a ",
        "xoxb-",      "sk_live_", "gclid", "_",         "=_kx",     "52.1234 ",    "1.2.",
        "-1.1,",      "ip-1-",    "0x",    "deadbeef-", "\xc2\xad", "a\xcc\x81",   "\xef\xbc\x91",
        "(",          "+1(",      "tel:",  "4111 ",     "\xc2\xb0", "1\xc2\xb0",   "a-b_c.",
        "at ",        "at at.at "};
    static uint8_t text[4096];
    for (size_t t = 0; t < WN_COUNT(tiles); t++) {
        size_t bytes = strlen(tiles[t]), steps[2] = {0};
        for (size_t size = 0; size < 2; size++) {
            size_t n = size == 0 ? 2048 : 4096;
            for (size_t i = 0; i < n; i++) text[i] = (uint8_t)tiles[t][i % bytes];
            wn_identifier_kind kind;
            (void)wn_identifier_count((wn_span){text, n - n % bytes}, &kind, &steps[size]);
            cr_expect_leq(steps[size], n * STEPS_A_BYTE, "%s: %zu steps on %zu bytes", tiles[t], steps[size],
                          n);
        }
        cr_expect_leq(steps[1], steps[0] * 2 + 4096, "%s: %zu, then %zu", tiles[t], steps[0], steps[1]);
    }
}

Test(identifiers, keys_that_name_an_identifier_are_known_in_every_spelling) {
    static const char *const rows[] = {
        "email",
        "Email",
        "E-Mail",
        "e_mail",
        "userEmail",
        "user_email",
        "USER_EMAIL",
        "useremail",
        "email_hash",
        "customer.email",
        "contact[email]",
        "emailAddress",
        "phone",
        "phone_number",
        "phoneNumber",
        "homePhone",
        "Mobile-Number",
        "ssn",
        "user_ssn",
        "idfa",
        "device_idfa",
        "IDFA",
        "gaid",
        "adid",
        "udid",
        "imei",
        "imei2",
        "deviceImei",
        "token",
        "access_token",
        "csrfToken",
        "authToken",
        "reset-token",
        "session_id",
        "sessionId",
        "PHPSESSID",
        "JSESSIONID",
        "sid",
        "first_name",
        "firstName",
        "firstname",
        "lastName",
        "customerLastName",
        "surname",
        "birthday",
        "birth_date",
        "dateOfBirth",
        "dob",
        "password",
        "apiKey",
        "X-Api-Key",
        "user_id",
        "userId",
        "anonymousId",
        "distinct_id",
        "client_ip",
        "ipAddress",
        "latitude",
        "geo.lat",
        "cardNumber",
        "credit_card",
        "gclid",
        "fbclid",
        "_kx",
        "li_fat_id",
        "mc_eid",
        "em%61il",
        "\xef\xbd\x85mail",
        "e\xe2\x80\x8bmail",
        "uuid",
        "macAddress",
        "iban",
        "%252565mail",
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect(wn_identifier_key(span(rows[i])), "%s", rows[i]);
}

Test(identifiers, keys_of_ordinary_properties_pass) {
    static const char *const rows[] = {
        "",
        "plan",
        "color",
        "microphone",
        "saxophone",
        "phonecase",
        "headphones",
        "tokenizer",
        "tokens",
        "token_count",
        "sessions",
        "session_count",
        "side",
        "acid",
        "lesson",
        "mission",
        "classname",
        "filename",
        "product_name",
        "pagename",
        "hotel",
        "towel_type",
        "cellar",
        "ship",
        "tip",
        "zipper",
        "flat",
        "platform",
        "salon",
        "balloon",
        "rabid",
        "avoid",
        "paid",
        "prepaid",
        "adidas",
        "category",
        "price",
        "currency",
        "quantity",
        "shipping",
        "addressable",
        "birthstone",
        "nickel",
        "streetwear",
        "longitudinal",
        "mailbox",
        "version",
        "locale",
        "gclidx",
        "epikk",
        "value",
        "step",
        "variant",
        "button_id",
        "product_id",
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        cr_expect_not(wn_identifier_key(span(rows[i])), "%s", rows[i]);
    }
}

Test(identifiers, a_key_too_long_or_unreadable_is_taken_for_one) {
    static char key[129];
    memset(key, 'a', sizeof key);
    cr_expect_not(wn_identifier_key((wn_span){(const uint8_t *)key, 128}));
    cr_expect(wn_identifier_key((wn_span){(const uint8_t *)key, 129}));
    cr_expect(wn_identifier_key(span("caf\xe9")));
    cr_expect(wn_identifier_key(span("a%25252541")));
}
