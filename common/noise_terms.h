// SPDX-License-Identifier: Apache-2.0
// noise_terms.h: what a plan's noise budget amounts to: sensitivity, variance, thresholds (R6).
//
// Pure; integers only, so that every machine computes the same terms. Any thread.
#pragma once

#include "conf.h"

// δ of the threshold and δ of the conversion from ρ, each in thousand-millionths; both are spent in a window.
#define WN_DELTA_THRESHOLD_NANO 10
#define WN_DELTA_CONVERSION_NANO 10

// L0, σ² = L0/(2ρ) in lowest terms, and for k = WN_K_NOISE_CLOSED and WN_K_NOISE_OPEN the least T with
// Pr[X >= T - k] <= δ/L0, X discrete Gaussian of that variance. Found between proven bounds, never by
// rounding.
//   rho_micro    1..WN_RHO_MICRO_MAX
//   signed_only  else the cap by prefix may displace somebody: L0 doubles
//   cells        Σ cells of the plan's noise tables, 1..WN_NOISE_CELLS_MAX
// WN_ERR_CONFIG outside of these. About 12σ steps: 1 ms at the least ρ. Source: privacy.md R6.
WN_MUST_USE wn_err wn_noise_terms_make(uint32_t rho_micro, bool signed_only, uint32_t cells,
                                       wn_noise_terms *out);
