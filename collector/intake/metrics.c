// SPDX-License-Identifier: Apache-2.0
// metrics.c: rows to OpenMetrics. The only labels are names of
// rows: of a reason, of a kind of signal.
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum prog { L = 1, A = 2 };
enum type { COUNTER, GAUGE };

typedef struct row {
    uint8_t prog, type;
    const char *name, *unit, *help;
} row;

#define UNIT_NONE ""
#define UNIT_SECONDS "seconds"
#define UNIT_BYTES "bytes"
static const row rows[WN_METRIC_N] = {
#define METRIC(prog, type, name, unit, help) [WN_METRIC_##name] = {prog, type, #name, UNIT_##unit, help},
#include "metrics.def"
};

static uint64_t in_steps(uint64_t n) {
    return n / WN_METRICS_STEP * WN_METRICS_STEP;
}

void wn_metrics_refresh(wn_metrics *m, const wn_pipeline_counts *c, uint64_t sessions_open, int64_t now_s) {
    bool persons = m->persons_at_s == 0 || now_s - m->persons_at_s >= WN_METRICS_REFRESH_S;
    for (unsigned i = 0; i < WN_VERDICT_N; i++) {
        if (i == WN_KEEP) continue;
        if (!wn_verdict_about_person((wn_verdict)i)) m->by_verdict[i] = c->by_verdict[i];
        else if (persons) m->by_verdict[i] = in_steps(c->by_verdict[i]);
    }
    if (persons) {
        // Exact totals would tell the counters about persons by difference, and so would fresher ones.
        m->by_verdict[WN_KEEP] = in_steps(c->by_verdict[WN_KEEP]);
        for (unsigned i = 0; i < WN_SIGNAL_N; i++) m->by_signal[i] = in_steps(c->by_signal[i]);
        m->v[WN_METRIC_events] = in_steps(c->events);
        m->v[WN_METRIC_sessions_open] = in_steps(sessions_open);
        m->persons_at_s = now_s;
    }
    m->v[WN_METRIC_events_repeated] = c->repeated;
    m->v[WN_METRIC_transactions] = c->transactions;
    m->v[WN_METRIC_sessions_untracked] = c->untracked;
}

typedef struct text {
    char *p;
    size_t n, cap;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->p + t->n, t->cap - t->n, format, args);
    va_end(args);
    WN_ASSERT(n >= 0 && (size_t)n < t->cap - t->n);
    t->n += (size_t)n;
}

size_t wn_metrics_text(const wn_metrics *m, char *out, size_t cap) {
    text t = {out, 0, cap};
    for (unsigned i = 0; i < WN_METRIC_N; i++) {
        const row *r = &rows[i];
        if (r->prog != L) continue;
        put(&t, "# TYPE winnow_%s %s\n", r->name, r->type == COUNTER ? "counter" : "gauge");
        if (r->unit[0] != '\0') put(&t, "# UNIT winnow_%s %s\n", r->name, r->unit);
        put(&t, "# HELP winnow_%s %s\n", r->name, r->help);
        put(&t, "winnow_%s%s %" PRIu64 "\n", r->name, r->type == COUNTER ? "_total" : "", m->v[i]);
    }
    put(&t,
        "# TYPE winnow_verdicts counter\n# HELP winnow_verdicts Events by what became of them; those about "
        "persons, "
        "and kept ones, in steps of %d.\n",
        WN_METRICS_STEP);
    for (unsigned i = 0; i < WN_VERDICT_N; i++)
        put(&t, "winnow_verdicts_total{reason=\"%s\"} %" PRIu64 "\n", wn_verdict_name((wn_verdict)i),
            m->by_verdict[i]);
    put(&t,
        "# TYPE winnow_collector_consent_signals counter\n# HELP winnow_collector_consent_signals Events by "
        "the kind of consent signal that decided, in steps of %d.\n",
        WN_METRICS_STEP);
    for (unsigned i = 0; i < WN_SIGNAL_N; i++)
        put(&t, "winnow_collector_consent_signals_total{by=\"%s\"} %" PRIu64 "\n",
            wn_signal_name((wn_signal_kind)i), m->by_signal[i]);
    put(&t, "# EOF\n");
    return t.n;
}
