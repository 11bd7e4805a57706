// SPDX-License-Identifier: Apache-2.0
// cmd_policy.c: shows, checks and explains what sites promise their visitors.
#include <string.h>
#include <unistd.h>

#include "cli_ask.h"
#include "identifiers.h"
#include "policies.h"
#include "policy_describe.h"

static bool load(const wn_cli *c, const char *path, wn_policy *out) {
    char why[400];
    int line = 0;
    const char *from = path ? path : c->policy_path;
    wn_err err = path && access(path, F_OK) != 0 ? WN_ERR_NOTFOUND
                                                 : wn_policy_load_file(from, out, why, sizeof why, &line);
    if (err == WN_OK) return true;
    if (err == WN_ERR_NOTFOUND) (void)wn_cli_failed("%s: cannot be read: %s", from, wn_err_text(err));
    else if (line > 0) (void)wn_cli_failed("%s line %d: %s", from, line, why);
    else (void)wn_cli_failed("%s: %s", from, why);
    return false;
}

bool wn_cli_policy(const wn_cli *c, wn_policy *out) {
    return load(c, NULL, out);
}

// What the collector last had in force, when this user may look.
static bool last_in_force(const wn_cli *c, wn_policy *out) {
    char dir[200];
    snprintf(dir, sizeof dir, "%s/policy", c->collector_dir);
    wn_err err = wn_policies_last(dir, out);
    if (err == WN_ERR_AUTH)
        puts("Not compared with the version in force: this user may not read the collector's state.");
    return err == WN_OK;
}

static void say_date(const wn_policy *now, const wn_policy *p) {
    if (wn_policy_dated_before(now, p))
        printf("Its date, %s, lies before %s, that of the one in force: is it the right file?\n", p->date,
               now->date);
}

// Whether a reload would take it; says what is in force.
static bool follows(const wn_cli *c, const wn_policy *p) {
    char why[400] = "";
    wn_policy now;
    if (!last_in_force(c, &now)) return true;
    if (now.id == p->id) puts("It is the one in force.");
    else printf("In force is version %u of %s.\n", now.version, now.date);
    bool may = wn_policy_follows(&now, p, why, sizeof why) == WN_OK;
    if (!may) (void)wn_cli_failed("a reload would refuse it: %s", why);
    say_date(&now, p);
    wn_policy_fini(&now);
    return may;
}

static void warn_of_date(const wn_cli *c, const wn_policy *p) {
    wn_policy now;
    if (!last_in_force(c, &now)) return;
    say_date(&now, p);
    wn_policy_fini(&now);
}

static void tell_shape(const char *site, const char *what, const char *text) {
    wn_identifier_kind kind;
    if (wn_identifier_in((wn_span){(const uint8_t *)text, strlen(text)}, &kind))
        printf(
            "  %s: %s \"%s\" has the shape of an identifier (%s) and is published as it stands: does it name "
            "somebody?\n",
            site, what, text, wn_identifier_name(kind));
}

// What the policy lists is the site's own word, and passes; but it may have been a mistake.
static void tell_shapes(const char *site, const wn_site_policy *p) {
    for (size_t i = 0; i < p->routes_n; i++) tell_shape(site, "the route", p->routes[i]);
    for (size_t i = 0; i < p->props_n; i++)
        for (size_t k = 0; k < p->props[i].values_n; k++)
            tell_shape(site, p->props[i].name, p->props[i].values[k]);
    for (size_t i = 0; i < p->surveys_n; i++)
        for (size_t k = 0; k < p->surveys[i].values_n; k++)
            tell_shape(site, p->surveys[i].name, p->surveys[i].values[k]);
}

static int check(const wn_cli *c, const wn_policy *p) {
    wn_sites sites;
    char id[17];
    wn_policy_id_text(p->id, id);
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    printf("The policy is right: version %u of %s, digest %s, %zu site%s with rules of %s own.\n", p->version,
           p->date, id, p->sites_n, p->sites_n == 1 ? "" : "s", p->sites_n == 1 ? "its" : "their");
    bool may = follows(c, p);
    tell_shapes("defaults", &p->defaults);
    for (size_t i = 0; i < p->sites_n; i++) {
        const char *name = p->sites[i].site;
        tell_shapes(name, &p->sites[i]);
        if (!wn_sites_by_name(&sites, name, strlen(name)))
            printf("  %s is not among the sites yet; add it with `winnow site add %s`\n", name, name);
    }
    wn_sites_fini(&sites);
    return may ? WN_EXIT_OK : WN_EXIT_FAILED;
}

static int describe(const wn_cli *c, const wn_policy *p, const char *name) {
    wn_sites sites;
    wn_plan plan;
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    const wn_site *site = name ? wn_sites_by_name(&sites, name, strlen(name)) : NULL;
    wn_description d = {.policy = p, .plan = &plan, .site = name, .seal_hold_s = c->o.seal_hold_s};
    d.kind = site ? site->kind : WN_KIND_N;
    int code = WN_EXIT_FAILED;
    if (name && !site && wn_policy_of(p, name) == &p->defaults) {
        (void)wn_cli_failed("there is no site %.63s; see `winnow site list`", name);
    } else if (wn_cli_plan(c, NULL, &plan)) {
        wn_policy_describe(&d, stdout);
        wn_plan_fini(&plan);
        code = WN_EXIT_OK;
    }
    wn_sites_fini(&sites);
    return code;
}

static int run(wn_cli *c, const wn_args *a) {
    const char *what = a->word[0], *path = a->words > 1 ? a->word[1] : NULL, *site = wn_args_get(a, "site");
    bool describes = strcmp(what, "describe") == 0, prints = strcmp(what, "print") == 0;
    bool reloads = strcmp(what, "reload") == 0;
    if (!describes && !prints && !reloads && strcmp(what, "check") != 0) {
        return wn_cli_misused(&wn_cmd_policy, "\"%.20s\": allowed are print, check, describe and reload",
                              what);
    }
    if (reloads && path)
        return wn_cli_misused(&wn_cmd_policy, "reload reads policy.yaml of the configuration");
    if (site && !describes) return wn_cli_misused(&wn_cmd_policy, "--site goes with describe");
    wn_policy p;
    if (!load(c, path, &p)) return WN_EXIT_FAILED;
    int code = WN_EXIT_OK;
    if (reloads) warn_of_date(c, &p);
    if (reloads) code = wn_cli_reload(c) ? WN_EXIT_OK : WN_EXIT_FAILED;
    else if (prints) fwrite(p.text, 1, p.text_bytes, stdout);
    else code = describes ? describe(c, &p, site) : check(c, &p);
    wn_policy_fini(&p);
    return code;
}

static const wn_flag flags[] = {
    {"site", "NAME", "With describe: this site's page; else what holds for every other site."}};

const wn_command wn_cmd_policy = {
    .name = "policy",
    .usage = "print|check|describe|reload [FILE]",
    .doc =
        "Prints, checks or describes in plain words what is collected, why, and what a person's choice does.",
    .more = "Without FILE: policy.yaml of the configuration directory, else the built-in policy. `describe` "
            "writes a "
            "Markdown page for a privacy officer; no organisation is named in it. `print` prints the file "
            "itself: "
            "`winnow policy print > new.yaml` is one to begin with (into policy.yaml itself the shell would "
            "empty it first). `check` says as well whether a reload "
            "would "
            "take it, where this user may read the collector's state.\n"
            "After a change raise `version`, then `winnow policy reload` (or SIGHUP to both daemons). A file "
            "with a "
            "mistake changes nothing. Each day keeps the policy it began with; what is narrower in a newer "
            "one holds "
            "at once.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
