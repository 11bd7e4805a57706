// SPDX-License-Identifier: Apache-2.0
// days.c: words for days.
#include "days.h"

#include <string.h>

#include "clock.h"

bool wn_dates_day(const char *text, int32_t today, int32_t *out) {
    size_t n = strlen(text), digits = strspn(text, "0123456789");
    if (strcmp(text, "today") == 0) return *out = today, true;
    if (strcmp(text, "yesterday") == 0) return *out = today - 1, true;
    if (digits > 0 && digits < 5 && strcmp(text + digits, "d") == 0) {
        int32_t days = 0;
        for (size_t i = 0; i < digits; i++) days = days * 10 + (text[i] - '0');
        if (days < 1 || days > WN_DAYS_BACK_MAX) return false;
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

void wn_dates_bounds(const wn_site *site, int32_t from_day, int32_t to_day, int64_t *out_from_s,
                     int64_t *out_to_s) {
    wn_window first, last;
    wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, from_day, &first);
    wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, to_day, &last);
    *out_from_s = first.start_s;
    *out_to_s = last.end_s;
}
