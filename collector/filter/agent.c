// SPDX-License-Identifier: Apache-2.0
// agent.c: a user agent becomes browser, system and device class, by exclusion:
// every product it names must be known to belong to a family, or it is Other.
// Hundreds of browsers call themselves Chrome and add their own name.
#include <string.h>

#include "agents.h"

// What products say. `NEUTRAL` ones stand in many agents and prove nothing.
enum { NEUTRAL = 0, FOREIGN = -1, CHROMELIKE = -2, SAFARILIKE = -3, VERSION = -4 };

static const struct {
    const char *text;
    int says;
} products[] = {
    {"mozilla", NEUTRAL},
    {"applewebkit", NEUTRAL},
    {"gecko", NEUTRAL},
    {"like", NEUTRAL},
    {"mobile", NEUTRAL},
    {"presto", NEUTRAL},
    {"tv", NEUTRAL},
    {"ubuntu", NEUTRAL},
    {"fedora", NEUTRAL},
    {"centos", NEUTRAL},
    {"yowser", NEUTRAL},
    {"version", VERSION},
    {"chrome", CHROMELIKE},
    {"safari", SAFARILIKE},
    {"crios", WN_BROWSER_chrome},
    {"firefox", WN_BROWSER_firefox},
    {"fxios", WN_BROWSER_firefox},
    {"edg", WN_BROWSER_edge},
    {"edge", WN_BROWSER_edge},
    {"edga", WN_BROWSER_edge},
    {"edgios", WN_BROWSER_edge},
    {"opr", WN_BROWSER_opera},
    {"opera", WN_BROWSER_opera},
    {"opios", WN_BROWSER_opera},
    {"opt", WN_BROWSER_opera},
    {"opx", WN_BROWSER_opera},
    {"samsungbrowser", WN_BROWSER_samsung},
    {"yabrowser", WN_BROWSER_yandex},
    {"ucbrowser", WN_BROWSER_uc},
    {"ubrowser", WN_BROWSER_uc},
    {"duckduckgo", WN_BROWSER_duckduckgo},
    {"ddg", WN_BROWSER_duckduckgo},
    {"vivaldi", WN_BROWSER_vivaldi},
    {"brave", WN_BROWSER_brave},
};

typedef struct facts {
    int named;                             // family a product names; 0: none yet
    bool chrome, safari, version, foreign; // products seen
} facts;

static int product_says(const char *name, size_t n) {
    for (size_t i = 0; i < WN_COUNT(products); i++)
        if (strlen(products[i].text) == n && memcmp(products[i].text, name, n) == 0) return products[i].says;
    return FOREIGN;
}

static void take_product(facts *f, const char *name, size_t n) {
    int says = product_says(name, n);
    f->chrome |= says == CHROMELIKE;
    f->safari |= says == SAFARILIKE;
    f->version |= says == VERSION;
    f->foreign |= says == FOREIGN;
    if (says <= 0) return;
    f->foreign |= f->named != 0 && f->named != says;
    f->named = says;
}

// Products are words outside parentheses, up to '/'.
static facts read_products(const char *ua, size_t n) {
    facts f = {0};
    int depth = 0;
    for (size_t i = 0; i < n;) {
        if (ua[i] == '(') depth++;
        if (ua[i] == ')' && depth > 0) depth--;
        if (depth > 0 || ua[i] == ' ' || ua[i] == ')' || ua[i] == ';' || ua[i] == ',') {
            i++;
            continue;
        }
        size_t begin = i, name = 0;
        for (; i < n && ua[i] != ' ' && ua[i] != '(' && ua[i] != ';' && ua[i] != ','; i++)
            if (ua[i] == '/' && name == 0) name = i - begin;
        if (name == 0) name = i - begin;
        bool number = ua[begin] >= '0' && ua[begin] <= '9'; // "Opera 8.50"
        if (!number) take_product(&f, ua + begin, name);
    }
    return f;
}

// The first comment, where system and device stand.
static wn_span first_comment(const char *ua, size_t n) {
    const char *open = memchr(ua, '(', n);
    if (open == NULL) return (wn_span){(const uint8_t *)ua, 0};
    size_t depth = 0, i = (size_t)(open - ua);
    for (; i < n; i++) {
        if (ua[i] == '(') depth++;
        if (ua[i] == ')' && --depth == 0) break;
    }
    return (wn_span){(const uint8_t *)open + 1, i - (size_t)(open - ua) - 1};
}

static bool has(wn_span s, const char *word) {
    return s.n > 0 && memmem(s.p, s.n, word, strlen(word)) != NULL;
}

static bool has_any(wn_span s, const char *const *words) {
    for (; *words != NULL; words++)
        if (has(s, *words)) return true;
    return false;
}

static const char *const other_systems[] = {
    "windows phone", "windows ce",  "xbox",      "tizen",       "web0s",    "webos",    "hpwos",
    "kaios",         "sailfish",    "roku",      "playstation", "nintendo", "netcast",  "viera",
    "bada",          "symbian",     "series60",  "blackberry",  "bb10",     "playbook", "freebsd",
    "openbsd",       "netbsd",      "dragonfly", "sunos",       "haiku",    "beos",     "os/2",
    "amiga",         "mac_powerpc", "j2me",      "harmony",     "fuchsia",  "crkey",    "appletv",
    "apple tv",      "watch",       "smart-tv",  "smarttv",     "hbbtv",    NULL,
};

static uint16_t system_of(wn_span comment) {
    if (has_any(comment, other_systems)) return WN_SYSTEM_other;
    bool x11 = has(comment, "x11");
    const struct {
        bool holds;
        uint16_t system;
    } signs[] = {
        {has(comment, "windows") || has(comment, "win98"), WN_SYSTEM_windows},
        {has(comment, "macintosh"), WN_SYSTEM_macos},
        {has(comment, "iphone") || has(comment, "ipad") || has(comment, "ipod"), WN_SYSTEM_ios},
        {has(comment, "android"), WN_SYSTEM_android},
        {has(comment, "cros "), WN_SYSTEM_chromeos},
        {x11 && has(comment, "linux"), WN_SYSTEM_linux},
    };
    uint16_t found = 0;
    for (size_t i = 0; i < WN_COUNT(signs); i++) {
        if (!signs[i].holds) continue;
        if (found != 0) return WN_SYSTEM_other;
        found = signs[i].system;
    }
    if (found == WN_SYSTEM_windows && x11) return WN_SYSTEM_other;
    return found ? found : WN_SYSTEM_other;
}

static uint16_t device_of(wn_span ua, wn_span comment, uint16_t system) {
    static const char *const tv[] = {
        "smart-tv", "smarttv",   "smart tv", "googletv", "google tv", "android tv", "appletv",
        "apple tv", "hbbtv",     "netcast",  "web0s",    "roku",      "bravia",     "viera",
        "crkey",    "philipstv", "opera tv", "dtv",      "; aft",     " tv ",       NULL,
    };
    static const char *const console[] = {"playstation", "xbox", "nintendo", NULL};
    static const char *const tablet[] = {"ipad", "tablet;", "kindle", "silk-accelerated", "playbook", NULL};
    static const char *const phone[] = {
        "iphone",     "ipod", "windows phone", "iemobile", "blackberry", "bb10",  "opera mini",
        "opera mobi", "midp", "symbian",       "series60", "j2me",       "kaios", NULL,
    };
    if (has_any(ua, tv)) return WN_DEVICE_tv;
    if (has_any(ua, console) || has(comment, "watch")) return WN_DEVICE_other;
    if (has_any(ua, tablet)) return WN_DEVICE_tablet;
    if (has_any(ua, phone)) return WN_DEVICE_mobile;
    bool browser = ua.n > 6 && (memcmp(ua.p, "mozill", 6) == 0 || memcmp(ua.p, "opera/", 6) == 0);
    if (!browser) return WN_DEVICE_other;
    // Makers leave out "mobile" on tablets, and only there.
    if (system == WN_SYSTEM_android) return has(ua, "mobile") ? WN_DEVICE_mobile : WN_DEVICE_tablet;
    if (system != WN_SYSTEM_other) return WN_DEVICE_desktop;
    if (has(comment, "x11") && has(comment, "bsd")) return WN_DEVICE_desktop;
    return has(comment, "mobile") ? WN_DEVICE_mobile : WN_DEVICE_other;
}

// Browsers built on Explorer name themselves in its comment.
static bool is_explorer(wn_span comment) {
    static const char *const builds[] = {"maxthon",  "aol ",   "avant",     "tencent",  "360se",
                                         "theworld", "metasr", "lbbrowser", "iemobile", "crazy browser",
                                         "sogou",    "opera",  "konqueror", NULL};
    return (has(comment, "msie ") || has(comment, "trident/7")) && !has_any(comment, builds);
}

static uint16_t browser_of(const facts *f, wn_span comment, uint16_t system) {
    if (f->foreign) return WN_BROWSER_other;
    if (f->named > 0) return (uint16_t)f->named;
    bool apple = system == WN_SYSTEM_macos || system == WN_SYSTEM_ios || system == WN_SYSTEM_windows;
    // With "Version/" it is an Android web view inside some app.
    if (f->chrome)
        return f->safari && !f->version && !has(comment, "; wv") ? WN_BROWSER_chrome : WN_BROWSER_other;
    if (f->safari) return f->version && apple ? WN_BROWSER_safari : WN_BROWSER_other;
    return system == WN_SYSTEM_windows && is_explorer(comment) ? WN_BROWSER_ie : WN_BROWSER_other;
}

void wn_agent_parse(const char *ua, size_t n, wn_agent *out) {
    char lower[WN_AGENT_BYTES_MAX];
    *out = (wn_agent){0};
    if (n == 0 || (n == 1 && ua[0] == '-')) return;
    if (n > sizeof lower) n = sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(ua[i] >= 'A' && ua[i] <= 'Z' ? ua[i] + ('a' - 'A') : ua[i]);
    wn_span all = {(const uint8_t *)lower, n}, comment = first_comment(lower, n);
    facts f = read_products(lower, n);
    wn_agent agent = {.system = system_of(comment), .bot = wn_agent_is_robot(lower, n)};
    agent.device = device_of(all, comment, agent.system);
    agent.browser = browser_of(&f, comment, agent.system);
    *out = agent;
    wn_wipe(lower, n);
}
