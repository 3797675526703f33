#include "common/clock.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/program.h"
#include "orchestrator/cli.h"
#include "orchestrator/config.h"
#include "orchestrator/fetch.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/nodes.h"
#include "orchestrator/notify.h"

#include <curl/curl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    DESCRIPTORS_ASIDE = 64,
    THREADS_ASIDE = 2 + READINGS_MAX, // of the store, and of the inventory
    POOL_THREADS_MAX = 1024,          // libuv's
    LOG_RETRY_MS = 100,               // to a reader or a disk that took nothing
    CUT_OFF_MISSED = 20,              // as struct gate_config has it
    CUT_OFF_GROUPS = 5,
};

struct service {
    struct config config;
    uv_loop_t loop;
    struct log log;
    struct metrics *metrics;
    struct processors processors;
    struct jobs *jobs;
    struct store *store;
    struct runner *runner;
    struct shards_held held;
    struct nodes *nodes; // NULL: the store is this process's alone
    struct api *api;
    uv_signal_t term, interrupt, hangup;
    uv_prepare_t before_wait;
    uv_timer_t log_retry;
    uv_work_t first_work;
    struct notify notify;
    bool ending, aborted, has_let_go, store_closing;
    int exit_code;
};

// --- signals and the end
//
// The API refuses what is new, the gate lets hosts in hand come to their end; then the store keeps
// what is queued and is closed, which ends the last jobs; then the reports are delivered.
//
// With the store a node gives up its shards, and another may log in to the same devices at once,
// while clients that are slow are waited for here; one that stands still is not ended from outside
// any more when its lease is over. So asks that nobody waits for, and sessions that are kept, end
// before.

static void on_api_closed(void *arg) {
    struct service *s = arg;
    runner_close(s->runner);
    uv_close((uv_handle_t *)&s->term, NULL);
    uv_close((uv_handle_t *)&s->interrupt, NULL);
    uv_close((uv_handle_t *)&s->hangup, NULL);
    uv_close((uv_handle_t *)&s->before_wait, NULL);
    uv_close((uv_handle_t *)&s->log_retry, NULL);
    notify_close(&s->notify);
}

static void on_store_closed(void *arg) {
    struct service *s = arg;
    s->store = NULL;
    api_close(s->api, on_api_closed, s);
}

static void let_go(struct service *s) {
    s->has_let_go = true;
    if (!s->aborted) gate_lose(runner_gate(s->runner));
    nodes_stop(s->nodes);
}

static void close_store_when_idle(struct service *s) {
    if (!s->ending || s->store_closing || !api_is_idle(s->api)) return;
    if (gate_under_way(runner_gate(s->runner)) > 0 && !s->aborted) return;
    if (s->nodes != NULL && !s->has_let_go) let_go(s);
    if (s->nodes != NULL && !nodes_is_idle(s->nodes, s->aborted)) return;
    s->store_closing = true;
    api_leave_store(s->api);
    store_close(s->store, on_store_closed, s);
}

static void say_who_is_awaited(const struct service *s) {
    char timeout[DURATION_TEXT_MAX];
    const char *why;
    size_t in_hand = gate_under_way(runner_gate(s->runner));
    const bool is_well = store_is_well(s->store, &why);
    if (in_hand == 0) {
        if (s->nodes != NULL && !is_well)
            program_say("orchestrator: waiting until the store can be written (%s); a second "
                        "signal ends it",
                        why);
        return;
    }
    duration_format(s->config.session.install_timeout_ms * 1000, timeout);
    if (is_well)
        program_say("orchestrator: waiting for %zu hosts in hand, at most %s; a second signal ends "
                    "it",
                    in_hand, timeout);
    else
        program_say("orchestrator: waiting for %zu hosts in hand, until the store can be written "
                    "(%s); a second signal ends it",
                    in_hand, why);
}

// The first signal finishes what is in hand; the second does not wait for it.
static void end(struct service *s) {
    struct gate *gate = runner_gate(s->runner);
    if (!s->ending) {
        s->ending = true;
        api_drain(s->api);
        if (s->nodes != NULL) nodes_leave(s->nodes);
        if (store_is_persistent(s->store))
            gate_halt(gate);
        else
            gate_drain(gate);
        say_who_is_awaited(s);
        notify_stopping(&s->notify);
    } else if (!s->store_closing) {
        if (gate_in_hand(gate) > 0) s->exit_code = EXIT_FAILURE;
        s->aborted = true;
        gate_abort(gate);
    }
}

static void on_end(uv_signal_t *handle, int signum) {
    (void)signum;
    end(handle->data);
}

static void reload_tokens(struct service *s) {
    struct access *access;
    struct error err;
    if (s->config.tokens == NULL) return;
    if (access_load(s->config.tokens, &access, &err) == 0)
        api_set_access(s->api, access);
    else
        program_say("orchestrator: --tokens: %s; those of before are in force", err.text);
}

static void reload_tls(struct service *s) {
    struct http_tls *tls = NULL;
    struct error err;
    if (config_load_tls(&s->config, &tls, &err) != 0)
        program_say("orchestrator: %s; the certificate of before is shown", err.text);
    else if (tls != NULL)
        api_set_tls(s->api, tls);
}

// Sessions that are under way keep what they have logged in with.
static void reload_credentials(struct config *c) {
    struct error err;
    if (config_reload_credentials(c, &err) != 0)
        program_say("orchestrator: --credentials: %s; what was read before holds", err.text);
}

static void on_hangup(uv_signal_t *handle, int signum) {
    struct service *s = handle->data;
    struct error err;
    (void)signum;
    if (!s->ending) notify_reloading(&s->notify);
    if (log_reopen(&s->log, &err) != 0)
        program_say("orchestrator: log: %s; the file of before is in use", err.text);
    reload_tokens(s);
    reload_tls(s);
    reload_credentials(&s->config);
    if (!s->ending) notify_ready(&s->notify);
}

static void on_log_retry(uv_timer_t *handle) {
    (void)handle; // the turn that it wakes flushes the log
}

static void on_before_wait(uv_prepare_t *handle) {
    struct service *s = handle->data;
    close_store_when_idle(s);
    log_flush(&s->log);
    if (log_behind(&s->log)) uv_timer_start(&s->log_retry, on_log_retry, LOG_RETRY_MS, 0);
}

// What follows from it until it can be written again is in spec/failures.md.
static void on_store_trouble(void *arg, const char *why) {
    struct service *s = arg;
    char text[ERROR_TEXT_MAX];
    if (why == NULL)
        snprintf(text, sizeof text, "it can be written again");
    else
        snprintf(text, sizeof text,
                 "no install begins and no job is taken until it can be written: %s", why);
    log_note(&s->log, why == NULL ? LOG_WARNING : LOG_ERROR, clock_wall_ms(), "store", text);
    if (strcmp(s->config.log_path, "-") != 0) program_say("orchestrator: the store: %s", text);
    if (why != NULL && s->api != NULL) api_store_unwell(s->api, why);
}

// Nothing of it is on any device's way any more: its connections were closed when its lease ended.
static void on_fenced(void *arg, const char *why) {
    struct service *s = arg;
    log_note(&s->log, LOG_ERROR, clock_wall_ms(), "store", why);
    log_flush(&s->log);
    program_say("orchestrator: the store: %s", why);
    exit(EXIT_FAILURE);
}

static void on_node(void *arg, const char *text) {
    struct service *s = arg;
    log_note(&s->log, LOG_WARNING, clock_wall_ms(), "node", text);
    if (strcmp(s->config.log_path, "-") != 0) program_say("orchestrator: this node: %s", text);
}

// --- what the service manager is told

static void url_of(const struct service *s, char url[ADDRESS_TEXT_MAX + 8]) {
    char address[ADDRESS_TEXT_MAX];
    address_format(api_address(s->api), address);
    snprintf(url, ADDRESS_TEXT_MAX + 8, "http%s://%s", s->config.tls_cert == NULL ? "" : "s",
             address);
}

static void tell_status(void *arg, char line[NOTIFY_STATUS_MAX]) {
    const struct service *s = arg;
    const size_t in_hand = gate_in_hand(runner_gate(s->runner));
    char url[ADDRESS_TEXT_MAX + 8], timeout[DURATION_TEXT_MAX];
    if (s->ending) {
        duration_format(s->config.session.install_timeout_ms * 1000, timeout);
        snprintf(line, NOTIFY_STATUS_MAX, "ending, hosts in hand: %zu, at most %s each", in_hand,
                 timeout);
    } else {
        url_of(s, url);
        snprintf(line, NOTIFY_STATUS_MAX, "%s, open jobs: %zu, hosts in hand: %zu", url,
                 jobs_count(s->jobs), in_hand);
    }
}

static bool waits_for_hosts(void *arg) {
    const struct service *s = arg;
    return gate_under_way(runner_gate(s->runner)) > 0;
}

// --- the start

static void watch(struct service *s, uv_signal_t *handle, uv_signal_cb cb, int signum) {
    uv_signal_init(&s->loop, handle);
    handle->data = s;
    uv_signal_start(handle, cb, signum);
}

// --- the start

static int open_loop(struct service *s, struct error *err) {
    struct config *c = &s->config;
    if (c->peers.asks == 0) c->peers.asks = c->workers;
    int rc = config_check(c, err);
    if (rc == 0)
        rc = limits_descriptors(c->workers + (c->peers.check ? c->peers.asks : 0) +
                                    (unsigned long)c->api.limits.http.connections +
                                    DESCRIPTORS_ASIDE,
                                err);
    if (rc != 0) return rc;
    rc = uv_loop_init(&s->loop);
    return rc == 0 ? 0 : error_system(err, rc, "there is no event loop");
}

static void on_first_work(uv_work_t *work) {
    (void)work;
}

static void on_first_done(uv_work_t *work, int status) {
    (void)work;
    (void)status;
}

// libuv makes all threads of its pool when the first work comes, and aborts where it cannot: so
// that is now, and not in the midst of a job. They are many, so that names that are slow to look up
// do not keep others waiting.
static int start_threads(struct service *s, struct error *err) {
    static const char name[] = "UV_THREADPOOL_SIZE", many[] = "16";
    const char *size = getenv(name);
    if (size == NULL) {
        size = many;
        setenv(name, size, 0);
    }
    unsigned long pool = strtoul(size, NULL, 10);
    if (pool > POOL_THREADS_MAX) pool = POOL_THREADS_MAX;
    int rc = limits_threads((unsigned)pool + THREADS_ASIDE, err);
    if (rc == 0) uv_queue_work(&s->loop, &s->first_work, on_first_work, on_first_done);
    return rc;
}

static int open_log(struct service *s, struct error *err) {
    const struct config *c = &s->config;
    const int rc = log_open(&s->log, c->log_path, c->log_level, err);
    if (rc != 0) {
        error_from(err, "--log");
        error_advise(err, "mend that, or use another --log FILE");
        return rc;
    }
    s->log.format = c->log_format;
    s->log.line_max = (size_t)c->api.limits.log_line;
    return 0;
}

static void share(struct service *s) {
    const struct nodes_config config = {.loop = &s->loop,
                                        .store = s->store,
                                        .jobs = s->jobs,
                                        .gate = runner_gate(s->runner),
                                        .held = &s->held,
                                        .workers = s->config.workers,
                                        .fenced = on_fenced,
                                        .say = on_node,
                                        .arg = s};
    s->nodes = nodes_new(&config);
    runner_share(s->runner, s->nodes);
}

static int start(struct service *s, struct error *err) {
    struct config *c = &s->config;
    c->session.keep_ms = c->peers.max_age_ms;
    c->session.line_max = c->api.limits.device_line;
    c->store.size_max = c->api.limits.store;
    int rc = start_threads(s, err);
    if (rc == 0) rc = open_log(s, err);
    if (rc != 0) return rc;
    s->metrics = metrics_new(s->config.workers);
    metrics_watch_log(s->metrics, &s->log);
    s->jobs = jobs_new();
    rc = store_open(&s->store, &s->loop, &s->config.store, err);
    if (rc != 0) return rc;
    metrics_watch_jobs(s->metrics, s->jobs);
    store_on_commit(s->store, metrics_commit, s->metrics);
    store_on_trouble(s->store, on_store_trouble, s);
    processors_add(&s->processors, (struct processor){metrics_event, s->metrics});
    processors_add(&s->processors, (struct processor){joblog_event, &s->log});
    const struct gate_config gate = {.workers = s->config.workers,
                                     .max_jobs = s->config.max_jobs,
                                     .max_failures = s->config.max_failures,
                                     .refuses_downgrade = s->config.downgrade == DOWNGRADE_REFUSE,
                                     .peers = s->config.peers,
                                     .policy = &s->config.policy,
                                     .credentials = &s->config.credentials,
                                     .processors = &s->processors,
                                     .jobs = s->jobs,
                                     .is_persistent = store_is_persistent(s->store),
                                     .epoch = store_found(s->store)->epoch,
                                     .cut_off = {CUT_OFF_MISSED, CUT_OFF_GROUPS},
                                     .held = store_is_shared(s->store) ? &s->held : NULL};
    s->runner = runner_new(&s->loop, &s->config.session, &gate, s->store);
    if (store_is_shared(s->store)) share(s);
    rc = config_load_tls(&s->config, &s->config.api.tls, err);
    if (rc != 0) return rc;
    runner_set_trust(s->runner, c->device_ca);
    const struct api_parts parts = {.loop = &s->loop,
                                    .jobs = s->jobs,
                                    .runner = s->runner,
                                    .nodes = s->nodes,
                                    .store = s->store,
                                    .metrics = s->metrics,
                                    .processors = &s->processors,
                                    .log = &s->log};
    s->config.api.install_timeout_ms = s->config.session.install_timeout_ms;
    rc = api_start(&s->api, &s->config.api, &parts, err);
    if (rc == UV_EADDRINUSE)
        error_advise(err, "end the program that listens there, or use another --listen ADDRESS");
    if (rc != 0) return rc;
    watch(s, &s->term, on_end, SIGTERM);
    watch(s, &s->interrupt, on_end, SIGINT);
    watch(s, &s->hangup, on_hangup, SIGHUP);
    uv_timer_init(&s->loop, &s->log_retry);
    uv_prepare_init(&s->loop, &s->before_wait);
    s->before_wait.data = s;
    uv_prepare_start(&s->before_wait, on_before_wait);
    return 0;
}

static void on_nothing(void *arg) {
    (void)arg;
}

static int say_ready(struct service *s, struct error *err) {
    char url[ADDRESS_TEXT_MAX + 8];
    url_of(s, url);
    int rc = program_ready(err, "orchestrator: listening on %s", url);
    if (rc == 0) notify_ready(&s->notify);
    return rc;
}

int main(int argc, char **argv) {
    program_init();
    // Passwords and tokens are in its memory: no core dump, no debugger of the same user.
    prctl(PR_SET_DUMPABLE, 0);
    if (argc > 1 && argv[1][0] != '-') return cli_main(&config_options, argc, argv);
    // What a thread makes of an inventory lives on with the loop: a heap for each thread wastes a
    // fifth.
    mallopt(M_ARENA_MAX, 1);
    struct service s = {.log = {.fd = -1}};
    struct error err;
    int exit_code;
    if (config_defaults(&s.config, &err) != 0) return EXIT_FAILURE;
    if (!options_parse(&config_options, &s.config, argc, argv, &exit_code)) {
        config_deinit(&s.config);
        return program_end("orchestrator", exit_code);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (open_loop(&s, &err) != 0) {
        fprintf(stderr, "orchestrator: %s\n", err.text);
        access_free(s.config.api.access);
        config_deinit(&s.config);
        return EXIT_FAILURE;
    }
    const struct notify_source source = {tell_status, waits_for_hosts, &s};
    if (notify_open(&s.notify, &s.loop, &source, &err) != 0 || start(&s, &err) != 0) {
        fprintf(stderr, "orchestrator: %s\n", err.text);
        s.exit_code = EXIT_FAILURE;
        notify_close(&s.notify);
        if (s.nodes != NULL) nodes_stop(s.nodes);
        if (s.runner != NULL) runner_close(s.runner);
        if (s.store != NULL) store_close(s.store, on_nothing, NULL);
    } else if (say_ready(&s, &err) != 0) {
        fprintf(stderr, "orchestrator: %s\n", err.text);
        s.exit_code = EXIT_FAILURE;
        end(&s);
    }
    uv_run(&s.loop, UV_RUN_DEFAULT);

    notify_deinit(&s.notify);
    api_free(s.api);
    nodes_free(s.nodes);
    runner_free(s.runner);
    jobs_free(s.jobs);
    metrics_free(s.metrics);
    log_close(&s.log);
    config_deinit(&s.config);
    uv_loop_close(&s.loop);
    uv_library_shutdown();
    curl_global_cleanup();
    return s.exit_code;
}
