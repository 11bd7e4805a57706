// SPDX-License-Identifier: Apache-2.0
// mmdb_make.c: an IPv6 search tree of 24-bit records, a map a network, and the
// metadata that readers insist on.
#include "mmdb_make.h"

#include <stdio.h>
#include <string.h>

enum { NODES_MAX = 128 * MMDB_NETWORKS_MAX, DATA_MAX = 4096, NONE = -1 };
enum { TYPE_TEXT = 2, TYPE_UINT16 = 5, TYPE_UINT32 = 6, TYPE_MAP = 7, TYPE_UINT64 = 9, TYPE_ARRAY = 11 };

typedef struct bytes {
    uint8_t p[DATA_MAX];
    size_t n;
} bytes;

static void put(bytes *b, uint8_t c) {
    if (b->n < sizeof b->p) b->p[b->n++] = c;
}

static void put_control(bytes *b, unsigned type, size_t size) {
    put(b, (uint8_t)((type <= 7 ? type << 5 : 0) | size));
    if (type > 7) put(b, (uint8_t)(type - 7));
}

static void put_bytes(bytes *b, const char *text, size_t n) {
    put_control(b, TYPE_TEXT, n);
    for (size_t i = 0; i < n; i++) put(b, (uint8_t)text[i]);
}

static void put_text(bytes *b, const char *text) {
    put_bytes(b, text, strlen(text));
}

static void put_number(bytes *b, unsigned type, unsigned size, uint64_t v) {
    put_control(b, type, size);
    for (unsigned i = size; i > 0; i--) put(b, (uint8_t)(v >> (8 * (i - 1))));
}

static void put_country(bytes *b, const mmdb_network *n) {
    const char *region = n->nested != NULL ? strchr(n->nested, '-') : NULL;
    put_control(b, TYPE_MAP, (size_t)(n->flat != NULL) + (n->nested != NULL) + (region != NULL));
    if (n->flat != NULL) {
        put_text(b, "country_code");
        put_text(b, n->flat);
    }
    if (n->nested != NULL) {
        put_text(b, "country");
        put_control(b, TYPE_MAP, 1);
        put_text(b, "iso_code");
        put_bytes(b, n->nested, strcspn(n->nested, "-"));
    }
    if (region != NULL) {
        put_text(b, "subdivisions");
        put_control(b, TYPE_ARRAY, 1);
        put_control(b, TYPE_MAP, 1);
        put_text(b, "iso_code");
        put_text(b, region + 1);
    }
}

static void put_metadata(bytes *b, unsigned nodes) {
    static const char marker[] = "\xab\xcd\xefMaxMind.com";
    for (size_t i = 0; i + 1 < sizeof marker; i++) put(b, (uint8_t)marker[i]);
    put_control(b, TYPE_MAP, 9);
    put_text(b, "binary_format_major_version");
    put_number(b, TYPE_UINT16, 2, 2);
    put_text(b, "binary_format_minor_version");
    put_number(b, TYPE_UINT16, 2, 0);
    put_text(b, "build_epoch");
    put_number(b, TYPE_UINT64, 8, 1795600000);
    put_text(b, "database_type");
    put_text(b, "Winnow-Test");
    put_text(b, "description");
    put_control(b, TYPE_MAP, 0);
    put_text(b, "ip_version");
    put_number(b, TYPE_UINT16, 2, 6);
    put_text(b, "languages");
    put_control(b, TYPE_ARRAY, 0);
    put_text(b, "node_count");
    put_number(b, TYPE_UINT32, 4, nodes);
    put_text(b, "record_size");
    put_number(b, TYPE_UINT16, 2, 24);
}

bool mmdb_make(const char *path, const mmdb_network *networks, size_t n) {
    static int tree[NODES_MAX][2]; // ≥ 0: a node; NONE; below: data at -2 - value
    static bytes data, meta;
    int nodes = 1;
    data.n = meta.n = 0;
    tree[0][0] = tree[0][1] = NONE;
    for (size_t k = 0; k < n; k++) {
        int at = 0;
        for (unsigned bit = 0; bit < networks[k].bits; bit++) {
            int side = networks[k].address[bit / 8] >> (7 - bit % 8) & 1;
            if (bit + 1 == networks[k].bits) {
                tree[at][side] = -2 - (int)data.n;
                break;
            }
            if (tree[at][side] < 0) {
                tree[nodes][0] = tree[nodes][1] = NONE;
                tree[at][side] = nodes++;
            }
            at = tree[at][side];
        }
        put_country(&data, &networks[k]);
    }
    put_metadata(&meta, (unsigned)nodes);

    FILE *f = fopen(path, "wb");
    if (f == NULL) return false;
    for (int i = 0; i < nodes; i++) {
        for (int side = 0; side < 2; side++) {
            int v = tree[i][side];
            unsigned record = v >= 0      ? (unsigned)v
                              : v == NONE ? (unsigned)nodes
                                          : (unsigned)(nodes + 16 - 2 - v);
            uint8_t be[3] = {(uint8_t)(record >> 16), (uint8_t)(record >> 8), (uint8_t)record};
            fwrite(be, 1, sizeof be, f);
        }
    }
    static const uint8_t gap[16];
    fwrite(gap, 1, sizeof gap, f);
    fwrite(data.p, 1, data.n, f);
    fwrite(meta.p, 1, meta.n, f);
    return fclose(f) == 0;
}
