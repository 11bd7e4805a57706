// SPDX-License-Identifier: Apache-2.0
// web_access.h: who asks, and what they may see. Pure.
//
// With no api_keys.yaml, who asks this machine by its own name over loopback is
// taken for a user of it, as `winnow report` takes one; the name is looked at
// because a page elsewhere can point a name of its own here (DNS rebinding).
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
} wn_web_visitor;

typedef struct wn_web_rules {
    bool behind_proxy, open_to_all; // options web_behind_proxy, web_public
    const char *listen;             // whose host is a name of this machine too
} wn_web_rules;

typedef struct wn_web_reader {
    bool all; // everything published
    wn_api_key key;
} wn_web_reader;

// False with out_problem set.
bool wn_web_access(const wn_web_rules *rules, const wn_web_conf *conf, const wn_web_visitor *v,
                   wn_web_reader *out, wn_problem *out_problem);
bool wn_web_reads_site(const wn_web_reader *r, const char *site);
// By the plan as it is now.
bool wn_web_reads_table(const wn_web_reader *r, const wn_plan *plan, const wn_table *t);
// By the window as it was published; of a receiver by the plan as it is now too: what it was
// named for late starts empty, and what it is no longer named for ends at once (R3).
bool wn_web_reads_window(const wn_web_reader *r, const wn_plan *plan, const wn_public_head *head);
// A receiver's key is told nothing of those who refused: that is a count of a crowd.
bool wn_web_is_receiver(const wn_web_reader *r);
