// SPDX-License-Identifier: Apache-2.0
// cli_dates.h: days as people write them, in a site's own time zone.
#pragma once

#include "cli.h"

// "2026-11-20", "today", "yesterday", "30d" (the first of the last 30 days). False for others.
bool wn_dates_day(const char *text, int32_t today, int32_t *out);
// from NULL: 30d; to NULL: today. False after a message.
bool wn_dates_range(const wn_command *cmd, const wn_site *site, const char *from, const char *to,
                    int32_t *out_from_day, int32_t *out_to_day, int64_t *out_from_s, int64_t *out_to_s);
// Today in the site's zone.
int32_t wn_dates_today(const wn_site *site);
