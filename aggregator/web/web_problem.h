// SPDX-License-Identifier: Apache-2.0
// web_problem.h: why a reader gets no figures, in words that say what to do
// (RFC 9457 problem details; schemas/problems.def).
#pragma once

#include <stdio.h>

#include "winnow/base.h"

typedef enum wn_problem_kind {
    WN_PROBLEM_none,
#define PROBLEM(name, status, title) WN_PROBLEM_##name,
#include "problems.def"
#undef PROBLEM
    WN_PROBLEM_N
} wn_problem_kind;

#define WN_PROBLEM_DETAIL_BYTES 400
typedef struct wn_problem {
    wn_problem_kind kind;
    char detail[WN_PROBLEM_DETAIL_BYTES]; // UTF-8; may quote what the reader sent
    const char *allow;                    // of bad_method: static
    unsigned retry_s;                     // 0: none
} wn_problem;

// Sets it and answers false, so that who found it ends with it.
bool wn_problem_set(wn_problem *p, wn_problem_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
unsigned wn_problem_status(wn_problem_kind kind);
// The JSON object. `error` stands beside `detail` for clients of other analytics' APIs, which look there.
void wn_problem_write(const wn_problem *p, FILE *out);
