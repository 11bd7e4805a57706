// SPDX-License-Identifier: Apache-2.0
// Why: a policy says how long rows are kept, and only what deletes them keeps it.
#include <stdlib.h>
#include <string.h>

#include "published_impl.h"

enum { DAY_S = 86400, WINDOW_S_MAX = 2 * DAY_S }; // no local day is longer

typedef struct lost { // of one site in this run
    char site[WN_SITE_NAME_BYTES];
    uint64_t rows;
} lost;

typedef struct retain {
    wn_published *p;
    const wn_policy *policy;
    int64_t now_s;
    uint8_t (*part)[PART_BYTES]; // of policy->sites[i]
    lost *lost;
    size_t lost_n, lost_cap;
    wn_public_row *rows;
    size_t rows_cap;
    wn_public_codec codec;
    wn_err err;
} retain;

// Windows that ended before this are over; INT64_MIN: never.
static int64_t cut_of(const retain *r, const uint8_t part[PART_BYTES]) {
    const wn_site_policy *s = &r->policy->defaults;
    for (size_t i = 0; i < r->policy->sites_n; i++)
        if (memcmp(r->part[i], part, PART_BYTES) == 0) s = &r->policy->sites[i];
#ifdef WN_MUTANT_RETENTION_OFF
    return s != NULL ? INT64_MIN : 0;
#else
    return s->retention_days == 0 ? INT64_MIN : r->now_s - (int64_t)s->retention_days * DAY_S;
#endif
}

static wn_err lose(retain *r, const char *site, uint64_t rows) {
    size_t i = 0;
    while (i < r->lost_n && strcmp(r->lost[i].site, site) != 0) i++;
    if (i == r->lost_cap) {
        size_t cap = i != 0 ? 2 * i : 8;
        lost *more = realloc(r->lost, cap * sizeof *more);
        if (more == NULL) return WN_ERR_NOMEM;
        r->lost = more;
        r->lost_cap = cap;
    }
    if (i == r->lost_n) {
        r->lost[r->lost_n++] = (lost){.rows = 0};
        memcpy(r->lost[i].site, site, strlen(site) + 1);
    }
    r->lost[i].rows += rows;
    return WN_OK;
}

// What cannot be read goes by its key alone, and names no site.
static bool rows_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    retain *r = ctx;
    row_key k;
    wn_public_head head = {.site = ""};
    size_t n = 0;
    if (key.n != sizeof k) return true;
    memcpy(&k, key.p, sizeof k);
    int64_t cut_s = cut_of(r, k.site), start_s = wn_published_start_of(k.start);
    if (cut_s == INT64_MIN || start_s >= cut_s) return true;
    int64_t end_s = start_s + WINDOW_S_MAX;
    wn_err err = state;
    if (!err) err = wn_public_rows_decode(&r->codec, value, &head, &r->rows, &r->rows_cap, &n);
    if (err == WN_ERR_NOMEM) return r->err = err, false;
    if (!err) end_s = head.window.end_s;
    if (end_s >= cut_s) return true;
    r->err = err ? WN_OK : lose(r, head.site, n);
    if (!r->err) r->err = wn_vault_del(r->p->vault, DB_ROWS, key);
    return r->err == WN_OK;
}

static bool counts_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    retain *r = ctx;
    count_key k;
    wn_window w;
    if (key.n != sizeof k) return true;
    memcpy(&k, key.p, sizeof k);
    int64_t cut_s = cut_of(r, k.site), end_s = wn_published_start_of(k.start) + WINDOW_S_MAX;
    if (!state && value.n > COUNT_BYTES &&
        wn_published_take_window((wn_span){value.p + COUNT_BYTES, value.n - COUNT_BYTES}, &w))
        end_s = w.end_s;
    if (cut_s == INT64_MIN || end_s >= cut_s) return true;
    r->err = wn_vault_del(r->p->vault, DB_COUNTS, key);
    return r->err == WN_OK;
}

static wn_err run(retain *r, uint64_t *out_rows) {
    static const wn_span none;
    for (size_t i = 0; i < r->policy->sites_n; i++)
        wn_published_site_part(r->p, wn_site_tag(r->policy->sites[i].site), r->part[i]);
    WN_TRY(wn_vault_scan(r->p->vault, DB_ROWS, none, none, rows_visit, r));
    WN_TRY(r->err);
    WN_TRY(wn_vault_scan(r->p->vault, DB_COUNTS, none, none, counts_visit, r));
    WN_TRY(r->err);
    uint64_t rows = 0;
    for (size_t i = 0; i < r->lost_n; i++) {
        wn_ledger_entry e = {.at_s = r->now_s, .what = WN_LEDGER_EXPIRED, .rows = r->lost[i].rows};
        memcpy(e.site, r->lost[i].site, sizeof e.site);
        WN_TRY(wn_published_ledger(r->p, &e));
        rows += r->lost[i].rows;
    }
    *out_rows = rows;
    return WN_OK;
}

wn_err wn_published_retain(wn_published *p, const wn_policy *policy, int64_t now_s, uint64_t *out_rows) {
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    retain r = {.p = p, .policy = policy, .now_s = now_s};
    r.part = calloc(policy->sites_n + 1, sizeof *r.part);
    if (r.part == NULL) return WN_ERR_NOMEM;
    wn_err err = run(&r, out_rows);
    free(r.part);
    free(r.lost);
    free(r.rows);
    wn_public_codec_fini(&r.codec);
    return err;
}
