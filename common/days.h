// SPDX-License-Identifier: Apache-2.0
// days.h: days as people write them, in a site's own time zone.
#pragma once

#include "conf.h"

#define WN_DAYS_BACK_MAX 3660

// "2026-11-20", "today", "yesterday", "30d" (the first of the last 30 days). False for others.
bool wn_dates_day(const char *text, int32_t today, int32_t *out);
// Today in the site's zone.
int32_t wn_dates_today(const wn_site *site);
// Where the site's windows of these local dates, both included, begin and end.
void wn_dates_bounds(const wn_site *site, int32_t from_day, int32_t to_day, int64_t *out_from_s,
                     int64_t *out_to_s);
