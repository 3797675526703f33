// HTTP connections that are many, slow, silent or wrong: whoever asks whether the programs live is
// answered all the same. Both programs have the same server: most is tried with both.
#include "common/buf.h"
#include "common/count.h"
#include "common/http.h"
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_connections(void);

enum { PATIENCE_MS = 40 * 1000, POST = 20 }; // POST: bytes of the body

static const char *const programs[] = {"orchestrator", "simulator"};

static void want_descriptors(rlim_t count) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_ge(limit.rlim_max, count);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static struct program start(const char *name) {
    if (strcmp(name, "simulator") == 0)
        return program_start(name, ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0"));
    return program_start(
        name, ARGS("--listen", "127.0.0.1:0", "--inventory", "/dev/null", "--log", "/dev/null"));
}

static int begin(const struct program *p, const char *request) {
    int fd = dial(strstr(p->url, "//") + 2);
    send_text(fd, request);
    return fd;
}

static void expect(int fd, int status, const char *part) {
    char *text, line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    ck_assert_int_eq(read_rest(fd, &text), 0);
    ck_assert_msg(strncmp(text, line, strlen(line)) == 0 && strstr(text, part) != NULL,
                  "not %d with %s: %s", status, part, text);
    free(text);
    close(fd);
}

static void assert_lives(const struct program *p) {
    struct answer a = http_get(p->url, "/livez");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
}

static void await_end(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
    ck_assert_int_le((int)recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

static void close_all(const int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

// --- many

// More connections than there is room for, which say nothing: the new ones are served, the oldest
// ones end.
START_TEST(silent_connections_make_room) {
    enum { COUNT = HTTP_CONNECTIONS_MAX + 50 };
    static int fds[COUNT];
    want_descriptors(COUNT + 50);
    struct program p = start(programs[_i]);
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = dial(strstr(p.url, "//") + 2);
    assert_lives(&p);
    for (size_t i = 0; i < 50; i++)
        await_end(fds[i]);
    send_text(fds[COUNT - 1],
              "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect(fds[COUNT - 1], 200, "ok");
    close_all(fds, COUNT - 1);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// The same where each has had an answer and is kept: those are libmicrohttpd's.
START_TEST(kept_connections_make_room) {
    enum { COUNT = HTTP_CONNECTIONS_MAX + 10 };
    static int fds[COUNT];
    want_descriptors(COUNT + 50);
    struct program p = start(programs[_i]);
    for (size_t i = 0; i < COUNT; i++) {
        fds[i] = begin(&p, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
        char *line = read_line(fds[i]);
        ck_assert_str_eq(line, "HTTP/1.1 200 OK\r");
        free(line);
    }
    assert_lives(&p);
    close_all(fds, COUNT);
    assert_lives(&p);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// A program that gets no turn while connections come and go.
START_TEST(connections_that_came_and_went_meanwhile_are_no_trouble) {
    static int fds[HTTP_CONNECTIONS_MAX];
    want_descriptors(HTTP_CONNECTIONS_MAX + 50);
    struct program p = start(programs[_i]);
    program_signal(&p, SIGSTOP);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        fds[i] = begin(&p, i % 2 == 0 ? "" : "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    close_all(fds, HTTP_CONNECTIONS_MAX);
    program_signal(&p, SIGCONT);
    assert_lives(&p);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static size_t open_files(pid_t pid) {
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; // "." and ".."
}

// A program without a descriptor to spare ends silent connections, and answers.
START_TEST(without_descriptors_silent_connections_make_room) {
    enum { ROOM = 8, COUNT = 4 * ROOM };
    int fds[COUNT];
    struct program p = start(programs[_i]);
    assert_lives(&p);
    size_t limit = open_files(p.pid) + ROOM; // the connection just answered may be among them
    const struct rlimit few = {.rlim_cur = limit, .rlim_max = limit};
    ck_assert_int_eq(prlimit(p.pid, RLIMIT_NOFILE, &few, NULL), 0);
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = dial(strstr(p.url, "//") + 2);
    assert_lives(&p);
    await_end(fds[0]);
    close_all(fds, COUNT);
    assert_lives(&p);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// --- whole requests that await their answer

#define POST_HEAD                                                                                  \
    "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"                       \
    "Content-Type: application/json\r\n"
#define POST_ALL POST_HEAD "Content-Length: 20\r\n\r\n{\"version\": \"5.3.1\"}"

static bool is_busy(const struct program *p) {
    struct answer a = http_get(p->url, "/swagger/");
    bool busy = a.status == 503;
    if (busy) ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    if (!busy) ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    return busy;
}

// Requests that wait leave room for others, and end with their clients. Of the clients, some reset
// their connections and some end in good order.
START_TEST(waiting_requests_leave_room_and_end_with_their_clients) {
    static int fds[HTTP_ANSWERING_MAX];
    const struct linger reset = {.l_onoff = 1};
    char url[64];
    want_descriptors(HTTP_ANSWERING_MAX + 50);
    int inventory = listen_silently(url);
    struct program p = program_start(
        "orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", url, "--log", "/dev/null"));
    for (size_t i = 0; i < HTTP_ANSWERING_MAX; i++)
        fds[i] = begin(&p, POST_ALL);
    while (!is_busy(&p))
        ;
    expect(begin(&p, POST_ALL), 503, "too many requests await their answer");
    assert_lives(&p);
    for (size_t i = 0; i < HTTP_ANSWERING_MAX; i++) {
        if (i % 2 == 0) setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fds[i]);
    }
    while (is_busy(&p))
        ;
    ck_assert_int_eq(program_stop(&p), 0);
    close(inventory);
}
END_TEST

// However many others come, the one that awaits its answer gets it.
START_TEST(a_request_that_waits_is_not_ended_for_others) {
    enum { COUNT = HTTP_CONNECTIONS_MAX + 10 };
    static int fds[COUNT];
    char url[64];
    want_descriptors(COUNT + 50);
    int inventory = listen_silently(url);
    struct program p = program_start(
        "orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", url, "--log", "/dev/null"));
    int post = begin(&p, POST_ALL), fetch = accept(inventory, NULL, NULL);
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = dial(strstr(p.url, "//") + 2);
    await_end(fds[0]);
    send_text(fetch, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"earth\": {}}");
    expect(post, 200, "completed");
    close_all(fds, COUNT);
    ck_assert_int_eq(program_stop(&p), 0);
    close(fetch);
    close(inventory);
}
END_TEST

static double open_descriptors(const char *api) {
    struct answer a = http_get(api, "/metrics/");
    const char *at = strstr(a.body, "\nprocess_open_fds ");
    ck_assert_ptr_nonnull(at);
    double count = strtod(strchr(at, ' '), NULL);
    answer_free(&a);
    return count;
}

static bool is_ready(const char *api) {
    struct answer a = http_get(api, "/readyz");
    bool ready = a.status == 200;
    answer_free(&a);
    return ready;
}

// A client that leaves while its job runs: its connection ends, and the job goes on.
START_TEST(a_client_that_leaves_a_running_job_frees_its_connection) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"host\": \"edge00.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"no_reply\"}");
    const struct linger reset = {.l_onoff = 1};
    int fd = dial(strstr(lab.api, "//") + 2);
    send_text(fd, POST_HEAD "Content-Length: 76\r\n\r\n"
                            "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], "
                            "\"filter_dev_types\":[\"edge\"]}");
    await_event(lab.admin, "install_os_version", "begun", 1);
    double before = open_descriptors(lab.api);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    while (open_descriptors(lab.api) > before - 1)
        ;
    program_signal(&lab.orchestrator, SIGTERM);
    while (is_ready(lab.api))
        ;
    program_signal(&lab.orchestrator, SIGTERM); // the device would be awaited for 300 s
    ck_assert_int_eq(program_wait(&lab.orchestrator), 1);
    char *log = read_file(lab.log);
    ck_assert_ptr_nonnull(strstr(log, "completed host:edge00.earth:"));
    ck_assert_ptr_nonnull(strstr(log, "completed task:upgrade_os"));
    free(log);
    bare_stop(&lab);
}
END_TEST

START_TEST(a_client_that_waits_for_events_and_leaves_frees_its_connection) {
    const struct linger reset = {.l_onoff = _i};
    struct program p = start("simulator");
    double before = open_descriptors(p.url);
    int fd = begin(&p, "GET /events/?after=1&wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (open_descriptors(p.url) < before + 1)
        ;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    while (open_descriptors(p.url) > before)
        ;
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// --- slow

START_TEST(a_head_that_does_not_end_is_refused) {
    struct program p[2];
    int slow[2], silent[2];
    for (int i = 0; i < 2; i++) {
        p[i] = start(programs[i]);
        slow[i] = begin(&p[i], "GET /livez HTTP/1.1\r\nHost: loc");
        silent[i] = begin(&p[i], "");
    }
    for (int i = 0; i < 2; i++) {
        expect(slow[i], 408, "application/problem+json");
        await_end(silent[i]);
        close(silent[i]);
        ck_assert_int_eq(program_stop(&p[i]), 0);
    }
}
END_TEST

START_TEST(a_head_may_come_byte_by_byte) {
    static const char request[] =
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct program p = start(programs[_i]);
    int fd = begin(&p, "");
    for (size_t i = 0; i < sizeof request - 1; i++) {
        ck_assert_int_eq((int)send(fd, request + i, 1, MSG_NOSIGNAL), 1);
        if (i % 8 == 0) assert_lives(&p); // it has been looked at
    }
    expect(fd, 200, "ok");
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// A client that has shut its side after half of a head will not send the other half.
START_TEST(a_half_head_with_no_more_to_come_is_told_so) {
    struct program p = start(programs[_i]);
    int fd = begin(&p, "GET /livez HT");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    expect(fd, 400, "has ended the request in its midst");
    fd = begin(&p, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"); // a whole one is answered
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    expect(fd, 200, "ok");
    fd = begin(&p, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HT"); // a later one
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    expect(fd, 200, "has ended the request in its midst");
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// The last bytes and the end are there at once: libmicrohttpd would wait for the rest of the body.
START_TEST(a_half_body_with_no_more_to_come_ends) {
    struct program p = start(programs[_i]);
    program_signal(&p, SIGSTOP);
    const int fd = begin(&p, "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Length: 10\r\n\r\n{\"ver");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    program_signal(&p, SIGCONT);
    await_end(fd);
    close(fd);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static int begin_post(const struct program *p, const char *path, const char *body, size_t len,
                      size_t missing) {
    char head[256];
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             path, len);
    int fd = begin(p, head);
    for (size_t sent = 0; sent < len - missing;) {
        ssize_t n = send(fd, body + sent, len - missing - sent, MSG_NOSIGNAL);
        ck_assert_int_gt((int)n, 0);
        sent += (size_t)n;
    }
    return fd;
}

// What the posts whose last bytes are sent now are answered: of so many, 503.
static int finish_posts(const int *fds, int count) {
    int refused = 0;
    for (int i = 0; i < count; i++)
        send_text(fds[i], " ");
    for (int i = 0; i < count; i++) {
        char *text;
        int status = 0;
        ck_assert_int_eq(read_rest(fds[i], &text), 0);
        ck_assert_int_eq(sscanf(text, "HTTP/1.1 %d ", &status), 1);
        ck_assert((status == 503) == (strstr(text, "\r\nRetry-After: 1\r\n") != NULL));
        ck_assert((status == 400) == (strstr(text, "not JSON") != NULL));
        if (status == 503) refused++;
        free(text);
        close(fds[i]);
    }
    return refused;
}

// Bodies that are not whole may together hold so much; more are refused, and there is room again
// once they are gone.
START_TEST(bodies_together_hold_so_much) {
    enum { LEN = 1000 * 1000, COUNT = 2 * HTTP_BODIES_MAX / LEN };
    static char body[LEN];
    int fds[COUNT];
    const char *path = _i == 0 ? "/upgrade-os/" : "/reset/";
    struct program p = start(programs[_i]);
    memset(body, ' ', sizeof body);
    do // until it has read enough of them before the first is whole
        for (int i = 0; i < COUNT; i++)
            fds[i] = begin_post(&p, path, body, LEN, 1);
    while (finish_posts(fds, COUNT) == 0);
    fds[0] = begin_post(&p, path, body, LEN, 1);
    ck_assert_int_eq(finish_posts(fds, 1), 0);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// --- wrong

#define GET        "GET /livez HTTP/1.1\r\nHost: localhost\r\n"
#define POST_LIVEZ "POST /livez HTTP/1.1\r\nHost: localhost\r\n"
#define CHUNKS     POST_LIVEZ "Transfer-Encoding: chunked\r\n\r\n"
#define P10        "a&a&a&a&a&a&a&a&a&a&"
#define C10        "a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; "
#define R(s)       s, sizeof(s) - 1 // NOLINT(bugprone-macro-parentheses): two values

static const struct {
    const char *request;
    size_t len;
    int status;
} refused[] = {
    {R("hello\r\n\r\n"), 400},
    {R("GET /livez\r\n\r\n"), 400},
    {R("GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n"), 400},
    {R("GET /livez HTTP/2.0\r\n\r\n"), 505},
    {R("GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400},
    {R("GET /li\rvez HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400},
    {R("GET /livez HTTP/1.1\r\nHost: localhost\0.evil\r\n\r\n"), 400},
    {R(GET "X: a\0b\r\n\r\n"), 400},
    {R(GET "X: a\r\n b\r\n\r\n"), 400},
    {R(GET ": a\r\n\r\n"), 400},
    {R(GET "Transfer-Encoding: identity\r\n\r\n"), 400},
    {R(POST_LIVEZ "Content-Length: 99999999999999999999\r\n\r\n"), 413},
    {R(POST_LIVEZ "Content-Length: 0\0002\r\n\r\n{}"), 400},
    {R(POST_LIVEZ "Content-Length: 2, 2\r\n\r\n{}"), 400},
    {R(POST_LIVEZ "Content-Length: +2\r\n\r\n{}"), 400},
    {R(POST_LIVEZ "Content-Length: \r\n\r\n{}"), 400},
    {R(POST_LIVEZ "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400},
    {R("GET /livez?" P10 P10 P10 P10 " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414},
    {R(GET "Cookie: " C10 C10 C10 C10 "\r\n\r\n"), 431},
    {R(CHUNKS "zz\r\n"), 400},
    {R(CHUNKS "2\r\n{}X\r\n"), 400},
    {R(CHUNKS "fffffffffffffffff\r\n"), 413},
};

// It is the last answer, and follows so many that are right.
static void assert_refused(const char *text, int before, int status) {
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    for (int i = 0; i < before; i++) {
        ck_assert_msg(strncmp(text, "HTTP/1.1 200 ", 13) == 0, "%s", text);
        text = strstr(text + 1, "HTTP/1.1 ");
        ck_assert_ptr_nonnull(text);
    }
    ck_assert_msg(strncmp(text, line, strlen(line)) == 0, "%s", text);
    ck_assert_msg(strstr(text, "\nHTTP/1.1 ") == NULL, "answered twice: %s", text);
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/problem+json\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n"));
    cJSON *body = cJSON_Parse(strstr(text, "\r\n\r\n") + 4);
    ck_assert_double_eq(cJSON_GetObjectItem(body, "status")->valuedouble, status);
    cJSON_Delete(body);
}

static void send_refused(int fd, size_t i) {
    ck_assert_int_eq((int)send(fd, refused[i].request, refused[i].len, MSG_NOSIGNAL),
                     (int)refused[i].len);
}

// As the first of its connection, as the next on one that was kept, and sent with another.
START_TEST(what_is_no_request_is_refused_as_a_problem) {
    for (size_t n = 0; n < COUNT(programs); n++) {
        struct program p = start(programs[n]);
        for (int before = 0; before < 3; before++) {
            struct buf all = {0};
            char *text;
            const int fd = begin(&p, "");
            if (before == 1) {
                send_text(fd, GET "\r\n");
                char first[8] = "";
                recv(fd, first, sizeof first, MSG_PEEK | MSG_WAITALL); // it is answered
            }
            if (before == 2) {
                buf_adds(&all, GET "\r\n" GET "\r\n");
                buf_add(&all, refused[_i].request, refused[_i].len);
                ck_assert_int_eq((int)send(fd, all.data, all.len, MSG_NOSIGNAL), (int)all.len);
            } else {
                send_refused(fd, (size_t)_i);
            }
            ck_assert_int_eq(read_rest(fd, &text), 0);
            assert_refused(text, before, refused[_i].status);
            free(text);
            close(fd);
            buf_deinit(&all);
        }
        ck_assert_int_eq(program_stop(&p), 0);
    }
}
END_TEST

// Whatever the pieces: a body in chunks, and what comes with its end.
START_TEST(a_body_in_chunks_is_taken_in_any_pieces) {
    static const char text[] = CHUNKS "2\r\n{}\r\n00A\r\n          \r\n0\r\n\r\n" GET "\r\n";
    static const size_t pieces[] = {1, 7, sizeof text - 1};
    struct program p = start(programs[_i]);
    for (size_t i = 0; i < COUNT(pieces); i++) {
        char *answers;
        const int fd = begin(&p, "");
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (size_t at = 0; at < sizeof text - 1; at += pieces[i]) {
            const size_t left = sizeof text - 1 - at;
            send(fd, text + at, left < pieces[i] ? left : pieces[i], MSG_NOSIGNAL);
        }
        send_text(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        ck_assert_int_eq(read_rest(fd, &answers), 0);
        ck_assert_msg(strncmp(answers, "HTTP/1.1 405 ", 13) == 0, "%s", answers);
        const char *second = strstr(answers + 1, "HTTP/1.1 200 ");
        ck_assert_ptr_nonnull(second);
        ck_assert_ptr_nonnull(strstr(second + 1, "HTTP/1.1 200 "));
        free(answers);
        close(fd);
    }
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// However long, and although the client sends all of it before it reads.
START_TEST(a_head_too_long_is_refused) {
    struct program p = start(programs[_i]);
    struct buf request = {0};
    buf_adds(&request, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ");
    for (int i = 0; i < 8000000; i++) // more than the sockets hold
        buf_adds(&request, "x");
    buf_adds(&request, "\r\n\r\n");
    expect(begin(&p, request.data), 431, "application/problem+json");
    const int fd = begin(&p, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    char *line;
    while (strcmp(line = read_line(fd), "\r") != 0)
        free(line);
    free(line);
    send_text(fd, request.data);
    expect(fd, 431, "application/problem+json"); // likewise
    buf_deinit(&request);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static void send_bytes(int fd, const char *bytes, size_t len) {
    ck_assert_int_eq((int)send(fd, bytes, len, MSG_NOSIGNAL), (int)len);
}

// Whether the connection is new, or has had an answer.
START_TEST(a_nul_in_the_path_does_not_end_it) {
    static const char request[] = "GET /livez\0/upgrade-os/ HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    struct program p = start(programs[_i]);
    int fd = begin(&p, "");
    send_bytes(fd, request, sizeof request - 1);
    expect(fd, 400, "NUL");
    fd = begin(&p, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    char *line;
    while (strcmp(line = read_line(fd), "\r") != 0)
        free(line);
    free(line);
    send_bytes(fd, request, sizeof request - 1);
    expect(fd, 400, "application/problem+json");
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static const struct {
    const char *request;
    int status;
} named[] = {
    {"GET /livez HTTP/1.1\r\nHost: evil.example\r\n", 421},
    {"GET /livez HTTP/1.1\r\nHost: 127.0.0.2\r\n", 421},
    {"GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n", 421},
    {"GET /livez HTTP/1.1\r\nHost: upgrades.example:5000\r\n", 200},
    {"GET /livez HTTP/1.1\r\nHost: localhost\r\n", 200},
    {"GET /livez HTTP/1.0\r\n", 200},
    {"GET http://localhost/livez HTTP/1.1\r\nHost: evil.example\r\n", 200}, // RFC 9112: 3.2.2
    {"GET http://localhost/nowhere HTTP/1.1\r\nHost: localhost\r\n", 404},
    {"GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n", 404},
};

START_TEST(a_request_to_another_name_is_misdirected) {
    struct program p = start(programs[_i]), q;
    bool simulates = _i == 1;
    q = program_start(programs[_i],
                      simulates ? ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                                       "--host-name", "upgrades.example")
                                : ARGS("--listen", "127.0.0.1:0", "--inventory", "/dev/null",
                                       "--log", "/dev/null", "--host-name", "upgrades.example"));
    expect(begin(&p, "GET /livez HTTP/1.1\r\nHost: upgrades.example\r\nConnection: close\r\n\r\n"),
           421, "--host-name");
    for (size_t i = 0; i < COUNT(named); i++) {
        char request[256];
        snprintf(request, sizeof request, "%sConnection: close\r\n\r\n", named[i].request);
        expect(begin(&q, request), named[i].status, "");
    }
    ck_assert_int_eq(program_stop(&p), 0);
    ck_assert_int_eq(program_stop(&q), 0);
}
END_TEST

START_TEST(a_body_in_a_coding_is_refused) {
    struct program p = start(programs[_i]);
    const char *path = _i == 0 ? "/upgrade-os/" : "/reset/";
    const char *const gzip[] = {"Content-Type: application/json", "Content-Encoding: gzip", NULL};
    const char *const both_codings[] = {"Content-Type: application/json",
                                        "Content-Encoding: identity", "Content-Encoding: gzip",
                                        NULL};
    const char *const as_is[] = {"Content-Type: application/json", "Content-Encoding: identity",
                                 NULL};
    assert_problem(http_send("POST", p.url, path, gzip, "{}"), 415, NULL, "gzip");
    assert_problem(http_send("POST", p.url, path, both_codings, "{}"), 415, NULL, "identity, gzip");
    struct answer a = http_send("POST", p.url, path, as_is, "[]");
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

Suite *check_connections(void) {
    Suite *suite = suite_create("connections");
    TCase *tc = tcase_create("connections");
    tcase_set_timeout(tc, 30);
    suite_add_tcase(suite, tc);
    const int both = COUNT(programs);
    tcase_add_loop_test(tc, silent_connections_make_room, 0, both);
    tcase_add_loop_test(tc, kept_connections_make_room, 0, both);
    tcase_add_loop_test(tc, connections_that_came_and_went_meanwhile_are_no_trouble, 0, both);
    tcase_add_loop_test(tc, without_descriptors_silent_connections_make_room, 0, both);
    tcase_add_test(tc, waiting_requests_leave_room_and_end_with_their_clients);
    tcase_add_test(tc, a_request_that_waits_is_not_ended_for_others);
    tcase_add_test(tc, a_client_that_leaves_a_running_job_frees_its_connection);
    tcase_add_loop_test(tc, a_client_that_waits_for_events_and_leaves_frees_its_connection, 0, 2);
    tcase_add_test(tc, a_head_that_does_not_end_is_refused);
    tcase_add_loop_test(tc, a_head_may_come_byte_by_byte, 0, both);
    tcase_add_loop_test(tc, a_half_head_with_no_more_to_come_is_told_so, 0, both);
    tcase_add_loop_test(tc, a_half_body_with_no_more_to_come_ends, 0, both);
    tcase_add_loop_test(tc, bodies_together_hold_so_much, 0, both);
    tcase_add_loop_test(tc, what_is_no_request_is_refused_as_a_problem, 0, COUNT(refused));
    tcase_add_loop_test(tc, a_body_in_chunks_is_taken_in_any_pieces, 0, both);
    tcase_add_loop_test(tc, a_head_too_long_is_refused, 0, both);
    tcase_add_loop_test(tc, a_nul_in_the_path_does_not_end_it, 0, both);
    tcase_add_loop_test(tc, a_request_to_another_name_is_misdirected, 0, both);
    tcase_add_loop_test(tc, a_body_in_a_coding_is_refused, 0, both);
    return suite;
}
