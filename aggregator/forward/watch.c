// SPDX-License-Identifier: Apache-2.0
// watch.c: files by inode, size and time, as the kernel tells them to one who may not open them.
#include "watch.h"

#include <string.h>

static bool same(const wn_watch_file *a, bool there, const struct stat *now, bool content) {
    if (a->there != there) return false;
    if (!there) return true;
    if (a->seen.st_dev != now->st_dev || a->seen.st_ino != now->st_ino) return false;
    return !content || (a->seen.st_size == now->st_size && a->seen.st_mtim.tv_sec == now->st_mtim.tv_sec &&
                        a->seen.st_mtim.tv_nsec == now->st_mtim.tv_nsec);
}

static bool changed(wn_watch_file *f, bool content) {
    struct stat now = {0};
    bool there = stat(f->path, &now) == 0;
    if (same(f, there, &now, content)) return false;
    f->there = there;
    f->seen = now;
    return true;
}

bool wn_watch_add(wn_watch *w, const char *path, bool write) {
    if (w->named_n == WN_WATCH_NAMED_MAX) return false;
    wn_watch_file *f = &w->named[w->named_n];
    int n = snprintf(f->path, sizeof f->path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof f->path) return false;
    w->write[w->named_n++] = write;
    (void)changed(f, !write);
    return true;
}

wn_err wn_watch_begin(wn_watch *w, const char *path, wn_destinations *out, char *why, size_t why_bytes,
                      int *out_line) {
    *w = (wn_watch){.state = WN_WATCH_SAME};
    snprintf(w->file.path, sizeof w->file.path, "%s", path);
    (void)changed(&w->file, true); // before it is read, so that no change is missed
    WN_TRY(wn_destinations_load(path, out, why, why_bytes, out_line));
    for (size_t i = 0; i < out->n; i++) {
        const wn_destination *d = &out->to[i];
        if (d->secret_file[0] != '\0') WN_ASSERT(wn_watch_add(w, d->secret_file, false));
        if (d->path[0] != '\0') WN_ASSERT(wn_watch_add(w, d->path, true));
    }
    return WN_OK;
}

// A folder that goes away may come back; one that is there, and is another, was never opened to us.
static bool is_another(const wn_watch_file *f, bool write) {
    struct stat now;
    return stat(f->path, &now) == 0 && !same(f, true, &now, !write);
}

wn_watch_state wn_watch_look(wn_watch *w) {
#ifdef WN_MUTANT_DESTINATIONS_AT_START
    return WN_WATCH_SAME;
#endif
    if (changed(&w->file, true) || w->state == WN_WATCH_BAD) { // what was not readable may be, unchanged
        char why[400];
        wn_destinations to;
        wn_err err = wn_destinations_load(w->file.path, &to, why, sizeof why, &w->line);
        if (err == WN_OK) wn_destinations_fini(&to);
        w->state = err == WN_OK ? WN_WATCH_ANEW : WN_WATCH_BAD;
    }
    for (size_t i = 0; i < w->named_n && w->state == WN_WATCH_SAME; i++)
        if (is_another(&w->named[i], w->write[i])) w->state = WN_WATCH_ANEW;
    return w->state;
}

size_t wn_watch_rules(const wn_watch *w, wn_confine_rule *out) {
    for (size_t i = 0; i < w->named_n; i++)
        out[i] = (wn_confine_rule){.path = w->named[i].path, .write = w->write[i]};
    return w->named_n;
}
