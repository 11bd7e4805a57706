// SPDX-License-Identifier: Apache-2.0
// cmd_backup.c: `winnow backup` writes the published store as one encrypted file, beside a
// running aggregator; `winnow restore` brings one back (L-R2).
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "backup_files.h"
#include "cli_ask.h"
#include "cli_published.h"
#include "clock.h"
#include "head_file.h"

#define KEEP_DEFAULT 7
#define KEEP_MAX 1000
#define ASK_TIMEOUT_MS 30000
#define PART_NAME ".winnow-backup.part"

// ---- words while it lasts, on a terminal alone ----
typedef struct progress {
    const char *doing;
    int64_t next_ms;
    bool said;
} progress;

static void say_progress(void *ctx, uint64_t bytes) {
    progress *p = ctx;
    int64_t now = wn_monotonic_ms();
    if (now < p->next_ms || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%s: %llu MiB", p->doing, (unsigned long long)(bytes >> 20));
    p->next_ms = now + 200;
    p->said = true;
}

static void end_progress(const progress *p) {
    if (p->said) fputs("\r\033[K", stderr);
}

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

static int export_key(wn_cli *c, const char *path) {
    uint8_t key[WN_KEY_BYTES];
    if (!backup_key(c, key)) return WN_EXIT_FAILED;
    wn_err err = wn_backup_key_write(path, key);
    wn_wipe(key, sizeof key);
    if (err == WN_ERR_STATE) return wn_cli_failed("%s is there already; choose another name", path);
    if (err != WN_OK) return wn_cli_failed("%s cannot be written: %s", path, strerror(errno));
    printf("The backups' key stands in %s (0600). Keep it where the backups are not.\n", path);
    return WN_EXIT_OK;
}

// Writes and reads back. The file is still under its temporary name.
static bool write_part(wn_cli *c, int fd, const uint8_t key[WN_KEY_BYTES], int64_t now_s,
                       wn_backup_info *out) {
    wn_published *p = NULL;
    wn_backup_info again;
    progress writing = {.doing = "writing"}, reading = {.doing = "reading back"};
    if (!wn_cli_published(c, &p)) return false;
    wn_err err = wn_backup_write(p, key, fd, now_s, say_progress, &writing, out);
    wn_published_close(p);
    end_progress(&writing);
    if (err == WN_ERR_CORRUPT) {
        (void)wn_cli_failed(
            "the published store is damaged: no backup of it is made, so that the older ones stay; see "
            "`winnow ledger verify`");
        return false;
    }
    if (err == WN_OK) err = wn_backup_check(fd, key, say_progress, &reading, &again);
    end_progress(&reading);
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
    wn_backup_name(info->made_at_s, name);
    if (renameat(dir_fd, PART_NAME, dir_fd, name) != 0 || fsync(dir_fd) != 0)
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
    int64_t keep = KEEP_DEFAULT;
    wn_backup_info info;
    const char *to = wn_args_get(a, "to"), *n = wn_args_get(a, "keep");
    if (wn_args_has(a, "export-key")) return export_key(c, wn_args_get(a, "export-key"));
    if (n && !wn_cli_number(&wn_cmd_backup, "keep", n, 1, KEEP_MAX, &keep)) return WN_EXIT_USAGE;
    if (to) snprintf(dir, sizeof dir, "%.280s", to);
    else snprintf(dir, sizeof dir, "%.200s/backup", c->o.state_dir);
    if (!backup_key(c, key)) return WN_EXIT_FAILED;
    if (!wn_cli_folder(dir)) return wn_wipe(key, sizeof key), WN_EXIT_FAILED;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir_fd < 0 ? -1 : openat(dir_fd, PART_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = WN_EXIT_FAILED;
    if (fd < 0) (void)wn_cli_failed("%s cannot be written: %s", dir, strerror(errno));
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        (void)wn_cli_failed("another `winnow backup` writes to %s", dir);
    else if (ftruncate(fd, 0) != 0) (void)wn_cli_failed("%s cannot be written: %s", dir, strerror(errno));
    else if (write_part(c, fd, key, wn_now_s(), &info)) code = finish(c, dir_fd, dir, &info, (unsigned)keep);
    else (void)unlinkat(dir_fd, PART_NAME, 0);
    wn_wipe(key, sizeof key);
    if (fd >= 0) close(fd);
    if (dir_fd >= 0) close(dir_fd);
    return code;
}

// ---- restore ----
static bool restore_key(wn_cli *c, const wn_store_owned *own, const char *file, uint8_t key[WN_KEY_BYTES]) {
    if (!file) {
        wn_err err = wn_slots_get(own->slots, WN_BACKUP_SLOT, key);
        if (err == WN_OK) return true;
        (void)wn_cli_failed(
            "%s holds no key of backups: give the one you kept, --key FILE (it was written by "
            "`winnow backup --export-key`)",
            c->aggregator_dir);
        return false;
    }
    wn_err err = wn_backup_key_read(file, key);
    if (err == WN_OK) return true;
    (void)wn_cli_failed("%s: %s", file,
                        err == WN_ERR_FORMAT ? "not a key of backups (64 hexadecimal digits)"
                                             : wn_err_text(err));
    return false;
}

// NULL after a message. Kept where the daemon looks for it, unless one is there.
static wn_purge_list *purge_list(wn_cli *c, const char *file) {
    char kept[200];
    wn_purge_list *l = NULL;
    snprintf(kept, sizeof kept, "%s/keys/purges", c->aggregator_dir);
    wn_err err = wn_purge_list_open(file ? file : kept, file && access(file, F_OK) == 0, &l);
    if (err == WN_OK) return l;
    (void)wn_cli_failed(
        "the purge list %s: %s.\n  Without it a restore would bring back what was to be forgotten. Give the "
        "one you kept: --purge-list FILE; an empty file says that nothing was ever purged",
        file ? file : kept, wn_err_text(err));
    return NULL;
}

static const char *fault_text(wn_restore_fault fault, wn_err err) {
    switch (fault) {
    case WN_RESTORE_FORK:
        return "its ledger and the one here are not of one Winnow: neither is the beginning of the other; "
               "restore "
               "into an empty state directory, before the first start";
    case WN_RESTORE_LEDGER_HERE:
        return "the ledger here is not sound (`winnow ledger verify`): move aggregator/published away first";
    case WN_RESTORE_FILE:
        if (err == WN_ERR_FORMAT) return "not a backup of Winnow's";
        if (err == WN_ERR_CORRUPT)
            return "damaged, cut short, or made under another key; nothing was changed";
        return wn_err_text(err);
    case WN_RESTORE_WELL:
    case WN_RESTORE_NO_PURGE_LIST:
    case WN_RESTORE_STORE: break;
    }
    return wn_err_text(err);
}

// The zones and kinds of the sites, each once: windows of theirs may have been open.
static size_t kinds_of(const wn_sites *sites, wn_window out[WN_SITES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < sites->n; i++) {
        wn_window w = {.kind = (uint8_t)sites->site[i].kind};
        snprintf(w.zone, sizeof w.zone, "%s", sites->site[i].zone);
        bool known = false;
        for (size_t j = 0; j < n; j++)
            known = known || (out[j].kind == w.kind && strcmp(out[j].zone, w.zone) == 0);
        if (!known) out[n++] = w;
    }
    return n;
}

// A head further on than the store: what came after the backup is lost, and is said to be.
static wn_err renew_head(const wn_cli *c, wn_published *p) {
    char path[WN_HEAD_PATH_BYTES];
    uint64_t kept = 0, now = 0;
    uint8_t digest[32];
    snprintf(path, sizeof path, "%s/keys/head", c->aggregator_dir);
    bool had = wn_head_read(path, &kept, digest) == WN_OK;
    WN_TRY(wn_published_ledger_head(p, &now, digest));
    if (had && kept >= now)
        fprintf(stderr, "The ledger here had %llu entries; those after the backup are lost.\n",
                (unsigned long long)kept);
    return wn_head_replace(path, now, digest);
}

static int bring_back(wn_cli *c, wn_store_owned *own, int fd, const char *file,
                      const uint8_t key[WN_KEY_BYTES], const wn_purge_list *purges) {
    static wn_window kinds[WN_SITES_MAX];
    wn_sites sites;
    wn_restored done;
    wn_restore_fault fault;
    progress reading = {.doing = "reading"};
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    size_t n = kinds_of(&sites, kinds);
    wn_sites_fini(&sites);
    wn_err err = wn_restore(own->published, fd, key, purges, kinds, n, wn_now_s(), say_progress, &reading,
                            &done, &fault);
    end_progress(&reading);
    if (err == WN_OK) err = renew_head(c, own->published);
    else return wn_cli_failed("%s: %s", file, fault_text(fault, err));
    if (err != WN_OK) return wn_cli_failed("%s/keys/head: %s", c->aggregator_dir, wn_err_text(err));
    printf("%llu rows of %llu windows are back; %llu windows were here already.\n",
           (unsigned long long)done.rows, (unsigned long long)done.windows,
           (unsigned long long)done.windows_kept);
    if (done.rows_purged)
        printf("%llu rows of purged sites stay away.\n", (unsigned long long)done.rows_purged);
    puts("Windows begun before now are sealed: what comes for them is late.");
    return WN_EXIT_OK;
}

static int restore(wn_cli *c, const wn_args *a) {
    const char *file = a->word[0];
    wn_store_owned own;
    uint8_t key[WN_KEY_BYTES];
    if (wn_ask_pid(c->aggregator_dir) != 0)
        return wn_cli_failed("the aggregator runs: stop it first (winnow down%s)", c->again);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wn_cli_failed("%s: %s", file, strerror(errno));
    wn_purge_list *purges = purge_list(c, wn_args_get(a, "purge-list"));
    int code = WN_EXIT_FAILED;
    if (purges && wn_cli_own_store(c, &own)) {
        if (restore_key(c, &own, wn_args_get(a, "key"), key))
            code = bring_back(c, &own, fd, file, key, purges);
        wn_cli_disown_store(&own);
    }
    wn_wipe(key, sizeof key);
    wn_purge_list_close(purges);
    close(fd);
    return code;
}

static const wn_flag backup_flags[] = {
    {"to", "DIR", "Where backups lie. Default: backup in the state directory."},
    {"keep", "N", "How many of the newest stay; older ones are deleted. Default: 7."},
    {"export-key", "FILE",
     "Writes the backups' key to FILE (0600) for keeping elsewhere, and makes no backup."},
};

const wn_command wn_cmd_backup = {
    .name = "backup",
    .usage = "[--to DIR] [--keep N] | --export-key FILE",
    .doc = "Writes what was published, and the ledger, to one encrypted file; keeps the newest seven.",
    .more =
        "Holds published rows alone: nothing of open windows, no other key, and not the purge list. It is "
        "read "
        "back before it counts, and the ledger names it. Works while Winnow runs.\n"
        "Keep the key (--export-key) and the purge list (aggregator/keys/purges) where the backups are not: "
        "a "
        "restore needs both. Run it nightly (winnow-backup.timer), and a backup is gone after seven days.",
    .flags = backup_flags,
    .flags_n = WN_COUNT(backup_flags),
    .run = backup,
};

static const wn_flag restore_flags[] = {
    {"key", "FILE",
     "The key that `winnow backup --export-key` wrote. Default: the one of this installation."},
    {"purge-list", "FILE", "What was purged. Default: aggregator/keys/purges in the state directory."},
};

const wn_command wn_cmd_restore = {
    .name = "restore",
    .usage = "FILE [--key FILE] [--purge-list FILE]",
    .doc = "Brings a backup back beside what is here, but nothing of what was purged since.",
    .more = "Winnow must not run. The whole file is found authentic before anything is changed. Windows that "
            "are here "
            "stay as they are. Every window begun before now is sealed, so that nothing is published twice: "
            "what is "
            "open, today's too, is given up.",
    .flags = restore_flags,
    .flags_n = WN_COUNT(restore_flags),
    .words_min = 1,
    .words_max = 1,
    .run = restore,
};
