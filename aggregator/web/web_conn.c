// SPDX-License-Identifier: Apache-2.0
// Why: libmicrohttpd counts idle time alone, which a byte now and then resets.
#include "web_conn.h"

#include <stdlib.h>
#include <sys/socket.h>

wn_web_conn *wn_web_conn_begin(wn_web_conns *all, struct MHD_Connection *connection, int64_t now_ms) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    wn_web_conn *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    *c = (wn_web_conn){.connection = connection,
                       .fd = info ? info->connect_fd : -1,
                       .since_ms = now_ms,
                       .asking = true,
                       .before = all->last};
    *(all->last ? &all->last->next : &all->first) = c;
    all->last = c;
    all->n++;
    int bytes = WN_WEB_SEND_BYTES;
    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return c;
}

void wn_web_conn_end(wn_web_conns *all, wn_web_conn *c) {
    if (!c) return;
    *(c->before ? &c->before->next : &all->first) = c->next;
    *(c->next ? &c->next->before : &all->last) = c->before;
    all->n--;
    free(c);
}

void wn_web_conn_asks(wn_web_conn *c, int64_t now_ms) {
    c->asking = true;
    c->since_ms = now_ms;
}

void wn_web_conn_moves(wn_web_conn *c, int64_t now_ms) {
    c->asking = false;
    c->since_ms = now_ms;
}

void wn_web_conn_waits(wn_web_conn *c) {
    if (c->waiting) return;
    c->waiting = true;
    MHD_suspend_connection(c->connection);
}

static void wake(wn_web_conn *c) {
    if (!c->waiting) return;
    c->waiting = false;
    MHD_resume_connection(c->connection);
}

// libmicrohttpd sees its end come, and frees what belongs to it.
static void cut(wn_web_conn *c) {
    c->late = true;
    wake(c);
    (void)shutdown(c->fd, SHUT_RDWR);
}

void wn_web_conns_sweep(wn_web_conns *all, unsigned max, bool room, int64_t now_ms) {
    wn_web_conn *longest = NULL;
    for (wn_web_conn *c = all->first; c; c = c->next) {
        int64_t ms = now_ms - c->since_ms;
        if (c->late) continue;
        if (ms >= (c->asking ? WN_WEB_ASK_MS : WN_WEB_STALL_MS)) cut(c);
        else if (room) wake(c);
        if (!c->late && c->asking && ms >= WN_WEB_SPARE_MS && (!longest || c->since_ms < longest->since_ms))
            longest = c;
    }
    if (all->n >= max && longest) cut(longest);
}

void wn_web_conns_wake(wn_web_conns *all) {
    for (wn_web_conn *c = all->first; c; c = c->next) wake(c);
}
