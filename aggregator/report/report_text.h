// SPDX-License-Identifier: Apache-2.0
// report_text.h: labels are coined by clients; whatever they hold, a terminal
// and a parser must survive it.
#pragma once

#include <stdio.h>

#include "winnow/base.h"

// Writes UTF-8 in which control, bidirectional and malformed bytes are U+FFFD.
// Stops after width_max characters with an ellipsis (0: no limit). Returns the
// characters written.
size_t wn_report_text_plain(FILE *out, const char *text, size_t width_max);
size_t wn_report_text_width(const char *text, size_t width_max);
// Writes a JSON string with its quotes; such characters as \uXXXX.
void wn_report_text_json(FILE *out, const char *text);
// Writes an RFC 4180 field, quoted where it must be; with a ' before what a spreadsheet would take for a
// formula (= + - @), and before a ', so that taking one off gives the text.
void wn_report_text_csv(FILE *out, const char *text);
