#include "orchestrator/resume.h"
#include "tests/unit/support.h"

Suite *check_resume(void);

#define MINUTE_MS 60000LL
#define HOUR_MS   (60 * MINUTE_MS)
#define NOW_MS    1772409599007LL // 2026-03-01T23:59:59.007Z

static const struct {
    enum job_state state;
    const char *why; // of a paused one
    long long away_ms;
    const char *differs;
    const char *expected; // NULL: it goes on
} cases[] = {
    {JOB_RUNNING, NULL, MINUTE_MS, NULL, NULL},
    {JOB_WAITING, NULL, MINUTE_MS, NULL, NULL},
    {JOB_RUNNING, NULL, 0, NULL, NULL},
    {JOB_RUNNING, NULL, 10 * MINUTE_MS - 1, NULL, NULL},
    {JOB_RUNNING, NULL, 10 * MINUTE_MS, NULL,
     "the service was away for 10 min, longer than --resume-within 10 min"},
    {JOB_RUNNING, NULL, 26 * HOUR_MS, "the policy has changed",
     "the service was away for 26 h, longer than --resume-within 10 min"},
    {JOB_RUNNING, NULL, MINUTE_MS, "the policy has changed", "the policy has changed"},
    {JOB_RUNNING, NULL, -1, NULL,
     "the clock went back: it is 2026-03-01T23:59:59.007Z, and the store was last written at "
     "2026-03-01T23:59:59.008Z"},
    {JOB_PAUSED, "an operator wanted it", MINUTE_MS, NULL, "an operator wanted it"},
    {JOB_PAUSED, "an operator wanted it", 26 * HOUR_MS, NULL, "an operator wanted it"},
    {JOB_PAUSED, NULL, MINUTE_MS, NULL, "it was paused"},
};

START_TEST(a_job_goes_on_or_says_why_it_does_not) {
    struct job job = {.state = cases[_i].state, .why = (char *)(uintptr_t)cases[_i].why};
    const struct resume_facts facts = {
        .now_ms = NOW_MS, .alive_ms = NOW_MS - cases[_i].away_ms, .within_ms = RESUME_WITHIN_MS};
    struct buf why = {0};
    const bool is_paused = resume_is_paused(&job, &facts, cases[_i].differs, &why);
    ck_assert_int_eq(is_paused, cases[_i].expected != NULL);
    if (is_paused) ck_assert_str_eq(why.data, cases[_i].expected);
    buf_deinit(&why);
}
END_TEST

Suite *check_resume(void) {
    Suite *suite = suite_create("resume");
    TCase *tcase = tcase_create("resume");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_job_goes_on_or_says_why_it_does_not, 0, (int)COUNT(cases));
    return suite;
}
