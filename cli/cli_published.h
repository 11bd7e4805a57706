// SPDX-License-Identifier: Apache-2.0
// cli_published.h: the published store, opened read-only beside a running aggregator.
#pragma once

#include "cli.h"
#include "published.h"

// False after a message. Says what to do when nothing was ever published.
bool wn_cli_published(const wn_cli *c, wn_published **out);
