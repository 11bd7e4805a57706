// SPDX-License-Identifier: Apache-2.0
// cli_progress.h: words while it lasts, on a terminal alone.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct wn_cli_progress {
    const char *doing;
    int64_t next_ms;
    bool said;
} wn_cli_progress;

void wn_cli_progress_say(void *progress, uint64_t bytes); // a wn_backup_progress
void wn_cli_progress_end(const wn_cli_progress *p);
