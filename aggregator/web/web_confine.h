// SPDX-License-Identifier: Apache-2.0
// web_confine.h: from here on this process opens no file but the time zones,
// whatever a request makes it do. Its configuration comes from opener.h.
#pragma once

// Landlock; a kernel without it is logged. The store is open already.
void wn_web_confine(void);
