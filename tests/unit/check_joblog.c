#include "orchestrator/joblog.h"
#include "tests/unit/support.h"

Suite *check_joblog(void);

#define OF_HOST "'task': 'upgrade_os', 'host': 'leaf00.earth', 'site': 'earth', 'dev_type': 'leaf'"

static bool is_of_task(enum event_kind kind) {
    return kind == EVENT_TASK_STARTED || kind == EVENT_TASK_COMPLETED ||
           kind == EVENT_TASK_WAITING || kind == EVENT_TASK_RESUMED || kind == EVENT_TASK_PAUSED ||
           kind == EVENT_TASK_STOPPING;
}

static void write_event(struct log *l, struct event event) {
    event.job = "51e3";
    event.task = "upgrade_os";
    if (!is_of_task(event.kind)) {
        event.host = "leaf00.earth";
        event.site = "earth";
        event.dev_type = "leaf";
    }
    joblog_event(l, &event);
}

// What one event writes, without its time.
static void writes(enum log_level level, struct event event, const char *expected) {
    struct log l = {.fd = -1, .level = level, .stamp_s = -1};
    write_event(&l, event);
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

// The object of one event, and the line of the same one in text: between them nothing differs.
static const struct {
    struct event event;
    const char *object, *line;
} objects[] = {
    {{.kind = EVENT_TASK_STARTED},
     "'level': 'info', 'job': '51e3', 'event': 'task_started', 'task': 'upgrade_os'",
     "INFO:51e3:starting  task:upgrade_os\n"},
    {{.kind = EVENT_TASK_COMPLETED, .outcome = "stopped", .duration_ms = 2500},
     "'level': 'info', 'job': '51e3', 'event': 'task_completed', 'task': 'upgrade_os', "
     "'result': 'stopped', 'duration_ms': 2500",
     "INFO:51e3:completed task:upgrade_os\n"},
    {{.kind = EVENT_TASK_WAITING, .text = "for job 7"},
     "'level': 'info', 'job': '51e3', 'event': 'task_waiting', 'task': 'upgrade_os', 'text': 'for "
     "job 7'",
     "INFO:51e3:waiting   task:upgrade_os:for job 7\n"},
    {{.kind = EVENT_TASK_RESUMED, .text = "2 of 4"},
     "'level': 'info', 'job': '51e3', 'event': 'task_resumed', 'task': 'upgrade_os', 'text': '2 of "
     "4'",
     "INFO:51e3:resuming  task:upgrade_os:2 of 4\n"},
    {{.kind = EVENT_TASK_PAUSED, .text = "by request"},
     "'level': 'warning', 'job': '51e3', 'event': 'task_paused', 'task': 'upgrade_os', 'text': 'by "
     "request'",
     "WARNING:51e3:paused    task:upgrade_os:by request\n"},
    {{.kind = EVENT_TASK_STOPPING, .brake = "canaries", .text = "canaries: x"},
     "'level': 'warning', 'job': '51e3', 'event': 'task_stopping', 'task': 'upgrade_os', "
     "'brake': 'canaries', 'text': 'canaries: x'",
     "WARNING:51e3:stopping  task:upgrade_os:canaries: x\n"},
    {{.kind = EVENT_TASK_INSTANCE_STARTED},
     "'level': 'info', 'job': '51e3', 'event': 'task_instance_started', " OF_HOST,
     "INFO:51e3:starting  host:leaf00.earth\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED,
      .result = HOST_CHANGED,
      .text = "success!!!",
      .duration_ms = 70},
     "'level': 'info', 'job': '51e3', 'event': 'task_instance_completed', " OF_HOST
     ", 'result': 'changed', 'text': 'success!!!', 'duration_ms': 70",
     "INFO:51e3:completed host:leaf00.earth:success!!!\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_FAILED, .text = "a|b\\\nc\xff"},
     "'level': 'error', 'job': '51e3', 'event': 'task_instance_completed', " OF_HOST
     ", 'result': 'failed', 'text': 'a|b\\\\?c?', 'duration_ms': 0",
     "ERROR:51e3:completed host:leaf00.earth:a|b\\?c?\n"},
    {{.kind = EVENT_TASK_INSTANCE_COMPLETED, .result = HOST_SKIPPED, .text = "leaf01.earth"},
     "'level': 'warning', 'job': '51e3', 'event': 'task_instance_completed', " OF_HOST
     ", 'result': 'skipped', 'text': 'leaf01.earth'",
     "WARNING:51e3:skipped   host:leaf00.earth:leaf01.earth\n"},
    {{.kind = EVENT_TASK_INSTANCE_PUT_BACK, .text = "leaf01.earth"},
     "'level': 'debug', 'job': '51e3', 'event': 'task_instance_put_back', " OF_HOST
     ", 'text': 'leaf01.earth'",
     "DEBUG:51e3:put back  host:leaf00.earth:leaf01.earth\n"},
    {{.kind = EVENT_TASK_INSTANCE_IN_DOUBT, .text = "asking it"},
     "'level': 'warning', 'job': '51e3', 'event': 'task_instance_in_doubt', " OF_HOST
     ", 'text': 'asking it'",
     "WARNING:51e3:in doubt  host:leaf00.earth:asking it\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_STARTED, .subtask = "login"},
     "'level': 'debug', 'job': '51e3', 'event': 'subtask_instance_started', " OF_HOST
     ", 'subtask': 'login'",
     "DEBUG:51e3:starting  subtask:leaf00.earth:login\n"},
    {{.kind = EVENT_SUBTASK_INSTANCE_COMPLETED,
      .subtask = "login",
      .failed = true,
      .text = "no answer"},
     "'level': 'error', 'job': '51e3', 'event': 'subtask_instance_completed', " OF_HOST
     ", 'subtask': 'login', 'result': 'failed', 'text': 'no answer'",
     "ERROR:51e3:completed subtask:leaf00.earth:login:no answer\n"},
    {{.kind = EVENT_PEER_ASKED},
     "'level': 'debug', 'job': '51e3', 'event': 'peer_asked', " OF_HOST ", 'result': 'up'",
     "DEBUG:51e3:asked     peer:leaf00.earth:up\n"},
    {{.kind = EVENT_PEER_ASKED, .failed = true, .text = "no answer"},
     "'level': 'debug', 'job': '51e3', 'event': 'peer_asked', " OF_HOST
     ", 'result': 'not_up', 'text': 'no answer'",
     "DEBUG:51e3:asked     peer:leaf00.earth:no answer\n"},
};

START_TEST(in_json_an_event_is_its_record_and_says_what_its_line_says) {
    struct event event = objects[_i].event;
    struct log l = {.fd = -1, .format = LOG_JSON};
    struct buf expected = {0};
    char *object = double_quoted(objects[_i].object);
    buf_addf(&expected, "{\"time\": \"2020-06-09T20:23:10.331Z\", %s}\n", object);
    event.wall_ms = 1591734190331;
    write_event(&l, event);
    ck_assert_str_eq(l.pending.data, expected.data);
    writes(LOG_DEBUG, event, objects[_i].line);
    free(object);
    buf_deinit(&expected);
    buf_deinit(&l.pending);
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
    tcase_add_loop_test(tcase, in_json_an_event_is_its_record_and_says_what_its_line_says, 0,
                        (int)COUNT(objects));
    tcase_add_test(tcase, subtasks_are_told_at_debug_and_failed_ones_always);
    return suite;
}
