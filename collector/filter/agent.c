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
        if (products[i].text[0] == name[0] && strlen(products[i].text) == n &&
            memcmp(products[i].text, name, n) == 0)
            return products[i].says;
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

// What words say, inside the first comment or anywhere. Found all at once: tokens
// are chained by their first byte, so that a byte costs only those it may begin.
enum {
    C_OTHER = 1 << 0, // a system of none of our families
    C_X11 = 1 << 1,
    C_WINDOWS = 1 << 2,
    C_MACOS = 1 << 3,
    C_IOS = 1 << 4,
    C_ANDROID = 1 << 5,
    C_CROS = 1 << 6,
    C_LINUX = 1 << 7,
    C_WATCH = 1 << 8,
    C_BSD = 1 << 9,
    C_MOBILE = 1 << 10,
    C_EXPLORER = 1 << 11,
    C_BUILT_ON_IT = 1 << 12, // browsers built on Explorer name themselves in its comment
    C_WEB_VIEW = 1 << 13,
    C_ALL = (1 << 14) - 1,
    A_TV = 1 << 14,
    A_CONSOLE = 1 << 15,
    A_TABLET = 1 << 16,
    A_PHONE = 1 << 17,
    A_MOBILE = 1 << 18,
};

#define WORD(text, says)                                                                                     \
    { text, sizeof(text) - 1, says }
static const struct {
    const char *text;
    uint8_t n;
    uint32_t says;
} words[] = {
    WORD("windows phone", C_OTHER | A_PHONE),
    WORD("windows ce", C_OTHER),
    WORD("xbox", C_OTHER | A_CONSOLE),
    WORD("tizen", C_OTHER),
    WORD("web0s", C_OTHER | A_TV),
    WORD("webos", C_OTHER),
    WORD("hpwos", C_OTHER),
    WORD("kaios", C_OTHER | A_PHONE),
    WORD("sailfish", C_OTHER),
    WORD("roku", C_OTHER | A_TV),
    WORD("playstation", C_OTHER | A_CONSOLE),
    WORD("nintendo", C_OTHER | A_CONSOLE),
    WORD("netcast", C_OTHER | A_TV),
    WORD("viera", C_OTHER | A_TV),
    WORD("bada", C_OTHER),
    WORD("symbian", C_OTHER | A_PHONE),
    WORD("series60", C_OTHER | A_PHONE),
    WORD("blackberry", C_OTHER | A_PHONE),
    WORD("bb10", C_OTHER | A_PHONE),
    WORD("playbook", C_OTHER | A_TABLET),
    WORD("freebsd", C_OTHER),
    WORD("openbsd", C_OTHER),
    WORD("netbsd", C_OTHER),
    WORD("dragonfly", C_OTHER),
    WORD("sunos", C_OTHER),
    WORD("haiku", C_OTHER),
    WORD("beos", C_OTHER),
    WORD("os/2", C_OTHER),
    WORD("amiga", C_OTHER),
    WORD("mac_powerpc", C_OTHER),
    WORD("j2me", C_OTHER | A_PHONE),
    WORD("harmony", C_OTHER),
    WORD("fuchsia", C_OTHER),
    WORD("crkey", C_OTHER | A_TV),
    WORD("appletv", C_OTHER | A_TV),
    WORD("apple tv", C_OTHER | A_TV),
    WORD("watch", C_OTHER | C_WATCH),
    WORD("smart-tv", C_OTHER | A_TV),
    WORD("smarttv", C_OTHER | A_TV),
    WORD("hbbtv", C_OTHER | A_TV),
    WORD("x11", C_X11),
    WORD("windows", C_WINDOWS),
    WORD("win98", C_WINDOWS),
    WORD("macintosh", C_MACOS),
    WORD("iphone", C_IOS | A_PHONE),
    WORD("ipad", C_IOS | A_TABLET),
    WORD("ipod", C_IOS | A_PHONE),
    WORD("android", C_ANDROID),
    WORD("cros ", C_CROS),
    WORD("linux", C_LINUX),
    WORD("bsd", C_BSD),
    WORD("mobile", C_MOBILE | A_MOBILE),
    WORD("; wv", C_WEB_VIEW),
    WORD("msie ", C_EXPLORER),
    WORD("trident/7", C_EXPLORER),
    WORD("maxthon", C_BUILT_ON_IT),
    WORD("aol ", C_BUILT_ON_IT),
    WORD("avant", C_BUILT_ON_IT),
    WORD("tencent", C_BUILT_ON_IT),
    WORD("360se", C_BUILT_ON_IT),
    WORD("theworld", C_BUILT_ON_IT),
    WORD("metasr", C_BUILT_ON_IT),
    WORD("lbbrowser", C_BUILT_ON_IT),
    WORD("iemobile", C_BUILT_ON_IT | A_PHONE),
    WORD("crazy browser", C_BUILT_ON_IT),
    WORD("sogou", C_BUILT_ON_IT),
    WORD("opera", C_BUILT_ON_IT),
    WORD("konqueror", C_BUILT_ON_IT),
    WORD("smart tv", A_TV),
    WORD("googletv", A_TV),
    WORD("google tv", A_TV),
    WORD("android tv", A_TV),
    WORD("bravia", A_TV),
    WORD("philipstv", A_TV),
    WORD("opera tv", A_TV),
    WORD("dtv", A_TV),
    WORD("; aft", A_TV),
    WORD(" tv ", A_TV),
    WORD("tablet;", A_TABLET),
    WORD("kindle", A_TABLET),
    WORD("silk-accelerated", A_TABLET),
    WORD("opera mini", A_PHONE),
    WORD("opera mobi", A_PHONE),
    WORD("midp", A_PHONE),
};
#undef WORD

_Static_assert(WN_COUNT(words) < 255, "chains hold word numbers in a byte");

static uint32_t read_words(wn_span ua, wn_span comment) {
    uint8_t head[256] = {0}, next[WN_COUNT(words) + 1];
    for (size_t t = WN_COUNT(words); t > 0; t--) {
        uint8_t first = (uint8_t)words[t - 1].text[0];
        next[t] = head[first];
        head[first] = (uint8_t)t;
    }
    const uint8_t *end = ua.p + ua.n, *comment_end = comment.p + comment.n;
    uint32_t found = 0;
    for (const uint8_t *p = ua.p; end - p > 1; p++)
        for (uint8_t t = head[*p]; t != 0; t = next[t]) {
            size_t n = words[t - 1].n;
            const char *text = words[t - 1].text;
            if (p[1] != (uint8_t)text[1] || n > (size_t)(end - p) || memcmp(p, text, n) != 0) continue;
            bool inside = p >= comment.p && p + n <= comment_end;
            found |= words[t - 1].says & (inside ? UINT32_MAX : ~(uint32_t)C_ALL);
        }
    return found;
}

static uint16_t system_of(uint32_t found) {
    static const struct {
        uint32_t sign;
        uint16_t system;
    } signs[] = {
        {C_WINDOWS, WN_SYSTEM_windows}, {C_MACOS, WN_SYSTEM_macos},   {C_IOS, WN_SYSTEM_ios},
        {C_ANDROID, WN_SYSTEM_android}, {C_CROS, WN_SYSTEM_chromeos},
    };
    if (found & C_OTHER) return WN_SYSTEM_other;
    bool x11 = (found & C_X11) != 0;
    uint16_t system = x11 && (found & C_LINUX) ? WN_SYSTEM_linux : 0;
    for (size_t i = 0; i < WN_COUNT(signs); i++) {
        if (!(found & signs[i].sign)) continue;
        if (system != 0) return WN_SYSTEM_other;
        system = signs[i].system;
    }
    if (system == WN_SYSTEM_windows && x11) return WN_SYSTEM_other;
    return system ? system : WN_SYSTEM_other;
}

static uint16_t device_of(wn_span ua, uint32_t found, uint16_t system) {
    if (found & A_TV) return WN_DEVICE_tv;
    if (found & (A_CONSOLE | C_WATCH)) return WN_DEVICE_other;
    if (found & A_TABLET) return WN_DEVICE_tablet;
    if (found & A_PHONE) return WN_DEVICE_mobile;
    bool browser = ua.n > 6 && (memcmp(ua.p, "mozill", 6) == 0 || memcmp(ua.p, "opera/", 6) == 0);
    if (!browser) return WN_DEVICE_other;
    // Makers leave out "mobile" on tablets, and only there.
    if (system == WN_SYSTEM_android) return found & A_MOBILE ? WN_DEVICE_mobile : WN_DEVICE_tablet;
    if (system != WN_SYSTEM_other) return WN_DEVICE_desktop;
    if ((found & C_X11) && (found & C_BSD)) return WN_DEVICE_desktop;
    return found & C_MOBILE ? WN_DEVICE_mobile : WN_DEVICE_other;
}

static uint16_t browser_of(const facts *f, uint32_t found, uint16_t system) {
    if (f->foreign) return WN_BROWSER_other;
    if (f->named > 0) return (uint16_t)f->named;
    bool apple = system == WN_SYSTEM_macos || system == WN_SYSTEM_ios || system == WN_SYSTEM_windows;
    // With "Version/" it is an Android web view inside some app.
    if (f->chrome)
        return f->safari && !f->version && !(found & C_WEB_VIEW) ? WN_BROWSER_chrome : WN_BROWSER_other;
    if (f->safari) return f->version && apple ? WN_BROWSER_safari : WN_BROWSER_other;
    bool explorer = (found & C_EXPLORER) && !(found & C_BUILT_ON_IT);
    return system == WN_SYSTEM_windows && explorer ? WN_BROWSER_ie : WN_BROWSER_other;
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
    uint32_t found = read_words(all, comment);
    wn_agent agent = {.system = system_of(found), .bot = wn_agent_is_robot(lower, n)};
    agent.device = device_of(all, found, agent.system);
    agent.browser = browser_of(&f, found, agent.system);
    *out = agent;
    wn_wipe(lower, n);
}
