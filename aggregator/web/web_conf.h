// SPDX-License-Identifier: Apache-2.0
// web_conf.h: what winnow-web knows of the configuration, read again as soon as
// a file of it changes: a key that was revoked opens nothing from then on.
#pragma once

#include <sys/stat.h>

#include "api_keys.h"
#include "conf.h"
#include "destinations.h"
#include "policy.h"
#include "opener.h"

typedef struct wn_web_file {
    char path[300];
    struct stat seen;
    bool there;
} wn_web_file;

// A destination as the public is told of it: neither where nor with what secret.
typedef struct wn_web_receiver {
    char name[WN_RECEIVER_BYTES], kind[16], basis[WN_DESTINATION_TEXT_MAX + 1];
} wn_web_receiver;

typedef struct wn_web_conf {
    wn_sites sites; // without their signing keys, which no reader needs
    wn_plan plan;
    wn_api_keys keys;
    bool keys_bad; // the file is there and cannot be read: nobody comes in
    uint32_t policy_version;
    uint64_t policy_id;
    char policy_date[11];
    wn_web_receiver receiver[WN_DESTINATIONS_MAX];
    size_t receivers_n;
    wn_web_file file[5];
    const wn_opener *opener; // NULL: the files are opened here
} wn_web_conf;

// What winnow-web reads of CONFIG: for wn_opener_start.
extern const char *const wn_web_conf_files[];
// WN_ERR_CONFIG: what is wrong, as "FILE line N: words", in `why`. Keeps opener.
WN_MUST_USE wn_err wn_web_conf_open(wn_web_conf *c, const char *config_dir, const wn_opener *opener,
                                    char *why, size_t why_bytes);
// Looks whether files changed. A bad one is logged; the old sites, plan and
// policy stay, but bad keys open nothing.
void wn_web_conf_watch(wn_web_conf *c);
void wn_web_conf_close(wn_web_conf *c);
