// bench COMMAND [OPTION]...: the command line.
#include "bench/bench.h"
#include "bench/output.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/mem.h"
#include "common/options.h"
#include "common/version.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bench_command commands[] = {
#define X(name, summary) {#name, summary, bench_##name},
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

static int parse_number(const char *value, unsigned long high, unsigned *out, struct error *err) {
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || n < 1 || n > high)
        return error_set(err, "'%.40s': expected a number from 1 to %lu", value, high);
    *out = (unsigned)n;
    return 0;
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
    ((struct command_line *)config)->config.network = value;
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

static const struct option_spec specs[] = {
    {"network", "FILE", "the network of whatif (the ACME network)", set_network},
    {"latency", "RANGE", "of each call, in place of the network's own, for whatif", set_latency},
    {"metrics", "FILE", "a saved /metrics/ of a real run: whatif takes the durations from it",
     set_metrics},
    {"failure-rate", "P", "of installs, for whatif (0)", set_failure_rate},
    {"verify", NULL, "whatif: run it live, too, and say by how much it was off", set_verify},
    {"time-scale", "X", "of that live run (1)", set_time_scale},
    {"workers", "N", "devices in hand at once (100; scale: 1000)", set_workers},
    {"addresses", "N", "loopback addresses that the devices are spread over (16)", set_addresses},
    {"seed", "N", "the first seed (1)", set_seed},
    {"runs", "N", "seeds, pairs or runs (the command's own choice)", set_runs},
    {"csv", "FILE", "write the tables as CSV", set_csv},
    {"json", "FILE", "write the tables and goals as JSON", set_json},
    {"plots", "FOLDER", "write the plots as SVG and PNG (needs gnuplot)", set_plots},
    {"tiny", NULL, "as small as can be, to see that it works: its figures mean nothing", set_tiny},
};

static void print_help(FILE *out) {
    fputs("usage: bench COMMAND [OPTION]...\n"
          "Measures the orchestrator over a simulated network.\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fprintf(out,
            "  %-13s %s\n\n"
            "Try 'bench COMMAND --help' for the options. Exit codes: 0 measured, 1 not, 2 usage.\n",
            "all FOLDER", "all of them, written to FOLDER/RESULTS.md and FOLDER/plots/");
}

// --- running

// The programs and the peers' scripts beside this one: build/bench, bench/peers.
static void find_programs(struct bench_config *config, char binaries[512], char peers[600]) {
    ssize_t len = readlink("/proc/self/exe", binaries, 511);
    binaries[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(binaries, '/');
    if (slash != NULL) *slash = '\0';
    const char *given = getenv("BENCH_PEERS");
    snprintf(peers, 600, "%s", given == NULL ? "bench/peers" : given);
    config->binaries = binaries;
    config->peers = peers;
}

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
    if (c->csv != NULL || c->json != NULL || c->plots != NULL)
        rc = error_set(err, "--csv, --json and --plots are for one command; all writes its own");
    while (rc == 0 && done < COMMANDS) {
        struct bench_config config = c->config;
        char options[320];
        bool foretells = commands[done].run == bench_whatif;
        config.verify = config.verify || foretells;
        if (foretells && config.failure_rate == 0) config.failure_rate = FAILURE_RATE;
        snprintf(options, sizeof options, "%s%s", c->options,
                 foretells ? " --verify --failure-rate 0.018" : "");
        rc = run_command(&commands[done], &config, options, &results[done], err);
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

static const struct bench_command *find_command(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
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

// bench all FOLDER, or bench COMMAND. False: end with *exit_code.
static bool parse(struct command_line *c, int argc, char **argv, int *exit_code) {
    const char *name = argc > 1 ? argv[1] : "";
    bool all = strcmp(name, "all") == 0 && argc > 2 && argv[2][0] != '-';
    c->command = find_command(name);
    *exit_code = EXIT_SUCCESS;
    if (strcmp(name, "--help") == 0) {
        print_help(stdout);
        return false;
    }
    if (strcmp(name, "--version") == 0) {
        puts("bench " PROJECT_VERSION);
        return false;
    }
    if (c->command == NULL && !all) {
        print_help(stderr);
        *exit_code = OPTIONS_EXIT_USAGE;
        return false;
    }
    char program[64];
    snprintf(program, sizeof program, "bench %s", name);
    const struct options options = {.program = program,
                                    .summary = all ? "Runs all measurements." : c->command->summary,
                                    .specs = specs,
                                    .count = COUNT(specs)};
    int skipped = all ? 2 : 1;
    if (all) c->folder = argv[2];
    size_t len = 0;
    for (int i = skipped + 1; i < argc && len < sizeof c->options; i++)
        len += (size_t)snprintf(c->options + len, sizeof c->options - len, " %s", argv[i]);
    return options_parse(&options, c, argc - skipped, argv + skipped, exit_code);
}

int main(int argc, char **argv) {
    mem_init();
    signal(SIGPIPE, SIG_IGN);
    struct command_line c = {
        .config = {.time_scale = 1, .addresses = 16, .seed = 1, .progress = true}};
    char binaries[512], peers[600];
    int exit_code;
    if (!parse(&c, argc, argv, &exit_code)) return exit_code;
    find_programs(&c.config, binaries, peers);
    return scratch_run(work, &c);
}
