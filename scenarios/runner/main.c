// scenario run | list | check | new: the command line, the progress, and the outputs.
#include "common/duration.h"
#include "common/mem.h"
#include "common/version.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/outputs.h"
#include "scenarios/runner/suite.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_PASS, EXIT_FAIL, EXIT_INVALID, EXIT_ENVIRONMENT, EXIT_USAGE };

struct command_line {
    struct suite_filter filter;
    struct runs_config runs;
    const char *junit, *json;
    bool tap, verbose, until_fail;
    unsigned repeat;
    const char **paths;
    size_t paths_count;
    char binaries[PROGRAM_COUNT][512];
};

static const char usage[] =
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

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// --- the command line

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

static bool parse(struct command_line *c, int argc, char **argv, int *exit_code) {
    static const char *const everything[] = {"scenarios"};
    int index = -1, found;
    *exit_code = EXIT_USAGE;
    while ((found = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (found == 0 && (index == OPT_HELP || index == OPT_VERSION)) {
            if (index == OPT_HELP)
                fputs(usage, stdout);
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
    if (c->paths_count == 0) {
        c->paths = (const char **)(uintptr_t)everything;
        c->paths_count = 1;
    }
    return true;
}

// --- scenario run

struct progress {
    const struct command_line *c;
    size_t total, over, failed;
    bool terminal;
    double started;
};

static void clear_line(const struct progress *p) {
    if (p->terminal) fputs("\r\033[K", stdout);
}

static void on_progress(void *arg, const struct run *run, size_t running) {
    struct progress *p = arg;
    bool quiet = p->c->tap;
    if (run != NULL) {
        bool passed = strcmp(run_outcome(run), "pass") == 0;
        p->over++;
        if (!passed) p->failed++;
        if (!quiet && (!passed || !p->terminal || p->c->verbose)) {
            clear_line(p);
            printf("%s %6.2fs  %s\n", passed ? "ok    " : "FAILED", run->seconds, run->title);
        }
        if (!quiet && !passed) {
            struct buf replay = {0};
            output_replay(&replay, run);
            printf("%sreplay: %s\n\n", run_text(run), replay.data);
            buf_deinit(&replay);
        }
    }
    if (!quiet && p->terminal) {
        clear_line(p);
        printf("%zu of %zu over, %zu failed, %zu playing, %.0fs", p->over, p->total, p->failed,
               running, now_s() - p->started);
    }
    fflush(stdout);
}

static int write_output(const char *path, struct buf *text) {
    FILE *file = fopen(path, "w");
    bool bad = file == NULL || fwrite(text->data, 1, text->len, file) != text->len;
    if (file != NULL && fclose(file) != 0) bad = true;
    if (bad) fprintf(stderr, "scenario: %s: %s\n", path, strerror(errno));
    buf_deinit(text);
    return bad ? EXIT_ENVIRONMENT : 0;
}

static int write_outputs(const struct command_line *c, const struct suite *suite, double seconds) {
    struct buf text = {0};
    int rc = 0;
    if (c->tap) {
        output_tap(&text, suite->runs, suite->runs_count);
        fputs(text.data, stdout);
        buf_deinit(&text);
    }
    if (c->junit != NULL) {
        output_junit(&text, suite->runs, suite->runs_count, seconds);
        rc = write_output(c->junit, &text);
    }
    if (c->json != NULL) {
        output_json(&text, suite->runs, suite->runs_count, seconds);
        int json_rc = write_output(c->json, &text);
        if (rc == 0) rc = json_rc;
    }
    return rc;
}

static int judge(const struct suite *suite) {
    int code = EXIT_PASS;
    for (size_t i = 0; i < suite->runs_count; i++) {
        const char *outcome = run_outcome(&suite->runs[i]);
        if (strcmp(outcome, "fail") == 0) return EXIT_FAIL;
        if (strcmp(outcome, "environment") == 0) code = EXIT_ENVIRONMENT;
    }
    return code;
}

static int play_once(const struct command_line *c, struct suite *suite) {
    struct progress progress = {.c = c,
                                .total = suite->runs_count,
                                .terminal = isatty(STDOUT_FILENO) && !c->tap,
                                .started = now_s()};
    struct error err;
    int rc = runs_play(suite->runs, suite->runs_count, &c->runs, on_progress, &progress, &err);
    double seconds = now_s() - progress.started;
    clear_line(&progress);
    if (rc != 0) fprintf(stderr, "scenario: %s\n", err.text);
    int code = judge(suite);
    if (rc != 0 && code == EXIT_PASS) code = EXIT_ENVIRONMENT;
    rc = write_outputs(c, suite, seconds);
    size_t left = suite->runs_count - progress.over;
    if (!c->tap && left > 0) printf("%zu not played\n", left);
    if (!c->tap)
        printf("%zu passed, %zu failed in %.1fs\n", progress.over - progress.failed,
               progress.failed, seconds);
    fflush(stdout);
    if (left > 0 && code == EXIT_PASS) code = EXIT_FAIL; // interrupted
    return code != EXIT_PASS ? code : rc;
}

static int command_run(struct command_line *c) {
    int code;
    do {
        struct suite suite;
        code = suite_load(&suite, c->paths, c->paths_count, &c->filter, c->repeat, stderr) == 0
                   ? EXIT_PASS
                   : EXIT_INVALID;
        if (code == EXIT_PASS && suite.runs_count == 0) {
            fputs("scenario: no scenario is there that fits\n", stderr);
            code = EXIT_USAGE;
        } else if (code == EXIT_PASS) {
            code = play_once(c, &suite);
        }
        suite_deinit(&suite);
    } while (c->until_fail && code == EXIT_PASS);
    return code;
}

// --- the others

static int command_list(struct command_line *c) {
    struct suite suite;
    int rc = suite_load(&suite, c->paths, c->paths_count, &c->filter, 1, stderr);
    for (size_t i = 0; i < suite.runs_count; i++)
        puts(suite.runs[i].title);
    suite_deinit(&suite);
    return rc == 0 ? EXIT_PASS : EXIT_INVALID;
}

static int command_check(struct command_line *c) {
    struct suite suite;
    int rc = suite_load(&suite, c->paths, c->paths_count, &c->filter, 1, stderr);
    if (rc == 0) printf("%zu scenarios are valid\n", suite.scenarios_count);
    suite_deinit(&suite);
    return rc == 0 ? EXIT_PASS : EXIT_INVALID;
}

static int command_new(const struct command_line *c, int argc) {
    char path[512];
    if (argc != 1) {
        fputs("usage: scenario new NAME\n", stderr);
        return EXIT_USAGE;
    }
    const char *name = c->paths[0], *dot = strrchr(name, '.');
    bool suffixed = dot != NULL && strcmp(dot, ".yaml") == 0;
    snprintf(path, sizeof path, "%s%s", name, suffixed ? "" : ".yaml");
    FILE *file = fopen(path, "wx");
    if (file == NULL || fwrite(starter_yaml, 1, starter_yaml_len, file) != starter_yaml_len ||
        fclose(file) != 0) {
        fprintf(stderr, "scenario: %s: %s\n", path, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    printf("%s\n", path);
    return EXIT_PASS;
}

int main(int argc, char **argv) {
    mem_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct command_line c = {.repeat = 1, .runs = {.timeout_s = 120}};
    int exit_code;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    c.runs.jobs = processors > 0 ? (unsigned)processors : 1;
    find_binaries(&c);
    if (!parse(&c, argc > 1 && argv[1][0] != '-' ? argc - 1 : argc,
               argc > 1 && argv[1][0] != '-' ? argv + 1 : argv, &exit_code))
        return exit_code;
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "run") == 0) return command_run(&c);
    if (strcmp(command, "list") == 0) return command_list(&c);
    if (strcmp(command, "check") == 0) return command_check(&c);
    if (strcmp(command, "new") == 0) return command_new(&c, argc - 1 - optind);
    fputs(usage, stderr);
    return EXIT_USAGE;
}
