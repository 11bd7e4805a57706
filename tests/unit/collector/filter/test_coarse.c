// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "coarse.h"

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

#define CODE(a, b) (uint16_t)((a) << 8 | (b))

Test(coarse, language_is_the_listed_primary_subtag) {
    static const struct {
        const char *text;
        uint16_t want;
    } rows[] = {
        {"", 0},
        {"d", 0},
        {"xx", 0},
        {"deu", 0},
        {"*", 0},
        {"d1", 0},
        {"zz-DE", 0},
        {"de", CODE('d', 'e')},
        {"DE-at", CODE('d', 'e')},
        {"en_US", CODE('e', 'n')},
        {"fr;q=0.9,de", CODE('f', 'r')},
        {"pt-BR,pt;q=0.9", CODE('p', 't')},
        {" it", CODE('i', 't')},
        {"zh-Hans-CN-x-bob", CODE('z', 'h')},
        {"aa", CODE('a', 'a')},
        {"zu", CODE('z', 'u')},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_language_code(span(rows[i].text)), rows[i].want, "%s", rows[i].text);
}

Test(coarse, country_is_a_listed_code) {
    static const struct {
        const char *text;
        uint16_t want;
    } rows[] = {
        {"", 0},
        {"D", 0},
        {"DEU", 0},
        {"XX", 0},
        {"ZZ", 0},
        {"A1", 0},
        {"DE", CODE('D', 'E')},
        {"de", CODE('D', 'E')},
        {"AD", CODE('A', 'D')},
        {"ZW", CODE('Z', 'W')},
        {"XK", CODE('X', 'K')},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_country_code(span(rows[i].text)), rows[i].want, "%s", rows[i].text);
}

Test(coarse, every_listed_code_is_found_and_valid) {
#define LANGUAGE(code) code,
    static const char *const languages[] = {
#include "languages.def"
    };
#undef LANGUAGE
#define COUNTRY(code) code,
    static const char *const countries[] = {
#include "countries.def"
    };
#undef COUNTRY
    for (size_t i = 0; i < WN_COUNT(languages); i++) {
        cr_expect_eq(wn_language_code(span(languages[i])), CODE(languages[i][0], languages[i][1]));
        cr_expect(wn_closed_valid(WN_DIM_language, wn_language_code(span(languages[i]))));
        cr_expect(i == 0 || strcmp(languages[i - 1], languages[i]) < 0);
    }
    for (size_t i = 0; i < WN_COUNT(countries); i++) {
        cr_expect_eq(wn_country_code(span(countries[i])), CODE(countries[i][0], countries[i][1]));
        cr_expect(wn_closed_valid(WN_DIM_country, wn_country_code(span(countries[i]))));
        cr_expect(i == 0 || strcmp(countries[i - 1], countries[i]) < 0);
    }
}

Test(coarse, screen_is_a_class_of_the_width) {
    static const struct {
        const char *text;
        uint16_t want;
    } rows[] = {
        {"", 0},      {"x", 0},        {"0", 0},     {"-5", 0},      {"1e3", 0},       {"x1080", 0},
        {"1920x", 0}, {"1920x10a", 0}, {"1920 ", 0}, {"1234567", 0}, {"1", 1},         {"575", 1},
        {"576", 2},   {"767", 2},      {"768", 3},   {"991", 3},     {"992", 4},       {"1439", 4},
        {"1440", 5},  {"1919", 5},     {"1920", 6},  {"999999", 6},  {"1920x1080", 6}, {"390x844", 1},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_screen_class(span(rows[i].text)), rows[i].want, "%s", rows[i].text);
}

Test(coarse, time_is_seconds_milliseconds_or_rfc_3339) {
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        // -1: refused
        {"", -1},
        {"now", -1},
        {"-5", -1},
        {"1.5.2", -1},
        {"1e9", -1},
        {".5", -1},
        {"12345678901234567", -1},
        {"1700000000 ", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"2023-11-15", -1},
        {"0", 0},
        {"1700000000", 1700000000},
        {"1700000000.999", 1700000000},
        {"1700000000.", 1700000000},
        {"1700000000123", 1700000000},
        {"100000000000", 100000000000},
        {"100000000001", 100000000},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14T23:13:20.5+01:00", 1700000000},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        int64_t got = -1;
        bool fine = wn_event_time(span(rows[i].text), &got);
        cr_expect_eq(fine, rows[i].want >= 0, "%s", rows[i].text);
        if (fine) cr_expect_eq(got, rows[i].want, "%s", rows[i].text);
    }
}

Test(coarse, event_name_is_plain_or_hidden) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"  ", ""},
        {"pageview", "pageview"},
        {"PageView", "pageview"},
        {" Sign Up ", "sign up"},
        {"order.completed:v2", "order.completed:v2"},
        {"step_1-of_3", "step_1-of_3"},
        {"bob@example.com", ":x"},
        {"call 0170 1234567", ":x"},
        {"order 12345", ":x"},
        {"order 1234", ":x"},
        {"2024 sale", "2024 sale"},
        {"123e4567-e89b-12d3-a456-426614174000", ":x"},
        {"caf\xc3\xa9", ":x"},
        {"a\nb", ":x"},
        {"a/b", ":x"},
        {"<b>", ":x"},
        {"bob%40example.com", ":x"},
        {"192.0.2.7", ":x"},
        {"login from 81.2.69.14", ":x"},
        {"dev 00:1a:2b:3c:4d:5e", ":x"},
        {"2001:db8::1", ":x"},
        {"alice at example dot com", ":x"},
        {"call 22 33 44 55", ":x"},
        {"sk_live_abcdefghijkl", ":x"},
        {"reset VbXqLmWzPtRkHsNdFgTy", ":x"},
        {"login from 81.2.69", "login from 81.2.69"},
        {"dev 00:1a", "dev 00:1a"},
        {"alice at home", "alice at home"},
        {"call 22 33 44", "call 22 33 44"},
        {"sk_live_music", "sk_live_music"},
        {"GettingStartedGuide", "gettingstartedguide"},
        {"a b c d e f g h i j k l m n o p q r s t", "a b c d e f g h i j k l m n o p q r s t"},
        {"a b c d e f g h i j k l m n o p q r s tu", "a b c d e f g h i j k l m n o p q r s tu"},
        {"a b c d e f g h i j k l m n o p q r s tuv", ":x"},
        {":x", ":x"},
        {"abcdefghijklmnopqrstuvwxy", ":x"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_EVENT_NAME_MAX + 1] = "";
        size_t n = wn_event_name(span(rows[i].text), out);
        cr_expect_eq(n, strlen(rows[i].want), "%s", rows[i].text);
        if (n) cr_expect_str_eq(out, rows[i].want, "%s", rows[i].text);
    }
}

Test(coarse, model_is_a_listed_word_and_what_makers_put_behind) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"C02XK1ZRJGH5", ""},
        {"R58M30ABCDE", ""},
        {"J7XQ2MWK9T", ""},
        {"alice smith iphone", ""},
        {"Alice-MacBook", ""},
        {"Alice's iPhone", ""},
        {"iPhone Alice", ""},
        {"iPhone-Alice", ""},
        {"iPhone of Alice", ""},
        {"MacBook Smith", ""},
        {"alice-at-example.com", ""},
        {"123-456", ""},
        {"qwertyuiopasdfghjklzxcvbnmqwerty", ""},
        {"iphones", ""},
        {"galaxyalice", ""},
        {"Galaxy R58M30ABCDE", ""},
        {"Galaxy 123456", ""},
        {"SM-123456", ""},
        {"Pixel 8 Pro 5G a", ""},
        {"iPhone 192.0.2.7", ""},
        {"caf\xc3\xa9", ""},
        {"iPhone\n", ""},
        {"SM-G991B", "sm-g991b"},
        {"iPhone14,5", "iphone14,5"},
        {"Pixel 8 Pro", "pixel 8 pro"},
        {"moto g(60)", "moto g(60)"},
        {"moto g power", "moto g power"},
        {"Galaxy S21 Ultra", "galaxy s21 ultra"},
        {"iPad", "ipad"},
        {"MacBookPro18,3", "macbookpro18,3"},
        {"Redmi Note 12", "redmi note 12"},
        {"ThinkPad X1", "thinkpad x1"},
        {"CPH2449", "cph2449"},
        {"Apple Watch", "apple watch"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_MODEL_MAX + 1] = "";
        size_t n = wn_model(span(rows[i].text), out);
        cr_expect_eq(n, strlen(rows[i].want), "%s", rows[i].text);
        cr_expect_str_eq(out, rows[i].want, "%s", rows[i].text);
    }
}
