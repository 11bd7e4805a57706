// SPDX-License-Identifier: Apache-2.0
// conf_yaml.h: what options, sites and plan share to read YAML with libcyaml:
// one document, no aliases, bounded size, and the line of every mistake.
//
// Private to common/conf_*.c.
#pragma once

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#define WN_YAML_BYTES_MAX (4u << 20)

typedef struct wn_yaml_note {
    char text[200];   // the first thing libcyaml says
    int line, column; // of the innermost place it names
    bool many;        // more than one document
} wn_yaml_note;

// Keeps the first message and the first place; the rest of the backtrace says less.
static inline void wn_yaml_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));
static inline void wn_yaml_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args) {
    wn_yaml_note *note = ctx;
    char said[300];
    vsnprintf(said, sizeof said, fmt, args);
    said[strcspn(said, "\n")] = '\0';
    if (level < CYAML_LOG_ERROR) {
        note->many = note->many || strstr(said, "documents after first") != NULL;
        return;
    }
    const char *words = strncmp(said, "Load: ", 6) == 0 ? said + 6 : said;
    const char *place = strstr(words, "(line: ");
    if (place && note->line == 0) {
        (void)sscanf(place, "(line: %d, column: %d)", &note->line, &note->column);
    } else if (!place && note->text[0] == '\0' && strncmp(words, "Backtrace", 9) != 0) {
        snprintf(note->text, sizeof note->text, "%.199s", words);
    }
}

static inline const cyaml_config_t *wn_yaml_config(cyaml_config_t *c, wn_yaml_note *note) {
    *c = (cyaml_config_t){.log_fn = wn_yaml_log,
                          .log_ctx = note,
                          .mem_fn = cyaml_mem,
                          .log_level = CYAML_LOG_WARNING,
                          .flags = CYAML_CFG_NO_ALIAS};
    return c;
}

// libcyaml takes every word it does not know for true; this does not.
static inline bool wn_yaml_bool(const char *text, bool *out) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < WN_COUNT(words); i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *out = i & 1;
        return true;
    }
    return false;
}

// Line (from 1) on which text[at] stands.
static inline int wn_yaml_line_at(const char *text, size_t at) {
    int line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

// Where `key` followed by ':' stands as a word in [from, to); `to` when nowhere.
static inline size_t wn_yaml_find_key(const char *text, size_t from, size_t to, const char *key) {
    size_t k = strlen(key);
    for (size_t i = from; k > 0 && i + k < to; i++) {
        bool starts = i == 0 || strchr(" \t\n{,-\"'", text[i - 1]) != NULL;
        size_t after = i + k + (text[i + k] == '"' || text[i + k] == '\'' ? 1 : 0);
        if (starts && after < to && memcmp(text + i, key, k) == 0 && text[after] == ':') return i;
    }
    return to;
}

// Line of item `index` of the top-level list `list`, or of its `key` when not
// NULL. For a text in block style; otherwise the line of the list.
static inline int wn_yaml_line(const char *text, const char *list, size_t index, const char *key) {
    size_t n = strlen(text), at = wn_yaml_find_key(text, 0, n, list), begin = n, end = n, dash = SIZE_MAX,
           seen = 0;
    if (at == n) return 1;
    for (size_t i = at; i < n; i++) {
        if (text[i] != '\n') continue;
        size_t in = strspn(text + i + 1, " ");
        if (text[i + 1 + in] != '-') continue;
        if (dash == SIZE_MAX) dash = in;
        if (in != dash) continue;
        if (seen == index) begin = i + 1;
        if (seen == index + 1) end = i + 1;
        seen++;
    }
    if (begin == n) return wn_yaml_line_at(text, at);
    size_t found = key ? wn_yaml_find_key(text, begin, end, key) : end;
    return wn_yaml_line_at(text, found < end ? found : begin);
}

// Loads `text` (NUL-terminated) by `schema`. *out is NULL for a document that says nothing.
static inline wn_err wn_yaml_load(const char *text, const cyaml_schema_value_t *schema, void **out, char *why,
                                  size_t why_bytes, int *out_line) {
    wn_yaml_note note = {0};
    cyaml_config_t config;
    void *data = NULL;
    cyaml_err_t err = cyaml_load_data((const uint8_t *)text, strlen(text), wn_yaml_config(&config, &note),
                                      schema, (cyaml_data_t **)&data, NULL);
    if (err == CYAML_OK && note.many) {
        cyaml_free(&config, schema, data, 0);
        snprintf(why, why_bytes, "more than one document: remove what follows `---`");
        *out_line = 1;
        return WN_ERR_CONFIG;
    }
    if (err == CYAML_OK) {
        *out = data;
        return WN_OK;
    }
    if (err == CYAML_ERR_OOM) return WN_ERR_NOMEM;
    // libcyaml places an unexpected key at what stands before it.
    int line = note.line > 0 ? note.line : 1;
    const char *unexpected = "Unexpected key: ";
    if (strncmp(note.text, unexpected, strlen(unexpected)) == 0) {
        size_t from = 0, n = strlen(text);
        for (int at = 1; at < line && from < n; from++) at += text[from] == '\n';
        size_t found = wn_yaml_find_key(text, from, n, note.text + strlen(unexpected));
        if (found < n) {
            line = wn_yaml_line_at(text, found);
            note.column = 1;
            for (size_t i = found; i > 0 && text[i - 1] != '\n'; i--) note.column++;
        }
    }
    snprintf(why, why_bytes, "column %d: %s", note.column > 0 ? note.column : 1,
             note.text[0] ? note.text : cyaml_strerror(err));
    *out_line = line;
    return WN_ERR_CONFIG;
}

static inline void wn_yaml_free(const cyaml_schema_value_t *schema, void *data) {
    wn_yaml_note note = {0};
    cyaml_config_t config;
    (void)cyaml_free(wn_yaml_config(&config, &note), schema, data, 0);
}

// Reads a whole file, NUL-terminated. WN_ERR_NOTFOUND when it is missing,
// WN_ERR_FULL above WN_YAML_BYTES_MAX, WN_ERR_FORMAT when it holds a NUL;
// WN_ERR_IO with errno.
static inline wn_err wn_yaml_slurp(const char *path, char **out, size_t *out_bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? WN_ERR_NOTFOUND : WN_ERR_IO;
    struct stat st = {0};
    size_t cap = WN_YAML_BYTES_MAX + 1; // of what does not say how long it is
    if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= (off_t)WN_YAML_BYTES_MAX)
        cap = (size_t)st.st_size + 1;
    char *text = malloc(cap);
    size_t n = 0;
    ssize_t got = text ? 1 : -1;
    while (got > 0 && n < cap) {
        got = read(fd, text + n, cap - n);
        if (got > 0) n += (size_t)got;
        if (got < 0 && errno == EINTR) got = 1;
    }
    if (n == cap) errno = EAGAIN; // it is being written
    close(fd);
    wn_err err = !text                   ? WN_ERR_NOMEM
                 : got < 0               ? WN_ERR_IO
                 : n > WN_YAML_BYTES_MAX ? WN_ERR_FULL
                 : n == cap              ? WN_ERR_IO
                 : memchr(text, '\0', n) ? WN_ERR_FORMAT
                                         : WN_OK;
    if (err != WN_OK) {
        wn_wipe(text, text ? n : 0);
        free(text);
        return err;
    }
    text[n] = '\0';
    *out = text;
    *out_bytes = n;
    return WN_OK;
}

// Why a file was not read, right behind wn_yaml_slurp.
static inline const char *wn_yaml_unread(wn_err err) {
    return err == WN_ERR_IO ? strerror(errno) : wn_err_text(err);
}
