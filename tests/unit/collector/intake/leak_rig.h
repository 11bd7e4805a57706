// SPDX-License-Identifier: Apache-2.0
// leak_rig.h: a whole collector's insides with every door open, and all that it
// says, stores or sends laid out to be searched.
#pragma once

#include "closing.h"
#include "http_intake.h"
#include "import.h"
#include "intake_rig.h"

typedef struct leak_heap {
    uint8_t *p;
    size_t n, cap;
} leak_heap;

typedef struct leak_rig {
    rig r;
    wn_metrics metrics;
    wn_http *http;
    wn_import *import;
    wn_closing *closing;
    FILE *log;     // stderr since the start
    char *answers; // of every HTTP request so far
    size_t answers_n;
    char answer[70000]; // the last one
    wn_import_result imported;
    size_t imports_done, windows_closed;
    leak_heap sent; // what the aggregator was sent: batches, their texts opened
    wn_observation seen[1024];
    size_t seen_n;
} leak_rig;

// The log is written at its most talkative.
void leak_open(leak_rig *l);
void leak_close(leak_rig *l);
// Sends bytes, a whole request with its last blank line, and reads the answer to its end.
const char *leak_ask(leak_rig *l, const char *request);
// GET or POST (body NULL: GET) of a browser; `heads`: further header lines, each with "\r\n".
const char *leak_get(leak_rig *l, const char *target, const char *heads);
const char *leak_post(leak_rig *l, const char *target, const char *heads, const char *body);
// Counts lines of an access log in full.
void leak_import(leak_rig *l, const char *format, const char *lines);
// Everything is delivered, the window of now is sealed here; what was sent before is looked at no more.
void leak_seal(leak_rig *l);
wn_window leak_window(const leak_rig *l);
const char *leak_log(leak_rig *l); // static storage

// What left or stayed: answers, log, metrics, observations with their texts opened, batches as sent, kept
// memory, caches, every file.
leak_heap leak_all(leak_rig *l); // static: valid until the next call
// A run of `run` bytes of `id`, in capitals or not.
size_t leak_find(const leak_heap *h, const char *id, size_t run); // where; h->n: nowhere
bool leak_holds(const leak_heap *h, const char *id, size_t run);
bool leak_holds_bytes(const leak_heap *h, const void *p, size_t n);

// All observations so far, in order.
size_t leak_observations(leak_rig *l, wn_observation *out, size_t max);
