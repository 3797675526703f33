// The inventory, from servers that are slow, rude or without end: the test is the server.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_fetch(void);

struct source {
    int listener;
    char url[64];
};

static struct source source_start(void) {
    struct source s = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    ck_assert_int_eq(bind(s.listener, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(s.listener, 64), 0);
    ck_assert_int_eq(getsockname(s.listener, (struct sockaddr *)&at, &len), 0);
    snprintf(s.url, sizeof s.url, "http://127.0.0.1:%u/hosts", ntohs(at.sin_port));
    return s;
}

// The next request, read to its blank line; its connection.
static int take_request(const struct source *s, char method[8]) {
    char text[2048] = "";
    size_t len = 0;
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    while (strstr(text, "\r\n\r\n") == NULL) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        ck_assert_int_gt((int)n, 0);
        len += (size_t)n;
        text[len] = '\0';
    }
    ck_assert_int_eq(sscanf(text, "%7s", method), 1);
    return fd;
}

static bool has_request(const struct source *s) {
    struct pollfd p = {.fd = s->listener, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void answer_with(int fd, const char *body) {
    char text[1024];
    snprintf(text, sizeof text,
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(body),
             body);
    send_text(fd, text);
    close(fd);
}

static struct program orchestrator_of(const char *inventory) {
    return program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                              "--log", "/dev/null"));
}

// Sends a request and does not wait; its connection.
static int begin(const char *api, const char *request) {
    int fd = dial(api + strlen("http://"));
    send_text(fd, request);
    return fd;
}

static int begin_post(const char *api) {
    return begin(api, "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
                      "{\"version\": \"5.3.1\"}");
}

static int begin_probe(const char *api) {
    return begin(api, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

static void expect(int fd, const char *status, const char *part) {
    char *text;
    ck_assert_int_eq(read_rest(fd, &text), 0);
    ck_assert_msg(strncmp(text, "HTTP/1.1 ", 9) == 0 && strncmp(text + 9, status, 3) == 0 &&
                      strstr(text, part) != NULL,
                  "not %s with %s: %s", status, part, text);
    free(text);
    close(fd);
}

// What was sent before, over other connections, has been read.
static void barrier(const char *api) {
    struct answer a = http_get(api, "/livez");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
}

#define NO_HOSTS "{\"earth\": {}}"
#define NOTHING  "{\"failed\": [], \"skipped\": [], \"completed\": []}"

START_TEST(a_server_without_head_is_ready) {
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    char method[8];
    int client = begin_probe(p.url), server = take_request(&s, method);
    ck_assert_str_eq(method, "GET");
    send_text(server, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"); // and no more of it
    expect(client, "200", "ok");
    close(server);
    close(s.listener);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

START_TEST(probes_at_the_same_time_are_one) {
    enum { PROBES = 8 };
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    char method[8];
    int clients[PROBES];
    clients[0] = begin_probe(p.url);
    int server = take_request(&s, method);
    for (int i = 1; i < PROBES; i++)
        clients[i] = begin_probe(p.url);
    barrier(p.url);
    ck_assert(!has_request(&s));
    answer_with(server, NO_HOSTS);
    for (int i = 0; i < PROBES; i++)
        expect(clients[i], "200", "ok");
    ck_assert(!has_request(&s));
    close(s.listener);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// Two are under way, which those that come later may not share; all of these share the third.
START_TEST(jobs_at_the_same_time_share_an_inventory_that_is_not_older_than_they_are) {
    enum { JOBS = 8, UNDER_WAY = 2 };
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    char method[8];
    int clients[JOBS], servers[UNDER_WAY];
    for (int i = 0; i < UNDER_WAY; i++) {
        clients[i] = begin_post(p.url);
        servers[i] = take_request(&s, method);
    }
    for (int i = UNDER_WAY; i < JOBS; i++)
        clients[i] = begin_post(p.url);
    barrier(p.url);
    ck_assert(!has_request(&s));
    answer_with(servers[0], "{\"old\": 1}");
    expect(clients[0], "502", "old: expected an object");
    answer_with(take_request(&s, method), NO_HOSTS);
    for (int i = UNDER_WAY; i < JOBS; i++)
        expect(clients[i], "200", NOTHING);
    ck_assert(!has_request(&s));
    answer_with(servers[1], NO_HOSTS);
    expect(clients[1], "200", NOTHING);
    close(s.listener);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

START_TEST(fetches_that_hang_keep_no_name_from_being_looked_up) {
    enum { JOBS = 18 }; // more than libuv's pool has threads
    struct source s = source_start();
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--inventory", s.url));
    char method[8], hosts[512];
    int clients[JOBS];
    clients[0] = begin_post(lab.api);
    int server = take_request(&s, method);
    for (int i = 1; i < JOBS; i++)
        clients[i] = begin_post(lab.api);
    barrier(lab.api);
    snprintf(hosts, sizeof hosts,
             "{\"earth\": {\"edge00.earth\": {\"platform\": \"acmeos\", \"dev_type\": \"edge\", "
             "\"rack\": \"10\", \"hostname\": \"localhost\", \"port\": %s}}}",
             strrchr(lab.devices, ':') + 1);
    answer_with(server, hosts);
    expect(clients[0], "200", "\"completed\": [\"edge00.earth\"]");
    lab_stop(&lab);
    for (int i = 1; i < JOBS; i++)
        expect(clients[i], "503", "shutting down");
    close(s.listener);
}
END_TEST

START_TEST(sigterm_abandons_a_fetch_at_once) {
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    char method[8];
    int client = begin_post(p.url), server = take_request(&s, method);
    int prober = begin_probe(p.url), probed = take_request(&s, method);
    program_signal(&p, SIGTERM);
    expect(client, "503", "the orchestrator is shutting down");
    expect(prober, "503", "the reading was abandoned");
    ck_assert_int_eq(program_wait(&p), 0);
    close(server);
    close(probed);
    close(s.listener);
}
END_TEST

// For its clients, that have left, nobody waits: not for the 60 s that a fetch may take.
START_TEST(a_fetch_ends_when_its_client_has_left) {
    enum { PATIENCE_MS = 30 * 1000 };
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    struct linger reset = {.l_onoff = 1};
    char method[8], byte;
    int client = begin_post(p.url), server = take_request(&s, method);
    if (_i == 1)
        ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(client);
    struct pollfd ended = {.fd = server, .events = POLLIN};
    ck_assert_int_eq(poll(&ended, 1, PATIENCE_MS), 1);
    ck_assert_int_eq((int)read(server, &byte, 1), 0);
    close(server);
    client = begin_post(p.url); // others are served as before
    answer_with(take_request(&s, method), NO_HOSTS);
    expect(client, "200", NOTHING);
    close(s.listener);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static struct program orchestrator_over(const char *inventory, const char *state) {
    return program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                              "--log", "/dev/null", "--state", state));
}

static int begin_control(const char *api, const char *id, const char *control) {
    char request[256];
    snprintf(request, sizeof request,
             "POST /jobs/%s/%s/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Length: 0\r\n\r\n",
             id, control);
    return begin(api, request);
}

static void kill_program(const struct program *p) {
    program_signal(p, SIGKILL);
    ck_assert_int_eq(waitpid(p->pid, NULL, 0), p->pid);
}

static void remove_store(const char *dir, const char *state) {
    static const char *const parts[] = {"", "-wal", "-shm"};
    char path[128];
    for (size_t i = 0; i < COUNT(parts); i++) {
        snprintf(path, sizeof path, "%s%s", state, parts[i]);
        unlink(path);
    }
    rmdir(dir);
}

// A job of one device, which never answers.
static void begin_job(const struct program *p, const struct source *s, const char *hosts,
                      char id[64]) {
    char method[8], *text;
    int client = begin(p->url, "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: "
                               "close\r\nContent-Type: application/json\r\nPrefer: "
                               "respond-async\r\nContent-Length: 20\r\n\r\n"
                               "{\"version\": \"5.3.1\"}");
    answer_with(take_request(s, method), hosts);
    ck_assert_int_eq(read_rest(client, &text), 0);
    const char *location = strstr(text, "Location: /jobs/");
    ck_assert_msg(location != NULL, "%s", text);
    ck_assert_int_eq(sscanf(location, "Location: /jobs/%63[^/]", id), 1);
    free(text);
    close(client);
}

static const struct {
    const char *control, *status, *part; // once the inventory is there
} controls[] = {
    {"cancel", "202", "\"state\": \"cancelling\""},
    {"pause", "202", "\"state\": \"paused\""},
    {"resume", "409", "the job is running, not paused"},
};

// After a kill nobody drives the job until it has been looked up in an inventory that is slow.
START_TEST(what_changes_a_job_waits_until_the_job_is_taken_up) {
    struct source s = source_start(), device = source_start();
    char dir[] = "/tmp/e2e-state-XXXXXX", state[64], hosts[256], id[64], method[8];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(state, sizeof state, "%s/jobs.db", dir);
    snprintf(hosts, sizeof hosts,
             "{\"earth\": {\"edge00.earth\": {\"platform\": \"acmeos\", \"dev_type\": \"edge\", "
             "\"rack\": \"10\", \"hostname\": \"127.0.0.1\", \"port\": %u}}}",
             (unsigned)atoi(strrchr(device.url, ':') + 1));
    struct program p = orchestrator_over(s.url, state);
    begin_job(&p, &s, hosts, id);
    kill_program(&p);
    p = orchestrator_over(s.url, state);
    int server = take_request(&s, method);
    int client = begin_control(p.url, id, controls[_i / 2].control);
    barrier(p.url);
    if (_i % 2 == 0) {
        answer_with(server, hosts);
        expect(client, controls[_i / 2].status, controls[_i / 2].part);
        kill_program(&p); // it would wait for the device
    } else {
        program_signal(&p, SIGTERM);
        expect(client, "503", "the orchestrator is shutting down");
        ck_assert_int_eq(program_wait(&p), 0);
        close(server);
    }
    close(s.listener);
    close(device.listener);
    remove_store(dir, state);
}
END_TEST

START_TEST(an_inventory_without_end_is_refused) {
    static char piece[1 << 16];
    struct source s = source_start();
    struct program p = orchestrator_of(s.url);
    char method[8];
    int client = begin_post(p.url), server = take_request(&s, method);
    send_text(server, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    memset(piece, ' ', sizeof piece);
    while (send(server, piece, sizeof piece, MSG_NOSIGNAL) > 0)
        ;
    expect(client, "502", "it is larger than 134217728 bytes");
    close(server);
    client = begin_post(p.url);
    server = take_request(&s, method);
    send_text(server, "HTTP/1.1 200 OK\r\nContent-Length: 134217729\r\n\r\n{"); // told beforehand
    expect(client, "502", "it is larger than 134217728 bytes");
    close(server);
    close(s.listener);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

START_TEST(a_pipe_is_no_inventory) {
    char folder[] = "/tmp/e2e-fetch-XXXXXX", fifo[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    struct program p = orchestrator_of(fifo);
    expect(begin_probe(p.url), "503", "fifo: it is a pipe, not a file");
    expect(begin_post(p.url), "502", "fifo: it is a pipe, not a file");
    ck_assert_int_eq(program_stop(&p), 0);
    unlink(fifo);
    rmdir(folder);
}
END_TEST

Suite *check_fetch(void) {
    Suite *suite = suite_create("fetch");
    TCase *tc = tcase_create("fetch");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_server_without_head_is_ready);
    tcase_add_test(tc, probes_at_the_same_time_are_one);
    tcase_add_test(tc, jobs_at_the_same_time_share_an_inventory_that_is_not_older_than_they_are);
    tcase_add_test(tc, fetches_that_hang_keep_no_name_from_being_looked_up);
    tcase_add_test(tc, sigterm_abandons_a_fetch_at_once);
    tcase_add_loop_test(tc, a_fetch_ends_when_its_client_has_left, 0, 2);
    tcase_add_loop_test(tc, what_changes_a_job_waits_until_the_job_is_taken_up, 0,
                        2 * (int)COUNT(controls));
    tcase_add_test(tc, an_inventory_without_end_is_refused);
    tcase_add_test(tc, a_pipe_is_no_inventory);
    return suite;
}
