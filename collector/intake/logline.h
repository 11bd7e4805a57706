// SPDX-License-Identifier: Apache-2.0
// logline.h: one line of an access log (combined, common, vhost-combined), cut
// into its parts, and the rules by which it is a page view at all.
//
// Pure.
#pragma once

#include "filter.h"

#define WN_LINE_BYTES_MAX 16384
#define WN_LINE_TEXT_MAX 4096 // an unescaped part: request target, referrer, user agent

typedef enum wn_line_format { WN_LINE_COMMON, WN_LINE_COMBINED, WN_LINE_VHOST_COMBINED } wn_line_format;
// "common", "combined", "vhost-combined" (or with '_').
bool wn_line_format_by_name(const char *name, size_t n, wn_line_format *out);

// One part with its escapes resolved: a piece of the line itself, or of `room` where it had some.
typedef struct wn_line_text {
    const char *p;
    size_t n;
} wn_line_text;

typedef struct wn_line {
    wn_span vhost;  // host of a vhost line, without its port; {NULL, 0}: none
    wn_span client; // address or name, as written
    int64_t time_s;
    unsigned status;
    char method[16];
    wn_line_text target;   // as requested
    wn_line_text referrer; // n = 0: none ("-")
    wn_line_text user_agent;
    size_t room_n;
    char room[3 * WN_LINE_TEXT_MAX];
} wn_line;

// Cuts a line (without its newline), whose bytes `out` borrows. False: malformed; `out` then holds no
// meaning.
bool wn_line_parse(wn_line_format format, const char *line, size_t n, wn_line *out);

// What the line's own words say: method, status, asset, or WN_KEEP.
// out_download: the file is one that people fetch on purpose.
wn_verdict wn_line_judge(const wn_line *l, bool *out_download);
// Writes the page's address: a target that begins with several slashes is a path here, not a host. Returns
// its length.
#define WN_LINE_URL_MAX (WN_LINE_TEXT_MAX + 512)
size_t wn_line_url(const wn_line *l, char out[WN_LINE_URL_MAX]);
void wn_line_wipe(wn_line *l);
