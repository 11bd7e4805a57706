// SPDX-License-Identifier: Apache-2.0
// winnow-bench-fold: durable events a second one core of the aggregator counts:
// increments of every table, journal record, LMDB commit with its sync, fold.
// Then what that takes of disk and memory, and how fast it is replayed.
// --form sparse: one of the many days that few events a day are spread over.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench_line.h"
#include "bench_rig.h"
#include "commit.h"
#include "open_store.h"

typedef struct work {
    wn_observation *obs;
    size_t n;
    wn_value *values; // of each text, in order of first sight
    size_t *value_at; // before which observation it is seen
    size_t values_n, values_cap;
    wn_window window;
} work;

typedef struct figures {
    wn_bench_samples wall, cpu, gather, encode, commit, apply, journal, file, person, replay, entries;
} figures;

typedef struct part { // seconds of one run
    double gather, encode, commit, apply;
} part;

static bool keep_value(work *k, const wn_value *v, uint64_t *seen, size_t cap) {
    uint64_t id = wn_value_id(v);
    size_t i = id % cap;
    for (; seen[i]; i = (i + 1) % cap)
        if (seen[i] == id) return true;
    if (k->values_n == k->values_cap) return false;
    seen[i] = id;
    k->value_at[k->values_n] = k->n;
    k->values[k->values_n++] = *v;
    return true;
}

static bool filter_all(wn_bench_rig *rig, const wn_bench_world *w, work *k) {
    wn_filtered f;
    k->values_cap = 400000;
    size_t cap = 1u << 20;
    uint64_t *seen = calloc(cap, sizeof *seen);
    k->obs = malloc(w->n * sizeof *k->obs);
    k->values = malloc(k->values_cap * sizeof *k->values);
    k->value_at = malloc(k->values_cap * sizeof *k->value_at);
    bool well = seen && k->obs && k->values && k->value_at;
    for (size_t i = 0; well && i < w->n; i++) {
        if (wn_bench_rig_filter(rig, &w->event[i], &f) != WN_KEEP) continue;
        k->window = f.window->window;
        for (unsigned d = 0; d < WN_OPEN_N && well; d++)
            if (f.obs.open[d]) well = keep_value(k, f.values[d], seen, cap);
        k->obs[k->n++] = f.obs;
    }
    free(seen);
    return well;
}

// Seconds of CPU, but for the commit, which waits for the disk: wall.
static wn_err commit(wn_commit *c, wn_open_store *s, wn_batch_id *id, part *t) {
    double at = wn_bench_thread_cpu_s();
    WN_TRY(wn_commit_encode(c));
    t->encode += wn_bench_thread_cpu_s() - at;
    at = wn_bench_wall_s();
    WN_TRY(wn_open_store_begin(s));
    for (size_t i = 0; i < wn_commit_records(c); i++)
        WN_TRY(wn_open_store_journal(s, wn_commit_record(c, i)));
    WN_TRY(wn_open_store_watermark(s, id));
    WN_TRY(wn_open_store_commit(s));
    t->commit += wn_bench_wall_s() - at;
    at = wn_bench_thread_cpu_s();
    wn_commit_apply(c);
    t->apply += wn_bench_thread_cpu_s() - at;
    return WN_OK;
}

// Commits of 64 batches, as the daemon makes them under load.
static wn_err count(const work *k, wn_fold *f, wn_open_store *s, const wn_table_keys *keys, part *t) {
    wn_commit *c;
    wn_batch_id id = {.generation = 1};
    size_t value = 0;
    WN_TRY(wn_commit_new(f, &c));
    wn_err err = WN_OK;
    for (size_t i = 0; i < k->n && err == WN_OK;) {
        double at = wn_bench_thread_cpu_s();
        size_t to = i + WN_COMMIT_OBS_MAX < k->n ? i + WN_COMMIT_OBS_MAX : k->n;
        for (; i < to && err == WN_OK; i++) {
            for (; value < k->values_n && k->value_at[value] <= i && err == WN_OK; value++)
                err = wn_commit_value(c, &k->values[value]);
            if (err == WN_OK) err = wn_commit_observe(c, &k->obs[i], keys, 0);
        }
        id.sequence += 64;
        t->gather += wn_bench_thread_cpu_s() - at;
        if (err == WN_OK) err = commit(c, s, &id, t);
    }
    wn_commit_free(c);
    return err;
}

static wn_err replay_base(void *ctx, wn_span base) {
    return wn_fold_unpack(ctx, base);
}
static wn_err replay_journal(void *ctx, wn_span record) {
    return wn_journal_replay(ctx, record);
}

static wn_err one_run(const work *k, const wn_plan *plan, const char *dir, double entries, figures *out) {
    wn_fold *f, *again;
    wn_open_store *s;
    wn_table_keys keys;
    uint8_t key[32], core[32];
    part t = {0};
    WN_TRY(wn_random(key, sizeof key));
    WN_TRY(wn_random(core, sizeof core));
    wn_table_keys_derive(core, &keys);
    WN_TRY(wn_open_store_open(dir, &k->window, key, (size_t)1 << 30, &s));
    WN_TRY(wn_fold_new(plan, 64, 16384, &f));
    double wall = wn_bench_wall_s(), cpu = wn_bench_cpu_s(), n = (double)k->n;
    WN_TRY(count(k, f, s, &keys, &t));
    wn_bench_add(&out->cpu, n / (wn_bench_cpu_s() - cpu));
    wn_bench_add(&out->wall, n / (wn_bench_wall_s() - wall));
    wn_bench_add(&out->gather, t.gather / n * 1e9);
    wn_bench_add(&out->encode, t.encode / n * 1e9);
    wn_bench_add(&out->commit, t.commit / n * 1e9);
    wn_bench_add(&out->apply, t.apply / n * 1e9);
    wn_bench_add(&out->journal, (double)wn_open_store_journal_bytes(s) / n);
    wn_bench_add(&out->file, (double)wn_open_store_file_bytes(s) / n);
    wn_bench_add(&out->person, (double)wn_fold_bytes(f) / (double)wn_fold_people(f));
    wn_open_store_close(s);
    WN_TRY(wn_fold_new(plan, 64, 16384, &again));
    wall = wn_bench_wall_s();
    WN_TRY(wn_open_store_open(dir, &k->window, key, (size_t)1 << 30, &s));
    WN_TRY(wn_open_store_replay(s, replay_base, replay_journal, again));
    double took = wn_bench_wall_s() - wall;
    wn_bench_add(&out->replay, n / took);
    wn_bench_add(&out->entries, entries / took);
    bool same = wn_fold_people(f) == wn_fold_people(again) && wn_fold_cells(f) == wn_fold_cells(again);
    fprintf(stderr, "winnow-bench-fold: %llu people, %zu cells\n", (unsigned long long)wn_fold_people(f),
            wn_fold_cells(f));
    wn_fold_free(f);
    wn_fold_free(again);
    WN_TRY(wn_open_store_destroy(s));
    return same ? WN_OK : WN_ERR_STATE;
}

// Increments of all observations: what a journal holds at most.
static double increments(const work *k, const wn_plan *plan) {
    static wn_table_keys keys;
    wn_increment inc[WN_TABLES_MAX];
    double n = 0;
    for (size_t i = 0; i < k->n; i++) n += (double)wn_increments_of(&k->obs[i], plan, &keys, 0, inc);
    return n;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_bench_rig rig;
    wn_bench_world w;
    wn_plan plan;
    work k = {0};
    figures g = {0};
    char why[200] = "", dir[300];
    int line = 0;
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    wn_err err = wn_bench_rig_open(o.dir, o.country_db, o.day_s, NULL, &rig);
    if (err == WN_OK)
        err = wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line);
    if (err != WN_OK || !wn_bench_world_make(o.events, o.day_s, 1, false, &w) || !filter_all(&rig, &w, &k))
        return 1;
    wn_bench_world_fini(&w);
    wn_bench_rig_close(&rig);
    double all = increments(&k, &plan);
    snprintf(dir, sizeof dir, "%s/open", o.dir);
    (void)mkdir(dir, 0700);
    for (int run = 0; run < o.runs && err == WN_OK; run++) err = one_run(&k, &plan, dir, all, &g);
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-fold: %s\n", wn_err_text(err)), 1;
    if (strcmp(o.form, "sparse") == 0) {
        wn_bench_print("fold", "sparse_durable_per_cpu", "events/s/core", &g.cpu, NULL, 0);
        wn_bench_print("fold", "sparse_file_bytes", "B/event", &g.file, "spike, sparse, measured elsewhere",
                       515);
        return 0;
    }
    wn_bench_samples per = {0};
    wn_bench_add(&per, all / (double)k.n);
    wn_bench_print("fold", "durable", "events/s", &g.wall, NULL, 0);
    wn_bench_print("fold", "durable_per_cpu", "events/s/core", &g.cpu, o.reference, o.reference_value);
    wn_bench_print("fold", "increments", "per event", &per, NULL, 0);
    wn_bench_print("fold", "gather_cpu_time", "ns/event", &g.gather, NULL, 0);
    wn_bench_print("fold", "encode_cpu_time", "ns/event", &g.encode, NULL, 0);
    wn_bench_print("fold", "commit_wall_time", "ns/event", &g.commit, NULL, 0);
    wn_bench_print("fold", "apply_cpu_time", "ns/event", &g.apply, NULL, 0);
    wn_bench_print("fold", "journal_bytes", "B/event", &g.journal, NULL, 0);
    wn_bench_print("fold", "file_bytes", "B/event", &g.file, "spike, dense, measured elsewhere", 100);
    wn_bench_print("fold", "memory", "B/person", &g.person, NULL, 0);
    wn_bench_print("fold", "replay", "events/s", &g.replay, NULL, 0);
    wn_bench_print("fold", "replay_increments", "increments/s", &g.entries, NULL, 0);
    return 0;
}
