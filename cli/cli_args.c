// SPDX-License-Identifier: Apache-2.0
// cli_args.c: one pass over argv: flags of the command, option rows, words.
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static size_t flag_at(const wn_args *a, const char *flag) {
    for (size_t i = 0; i < a->flags_n; i++) {
        if (strcmp(a->flags[i].name, flag) == 0) return i;
    }
    WN_ASSERT(false); // a flag that the command does not list
    return 0;
}

bool wn_args_has(const wn_args *a, const char *flag) {
    return a->times[flag_at(a, flag)] > 0;
}

const char *wn_args_get(const wn_args *a, const char *flag) {
    size_t at = flag_at(a, flag);
    return a->times[at] ? a->value[at][a->times[at] - 1] : NULL;
}

size_t wn_args_all(const wn_args *a, const char *flag, const char *const **out) {
    size_t at = flag_at(a, flag);
    *out = a->value[at];
    return a->times[at];
}

// Words the argument takes as an option row of a program this command speaks for.
static int option_words(const wn_command *cmd, const char *arg) {
    int n = wn_options_words(WN_PROG_CLI, arg);
    if (n == 0 && cmd->takes_daemon_options) n = wn_options_words(WN_PROG_COLLECTOR, arg);
    if (n == 0 && cmd->takes_daemon_options) n = wn_options_words(WN_PROG_AGGREGATOR, arg);
    if (n == 0 && cmd->takes_daemon_options) n = wn_options_words(WN_PROG_WEB, arg);
    if (n == 0 && cmd->takes_daemon_options) n = wn_options_words(WN_PROG_FORWARD, arg);
    return n;
}

static void say_unknown(const wn_command *cmd, const char *arg) {
    size_t n = strcspn(arg, "=");
    char word[80], flags[WN_FLAGS_MAX][40];
    const char *list[WN_FLAGS_MAX];
    snprintf(word, sizeof word, "%.*s", (int)(n < 79 ? n : 79), arg);
    for (size_t i = 0; i < cmd->flags_n; i++) {
        snprintf(flags[i], sizeof flags[i], "--%s", cmd->flags[i].name);
        list[i] = flags[i];
    }
    const char *near = wn_options_nearest(word, list, cmd->flags_n);
    (void)wn_cli_misused(cmd, "there is no %s here%s%s%s", word, near ? "; did you mean " : "",
                         near ? near : "", near ? "?" : "");
}

// Takes argv[*at] as a flag of the command. False after a message.
static bool take_flag(const wn_command *cmd, int argc, char **argv, int *at, size_t which, wn_args *a) {
    const wn_flag *f = &cmd->flags[which];
    const char *arg = argv[*at], *equals = strchr(arg, '=');
    if (a->times[which] == WN_FLAG_TIMES_MAX) {
        (void)wn_cli_misused(cmd, "--%s stands more than %d times", f->name, WN_FLAG_TIMES_MAX);
        return false;
    }
    const char *value = equals ? equals + 1 : NULL;
    if (!f->word && value) {
        (void)wn_cli_misused(cmd, "--%s takes no value", f->name);
        return false;
    }
    if (f->word && !value) {
        if (*at + 1 >= argc) {
            (void)wn_cli_misused(cmd, "--%s needs a value: --%s %s", f->name, f->name, f->word);
            return false;
        }
        value = argv[++*at];
    }
    a->value[which][a->times[which]++] = value ? value : "yes";
    return true;
}

static size_t find_flag(const wn_command *cmd, const char *arg) {
    size_t n = strcspn(arg + 2, "=");
    for (size_t i = 0; i < cmd->flags_n; i++) {
        if (strlen(cmd->flags[i].name) == n && memcmp(cmd->flags[i].name, arg + 2, n) == 0) return i;
    }
    return SIZE_MAX;
}

// The word of the usage that no word of the call stands for: flags and what is in brackets may be left out.
static void say_missing(const wn_command *cmd, size_t words) {
    const char *p = cmd->usage;
    for (;;) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        if (*p == '[') n = strcspn(p, "]") + 1;
        else if (strncmp(p, "--", 2) == 0) n += 1 + strcspn(p + n + (p[n] == ' '), " ");
        else if (words-- == 0) {
            (void)wn_cli_misused(cmd, "missing: %.*s", (int)n, p);
            return;
        }
        if (strlen(p) <= n) break;
        p += n;
    }
    (void)wn_cli_misused(cmd, "a word is missing");
}

bool wn_args_split(const wn_command *cmd, int argc, char **argv, int command_at, wn_args *a, bool *out_help) {
    bool only_words = false;
    *out_help = false;
    *a = (wn_args){.flags = cmd->flags, .flags_n = cmd->flags_n};
    WN_ASSERT(cmd->flags_n <= WN_FLAGS_MAX);
    a->word = calloc((size_t)argc + 1, sizeof *a->word);
    a->option = calloc((size_t)argc + 1, sizeof *a->option);
    a->extra = calloc((size_t)argc + 1, sizeof *a->extra);
    if (!a->word || !a->option || !a->extra) return false;
    a->option[a->options++] = argv[0];
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        if (i == command_at) continue;
        if (only_words || arg[0] != '-' || arg[1] == '\0') {
            a->word[a->words++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            only_words = true;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            *out_help = true;
        } else if (arg[1] == '-' && find_flag(cmd, arg) != SIZE_MAX) {
            if (!take_flag(cmd, argc, argv, &i, find_flag(cmd, arg), a)) return false;
        } else if (option_words(cmd, arg) > 0) {
            int words = option_words(cmd, arg);
            if (i + words > argc) return wn_cli_misused(cmd, "%s needs a value", arg), false;
            bool ours = wn_options_words(WN_PROG_CLI, arg) > 0;
            for (int j = 0; j < words; j++) {
                if (ours) a->option[a->options++] = argv[i + j];
                else a->extra[a->extras++] = argv[i + j];
            }
            i += words - 1;
        } else {
            say_unknown(cmd, arg);
            return false;
        }
    }
    if (!*out_help && (a->words < cmd->words_min || a->words > cmd->words_max)) {
        if (a->words < cmd->words_min) say_missing(cmd, a->words);
        else (void)wn_cli_misused(cmd, "\"%.40s\" is a word too many", a->word[cmd->words_max]);
        return false;
    }
    return true;
}

void wn_args_fini(wn_args *a) {
    free(a->word);
    free(a->option);
    free(a->extra);
    *a = (wn_args){0};
}
