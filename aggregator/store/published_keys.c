// SPDX-License-Identifier: Apache-2.0
// Why: keys tell nobody a site, table or window; values carry what backups and expiry must know.
#include <string.h>

#include "bytes.h"
#include "published_impl.h"

void wn_published_name(const wn_published *p, char what, wn_span rest, uint8_t *out, size_t out_bytes) {
    uint8_t in[1 + WN_WINDOW_TEXT_BYTES + 24];
    WN_ASSERT(rest.n < sizeof in);
    in[0] = (uint8_t)what;
    memcpy(in + 1, rest.p, rest.n);
    wn_vault_name(p->vault, (wn_span){in, 1 + rest.n}, out, out_bytes);
}

void wn_published_site_part(const wn_published *p, uint64_t tag, uint8_t out[PART_BYTES]) {
    uint8_t bytes[8];
    wn_put_le(bytes, tag, 8);
    wn_published_name(p, 's', SPAN_OF(bytes), out, PART_BYTES);
}

void wn_published_table_part(const wn_published *p, const char *table, uint8_t out[PART_BYTES]) {
    size_t n = strnlen(table, WN_WINDOW_TEXT_BYTES);
    wn_published_name(p, 't', (wn_span){(const uint8_t *)table, n}, out, PART_BYTES);
}

// Times before 1970 sort first.
void wn_published_start_part(int64_t start_s, uint8_t out[PART_BYTES]) {
    wn_vault_be64((uint64_t)start_s ^ UINT64_C(1) << 63, out);
}

int64_t wn_published_start_of(const uint8_t part[PART_BYTES]) {
    return (int64_t)(wn_vault_of_be64(part) ^ UINT64_C(1) << 63);
}

void wn_published_window_name(const wn_published *p, const wn_window *w, uint8_t *out, size_t out_bytes) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    wn_published_name(p, 'w', (wn_span){(const uint8_t *)text, strlen(text)}, out, out_bytes);
}

void wn_published_row_key(const wn_published *p, const wn_public_head *head, row_key *out) {
    wn_published_site_part(p, wn_site_tag(head->site), out->site);
    wn_published_table_part(p, head->table, out->table);
    wn_published_start_part(head->window.start_s, out->start);
    wn_published_window_name(p, &head->window, out->window, sizeof out->window);
}

void wn_published_count_key(const wn_published *p, uint64_t site, const wn_window *w, count_key *out) {
    wn_published_site_part(p, site, out->site);
    wn_published_start_part(w->start_s, out->start);
    wn_published_window_name(p, w, out->window, sizeof out->window);
}

// A keyed name tells nobody its window, so values carry it: for backups and for what expires.
size_t wn_published_put_window(const wn_window *w, uint8_t *out) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    size_t n = strlen(text);
    wn_put_le(out, (uint64_t)w->start_s, 8);
    wn_put_le(out + 8, (uint64_t)w->end_s, 8);
    memcpy(out + 16, text, n);
    return 16 + n;
}

bool wn_published_take_window(wn_span in, wn_window *out) {
    char text[WN_WINDOW_TEXT_BYTES];
    if (in.n <= 16 || in.n - 16 >= sizeof text) return false;
    memcpy(text, in.p + 16, in.n - 16);
    text[in.n - 16] = 0;
    if (!wn_window_parse(text, out)) return false;
    out->start_s = (int64_t)wn_get_le(in.p, 8); // as it was counted, whatever the zone's data say today
    out->end_s = (int64_t)wn_get_le(in.p + 8, 8);
    return true;
}

void wn_published_final_name(const wn_published *p, const wn_window *w, const uint8_t collector[16],
                             uint64_t generation, uint8_t out[NAME_BYTES]) {
    char text[WN_WINDOW_TEXT_BYTES];
    uint8_t in[WN_WINDOW_TEXT_BYTES + 24];
    wn_window_text(w, text);
    size_t n = strlen(text);
    memcpy(in, collector, 16);
    wn_put_le(in + 16, generation, 8);
    memcpy(in + 24, text, n);
    wn_published_name(p, 'f', (wn_span){in, 24 + n}, out, NAME_BYTES);
}

void wn_published_fact_name(const wn_published *p, const char *fact, uint8_t out[NAME_BYTES]) {
    wn_published_name(p, 'm', (wn_span){(const uint8_t *)fact, strlen(fact)}, out, NAME_BYTES);
}
