// SPDX-License-Identifier: Apache-2.0
// Options: precedence, refusals from each source, and what help prints.
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

static char folder[] = "/tmp/wn-options-XXXXXX", path[64];

static void setup(void) {
    cr_redirect_stderr();
    cr_redirect_stdout();
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/winnow.yaml", folder);
    setenv("WINNOW_CONFIG_DIR", folder, 1);
}

static void teardown(void) {
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text) {
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static wn_options o;
static bool done;

static wn_err read_for(wn_program prog, const char *const *arg) {
    char *argv[16] = {(char *)"test"};
    int argc = 1;
    while (arg && arg[argc - 1]) argv[argc] = (char *)arg[argc - 1], argc++;
    return wn_options_read(prog, argc, argv, &o, NULL, NULL, &done);
}
#define READ(prog, ...) read_for(prog, (const char *const[]){__VA_ARGS__, NULL})

// What was said on stderr since setup.
static const char *said(void) {
    static char text[16384];
    fflush(stderr);
    FILE *f = cr_get_redirected_stderr();
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    return text;
}

static const char *printed(void) {
    static char text[32768];
    fflush(stdout);
    FILE *f = cr_get_redirected_stdout();
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    return text;
}

// A refusal names source, value, range and an example.
static void refused(wn_err err, const char *source, const char *given, const char *allowed,
                    const char *example) {
    const char *words = said();
    cr_assert_eq(err, WN_ERR_CONFIG);
    cr_assert(strstr(words, source), "no source in: %s", words);
    cr_assert(strstr(words, given), "no value in: %s", words);
    cr_assert(strstr(words, allowed), "no range in: %s", words);
    cr_assert(strstr(words, example), "no example in: %s", words);
}

Test(conf_options, refuses_a_number_that_is_none, .init = setup, .fini = teardown) {
    refused(READ(WN_PROG_AGGREGATOR, "--tick-s", "soon"), "command line: --tick-s", "\"soon\"",
            "a whole number from 1 to 3600 s", "example: --tick-s 300");
}

Test(conf_options, refuses_an_environment_value_out_of_range, .init = setup, .fini = teardown) {
    setenv("WINNOW_TICK_S", "3601", 1);
    refused(READ(WN_PROG_AGGREGATOR, NULL), "environment: WINNOW_TICK_S", "\"3601\"", "1 to 3600",
            "WINNOW_TICK_S=300");
}

Test(conf_options, refuses_a_file_value_with_its_line, .init = setup, .fini = teardown) {
    write_file("# mine\nhttp_listen: 127.0.0.1:9\ntick_s: 0\n");
    refused(READ(WN_PROG_AGGREGATOR, NULL), "winnow.yaml line 3: tick_s", "\"0\"", "1 to 3600",
            "tick_s: 300");
}

Test(conf_options, refuses_an_unknown_key_with_its_line, .init = setup, .fini = teardown) {
    write_file("http_listen: 127.0.0.1:9\n\ntick_seconds: 0\n");
    refused(READ(WN_PROG_AGGREGATOR, NULL), "winnow.yaml line 3: column 1", "tick_seconds", "`name: value`",
            "example:");
}

Test(conf_options, refuses_a_mistake_that_a_flag_overrides, .init = setup, .fini = teardown) {
    write_file("tick_s: never\n");
    refused(READ(WN_PROG_AGGREGATOR, "--tick-s", "5"), "line 1", "never", "1 to 3600", "example");
}

Test(conf_options, refuses_config_dir_in_the_file, .init = setup, .fini = teardown) {
    write_file("config_dir: /elsewhere\n");
    refused(READ(WN_PROG_CLI, NULL), "line 1: config_dir", "/elsewhere", "--config-dir", "remove");
}

Test(conf_options, suggests_the_flag_that_was_meant, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--tick", "5"), WN_ERR_CONFIG);
    cr_assert(strstr(said(), "did you mean --tick-s?"));
}

Test(conf_options, says_to_whom_a_flag_belongs, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_COLLECTOR, "--tick-s=5"), WN_ERR_CONFIG);
    cr_assert(strstr(said(), "belongs to winnow-aggregator"));
}

Test(conf_options, refuses_a_flag_without_its_value, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--tick-s"), WN_ERR_CONFIG);
    cr_assert(strstr(said(), "needs a value"));
}

Test(conf_options, refuses_a_word_too_many, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "start"), WN_ERR_CONFIG);
    cr_assert(strstr(said(), "one too many"));
}

Test(conf_options, forms_of_strings_hold_at_their_edges, .init = setup, .fini = teardown) {
    static const struct {
        const char *flag, *value;
        bool right;
    } one[] = {
        {"--http-listen", "0.0.0.0:0", true},
        {"--http-listen", "[::]:65535", true},
        {"--http-listen", "127.0.0.1:65536", false},
        {"--http-listen", "localhost", false},
        {"--http-listen", ":8090", false},
        {"--http-listen", "127.0.0.1:", false},
        {"--http-listen", "", false},
        {"--admin-listen", "127.9.9.9:1", true},
        {"--admin-listen", "[::1]:1", true},
        {"--admin-listen", "10.0.0.1:1", false},
        {"--admin-listen", "0.0.0.0:1", false},
        {"--sdk-listen", "tcp://127.0.0.1:*", true},
        {"--sdk-listen", "tcp://:", false},
        {"--sdk-listen", "http://127.0.0.1:1", false},
        {"--uplink", "", true},
        {"--uplink", "nonsense", false},
        {"--uplink-key", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", true},
        {"--uplink-key", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf", false},
        {"--trusted-proxies", "", true},
        {"--trusted-proxies", "10.0.0.0/8, ::1/128,192.0.2.1", true},
        {"--trusted-proxies", "10.0.0.0/33", false},
        {"--trusted-proxies", "::/129", false},
        {"--trusted-proxies", "10.0.0.0/", false},
        {"--trusted-proxies", "office", false},
        {"--state-dir", "", false},
    };
    for (size_t i = 0; i < WN_COUNT(one); i++) {
        wn_err err = READ(WN_PROG_COLLECTOR, one[i].flag, one[i].value);
        cr_expect_eq(err, one[i].right ? WN_OK : WN_ERR_CONFIG, "%s %s", one[i].flag, one[i].value);
    }
    char longest[300];
    memset(longest, 'd', sizeof longest);
    longest[0] = '/';
    for (size_t n = 80; n <= 81; n++) {
        longest[n] = '\0';
        cr_expect_eq(READ(WN_PROG_COLLECTOR, "--state-dir", longest), n == 80 ? WN_OK : WN_ERR_CONFIG);
        longest[n] = 'd';
    }
    for (size_t n = 255; n <= 256; n++) {
        longest[n] = '\0';
        cr_expect_eq(READ(WN_PROG_COLLECTOR, "--country-db", longest), n == 255 ? WN_OK : WN_ERR_CONFIG);
        longest[n] = 'd';
    }
}

Test(conf_options, numbers_hold_at_their_edges, .init = setup, .fini = teardown) {
    static const struct {
        const char *value;
        bool right;
    } one[] = {{"1", true},
               {"3600", true},
               {"0", false},
               {"-1", false},
               {"3601", false},
               {"", false},
               {"-", false},
               {"5 ", false},
               {"0x5", false},
               {"5s", false},
               {"99999999999999999999", false}};
    for (size_t i = 0; i < WN_COUNT(one); i++) {
        cr_expect_eq(READ(WN_PROG_AGGREGATOR, "--tick-s", one[i].value), one[i].right ? WN_OK : WN_ERR_CONFIG,
                     "%s", one[i].value);
    }
}

Test(conf_options, flag_beats_environment_beats_file_beats_row, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, NULL), WN_OK);
    cr_assert_eq(o.tick_s, 300);
    cr_assert(!done);
    write_file("tick_s: 10\nverbose: yes\nspool_bytes_max: 2097152\n");
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, NULL), WN_OK);
    cr_assert_eq(o.tick_s, 10);
    cr_assert(o.verbose);
    cr_assert_eq(o.spool_bytes_max, 2097152);
    setenv("WINNOW_TICK_S", "20", 1);
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, NULL), WN_OK);
    cr_assert_eq(o.tick_s, 20);
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--tick-s=30", "--verbose=no"), WN_OK);
    cr_assert_eq(o.tick_s, 30);
    cr_assert(!o.verbose);
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--check-config"), WN_OK);
    cr_assert(o.check_config);
}

Test(conf_options, output_is_left_alone_on_a_mistake, .init = setup, .fini = teardown) {
    o.tick_s = 77;
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--tick-s", "5", "--nothing"), WN_ERR_CONFIG);
    cr_assert_eq(o.tick_s, 77);
}

Test(conf_options, words_and_what_follows_two_hyphens_are_handed_on, .init = setup, .fini = teardown) {
    const char *rest[2];
    size_t n = 2;
    char *argv[] = {(char *)"winnow", (char *)"-", (char *)"--", (char *)"--tick-s"};
    cr_assert_eq(wn_options_read(WN_PROG_CLI, 4, argv, &o, rest, &n, &done), WN_OK);
    cr_assert_eq(n, 2);
    cr_assert_str_eq(rest[0], "-");
    cr_assert_str_eq(rest[1], "--tick-s");
}

Test(conf_options, words_an_option_takes) {
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "--state-dir"), 2);
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "--state-dir=/x"), 1);
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "--check-config"), 1);
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "--site"), 0);
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "state-dir"), 0);
    cr_assert_eq(wn_options_words(WN_PROG_CLI, "--tick-s"), 0);
}

Test(conf_options, folders_follow_the_user, .init = setup, .fini = teardown) {
    setenv("XDG_STATE_HOME", "/s", 1);
    setenv("XDG_CONFIG_HOME", "/c", 1);
    wn_options_defaults(&o);
    bool root = geteuid() == 0;
    cr_assert_str_eq(o.state_dir, root ? "/var/lib/winnow" : "/s/winnow");
    cr_assert_str_eq(o.config_dir, root ? "/etc/winnow" : "/c/winnow");
}

Test(conf_options, help_fits_80_columns_and_names_every_option_of_the_program, .init = setup,
     .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_COLLECTOR, "--help"), WN_OK);
    cr_assert(done);
    const char *text = printed();
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        cr_expect_leq(n, 80, "%.*s", (int)n, at);
        at += n + (at[n] == '\n');
    }
    cr_assert(strstr(text, "--spool-bytes-max N"));
    cr_assert(strstr(text, "--http-listen HOST:PORT"));
    cr_assert(strstr(text, " 1073741824."));
    cr_assert_null(strstr(text, "--tick-s"));
}

Test(conf_options, manual_has_no_line_that_troff_takes_for_a_request, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_AGGREGATOR, "--man"), WN_OK);
    cr_assert(done);
    const char *text = printed();
    cr_assert(strstr(text, ".TH winnow-aggregator 8"));
    cr_assert(strstr(text, "\\-\\-tick\\-s N"));
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (*at != '.') continue;
        cr_expect(strchr("TSBI", at[1]), "%.20s", at);
    }
}

Test(conf_options, version_is_printed, .init = setup, .fini = teardown) {
    cr_assert_eq(READ(WN_PROG_CLI, "--version"), WN_OK);
    cr_assert(done);
    cr_assert_str_eq(printed(), "winnow " WN_VERSION "\n");
}
