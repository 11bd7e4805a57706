// SPDX-License-Identifier: Apache-2.0
// Why this file: every figure is measured and printed the same way.
#include "bench_line.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool wn_bench_options_read(int argc, char **argv, wn_bench_options *out) {
    static const struct option list[] = {{"events", 1, NULL, 'e'},    {"runs", 1, NULL, 'r'},
                                         {"dir", 1, NULL, 'd'},       {"country-db", 1, NULL, 'c'},
                                         {"reference", 1, NULL, 'n'}, {"reference-value", 1, NULL, 'v'},
                                         {"form", 1, NULL, 'f'},      {"key", 1, NULL, 'k'},
                                         {"endpoint", 1, NULL, 'p'},  {"server-key", 1, NULL, 's'},
                                         {"day", 1, NULL, 'y'},       {"days", 1, NULL, 'D'},
                                         {NULL, 0, NULL, 0}};
    *out = (wn_bench_options){
        .events = 1000000, .runs = 3, .country_db = "", .form = "", .day_s = 1795132800, .days = 1};
    for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        switch (c) {
        case 'e': out->events = strtoull(optarg, NULL, 10); break;
        case 'r': out->runs = atoi(optarg); break;
        case 'd': out->dir = optarg; break;
        case 'c': out->country_db = optarg; break;
        case 'n': out->reference = optarg; break;
        case 'v': out->reference_value = strtod(optarg, NULL); break;
        case 'f': out->form = optarg; break;
        case 'k': out->key = optarg; break;
        case 'p': out->endpoint = optarg; break;
        case 's': out->server_key = optarg; break;
        case 'y': out->day_s = strtoll(optarg, NULL, 10); break;
        case 'D': out->days = (unsigned)strtoul(optarg, NULL, 10); break;
        default: return false;
        }
    }
    if (out->events >= 1000 && out->runs >= 1 && out->runs <= WN_BENCH_RUNS_MAX && out->days >= 1)
        return true;
    fprintf(stderr, "%s: --events is at least 1000, --runs 1 to %d, --days at least 1\n", argv[0],
            WN_BENCH_RUNS_MAX);
    return false;
}

void wn_bench_add(wn_bench_samples *s, double v) {
    if (s->n < WN_BENCH_RUNS_MAX) s->v[s->n++] = v;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static wn_bench_samples in_order(const wn_bench_samples *s) {
    wn_bench_samples t = *s;
    qsort(t.v, (size_t)t.n, sizeof t.v[0], by_size);
    return t;
}

double wn_bench_median(const wn_bench_samples *s) {
    if (s->n == 0) return 0;
    wn_bench_samples t = in_order(s);
    return t.n % 2 ? t.v[t.n / 2] : (t.v[t.n / 2 - 1] + t.v[t.n / 2]) / 2;
}

void wn_bench_print(const char *bench, const char *metric, const char *unit, const wn_bench_samples *s,
                    const char *reference, double reference_value) {
    if (s->n == 0) return;
    wn_bench_samples t = in_order(s);
    double median = wn_bench_median(s);
    printf("{\"bench\":\"%s\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"runs\":%d,\"min\":%.6g,"
           "\"max\":%.6g,",
           bench, metric, median, unit, t.n, t.v[0], t.v[t.n - 1]);
    if (reference && reference_value > 0)
        printf("\"reference\":{\"name\":\"%s\",\"value\":%.6g},\"ratio\":%.4g}\n", reference, reference_value,
               median / reference_value);
    else printf("\"reference\":null,\"ratio\":null}\n");
    fflush(stdout);
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double wn_bench_wall_s(void) {
    return seconds(CLOCK_MONOTONIC);
}
double wn_bench_cpu_s(void) {
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}
double wn_bench_thread_cpu_s(void) {
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}
