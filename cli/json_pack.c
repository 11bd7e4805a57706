// SPDX-License-Identifier: Apache-2.0
// json_pack.c: JSON to msgpack through yajl's tree, bounded in bytes and depth.
#include "json_pack.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

static void pack_text(msgpack_packer *pk, const char *text) {
    size_t n = strlen(text);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

// A string with a NUL inside would be cut short by yajl's tree; such a line is refused before.
static bool pack(msgpack_packer *pk, yajl_val v, unsigned depth) {
    if (depth == 0) return false;
    switch (v->type) {
    case yajl_t_string: pack_text(pk, v->u.string); return true;
    case yajl_t_number:
        if (YAJL_IS_INTEGER(v)) msgpack_pack_int64(pk, v->u.number.i);
        else msgpack_pack_double(pk, v->u.number.d);
        return true;
    case yajl_t_object:
        msgpack_pack_map(pk, v->u.object.len);
        for (size_t i = 0; i < v->u.object.len; i++) {
            pack_text(pk, v->u.object.keys[i]);
            if (!pack(pk, v->u.object.values[i], depth - 1)) return false;
        }
        return true;
    case yajl_t_array:
        msgpack_pack_array(pk, v->u.array.len);
        for (size_t i = 0; i < v->u.array.len; i++) {
            if (!pack(pk, v->u.array.values[i], depth - 1)) return false;
        }
        return true;
    case yajl_t_true: msgpack_pack_true(pk); return true;
    case yajl_t_false: msgpack_pack_false(pk); return true;
    case yajl_t_null: msgpack_pack_nil(pk); return true;
    case yajl_t_any: break;
    }
    return false;
}

bool wn_json_pack(const char *text, size_t n, msgpack_sbuffer *out, const char **why) {
    char *copy = n <= WN_JSON_BYTES_MAX ? malloc(n + 1) : NULL;
    if (!copy) {
        *why = n > WN_JSON_BYTES_MAX ? "longer than 65536 bytes" : "out of memory";
        return false;
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    size_t before = out->size;
    bool well = false;
    yajl_val tree = NULL;
    if (memchr(copy, '\0', n) || strstr(copy, "\\u0000")) *why = "a NUL stands in it";
    else tree = yajl_tree_parse(copy, NULL, 0);
    if (tree && !YAJL_IS_OBJECT(tree)) *why = "not a JSON object";
    else if (tree) {
        msgpack_packer pk;
        msgpack_packer_init(&pk, out, msgpack_sbuffer_write);
        well = pack(&pk, tree, WN_JSON_DEPTH_MAX);
        if (!well) *why = "nested deeper than 32", out->size = before;
    } else if (!memchr(copy, '\0', n) && !strstr(copy, "\\u0000")) *why = "not valid JSON";
    yajl_tree_free(tree);
    wn_wipe(copy, n);
    free(copy);
    return well;
}
