// SPDX-License-Identifier: Apache-2.0
// winnow-bench-report: 30 days of 50 sites in the published store, written
// through its own interface; then what a report of one site takes, inside one
// process and as the command, until its first byte and until its end.
//
// --dir is a state directory; --key the path of `winnow`; --endpoint the config directory.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_line.h"
#include "bench_store.h"
#include "bench_world.h"
#include "clock.h"
#include "report.h"
#include "traffic_world.h"

#define DAYS 30
#define ROWS_MAX 300

extern char **environ;

// How many rows a day shows in this table.
static size_t rows_of(const wn_table *t) {
    if (t->dims_n == 0) return 1;
    return strcmp(t->id, "hours") == 0 ? 24 : wn_dim_is_open(t->dims[0]) ? 200 : 20;
}

// What stands behind a lock: three rows of four show it.
static void make_locked(const wn_table *t, uint64_t *r, wn_public_row *out) {
    uint8_t locked = t->measures & WN_MEASURES_LOCKED;
    if (!locked || wn_traffic_below(r, 4) == 0) return;
    out->locked = locked;
    if (locked & WN_MEASURE_BOUNCES) out->bounces = t->k * (out->people / t->k / 3);
    if (locked & WN_MEASURE_TIME)
        out->seconds = 10 * (uint64_t)wn_traffic_below(r, 30 * (uint32_t)out->sessions + 1);
    if (locked & (WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2)) out->number = wn_traffic_below(r, out->people);
}

static size_t make_rows(const wn_table *t, const wn_public_head *h, uint64_t *r, wn_public_row *out) {
    size_t n = rows_of(t);
    for (size_t i = 0; i < n; i++) {
        uint32_t steps = wn_traffic_below(r, (uint32_t)(4000 / (i + 1) + 2));
        out[i] = (wn_public_row){.people = t->k * (1 + steps)};
        if (h->profile == WN_PROFILE_NOISE) {
            out[i].people = wn_public_threshold(h) + steps * 7;
        } else {
            out[i].events = out[i].people * (uint64_t)(1 + wn_traffic_below(r, 4));
            out[i].sessions = out[i].people;
            make_locked(t, r, &out[i]);
        }
        bool page = n == 200;
        if (t->dims_n)
            snprintf(out[i].label[0], sizeof out[i].label[0], page ? "/section/page-%zu" : "label-%zu", i);
    }
    return n;
}

static wn_err fill(wn_published *p, const wn_plan *plan, int32_t last_day, uint64_t *out_rows) {
    static wn_public_row rows[ROWS_MAX];
    uint64_t r = 99;
    *out_rows = 0;
    for (int32_t day = last_day - DAYS + 1; day <= last_day; day++) {
        wn_public_head head = {.plan_version = plan->version, .policy_version = 1, .tick = 1, .sealed = true};
        wn_zone_window_of_day(wn_zone_find("Etc/UTC"), WN_KIND_APP, day, &head.window);
        memcpy(head.plan_digest, plan->digest, sizeof head.plan_digest);
        head.published_s = head.window.end_s;
        WN_TRY(wn_published_begin(p));
        for (unsigned site = 0; site < WN_BENCH_SITES; site++) {
            wn_bench_site_name(site, head.site);
            for (size_t t = 0; t < plan->n; t++) {
                const wn_table *table = &plan->table[t];
                head.k = table->k;
                head.measures = table->measures;
                head.dims_n = table->dims_n;
                memcpy(head.dims, table->dims, sizeof head.dims);
                head.profile = table->profile;
                head.share = table->share;
                head.noise = plan->noise;
                strcpy(head.table, table->id);
                size_t n = make_rows(table, &head, &r, rows);
                *out_rows += n;
                WN_TRY(wn_published_rows(p, &head, rows, n));
            }
        }
        WN_TRY(wn_published_tick(p, &head.window, 1, true, head.window.end_s));
        WN_TRY(wn_published_commit(p));
    }
    return WN_OK;
}

// All tables of one site, as text; the seconds it took.
static wn_err report_all(const wn_published *p, const wn_plan *plan, int32_t last_day, const char *only,
                         double *out_s) {
    char *text = NULL;
    size_t n = 0, rows = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out) return WN_ERR_NOMEM;
    double from = wn_bench_wall_s();
    wn_report_query q = {
        .site = "site-07", .from_day = last_day - DAYS + 1, .to_day = last_day, .limit = 100};
    q.from_s = (int64_t)q.from_day * 86400;
    q.to_s = (int64_t)(last_day + 1) * 86400;
    wn_err err = WN_OK;
    for (size_t t = 0; t < plan->n && err == WN_OK; t++) {
        wn_report_result found;
        if (only && strcmp(only, plan->table[t].id) != 0) continue;
        q.table = plan->table[t].id;
        q.shape = &plan->table[t];
        err = wn_report_run(p, &q, out, out, &found);
        if (err == WN_OK) rows += found.rows;
    }
    fclose(out);
    free(text);
    *out_s = wn_bench_wall_s() - from;
    return err == WN_OK && rows < 20 ? WN_ERR_NOTFOUND : err;
}

// The command, from its start.
static bool run_command(char **argv, double *out_first_s, double *out_all_s) {
    int ends[2], status;
    pid_t pid;
    char buffer[65536];
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    double from = wn_bench_wall_s();
    bool well = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) == 0;
    close(ends[1]);
    size_t all = 0;
    *out_first_s = 0;
    for (ssize_t n; well && (n = read(ends[0], buffer, sizeof buffer)) > 0; all += (size_t)n)
        if (all == 0) *out_first_s = wn_bench_wall_s() - from;
    *out_all_s = wn_bench_wall_s() - from;
    well =
        well && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 && all > 100;
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    return well;
}

static bool measure_command(const wn_bench_options *o, int32_t last_day) {
    char from[11], to[11];
    wn_bench_samples first = {0}, whole = {0}, look = {0};
    wn_day_text(last_day - DAYS + 1, from);
    wn_day_text(last_day, to);
    char *argv[] = {(char *)(uintptr_t)o->key,
                    "report",
                    "--state-dir",
                    (char *)(uintptr_t)o->dir,
                    "--config-dir",
                    (char *)(uintptr_t)o->endpoint,
                    "--site",
                    "site-07",
                    "--from",
                    from,
                    "--to",
                    to,
                    "--table",
                    "pages",
                    NULL};
    for (int i = 0; i < 2 * o->runs; i++) { // the first half warms
        double a, b, c, d;
        if (!run_command(argv, &a, &b)) return false;
        argv[12] = NULL;
        if (!run_command(argv, &c, &d)) return false;
        argv[12] = "--table";
        if (i < o->runs) continue;
        wn_bench_add(&first, a * 1e3);
        wn_bench_add(&whole, b * 1e3);
        wn_bench_add(&look, d * 1e3);
    }
    wn_bench_print("report", "command_first_byte", "ms", &first, NULL, 0);
    wn_bench_print("report", "command_one_table", "ms", &whole, NULL, 0);
    wn_bench_print("report", "command_first_look", "ms", &look, NULL, 0);
    return true;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_plan plan;
    wn_published *p = NULL;
    char why[200] = "";
    int line = 0;
    uint64_t rows = 0;
    wn_bench_samples all = {0}, one = {0}, bytes = {0};
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    int32_t last_day = (int32_t)(o.day_s / 86400);
    wn_err err = wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line);
    if (err == WN_OK) err = wn_bench_store_open(o.dir, &p);
    if (err == WN_OK) err = fill(p, &plan, last_day, &rows);
    for (int i = 0; i < 2 * o.runs && err == WN_OK; i++) {
        double a, b;
        err = report_all(p, &plan, last_day, NULL, &a);
        if (err == WN_OK) err = report_all(p, &plan, last_day, "pages", &b);
        if (err != WN_OK || i < o.runs) continue;
        wn_bench_add(&all, a * 1e3);
        wn_bench_add(&one, b * 1e3);
    }
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-report: %s\n", wn_err_text(err)), 1;
    wn_bench_add(&bytes, (double)wn_published_file_bytes(p) / (double)rows);
    wn_published_close(p);
    wn_bench_print("report", "all_tables_30_days", "ms", &all, o.reference, o.reference_value);
    wn_bench_print("report", "one_table_30_days", "ms", &one, NULL, 0);
    wn_bench_print("disk", "published", "B/row", &bytes, NULL, 0);
    bool well = !o.key || !o.endpoint || measure_command(&o, last_day);
    if (!well) fprintf(stderr, "winnow-bench-report: `winnow report` failed\n");
    return well ? 0 : 1;
}
