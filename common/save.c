// SPDX-License-Identifier: Apache-2.0
// Why: what is configured holds secrets and is read by daemons at any moment.
#include "save.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
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

wn_err wn_save(const char *path, void (*write)(FILE *out, const void *ctx), const void *ctx) {
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
    bool bad = fflush(f) != 0 || fsync(fd) != 0;
    bad = fclose(f) != 0 || bad;
    wn_wipe(buffer, sizeof buffer);
    bad = bad || rename(temp, path) != 0;
    if (bad) {
        unlink(temp);
        return WN_ERR_IO;
    }
    return sync_folder(path);
}
