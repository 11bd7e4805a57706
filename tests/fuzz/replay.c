// SPDX-License-Identifier: Apache-2.0
// replay.c: main() of a fuzz target in an ordinary build: runs it over every
// file of a corpus, so that what once crashed is tried in every test run.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

// The input as a block of exactly its size: a read past its end is seen.
static int run(const char *folder, const char *name) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return -1;
    FILE *f = fopen(path, "rb");
    uint8_t *whole = malloc(INPUT_BYTES_MAX + 1);
    if (f == NULL || whole == NULL) {
        if (f != NULL) fclose(f);
        free(whole);
        return -1;
    }
    size_t n = fread(whole, 1, INPUT_BYTES_MAX + 1, f);
    int bad = ferror(f) != 0 || n > INPUT_BYTES_MAX;
    fclose(f);
    uint8_t *exact = bad ? NULL : realloc(whole, n != 0 ? n : 1);
    if (exact == NULL) {
        free(whole);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS (a directory with inputs)\n", argv[0]);
        return 2;
    }
    size_t files = 0;
    int err = 0;
    for (struct dirent *e; err == 0 && (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        err = run(argv[1], e->d_name);
        if (err != 0) fprintf(stderr, "%s cannot be read\n", e->d_name);
        files++;
    }
    closedir(folder);
    if (err == 0 && files == 0) fprintf(stderr, "%s holds no input\n", argv[1]);
    printf("%zu inputs\n", files);
    return err == 0 && files > 0 ? 0 : 1;
}
