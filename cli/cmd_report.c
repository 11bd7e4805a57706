// SPDX-License-Identifier: Apache-2.0
// cmd_report.c: `winnow report`: published rows and nothing else.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_dates.h"
#include "cli_published.h"
#include "clock.h"
#include "report.h"

#define LIMIT_DEFAULT 20

// What a person wants to see first; those that the plan has.
static const char *const first_look[] = {"traffic",   "pages",    "referrers", "channels",
                                         "countries", "browsers", "devices",   "events"};

typedef struct progress {
    const wn_report_query *q;
    int64_t next_ms;
    bool shown;
} progress;

// For who waits at a terminal, from the second second on.
static void show_progress(void *ctx, int64_t read_until_s, uint64_t rows) {
    progress *p = ctx;
    int64_t now = wn_monotonic_ms();
    if (p->next_ms == 0) p->next_ms = now + 1000;
    if (now < p->next_ms) return;
    p->next_ms = now + 200;
    p->shown = true;
    fprintf(stderr, "\r%lld of %lld days read, %llu rows written ",
            (long long)((read_until_s - p->q->from_s) / 86400),
            (long long)(p->q->to_day - p->q->from_day + 1), (unsigned long long)rows);
}

static int run_one(const wn_published *p, const wn_report_query *q, bool by_day) {
    wn_report_result result = {0};
    progress shown = {.q = q};
    bool waits = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    wn_err err =
        q->format == WN_REPORT_TABLE
            ? wn_report_run(p, q, stdout, stderr, &result)
            : wn_report_export(p, q, by_day, stdout, stderr, waits ? show_progress : NULL, &shown, &result);
    if (shown.shown) fputs("\r\033[K", stderr);
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
    q.sparks = q.compare = false;
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
    bool by_day = wn_args_has(a, "by");
    if (!path) return run_one(p, q, by_day);
    q->meta = fopen(path, "we");
    if (!q->meta) return wn_cli_failed("--meta %.200s: %s", path, strerror(errno));
    int code = run_one(p, q, by_day);
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
        code = run_one(p, q, false);
        q->foot_measures |= q->shape->measures;
        for (unsigned d = 0; d < q->shape->dims_n; d++)
            q->foot_has_country = q->foot_has_country || q->shape->dims[d] == WN_DIM_country;
    }
    return code;
}

// The first of these that is set and not empty names the encoding.
static bool writes_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < WN_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

// Figures against those before and lines of marks: on a screen, or when they are asked for.
static void trend_set(const wn_args *a, const wn_site *site, wn_report_query *q) {
    const char *term = getenv("TERM");
    bool asked = wn_args_has(a, "trend"), screen = isatty(STDOUT_FILENO) && !wn_args_has(a, "plain");
    int32_t days = q->to_day - q->from_day + 1;
    int64_t to_s;
    if (q->format != WN_REPORT_TABLE || days > WN_DAYS_BACK_MAX) return;
    q->compare = asked || screen;
    q->sparks = asked || (screen && writes_utf8() && !(term && strcmp(term, "dumb") == 0));
    wn_dates_bounds(site, q->from_day - days, q->from_day - 1, &q->before_s, &to_s);
}

static bool flags_agree(const wn_args *a, const wn_report_query *q, const char *format) {
    const char *by = wn_args_get(a, "by");
    bool trend = wn_args_has(a, "trend"), table = q->format == WN_REPORT_TABLE;
    if (by && strcmp(by, "day") != 0)
        return (void)wn_cli_misused(&wn_cmd_report, "--by \"%.20s\": allowed is day", by), false;
    if (by && (table || !wn_args_has(a, "table")))
        return (void)wn_cli_misused(&wn_cmd_report,
                                    "--by day is for one --table TABLE in a --format for programs"),
               false;
    if (by && wn_args_has(a, "limit"))
        return (void)wn_cli_misused(&wn_cmd_report, "--by day gives all rows of each day; leave --limit out"),
               false;
    if (trend && !table)
        return (void)wn_cli_misused(&wn_cmd_report, "--trend is for people: leave --format %s out", format),
               false;
    if (trend && wn_args_has(a, "plain"))
        return (void)wn_cli_misused(&wn_cmd_report, "--trend and --plain exclude each other"), false;
    return true;
}

static int run(wn_cli *c, const wn_args *a) {
    wn_sites sites;
    wn_plan plan;
    wn_published *p = NULL;
    const char *format = wn_args_get(a, "format"), *limit = wn_args_get(a, "limit");
    wn_report_query q = {.format = WN_REPORT_TABLE, .limit = wn_args_has(a, "table") ? 0 : LIMIT_DEFAULT};
    int64_t number = 0;
    if (format && !wn_report_format_parse(format, &q.format)) {
        return wn_cli_misused(&wn_cmd_report,
                              "--format \"%.20s\": allowed are table, csv, json, ndjson, msgpack and meta",
                              format);
    }
    if (q.format != WN_REPORT_TABLE && !wn_args_has(a, "table") && q.format != WN_REPORT_NDJSON) {
        return wn_cli_misused(&wn_cmd_report, "--format %s holds one table: say which with --table TABLE",
                              format);
    }
    if (!flags_agree(a, &q, format)) return WN_EXIT_USAGE;
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
        if (code == WN_EXIT_OK) trend_set(a, site, &q);
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
    {"format", "FORMAT",
     "table, csv, json, ndjson, msgpack, or meta: what the rows must be read with, without them. Default: "
     "table."},
    {"by", "day",
     "Each row of each day instead of their sum; written while it is read, however long the range."},
    {"trend", NULL,
     "table: each row against as many days before, and its people by day. So it is on a terminal (the marks "
     "where "
     "it shows UTF-8)."},
    {"plain", NULL, "table: without that, on a terminal too."},
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
        "time_s, number1_sum, number2_sum; a table of noise has people and half_width. Empty: not published. "
        "json and ndjson call them the same. msgpack is one value after another: a map that begins with "
        "report, a map a row, and at the end a map that begins with end, which holds what meta holds: "
        "a file that lacks it was cut off.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .run = run,
};
