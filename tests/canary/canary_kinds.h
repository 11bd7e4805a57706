// SPDX-License-Identifier: Apache-2.0
// canary_kinds.h: marked identifiers of every kind Winnow promises to lose.
//
// The n-th identifier of a kind follows from the seed alone. All are made up;
// each is long and odd enough not to stand in any file by chance.
#pragma once

#include <stddef.h>
#include <stdint.h>

// name, how it looks
#define CANARY_KINDS(X)                                                                                      \
    X(email, "anna.keller7q2x@mail-k3.example")                                                              \
    X(phone, "+4915123456789")                                                                               \
    X(user_id, "user-483920175")                                                                             \
    X(idfa, "UUID in capitals, as Apple writes it")                                                          \
    X(gaid, "UUID in small letters, as Google writes it")                                                    \
    X(ipv4, "dotted, four numbers")                                                                          \
    X(ipv6, "eight groups, compressed")                                                                      \
    X(card, "16 digits that pass Luhn")                                                                      \
    X(name, "a made-up first and last name")                                                                 \
    X(token, "a reset token, an API key or a JWT")                                                           \
    X(consent, "a TCF string that grants, with a time and vendors no other has")

typedef enum wn_canary_kind {
#define X(name, looks) WN_CANARY_##name,
    CANARY_KINDS(X)
#undef X
        WN_CANARY_KIND_N
} wn_canary_kind;

#define WN_CANARY_TEXT_MAX 128

const char *wn_canary_kind_name(wn_canary_kind kind);
wn_canary_kind wn_canary_kind_by_name(const char *name, size_t n); // WN_CANARY_KIND_N: none

// Consent strings were given in the year before this time (default: 2026-11-01).
void wn_canary_now(int64_t unix_s);

// Writes the identifier (≥ 9 bytes) and a NUL.
void wn_canary_make(uint64_t seed, wn_canary_kind kind, uint32_t n, char out[WN_CANARY_TEXT_MAX]);

// xorshift64*; state is never 0.
uint64_t wn_canary_random(uint64_t *state);
uint32_t wn_canary_below(uint64_t *state, uint32_t n);
