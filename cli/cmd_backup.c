// SPDX-License-Identifier: Apache-2.0
// cmd_backup.c: `winnow backup` writes the published store as one encrypted file, beside a
// running aggregator (L-R2).
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "backup_files.h"
#include "cli_ask.h"
#include "cli_progress.h"
#include "cli_published.h"
#include "clock.h"
#include "head_file.h"

#define KEEP_MAX 1000
#define ASK_TIMEOUT_MS 30000

// ---- backup ----
static bool backup_key(wn_cli *c, uint8_t key[WN_KEY_BYTES]) {
    char path[200];
    wn_slots *slots = NULL;
    snprintf(path, sizeof path, "%s/keys/slots", c->aggregator_dir);
    wn_err err = wn_slots_open(path, true, &slots);
    if (err == WN_OK) err = wn_slots_get(slots, WN_BACKUP_SLOT, key);
    wn_slots_close(slots);
    if (err == WN_OK) return true;
    if (err == WN_ERR_NOTFOUND) {
        (void)wn_cli_failed(
            "there is nothing to back up in %s yet: the aggregator makes the backups' key at its first "
            "start (winnow up%s)",
            c->o.state_dir, c->again);
    } else {
        (void)wn_cli_failed("the keys in %s: %s", c->aggregator_dir, wn_err_text(err));
    }
    return false;
}

// False: this machine's collector has none, or there is no collector here.
static bool purge_key(const wn_cli *c, uint8_t key[WN_KEY_BYTES]) {
    char path[200];
    wn_slots *slots = NULL;
    snprintf(path, sizeof path, "%s/keys/slots", c->collector_dir);
    if (wn_slots_open(path, true, &slots) != WN_OK) return false;
    bool has = wn_slots_get(slots, WN_PURGE_SLOT, key) == WN_OK;
    wn_slots_close(slots);
    return has;
}

static int export_key(wn_cli *c, const char *path) {
    wn_backup_keys keys = {.has_purge = false};
    if (!backup_key(c, keys.backup)) return WN_EXIT_FAILED;
    keys.has_purge = purge_key(c, keys.purge);
    wn_err err = wn_backup_keys_write(path, &keys);
    bool whole = keys.has_purge;
    wn_wipe(&keys, sizeof keys);
    if (err == WN_ERR_STATE) return wn_cli_failed("%s is there already; choose another name", path);
    if (err != WN_OK) return wn_cli_failed("%s cannot be written: %s", path, strerror(errno));
    printf("The backups' key stands in %s (0600). Keep it where the backups are not.\n", path);
    if (!whole)
        puts("The collector's key is not in it, as it cannot be read here: restored without it, the purge "
             "list\n"
             "cannot tell which organisations were purged.");
    return WN_EXIT_OK;
}

// Writes and reads back. The file is still under its temporary name.
static bool write_part(wn_cli *c, int fd, const uint8_t key[WN_KEY_BYTES], int64_t now_s,
                       wn_backup_info *out) {
    wn_published *p = NULL;
    wn_backup_info again;
    wn_cli_progress writing = {.doing = "writing"}, reading = {.doing = "reading back"};
    if (!wn_cli_published(c, &p)) return false;
    wn_err err = wn_backup_write(p, key, fd, now_s, wn_cli_progress_say, &writing, out);
    wn_published_close(p);
    wn_cli_progress_end(&writing);
    if (err == WN_ERR_CORRUPT) {
        (void)wn_cli_failed(
            "the published store is damaged: no backup of it is made, so that the older ones stay; see "
            "`winnow ledger verify`");
        return false;
    }
    if (err == WN_OK) err = wn_backup_check(fd, key, wn_cli_progress_say, &reading, &again);
    wn_cli_progress_end(&reading);
    if (err == WN_OK && memcmp(again.digest, out->digest, sizeof again.digest) != 0) err = WN_ERR_CORRUPT;
    if (err != WN_OK) (void)wn_cli_failed("the backup cannot be written and read back: %s", wn_err_text(err));
    return err == WN_OK;
}

// By the aggregator when it runs, else here.
static bool write_down(wn_cli *c, const wn_backup_info *info) {
    if (wn_ask_pid(c->aggregator_dir) != 0) {
        wn_question q;
        wn_reply r;
        wn_question_init(&q, "backup_done", 2);
        wn_question_number(&q, "rows", info->rows);
        wn_question_bin(&q, "digest", (wn_span){info->digest, sizeof info->digest});
        bool well = wn_cli_ask_ok(c, c->aggregator_dir, &q, ASK_TIMEOUT_MS, &r);
        wn_question_fini(&q);
        if (well) wn_reply_fini(&r);
        return well;
    }
    wn_store_owned own;
    wn_ledger_check check = {.ok = true};
    char path[WN_HEAD_PATH_BYTES];
    wn_ledger_entry e = {
        .at_s = wn_now_s(), .what = WN_LEDGER_BACKUP, .receiver = WN_BACKUP_RECEIVER, .rows = info->rows};
    memcpy(e.content, info->digest, sizeof e.content);
    if (!wn_cli_own_store(c, &own)) return false;
    snprintf(path, sizeof path, "%s/keys/head", c->aggregator_dir);
    wn_err err = wn_published_keep_head(own.published, path, &check);
    if (err == WN_OK) err = wn_published_note(own.published, &e);
    wn_cli_disown_store(&own);
    if (err != WN_OK)
        (void)wn_cli_failed("the ledger: %s; see `winnow ledger verify%s`", wn_err_text(err), c->again);
    return err == WN_OK;
}

static int finish(wn_cli *c, int dir_fd, const char *dir, const wn_backup_info *info, unsigned keep) {
    char name[WN_BACKUP_NAME_BYTES];
    if (wn_backup_finish(dir_fd, info->made_at_s, name) != WN_OK)
        return wn_cli_failed("%s/%s: %s", dir, name, strerror(errno));
    bool noted = write_down(c, info);
    int gone = wn_backup_roll(dir_fd, keep);
    printf("%s/%s: %llu rows of %llu windows, %llu ledger entries, read back.\n", dir, name,
           (unsigned long long)info->rows, (unsigned long long)info->windows,
           (unsigned long long)info->ledger_number);
    if (gone > 0) printf("%d older one%s deleted; the newest %u stay.\n", gone, gone == 1 ? "" : "s", keep);
    if (gone < 0) return wn_cli_failed("older backups in %s cannot be deleted: %s", dir, strerror(errno));
    if (!noted) return wn_cli_failed("the backup stands, but the ledger does not name it");
    return WN_EXIT_OK;
}

static int backup(wn_cli *c, const wn_args *a) {
    char dir[300];
    uint8_t key[WN_KEY_BYTES];
    int64_t keep = WN_BACKUP_KEEP;
    wn_backup_info info;
    const char *to = wn_args_get(a, "to"), *n = wn_args_get(a, "keep");
    if (wn_args_has(a, "export-key")) return export_key(c, wn_args_get(a, "export-key"));
    if (n && !wn_cli_number(&wn_cmd_backup, "keep", n, 1, KEEP_MAX, &keep)) return WN_EXIT_USAGE;
    if (to) snprintf(dir, sizeof dir, "%.280s", to);
    else snprintf(dir, sizeof dir, "%.200s/backup", c->o.state_dir);
    if (!backup_key(c, key)) return WN_EXIT_FAILED;
    if (!wn_cli_folder(dir)) return wn_wipe(key, sizeof key), WN_EXIT_FAILED;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = -1, code = WN_EXIT_FAILED;
    wn_err err = dir_fd < 0 ? WN_ERR_IO : wn_backup_part(dir_fd, &fd);
    if (err == WN_ERR_BUSY) (void)wn_cli_failed("another `winnow backup` writes to %s", dir);
    else if (err != WN_OK) (void)wn_cli_failed("%s cannot be written: %s", dir, strerror(errno));
    else if (write_part(c, fd, key, wn_now_s(), &info)) code = finish(c, dir_fd, dir, &info, (unsigned)keep);
    else (void)unlinkat(dir_fd, WN_BACKUP_PART, 0);
    wn_wipe(key, sizeof key);
    if (fd >= 0) close(fd);
    if (dir_fd >= 0) close(dir_fd);
    return code;
}

static const wn_flag backup_flags[] = {
    {"to", "DIR", "Where backups lie. Default: backup in the state directory."},
    {"keep", "N", "How many of the newest stay; older ones are deleted. Default: 7."},
    {"export-key", "FILE",
     "Writes the backups' key, and the one by which the purge list knows organisations, to FILE (0600) for "
     "keeping "
     "elsewhere; makes no backup."},
};

const wn_command wn_cmd_backup = {
    .name = "backup",
    .usage = "[--to DIR] [--keep N] | --export-key FILE",
    .doc = "Writes what was published, and the ledger, to one encrypted file; keeps the newest seven.",
    .more =
        "Holds published rows alone: nothing of open windows, no other key, and not the purge list. It is "
        "read "
        "back before it counts, and the ledger names it. Works while Winnow runs.\n"
        "Keep the keys (--export-key) and the purge list (aggregator/keys/purges, after every purge) where "
        "the "
        "backups are not: a restore needs both. Old backups go by number: run it nightly "
        "(winnow-backup.timer), and one is gone after seven days.",
    .flags = backup_flags,
    .flags_n = WN_COUNT(backup_flags),
    .run = backup,
};
