// SPDX-License-Identifier: Apache-2.0
// forward_confine.c: of /etc only what is named here, since CONFIG lies there; of /usr not etc and var.
// Keys of other programs' (/etc/ssl/private, /etc/pki/tls/private) are not among them.
#include "forward_confine.h"

#include "log.h"

// Read whenever something is resolved, and replaced by rename: watched.
static const char *const lookups[] = {"/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf",
                                      "/etc/host.conf",   "/etc/gai.conf", "/etc/services",
                                      "/etc/protocols"};

static const char *const system_places[] = {
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share",
    "/usr/local/share",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    // certificates and OpenSSL's settings: Debian, Fedora, Arch, SUSE, Alpine
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/tls/openssl.d",
    "/etc/crypto-policies",
    "/var/lib/ca-certificates",
    // where resolv.conf is a link to
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/dev/urandom",
    "/dev/null",
};

static const char *const aggregator_keys[] = {"control.pub", "cli.curve"};

#ifdef WN_TEST_CLOCK
static const char *const test_places[] = {"/tmp", "/proc"}; // a test's clock; a sanitizer's look for leaks
#define TEST_PLACES WN_COUNT(test_places)
#else
#define TEST_PLACES 0
#endif

bool wn_forward_key(const char *aggregator_dir, size_t i, char out[WN_FORWARD_KEY_PATH]) {
    if (i >= WN_COUNT(aggregator_keys)) return false;
    snprintf(out, WN_FORWARD_KEY_PATH, "%.270s/keys/%s", aggregator_dir, aggregator_keys[i]);
    return true;
}

void wn_forward_confine(wn_watch *w, const char *config_dir, const char *role_dir,
                        const char *aggregator_dir) {
    wn_confine_rule rules[WN_WATCH_NAMED_MAX + WN_COUNT(system_places) + TEST_PLACES + 2];
    char path[WN_FORWARD_KEY_PATH];
    for (size_t i = 0; wn_forward_key(aggregator_dir, i, path); i++)
        WN_ASSERT(wn_watch_add(w, path, WN_WATCH_KEY));
    for (size_t i = 0; i < WN_COUNT(lookups); i++) WN_ASSERT(wn_watch_add(w, lookups[i], WN_WATCH_SYSTEM));
    size_t n = wn_watch_rules(w, rules);
    bool inside = false;
    for (size_t i = 0; i < WN_COUNT(system_places); i++) {
        inside = inside || wn_confine_holds(system_places[i], config_dir);
        rules[n++] = (wn_confine_rule){system_places[i], false};
    }
    if (inside) wn_log(WN_MSG_FORWARD_CONFIG_OPEN, 0, 0, 0);
#ifdef WN_TEST_CLOCK
    for (size_t i = 0; i < TEST_PLACES; i++) rules[n++] = (wn_confine_rule){test_places[i], false};
#endif
#ifdef WN_MUTANT_FORWARD_READS_CONFIG
    rules[n++] = (wn_confine_rule){config_dir, false};
#endif
    rules[n++] = (wn_confine_rule){role_dir, true};
    if (!wn_confine(rules, n)) wn_log(WN_MSG_FORWARD_NO_LANDLOCK, 0, 0, 0);
}
