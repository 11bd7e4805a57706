// SPDX-License-Identifier: Apache-2.0
// Splitting argv: what must be refused, and what goes where.
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "cli.h"

static int never_run(wn_cli *c, const wn_args *a) {
    (void)c, (void)a;
    return 1;
}

static const wn_flag flags[] = {{"site", "NAME", "x"}, {"detach", NULL, "x"}};
static const wn_command cmd = {.name = "test",
                               .usage = "",
                               .doc = "",
                               .flags = flags,
                               .flags_n = 2,
                               .words_min = 1,
                               .words_max = 2,
                               .run = never_run};
static const wn_command for_daemons = {.name = "test",
                                       .usage = "",
                                       .doc = "",
                                       .flags = flags,
                                       .flags_n = 2,
                                       .words_max = 0,
                                       .takes_daemon_options = true,
                                       .run = never_run};
static wn_args a;
static bool help;

static bool split(const wn_command *c, const char *const *arg) {
    char *argv[200] = {(char *)"winnow", (char *)"test"};
    int argc = 2;
    for (size_t i = 0; arg[i]; i++) argv[argc++] = (char *)arg[i];
    return wn_args_split(c, argc, argv, 1, &a, &help);
}
#define SPLIT(c, ...) split(c, (const char *const[]){__VA_ARGS__, NULL})

static void quiet(void) {
    cr_redirect_stderr();
}

static void done(void) {
    wn_args_fini(&a);
}

Test(cli_args, refuses_what_the_command_does_not_know, .init = quiet, .fini = done) {
    cr_assert(!SPLIT(&cmd, "word", "--sites", "x"));
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "word", "-x"));
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "word", "--tick-s", "5"), "an option of the aggregator alone");
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "word", "--detach=yes"));
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "word", "--site"));
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "word", "--state-dir"));
}

Test(cli_args, counts_words_at_their_edges, .init = quiet, .fini = done) {
    cr_assert(!SPLIT(&cmd, NULL));
    wn_args_fini(&a);
    cr_assert(SPLIT(&cmd, "1"));
    wn_args_fini(&a);
    cr_assert(SPLIT(&cmd, "1", "2"));
    wn_args_fini(&a);
    cr_assert(!SPLIT(&cmd, "1", "2", "3"));
}

Test(cli_args, takes_64_times_and_refuses_65, .init = quiet, .fini = done) {
    const char *many[200] = {"word"};
    for (int i = 1; i <= 2 * WN_FLAG_TIMES_MAX; i += 2) many[i] = "--site", many[i + 1] = "x";
    cr_assert(split(&cmd, many));
    wn_args_fini(&a);
    many[2 * WN_FLAG_TIMES_MAX + 1] = "--site=x";
    cr_assert(!split(&cmd, many));
}

Test(cli_args, sorts_flags_options_and_words, .init = quiet, .fini = done) {
    cr_assert(SPLIT(&cmd, "--site", "a", "--state-dir", "/s", "word", "--site=b", "--check-config", "-"));
    const char *const *sites;
    cr_assert_eq(wn_args_all(&a, "site", &sites), 2);
    cr_assert_str_eq(sites[0], "a");
    cr_assert_str_eq(wn_args_get(&a, "site"), "b");
    cr_assert(!wn_args_has(&a, "detach"));
    cr_assert_eq(a.words, 2);
    cr_assert_str_eq(a.word[0], "word");
    cr_assert_str_eq(a.word[1], "-");
    cr_assert_eq(a.options, 4);
    cr_assert_str_eq(a.option[1], "--state-dir");
    cr_assert_str_eq(a.option[3], "--check-config");
    cr_assert_eq(a.extras, 0);
}

Test(cli_args, what_follows_two_hyphens_is_words, .init = quiet, .fini = done) {
    cr_assert(SPLIT(&cmd, "--", "--site", "--detach"));
    cr_assert_eq(a.words, 2);
    cr_assert(!wn_args_has(&a, "detach"));
}

Test(cli_args, options_of_daemons_are_kept_apart, .init = quiet, .fini = done) {
    cr_assert(SPLIT(&for_daemons, "--tick-s", "5", "--http-listen=127.0.0.1:1", "--verbose",
                    "--body-bytes-max=2048"));
    cr_assert_eq(a.options, 2);
    cr_assert_eq(a.extras, 4);
    cr_assert_str_eq(a.extra[1], "5");
    cr_assert_str_eq(a.extra[2], "--verbose");
}

Test(cli_args, help_needs_no_words, .init = quiet, .fini = done) {
    cr_assert(SPLIT(&cmd, "--help"));
    cr_assert(help);
}

Test(cli_args, every_command_fits_its_tables) {
    for (size_t i = 0; i < wn_commands_n; i++) {
        const wn_command *c = wn_commands[i];
        cr_expect_leq(c->flags_n, WN_FLAGS_MAX, "%s", c->name);
        cr_expect(c->run && c->doc && c->usage, "%s", c->name);
        cr_expect_eq(wn_command_find(c->name), c);
        cr_expect_leq(strlen(c->name) + strlen(c->usage), 76, "%s: its usage does not fit a line", c->name);
        for (size_t j = 0; j < c->flags_n; j++) {
            char flag[64];
            snprintf(flag, sizeof flag, "--%s", c->flags[j].name);
            cr_expect_eq(wn_options_words(WN_PROG_CLI, flag), 0, "%s hides an option row", flag);
        }
    }
}
