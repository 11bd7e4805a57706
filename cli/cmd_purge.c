// SPDX-License-Identifier: Apache-2.0
// cmd_purge.c: forgets a site, or one organisation of a site, for good (R16).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_files.h"
#include "clock.h"
#include "cmd_site.h"
#include "ledger_recipients.h"
#include "open_windows.h"
#include "published.h"

#define ASK_TIMEOUT_MS 30000
#define WAIT_MS 15000 // most purges are done in a few seconds; the others go on without us

// ---- what purges there are ----

typedef struct seen {
    char site[WN_SITE_NAME_BYTES];
    bool organisation;
    int64_t asked_at_s, done_at_s;
} seen;

static bool read_one(wn_mp *m, seen *out) {
    uint32_t pairs = 0;
    *out = (seen){.asked_at_s = 0};
    if (!wn_mp_map(m, 16, &pairs)) return false;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key = {NULL, 0}, site = {NULL, 0};
        bool well =
            wn_mp_str(m, 32, &key) && (wn_span_is(key, "site") ? wn_mp_str(m, sizeof out->site - 1, &site)
                                       : wn_span_is(key, "organisation") ? wn_mp_bool(m, &out->organisation)
                                       : wn_span_is(key, "asked_at_s")   ? wn_mp_int(m, &out->asked_at_s)
                                       : wn_span_is(key, "done_at_s")    ? wn_mp_int(m, &out->done_at_s)
                                                                         : wn_mp_skip(m, 8));
        if (!well) return false;
        if (site.n > 0) memcpy(out->site, site.p, site.n);
    }
    return true;
}

static void say_one(const seen *p) {
    char span[24];
    wn_open_window_span(p->done_at_s != 0 ? wn_now_s() - p->done_at_s : wn_now_s() - p->asked_at_s, span);
    const char *what = p->organisation ? "an organisation of " : "the site ";
    if (p->done_at_s != 0) printf("%s%s: purged and verified %s ago\n", what, p->site, span);
    else if (wn_now_s() - p->asked_at_s >= WN_PURGE_WARN_S)
        printf(
            "%s%s: OPEN since %s, and must be done within %d h: both daemons must run; look at their logs\n",
            what, p->site, span, WN_PURGE_LATE_S / 3600);
    else printf("%s%s: open since %s\n", what, p->site, span);
}

// How many are open; -1 when the collector does not answer. say: prints each.
static int open_purges(wn_cli *c, bool say) {
    wn_question q;
    wn_reply r;
    wn_mp m;
    uint32_t n = 0;
    int open = 0;
    seen one;
    wn_question_init(&q, "purges", 0);
    bool well = say ? wn_cli_ask_ok(c, c->collector_dir, &q, ASK_TIMEOUT_MS, &r)
                    : wn_cli_ask(c, c->collector_dir, &q, ASK_TIMEOUT_MS, &r) == WN_OK;
    wn_question_fini(&q);
    if (!well) return -1;
    well = wn_reply_find(&r, "purges", &m) && wn_mp_array(&m, WN_PURGES_MAX, &n);
    for (uint32_t i = 0; i < n && well && (well = read_one(&m, &one)); i++) {
        open += one.done_at_s == 0;
        if (say) say_one(&one);
    }
    wn_reply_fini(&r);
    if (say && well && n == 0) puts("Nothing was ever purged.");
    if (say && well && n > 0) printf("%u of the %d purges that a list holds.\n", n, WN_PURGES_MAX);
    return well ? open : -1;
}

// ---- asking ----

// A site's rows are in them; nobody can take a row out of a backup.
static void say_backups(const wn_cli *c) {
    char dir[200], oldest[WN_BACKUP_NAME_BYTES], newest[WN_BACKUP_NAME_BYTES];
    snprintf(dir, sizeof dir, "%.180s/backup", c->o.state_dir);
    int n = wn_backup_count(dir, oldest, newest);
    if (n < 0) printf("Backups in %s cannot be listed (%s).\n", dir, strerror(errno));
    else if (n == 0) printf("There is no backup in %s.\n", dir);
    else if (n == 1) printf("The backup %s/%s\nmay hold its rows, encrypted.\n", dir, newest);
    else printf("%d backups in %s may hold its rows, encrypted:\n%s to %s.\n", n, dir, oldest, newest);
    printf(
        "`winnow restore` brings nothing of it back while it has the purge list. Backups go by number, not "
        "by\n"
        "age: with the usual %d, the last that holds it goes with the %dth backup from now (nightly: in %d\n"
        "days). Backups that lie elsewhere are yours to delete.\n",
        WN_BACKUP_KEEP, WN_BACKUP_KEEP, WN_BACKUP_KEEP);
}

// Of what a whole site is to the command, and one organisation.
static void say_plan(const wn_cli *c, const char *site, bool org) {
    if (org) {
        printf(
            "Purging an organisation of %s means, in every open window:\n"
            "  its people are taken out, of memory and of the stored window;\n"
            "  each row that one of them touched keeps what is published and moves no more, and its\n"
            "  table shows no row `other`;\n"
            "  from now on every event that names the organisation is refused, in large or small letters.\n"
            "Published rows hold no organisation: those of sealed windows stay as they are, in backups too.\n"
            "A policy.yaml that names it is yours to change.\n",
            site);
    } else {
        printf(
            "Purging the site %s means:\n"
            "  its published rows are deleted, of all windows, and its people leave every open one;\n"
            "  it leaves sites.yaml, its events are refused, and its name cannot be used again.\n"
            "What was deleted is out of every answer, but not off the disk at once: free pages of the\n"
            "published store keep its rows, encrypted under a key that does not die, until other rows are\n"
            "written over them.\n",
            site);
        say_backups(c);
    }
    puts("Sites of one zone and kind share windows; nobody else's rows change.");
}

static bool agreed(const wn_args *a) {
    char answer[16] = "";
    if (wn_args_has(a, "yes")) return true;
    if (!isatty(STDIN_FILENO)) {
        (void)wn_cli_misused(&wn_cmd_purge, "it cannot be undone: add --yes");
        return false;
    }
    printf("It cannot be undone. Type yes: ");
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0) return true;
    puts("Nothing was purged.");
    return false;
}

static bool take_out(void *ctx, wn_sites *s) {
    const char *name = ctx;
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->site[i].name, name) != 0) s->site[kept++] = s->site[i];
    s->n = kept;
    return true;
}

static bool drop_site(wn_cli *c, const char *name) {
    wn_sites s;
    if (!wn_site_edit(c, take_out, (void *)(uintptr_t)name)) return false;
    if (!wn_cli_sites(c, &s)) return false;
    size_t left = s.n;
    wn_sites_fini(&s);
    if (left > 0) return wn_cli_reload(c);
    puts("No site is left in sites.yaml; the daemons refuse the purged one all the same.");
    return true;
}

// What stays until a seal: the longest wait of the open windows.
static void say_pages(wn_cli *c) {
    wn_question q;
    wn_reply r;
    wn_open_windows all;
    wn_open_window w;
    int64_t last = 0;
    char span[24];
    wn_question_init(&q, "status", 0);
    wn_err err = wn_cli_ask(c, c->aggregator_dir, &q, ASK_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (err != WN_OK) return;
    if (wn_open_windows_begin(&r, &all))
        while (wn_open_windows_next(&all, &w)) last = w.seals_at_s > last ? w.seals_at_s : last;
    wn_reply_fini(&r);
    if (last == 0) return;
    wn_open_window_span(last - wn_now_s(), span);
    printf(
        "Free pages of open windows and the spool may hold it, encrypted, until the windows seal and their\n"
        "keys die: the last that is open now in %s.\n",
        span);
}

static int wait_for_end(wn_cli *c) {
    int open = 1;
    for (int64_t until = wn_monotonic_ms() + WAIT_MS; open > 0 && wn_monotonic_ms() < until; usleep(100000))
        open = open_purges(c, false);
    if (open == 0) {
        puts("Purged: every open window was searched, in memory and on disk, and holds nothing of it.");
        say_pages(c);
        return WN_EXIT_OK;
    }
    if (wn_ask_pid(c->aggregator_dir) == 0)
        puts("The aggregator does not run: the purge stays open and ends when it does.");
    puts("The purge is begun and goes on; a restart does not lose it. See `winnow purge --status`.");
    return WN_EXIT_OK;
}

// ---- what has left ----

static bool gather(void *ctx, const wn_ledger_entry *e) {
    return wn_recipients_add(ctx, e);
}

// No purge reaches what third parties hold already: who they are, the ledger knows.
static void say_receivers(wn_cli *c, const char *site) {
    wn_published *p = NULL;
    wn_recipients *r = wn_recipients_new();
    char *names = NULL;
    size_t bytes = 0, n = 0;
    FILE *f = r ? open_memstream(&names, &bytes) : NULL;
    if (f != NULL && wn_published_read(c->aggregator_dir, &p) == WN_OK &&
        wn_published_ledger_each(p, gather, r) == WN_OK)
        n = wn_recipients_print_site(r, site, f);
    if (p != NULL) wn_published_close(p);
    if (f != NULL && fclose(f) == 0 && n > 0)
        printf("Rows of %s have left already, and no purge reaches them there. Their receivers must be asked "
               "to\ndelete them:\n%s",
               site, names);
    free(names);
    wn_recipients_free(r);
}

static int ask(wn_cli *c, const char *site, const char *org) {
    wn_question q;
    wn_reply r;
    wn_question_init(&q, "purge", org ? 2 : 1);
    wn_question_text(&q, "site", site);
    if (org) wn_question_text(&q, "org", org);
    bool well = wn_cli_ask_ok(c, c->collector_dir, &q, ASK_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (!well) {
        fputs("The purge did not begin; ask again when the collector runs.\n", stderr);
        return WN_EXIT_FAILED;
    }
    wn_reply_fini(&r);
    if (!org && !drop_site(c, site)) return WN_EXIT_FAILED;
    int code = wait_for_end(c);
    if (!org) say_receivers(c, site);
    return code;
}

// "-": from standard input, so that it stands in no shell's history.
static bool read_org(const char *given, char out[WN_PURGE_ORG_BYTES_MAX + 2]) {
    if (strcmp(given, "-") != 0) snprintf(out, WN_PURGE_ORG_BYTES_MAX + 2, "%s", given);
    else if (fgets(out, WN_PURGE_ORG_BYTES_MAX + 2, stdin) == NULL) out[0] = '\0';
    else out[strcspn(out, "\n")] = '\0';
    size_t n = strlen(out);
    if (n > 0 && n <= WN_PURGE_ORG_BYTES_MAX) return true;
    (void)wn_cli_misused(&wn_cmd_purge, "--org: a name of 1 to %d bytes", WN_PURGE_ORG_BYTES_MAX);
    return false;
}

static int run(wn_cli *c, const wn_args *a) {
    const char *site = wn_args_get(a, "site"), *given = wn_args_get(a, "org");
    char org[WN_PURGE_ORG_BYTES_MAX + 2] = "";
    if (wn_args_has(a, "status")) return open_purges(c, true) < 0 ? WN_EXIT_FAILED : WN_EXIT_OK;
    if (!site) return wn_cli_misused(&wn_cmd_purge, "say which site with --site NAME");
    const char *bad = wn_site_name_check(site);
    if (bad) return wn_cli_misused(&wn_cmd_purge, "--site \"%.70s\": %s", site, bad);
    if (given && !read_org(given, org)) return WN_EXIT_USAGE;
    wn_sites sites;
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    bool known = wn_sites_by_name(&sites, site, strlen(site)) != NULL;
    if (!known && given) (void)wn_cli_site(&sites, site); // says which there are
    wn_sites_fini(&sites);
    if (!known && given) return WN_EXIT_FAILED;
    if (!known) printf("There is no site %s in sites.yaml; what is left of it goes all the same.\n", site);
    say_plan(c, site, given != NULL);
    if (wn_args_has(a, "dry-run")) return puts("Nothing was purged: --dry-run."), WN_EXIT_OK;
    int code = agreed(a) ? ask(c, site, given ? org : NULL) : WN_EXIT_FAILED;
    wn_wipe(org, sizeof org);
    return code;
}

static const wn_flag flags[] = {
    {"site", "NAME", "The site that goes, or of which an organisation goes."},
    {"org", "NAME",
     "One organisation of the site, as its events name it (letters large or small); - reads it from standard "
     "input."},
    {"dry-run", NULL, "Says what would be touched, and touches nothing."},
    {"yes", NULL, "Does not ask; needed where nobody can answer."},
    {"status", NULL, "Shows every purge, and since when those that are not done are open."},
};

const wn_command wn_cmd_purge = {
    .name = "purge",
    .usage = "--site NAME [--org NAME] [--dry-run] [--yes] | --status",
    .doc = "Forgets a site, or one organisation of a site, for good.",
    .more =
        "An opt-out is a visitor's and takes effect in their browser; a purge is yours and reaches what was "
        "counted already. The collector must run. A purge that was begun survives kills and ends by itself "
        "when both daemons run; from 40 hours on the log warns, for 48 are promised. It is verified before "
        "it counts as done, and the ledger says so without naming the organisation. It does not reach rows "
        "that went to third parties: purging a site names them, to be asked.\n"
        " winnow purge --site shop.example --org -",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .run = run,
};
