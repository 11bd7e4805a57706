// SPDX-License-Identifier: Apache-2.0
// The kernel's word for who is at the other end.
#include "web_peer.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_storage server, client;

// An accepted connection over loopback; false where this machine has no such family.
static bool connected(int family, int out_fd[3]) {
    socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    memset(&server, 0, sizeof server);
    server.ss_family = (sa_family_t)family;
    if (family == AF_INET) ((struct sockaddr_in *)(void *)&server)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)(void *)&server)->sin6_addr = in6addr_loopback;
    out_fd[0] = socket(family, SOCK_STREAM, 0);
    if (out_fd[0] < 0 || bind(out_fd[0], (struct sockaddr *)&server, n) != 0) return false;
    cr_assert(listen(out_fd[0], 1) == 0 && getsockname(out_fd[0], (struct sockaddr *)&server, &n) == 0);
    out_fd[1] = socket(family, SOCK_STREAM, 0);
    cr_assert(connect(out_fd[1], (struct sockaddr *)&server, n) == 0);
    out_fd[2] = accept(out_fd[0], (struct sockaddr *)&client, &n);
    cr_assert(out_fd[2] >= 0);
    return true;
}

Test(web_peer, an_open_connection_has_its_programs_user) {
    static const int families[] = {AF_INET, AF_INET6};
    wn_web_peers p;
    wn_web_peers_open(&p);
    for (size_t i = 0; i < WN_COUNT(families); i++) {
        int fd[3];
        uid_t user = (uid_t)-1;
        if (!connected(families[i], fd)) continue;
        for (int again = 0; again < 2; again++) {
            cr_expect(wn_web_peer_user(&p, (struct sockaddr *)&client, (struct sockaddr *)&server, &user));
            cr_expect_eq(user, geteuid());
        }
        // Asked the wrong way round it is the server's own end, which no listener's answer may rest on.
        struct sockaddr_storage other = client;
        ((struct sockaddr_in *)(void *)&other)->sin_port ^= htons(1);
        cr_expect(!wn_web_peer_user(&p, (struct sockaddr *)&other, (struct sockaddr *)&server, &user));
        close(fd[1]); // nobody's any more, which the kernel calls user 0
        cr_expect(!wn_web_peer_user(&p, (struct sockaddr *)&client, (struct sockaddr *)&server, &user));
        close(fd[0]), close(fd[2]);
    }
    wn_web_peers_close(&p);
}

Test(web_peer, without_the_kernels_list_nobody_is_known) {
    wn_web_peers p = {{-1, -1}};
    int fd[3];
    uid_t user;
    cr_assert(connected(AF_INET, fd));
    cr_expect(!wn_web_peer_user(&p, (struct sockaddr *)&client, (struct sockaddr *)&server, &user));
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    wn_web_peers_open(&p);
    cr_expect(!wn_web_peer_user(&p, (struct sockaddr *)&local, (struct sockaddr *)&server, &user));
    wn_web_peers_close(&p);
    for (int i = 0; i < 3; i++) close(fd[i]);
}
