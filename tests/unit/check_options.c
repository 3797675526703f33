#include "common/options.h"
#include "tests/unit/support.h"

#include <getopt.h>
#include <stdio.h>

Suite *check_options(void);

struct config {
    char workers[16], origins[64];
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
static const struct options options = {"prog", "Does things.", specs, COUNT(specs)};

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

Suite *check_options(void) {
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_command_line_sets_what_it_says_or_ends_the_program);
    return suite;
}
