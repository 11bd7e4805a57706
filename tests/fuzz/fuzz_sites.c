// SPDX-License-Identifier: Apache-2.0
// fuzz_sites.c: any text as sites.yaml: refused in words, or a list that is
// read back the same after it was written.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/tmp/fuzz-sites-XXXXXX", saved[sizeof folder + 16];

static void leave(void) {
    unlink(saved);
    rmdir(folder);
}

static void check(const wn_sites *s) {
    WN_ASSERT(s->n <= WN_SITES_MAX);
    for (size_t i = 0; i < s->n; i++) {
        const wn_site *a = &s->site[i];
        WN_ASSERT(wn_site_name_check(a->name) == NULL && a->tag == wn_site_tag(a->name));
        WN_ASSERT(wn_sites_by_tag(s, a->tag) == a && wn_sites_by_name(s, a->name, strlen(a->name)) == a);
        WN_ASSERT(i == 0 || s->site[i - 1].tag < a->tag);
        WN_ASSERT(a->hosts_n <= WN_SITE_HOSTS_MAX && a->keys_n <= WN_SITE_KEYS_MAX && a->kind < WN_KIND_N);
        for (size_t k = 0; k < a->keys_n; k++) WN_ASSERT(wn_site_key_check(a->keys[k].key) == NULL);
    }
}

static void check_same(const wn_sites *a, const wn_sites *b) {
    WN_ASSERT(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        const wn_site *x = &a->site[i], *y = &b->site[i];
        WN_ASSERT(x->tag == y->tag && x->kind == y->kind && x->organisations == y->organisations);
        WN_ASSERT(strcmp(x->zone, y->zone) == 0 && x->hosts_n == y->hosts_n && x->keys_n == y->keys_n);
        for (size_t h = 0; h < x->hosts_n; h++) WN_ASSERT(strcmp(x->hosts[h], y->hosts[h]) == 0);
        for (size_t k = 0; k < x->keys_n; k++)
            WN_ASSERT(strcmp(x->keys[k].key, y->keys[k].key) == 0 && x->keys[k].server == y->keys[k].server);
        WN_ASSERT(x->has_sign_key == y->has_sign_key &&
                  memcmp(x->sign_key, y->sign_key, sizeof x->sign_key) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_sites s, again;
    char path[64], why[200] = "";
    int line = 0, fd = memfd_create("sites", MFD_CLOEXEC);
    if (saved[0] == '\0') {
        if (mkdtemp(folder) == NULL) abort();
        snprintf(saved, sizeof saved, "%s/sites.yaml", folder);
        atexit(leave);
    }
    if (fd < 0 || (n != 0 && write(fd, data, n) != (ssize_t)n)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (wn_sites_load(path, &s, why, sizeof why, &line) == WN_OK) {
        check(&s);
        WN_ASSERT(wn_sites_save(saved, &s) == WN_OK);
        WN_ASSERT(wn_sites_load(saved, &again, why, sizeof why, &line) == WN_OK);
        check_same(&s, &again);
        wn_sites_fini(&again);
        wn_sites_fini(&s);
    } else {
        WN_ASSERT(memchr(why, '\0', sizeof why) != NULL && why[0] != '\0' && line >= 0);
    }
    close(fd);
    return 0;
}
