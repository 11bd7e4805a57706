// SPDX-License-Identifier: Apache-2.0
// log.c: one line a call, one write(2) a line: "2026-11-20T10:00:00Z warn text".
//
// The line is built by hand in a fixed buffer, so that nothing but the rows of
// messages.def and integers can reach it.
#include "log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_BYTES = 512 };

typedef struct line {
    char text[LINE_BYTES];
    size_t n;
} line;

static const struct {
    wn_level level;
    const char *text;
} messages[] = {
#define MSG(name, level, text) [WN_MSG_##name] = {WN_LEVEL_##level, text},
#include "messages.def"
#undef MSG
};

static const char *const levels[] = {
    [WN_LEVEL_ERROR] = "error",
    [WN_LEVEL_WARN] = "warn",
    [WN_LEVEL_INFO] = "info",
    [WN_LEVEL_DEBUG] = "debug",
};

static atomic_int level_max = WN_LEVEL_INFO;

// One byte of the buffer is left for the newline.
static void put(line *l, const char *text, size_t n) {
    size_t room = LINE_BYTES - 1 - l->n;
    if (n > room) n = room;
    if (n == 0) return;
    memcpy(l->text + l->n, text, n);
    l->n += n;
}

static void put_int(line *l, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) put(l, "-", 1);
    put(l, digits + at, sizeof digits - at);
}

static void put_two(line *l, int64_t value) {
    char two[2] = {(char)('0' + value / 10), (char)('0' + value % 10)};
    put(l, two, 2);
}

static void put_head(line *l, wn_level level) {
    int64_t now_s = wn_now_s();
    int64_t day = now_s / 86400, second = now_s % 86400;
    if (second < 0) {
        day--;
        second += 86400;
    }
    char date[11];
    wn_day_text((int32_t)day, date);
    put(l, date, 10);
    put(l, "T", 1);
    put_two(l, second / 3600);
    put(l, ":", 1);
    put_two(l, second / 60 % 60);
    put(l, ":", 1);
    put_two(l, second % 60);
    put(l, "Z ", 2);
    put(l, levels[level], strlen(levels[level]));
    put(l, " ", 1);
}

// An error of ours by its own words, which are a closed list as well.
static void put_error(line *l, int64_t value) {
    bool known = value >= 0 && value < WN_ERR_N;
    const char *text = known ? wn_err_text((wn_err)value) : "";
    if (known) put(l, text, strlen(text));
    else put_int(l, value);
}

static void put_message(line *l, const char *text, const int64_t values[3]) {
    for (const char *p = text; *p != '\0';) {
        if (p[0] == '{' && p[1] >= '0' && p[1] <= '2' && p[2] == '}') {
            put_int(l, values[p[1] - '0']);
            p += 3;
            continue;
        }
        if (p[0] == '{' && p[1] >= '0' && p[1] <= '2' && p[2] == 'e' && p[3] == '}') {
            put_error(l, values[p[1] - '0']);
            p += 4;
            continue;
        }
        put(l, p, 1);
        p++;
    }
}

// A log that cannot be written stops nothing.
static void send_line(line *l) {
    l->text[l->n++] = '\n';
    ssize_t sent;
    do {
        sent = write(STDERR_FILENO, l->text, l->n);
    } while (sent < 0 && errno == EINTR);
}

void wn_log_level(wn_level level) {
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

void wn_log(wn_msg msg, int64_t a, int64_t b, int64_t c) {
    WN_ASSERT((unsigned)msg < WN_MSG_N);
    wn_level level = messages[msg].level;
    if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed)) return;
    int saved = errno;
    line l = {.n = 0};
    put_head(&l, level);
    put_message(&l, messages[msg].text, (const int64_t[3]){a, b, c});
    send_line(&l);
    errno = saved;
}

#ifdef WN_WALLS_OFF
void wn_log_text(wn_msg msg, wn_span text) {
    WN_ASSERT((unsigned)msg < WN_MSG_N);
    line l = {.n = 0};
    put_head(&l, messages[msg].level);
    put(&l, messages[msg].text, strlen(messages[msg].text));
    put(&l, " ", 1);
    put(&l, (const char *)text.p, text.n);
    send_line(&l);
}
#endif
