// SPDX-License-Identifier: Apache-2.0
// keeper.c: regions of memory that a keeper holds for a daemon, and the table
// of identity keys in one of them.
//
// A region is a memfd: a header, then the daemon's bytes. It comes by number
// from `winnow up` (WN_KEEPER_ENV) or from systemd's fd store (LISTEN_*); both
// protocols are a few lines, so neither is a dependency.
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypt.h"
#include "log.h"

enum {
    NAME_MAX_BYTES = 31,
    FD_MAX = 1 << 20,
    LISTEN_FDS_START = 3, // systemd's first
    LISTEN_FDS_MAX = 64,
    HEADER_BYTES = 64,
    ENV_BYTES = 256,
};

// First bytes of a region; the magic is written last, so a region without it was never used.
typedef struct header {
    uint64_t bytes; // of the whole region
    char name[NAME_MAX_BYTES + 1];
    atomic_uint_fast64_t magic;
} header;
_Static_assert(sizeof(header) <= HEADER_BYTES, "header");
#define MAGIC UINT64_C(0x31747065206e7721)

static bool name_ok(const char *name) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    return n > 0 && n <= NAME_MAX_BYTES && name[n] == '\0';
}

// ---- finding what a keeper handed over ----

static bool parse_number(const char *text, size_t n, int max, int *out) {
    int value = 0;
    if (n == 0 || n > 9) return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    if (value > max) return false;
    *out = value;
    return true;
}

// "identity=5,sessions=6"
static int fd_from_winnow(const char *name) {
    const char *p = getenv(WN_KEEPER_ENV);
    size_t name_n = strlen(name);
    int fd;
    while (p != NULL && *p != '\0') {
        size_t n = strcspn(p, ",");
        if (n > name_n && strncmp(p, name, name_n) == 0 && p[name_n] == '=' &&
            parse_number(p + name_n + 1, n - name_n - 1, FD_MAX, &fd)) {
            return fd;
        }
        p += n + (p[n] == ',' ? 1 : 0);
    }
    return -1;
}

// sd_listen_fds(3): LISTEN_PID is us, LISTEN_FDS fds from 3 on, LISTEN_FDNAMES "a:b".
static int fd_from_systemd(const char *name) {
    const char *pid_text = getenv("LISTEN_PID"), *n_text = getenv("LISTEN_FDS");
    const char *p = getenv("LISTEN_FDNAMES");
    int pid, fds;
    if (pid_text == NULL || n_text == NULL || p == NULL) return -1;
    if (!parse_number(pid_text, strlen(pid_text), INT32_MAX, &pid) || pid != getpid()) return -1;
    if (!parse_number(n_text, strlen(n_text), LISTEN_FDS_MAX, &fds)) return -1;
    for (int i = 0; i < fds; i++) {
        size_t n = strcspn(p, ":");
        if (n == strlen(name) && strncmp(p, name, n) == 0) return LISTEN_FDS_START + i;
        if (p[n] == '\0') break;
        p += n + 1;
    }
    return -1;
}

// Sends systemd the fd to hold. True when its socket took it; that the unit
// allows it (FileDescriptorStoreMax) shows only at the next start.
static bool offer_to_systemd(const char *name, int fd) {
    const char *path = getenv("NOTIFY_SOCKET"), *room = getenv("FDSTORE");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@')) return false;
    if (room != NULL && strcmp(room, "0") == 0) return false;
    size_t path_n = strlen(path);
    if (path_n >= sizeof to.sun_path) return false;
    memcpy(to.sun_path, path, path_n);
    if (path[0] == '@') to.sun_path[0] = '\0'; // Linux's abstract names

    char text[ENV_BYTES];
    int text_n = snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
    struct iovec body = {.iov_base = text, .iov_len = (size_t)text_n};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr msg = {
        .msg_name = &to,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_n),
        .msg_iov = &body,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);

    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) return false;
    bool sent = sendmsg(s, &msg, MSG_NOSIGNAL) == text_n;
    close(s);
    return sent;
}

// ---- regions ----

void wn_keeper_ready(void) {
    const char *text = getenv(WN_KEEPER_READY_ENV);
    char *end = NULL;
    long fd = text ? strtol(text, &end, 10) : -1;
    if (fd <= STDERR_FILENO || fd > FD_MAX || *end) return;
    unsetenv(WN_KEEPER_READY_ENV);
    ssize_t n = write((int)fd, "+", 1); // a keeper that is gone waits for nothing
    (void)n;
    close((int)fd);
}

int wn_keeper_memfd(const char *name) {
    if (!name_ok(name)) return -1;
#ifdef WN_MUTANT_KEY_ON_DISK
    return open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#else
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
#endif
}

wn_err wn_keeper_hand(const char *const *names, const int *fds, size_t n) {
    char env[ENV_BYTES] = "";
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (!name_ok(names[i])) return WN_ERR_FORMAT;
        int more = snprintf(env + at, sizeof env - at, "%s%s=%d", i > 0 ? "," : "", names[i], fds[i]);
        if (more < 0 || (size_t)more >= sizeof env - at) return WN_ERR_FULL;
        at += (size_t)more;
    }
    for (size_t i = 0; i < n; i++) {
        int flags = fcntl(fds[i], F_GETFD);
        if (flags < 0 || fcntl(fds[i], F_SETFD, flags & ~FD_CLOEXEC) != 0) return WN_ERR_IO;
    }
    return setenv(WN_KEEPER_ENV, env, 1) == 0 ? WN_OK : WN_ERR_NOMEM;
}

// Gives an empty region its size, for good: no other holder can cut it under us.
static wn_err size_region(int fd, size_t total) {
    struct stat st;
    if (fstat(fd, &st) != 0) return WN_ERR_IO;
#ifndef WN_MUTANT_KEY_ON_DISK
    if (fcntl(fd, F_GET_SEALS) < 0) return WN_ERR_FORMAT; // a stale number: some file, not memory
#endif
    if (st.st_size != 0 && (uint64_t)st.st_size != total) return WN_ERR_VERSION;
    if (st.st_size == 0 && ftruncate(fd, (off_t)total) != 0) return WN_ERR_IO;
    (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW); // EPERM when it was sealed before us
    return WN_OK;
}

// A page is locked from the moment it holds something: what nobody wrote yet takes no memory.
static void lock_region(void *base, size_t total) {
    if (mlock2(base, total, MLOCK_ONFAULT) != 0) wn_log(WN_MSG_MLOCK, (int64_t)total, 0, 0);
    (void)madvise(base, total, MADV_DONTDUMP);
}

// Checks or writes the header.
static wn_err adopt_region(uint8_t *base, const char *name, size_t total, bool *out_fresh) {
    header *h = (header *)base;
    uint64_t magic = atomic_load_explicit(&h->magic, memory_order_acquire);
    if (magic == 0) {
        h->bytes = total;
        memcpy(h->name, name, strlen(name) + 1);
        atomic_store_explicit(&h->magic, MAGIC, memory_order_release);
        *out_fresh = true;
        return WN_OK;
    }
    bool same = magic == MAGIC && h->bytes == total && strncmp(h->name, name, sizeof h->name) == 0;
    if (!same) return WN_ERR_VERSION;
    *out_fresh = false;
    return WN_OK;
}

static wn_err map_fd(int fd, const char *name, size_t total, uint8_t **out_base, bool *out_fresh) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) return WN_ERR_IO;
    WN_TRY(size_region(fd, total));
    void *base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return WN_ERR_NOMEM;
    wn_err err = adopt_region(base, name, total, out_fresh);
    if (err != WN_OK) {
        munmap(base, total);
        return err;
    }
    *out_base = base;
    return WN_OK;
}

// Nobody holds one: ours alone, unless systemd takes it.
static wn_err make_region(const char *name, size_t total, uint8_t **out_base, bool *out_kept) {
    bool fresh;
    int fd = wn_keeper_memfd(name);
    if (fd < 0) return WN_ERR_IO;
    wn_err err = map_fd(fd, name, total, out_base, &fresh);
    if (err == WN_OK) *out_kept = offer_to_systemd(name, fd);
    close(fd);
    return err;
}

wn_err wn_keeper_map(const char *name, size_t bytes, wn_kept *out) {
    WN_ASSERT(name_ok(name) && bytes > 0 && bytes <= (size_t)1 << 40);
    size_t total = HEADER_BYTES + bytes;
    uint8_t *base = NULL;
    bool fresh = true, kept = true;
    int fd = fd_from_winnow(name);
    if (fd < 0) fd = fd_from_systemd(name);
    if (fd >= 0) {
        WN_TRY(map_fd(fd, name, total, &base, &fresh));
    } else {
        WN_TRY(make_region(name, total, &base, &kept));
    }
    lock_region(base, total);
    if (!kept) wn_log(WN_MSG_NOT_KEPT, 0, 0, 0);
    *out = (wn_kept){.p = base + HEADER_BYTES, .bytes = bytes, .fresh = fresh, .kept = kept};
    return WN_OK;
}

// ---- identity keys ----

// A kill may come between any two stores, and the table outlives it. So the
// first character of a name decides: written last when an entry is made, and
// set to DYING before a key is wiped, which whoever looks next then finishes.
#define DYING '\1'

static void scrub(wn_identity *e) {
    wn_wipe(e->key, sizeof e->key);
    memset(e->window + 1, 0, sizeof e->window - 1);
    atomic_thread_fence(memory_order_seq_cst);
    *(volatile char *)e->window = '\0';
}

static wn_identity *table(const wn_kept *k) {
    WN_ASSERT(k->bytes == WN_IDENTITY_BYTES);
    return k->p;
}

// The entry of this name or NULL; the first free one too.
static wn_identity *find(const wn_kept *k, const char *window, wn_identity **out_free) {
    wn_identity *entries = table(k), *found = NULL, *empty = NULL;
    for (size_t i = 0; i < WN_IDENTITIES_MAX; i++) {
        wn_identity *e = &entries[i];
        if (e->window[0] == DYING) scrub(e);
        if (e->window[0] == '\0') {
            if (empty == NULL) empty = e;
        } else if (strncmp(e->window, window, sizeof e->window) == 0) {
            found = e;
        }
    }
    if (out_free != NULL) *out_free = empty;
    return found;
}

wn_err wn_identity_key(wn_kept *k, const char *window, uint8_t out[32], bool *out_fresh) {
    wn_identity *empty, *e = find(k, window, &empty);
    if (e == NULL) {
        size_t n = strnlen(window, sizeof e->window);
        if (n == 0 || n >= sizeof e->window || window[0] == DYING) return WN_ERR_FORMAT;
        if (empty == NULL) return WN_ERR_FULL;
        e = empty;
        WN_TRY(wn_random(e->key, sizeof e->key));
        memcpy(e->window + 1, window + 1, n);
        atomic_thread_fence(memory_order_seq_cst);
        *(volatile char *)e->window = window[0];
        *out_fresh = true;
    } else {
        *out_fresh = false;
    }
    memcpy(out, e->key, sizeof e->key);
    return WN_OK;
}

bool wn_identity_has(const wn_kept *k, const char *window) {
    return find(k, window, NULL) != NULL;
}

void wn_identity_forget(wn_kept *k, const char *window) {
    wn_identity *e = find(k, window, NULL);
    if (e == NULL) return;
    *(volatile char *)e->window = DYING;
    atomic_thread_fence(memory_order_seq_cst);
    scrub(e);
}
