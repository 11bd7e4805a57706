// SPDX-License-Identifier: Apache-2.0
// A report that is written while it is read is the report; how far it is, is told.
#include <stdlib.h>
#include <string.h>

#include "mp.h"
#include "report_support.h"

TestSuite(report_export, .init = setup, .fini = teardown);

#define DAYS 5
#define PAGES 300

static void fill(void) {
    static wn_public_row rows[PAGES + 1];
    for (int32_t d = 0; d < DAYS; d++) {
        for (size_t i = 0; i < PAGES; i++) {
            char label[120];
            snprintf(label, sizeof label, "/%0*zu", 100, i + (size_t)d);
            rows[i] = row_of(label, (uint32_t)(20 * (1 + i % 7)), 40, 20);
        }
        rows[PAGES] = other_of(20, 40);
        wn_public_head h = head_of("pages", ROUTE, DAY + d);
        h.sealed = d + 1 < DAYS;
        publish(&h, rows, PAGES + 1);
    }
}

typedef struct told {
    int64_t until_s;
    uint64_t rows, calls;
} told;

static void progress(void *ctx, int64_t until_s, uint64_t rows) {
    told *t = ctx;
    cr_assert(until_s >= t->until_s && rows >= t->rows, "it goes back");
    *t = (told){until_s, rows, t->calls + 1};
}

typedef struct bytes {
    char *p;
    size_t n;
} bytes;

static bytes export(const wn_report_query *q, bool by_day, told *t, wn_report_result *result) {
    bytes out = {0};
    char *notes;
    size_t notes_n;
    FILE *f = open_memstream(&out.p, &out.n), *g = open_memstream(&notes, &notes_n);
    cr_assert_eq(wn_report_export(store, q, by_day, f, g, progress, t, result), WN_OK);
    fclose(f);
    fclose(g);
    free(notes);
    return out;
}

Test(report_export, is_the_report_in_every_format) {
    fill();
    for (wn_report_format format = WN_REPORT_CSV; format <= WN_REPORT_META; format++) {
        wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, format);
        wn_report_result result;
        told t = {0};
        bytes whole = {0}, got = export(&q, false, &t, &result);
        FILE *f = open_memstream(&whole.p, &whole.n), *notes = fopen("/dev/null", "w");
        wn_report_result want;
        cr_assert_eq(wn_report_run(store, &q, f, notes, &want), WN_OK);
        fclose(f);
        fclose(notes);
        cr_expect(whole.n == got.n && memcmp(whole.p, got.p, got.n) == 0, "format %d", (int)format);
        cr_expect(result.windows == want.windows && result.all_sealed == want.all_sealed);
        cr_expect(result.rows == (format == WN_REPORT_META ? want.rows : result.rows) &&
                  result.rows == want.rows);
        cr_expect(t.calls >= DAYS && t.rows == want.rows && t.until_s == q.to_s);
        free(whole.p);
        free(got.p);
    }
}

// A map with `report`, a map a row, a map with `end`; whoever misses the last knows that it was cut.
Test(report_export, msgpack_is_one_value_after_another) {
    fill();
    wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, WN_REPORT_MSGPACK);
    wn_report_result result;
    told t = {0};
    bytes got = export(&q, true, &t, &result);
    wn_mp m;
    size_t values = 0;
    uint64_t people = 0, shown = 0;
    unsigned hidden = 0;
    wn_span key = {NULL, 0};
    wn_mp_init(&m, (wn_span){(const uint8_t *)got.p, got.n});
    for (; !m.bad && wn_mp_peek(&m) != WN_MP_END; values++) {
        uint32_t pairs = 0;
        cr_assert(wn_mp_map(&m, 64, &pairs));
        for (uint32_t i = 0; i < pairs; i++) {
            uint64_t n = 0;
            cr_assert(wn_mp_str(&m, 40, &key));
            if (i == 0) cr_assert_eq(wn_span_is(key, "report"), values == 0);
            if (i == 0) cr_assert_eq(wn_span_is(key, "end"), values == DAYS * (PAGES + 1) + 1);
            if (wn_span_is(key, "people")) people += wn_mp_uint(&m, UINT64_MAX, &n) ? n : 0;
            else if (wn_span_is(key, "rows_shown")) cr_assert(wn_mp_uint(&m, UINT64_MAX, &shown));
            else {
                hidden += wn_span_is(key, "sessions") && wn_mp_peek(&m) == WN_MP_NIL;
                cr_assert(wn_mp_skip(&m, 4));
            }
        }
    }
    cr_expect(!m.bad && values == DAYS * (PAGES + 1) + 2 && shown == DAYS * (PAGES + 1) &&
              result.rows == shown);
    uint64_t want = 0;
    for (size_t i = 0; i < PAGES; i++) want += 20 * (1 + i % 7);
    cr_expect_eq(people, DAYS * (want + 20));
    cr_expect_eq(hidden, PAGES + 1, "of the day that is open");
    free(got.p);
}

Test(report_export, the_sidecar_of_a_range_by_day_counts_its_rows) {
    fill();
    wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, WN_REPORT_META);
    wn_report_result result;
    told t = {0};
    bytes got = export(&q, true, &t, &result);
    char want[40];
    cr_expect(strstr(got.p, "\"by\":\"day\"") && strstr(got.p, "steps of k") &&
              !strstr(got.p, "visitor_days"));
    snprintf(want, sizeof want, "\"rows_shown\":%d", DAYS * (PAGES + 1));
    cr_expect(strstr(got.p, want), "%s", got.p);
    free(got.p);
}
