// SPDX-License-Identifier: Apache-2.0
// logline.c: a cursor over one line; every step either takes what must stand
// there or gives the line up.
#include "logline.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define EXTENSION_BYTES_MAX 15

typedef struct cursor {
    const char *p, *end;
} cursor;

static bool literal(cursor *c, char ch) {
    if (c->p == c->end || *c->p != ch) return false;
    c->p++;
    return true;
}

// Everything up to `stop`, which is taken too. At least one byte.
static bool word(cursor *c, char stop, wn_span *out) {
    const char *at = memchr(c->p, stop, (size_t)(c->end - c->p));
    if (at == NULL || at == c->p) return false;
    *out = (wn_span){(const uint8_t *)c->p, (size_t)(at - c->p)};
    c->p = at + 1;
    return true;
}

static bool digits(cursor *c, size_t n, unsigned *out) {
    unsigned v = 0;
    if ((size_t)(c->end - c->p) < n) return false;
    for (size_t i = 0; i < n; i++) {
        char d = c->p[i];
        if (d < '0' || d > '9') return false;
        v = v * 10 + (unsigned)(d - '0');
    }
    c->p += n;
    *out = v;
    return true;
}

static uint32_t three(const char *p) {
    return (uint32_t)(uint8_t)p[0] << 16 | (uint32_t)(uint8_t)p[1] << 8 | (uint8_t)p[2];
}

static bool month(const char *p, unsigned *out) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint32_t name = three(p);
    for (unsigned i = 0; i < 12; i++) {
        if (three(names + 3 * i) != name) continue;
        *out = i + 1;
        return true;
    }
    return false;
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
static int64_t days_of(unsigned y, unsigned m, unsigned d) {
    unsigned year = m <= 2 ? y - 1 : y, era = year / 400, yoe = year % 400;
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int64_t)era * 146097 + doe - 719468;
}

static bool date_exists(unsigned y, unsigned m, unsigned d) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return y >= 1970 && d >= 1 && d <= days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

static unsigned two(const char *p, bool *inout_well) {
    unsigned high = (unsigned)(uint8_t)p[0] - '0', low = (unsigned)(uint8_t)p[1] - '0';
    *inout_well &= high <= 9 && low <= 9;
    return high * 10 + low;
}

// "17/May/2015:10:05:03 +0000]": every part has its place.
static bool timestamp(cursor *c, int64_t *out_s) {
    const char *p = c->p;
    unsigned mon;
    bool well = true;
    if (c->end - p < 27) return false;
    unsigned d = two(p, &well), y = two(p + 7, &well) * 100 + two(p + 9, &well), h = two(p + 12, &well),
             min = two(p + 15, &well), s = two(p + 18, &well), zh = two(p + 22, &well),
             zm = two(p + 24, &well);
    bool minus = p[21] == '-';
    well &= p[2] == '/' && p[6] == '/' && p[11] == ':' && p[14] == ':' && p[17] == ':' && p[20] == ' ' &&
            (minus || p[21] == '+') && p[26] == ']';
    if (!well || !month(p + 3, &mon)) return false;
    c->p += 27;
    if (!date_exists(y, mon, d) || h > 23 || min > 59 || s > 60 || zh > 14 || zm > 59) return false;
    int64_t offset = (int64_t)zh * 3600 + (int64_t)zm * 60;
    int64_t local =
        days_of(y, mon, d) * 86400 + (int64_t)h * 3600 + (int64_t)min * 60 + (int64_t)(s == 60 ? 59 : s);
    *out_s = local - (minus ? -offset : offset);
    return true;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// What stands behind a backslash; Apache and nginx write \xHH, Apache also \" \\ \n \t and the like.
static bool escape(cursor *c, char *out) {
    static const char from[] = "\"\\ntrbfv'", to[] = "\"\\\n\t\r\b\f\v'";
    if (c->p == c->end) return false;
    char ch = *c->p++;
    if (ch == 'x') {
        if (c->end - c->p < 2) return false;
        int high = hex(c->p[0]), low = hex(c->p[1]);
        if (high < 0 || low < 0) return false;
        *out = (char)(high << 4 | low);
        c->p += 2;
        return true;
    }
    const char *at = strchr(from, ch);
    if (ch == '\0' || at == NULL) return false;
    *out = to[at - from];
    return true;
}

// The rest of a quoted part from its first escape on.
static bool unescape(cursor *c, wn_line *l, wn_line_text *out) {
    char *to = l->room + l->room_n;
    size_t n = out->n;
    memcpy(to, out->p, n);
    while (c->p != c->end) {
        char ch = *c->p++;
        if (ch == '"') {
            *out = (wn_line_text){to, n};
            l->room_n += n;
            return true;
        }
        if (ch == '\\' && !escape(c, &ch)) return false;
        if (n == WN_LINE_TEXT_MAX) return false;
        to[n++] = ch;
    }
    return false;
}

// A quoted part, both quotes taken; false when it does not end or is too long.
static bool quoted(cursor *c, wn_line *l, wn_line_text *out) {
    if (!literal(c, '"')) return false;
    const char *start = c->p, *end = memchr(start, '"', (size_t)(c->end - start));
    if (end == NULL) return false;
    const char *slash = memchr(start, '\\', (size_t)(end - start));
    c->p = slash != NULL ? slash : end;
    *out = (wn_line_text){start, (size_t)(c->p - start)};
    if (out->n > WN_LINE_TEXT_MAX) return false;
    if (slash != NULL) return unescape(c, l, out);
    c->p++;
    return true;
}

// "-" means that there was none.
static void dash_is_none(wn_line_text *t) {
    if (t->n == 1 && t->p[0] == '-') t->n = 0;
}

// "METHOD target HTTP/1.1" → method, and target in place. HTTP/0.9 has no version.
static bool request(wn_line *l) {
    wn_line_text *t = &l->target;
    const char *space = memchr(t->p, ' ', t->n);
    if (space == NULL) return false;
    size_t method_n = (size_t)(space - t->p);
    if (method_n == 0 || method_n >= sizeof l->method) return false;
    for (size_t i = 0; i < method_n; i++)
        if (!isupper((unsigned char)t->p[i]) && t->p[i] != '-' && t->p[i] != '_') return false;
    memcpy(l->method, t->p, method_n);
    l->method[method_n] = '\0';
    size_t from = method_n + 1, n = t->n - from;
    const char *start = t->p + from;
    for (size_t i = n; i > 0; i--) {
        if (start[i - 1] != ' ') continue;
        if (n - i >= 5 && memcmp(start + i, "HTTP/", 5) == 0) n = i - 1;
        break;
    }
    if (n == 0) return false;
    *t = (wn_line_text){start, n};
    return true;
}

// The host of "host:port" or "[v6]:port".
static wn_span host_of(wn_span s) {
    if (s.n != 0 && s.p[0] == '[') {
        const uint8_t *close = memchr(s.p, ']', s.n);
        return close == NULL ? s : (wn_span){s.p, (size_t)(close - s.p) + 1};
    }
    const uint8_t *colon = memchr(s.p, ':', s.n);
    return colon == NULL ? s : (wn_span){s.p, (size_t)(colon - s.p)};
}

// ident and user: two words, of which the user may hold spaces; " [" ends them.
static bool ident_and_user(cursor *c) {
    wn_span skipped;
    if (!word(c, ' ', &skipped)) return false;
    for (const char *p = c->p; p + 1 < c->end; p++) {
        if (p[0] != ' ' || p[1] != '[') continue;
        if (p == c->p) return false;
        c->p = p + 2;
        return true;
    }
    return false;
}

static bool size(cursor *c) {
    if (literal(c, '-')) return true;
    const char *start = c->p;
    while (c->p != c->end && *c->p >= '0' && *c->p <= '9') c->p++;
    return c->p != start;
}

bool wn_line_parse(wn_line_format format, const char *line, size_t n, wn_line *out) {
    if (n == 0 || n > WN_LINE_BYTES_MAX) return false;
    cursor c = {line, line + n};
    if (c.end[-1] == '\r') c.end--;
    wn_span vhost = {NULL, 0};
    out->vhost = vhost;
    out->referrer = out->user_agent = (wn_line_text){"", 0};
    out->room_n = 0;
    if (format == WN_LINE_VHOST_COMBINED) {
        if (!word(&c, ' ', &vhost)) return false;
        out->vhost = host_of(vhost);
    }
    if (!word(&c, ' ', &out->client) || !ident_and_user(&c) || !timestamp(&c, &out->time_s)) return false;
    if (!literal(&c, ' ') || !quoted(&c, out, &out->target) || !request(out)) return false;
    if (!literal(&c, ' ') || !digits(&c, 3, &out->status) || !literal(&c, ' ') || !size(&c)) return false;
    if (format == WN_LINE_COMMON) return c.p == c.end || *c.p == ' ';
    if (!literal(&c, ' ') || !quoted(&c, out, &out->referrer) || !literal(&c, ' ') ||
        !quoted(&c, out, &out->user_agent))
        return false;
    dash_is_none(&out->referrer);
    dash_is_none(&out->user_agent);
    return c.p == c.end || *c.p == ' '; // servers append fields of their own
}

bool wn_line_format_by_name(const char *name, size_t n, wn_line_format *out) {
    static const char *const names[] = {"common", "combined", "vhost-combined", "vhost_combined"};
    static const wn_line_format formats[] = {WN_LINE_COMMON, WN_LINE_COMBINED, WN_LINE_VHOST_COMBINED,
                                             WN_LINE_VHOST_COMBINED};
    for (size_t i = 0; i < WN_COUNT(names); i++) {
        if (strlen(names[i]) != n || memcmp(names[i], name, n) != 0) continue;
        *out = formats[i];
        return true;
    }
    return false;
}

// ---- what the line is ----

typedef struct extension {
    char text[EXTENSION_BYTES_MAX + 1]; // all of it, so that a compare is two words
} extension;

static const extension assets[] = {
#define ASSET(name) {name},
#include "assets.def"
#undef ASSET
};
static const extension downloads[] = {
#define DOWNLOAD(name) {name},
#include "downloads.def"
#undef DOWNLOAD
};

static bool listed(const extension *list, size_t n, const extension *x) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(list[i].text, x->text, sizeof x->text) == 0) return true;
    return false;
}

// The extension of the path's last segment in lower case; false when it has none.
static bool extension_of(const wn_line_text *target, extension *out) {
    size_t end = 0, dot = 0;
    bool has_dot = false;
    for (; end < target->n && target->p[end] != '?' && target->p[end] != '#' && target->p[end] != ';';
         end++) {
        if (target->p[end] == '/') has_dot = false;
        if (target->p[end] != '.') continue;
        has_dot = true;
        dot = end;
    }
    if (!has_dot || end - dot - 1 == 0 || end - dot - 1 > EXTENSION_BYTES_MAX) return false;
    size_t n = end - dot - 1;
    *out = (extension){""};
    for (size_t i = 0; i < n; i++) out->text[i] = (char)tolower((unsigned char)target->p[dot + 1 + i]);
    return true;
}

wn_verdict wn_line_judge(const wn_line *l, bool *out_download) {
    extension x;
    *out_download = false;
    if (strcmp(l->method, "GET") != 0) return WN_VERDICT_method;
    if ((l->status < 200 || l->status > 299) && l->status != 304) return WN_VERDICT_status;
    if (!extension_of(&l->target, &x)) return WN_KEEP;
    if (listed(downloads, WN_COUNT(downloads), &x)) {
        *out_download = true;
        return WN_KEEP;
    }
    return listed(assets, WN_COUNT(assets), &x) ? WN_VERDICT_asset : WN_KEEP;
}

// Whole: the end of a line before may outlast a short one.
static bool is_slash(char c) {
    return c == '/' || c == '\\';
}

#define VHOST_BYTES_MAX 256
size_t wn_line_url(const wn_line *l, char out[WN_LINE_URL_MAX]) {
    static const char scheme[] = "http://";
    const char *p = l->target.p;
    size_t n = l->target.n, to = 0;
    bool path = n > 0 && is_slash(p[0]);
    while (n > 0 && is_slash(p[0])) p++, n--;
    if (path && l->vhost.n > 0 && l->vhost.n <= VHOST_BYTES_MAX) {
        memcpy(out, scheme, sizeof scheme - 1);
        memcpy(out + sizeof scheme - 1, l->vhost.p, l->vhost.n);
        to = sizeof scheme - 1 + l->vhost.n;
    }
    if (path) out[to++] = '/';
    WN_ASSERT(n <= WN_LINE_TEXT_MAX);
    memcpy(out + to, p, n);
    return to + n;
}

void wn_line_wipe(wn_line *l) {
    wn_wipe(l->room, sizeof l->room);
    l->target = l->referrer = l->user_agent = (wn_line_text){"", 0};
}
