// Runs every suite named in E2E_TESTS of the Makefile.
#include "common/count.h"
#include "common/mem.h"

#include <check.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(name) Suite *check_##name(void);
E2E_TESTS
#undef X

static const char *const names[] = {
#define X(name) #name,
    E2E_TESTS
#undef X
};

// tests/run.sh asks for the names, and runs the suites beside one another.
static void list_suites(void) {
    for (size_t i = 0; i < COUNT(names); i++)
        puts(names[i]);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--suites") == 0) {
        list_suites();
        return EXIT_SUCCESS;
    }
    mem_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    SRunner *runner = srunner_create(NULL);
#define X(name) srunner_add_suite(runner, check_##name());
    E2E_TESTS
#undef X
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
