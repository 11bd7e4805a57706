// SPDX-License-Identifier: Apache-2.0
// naive_consent.c: every string is written out as noughts and ones, every set
// of vendors as a table of all 65,535, every rule as it stands in the text.
#include "naive_consent.h"

#include <string.h>

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static const wn_signal unreadable = {0, 63, true};

typedef struct digits { // noughts and ones
    char *d;
    size_t n, at;
    bool failed;
} digits;

static char page[2][WN_SIGNAL_TEXT_BYTES_MAX * 6];

static digits write_out(const char *text, size_t n, char *onto) {
    static signed char value[256];
    if (value['B'] == 0) {
        memset(value, -1, sizeof value);
        for (int i = 0; i < 64; i++) value[(unsigned char)ALPHABET[i]] = (signed char)i;
    }
    digits w = {.d = onto, .failed = n == 0 || n > WN_SIGNAL_TEXT_BYTES_MAX};
    for (size_t i = 0; i < n && !w.failed; i++) {
        int v = value[(unsigned char)text[i]];
        if (v < 0) w.failed = true;
        for (int b = 32; b > 0 && v >= 0; b /= 2) onto[w.n++] = v & b ? '1' : '0';
    }
    return w;
}

static long long number(digits *w, int width) {
    long long v = 0;
    for (int i = 0; i < width; i++) {
        if (w->at >= w->n) {
            w->failed = true;
            return 0;
        }
        v = v * 2 + (w->d[w->at++] == '1');
    }
    return v;
}

static bool flag(digits *w) {
    return number(w, 1) == 1;
}

static bool only_noughts_left(const digits *w) {
    for (size_t i = w->at; i < w->n; i++)
        if (w->d[i] == '1') return false;
    return true;
}

// A table of vendors; an entry counts when it holds the number of this reading.
typedef struct table {
    unsigned entry[65536];
} table;
static table consented, interested, disclosed, allowed, barred[25];
static unsigned reading;

static void read_ranges(digits *w, table *onto, long long id_max) {
    for (long long left = number(w, 12); left > 0 && !w->failed; left--) {
        bool is_range = flag(w);
        long long from = number(w, 16), to = is_range ? number(w, 16) : from;
        if (from < 1 || from > to || to > id_max) w->failed = true;
        for (long long id = from; id <= to && !w->failed; id++)
            if (onto != NULL) onto->entry[id] = reading;
    }
}

static void read_vendors(digits *w, table *onto) {
    long long id_max = number(w, 16);
    if (flag(w)) {
        read_ranges(w, onto, id_max);
        return;
    }
    for (long long id = 1; id <= id_max && !w->failed; id++)
        if (flag(w)) onto->entry[id] = reading;
}

static size_t until(const char *text, size_t n, char mark) {
    size_t i = 0;
    while (i < n && text[i] != mark) i++;
    return i;
}

wn_signal naive_tcf(const char *text, size_t n, const wn_tcf_terms *t) {
    bool purpose[25] = {false}, interest[25] = {false}, feature[13] = {false};
    size_t core_n = until(text, n, '.');
    reading++;
    if (n > WN_SIGNAL_TEXT_BYTES_MAX) return unreadable;
    digits w = write_out(text, core_n, page[0]);
    if (number(&w, 6) != 2) return unreadable;
    long long created = number(&w, 36), updated = number(&w, 36);
    if (number(&w, 12) < 2) return unreadable; // CMP id
    number(&w, 12 + 6);                        // its version, screen
    if (number(&w, 6) > 25 || number(&w, 6) > 25) return unreadable;
    number(&w, 12); // vendor list
    long long policy = number(&w, 6);
    if (!flag(&w)) return unreadable; // service-specific
    flag(&w);                         // texts
    for (int i = 1; i <= 12; i++) feature[i] = flag(&w);
    for (int i = 1; i <= 24; i++) purpose[i] = flag(&w);
    for (int i = 1; i <= 24; i++) interest[i] = flag(&w);
    bool one_treatment = flag(&w);
    long long country[2] = {number(&w, 6), 0};
    country[1] = number(&w, 6);
    if (country[0] > 25 || country[1] > 25) return unreadable;
    read_vendors(&w, &consented);
    read_vendors(&w, &interested);
    for (long long left = number(&w, 12); left > 0 && !w.failed; left--) {
        long long p = number(&w, 6), type = number(&w, 2);
        if (p < 1 || p > 24 || type == 3) return unreadable;
        read_ranges(&w, type == 1 ? NULL : &barred[p], 65535);
    }
    if (w.failed || !only_noughts_left(&w) || created > updated) return unreadable;

    int seen[8] = {1};
    for (size_t at = core_n; at < n;) { // at a dot
        size_t part = until(text + at + 1, n - at - 1, '.');
        w = write_out(text + at + 1, part, page[1]);
        long long type = number(&w, 3);
        if (w.failed || seen[type]++) return unreadable;
        if (type == 1) read_vendors(&w, &disclosed);
        if (type == 2) read_vendors(&w, &allowed);
        if (type == 3) {
            for (int i = 0; i < 48; i++) flag(&w);
            for (long long custom = number(&w, 6) * 2; custom > 0; custom--) flag(&w);
        }
        if (w.failed || (type <= 3 && !only_noughts_left(&w))) return unreadable;
        at += 1 + part;
    }

    if (updated / 10 > t->now_s + 24 * 60 * 60) return unreadable;
    bool listed = false;
    for (int i = 0; i < WN_TCF_COUNTRIES_MAX; i++)
        if (t->purpose_one_countries[i][0] == 'A' + country[0] &&
            t->purpose_one_countries[i][1] == 'A' + country[1])
            listed = true;
    bool p1 = one_treatment ? listed : purpose[1];
    bool measured = purpose[8] || purpose[9], share = p1 && measured, somebody = false;
    for (int i = 0; i < WN_TCF_VENDORS_MAX; i++) {
        unsigned id = t->vendors[i];
        if (id == 0) continue;
        somebody = true;
        if (consented.entry[id] != reading || disclosed.entry[id] != reading) share = false;
        if (barred[1].entry[id] == reading) share = false;
        bool by_8 = purpose[8] && barred[8].entry[id] != reading;
        bool by_9 = purpose[9] && barred[9].entry[id] != reading;
        if (!by_8 && !by_9) share = false;
    }
    wn_signal s = {0, 0, false};
    bool basic = measured || (t->li_allowed && (interest[8] || interest[9]));
    *(basic ? &s.yes : &s.no) |= 1;
    *(p1 && measured ? &s.yes : &s.no) |= 2;
    *(feature[1] ? &s.yes : &s.no) |= 4;
    *(share && somebody ? &s.yes : &s.no) |= 8;
    if (policy < 4 || policy > 5 || t->now_s - updated / 10 > 395LL * 24 * 60 * 60) s.yes = 0;
    return s;
}

// ---- GPP ----
static int fibonacci(digits *w) {
    static const int weight[] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144};
    int v = 0;
    bool before = false;
    for (int i = 0; i < 12 && !w->failed; i++) {
        bool one = flag(w);
        if (one && before) return v;
        if (one && i < 11) v += weight[i];
        before = one;
    }
    w->failed = true;
    return 0;
}

static wn_signal us_section(int id, const char *text, size_t n) {
    wn_signal s = {0, 0, false};
    size_t core = until(text, n, '.');
    digits w = write_out(text, core, page[0]);
    long long version = number(&w, 6);
    if (w.failed || version == 0) return unreadable;
    int sensitive = id == 8 ? 9 : version == 1 ? 12 : 16, children = id == 8 || version == 1 ? 2 : 3;
    int notices = id == 8 ? 3 : 6, opt_outs = id == 8 ? 2 : 3, geo = id == 8 ? 3 : 8;
    if (version > (id == 8 ? 1 : 2)) s.no |= 4 | 8;
    else {
        long long v;
        for (int i = 0; i < notices; i++)
            if (number(&w, 2) == 3) return unreadable;
        for (int i = 0; i < opt_outs; i++) {
            if ((v = number(&w, 2)) == 3) return unreadable;
            if (v == 1) s.no |= 8;
        }
        for (int i = 1; i <= sensitive; i++) {
            if ((v = number(&w, 2)) == 3) return unreadable;
            if (i == geo && v == 1) s.no |= 4;
            if (i == geo && v == 2) s.yes |= 4;
        }
        for (int i = 1; i <= children; i++) {
            if ((v = number(&w, 2)) == 3) return unreadable;
            if (id == 8 && v != 0) s.no |= 2 | 4 | 8;
            if (id == 7 && i == 2 && v != 0) s.no |= 63;
            if (id == 7 && i != 2 && v == 1) s.no |= 2 | 4 | 8;
        }
        for (int i = 0; i < 4; i++)
            if (number(&w, 2) == 3) return unreadable;
        if (w.failed || !only_noughts_left(&w)) return unreadable;
    }
    if (core < n) {
        size_t part = until(text + core + 1, n - core - 1, '.');
        if (core + 1 + part != n) return unreadable;
        w = write_out(text + core + 1, part, page[0]);
        long long type = number(&w, 2);
        bool gpc = flag(&w);
        if (w.failed || type != 1 || !only_noughts_left(&w)) return unreadable;
        if (gpc) s.no |= 62;
    }
    s.yes &= (uint8_t)~s.no;
    return s;
}

static wn_signal other_section(int id, const char *text, size_t n) {
    wn_signal s = {0, 4 | 8, false};
    for (size_t at = until(text, n, '.'); at < n && id > 6;) {
        size_t part = until(text + at + 1, n - at - 1, '.');
        if (memchr("YZabcdef", text[at + 1], 8) != NULL) s.no |= 62; // 01 1...
        at += 1 + part;
    }
    return s;
}

static wn_signal usp(const char *text, size_t n) {
    if (n != 4 || text[0] != '1' || strspn(text + 1, "YyNn-") < 3) return unreadable;
    return (wn_signal){0, text[2] == 'Y' || text[2] == 'y' ? 8 : 0, false};
}

static bool spelt(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] == '.' ? i == 0 || i + 1 == n || text[i + 1] == '.'
                           : text[i] == '\0' || !strchr(ALPHABET, text[i]))
            return false;
    return n > 0;
}

wn_signal naive_gpp(const char *text, size_t n, const wn_tcf_terms *t) {
    int ids[64], count = 0, last = 0;
    size_t at = until(text, n, '~');
    if (n > WN_SIGNAL_TEXT_BYTES_MAX) return unreadable;
    digits w = write_out(text, at, page[0]);
    if (number(&w, 6) != 3 || number(&w, 6) != 1) return unreadable;
    for (long long left = number(&w, 12); left > 0 && !w.failed; left--) {
        bool group = flag(&w);
        int from = last + fibonacci(&w), to = group ? from + fibonacci(&w) : from;
        if (w.failed || to > 63) return unreadable;
        for (int id = from; id <= to; id++) ids[count++] = id;
        last = to;
    }
    if (w.failed || !only_noughts_left(&w)) return unreadable;
    wn_signal all = {0, 0, false};
    uint8_t yes = 0, no = 0;
    bool doubt = false, mute = false;
    for (int i = 0; i < count; i++) {
        if (at >= n) return unreadable;
        const char *part = text + at + 1;
        size_t part_n = until(part, n - at - 1, '~');
        at += 1 + part_n;
        if (!spelt(part, part_n)) return unreadable;
        wn_signal s = ids[i] == 2                  ? naive_tcf(part, part_n, t)
                      : ids[i] == 6                ? usp(part, part_n)
                      : ids[i] == 7 || ids[i] == 8 ? us_section(ids[i], part, part_n)
                                                   : other_section(ids[i], part, part_n);
        yes |= s.yes;
        no |= s.no;
        doubt = doubt || s.doubt;
        if (ids[i] != 2 && ids[i] != 6 && ids[i] != 7 && ids[i] != 8) mute = true;
        if (ids[i] == 7 || ids[i] == 8)
            mute = mute || !memchr("ABC", part[0], ids[i] == 7 ? 3 : 2) || !memchr(part, '.', part_n);
    }
    if (doubt || at < n) return unreadable;
    all.no = no;
    if (!mute) all.yes = yes & (uint8_t)~no;
    return all;
}
