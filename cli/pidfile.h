// SPDX-License-Identifier: Apache-2.0
// pidfile.h: STATE/up.pid. Its lock, not its number, says whether Winnow runs:
// the kernel drops the lock with the process, so a number can never mislead.
#pragma once

#include <sys/types.h>

#include "winnow/base.h"

// Takes the lock. WN_ERR_BUSY and the holder's pid when another has it.
WN_MUST_USE wn_err wn_pidfile_take(const char *path, int *out_fd, pid_t *out_holder);
WN_MUST_USE wn_err wn_pidfile_write(int fd, pid_t pid);
void wn_pidfile_drop(int fd, const char *path);
// Pid of the process that holds the lock; 0 when nobody does.
pid_t wn_pidfile_holder(const char *path);
