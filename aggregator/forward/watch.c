// SPDX-License-Identifier: Apache-2.0
// watch.c: files by inode, size and time, as the kernel tells them to one who may not open them.
#include "watch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *const wn_watch_files[] = {"destinations.yaml", NULL};

static bool same(const wn_watch_file *a, bool there, const struct stat *now) {
    if (a->there != there) return false;
    if (!there) return true;
    if (a->seen.st_dev != now->st_dev || a->seen.st_ino != now->st_ino) return false;
    if (a->kind == WN_WATCH_SYSTEM || a->kind == WN_WATCH_FOLDER) return true; // whatever is in it
    return a->seen.st_size == now->st_size && a->seen.st_mtim.tv_sec == now->st_mtim.tv_sec &&
           a->seen.st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static bool changed(wn_watch_file *f) {
    struct stat now = {0};
    bool there = stat(f->path, &now) == 0;
    if (same(f, there, &now)) return false;
    f->there = there;
    f->seen = now;
    return true;
}

bool wn_watch_add(wn_watch *w, const char *path, wn_watch_kind kind) {
    if (w->named_n == WN_WATCH_NAMED_MAX) return false;
    wn_watch_file *f = &w->named[w->named_n];
    int n = snprintf(f->path, sizeof f->path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof f->path) return false;
    f->kind = kind;
    w->named_n++;
    (void)changed(f);
    return true;
}

static wn_err load(const wn_watch *w, wn_destinations *out, char *why, size_t why_bytes, int *out_line) {
    char copy[WN_OPENER_PATH];
    int fd = -1;
    *out_line = 0;
    snprintf(why, why_bytes, "cannot be read");
    if (w->opener != NULL) WN_TRY(wn_opener_copy(w->opener, 0, copy, &fd));
    wn_err err = wn_destinations_load(w->opener != NULL ? copy : w->file.path, out, why, why_bytes, out_line);
    if (fd >= 0) close(fd);
    for (size_t i = 0; err == WN_OK && i < out->n; i++) {
        if (wn_destination_apart(&out->to[i], w->config_dir, w->state_dir)) continue;
        snprintf(why, why_bytes, "destination %s: " WN_DESTINATION_NOT_APART, out->to[i].name,
                 out->to[i].path);
        *out_line = out->to[i].line;
        wn_destinations_fini(out);
        return WN_ERR_CONFIG;
    }
    return err;
}

wn_err wn_watch_begin(wn_watch *w, const char *config_dir, const char *state_dir, const wn_opener *opener,
                      wn_destinations *out, char *why, size_t why_bytes, int *out_line) {
    *w = (wn_watch){
        .state = WN_WATCH_SAME, .config_dir = config_dir, .state_dir = state_dir, .opener = opener};
    w->file.kind = WN_WATCH_KEY;
    snprintf(w->file.path, sizeof w->file.path, "%.280s/%s", config_dir, wn_watch_files[0]);
    (void)changed(&w->file); // before it is read, so that no change is missed
    WN_TRY(load(w, out, why, why_bytes, out_line));
    for (size_t i = 0; i < out->n; i++) {
        const wn_destination *d = &out->to[i];
        if (d->secret_file[0] != '\0') WN_ASSERT(wn_watch_add(w, d->secret_file, WN_WATCH_SECRET));
        if (d->path[0] != '\0') WN_ASSERT(wn_watch_add(w, d->path, WN_WATCH_FOLDER));
    }
    return WN_OK;
}

// Through a link to a folder that may be read, another file is no change: it is looked at, not waited for.
static bool may_open(wn_watch_file *f) {
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    (void)changed(f);
    close(fd);
    return true;
}

// What goes away may come back; what is there, and is another, was never opened to us.
static bool is_another(wn_watch_file *f) {
    struct stat now;
    if (stat(f->path, &now) != 0 || same(f, true, &now)) return false;
    return f->kind != WN_WATCH_SYSTEM || !may_open(f);
}

wn_watch_state wn_watch_look(wn_watch *w) {
#ifdef WN_MUTANT_DESTINATIONS_AT_START
    return WN_WATCH_SAME;
#endif
    if (changed(&w->file) || w->state == WN_WATCH_BAD) { // what was not readable may be, unchanged
        char why[400];
        wn_destinations to;
        wn_err err = load(w, &to, why, sizeof why, &w->line);
        if (err == WN_OK) wn_destinations_fini(&to);
        // Without an opener only another process can know.
        w->state = err == WN_OK || err == WN_ERR_STATE ? WN_WATCH_ANEW : WN_WATCH_BAD;
    }
    for (size_t i = 0; i < w->named_n && w->state == WN_WATCH_SAME; i++)
        if (is_another(&w->named[i])) w->state = WN_WATCH_ANEW;
    return w->state;
}

size_t wn_watch_rules(const wn_watch *w, wn_confine_rule *out) {
    size_t n = 0;
    for (size_t i = 0; i < w->named_n; i++) {
        const wn_watch_file *f = &w->named[i];
        bool folder = f->kind == WN_WATCH_FOLDER;
        // A folder named in a file's place would be opened with all that is in it.
        bool right = f->there && (folder ? S_ISDIR(f->seen.st_mode) : S_ISREG(f->seen.st_mode));
        if (right && f->kind != WN_WATCH_SECRET) out[n++] = (wn_confine_rule){f->path, folder};
    }
    return n;
}
