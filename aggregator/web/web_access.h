// SPDX-License-Identifier: Apache-2.0
// web_access.h: who asks, and what they may see. Pure.
//
// With no api_keys.yaml, a program of the very user who runs winnow-web may read,
// when it asks this machine by its own name over loopback: it could read the store
// too, as `winnow report` does. Not root's and no other user's, since a proxy is one
// of those and need not say that it is a proxy. The name is looked at because a page
// elsewhere can point a name of its own here (DNS rebinding).
// With the file, or behind a proxy, everybody needs a key.
#pragma once

#include "published.h"
#include "web_conf.h"
#include "web_problem.h"

typedef struct wn_web_visitor { // as the connection shows them; all borrowed
    bool loopback;              // the peer's address
    const char *host;           // header Host; NULL
    const char *authorization;  // header; NULL
    bool forwarded;             // a header that proxies add is there
    bool same_user;             // the program at the other end is this one's user's (web_peer.h)
} wn_web_visitor;

typedef struct wn_web_rules {
    bool behind_proxy, open_to_all; // options web_behind_proxy, web_public
    const char *listen;             // whose host is a name of this machine too
} wn_web_rules;

typedef struct wn_web_reader {
    bool all; // everything published
    wn_api_key key;
} wn_web_reader;

bool wn_web_header_of_proxy(const char *name);
// False with out_problem set.
bool wn_web_access(const wn_web_rules *rules, const wn_web_conf *conf, const wn_web_visitor *v,
                   wn_web_reader *out, wn_problem *out_problem);
bool wn_web_reads_site(const wn_web_reader *r, const char *site);
// By the plan as it is now.
bool wn_web_reads_table(const wn_web_reader *r, const wn_plan *plan, const wn_table *t);
// By the window as it was published; of a receiver by the plan as it is now too: what it was
// named for late starts empty, and what it is no longer named for ends at once (R3).
bool wn_web_reads_window(const wn_web_reader *r, const wn_plan *plan, const wn_public_head *head);
// Everything that is published: then what names the whole store (its ledger, its ticks) is theirs too.
// Whom a key narrows to some sites, tables or a receiver is told nothing that moves with the rest.
bool wn_web_reads_all(const wn_web_reader *r);
// What the reader may read, as bytes that differ when it does: a key made anew, or widened by hand.
#define WN_WEB_RIGHTS_BYTES 32
void wn_web_rights(const wn_web_reader *r, uint8_t out[WN_WEB_RIGHTS_BYTES]);
// A receiver's key is told nothing of those who refused: that is a count of a crowd.
bool wn_web_is_receiver(const wn_web_reader *r);
