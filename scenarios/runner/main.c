// scenario run | list | check | new: what each does, the progress, and the outputs.
#include "common/clock.h"
#include "common/program.h"
#include "scenarios/runner/command_line.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/outputs.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
            output_replay(p->c->replay.data, run, &replay);
            printf("%sreplay: %s\n\n", run_text(run), replay.data);
            buf_deinit(&replay);
        }
    }
    if (!quiet && p->terminal) {
        clear_line(p);
        printf("%zu of %zu over, %zu failed, %zu playing, %.0fs", p->over, p->total, p->failed,
               running, clock_monotonic_s() - p->started);
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
    const struct outputs o = {c->replay.data, suite->runs, suite->runs_count, seconds};
    struct buf text = {0};
    int rc = 0;
    if (c->tap) {
        output_tap(&o, &text);
        fputs(text.data, stdout);
        buf_deinit(&text);
    }
    if (c->junit != NULL) {
        output_junit(&o, &text);
        rc = write_output(c->junit, &text);
    }
    if (c->json != NULL) {
        output_json(&o, &text);
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
                                .started = clock_monotonic_s()};
    struct error err;
    int rc = runs_play(suite->runs, suite->runs_count, &c->runs, on_progress, &progress, &err);
    double seconds = clock_monotonic_s() - progress.started;
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
    size_t count = suite.scenarios_count;
    if (rc == 0) printf("%zu scenario%s valid\n", count, count == 1 ? " is" : "s are");
    suite_deinit(&suite);
    return rc == 0 ? EXIT_PASS : EXIT_INVALID;
}

static int command_new(const struct command_line *c) {
    char path[512];
    if (!c->paths_given || c->paths_count != 1) {
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
    program_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct command_line c;
    int code;
    bool named = argc > 1 && argv[1][0] != '-'; // a command, which the options follow
    if (!command_line_parse(&c, argv[0], named ? argc - 1 : argc, named ? argv + 1 : argv, &code)) {
        command_line_deinit(&c);
        return program_end("scenario", code);
    }
    const char *command = named ? argv[1] : "";
    if (strcmp(command, "run") == 0) {
        code = command_run(&c);
    } else if (strcmp(command, "list") == 0) {
        code = command_list(&c);
    } else if (strcmp(command, "check") == 0) {
        code = command_check(&c);
    } else if (strcmp(command, "new") == 0) {
        code = command_new(&c);
    } else {
        fputs(command_line_usage, stderr);
        code = EXIT_USAGE;
    }
    command_line_deinit(&c);
    return program_end("scenario", code);
}
