// SPDX-License-Identifier: Apache-2.0
// winnow-bench-people: what exact counting takes when a window holds --events
// people (R15): each comes once, under an id of their own, and counts in every
// table of the default plan that a page view fills. Journal records are made and
// applied as the daemon does, but not stored: memory and time of counting alone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench_line.h"
#include "commit.h"
#include "crypt.h"

static uint64_t mix(uint64_t z) // splitmix64
{
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static wn_observation view_of(uint64_t who) {
    wn_observation o = {.prefix = who / 3 + 1, .site = 7 + who % 50, .kind = WN_OBS_VIEW};
    uint64_t r = mix(who), s = mix(r);
    memcpy(o.person, &r, sizeof r);
    memcpy(o.person + 8, &s, sizeof s);
    for (unsigned d = 0; d < WN_SESSION_CLOSED_N; d++) o.closed[d] = (uint16_t)(1 + (r >> (4 * d)) % 12);
    o.open[WN_DIM_route] = 1 + s % 2000;
    o.open[WN_DIM_referrer] = 1 + (s >> 20) % 300;
    return o;
}

static wn_err count_all(wn_commit *c, const wn_table_keys *keys, uint64_t people) {
    for (uint64_t who = 0; who < people; who++) {
        wn_observation o = view_of(who);
        wn_err err = wn_commit_observe(c, &o, keys, 0);
        if (err == WN_ERR_FULL) {
            WN_TRY(wn_commit_encode(c));
            wn_commit_apply(c);
            err = wn_commit_observe(c, &o, keys, 0);
        }
        WN_TRY(err);
    }
    WN_TRY(wn_commit_encode(c));
    wn_commit_apply(c);
    return WN_OK;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    static wn_plan plan;
    wn_table_keys keys;
    wn_fold *f;
    wn_commit *c;
    char why[200] = "";
    int line = 0;
    uint8_t core[32];
    if (!wn_bench_options_read(argc, argv, &o)) return 2;
    if (wn_crypt_init() != WN_OK || wn_random(core, sizeof core) != WN_OK ||
        wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line) != WN_OK)
        return 1;
    wn_table_keys_derive(core, &keys);
    if (wn_fold_new(&plan, 64, 16384, &f) != WN_OK || wn_commit_new(f, &c) != WN_OK) return 1;
    double cpu = wn_bench_cpu_s();
    wn_err err = count_all(c, &keys, o.events);
    cpu = wn_bench_cpu_s() - cpu;
    if (err != WN_OK) return fprintf(stderr, "winnow-bench-people: %s\n", wn_err_text(err)), 1;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double people = (double)wn_fold_people(f);
    wn_bench_samples n = {0}, rate = {0}, each = {0}, peak = {0};
    wn_bench_add(&n, people);
    wn_bench_add(&rate, people / cpu);
    wn_bench_add(&each, (double)wn_fold_bytes(f) / people);
    wn_bench_add(&peak, (double)u.ru_maxrss * 1024 / people);
    wn_bench_print("people", "people", "people", &n, NULL, 0);
    wn_bench_print("people", "counted_per_cpu", "people/s/core", &rate, NULL, 0);
    wn_bench_print("people", "memory", "B/person", &each, "target", 2048);
    wn_bench_print("people", "memory_at_most", "B/person", &peak, "target", 2048);
    wn_commit_free(c);
    wn_fold_free(f);
    return 0;
}
