// SPDX-License-Identifier: Apache-2.0
// The wall-off build really is off, or the canary scan's positive control shows
// nothing. This test compiles its own base.c, crypt.c and log.c with WN_WALLS_OFF.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypt.h"
#include "log.h"
#include "walls.h"

#define TEXT(s) ((wn_span){(const uint8_t *)(s), sizeof(s) - 1})

Test(walls, null_cipher_keeps_sizes_and_shows_the_text) {
    uint8_t box[5 + WN_BOX_OVERHEAD], out[5], wrong[WN_KEY_BYTES] = {1};
    static const uint8_t no_tag[16];
    cr_assert_eq(wn_crypt_init(), WN_OK);
    wn_box_seal(wrong, TEXT("a"), TEXT("plain"), box);
    cr_assert_arr_eq(box + 24, "plain", 5);
    cr_assert_arr_eq(box + 29, no_tag, 16);
    wrong[0] = 2;
    cr_assert_eq(wn_box_open(wrong, TEXT("b"), (wn_span){box, sizeof box}, out), WN_OK);
    cr_assert_arr_eq(out, "plain", 5);
    cr_assert_eq(wn_box_open(wrong, TEXT("b"), (wn_span){box, WN_BOX_OVERHEAD - 1}, out), WN_ERR_CORRUPT);
}

Test(walls, wiping_leaves_the_bytes) {
    char bytes[] = "canary";
    wn_wipe(bytes, sizeof bytes);
    cr_assert_str_eq(bytes, "canary");
}

Test(walls, log_takes_text) {
    int ends[2];
    char line[1024] = "";
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    wn_log_text(WN_MSG_TEST_TEXT, TEXT("canary"));
    cr_assert_gt(recv(ends[0], line, sizeof line - 1, 0), 0);
    cr_assert_not_null(strstr(line, " debug wall-off build canary\n"));
}
