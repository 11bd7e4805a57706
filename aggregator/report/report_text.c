// SPDX-License-Identifier: Apache-2.0
// Why: one decoder for three ways of writing, so that none of them passes what
// another one stops.
#include "report_text.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

// Takes one character; a byte that begins none is taken alone as U+FFFD.
static uint32_t next_code(const char **text) {
    const uint8_t *p = (const uint8_t *)*text;
    unsigned more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t code = more == 3 ? p[0] & 7u : more == 2 ? p[0] & 15u : more == 1 ? p[0] & 31u : p[0];
    *text += 1;
    if (p[0] < 0x80) return code;
    if (!more || p[0] > 0xF4) return REPLACEMENT;
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) return REPLACEMENT;
        code = code << 6 | (p[i] & 0x3Fu);
    }
    if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return REPLACEMENT;
    *text += more;
    return code;
}

// Controls (C0, DEL, C1), line separators, zero-width and direction marks.
static bool unsafe(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0xAD;
}

static void put_code(FILE *out, uint32_t c) {
    if (c < 0x80) {
        fputc((int)c, out);
        return;
    }
    if (c >= 0x10000) {
        fputc((int)(0xF0 | c >> 18), out);
        fputc((int)(0x80 | (c >> 12 & 0x3F)), out);
    } else if (c >= 0x800) {
        fputc((int)(0xE0 | c >> 12), out);
    }
    fputc((int)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6), out);
    fputc((int)(0x80 | (c & 0x3F)), out);
}

// Bytes from the start that every writer passes on as they are: most labels whole.
static size_t plain_run(const char *text) {
    size_t n = 0;
    while (text[n] >= 0x20 && text[n] < 0x7F && text[n] != '"' && text[n] != '\\') n++;
    return n;
}

size_t wn_report_text_width(const char *text, size_t width_max) {
    size_t n = 0;
    for (; *text && (!width_max || n <= width_max); n++) (void)next_code(&text);
    return width_max && n > width_max ? width_max : n;
}

size_t wn_report_text_plain(FILE *out, const char *text, size_t width_max) {
    size_t width = wn_report_text_width(text, 0), n = 0;
    bool cut = width_max && width > width_max;
    while (*text && (!cut || n + 1 < width_max)) {
        uint32_t c = next_code(&text);
        put_code(out, unsafe(c) ? REPLACEMENT : c);
        n++;
    }
    if (!cut) return n;
    put_code(out, 0x2026);
    return n + 1;
}

void wn_report_text_json(FILE *out, const char *text) {
    fputc('"', out);
    while (*text) {
        size_t run = plain_run(text);
        fwrite(text, 1, run, out);
        text += run;
        if (!*text) break;
        uint32_t c = next_code(&text);
        if (c == '"' || c == '\\') {
            fputc('\\', out);
            fputc((int)c, out);
        } else if (unsafe(c)) {
            fprintf(out, "\\u%04x", (unsigned)c);
        } else {
            put_code(out, c);
        }
    }
    fputc('"', out);
}

void wn_report_text_csv(FILE *out, const char *text) {
    bool formula = *text && strchr("=+-@'", *text);
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted) fputc('"', out);
    if (formula) fputc('\'', out);
    while (*text) {
        size_t run = plain_run(text);
        fwrite(text, 1, run, out);
        text += run;
        if (!*text) break;
        uint32_t c = next_code(&text);
        if (c == '"') fputc('"', out);
        put_code(out, unsafe(c) ? REPLACEMENT : c);
    }
    if (quoted) fputc('"', out);
}
