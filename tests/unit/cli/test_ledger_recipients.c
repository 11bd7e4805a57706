// SPDX-License-Identifier: Apache-2.0
// Who got what, from the ledger: never less than may have left, whatever was said of it afterwards.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_recipients.h"

static wn_recipients *r;
static void up(void) {
    r = wn_recipients_new();
}
static void down(void) {
    wn_recipients_free(r);
}
TestSuite(ledger_recipients, .init = up, .fini = down);

static void add(uint8_t what, const char *window, uint64_t rows, uint32_t notes) {
    wn_ledger_entry e = {.at_s = 1764288000,
                         .what = what,
                         .rows = rows,
                         .notes = notes,
                         .policy_version = 1,
                         .site = "shop",
                         .receiver = "partner",
                         .table = "pages"};
    strcpy(e.window, window);
    cr_assert(wn_recipients_add(r, &e));
}

static void printed(wn_list_format format, const char *want) {
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    wn_recipients_print(r, format, f);
    fclose(f);
    cr_assert(strstr(text, want), "%s is not in\n%s", want, text);
    free(text);
}

Test(ledger_recipients, what_was_announced_counts_before_anything_is_known_of_it) {
    add(WN_LEDGER_SENDING, "a", 9, 0);
    printed(WN_LIST_NDJSON, "\"transfers\":1,\"windows\":1,\"rows\":9,");
    printed(WN_LIST_NDJSON, "\"rows_taken\":0}");
}

Test(ledger_recipients, what_was_refused_of_it_counts_all_the_same_and_nothing_twice) {
    add(WN_LEDGER_SENDING, "a", 9, 0);
    add(WN_LEDGER_TRANSFER, "a", 7, WN_LEDGER_ANNOUNCED);
    add(WN_LEDGER_SENDING, "b", 5, 0);
    printed(WN_LIST_NDJSON, "\"transfers\":2,\"windows\":2,\"rows\":14,");
    printed(WN_LIST_CSV,
            "receiver,transfers,windows,rows,first,last,policy_versions,tables,sites,rows_taken\n"
            "partner,2,2,14,2025-11-28T00:00:00Z,2025-11-28T00:00:00Z,1,pages,shop,7\n");
    printed(WN_LIST_TABLE, "        14         7");
}

Test(ledger_recipients, what_was_never_announced_counts_as_it_was_taken) {
    add(WN_LEDGER_TRANSFER, "a", 7, 0); // of an older ledger
    add(WN_LEDGER_RELEASE, "b", 100, 0);
    printed(WN_LIST_NDJSON, "\"transfers\":1,\"windows\":1,\"rows\":7,");
    printed(WN_LIST_NDJSON, "\"rows_taken\":7}");
}
