// SPDX-License-Identifier: Apache-2.0
// conf_nodes.h: a YAML text as nodes that know their line, for files in which
// a value may take more than one shape and every mistake must be placed exactly:
// libcyaml tells no line once a value is read. Below it is the same libyaml.
//
// Private to common/conf_*.c.
#pragma once

#include <yaml.h>

#include "winnow/base.h"

#define WN_NODES_DEPTH_MAX 8
#define WN_NODE_KEYS_MAX 64 // rows of one mapping

typedef struct wn_nodes {
    yaml_document_t doc;
    char *why;
    size_t why_bytes;
    int *out_line;
} wn_nodes;

// One document without aliases, anchors, tags, duplicate keys or deep nesting.
// WN_ERR_CONFIG: words in `why`, line in out_line. Both are kept for wn_nodes_no.
WN_MUST_USE wn_err wn_nodes_open(wn_nodes *d, const char *text, size_t n, char *why, size_t why_bytes,
                                 int *out_line);
void wn_nodes_close(wn_nodes *d);
const yaml_node_t *wn_nodes_root(wn_nodes *d); // NULL: it says nothing

// Says what is wrong at this node, if nothing was said before; always false.
bool wn_nodes_no(wn_nodes *d, const yaml_node_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// What may stand in a mapping: `read` answers false after wn_nodes_no.
typedef struct wn_node_key {
    const char *name;
    bool (*read)(wn_nodes *d, const yaml_node_t *value, void *ctx);
} wn_node_key;
// Hands every key to its row, in the rows' order; `what` names the mapping in messages.
bool wn_nodes_map(wn_nodes *d, const yaml_node_t *map, const char *what, const wn_node_key *rows, size_t n,
                  void *ctx);
// The text of a scalar, or NULL after saying that one belongs here.
const char *wn_nodes_text(wn_nodes *d, const yaml_node_t *at, const char *what);
// Items of a list of at most `max`; false after saying so.
bool wn_nodes_list(wn_nodes *d, const yaml_node_t *at, const char *what, size_t max, size_t *out_n);
const yaml_node_t *wn_nodes_item(wn_nodes *d, const yaml_node_t *list, size_t i);
// The value of a key; NULL when it is not there.
const yaml_node_t *wn_nodes_get(wn_nodes *d, const yaml_node_t *map, const char *key);
bool wn_nodes_uint(wn_nodes *d, const yaml_node_t *at, const char *what, uint64_t min, uint64_t max,
                   uint64_t *out);
// One of n words, by its place.
bool wn_nodes_word(wn_nodes *d, const yaml_node_t *at, const char *what, const char *const *words, size_t n,
                   size_t *out);
