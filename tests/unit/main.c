// Runs every suite named in UNIT_TESTS of the Makefile: check_line.c offers check_line(), and so
// on.
#include "common/mem.h"

#include <check.h>
#include <stdlib.h>

#define X(name) Suite *check_##name(void);
UNIT_TESTS
#undef X

int main(void) {
    mem_init();
    SRunner *runner = srunner_create(NULL);
#define X(name) srunner_add_suite(runner, check_##name());
    UNIT_TESTS
#undef X
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
