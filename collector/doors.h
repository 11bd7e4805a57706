// SPDX-License-Identifier: Apache-2.0
// doors.h: the loop sleeps here until one of its doors has something.
//
// zmq_poll asks every ZeroMQ socket twice a call, and each question is two
// system calls. A socket is asked here only when it was used since; otherwise
// its descriptor tells, once for each change.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WN_DOORS_MAX 8

typedef struct wn_loop_door {
    void *socket; // ZeroMQ's; NULL: `fd` is anything else that can be polled
    int fd;
    bool used;  // sent or received on since it was asked; set it after such a use
    bool ready; // there may be something to receive
} wn_loop_door;

// False when the socket cannot be asked.
bool wn_loop_door_open(void *socket, wn_loop_door *out);
// Sleeps at most wait_ns, or not at all; sets `ready`. False: broken, for good.
bool wn_doors_wait(wn_loop_door *doors, size_t n, int64_t wait_ns);
