// SPDX-License-Identifier: Apache-2.0
// ui_files.h: the files that ui_embed.cmake made part of the binary.
#pragma once

#include <stddef.h>

typedef struct wn_ui_file {
    const char *path; // "/app.js"
    const char *type, *etag;
    const unsigned char *plain, *plain_end, *packed, *packed_end; // packed: gzip
} wn_ui_file;

extern const wn_ui_file wn_ui_files[];
extern const size_t wn_ui_files_n;
