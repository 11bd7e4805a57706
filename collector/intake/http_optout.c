// SPDX-License-Identifier: Apache-2.0
// http_optout.c: the opt-out page and the three ways to set and clear its cookie.
#include "http_optout.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_answer.h"
#include "http_sender.h"

#define COOKIE_AGE_S 315360000 // ten years; some browsers keep a cookie for 400 days at most

#define PAGE(state)                                                                                          \
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"                                        \
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Being counted</title>\n"                \
    "<h1>Being counted</h1>\n"                                                                               \
    "<p>This browser <strong>" state "</strong>.</p>\n"                                                      \
    "<p>Visits are counted in crowds only. Your choice is kept in this browser, as one cookie that is the "  \
    "same for everybody (<code>" WN_OPTOUT_COOKIE "=1</code>); here nothing is stored about it.</p>\n"       \
    "<form method=\"post\" action=\"opt-out\"><button>Do not count this browser</button></form>\n"           \
    "<form method=\"post\" action=\"opt-in\"><button>Count this browser</button></form>\n"

static const char page_counted[] = PAGE("has not opted out here"), page_not_counted[] = PAGE("has opted out");

bool wn_optout_path(const char *path) {
    return strcmp(path, "/v1/opt-out") == 0 || strcmp(path, "/v1/opt-in") == 0;
}

static const char *head(struct MHD_Connection *c, const char *name) {
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

// Where "https://host:port" names its host; 0: no page of the web, which alone may ask.
static size_t scheme_bytes(const char *origin) {
    if (strncasecmp(origin, "https://", 8) == 0) return 8;
    return strncasecmp(origin, "http://", 7) == 0 ? 7 : 0;
}

// Of this very host.
static bool origin_here(const char *origin, const char *host) {
    return host != NULL && strcasecmp(origin + scheme_bytes(origin), host) == 0;
}

// A stranger's page must not undo what a person refused: only this very host, and a page whose host a
// site lists by name. Browsers name the page with every POST, or at least how near it is; who says
// neither is no page. Refusing itself is anybody's.
static bool may_opt_in(struct MHD_Connection *c, const wn_site_list *sites, const char *origin) {
    const char *from = head(c, "Sec-Fetch-Site");
    if (from != NULL && strcmp(from, "same-origin") == 0) return true; // whatever a proxy makes of Host
    if (origin == NULL) return from == NULL || strcmp(from, "none") == 0;
    if (scheme_bytes(origin) == 0) return false;
    return origin_here(origin, head(c, MHD_HTTP_HEADER_HOST)) ||
           wn_site_list_names(sites, origin, strlen(origin));
}

static void set_cookie(struct MHD_Response *r, bool out, bool https) {
    char text[160];
    snprintf(text, sizeof text, WN_OPTOUT_COOKIE "=%s; Max-Age=%d; Path=/; HttpOnly; SameSite=%s",
             out ? "1" : "", out ? COOKIE_AGE_S : 0, https ? "None; Secure" : "Lax");
    MHD_add_response_header(r, MHD_HTTP_HEADER_SET_COOKIE, text);
}

static enum MHD_Result page(struct MHD_Connection *c, bool out) {
    const char *text = out ? page_not_counted : page_counted;
    struct MHD_Response *r = wn_answer_new(text, strlen(text), "text/html; charset=utf-8");
    if (r == NULL) return MHD_NO;
    static const char *const heads[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "same-origin"}, // so that our own forms say where they come from
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
        {"Vary", "Cookie"},
    };
    for (size_t i = 0; i < WN_COUNT(heads); i++) MHD_add_response_header(r, heads[i][0], heads[i][1]);
    return wn_answer_send(c, MHD_HTTP_OK, r);
}

// A form is sent back to the page, which then says what the browser really keeps.
static enum MHD_Result change(struct MHD_Connection *c, wn_pipeline *p, const char *origin, bool out) {
    const char *takes = head(c, MHD_HTTP_HEADER_ACCEPT);
    bool form = takes != NULL && strstr(takes, "text/html") != NULL;
    const char *text = form ? "" : out ? "{\"opted_out\":true}\n" : "{\"opted_out\":false}\n";
    struct MHD_Response *r = wn_answer_new(text, strlen(text), form ? NULL : "application/json");
    if (r == NULL) return MHD_NO;
    wn_answer_cors(r, wn_pipeline_site_list(p), origin);
    MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (form) MHD_add_response_header(r, MHD_HTTP_HEADER_LOCATION, "opt-out");
    set_cookie(r, out, wn_http_sender_https(c, p));
    return wn_answer_send(c, form ? MHD_HTTP_SEE_OTHER : MHD_HTTP_OK, r);
}

enum MHD_Result wn_optout_answer(struct MHD_Connection *c, wn_pipeline *p, const char *method,
                                 const char *path) {
    const wn_site_list *sites = wn_pipeline_site_list(p);
    const char *origin = head(c, MHD_HTTP_HEADER_ORIGIN);
    bool in = strcmp(path, "/v1/opt-in") == 0, post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (get && !in) return page(c, wn_http_sender_opted_out(c));
    if (post && !in) return change(c, p, origin, true);
    if (!(post || (!in && strcmp(method, MHD_HTTP_METHOD_DELETE) == 0)))
        return wn_answer_error(c, sites, origin, MHD_HTTP_METHOD_NOT_ALLOWED,
                               in ? "opting in is a POST" : "GET says, POST sets, DELETE clears",
                               in ? "POST, OPTIONS" : WN_OPTOUT_METHODS, 0);
    if (!may_opt_in(c, sites, origin))
        return wn_answer_error(c, sites, origin, MHD_HTTP_FORBIDDEN, "opting in is for the pages of a site",
                               NULL, 0);
    return change(c, p, origin, false);
}
