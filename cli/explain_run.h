// SPDX-License-Identifier: Apache-2.0
// explain_run.h: one event through the real filter, with keys and a window
// that exist for this process alone.
#pragma once

#include "country.h"
#include "explain_check.h"
#include "filter.h"

#define WN_GIVEN_MAX 128

typedef struct wn_given { // a value as it was given, for the left column and the check
    const char *field;
    char *key;   // owned; of a property, else NULL
    char *value; // owned
    size_t n;
} wn_given;

typedef struct wn_bench wn_bench; // keys, window, scratch, event

typedef struct wn_explained {
    wn_verdict verdict;
    wn_trace trace;
    wn_given given[WN_GIVEN_MAX];
    size_t given_n;
    uint8_t decided;  // wn_signal_kind
    const char *leak; // field whose value would travel; NULL: none
} wn_explained;

typedef struct wn_explain_sender {
    const wn_site *site;
    int64_t now_s;               // 0: the clock's
    const char *ip, *user_agent; // NULL: none
    const char *purposes;        // "a,b" for an event that says none; NULL: leave; "": nothing agreed to
    const char *tcf_cookie, *us_privacy_cookie; // NULL: none
    bool gpc, dnt, opted_out, server;
    wn_country *countries;        // borrowed; NULL: every country is unknown
    const wn_site_policy *policy; // NULL: the default rules
} wn_explain_sender;

WN_MUST_USE wn_err wn_bench_new(wn_bench **out);
void wn_bench_free(wn_bench *b);
// Each answers false, with static words in *why, when the text is not an event at all.
bool wn_bench_json(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why);
bool wn_bench_line(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why);
// What a step says: "route /a", or "dropped: needs profile (plan)".
void wn_explained_text(const wn_trace_step *s, char *out, size_t cap);
void wn_explained_fini(wn_explained *e); // wipes
