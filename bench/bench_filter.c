// SPDX-License-Identifier: Apache-2.0
// winnow-bench-filter: events a second one core filters, every rule on: once
// with caches that know what is common, once with nothing ever seen before; page
// views of the bench's world, and the same with all an app says beside.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_line.h"
#include "bench_rig.h"

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
    wn_bench_print("filter", metric, "events/s/core", &rate,
                   "filter of a throw-away spike, measured elsewhere", 1.76e6);
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
    // --key world or full: one of them alone.
    bool world = !o.key || strcmp(o.key, "full") != 0, app = !o.key || strcmp(o.key, "world") != 0;
    return (!world || measure_world(&o, NULL)) && (!app || measure_world(&o, &full)) ? 0 : 1;
}
