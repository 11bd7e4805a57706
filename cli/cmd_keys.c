// SPDX-License-Identifier: Apache-2.0
// cmd_keys.c: CURVE key pairs for SDKs, servers and collectors.
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "zdoor.h"

static bool name_right(const char *name) {
    size_t n = strlen(name);
    return n > 0 && n < 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

static int run(wn_cli *c, const wn_args *a) {
    char folder[300], path[400];
    const char *dir = wn_args_get(a, "dir"), *name = a->word[1];
    wn_curve pair;
    struct stat st;
    if (strcmp(a->word[0], "new") != 0)
        return wn_cli_misused(&wn_cmd_keys, "\"%.20s\": allowed is new", a->word[0]);
    if (!name_right(name))
        return wn_cli_misused(&wn_cmd_keys,
                              "a key's name is 1 to 63 of a-z A-Z 0-9 _ -; example: shop-server");
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

static const wn_flag flags[] = {
    {"dir", "DIR", "Where to keep the pair. Default: cli/keys in the state directory."}};

const wn_command wn_cmd_keys = {
    .name = "keys",
    .usage = "new NAME [--dir DIR]",
    .doc = "Makes a CURVE key pair and prints its public key.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 2,
    .words_max = 2,
    .run = run,
};
