// SPDX-License-Identifier: Apache-2.0
// Why: the one thing about a local connection that its other end cannot choose.
#include "web_peer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ESTABLISHED 1u // a closed socket's line names user 0
#define END_BYTES 40   // of an address and port as text
#define LINE_BYTES 512

void wn_web_peers_open(wn_web_peers *p) {
    p->fd[0] = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
    p->fd[1] = open("/proc/net/tcp6", O_RDONLY | O_CLOEXEC);
}

void wn_web_peers_close(wn_web_peers *p) {
    for (size_t i = 0; i < 2; i++)
        if (p->fd[i] >= 0) close(p->fd[i]);
}

// "0100007F:1F9D": words of 32 bits in this machine's order, then the port.
static bool end_text(const struct sockaddr *a, char out[END_BYTES]) {
    uint32_t word[4];
    size_t n = a->sa_family == AF_INET ? 1 : 4;
    uint16_t port;
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a;
        memcpy(word, &in->sin_addr, 4);
        port = ntohs(in->sin_port);
    } else if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)a;
        memcpy(word, &in->sin6_addr, 16);
        port = ntohs(in->sin6_port);
    } else {
        return false;
    }
    for (size_t i = 0; i < n; i++) snprintf(out + 8 * i, END_BYTES - 8 * i, "%08X", (unsigned)word[i]);
    snprintf(out + 8 * n, END_BYTES - 8 * n, ":%04X", (unsigned)port);
    return true;
}

// " 20: LOCAL REMOTE ST TX:RX TR:WHEN RETRANSMITS UID …"
static bool line_is(const char *line, const char *local, const char *remote, uid_t *out) {
    char a[END_BYTES], b[END_BYTES];
    unsigned state, user;
    if (sscanf(line, " %*u: %39s %39s %x %*x:%*x %*x:%*x %*x %u", a, b, &state, &user) != 4) return false;
    if (strcmp(a, local) != 0 || strcmp(b, remote) != 0 || state != ESTABLISHED) return false;
    *out = (uid_t)user;
    return true;
}

bool wn_web_peer_user(const wn_web_peers *p, const struct sockaddr *client, const struct sockaddr *server,
                      uid_t *out) {
    char local[END_BYTES], remote[END_BYTES], buf[16384];
    int fd = p->fd[client->sa_family == AF_INET6];
    size_t held = 0, all = 0;
    if (fd < 0 || !end_text(client, local) || !end_text(server, remote) || lseek(fd, 0, SEEK_SET) != 0)
        return false;
    for (;;) {
        ssize_t got = read(fd, buf + held, sizeof buf - 1 - held);
        if (got <= 0 || (all += (size_t)got) > WN_WEB_PEERS_BYTES_MAX) return false;
        size_t n = held + (size_t)got, at = 0;
        buf[n] = '\0';
        for (char *end; (end = memchr(buf + at, '\n', n - at)); at = (size_t)(end - buf) + 1) {
            *end = '\0';
            if (line_is(buf + at, local, remote, out)) return true;
        }
        held = n - at;
        if (held > LINE_BYTES) return false;
        memmove(buf, buf + at, held);
    }
}
