// SPDX-License-Identifier: Apache-2.0
// canary_scan: looks in files and folders for identifiers that should be gone.
//
// Prints a line a file, kind and way of writing, never the identifier. Exit
// status 0: none found (or, with --expect, enough found); 1: otherwise; 2: could not scan.
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "canary_find.h"

#define SLICE_MAX 20000 // identifiers looked for in one pass: about 1.5 GB of patterns at most

static const char help[] =
    "canary_scan --needles FILE [--expect PERCENT] [--kinds a,b] PATH...\n"
    "  --needles FILE    lines of kind, tab, identifier (canary_make writes them)\n"
    "  --expect PERCENT  succeed when at least this share of each kind is found: is the scan blind?\n"
    "  --kinds a,b       only these kinds\n";

typedef struct needle {
    wn_canary_kind kind;
    bool seen;
    char text[WN_CANARY_TEXT_MAX];
} needle;

static struct {
    needle *needle;
    size_t n, cap;
    char (*decoy)[16];
    size_t decoys_n;
    wn_canary_set *set;
    wn_canary_ipv4_counts ipv4;
    uint64_t hits, bytes, files, patterns;
    bool failed, count_files;
    struct {
        uint64_t hits, first;
    } here[WN_CANARY_KIND_N][WN_CANARY_FORM_N];
} run;

static bool wanted(const char *kinds, const char *kind, size_t n) {
    if (!kinds) return true;
    for (const char *p = kinds; *p;) {
        size_t word = strcspn(p, ",");
        if (word == n && memcmp(p, kind, n) == 0) return true;
        p += word + (p[word] == ',');
    }
    return false;
}

static bool read_needles(const char *path, const char *kinds) {
    FILE *f = fopen(path, "r");
    if (!f) return false;
    char line[256];
    size_t decoys_cap = 0;
    bool ok = true;
    while (ok && fgets(line, sizeof line, f)) {
        char *tab = strchr(line, '\t');
        line[strcspn(line, "\n")] = 0;
        if (!tab || strlen(tab + 1) >= WN_CANARY_TEXT_MAX) {
            ok = false;
            break;
        }
        size_t kind_n = (size_t)(tab - line);
        if (kind_n == 5 && memcmp(line, "decoy", 5) == 0) {
            if (run.decoys_n == decoys_cap) {
                decoys_cap = decoys_cap * 2 + 64;
                run.decoy = realloc(run.decoy, decoys_cap * sizeof *run.decoy);
                if (!run.decoy) abort();
            }
            snprintf(run.decoy[run.decoys_n++], 16, "%.15s", tab + 1);
            continue;
        }
        wn_canary_kind kind = wn_canary_kind_by_name(line, kind_n);
        ok = kind != WN_CANARY_KIND_N;
        if (!ok || !wanted(kinds, line, kind_n)) continue;
        if (run.n == run.cap) {
            run.cap = run.cap * 2 + 64;
            run.needle = realloc(run.needle, run.cap * sizeof *run.needle);
            if (!run.needle) abort();
        }
        run.needle[run.n] = (needle){.kind = kind};
        memcpy(run.needle[run.n++].text, tab + 1, strlen(tab + 1) + 1);
    }
    fclose(f);
    return ok && run.n > 0;
}

static void on_hit(void *ctx, uint32_t i, wn_canary_form form, size_t at) {
    (void)ctx;
    needle *x = &run.needle[i];
    x->seen = true;
    if (run.here[x->kind][form].hits++ == 0) run.here[x->kind][form].first = at;
    run.hits++;
}

static void report_file(const char *path, const wn_canary_ipv4_counts *packed) {
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        for (unsigned f = 0; f < WN_CANARY_FORM_N; f++) {
            if (run.here[k][f].hits == 0) continue;
            printf("%s: kind=%s form=%s hits=%" PRIu64 " first_at=%" PRIu64 "\n", path,
                   wn_canary_kind_name((wn_canary_kind)k), wn_canary_form_name((wn_canary_form)f),
                   run.here[k][f].hits, run.here[k][f].first);
        }
    }
    if (!wn_canary_ipv4_leaks(packed)) return;
    printf("%s: kind=ipv4 form=packed4 sent=%" PRIu64 " decoys=%" PRIu64 "\n", path, packed->sent,
           packed->decoys);
}

static void scan_file(const char *path, const struct stat *st) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) close(fd);
    if (map == MAP_FAILED) {
        fprintf(stderr, "canary_scan: cannot read %s\n", path);
        run.failed = true;
        return;
    }
    posix_madvise(map, (size_t)st->st_size, POSIX_MADV_SEQUENTIAL);
    wn_canary_ipv4_counts packed = {0};
    memset(run.here, 0, sizeof run.here);
    wn_canary_set_scan(run.set, map, (size_t)st->st_size, on_hit, NULL);
    wn_canary_set_count_ipv4(run.set, map, (size_t)st->st_size, &packed);
    run.ipv4.sent += packed.sent;
    run.ipv4.decoys += packed.decoys;
    report_file(path, &packed);
    munmap(map, (size_t)st->st_size);
}

static int on_entry(const char *path, const struct stat *st, int what, struct FTW *walk) {
    (void)walk;
    if (what == FTW_DNR || what == FTW_NS) {
        fprintf(stderr, "canary_scan: cannot read %s\n", path);
        run.failed = true;
    }
    if (what != FTW_F || !S_ISREG(st->st_mode)) return 0;
    if (run.count_files) {
        run.files++;
        run.bytes += (uint64_t)st->st_size;
    }
    if (st->st_size > 0) scan_file(path, st);
    return 0;
}

// Identifiers are looked for in slices, so that a million of them fits memory.
static void scan_all(char **paths, int paths_n) {
    for (size_t from = 0; from < run.n; from += SLICE_MAX) {
        size_t to = from + SLICE_MAX < run.n ? from + SLICE_MAX : run.n;
        run.set = wn_canary_set_new();
        for (size_t i = from; i < to; i++) {
            wn_canary_set_add_needle(run.set, (uint32_t)i, run.needle[i].kind, run.needle[i].text);
        }
        size_t decoys_from = run.decoys_n * from / run.n, decoys_to = run.decoys_n * to / run.n;
        for (size_t i = decoys_from; i < decoys_to; i++) wn_canary_set_add_decoy(run.set, run.decoy[i]);
        wn_canary_set_close(run.set);
        run.patterns += wn_canary_set_patterns(run.set);
        run.count_files = from == 0;
        for (int i = 0; i < paths_n; i++) {
            if (nftw(paths[i], on_entry, 32, FTW_PHYS) == 0) continue;
            fprintf(stderr, "canary_scan: cannot read %s\n", paths[i]);
            run.failed = true;
        }
        wn_canary_set_free(run.set);
    }
}

// Prints the share of each kind that was seen; true when each is at least `percent`.
static bool enough(unsigned percent) {
    bool ok = true;
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        uint64_t all = 0, seen = 0;
        for (size_t i = 0; i < run.n; i++) {
            if (run.needle[i].kind != (wn_canary_kind)k) continue;
            all++;
            seen += run.needle[i].seen;
        }
        if (all == 0) continue;
        printf("kind=%s seen=%" PRIu64 " of=%" PRIu64 "\n", wn_canary_kind_name((wn_canary_kind)k), seen,
               all);
        if (seen * 100 < all * percent) ok = false;
    }
    return ok;
}

int main(int argc, char **argv) {
    static const struct option list[] = {{"needles", 1, NULL, 'n'},
                                         {"expect", 1, NULL, 'e'},
                                         {"kinds", 1, NULL, 'k'},
                                         {"help", 0, NULL, 'h'},
                                         {NULL, 0, NULL, 0}};
    const char *needles = NULL, *kinds = NULL;
    unsigned expect = 0;
    for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        switch (c) {
        case 'n': needles = optarg; break;
        case 'k': kinds = optarg; break;
        case 'e':
            if (sscanf(optarg, "%3u", &expect) == 1 && expect >= 1 && expect <= 100) break;
            fputs(help, stderr);
            return 2;
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (!needles || optind >= argc || sodium_init() < 0) {
        fputs(help, stderr);
        return 2;
    }
    if (!read_needles(needles, kinds)) {
        fprintf(stderr, "canary_scan: %s holds no needles, or a line that is none\n", needles);
        return 2;
    }
    scan_all(argv + optind, argc - optind);
    bool leaks = wn_canary_ipv4_leaks(&run.ipv4), seen_enough = enough(expect);
    printf("packed ipv4: sent=%" PRIu64 " decoys=%" PRIu64 "%s\n", run.ipv4.sent, run.ipv4.decoys,
           leaks ? ": more than chance gives" : "");
    printf("scanned files=%" PRIu64 " bytes=%" PRIu64 " identifiers=%zu patterns=%" PRIu64 " hits=%" PRIu64
           "\n",
           run.files, run.bytes, run.n, run.patterns, run.hits);
    if (run.failed || run.files == 0) return 2;
    if (expect) return seen_enough ? 0 : 1;
    return run.hits == 0 && !leaks ? 0 : 1;
}
