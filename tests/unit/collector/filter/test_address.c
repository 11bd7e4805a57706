// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

static bool system_parse(const char *text, uint8_t out[16]) {
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        memset(out, 0, 10);
        memset(out + 10, 0xff, 2);
        memcpy(out + 12, &v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

static void agree(const char *text) {
    uint8_t want[16] = {0};
    wn_address got = {{0}};
    bool system = system_parse(text, want), ours = wn_address_parse(text, strlen(text), &got);
    cr_expect_eq(system, ours, "%s", text);
    if (system && ours) cr_expect_arr_eq(want, got.b, 16, "%s", text);
}

Test(address, refuses_what_is_no_address) {
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "1.2.3.04",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "a.b.c.d",
                                      "1.2.3.4:80",
                                      "::1%eth0",
                                      "[::1]",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "12345::",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1.2.3",
                                      "1.2.3.4::",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "g::",
                                      "::1:",
                                      "1:",
                                      "localhost",
                                      "-1.2.3.4"};
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        wn_address a;
        cr_expect_not(wn_address_parse(bad[i], strlen(bad[i]), &a), "%s", bad[i]);
    }
}

Test(address, reads_both_families) {
    static const char *const texts[] = {"0.0.0.0",
                                        "255.255.255.255",
                                        "192.0.2.7",
                                        "::",
                                        "::1",
                                        "2001:db8::1",
                                        "fe80::a:b",
                                        "::ffff:1.2.3.4",
                                        "64:ff9b::192.0.2.33",
                                        "2002:c000:204::1",
                                        "1:2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:1.2.3.4",
                                        "ABCD:ef01::",
                                        "1::8",
                                        "::2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:7::"};
    for (size_t i = 0; i < WN_COUNT(texts); i++) agree(texts[i]);
    wn_address mapped, plain;
    cr_assert(wn_address_parse("::ffff:192.0.2.7", 16, &mapped) && wn_address_parse("192.0.2.7", 9, &plain));
    cr_expect_arr_eq(mapped.b, plain.b, 16);
}

Test(address, agrees_with_the_system_on_noise) {
    srand(1);
    for (int i = 0; i < 200000; i++) {
        static const char alphabet[] = "0123456789abcdef::::....";
        char text[46];
        int n = rand() % 24;
        for (int k = 0; k < n; k++) text[k] = alphabet[rand() % (int)(sizeof alphabet - 1)];
        text[n] = '\0';
        agree(text);
    }
    for (int i = 0; i < 20000; i++) {
        char text[46];
        uint8_t b[16];
        for (int k = 0; k < 16; k++) b[k] = (uint8_t)(rand() % 3 ? 0 : rand());
        agree(inet_ntop(rand() % 2 ? AF_INET6 : AF_INET, b, text, sizeof text));
    }
}
