// SPDX-License-Identifier: Apache-2.0
// Why: one byte is all that the process that is attacked can say to the one that may read.
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_COPY = 1, ANSWER_NONE = 2, ANSWER_BAD = 3 };

typedef union fd_room {
    char buf[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
} fd_room;

// A memfd with what is in the file; -1 with errno.
static int copy_of(const char *path) {
    char buf[16384];
    size_t all = 0;
    ssize_t n;
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to;
    if (from < 0) return -1;
    to = memfd_create("winnow", MFD_CLOEXEC);
    while (to >= 0 && (n = read(from, buf, sizeof buf)) != 0) {
        if (n > 0 && (all += (size_t)n) <= WN_OPENER_BYTES_MAX && write(to, buf, (size_t)n) == n) continue;
        close(to);
        to = -1;
        errno = EIO;
    }
    int saved = errno;
    close(from);
    errno = saved;
    return to;
}

static bool say(int fd, uint8_t answer, int copy) {
    fd_room room = {0};
    struct iovec io = {&answer, 1};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (copy >= 0) {
        m.msg_control = room.buf;
        m.msg_controllen = sizeof room.buf;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof copy), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &copy, sizeof copy);
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL) == 1;
}

// Ends when the other side does.
static void serve(int fd, const char *config_dir, const char *const *names) {
    char path[400];
    uint8_t at;
    size_t files = 0;
    while (names[files]) files++;
    for (;;) {
        ssize_t n = recv(fd, &at, 1, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n != 1) return;
        if (at >= files) {
            if (!say(fd, ANSWER_BAD, -1)) return;
            continue;
        }
        snprintf(path, sizeof path, "%.280s/%s", config_dir, names[at]);
        int copy = copy_of(path);
        bool none = copy < 0 && errno == ENOENT;
        if (!say(fd, copy >= 0 ? ANSWER_COPY : none ? ANSWER_NONE : ANSWER_BAD, copy)) return;
        if (copy >= 0) close(copy);
    }
}

wn_err wn_opener_start(wn_opener *o, const char *config_dir, const char *const *names) {
    int pair[2];
    pid_t parent = getpid();
    *o = (wn_opener){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return WN_ERR_IO;
    pid_t pid = fork();
    if (pid < 0) return close(pair[0]), close(pair[1]), WN_ERR_IO;
    if (pid == 0) {
        close(pair[0]);
        // The other side's end ends it; so does its death, whatever else holds that socket.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
            getppid() == parent)
            serve(pair[1], config_dir, names);
        _exit(0);
    }
    close(pair[1]);
    *o = (wn_opener){pair[0], pid};
    return WN_OK;
}

void wn_opener_stop(wn_opener *o) {
    if (o->fd < 0) return;
    close(o->fd);
    while (waitpid(o->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    o->fd = -1;
}

wn_err wn_opener_copy(const wn_opener *o, size_t at, char out_path[WN_OPENER_PATH], int *out_fd) {
    uint8_t ask = (uint8_t)at, answer = 0;
    fd_room room = {0};
    struct iovec io = {&answer, 1};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = room.buf, .msg_controllen = sizeof room.buf};
    *out_fd = -1;
    if (at > UINT8_MAX) return WN_ERR_IO;
    if (send(o->fd, &ask, 1, MSG_NOSIGNAL) != 1) return WN_ERR_STATE;
    ssize_t n;
    do n = recvmsg(o->fd, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != 1) return WN_ERR_STATE;
    if (answer == ANSWER_BAD) return WN_ERR_IO;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (answer == ANSWER_COPY && (!c || c->cmsg_type != SCM_RIGHTS)) return WN_ERR_IO;
    if (answer == ANSWER_COPY) memcpy(out_fd, CMSG_DATA(c), sizeof *out_fd);
    // What is kept in memory lies under no folder, so confinement lets it be opened.
    if (*out_fd >= 0) snprintf(out_path, WN_OPENER_PATH, "/proc/self/fd/%d", *out_fd);
    else snprintf(out_path, WN_OPENER_PATH, "/proc/self/fd/none");
    return WN_OK;
}
