// SPDX-License-Identifier: Apache-2.0
// cmd_site.c: adds and lists sites; no site ever comes from traffic.
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_site.h"
#include "crypt.h"

// /etc/localtime links to …/zoneinfo/AREA/CITY.
const char *wn_site_local_zone(char out[WN_ZONE_BYTES]) {
    char path[256] = "";
    ssize_t n = readlink("/etc/localtime", path, sizeof path - 1);
    if (n > 0) path[n] = '\0';
    const char *name = strstr(path, "zoneinfo/");
    if (name && strlen(name + 9) < WN_ZONE_BYTES && wn_zone_find(name + 9)) return strcpy(out, name + 9);
    return strcpy(out, "UTC");
}

// Holds the directory's lock, so that two calls do not lose one another's site.
bool wn_site_edit(wn_cli *c, wn_site_edit_fn fn, void *ctx) {
    wn_sites s;
    if (!wn_cli_folder(c->o.config_dir)) return false;
    int fd = open(c->o.config_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        (void)wn_cli_failed("cannot lock %s: %s", c->o.config_dir, strerror(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    bool done = wn_cli_sites(c, &s);
    if (done) {
        // Room for one more, kept even when nothing is added.
        wn_site *more = calloc(s.n + 1, sizeof *more);
        done = more != NULL;
        if (more && s.n) memcpy(more, s.site, s.n * sizeof *more);
        if (more) {
            size_t n = s.n;
            wn_sites_fini(&s);
            s = (wn_sites){more, n};
            done = fn(ctx, &s);
        }
        if (done) {
            wn_sites_sort(&s);
            wn_err err = wn_sites_save(c->sites_path, &s);
            if (err != WN_OK)
                done = false,
                (void)wn_cli_failed("%s cannot be written: %s", c->sites_path, wn_err_text(err));
        }
        wn_sites_fini(&s);
    }
    close(fd);
    return done;
}

bool wn_site_append(void *ctx, wn_sites *s) {
    const wn_site *new = ctx;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->site[i].name, new->name) == 0) {
            (void)wn_cli_failed("there is a site %s already; see `winnow site list`", new->name);
            return false;
        }
        if (s->site[i].tag == new->tag) {
            (void)wn_cli_failed("%s has the same tag as %s: choose another name", new->name, s->site[i].name);
            return false;
        }
    }
    if (s->n == WN_SITES_MAX)
        return wn_cli_failed("there are %d sites, and no more are allowed", WN_SITES_MAX), false;
    s->site[s->n++] = *new;
    return true;
}

bool wn_site_make(const char *name, const char *zone, const char *kind, wn_site *out) {
    const char *bad = wn_site_name_check(name);
    if (bad) return wn_cli_failed("\"%.70s\": %s", name, bad), false;
    *out = (wn_site){.kind = WN_KIND_WEB};
    strcpy(out->name, name);
    out->tag = wn_site_tag(name);
    if (!zone) wn_site_local_zone(out->zone);
    else if (strlen(zone) >= WN_ZONE_BYTES || !wn_zone_find(zone)) {
        (void)wn_cli_failed(
            "the zone \"%.50s\" is not in this system's zone data; example: --zone Europe/Berlin", zone);
        return false;
    } else strcpy(out->zone, zone);
    if (kind && strcmp(kind, "web") != 0 && strcmp(kind, "app") != 0) {
        (void)wn_cli_failed("--kind \"%.40s\": allowed are web and app; example: --kind web", kind);
        return false;
    }
    if (kind && strcmp(kind, "app") == 0) out->kind = WN_KIND_APP;
    return true;
}

// A purged name stays refused, so that a restore need not tell two lives of a site apart.
static bool was_purged(const wn_cli *c, const wn_site *site) {
    char path[200];
    wn_purge_list *l = NULL;
    snprintf(path, sizeof path, "%s/keys/purges", c->collector_dir);
    if (wn_purge_list_open(path, false, &l) != WN_OK) return false; // the collector refuses it all the same
    bool found = wn_purge_list_site(l, site->tag) != NULL;
    wn_purge_list_close(l);
    return found;
}

static int add(wn_cli *c, const wn_args *a) {
    wn_site site;
    const char *const *host;
    size_t hosts = wn_args_all(a, "host", &host);
    if (!wn_site_make(a->word[1], wn_args_get(a, "zone"), wn_args_get(a, "kind"), &site))
        return WN_EXIT_USAGE;
    if (hosts > WN_SITE_HOSTS_MAX)
        return wn_cli_misused(&wn_cmd_site, "at most %d hosts are allowed", WN_SITE_HOSTS_MAX);
    for (size_t i = 0; i < hosts; i++) {
        const char *bad = wn_site_host_set(host[i], site.hosts[i]);
        if (bad) return wn_cli_misused(&wn_cmd_site, "--host \"%.130s\": %s", host[i], bad);
        site.hosts_n++;
    }
    if (was_purged(c, &site)) return wn_cli_failed("%s was purged: choose another name", site.name);
    site.organisations = wn_args_has(a, "organisations");
    if (!wn_site_edit(c, wn_site_append, &site)) return WN_EXIT_FAILED;
    printf("Site %s added: its days begin at midnight in %s.\n", site.name, site.zone);
    wn_cli_reload(c);
    return WN_EXIT_OK;
}

static int list(const wn_cli *c) {
    wn_sites s;
    if (!wn_cli_sites(c, &s)) return WN_EXIT_FAILED;
    if (s.n == 0) puts("There is no site yet. Add one: winnow site add NAME");
    else printf("%-24s %-4s %-24s %5s  %s\n", "site", "kind", "zone", "keys", "hosts");
    for (size_t i = 0; i < s.n; i++) {
        const wn_site *site = &s.site[i];
        printf("%-24s %-4s %-24s %5zu  ", site->name, site->kind == WN_KIND_APP ? "app" : "web", site->zone,
               site->keys_n);
        for (size_t j = 0; j < site->hosts_n; j++) printf("%s%s", j ? ", " : "", site->hosts[j]);
        printf("%s%s%s\n", site->hosts_n ? "" : "any", site->organisations ? "; declares organisations" : "",
               site->has_sign_key ? "; signs ids" : "");
    }
    wn_sites_fini(&s);
    return WN_EXIT_OK;
}

static wn_site *named(wn_sites *s, const char *name) {
    const wn_site *site = wn_cli_site(s, name);
    return site ? &s->site[site - s->site] : NULL;
}

bool wn_site_add_key(void *ctx, wn_sites *s) {
    wn_site_new_key *want = ctx;
    wn_site *site = named(s, want->site);
    if (!site) return false;
    for (size_t i = 0; i < site->keys_n; i++) {
        if (strcmp(site->keys[i].key, want->key) != 0) continue;
        site->keys[i].server = want->server;
        return true;
    }
    if (site->keys_n == WN_SITE_KEYS_MAX) {
        return wn_cli_failed("the site %s has %d keys, and no more are allowed; remove one in %s", site->name,
                             WN_SITE_KEYS_MAX, "sites.yaml"),
               false;
    }
    strcpy(site->keys[site->keys_n].key, want->key);
    site->keys[site->keys_n++].server = want->server;
    return true;
}

static int key(wn_cli *c, const wn_args *a) {
    const char *text = wn_args_get(a, "public");
    if (!text) return wn_cli_misused(&wn_cmd_site, "say which key with --public KEY");
    const char *bad = wn_site_key_check(text);
    if (bad) return wn_cli_misused(&wn_cmd_site, "--public: %s", bad);
    wn_site_new_key want = {a->word[1], text, wn_args_has(a, "server")};
    if (!wn_site_edit(c, wn_site_add_key, &want)) return WN_EXIT_FAILED;
    printf("The key may write to %s%s.\n", want.site, want.server ? " and state ip, user_agent and org" : "");
    wn_cli_reload(c);
    return WN_EXIT_OK;
}

typedef struct new_sign_key {
    const char *site;
    bool replace;
    uint8_t key[32];
} new_sign_key;

static bool set_sign_key(void *ctx, wn_sites *s) {
    new_sign_key *want = ctx;
    wn_site *site = named(s, want->site);
    if (!site) return false;
    if (site->has_sign_key && !want->replace) {
        (void)wn_cli_failed("%s has a signing key; --replace makes a new one, and ids signed with the old one"
                            " no longer count as accounts",
                            site->name);
        return false;
    }
    if (wn_random(want->key, sizeof want->key) != WN_OK)
        return wn_cli_failed("%s", wn_err_text(WN_ERR_ENTROPY)), false;
    memcpy(site->sign_key, want->key, sizeof want->key);
    site->has_sign_key = true;
    return true;
}

static int sign(wn_cli *c, const wn_args *a) {
    new_sign_key want = {.site = a->word[1], .replace = wn_args_has(a, "replace")};
    char hex[65];
    if (!wn_site_edit(c, set_sign_key, &want)) return WN_EXIT_FAILED;
    printf("%s\n", sodium_bin2hex(hex, sizeof hex, want.key, sizeof want.key));
    fflush(stdout);
    wn_wipe(hex, sizeof hex);
    wn_wipe(&want, sizeof want);
    fputs("Keep it on your server: user_sig = hex(HMAC-SHA-256(key, user_id)).\n", stderr);
    wn_cli_reload(c);
    return WN_EXIT_OK;
}

static int run(wn_cli *c, const wn_args *a) {
    const char *what = a->word[0];
    if (strcmp(what, "list") == 0 && a->words == 1) return list(c);
    if (a->words != 2) return wn_cli_misused(&wn_cmd_site, "say what to do with which site");
    if (strcmp(what, "add") == 0) return add(c, a);
    if (strcmp(what, "key") == 0) return key(c, a);
    if (strcmp(what, "sign") == 0) return sign(c, a);
    return wn_cli_misused(&wn_cmd_site, "\"%.20s\": allowed are add, list, key and sign", what);
}

static const wn_flag flags[] = {
    {"host", "HOST",
     "add: a host whose pages may count in this site; may stand up to 8 times. Without: any host."},
    {"zone", "ZONE",
     "add: the time zone whose midnight begins a day, such as Europe/Berlin. Default: this machine's."},
    {"kind", "web|app",
     "add: a web site's days seal 2 hours after midnight, an app's 72 hours. Default: web."},
    {"organisations", NULL,
     "add: the site declares organisations; people without one count as one organisation."},
    {"public", "KEY",
     "key: the CURVE public key (40 characters) of an SDK or server that may write to this site."},
    {"server", NULL, "key: it belongs to a server, which may state ip, user_agent and org of its people."},
    {"replace", NULL, "sign: replace the signing key that the site has."},
};

const wn_command wn_cmd_site = {
    .name = "site",
    .usage = "add|list|key|sign [NAME] [FLAG]...",
    .doc = "Adds and lists sites, their SDK keys and the key that signs their users' ids.",
    .more =
        "site add NAME adds a site. site list shows them. site key NAME --public KEY lets an SDK write to it."
        " site sign NAME makes the key with which your server signs user ids, and prints it.\n"
        " winnow site add shop.example --host shop.example --zone Europe/Berlin",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
