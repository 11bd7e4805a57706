// SPDX-License-Identifier: Apache-2.0
// naive_consent.h: a second reader of TC and GPP strings, slow and plain, to
// judge the first by. Written from the specifications, not from the first.
#pragma once

#include "consent_signals.h"

// sid is absent: every section counts.
wn_signal naive_tcf(const char *text, size_t n, const wn_tcf_terms *t);
wn_signal naive_gpp(const char *text, size_t n, const wn_tcf_terms *t);
