// Runs every suite named in E2E_TESTS of the Makefile.
#include "common/mem.h"

#include <check.h>
#include <curl/curl.h>
#include <stdlib.h>

#define X(name) Suite *check_##name(void);
E2E_TESTS
#undef X

int main(void) {
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
