// SPDX-License-Identifier: Apache-2.0
// leak_rig.c: see leak_rig.h.
#include "leak_rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "pipeline_body.h"

static const wn_http_limits limits = {.connections_max = 64, .idle_s = 15, .body_bytes_max = 65536};

static void on_ask(void *ctx, const wn_window *w) {
    wn_import_state(((leak_rig *)ctx)->import, w, WN_WINDOW_NEVER);
}

static void on_done(void *ctx, uint64_t asker, const wn_import_result *res) {
    leak_rig *l = ctx;
    (void)asker;
    l->imported = *res;
    l->imports_done++;
}

static void on_window(void *ctx, const wn_window *w) {
    (void)ctx, (void)w;
}

static void on_closed(void *ctx, const wn_window *w, uint64_t generation, uint64_t sequence) {
    (void)w, (void)generation, (void)sequence;
    ((leak_rig *)ctx)->windows_closed++;
}

static void on_review(void *ctx, const wn_window *w) {
    (void)ctx, (void)w;
}

void leak_open(leak_rig *l) {
    memset(l, 0, sizeof *l);
    cr_assert_not_null(l->log = tmpfile());
    cr_assert_geq(dup2(fileno(l->log), STDERR_FILENO), 0);
    rig_open(&l->r);
    wn_log_level(WN_LEVEL_DEBUG);
    cr_assert_eq(wn_http_open("127.0.0.1:0", &limits, l->r.pipeline, &l->metrics, &l->http), WN_OK);
    wn_import_parts import = {l->r.pipeline, l->r.edge, l->r.spool, &l->metrics, l, on_ask, on_done};
    cr_assert_eq(wn_import_open(&import, &l->import), WN_OK);
    wn_closing_parts closing = {l->r.edge, l->r.spool, l->r.sessions, l->r.pipeline, l, on_closed, on_review};
    cr_assert_eq(wn_closing_open(&closing, &l->closing), WN_OK);
}

void leak_close(leak_rig *l) {
    wn_closing_close(l->closing);
    wn_import_close(l->import);
    wn_http_close(l->http);
    rig_close(&l->r);
    free(l->answers);
    free(l->sent.p);
    fclose(l->log);
}

// ---- heaps ----

static leak_heap heap;

#define ZEROS_KEPT 64 // of a run: empty tables are not worth a search

static void put(leak_heap *h, const void *p, size_t n) {
    const uint8_t *from = p;
    size_t zeros = 0;
    if (h->n + n > h->cap) {
        h->cap = (h->n + n) * 2;
        cr_assert_not_null(h->p = realloc(h->p, h->cap));
    }
    for (size_t i = 0; i < n; i++) {
        zeros = from[i] == 0 ? zeros + 1 : 0;
        if (zeros <= ZEROS_KEPT) h->p[h->n++] = from[i];
    }
}

static void add(const void *p, size_t n) {
    put(&heap, p, n);
}

static void put_texts(leak_heap *h, const wn_batch_reader *reader) {
    char text[WN_OPEN_TEXT_MAX + 1];
    wn_value v;
    size_t n;
    for (uint32_t i = 0; i < wn_batch_reader_values(reader); i++) {
        wn_batch_reader_value(reader, i, &v);
        if (v.n == 0) continue;
        cr_assert_eq(wn_value_open(reader->head.text_key, &v, text, &n), WN_OK);
        put(h, text, n);
        put(h, "\n", 1);
    }
}

// Takes over what is durable, as the aggregator would.
static void deliver(leak_rig *l) {
    static wn_batch_reader reader;
    wn_spool_record rec;
    wn_observation obs;
    wn_spool_rewind(l->r.spool);
    while (wn_spool_next(l->r.spool, &rec)) {
        put(&l->sent, rec.bytes, rec.n);
        cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){rec.bytes, rec.n}), WN_OK);
        put_texts(&l->sent, &reader);
        while (wn_batch_reader_next(&reader, &obs)) {
            put(&l->sent, &obs, sizeof obs);
            cr_assert_lt(l->seen_n, WN_COUNT(l->seen));
            l->seen[l->seen_n++] = obs;
        }
    }
    rig_deliver(&l->r);
}

// ---- doors ----

// CORS has to say an origin back, to that origin alone: a page's host, no word about the person.
static void keep(leak_rig *l, size_t n) {
    static const char allowed[] = "Access-Control-Allow-Origin: ";
    char *origin = strstr(l->answer, allowed);
    if (origin != NULL) memset(origin + sizeof allowed - 1, '-', strcspn(origin + sizeof allowed - 1, "\r"));
    l->answers = realloc(l->answers, l->answers_n + n);
    cr_assert_not_null(l->answers);
    memcpy(l->answers + l->answers_n, l->answer, n);
    l->answers_n += n;
}

const char *leak_ask(leak_rig *l, const char *request) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wn_http_port(l->http))};
    int64_t until = wn_monotonic_ms() + 5000;
    size_t n = 0, left = strlen(request);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    memset(l->answer, 0, sizeof l->answer);
    for (ssize_t got = -1; got != 0;) {
        ssize_t put = left > 0 ? send(fd, request, left, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        if (put > 0) request += put, left -= (size_t)put;
        cr_assert_lt(wn_monotonic_ms(), until, "no answer");
        wn_http_turn(l->http);
        rig_sync(&l->r);
        got = recv(fd, l->answer + n, sizeof l->answer - 1 - n, MSG_DONTWAIT);
        if (got > 0) n += (size_t)got;
    }
    close(fd);
    keep(l, n);
    return l->answer;
}

static const char *ask(leak_rig *l, const char *method, const char *target, const char *heads,
                       const char *body) {
    static char text[70000];
    bool agent = strstr(heads, "User-Agent:") != NULL, host = strstr(heads, "Host:") != NULL;
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n%s%s%sConnection: close\r\n", method, target,
                     host ? "" : "Host: count.example\r\n", agent ? "" : "User-Agent: " RIG_UA "\r\n", heads);
    cr_assert_lt((size_t)n + strlen(body) + 100, sizeof text);
    if (strcmp(method, "GET") != 0)
        n += snprintf(text + n, sizeof text - (size_t)n, "Content-Length: %zu\r\n", strlen(body));
    snprintf(text + n, sizeof text - (size_t)n, "\r\n%s", body);
    return leak_ask(l, text);
}

const char *leak_get(leak_rig *l, const char *target, const char *heads) {
    return ask(l, "GET", target, heads, "");
}

const char *leak_post(leak_rig *l, const char *target, const char *heads, const char *body) {
    return ask(l, "POST", target, heads, body);
}

void leak_import(leak_rig *l, const char *format, const char *lines) {
    uint64_t token;
    size_t before = l->imports_done;
    cr_assert_null(wn_import_begin(l->import, (wn_span){(const uint8_t *)"shop", 4},
                                   (wn_span){(const uint8_t *)format, strlen(format)}, 0, &token));
    cr_assert_null(wn_import_lines(l->import, token, (wn_span){(const uint8_t *)lines, strlen(lines)}));
    cr_assert_null(wn_import_chunk(l->import, token, 1));
    for (int i = 0; i < 50 && l->imports_done == before; i++) {
        wn_import_turn(l->import);
        rig_sync(&l->r);
        deliver(l);
    }
    cr_assert_eq(l->imports_done, before + 1, "not imported");
    cr_assert_null(l->imported.error);
    cr_assert_null(wn_import_end(l->import, token, on_window, NULL));
}

wn_window leak_window(const leak_rig *l) {
    wn_window w;
    wn_zone_window(wn_zone_find("UTC"), WN_KIND_WEB, l->r.now_s, &w);
    return w;
}

void leak_seal(leak_rig *l) {
    wn_window w = leak_window(l);
    size_t before = l->windows_closed;
    wn_closing_begin(l->closing, &w);
    for (int i = 0; i < 20 && l->windows_closed == before; i++) {
        rig_sync(&l->r);
        if (wn_pipeline_pending(l->r.pipeline) == 0) deliver(l);
        wn_closing_turn(l->closing);
    }
    cr_assert_eq(l->windows_closed, before + 1, "not sealed");
    if (l->sent.cap > 0) wn_wipe(l->sent.p, l->sent.cap);
    l->sent.n = 0;
}

static int add_file(const char *path, const struct stat *st, int what, struct FTW *walk) {
    (void)walk;
    FILE *f = what == FTW_F ? fopen(path, "r") : NULL;
    char *bytes = malloc((size_t)st->st_size + 1);
    if (f != NULL) add(bytes, fread(bytes, 1, (size_t)st->st_size, f)), fclose(f);
    add(path, strlen(path)); // a name says something, too
    free(bytes);
    return 0;
}

size_t leak_observations(leak_rig *l, wn_observation *out, size_t max) {
    deliver(l);
    size_t n = l->seen_n < max ? l->seen_n : max;
    memcpy(out, l->seen, n * sizeof *out);
    return n;
}

const char *leak_log(leak_rig *l) {
    static char text[1u << 16];
    rewind(l->log);
    size_t n = fread(text, 1, sizeof text - 1, l->log);
    fseek(l->log, 0, SEEK_END);
    text[n] = '\0';
    return text;
}

leak_heap leak_all(leak_rig *l) {
    static char metrics[WN_METRICS_TEXT_MAX];
    heap.n = 0;
    add(l->answers, l->answers_n);
    const char *log = leak_log(l);
    add(log, strlen(log));
    wn_metrics_refresh(&l->metrics, wn_pipeline_count(l->r.pipeline), 40, l->r.now_s + 1000);
    add(metrics, wn_metrics_text(&l->metrics, metrics, sizeof metrics));
    deliver(l);
    add(l->sent.p, l->sent.n);
    add(l->r.session_memory.p, l->r.session_memory.bytes);
    add(l->r.identity.p, l->r.identity.bytes);
    add(l->r.pipeline->scratch, wn_scratch_bytes());
    for (const wn_chunk *c = l->r.pipeline->chunk_spare; c != NULL; c = c->next)
        add(c->bytes, sizeof c->bytes);
    if (l->r.pipeline->event_spare != NULL) add(l->r.pipeline->event_spare, wn_event_bytes());
    cr_assert_eq(nftw(l->r.dir, add_file, 16, FTW_PHYS), 0);
    return heap;
}

bool leak_holds_bytes(const leak_heap *h, const void *p, size_t n) {
    return memmem(h->p, h->n, p, n) != NULL;
}

size_t leak_find(const leak_heap *h, const char *id, size_t run) {
    static uint8_t *low;
    char part[64];
    size_t n = strlen(id);
    cr_assert(run <= sizeof part && (low = realloc(low, h->n)) != NULL);
    for (size_t i = 0; i < h->n; i++) low[i] = (uint8_t)tolower(h->p[i]);
    for (size_t i = 0; i + run <= n; i++) {
        for (size_t k = 0; k < run; k++) part[k] = (char)tolower((unsigned char)id[i + k]);
        const uint8_t *at = memmem(low, h->n, part, run);
        if (at != NULL) return (size_t)(at - low);
    }
    return h->n;
}

bool leak_holds(const leak_heap *h, const char *id, size_t run) {
    return leak_find(h, id, run) != h->n;
}
