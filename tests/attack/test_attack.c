// SPDX-License-Identifier: Apache-2.0
// INTERVAL: an attacker with everything that was ever published of a small site
// works out what the true counts can be, and pins none.
//
// What is checked, and why so:
//  - a hidden row's people, at every state: no narrower than k − 1, the width
//    that k itself leaves to somebody who knows that the row is hidden (R5), but for
//    one in a thousand, and that one no narrower than k / 2: each table more that a
//    sum goes through takes one away (two crowds of 29 and 39 at most, of which 60 at
//    least are one crowd's, leave 8 to what both hide); where the very same people come
//    every day, and the attacker knows it, days are such tables too: one in fifty;
//  - a shown row's true count: never one number; whoever adds up figures that
//    were rounded down gets a little nearer than k − 1, and what he gets near is k
//    people or more;
//  - those who joined between two states, and those whom total − rows leaves: k
//    people at least, or an interval no narrower than k − 1;
//  - an organisation: two colluding others, who know their own people, overshoot
//    by p% at least when they take all the rest for the third's (R4). An interval
//    would say nothing: nothing is published by organisation, and each may have none.
// Every interval must hold the truth, or the attacker is wrong and proves nothing: so the bold one's days
// are told apart by whether all his intervals do.
//
// WN_ATTACK_WORLDS: how many worlds (2; `./check --long` 30); WN_ATTACK_DAYS: of so many days (2; 30).
#include "attack_solve.h"

enum { WORLDS = 2, DAYS = 2, DAYS_MAX = 60, LINKED_MAX = 4, LAST = ATTACK_STATES - 1 };

typedef struct found {
    size_t hidden, hidden_narrow, hidden_pinned;
    size_t shown, shown_narrow, shown_pinned;
    size_t between, between_narrow, contradictions;
    size_t wrong, wrong_pinned,
        misled;        // beside the truth; of these one number; right, on a day with wrong ones
    int64_t narrowest; // of hidden rows, in hundredths of k
} found;

static unsigned wanted(const char *name, unsigned otherwise, unsigned most) {
    const char *text = getenv(name);
    unsigned long n = text != NULL ? strtoul(text, NULL, 10) : otherwise;
    return n < 1 ? 1 : n > most ? most : (unsigned)n;
}

static bool is_wide(attack_bounds b, uint32_t k) {
    return b.most == INT64_MAX || b.most - b.least >= (int64_t)k - 1;
}

static bool holds(attack_bounds b, uint32_t truth) {
    return b.least <= (int64_t)truth && (int64_t)truth <= b.most;
}

static void judge_cell(attack *a, const attack_day *d, unsigned day, unsigned state, size_t cell, bool sure,
                       found *out) {
    attack_cell c = attack_cell_at(cell);
    if (c.table == ATTACK_T_HOUR && cell - attack_first[c.table] > state) return; // has not begun
    attack_bounds b = attack_cell_people(a, day, state, cell);
    bool right = holds(b, d->people[state][cell]), wide = is_wide(b, d->k[c.table]);
    cr_assert(right || !sure, "day %u state %u cell %zu: %u people, not %lld to %lld", day, state, cell,
              d->people[state][cell], (long long)b.least, (long long)b.most);
    bool pinned = right && b.least == b.most;
    out->wrong += !right;
    out->wrong_pinned += !right && b.least == b.most;
    if (d->shown[state][cell].people > 0) {
        out->shown++;
        out->shown_narrow += right && !wide;
        out->shown_pinned += pinned;
    } else {
        out->hidden++;
        out->hidden_narrow += right && !wide;
        out->hidden_pinned += pinned;
        int64_t width = wide ? 100 : 100 * (b.most - b.least + 1) / d->k[c.table];
        if (right && (out->narrowest == 0 || width < out->narrowest)) out->narrowest = width;
    }
}

static void judge_between(attack_bounds b, uint32_t truth, uint32_t k, bool sure, found *out) {
    bool right = holds(b, truth);
    cr_assert(right || !sure);
    out->between++;
    out->between_narrow += right && !is_wide(b, k) && b.least < (int64_t)k;
}

// Those who joined between two shown states of a row; those whom total − rows leaves.
static void judge_differences(attack *a, const attack_day *d, unsigned day, bool sure, found *out) {
    for (size_t i = 0; i < ATTACK_CELLS; i++)
        for (unsigned s = 0; s < ATTACK_STATES; s++)
            for (unsigned t = s + 1; t < ATTACK_STATES; t++) {
                if (d->shown[s][i].people == 0 || d->shown[t][i].people <= d->shown[s][i].people) continue;
                judge_between(attack_joined(a, day, s, t, i), d->people[t][i] - d->people[s][i],
                              d->k[attack_cell_at(i).table], sure, out);
            }
}

static void judge_rests(attack *a, const attack_day *d, unsigned day, bool sure, found *out) {
    for (unsigned t = 1; t < ATTACK_TABLES; t++) {
        uint32_t truth = 0;
        bool overlaps = t == ATTACK_T_HOUR || t == ATTACK_T_ROUTE, any = false;
        for (size_t i = attack_first[t]; i < attack_first[t + 1]; i++) {
            if (d->shown[LAST][i].people > 0) continue;
            any = true;
            truth += d->people[LAST][i];
        }
        if (!any) continue; // every value is shown
        attack_bounds b = attack_hidden_people(a, day, t);
        judge_between(b, overlaps ? (uint32_t)b.least : truth, d->k[t], sure, out);
    }
}

// every_state: all of them, and what lies between; else the seal alone.
static void judge(const attack_kind *kind, const attack_day *days, unsigned n, attack_mood mood,
                  bool every_state, found *out) {
    bool sure = mood == ATTACK_SURE;
    attack *a = attack_new(kind, days, n, mood);
    if (attack_contradicts(a)) {
        cr_assert_not(sure, "what is so fits with what is published");
        out->contradictions++;
    } else {
        for (unsigned day = 0; day < n; day++) {
            for (unsigned s = every_state ? 0 : LAST; s < ATTACK_STATES; s++)
                for (size_t i = 0; i < ATTACK_CELLS; i++) judge_cell(a, &days[day], day, s, i, sure, out);
            if (every_state) judge_differences(a, &days[day], day, sure, out);
            judge_rests(a, &days[day], day, sure, out);
        }
    }
    attack_free(a);
}

static void say(const char *what, const found *f) {
    fprintf(stderr,
            "attack: %s: %zu hidden rows: %zu pinned, %zu narrower than k - 1; %zu shown: %zu pinned, %zu "
            "narrower; %zu differences: %zu narrow; %zu contradictions; narrowest %lld %% of k; beside the "
            "truth %zu, "
            "%zu of them one number, and %zu right on such a day\n",
            what, f->hidden, f->hidden_pinned, f->hidden_narrow, f->shown, f->shown_pinned, f->shown_narrow,
            f->between, f->between_narrow, f->contradictions, (long long)f->narrowest, f->wrong,
            f->wrong_pinned, f->misled);
}

// Of four worlds one's people name their organisation late.
static attack_kind kind_of(unsigned world, bool always) {
    return (attack_kind){
        .seed = world + 1, .always = always, .declares = world % 2 == 1, .late = world % 4 == 1};
}

static void over_worlds(attack_mood mood, bool always, found *out) {
    static attack_day days[DAYS_MAX];
    unsigned worlds = wanted("WN_ATTACK_WORLDS", WORLDS, 1000), n = wanted("WN_ATTACK_DAYS", DAYS, DAYS_MAX);
    for (unsigned w = 0; w < worlds; w++) {
        attack_kind kind = kind_of(w, always);
        for (unsigned day = 0; day < n; day++) attack_live(&kind, day, &days[day]);
        // Days that share their people are one program: so many at a time.
        for (unsigned day = 0; day < n && always; day += LINKED_MAX)
            judge(&kind, &days[day], n - day < LINKED_MAX ? n - day : LINKED_MAX, mood, false, out);
        bool thorough = mood == ATTACK_SURE;
        for (unsigned day = 0; day < n && !always; day++) {
            found before = *out;
            judge(&kind, &days[day], 1, mood, thorough && day == 0, out);
            if (out->wrong == before.wrong) continue; // believed what was so
            out->misled +=
                out->hidden_pinned + out->shown_pinned - before.hidden_pinned - before.shown_pinned;
        }
    }
}

// Among how many hidden rows one may be narrower than k − 1.
static void passes(const found *f, size_t one_in) {
    size_t days = (size_t)wanted("WN_ATTACK_WORLDS", WORLDS, 1000) * wanted("WN_ATTACK_DAYS", DAYS, DAYS_MAX);
    cr_assert_gt(f->hidden, 8 * days, "a world without hidden rows shows nothing");
    cr_assert_gt(f->shown, 8 * days);
    cr_assert_eq(f->hidden_pinned + f->shown_pinned, 0);
    cr_assert_leq(one_in * f->hidden_narrow, f->hidden);
    cr_assert_geq(f->narrowest, 50, "narrower than half of k");
    cr_assert_eq(f->between_narrow, 0);
}

Test(attack, who_is_sure_of_all_that_is_published_pins_no_row, .timeout = 100000) {
    found f = {0};
    over_worlds(ATTACK_SURE, false, &f);
    say("sure", &f);
    passes(&f, 1000);
}

Test(attack, nor_does_the_same_crowd_every_day_give_a_row_away, .timeout = 100000) {
    found f = {0};
    over_worlds(ATTACK_SURE, true, &f);
    say("sure, the same people every day", &f);
    passes(&f, 50);
}

// Takes for granted what he cannot know. On days when it was so he pins nothing; on others his single
// numbers are false, but for one in four at most that he cannot tell from them.
Test(attack, who_believes_that_no_organisation_holds_a_row_back_pins_none, .timeout = 100000) {
    found f = {0};
    over_worlds(ATTACK_BOLD, false, &f);
    say("bold", &f);
    cr_assert_eq(f.hidden_pinned + f.shown_pinned, f.misled);
    cr_assert_leq(3 * f.misled, f.wrong_pinned);
}

// ---- the truth itself ----

typedef struct crowd_seen {
    uint32_t people, org[ATTACK_ORGS + 1]; // last: of none, who are one
} crowd_seen;

static void add_people(crowd_seen *c, const attack_day *d, unsigned state, size_t cell, int sign) {
    c->people += (uint32_t)sign * d->people[state][cell];
    for (unsigned g = 0; g < ATTACK_ORGS; g++) c->org[g] += (uint32_t)sign * d->org[state][cell][g];
}

// Two colluding organisations that know their own people take the rest for the
// third's: by how much, in hundredths of it, do they overshoot at the least?
static bool hides_organisations(const crowd_seen *c, uint32_t p_percent) {
    unsigned some = 0;
    for (unsigned v = 0; v <= ATTACK_ORGS; v++) {
        uint32_t x[2] = {0, 0};
        some += c->org[v] > 0;
        for (unsigned g = 0; g <= ATTACK_ORGS; g++) {
            if (g == v) continue;
            if (c->org[g] > x[0]) {
                x[1] = x[0];
                x[0] = c->org[g];
            } else if (c->org[g] > x[1]) {
                x[1] = c->org[g];
            }
        }
        if (100 * (c->people - x[0] - x[1] - c->org[v]) < p_percent * c->org[v]) return false;
    }
    return some >= 4;
}

// Every pair of published states of a row (nothing, before it was shown, is one).
static void check_row(const attack_day *d, size_t cell, size_t *inout_n) {
    for (int s = -1; s < LAST; s++) {
        uint32_t before = s < 0 ? 0 : d->shown[s][cell].people;
        // As it is at s since it moved last.
        int moved = s;
        while (moved > 0 && d->shown[moved - 1][cell].people == before) moved--;
        if (s >= 0 && before == 0) continue;
        for (int t = s + 1; t < ATTACK_STATES; t++) {
            uint32_t was = t == 0 ? 0 : d->shown[t - 1][cell].people;
            if (d->shown[t][cell].people <= was) continue; // did not move here
            crowd_seen joined = {0};
            add_people(&joined, d, (unsigned)t, cell, 1);
            if (s >= 0) add_people(&joined, d, (unsigned)moved, cell, -1);
            cr_assert_geq(joined.people, d->k[attack_cell_at(cell).table]);
            cr_assert(hides_organisations(&joined, d->p_percent), "cell %zu, states %d to %d", cell, s, t);
            ++*inout_n;
        }
    }
}

// Who is in no row of the seal, where a row of them all is shown.
static void check_other(const attack_day *d, unsigned table, size_t *inout_n) {
    if (d->other[table].people == 0 || table == ATTACK_T_HOUR || table == ATTACK_T_ROUTE) return;
    crowd_seen rest = {0};
    for (size_t i = attack_first[table]; i < attack_first[table + 1]; i++)
        if (d->shown[LAST][i].people == 0) add_people(&rest, d, LAST, i, 1);
    cr_assert_eq(d->other[table].people, rest.people - rest.people % d->k[table]);
    cr_assert_geq(rest.people, d->k[table]);
    cr_assert(hides_organisations(&rest, d->p_percent));
    ++*inout_n;
}

Test(attack, between_any_two_published_states_lie_k_people_and_no_organisation_leads) {
    static attack_day d;
    size_t n = 0, others = 0;
    for (unsigned w = 0; w < 20; w++)
        for (unsigned day = 0; day < 5; day++) {
            attack_kind kind = kind_of(w, day == 4);
            kind.late = false;
            attack_live(&kind, day, &d);
            for (size_t i = 0; i < ATTACK_CELLS; i++) check_row(&d, i, &n);
            for (unsigned t = 1; t < ATTACK_TABLES; t++) check_other(&d, t, &others);
        }
    cr_assert_gt(n, 2000);
    cr_assert_gt(others, 50);
}

// What somebody is known to be of when a row moves is what counts, not what they were when they came.
Test(attack, who_joins_at_a_step_hides_the_organisations_that_were_named_by_then) {
    static attack_day d;
    size_t n = 0;
    for (unsigned w = 0; w < 60; w++)
        for (unsigned day = 0; day < 5; day++) {
            attack_kind kind = {.seed = w + 1, .declares = true, .late = true};
            attack_live(&kind, day, &d);
            for (unsigned s = 0; s < ATTACK_STATES; s++)
                for (size_t i = 0; i < ATTACK_CELLS; i++) {
                    crowd_seen joined = {0};
                    memcpy(joined.org, d.joined[s][i], sizeof joined.org);
                    for (unsigned g = 0; g <= ATTACK_ORGS; g++) joined.people += joined.org[g];
                    if (joined.people == 0) continue;
                    cr_assert(hides_organisations(&joined, d.p_percent), "world %u day %u state %u cell %zu",
                              w, day, s, i);
                    n++;
                }
        }
    cr_assert_gt(n, 4000, "%zu steps", n);
}

// ---- does the attacker see at all? ----

Test(attack, exact_counts_are_pinned, .timeout = 100000) {
    static attack_day d;
    found f = {0};
    for (unsigned w = 0; w < 6; w++) {
        attack_kind kind = kind_of(w, false);
        attack_live(&kind, 0, &d);
        for (size_t i = 0; i < ATTACK_CELLS; i++) // as an exact system would show it
            if (d.people[LAST][i] >= d.k[attack_cell_at(i).table])
                d.shown[LAST][i] = (attack_row){d.people[LAST][i], d.events[LAST][i]};
        memset(d.other, 0, sizeof d.other);
        attack *a = attack_new(&kind, &d, 1, ATTACK_SURE);
        cr_assert_not(attack_contradicts(a));
        for (size_t i = attack_first[ATTACK_T_CROSS]; i < attack_first[ATTACK_T_CROSS + 1]; i++)
            judge_cell(a, &d, 0, LAST, i, true, &f);
        attack_free(a);
    }
    say("control, exact counts", &f);
    cr_assert_gt(f.hidden_pinned, 2);
    cr_assert_gt(f.hidden_narrow, f.hidden_pinned);
}
