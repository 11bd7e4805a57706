// SPDX-License-Identifier: Apache-2.0
// backup_files.c: what lies in the folder of backups.
#include "backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char form[] = "winnow-00000000T000000Z.backup"; // 0: a digit

void wn_backup_name(int64_t at_s, char out[WN_BACKUP_NAME_BYTES]) {
    time_t t = (time_t)at_s;
    struct tm tm;
    strftime(out, WN_BACKUP_NAME_BYTES, "winnow-%Y%m%dT%H%M%SZ.backup", gmtime_r(&t, &tm));
}

bool wn_backup_is_name(const char *name) {
    if (strlen(name) != sizeof form - 1) return false;
    for (size_t i = 0; form[i]; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (form[i] == '0' ? !digit : name[i] != form[i]) return false;
    }
    return true;
}

// A file that got its name between the opening and the lock is somebody's backup.
static bool is_part(int dir_fd, int fd) {
    struct stat named, open;
    return fstatat(dir_fd, WN_BACKUP_PART, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
           named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

wn_err wn_backup_part(int dir_fd, int *out_fd) {
    int fd = openat(dir_fd, WN_BACKUP_PART, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    wn_err err = WN_OK;
    if (fd < 0) return WN_ERR_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) err = errno == EWOULDBLOCK ? WN_ERR_BUSY : WN_ERR_IO;
    else if (!is_part(dir_fd, fd)) err = WN_ERR_BUSY;
    else if (ftruncate(fd, 0) != 0) err = WN_ERR_IO;
    if (err != WN_OK) return close(fd), err;
    *out_fd = fd;
    return WN_OK;
}

// Some file systems cannot refuse to replace; the lock on the part keeps other backups out meanwhile.
static bool rename_new(int dir_fd, const char *name) {
    if (renameat2(dir_fd, WN_BACKUP_PART, dir_fd, name, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return errno = EEXIST, false;
    return renameat(dir_fd, WN_BACKUP_PART, dir_fd, name) == 0;
}

wn_err wn_backup_finish(int dir_fd, int64_t at_s, char out_name[WN_BACKUP_NAME_BYTES]) {
    for (int i = 0; i < WN_BACKUP_NAMES_MAX; i++) {
        wn_backup_name(at_s + i, out_name);
        if (rename_new(dir_fd, out_name)) return fsync(dir_fd) == 0 ? WN_OK : WN_ERR_IO;
        if (errno != EEXIST) return WN_ERR_IO;
    }
    return WN_ERR_IO;
}

static int is_backup(const struct dirent *e) {
    return wn_backup_is_name(e->d_name);
}

int wn_backup_count(const char *dir, char out_oldest[WN_BACKUP_NAME_BYTES],
                    char out_newest[WN_BACKUP_NAME_BYTES]) {
    struct dirent **list = NULL;
    int n = scandir(dir, &list, is_backup, alphasort);
    if (n < 0) return errno == ENOENT ? 0 : -1;
    if (n > 0) snprintf(out_oldest, WN_BACKUP_NAME_BYTES, "%.39s", list[0]->d_name);
    if (n > 0) snprintf(out_newest, WN_BACKUP_NAME_BYTES, "%.39s", list[n - 1]->d_name);
    for (int i = 0; i < n; i++) free(list[i]);
    free(list);
    return n;
}

int wn_backup_roll(int dir_fd, unsigned keep) {
    struct dirent **list = NULL;
    int n = scandirat(dir_fd, ".", &list, is_backup, alphasort), gone = 0;
    for (int i = 0; i < n; i++) {
        if ((unsigned)(n - i) > keep && gone >= 0)
            gone = unlinkat(dir_fd, list[i]->d_name, 0) == 0 ? gone + 1 : -1;
        free(list[i]);
    }
    free(list);
    if (gone > 0 && fsync(dir_fd) != 0) return -1;
    return n < 0 ? -1 : gone;
}

enum { KEY_TEXT = 2 * WN_KEY_BYTES + 1 }; // with its newline

wn_err wn_backup_keys_write(const char *path, const wn_backup_keys *keys) {
    char text[2 * KEY_TEXT + 1];
    size_t n = keys->has_purge ? 2 * KEY_TEXT : KEY_TEXT;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errno == EEXIST ? WN_ERR_STATE : WN_ERR_IO;
    sodium_bin2hex(text, sizeof text, keys->backup, WN_KEY_BYTES);
    sodium_bin2hex(text + KEY_TEXT, sizeof text - KEY_TEXT, keys->purge, WN_KEY_BYTES);
    text[KEY_TEXT - 1] = text[2 * KEY_TEXT - 1] = '\n';
    bool well = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    close(fd);
    wn_wipe(text, sizeof text);
    return well ? WN_OK : WN_ERR_IO;
}

static bool read_one(const char *text, uint8_t out[WN_KEY_BYTES]) {
    size_t n = 0;
    return sodium_hex2bin(out, WN_KEY_BYTES, text, 2 * WN_KEY_BYTES, NULL, &n, NULL) == 0 &&
           n == WN_KEY_BYTES;
}

wn_err wn_backup_keys_read(const char *path, wn_backup_keys *out) {
    char text[2 * KEY_TEXT + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    ssize_t got = read(fd, text, sizeof text);
    close(fd);
    if (got == KEY_TEXT - 1 || got == 2 * KEY_TEXT - 1) text[got++] = '\n'; // the last one may be without
    out->has_purge = got == 2 * KEY_TEXT;
    bool well = (got == KEY_TEXT || out->has_purge) && text[KEY_TEXT - 1] == '\n' && text[got - 1] == '\n' &&
                read_one(text, out->backup) && (!out->has_purge || read_one(text + KEY_TEXT, out->purge));
    wn_wipe(text, sizeof text);
    return well ? WN_OK : WN_ERR_FORMAT;
}
