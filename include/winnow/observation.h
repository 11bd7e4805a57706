// SPDX-License-Identifier: Apache-2.0
// observation.h: what the filter lets through. No field can hold a raw
// identifier: pseudonyms die with their window's keys, open text travels
// sealed (wn_value), times are hours. ARCHITECTURE.md: invariant 1.
#pragma once

#include "winnow/window.h"

#define WN_OBSERVATION_VERSION 3
#define WN_NUMBERS_N 2 // numeric properties that the policy declares

typedef enum wn_dim_closed {
#define DIM_CLOSED(name, purpose, doc) WN_DIM_##name,
#include "dims.def"
    WN_CLOSED_N
} wn_dim_closed;

typedef enum wn_dim_open {
#define DIM_OPEN(name, purpose, doc) WN_DIM_##name,
#include "dims.def"
    WN_OPEN_N
} wn_dim_open;

// What a session carries of its first event: the closed dimensions listed first.
#define WN_SESSION_CLOSED_N (WN_DIM_screen + 1)

typedef enum wn_obs_kind {
    WN_OBS_VIEW = 1,    // a page view
    WN_OBS_EVENT = 2,   // anything else a person did
    WN_OBS_SESSION = 3, // a finished session: entry, exit, dims of its first event
    WN_OBS_PURGE =
        4, // nobody's: from here on nothing of `org` (0: of `site`) counts in the window, and what did
           // is taken out (R16); `person` is the begin of the purge's name (common/purge_list.h)
} wn_obs_kind;

enum {                        // wn_observation.flags
    WN_OBS_SIGNED = 1u << 0,  // person is an account id signed by the site's server
    WN_OBS_SHARE = 1u << 1,   // person granted `share`
    WN_OBS_BOUNCED = 1u << 2, // session: one page view and no custom event
    WN_OBS_FLAGS_ALL = (1u << 3) - 1
};

typedef struct wn_observation {
    uint8_t person[16]; // P0 = BLAKE2b-128(K_edge[window], site ‖ person)
    uint64_t prefix;    // keyed pseudonym of the /24 or /48
    uint64_t org;       // keyed pseudonym; 0: undeclared
    uint64_t site;      // wn_site_tag(name)
    uint8_t kind;       // wn_obs_kind
    uint8_t flags;
    uint16_t seconds;              // session: time on site, clamped to 1800
    uint16_t closed[WN_CLOSED_N];  // 0: absent or unknown
    uint64_t open[WN_OPEN_N];      // id of a wn_value; 0: absent
    uint16_t number[WN_NUMBERS_N]; // declared numeric properties, whole, clamped by the policy; 0: absent
} wn_observation;

// An open value under K_text[window]: the first 8 bytes of `nonce` (little
// endian) are its id; nonce = BLAKE2b-192(K_text, text); `bytes` is
// XChaCha20-Poly1305 of length byte ‖ text, zero padded to a multiple of 32.
// n = 0 names a value whose text went with an earlier observation of the same
// window (sessions refer so to their pages); then only the id in `nonce` counts.
#define WN_OPEN_TEXT_MAX 128
#define WN_VALUE_SEALED_MAX (160 + 16)
typedef struct wn_value {
    uint8_t nonce[24];
    uint8_t n; // bytes used
    uint8_t bytes[WN_VALUE_SEALED_MAX];
} wn_value;

uint64_t wn_value_id(const wn_value *v);
// text_bytes ≤ WN_OPEN_TEXT_MAX. Deterministic for one key and text.
void wn_value_seal(const uint8_t key[32], wn_span text, wn_value *out);
// out_text gets ≤ WN_OPEN_TEXT_MAX bytes and a NUL.
WN_MUST_USE wn_err wn_value_open(const uint8_t key[32], const wn_value *v,
                                 char out_text[WN_OPEN_TEXT_MAX + 1], size_t *out_bytes);

// True when sessions carry it, so that a table over it may count them.
bool wn_dim_of_session(unsigned dim);

// Names of dimensions as plan and reports write them ("route", "country").
// Dimensions are numbered closed first, then open: 0..WN_DIM_N-1.
#define WN_DIM_N (WN_CLOSED_N + WN_OPEN_N)
#define WN_DIM_NONE 0xFFu
const char *wn_dim_name(unsigned dim);
unsigned wn_dim_by_name(const char *name); // WN_DIM_NONE when unknown
static inline bool wn_dim_is_open(unsigned dim) {
    return dim >= WN_CLOSED_N;
}

// The label of a closed value ("DE", "Firefox", "14:00"); "unknown" for 0.
// The hour label is hours since window start. Writes a NUL-terminated label.
void wn_closed_label(unsigned dim, uint16_t value, char out[32]);
// True when `value` is one of the listed values of `dim` (0 is).
bool wn_closed_valid(unsigned dim, uint16_t value);

// 64-bit tag of a site name: first 8 bytes of BLAKE2b(name), little endian. Never 0.
uint64_t wn_site_tag(const char *name);
