// SPDX-License-Identifier: Apache-2.0
// winnow-bench-seal: the end of a window of --events cells on one core: locks,
// `other`, labels, rows, ledger and the sealed marker in one commit, then the
// files and keys gone; and the memory that takes beside the fold.
//
// The cells are pages of many sites; a quarter of them hides nobody and is shown.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_line.h"
#include "clock.h"
#include "crypt.h"
#include "keeper.h"
#include "windows_impl.h"

#define PAGES_PER_SITE 16000 // less than a side table holds
#define SHOWN_PEOPLE 24      // in every fourth page
#define FEW_PEOPLE 3         // in the others

typedef struct figures {
    wn_bench_samples wall, cpu, memory, rows;
} figures;

typedef struct place {
    char state[300], open[500];
    wn_options options;
    wn_sites sites;
    const wn_sites *borrowed;
    wn_plan plan;
    wn_kept identity;
    wn_window day;
} place;

static double peak_mib(void) {
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (double)u.ru_maxrss / 1024 : 0;
}

// Resident now.
static double now_mib(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

// A new high-water mark from here on.
static void forget_peak(void) {
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f == NULL) return;
    fputs("5", f);
    fclose(f);
}

static bool make_sites(place *p, size_t n) {
    p->sites = (wn_sites){.site = calloc(n, sizeof(wn_site)), .n = n};
    if (p->sites.site == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        wn_site *s = &p->sites.site[i];
        snprintf(s->name, sizeof s->name, "site-%04zu", i);
        s->tag = wn_site_tag(s->name);
    }
    wn_sites_sort(&p->sites);
    p->borrowed = &p->sites;
    return true;
}

static wn_err add(wn_fold *f, uint64_t site, uint8_t table, uint64_t value, uint64_t person) {
    wn_increment inc = {.site = site,
                        .value = {value, 0},
                        .person = person * 0x9E3779B97F4A7C15u, // spread, as a PRF's output is
                        .prefix = person,
                        .table = table,
                        .events = 1};
    return wn_fold_add(f, &inc);
}

// One page of one site, with the people who saw it.
static wn_err add_page(open_window *o, uint64_t site, uint8_t table, unsigned page, uint64_t *inout_person) {
    char text[64];
    wn_value v;
    bool is_new;
    int n =
        snprintf(text, sizeof text, "/section-%u/page-%u-%06x", page % 97, page, (unsigned)(site & 0xFFFFFF));
    wn_value_seal(o->text_key[0], (wn_span){(const uint8_t *)text, (size_t)n}, &v);
    WN_TRY(wn_fold_value(o->fold, &v, &is_new));
    unsigned people = page % 4 == 0 ? SHOWN_PEOPLE : FEW_PEOPLE;
    for (unsigned i = 0; i < people; i++, ++*inout_person) {
        WN_TRY(add(o->fold, site, 0, 0, *inout_person));
        WN_TRY(add(o->fold, site, table, wn_value_id(&v), *inout_person));
    }
    return WN_OK;
}

static wn_err fill(const place *p, open_window *o, size_t cells) {
    uint64_t person = 1;
    int table = wn_plan_table(&o->plan, "pages");
    if (table < 0) return WN_ERR_CONFIG;
    memset(o->text_key[0], 7, sizeof o->text_key[0]);
    o->text_keys_n = 1;
    for (size_t i = 0; i < cells; i++)
        WN_TRY(add_page(o, p->sites.site[i / PAGES_PER_SITE].tag, (uint8_t)table,
                        (unsigned)(i % PAGES_PER_SITE), &person));
    return WN_OK;
}

static wn_err seal(place *p, wn_windows *ws, size_t cells, figures *out) {
    open_window *o;
    uint64_t rows = 0;
    WN_TRY(wn_windows_open_new(ws, &p->day, p->day.start_s, &o));
    WN_TRY(fill(p, o, cells));
    fprintf(stderr, "winnow-bench-seal: %zu cells, %.0f MiB\n", wn_fold_cells(o->fold),
            (double)wn_fold_bytes(o->fold) / (1 << 20));
    forget_peak();
    double wall = wn_bench_wall_s(), cpu = wn_bench_cpu_s(), memory = now_mib();
    WN_TRY(wn_windows_seal(ws, &p->day, p->day.end_s, &rows));
    wn_bench_add(&out->wall, wn_bench_wall_s() - wall);
    wn_bench_add(&out->cpu, wn_bench_cpu_s() - cpu);
    wn_bench_add(&out->memory, peak_mib() - memory);
    wn_bench_add(&out->rows, (double)rows);
    return WN_OK;
}

static wn_err one_run(place *p, int run, size_t cells, figures *out) {
    uint8_t key[32];
    char path[400];
    wn_slots *slots = NULL;
    wn_published *published = NULL;
    wn_windows *ws = NULL;
    WN_TRY(wn_random(key, sizeof key));
    snprintf(path, sizeof path, "%s/%d", p->state, run);
    if (mkdir(path, 0700) != 0) return WN_ERR_IO;
    snprintf(p->open, sizeof p->open, "%s/open", path);
    if (mkdir(p->open, 0700) != 0) return WN_ERR_IO;
    wn_err err = wn_published_open(path, key, false, (size_t)1 << 30, &published);
    snprintf(path, sizeof path, "%s/%d/slots", p->state, run);
    if (err == WN_OK) err = wn_slots_open(path, false, &slots);
    wn_windows_env env = {.options = &p->options,
                          .sites = &p->borrowed,
                          .plan = &p->plan,
                          .slots = slots,
                          .identity = &p->identity,
                          .published = published,
                          .open_dir = p->open,
                          .p_percent = 25};
    if (err == WN_OK) err = wn_windows_open(&env, p->day.start_s, &ws);
    if (err == WN_OK) err = seal(p, ws, cells, out);
    wn_windows_close(ws);
    wn_published_close(published);
    wn_slots_close(slots);
    return err;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    static place p;
    figures g = {0};
    char why[200] = "";
    int line = 0;
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    size_t cells = o.events;
    snprintf(p.state, sizeof p.state, "%.280s", o.dir);
    wn_options_defaults(&p.options);
    wn_err err = wn_crypt_init();
    if (err == WN_OK)
        err = wn_plan_load(wn_plan_default, strlen(wn_plan_default), &p.plan, why, sizeof why, &line);
    if (err == WN_OK) err = wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &p.identity);
    if (err != WN_OK || !make_sites(&p, cells / PAGES_PER_SITE + 1)) return 1;
    wn_zone_window_of_day(wn_zone_find("Etc/UTC"), WN_KIND_WEB, (int32_t)(o.day_s / 86400), &p.day);
    for (int run = 0; run < o.runs && err == WN_OK; run++) err = one_run(&p, run, cells, &g);
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-seal: %s\n", wn_err_text(err)), 1;
    wn_bench_samples per = {0};
    wn_bench_add(&per, (double)cells);
    wn_bench_print("seal", "cells", "cells", &per, NULL, 0);
    wn_bench_print("seal", "rows", "rows", &g.rows, NULL, 0);
    wn_bench_print("seal", "wall_time", "s", &g.wall, "target", 10);
    wn_bench_print("seal", "cpu_time", "s", &g.cpu, NULL, 0);
    wn_bench_print("seal", "memory_beside_the_fold", "MiB", &g.memory, NULL, 0);
    return 0;
}
