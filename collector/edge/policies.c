// SPDX-License-Identifier: Apache-2.0
// policies.c: policies by id, and which window began with which. Files are
// written whole or not at all: beside, synced, renamed, and the folder synced.
#include "policies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define CACHE_SLOTS 512u
#define WINDOWS_FILE "windows"
#define LINE_BYTES_MAX (WN_WINDOW_TEXT_BYTES + 32u)

typedef struct held {
    wn_policy policy;
    struct held *next;
} held;

typedef struct bound { // a window and what it began with
    char window[WN_WINDOW_TEXT_BYTES];
    uint64_t id;
    uint32_t version;
} bound;

typedef struct cached {
    uint64_t tag, id, generation;
    const wn_site_policy *of[2];
} cached;

struct wn_policies {
    char dir[400]; // "": remembered nowhere
    held *list, *newest;
    bound *windows;
    size_t windows_n, windows_cap;
    uint64_t generation; // counts changes of the list: what is cached under another one is void
    cached cache[CACHE_SLOTS];
};

// ---- files ----

static wn_err write_all(int fd, const char *p, size_t n) {
    while (n != 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return errno == ENOSPC || errno == EDQUOT ? WN_ERR_FULL : WN_ERR_IO;
        p += k;
        n -= (size_t)k;
    }
    return WN_OK;
}

static wn_err sync_folder(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return WN_ERR_IO;
    int bad = fsync(fd);
    close(fd);
    return bad ? WN_ERR_IO : WN_OK;
}

static wn_err put_file(const wn_policies *p, const char *name, const char *text, size_t n) {
    char path[512], beside[512];
    if (p->dir[0] == '\0') return WN_OK;
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    snprintf(beside, sizeof beside, "%s/%s.new", p->dir, name);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return WN_ERR_IO;
    wn_err err = write_all(fd, text, n);
    if (err == WN_OK && fsync(fd) != 0) err = WN_ERR_IO;
    close(fd);
    if (err == WN_OK && rename(beside, path) != 0) err = WN_ERR_IO;
    if (err != WN_OK) {
        unlink(beside);
        return err;
    }
    return sync_folder(p->dir);
}

static void policy_name(uint64_t id, char out[24]) {
    wn_policy_id_text(id, out);
    memcpy(out + 16, ".yaml", 6);
}

static wn_err put_policy(const wn_policies *p, const wn_policy *policy) {
    char name[24];
    policy_name(policy->id, name);
    return put_file(p, name, policy->text, policy->text_bytes);
}

static wn_err put_windows(const wn_policies *p) {
    char *text = malloc(p->windows_n * LINE_BYTES_MAX + 1);
    size_t n = 0;
    if (text == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < p->windows_n; i++) {
        const bound *b = &p->windows[i];
        char id[17];
        wn_policy_id_text(b->id, id);
        n += (size_t)snprintf(text + n, LINE_BYTES_MAX, "%s %s %u\n", b->window, id, b->version);
    }
    wn_err err = put_file(p, WINDOWS_FILE, text, n);
    free(text);
    return err;
}

// ---- the two lists ----

static held *find(const wn_policies *p, uint64_t id) {
    held *h = p->list;
    while (h != NULL && h->policy.id != id) h = h->next;
    return h;
}

static bound *find_window(const wn_policies *p, const char *window) {
    for (size_t i = 0; i < p->windows_n; i++)
        if (strcmp(p->windows[i].window, window) == 0) return &p->windows[i];
    return NULL;
}

static wn_err add_policy(wn_policies *p, wn_policy *takes, held **out) {
    held *h = calloc(1, sizeof *h);
    if (h == NULL) return WN_ERR_NOMEM;
    h->policy = *takes;
    *takes = (wn_policy){.version = 0};
    h->next = p->list;
    p->list = h;
    p->generation++;
    *out = h;
    return WN_OK;
}

static wn_err add_window(wn_policies *p, const bound *b) {
    if (p->windows_n == p->windows_cap) {
        size_t cap = p->windows_cap != 0 ? 2 * p->windows_cap : 16;
        bound *more = realloc(p->windows, cap * sizeof *more);
        if (more == NULL) return WN_ERR_NOMEM;
        p->windows = more;
        p->windows_cap = cap;
    }
    p->windows[p->windows_n++] = *b;
    return WN_OK;
}

static bool referred(const wn_policies *p, const held *h) {
    if (h == p->newest) return true;
    for (size_t i = 0; i < p->windows_n; i++)
        if (p->windows[i].id == h->policy.id) return true;
    return false;
}

static void forget_unreferred(wn_policies *p) {
    for (held **at = &p->list; *at != NULL;) {
        held *h = *at;
        if (referred(p, h)) {
            at = &h->next;
            continue;
        }
        char path[512], name[24];
        policy_name(h->policy.id, name);
        snprintf(path, sizeof path, "%s/%s", p->dir, name);
        if (p->dir[0] != '\0') (void)unlink(path);
        *at = h->next;
        wn_policy_fini(&h->policy);
        free(h);
        p->generation++;
    }
}

// ---- start ----

// A text that is not what its name says is lost: the window that began with it takes nothing more.
static wn_err read_policy(wn_policies *p, const char *name) {
    char path[512], right[24], why[200];
    wn_policy policy;
    int line;
    held *h;
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    wn_err err = wn_policy_load_file(path, &policy, why, sizeof why, &line);
    if (err == WN_ERR_CONFIG || err == WN_ERR_FORMAT || err == WN_ERR_FULL) return WN_OK;
    WN_TRY(err);
    policy_name(policy.id, right);
    if (strcmp(name, right) == 0) err = add_policy(p, &policy, &h);
    if (policy.text != NULL) wn_policy_fini(&policy);
    return err;
}

static wn_err read_policies(wn_policies *p) {
    DIR *d = opendir(p->dir);
    if (d == NULL) return WN_ERR_IO;
    wn_err err = WN_OK;
    for (const struct dirent *e; err == WN_OK && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n == 21 && strcmp(e->d_name + 16, ".yaml") == 0) err = read_policy(p, e->d_name);
    }
    closedir(d);
    return err;
}

static wn_err read_line(wn_policies *p, char *line) {
    bound b = {.id = 0};
    char *id = strchr(line, ' '), *version = id != NULL ? strchr(id + 1, ' ') : NULL;
    if (version == NULL || version - id != 17 || (size_t)(id - line) >= sizeof b.window || id == line)
        return WN_ERR_CORRUPT;
    *id++ = '\0', *version++ = '\0';
    memcpy(b.window, line, strlen(line) + 1);
    char *end = NULL;
    unsigned long long v = strtoull(version, &end, 10);
    if (!wn_policy_id_parse(id, &b.id) || *end != '\0' || v == 0 || v > UINT32_MAX) return WN_ERR_CORRUPT;
    b.version = (uint32_t)v;
    return find_window(p, b.window) != NULL ? WN_ERR_CORRUPT : add_window(p, &b);
}

static wn_err read_windows(wn_policies *p) {
    char path[512], line[LINE_BYTES_MAX + 2];
    snprintf(path, sizeof path, "%s/" WINDOWS_FILE, p->dir);
    FILE *f = fopen(path, "re");
    if (f == NULL) return errno == ENOENT ? WN_OK : WN_ERR_IO;
    wn_err err = WN_OK;
    while (err == WN_OK && fgets(line, sizeof line, f) != NULL) {
        size_t n = strlen(line);
        if (n == 0 || line[n - 1] != '\n') err = WN_ERR_CORRUPT;
        else line[n - 1] = '\0', err = read_line(p, line);
    }
    if (err == WN_OK && ferror(f)) err = WN_ERR_IO;
    fclose(f);
    return err;
}

// Of what the last run left, the one with the greatest version was in force.
static const held *last_run(const wn_policies *p) {
    const held *last = p->list;
    for (const held *h = p->list; h != NULL; h = h->next)
        if (h->policy.version > last->policy.version) last = h;
    return last;
}

static wn_err become_newest(wn_policies *p, wn_policy *takes) {
    held *h = find(p, takes->id);
    WN_TRY(put_policy(p, takes));
    if (h == NULL) WN_TRY(add_policy(p, takes, &h));
    else wn_policy_fini(takes);
    p->newest = h;
    p->generation++;
    forget_unreferred(p);
    return WN_OK;
}

wn_err wn_policies_open(const char *dir, wn_policy *takes, char *why, size_t why_bytes, wn_policies **out) {
    wn_policies *p = calloc(1, sizeof *p);
    if (p == NULL) return WN_ERR_NOMEM;
    snprintf(why, why_bytes, "%s", "");
    p->generation = 1;
    wn_err err = WN_OK;
    if (dir != NULL) {
        if (strlen(dir) >= sizeof p->dir) err = WN_ERR_CONFIG;
        else strcpy(p->dir, dir);
        if (err == WN_OK && mkdir(dir, 0700) != 0 && errno != EEXIST) err = WN_ERR_IO;
        if (err == WN_OK) err = read_windows(p);
        if (err == WN_OK) err = read_policies(p);
    }
    const held *last = last_run(p);
    if (err == WN_OK && last != NULL) err = wn_policy_follows(&last->policy, takes, why, why_bytes);
    if (err == WN_OK) err = become_newest(p, takes);
    if (err != WN_OK) return wn_policies_close(p), err;
    *out = p;
    return WN_OK;
}

wn_err wn_policies_last(const char *dir, wn_policy *out) {
    wn_policies *p = calloc(1, sizeof *p);
    if (p == NULL) return WN_ERR_NOMEM;
    wn_err err = strlen(dir) < sizeof p->dir ? WN_OK : WN_ERR_CONFIG;
    if (err == WN_OK) strcpy(p->dir, dir);
    if (err == WN_OK && access(dir, R_OK | X_OK) != 0)
        err = errno == EACCES || errno == EPERM ? WN_ERR_AUTH : WN_ERR_NOTFOUND;
    if (err == WN_OK) err = read_policies(p);
    const held *last = last_run(p);
    if (err == WN_OK && last == NULL) err = WN_ERR_NOTFOUND;
    if (err == WN_OK) {
        held *h = find(p, last->policy.id);
        *out = h->policy;
        h->policy = (wn_policy){.version = 0};
    }
    wn_policies_close(p);
    return err;
}

wn_err wn_policies_builtin(wn_policies **out) {
    char why[200];
    int line;
    wn_policy p;
    WN_TRY(wn_policy_load(wn_policy_default, strlen(wn_policy_default), &p, why, sizeof why, &line));
    wn_err err = wn_policies_open(NULL, &p, why, sizeof why, out);
    wn_policy_fini(&p); // of no effect once it was taken
    return err;
}

void wn_policies_close(wn_policies *p) {
    if (p == NULL) return;
    while (p->list != NULL) {
        held *h = p->list;
        p->list = h->next;
        wn_policy_fini(&h->policy);
        free(h);
    }
    free(p->windows);
    free(p);
}

// ---- afterwards ----

wn_err wn_policies_put(wn_policies *p, wn_policy *takes, char *why, size_t why_bytes) {
    WN_TRY(wn_policy_follows(&p->newest->policy, takes, why, why_bytes));
    if (takes->id == p->newest->policy.id) {
        wn_policy_fini(takes);
        return WN_OK;
    }
    if (wn_policy_dated_before(&p->newest->policy, takes))
        wn_log(WN_MSG_POLICY_DATE, p->newest->policy.version, 0, 0);
    wn_err err = become_newest(p, takes);
    if (err != WN_OK) snprintf(why, why_bytes, "cannot be kept beside the windows: %s", wn_err_text(err));
    return err;
}

const wn_policy *wn_policies_newest(const wn_policies *p) {
    return &p->newest->policy;
}

size_t wn_policies_count(const wn_policies *p) {
    size_t n = 0;
    for (const held *h = p->list; h != NULL; h = h->next) n++;
    return n;
}

wn_err wn_policies_begin(wn_policies *p, const char *window, uint64_t *out_id, uint32_t *out_version) {
    const bound *b = find_window(p, window);
    if (b == NULL) {
        bound made = {.id = p->newest->policy.id, .version = p->newest->policy.version};
        snprintf(made.window, sizeof made.window, "%s", window);
        WN_TRY(add_window(p, &made));
        wn_err err = put_windows(p);
        if (err != WN_OK) {
            p->windows_n--;
            return err;
        }
        b = &p->windows[p->windows_n - 1];
    }
    *out_id = b->id;
    *out_version = b->version;
    return find(p, b->id) != NULL ? WN_OK : WN_ERR_CORRUPT;
}

// A line that stays on disk because it cannot be written away goes with the next change.
static void write_windows(wn_policies *p) {
    wn_err err = put_windows(p);
    if (err != WN_OK) wn_log(WN_MSG_ERROR, err, 14, 0);
    else forget_unreferred(p);
}

void wn_policies_end(wn_policies *p, const char *window) {
    bound *b = find_window(p, window);
    if (b == NULL) return;
    *b = p->windows[--p->windows_n];
    write_windows(p);
}

void wn_policies_keep(wn_policies *p, bool (*is_open)(void *ctx, const char *window), void *ctx) {
    size_t kept = 0, before = p->windows_n;
    for (size_t i = 0; i < before; i++)
        if (is_open(ctx, p->windows[i].window)) p->windows[kept++] = p->windows[i];
    p->windows_n = kept;
    if (kept != before) write_windows(p);
}

void wn_policies_of(wn_policies *p, const wn_site *site, uint64_t id, const wn_site_policy *out[2]) {
    cached *c = &p->cache[(site->tag ^ site->tag >> 32 ^ id) & (CACHE_SLOTS - 1)];
    if (c->tag != site->tag || c->id != id || c->generation != p->generation) {
        const held *began = find(p, id);
        *c = (cached){.tag = site->tag, .id = id, .generation = p->generation};
        c->of[1] = wn_policy_of(&p->newest->policy, site->name);
#ifdef WN_MUTANT_POLICY_MIDWINDOW
        began = p->newest;
#endif
        c->of[0] = began != NULL ? wn_policy_of(&began->policy, site->name) : c->of[1];
    }
    out[0] = c->of[0];
    out[1] = c->of[1];
}
