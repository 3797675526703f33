#include "common/timeline_axis.h"
#include "tests/unit/support.h"

Suite *check_timeline_axis(void);

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static const struct {
    uint64_t end_us, step_us;
    const char *clock, *second, *last; // labels of its second tick, and of the last
} axes[] = {
    {1, 1, "seconds", "1e-06", "1e-06"},
    {40000, 5000, "seconds", "0.005", "0.04"},
    {4 * SECOND, SECOND / 2, "seconds", "0.5", "4"},
    {40 * SECOND + 800000, 5 * SECOND, "seconds", "5", "40"},
    {119 * SECOND, 10 * SECOND, "seconds", "10", "110"},
    {2 * MINUTE, 20 * SECOND, "minutes:seconds", "0:20", "2:00"},
    {11 * MINUTE, MINUTE, "minutes:seconds", "1:00", "11:00"},
    {119 * MINUTE, 10 * MINUTE, "minutes:seconds", "10:00", "110:00"},
    {2 * HOUR, 20 * MINUTE, "hours:minutes", "0:20", "2:00"},
    {5 * HOUR + MINUTE, HOUR / 2, "hours:minutes", "0:30", "5:00"},
    {40 * HOUR, 4 * HOUR, "hours:minutes", "4:00", "40:00"},
    {UINT64_C(365) * 24 * HOUR, UINT64_C(50) * 24 * HOUR, "hours:minutes", "1200:00", "8400:00"},
};

START_TEST(ticks_stand_at_round_moments) {
    const uint64_t end_us = axes[_i].end_us;
    const struct timeline_axis axis = timeline_axis_of(end_us);
    char text[TIMELINE_LABEL_MAX];
    ck_assert_uint_eq(axis.step_us, axes[_i].step_us);
    ck_assert_str_eq(axis.clock, axes[_i].clock);
    timeline_axis_label(&axis, axis.step_us, text);
    ck_assert_str_eq(text, axes[_i].second);
    timeline_axis_label(&axis, end_us - end_us % axis.step_us, text);
    ck_assert_str_eq(text, axes[_i].last);
}
END_TEST

START_TEST(there_are_a_few_ticks_however_long_the_run_was) {
    for (uint64_t end_us = 10; end_us < UINT64_MAX / 3; end_us += end_us / 7 + 1) {
        const uint64_t ticks = end_us / timeline_axis_of(end_us).step_us + 1;
        ck_assert_msg(ticks >= 4 && ticks <= TIMELINE_TICKS_MAX, "%llu: %llu ticks",
                      (unsigned long long)end_us, (unsigned long long)ticks);
    }
    ck_assert_uint_gt(timeline_axis_of(0).step_us, 0);
    ck_assert_uint_le(UINT64_MAX / timeline_axis_of(UINT64_MAX).step_us, TIMELINE_TICKS_MAX);
}
END_TEST

START_TEST(moments_are_told_as_people_do) {
    static const struct {
        uint64_t us;
        const char *text;
    } moments[] = {
        {0, "0.000 s"},
        {3421999, "3.422 s"},
        {12345678, "12.35 s"},
        {119 * SECOND, "119.00 s"},
        {2 * MINUTE + 999999, "2:00"},
        {59 * MINUTE + 7 * SECOND, "59:07"},
        {HOUR, "1:00:00"},
        {26 * HOUR + 2 * MINUTE + 33 * SECOND, "26:02:33"},
    };
    for (size_t i = 0; i < COUNT(moments); i++) {
        char text[TIMELINE_LABEL_MAX];
        timeline_clock(moments[i].us, text);
        ck_assert_str_eq(text, moments[i].text);
    }
}
END_TEST

Suite *check_timeline_axis(void) {
    Suite *suite = suite_create("timeline_axis");
    TCase *tcase = tcase_create("timeline_axis");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, ticks_stand_at_round_moments, 0, (int)COUNT(axes));
    tcase_add_test(tcase, there_are_a_few_ticks_however_long_the_run_was);
    tcase_add_test(tcase, moments_are_told_as_people_do);
    return suite;
}
