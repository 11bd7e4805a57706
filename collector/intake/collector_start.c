// SPDX-License-Identifier: Apache-2.0
// collector_start.c: opens the parts in the order in which they lean on each
// other, and closes them the other way round.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "collector.h"
#include "crypt.h"
#include "log.h"

// ---- state directory ----

// Makes a directory and those above it; the ones made are the owner's alone.
static wn_err make_dirs(const char *path) {
    char at[400];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof at) return WN_ERR_CONFIG;
    memcpy(at, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (at[i] != '/' && at[i] != '\0') continue;
        char cut = at[i];
        at[i] = '\0';
        if (mkdir(at, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
        at[i] = cut;
    }
    return WN_OK;
}

// One integer in a file of its own, so that another version's state is refused before it is touched.
static wn_err check_format(const char *role_dir) {
    char path[400], text[16] = "";
    snprintf(path, sizeof path, "%s/format", role_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return WN_ERR_IO;
    ssize_t n = read(fd, text, sizeof text - 1);
    wn_err err = n < 0 ? WN_ERR_IO : WN_OK;
    if (n == 0) {
        int k = snprintf(text, sizeof text, "%d\n", WN_COLLECTOR_FORMAT);
        if (write(fd, text, (size_t)k) != k || fsync(fd) != 0) err = WN_ERR_IO;
    } else if (n > 0 && atoi(text) != WN_COLLECTOR_FORMAT) {
        err = WN_ERR_VERSION;
    }
    close(fd);
    return err;
}

static wn_err sub(const wn_collector *d, const char *name, char *out, size_t cap) {
    int n = snprintf(out, cap, "%s/%s", d->role_dir, name);
    return n > 0 && (size_t)n < cap ? WN_OK : WN_ERR_CONFIG;
}

static wn_err open_purges(wn_collector *d) {
    char path[400];
    WN_TRY(sub(d, "keys/purges", path, sizeof path));
    bool had_key = wn_slots_get(d->slots, WN_PURGE_SLOT, d->purge_key) == WN_OK;
    wn_err err = wn_purge_list_begin(path, d->slots, d->purge_key, &d->purges);
    if (err == WN_ERR_STATE) wn_log(WN_MSG_PURGES_LOST, 0, 0, 0);
    size_t orgs = err == WN_OK && !had_key ? wn_purge_list_orgs(d->purges) : 0;
    if (orgs > 0) wn_log(WN_MSG_PURGE_KEY_LOST, (int64_t)orgs, 0, 0);
    return err;
}

static wn_err open_keys(wn_collector *d, uint8_t out_dedupe_key[32]) {
    char path[400];
    uint8_t id[32];
    if ((size_t)snprintf(d->role_dir, sizeof d->role_dir, "%s/collector", d->o.state_dir) >=
        sizeof d->role_dir)
        return WN_ERR_CONFIG;
    WN_TRY(sub(d, "keys", path, sizeof path));
    WN_TRY(make_dirs(path));
    WN_TRY(check_format(d->role_dir));
    WN_TRY(sub(d, "keys/slots", path, sizeof path));
    WN_TRY(wn_slots_open(path, false, &d->slots));
    WN_TRY(open_purges(d));
    WN_TRY(wn_slots_make(d->slots, "collector-id", id));
    memcpy(d->id, id, sizeof d->id);
    return wn_slots_make(d->slots, "dedupe", out_dedupe_key);
}

static wn_err open_spool(wn_collector *d) {
    char path[400];
    uint64_t cut = 0;
    WN_TRY(sub(d, "spool", path, sizeof path));
    WN_TRY(make_dirs(path));
    WN_TRY(wn_spool_open(path, d->slots, d->id, (uint64_t)d->o.spool_bytes_max, d->o.sync_delay_ms,
                         wn_now_s(), &d->spool, &cut));
    if (cut != 0) wn_log(WN_MSG_SPOOL_CUT, (int64_t)cut, 0, 0);
    if (wn_spool_waiting(d->spool) != 0)
        wn_log(WN_MSG_SPOOL_REPLAY, (int64_t)wn_spool_waiting(d->spool), 0, 0);
    return WN_OK;
}

static wn_err open_policies(wn_collector *d) {
    char path[400], why[256];
    WN_TRY(sub(d, "policy", path, sizeof path));
    wn_err err = wn_policies_open(path, &d->policy, why, sizeof why, &d->policies);
    if (err == WN_ERR_CONFIG && why[0] != '\0')
        fprintf(stderr, "winnow-collector: %s/%s%s\n", d->o.config_dir,
                wn_policy_names_file(why) ? "" : "policy.yaml: ", why);
    return err;
}

static wn_err open_pipeline(wn_collector *d) {
    wn_pipeline_parts parts = {
        .spool_bytes_max = (uint64_t)d->o.spool_bytes_max,
        .request_bytes_total_max = (uint64_t)d->o.request_bytes_total_max,
    };
    size_t sessions_max = (size_t)d->o.sessions_max;
    wn_err err = open_keys(d, parts.dedupe_key);
    if (err == WN_OK) err = wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &d->identity);
    if (err == WN_OK)
        err = wn_keeper_map(WN_KEEPER_SESSIONS, wn_sessions_bytes(sessions_max), &d->session_memory);
    if (err == WN_OK) err = open_policies(d);
    if (err == WN_OK) err = wn_edge_open(&d->o, d->slots, &d->identity, d->policies, &d->edge);
    if (err == WN_OK) err = open_spool(d);
    if (err == WN_OK)
        err = wn_sessions_open(&d->session_memory, sessions_max, wn_spool_last_txn(d->spool), &d->sessions);
    parts.purges = d->purges;
    memcpy(parts.purge_key, d->purge_key, sizeof parts.purge_key);
    parts.edge = d->edge;
    parts.spool = d->spool;
    parts.sessions = d->sessions;
    if (err == WN_OK) err = wn_pipeline_open(&parts, d->sites, &d->pipeline);
    if (err == WN_OK) wn_pipeline_clock(d->pipeline, wn_now_s());
    wn_wipe(&parts, sizeof parts);
    return err;
}

// ---- sites and policy ----

// What a reload read, before any of it holds.
typedef struct reading {
    wn_sites sites;
    wn_policy policy;
} reading;

static wn_err read_files(const wn_collector *d, reading *out, char *why, size_t why_bytes, int *out_line,
                         const char **out_file) {
    char path[400];
    *out_file = "sites.yaml";
    snprintf(path, sizeof path, "%s/sites.yaml", d->o.config_dir);
    wn_err err = wn_sites_load(path, &out->sites, why, why_bytes, out_line);
    if (err == WN_OK && d->sites != NULL) err = wn_site_list_check(d->sites, &out->sites, why, why_bytes);
    WN_TRY(err);
    *out_file = "policy.yaml";
    snprintf(path, sizeof path, "%s/policy.yaml", d->o.config_dir);
    err = wn_policy_load_file(path, &out->policy, why, why_bytes, out_line);
    if (err == WN_OK && d->policies != NULL)
        err = wn_policy_follows(wn_policies_newest(d->policies), &out->policy, why, why_bytes);
    return err;
}

static wn_err take_policy(wn_collector *d, wn_policy *takes, char *why, size_t why_bytes) {
    if (d->policies != NULL) return wn_policies_put(d->policies, takes, why, why_bytes);
    wn_policy_fini(&d->policy);
    d->policy = *takes;
    *takes = (wn_policy){.version = 0};
    return WN_OK;
}

wn_err wn_collector_load(wn_collector *d, char *why, size_t why_bytes, int *out_line, const char **out_file) {
    reading r = {.sites = {NULL, 0}};
    wn_site_list *list = NULL;
    *out_line = 0;
    wn_err err = read_files(d, &r, why, why_bytes, out_line, out_file);
    if (err == WN_OK) err = wn_site_list_new(&r.sites, d->sites == NULL ? 1 : d->sites->version + 1, &list);
    if (err == WN_OK) err = take_policy(d, &r.policy, why, why_bytes);
    if (err != WN_OK) {
        bool of_sites = strcmp(*out_file, "sites.yaml") == 0;
        if (d->sites != NULL)
            wn_log(of_sites ? WN_MSG_RELOAD_BAD_SITES : WN_MSG_RELOAD_BAD_POLICY, *out_line, 0, 0);
        wn_sites_fini(&r.sites);
        wn_policy_fini(&r.policy);
        wn_site_list_drop(list);
        return err;
    }
    wn_site_list_drop(d->sites);
    d->sites = list;
    if (d->pipeline == NULL) return WN_OK;
    wn_pipeline_sites(d->pipeline, list);
    wn_http_reloaded(d->http);
    wn_log(WN_MSG_RELOADED, (int64_t)list->sites.n, 0, 0);
    return wn_sdk_reloaded(d->sdk);
}

void wn_collector_reload(wn_collector *d) {
    char why[256] = "";
    int line = 0;
    const char *file;
    wn_err err = wn_collector_load(d, why, sizeof why, &line, &file);
    if (err != WN_OK && err != WN_ERR_CONFIG) wn_log(WN_MSG_ERROR, err, 10, 0);
}

// ---- the aggregator's words ----

static void on_closing(void *ctx, const wn_window *w) {
    wn_closing_begin(((wn_collector *)ctx)->closing, w);
}

static void on_state(void *ctx, const wn_window *w, wn_window_state state) {
    wn_collector *d = ctx;
    wn_import_state(d->import, w, state);
    if (!wn_import_active(d->import)) wn_closing_state(d->closing, w, state);
}

static void on_late(void *ctx, const wn_window *w, uint32_t observations) {
    wn_collector *d = ctx;
    d->late_delivered += observations;
    wn_import_late(d->import, w, observations);
}

static void on_purged(void *ctx, const uint8_t name[32]) {
    wn_purging_done(((wn_collector *)ctx)->purging, name);
}

static void ask_purge(void *ctx, const wn_purge *p, bool drained) {
    wn_collector *d = ctx;
    uint64_t what = (p->kind == WN_PURGE_ORG ? WN_PURGE_ASK_ORG : 0u) | (drained ? WN_PURGE_ASK_DRAINED : 0u);
    if (d->uplink != NULL) wn_uplink_purge(d->uplink, p->site, p->name, p->asked_at_s, what);
}

static void ask_state(void *ctx, const wn_window *w) {
    wn_collector *d = ctx;
    d->uplink_waits = true;
    if (d->uplink != NULL) (void)wn_uplink_ask(d->uplink, w); // asked again until it answers
}

static void tell_closed(void *ctx, const wn_window *w, uint64_t generation, uint64_t sequence) {
    wn_collector *d = ctx;
    d->uplink_waits = true;
    if (d->uplink != NULL) wn_uplink_closed(d->uplink, w, generation, sequence);
}

void wn_collector_try_uplink(wn_collector *d) {
    char endpoint[512], dir[400], key[WN_CURVE_TEXT];
    if (d->uplink != NULL) return;
    snprintf(dir, sizeof dir, "%s/aggregator/keys", d->o.state_dir);
    if (d->o.uplink_key[0] != '\0') {
        if (strlen(d->o.uplink_key) != WN_CURVE_TEXT - 1) return;
        memcpy(key, d->o.uplink_key, WN_CURVE_TEXT);
    } else if (wn_curve_load_public(dir, "uplink", key) != WN_OK) {
        return;
    }
    if (d->o.uplink[0] != '\0') snprintf(endpoint, sizeof endpoint, "%s", d->o.uplink);
    else snprintf(endpoint, sizeof endpoint, "ipc://%s/aggregator/uplink.sock", d->o.state_dir);
    wn_uplink_events events = {d, on_closing, on_state, on_late, on_purged};
    wn_err err = wn_uplink_open(d->zmq, endpoint, key, &d->uplink_key, d->id, d->spool, &events, &d->uplink);
    if (err != WN_OK) wn_log(WN_MSG_ERROR, err, 11, 0);
}

// ---- doors ----

static const wn_metrics *admin_metrics(void *ctx) {
    return wn_collector_metrics(ctx);
}

static bool admin_well(void *ctx) {
    return wn_collector_well(ctx);
}

static wn_err say(const wn_collector *d, wn_err err, const char *what, const char *value) {
    (void)d;
    if (err != WN_OK) fprintf(stderr, "winnow-collector: %s %s: %s\n", what, value, wn_err_text(err));
    return err;
}

static wn_err open_zmq(wn_collector *d) {
    char keys[400];
    wn_curve own;
    WN_TRY(sub(d, "keys", keys, sizeof keys));
    d->zmq = zmq_ctx_new();
    if (d->zmq == NULL) return WN_ERR_NOMEM;
    WN_TRY(wn_zap_start(d->zmq, &d->zap));
    WN_TRY(wn_curve_load(keys, "uplink", true, &d->uplink_key));
    WN_TRY(wn_curve_load(keys, "sdk", true, &own));
    wn_err err = wn_sdk_open(d->zmq, d->zap, d->o.sdk_listen, &own, d->pipeline, &d->metrics, &d->sdk);
    wn_wipe(&own, sizeof own);
    WN_TRY(say(d, err, "sdk_listen", d->o.sdk_listen));
    err = wn_control_open(d->zmq, d->zap, d->role_dir, wn_collector_verbs, wn_collector_verbs_n, d,
                          &d->control);
    return say(d, err, "control socket in", d->role_dir);
}

static wn_err open_http(wn_collector *d) {
    wn_http_limits limits = {
        .connections_max = (unsigned)d->o.http_connections_max,
        .idle_s = (unsigned)d->o.http_idle_s,
        .body_bytes_max = (size_t)d->o.body_bytes_max,
    };
    wn_admin_parts admin = {d, admin_metrics, admin_well};
    wn_err err = wn_http_open(d->o.http_listen, &limits, d->pipeline, &d->metrics, &d->http);
    WN_TRY(say(d, err, "http_listen", d->o.http_listen));
    err = wn_admin_open(d->o.admin_listen, &admin, &d->admin);
    return say(d, err, "admin_listen (loopback only)", d->o.admin_listen);
}

static wn_err open_rest(wn_collector *d) {
    wn_import_parts import = {
        d->pipeline, d->edge, d->spool, &d->metrics, d, ask_state, wn_collector_import_done};
    wn_closing_parts closing = {d->edge, d->spool, d->sessions, d->pipeline, d, tell_closed, ask_state};
    wn_purging_parts purging = {.list = d->purges,
                                .key = d->purge_key,
                                .edge = d->edge,
                                .spool = d->spool,
                                .pipeline = d->pipeline,
                                .ctx = d,
                                .ask = ask_purge,
                                .begun = wn_collector_purge_begun};
    WN_TRY(wn_import_open(&import, &d->import));
    WN_TRY(wn_purging_open(&purging, &d->purging));
    return wn_closing_open(&closing, &d->closing);
}

wn_err wn_collector_open(wn_collector *d) {
    d->started_s = wn_now_s();
    d->started_ms = wn_monotonic_ms();
    WN_TRY(say(d, open_pipeline(d), "cannot open the state in", d->o.state_dir));
    WN_TRY(open_rest(d));
    WN_TRY(open_zmq(d));
    WN_TRY(open_http(d));
    wn_collector_try_uplink(d);
    return WN_OK;
}

static void forget_delivered(wn_spool *s) {
    wn_err err = wn_spool_settle(s);
    if (err != WN_OK) wn_log(WN_MSG_ERROR, err, 12, 0); // it will be sent again, and known there
}

void wn_collector_close(wn_collector *d) {
    wn_http_close(d->http);
    wn_admin_close(d->admin);
    wn_import_close(d->import);
    wn_closing_close(d->closing);
    wn_purging_close(d->purging);
    if (d->uplink != NULL) wn_uplink_close(d->uplink);
    wn_control_close(d->control);
    wn_sdk_close(d->sdk);
    if (d->zap != NULL) wn_zap_stop(d->zap);
    if (d->zmq != NULL) zmq_ctx_term(d->zmq);
    wn_pipeline_close(d->pipeline);
    if (d->sessions != NULL) wn_sessions_close(d->sessions);
    if (d->spool != NULL && !d->failed) forget_delivered(d->spool);
    wn_spool_close(d->spool);
    wn_edge_close(d->edge);
    wn_purge_list_close(d->purges);
    wn_wipe(d->purge_key, sizeof d->purge_key);
    wn_slots_close(d->slots);
    wn_policies_close(d->policies);
    wn_policy_fini(&d->policy);
    wn_site_list_drop(d->sites);
    wn_wipe(&d->uplink_key, sizeof d->uplink_key);
}

// ---- figures ----

bool wn_collector_well(const wn_collector *d) {
    return !d->failed && !d->stopping && !wn_pipeline_stuck(d->pipeline);
}

const wn_metrics *wn_collector_metrics(wn_collector *d) {
    wn_metrics *m = &d->metrics;
    uint64_t windows = 0;
    for (uint32_t i = 0; i < WN_EDGE_WINDOWS_MAX; i++) windows += wn_edge_slot(d->edge, i) != NULL;
    wn_metrics_refresh(m, wn_pipeline_count(d->pipeline), wn_sessions_count(d->sessions), wn_now_s());
    m->v[WN_METRIC_uptime_seconds] = (uint64_t)((wn_monotonic_ms() - d->started_ms) / 1000);
    m->v[WN_METRIC_peers_refused] = wn_zap_refused(d->zap);
    m->v[WN_METRIC_batches_delivered] = d->uplink == NULL ? 0 : wn_uplink_acked(d->uplink);
    m->v[WN_METRIC_uplink_up] = d->uplink != NULL && wn_uplink_up(d->uplink);
    m->v[WN_METRIC_epochs] = wn_edge_epochs(d->edge);
    m->v[WN_METRIC_sessions_evicted] = wn_sessions_evicted(d->sessions);
    m->v[WN_METRIC_windows_open] = windows;
    m->v[WN_METRIC_sites] = d->sites->sites.n;
    m->v[WN_METRIC_spool_bytes] = wn_spool_bytes(d->spool);
    m->v[WN_METRIC_spool_waiting] = wn_spool_waiting(d->spool);
    m->v[WN_METRIC_request_memory_bytes] = wn_pipeline_request_bytes(d->pipeline);
    m->v[WN_METRIC_geo] = wn_edge_has_geo(d->edge);
    return m;
}
