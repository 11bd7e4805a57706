// SPDX-License-Identifier: Apache-2.0
// http_query.c: parameters by their rows; whatever else stands in a query
// string is not read.
#include "http_query.h"

#include <string.h>
#include <strings.h>

typedef struct parameter {
    const char *name;
    wn_field field;
    bool inverted;
} parameter;

static const parameter parameters[] = {
#define PIXEL(name, field) {name, WN_FIELD_##field, false},
#define PIXEL_NOT(name, field) {name, WN_FIELD_##field, true},
#include "pixel.def"
#undef PIXEL
};

static const parameter *parameter_of(const char *name, size_t n) {
    for (size_t i = 0; i < WN_COUNT(parameters); i++)
        if (strlen(parameters[i].name) == n && memcmp(parameters[i].name, name, n) == 0)
            return &parameters[i];
    return NULL;
}

static bool is(wn_span s, const char *word) {
    return s.n == strlen(word) && strncasecmp((const char *)s.p, word, s.n) == 0;
}

// What a parameter says of its field: of yes and no "1" and "0", and "?" for what is neither, which the
// filter takes for the stricter of both.
static wn_span said(const parameter *p, const char *value, size_t n) {
    wn_span text = {(const uint8_t *)value, value == NULL ? 0 : n};
    bool silent = text.n == 0 && !wn_filling_about_consent(p->field);
    if (silent || wn_filling_shape(p->field) != WN_SHAPE_BOOL) return text;
    bool yes = text.n > 0 && (is(text, "1") || is(text, "true"));
    bool no = text.n > 0 && (is(text, "0") || is(text, "false"));
    if (!yes && !no) return (wn_span){(const uint8_t *)"?", 1};
    return (wn_span){(const uint8_t *)(yes != p->inverted ? "1" : "0"), 1};
}

// An empty parameter says nothing, except about consent: there it is no signal that anybody can read.
static enum MHD_Result event_parameter(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                       const char *value, size_t n) {
    (void)kind;
    wn_filling *f = ctx;
    const parameter *p = parameter_of(name, name_n);
    if (p == NULL || !wn_filling_field(f, p->field)) return MHD_YES;
    wn_span text = said(p, value, n);
    if (wn_filling_shape(p->field) == WN_SHAPE_LIST)
        wn_filling_commas(f, p->field, (const char *)text.p, text.n);
    else if (text.n != 0 || wn_filling_about_consent(p->field)) wn_filling_text(f, p->field, text.p, text.n);
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
    const parameter *p = parameter_of(name, name_n);
    if (p == NULL) return MHD_YES;
    wn_field field = p->field;
    bool age = field == WN_FIELD_child || field == WN_FIELD_age;
    wn_span text = said(p, value, n);
    if (!wn_filling_about_consent(field) && !(age && text.n != 0)) return MHD_YES;
    for (size_t i = 0; i < l->n; i++) {
        if (l->out[i].field != field) continue;
        l->out[i].twice = true;
        return MHD_YES;
    }
    WN_ASSERT(l->n < WN_QUERY_LENT_MAX);
    l->out[l->n++] = (wn_lent){field, text, false};
    return MHD_YES;
}

size_t wn_query_lent(struct MHD_Connection *c, wn_lent out[WN_QUERY_LENT_MAX]) {
    lending l = {out, 0};
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, lent_parameter, &l);
    return l.n;
}
