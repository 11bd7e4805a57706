// SPDX-License-Identifier: Apache-2.0
// web_rig.h: winnow-web in the test's own process: a store that is written to, a configuration of files,
// and what comes back, byte for byte, over loopback.
#pragma once

#include <criterion/criterion.h>

#include "web.h"

#define DAY 20777 // 2026-11-20
#define RIG_CONNECTIONS 16

extern wn_web rig_web;
extern wn_web_http *rig_http; // NULL until rig_open
extern char rig_config[64];   // folder

void rig_setup(void); // sites shop and other, the plan below, no key
void rig_teardown(void);
void rig_open(void);
// pages: crowd, closed by nobody; n_all: noise, of receiver `hook`; c_all: crowd, shared with it.
void rig_plan(const char *text);
void rig_file(const char *name, const char *text); // of the configuration
// Adds one, at once; its text is a `Bearer` value for `rig_get`.
void rig_key(const wn_api_key *like, char out_bearer[64]);
void rig_keys_drop(void);

// Rows of a (site, table) window of DAY + `days`; tick and time as a publication has them.
void rig_publish(const char *site, const char *table, int32_t days, uint64_t tick, bool sealed,
                 const char *const *label, const uint32_t *people, size_t n);
void rig_note(const wn_ledger_entry *e);

int rig_connect(void); // a socket, not blocking
bool rig_put(int fd, const char *text, size_t n);
// Turns the server until `want` bytes are there, the other side has closed, or nothing comes any more.
// The answer is malloc'ed, NUL-terminated; out_closed may be NULL.
char *rig_take(int fd, size_t *out_n, bool *out_closed);
// One request; headers are whole lines, or "". Without the header Date.
char *rig_get(const char *path, const char *headers);
char *rig_raw(const char *request, bool *out_closed);
int rig_status(const char *answer);
