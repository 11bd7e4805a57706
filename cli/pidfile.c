// SPDX-License-Identifier: Apache-2.0
// pidfile.c: a pid file that is believed only while it is locked.
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static pid_t read_pid(int fd) {
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    char *end = NULL;
    long pid = strtol(text, &end, 10);
    return end != text && *end == '\n' && pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

wn_err wn_pidfile_take(const char *path, int *out_fd, pid_t *out_holder) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return WN_ERR_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        wn_err err = errno == EWOULDBLOCK ? WN_ERR_BUSY : WN_ERR_IO;
        *out_holder = read_pid(fd);
        close(fd);
        return err;
    }
    *out_fd = fd;
    return WN_OK;
}

wn_err wn_pidfile_write(int fd, pid_t pid) {
    char text[24];
    int n = snprintf(text, sizeof text, "%d\n", (int)pid);
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n ? WN_OK : WN_ERR_IO;
}

// The file is unlinked while the lock is still held, so that nobody's new file is removed.
void wn_pidfile_drop(int fd, const char *path) {
    unlink(path);
    close(fd);
}

pid_t wn_pidfile_holder(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    pid_t pid = flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK ? 0 : read_pid(fd);
    close(fd);
    return pid;
}
