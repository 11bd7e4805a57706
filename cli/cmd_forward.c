// SPDX-License-Identifier: Apache-2.0
// cmd_forward.c: what has gone to whom, what would go, and trying again.
#include <string.h>
#include <time.h>

#include "cli_ask.h"
#include "cli_published.h"
#include "clock.h"
#include "forward.h"

#define ASK_MS 10000

static bool load(const wn_cli *c, wn_destinations *out) {
    char path[400], why[400] = "";
    int line = 0;
    snprintf(path, sizeof path, "%s/destinations.yaml", c->o.config_dir);
    if (wn_destinations_load(path, out, why, sizeof why, &line) != WN_OK)
        return line > 0 ? wn_cli_failed("%s, line %d: %s", path, line, why)
                        : wn_cli_failed("%s: %s", path, why),
               false;
    if (out->n > 0) return true;
    wn_destinations_fini(out);
    return wn_cli_failed(
               "%s names no destination. To begin with:\n\n"
               "    destinations:\n"
               "      - name: partner            # in plan.yaml: receivers: [partner] on the tables it gets\n"
               "        kind: webhook            # or clickhouse, file, ga4, hubspot, mixpanel\n"
               "        url: https://partner.example/hook\n"
               "        secret_file: /etc/winnow/partner.secret\n"
               "        basis: \"contract of 2026-03-01\"   # by what right it receives crowds' figures\n",
               path),
           false;
}

// ---- status ----

static bool text_of(wn_mp *m, char *out, size_t cap) {
    wn_span s = {NULL, 0};
    if (!wn_mp_str(m, cap - 1, &s)) return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

typedef struct line {
    char name[WN_RECEIVER_BYTES], kind[16], state[16], reason[32];
    uint64_t again_at_s, last_status, windows_left, sent, refused, doubtful;
} line;

static bool read_line(wn_mp *m, line *l) {
    uint32_t pairs = 0;
    if (!wn_mp_map(m, 32, &pairs)) return false;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(m, 32, &key)) return false;
        if (wn_span_is(key, "name")) text_of(m, l->name, sizeof l->name);
        else if (wn_span_is(key, "kind")) text_of(m, l->kind, sizeof l->kind);
        else if (wn_span_is(key, "state")) text_of(m, l->state, sizeof l->state);
        else if (wn_span_is(key, "reason")) text_of(m, l->reason, sizeof l->reason);
        else if (wn_span_is(key, "again_at_s")) (void)wn_mp_uint(m, INT64_MAX, &l->again_at_s);
        else if (wn_span_is(key, "last_status")) (void)wn_mp_uint(m, UINT32_MAX, &l->last_status);
        else if (wn_span_is(key, "windows_left")) (void)wn_mp_uint(m, UINT64_MAX, &l->windows_left);
        else if (wn_span_is(key, "rows_sent")) (void)wn_mp_uint(m, UINT64_MAX, &l->sent);
        else if (wn_span_is(key, "rows_refused")) (void)wn_mp_uint(m, UINT64_MAX, &l->refused);
        else if (wn_span_is(key, "rows_doubtful")) (void)wn_mp_uint(m, UINT64_MAX, &l->doubtful);
        else (void)wn_mp_skip(m, 4);
    }
    return !m->bad;
}

static void print_reason(const line *l) {
    wn_reason reason = WN_REASON_NONE;
    while (reason < WN_REASON_N && strcmp(wn_reason_word(reason), l->reason) != 0) reason++;
    if (reason == WN_REASON_NONE || reason == WN_REASON_N) return;
    const char *text = wn_reason_text(reason), *number = strstr(text, "{1}");
    printf("    %s: %s: ", l->state, l->reason);
    if (number == NULL) fputs(text, stdout);
    else printf("%.*s%llu%s", (int)(number - text), text, (unsigned long long)l->last_status, number + 3);
    puts(strcmp(l->state, "stopped") == 0 ? "; then `winnow forward retry`" : "");
}

static void print_line(const line *l) {
    char again[32] = "";
    time_t at = (time_t)l->again_at_s;
    struct tm tm;
    if (strcmp(l->state, "waiting") == 0)
        strftime(again, sizeof again, "  until %H:%M:%SZ", gmtime_r(&at, &tm));
    printf("%-20s  %-10s  %-8s  %8llu  %9llu  %7llu  %8llu  %6llu%s\n", l->name, l->kind, l->state,
           (unsigned long long)l->windows_left, (unsigned long long)l->sent, (unsigned long long)l->refused,
           (unsigned long long)l->doubtful, (unsigned long long)l->last_status, again);
    print_reason(l);
}

static int status(wn_cli *c, const char *role_dir) {
    wn_question q;
    wn_reply r;
    wn_mp m;
    uint32_t n = 0;
    wn_question_init(&q, "status", 0);
    bool well = wn_cli_ask_ok(c, role_dir, &q, ASK_MS, &r);
    wn_question_fini(&q);
    if (!well) return WN_EXIT_FAILED;
    bool bad = false;
    if (wn_reply_find(&r, "file_bad", &m) && wn_mp_bool(&m, &bad) && bad)
        puts("destinations.yaml is not valid: nothing is sent to anybody until it is; see `winnow "
             "--check-config`.");
    well = wn_reply_find(&r, "destinations", &m) && wn_mp_array(&m, WN_DESTINATIONS_MAX, &n);
    printf("%-20s  %-10s  %-8s  %8s  %9s  %7s  %8s  %6s\n", "destination", "kind", "state", "windows", "rows",
           "set", "doubtful", "HTTP");
    printf("%-20s  %-10s  %-8s  %8s  %9s  %7s  %8s  %6s\n", "", "", "", "left", "sent", "aside", "",
           "status");
    for (uint32_t i = 0; i < n && well; i++) {
        line l = {.name = ""};
        well = read_line(&m, &l);
        if (well) print_line(&l);
    }
    wn_reply_fini(&r);
    puts("Rows are counted since winnow-forward started; `winnow ledger recipients` says who got what, for "
         "ever.");
    return well ? WN_EXIT_OK : wn_cli_failed("winnow-forward's answer cannot be read");
}

// ---- dry run: exactly the bytes, but for what is secret ----

typedef struct dry {
    const wn_destination *d;
    const wn_sink *sink;
    wn_published *p;
    bool all; // what has gone already, too
    int64_t now_s;
    size_t requests;
    wn_err err;
} dry;

static void hide(char *text, const char *secret) {
    size_t n = strlen(secret);
    for (char *at = n > 0 ? strstr(text, secret) : NULL; at != NULL; at = strstr(at, secret))
        memset(at, '*', n);
}

// A webhook's address may hold a key of its own: ?token=….
static void hide_values(char *url) {
    char *at = strchr(url, '?');
    while (at != NULL && (at = strchr(at, '=')) != NULL) {
        size_t n = strcspn(++at, "&");
        memset(at, '*', n);
        at += n;
    }
}

static void print_request(const dry *d, wn_sink_request *r) {
    hide(r->url, d->d->secret);
    if (strcmp(d->d->kind, "webhook") == 0) hide_values(r->url);
    if (d->sink->network) printf("POST %s\n", r->url);
    else printf("FILE %s\n", r->url);
    for (size_t i = 0; i < r->headers_n; i++) {
        char *h = r->header[i];
        bool secret = strncmp(h, "Authorization:", 14) == 0 || strncmp(h, "X-ClickHouse-Key:", 17) == 0;
        if (secret) printf("%.*s: (secret)\n", (int)(strchr(h, ':') - h), h);
        else puts(h);
    }
    puts("");
    fwrite(r->body, 1, r->body_bytes, stdout);
    puts("\n");
}

// As winnow-forward does: what is too large goes in halves.
static bool dry_rows(dry *d, const wn_public_head *head, const wn_public_row *rows, size_t n, size_t from) {
    for (size_t at = from, most = d->sink->rows_max; at < n;) {
        wn_sink_batch b = {
            .to = d->d, .head = head, .rows = rows + at, .n = n - at, .first = at, .now_s = d->now_s};
        if (b.n > most) b.n = most;
        wn_sink_request r = {0};
        wn_err err = d->sink->write(&b, &r);
        if (err == WN_OK) print_request(d, &r), d->requests++;
        wn_sink_request_fini(&r);
        if (err == WN_ERR_STATE)
            return printf("# too old for %s: this window is set aside\n\n", d->sink->kind), true;
        if (err == WN_ERR_FULL && b.n > 1) {
            most = b.n / 2;
            continue;
        }
        if (err == WN_ERR_FULL) printf("# too large for %s: this row is set aside\n\n", d->sink->kind);
        else if (err != WN_OK) return d->err = err, false;
        at += b.n;
    }
    return true;
}

static bool dry_visit(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    dry *d = ctx;
    wn_transfer t = {0};
    if (!wn_destination_takes(d->d, head)) return true;
    if (!d->all) d->err = wn_published_transfer(d->p, d->d->name, head->site, head->table, &head->window, &t);
    if (d->err != WN_OK) return false;
    bool over = t.done || (t.unsure && d->sink->once); // see winnow-forward's forward_turn.c
    return over || dry_rows(d, head, rows, n, t.rows_done);
}

static int dry_print(dry *d) {
    wn_err err = wn_published_scan(d->p, NULL, NULL, INT64_MIN, INT64_MAX, dry_visit, d);
    if (d->err == WN_OK) d->err = err;
    if (d->err == WN_ERR_CONFIG)
        return wn_cli_failed("no request can be made for %s: see `winnow --check-config`", d->d->name);
    if (d->err != WN_OK) return wn_cli_failed("%s", wn_err_text(d->err));
    if (d->requests > 0) return WN_EXIT_OK;
    if (d->all)
        return wn_cli_failed(
            "no sealed window names %s. Its tables are those whose plan says receivers: [%s]; "
            "a table with a new receiver starts empty.",
            d->d->name, d->d->name);
    return wn_cli_failed("nothing would go to %s: no sealed window that names it is left to be sent; --all "
                         "shows what has gone, too",
                         d->d->name);
}

static int dry_run(wn_cli *c, const wn_args *a) {
    wn_destinations all;
    dry d = {.all = wn_args_has(a, "all"), .now_s = wn_now_s()};
    if (!load(c, &all)) return WN_EXIT_FAILED;
    d.d = wn_destination_find(&all, a->word[1]);
    int code = WN_EXIT_FAILED;
    if (d.d == NULL) {
        (void)wn_cli_failed("destinations.yaml names no destination \"%.40s\"", a->word[1]);
    } else if (wn_destination_secret(&all.to[d.d - all.to]) != WN_OK) {
        (void)wn_cli_failed("%s: the secret cannot be read: one printable line, readable by its owner alone",
                            d.d->secret_file);
    } else if (wn_cli_published(c, &d.p)) {
        d.sink = wn_sink_by_kind(d.d->kind);
        code = dry_print(&d);
        wn_published_close(d.p);
    }
    wn_destinations_fini(&all);
    return code;
}

static int retry(wn_cli *c, const char *role_dir) {
    wn_question q;
    wn_reply r;
    wn_question_init(&q, "retry", 0);
    bool well = wn_cli_ask_ok(c, role_dir, &q, ASK_MS, &r);
    wn_question_fini(&q);
    if (!well) return WN_EXIT_FAILED;
    wn_reply_fini(&r);
    puts("All destinations are tried again now.");
    return WN_EXIT_OK;
}

static int run(wn_cli *c, const wn_args *a) {
    char role_dir[300];
    snprintf(role_dir, sizeof role_dir, "%.250s/forward", c->o.state_dir);
    bool named = a->words == 2;
    if (strcmp(a->word[0], "status") == 0 && !named) return status(c, role_dir);
    if (strcmp(a->word[0], "retry") == 0 && !named) return retry(c, role_dir);
    if (strcmp(a->word[0], "dry-run") == 0 && named) return dry_run(c, a);
    return wn_cli_misused(&wn_cmd_forward, "\"%.20s\": allowed are status, retry and dry-run NAME",
                          a->word[0]);
}

static const wn_flag flags[] = {
    {"all", NULL, "dry-run: what has gone already, too."},
};

const wn_command wn_cmd_forward = {
    .name = "forward",
    .usage = "status | retry | dry-run NAME [--all]",
    .doc = "Shows how published rows reach third parties, or what would be sent.",
    .more = "Destinations stand in destinations.yaml; which tables each gets, the plan says (receivers). "
            "status says in a word why a destination waits. dry-run prints the requests that are left byte "
            "for byte, secrets hidden, and sends nothing. retry tries at once what waits or was stopped.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
