// SPDX-License-Identifier: Apache-2.0
// keep.c: the parent of the daemons. One thread, no ZeroMQ, one loop.
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_ask.h"
#include "clock.h"
#include "keeper.h"
#include "log.h"

static sigset_t waited_for(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    return set;
}

int64_t wn_keep_wait_next(int64_t wait_ms, int64_t lived_ms) {
    if (wait_ms <= 0 || lived_ms >= WN_KEEP_STEADY_MS) return WN_KEEP_WAIT_FIRST_MS;
    return wait_ms * 2 > WN_KEEP_WAIT_MAX_MS ? WN_KEEP_WAIT_MAX_MS : wait_ms * 2;
}

// Beside this binary, else by name on PATH.
static void find_program(const char *program, char out[PATH_MAX]) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        char *slash = strrchr(self, '/');
        if (slash && snprintf(out, PATH_MAX, "%.*s/%s", (int)(slash - self), self, program) < PATH_MAX &&
            access(out, X_OK) == 0) {
            return;
        }
    }
    snprintf(out, PATH_MAX, "%s", program);
}

static _Noreturn void become(const wn_keep_child *c, pid_t keeper, int ready_fd) {
    char path[PATH_MAX], fds[128] = "", ready[16];
    size_t at = 0;
    sigset_t set = waited_for();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setpgid(0, 0); // a terminal's Ctrl-C reaches the keeper alone, which stops all in order
    prctl(PR_SET_PDEATHSIG, SIGTERM); // without its keeper a daemon would hold the ports and lose its memory
    if (getppid() != keeper) _exit(1);
    for (size_t i = 0; c->memory[i]; i++) {
        fcntl(c->fd[i], F_SETFD, 0);
        at += (size_t)snprintf(fds + at, sizeof fds - at, "%s%s=%d", i ? "," : "", c->memory[i], c->fd[i]);
    }
    setenv(WN_KEEPER_ENV, fds, 1);
    unsetenv(WN_KEEPER_READY_ENV);
    if (ready_fd >= 0) {
        fcntl(ready_fd, F_SETFD, 0);
        snprintf(ready, sizeof ready, "%d", ready_fd);
        setenv(WN_KEEPER_READY_ENV, ready, 1);
    }
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, STDIN_FILENO);
    find_program(c->program, path);
    execvp(path, c->argv);
    fprintf(stderr, "winnow: cannot start %s: %s; it stands beside winnow or on PATH\n", c->program,
            strerror(errno));
    _exit(127);
}

static bool start(wn_keep_child *c) {
    pid_t keeper = getpid();
    int ends[2] = {-1, -1};
    fflush(NULL);
    c->argv[0] = (char *)(uintptr_t)c->program;
    if (c->ready_fd >= 0) close(c->ready_fd);
    c->ready = false;
    if (!c->role_dir && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) ends[0] = ends[1] = -1;
    c->ready_fd = ends[0];
    c->pid = fork();
    if (c->pid == 0) become(c, keeper, ends[1]);
    if (ends[1] >= 0) close(ends[1]);
    c->started_ms = wn_monotonic_ms();
    c->again_ms = 0;
    if (c->pid > 0) return true;
    c->pid = 0;
    c->wait_ms = wn_keep_wait_next(c->wait_ms, 0);
    c->again_ms = c->started_ms + c->wait_ms;
    return false;
}

bool wn_keep_begin(wn_keep_child *child, size_t n) {
    sigset_t set = waited_for();
    wn_harden();
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return false;
    for (size_t i = 0; i < n; i++) {
        child[i].ready_fd = -1;
        for (size_t j = 0; child[i].memory[j]; j++) {
            child[i].fd[j] = wn_keeper_memfd(child[i].memory[j]);
            if (child[i].fd[j] < 0)
                return wn_cli_failed("cannot make memory to keep: %s", strerror(errno)), false;
        }
    }
    return true;
}

// Waits for the dead. Answers how many ended; their status goes to out_status.
static size_t reap(wn_keep_child *child, size_t n, int *out_status) {
    int status = 0;
    size_t ended = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            if (child[i].pid != pid) continue;
            int64_t now = wn_monotonic_ms();
            child[i].pid = 0;
            child[i].wait_ms = wn_keep_wait_next(child[i].wait_ms, now - child[i].started_ms);
            child[i].again_ms = now + child[i].wait_ms;
            *out_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            ended++;
        }
    }
    return ended;
}

static int wait_signal(int64_t ms) {
    sigset_t set = waited_for();
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    return sigtimedwait(&set, NULL, &ts);
}

static void stop_all(wn_keep_child *child, size_t n) {
    int64_t until = wn_monotonic_ms() + WN_KEEP_STOP_MS;
    int status;
    size_t alive = 1;
    for (size_t i = 0; i < n; i++) {
        if (child[i].pid) kill(child[i].pid, SIGTERM);
    }
    while (alive) {
        reap(child, n, &status);
        alive = 0;
        for (size_t i = 0; i < n; i++) alive += child[i].pid != 0;
        int64_t left = until - wn_monotonic_ms();
        if (alive && left > 0) wait_signal(left > 200 ? 200 : left);
        for (size_t i = 0; left <= 0 && i < n; i++) {
            if (!child[i].pid) continue;
            fprintf(stderr, "winnow: %s did not stop in %d s; it is killed\n", child[i].program,
                    WN_KEEP_STOP_MS / 1000);
            kill(child[i].pid, SIGKILL);
            waitpid(child[i].pid, &status, 0);
            child[i].pid = 0;
        }
    }
}

static bool is_ready(wn_keep_child *c) {
    char byte;
    if (c->role_dir) return wn_ask_pid(c->role_dir) == c->pid;
    c->ready = c->ready || (c->ready_fd >= 0 && read(c->ready_fd, &byte, 1) == 1);
    return c->ready;
}

// It does not run, is not about to, and its file is not there.
static bool is_absent(const wn_keep_child *c) {
    return c->when != NULL && c->pid == 0 && c->again_ms == 0 && access(c->when, F_OK) != 0;
}

bool wn_keep_start(wn_keep_child *child, size_t n) {
    int64_t until = wn_monotonic_ms() + WN_KEEP_READY_MS;
    int status = 0;
    bool well = true, ready = false;
    for (size_t i = 0; i < n && well; i++) well = is_absent(&child[i]) || start(&child[i]);
    while (well && !ready) {
        int sig = wait_signal(50);
        if (sig == SIGTERM || sig == SIGINT) well = false;
        ready = true;
        for (size_t i = 0; i < n; i++) ready = (is_absent(&child[i]) || is_ready(&child[i])) && ready;
        size_t ended = reap(child, n, &status);
        if (ended == 1 && status == WN_KEEP_ANEW_STATUS) { // its files changed just now
            for (size_t i = 0; i < n; i++)
                if (child[i].pid == 0 && !is_absent(&child[i])) well = start(&child[i]) && well;
            ready = false;
        } else if (ended > 0) {
            for (size_t i = 0; i < n; i++) {
                if (child[i].pid == 0 && !is_absent(&child[i]))
                    (void)wn_cli_failed("%s ended with status %d before it was ready; its words stand above",
                                        child[i].program, status);
            }
            well = false;
        } else if (!ready && wn_monotonic_ms() > until) {
            (void)wn_cli_failed(
                "the daemons did not get ready in %d s; `winnow up` again, and look at their words above",
                WN_KEEP_READY_MS / 1000);
            well = false;
        }
    }
    if (!well) stop_all(child, n);
    return well;
}

void wn_keep_run(wn_keep_child *child, size_t n, bool detached, void (*turn)(void *ctx), void *ctx) {
    for (;;) {
        int64_t now = wn_monotonic_ms(), wait = 60000;
        int status = 0;
        for (size_t i = 0; i < n; i++) {
            bool absent = is_absent(&child[i]), waits = child[i].when != NULL && child[i].again_ms == 0;
            if (absent && wait > WN_KEEP_WHEN_MS) wait = WN_KEEP_WHEN_MS;
            if (child[i].pid || absent || (child[i].again_ms == 0 && !waits)) continue;
            if (child[i].again_ms <= now) start(&child[i]);
            if (child[i].again_ms > now && child[i].again_ms - now < wait) wait = child[i].again_ms - now;
        }
        int sig = wait_signal(wait);
        if (sig == SIGTERM || sig == SIGINT || (sig == SIGHUP && !detached)) break;
        for (size_t ended = reap(child, n, &status); ended > 0; ended--)
            wn_log(WN_MSG_CHILD_EXIT, status, 0, 0);
        if (turn) turn(ctx);
    }
    stop_all(child, n);
}
