// SPDX-License-Identifier: Apache-2.0
// explain_check.c: a second look at the filter's output, from outside.
#include "explain_check.h"

#include "identifiers.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void wn_check_output(wn_check *c, const void *p, size_t n) {
    if (n == 0) return;
    WN_ASSERT(c->outs < WN_COUNT(c->out));
    c->out[c->outs] = p;
    c->out_n[c->outs++] = n;
}

static bool same_run(const uint8_t *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (tolower(a[i]) != tolower((unsigned char)b[i])) return false;
    }
    return true;
}

bool wn_check_holds(const wn_check *c, const char *value, size_t n, size_t run) {
    for (size_t i = 0; i < c->outs; i++) {
        for (size_t at = 0; at + run <= n; at++) {
            for (size_t j = 0; j + run <= c->out_n[i]; j++) {
                if (same_run(c->out[i] + j, value + at, run)) return true;
            }
        }
    }
    return false;
}

// Everything of an address that is neither host nor path nor a kept utm value.
static bool check_url(const wn_check *c, const char *url, size_t n, bool path_too) {
    const char *end = url + n, *host = memmem(url, n, "://", 3);
    if (host) host += 3;
    else host = n >= 2 && memcmp(url, "//", 2) == 0 ? url + 2 : url;
    const char *rest = host;
    while (rest < end && !strchr("/?#", *rest)) rest++;
    const char *at = memchr(host, '@', (size_t)(rest - host));
    if (at && wn_check_holds(c, host, (size_t)(at - host), WN_CHECK_RUN_BYTES)) return true;
    const char *query = rest;
    while (query < end && *query != '?' && *query != '#') query++;
    if (path_too && wn_check_holds(c, rest, (size_t)(query - rest), WN_CHECK_RUN_BYTES)) return true;
    while (query < end) {
        const char *pair = query + 1, *stop = pair;
        while (stop < end && !strchr("&;#?", *stop)) stop++;
        static const char *const kept[] = {"utm_source=", "utm_medium=", "utm_campaign="};
        bool keep = false;
        for (size_t i = 0; i < WN_COUNT(kept); i++) {
            size_t k = strlen(kept[i]);
            keep = keep || ((size_t)(stop - pair) >= k && strncasecmp(pair, kept[i], k) == 0);
        }
        const char *value = memchr(pair, '=', (size_t)(stop - pair));
        value = value ? value + 1 : pair;
        if (!keep && wn_check_holds(c, value, (size_t)(stop - value), WN_CHECK_RUN_BYTES)) return true;
        query = stop;
    }
    return false;
}

// Fields whose value may in no case travel, not even in part.
static bool never_travels(const char *field) {
    static const struct {
        const char *field, *transform;
    } rows[] = {
#define FIELD(name, type, purpose, transform, max, from, doc) {#name, #transform},
#include "fields.def"
#undef FIELD
    };
    static const char *const never[] = {"PERSON_KEY",  "SIGNATURE",      "ORG_KEY",    "IP_TO_COUNTRY",
                                        "DEDUPLICATE", "ADVERTISING_ID", "IDENTIFIER", "CONSENT"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        if (strcmp(rows[i].field, field) != 0) continue;
        for (size_t k = 0; k < WN_COUNT(never); k++)
            if (strcmp(rows[i].transform, never[k]) == 0) return true;
    }
    return false;
}

bool wn_check_field(const wn_check *c, const char *field, const char *value, size_t n) {
    if (never_travels(field) || strcmp(field, "props") == 0)
        return wn_check_holds(c, value, n, WN_CHECK_RUN_BYTES);
    if (strcmp(field, "url") == 0) return check_url(c, value, n, false);
    if (strcmp(field, "referrer") == 0 || strcmp(field, "exit_link") == 0)
        return check_url(c, value, n, true);
    if (strcmp(field, "props, listed") == 0)
        return false; // the policy's own words; `policy check` tells of them
    if (strcmp(field, "user_agent") == 0) return wn_check_holds(c, value, n, WN_CHECK_AGENT_BYTES);
    // Any other value is coarsened and may stand there, but not one of an identifier's shape.
    return wn_identifier_in((wn_span){(const uint8_t *)value, n}, NULL) &&
           wn_check_holds(c, value, n, WN_CHECK_RUN_BYTES);
}
