// SPDX-License-Identifier: Apache-2.0
// import_lines.h: whole lines of a log, plain or gzip, in pieces for the
// control socket; and the raw bytes of a chunk, to be sent again should the
// collector be killed before it is durable.
#pragma once

#include "winnow/base.h"

// A chunk is counted while the next is read and sent: two are held at a time.
#define WN_IMPORT_CHUNK_LINES 131072u
#define WN_IMPORT_CHUNK_BYTES (60u << 20) // the collector takes 64 MiB
#define WN_IMPORT_PIECE_BYTES (512u << 10)
#define WN_IMPORT_LINE_BYTES                                                                                 \
    16384u // what is longer is cut: the collector refuses it as malformed all the same

typedef struct wn_import_hand {
    uint8_t *bytes; // address space for a chunk; memory is taken as it fills
    size_t n, most; // bytes of the chunk; and of the longest that stood here
    uint32_t lines;
} wn_import_hand;
WN_MUST_USE wn_err wn_import_hand_open(wn_import_hand *out);
void wn_import_hand_close(wn_import_hand *h); // wipes; one never opened ({NULL}) is fine

typedef struct wn_import_lines wn_import_lines;

// "-" is standard input. WN_ERR_FORMAT: a directory.
WN_MUST_USE wn_err wn_import_lines_open(const char *path, wn_import_lines **out);
void wn_import_lines_close(wn_import_lines *l); // wipes; NULL fine
// Reads the next chunk: at most WN_IMPORT_CHUNK_LINES lines and WN_IMPORT_CHUNK_BYTES, each line ending in
// '\n'. 0 lines at the end. WN_ERR_FORMAT: damaged gzip; `out` then holds no chunk.
WN_MUST_USE wn_err wn_import_lines_chunk(wn_import_lines *l, wn_import_hand *out);
// The chunk's pieces, from offset *inout_at on; false after the last. For sending, and for sending again.
bool wn_import_hand_piece(const wn_import_hand *h, size_t *inout_at, wn_span *out);
// Bytes of the file read so far (compressed ones of a gzip file), and its size; 0 when not known.
void wn_import_lines_progress(const wn_import_lines *l, uint64_t *out_done, uint64_t *out_size);
