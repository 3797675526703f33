// scenario COMMAND [OPTION]... [PATH]...: the command line.
#include "common/client.h"
#include "common/count.h"
#include "common/duration.h"
#include "common/mem.h"
#include "common/options.h"
#include "common/process.h"
#include "common/program.h"
#include "scenarios/runner/commands.h"
#include "scenarios/runner/outputs.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 256, REPEAT_MAX = 100000 };
static const uint64_t SEED_MAX = 1ULL << 53;

// --- options

static int set_jobs(void *config, const char *value, struct error *err) {
    uint64_t n = 1;
    int rc = options_number(value, 1, JOBS_MAX, &n, err);
    ((struct command_line *)config)->runs.jobs = (unsigned)n;
    return rc;
}

static int set_tags(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->filter.tags = value;
    return 0;
}

static int set_filter(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->filter.text = value;
    return 0;
}

static int set_seed(void *config, const char *value, struct error *err) {
    struct suite_filter *filter = &((struct command_line *)config)->filter;
    filter->seed_given = true;
    return options_number(value, 0, SEED_MAX, &filter->seed, err);
}

static int set_repeat(void *config, const char *value, struct error *err) {
    uint64_t n = 1;
    int rc = options_number(value, 1, REPEAT_MAX, &n, err);
    ((struct command_line *)config)->repeat = (unsigned)n;
    return rc;
}

static int set_until_fail(void *config, const char *value, struct error *err) {
    struct command_line *c = config;
    (void)value;
    (void)err;
    c->until_fail = c->runs.fail_fast = true;
    return 0;
}

static int set_fail_fast(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct command_line *)config)->runs.fail_fast = true;
    return 0;
}

static int set_timeout(void *config, const char *value, struct error *err) {
    uint64_t us;
    if (duration_parse(value, &us, err) != 0 || us < 1000000)
        return error_set(err, "'%.40s': expected a duration of 1s at least", value);
    ((struct command_line *)config)->runs.timeout_s = (unsigned)(us / 1000000);
    return 0;
}

static int set_keep(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->runs.keep = value;
    return 0;
}

static int set_orchestrator(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->runs.binaries[PROGRAM_ORCHESTRATOR] = value;
    return 0;
}

static int set_simulator(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->runs.binaries[PROGRAM_SIMULATOR] = value;
    return 0;
}

static int set_answers(void *config, const char *value, struct error *err) {
    const int fd = open(value, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    (void)config;
    if (fd < 0) return error_set(err, "%s: %s", value, strerror(errno));
    client_record(fd);
    return 0;
}

static int set_junit(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->junit = value;
    return 0;
}

static int set_json(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct command_line *)config)->json = value;
    return 0;
}

static int set_tap(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct command_line *)config)->tap = true;
    return 0;
}

static int set_verbose(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct command_line *)config)->verbose = true;
    return 0;
}

static int add_path(void *config, const char *value, struct error *err) {
    struct command_line *c = config;
    (void)err;
    c->paths = mem_grow(c->paths, &c->paths_cap, c->paths_count + 1, sizeof *c->paths);
    c->paths[c->paths_count++] = value;
    return 0;
}

static int set_name(void *config, const char *value, struct error *err) {
    if (((struct command_line *)config)->paths_count > 0)
        return error_set(err, "'%.100s': expected one NAME only", value);
    return add_path(config, value, err);
}

#define FILTERS                                                                                    \
    {"tags", "A,B", "only scenarios that have one of these tags", set_tags}, {                     \
        "filter", "TEXT", "only scenarios with TEXT in their path, name or matrix values",         \
            set_filter                                                                             \
    }

static const struct option_spec list_specs[] = {FILTERS};

static const struct option_spec run_specs[] = {
    FILTERS,
    {"jobs", "N", "play this many scenarios at the same time (the number of processors)", set_jobs},
    {"seed", "N", "use this seed instead of each scenario's own", set_seed},
    {"repeat", "N", "play each scenario N times (1)", set_repeat},
    {"until-fail", NULL, "play all again and again until one fails", set_until_fail},
    {"fail-fast", NULL, "start no further scenario after a failure", set_fail_fast},
    {"timeout", "DURATION", "end a scenario that takes longer; it fails (120s)", set_timeout},
    {"keep", "DIR", "keep the logs of all programs in DIR, a folder for each scenario", set_keep},
    {"orchestrator", "PATH", "the orchestrator to test (the one beside this program)",
     set_orchestrator},
    {"simulator", "PATH", "the simulator to use (the one beside this program)", set_simulator},
    {"junit", "FILE", "write the results as JUnit XML", set_junit},
    {"answers", "FILE", "write every HTTP answer, as a line of JSON each", set_answers},
    {"json", "FILE", "write the results as JSON", set_json},
    {"tap", NULL, "print TAP instead of text", set_tap},
    {"verbose", NULL, "on a terminal, list the scenarios that passed, too", set_verbose},
};

static const struct options commands[] = {
    {.program = "scenario",
     .command = "run",
     .arguments = "[PATH]...",
     .summary = "plays the scenarios in files and folders (default: scenarios/)",
     .specs = run_specs,
     .count = COUNT(run_specs),
     .argument = add_path,
     .exit_usage = EXIT_USAGE,
     .run = command_run},
    {.program = "scenario",
     .command = "list",
     .arguments = "[PATH]...",
     .summary = "prints the names of scenarios, one for each combination of a matrix",
     .specs = list_specs,
     .count = COUNT(list_specs),
     .argument = add_path,
     .exit_usage = EXIT_USAGE,
     .run = command_list},
    {.program = "scenario",
     .command = "check",
     .arguments = "[PATH]...",
     .summary = "validates scenarios without playing them",
     .argument = add_path,
     .exit_usage = EXIT_USAGE,
     .run = command_check},
    {.program = "scenario",
     .command = "new",
     .arguments = "NAME",
     .summary = "writes a scenario with comments to start from, NAME.yaml",
     .argument = set_name,
     .arguments_min = 1,
     .exit_usage = EXIT_USAGE,
     .run = command_new},
    {.program = "scenario",
     .command = "steps",
     .summary = "prints what each kind of step does, with an example",
     .exit_usage = EXIT_USAGE,
     .run = command_steps},
};

static const struct option_commands scenario = {
    .program = "scenario",
    .summary = "Plays scenarios, each with an orchestrator and a simulator of its own.",
    .list = commands,
    .count = COUNT(commands),
    .notes = "Exit codes: 0 all passed, 1 a scenario failed, 2 a scenario file is invalid,\n"
             "3 a program did not start, 4 the command line is wrong\n",
    .exit_usage = EXIT_USAGE,
};

// --- defaults

static void set_defaults(struct command_line *c) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct command_line){.repeat = 1, .runs = {.timeout_s = 120}};
    c->runs.jobs = processors > 0 ? (unsigned)processors : 1;
    for (int i = 0; i < PROGRAM_COUNT; i++) {
        process_beside(program_names[i], c->binaries[i]);
        c->runs.binaries[i] = c->binaries[i];
    }
}

// What else than a path, a seed and a filter decides how a run goes.
static void make_replay(struct command_line *c, const char *self) {
    static const char *const names[PROGRAM_COUNT] = {" --simulator ", " --orchestrator "};
    output_word(self, &c->replay);
    buf_adds(&c->replay, " run");
    for (int i = 0; i < PROGRAM_COUNT; i++) {
        if (c->runs.binaries[i] == c->binaries[i]) continue;
        buf_adds(&c->replay, names[i]);
        output_word(c->runs.binaries[i], &c->replay);
    }
}

int main(int argc, char **argv) {
    program_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct command_line c;
    struct error err;
    int code;
    set_defaults(&c);
    const struct options *command = options_parse_command(&scenario, &c, argc, argv, &code);
    if (command != NULL) {
        if (c.paths_count == 0) add_path(&c, "scenarios", &err);
        make_replay(&c, argv[0]);
        code = command->run(&c);
    }
    free(c.paths);
    buf_deinit(&c.replay);
    return program_end("scenario", code);
}
