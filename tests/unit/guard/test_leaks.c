// SPDX-License-Identifier: Apache-2.0
// test_leaks.c: guards the guard: leaks on purpose, and must be seen to.
#include <criterion/criterion.h>
#include <stdlib.h>

static void *volatile lost;

Test(guard, leaks_on_purpose) {
    lost = malloc(77);
    cr_assert_not_null(lost);
    lost = NULL;
}
