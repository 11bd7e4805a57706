// SPDX-License-Identifier: Apache-2.0
// A purge in the aggregator's windows (R16): who leaves, that it is looked for in memory and on disk before
// it counts as done, and what the ledger says of it.
#include "window_rig.h"

static window_rig rig;
static char *home;
static wn_window day;

static void begin(void) {
    home = folder_new();
    day = window_of_day(20777);
    rig_init(&rig);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
}

static void end(void) {
    rig_close(&rig);
    rig_fini(&rig);
    folder_free(home);
}

TestSuite(window_purge, .init = begin, .fini = end);

static wn_purge purge_of(const char *org) {
    static const uint8_t key[32] = {3};
    wn_purge p = {.kind = org ? WN_PURGE_ORG : WN_PURGE_SITE,
                  .tag = rig.site.tag,
                  .site = RIG_SITE,
                  .asked_at_s = RIG_NOW};
    wn_purge_name(key, p.tag, (wn_span){(const uint8_t *)org, org ? strlen(org) : 0}, p.name);
    return p;
}

// Views of people [first, first + 30) under an edge key; who % 4 is their organisation, 0: none. Then a mark.
static void send(const wn_window *w, uint64_t sequence, char edge, unsigned first, const wn_purge *mark,
                 uint64_t org) {
    static uint8_t bytes[WN_BATCH_BYTES_MAX];
    static wn_batch_reader reader;
    static const wn_value *const none[WN_OPEN_N];
    wn_batch_builder *b = NULL;
    wn_batch_head head = {.id = {.collector = "collector-------", .generation = 5, .sequence = sequence},
                          .window = *w,
                          .policy_version = 1,
                          .edge_epoch = {(uint8_t)edge},
                          .text_key = {9}};
    size_t size = 0;
    uint64_t answered = 0;
    bool deferred = false;
    cr_assert_eq(wn_batch_builder_new(&b), WN_OK);
    for (unsigned who = first; who < first + 30; who++) {
        wn_observation o = {.prefix = who + 1, .org = who % 4, .site = rig.site.tag, .kind = WN_OBS_VIEW};
        memcpy(o.person, &who, sizeof who);
        cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
    }
    if (mark) {
        wn_observation o = {.org = org, .site = rig.site.tag, .kind = WN_OBS_PURGE};
        memcpy(o.person, mark->name, sizeof o.person);
        cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
    }
    cr_assert_eq(wn_batch_builder_finish(b, &head, bytes, sizeof bytes, &size), WN_OK);
    wn_batch_builder_free(b);
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){bytes, size}), WN_OK);
    cr_assert_eq(wn_windows_take(rig.ws, &reader, (wn_span){bytes, size}, RIG_NOW, &answered, &deferred),
                 WN_ANSWER_ACK);
    cr_assert_eq(wn_windows_stage(rig.ws, RIG_NOW), WN_OK);
    cr_assert_eq(wn_windows_commit(rig.ws), WN_OK);
    wn_windows_committed(rig.ws);
}

static bool is_of(void *ctx, uint64_t site, uint8_t e, uint64_t org) {
    (void)e;
    return site == rig.site.tag && (ctx == NULL || org == *(uint64_t *)ctx);
}

static bool holds(const wn_window *w, uint64_t org) {
    return wn_fold_holds(wn_windows_find(rig.ws, w)->fold, is_of, &org);
}

static bool ended(const wn_purge *p) {
    bool done = false;
    cr_assert_eq(wn_windows_purge_end(rig.ws, p, RIG_NOW, &done), WN_OK);
    return done;
}

typedef struct told {
    unsigned asked, purged;
    uint32_t notes;
    bool site;
} told;

static bool listen(void *ctx, const wn_ledger_entry *e) {
    told *t = ctx;
    t->asked += e->what == WN_LEDGER_PURGE_ASKED;
    t->purged += e->what == WN_LEDGER_PURGED;
    if (e->what == WN_LEDGER_PURGED) {
        t->notes = e->notes;
        t->site = strcmp(e->site, RIG_SITE) == 0;
    }
    return true;
}

static told ledger(void) {
    told t = {0};
    cr_assert_eq(wn_published_ledger_each(rig.published, listen, &t), WN_OK);
    return t;
}

static bool any_row(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    (void)rows;
    if (strcmp(h->site, RIG_SITE) == 0) *(size_t *)ctx += n;
    return true;
}

static size_t rows(void) {
    size_t n = 0;
    cr_assert_eq(wn_published_scan(rig.published, NULL, NULL, INT64_MIN, INT64_MAX, any_row, &n), WN_OK);
    return n;
}

Test(window_purge, an_organisation_leaves_memory_and_disk_and_comes_in_no_more) {
    wn_purge acme = purge_of("Acme");
    cr_assert_eq(wn_windows_purge_asked(rig.ws, &acme, RIG_NOW), WN_OK);
    send(&day, 1, 'a', 0, NULL, 0);
    send(&day, 2, 'a', 30, &acme, 2);
    cr_assert(holds(&day, 2) && holds(&day, 1));
    cr_assert_not(ended(&acme), "asked, not carried out");
    cr_assert_eq(ledger().purged, 0);
    cr_assert_eq(wn_windows_purge(rig.ws), WN_OK);
    cr_assert_not(holds(&day, 2));
    cr_assert(holds(&day, 1) && holds(&day, 3) && holds(&day, 0), "nobody else");
    cr_assert(ended(&acme));
    told t = ledger();
    cr_assert(t.asked == 1 && t.purged == 1 && t.site && t.notes == WN_LEDGER_ORGANISATION);
    send(&day, 3, 'a', 60, NULL, 0);
    cr_assert_not(holds(&day, 2), "refused from the mark on");
    rig_close(&rig);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
    cr_assert(!holds(&day, 2) && holds(&day, 1), "as it stands on the disk");
    cr_assert_not(wn_fold_knows_org(wn_windows_find(rig.ws, &day)->fold, rig.site.tag, 2));
    send(&day, 4, 'a', 90, NULL, 0);
    cr_assert_not(holds(&day, 2), "and after a restart");
}

Test(window_purge, what_is_called_done_and_is_still_there_is_found) {
    wn_purge acme = purge_of("Acme");
    send(&day, 1, 'a', 0, &acme, 2);
    open_window *o = wn_windows_find(rig.ws, &day);
    cr_assert_eq(o->purges.n, 1);
    o->purges.at[0].done = true; // as if taking out had failed in silence
    o->purges.asked = false;
    cr_assert(holds(&day, 2));
    cr_assert_not(ended(&acme));
    cr_assert_eq(ledger().purged, 0);
}

Test(window_purge, a_site_goes_with_its_rows_also_where_no_mark_came) {
    wn_purge site = purge_of(NULL);
    size_t moved = 0;
    wn_window later = window_of_day(20778);
    send(&day, 1, 'a', 0, NULL, 0);
    send(&later, 1, 'a', 0, NULL, 0); // opened by a filter that knows of it: a site of that name cannot be
    cr_assert_eq(wn_windows_tick(rig.ws, RIG_NOW, &moved), WN_OK);
    cr_assert_gt(rows(), 0);
    cr_assert_not(ended(&site), "the search asks the window");
    cr_assert_eq(wn_windows_purge(rig.ws), WN_OK);
    cr_assert(ended(&site));
    cr_assert_not(wn_fold_holds(wn_windows_find(rig.ws, &day)->fold, is_of, NULL));
    cr_assert_eq(rows(), 0);
    cr_assert(ledger().purged == 1 && ledger().notes == 0);
    cr_assert_eq(wn_windows_tick(rig.ws, RIG_NOW + 300, &moved), WN_OK);
    rig_close(&rig);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
    cr_assert_not(wn_fold_holds(wn_windows_find(rig.ws, &day)->fold, is_of, NULL));
}

Test(window_purge, under_a_key_that_was_lost_all_who_named_an_organisation_go) {
    wn_purge acme = purge_of("Acme");
    send(&day, 1, 'a', 0, NULL, 0);
    send(&day, 2, 'b', 30, &acme, 2); // a second epoch: organisation 2 of the first may be anybody
    cr_assert_eq(wn_windows_purge(rig.ws), WN_OK);
    const wn_fold *f = wn_windows_find(rig.ws, &day)->fold;
    cr_assert(holds(&day, 0), "those without one stay");
    cr_assert_not(wn_fold_knows_org(f, rig.site.tag, 2));
    cr_assert(wn_fold_knows_org(f, rig.site.tag, 1), "others of the key that is here stay");
    cr_assert(ended(&acme));
    wn_purge bolt = purge_of("Bolt"); // no mark came at all
    cr_assert_not(ended(&bolt));
    cr_assert_eq(wn_windows_purge(rig.ws), WN_OK);
    cr_assert(!holds(&day, 1) && !holds(&day, 3) && holds(&day, 0));
    cr_assert(ended(&bolt));
}

Test(window_purge, what_cannot_be_read_keeps_it_open) {
    wn_purge acme = purge_of("Acme");
    send(&day, 1, 'a', 0, &acme, 2);
    cr_assert_eq(wn_windows_purge(rig.ws), WN_OK);
    rig.ws->bad_n = 1;
    cr_assert_not(ended(&acme));
    rig.ws->bad_n = 0;
    rig.ws->open[0]->dirty = true;
    cr_assert_not(ended(&acme), "a batch on its way");
    rig.ws->open[0]->dirty = false;
    cr_assert(ended(&acme));
}

// ---- the list of a window ----

Test(window_purge, a_window_s_list_is_full_at_its_limit_and_reads_back) {
    wn_window_purges p = {.n = 0}, again = {.n = 0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    for (uint64_t i = 0; i < WN_WINDOW_PURGES_MAX; i++) {
        wn_window_purge x = {.site = i, .org = i + 1, .of = WN_PURGE_OF_ORG};
        cr_assert_eq(wn_window_purges_ask(&p, &x), WN_OK);
    }
    wn_window_purge more = {.site = 1, .org = 1, .of = WN_PURGE_OF_ORG}, known = p.at[5];
    cr_assert_eq(wn_window_purges_ask(&p, &more), WN_ERR_FULL);
    p.at[5].done = true;
    cr_assert_eq(wn_window_purges_ask(&p, &known), WN_OK);
    cr_assert_not(p.at[5].done, "asked again");
    p.at[7].done = true;
    p.frozen = calloc(11, 1);
    p.frozen_n = 11;
    p.frozen[10] = 1;
    cr_assert_eq(wn_window_purges_encode(&p, &bytes, &n), WN_OK);
    cr_assert_eq(wn_window_purges_decode((wn_span){bytes, n}, &again), WN_OK);
    cr_assert(again.n == p.n && again.at[7].done && !again.at[5].done && again.asked);
    cr_assert(again.frozen_n == 11 && again.frozen[10] == 1 && again.frozen[9] == 0);
    wn_window_purges_fini(&again);
    for (size_t cut = 0; cut < 200; cut++)
        cr_assert_eq(wn_window_purges_decode((wn_span){bytes, cut}, &again), WN_ERR_FORMAT);
    cr_assert_eq(wn_window_purges_decode((wn_span){bytes, n - 1}, &again), WN_ERR_FORMAT);
    free(bytes);
    wn_window_purges_fini(&p);
}
