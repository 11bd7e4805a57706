// SPDX-License-Identifier: Apache-2.0
// Why: a file of a year is written while it is read, and says how far it is.
#include "report_stream.h"

static wn_err write_pieces(wn_report_stream *s, FILE *out,
                           void (*progress)(void *ctx, int64_t read_until_s, uint64_t rows), void *ctx) {
    for (bool end = false; !end;) {
        wn_span piece;
        WN_TRY(wn_report_stream_next(s, &piece, &end));
        if (fwrite(piece.p, 1, piece.n, out) != piece.n) return WN_ERR_IO;
        if (progress) progress(ctx, wn_report_stream_until(s), wn_report_stream_written(s));
    }
    return fflush(out) != 0 || ferror(out) ? WN_ERR_IO : WN_OK;
}

wn_err wn_report_export(const wn_published *p, const wn_report_query *q, bool by_day, FILE *out, FILE *notes,
                        void (*progress)(void *ctx, int64_t read_until_s, uint64_t rows), void *ctx,
                        wn_report_result *out_result) {
    wn_report_stream *s;
    WN_TRY(wn_report_stream_new(p, q, by_day, &s));
    wn_err err = write_pieces(s, out, progress, ctx);
    if (err == WN_OK) {
        const wn_report_rows *r = wn_report_stream_rows(s);
        char day[11] = "";
        const wn_report_piece all = {
            .rows = r, .day = by_day ? day : NULL, .written = wn_report_stream_written(s)};
        if (r->corrupt) err = WN_ERR_CORRUPT;
        if (q->meta) wn_report_meta.end(&all, q->meta);
        wn_report_notes(p, r, all.written, err, notes);
        if (q->meta && (fflush(q->meta) != 0 || ferror(q->meta))) err = WN_ERR_IO;
        if (out_result)
            *out_result =
                (wn_report_result){all.written, r->windows_n, wn_report_rows_sealed(r) == r->windows_n};
    }
    wn_report_stream_free(s);
    return err;
}
