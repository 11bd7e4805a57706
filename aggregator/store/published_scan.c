// SPDX-License-Identifier: Apache-2.0
// Why: readers pass over what fails its authentication, say so at the end, and never serve it.
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "published_impl.h"

typedef struct scan {
    wn_public_visit fn;
    void *ctx;
    const char *site, *table; // NULL: all
    int64_t from_s, to_s;
    wn_public_codec codec;
    wn_public_row *rows;
    size_t rows_cap;
    bool corrupt;
    wn_err err;
} scan;

static bool scan_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    scan *s = ctx;
    wn_public_head head;
    size_t n;
    row_key k;
    if (key.n == sizeof k) memcpy(&k, key.p, sizeof k);
    if (key.n == sizeof k &&
        (wn_published_start_of(k.start) < s->from_s || wn_published_start_of(k.start) >= s->to_s))
        return true;
    wn_err err = key.n == sizeof k ? state : WN_ERR_CORRUPT;
    if (!err) err = wn_public_rows_decode(&s->codec, value, &head, &s->rows, &s->rows_cap, &n);
    if (err == WN_ERR_CORRUPT || err == WN_ERR_FORMAT) {
        s->corrupt = true;
        return true;
    }
    s->err = err;
    if (err) return false;
    if ((s->site && strcmp(s->site, head.site) != 0) || (s->table && strcmp(s->table, head.table) != 0))
        return true;
    return s->fn(s->ctx, &head, s->rows, n);
}

wn_err wn_published_scan(const wn_published *p, const char *site, const char *table, int64_t from_s,
                         int64_t to_s, wn_public_visit fn, void *ctx) {
    row_key from, to;
    scan s = {.fn = fn, .ctx = ctx, .site = site, .table = table, .from_s = from_s, .to_s = to_s};
    memset(&from, 0, sizeof from);
    memset(&to, 0xFF, sizeof to);
    if (site) {
        wn_published_site_part(p, wn_site_tag(site), from.site);
        memcpy(to.site, from.site, sizeof to.site);
    }
    if (site && table) {
        wn_published_table_part(p, table, from.table);
        memcpy(to.table, from.table, sizeof to.table);
        wn_published_start_part(from_s, from.start);
        wn_published_start_part(to_s, to.start);
        memset(to.window, 0, sizeof to.window);
    }
    wn_err err = wn_vault_scan(p->vault, DB_ROWS, SPAN_OF(from), SPAN_OF(to), scan_visit, &s);
    free(s.rows);
    wn_public_codec_fini(&s.codec);
    if (!err) err = s.err;
    return err ? err : s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

typedef struct counts_scan {
    void (*fn)(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped);
    void *ctx;
    bool corrupt;
} counts_scan;

static bool counts_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    counts_scan *s = ctx;
    if (state || key.n != sizeof(count_key) || value.n <= COUNT_BYTES) {
        s->corrupt = true;
        return true;
    }
    s->fn(s->ctx, wn_published_start_of(key.p + offsetof(count_key, start)), wn_get_le(value.p, 8),
          wn_get_le(value.p + 8, 8));
    return true;
}

wn_err wn_published_counts_scan(const wn_published *p, const char *site, int64_t from_s, int64_t to_s,
                                void (*fn)(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped),
                                void *ctx) {
    count_key from, to;
    counts_scan s = {fn, ctx, false};
    memset(&from, 0, sizeof from);
    wn_published_site_part(p, wn_site_tag(site), from.site);
    to = from;
    wn_published_start_part(from_s, from.start);
    wn_published_start_part(to_s, to.start);
    WN_TRY(wn_vault_scan(p->vault, DB_COUNTS, SPAN_OF(from), SPAN_OF(to), counts_visit, &s));
    return s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

typedef struct ledger_scan {
    bool (*fn)(void *ctx, const wn_ledger_entry *e);
    void *ctx;
    bool corrupt;
} ledger_scan;

static bool ledger_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    ledger_scan *s = ctx;
    wn_ledger_entry e;
    if (state || wn_ledger_decode(value, &e) || key.n != 8 || wn_vault_of_be64(key.p) != e.number) {
        s->corrupt = true;
        return true;
    }
    return s->fn(s->ctx, &e);
}

wn_err wn_published_ledger_each(const wn_published *p, bool (*fn)(void *ctx, const wn_ledger_entry *e),
                                void *ctx) {
    return wn_published_ledger_from(p, 0, fn, ctx);
}

wn_err wn_published_ledger_from(const wn_published *p, uint64_t number,
                                bool (*fn)(void *ctx, const wn_ledger_entry *e), void *ctx) {
    ledger_scan s = {fn, ctx, false};
    uint8_t from[8];
    wn_vault_be64(number, from);
    WN_TRY(wn_vault_scan(p->vault, DB_LEDGER, SPAN_OF(from), (wn_span){NULL, 0}, ledger_visit, &s));
    return s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

static bool check_visit(void *ctx, const wn_ledger_entry *e) {
    return wn_ledger_check_entry(ctx, e);
}

wn_err wn_published_ledger_verify(const wn_published *p, const uint8_t quoted[32], wn_ledger_check *out) {
    wn_ledger_check c;
    wn_ledger_check_begin(&c, quoted);
    wn_err err = wn_published_ledger_each(p, check_visit, &c);
    if (err && err != WN_ERR_CORRUPT) return err;
    wn_ledger_check_end(&c);
    if (err && c.ok) { // the damaged entry was the last
        c.ok = false;
        c.fault = WN_LEDGER_MISSING;
        c.bad_number = c.count + 1;
    }
    *out = c;
    return WN_OK;
}
