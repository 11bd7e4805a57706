// SPDX-License-Identifier: Apache-2.0
// destinations.h: CONFIG/destinations.yaml: who receives published rows, where, and by what right.
//
// A destination gets the tables whose plan names it among `receivers`, of
// windows that began under such a plan, and nothing else (R3, L-T2). Secrets
// stand in files of their own and are read when they are needed.
#pragma once

#include "published.h"

#define WN_DESTINATIONS_MAX WN_RECEIVERS_MAX
#define WN_DESTINATION_TEXT_MAX 255
#define WN_DESTINATION_SITES_MAX 64
#define WN_SECRET_BYTES_MAX 1024 // of a secret's file; a last newline does not count

typedef struct wn_destination {
    char name[WN_RECEIVER_BYTES];            // as the plan's `receivers` say it
    char kind[16];                           // of a sink
    char basis[WN_DESTINATION_TEXT_MAX + 1]; // by what right it receives: required, served to the public
    char url[WN_DESTINATION_TEXT_MAX + 1];   // "": the sink's own
    char account[64]; // Mixpanel: project id; GA4: measurement id; HubSpot: object type; ClickHouse: table
    char user[64];    // Mixpanel: service account; ClickHouse: user
    char secret_file[WN_DESTINATION_TEXT_MAX + 1];
    char path[WN_DESTINATION_TEXT_MAX + 1]; // file: the folder
    char object_id[64];                     // HubSpot, events: the record of the site; "": batch upsert
    bool private_network; // may be on this host or a private network; plaintext to loopback alone
    char site[WN_DESTINATION_SITES_MAX][WN_SITE_NAME_BYTES];
    size_t sites_n;                       // 0: all
    int line;                             // of destinations.yaml
    int32_t since_day;                    // windows from this day on; INT32_MIN: all
    char secret[WN_SECRET_BYTES_MAX + 1]; // filled by wn_destination_secret
} wn_destination;

typedef struct wn_destinations {
    wn_destination *to;
    size_t n;
} wn_destinations;

// A missing file is an empty list. On a mistake: WN_ERR_CONFIG, line and words in `why`.
WN_MUST_USE wn_err wn_destinations_load(const char *path, wn_destinations *out, char *why, size_t why_bytes,
                                        int *out_line);
WN_MUST_USE wn_err wn_destinations_read(const char *text, size_t n, wn_destinations *out, char *why,
                                        size_t why_bytes, int *out_line);
// Whether the folder it writes to, which is opened to winnow-forward with all below it, opens nothing of
// Winnow's own with it: true also without one.
#define WN_DESTINATION_NOT_APART                                                                             \
    "path %s would open Winnow's own configuration or state to winnow-forward: choose a folder of its own"
bool wn_destination_apart(const wn_destination *d, const char *config_dir, const char *state_dir);
// Loads CONFIG_DIR/destinations.yaml and tries everything but the network: secrets, folders, sites, a request
// for a row that never was. What is wrong goes to `err`, with its line and what to do.
WN_MUST_USE wn_err wn_destinations_check(const char *config_dir, const char *state_dir, FILE *err,
                                         wn_destinations *out);
void wn_destinations_fini(wn_destinations *d); // wipes
const wn_destination *wn_destination_find(const wn_destinations *d, const char *name);
// Reads the secret's file. WN_ERR_CONFIG: unreadable, empty, too long, or open to others than its owner.
WN_MUST_USE wn_err wn_destination_secret(wn_destination *d);
bool wn_destination_takes(const wn_destination *d, const wn_public_head *head);
