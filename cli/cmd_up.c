// SPDX-License-Identifier: Apache-2.0
// cmd_up.c: `winnow up` and `winnow down`: the whole product with one command.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli_ask.h"
#include "clock.h"
#include "cmd_site.h"
#include "keep.h"
#include "keeper.h"
#include "open_windows.h"
#include "pidfile.h"

#define LOG_BYTES_MAX (4 << 20)
// What stopping the daemons costs the windows that are open (R4).
#define EPOCH_SAID                                                                                           \
    "The keys that say who is the same person went with it: in the windows that are open, whoever comes "    \
    "after the next start counts anew, and the larger of the two counts is published."
#define LOG_LIFE_S (7 * 86400) // R14

// ---- sites ----
typedef struct wanted {
    wn_site site;
    bool new;
} wanted;

static bool append_if_new(void *ctx, wn_sites *s) {
    wanted *w = ctx;
    if (wn_sites_by_name(s, w->site.name, strlen(w->site.name))) return true;
    w->new = wn_site_append(&w->site, s);
    return w->new;
}

// Makes the sites named; a first one when there is none. out_name is the one the snippet shows.
static bool make_sites(wn_cli *c, const wn_args *a, char out_name[WN_SITE_NAME_BYTES]) {
    static const char *const first[] = {"site"};
    const char *const *name;
    wn_sites s;
    size_t n = wn_args_all(a, "site", &name);
    if (!wn_cli_sites(c, &s)) return false;
    if (n == 0 && s.n > 0) strcpy(out_name, s.site[0].name);
    bool none = s.n == 0;
    wn_sites_fini(&s);
    if (n == 0 && !none) return true;
    if (n == 0) name = first, n = 1;
    for (size_t i = 0; i < n; i++) {
        wanted w = {0};
        if (!wn_site_make(name[i], NULL, NULL, &w.site) || !wn_site_edit(c, append_if_new, &w)) return false;
        if (w.new) printf("Site %s added: its days begin at midnight in %s.\n", w.site.name, w.site.zone);
        if (i == 0) strcpy(out_name, w.site.name);
    }
    return true;
}

// ---- what the daemons are called with ----
// The options given that `prog` knows, and both directories as absolute paths.
static char **daemon_argv(const wn_cli *c, const wn_args *a, wn_program prog, char *config, char *state) {
    char **argv = calloc((size_t)(a->options + a->extras) + 12, sizeof *argv);
    int n = 1;
    if (!argv) return NULL;
    for (int list = 0; list < 2; list++) {
        char **from = list ? a->extra : a->option;
        int many = list ? a->extras : a->options;
        for (int i = list ? 0 : 1; i < many;) {
            // Every option takes as many words for any program that knows it.
            int words = 0, known = wn_options_words(prog, from[i]);
            static const wn_program all[] = {WN_PROG_CLI, WN_PROG_COLLECTOR, WN_PROG_AGGREGATOR, WN_PROG_WEB,
                                             WN_PROG_FORWARD};
            for (size_t p = 0; p < WN_COUNT(all) && words == 0; p++)
                words = wn_options_words(all[p], from[i]);
            bool place =
                strncmp(from[i], "--config-dir", 12) == 0 || strncmp(from[i], "--state-dir", 11) == 0;
            for (int j = 0; j < words && known && !place; j++) argv[n++] = from[i + j];
            i += words > 0 ? words : 1;
        }
    }
    static char flags[][16] = {"--config-dir", "--state-dir", "--uplink"};
    argv[n++] = flags[0], argv[n++] = config;
    argv[n++] = flags[1], argv[n++] = state;
    // One word for the aggregator's endpoint is enough for both.
    if (prog == WN_PROG_COLLECTOR && c->o.listen[0] && !c->o.uplink[0]) {
        argv[n++] = flags[2], argv[n++] = (char *)(uintptr_t)c->o.listen;
    }
    return argv; // argv[0] is the keeper's to set
}

static bool argv_right(wn_program prog, char **argv) {
    wn_options o;
    bool done;
    int n = 0;
    if (!argv) return false;
    argv[0] = (char *)(uintptr_t) "winnow";
    while (argv[n]) n++;
    return wn_options_read(prog, n, argv, &o, NULL, NULL, &done) == WN_OK;
}

// ---- what is printed ----
static bool web_wanted(const wn_cli *c) {
    return strcmp(c->o.web_listen, "off") != 0;
}

static bool forward_wanted(const wn_cli *c) {
    char path[320];
    snprintf(path, sizeof path, "%.280s/destinations.yaml", c->o.config_dir);
    return access(path, F_OK) == 0;
}

// Who may look, in a word: what a fresh installation allows is said, not found out.
static void print_dashboard(const wn_cli *c) {
    char keys[300];
    snprintf(keys, sizeof keys, "%.280s/api_keys.yaml", c->o.config_dir);
    bool keyed = c->o.web_behind_proxy || access(keys, F_OK) == 0;
    printf("  Dashboard  http://%s/   (%s)\n", c->o.web_listen,
           c->o.web_public ? "for everybody who reaches it"
           : keyed         ? "with a key of `winnow keys api`"
                           : "for your programs on this machine, until `winnow keys api NAME` makes a key");
}

static void print_guide(const wn_cli *c, const char *site, bool detached) {
    char address[300];
    const char *port = strrchr(c->o.http_listen, ':');
    bool any = strncmp(c->o.http_listen, "0.0.0.0:", 8) == 0 || strncmp(c->o.http_listen, "[::]:", 5) == 0;
    snprintf(address, sizeof address, "http://%s%s", any ? "127.0.0.1" : c->o.http_listen, any ? port : "");
    printf("Winnow runs.\n\n  Paste into your pages:\n    <script defer src=\"%s/w.js\" "
           "data-site=\"%s\"></script>\n\n",
           address, site);
    printf("  Events     POST %s/v1/events\n", address);
    printf("  Rows       winnow report%s   (a row appears at 10 visitors, or 20 where anybody can coin its "
           "value)\n",
           c->again);
    if (web_wanted(c)) print_dashboard(c);
    if (forward_wanted(c)) printf("  Forwards   winnow forward status%s\n", c->again);
    printf("  State      winnow status%s\n", c->again);
    if (detached) printf("  Log        %s/up.log\n  Stop       winnow down%s\n", c->o.state_dir, c->again);
    else printf("  Stop       Ctrl-C, or winnow down%s\n", c->again);
    fflush(stdout);
}

// ---- the log of a detached Winnow: bounded in bytes and in days ----
typedef struct up_log {
    int fd;
    time_t begun;
} up_log;

static void trim_log(void *ctx) {
    up_log *log = ctx;
    struct stat st;
    if (log->fd < 0 || fstat(log->fd, &st) != 0) return;
    if (st.st_size <= LOG_BYTES_MAX && time(NULL) - log->begun <= LOG_LIFE_S) return;
    if (ftruncate(log->fd, 0) == 0) log->begun = time(NULL); // writers append, so they go on at its start
}

static void print_tail(const char *path) {
    char text[2048];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t n = pread(fd, text, sizeof text, size > (off_t)sizeof text ? size - (off_t)sizeof text : 0);
    close(fd);
    if (n > 0) fwrite(text, 1, (size_t)n, stderr);
}

// In the parent: waits for the keeper's word, prints, answers the exit code.
static int detached_parent(const wn_cli *c, int pipe_fd, pid_t keeper, const char *site, const char *log) {
    char word = 0;
    struct pollfd p = {pipe_fd, POLLIN, 0};
    ssize_t n = poll(&p, 1, WN_KEEP_READY_MS + WN_KEEP_STOP_MS + 5000) > 0 ? read(pipe_fd, &word, 1) : 0;
    if (n == 1 && word == '+') {
        print_guide(c, site, true);
        return WN_EXIT_OK;
    }
    print_tail(log);
    (void)kill(keeper, SIGTERM);
    return wn_cli_failed("Winnow did not start; its words stand above");
}

static int keep(wn_cli *c, const wn_args *a, const char *site, int pid_fd, const char *pid_path, int pipe_fd,
                up_log *log) {
    char config[PATH_MAX], state[PATH_MAX];
    if (!realpath(c->o.config_dir, config) || !realpath(c->o.state_dir, state)) {
        return wn_cli_failed("cannot find %s or %s: %s", c->o.config_dir, c->o.state_dir, strerror(errno));
    }
    char forward_dir[300], destinations[320];
    snprintf(forward_dir, sizeof forward_dir, "%.250s/forward", c->o.state_dir);
    snprintf(destinations, sizeof destinations, "%.280s/destinations.yaml", c->o.config_dir);
    wn_program programs[WN_KEEP_CHILDREN_MAX] = {WN_PROG_AGGREGATOR, WN_PROG_COLLECTOR};
    size_t n = 2;
    wn_keep_child child[WN_KEEP_CHILDREN_MAX] = {
        {.program = "winnow-aggregator", .role_dir = c->aggregator_dir, .memory = {WN_KEEPER_IDENTITY}},
        {.program = "winnow-collector",
         .role_dir = c->collector_dir,
         .memory = {WN_KEEPER_IDENTITY, WN_KEEPER_SESSIONS}},
    };
    // These are handed nothing.
    if (web_wanted(c)) programs[n] = WN_PROG_WEB, child[n++].program = "winnow-web";
    programs[n] = WN_PROG_FORWARD, child[n].program = "winnow-forward", child[n].when = destinations;
    child[n++].role_dir = forward_dir;
    bool well = true;
    for (size_t i = 0; i < n; i++) {
        child[i].argv = daemon_argv(c, a, programs[i], config, state);
        well = well && argv_right(programs[i], child[i].argv);
    }
    well = well && wn_keep_begin(child, n) && wn_pidfile_write(pid_fd, getpid()) == WN_OK &&
           wn_keep_start(child, n);
    if (well) {
        if (pipe_fd >= 0) {
            well = write(pipe_fd, "+", 1) == 1;
            close(pipe_fd);
        } else {
            print_guide(c, site, false);
        }
        wn_keep_run(child, n, pipe_fd >= 0, trim_log, log);
        if (pipe_fd < 0) puts("Winnow is stopped.");
    }
    for (size_t i = 0; i < n; i++) free(child[i].argv);
    wn_pidfile_drop(pid_fd, pid_path);
    return well ? WN_EXIT_OK : WN_EXIT_FAILED;
}

static int up(wn_cli *c, const wn_args *a) {
    char pid_path[300], log_path[300], site[WN_SITE_NAME_BYTES] = "";
    int pid_fd = -1, ends[2];
    pid_t holder = 0;
    wn_plan plan;
    up_log log = {-1, time(NULL)};
    if (!wn_cli_folder(c->o.config_dir) || !wn_cli_folder(c->o.state_dir)) return WN_EXIT_FAILED;
    snprintf(pid_path, sizeof pid_path, "%s/up.pid", c->o.state_dir);
    snprintf(log_path, sizeof log_path, "%s/up.log", c->o.state_dir);
    if (!wn_cli_plan(c, NULL, &plan)) return WN_EXIT_FAILED;
    wn_plan_fini(&plan);
    wn_err err = wn_pidfile_take(pid_path, &pid_fd, &holder);
    if (err == WN_ERR_BUSY) {
        return wn_cli_failed("Winnow runs already (pid %d); stop it with `winnow down%s`", (int)holder,
                             c->again);
    }
    if (err != WN_OK) return wn_cli_failed("%s cannot be written: %s", pid_path, strerror(errno));
    if (!make_sites(c, a, site)) return wn_pidfile_drop(pid_fd, pid_path), WN_EXIT_FAILED;
    if (!wn_args_has(a, "detach")) return keep(c, a, site, pid_fd, pid_path, -1, &log);

    log.fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
    if (log.fd < 0 || pipe2(ends, O_CLOEXEC) != 0) return wn_cli_failed("%s: %s", log_path, strerror(errno));
    fflush(NULL);
    pid_t keeper = fork();
    if (keeper < 0) return wn_cli_failed("cannot go to the background: %s", strerror(errno));
    if (keeper > 0) {
        close(pid_fd); // the lock lives on in the keeper
        close(ends[1]);
        return detached_parent(c, ends[0], keeper, site, log_path);
    }
    setsid();
    close(ends[0]);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(log.fd, STDOUT_FILENO);
    dup2(log.fd, STDERR_FILENO);
    return keep(c, a, site, pid_fd, pid_path, ends[1], &log);
}

static int down(wn_cli *c, const wn_args *a) {
    char path[300];
    (void)a;
    snprintf(path, sizeof path, "%s/up.pid", c->o.state_dir);
    pid_t pid = wn_pidfile_holder(path);
    if (pid == 0) {
        bool by_hand = wn_ask_pid(c->collector_dir) || wn_ask_pid(c->aggregator_dir);
        if (by_hand)
            return wn_cli_failed(
                "the daemons run, but not under `winnow up`: stop them where they were started");
        puts("Winnow does not run.");
        return WN_EXIT_OK;
    }
    int open = wn_open_windows_ask(c, NULL);
    if (kill(pid, SIGTERM) != 0) return wn_cli_failed("cannot stop pid %d: %s", (int)pid, strerror(errno));
    for (int64_t until = wn_monotonic_ms() + WN_KEEP_STOP_MS + 5000; wn_monotonic_ms() < until;) {
        if (wn_pidfile_holder(path) == pid) {
            poll(NULL, 0, 50);
            continue;
        }
        puts("Winnow is stopped.");
        if (open > 0) puts(EPOCH_SAID);
        return WN_EXIT_OK;
    }
    return wn_cli_failed("pid %d still runs; look at what it says, or kill it", (int)pid);
}

static const wn_flag up_flags[] = {
    {"site", "NAME",
     "Adds this site when there is none of that name; may be repeated. Its days follow this machine's zone."},
    {"detach", NULL, "Goes to the background once both daemons are ready."},
};

const wn_command wn_cmd_up = {
    .name = "up",
    .usage = "[--site NAME]... [--detach] [OPTION]...",
    .doc = "Runs the collector, the aggregator and the dashboard, and starts one again that dies.",
    .more = "Keeps the keys that say who is the same person today in memory that outlives a kill of a "
            "daemon, and never"
            " reads them. With no site at all it adds one called \"site\". Options of winnow-collector,"
            " winnow-aggregator and winnow-web may stand here and are handed on.\n"
            "Stopping both daemons lets go of those keys: people of windows that are open then begin anew, as"
            " a second epoch, and the larger epoch counts.",
    .flags = up_flags,
    .flags_n = WN_COUNT(up_flags),
    .takes_daemon_options = true,
    .run = up,
};

const wn_command wn_cmd_down = {
    .name = "down",
    .usage = "",
    .doc = "Stops what `winnow up` runs.",
    .more = "Lets go of the keys that say who is the same person: what is counted stays, but people of"
            " windows that are open begin anew as a second epoch after the next start, and the larger epoch"
            " counts.",
    .run = down,
};
