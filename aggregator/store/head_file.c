// SPDX-License-Identifier: Apache-2.0
// Why: a chain shows what was changed in it, not what was cut from its end.
#include "head_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR_BYTES = 512, SECTORS_N = 2, SUM_BYTES = 32, AT_NUMBER = 8, AT_DIGEST = 16, USED_BYTES = 48 };
static const uint8_t magic[8] = {'W', 'N', 'H', 'E', 'A', 'D', 0, 1}; // the last: format

static void make_sector(uint64_t number, const uint8_t digest[32], uint8_t out[SECTOR_BYTES]) {
    memset(out, 0, SECTOR_BYTES);
    memcpy(out, magic, sizeof magic);
    for (unsigned i = 0; i < 8; i++) out[AT_NUMBER + i] = (uint8_t)(number >> (8 * i));
    memcpy(out + AT_DIGEST, digest, 32);
    crypto_generichash(out + USED_BYTES, SUM_BYTES, out, USED_BYTES, NULL, 0);
}

static bool take_sector(const uint8_t in[SECTOR_BYTES], uint64_t *out_number, uint8_t out_digest[32]) {
    uint8_t sum[SUM_BYTES];
    uint64_t number = 0;
    crypto_generichash(sum, sizeof sum, in, USED_BYTES, NULL, 0);
    if (memcmp(in, magic, sizeof magic) != 0 || memcmp(sum, in + USED_BYTES, SUM_BYTES) != 0) return false;
    for (unsigned i = 0; i < 8; i++) number |= (uint64_t)in[AT_NUMBER + i] << (8 * i);
    *out_number = number;
    memcpy(out_digest, in + AT_DIGEST, 32);
    return true;
}

wn_err wn_head_read(const char *path, uint64_t *out_number, uint8_t out_digest[32]) {
    uint8_t image[SECTORS_N * SECTOR_BYTES] = {0}, digest[32];
    uint64_t number = 0;
    bool any = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    ssize_t n = pread(fd, image, sizeof image, 0);
    close(fd);
    if (n < 0) return WN_ERR_IO;
    for (unsigned i = 0; i < SECTORS_N; i++) {
        if (!take_sector(image + (size_t)i * SECTOR_BYTES, &number, digest)) continue;
        if (any && number < *out_number) continue;
        *out_number = number;
        memcpy(out_digest, digest, 32);
        any = true;
    }
    return any ? WN_OK : WN_ERR_CORRUPT;
}

static wn_err write_sector(int fd, unsigned at, const uint8_t sector[SECTOR_BYTES]) {
    if (pwrite(fd, sector, SECTOR_BYTES, (off_t)at * SECTOR_BYTES) != SECTOR_BYTES) return WN_ERR_IO;
    return fdatasync(fd) == 0 ? WN_OK : WN_ERR_IO;
}

static wn_err folder_sync(const char *path) {
    char copy[WN_HEAD_PATH_BYTES];
    if (strlen(path) >= sizeof copy) return WN_ERR_FULL;
    strcpy(copy, path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return WN_ERR_IO;
    int code = fsync(fd);
    close(fd);
    return code == 0 ? WN_OK : WN_ERR_IO;
}

static wn_err write_head(const char *path, uint64_t number, const uint8_t digest[32], bool alone) {
    static const uint8_t zeros[SECTOR_BYTES];
    uint8_t sector[SECTOR_BYTES];
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return WN_ERR_IO;
    bool made = fstat(fd, &st) == 0 && st.st_size == 0;
    make_sector(number, digest, sector);
    wn_err err = write_sector(fd, (unsigned)(number % SECTORS_N), sector);
    if (err == WN_OK && alone) err = write_sector(fd, (unsigned)((number + 1) % SECTORS_N), zeros);
    close(fd);
    if (err == WN_OK && made) err = folder_sync(path);
    return err;
}

wn_err wn_head_write(const char *path, uint64_t number, const uint8_t digest[32]) {
    return write_head(path, number, digest, false);
}

wn_err wn_head_replace(const char *path, uint64_t number, const uint8_t digest[32]) {
    return write_head(path, number, digest, true);
}
