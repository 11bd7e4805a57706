// SPDX-License-Identifier: Apache-2.0
// agents.h: values of the browser, system and device rows.
#pragma once

#include "filter.h"

enum {
    WN_BROWSER_NONE = 0,
#define BROWSER(id, label, newest) WN_BROWSER_##id,
#include "browsers.def"
#undef BROWSER
    WN_BROWSER_END
};
enum {
    WN_SYSTEM_NONE = 0,
#define SYSTEM(id, label, newest) WN_SYSTEM_##id,
#include "systems.def"
#undef SYSTEM
    WN_SYSTEM_END
};
enum {
    WN_DEVICE_NONE = 0,
#define DEVICE(id, label) WN_DEVICE_##id,
#include "devices.def"
#undef DEVICE
    WN_DEVICE_END
};

#define WN_AGENT_BYTES_MAX 512 // what is beyond is not read
