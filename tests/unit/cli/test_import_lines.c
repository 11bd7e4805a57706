// SPDX-License-Identifier: Apache-2.0
// Lines of logs: no line lost, doubled or split, whatever the file.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "import_lines.h"

static char path[] = "/tmp/wn-lines-XXXXXX";

static void setup(void) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void teardown(void) {
    unlink(path);
}

Test(import_lines, a_directory_is_said_to_be_none_of_its_kinds) {
    wn_import_lines *l = NULL;
    cr_assert_eq(wn_import_lines_open("/tmp", &l), WN_ERR_FORMAT);
    cr_assert_eq(wn_import_lines_open("/tmp/none/such", &l), WN_ERR_NOTFOUND);
    cr_assert_null(l);
}

static void write_plain(const char *text, size_t n) {
    FILE *f = fopen(path, "wb");
    fwrite(text, 1, n, f);
    fclose(f);
}

// Reads everything; answers lines, and bytes through out_bytes.
static uint64_t read_all(size_t *out_bytes, size_t *out_chunks, wn_err *out_err) {
    wn_import_lines *l;
    uint64_t lines = 0;
    uint32_t n = 0;
    *out_bytes = *out_chunks = 0;
    cr_assert_eq(wn_import_lines_open(path, &l), WN_OK);
    do {
        *out_err = wn_import_lines_chunk(l, &n);
        if (*out_err != WN_OK) break;
        cr_assert_leq(n, WN_IMPORT_CHUNK_LINES);
        uint64_t seen = 0;
        wn_span piece;
        for (size_t at = 0; wn_import_lines_piece(l, &at, &piece);) {
            cr_assert_leq(piece.n, WN_IMPORT_PIECE_BYTES);
            cr_assert_gt(piece.n, 0);
            cr_assert_eq(piece.p[piece.n - 1], '\n');
            for (size_t i = 0; i < piece.n; i++) seen += piece.p[i] == '\n';
            *out_bytes += piece.n;
        }
        cr_assert_eq(seen, n);
        lines += n;
        *out_chunks += n > 0;
    } while (n > 0);
    wn_import_lines_close(l);
    return lines;
}

static size_t bytes, chunks;
static wn_err err;

Test(import_lines, missing_files_and_folders_are_refused) {
    wn_import_lines *l;
    cr_assert_eq(wn_import_lines_open("/nonexistent", &l), WN_ERR_NOTFOUND);
    cr_assert_neq(wn_import_lines_open("/tmp", &l), WN_OK);
}

Test(import_lines, an_empty_file_has_no_line, .init = setup, .fini = teardown) {
    cr_assert_eq(read_all(&bytes, &chunks, &err), 0);
    cr_assert_eq(err, WN_OK);
}

Test(import_lines, a_last_line_without_end_counts_and_empty_lines_do, .init = setup, .fini = teardown) {
    write_plain("a\n\nb", 4);
    cr_assert_eq(read_all(&bytes, &chunks, &err), 3);
    cr_assert_eq(bytes, 5);
    write_plain("\n", 1);
    cr_assert_eq(read_all(&bytes, &chunks, &err), 1);
}

Test(import_lines, a_line_too_long_is_cut_and_stays_one, .init = setup, .fini = teardown) {
    size_t n = 3 << 20;
    char *text = malloc(n);
    memset(text, 'x', n);
    memcpy(text + n - 3, "\nb\n", 3);
    write_plain(text, n);
    free(text);
    cr_assert_eq(read_all(&bytes, &chunks, &err), 2);
    cr_assert_eq(bytes, WN_IMPORT_LINE_BYTES + 2);
}

Test(import_lines, lines_at_the_longest_fill_pieces_whole, .init = setup, .fini = teardown) {
    FILE *f = fopen(path, "wb");
    for (int i = 0; i < 100; i++) {
        for (size_t j = 0; j + 1 < WN_IMPORT_LINE_BYTES; j++) putc('a', f);
        putc('\n', f);
    }
    fclose(f);
    cr_assert_eq(read_all(&bytes, &chunks, &err), 100);
    cr_assert_eq(bytes, 100 * WN_IMPORT_LINE_BYTES);
}

Test(import_lines, chunks_end_at_their_limit_plain_and_gzip, .init = setup, .fini = teardown) {
    for (int gz = 0; gz < 2; gz++) {
        for (uint32_t more = 0; more < 2; more++) {
            gzFile f = gzopen(path, gz ? "wb" : "wbT");
            size_t wrote = 0;
            for (uint32_t i = 0; i < WN_IMPORT_CHUNK_LINES + more; i++)
                wrote += (size_t)gzprintf(f, "line %u\n", i);
            gzclose(f);
            cr_assert_eq(read_all(&bytes, &chunks, &err), WN_IMPORT_CHUNK_LINES + more);
            cr_assert_eq(err, WN_OK);
            cr_assert_eq(bytes, wrote);
            cr_assert_eq(chunks, 1 + more);
        }
    }
}

Test(import_lines, damaged_gzip_is_an_error_not_an_end, .init = setup, .fini = teardown) {
    gzFile f = gzopen(path, "wb");
    for (int i = 0; i < 50000; i++) gzprintf(f, "%d %d\n", i, rand());
    gzclose(f);
    FILE *whole = fopen(path, "rb");
    fseek(whole, 0, SEEK_END);
    long n = ftell(whole);
    fclose(whole);
    cr_assert_eq(truncate(path, n / 2), 0);
    (void)read_all(&bytes, &chunks, &err);
    cr_assert_eq(err, WN_ERR_FORMAT);
}

Test(import_lines, a_chunk_can_be_sent_again, .init = setup, .fini = teardown) {
    wn_import_lines *l;
    uint32_t n;
    wn_span a, b;
    write_plain("one\ntwo\n", 8);
    cr_assert_eq(wn_import_lines_open(path, &l), WN_OK);
    cr_assert_eq(wn_import_lines_chunk(l, &n), WN_OK);
    size_t at = 0, again = 0;
    cr_assert(wn_import_lines_piece(l, &at, &a));
    cr_assert(!wn_import_lines_piece(l, &at, &b));
    cr_assert(wn_import_lines_piece(l, &again, &b));
    cr_assert_eq(a.n, b.n);
    cr_assert_eq(memcmp(b.p, "one\ntwo\n", 8), 0);
    wn_import_lines_close(l);
}
