// SPDX-License-Identifier: Apache-2.0
// Labels are coined by clients: no terminal escape, no broken JSON, no formula.
#include "report_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BAD "\xEF\xBF\xBD" // U+FFFD

typedef struct text_case {
    const char *in, *plain, *json, *csv;
} text_case;

static const text_case cases[] = {
    {"", "", "\"\"", ""},
    {"/a b", "/a b", "\"/a b\"", "/a b"},
    {"\x1b[31mred", BAD "[31mred", "\"\\u001b[31mred\"", BAD "[31mred"},
    {"a\"b\\c", "a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\"\"b\\c\""},
    {"a,b", "a,b", "\"a,b\"", "\"a,b\""},
    {"a\r\nb", "a" BAD BAD "b", "\"a\\u000d\\u000ab\"", "\"a" BAD BAD "b\""},
    {"\t\x7f", BAD BAD, "\"\\u0009\\u007f\"", BAD BAD},
    {"caf\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80",
     "\"caf\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80\"", "caf\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80"},
    {"\xC2\x9B"
     "31m",
     BAD "31m", "\"\\u009b31m\"", BAD "31m"}, // C1 CSI
    {"\xE2\x80\xAE"
     "gpj",
     BAD "gpj", "\"\\u202egpj\"", BAD "gpj"},                          // right-to-left override
    {"\xE2\x80\xA8", BAD, "\"\\u2028\"", BAD},                         // ends a line in JavaScript
    {"\xFF\xC3", BAD BAD, "\"" BAD BAD "\"", BAD BAD},                 // no UTF-8; cut short
    {"\xC0\xAF", BAD BAD, "\"" BAD BAD "\"", BAD BAD},                 // overlong
    {"\xED\xA0\x80", BAD BAD BAD, "\"" BAD BAD BAD "\"", BAD BAD BAD}, // surrogate
    {"\xF4\x90\x80\x80", BAD BAD BAD BAD, "\"" BAD BAD BAD BAD "\"", BAD BAD BAD BAD}, // past U+10FFFF
    {"=1+1", "=1+1", "\"=1+1\"", "'=1+1"},
    {"@x,y", "@x,y", "\"@x,y\"", "\"'@x,y\""},
    {"'t", "'t", "\"'t\"", "''t"}, // so that a reader may take one ' off
};

static void expect(void (*write)(FILE *out, const char *text), const char *in, const char *want) {
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    cr_assert(f);
    write(f, in);
    fclose(f);
    cr_assert_str_eq(text, want, "wrote %s, not %s", text, want);
    free(text);
}

static void plain(FILE *out, const char *text) {
    size_t n = wn_report_text_plain(out, text, 0);
    cr_assert_eq(n, wn_report_text_width(text, 0));
}

static void plain5(FILE *out, const char *text) {
    size_t n = wn_report_text_plain(out, text, 5);
    cr_assert_eq(n, wn_report_text_width(text, 5));
}

Test(report_text, survives_what_clients_coin) {
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        expect(plain, cases[i].in, cases[i].plain);
        expect(wn_report_text_json, cases[i].in, cases[i].json);
        expect(wn_report_text_csv, cases[i].in, cases[i].csv);
    }
}

Test(report_text, cuts_at_the_width_and_says_so) {
    expect(plain5, "abcd", "abcd");
    expect(plain5, "abcde", "abcde");
    expect(plain5, "abcdef", "abcd\xE2\x80\xA6");
    expect(plain5, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9",
           "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xE2\x80\xA6");
}
