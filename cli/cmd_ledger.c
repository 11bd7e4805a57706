// SPDX-License-Identifier: Apache-2.0
// cmd_ledger.c: lists and verifies the record of what was published and destroyed.
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "cli_published.h"
#include "ledger.h"

typedef enum list_format { LIST_TABLE, LIST_CSV, LIST_NDJSON } list_format;

typedef struct listing {
    list_format format;
    uint64_t n;
} listing;

static bool print_entry(void *ctx, const wn_ledger_entry *e) {
    listing *l = ctx;
    char at[32], digest[65];
    time_t t = (time_t)e->at_s;
    struct tm tm;
    const char *what = wn_ledger_what_text(e->what);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    sodium_bin2hex(digest, sizeof digest, e->digest, sizeof e->digest);
    unsigned long long number = e->number, rows = e->rows;
    if (l->format == LIST_CSV) {
        if (l->n == 0)
            puts("number,at,what,window,plan_version,policy_version,profile,k_closed,k_open,rows,digest");
        printf("%llu,%s,%s,%s,%u,%u,%s,%u,%u,%llu,%s\n", number, at, what, e->window, e->plan_version,
               e->policy_version, e->profile, e->k_closed, e->k_open, rows, digest);
    } else if (l->format == LIST_NDJSON) {
        printf("{\"number\":%llu,\"at\":\"%s\",\"what\":\"%s\",\"window\":\"%s\",\"plan_version\":%u,"
               "\"policy_version\":%u,"
               "\"profile\":\"%s\",\"k_closed\":%u,\"k_open\":%u,\"rows\":%llu,\"digest\":\"%s\"}\n",
               number, at, what, e->window, e->plan_version, e->policy_version, e->profile, e->k_closed,
               e->k_open, rows, digest);
    } else {
        if (l->n == 0)
            printf("%6s  %-20s  %-12s  %-34s %7s  %s\n", "number", "at", "what", "window", "rows", "digest");
        printf("%6llu  %-20s  %-12s  %-34s %7llu  %.16s\n", number, at, what, e->window, rows, digest);
    }
    l->n++;
    return true;
}

static bool check_entry(void *ctx, const wn_ledger_entry *e) {
    return wn_ledger_check_entry(ctx, e);
}

static int verify(const wn_published *p, const char *head) {
    uint8_t quoted[32];
    wn_ledger_check check;
    size_t n = 0;
    char hex[65];
    if (head &&
        (strlen(head) != 64 || sodium_hex2bin(quoted, 32, head, 64, NULL, &n, NULL) != 0 || n != 32)) {
        return wn_cli_misused(
            &wn_cmd_ledger, "--head: a head is 64 hexadecimal digits, as `winnow ledger verify` printed it");
    }
    wn_ledger_check_begin(&check, head ? quoted : NULL);
    wn_err err = wn_published_ledger_each(p, check_entry, &check);
    if (err != WN_OK) return wn_cli_failed("the ledger cannot be read: %s", wn_err_text(err));
    wn_ledger_check_end(&check);
    if (!check.ok) {
        return wn_cli_failed("the ledger is not sound: entry %llu is %s",
                             (unsigned long long)check.bad_number, wn_ledger_fault_text(check.fault));
    }
    sodium_bin2hex(hex, sizeof hex, check.head, 32);
    printf("The ledger is sound: %llu entries, head %s%s\n", (unsigned long long)check.count, hex,
           head ? "; the head quoted is in it" : "");
    if (!head) puts("Write this head down elsewhere: only against it a cut-off end shows (--head).");
    return WN_EXIT_OK;
}

static int run(wn_cli *c, const wn_args *a) {
    wn_published *p = NULL;
    const char *format = wn_args_get(a, "format");
    bool list = strcmp(a->word[0], "list") == 0;
    listing l = {LIST_TABLE, 0};
    if (!list && strcmp(a->word[0], "verify") != 0) {
        return wn_cli_misused(&wn_cmd_ledger, "\"%.20s\": allowed are list and verify", a->word[0]);
    }
    if (format && strcmp(format, "csv") == 0) l.format = LIST_CSV;
    else if (format && strcmp(format, "ndjson") == 0) l.format = LIST_NDJSON;
    else if (format && strcmp(format, "table") != 0) {
        return wn_cli_misused(&wn_cmd_ledger, "--format \"%.20s\": allowed are table, csv and ndjson",
                              format);
    }
    if (!wn_cli_published(c, &p)) return WN_EXIT_FAILED;
    int code = WN_EXIT_OK;
    if (!list) code = verify(p, wn_args_get(a, "head"));
    else if (wn_published_ledger_each(p, print_entry, &l) != WN_OK)
        code = wn_cli_failed("the ledger cannot be read");
    wn_published_close(p);
    return code;
}

static const wn_flag flags[] = {
    {"format", "FORMAT", "list: table, csv or ndjson. Default: table."},
    {"head", "HEX", "verify: a head written down earlier; it must still be in the chain."},
};

const wn_command wn_cmd_ledger = {
    .name = "ledger",
    .usage = "list [--format FORMAT] | verify [--head HEX]",
    .doc = "Lists or verifies the hash-chained record of what was published and destroyed.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
