// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "proxies.h"

static wn_address address(const char *text) {
    wn_address a;
    cr_assert(wn_address_parse(text, strlen(text), &a), "%s", text);
    return a;
}

Test(proxies, lists_that_are_not_networks_are_refused) {
    static const char *const bad[] = {"10.0.0.0/33",  "10.0.0.0/", "10.0.0/8",    "::1/129",
                                      "localhost",    ",",         "10.0.0.0/8,", "10.0.0.0/-1",
                                      "10.0.0.0/8 9", "::1/0128",  "/8",          "10.0.0.0//8"};
    wn_proxies p;
    for (size_t i = 0; i < WN_COUNT(bad); i++)
        cr_expect_eq(wn_proxies_parse(bad[i], &p), WN_ERR_CONFIG, "%s", bad[i]);
}

Test(proxies, the_list_has_a_limit) {
    char text[WN_PROXIES_MAX * 12 + 20] = "10.0.0.0";
    wn_proxies p;
    for (unsigned i = 1; i < WN_PROXIES_MAX; i++) strcat(text, ",10.0.0.1");
    cr_assert_eq(wn_proxies_parse(text, &p), WN_OK);
    cr_assert_eq(p.n, WN_PROXIES_MAX);
    strcat(text, ",10.0.0.1");
    cr_assert_eq(wn_proxies_parse(text, &p), WN_ERR_CONFIG);
}

Test(proxies, networks_match_to_the_bit) {
    wn_proxies p;
    cr_assert_eq(wn_proxies_parse(" 10.0.0.0/9 ,192.168.7.7, 2001:db8::/33,::1/128", &p), WN_OK);
    static const char *const in[] = {"10.0.0.1", "10.127.255.255", "192.168.7.7", "2001:db8:7fff::1", "::1"};
    static const char *const out[] = {"10.128.0.0",      "11.0.0.0", "192.168.7.6",
                                      "2001:db8:8000::", "::2",      "::a00:1"};
    for (size_t i = 0; i < WN_COUNT(in); i++) {
        wn_address a = address(in[i]);
        cr_expect(wn_proxies_trusted(&p, &a), "%s", in[i]);
    }
    for (size_t i = 0; i < WN_COUNT(out); i++) {
        wn_address a = address(out[i]);
        cr_expect_not(wn_proxies_trusted(&p, &a), "%s", out[i]);
    }
    cr_assert_eq(wn_proxies_parse("0.0.0.0/0", &p), WN_OK);
    wn_address four = address("203.0.113.9"), six = address("2001:db8::1");
    cr_assert(wn_proxies_trusted(&p, &four));
    cr_assert_not(wn_proxies_trusted(&p, &six));
    cr_assert_eq(wn_proxies_parse("", &p), WN_OK);
    cr_assert_not(wn_proxies_trusted(&p, &four));
}

Test(proxies, the_rightmost_untrusted_address_is_the_client) {
    wn_proxies p;
    cr_assert_eq(wn_proxies_parse("127.0.0.0/8,10.0.0.0/8,::1/128", &p), WN_OK);
    static const struct {
        const char *peer, *header, *client; // client NULL: nobody can say
    } want[] = {
        {"198.51.100.1", NULL, "198.51.100.1"},
        {"198.51.100.1", "203.0.113.5", "198.51.100.1"}, // a stranger's header is not believed
        {"198.51.100.1", "garbage", "198.51.100.1"},
        {"127.0.0.1", NULL, "127.0.0.1"},
        {"127.0.0.1", "", "127.0.0.1"},
        {"127.0.0.1", "203.0.113.5", "203.0.113.5"},
        {"127.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"}, // what the client wrote itself stands left
        {"127.0.0.1", "1.1.1.1,203.0.113.5 , 10.1.2.3", "203.0.113.5"},
        {"127.0.0.1", "garbage, 203.0.113.5", "203.0.113.5"},
        {"127.0.0.1", "203.0.113.5, garbage", NULL},
        {"127.0.0.1", "203.0.113.5, garbage, 10.0.0.1", NULL},
        {"127.0.0.1", "203.0.113.5,", NULL},
        {"127.0.0.1", ",", NULL},
        {"127.0.0.1", " ", NULL},
        {"127.0.0.1", "unknown", NULL},
        {"127.0.0.1", "10.0.0.1, 127.0.0.1", NULL}, // nobody but proxies
        {"127.0.0.1", "203.0.113.5:4711", "203.0.113.5"},
        {"::1", "[2001:db8::7]:4711", "2001:db8::7"},
        {"::1", "[2001:db8::7]", "2001:db8::7"},
        {"::1", "2001:db8::7", "2001:db8::7"},
        {"::1", "[2001:db8::7", NULL},
        {"::1", "[2001:db8::7]x", NULL},
        {"::ffff:127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"},
    };
    for (size_t i = 0; i < WN_COUNT(want); i++) {
        wn_address peer = address(want[i].peer), out;
        size_t n = want[i].header != NULL ? strlen(want[i].header) : 0;
        bool ok = wn_proxies_client(&p, &peer, want[i].header, n, &out);
        cr_expect_eq(ok, want[i].client != NULL, "row %zu", i);
        if (!ok || want[i].client == NULL) continue;
        wn_address client = address(want[i].client);
        cr_expect_eq(memcmp(&out, &client, sizeof out), 0, "row %zu", i);
    }
}
