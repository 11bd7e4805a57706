// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <unistd.h>
#include <zmq.h>

#include "doors.h"

#define LONG_NS 20000000000

typedef struct rig {
    void *ctx, *near, *far;
    int pipe[2];
    wn_loop_door door[2];
} rig;

static void make(rig *r) {
    r->ctx = zmq_ctx_new();
    r->near = zmq_socket(r->ctx, ZMQ_PAIR);
    r->far = zmq_socket(r->ctx, ZMQ_PAIR);
    cr_assert(zmq_bind(r->near, "inproc://doors") == 0 && zmq_connect(r->far, "inproc://doors") == 0);
    cr_assert_eq(pipe(r->pipe), 0);
    cr_assert(wn_loop_door_open(r->near, &r->door[0]));
    r->door[1] = (wn_loop_door){.fd = r->pipe[0]};
}

static void end(rig *r) {
    zmq_close(r->near);
    zmq_close(r->far);
    zmq_ctx_term(r->ctx);
    close(r->pipe[0]);
    close(r->pipe[1]);
}

static bool receive(rig *r) {
    char c;
    bool got = zmq_recv(r->near, &c, 1, ZMQ_DONTWAIT) == 1;
    r->door[0].used = true;
    return got;
}

Test(doors, nothing_is_ready_when_nothing_came) {
    rig r;
    make(&r);
    for (int i = 0; i < 3; i++) {
        cr_assert(wn_doors_wait(r.door, 2, i * 1000));
        cr_assert_not(r.door[1].ready);
        if (r.door[0].ready) cr_assert_not(receive(&r)); // the connection, which is no message
    }
    cr_assert(wn_doors_wait(r.door, 2, 0));
    cr_assert_not(r.door[0].ready);
    end(&r);
}

Test(doors, a_message_wakes_however_the_socket_was_used_before, .timeout = 60) {
    rig r;
    make(&r);
    for (int i = 0; i < 200; i++) {
        // Between the question and the message, after it, or beside a use that took the signal in.
        if (i % 4 == 0) cr_assert(wn_doors_wait(r.door, 2, 0));
        cr_assert_eq(zmq_send(r.far, "x", 1, 0), 1);
        if (i % 4 == 1) {
            int events;
            size_t n = sizeof events;
            cr_assert_eq(zmq_getsockopt(r.near, ZMQ_EVENTS, &events, &n), 0);
            r.door[0].used = true;
        }
        if (i % 4 == 2) {
            cr_assert_eq(zmq_send(r.near, "y", 1, 0), 1);
            r.door[0].used = true;
        }
        bool got = false;
        while (!got) {
            cr_assert(wn_doors_wait(r.door, 2, LONG_NS));
            got = r.door[0].ready && receive(&r);
        }
    }
    end(&r);
}

Test(doors, what_was_not_taken_is_told_again, .timeout = 60) {
    rig r;
    make(&r);
    cr_assert_eq(zmq_send(r.far, "x", 1, 0), 1);
    cr_assert_eq(zmq_send(r.far, "y", 1, 0), 1);
    for (int i = 0; i < 3; i++) {
        do cr_assert(wn_doors_wait(r.door, 2, LONG_NS));
        while (!r.door[0].ready);
    }
    cr_assert(receive(&r));
    cr_assert(wn_doors_wait(r.door, 2, LONG_NS));
    cr_assert(r.door[0].ready && receive(&r));
    end(&r);
}

Test(doors, any_other_descriptor_is_told_as_long_as_it_is_readable, .timeout = 60) {
    rig r;
    make(&r);
    cr_assert_eq(write(r.pipe[1], "x", 1), 1);
    for (int i = 0; i < 3; i++) {
        cr_assert(wn_doors_wait(r.door, 2, LONG_NS));
        cr_assert(r.door[1].ready);
    }
    wn_loop_door many[WN_DOORS_MAX + 1] = {{0}};
    cr_assert_not(wn_doors_wait(many, WN_DOORS_MAX + 1, 0));
    end(&r);
}
