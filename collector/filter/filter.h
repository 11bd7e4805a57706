// SPDX-License-Identifier: Apache-2.0
// filter.h: from an event, which may identify, to an observation, which cannot.
//
// Pure: no I/O, clock, allocation, randomness or globals. Time, keys, country
// and window look-ups come in; caches (wn_scratch) change no result. Any thread
// with its own event and scratch. Everything unknown, absent or malformed falls
// to the stricter side. ARCHITECTURE.md: invariants 1 and 2, rules R1, R2, R10 to R12.
#pragma once

#include "catalogue.h"
#include "conf.h"
#include "policy.h"
#include "purge_list.h"
#include "winnow/observation.h"

typedef enum wn_verdict {
#define VERDICT(name, class, text) WN_VERDICT_##name,
#include "verdicts.def"
#undef VERDICT
    WN_VERDICT_N
} wn_verdict;
#define WN_KEEP WN_VERDICT_keep
const char *wn_verdict_name(wn_verdict v);
const char *wn_verdict_text(wn_verdict v);
bool wn_verdict_about_person(wn_verdict v);

// Which kind of consent signal decided about an event.
typedef enum wn_signal_kind {
#define SIGNAL(id, doc) WN_SIGNAL_##id,
#include "signals.def"
#undef SIGNAL
    WN_SIGNAL_N
} wn_signal_kind;
const char *wn_signal_name(wn_signal_kind k);

// WN_FIELD_N when the catalogue does not list it.
wn_field wn_field_by_name(const char *name, size_t n);
const char *wn_field_name(wn_field f);
size_t wn_field_bytes_max(wn_field f);
char wn_field_from(wn_field f);     // 'C', 'S' or 'H'
uint64_t wn_field_dims(wn_field f); // bits of the dimensions it may become, as wn_dim_name counts

// ---- the event: filled by intakes, read only here ----
typedef struct wn_event wn_event;
size_t wn_event_bytes(void);     // for the caller's arena, 16-byte aligned
void wn_event_init(wn_event *e); // fresh memory
void wn_event_wipe(wn_event *e); // overwrites what was set; ready for the next event
// Copies a value in. Numbers are given as their decimal text; `purposes` items
// one by one, after a call with p = NULL that says the list stood there (a list
// without items refuses); maps as pairs, after a call with p = NULL.
// Answers WN_KEEP, too_long or duplicate_field; once it refused, the event stays refused.
wn_verdict wn_event_set(wn_event *e, wn_field f, const void *p, size_t n);
// One key of a map (`props`, `consent`) with its value. A map or list inside is
// a pair MAP or LIST, its contents pairs with their own key, or with the list's, up to END.
// Pairs whose key or value is longer than any declared one are dropped.
typedef enum wn_pair_type {
    WN_PAIR_TEXT,
    WN_PAIR_NUMBER, // decimal text
    WN_PAIR_TRUE,
    WN_PAIR_FALSE,
    WN_PAIR_MAP,  // a map begins inside
    WN_PAIR_LIST, // a list begins inside
    WN_PAIR_END,  // of the one that began last; no key
    WN_PAIR_N
} wn_pair_type;
#define WN_PAIR_BYTES_MAX 128 // of a key or a value
// After the map was begun; nothing else may be set in between.
wn_verdict wn_event_pair(wn_event *e, wn_field f, wn_span key, wn_pair_type type, wn_span value);
// The intake saw something wrong with this event (unknown field, depth, …): first reason wins.
void wn_event_refuse(wn_event *e, wn_verdict why);
// A present but unparsable consent signal: refuses everything.
void wn_event_doubt_consent(wn_event *e);

// ---- what the filter is given ----
typedef struct wn_address { // IPv4 as ::ffff:a.b.c.d
    uint8_t b[16];
} wn_address;
bool wn_address_parse(const char *text, size_t n, wn_address *out); // v4, v6, v4-mapped; no port, no zone

// A window the filter may count in, with its keys. Owned by the edge.
typedef struct wn_edge_window {
    wn_window window;
    uint8_t key_edge[32];   // pseudonyms
    uint8_t key_text[32];   // open values
    uint8_t key_prefix[16]; // SipHash keys derived from key_edge
    uint8_t key_org[16];
    uint8_t epoch[8]; // names key_edge on the wire
    uint32_t slot;    // index in the edge's table, for the session table
    uint32_t policy_version;
    uint64_t policy_id; // of the policy it began with
    bool open;          // false: sealed or past grace: late
} wn_edge_window;

#define WN_REGION_BYTES 8 // "GB-ENG" and a NUL

// What was purged (R16): whole sites, and organisations by their digest under `key`.
typedef struct wn_purged {
    const uint8_t *key; // 32 bytes
    const wn_purge *at;
    size_t n;
} wn_purged;
// The pseudonym of an organisation in a window, as observations carry it. Never 0.
uint64_t wn_org_pseudonym(const wn_edge_window *w, uint64_t site, wn_span org);

typedef struct wn_lookups {
    void *ctx;
    // Two letters, or false when unknown. Must not keep the address.
    bool (*country)(void *ctx, const wn_address *a, char out[2]);
    // ISO 3166-2 code of its region where at least 100,000 people live, as "DE-BY"; its length,
    // 0 when unknown. May be NULL. Must not keep the address.
    size_t (*region)(void *ctx, const wn_address *a, char out[WN_REGION_BYTES]);
    // The policy the window began with, and the newest: what either forbids is forbidden.
    // window NULL: the newest twice. NULL (tests): the default policy's rules.
    void (*policies)(void *ctx, const wn_site *site, const wn_edge_window *window,
                     const wn_site_policy *out[2]);
    // The window that holds t for this zone and kind; NULL: late (or not to be opened).
    const wn_edge_window *(*window)(void *ctx, const wn_site *site, int64_t t_s);
    const wn_site *(*site)(void *ctx, const char *name, size_t n);
    wn_purged purged; // n 0: nothing
} wn_lookups;

typedef struct wn_sender {     // what the intake knows apart from the event
    const wn_address *address; // client address by the proxy rule; NULL: none
    wn_span user_agent;        // of the request; used when the event has none
    wn_span accept_language;   // likewise
    wn_span page;              // Referer of a pixel: used when the event has no url
    wn_span tcf, us_privacy;   // cookies of consent platforms: used when the event has none
    bool opted_out;            // the first-party opt-out flag stood there
    bool gpc, dnt;
    bool doubt;          // one of them stood there unreadable: the intake doubts every event's consent
    bool server_key;     // may state ip, user_agent, org
    bool backfill;       // log import: any past time is allowed if its window is open
    uint64_t scope;      // whose batch_ids these are: a tag of the key; 0: of nobody known
    const wn_site *site; // set: the only site this sender may write to, and the default
    int64_t now_s;
} wn_sender;

typedef struct wn_scratch wn_scratch; // caches, keyed by secret hashes; about 2.3 MiB
size_t wn_scratch_bytes(void);
void wn_scratch_init(wn_scratch *s, const uint8_t key[32]); // key: random, for the caches only
void wn_scratch_wipe(wn_scratch *s);
// Forgets everything and begins again under a new random key: a window is gone, and with it all that
// its events left in here. No event is being filtered.
void wn_scratch_renew(wn_scratch *s, const uint8_t key[32]);

typedef struct wn_filtered {
    wn_observation obs;                // valid when kept
    const wn_value *values[WN_OPEN_N]; // sealed texts of obs.open; live until the next filter call
    const wn_edge_window *window;      // set when kept, and when refused by a person in a known window
    const wn_site *site;               // set when known
    int64_t at_s;                      // exact second, for the session table only
    uint8_t decided;                   // wn_signal_kind; none when consent was not asked for
    bool has_batch_id;
    uint8_t batch_key[16]; // keyed hash of the event's own batch_id (under the key given)
} wn_filtered;

typedef struct wn_trace wn_trace; // `winnow explain`; NULL in the daemon

// Coarsens and strips one event. Wipes nothing: the caller wipes the event.
//   dedupe_key  keys batch_key
// refused: out->site and out->window are set where known, obs is not.
wn_verdict wn_filter(const wn_event *e, const wn_sender *sender, const wn_lookups *look,
                     const uint8_t dedupe_key[32], wn_scratch *scratch, wn_trace *trace, wn_filtered *out);

// Coarsenings by themselves, for golden tests, `explain` and the recount.
// Page addresses are http, https and app ones, "//host/path" and "/path"; others are none.
size_t wn_url_route(const char *url, size_t n, char out[WN_OPEN_TEXT_MAX + 1]); // 0: none
bool wn_url_host(const char *url, size_t n, char *out, size_t cap); // lower case, no port, no "www."
bool wn_url_utm(const char *url, size_t n, const char *key,
                char out[33]); // key: "source", "medium", "campaign"
bool wn_domain_registrable(const char *host, size_t n, char out[WN_OPEN_TEXT_MAX + 1]);
typedef struct wn_agent {
    uint16_t browser, system, device;
    uint16_t browser_major, system_major; // coarse: agent_version.h
    bool bot;
} wn_agent;
void wn_agent_parse(const char *ua, size_t n, wn_agent *out); // "" and "-": all 0
// "" when absent; utm_source "-": a campaign without a source. 0 is for pages of the same site, not from
// here.
uint16_t wn_channel(const char *ref_domain, const char *utm_source, const char *utm_medium);

// ---- trace: what became of each field ----
typedef struct wn_trace_step {
    wn_field field;
    const char *transform;          // row name
    const char *purpose;            // row name
    const char *outcome;            // "kept as …", "dropped", "keyed", …: static words
    char out[WN_OPEN_TEXT_MAX + 1]; // coarsened value, or the declared name that was dropped; never the input
} wn_trace_step;
struct wn_trace {
    wn_trace_step step[WN_FIELD_N * 3];
    size_t n;
    uint8_t granted;      // purposes, as bits; 0 when refused, or refused before consent was asked
    uint8_t taken_by_org; // of what was agreed to, by the policy's rule for the organisation
    bool shared;          // may enter tables that are forwarded
    bool identifying;     // something identifying would stay: a fault
};
