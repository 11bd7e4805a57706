// SPDX-License-Identifier: Apache-2.0
// explain_matrix.c: the purposes of privacy.md R2 as what they do.
#include "explain_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "explain_run.h"

// Every field a sender may set.
static const char full_event[] =
    "{\"site\":\"site\",\"name\":\"purchase\",\"url\":\"https://shop.example/"
    "cart?utm_source=news&utm_medium=mail"
    "&utm_campaign=spring&mail=ann%%40example.org\",\"referrer\":\"https://www.search.example/"
    "find?q=private\","
    "\"time\":\"2026-11-20T10:00:00Z\",\"user_id\":\"ann-4711\",\"anonymous_id\":\"anon-0815\",\"device_id\":"
    "\"device-42\","
    "\"user_sig\":\"00\",\"org\":\"org-77\",\"language\":\"de-AT\",\"screen\":\"1440x900\",\"country\":"
    "\"AT\","
    "\"props\":{\"colour\":\"red\"},\"batch_id\":\"batch-000001\",\"ip\":\"192.0.2.7\","
    "\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\"%s}";

#define NOW_S 1795168900 // 100 s after the event

static const struct set {
    const char *name, *purposes; // purposes NULL: the event says nothing
    bool gpc;
} sets[] = {
    {"says nothing", NULL, false},
    {"agrees to nothing", "[]", false},
    {"basic", "[\"basic\"]", false},
    {"basic measure", "[\"basic\",\"measure\"]", false},
    {"basic locate", "[\"basic\",\"locate\"]", false},
    {"basic share", "[\"basic\",\"share\"]", false},
    {"basic profile", "[\"basic\",\"profile\"]", false},
    {"basic sensitive", "[\"basic\",\"sensitive\"]", false},
    {"all", "[\"basic\",\"measure\",\"locate\",\"share\",\"profile\",\"sensitive\"]", false},
    {"all, and GPC", "[\"basic\",\"measure\",\"locate\",\"share\",\"profile\",\"sensitive\"]", true},
    {"unreadable", "3", false},
};
#define SETS WN_COUNT(sets)

static void outcome(const wn_explained *e, wn_field f, char *out, size_t cap) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < e->trace.n && at < cap; i++) {
        const wn_trace_step *s = &e->trace.step[i];
        if (s->field != f) continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%s%s%s", at ? "; " : "", s->outcome,
                               s->out[0] ? " " : "", s->out);
    }
    if (at == 0) snprintf(out, cap, "absent");
}

static void print_field(FILE *out, wn_explained *const e[SETS], wn_field f) {
    char text[SETS][400];
    bool printed[SETS] = {false};
    for (size_t i = 0; i < SETS; i++) outcome(e[i], f, text[i], sizeof text[i]);
    const wn_trace_step *step = NULL;
    for (size_t i = 0; i < e[0]->trace.n && !step; i++) {
        if (e[0]->trace.step[i].field == f) step = &e[0]->trace.step[i];
    }
    fprintf(out, "\n%s", wn_field_name(f));
    if (step) fprintf(out, " (%s, %s)", step->transform, step->purpose);
    fputc('\n', out);
    // Sets with one outcome stand in one line.
    for (size_t i = 0; i < SETS; i++) {
        if (printed[i]) continue;
        fprintf(out, "  %s", text[i]);
        const char *comma = "  <- ";
        for (size_t j = i; j < SETS; j++) {
            if (strcmp(text[i], text[j]) != 0) continue;
            printed[j] = true;
            fprintf(out, "%s%s", comma, sets[j].name);
            comma = " | ";
        }
        fputc('\n', out);
    }
}

bool wn_matrix_print(FILE *out) {
    wn_bench *b = NULL;
    wn_explained *e[SETS] = {0};
    wn_site site = {.name = "site", .zone = "UTC", .kind = WN_KIND_WEB};
    site.tag = wn_site_tag(site.name);
    bool well = wn_bench_new(&b) == WN_OK;
    for (size_t i = 0; i < SETS && well; i++) {
        char text[2000], purposes[200] = "";
        const char *why = "";
        wn_explain_sender s = {.site = &site, .now_s = NOW_S, .gpc = sets[i].gpc, .server = true};
        e[i] = calloc(1, sizeof *e[i]);
        if (sets[i].purposes) snprintf(purposes, sizeof purposes, ",\"purposes\":%s", sets[i].purposes);
        snprintf(text, sizeof text, full_event, purposes);
        well = e[i] && wn_bench_json(b, &s, text, strlen(text), e[i], &why);
    }
    if (well) {
        fputs("What becomes of each field, by what the person agreed to. One line an outcome.\n\nverdict\n",
              out);
        for (size_t i = 0; i < SETS; i++)
            fprintf(out, "  %-18s %s\n", sets[i].name, wn_verdict_name(e[i]->verdict));
        for (unsigned f = 0; f < WN_FIELD_N; f++) print_field(out, e, (wn_field)f);
    }
    for (size_t i = 0; i < SETS; i++) {
        if (e[i]) wn_explained_fini(e[i]);
        free(e[i]);
    }
    wn_bench_free(b);
    return well;
}
