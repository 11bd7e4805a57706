// SPDX-License-Identifier: Apache-2.0
// sink_file.c: a folder: ndjson files of at most WN_SINK_ROWS_MAX rows of one (site, table, window), for
// whatever comes and fetches them.
// The request's url is the file's name; writing it whole or not at all is transport.c's.
#include <string.h>

#include "sink.h"

static const char *lacks(const wn_destination *d) {
    return d->path[0] != '/' ? "path: a folder, from the root (/…)" : NULL;
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    FILE *f;
    char window[WN_WINDOW_TEXT_BYTES], id[WN_ROW_ID_BYTES];
    wn_window_text(&b->head->window, window);
    int n = snprintf(out->url, sizeof out->url, "%s/%s.%s.%s.%06zu.ndjson", b->to->path, b->head->site,
                     b->head->table, window, b->first);
    if (n < 0 || (size_t)n >= sizeof out->url) return WN_ERR_CONFIG;
    WN_TRY(wn_sink_body_begin(out, &f));
    for (size_t i = 0; i < b->n; i++) {
        wn_row_id(b, i, id);
        fprintf(f, "{\"id\":\"%s\"", id);
        wn_row_json(b, i, 0, false, f);
        fputs("}\n", f);
    }
    return wn_sink_body_end(out, f);
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    (void)b;
    wn_judge_status(a, out);
}

const wn_sink wn_sink_file = {.kind = "file",
                              .rows_max = WN_SINK_ROWS_MAX,
                              .network = false,
                              .lacks = lacks,
                              .write = write_request,
                              .judge = judge};
