// SPDX-License-Identifier: Apache-2.0
// The second look at the filter's output: what it must see.
#include <criterion/criterion.h>
#include <string.h>

#include "explain_check.h"

static bool leaks(const char *out, const char *field, const char *value) {
    wn_check c = {0};
    wn_check_output(&c, out, strlen(out));
    return wn_check_field(&c, field, value, strlen(value));
}

Test(explain_check, sees_a_run_of_six_and_not_of_five) {
    cr_assert(leaks("/a/nn4711", "user_id", "xnn4711y"));
    cr_assert(!leaks("/a/nn471", "user_id", "xnn471y"));
}

Test(explain_check, sees_through_letter_case) {
    cr_assert(leaks("/u/ann.meyer", "anonymous_id", "Ann.Meyer"));
}

Test(explain_check, sees_every_identifying_field) {
    static const char *const ids[] = {"user_id", "anonymous_id", "device_id", "user_sig",
                                      "org",     "batch_id",     "ip",        "props"};
    for (size_t i = 0; i < WN_COUNT(ids); i++)
        cr_expect(leaks("192.0.2.7", ids[i], "192.0.2.7"), "%s", ids[i]);
}

Test(explain_check, sees_what_an_address_hides) {
    cr_assert(leaks("secret1", "url", "https://a.example/p?token=secret1"));
    cr_assert(leaks("secret1", "url", "https://a.example/p?secret1"));
    cr_assert(leaks("secret1", "url", "https://a.example/p?a=1;b=secret1"));
    cr_assert(leaks("secret1", "url", "https://a.example/p#secret1"));
    cr_assert(leaks("secret1", "url", "https://secret1@a.example/p"));
    cr_assert(leaks("secret1", "url", "/p?a=1&utm_term=secret1"));
    cr_assert(leaks("/private/path", "referrer", "https://b.example/private/path"));
}

Test(explain_check, lets_what_is_kept_by_rule_pass) {
    cr_assert(!leaks("/pricing-page", "url", "https://a.example/pricing-page?x=1"));
    cr_assert(!leaks("spring-sale", "url", "https://a.example/?utm_campaign=spring-sale"));
    cr_assert(!leaks("search.example", "referrer", "https://search.example/"));
    cr_assert(!leaks("search.example", "referrer", "//search.example"));
    cr_assert(leaks("/private/path", "referrer", "//search.example/private/path"));
    cr_assert(!leaks("/firefox", "user_agent", "Mozilla/5.0 Firefox/143.0"));
    cr_assert(leaks("x11; linux x86_64; rv", "user_agent", "Mozilla/5.0 (X11; Linux x86_64; rv:1)"));
    cr_assert(!leaks("purchase", "name", "purchase"));
}

Test(explain_check, holds_at_the_edges_of_buffers) {
    wn_check c = {0};
    cr_assert(!wn_check_holds(&c, "abcdef", 6, 6));
    wn_check_output(&c, "", 0);
    wn_check_output(&c, "abcde", 5);
    cr_assert(!wn_check_holds(&c, "abcdef", 6, 6));
    wn_check_output(&c, "abcdef", 6);
    cr_assert(wn_check_holds(&c, "abcdef", 6, 6));
    cr_assert(!wn_check_holds(&c, "abcde", 5, 6));
}
