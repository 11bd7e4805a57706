// SPDX-License-Identifier: Apache-2.0
// Why: one writer, so that every refusal has one shape.
#include "web_problem.h"

#include <stdarg.h>

#include "report_text.h"

static const struct {
    const char *name, *title;
    unsigned status;
} kinds[] = {
    [WN_PROBLEM_none] = {"none", "", 200},
#define PROBLEM(name, status, title) [WN_PROBLEM_##name] = {#name, title, status},
#include "problems.def"
#undef PROBLEM
};

bool wn_problem_set(wn_problem *p, wn_problem_kind kind, const char *fmt, ...) {
    va_list args;
    *p = (wn_problem){.kind = kind};
    va_start(args, fmt);
    (void)vsnprintf(p->detail, sizeof p->detail, fmt, args);
    va_end(args);
    return false;
}

unsigned wn_problem_status(wn_problem_kind kind) {
    return kinds[kind].status;
}

void wn_problem_write(const wn_problem *p, FILE *out) {
    fputs("{\"type\":\"urn:winnow:problem:", out);
    for (const char *c = kinds[p->kind].name; *c; c++) fputc(*c == '_' ? '-' : *c, out);
    fprintf(out, "\",\"title\":\"%s\",\"status\":%u,\"detail\":", kinds[p->kind].title,
            kinds[p->kind].status);
    wn_report_text_json(out, p->detail);
    fputs(",\"error\":", out);
    wn_report_text_json(out, p->detail);
    fputs("}\n", out);
}
