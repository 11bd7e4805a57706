// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents.h"
#include "winnow/agent_version.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define X11 "Mozilla/5.0 (X11; Linux x86_64) "
#define PHONE "Mozilla/5.0 (Linux; Android 10; K) "
#define IPHONE                                                                                               \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define B(x) WN_BROWSER_##x
#define S(x) WN_SYSTEM_##x
#define D(x) WN_DEVICE_##x

static const struct {
    const char *ua;
    uint16_t browser, system, device;
} people[] = {
    {"", 0, 0, 0},
    {"-", 0, 0, 0},
    {"x", B(other), S(other), D(other)},
    {"Mozilla/5.0", B(other), S(other), D(other)},
    {"Mozilla/5.0 (", B(other), S(other), D(other)},
    {"Mozilla/5.0 (compatible;", B(other), S(other), D(other)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Safari/537.36", B(chrome), S(windows), D(desktop)},
    {MAC WEBKIT "Chrome/120.0.0.0 Safari/537.36", B(chrome), S(macos), D(desktop)},
    {X11 WEBKIT "Chrome/120.0.0.0 Safari/537.36", B(chrome), S(linux), D(desktop)},
    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/120.0.0.0 Safari/537.36", B(chrome),
     S(chromeos), D(desktop)},
    {PHONE WEBKIT "Chrome/120.0.0.0 Mobile Safari/537.36", B(chrome), S(android), D(mobile)},
    {PHONE WEBKIT "Chrome/120.0.0.0 Safari/537.36", B(chrome), S(android), D(tablet)},
    {IPHONE "CriOS/120.0.6099.50 Mobile/15E148 Safari/604.1", B(chrome), S(ios), D(mobile)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61", B(edge), S(windows), D(desktop)},
    {WINDOWS WEBKIT "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763", B(edge), S(windows), D(desktop)},
    {PHONE WEBKIT "Chrome/120.0.0.0 Mobile Safari/537.36 EdgA/120.0.2210.61", B(edge), S(android), D(mobile)},
    {IPHONE "Version/17.0 EdgiOS/120.0.2210.61 Mobile/15E148 Safari/605.1.15", B(edge), S(ios), D(mobile)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0", B(opera), S(windows), D(desktop)},
    {"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16", B(opera), S(linux), D(desktop)},
    {"Opera/9.80 (J2ME/MIDP; Opera Mini/7.0; U; en) Presto/2.8 Version/11.10", B(opera_mini), S(other),
     D(mobile)},
    {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.50", B(opera), S(windows), D(desktop)},
    {PHONE WEBKIT "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", B(samsung), S(android),
     D(mobile)},
    {WINDOWS WEBKIT "Chrome/118.0.0.0 YaBrowser/23.11.0 Yowser/2.5 Safari/537.36", B(yandex), S(windows),
     D(desktop)},
    {"Mozilla/5.0 (Linux; U; Android 8.1.0; en-US; X) " WEBKIT
     "Version/4.0 Chrome/57.0 UCBrowser/12.9 Mobile Safari/537.36",
     B(uc), S(android), D(mobile)},
    {IPHONE "Version/17.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", B(duckduckgo), S(ios), D(mobile)},
    {MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15 Ddg/17.1", B(duckduckgo),
     S(macos), D(desktop)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Safari/537.36 Vivaldi/6.5", B(vivaldi), S(windows), D(desktop)},
    {IPHONE "Version/17.1 Brave/1 Mobile/15E148 Safari/605.1.15", B(brave), S(ios), D(mobile)},
    {IPHONE "Version/17.1 Mobile/15E148 Safari/604.1", B(safari), S(ios), D(mobile)},
    {"Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
     "Mobile/15E148 Safari/604.1",
     B(safari), S(ios), D(tablet)},
    {MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15", B(safari), S(macos),
     D(desktop)},
    {WINDOWS "Gecko/20100101 Firefox/120.0", B(firefox), S(windows), D(desktop)},
    {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", B(firefox), S(linux),
     D(desktop)},
    {"Mozilla/5.0 (Android; Tablet; rv:27.0) Gecko/27.0 Firefox/27.0", B(firefox), S(android), D(tablet)},
    {"Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", B(firefox), S(android),
     D(mobile)},
    {"Mozilla/5.0 (Mobile; rv:26.0) Gecko/26.0 Firefox/26.0", B(firefox), S(other), D(mobile)},
    {IPHONE "FxiOS/120.0 Mobile/15E148 Safari/605.1.15", B(firefox), S(ios), D(mobile)},
    {"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0)", B(ie), S(windows), D(desktop)},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", B(ie), S(windows), D(desktop)},
    // Never a wrong family: whatever adds a name of its own is Other.
    {X11 WEBKIT "Ubuntu Chromium/32.0 Chrome/32.0 Safari/537.36", B(chromium), S(linux), D(desktop)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Whale/3.0 Safari/537.36", B(whale), S(windows), D(desktop)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Maker/3.0 Safari/537.36", B(other), S(windows), D(desktop)},
    {WINDOWS WEBKIT "Chrome/120.0.0.0 Safari/537.36 OPR/1 Edg/1", B(other), S(windows), D(desktop)},
    {"Mozilla/5.0 (Linux; Android 13; K; wv) " WEBKIT "Version/4.0 Chrome/120.0 Mobile Safari/537.36",
     B(chrome), S(android), D(mobile)},
    {IPHONE "Mobile/15E148", B(safari), S(ios), D(mobile)},
    {IPHONE "Mobile/15E148 MyApp/3.0", B(other), S(ios), D(mobile)},
    {IPHONE "Mobile/15E148 [FBAN/FBIOS;FBAV/440]", B(facebook), S(ios), D(mobile)},
    {IPHONE "GSA/300.0 Mobile/15E148 Safari/604.1", B(google), S(ios), D(mobile)},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15",
     B(other), S(linux), D(desktop)},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:26.0) Gecko/20100101 Firefox/26.0 SeaMonkey/2.23", B(other),
     S(linux), D(desktop)},
    {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; MAXTHON 2.0)", B(other), S(windows), D(desktop)},
    {"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia) " WEBKIT
     "Chrome/52.0 Mobile Safari/537.36 Edge/15",
     B(edge), S(windows_phone), D(mobile)},
    {"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) " WEBKIT "SamsungBrowser/2.2 Chrome/63.0 TV Safari/537.36",
     B(samsung), S(tizen), D(tv)},
    {"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/79.0 Safari/537.36", B(chrome), S(webos), D(tv)},
    {"Mozilla/5.0 (PlayStation 4 3.11) AppleWebKit/537.73 (KHTML, like Gecko)", B(other), S(other), D(other)},
    {"Mozilla/5.0 (X11; FreeBSD amd64) " WEBKIT "Chrome/30.0 Safari/537.36", B(chrome), S(bsd), D(desktop)},
    {"Mozilla/5.0 (Linux; U; en-us; KFAPWI Build/JDQ39) AppleWebKit/535.19 (KHTML, like Gecko) Silk/3.13 "
     "Safari/535.19 Silk-Accelerated=true",
     B(silk), S(android), D(tablet)},
    {"Mozilla/5.0 (X11; Windows x86_64) AppleWebKit/536.11 (KHTML, like Gecko) chrome/22.0 Safari/536.11",
     B(chrome), S(other), D(desktop)},
    {"Mozilla/5.0 (Linux; Android 11; CUBOT X30) " WEBKIT "Chrome/120.0 Mobile Safari/537.36", B(chrome),
     S(android), D(mobile)},
    {"Dalvik/2.1.0 (Linux; U; Android 13; SM-S918B Build/TP1A)", B(other), S(android), D(other)},
    {"okhttp/4.12.0", B(other), S(other), D(other)},
    {"MyApp/3 CFNetwork/1474 Darwin/23.0.0", B(other), S(other), D(other)},
};

Test(agent, reads_families_and_is_never_wrong) {
    for (size_t i = 0; i < WN_COUNT(people); i++) {
        wn_agent a;
        wn_agent_parse(people[i].ua, strlen(people[i].ua), &a);
        cr_expect_eq(a.browser, people[i].browser, "browser %u: %s", a.browser, people[i].ua);
        cr_expect_eq(a.system, people[i].system, "system %u: %s", a.system, people[i].ua);
        cr_expect_eq(a.device, people[i].device, "device %u: %s", a.device, people[i].ua);
        cr_expect_not(a.bot, "%s", people[i].ua);
    }
}

Test(agent, knows_robots) {
    static const char *const robots[] = {
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) (compatible; Googlebot/2.1)",
        "curl/8.5.0",
        "Wget/1.14 (linux-gnu)",
        "python-requests/2.31.0",
        "Go-http-client/1.1",
        "UniversalFeedParser/4.2",
        "Baiduspider",
        "GPTBot/1.0",
        "ClaudeBot/1.0",
        X11 WEBKIT "HeadlessChrome/120.0.0.0 Safari/537.36",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "bot",
        "Java/1.8.0",
        "cubot robot bot",
    };
    for (size_t i = 0; i < WN_COUNT(robots); i++) {
        wn_agent a;
        wn_agent_parse(robots[i], strlen(robots[i]), &a);
        cr_expect(a.bot, "%s", robots[i]);
    }
}

typedef struct row {
    char letter; // of the heading
    bool inside;
    const char *text; // NULL: a heading
} row;

#define LETTER(c) {c, false, NULL},
#define BOT(text) {0, false, text},
#define BOT_INSIDE(text) {0, true, text},
static const row bot_rows[] = {
#include "bots.def"
};
#undef LETTER
#undef BOT
#undef BOT_INSIDE
#define LETTER(c) {c, false, NULL},
#define WORD(text, names, places, major) {0, false, text},
static const row word_rows[] = {
#include "agent_words.def"
};

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

// What the pass over an agent relies on.
static void check_rows(const row *rows, size_t n, bool longest_first) {
    bool heading[256] = {false}, inside = true;
    char letter = 0;
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].text == NULL) {
            letter = rows[i].letter;
            cr_expect_not(heading[(unsigned char)letter], "letter %c stands twice", letter);
            heading[(unsigned char)letter] = inside = true;
            first = i + 1;
            continue;
        }
        const char *text = rows[i].text;
        cr_expect(strlen(text) >= 2 && strlen(text) < 64, "%s", text);
        cr_expect_eq(text[0], letter, "%s stands under %c", text, letter);
        cr_expect(inside || !rows[i].inside, "%s stands after rows for beginnings", text);
        inside = rows[i].inside;
        for (const char *c = text; *c; c++) cr_expect(*c >= ' ' && *c <= '~' && !(*c >= 'A' && *c <= 'Z'));
        for (size_t k = first; k < i; k++) {
            cr_expect_str_neq(rows[k].text, text);
            if (longest_first)
                cr_expect_not(begins(text, rows[k].text), "%s stands after %s", text, rows[k].text);
        }
    }
}

Test(agent, rows_stand_as_the_pass_reads_them) {
    check_rows(bot_rows, WN_COUNT(bot_rows), false);
    check_rows(word_rows, WN_COUNT(word_rows), true);
}

static bool is_robot(const char *ua) {
    wn_agent a;
    wn_agent_parse(ua, strlen(ua), &a);
    return a.bot;
}

Test(agent, every_listed_robot_is_found_in_its_place) {
    for (size_t i = 0; i < WN_COUNT(bot_rows); i++) {
        if (bot_rows[i].text == NULL) continue;
        char ua[128] = "zz ", within[128] = "zz";
        strcat(ua, bot_rows[i].text);
        cr_expect(is_robot(ua), "%s", ua);
        strcat(within, bot_rows[i].text);
        cr_expect(!bot_rows[i].inside || is_robot(within), "%s", within);
    }
}

Test(agent, versions_are_the_newest_twelve_or_older) {
#define CHROME(major) WINDOWS WEBKIT "Chrome/" major ".0.0.0 Safari/537.36"
    char newest[256], beyond[256], oldest[256], older[256];
    unsigned n = wn_browser_newest(B(chrome));
    sprintf(newest, CHROME("%u"), n);
    sprintf(beyond, CHROME("%u"), n + WN_MAJORS_KEPT + 1);
    sprintf(oldest, CHROME("%u"), n - WN_MAJORS_KEPT + 1);
    sprintf(older, CHROME("%u"), n - WN_MAJORS_KEPT);
    const struct {
        const char *ua;
        unsigned browser, system;
    } versions[] = {
        {newest, n, 10},
        {oldest, n - WN_MAJORS_KEPT + 1, 10},
        {older, WN_MAJOR_OLDER, 10},
        {beyond, WN_MAJOR_NONE, 10},
        {CHROME("99999"), WN_MAJOR_NONE, 10},
        {CHROME("999999999999999999999"), WN_MAJOR_NONE, 10},
        {CHROME("x"), WN_MAJOR_NONE, 10},
        {CHROME("0"), WN_MAJOR_NONE, 10},
        {IPHONE "Version/26.1 Mobile/15E148 Safari/604.1", 26, 17},
        {IPHONE "FxiOS/150.0 Mobile/15E148 Safari/605.1.15", 150, 17},
        {PHONE WEBKIT "Chrome/150.0.0.0 Mobile Safari/537.36", 150, 10},
        {"Mozilla/5.0 (Linux; Android 4.4.2; K) " WEBKIT "Chrome/1.0 Mobile Safari/537.36", WN_MAJOR_OLDER,
         WN_MAJOR_OLDER},
        {MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15", 26, WN_MAJOR_NONE},
        {"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", 11, 7},
        {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", 6, WN_MAJOR_NONE},
        {WINDOWS WEBKIT "Chrome/150.0.0.0 Safari/537.36 Edg/149.0.0.0", 149, 10},
        {"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16", WN_MAJOR_OLDER, WN_MAJOR_NONE},
        {WINDOWS WEBKIT "Chrome/150.0.0.0 Whale/3.0 Safari/537.36", WN_MAJOR_NONE, 10},
    };
    for (size_t i = 0; i < WN_COUNT(versions); i++) {
        wn_agent a;
        wn_agent_parse(versions[i].ua, strlen(versions[i].ua), &a);
        cr_expect_eq(a.browser_major, versions[i].browser, "%u: %s", a.browser_major, versions[i].ua);
        cr_expect_eq(a.system_major, versions[i].system, "%u: %s", a.system_major, versions[i].ua);
        cr_expect(wn_browser_version_valid(wn_version_value(a.browser, a.browser_major)));
        cr_expect(wn_system_version_valid(wn_version_value(a.system, a.system_major)));
    }
}

Test(agent, reads_512_bytes_and_any_bytes) {
    char ua[600];
    wn_agent a;
    memset(ua, 'z', sizeof ua);
    memcpy(ua + 509, "bot", 3);
    wn_agent_parse(ua, sizeof ua, &a);
    cr_expect(a.bot);
    memset(ua, 'z', sizeof ua);
    memcpy(ua + 510, "bot", 3);
    wn_agent_parse(ua, sizeof ua, &a);
    cr_expect_not(a.bot);
    srand(3);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)rand() % sizeof ua;
        for (size_t k = 0; k < n; k++)
            ua[k] = (char)(rand() % 4 ? "()/; ,mozillachrome"[rand() % 19] : rand());
        wn_agent_parse(ua, n, &a);
        cr_assert(wn_closed_valid(WN_DIM_browser, a.browser) && wn_closed_valid(WN_DIM_system, a.system) &&
                  wn_closed_valid(WN_DIM_device, a.device) &&
                  wn_browser_version_valid(wn_version_value(a.browser, a.browser_major)) &&
                  wn_system_version_valid(wn_version_value(a.system, a.system_major)));
    }
}
