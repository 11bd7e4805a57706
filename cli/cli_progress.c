// SPDX-License-Identifier: Apache-2.0
// cli_progress.c: a line that is written over, five times a second.
#include "cli_progress.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"

void wn_cli_progress_say(void *progress, uint64_t bytes) {
    wn_cli_progress *p = progress;
    int64_t now = wn_monotonic_ms();
    if (now < p->next_ms || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%s: %llu MiB", p->doing, (unsigned long long)(bytes >> 20));
    p->next_ms = now + 200;
    p->said = true;
}

void wn_cli_progress_end(const wn_cli_progress *p) {
    if (p->said) fputs("\r\033[K", stderr);
}
