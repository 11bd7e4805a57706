// SPDX-License-Identifier: Apache-2.0
// ledger_recipients.c: one line a receiver: tables, sites, windows, rows, times, policies.
#include "ledger_recipients.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct words { // each once, in order of coming
    char **at;
    size_t n, cap;
} words;

typedef struct recipient {
    char name[WN_LEDGER_RECEIVER_BYTES];
    words tables, sites, windows, policies;
    uint64_t transfers, rows, rows_taken;
    int64_t first_s, last_s;
} recipient;

struct wn_recipients {
    recipient *at;
    size_t n, cap;
};

static bool words_add(words *w, const char *text) {
    if (text[0] == '\0') return true;
    for (size_t i = w->n; i > 0; i--) // the same comes in a row
        if (strcmp(w->at[i - 1], text) == 0) return true;
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 8;
        char **more = realloc(w->at, cap * sizeof *more);
        if (!more) return false;
        w->at = more;
        w->cap = cap;
    }
    char *copy = strdup(text);
    if (copy) w->at[w->n++] = copy;
    return copy != NULL;
}

static void words_fini(words *w) {
    for (size_t i = 0; i < w->n; i++) free(w->at[i]);
    free(w->at);
}

wn_recipients *wn_recipients_new(void) {
    return calloc(1, sizeof(wn_recipients));
}

void wn_recipients_free(wn_recipients *r) {
    if (!r) return;
    for (size_t i = 0; i < r->n; i++) {
        words_fini(&r->at[i].tables);
        words_fini(&r->at[i].sites);
        words_fini(&r->at[i].windows);
        words_fini(&r->at[i].policies);
    }
    free(r->at);
    free(r);
}

static recipient *find_or_add(wn_recipients *r, const wn_ledger_entry *e) {
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->at[i].name, e->receiver) == 0) return &r->at[i];
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        recipient *more = realloc(r->at, cap * sizeof *more);
        if (!more) return NULL;
        r->at = more;
        r->cap = cap;
    }
    recipient *one = &r->at[r->n++];
    *one = (recipient){.first_s = e->at_s};
    memcpy(one->name, e->receiver, sizeof one->name);
    return one;
}

bool wn_recipients_add(wn_recipients *r, const wn_ledger_entry *e) {
    char policy[16];
    bool sending = e->what == WN_LEDGER_SENDING;
    bool taken = e->what == WN_LEDGER_TRANSFER || e->what == WN_LEDGER_BACKUP;
    if ((!sending && !taken) || e->receiver[0] == '\0') return true;
    recipient *one = find_or_add(r, e);
    if (!one) return false;
    snprintf(policy, sizeof policy, "%u", e->policy_version);
    // What was announced may all have left; what was not, before there was such an entry, is counted here.
    bool counts = sending || (e->notes & WN_LEDGER_ANNOUNCED) == 0;
    if (counts) one->transfers++, one->rows += e->rows;
    if (taken) one->rows_taken += e->rows;
    one->last_s = e->at_s;
    return words_add(&one->tables, e->table) && words_add(&one->sites, e->site) &&
           words_add(&one->windows, e->window) &&
           (e->policy_version == 0 || words_add(&one->policies, policy));
}

void wn_ledger_time_text(int64_t at_s, char out[32]) {
    time_t t = (time_t)at_s;
    struct tm tm;
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
}

// A backup has every table and site.
static void print_words(FILE *out, const words *w, bool json) {
    if (json) fputc('[', out);
    for (size_t i = 0; i < w->n; i++)
        fprintf(out, json ? "%s\"%s\"" : "%s%s", i == 0 ? "" : json ? "," : " ", w->at[i]);
    if (json) fputc(']', out);
    else if (w->n == 0) fputs("all", out);
}

static void print_one(const recipient *r, wn_list_format format, FILE *out) {
    char first[32], last[32];
    unsigned long long rows = r->rows, transfers = r->transfers, taken = r->rows_taken;
    bool json = format == WN_LIST_NDJSON;
    wn_ledger_time_text(r->first_s, first);
    wn_ledger_time_text(r->last_s, last);
    if (format == WN_LIST_TABLE) {
        fprintf(out, "%-20s %9llu %9zu %9llu %9llu  %s  %s  policy ", r->name, transfers, r->windows.n, rows,
                taken, first, last);
        print_words(out, &r->policies, false);
        fputs("\n  tables: ", out);
        print_words(out, &r->tables, false);
        fputs("\n  sites:  ", out);
        print_words(out, &r->sites, false);
        fputc('\n', out);
        return;
    }
    fprintf(out,
            json ? "{\"receiver\":\"%s\",\"transfers\":%llu,\"windows\":%zu,\"rows\":%llu,\"first\":\"%s\","
                   "\"last\":\"%s\",\"policy_versions\":"
                 : "%s,%llu,%zu,%llu,%s,%s,",
            r->name, transfers, r->windows.n, rows, first, last);
    print_words(out, &r->policies, json);
    fputs(json ? ",\"tables\":" : ",", out);
    print_words(out, &r->tables, json);
    fputs(json ? ",\"sites\":" : ",", out);
    print_words(out, &r->sites, json);
    fprintf(out, json ? ",\"rows_taken\":%llu}\n" : ",%llu\n", taken);
}

void wn_recipients_print(const wn_recipients *r, wn_list_format format, FILE *out) {
    if (format == WN_LIST_CSV)
        fputs("receiver,transfers,windows,rows,first,last,policy_versions,tables,sites,rows_taken\n", out);
    else if (format == WN_LIST_TABLE && r->n == 0) fputs("Nobody received anything yet.\n", out);
    else if (format == WN_LIST_TABLE)
        fprintf(out, "%-20s %9s %9s %9s %9s  %-20s  %s\n", "receiver", "transfers", "windows", "rows",
                "taken", "first", "last");
    for (size_t i = 0; i < r->n; i++) print_one(&r->at[i], format, out);
}

size_t wn_recipients_print_site(const wn_recipients *r, const char *site, FILE *out) {
    size_t found = 0;
    for (size_t i = 0; i < r->n; i++) {
        const recipient *one = &r->at[i];
        bool named = false;
        for (size_t s = 0; s < one->sites.n && !named; s++) named = strcmp(one->sites.at[s], site) == 0;
        if (!named) continue;
        found++;
        fprintf(out, "  %s  (tables: ", one->name);
        print_words(out, &one->tables, false);
        fputs(")\n", out);
    }
    return found;
}
