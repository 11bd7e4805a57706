// SPDX-License-Identifier: Apache-2.0
// confine.h: from here on this thread, and those it makes, open no file but what is listed.
//
// Landlock: for good, through every exec. What is open already stays open. No new privileges either.
#pragma once

#include "winnow/base.h"

typedef struct wn_confine_rule {
    const char *path; // a file, or a folder and all below it; one that is not there is passed over
    bool write;       // files may be made, written, renamed and removed there, too
} wn_confine_rule;

// Whether `path` is `folder` or lies somewhere below it, links followed; false where one is not there.
bool wn_confine_holds(const char *folder, const char *path);
// False: this kernel has no Landlock, and nothing is confined.
WN_MUST_USE bool wn_confine(const wn_confine_rule *rules, size_t n);
