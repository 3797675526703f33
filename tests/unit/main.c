// Runs every suite named in UNIT_TESTS of the Makefile: check_line.c offers check_line(), and so
// on.
#include "common/count.h"
#include "common/mem.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(name) Suite *check_##name(void);
UNIT_TESTS
#undef X

static const char *const names[] = {
#define X(name) #name,
    UNIT_TESTS
#undef X
};

// tests/run.sh asks for the names, and runs the suites beside one another.
static void list_suites(void) {
    for (size_t i = 0; i < COUNT(names); i++)
        puts(names[i]);
}

// A suite that runs alone runs in this process: under AddressSanitizer, a process for each test
// costs ten times what the test does. These have tests that end in a signal, or write to stdout.
static const char *const with_processes[] = {"job", "mem", "options"};

static bool needs_processes(const char *suite) {
    for (size_t i = 0; suite != NULL && i < COUNT(with_processes); i++)
        if (strcmp(suite, with_processes[i]) == 0) return true;
    return suite == NULL;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--suites") == 0) {
        list_suites();
        return EXIT_SUCCESS;
    }
    mem_init();
    SRunner *runner = srunner_create(NULL);
#define X(name) srunner_add_suite(runner, check_##name());
    UNIT_TESTS
#undef X
    if (!needs_processes(getenv("CK_RUN_SUITE"))) srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
