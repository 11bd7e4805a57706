// SPDX-License-Identifier: Apache-2.0
// The folder of backups: no name is taken twice, no backup is written over, the oldest go; and the file of
// keys.
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_files.h"

#define AT_S 1795300000
static char dir[] = "/tmp/winnow-backups-XXXXXX", file[64];
static int dir_fd;

static void begin(void) {
    cr_assert_not_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/kept", dir);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
    cr_assert_geq(dir_fd, 0);
}

static void end(void) {
    char command[128];
    close(dir_fd);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(backup_files, .init = begin, .fini = end);

static void make(char c, char out_name[WN_BACKUP_NAME_BYTES]) {
    int fd = -1;
    cr_assert_eq(wn_backup_part(dir_fd, &fd), WN_OK);
    cr_assert_eq(write(fd, &c, 1), 1);
    cr_assert_eq(wn_backup_finish(dir_fd, AT_S, out_name), WN_OK);
    close(fd);
}

static char first_byte(const char *name) {
    char c = 0;
    int fd = openat(dir_fd, name, O_RDONLY);
    cr_assert_eq(read(fd, &c, 1), 1, "%s", name);
    close(fd);
    return c;
}

Test(backup_files, two_of_one_second_are_two) {
    char a[WN_BACKUP_NAME_BYTES], b[WN_BACKUP_NAME_BYTES], want[WN_BACKUP_NAME_BYTES];
    make('a', a);
    make('b', b);
    wn_backup_name(AT_S, want);
    cr_assert_str_eq(a, want);
    wn_backup_name(AT_S + 1, want);
    cr_assert_str_eq(b, want, "the next second's");
    cr_assert(first_byte(a) == 'a' && first_byte(b) == 'b');
    cr_assert_eq(faccessat(dir_fd, WN_BACKUP_PART, F_OK, 0), -1);
}

Test(backup_files, there_are_sixty_names_and_then_none) {
    char name[WN_BACKUP_NAME_BYTES];
    int fd = -1;
    for (int i = 0; i < WN_BACKUP_NAMES_MAX; i++) make('a', name);
    cr_assert_eq(wn_backup_part(dir_fd, &fd), WN_OK);
    cr_assert_eq(wn_backup_finish(dir_fd, AT_S, name), WN_ERR_IO);
    close(fd);
    wn_backup_name(AT_S + WN_BACKUP_NAMES_MAX, name);
    cr_assert_eq(faccessat(dir_fd, name, F_OK, 0), -1);
}

Test(backup_files, one_writes_at_a_time_and_what_is_finished_is_not_emptied) {
    char name[WN_BACKUP_NAME_BYTES];
    int fd = -1, other = -1;
    cr_assert_eq(wn_backup_part(dir_fd, &fd), WN_OK);
    cr_assert_eq(wn_backup_part(dir_fd, &other), WN_ERR_BUSY);
    cr_assert_eq(write(fd, "a", 1), 1);
    cr_assert_eq(wn_backup_finish(dir_fd, AT_S, name), WN_OK);
    cr_assert_eq(wn_backup_part(dir_fd, &other), WN_OK, "it has its name: the next one begins");
    close(other);
    close(fd);
    cr_assert_eq(first_byte(name), 'a');
    int left = openat(dir_fd, WN_BACKUP_PART, O_WRONLY); // cut off by a kill
    cr_assert_eq(write(left, "half", 4), 4);
    close(left);
    cr_assert_eq(wn_backup_part(dir_fd, &fd), WN_OK);
    cr_assert_eq(lseek(fd, 0, SEEK_END), 0);
    close(fd);
}

Test(backup_files, the_oldest_go_and_strangers_stay) {
    char name[WN_BACKUP_NAME_BYTES], oldest[WN_BACKUP_NAME_BYTES], newest[WN_BACKUP_NAME_BYTES], none[80];
    snprintf(none, sizeof none, "%s/none", dir);
    cr_assert_eq(wn_backup_count(none, oldest, newest), 0, "no folder");
    cr_assert_eq(wn_backup_count(dir, oldest, newest), 0);
    close(openat(dir_fd, "winnow-notes.backup", O_CREAT | O_WRONLY, 0600));
    for (int i = 0; i < WN_BACKUP_KEEP + 2; i++) make('a', name);
    cr_assert_eq(wn_backup_count(dir, oldest, newest), WN_BACKUP_KEEP + 2);
    cr_assert_str_eq(newest, name);
    cr_assert_eq(wn_backup_roll(dir_fd, WN_BACKUP_KEEP), 2);
    cr_assert_eq(wn_backup_count(dir, oldest, newest), WN_BACKUP_KEEP);
    wn_backup_name(AT_S + 2, name);
    cr_assert_str_eq(oldest, name);
    cr_assert_eq(wn_backup_roll(dir_fd, WN_BACKUP_KEEP), 0);
    cr_assert_eq(faccessat(dir_fd, "winnow-notes.backup", F_OK, 0), 0);
}

// ---- the file of keys ----

static wn_err read_text(const char *text, wn_backup_keys *out) {
    FILE *f = fopen(file, "w");
    fputs(text, f);
    fclose(f);
    return wn_backup_keys_read(file, out);
}

Test(backup_files, keys_are_one_line_or_two_and_never_written_over) {
    wn_backup_keys keys = {.backup = {0xAB}, .purge = {0xCD}, .has_purge = true}, out;
    char text[2 * 65 + 8], one[66];
    struct stat st;
    cr_assert_eq(wn_backup_keys_read(file, &out), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_backup_keys_write(file, &keys), WN_OK);
    cr_assert_eq(wn_backup_keys_write(file, &keys), WN_ERR_STATE, "it is there");
    cr_assert(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 130);
    cr_assert_eq(wn_backup_keys_read(file, &out), WN_OK);
    cr_assert(out.has_purge && memcmp(out.backup, keys.backup, 32) == 0 &&
              memcmp(out.purge, keys.purge, 32) == 0);
    cr_assert_eq(unlink(file), 0);
    keys.has_purge = false;
    cr_assert_eq(wn_backup_keys_write(file, &keys), WN_OK);
    cr_assert(stat(file, &st) == 0 && st.st_size == 65);
    cr_assert_eq(wn_backup_keys_read(file, &out), WN_OK);
    cr_assert_not(out.has_purge);
    memset(one, 'a', 64);
    one[64] = '\0';
    const struct {
        const char *form;
        wn_err err;
    } forms[] = {{"%s", WN_OK},
                 {"%s\n", WN_OK},
                 {"%.63s", WN_ERR_FORMAT},
                 {"%.63s\n", WN_ERR_FORMAT},
                 {"%s\n\n", WN_ERR_FORMAT},
                 {"%.63sg\n", WN_ERR_FORMAT},
                 {"%s ", WN_ERR_FORMAT},
                 {"%s\nx", WN_ERR_FORMAT},
                 {"", WN_ERR_FORMAT}};
    for (size_t i = 0; i < WN_COUNT(forms); i++) {
        snprintf(text, sizeof text, forms[i].form, one);
        cr_assert_eq(read_text(text, &out), forms[i].err, "%zu", i);
    }
    snprintf(text, sizeof text, "%s\n%s", one, one);
    cr_assert_eq(read_text(text, &out), WN_OK);
    cr_assert(out.has_purge);
    snprintf(text, sizeof text, "%s\n%s\nx", one, one);
    cr_assert_eq(read_text(text, &out), WN_ERR_FORMAT);
}
