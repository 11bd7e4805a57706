// SPDX-License-Identifier: Apache-2.0
// cmd_keys.c: CURVE key pairs for SDKs, servers and collectors, and keys of those who read over HTTP.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_keys.h"
#include "cli.h"
#include "clock.h"
#include "zdoor.h"

static int new (const wn_cli *c, const wn_args *a, const char *name) {
    char folder[300], path[400];
    const char *dir = wn_args_get(a, "dir");
    wn_curve pair;
    struct stat st;
    if (dir) snprintf(folder, sizeof folder, "%.280s", dir);
    else snprintf(folder, sizeof folder, "%.200s/cli/keys", c->o.state_dir);
    snprintf(path, sizeof path, "%s/%s.curve", folder, name);
    if (stat(path, &st) == 0) return wn_cli_failed("%s is there already; choose another name", path);
    if (!wn_cli_folder(folder)) return WN_EXIT_FAILED;
    wn_err err = wn_curve_load(folder, name, true, &pair);
    if (err != WN_OK) return wn_cli_failed("%s cannot be written: %s", path, wn_err_text(err));
    printf("%s\n", pair.public_key);
    wn_wipe(&pair, sizeof pair);
    fprintf(stderr,
            "Public key above; the secret one stands in %s (0600).\n"
            "Let it write to a site: winnow site key NAME --server --public '…'%s\n",
            path, c->again);
    return WN_EXIT_OK;
}

// ---- keys of readers ----
static void path_of(const wn_cli *c, char out[300]) {
    snprintf(out, 300, "%.280s/api_keys.yaml", c->o.config_dir);
}

static bool load(const wn_cli *c, wn_api_keys *out) {
    char path[300], why[300];
    int line = 0;
    path_of(c, path);
    wn_err err = wn_api_keys_load(path, out, why, sizeof why, &line);
    if (err == WN_OK) return true;
    (void)wn_cli_failed("%s line %d: %s", path, line, why[0] ? why : wn_err_text(err));
    return false;
}

// Runs `change` on the list under the folder's lock, so that two calls lose
// nothing of each other's. There is room for one key more.
static bool edit(const wn_cli *c, bool (*change)(void *ctx, wn_api_keys *k), void *ctx) {
    char path[300];
    wn_api_keys k;
    if (!wn_cli_folder(c->o.config_dir)) return false;
    path_of(c, path);
    int fd = open(c->o.config_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        (void)wn_cli_failed("cannot lock %s: %s", c->o.config_dir, strerror(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    bool done = load(c, &k);
    wn_api_key *more = done ? realloc(k.key, (k.n + 1) * sizeof *more) : NULL;
    if (more) k.key = more;
    done = more && change(ctx, &k);
    if (done) {
        wn_err err = wn_api_keys_save(path, &k);
        done = err == WN_OK;
        if (!done) (void)wn_cli_failed("%s cannot be written: %s", path, wn_err_text(err));
    }
    wn_api_keys_fini(&k);
    close(fd);
    return done;
}

static bool append(void *ctx, wn_api_keys *k) {
    const wn_api_key *fresh = ctx;
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->key[i].name, fresh->name) == 0)
            return wn_cli_failed("there is a key %s already; `winnow keys revoke` ends it", fresh->name),
                   false;
    if (k->n == WN_API_KEYS_MAX)
        return wn_cli_failed("there are %d keys, and no more are allowed", WN_API_KEYS_MAX), false;
    k->key[k->n++] = *fresh;
    return true;
}

static bool scope_sites(const wn_cli *c, const wn_args *a, wn_api_key *k) {
    const char *const *site;
    wn_sites s;
    size_t n = wn_args_all(a, "site", &site);
    if (n > WN_API_KEY_SITES_MAX)
        return (void)wn_cli_misused(&wn_cmd_keys, "at most %d sites", WN_API_KEY_SITES_MAX), false;
    if (n > 0 && !wn_cli_sites(c, &s)) return false;
    bool well = true;
    for (; well && k->sites_n < n; k->sites_n++) {
        well = wn_cli_site(&s, site[k->sites_n]) != NULL;
        if (well) strcpy(k->site[k->sites_n], site[k->sites_n]);
    }
    if (n > 0) wn_sites_fini(&s);
    return well;
}

// A receiver reads what the plan names it for, and a key cannot widen that (R9).
static bool scope_receiver(const wn_plan *plan, const char *receiver, wn_api_key *k) {
    size_t at = 0;
    while (at < plan->receivers_n && strcmp(plan->receiver[at], receiver) != 0) at++;
    if (at == plan->receivers_n)
        return wn_cli_failed("the plan has no receiver %.40s; `winnow plan print` lists them", receiver),
               false;
    strcpy(k->receiver, receiver);
    for (size_t i = 0; i < k->tables_n; i++)
        if (!(plan->table[wn_plan_table(plan, k->table[i])].receivers & 1u << at))
            return wn_cli_failed("the plan does not name %s as a receiver of the table %s: name it in the "
                                 "table's `receivers` first, or leave that table out",
                                 receiver, k->table[i]),
                   false;
    return true;
}

// Tables and the receiver must be of the plan: a word misspelled would open nothing and say nothing.
static bool scope_tables(const wn_cli *c, const wn_args *a, wn_api_key *k) {
    const char *const *table, *receiver = wn_args_get(a, "receiver");
    wn_plan plan;
    size_t n = wn_args_all(a, "table", &table);
    if (n == 0 && !receiver) return true;
    if (n > WN_TABLES_MAX)
        return (void)wn_cli_misused(&wn_cmd_keys, "at most %d tables", WN_TABLES_MAX), false;
    if (!wn_cli_plan(c, NULL, &plan)) return false;
    bool well = true;
    for (; well && k->tables_n < n; k->tables_n++) {
        well = wn_plan_table(&plan, table[k->tables_n]) >= 0;
        if (well) strcpy(k->table[k->tables_n], table[k->tables_n]);
        else
            (void)wn_cli_failed("the plan has no table %.40s; `winnow plan print` lists them",
                                table[k->tables_n]);
    }
    if (well && receiver) well = scope_receiver(&plan, receiver, k);
    wn_plan_fini(&plan);
    return well;
}

static int api(const wn_cli *c, const wn_args *a, const char *name) {
    char text[WN_API_KEY_TEXT_BYTES];
    wn_api_key *k = calloc(1, sizeof *k);
    int code = WN_EXIT_FAILED;
    if (!k) return wn_cli_failed("%s", wn_err_text(WN_ERR_NOMEM));
    strcpy(k->name, name);
    wn_day_text((int32_t)(wn_now_s() / 86400), k->made);
    if (scope_sites(c, a, k) && scope_tables(c, a, k)) {
        wn_err err = wn_api_key_draw(text, k->hash);
        if (err != WN_OK) code = wn_cli_failed("%s", wn_err_text(err));
        else if (edit(c, append, k)) code = WN_EXIT_OK;
    }
    free(k);
    if (code != WN_EXIT_OK) return code;
    printf("%s\n", text);
    fflush(stdout);
    wn_wipe(text, sizeof text);
    fputs("Shown this once; only its hash is kept. A reader sends it as\n"
          "  Authorization: Bearer wn_…\n"
          "From now on every reader over HTTP needs a key.\n",
          stderr);
    return WN_EXIT_OK;
}

static bool drop(void *ctx, wn_api_keys *k) {
    const char *name = ctx;
    for (size_t i = 0; i < k->n; i++) {
        if (strcmp(k->key[i].name, name) != 0) continue;
        memmove(&k->key[i], &k->key[i + 1], (k->n - i - 1) * sizeof *k->key);
        k->n--;
        if (k->n == 0)
            fputs("No key is left: nobody reads over HTTP. Remove api_keys.yaml to let everybody on this "
                  "machine"
                  " read again.\n",
                  stderr);
        return true;
    }
    return wn_cli_failed("there is no key %.63s; `winnow keys list` shows them", name), false;
}

static int revoke_key(const wn_cli *c, const char *name) {
    char own[WN_API_KEY_NAME_BYTES];
    snprintf(own, sizeof own, "%s", name);
    if (!edit(c, drop, own)) return WN_EXIT_FAILED;
    printf("The key %s opens nothing any more.\n", own);
    return WN_EXIT_OK;
}

static void print_list(const char *all, const char *first, size_t stride, size_t n) {
    for (size_t i = 0; i < n; i++) printf("%s%s", i ? "," : "", first + i * stride);
    printf("%s  ", n ? "" : all);
}

static int list(const wn_cli *c) {
    wn_api_keys k;
    if (!load(c, &k)) return WN_EXIT_FAILED;
    if (!k.there)
        puts("There is no key: programs of the user who runs winnow-web may read over HTTP on this machine. Make one: winnow keys api NAME");
    else if (k.n == 0)
        puts("There is no key, and one is needed: nobody reads over HTTP. Make one: winnow keys api NAME");
    else printf("%-24s %-10s %-16s %s\n", "key", "made", "receiver", "sites; tables");
    for (size_t i = 0; i < k.n; i++) {
        printf("%-24s %-10s %-16s ", k.key[i].name, k.key[i].made[0] ? k.key[i].made : "-",
               k.key[i].receiver[0] ? k.key[i].receiver : "-");
        print_list("all", k.key[i].site[0], sizeof k.key[i].site[0], k.key[i].sites_n);
        print_list(k.key[i].receiver[0] ? "those it is sent" : "all", k.key[i].table[0],
                   sizeof k.key[i].table[0], k.key[i].tables_n);
        putchar('\n');
    }
    wn_api_keys_fini(&k);
    return WN_EXIT_OK;
}

static int run(wn_cli *c, const wn_args *a) {
    const char *what = a->word[0], *name = a->words == 2 ? a->word[1] : NULL;
    if (strcmp(what, "list") == 0 && !name) return list(c);
    bool known = strcmp(what, "new") == 0 || strcmp(what, "api") == 0 || strcmp(what, "revoke") == 0;
    if (!known) return wn_cli_misused(&wn_cmd_keys, "\"%.20s\": allowed are new, api, list and revoke", what);
    if (!name) return wn_cli_misused(&wn_cmd_keys, "missing: NAME");
    const char *bad = wn_api_key_name_check(name);
    if (bad) return wn_cli_misused(&wn_cmd_keys, "%s", bad);
    if (strcmp(what, "api") == 0) return api(c, a, name);
    return strcmp(what, "new") == 0 ? new (c, a, name) : revoke_key(c, name);
}

static const wn_flag flags[] = {
    {"dir", "DIR", "new: where to keep the pair. Default: cli/keys in the state directory."},
    {"site", "NAME", "api: a site that the key may read; may be repeated. Without: all."},
    {"table", "TABLE", "api: a table that it may read; may be repeated. Without: all."},
    {"receiver", "NAME",
     "api: the key of a receiver of the plan: rows with noise that name it, and crowd rows that name it of"
     " the tables listed with --table."},
};

const wn_command wn_cmd_keys = {
    .name = "keys",
    .usage = "new|api|list|revoke [NAME] [FLAG]...",
    .doc = "Makes CURVE key pairs for senders, and keys for those who read over HTTP.",
    .more =
        "keys new NAME makes a CURVE key pair and prints its public key. keys api NAME makes a key for the"
        " dashboard and the API, and prints it once; as soon as there is one, every reader over HTTP needs"
        " one. keys list shows the readers' keys, keys revoke NAME ends one at once.\n"
        " winnow keys api sales --site shop.example --table pages --table countries",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
