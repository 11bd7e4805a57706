// SPDX-License-Identifier: Apache-2.0
// Why: a damaged window must be refused and set aside, not take the aggregator
// and all other windows down with it at every start.
#include "vault_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// What LMDB 0.9 writes on a 64-bit machine of this byte order (lmdb's mdb.c).
enum {
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    PAGE_META = 8,
    NODE_BIG = 1,      // data is the number of an overflow page
    NODE_DATABASE = 2, // data is a tree
    FREE_FLAGS = 8,    // MDB_INTEGERKEY
    DEPTH_MAX = 31,
    KEY_MAX = 511,
};
#define MAGIC 0xBEEFC0DEu
#define DATA_VERSION 1u
#define NO_PAGE UINT64_MAX

typedef struct page_head {
    uint64_t number;
    uint16_t pad, flags;
    uint16_t lower, upper; // of an overflow page: its count of pages
} page_head;

typedef struct tree {
    uint32_t pad;
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
} tree;

typedef struct meta {
    uint32_t magic, version;
    uint64_t address, map_bytes;
    tree free, main;
    uint64_t last_page, txn;
} meta;

typedef struct node {
    uint16_t lo, hi, flags, key_n;
} node;

_Static_assert(sizeof(page_head) == 16 && sizeof(tree) == 48 && sizeof(meta) == 136 && sizeof(node) == 8,
               "layout");

typedef struct file {
    const uint8_t *p;
    size_t n, page_bytes;
    uint64_t last_page;
    uint8_t *seen;         // a bit a page: each is in one place of one tree, or free
    uint64_t nodes_n;      // leaves' nodes of that tree so far
    bool is_free, is_main; // which tree is walked, for what its nodes may be
} file;

static bool see(file *f, uint64_t number) {
    if (number < 2 || number > f->last_page) return false;
    uint8_t bit = (uint8_t)(1u << (number & 7));
    if (f->seen[number >> 3] & bit) return false;
    f->seen[number >> 3] |= bit;
    return true;
}

static bool page_of(file *f, uint64_t number, page_head *out) {
    if (number >= f->n / f->page_bytes || !see(f, number)) return false;
    memcpy(out, f->p + number * f->page_bytes, sizeof *out);
    return out->number == number;
}

// A value may lie in more pages than it needs: LMDB leaves them to a shorter one.
static bool overflow_ok(file *f, uint64_t number, uint64_t data_n, const uint8_t **out) {
    page_head h;
    if (!page_of(f, number, &h) || h.flags != PAGE_OVERFLOW) return false;
    uint64_t pages = h.lower | (uint64_t)h.upper << 16;
    if (pages < (sizeof h - 1 + data_n) / f->page_bytes + 1) return false;
    if (pages > f->last_page - number + 1 || pages > f->n / f->page_bytes - number) return false;
    for (uint64_t i = 1; i < pages; i++)
        if (!see(f, number + i)) return false;
    *out = f->p + number * f->page_bytes + sizeof h;
    return true;
}

// A list of free pages: count, then numbers falling.
static bool free_list_ok(file *f, const uint8_t *data, uint64_t data_n) {
    uint64_t count, number, before = f->last_page + 1;
    if (data_n < 8) return false;
    memcpy(&count, data, 8);
    if (count > data_n / 8 - 1) return false;
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(&number, data + 8 * i, 8);
        if (number >= before || !see(f, number)) return false;
        before = number;
    }
    return true;
}

static bool tree_ok(file *f, const tree *t, bool is_free, bool is_main);

static bool leaf_node_ok(file *f, const node *n, const uint8_t *data, size_t room, size_t *out_bytes) {
    uint64_t data_n = n->lo | (uint64_t)n->hi << 16, number;
    bool big = n->flags == NODE_BIG;
    if ((n->flags && !big && n->flags != NODE_DATABASE) || n->key_n == 0) return false;
    size_t held = big ? 8 : (size_t)data_n;
    if (held > room) return false;
    *out_bytes = held;
    if (n->flags == NODE_DATABASE) {
        tree sub;
        if (!f->is_main || data_n != sizeof sub) return false;
        memcpy(&sub, data, sizeof sub);
        file inner = *f;
        return tree_ok(&inner, &sub, false, false);
    }
    if (big) {
        memcpy(&number, data, 8);
        if (!overflow_ok(f, number, data_n, &data)) return false;
    }
    return !f->is_free || free_list_ok(f, data, data_n);
}

static bool subtree_ok(file *f, uint64_t number, unsigned depth_left);

static bool node_ok(file *f, const uint8_t *page, size_t at, bool first, unsigned depth_left,
                    size_t *out_bytes) {
    node n;
    memcpy(&n, page + at, sizeof n);
    size_t room = f->page_bytes - at - sizeof n, held = 0;
    if (n.key_n > KEY_MAX || n.key_n > room || (f->is_free && n.key_n != 8 && !(depth_left && first)))
        return false;
    if (depth_left) {
        uint64_t child = n.lo | (uint64_t)n.hi << 16 | (uint64_t)n.flags << 32;
        if ((!first && n.key_n == 0) || !subtree_ok(f, child, depth_left - 1)) return false;
    } else if (!leaf_node_ok(f, &n, page + at + sizeof n + n.key_n, room - n.key_n, &held)) {
        return false;
    }
    *out_bytes = (sizeof n + n.key_n + held + 1) & ~(size_t)1;
    return true;
}

static bool subtree_ok(file *f, uint64_t number, unsigned depth_left) {
    page_head h;
    if (!page_of(f, number, &h) || h.flags != (depth_left ? PAGE_BRANCH : PAGE_LEAF)) return false;
    if (h.lower < sizeof h || h.lower % 2 || h.upper < h.lower || h.upper > f->page_bytes) return false;
    const uint8_t *page = f->p + number * f->page_bytes;
    size_t nodes = (h.lower - sizeof h) / 2, sum = 0;
    if (!depth_left) f->nodes_n += nodes;
    if (nodes == 0 || (depth_left && nodes < 2)) return false;
    for (size_t i = 0; i < nodes; i++) {
        uint16_t at;
        size_t bytes = 0;
        memcpy(&at, page + sizeof h + 2 * i, sizeof at);
        if (at % 2 || at < h.upper || at > f->page_bytes - sizeof(node)) return false;
        if (!node_ok(f, page, at, i == 0, depth_left, &bytes)) return false;
        sum += bytes;
    }
    return sum == f->page_bytes - h.upper; // nodes lie without a gap
}

static bool tree_ok(file *f, const tree *t, bool is_free, bool is_main) {
    if (t->flags != (is_free ? FREE_FLAGS : 0) || t->depth > DEPTH_MAX) return false;
    if (t->depth == 0 || t->root == NO_PAGE) return t->depth == 0 && t->root == NO_PAGE && t->entries == 0;
    f->is_free = is_free;
    f->is_main = is_main;
    f->nodes_n = 0;
    return subtree_ok(f, t->root, t->depth - 1u) && f->nodes_n == t->entries;
}

static bool meta_read(const file *f, unsigned which, meta *out) {
    page_head h;
    const uint8_t *page = f->p + which * f->page_bytes;
    memcpy(&h, page, sizeof h);
    memcpy(out, page + sizeof h, sizeof *out);
    if (h.number != which || h.flags != PAGE_META || out->magic != MAGIC || out->version != DATA_VERSION)
        return false;
    return out->free.pad == f->page_bytes && (out->txn % 2 == which || out->txn == 0);
}

// The newest root, or that of transaction *txn.
static wn_err find_meta(file *f, const uint64_t *txn, meta *out) {
    meta two[2], *m;
    uint32_t page_bytes;
    memcpy(&page_bytes, f->p + sizeof(page_head) + offsetof(meta, free), sizeof page_bytes);
    if (page_bytes < 512 || page_bytes > 32768 || (page_bytes & (page_bytes - 1)) ||
        f->n < 2 * (size_t)page_bytes)
        return WN_ERR_CORRUPT;
    f->page_bytes = page_bytes;
    if (!meta_read(f, 0, &two[0]) || !meta_read(f, 1, &two[1])) return WN_ERR_CORRUPT;
    m = &two[two[0].txn < two[1].txn];
    if (m->txn && two[0].txn + two[1].txn != 2 * m->txn - 1)
        return WN_ERR_CORRUPT; // commits alternate between the two
    if (txn && two[0].txn != *txn && two[1].txn != *txn) return WN_ERR_BUSY;
    if (txn) m = &two[two[0].txn != *txn];
    *out = *m;
    f->last_page = m->last_page;
    return m->last_page >= 1 && m->last_page < m->map_bytes / page_bytes ? WN_OK : WN_ERR_CORRUPT;
}

static wn_err trees_check(file *f, const uint64_t *txn) {
    meta m;
    WN_TRY(find_meta(f, txn, &m));
    f->seen = calloc(1, (size_t)(f->last_page / 8 + 1));
    if (!f->seen) return WN_ERR_NOMEM;
    bool ok = tree_ok(f, &m.free, true, false) && tree_ok(f, &m.main, false, true);
    free(f->seen);
    return ok ? WN_OK : WN_ERR_CORRUPT;
}

static wn_err check(const char *data_path, const uint64_t *txn) {
    struct stat st;
    int fd = open(data_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_OK : WN_ERR_IO;
    bool known = fstat(fd, &st) == 0;
    if (!known || st.st_size == 0) {
        close(fd);
        return known ? WN_OK : WN_ERR_IO;
    }
    file f = {.n = (size_t)st.st_size};
    void *p =
        f.n >= sizeof(page_head) + sizeof(meta) ? mmap(NULL, f.n, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    close(fd);
    if (p == MAP_FAILED) return f.n < sizeof(page_head) + sizeof(meta) ? WN_ERR_CORRUPT : WN_ERR_IO;
    f.p = p;
    wn_err err = trees_check(&f, txn);
    munmap(p, f.n);
    return err;
}

wn_err wn_vault_pages_check(const char *data_path) {
    return check(data_path, NULL);
}

wn_err wn_vault_pages_check_at(const char *data_path, uint64_t txn) {
    return check(data_path, &txn);
}
