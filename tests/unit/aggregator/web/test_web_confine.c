// SPDX-License-Identifier: Apache-2.0
// What winnow-web can open once it is confined: the time zones; and what it is handed: its own files, as they
// are then.
#include "web_confine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "web_conf.h"

static bool opens(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

// What is handed over of file `at`; "" for none.
static void copied(const wn_opener *o, size_t at, char out[64]) {
    char path[WN_OPENER_PATH];
    int held;
    memset(out, 0, 64);
    cr_assert_eq(wn_opener_copy(o, at, path, &held), WN_OK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(fd >= 0, held >= 0, "%s", path);
    if (fd < 0) return;
    cr_assert(read(fd, out, 63) >= 0);
    close(fd), close(held);
}

Test(web_confine, nothing_is_opened_but_zones_and_what_is_handed_over) {
    static const char *const names[] = {"sites.yaml", "plan.yaml", NULL};
    char config[] = "/tmp/wn_confine_XXXXXX", state[] = "/tmp/wn_state_XXXXXX", text[64];
    char file[64], fresh[64], secret[64], slots[64];
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    cr_assert(mkdtemp(config) && mkdtemp(state));
    snprintf(file, sizeof file, "%s/sites.yaml", config);
    snprintf(fresh, sizeof fresh, "%s/sites.new", config);
    snprintf(secret, sizeof secret, "%s/hook.secret", config);
    snprintf(slots, sizeof slots, "%s/slots", state);
    write_file(file, "old");
    write_file(secret, "whsec");
    write_file(slots, "keys");
    write_file(fresh, "new");
    int held = open(slots, O_RDWR | O_CLOEXEC); // as the store is
    cr_assert(held >= 0);
    wn_opener o;
    cr_assert_eq(wn_opener_start(&o, config, names), WN_OK);

    pid_t writer = fork(); // an operator, whom nothing confines
    if (writer == 0) {
        raise(SIGSTOP);
        _exit(rename(fresh, file) == 0 ? 0 : 1);
    }
    wn_web_confine();
    cr_expect(!opens(file, O_RDONLY));
    cr_expect(!opens(secret, O_RDONLY));
    cr_expect(!opens(config, O_RDONLY | O_DIRECTORY));
    cr_expect(!opens(slots, O_RDONLY));
    cr_expect(!opens(state, O_RDONLY | O_DIRECTORY));
    cr_expect(!opens("/etc/passwd", O_RDONLY));
    cr_expect(access("/usr/share/zoneinfo/UTC", F_OK) != 0 || opens("/usr/share/zoneinfo/UTC", O_RDONLY));
    cr_expect_eq(write(held, "x", 1), 1);
    cr_expect_lt(unlink(slots), 0);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect(s >= 0);
    close(s);
    close(held);

    copied(&o, 0, text);
    cr_expect_str_eq(text, "old");
    copied(&o, 1, text); // it is not there
    cr_expect_str_eq(text, "");
    int status = -1;
    cr_assert_eq(waitpid(writer, &status, WUNTRACED), writer);
    kill(writer, SIGCONT);
    cr_assert_eq(waitpid(writer, &status, 0), writer);
    cr_assert_eq(status, 0);
    copied(&o, 0, text); // replaced, as `winnow site` does
    cr_expect_str_eq(text, "new");
    wn_opener_stop(&o);
}

// A list of keys that cannot be read any more opens nothing, as one that is not there would.
Test(web_confine, without_its_opener_keys_open_nothing) {
    char config[] = "/tmp/wn_confine_XXXXXX", file[64], why[300];
    wn_opener o;
    wn_web_conf c;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    cr_assert(mkdtemp(config));
    snprintf(file, sizeof file, "%s/api_keys.yaml", config);
    cr_assert_eq(wn_opener_start(&o, config, wn_web_conf_files), WN_OK);
    cr_assert_eq(wn_web_conf_open(&c, config, &o, why, sizeof why), WN_OK, "%s", why);
    cr_expect(!c.keys.there && !c.keys_bad);
    write_file(file, "keys: []\n");
    wn_web_confine();
    wn_web_conf_watch(&c);
    cr_expect(c.keys.there && !c.keys_bad);
    kill(o.pid, SIGKILL);
    c.file[3].seen.st_size++; // as if it had changed again
    wn_web_conf_watch(&c);
    cr_expect(c.keys_bad);
    wn_opener_stop(&o);
    wn_web_conf_close(&c);
}
