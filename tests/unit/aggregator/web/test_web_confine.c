// SPDX-License-Identifier: Apache-2.0
// What winnow-web can open once it is confined: its configuration, and no state.
#include "web_confine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool opens(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

Test(web_confine, nothing_is_opened_but_configuration_and_zones) {
    char config[] = "/tmp/wn_confine_XXXXXX", state[] = "/tmp/wn_state_XXXXXX", file[64], secret[64];
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    cr_assert(mkdtemp(config) && mkdtemp(state));
    snprintf(file, sizeof file, "%s/sites.yaml", config);
    snprintf(secret, sizeof secret, "%s/slots", state);
    cr_assert(opens(file, O_CREAT | O_WRONLY) && opens(secret, O_CREAT | O_WRONLY));
    int held = open(secret, O_RDWR | O_CLOEXEC); // as the store is
    cr_assert(held >= 0);

    wn_web_confine(config);
    cr_expect(opens(file, O_RDONLY));
    cr_expect(!opens(file, O_WRONLY));
    cr_expect(!opens(secret, O_RDONLY));
    cr_expect(!opens(state, O_RDONLY | O_DIRECTORY));
    cr_expect(!opens("/etc/passwd", O_RDONLY));
    cr_expect(access("/usr/share/zoneinfo/UTC", F_OK) != 0 || opens("/usr/share/zoneinfo/UTC", O_RDONLY));
    cr_expect_eq(write(held, "x", 1), 1);
    cr_expect_lt(unlink(secret), 0);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect(s >= 0);
    close(s);
    close(held);
}
