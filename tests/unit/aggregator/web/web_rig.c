// SPDX-License-Identifier: Apache-2.0
#include "web_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypt.h"
#include "endpoint.h"

#define QUIET_MS 200 // that nothing came for: what was to come has come
#define ANSWER_MAX (1u << 24)

wn_web rig_web;
wn_web_http *rig_http;
char rig_config[64];
static char state[64];
static struct sockaddr_storage address;
static socklen_t address_n;

static const char plan[] = "version: 2\n"
                           "noise: {rho: default, people: all}\n"
                           "tables:\n"
                           "  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view, event], "
                           "measures: [people, events]}\n"
                           "  - {id: pages, doc: Pages, purpose: basic, dimensions: [route], of: [view], "
                           "measures: [people, events]}\n"
                           "  - {id: n_all, doc: All, purpose: basic, dimensions: [], of: [view], measures: "
                           "[people], profile: noise,"
                           " cells: 1, receivers: [hook]}\n";

void rig_file(const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", rig_config, name);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

void rig_plan(const char *text) {
    rig_file("plan.yaml", text);
}

static void write_sites(void) {
    char path[160];
    wn_site site[2] = {{.zone = "UTC"}, {.zone = "UTC"}};
    wn_sites s = {site, 2};
    strcpy(site[0].name, "shop");
    strcpy(site[1].name, "other");
    for (size_t i = 0; i < 2; i++) site[i].tag = wn_site_tag(site[i].name);
    wn_sites_sort(&s);
    snprintf(path, sizeof path, "%s/sites.yaml", rig_config);
    cr_assert_eq(wn_sites_save(path, &s), WN_OK);
}

void rig_setup(void) {
    static const uint8_t key[32] = {9, 2};
    char why[400] = "";
    cr_assert_eq(wn_crypt_init(), WN_OK);
    strcpy(rig_config, "/tmp/wn_web_config_XXXXXX");
    strcpy(state, "/tmp/wn_web_state_XXXXXX");
    cr_assert(mkdtemp(rig_config) && mkdtemp(state));
    write_sites();
    rig_plan(plan);
    rig_web = (wn_web){0};
    rig_web.o.web_connections_max = RIG_CONNECTIONS;
    wn_web_peers_open(&rig_web.peers);
    rig_web.o.tick_s = 300;
    snprintf(rig_web.o.config_dir, sizeof rig_web.o.config_dir, "%s", rig_config);
    cr_assert_eq(wn_published_open(state, key, false, 1u << 22, &rig_web.store), WN_OK);
    cr_assert_eq(wn_web_conf_open(&rig_web.conf, rig_config, NULL, why, sizeof why), WN_OK, "%s", why);
}

void rig_open(void) {
    wn_endpoint e;
    int fd;
    cr_assert_eq(wn_endpoint_parse("127.0.0.1:0", &e), WN_OK);
    cr_assert_eq(wn_endpoint_listen(&e, &fd), WN_OK);
    address_n = sizeof address;
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &address_n), 0);
    snprintf(rig_web.o.web_listen, sizeof rig_web.o.web_listen, "127.0.0.1:0");
    cr_assert_eq(wn_web_http_open(&rig_web, fd, &rig_http), WN_OK);
}

static void remove_all(const char *dir) {
    static const char *const names[] = {"sites.yaml",         "plan.yaml",          "api_keys.yaml",
                                        "published/data.mdb", "published/lock.mdb", "destinations.yaml",
                                        "policy.yaml"};
    char path[160];
    for (size_t i = 0; i < WN_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/published", dir);
    rmdir(path);
    rmdir(dir);
}

void rig_teardown(void) {
    wn_web_http_close(rig_http);
    rig_http = NULL;
    wn_web_peers_close(&rig_web.peers);
    wn_web_facts_fini(&rig_web.facts);
    wn_published_close(rig_web.store);
    wn_web_conf_close(&rig_web.conf);
    remove_all(rig_config);
    remove_all(state);
}

void rig_key(const wn_api_key *like, char out_bearer[64]) {
    char path[160], text[WN_API_KEY_TEXT_BYTES], why[200];
    int line;
    wn_api_keys k;
    snprintf(path, sizeof path, "%s/api_keys.yaml", rig_config);
    cr_assert_eq(wn_api_keys_load(path, &k, why, sizeof why, &line), WN_OK);
    wn_api_key *grown = realloc(k.key, (k.n + 1) * sizeof *grown);
    cr_assert(grown);
    k.key = grown;
    k.key[k.n] = *like;
    cr_assert_eq(wn_api_key_draw(text, k.key[k.n].hash), WN_OK);
    k.n++;
    cr_assert_eq(wn_api_keys_save(path, &k), WN_OK);
    wn_api_keys_fini(&k);
    snprintf(out_bearer, 64, "Bearer %s", text);
}

void rig_keys_drop(void) {
    char path[160];
    snprintf(path, sizeof path, "%s/api_keys.yaml", rig_config);
    cr_assert_eq(unlink(path), 0);
}

void rig_publish(const char *site, const char *table, int32_t days, uint64_t tick, bool sealed,
                 const char *const *label, const uint32_t *people, size_t n) {
    const wn_plan *p = &rig_web.conf.plan;
    int at = wn_plan_table(p, table);
    wn_public_row *row = calloc(n + 1, sizeof *row);
    cr_assert(at >= 0 && row);
    const wn_table *t = &p->table[at];
    int64_t start_s = (int64_t)(DAY + days) * 86400;
    wn_public_head h = {.window = {.zone = "UTC",
                                   .kind = WN_KIND_WEB,
                                   .day = DAY + days,
                                   .start_s = start_s,
                                   .end_s = start_s + 86400},
                        .plan_version = p->version,
                        .policy_version = 1,
                        .tick = tick,
                        .published_s = sealed ? start_s + 90000 : start_s + (int64_t)tick * 300,
                        .sealed = sealed,
                        .k = t->k,
                        .measures = t->measures,
                        .dims_n = t->dims_n,
                        .dims = {t->dims[0], t->dims[1]},
                        .profile = t->profile,
                        .share = t->share};
    if (t->profile == WN_PROFILE_NOISE) h.noise = p->noise;
    for (size_t i = 0; i < p->receivers_n; i++)
        if (t->receivers & 1u << i) memcpy(h.receiver[h.receivers_n++], p->receiver[i], WN_RECEIVER_BYTES);
    snprintf(h.table, sizeof h.table, "%s", table);
    snprintf(h.site, sizeof h.site, "%s", site);
    for (size_t i = 0; i < n; i++) {
        row[i].people = people[i];
        if (t->measures & WN_MEASURE_EVENTS) row[i].events = people[i];
        if (label) snprintf(row[i].label[0], sizeof row[i].label[0], "%s", label[i]);
    }
    cr_assert_eq(wn_published_begin(rig_web.store), WN_OK);
    cr_assert_eq(wn_published_rows(rig_web.store, &h, row, n), WN_OK);
    cr_assert_eq(wn_published_commit(rig_web.store), WN_OK);
    free(row);
}

void rig_note(const wn_ledger_entry *e) {
    cr_assert_eq(wn_published_note(rig_web.store, e), WN_OK);
}

int rig_connect(void) {
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, address_n) == 0);
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

bool rig_put(int fd, const char *text, size_t n) {
    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

char *rig_take(int fd, size_t *out_n, bool *out_closed) {
    char *text = malloc(ANSWER_MAX + 1);
    size_t n = 0;
    bool closed = false;
    cr_assert(text);
    for (int quiet = 0; quiet < QUIET_MS && !closed;) {
        struct pollfd p[2] = {{wn_web_http_fd(rig_http), POLLIN, 0}, {fd, POLLIN, 0}};
        int ms = wn_web_http_wait_ms(rig_http, 10);
        (void)poll(p, 2, ms);
        wn_web_http_turn(rig_http);
        ssize_t got = recv(fd, text + n, ANSWER_MAX - n, 0);
        if (got > 0) n += (size_t)got, quiet = 0;
        else if (got == 0 || errno != EAGAIN) closed = true;
        else quiet += ms ? ms : 1;
    }
    text[n] = '\0';
    if (out_n) *out_n = n;
    if (out_closed) *out_closed = closed;
    return text;
}

static void without_date(char *text) {
    char *at = strstr(text, "\r\nDate: "), *end = at ? strstr(at + 2, "\r\n") : NULL;
    if (end) memmove(at, end, strlen(end) + 1);
}

char *rig_raw(const char *request, bool *out_closed) {
    int fd = rig_connect();
    cr_assert(rig_put(fd, request, strlen(request)));
    char *answer = rig_take(fd, NULL, out_closed);
    close(fd);
    without_date(answer);
    return answer;
}

char *rig_get(const char *path, const char *headers) {
    char request[4096];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
             path, headers);
    return rig_raw(request, NULL);
}

int rig_status(const char *answer) {
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}
