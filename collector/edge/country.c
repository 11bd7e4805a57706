// SPDX-License-Identifier: Apache-2.0
// country.c: the one file that knows libmaxminddb.
#include "country.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

typedef struct remembered {
    uint32_t offset;
    char code[2]; // "": nothing yet
} remembered;

struct wn_country {
    MMDB_s db;
    remembered memo[1021]; // entry offset → code
};

void wn_country_place(const wn_options *o, char out[WN_COUNTRY_PATH_BYTES]) {
    char own[sizeof o->config_dir + sizeof "/country.mmdb"];
    snprintf(own, sizeof own, "%s/country.mmdb", o->config_dir);
    const char *const places[] = {
        o->config_dir[0] != '\0' ? own : "/etc/winnow/country.mmdb",
        "/usr/share/winnow/country.mmdb",
        "/var/lib/winnow/country.mmdb",
#ifdef WN_COUNTRY_DB_INSTALLED
        WN_COUNTRY_DB_INSTALLED,
#endif
#ifdef WN_COUNTRY_DB
        WN_COUNTRY_DB,
#endif
    };
    size_t at = 0;
    while (at < WN_COUNT(places) && access(places[at], F_OK) != 0) at++;
    const char *found = at < WN_COUNT(places) ? places[at] : places[0];
    snprintf(out, WN_COUNTRY_PATH_BYTES, "%s", o->country_db[0] != '\0' ? o->country_db : found);
}

wn_country *wn_country_open(const char *path) {
    if (access(path, F_OK) != 0) {
        wn_log(WN_MSG_GEO_MISSING, 0, 0, 0);
        return NULL;
    }
    wn_country *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    if (MMDB_open(path, MMDB_MODE_MMAP, &c->db) != MMDB_SUCCESS) {
        wn_log(WN_MSG_GEO_BAD, 0, 0, 0);
        free(c);
        return NULL;
    }
    return c;
}

void wn_country_close(wn_country *c) {
    if (c == NULL) return;
    MMDB_close(&c->db);
    free(c);
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool code_at(MMDB_entry_s *entry, const char *const *path, char out[2]) {
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data) return false;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2) return false;
    if (!is_upper(data.utf8_string[0]) || !is_upper(data.utf8_string[1])) return false;
    memcpy(out, data.utf8_string, 2);
    return true;
}

static MMDB_lookup_result_s look_up(const MMDB_s *db, const wn_address *a, int *out_error) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(a->b, mapped, sizeof mapped) == 0) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        memcpy(&v4.sin_addr, a->b + 12, 4);
        MMDB_lookup_result_s found = MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v4, out_error);
        wn_wipe(&v4, sizeof v4);
        return found;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v6.sin6_addr, a->b, 16);
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v6, out_error);
    wn_wipe(&v6, sizeof v6);
    return found;
}

size_t wn_country_region(wn_country *c, const wn_address *a, char out[WN_REGION_BYTES]) {
    static const char *const country[] = {"country", "iso_code", NULL};
    static const char *const region[] = {"subdivisions", "0", "iso_code", NULL};
    int error = MMDB_SUCCESS;
    char code[2];
    MMDB_entry_data_s data;
    MMDB_lookup_result_s found = look_up(&c->db, a, &error);
    if (error != MMDB_SUCCESS || !found.found_entry || !code_at(&found.entry, country, code)) return 0;
    if (MMDB_aget_value(&found.entry, &data, region) != MMDB_SUCCESS || !data.has_data) return 0;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING) return 0;
    if (!wn_region_listed(code, data.utf8_string, data.data_size)) return 0;
    memcpy(out, code, 2);
    out[2] = '-';
    memcpy(out + 3, data.utf8_string, data.data_size); // 3 at most: it was listed
    out[3 + data.data_size] = '\0';
    return 3 + data.data_size;
}

bool wn_country_of(wn_country *c, const wn_address *a, char out[2]) {
    static const char *const flat[] = {"country_code", NULL};
    static const char *const nested[] = {"country", "iso_code", NULL};
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found = look_up(&c->db, a, &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return false;
    // An entry's place in the file names its country.
    remembered *r = &c->memo[found.entry.offset % WN_COUNT(c->memo)];
    if (r->offset != found.entry.offset || !r->code[0]) {
        r->code[0] = '\0';
        if (!code_at(&found.entry, flat, r->code) && !code_at(&found.entry, nested, r->code)) return false;
        r->offset = found.entry.offset;
    }
    memcpy(out, r->code, 2);
    return true;
}
