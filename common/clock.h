// SPDX-License-Identifier: Apache-2.0
// clock.h: wall time and the local days of time zones.
#pragma once

#include "winnow/window.h"

typedef struct wn_zone wn_zone;

#define WN_ZONES_MAX 256 // zones one process may use

// NULL for a name the system's zone data does not know, or past WN_ZONES_MAX.
// Cached for the process; never freed. Any thread.
const wn_zone *wn_zone_find(const char *name);
// A local day begins at its first instant and ends at the first instant of a
// later date, so days tile time: one without midnight begins later, one the
// zone skipped is empty (start_s == end_s) and holds no second.
// Seconds outside the years 1 to 9999 are taken as the nearest inside.
// The window of `kind` that holds second t.
void wn_zone_window(const wn_zone *z, wn_kind kind, int64_t t_s, wn_window *out);
// The window of a local date (days since 1970-01-01).
void wn_zone_window_of_day(const wn_zone *z, wn_kind kind, int32_t day, wn_window *out);
// Rebuilds `w` from a zone database of this machine; WN_ERR_CONFIG when the
// zone is unknown or the bounds differ (both sides must hold the same data).
WN_MUST_USE wn_err wn_window_check(const wn_window *w);

// Seconds after the end until a window may seal: web 2 h, app 72 h.
int64_t wn_grace_s(wn_kind kind);

// Product builds ask the kernel. Test builds (WN_TEST_CLOCK) add the offset in
// seconds from the file named by WINNOW_TEST_CLOCK, read again after 50 ms. A
// second number there is the offset of the monotonic clock alone (without it
// both move), which never runs backwards.
int64_t wn_now_s(void);
int64_t wn_now_ms(void);       // wall
int64_t wn_monotonic_ms(void); // runs through suspend too

// "2026-11-20" ↔ days. parse answers false unless exactly that form and a real date.
typedef struct wn_date {
    unsigned y, m, d; // months and days from 1
} wn_date;
unsigned wn_month_days(int64_t year, unsigned month);
wn_date wn_day_date(int32_t day); // years 1 to 9999: days outside are the first and the last of them
void wn_day_text(int32_t day, char out[11]);
bool wn_day_parse(const char *text, size_t n, int32_t *out);
// RFC 3339 ("2026-11-20T10:00:00Z", fractions and offsets allowed) → seconds,
// fractions dropped, a leap second taken as the one before it. Strict.
bool wn_time_parse(const char *text, size_t n, int64_t *out_s);
