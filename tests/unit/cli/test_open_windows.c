// SPDX-License-Identifier: Apache-2.0
// The windows of a status reply: read whole or not at all, and when they seal in words.
#include <criterion/criterion.h>
#include <string.h>

#include "open_windows.h"

static msgpack_sbuffer b;
static msgpack_packer p;
static wn_reply r;

static void text(const char *s) {
    msgpack_pack_str(&p, strlen(s));
    msgpack_pack_str_body(&p, s, strlen(s));
}

static void begin(const char *key, size_t n) {
    msgpack_sbuffer_init(&b);
    msgpack_packer_init(&p, &b, msgpack_sbuffer_write);
    msgpack_pack_map(&p, 2);
    text("ok");
    msgpack_pack_true(&p);
    text(key);
    msgpack_pack_array(&p, n);
}

static void window(const char *name, int64_t seals_at_s, bool closing) {
    msgpack_pack_map(&p, 5);
    text("window"), text(name);
    text("seals_at_s"), msgpack_pack_int64(&p, seals_at_s);
    text("file_bytes"), msgpack_pack_int64(&p, 4096);
    text("a later word"), msgpack_pack_int64(&p, 1);
    text("closing");
    if (closing) msgpack_pack_true(&p);
    else msgpack_pack_false(&p);
}

static void end(size_t bytes) {
    cr_assert_eq(zmq_msg_init_size(&r.msg, bytes), 0);
    memcpy(zmq_msg_data(&r.msg), b.data, bytes);
    r.held = true;
    msgpack_sbuffer_destroy(&b);
}

static void teardown(void) {
    wn_reply_fini(&r);
}

Test(open_windows, a_reply_that_names_none_is_not_one_of_no_windows, .fini = teardown) {
    wn_open_windows all;
    wn_open_window w;
    begin("other", 0);
    end(b.size);
    cr_assert(!wn_open_windows_begin(&r, &all));
    wn_reply_fini(&r);
    begin("windows", 0);
    end(b.size);
    cr_assert(wn_open_windows_begin(&r, &all));
    cr_assert(!wn_open_windows_next(&all, &w));
}

Test(open_windows, every_window_is_read_in_order, .fini = teardown) {
    wn_open_windows all;
    wn_open_window w;
    begin("windows", 2);
    window("2026-11-20.web.UTC", 0, false);
    window("2026-11-21.app.Europe_Berlin", 1795000000, true);
    end(b.size);
    cr_assert(wn_open_windows_begin(&r, &all));
    cr_assert(wn_open_windows_next(&all, &w));
    cr_assert_str_eq(w.name, "2026-11-20.web.UTC");
    cr_assert(w.seals_at_s == 0 && w.file_bytes == 4096 && !w.closing);
    cr_assert(wn_open_windows_next(&all, &w));
    cr_assert_str_eq(w.name, "2026-11-21.app.Europe_Berlin");
    cr_assert(w.seals_at_s == 1795000000 && w.closing);
    cr_assert(!wn_open_windows_next(&all, &w));
    cr_assert(all.left == 0 && !all.m.bad);
}

Test(open_windows, what_is_cut_off_ends_the_list, .fini = teardown) {
    wn_open_windows all;
    wn_open_window w;
    begin("windows", 1);
    window("2026-11-20.web.UTC", 0, false);
    end(b.size - 1);
    cr_assert(wn_open_windows_begin(&r, &all));
    cr_assert(!wn_open_windows_next(&all, &w));
    cr_assert(all.m.bad || all.left > 0);
}

Test(open_windows, a_window_filled_from_logs_seals_when_asked_to) {
    static const struct {
        wn_open_window w;
        const char *want;
    } cases[] = {
        {{.closing = true, .replaying = true, .replayed_percent = 40}, "replaying: 40 %"},
        {{.seals_at_s = 0}, "seals on `winnow seal`"},
        {{.seals_at_s = 0, .closing = true}, "sealing now"},
        {{.seals_at_s = 1000}, "seals in 0 s"},
        {{.seals_at_s = 999}, "seals in 0 s"},
        {{.seals_at_s = 1119}, "seals in 119 s"},
        {{.seals_at_s = 1120}, "seals in 2 min"},
        {{.seals_at_s = 1000 + 7200}, "seals in 2 h"},
        {{.seals_at_s = 1000 + 172800}, "seals in 2 days"},
    };
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        char when[48];
        wn_open_window_when(&cases[i].w, 1000, when);
        cr_assert_str_eq(when, cases[i].want);
    }
}
