// SPDX-License-Identifier: Apache-2.0
#include "window_rig.h"

void rig_init(window_rig *r) {
    char why[100];
    int line = 0;
    memset(r, 0, sizeof *r);
    cr_assert_eq(wn_crypt_init(), WN_OK);
    wn_options_defaults(&r->options);
    r->options.map_mib = 64;
    snprintf(r->site.name, sizeof r->site.name, RIG_SITE);
    r->site.tag = wn_site_tag(RIG_SITE);
    r->sites = (wn_sites){&r->site, 1};
    r->borrowed = &r->sites;
    cr_assert_eq(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &r->plan, why, sizeof why, &line),
                 WN_OK);
    cr_assert_eq(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &r->identity), WN_OK);
}

void rig_fini(window_rig *r) {
    wn_plan_fini(&r->plan);
}

wn_err rig_open(window_rig *r, const char *folder) {
    char path[400];
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    snprintf(r->open_dir, sizeof r->open_dir, "%s/open", folder);
    (void)mkdir(r->open_dir, 0700);
    snprintf(path, sizeof path, "%s/slots", folder);
    wn_err err = wn_slots_open(path, false, &r->slots);
    if (err == WN_OK) err = wn_published_open(folder, test_key, false, MAP_BYTES, &r->published);
    wn_windows_env env = {.options = &r->options,
                          .sites = &r->borrowed,
                          .plan = &r->plan,
                          .slots = r->slots,
                          .identity = &r->identity,
                          .published = r->published,
                          .open_dir = r->open_dir,
                          .p_percent = 20,
                          .replay_ms = 60000};
    if (err == WN_OK) err = wn_windows_open(&env, RIG_NOW, &r->ws);
    if (err == WN_OK) err = wn_windows_work(r->ws, INT64_MAX);
    if (err != WN_OK) rig_close(r);
    return err;
}

void rig_close(window_rig *r) {
    wn_windows_close(r->ws);
    wn_published_close(r->published);
    wn_slots_close(r->slots);
    r->ws = NULL;
    r->published = NULL;
    r->slots = NULL;
}

static void add_person(wn_batch_builder *b, uint64_t site, unsigned who, uint64_t org,
                       const uint8_t text_key[32]) {
    static wn_value page, entry;
    const wn_value *values[WN_OPEN_N] = {NULL};
    static const char countries[][3] = {"DE", "FR", "IT", "ES", "PL"};
    char text[40];
    int n = snprintf(text, sizeof text, "/page-%u", who % 7 == 0 ? who : who % 3); // some pages are rare
    wn_value_seal(text_key, (wn_span){(const uint8_t *)text, (size_t)n}, &page);
    entry = page;
    values[WN_DIM_route] = &page;
    values[WN_DIM_entry] = &entry;
    wn_observation o = {.prefix = who + 1, .org = org, .site = site, .kind = WN_OBS_VIEW};
    memcpy(o.person, &who, sizeof who);
    o.closed[WN_DIM_hour] = (uint16_t)(1 + who % 6);
    o.closed[WN_DIM_device] = (uint16_t)(1 + who % 4);
    o.closed[WN_DIM_country] = (uint16_t)(countries[who % 5][0] << 8 | countries[who % 5][1]);
    o.open[WN_DIM_route] = wn_value_id(&page);
    cr_assert_eq(wn_batch_builder_add(b, &o, values), WN_OK);
    values[WN_DIM_route] = NULL;
    o.open[WN_DIM_route] = 0;
    o.open[WN_DIM_entry] = wn_value_id(&entry);
    o.kind = WN_OBS_SESSION;
    o.seconds = (uint16_t)(who % 600);
    if (who % 2 == 0) o.flags = WN_OBS_BOUNCED;
    cr_assert_eq(wn_batch_builder_add(b, &o, values), WN_OK);
}

void rig_send(window_rig *r, const wn_window *day, uint64_t sequence, unsigned first, unsigned n) {
    static uint8_t bytes[WN_BATCH_BYTES_MAX];
    static wn_batch_reader reader;
    wn_batch_builder *b = NULL;
    wn_batch_head head = {.id = {.collector = "collector-------", .generation = 5, .sequence = sequence},
                          .window = *day,
                          .policy_version = 1};
    size_t size = 0;
    uint64_t answered = 0;
    bool deferred = false;
    memset(head.text_key, 9, sizeof head.text_key);
    cr_assert_eq(wn_batch_builder_new(&b), WN_OK);
    for (unsigned who = first; who < first + n; who++)
        add_person(b, r->site.tag, who, sequence > 1 ? 1 + who % 9 : 0, head.text_key);
    cr_assert_eq(wn_batch_builder_finish(b, &head, bytes, sizeof bytes, &size), WN_OK);
    wn_batch_builder_free(b);
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){bytes, size}), WN_OK);
    cr_assert_eq(wn_windows_take(r->ws, &reader, (wn_span){bytes, size}, RIG_NOW, &answered, &deferred),
                 WN_ANSWER_ACK);
    cr_assert_eq(wn_windows_stage(r->ws, RIG_NOW), WN_OK);
    cr_assert_eq(wn_windows_commit(r->ws), WN_OK);
    wn_windows_committed(r->ws);
}

static void copy_file(const char *from, const char *to) {
    static uint8_t block[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    cr_assert(in && out);
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;) cr_assert_eq(fwrite(block, 1, n, out), n);
    fclose(in);
    cr_assert_eq(fclose(out), 0);
}

void rig_copy(const char *from, const char *to) {
    DIR *d = opendir(from);
    cr_assert(d && mkdir(to, 0700) == 0);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char *a = NULL, *b = NULL;
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        cr_assert(asprintf(&a, "%s/%s", from, e->d_name) > 0 && asprintf(&b, "%s/%s", to, e->d_name) > 0);
        cr_assert_eq(stat(a, &st), 0);
        if (S_ISDIR(st.st_mode)) rig_copy(a, b);
        else copy_file(a, b);
        free(a);
        free(b);
    }
    closedir(d);
}
