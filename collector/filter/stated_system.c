// SPDX-License-Identifier: Apache-2.0
// stated_system.c: the operating system as an app states it, not as a user agent does.
#include <string.h>
#include <strings.h>

#include "agents.h"
#include "coarse.h"
#include "winnow/agent_version.h"

static const struct {
    const char *name;
    uint16_t system;
} names[] = {
#define SYSTEM(id, label, newest) {label, WN_SYSTEM_##id},
#include "systems.def"
#undef SYSTEM
#define SYSTEM_NAME(name, system) {name, WN_SYSTEM_##system},
#include "system_names.def"
#undef SYSTEM_NAME
};

uint16_t wn_system_of_name(wn_span name) {
    for (size_t i = 0; i < WN_COUNT(names) && name.n > 0; i++)
        if (strlen(names[i].name) == name.n && strncasecmp(names[i].name, (const char *)name.p, name.n) == 0)
            return names[i].system;
    return name.n > 0 ? WN_SYSTEM_other : WN_SYSTEM_NONE;
}

uint16_t wn_system_major(uint16_t system, wn_span version) {
    unsigned major = 0;
    size_t i = 0;
    for (; i < version.n && i < 5 && version.p[i] >= '0' && version.p[i] <= '9'; i++)
        major = major * 10 + (version.p[i] - '0');
    bool ends = i > 0 && (i == version.n || version.p[i] == '.' || version.p[i] == '_' || version.p[i] == ' ');
    return ends ? wn_major_coarse(wn_system_newest(system), major) : WN_MAJOR_NONE;
}
