// SPDX-License-Identifier: Apache-2.0
// report_support.h: a published store of a test's own, rows for it, and what a report says of them.
#pragma once

#include <criterion/criterion.h>

#include "report.h"

#define DAY 20777 // 2026-11-20
#define ROUTE (WN_CLOSED_N + WN_DIM_route)
#define ALL (WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS)

extern wn_published *store;
void setup(void);
void teardown(void);

wn_window window_of(int32_t day);
// A sealed window of a table of one dimension (or WN_DIM_NONE), with measures ALL.
wn_public_head head_of(const char *table, unsigned dim, int32_t day);
wn_public_row row_of(const char *label, uint32_t people, uint64_t events, uint64_t sessions);
wn_public_row other_of(uint32_t people, uint64_t events);
void publish(const wn_public_head *h, const wn_public_row *rows, size_t n);

typedef struct output {
    char *out, *notes;
    wn_report_result result;
    wn_err err;
} output;

wn_report_query query_of(const char *table, int32_t from, int32_t to, wn_report_format format);
output run(const wn_report_query *q);
void output_free(output *o);
// What is written is the file of that name; WN_GOLDEN_WRITE=1 writes it anew.
void golden(const wn_report_query *q, const char *name);
