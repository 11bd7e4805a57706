// SPDX-License-Identifier: Apache-2.0
// fuzz_filter.c: any event through the whole filter. The first byte is the
// sender, then records: field, length, bytes. Checks that what comes out is
// listed or plain, and that warm caches say the same as cold ones.
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { START_S = 1700006400 };
enum { GPC = 1, SERVER = 2, BOUND = 4, ADDRESS = 8, PAGE = 16, SIGNING = 32, SHUT = 64, TRACE = 128 };

static wn_site site = {.name = "a", .tag = 77, .zone = "Etc/UTC", .hosts = {"a.com"}, .hosts_n = 1};
static wn_edge_window window = {.window = {.start_s = START_S, .end_s = START_S + 86400}};

static const wn_site *find_site(void *ctx, const char *name, size_t n) {
    (void)ctx;
    return n == 1 && name[0] == 'a' ? &site : NULL;
}

static const wn_edge_window *find_window(void *ctx, const wn_site *s, int64_t t_s) {
    (void)ctx;
    WN_ASSERT(s == &site);
    return t_s >= START_S - 3600 && t_s < START_S + 90000 ? &window
                                                          : NULL; // wider than the window on purpose
}

static bool find_country(void *ctx, const wn_address *a, char out[2]) {
    (void)ctx;
    memcpy(out, a->b + 14, 2);
    return true;
}

static void fill(wn_event *e, const uint8_t *p, const uint8_t *end) {
    while (end - p >= 2) {
        uint8_t what = p[0];
        size_t n = p[1];
        p += 2;
        if (n > (size_t)(end - p)) n = (size_t)(end - p);
        if (what == 0xff) wn_event_doubt_consent(e);
        else if (what < WN_FIELD_N) (void)wn_event_set(e, (wn_field)what, p, n);
        p += n;
    }
}

static void check_value(const wn_value *v, uint64_t id) {
    char text[WN_OPEN_TEXT_MAX + 1];
    size_t n = 0;
    WN_ASSERT(v != NULL && id == wn_value_id(v));
    WN_ASSERT(wn_value_open(window.key_text, v, text, &n) == WN_OK && n > 0);
    for (size_t i = 0; i < n; i++) WN_ASSERT(text[i] >= 0x20 && text[i] < 0x7f && text[i] != '@');
}

static void check(wn_verdict verdict, const wn_filtered *out) {
    static const wn_observation nothing;
    if (verdict != WN_KEEP) {
        WN_ASSERT(memcmp(&out->obs, &nothing, sizeof nothing) == 0 && !out->has_batch_id);
        return;
    }
    WN_ASSERT(out->window == &window && out->site == &site && out->at_s >= START_S &&
              out->at_s < START_S + 86400);
    for (unsigned d = 0; d < WN_CLOSED_N; d++) WN_ASSERT(wn_closed_valid(d, out->obs.closed[d]));
    for (unsigned d = 0; d < WN_OPEN_N; d++)
        if (out->obs.open[d] != 0) check_value(out->values[d], out->obs.open[d]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static wn_event *e;
    static wn_scratch *s;
    static wn_trace trace;
    static const uint8_t key[32] = {1};
    static const char page[] = "https://a.com/page?utm_source=x",
                      agent[] = "Mozilla/5.0 (X11; Linux) Gecko Firefox/1";
    if (n == 0) return 0;
    if (e == NULL) {
        WN_ASSERT(wn_crypt_init() == WN_OK);
        e = malloc(wn_event_bytes());
        s = malloc(wn_scratch_bytes());
        WN_ASSERT(e != NULL && s != NULL);
        wn_event_init(e);
        wn_scratch_init(s, key);
    }
    wn_address address = {{0}};
    if (n > 16) memcpy(address.b, data + n - 16, 16);
    uint8_t mode = data[0];
    site.has_sign_key = (mode & SIGNING) != 0;
    window.open = (mode & SHUT) == 0;
    wn_sender sender = {
        .address = mode & ADDRESS ? &address : NULL,
        .user_agent = {(const uint8_t *)agent, sizeof agent - 1},
        .gpc = (mode & GPC) != 0,
        .server_key = (mode & SERVER) != 0,
        .site = mode & BOUND ? &site : NULL,
        .now_s = START_S + 7200,
    };
    if (mode & PAGE) sender.page = (wn_span){(const uint8_t *)page, sizeof page - 1};
    wn_lookups look = {.country = find_country, .window = find_window, .site = find_site};
    wn_filtered first, second;
    fill(e, data + 1, data + n);
    wn_verdict verdict = wn_filter(e, &sender, &look, key, s, mode & TRACE ? &trace : NULL, &first);
    check(verdict, &first);
    wn_observation obs = first.obs;
    WN_ASSERT(wn_filter(e, &sender, &look, key, s, NULL, &second) == verdict);
    WN_ASSERT(memcmp(&obs, &second.obs, sizeof obs) == 0);
    wn_event_wipe(e);
    return 0;
}
