// SPDX-License-Identifier: Apache-2.0
// cli_base.c: what the commands have in common: messages, folders, sites, plan.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "cli.h"

const wn_command *const wn_commands[] = {
    &wn_cmd_up,   &wn_cmd_down,    &wn_cmd_status, &wn_cmd_site,    &wn_cmd_report, &wn_cmd_import,
    &wn_cmd_send, &wn_cmd_explain, &wn_cmd_plan,   &wn_cmd_policy,  &wn_cmd_ledger, &wn_cmd_seal,
    &wn_cmd_tick, &wn_cmd_keys,    &wn_cmd_backup, &wn_cmd_restore, &wn_cmd_purge,  &wn_cmd_forward,
};
const size_t wn_commands_n = WN_COUNT(wn_commands);

const wn_command *wn_command_find(const char *name) {
    for (size_t i = 0; i < wn_commands_n; i++) {
        if (strcmp(wn_commands[i]->name, name) == 0) return wn_commands[i];
    }
    return NULL;
}

static void say(const char *fmt, va_list args) {
    fputs("winnow: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

int wn_cli_failed(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
    return WN_EXIT_FAILED;
}

int wn_cli_misused(const wn_command *cmd, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
    fprintf(stderr, "  usage: winnow %s%s%s\n", cmd->name, cmd->name[0] ? " " : "", cmd->usage);
    fprintf(stderr, "  `winnow %s%s--help` says more\n", cmd->name, cmd->name[0] ? " " : "");
    return WN_EXIT_USAGE;
}

void *wn_cli_zmq(wn_cli *c) {
    if (!c->zmq) c->zmq = zmq_ctx_new();
    WN_ASSERT(c->zmq);
    return c->zmq;
}

bool wn_cli_folder(const char *path) {
    char part[512];
    int n = snprintf(part, sizeof part, "%s", path);
    if (n <= 0 || (size_t)n >= sizeof part) return wn_cli_failed("the path %.100s… is too long", path), false;
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char keep = *p;
        *p = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            (void)wn_cli_failed("cannot make the directory %s: %s", part, strerror(errno));
            return false;
        }
        *p = keep;
        if (keep == '\0') return true;
    }
}

bool wn_cli_sites(const wn_cli *c, wn_sites *out) {
    char why[400];
    int line = 0;
    wn_err err = wn_sites_load(c->sites_path, out, why, sizeof why, &line);
    if (err == WN_OK) return true;
    if (line > 0) (void)wn_cli_failed("%s line %d: %s", c->sites_path, line, why);
    else (void)wn_cli_failed("%s: %s", c->sites_path, why[0] ? why : wn_err_text(err));
    return false;
}

bool wn_cli_plan(const wn_cli *c, const char *path, wn_plan *out) {
    char why[400];
    int line = 0;
    const char *from = path ? path : c->plan_path;
    wn_err err = wn_plan_load_file(from, out, why, sizeof why, &line);
    if (err == WN_ERR_NOTFOUND && !path) {
        from = "the built-in plan";
        err = wn_plan_load(wn_plan_default, strlen(wn_plan_default), out, why, sizeof why, &line);
    }
    if (err == WN_OK) return true;
    if (line > 0) (void)wn_cli_failed("%s line %d: %s", from, line, why);
    else (void)wn_cli_failed("%s: %s", from, why);
    return false;
}

const wn_site *wn_cli_site(const wn_sites *s, const char *name) {
    if (s->n == 0) {
        (void)wn_cli_failed("there is no site yet; add one with `winnow site add NAME`");
        return NULL;
    }
    if (!name && s->n == 1) return &s->site[0];
    const wn_site *site = name ? wn_sites_by_name(s, name, strlen(name)) : NULL;
    if (site) return site;
    fprintf(stderr,
            "winnow: %s%.63s; sites are:", name ? "there is no site " : "say which site with --site NAME",
            name ? name : "");
    for (size_t i = 0; i < s->n && i < 20; i++) fprintf(stderr, " %s", s->site[i].name);
    fprintf(stderr, "%s\n", s->n > 20 ? " …" : "");
    return NULL;
}

bool wn_cli_number(const wn_command *cmd, const char *flag, const char *text, int64_t min, int64_t max,
                   int64_t *out) {
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && value >= min && value <= max) {
        *out = value;
        return true;
    }
    (void)wn_cli_misused(cmd,
                         "--%s \"%.40s\": allowed is a whole number from %lld to %lld; example: --%s %lld",
                         flag, text, (long long)min, (long long)max, flag, (long long)min);
    return false;
}
