// SPDX-License-Identifier: Apache-2.0
// sink_clickhouse.c: one place for the published rows of many aggregators, over ClickHouse's HTTP
// door. The table replaces rows of the same id (schemas/clickhouse.sql), so a repeat leaves one.
// Source: ClickHouse documentation, "HTTP Interface" and "ReplacingMergeTree".
#include <string.h>

#include "sink.h"

enum { ROWS_MAX = 2000 };

static const char *lacks(const wn_destination *d) {
    if (d->account[0] == '\0' ||
        d->account[strspn(d->account, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.")] !=
            '\0')
        return "account: the table, as database.table";
    return NULL;
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    FILE *f;
    const wn_destination *d = b->to;
    char id[WN_ROW_ID_BYTES];
    int n =
        snprintf(out->url, sizeof out->url,
                 "%s/?query=INSERT%%20INTO%%20%s%%20FORMAT%%20JSONEachRow&input_format_skip_unknown_fields=1",
                 d->url, d->account);
    if (n < 0 || (size_t)n >= sizeof out->url) return WN_ERR_CONFIG;
    wn_sink_header(out, "Content-Type: application/x-ndjson");
    if (d->user[0] != '\0') wn_sink_header(out, "X-ClickHouse-User: %s", d->user);
    if (strlen(d->secret) > sizeof out->header[0] - 32) return WN_ERR_CONFIG;
    if (d->secret[0] != '\0') wn_sink_header(out, "X-ClickHouse-Key: %s", d->secret);
    WN_TRY(wn_sink_body_begin(out, &f));
    for (size_t i = 0; i < b->n; i++) {
        wn_row_id(b, i, id);
        fprintf(f, "{\"id\":\"%s\",\"window_start\":%lld,\"label1\":", id,
                (long long)b->head->window.start_s);
        wn_sink_label(b, i, 0, f);
        fputs(",\"label2\":", f);
        wn_sink_label(b, i, 1, f);
        wn_row_json(b, i, 0, false, f);
        fputs("}\n", f);
    }
    return wn_sink_body_end(out, f);
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    (void)b;
    wn_judge_status(a, out);
    // An unknown table or column is the operator's to mend, not a row's fault.
    if (a->status == 404) out->fate = WN_FATE_STOP;
}

const wn_sink wn_sink_clickhouse = {.kind = "clickhouse",
                                    .rows_max = ROWS_MAX,
                                    .network = true,
                                    .lacks = lacks,
                                    .write = write_request,
                                    .judge = judge};
