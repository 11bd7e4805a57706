// SPDX-License-Identifier: Apache-2.0
// explain_run.h: one event through the real filter, with keys and a window
// that exist for this process alone.
#pragma once

#include "explain_check.h"
#include "filter.h"

#define WN_GIVEN_MAX 128

typedef struct wn_given { // a value as it was given, for the left column and the check
    const char *field;
    char *value; // owned
    size_t n;
} wn_given;

typedef struct wn_bench wn_bench; // keys, window, scratch, event

typedef struct wn_explained {
    wn_verdict verdict;
    wn_trace trace;
    wn_given given[WN_GIVEN_MAX];
    size_t given_n;
    const char *leak; // field whose value would travel; NULL: none
} wn_explained;

typedef struct wn_explain_sender {
    const wn_site *site;
    int64_t now_s;               // 0: the clock's
    const char *ip, *user_agent; // NULL: none
    const char *purposes;        // "a,b" for an event that says none; NULL: leave; "": nothing agreed to
    bool gpc, dnt, opted_out, server;
    const wn_site_policy *policy; // NULL: the default rules
} wn_explain_sender;

WN_MUST_USE wn_err wn_bench_new(wn_bench **out);
void wn_bench_free(wn_bench *b);
// Each answers false, with static words in *why, when the text is not an event at all.
bool wn_bench_json(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why);
bool wn_bench_line(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why);
void wn_explained_fini(wn_explained *e); // wipes
