// SPDX-License-Identifier: Apache-2.0
// admin.c: a second, small libmicrohttpd daemon, so that nobody reaches the
// metrics through the beacon port.
#include "admin.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"

#define CONNECTIONS_MAX 16
#define IDLE_S 10
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS_TEXT "text/plain; version=0.0.4; charset=utf-8"

struct wn_admin {
    struct MHD_Daemon *daemon;
    wn_admin_parts parts;
    int fd, listen_fd;
};

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text, size_t n,
                           const char *type) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (r == NULL) return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result done = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return done;
}

static enum MHD_Result metrics(wn_admin *a, struct MHD_Connection *c) {
    char text[WN_METRICS_TEXT_MAX];
    size_t n = wn_metrics_text(a->parts.metrics(a->parts.ctx), text, sizeof text);
    const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    return say(c, MHD_HTTP_OK, text, n, open ? OPENMETRICS : PROMETHEUS_TEXT);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *data_n, void **state) {
    (void)version, (void)data;
    wn_admin *a = ctx;
    static char seen;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    if (*data_n != 0) return MHD_NO;
    bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!get) return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "", 0, "text/plain");
    if (strcmp(path, "/metrics") == 0) return metrics(a, c);
    if (strcmp(path, "/healthz") != 0)
        return say(c, MHD_HTTP_NOT_FOUND, "/metrics /healthz\n", 18, "text/plain");
    bool well = a->parts.well(a->parts.ctx);
    return say(c, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, well ? "ok\n" : "ill\n", well ? 3 : 4,
               "text/plain");
}

wn_err wn_admin_open(const char *listen, const wn_admin_parts *parts, wn_admin **out) {
    wn_endpoint e;
    WN_TRY(wn_endpoint_parse(listen, &e));
    if (!wn_endpoint_loopback(&e)) return WN_ERR_CONFIG;
    wn_admin *a = calloc(1, sizeof *a);
    if (a == NULL) return WN_ERR_NOMEM;
    a->parts = *parts;
    wn_err err = wn_endpoint_listen(&e, &a->listen_fd);
    if (err != WN_OK) {
        free(a);
        return err;
    }
    a->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, a, MHD_OPTION_LISTEN_SOCKET,
                                 a->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        a->daemon == NULL ? NULL : MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        if (a->daemon == NULL) close(a->listen_fd);
        wn_admin_close(a);
        return WN_ERR_IO;
    }
    a->fd = info->epoll_fd;
    *out = a;
    return WN_OK;
}

void wn_admin_close(wn_admin *a) {
    if (a == NULL) return;
    if (a->daemon != NULL) MHD_stop_daemon(a->daemon);
    free(a);
}

int wn_admin_fd(const wn_admin *a) {
    return a->fd;
}

unsigned wn_admin_port(const wn_admin *a) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}

// A few rounds, because what was read may be answered only by the next.
void wn_admin_turn(wn_admin *a) {
    MHD_UNSIGNED_LONG_LONG ms = 0;
    for (int i = 0; i < 4; i++) {
        MHD_run(a->daemon);
        if (MHD_get_timeout(a->daemon, &ms) != MHD_YES || ms != 0) return;
    }
}
