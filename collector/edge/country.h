// SPDX-License-Identifier: Apache-2.0
// country.h: the country of an address, and its region, from a MaxMind-format file.
#pragma once

#include "filter.h"
#include "region.h"

typedef struct wn_country wn_country;

#define WN_COUNTRY_PATH_BYTES 512
// The file the options name, else the first of the usual places that is there, else the first of them.
void wn_country_place(const wn_options *o, char out[WN_COUNTRY_PATH_BYTES]);
// NULL when the file is missing or cannot be used: that is logged once, and every country is unknown.
wn_country *wn_country_open(const char *path);
void wn_country_close(wn_country *c); // NULL fine
// `country_code`, else `country.iso_code`: the first that is two upper-case letters.
bool wn_country_of(wn_country *c, const wn_address *a, char out[2]);
// The first of `subdivisions`, as "DE-BY", when regions.def lists it: its length, else 0. Nothing
// finer is ever read.
size_t wn_country_region(wn_country *c, const wn_address *a, char out[WN_REGION_BYTES]);
