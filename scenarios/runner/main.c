#include "scenarios/runner/command_line.h"

#include "common/duration.h"
#include "common/version.h"
#include "scenarios/runner/outputs.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char command_line_usage[] =
    "usage: scenario run [OPTION]... [PATH]...    play scenarios (default: scenarios/)\n"
    "       scenario list [OPTION]... [PATH]...   name them\n"
    "       scenario check [PATH]...              validate them without playing\n"
    "       scenario new NAME                     write a commented starter, NAME.yaml\n"
    "\n"
    "  --jobs N             scenarios at once (the number of processors)\n"
    "  --tags A,B           only those with one of the tags\n"
    "  --filter TEXT        only those with TEXT in their path or name\n"
    "  --seed N             play with this seed in place of the scenario's\n"
    "  --repeat N           play each so many times (1)\n"
    "  --until-fail         repeat until one fails\n"
    "  --fail-fast          start no more after a failure\n"
    "  --timeout DURATION   for one scenario (120s)\n"
    "  --keep DIR           keep the logs of all programs there\n"
    "  --orchestrator PATH  the program to test (beside this one)\n"
    "  --simulator PATH     the network (beside this one)\n"
    "  --junit FILE         write JUnit XML\n"
    "  --json FILE          write all results as JSON\n"
    "  --tap                print TAP\n"
    "  --verbose            say what passed, too\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 all passed, 1 a scenario failed, 2 a scenario file is invalid, 3 a program "
    "would\n"
    "not start, 4 this command line is wrong\n";

enum {
    OPT_JOBS,
    OPT_TAGS,
    OPT_FILTER,
    OPT_SEED,
    OPT_REPEAT,
    OPT_UNTIL_FAIL,
    OPT_FAIL_FAST,
    OPT_TIMEOUT,
    OPT_KEEP,
    OPT_ORCHESTRATOR,
    OPT_SIMULATOR,
    OPT_JUNIT,
    OPT_JSON,
    OPT_TAP,
    OPT_VERBOSE,
    OPT_HELP,
    OPT_VERSION
};

static const struct option options[] = {
    [OPT_JOBS] = {"jobs", required_argument, NULL, 0},
    [OPT_TAGS] = {"tags", required_argument, NULL, 0},
    [OPT_FILTER] = {"filter", required_argument, NULL, 0},
    [OPT_SEED] = {"seed", required_argument, NULL, 0},
    [OPT_REPEAT] = {"repeat", required_argument, NULL, 0},
    [OPT_UNTIL_FAIL] = {"until-fail", no_argument, NULL, 0},
    [OPT_FAIL_FAST] = {"fail-fast", no_argument, NULL, 0},
    [OPT_TIMEOUT] = {"timeout", required_argument, NULL, 0},
    [OPT_KEEP] = {"keep", required_argument, NULL, 0},
    [OPT_ORCHESTRATOR] = {"orchestrator", required_argument, NULL, 0},
    [OPT_SIMULATOR] = {"simulator", required_argument, NULL, 0},
    [OPT_JUNIT] = {"junit", required_argument, NULL, 0},
    [OPT_JSON] = {"json", required_argument, NULL, 0},
    [OPT_TAP] = {"tap", no_argument, NULL, 0},
    [OPT_VERBOSE] = {"verbose", no_argument, NULL, 0},
    [OPT_HELP] = {"help", no_argument, NULL, 0},
    [OPT_VERSION] = {"version", no_argument, NULL, 0},
    {NULL, 0, NULL, 0},
};

static int parse_number(const char *name, const char *text, uint64_t low, uint64_t high,
                        uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < low || n > high) {
        fprintf(stderr, "scenario: --%s: '%s': expected a number from %llu to %llu\n", name, text,
                (unsigned long long)low, (unsigned long long)high);
        return EXIT_USAGE;
    }
    *out = n;
    return 0;
}

static int parse_timeout(const char *text, unsigned *seconds) {
    struct error err;
    uint64_t us;
    if (duration_parse(text, &us, &err) != 0 || us < 1000000) {
        fprintf(stderr, "scenario: --timeout: '%s': expected a duration of 1s at least\n", text);
        return EXIT_USAGE;
    }
    *seconds = (unsigned)(us / 1000000);
    return 0;
}

static int take_option(struct command_line *c, int option) {
    uint64_t n = 0;
    int rc = 0;
    switch (option) {
    case OPT_JOBS:
        rc = parse_number("jobs", optarg, 1, 256, &n);
        c->runs.jobs = (unsigned)n;
        break;
    case OPT_TAGS:
        c->filter.tags = optarg;
        break;
    case OPT_FILTER:
        c->filter.text = optarg;
        break;
    case OPT_SEED:
        rc = parse_number("seed", optarg, 0, 1ULL << 53, &c->filter.seed);
        c->filter.seed_given = true;
        break;
    case OPT_REPEAT:
        rc = parse_number("repeat", optarg, 1, 100000, &n);
        c->repeat = (unsigned)n;
        break;
    case OPT_UNTIL_FAIL:
        c->until_fail = c->runs.fail_fast = true;
        break;
    case OPT_FAIL_FAST:
        c->runs.fail_fast = true;
        break;
    case OPT_TIMEOUT:
        rc = parse_timeout(optarg, &c->runs.timeout_s);
        break;
    case OPT_KEEP:
        c->runs.keep = optarg;
        break;
    case OPT_ORCHESTRATOR:
        c->runs.binaries[PROGRAM_ORCHESTRATOR] = optarg;
        break;
    case OPT_SIMULATOR:
        c->runs.binaries[PROGRAM_SIMULATOR] = optarg;
        break;
    case OPT_JUNIT:
        c->junit = optarg;
        break;
    case OPT_JSON:
        c->json = optarg;
        break;
    case OPT_TAP:
        c->tap = true;
        break;
    case OPT_VERBOSE:
        c->verbose = true;
        break;
    default:
        rc = EXIT_USAGE;
    }
    return rc;
}

// The programs beside this one, unless others are asked for.
static void find_binaries(struct command_line *c) {
    char self[400] = "";
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
    for (int i = 0; i < PROGRAM_COUNT; i++) {
        snprintf(c->binaries[i], sizeof c->binaries[i], "%s/%s", self, program_names[i]);
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

bool command_line_parse(struct command_line *c, const char *program, int argc, char **argv,
                        int *exit_code) {
    static const char *const everything[] = {"scenarios"};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int index = -1, found;
    *c = (struct command_line){.repeat = 1, .runs = {.timeout_s = 120}};
    c->runs.jobs = processors > 0 ? (unsigned)processors : 1;
    find_binaries(c);
    *exit_code = EXIT_USAGE;
    while ((found = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (found == 0 && (index == OPT_HELP || index == OPT_VERSION)) {
            if (index == OPT_HELP)
                fputs(command_line_usage, stdout);
            else
                printf("scenario %s\n", PROJECT_VERSION);
            *exit_code = EXIT_PASS;
            return false;
        }
        if (found != 0 || take_option(c, index) != 0) {
            fputs("try 'scenario --help'\n", stderr);
            return false;
        }
    }
    c->paths = (const char **)(void *)(argv + optind);
    c->paths_count = (size_t)(argc - optind);
    c->paths_given = c->paths_count > 0;
    if (!c->paths_given) {
        c->paths = (const char **)(uintptr_t)everything;
        c->paths_count = 1;
    }
    make_replay(c, program);
    return true;
}

void command_line_deinit(struct command_line *c) {
    buf_deinit(&c->replay);
}
