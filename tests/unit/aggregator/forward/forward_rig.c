// SPDX-License-Identifier: Apache-2.0
#include "forward_rig.h"

#include <fcntl.h>
#include <unistd.h>

#include "clock.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n" // of Standard Webhooks' examples

rig the;

void rig_up(void) {
    memset(&the, 0, sizeof the);
    the.folder = folder_new();
    the.now_s = DAY_END_S + 7200;
    cr_assert_eq(wn_published_open(the.folder, test_key, false, MAP_BYTES, &the.store), WN_OK);
}

void rig_down(void) {
    wn_forward_free(the.forward);
    wn_published_close(the.store);
    char secret[300];
    snprintf(secret, sizeof secret, "%s/secret", the.folder);
    (void)unlink(secret);
    folder_free(the.folder);
}

static wn_public_head head_of(const char *table, int32_t day, const char *receiver) {
    wn_public_head h = crowd_head();
    h.window = window_of_day(day);
    h.plan_version = (uint32_t)day;
    h.measures = WN_MEASURE_PEOPLE;
    h.receivers_n = receiver != NULL;
    snprintf(h.receiver[0], sizeof h.receiver[0], "%s", receiver != NULL ? receiver : "");
    snprintf(h.table, sizeof h.table, "%s", table);
    return h;
}

static wn_public_row row_of(size_t i) {
    wn_public_row r = {.people = 20};
    snprintf(r.label[0], sizeof r.label[0], "/%04zu", i);
    return r;
}

void rig_publish(const char *table, int32_t day, size_t n, const char *receiver) {
    wn_public_head h = head_of(table, day, receiver);
    wn_public_row *rows = calloc(n + 1, sizeof *rows);
    for (size_t i = 0; i < n; i++) rows[i] = row_of(i);
    cr_assert_eq(wn_published_begin(the.store), WN_OK);
    cr_assert_eq(wn_published_rows(the.store, &h, rows, n), WN_OK);
    cr_assert_eq(wn_published_commit(the.store), WN_OK);
    free(rows);
}

rig_kept *rig_find(const char *receiver, const char *table, int32_t day) {
    for (size_t i = 0; i < the.kept_n; i++) {
        rig_kept *k = &the.kept[i];
        if (k->day == day && strcmp(k->table, table) == 0 && strcmp(k->receiver, receiver) == 0) return k;
    }
    return NULL;
}

static wn_err progress(void *ctx, const wn_destination *d, const wn_public_head *head, wn_progress *out) {
    const rig_kept *k = rig_find(d->name, head->table, head->window.day);
    (void)ctx;
    *out = k != NULL ? k->p : (wn_progress){0};
    return WN_OK;
}

static wn_err record(void *ctx, const wn_destination *d, const wn_public_head *head, const wn_progress *p,
                     uint64_t rows, const uint8_t content[32]) {
    (void)ctx;
    if (the.records_pass > 0) the.records_pass--;
    else if (the.records_fail > 0) return the.records_fail--, WN_ERR_TIMEOUT;
    rig_kept *k = rig_find(d->name, head->table, head->window.day);
    if (k == NULL) {
        cr_assert_lt(the.kept_n, RIG_KEPT_MAX);
        k = &the.kept[the.kept_n++];
        memset(k, 0, sizeof *k);
        snprintf(k->receiver, sizeof k->receiver, "%s", d->name);
        snprintf(k->table, sizeof k->table, "%s", head->table);
        k->day = head->window.day;
    }
    cr_assert_not(k->p.done, "told of a transfer that was done");
    // What was counted as doubtful, and was refused for sure, is taken back; nothing else ever is.
    cr_assert(p->rows_done + k->p.doubtful >= k->p.rows_done && p->rows_done <= rows &&
              p->refused <= p->rows_done);
    k->times_begun += p->begun && !k->p.begun;
    cr_assert(p->begun || !k->p.begun, "what left once is never taken back");
    k->p = *p;
    k->rows = rows;
    k->plan_version = head->plan_version;
    k->times_done += p->done;
    memcpy(k->content, content, 32);
    return WN_OK;
}

// A ledger's entry names the window of a request before it leaves.
static bool is_named(const char *receiver, const char *body) {
    for (size_t i = 0; i < the.kept_n; i++) {
        const rig_kept *k = &the.kept[i];
        char table[48], day[11], quoted[16];
        wn_day_text(k->day, day);
        snprintf(table, sizeof table, "\"%s\"", k->table);
        snprintf(quoted, sizeof quoted, "\"%s\"", day);
        if (strcmp(k->receiver, receiver) == 0 && strstr(body, table) && strstr(body, quoted))
            return k->times_begun == 1 && k->p.begun && !k->p.done;
    }
    return false;
}

static bool send_request(void *ctx, size_t destination, const wn_destination *d, const wn_sink *sink,
                         wn_sink_request *r, wn_sink_answer *out) {
    char ids[2000][WN_ROW_ID_BYTES];
    size_t n = 0;
    (void)ctx;
    the.last_destination = destination;
    cr_assert(is_named(d->name, r->body), "it leaves, and the ledger does not say so");
    // A kind has one name for a row's id.
    static const char *const names[] = {"\"$insert_id\":\"", "\"row_id\":\"", "\"agg_key\":\"", "{\"id\":\""};
    size_t name = 0;
    while (name + 1 < WN_COUNT(names) && strstr(r->body, names[name]) == NULL) name++;
    for (const char *at = r->body; (at = strstr(at, names[name])) != NULL; n++) {
        cr_assert_lt(n, WN_COUNT(ids));
        at += strlen(names[name]);
        size_t bytes = strcspn(at, "\"");
        cr_assert_lt(bytes, sizeof ids[n]);
        memcpy(ids[n], at, bytes);
        ids[n][bytes] = '\0';
    }
    snprintf(the.last_url, sizeof the.last_url, "%s", r->url);
    snprintf(the.last_body, sizeof the.last_body, "%s", r->body);
    cr_assert(n > 0 && n <= sink->rows_max);
    the.requests++;
    the.rows_in_last = n;
    rig_answer a =
        the.answer != NULL ? the.answer(r->body, r->body_bytes, n) : (rig_answer){200, -1, false, ""};
    if (a.status >= 200 && a.status < 300)
        for (size_t i = 0; i < n; i++) {
            cr_assert_lt(the.ids_n, RIG_SENT_MAX);
            memcpy(the.id[the.ids_n++], ids[i], WN_ROW_ID_BYTES);
        }
    *out = (wn_sink_answer){.status = a.status,
                            .reason = a.status == 0 ? WN_REASON_SILENT : WN_REASON_STATUS,
                            .maybe_sent = a.maybe_sent,
                            .retry_after_s = a.retry_after_s,
                            .body = {(const uint8_t *)a.body, strlen(a.body)}};
    wn_sink_request_fini(r);
    return !the.answers_later;
}

wn_err rig_answer_now(size_t destination, int status) {
    wn_sink_answer a = {.status = status, .retry_after_s = -1, .maybe_sent = status == 0};
    return wn_forward_answered(the.forward, destination, &a);
}

static int64_t now_s(void *ctx) {
    (void)ctx;
    return the.now_s;
}

static void add(wn_destinations *all, const char *kind, const char *name) {
    wn_destination *d = &all->to[all->n++];
    *d = destination_of(kind);
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->path, sizeof d->path, "/out");
    snprintf(d->account, sizeof d->account, "G-t");
    if (!the.has_secret) return;
    snprintf(d->secret_file, sizeof d->secret_file, "%s/secret", the.folder);
    int fd = open(d->secret_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, SECRET, strlen(SECRET)) == (ssize_t)strlen(SECRET) && close(fd) == 0);
}

void rig_start(const char *kind, const char *name, const char *second) {
    const wn_forward_env env = {NULL, progress, record, send_request, now_s};
    wn_destinations all = {calloc(2, sizeof *all.to), 0};
    wn_forward_free(the.forward);
    the.forward = NULL;
    add(&all, kind, name);
    if (second != NULL) add(&all, kind, second);
    cr_assert_eq(wn_forward_new(&env, &all, &the.forward), WN_OK);
    cr_assert(all.n == 0 && all.to == NULL, "they are the forwarder's now");
}

void rig_look(void) {
    cr_assert_eq(wn_forward_look(the.forward, the.store), WN_OK);
}

wn_err rig_turn(void) {
    int64_t next_s;
    return wn_forward_turn(the.forward, the.store, &next_s);
}

void rig_run(int64_t until_s) {
    for (size_t i = 0; i < 100000; i++) {
        int64_t next_s = 0;
        cr_assert_eq(wn_forward_turn(the.forward, the.store, &next_s), WN_OK);
        if (next_s == INT64_MAX || next_s > until_s) return;
        if (next_s > the.now_s) the.now_s = next_s;
    }
    cr_assert_fail("it turns for ever");
}

bool rig_only_begun(size_t n) {
    for (size_t i = 0; i < the.kept_n; i++) {
        const rig_kept *k = &the.kept[i];
        if (!k->p.begun || k->p.done || k->p.rows_done != 0 || k->rows == 0 || k->times_begun != 1)
            return false;
    }
    return the.kept_n == n;
}

size_t rig_times(const char *id) {
    size_t n = 0;
    for (size_t i = 0; i < the.ids_n; i++) n += strcmp(the.id[i], id) == 0;
    return n;
}

void rig_id(const char *receiver, const char *table, int32_t day, size_t i, char out[WN_ROW_ID_BYTES]) {
    wn_public_head h = head_of(table, day, receiver);
    wn_public_row row = row_of(i);
    wn_destination d = destination_of("file");
    snprintf(d.name, sizeof d.name, "%s", receiver);
    wn_row_id(&(wn_sink_batch){.to = &d, .head = &h, .rows = &row, .n = 1}, 0, out);
}

wn_forward_info rig_info(size_t i) {
    wn_forward_info info;
    wn_forward_info_of(the.forward, i, &info);
    return info;
}
