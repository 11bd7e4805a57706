// SPDX-License-Identifier: Apache-2.0
// clock.c: wall time, and the local days of time zones by GTimeZone.
//
// glib knows offsets, not days. A day's start is found once from the offsets
// around it and remembered, so that an event costs a compare or two.
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

enum { DAY_S = 86400, SLACK_S = 2 * DAY_S, RECENT_N = 4 };
enum { TEXT_ROOM = WN_WINDOW_TEXT_BYTES - 16 }; // 16: "2026-11-20.web." and NUL

#define TIME_MIN_S (-62135596800) // 0001-01-01
#define TIME_MAX_S 253402300799   // 9999-12-31
#define DAY_MIN ((int32_t)(TIME_MIN_S / DAY_S))
#define DAY_MAX ((int32_t)(TIME_MAX_S / DAY_S))

struct wn_zone {
    char name[WN_ZONE_BYTES];
    GTimeZone *tz;
    unsigned index;
};

typedef struct day_bounds {
    int64_t start_s, end_s; // both 0: nothing remembered
    int32_t day;
} day_bounds;

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static wn_zone zones[WN_ZONES_MAX];
static unsigned zones_n;

// Today and the days that late events belong to, for each zone; of one thread,
// so that no lock stands on the way of an event.
static _Thread_local day_bounds recent[WN_ZONES_MAX][RECENT_N];

// ---- zones ----

// Only IANA names: letters, digits, '+', '-', '_', '/'; no part is empty, hidden or
// edged by '_'; the text of its windows fits.
static bool name_ok(const char *name) {
    size_t n = strnlen(name, WN_ZONE_BYTES), room = TEXT_ROOM;
    if (n == 0 || n >= WN_ZONE_BYTES) return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i], before = i > 0 ? name[i - 1] : '/', after = i + 1 < n ? name[i + 1] : '/';
        bool word = g_ascii_isalnum(c) || c == '+' || c == '-';
        if (!word && c != '_' && c != '/') return false;
        if (!word && (before == '/' || after == '/')) return false;
        size_t takes = c == '_' ? 2 : 1;
        if (takes > room) return false;
        room -= takes;
    }
    // One zone, one name: these are the same data counted otherwise, or "here".
    return strncmp(name, "posix/", 6) != 0 && strncmp(name, "right/", 6) != 0 &&
           strcmp(name, "localtime") != 0 && strcmp(name, "posixrules") != 0;
}

// glib also reads "EST5EDT4"-like rules and falls back to UTC; only names that
// are files of the zone data count here.
static bool file_ok(const char *name) {
    const char *dir = getenv("TZDIR");
    char path[512], magic[4];
    int n = snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : "/usr/share/zoneinfo", name);
    if (n < 0 || (size_t)n >= sizeof path) return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    bool ok = read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(fd);
    return ok;
}

static const wn_zone *find_locked(const char *name) {
    for (unsigned i = 0; i < zones_n; i++) {
        if (strcmp(zones[i].name, name) == 0) return &zones[i];
    }
    if (zones_n == WN_ZONES_MAX) return NULL;
    if (strcmp(name, "UTC") != 0 && !file_ok(name)) return NULL;
    GTimeZone *tz = g_time_zone_new_identifier(name);
    if (tz == NULL) return NULL;
    wn_zone *z = &zones[zones_n];
    memcpy(z->name, name, strlen(name) + 1);
    z->tz = tz;
    z->index = zones_n++;
    return z;
}

const wn_zone *wn_zone_find(const char *name) {
    if (!name_ok(name)) return NULL;
    pthread_mutex_lock(&zones_lock);
    const wn_zone *z = find_locked(name);
    pthread_mutex_unlock(&zones_lock);
    return z;
}

// ---- days ----

static int64_t offset_s(const wn_zone *z, int interval) {
    return g_time_zone_get_offset(z->tz, interval);
}

static int interval_at(const wn_zone *z, int64_t t_s) {
    return g_time_zone_find_interval(z->tz, G_TIME_TYPE_UNIVERSAL, t_s);
}

// The first second in (from_s, to_s] outside the interval that holds from_s;
// to_s is outside it.
static int64_t interval_end(const wn_zone *z, int interval, int64_t from_s, int64_t to_s) {
    while (to_s - from_s > 1) {
        int64_t middle_s = from_s + (to_s - from_s) / 2;
        if (interval_at(z, middle_s) == interval) {
            from_s = middle_s;
        } else {
            to_s = middle_s;
        }
    }
    return to_s;
}

// The first second whose local date is `day` or later.
static int64_t day_start(const wn_zone *z, int32_t day) {
    int64_t midnight_s = (int64_t)day * DAY_S; // as local time
    int64_t from_s = midnight_s - SLACK_S, last_s = midnight_s + SLACK_S;
    for (;;) {
        int interval = interval_at(z, from_s);
        bool ends = interval_at(z, last_s) != interval;
        int64_t end_s = ends ? interval_end(z, interval, from_s, last_s) : last_s + 1;
        int64_t start_s = midnight_s - offset_s(z, interval);
        if (start_s < from_s) start_s = from_s;
        if (start_s < end_s) return start_s;
        WN_ASSERT(ends); // an offset of two days does not exist
        from_s = end_s;
    }
}

static void fill(const wn_zone *z, wn_kind kind, const day_bounds *b, wn_window *out) {
    memcpy(out->zone, z->name, sizeof out->zone);
    out->kind = (uint8_t)kind;
    out->day = b->day;
    out->start_s = b->start_s;
    out->end_s = b->end_s;
}

void wn_zone_window(const wn_zone *z, wn_kind kind, int64_t t_s, wn_window *out) {
    WN_ASSERT((unsigned)kind < WN_KIND_N);
    if (t_s < TIME_MIN_S) t_s = TIME_MIN_S;
    if (t_s > TIME_MAX_S) t_s = TIME_MAX_S;
    day_bounds *known = recent[z->index], *oldest = known;
    for (unsigned i = 0; i < RECENT_N; i++) {
        if (t_s >= known[i].start_s && t_s < known[i].end_s) {
            fill(z, kind, &known[i], out);
            return;
        }
        if (known[i].start_s < oldest->start_s) oldest = &known[i];
    }
    // The date the clock shows, or a later one when clocks went back over
    // midnight after that date had begun.
    int64_t local_s = t_s + offset_s(z, interval_at(z, t_s));
    day_bounds b = {.day = (int32_t)((local_s - (local_s % DAY_S + DAY_S) % DAY_S) / DAY_S)};
    b.start_s = day_start(z, b.day);
    b.end_s = day_start(z, b.day + 1);
    while (t_s >= b.end_s) {
        b.day++;
        b.start_s = b.end_s;
        b.end_s = day_start(z, b.day + 1);
    }
    WN_ASSERT(t_s >= b.start_s);
    *oldest = b;
    fill(z, kind, &b, out);
}

void wn_zone_window_of_day(const wn_zone *z, wn_kind kind, int32_t day, wn_window *out) {
    WN_ASSERT((unsigned)kind < WN_KIND_N);
    if (day < DAY_MIN) day = DAY_MIN;
    if (day > DAY_MAX) day = DAY_MAX;
    day_bounds b = {.day = day, .start_s = day_start(z, day), .end_s = day_start(z, day + 1)};
    fill(z, kind, &b, out);
}

wn_err wn_window_check(const wn_window *w) {
    if (w->kind >= WN_KIND_N || w->day < DAY_MIN || w->day > DAY_MAX) return WN_ERR_CONFIG;
    if (memchr(w->zone, '\0', sizeof w->zone) == NULL) return WN_ERR_CONFIG;
    const wn_zone *z = wn_zone_find(w->zone);
    if (z == NULL) return WN_ERR_CONFIG;
    wn_window here;
    wn_zone_window_of_day(z, (wn_kind)w->kind, w->day, &here);
    bool same = here.start_s == w->start_s && here.end_s == w->end_s && here.start_s < here.end_s;
    return same ? WN_OK : WN_ERR_CONFIG;
}

int64_t wn_grace_s(wn_kind kind) {
    WN_ASSERT((unsigned)kind < WN_KIND_N);
    return kind == WN_KIND_APP ? 72 * 3600 : 2 * 3600;
}

// ---- now ----

static int64_t kernel_ms(clockid_t id) {
    struct timespec ts;
    WN_ASSERT(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#ifdef WN_TEST_CLOCK

static struct {
    pthread_mutex_t lock;
    int64_t read_at_ms; // kernel's monotonic clock
    int64_t wall_s, monotonic_s;
    int64_t monotonic_last_ms;
} test_clock = {.lock = PTHREAD_MUTEX_INITIALIZER, .read_at_ms = INT64_MIN / 2};

// Keeps the last offsets when the file is missing or being written.
static void test_clock_read(void) {
    int64_t now_ms = kernel_ms(CLOCK_BOOTTIME);
    if (now_ms - test_clock.read_at_ms < 50) return;
    test_clock.read_at_ms = now_ms;
    const char *path = getenv("WINNOW_TEST_CLOCK");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) return;
    long long wall_s, monotonic_s;
    int n = fscanf(file, "%lld %lld", &wall_s, &monotonic_s);
    if (n >= 1) {
        test_clock.wall_s = wall_s;
        test_clock.monotonic_s = n == 2 ? monotonic_s : wall_s;
    }
    fclose(file);
}

int64_t wn_now_ms(void) {
    pthread_mutex_lock(&test_clock.lock);
    test_clock_read();
    int64_t now_ms = kernel_ms(CLOCK_REALTIME) + test_clock.wall_s * 1000;
    pthread_mutex_unlock(&test_clock.lock);
    return now_ms;
}

int64_t wn_monotonic_ms(void) {
    pthread_mutex_lock(&test_clock.lock);
    test_clock_read();
    int64_t now_ms = kernel_ms(CLOCK_BOOTTIME) + test_clock.monotonic_s * 1000;
    if (now_ms < test_clock.monotonic_last_ms) now_ms = test_clock.monotonic_last_ms;
    test_clock.monotonic_last_ms = now_ms;
    pthread_mutex_unlock(&test_clock.lock);
    return now_ms;
}

#else

int64_t wn_now_ms(void) {
    return kernel_ms(CLOCK_REALTIME);
}

int64_t wn_monotonic_ms(void) {
    return kernel_ms(CLOCK_BOOTTIME);
}

#endif

int64_t wn_now_s(void) {
    return wn_now_ms() / 1000;
}
