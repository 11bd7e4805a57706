// SPDX-License-Identifier: Apache-2.0
// One call, one write, one line: a datagram socket stands in for stderr.
#include <criterion/criterion.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

static int reader = -1;

static void setup(void) {
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    reader = ends[0];
}

static const char *next_line(void) {
    static char line[4096];
    ssize_t n = recv(reader, line, sizeof line - 1, MSG_DONTWAIT);
    if (n < 0) return NULL;
    line[n] = '\0';
    return line;
}

TestSuite(log, .init = setup);

Test(log, says_nothing_below_its_level) {
    wn_log(WN_MSG_TICK, 1, 0, 0);
    cr_assert_null(next_line(), "debug is off by default");
    wn_log(WN_MSG_READY, 0, 0, 0);
    cr_assert_not_null(next_line(), "info is on by default");
    wn_log_level(WN_LEVEL_ERROR);
    wn_log(WN_MSG_SWAP_ON, 0, 0, 0);
    cr_assert_null(next_line());
    wn_log(WN_MSG_ERROR, 1, 2, 0);
    cr_assert_not_null(next_line());
    wn_log_level(WN_LEVEL_DEBUG);
    wn_log(WN_MSG_TICK, 1, 0, 0);
    cr_assert_not_null(next_line());
}

Test(log, puts_integers_where_the_text_says) {
    wn_log(WN_MSG_ERROR, INT64_MIN, INT64_MAX, 5);
    const char *line = next_line();
    cr_assert_not_null(strstr(line, " error -9223372036854775808 (place 9223372036854775807)\n"));
    const int64_t known[] = {WN_ERR_IO, WN_ERR_N - 1}, unknown[] = {WN_ERR_N, -1};
    for (size_t i = 0; i < 2; i++) {
        wn_log(WN_MSG_ERROR, known[i], 7, 0);
        line = next_line();
        cr_assert(strstr(line, wn_err_text((wn_err)known[i])) && strstr(line, " (place 7)\n"), "%s", line);
        char number[32];
        snprintf(number, sizeof number, " error %lld (place 7)\n", (long long)unknown[i]);
        wn_log(WN_MSG_ERROR, unknown[i], 7, 0);
        line = next_line();
        cr_assert_not_null(strstr(line, number), "%s", line);
    }
    wn_log(WN_MSG_WINDOW_SEALED, 0, -1, 0);
    cr_assert_not_null(strstr(next_line(), " info window of day 0 sealed: -1 rows published\n"));
}

Test(log, every_message_is_one_whole_line) {
    regex_t form;
    cr_assert_eq(regcomp(&form,
                         "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z "
                         "(error|warn|info|debug) [^{}\n]+\n$",
                         REG_EXTENDED | REG_NOSUB),
                 0);
    wn_log_level(WN_LEVEL_DEBUG);
    for (unsigned i = 0; i < WN_MSG_N; i++) {
        wn_log((wn_msg)i, INT64_MIN, INT64_MIN, INT64_MIN);
        const char *line = next_line();
        cr_assert_not_null(line, "message %u", i);
        cr_assert_eq(regexec(&form, line, 0, NULL, 0), 0, "message %u: %s", i, line);
        cr_assert_null(next_line(), "message %u is two writes", i);
    }
    regfree(&form);
}

Test(log, carries_the_time) {
    char date[11];
    int64_t before_s = wn_now_s(), said_s;
    wn_log(WN_MSG_READY, 0, 0, 0);
    const char *line = next_line();
    cr_assert(wn_time_parse(line, 20, &said_s));
    cr_assert_geq(said_s, before_s);
    cr_assert_leq(said_s, wn_now_s());
    wn_day_text((int32_t)(said_s / 86400), date);
    cr_assert_eq(strncmp(date, line, 10), 0);
}

Test(log, leaves_errno_alone_even_when_stderr_is_gone) {
    close(STDERR_FILENO);
    errno = EAGAIN;
    wn_log(WN_MSG_READY, 0, 0, 0);
    cr_assert_eq(errno, EAGAIN);
}
