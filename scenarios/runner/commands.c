// `run` loads all scenarios, plays them while it shows the progress, writes the outputs, and
// judges: a scenario that failed outweighs one that could not be played, and one that was not
// played because of an interruption has not passed.
#include "scenarios/runner/commands.h"

#include "common/clock.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/outputs.h"
#include "scenarios/runner/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- scenario run

struct progress {
    const struct command_line *c;
    size_t total, done, failed;
    bool terminal, colours;
    double started;
};

static void clear_line(const struct progress *p) {
    if (p->terminal) fputs("\r\033[K", stdout);
}

static void print_verdict(const struct progress *p, const struct run *run, bool passed) {
    static const char *const red = "\033[31m", *const green = "\033[32m", *const plain = "\033[0m";
    clear_line(p);
    if (p->colours) fputs(passed ? green : red, stdout);
    fputs(passed ? "ok    " : "FAILED", stdout);
    if (p->colours) fputs(plain, stdout);
    printf(" %6.2fs  %s\n", run->seconds, run->title);
}

static void on_progress(void *arg, const struct run *run, size_t running) {
    struct progress *p = arg;
    bool quiet = p->c->tap;
    if (run != NULL) {
        bool passed = strcmp(run_outcome(run), "pass") == 0;
        p->done++;
        if (!passed) p->failed++;
        if (!quiet && (!passed || !p->terminal || p->c->verbose)) print_verdict(p, run, passed);
        if (!quiet && !passed) {
            struct buf replay = {0};
            output_replay(p->c->replay.data, run, &replay);
            printf("%sreplay: %s\n\n", run_text(run), replay.data);
            buf_deinit(&replay);
        }
    }
    if (!quiet && p->terminal) {
        clear_line(p);
        printf("%zu/%zu done, %zu failed, %zu running, %.0fs", p->done, p->total, p->failed,
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
    const char *no_color =
        getenv("NO_COLOR"); // https://no-color.org: whatever it says, unless empty
    progress.colours = progress.terminal && (no_color == NULL || *no_color == '\0');
    int rc = runs_play(suite->runs, suite->runs_count, &c->runs, on_progress, &progress, &err);
    double seconds = clock_monotonic_s() - progress.started;
    clear_line(&progress);
    if (rc != 0) fprintf(stderr, "scenario: %s\n", err.text);
    int code = judge(suite);
    if (rc != 0 && code == EXIT_PASS) code = EXIT_ENVIRONMENT;
    rc = write_outputs(c, suite, seconds);
    size_t left = suite->runs_count - progress.done;
    if (!c->tap && left > 0) printf("%zu not played\n", left);
    if (!c->tap)
        printf("%zu passed, %zu failed in %.1fs\n", progress.done - progress.failed,
               progress.failed, seconds);
    fflush(stdout);
    if (left > 0 && code == EXIT_PASS) code = EXIT_FAIL; // interrupted
    return code != EXIT_PASS ? code : rc;
}

static void add_words(const char *option, const char *value, struct buf *out) {
    if (value == NULL) return;
    buf_addf(out, " %s", option);
    output_word(value, out);
}

static void tell_no_match(const struct command_line *c) {
    struct buf asked = {0};
    add_words("--tags ", c->filter.tags, &asked);
    add_words("--filter ", c->filter.text, &asked);
    bool filtered = asked.len > 0;
    for (size_t i = 0; !filtered && i < c->paths_count; i++)
        add_words("", c->paths[i], &asked);
    fprintf(stderr, "scenario: no scenario matches%s\n", asked.data);
    buf_deinit(&asked);
}

// Loads the suite, and tells of files that are invalid: then it is not to be played.
static int load(const struct command_line *c, struct suite *suite) {
    int rc = suite_load(suite, c->paths, c->paths_count, &c->filter, c->repeat, stderr);
    return rc == 0 ? EXIT_PASS : EXIT_INVALID;
}

int command_run(void *command_line) {
    const struct command_line *c = command_line;
    int code;
    do {
        struct suite suite;
        code = load(c, &suite);
        if (code == EXIT_PASS && suite.runs_count > 0) {
            code = play_once(c, &suite);
        } else if (code == EXIT_PASS) {
            tell_no_match(c);
            code = EXIT_USAGE;
        }
        suite_deinit(&suite);
    } while (c->until_fail && code == EXIT_PASS);
    return code;
}

// --- the others

int command_list(void *command_line) {
    struct suite suite;
    int code = load(command_line, &suite);
    for (size_t i = 0; i < suite.runs_count; i++)
        puts(suite.runs[i].title);
    suite_deinit(&suite);
    return code;
}

int command_check(void *command_line) {
    struct suite suite;
    int code = load(command_line, &suite);
    size_t count = suite.scenarios_count;
    if (code == EXIT_PASS) printf("%zu scenario%s valid\n", count, count == 1 ? " is" : "s are");
    suite_deinit(&suite);
    return code;
}

int command_new(void *command_line) {
    const struct command_line *c = command_line;
    char path[512];
    const char *name = c->paths[0], *dot = strrchr(name, '.');
    bool suffixed = dot != NULL && strcmp(dot, ".yaml") == 0;
    snprintf(path, sizeof path, "%s%s", name, suffixed ? "" : ".yaml");
    FILE *file = fopen(path, "wx");
    if (file == NULL || fwrite(starter_yaml, 1, starter_yaml_len, file) != starter_yaml_len ||
        fclose(file) != 0) {
        bool exists = file == NULL && errno == EEXIST;
        fprintf(stderr, "scenario: %s: %s%s\n", path, strerror(errno),
                exists ? ": give another NAME, or remove it" : "");
        return exists ? EXIT_USAGE : EXIT_ENVIRONMENT;
    }
    printf("%s\n", path);
    return EXIT_PASS;
}

int command_steps(void *command_line) {
    struct buf text = {0};
    (void)command_line;
    steps_write_help(&text);
    fputs(text.data, stdout);
    buf_deinit(&text);
    return EXIT_PASS;
}
