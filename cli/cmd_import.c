// SPDX-License-Identifier: Apache-2.0
// cmd_import.c: `winnow import`: streams raw log lines to the collector, which
// alone reads them. A chunk's lines are kept here until it says that they are
// durable and delivered, and are sent again should it be killed before. While
// one chunk is counted the next is read and sent, on a line of its own.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_ask.h"
#include "clock.h"
#include "import_lines.h"
#include "import_totals.h"

#define BACK_S 60 // how long a killed collector may take to come back
#define SLICE_MS 500
#define QUIET_MS 30000 // then say what is waited for
#define FLIGHTS 2
#define PIECES_UNANSWERED 4
#define SEAL_AT_ONCE 64
#define SEAL_TIMEOUT_MS 600000

// One chunk on its way, and the line it goes by.
typedef struct flight {
    wn_ask_line *line;
    pid_t pid;
    char token[80];
    bool token_is_number;
    uint64_t token_number;
    bool begun;     // the collector expects lines
    size_t answers; // to pieces, still to come
    wn_import_hand hand;
} flight;

typedef struct importer {
    wn_cli *c;
    const char *site, *format;
    flight flight[FLIGHTS];
    size_t oldest, flights_n; // under way, in the order of the log
    wn_totals totals;
    uint64_t done, size; // bytes, over all files
    uint64_t sent;       // lines whose chunk is durable
    int64_t begun_ms, shown_ms;
    bool show, keep_open;
    bool lost; // the collector did not come back
} importer;

// ---- progress ----
static void progress(importer *im, const wn_import_lines *l) {
    int64_t now = wn_monotonic_ms();
    if (!im->show || now - im->shown_ms < 200) return;
    im->shown_ms = now;
    uint64_t done = 0, ignored = 0;
    if (l) wn_import_lines_progress(l, &done, &ignored);
    done += im->done;
    double s = (double)(now - im->begun_ms) / 1000.0;
    char bar[21] = "....................", eta[32] = "";
    if (im->size > 0 && done > 0) {
        size_t full = done >= im->size ? 20 : (size_t)(done * 20 / im->size);
        memset(bar, '#', full);
        double left = (double)(im->size > done ? im->size - done : 0) * s / (double)done;
        snprintf(eta, sizeof eta, ", %.0f s left", left);
    }
    fprintf(stderr, "\r[%s] %llu MiB, %.0f lines/s%s   ", im->size ? bar : "",
            (unsigned long long)(done >> 20), s > 0.1 ? (double)im->sent / s : 0.0, eta);
    fflush(stderr);
}

static void progress_end(importer *im) {
    if (im->show && im->shown_ms) fputs("\r\033[K", stderr);
    im->shown_ms = 0;
}

// ---- one question to the collector, through its death and return ----
typedef enum heard { HEARD_YES, HEARD_NO, HEARD_GONE } heard;

static heard tell(flight *f, const wn_question *q) {
    wn_span bytes = {(const uint8_t *)q->buffer.data, q->buffer.size};
    return f->line && wn_ask_send(f->line, bytes) == WN_OK ? HEARD_YES : HEARD_GONE;
}

static heard hear(importer *im, flight *f, wn_reply *out, const wn_import_lines *l, const char *waits_for) {
    int64_t begun = wn_monotonic_ms();
    bool said = false;
    *out = (wn_reply){0};
    for (;;) {
        wn_err err = wn_ask_recv(f->line, SLICE_MS, &out->msg);
        out->held = err == WN_OK;
        if (err == WN_OK && wn_reply_flag(out, "ok")) return HEARD_YES;
        if (err != WN_OK && err != WN_ERR_TIMEOUT) return HEARD_GONE;
        // The line may have found its way to the next collector, which knows nothing of this import.
        if (wn_ask_pid(im->c->collector_dir) != f->pid) return HEARD_GONE;
        if (err == WN_OK) return HEARD_NO;
        progress(im, l);
        if (!said && waits_for && wn_monotonic_ms() - begun > QUIET_MS) {
            progress_end(im);
            fprintf(stderr, "winnow: waiting until %s; `winnow status%s` says more\n", waits_for,
                    im->c->again);
            said = true;
        }
    }
}

static heard ask(importer *im, flight *f, const wn_question *q, wn_reply *out) {
    *out = (wn_reply){0};
    heard h = tell(f, q);
    return h == HEARD_YES ? hear(im, f, out, NULL, NULL) : h;
}

static bool refused(importer *im, wn_reply *r) {
    char text[400] = "no, without a reason";
    (void)wn_reply_text(r, "text", text, sizeof text);
    wn_reply_fini(r);
    progress_end(im);
    (void)wn_cli_failed("the collector says: %s", text);
    return false;
}

static bool take_token(flight *f, const wn_reply *r) {
    wn_mp m;
    if (!wn_reply_find(r, "token", &m)) return false;
    f->token_is_number = wn_mp_peek(&m) == WN_MP_UINT;
    if (f->token_is_number) return wn_mp_uint(&m, UINT64_MAX, &f->token_number);
    return wn_reply_text(r, "token", f->token, sizeof f->token);
}

static void put_token(const flight *f, wn_question *q) {
    if (!f->token_is_number) {
        wn_question_text(q, "token", f->token);
        return;
    }
    msgpack_pack_str(&q->packer, 5);
    msgpack_pack_str_body(&q->packer, "token", 5);
    msgpack_pack_uint64(&q->packer, f->token_number);
}

static void hang_up(flight *f) {
    wn_ask_close(f->line);
    f->line = NULL;
    f->begun = false;
    f->answers = 0;
}

static bool alive(const importer *im, const flight *f) {
    return f->begun && wn_ask_pid(im->c->collector_dir) == f->pid;
}

// The flight whose lines stand before those of `f` in the log; NULL: none is under way.
static const flight *before(const importer *im, const flight *f) {
    for (size_t k = 1; k <= im->flights_n && k < FLIGHTS; k++) {
        const flight *here = &im->flight[(im->oldest + k) % FLIGHTS];
        if (here == f) return &im->flight[(im->oldest + k - 1) % FLIGHTS];
    }
    return NULL;
}

static heard ask_to_begin(importer *im, flight *f, bool *out_understood) {
    wn_question q;
    wn_reply r;
    const flight *first = before(im, f);
    wn_question_init(&q, "import-begin", first ? 3 : 2);
    if (first) put_token(first, &q);
    wn_question_text(&q, "site", im->site);
    wn_question_text(&q, "format", im->format);
    heard h = ask(im, f, &q, &r);
    wn_question_fini(&q);
    f->begun = *out_understood = h == HEARD_YES && take_token(f, &r);
    if (h == HEARD_NO && first && !alive(im, first)) h = HEARD_GONE;
    if (h == HEARD_NO) (void)refused(im, &r);
    wn_reply_fini(&r);
    return h;
}

// Finds the collector, waiting for its return when `back`, and begins an import. NO: said why.
// GONE: the flight before this one is not there any more.
static heard begin(importer *im, flight *f, bool back) {
    int64_t until = wn_monotonic_ms() + BACK_S * 1000;
    for (;;) {
        wn_err err = f->line ? WN_OK : WN_ERR_NOTFOUND;
        if (!f->line) f->pid = wn_ask_pid(im->c->collector_dir);
        if (!f->line && f->pid) err = wn_ask_open(wn_cli_zmq(im->c), im->c->collector_dir, &f->line);
        if (err == WN_OK) {
            bool understood = false;
            heard h = ask_to_begin(im, f, &understood);
            if (h == HEARD_NO || understood) return h;
            if (h == HEARD_YES)
                return wn_cli_failed("the collector's answer is not understood: are both of one version?"),
                       HEARD_NO;
            hang_up(f);
        }
        if (before(im, f) && !alive(im, before(im, f))) return HEARD_GONE;
        if (!back && err != WN_OK) {
            if (err != WN_ERR_NOTFOUND)
                return wn_cli_failed("cannot talk to the collector: %s", wn_err_text(err)), HEARD_NO;
            return wn_cli_failed("the collector does not run; start it with `winnow up%s`", im->c->again),
                   HEARD_NO;
        }
        back = true;
        if (wn_monotonic_ms() > until) {
            progress_end(im);
            return wn_cli_failed("the collector did not come back within %d s; import the same files again: "
                                 "what counted is not counted twice",
                                 BACK_S),
                   HEARD_NO;
        }
        usleep(100000);
    }
}

// ---- a chunk ----

// The whole chunk and the wish to have it counted; that answer is not waited for.
static heard send_chunk(importer *im, flight *f, const wn_import_lines *l, wn_reply *out) {
    wn_question q;
    wn_span piece;
    heard h = HEARD_YES;
    *out = (wn_reply){0};
    for (size_t at = 0; h == HEARD_YES && wn_import_hand_piece(&f->hand, &at, &piece);) {
        if (f->answers == PIECES_UNANSWERED) {
            h = hear(im, f, out, l, NULL);
            if (h != HEARD_YES) return h;
            wn_reply_fini(out);
            f->answers--;
        }
        wn_question_init(&q, "import-lines", 2);
        put_token(f, &q);
        wn_question_bin(&q, "bytes", piece);
        h = tell(f, &q);
        wn_question_fini(&q);
        f->answers++;
        progress(im, l);
    }
    if (h != HEARD_YES) return h;
    wn_question_init(&q, "import-chunk", 1);
    put_token(f, &q);
    h = tell(f, &q);
    wn_question_fini(&q);
    return h;
}

// Until the chunk is delivered: out is then the account of it.
static heard hear_chunk(importer *im, flight *f, const wn_import_lines *l, wn_reply *out) {
    for (; f->answers != 0; f->answers--) {
        heard h = hear(im, f, out, l, NULL);
        if (h != HEARD_YES) return h;
        wn_reply_fini(out);
    }
    return hear(im, f, out, l, "the aggregator has the lines");
}

// What the chunk's windows are is asked while the collector still knows.
static heard list_windows(importer *im, flight *f) {
    wn_question q;
    wn_reply r;
    wn_question_init(&q, "import-end", 2);
    put_token(f, &q);
    wn_question_flag(&q, "keep_open", im->keep_open);
    heard h = ask(im, f, &q, &r);
    wn_question_fini(&q);
    if (h == HEARD_YES) wn_totals_windows(&im->totals, &r);
    if (h == HEARD_NO) (void)refused(im, &r);
    wn_reply_fini(&r);
    f->begun = false;
    return h;
}

// Should the collector have been killed, all chunks under way are sent again, in their order, for
// visits end by what is read: it knows which parts count already. (An import of the collector's own
// for each chunk: nothing it knew of earlier chunks is lost with it.)
static bool send_again(importer *im, const wn_import_lines *l) {
    for (size_t k = 0; k < im->flights_n;) {
        flight *f = &im->flight[(im->oldest + k) % FLIGHTS];
        wn_reply r = {0};
        hang_up(f);
        heard h = begin(im, f, true);
        im->lost = im->lost || h == HEARD_NO;
        if (im->lost) return false;
        if (h == HEARD_YES) h = send_chunk(im, f, l, &r);
        if (h == HEARD_NO) return refused(im, &r);
        k = h == HEARD_GONE ? 0 : k + 1;
    }
    return true;
}

// Waits for the oldest chunk under way, through the collector's death and return.
static bool deliver(importer *im, flight *f, const wn_import_lines *l, wn_reply *out) {
    for (;;) {
        heard h = f->begun ? hear_chunk(im, f, l, out) : HEARD_GONE;
        if (h == HEARD_NO) return refused(im, out);
        heard listed = h == HEARD_YES ? list_windows(im, f) : HEARD_GONE;
        if (listed != HEARD_GONE) return listed == HEARD_YES;
        wn_reply_fini(out);
        *out = (wn_reply){0};
        if (im->lost || !send_again(im, l)) return false;
    }
}

static bool settle(importer *im, const wn_import_lines *l) {
    flight *f = &im->flight[im->oldest];
    wn_reply r = {0};
    bool well = deliver(im, f, l, &r);
    im->oldest = (im->oldest + 1) % FLIGHTS;
    im->flights_n--;
    if (well) {
        well = wn_totals_chunk(&im->totals, &r, f->hand.lines);
        im->sent += f->hand.lines;
        if (!well)
            progress_end(im), (void)wn_cli_failed("the collector's answer about a chunk is not understood");
    }
    wn_reply_fini(&r);
    return well;
}

// Also where one failed: the others count all the same, and their windows must not stay open.
static bool settle_all(importer *im, const wn_import_lines *l) {
    bool well = true;
    while (im->flights_n != 0) well = settle(im, l) && well;
    return well;
}

// Sends what is in hand behind those under way.
static bool launch(importer *im, flight *f, const wn_import_lines *l) {
    wn_reply r = {0};
    for (;;) {
        const flight *first = before(im, f);
        if (first && !alive(im, first) && !send_again(im, l)) return false;
        heard h = f->begun ? HEARD_YES : begin(im, f, true);
        if (h == HEARD_NO) return false;
        if (h == HEARD_GONE) continue;
        h = send_chunk(im, f, l, &r);
        if (h == HEARD_NO) return refused(im, &r);
        if (h == HEARD_GONE) hang_up(f); // found so when it is settled, or before the next
        im->flights_n++;
        return true;
    }
}

static bool import_file(importer *im, const char *path) {
    wn_import_lines *l = NULL;
    uint64_t file_lines = 0, done = 0, size = 0;
    wn_err err = wn_import_lines_open(path, &l);
    if (err != WN_OK)
        return progress_end(im), wn_cli_failed("%s cannot be read: %s", path, strerror(errno)), false;
    bool well = true, more = true;
    while (well && more) {
        if (im->flights_n == FLIGHTS) well = settle(im, l);
        if (!well) break;
        flight *f = &im->flight[(im->oldest + im->flights_n) % FLIGHTS];
        err = wn_import_lines_chunk(l, &f->hand);
        more = err == WN_OK && f->hand.lines > 0;
        file_lines += f->hand.lines;
        if (more) well = launch(im, f, l);
        progress(im, l);
    }
    wn_import_lines_progress(l, &done, &size);
    im->done += size ? size : done;
    wn_import_lines_close(l);
    if (err != WN_OK) {
        well = settle_all(im, NULL) && well;
        progress_end(im);
        (void)wn_cli_failed("%s: %s after line %llu; what came before it is counted", path,
                            err == WN_ERR_FORMAT ? "damaged gzip" : wn_err_text(err),
                            (unsigned long long)file_lines);
        return false;
    }
    return well;
}

// Windows that are over and past their grace, 64 a question.
static bool seal(importer *im) {
    const char *text[SEAL_AT_ONCE];
    bool well = true;
    int64_t rows = 0, sum = 0;
    size_t past = 0;
    for (size_t at = 0; at < im->totals.windows_n && well;) {
        size_t n = 0;
        for (; at < im->totals.windows_n && n < SEAL_AT_ONCE; at++) {
            wn_window w;
            if (!wn_window_parse(im->totals.window[at], &w)) continue;
            if (wn_now_s() >= w.end_s + wn_grace_s((wn_kind)w.kind)) text[n++] = im->totals.window[at];
        }
        if (n == 0) continue;
        wn_question q;
        wn_reply r;
        wn_question_init(&q, "seal", 2);
        wn_question_texts(&q, "windows", text, n);
        wn_question_flag(&q, "backfilled", true);
        well = wn_cli_ask_ok(im->c, im->c->aggregator_dir, &q, SEAL_TIMEOUT_MS, &r);
        wn_question_fini(&q);
        if (well && wn_reply_number(&r, "rows", &rows)) sum += rows;
        if (well) wn_reply_fini(&r);
        past += n;
    }
    if (well && past) printf("sealed     %zu windows, %lld rows published\n", past, (long long)sum);
    if (well && past < im->totals.windows_n)
        printf("open       %zu windows, which seal in their own time\n", im->totals.windows_n - past);
    return well;
}

static int import_all(importer *im, const wn_args *a) {
    bool well = true;
    if (begin(im, &im->flight[0], false) != HEARD_YES) return WN_EXIT_FAILED;
    for (size_t i = 0; i < FLIGHTS; i++)
        if (wn_import_hand_open(&im->flight[i].hand) != WN_OK) return wn_cli_failed("out of memory");
    im->begun_ms = wn_monotonic_ms();
    for (size_t i = 0; i < a->words && well; i++) well = import_file(im, a->word[i]);
    well = settle_all(im, NULL) && well;
    if (im->flight[0].begun && im->totals.lines == 0)
        (void)list_windows(im, &im->flight[0]); // it is empty: it only ends
    // Also after a damaged file: what counted before it must not stay open.
    bool ended = im->totals.windows_n > 0;
    progress_end(im);
    bool adds_up = wn_totals_print(&im->totals, stdout);
    double s = (double)(wn_monotonic_ms() - im->begun_ms) / 1000.0;
    if (!ended && im->totals.counted > 0)
        well =
            wn_cli_failed(
                "the collector named no day of these lines; seal them with `winnow seal --date DATE`") == 0;
    if (ended && !im->keep_open) well = seal(im) && well;
    else if (ended) printf("open       %zu windows, until `winnow seal`\n", im->totals.windows_n);
    printf("time       %.1f s, %.0f lines/s\n", s, s > 0 ? (double)im->totals.lines / s : 0.0);
    if (!adds_up) return wn_cli_failed("the figures do not add up to the lines: do not trust this import");
    return well ? WN_EXIT_OK : WN_EXIT_FAILED;
}

static int run(wn_cli *c, const wn_args *a) {
    static const char *const formats[] = {"combined", "common", "vhost-combined"};
    wn_sites sites;
    importer im = {.c = c,
                   .format = wn_args_get(a, "format"),
                   .show = isatty(STDERR_FILENO),
                   .keep_open = wn_args_has(a, "keep-open")};
    bool known = false;
    if (!im.format) im.format = formats[0];
    for (size_t i = 0; i < WN_COUNT(formats); i++) known = known || strcmp(formats[i], im.format) == 0;
    if (!known)
        return wn_cli_misused(
            &wn_cmd_import, "--format \"%.20s\": allowed are combined, common and vhost-combined", im.format);
    if (!wn_cli_sites(c, &sites)) return WN_EXIT_FAILED;
    const wn_site *site = wn_cli_site(&sites, wn_args_get(a, "site"));
    char name[WN_SITE_NAME_BYTES] = "";
    if (site) strcpy(name, site->name);
    wn_sites_fini(&sites);
    if (name[0] == '\0') return WN_EXIT_FAILED;
    im.site = name;
    for (size_t i = 0; i < a->words; i++) {
        wn_import_lines *l = NULL;
        uint64_t done, size = 0;
        if (strcmp(a->word[i], "-") == 0) {
            im.size = 0;
            break;
        }
        wn_err err = wn_import_lines_open(a->word[i], &l);
        if (err == WN_ERR_FORMAT)
            return wn_cli_failed("%s is a directory; name the files in it: %s/*", a->word[i], a->word[i]);
        if (err != WN_OK)
            return wn_cli_failed("%s cannot be read: %s", a->word[i],
                                 err == WN_ERR_NOTFOUND ? "no such file" : strerror(errno));
        wn_import_lines_progress(l, &done, &size);
        wn_import_lines_close(l);
        im.size += size;
    }
    int code = import_all(&im, a);
    for (size_t i = 0; i < FLIGHTS; i++) {
        hang_up(&im.flight[i]);
        wn_import_hand_close(&im.flight[i].hand);
    }
    wn_totals_fini(&im.totals);
    return code;
}

static const wn_flag flags[] = {
    {"site", "NAME", "The site the lines belong to; may be left out when there is one."},
    {"format", "FORMAT", "combined (default), common or vhost-combined."},
    {"keep-open", NULL, "Leaves the windows open for more lines; `winnow seal` ends them."},
};

const wn_command wn_cmd_import = {
    .name = "import",
    .usage = "[--site NAME] [--format FORMAT] [--keep-open] FILE...|-",
    .doc = "Counts the page views of access logs, plain or gzip.",
    .more = "Every line is counted, refused for a reason or late, and the report says how many of each. The "
            "same file"
            " twice counts once. Days that are over are sealed at the end: nothing can be added to them "
            "afterwards.",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_min = 1,
    .words_max = SIZE_MAX,
    .run = run,
};
