// SPDX-License-Identifier: Apache-2.0
// destinations.yaml: every mistake is told with its line, secrets lie in files of their owner's alone,
// and a destination takes what names it, sealed, of its sites and from its day on.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "forward_kit.h"

static char why[400];
static int line;
static wn_destinations all;

static void teardown(void) {
    wn_destinations_fini(&all);
}

TestSuite(destinations, .fini = teardown);

static wn_err reading(const char *text) {
    wn_destinations_fini(&all);
    why[0] = '\0';
    line = 0;
    return wn_destinations_read(text, strlen(text), &all, why, sizeof why, &line);
}

#define FILE_LINE "destinations:\n  - {name: a, kind: file, path: /out, basis: b"

Test(destinations, a_whole_one_is_read_as_it_stands) {
    cr_assert_eq(reading("destinations:\n"
                         "  - name: mixer_1\n"
                         "    kind: mixpanel\n"
                         "    basis: \"processing contract of 2026-03-01\"\n"
                         "    account: \"12345\"\n"
                         "    user: sa.name\n"
                         "    secret_file: /etc/winnow/m.secret\n"
                         "    url: https://api-eu.mixpanel.com/\n"
                         "    sites: [shop, blog]\n"
                         "    since: 2026-11-20\n"
                         "  - {name: hook, kind: webhook, basis: x, secret_file: s, private_network: true,\n"
                         "     url: \"http://127.0.0.1:99/hook?who=1\"}\n"),
                 WN_OK, "%s", why);
    const wn_destination *d = wn_destination_find(&all, "mixer_1");
    cr_assert(all.n == 2 && d == &all.to[0]);
    cr_assert_str_eq(d->kind, "mixpanel");
    cr_assert_str_eq(d->basis, "processing contract of 2026-03-01");
    cr_assert_str_eq(d->url, "https://api-eu.mixpanel.com");
    cr_assert(d->sites_n == 2 && strcmp(d->site[1], "blog") == 0 && d->since_day == DAY);
    cr_assert(!d->private_network && d->secret[0] == '\0');
    d = wn_destination_find(&all, "hook");
    cr_assert(d->private_network && d->since_day == INT32_MIN && d->sites_n == 0);
    cr_assert_str_eq(d->url, "http://127.0.0.1:99/hook?who=1");
    cr_assert_null(wn_destination_find(&all, "nobody"));
}

Test(destinations, nothing_is_an_empty_list) {
    cr_assert(reading("") == WN_OK && all.n == 0);
    cr_assert(reading("destinations: []\n") == WN_OK && all.n == 0);
    wn_destinations_fini(&all);
    cr_assert(wn_destinations_load("/nonexistent/destinations.yaml", &all, why, sizeof why, &line) == WN_OK &&
              all.n == 0);
}

Test(destinations, every_mistake_is_told_with_its_line) {
    static const struct {
        const char *text;
        int line;
        const char *says;
    } bad[] = {
        {"other: 1\n", 1, "other"},
        {"destinations: 5\n", 1, "destinations"},
        {"destinations:\n  - 5\n", 2, "destinations"},
        {"destinations:\n  - {kind: file, path: /out, basis: b}\n", 2, "no name"},
        {"destinations:\n  - {name: A, kind: file, path: /out, basis: b}\n", 2, "[a-z][a-z0-9_-]*"},
        {"destinations:\n  - {name: 1a, kind: file, path: /out, basis: b}\n", 2, "[a-z][a-z0-9_-]*"},
        {"destinations:\n  - {name: \"\", kind: file, path: /out, basis: b}\n", 2, "1 to 31"},
        {"destinations:\n  - {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, kind: file, path: /o, basis: b}\n", 2,
         "1 to 31"},
        {FILE_LINE "}\n  - {name: a, kind: file, path: /out, basis: b}\n", 3, "two destinations"},
        {"destinations:\n  - {name: a, path: /out, basis: b}\n", 2, "allowed are clickhouse"},
        {"destinations:\n  - {name: a, kind: kafka, path: /out, basis: b}\n", 2, "allowed are clickhouse"},
        {"destinations:\n  - {name: a, kind: file, path: /out}\n", 2, "names no basis"},
        {"destinations:\n  - {name: a, kind: file, path: /out, basis: \"b\\u00e4\"}\n", 2, "printable"},
        {"destinations:\n  - {name: a, kind: file, basis: b}\n", 2, "path"},
        {"destinations:\n  - {name: a, kind: file, path: out, basis: b}\n", 2, "path"},
        {FILE_LINE ",\n     sites: []}\n", 3, "lists nothing"},
        {FILE_LINE ",\n     sites: [shop,\n      SHOP]}\n", 4, "SHOP"},
        {FILE_LINE ",\n     since: 2026-02-30}\n", 3, "YYYY-MM-DD"},
        {FILE_LINE ",\n     since: yesterday}\n", 3, "YYYY-MM-DD"},
        {FILE_LINE ",\n     private_network: maybe}\n", 3, "private_network"},
        {FILE_LINE ",\n     secret: s3cret}\n", 3, "secret"},
        {FILE_LINE ",\n     path: /again}\n", 3, "path"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s}\n", 2, "needs a url"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, url: \"https://x.example\"}\n", 2,
         "secret_file"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"ftp://x\"}\n", 2,
         "https://"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"http://x.example\"}\n",
         2, "https://"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: "
         "\"http://127.0.0.1:1/\"}\n",
         2, "private_network: true"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: "
         "\"http://127.0.0.10/\"}\n",
         2, "https://"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, private_network: true,\n"
         "     url: \"http://localhost:80@evil.example/\"}\n",
         2, "secret_file"},
        {"destinations:\n  - {name: a, kind: mixpanel, basis: b, account: x1, user: u, secret_file: s}\n", 2,
         "project's number"},
        {"destinations:\n  - {name: a, kind: mixpanel, basis: b, account: \"1\", secret_file: s}\n", 2,
         "user"},
        {"destinations:\n  - {name: a, kind: mixpanel, basis: b, account: \"1\", user: u}\n", 2,
         "secret_file"},
        {"destinations:\n  - {name: a, kind: mixpanel, basis: b, account: \"1\", user: u, secret_file: s,\n"
         "     url: \"https://m.example/?k=1\"}\n",
         2, "no \"?\""},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https:///x\"}\n", 2,
         "https://HOST/"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https://a b/\"}\n", 2,
         "blanks"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https://a/b c\"}\n", 2,
         "blanks"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https://a:0/\"}\n", 2,
         "PORT"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https://a:65536/\"}\n",
         2, "PORT"},
        {"destinations:\n  - {name: a, kind: webhook, basis: b, secret_file: s, url: \"https://[::1/\"}\n", 2,
         "HOST"},
        {"destinations:\n  - {name: a, kind: ga4, basis: b, account: G-, secret_file: s}\n", 2, "G-"},
        {"destinations:\n  - {name: a, kind: ga4, basis: b, account: \"G-A&x=1\", secret_file: s}\n", 2,
         "G-"},
        {"destinations:\n  - {name: a, kind: ga4, basis: b, account: UA-1, secret_file: s}\n", 2, "G-"},
        {"destinations:\n  - {name: a, kind: ga4, basis: b, account: G-1}\n", 2, "secret_file"},
        {"destinations:\n  - {name: a, kind: hubspot, basis: b, secret_file: s}\n", 2, "agg_key"},
        {"destinations:\n  - {name: a, kind: hubspot, basis: b, object_id: \"7\", secret_file: s}\n", 2,
         "full name"},
        {"destinations:\n  - {name: a, kind: hubspot, basis: b, account: a/b, secret_file: s}\n", 2,
         "letters"},
        {"destinations:\n  - {name: a, kind: hubspot, basis: b, account: ab}\n", 2, "secret_file"},
        {"destinations:\n  - {name: a, kind: clickhouse, basis: b, account: t}\n", 2, "needs a url"},
        {"destinations:\n  - {name: a, kind: clickhouse, basis: b, url: \"https://c\", account: "
         "\"t;DROP\"}\n",
         2, "database.table"},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_assert_eq(reading(bad[i].text), WN_ERR_CONFIG, "%s is taken", bad[i].text);
        cr_assert(line == bad[i].line && strstr(why, bad[i].says) != NULL, "%s\ngives line %d: %s",
                  bad[i].text, line, why);
        cr_assert(all.n == 0 && all.to == NULL);
    }
}

// n destinations; each with `sites` sites.
static char *many(size_t n, size_t sites) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    cr_assert_not_null(f);
    fputs("destinations:\n", f);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "  - {name: d%zu, kind: file, path: /out, basis: b", i);
        if (sites > 0) fputs(", sites: [s0", f);
        for (size_t s = 1; s < sites; s++) fprintf(f, ", s%zu", s);
        fputs(sites > 0 ? "]}\n" : "}\n", f);
    }
    fclose(f);
    return text;
}

Test(destinations, limits_are_exact) {
    static const struct {
        size_t n, sites;
        bool fits;
    } rows[] = {{WN_DESTINATIONS_MAX, 1, true},
                {WN_DESTINATIONS_MAX + 1, 1, false},
                {1, WN_DESTINATION_SITES_MAX, true},
                {1, WN_DESTINATION_SITES_MAX + 1, false}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char *text = many(rows[i].n, rows[i].sites);
        cr_assert_eq(reading(text) == WN_OK, rows[i].fits, "%zu of %zu sites: %s", rows[i].n, rows[i].sites,
                     why);
        free(text);
    }
    char basis[WN_DESTINATION_TEXT_MAX + 2], text[600];
    for (size_t n = WN_DESTINATION_TEXT_MAX; n <= WN_DESTINATION_TEXT_MAX + 1; n++) {
        memset(basis, 'b', n);
        basis[n] = '\0';
        snprintf(text, sizeof text, "destinations:\n  - {name: a, kind: file, path: /out, basis: %s}\n",
                 basis);
        cr_assert_eq(reading(text) == WN_OK, n == WN_DESTINATION_TEXT_MAX, "%s", why);
    }
}

// ---- secrets ----

static wn_err secret_of(const char *bytes, size_t n, mode_t mode, wn_destination *d) {
    char path[] = "/tmp/wn_secret_XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
    snprintf(d->secret_file, sizeof d->secret_file, "%s", path);
    wn_err err = wn_destination_secret(d);
    unlink(path);
    return err;
}

Test(destinations, a_secret_is_one_printable_line_of_its_owner_s) {
    static const struct {
        const char *bytes;
        size_t n;
        mode_t mode;
        wn_err err;
    } rows[] = {
        {"s3cret", 6, 0600, WN_OK},
        {"s3cret\n", 7, 0400, WN_OK},
        {"s3cret\r\n", 8, 0600, WN_OK},
        {"s3cret", 6, 0640, WN_ERR_CONFIG},
        {"s3cret", 6, 0604, WN_ERR_CONFIG},
        {"s3cret", 6, 0620, WN_ERR_CONFIG},
        {"", 0, 0600, WN_ERR_CONFIG},
        {"\n", 1, 0600, WN_ERR_CONFIG},
        {"two\nlines", 9, 0600, WN_ERR_CONFIG},
        {"nul\0byte", 8, 0600, WN_ERR_CONFIG},
        {"b\xc3\xa4", 3, 0600, WN_ERR_CONFIG},
    };
    wn_destination d = destination_of("webhook");
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        cr_assert_eq(secret_of(rows[i].bytes, rows[i].n, rows[i].mode, &d), rows[i].err, "row %zu", i);
        cr_assert_str_eq(d.secret, rows[i].err == WN_OK ? "s3cret" : "", "row %zu", i);
    }
    char most[WN_SECRET_BYTES_MAX + 1];
    memset(most, 'x', sizeof most);
    cr_assert_eq(secret_of(most, WN_SECRET_BYTES_MAX, 0600, &d), WN_OK);
    cr_assert_eq(strlen(d.secret), WN_SECRET_BYTES_MAX);
    cr_assert_eq(secret_of(most, WN_SECRET_BYTES_MAX + 1, 0600, &d), WN_ERR_CONFIG);
    snprintf(d.secret_file, sizeof d.secret_file, "/nonexistent/secret");
    cr_assert_eq(wn_destination_secret(&d), WN_ERR_CONFIG);
    snprintf(d.secret_file, sizeof d.secret_file, "/tmp");
    cr_assert_eq(wn_destination_secret(&d), WN_ERR_CONFIG);
    d.secret_file[0] = '\0';
    cr_assert_eq(wn_destination_secret(&d), WN_OK);
}

// ---- the check ----

static char folder[] = "/tmp/wn_config_XXXXXX";

static void put(const char *name, const char *text) {
    char path[80];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, 0600) == 0);
}

static void take(const char *name) {
    char path[80];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)remove(path);
}

// What can never work is refused before anything runs, with its line and what to do; no secret is kept.
Test(destinations, the_check_says_what_to_do_and_keeps_no_secret_when_it_fails) {
    static const struct {
        const char *line, *secret, *says; // NULL: right; @: the folder
    } rows[] = {
        {"kind: webhook, url: 'https://x', secret_file: /none", "", "/none cannot be used"},
        {"kind: webhook, url: 'https://x', secret_file: /none", "", "chmod 600"},
        {"kind: webhook, url: 'https://x', secret_file: @/s", "notwhsec",
         "needs a secret_file (whsec_ and base64"},
        {"kind: webhook, url: 'https://x', secret_file: @/s",
         "whsec_c2hvcnQ=", "needs a secret_file (whsec_"},
        {"kind: webhook, url: 'https://x', secret_file: @/s", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL},
        {"kind: ga4, account: G-A, secret_file: @/s", "sec&ret", "needs a secret_file with the API secret"},
        {"kind: ga4, account: G-A, secret_file: @/s", "secret", NULL},
        {"kind: file, path: @/out", "", "out is no folder: make it"},
        {"kind: file, path: @/s", "", "is no folder"},
        {"kind: file, path: @", "", "would open Winnow's own configuration"},
        {"kind: file, path: /", "", "would open Winnow's own configuration"},
        {"kind: file, path: @/state", "", "would open Winnow's own"},
        {"kind: file, path: @/state/collector/spool", "", "would open Winnow's own"},
        {"kind: file, path: @/fold", "", NULL},
        {"kind: file, path: @/state/fold", "", NULL},
        {"kind: file, path: @/fold, sites: [shop, nosuch]", "", "no site nosuch in sites.yaml"},
        {"kind: file, path: @/fold, sites: [shop]", "", NULL},
    };
    cr_assert_not_null(mkdtemp(folder));
    static const char *const folders[] = {"fold", "state", "state/fold", "state/collector",
                                          "state/collector/spool"};
    char state[80], made[120];
    snprintf(state, sizeof state, "%s/state", folder);
    for (size_t i = 0; i < WN_COUNT(folders); i++) {
        snprintf(made, sizeof made, "%s/%s", folder, folders[i]);
        cr_assert_eq(mkdir(made, 0700), 0);
    }
    put("sites.yaml", "sites:\n  - name: shop\n    zone: UTC\n    hosts: [shop.example]\n");
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char entry[200] = "", text[300], *said = NULL;
        size_t n = 0;
        for (const char *c = rows[i].line; *c != '\0'; c++)
            snprintf(entry + strlen(entry), sizeof entry - strlen(entry), *c == '@' ? "%s" : "%.1s",
                     *c == '@' ? folder : c);
        snprintf(text, sizeof text, "destinations:\n  - {name: a, basis: b, %s}\n", entry);
        put("s", rows[i].secret);
        put("destinations.yaml", text);
        FILE *err = open_memstream(&said, &n);
        wn_err got = wn_destinations_check(folder, state, err, &all);
        fclose(err);
        cr_assert_eq(got, rows[i].says == NULL ? WN_OK : WN_ERR_CONFIG, "%s: %s", rows[i].line, said);
        if (rows[i].says != NULL)
            cr_assert(strstr(said, rows[i].says) && strstr(said, "line 2: destination a: ") && all.n == 0,
                      "%s: %s", rows[i].line, said);
        cr_assert(rows[i].secret[0] == '\0' || strstr(said, rows[i].secret) == NULL, "it shows the secret");
        wn_destinations_fini(&all);
        free(said);
    }
    take("destinations.yaml");
    char path[80], *said = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/destinations.yaml", folder);
    cr_assert_eq(mkdir(path, 0700), 0); // no file at all: then there is no line either
    FILE *err = open_memstream(&said, &n);
    cr_assert_eq(wn_destinations_check(folder, state, err, &all), WN_ERR_CONFIG);
    fclose(err);
    cr_assert(strstr(said, "cannot be read") && strstr(said, "line") == NULL, "%s", said);
    free(said);
    take("destinations.yaml"), take("s"), take("sites.yaml");
    for (size_t i = WN_COUNT(folders); i-- > 0;) {
        snprintf(made, sizeof made, "%s/%s", folder, folders[i]);
        rmdir(made);
    }
    rmdir(folder);
}

// ---- what a destination takes ----

Test(destinations, takes_sealed_windows_that_name_it_of_its_sites_and_days) {
    wn_destination d = destination_of("file");
    wn_public_head h = crowd_head();
    cr_assert(wn_destination_takes(&d, &h));
    h.receivers_n = 0; // the name is still in the memory behind
    cr_assert_not(wn_destination_takes(&d, &h), "a table that names nobody");
    h.receivers_n = 1;
    snprintf(h.receiver[0], sizeof h.receiver[0], "partner2");
    cr_assert_not(wn_destination_takes(&d, &h), "a table that names another");
    h.receivers_n = 2;
    snprintf(h.receiver[1], sizeof h.receiver[1], "partner");
    cr_assert(wn_destination_takes(&d, &h));
    h.sealed = false;
    cr_assert_not(wn_destination_takes(&d, &h), "an open window");
    h.sealed = true;
    d.since_day = DAY;
    cr_assert(wn_destination_takes(&d, &h));
    d.since_day = DAY + 1;
    cr_assert_not(wn_destination_takes(&d, &h), "a day too early");
    d.since_day = INT32_MIN;
    d.sites_n = 1;
    snprintf(d.site[0], sizeof d.site[0], "example2");
    cr_assert_not(wn_destination_takes(&d, &h), "another site");
    d.sites_n = 2;
    snprintf(d.site[1], sizeof d.site[1], "example");
    cr_assert(wn_destination_takes(&d, &h));
}
