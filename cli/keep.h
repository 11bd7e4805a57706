// SPDX-License-Identifier: Apache-2.0
// keep.h: runs the daemons, starts one again that dies, and holds the memory
// that must outlive its kill. The keeper never maps that memory.
#pragma once

#include <sys/types.h>

#include "cli.h"

typedef struct wn_keep_child {
    const char *program; // "winnow-collector"
    const char
        *role_dir; // where its control socket appears; NULL: it has none, and says itself that it is ready
    char **argv;   // argv[0] is replaced by the path
    const char *memory[3]; // names of its memfds, NULL-terminated
    const char *when;      // it is started once this file is there; NULL: at once
    // ---- the keeper's own ----
    int fd[2];
    int ready_fd; // of a child without a control socket: a byte comes when it is ready; -1: none is awaited
    bool ready;
    pid_t pid;
    int64_t started_ms, again_ms; // again_ms: when to start it again; 0: runs or stopped
    int64_t wait_ms;
} wn_keep_child;

#define WN_KEEP_CHILDREN_MAX 4
#define WN_KEEP_WAIT_FIRST_MS 100
#define WN_KEEP_WAIT_MAX_MS 5000
#define WN_KEEP_STEADY_MS 10000 // having lived this long, a child's next death waits the least again
#define WN_KEEP_ANEW_STATUS 75  // a child's: it asks to be started again
#define WN_KEEP_WHEN_MS 1000
#define WN_KEEP_READY_MS 15000
#define WN_KEEP_STOP_MS 10000

// Blocks the signals that wn_keep_run waits for, and hardens this process. Before the first child.
bool wn_keep_begin(wn_keep_child *child, size_t n);
// Starts all that need not wait for their file, and waits until each listens on its control socket, or says
// on WN_KEEPER_READY_ENV's fd that it is ready. False after a message, with all children gone, when one ends
// before or none answers in time.
bool wn_keep_start(wn_keep_child *child, size_t n);
// Serves until SIGTERM or SIGINT (SIGHUP too, unless detached), then stops all. turn is called at least once
// a minute. A child whose file appears is started within WN_KEEP_WHEN_MS.
void wn_keep_run(wn_keep_child *child, size_t n, bool detached, void (*turn)(void *ctx), void *ctx);
// The next wait after a death: doubled, bounded; the least after a steady life.
int64_t wn_keep_wait_next(int64_t wait_ms, int64_t lived_ms);
