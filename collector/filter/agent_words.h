// SPDX-License-Identifier: Apache-2.0
// agent_words.h: what a user agent says, as signs: one pass over its bytes,
// every word of agent_words.def and bots.def at once. agent.c judges the signs.
#pragma once

#include "agents.h"

// Names: of browsers and of what only stands beside them.
#define WN_AGENT_NAMES(X)                                                                                    \
    X(PLAIN) X(FOREIGN) X(DENY) X(CHROME) X(CHROMIUM) X(SAFARI) X(VERSION) X(WEBVIEW) X(FIREFOX) X(EDGE)     \
    X(OPERA) X(OPERA_MINI) X(OPERA_MOBI) X(SAMSUNG) X(EXPLORER) X(IEMOBILE) X(TRIDENT) X(YANDEX) X(UC)       \
    X(DUCKDUCKGO) X(VIVALDI) X(BRAVE) X(SILK) X(MIUI) X(QQ) X(WHALE) X(COCCOC) X(GOOGLE) X(FACEBOOK)         \
    X(INSTAGRAM) X(SNAPCHAT) X(PINTEREST) X(TWITTER) X(LINE) X(WEBKIT) X(GECKO) X(PRESTO) X(DALVIK)
// Places: systems and devices.
#define WN_AGENT_PLACES(X)                                                                                   \
    X(WINDOWS) X(WINPHONE) X(WINMOBILE) X(MACOS) X(MACINTOSH) X(IOS) X(IOS_CPU) X(ANDROID) X(ADR)            \
    X(CHROMEOS) X(LINUX) X(X11) X(BSD) X(KAIOS) X(TIZEN) X(WEBOS) X(SYMBIAN) X(BLACKBERRY) X(HARMONY)        \
    X(FIREFOXOS) X(APPLETV) X(OTHER_OS) X(WATCH) X(TV) X(CONSOLE) X(TABLET) X(PHONE) X(MOBILE) X(MIDP)       \
    X(CFNETWORK) X(DARWIN) X(ANDROID_SAID) X(UNIX)         \
    X(PAGE)

enum {
#define X(sign) WN_NAME_##sign,
    WN_AGENT_NAMES(X)
#undef X
        WN_NAME_N
};
enum {
#define X(sign) WN_PLACE_##sign,
    WN_AGENT_PLACES(X)
#undef X
        WN_PLACE_N
};
_Static_assert(WN_NAME_N <= 64 && WN_PLACE_N <= 64, "signs are bits of 64");

typedef struct wn_agent_signs {
    uint64_t names, places;               // bits
    uint16_t name_major[WN_NAME_N];       // first number said with it; 0: none. Set where the bit is
    uint16_t place_major[WN_PLACE_N];
    bool robot;
} wn_agent_signs;

// lower: at most WN_AGENT_BYTES_MAX bytes in lower case.
void wn_agent_words(const char *lower, size_t n, wn_agent_signs *out);
