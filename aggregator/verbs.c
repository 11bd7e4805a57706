// SPDX-License-Identifier: Apache-2.0
// verbs.c: what `winnow` can ask a running aggregator.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator.h"
#include "backup.h"
#include "clock.h"
#include "log.h"

static bool verb_ping(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)ctx, (void)token, (void)body;
    wn_put_result(packer, true, WN_VERSION);
    return true;
}

static bool verb_stop(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    ((aggregator *)ctx)->stopping = true;
    wn_put_result(packer, true, "stopping");
    return true;
}

static bool verb_tick(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)body;
    aggregator *d = ctx;
    if (d->tick_asked) {
        wn_put_result(packer, false, "a tick is already under way; try again");
        return true;
    }
    d->tick_asked = true;
    d->tick_token = token;
    return false;
}

static wn_err read_files(const aggregator *d, wn_sites *sites, wn_policy *policy, wn_reload_error *out) {
    char path[400];
    out->file = "sites.yaml";
    snprintf(path, sizeof path, "%s/sites.yaml", d->o.config_dir);
    WN_TRY(wn_sites_load(path, sites, out->why, sizeof out->why, &out->line));
    // An emptied file is a mistake more often than a wish, and would drop every open day.
    if (sites->n == 0 && d->sites != NULL && d->sites->n != 0) {
        snprintf(out->why, sizeof out->why, "no site is left in it");
        return WN_ERR_CONFIG;
    }
    out->file = "policy.yaml";
    snprintf(path, sizeof path, "%s/policy.yaml", d->o.config_dir);
    WN_TRY(wn_policy_load_file(path, policy, out->why, sizeof out->why, &out->line));
    if (d->policy.version == 0) return WN_OK;
    return wn_policy_follows(&d->policy, policy, out->why, sizeof out->why);
}

wn_err wn_aggregator_load(aggregator *d, wn_reload_error *out) {
    wn_sites *s = calloc(1, sizeof *s);
    wn_policy policy = {.version = 0};
    *out = (wn_reload_error){.file = ""};
    wn_err err = s == NULL ? WN_ERR_NOMEM : read_files(d, s, &policy, out);
    if (err != WN_OK) {
        if (s != NULL) wn_sites_fini(s);
        free(s);
        wn_policy_fini(&policy);
        return err;
    }
    if (d->sites != NULL) wn_sites_fini(d->sites);
    free(d->sites);
    d->sites = s;
    wn_policy_fini(&d->policy);
    d->policy = policy;
    return WN_OK;
}

static void log_bad(const wn_reload_error *bad) {
    bool of_sites = strcmp(bad->file, "sites.yaml") == 0;
    wn_log(of_sites ? WN_MSG_RELOAD_BAD_SITES : WN_MSG_RELOAD_BAD_POLICY, bad->line, 0, 0);
}

void wn_aggregator_reload(aggregator *d) {
    wn_reload_error bad;
    if (wn_aggregator_load(d, &bad) == WN_OK) wn_log(WN_MSG_RELOADED, (int64_t)d->sites->n, 0, 0);
    else log_bad(&bad);
}

static bool verb_reload(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    aggregator *d = ctx;
    wn_reload_error bad;
    char text[400];
    wn_err err = wn_aggregator_load(d, &bad);
    const char *why = err == WN_OK || bad.why[0] != '\0' ? bad.why : wn_err_text(err);
    if (bad.line > 0)
        snprintf(text, sizeof text, "%s, line %d: %s; the old one stays", bad.file, bad.line, why);
    else if (wn_policy_names_file(why)) snprintf(text, sizeof text, "%s; the old one stays", why);
    else snprintf(text, sizeof text, "%s: %s; the old one stays", bad.file, why);
    if (err == WN_OK) wn_log(WN_MSG_RELOADED, (int64_t)d->sites->n, 0, 0);
    else log_bad(&bad);
    wn_put_result(packer, err == WN_OK, err == WN_OK ? "read again" : text);
    return true;
}

static bool verb_status(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    aggregator *d = ctx;
    msgpack_packer *pk = packer;
    size_t n = wn_windows_count(d->windows);
    msgpack_pack_map(pk, 17);
    wn_put_uint(pk, "purge_open_since_s", (uint64_t)wn_purge_list_oldest_open(d->purges));
    wn_put_flag(pk, "ok", true);
    wn_put_str(pk, "version");
    wn_put_str(pk, WN_VERSION);
    wn_put_uint(pk, "started_at_s", (uint64_t)d->started_s);
    wn_put_uint(pk, "batches", d->batches);
    wn_put_uint(pk, "last_batch_at_s", (uint64_t)d->last_batch_s);
    wn_put_uint(pk, "late_observations", wn_windows_late(d->windows) / 20 * 20);
    wn_put_uint(pk, "fold_bytes", wn_windows_bytes(d->windows));
    wn_put_uint(pk, "memory_max_mib", (uint64_t)d->o.memory_max_mib);
    wn_put_uint(pk, "next_tick_at_s", (uint64_t)d->next_tick_s);
    int64_t steady_s = wn_now_s() + d->steady_wait_s;
    wn_put_uint(pk, "next_expiry_at_s",
                (uint64_t)(d->next_retain_s > steady_s ? d->next_retain_s : steady_s));
    wn_put_uint(pk, "collectors", wn_collectors_count(d->collectors));
    wn_put_policy(pk, &d->policy);
    wn_put_uint(pk, "set_aside", wn_windows_bad(d->windows));
    wn_put_str(pk, "windows");
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++) {
        wn_window_info info;
        char text[WN_WINDOW_TEXT_BYTES];
        wn_windows_info(d->windows, i, &info);
        wn_window_text(&info.window, text);
        msgpack_pack_map(pk, 6);
        wn_put_str(pk, "window");
        wn_put_str(pk, text);
        wn_put_uint(pk, "seals_at_s", (uint64_t)info.seals_at_s);
        wn_put_flag(pk, "closing", info.closing);
        wn_put_flag(pk, "replaying", info.replayed_percent < 100);
        wn_put_uint(pk, "replayed_percent", info.replayed_percent);
        wn_put_uint(pk, "file_bytes", info.file_bytes);
    }
    return true;
}

// {"windows": [text…], "backfilled": bool, "force": bool}: the current window only with force.
static bool verb_seal(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    aggregator *d = ctx;
    asker a = {.token = token};
    bool force = false;
    wn_window windows[64];
    while (!body->bad && wn_mp_peek(body) != WN_MP_END) {
        wn_span key = {NULL, 0}, text = {NULL, 0};
        uint32_t n = 0;
        if (!wn_mp_str(body, 32, &key)) break;
        if (key.n == 5 && memcmp(key.p, "force", 5) == 0) {
            wn_mp_bool(body, &force);
        } else if (key.n == 10 && memcmp(key.p, "backfilled", 10) == 0) {
            (void)wn_mp_skip(body, 0); // says why, changes nothing
        } else if (key.n == 7 && memcmp(key.p, "windows", 7) == 0 && a.n == 0 && wn_mp_array(body, 64, &n)) {
            for (uint32_t i = 0; i < n && wn_mp_str(body, WN_WINDOW_TEXT_BYTES - 1, &text); i++) {
                memcpy(a.windows[a.n], text.p, text.n);
                a.windows[a.n][text.n] = '\0';
                bool twice = false;
                for (size_t j = 0; j < a.n; j++) twice = twice || strcmp(a.windows[j], a.windows[a.n]) == 0;
                if (!wn_window_parse(a.windows[a.n], &windows[a.n])) body->bad = true;
                else a.n += !twice;
            }
        } else {
            body->bad = true;
        }
    }
    if (body->bad) {
        wn_put_result(packer, false, "not a list of windows (at most 64)");
        return true;
    }
    int64_t now = wn_now_s();
    for (size_t i = 0; i < a.n; i++) {
        if (now >= windows[i].end_s || force) continue;
        wn_put_result(packer, false,
                      "this window is still running: what arrives after the seal counts as late; "
                      "add --force if that is what you want");
        return true;
    }
    // Windows that are not open need no seal: already sealed, or nothing came.
    for (size_t i = a.n; i-- > 0;) {
        if (wn_windows_state(d->windows, &windows[i]) == WN_WINDOW_OPEN) continue;
        memmove(a.windows[i], a.windows[a.n - 1], sizeof a.windows[i]);
        windows[i] = windows[a.n - 1];
        a.n--;
    }
    if (a.n == 0) {
        msgpack_pack_map(packer, 3);
        wn_put_flag(packer, "ok", true);
        wn_put_uint(packer, "rows", 0);
        wn_put_uint(packer, "sealed", 0);
        return true;
    }
    if (d->askers_n == ASKERS_MAX) {
        wn_put_result(packer, false, "too many seals under way; try again");
        return true;
    }
    d->askers[d->askers_n++] = a;
    for (size_t i = 0; i < a.n; i++) wn_aggregator_begin_closing(d, &windows[i], force);
    return false;
}

// {"rows": n, "digest": 32 bytes}: a backup was made and read back.
static bool verb_backup_done(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token;
    aggregator *d = ctx;
    wn_ledger_entry e = {.at_s = wn_now_s(), .what = WN_LEDGER_BACKUP, .receiver = WN_BACKUP_RECEIVER};
    bool has_digest = false;
    while (!body->bad && wn_mp_peek(body) != WN_MP_END) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(body, 32, &key)) break;
        if (key.n == 4 && memcmp(key.p, "rows", 4) == 0) {
            (void)wn_mp_uint(body, UINT64_MAX, &e.rows);
        } else if (key.n == 6 && memcmp(key.p, "digest", 6) == 0) {
            has_digest = wn_mp_bin_exact(body, sizeof e.content, e.content);
        } else {
            body->bad = true;
        }
    }
    wn_err err = body->bad || !has_digest ? WN_ERR_FORMAT : wn_published_note(d->published, &e);
    wn_put_result(packer, err == WN_OK, err == WN_OK ? "written down" : wn_err_text(err));
    return true;
}

static bool verb_purges(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    wn_put_purges(packer, ((aggregator *)ctx)->purges);
    return true;
}

const wn_control_verb wn_aggregator_verbs[] = {
    {"ping", verb_ping},
    {"status", verb_status},
    {"seal", verb_seal},
    {"tick", verb_tick},
    {"reload", verb_reload},
    {"stop", verb_stop},
    {"backup_done", verb_backup_done},
    {"purges", verb_purges},
    {"transferred", wn_aggregator_transferred},
};
const size_t wn_aggregator_verbs_n = WN_COUNT(wn_aggregator_verbs);
