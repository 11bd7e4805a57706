// SPDX-License-Identifier: Apache-2.0
// tcf_fields.h: a TC string as fields. Included by this folder and its tests only.
#pragma once

#include "consent_signals.h"

enum { WN_TCF_PURPOSES = 24, WN_TCF_FEATURES = 12 };

// Sets of ids are bits with id 1 lowest. Sets of vendors are bits by place in `vendors` of the terms.
typedef struct wn_tcf_fields {
    uint64_t created_ds, updated_ds; // tenths of seconds
    uint16_t cmp_id, cmp_version, list_version;
    uint8_t screen, policy;
    char language[2], country[2];
    bool nonstandard_texts, one_treatment;
    uint16_t features;
    uint32_t purposes, purposes_li;
    uint8_t vendors, vendors_li, disclosed;
    // By purpose (index = id - 1) and vendor: "not allowed", or "by legitimate interest only".
    uint8_t unconsentable[WN_TCF_PURPOSES];
} wn_tcf_fields;

// False when any part cannot be read whole: bits short, rubbish after the end,
// an id 0, a range that ends before it starts or past MaxVendorId, a segment
// twice, a string that is not service-specific.
bool wn_tcf_fields_read(wn_span text, const uint16_t vendors[WN_TCF_VENDORS_MAX], wn_tcf_fields *out);
