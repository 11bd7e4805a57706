// SPDX-License-Identifier: Apache-2.0
// explain_matrix.h: field × purpose, as consequences of the compiled rules.
#pragma once

#include <stdio.h>

#include "winnow/base.h"

// Runs one full event under each set of purposes and prints what became of
// each field. The same text on every run: a snapshot test compares it.
bool wn_matrix_print(FILE *out);
