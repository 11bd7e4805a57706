// SPDX-License-Identifier: Apache-2.0
// destinations_check.c: what `--check-config` finds out beyond the words of destinations.yaml: whether
// what it names is there, and whether a request comes of it. Nothing is sent.
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "sink.h"

typedef struct checking {
    const char *path; // of the file
    const char *config_dir, *state_dir;
    FILE *err;
    const wn_sites *sites; // NULL: they cannot be read, which is told elsewhere
} checking;

__attribute__((format(printf, 3, 4))) static bool no(const checking *c, const wn_destination *d,
                                                     const char *fmt, ...) {
    va_list args;
    fprintf(c->err, "%s, line %d: destination %s: ", c->path, d->line, d->name);
    va_start(args, fmt);
    vfprintf(c->err, fmt, args);
    va_end(args);
    fputc('\n', c->err);
    return false;
}

bool wn_destination_apart(const wn_destination *d, const char *config_dir, const char *state_dir) {
    static const char *const roles[] = {"aggregator", "collector"};
    if (d->path[0] == '\0') return true;
    for (size_t i = 0; i < WN_COUNT(roles); i++) {
        char role[320];
        snprintf(role, sizeof role, "%.290s/%s", state_dir, roles[i]);
        if (wn_confine_holds(role, d->path)) return false;
    }
    return !wn_confine_holds(d->path, config_dir) && !wn_confine_holds(d->path, state_dir);
}

static bool folder_right(const checking *c, const wn_destination *d) {
    struct stat st;
    if (stat(d->path, &st) != 0 || !S_ISDIR(st.st_mode))
        return no(c, d,
                  "path %s is no folder: make it (mkdir -m 700), owned by the user who runs winnow-forward",
                  d->path);
    if (!wn_destination_apart(d, c->config_dir, c->state_dir))
        return no(c, d, WN_DESTINATION_NOT_APART, d->path);
    if (access(d->path, W_OK | X_OK) != 0)
        return no(c, d,
                  "path %s cannot be written to: it must be a folder of the user who runs winnow-forward",
                  d->path);
    return true;
}

static bool sites_right(const checking *c, const wn_destination *d) {
    bool right = true;
    for (size_t i = 0; c->sites != NULL && i < d->sites_n; i++)
        if (wn_sites_by_name(c->sites, d->site[i], strlen(d->site[i])) == NULL)
            right = no(c, d,
                       "sites: there is no site %s in sites.yaml (`winnow site list`); add it with `winnow "
                       "site add %s`, or take it out",
                       d->site[i], d->site[i]);
    return right;
}

// A row that never was, of a window that is just over.
static bool request_right(const checking *c, const wn_destination *d) {
    static const wn_public_head head = {.window = {.zone = "UTC",
                                                   .kind = WN_KIND_WEB,
                                                   .day = 20000,
                                                   .start_s = 1728000000,
                                                   .end_s = 1728086400},
                                        .sealed = true,
                                        .k = 20,
                                        .measures = WN_MEASURE_PEOPLE,
                                        .table = "check",
                                        .site = "check"};
    static const wn_public_row row = {.people = 20};
    const wn_sink *sink = wn_sink_by_kind(d->kind);
    wn_sink_batch batch = {.to = d, .head = &head, .rows = &row, .n = 1, .now_s = head.window.end_s};
    wn_sink_request r = {0};
    wn_err err = sink->write(&batch, &r);
    wn_sink_request_fini(&r);
    if (err == WN_OK) return true;
    wn_destination bare = *d; // what a sink says it needs, it says of one that has none
    bare.secret_file[0] = '\0';
    wn_wipe(bare.secret, sizeof bare.secret);
    const char *needs = sink->lacks(&bare);
    return no(c, d, "no request can be made of its account, user, url and secret; a %s needs %s", d->kind,
              needs != NULL ? needs : "shorter ones");
}

static bool one_right(const checking *c, wn_destination *d) {
    if (wn_destination_secret(d) != WN_OK)
        return no(c, d,
                  "%s cannot be used: it must be a file of one printable line, readable by its owner alone "
                  "(chmod 600)",
                  d->secret_file);
    bool right = sites_right(c, d);
    if (d->path[0] != '\0' && strcmp(d->kind, "file") == 0) right = folder_right(c, d) && right;
    return request_right(c, d) && right;
}

wn_err wn_destinations_check(const char *config_dir, const char *state_dir, FILE *err, wn_destinations *out) {
    char path[400], sites_path[400], why[400] = "", ignored[400];
    int line = 0;
    wn_sites sites;
    checking c = {.path = path, .config_dir = config_dir, .state_dir = state_dir, .err = err};
    snprintf(path, sizeof path, "%.380s/destinations.yaml", config_dir);
    snprintf(sites_path, sizeof sites_path, "%.380s/sites.yaml", config_dir);
    if (wn_destinations_load(path, out, why, sizeof why, &line) != WN_OK) {
        if (line > 0) fprintf(err, "%s, line %d: %s\n", path, line, why);
        else fprintf(err, "%s: %s\n", path, why);
        return WN_ERR_CONFIG;
    }
    if (wn_sites_load(sites_path, &sites, ignored, sizeof ignored, &line) == WN_OK) c.sites = &sites;
    bool right = true;
    for (size_t i = 0; i < out->n; i++) right = one_right(&c, &out->to[i]) && right;
    if (c.sites != NULL) wn_sites_fini(&sites);
    if (right) return WN_OK;
    wn_destinations_fini(out);
    return WN_ERR_CONFIG;
}
