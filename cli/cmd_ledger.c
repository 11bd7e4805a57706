// SPDX-License-Identifier: Apache-2.0
// cmd_ledger.c: lists and verifies the record of what was published and destroyed.
#include <sodium.h>
#include <string.h>

#include "cli_published.h"
#include "head_file.h"
#include "ledger_recipients.h"

typedef struct listing {
    wn_list_format format;
    uint64_t n;
} listing;

static void print_csv(const wn_ledger_entry *e, const char *at, const char *notes, const char *content,
                      const char *digest) {
    printf("%llu,%s,%s,%s,%s,%s,%s,%u,%u,%s,%u,%u,%u,%u,%llu,%s,%s,%s\n", (unsigned long long)e->number, at,
           wn_ledger_what_text(e->what), e->window, e->site, e->receiver, e->table, e->plan_version,
           e->policy_version, e->profile, e->k_closed, e->k_open, e->rho_micro, e->delta_nano,
           (unsigned long long)e->rows, notes, content, digest);
}

static void print_ndjson(const wn_ledger_entry *e, const char *at, const char *notes, const char *content,
                         const char *digest) {
    printf(
        "{\"number\":%llu,\"at\":\"%s\",\"what\":\"%s\",\"window\":\"%s\",\"site\":\"%s\",\"receiver\":\"%"
        "s\","
        "\"table\":\"%s\",\"plan_version\":%u,\"policy_version\":%u,\"profile\":\"%s\",\"k_closed\":%u,"
        "\"k_open\":%u,\"rho_micro\":%u,\"delta_nano\":%u,\"rows\":%llu,\"notes\":\"%s\",\"content\":\"%s\","
        "\"digest\":\"%s\"}\n",
        (unsigned long long)e->number, at, wn_ledger_what_text(e->what), e->window, e->site, e->receiver,
        e->table, e->plan_version, e->policy_version, e->profile, e->k_closed, e->k_open, e->rho_micro,
        e->delta_nano, (unsigned long long)e->rows, notes, content, digest);
}

// What concerns this entry, one after the other: "shop → partner (pages)".
static void print_row(const wn_ledger_entry *e, const char *at, const char *notes, const char *digest) {
    printf("%6llu  %-20s  %-12s  %-34s %7llu  %.16s", (unsigned long long)e->number, at,
           wn_ledger_what_text(e->what), e->window, (unsigned long long)e->rows, digest);
    if (e->plan_version) printf("  plan %u", e->plan_version);
    if (e->policy_version) printf("  policy %u", e->policy_version);
    if (e->profile[0]) printf("  %s", e->profile);
    if (e->k_closed) printf(" k %u/%u", e->k_closed, e->k_open);
    if (e->rho_micro)
        printf(" rho %u.%06u delta %ue-9", e->rho_micro / 1000000, e->rho_micro % 1000000, e->delta_nano);
    if (e->site[0]) printf("  site %s", e->site);
    if (e->table[0]) printf("  table %s", e->table);
    if (e->receiver[0]) printf("  to %s", e->receiver);
    if (notes[0]) printf("  (%s)", notes);
    putchar('\n');
}

static bool print_entry(void *ctx, const wn_ledger_entry *e) {
    listing *l = ctx;
    char at[32], digest[65], content[65], notes[WN_LEDGER_NOTES_TEXT];
    wn_ledger_time_text(e->at_s, at);
    wn_ledger_notes_text(e->notes, notes);
    sodium_bin2hex(digest, sizeof digest, e->digest, sizeof e->digest);
    sodium_bin2hex(content, sizeof content, e->content, sizeof e->content);
    if (l->format == WN_LIST_CSV) {
        if (l->n == 0)
            puts("number,at,what,window,site,receiver,table,plan_version,policy_version,profile,k_closed,k_"
                 "open,"
                 "rho_micro,delta_nano,rows,notes,content,digest");
        print_csv(e, at, notes, content, digest);
    } else if (l->format == WN_LIST_NDJSON) {
        print_ndjson(e, at, notes, content, digest);
    } else {
        if (l->n == 0)
            printf("%6s  %-20s  %-12s  %-34s %7s  %s\n", "number", "at", "what", "window", "rows", "digest");
        print_row(e, at, notes, digest);
    }
    l->n++;
    return true;
}

static void head_path(const wn_cli *c, char out[WN_HEAD_PATH_BYTES]) {
    snprintf(out, WN_HEAD_PATH_BYTES, "%s/keys/head", c->aggregator_dir);
}

// Against the head that was quoted, else against the one the aggregator keeps outside the store.
static int verify(const wn_cli *c, const char *head) {
    uint8_t quoted[32];
    wn_ledger_check check;
    wn_published *p = NULL;
    size_t n = 0;
    uint64_t number;
    char hex[65], path[WN_HEAD_PATH_BYTES];
    if (head &&
        (strlen(head) != 64 || sodium_hex2bin(quoted, 32, head, 64, NULL, &n, NULL) != 0 || n != 32)) {
        return wn_cli_misused(
            &wn_cmd_ledger, "--head: a head is 64 hexadecimal digits, as `winnow ledger verify` printed it");
    }
    head_path(c, path);
    wn_err kept = head ? WN_OK : wn_head_read(path, &number, quoted); // before the store, which moves on
    if (!wn_cli_published(c, &p)) return WN_EXIT_FAILED;
    wn_err err = wn_published_ledger_verify(p, kept == WN_OK ? quoted : NULL, &check);
    wn_published_close(p);
    if (err != WN_OK) return wn_cli_failed("the ledger cannot be read: %s", wn_err_text(err));
    if (!check.ok) {
        return wn_cli_failed("the ledger is not sound: entry %llu is %s",
                             (unsigned long long)check.bad_number, wn_ledger_fault_text(check.fault));
    }
    sodium_bin2hex(hex, sizeof hex, check.head, 32);
    printf("The ledger is sound: %llu entries, head %s%s\n", (unsigned long long)check.count, hex,
           head            ? "; the head quoted is in it"
           : kept == WN_OK ? "; the head kept in keys/ is in it"
                           : "");
    if (!head)
        puts("Write this head down elsewhere: a head kept on this machine can be swapped with it (--head).");
    if (kept == WN_OK) return WN_EXIT_OK;
    return wn_cli_failed("%s is %s: whether the end was cut off shows only against a head you wrote down",
                         path, kept == WN_ERR_NOTFOUND ? "missing" : "damaged");
}

// The operator's word that the ledger is taken as it stands.
static int accept_head(wn_cli *c) {
    char path[WN_HEAD_PATH_BYTES];
    wn_store_owned own;
    wn_ledger_check check;
    if (!wn_cli_own_store(c, &own)) return WN_EXIT_FAILED;
    head_path(c, path);
    wn_err err = wn_published_ledger_verify(own.published, NULL, &check);
    bool sound = err == WN_OK && check.ok;
    if (sound) err = wn_published_accept_head(own.published, path);
    wn_cli_disown_store(&own);
    if (err != WN_OK) return wn_cli_failed("%s: %s", path, wn_err_text(err));
    if (!sound) {
        return wn_cli_failed(
            "entry %llu of the ledger is %s: that cannot be accepted; bring a backup back with "
            "`winnow restore`",
            (unsigned long long)check.bad_number, wn_ledger_fault_text(check.fault));
    }
    printf("The ledger of %llu entries is taken as it stands.\n", (unsigned long long)check.count);
    return WN_EXIT_OK;
}

static bool gather(void *ctx, const wn_ledger_entry *e) {
    return wn_recipients_add(ctx, e);
}

static int recipients(const wn_published *p, wn_list_format format) {
    wn_recipients *r = wn_recipients_new();
    if (!r) return wn_cli_failed("%s", wn_err_text(WN_ERR_NOMEM));
    wn_err err = wn_published_ledger_each(p, gather, r);
    if (err == WN_OK) wn_recipients_print(r, format, stdout);
    wn_recipients_free(r);
    return err == WN_OK ? WN_EXIT_OK : wn_cli_failed("the ledger cannot be read: %s", wn_err_text(err));
}

static int run(wn_cli *c, const wn_args *a) {
    wn_published *p = NULL;
    const char *format = wn_args_get(a, "format"), *word = a->word[0];
    bool list = strcmp(word, "list") == 0;
    listing l = {WN_LIST_TABLE, 0};
    if (strcmp(word, "verify") == 0) return verify(c, wn_args_get(a, "head"));
    if (strcmp(word, "accept") == 0) return accept_head(c);
    if (!list && strcmp(word, "recipients") != 0) {
        return wn_cli_misused(&wn_cmd_ledger, "\"%.20s\": allowed are list, recipients, verify and accept",
                              word);
    }
    if (format && strcmp(format, "csv") == 0) l.format = WN_LIST_CSV;
    else if (format && strcmp(format, "ndjson") == 0) l.format = WN_LIST_NDJSON;
    else if (format && strcmp(format, "table") != 0) {
        return wn_cli_misused(&wn_cmd_ledger, "--format \"%.20s\": allowed are table, csv and ndjson",
                              format);
    }
    if (!wn_cli_published(c, &p)) return WN_EXIT_FAILED;
    int code = WN_EXIT_OK;
    if (!list) code = recipients(p, l.format);
    else if (wn_published_ledger_each(p, print_entry, &l) != WN_OK)
        code = wn_cli_failed("the ledger cannot be read");
    wn_published_close(p);
    return code;
}

static const wn_flag flags[] = {
    {"format", "FORMAT", "list, recipients: table, csv or ndjson. Default: table."},
    {"head", "HEX", "verify: a head written down earlier; it must still be in the chain."},
};

const wn_command wn_cmd_ledger = {
    .name = "ledger",
    .usage = "list | recipients [--format FORMAT] | verify [--head HEX] | accept",
    .doc =
        "Lists or verifies the hash-chained record of what was published and destroyed, and of who got it.",
    .more =
        "recipients: for each receiver, backups among them, the tables, sites and windows it got, the rows "
        "that were sent or may have been and those it said it took, first and last, and the policies they "
        "were collected under. A release names no receiver: the plan says who may be sent what.\n"
        "verify: finds an entry that was changed, left out or moved, and a cut end against the head that the "
        "aggregator keeps in aggregator/keys/head, or against one you wrote down.\n"
        "accept: takes the ledger as it stands when the aggregator refuses to start because it is not the "
        "one "
        "its head was kept of; ask yourself first who changed it.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
