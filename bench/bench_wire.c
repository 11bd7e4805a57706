// SPDX-License-Identifier: Apache-2.0
// winnow-bench-wire: observations a second that one core puts into batches for
// the aggregator, and that one core reads back, every check on.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_line.h"
#include "bench_rig.h"
#include "winnow/wire.h"

typedef struct kept {
    wn_observation obs;
    wn_value values[WN_OPEN_N];
} kept;

typedef struct packed {
    uint8_t *bytes;
    size_t n, used;
    size_t *end; // of each batch
    size_t batches;
} packed;

static wn_err finish(wn_batch_builder *b, wn_batch_head *head, packed *p) {
    size_t n = 0;
    head->id.sequence++;
    WN_TRY(wn_batch_builder_finish(b, head, p->bytes + p->used, p->n - p->used, &n));
    p->used += n;
    p->end[p->batches++] = p->used;
    wn_batch_builder_reset(b);
    return WN_OK;
}

static wn_err encode(const kept *k, size_t n, wn_batch_builder *b, wn_batch_head head, packed *p) {
    p->used = p->batches = 0;
    for (size_t i = 0; i < n; i++) {
        const wn_value *values[WN_OPEN_N] = {NULL};
        for (unsigned d = 0; d < WN_OPEN_N; d++)
            if (k[i].obs.open[d]) values[d] = &k[i].values[d];
        wn_err err = wn_batch_builder_add(b, &k[i].obs, values);
        if (err == WN_ERR_FULL) {
            WN_TRY(finish(b, &head, p));
            err = wn_batch_builder_add(b, &k[i].obs, values);
        }
        WN_TRY(err);
    }
    return finish(b, &head, p);
}

static wn_err decode(const packed *p, uint64_t *out_n) {
    static wn_batch_reader r;
    wn_observation obs;
    size_t from = 0;
    *out_n = 0;
    for (size_t i = 0; i < p->batches; i++) {
        WN_TRY(wn_batch_reader_init(&r, (wn_span){p->bytes + from, p->end[i] - from}));
        while (wn_batch_reader_next(&r, &obs)) *out_n += 1;
        from = p->end[i];
    }
    return WN_OK;
}

static size_t filter_all(wn_bench_rig *rig, const wn_bench_world *w, kept *out, wn_batch_head *head) {
    wn_filtered f;
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (wn_bench_rig_filter(rig, &w->event[i], &f) != WN_KEEP) continue;
        out[n].obs = f.obs;
        head->window = f.window->window;
        memcpy(head->text_key, f.window->key_text, sizeof head->text_key);
        for (unsigned d = 0; d < WN_OPEN_N; d++)
            if (f.obs.open[d]) out[n].values[d] = *f.values[d];
        n++;
    }
    return n;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_bench_rig rig;
    wn_bench_world w;
    wn_batch_builder *b = NULL;
    wn_batch_head head = {.id.generation = 1};
    wn_bench_samples coded = {0}, read = {0}, bytes = {0};
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    if (o.events > 200000) o.events = 200000; // what it holds beside the events is large
    wn_err err = wn_bench_rig_open(o.dir, o.country_db, o.day_s, NULL, &rig);
    if (err != WN_OK || !wn_bench_world_make(o.events, o.day_s, 1, false, &w)) return 1;
    kept *k = calloc(w.n, sizeof *k);
    packed p = {.n = w.n * 512 + WN_BATCH_BYTES_MAX, .end = calloc(w.n, sizeof *p.end)};
    p.bytes = malloc(p.n);
    if (!k || !p.end || !p.bytes || wn_batch_builder_new(&b) != WN_OK) return 1;
    size_t n = filter_all(&rig, &w, k, &head);
    uint64_t back = 0;
    for (int run = -1; run < o.runs && err == WN_OK; run++) { // the first only warms
        double at = wn_bench_thread_cpu_s();
        err = encode(k, n, b, head, &p);
        double then = wn_bench_thread_cpu_s();
        if (err == WN_OK) err = decode(&p, &back);
        double end = wn_bench_thread_cpu_s();
        if (run < 0) continue;
        wn_bench_add(&coded, (double)n / (then - at));
        wn_bench_add(&read, (double)n / (end - then));
        wn_bench_add(&bytes, (double)p.used / (double)n);
    }
    if (err != WN_OK || back != n)
        return fprintf(stderr, "winnow-bench-wire: %s, %zu of %zu\n", wn_err_text(err), (size_t)back, n), 1;
    wn_bench_print("wire", "encode", "observations/s/core", &coded, NULL, 0);
    wn_bench_print("wire", "decode", "observations/s/core", &read, NULL, 0);
    wn_bench_print("wire", "bytes", "B/observation", &bytes, NULL, 0);
    return 0;
}
