// SPDX-License-Identifier: Apache-2.0
// purge_list.c: a head and records of one size, each with its own checksum.
#include "purge_list.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "policy.h"
#include "save.h"
#include "slots.h"

// Record: what, kind, 6 zero bytes, tag, time, site, name, checksum.
enum { HEAD_BYTES = 16, SUM_BYTES = 8, RECORD_BYTES = 8 + 8 + 8 + WN_SITE_NAME_BYTES + 32 + SUM_BYTES };
enum { ASKED = 1, DONE = 2 };
static const uint8_t head[HEAD_BYTES] = {'W', 'N', 'P', 'U', 'R', 'G', 'E', 'S', 1}; // 1: the format

struct wn_purge_list {
    int fd;
    bool writes;
    off_t end; // of the last whole record
    wn_purge *at;
    size_t n;
};

// With its place: a record moved elsewhere is none.
static void sum_of(const uint8_t record[RECORD_BYTES], off_t at, uint8_t out[SUM_BYTES]) {
    uint8_t in[RECORD_BYTES - SUM_BYTES + 8], sum[16];
    memcpy(in, record, RECORD_BYTES - SUM_BYTES);
    wn_put_le(in + RECORD_BYTES - SUM_BYTES, (uint64_t)at, 8);
    crypto_generichash(sum, sizeof sum, in, sizeof in, NULL, 0);
    memcpy(out, sum, SUM_BYTES);
}

static void write_record(uint8_t what, const wn_purge *p, int64_t at_s, off_t at, uint8_t out[RECORD_BYTES]) {
    memset(out, 0, RECORD_BYTES);
    out[0] = what;
    out[1] = p->kind;
    wn_put_le(out + 8, p->tag, 8);
    wn_put_le(out + 16, (uint64_t)at_s, 8);
    memcpy(out + 24, p->site, strnlen(p->site, WN_SITE_NAME_BYTES - 1));
    memcpy(out + 24 + WN_SITE_NAME_BYTES, p->name, sizeof p->name);
    sum_of(out, at, out + RECORD_BYTES - SUM_BYTES);
}

static wn_purge *newest(const wn_purge_list *l, const uint8_t name[32]) {
    for (size_t i = l->n; i > 0; i--)
        if (memcmp(l->at[i - 1].name, name, 32) == 0) return &l->at[i - 1];
    return NULL;
}

static bool take_record(wn_purge_list *l, const uint8_t r[RECORD_BYTES]) {
    wn_purge p = {.kind = r[1], .tag = wn_get_le(r + 8, 8)};
    int64_t at_s = (int64_t)wn_get_le(r + 16, 8);
    memcpy(p.site, r + 24, sizeof p.site);
    memcpy(p.name, r + 24 + WN_SITE_NAME_BYTES, sizeof p.name);
    if (p.site[sizeof p.site - 1] != '\0' || p.tag != wn_site_tag(p.site)) return false;
    if (p.kind != WN_PURGE_SITE && p.kind != WN_PURGE_ORG) return false;
    if (r[0] == ASKED) {
        if (l->n == WN_PURGES_MAX) return false;
        p.asked_at_s = at_s;
        l->at[l->n++] = p;
        return true;
    }
    wn_purge *known = newest(l, p.name);
    if (r[0] != DONE || known == NULL) return false;
    known->done_at_s = at_s;
    return true;
}

static wn_err read_all(wn_purge_list *l) {
    uint8_t bytes[RECORD_BYTES], sum[SUM_BYTES];
    ssize_t n = pread(l->fd, bytes, HEAD_BYTES, 0);
    if (n == 0 && !l->writes) return WN_OK; // of no bytes: nothing was ever purged
    if (n != HEAD_BYTES) return WN_ERR_CORRUPT;
    if (memcmp(bytes, head, 8) != 0) return WN_ERR_CORRUPT;
    if (memcmp(bytes, head, HEAD_BYTES) != 0) return WN_ERR_VERSION;
    struct stat st;
    if (fstat(l->fd, &st) != 0) return WN_ERR_IO;
    l->end = HEAD_BYTES;
    while (pread(l->fd, bytes, RECORD_BYTES, l->end) == RECORD_BYTES) {
        sum_of(bytes, l->end, sum);
        bool whole = memcmp(sum, bytes + RECORD_BYTES - SUM_BYTES, SUM_BYTES) == 0;
        if (!whole && l->end + 2 * RECORD_BYTES <= st.st_size) return WN_ERR_CORRUPT;
        if (!whole) return WN_OK; // the last one, cut off
        if (!take_record(l, bytes)) return WN_ERR_CORRUPT;
        l->end += RECORD_BYTES;
    }
    return WN_OK;
}

// A new name must be durable before anybody relies on it.
static wn_err sync_folder(const char *path) {
    char copy[512];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) return WN_ERR_FULL;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return WN_ERR_IO;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced ? WN_OK : WN_ERR_IO;
}

static wn_err make_empty(const wn_purge_list *l, const char *path) {
    bool written = pwrite(l->fd, head, HEAD_BYTES, 0) == HEAD_BYTES && fsync(l->fd) == 0;
    return written ? sync_folder(path) : WN_ERR_IO;
}

wn_err wn_purge_list_open(const char *path, bool make, wn_purge_list **out) {
    wn_purge_list *l = calloc(1, sizeof *l);
    if (l == NULL) return WN_ERR_NOMEM;
    l->writes = make;
    l->at = calloc(WN_PURGES_MAX, sizeof *l->at);
    l->fd = open(path, (make ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    wn_err err = WN_OK;
    if (l->at == NULL) err = WN_ERR_NOMEM;
    else if (l->fd < 0) err = errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    else if (fstat(l->fd, &st) != 0) err = WN_ERR_IO;
    // Shorter than its head: cut off while it was made, when there was nothing in it.
    else if (make && st.st_size < HEAD_BYTES) err = make_empty(l, path);
    if (err == WN_OK) err = read_all(l);
    // What was cut off goes, so that no later record stands behind half of one.
    if (err == WN_OK && make && ftruncate(l->fd, l->end) != 0) err = WN_ERR_IO;
    if (err != WN_OK) return wn_purge_list_close(l), err;
    *out = l;
    return WN_OK;
}

void wn_purge_list_close(wn_purge_list *l) {
    if (l == NULL) return;
    if (l->fd >= 0) close(l->fd);
    free(l->at);
    free(l);
}

wn_err wn_purge_list_begin(const char *path, wn_slots *slots, uint8_t out_key[WN_KEY_BYTES],
                           wn_purge_list **out) {
    wn_err had = wn_slots_get(slots, WN_PURGE_SLOT, out_key);
    if (had != WN_OK && had != WN_ERR_NOTFOUND) return had;
    if (had == WN_OK && access(path, F_OK) != 0) return WN_ERR_STATE;
    wn_err err = wn_purge_list_open(path, true, out); // the file first: a key without one means a loss
    if (err == WN_OK && had != WN_OK) {
        err = wn_slots_make(slots, WN_PURGE_SLOT, out_key);
        if (err != WN_OK) wn_purge_list_close(*out);
    }
    return err;
}

void wn_purge_name(const uint8_t key[WN_KEY_BYTES], uint64_t tag, wn_span org, uint8_t out[32]) {
    uint8_t in[9 + WN_PURGE_ORG_BYTES_MAX];
    WN_ASSERT(org.n <= WN_PURGE_ORG_BYTES_MAX);
    in[0] = org.n > 0 ? WN_PURGE_ORG : WN_PURGE_SITE;
    wn_put_le(in + 1, tag, 8);
    size_t n = org.n > 0 ? wn_org_plain(org.p, org.n, in + 9) : 0;
    wn_prf(key, (wn_span){in, 9 + n}, out, 32);
    wn_wipe(in, sizeof in);
}

static wn_err append(wn_purge_list *l, uint8_t what, const wn_purge *p, int64_t at_s) {
    uint8_t record[RECORD_BYTES];
    if (!l->writes) return WN_ERR_STATE;
    write_record(what, p, at_s, l->end, record);
    if (pwrite(l->fd, record, sizeof record, l->end) != sizeof record || fdatasync(l->fd) != 0) {
        (void)!ftruncate(l->fd, l->end);
        return errno == ENOSPC ? WN_ERR_FULL : WN_ERR_IO;
    }
    l->end += RECORD_BYTES;
    return WN_OK;
}

wn_err wn_purge_list_add(wn_purge_list *l, const wn_purge *p) {
    const wn_purge *known = newest(l, p->name);
    if (known != NULL && known->done_at_s == 0) return WN_OK;
    if (l->n == WN_PURGES_MAX) return WN_ERR_FULL;
    WN_TRY(append(l, ASKED, p, p->asked_at_s));
    l->at[l->n] = *p;
    l->at[l->n++].done_at_s = 0;
    return WN_OK;
}

wn_err wn_purge_list_done(wn_purge_list *l, const uint8_t name[32], int64_t now_s) {
    wn_purge *p = newest(l, name);
    if (p == NULL) return WN_ERR_NOTFOUND;
    if (p->done_at_s != 0) return WN_OK;
    WN_TRY(append(l, DONE, p, now_s));
    p->done_at_s = now_s;
    return WN_OK;
}

// ---- a restore's ----

static void write_one(FILE *out, uint8_t what, const wn_purge *p, int64_t at_s, off_t *at) {
    uint8_t record[RECORD_BYTES];
    write_record(what, p, at_s, *at, record);
    (void)!fwrite(record, sizeof record, 1, out);
    *at += RECORD_BYTES;
}

static void write_all(FILE *out, const void *ctx) {
    const wn_purge_list *l = ctx;
    off_t at = HEAD_BYTES;
    (void)!fwrite(head, HEAD_BYTES, 1, out);
    for (size_t i = 0; i < l->n; i++) {
        write_one(out, ASKED, &l->at[i], l->at[i].asked_at_s, &at);
        if (l->at[i].done_at_s != 0) write_one(out, DONE, &l->at[i], l->at[i].done_at_s, &at);
    }
}

// What the list here says stands: a purge that is open here ends here.
static wn_err merge(wn_purge_list *here, const wn_purge_list *from, size_t *out_new) {
    *out_new = 0;
    for (size_t i = 0; i < from->n; i++) {
        const wn_purge *known = newest(here, from->at[i].name);
        if (known != NULL && known->asked_at_s >= from->at[i].asked_at_s) continue;
        if (here->n == WN_PURGES_MAX) return WN_ERR_FULL;
        here->at[here->n++] = from->at[i];
        ++*out_new;
    }
    return WN_OK;
}

wn_err wn_purge_list_keep(const wn_purge_list *from, const char *path) {
    wn_purge_list *here = NULL;
    size_t news = 0;
    wn_err err = wn_purge_list_open(path, false, &here);
    if (err == WN_ERR_NOTFOUND) return wn_save_first(path, 0600, write_all, from);
    WN_TRY(err);
    err = merge(here, from, &news);
    if (err == WN_OK && news > 0) err = wn_save(path, write_all, here);
    wn_purge_list_close(here);
    return err;
}

size_t wn_purge_list_count(const wn_purge_list *l) {
    return l->n;
}

size_t wn_purge_list_orgs(const wn_purge_list *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) n += l->at[i].kind == WN_PURGE_ORG;
    return n;
}

const wn_purge *wn_purge_list_at(const wn_purge_list *l, size_t i) {
    return &l->at[i];
}

const wn_purge *wn_purge_list_find(const wn_purge_list *l, const uint8_t name[32]) {
    return newest(l, name);
}

const wn_purge *wn_purge_list_site(const wn_purge_list *l, uint64_t tag) {
    for (size_t i = l->n; i > 0; i--)
        if (l->at[i - 1].kind == WN_PURGE_SITE && l->at[i - 1].tag == tag) return &l->at[i - 1];
    return NULL;
}

int64_t wn_purge_list_oldest_open(const wn_purge_list *l) {
    int64_t oldest = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].done_at_s == 0 && (oldest == 0 || l->at[i].asked_at_s < oldest))
            oldest = l->at[i].asked_at_s;
    return oldest;
}

int64_t wn_purge_list_late_hours(const wn_purge_list *l, int64_t now_s, int64_t *inout_told_s) {
    int64_t asked_at_s = wn_purge_list_oldest_open(l), age_s = now_s - asked_at_s;
    if (asked_at_s == 0 || age_s < WN_PURGE_WARN_S || now_s - *inout_told_s < 3600) return 0;
    *inout_told_s = now_s;
    return age_s / 3600;
}
