// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"
#include "edge.h"
#include "log.h"
#include "mmdb_make.h"

typedef struct rig {
    char dir[40], slots[64], policies_dir[64];
    wn_options o;
    wn_slots *keys;
    wn_kept identity;
    wn_policies *policies;
    const char *policy; // text; NULL: the built-in one
    wn_edge *e;
    int64_t now_s; // noon UTC of a day
} rig;

static const wn_site berlin = {.name = "b", .tag = 11, .zone = "Europe/Berlin", .kind = WN_KIND_WEB};
static const wn_site berlin_too = {.name = "c", .tag = 12, .zone = "Europe/Berlin", .kind = WN_KIND_WEB};
static const wn_site berlin_app = {.name = "d", .tag = 13, .zone = "Europe/Berlin", .kind = WN_KIND_APP};
static const wn_site tokyo = {.name = "e", .tag = 14, .zone = "Asia/Tokyo", .kind = WN_KIND_WEB};

static void start(rig *g) {
    cr_assert_eq(wn_slots_open(g->slots, false, &g->keys), WN_OK);
    char why[200];
    int line;
    wn_policy p;
    const char *policy = g->policy != NULL ? g->policy : wn_policy_default;
    cr_assert_eq(wn_policy_load(policy, strlen(policy), &p, why, sizeof why, &line), WN_OK, "%s", why);
    cr_assert_eq(wn_policies_open(g->policies_dir, &p, why, sizeof why, &g->policies), WN_OK, "%s", why);
    cr_assert_eq(wn_edge_open(&g->o, g->keys, &g->identity, g->policies, &g->e), WN_OK);
}

static void stop(rig *g) {
    wn_edge_close(g->e);
    wn_policies_close(g->policies);
    wn_slots_close(g->keys);
}

static void make(rig *g) {
    memset(g, 0, sizeof *g);
    wn_log_level(WN_LEVEL_ERROR);
    cr_assert_eq(wn_crypt_init(), WN_OK);
    strcpy(g->dir, "/tmp/winnow-edge-XXXXXX");
    cr_assert_not_null(mkdtemp(g->dir));
    snprintf(g->slots, sizeof g->slots, "%s/slots", g->dir);
    snprintf(g->policies_dir, sizeof g->policies_dir, "%s/policy", g->dir);
    strcpy(g->o.trusted_proxies, "127.0.0.0/8");
    strcpy(g->o.config_dir, g->dir);
    g->identity = (wn_kept){.p = calloc(1, WN_IDENTITY_BYTES), .bytes = WN_IDENTITY_BYTES, .fresh = true};
    g->now_s = wn_now_s() / 86400 * 86400 + 43200;
    start(g);
}

static void end(rig *g) {
    stop(g);
    free(g->identity.p);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", g->dir);
    cr_assert_eq(system(command), 0);
}

static const wn_edge_window *at(rig *g, const wn_site *site, int64_t t_s) {
    return wn_edge_window_at(g->e, site, t_s, g->now_s, false);
}

Test(edge, a_bad_proxy_list_is_refused) {
    rig g;
    make(&g);
    wn_edge *e;
    strcpy(g.o.trusted_proxies, "10.0.0.0/99");
    cr_assert_eq(wn_edge_open(&g.o, g.keys, &g.identity, g.policies, &e), WN_ERR_CONFIG);
    end(&g);
}

Test(edge, sites_of_one_zone_and_kind_share_a_window) {
    rig g;
    make(&g);
    const wn_edge_window *w = at(&g, &berlin, g.now_s);
    cr_assert_not_null(w);
    cr_assert(w->open);
    cr_assert_eq(at(&g, &berlin, g.now_s), w);
    cr_assert_eq(at(&g, &berlin_too, g.now_s), w);
    cr_assert_neq(at(&g, &berlin_app, g.now_s), w);
    cr_assert_neq(at(&g, &tokyo, g.now_s), w);
    cr_assert(g.now_s >= w->window.start_s && g.now_s < w->window.end_s);
    cr_assert_eq(wn_edge_find(g.e, &w->window), w);
    cr_assert_eq(wn_edge_slot(g.e, w->slot), w);
    cr_assert_eq(wn_edge_epochs(g.e), 0);
    end(&g);
}

Test(edge, an_event_may_be_five_minutes_ahead_and_no_more) {
    rig g;
    make(&g);
    cr_assert_not_null(at(&g, &berlin, g.now_s + WN_EDGE_AHEAD_S));
    cr_assert_null(at(&g, &berlin, g.now_s + WN_EDGE_AHEAD_S + 1));
    cr_assert_null(at(&g, &berlin, g.now_s + 3 * 86400));
    end(&g);
}

Test(edge, grace_ends_to_the_second_and_apps_have_more) {
    rig g;
    make(&g);
    const wn_edge_window *w = at(&g, &berlin, g.now_s), *app = at(&g, &berlin_app, g.now_s);
    int64_t t_s = w->window.end_s - 1, over_s = w->window.end_s + wn_grace_s(WN_KIND_WEB);
    cr_assert_eq(wn_edge_window_at(g.e, &berlin, t_s, over_s - 1, false), w);
    cr_assert_null(wn_edge_window_at(g.e, &berlin, t_s, over_s, false));
    cr_assert_eq(wn_edge_window_at(g.e, &berlin_app, t_s, over_s, false), app);
    over_s = app->window.end_s + wn_grace_s(WN_KIND_APP);
    cr_assert_eq(wn_edge_window_at(g.e, &berlin_app, t_s, over_s - 1, false), app);
    cr_assert_null(wn_edge_window_at(g.e, &berlin_app, t_s, over_s, false));
    end(&g);
}

Test(edge, a_past_window_opens_only_for_imports_and_only_when_allowed) {
    rig g;
    make(&g);
    int64_t t_s = g.now_s - 400 * 86400;
    cr_assert_null(at(&g, &berlin, t_s));
    cr_assert_null(wn_edge_window_at(g.e, &berlin, t_s, g.now_s, true));
    wn_window w, wrong;
    wn_zone_window(wn_zone_find("Europe/Berlin"), WN_KIND_WEB, t_s, &w);
    wrong = w;
    wrong.end_s++;
    cr_assert_eq(wn_edge_allow(g.e, &wrong), WN_ERR_CONFIG);
    cr_assert_eq(wn_edge_allow(g.e, &w), WN_OK);
    cr_assert_eq(wn_edge_allow(g.e, &w), WN_OK);
    cr_assert_not_null(wn_edge_window_at(g.e, &berlin, t_s, g.now_s, true));
    cr_assert_null(at(&g, &berlin, t_s), "open to live events of a year ago");
    cr_assert_null(wn_edge_window_at(g.e, &berlin, t_s - 86400, g.now_s, true));
    end(&g);
}

Test(edge, a_stopped_window_is_late_and_keeps_its_keys) {
    rig g;
    make(&g);
    wn_window w = at(&g, &berlin, g.now_s)->window;
    wn_edge_stop(g.e, &w);
    cr_assert_null(at(&g, &berlin, g.now_s));
    cr_assert_null(at(&g, &berlin_too, g.now_s));
    const wn_edge_window *still = wn_edge_find(g.e, &w);
    cr_assert(still != NULL && !still->open);
    cr_assert_eq(wn_edge_allow(g.e, &w), WN_ERR_SEALED);
    end(&g);
}

Test(edge, a_window_stopped_before_it_was_opened_stays_closed) {
    rig g;
    make(&g);
    wn_window w;
    wn_zone_window(wn_zone_find("Europe/Berlin"), WN_KIND_WEB, g.now_s, &w);
    wn_edge_stop(g.e, &w);
    cr_assert_null(at(&g, &berlin, g.now_s));
    cr_assert_not_null(at(&g, &tokyo, g.now_s));
    end(&g);
}

static bool has_text(const rig *g, const wn_window *w) {
    char name[WN_SLOT_NAME_BYTES] = "text/";
    uint8_t key[32];
    wn_window_text(w, name + 5);
    return wn_slots_get(g->keys, name, key) == WN_OK;
}

Test(edge, a_forgotten_window_has_no_key_left_and_does_not_come_back) {
    rig g;
    make(&g);
    const wn_edge_window *e = at(&g, &berlin, g.now_s);
    wn_window w = e->window;
    uint8_t key[32];
    memcpy(key, e->key_edge, sizeof key);
    uint32_t slot = e->slot;
    cr_assert(has_text(&g, &w));
    cr_assert_not_null(memmem(g.identity.p, g.identity.bytes, key, sizeof key), "the scan is blind");
    cr_assert_eq(wn_edge_forget(g.e, &w), WN_OK);
    cr_assert_not(has_text(&g, &w));
    cr_assert_null(memmem(g.identity.p, g.identity.bytes, key, sizeof key));
    cr_assert_null(wn_edge_slot(g.e, slot));
    cr_assert_null(wn_edge_find(g.e, &w));
    cr_assert_null(at(&g, &berlin, g.now_s), "opened again with new keys");
    cr_assert_eq(wn_edge_forget(g.e, &w), WN_OK);
    end(&g);
}

Test(edge, a_restart_finds_windows_in_their_slots_with_the_same_keys) {
    rig g;
    make(&g);
    const wn_edge_window *a = at(&g, &berlin, g.now_s), *b = at(&g, &tokyo, g.now_s);
    wn_edge_window was_a = *a, was_b = *b;
    stop(&g);
    start(&g);
    cr_assert_eq(memcmp(wn_edge_slot(g.e, was_a.slot)->key_edge, was_a.key_edge, 32), 0);
    a = at(&g, &berlin, g.now_s);
    b = at(&g, &tokyo, g.now_s);
    cr_assert(a->slot == was_a.slot && b->slot == was_b.slot);
    cr_assert_eq(memcmp(a->key_text, was_a.key_text, 32), 0);
    cr_assert_eq(memcmp(a->epoch, was_a.epoch, 8), 0);
    cr_assert_eq(memcmp(b->key_prefix, was_b.key_prefix, 16), 0);
    cr_assert_eq(wn_edge_epochs(g.e), 0);
    end(&g);
}

Test(edge, a_lost_edge_key_is_a_second_epoch_under_the_same_text_key) {
    rig g;
    make(&g);
    wn_edge_window was = *at(&g, &berlin, g.now_s);
    stop(&g);
    memset(g.identity.p, 0, g.identity.bytes); // the machine was off
    start(&g);
    cr_assert_eq(wn_edge_epochs(g.e), 1);
    const wn_edge_window *now = at(&g, &berlin, g.now_s);
    cr_assert_eq(memcmp(now->key_text, was.key_text, 32), 0);
    cr_assert_neq(memcmp(now->key_edge, was.key_edge, 32), 0);
    cr_assert_neq(memcmp(now->epoch, was.epoch, 8), 0);
    cr_assert_eq(wn_edge_epochs(g.e), 1);
    end(&g);
}

Test(edge, the_table_of_windows_has_a_limit) {
    rig g;
    make(&g);
    wn_window w;
    const wn_zone *z = wn_zone_find("UTC");
    for (int32_t i = 0; i < WN_EDGE_WINDOWS_MAX; i++) {
        wn_zone_window_of_day(z, WN_KIND_WEB, 15000 + i, &w);
        cr_assert_eq(wn_edge_allow(g.e, &w), WN_OK);
    }
    wn_zone_window_of_day(z, WN_KIND_WEB, 14999, &w);
    cr_assert_eq(wn_edge_allow(g.e, &w), WN_ERR_FULL);
    cr_assert_not(has_text(&g, &w), "a key was left behind");
    cr_assert_null(at(&g, &berlin, g.now_s));
    wn_zone_window_of_day(z, WN_KIND_WEB, 15000, &w);
    cr_assert_eq(wn_edge_forget(g.e, &w), WN_OK);
    cr_assert_not_null(at(&g, &berlin, g.now_s));
    end(&g);
}

Test(edge, finds_the_country_file_beside_the_configuration) {
    rig g;
    make(&g);
    char out[2];
    wn_address a;
    cr_assert(wn_address_parse("198.51.100.4", 12, &a)); // of documentation: in no real file
    cr_assert_not(wn_edge_country(g.e, &a, out));
    stop(&g);
    char path[64];
    snprintf(path, sizeof path, "%s/country.mmdb", g.dir);
    cr_assert(mmdb_make(path, &(mmdb_network){{[12] = 198, 51, 100, 0}, 120, "DE", NULL}, 1));
    start(&g);
    cr_assert(wn_edge_has_geo(g.e));
    cr_assert(wn_edge_country(g.e, &a, out) && memcmp(out, "DE", 2) == 0);
    stop(&g);
    strcpy(g.o.country_db, "/nonexistent.mmdb");
    start(&g);
    cr_assert_not(wn_edge_has_geo(g.e), "the file that was named is not there");
    unlink(path);
    end(&g);
}

// ---- policies ----

#define POLICY(version, gpc)                                                                                 \
    "version: " #version "\ndate: 2026-11-20\nsites: [{site: b, consent: {gpc: " #gpc "}}]\n"

static wn_err reload(rig *g, const char *text) {
    char why[200];
    int line;
    wn_policy p;
    cr_assert_eq(wn_policy_load(text, strlen(text), &p, why, sizeof why, &line), WN_OK, "%s", why);
    wn_err err = wn_policies_put(g->policies, &p, why, sizeof why);
    wn_policy_fini(&p);
    return err;
}

static void see(rig *g, const wn_edge_window *w, wn_signal_mode began, wn_signal_mode newest) {
    const wn_site_policy *of[2];
    wn_edge_policies(g->e, &berlin, w, of);
    cr_assert_eq(of[0]->gpc, began);
    cr_assert_eq(of[1]->gpc, newest);
    wn_edge_policies(g->e, &berlin, NULL, of);
    cr_assert_eq(of[0], of[1]);
    cr_assert_eq(of[1]->gpc, newest);
    wn_edge_policies(g->e, &berlin_too, w, of); // a site the policy does not name
    cr_assert(of[0]->gpc == WN_SIGNAL_LIMIT && of[1]->gpc == WN_SIGNAL_LIMIT);
}

Test(edge, a_window_keeps_its_policy_through_reload_and_restart_while_the_newest_holds_at_once) {
    rig g;
    make(&g);
    cr_assert_eq(reload(&g, POLICY(2, limit)), WN_OK);
    wn_window w = at(&g, &berlin, g.now_s)->window;
    uint64_t id = wn_edge_find(g.e, &w)->policy_id;
    see(&g, wn_edge_find(g.e, &w), WN_SIGNAL_LIMIT, WN_SIGNAL_LIMIT);
    cr_assert_eq(reload(&g, POLICY(3, drop)), WN_OK);
    for (int restart = 0; restart < 3; restart++) {
        const wn_edge_window *found = wn_edge_find(g.e, &w);
        cr_assert(found->open && found->policy_id == id && found->policy_version == 2);
        see(&g, found, WN_SIGNAL_LIMIT, WN_SIGNAL_DROP);
        cr_assert_eq(wn_policies_count(g.policies), 2);
        stop(&g);
        g.policy = POLICY(3, drop);
        start(&g);
    }
    // The next window begins with the newest; the old policy goes with the last window that names it.
    int64_t tomorrow_s = g.now_s + 86400;
    const wn_edge_window *next = wn_edge_window_at(g.e, &berlin, tomorrow_s, tomorrow_s, false);
    cr_assert_eq(next->policy_version, 3u);
    see(&g, next, WN_SIGNAL_DROP, WN_SIGNAL_DROP);
    cr_assert_eq(wn_edge_forget(g.e, &w), WN_OK);
    cr_assert_eq(wn_policies_count(g.policies), 1);
    end(&g);
}

Test(edge, a_lost_policy_stops_its_window_and_no_other) {
    rig g;
    make(&g);
    cr_assert_eq(reload(&g, POLICY(2, limit)), WN_OK);
    const wn_edge_window *w = at(&g, &berlin, g.now_s);
    wn_window window = w->window;
    char id[17], path[128];
    wn_policy_id_text(w->policy_id, id);
    cr_assert_eq(reload(&g, POLICY(3, drop)), WN_OK);
    stop(&g);
    snprintf(path, sizeof path, "%s/%s.yaml", g.policies_dir, id);
    FILE *f = fopen(path, "a");
    cr_assert(f != NULL && fputs("# altered\n", f) >= 0 && fclose(f) == 0);
    g.policy = POLICY(3, drop);
    start(&g);
    cr_assert_null(at(&g, &berlin, g.now_s), "its events are late");
    const wn_edge_window *found = wn_edge_find(g.e, &window);
    cr_assert(found != NULL && !found->open && found->policy_version == 2);
    see(&g, found, WN_SIGNAL_DROP, WN_SIGNAL_DROP);
    cr_assert_not_null(at(&g, &tokyo, g.now_s));
    end(&g);
}

Test(edge, a_window_that_never_opened_leaves_no_policy_behind) {
    rig g;
    make(&g);
    uint64_t id;
    uint32_t version;
    cr_assert_eq(wn_policies_begin(g.policies, "UTC.web.2026-01-01", &id, &version), WN_OK);
    cr_assert_eq(reload(&g, POLICY(2, drop)), WN_OK);
    cr_assert_eq(wn_policies_count(g.policies), 2);
    stop(&g); // killed before its keys were made
    g.policy = POLICY(2, drop);
    start(&g);
    cr_assert_eq(wn_policies_count(g.policies), 1);
    end(&g);
}
