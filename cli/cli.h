// SPDX-License-Identifier: Apache-2.0
// cli.h: what every command of `winnow` shares: its description, its
// arguments, the configuration it runs under, and how it fails.
#pragma once

#include <stdio.h>

#include "conf.h"
#include "policy.h"

enum { WN_EXIT_OK = 0, WN_EXIT_FAILED = 1, WN_EXIT_USAGE = 2, WN_EXIT_FOUND = 3 };

typedef struct wn_flag {
    const char *name; // without hyphens
    const char *word; // what its value is called; NULL: a switch
    const char *doc;
} wn_flag;

#define WN_FLAGS_MAX 16
#define WN_FLAG_TIMES_MAX 64

// The words and flags of one call, borrowed from argv.
typedef struct wn_args {
    const wn_flag *flags;
    size_t flags_n;
    const char *value[WN_FLAGS_MAX][WN_FLAG_TIMES_MAX];
    size_t times[WN_FLAGS_MAX];
    const char **word; // after the command's name
    size_t words;
    char **option; // option rows as given; option[0] is the program, NULL-terminated
    int options;
    char **extra; // option rows of the daemons alone, where the command takes them
    int extras;
} wn_args;

bool wn_args_has(const wn_args *a, const char *flag);
const char *wn_args_get(const wn_args *a, const char *flag); // last one given; NULL
size_t wn_args_all(const wn_args *a, const char *flag, const char *const **out);

typedef struct wn_cli {
    wn_options o;
    void *zmq; // made at first use by wn_cli_zmq
    char collector_dir[128], aggregator_dir[128];
    char sites_path[300], plan_path[300], policy_path[300];
    char again[700]; // options to repeat in a command that is suggested, with a leading space
} wn_cli;

typedef struct wn_command {
    const char *name, *usage; // usage: what follows "winnow NAME"
    const char *doc;          // one sentence for the list
    const char *more;         // paragraphs for its own help
    const wn_flag *flags;
    size_t flags_n;
    size_t words_min, words_max;
    bool takes_daemon_options; // options of the daemons are handed on
    int (*run)(wn_cli *c, const wn_args *a);
} wn_command;

extern const wn_command wn_cmd_up, wn_cmd_down, wn_cmd_site, wn_cmd_send, wn_cmd_import, wn_cmd_report,
    wn_cmd_status, wn_cmd_explain, wn_cmd_plan, wn_cmd_policy, wn_cmd_ledger, wn_cmd_keys, wn_cmd_seal,
    wn_cmd_tick, wn_cmd_backup, wn_cmd_restore, wn_cmd_purge, wn_cmd_forward;
extern const wn_command *const wn_commands[];
extern const size_t wn_commands_n;
const wn_command *wn_command_find(const char *name); // NULL
void wn_command_help(const wn_command *cmd, FILE *out);
void wn_cli_help(FILE *out);
void wn_cli_man(FILE *out);

// Splits what follows the command's name (and option rows before it). Prints
// the mistake and answers false.
bool wn_args_split(const wn_command *cmd, int argc, char **argv, int command_at, wn_args *out,
                   bool *out_help);
void wn_args_fini(wn_args *a);

// "winnow: …" on stderr; answers the exit code, so that a command ends with it.
int wn_cli_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int wn_cli_misused(const wn_command *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void *wn_cli_zmq(wn_cli *c);
bool wn_cli_folder(const char *path); // makes it 0700 with what stands above; says why not
// The sites, or the reason on stderr and false.
bool wn_cli_sites(const wn_cli *c, wn_sites *out);
bool wn_cli_plan(const wn_cli *c, const char *path,
                 wn_plan *out);                      // path NULL: CONFIG/plan.yaml, else the built-in
bool wn_cli_policy(const wn_cli *c, wn_policy *out); // CONFIG/policy.yaml, else the built-in; likewise
// The named site, or what to do on stderr and NULL. A name may be left out when there is one site.
const wn_site *wn_cli_site(const wn_sites *s, const char *name);
// Whole number in [min, max], else a message about `flag` and false.
bool wn_cli_number(const wn_command *cmd, const char *flag, const char *text, int64_t min, int64_t max,
                   int64_t *out);
