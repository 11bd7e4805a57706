// SPDX-License-Identifier: Apache-2.0
// save.h: a file of configuration written whole or not at all.
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "winnow/base.h"

// Writes `path` (0600) through `write`: a file beside it, synced, then renamed
// over it, then the folder is synced. What was written is wiped from memory.
WN_MUST_USE wn_err wn_save(const char *path, void (*write)(FILE *out, const void *ctx), const void *ctx);
// As above with `mode`, unless the file is there: the first writer's stays, and WN_ERR_STATE is returned.
// A reader finds it whole or not at all.
WN_MUST_USE wn_err wn_save_first(const char *path, mode_t mode, void (*write)(FILE *out, const void *ctx),
                                 const void *ctx);
