// SPDX-License-Identifier: Apache-2.0
// Why: yajl's own tree takes what it is sent; these callbacks take so much and no more.
#include "stats_body.h"

#include <string.h>
#include <yajl/yajl_parse.h>

static const char too_much[] = "it has too many values, or nests too deep";

static wn_body_node *push(wn_body *b, wn_body_type type) {
    if (b->n == WN_BODY_NODES_MAX) return NULL;
    wn_body_node *node = &b->node[b->n++];
    *node = (wn_body_node){.type = type, .end = b->n};
    return node;
}

static int take_text(wn_body *b, wn_body_type type, const void *text, size_t n) {
    wn_body_node *node = push(b, type);
    if (!node || n > sizeof b->text - b->text_n) return 0;
    if (type == WN_BODY_STRING && n && memchr(text, 0, n)) return 0; // would end a text of C
    if (n) memcpy(b->text + b->text_n, text, n);
    node->text = (wn_span){b->text + b->text_n, n};
    b->text_n += n;
    return 1;
}

static int on_null(void *ctx) {
    return push(ctx, WN_BODY_NULL) != NULL;
}
static int on_bool(void *ctx, int value) {
    return push(ctx, value ? WN_BODY_TRUE : WN_BODY_FALSE) != NULL;
}
static int on_number(void *ctx, const char *text, size_t n) {
    return take_text(ctx, WN_BODY_NUMBER, text, n);
}
static int on_string(void *ctx, const unsigned char *text, size_t n) {
    return take_text(ctx, WN_BODY_STRING, text, n);
}

static int begin(wn_body *b, wn_body_type type) {
    uint16_t at = b->n;
    if (b->depth == WN_BODY_DEPTH_MAX || !push(b, type)) return 0;
    b->open[b->depth++] = at;
    return 1;
}
static int on_map(void *ctx) {
    return begin(ctx, WN_BODY_OBJECT);
}
static int on_array(void *ctx) {
    return begin(ctx, WN_BODY_ARRAY);
}
static int on_end(void *ctx) {
    wn_body *b = ctx;
    b->node[b->open[--b->depth]].end = b->n;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_string,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

bool wn_body_parse(wn_span json, wn_body *out, const char **out_why) {
    out->n = out->depth = 0;
    out->text_n = 0;
    *out_why = "no memory";
    yajl_handle y = yajl_alloc(&callbacks, NULL, out);
    if (!y) return false;
    yajl_status status = yajl_parse(y, json.p, json.n);
    if (status == yajl_status_ok) status = yajl_complete_parse(y);
    yajl_free(y);
    *out_why = status == yajl_status_client_canceled ? too_much : "it is not JSON, or not whole";
    return status == yajl_status_ok && out->n > 0 && out->depth == 0;
}

uint16_t wn_body_field(const wn_body *b, uint16_t at, const char *key, bool *out_twice) {
    uint16_t found = 0;
    *out_twice = false;
    for (uint16_t i = wn_body_first(at); i < b->node[at].end;) {
        uint16_t value = b->node[i].end;
        if (wn_span_is(b->node[i].text, key)) {
            *out_twice = found != 0;
            found = value;
        }
        i = b->node[value].end;
    }
    return found;
}
