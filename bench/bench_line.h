// SPDX-License-Identifier: Apache-2.0
// bench_line.h: clocks, and one figure as one line of JSON: the median of
// several runs with the smallest and the largest.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define WN_BENCH_RUNS_MAX 16

typedef struct wn_bench_options {
    size_t events; // how much work
    int runs;
    const char *dir;        // for files; made by the caller
    const char *country_db; // "": none
    const char *reference;  // name of what is compared with; NULL: nothing
    double reference_value;
    const char *form, *key; // of the programs that need them
    const char *endpoint, *server_key;
    long long day_s; // start of the first day, UTC
    unsigned days;
} wn_bench_options;

// Reads --events N --runs N --dir DIR … ; prints to stderr and answers false when it cannot.
bool wn_bench_options_read(int argc, char **argv, wn_bench_options *out);

typedef struct wn_bench_samples {
    double v[WN_BENCH_RUNS_MAX];
    int n;
} wn_bench_samples;

void wn_bench_add(wn_bench_samples *s, double v);
double wn_bench_median(const wn_bench_samples *s); // 0 of none
// reference NULL: null in the line.
void wn_bench_print(const char *bench, const char *metric, const char *unit, const wn_bench_samples *s,
                    const char *reference, double reference_value);
double wn_bench_wall_s(void);
double wn_bench_cpu_s(void); // of this process, all threads
double wn_bench_thread_cpu_s(void);
