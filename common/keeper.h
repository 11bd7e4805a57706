// SPDX-License-Identifier: Apache-2.0
// keeper.h: memory that outlives a daemon's kill, but not the machine's power.
//
// A keeper (`winnow up`, or systemd's fd store) holds memfds and hands them to
// a daemon at exec; the daemon maps them shared, locked and out of dumps. The
// keeper itself never maps them. Under systemd: LISTEN_FDS names, FDSTORE=1.
#pragma once

#include "winnow/base.h"

#define WN_KEEPER_IDENTITY "identity" // identity keys, one page table of wn_identity
#define WN_KEEPER_SESSIONS "sessions" // collector only

// Environment a keeper sets: "identity=5,sessions=6".
#define WN_KEEPER_ENV "WINNOW_KEEPER_FDS"

// The number of an fd that a daemon without a control socket writes a byte to once it serves.
#define WN_KEEPER_READY_ENV "WINNOW_READY_FD"

typedef struct wn_kept {
    void *p;
    size_t bytes;
    bool fresh; // zero-filled: nobody held it before
    bool kept;  // false: private memory, a kill begins a new epoch
} wn_kept;

// Maps the region of this name ([a-z]+, ≤ 31) at `bytes`, on a 64-byte boundary.
// WN_ERR_VERSION when the keeper holds one of another size or form, WN_ERR_FORMAT
// when it is no memory. Makes it when no keeper holds one (and offers it to
// systemd when there is a NOTIFY_SOCKET). Logs NOT_KEPT and MLOCK.
WN_MUST_USE wn_err wn_keeper_map(const char *name, size_t bytes, wn_kept *out);
// Daemon side: says so, once. Without a keeper that waits for it, nothing happens.
void wn_keeper_ready(void);
// Keeper side. Makes a memfd for a child; close-on-exec, so that no other child
// inherits it; the daemon gives it its size. -1 on failure.
int wn_keeper_memfd(const char *name);
// In the forked child, before exec: hands on these fds (same order as names) and sets WN_KEEPER_ENV.
WN_MUST_USE wn_err wn_keeper_hand(const char *const *names, const int *fds, size_t n);

// The identity keys: a fixed table, one entry an open window, zeroed at seal.
#define WN_IDENTITIES_MAX 512
typedef struct wn_identity {
    char window[64]; // wn_window_text; "" = free
    uint8_t key[32]; // K_edge or K_core
} wn_identity;
#define WN_IDENTITY_BYTES (sizeof(wn_identity) * WN_IDENTITIES_MAX)

// Finds the window's key or draws one (out_fresh true). WN_ERR_FULL at the limit.
WN_MUST_USE wn_err wn_identity_key(wn_kept *k, const char *window, uint8_t out[32], bool *out_fresh);
bool wn_identity_has(const wn_kept *k, const char *window);
void wn_identity_forget(wn_kept *k, const char *window);

// First of all in a daemon's main, before any memory holds anything: starts the
// program again with an allocator that overwrites every buffer it is given back,
// small ones too. Comes back at once when that is so already.
void wn_harden_allocator(char **argv);
// Then, once options are read: no core dumps, no ptrace by the same user,
// files for the owner only; warns when swap is on. Test builds (WN_TEST_CLOCK)
// stay dumpable when WINNOW_TEST_DUMPABLE is set.
void wn_harden(void);
