// SPDX-License-Identifier: Apache-2.0
// The ledger: any change, gap, swap or cut of what was written is found and
// named by the first entry at fault.
#include "ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define N 6

static wn_ledger_entry entry[N];

static void setup(void) {
    uint8_t previous[32] = {0};
    for (unsigned i = 0; i < N; i++) {
        entry[i] = (wn_ledger_entry){.number = i + 1,
                                     .at_s = 1795300000 + (int64_t)i,
                                     .what = (uint8_t)(1 + 2 * i % 13),
                                     .plan_version = 3,
                                     .policy_version = 2,
                                     .profile = "crowd",
                                     .k_closed = 10,
                                     .k_open = 20,
                                     .rho_micro = 30000,
                                     .delta_nano = 20,
                                     .site = "shop",
                                     .receiver = "partner",
                                     .table = "pages",
                                     .notes = i % 2,
                                     .rows = 1000u * i,
                                     .content = {(uint8_t)i, 0xEE}};
        snprintf(entry[i].window, sizeof entry[i].window, "2026-11-2%u.web.Europe_Berlin", i);
        wn_ledger_chain(&entry[i], previous);
        memcpy(previous, entry[i].digest, 32);
    }
}

TestSuite(ledger, .init = setup);

static wn_ledger_check walk(const wn_ledger_entry *const *list, size_t n, const uint8_t quoted[32]) {
    wn_ledger_check c;
    wn_ledger_check_begin(&c, quoted);
    for (size_t i = 0; i < n; i++)
        if (!wn_ledger_check_entry(&c, list[i])) break;
    wn_ledger_check_end(&c);
    return c;
}

static wn_ledger_check walk_all(const uint8_t quoted[32]) {
    const wn_ledger_entry *list[N];
    for (size_t i = 0; i < N; i++) list[i] = &entry[i];
    return walk(list, N, quoted);
}

Test(ledger, an_untouched_chain_is_sound_and_knows_any_head_it_had) {
    uint8_t zeros[32] = {0};
    wn_ledger_check c = walk_all(NULL);
    cr_assert(c.ok && c.fault == WN_LEDGER_SOUND && c.bad_number == 0 && c.count == N);
    cr_assert_arr_eq(c.head, entry[N - 1].digest, 32);
    for (size_t i = 0; i < N; i++) cr_assert(walk_all(entry[i].digest).ok);
    cr_assert(walk_all(zeros).ok, "quoted before the first entry");
    cr_assert(walk(NULL, 0, NULL).ok);
}

// Changes one field of one entry and leaves its digest.
static void change(wn_ledger_entry *e, unsigned field) {
    switch (field) {
    case 0: e->at_s++; break;
    case 1: e->what++; break;
    case 2: e->window[0] ^= 1; break;
    case 3: e->plan_version++; break;
    case 4: e->policy_version++; break;
    case 5: e->profile[0] ^= 1; break;
    case 6: e->k_closed++; break;
    case 7: e->k_open++; break;
    case 8: e->rows++; break;
    case 9: e->content[31] ^= 1; break;
    case 10: e->rho_micro++; break;
    case 11: e->delta_nano++; break;
    case 12: e->site[0] ^= 1; break;
    case 13: e->receiver[0] ^= 1; break;
    case 14: e->table[0] ^= 1; break;
    case 15: e->notes ^= WN_LEDGER_CROWD_BESIDE_NOISE; break;
    default: e->digest[0] ^= 1; break;
    }
}

Test(ledger, a_change_of_any_field_of_any_entry_is_found) {
    for (unsigned i = 0; i < N; i++) {
        for (unsigned field = 0; field <= 16; field++) {
            wn_ledger_entry kept = entry[i];
            change(&entry[i], field);
            wn_ledger_check c = walk_all(NULL);
            cr_assert(!c.ok && c.fault == WN_LEDGER_CHANGED && c.bad_number == i + 1, "entry %u field %u", i,
                      field);
            cr_assert_eq(c.count, i);
            entry[i] = kept;
        }
    }
}

Test(ledger, a_change_with_a_new_digest_shows_at_the_next_entry) {
    entry[2].rows++;
    wn_ledger_chain(&entry[2], entry[1].digest);
    wn_ledger_check c = walk_all(NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_CHANGED && c.bad_number == 4);
}

Test(ledger, a_whole_new_tail_shows_against_the_quoted_head) {
    uint8_t quoted[32];
    memcpy(quoted, entry[N - 1].digest, 32);
    entry[2].rows++;
    for (unsigned i = 2; i < N; i++) wn_ledger_chain(&entry[i], entry[i - 1].digest);
    cr_assert(walk_all(NULL).ok);
    wn_ledger_check c = walk_all(quoted);
    cr_assert(!c.ok && c.fault == WN_LEDGER_CUT);
}

Test(ledger, missing_moved_repeated_and_cut_entries_are_told_apart) {
    const wn_ledger_entry *e[N + 1] = {0};
    for (size_t i = 0; i < N; i++) e[i] = &entry[i];
    const wn_ledger_entry *first_gone[] = {e[1], e[2]}, *gone[] = {e[0], e[1], e[3], e[4]};
    const wn_ledger_entry *swapped[] = {e[0], e[2], e[1], e[3]}, *twice[] = {e[0], e[1], e[1], e[2]};
    const wn_ledger_entry *cut[] = {e[0], e[1], e[2]};
    wn_ledger_check c = walk(first_gone, 2, NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_MISSING && c.bad_number == 1);
    c = walk(gone, 4, NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_MISSING && c.bad_number == 3 && c.count == 2);
    c = walk(swapped, 4, NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_REORDERED && c.bad_number == 2);
    c = walk(twice, 4, NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_REORDERED && c.bad_number == 2);
    cr_assert(walk(cut, 3, NULL).ok, "a chain alone cannot show a cut end");
    c = walk(cut, 3, entry[4].digest);
    cr_assert(!c.ok && c.fault == WN_LEDGER_CUT && c.bad_number == 4);
}

Test(ledger, follows_asks_for_number_and_digest) {
    cr_assert(wn_ledger_follows(&entry[3], 4, entry[2].digest));
    cr_assert_not(wn_ledger_follows(&entry[3], 5, entry[2].digest));
    cr_assert_not(wn_ledger_follows(&entry[3], 4, entry[1].digest));
}

Test(ledger, reads_back_what_it_wrote) {
    wn_ledger_entry big = entry[0], out;
    memset(big.window, 'w', sizeof big.window - 1);
    memset(big.profile, 'p', sizeof big.profile - 1);
    big.number = big.rows = UINT64_MAX;
    big.at_s = INT64_MIN;
    big.plan_version = big.policy_version = big.k_closed = big.k_open = UINT32_MAX;
    big.rho_micro = big.delta_nano = big.notes = UINT32_MAX;
    memset(big.site, 's', sizeof big.site - 1);
    memset(big.receiver, 'r', sizeof big.receiver - 1);
    memset(big.table, 't', sizeof big.table - 1);
    big.what = UINT8_MAX;
    const wn_ledger_entry *const cases[] = {&entry[0], &entry[5], &big};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        uint8_t bytes[WN_LEDGER_BYTES_MAX], again[WN_LEDGER_BYTES_MAX];
        size_t n = wn_ledger_encode(cases[i], bytes);
        cr_assert_eq(wn_ledger_decode((wn_span){bytes, n}, &out), WN_OK);
        cr_assert_eq(wn_ledger_encode(&out, again), n);
        cr_assert_arr_eq(bytes, again, n);
        cr_assert(out.number == cases[i]->number && out.at_s == cases[i]->at_s && out.rows == cases[i]->rows);
        cr_assert_str_eq(out.window, cases[i]->window);
        cr_assert_str_eq(out.profile, cases[i]->profile);
        cr_assert_str_eq(out.site, cases[i]->site);
        cr_assert_str_eq(out.receiver, cases[i]->receiver);
        cr_assert_str_eq(out.table, cases[i]->table);
        cr_assert(out.rho_micro == cases[i]->rho_micro && out.delta_nano == cases[i]->delta_nano &&
                  out.notes == cases[i]->notes);
    }
}

Test(ledger, refuses_bytes_that_are_cut_longer_or_of_another_version) {
    uint8_t bytes[WN_LEDGER_BYTES_MAX + 1] = {0};
    wn_ledger_entry out = {.number = 77};
    size_t n = wn_ledger_encode(&entry[1], bytes);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        cr_assert_eq(wn_ledger_decode((wn_span){exact, cut}, &out), WN_ERR_FORMAT, "%zu", cut);
        free(exact);
    }
    cr_assert_eq(wn_ledger_decode((wn_span){bytes, n + 1}, &out), WN_ERR_FORMAT);
    bytes[3] = 1; // after the array's head
    cr_assert_eq(wn_ledger_decode((wn_span){bytes, n}, &out), WN_ERR_VERSION);
    static const uint8_t first_version[] = {0x9c, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    cr_assert_eq(wn_ledger_decode((wn_span){first_version, sizeof first_version}, &out), WN_ERR_VERSION,
                 "an array of 12");
    cr_assert_eq(out.number, 77, "outputs are written on success only");
}

Test(ledger, its_canonical_form_stays_what_it_is) {
    static const char want[] = "823f99e67222799c6d2fececb34108c4805685ae2c430bee513161706ce8b1a0";
    char hex[65];
    for (unsigned i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", entry[N - 1].digest[i]);
    cr_assert_str_eq(hex, want, "old ledgers could not be verified any more");
}

Test(ledger, every_kind_has_a_word) {
    cr_assert_str_eq(wn_ledger_what_text(WN_LEDGER_KEYS_DEAD), "keys_dead");
    cr_assert_str_eq(wn_ledger_what_text(0), "unknown");
    cr_assert_str_eq(wn_ledger_what_text(WN_LEDGER_SENDING + 1), "unknown");
    for (uint8_t what = WN_LEDGER_INSTALL; what <= WN_LEDGER_SENDING; what++)
        for (uint8_t other = 0; other < what; other++)
            cr_assert_str_neq(wn_ledger_what_text(what), wn_ledger_what_text(other));
    for (int f = WN_LEDGER_SOUND; f <= WN_LEDGER_CUT; f++)
        cr_assert_str_neq(wn_ledger_fault_text((wn_ledger_fault)f), "unknown");
}

Test(ledger, notes_are_words) {
    char text[WN_LEDGER_NOTES_TEXT];
    wn_ledger_notes_text(0, text);
    cr_assert_str_eq(text, "");
    wn_ledger_notes_text(WN_LEDGER_ORGANISATION, text);
    cr_assert_str_eq(text, "organisation");
    wn_ledger_notes_text(UINT32_MAX, text);
    cr_assert_str_eq(text, "crowd_beside_noise organisation announced doubtful");
}
