// SPDX-License-Identifier: Apache-2.0
// country: reads addresses, one a line, prints each one's country code (or an
// empty line) by libmaxminddb alone, for the independent recount. Tests only.
#include <maxminddb.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    MMDB_s db;
    char line[128];
    if (argc != 2 || MMDB_open(argv[1], MMDB_MODE_MMAP, &db) != MMDB_SUCCESS) return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        int gai = 0, err = 0;
        line[strcspn(line, "\n")] = '\0';
        MMDB_lookup_result_s r = MMDB_lookup_string(&db, line, &gai, &err);
        MMDB_entry_data_s d = {.has_data = false};
        if (gai == 0 && err == MMDB_SUCCESS && r.found_entry) {
            MMDB_get_value(&r.entry, &d, "country_code", NULL);
            if (!d.has_data) MMDB_get_value(&r.entry, &d, "country", "iso_code", NULL);
        }
        printf("%.*s\n", d.has_data ? (int)d.data_size : 0, d.has_data ? d.utf8_string : "");
    }
    MMDB_close(&db);
    return 0;
}
