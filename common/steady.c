// SPDX-License-Identifier: Apache-2.0
// steady.c: a jump is a difference between two clocks; how long ago it was is the monotonic one's to say.
#include "steady.h"

int64_t wn_steady_wait_s(wn_steady *s, int64_t wall_s, int64_t monotonic_ms) {
    int64_t apart_s = (wall_s - s->wall_s) - (monotonic_ms - s->monotonic_ms) / 1000;
    bool jumped = !s->looked || apart_s > WN_STEADY_JUMP_S || apart_s < -WN_STEADY_JUMP_S;
#ifdef WN_MUTANT_JUMP_BELIEVED
    jumped = false;
#endif
    if (jumped) s->since_ms = monotonic_ms;
    s->looked = true;
    s->wall_s = wall_s;
    s->monotonic_ms = monotonic_ms;
    int64_t left_s = WN_STEADY_WAIT_S - (monotonic_ms - s->since_ms) / 1000;
    return left_s > 0 ? left_s : 0;
}
