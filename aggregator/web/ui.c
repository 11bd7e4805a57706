// SPDX-License-Identifier: Apache-2.0
// Why: what the dashboard is made of holds no figure, so it asks for no key;
// the page asks its reader for one and sends it with what it fetches.
#include "ui.h"

#include <string.h>

#include "ui_files.h"

#define FILES_MAX 64

static wn_web_route routes[FILES_MAX];

static bool takes_gzip(const wn_web_ask *a) {
    const char *takes =
        MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    return takes && strstr(takes, "gzip");
}

static void headers(struct MHD_Response *r, const wn_ui_file *f) {
    wn_web_header(r, MHD_HTTP_HEADER_ETAG, f->etag);
    wn_web_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"); // asked for again, and mostly unchanged
    wn_web_header(r, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
}

static enum MHD_Result file_answer(wn_web_ask *a) {
    const wn_ui_file *f = &wn_ui_files[a->route - routes];
    const char *known =
        MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool unchanged = known && strstr(known, f->etag), gzip = takes_gzip(a);
    const unsigned char *from = gzip ? f->packed : f->plain, *to = gzip ? f->packed_end : f->plain_end;
    struct MHD_Response *r = MHD_create_response_from_buffer(unchanged ? 0 : (size_t)(to - from),
                                                             (void *)(uintptr_t)from, MHD_RESPMEM_PERSISTENT);
    if (!r) return MHD_NO;
    headers(r, f);
    if (!unchanged) {
        wn_web_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, f->type);
        if (gzip) wn_web_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    }
    return wn_web_send(a, unchanged ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, r);
}

const wn_web_route *wn_ui_route(const char *path) {
    if (strcmp(path, "/") == 0) path = "/index.html";
    WN_ASSERT(wn_ui_files_n <= FILES_MAX);
    for (size_t i = 0; i < wn_ui_files_n; i++) {
        if (strcmp(wn_ui_files[i].path, path) != 0) continue;
        // Parameters are the page's own: an address that is kept says what it showed.
        routes[i] =
            (wn_web_route){wn_ui_files[i].path, .open = true, .parameters = true, .answer = file_answer};
        return &routes[i];
    }
    return NULL;
}
