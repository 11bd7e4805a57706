// SPDX-License-Identifier: Apache-2.0
// opener.h: how a confined process reads its own configuration again, and nothing beside it.
//
// CONFIG may hold secrets of destinations, and the kernel's confinement knows folders and inodes, not the
// names of files that are replaced. So a process of its own, which no stranger's byte reaches, opens the
// files: it takes one byte, the number of a file, and hands over a copy of that file's content.
// sites.yaml comes whole, sign keys with it.
#pragma once

#include <sys/types.h>

#include "winnow/base.h"

#define WN_OPENER_BYTES_MAX (16u << 20) // of one file

typedef struct wn_opener {
    int fd; // -1: there is none
    pid_t pid;
} wn_opener;

// names: static, NULL-terminated, at most 255. To be called with nothing secret in memory and signals
// blocked.
WN_MUST_USE wn_err wn_opener_start(wn_opener *o, const char *config_dir, const char *const *names);
void wn_opener_stop(wn_opener *o);
#define WN_OPENER_PATH 32
// A path under which the copy of file `at` can be opened until *out_fd is closed; of a file that is not
// there a path that is not there either. WN_ERR_IO: none that can be copied. WN_ERR_STATE: nobody answers.
WN_MUST_USE wn_err wn_opener_copy(const wn_opener *o, size_t at, char out_path[WN_OPENER_PATH], int *out_fd);
