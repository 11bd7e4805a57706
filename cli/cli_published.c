// SPDX-License-Identifier: Apache-2.0
// cli_published.c: opens published/ read-only, or says why there is nothing.
#include "cli_published.h"

bool wn_cli_published(const wn_cli *c, wn_published **out) {
    wn_err err = wn_published_read(c->aggregator_dir, out);
    if (err == WN_OK) return true;
    if (err == WN_ERR_NOTFOUND) {
        (void)wn_cli_failed("nothing was published in %s yet; start Winnow with `winnow up%s`",
                            c->o.state_dir, c->again);
    } else if (err == WN_ERR_IO) {
        (void)wn_cli_failed("%s cannot be read: run this as the user who runs Winnow", c->aggregator_dir);
    } else {
        (void)wn_cli_failed("the published store in %s: %s", c->aggregator_dir, wn_err_text(err));
    }
    return false;
}

bool wn_cli_own_store(wn_cli *c, wn_store_owned *out) {
    char path[200];
    uint8_t key[32];
    *out = (wn_store_owned){NULL, NULL};
    snprintf(path, sizeof path, "%s/keys", c->aggregator_dir);
    if (!wn_cli_folder(path)) return false;
    snprintf(path, sizeof path, "%s/keys/slots", c->aggregator_dir);
    wn_err err = wn_slots_open(path, false, &out->slots);
    if (err == WN_OK) err = wn_slots_make(out->slots, "published", key);
    if (err == WN_OK)
        err = wn_published_open(c->aggregator_dir, key, false, (size_t)c->o.map_mib << 20, &out->published);
    wn_wipe(key, sizeof key);
    if (err == WN_OK) return true;
    wn_cli_disown_store(out);
    if (err == WN_ERR_BUSY)
        (void)wn_cli_failed("the aggregator runs: stop it first (winnow down%s)", c->again);
    else (void)wn_cli_failed("the published store in %s: %s", c->aggregator_dir, wn_err_text(err));
    return false;
}

void wn_cli_disown_store(wn_store_owned *s) {
    wn_published_close(s->published);
    wn_slots_close(s->slots);
    *s = (wn_store_owned){NULL, NULL};
}
