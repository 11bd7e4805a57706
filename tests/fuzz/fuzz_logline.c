// SPDX-License-Identifier: Apache-2.0
// fuzz_logline.c: any bytes as lines of an access log, in each format.
#include <stdlib.h>
#include <string.h>

#include "import_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void one_line(const char *text, size_t n) {
    static wn_line line;
    for (int f = WN_LINE_COMMON; f <= WN_LINE_VHOST_COMBINED; f++) {
        bool download;
        if (!wn_line_parse((wn_line_format)f, text, n, &line)) continue;
        WN_ASSERT(line.target.n >= 1 && line.target.n <= WN_LINE_TEXT_MAX && line.client.n >= 1);
        WN_ASSERT(line.status <= 999 && line.time_s > -100000 && strlen(line.method) < sizeof line.method);
        WN_ASSERT(line.referrer.n <= WN_LINE_TEXT_MAX && line.user_agent.n <= WN_LINE_TEXT_MAX);
        (void)wn_line_judge(&line, &download);
        wn_line_wipe(&line);
    }
}

// Cut into lines, every byte belongs to one line or ends one.
static void whole_chunk(const uint8_t *data, size_t n) {
    static wn_import_raw raw;
    static wn_line line;
    if (raw.bytes == NULL && wn_import_raw_open(&raw, 1u << 16, 4096) != WN_OK) abort();
    if (wn_import_raw_add(&raw, (wn_span){data, n}) == WN_OK) {
        while (!wn_import_raw_cut(&raw, WN_LINE_COMBINED, 3, &line)) {
        }
        size_t bytes = 0;
        for (size_t i = 0; i < raw.lines_n; i++) bytes += raw.line[i].n;
        WN_ASSERT(raw.lines_n <= 4096 && bytes + raw.newlines == n);
        wn_import_raw_sort(&raw, 0, raw.lines_n);
        for (size_t i = 1; i < raw.lines_n; i++) WN_ASSERT(raw.line[i - 1].time_s <= raw.line[i].time_s);
    }
    wn_import_raw_wipe(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *copy = malloc(n + 1);
    memcpy(copy, data, n);
    one_line(copy, n);
    free(copy);
    whole_chunk(data, n);
    return 0;
}
