// SPDX-License-Identifier: Apache-2.0
// conf.h: option rows, sites and the release plan, from flags, environment and YAML.
//
// Precedence: flag > WINNOW_* > file > default row.
#pragma once

#include <stdio.h>

#include "catalogue.h"
#include "winnow/observation.h"

// ---- options (schemas/options.def) ----
typedef enum wn_program {
    WN_PROG_CLI = 1,
    WN_PROG_COLLECTOR = 2,
    WN_PROG_AGGREGATOR = 4,
    WN_PROG_WEB = 8,
    WN_PROG_FORWARD = 16
} wn_program;

typedef struct wn_options {
#define OPT_STR(prog, name, dflt, doc) char name[256];
#define OPT_INT(prog, name, dflt, min, max, unit, doc) int64_t name;
#define OPT_BOOL(prog, name, dflt, doc) bool name;
#include "options.def"
#undef OPT_STR
#undef OPT_INT
#undef OPT_BOOL
} wn_options;

// Reads defaults, file, environment, then argv. On a mistake prints what to do
// to stderr and answers WN_ERR_CONFIG. --help, --version, --man print to
// stdout and set *out_done. Positional words go to out_rest (borrowed argv).
WN_MUST_USE wn_err wn_options_read(wn_program prog, int argc, char **argv, wn_options *out,
                                   const char **out_rest, size_t *inout_rest_n, bool *out_done);
// The state and config directories for this user: root /var/lib/winnow and
// /etc/winnow, else $XDG_STATE_HOME/winnow and $XDG_CONFIG_HOME/winnow.
void wn_options_defaults(wn_options *o);
void wn_options_man(wn_program prog, FILE *out); // troff, from the rows
void wn_options_help(wn_program prog, FILE *out);
void wn_options_man_rows(wn_program prog, FILE *out); // the options' part of it
// How many words this argument takes as an option of `prog`: 2 ("--name VALUE"),
// 1 ("--name=VALUE", "--bool"), 0 when it is none. For the CLI, whose commands have flags of their own.
int wn_options_words(wn_program prog, const char *arg);
// The nearest of n words, for "did you mean"; NULL when none is near.
const char *wn_options_nearest(const char *word, const char *const *words, size_t n);

// ---- sites (CONFIG/sites.yaml) ----
#define WN_SITES_MAX 1024
#define WN_SITE_NAME_BYTES 64
#define WN_SITE_HOSTS_MAX 8
#define WN_SITE_KEYS_MAX 8

typedef struct wn_site_key {
    char key[41]; // CURVE public key, Z85
    bool server;  // may add ip and user_agent, and state org
} wn_site_key;

typedef struct wn_site {
    char name[WN_SITE_NAME_BYTES]; // [a-z0-9][a-z0-9._-]*
    uint64_t tag;                  // wn_site_tag(name)
    char zone[WN_ZONE_BYTES];
    uint8_t kind;                       // wn_kind
    bool organisations;                 // declares organisations: undeclared people are one
    char hosts[WN_SITE_HOSTS_MAX][128]; // lower case; pages' hosts are compared with them without "www."
    size_t hosts_n;                     // 0: any page host
    wn_site_key keys[WN_SITE_KEYS_MAX];
    size_t keys_n;
    uint8_t sign_key[32]; // for user_sig
    bool has_sign_key;
} wn_site;

typedef struct wn_sites {
    wn_site *site; // sorted by tag
    size_t n;
} wn_sites;

// A missing file is an empty list. On a mistake: WN_ERR_CONFIG, line and words in `why`.
WN_MUST_USE wn_err wn_sites_load(const char *path, wn_sites *out, char *why, size_t why_bytes, int *out_line);
WN_MUST_USE wn_err wn_sites_save(const char *path, const wn_sites *s); // 0600, write+sync+rename
void wn_sites_fini(wn_sites *s);
void wn_sites_sort(wn_sites *s); // by tag, after an addition
// NULL when right, else what is allowed (static words). host_set writes lower case without a last dot.
const char *wn_site_name_check(const char *name);
const char *wn_site_host_set(const char *host, char out[128]);
const char *wn_site_key_check(const char *key);
const wn_site *wn_sites_by_tag(const wn_sites *s, uint64_t tag);
const wn_site *wn_sites_by_name(const wn_sites *s, const char *name, size_t n);

// ---- release plan (schemas/plan.yaml, or CONFIG/plan.yaml) ----
#define WN_TABLES_MAX 48
#define WN_RECEIVERS_MAX 8   // of a plan
#define WN_RECEIVER_BYTES 32 // [a-z][a-z0-9_-]*, NUL included
#define WN_K_CLOSED 10       // people a row needs where its values are a closed list (R4)
#define WN_K_OPEN 20         // … where anybody can coin one
#define WN_K_NOISE_CLOSED 20
#define WN_K_NOISE_OPEN 50
enum {
    WN_MEASURE_PEOPLE = 1,
    WN_MEASURE_EVENTS = 2,
    WN_MEASURE_SESSIONS = 4,
    // At the seal only, each behind a lock of its own (R4):
    WN_MEASURE_BOUNCES = 8,
    WN_MEASURE_TIME = 16,    // seconds on site
    WN_MEASURE_NUMBER1 = 32, // sum of the first number that the policy declares; a table has at most one sum
    WN_MEASURE_NUMBER2 = 64,
};
#define WN_MEASURES_LOCKED (WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2)

// How a table's people are shown: in steps of k (R5), or once, with noise (R6).
typedef enum wn_profile { WN_PROFILE_CROWD = 0, WN_PROFILE_NOISE = 1, WN_PROFILE_N } wn_profile;

// The budget of a window's noise tables together (R6). All zero: the plan has none.
#define WN_RHO_MICRO_STRICT 15000
#define WN_RHO_MICRO_DEFAULT 30000
#define WN_RHO_MICRO_MAX 100000
#define WN_NOISE_CELLS_MAX 12 // Σ cells of a plan
typedef struct wn_noise_terms {
    uint32_t rho_micro; // zCDP, millionths a window
    bool signed_only;   // noise tables count signed ids alone; else the cap may displace somebody: L0 doubles
    uint32_t l0;        // cells one person may change: Σ cells, doubled unless signed_only
    // variance = l0 / (2 rho), in lowest terms
    uint64_t variance_num, variance_den;
    // Least T with Pr[X >= T - k] <= delta / l0, computed exactly at load.
    uint32_t threshold_closed, threshold_open;
} wn_noise_terms;

typedef struct wn_table {
    char id[32];
    char doc[128];
    uint8_t dims[2];       // WN_DIM_NONE: unused
    uint8_t dims_n;        // 0..2
    uint8_t measures;      // bits; people always
    uint8_t kinds;         // bit (1 << wn_obs_kind): which observations contribute people and events
    uint16_t clamp;        // one person's events in a cell a window, 20..200
    uint8_t k;             // derived: 10 closed, 20 when a dimension is open; with noise 20 and 50
    uint8_t profile;       // wn_profile
    uint8_t purpose;       // wn_purpose that its dimensions need (L-P1)
    uint8_t cells;         // noise: cells a person keeps, 1..WN_NOISE_CELLS_MAX
    bool share;            // counts only what people granted `share` for; always so with receivers or noise
    uint8_t receivers;     // bits into plan->receiver
    uint16_t number_clamp; // one person's sum in a cell a window, 1..65535
    char contract[128];    // crowd with receivers: what binds them; "" else
} wn_table;

typedef struct wn_plan {
    uint32_t version;
    uint8_t digest[32]; // BLAKE2b-256 of the text
    wn_table table[WN_TABLES_MAX];
    size_t n; // table[0] has no dimension: everybody
    wn_noise_terms noise;
    char receiver[WN_RECEIVERS_MAX][WN_RECEIVER_BYTES];
    size_t receivers_n;
    char *text; // owned YAML text, NUL-terminated
    size_t text_bytes;
} wn_plan;

extern const char wn_plan_default[]; // schemas/plan.yaml, embedded, NUL-terminated
// Checks as it loads: known dimensions, the purpose they need, one table a population, the budget,
// table 0 without dimension. A plan that is right may still give something away: wn_plan_warn.
WN_MUST_USE wn_err wn_plan_load(const char *text, size_t n, wn_plan *out, char *why, size_t why_bytes,
                                int *out_line);
WN_MUST_USE wn_err wn_plan_load_file(const char *path, wn_plan *out, char *why, size_t why_bytes,
                                     int *out_line);
void wn_plan_fini(wn_plan *p);
int wn_plan_table(const wn_plan *p, const char *id); // -1 when there is none
void wn_plan_print(const wn_plan *p, FILE *out);
// What a plan that loads nevertheless gives away, a line each that begins with "warning: ". Answers how many.
size_t wn_plan_warn(const wn_plan *p, FILE *out);
// True when this receiver gets a table of each profile: then no epsilon bounds what it learns (R9).
// The outputs are the first of each; both may be NULL.
bool wn_plan_crowd_beside_noise(const wn_plan *p, size_t receiver, const wn_table **out_crowd,
                                const wn_table **out_noise);
// Does any receiver? Then the ledger notes it beside the epsilon.
bool wn_plan_mixes(const wn_plan *p);
// What must be agreed to before an observation carries this dimension. dim < WN_DIM_N.
wn_purpose wn_dim_purpose(unsigned dim);
const char *wn_purpose_name(wn_purpose purpose);
