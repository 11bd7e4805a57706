// SPDX-License-Identifier: Apache-2.0
// A window's noise is drawn once: whatever call the sealing daemon dies in, there is one sealed version,
// drawn from the seed that was stored, and the budget is entered in the ledger once. Without entropy nothing
// is sealed.
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "clock.h"
#include "noise_terms.h"
#include "store_support.h"
#include "windows_impl.h"

#define NOW (20777LL * 86400 + 40000)
#define SITE "example"
enum { PEOPLE = 600, COUNTRIES = 3, LATER_S = 1000, CRASHED = 9 };

static char *folder;
static wn_window day;
static wn_options options;
static wn_site site;
static wn_sites sites = {&site, 1};
static const wn_sites *borrowed = &sites;
static wn_plan plan;
static wn_slots *slots;
static wn_published *published;
static wn_kept identity;
static uint8_t identity_then[WN_IDENTITY_BYTES];
static wn_windows *ws;
static wn_batch_reader reader;
static uint8_t bytes[WN_BATCH_BYTES_MAX];

// ---- dying in a call ----

static int calls_left; // 0: not armed

static void call(void) {
    if (calls_left != 0 && --calls_left == 0) _exit(CRASHED);
}

// The store's library calls these too: a program's own come before the C library's.
ssize_t write(int fd, const void *p, size_t n) {
    call();
    return syscall(SYS_write, fd, p, n);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
    call();
    return syscall(SYS_pwrite64, fd, p, n, at);
}
ssize_t writev(int fd, const struct iovec *v, int n) {
    call();
    return syscall(SYS_writev, fd, v, n);
}
int fdatasync(int fd) {
    call();
    return (int)syscall(SYS_fdatasync, fd);
}
int fsync(int fd) {
    call();
    return (int)syscall(SYS_fsync, fd);
}
int msync(void *p, size_t n, int flags) {
    call();
    return (int)syscall(SYS_msync, p, n, flags);
}
int ftruncate(int fd, off_t n) {
    call();
    return (int)syscall(SYS_ftruncate, fd, n);
}
int rename(const char *from, const char *to) {
    call();
    return (int)syscall(SYS_rename, from, to);
}
int unlink(const char *path) {
    call();
    return (int)syscall(SYS_unlink, path);
}
int rmdir(const char *path) {
    call();
    return (int)syscall(SYS_rmdir, path);
}

// ---- seeds of the test's choice, and none ----

static bool no_entropy;
static uint8_t next_seed; // 0: random

wn_err __real_wn_random(void *out, size_t n);
wn_err __wrap_wn_random(void *out, size_t n);
wn_err __wrap_wn_random(void *out, size_t n) {
    if (no_entropy) return WN_ERR_ENTROPY;
    if (next_seed == 0) return __real_wn_random(out, n);
    memset(out, next_seed, n);
    next_seed = 0;
    return WN_OK;
}

// What the ledger was told, whatever of it this version keeps.
static wn_ledger_entry told[64];
static size_t told_n;

wn_err __real_wn_published_ledger(wn_published *p, const wn_ledger_entry *e);
wn_err __wrap_wn_published_ledger(wn_published *p, const wn_ledger_entry *e);
wn_err __wrap_wn_published_ledger(wn_published *p, const wn_ledger_entry *e) {
    if (told_n < WN_COUNT(told)) told[told_n++] = *e;
    return __real_wn_published_ledger(p, e);
}

// ---- a daemon's lives ----

static void live_in(const char *where, int64_t now_s) {
    char path[300], open_dir[300];
    snprintf(path, sizeof path, "%s/slots", where);
    snprintf(open_dir, sizeof open_dir, "%s/open", where);
    cr_assert_eq(wn_slots_open(path, false, &slots), WN_OK);
    cr_assert_eq(wn_published_open(where, test_key, false, MAP_BYTES, &published), WN_OK);
    wn_windows_env env = {.options = &options,
                          .sites = &borrowed,
                          .plan = &plan,
                          .slots = slots,
                          .identity = &identity,
                          .published = published,
                          .open_dir = strdup(open_dir),
                          .p_percent = 20};
    cr_assert_eq(wn_windows_open(&env, now_s, &ws), WN_OK);
}

static void killed(void) {
    char *open_dir = (char *)(uintptr_t)ws->env.open_dir;
    wn_windows_close(ws);
    free(open_dir);
    wn_published_close(published);
    wn_slots_close(slots);
}

static wn_table *table_of(open_window *o, const char *id) {
    int at = wn_plan_table(&o->plan, id);
    cr_assert_geq(at, 0);
    return &o->plan.table[at];
}

// Countries (of one each person) and browsers (of two, one of which is kept) are tables with noise.
static void noisy(void) {
    open_window *o = ws->open[0];
    static const char *const ids[] = {"countries", "browsers"};
    for (size_t i = 0; i < o->plan.n; i++) { // of the default plan's own none
        o->plan.table[i].profile = WN_PROFILE_CROWD;
        o->plan.table[i].receivers = 0;
    }
    for (size_t i = 0; i < WN_COUNT(ids); i++) {
        wn_table *t = table_of(o, ids[i]);
        t->profile = WN_PROFILE_NOISE;
        t->measures = WN_MEASURE_PEOPLE;
        t->cells = 1;
        t->k = WN_K_NOISE_CLOSED;
        t->share = true;
        t->receivers = 2;
    }
    o->plan.receivers_n = 2;
    memcpy(o->plan.receiver[0], "first", 6);
    memcpy(o->plan.receiver[1], "second", 7);
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_DEFAULT, false, 2, &o->plan.noise), WN_OK);
}

static void commit(void) {
    cr_assert_eq(wn_windows_stage(ws, NOW), WN_OK);
    cr_assert_eq(wn_windows_commit(ws), WN_OK);
    wn_windows_committed(ws);
}

static const char *const countries[COUNTRIES] = {"DE", "FR", "US"};

// Every one of them views with two browsers, from a network of their own.
static void views(uint64_t sequence, unsigned first, unsigned n) {
    wn_batch_builder *b = NULL;
    const wn_value *none[WN_OPEN_N] = {NULL};
    wn_batch_head head = {.id = {.collector = "collector-------", .generation = 5, .sequence = sequence},
                          .window = day,
                          .policy_version = 1};
    size_t size = 0;
    bool deferred = false;
    cr_assert_eq(wn_batch_builder_new(&b), WN_OK);
    for (unsigned i = first; i < first + n; i++)
        for (uint16_t browser = 1; browser <= 2; browser++) {
            wn_observation o = {
                .prefix = i + 1, .site = site.tag, .kind = WN_OBS_VIEW, .flags = WN_OBS_SHARE};
            memcpy(o.person, &i, sizeof i);
            o.closed[WN_DIM_country] =
                (uint16_t)(countries[i % COUNTRIES][0] << 8 | countries[i % COUNTRIES][1]);
            o.closed[WN_DIM_browser] = browser;
            cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
        }
    cr_assert_eq(wn_batch_builder_finish(b, &head, bytes, sizeof bytes, &size), WN_OK);
    wn_batch_builder_free(b);
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){bytes, size}), WN_OK);
    cr_assert_eq(wn_windows_take(ws, &reader, (wn_span){bytes, size}, NOW, &sequence, &deferred),
                 WN_ANSWER_ACK);
    commit();
}

static void whole(void) {
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
    for (int i = 0; i < 100 && wn_windows_staged(ws); i++) commit();
}

static void setup(void) {
    char why[100];
    int line = 0;
    folder = folder_new();
    char *open_dir = NULL;
    cr_assert(asprintf(&open_dir, "%s/open", folder) > 0);
    cr_assert_eq(mkdir(open_dir, 0700), 0);
    free(open_dir);
    day = window_of_day(20777);
    wn_options_defaults(&options);
    snprintf(site.name, sizeof site.name, SITE);
    site.tag = wn_site_tag(SITE);
    cr_assert_eq(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line),
                 WN_OK);
    cr_assert_eq(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &identity), WN_OK);
    live_in(folder, NOW);
    for (unsigned i = 0; i < PEOPLE / 300; i++) views(i + 1, 300 * i, 300);
    noisy();
}

static void teardown(void) {
    killed();
    wn_plan_fini(&plan);
    folder_free(folder);
}

TestSuite(window_noise, .init = setup, .fini = teardown);

// ---- what was published ----

typedef struct seen {
    uint8_t digest[32]; // of all heads and rows
    unsigned noise_heads, noise_rows;
    uint32_t country[COUNTRIES + 1], countries_n, browsers;
    int64_t published_s;
    wn_public_head countries, traffic;
    crypto_generichash_state hash;
} seen;

static bool see(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    seen *s = ctx;
    crypto_generichash_update(&s->hash, (const uint8_t *)h->table, sizeof h->table);
    crypto_generichash_update(&s->hash, (const uint8_t *)&h->published_s, sizeof h->published_s);
    for (size_t i = 0; i < n; i++) {
        for (unsigned d = 0; d < 2; d++) // what stands behind the words is anything
            crypto_generichash_update(&s->hash, (const uint8_t *)rows[i].label[d],
                                      strlen(rows[i].label[d]) + 1);
        crypto_generichash_update(&s->hash, (const uint8_t *)&rows[i].people, sizeof rows[i].people);
    }
    s->published_s = h->published_s;
    if (strcmp(h->table, "countries") == 0) s->countries = *h;
    if (strcmp(h->table, "traffic") == 0) s->traffic = *h;
    bool is_country = strcmp(h->table, "countries") == 0, is_browser = strcmp(h->table, "browsers") == 0;
    if (!is_country && !is_browser) return true;
    s->noise_heads++;
    s->noise_rows += (unsigned)n;
    for (size_t i = 0; i < n && is_country && i < WN_COUNT(s->country); i++) {
        s->country[i] = rows[i].people;
        s->countries_n++;
    }
    for (size_t i = 0; i < n && is_browser; i++) s->browsers += rows[i].people;
    return true;
}

static void look(seen *s) {
    *s = (seen){0};
    crypto_generichash_init(&s->hash, NULL, 0, 32);
    cr_assert_eq(wn_published_scan(published, NULL, NULL, INT64_MIN, INT64_MAX, see, s), WN_OK);
    crypto_generichash_final(&s->hash, s->digest, 32);
}

typedef struct entries {
    unsigned crowd, noise;
    uint64_t rho_micro; // of all
    uint8_t noise_content[32];
} entries;

static bool count_entry(void *ctx, const wn_ledger_entry *e) {
    entries *n = ctx;
    n->rho_micro += e->rho_micro;
    if (e->what != WN_LEDGER_RELEASE) return true;
    if (strcmp(e->profile, "crowd") == 0) n->crowd++;
    if (strcmp(e->profile, "noise") != 0) return true;
    n->noise++;
    memcpy(n->noise_content, e->content, 32);
    return true;
}

static entries releases(void) {
    entries n = {0};
    cr_assert_eq(wn_published_ledger_each(published, count_entry, &n), WN_OK);
    return n;
}

static wn_err seal_at(int64_t now_s) {
    uint64_t rows = 0;
    return wn_windows_seal(ws, &day, now_s, &rows);
}

Test(window_noise, is_published_at_the_seal_alone_with_its_terms_and_an_entry_of_its_own) {
    seen s;
    size_t moved = 0;
    cr_assert_eq(wn_windows_tick(ws, NOW, &moved), WN_OK);
    look(&s);
    cr_assert(moved > 0 && s.noise_heads == 0, "a tick shows crowds");
    wn_noise_terms terms = ws->open[0]->plan.noise;
    told_n = 0;
    cr_assert_eq(seal_at(NOW + 1), WN_OK);
    look(&s);
    cr_assert(s.noise_heads == 2 && s.countries_n == COUNTRIES && s.noise_rows == COUNTRIES + 2);
    cr_assert_eq(s.published_s, NOW + 1);
    cr_assert(s.countries.profile == WN_PROFILE_NOISE && s.countries.share && s.countries.sealed);
    cr_assert(s.countries.receivers_n == 1 && strcmp(s.countries.receiver[0], "second") == 0);
    cr_assert_eq(s.countries.k, WN_K_NOISE_CLOSED);
    const wn_noise_terms *of = &s.countries.noise;
    cr_assert(of->rho_micro == terms.rho_micro && of->l0 == 4 && !of->signed_only);
    cr_assert(of->variance_num == terms.variance_num && of->variance_den == terms.variance_den);
    cr_assert_eq(of->threshold_closed, terms.threshold_closed);
    cr_assert(s.traffic.profile == WN_PROFILE_CROWD && s.traffic.receivers_n == 0);
    cr_assert_eq(s.traffic.noise.rho_micro, 0);
    for (int i = 0; i < COUNTRIES; i++) // σ = 8.2
        cr_assert(s.country[i] > 150 && s.country[i] < 250 && s.country[i] >= terms.threshold_closed);
    cr_assert(s.browsers > PEOPLE - 90 && s.browsers < PEOPLE + 90, "one of two is kept: %u", s.browsers);
    const wn_ledger_entry *noise = NULL, *crowd = NULL;
    uint64_t rho = 0;
    for (size_t i = 0; i < told_n; i++) {
        rho += told[i].rho_micro;
        if (told[i].what != WN_LEDGER_RELEASE) continue;
        if (strcmp(told[i].profile, "noise") == 0) noise = &told[i];
        else crowd = &told[i];
    }
    cr_assert(noise != NULL && crowd != NULL && memcmp(noise->content, crowd->content, 32) != 0);
    cr_assert(rho == WN_RHO_MICRO_DEFAULT && noise->rho_micro == rho && noise->delta_nano == 20);
    cr_assert(noise->k_closed == WN_K_NOISE_CLOSED && noise->k_open == WN_K_NOISE_OPEN);
    cr_assert(noise->rows == s.noise_rows && crowd->rows > 0 && crowd->rho_micro == 0);
    cr_assert_eq(noise->notes, 0);
    cr_assert(releases().noise == 1 && releases().crowd == 1);
}

Test(window_noise, the_ledger_is_told_when_a_receiver_gets_both_profiles) {
    wn_table *t = table_of(ws->open[0], "traffic");
    t->share = true;
    t->receivers = 3;
    told_n = 0;
    cr_assert_eq(seal_at(NOW), WN_OK);
    bool noted = false;
    for (size_t i = 0; i < told_n; i++)
        noted |= strcmp(told[i].profile, "noise") == 0 && told[i].notes == WN_LEDGER_CROWD_BESIDE_NOISE;
    cr_assert(noted);
}

Test(window_noise, of_a_site_that_the_operator_removed_nothing_is_published) {
    seen s;
    sites.n = 0;
    told_n = 0;
    cr_assert_eq(seal_at(NOW), WN_OK);
    look(&s);
    cr_assert_eq(s.noise_heads, 0);
    cr_assert(releases().noise == 1 && releases().rho_micro == WN_RHO_MICRO_DEFAULT, "drawn, and so spent");
    for (size_t i = 0; i < told_n; i++) cr_assert_eq(told[i].rows, 0);
}

Test(window_noise, a_sealed_window_takes_no_second_draw) {
    wn_public_head h = {.window = day, .table = "countries", .site = SITE, .sealed = true};
    cr_assert_eq(seal_at(NOW), WN_OK);
    cr_assert_eq(seal_at(NOW), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_published_begin(published), WN_OK);
    cr_assert_eq(wn_published_rows(published, &h, NULL, 0), WN_ERR_SEALED);
    cr_assert_eq(wn_published_tick(published, &day, 9, true, NOW), WN_ERR_SEALED);
    wn_published_abort(published);
}

Test(window_noise, without_entropy_nothing_is_sealed_and_nothing_lost) {
    seen s;
    no_entropy = true;
    cr_assert_eq(seal_at(NOW), WN_ERR_ENTROPY);
    no_entropy = false;
    look(&s);
    cr_assert(s.noise_heads == 0 && releases().noise == 0 && releases().crowd == 0);
    cr_assert_eq(wn_windows_state(ws, &day), WN_WINDOW_OPEN);
    cr_assert_not(ws->open[0]->seal.made);
    cr_assert_eq(seal_at(NOW), WN_OK);
    cr_assert_eq(releases().noise, 1);
}

Test(window_noise, a_restart_draws_the_same_at_the_same_time) {
    seen s;
    wn_rows rows = {0};
    wn_lock_rules rules = wn_windows_rules(ws, ws->open[0]);
    next_seed = 0x5A;
    cr_assert_eq(wn_windows_seal_make(ws->open[0], NOW), WN_OK);
    uint8_t seed[WN_NOISE_SEED_BYTES];
    memset(seed, 0x5A, sizeof seed);
    const open_window *o = ws->open[0];
    cr_assert_eq(wn_noise_seal(o->fold, &o->plan, &rules, seed, &rows), WN_OK);
    killed();
    live_in(folder, NOW + LATER_S);
    whole();
    noisy();
    next_seed = 0x77;
    cr_assert_eq(seal_at(NOW + LATER_S), WN_OK);
    look(&s);
    cr_assert_eq(s.published_s, NOW);
    uint64_t sum = 0, want = 0;
    for (size_t i = 0; i < COUNTRIES; i++) sum += s.country[i];
    for (size_t i = 0; i < rows.n; i++)
        want += rows.row[i].table == wn_plan_table(&plan, "countries") ? rows.row[i].people : 0;
    cr_assert(rows.n == s.noise_rows && sum == want, "the stored seed was not used");
    wn_rows_fini(&rows);
}

Test(window_noise, a_record_that_is_not_one_sets_the_window_aside) {
    wn_open_store *store = ws->open[0]->store;
    cr_assert_eq(wn_open_store_begin(store), WN_OK);
    cr_assert_eq(wn_open_store_put(store, "seal", (wn_span){bytes, 40}), WN_OK);
    cr_assert_eq(wn_open_store_commit(store), WN_OK);
    killed();
    live_in(folder, NOW);
    cr_assert(wn_windows_count(ws) == 0 && wn_windows_bad(ws) == 1);
}

// ---- BUDGET: every write and sync of the seal ----

static char *copy_of(const char *from) {
    char *to = folder_new(), *command = NULL;
    cr_assert(asprintf(&command, "cp -a %s/. %s/", from, to) > 0);
    cr_assert_eq(system(command), 0);
    free(command);
    return to;
}

typedef struct outcome { // of a life that was watched
    uint8_t digest[32], content[32];
    bool had_record, was_sealed, wrong;
} outcome;

// The life after: finishes what there is to finish, and says what is published then.
static void finish(const char *where, uint8_t seed, outcome *out) {
    seen s;
    live_in(where, NOW + LATER_S);
    out->was_sealed = wn_windows_count(ws) == 0;
    if (!out->was_sealed) {
        whole();
        noisy();
        out->had_record = ws->open[0]->seal.made;
        next_seed = seed;
        if (seal_at(NOW + LATER_S) != WN_OK) out->wrong = true;
    }
    killed();
    live_in(where, NOW + 2 * LATER_S); // and one more: nothing is left to do
    look(&s);
    entries n = releases();
    out->wrong |= n.noise != 1 || n.crowd != 1 || n.rho_micro != WN_RHO_MICRO_DEFAULT ||
                  wn_windows_count(ws) != 0 || s.noise_heads != 2;
    memcpy(out->digest, s.digest, 32);
    memcpy(out->content, n.noise_content, 32);
    killed();
}

static int in_child(void (*fn)(const char *where, uint8_t seed, outcome *out), const char *where,
                    uint8_t seed, outcome *out) {
    int status = 0;
    memcpy(identity.p, identity_then, sizeof identity_then); // kept memory outlives its daemons
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        fn(where, seed, out);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int crash_at;
static void begin(const char *where, uint8_t seed, outcome *out) {
    (void)out;
    live_in(where, NOW);
    whole();
    noisy();
    next_seed = seed;
    calls_left = crash_at;
    if (seal_at(NOW) != WN_OK) _exit(1);
}

Test(window_noise, whatever_write_it_dies_in_there_is_one_version_of_one_draw, .timeout = 250) {
    enum { FIRST = 0xA1, SECOND = 0xB2, CALLS_MAX = 500 };
    outcome *got = mmap(NULL, 3 * sizeof *got, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(got, MAP_FAILED);
    outcome *first = &got[1], *second = &got[2];
    unsigned before = 0, between = 0, after = 0;
    int status = CRASHED;
    memcpy(identity_then, identity.p, sizeof identity_then);
    killed();
    char *where = copy_of(folder);
    cr_assert_eq(in_child(begin, where, FIRST, NULL), 0);
    cr_assert_eq(in_child(finish, where, 0, first), 0);
    folder_free(where);
    where = copy_of(folder);
    cr_assert_eq(in_child(finish, where, SECOND, second), 0);
    folder_free(where);
    cr_assert_not(first->wrong || second->wrong);
    cr_assert_neq(memcmp(first->digest, second->digest, 32), 0);
    for (crash_at = 1; status == CRASHED && crash_at < CALLS_MAX; crash_at++) {
        *got = (outcome){0};
        where = copy_of(folder);
        status = in_child(begin, where, FIRST, NULL);
        cr_assert(status == CRASHED || status == 0, "%d", status);
        cr_assert_eq(in_child(finish, where, SECOND, got), 0);
        folder_free(where);
        cr_assert_not(got->wrong, "call %d", crash_at);
        // What was stored or published before the crash binds; else the second life's seed is the first.
        const outcome *want = got->was_sealed || got->had_record ? first : second;
        cr_assert_eq(memcmp(got->digest, want->digest, 32), 0, "call %d", crash_at);
        cr_assert_eq(memcmp(got->content, want->content, 32), 0, "call %d", crash_at);
        before += !got->was_sealed && !got->had_record;
        between += got->had_record;
        after += got->was_sealed;
    }
    cr_assert_eq(status, 0, "the seal has an end");
    cr_assert(before >= 2 && between >= 2 && after >= 5, "%u %u %u", before, between, after);
    cr_log_info("%d calls: %u before the record, %u before the marker, %u after", crash_at - 2, before,
                between, after);
    munmap(got, 3 * sizeof *got);
    live_in(folder, NOW); // for teardown
}
