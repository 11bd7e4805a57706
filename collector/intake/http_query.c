// SPDX-License-Identifier: Apache-2.0
// http_query.c: parameters by their rows; whatever else stands in a query
// string is not read.
#include "http_query.h"

#include <string.h>

typedef struct parameter {
    const char *name;
    wn_field field;
} parameter;

static const parameter parameters[] = {
#define PIXEL(name, field) {name, WN_FIELD_##field},
#include "pixel.def"
#undef PIXEL
};

static wn_field field_of(const char *name, size_t n) {
    for (size_t i = 0; i < WN_COUNT(parameters); i++)
        if (strlen(parameters[i].name) == n && memcmp(parameters[i].name, name, n) == 0)
            return parameters[i].field;
    return WN_FIELD_N;
}

// An empty parameter says nothing, except about consent: there it is no signal that anybody can read.
static enum MHD_Result event_parameter(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                       const char *value, size_t n) {
    (void)kind;
    wn_filling *f = ctx;
    wn_field field = field_of(name, name_n);
    if (field == WN_FIELD_N || !wn_filling_field(f, field)) return MHD_YES;
    if (value == NULL) n = 0;
    if (wn_filling_shape(field) == WN_SHAPE_LIST) wn_filling_commas(f, field, value, n);
    else if (n != 0 || wn_filling_about_consent(field)) wn_filling_text(f, field, value, n);
    return MHD_YES;
}

void wn_query_event(struct MHD_Connection *c, const wn_event_sink *sink) {
    wn_filling f;
    wn_filling_init(&f, sink);
    wn_filling_begin(&f);
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, event_parameter, &f);
    if (!wn_filling_stated(&f, WN_FIELD_name)) wn_filling_text(&f, WN_FIELD_name, "pageview", 8);
    wn_filling_end(&f, (wn_span){NULL, 0});
}

typedef struct lending {
    wn_lent *out;
    size_t n;
} lending;

static enum MHD_Result lent_parameter(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                      const char *value, size_t n) {
    (void)kind;
    lending *l = ctx;
    wn_field field = field_of(name, name_n);
    if (!wn_filling_about_consent(field)) return MHD_YES;
    for (size_t i = 0; i < l->n; i++) {
        if (l->out[i].field != field) continue;
        l->out[i].twice = true;
        return MHD_YES;
    }
    WN_ASSERT(l->n < WN_QUERY_LENT_MAX);
    l->out[l->n++] = (wn_lent){field, {(const uint8_t *)value, value == NULL ? 0 : n}, false};
    return MHD_YES;
}

size_t wn_query_lent(struct MHD_Connection *c, wn_lent out[WN_QUERY_LENT_MAX]) {
    lending l = {out, 0};
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, lent_parameter, &l);
    return l.n;
}
