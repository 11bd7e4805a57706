// SPDX-License-Identifier: Apache-2.0
// Why: one handler that libmicrohttpd calls at every step of a request: it
// finds the route, judges who asks and how, and lets the endpoint answer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "ui.h"
#include "web.h"

#define GET_ALLOWED "GET, HEAD, OPTIONS"
#define POST_ALLOWED "POST, OPTIONS"

struct wn_web_http {
    struct MHD_Daemon *daemon;
    wn_web *web;
    wn_web_conns conns;
    int fd;
    unsigned asks;
};

static const wn_web_route routes[] = {
    {"/api/v1/sites", false, false, true, wn_web_sites},
    {"/api/v1/tables", false, false, true, wn_web_tables},
    {"/api/v1/report", false, false, true, wn_web_report},
    {"/api/v2/query", true, false, false, wn_web_stats},
    {"/.well-known/winnow.json", false, true, false, wn_web_public},
    {"/healthz", false, true, false, wn_web_health},
};

static const char *header_of(const wn_web_ask *a, const char *name) {
    return MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, name);
}

// ---- judging ----

static bool peer_is_loopback(const wn_web_ask *a) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(a->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info) return false;
    if (info->client_addr->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr.s_addr) >> 24 ==
               127;
    return info->client_addr->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr);
}

static bool peer_is_ours(wn_web_ask *a) {
    struct sockaddr_storage server;
    socklen_t n = sizeof server;
    uid_t user;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(a->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (a->conn->peer == WN_PEER_UNASKED && info) {
        bool ours = getsockname(a->conn->fd, (struct sockaddr *)&server, &n) == 0 &&
                    wn_web_peer_user(&a->web->peers, info->client_addr, (struct sockaddr *)&server, &user) &&
                    user == geteuid();
        a->conn->peer = ours ? WN_PEER_OURS : WN_PEER_FOREIGN;
    }
    return a->conn->peer == WN_PEER_OURS;
}

// What there is of a head that can be read in two ways.
typedef struct head {
    unsigned hosts, lengths, encodings;
    bool odd, forwarded;
} head;

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value) {
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    head *h = ctx;
    (void)kind;
    if (!value) value = "";
    h->odd = h->odd || !name[0] || name[strspn(name, token)] || strpbrk(value, "\r\n");
    h->forwarded = h->forwarded || wn_web_header_of_proxy(name);
    h->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        h->lengths++;
        h->odd = h->odd || !value[0] || value[strspn(value, "0123456789")];
    }
    if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        h->encodings++;
        h->odd = h->odd || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

static head head_of(wn_web_ask *a) {
    head h = {0};
    MHD_get_connection_values(a->connection, MHD_HEADER_KIND, take_header, &h);
    return h;
}

// A proxy in front may have read such a head otherwise, and taken the next request for this one's body.
static bool framing_is_clear(wn_web_ask *a, const head *h) {
    if (!h->odd && h->hosts <= 1 && h->lengths <= 1 && h->encodings <= 1 && h->lengths + h->encodings <= 1)
        return true;
    return wn_problem_set(&a->problem, WN_PROBLEM_bad_framing,
                          "Send one Host, and one Content-Length or Transfer-Encoding: chunked, not both");
}

// Who holds what this one asks for: a key, or an address.
static void name_asker(wn_web_ask *a) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(a->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    memset(a->who, 0, sizeof a->who);
    if (!a->reader.all) {
        memcpy(a->who, a->reader.key.hash, sizeof a->who);
    } else if (info && info->client_addr->sa_family == AF_INET) {
        memcpy(a->who, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, 4);
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        memcpy(a->who, &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, 16);
    }
}

static bool may_come_in(wn_web_ask *a, bool forwarded) {
    const wn_web *w = a->web;
    const wn_web_rules rules = {w->o.web_behind_proxy, w->o.web_public, w->o.web_listen};
    const bool loopback = peer_is_loopback(a), asked = w->conf.keys.there || rules.open_to_all;
    const wn_web_visitor v = {
        .loopback = loopback,
        .same_user = loopback && !asked && peer_is_ours(a),
        .host = header_of(a, MHD_HTTP_HEADER_HOST),
        .authorization = header_of(a, MHD_HTTP_HEADER_AUTHORIZATION),
        .forwarded = forwarded,
    };
    if (!wn_web_access(&rules, &w->conf, &v, &a->reader, &a->problem)) return false;
    name_asker(a);
    return true;
}

static enum MHD_Result take_pair(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                 const char *value, size_t value_n) {
    (void)kind;
    wn_web_ask *a = ctx;
    if (a->pairs_n++ >= WN_WEB_PAIRS_MAX) return MHD_NO;
    a->pair[a->pairs_n - 1] =
        (wn_web_pair){{(const uint8_t *)name, name_n}, {(const uint8_t *)value, value ? value_n : 0}};
    return MHD_YES;
}

static bool pairs_take(wn_web_ask *a) {
    MHD_get_connection_values_n(a->connection, MHD_GET_ARGUMENT_KIND, take_pair, a);
    if (a->pairs_n > WN_WEB_PAIRS_MAX)
        return wn_problem_set(&a->problem, WN_PROBLEM_bad_parameter, "At most %d parameters",
                              WN_WEB_PAIRS_MAX);
    if (a->pairs_n > 0 && !a->route->parameters)
        return wn_problem_set(&a->problem, WN_PROBLEM_bad_parameter, "This takes no parameters");
    return true;
}

static bool method_is(const char *method, const wn_web_route *route) {
    if (route->post) return strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static bool is_json(const char *type) {
    static const char json[] = "application/json";
    return type && strncasecmp(type, json, sizeof json - 1) == 0 &&
           (type[sizeof json - 1] == '\0' || type[sizeof json - 1] == ';' || type[sizeof json - 1] == ' ');
}

static bool has_body(const wn_web_ask *a) {
    const char *length = header_of(a, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length && strcmp(length, "0") != 0) || header_of(a, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

// All that can be refused before a body is read. False with a->problem.
static bool judge(wn_web_ask *a, const char *method, const char *path) {
    const head h = head_of(a);
    if (!framing_is_clear(a, &h)) return false;
    if (a->url_long)
        return wn_problem_set(&a->problem, WN_PROBLEM_url_too_long, "At most %d bytes with its parameters",
                              WN_WEB_URL_BYTES_MAX);
    for (size_t i = 0; i < WN_COUNT(routes) && !a->route && !a->url_escaped; i++)
        if (strcmp(path, routes[i].path) == 0) a->route = &routes[i];
    if (!a->route && !a->url_escaped) a->route = wn_ui_route(path);
    if (!a->route)
        return wn_problem_set(&a->problem, WN_PROBLEM_not_here,
                              "The API is described at /api/v1/openapi.json, the dashboard is at /");
    if (!method_is(method, a->route)) {
        (void)wn_problem_set(&a->problem, WN_PROBLEM_bad_method, "Ask with %s",
                             a->route->post ? "POST and a JSON body" : "GET");
        a->problem.allow = a->route->post ? POST_ALLOWED : GET_ALLOWED;
        return false;
    }
    if (!a->route->post && has_body(a))
        return wn_problem_set(&a->problem, WN_PROBLEM_unwanted_body, "Ask with GET and no body");
    wn_web_conf_watch(&a->web->conf);
    if (!a->route->open && !may_come_in(a, h.forwarded)) return false;
    if (a->route->post && !is_json(header_of(a, MHD_HTTP_HEADER_CONTENT_TYPE)))
        return wn_problem_set(&a->problem, WN_PROBLEM_not_json, "Send Content-Type: application/json");
    return pairs_take(a);
}

// ---- one request ----

// Called first of all, with the address as it came.
static void *ask_new(void *ctx, const char *uri, struct MHD_Connection *c) {
    wn_web_http *h = ctx;
    wn_web_ask *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->web = h->web;
    a->connection = c;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    a->conn = info ? info->socket_context : NULL;
    if (!a->conn) return free(a), NULL;
    a->url_long = strlen(uri) > WN_WEB_URL_BYTES_MAX;
    // No path of ours needs one, and what is unescaped ends at a %00.
    size_t path_n = strcspn(uri, "?");
    a->url_escaped = memchr(uri, '%', path_n) != NULL;
    h->asks++;
    return a;
}

static void on_end(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how) {
    (void)c, (void)how;
    wn_web_http *h = ctx;
    wn_web_ask *a = *state;
    if (!a) return;
    *state = NULL;
    if (a->state_free) a->state_free(a->state);
    wn_web_conn_asks(a->conn, wn_monotonic_ms());
    free(a->body);
    free(a);
    h->asks--;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **conn,
                          enum MHD_ConnectionNotificationCode what) {
    wn_web_http *h = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *conn = wn_web_conn_begin(&h->conns, c, wn_monotonic_ms());
    } else {
        wn_web_conn_end(&h->conns, *conn);
        *conn = NULL;
    }
}

static enum MHD_Result say_options(wn_web_ask *a) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (r) wn_web_header(r, MHD_HTTP_HEADER_ALLOW, a->route && a->route->post ? POST_ALLOWED : GET_ALLOWED);
    return wn_web_send(a, MHD_HTTP_NO_CONTENT, r);
}

static enum MHD_Result body_take(wn_web_ask *a, const char *data, size_t *inout_n) {
    size_t n = *inout_n;
    *inout_n = 0;
    if (!a->body && !(a->body = malloc(WN_WEB_BODY_BYTES_MAX + 1))) return MHD_NO;
    // What comes is read past, but not for ever.
    if (a->body_long && (a->body_n += n) > 64 * WN_WEB_BODY_BYTES_MAX) return MHD_NO;
    if (a->body_long || n > WN_WEB_BODY_BYTES_MAX - a->body_n) {
        a->body_long = true;
        return MHD_YES;
    }
    memcpy(a->body + a->body_n, data, n);
    a->body_n += n;
    a->body[a->body_n] = '\0';
    return MHD_YES;
}

static enum MHD_Result answer(wn_web_ask *a) {
    wn_web_conn_moves(a->conn, wn_monotonic_ms());
    if (a->problem.kind) return wn_web_say_problem(a, &a->problem);
    if (a->body_long) {
        (void)wn_problem_set(&a->problem, WN_PROBLEM_body_too_large, "At most %d bytes",
                             WN_WEB_BODY_BYTES_MAX);
        return wn_web_say_problem(a, &a->problem);
    }
    return a->route->answer(a);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *data_n, void **state) {
    (void)ctx, (void)c, (void)version;
    wn_web_ask *a = *state;
    if (!a) return MHD_NO; // no memory
    if (!a->judged) {
        a->judged = true;
        bool well = judge(a, method, path);
        bool options = a->route && strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0;
        if (options) a->problem.kind = WN_PROBLEM_none;
        // A body that nobody will read is answered at once, which ends the connection.
        if (has_body(a) && (!well || options)) return options ? say_options(a) : answer(a);
        return MHD_YES;
    }
    if (*data_n != 0) return body_take(a, data, data_n);
    if (a->route && strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) return say_options(a);
    return answer(a);
}

// ---- life ----

wn_err wn_web_http_open(wn_web *w, int listen_fd, wn_web_http **out) {
    wn_web_http *h = calloc(1, sizeof *h);
    if (!h) return close(listen_fd), WN_ERR_NOMEM;
    h->web = w;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK, ask_new, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT, (unsigned)w->o.web_connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(WN_WEB_ASK_MS / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)WN_WEB_HEADER_BYTES_MAX, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        if (!h->daemon) close(listen_fd);
        wn_web_http_close(h);
        return WN_ERR_IO;
    }
    h->fd = info->epoll_fd;
    *out = h;
    return WN_OK;
}

void wn_web_http_close(wn_web_http *h) {
    if (!h) return;
    wn_web_conns_wake(&h->conns);
    if (h->daemon) MHD_stop_daemon(h->daemon);
    free(h);
}

int wn_web_http_fd(const wn_web_http *h) {
    return h->fd;
}

int wn_web_http_wait_ms(const wn_web_http *h, int most_ms) {
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (MHD_get_timeout(h->daemon, &ms) != MHD_YES || ms > (unsigned)most_ms) return most_ms;
    return (int)ms;
}

void wn_web_http_turn(wn_web_http *h) {
    wn_web_http_turn_at(h, wn_monotonic_ms());
}

void wn_web_http_turn_at(wn_web_http *h, int64_t now_ms) {
    bool room = h->web->large_freed;
    h->web->large_freed = false;
    wn_web_conns_sweep(&h->conns, (unsigned)h->web->o.web_connections_max, room, now_ms);
    MHD_run(h->daemon);
}

void wn_web_http_quiesce(wn_web_http *h) {
    int fd = MHD_quiesce_daemon(h->daemon);
    if (fd >= 0) close(fd);
}

unsigned wn_web_http_asks(const wn_web_http *h) {
    return h->asks;
}
