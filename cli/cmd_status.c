// SPDX-License-Identifier: Apache-2.0
// cmd_status.c: `winnow status`: does it run, does anything arrive, what is refused.
#include <string.h>

#include "clock.h"
#include "open_windows.h"

#define STATUS_TIMEOUT_MS 3000

static void bytes_text(int64_t bytes, char out[24]) {
    if (bytes < 10240) snprintf(out, 24, "%lld B", (long long)bytes);
    else if (bytes < 10 << 20) snprintf(out, 24, "%lld KiB", (long long)(bytes >> 10));
    else snprintf(out, 24, "%lld MiB", (long long)(bytes >> 20));
}

static void ago(const char *label, const wn_reply *r, const char *key, const char *never) {
    int64_t at = 0;
    char text[24];
    if (!wn_reply_number(r, key, &at)) return;
    wn_open_window_span(wn_now_s() - at, text);
    if (at > 0) printf("  %-17s %s ago\n", label, text);
    else printf("  %-17s %s\n", label, never);
}

static void bytes(const char *label, const wn_reply *r, const char *key) {
    int64_t n = 0;
    char text[24];
    if (!wn_reply_number(r, key, &n)) return;
    bytes_text(n, text);
    printf("  %-17s %s\n", label, text);
}

static void windows(const wn_reply *r) {
    wn_open_windows all;
    wn_open_window w;
    if (!wn_open_windows_begin(r, &all)) return;
    if (all.left == 0) puts("  open windows      none: nothing arrived yet");
    for (bool first = true; wn_open_windows_next(&all, &w); first = false) {
        char when[48], size[24];
        wn_open_window_when(&w, wn_now_s(), when);
        bytes_text(w.file_bytes, size);
        printf("  %-17s %s, %s, %s\n", first ? "open windows" : "", w.name, size, when);
    }
}

// Says every number that no line above named, so that a newer daemon hides nothing.
static void others(const wn_reply *r, const char *const *said, size_t said_n) {
    wn_mp m;
    uint32_t pairs = 0;
    zmq_msg_t *msg = (zmq_msg_t *)(uintptr_t)&r->msg;
    wn_mp_init(&m, (wn_span){zmq_msg_data(msg), zmq_msg_size(msg)});
    if (!wn_mp_map(&m, 256, &pairs)) return;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key;
        int64_t value = 0;
        char name[64];
        if (!wn_mp_str(&m, sizeof name - 1, &key)) return;
        memcpy(name, key.p, key.n);
        name[key.n] = '\0';
        bool known = false;
        for (size_t j = 0; j < said_n; j++) known = known || strcmp(said[j], name) == 0;
        wn_mp_type type = wn_mp_peek(&m);
        if (known || (type != WN_MP_UINT && type != WN_MP_INT)) {
            if (!wn_mp_skip(&m, 8)) return;
            continue;
        }
        if (!wn_mp_int(&m, &value)) return;
        for (char *p = name; *p; p++) *p = *p == '_' ? ' ' : *p;
        printf("  %-17s %lld\n", name, (long long)value);
    }
}

// The reason that refused most, of a map {name: count}.
static void top_refusal(const wn_reply *r) {
    wn_mp m;
    uint32_t n = 0;
    char top[64] = "";
    uint64_t most = 0;
    if (!wn_reply_find(r, "refused", &m) || wn_mp_peek(&m) != WN_MP_MAP || !wn_mp_map(&m, 64, &n)) return;
    for (uint32_t i = 0; i < n; i++) {
        wn_span name;
        uint64_t count = 0;
        if (!wn_mp_str(&m, sizeof top - 1, &name) || !wn_mp_uint(&m, UINT64_MAX, &count)) return;
        if (count <= most) continue;
        most = count;
        memcpy(top, name.p, name.n);
        top[name.n] = '\0';
    }
    if (most) printf("  %-17s mostly `%s`, %llu times\n", "refused", top, (unsigned long long)most);
    else printf("  %-17s nothing\n", "refused");
}

// What decided about consent, of a map {signal: count}, each at least so often.
static void consent(const wn_reply *r) {
    wn_mp m;
    uint32_t n = 0;
    if (!wn_reply_find(r, "consent", &m) || wn_mp_peek(&m) != WN_MP_MAP || !wn_mp_map(&m, 64, &n)) return;
    printf("  %-17s", "consent by");
    for (uint32_t i = 0; i < n; i++) {
        wn_span name;
        uint64_t count = 0;
        if (!wn_mp_str(&m, 63, &name) || !wn_mp_uint(&m, UINT64_MAX, &count)) break;
        printf("%s %.*s %llu", i == 0 ? "" : ",", (int)name.n, (const char *)name.p,
               (unsigned long long)count);
    }
    puts(n == 0 ? " too few to say" : "");
}

static void head(const char *name, const wn_reply *r) {
    int64_t started = 0;
    char version[32] = "?", since[24];
    (void)wn_reply_text(r, "version", version, sizeof version);
    if (wn_reply_number(r, "started_at_s", &started)) {
        wn_open_window_span(wn_now_s() - started, since);
        printf("%s %s runs for %s\n", name, version, since);
    } else {
        printf("%s %s runs\n", name, version);
    }
}

// "version 3 of 2026-11-20, 0123456789abcdef".
static void policy(const wn_reply *r) {
    int64_t version = 0;
    char date[16] = "?", digest[24] = "?";
    if (!wn_reply_number(r, "policy_version", &version)) return;
    (void)wn_reply_text(r, "policy_date", date, sizeof date);
    (void)wn_reply_text(r, "policy_digest", digest, sizeof digest);
    printf("  %-17s version %lld of %s, digest %s\n", "policy", (long long)version, date, digest);
}

static void purges(const wn_reply *r) {
    int64_t since = 0;
    char span[24];
    if (!wn_reply_number(r, "purge_open_since_s", &since) || since == 0) return;
    wn_open_window_span(wn_now_s() - since, span);
    bool late = wn_now_s() - since >= WN_PURGE_WARN_S;
    printf("  %-17s %s since %s; see `winnow purge --status`\n", "purges", late ? "LATE: open" : "open",
           span);
}

static void say_collector(const wn_reply *r) {
    static const char *const said[] = {
        "policy_version", "started_at_s", "uptime_s", "last_batch_at_s",   "last_event_at_s",   "spool_bytes",
        "memory_bytes",   "refused",      "consent",  "uplink_acked_at_s", "purge_open_since_s"};
    wn_mp m;
    head("collector", r);
    if (wn_reply_find(r, "accepting", &m))
        printf("  %-17s %s\n", "accepting", wn_reply_flag(r, "accepting") ? "yes" : "no: answers 503");
    ago("last event", r, "last_event_at_s", "none since the start");
    top_refusal(r);
    consent(r);
    policy(r);
    purges(r);
    bytes("spool", r, "spool_bytes");
    bytes("memory", r, "memory_bytes");
    if (wn_reply_find(r, "uplink_up", &m))
        printf("  %-17s %s\n", "aggregator",
               wn_reply_flag(r, "uplink_up") ? "reached" : "not reached: spooling");
    if (wn_reply_find(r, "has_geo", &m) && !wn_reply_flag(r, "has_geo")) {
        printf("  %-17s no database: all unknown\n", "countries");
    }
    if (wn_reply_find(r, "kept", &m) && !wn_reply_flag(r, "kept")) {
        printf("  %-17s no: a kill of the collector begins a new epoch\n", "keeper");
    }
    others(r, said, WN_COUNT(said));
}

static void say_aggregator(const wn_reply *r) {
    static const char *const said[] = {"policy_version",   "started_at_s",      "last_batch_at_s",
                                       "fold_bytes",       "memory_max_mib",    "next_tick_at_s",
                                       "next_expiry_at_s", "purge_open_since_s"};
    int64_t tick = 0;
    char text[24];
    head("aggregator", r);
    ago("last batch", r, "last_batch_at_s", "none since the start");
    policy(r);
    purges(r);
    bytes("memory", r, "fold_bytes");
    if (wn_reply_number(r, "next_tick_at_s", &tick)) {
        wn_open_window_span(tick - wn_now_s(), text);
        printf("  %-17s in %s\n", "next rows", text);
    }
    if (wn_reply_number(r, "next_expiry_at_s", &tick)) {
        wn_open_window_span(tick - wn_now_s(), text);
        printf("  %-17s looked for in %s\n", "expired rows", text);
    }
    windows(r);
    others(r, said, WN_COUNT(said));
}

static int one(wn_cli *c, const char *name, const char *dir, void (*say)(const wn_reply *r)) {
    wn_question q;
    wn_reply r;
    if (wn_ask_pid(dir) == 0) {
        printf("%s does not run\n", name);
        return WN_EXIT_FAILED;
    }
    wn_question_init(&q, "status", 0);
    bool well = wn_cli_ask_ok(c, dir, &q, STATUS_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (!well) return WN_EXIT_FAILED;
    say(&r);
    wn_reply_fini(&r);
    return WN_EXIT_OK;
}

static int run(wn_cli *c, const wn_args *a) {
    (void)a;
    if (wn_ask_pid(c->collector_dir) == 0 && wn_ask_pid(c->aggregator_dir) == 0) {
        printf("Winnow does not run (%s).\nStart it: winnow up%s\n", c->o.state_dir, c->again);
        return WN_EXIT_FAILED;
    }
    int code = one(c, "collector", c->collector_dir, say_collector);
    int second = one(c, "aggregator", c->aggregator_dir, say_aggregator);
    puts("\nRows appear at 20 visitors (10 where the values are a closed list); see `winnow report`.");
    return code != WN_EXIT_OK ? code : second;
}

const wn_command wn_cmd_status = {
    .name = "status",
    .usage = "",
    .doc = "Says whether Winnow runs, when something last arrived, what is refused and when windows seal.",
    .run = run,
};
