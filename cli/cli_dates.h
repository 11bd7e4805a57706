// SPDX-License-Identifier: Apache-2.0
// cli_dates.h: the range of days that a command is about.
#pragma once

#include "cli.h"
#include "days.h"

// from NULL: 30d; to NULL: today. False after a message.
bool wn_dates_range(const wn_command *cmd, const wn_site *site, const char *from, const char *to,
                    int32_t *out_from_day, int32_t *out_to_day, int64_t *out_from_s, int64_t *out_to_s);
