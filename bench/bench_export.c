// SPDX-License-Identifier: Apache-2.0
// winnow-bench-export: a million published rows of one site and 30 days leave as `winnow report
// --by day`, in each format for programs, and added up: until the first byte, until the end, and how
// much memory that took. Beside it what printing the same rows from memory takes.
//
// --dir is a state directory; --key the path of `winnow`; --endpoint the config directory; --events
// the rows.
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_line.h"
#include "bench_store.h"
#include "clock.h"
#include "days.h"
#include "report.h"

#define DAYS 30
#define SITE "site-07"

extern char **environ;

static void label(size_t i, char *out, size_t cap) {
    snprintf(out, cap, "/section-%zu/article-%zu", i % 97, i);
}

static wn_public_row row_of(size_t i, int32_t day) {
    wn_public_row r = {.people = (uint32_t)(20 * (1 + (i * 7 + (size_t)day) % 50))};
    r.events = 3 * (uint64_t)r.people;
    label(i, r.label[0], sizeof r.label[0]);
    return r;
}

// As a seal publishes them.
static int by_people(const void *a, const void *b) {
    const wn_public_row *x = a, *y = b;
    if (x->people != y->people) return x->people < y->people ? 1 : -1;
    return strcmp(x->label[0], y->label[0]);
}

static wn_err fill(wn_published *p, int32_t last_day, size_t a_day) {
    wn_public_row *rows = calloc(a_day, sizeof *rows);
    if (!rows) return WN_ERR_NOMEM;
    wn_err err = WN_OK;
    for (int32_t day = last_day - DAYS + 1; day <= last_day && err == WN_OK; day++) {
        wn_public_head h = {.plan_version = 2,
                            .policy_version = 1,
                            .tick = 1,
                            .sealed = true,
                            .k = 20,
                            .measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS,
                            .dims_n = 1,
                            .dims = {WN_CLOSED_N + WN_DIM_route, WN_DIM_NONE},
                            .table = "pages",
                            .site = SITE};
        wn_zone_window_of_day(wn_zone_find("Etc/UTC"), WN_KIND_APP, day, &h.window);
        h.published_s = h.window.end_s;
        for (size_t i = 0; i < a_day; i++) rows[i] = row_of(i, day);
        qsort(rows, a_day, sizeof *rows, by_people);
        err = wn_published_begin(p);
        if (err == WN_OK) err = wn_published_rows(p, &h, rows, a_day);
        if (err == WN_OK) err = wn_published_tick(p, &h.window, 1, true, h.window.end_s);
        if (err == WN_OK) err = wn_published_commit(p);
    }
    free(rows);
    return err;
}

// The same bytes of CSV, from rows that lie in memory.
static double print_rows(int32_t last_day, size_t a_day) {
    wn_public_row *rows = calloc(a_day, sizeof *rows);
    FILE *out = fopen("/dev/null", "we");
    if (!rows || !out) return 0;
    for (size_t i = 0; i < a_day; i++) rows[i] = row_of(i, 0);
    double from = wn_bench_wall_s();
    for (int32_t day = last_day - DAYS + 1; day <= last_day; day++) {
        char text[11];
        wn_day_text(day, text);
        for (size_t i = 0; i < a_day; i++)
            fprintf(out, "%s,%s,%" PRIu32 ",%" PRIu64 "\r\n", text, rows[i].label[0], rows[i].people,
                    rows[i].events);
    }
    fclose(out);
    free(rows);
    return wn_bench_wall_s() - from;
}

typedef struct took {
    double first_ms, all_s, rss_mib;
    size_t bytes;
} took;

static bool run_command(char **argv, took *out) {
    int ends[2], status;
    pid_t pid;
    struct rusage used;
    static char buffer[1 << 16];
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    *out = (took){0};
    double from = wn_bench_wall_s();
    bool well = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) == 0;
    close(ends[1]);
    for (ssize_t n; well && (n = read(ends[0], buffer, sizeof buffer)) > 0; out->bytes += (size_t)n)
        if (out->bytes == 0) out->first_ms = (wn_bench_wall_s() - from) * 1e3;
    out->all_s = wn_bench_wall_s() - from;
    well = well && wait4(pid, &status, 0, &used) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    out->rss_mib = (double)used.ru_maxrss / 1024;
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    return well;
}

static const struct {
    const char *format, *name;
    bool by_day;
} forms[] = {{"csv", "csv_by_day", true},
             {"ndjson", "ndjson_by_day", true},
             {"json", "json_by_day", true},
             {"msgpack", "msgpack_by_day", true},
             {"csv", "csv_added_up", false}};

static bool measure(const wn_bench_options *o, int32_t last_day, size_t a_day) {
    char from[11], to[11], name[64];
    wn_day_text(last_day - DAYS + 1, from);
    wn_day_text(last_day, to);
    for (size_t f = 0; f < WN_COUNT(forms); f++) {
        char *argv[] = {(char *)(uintptr_t)o->key,
                        "report",
                        "--state-dir",
                        (char *)(uintptr_t)o->dir,
                        "--config-dir",
                        (char *)(uintptr_t)o->endpoint,
                        "--table",
                        "pages",
                        "--from",
                        from,
                        "--to",
                        to,
                        "--format",
                        (char *)(uintptr_t)forms[f].format,
                        forms[f].by_day ? "--by" : NULL,
                        "day",
                        NULL};
        wn_bench_samples first = {0}, rate = {0}, rss = {0}, printed = {0};
        for (int i = 0; i <= o->runs; i++) { // the first warms
            took t;
            double reference = print_rows(last_day, a_day);
            if (!run_command(argv, &t) || t.bytes < 1000) return false;
            if (i == 0) continue;
            wn_bench_add(&first, t.first_ms);
            wn_bench_add(&rate, (double)(a_day * DAYS) / t.all_s / 1e6);
            wn_bench_add(&rss, t.rss_mib);
            wn_bench_add(&printed, (double)(a_day * DAYS) / reference / 1e6);
        }
        double best = printed.v[0];
        for (int i = 1; i < printed.n; i++) best = printed.v[i] > best ? printed.v[i] : best;
        snprintf(name, sizeof name, "%s_first_byte", forms[f].name);
        wn_bench_print("export", name, "ms", &first, NULL, 0);
        snprintf(name, sizeof name, "%s_rows", forms[f].name);
        wn_bench_print("export", name, "M/s", &rate, "fprintf of the same rows, its best", best);
        snprintf(name, sizeof name, "%s_memory", forms[f].name);
        wn_bench_print("export", name, "MiB", &rss, NULL, 0);
    }
    return true;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_published *p = NULL;
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir || !o.key || !o.endpoint) return 2;
    int32_t last_day = (int32_t)(o.day_s / 86400);
    size_t a_day = (o.events + DAYS - 1) / DAYS;
    wn_err err = wn_bench_store_open(o.dir, &p);
    if (err == WN_OK) err = fill(p, last_day, a_day);
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-export: %s\n", wn_err_text(err)), 1;
    wn_published_close(p);
    if (!measure(&o, last_day, a_day))
        return fprintf(stderr, "winnow-bench-export: `winnow report` failed\n"), 1;
    return 0;
}
