// SPDX-License-Identifier: Apache-2.0
// policy.h: what each site promised its visitors, as data (CONFIG/policy.yaml).
//
// A policy can only narrow what schemas/ allow. It is named by the digest of its
// text; a window keeps the policy it began with, and a newer one may narrow it
// at once but never widen it. Rules R2, R3.
#pragma once

#include "catalogue.h"
#include "winnow/base.h"

#define WN_POLICY_BYTES_MAX (1u << 20) // of the text
#define WN_POLICY_SITES_MAX 1024
#define WN_POLICY_PATTERNS_MAX 64 // sensitive page patterns a site
#define WN_POLICY_ROUTES_MAX 256  // route templates a site
#define WN_POLICY_PROPS_MAX 4     // declared properties a site that are words: dimensions prop1 … prop4
#define WN_POLICY_NUMBERS_MAX 2   // … and that are numbers: the sums number1 and number2
#define WN_POLICY_SURVEYS_MAX 16  // declared surveys a site
#define WN_POLICY_VALUES_MAX 64   // listed values of a property or survey
#define WN_POLICY_ORGS_MAX 256    // organisations with narrower grants
#define WN_POLICY_CATEGORIES_MAX 32
#define WN_POLICY_VENDORS_MAX 8 // TCF vendors that must all be consented to for `share`
#define WN_POLICY_TEXT_MAX 128  // bytes of a pattern, route or organisation
#define WN_POLICY_WORD_MAX 32   // bytes of a property, survey or value: [a-z0-9_-]
#define WN_POLICY_RETENTION_DAYS_MAX 36500

typedef enum wn_signal_mode { WN_SIGNAL_IGNORE, WN_SIGNAL_LIMIT, WN_SIGNAL_DROP } wn_signal_mode;

// A closed list under a name: a declared property or a survey question.
typedef struct wn_policy_list {
    char name[WN_POLICY_WORD_MAX + 1];
    uint8_t purpose; // needed beside the field's own: its bit; 0: none
    char (*values)[WN_POLICY_WORD_MAX + 1];
    size_t values_n; // 0 (property only): any [a-z0-9_-]{1,32}, as an open value that needs `measure`
    // A property that is a number: whole, at most this, what is larger counts as this. It is summed over
    // crowds and never stands in a row by itself; no detector of identifiers looks at it, so this bound is
    // what keeps a telephone or card number from travelling in it. 0: the property is a word.
    uint16_t number_max;
} wn_policy_list;

typedef struct wn_policy_org { // grants of one organisation's members: can only narrow
    char org[WN_POLICY_TEXT_MAX + 1];
    uint8_t purposes;
} wn_policy_org;

typedef struct wn_policy_category { // a consent platform's category id -> purposes it grants
    char id[WN_POLICY_TEXT_MAX + 1];
    uint8_t purposes;
} wn_policy_category;

typedef struct wn_site_policy {
    char site[64]; // "": the defaults
    wn_signal_mode gpc, dnt;
    bool counts_unknown;                       // no consent signal: `basic` is granted (the default)
    bool legitimate_interest;                  // TCF: legitimate interest is enough for `basic`
    uint64_t fields_off;                       // bits of wn_field: read as absent
    uint8_t needs[WN_FIELD_N];                 // purposes needed beside the row's, as bits
    char (*sensitive)[WN_POLICY_TEXT_MAX + 1]; // page patterns: need `sensitive`, else the page is dropped
    size_t sensitive_n;
    char (*routes)[WN_POLICY_TEXT_MAX +
                   1]; // templates: "/users/:id/orders", '*' one segment, final "**" the rest
    size_t routes_n;
    wn_policy_list *props, *numbers, *surveys; // numbers: those of `props` with number_max, in their order
    size_t props_n, numbers_n, surveys_n;
    wn_policy_org *orgs; // sorted by org: wn_policy_org_of
    size_t orgs_n;
    wn_policy_category *categories; // beside those of schemas/
    size_t categories_n;
    uint16_t vendors[WN_POLICY_VENDORS_MAX];
    size_t vendors_n;
    uint16_t retention_days; // of published rows, for `describe`; 0: for ever
} wn_site_policy;

typedef struct wn_policy {
    uint32_t version;   // grows with every change
    char date[11];      // "last updated", YYYY-MM-DD
    uint8_t digest[32]; // BLAKE2b-256 of the text
    uint64_t id;        // its first 8 bytes, little endian: what observations carry
    wn_site_policy defaults;
    wn_site_policy *sites; // sorted by name; each whole: defaults filled in
    size_t sites_n;
    char *text; // owned, NUL-terminated
    size_t text_bytes;
    bool built_in;                  // there was no file
    struct wn_policy_block *blocks; // owned: the lists of all sites, which share what they inherit
} wn_policy;

// How a site's entry meets the defaults: a word of `consent` and `retention_days` take the default's place;
// so do the lists props, surveys and categories; fields, sensitive, vendors and organisations are added to
// the default's (an organisation named in both keeps what both grant); its routes come before the default's.
extern const char wn_policy_default[]; // schemas/policy.yaml, embedded, NUL-terminated
// WN_ERR_CONFIG: line and words in `why`; nothing is kept of a bad one.
WN_MUST_USE wn_err wn_policy_load(const char *text, size_t n, wn_policy *out, char *why, size_t why_bytes,
                                  int *out_line);
// A missing file is the default policy.
WN_MUST_USE wn_err wn_policy_load_file(const char *path, wn_policy *out, char *why, size_t why_bytes,
                                       int *out_line);
void wn_policy_fini(wn_policy *p);
const wn_site_policy *wn_policy_of(const wn_policy *p, const char *site); // never NULL
// The id as 16 hex digits: the beginning of the digest.
void wn_policy_id_text(uint64_t id, char out[17]);
bool wn_policy_id_parse(const char *text, uint64_t *out); // all of text
// An organisation's name as it is compared everywhere, by a policy, the locks and a purge: ASCII letters
// small, blanks at its ends gone. out has room for n bytes; returns how many are used.
size_t wn_org_plain(const void *org, size_t n, uint8_t *out);
// Grants of this organisation's members; WN_PURPOSES_ALL when it is not listed.
uint8_t wn_policy_org_of(const wn_site_policy *s, const void *org, size_t n);
// May the policy in force give way to `next`? WN_ERR_CONFIG: the text changed and its version did not grow.
// Words that begin with "policy.yaml" name the file themselves: wn_policy_names_file.
WN_MUST_USE wn_err wn_policy_follows(const wn_policy *now, const wn_policy *next, char *why,
                                     size_t why_bytes);
bool wn_policy_names_file(const char *why);
// Its "last updated" lies before that of the one in force: allowed, but worth a word.
bool wn_policy_dated_before(const wn_policy *now, const wn_policy *next);
