// SPDX-License-Identifier: Apache-2.0
// LINK: the same people in two windows and in two tables. Their pseudonyms match
// at chance, and after the seal no store holds any.
#include <math.h>

#include "fold_kit.h"
#include "window_rig.h"

enum { PEOPLE = 10000, BATCHES = 3, PER_BATCH = 400 };

// ---- two tables, two windows ----

static uint64_t name[3][PEOPLE]; // table 0 and table 1 of one window, table 0 of the next

static void name_everybody(void) {
    wn_plan plan;
    wn_table_keys keys[2];
    wn_increment inc[WN_TABLES_MAX];
    kit_plan(&plan);
    for (unsigned w = 0; w < 2; w++) {
        uint8_t k_core[32];
        cr_assert_eq(wn_random(k_core, sizeof k_core), WN_OK);
        wn_table_keys_derive(k_core, &keys[w]);
    }
    for (uint64_t who = 0; who < PEOPLE; who++) {
        // The worst case: a stable P0. In truth K_edge changes it every window.
        wn_observation o = kit_view(7, who * 0x9E3779B97F4A7C15u, who);
        cr_assert_geq(wn_increments_of(&o, &plan, &keys[0], 0, inc), 2);
        name[0][who] = inc[0].person;
        name[1][who] = inc[1].person;
        cr_assert_geq(wn_increments_of(&o, &plan, &keys[1], 0, inc), 1);
        name[2][who] = inc[0].person;
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// How many of a's names occur in b.
static size_t in_both(const uint64_t *a, const uint64_t *b) {
    static uint64_t sorted[PEOPLE];
    size_t n = 0;
    memcpy(sorted, b, sizeof sorted);
    qsort(sorted, PEOPLE, sizeof *sorted, by_size);
    for (size_t i = 0; i < PEOPLE; i++) n += bsearch(&a[i], sorted, PEOPLE, sizeof *sorted, by_size) != NULL;
    return n;
}

// People whose names agree in `bits` bits from `shift` on: chance gives PEOPLE / 2^bits, give or take 4
// sigma.
static void agree_at_chance(const uint64_t *a, const uint64_t *b, unsigned shift, unsigned bits) {
    double p = 1 / (double)(1u << bits), expected = PEOPLE * p, sigma = sqrt(PEOPLE * p * (1 - p));
    size_t n = 0;
    for (size_t i = 0; i < PEOPLE; i++) n += ((a[i] ^ b[i]) >> shift & ((1u << bits) - 1)) == 0;
    cr_assert_leq((double)n, expected + 4 * sigma, "%zu agree in %u bits from %u", n, bits, shift);
}

// Nor does the order of names tell: who comes early in one list comes anywhere in the other.
static void order_is_chance(const uint64_t *a, const uint64_t *b) {
    double sum = 0;
    for (size_t i = 0; i < PEOPLE; i++)
        sum += (ldexp((double)a[i], -64) - 0.5) * (ldexp((double)b[i], -64) - 0.5);
    double r = sum * 12 / PEOPLE; // the variance of each is 1/12
    cr_assert_leq(fabs(r), 4 / sqrt(PEOPLE), "correlation %f", r);
}

Test(link, the_same_people_match_at_chance) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    name_everybody();
    for (unsigned other = 1; other < 3; other++) {
        cr_assert_eq(in_both(name[0], name[other]), 0);
        for (unsigned shift = 0; shift < 64; shift += 8) agree_at_chance(name[0], name[other], shift, 8);
        agree_at_chance(name[0], name[other], 0, 4);
        agree_at_chance(name[0], name[other], 60, 4);
        order_is_chance(name[0], name[other]);
    }
    // The search sees: a list matches itself.
    cr_assert_eq(in_both(name[1], name[1]), PEOPLE);
}

// ---- what is left after the seal ----

typedef struct needles {
    uint64_t *at;
    size_t n, cap;
} needles;

static void add_needle(needles *all, uint64_t x) {
    if (all->n == all->cap) {
        all->cap = all->cap > 0 ? 2 * all->cap : 1024;
        all->at = realloc(all->at, all->cap * sizeof *all->at);
        cr_assert_not_null(all->at);
    }
    all->at[all->n++] = x;
}

static void take_member(void *ctx, const wn_member *m) {
    add_needle(ctx, m->person);
}

// Every P_t of an open window, out of its fold.
static void names_of(const window_rig *rig, const wn_window *day, needles *out) {
    const wn_fold *f = wn_windows_find(rig->ws, day)->fold;
    for (size_t i = 0; i < wn_fold_cells(f); i++) wn_fold_members(f, i, 0, take_member, out);
}

static size_t hits_in(const uint8_t *bytes, size_t n, const needles *sorted) {
    size_t hits = 0;
    for (size_t i = 0; i + 8 <= n; i++) {
        uint64_t x;
        memcpy(&x, bytes + i, 8);
        hits += bsearch(&x, sorted->at, sorted->n, 8, by_size) != NULL;
        x = __builtin_bswap64(x);
        hits += bsearch(&x, sorted->at, sorted->n, 8, by_size) != NULL;
    }
    return hits;
}

static size_t hits_below(const char *folder, const needles *sorted, size_t *inout_files) {
    size_t hits = 0;
    DIR *d = opendir(folder);
    cr_assert_not_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char *path = NULL;
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        cr_assert(asprintf(&path, "%s/%s", folder, e->d_name) > 0);
        cr_assert_eq(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            hits += hits_below(path, sorted, inout_files);
        } else {
            size_t n = 0;
            uint8_t *bytes = file_read(folder, e->d_name, &n);
            hits += hits_in(bytes, n, sorted);
            free(bytes);
            ++*inout_files;
        }
        free(path);
    }
    closedir(d);
    return hits;
}

// What a key holder reads of the published store, decrypted.
static bool search_rows(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    const needles *sorted = ctx;
    cr_assert_eq(hits_in((const uint8_t *)h, sizeof *h, sorted), 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t figure[] = {rows[i].people,  rows[i].events,  rows[i].sessions,
                             rows[i].bounces, rows[i].seconds, rows[i].number};
        cr_assert_eq(hits_in((const uint8_t *)rows[i].label, strlen(rows[i].label[0]), sorted), 0);
        cr_assert_eq(hits_in((const uint8_t *)figure, sizeof figure, sorted), 0);
    }
    return true;
}

Test(link, no_store_holds_a_pseudonym_after_the_seal) {
    static window_rig rig;
    char *home = folder_new();
    needles all = {0};
    wn_window day[2] = {window_of_day(20777), window_of_day(20778)};
    rig_init(&rig);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
    for (unsigned w = 0; w < 2; w++)
        for (unsigned i = 0; i < BATCHES; i++) rig_send(&rig, &day[w], i + 1, i * PER_BATCH, PER_BATCH);
    names_of(&rig, &day[0], &all);
    size_t first_window = all.n;
    names_of(&rig, &day[1], &all);
    cr_assert(first_window > 5000 && all.n == 2 * first_window);
    qsort(all.at, all.n, sizeof *all.at, by_size);
    for (size_t i = 1; i < all.n; i++)
        cr_assert_neq(all.at[i], all.at[i - 1], "one name in two tables or windows");
    for (unsigned w = 0; w < 2; w++) {
        uint64_t rows = 0;
        cr_assert_eq(wn_windows_close_begin(rig.ws, &day[w], true, RIG_NOW), WN_OK);
        cr_assert_eq(wn_windows_seal(rig.ws, &day[w], RIG_NOW, &rows), WN_OK);
        cr_assert_gt(rows, 10);
    }
    size_t files = 0;
    cr_assert_eq(wn_published_scan(rig.published, RIG_SITE, NULL, 0, INT64_MAX, search_rows, &all), WN_OK);
    cr_assert_eq(hits_below(home, &all, &files), 0);
    cr_assert_geq(files, 2);
    // The search sees: a name written into the folder is found.
    char path[400];
    snprintf(path, sizeof path, "%s/planted", home);
    FILE *f = fopen(path, "wb");
    cr_assert(f != NULL && fwrite("abc", 1, 3, f) == 3 && fwrite(&all.at[7], 8, 1, f) == 1 && fclose(f) == 0);
    cr_assert_eq(hits_below(home, &all, &files), 1);
    rig_close(&rig);
    rig_fini(&rig);
    free(all.at);
    folder_free(home);
}
