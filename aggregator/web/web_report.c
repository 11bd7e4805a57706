// SPDX-License-Identifier: Apache-2.0
// Why: published rows for programs, as `winnow report` gives them: read a day a
// turn of the loop, so that others are answered meanwhile, and sent as they are
// written.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "days.h"
#include "report_stream.h"
#include "web.h"

typedef struct report {
    wn_web *web;
    wn_web_reader reader;
    wn_table shape;
    bool shaped;
    wn_web_report_ask ask;
    wn_report_query query;
    wn_report_stream *stream;
    wn_web_conn *conn;
    uint8_t who[WN_WEB_WHO_BYTES];
    unsigned large; // its place in web->large
    // What the reader may read of it, hashed before it is written.
    wn_report_query seen_query;
    wn_report_stream *seen;
    crypto_generichash_state seen_hash;
    char etag[WN_WEB_ETAG_BYTES], cursor[WN_WEB_CURSOR_BYTES];
    uint8_t state[WN_WEB_STATE_BYTES]; // a cursor begins with its first bytes
    wn_span piece;                     // what of it is not sent yet
    bool end;
} report;

static const struct {
    const char *name, *type; // name: of the parameter, and of a file
} forms[] = {
    [WN_REPORT_CSV] = {"csv", "text/csv; charset=utf-8; header=present"},
    [WN_REPORT_JSON] = {"json", "application/json"},
    [WN_REPORT_NDJSON] = {"ndjson", "application/x-ndjson"},
    [WN_REPORT_MSGPACK] = {"msgpack", "application/vnd.msgpack"},
    [WN_REPORT_META] = {"meta", "application/json"},
};

static bool says_damage(wn_report_format f) {
    return f == WN_REPORT_JSON || f == WN_REPORT_MSGPACK || f == WN_REPORT_META;
}

static void report_free(void *state) {
    report *r = state;
    if (!r) return;
    wn_report_stream_free(r->stream);
    wn_report_stream_free(r->seen);
    wn_web_room_end(r->web, r->large);
    free(r);
}

static bool may_see(void *ctx, const wn_public_head *head) {
    const report *r = ctx;
    return wn_web_reads_window(&r->reader, &r->web->conf.plan, head);
}

// ---- what is asked ----

static bool query_fill(wn_web_ask *a, report *r) {
    const wn_plan *plan = &a->web->conf.plan;
    if (!wn_web_report_parse(a->pair, a->pairs_n, &r->ask, &a->problem)) return false;
    const wn_site *site = wn_web_site(a, r->ask.site, &a->problem);
    if (!site) return false;
    int at = wn_plan_table(plan, r->ask.table);
    r->shaped = at >= 0;
    if (r->shaped) r->shape = plan->table[at];
    if (r->shaped && !wn_web_reads_table(&r->reader, plan, &r->shape))
        return wn_problem_set(&a->problem, WN_PROBLEM_not_yours, "/api/v1/tables lists what this key reads");
    wn_report_query *q = &r->query;
    if (!wn_web_days(&r->ask, wn_dates_today(site), &q->from_day, &q->to_day, &a->problem)) return false;
    wn_dates_bounds(site, q->from_day, q->to_day, &q->from_s, &q->to_s);
    if (!r->ask.has_format)
        r->ask.format = wn_web_accepted(
            MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
    q->format = r->ask.format;
    q->site = r->ask.site[0] ? r->ask.site : strcpy(r->ask.site, site->name);
    q->table = r->ask.table;
    q->shape = r->shaped ? &r->shape : NULL;
    q->may = may_see;
    q->may_ctx = r;
    q->no_counts = wn_web_is_receiver(&r->reader);
    q->narrow = !wn_web_reads_all(&r->reader);
#ifdef WN_MUTANT_NARROW_SEES_STORE
    q->narrow = false;
#endif
    q->rows_max = r->ask.by_day ? 0 : WN_WEB_ROWS_MAX;
    return true;
}

// The tag names days, not words for them, and by what right they are read.
static void etag_make(report *r) {
    char asked[512], rights[2 * WN_WEB_RIGHTS_BYTES + 1];
    uint8_t digest[WN_WEB_RIGHTS_BYTES];
    wn_web_rights(&r->reader, digest);
    sodium_bin2hex(rights, sizeof rights, digest, sizeof digest);
    int n = snprintf(asked, sizeof asked, "%s\n%s\n%d %d\n%d %d\n%zu %zu\n%s", r->query.site, r->query.table,
                     (int)r->query.from_day, (int)r->query.to_day, (int)r->query.format, (int)r->ask.by_day,
                     r->ask.limit, r->ask.offset, rights);
    WN_ASSERT(n > 0 && (size_t)n < sizeof asked);
    wn_web_etag(r->web, r->state, (wn_span){(const uint8_t *)asked, (size_t)n}, r->etag);
}

// Names what there is to be told, for the tag and for cursors. Who may read all is told by the store
// itself. A narrower reader's is a digest of the very answer, all rows of it: the store's changes
// whenever a row of anybody else's moves, and telling that is telling of those rows (R9).
static wn_err state_begin(report *r) {
    bool whole = wn_web_reads_all(&r->reader);
#ifdef WN_MUTANT_ETAG_OF_STORE
    whole = true;
#endif
    if (whole) return wn_published_state(r->web->store, r->state);
    r->seen_query = r->query;
    r->seen_query.format = WN_REPORT_JSON;
    crypto_generichash_init(&r->seen_hash, NULL, 0, sizeof r->state);
    return wn_report_stream_new(r->web->store, &r->seen_query, r->ask.by_day, &r->seen);
}

static wn_err state_read(report *r) {
    wn_span piece;
    bool end = false;
    WN_TRY(wn_report_stream_next(r->seen, &piece, &end));
    crypto_generichash_update(&r->seen_hash, piece.p, piece.n);
    if (!end) return WN_OK;
    crypto_generichash_final(&r->seen_hash, r->state, sizeof r->state);
    wn_report_stream_free(r->seen);
    r->seen = NULL;
    return WN_OK;
}

// ---- sending ----

static ssize_t more(void *ctx, uint64_t at, char *buf, size_t max) {
    report *r = ctx;
    (void)at;
    if (r->piece.n == 0) {
        // What damage left out is left out loudly: some say so, the others end broken.
        bool silent = !says_damage(r->query.format) && wn_report_stream_rows(r->stream)->corrupt;
        if (r->end) return silent ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        if (r->conn->late) return MHD_CONTENT_READER_END_WITH_ERROR;
        // Where others hold many rows already, this one waits for theirs to be sent.
        if (!r->ask.by_day &&
            !wn_web_room_take(r->web, r->who, &r->large, wn_report_stream_rows(r->stream)->rows_n)) {
            wn_web_conn_waits(r->conn);
            return 0;
        }
        if (wn_report_stream_next(r->stream, &r->piece, &r->end) != WN_OK)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (r->piece.n == 0) return 0; // and is asked again
    }
    wn_web_conn_moves(r->conn, wn_monotonic_ms());
    size_t n = r->piece.n < max ? r->piece.n : max;
    memcpy(buf, r->piece.p, n);
    r->piece.p += n;
    r->piece.n -= n;
    return (ssize_t)n;
}

// The next page; and rows that do not say themselves what they must be read with say where that stands.
static void links(struct MHD_Response *m, const report *r) {
    char text[1100], from[11], to[11];
    const wn_report_query *q = &r->query;
    size_t n = 0;
    wn_day_text(q->from_day, from);
    wn_day_text(q->to_day, to);
    if (r->cursor[0])
        n = (size_t)snprintf(
            text, sizeof text,
            "</api/v1/report?site=%s&table=%s&from=%s&to=%s&format=%s&limit=%zu&cursor=%s>; rel=\"next\"",
            q->site, q->table, from, to, forms[q->format].name, r->ask.limit, r->cursor);
    if (q->format == WN_REPORT_CSV || q->format == WN_REPORT_NDJSON)
        n += (size_t)snprintf(
            text + n, sizeof text - n,
            "%s</api/v1/report?site=%s&table=%s&from=%s&to=%s&format=meta%s>; rel=\"describedby\"",
            n ? ", " : "", q->site, q->table, from, to, r->ask.by_day ? "&by=day" : "");
    if (n) wn_web_header(m, MHD_HTTP_HEADER_LINK, text);
}

static void disposition(struct MHD_Response *m, const report *r) {
    char text[256], from[11], to[11];
    if (r->query.format == WN_REPORT_JSON || r->query.format == WN_REPORT_META) return;
    wn_day_text(r->query.from_day, from);
    wn_day_text(r->query.to_day, to);
    snprintf(text, sizeof text, "attachment; filename=\"%s-%s-%s-%s.%s\"", r->query.site, r->query.table,
             from, to, forms[r->query.format].name);
    wn_web_header(m, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text);
}

// The report belongs to the response from here on.
static enum MHD_Result begin(wn_web_ask *a, report *r) {
    struct MHD_Response *m =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, WN_REPORT_PIECE_BYTES, more, r, report_free);
    if (!m) return MHD_NO;
    a->state = NULL;
    a->state_free = NULL;
    wn_web_private(m, forms[r->query.format].type, r->etag);
    (void)MHD_del_response_header(m, MHD_HTTP_HEADER_VARY, "Authorization");
    wn_web_header(m, MHD_HTTP_HEADER_VARY, "Authorization, Accept");
    disposition(m, r);
    links(m, r);
    return wn_web_send(a, MHD_HTTP_OK, m);
}

// ---- reading ----

// All rows are read: which of them stand on this page, and where the next begins.
static void page_set(report *r) {
    size_t n = wn_report_stream_rows(r->stream)->rows_n, to = r->ask.offset + r->ask.limit;
    if (r->ask.limit && to < n) wn_web_cursor_write(r->state, to, r->cursor);
    wn_report_page page = {r->ask.offset, r->ask.limit, r->cursor[0] ? r->cursor : NULL};
    wn_report_stream_page(r->stream, &page);
}

static enum MHD_Result refuse(wn_web_ask *a, wn_err err) {
    if (err == WN_ERR_FULL)
        (void)wn_problem_set(&a->problem, WN_PROBLEM_report_too_large,
                             "More than %u different rows: ask for fewer days, or with by=day",
                             WN_WEB_ROWS_MAX);
    else (void)wn_problem_set(&a->problem, WN_PROBLEM_store_damaged, "%s", wn_err_text(err));
    return wn_web_say_problem(a, &a->problem);
}

static bool nothing_known(const report *r) {
    return !r->shaped && !r->ask.by_day && wn_report_stream_rows(r->stream)->windows_n == 0;
}

// All rows of a table that is known begin at once and are read while they are
// sent. A page, or a table that may be none, is read first, a day a turn.
static enum MHD_Result read_on(wn_web_ask *a, report *r) {
    bool ready = false;
    if (r->ask.by_day || (!r->ask.limit && r->shaped)) return begin(a, r);
    wn_err err = wn_report_stream_read(r->stream, &ready);
    if (err) return refuse(a, err);
    if (!wn_web_room(a, &r->large, wn_report_stream_rows(r->stream)->rows_n))
        return wn_web_say_problem(a, &a->problem);
    if (!ready) return MHD_YES;
    if (nothing_known(r)) {
        (void)wn_problem_set(&a->problem, WN_PROBLEM_unknown_table, "/api/v1/tables lists those there are");
        return wn_web_say_problem(a, &a->problem);
    }
    page_set(r);
    return begin(a, r);
}

static enum MHD_Result tell(wn_web_ask *a, report *r) {
    enum MHD_Result done;
    etag_make(r);
    if (r->ask.has_cursor && memcmp(r->ask.cursor_state, r->state, sizeof r->ask.cursor_state) != 0) {
        (void)wn_problem_set(&a->problem, WN_PROBLEM_stale_cursor, "Begin again without the cursor");
        return wn_web_say_problem(a, &a->problem);
    }
    if (wn_web_unchanged(a, r->etag, &done)) return done;
    wn_err err = wn_report_stream_new(r->web->store, &r->query, r->ask.by_day, &r->stream);
    return err ? refuse(a, err) : read_on(a, r);
}

static enum MHD_Result see_on(wn_web_ask *a, report *r) {
    wn_err err = state_read(r);
    if (err) return refuse(a, err);
    if (r->seen && !wn_web_room(a, &r->large, wn_report_stream_rows(r->seen)->rows_n))
        return wn_web_say_problem(a, &a->problem);
    return r->seen ? MHD_YES : tell(a, r);
}

enum MHD_Result wn_web_report(wn_web_ask *a) {
    report *r = a->state;
    if (r) return r->seen ? see_on(a, r) : read_on(a, r);
    r = calloc(1, sizeof *r);
    if (!r) return MHD_NO;
    r->web = a->web;
    r->reader = a->reader;
    r->conn = a->conn;
    memcpy(r->who, a->who, sizeof r->who);
    a->state = r;
    a->state_free = report_free;
    if (!query_fill(a, r)) return wn_web_say_problem(a, &a->problem);
    wn_err err = state_begin(r);
    if (err) return refuse(a, err);
    return r->seen ? see_on(a, r) : tell(a, r);
}
