// SPDX-License-Identifier: Apache-2.0
// intake_rig.c: opens and closes the parts as the daemon does.
#include "intake_rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"
#include "log.h"

#define SESSIONS_MAX 4096

static void sites_make(wn_sites *s) {
    static const char *const names[] = {"shop", "blog", "app"};
    s->site = calloc(3, sizeof *s->site);
    s->n = 3;
    for (size_t i = 0; i < 3; i++) {
        wn_site *one = &s->site[i];
        strcpy(one->name, names[i]);
        strcpy(one->zone, "UTC");
        one->tag = wn_site_tag(names[i]);
        one->kind = i == 2 ? WN_KIND_APP : WN_KIND_WEB;
        if (i == 1) strcpy(one->hosts[one->hosts_n++], "blog.example");
    }
    wn_sites_sort(s);
}

static void open_parts(rig *r) {
    char path[128];
    uint64_t cut;
    uint8_t collector[16] = "rig";
    snprintf(path, sizeof path, "%s/slots", r->dir);
    cr_assert_eq(wn_slots_open(path, false, &r->slots), WN_OK);
    cr_assert_eq(wn_slots_make(r->slots, "dedupe", r->parts.dedupe_key), WN_OK);
    cr_assert_eq(wn_policies_builtin(&r->policies), WN_OK);
    cr_assert_eq(wn_edge_open(&r->options, r->slots, &r->identity, r->policies, &r->edge), WN_OK);
    snprintf(path, sizeof path, "%s/spool", r->dir);
    mkdir(path, 0700);
    cr_assert_eq(
        wn_spool_open(path, r->slots, collector, r->parts.spool_bytes_max, 0, r->now_s, &r->spool, &cut),
        WN_OK);
    cr_assert_eq(
        wn_sessions_open(&r->session_memory, SESSIONS_MAX, wn_spool_last_txn(r->spool), &r->sessions), WN_OK);
    r->parts.edge = r->edge;
    r->parts.spool = r->spool;
    r->parts.sessions = r->sessions;
    cr_assert_eq(wn_pipeline_open(&r->parts, r->sites, &r->pipeline), WN_OK);
    wn_pipeline_clock(r->pipeline, r->now_s);
}

static void close_parts(rig *r) {
    wn_pipeline_close(r->pipeline);
    wn_sessions_close(r->sessions);
    wn_spool_close(r->spool);
    wn_edge_close(r->edge);
    wn_policies_close(r->policies);
    wn_slots_close(r->slots);
}

void rig_open(rig *r) {
    wn_sites sites;
    wn_log_level(WN_LEVEL_ERROR);
    cr_assert_eq(wn_crypt_init(), WN_OK);
    strcpy(r->dir, "/tmp/wn-intake-XXXXXX");
    cr_assert_not_null(mkdtemp(r->dir));
    strcpy(r->options.trusted_proxies, "127.0.0.0/8,::1/128");
    snprintf(r->options.country_db, sizeof r->options.country_db, "%s/none.mmdb", r->dir);
    if (r->parts.spool_bytes_max == 0) r->parts.spool_bytes_max = 64u << 20;
    if (r->parts.request_bytes_total_max == 0) r->parts.request_bytes_total_max = 8u << 20;
    r->now_s = wn_now_s();
    // Noon: a test that runs at midnight must not straddle two windows.
    r->now_s = r->now_s / 86400 * 86400 + 43200;
    cr_assert_eq(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &r->identity), WN_OK);
    cr_assert_eq(wn_keeper_map(WN_KEEPER_SESSIONS, wn_sessions_bytes(SESSIONS_MAX), &r->session_memory),
                 WN_OK);
    sites_make(&sites);
    cr_assert_eq(wn_site_list_new(&sites, 1, &r->sites), WN_OK);
    open_parts(r);
}

void rig_restart(rig *r) {
    close_parts(r);
    open_parts(r);
}

void rig_close(rig *r) {
    char command[128];
    close_parts(r);
    wn_site_list_drop(r->sites);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    cr_expect_eq(system(command), 0);
}

void rig_wait_done(rig *r) {
    struct pollfd p = {wn_spool_fd(r->spool), POLLIN, 0};
    if (wn_pipeline_busy(r->pipeline)) cr_assert_eq(poll(&p, 1, 10000), 1, "the disk did not answer");
    cr_assert_eq(wn_pipeline_done(r->pipeline), WN_OK);
}

void rig_sync(rig *r) {
    do {
        wn_pipeline_turn(r->pipeline);
        if (wn_pipeline_busy(r->pipeline)) rig_wait_done(r);
    } while (wn_pipeline_pending(r->pipeline) != 0 && !wn_pipeline_stuck(r->pipeline));
}

static void add_record(rig_stored *s, const wn_spool_record *rec) {
    static wn_batch_reader reader;
    wn_observation obs;
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){rec->bytes, rec->n}), WN_OK);
    s->batches++;
    for (uint32_t i = 0; i < reader.refusals_n; i++) s->refusals += reader.refusals[i].refused;
    while (wn_batch_reader_next(&reader, &obs)) {
        s->views += obs.kind == WN_OBS_VIEW;
        s->events += obs.kind == WN_OBS_EVENT;
        s->sessions += obs.kind == WN_OBS_SESSION;
        s->last = obs;
    }
}

rig_stored rig_read(rig *r) {
    rig_stored s = {.batches = 0};
    wn_spool_record rec;
    wn_spool_rewind(r->spool);
    while (wn_spool_next(r->spool, &rec)) add_record(&s, &rec);
    return s;
}

void rig_deliver(rig *r) {
    wn_spool_record rec;
    wn_spool_rewind(r->spool);
    while (wn_spool_next(r->spool, &rec))
        wn_spool_ack(r->spool, &rec.window, rec.id.generation, rec.id.sequence);
}

wn_sender rig_sender(void) {
    static const wn_address address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7}};
    return (wn_sender){.address = &address, .user_agent = {(const uint8_t *)RIG_UA, sizeof RIG_UA - 1}};
}

void rig_event(wn_request *r, ...) {
    wn_event_sink sink = wn_request_sink(r);
    wn_filling f;
    va_list args;
    wn_filling_init(&f, &sink);
    wn_filling_begin(&f);
    va_start(args, r);
    for (const char *name; (name = va_arg(args, const char *)) != NULL;) {
        const char *text = va_arg(args, const char *);
        wn_field field = wn_filling_key(&f, name, strlen(name));
        if (wn_filling_shape(field) == WN_SHAPE_LIST) wn_filling_open(&f, field);
        if (text[0] != '\0') wn_filling_text(&f, field, text, strlen(text));
    }
    va_end(args);
    wn_filling_end(&f, (wn_span){NULL, 0});
}

wn_verdict rig_only_verdict(const wn_request *r) {
    const wn_outcome *o = wn_request_outcome(r);
    cr_assert_eq(o->events, 1);
    for (unsigned v = 0; v < WN_VERDICT_N; v++)
        if (o->by_verdict[v] != 0) return (wn_verdict)v;
    return WN_VERDICT_N;
}
