// SPDX-License-Identifier: Apache-2.0
// open_windows.c: `status` lists them, `seal` and `down` must know of them.
#include "open_windows.h"

#include <string.h>

#define ASK_TIMEOUT_MS 3000

bool wn_open_windows_begin(const wn_reply *r, wn_open_windows *out) {
    return wn_reply_find(r, "windows", &out->m) && wn_mp_array(&out->m, 4096, &out->left);
}

bool wn_open_windows_next(wn_open_windows *w, wn_open_window *out) {
    uint32_t pairs = 0;
    *out = (wn_open_window){0};
    if (w->left == 0 || w->m.bad || !wn_mp_map(&w->m, 32, &pairs)) return false;
    w->left--;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key = {NULL, 0}, text = {NULL, 0};
        bool well = wn_mp_str(&w->m, 64, &key);
        if (!well) return false;
        if (key.n == 6 && memcmp(key.p, "window", 6) == 0) {
            well = wn_mp_str(&w->m, sizeof out->name - 1, &text);
            if (well) memcpy(out->name, text.p, text.n);
        } else if (key.n == 10 && memcmp(key.p, "seals_at_s", 10) == 0) {
            well = wn_mp_int(&w->m, &out->seals_at_s);
        } else if (key.n == 10 && memcmp(key.p, "file_bytes", 10) == 0) {
            well = wn_mp_int(&w->m, &out->file_bytes);
        } else if (key.n == 7 && memcmp(key.p, "closing", 7) == 0) {
            well = wn_mp_bool(&w->m, &out->closing);
        } else if (key.n == 9 && memcmp(key.p, "replaying", 9) == 0) {
            well = wn_mp_bool(&w->m, &out->replaying);
        } else if (key.n == 16 && memcmp(key.p, "replayed_percent", 16) == 0) {
            well = wn_mp_int(&w->m, &out->replayed_percent);
        } else {
            well = wn_mp_skip(&w->m, 8);
        }
        if (!well) return false;
    }
    return true;
}

void wn_open_window_span(int64_t s, char out[24]) {
    if (s < 0) s = 0;
    if (s < 120) snprintf(out, 24, "%lld s", (long long)s);
    else if (s < 7200) snprintf(out, 24, "%lld min", (long long)(s / 60));
    else if (s < 172800) snprintf(out, 24, "%lld h", (long long)(s / 3600));
    else snprintf(out, 24, "%lld days", (long long)(s / 86400));
}

void wn_open_window_when(const wn_open_window *w, int64_t now_s, char out[48]) {
    char span[24];
    wn_open_window_span(w->seals_at_s - now_s, span);
    if (w->replaying) snprintf(out, 48, "replaying: %d %%", (int)w->replayed_percent);
    else if (w->closing) snprintf(out, 48, "sealing now");
    else if (w->seals_at_s == 0) snprintf(out, 48, "seals on `winnow seal`");
    else snprintf(out, 48, "seals in %s", span);
}

int wn_open_windows_ask(wn_cli *c, const char *name) {
    wn_question q;
    wn_reply r;
    wn_open_windows all;
    wn_open_window one;
    int n = -1;
    if (wn_ask_pid(c->aggregator_dir) == 0) return -1;
    wn_question_init(&q, "status", 0);
    wn_err err = wn_cli_ask(c, c->aggregator_dir, &q, ASK_TIMEOUT_MS, &r);
    wn_question_fini(&q);
    if (err == WN_OK && wn_reply_flag(&r, "ok") && wn_open_windows_begin(&r, &all)) {
        for (n = 0; wn_open_windows_next(&all, &one);) n += !name || strcmp(one.name, name) == 0;
        if (all.m.bad || all.left > 0) n = -1;
    }
    wn_reply_fini(&r);
    return n;
}
