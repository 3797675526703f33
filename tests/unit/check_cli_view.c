#include "orchestrator/cli_view.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_cli_view(void);

static const struct cli_style plain = {0}, people = {.is_shortened = true},
                              painted = {.has_colour = true};

static void assert_text(struct buf *out, const char *expected) {
    buf_adds(out, "");
    ck_assert_str_eq(out->data, expected);
    buf_deinit(out);
}

static struct cli_host host(const char *name, enum host_state state, const char *reason) {
    return (struct cli_host){.name = name, .state = state, .reason = reason};
}

START_TEST(a_host_is_a_line_with_its_reason) {
    struct buf out = {0};
    const struct cli_host failed = host("leaf00.earth", HOST_FAILED, "no space");
    const struct cli_host skipped = host("leaf01.earth", HOST_SKIPPED, "leaf00.earth");
    cli_view_host(&out, "03:12:09", &failed, &plain);
    cli_view_host(&out, "earlier ", &skipped, &plain);
    cli_view_more(&out, "03:12:09", 12, "cancelled", &plain);
    cli_view_more(&out, "03:12:09", 1, "cancelled", &plain);
    cli_view_host(&out, "03:12:09", &failed, &painted);
    assert_text(&out, "03:12:09  failed   leaf00.earth  no space\n"
                      "earlier   skipped  leaf01.earth  leaf00.earth\n"
                      "03:12:09  skipped  12 more hosts  cancelled\n"
                      "03:12:09  skipped  1 more host  cancelled\n"
                      "03:12:09  \x1b[31mfailed \x1b[0m  leaf00.earth  no space\n");
}
END_TEST

START_TEST(a_state_is_a_line_with_its_reason) {
    struct buf out = {0};
    char why[] = "the policy is another";
    cli_view_state(&out, "03:12:09", &(struct cli_job){.state = JOB_PAUSED, .why = why});
    cli_view_state(&out, "03:12:09", &(struct cli_job){.state = JOB_PAUSED});
    cli_view_state(&out, "03:12:09", &(struct cli_job){.state = JOB_CANCELLING});
    assert_text(&out, "03:12:09  paused: the policy is another\n"
                      "03:12:09  paused\n"
                      "03:12:09  cancelling: what is being installed comes to its end\n");
}
END_TEST

START_TEST(the_table_has_who_failed_and_then_who_was_skipped) {
    struct buf out = {0};
    const struct cli_host hosts[] = {host("leaf00.earth", HOST_FAILED, "no space"),
                                     host("a", HOST_FAILED, "silent"),
                                     host("leaf01.earth", HOST_SKIPPED, "leaf00.earth")};
    cli_view_table(&out, hosts, COUNT(hosts), &plain);
    assert_text(&out, "failed (2)\n"
                      "  leaf00.earth  no space\n"
                      "  a             silent\n"
                      "skipped (1), because of\n"
                      "  leaf01.earth  leaf00.earth\n");
    cli_view_table(&out, hosts, 0, &plain);
    assert_text(&out, "");
    cli_view_table(&out, &hosts[2], 1, &painted);
    assert_text(&out, "\x1b[33mskipped\x1b[0m (1), because of\n  leaf01.earth  leaf00.earth\n");
}
END_TEST

START_TEST(for_people_many_that_were_skipped_alike_are_one_row) {
    enum { MANY = CLI_ALIKE_MAX + 1 };
    static char names[MANY + 2][8];
    struct cli_host hosts[MANY + 2];
    struct buf out = {0};
    for (unsigned i = 0; i < COUNT(hosts); i++) {
        snprintf(names[i], sizeof names[i], "h%02u", i);
        hosts[i] = host(names[i], HOST_SKIPPED, i == 0 || i == MANY + 1 ? "h99" : "cancelled");
    }
    cli_view_table(&out, hosts, COUNT(hosts), &people);
    assert_text(&out, "skipped (11), because of\n"
                      "  h00  h99\n"
                      "  h01  cancelled\n"
                      "       (and 8 more hosts for the same reason, to h09)\n"
                      "  h10  h99\n");
    cli_view_table(&out, &hosts[2], COUNT(hosts) - 2, &people); // eight are not many
    ck_assert_ptr_nonnull(strstr(out.data, "  h09  cancelled\n"));
    buf_deinit(&out);
    cli_view_table(&out, hosts, COUNT(hosts), &plain); // a file has all
    for (size_t i = 0; i < COUNT(hosts); i++)
        ck_assert_ptr_nonnull(strstr(out.data, hosts[i].name));
    buf_deinit(&out);
}
END_TEST

static char task[] = "upgrade_os", version[] = "5.3.1", why[] = "canaries: a failed";
static const struct cli_job stopped = {.id = "9df0fe5f-0000-4000-8000-000000000000",
                                       .task = task,
                                       .version = version,
                                       .why = why,
                                       .state = JOB_DONE,
                                       .outcome = JOB_STOPPED,
                                       .hosts = 10,
                                       .counts = {0, 0, 4, 3, 1, 2},
                                       .started_ms = 1000,
                                       .ended_ms = 14000};

START_TEST(the_end_is_told_in_a_line) {
    struct buf out = {0};
    struct cli_job well = {.state = JOB_DONE,
                           .outcome = JOB_COMPLETED,
                           .hosts = 2,
                           .counts = {0, 0, 2, 0, 0, 0},
                           .started_ms = 1,
                           .ended_ms = 501};
    cli_view_end(&out, &stopped, &plain);
    cli_view_end(&out, &well, &painted);
    assert_text(&out, "stopped: 10 hosts, 4 changed, 3 as wanted already, 1 failed, 2 skipped, in "
                      "13s\nit was stopped: canaries: a failed\n"
                      "\x1b[32mcompleted\x1b[0m: 2 hosts, 2 changed, in 0.5s\n");
}
END_TEST

START_TEST(one_job_is_told_in_lines) {
    struct buf out = {0};
    struct cli_job job = stopped;
    cli_view_heading(&out, &job);
    assert_text(&out, "job 9df0fe5f-0000-4000-8000-000000000000: upgrade_os 5.3.1, 10 hosts\n");
    cli_view_job(&out, &job, "{}", 0);
    job.state = JOB_RUNNING;
    job.why = NULL;
    job.ended_ms = 0;
    cli_view_job(&out, &job, "{}", 3000);
    cli_view_control(&out, &job);
    assert_text(&out,
                "job      9df0fe5f-0000-4000-8000-000000000000\n"
                "task     upgrade_os 5.3.1\n"
                "request  {}\n"
                "state    stopped: canaries: a failed\n"
                "took     13s\n"
                "hosts    10 hosts, 4 changed, 3 as wanted already, 1 failed, 2 skipped\n"
                "job      9df0fe5f-0000-4000-8000-000000000000\n"
                "task     upgrade_os 5.3.1\n"
                "request  {}\n"
                "state    running\n"
                "so far   2.0s\n"
                "hosts    10 hosts, 4 changed, 3 as wanted already, 1 failed, 2 skipped\n"
                "job 9df0fe5f-0000-4000-8000-000000000000 is running: 10 hosts, 4 changed, 3 as "
                "wanted already, 1 failed, 2 skipped\n");
}
END_TEST

START_TEST(ids_in_a_list_are_as_short_as_tells_them_apart) {
    struct buf out = {0};
    struct cli_listed list[] = {{stopped, "2026-03-01 23:59:59"}, {stopped, ""}};
    cli_view_jobs(&out, list, 1, 0);
    ck_assert_ptr_nonnull(strstr(out.data, "\n9df0fe5f  stopped     upgrade_os 5.3.1  "));
    ck_assert_ptr_nonnull(strstr(out.data, "  2026-03-01 23:59:59      13s       10       10  "));
    buf_deinit(&out);
    list[1].job.id[10] = '1';
    cli_view_jobs(&out, list, 2, 0);
    ck_assert_ptr_nonnull(strstr(out.data, "\n9df0fe5f-00  stopped"));
    ck_assert_ptr_nonnull(strstr(out.data, "\n9df0fe5f-01  stopped"));
    buf_deinit(&out);
    cli_view_jobs(&out, list, 0, 0);
    assert_text(&out, "no jobs\n");
}
END_TEST

START_TEST(a_dry_run_tells_groups_and_what_decides) {
    struct buf out = {0};
    struct error err;
    cJSON *answer = json_of(
        "{'dry_run': true, 'hosts': 5, 'to_change': 3, 'as_wanted': 0, 'newer': 1, 'unknown': 2, "
        "'duration': '13s', 'limited_by': {'group': 'earth\\u001b', 'max_unavailable': 1}, "
        "'canaries': "
        "['a', 'b'], 'skipped': {'fw': 'platform panos'}, 'groups': [{'name': 'g', "
        "'max_unavailable': 1, 'hosts': ['a', 'b']}, {'name': 'h', 'max_unavailable': 1, 'hosts': "
        "['c']}], 'throttles': []}");
    ck_assert_int_eq(cli_view_dry_run(&out, answer, &err), 0);
    assert_text(&out, "dry run: 5 hosts, 3 to change, 1 running a newer version, 2 not known\n"
                      "it would take: 13s; limited by group earth?, max_unavailable 1\n"
                      "canaries, before all others: a, b\n"
                      "skipped: fw: platform panos\n"
                      "2 redundancy groups, each with its hosts in their order\n"
                      "  g  a, b\n"
                      "  h  c\n");
    cJSON_Delete(answer);
    answer = json_of("{'hosts': 1, 'duration': null}");
    ck_assert_int_eq(cli_view_dry_run(&out, answer, &err), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "it would take: not known yet"));
    buf_deinit(&out);
    cJSON_Delete(answer);
    answer = json_of("{'hosts': 'many'}");
    ck_assert_int_ne(cli_view_dry_run(&out, answer, &err), 0);
    cJSON_Delete(answer);
}
END_TEST

Suite *check_cli_view(void) {
    Suite *suite = suite_create("cli_view");
    TCase *tcase = tcase_create("cli_view");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_host_is_a_line_with_its_reason);
    tcase_add_test(tcase, a_state_is_a_line_with_its_reason);
    tcase_add_test(tcase, the_table_has_who_failed_and_then_who_was_skipped);
    tcase_add_test(tcase, for_people_many_that_were_skipped_alike_are_one_row);
    tcase_add_test(tcase, the_end_is_told_in_a_line);
    tcase_add_test(tcase, one_job_is_told_in_lines);
    tcase_add_test(tcase, ids_in_a_list_are_as_short_as_tells_them_apart);
    tcase_add_test(tcase, a_dry_run_tells_groups_and_what_decides);
    return suite;
}
