// SPDX-License-Identifier: Apache-2.0
// main.c: `winnow`: finds the command, reads the configuration, runs it.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "crypt.h"
#include "destinations.h"
#include <zmq.h>

// The first word that is neither an option nor an option's value; 0 when there is none.
static int find_command(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') return i;
        if (strcmp(argv[i], "--") == 0) return 0;
        if (wn_options_words(WN_PROG_CLI, argv[i]) == 2) i++;
    }
    return 0;
}

// Options that lead a suggested command to the same installation.
static void set_again(wn_cli *c, const wn_args *a) {
    static const char *const places[] = {"--state-dir", "--config-dir"};
    size_t at = 0;
    c->again[0] = '\0';
    for (int i = 1; i < a->options; i++) {
        for (size_t j = 0; j < WN_COUNT(places); j++) {
            size_t n = strlen(places[j]);
            if (strncmp(a->option[i], places[j], n) != 0 || at >= sizeof c->again) continue;
            const char *value = a->option[i][n] == '=' ? a->option[i] + n + 1 : a->option[i + 1];
            if (value)
                at += (size_t)snprintf(c->again + at, sizeof c->again - at, " %s %s", places[j], value);
        }
    }
}

// A destination that no table names gets nothing: most likely not what was meant.
static bool check_destinations(wn_cli *c, const wn_plan *plan) {
    wn_destinations to;
    if (wn_destinations_check(c->o.config_dir, c->o.state_dir, stderr, &to) != WN_OK) return false;
    for (size_t i = 0; i < to.n; i++) {
        bool named = false;
        for (size_t r = 0; r < plan->receivers_n && !named; r++)
            named = strcmp(plan->receiver[r], to.to[i].name) == 0;
        if (!named)
            printf("warning: destination %s gets nothing: no table of the plan says receivers: [%s]\n",
                   to.to[i].name, to.to[i].name);
    }
    wn_destinations_fini(&to);
    return true;
}

// Sites, plan, policy, destinations and options are right, or the reasons on stderr.
static int check_config(wn_cli *c) {
    wn_sites sites;
    wn_plan plan;
    wn_policy policy;
    bool right = wn_cli_sites(c, &sites);
    size_t n = right ? sites.n : 0;
    if (right) wn_sites_fini(&sites);
    if (wn_cli_plan(c, NULL, &plan)) {
        (void)wn_plan_warn(&plan, stdout);
        right = check_destinations(c, &plan) && right;
        wn_plan_fini(&plan);
    } else right = false;
    if (wn_cli_policy(c, &policy)) wn_policy_fini(&policy);
    else right = false;
    if (!right) return WN_EXIT_FAILED;
    printf("The configuration in %s is right: %zu site%s.\n", c->o.config_dir, n, n == 1 ? "" : "s");
    return WN_EXIT_OK;
}

static int run(const wn_command *cmd, wn_cli *c, const wn_args *a) {
    bool done = false;
    wn_err err = wn_options_read(WN_PROG_CLI, a->options, a->option, &c->o, NULL, NULL, &done);
    if (err != WN_OK) return WN_EXIT_USAGE;
    snprintf(c->collector_dir, sizeof c->collector_dir, "%.100s/collector", c->o.state_dir);
    snprintf(c->aggregator_dir, sizeof c->aggregator_dir, "%.100s/aggregator", c->o.state_dir);
    snprintf(c->sites_path, sizeof c->sites_path, "%s/sites.yaml", c->o.config_dir);
    snprintf(c->policy_path, sizeof c->policy_path, "%s/policy.yaml", c->o.config_dir);
    snprintf(c->plan_path, sizeof c->plan_path, "%s/plan.yaml", c->o.config_dir);
    set_again(c, a);
    if (c->o.check_config) return check_config(c);
    return cmd->run(c, a);
}

// Without a command only options and requests for text make sense.
static int run_bare(int argc, char **argv) {
    static const wn_command bare = {.name = "", .usage = "COMMAND", .words_max = 0, .run = NULL};
    wn_args a;
    wn_cli c = {0};
    bool help = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) return printf("winnow %s\n", WN_VERSION), WN_EXIT_OK;
        if (strcmp(argv[i], "--man") == 0) return wn_cli_man(stdout), WN_EXIT_OK;
    }
    if (!wn_args_split(&bare, argc, argv, 0, &a, &help)) return wn_args_fini(&a), WN_EXIT_USAGE;
    int code = WN_EXIT_USAGE;
    bool check = false;
    for (int i = 1; i < a.options; i++) check = check || strncmp(a.option[i], "--check-config", 14) == 0;
    if (help) wn_cli_help(stdout), code = WN_EXIT_OK;
    else if (check) code = run(&bare, &c, &a);
    else wn_cli_help(stderr);
    wn_args_fini(&a);
    return code;
}

static int unknown_command(const char *word) {
    const char *names[32];
    for (size_t i = 0; i < wn_commands_n; i++) names[i] = wn_commands[i]->name;
    const char *near = wn_options_nearest(word, names, wn_commands_n);
    fprintf(stderr, "winnow: there is no command \"%.40s\"%s%s%s\n  `winnow --help` lists them\n", word,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return WN_EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (wn_crypt_init() != WN_OK) return wn_cli_failed("%s", wn_err_text(WN_ERR_ENTROPY));
    umask(077); // whatever is written below state and config is the user's alone
    int at = find_command(argc, argv);
    if (at == 0) return run_bare(argc, argv);
    if (strcmp(argv[at], "help") == 0) {
        const wn_command *about = at + 1 < argc ? wn_command_find(argv[at + 1]) : NULL;
        if (about) wn_command_help(about, stdout);
        else wn_cli_help(stdout);
        return WN_EXIT_OK;
    }
    const wn_command *cmd = wn_command_find(argv[at]);
    if (!cmd) return unknown_command(argv[at]);
    wn_args a;
    wn_cli *c = calloc(1, sizeof *c);
    bool help = false;
    int code = WN_EXIT_USAGE;
    if (c && wn_args_split(cmd, argc, argv, at, &a, &help)) {
        if (help) wn_command_help(cmd, stdout), code = WN_EXIT_OK;
        else code = run(cmd, c, &a);
    }
    wn_args_fini(&a);
    if (c && c->zmq) zmq_ctx_term(c->zmq);
    free(c);
    if (fflush(stdout) != 0 && code == WN_EXIT_OK) code = wn_cli_failed("standard output cannot be written");
    return code;
}
