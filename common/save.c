// SPDX-License-Identifier: Apache-2.0
// Why: what is configured holds secrets and is read by daemons at any moment.
#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static wn_err sync_folder(const char *path) {
    char folder[4096];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder) return WN_ERR_IO;
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return WN_ERR_IO;
    int bad = fsync(fd);
    close(fd);
    return bad ? WN_ERR_IO : WN_OK;
}

typedef void (*writer)(FILE *out, const void *ctx);

// A name taken meanwhile is no fault of the disk's.
static wn_err put_name(const char *temp, const char *path, bool replace) {
    if (replace) return rename(temp, path) == 0 ? WN_OK : WN_ERR_IO;
    wn_err err = link(temp, path) == 0 ? WN_OK : errno == EEXIST ? WN_ERR_STATE : WN_ERR_IO;
    return unlink(temp) == 0 ? err : WN_ERR_IO;
}

static wn_err save(const char *path, mode_t mode, bool replace, writer write, const void *ctx) {
    char temp[4096];
    if (snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= (int)sizeof temp) return WN_ERR_IO;
    int fd = mkostemp(temp, O_CLOEXEC); // 0600
    if (fd < 0) return WN_ERR_IO;
    char buffer[BUFSIZ]; // ours, so that secrets in it can be wiped
    FILE *f = fdopen(fd, "w");
    if (!f) {
        close(fd);
        unlink(temp);
        return WN_ERR_IO;
    }
    setvbuf(f, buffer, _IOFBF, sizeof buffer);
    write(f, ctx);
    bool bad = fflush(f) != 0 || fchmod(fd, mode) != 0 || fsync(fd) != 0;
    bad = fclose(f) != 0 || bad;
    wn_wipe(buffer, sizeof buffer);
    wn_err err = bad ? WN_ERR_IO : put_name(temp, path, replace);
    if (err == WN_ERR_IO) unlink(temp);
    return err == WN_OK ? sync_folder(path) : err;
}

wn_err wn_save(const char *path, writer write, const void *ctx) { return save(path, 0600, true, write, ctx); }

wn_err wn_save_first(const char *path, mode_t mode, writer write, const void *ctx) {
    return save(path, mode, false, write, ctx);
}
