// SPDX-License-Identifier: Apache-2.0
// Memory handed from process to process, and identity keys that survive a kill
// and not a seal. Daemons are forked children; fds come as keepers give them.
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt.h"
#include "keeper.h"

enum { REGION_BYTES = 8192 };

// AddressSanitizer turns mlock into nothing, as clang and gcc tell in two ways.
#if defined __SANITIZE_ADDRESS__
enum { LOCKS = 0 };
#elif defined __has_feature
enum { LOCKS = !__has_feature(address_sanitizer) };
#else
enum { LOCKS = 1 };
#endif

static int log_reader = -1;

static void setup(void) {
    int ends[2];
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_reader = ends[0];
    static const char *const all[] = {WN_KEEPER_ENV,    "LISTEN_PID",    "LISTEN_FDS",
                                      "LISTEN_FDNAMES", "NOTIFY_SOCKET", "FDSTORE"};
    for (size_t i = 0; i < WN_COUNT(all); i++) unsetenv(all[i]);
}

TestSuite(keeper, .init = setup);
TestSuite(identity, .init = setup);

static bool logged(const char *words) {
    char line[1024];
    for (;;) {
        ssize_t n = recv(log_reader, line, sizeof line - 1, MSG_DONTWAIT);
        if (n < 0) return false;
        line[n] = '\0';
        if (strstr(line, words) != NULL) return true;
    }
}

static void hand(const char *name, int fd) {
    char env[64];
    snprintf(env, sizeof env, "%s=%d", name, fd);
    setenv(WN_KEEPER_ENV, env, 1);
}

// Runs a daemon's life in a child; true when it ended well.
static bool in_child(void (*life)(void *), void *arg) {
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        life(arg);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define CHILD_CHECK(cond)                                                                                    \
    do {                                                                                                     \
        if (!(cond)) _exit(__LINE__ % 250 + 1);                                                              \
    } while (0)

// The line of /proc/self/maps or the flags of /proc/self/smaps of what holds p.
static bool mapping_has(const char *file, const void *p, const char *line_head, const char *words) {
    FILE *f = fopen(file, "re");
    char line[1024];
    bool inside = false, has = false;
    uintptr_t at = (uintptr_t)p;
    cr_assert_not_null(f);
    while (!has && fgets(line, sizeof line, f) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) inside = at >= from && at < to;
        if (inside && strncmp(line, line_head, strlen(line_head)) == 0) has = strstr(line, words) != NULL;
    }
    fclose(f);
    return has;
}

Test(keeper, without_a_keeper_memory_is_private_and_says_so) {
    wn_kept k;
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
    cr_assert(k.fresh);
    cr_assert_not(k.kept);
    cr_assert_eq(k.bytes, REGION_BYTES);
    cr_assert_eq((uintptr_t)k.p % 64, 0);
    for (size_t i = 0; i < k.bytes; i++) cr_assert_eq(((uint8_t *)k.p)[i], 0);
    memset(k.p, 1, k.bytes);
    cr_assert(logged("no keeper"));
}

static void writer(void *arg) {
    wn_kept k;
    (void)arg;
    CHILD_CHECK(wn_keeper_map("sessions", REGION_BYTES, &k) == WN_OK);
    CHILD_CHECK(k.fresh && k.kept);
    memset(k.p, 0x5A, k.bytes);
    raise(SIGKILL);
}

static void reader(void *arg) {
    wn_kept k;
    (void)arg;
    CHILD_CHECK(wn_keeper_map("sessions", REGION_BYTES, &k) == WN_OK);
    CHILD_CHECK(!k.fresh && k.kept);
    for (size_t i = 0; i < k.bytes; i++) CHILD_CHECK(((uint8_t *)k.p)[i] == 0x5A);
}

Test(keeper, what_a_killed_daemon_wrote_is_there_for_the_next) {
    int fd = wn_keeper_memfd("sessions");
    cr_assert_geq(fd, 0);
    hand("sessions", fd);
    cr_assert_not(in_child(writer, NULL), "it was killed");
    cr_assert(in_child(reader, NULL));
}

Test(keeper, is_memory_locked_and_out_of_dumps_and_of_disks) {
    wn_kept k;
    hand("identity", wn_keeper_memfd("identity"));
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_OK);
    char head[32];
    snprintf(head, sizeof head, "%lx-", (unsigned long)k.p & ~4095ul);
    cr_assert(mapping_has("/proc/self/maps", k.p, head, "/memfd:identity"));
    cr_assert(mapping_has("/proc/self/smaps", k.p, "VmFlags:", " dd"));
    if (LOCKS && !logged("cannot lock")) cr_assert(mapping_has("/proc/self/smaps", k.p, "VmFlags:", " lo"));
}

Test(keeper, goes_on_unlocked_with_a_warning) {
    wn_kept k;
    struct rlimit none = {0, 0};
    // Root may lock whatever the limit: only an ordinary user sees the warning.
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    if (getuid() == 0) cr_assert_eq(setresuid(65534, 65534, 65534), 0);
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_OK);
    cr_assert(!LOCKS || logged("cannot lock"));
}

Test(keeper, refuses_a_region_of_another_size_or_name) {
    wn_kept k = {.p = NULL};
    int fd = wn_keeper_memfd("sessions");
    hand("sessions", fd);
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES + 1, &k), WN_ERR_VERSION);
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES - 1, &k), WN_ERR_VERSION);
    hand("identity", fd);
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_ERR_VERSION);
    uint8_t *header = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(header, 0x11, 64);
    hand("sessions", fd);
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_ERR_VERSION);
}

Test(keeper, refuses_what_is_no_memory) {
    wn_kept k;
    char path[] = "/var/tmp/winnow_keeper_XXXXXX";
    int file = mkstemp(path), pipes[2];
    struct stat st;
    cr_assert_geq(file, 0);
    unlink(path);
    if (fcntl(file, F_GET_SEALS) < 0) { // a tmpfs here would be memory
        hand("identity", file);
        cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_ERR_FORMAT);
        cr_assert_eq(fstat(file, &st), 0);
        cr_assert_eq(st.st_size, 0, "a stranger's file is left alone");
    }
    cr_assert_eq(pipe(pipes), 0);
    hand("identity", pipes[0]);
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_ERR_FORMAT);
    hand("identity", 900000);
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_ERR_IO);
}

Test(keeper, nobody_can_cut_a_region_under_its_daemon) {
    wn_kept k;
    int fd = wn_keeper_memfd("sessions");
    hand("sessions", fd);
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
    cr_assert_eq(ftruncate(fd, 0), -1);
    cr_assert_eq(ftruncate(fd, 1 << 20), -1);
}

Test(keeper, reads_only_well_formed_environments) {
    int fd = wn_keeper_memfd("identity");
    static const char *const bad[] = {"",
                                      "identity",
                                      "identity=",
                                      "identity=%dx",
                                      "identit=%d",
                                      "xidentity=%d",
                                      "identity=-%d",
                                      "identity= %d",
                                      "identity:%d",
                                      "=%d",
                                      "identity=99999999999",
                                      ",,",
                                      "sessions=%d,,="};
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        char env[128];
        const char *mark = strstr(bad[i], "%d");
        int head = mark != NULL ? (int)(mark - bad[i]) : (int)strlen(bad[i]);
        snprintf(env, sizeof env, "%.*s", head, bad[i]);
        if (mark != NULL) snprintf(env + head, sizeof env - (size_t)head, "%d%s", fd, mark + 2);
        setenv(WN_KEEPER_ENV, env, 1);
        wn_kept k;
        cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_OK);
        cr_assert_not(k.kept, "%s", env);
    }
    char env[64];
    snprintf(env, sizeof env, "sessions=900000,identity=%d", fd);
    setenv(WN_KEEPER_ENV, env, 1);
    wn_kept k;
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_OK);
    cr_assert(k.kept);
}

Test(keeper, memfds_go_to_their_own_child_only) {
    const char *names[] = {"identity", "sessions"};
    int fds[] = {wn_keeper_memfd("identity"), wn_keeper_memfd("sessions")};
    char env[64];
    cr_assert_eq(wn_keeper_memfd(""), -1);
    cr_assert_eq(wn_keeper_memfd("a=b"), -1);
    for (int i = 0; i < 2; i++) cr_assert(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(wn_keeper_hand(names, fds, 2), WN_OK);
    for (int i = 0; i < 2; i++) cr_assert_not(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
    snprintf(env, sizeof env, "identity=%d,sessions=%d", fds[0], fds[1]);
    cr_assert_str_eq(getenv(WN_KEEPER_ENV), env);
    wn_kept k;
    cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
    cr_assert(k.kept);
    cr_assert(fcntl(fds[1], F_GETFD) & FD_CLOEXEC, "a daemon's children get none");
    fds[1] = 900000;
    cr_assert_eq(wn_keeper_hand(names, fds, 2), WN_ERR_IO);
    names[0] = "a,b";
    cr_assert_eq(wn_keeper_hand(names, fds, 2), WN_ERR_FORMAT);
}

static void systemd_daemon(void *arg) {
    char pid[16];
    wn_kept k;
    int kept = *(int *)arg;
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "other:sessions:identity", 1);
    CHILD_CHECK(dup2(kept, 3) == 3 && dup2(kept, 5) == 5);
    int sessions = wn_keeper_memfd("sessions");
    CHILD_CHECK(sessions >= 0 && dup2(sessions, 4) == 4);
    CHILD_CHECK(wn_keeper_map("identity", REGION_BYTES, &k) == WN_OK && k.kept);
    memset(k.p, 7, k.bytes);
    CHILD_CHECK((fcntl(5, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(3, F_GETFD) & FD_CLOEXEC) == 0);
    CHILD_CHECK(wn_keeper_map("sessions", REGION_BYTES, &k) == WN_OK && k.kept && k.fresh);
    setenv("LISTEN_FDS", "2", 1);
    CHILD_CHECK(wn_keeper_map("identity", REGION_BYTES, &k) == WN_OK && !k.kept);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_PID", "1", 1);
    CHILD_CHECK(wn_keeper_map("identity", REGION_BYTES, &k) == WN_OK && !k.kept);
}

Test(keeper, takes_what_systemd_passes_to_this_process) {
    int fd = wn_keeper_memfd("identity");
    int high = fcntl(fd, F_DUPFD, 100);
    cr_assert(in_child(systemd_daemon, &high));
    hand("identity", high);
    wn_kept k;
    cr_assert_eq(wn_keeper_map("identity", REGION_BYTES, &k), WN_OK);
    cr_assert_eq(((uint8_t *)k.p)[100], 7);
}

// Plays systemd: takes one message, answers the fd in it.
static int take_offer(int s, const char *name) {
    char text[256], want[256];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec body = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr msg = {.msg_iov = &body,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(s, &msg, MSG_DONTWAIT);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    snprintf(want, sizeof want, "FDSTORE=1\nFDNAME=%s", name);
    cr_assert_str_eq(text, want);
    int fd;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    cr_assert(c != NULL && c->cmsg_type == SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

Test(keeper, offers_a_new_region_to_systemd) {
    char dir[] = "/tmp/winnow_keeper_XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(dir));
    for (int abstract = 0; abstract < 2; abstract++) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        snprintf(path, sizeof path, "%s%s/notify", abstract ? "@" : "", dir);
        memcpy(at.sun_path, path, strlen(path));
        if (abstract) at.sun_path[0] = '\0';
        int s = socket(AF_UNIX, SOCK_DGRAM, 0);
        socklen_t at_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        cr_assert_eq(bind(s, (struct sockaddr *)&at, at_n), 0);
        setenv("NOTIFY_SOCKET", path, 1);
        unsetenv(WN_KEEPER_ENV);
        wn_kept k, again;
        cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
        cr_assert(k.kept && k.fresh);
        memset(k.p, 0x33, k.bytes);
        hand("sessions", take_offer(s, "sessions"));
        cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &again), WN_OK);
        cr_assert_arr_eq(again.p, k.p, REGION_BYTES);
        cr_assert_not(again.fresh);
        cr_assert_eq(recv(s, path, 1, MSG_DONTWAIT), -1, "a kept region is not offered again");
        close(s);
    }
    cr_assert_not(logged("no keeper"));
    snprintf(path, sizeof path, "%s/notify", dir);
    unlink(path);
    rmdir(dir);
}

Test(keeper, is_private_when_systemd_takes_nothing) {
    static char too_long[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    const char *const bad[] = {"/nonexistent/notify", "relative", "", "@", too_long};
    memset(too_long, '/', sizeof too_long - 1);
    wn_kept k;
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        cr_assert_eq(wn_keeper_map("sessions", REGION_BYTES, &k), WN_OK);
        cr_assert_not(k.kept, "%s", bad[i]);
    }
}

// ---- identity keys ----

static wn_kept table(void) {
    wn_kept k;
    cr_assert_eq(wn_keeper_map("identity", WN_IDENTITY_BYTES, &k), WN_OK);
    return k;
}

static bool region_holds(const wn_kept *k, const uint8_t key[32]) {
    for (unsigned at = 0; at < 32; at += 8) {
        if (memmem(k->p, k->bytes, key + at, 8) != NULL) return true;
    }
    return false;
}

Test(identity, a_window_keeps_its_key_and_shares_it_with_none) {
    wn_kept k = table();
    uint8_t a[32], b[32], again[32];
    bool fresh = false;
    cr_assert_not(wn_identity_has(&k, "a"));
    cr_assert_eq(wn_identity_key(&k, "a", a, &fresh), WN_OK);
    cr_assert(fresh);
    cr_assert_eq(wn_identity_key(&k, "b", b, &fresh), WN_OK);
    cr_assert(fresh);
    cr_assert_eq(wn_identity_key(&k, "a", again, &fresh), WN_OK);
    cr_assert_not(fresh);
    cr_assert_arr_eq(a, again, 32);
    cr_assert_neq(memcmp(a, b, 32), 0);
    cr_assert(wn_identity_has(&k, "a"));
    cr_assert_not(wn_identity_has(&k, ""));
}

Test(identity, a_forgotten_key_is_nowhere_and_never_comes_back) {
    wn_kept k = table();
    uint8_t a[32], b[32], again[32];
    bool fresh;
    cr_assert_eq(wn_identity_key(&k, "2026-11-20.web.UTC", a, &fresh), WN_OK);
    cr_assert_eq(wn_identity_key(&k, "2026-11-21.web.UTC", b, &fresh), WN_OK);
    cr_assert(region_holds(&k, a));
    wn_identity_forget(&k, "2026-11-20.web.UTC");
    wn_identity_forget(&k, "2026-11-19.web.UTC");
    cr_assert_not(region_holds(&k, a));
    cr_assert_null(memmem(k.p, k.bytes, "11-20", 5));
    cr_assert(region_holds(&k, b));
    cr_assert_not(wn_identity_has(&k, "2026-11-20.web.UTC"));
    cr_assert_eq(wn_identity_key(&k, "2026-11-20.web.UTC", again, &fresh), WN_OK);
    cr_assert(fresh);
    cr_assert_neq(memcmp(a, again, 32), 0);
}

Test(identity, full_at_its_limit_and_forgetting_makes_room) {
    wn_kept k = table();
    char name[16];
    uint8_t key[32];
    bool fresh;
    for (unsigned i = 0; i < WN_IDENTITIES_MAX; i++) {
        snprintf(name, sizeof name, "w%u", i);
        cr_assert_eq(wn_identity_key(&k, name, key, &fresh), WN_OK);
    }
    cr_assert_eq(wn_identity_key(&k, "more", key, &fresh), WN_ERR_FULL);
    cr_assert_eq(wn_identity_key(&k, "w511", key, &fresh), WN_OK);
    cr_assert_not(fresh);
    wn_identity_forget(&k, "w300");
    cr_assert_eq(wn_identity_key(&k, "more", key, &fresh), WN_OK);
    cr_assert_eq(wn_identity_key(&k, "again", key, &fresh), WN_ERR_FULL);
}

Test(identity, refuses_names_that_do_not_fit) {
    wn_kept k = table();
    char name[66];
    uint8_t key[32], again[32];
    bool fresh;
    memset(name, 'x', sizeof name);
    name[64] = '\0';
    cr_assert_eq(wn_identity_key(&k, name, key, &fresh), WN_ERR_FORMAT);
    cr_assert_eq(wn_identity_key(&k, "", key, &fresh), WN_ERR_FORMAT);
    cr_assert_eq(wn_identity_key(&k, "\1", key, &fresh), WN_ERR_FORMAT);
    name[63] = '\0';
    cr_assert_eq(wn_identity_key(&k, name, key, &fresh), WN_OK);
    name[62] = '\0';
    cr_assert_not(wn_identity_has(&k, name), "a head of a name is another name");
    name[62] = 'x';
    cr_assert_eq(wn_identity_key(&k, name, again, &fresh), WN_OK);
    cr_assert_arr_eq(key, again, 32);
}

// What a kill between two stores leaves behind.
Test(identity, a_kill_while_forgetting_is_finished_by_the_next_look) {
    wn_kept k = table();
    uint8_t a[32], b[32];
    bool fresh;
    cr_assert_eq(wn_identity_key(&k, "dying", a, &fresh), WN_OK);
    cr_assert_eq(wn_identity_key(&k, "living", b, &fresh), WN_OK);
    wn_identity *entries = k.p;
    entries[0].window[0] = '\1';
    memset(entries[0].key, 0, 16);
    cr_assert(region_holds(&k, a));
    cr_assert(wn_identity_has(&k, "living"));
    cr_assert_not(region_holds(&k, a));
    cr_assert_not(wn_identity_has(&k, "dying"));
    cr_assert_eq(entries[0].window[0], '\0');
}

Test(identity, a_kill_while_making_leaves_a_free_entry) {
    wn_kept k = table();
    uint8_t a[32];
    bool fresh;
    wn_identity *entries = k.p;
    memset(entries[0].key, 0x77, 32);
    memcpy(entries[0].window + 1, "026-11-20", 10);
    cr_assert_not(wn_identity_has(&k, "2026-11-20"));
    cr_assert_eq(wn_identity_key(&k, "x", a, &fresh), WN_OK);
    cr_assert(fresh);
    cr_assert_neq(a[0] == 0x77 && a[31] == 0x77, true);
    cr_assert_str_eq(entries[0].window, "x");
    cr_assert(wn_identity_has(&k, "x"));
}

static void hardened(void *arg) {
    struct rlimit core;
    (void)arg;
    wn_harden();
    CHILD_CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    CHILD_CHECK(prctl(PR_GET_DUMPABLE) == 0);
    CHILD_CHECK(umask(0) == 077);
}

Test(harden, no_core_no_ptrace_no_foreign_reader) {
    cr_assert(in_child(hardened, NULL));
    setenv("WINNOW_TEST_DUMPABLE", "1", 1);
    cr_assert(in_child(hardened, NULL), "a product build has no such door");
}

// Memory of `VmLck` grows with what is written, not with what is mapped.
static size_t locked_pages(const void *from, size_t pages) {
    unsigned long at;
    size_t kib = 0;
    char line[256];
    bool here = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long end;
        if (sscanf(line, "%lx-%lx ", &at, &end) == 2) here = at <= (uintptr_t)from && (uintptr_t)from < end;
        if (here && sscanf(line, "Locked: %zu kB", &kib) == 1) break;
    }
    fclose(f);
    cr_assert_leq(kib / 4, pages + 1);
    return kib / 4;
}

Test(keeper, a_page_is_locked_when_it_is_written_and_takes_no_memory_before) {
    enum { PAGES = 64 };
    wn_kept k;
    cr_assert_eq(wn_keeper_map("lazy", (size_t)PAGES * 4096, &k), WN_OK);
    if (logged("cannot lock")) return; // no right to lock here
    size_t before = locked_pages(k.p, PAGES);
    cr_assert_leq(before, 2);
    for (size_t i = 8; i < 16; i++) ((uint8_t *)k.p)[i * 4096] = 1;
    cr_assert_eq(locked_pages(k.p, PAGES), before + 8);
}
