// SPDX-License-Identifier: Apache-2.0
// public_head.h: what a record of published rows says of itself, as msgpack and
// back; and what must hold between head and rows, whoever wrote them.
//
// The last net before anything is published, and the first after it was read:
// the same rules both ways, so that no record can be written that is not read.
// Dimensions are written by name: their numbers move when a row joins dims.def.
#pragma once

#include <msgpack.h>

#include "mp.h"
#include "published.h"

// Texts end and are of their form; measures, profile and noise terms belong
// together; who is sent the rows is sent people who agreed to it. The noise
// terms of a table that has none are not looked at, and not kept.
bool wn_public_head_holds(const wn_public_head *h);
// Labels end; a locked figure stands at the seal alone, has its bit, and the
// head's measures have that bit; a noise row is drawn at the seal, people alone,
// never under its threshold, never `other`.
bool wn_public_rows_hold(const wn_public_head *h, const wn_public_row *rows, size_t n);

void wn_public_head_pack(msgpack_packer *pk, const wn_public_head *h);
// A fault stays in the cursor. out is then anything.
void wn_public_head_read(wn_mp *m, wn_public_head *out);
