// SPDX-License-Identifier: Apache-2.0
// url_parts.h: cuts a page address into host, path and query without copying.
#pragma once

#include "winnow/observation.h"

#define WN_URL_BYTES_MAX 2048
#define WN_HOST_BYTES 254 // longest DNS name and a NUL

// Borrowed from the address. host: without userinfo and port, as written.
typedef struct wn_url_parts {
    wn_span host;  // n = 0: none, as in "/path"
    wn_span path;  // of an app address with its host before it: there the host is a page's first segment
    wn_span query; // without '?'
    bool web;      // http, https or //host
} wn_url_parts;

// Taken are http, https and app addresses, "//host/path" and "/path". Any other
// scheme (file, data, mailto, …) holds things that are no page: false. So does an app's host with a port.
bool wn_url_split(const char *url, size_t n, wn_url_parts *out);

// Lower case, without a final dot; false unless a name or address of [a-z0-9._-] or a bracketed IPv6.
bool wn_host_lower(wn_span host, char out[WN_HOST_BYTES], size_t *out_bytes);
// How many bytes of "www." a host begins with: 4 when a name with a dot remains, else 0.
size_t wn_host_www(const char *host, size_t n);

// A campaign's tag as it may travel: [a-z0-9_-]{1,32} in lower case, of no identifier's shape.
bool wn_tag(wn_span value, char out[33]);
// True when a tag holds four digits that are no year, or five in all beside years.
bool wn_tag_numbered(const char *tag);
// As wn_url_utm, on a query.
bool wn_query_utm(wn_span query, const char *key, char out[33]);

// The path with escapes undone to a fixed point, up to a '?' or '#' that came out of them, and then
// with "." and ".." resolved as a browser does. `room` holds path.n bytes; the result borrows from
// it, or from the path when there was nothing to do.
wn_span wn_path_plain(wn_span path, uint8_t *room);
// Resolves "." and ".." in place; returns the new length.
size_t wn_path_steps(uint8_t *p, size_t n);

// As wn_url_route, on an address already cut.
size_t wn_parts_route(const wn_url_parts *parts, char out[WN_OPEN_TEXT_MAX + 1]);
