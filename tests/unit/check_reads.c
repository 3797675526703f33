// Tasks that change nothing: what they take for an answer, and the report of them.
#include "orchestrator/job.h"
#include "orchestrator/task.h"
#include "tests/unit/job_images.h"

Suite *check_reads(void);

static const struct {
    const struct task *task;
    const char *answer;
    const char *told; // NULL: it has failed
    const char *why;
} answers[] = {
    {&task_get_version, "{'full_version': '5.2.1', 'os_version': '5.2', 'revision': '1'}",
     "{\"full_version\":\"5.2.1\",\"os_version\":\"5.2\",\"revision\":\"1\"}", NULL},
    {&task_get_version,
     "{'full_version': '5.2.1', 'os_version': '5.2', 'revision': '1', 'installing': '5.3.1'}",
     "{\"full_version\":\"5.2.1\",\"os_version\":\"5.2\",\"revision\":\"1\","
     "\"installing\":\"5.3.1\"}",
     NULL},
    {&task_get_version, "{'full_version': '5.2.1'}", NULL, "os_version"},
    {&task_get_version, "{'full_version': 5, 'os_version': '5.2', 'revision': '1'}", NULL,
     "full_version"},
    {&task_get_version, "'5.2.1'", NULL, "expected an object"},
    {&task_get_cpu_ram, "{'cpu': 41, 'ram_total': 4096, 'ram_used': 1346}",
     "{\"cpu\":41,\"ram_total\":4096,\"ram_used\":1346}", NULL},
    {&task_get_cpu_ram, "{'cpu': 0, 'ram_total': 1, 'ram_used': 0}",
     "{\"cpu\":0,\"ram_total\":1,\"ram_used\":0}", NULL},
    {&task_get_cpu_ram, "{'cpu': 101, 'ram_total': 4096, 'ram_used': 1346}", NULL, "cpu"},
    {&task_get_cpu_ram, "{'cpu': 41, 'ram_total': 4096, 'ram_used': 4097}", NULL, "ram_used"},
    {&task_get_cpu_ram, "{'cpu': 41, 'ram_total': 4096}", NULL, "ram_used"},
    {&task_get_cpu_ram, "{'cpu': '41', 'ram_total': 4096, 'ram_used': 1}", NULL, "cpu"},
    {&task_get_cpu_ram, "[]", NULL, "expected an object"},
};

START_TEST(an_answer_is_taken_as_it_is_or_not_at_all) {
    const struct task_args args = {0};
    struct task_notes notes = {0};
    struct error err = {0};
    cJSON *result = json_of(answers[_i].answer);
    const enum task_verdict verdict = answers[_i].task->steps[0].reply(&args, &notes, result, &err);
    ck_assert_int_eq(verdict, answers[_i].told == NULL ? TASK_FAILED : TASK_UNCHANGED);
    if (answers[_i].told != NULL)
        ck_assert_str_eq(notes.told, answers[_i].told);
    else
        ck_assert_msg(strstr(err.text, answers[_i].why) != NULL, "%s", err.text);
    ck_assert(answers[_i].told != NULL || notes.told == NULL);
    free(notes.told);
    cJSON_Delete(result);
}
END_TEST

START_TEST(a_task_that_reads_is_one_step_and_restarts_nothing) {
    static const struct task *const reading[] = {&task_get_version, &task_get_cpu_ram};
    for (size_t i = 0; i < COUNT(reading); i++) {
        ck_assert(reading[i]->reads);
        ck_assert_uint_eq(reading[i]->steps_count, 1);
        ck_assert(!reading[i]->steps[0].restarts);
    }
    ck_assert(!task_upgrade_os.reads);
}
END_TEST

static void outcome(struct job *job, uint32_t place, enum host_state result, const char *text) {
    struct error err;
    const struct store_event started = {.kind = STORE_STARTED, .host = place, .wall_ms = 1};
    const struct store_event ended = {
        .kind = STORE_OUTCOME, .host = place, .result = result, .text = text};
    ck_assert_int_eq(job_apply(job, &started, &err), 0);
    ck_assert_int_eq(job_apply(job, &ended, &err), 0);
}

START_TEST(the_report_is_what_devices_told_and_why_others_did_not) {
    static const char network[] = "{'earth': {" HOST("a", "spine", "1") ", " HOST(
        "b", "spine", "2") ", " HOST("c", "leaf", "1") ", " HOST("d", "leaf", "1") "}}";
    struct made m = make(network, "", NULL);
    const struct task_args args = {0};
    struct job *job = job_new("8e03978e-40d5-43dd-bc93-6894a57f9324", &task_get_cpu_ram, &args,
                              NULL, m.inventory, &m.selection, &m.grouping);
    outcome(job, 0, HOST_UNCHANGED, "{\"cpu\":1}");
    outcome(job, 1, HOST_FAILED, "no \"answer\"");
    outcome(job, 2, HOST_SKIPPED, "cancelled");
    outcome(job, 3, HOST_UNCHANGED, "{\"cpu\":"); // of a store that is damaged
    size_t len;
    char *report = job_report_json(job, &len);
    ck_assert_str_eq(report, "{\"hosts\": {\"a\": {\"cpu\":1}, \"d\": \"{\\\"cpu\\\":\"}, "
                             "\"failed\": {\"b\": \"no \\\"answer\\\"\", \"c\": \"cancelled\"}}\n");
    ck_assert_uint_eq(len, strlen(report));
    free(report);
    job_free(job);
}
END_TEST

Suite *check_reads(void) {
    Suite *suite = suite_create("reads");
    TCase *tcase = tcase_create("reads");
    tcase_add_loop_test(tcase, an_answer_is_taken_as_it_is_or_not_at_all, 0, COUNT(answers));
    tcase_add_test(tcase, a_task_that_reads_is_one_step_and_restarts_nothing);
    tcase_add_test(tcase, the_report_is_what_devices_told_and_why_others_did_not);
    suite_add_tcase(suite, tcase);
    return suite;
}
