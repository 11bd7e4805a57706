// SPDX-License-Identifier: Apache-2.0
// test_zdoor.c: only listed keys come in, and the peer's key is known.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "crypt.h"
#include "zdoor.h"

static char dir[] = "/tmp/wn-zdoor-XXXXXX";
static void *ctx;
static wn_zap *zap;

static void setup(void) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_not_null(mkdtemp(dir));
    ctx = zmq_ctx_new();
    cr_assert_eq(wn_zap_start(ctx, &zap), WN_OK);
}

static void teardown(void) {
    wn_zap_stop(zap);
    zmq_ctx_term(ctx);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    cr_assert_eq(system(cmd), 0);
}

static void *door(wn_curve *server) {
    char endpoint[128];
    void *s = NULL;
    cr_assert_eq(wn_curve_load(dir, "server", true, server), WN_OK);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/door", dir);
    cr_assert_eq(wn_door_bind(ctx, endpoint, "test", server, &s), WN_OK);
    return s;
}

static void *dial(const wn_curve *server, const wn_curve *own) {
    char endpoint[128];
    void *s = NULL;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/door", dir);
    cr_assert_eq(wn_door_connect(ctx, endpoint, server->public_key, own, &s), WN_OK);
    return s;
}

static bool arrives(void *s, int timeout_ms) {
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    return zmq_poll(&item, 1, timeout_ms) == 1;
}

Test(zdoor, an_unlisted_key_is_not_heard, .init = setup, .fini = teardown) {
    wn_curve server, listed, stranger;
    cr_assert_eq(wn_curve_load(dir, "listed", true, &listed), WN_OK);
    cr_assert_eq(wn_curve_load(dir, "stranger", true, &stranger), WN_OK);
    const char *keys[] = {listed.public_key};
    cr_assert_eq(wn_zap_allow(zap, "test", keys, 1), WN_OK);
    void *s = door(&server), *bad = dial(&server, &stranger);
    zmq_send(bad, "x", 1, ZMQ_DONTWAIT);
    cr_assert(!arrives(s, 500));
    cr_assert_geq(wn_zap_refused(zap), 1u);
    void *good = dial(&server, &listed);
    cr_assert_eq(zmq_send(good, "y", 1, 0), 1);
    cr_assert(arrives(s, 5000));
    zmq_msg_t id, body;
    zmq_msg_init(&id), zmq_msg_init(&body);
    cr_assert_geq(zmq_msg_recv(&id, s, 0), 0);
    cr_assert_eq(zmq_msg_recv(&body, s, 0), 1);
    cr_assert_str_eq(wn_door_peer(&body), listed.public_key);
    wn_msg_close(&id), wn_msg_close(&body);
    zmq_close(good), zmq_close(bad), zmq_close(s);
}

Test(zdoor, a_plain_peer_is_not_heard, .init = setup, .fini = teardown) {
    wn_curve server;
    char endpoint[128];
    cr_assert_eq(wn_zap_allow(zap, "test", NULL, 0), WN_OK);
    void *s = door(&server), *plain = zmq_socket(ctx, ZMQ_DEALER);
    int linger = 0;
    zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof linger);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/door", dir);
    cr_assert_eq(zmq_connect(plain, endpoint), 0);
    zmq_send(plain, "x", 1, ZMQ_DONTWAIT);
    cr_assert(!arrives(s, 500));
    zmq_close(plain), zmq_close(s);
}

Test(zdoor, key_files_are_private_and_stay, .init = setup, .fini = teardown) {
    wn_curve a, b;
    char path[128], pub[WN_CURVE_TEXT];
    struct stat st;
    cr_assert_eq(wn_curve_load(dir, "k", false, &a), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_curve_load(dir, "k", true, &a), WN_OK);
    cr_assert_eq(wn_curve_load(dir, "k", true, &b), WN_OK);
    cr_assert_arr_eq(&a, &b, sizeof a);
    snprintf(path, sizeof path, "%s/k.curve", dir);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(wn_curve_load_public(dir, "k", pub), WN_OK);
    cr_assert_str_eq(pub, a.public_key);
    cr_assert_eq(truncate(path, 50), 0);
    cr_assert_eq(wn_curve_load(dir, "k", true, &b), WN_ERR_FORMAT);
}

// Daemons and commands start at once: whoever looks finds nothing or a whole file, and all the same key.
Test(zdoor, keys_made_by_two_at_once_are_one_and_never_half, .init = setup, .fini = teardown, .timeout = 60) {
    enum { ROUNDS = 300 };
    char name[16];
    wn_curve here, there;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        bool well = true;
        for (unsigned i = 0; i < ROUNDS; i++) {
            snprintf(name, sizeof name, "k%u", i);
            well = wn_curve_load(dir, name, true, &there) == WN_OK && well;
        }
        _exit(well ? 0 : 1);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "k%u", i);
        wn_err err = wn_curve_load(dir, name, i % 2 == 0, &here);
        while (err == WN_ERR_NOTFOUND) err = wn_curve_load(dir, name, false, &here);
        cr_assert_eq(err, WN_OK, "round %u: %d", i, (int)err);
        cr_assert_eq(wn_curve_load(dir, name, false, &there), WN_OK);
        cr_assert_arr_eq(&here, &there, sizeof here);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

static bool echo(void *daemon, uint64_t token, wn_mp *body, void *packer) {
    (void)daemon, (void)token, (void)body;
    (void)packer;
    return true; // an empty answer
}

Test(control, asks_and_answers_through_curve, .init = setup, .fini = teardown) {
    static const wn_control_verb verbs[] = {{"echo", echo}};
    char keys[128];
    wn_control *c = NULL;
    wn_ask_line *line = NULL;
    snprintf(keys, sizeof keys, "%s/keys", dir);
    cr_assert_eq(mkdir(keys, 0700), 0);
    cr_assert_eq(wn_ask_open(ctx, dir, &line), WN_ERR_NOTFOUND, "no daemon yet");
    cr_assert_eq(wn_control_open(ctx, zap, dir, verbs, 1, NULL, &c), WN_OK);
    cr_assert_eq(wn_ask_open(ctx, dir, &line), WN_OK);
    const uint8_t good[] = {0x81, 0xa2, 'd', 'o', 0xa4, 'e', 'c', 'h', 'o'}, bad[] = {0xc1};
    zmq_msg_t answer;
    cr_assert_eq(wn_ask_send(line, (wn_span){good, sizeof good}), WN_OK);
    cr_assert(arrives(wn_control_socket(c), 5000));
    wn_control_turn(c);
    cr_assert_eq(wn_ask_recv(line, 5000, &answer), WN_OK);
    cr_assert_eq(zmq_msg_size(&answer), 0u);
    wn_msg_close(&answer);
    cr_assert_eq(wn_ask_send(line, (wn_span){bad, sizeof bad}), WN_OK);
    cr_assert(arrives(wn_control_socket(c), 5000));
    wn_control_turn(c);
    cr_assert_eq(wn_ask_recv(line, 5000, &answer), WN_OK);
    cr_assert_gt(zmq_msg_size(&answer), 0u, "a request that is none gets a refusal");
    wn_msg_close(&answer);
    wn_ask_close(line);
    wn_control_close(c);
}
