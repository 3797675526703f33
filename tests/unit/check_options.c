#include "common/options.h"
#include "tests/unit/support.h"

#include <getopt.h>
#include <stdio.h>

Suite *check_options(void);

struct config {
    char workers[16], origins[64], paths[64];
    bool dry;
};

static int set_workers(void *config, const char *value, struct error *err) {
    if (strcmp(value, "0") == 0) return error_set(err, "at least one is needed");
    struct config *c = config;
    snprintf(c->workers, sizeof c->workers, "%s", value);
    return 0;
}

static int add_origin(void *config, const char *value, struct error *err) {
    (void)err;
    struct config *c = config;
    size_t len = strlen(c->origins);
    snprintf(c->origins + len, sizeof c->origins - len, "%s;", value);
    return 0;
}

static int add_path(void *config, const char *value, struct error *err) {
    struct config *c = config;
    size_t len = strlen(c->paths);
    if (strcmp(value, "bad") == 0) return error_set(err, "a bad path");
    snprintf(c->paths + len, sizeof c->paths - len, "%s;", value);
    return 0;
}

static int set_dry(void *config, const char *value, struct error *err) {
    (void)err;
    ck_assert_ptr_null(value);
    ((struct config *)config)->dry = true;
    return 0;
}

static const struct option_spec specs[] = {
    {"workers", "N", "hosts at once (100)", set_workers},
    {"cors-origin", "ORIGIN", "may be repeated", add_origin},
    {"dry", NULL, "a flag", set_dry},
};
static const struct options options = {
    .program = "prog", .summary = "Does things.", .specs = specs, .count = COUNT(specs)};

enum { GO_ON = -1 };

START_TEST(a_command_line_sets_what_it_says_or_ends_the_program) {
    static const struct {
        const char *argv[6];
        int exit_code; // GO_ON: none
        const char *workers, *origins;
        bool dry;
    } cases[] = {
        {{"prog"}, GO_ON, "", "", false},
        {{"prog", "--workers", "5"}, GO_ON, "5", "", false},
        {{"prog", "--workers=5", "--workers", "6"}, GO_ON, "6", "", false},
        {{"prog", "--cors-origin", "a", "--cors-origin=b"}, GO_ON, "", "a;b;", false},
        {{"prog", "--workers", "--help"}, GO_ON, "--help", "", false},
        {{"prog", "--dry", "--workers", "5"}, GO_ON, "5", "", true},
        {{"prog", "--dry=yes"}, OPTIONS_EXIT_USAGE, "", "", false},
        {{"prog", "--help"}, 0, "", "", false},
        {{"prog", "--version"}, 0, "", "", false},
        {{"prog", "--workers", "0"}, OPTIONS_EXIT_USAGE, "", "", false},
        {{"prog", "--workers"}, OPTIONS_EXIT_USAGE, "", "", false},
        {{"prog", "--nothing", "x"}, OPTIONS_EXIT_USAGE, "", "", false},
        {{"prog", "-w", "5"}, OPTIONS_EXIT_USAGE, "", "", false},
        {{"prog", "--workers", "5", "stray"}, OPTIONS_EXIT_USAGE, "5", "", false},
        {{"prog", "stray", "--workers", "5"}, OPTIONS_EXIT_USAGE, "5", "", false},
    };
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *argv[6] = {NULL};
        int argc = 0, exit_code = GO_ON;
        for (; cases[i].argv[argc] != NULL; argc++)
            argv[argc] = mem_strdup(cases[i].argv[argc]);
        char *owned[6];
        memcpy(owned, argv, sizeof argv); // getopt moves them about
        struct config config = {0};
        optind = 0; // glibc: begin anew
        bool go_on = options_parse(&options, &config, argc, argv, &exit_code);
        ck_assert_msg(go_on == (cases[i].exit_code == GO_ON), "case %zu", i);
        ck_assert_msg(exit_code == cases[i].exit_code, "case %zu: %d", i, exit_code);
        ck_assert_str_eq(config.workers, cases[i].workers);
        ck_assert_str_eq(config.origins, cases[i].origins);
        ck_assert(config.dry == cases[i].dry);
        for (int a = 0; a < argc; a++)
            free(owned[a]);
    }
}
END_TEST

static const struct options list[] = {
    {.program = "prog",
     .command = "run",
     .arguments = "[PATH]...",
     .summary = "runs",
     .specs = specs,
     .count = COUNT(specs),
     .argument = add_path,
     .exit_usage = 4},
    {.program = "prog",
     .command = "new",
     .arguments = "NAME",
     .summary = "makes one",
     .argument = add_path,
     .arguments_min = 1,
     .exit_usage = 4},
    {.program = "prog", .command = "help", .summary = "helps", .exit_usage = 4},
};
static const struct option_commands commands = {"prog",      "Does things.", list,
                                                COUNT(list), "The end.\n",   4};

START_TEST(a_command_has_options_and_arguments_of_its_own) {
    static const struct {
        const char *argv[6];
        int command;   // of list; -1: none, and the program ends with exit_code
        int exit_code; // 0 where there is a command
        const char *workers, *paths;
    } cases[] = {
        {{"prog", "run"}, 0, 0, "", ""},
        {{"prog", "run", "a", "--workers", "5", "b"}, 0, 0, "5", "a;b;"},
        {{"prog", "run", "--workers=5", "--", "--dry"}, 0, 0, "5", "--dry;"},
        {{"prog", "run", "a", "bad"}, -1, 4, "", "a;"},
        {{"prog", "run", "--nothing"}, -1, 4, "", ""},
        {{"prog", "run", "--help"}, -1, 0, "", ""},
        {{"prog", "new", "a"}, 1, 0, "", "a;"},
        {{"prog", "new"}, -1, 4, "", ""},
        {{"prog", "new", "--workers", "5", "a"}, -1, 4, "", ""},
        {{"prog", "help"}, 2, 0, "", ""},
        {{"prog", "help", "a"}, -1, 4, "", ""},
        {{"prog", "--help"}, -1, 0, "", ""},
        {{"prog", "--version"}, -1, 0, "", ""},
        {{"prog", "--workers", "5", "run"}, -1, 4, "", ""},
        {{"prog", "rum"}, -1, 4, "", ""},
        {{"prog"}, -1, 4, "", ""},
    };
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *argv[7] = {NULL}, *owned[7];
        int argc = 0, exit_code = GO_ON;
        for (; argc < 6 && cases[i].argv[argc] != NULL; argc++)
            argv[argc] = mem_strdup(cases[i].argv[argc]);
        memcpy(owned, argv, sizeof argv);
        struct config config = {0};
        optind = 0;
        const struct options *command =
            options_parse_command(&commands, &config, argc, argv, &exit_code);
        ck_assert_msg(command == (cases[i].command < 0 ? NULL : &list[cases[i].command]),
                      "case %zu", i);
        ck_assert_msg(exit_code == cases[i].exit_code, "case %zu: %d", i, exit_code);
        ck_assert_str_eq(config.workers, cases[i].workers);
        ck_assert_str_eq(config.paths, cases[i].paths);
        for (int a = 0; a < argc; a++)
            free(owned[a]);
    }
}
END_TEST

START_TEST(a_number_is_whole_and_within_its_bounds) {
    static const struct {
        const char *text, *error; // NULL: it is taken
        uint64_t n;
    } cases[] = {
        {"2", NULL, 2},
        {"10", NULL, 10},
        {"1", "'1': expected a number from 2 to 10", 0},
        {"11", "'11': expected a number from 2 to 10", 0},
        {"", "'': expected a number from 2 to 10", 0},
        {"-3", "'-3': expected a number from 2 to 10", 0},
        {" 3", "' 3': expected a number from 2 to 10", 0},
        {"3x", "'3x': expected a number from 2 to 10", 0},
        {"18446744073709551619", "'18446744073709551619': expected a number from 2 to 10", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        uint64_t n = 0;
        int rc = options_number(cases[i].text, 2, 10, &n, &err);
        ck_assert_int_eq(rc, cases[i].error == NULL ? 0 : ERROR_INPUT);
        ck_assert_str_eq(err.text, cases[i].error == NULL ? "" : cases[i].error);
        ck_assert_uint_eq(n, cases[i].n);
    }
}
END_TEST

Suite *check_options(void) {
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_command_line_sets_what_it_says_or_ends_the_program);
    tcase_add_test(tcase, a_command_has_options_and_arguments_of_its_own);
    tcase_add_test(tcase, a_number_is_whole_and_within_its_bounds);
    return suite;
}
