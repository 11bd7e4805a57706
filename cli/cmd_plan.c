// SPDX-License-Identifier: Apache-2.0
// cmd_plan.c: shows and checks the release plan.
#include <string.h>

#include "cli.h"

static int run(wn_cli *c, const wn_args *a) {
    wn_plan plan;
    const char *path = a->words > 1 ? a->word[1] : NULL;
    bool print = strcmp(a->word[0], "print") == 0;
    if (!print && strcmp(a->word[0], "check") != 0) {
        return wn_cli_misused(&wn_cmd_plan, "\"%.20s\": allowed are print and check", a->word[0]);
    }
    if (!wn_cli_plan(c, path, &plan)) return WN_EXIT_FAILED;
    if (print) wn_plan_print(&plan, stdout);
    else printf("The plan is right: version %u, %zu tables.\n", plan.version, plan.n);
    (void)wn_plan_warn(&plan, stdout);
    wn_plan_fini(&plan);
    return WN_EXIT_OK;
}

const wn_command wn_cmd_plan = {
    .name = "plan",
    .usage = "print|check [FILE]",
    .doc = "Prints or checks the release plan: which tables exist, of what, from how many people on.",
    .more = "Without FILE: plan.yaml of the configuration directory, else the built-in plan. A line that "
            "begins with "
            "\"warning:\" names what a plan that is right gives away nevertheless.",
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
