// SPDX-License-Identifier: Apache-2.0
// explain_matrix.c: the purposes as what they do.
#include "explain_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "explain_run.h"

// Every field a sender may set, but for what consent platforms state: each such is a set by itself.
static const char full_event[] =
    "{\"site\":\"site\",\"name\":\"purchase\",\"url\":\"https://shop.example.com/"
    "cart?utm_source=news&utm_medium=mail&utm_campaign=spring&mail=ann%%40example.org\","
    "\"referrer\":\"https://www.example.org/find?q=private\",\"time\":\"2026-11-20T10:00:00Z\","
    "\"user_id\":\"ann-4711\",\"anonymous_id\":\"anon-0815\",\"device_id\":\"device-42\",\"user_sig\":\"00\","
    "\"org\":\"org-77\",\"language\":\"de-AT\",\"screen\":\"1440x900\",\"country\":\"AT\","
    "\"time_zone\":\"Europe/Vienna\",\"os\":\"Android\",\"os_version\":\"16.1\",\"app_version\":\"12.4.1\","
    "\"maker\":\"Samsung\",\"model\":\"SM-G991B\",\"connection\":\"wifi\","
    "\"idfa\":\"6D92078A-8246-4BA4-AE5B-76104861E7DC\",\"gaid\":\"38400000-8cf0-11bd-b23e-10b96e40000d\","
    "\"windows_id\":\"1a9e4f2bcd0347d8a3f5e6b7c8d9e0f1\",\"idfv\":\"9C287922-EE26-4501-94B5-DDE6F83E1475\","
    "\"udid\":\"2b6f0cc904d137be2e1730235f5664094b831186\",\"android_id\":\"9774d56d682e549c\","
    "\"phone\":\"+43 660 1234567\",\"carrier\":\"A1 Telekom "
    "23201\",\"latitude\":48.20849,\"longitude\":16.37208,"
    "\"campaign\":\"autumn\",\"link\":\"/users/48151623/edit\",\"exit_link\":\"https://www.example.net/"
    "x?y\","
    "\"feature\":\"Export\",\"interaction\":7,\"search_term\":\"Red Shoes\",\"crash\":\"SIGSEGV\","
    "\"child\":false,\"age\":42,\"birthday\":\"1984-03-01\",\"job_title\":\"Senior Nurse\","
    "\"survey\":\"nps\",\"answer\":\"9\",\"props\":{\"plan\":\"pro\",\"amount\":49.9,\"colour\":\"red\"},"
    "\"batch_id\":\"batch-000001\",\"ip\":\"192.0.2.7\","
    "\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\"%s}";

// A policy that declares a property and a survey.
static char plans[][WN_POLICY_WORD_MAX + 1] = {"free", "pro"};
static char marks[][WN_POLICY_WORD_MAX + 1] = {"0", "9"};
static wn_policy_list props[] = {{.name = "plan", .values = plans, .values_n = WN_COUNT(plans)}};
static wn_policy_list numbers[] = {{.name = "amount", .number_max = 500}};
static wn_policy_list surveys[] = {{.name = "nps", .values = marks, .values_n = WN_COUNT(marks)}};
static const wn_site_policy policy = {.gpc = WN_SIGNAL_LIMIT,
                                      .dnt = WN_SIGNAL_LIMIT,
                                      .counts_unknown = true,
                                      .props = props,
                                      .props_n = WN_COUNT(props),
                                      .numbers = numbers,
                                      .numbers_n = WN_COUNT(numbers),
                                      .surveys = surveys,
                                      .surveys_n = WN_COUNT(surveys)};

#define NOW_S 1795168900 // 100 s after the event

static const struct set {
    const char *name, *purposes; // purposes NULL: the event says nothing
    bool gpc;
    const char *said; // other fields of consent
} sets[] = {
    {"says nothing", NULL, false, NULL},
    {"agrees to nothing", "[]", false, NULL},
    {"basic", "[\"basic\"]", false, NULL},
    {"basic measure", "[\"basic\",\"measure\"]", false, NULL},
    {"basic locate", "[\"basic\",\"locate\"]", false, NULL},
    {"basic share", "[\"basic\",\"share\"]", false, NULL},
    {"basic profile", "[\"basic\",\"profile\"]", false, NULL},
    {"basic sensitive", "[\"basic\",\"sensitive\"]", false, NULL},
    {"all", "[\"basic\",\"measure\",\"locate\",\"share\",\"profile\",\"sensitive\"]", false, NULL},
    {"all, and GPC", "[\"basic\",\"measure\",\"locate\",\"share\",\"profile\",\"sensitive\"]", true, NULL},
    {"unreadable", "3", false, NULL},
    {"categories", NULL, false, "\"consent\":{\"C0002\":true,\"C0004\":false}"},
    {"sold no more", NULL, false, "\"purposes\":[\"basic\",\"share\"],\"us_privacy\":\"1YYN\""},
    {"GDPR, no string", NULL, false, "\"gdpr\":1"},
    {"string cut short", NULL, false, "\"tcf\":\"CPokAsAP\""},
    {"GPP, none in force", NULL, false, "\"gpp\":\"DBAA\",\"gpp_sid\":\"-1\""},
    {"consent mode", NULL, false, "\"gcs\":\"G111\",\"gcd\":\"13t3t3t3t5\""},
    {"tracking denied", NULL, false,
     "\"purposes\":[\"basic\",\"share\"],\"att\":\"denied\",\"ad_tracking\":false"},
};
#define SETS WN_COUNT(sets)

static void outcome(const wn_explained *e, wn_field f, char *out, size_t cap) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < e->trace.n && at < cap; i++) {
        const wn_trace_step *s = &e->trace.step[i];
        if (s->field != f) continue;
        char text[220];
        wn_explained_text(s, text, sizeof text);
        at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? "; " : "", text);
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
    // Sets with one outcome stand in one line; a refused event's fields all went with it.
    for (size_t i = 0; i < SETS; i++) {
        if (printed[i] || e[i]->verdict != WN_KEEP) continue;
        size_t alike = 0, kept = 0;
        for (size_t j = 0; j < SETS; j++) {
            if (e[j]->verdict != WN_KEEP) continue;
            kept++;
            printed[j] = printed[j] || strcmp(text[i], text[j]) == 0;
            alike += strcmp(text[i], text[j]) == 0;
        }
        fprintf(out, "  %s", text[i]);
        const char *comma = "  <- ";
        for (size_t j = i; j < SETS && alike < kept; j++) {
            if (e[j]->verdict != WN_KEEP || strcmp(text[i], text[j]) != 0) continue;
            fprintf(out, "%s%s", comma, sets[j].name);
            comma = " | ";
        }
        fputs(alike < kept ? "\n" : "  <- always\n", out);
    }
}

bool wn_matrix_print(FILE *out) {
    wn_bench *b = NULL;
    wn_explained *e[SETS] = {0};
    wn_site site = {.name = "site", .zone = "UTC", .kind = WN_KIND_WEB};
    site.tag = wn_site_tag(site.name);
    bool well = wn_bench_new(&b) == WN_OK;
    for (size_t i = 0; i < SETS && well; i++) {
        char text[4000], purposes[600] = "";
        const char *why = "";
        wn_explain_sender s = {
            .site = &site, .now_s = NOW_S, .gpc = sets[i].gpc, .policy = &policy, .server = true};
        e[i] = calloc(1, sizeof *e[i]);
        if (sets[i].purposes) snprintf(purposes, sizeof purposes, ",\"purposes\":%s", sets[i].purposes);
        if (sets[i].said) snprintf(purposes, sizeof purposes, ",%s", sets[i].said);
        snprintf(text, sizeof text, full_event, purposes);
        well = e[i] && wn_bench_json(b, &s, text, strlen(text), e[i], &why);
    }
    if (well) {
        fputs(
            "What becomes of each field, by what the person agreed to. One line an outcome.\n"
            "A refused event's fields are dropped with it.\n"
            "No site's policy is applied, but a made-up one that declares the property plan (free, pro), the "
            "number\n"
            "amount (at most 500) and the survey nps (0, 9). The event states everything; its country is "
            "stated, "
            "so none\n"
            "is looked up.\n"
            "\nverdict\n",
            out);
        for (size_t i = 0; i < SETS; i++)
            fprintf(out, "  %-18s %s%s\n", sets[i].name, wn_verdict_name(e[i]->verdict),
                    e[i]->trace.shared ? ", may be forwarded" : "");
        for (unsigned f = 0; f < WN_FIELD_N; f++) print_field(out, e, (wn_field)f);
    }
    for (size_t i = 0; i < SETS; i++) {
        if (e[i]) wn_explained_fini(e[i]);
        free(e[i]);
    }
    wn_bench_free(b);
    return well;
}
