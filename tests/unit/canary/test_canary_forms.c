// SPDX-License-Identifier: Apache-2.0
// Each way of writing is planted by hand (digests and encodings made elsewhere)
// and must be among the patterns.
#include <criterion/criterion.h>
#include <string.h>

#include "canary_forms.h"

typedef struct want {
    const void *p;
    size_t n;
    unsigned forms; // bit per form under which it came
    size_t shortest;
} want;

static void look(void *ctx, wn_canary_form form, const uint8_t *p, size_t n) {
    want *w = ctx;
    if (n < w->shortest) w->shortest = n;
    if (n == w->n && memcmp(p, w->p, n) == 0) w->forms |= 1u << form;
}

static unsigned forms_of(wn_canary_kind kind, const char *text, const void *p, size_t n) {
    want w = {.p = p, .n = n, .shortest = SIZE_MAX};
    wn_canary_forms(kind, text, look, &w);
    cr_assert_geq(w.shortest, (size_t)WN_CANARY_PATTERN_MIN);
    return w.forms;
}

#define HAS(kind, text, form, bytes)                                                                         \
    cr_assert(forms_of(WN_CANARY_##kind, text, bytes, sizeof(bytes) - 1) >> WN_CANARY_FORM_##form & 1, "%s", \
              #bytes)

#define MAIL "Anna.K+7@mail.example"

Test(canary_forms, what_is_not_written_is_not_there) {
    cr_assert_eq(forms_of(WN_CANARY_email, MAIL, "Anna.K+8@mail.example", 21), 0u);
}

Test(canary_forms, raw_and_cased) {
    HAS(email, MAIL, raw, "Anna.K+7@mail.example");
    HAS(email, MAIL, cased, "anna.k+7@mail.example");
    HAS(email, MAIL, cased, "ANNA.K+7@MAIL.EXAMPLE");
}

Test(canary_forms, escapes) {
    HAS(email, MAIL, url, "Anna.K%2B7%40mail.example");
    HAS(email, MAIL, url, "anna.k%2b7%40mail.example");
    HAS(email, MAIL, url, "Anna.K%2B7@mail.example");
    HAS(email, MAIL, html, "Anna.K&#43;7&#64;mail.example");
    HAS(email, MAIL, html, "Anna.K&#x2b;7&#x40;mail.example");
    HAS(email, MAIL, json, "Anna.K\\u002b7\\u0040mail.example");
    HAS(name, "Vel Torbra", url, "Vel%20Torbra");
    HAS(name, "Vel Torbra", url, "Vel+Torbra");
}

Test(canary_forms, hex_and_utf16) {
    HAS(name, "Vel Torbra", hex, "56656c20546f72627261");
    HAS(name, "Vel Torbra", hex, "56656C20546F72627261");
    HAS(name, "Vel Torbra", utf16, "V\0e\0l\0 \0T\0o\0r\0b\0r\0a");
}

// base64 of "Vel Torbra" alone, after "x" and after "xy", less the letters neighbours touch.
Test(canary_forms, base64_at_three_offsets) {
    HAS(name, "Vel Torbra", base64, "VmVsIFRvcmJyY");
    HAS(name, "Vel Torbra", base64, "ZlbCBUb3Jicm");
    HAS(name, "Vel Torbra", base64, "WZWwgVG9yYnJh");
    HAS(token, "~~~???~~~???", base64, "fn5+Pz8/fn5+Pz8/");
    HAS(token, "~~~???~~~???", base64url, "fn5-Pz8_fn5-Pz8_");
}

Test(canary_forms, unkeyed_digests) {
    HAS(name, "Vel Torbra", md5, "\x64\x9a\x3f\xf4\xf5\x41\xfc\x5b\xf1\x90\xc8\x0c\x57\x7f\xaa\xe9");
    HAS(name, "Vel Torbra", md5, "649a3ff4f541fc5bf190c80c577faae9");
    HAS(name, "Vel Torbra", md5, "54B9BFE211E849E6AA3DB8A5D7D1CF22");
    HAS(name, "Vel Torbra", sha1,
        "\xce\xd7\xd8\x99\x20\x1d\x22\x5f\x9c\x71\x64\xe0\x27\x18\x57\x64\xc4\x7d\x83\x1e");
    HAS(name, "Vel Torbra", sha1, "ced7d899201d225f9c7164e027185764c47d831e");
    HAS(name, "Vel Torbra", sha1, "588AF6A709C876044260B469ACAF8A825DF4D96E");
    HAS(name, "Vel Torbra", sha256,
        "\x50\x0c\xbf\xb8\x3e\x8c\x5f\x3b\x62\x3f\xf2\x41\x2b\x16\xb2\x9f"
        "\xa2\xea\x1e\x3f\x76\xae\xe9\x5f\x77\x15\x73\xba\x65\x60\x61\x14");
    HAS(name, "Vel Torbra", sha256, "500cbfb83e8c5f3b623ff2412b16b29fa2ea1e3f76aee95f771573ba65606114");
    HAS(name, "Vel Torbra", sha256, "828CDF8A6CE7E835BDE04EA0D257916CE59FAA35D490B20FF6E1E79605CF447E");
    HAS(name, "Vel Torbra", blake2b,
        "\x49\x2a\xfe\x70\x87\x6c\x44\x68\xd6\x65\x58\x9a\x6d\x99\xc9\x87"
        "\x90\x5b\xd8\x84\x17\x3f\x71\x09\x69\x87\x8d\x0b\x00\x46\xf6\x8f");
    HAS(name, "Vel Torbra", blake2b, "492afe70876c4468d665589a6d99c987905bd884173f710969878d0b0046f68f");
    HAS(name, "Vel Torbra", blake2b, "05CAC315BC1B75EF26BC3B83555F5F76E4D9B8E578A1A1DA04B9C8FEF3E1EAA3");
}

Test(canary_forms, packed_and_bare) {
    HAS(ipv6, "2a02:1::7", packed, "\x2a\x02\0\1\0\0\0\0\0\0\0\0\0\0\0\7");
    HAS(ipv6, "2a02:1::7", packed, "\x2a\x02\0\1\0\0\0\0");
    HAS(ipv6, "2a02:1::7", cased, "2a02:0001:0000:0000:0000:0000:0000:0007");
    HAS(ipv4, "84.150.1.2", packed, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x54\x96\1\2");
    HAS(gaid, "00112233-4455-4677-8899-aabbccddeeff", packed,
        "\x00\x11\x22\x33\x44\x55\x46\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    HAS(gaid, "00112233-4455-4677-8899-aabbccddeeff", packed,
        "\x33\x22\x11\x00\x55\x44\x77\x46\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    HAS(gaid, "00112233-4455-4677-8899-aabbccddeeff", cased, "00112233445546778899aabbccddeeff");
    HAS(phone, "+44 7911 716342505", cased, "447911716342505");
    HAS(card, "4523736990267667", cased, "4523 7369 9026 7667");
    HAS(card, "4523736990267667", cased, "4523-7369-9026-7667");
}
