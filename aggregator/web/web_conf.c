// SPDX-License-Identifier: Apache-2.0
// Why: `winnow site` and `winnow keys` tell the daemons of the control socket;
// this one has no socket but the readers', so it looks for itself.
#include "web_conf.h"

#include <string.h>
#include <unistd.h>

#include "log.h"

enum { F_SITES, F_PLAN, F_POLICY, F_KEYS, F_DESTINATIONS };
const char *const wn_web_conf_files[] = {"sites.yaml",    "plan.yaml",         "policy.yaml",
                                         "api_keys.yaml", "destinations.yaml", NULL};

static bool changed(wn_web_file *f) {
    struct stat now = {0};
    bool there = stat(f->path, &now) == 0;
    bool same =
        there == f->there && (!there || (now.st_ino == f->seen.st_ino && now.st_size == f->seen.st_size &&
                                         now.st_mtim.tv_sec == f->seen.st_mtim.tv_sec &&
                                         now.st_mtim.tv_nsec == f->seen.st_mtim.tv_nsec));
    f->there = there;
    f->seen = now;
    return !same;
}

static wn_err load_sites(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line) {
    wn_sites s;
    WN_TRY(wn_sites_load(path, &s, why, why_bytes, line));
    for (size_t i = 0; i < s.n; i++) {
        wn_wipe(s.site[i].sign_key, sizeof s.site[i].sign_key);
        s.site[i].has_sign_key = false;
    }
    wn_sites_fini(&c->sites);
    c->sites = s;
    return WN_OK;
}

static wn_err load_plan(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line) {
    wn_plan p;
    wn_err err = wn_plan_load_file(path, &p, why, why_bytes, line);
    if (err == WN_ERR_NOTFOUND)
        err = wn_plan_load(wn_plan_default, strlen(wn_plan_default), &p, why, why_bytes, line);
    WN_TRY(err);
    wn_plan_fini(&c->plan);
    c->plan = p;
    return WN_OK;
}

// Its version and its date alone: the rest names organisations.
static wn_err load_policy(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line) {
    wn_policy p;
    WN_TRY(wn_policy_load_file(path, &p, why, why_bytes, line));
    c->policy_version = p.version;
    c->policy_id = p.id;
    memcpy(c->policy_date, p.date, sizeof c->policy_date);
    wn_policy_fini(&p);
    return WN_OK;
}

static wn_err load_keys(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line) {
    wn_api_keys k;
    wn_err err = wn_api_keys_load(path, &k, why, why_bytes, line);
    c->keys_bad = err != WN_OK;
    WN_TRY(err);
    wn_api_keys_fini(&c->keys);
    c->keys = k;
    return WN_OK;
}

// What the public is told of them; addresses and the secrets' places are dropped here.
static wn_err load_destinations(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line) {
    wn_destinations all;
    WN_TRY(wn_destinations_load(path, &all, why, why_bytes, line));
    for (size_t i = 0; i < all.n; i++) {
        memcpy(c->receiver[i].name, all.to[i].name, sizeof c->receiver[i].name);
        memcpy(c->receiver[i].kind, all.to[i].kind, sizeof c->receiver[i].kind);
        memcpy(c->receiver[i].basis, all.to[i].basis, sizeof c->receiver[i].basis);
    }
    c->receivers_n = all.n;
    wn_destinations_fini(&all);
    return WN_OK;
}

static const struct {
    wn_err (*load)(wn_web_conf *c, const char *path, char *why, size_t why_bytes, int *line);
    wn_msg bad;
} files[] = {
    [F_SITES] = {load_sites, WN_MSG_RELOAD_BAD_SITES},
    [F_PLAN] = {load_plan, WN_MSG_RELOAD_BAD_PLAN},
    [F_POLICY] = {load_policy, WN_MSG_RELOAD_BAD_POLICY},
    [F_KEYS] = {load_keys, WN_MSG_RELOAD_BAD_KEYS},
    [F_DESTINATIONS] = {load_destinations, WN_MSG_RELOAD_BAD_DESTINATIONS},
};

// Where nobody answers, the file itself is tried, which a confined process cannot open: a list of keys that
// cannot be read opens nothing, and one that is not there would open everything.
static wn_err load(wn_web_conf *c, size_t at, char *why, size_t why_bytes, int *line) {
    char path[WN_OPENER_PATH];
    int fd = -1;
    bool copied = c->opener && wn_opener_copy(c->opener, at, path, &fd) == WN_OK;
    wn_err err = files[at].load(c, copied ? path : c->file[at].path, why, why_bytes, line);
    if (fd >= 0) close(fd);
    return err;
}

wn_err wn_web_conf_open(wn_web_conf *c, const char *config_dir, const wn_opener *opener, char *why,
                        size_t why_bytes) {
    char words[300] = "";
    *c = (wn_web_conf){.opener = opener};
    for (size_t i = 0; i < WN_COUNT(files); i++) {
        wn_web_file *f = &c->file[i];
        int line = 0;
        snprintf(f->path, sizeof f->path, "%.270s/%s", config_dir, wn_web_conf_files[i]);
        (void)changed(f); // before it is read, so that no change is missed
        wn_err err = load(c, i, words, sizeof words, &line);
        if (err == WN_OK) continue;
        snprintf(why, why_bytes, "%s line %d: %s", wn_web_conf_files[i], line,
                 words[0] ? words : wn_err_text(err));
        wn_web_conf_close(c);
        return err;
    }
    return WN_OK;
}

void wn_web_conf_watch(wn_web_conf *c) {
    char words[300];
    for (size_t i = 0; i < WN_COUNT(files); i++) {
        int line = 0;
        if (!changed(&c->file[i])) continue;
        if (load(c, i, words, sizeof words, &line) != WN_OK) wn_log(files[i].bad, line, 0, 0);
    }
}

void wn_web_conf_close(wn_web_conf *c) {
    wn_sites_fini(&c->sites);
    wn_plan_fini(&c->plan);
    wn_api_keys_fini(&c->keys);
}
