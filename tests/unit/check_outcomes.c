// What an orchestrator tells of its jobs, against itself and the devices: each lie is found, and
// only lies are.
#include "scenarios/runner/outcomes.h"

#include "common/buf.h"
#include "common/count.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

Suite *check_outcomes(void);

#define ROW(name, state, started)                                                                  \
    "{\"name\": \"" name "\", \"state\": \"" state "\", \"started\": \"" started "\"}"
#define COUNTS(hosts, changed, failed, skipped)                                                    \
    "{\"hosts\": " hosts ", \"waiting\": 0, \"in_hand\": 0, \"changed\": " changed                 \
    ", \"unchanged\": 0, \"failed\": " failed ", \"skipped\": " skipped "}"
#define JOB(id, version, counts, rows, failed, skipped, completed)                                 \
    "{\"id\": \"" id "\", \"state\": \"done\", \"version\": \"" version                            \
    "\", \"ended\": \"t9\", \"counts\": " counts ", \"rows\": [" rows                              \
    "], \"report\": {\"failed\": [" failed "], \"skipped\": [" skipped                             \
    "], \"completed\": [" completed "]}}"
#define A_CHANGED                                                                                  \
    JOB("j", "5.3.1", COUNTS("1", "1", "0", "0"), ROW("a", "changed", "t2"), "", "", "\"a\"")
#define A_SKIPPED                                                                                  \
    JOB("j", "5.3.1", COUNTS("1", "0", "0", "1"), ROW("a", "skipped", ""), "", "\"a\"", "")
#define A_FAILED                                                                                   \
    JOB("j", "5.3.1", COUNTS("1", "0", "1", "0"), ROW("a", "failed", "t2"), "\"a\"", "", "")
// Of a task that reads.
#define A_READING(counts, state, report)                                                           \
    "{\"id\": \"r\", \"state\": \"done\", \"version\": null, \"ended\": \"t9\", "                  \
    "\"counts\": " counts ", \"rows\": [" ROW("a", state, "t3") "], \"report\": " report "}"
#define A_NOT_READ                                                                                 \
    A_READING(COUNTS("1", "0", "1", "0"), "failed", "{\"hosts\": {}, \"failed\": {\"a\": \"no\"}}")
#define A_LATER                                                                                    \
    JOB("k", "5.4.1", COUNTS("1", "1", "0", "0"), ROW("a", "changed", "t3"), "", "", "\"a\"")

static const struct {
    const char *jobs, *runs, *told; // what device a, which ran 5.2.1, runs now
} cases[] = {
    {"", "5.2.1", NULL},
    {"", "5.3.1", "no job says that it touched a, which ran 5.2.1; it runs 5.3.1"},
    {A_CHANGED, "5.3.1", NULL},
    {A_CHANGED, "5.2.1", "job j says that a runs 5.3.1; it runs 5.2.1"},
    {A_SKIPPED, "5.2.1", NULL},
    {A_SKIPPED, "5.3.1", "no job says that it touched a, which ran 5.2.1; it runs 5.3.1"},
    {A_FAILED, "5.2.1", NULL}, // it may run either
    {A_FAILED, "5.3.1", NULL},
    // the last one decides, in whatever order they are told
    {A_LATER "," A_CHANGED, "5.4.1", NULL},
    {A_CHANGED "," A_LATER, "5.4.1", NULL},
    {A_LATER "," A_CHANGED, "5.3.1", "job k says that a runs 5.4.1; it runs 5.3.1"},
    {JOB("j", "5.3.1", COUNTS("2", "2", "0", "0"),
         ROW("a", "changed", "t2") "," ROW("a", "changed", "t2"), "", "", "\"a\", \"a\""),
     "5.3.1", "job j: it tells of a twice"},
    {JOB("j", "5.3.1",
         "{\"hosts\": 1, \"waiting\": 0, \"in_hand\": 1, \"changed\": 0, \"unchanged\": 0, "
         "\"failed\": 0, \"skipped\": 0}",
         ROW("a", "in_hand", "t2"), "", "", ""),
     "5.3.1", "job j: it is over, and a is in_hand"},
    {JOB("j", "5.3.1", COUNTS("1", "1", "0", "0"), ROW("a", "changed", "t2"), "\"a\"", "", ""),
     "5.3.1",
     "job j: its hosts say {\"failed\":[],\"skipped\":[],\"completed\":[\"a\"]}, and its "
     "report {\"failed\":[\"a\"],\"skipped\":[],\"completed\":[]}"},
    {JOB("j", "5.3.1", COUNTS("1", "0", "0", "0"), ROW("a", "changed", "t2"), "", "", "\"a\""),
     "5.3.1", "job j: 1 of its hosts are changed, and its counts say 0"},
    {JOB("j", "5.3.1", COUNTS("2", "1", "0", "0"), ROW("a", "changed", "t2"), "", "", "\"a\""),
     "5.3.1", "job j: it tells of 1 hosts, and its counts of others"},
    // a job that reads says nothing of what a device runs now
    {A_NOT_READ, "5.2.1", NULL},
    {A_NOT_READ, "5.3.1", "no job says that it touched a, which ran 5.2.1; it runs 5.3.1"},
    {A_CHANGED "," A_NOT_READ, "5.2.1", "job j says that a runs 5.3.1; it runs 5.2.1"},
    {A_READING(COUNTS("1", "0", "0", "1"), "skipped",
               "{\"hosts\": {}, \"failed\": {\"a\": \"no\"}}"),
     "5.2.1", NULL},
    {A_READING(COUNTS("1", "0", "1", "0"), "failed", "{\"hosts\": {\"a\": {}}, \"failed\": {}}"),
     "5.2.1",
     "job r: its hosts say {\"failed\":[\"a\"],\"hosts\":[]}, and its report "
     "{\"hosts\":{\"a\":{}},\"failed\":{}}"},
    // on a network that is no more
    {JOB("j", "5.3.1", COUNTS("1", "1", "0", "0"), ROW("a", "changed", "s2"), "", "", "\"a\""),
     "5.2.1", NULL},
};

static cJSON *parse(const char *text) {
    cJSON *json = cJSON_Parse(text);
    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

static void judge(const char *jobs, const char *runs, cJSON *memory, bool may_forget,
                  struct buf *differences) {
    struct buf text = {0}, device = {0};
    buf_addf(&text, "[%s]", jobs);
    buf_addf(&device, "[{\"name\": \"a\", \"version\": \"%s\"}]", runs);
    cJSON *list = parse(text.data), *devices = parse(device.data),
          *born = parse("[{\"name\": \"a\", \"version\": \"5.2.1\"}]");
    outcomes_check(&(struct outcomes){.jobs = list,
                                      .devices = devices,
                                      .born = born,
                                      .since = "t1",
                                      .memory = memory,
                                      .may_forget = may_forget},
                   differences);
    buf_adds(differences, "");
    cJSON_Delete(list);
    cJSON_Delete(devices);
    cJSON_Delete(born);
    buf_deinit(&text);
    buf_deinit(&device);
}

START_TEST(what_a_job_says_is_what_the_device_runs) {
    struct buf differences = {0}, expected = {0};
    cJSON *memory = cJSON_CreateObject();
    if (cases[_i].told != NULL) buf_addf(&expected, "  %s\n", cases[_i].told);
    buf_adds(&expected, "");
    judge(cases[_i].jobs, cases[_i].runs, memory, false, &differences);
    ck_assert_str_eq(differences.data, expected.data);
    cJSON_Delete(memory);
    buf_deinit(&differences);
    buf_deinit(&expected);
}
END_TEST

static const struct {
    const char *before, *now;
    bool may_forget;
    const char *told;
} memories[] = {
    {A_CHANGED, A_CHANGED, false, ""},
    {A_FAILED, A_CHANGED, false,
     "  job j: it was over, and said: a failed; now it says: a changed\n"},
    {A_FAILED, A_LATER, false, "  job j: it was over, and is told of no more\n"},
    {A_FAILED, A_LATER, true, ""},
    {A_FAILED, JOB("j", "5.3.1", COUNTS("0", "0", "0", "0"), "", "", "", "") "," A_LATER, false,
     "  job j: it was over, and has other hosts now\n"},
};

START_TEST(what_was_told_once_stays) {
    struct buf first = {0}, second = {0};
    cJSON *memory = cJSON_CreateObject();
    judge(memories[_i].before, "5.3.1", memory, false, &first);
    ck_assert_str_eq(first.data, "");
    judge(memories[_i].now, strstr(memories[_i].now, "5.4.1") != NULL ? "5.4.1" : "5.3.1", memory,
          memories[_i].may_forget, &second);
    ck_assert_str_eq(second.data, memories[_i].told);
    cJSON_Delete(memory);
    buf_deinit(&first);
    buf_deinit(&second);
}
END_TEST

Suite *check_outcomes(void) {
    Suite *suite = suite_create("outcomes");
    TCase *tc = tcase_create("outcomes");
    tcase_add_loop_test(tc, what_a_job_says_is_what_the_device_runs, 0, COUNT(cases));
    tcase_add_loop_test(tc, what_was_told_once_stays, 0, COUNT(memories));
    suite_add_tcase(suite, tc);
    return suite;
}
