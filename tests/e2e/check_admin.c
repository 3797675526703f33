// The simulator's admin API over HTTP: every endpoint, what it refuses, and the long poll.
#include "common/count.h"
#include "common/scrape.h"
#include "tests/e2e/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_admin(void);

static struct lab lab;

static void start(void) {
    lab = bare_start(ARGS("--latency", "0"));
}

static void stop(void) {
    bare_stop(&lab);
}

static int log_in_to(const char *host) {
    char line[256];
    int fd = dial(lab.devices);
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"hostname\":\"%s\","
             "\"username\":\"admin\",\"password\":\"admin\"}}\n",
             host);
    send_text(fd, line);
    snprintf(line, sizeof line,
             "{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"hostname\": \"%s\", "
             "\"platform\": \"acmeos\"}}",
             host);
    assert_reply(fd, line);
    return fd;
}

static void install(int fd, const char *version) {
    char line[256];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\",\"params\":"
             "{\"version\":\"%s\"}}\n",
             version);
    send_text(fd, line);
}

static void assert_empty(struct answer a, long status) {
    ck_assert_msg(a.status == status, "expected %ld, got %ld: %s", status, a.status, a.body);
    ck_assert_str_eq(a.body, "");
    answer_free(&a);
}

static void assert_count(const char *path, const char *list, int expected) {
    cJSON *answer = get_json(lab.admin, path);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(answer, list)), expected);
    cJSON_Delete(answer);
}

// --- inventory and devices

START_TEST(the_inventory_is_acmes_and_can_be_filtered) {
    cJSON *inventory =
        get_json(lab.admin, "/inventory/?filter_sites=mars,earth&filter_dev_types=spine");
    ck_assert_int_eq(cJSON_GetArraySize(inventory), 2);
    const cJSON *earth = inventory->child; // in the network's order
    ck_assert_str_eq(earth->string, "earth");
    ck_assert_str_eq(earth->next->string, "mars");
    ck_assert_int_eq(cJSON_GetArraySize(earth), 4);
    char expected[256], *got = cJSON_PrintUnformatted(earth->child);
    snprintf(expected, sizeof expected,
             "{\"platform\":\"acmeos\",\"dev_type\":\"spine\",\"rack\":\"20\",\"hostname\":"
             "\"127.0.0.1\",\"port\":%s}",
             strrchr(lab.devices, ':') + 1);
    ck_assert_str_eq(earth->child->string, "spine00.earth");
    ck_assert_str_eq(got, expected);
    free(got);
    cJSON_Delete(inventory);

    inventory = get_json(lab.admin, "/inventory/");
    ck_assert_int_eq(cJSON_GetArraySize(inventory), 8);
    ck_assert_int_eq(cJSON_GetArraySize(inventory->child), 106);
    cJSON_Delete(inventory);
    assert_answer(http_get(lab.admin, "/inventory/?filter_sites="), 200, "{}");
}
END_TEST

START_TEST(a_name_that_the_network_does_not_have_is_refused_with_those_that_it_has) {
    static const char *const paths[] = {"/inventory/", "/devices/"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s?filter_sites=mars,earht", paths[i]);
        assert_problem(http_get(lab.admin, path), 400, "filter_sites",
                       "there is no 'earht', did you mean earth?; known: mercury, venus, earth, "
                       "mars, jupyter, uranus, saturn, neptune");
        snprintf(path, sizeof path, "%s?filter_dev_types=core", paths[i]);
        assert_problem(http_get(lab.admin, path), 400, "filter_dev_types",
                       "there is no 'core'; known: edge, spine, leaf");
    }
}
END_TEST

START_TEST(devices_tell_what_was_done_to_them) {
    int fd = log_in_to("edge01.mars");
    install(fd, "7.0.1");
    free(read_line(fd));
    close(fd);
    const char *device = "{\"name\": \"edge01.mars\", \"site\": \"mars\", \"dev_type\": \"edge\", "
                         "\"rack\": \"10\", \"version\": \"7.0.1\", \"state\": \"up\", "
                         "\"logins\": 1, \"installs\": 1}";
    assert_answer(http_get(lab.admin, "/devices/edge01.mars/"), 200, device);
    assert_problem(http_get(lab.admin, "/devices/edge1.mars/"), 404, NULL, "no device edge1.mars");
    cJSON *answer = get_json(lab.admin, "/devices/?filter_sites=mars&filter_dev_types=edge");
    const cJSON *devices = cJSON_GetObjectItem(answer, "devices");
    ck_assert_int_eq(cJSON_GetArraySize(devices), 2);
    char *second = cJSON_PrintUnformatted(cJSON_GetArrayItem(devices, 1));
    assert_json(second, device);
    free(second);
    cJSON_Delete(answer);
}
END_TEST

// --- faults

START_TEST(faults_are_added_told_and_taken_away) {
    assert_answer(http_get(lab.admin, "/faults/"), 200, "{\"faults\": []}");
    const char *first = "{\"id\": 1, \"fired\": 0, \"match\": {\"host\": \"leaf63.earth\"}, "
                        "\"on\": \"login\", \"effect\": \"error\", \"probability\": 1, "
                        "\"after\": 0, \"code\": -32000, \"message\": "
                        "\"problem communicating with device\"}";
    char expected[1024];
    snprintf(expected, sizeof expected, "{\"faults\": [%s]}", first);
    assert_answer(http_post(lab.admin, "/faults/",
                            "{\"match\": {\"host\": \"leaf63.earth\"}, \"on\": \"login\", "
                            "\"effect\": \"error\"}"),
                  201, expected);
    const char *two = "{\"id\": 2, \"fired\": 0, \"match\": {}, \"on\": \"any\", \"effect\": "
                      "\"slow\", \"bytes_per_second\": 10, \"probability\": 0.5, \"after\": 0}, "
                      "{\"id\": 3, \"fired\": 0, \"match\": {\"rack\": [131, \"13*\"]}, \"on\": "
                      "\"any\", \"effect\": \"close\", \"probability\": 1, \"after\": 2, "
                      "\"times\": 3}";
    snprintf(expected, sizeof expected, "{\"faults\": [%s]}", two); // the new ones only
    assert_answer(http_post(lab.admin, "/faults/",
                            "[{\"effect\": \"slow\", \"bytes_per_second\": 10, \"probability\": "
                            "0.5}, {\"match\": {\"rack\": [131, \"13*\"]}, \"effect\": \"close\", "
                            "\"after\": 2, \"times\": 3}]"),
                  201, expected);
    snprintf(expected, sizeof expected, "{\"faults\": [%s, %s]}", first, two);
    assert_answer(http_get(lab.admin, "/faults/"), 200, expected);

    assert_empty(http_send("DELETE", lab.admin, "/faults/1/", NULL, NULL), 204);
    assert_problem(http_send("DELETE", lab.admin, "/faults/1/", NULL, NULL), 404, NULL,
                   "there is no fault 1");
    assert_problem(http_send("DELETE", lab.admin, "/faults/x/", NULL, NULL), 404, NULL,
                   "there is no fault x");
    assert_count("/faults/", "faults", 2);
    assert_empty(http_send("DELETE", lab.admin, "/faults/", NULL, NULL), 204);
    assert_answer(http_get(lab.admin, "/faults/"), 200, "{\"faults\": []}");
}
END_TEST

static const struct {
    const char *body;
    const char *field; // NULL: in no single one
    const char *detail;
} wrong_faults[] = {
    {"{}", "effect", "effect: missing"},
    {"[]x", NULL, "not JSON"},
    {"\"close\"", NULL, "expected an object, not a string"},
    {"[[]]", "faults[0]", "expected an object, not an array"},
    {"{\"effect\": \"brik\"}", "effect", "did you mean brick?"},
    {"{\"effect\": 1}", "effect", "expected a string, not a number"},
    {"{\"effect\": \"close\", \"on\": \"reload\"}", "on", "is none of login, get_version"},
    {"{\"effect\": \"brick\", \"on\": \"login\"}", "on",
     "brick makes no sense on login, only on install_os_version or any"},
    {"{\"effect\": \"refuse\", \"on\": \"logout\"}", "on", "only on login or any"},
    {"{\"effect\": \"close\", \"probabilty\": 1}", "probabilty", "did you mean probability?"},
    {"{\"effect\": \"close\", \"by\": \"1s\"}", "by", "belongs to the effect delay, not to close"},
    {"{\"effect\": \"delay\"}", "by", "missing"},
    {"{\"effect\": \"delay\", \"by\": \"soon\"}", "by", "'soon'"},
    {"{\"effect\": \"reboot\", \"downtime\": 5}", "downtime", "expected a string"},
    {"{\"effect\": \"slow\", \"bytes_per_second\": 0}", "bytes_per_second", "from 1 to 1000000000"},
    {"{\"effect\": \"error\", \"code\": 1.5}", "code", "expected a whole number"},
    {"{\"effect\": \"error\", \"message\": 1}", "message", "expected a string"},
    {"{\"effect\": \"close\", \"probability\": 2}", "probability", "from 0 to 1, not 2"},
    {"{\"effect\": \"close\", \"after\": -1}", "after", "expected a whole number"},
    {"{\"effect\": \"close\", \"times\": 1.5}", "times", "expected a whole number"},
    {"{\"effect\": \"close\", \"match\": \"leaf00.earth\"}", "match", "expected an object"},
    {"{\"effect\": \"close\", \"match\": {\"hots\": \"x\"}}", "match.hots", "did you mean host?"},
    {"[{\"effect\": \"close\"}, {\"effect\": \"close\", \"match\": {\"site\": [\"earth\", 1]}}]",
     "faults[1].match.site[1]", "expected a string, not a number"},
    {"{\"effect\": \"close\", \"effect\": \"reset\"}", NULL, "effect: given twice"},
};

START_TEST(a_wrong_fault_is_refused_by_its_field_and_none_is_added) {
    assert_problem(http_post(lab.admin, "/faults/", wrong_faults[_i].body), 400,
                   wrong_faults[_i].field, wrong_faults[_i].detail);
    assert_count("/faults/", "faults", 0);
}
END_TEST

START_TEST(a_body_must_say_that_it_is_json) {
    assert_problem(http_send("POST", lab.admin, "/faults/", ARGS("Content-Type: text/plain"),
                             "{\"effect\": \"close\"}"),
                   415, NULL, "application/json");
    assert_count("/faults/", "faults", 0);
}
END_TEST

// --- reset and audit

static char *all_devices(void) {
    struct answer a = http_get(lab.admin, "/devices/");
    ck_assert_int_eq(a.status, 200);
    free(a.headers);
    return a.body;
}

START_TEST(a_reset_makes_everything_as_it_was_born) {
    char *born = all_devices(), *text;
    add_faults(&lab, "{\"on\": \"install_os_version\", \"effect\": \"delay\", \"by\": \"1h\"}");
    int installing = log_in_to("leaf00.earth"), idle = log_in_to("spine00.mars");
    install(installing, "9.9.9");
    await_event(lab.admin, "install_os_version", "begun", 1);
    cJSON *device = get_json(lab.admin, "/devices/leaf00.earth/");
    ck_assert_str_eq(cJSON_GetObjectItem(device, "state")->valuestring, "installing");
    cJSON_Delete(device);

    assert_empty(http_send("POST", lab.admin, "/reset/", NULL, NULL), 204);
    ck_assert_int_eq(read_rest(installing, &text), ECONNRESET);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_int_eq(read_rest(idle, &text), ECONNRESET);
    free(text);
    close(installing);
    close(idle);
    assert_count("/faults/", "faults", 0);
    text = all_devices();
    ck_assert_str_eq(text, born);
    free(text);

    assert_empty(http_post(lab.admin, "/reset/", "{\"seed\": 2}"), 204);
    char *other = all_devices();
    ck_assert_str_ne(other, born);
    assert_empty(http_post(lab.admin, "/reset/", "{}"), 204); // the seed stays
    text = all_devices();
    ck_assert_str_eq(text, other);
    free(text);
    assert_empty(http_post(lab.admin, "/reset/", "{\"seed\": 1}"), 204);
    text = all_devices();
    ck_assert_str_eq(text, born);
    free(text);
    free(other);
    free(born);
}
END_TEST

START_TEST(a_reset_refuses_what_it_does_not_understand) {
    assert_problem(http_post(lab.admin, "/reset/", "{\"sead\": 1}"), 400, "sead",
                   "did you mean seed?");
    assert_problem(http_post(lab.admin, "/reset/", "{\"seed\": \"x\"}"), 400, "seed",
                   "expected a whole number, not a string");
    assert_problem(http_post(lab.admin, "/reset/", "{\"seed\": -1}"), 400, "seed", "-1");
    assert_problem(http_post(lab.admin, "/reset/", "[]"), 400, NULL, "expected an object");
}
END_TEST

START_TEST(the_audit_names_an_install_beside_a_peer_that_is_down) {
    add_faults(&lab, "{\"match\": {\"host\": \"leaf62.earth\"}, \"effect\": \"brick\"}");
    int down = log_in_to("leaf62.earth"), peer = log_in_to("leaf63.earth");
    install(down, "5.5.5");
    char *text;
    ck_assert_int_eq(read_rest(down, &text), ECONNRESET);
    free(text);
    install(peer, "5.5.5");
    free(read_line(peer));
    send_text(peer, "{\"jsonrpc\": \"2.0\", \"id\": 9, \"method\": \"get_version\"}\n");
    free(read_line(peer)); // which ends the install, and with it the violation
    cJSON *audit = get_json(lab.admin, "/audit/");
    ck_assert_double_eq(cJSON_GetObjectItem(audit, "max_in_flight")->valuedouble, 2);
    const cJSON *violations = cJSON_GetObjectItem(audit, "violations");
    ck_assert_int_eq(cJSON_GetArraySize(violations), 1);
    const cJSON *violation = violations->child;
    ck_assert_str_eq(cJSON_GetObjectItem(violation, "kind")->valuestring, "peer_down");
    ck_assert_str_eq(cJSON_GetObjectItem(violation, "group")->valuestring, "earth_leaf_131");
    char *hosts = cJSON_PrintUnformatted(cJSON_GetObjectItem(violation, "hosts"));
    ck_assert_ptr_nonnull(strstr(hosts, "leaf62.earth"));
    ck_assert_ptr_nonnull(strstr(hosts, "leaf63.earth"));
    free(hosts);
    ck_assert(cJSON_IsNumber(cJSON_GetObjectItem(violation, "started_ms")));
    ck_assert(cJSON_IsNumber(cJSON_GetObjectItem(violation, "ended_ms")));
    ck_assert_int_ge(cJSON_GetArraySize(cJSON_GetObjectItem(violation, "connections")), 1);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(audit, "groups")), 416);
    cJSON *shorter = get_json(lab.admin, "/audit/?violations"); // the same without the groups
    cJSON_DeleteItemFromObject(audit, "groups");
    ck_assert(cJSON_Compare(audit, shorter, 1));
    cJSON_Delete(shorter);
    cJSON_Delete(audit);
    close(down);
    close(peer);
}
END_TEST

static const struct {
    const char *method, *path, *field, *detail;
} wrong_queries[] = {
    {"GET", "/devices/?filter_site=earth", "filter_site", "did you mean filter_sites"},
    {"GET", "/inventory/?filter_sites=earth&filter_sites=mars", "filter_sites", "given twice"},
    {"GET", "/inventory/?filter_sites=earth%00,mars", "filter_sites", "a NUL (%00)"},
    {"GET", "/events/?after=0&limit=5", "limit", "known are after, wait"},
    {"DELETE", "/faults/?id=1", "id", "/faults/ takes no query parameter, not id"},
    {"POST", "/reset/?seed=5", "seed", "/reset/ takes no query parameter, not seed"},
    {"GET", "/devices/%00x/", NULL, "the path has a NUL (%00)"},
};

START_TEST(a_query_that_is_not_understood_touches_nothing) {
    add_faults(&lab, "{\"effect\": \"error\", \"on\": \"logout\"}");
    int down = log_in_to("leaf62.earth");
    for (size_t i = 0; i < COUNT(wrong_queries); i++)
        assert_problem(
            http_send(wrong_queries[i].method, lab.admin, wrong_queries[i].path, NULL, NULL), 400,
            wrong_queries[i].field, wrong_queries[i].detail);
    cJSON *faults = get_json(lab.admin, "/faults/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(faults, "faults")), 1);
    cJSON_Delete(faults);
    cJSON *device = get_json(lab.admin, "/devices/leaf62.earth/"); // as it was: no reset
    ck_assert_double_eq(cJSON_GetObjectItem(device, "logins")->valuedouble, 1);
    cJSON_Delete(device);
    struct answer alive = http_get(lab.admin, "/livez?probe=1"); // whose callers add their own
    ck_assert_int_eq(alive.status, 200);
    answer_free(&alive);
    close(down);
}
END_TEST

#define POST_RESET                                                                                 \
    "POST /reset/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"                       \
    "Content-Length: 2\r\n\r\n{}"

// Each hides a request in what one reader takes for a body, or leaves its end in doubt.
static const struct {
    const char *bytes, *detail;
} smuggled[] = {
    {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 90\r\n\r\n" POST_RESET,
     "several Content-Length"},
    {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n" POST_RESET,
     "both Content-Length and Transfer-Encoding"},
    {"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" POST_RESET, "several Host"},
    {"GET /livez HTTP/1.1\r\n\r\n" POST_RESET, "no Host"},
};

START_TEST(a_request_whose_end_is_in_doubt_is_refused_with_all_that_follows) {
    int device = log_in_to("leaf62.earth");
    int fd = dial(strstr(lab.admin, "//") + 2);
    char *text;
    send_text(fd, smuggled[_i].bytes);
    read_rest(fd, &text);
    ck_assert_msg(strncmp(text, "HTTP/1.1 400 ", 13) == 0, "%s", text);
    ck_assert_msg(strstr(text, smuggled[_i].detail) != NULL, "%s", text);
    ck_assert_msg(strstr(text + 1, "HTTP/1.1 ") == NULL, "answered twice: %s", text);
    free(text);
    close(fd);
    cJSON *told = get_json(lab.admin, "/devices/leaf62.earth/"); // as it was: no reset
    ck_assert_double_eq(cJSON_GetObjectItem(told, "logins")->valuedouble, 1);
    cJSON_Delete(told);
    close(device);
}
END_TEST

// --- events

START_TEST(events_tell_what_happened_in_order) {
    add_faults(&lab, "{\"on\": \"install_os_version\", \"effect\": \"error\"}");
    int fd = log_in_to("leaf00.earth");
    install(fd, "5.3.1");
    free(read_line(fd));
    close(fd);
    static const char *const expected[][2] = {{"login", "begun"},
                                              {"login", "answered"},
                                              {"install_os_version", "begun"},
                                              {"install_os_version", "failed"}};
    cJSON *events = get_json(lab.admin, "/events/");
    ck_assert_int_eq(cJSON_GetArraySize(events), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *event = cJSON_GetArrayItem(events, i);
        ck_assert_int_eq(cJSON_GetArraySize(event), 5);
        ck_assert_double_eq(cJSON_GetObjectItem(event, "n")->valuedouble, i + 1);
        ck_assert(cJSON_IsNumber(cJSON_GetObjectItem(event, "ms")));
        ck_assert_str_eq(cJSON_GetObjectItem(event, "host")->valuestring, "leaf00.earth");
        ck_assert_str_eq(cJSON_GetObjectItem(event, "operation")->valuestring, expected[i][0]);
        ck_assert_str_eq(cJSON_GetObjectItem(event, "phase")->valuestring, expected[i][1]);
    }
    cJSON_Delete(events);
    events = get_json(lab.admin, "/events/?after=3");
    ck_assert_int_eq(cJSON_GetArraySize(events), 1);
    cJSON_Delete(events);
    assert_answer(http_get(lab.admin, "/events/?after=4"), 200, "[]");
    assert_answer(http_get(lab.admin, "/events/?after=4&wait=10ms"), 200, "[]");
    events = get_json(lab.admin, "/events/?after=2&wait=1h"); // there is something to tell
    ck_assert_int_eq(cJSON_GetArraySize(events), 2);
    cJSON_Delete(events);
    assert_problem(http_get(lab.admin, "/events/?after=x"), 400, "after", "number of an event");
    assert_problem(http_get(lab.admin, "/events/?wait=soon"), 400, "wait", "'soon'");
}
END_TEST

// A long poll that has reached the simulator: what is asked after it is answered.
static int poll_events(const char *query) {
    char request[256];
    int fd = dial(strstr(lab.admin, "//") + 2);
    snprintf(request, sizeof request,
             "GET /events/?%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", query);
    send_text(fd, request);
    for (int i = 0; i < 2; i++) {
        struct answer a = http_get(lab.admin, "/livez");
        ck_assert_int_eq(a.status, 200);
        answer_free(&a);
    }
    return fd;
}

static cJSON *polled(int fd) {
    char *text;
    ck_assert_int_eq(read_rest(fd, &text), 0);
    close(fd);
    ck_assert_ptr_eq(strstr(text, "HTTP/1.1 200 "), text);
    const char *body = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    cJSON *events = cJSON_Parse(body + 4);
    ck_assert_msg(cJSON_IsArray(events), "%s", text);
    free(text);
    return events;
}

START_TEST(a_long_poll_is_answered_when_something_happens) {
    int polls[5];
    for (int i = 0; i < 5; i++)
        polls[i] = poll_events(i == 4 ? "after=1&wait=60s" : "wait=60s");
    close(log_in_to("leaf00.earth"));
    for (int i = 0; i < 5; i++) {
        cJSON *events = polled(polls[i]);
        ck_assert_int_ge(cJSON_GetArraySize(events), 1);
        ck_assert_double_eq(cJSON_GetObjectItem(events->child, "n")->valuedouble, i == 4 ? 2 : 1);
        cJSON_Delete(events);
    }
}
END_TEST

START_TEST(long_polls_are_answered_at_the_end_of_the_simulator) {
    struct lab other = bare_start(ARGS("--latency", "0")), mine = lab;
    lab = other;
    int first = poll_events("wait=60s"), second = poll_events("after=7&wait=60s");
    lab = mine;
    bare_stop(&other);
    for (int i = 0; i < 2; i++) {
        cJSON *events = polled(i == 0 ? first : second);
        ck_assert_int_eq(cJSON_GetArraySize(events), 0);
        cJSON_Delete(events);
    }
}
END_TEST

START_TEST(a_client_that_leaves_its_long_poll_harms_nothing) {
    close(poll_events("wait=100ms"));
    assert_answer(http_get(lab.admin, "/events/?wait=200ms"), 200, "[]");
    close(poll_events("wait=60s")); // and one is left open over the end
}
END_TEST

// --- how fast time goes by

START_TEST(time_goes_by_as_fast_as_is_asked_for) {
    struct lab other = bare_start(ARGS("--latency", "20h", "--time-scale", "0.5")), mine = lab;
    assert_answer(http_get(other.admin, "/time-scale/"), 200, "{\"time_scale\": 0.5}");
    assert_answer(http_post(other.admin, "/time-scale/", "{\"time_scale\": 0.1}"), 200,
                  "{\"time_scale\": 0.1}");
    assert_answer(http_post(other.admin, "/time-scale/", "{\"time_scale\": 0}"), 200,
                  "{\"time_scale\": 0}");
    lab = other;
    close(log_in_to("leaf00.earth")); // at once, not after ten hours
    struct answer reset = http_send("POST", other.admin, "/reset/", NULL, NULL);
    ck_assert_int_eq(reset.status, 204);
    answer_free(&reset);
    assert_answer(http_get(other.admin, "/time-scale/"), 200, "{\"time_scale\": 0}");
    lab = mine;
    bare_stop(&other);
}
END_TEST

static const struct {
    const char *body, *field, *detail;
} bad_scales[] = {
    {"{\"time_scale\": -1}", "time_scale", "from 0 to 1000"},
    {"{\"time_scale\": 1000.5}", "time_scale", "from 0 to 1000"},
    {"{\"time_scale\": \"1\"}", "time_scale", "expected a number"},
    {"{}", "time_scale", "missing"},
    {"{\"timescale\": 1}", "timescale", "did you mean time_scale?"},
    {"[1]", NULL, "expected an object"},
};

START_TEST(a_time_scale_that_is_none_changes_nothing) {
    assert_problem(http_post(lab.admin, "/time-scale/", bad_scales[_i].body), 400,
                   bad_scales[_i].field, bad_scales[_i].detail);
    assert_answer(http_get(lab.admin, "/time-scale/"), 200, "{\"time_scale\": 1}");
}
END_TEST

// --- the rest

static void assert_series(const char *body, const char *line) {
    ck_assert_msg(strstr(body, line) != NULL, "not in the metrics: %s", line);
}

START_TEST(the_metrics_count_calls_faults_and_devices) {
    add_faults(&lab, "{\"match\": {\"host\": \"leaf00.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"brick\"}");
    int fd = log_in_to("leaf00.earth"), idle = log_in_to("leaf02.earth");
    install(fd, "5.3.1");
    char *text;
    read_rest(fd, &text);
    free(text);
    close(fd);
    struct answer a = http_get(lab.admin, "/metrics/");
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_series(a.body, "\nsimulator_logins_total 2.0\n");
    assert_series(a.body, "\nsimulator_devices{state=\"down\"} 1.0\n");
    assert_series(a.body, "\nsimulator_devices{state=\"up\"} 847.0\n");
    assert_series(a.body, "\nsimulator_faults_fired_total{effect=\"brick\"} 1.0\n");
    assert_series(a.body, "\nsimulator_requests_total{operation=\"install_os_version\","
                          "outcome=\"lost\"} 1.0\n");
    assert_series(a.body, "\nsimulator_violations_total{kind=\"group_overlap\"} 0.0\n");
    assert_series(a.body, "\nsimulator_logged_in 1.0\n");
    assert_series(a.body, "\nsimulator_faults 1.0\n");
    answer_free(&a);
    a = http_send("GET", lab.admin, "/metrics/",
                  ARGS("Accept: application/openmetrics-text;version=1.0.0"), NULL);
    ck_assert_str_eq(a.body + strlen(a.body) - 6, "# EOF\n");
    answer_free(&a);
    close(idle);
}
END_TEST

static double metric(const char *selector) {
    double value;
    struct answer a = http_get(lab.admin, "/metrics/");
    ck_assert_int_eq(a.status, 200);
    ck_assert_msg(scrape_sum(a.body, selector, &value), "no %s", selector);
    answer_free(&a);
    return value;
}

START_TEST(a_connection_that_its_client_keeps_after_the_logout_is_counted) {
    int kept = log_in_to("leaf00.earth"), closed = log_in_to("leaf02.earth");
    char *text;
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? kept : closed;
        send_text(fd, "{\"jsonrpc\": \"2.0\", \"id\": 9, \"method\": \"logout\"}\n");
        read_rest(fd, &text); // it has said all; whether it is closed is the client's to say
        free(text);
        if (fd == closed) close(fd);
    }
    while (metric("simulator_connections") > 0) { // it waits for its client, in vain
        struct answer a = http_get(lab.admin, "/events/?after=1000&wait=100ms");
        answer_free(&a);
    }
    ck_assert_double_eq(metric("simulator_connections_kept_total"), 1);
    close(kept);
}
END_TEST

START_TEST(what_calls_were_made_to_take_is_added_up) {
    struct lab other = bare_start(ARGS("--latency", "10s", "--time-scale", "0.001"));
    struct lab mine = lab;
    lab = other;
    add_faults(&lab, "{\"on\": \"get_version\", \"effect\": \"delay\", \"by\": \"20s\"}");
    ck_assert_double_eq(metric("simulator_delay_seconds_total"), 0);
    int fd = log_in_to("leaf00.earth");
    ck_assert_double_eq(metric("simulator_delay_seconds_total"), 0.01);
    send_text(fd, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"get_version\"}\n");
    free(read_line(fd));
    ck_assert_double_eq(metric("simulator_delay_seconds_total"), 0.04);
    close(fd);
    lab = mine;
    bare_stop(&other);
}
END_TEST

START_TEST(probes_say_ok) {
    static const char *const paths[] = {"/livez", "/readyz"};
    for (size_t i = 0; i < 2; i++) {
        struct answer a = http_get(lab.admin, paths[i]);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(a.body, "ok\n");
        answer_free(&a);
    }
}
END_TEST

static const char *const gets[] = {"/inventory/", "/devices/", "/devices/leaf00.earth/",
                                   "/faults/",    "/audit/",   "/events/",
                                   "/metrics/",   "/livez",    "/readyz"};

START_TEST(head_works_where_get_does) {
    for (size_t i = 0; i < COUNT(gets); i++) {
        struct answer get = http_get(lab.admin, gets[i]);
        struct answer head = http_send("HEAD", lab.admin, gets[i], NULL, NULL);
        ck_assert_int_eq(get.status, 200);
        ck_assert_int_eq(head.status, 200);
        ck_assert_str_eq(head.body, "");
        char type[128];
        snprintf(type, sizeof type, "%s", answer_header(&get, "Content-Type"));
        ck_assert_str_eq(answer_header(&head, "Content-Type"), type);
        answer_free(&get);
        answer_free(&head);
    }
}
END_TEST

static const struct {
    const char *method, *path, *location;
} redirects[] = {
    {"GET", "/devices", "/devices/"},
    {"GET", "/inventory?filter_sites=earth", "/inventory/?filter_sites=earth"},
    {"GET", "/devices/leaf00.earth", "/devices/leaf00.earth/"},
    {"POST", "/faults", "/faults/"},
    {"DELETE", "/faults/1", "/faults/1/"},
};

START_TEST(a_path_without_its_slash_is_sent_to_the_one_with_it) {
    for (size_t i = 0; i < COUNT(redirects); i++) {
        struct answer a = http_send(redirects[i].method, lab.admin, redirects[i].path, NULL, NULL);
        ck_assert_int_eq(a.status, 308);
        ck_assert_str_eq(answer_header(&a, "Location"), redirects[i].location);
        answer_free(&a);
    }
}
END_TEST

static const struct {
    const char *method, *path, *allow;
} wrong_methods[] = {
    {"PUT", "/faults/", "GET, HEAD, POST, DELETE, OPTIONS"},
    {"GET", "/faults/1/", "DELETE, OPTIONS"},
    {"GET", "/reset/", "POST, OPTIONS"},
    {"POST", "/inventory/", "GET, HEAD, OPTIONS"},
    {"DELETE", "/devices/leaf00.earth/", "GET, HEAD, OPTIONS"},
    {"POST", "/livez", "GET, HEAD, OPTIONS"},
};

START_TEST(a_wrong_method_is_told_the_right_ones) {
    for (size_t i = 0; i < COUNT(wrong_methods); i++) {
        struct answer a =
            http_send(wrong_methods[i].method, lab.admin, wrong_methods[i].path, NULL, NULL);
        ck_assert_str_eq(answer_header(&a, "Allow"), wrong_methods[i].allow);
        assert_problem(a, 405, NULL, wrong_methods[i].allow);
    }
    assert_problem(http_get(lab.admin, "/devises/"), 404, NULL, "did you mean /devices/?");
}
END_TEST

START_TEST(no_page_of_another_origin_changes_anything) {
    const char *const *evil = ARGS("Content-Type: application/json", "Origin: http://evil.example");
    add_faults(&lab, "{\"effect\": \"close\"}");
    static const struct {
        const char *method, *path, *body;
    } changes[] = {{"POST", "/faults/", "{\"effect\": \"brick\"}"},
                   {"DELETE", "/faults/", NULL},
                   {"DELETE", "/faults/1/", NULL},
                   {"POST", "/reset/", "{}"}};
    for (size_t i = 0; i < COUNT(changes); i++)
        assert_problem(
            http_send(changes[i].method, lab.admin, changes[i].path, evil, changes[i].body), 403,
            NULL, "http://evil.example");
    assert_count("/faults/", "faults", 1);
    struct answer a = http_send("GET", lab.admin, "/faults/", evil, NULL); // it may look
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_nonnull(answer_header(&a, "Access-Control-Allow-Origin"));
    answer_free(&a);
    a = http_send("POST", lab.admin, "/faults/",
                  ARGS("Content-Type: application/json", "Origin: http://localhost:3000"),
                  "{\"effect\": \"close\"}");
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(answer_header(&a, "Access-Control-Allow-Origin"), "http://localhost:3000");
    answer_free(&a);
}
END_TEST

Suite *check_admin(void) {
    Suite *suite = suite_create("admin");
    TCase *tc = tcase_create("admin");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_test(tc, the_inventory_is_acmes_and_can_be_filtered);
    tcase_add_test(tc, a_name_that_the_network_does_not_have_is_refused_with_those_that_it_has);
    tcase_add_test(tc, devices_tell_what_was_done_to_them);
    tcase_add_test(tc, faults_are_added_told_and_taken_away);
    tcase_add_loop_test(tc, a_wrong_fault_is_refused_by_its_field_and_none_is_added, 0,
                        COUNT(wrong_faults));
    tcase_add_test(tc, a_body_must_say_that_it_is_json);
    tcase_add_test(tc, a_reset_makes_everything_as_it_was_born);
    tcase_add_test(tc, a_reset_refuses_what_it_does_not_understand);
    tcase_add_loop_test(tc, a_request_whose_end_is_in_doubt_is_refused_with_all_that_follows, 0,
                        (int)COUNT(smuggled));
    tcase_add_test(tc, a_query_that_is_not_understood_touches_nothing);
    tcase_add_test(tc, the_audit_names_an_install_beside_a_peer_that_is_down);
    tcase_add_test(tc, events_tell_what_happened_in_order);
    tcase_add_test(tc, a_long_poll_is_answered_when_something_happens);
    tcase_add_test(tc, long_polls_are_answered_at_the_end_of_the_simulator);
    tcase_add_test(tc, a_client_that_leaves_its_long_poll_harms_nothing);
    tcase_add_test(tc, time_goes_by_as_fast_as_is_asked_for);
    tcase_add_loop_test(tc, a_time_scale_that_is_none_changes_nothing, 0,
                        sizeof bad_scales / sizeof *bad_scales);
    tcase_add_test(tc, the_metrics_count_calls_faults_and_devices);
    tcase_add_test(tc, a_connection_that_its_client_keeps_after_the_logout_is_counted);
    tcase_add_test(tc, what_calls_were_made_to_take_is_added_up);
    tcase_add_test(tc, probes_say_ok);
    tcase_add_test(tc, head_works_where_get_does);
    tcase_add_test(tc, a_path_without_its_slash_is_sent_to_the_one_with_it);
    tcase_add_test(tc, a_wrong_method_is_told_the_right_ones);
    tcase_add_test(tc, no_page_of_another_origin_changes_anything);
    suite_add_tcase(suite, tc);
    return suite;
}
