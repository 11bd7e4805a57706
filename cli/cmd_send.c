// SPDX-License-Identifier: Apache-2.0
// cmd_send.c: `winnow send`: ndjson events to a collector over ZeroMQ, as an SDK would.
//
// A batch keeps its bytes until its answer says that it is durable, and is sent
// again after silence; its batch_id lets the collector count it once.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_site.h"
#include "crypt.h"
#include "json_pack.h"
#include "zdoor.h"

#define EVENTS_MAX 500
#define BYTES_MAX (900u << 10) // below the door's 1 MiB
#define FLIGHT 4
#define SILENCE_MS 2000
#define FULL_WAIT_MS 500
#define TIMEOUT_S 60
#define REASONS_MAX 32

typedef struct batch {
    char id[80];
    uint8_t *bytes;
    size_t n;
    uint32_t events;
    int64_t sent_ms; // 0: to be sent
    int64_t not_before_ms;
} batch;

typedef struct reason {
    char name[40];
    uint64_t n;
} reason;

typedef struct sender {
    wn_cli *c;
    const char *site, *endpoint, *prefix;
    char server_key[WN_CURVE_TEXT];
    wn_curve own;
    void *socket;
    uint64_t counter;
    int64_t timeout_ms, heard_ms;
    batch flight[FLIGHT];
    size_t flying;
    msgpack_sbuffer events; // packed, of the batch being filled
    uint32_t events_n;
    uint64_t lines, bad_lines, accepted, refused, repeats;
    reason reasons[REASONS_MAX];
    size_t reasons_n;
} sender;

static bool connect_door(sender *s) {
    if (s->socket) zmq_close(s->socket);
    s->socket = NULL;
    return wn_door_connect(wn_cli_zmq(s->c), s->endpoint, s->server_key, &s->own, &s->socket) == WN_OK;
}

static void add_reason(sender *s, wn_span name, uint64_t n) {
    char text[40];
    if (name.n >= sizeof text) name.n = sizeof text - 1;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    for (size_t i = 0; i < s->reasons_n; i++) {
        if (strcmp(s->reasons[i].name, text) == 0) {
            s->reasons[i].n += n;
            return;
        }
    }
    if (s->reasons_n == REASONS_MAX) return;
    strcpy(s->reasons[s->reasons_n].name, text);
    s->reasons[s->reasons_n++].n = n;
}

// Reads [[index, reason], …]; answers how many it lists.
static uint64_t read_refused(sender *s, wn_mp *m) {
    uint32_t n = 0, pair = 0;
    if (!wn_mp_array(m, 100000, &n)) return 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t index;
        wn_span name;
        if (!wn_mp_array(m, 2, &pair) || pair != 2 || !wn_mp_uint(m, UINT32_MAX, &index) ||
            !wn_mp_str(m, 64, &name))
            return i;
        add_reason(s, name, 1);
    }
    return n;
}

static void drop(sender *s, size_t at) {
    wn_wipe(s->flight[at].bytes, s->flight[at].n);
    free(s->flight[at].bytes);
    s->flight[at] = s->flight[--s->flying];
}

// One answer. False when sending must end, after a message.
static bool answered(sender *s, wn_span bytes) {
    wn_mp m, refused = {.bad = true};
    uint32_t pairs = 0;
    wn_span id = {NULL, 0}, error = {NULL, 0};
    uint64_t accepted = 0;
    bool repeat = false;
    wn_mp_init(&m, bytes);
    if (!wn_mp_map(&m, 16, &pairs)) return true; // not ours to understand: silence will resend
    for (uint32_t i = 0; i < pairs && !m.bad; i++) {
        wn_span key;
        if (!wn_mp_str(&m, 32, &key)) return true;
        if (key.n == 8 && memcmp(key.p, "batch_id", 8) == 0) wn_mp_str(&m, 128, &id);
        else if (key.n == 8 && memcmp(key.p, "accepted", 8) == 0) wn_mp_uint(&m, UINT32_MAX, &accepted);
        else if (key.n == 6 && memcmp(key.p, "repeat", 6) == 0) wn_mp_bool(&m, &repeat);
        else if (key.n == 5 && memcmp(key.p, "error", 5) == 0) wn_mp_str(&m, 64, &error);
        else if (key.n == 7 && memcmp(key.p, "refused", 7) == 0) refused = m, wn_mp_skip(&m, 8);
        else wn_mp_skip(&m, 8);
    }
    for (size_t i = 0; i < s->flying; i++) {
        batch *b = &s->flight[i];
        if (strlen(b->id) != id.n || memcmp(b->id, id.p, id.n) != 0) continue;
        s->heard_ms = wn_monotonic_ms();
        if (error.n == 4 && (memcmp(error.p, "full", 4) == 0 || memcmp(error.p, "busy", 4) == 0)) {
            b->sent_ms = 0;
            b->not_before_ms = s->heard_ms + FULL_WAIT_MS;
            return true;
        }
        if (error.n) {
            (void)wn_cli_failed("the collector refused a batch of %u events: %.*s", b->events, (int)error.n,
                                (const char *)error.p);
            return false;
        }
        if (repeat) s->repeats += b->events;
        else {
            uint64_t listed = refused.bad ? 0 : read_refused(s, &refused);
            uint64_t no = b->events > accepted ? b->events - accepted : 0;
            s->accepted += accepted;
            s->refused += no;
            if (no > listed) add_reason(s, (wn_span){(const uint8_t *)"(not listed)", 12}, no - listed);
        }
        drop(s, i);
        return true;
    }
    return true; // a second answer to a batch that was sent twice
}

// Sends what waits, reads what came, until fewer than `room` batches fly. False to end.
static bool turn(sender *s, size_t room) {
    while (s->flying >= room && s->flying > 0) {
        int64_t now = wn_monotonic_ms();
        bool silent = false;
        for (size_t i = 0; i < s->flying; i++) {
            batch *b = &s->flight[i];
            silent = silent || (b->sent_ms && now - b->sent_ms > SILENCE_MS);
        }
        if (silent) { // a collector that restarted or dropped us: a fresh connection, everything again
            if (!connect_door(s)) return wn_cli_failed("cannot connect to %s", s->endpoint), false;
            for (size_t i = 0; i < s->flying; i++) s->flight[i].sent_ms = 0;
        }
        for (size_t i = 0; i < s->flying; i++) {
            batch *b = &s->flight[i];
            if (b->sent_ms || b->not_before_ms > now) continue;
            if (zmq_send(s->socket, b->bytes, b->n, ZMQ_DONTWAIT) >= 0) b->sent_ms = now;
        }
        zmq_pollitem_t item = {s->socket, 0, ZMQ_POLLIN, 0};
        if (zmq_poll(&item, 1, 100) < 0 && errno != EINTR)
            return wn_cli_failed("ZeroMQ: %s", zmq_strerror(errno)), false;
        for (zmq_msg_t msg; item.revents & ZMQ_POLLIN;) {
            zmq_msg_init(&msg);
            if (zmq_msg_recv(&msg, s->socket, ZMQ_DONTWAIT) < 0) {
                zmq_msg_close(&msg);
                break;
            }
            bool go_on = answered(s, (wn_span){zmq_msg_data(&msg), zmq_msg_size(&msg)});
            wn_msg_close(&msg);
            if (!go_on) return false;
        }
        if (wn_monotonic_ms() - s->heard_ms > s->timeout_ms) {
            (void)wn_cli_failed("no answer from %s for %lld s: does the collector run (`winnow status`), and "
                                "may this key write"
                                " to %s (`winnow site key`)?",
                                s->endpoint, (long long)(s->timeout_ms / 1000), s->site);
            return false;
        }
    }
    return true;
}

static void put(msgpack_packer *pk, const char *text) {
    msgpack_pack_str(pk, strlen(text));
    msgpack_pack_str_body(pk, text, strlen(text));
}

static bool flush(sender *s) {
    if (s->events_n == 0) return true;
    if (!turn(s, FLIGHT)) return false;
    if (s->flying == 0) s->heard_ms = wn_monotonic_ms();
    batch *b = &s->flight[s->flying];
    *b = (batch){.events = s->events_n};
    snprintf(b->id, sizeof b->id, "%.48s-%llu", s->prefix, (unsigned long long)++s->counter);
    msgpack_sbuffer out;
    msgpack_packer pk;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 4);
    put(&pk, "v"), msgpack_pack_int(&pk, 1);
    put(&pk, "batch_id"), put(&pk, b->id);
    put(&pk, "site"), put(&pk, s->site);
    put(&pk, "events"), msgpack_pack_array(&pk, s->events_n);
    msgpack_sbuffer_write(&out, s->events.data, s->events.size);
    b->n = out.size;
    b->bytes = (uint8_t *)msgpack_sbuffer_release(&out);
    wn_wipe(s->events.data, s->events.size);
    msgpack_sbuffer_clear(&s->events);
    s->events_n = 0;
    s->flying++;
    return turn(s, FLIGHT + 1) && b;
}

static bool add_line(sender *s, const char *line, size_t n) {
    const char *why = "";
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' ')) n--;
    if (n == 0) return true;
    s->lines++;
    size_t before = s->events.size;
    if (!wn_json_pack(line, n, &s->events, &why)) {
        if (s->bad_lines++ < 5) fprintf(stderr, "winnow: line %llu: %s\n", (unsigned long long)s->lines, why);
        return true;
    }
    s->events_n++;
    // This event opened a message too large: send those before it, then begin with it.
    if (s->events.size > BYTES_MAX && s->events_n > 1) {
        size_t tail = s->events.size - before;
        char *keep = malloc(tail);
        if (!keep) return false;
        memcpy(keep, s->events.data + before, tail);
        s->events.size = before;
        s->events_n--;
        bool well = flush(s);
        msgpack_sbuffer_write(&s->events, keep, tail);
        s->events_n = 1;
        wn_wipe(keep, tail);
        free(keep);
        return well;
    }
    return s->events_n < EVENTS_MAX || flush(s);
}

static void print_result(const sender *s) {
    printf("lines     %llu\naccepted  %llu\nrefused   %llu\n", (unsigned long long)s->lines,
           (unsigned long long)s->accepted, (unsigned long long)(s->refused + s->bad_lines));
    for (size_t i = 0; i < s->reasons_n; i++) {
        printf("  %-18s %llu\n", s->reasons[i].name, (unsigned long long)s->reasons[i].n);
    }
    if (s->bad_lines) printf("  %-18s %llu\n", "no JSON object", (unsigned long long)s->bad_lines);
    if (s->repeats) printf("repeated  %llu\n", (unsigned long long)s->repeats);
}

static int send_file(sender *s, const char *path) {
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!f) return wn_cli_failed("%s cannot be read: %s", path, strerror(errno));
    char *line = NULL;
    size_t cap = 0;
    bool well = true;
    for (ssize_t n; well && (n = getline(&line, &cap, f)) >= 0;) well = add_line(s, line, (size_t)n);
    if (well && ferror(f)) well = false, (void)wn_cli_failed("%s cannot be read: %s", path, strerror(errno));
    well = well && flush(s) && turn(s, 1);
    if (line) wn_wipe(line, cap);
    free(line);
    if (f != stdin) fclose(f);
    print_result(s);
    if (s->accepted + s->refused + s->repeats + s->bad_lines != s->lines && well) {
        return wn_cli_failed("the figures do not add up to the lines");
    }
    return well ? WN_EXIT_OK : WN_EXIT_FAILED;
}

// The key this sender writes with, listed for the site where this host keeps the list.
static bool set_keys(sender *s, const wn_args *a) {
    char folder[300], keys[300];
    const char *dir = wn_args_get(a, "key-dir"), *server = wn_args_get(a, "server-key");
    bool local = !wn_args_has(a, "endpoint") && !wn_args_has(a, "no-register");
    if (dir) snprintf(folder, sizeof folder, "%.280s", dir);
    else snprintf(folder, sizeof folder, "%.200s/cli/keys", s->c->o.state_dir);
    if (!wn_cli_folder(folder)) return false;
    wn_err err = wn_curve_load(folder, "sdk", true, &s->own);
    if (err != WN_OK) return wn_cli_failed("%s/sdk.curve: %s", folder, wn_err_text(err)), false;
    if (server) {
        const char *bad = wn_site_key_check(server);
        if (bad) return wn_cli_failed("--server-key: %s", bad), false;
        strcpy(s->server_key, server);
    } else {
        snprintf(keys, sizeof keys, "%s/keys", s->c->collector_dir);
        err = wn_curve_load_public(keys, "sdk", s->server_key);
        if (err != WN_OK) {
            (void)wn_cli_failed(
                "the collector's key is not in %s: start Winnow with `winnow up%s`, or give --endpoint and"
                " --server-key of a collector elsewhere",
                keys, s->c->again);
            return false;
        }
    }
    if (!local && !wn_args_has(a, "register")) return true;
    wn_sites sites;
    if (!wn_cli_sites(s->c, &sites)) return false;
    const wn_site *site = wn_cli_site(&sites, s->site);
    bool listed = false, there = site != NULL;
    for (size_t i = 0; site && i < site->keys_n; i++) {
        listed = listed || (strcmp(site->keys[i].key, s->own.public_key) == 0 && site->keys[i].server);
    }
    wn_sites_fini(&sites);
    if (listed || !there) return there;
    wn_site_new_key want = {s->site, s->own.public_key, true};
    if (!wn_site_edit(s->c, wn_site_add_key, &want)) return false;
    fprintf(stderr, "winnow: this key now may write to %s as a server.\n", s->site);
    // A collector that is just starting again reads the list by itself.
    wn_question q;
    wn_reply r;
    wn_question_init(&q, "reload", 0);
    wn_err said = wn_cli_ask(s->c, s->c->collector_dir, &q, 5000, &r);
    wn_question_fini(&q);
    bool well =
        said == WN_ERR_NOTFOUND || said == WN_ERR_TIMEOUT || (said == WN_OK && wn_reply_flag(&r, "ok"));
    wn_reply_fini(&r);
    if (!well) (void)wn_cli_failed("the collector did not take the new key: %s", wn_err_text(said));
    return well;
}

static int run(wn_cli *c, const wn_args *a) {
    sender s = {.c = c, .site = wn_args_get(a, "site")};
    const char *timeout = wn_args_get(a, "timeout"), *prefix = wn_args_get(a, "batch-prefix");
    char random_prefix[33];
    int64_t timeout_s = TIMEOUT_S;
    if (!s.site) return wn_cli_misused(&wn_cmd_send, "say for which site with --site NAME");
    if (timeout && !wn_cli_number(&wn_cmd_send, "timeout", timeout, 1, 86400, &timeout_s))
        return WN_EXIT_USAGE;
    if (prefix && (strlen(prefix) == 0 || strlen(prefix) > 40)) {
        return wn_cli_misused(&wn_cmd_send, "--batch-prefix: 1 to 40 characters");
    }
    if (!prefix) {
        uint8_t raw[16];
        if (wn_random(raw, sizeof raw) != WN_OK) return wn_cli_failed("%s", wn_err_text(WN_ERR_ENTROPY));
        for (size_t i = 0; i < sizeof raw; i++) snprintf(random_prefix + 2 * i, 3, "%02x", raw[i]);
        prefix = random_prefix;
    }
    s.prefix = prefix;
    s.endpoint = wn_args_get(a, "endpoint") ? wn_args_get(a, "endpoint") : c->o.sdk_listen;
    s.timeout_ms = timeout_s * 1000;
    s.heard_ms = wn_monotonic_ms();
    msgpack_sbuffer_init(&s.events);
    int code = WN_EXIT_FAILED;
    if (set_keys(&s, a)) {
        code = connect_door(&s)
                   ? send_file(&s, a->words ? a->word[0] : "-")
                   : wn_cli_failed("cannot connect to %s: an endpoint is tcp://ADDRESS:PORT", s.endpoint);
    }
    while (s.flying) drop(&s, 0);
    if (s.socket) zmq_close(s.socket);
    msgpack_sbuffer_destroy(&s.events);
    wn_wipe(&s.own, sizeof s.own);
    return code;
}

static const wn_flag flags[] = {
    {"site", "NAME", "The site the events belong to."},
    {"endpoint", "ENDPOINT",
     "A collector elsewhere, such as tcp://10.0.0.2:8092. Default: sdk_listen of this host."},
    {"server-key", "KEY", "That collector's public key. Default: read from the state directory."},
    {"key-dir", "DIR",
     "Where this sender's key pair `sdk` stands, or is made. Default: cli/keys in the state directory."},
    {"register", NULL, "Lists the key for the site as a server's key. Default on this host."},
    {"no-register", NULL, "Does not."},
    {"batch-prefix", "TEXT",
     "Begins every batch_id, so that the same file sent again counts once within 12 hours."},
    {"timeout", "S", "Gives up after this many seconds without an answer. Default: 60."},
};

const wn_command wn_cmd_send = {
    .name = "send",
    .usage = "--site NAME [--endpoint ENDPOINT] [FLAG]... [FILE|-]",
    .doc = "Sends events, one JSON object a line, over ZeroMQ as an SDK would.",
    .more =
        "Every batch is sent again until the collector says that it is durable, also over its restart.\n"
        " echo '{\"name\":\"pageview\",\"url\":\"https://shop.example/\"}' | winnow send --site shop.example",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_max = 1,
    .run = run,
};
