// SPDX-License-Identifier: Apache-2.0
#include "report_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt.h"

static const uint8_t key[32] = {3, 1, 4};
static char folder[] = "/tmp/wn_report_XXXXXX";
wn_published *store;

void setup(void) {
    strcpy(folder, "/tmp/wn_report_XXXXXX");
    cr_assert(mkdtemp(folder));
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_eq(wn_published_open(folder, key, false, 1u << 20, &store), WN_OK);
}

void teardown(void) {
    char path[128];
    static const char *const names[] = {"/published/data.mdb", "/published/lock.mdb"};
    wn_published_close(store);
    for (size_t i = 0; i < WN_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/published", folder);
    rmdir(path);
    rmdir(folder);
}

wn_window window_of(int32_t day) {
    return (wn_window){.zone = "Europe/Berlin",
                       .kind = WN_KIND_WEB,
                       .day = day,
                       .start_s = (int64_t)day * 86400 - 3600,
                       .end_s = (int64_t)day * 86400 + 82800};
}

wn_public_head head_of(const char *table, unsigned dim, int32_t day) {
    wn_public_head h = {.window = window_of(day),
                        .plan_version = 1,
                        .policy_version = 1,
                        .tick = 288,
                        .published_s = (int64_t)day * 86400 + 90000,
                        .sealed = true,
                        .k = wn_dim_is_open(dim) ? 20 : 10,
                        .measures = ALL,
                        .dims_n = dim == WN_DIM_NONE ? 0 : 1,
                        .dims = {(uint8_t)dim, WN_DIM_NONE},
                        .site = "shop.example"};
    if (dim == WN_DIM_NONE) h.k = 10;
    snprintf(h.table, sizeof h.table, "%s", table);
    return h;
}

wn_public_row row_of(const char *label, uint32_t people, uint64_t events, uint64_t sessions) {
    wn_public_row r = {.people = people, .events = events, .sessions = sessions};
    snprintf(r.label[0], sizeof r.label[0], "%s", label);
    return r;
}

wn_public_row other_of(uint32_t people, uint64_t events) {
    wn_public_row r = row_of("other", people, events, 0);
    r.is_other = true;
    return r;
}

void publish(const wn_public_head *h, const wn_public_row *rows, size_t n) {
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_rows(store, h, rows, n), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
}

wn_report_query query_of(const char *table, int32_t from, int32_t to, wn_report_format format) {
    return (wn_report_query){.site = "shop.example",
                             .table = table,
                             .from_day = from,
                             .to_day = to,
                             .from_s = window_of(from).start_s,
                             .to_s = window_of(to + 1).start_s,
                             .format = format};
}

output run(const wn_report_query *q) {
    output o = {0};
    size_t n, m;
    FILE *out = open_memstream(&o.out, &n), *notes = open_memstream(&o.notes, &m);
    o.err = wn_report_run(store, q, out, notes, &o.result);
    fclose(out);
    fclose(notes);
    return o;
}

void output_free(output *o) {
    free(o->out);
    free(o->notes);
}

void golden(const wn_report_query *q, const char *name) {
    char path[512], *want = calloc(1, 65536);
    output o = run(q);
    cr_assert_eq(o.err, WN_OK);
    snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, name);
    if (getenv("WN_GOLDEN_WRITE")) {
        FILE *f = fopen(path, "wb");
        cr_assert(f && fputs(o.out, f) >= 0 && fclose(f) == 0);
    }
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s", path);
    size_t n = fread(want, 1, 65535, f);
    fclose(f);
    want[n] = 0;
    cr_assert_str_eq(o.out, want, "%s differs:\n%s", name, o.out);
    output_free(&o);
    free(want);
}
