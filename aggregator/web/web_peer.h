// SPDX-License-Identifier: Apache-2.0
// web_peer.h: whose program is at the other end of a loopback connection, as the kernel knows it.
//
// A proxy on this machine connects over loopback like its user's browser does, and need not say
// that it is a proxy; but it runs as a user of its own. Source: /proc/net/tcp of proc(5), which is
// opened before this process confines itself and read again for each question.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "winnow/base.h"

#define WN_WEB_PEERS_BYTES_MAX (8u << 20) // of the kernel's list: 50,000 sockets; behind it nobody is known

typedef struct wn_web_peers {
    int fd[2]; // of IPv4, of IPv6; -1: cannot be read, then nobody is known
} wn_web_peers;

void wn_web_peers_open(wn_web_peers *p);
void wn_web_peers_close(wn_web_peers *p);
// The user of the program that holds the established connection from `client` to `server`. False: not known.
bool wn_web_peer_user(const wn_web_peers *p, const struct sockaddr *client, const struct sockaddr *server,
                      uid_t *out);
