// SPDX-License-Identifier: Apache-2.0
// winnow-bench-filter: events a second one core filters, every rule on: once
// with caches that know what is common, once with nothing ever seen before; page
// views of the bench's world, and the same with all an app says beside. Reference,
// beside every figure: how many of the page views yajl reads as JSON.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "bench_line.h"
#include "bench_rig.h"

static const char *const field_names[WN_BENCH_FIELD_N] = {
    "site", "name", "url", "referrer", "time", "user_id", "language", "screen", "ip", "user_agent"};

// One object an event, in an array. The caller frees it.
static char *as_json(const wn_bench_world *w, size_t *out_n) {
    char *text = NULL;
    FILE *f = open_memstream(&text, out_n);
    if (f == NULL) return NULL;
    fputc('[', f);
    for (size_t i = 0; i < w->n; i++) {
        const wn_bench_event *e = &w->event[i];
        for (unsigned k = 0; k < WN_BENCH_FIELD_N; k++)
            fprintf(f, "%s\"%s\":\"%.*s\"",
                    k > 0   ? ","
                    : i > 0 ? ",{"
                            : "{",
                    field_names[k], (int)e->n[k], e->text + e->at[k]);
        fputc('}', f);
    }
    fputc(']', f);
    if (fclose(f) == 0) return text;
    free(text);
    return NULL;
}

// Events a second; 0 when it fails.
static double yajl_rate(const wn_bench_options *o) {
    static const yajl_callbacks nothing = {0};
    wn_bench_world w;
    wn_bench_samples rate = {0};
    size_t n = 0;
    if (!wn_bench_world_make(o->events, o->day_s, 1, false, &w)) return 0;
    char *text = as_json(&w, &n);
    bool well = text != NULL;
    for (int run = 0; well && run < o->runs; run++) {
        yajl_handle yajl = yajl_alloc(&nothing, NULL, NULL);
        double from = wn_bench_thread_cpu_s();
        well = yajl != NULL && yajl_parse(yajl, (const unsigned char *)text, n) == yajl_status_ok &&
               yajl_complete_parse(yajl) == yajl_status_ok;
        wn_bench_add(&rate, (double)w.n / (wn_bench_thread_cpu_s() - from));
        if (yajl != NULL) yajl_free(yajl);
    }
    free(text);
    wn_bench_world_fini(&w);
    if (!well) fprintf(stderr, "winnow-bench-filter: yajl did not read the events\n");
    return well ? wn_bench_median(&rate) : 0;
}

static bool measure(wn_bench_rig *rig, const wn_bench_options *o, bool unique, const char *metric) {
    wn_bench_world w;
    wn_bench_samples rate = {0};
    wn_filtered out;
    rig->unique = unique;
    if (!wn_bench_world_make(o->events, o->day_s, 1, unique, &w)) return false;
    if (unique) {
        wn_bench_samples bytes = {0};
        wn_bench_add(&bytes, (double)w.bytes / (double)w.n);
        if (rig->full == NULL) wn_bench_print("filter", "event_bytes", "B", &bytes, NULL, 0);
    } else {
        for (size_t i = 0; i < w.n / 10; i++) (void)wn_bench_rig_filter(rig, &w.event[i], &out);
    }
    size_t kept = 0;
    for (int run = 0; run < o->runs; run++) {
        if (unique) wn_bench_rig_forget(rig);
        double from = wn_bench_thread_cpu_s();
        kept = 0;
        for (size_t i = 0; i < w.n; i++) kept += wn_bench_rig_filter(rig, &w.event[i], &out) == WN_KEEP;
        wn_bench_add(&rate, (double)w.n / (wn_bench_thread_cpu_s() - from));
    }
    bool well = kept >= w.n - w.n / 100;
    if (!well) fprintf(stderr, "winnow-bench-filter: only %zu of %zu events were kept\n", kept, w.n);
    wn_bench_print("filter", metric, "events/s/core", &rate, o->reference, o->reference_value);
    wn_bench_world_fini(&w);
    return well;
}

static bool measure_world(const wn_bench_options *o, const wn_bench_full *full) {
    wn_bench_rig rig;
    const char *policy = full != NULL ? wn_bench_full_policy : NULL;
    wn_err err = wn_bench_rig_open(o->dir, o->country_db, o->day_s, policy, &rig);
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-filter: %s\n", wn_err_text(err)), false;
    wn_bench_samples geo = {0};
    wn_bench_add(&geo, wn_edge_has_geo(rig.edge));
    if (full == NULL) wn_bench_print("filter", "country_database_in_use", "", &geo, NULL, 0);
    rig.full = full;
    bool warm = strcmp(o->form, "cold") != 0, cold = strcmp(o->form, "warm") != 0;
    bool well = (!warm || measure(&rig, o, false, full ? "full_warm_caches" : "warm_caches")) &&
                (!cold || measure(&rig, o, true, full ? "full_cold_caches" : "cold_caches"));
    wn_bench_rig_close(&rig);
    return well;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_bench_full full;
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    wn_bench_full_init(o.day_s, &full);
    o.reference = "yajl reads the page views";
    o.reference_value = yajl_rate(&o);
    if (o.reference_value <= 0) return 1;
    // --key world or full: one of them alone.
    bool world = !o.key || strcmp(o.key, "full") != 0, app = !o.key || strcmp(o.key, "world") != 0;
    return (!world || measure_world(&o, NULL)) && (!app || measure_world(&o, &full)) ? 0 : 1;
}
