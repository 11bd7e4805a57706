// SPDX-License-Identifier: Apache-2.0
// base.h: the few words every file of Winnow uses.
//
// Sizes are bytes (_bytes), times are Unix seconds UTC (_s).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "winnow/err.h"

#define WN_VERSION "0.1.0"

// A borrowed run of bytes; not NUL-terminated. {NULL, 0} is "absent".
typedef struct wn_span {
    const uint8_t *p;
    size_t n;
} wn_span;

static inline bool wn_span_is(wn_span s, const char *text) {
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

// ASCII letters alone: no locale. The value of a hexadecimal digit, -1 for any other character.
static inline uint8_t wn_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}
static inline int wn_hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = wn_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
// How often the escapes of an address or a text are undone; what is escaped still is hidden or refused.
#define WN_ESCAPE_ROUNDS 3

#define WN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

// Returns early with the first error of `expr`.
#define WN_TRY(expr)                                                                                         \
    do {                                                                                                     \
        wn_err wn_try_err_ = (expr);                                                                         \
        if (wn_try_err_ != WN_OK) return wn_try_err_;                                                        \
    } while (0)

// A bug of ours: prints file and line (no data) and aborts. On in release.
#define WN_ASSERT(cond)                                                                                      \
    do {                                                                                                     \
        if (!(cond)) wn_assert_failed(__FILE__, __LINE__);                                                   \
    } while (0)

_Noreturn void wn_assert_failed(const char *file, int line);

// Overwrites memory so that the compiler cannot drop it: it must believe that the
// bytes are read behind the barrier. No-op for n = 0. Here, because an event has
// twenty small buffers. The wall-off build (tests only) leaves the bytes standing.
#ifdef WN_WALLS_OFF
void wn_wipe(void *p, size_t n);
#else
inline void wn_wipe(void *p, size_t n) {
    if (n > 0) memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}
#endif
