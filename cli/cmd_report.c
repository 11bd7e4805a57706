// SPDX-License-Identifier: Apache-2.0
// cmd_report.c: `winnow report`: published rows and nothing else.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_dates.h"
#include "cli_published.h"
#include "report.h"

#define LIMIT_DEFAULT 20

// What a person wants to see first; those that the plan has.
static const char *const first_look[] = {"traffic",   "pages",    "referrers", "channels",
                                         "countries", "browsers", "devices",   "events"};

static int run_one(const wn_published *p, const wn_report_query *q) {
    wn_report_result result = {0};
    wn_err err = wn_report_run(p, q, stdout, stderr, &result);
    if (err == WN_OK) return WN_EXIT_OK;
    return wn_cli_failed("table %s: %s", q->table, wn_err_text(err));
}

// Tables without a row would only repeat that there is none.
static bool has_rows(const wn_published *p, wn_report_query q) {
    wn_report_result result = {0};
    char *text = NULL;
    size_t n = 0;
    FILE *nowhere = open_memstream(&text, &n);
    if (!nowhere) return true;
    q.meta = NULL;
    wn_err err = wn_report_run(p, &q, nowhere, nowhere, &result);
    fclose(nowhere);
    free(text);
    return err != WN_OK || result.rows > 0;
}

static int unknown_table(const wn_plan *plan, const char *table) {
    const char *ids[WN_TABLES_MAX];
    for (size_t i = 0; i < plan->n; i++) ids[i] = plan->table[i].id;
    const char *near = wn_options_nearest(table, ids, plan->n);
    if (near) return wn_cli_failed("the plan has no table %.40s; did you mean %s?", table, near);
    return wn_cli_failed("the plan has no table %.40s; `winnow report --list` names them", table);
}

// The facts of the report go to FILE, which is opened first: a name that cannot
// be written is said before the rows are.
static int run_with_meta(const wn_args *a, const wn_published *p, wn_report_query *q) {
    const char *path = wn_args_get(a, "meta");
    if (!path) return run_one(p, q);
    q->meta = fopen(path, "we");
    if (!q->meta) return wn_cli_failed("--meta %.200s: %s", path, strerror(errno));
    int code = run_one(p, q);
    if (fclose(q->meta) != 0 && code == WN_EXIT_OK)
        code = wn_cli_failed("--meta %.200s: %s", path, strerror(errno));
    q->meta = NULL;
    return code;
}

// As the plan has them; what is an estimate comes last.
static void list_tables(const wn_plan *plan) {
    printf("%-18s %-7s %-5s  %s\n", "table", "profile", "share", "doc");
    for (int profile = 0; profile < WN_PROFILE_N; profile++) {
        for (size_t i = 0; i < plan->n; i++) {
            const wn_table *t = &plan->table[i];
            if (t->profile != profile) continue;
            printf("%-18s %-7s %-5s  %s\n", t->id, profile == WN_PROFILE_NOISE ? "noise" : "crowd",
                   t->share ? "yes" : "-", t->doc);
        }
    }
}

static int run_list(wn_cli *c) {
    wn_plan plan;
    if (!wn_cli_plan(c, NULL, &plan)) return WN_EXIT_FAILED;
    list_tables(&plan);
    wn_plan_fini(&plan);
    return WN_EXIT_OK;
}

static int run_tables(const wn_args *a, const wn_published *p, const wn_plan *plan, wn_report_query *q) {
    const char *table = wn_args_get(a, "table");
    int code = WN_EXIT_OK;
    if (table) {
        int at = wn_plan_table(plan, table);
        q->table = table;
        q->shape = at >= 0 ? &plan->table[at] : NULL;
        // A table of an earlier plan may still have rows.
        return at >= 0 || has_rows(p, *q) ? run_with_meta(a, p, q) : unknown_table(plan, table);
    }
    size_t shown[WN_COUNT(first_look)], n = 0;
    for (size_t i = 0; i < WN_COUNT(first_look); i++) {
        int at = wn_plan_table(plan, first_look[i]);
        if (at < 0) continue;
        q->shape = &plan->table[at];
        q->table = q->shape->id;
        if (has_rows(p, *q)) shown[n++] = (size_t)at;
    }
    if (n == 0) shown[n++] = 0; // says why there is nothing
    for (size_t i = 0; i < n && code == WN_EXIT_OK; i++) {
        q->shape = &plan->table[shown[i]];
        q->table = q->shape->id;
        q->no_foot = i + 1 < n;
        if (i > 0 && q->format == WN_REPORT_TABLE) putchar('\n');
        code = run_one(p, q);
        q->foot_measures |= q->shape->measures;
        for (unsigned d = 0; d < q->shape->dims_n; d++)
            q->foot_has_country = q->foot_has_country || q->shape->dims[d] == WN_DIM_country;
    }
    return code;
}

static int run(wn_cli *c, const wn_args *a) {
    wn_sites sites;
    wn_plan plan;
    wn_published *p = NULL;
    const char *format = wn_args_get(a, "format"), *limit = wn_args_get(a, "limit");
    wn_report_query q = {.format = WN_REPORT_TABLE, .limit = wn_args_has(a, "table") ? 0 : LIMIT_DEFAULT};
    int64_t number = 0;
    if (format && !wn_report_format_parse(format, &q.format)) {
        return wn_cli_misused(&wn_cmd_report, "--format \"%.20s\": allowed are table, csv, json and ndjson",
                              format);
    }
    if (q.format != WN_REPORT_TABLE && !wn_args_has(a, "table") && q.format != WN_REPORT_NDJSON) {
        return wn_cli_misused(&wn_cmd_report, "--format %s holds one table: say which with --table TABLE",
                              format);
    }
    if (wn_args_has(a, "meta") && !wn_args_has(a, "table"))
        return wn_cli_misused(&wn_cmd_report, "--meta is of one table: say which with --table TABLE");
    if (wn_args_has(a, "list")) return run_list(c);
    if (limit && !wn_cli_number(&wn_cmd_report, "limit", limit, 0, WN_REPORT_ROWS_MAX, &number))
        return WN_EXIT_USAGE;
    if (limit) q.limit = (size_t)number;
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    int code = WN_EXIT_FAILED;
    const wn_site *site = wn_cli_site(&sites, wn_args_get(a, "site"));
    if (site) {
        q.site = site->name;
        code = wn_dates_range(&wn_cmd_report, site, wn_args_get(a, "from"), wn_args_get(a, "to"), &q.from_day,
                              &q.to_day, &q.from_s, &q.to_s)
                   ? WN_EXIT_OK
                   : WN_EXIT_USAGE;
    }
    if (code == WN_EXIT_OK && !wn_cli_plan(c, NULL, &plan)) code = WN_EXIT_FAILED;
    else if (code == WN_EXIT_OK) {
        code = wn_cli_published(c, &p) ? run_tables(a, p, &plan, &q) : WN_EXIT_FAILED;
        wn_published_close(p);
        wn_plan_fini(&plan);
    }
    wn_sites_fini(&sites);
    return code;
}

static const wn_flag flags[] = {
    {"site", "NAME", "Which site; may be left out when there is one."},
    {"table", "TABLE", "Which table of the plan. Without: the most asked, one after another, 20 rows each."},
    {"from", "DATE",
     "First day: a date such as 2026-11-20, `today`, `yesterday`, or 30d for the last 30 days (default)."},
    {"to", "DATE", "Last day, included. Default: today."},
    {"format", "FORMAT", "table, csv, json or ndjson. Default: table."},
    {"limit", "N", "Rows at most; 0: all."},
    {"meta", "FILE",
     "Also writes what the rows of --table must be read with to FILE, as JSON: rules, versions, noise, days, "
     "the ledger's "
     "head."},
    {"list", NULL,
     "Lists the tables of the plan instead; those of noise, whose figures are estimates, last."},
};

const wn_command wn_cmd_report = {
    .name = "report",
    .usage = "[--site NAME] [--table TABLE] [--from DATE] [FLAG]...",
    .doc =
        "Prints published rows. Every figure is \"at least\"; what would show too few people is not there.",
    .more =
        "A table of profile noise shows estimates instead, and how far off they may be. CSV columns have "
        "fixed names: "
        "dimensions, people (several days: visitor_days), then what the table has of events, sessions, "
        "bounces, "
        "time_s, number1_sum, number2_sum; a table of noise has people and half_width. Empty: not published.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .run = run,
};
