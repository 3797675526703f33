// bench COMMAND [OPTION]...: the command line.
#include "bench/bench.h"
#include "bench/output.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/options.h"
#include "common/program.h"
#include "orchestrator/session.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bench_command *const commands[] = {
#define X(name) &bench_##name,
#include "bench/commands.def"
#undef X
};
enum { COMMANDS = COUNT(commands) };

static const double FAILURE_RATE = 0.018; // of whatif, where all is run

struct command_line {
    struct bench_config config;
    const struct bench_command *command; // NULL: all of them
    char options[256];                   // as they were given
    const char *csv, *json, *plots, *folder;
};

// --- options

static int parse_number(const char *value, unsigned high, unsigned *out, struct error *err) {
    uint64_t n;
    int rc = options_number(value, 1, high, &n, err);
    if (rc == 0) *out = (unsigned)n;
    return rc;
}

static int parse_fraction(const char *value, double low, double high, double *out,
                          struct error *err) {
    char *end;
    double n = strtod(value, &end);
    if (end == value || *end != '\0' || !(n >= low && n <= high))
        return error_set(err, "'%.40s': expected a number from %g to %g", value, low, high);
    *out = n;
    return 0;
}

static int set_network(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->config.source.network = value;
    return 0;
}

static int set_inventory(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->config.source.inventory = value;
    return 0;
}

static int set_policy(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->config.source.policy = value;
    return 0;
}

static int set_latency(void *config, const char *value, struct error *err) {
    struct command_line *c = config;
    c->config.latency = value;
    return duration_range_parse(value, &c->config.latency_range, err);
}

static int set_time_scale(void *config, const char *value, struct error *err) {
    double *scale = &((struct command_line *)config)->config.time_scale;
    return parse_fraction(value, 0.001, 1000, scale, err);
}

static int set_workers(void *config, const char *value, struct error *err) {
    return parse_number(value, 1000000, &((struct command_line *)config)->config.workers, err);
}

static int set_addresses(void *config, const char *value, struct error *err) {
    return parse_number(value, 250, &((struct command_line *)config)->config.addresses, err);
}

static int set_seed(void *config, const char *value, struct error *err) {
    unsigned seed = 0;
    int rc = parse_number(value, 1000000000, &seed, err);
    if (rc == 0) ((struct command_line *)config)->config.seed = seed;
    return rc;
}

static int set_runs(void *config, const char *value, struct error *err) {
    return parse_number(value, 100000, &((struct command_line *)config)->config.runs, err);
}

static int set_failure_rate(void *config, const char *value, struct error *err) {
    double *rate = &((struct command_line *)config)->config.failure_rate;
    return parse_fraction(value, 0, 1, rate, err);
}

static int set_connect_timeout(void *config, const char *value, struct error *err) {
    uint64_t *ms = &((struct command_line *)config)->config.connect_timeout_ms;
    return duration_timeout_parse(value, ms, err);
}

static int set_call_timeout(void *config, const char *value, struct error *err) {
    uint64_t *ms = &((struct command_line *)config)->config.call_timeout_ms;
    return duration_timeout_parse(value, ms, err);
}

static int set_install_timeout(void *config, const char *value, struct error *err) {
    uint64_t *ms = &((struct command_line *)config)->config.install_timeout_ms;
    return duration_timeout_parse(value, ms, err);
}

static int set_asks(void *config, const char *value, struct error *err) {
    return parse_number(value, 1000000, &((struct command_line *)config)->config.peers_config.asks,
                        err);
}

static int set_peer_check(void *config, const char *value, struct error *err) {
    bool *check = &((struct command_line *)config)->config.peers_config.check;
    *check = strcmp(value, "on") == 0;
    if (*check || strcmp(value, "off") == 0) return 0;
    return error_set(err, "'%.40s': expected on or off", value);
}

static int set_peer_max_age(void *config, const char *value, struct error *err) {
    uint64_t *ms = &((struct command_line *)config)->config.peers_config.max_age_ms;
    return duration_timeout_parse(value, ms, err);
}

static int set_peer_wait(void *config, const char *value, struct error *err) {
    uint64_t us;
    int rc = duration_parse(value, &us, err);
    if (rc == 0) ((struct command_line *)config)->config.peers_config.wait_ms = us / 1000;
    return rc;
}

static int set_nodes(void *config, const char *value, struct error *err) {
    bool *nodes = ((struct command_line *)config)->config.nodes;
    const char *at = value;
    for (;;) {
        const bool is_one = *at >= '1' && *at <= '0' + BENCH_NODES_MAX;
        if (!is_one || (at[1] != ',' && at[1] != '\0'))
            return error_set(err, "'%.40s': expected numbers from 1 to %d, such as 1,3", value,
                             BENCH_NODES_MAX);
        nodes[*at - '0'] = true;
        if (at[1] == '\0') return 0;
        at += 2;
    }
}

static int set_devices(void *config, const char *value, struct error *err) {
    enum { SITE = 1000 };
    unsigned *devices = &((struct command_line *)config)->config.devices;
    int rc = parse_number(value, 4000000, devices, err);
    if (rc == 0 && *devices % SITE != 0)
        rc = error_set(err, "'%.40s': expected a multiple of %d", value, SITE);
    return rc;
}

static int set_metrics(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->config.metrics = value;
    return 0;
}

static int set_verify(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct command_line *)config)->config.verify = true;
    return 0;
}

static int set_timeline(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->config.timeline = value;
    return 0;
}

static int set_tiny(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct command_line *)config)->config.tiny = true;
    return 0;
}

static int set_csv(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->csv = value;
    return 0;
}

static int set_json(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->json = value;
    return 0;
}

static int set_plots(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->plots = value;
    return 0;
}

static int set_folder(void *config, const char *value, struct error *err) {
    struct command_line *c = config;
    if (c->folder != NULL) return error_set(err, "'%.100s': expected one FOLDER only", value);
    c->folder = value;
    return 0;
}

#define FORECAST                                                                                   \
    {"network", "FILE", "the network, with its faults (the ACME network)", set_network},           \
        {"inventory", "FILE|DIR", "make the network of this inventory, as the simulator does",     \
         set_inventory},                                                                           \
        {"policy", "FILE", "the redundancy groups and throttles (as the network file says)",       \
         set_policy},                                                                              \
        {"latency", "RANGE", "how long each call takes, such as 2s..90s (the network's own)",      \
         set_latency},                                                                             \
        {"metrics", "FILE",                                                                        \
         "take the durations, and no faults, from a saved /metrics/ of a real run", set_metrics},  \
        {"failure-rate", "P", "the share of installs that fail, from 0 to 1 (0)",                  \
         set_failure_rate},                                                                        \
        {"connect-timeout", "DURATION", "the orchestrator's, for the live run (5s)",               \
         set_connect_timeout},                                                                     \
        {"call-timeout", "DURATION", "the orchestrator's: a call that takes longer fails (30s)",   \
         set_call_timeout},                                                                        \
        {"install-timeout", "DURATION",                                                            \
         "the orchestrator's, for an install and the restart after it (300s)",                     \
         set_install_timeout},                                                                     \
        {"peer-check", "on|off", "the orchestrator's: peers are asked before an install (on)",     \
         set_peer_check},                                                                          \
        {"peer-max-age", "DURATION",                                                               \
         "the orchestrator's: so long an answer of a peer holds (60s)", set_peer_max_age},         \
        {"peer-wait", "DURATION",                                                                  \
         "the orchestrator's: how long peers that are not up are asked again (0s)",                \
         set_peer_wait},                                                                           \
        {"asks", "N",                                                                              \
         "the orchestrator's: peers asked or kept logged in at the same time (as many as "         \
         "--workers)",                                                                             \
         set_asks},                                                                                \
        {"timeline", "FILE",                                                                       \
         "draw the median run, or with --verify the live one over its forecast, as SVG",           \
         set_timeline},                                                                            \
        {"verify", NULL, "also run it live, and say how far off the forecast was", set_verify}, {  \
        "time-scale", "X", "multiplies delays and timeouts of that live run (1)", set_time_scale   \
    }

#define MEASUREMENT                                                                                \
    {"workers", "N", "devices worked on at the same time (100; scale: 1000)", set_workers},        \
        {"addresses", "N", "loopback addresses that the devices are spread over (16)",             \
         set_addresses},                                                                           \
        {"seed", "N", "the first seed (1)", set_seed},                                             \
        {"runs", "N", "how many seeds, pairs or runs (each command has its own default)",          \
         set_runs},                                                                                \
    {                                                                                              \
        "tiny", NULL,                                                                              \
            "make it as small as possible, to see that it works: the figures mean "                \
            "nothing",                                                                             \
            set_tiny                                                                               \
    }

#define CLUSTER                                                                                    \
    {"nodes", "N,N...", "measure with this many orchestrators over one PostgreSQL (1,2,3)",        \
     set_nodes},                                                                                   \
    {                                                                                              \
        "devices", "N", "of the network without latency, in thousands (20000)", set_devices        \
    }

#define FILES                                                                                      \
    {"csv", "FILE", "write the tables as CSV", set_csv},                                           \
        {"json", "FILE", "write the tables and goals as JSON", set_json}, {                        \
        "plots", "FOLDER", "write the plots as SVG and PNG (needs gnuplot)", set_plots             \
    }

static const struct option_spec measurement_specs[] = {MEASUREMENT, FILES},
                                forecast_specs[] = {FORECAST, MEASUREMENT, FILES},
                                cluster_specs[] = {CLUSTER, MEASUREMENT, FILES},
                                all_specs[] = {FORECAST, CLUSTER, MEASUREMENT};

// The commands, and behind them `all`.
static void make_options(struct options list[COMMANDS + 1]) {
    for (size_t i = 0; i < COMMANDS; i++) {
        list[i] = (struct options){.program = "bench",
                                   .command = commands[i]->name,
                                   .summary = commands[i]->summary,
                                   .specs = measurement_specs,
                                   .count = COUNT(measurement_specs)};
        if (commands[i]->forecasts) {
            list[i].specs = forecast_specs;
            list[i].count = COUNT(forecast_specs);
        } else if (commands[i]->clusters) {
            list[i].specs = cluster_specs;
            list[i].count = COUNT(cluster_specs);
        }
    }
    list[COMMANDS] =
        (struct options){.program = "bench",
                         .command = "all",
                         .arguments = "FOLDER",
                         .summary = "all of them, into FOLDER/RESULTS.md and FOLDER/plots/",
                         .specs = all_specs,
                         .count = COUNT(all_specs),
                         .argument = set_folder,
                         .arguments_min = 1};
}

// --- running

static int make_folder(const char *path, struct error *err) {
    if (mkdir(path, 0755) == 0 || errno == EEXIST) return 0;
    return error_system(err, -errno, "%s", path);
}

static int run_command(const struct bench_command *command, const struct bench_config *config,
                       const char *options, struct bench_result *result, struct error *err) {
    *result = (struct bench_result){.name = command->name};
    snprintf(result->command, sizeof result->command, "build/bench %s%s", command->name, options);
    int rc = command->run(config, result, err);
    if (config->progress && isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    if (rc != 0) error_from(err, "%s", command->name);
    return rc;
}

static int run_one(const struct command_line *c, struct error *err) {
    const struct bench_command *command = c->command;
    struct bench_result result;
    int rc = run_command(command, &c->config, c->options, &result, err);
    if (rc == 0) output_terminal(&result);
    if (rc == 0 && c->csv != NULL) rc = output_csv(&result, c->csv, err);
    if (rc == 0 && c->json != NULL) rc = output_json(&result, c->json, err);
    if (rc == 0 && c->plots != NULL) rc = make_folder(c->plots, err);
    if (rc == 0 && c->plots != NULL) rc = output_plots(&result, c->plots, err);
    bench_result_deinit(&result);
    return rc;
}

static int run_all(struct command_line *c, struct error *err) {
    struct bench_result results[COMMANDS];
    char plots[512];
    size_t done = 0;
    double started = clock_monotonic_s();
    snprintf(plots, sizeof plots, "%s/plots", c->folder);
    int rc = make_folder(c->folder, err);
    if (rc == 0) rc = make_folder(plots, err);
    while (rc == 0 && done < COMMANDS) {
        struct bench_config config = c->config;
        char options[320];
        bool forecasts = commands[done]->forecasts;
        config.verify = config.verify || forecasts;
        if (forecasts && config.failure_rate == 0) config.failure_rate = FAILURE_RATE;
        snprintf(options, sizeof options, "%s%s", c->options,
                 forecasts ? " --verify --failure-rate 0.018" : "");
        rc = run_command(commands[done], &config, options, &results[done], err);
        if (rc == 0) output_terminal(&results[done]);
        if (rc == 0) fputs("\n", stdout);
        fflush(stdout);
        if (rc == 0) rc = output_plots(&results[done], plots, err);
        done++;
    }
    if (rc == 0)
        rc = output_markdown(results, COMMANDS, c->folder, clock_monotonic_s() - started, err);
    for (size_t i = 0; i < done; i++)
        bench_result_deinit(&results[i]);
    return rc;
}

static int work(void *arg) {
    struct command_line *c = arg;
    struct error err;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int rc = c->command == NULL ? run_all(c, &err) : run_one(c, &err);
    curl_global_cleanup();
    if (rc != 0) fprintf(stderr, "bench: %s\n", err.text);
    return rc != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

// False: end with *exit_code.
static bool parse(struct command_line *c, int argc, char **argv, int *exit_code) {
    struct options list[COMMANDS + 1];
    const struct option_commands bench = {
        .program = "bench",
        .summary = "Measures the orchestrator over a simulated network.",
        .list = list,
        .count = COUNT(list),
        .notes = "Exit codes: 0 measured, 1 not measured, 2 the command line is wrong\n"};
    make_options(list);
    const struct options *chosen = options_parse_command(&bench, c, argc, argv, exit_code);
    if (chosen == NULL) return false;
    c->command = chosen == &list[COMMANDS] ? NULL : commands[chosen - list];
    size_t len = 0;
    int end = c->folder == NULL ? argc : argc - 1; // getopt_long has moved it behind the options
    for (int i = 2; i < end && len < sizeof c->options; i++)
        len += (size_t)snprintf(c->options + len, sizeof c->options - len, " %s", argv[i]);
    return true;
}

int main(int argc, char **argv) {
    program_init();
    const char *peers = getenv("BENCH_PEERS");
    struct command_line c = {
        .config = {.peers = peers == NULL ? "bench/peers" : peers,
                   .time_scale = 1,
                   .connect_timeout_ms = SESSION_CONNECT_TIMEOUT_MS,
                   .call_timeout_ms = SESSION_CALL_TIMEOUT_MS,
                   .install_timeout_ms = SESSION_INSTALL_TIMEOUT_MS,
                   .peers_config = {.check = true, .max_age_ms = PEERS_MAX_AGE_MS},
                   .addresses = 16,
                   .seed = 1,
                   .progress = true}};
    int exit_code;
    if (!parse(&c, argc, argv, &exit_code)) return program_end("bench", exit_code);
    return scratch_run(work, &c);
}
