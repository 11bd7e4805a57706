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
