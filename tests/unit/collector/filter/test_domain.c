// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "filter.h"

Test(domain, is_one_label_more_than_a_listed_suffix) {
    static const struct {
        const char *host, *want;
    } rows[] = {
        {"", NULL},
        {"localhost", NULL},
        {"com", NULL},
        {"co.uk", NULL},
        {"192.0.2.7", NULL},
        {"[2001:db8::1]", NULL},
        {"printer.corp", NULL},
        {"db.internal", NULL},
        {"7.2.0.192.in-addr.arpa", NULL},
        {"a..com", NULL},
        {"ex ample.com", NULL},
        {"caf\xc3\xa9.com", NULL},
        {"example.com", "example.com"},
        {"WWW.Example.COM.", "example.com"},
        {"a.b.c.example.co.uk", "example.co.uk"},
        {"alice.github.io", "github.io"},
        {"alice.blogspot.com", "blogspot.com"},
        {"bucket.s3.amazonaws.com", "amazonaws.com"},
        {"www.ck", "www.ck"},
        {"a.www.ck", "www.ck"},
        {"a.b.foo.ck", "b.foo.ck"},
        {"x.city.kawasaki.jp", "city.kawasaki.jp"},
        {"xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_OPEN_TEXT_MAX + 1] = "";
        bool got = wn_domain_registrable(rows[i].host, strlen(rows[i].host), out);
        cr_expect_eq(got, rows[i].want != NULL, "%s", rows[i].host);
        if (rows[i].want) cr_expect_str_eq(out, rows[i].want, "%s", rows[i].host);
        char again[WN_OPEN_TEXT_MAX + 1] = "";
        if (got)
            cr_expect(wn_domain_registrable(out, strlen(out), again) && strcmp(out, again) == 0, "%s", out);
    }
}

// A tenant's, a person's or a machine's name before the domain is no value.
Test(domain, ids_in_virtual_host_names_go) {
    static const struct {
        const char *host, *want;
    } rows[] = {
        {"bob-smith-48151623.shop.example.com", "example.com"},
        {"bob.at.example.org.tenant.example.com", "example.com"},
        {"123e4567-e89b-12d3-a456-426614174000.app.example.co.uk", "example.co.uk"},
        {"k3j9x2m8q1w7z5v4.preview.example.net", "example.net"},
        {"192-0-2-7.dynamic.isp.example.net", "example.net"},
        {"bob.example.appspot.com", "appspot.com"},
        {"acme-inc.slack.com", "slack.com"},
        {"2001-db8--7.ip6.example.de", "example.de"},
        {"7.2.0.192.in-addr.arpa", NULL},
        {"7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_OPEN_TEXT_MAX + 1] = "";
        bool got = wn_domain_registrable(rows[i].host, strlen(rows[i].host), out);
        cr_expect_eq(got, rows[i].want != NULL, "%s", rows[i].host);
        if (rows[i].want) cr_expect_str_eq(out, rows[i].want, "%s", rows[i].host);
    }
}
