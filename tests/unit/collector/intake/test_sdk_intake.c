// SPDX-License-Identifier: Apache-2.0
// The ZeroMQ door: who may write where, and that an answer means durable.
#include <criterion/criterion.h>
#include <msgpack.h>
#include <string.h>

#include "clock.h"
#include "intake_rig.h"
#include "mp.h"
#include "sdk_intake.h"

static rig r;
static wn_metrics metrics;
static void *ctx;
static wn_zap *zap;
static wn_sdk *sdk;
static wn_curve server, listed, stranger;
static char endpoint[128];

static wn_site *site(const char *name) {
    return (wn_site *)(uintptr_t)wn_sites_by_name(&r.sites->sites, name, strlen(name));
}

static void setup(void) {
    rig_open(&r);
    memset(&metrics, 0, sizeof metrics);
    ctx = zmq_ctx_new();
    cr_assert_eq(wn_zap_start(ctx, &zap), WN_OK);
    cr_assert_eq(zmq_curve_keypair(server.public_key, server.secret_key), 0);
    cr_assert_eq(zmq_curve_keypair(listed.public_key, listed.secret_key), 0);
    cr_assert_eq(zmq_curve_keypair(stranger.public_key, stranger.secret_key), 0);
    wn_site *shop = site("shop");
    memcpy(shop->keys[0].key, listed.public_key, WN_CURVE_TEXT);
    shop->keys[0].server = true;
    shop->keys_n = 1;
    cr_assert_eq(wn_sdk_open(ctx, zap, "tcp://127.0.0.1:*", &server, r.pipeline, &metrics, &sdk), WN_OK);
    cr_assert_eq(wn_door_endpoint(wn_sdk_socket(sdk), endpoint, sizeof endpoint), WN_OK);
}

static void *client;

static void teardown(void) {
    if (client != NULL) zmq_close(client);
    wn_sdk_close(sdk);
    wn_zap_stop(zap);
    zmq_ctx_term(ctx);
    rig_close(&r);
}

TestSuite(sdk_intake, .init = setup, .fini = teardown);

static void dial(const wn_curve *own) {
    cr_assert_eq(wn_door_connect(ctx, endpoint, server.public_key, own, &client), WN_OK);
}

// ---- messages ----

static msgpack_sbuffer buf;
static msgpack_packer pk;

static void text(const char *s) {
    msgpack_pack_str_with_body(&pk, s, strlen(s));
}

static void head(const char *batch_id, uint32_t events) {
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 3);
    text("v"), msgpack_pack_int(&pk, 1);
    text("batch_id"), text(batch_id);
    text("events"), msgpack_pack_array(&pk, events);
}

static void view(const char *extra, const char *value) {
    msgpack_pack_map(&pk, extra != NULL ? 3 : 2);
    text("name"), text("pageview"), text("url"), text("/a");
    if (extra != NULL) text(extra), text(value);
}

static void send_it(void) {
    cr_assert_eq(zmq_send(client, buf.data, buf.size, 0), (int)buf.size);
    msgpack_sbuffer_destroy(&buf);
}

// Turns the door until something came, or not within the time.
static bool arrived(void *socket, long ms) {
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    return zmq_poll(&item, 1, ms) == 1;
}

typedef struct reply {
    zmq_msg_t msg;
    wn_span batch_id, error;
    uint64_t accepted;
    uint32_t refused_n;
    char first_reason[32];
    bool repeat;
} reply;

static void read_refused(wn_mp *m, reply *out) {
    cr_assert(wn_mp_array(m, 1000, &out->refused_n));
    for (uint32_t i = 0; i < out->refused_n; i++) {
        uint32_t two;
        uint64_t index;
        wn_span reason;
        cr_assert(wn_mp_array(m, 2, &two) && wn_mp_uint(m, 1000, &index) && wn_mp_str(m, 31, &reason));
        if (i == 0) memcpy(out->first_reason, reason.p, reason.n);
    }
}

static void hear(reply *out, bool disk) {
    memset(out, 0, sizeof *out);
    for (int64_t until = wn_monotonic_ms() + 5000; !arrived(client, 1);) {
        cr_assert_lt(wn_monotonic_ms(), until, "no answer");
        wn_sdk_turn(sdk);
        if (disk) rig_sync(&r);
    }
    zmq_msg_init(&out->msg);
    cr_assert_geq(zmq_msg_recv(&out->msg, client, 0), 0);
    wn_mp m;
    uint32_t pairs;
    wn_mp_init(&m, (wn_span){zmq_msg_data(&out->msg), zmq_msg_size(&out->msg)});
    cr_assert(wn_mp_map(&m, 8, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key;
        cr_assert(wn_mp_str(&m, 16, &key));
        if (key.n == 8 && memcmp(key.p, "batch_id", 8) == 0) wn_mp_str(&m, 64, &out->batch_id);
        else if (key.n == 8) wn_mp_uint(&m, 1000, &out->accepted);
        else if (key.n == 7) read_refused(&m, out);
        else if (key.n == 6) wn_mp_bool(&m, &out->repeat);
        else if (key.n == 5) wn_mp_str(&m, 32, &out->error);
    }
    cr_assert(wn_mp_done(&m));
}

static bool is(wn_span s, const char *want) {
    return s.n == strlen(want) && memcmp(s.p, want, s.n) == 0;
}

static void done(reply *a) {
    zmq_msg_close(&a->msg);
}

// ---- tests ----

Test(sdk_intake, an_unlisted_key_gets_nowhere) {
    dial(&stranger);
    head("b", 1), view(NULL, NULL), send_it();
    for (int64_t until = wn_monotonic_ms() + 2000; wn_zap_refused(zap) == 0;) {
        cr_assert_lt(wn_monotonic_ms(), until);
        wn_sdk_turn(sdk);
        arrived(wn_sdk_socket(sdk), 5);
    }
    wn_sdk_turn(sdk);
    cr_expect_eq(metrics.v[WN_METRIC_sdk_messages], 0);
}

Test(sdk_intake, a_malformed_frame_is_told_so_and_leaves_nothing) {
    reply a;
    dial(&listed);
    cr_assert_eq(zmq_send(client, "\xc1", 1, 0), 1);
    hear(&a, true);
    cr_expect(is(a.error, "malformed"));
    done(&a);
    cr_assert_eq(zmq_send(client, "", 0, 0), 0);
    hear(&a, true);
    cr_expect(is(a.error, "malformed"));
    done(&a);
    head("many", WN_REQUEST_EVENTS_MAX + 1);
    for (int i = 0; i <= WN_REQUEST_EVENTS_MAX; i++) msgpack_pack_map(&pk, 0);
    send_it();
    hear(&a, true);
    cr_expect(is(a.error, "too_many"));
    cr_expect(is(a.batch_id, "many"));
    done(&a);
    cr_expect_eq(rig_read(&r).batches, 0);
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

Test(sdk_intake, more_than_one_frame_is_malformed) {
    reply a;
    dial(&listed);
    head("b", 1), view(NULL, NULL);
    zmq_send(client, buf.data, buf.size, ZMQ_SNDMORE);
    send_it();
    hear(&a, true);
    cr_expect(is(a.error, "malformed"));
    done(&a);
    cr_expect_eq(rig_read(&r).views, 0);
}

Test(sdk_intake, an_answer_waits_for_the_disk) {
    reply a;
    dial(&listed);
    head("b-1", 2), view(NULL, NULL), view("colour", "red"), send_it();
    for (int64_t until = wn_monotonic_ms() + 5000; wn_sdk_waiting(sdk) == 0; wn_sdk_turn(sdk)) {
        cr_assert_lt(wn_monotonic_ms(), until);
        arrived(wn_sdk_socket(sdk), 5);
    }
    wn_pipeline_turn(r.pipeline);
    wn_sdk_turn(sdk);
    cr_expect_not(arrived(client, 20), "answered before the sync was seen");
    rig_wait_done(&r);
    hear(&a, false);
    cr_expect(is(a.batch_id, "b-1"));
    cr_expect_eq(a.accepted, 1);
    cr_expect_eq(a.refused_n, 1);
    cr_expect_str_eq(a.first_reason, "unknown_field");
    cr_expect_not(a.repeat);
    done(&a);
    cr_expect_eq(rig_read(&r).views, 1);
}

Test(sdk_intake, a_batch_sent_again_counts_once) {
    reply a;
    dial(&listed);
    for (int i = 0; i < 3; i++) {
        head("again", 1), view(NULL, NULL), send_it();
        hear(&a, true);
        cr_expect_eq(a.accepted, 1);
        cr_expect_eq(a.repeat, i > 0);
        done(&a);
    }
    cr_expect_eq(rig_read(&r).views, 1);
}

// Neither the id of a batch nor that of an event can be used up over HTTP before its owner comes.
Test(sdk_intake, nobody_else_can_use_up_a_keys_ids) {
    for (int event_id = 0; event_id < 2; event_id++) {
        wn_sender nobody = rig_sender();
        wn_request *q = wn_request_begin(r.pipeline, &nobody, NULL);
        uint64_t token;
        rig_event(q, "site", "shop", "name", "pageview", "url", "/a", event_id ? "batch_id" : NULL, "guessed",
                  NULL);
        wn_span id = {(const uint8_t *)"guessed", event_id ? 0 : 7};
        cr_assert_eq(wn_request_commit(q, id, 0, &token), WN_COMMIT_DONE);
        wn_request_free(q);
        rig_sync(&r);
        reply a;
        if (event_id == 0) dial(&listed);
        for (int again = 0; again < 2; again++) {
            char batch[16] = "guessed";
            if (event_id) snprintf(batch, sizeof batch, "own-%d", again);
            head(batch, 1), view(event_id ? "batch_id" : NULL, "guessed"), send_it();
            hear(&a, true);
            cr_expect_eq(a.accepted, 1);
            cr_expect_eq(a.repeat, !event_id && again);
            done(&a);
        }
        cr_expect_eq(rig_read(&r).views, 2 * (event_id + 1), "one of nobody, one of the key");
    }
}

Test(sdk_intake, a_server_key_may_state_address_and_agent) {
    reply a;
    dial(&listed);
    head("b", 2), view("ip", "203.0.113.9"), view("user_agent", RIG_UA), send_it();
    hear(&a, true);
    cr_expect_eq(a.accepted, 2);
    done(&a);
    site("shop")->keys[0].server = false;
    head("c", 2), view("ip", "203.0.113.9"), view("user_agent", RIG_UA), send_it();
    hear(&a, true);
    cr_expect_eq(a.accepted, 0);
    cr_expect_str_eq(a.first_reason, "not_allowed");
    done(&a);
}

Test(sdk_intake, a_key_may_not_write_to_another_site) {
    reply a;
    dial(&listed);
    head("b", 2), view("site", "blog"), view("site", "shop"), send_it();
    hear(&a, true);
    cr_expect_eq(a.accepted, 1);
    cr_expect_str_eq(a.first_reason, "not_allowed");
    done(&a);
}

Test(sdk_intake, a_full_collector_says_so) {
    reply a;
    r.parts.request_bytes_total_max = 100;
    rig_restart(&r);
    wn_sdk_close(sdk);
    cr_assert_eq(wn_sdk_open(ctx, zap, "tcp://127.0.0.1:*", &server, r.pipeline, &metrics, &sdk), WN_OK);
    cr_assert_eq(wn_door_endpoint(wn_sdk_socket(sdk), endpoint, sizeof endpoint), WN_OK);
    dial(&listed);
    head("b", 1), view(NULL, NULL), send_it();
    hear(&a, true);
    cr_expect(is(a.error, "full"));
    cr_expect(is(a.batch_id, "b"));
    done(&a);
}

Test(sdk_intake, a_reload_lets_new_keys_in) {
    memcpy(site("blog")->keys[0].key, stranger.public_key, WN_CURVE_TEXT);
    site("blog")->keys_n = 1;
    cr_assert_eq(wn_sdk_reloaded(sdk), WN_OK);
    reply a;
    dial(&stranger);
    head("b", 1), view(NULL, NULL), send_it();
    hear(&a, true);
    cr_expect_eq(a.accepted, 1, "the one site that lists a key is its default");
    done(&a);
    cr_expect_eq(rig_read(&r).last.site, wn_site_tag("blog"));
}
