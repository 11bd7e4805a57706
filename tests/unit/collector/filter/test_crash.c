// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "crash.h"

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

Test(crash, refuses_whatever_is_not_wholly_a_class) {
    static const char *const rows[] = {
        "",
        "bob",
        "Bob",
        "Segmentation fault",
        "TypeError: bob@example.com is not a function",
        "TypeError:",
        "TypeError ",
        " TypeError",
        "TypeError\n",
        "Type Error",
        "Error at /home/bob/a.js",
        "java.lang.NullPointerException: null",
        "java.lang..NullPointerException",
        ".Error",
        "Error.",
        "Error$",
        "a:Error",
        "a:::Error",
        "::Error",
        "com.example.Bob",
        "com.example.1Error",
        "com.example.User4815Exception",
        "User12.Order34Exception",
        "/Error",
        "SIGBOB",
        "sigsegv",
        "SIGSEGV at 0x7ffe",
        "EXC_BOB",
        "error",
        "caf\xc3\xa9"
        "Error",
        "Err%6fr",
        "q7Zk2Lw9Xb4Rt6VnError",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaError", // 65
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_CRASH_CLASS_MAX + 1] = "untouched";
        cr_expect_eq(wn_crash_class(span(rows[i]), out), 0, "%s", rows[i]);
        cr_expect_str_eq(out, "untouched");
    }
}

Test(crash, keeps_signals_and_classes) {
    static const char *const rows[] = {
        "SIGSEGV",
        "SIGABRT",
        "EXC_BAD_ACCESS",
        "ANR",
        "OutOfMemory",
        "std::bad_alloc",
        "Error",
        "TypeError",
        "java.lang.NullPointerException",
        "com.example.app.Outer$InnerException",
        "boost::system::system_error::CastError",
        "System.ComponentModel.Win32Exception",
        "NSInvalidArgumentException",
        "GLThread100Failure",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaError", // 64
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_CRASH_CLASS_MAX + 1] = "";
        cr_expect_eq(wn_crash_class(span(rows[i]), out), strlen(rows[i]), "%s", rows[i]);
        cr_expect_str_eq(out, rows[i]);
    }
}

Test(crash, versions_are_two_or_three_short_numbers) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"1", ""},
        {"1.", ""},
        {".1", ""},
        {"1..2", ""},
        {"v1.2", ""},
        {"1.2.3.4", ""},
        {"1.2.3-beta", ""},
        {"1.2 ", ""},
        {"1,2", ""},
        {"1.2.", ""},
        {"12345.1", ""},
        {"1.12345", ""},
        {"1.2.12345", ""},
        {"+1.2", ""},
        {"\xd9\xa1.\xd9\xa2", ""},
        {"1.2", "1.2"},
        {"1.2.3", "1.2.3"},
        {"0.0.0", "0.0.0"},
        {"01.002", "1.2"},
        {"1234.5678.9012", "1234.5678.9012"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char out[WN_APP_VERSION_MAX + 1] = "";
        cr_expect_eq(wn_app_version(span(rows[i].text), out), strlen(rows[i].want), "%s", rows[i].text);
        cr_expect_str_eq(out, rows[i].want);
    }
}
