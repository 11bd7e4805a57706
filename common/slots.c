// SPDX-License-Identifier: Apache-2.0
// slots.c: the key file. Sectors of 512 bytes, each whole by its own checksum:
//
//   0                header: magic, format
//   1, 2             roots: generation, its wrapping key (wrapped by the credential, when
//                    there is one), how many keys it began with
//   3 …              keys: generation, name, key wrapped by that generation's root
//
// A generation holds once its root is valid and the keys it began with are
// there; the newest one counts. A rotation writes its keys, syncs, writes its
// root, syncs, zeroes the old sectors, syncs: whatever a crash cuts off, one
// generation is whole. A key added later counts as soon as its sector is valid.
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "crypt.h"

enum {
    FORMAT = 2,
    SECTOR_BYTES = 512,
    SUM_BYTES = 32,
    SUM_AT = SECTOR_BYTES - SUM_BYTES,
    ROOTS_AT = 1,
    ROOTS_N = 2,
    KEYS_AT = ROOTS_AT + ROOTS_N,
    SECTORS_N = KEYS_AT + 2 * WN_SLOTS_MAX, // room for a whole generation beside a whole one
    FILE_BYTES = SECTORS_N * SECTOR_BYTES,
    READ_TRIES = 50,
    CREDENTIAL_BYTES_MIN = 32,
    CREDENTIAL_BYTES_MAX = 4096,
};

typedef enum sector_kind { KIND_HEADER = 1, KIND_ROOT = 2, KIND_KEY = 3 } sector_kind;

// Offsets within a sector. A key's wrapping is bound to everything before it.
enum {
    AT_KIND = 0,       // u32
    AT_COUNT = 4,      // u32; root: keys it began with; header: format
    AT_GENERATION = 8, // u64; header: magic
    AT_WRAPPING = 16,  // root: 32 bytes, or the box of them
    AT_HOW = 96,       // root: u32, how_wrapped
    AT_NAME = 16,      // key: WN_SLOT_NAME_BYTES
    AT_BOX = AT_NAME + WN_SLOT_NAME_BYTES,
    BOX_BYTES = WN_KEY_BYTES + WN_BOX_OVERHEAD,
};
_Static_assert(AT_BOX + BOX_BYTES <= SUM_AT, "a key fits its sector");

_Static_assert(AT_WRAPPING + BOX_BYTES <= AT_HOW, "a wrapped wrapping key fits");

typedef enum how_wrapped { HOW_PLAIN = 0, HOW_CREDENTIAL = 1 } how_wrapped;

static const uint8_t magic[8] = "wnslots";

typedef struct entry {
    char name[WN_SLOT_NAME_BYTES];
    uint8_t key[WN_KEY_BYTES];
    uint32_t at; // sector
} entry;

// Lives in sodium_malloc's memory: locked, out of dumps, between guard pages.
struct wn_slots {
    int fd;
    bool read_only;
    bool broken; // a write failed: what the file holds is known only after opening it again
    bool has_credential;
    bool plain;  // the root's key is not wrapped by the credential
    bool locked; // the newest root is wrapped by one that is not here
    uint8_t credential[WN_KEY_BYTES];
    uint64_t generation;
    uint32_t root_at;
    uint32_t n;
    uint8_t wrapping[WN_KEY_BYTES];
    uint8_t taken[SECTORS_N]; // 1: sector holds something
    entry entries[WN_SLOTS_MAX];
};

// ---- sectors ----

static uint64_t load(const uint8_t *p, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static void store(uint8_t *p, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++) p[i] = (uint8_t)(value >> (8 * i));
}

static void sector_sum(const uint8_t *sector, uint8_t out[SUM_BYTES]) {
    WN_ASSERT(crypto_generichash(out, SUM_BYTES, sector, SUM_AT, NULL, 0) == 0);
}

static bool sector_is(const uint8_t *sector, sector_kind kind) {
    uint8_t sum[SUM_BYTES];
    if (load(sector + AT_KIND, 4) != (uint64_t)kind) return false;
    sector_sum(sector, sum);
    return memcmp(sum, sector + SUM_AT, SUM_BYTES) == 0;
}

// Nothing secret follows from its time: it asks whether anything is there at all.
static bool is_zero(const uint8_t *p, size_t n) {
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

// $CREDENTIALS_DIRECTORY/winnow-key, as systemd puts it there; none is fine.
static wn_err load_credential(wn_slots *s) {
    static const char domain[] = "winnow slots";
    uint8_t bytes[sizeof domain + CREDENTIAL_BYTES_MAX];
    char path[4096];
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (dir == NULL || dir[0] == '\0') return WN_OK;
    int n = snprintf(path, sizeof path, "%s/winnow-key", dir);
    if (n < 0 || (size_t)n >= sizeof path) return WN_ERR_CREDENTIAL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_OK : WN_ERR_CREDENTIAL;
    memcpy(bytes, domain, sizeof domain);
    ssize_t got = read(fd, bytes + sizeof domain, CREDENTIAL_BYTES_MAX);
    close(fd);
    if (got >= CREDENTIAL_BYTES_MIN) {
        size_t all = sizeof domain + (size_t)got;
        WN_ASSERT(crypto_generichash(s->credential, WN_KEY_BYTES, bytes, all, NULL, 0) == 0);
        s->has_credential = true;
    }
    wn_wipe(bytes, sizeof bytes);
    return s->has_credential ? WN_OK : WN_ERR_CREDENTIAL;
}

static void put_wrapping(const wn_slots *s, uint8_t sector[SECTOR_BYTES],
                         const uint8_t wrapping[WN_KEY_BYTES]) {
    if (!s->has_credential) {
        memcpy(sector + AT_WRAPPING, wrapping, WN_KEY_BYTES);
        return;
    }
    store(sector + AT_HOW, 4, HOW_CREDENTIAL);
    wn_box_seal(s->credential, (wn_span){sector, AT_WRAPPING}, (wn_span){wrapping, WN_KEY_BYTES},
                sector + AT_WRAPPING);
}

static bool get_wrapping(wn_slots *s, const uint8_t *sector) {
    uint64_t how = load(sector + AT_HOW, 4);
    s->plain = how == HOW_PLAIN;
    if (s->plain) memcpy(s->wrapping, sector + AT_WRAPPING, WN_KEY_BYTES);
    if (s->plain || how != HOW_CREDENTIAL) return s->plain;
    wn_span aad = {sector, AT_WRAPPING}, box = {sector + AT_WRAPPING, BOX_BYTES};
    s->locked = !s->has_credential || wn_box_open(s->credential, aad, box, s->wrapping) != WN_OK;
    return !s->locked;
}

static void make_root(const wn_slots *s, uint8_t sector[SECTOR_BYTES], uint64_t generation,
                      const uint8_t wrapping[WN_KEY_BYTES], uint32_t n) {
    memset(sector, 0, SECTOR_BYTES);
    store(sector + AT_KIND, 4, KIND_ROOT);
    store(sector + AT_COUNT, 4, n);
    store(sector + AT_GENERATION, 8, generation);
    put_wrapping(s, sector, wrapping);
    sector_sum(sector, sector + SUM_AT);
}

static void make_key(uint8_t sector[SECTOR_BYTES], uint64_t generation, const uint8_t wrapping[WN_KEY_BYTES],
                     const entry *e) {
    memset(sector, 0, SECTOR_BYTES);
    store(sector + AT_KIND, 4, KIND_KEY);
    store(sector + AT_GENERATION, 8, generation);
    memcpy(sector + AT_NAME, e->name, WN_SLOT_NAME_BYTES);
    wn_box_seal(wrapping, (wn_span){sector, AT_BOX}, (wn_span){e->key, WN_KEY_BYTES}, sector + AT_BOX);
    sector_sum(sector, sector + SUM_AT);
}

static wn_err write_sector(int fd, uint32_t at, const uint8_t sector[SECTOR_BYTES]) {
    ssize_t n;
    do {
        n = pwrite(fd, sector, SECTOR_BYTES, (off_t)at * SECTOR_BYTES);
    } while (n < 0 && errno == EINTR);
    return n == SECTOR_BYTES ? WN_OK : WN_ERR_IO; // a short write of a sector is a failing disk
}

static wn_err sync_file(int fd) {
    int rc;
    do {
        rc = fdatasync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? WN_OK : WN_ERR_IO;
}

static wn_err write_one(int fd, uint32_t at, const uint8_t sector[SECTOR_BYTES]) {
    WN_TRY(write_sector(fd, at, sector));
    return sync_file(fd);
}

// ---- opening ----

// Reads what is there; the rest of `image` stays zero.
static wn_err read_image(int fd, uint8_t *image, size_t *out_bytes) {
    size_t have = 0;
    memset(image, 0, FILE_BYTES);
    while (have < FILE_BYTES) {
        ssize_t n = pread(fd, image + have, FILE_BYTES - have, (off_t)have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return WN_ERR_IO;
        if (n == 0) break;
        have += (size_t)n;
    }
    *out_bytes = have;
    return WN_OK;
}

static wn_err check_header(const uint8_t *image, size_t bytes) {
    if (memcmp(image + AT_GENERATION, magic, sizeof magic) != 0) return WN_ERR_FORMAT;
    if (!sector_is(image, KIND_HEADER)) return WN_ERR_CORRUPT;
    if (load(image + AT_COUNT, 4) != FORMAT) return WN_ERR_VERSION;
    return bytes == FILE_BYTES ? WN_OK : WN_ERR_CORRUPT;
}

// The header is written last, so a file without one never held a key: nothing
// in it but zeros and the first root. Zeros are written, not only reserved, so
// that every later write goes to blocks the file already owns.
static wn_err make_file(const wn_slots *s, int fd, uint8_t *image) {
    const uint8_t *keys = image + KEYS_AT * SECTOR_BYTES;
    if (!is_zero(keys, FILE_BYTES - KEYS_AT * SECTOR_BYTES)) return WN_ERR_CORRUPT;
    memset(image, 0, FILE_BYTES);
    for (uint32_t at = 0; at < SECTORS_N; at++) WN_TRY(write_sector(fd, at, image));

    uint8_t *root = image + ROOTS_AT * SECTOR_BYTES, wrapping[WN_KEY_BYTES];
    WN_TRY(wn_random(wrapping, sizeof wrapping));
    make_root(s, root, 1, wrapping, 0);
    wn_wipe(wrapping, sizeof wrapping);
    WN_TRY(write_one(fd, ROOTS_AT, root));

    store(image + AT_KIND, 4, KIND_HEADER);
    store(image + AT_COUNT, 4, FORMAT);
    memcpy(image + AT_GENERATION, magic, sizeof magic);
    sector_sum(image, image + SUM_AT);
    return write_one(fd, 0, image);
}

static wn_err sync_dir(const char *path) {
    char *dir = strdup(path);
    if (dir == NULL) return WN_ERR_NOMEM;
    char *slash = strrchr(dir, '/');
    if (slash != NULL) slash[slash == dir ? 1 : 0] = '\0';
    int dir_fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (dir_fd < 0) return WN_ERR_IO;
    int rc = fsync(dir_fd);
    close(dir_fd);
    return rc == 0 ? WN_OK : WN_ERR_IO;
}

// Takes the keys of the generation of the root at `root_at`; false unless it is whole.
static bool take_generation(wn_slots *s, const uint8_t *image, uint32_t root_at) {
    const uint8_t *root = image + (size_t)root_at * SECTOR_BYTES;
    if (!sector_is(root, KIND_ROOT)) return false;
    s->root_at = root_at;
    s->generation = load(root + AT_GENERATION, 8);
    if (!get_wrapping(s, root)) return false;
    s->n = 0;
    for (uint32_t at = KEYS_AT; at < SECTORS_N; at++) {
        const uint8_t *sector = image + (size_t)at * SECTOR_BYTES;
        if (!sector_is(sector, KIND_KEY) || load(sector + AT_GENERATION, 8) != s->generation) continue;
        if (s->n == WN_SLOTS_MAX || sector[AT_BOX - 1] != '\0') return false;
        entry *e = &s->entries[s->n];
        wn_span aad = {sector, AT_BOX}, box = {sector + AT_BOX, BOX_BYTES};
        if (wn_box_open(s->wrapping, aad, box, e->key) != WN_OK) return false;
        memcpy(e->name, sector + AT_NAME, WN_SLOT_NAME_BYTES);
        e->at = at;
        s->n++;
    }
    return s->n >= load(root + AT_COUNT, 4);
}

static wn_err take_newest(wn_slots *s, const uint8_t *image) {
    uint64_t of[ROOTS_N];
    for (uint32_t i = 0; i < ROOTS_N; i++) {
        const uint8_t *root = image + (size_t)(ROOTS_AT + i) * SECTOR_BYTES;
        of[i] = sector_is(root, KIND_ROOT) ? load(root + AT_GENERATION, 8) : 0;
    }
    uint32_t newer = of[1] > of[0] ? 1 : 0;
    if (take_generation(s, image, ROOTS_AT + newer)) return WN_OK;
    if (s->locked) return WN_ERR_CREDENTIAL; // an older one that is not wrapped is not the way around it
    return take_generation(s, image, ROOTS_AT + 1 - newer) ? WN_OK : WN_ERR_CORRUPT;
}

static void mark_taken(wn_slots *s) {
    memset(s->taken, 0, sizeof s->taken);
    s->taken[0] = 1;
    s->taken[s->root_at] = 1;
    for (uint32_t i = 0; i < s->n; i++) s->taken[s->entries[i].at] = 1;
}

// Zeroes in place whatever the generation does not own.
static wn_err zero_leftovers(const wn_slots *s, const uint8_t *image) {
    static const uint8_t zeros[SECTOR_BYTES];
    bool any = false;
    for (uint32_t at = 0; at < SECTORS_N; at++) {
        if (s->taken[at] || is_zero(image + (size_t)at * SECTOR_BYTES, SECTOR_BYTES)) continue;
        WN_TRY(write_sector(s->fd, at, zeros));
        any = true;
    }
    return any ? sync_file(s->fd) : WN_OK;
}

// Syncs before it believes: a process killed between write and sync leaves
// sectors that can be read now and be gone after a power cut.
static wn_err load_for_writing(wn_slots *s, const char *path, uint8_t *image) {
    size_t bytes;
    WN_TRY(sync_dir(path));
    WN_TRY(sync_file(s->fd));
    WN_TRY(read_image(s->fd, image, &bytes));
    if (is_zero(image, SECTOR_BYTES)) {
        WN_TRY(make_file(s, s->fd, image));
    } else {
        WN_TRY(check_header(image, bytes));
    }
    WN_TRY(take_newest(s, image));
    mark_taken(s);
    return zero_leftovers(s, image);
}

// A reader takes no lock: when a rotation runs under its eyes it reads again.
static wn_err load_for_reading(wn_slots *s, uint8_t *image) {
    wn_err err = WN_ERR_CORRUPT;
    for (int tries = 0; tries < READ_TRIES && err == WN_ERR_CORRUPT; tries++) {
        size_t bytes;
        if (tries > 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        WN_TRY(read_image(s->fd, image, &bytes));
        // A file being made has no header yet: nothing is there.
        if (is_zero(image, SECTOR_BYTES)) return WN_ERR_NOTFOUND;
        err = check_header(image, bytes);
        if (err == WN_OK) err = take_newest(s, image);
    }
    return err;
}

static wn_err open_file(const char *path, bool read_only, int *out_fd) {
    int flags = O_CLOEXEC | O_NOFOLLOW | (read_only ? O_RDONLY : O_RDWR | O_CREAT);
    int fd = open(path, flags, 0600);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : errno == EACCES ? WN_ERR_AUTH : WN_ERR_IO;
    struct stat st;
    wn_err err = WN_OK;
    if (fstat(fd, &st) != 0) {
        err = WN_ERR_IO;
    } else if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES) {
        err = WN_ERR_FORMAT;
    } else if (!read_only && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK ? WN_ERR_BUSY : WN_ERR_IO;
    } else if (!read_only && (st.st_mode & 077) != 0 && fchmod(fd, 0600) != 0) {
        err = WN_ERR_AUTH;
    }
    if (err != WN_OK) {
        close(fd);
        return err;
    }
    *out_fd = fd;
    return WN_OK;
}

wn_err wn_slots_open(const char *path, bool read_only, wn_slots **out) {
    int fd;
    WN_TRY(wn_crypt_init());
    WN_TRY(open_file(path, read_only, &fd));
    wn_err err = WN_ERR_NOMEM;
    uint8_t *image = sodium_malloc(FILE_BYTES);
    wn_slots *s = sodium_malloc(sizeof *s);
    if (s != NULL) memset(s, 0, sizeof *s);
    if (s != NULL && image != NULL) {
        s->fd = fd;
        s->read_only = read_only;
        err = load_credential(s);
        if (err == WN_OK) err = read_only ? load_for_reading(s, image) : load_for_writing(s, path, image);
        // A credential that is new takes the keys in: from then on the disk alone opens nothing.
        if (err == WN_OK && !read_only && s->plain && s->has_credential)
            err = wn_slots_forget(s, (const char *const[]){NULL});
    }
    sodium_free(image);
    if (err != WN_OK) {
        sodium_free(s);
        close(fd);
        return err;
    }
    *out = s;
    return WN_OK;
}

void wn_slots_close(wn_slots *s) {
    if (s == NULL) return;
    close(s->fd);
    sodium_free(s); // wipes
}

// ---- keys ----

static const entry *find(const wn_slots *s, const char *name) {
    for (uint32_t i = 0; i < s->n; i++) {
        if (strcmp(s->entries[i].name, name) == 0) return &s->entries[i];
    }
    return NULL;
}

static bool name_ok(const char *name) {
    size_t n = strnlen(name, WN_SLOT_NAME_BYTES);
    return n > 0 && n < WN_SLOT_NAME_BYTES;
}

static wn_err check_writable(const wn_slots *s) {
    if (s->read_only) return WN_ERR_STATE;
    return s->broken ? WN_ERR_IO : WN_OK;
}

static uint32_t take_free(wn_slots *s) {
    for (uint32_t at = KEYS_AT; at < SECTORS_N; at++) {
        if (s->taken[at]) continue;
        s->taken[at] = 1;
        return at;
    }
    WN_ASSERT(false); // there are twice as many sectors as keys
    return 0;
}

wn_err wn_slots_get(const wn_slots *s, const char *name, uint8_t out[32]) {
    const entry *e = find(s, name);
    if (e == NULL) return WN_ERR_NOTFOUND;
    memcpy(out, e->key, WN_KEY_BYTES);
    return WN_OK;
}

wn_err wn_slots_put(wn_slots *s, const char *name, const uint8_t key[32]) {
    WN_TRY(check_writable(s));
    if (!name_ok(name)) return WN_ERR_FORMAT;
    if (find(s, name) != NULL) return WN_ERR_STATE;
    if (s->n == WN_SLOTS_MAX) return WN_ERR_FULL;
    entry *e = &s->entries[s->n];
    memset(e, 0, sizeof *e);
    memcpy(e->name, name, strlen(name) + 1);
    memcpy(e->key, key, WN_KEY_BYTES);
    e->at = take_free(s);
    uint8_t sector[SECTOR_BYTES];
    make_key(sector, s->generation, s->wrapping, e);
    wn_err err = write_one(s->fd, e->at, sector);
    wn_wipe(sector, sizeof sector);
    if (err != WN_OK) {
        s->broken = true;
        return err;
    }
    s->n++;
    return WN_OK;
}

wn_err wn_slots_make(wn_slots *s, const char *name, uint8_t out[32]) {
    uint8_t key[WN_KEY_BYTES];
    if (find(s, name) != NULL) return wn_slots_get(s, name, out);
    WN_TRY(wn_random(key, sizeof key));
    wn_err err = wn_slots_put(s, name, key);
    if (err == WN_OK) memcpy(out, key, WN_KEY_BYTES);
    wn_wipe(key, sizeof key);
    return err;
}

static bool listed(const char *const *names, const char *name) {
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0) return true;
    }
    return false;
}

// Writes generation `next` of the entries that stay and commits it; the
// sectors of the old one are still standing afterwards.
static wn_err write_generation(wn_slots *s, wn_slots *next) {
    uint8_t sector[SECTOR_BYTES];
    wn_err err = WN_OK;
    for (uint32_t i = 0; i < next->n && err == WN_OK; i++) {
        next->entries[i].at = take_free(s);
        make_key(sector, next->generation, next->wrapping, &next->entries[i]);
        err = write_sector(s->fd, next->entries[i].at, sector);
    }
    if (err == WN_OK) err = sync_file(s->fd);
    if (err == WN_OK) {
        make_root(next, sector, next->generation, next->wrapping, next->n);
        err = write_one(s->fd, next->root_at, sector);
    }
    wn_wipe(sector, sizeof sector);
    return err;
}

static wn_err zero_generation(const wn_slots *old) {
    static const uint8_t zeros[SECTOR_BYTES];
    WN_TRY(write_sector(old->fd, old->root_at, zeros));
    for (uint32_t i = 0; i < old->n; i++) WN_TRY(write_sector(old->fd, old->entries[i].at, zeros));
    return sync_file(old->fd);
}

wn_err wn_slots_forget(wn_slots *s, const char *const *names) {
    WN_TRY(check_writable(s));
    wn_slots *next = sodium_malloc(sizeof *next);
    if (next == NULL) return WN_ERR_NOMEM;
    memset(next, 0, sizeof *next);
    next->fd = s->fd;
    next->has_credential = s->has_credential;
    memcpy(next->credential, s->credential, WN_KEY_BYTES);
    next->generation = s->generation + 1;
    next->root_at = s->root_at == ROOTS_AT ? ROOTS_AT + 1 : ROOTS_AT;
    wn_err err = wn_random(next->wrapping, WN_KEY_BYTES);
    if (err != WN_OK) {
        sodium_free(next);
        return err;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (!listed(names, s->entries[i].name)) next->entries[next->n++] = s->entries[i];
    }
    err = write_generation(s, next);
    if (err == WN_OK) {
        err = zero_generation(s);
        next->broken = err != WN_OK;
        mark_taken(next);
        *s = *next;
    } else {
        s->broken = true;
    }
    sodium_free(next);
    return err;
}

void wn_slots_each(const wn_slots *s, void (*fn)(void *ctx, const char *name), void *ctx) {
    for (uint32_t i = 0; i < s->n; i++) fn(ctx, s->entries[i].name);
}
