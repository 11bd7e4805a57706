// SPDX-License-Identifier: Apache-2.0
// doors.c: see doors.h.
#include "doors.h"

#include <errno.h>
#include <poll.h>
#include <zmq.h>

#define SECOND_NS 1000000000

bool wn_loop_door_open(void *socket, wn_loop_door *out) {
    size_t n = sizeof out->fd;
    // Used: what came before the first question was told to nobody.
    *out = (wn_loop_door){.socket = socket, .fd = -1, .used = true};
    return zmq_getsockopt(socket, ZMQ_FD, &out->fd, &n) == 0;
}

// Asking takes in what the descriptor told, so that it may tell again.
static bool ask(wn_loop_door *d) {
    int events = 0;
    size_t n = sizeof events;
    while (zmq_getsockopt(d->socket, ZMQ_EVENTS, &events, &n) != 0)
        if (errno != EINTR) return false;
    d->used = false;
    d->ready = (events & ZMQ_POLLIN) != 0;
    return true;
}

bool wn_doors_wait(wn_loop_door *doors, size_t n, int64_t wait_ns) {
    struct pollfd fds[WN_DOORS_MAX];
    if (n > WN_DOORS_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        wn_loop_door *d = &doors[i];
        d->ready = false;
        fds[i] = (struct pollfd){.fd = d->fd, .events = POLLIN};
        if (d->socket != NULL && d->used && !ask(d)) return false;
        if (d->ready) wait_ns = 0;
    }
    struct timespec left = {wait_ns / SECOND_NS, wait_ns % SECOND_NS};
    int found = ppoll(fds, n, &left, NULL);
    if (found < 0) return errno == EINTR;
    for (size_t i = 0; i < n && found > 0; i++)
        if (fds[i].revents != 0) doors[i].ready = true;
    for (size_t i = 0; i < n; i++) doors[i].used |= doors[i].ready;
    return true;
}
