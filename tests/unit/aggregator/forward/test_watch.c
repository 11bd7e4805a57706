// SPDX-License-Identifier: Apache-2.0
// What of destinations.yaml, and of what it names, makes the forwarder start anew or stand still.
#include "watch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/wn_watch_XXXXXX", file[64], secret[64], out[64];
static wn_watch w;

static void put(const char *path, const char *text) { // as an editor does: another file in its place
    char beside[80];
    snprintf(beside, sizeof beside, "%s.new", path);
    FILE *f = fopen(beside, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(beside, 0600) == 0);
    cr_assert_eq(rename(beside, path), 0);
}

static void begin(void) {
    char why[300];
    int line;
    wn_destinations to;
    cr_assert_eq(wn_watch_begin(&w, folder, "/nowhere", NULL, &to, why, sizeof why, &line), WN_OK);
    wn_destinations_fini(&to);
}

static void up(void) {
    char text[400];
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/destinations.yaml", folder);
    snprintf(secret, sizeof secret, "%s/secret", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    put(secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    cr_assert_eq(mkdir(out, 0700), 0);
    snprintf(
        text, sizeof text,
        "destinations:\n  - {name: hook, kind: webhook, basis: b, url: 'https://a.example/', secret_file: "
        "%s}\n  - {name: fold, kind: file, basis: b, path: %s}\n",
        secret, out);
    put(file, text);
    begin();
}

static void down(void) {
    unlink(file), unlink(secret), rmdir(out), rmdir(folder);
}

TestSuite(watch, .init = up, .fini = down);

Test(watch, nothing_changed_is_nothing_to_do) {
    for (int i = 0; i < 3; i++) cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
}

Test(watch, another_file_or_none_is_read_anew) {
    put(file, "destinations: []\n");
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
    begin();
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    unlink(file);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
    begin();
    put(file, "destinations: []\n");
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
}

// Until it is right nothing is sent; and right again it is read anew, whatever it says.
Test(watch, a_file_that_is_not_right_stops_until_it_is) {
    put(file, "destinations:\n  - {name: hook, kind: webhook}\n");
    for (int i = 0; i < 3; i++) cr_assert(wn_watch_look(&w) == WN_WATCH_BAD && w.line == 2);
    put(file, "destinations: []\n");
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
    begin();
    cr_assert(unlink(file) == 0 && mkdir(file, 0700) == 0); // no file at all
    cr_assert(wn_watch_look(&w) == WN_WATCH_BAD && w.line == 0);
    cr_assert_eq(rmdir(file), 0);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
}

Test(watch, a_secret_or_a_folder_that_is_another_is_opened_anew) {
    put(secret, "whsec_AAAAr8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA\n");
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
    begin();
    char away[80];
    snprintf(away, sizeof away, "%s.away", out);
    cr_assert_eq(rename(out, away), 0);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME, "gone: it may come back");
    cr_assert_eq(rename(away, out), 0);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    cr_assert(rename(out, away) == 0 && mkdir(out, 0700) == 0);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW, "another, which was never opened to us");
    rmdir(away);
}

Test(watch, what_is_named_is_opened_if_it_is_what_it_should_be_and_was_not_read_before) {
    wn_confine_rule rules[WN_WATCH_NAMED_MAX];
    cr_assert_eq(wn_watch_rules(&w, rules), 1);
    cr_assert(strcmp(rules[0].path, out) == 0 && rules[0].write);
    cr_assert(wn_watch_add(&w, secret, WN_WATCH_KEY) && wn_watch_add(&w, secret, WN_WATCH_SYSTEM));
    cr_assert(wn_watch_add(&w, folder, WN_WATCH_KEY) && wn_watch_add(&w, folder, WN_WATCH_SYSTEM));
    cr_assert(wn_watch_add(&w, file, WN_WATCH_FOLDER) && wn_watch_add(&w, "/nowhere", WN_WATCH_FOLDER));
    cr_assert_eq(wn_watch_rules(&w, rules), 3);
    for (int i = 1; i < 3; i++) cr_assert(strcmp(rules[i].path, secret) == 0 && !rules[i].write);
}

Test(watch, there_is_room_for_what_can_be_named_and_for_no_more) {
    size_t before = w.named_n;
    for (size_t i = before; i < WN_WATCH_NAMED_MAX; i++) cr_assert(wn_watch_add(&w, secret, WN_WATCH_KEY));
    cr_assert(!wn_watch_add(&w, secret, WN_WATCH_KEY));
}
