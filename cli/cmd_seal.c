// SPDX-License-Identifier: Apache-2.0
// cmd_seal.c: `winnow seal` ends a window before its time; `winnow tick` publishes now.
#include <string.h>
#include <unistd.h>

#include "cli_ask.h"
#include "cli_dates.h"
#include "clock.h"
#include "open_windows.h"

#define SEAL_TIMEOUT_MS 600000
#define TICK_TIMEOUT_MS 120000
#define DELIVERY_MS 5000 // what the collector accepted before a tick may take as long to arrive

// `seal --force` without a date means yesterday; who wanted today is told so.
static bool meant_today(wn_cli *c, const wn_site *site, int32_t today) {
    wn_window w;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, today, &w);
    wn_window_text(&w, text);
    return wn_open_windows_ask(c, text) > 0;
}

static int seal_window(wn_cli *c, const wn_site *site, const wn_window *w, bool force, bool *out_sealed) {
    wn_question q;
    wn_reply r;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    const char *const list[] = {text};
    int64_t rows = 0, sealed = 1;
    wn_question_init(&q, "seal", 2);
    wn_question_texts(&q, "windows", list, 1);
    wn_question_flag(&q, "force", force);
    bool well = wn_cli_ask_ok(c, c->aggregator_dir, &q, SEAL_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (!well) return WN_EXIT_FAILED;
    (void)wn_reply_number(&r, "rows", &rows);
    (void)wn_reply_number(&r, "sealed", &sealed);
    wn_reply_fini(&r);
    *out_sealed = sealed != 0;
    if (sealed == 0)
        printf("%s is not open: nothing came, or it is sealed. See `winnow report --site %s`.\n", text,
               site->name);
    else printf("%s is sealed: %lld rows published, its keys are destroyed.\n", text, (long long)rows);
    return WN_EXIT_OK;
}

static int seal(wn_cli *c, const wn_args *a) {
    wn_sites sites;
    wn_window w;
    int32_t day = 0;
    const char *date = wn_args_get(a, "date");
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    const wn_site *site = wn_cli_site(&sites, wn_args_get(a, "site"));
    int code = WN_EXIT_FAILED;
    if (site) {
        int32_t today = wn_dates_today(site);
        if (!wn_dates_day(date ? date : "yesterday", today, &day)) {
            code = wn_cli_misused(
                &wn_cmd_seal, "--date \"%.40s\": allowed are a date (2026-11-20), yesterday and today", date);
        } else if (day >= today && !wn_args_has(a, "force")) {
            code = wn_cli_failed(
                "the window of %s still runs: whatever comes after the seal counts as late, for every %s site"
                " of %s; add --force if that is what you want",
                date, site->kind ? "app" : "web", site->zone);
        } else {
            wn_zone_window_of_day(wn_zone_find(site->zone), (wn_kind)site->kind, day, &w);
            bool force = wn_args_has(a, "force"), sealed = true;
            code = seal_window(c, site, &w, force, &sealed);
            if (code == WN_EXIT_OK && !sealed && force && !date && meant_today(c, site, today))
                code = wn_cli_failed("nothing was sealed: without --date it is yesterday's window, and the "
                                     "one that is open is today's; name it with --date today");
        }
    }
    wn_sites_fini(&sites);
    return code;
}

// What was accepted before the command should be in what it publishes. A collector that does not
// run, or an aggregator that takes longer, is no reason not to publish the rest.
static void wait_for_delivery(wn_cli *c) {
    int64_t waiting = 0;
    for (int64_t until = wn_monotonic_ms() + DELIVERY_MS; wn_monotonic_ms() < until; usleep(20000)) {
        wn_question q;
        wn_reply r;
        wn_question_init(&q, "status", 0);
        wn_err err = wn_cli_ask(c, c->collector_dir, &q, TICK_TIMEOUT_MS, &r);
        wn_question_fini(&q);
        if (err != WN_OK) return;
        bool told = wn_reply_number(&r, "spool_waiting", &waiting);
        wn_reply_fini(&r);
        if (!told || waiting == 0) return;
    }
    fprintf(stderr, "winnow: %lld batches still wait for the aggregator; the next tick takes them\n",
            (long long)waiting);
}

static int tick(wn_cli *c, const wn_args *a) {
    wn_question q;
    wn_reply r;
    int64_t rows = -1;
    (void)a;
    wait_for_delivery(c);
    wn_question_init(&q, "tick", 0);
    bool well = wn_cli_ask_ok(c, c->aggregator_dir, &q, TICK_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (!well) return WN_EXIT_FAILED;
    if (wn_reply_number(&r, "rows", &rows)) printf("Published: %lld rows moved.\n", (long long)rows);
    else puts("Published.");
    wn_reply_fini(&r);
    return WN_EXIT_OK;
}

static const wn_flag seal_flags[] = {
    {"site", "NAME", "A site of the window; may be left out when there is one."},
    {"date", "DATE", "Which day: a date, `yesterday` (default) or `today`."},
    {"force", NULL, "Seals a window that still runs."},
};

const wn_command wn_cmd_seal = {
    .name = "seal",
    .usage = "[--site NAME] [--date DATE] [--force]",
    .doc = "Seals a window before its time: last publication, then its keys die.",
    .more = "Sites of one time zone and kind share windows: all of them are sealed. Nothing can be added "
            "afterwards.",
    .flags = seal_flags,
    .flags_n = WN_COUNT(seal_flags),
    .run = seal,
};

const wn_command wn_cmd_tick = {
    .name = "tick",
    .usage = "",
    .doc = "Publishes now what the locks allow, rather than at the next fixed time. Waits a moment for what "
           "is on its way.",
    .run = tick,
};
