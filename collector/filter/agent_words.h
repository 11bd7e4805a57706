// SPDX-License-Identifier: Apache-2.0
// agent_words.h: what a user agent says, as signs: one pass over its bytes,
// every word of agent_words.def and bots.def at once. agent.c judges the signs.
#pragma once

#include "agents.h"

// Names: of browsers and of what only stands beside them. PLAIN proves nothing,
// FOREIGN is a product that no row has, DENY a browser of none of our families.
enum {
    WN_NAME_PLAIN,
    WN_NAME_FOREIGN,
    WN_NAME_DENY,
    WN_NAME_CHROME,
    WN_NAME_CHROMIUM,
    WN_NAME_SAFARI,
    WN_NAME_VERSION,
    WN_NAME_FIREFOX,
    WN_NAME_EDGE,
    WN_NAME_OPERA,
    WN_NAME_OPERA_MINI,
    WN_NAME_OPERA_MOBI,
    WN_NAME_SAMSUNG,
    WN_NAME_EXPLORER,
    WN_NAME_IEMOBILE,
    WN_NAME_TRIDENT,
    WN_NAME_YANDEX,
    WN_NAME_UC,
    WN_NAME_DUCKDUCKGO,
    WN_NAME_VIVALDI,
    WN_NAME_BRAVE,
    WN_NAME_SILK,
    WN_NAME_MIUI,
    WN_NAME_QQ,
    WN_NAME_WHALE,
    WN_NAME_COCCOC,
    WN_NAME_GOOGLE,
    WN_NAME_FACEBOOK,
    WN_NAME_INSTAGRAM,
    WN_NAME_SNAPCHAT,
    WN_NAME_PINTEREST,
    WN_NAME_TWITTER,
    WN_NAME_LINE,
    WN_NAME_WEBKIT,
    WN_NAME_N
};
// Places: systems and devices.
enum {
    WN_PLACE_WINDOWS,
    WN_PLACE_WINPHONE,
    WN_PLACE_WINMOBILE,
    WN_PLACE_MACOS,
    WN_PLACE_IOS,
    WN_PLACE_IOS_CPU,
    WN_PLACE_ANDROID,
    WN_PLACE_ADR,
    WN_PLACE_CHROMEOS,
    WN_PLACE_LINUX,
    WN_PLACE_X11,
    WN_PLACE_BSD,
    WN_PLACE_KAIOS,
    WN_PLACE_TIZEN,
    WN_PLACE_WEBOS,
    WN_PLACE_SYMBIAN,
    WN_PLACE_BLACKBERRY,
    WN_PLACE_HARMONY,
    WN_PLACE_APPLETV,
    WN_PLACE_OTHER_OS,
    WN_PLACE_WATCH,
    WN_PLACE_TV,
    WN_PLACE_CONSOLE,
    WN_PLACE_TABLET,
    WN_PLACE_PHONE,
    WN_PLACE_MOBILE,
    WN_PLACE_MIDP,
    WN_PLACE_CFNETWORK,
    WN_PLACE_ANDROID_SAID,
    WN_PLACE_UNIX,
    WN_PLACE_PAGE,
    WN_PLACE_MAKER,
    WN_PLACE_INTEL,
    WN_PLACE_N
};
_Static_assert(WN_NAME_N <= 64 && WN_PLACE_N <= 64, "signs are bits of 64");

typedef struct wn_agent_signs {
    uint64_t names, places;         // bits
    uint16_t name_major[WN_NAME_N]; // first number said with it; 0: none. Set where the bit is
    uint16_t place_major[WN_PLACE_N];
    bool robot;
} wn_agent_signs;

// lower: at most WN_AGENT_BYTES_MAX bytes in lower case, and a NUL after them.
void wn_agent_words(const char *lower, size_t n, wn_agent_signs *out);
