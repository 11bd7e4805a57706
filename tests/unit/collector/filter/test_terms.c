// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "identifiers.h"
#include "terms.h"

typedef struct row {
    const char *text, *want; // "": refused
} row;

static void expect(const row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char out[WN_TERM_BYTES_MAX + 1] = "";
        size_t bytes = wn_term((wn_span){(const uint8_t *)rows[i].text, strlen(rows[i].text)}, out);
        cr_expect_eq(bytes, strlen(rows[i].want), "%s", rows[i].text);
        cr_expect_str_eq(out, rows[i].want, "%s", rows[i].text);
    }
}

Test(terms, refuses_identifiers_wherever_they_stand) {
    static const row rows[] = {
        {"", ""},
        {" \t\n", ""},
        {"bob@example.com", ""},
        {"one two three four bob@example.com", ""},     // past the fourth token
        {"where is the parcel of bob@example.com", ""}, //
        {"a long text of more than forty bytes and then 4111111111111111", ""},
        {"bob%2540example.com", ""},
        {"\xef\xbd\x82ob\xef\xbc\xa0"
         "example.com",
         ""}, // full-width
        {"one two three four +49 170 1234567", ""},
        {"a b c d e f g h 192.0.2.7", ""},
        {"\xff", ""},
        {"caf\xe9", ""},
        {"a%25252540b", ""},
        {"a\xef\xbc\x85"
         "40b",
         ""},                                              // a full-width escape
        {"\xee\x80\x80", ""},                              // private use
        {"\xf3\xb0\x80\x80 a", ""},                        //
        {"\xcd\xb8", ""},                                  // unassigned
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmno", ""}, // 41 bytes
    };
    expect(rows, WN_COUNT(rows));
}

Test(terms, are_normal_folded_and_even) {
    static const row rows[] = {
        {"Red Shoes", "red shoes"},
        {"  red \t\n  shoes ", "red shoes"},
        {"RED\xe3\x80\x80SHOES", "red shoes"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"STRASSE", "strasse"},
        {"\xef\xac\x81lm", "film"},      // a ligature
        {"cafe\xcc\x81", "caf\xc3\xa9"}, // composed
        {"CAF\xc3\x89", "caf\xc3\xa9"},  //
        {"caf%C3%A9", "caf\xc3\xa9"},    //
        {"\xce\xa3\xce\x9f\xce\xa6\xce\x9f\xce\xa3", "\xcf\x83\xce\xbf\xcf\x86\xce\xbf\xcf\x83"},
        {"sho\xc2\xad"
         "es",
         "shoes"}, // soft hyphen
        {"\xef\xbd\x89\xef\xbd\x90honE 15", "iphone 15"},
        {"\xe3\x82\xb3\xe3\x83\xbc\xe3\x83\x92\xe3\x83\xbc",
         "\xe3\x82\xb3\xe3\x83\xbc\xe3\x83\x92\xe3\x83\xbc"},
        {"c++ 20", "c++ 20"},
        {"100% wool", "100% wool"},
        {"one two three four", "one two three four"},
        {"one two three four five", "one two three four"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmn", "abcdefghijklmnopqrstuvwxyzabcdefghijklmn"}, // 40
        {"abcdefghijklmnopqrstuvwxyz abcdefghijklm x", "abcdefghijklmnopqrstuvwxyz abcdefghijklm"},
        {"abcdefghijklmnopqrstuvwxyz abcdefghijklmn", "abcdefghijklmnopqrstuvwxyz"},
    };
    expect(rows, WN_COUNT(rows));
}

// No search needs '@'; a mail address needs no dot to be one.
Test(terms, refuses_at_beside_a_word_and_numbers_however_marked) {
    static const char *const refused[] = {
        "alice@gmail",
        "alice@gmail com",
        "alice @ gmail. com",
        "alice@@gmail.com",
        "john@xn--80ak6aa92e",
        "alice&#64;gmail",
        "alice&commat;gmail",
        "alice=40example.com",
        "alice(a)example.com",
        "alice{at}example.com",
        "alice at gmail com",
        "@alice_smith",
        "alice @",
        "@ alice",
        "alice \xef\xbc\xa0 gmail",
        "alice\xef\xb9\xab"
        "gmail",
        "\xef\xbc\x86\xef\xbc\x83"
        "64;", // full-width "&#", an escape only now
        "555,123,4567",
        "4111,1111,1111,1111",
        "de89,3704,0044,0532,0130,00",
        "192,168,1,1",
        "555\xc2\xb7"
        "123\xc2\xb7"
        "4567",
        "00 1a 2b 3c 4d 5e",
        "52,5200 13,4050",
        "52.52,13.405",
    };
    for (size_t i = 0; i < WN_COUNT(refused); i++) {
        char out[WN_TERM_BYTES_MAX + 1] = "";
        cr_expect_eq(wn_term((wn_span){(const uint8_t *)refused[i], strlen(refused[i])}, out), 0, "%s",
                     refused[i]);
    }
    static const row kept[] = {
        {"@", "@"},
        {"good at node.js", "good at node.js"},
        {"look at this", "look at this"},
        {"size=40", "size=40"},
        {"r&#233;union", "r\xc3\xa9union"},
        {"at&t", "at&t"},
        {"q&a", "q&a"},
        {"1,234,567", "1,234,567"},
        {"12,50 euro", "12,50 euro"},
        {"10,20,30", "10,20,30"},
    };
    expect(kept, WN_COUNT(kept));
}

// A part may look like what the whole did not.
Test(terms, the_part_is_judged_too) {
    const char *text = "0.1 12.34 56.78 90.12 34.5";
    char out[WN_TERM_BYTES_MAX + 1] = "";
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)text, strlen(text)}, out), 0, "%s", out);
}

Test(terms, limits_hold_at_their_edges) {
    static char text[513];
    char out[WN_TERM_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 8 == 7 ? ' ' : 'a';
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)text, 512}, out), 31);
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)text, 513}, out), 0);
    char marks[80] = "a";
    for (int i = 0; i < 30; i++) strcat(marks, "\xcc\x81");
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)marks, strlen(marks)}, out), 0,
                 "one token over 40 bytes");
    strcpy(marks, "b a");
    for (int i = 0; i < 30; i++) strcat(marks, "\xcc\x81");
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)marks, strlen(marks)}, out), 1);
    strcat(marks, "\xcc\x81");
    cr_expect_eq(wn_term((wn_span){(const uint8_t *)marks, strlen(marks)}, out), 0, "31 marks in a run");
}

Test(terms, the_longest_expansion_fits) {
    static uint8_t text[512];
    char out[WN_TERM_BYTES_MAX + 1];
    size_t n = 0;
    for (; n + 3 <= sizeof text; n += 3) memcpy(text + n, "\xef\xb7\xba", 3); // eighteen characters each
    (void)wn_term((wn_span){text, n}, out);
    for (n = 0; n + 2 <= sizeof text; n += 2) memcpy(text + n, "\xce\x90", 2); // three each
    (void)wn_term((wn_span){text, n}, out);
}

Test(terms, the_term_of_a_term_is_itself) {
    static const char *const parts[] = {"a",
                                        "B",
                                        " ",
                                        "\xc3\x9f",
                                        "\xcc\x81",
                                        "\xef\xbc\x91",
                                        "1",
                                        "%",
                                        "25",
                                        "%41",
                                        "\xc2\xad",
                                        "@",
                                        ".",
                                        "-",
                                        "\xe2\x91\xbd",
                                        "\xef\xac\x83",
                                        "\xc7\x84",
                                        "2024",
                                        "\xcd\x85",
                                        "\xd8\xa7"};
    srand(7);
    size_t kept = 0;
    for (int round = 0; round < 60000; round++) {
        char text[80] = "", once[WN_TERM_BYTES_MAX + 1], twice[WN_TERM_BYTES_MAX + 1];
        for (int k = rand() % 12; k >= 0; k--) strcat(text, parts[(size_t)rand() % WN_COUNT(parts)]);
        size_t n = wn_term((wn_span){(const uint8_t *)text, strlen(text)}, once);
        if (n == 0) continue;
        kept++;
        cr_assert(n <= WN_TERM_BYTES_MAX && strlen(once) == n);
        cr_assert_not(wn_identifier_in((wn_span){(const uint8_t *)once, n}, NULL), "%s", once);
        cr_assert_eq(wn_term((wn_span){(const uint8_t *)once, n}, twice), n, "%s -> %s", text, once);
        cr_assert_str_eq(once, twice);
    }
    cr_expect_gt(kept, 10000);
}
