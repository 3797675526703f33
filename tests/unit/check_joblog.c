#include "orchestrator/joblog.h"
#include "tests/unit/support.h"

Suite *check_joblog(void);

// What one event writes, without its time.
static void writes(enum log_level level, struct event event, const char *expected) {
    struct log l = {.fd = -1, .level = level, .stamp_s = -1};
    event.job = "51e3";
    event.task = "upgrade_os";
    event.host = "leaf00.earth";
    joblog_event(&l, &event);
    if (*expected == '\0') {
        ck_assert_uint_eq(l.pending.len, 0);
    } else {
        char *id = strstr(l.pending.data, ":51e3:");
        ck_assert_ptr_nonnull(id);
        char *colon = strchr(l.pending.data, ':');
        struct buf line = {0};
        buf_addf(&line, "%.*s%s", (int)(colon - l.pending.data), l.pending.data, id);
        ck_assert_str_eq(line.data, expected);
        buf_deinit(&line);
    }
    buf_deinit(&l.pending);
}

static const struct {
    struct event event;
    const char *line;
} cases[] = {
    {{.kind = EVENT_TASK_STARTED}, "INFO:51e3:starting  task:upgrade_os\n"},
    {{.kind = EVENT_TASK_COMPLETED}, "INFO:51e3:completed task:upgrade_os\n"},
    {{.kind = EVENT_TASK_INSTANCE_STARTED}, "INFO:51e3:starting  host:leaf00.earth\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_CHANGED, .text = "success!!!"},
     "INFO:51e3:completed host:leaf00.earth:success!!!\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_UNCHANGED, .text = "nothing to do!!!"},
     "INFO:51e3:completed host:leaf00.earth:nothing to do!!!\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_FAILED, .text = "login: 100%s\nx"},
     "ERROR:51e3:completed host:leaf00.earth:login: 100%s?x\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_SKIPPED, .text = "leaf01.earth"},
     "WARNING:51e3:skipped   host:leaf00.earth:leaf01.earth\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_SKIPPED, .text = "shutting down"},
     "WARNING:51e3:skipped   host:leaf00.earth:shutting down\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_STARTED, .subtask = "login"},
     "DEBUG:51e3:starting  subtask:leaf00.earth:login\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_COMPLETED, .subtask = "login"},
     "DEBUG:51e3:completed subtask:leaf00.earth:login\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_COMPLETED,
      .subtask = "login",
      .failed = true,
      .text = "no answer"},
     "ERROR:51e3:completed subtask:leaf00.earth:login:no answer\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_COMPLETED, .subtask = "logout", .text = "no answer"},
     "WARNING:51e3:completed subtask:leaf00.earth:logout:no answer\n"},
};

START_TEST(every_event_is_one_line_in_the_original_acme_form) {
    for (size_t i = 0; i < COUNT(cases); i++)
        writes(LOG_DEBUG, cases[i].event, cases[i].line);
}
END_TEST

START_TEST(subtasks_are_told_at_debug_and_failed_ones_always) {
    for (size_t i = 0; i < COUNT(cases); i++)
        writes(LOG_INFO, cases[i].event, cases[i].line[0] == 'D' ? "" : cases[i].line);
}
END_TEST

Suite *check_joblog(void) {
    Suite *suite = suite_create("joblog");
    TCase *tcase = tcase_create("joblog");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, every_event_is_one_line_in_the_original_acme_form);
    tcase_add_test(tcase, subtasks_are_told_at_debug_and_failed_ones_always);
    return suite;
}
