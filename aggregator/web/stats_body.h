// SPDX-License-Identifier: Apache-2.0
// stats_body.h: one JSON value as a flat list of nodes, so that a body of any
// shape costs what this struct takes. Pure.
#pragma once

#include "winnow/base.h"

#define WN_BODY_NODES_MAX 512
#define WN_BODY_DEPTH_MAX 8
#define WN_BODY_TEXT_MAX 16384

typedef enum wn_body_type {
    WN_BODY_NULL,
    WN_BODY_FALSE,
    WN_BODY_TRUE,
    WN_BODY_NUMBER, // text: as it stood
    WN_BODY_STRING, // text: unescaped, without NUL
    WN_BODY_ARRAY,
    WN_BODY_OBJECT, // each child a string, the key, then its value
} wn_body_type;

typedef struct wn_body_node {
    wn_body_type type;
    uint16_t end; // the node after it and all it holds
    wn_span text;
} wn_body_node;

typedef struct wn_body {
    wn_body_node node[WN_BODY_NODES_MAX]; // node[0] is the whole; children follow their parent
    uint16_t n;
    uint16_t open[WN_BODY_DEPTH_MAX], depth;
    size_t text_n;
    uint8_t text[WN_BODY_TEXT_MAX];
} wn_body;

// False when it is not one JSON value within the limits; out_why says which (static).
bool wn_body_parse(wn_span json, wn_body *out, const char **out_why);
// The value of a key of object `at`; 0 when there is none. out_twice: the key stands there twice.
uint16_t wn_body_field(const wn_body *b, uint16_t at, const char *key, bool *out_twice);
// Children of an array in order: from wn_body_first on, while != end of the array.
static inline uint16_t wn_body_first(uint16_t at) {
    return (uint16_t)(at + 1);
}
