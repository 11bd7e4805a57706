// SPDX-License-Identifier: Apache-2.0
// destinations.c: reads and checks destinations.yaml, with the line of every mistake.
#include "destinations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "conf_nodes.h"
#include "sink.h"

typedef struct reading {
    wn_destination *d;
} reading;

static bool printable(const char *s) {
    for (; *s != '\0'; s++)
        if (*s < 0x20 || *s > 0x7e) return false;
    return true;
}

static bool text_into(wn_nodes *n, const yaml_node_t *at, const char *what, char *out, size_t cap) {
    const char *text = wn_nodes_text(n, at, what);
    if (text == NULL) return false;
    if (text[0] == '\0' || strlen(text) >= cap || !printable(text))
        return wn_nodes_no(n, at, "%s: 1 to %zu printable ASCII characters", what, cap - 1);
    strcpy(out, text);
    return true;
}

#define TEXT_KEY(field)                                                                                      \
    static bool read_##field(wn_nodes *n, const yaml_node_t *at, void *ctx) {                                \
        wn_destination *d = ((reading *)ctx)->d;                                                             \
        return text_into(n, at, #field, d->field, sizeof d->field);                                          \
    }
TEXT_KEY(kind)
TEXT_KEY(basis)
TEXT_KEY(url)
TEXT_KEY(account)
TEXT_KEY(user)
TEXT_KEY(secret_file)
TEXT_KEY(path)
TEXT_KEY(object_id)

static bool read_name(wn_nodes *n, const yaml_node_t *at, void *ctx) {
    wn_destination *d = ((reading *)ctx)->d;
    if (!text_into(n, at, "name", d->name, sizeof d->name)) return false;
    bool right = d->name[0] >= 'a' && d->name[0] <= 'z' &&
                 strspn(d->name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(d->name);
    return right || wn_nodes_no(n, at, "name \"%s\": allowed is [a-z][a-z0-9_-]*; example: partner", d->name);
}

static bool read_private(wn_nodes *n, const yaml_node_t *at, void *ctx) {
    static const char *const words[] = {"false", "true"};
    size_t which = 0;
    if (!wn_nodes_word(n, at, "private_network", words, WN_COUNT(words), &which)) return false;
    ((reading *)ctx)->d->private_network = which == 1;
    return true;
}

static bool read_sites(wn_nodes *n, const yaml_node_t *at, void *ctx) {
    wn_destination *d = ((reading *)ctx)->d;
    size_t count = 0;
    if (!wn_nodes_list(n, at, "sites", WN_DESTINATION_SITES_MAX, &count)) return false;
    if (count == 0) return wn_nodes_no(n, at, "sites lists nothing: name one, or leave the line out for all");
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = wn_nodes_item(n, at, i);
        if (!text_into(n, item, "sites", d->site[i], sizeof d->site[i])) return false;
        const char *why = wn_site_name_check(d->site[i]);
        if (why != NULL) return wn_nodes_no(n, item, "sites: \"%s\": %s", d->site[i], why);
    }
    d->sites_n = count;
    return true;
}

static bool read_since(wn_nodes *n, const yaml_node_t *at, void *ctx) {
    const char *text = wn_nodes_text(n, at, "since");
    if (text == NULL) return false;
    if (!wn_day_parse(text, strlen(text), &((reading *)ctx)->d->since_day))
        return wn_nodes_no(n, at, "since \"%.40s\" is no day: write YYYY-MM-DD", text);
    return true;
}

static const wn_node_key keys[] = {
    {"name", read_name},
    {"kind", read_kind},
    {"basis", read_basis},
    {"url", read_url},
    {"account", read_account},
    {"user", read_user},
    {"secret_file", read_secret_file},
    {"path", read_path},
    {"object_id", read_object_id},
    {"private_network", read_private},
    {"sites", read_sites},
    {"since", read_since},
};

// scheme://host[:port] and then a path, a query or the end.
static bool url_has_host(const char *url) {
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    const char *at = strstr(url, "://");
    if (at == NULL) return false;
    at += 3;
    size_t n = at[0] == '[' ? strspn(at + 1, "0123456789abcdefABCDEF:.") : strspn(at, name);
    if (n == 0 || (at[0] == '[' && at[++n] != ']')) return false;
    at += at[0] == '[' ? n + 1 : n;
    if (*at == ':') {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0 || digits > 5 || strtoul(at + 1, NULL, 10) == 0 || strtoul(at + 1, NULL, 10) > 65535)
            return false;
        at += 1 + digits;
    }
    return (*at == '\0' || *at == '/' || *at == '?') && strpbrk(at, " \"<>\\^`{|}") == NULL;
}

// Encrypted, or to this very host.
static bool url_right(const wn_destination *d, bool whole, const char **out_why) {
    *out_why = NULL;
    if (strpbrk(d->url, whole ? "@#" : "@#?") != NULL) {
        *out_why = whole ? "must hold no \"@\" and no \"#\": what is secret stands in secret_file"
                         : "is scheme, host and path alone: no \"?\", \"@\" or \"#\"";
        return false;
    }
    if (d->url[0] == '\0') return true;
    if (strstr(d->url, "://") != NULL && !url_has_host(d->url)) {
        *out_why = "is none: write https://HOST/ or https://HOST:PORT/PATH, without blanks";
        return false;
    }
    if (strncmp(d->url, "https://", 8) == 0) return true;
    static const char *const near[] = {"http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:",
                                       "http://[::1]/",     "http://localhost:", "http://localhost/"};
    for (size_t i = 0; i < WN_COUNT(near); i++) {
        if (strncmp(d->url, near[i], strlen(near[i])) != 0) continue;
        if (!d->private_network) *out_why = "is on this host: add private_network: true if it is meant";
        return d->private_network;
    }
    *out_why = "must begin with https:// (plain http is for loopback alone)";
    return false;
}

static bool check(wn_nodes *n, const yaml_node_t *at, const wn_destinations *before, wn_destination *d) {
    const char *why = NULL;
    if (d->name[0] == '\0') return wn_nodes_no(n, at, "a destination has no name; example: name: partner");
    for (size_t i = 0; i < before->n; i++)
        if (strcmp(before->to[i].name, d->name) == 0)
            return wn_nodes_no(n, at, "two destinations are called %s", d->name);
    const wn_sink *sink = d->kind[0] == '\0' ? NULL : wn_sink_by_kind(d->kind);
    if (sink == NULL)
        return wn_nodes_no(n, at,
                           "destination %s: kind \"%s\": allowed are clickhouse, file, ga4, hubspot, "
                           "mixpanel, webhook",
                           d->name, d->kind);
    if (d->basis[0] == '\0')
        return wn_nodes_no(n, at,
                           "destination %s names no basis: write by what right it receives crowds' "
                           "figures; example: basis: \"processing contract of 2026-03-01\"",
                           d->name);
    // The kind's own path follows; a webhook's address is its receiver's whole choice.
    size_t url_n = strlen(d->url);
    bool whole = strcmp(d->kind, "webhook") == 0;
    if (!whole && url_n > 0 && d->url[url_n - 1] == '/') d->url[url_n - 1] = '\0';
    if (!url_right(d, whole, &why)) return wn_nodes_no(n, at, "destination %s: url %s", d->name, why);
    if (sink->network && sink->url == NULL && d->url[0] == '\0')
        return wn_nodes_no(n, at, "destination %s: a %s needs a url", d->name, d->kind);
    why = sink->lacks(d);
    return why == NULL || wn_nodes_no(n, at, "destination %s: a %s needs %s", d->name, d->kind, why);
}

static bool read_list(wn_nodes *n, const yaml_node_t *at, void *ctx) {
    wn_destinations *all = ctx;
    size_t count = 0;
    if (!wn_nodes_list(n, at, "destinations", WN_DESTINATIONS_MAX, &count)) return false;
    all->to = calloc(count != 0 ? count : 1, sizeof *all->to);
    if (all->to == NULL) return wn_nodes_no(n, at, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = wn_nodes_item(n, at, i);
        reading r = {&all->to[i]};
        r.d->since_day = INT32_MIN;
        r.d->line = (int)item->start_mark.line + 1;
        if (!wn_nodes_map(n, item, "destinations", keys, WN_COUNT(keys), &r)) return false;
        if (!check(n, item, all, r.d)) return false;
        all->n++;
    }
    return true;
}

wn_err wn_destinations_read(const char *text, size_t n, wn_destinations *out, char *why, size_t why_bytes,
                            int *out_line) {
    static const wn_node_key top[] = {{"destinations", read_list}};
    wn_nodes d;
    wn_destinations all = {0};
    WN_TRY(wn_nodes_open(&d, text, n, why, why_bytes, out_line));
    const yaml_node_t *root = wn_nodes_root(&d);
    bool right = root == NULL || wn_nodes_map(&d, root, "destinations.yaml", top, WN_COUNT(top), &all);
    wn_nodes_close(&d);
    if (!right) {
        wn_destinations_fini(&all);
        return WN_ERR_CONFIG;
    }
    *out = all;
    return WN_OK;
}

// At most `cap` bytes; fewer than there are: WN_ERR_FULL.
static wn_err slurp(const char *path, bool secret, char *out, size_t cap, size_t *out_n) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    struct stat st;
    wn_err err = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ? WN_ERR_IO : WN_OK;
    if (err == WN_OK && secret && (st.st_mode & 077) != 0) err = WN_ERR_AUTH;
    size_t n = 0;
    for (ssize_t got = 1; err == WN_OK && got != 0 && n <= cap;) {
        char spare;
        got = n < cap ? read(fd, out + n, cap - n) : read(fd, &spare, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) err = WN_ERR_IO;
        else n += (size_t)got;
    }
    close(fd);
    if (err == WN_OK && n > cap) err = WN_ERR_FULL;
    *out_n = n;
    return err;
}

wn_err wn_destinations_load(const char *path, wn_destinations *out, char *why, size_t why_bytes,
                            int *out_line) {
    enum { FILE_BYTES_MAX = 256 * 1024 };
    *out = (wn_destinations){0};
    *out_line = 0;
    char *text = malloc(FILE_BYTES_MAX);
    if (text == NULL) return WN_ERR_NOMEM;
    size_t n = 0;
    wn_err err = slurp(path, false, text, FILE_BYTES_MAX, &n);
    if (err == WN_OK) err = wn_destinations_read(text, n, out, why, why_bytes, out_line);
    else if (err != WN_ERR_NOTFOUND) snprintf(why, why_bytes, "cannot be read: %s", wn_err_text(err));
    free(text);
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

void wn_destinations_fini(wn_destinations *d) {
    if (d->to != NULL) wn_wipe(d->to, d->n * sizeof *d->to);
    free(d->to);
    *d = (wn_destinations){0};
}

const wn_destination *wn_destination_find(const wn_destinations *d, const char *name) {
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->to[i].name, name) == 0) return &d->to[i];
    return NULL;
}

wn_err wn_destination_secret(wn_destination *d) {
    size_t n = 0;
    wn_wipe(d->secret, sizeof d->secret);
    if (d->secret_file[0] == '\0') return WN_OK;
    wn_err err = slurp(d->secret_file, true, d->secret, WN_SECRET_BYTES_MAX, &n);
    while (err == WN_OK && n > 0 && (d->secret[n - 1] == '\n' || d->secret[n - 1] == '\r'))
        d->secret[--n] = '\0';
    if (err == WN_OK && n > 0 && strlen(d->secret) == n && printable(d->secret)) return WN_OK;
    wn_wipe(d->secret, sizeof d->secret);
    return WN_ERR_CONFIG;
}

// R3, L-T2: the plan that the window began under names it, and the window is sealed.
bool wn_destination_takes(const wn_destination *d, const wn_public_head *head) {
    bool named = false, site = d->sites_n == 0;
#ifdef WN_MUTANT_RECEIVER_UNASKED
    named = head->receivers_n > 0;
#endif
    for (size_t i = 0; i < head->receivers_n && !named; i++) named = strcmp(head->receiver[i], d->name) == 0;
    for (size_t i = 0; i < d->sites_n && !site; i++) site = strcmp(d->site[i], head->site) == 0;
    return named && site && head->sealed && head->window.day >= d->since_day;
}
