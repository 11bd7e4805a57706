// SPDX-License-Identifier: Apache-2.0
// cmd_restore.c: `winnow restore` brings a backup back (L-R2), but nothing that was purged,
// neither now nor later.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "cli_ask.h"
#include "cli_progress.h"
#include "cli_published.h"
#include "clock.h"
#include "head_file.h"
#include "restore_keep.h"

enum { GIVEN, AGGREGATOR, COLLECTOR, LISTS_N };
_Static_assert(LISTS_N == WN_RESTORE_LISTS, "lists");

typedef struct restoring {
    wn_cli_progress reading; // first: the progress is told of this
    wn_cli *c;
    const char *file;
    wn_store_owned own;
    wn_purge_list *list[LISTS_N]; // NULL: there is none
    wn_backup_keys keys;
    bool keys_given;
    wn_restore_kept kept;
} restoring;

// ---- what it needs ----

static bool find_keys(restoring *r, const char *file) {
    wn_err err = file ? wn_backup_keys_read(file, &r->keys)
                      : wn_slots_get(r->own.slots, WN_BACKUP_SLOT, r->keys.backup);
    r->keys_given = file != NULL;
    if (err == WN_OK) return true;
    if (file)
        (void)wn_cli_failed("%s: %s", file,
                            err == WN_ERR_FORMAT ? "not a key of backups (64 hexadecimal digits a line)"
                                                 : wn_err_text(err));
    else
        (void)wn_cli_failed(
            "%s holds no key of backups: give the one you kept, --key FILE (it was written by "
            "`winnow backup --export-key`)",
            r->c->aggregator_dir);
    return false;
}

static bool open_list(restoring *r, const char *path, unsigned which, bool needed) {
    wn_err err = wn_purge_list_open(path, false, &r->list[which]);
    if (err == WN_OK || (err == WN_ERR_NOTFOUND && !needed)) return true;
    if (err == WN_ERR_NOTFOUND)
        (void)wn_cli_failed(
            "there is no purge list %s.\n  Without it a restore would bring back what was to be forgotten. "
            "Give the one you kept: --purge-list FILE; a file of no bytes says that nothing was ever purged",
            path);
    else
        (void)wn_cli_failed("the purge list %s: %s.\n  %s", path, wn_err_text(err),
                            which == GIVEN ? "Give one that is whole"
                                           : "Move it away, and give the one you kept: --purge-list FILE");
    return false;
}

// The one given, and those that are here.
static bool find_lists(restoring *r, const char *given) {
    char path[200];
    if (given && !open_list(r, given, GIVEN, true)) return false;
    snprintf(path, sizeof path, "%s/keys/purges", r->c->aggregator_dir);
    if (!open_list(r, path, AGGREGATOR, !given)) return false;
    snprintf(path, sizeof path, "%s/keys/purges", r->c->collector_dir);
    return open_list(r, path, COLLECTOR, false);
}

// ---- bringing back ----

static const char *fault_text(wn_restore_fault fault, wn_err err) {
    switch (fault) {
    case WN_RESTORE_FORK:
        return "its ledger and the one here are not of one Winnow: neither is the beginning of the other; "
               "restore into an empty state directory, before the first start";
    case WN_RESTORE_LEDGER_HERE:
        return "the ledger here is not sound (`winnow ledger verify`): move aggregator/published away first";
    case WN_RESTORE_FILE:
        if (err == WN_ERR_FORMAT) return "not a backup of Winnow's";
        if (err == WN_ERR_CORRUPT)
            return "damaged, cut short, or made under another key; nothing was changed";
        return wn_err_text(err);
    case WN_RESTORE_READY:
        if (err == WN_ERR_BUSY)
            return "the collector runs: stop it first (winnow down); nothing was brought back";
        if (err == WN_ERR_FULL)
            return "the purge lists together name more than a list holds; nothing was brought back";
        return "keys/purges or keys/slots of a role cannot be written; nothing was brought back";
    case WN_RESTORE_WELL:
    case WN_RESTORE_NO_PURGE_LIST:
    case WN_RESTORE_STORE: break;
    }
    return wn_err_text(err);
}

// Durable before a row is back.
static wn_err keep(void *ctx) {
    restoring *r = ctx;
    const wn_purge_list *l = r->list[r->list[GIVEN] ? GIVEN : AGGREGATOR];
    wn_cli_progress_end(&r->reading);
    return wn_restore_keep(r->c->aggregator_dir, r->c->collector_dir, r->own.slots, l,
                           r->keys_given ? &r->keys : NULL, &r->kept);
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

static void say(const restoring *r, const wn_restored *done) {
    printf("%llu rows of %llu windows are back; %llu windows were here already.\n",
           (unsigned long long)done->rows, (unsigned long long)done->windows,
           (unsigned long long)done->windows_kept);
    if (done->rows_purged)
        printf("%llu rows of purged sites stay away.\n", (unsigned long long)done->rows_purged);
    puts("Windows begun before now are sealed: what comes for them is late.\n"
         "What was purged stays refused: the purge list stands in both roles' keys/purges.");
    if (r->kept.orgs_unknown)
        printf(
            "But %zu of its entries are organisations whose key is not here, so that nobody can recognise\n"
            "them: purge each again, by name, before events come in. A key file that `winnow backup\n"
            "--export-key` wrote beside the collector holds that key.\n",
            r->kept.orgs_unknown);
    if (r->kept.other_backup_key)
        puts("Backups go on under the key that was here, not under the one you gave: export it again\n"
             "(winnow backup --export-key FILE).");
}

static int bring_back(restoring *r, int fd) {
    static wn_window kinds[WN_SITES_MAX];
    wn_sites sites;
    wn_restored done;
    wn_restore_fault fault;
    if (!wn_cli_sites(r->c, &sites)) return WN_EXIT_FAILED;
    wn_restore_ask ask = {.fd = fd,
                          .key = r->keys.backup,
                          .purges = {r->list[GIVEN], r->list[AGGREGATOR], r->list[COLLECTOR]},
                          .kinds = kinds,
                          .kinds_n = kinds_of(&sites, kinds),
                          .now_s = wn_now_s(),
                          .progress = wn_cli_progress_say,
                          .ready = keep,
                          .ctx = r};
    wn_sites_fini(&sites);
    wn_err err = wn_restore(r->own.published, &ask, &done, &fault);
    wn_cli_progress_end(&r->reading);
    if (err != WN_OK) return wn_cli_failed("%s: %s", r->file, fault_text(fault, err));
    err = renew_head(r->c, r->own.published);
    if (err != WN_OK)
        return wn_cli_failed("the rows are back, but %s/keys/head cannot be written (%s): restore again, or "
                             "`winnow ledger accept%s`",
                             r->c->aggregator_dir, wn_err_text(err), r->c->again);
    say(r, &done);
    return WN_EXIT_OK;
}

static int restore(wn_cli *c, const wn_args *a) {
    restoring r = {.c = c, .file = a->word[0], .reading = {.doing = "reading"}};
    char keys[200];
    if (wn_ask_pid(c->aggregator_dir) != 0 || wn_ask_pid(c->collector_dir) != 0)
        return wn_cli_failed("Winnow runs: stop it first (winnow down%s)", c->again);
    int fd = open(r.file, O_RDONLY | O_CLOEXEC), code = WN_EXIT_FAILED;
    if (fd < 0) return wn_cli_failed("%s: %s", r.file, strerror(errno));
    snprintf(keys, sizeof keys, "%s/keys", c->collector_dir);
    if (find_lists(&r, wn_args_get(a, "purge-list")) && wn_cli_folder(keys) && wn_cli_own_store(c, &r.own)) {
        if (find_keys(&r, wn_args_get(a, "key"))) code = bring_back(&r, fd);
        wn_cli_disown_store(&r.own);
    }
    wn_wipe(&r.keys, sizeof r.keys);
    for (unsigned i = 0; i < LISTS_N; i++) wn_purge_list_close(r.list[i]);
    close(fd);
    return code;
}

static const wn_flag flags[] = {
    {"key", "FILE",
     "The file that `winnow backup --export-key` wrote. Default: the key of this installation."},
    {"purge-list", "FILE",
     "What was purged; it is only read. A file of no bytes: nothing ever was. Default: "
     "aggregator/keys/purges in the "
     "state directory."},
};

const wn_command wn_cmd_restore = {
    .name = "restore",
    .usage = "FILE [--key FILE] [--purge-list FILE]",
    .doc = "Brings a backup back beside what is here, but nothing of what was purged since.",
    .more =
        "Winnow must not run. The whole file is found authentic before anything is changed. Windows that are "
        "here stay as they are. Every window begun before now is sealed, so that nothing is published twice: "
        "what is open, today's too, is given up.\n"
        "Before a row is back, the purge list is put where both daemons look for it (keys/purges; what "
        "stands "
        "there stays), and the keys given become this installation's where it has none. A collector on "
        "another "
        "machine has a list and a key of its own, in its collector/keys: keep those.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 1,
    .run = restore,
};
