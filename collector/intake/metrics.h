// SPDX-License-Identifier: Apache-2.0
// metrics.h: the numbers behind /metrics, and their OpenMetrics text.
#pragma once

#include "pipeline.h"

typedef enum wn_metric {
#define METRIC(prog, type, name, unit, help) WN_METRIC_##name,
#include "metrics.def"
    WN_METRIC_N
} wn_metric;

// Counters about persons are shown in steps of this, refreshed this often (R14).
#define WN_METRICS_STEP 20
#define WN_METRICS_REFRESH_S 300

typedef struct wn_metrics {
    uint64_t v[WN_METRIC_N];
    uint64_t by_verdict[WN_VERDICT_N]; // as it may be shown
    uint64_t by_signal[WN_SIGNAL_N];   // likewise
    int64_t persons_at_s;              // when the counters about persons were last refreshed
} wn_metrics;

static inline void wn_metric_add(wn_metrics *m, wn_metric which) {
    m->v[which]++;
}

// Takes the counts over: form verdicts exactly; those about persons, consent
// signals, what was kept, all events and open sessions in steps and together.
void wn_metrics_refresh(wn_metrics *m, const wn_pipeline_counts *c, uint64_t sessions_open, int64_t now_s);
// Writes the whole text. WN_METRICS_TEXT_MAX bytes always suffice.
#define WN_METRICS_TEXT_MAX 16384
size_t wn_metrics_text(const wn_metrics *m, char *out, size_t cap);
