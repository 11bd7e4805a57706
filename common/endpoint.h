// SPDX-License-Identifier: Apache-2.0
// endpoint.h: where an HTTP listener stands: addresses as the options write them.
#pragma once

#include <sys/socket.h>

#include "winnow/base.h"

typedef struct wn_endpoint {
    struct sockaddr_storage address;
    socklen_t bytes;
} wn_endpoint;

// "127.0.0.1:8090", "[::1]:8090". Numeric only. WN_ERR_CONFIG otherwise.
WN_MUST_USE wn_err wn_endpoint_parse(const char *text, wn_endpoint *out);
bool wn_endpoint_loopback(const wn_endpoint *e);
// A listening socket, non-blocking. WN_ERR_BUSY when the port is taken.
WN_MUST_USE wn_err wn_endpoint_listen(const wn_endpoint *e, int *out_fd);
