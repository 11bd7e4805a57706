// SPDX-License-Identifier: Apache-2.0
// channels.h: the two halves of wn_channel; the domain's half is cached.
#pragma once

#include "filter.h"

enum {
    WN_CHANNEL_NONE = 0,
#define CHANNEL(id, label) WN_CHANNEL_##id,
#include "channels.def"
#undef CHANNEL
    WN_CHANNEL_END
};

// "": direct.
uint16_t wn_channel_of_domain(const char *domain);
// False when the tags say nothing. Paid and mail mediums win over the source.
bool wn_channel_of_tags(const char *source, const char *medium, uint16_t *out);
