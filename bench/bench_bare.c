// SPDX-License-Identifier: Apache-2.0
// winnow-bench-bare: the least that an HTTP server of the collector's kind can
// do: libmicrohttpd takes the body and answers, nothing is read or kept. What
// Winnow's own work costs is the distance to this.
//
// --endpoint PORT. Serves until its standard input ends.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_line.h"

static struct MHD_Response *answer;

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_n, void **state) {
    static int seen;
    (void)ctx, (void)url, (void)method, (void)version, (void)body;
    if (*state == NULL) return *state = &seen, MHD_YES;
    if (*body_n) return *body_n = 0, MHD_YES;
    return MHD_queue_response(c, MHD_HTTP_OK, answer);
}

int main(int argc, char **argv) {
    static char text[] = "{\"accepted\":1,\"refused\":[]}";
    wn_bench_options o;
    if (!wn_bench_options_read(argc, argv, &o) || !o.endpoint) return 2;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(o.endpoint))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answer = MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
                         &at, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
    if (!d || !answer) return fprintf(stderr, "winnow-bench-bare: cannot listen on %s\n", o.endpoint), 1;
    struct pollfd in = {0, POLLIN, 0};
    while (poll(&in, 1, 0) == 0) MHD_run_wait(d, 100);
    MHD_stop_daemon(d);
    MHD_destroy_response(answer);
    return 0;
}
