// SPDX-License-Identifier: Apache-2.0
// walls.h: the privacy walls as compile-time constants, all standing.
//
// One test build (WN_WALLS_OFF) takes them all down, so that the canary scan
// can show that it sees what leaks; mutant builds take down one. Never set in
// a product build: CMake defines them for test targets only.
#pragma once

#ifdef WN_WALLS_OFF
enum { WN_WALL_FILTER = 0, WN_WALL_LOCKS = 0, WN_WALL_CIPHER = 0, WN_WALL_WIPE = 0, WN_WALL_LOG = 0 };
#else
enum { WN_WALL_FILTER = 1, WN_WALL_LOCKS = 1, WN_WALL_CIPHER = 1, WN_WALL_WIPE = 1, WN_WALL_LOG = 1 };
#endif
