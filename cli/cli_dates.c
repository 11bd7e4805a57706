// SPDX-License-Identifier: Apache-2.0
// cli_dates.c: words for days.
#include "cli_dates.h"

#include <string.h>

#include "clock.h"

#define DAYS_BACK_MAX 3660

bool wn_dates_day(const char *text, int32_t today, int32_t *out) {
    size_t n = strlen(text), digits = strspn(text, "0123456789");
    if (strcmp(text, "today") == 0) return *out = today, true;
    if (strcmp(text, "yesterday") == 0) return *out = today - 1, true;
    if (digits > 0 && digits < 5 && strcmp(text + digits, "d") == 0) {
        int32_t days = 0;
        for (size_t i = 0; i < digits; i++) days = days * 10 + (text[i] - '0');
        if (days < 1 || days > DAYS_BACK_MAX) return false;
        *out = today - (days - 1);
        return true;
    }
    return wn_day_parse(text, n, out);
}

int32_t wn_dates_today(const wn_site *site) {
    wn_window w;
    wn_zone_window(wn_zone_find(site->zone), (wn_kind)site->kind, wn_now_s(), &w);
    return w.day;
}

static bool day(const wn_command *cmd, const char *flag, const char *text, int32_t today, int32_t *out) {
    if (wn_dates_day(text, today, out)) return true;
    (void)wn_cli_misused(cmd,
                         "--%s \"%.40s\": allowed are a date (2026-11-20), today, yesterday and 1d to %dd",
                         flag, text, DAYS_BACK_MAX);
    return false;
}

bool wn_dates_range(const wn_command *cmd, const wn_site *site, const char *from, const char *to,
                    int32_t *out_from_day, int32_t *out_to_day, int64_t *out_from_s, int64_t *out_to_s) {
    int32_t today = wn_dates_today(site), a, b;
    wn_window first, last;
    if (!day(cmd, "from", from ? from : "30d", today, &a) || !day(cmd, "to", to ? to : "today", today, &b))
        return false;
    if (a > b) return (void)wn_cli_misused(cmd, "--from lies after --to"), false;
    wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, a, &first);
    wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, b, &last);
    *out_from_day = a;
    *out_to_day = b;
    *out_from_s = first.start_s;
    *out_to_s = last.end_s;
    return true;
}
