// SPDX-License-Identifier: Apache-2.0
// cli_dates.c: a range of days given by flags, and what is said when it is none.
#include "cli_dates.h"

static bool day(const wn_command *cmd, const char *flag, const char *text, int32_t today, int32_t *out) {
    if (wn_dates_day(text, today, out)) return true;
    (void)wn_cli_misused(cmd,
                         "--%s \"%.40s\": allowed are a date (2026-11-20), today, yesterday and 1d to %dd",
                         flag, text, WN_DAYS_BACK_MAX);
    return false;
}

bool wn_dates_range(const wn_command *cmd, const wn_site *site, const char *from, const char *to,
                    int32_t *out_from_day, int32_t *out_to_day, int64_t *out_from_s, int64_t *out_to_s) {
    int32_t today = wn_dates_today(site), a, b;
    if (!day(cmd, "from", from ? from : "30d", today, &a) || !day(cmd, "to", to ? to : "today", today, &b))
        return false;
    if (a > b) return (void)wn_cli_misused(cmd, "--from lies after --to"), false;
    *out_from_day = a;
    *out_to_day = b;
    wn_dates_bounds(site, a, b, out_from_s, out_to_s);
    return true;
}
