// SPDX-License-Identifier: Apache-2.0
// observation.c: names and labels of dimensions from their rows, and the
// sealing of open values.
#include "winnow/observation.h"

#include <assert.h>
#include <endian.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypt.h"
#include "walls.h"
#include "winnow/agent_version.h"

static const char *const dim_names[WN_DIM_N] = {
#define DIM_CLOSED(name, purpose, doc) #name,
#include "dims.def"
#define DIM_OPEN(name, purpose, doc) #name,
#include "dims.def"
};

const char *wn_dim_name(unsigned dim) {
    return dim < WN_DIM_N ? dim_names[dim] : "";
}

bool wn_dim_of_session(unsigned dim) {
    if (!wn_dim_is_open(dim)) return dim < WN_SESSION_CLOSED_N;
    unsigned open = dim - WN_CLOSED_N;
    return open >= WN_DIM_entry && open <= WN_DIM_campaign;
}

unsigned wn_dim_by_name(const char *name) {
    for (unsigned i = 0; i < WN_DIM_N; i++)
        if (strcmp(dim_names[i], name) == 0) return i;
    return WN_DIM_NONE;
}

static const char *const channels[] = {
#define CHANNEL(id, label) label,
#include "channels.def"
#undef CHANNEL
};
static const char *const browsers[] = {
#define BROWSER(id, label, newest) label,
#include "browsers.def"
#undef BROWSER
};
static const char *const systems[] = {
#define SYSTEM(id, label, newest) label,
#include "systems.def"
#undef SYSTEM
};
#define AREA(id, label) label,
static const char *const areas[] = {
#include "areas.def"
};
#undef AREA
#define AGE_BAND(id, label, years_min) label,
static const char *const ages[] = {
#include "age_bands.def"
};
#undef AGE_BAND
#define SIZE_BAND(id, label, count_min) label,
static const char *const sizes[] = {
#include "size_bands.def"
};
#undef SIZE_BAND
#define MAKER(id, label) label,
static const char *const makers[] = {
#include "makers.def"
};
#undef MAKER
#define CONNECTION(id, label) label,
static const char *const connections[] = {
#include "connections.def"
};
#undef CONNECTION
#define JOB_FAMILY(id, label) label,
static const char *const jobs[] = {
#include "job_families.def"
};
#undef JOB_FAMILY
static const char *const devices[] = {
#define DEVICE(id, label) label,
#include "devices.def"
#undef DEVICE
};
static const char *const screens[] = {
#define SCREEN(id, label, width_min) label,
#include "screens.def"
#undef SCREEN
};
static const char *const languages[] = {
#define LANGUAGE(code) code,
#include "languages.def"
#undef LANGUAGE
};
static const char *const countries[] = {
#define COUNTRY(code) code,
#include "countries.def"
#undef COUNTRY
};

// A closed dimension is a list of labels counted from 1, a list of two-letter
// codes taken as two bytes, or the hours.
typedef struct closed_list {
    const char *const *item;
    size_t n;
    bool letters;
} closed_list;

static const closed_list closed_lists[WN_CLOSED_N] = {
    [WN_DIM_channel] = {channels, WN_COUNT(channels), false},
    [WN_DIM_country] = {countries, WN_COUNT(countries), true},
    [WN_DIM_language] = {languages, WN_COUNT(languages), true},
    [WN_DIM_browser] = {browsers, WN_COUNT(browsers), false},
    [WN_DIM_system] = {systems, WN_COUNT(systems), false},
    [WN_DIM_device] = {devices, WN_COUNT(devices), false},
    [WN_DIM_screen] = {screens, WN_COUNT(screens), false},
    [WN_DIM_maker] = {makers, WN_COUNT(makers), false},
    [WN_DIM_connection] = {connections, WN_COUNT(connections), false},
    [WN_DIM_area] = {areas, WN_COUNT(areas), false},
    [WN_DIM_size] = {sizes, WN_COUNT(sizes), false},
    [WN_DIM_age] = {ages, WN_COUNT(ages), false},
    [WN_DIM_job] = {jobs, WN_COUNT(jobs), false},
};
#define HOURS_MAX 25 // a day that ends summer time

// Listed two-letter codes as a table: the aggregator asks for every observation.
static bool letters_listed[WN_CLOSED_N][26 * 26];

static size_t letters_index(unsigned c0, unsigned c1) {
    bool ascii = c0 - 'a' < 26u && c1 - 'a' < 26u;
    return ascii ? (c0 - 'a') * 26 + (c1 - 'a') : SIZE_MAX;
}

__attribute__((constructor)) static void list_letters(void) {
    for (unsigned d = 0; d < WN_CLOSED_N; d++) {
        const closed_list *l = &closed_lists[d];
        for (size_t i = 0; l->letters && i < l->n; i++)
            letters_listed[d][letters_index((unsigned)l->item[i][0] | 0x20u,
                                            (unsigned)l->item[i][1] | 0x20u)] = true;
    }
}

bool wn_closed_valid(unsigned dim, uint16_t value) {
    if (dim >= WN_CLOSED_N) return false;
    if (value == 0) return true;
    if (dim == WN_DIM_hour) return value <= HOURS_MAX;
    if (dim == WN_DIM_browser_version) return wn_browser_version_valid(value);
    if (dim == WN_DIM_system_version) return wn_system_version_valid(value);
    const closed_list *l = &closed_lists[dim];
    if (!l->letters) return value <= l->n;
    // Countries are listed in upper case, languages in lower.
    unsigned c0 = value >> 8, c1 = value & 0xffu, upper = dim == WN_DIM_country ? 0x20u : 0;
    size_t i = letters_index(c0 + upper, c1 + upper);
    return i != SIZE_MAX && letters_listed[dim][i];
}

void wn_closed_label(unsigned dim, uint16_t value, char out[32]) {
    if (value == 0 || !wn_closed_valid(dim, value)) {
        snprintf(out, 32, "unknown");
        return;
    }
    if (dim == WN_DIM_hour) snprintf(out, 32, "%02u:00", value - 1u);
    else if (dim == WN_DIM_browser_version) wn_browser_version_label(value, out);
    else if (dim == WN_DIM_system_version) wn_system_version_label(value, out);
    else if (closed_lists[dim].letters) snprintf(out, 32, "%c%c", value >> 8, value & 0xff);
    else snprintf(out, 32, "%s", closed_lists[dim].item[value - 1]);
}

static uint64_t little_endian(const uint8_t b[8]) {
    uint64_t v;
    memcpy(&v, b, sizeof v);
    return le64toh(v);
}

uint64_t wn_value_id(const wn_value *v) {
    return little_endian(v->nonce);
}

#define VALUE_BLOCK 32

void wn_value_seal(const uint8_t key[32], wn_span text, wn_value *out) {
    WN_ASSERT(text.n <= WN_OPEN_TEXT_MAX);
    uint8_t plain[VALUE_BLOCK * ((1 + WN_OPEN_TEXT_MAX + VALUE_BLOCK - 1) / VALUE_BLOCK)] = {0};
    size_t padded = (1 + text.n + VALUE_BLOCK - 1) / VALUE_BLOCK * VALUE_BLOCK;
    static_assert(sizeof plain + crypto_aead_xchacha20poly1305_ietf_ABYTES == WN_VALUE_SEALED_MAX,
                  "a sealed value fits its buffer");
    plain[0] = (uint8_t)text.n;
    if (text.n != 0) memcpy(plain + 1, text.p, text.n);
    wn_prf(key, text, out->nonce, sizeof out->nonce);
    if (wn_value_id(out) == 0) out->nonce[0] = 1; // 0 means absent
    if (WN_WALL_CIPHER) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(out->bytes, NULL, plain, padded, NULL, 0, NULL, out->nonce,
                                                   key);
    } else {
        memcpy(out->bytes, plain, padded);
        memset(out->bytes + padded, 0, crypto_aead_xchacha20poly1305_ietf_ABYTES);
    }
    out->n = (uint8_t)(padded + crypto_aead_xchacha20poly1305_ietf_ABYTES);
    wn_wipe(plain, sizeof plain);
}

wn_err wn_value_open(const uint8_t key[32], const wn_value *v, char out_text[WN_OPEN_TEXT_MAX + 1],
                     size_t *out_bytes) {
    uint8_t plain[WN_VALUE_SEALED_MAX];
    size_t tag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
    if (v->n < tag + VALUE_BLOCK || v->n > WN_VALUE_SEALED_MAX) return WN_ERR_CORRUPT;
    if (WN_WALL_CIPHER) {
        int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, v->bytes, v->n, NULL, 0,
                                                            v->nonce, key);
        if (rc != 0) return WN_ERR_CORRUPT;
    } else {
        memcpy(plain, v->bytes, v->n - tag);
    }
    size_t n = plain[0];
    if (n > WN_OPEN_TEXT_MAX || n + 1 > v->n - tag) return WN_ERR_CORRUPT;
    memcpy(out_text, plain + 1, n);
    out_text[n] = '\0';
    *out_bytes = n;
    wn_wipe(plain, sizeof plain);
    return WN_OK;
}

uint64_t wn_site_tag(const char *name) {
    uint8_t digest[16];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)name, strlen(name), NULL, 0);
    uint64_t tag = little_endian(digest);
    return tag != 0 ? tag : 1;
}
