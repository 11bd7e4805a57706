// SPDX-License-Identifier: Apache-2.0
// Why this file: a page view uses a quarter of the catalogue; the filter's
// figure must also hold for events that use the rest.
#include "bench_full.h"

#include <string.h>

const char wn_bench_full_policy[] =
    "version: 2\n"
    "date: 2026-11-21\n"
    "defaults:\n"
    "  sensitive: [/health/**, /jobs/*/apply]\n"
    "  props:\n"
    "    - {name: plan, values: [free, pro, team]}\n"
    "    - {name: theme, values: [light, dark]}\n"
    "    - {name: trial, values: ['true', 'false']}\n"
    "    - {name: list, purpose: measure}\n"
    "  surveys:\n"
    "    - {name: nps, values: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']}\n";

// All ten purposes and the first special feature agreed to, 300 vendors, half of them with consent.
#define TCF_AT_CREATED 1
#define TCF_AT_UPDATED 7
#define TCF_TIME_CHARS 6 // of six bits: tenths of seconds
static const char tcf[] =
    "CAAAAAAAAAAAAEsABBENB4FoAP_gAAAAAAYgCWDM4hfov6pmpxyDne32n4-viqaWFr_ozkEkloE1sBNfsR1-KnVJQAAAAA"
    ".ICWDM4hfov6pmpxyDne32n4-viqaWFr_ozkEkloE1sBNfsR1-KnVJQ";
_Static_assert(sizeof tcf <= WN_BENCH_TCF_BYTES, "the string fits");

// The section usnat, nothing opted out of.
static const char gpp[] = "DBABLA~BVQqAAAAAgA.QA";

static void put_time(char *to, uint64_t tenths) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned i = TCF_TIME_CHARS; i-- > 0; tenths >>= 6) to[i] = alphabet[tenths & 63];
}

void wn_bench_full_init(int64_t day_s, wn_bench_full *out) {
    memcpy(out->tcf, tcf, sizeof tcf);
    out->tcf_n = sizeof tcf - 1;
    put_time(out->tcf + TCF_AT_CREATED, (uint64_t)day_s * 10);
    put_time(out->tcf + TCF_AT_UPDATED, (uint64_t)day_s * 10);
}

static void set(wn_event *e, wn_field f, const char *text) {
    (void)wn_event_set(e, f, text, strlen(text));
}

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, strlen(text)};
}

// Appends; by hand, because the time this takes is measured with the filter's.
static char *put(char *to, const char *text) {
    size_t n = strlen(text);
    memcpy(to, text, n + 1);
    return to + n;
}

// A word of letters only; the same number, the same word.
static char *put_word(char *to, uint32_t n) {
    do {
        *to++ = (char)('a' + n % 26);
        n /= 26;
    } while (n > 0);
    *to = '\0';
    return to;
}

static void set_device(uint32_t serial, bool unique, wn_event *e) {
    static const char *const makers[] = {"Samsung", "Apple", "Xiaomi", "Google", "OnePlus"};
    static const char *const versions[] = {"14", "17.4.1", "15", "18.1", "13"};
    static const char *const connections[] = {"wifi", "cellular", "4g", "ethernet"};
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo"};
    char text[48], version[] = {(char)('2' + serial % 3), '.', (char)('0' + serial % 7), '.', '1', '\0'};
    set(e, WN_FIELD_os, serial % 2 ? "iOS" : "Android");
    set(e, WN_FIELD_os_version, versions[serial % 5]);
    set(e, WN_FIELD_app_version, version);
    set(e, WN_FIELD_maker, makers[serial % 5]);
    (void)put_word(put(text, "SM-"), unique ? serial + 20000 : serial % 60 * 17 + 700);
    set(e, WN_FIELD_model, text);
    set(e, WN_FIELD_connection, connections[serial % 4]);
    set(e, WN_FIELD_time_zone, zones[serial % 3]);
}

static void set_deeds(uint32_t serial, bool unique, wn_event *e) {
    static const char *const plans[] = {"free", "pro", "team"};
    static const char *const answers[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
    char text[64], list[16];
    char *end = put_word(text, unique ? serial * 7 + 20000 : serial % 300 * 31 + 700);
    (void)put_word(put(end, " "), serial % 20 * 53 + 700);
    set(e, WN_FIELD_search_term, text);
    (void)put_word(put(text, "Open "), serial % 20 * 29 + 700);
    set(e, WN_FIELD_feature, text);
    (void)put_word(list, serial % 40 + 700);
    (void)wn_event_set(e, WN_FIELD_props, NULL, 0);
    (void)wn_event_pair(e, WN_FIELD_props, span("plan"), WN_PAIR_TEXT, span(plans[serial % 3]));
    (void)wn_event_pair(e, WN_FIELD_props, span("theme"), WN_PAIR_TEXT, span(serial % 4 ? "dark" : "light"));
    (void)wn_event_pair(e, WN_FIELD_props, span("trial"), serial % 5 ? WN_PAIR_FALSE : WN_PAIR_TRUE,
                        (wn_span){NULL, 0});
    (void)wn_event_pair(e, WN_FIELD_props, span("list"), WN_PAIR_TEXT, span(list));
    (void)wn_event_pair(e, WN_FIELD_props, span("undeclared"), WN_PAIR_NUMBER, span("42"));
    set(e, WN_FIELD_survey, "nps");
    set(e, WN_FIELD_answer, answers[serial % WN_COUNT(answers)]);
}

void wn_bench_full_set(const wn_bench_full *f, uint32_t serial, bool unique, wn_event *e) {
    static const char *const purposes[] = {"basic", "measure", "locate", "profile"};
    for (size_t i = 0; i < WN_COUNT(purposes); i++) set(e, WN_FIELD_purposes, purposes[i]);
    (void)wn_event_set(e, WN_FIELD_tcf, f->tcf, f->tcf_n);
    set(e, WN_FIELD_gpp, gpp);
    set(e, WN_FIELD_gpp_sid, "7");
    set_device(serial, unique, e);
    set_deeds(serial, unique, e);
}
