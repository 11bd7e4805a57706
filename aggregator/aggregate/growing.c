// SPDX-License-Identifier: Apache-2.0
// growing.c: anonymous mappings moved by mremap: the kernel moves the pages,
// so no copy of a person's entry stays behind as realloc would leave it.
#include "growing.h"

#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };
#define HUGE_BYTES ((size_t)8 << 20) // from here on huge pages spare TLB misses
#define GROWING_MAX ((size_t)1 << 42)

wn_err wn_growing_reserve(wn_growing *g, size_t bytes) {
    if (bytes <= g->bytes) return WN_OK;
    if (bytes > GROWING_MAX) return WN_ERR_NOMEM;
    size_t want = g->bytes > 0 ? g->bytes : PAGE_BYTES;
    while (want < bytes) want *= 2;
    void *p = g->p == NULL ? mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                           : mremap(g->p, g->bytes, want, MREMAP_MAYMOVE);
    if (p == MAP_FAILED) return WN_ERR_NOMEM;
    // Advice only: a kernel without it changes nothing that we rely on here.
    (void)madvise(p, want, MADV_DONTDUMP);
    if (want >= HUGE_BYTES) (void)madvise(p, want, MADV_HUGEPAGE);
    g->p = p;
    g->bytes = want;
    return WN_OK;
}

void wn_growing_fini(wn_growing *g, size_t used) {
    if (g->p == NULL) return;
    WN_ASSERT(used <= g->bytes);
    wn_wipe(g->p, used);
    (void)munmap(g->p, g->bytes);
    *g = (wn_growing){0};
}
