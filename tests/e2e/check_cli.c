// The terminal client, against a real service: every command, every exit code, and a terminal of
// the test's own with somebody at it who types Ctrl-C.
#include "common/buf.h"
#include "common/count.h"
#include "tests/e2e/child.h"
#include "tests/e2e/harness.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_cli(void);

enum { WELL, NOT_WELL, REFUSED, UNREACHED, LEFT = 130 }; // exit codes

enum { OUTPUT = 400000 };
static char output[OUTPUT]; // of the client that ran last
static const char quick[] = "0", nobody[] = "http://127.0.0.1:1";

static void run(int code, const char *const *args) {
    const int got = program_run("orchestrator", args, output, sizeof output);
    ck_assert_msg(got == code, "%s: exit code %d, expected %d:\n%s", args[0], got, code, output);
}

static void said(const char *text) {
    ck_assert_msg(strstr(output, text) != NULL, "expected: %s\nin:\n%s", text, output);
}

static size_t count_said(const char *text) {
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

static cJSON *json_said(void) {
    cJSON *json = cJSON_Parse(output);
    ck_assert_msg(json != NULL, "not JSON: %s", output);
    return json;
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    ck_assert_msg(text != NULL, "no %s", key);
    return text;
}

// The newest job.
static cJSON *get_job(const char *api) {
    cJSON *list = get_json(api, "/jobs/?limit=1");
    cJSON *job = cJSON_DetachItemFromArray(cJSON_GetObjectItem(list, "jobs"), 0);
    ck_assert_ptr_nonnull(job);
    cJSON_Delete(list);
    return job;
}

static void newest_id(const char *api, char id[37]) {
    cJSON *job = get_job(api);
    snprintf(id, 37, "%s", text_of(job, "id"));
    cJSON_Delete(job);
}

static void assert_newest(const char *api, const char *key, const char *value) {
    cJSON *job = get_job(api);
    ck_assert_str_eq(text_of(job, key), value);
    cJSON_Delete(job);
}

// --- runs that come to their end

START_TEST(an_upgrade_that_completes_exits_with_0) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--site", "earth,mars", "--dev-type",
                   "spine", "--url", lab.api));
    said("upgrade_os 5.3.1, 8 hosts\n");
    said("completed: 8 hosts, ");
    ck_assert_ptr_null(strchr(output, '\x1b')); // it is no terminal
    run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--host", "spine0[0,1].*", "--host",
                   "edge00.earth", "--url", lab.api));
    said("17 hosts, 13 changed, 4 as wanted already");
    lab_stop(&lab);
}
END_TEST

START_TEST(hosts_that_fail_or_are_skipped_are_told_with_their_reasons) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    char id[37], beginning[9];
    add_faults(&lab, "{\"match\": {\"host\": \"spine01.mars\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"error\", \"message\": \"no \\u001b[2J space\"}");
    run(NOT_WELL, ARGS("upgrade-os", "--version", "5.3.1", "--site", "mars", "--url", lab.api));
    said("  failed   spine01.mars  install_os_version: no ?[2J space\n");
    said("  skipped  spine02.mars  spine01.mars\n");
    said("failed (1)\n  spine01.mars  install_os_version: no ?[2J space\n"
         "skipped (2), because of\n  spine02.mars  spine01.mars\n  spine03.mars  spine01.mars\n"
         "failed: 106 hosts, ");
    said("try again: orchestrator retry ");

    newest_id(lab.api, id);
    snprintf(beginning, sizeof beginning, "%.8s", id);
    run(NOT_WELL, ARGS("job", beginning, "--url", lab.api));
    said(id);
    said("request  {\"version\":\"5.3.1\",\"filter_sites\":[\"mars\"]}\nstate    failed\n");
    said("  spine03.mars  spine01.mars\n");
    run(NOT_WELL, ARGS("job", id, "--watch", "--url", lab.api));
    said("failed (1)\n  spine01.mars  ");

    char picture[128];
    snprintf(picture, sizeof picture, "%s/run.svg", lab.dir);
    run(NOT_WELL, ARGS("job", beginning, "--timeline", picture, "--url", lab.api));
    char *svg = read_file(picture);
    ck_assert_ptr_nonnull(strstr(svg, "<title>spine01.mars"));
    free(svg);
    run(REFUSED, ARGS("job", beginning, "--timeline", "/nowhere/run.svg", "--url", lab.api));
    said("orchestrator job: /nowhere/run.svg: No such file or directory\n");

    run(NOT_WELL, ARGS("retry", beginning, "--state", "failed", "--url", lab.api));
    said("upgrade_os 5.3.1, 1 host\n");
    struct answer a = http_send("DELETE", lab.admin, "/faults/", NULL, NULL);
    answer_free(&a);
    run(WELL, ARGS("retry", beginning, "--url", lab.api));
    said("upgrade_os 5.3.1, 3 hosts\n");
    said("completed: 3 hosts, 3 changed, in ");
    run(REFUSED, ARGS("retry", id, "--state", "done", "--url", lab.api));
    said("--state: ");
    lab_stop(&lab);
}
END_TEST

START_TEST(scripts_get_the_job_as_json_with_its_report) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    char id[37], path[64];
    add_faults(&lab, "{\"match\": {\"host\": \"edge00.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"error\"}");
    run(NOT_WELL, ARGS("upgrade-os", "--version", "5.3.1", "--site", "earth", "--dev-type", "edge",
                       "--json", "--url", lab.api));
    cJSON *told = json_said();
    cJSON *report = cJSON_DetachItemFromObject(told, "report");
    newest_id(lab.api, id);
    snprintf(path, sizeof path, "/jobs/%s/", id);
    cJSON *job = get_json(lab.api, path);
    ck_assert(cJSON_Compare(told, job, true));
    strcat(path, "report/");
    cJSON *expected = get_json(lab.api, path);
    ck_assert(cJSON_Compare(report, expected, true));
    const cJSON *failed = cJSON_GetObjectItem(report, "failed");
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(failed, 0)), "edge00.earth");
    cJSON_Delete(told);

    run(NOT_WELL, ARGS("job", id, "--json", "--url", lab.api));
    told = json_said();
    cJSON_Delete(cJSON_DetachItemFromObject(told, "report"));
    ck_assert(cJSON_Compare(told, job, true));
    cJSON_Delete(told);
    cJSON_Delete(job);
    cJSON_Delete(report);
    cJSON_Delete(expected);

    run(WELL, ARGS("jobs", "--json", "--url", lab.api));
    told = json_said();
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(told, "jobs")), 1);
    cJSON_Delete(told);
    run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--dry-run", "--json", "--url", lab.api));
    told = json_said();
    ck_assert_int_eq((int)cJSON_GetNumberValue(cJSON_GetObjectItem(told, "hosts")), 848);
    cJSON_Delete(told);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_dry_run_begins_nothing) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--site", "earth", "--canaries",
                   "leaf0[0-1].*", "--dry-run", "--url", lab.api));
    said("dry run: 106 hosts, 106 not known\n");
    said("\ncanaries, before all others: leaf00.earth, leaf01.earth\n");
    said("\n  earth_leaf_100  leaf00.earth, leaf01.earth\n");
    run(WELL, ARGS("jobs", "--url", lab.api));
    said("no jobs\n");
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(every_option_of_a_request_is_a_field_of_it) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    run(WELL, ARGS("upgrade-os", "--version", "9.9.9", "--version=5.3.1", "--site=earth", "--site",
                   "mars", "--dev-type", "leaf,edge", "--host", "*.earth", "--expect-hosts", "102",
                   "--canaries", "1", "--max-failures", "5%", "--downgrade", "allow", "--workers",
                   "20", "--host-timeout", "10m", "--job-timeout", "4h", "--url", lab.api));
    cJSON *job = get_job(lab.api);
    char *request = cJSON_PrintUnformatted(cJSON_GetObjectItem(job, "request"));
    assert_json(request,
                "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\", \"mars\"], "
                "\"filter_dev_types\": [\"leaf\", \"edge\"], \"filter_hosts\": [\"*.earth\"], "
                "\"expect_hosts\": 102, \"canaries\": 1, \"max_failures\": \"5%\", \"downgrade\": "
                "\"allow\", \"workers\": 20, \"host_timeout\": \"10m\", \"job_timeout\": \"4h\"}");
    free(request);
    cJSON_Delete(job);
    lab_stop(&lab);
}
END_TEST

// --- jobs that go on

// One after another, so that it goes on until it is cancelled.
static struct lab lab_with_long_job(char id[37]) {
    struct lab lab = lab_start(ARGS("--latency", "10ms"), NULL);
    run(WELL,
        ARGS("upgrade-os", "--version", "5.3.1", "--workers", "1", "--detach", "--url", lab.api));
    ck_assert_uint_eq(strlen(output), 37);
    snprintf(id, 37, "%.36s", output);
    return lab;
}

START_TEST(a_job_is_paused_resumed_and_cancelled) {
    char id[37];
    struct lab lab = lab_with_long_job(id);
    run(WELL, ARGS("pause", id, "--url", lab.api));
    said(" is paused: 848 hosts, ");
    assert_newest(lab.api, "state", "paused");
    run(WELL, ARGS("jobs", "--state", "paused", "--limit", "5", "--url", lab.api));
    said("  paused      upgrade_os 5.3.1  ");
    run(WELL, ARGS("jobs", "--state", "done", "--url", lab.api));
    said("no jobs\n");
    run(WELL, ARGS("resume", id, "--json", "--url", lab.api));
    cJSON *told = json_said();
    ck_assert_str_eq(text_of(told, "state"), "running");
    ck_assert(cJSON_IsObject(cJSON_GetObjectItem(told, "report")));
    cJSON_Delete(told);
    run(REFUSED, ARGS("resume", id, "--url", lab.api));
    said("orchestrator resume: the job is running, not paused\n");
    run(WELL, ARGS("cancel", id, "--url", lab.api));
    run(NOT_WELL, ARGS("job", id, "--watch", "--url", lab.api));
    said("\ncancelled: 848 hosts, ");
    run(REFUSED, ARGS("pause", id, "--url", lab.api));
    said("orchestrator pause: the job is done\n");
    lab_stop(&lab);
}
END_TEST

START_TEST(an_id_may_be_cut_short_where_one_job_has_it) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    char ids[17][37], first[2] = "";
    for (size_t i = 0; i < COUNT(ids); i++) { // so many that two begin with the same digit
        run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--host", "edge00.earth", "--detach",
                       "--url", lab.api));
        snprintf(ids[i], sizeof ids[i], "%.36s", output);
        for (size_t k = 0; k < i; k++)
            if (ids[k][0] == ids[i][0]) first[0] = ids[i][0];
    }
    run(REFUSED, ARGS("job", first, "--url", lab.api));
    said(" jobs begin with ");
    for (size_t i = 0; i < COUNT(ids); i++) {
        ids[i][35] = '\0'; // all but its last
        run(WELL, ARGS("job", ids[i], "--watch", "--url", lab.api));
        said(ids[i]);
    }
    lab_stop(&lab);
}
END_TEST

// --- what is wrong

struct mistake {
    const char *args[7], *text;
};

// Nobody is asked.
static const struct mistake typed[] = {
    {{"upgrade"}, "there is no command 'upgrade'"},
    {{"jobz"}, "there is no command 'jobz'; did you mean jobs?"},
    {{"jobs", "--limit"}, "requires an argument"},
    {{"jobs", "--nothing"}, "--nothing"},
    {{"jobs", "stray"}, "unexpected argument 'stray'"},
    {{"jobs", "--limit", "0"}, "--limit: '0': expected a number from 1 to 1000"},
    {{"jobs", "--url", "localhost:5000"}, "--url: 'localhost:5000': expected a URL"},
    {{"job"}, "usage: orchestrator job [OPTION]... ID"},
    {{"job", "a", "b"}, "unexpected argument 'b'"},
    {{"job", "../x"}, "'../x' is no ID of a job"},
    {{"upgrade-os"}, "--version is missing"},
    {{"upgrade-os", "--version"}, "requires an argument"},
    {{"upgrade-os", "--version", "5.3.1", "--site", ""}, "--site: '': expected one or more"},
    {{"completion", "ksh"}, "'ksh': expected bash, zsh or fish"},
    {{"completion"}, "usage: orchestrator completion bash|zsh|fish"},
};

START_TEST(a_wrong_command_line_exits_with_2) {
    for (size_t i = 0; i < COUNT(typed); i++) {
        run(REFUSED, typed[i].args);
        said(typed[i].text);
    }
}
END_TEST

static const struct mistake refused[] = {
    {{"jobs", "--state", "lost"}, "orchestrator jobs: --state: there is no state 'lost'"},
    {{"job", "0123"}, "orchestrator job: there is no job whose ID begins with 0123"},
    {{"job", "01234567-0000-4000-8000-000000000000"}, "there is no job 01234567-"},
    {{"job", "--watch", "01234567-0000-4000-8000-000000000000"}, "there is no job 01234567-"},
    {{"cancel", "01234567-0000-4000-8000-000000000000"}, "there is no job 01234567-"},
    {{"retry", "01234567-0000-4000-8000-000000000000"}, "there is no job 01234567-"},
    {{"upgrade-os", "--version", "5.3"}, "orchestrator upgrade-os: --version: "},
    {{"upgrade-os", "--version", "5.3.1", "--site", "eart"}, "--site: there is no site 'eart'"},
    {{"upgrade-os", "--version", "5.3.1", "--expect-hosts", "5"}, "--expect-hosts: 848 hosts are"},
    {{"upgrade-os", "--version", "5.3.1", "--workers", "no", "--dry-run"}, "--workers: "},
};

START_TEST(what_the_service_refuses_exits_with_2) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *args[10] = {NULL};
        size_t count = 0;
        for (; refused[i].args[count] != NULL; count++)
            args[count] = refused[i].args[count];
        args[count++] = "--url";
        args[count] = lab.api;
        run(REFUSED, args);
        said(refused[i].text);
    }
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_service_that_is_not_reached_exits_with_3) {
    static const char id[] = "01234567-0000-4000-8000-000000000000";
    const char *const *const lines[] = {
        ARGS("jobs", "--url", nobody),
        ARGS("job", "0123", "--url", nobody),
        ARGS("job", id, "--url", nobody),
        ARGS("pause", id, "--url", nobody),
        ARGS("resume", id, "--url", nobody),
        ARGS("cancel", id, "--url", nobody),
        ARGS("retry", id, "--url", nobody),
        ARGS("job", id, "--watch", "--url", nobody),
        ARGS("job", id, "--json", "--url", nobody),
        ARGS("upgrade-os", "--version", "5.3.1", "--url", nobody),
        ARGS("upgrade-os", "--version", "5.3.1", "--dry-run", "--url", nobody)};
    for (size_t i = 0; i < COUNT(lines); i++) {
        run(UNREACHED, lines[i]);
        said("no orchestrator was reached at http://127.0.0.1:1: start one, or say with --url");
    }
}
END_TEST

// A node that dies with whatever it is sent.
static pid_t start_dying(char url[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    char bytes[4096];
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listening, 8), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(at.sin_port));
    const pid_t pid = fork();
    if (pid == 0) { // until it is killed
        for (;;) {
            const int fd = accept(listening, NULL, NULL);
            if (read(fd, bytes, sizeof bytes) >= 0) close(fd);
        }
    }
    close(listening);
    return pid;
}

// What was sent may have been done, unless it says by its key that it is the same.
START_TEST(the_next_url_is_asked_where_that_does_no_harm) {
    struct lab lab = lab_start(ARGS("--latency", quick), NULL);
    char dying[64], id[37];
    const pid_t pid = start_dying(dying);
    run(WELL, ARGS("upgrade-os", "--version", "5.3.1", "--site", "earth", "--url", nobody, "--url",
                   dying, "--url", lab.api));
    said("completed: 106 hosts, ");
    run(WELL,
        ARGS("upgrade-os", "--version", "5.3.1", "--dry-run", "--url", dying, "--url", lab.api));
    newest_id(lab.api, id);
    run(WELL, ARGS("job", id, "--url", dying, "--url", lab.api));
    run(REFUSED, ARGS("pause", id, "--url", nobody, "--url", lab.api)); // it is over
    run(UNREACHED, ARGS("pause", id, "--url", dying, "--url", lab.api));
    said("/pause/: no answer: ");
    run(UNREACHED, ARGS("jobs", "--url", nobody, "--url", "http://127.0.0.1:2"));
    said("no orchestrator was reached at http://127.0.0.1:1, http://127.0.0.1:2: start one");
    cJSON *jobs = get_json(lab.api, "/jobs/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(jobs, "jobs")), 1);
    cJSON_Delete(jobs);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_service_that_lacks_its_inventory_exits_with_3) {
    struct program p = program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory",
                                                          "/nowhere", "--log", "/dev/null"));
    run(UNREACHED, ARGS("upgrade-os", "--version", "5.3.1", "--url", p.url));
    said("orchestrator upgrade-os: the inventory: ");
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// --- a service that ends in the middle

struct outage {
    struct lab lab;
    char store[128], inventory[128];
};

static void serve(struct outage *o, const char *listen) {
    o->lab.orchestrator = program_start(
        "orchestrator", ARGS("--listen", listen, "--inventory", o->inventory, "--log", "/dev/null",
                             "--state", o->store, "--install-timeout", "5s"));
    snprintf(o->lab.api, sizeof o->lab.api, "%s", o->lab.orchestrator.url);
}

static struct outage outage_begin(void) {
    struct outage o = {.lab = bare_start(ARGS("--time-scale", "0.05"))};
    snprintf(o.inventory, sizeof o.inventory, "%s/inventory/", o.lab.admin);
    snprintf(o.store, sizeof o.store, "%s/store", o.lab.dir);
    serve(&o, "127.0.0.1:0");
    return o;
}

static void kill_service(struct outage *o) {
    int status;
    program_signal(&o->lab.orchestrator, SIGKILL);
    ck_assert_int_eq(waitpid(o->lab.orchestrator.pid, &status, 0), o->lab.orchestrator.pid);
    close(o->lab.orchestrator.out);
}

static void outage_end(struct outage *o) {
    char path[160];
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        snprintf(path, sizeof path, "%s%s", o->store, ends[i]);
        unlink(path);
    }
    bare_stop(&o->lab);
}

START_TEST(a_restart_of_the_service_is_said_and_the_job_watched_on) {
    struct outage o = outage_begin();
    char address[64];
    snprintf(address, sizeof address, "%s", strstr(o.lab.api, "//") + 2);
    add_faults(&o.lab, "{\"match\": {\"host\": \"leaf00.neptune\"}, \"on\": "
                       "\"install_os_version\", \"effect\": \"error\"}");
    struct child c =
        child_start(ARGS("upgrade-os", "--version", "5.3.1", "--workers", "10", "--host", "*.earth",
                         "--host", "leaf*.neptune", "--url", o.lab.api));
    await_event(o.lab.admin, "install_os_version", "answered", 20);
    kill_service(&o);
    child_await(&c, "  connection lost; trying again for 2m00s\n");
    serve(&o, address);
    child_end(&c, NOT_WELL, output, sizeof output);
    ck_assert_uint_eq(count_said("connection lost"), 1);
    ck_assert_uint_eq(count_said("connected again"), 1);
    ck_assert_uint_eq(count_said("  failed   leaf00.neptune  "), 1); // and once in the table
    ck_assert_uint_eq(count_said("leaf00.neptune  install"), 2);
    said("failed: 206 hosts, ");
    said(", 1 failed, 1 skipped, in ");
    ck_assert_int_eq(program_stop(&o.lab.orchestrator), 0);
    outage_end(&o);
}
END_TEST

START_TEST(a_service_that_does_not_come_back_is_given_up) {
    struct outage o = outage_begin();
    struct child c = child_start(ARGS("upgrade-os", "--version", "5.3.1", "--workers", "1",
                                      "--reconnect", "100ms", "--url", o.lab.api));
    await_event(o.lab.admin, "install_os_version", "answered", 2);
    kill_service(&o);
    child_end(&c, UNREACHED, output, sizeof output);
    said("  connection lost; trying again for 0.1s\n");
    said("the service was not reached again; the job may go on: no orchestrator was reached");
    outage_end(&o);
}
END_TEST

// --- somebody at a terminal

static void type(const struct child *c, const char *keys) {
    ck_assert_int_eq(write(c->out, keys, strlen(keys)), (ssize_t)strlen(keys));
}

START_TEST(ctrl_c_asks_and_c_cancels) {
    struct lab lab = lab_start(ARGS("--latency", "10ms"), NULL);
    struct child c = child_start_at_terminal(
        100, ARGS("upgrade-os", "--version", "5.3.1", "--workers", "1", "--url", lab.api));
    child_await(&c, "longest in hand: ");
    type(&c, "c"); // nobody has asked
    type(&c, "\x03");
    child_await(&c, "[c]ancel the job, [l]eave it running, or go on [w]atching? ");
    assert_newest(lab.api, "state", "running");
    type(&c, "w");
    buf_clear(&c.got);
    child_await(&c, "longest in hand: ");
    type(&c, "\x03");
    child_await(&c, "[c]ancel the job");
    type(&c, "c");
    child_end(&c, NOT_WELL, output, sizeof output);
    said("cancelling: what is being installed comes to its end");
    said(" more hosts  cancelled");
    said(" more hosts for the same reason, to leaf99.neptune)");
    said("\x1b[31mcancelled\x1b[0m: 848 hosts, ");
    assert_newest(lab.api, "outcome", "cancelled");
    lab_stop(&lab);
}
END_TEST

static void assert_left(const struct lab *lab) {
    char id[37], line[100];
    newest_id(lab->api, id);
    snprintf(line, sizeof line, "job %s goes on\r\n", id);
    said(line);
    snprintf(line, sizeof line, "watch it:  orchestrator job %.8s --watch --url ", id);
    said(line);
    snprintf(line, sizeof line, "cancel it: orchestrator cancel %.8s --url ", id);
    said(line);
    assert_newest(lab->api, "state", "running");
    run(WELL, ARGS("cancel", id, "--url", lab->api));
    run(NOT_WELL, ARGS("job", id, "--watch", "--url", lab->api));
}

START_TEST(ctrl_c_and_l_or_twice_leave_it_running) {
    static const char *const answers[] = {"l", "\x03"};
    struct lab lab = lab_start(ARGS("--latency", "10ms"), NULL);
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct child c =
            child_start_at_terminal(80, ARGS("upgrade-os", "--version", i == 0 ? "5.3.1" : "5.3.2",
                                             "--workers", "1", "--url", lab.api));
        child_await(&c, "longest in hand: ");
        type(&c, "\x03");
        child_await(&c, "[c]ancel the job");
        type(&c, answers[i]);
        child_end(&c, LEFT, output, sizeof output);
        assert_left(&lab);
    }
    lab_stop(&lab);
}
END_TEST

START_TEST(without_a_terminal_a_signal_leaves_it_running) {
    struct lab lab = lab_start(ARGS("--latency", "10ms"), NULL);
    struct child c =
        child_start(ARGS("upgrade-os", "--version", "5.3.1", "--workers", "1", "--url", lab.api));
    await_event(lab.admin, "install_os_version", "answered", 2);
    ck_assert_int_eq(kill(c.pid, SIGINT), 0);
    child_end(&c, LEFT, output, sizeof output);
    said(" goes on\nwatch it:  orchestrator job ");
    lab_stop(&lab);
}
END_TEST

// The bar's row is as long as that: [###...].
static bool has_bar_of(const char *text, size_t len) {
    for (const char *at = text; (at = strchr(at, '[')) != NULL; at++)
        if (strspn(at + 1, "#!->.") == len - 2 && at[len - 1] == ']') return true;
    return false;
}

START_TEST(no_color_is_heeded_and_bars_fit_the_terminal) {
    struct lab lab = lab_start(ARGS("--latency", "10ms"), NULL);
    const struct winsize narrow = {.ws_row = 24, .ws_col = 40};
    setenv("NO_COLOR", "1", 1);
    struct child c = child_start_at_terminal(
        100, ARGS("upgrade-os", "--version", "5.3.1", "--workers", "1", "--url", lab.api));
    unsetenv("NO_COLOR");
    while (!has_bar_of(c.got.data, 97))
        ck_assert(child_read(&c));
    child_await(&c, "\x1b[3A\r\x1b[J"); // it is drawn again in its place
    ck_assert_int_eq(ioctl(c.out, TIOCSWINSZ, &narrow), 0);
    while (!has_bar_of(c.got.data, 37))
        ck_assert(child_read(&c));
    type(&c, "\x03");
    child_await(&c, "[c]ancel the job");
    type(&c, "\x03");
    child_end(&c, LEFT, output, sizeof output);
    for (const char *at = output; (at = strchr(at, '\x1b')) != NULL; at++)
        ck_assert_int_ne(at[1 + strspn(at + 1, "[0123456789;")], 'm');
    lab_stop(&lab);
}
END_TEST

// --- shells

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...) {
    char command[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *const commands[] = {"upgrade-os", "jobs",   "job",   "pause",
                                       "resume",     "cancel", "retry", "completion"};

// Each option that --help of the command lists, a line each.
static char *options_of(const char *command) {
    struct buf found = {0};
    buf_adds(&found, "");
    run(WELL, *command == '\0' ? ARGS("--help") : ARGS(command, "--help"));
    for (const char *line = output; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "  --", 4) != 0) continue;
        buf_add(&found, line + 2, strcspn(line + 2, " "));
        buf_adds(&found, "\n");
    }
    ck_assert_uint_gt(found.len, 0);
    return buf_take(&found);
}

static void assert_offered(const char *shell_name, const char *command, char *options) {
    char padded[64];
    for (const char *option = strtok(options, "\n"); option != NULL; option = strtok(NULL, "\n")) {
        snprintf(padded, sizeof padded, " %s ", option);
        ck_assert_msg(strstr(output, padded) != NULL, "%s: %s: not offered:%s\n%s", shell_name,
                      command, padded, output);
    }
    free(options);
}

START_TEST(bash_completes_what_help_lists) {
    const char *build = getenv("BUILD") == NULL ? "build" : getenv("BUILD");
    ck_assert_int_eq(shell("%s/orchestrator completion bash | bash -n", build), 0);
    for (size_t i = 0; i <= COUNT(commands); i++) {
        const char *command = i < COUNT(commands) ? commands[i] : "";
        char *options = options_of(command);
        ck_assert_int_eq(shell("bash -c 'source <(%s/orchestrator completion bash); "
                               "COMP_WORDS=(orchestrator %s \"\"); COMP_CWORD=%d; _orchestrator; "
                               "echo \" ${COMPREPLY[*]} \"'",
                               build, command, *command == '\0' ? 1 : 2),
                         0);
        assert_offered("bash", command, options);
        for (size_t k = 0; k < COUNT(commands) && *command == '\0'; k++)
            said(commands[k]);
    }
    ck_assert_int_eq(shell("bash -c 'source <(%s/orchestrator completion bash); COMP_WORDS=("
                           "orchestrator retry --state f); COMP_CWORD=3; _orchestrator; "
                           "echo \"${COMPREPLY[*]}\"'",
                           build),
                     0);
    ck_assert_str_eq(output, "failed\n");
}
END_TEST

// Its own _arguments and _describe work in a line that is edited only: here they tell what they are
// given.
START_TEST(zsh_completes_what_help_lists) {
    const char *build = getenv("BUILD") == NULL ? "build" : getenv("BUILD");
    ck_assert_int_eq(shell("%s/orchestrator completion zsh | zsh -n", build), 0);
    for (size_t i = 0; i <= COUNT(commands); i++) {
        const char *command = i < COUNT(commands) ? commands[i] : "";
        char *options = options_of(command);
        ck_assert_int_eq(
            shell("zsh -f -c 'compdef() { }; _arguments() { print -l -- ${${${@%%%%\\[*}#\\*}/#/ "
                  "}; }; "
                  "_describe() { print -l -- ${commands%%%%:*}; }; "
                  "source <(%s/orchestrator completion zsh); words=(orchestrator %s \"\"); "
                  "CURRENT=%d; _orchestrator' | tr '\\n' ' '",
                  build, command, *command == '\0' ? 2 : 3),
            0);
        assert_offered("zsh", command, options);
        for (size_t k = 0; k < COUNT(commands) && *command == '\0'; k++)
            said(commands[k]);
    }
}
END_TEST

START_TEST(fish_completes_what_help_lists) {
    const char *build = getenv("BUILD") == NULL ? "build" : getenv("BUILD");
    ck_assert_int_eq(shell("%s/orchestrator completion fish | fish --no-execute", build), 0);
    for (size_t i = 0; i <= COUNT(commands); i++) {
        const char *command = i < COUNT(commands) ? commands[i] : "";
        char *options = options_of(command);
        ck_assert_int_eq(shell("fish --no-config -c '%s/orchestrator completion fish | source; "
                               "complete -C \"orchestrator %s --\"' | sed 's/^/ /; s/\t.*/ /'",
                               build, command),
                         0);
        assert_offered("fish", command, options);
    }
    ck_assert_int_eq(shell("fish --no-config -c '%s/orchestrator completion fish | source; "
                           "complete -C \"orchestrator \"' | sed 's/\t.*//'",
                           build),
                     0);
    for (size_t k = 0; k < COUNT(commands); k++)
        said(commands[k]);
    ck_assert_int_eq(shell("fish --no-config -c '%s/orchestrator completion fish | source; "
                           "complete -C \"orchestrator retry --state f\"' | sed 's/\t.*//'",
                           build),
                     0);
    ck_assert_str_eq(output, "failed\n");
}
END_TEST

Suite *check_cli(void) {
    Suite *suite = suite_create("cli");
    TCase *tcase = tcase_create("cli");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, an_upgrade_that_completes_exits_with_0);
    tcase_add_test(tcase, hosts_that_fail_or_are_skipped_are_told_with_their_reasons);
    tcase_add_test(tcase, scripts_get_the_job_as_json_with_its_report);
    tcase_add_test(tcase, a_dry_run_begins_nothing);
    tcase_add_test(tcase, every_option_of_a_request_is_a_field_of_it);
    tcase_add_test(tcase, a_job_is_paused_resumed_and_cancelled);
    tcase_add_test(tcase, an_id_may_be_cut_short_where_one_job_has_it);
    tcase_add_test(tcase, a_wrong_command_line_exits_with_2);
    tcase_add_test(tcase, what_the_service_refuses_exits_with_2);
    tcase_add_test(tcase, a_service_that_is_not_reached_exits_with_3);
    tcase_add_test(tcase, the_next_url_is_asked_where_that_does_no_harm);
    tcase_add_test(tcase, a_service_that_lacks_its_inventory_exits_with_3);
    tcase_add_test(tcase, a_restart_of_the_service_is_said_and_the_job_watched_on);
    tcase_add_test(tcase, a_service_that_does_not_come_back_is_given_up);
    tcase_add_test(tcase, ctrl_c_asks_and_c_cancels);
    tcase_add_test(tcase, ctrl_c_and_l_or_twice_leave_it_running);
    tcase_add_test(tcase, without_a_terminal_a_signal_leaves_it_running);
    tcase_add_test(tcase, no_color_is_heeded_and_bars_fit_the_terminal);
    tcase_add_test(tcase, bash_completes_what_help_lists);
    tcase_add_test(tcase, zsh_completes_what_help_lists);
    tcase_add_test(tcase, fish_completes_what_help_lists);
    return suite;
}
