// SPDX-License-Identifier: Apache-2.0
// collector_verbs.c: what `winnow` can ask a running collector.
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collector.h"

// ---- answers ----

static bool say(void *packer, bool ok, const char *text) {
    wn_put_result(packer, ok, text);
    return true;
}

static void put_reasons(msgpack_packer *pk, const char *name, const uint64_t by_verdict[WN_VERDICT_N]) {
    uint32_t n = 0;
    for (unsigned i = 0; i < WN_VERDICT_N; i++) n += i != WN_KEEP && by_verdict[i] != 0;
    wn_put_str(pk, name);
    msgpack_pack_map(pk, n);
    for (unsigned i = 0; i < WN_VERDICT_N; i++)
        if (i != WN_KEEP && by_verdict[i] != 0)
            wn_put_uint(pk, wn_verdict_name((wn_verdict)i), by_verdict[i]);
}

static void put_signals(msgpack_packer *pk, const uint64_t by_signal[WN_SIGNAL_N]) {
    uint32_t n = 0;
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) n += by_signal[i] != 0;
    wn_put_str(pk, "consent");
    msgpack_pack_map(pk, n);
    for (unsigned i = 0; i < WN_SIGNAL_N; i++)
        if (by_signal[i] != 0) wn_put_uint(pk, wn_signal_name((wn_signal_kind)i), by_signal[i]);
}

// ---- the daemon ----

static bool verb_ping(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)ctx, (void)token, (void)body;
    return say(packer, true, WN_VERSION);
}

static bool verb_stop(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    ((wn_collector *)ctx)->stopping = true;
    return say(packer, true, "stopping");
}

static bool verb_reload(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    char why[256] = "", text[400];
    const char *file = "";
    int line = 0;
    wn_err err = wn_collector_load(ctx, why, sizeof why, &line, &file);
    if (err == WN_OK) return say(packer, true, "read again");
    if (line > 0) snprintf(text, sizeof text, "%s, line %d: %s; the old one stays", file, line, why);
    else if (wn_policy_names_file(why)) snprintf(text, sizeof text, "%s; the old one stays", why);
    else snprintf(text, sizeof text, "%s: %s; the old one stays", file, why[0] ? why : wn_err_text(err));
    return say(packer, false, text);
}

static bool verb_status(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    wn_collector *d = ctx;
    const wn_metrics *m = wn_collector_metrics(d);
    const wn_pipeline_counts *c = wn_pipeline_count(d->pipeline);
    msgpack_packer *pk = packer;
    msgpack_pack_map(pk, 26);
    wn_put_uint(pk, "purge_open_since_s", (uint64_t)wn_purge_list_oldest_open(d->purges));
    wn_put_flag(pk, "ok", true);
    wn_put_str(pk, "version");
    wn_put_str(pk, WN_VERSION);
    wn_put_uint(pk, "started_at_s", (uint64_t)d->started_s);
    wn_put_uint(pk, "uptime_s", m->v[WN_METRIC_uptime_seconds]);
    wn_put_flag(pk, "accepting", wn_collector_well(d));
    wn_put_uint(pk, "last_event_at_s", (uint64_t)c->last_kept_s);
    wn_put_uint(pk, "requests", c->requests);
    wn_put_uint(pk, "events", m->v[WN_METRIC_events]);
    wn_put_uint(pk, "accepted", m->by_verdict[WN_KEEP]);
    put_reasons(pk, "refused", m->by_verdict);
    put_signals(pk, m->by_signal);
    wn_put_uint(pk, "spool_bytes", m->v[WN_METRIC_spool_bytes]);
    wn_put_uint(pk, "spool_waiting", m->v[WN_METRIC_spool_waiting]);
    wn_put_uint(pk, "memory_bytes", m->v[WN_METRIC_request_memory_bytes]);
    wn_put_uint(pk, "sessions", m->v[WN_METRIC_sessions_open]);
    wn_put_uint(pk, "windows", m->v[WN_METRIC_windows_open]);
    wn_put_uint(pk, "closing", wn_closing_count(d->closing));
    wn_put_uint(pk, "sites", m->v[WN_METRIC_sites]);
    wn_put_uint(pk, "epochs", m->v[WN_METRIC_epochs]);
    wn_put_flag(pk, "uplink_up", m->v[WN_METRIC_uplink_up] != 0);
    wn_put_flag(pk, "has_geo", m->v[WN_METRIC_geo] != 0);
    wn_put_flag(pk, "kept", d->identity.kept);
    wn_put_policy(pk, wn_policies_newest(d->policies));
    return true;
}

// ---- purges ----

// {site, org}: without org the whole site. Answered when it can no longer be lost.
static bool verb_purge(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    wn_collector *d = ctx;
    wn_span site = {NULL, 0}, org = {NULL, 0};
    while (!wn_mp_done(body)) {
        wn_span key = {NULL, 0};
        bool well = wn_mp_str(body, 32, &key) &&
                    (wn_span_is(key, "site")  ? wn_mp_str(body, WN_SITE_NAME_BYTES - 1, &site)
                     : wn_span_is(key, "org") ? wn_mp_str(body, WN_PURGE_ORG_BYTES_MAX, &org) && org.n > 0
                                              : wn_mp_skip(body, 8));
        if (!well) return say(packer, false, "not a purge: a site, and an organisation of 1 to 128 bytes");
    }
    const char *no = wn_purging_begin(d->purging, site, org, token);
    return no != NULL && say(packer, false, no);
}

void wn_collector_purge_begun(void *ctx, uint64_t asker, const char *no) {
    wn_collector *d = ctx;
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    say(&pk, no == NULL, no == NULL ? "begun" : no);
    wn_control_answer(d->control, asker, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
}

static bool verb_purges(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    wn_put_purges(packer, ((wn_collector *)ctx)->purges);
    return true;
}

// ---- import ----

typedef struct import_body {
    wn_span site, format, bytes;
    uint64_t token;
    bool keep_open;
} import_body;

static bool read_body(wn_mp *m, import_body *out) {
    *out = (import_body){.token = 0};
    while (!wn_mp_done(m)) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(m, 32, &key)) return false;
        bool well = wn_span_is(key, "site")        ? wn_mp_str(m, WN_SITE_NAME_BYTES - 1, &out->site)
                    : wn_span_is(key, "format")    ? wn_mp_str(m, 32, &out->format)
                    : wn_span_is(key, "token")     ? wn_mp_uint(m, UINT64_MAX, &out->token)
                    : wn_span_is(key, "bytes")     ? wn_mp_bin(m, UINT32_MAX, &out->bytes)
                    : wn_span_is(key, "keep_open") ? wn_mp_bool(m, &out->keep_open)
                                                   : wn_mp_skip(m, 8);
        if (!well) return false;
    }
    return true;
}

static const char *const unreadable = "not a request; are winnow and the daemon of one version?";

static bool verb_import_begin(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token;
    wn_collector *d = ctx;
    import_body b;
    uint64_t import = 0;
    if (!read_body(body, &b)) return say(packer, false, unreadable);
    const char *no = wn_import_begin(d->import, b.site, b.format, b.token, &import);
    if (no != NULL) return say(packer, false, no);
    msgpack_pack_map(packer, 2);
    wn_put_flag(packer, "ok", true);
    wn_put_uint(packer, "token", import);
    return true;
}

static bool verb_import_lines(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token;
    wn_collector *d = ctx;
    import_body b;
    if (!read_body(body, &b)) return say(packer, false, unreadable);
    const char *no = wn_import_lines(d->import, b.token, b.bytes);
    return say(packer, no == NULL, no == NULL ? "" : no);
}

static bool verb_import_chunk(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    wn_collector *d = ctx;
    import_body b;
    if (!read_body(body, &b)) return say(packer, false, unreadable);
    const char *no = wn_import_chunk(d->import, b.token, token);
    return no != NULL && say(packer, false, no);
}

void wn_collector_import_done(void *ctx, uint64_t asker, const wn_import_result *r) {
    wn_collector *d = ctx;
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    if (r->error != NULL) {
        say(&pk, false, r->error);
    } else {
        // Late lines have a number of their own. What was counted before a kill and is found again stands
        // with the reasons, so that the figures add up to the lines.
        uint64_t reasons[WN_VERDICT_N];
        memcpy(reasons, r->by_verdict, sizeof reasons);
        reasons[WN_VERDICT_late] = 0;
        msgpack_pack_map(&pk, 7);
        wn_put_flag(&pk, "ok", true);
        wn_put_uint(&pk, "lines", r->lines);
        wn_put_uint(&pk, "counted", r->counted);
        wn_put_uint(&pk, "late", r->late);
        wn_put_flag(&pk, "repeat", r->repeat);
        wn_put_uint(&pk, "repeated", r->repeated);
        put_reasons(&pk, "reasons", reasons);
    }
    wn_control_answer(d->control, asker, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
}

typedef struct window_list {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    uint32_t n;
} window_list;

static void add_window(void *ctx, const wn_window *w) {
    window_list *l = ctx;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    wn_put_str(&l->pk, text);
    l->n++;
}

static bool verb_import_end(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token;
    wn_collector *d = ctx;
    import_body b;
    window_list l = {.n = 0};
    if (!read_body(body, &b)) return say(packer, false, unreadable);
    msgpack_sbuffer_init(&l.buf);
    msgpack_packer_init(&l.pk, &l.buf, msgpack_sbuffer_write);
    const char *no = wn_import_end(d->import, b.token, add_window, &l);
    if (no != NULL) {
        say(packer, false, no);
    } else {
        msgpack_packer *pk = packer;
        msgpack_pack_map(pk, 3);
        wn_put_flag(pk, "ok", true);
        wn_put_flag(pk, "keep_open", b.keep_open);
        wn_put_str(pk, "windows");
        msgpack_pack_array(pk, l.n);
        if (l.buf.size != 0) pk->callback(pk->data, l.buf.data, l.buf.size);
    }
    msgpack_sbuffer_destroy(&l.buf);
    return true;
}

const wn_control_verb wn_collector_verbs[] = {
    {"ping", verb_ping},
    {"status", verb_status},
    {"reload", verb_reload},
    {"stop", verb_stop},
    {"purge", verb_purge},
    {"purges", verb_purges},
    {"import-begin", verb_import_begin},
    {"import-lines", verb_import_lines},
    {"import-chunk", verb_import_chunk},
    {"import-end", verb_import_end},
};
const size_t wn_collector_verbs_n = WN_COUNT(wn_collector_verbs);
