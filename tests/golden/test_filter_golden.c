// SPDX-License-Identifier: Apache-2.0
// Runs tests/golden/filter.txt through the filter. Fails too when a field of
// the catalogue has no case.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_rig.h"

enum { LINE_MAX_BYTES = 1024, TEXT_MAX_BYTES = 4096 };

typedef struct golden {
    rig r;
    char title[LINE_MAX_BYTES];
    char want[TEXT_MAX_BYTES];    // verdict and dimensions, as the file has them
    char kept[8][LINE_MAX_BYTES]; // surroundings that the sender borrows
    size_t kept_n;
    bool given[WN_FIELD_N];
    bool signed_id;
} golden;

static bool seen_fields[WN_FIELD_N];
static size_t cases_n;

static const char *keep(golden *g, const char *text) {
    cr_assert_lt(g->kept_n, WN_COUNT(g->kept));
    return strcpy(g->kept[g->kept_n++], text);
}

static wn_span keep_span(golden *g, const char *text) {
    const char *kept = keep(g, text);
    return (wn_span){(const uint8_t *)kept, strlen(kept)};
}

static void surround(golden *g, const char *name, const char *value) {
    wn_sender *s = &g->r.sender;
    if (strcmp(name, "address") == 0) rig_address(&g->r, value);
    else if (strcmp(name, "agent") == 0) s->user_agent = keep_span(g, value);
    else if (strcmp(name, "accept_language") == 0) s->accept_language = keep_span(g, value);
    else if (strcmp(name, "page") == 0) s->page = keep_span(g, value);
    else if (strcmp(name, "country") == 0) g->r.country = keep(g, value);
    else if (strcmp(name, "gpc") == 0) s->gpc = true;
    else if (strcmp(name, "dnt") == 0) s->dnt = true;
    else if (strcmp(name, "server_key") == 0) s->server_key = true;
    else if (strcmp(name, "bound") == 0) s->site = &g->r.site;
    else if (strcmp(name, "region") == 0) g->r.region = keep(g, value);
    else if (strcmp(name, "opted_out") == 0) s->opted_out = true;
    else if (strcmp(name, "tcf_cookie") == 0) s->tcf = keep_span(g, value);
    else if (strcmp(name, "us_privacy_cookie") == 0) s->us_privacy = keep_span(g, value);
    else if (strcmp(name, "policy") == 0) g->r.has_policy = true;
    else if (strcmp(name, "signed") == 0) {
        rig_sign(&g->r, value);
        seen_fields[WN_FIELD_user_sig] = true;
    } else cr_assert_fail("%s: no such surrounding: %s", g->title, name);
}

// "key=value" is a pair, "key=#1.5" one with a number, "key{" or "key[" the beginning of a map or list
// inside, "}" its end.
static void set_map(golden *g, wn_field f, char *value) {
    rig_set_bytes(&g->r, f, NULL, 0);
    for (char *save = NULL, *item = strtok_r(value, " ", &save); item; item = strtok_r(NULL, " ", &save)) {
        size_t key_n = strcspn(item, "={[}");
        const char *v = item[key_n] == '=' ? item + key_n + 1 : "";
        wn_pair_type type = item[key_n] == '{'        ? WN_PAIR_MAP
                            : item[key_n] == '['      ? WN_PAIR_LIST
                            : strcmp(item, "}") == 0  ? WN_PAIR_END
                            : strcmp(v, "true") == 0  ? WN_PAIR_TRUE
                            : strcmp(v, "false") == 0 ? WN_PAIR_FALSE
                            : v[0] == '#'             ? WN_PAIR_NUMBER
                                                      : WN_PAIR_TEXT;
        if (type == WN_PAIR_NUMBER) v++;
        else if (type != WN_PAIR_TEXT) v = "";
        wn_event_pair(g->r.event, f, (wn_span){(const uint8_t *)item, key_n}, type,
                      (wn_span){(const uint8_t *)v, strlen(v)});
    }
}

static void set_field(golden *g, const char *name, char *value) {
    wn_field f = wn_field_by_name(name, strlen(name));
    cr_assert_lt(f, WN_FIELD_N, "%s: %s", g->title, name);
    g->given[f] = true;
    seen_fields[f] = true;
    if (strcmp(value, "-") == 0) return;
    if (f == WN_FIELD_props || f == WN_FIELD_consent) {
        set_map(g, f, value);
        return;
    }
    if (f != WN_FIELD_purposes) {
        rig_set(&g->r, name, value);
        return;
    }
    rig_set_bytes(&g->r, f, NULL, 0);
    for (char *save = NULL, *item = strtok_r(value, " ", &save); item; item = strtok_r(NULL, " ", &save))
        rig_set(&g->r, name, item);
}

static void print_flags(const wn_filtered *out, char *text) {
    char flags[64] = "";
    if (out->obs.flags & WN_OBS_SIGNED) strcat(flags, " signed");
    if (out->obs.flags & WN_OBS_SHARE) strcat(flags, " share");
    if (out->obs.org) strcat(flags, " org");
    if (out->has_batch_id) strcat(flags, " batch");
    if (flags[0]) sprintf(text + strlen(text), "flags=%s\n", flags + 1);
}

static void print_result(golden *g, wn_verdict v, char *text) {
    sprintf(text, "-> %s\n", wn_verdict_name(v));
    if (v != WN_KEEP) return;
    print_flags(&g->r.out, text);
    for (unsigned d = 0; d < WN_OPEN_N; d++)
        if (g->r.out.obs.open[d])
            sprintf(text + strlen(text), "%s=%s\n", wn_dim_name(WN_CLOSED_N + d),
                    rig_open(&g->r, (wn_dim_open)d));
    for (unsigned d = 0; d < WN_CLOSED_N; d++)
        if (g->r.out.obs.closed[d])
            sprintf(text + strlen(text), "%s=%s\n", wn_dim_name(d), rig_closed(&g->r, (wn_dim_closed)d));
    for (unsigned i = 0; i < WN_NUMBERS_N; i++)
        if (g->r.out.obs.number[i])
            sprintf(text + strlen(text), "number%u=%u\n", i + 1, g->r.out.obs.number[i]);
}

static void run_case(golden *g) {
    char got[TEXT_MAX_BYTES];
    static const char *const base[][2] = {
        {"site", "example"}, {"name", "pageview"}, {"url", "https://example.com/"}};
    for (size_t i = 0; i < WN_COUNT(base); i++)
        if (!g->given[wn_field_by_name(base[i][0], strlen(base[i][0]))])
            rig_set(&g->r, base[i][0], base[i][1]);
    print_result(g, rig_run(&g->r), got);
    cr_expect_str_eq(got, g->want, "%s\nwant:\n%sgot:\n%s", g->title, g->want, got);
    cr_expect_not(g->r.trace.identifying, "%s", g->title);
    cases_n++;
    rig_fini(&g->r);
}

static void begin_case(golden *g, const char *title) {
    memset(g, 0, sizeof *g);
    rig_init(&g->r);
    strcpy(g->title, title);
}

static void take_line(golden *g, char *line) {
    if (strncmp(line, "-> ", 3) == 0 || g->want[0]) {
        strcat(strcat(g->want, line), "\n");
        return;
    }
    char *colon = strchr(line, ':');
    cr_assert_not_null(colon, "%s: %s", g->title, line);
    *colon = '\0';
    char *value = colon[1] == ' ' ? colon + 2 : colon + 1;
    if (line[0] == '@') surround(g, line + 1, value);
    else set_field(g, line, value);
}

Test(filter_golden, every_case_comes_out_as_written_and_every_field_has_one) {
    static golden g;
    char line[LINE_MAX_BYTES];
    bool open = false;
    FILE *in = fopen(WN_GOLDEN_FILE, "r");
    cr_assert_not_null(in);
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "case ", 5) == 0) {
            if (open) run_case(&g);
            begin_case(&g, line + 5);
            open = true;
        } else if (open && line[0] != '\0') {
            take_line(&g, line);
        }
    }
    fclose(in);
    cr_assert(open);
    run_case(&g);
    cr_expect_gt(cases_n, 50);
    for (unsigned f = 0; f < WN_FIELD_N; f++)
        cr_expect(seen_fields[f], "no golden case for %s", wn_field_name((wn_field)f));
}
