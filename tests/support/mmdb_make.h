// SPDX-License-Identifier: Apache-2.0
// mmdb_make.h: writes a tiny country database in MaxMind's format, for tests.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mmdb_network {
    uint8_t address[16]; // IPv4 in the last four bytes, the rest zero
    unsigned bits;       // of 128: an IPv4 /n is 96 + n
    const char *flat;    // country_code; NULL: none
    const char *nested;  // country.iso_code; NULL: none. "DE-BY": a city file's, with subdivisions
} mmdb_network;

#define MMDB_NETWORKS_MAX 16

// False when the file cannot be written. Networks must not overlap.
bool mmdb_make(const char *path, const mmdb_network *networks, size_t n);
