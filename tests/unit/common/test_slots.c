// SPDX-License-Identifier: Apache-2.0
// The key file under every crash: writes and syncs of slots.c are recorded by
// our own pwrite and fdatasync, then replayed cut at each point, reordered
// between syncs and torn within a sector. Each image must open to the old or
// the new set, and a finished forget leaves no byte of what it forgot.
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt.h"
#include "slots.h"

enum { SECTOR = 512, FILE_BYTES = (3 + 2 * WN_SLOTS_MAX) * SECTOR, OPS_MAX = 8192 };

// ---- a disk that records and fails ----

typedef struct op {
    bool sync;
    off_t at;
    uint8_t bytes[SECTOR];
} op;

static op *ops;
static size_t ops_n;
static bool recording;
static long fail_after = -1; // operations that still succeed

static bool fails(void) {
    if (fail_after < 0) return false;
    if (fail_after > 0) {
        fail_after--;
        return false;
    }
    errno = EIO;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    if (fails()) return -1;
    if (recording) {
        cr_assert_eq(n, SECTOR);
        cr_assert_lt(ops_n, OPS_MAX);
        ops[ops_n].sync = false;
        ops[ops_n].at = at;
        memcpy(ops[ops_n++].bytes, bytes, n);
    }
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}

int fdatasync(int fd) {
    if (fails()) return -1;
    if (recording) {
        cr_assert_lt(ops_n, OPS_MAX);
        ops[ops_n++].sync = true;
    }
    (void)fd; // nothing here outlives the machine
    return 0;
}

// ---- a place, and what a file holds ----

static char dir[] = "/tmp/winnow_slots_XXXXXX";
static char path[64];

static void setup(void) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/slots", dir);
    ops = calloc(OPS_MAX, sizeof *ops);
    cr_assert_not_null(ops);
}

static void teardown(void) {
    free(ops);
    unlink(path);
    rmdir(dir);
}

TestSuite(slots, .init = setup, .fini = teardown);

static wn_slots *open_slots(bool read_only) {
    wn_slots *s = NULL;
    wn_err err = wn_slots_open(path, read_only, &s);
    cr_assert_eq(err, WN_OK, "%s", wn_err_text(err));
    return s;
}

static wn_err try_open(bool read_only) {
    wn_slots *s = NULL;
    wn_err err = wn_slots_open(path, read_only, &s);
    wn_slots_close(s);
    return err;
}

static uint8_t *read_file(void) {
    uint8_t *image = calloc(1, FILE_BYTES);
    int fd = open(path, O_RDONLY);
    cr_assert(image != NULL && fd >= 0);
    cr_assert_eq(read(fd, image, FILE_BYTES), FILE_BYTES);
    close(fd);
    return image;
}

static void write_file(const uint8_t *image, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, image, n), (ssize_t)n);
    close(fd);
}

static void key_of(unsigned i, uint8_t out[32]) {
    for (unsigned b = 0; b < 32; b++) out[b] = (uint8_t)(0xA0 + i * 7 + b * 13);
}

static void put_keys(wn_slots *s, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++) {
        char name[16];
        uint8_t key[32];
        snprintf(name, sizeof name, "key-%u", i);
        key_of(i, key);
        cr_assert_eq(wn_slots_put(s, name, key), WN_OK);
    }
}

// Bit i: key-i is there. Anything unexpected fails.
static void add_bit(void *ctx, const char *name) {
    unsigned i;
    cr_assert_eq(sscanf(name, "key-%u", &i), 1, "%s", name);
    cr_assert_lt(i, 32);
    cr_assert_eq(*(uint32_t *)ctx & 1u << i, 0, "%s twice", name);
    *(uint32_t *)ctx |= 1u << i;
}

static uint32_t set_of(const wn_slots *s) {
    uint32_t set = 0;
    wn_slots_each(s, add_bit, &set);
    for (unsigned i = 0; i < 32; i++) {
        char name[16];
        uint8_t key[32], got[32];
        if ((set & 1u << i) == 0) continue;
        snprintf(name, sizeof name, "key-%u", i);
        key_of(i, key);
        cr_assert_eq(wn_slots_get(s, name, got), WN_OK);
        cr_assert_arr_eq(got, key, 32);
    }
    return set;
}

// Secrets of an image: wrapping keys of its roots, wrapped keys of its sectors.
typedef struct secrets {
    uint8_t bytes[64][16];
    size_t n;
} secrets;

static const uint8_t zeros[SECTOR];

static secrets secrets_in(const uint8_t *image) {
    secrets out = {.n = 0};
    for (size_t at = SECTOR; at < FILE_BYTES; at += SECTOR) {
        if (memcmp(image + at, zeros, SECTOR) == 0) continue;
        cr_assert_lt(out.n, WN_COUNT(out.bytes));
        memcpy(out.bytes[out.n++], image + at + (at < 3 * SECTOR ? 16 : 112 + 24), 16);
    }
    return out;
}

// memmem over all but sectors of zeros, which hold no secret.
static bool holds(const uint8_t *image, const void *what, size_t n) {
    for (size_t from = 0; from < FILE_BYTES;) {
        size_t to = from;
        while (to < FILE_BYTES && memcmp(image + to, zeros, SECTOR) != 0) to += SECTOR;
        if (to > from && memmem(image + from, to - from, what, n) != NULL) return true;
        from = to + SECTOR;
    }
    return false;
}

static bool holds_any(const uint8_t *image, const secrets *s) {
    for (size_t i = 0; i < s->n; i++) {
        if (holds(image, s->bytes[i], 16)) return true;
    }
    return false;
}

// Any aligned 8 bytes of a raw key.
static bool holds_raw(const uint8_t *image, unsigned i) {
    uint8_t key[32];
    key_of(i, key);
    for (unsigned at = 0; at + 8 <= sizeof key; at += 8) {
        if (holds(image, key + at, 8)) return true;
    }
    return false;
}

// ---- crashes ----

typedef struct crash {
    const uint8_t *before; // image; secrets of it must be gone once `new_set` shows
    uint32_t old_set, new_set;
    unsigned old_seen, new_seen;
} crash;

// The image after a crash opens to one of the two sets, alone on the disk.
static uint32_t check_image(crash *c, const uint8_t *image) {
    write_file(image, FILE_BYTES);
    wn_slots *s = open_slots(false);
    uint32_t set = set_of(s);
    cr_assert(set == c->old_set || set == c->new_set, "set %x", set);
    wn_slots_close(s);
    uint8_t *after = read_file();
    secrets old = secrets_in(c->before);
    bool rotated = (c->new_set & ~c->old_set) == 0;
    if (rotated && set == c->new_set) cr_assert_not(holds_any(after, &old), "old secrets beside the new set");
    for (unsigned i = 0; i < 6; i++) cr_assert_not(holds_raw(after, i), "raw key %u", i);
    // One root, one sector a key, nothing else.
    secrets now = secrets_in(after);
    cr_assert_eq(now.n, 1 + (size_t)__builtin_popcount(set));
    free(after);
    (set == c->new_set ? c->new_seen++ : c->old_seen++);
    return set;
}

static void apply(uint8_t *image, const op *o, size_t from, size_t to) {
    if (!o->sync) memcpy(image + o->at + from, o->bytes + from, to - from);
}

static uint64_t seed = 88172645463325252u;

static bool coin(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 40 & 1;
}

// Replays list[0..n) over `before`: cut after each, torn within each, and with
// any subset of what no sync had covered yet.
static void crash_everywhere(crash *c, const op *list, size_t n) {
    uint8_t *image = malloc(FILE_BYTES), *synced = malloc(FILE_BYTES);
    cr_assert(image != NULL && synced != NULL);
    for (size_t cut = 0; cut <= n; cut++) {
        memcpy(image, c->before, FILE_BYTES);
        for (size_t i = 0; i < cut; i++) apply(image, &list[i], 0, SECTOR);
        check_image(c, image);
        static const size_t tears[] = {1, 100, 256, 511};
        for (size_t t = 0; cut < n && !list[cut].sync && t < WN_COUNT(tears); t++) {
            uint8_t whole[SECTOR];
            memcpy(whole, image + list[cut].at, SECTOR);
            apply(image, &list[cut], 0, tears[t]);
            check_image(c, image);
            memcpy(image + list[cut].at, whole, SECTOR);
            apply(image, &list[cut], tears[t], SECTOR);
            check_image(c, image);
            memcpy(image + list[cut].at, whole, SECTOR);
        }
        size_t last_sync = 0;
        for (size_t i = 0; i < cut; i++) last_sync = list[i].sync ? i + 1 : last_sync;
        for (int world = 0; world < 8; world++) {
            memcpy(synced, c->before, FILE_BYTES);
            for (size_t i = 0; i < cut; i++) {
                if (i < last_sync || coin()) apply(synced, &list[i], 0, SECTOR);
            }
            check_image(c, synced);
        }
    }
    free(image);
    free(synced);
}

static void start_recording(void) {
    ops_n = 0;
    recording = true;
}

static const char *const two[] = {"key-1", "key-3", "key-9", NULL}; // there is no key-9

Test(slots, a_crash_anywhere_in_forget_leaves_the_old_or_the_new_set) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 5);
    uint8_t *before = read_file();
    start_recording();
    cr_assert_eq(wn_slots_forget(s, two), WN_OK);
    recording = false;
    wn_slots_close(s);
    cr_assert_eq(ops_n, 3 + 1 + 1 + 1 + 6 + 1, "keys, sync, root, sync, zeros, sync");
    crash c = {.before = before, .old_set = 0x1F, .new_set = 0x15};
    crash_everywhere(&c, ops, ops_n);
    cr_assert(c.old_seen > 20 && c.new_seen > 20, "%u old, %u new", c.old_seen, c.new_seen);

    uint8_t *image = malloc(FILE_BYTES);
    memcpy(image, before, FILE_BYTES);
    for (size_t i = 0; i < ops_n; i++) apply(image, &ops[i], 0, SECTOR);
    cr_assert_eq(check_image(&c, image), 0x15, "after the last sync only the new set");
    free(image);
    free(before);
}

// A process killed after k operations leaves the page cache: the next open
// reads all of it, yet the disk may hold less until a sync.
Test(slots, a_power_cut_while_recovering_from_a_kill_loses_nothing) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 4);
    uint8_t *before = read_file(), *cache = malloc(FILE_BYTES);
    start_recording();
    cr_assert_eq(wn_slots_forget(s, two), WN_OK);
    recording = false;
    wn_slots_close(s);
    size_t n = ops_n;
    op *list = calloc(OPS_MAX, sizeof *list);
    crash c = {.before = before, .old_set = 0xF, .new_set = 0x5};
    const char *text = getenv("WN_CRASH_STRIDE");
    for (size_t killed = 1; killed < n; killed += text != NULL ? strtoul(text, NULL, 10) : 1) {
        memcpy(list, ops, killed * sizeof *ops);
        memcpy(cache, before, FILE_BYTES);
        for (size_t i = 0; i < killed; i++) apply(cache, &ops[i], 0, SECTOR);
        write_file(cache, FILE_BYTES);
        op *keep = ops;
        ops = list;
        ops_n = killed;
        recording = true;
        s = open_slots(false);
        recording = false;
        size_t all = ops_n;
        ops = keep;
        wn_slots_close(s);
        crash_everywhere(&c, list, all);
    }
    cr_assert(c.old_seen > 100 && c.new_seen > 100);
    free(list);
    free(cache);
    free(before);
}

Test(slots, a_crash_anywhere_in_put_keeps_all_that_stood) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 3);
    uint8_t *before = read_file();
    start_recording();
    put_keys(s, 3, 4);
    recording = false;
    wn_slots_close(s);
    cr_assert(ops_n == 2 && ops[1].sync, "a put is done only when synced");
    crash c = {.before = before, .old_set = 0x7, .new_set = 0xF};
    crash_everywhere(&c, ops, ops_n);
    cr_assert(c.old_seen > 0 && c.new_seen > 0);
    free(before);
}

Test(slots, a_crash_while_making_the_file_leaves_one_that_opens_empty) {
    start_recording();
    wn_slots_close(open_slots(false));
    recording = false;
    size_t n = ops_n, cuts[] = {0, 1, 2, 700, n - 5, n - 4, n - 3, n - 2, n - 1, n};
    op *list = malloc(n * sizeof *list);
    memcpy(list, ops, n * sizeof *list);
    uint8_t *image = malloc(FILE_BYTES);
    for (size_t k = 0; k < WN_COUNT(cuts); k++) {
        size_t bytes = 0;
        memset(image, 0, FILE_BYTES);
        for (size_t i = 0; i < cuts[k]; i++) {
            apply(image, &list[i], 0, SECTOR);
            if (!list[i].sync && (size_t)list[i].at + SECTOR > bytes) bytes = (size_t)list[i].at + SECTOR;
        }
        write_file(image, bytes);
        wn_slots *s = open_slots(false);
        cr_assert_eq(set_of(s), 0);
        put_keys(s, 0, 2);
        wn_slots_close(s);
        s = open_slots(true);
        cr_assert_eq(set_of(s), 3, "cut %zu", cuts[k]);
        wn_slots_close(s);
    }
    free(image);
    free(list);
}

Test(slots, a_failing_disk_is_an_error_and_ends_writing) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 5);
    wn_slots_close(s);
    uint8_t *before = read_file(), key[32] = {1};
    for (long ok = 0; ok < 13; ok++) {
        write_file(before, FILE_BYTES);
        s = open_slots(false);
        fail_after = ok;
        cr_assert_eq(wn_slots_forget(s, two), WN_ERR_IO, "failure %ld", ok);
        fail_after = -1;
        uint32_t seen = set_of(s);
        cr_assert(seen == 0x1F || seen == 0x15);
        cr_assert_eq(wn_slots_put(s, "key-7", key), WN_ERR_IO);
        cr_assert_eq(wn_slots_forget(s, two), WN_ERR_IO);
        wn_slots_close(s);
        s = open_slots(false);
        uint32_t set = set_of(s);
        cr_assert(set == 0x1F || set == 0x15, "set %x", set);
        wn_slots_close(s);
    }
    for (long ok = 0; ok < 2; ok++) {
        write_file(before, FILE_BYTES);
        s = open_slots(false);
        fail_after = ok;
        cr_assert_eq(wn_slots_put(s, "key-7", key), WN_ERR_IO);
        fail_after = -1;
        cr_assert_eq(wn_slots_get(s, "key-7", key), WN_ERR_NOTFOUND, "not durable, not there");
        cr_assert_eq(wn_slots_put(s, "key-8", key), WN_ERR_IO);
        wn_slots_close(s);
    }
    fail_after = 0;
    cr_assert_eq(try_open(false), WN_ERR_IO);
    fail_after = -1;
    free(before);
}

// ---- forgetting ----

Test(slots, forget_leaves_no_byte_of_old_secrets) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 6);
    uint8_t *before = read_file();
    cr_assert_eq(wn_slots_forget(s, two), WN_OK);
    cr_assert_eq(set_of(s), 0x35);
    wn_slots_close(s);
    uint8_t *after = read_file();
    secrets old = secrets_in(before);
    cr_assert_eq(old.n, 7);
    cr_assert(holds_any(before, &old), "the search sees what is there");
    cr_assert_not(holds_any(after, &old));
    cr_assert_not(holds(after, "key-1", 5), "names go too");
    for (unsigned i = 0; i < 6; i++) cr_assert_not(holds_raw(before, i) || holds_raw(after, i));
    s = open_slots(false);
    cr_assert_eq(set_of(s), 0x35);
    wn_slots_close(s);
    free(before);
    free(after);
}

Test(slots, forget_of_nothing_still_replaces_the_wrapping_key) {
    static const char *const none[] = {NULL};
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 2);
    uint8_t *before = read_file();
    cr_assert_eq(wn_slots_forget(s, none), WN_OK);
    uint8_t *after = read_file();
    secrets old = secrets_in(before);
    cr_assert_not(holds_any(after, &old));
    cr_assert_eq(set_of(s), 3);
    wn_slots_close(s);
    free(before);
    free(after);
}

Test(slots, many_rotations_and_puts_in_turn) {
    wn_slots *s = open_slots(false);
    for (unsigned i = 0; i < 300; i++) {
        char name[16], gone[16];
        uint8_t key[32];
        snprintf(name, sizeof name, "n%u", i);
        snprintf(gone, sizeof gone, "n%u", i - 3);
        cr_assert_eq(wn_slots_make(s, name, key), WN_OK);
        if (i >= 3) cr_assert_eq(wn_slots_forget(s, (const char *const[]){gone, NULL}), WN_OK);
        if (i % 50 == 0) {
            wn_slots_close(s);
            s = open_slots(false);
        }
    }
    uint8_t key[32];
    cr_assert_eq(wn_slots_get(s, "n296", key), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_slots_get(s, "n297", key), WN_OK);
    wn_slots_close(s);
    uint8_t *image = read_file();
    cr_assert_eq(secrets_in(image).n, 4);
    free(image);
}

// ---- limits and refusals ----

Test(slots, refuses_names_that_do_not_fit) {
    wn_slots *s = open_slots(false);
    char name[WN_SLOT_NAME_BYTES + 2];
    uint8_t key[32] = {1}, got[32];
    memset(name, 'x', sizeof name);
    name[WN_SLOT_NAME_BYTES] = '\0';
    cr_assert_eq(wn_slots_put(s, name, key), WN_ERR_FORMAT);
    cr_assert_eq(wn_slots_make(s, name, got), WN_ERR_FORMAT);
    cr_assert_eq(wn_slots_put(s, "", key), WN_ERR_FORMAT);
    name[WN_SLOT_NAME_BYTES - 1] = '\0';
    cr_assert_eq(wn_slots_put(s, name, key), WN_OK);
    cr_assert_eq(wn_slots_put(s, name, key), WN_ERR_STATE);
    wn_slots_close(s);
    s = open_slots(true);
    cr_assert_eq(wn_slots_get(s, name, got), WN_OK);
    cr_assert_arr_eq(got, key, 32);
    wn_slots_close(s);
}

Test(slots, full_at_its_limit_and_still_rotates) {
    wn_slots *s = open_slots(false);
    char name[16];
    uint8_t key[32], got[32];
    for (unsigned i = 0; i < WN_SLOTS_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        cr_assert_eq(wn_slots_make(s, name, key), WN_OK);
    }
    cr_assert_eq(wn_slots_make(s, "more", got), WN_ERR_FULL);
    cr_assert_eq(wn_slots_put(s, "more", key), WN_ERR_FULL);
    cr_assert_eq(wn_slots_forget(s, (const char *const[]){NULL}), WN_OK);
    cr_assert_eq(wn_slots_forget(s, (const char *const[]){"n5", NULL}), WN_OK);
    cr_assert_eq(wn_slots_make(s, "more", got), WN_OK);
    wn_slots_close(s);
    s = open_slots(false);
    cr_assert_eq(wn_slots_get(s, name, got), WN_OK);
    cr_assert_arr_eq(got, key, 32);
    cr_assert_eq(wn_slots_get(s, "n5", got), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_slots_make(s, "another", got), WN_ERR_FULL);
    wn_slots_close(s);
}

Test(slots, make_finds_or_makes) {
    uint8_t a[32], b[32], c[32];
    wn_slots *s = open_slots(false);
    cr_assert_eq(wn_slots_get(s, "a", a), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_slots_make(s, "a", a), WN_OK);
    cr_assert_eq(wn_slots_make(s, "a", b), WN_OK);
    cr_assert_eq(wn_slots_make(s, "b", c), WN_OK);
    cr_assert_arr_eq(a, b, 32);
    cr_assert_neq(memcmp(a, c, 32), 0);
    wn_slots_close(s);
}

Test(slots, one_writer_and_any_readers) {
    uint8_t key[32];
    cr_assert_eq(try_open(true), WN_ERR_NOTFOUND, "a reader makes nothing");
    cr_assert_eq(access(path, F_OK), -1);
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 1);
    cr_assert_eq(try_open(false), WN_ERR_BUSY);
    wn_slots *reader = open_slots(true);
    cr_assert_eq(set_of(reader), 1);
    cr_assert_eq(wn_slots_put(reader, "key-2", key), WN_ERR_STATE);
    cr_assert_eq(wn_slots_make(reader, "key-2", key), WN_ERR_STATE);
    cr_assert_eq(wn_slots_forget(reader, two), WN_ERR_STATE);
    wn_slots_close(reader);
    wn_slots_close(s);
    cr_assert_eq(try_open(false), WN_OK);
    wn_slots_close(NULL);
}

Test(slots, readers_see_whole_sets_while_keys_rotate) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 20);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        for (unsigned i = 0; i < 100; i++) {
            if (wn_slots_forget(s, (const char *const[]){"none", NULL}) != WN_OK) _exit(1);
        }
        _exit(0);
    }
    int status;
    unsigned reads = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        wn_slots *reader = open_slots(true);
        cr_assert_eq(set_of(reader), 0xFFFFF);
        wn_slots_close(reader);
        reads++;
    }
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_gt(reads, 0);
    wn_slots_close(s);
}

Test(slots, the_file_is_for_its_owner_alone) {
    struct stat st;
    wn_slots_close(open_slots(false));
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    cr_assert_eq(chmod(path, 0644), 0);
    wn_slots_close(open_slots(false));
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
}

static void reseal(uint8_t *sector) {
    crypto_generichash(sector + 480, 32, sector, 480, NULL, 0);
}

Test(slots, refuses_what_it_did_not_write) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 3);
    cr_assert_eq(wn_slots_forget(s, (const char *const[]){NULL}), WN_OK);
    wn_slots_close(s);
    uint8_t *good = read_file(), *bad = malloc(FILE_BYTES + 1);
    size_t root = sodium_is_zero(good + SECTOR, SECTOR) ? 2 * SECTOR : SECTOR, first_key = 3 * SECTOR;
    while (sodium_is_zero(good + first_key, SECTOR)) first_key += SECTOR;
    for (int both = 0; both < 2; both++) {
        bool read_only = both == 1;
        memcpy(bad, good, FILE_BYTES);
        bad[8] ^= 1;
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_FORMAT, "magic");

        memcpy(bad, good, FILE_BYTES);
        for (uint8_t other = 1; other <= 3; other += 2) {
            bad[4] = other;
            reseal(bad);
            write_file(bad, FILE_BYTES);
            cr_assert_eq(try_open(read_only), WN_ERR_VERSION, "format %u", other);
        }

        memcpy(bad, good, FILE_BYTES);
        bad[300] ^= 1;
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "header");

        memcpy(bad, good, FILE_BYTES);
        bad[root + 20] ^= 1;
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "root");

        memcpy(bad, good, FILE_BYTES);
        bad[first_key + 150] ^= 1;
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "a key the generation began with");
        reseal(bad + first_key);
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "a forged key");

        memcpy(bad, good, FILE_BYTES);
        bad[first_key + 16] ^= 1;
        reseal(bad + first_key);
        write_file(bad, FILE_BYTES);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "a key under another name");

        write_file(good, FILE_BYTES - 1);
        cr_assert_eq(try_open(read_only), WN_ERR_CORRUPT, "cut");
        memcpy(bad, good, FILE_BYTES);
        bad[FILE_BYTES] = 0;
        write_file(bad, FILE_BYTES + 1);
        cr_assert_eq(try_open(read_only), WN_ERR_FORMAT, "too long");
        write_file((const uint8_t *)"hello", 5);
        cr_assert_eq(try_open(read_only), WN_ERR_FORMAT);
    }
    memcpy(bad, good, FILE_BYTES);
    memset(bad, 0, SECTOR);
    write_file(bad, FILE_BYTES);
    cr_assert_eq(try_open(false), WN_ERR_CORRUPT, "keys without a header are not made anew");
    uint8_t *still = read_file();
    cr_assert_arr_eq(still, bad, FILE_BYTES);
    write_file(good, 0);
    cr_assert_eq(try_open(true), WN_ERR_NOTFOUND);
    free(still);
    free(good);
    free(bad);
}

Test(slots, refuses_a_link_and_a_place_that_is_not_there) {
    char link[80];
    snprintf(link, sizeof link, "%s/link", dir);
    wn_slots_close(open_slots(false));
    cr_assert_eq(symlink(path, link), 0);
    wn_slots *s = NULL;
    cr_assert_eq(wn_slots_open(link, false, &s), WN_ERR_IO);
    cr_assert_eq(unlink(link), 0);
    snprintf(link, sizeof link, "%s/none/slots", dir);
    cr_assert_eq(wn_slots_open(link, false, &s), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_slots_open(dir, true, &s), WN_ERR_FORMAT);
    cr_assert_null(s);
}

// ---- the credential ----

static void credential_write(size_t n, uint8_t byte) {
    char file[96];
    uint8_t bytes[64];
    memset(bytes, byte, sizeof bytes);
    snprintf(file, sizeof file, "%s/winnow-key", dir);
    unlink(file);
    if (n == 0) return;
    FILE *f = fopen(file, "wb");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static bool image_holds(const uint8_t *what, size_t n) {
    uint8_t *image = read_file();
    bool found = memmem(image, FILE_BYTES, what, n) != NULL;
    free(image);
    return found;
}

Test(slots, with_a_credential_the_file_alone_opens_nothing) {
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 3);
    wn_slots_close(s);
    uint8_t *before = read_file();
    size_t root = sodium_is_zero(before + SECTOR, SECTOR) ? 2 * SECTOR : SECTOR;
    uint8_t plain_wrapping[32];
    memcpy(plain_wrapping, before + root + 16, 32);
    free(before);

    cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    cr_assert_eq(try_open(false), WN_OK, "a folder without ours in it");
    cr_assert(image_holds(plain_wrapping, 32));
    credential_write(32, 7);
    s = open_slots(false);
    cr_assert_eq(set_of(s), 7u);
    cr_assert_not(image_holds(plain_wrapping, 32), "what lay open is overwritten");
    wn_slots_close(s);
    cr_assert_eq(try_open(true), WN_OK);

    for (int both = 0; both < 2; both++) {
        credential_write(0, 0);
        cr_assert_eq(try_open(both), WN_ERR_CREDENTIAL, "gone");
        credential_write(32, 8);
        cr_assert_eq(try_open(both), WN_ERR_CREDENTIAL, "another one");
        credential_write(31, 7);
        cr_assert_eq(try_open(both), WN_ERR_CREDENTIAL, "too short");
        cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        cr_assert_eq(try_open(both), WN_ERR_CREDENTIAL, "no folder");
        cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
        credential_write(32, 7);
        cr_assert_eq(try_open(both), WN_OK);
    }
    credential_write(0, 0);
}

Test(slots, the_credential_stays_through_rotations) {
    cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    credential_write(64, 9);
    wn_slots *s = open_slots(false);
    put_keys(s, 0, 4);
    for (unsigned i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "key-%u", i);
        cr_assert_eq(wn_slots_forget(s, (const char *const[]){name, NULL}), WN_OK);
    }
    wn_slots_close(s);
    s = open_slots(true);
    cr_assert_eq(set_of(s), 8u);
    wn_slots_close(s);
    cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    cr_assert_eq(try_open(false), WN_ERR_CREDENTIAL);
    credential_write(0, 0);
}
