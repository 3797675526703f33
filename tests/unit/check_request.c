// The rows of the request table that the check itself decides; which sites and types there are is
// the inventory's to say.
#include "orchestrator/request.h"
#include "tests/unit/support.h"

Suite *check_request(void);

START_TEST(a_bad_body_is_refused_and_the_field_at_fault_is_named) {
    static const struct {
        const char *body, *field, *text;
    } cases[] = {
        {"[]", "", "the body: expected a JSON object, not an array"},
        {"null", "", "the body: expected a JSON object, not null"},
        {"'5.3.1'", "", "the body: expected a JSON object, not a string"},
        {"{}", "version", "version: missing; give the version to install, X.Y.Z"},
        {"{'version': 5.3}", "version", "version: expected a string, not a number"},
        {"{'version': null}", "version", "version: expected a string, not null"},
        {"{'version': ['5.3.1']}", "version", "version: expected a string, not an array"},
        {"{'version': ''}", "version", "version: '' is not a version: it must be X.Y.Z"},
        {"{'version': '5.3'}", "version", "version: '5.3' is not a version"},
        {"{'version': '5.3.1\\n'}", "version", "is not a version"},
        {"{'version': '5.3.1; reboot'}", "version", "is not a version"},
        {"{'version': '1234567890.1.1'}", "version", "is not a version"},
        {"{'version': '5.3.1', 'filter_site': ['earth']}", "filter_site",
         "filter_site: unknown field; did you mean filter_sites?"},
        {"{'version': '5.3.1', 'Filter_Sites': ['earth']}", "Filter_Sites",
         "Filter_Sites: unknown field; did you mean filter_sites?"},
        {"{'version': '5.3.1', 'dry_run': 'yes'}", "dry_run",
         "dry_run: expected true or false, not a string"},
        {"{'version': '5.3.1', 'dry_run': null}", "dry_run", "not null"},
        {"{'version': '5.3.1', 'dry-run': true}", "dry-run", "did you mean dry_run?"},
        {"{'version': '5.3.1', 'expect_hosts': -1}", "expect_hosts", "whole number from 0"},
        {"{'version': '5.3.1', 'expect_hosts': '8'}", "expect_hosts", "not a string"},
        {"{'version': '5.3.1', 'workers': 0}", "workers", "whole number from 1 to 1000000"},
        {"{'version': '5.3.1', 'workers': null}", "workers", "not null"},
        {"{'version': '5.3.1', 'max_failures': null}", "max_failures", "not null"},
        {"{'version': '5.3.1', 'max_failures': -1}", "max_failures", "whole number from 0"},
        {"{'version': '5.3.1', 'max_failures': 1.5}", "max_failures", "not 1.5"},
        {"{'version': '5.3.1', 'max_failures': '101%'}", "max_failures", "a part of them"},
        {"{'version': '5.3.1', 'max_failures': '5 %'}", "max_failures", "'5 %'"},
        {"{'version': '5.3.1', 'max_failures': ''}", "max_failures", "''"},
        {"{'version': '5.3.1', 'max_failures': '5%%'}", "max_failures", "'5%%'"},
        {"{'version': '5.3.1', 'host_timeout': 30}", "host_timeout", "not a number"},
        {"{'version': '5.3.1', 'host_timeout': '30'}", "host_timeout", "30"},
        {"{'version': '5.3.1', 'job_timeout': '0s'}", "job_timeout", "0"},
        {"{'version': '5.3.1', 'canaries': 0}", "canaries", "whole number from 1 to 100"},
        {"{'version': '5.3.1', 'canaries': 101}", "canaries", "not 101"},
        {"{'version': '5.3.1', 'canaries': []}", "canaries", "from 1 to 100 names or globs, not 0"},
        {"{'version': '5.3.1', 'canaries': 'leaf*'}", "canaries", "an array of names or globs"},
        {"{'version': '5.3.1', 'canaries': ['a', 1]}", "canaries",
         "canaries[1]: expected a string"},
        {"{'version': '5.3.1', 'downgrade': 'yes'}", "downgrade", "expected allow or refuse"},
        {"{'version': '5.3.1', 'downgrade': true}", "downgrade", "not a boolean"},
        {"{'version': '5.3.1', '': 1}", "", ": unknown field"},
        {"{'version': '5.3.1', 'filter_sites': 'earth'}", "filter_sites",
         "filter_sites: expected an array of strings, not a string"},
        {"{'version': '5.3.1', 'filter_sites': {}}", "filter_sites", "not an object"},
        {"{'version': '5.3.1', 'filter_sites': false}", "filter_sites", "not a boolean"},
        {"{'version': '5.3.1', 'filter_sites': ['earth', 3]}", "filter_sites",
         "filter_sites[1]: expected a string, not a number"},
        {"{'version': '5.3.1', 'filter_sites': [null]}", "filter_sites",
         "filter_sites[0]: expected a string, not null"},
        {"{'version': '5.3.1', 'filter_dev_types': 'leaf'}", "filter_dev_types",
         "filter_dev_types: expected an array of strings, not a string"},
        {"{'version': '5.3.1', 'filter_hosts': 'leaf*'}", "filter_hosts",
         "filter_hosts: expected an array of strings, not a string"},
        {"{'version': '5.3.1', 'filter_hosts': ['a', {}]}", "filter_hosts",
         "filter_hosts[1]: expected a string, not an object"},
        {"{'version': '5.3.1', 'filter_host': ['a']}", "filter_host",
         "filter_host: unknown field; did you mean filter_hosts?"},
        {"{'version': '5.3.1', 'filter_dev_sites': 'earth'}", "filter_dev_sites",
         "filter_dev_sites: expected an array of strings, not a string"},
        {"{'version': '5.3.1', 'filter_dev_sites': [], 'filter_sites': []}", "filter_dev_sites",
         "filter_dev_sites: it means filter_sites; give one of the two"},
        {"{'version': '5.3.1', 'filter_dev_sites': null, 'filter_sites': []}", "filter_dev_sites",
         "give one of the two"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cJSON *body = json_of(cases[i].body);
        struct task_request request;
        struct error err;
        int rc = request_parse(&task_upgrade_os, body, &request, &err);
        ck_assert_msg(rc == ERROR_INPUT, "%s was taken", cases[i].body);
        ck_assert_msg(strcmp(err.field, cases[i].field) == 0, "%s: field '%s'", cases[i].body,
                      err.field);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", cases[i].body, err.text);
        cJSON_Delete(body);
    }
}
END_TEST

START_TEST(a_good_body_is_taken_with_its_filters) {
    static const struct {
        const char *body;
        bool all_sites, all_types;
        size_t sites, types, hosts; // hosts 0: all
    } cases[] = {
        {"{'version': '5.3.1', 'filter_hosts': ['leaf*', 'a']}", true, true, 0, 0, 2},
        {"{'version': '5.3.1', 'filter_hosts': null}", true, true, 0, 0, 0},
        {"{'version': '5.3.1'}", true, true, 0, 0, 0},
        {"{'version': '5.3.1', 'filter_sites': null, 'filter_dev_types': null}", true, true, 0, 0,
         0},
        {"{'version': '5.3.1', 'filter_sites': []}", false, true, 0, 0, 0},
        {"{'version': '5.3.1', 'filter_dev_types': []}", true, false, 0, 0, 0},
        {"{'version': '5.3.1', 'filter_sites': ['earth', 'mars']}", false, true, 2, 0, 0},
        {"{'version': '5.3.1', 'filter_dev_sites': ['earth']}", false, true, 1, 0, 0},
        {"{'version': '5.3.1', 'filter_dev_sites': null}", true, true, 0, 0, 0},
        {"{'filter_sites': ['earth'], 'filter_dev_types': ['leaf', 'edge', 'leaf'], "
         "'version': '5.3.1'}",
         false, false, 1, 3, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cJSON *body = json_of(cases[i].body);
        struct task_request request;
        struct error err;
        int rc = request_parse(&task_upgrade_os, body, &request, &err);
        ck_assert_msg(rc == 0, "%s: %s", cases[i].body, err.text);
        ck_assert_ptr_eq(request.task, &task_upgrade_os);
        ck_assert_str_eq(request.args.version, "5.3.1");
        ck_assert_msg(request.sites.all == cases[i].all_sites, "%s", cases[i].body);
        ck_assert_msg(request.dev_types.all == cases[i].all_types, "%s", cases[i].body);
        ck_assert_uint_eq(request.sites.count, cases[i].sites);
        ck_assert_uint_eq(request.dev_types.count, cases[i].types);
        ck_assert_uint_eq(request.hosts.count, cases[i].hosts);
        ck_assert(request.hosts.all == (cases[i].hosts == 0));
        if (request.sites.count > 0) ck_assert_str_eq(request.sites.names[0], "earth");
        request_deinit(&request);
        cJSON_Delete(body);
    }
}
END_TEST

START_TEST(a_field_name_of_any_length_is_named_and_fits) {
    struct buf body = {0};
    buf_adds(&body, "{'version': '5.3.1', '");
    for (int i = 0; i < 1000; i++)
        buf_adds(&body, "x");
    buf_adds(&body, "': 1}");
    cJSON *json = json_of(body.data);
    struct task_request request;
    struct error err;
    ck_assert_int_eq(request_parse(&task_upgrade_os, json, &request, &err), ERROR_INPUT);
    ck_assert_uint_eq(strlen(err.field), 100);
    ck_assert_str_eq(err.text + 100, ": unknown field");
    cJSON_Delete(json);
    buf_deinit(&body);
}
END_TEST

START_TEST(every_task_of_the_list_has_an_endpoint_of_its_own_and_steps) {
    ck_assert_uint_ge(tasks_count, 1);
    for (size_t i = 0; i < tasks_count; i++) {
        const struct task *task = tasks[i];
        size_t len = strlen(task->path);
        ck_assert(task->path[0] == '/' && task->path[len - 1] == '/');
        ck_assert_uint_ge(task->steps_count, 1);
        ck_assert_uint_lt(task->resume_step, task->steps_count);
        for (size_t s = 0; s < task->steps_count; s++) // what goes on after a loss never installs
            ck_assert(s < task->resume_step || !task->steps[s].restarts);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(tasks[j]->path, task->path);
    }
}
END_TEST

Suite *check_request(void) {
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_bad_body_is_refused_and_the_field_at_fault_is_named);
    tcase_add_test(tcase, a_good_body_is_taken_with_its_filters);
    tcase_add_test(tcase, a_field_name_of_any_length_is_named_and_fits);
    tcase_add_test(tcase, every_task_of_the_list_has_an_endpoint_of_its_own_and_steps);
    return suite;
}
