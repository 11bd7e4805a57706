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
    wn_import_hand hand;
    uint64_t lines = 0;
    *out_bytes = *out_chunks = 0;
    cr_assert_eq(wn_import_lines_open(path, &l), WN_OK);
    cr_assert_eq(wn_import_hand_open(&hand), WN_OK);
    do {
        *out_err = wn_import_lines_chunk(l, &hand);
        if (*out_err != WN_OK) break;
        cr_assert_leq(hand.lines, WN_IMPORT_CHUNK_LINES);
        cr_assert_leq(hand.n, WN_IMPORT_CHUNK_BYTES + 1);
        uint64_t seen = 0;
        wn_span piece;
        for (size_t at = 0; wn_import_hand_piece(&hand, &at, &piece);) {
            cr_assert_leq(piece.n, WN_IMPORT_PIECE_BYTES);
            cr_assert_gt(piece.n, 0);
            cr_assert_eq(piece.p[piece.n - 1], '\n');
            for (size_t i = 0; i < piece.n; i++) seen += piece.p[i] == '\n';
            *out_bytes += piece.n;
        }
        cr_assert_eq(seen, hand.lines);
        lines += hand.lines;
        *out_chunks += hand.lines > 0;
    } while (hand.lines > 0);
    wn_import_lines_close(l);
    wn_import_hand_close(&hand);
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

Test(import_lines, a_chunk_can_be_sent_again_when_the_next_one_is_read, .init = setup, .fini = teardown) {
    wn_import_lines *l;
    wn_import_hand hand[2];
    wn_span a, b;
    uint32_t wrote = WN_IMPORT_CHUNK_LINES + 2;
    FILE *f = fopen(path, "wb");
    for (uint32_t i = 0; i < wrote; i++) fprintf(f, "%u\n", i);
    fclose(f);
    cr_assert_eq(wn_import_lines_open(path, &l), WN_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(wn_import_hand_open(&hand[i]), WN_OK);
        cr_assert_eq(wn_import_lines_chunk(l, &hand[i]), WN_OK);
    }
    cr_assert_eq(hand[0].lines, WN_IMPORT_CHUNK_LINES);
    cr_assert_eq(hand[1].lines, 2);
    size_t at = 0, again = 0;
    cr_assert(wn_import_hand_piece(&hand[0], &at, &a));
    cr_assert(wn_import_hand_piece(&hand[0], &again, &b));
    cr_assert_eq(a.p, b.p);
    cr_assert_eq(a.n, b.n);
    cr_assert_eq(memcmp(a.p, "0\n1\n2\n", 6), 0);
    char last[64];
    size_t n = (size_t)snprintf(last, sizeof last, "%u\n%u\n", wrote - 2, wrote - 1);
    at = 0;
    cr_assert(wn_import_hand_piece(&hand[1], &at, &a));
    cr_assert(!wn_import_hand_piece(&hand[1], &at, &b));
    cr_assert_eq(a.n, n);
    cr_assert_eq(memcmp(a.p, last, n), 0);
    wn_import_lines_close(l);
    for (int i = 0; i < 2; i++) wn_import_hand_close(&hand[i]);
}

// The longest lines there are: the limit in bytes, and no byte lost where a read goes over it.
Test(import_lines, a_chunk_ends_at_its_bytes_too, .init = setup, .fini = teardown) {
    size_t n = WN_IMPORT_CHUNK_BYTES / WN_IMPORT_LINE_BYTES + 3;
    char *text = malloc(WN_IMPORT_LINE_BYTES + 8);
    memset(text, 'x', WN_IMPORT_LINE_BYTES + 8);
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; i < n; i++) { // every other is too long
        fwrite(text, 1, WN_IMPORT_LINE_BYTES - 1 + i % 2 * 9, f);
        putc('\n', f);
    }
    fclose(f);
    free(text);
    cr_assert_eq(read_all(&bytes, &chunks, &err), n);
    cr_assert_eq(bytes, n * WN_IMPORT_LINE_BYTES);
    cr_assert_eq(chunks, 2);
}
