// SPDX-License-Identifier: Apache-2.0
// region.h: which regions a report may name: schemas/regions.def.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// True when at least 100,000 people live in the subdivision `code` of `country` (two letters).
bool wn_region_listed(const char country[2], const char *code, size_t n);
