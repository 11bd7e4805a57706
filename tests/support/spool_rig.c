// SPDX-License-Identifier: Apache-2.0
// spool_rig.c: see spool_rig.h.
#include "spool_rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"

static const uint8_t collector[16] = "rig collector id";

void rig_open(spool_rig *r) {
    char slots[80];
    snprintf(slots, sizeof slots, "%s/slots", r->dir);
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_eq(wn_slots_open(slots, false, &r->keys), WN_OK);
    wn_err err = wn_spool_open(r->spool_dir, r->keys, collector, r->bytes_max, r->sync_delay_ms, r->now_s,
                               &r->spool, &r->cut);
    cr_assert_eq(err, WN_OK, "%s", wn_err_text(err));
    cr_assert_eq(wn_batch_builder_new(&r->builder), WN_OK);
}

void rig_make(spool_rig *r) {
    if (r->bytes_max == 0) r->bytes_max = 1 << 30;
    if (r->now_s == 0) r->now_s = 1795600000;
    strcpy(r->dir, "/tmp/winnow-spool-XXXXXX");
    cr_assert_not_null(mkdtemp(r->dir));
    snprintf(r->spool_dir, sizeof r->spool_dir, "%s/spool", r->dir);
    rig_open(r);
}

void rig_close(spool_rig *r) {
    wn_spool_close(r->spool);
    wn_slots_close(r->keys);
    wn_batch_builder_free(r->builder);
    r->spool = NULL;
    r->keys = NULL;
    r->builder = NULL;
}

static void remove_files(const char *dir) {
    DIR *d = opendir(dir);
    if (d == NULL) return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

void rig_end(spool_rig *r) {
    if (r->spool != NULL) rig_close(r);
    remove_files(r->spool_dir);
    remove_files(r->dir);
}

wn_window rig_window(int32_t day) {
    wn_window w;
    const wn_zone *z = wn_zone_find("UTC");
    cr_assert_not_null(z);
    wn_zone_window_of_day(z, WN_KIND_WEB, day, &w);
    return w;
}

wn_err rig_try_add(spool_rig *r, const wn_window *w, uint64_t mark, unsigned n, wn_batch_id *out) {
    const wn_value *none[WN_OPEN_N] = {NULL};
    wn_batch_builder_reset(r->builder);
    for (unsigned i = 0; i < n; i++) {
        wn_observation o = {
            .org = mark, .prefix = i, .site = 7, .kind = WN_OBS_VIEW, .person = "canary-pseudonym"};
        o.open[WN_DIM_route] = 99 + i;
        cr_assert_eq(wn_batch_builder_add(r->builder, &o, none), WN_OK);
    }
    wn_batch_head head = {.window = *w, .policy_version = 1};
    wn_err err = wn_spool_add(r->spool, r->builder, &head);
    if (err == WN_OK) *out = head.id;
    return err;
}

wn_batch_id rig_add(spool_rig *r, const wn_window *w, uint64_t mark, unsigned n) {
    wn_batch_id id;
    wn_err err = rig_try_add(r, w, mark, n, &id);
    cr_assert_eq(err, WN_OK, "%s", wn_err_text(err));
    return id;
}

wn_err rig_wait(spool_rig *r, uint64_t *out_txn) {
    struct pollfd p = {.fd = wn_spool_fd(r->spool), .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 20000), 1, "the sync thread says nothing");
    return wn_spool_done(r->spool, out_txn);
}

uint64_t rig_commit(spool_rig *r) {
    uint64_t txn = wn_spool_txn(r->spool), done = 0;
    while (!wn_spool_submit(r->spool)) cr_assert_eq(rig_wait(r, &done), WN_OK);
    while (done < txn) cr_assert_eq(rig_wait(r, &done), WN_OK);
    cr_assert_eq(done, txn);
    return txn;
}

bool rig_next(spool_rig *r, wn_spool_record *out, uint64_t *out_mark) {
    static wn_batch_reader reader;
    if (!wn_spool_next(r->spool, out)) return false;
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){out->bytes, out->n}), WN_OK);
    cr_assert_eq(reader.head.observations, out->observations);
    cr_assert_eq(reader.head.id.sequence, out->id.sequence);
    cr_assert_eq(reader.head.id.generation, out->id.generation);
    cr_assert(wn_window_same(&reader.head.window, &out->window));
    cr_assert_eq(reader.head.window.start_s, out->window.start_s);
    wn_observation o;
    uint64_t i = 0;
    while (wn_batch_reader_next(&reader, &o)) {
        if (i == 0) *out_mark = o.org;
        cr_assert_eq(o.org, *out_mark);
        cr_assert_eq(o.prefix, i++);
        cr_assert_eq(o.open[WN_DIM_route], 99 + o.prefix);
    }
    return true;
}

unsigned rig_files(const spool_rig *r, const char *suffix) {
    unsigned n = 0;
    DIR *d = opendir(r->spool_dir);
    cr_assert_not_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name), end = strlen(suffix);
        n += len >= end && strcmp(e->d_name + len - end, suffix) == 0;
    }
    closedir(d);
    return n;
}

void rig_path(const spool_rig *r, const char *name, char out[160]) {
    snprintf(out, 160, "%s/%s", r->spool_dir, name);
}
