// SPDX-License-Identifier: Apache-2.0
// http_intake.c: one handler that libmicrohttpd calls at every step of a
// request. It routes, feeds the decoder, commits, and waits for the disk.
#include "http_intake.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event_json.h"
#include "http_answer.h"
#include "endpoint.h"
#include "http_optout.h"
#include "http_query.h"
#include "http_sender.h"
#include "inflate_body.h"

// Above 32 KiB libmicrohttpd maps a connection's memory instead of taking it
// from the heap, so that closing it gives the bytes back to the kernel unread.
#define CONNECTION_BYTES (36u << 10)
#define RETRY_AFTER_S 5
#define ANSWERS_SPARE_MAX 1024

typedef enum stage { READING, COMMITTING, WAITING } stage;

// What one request needs between two calls of the handler.
typedef struct exchange {
    struct exchange *next; // spare, or suspended
    wn_http *http;
    struct MHD_Connection *connection;
    wn_request *request;
    wn_json *json;       // while the body is read
    wn_inflate *inflate; // and if it is compressed
    wn_event_sink sink;
    const char *origin; // borrowed from the connection
    size_t body_bytes, charged;
    uint64_t token;
    stage stage;
    bool post, pixel, malformed, too_large, full;
    uint8_t batch_id[64];
    size_t batch_id_n;
    wn_lent lent[WN_QUERY_LENT_MAX]; // consent on the query string
} exchange;

struct wn_http {
    struct MHD_Daemon *daemon;
    wn_http_limits limits;
    wn_pipeline *pipeline;
    wn_metrics *metrics;
    wn_answers *answers;
    int fd, listen_fd;
    exchange *spare;
    size_t spare_n;
    wn_json *json_spare;
    exchange *suspended;
    unsigned waiting;
};

// ---- exchanges ----

static exchange *exchange_new(wn_http *h, struct MHD_Connection *c) {
    exchange *x = h->spare;
    if (x != NULL) {
        h->spare = x->next;
        h->spare_n--;
    } else {
        x = malloc(sizeof *x);
    }
    if (x == NULL) return NULL;
    memset(x, 0, offsetof(exchange, batch_id));
    x->batch_id_n = 0;
    x->http = h;
    x->connection = c;
    return x;
}

// Counts what the decoder holds now; false above the limit of all requests.
static bool json_charge(exchange *x, size_t bytes) {
    if (bytes == x->charged) return true;
    ptrdiff_t more = (ptrdiff_t)bytes - (ptrdiff_t)x->charged;
    x->charged = bytes;
    return wn_pipeline_charge(x->http->pipeline, more);
}

static void json_done(exchange *x) {
    wn_http *h = x->http;
    wn_inflate_free(x->inflate);
    x->inflate = NULL;
    if (x->json == NULL) return;
    json_charge(x, 0);
    wn_json_reset(x->json);
    if (h->json_spare == NULL) h->json_spare = x->json;
    else wn_json_free(x->json);
    x->json = NULL;
}

static void exchange_free(exchange *x) {
    wn_http *h = x->http;
    json_done(x);
    wn_request_free(x->request);
    wn_wipe(x, sizeof *x);
    if (h->spare_n == ANSWERS_SPARE_MAX) {
        free(x);
        return;
    }
    x->next = h->spare;
    h->spare = x;
    h->spare_n++;
}

// ---- deferring: the only place that knows how an answer is held back ----

static enum MHD_Result defer(exchange *x) {
    wn_http *h = x->http;
    if (x->stage != WAITING) h->waiting++;
    x->stage = WAITING;
    if (h->limits.suspends) {
        MHD_suspend_connection(x->connection);
        x->next = h->suspended;
        h->suspended = x;
    }
    return MHD_YES;
}

static void defer_end(exchange *x) {
    if (x->stage != WAITING) return;
    x->stage = COMMITTING;
    x->http->waiting--;
}

// A client that left is seen by libmicrohttpd, except while it is suspended.
static void resume_all(wn_http *h) {
    while (h->suspended != NULL) {
        exchange *x = h->suspended;
        h->suspended = x->next;
        x->next = NULL;
        MHD_resume_connection(x->connection);
    }
}

// ---- answers ----

static const wn_site_list *sites(const wn_http *h) {
    return wn_pipeline_site_list(h->pipeline);
}

static enum MHD_Result say(exchange *x, unsigned status, const char *text, const char *allow) {
    wn_http *h = x->http;
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) wn_metric_add(h->metrics, WN_METRIC_http_full);
    if (status == MHD_HTTP_CONTENT_TOO_LARGE) wn_metric_add(h->metrics, WN_METRIC_http_too_large);
    unsigned retry_s = status == MHD_HTTP_SERVICE_UNAVAILABLE ? RETRY_AFTER_S : 0;
    if (x->origin == NULL) x->origin = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Origin");
    return wn_answer_error(x->connection, sites(h), x->origin, status, text, allow, retry_s);
}

static unsigned outcome_status(const exchange *x, const wn_outcome *o) {
    if (x->malformed) return MHD_HTTP_BAD_REQUEST;
    bool nowhere = o->events != 0 && o->by_verdict[WN_VERDICT_unknown_site] == o->events;
    return nowhere ? MHD_HTTP_NOT_FOUND : MHD_HTTP_OK;
}

static enum MHD_Result finish(exchange *x) {
    wn_http *h = x->http;
    wn_commit done = WN_COMMIT_FULL;
    if (x->stage == READING) x->stage = COMMITTING;
    if (x->request != NULL && x->token == 0 && !x->full) {
        wn_span id = {x->batch_id, x->batch_id_n};
        done = wn_request_commit(x->request, id, 0, &x->token);
        if (done == WN_COMMIT_WAIT) return defer(x);
        if (done == WN_COMMIT_FULL) x->full = true;
    }
    if (x->full) {
        defer_end(x);
        if (x->pixel) return wn_answer_pixel(h->answers, x->connection);
        return say(x, MHD_HTTP_SERVICE_UNAVAILABLE, "full: try again later", NULL);
    }
    if (x->token > wn_pipeline_durable(h->pipeline)) return defer(x);
    defer_end(x);
    if (x->pixel) return wn_answer_pixel(h->answers, x->connection);
    const wn_outcome *o = wn_request_outcome(x->request);
    if (x->malformed) wn_metric_add(h->metrics, WN_METRIC_http_malformed);
    return wn_answer_outcome(h->answers, x->connection, sites(h), x->origin, outcome_status(x, o), o);
}

// ---- POST /v1/events ----

static bool json_take(exchange *x) {
    wn_http *h = x->http;
    x->json = h->json_spare;
    h->json_spare = NULL;
    if (x->json == NULL && wn_json_new(&x->json) != WN_OK) return false;
    x->sink = wn_request_sink(x->request);
    x->sink.lent = x->lent;
    x->sink.lent_n = wn_query_lent(x->connection, x->lent);
    wn_json_begin(x->json, &x->sink);
    return json_charge(x, wn_json_bytes(x->json));
}

static enum MHD_Result post_begin(exchange *x) {
    wn_http *h = x->http;
    const char *length =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length != NULL && strtoull(length, NULL, 10) > h->limits.body_bytes_max) {
        x->stage = COMMITTING;
        return say(x, MHD_HTTP_CONTENT_TOO_LARGE, "body too large", NULL);
    }
    x->request = wn_http_sender_begin(x->connection, h->pipeline, false, &x->origin);
    if (x->request != NULL && json_take(x)) return MHD_YES;
    x->full = true;
    return MHD_YES; // answered when the body is through
}

static bool json_piece(void *ctx, wn_span piece) {
    exchange *x = ctx;
    x->malformed = !wn_json_feed(x->json, piece);
    return !x->malformed;
}

static void body_piece(exchange *x, wn_span piece) {
    wn_http *h = x->http;
    bool first = x->body_bytes == piece.n;
    if (first && wn_inflate_wanted(piece.p[0]) && wn_inflate_new(&x->inflate) != WN_OK) x->full = true;
    if (x->full) return;
    if (x->inflate == NULL) {
        json_piece(x, piece);
        return;
    }
    wn_err err = wn_inflate_feed(x->inflate, piece, h->limits.body_bytes_max, json_piece, x);
    if (err == WN_ERR_FULL) x->too_large = true;
    else if (err != WN_OK) x->malformed = true;
}

static size_t body_memory(const exchange *x) {
    return wn_json_bytes(x->json) + (x->inflate != NULL ? wn_inflate_bytes(x->inflate) : 0);
}

static enum MHD_Result post_body(exchange *x, const char *data, size_t *inout_n) {
    wn_http *h = x->http;
    size_t n = *inout_n;
    *inout_n = 0;
    x->body_bytes += n;
    if (x->body_bytes > h->limits.body_bytes_max) {
        // Chunked, so that nobody said so before. What comes is read past, but not for ever.
        if (x->body_bytes > 2 * h->limits.body_bytes_max) return MHD_NO;
        x->too_large = true;
        json_done(x);
    }
    if (x->full || x->too_large || x->malformed) return MHD_YES;
    body_piece(x, (wn_span){(const uint8_t *)data, n});
    if (!x->full && !json_charge(x, body_memory(x))) x->full = true;
    if (x->full || x->too_large) json_done(x);
    return MHD_YES;
}

static enum MHD_Result post_end(exchange *x) {
    if (x->too_large) {
        x->stage = COMMITTING;
        return say(x, MHD_HTTP_CONTENT_TOO_LARGE, "body too large", NULL);
    }
    if (x->stage == READING && x->json != NULL) {
        bool whole = x->inflate == NULL || wn_inflate_whole(x->inflate);
        if (!wn_json_end(x->json) || !whole) x->malformed = true;
        wn_span id = wn_json_batch_id(x->json);
        x->batch_id_n = id.n;
        if (id.n != 0) memcpy(x->batch_id, id.p, id.n);
        json_done(x);
    }
    return finish(x);
}

// ---- GET /p.gif ----

static enum MHD_Result pixel_begin(exchange *x) {
    x->pixel = true;
    x->request = wn_http_sender_begin(x->connection, x->http->pipeline, true, &x->origin);
    if (x->request == NULL) {
        x->full = true;
        return finish(x);
    }
    x->sink = wn_request_sink(x->request);
    wn_query_event(x->connection, &x->sink);
    return finish(x);
}

// ---- routing ----

static bool is_get(const char *method) {
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result script(exchange *x) {
    const char *tag =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    const char *takes =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    return wn_answer_script(x->http->answers, x->connection, tag,
                            takes != NULL && strstr(takes, "gzip") != NULL);
}

static enum MHD_Result route(exchange *x, const char *method, const char *path) {
    wn_http *h = x->http;
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        const char *origin = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Origin");
        return wn_answer_preflight(x->connection, sites(h), origin,
                                   wn_optout_path(path) ? WN_OPTOUT_METHODS : "GET, POST, OPTIONS");
    }
    if (strcmp(path, "/v1/events") == 0) {
        return say(x, MHD_HTTP_METHOD_NOT_ALLOWED, "events are sent with POST", "POST, OPTIONS");
    }
    if (strcmp(path, "/p.gif") == 0) {
        if (strcmp(method, MHD_HTTP_METHOD_GET) == 0) return pixel_begin(x);
        return say(x, MHD_HTTP_METHOD_NOT_ALLOWED, "the pixel is fetched with GET", "GET, OPTIONS");
    }
    if (wn_optout_path(path)) return wn_optout_answer(x->connection, h->pipeline, method, path);
    bool fixed = strcmp(path, "/w.js") == 0 || strcmp(path, "/healthz") == 0;
    if (fixed && !is_get(method))
        return say(x, MHD_HTTP_METHOD_NOT_ALLOWED, "fetched with GET", "GET, HEAD, OPTIONS");
    if (strcmp(path, "/w.js") == 0) return script(x);
    if (fixed) return wn_answer_health(x->connection, !wn_pipeline_stuck(h->pipeline));
    return say(x, MHD_HTTP_NOT_FOUND,
               "not here: POST /v1/events, GET /p.gif, GET /w.js, GET /v1/opt-out, GET /healthz", NULL);
}

static bool has_body(struct MHD_Connection *c) {
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length != NULL && strcmp(length, "0") != 0) return true;
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *data_n, void **state) {
    (void)version;
    exchange *x = *state;
    if (x == NULL) {
        x = exchange_new(ctx, c);
        if (x == NULL) return MHD_NO;
        *state = x;
        wn_metric_add(x->http->metrics, WN_METRIC_http_requests);
        x->post = strcmp(method, MHD_HTTP_METHOD_POST) == 0 && strcmp(path, "/v1/events") == 0;
        if (x->post) return post_begin(x);
        // An answer before the request is read through would end the connection: only a body nobody wants is
        // worth that.
        return has_body(c) ? route(x, method, path) : MHD_YES;
    }
    if (x->post) return *data_n != 0 ? post_body(x, data, data_n) : post_end(x);
    return x->pixel ? finish(x) : route(x, method, path);
}

static void on_end(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how) {
    (void)c;
    wn_http *h = ctx;
    exchange *x = *state;
    if (x == NULL) return;
    *state = NULL;
    if (x->stage == READING && x->request != NULL && how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        wn_metric_add(h->metrics, WN_METRIC_http_abandoned);
    defer_end(x);
    exchange_free(x);
}

// ---- life ----

wn_err wn_http_open(const char *listen, const wn_http_limits *limits, wn_pipeline *pipeline,
                    wn_metrics *metrics, wn_http **out) {
    wn_endpoint e;
    WN_TRY(wn_endpoint_parse(listen, &e));
    wn_http *h = calloc(1, sizeof *h);
    if (h == NULL) return WN_ERR_NOMEM;
    h->limits = *limits;
    h->pipeline = pipeline;
    h->metrics = metrics;
    h->listen_fd = -1;
    wn_err err = wn_answers_new(&h->answers);
    if (err == WN_OK) err = wn_endpoint_listen(&e, &h->listen_fd);
    if (err != WN_OK) {
        wn_http_close(h);
        return err;
    }
    unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | (limits->suspends ? MHD_ALLOW_SUSPEND_RESUME : 0);
    h->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, h->listen_fd,
                         MHD_OPTION_NOTIFY_COMPLETED, on_end, h, MHD_OPTION_CONNECTION_LIMIT,
                         limits->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_s,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon == NULL ? NULL : MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        wn_http_close(h);
        return WN_ERR_IO;
    }
    h->fd = info->epoll_fd;
    *out = h;
    return WN_OK;
}

void wn_http_close(wn_http *h) {
    if (h == NULL) return;
    resume_all(h);
    if (h->daemon != NULL) MHD_stop_daemon(h->daemon);
    else if (h->listen_fd >= 0) close(h->listen_fd);
    wn_answers_free(h->answers);
    wn_json_free(h->json_spare);
    while (h->spare != NULL) {
        exchange *x = h->spare;
        h->spare = x->next;
        free(x);
    }
    free(h);
}

int wn_http_fd(const wn_http *h) {
    return h->fd;
}

unsigned wn_http_port(const wn_http *h) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}

void wn_http_turn(wn_http *h) {
    resume_all(h);
    MHD_run(h->daemon);
}

bool wn_http_ready(const wn_http *h) {
    MHD_UNSIGNED_LONG_LONG ms = 0;
    return h->waiting == 0 && MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms == 0;
}

unsigned wn_http_waiting(const wn_http *h) {
    return h->waiting;
}

void wn_http_quiesce(wn_http *h) {
    int fd = MHD_quiesce_daemon(h->daemon);
    if (fd >= 0) close(fd);
}

void wn_http_reloaded(wn_http *h) {
    wn_answers_forget(h->answers);
}
