// SPDX-License-Identifier: Apache-2.0
// conf_options.c: option rows from flags, environment and winnow.yaml, and
// their help and manual, so that no option is described twice.
//
// Every source is checked, also one that a stronger source overrides: a mistake
// that waits to be uncovered is still a mistake.
#include <arpa/inet.h>
#include <ctype.h>
#include <pwd.h>

#include "conf.h"
#include "conf_yaml.h"

typedef enum row_type { ROW_STR, ROW_INT, ROW_BOOL } row_type;

typedef struct row {
    const char *name;
    row_type type;
    unsigned programs;
    const char *text;         // default of a string
    int64_t number, min, max; // default and range of a number; default of a flag
    const char *unit, *doc;
    size_t at; // in wn_options
} row;

static const row rows[] = {
#define OPT_STR(prog, name, dflt, doc)                                                                       \
    {#name, ROW_STR, prog, dflt, 0, 0, 0, "", doc, offsetof(wn_options, name)},
#define OPT_INT(prog, name, dflt, min, max, unit, doc)                                                       \
    {#name, ROW_INT, prog, "", dflt, min, max, unit, doc, offsetof(wn_options, name)},
#define OPT_BOOL(prog, name, dflt, doc)                                                                      \
    {#name, ROW_BOOL, prog, "", dflt, 0, 1, "", doc, offsetof(wn_options, name)},
#include "options.def"
#undef OPT_STR
#undef OPT_INT
#undef OPT_BOOL
};
#define ROWS WN_COUNT(rows)

typedef struct file_values {
#define OPT_STR(prog, name, dflt, doc) char *name;
#define OPT_INT(prog, name, dflt, min, max, unit, doc) char *name;
#define OPT_BOOL(prog, name, dflt, doc) char *name;
#include "options.def"
#undef OPT_STR
#undef OPT_INT
#undef OPT_BOOL
} file_values;

// Everything is read as text, so that the three sources share one check.
#define FILE_FIELD(name)                                                                                     \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_values, name, 0, 65536),
static const cyaml_schema_field_t file_fields[] = {
#define OPT_STR(prog, name, dflt, doc) FILE_FIELD(name)
#define OPT_INT(prog, name, dflt, min, max, unit, doc) FILE_FIELD(name)
#define OPT_BOOL(prog, name, dflt, doc) FILE_FIELD(name)
#include "options.def"
#undef OPT_STR
#undef OPT_INT
#undef OPT_BOOL
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_values, file_fields)};

// ---- what a string may be ----
// Splits "host:port" or "[v6]:port"; false unless an address and a port of 0..65535.
static bool address_ok(const char *text, bool loopback_only) {
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof host) return false;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] || atoi(colon + 1) > 65535) return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    size_t n = strlen(host);
    struct in_addr v4;
    struct in6_addr v6;
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &v6) == 1 && (!loopback_only || IN6_IS_ADDR_LOOPBACK(&v6));
    }
    return inet_pton(AF_INET, host, &v4) == 1 && (!loopback_only || ntohl(v4.s_addr) >> 24 == 127);
}
static bool any_address(const char *text) {
    return address_ok(text, false);
}
static bool loopback_address(const char *text) {
    return address_ok(text, true);
}

static bool address_or_off(const char *text) {
    return strcmp(text, "off") == 0 || any_address(text);
}

static bool endpoint(const char *text) {
    if (strncmp(text, "ipc://", 6) == 0) return text[6] != '\0' && strlen(text + 6) < 108;
    const char *colon = strrchr(text, ':');
    return strncmp(text, "tcp://", 6) == 0 && colon > text + 6 &&
           (isdigit((unsigned char)colon[1]) || colon[1] == '*');
}
static bool endpoint_or_none(const char *text) {
    return text[0] == '\0' || endpoint(text);
}
static bool key_or_none(const char *text) {
    return text[0] == '\0' || !wn_site_key_check(text);
}

static bool networks(const char *text) {
    char item[64];
    while (*text) {
        text += strspn(text, " ,");
        size_t n = strcspn(text, " ,");
        if (n == 0) break;
        if (n >= sizeof item) return false;
        memcpy(item, text, n);
        item[n] = '\0';
        text += n;
        char *slash = strchr(item, '/');
        if (slash) *slash++ = '\0';
        uint8_t raw[16];
        int bits = strchr(item, ':') ? 128 : 32;
        if (inet_pton(bits == 128 ? AF_INET6 : AF_INET, item, raw) != 1) return false;
        if (!slash) continue;
        size_t digits = strspn(slash, "0123456789");
        if (digits == 0 || digits > 3 || slash[digits] || atoi(slash) > bits) return false;
    }
    return true;
}
// The sockets stand below it, and a socket's path holds 107 bytes.
#define STATE_DIR_BYTES_MAX 80
static bool state_folder(const char *text) {
    return text[0] && strlen(text) <= STATE_DIR_BYTES_MAX;
}
static bool folder(const char *text) {
    return text[0] != '\0';
}

static const struct form {
    const char *name, *word, *allowed, *example;
    bool (*ok)(const char *text);
} forms[] = {
    {"config_dir", "DIR", "a directory", "/etc/winnow", folder},
    {"state_dir", "DIR", "a directory, at most 80 bytes of path", "/var/lib/winnow", state_folder},
    {"http_listen", "HOST:PORT", "an IP address and a port", "127.0.0.1:8090", any_address},
    {"admin_listen", "HOST:PORT", "a loopback address and a port", "127.0.0.1:8091", loopback_address},
    {"web_listen", "HOST:PORT", "an IP address and a port, or off", "127.0.0.1:8093", address_or_off},
    {"sdk_listen", "ENDPOINT", "tcp://ADDRESS:PORT or ipc://PATH", "tcp://127.0.0.1:8092", endpoint},
    {"uplink", "ENDPOINT", "tcp://ADDRESS:PORT, ipc://PATH or empty", "tcp://10.0.0.2:8094",
     endpoint_or_none},
    {"listen", "ENDPOINT", "tcp://ADDRESS:PORT, ipc://PATH or empty", "tcp://10.0.0.2:8094",
     endpoint_or_none},
    {"uplink_key", "KEY", "a CURVE public key (40 characters of Z85) or empty",
     "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", key_or_none},
    {"collector_keys", "FILE", "the path of a file, or empty", "/etc/winnow/collectors", NULL},
    {"country_db", "FILE", "the path of a file, or empty", "/usr/share/winnow/country.mmdb", NULL},
    {"trusted_proxies", "NETWORKS", "networks or addresses, with commas between", "127.0.0.0/8,::1/128",
     networks},
};
static const struct form *form_of(const row *r) {
    for (size_t i = 0; i < WN_COUNT(forms); i++) {
        if (strcmp(forms[i].name, r->name) == 0) return &forms[i];
    }
    return NULL;
}

// ---- sources ----
typedef enum source { FROM_FILE, FROM_ENV, FROM_FLAG } source;

typedef struct reading {
    const char *program;
    char file[300]; // path of winnow.yaml
    char *yaml;     // its text, owned
    int mistakes;
} reading;

static const char *program_name(unsigned program) {
    return program == WN_PROG_COLLECTOR    ? "winnow-collector"
           : program == WN_PROG_AGGREGATOR ? "winnow-aggregator"
           : program == WN_PROG_WEB        ? "winnow-web"
           : program == WN_PROG_FORWARD    ? "winnow-forward"
                                           : "winnow";
}

static void name_as(const row *r, source from, char out[64]) {
    snprintf(out, 64, "%s%s", from == FROM_ENV ? "WINNOW_" : from == FROM_FLAG ? "--" : "", r->name);
    for (char *p = out + (from == FROM_FILE ? strlen(out) : from == FROM_FLAG ? 2 : 7); *p; p++) {
        *p = from == FROM_ENV ? (char)toupper((unsigned char)*p) : *p == '_' ? '-' : *p;
    }
}

static void mistake(reading *read, const row *r, source from, const char *given, const char *allowed,
                    const char *example) {
    char name[64], place[340];
    name_as(r, from, name);
    if (from == FROM_FILE) {
        snprintf(place, sizeof place, "%s line %d", read->file,
                 wn_yaml_line(read->yaml, r->name, SIZE_MAX, NULL));
    } else {
        snprintf(place, sizeof place, "%s", from == FROM_ENV ? "environment" : "command line");
    }
    fprintf(stderr, "%s: %s: %s: \"%.80s\" is not allowed\n  allowed: %s\n  example: %s%s%s\n", read->program,
            place, name, given, allowed, name,
            from == FROM_FILE  ? ": "
            : from == FROM_ENV ? "="
                               : " ",
            example);
    read->mistakes++;
}

static bool int_of(const char *text, int64_t *out) {
    size_t digits = text[0] == '-' ? 1 : 0;
    if (strspn(text + digits, "0123456789") != strlen(text + digits) || !text[digits]) return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    *out = value;
    return errno == 0;
}

static void set_one(reading *read, wn_options *o, const row *r, source from, const char *text) {
    void *at = (char *)o + r->at;
    char allowed[120], example[32];
    if (r->type == ROW_BOOL) {
        if (!wn_yaml_bool(text, at)) mistake(read, r, from, text, "yes or no", "yes");
        return;
    }
    if (r->type == ROW_INT) {
        int64_t value = 0;
        if (int_of(text, &value) && value >= r->min && value <= r->max) {
            *(int64_t *)at = value;
            return;
        }
        snprintf(allowed, sizeof allowed, "a whole number from %lld to %lld%s%s", (long long)r->min,
                 (long long)r->max, r->unit[0] ? " " : "", r->unit);
        snprintf(example, sizeof example, "%lld", (long long)r->number);
        mistake(read, r, from, text, allowed, example);
        return;
    }
    const struct form *form = form_of(r);
    bool fits = strlen(text) < sizeof((wn_options *)0)->state_dir;
    if (fits && (!form || !form->ok || form->ok(text))) {
        strcpy(at, text);
        return;
    }
    mistake(read, r, from, text, fits && form ? form->allowed : "at most 255 bytes",
            form ? form->example : r->text);
}

static const row *row_of(const char *name, size_t n, bool hyphens) {
    for (size_t i = 0; i < ROWS; i++) {
        bool same = strlen(rows[i].name) == n;
        for (size_t j = 0; same && j < n; j++) {
            char want = hyphens && rows[i].name[j] == '_' ? '-' : rows[i].name[j];
            same = want == name[j];
        }
        if (same) return &rows[i];
    }
    return NULL;
}

static size_t distance(const char *a, const char *b) {
    size_t n = strlen(b), last[64];
    if (n >= WN_COUNT(last)) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) last[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t corner = last[0];
        last[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = corner + (*a != b[j - 1]);
            corner = last[j];
            size_t least = last[j] < last[j - 1] ? last[j] + 1 : last[j - 1] + 1;
            last[j] = least < change ? least : change;
        }
    }
    return last[n];
}

const char *wn_options_nearest(const char *word, const char *const *words, size_t n) {
    const char *best = NULL;
    size_t least = strlen(word) > 64 ? 0 : 3;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, words[i]);
        if (d < least) least = d, best = words[i];
    }
    return best;
}

static void unknown_flag(reading *read, wn_program prog, const char *arg, size_t n, const row *other) {
    fprintf(stderr, "%s: command line: there is no option %.*s", read->program, (int)n, arg);
    char names[ROWS][64], word[80];
    const char *list[ROWS];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!(rows[i].programs & (unsigned)prog)) continue;
        name_as(&rows[i], FROM_FLAG, names[count]);
        list[count] = names[count];
        count++;
    }
    snprintf(word, sizeof word, "%.*s", (int)n, arg);
    const char *near = wn_options_nearest(word, list, count);
    if (other) {
        // The lowest of its programs but the CLI, which hands options on.
        unsigned daemons = other->programs & ~(unsigned)WN_PROG_CLI;
        fprintf(stderr, "; it belongs to %s", program_name(daemons & (~daemons + 1)));
        fprintf(stderr, ", and may stand in winnow.yaml");
    } else if (near) {
        fprintf(stderr, "; did you mean %s?", near);
    }
    fprintf(stderr, "\n  `%s --help` lists them\n", read->program);
    read->mistakes++;
}

int wn_options_words(wn_program prog, const char *arg) {
    if (strncmp(arg, "--", 2) != 0) return 0;
    size_t n = strcspn(arg + 2, "=");
    const row *r = row_of(arg + 2, n, true);
    if (!r || !(r->programs & (unsigned)prog)) return 0;
    return arg[2 + n] == '=' || r->type == ROW_BOOL ? 1 : 2;
}

// Sorts argv into flags, words and what asks for text instead of a run.
static void read_flags(reading *read, wn_program prog, int argc, char **argv, const char *flag[ROWS],
                       const char **rest, size_t *rest_n, const char **out_asked) {
    size_t cap = *rest_n;
    bool only_words = false;
    *rest_n = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (only_words || arg[0] != '-' || arg[1] == '\0') {
            if (rest && *rest_n < cap) {
                rest[(*rest_n)++] = arg;
            } else {
                fprintf(stderr, "%s: command line: the word \"%.80s\" is one too many\n", read->program, arg);
                read->mistakes++;
            }
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_words = true;
            continue;
        }
        if (strcmp(arg, "-h") == 0) arg = "--help";
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "--version") == 0 || strcmp(arg, "--man") == 0) {
            *out_asked = arg;
            continue;
        }
        size_t n = strcspn(arg, "=");
        const row *r = n > 2 && arg[1] == '-' ? row_of(arg + 2, n - 2, true) : NULL;
        if (!r || !(r->programs & (unsigned)prog)) {
            unknown_flag(read, prog, arg, n, r);
            continue;
        }
        size_t at = (size_t)(r - rows);
        if (arg[n] == '=') {
            flag[at] = arg + n + 1;
        } else if (r->type == ROW_BOOL) {
            flag[at] = "yes";
        } else if (i + 1 < argc) {
            flag[at] = argv[++i];
        } else {
            fprintf(stderr, "%s: command line: %s needs a value\n  example: %s %s\n", read->program, arg, arg,
                    form_of(r) ? form_of(r)->example : "1");
            read->mistakes++;
        }
    }
}

static wn_err read_file(reading *read, const char *folder_path, file_values **out) {
    size_t n = 0;
    int line = 0;
    char why[400] = "";
    if (snprintf(read->file, sizeof read->file, "%s/winnow.yaml", folder_path) >= (int)sizeof read->file)
        return WN_ERR_CONFIG;
    wn_err err = wn_yaml_slurp(read->file, &read->yaml, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    if (err != WN_OK) {
        fprintf(stderr, "%s: %s cannot be read: %s\n", read->program, read->file, wn_yaml_unread(err));
        return WN_ERR_CONFIG;
    }
    void *data = NULL;
    err = wn_yaml_load(read->yaml, &file_schema, &data, why, sizeof why, &line);
    *out = data;
    if (err == WN_OK) return WN_OK;
    fprintf(stderr,
            "%s: %s line %d: %s\n  allowed: `name: value`, names as `%s --help` lists them with _ for -\n"
            "  example: http_listen: 127.0.0.1:8090\n",
            read->program, read->file, line, why, read->program);
    return WN_ERR_CONFIG;
}

static void user_folder(char out[256], const char *for_root, const char *variable, const char *below_home) {
    if (geteuid() == 0) {
        snprintf(out, 256, "%s", for_root);
        return;
    }
    const char *base = getenv(variable), *home = getenv("HOME");
    const struct passwd *user = home && home[0] == '/' ? NULL : getpwuid(geteuid());
    if (user) home = user->pw_dir;
    if (base && base[0] == '/') snprintf(out, 256, "%s/winnow", base);
    else snprintf(out, 256, "%s/%s/winnow", home ? home : "/tmp", below_home);
}

void wn_options_defaults(wn_options *o) {
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i < ROWS; i++) {
        void *at = (char *)o + rows[i].at;
        if (rows[i].type == ROW_STR) strcpy(at, rows[i].text);
        if (rows[i].type == ROW_INT) *(int64_t *)at = rows[i].number;
        if (rows[i].type == ROW_BOOL) *(bool *)at = rows[i].number != 0;
    }
    user_folder(o->state_dir, "/var/lib/winnow", "XDG_STATE_HOME", ".local/state");
    user_folder(o->config_dir, "/etc/winnow", "XDG_CONFIG_HOME", ".config");
}

static void print_asked(wn_program prog, const char *asked) {
    if (strcmp(asked, "--version") == 0) printf("%s %s\n", program_name(prog), WN_VERSION);
    else if (strcmp(asked, "--man") == 0) wn_options_man(prog, stdout);
    else wn_options_help(prog, stdout);
}

wn_err wn_options_read(wn_program prog, int argc, char **argv, wn_options *out, const char **out_rest,
                       size_t *inout_rest_n, bool *out_done) {
    const char *flag[ROWS] = {0}, *env[ROWS] = {0}, *asked = NULL;
    reading read = {.program = program_name(prog)};
    size_t none = 0;
    *out_done = false;
    read_flags(&read, prog, argc, argv, flag, out_rest, inout_rest_n ? inout_rest_n : &none, &asked);
    if (asked) {
        print_asked(prog, asked);
        *out_done = true;
        return WN_OK;
    }
    for (size_t i = 0; i < ROWS; i++) {
        char name[64];
        name_as(&rows[i], FROM_ENV, name);
        env[i] = getenv(name);
        if (env[i] && env[i][0] == '\0') env[i] = NULL;
    }
    wn_options o;
    wn_options_defaults(&o);
    const row *config = row_of("config_dir", 10, false);
    size_t at = (size_t)(config - rows);
    if (env[at]) set_one(&read, &o, config, FROM_ENV, env[at]);
    if (flag[at]) set_one(&read, &o, config, FROM_FLAG, flag[at]);

    file_values *file = NULL;
    wn_err err = read_file(&read, o.config_dir, &file);
    for (size_t i = 0; i < ROWS && err == WN_OK; i++) {
        char *text = NULL;
        if (file) memcpy(&text, (char *)file + i * sizeof(char *), sizeof text);
        if (&rows[i] == config) {
            if (text)
                mistake(&read, config, FROM_FILE, text,
                        "only --config-dir and WINNOW_CONFIG_DIR, which say where this file is",
                        "(remove the line)");
            continue;
        }
        if (text) set_one(&read, &o, &rows[i], FROM_FILE, text);
        if (env[i]) set_one(&read, &o, &rows[i], FROM_ENV, env[i]);
        if (flag[i]) set_one(&read, &o, &rows[i], FROM_FLAG, flag[i]);
    }
    if (file) wn_yaml_free(&file_schema, file);
    free(read.yaml);
    if (err != WN_OK || read.mistakes > 0) return WN_ERR_CONFIG;
    *out = o;
    return WN_OK;
}

// ---- help and manual ----
static const char *const groups[] = {"Directories and files", "Addresses and peers", "Limits", "Times",
                                     "Running"};

static size_t group_of(const row *r) {
    const char *last = strrchr(r->name, '_');
    if (r->type == ROW_BOOL) return 4;
    if (r->type == ROW_INT) return last && (strcmp(last, "_s") == 0 || strcmp(last, "_ms") == 0) ? 3 : 2;
    return last && (strcmp(last, "_dir") == 0 || strcmp(last, "_db") == 0 ||
                    strcmp(r->name, "collector_keys") == 0)
               ? 0
               : 1;
}

// Words of `text`, indented, at most 80 columns.
static void wrap(FILE *out, const char *text, int indent) {
    int column = 0;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column == 0 || column + 1 + n > 80) {
            column = fprintf(out, "%s%*s%.*s", column ? "\n" : "", indent, "", n, text) - (column ? 1 : 0);
        } else {
            column += fprintf(out, " %.*s", n, text);
        }
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void row_words(const row *r, char head[120], char body[500]) {
    char name[64], tail[160] = "";
    name_as(r, FROM_FLAG, name);
    const struct form *form = form_of(r);
    snprintf(head, 120, "%s%s%s", name, r->type == ROW_BOOL ? "" : " ",
             r->type == ROW_BOOL ? ""
             : form              ? form->word
                                 : "N");
    if (r->type == ROW_INT) {
        snprintf(tail, sizeof tail, " %lld to %lld%s%s; default %lld.", (long long)r->min, (long long)r->max,
                 r->unit[0] ? " " : "", r->unit, (long long)r->number);
    } else if (r->type == ROW_STR && r->text[0]) {
        snprintf(tail, sizeof tail, " Default %s", r->text);
    }
    snprintf(body, 500, "%s%s", r->doc, tail);
}

static const char *about(wn_program prog) {
    if (prog == WN_PROG_COLLECTOR)
        return "takes events, strips and coarsens every identifier, and sends anonymous observations on";
    if (prog == WN_PROG_AGGREGATOR)
        return "folds observations into cells and publishes those that hide everybody in them";
    if (prog == WN_PROG_FORWARD)
        return "brings published rows, and nothing else, to the destinations that the plan names";
    if (prog == WN_PROG_WEB) return "shows published rows, and nothing else, in a dashboard and an API";
    return "counts how a product is used and lets nothing out but crowds";
}

void wn_options_help(wn_program prog, FILE *out) {
    char head[120], body[500], intro[300];
    if (prog != WN_PROG_CLI) {
        fprintf(out, "Usage: %s [OPTION]...\n\n", program_name(prog));
        snprintf(intro, sizeof intro, "%s %s.", program_name(prog), about(prog));
        wrap(out, intro, 0);
        fputc('\n', out);
    }
    wrap(out,
         "Every option is also WINNOW_NAME in the environment and `name:` in winnow.yaml, with _ for each "
         "hyphen."
         " The command line wins over the environment, and that over the file.",
         0);
    for (size_t g = 0; g < WN_COUNT(groups); g++) {
        bool any = false;
        for (size_t i = 0; i < ROWS; i++) {
            if (!(rows[i].programs & (unsigned)prog) || group_of(&rows[i]) != g) continue;
            if (!any) fprintf(out, "\n%s\n", groups[g]);
            any = true;
            row_words(&rows[i], head, body);
            fprintf(out, "  %s\n", head);
            wrap(out, body, 8);
        }
    }
    fputs("  --help, --version, --man\n        Print this text, the version, or the manual page as troff.\n",
          out);
}

// troff text: no line may begin as a request, and a hyphen must stay one.
static void roff(FILE *out, const char *text) {
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\') fputs("\\e", out);
        else if (*text == '-') fputs("\\-", out);
        else fputc(*text, out);
    }
}

void wn_options_man_rows(wn_program prog, FILE *out) {
    char head[120], body[500];
    fputs(".SH OPTIONS\nThe command line wins over the environment, and that over the file.\n", out);
    for (size_t g = 0; g < WN_COUNT(groups); g++) {
        bool any = false;
        for (size_t i = 0; i < ROWS; i++) {
            if (!(rows[i].programs & (unsigned)prog) || group_of(&rows[i]) != g) continue;
            if (!any) fprintf(out, ".SS %s\n", groups[g]);
            any = true;
            row_words(&rows[i], head, body);
            fputs(".TP\n.B ", out);
            roff(out, head);
            fputc('\n', out);
            roff(out, body);
            fputc('\n', out);
        }
    }
    fputs(".SS Text\n.TP\n.B \\-\\-help, \\-\\-version, \\-\\-man\nPrint help, the version, or this page as "
          "troff.\n"
          ".SH ENVIRONMENT\n.B WINNOW_NAME\nsets the option NAME, upper case with _ for each hyphen.\n"
          ".SH FILES\n.TP\n.I /etc/winnow/winnow.yaml\nOptions, as\n.B name: value\nwith _ for each hyphen.\n"
          ".TP\n.I /etc/winnow/sites.yaml\nSites; written by\n.BR \"winnow site\" .\n"
          ".TP\n.I /etc/winnow/plan.yaml\nThe release plan; without it the built\\-in one.\n"
          ".TP\n.I /etc/winnow/policy.yaml\nWhat each site promised its visitors; without it the built\\-in "
          "one. See\n.BR \"winnow policy\" .\n"
          ".TP\n.I /etc/winnow/destinations.yaml\nWhich third parties get published rows, where, and by what "
          "right; without it none does. See\n.BR \"winnow forward\" .\n"
          ".TP\n.I /etc/winnow/api_keys.yaml\nWho may read over HTTP; written by\n.BR \"winnow keys api\" .\n"
          ".TP\n.I /var/lib/winnow\nAll state.\n",
          out);
}

void wn_options_man(wn_program prog, FILE *out) {
    const char *name = program_name(prog);
    fprintf(out, ".TH %s %d \"\" \"Winnow %s\"\n.SH NAME\n", name, prog == WN_PROG_CLI ? 1 : 8, WN_VERSION);
    roff(out, name);
    fprintf(out, " \\- %s\n.SH SYNOPSIS\n.B ", about(prog));
    roff(out, name);
    fputs("\n[\\fIOPTION\\fR]...\n", out);
    wn_options_man_rows(prog, out);
    fputs(".SH SEE ALSO\n.BR winnow (1),\n.BR winnow\\-collector (8),\n.BR winnow\\-aggregator (8),\n.BR "
          "winnow\\-web (8)\n",
          out);
}
