// Limits at their edges: what is just within is served, one more gets the answer that
// spec/limits.md states. Those of one client's address are tried on a server in this process, which
// counts addresses of loopback as if they were others'; the rest on programs with small limits.
// What a scenario can say is in scenarios/limits/.
#include "common/buf.h"
#include "common/http.h"
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_limits(void);

// --- a server in this process: /short is answered at once, /hold is not

enum { HELD_MAX = 8 };

static uv_loop_t loop;
static struct http_server *server;
static struct http_request *held[HELD_MAX];
static size_t held_count;
static bool is_closed;

static void get_hold(void *app, struct http_request *r) {
    (void)app;
    ck_assert_uint_lt(held_count, HELD_MAX);
    held[held_count++] = r;
}

static void get_short(void *app, struct http_request *r) {
    (void)app;
    http_answer_empty(r, 204);
}

static const struct http_route list[] = {
    {HTTP_GET, "/hold", get_hold, .arg = NULL},
    {HTTP_GET, "/short", get_short, .arg = NULL},
};
static const struct http_routes routes = {.list = list, .count = 2};

static void start_server(const struct http_limits *limits) {
    union address any;
    struct error err;
    uv_loop_init(&loop);
    held_count = 0;
    is_closed = false;
    ck_assert_int_eq(address_parse("127.0.0.1:0", &any, &err), 0);
    const struct http_config config = {.listen = any, .routes = &routes, .limits = limits};
    ck_assert_int_eq(http_start(&server, &loop, &config, &err), 0);
}

static void on_closed(void *arg) {
    (void)arg;
    is_closed = true;
}

static void turn(void) {
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void answer_held(void) {
    while (held_count > 0)
        http_answer_empty(held[--held_count], 204);
}

static void stop_server(void) {
    answer_held();
    http_close(server, on_closed, NULL);
    while (!is_closed)
        turn();
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static int connect_from(const char *address) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    ck_assert_int_eq(inet_pton(AF_INET, address, &from.sin_addr), 1);
    const union address *to = http_address(server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(fd, &to->any, sizeof to->v4), 0);
    return fd;
}

enum state { OPEN, READABLE, ENDED };

static enum state state_of(int fd) {
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 ? READABLE : n < 0 && (errno == EAGAIN || errno == EINTR) ? OPEN : ENDED;
}

static void await_state(int fd, enum state state) {
    while (state_of(fd) == OPEN)
        turn();
    ck_assert_int_eq(state_of(fd), state);
}

static void ask(int fd, const char *path) {
    char request[100];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    send_text(fd, request);
}

// Whoever came before it is accepted, too.
static void assert_served(int fd) {
    char bytes[1024];
    ask(fd, "/short");
    await_state(fd, READABLE);
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    bytes[n < 0 ? 0 : n] = '\0';
    ck_assert_msg(strncmp(bytes, "HTTP/1.1 204 ", 13) == 0, "%s", bytes);
}

static void close_all(const int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

static const struct http_limits three = {.per_address = 3, .counts_loopback = true};

// The one more ends the longest of its own address, and nobody else's, though that is longer.
START_TEST(one_more_of_an_address_ends_its_own_longest) {
    int other, own[5];
    start_server(&three);
    other = connect_from("127.0.0.3");
    for (int i = 0; i < 3; i++)
        own[i] = connect_from("127.0.0.2");
    assert_served(own[2]);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(state_of(own[i]), OPEN); // three may be
    own[3] = connect_from("127.0.0.2");
    assert_served(own[3]);
    await_state(own[0], ENDED);
    own[4] = connect_from("127.0.0.2");
    assert_served(own[4]);
    await_state(own[1], ENDED);
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq(state_of(own[i]), OPEN);
    ck_assert_int_eq(state_of(other), OPEN);
    assert_served(other);
    close(other);
    close_all(own, 5);
    stop_server();
}
END_TEST

// Where all have a whole request, it is the new one that is closed.
START_TEST(one_more_of_an_address_that_awaits_answers_is_closed) {
    int own[3], more, other;
    start_server(&three);
    for (int i = 0; i < 3; i++) {
        own[i] = connect_from("127.0.0.2");
        ask(own[i], "/hold");
    }
    while (held_count < 3)
        turn();
    more = connect_from("127.0.0.2");
    await_state(more, ENDED);
    close(more);
    other = connect_from("127.0.0.3");
    assert_served(other);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(state_of(own[i]), OPEN);
    answer_held();
    for (int i = 0; i < 3; i++)
        await_state(own[i], READABLE);
    more = connect_from("127.0.0.2");
    assert_served(more);
    close(more);
    close(other);
    close_all(own, 3);
    stop_server();
}
END_TEST

// One client opens as many as it can: all other connections stay, and new ones are served.
START_TEST(an_address_with_many_connections_puts_nobody_out) {
    enum { MANY = 200, OTHERS = 20 };
    const struct http_limits limits = {
        .connections = 64, .per_address = 16, .counts_loopback = true};
    static int many[MANY], others[OTHERS];
    char address[32];
    start_server(&limits);
    for (int i = 0; i < OTHERS; i++) {
        snprintf(address, sizeof address, "127.0.1.%d", i + 1);
        others[i] = connect_from(address);
    }
    for (int i = 0; i < MANY; i++)
        many[i] = connect_from("127.0.0.2");
    assert_served(many[MANY - 1]);
    for (int i = 0; i < OTHERS; i++)
        ck_assert_int_eq(state_of(others[i]), OPEN);
    int left = 0;
    for (int i = 0; i < MANY; i++)
        left += state_of(many[i]) == OPEN;
    ck_assert_int_eq(left, 16);
    for (int i = 0; i < OTHERS; i++)
        assert_served(others[i]);
    close_all(many, MANY);
    close_all(others, OTHERS);
    stop_server();
}
END_TEST

START_TEST(this_machine_is_not_counted) {
    const struct http_limits one = {.per_address = 1};
    int fds[3];
    start_server(&one);
    for (int i = 0; i < 3; i++)
        fds[i] = connect_from("127.0.0.2");
    assert_served(fds[2]);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(state_of(fds[i]), OPEN);
    close_all(fds, 3);
    stop_server();
}
END_TEST

// --- programs with small limits

enum { PATIENCE_MS = 25 * 1000 };

static struct program start(const char *inventory, const char *one, const char *two) {
    return program_start("orchestrator",
                         ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log",
                              "/dev/null", "--state", "none", "--limit", one, "--limit", two));
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

static void await_end(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
    ck_assert_int_le((int)recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

// An answer on a connection that is kept.
static void read_answer(int fd, int status) {
    char line[32], *text = read_line(fd);
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    ck_assert_msg(text != NULL && strncmp(text, line, strlen(line)) == 0, "not %d: %s", status,
                  text == NULL ? "" : text);
    while (text != NULL && strcmp(text, "\r") != 0) {
        free(text);
        text = read_line(fd);
    }
    free(text);
}

#define HEAD "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(so_many_connections_and_one_more) {
    enum { COUNT = 64 };
    int fds[COUNT + 1];
    struct program p = start("/dev/null", "connections=64", "requests=40");
    for (int i = 0; i < COUNT; i++)
        fds[i] = begin(&p, "");
    send_text(fds[COUNT - 1], HEAD);
    read_answer(fds[COUNT - 1], 200);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(state_of(fds[i]), OPEN);
    fds[COUNT] = begin(&p, HEAD);
    read_answer(fds[COUNT], 200);
    await_end(fds[0]);
    for (int i = 1; i <= COUNT; i++)
        ck_assert_int_eq(state_of(fds[i]), OPEN);
    close_all(fds, COUNT + 1);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

#define POST                                                                                       \
    "POST /upgrade-os/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"                       \
    "Content-Type: application/json\r\n"
#define POST_ALL POST "Content-Length: 20\r\n\r\n{\"version\": \"5.3.1\"}"
#define GET_BUSY "GET /swagger/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static bool is_busy(const struct program *p) {
    struct answer a = http_get(p->url, "/swagger/");
    const bool is_busy = a.status == 503;
    answer_free(&a);
    return is_busy;
}

// With one request fewer under way than may be, others are served; with as many, they are not.
START_TEST(so_many_requests_at_once_and_one_more) {
    char url[64];
    int fds[2], inventory = listen_silently(url);
    struct program p = start(url, "requests=2", "connections=64");
    fds[0] = begin(&p, POST_ALL);
    ck_assert(!is_busy(&p));
    fds[1] = begin(&p, POST_ALL);
    while (!is_busy(&p))
        ;
    expect(begin(&p, GET_BUSY), 503, "\r\nRetry-After: 1\r\n");
    struct answer a = http_get(p.url, "/livez"); // is asked all the same
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    close(fds[1]);
    while (is_busy(&p))
        ;
    close(fds[0]);
    ck_assert_int_eq(program_stop(&p), 0);
    close(inventory);
}
END_TEST

// The limits of the first head on a connection are those of the next ones.
static void add_head(struct buf *out, size_t target, size_t headers, size_t size) {
    buf_adds(out, "HEAD /livez?");
    for (size_t i = strlen("/livez?"); i < target; i++)
        buf_adds(out, "a");
    buf_adds(out, " HTTP/1.1\r\nHost: localhost\r\n");
    for (size_t i = 1; i < headers; i++)
        buf_adds(out, "X: y\r\n");
    if (size > 0) {
        buf_adds(out, "Y: ");
        while (out->len < size - 4)
            buf_adds(out, "y");
        buf_adds(out, "\r\n");
    }
    buf_adds(out, "\r\n");
}

static const struct {
    const char *limit;
    size_t target, headers, size; // just within
    int status;                   // of one more
} heads[] = {
    {"target=300", 300, 1, 0, 414},
    {"headers=12", 10, 12, 0, 431},
    {"head=2KiB", 10, 1, 2048, 431},
};

START_TEST(heads_at_the_limit_and_beyond) {
    const bool is_size = heads[_i].size > 0, is_target = heads[_i].status == 414;
    struct program p = start("/dev/null", heads[_i].limit, "idle=1m");
    struct buf fits = {0}, over = {0};
    add_head(&fits, heads[_i].target, heads[_i].headers, heads[_i].size);
    add_head(&over, heads[_i].target + is_target, heads[_i].headers + (!is_size && !is_target),
             heads[_i].size + is_size);
    int fd = begin(&p, fits.data);
    read_answer(fd, 200);
    send_text(fd, fits.data);
    read_answer(fd, 200);
    send_text(fd, over.data);
    expect(fd, heads[_i].status, "application/problem+json");
    expect(begin(&p, over.data), heads[_i].status, "application/problem+json");
    buf_deinit(&fits);
    buf_deinit(&over);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static void add_post(struct buf *out, size_t len) {
    buf_addf(out, POST "Content-Length: %zu\r\n\r\n", len);
    for (size_t i = 0; i < len; i++)
        buf_adds(out, " ");
}

START_TEST(bodies_at_the_limit_and_beyond) {
    struct program p = start("/dev/null", "body=2KiB", "idle=1m");
    struct buf fits = {0}, over = {0};
    add_post(&fits, 2048);
    add_post(&over, 2049);
    expect(begin(&p, fits.data), 400, "not JSON");
    expect(begin(&p, over.data), 413, "the body may have 2048 bytes at most");
    buf_deinit(&fits);
    buf_deinit(&over);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// Of all bodies together: two of 600 KiB are more than 1 MiB.
START_TEST(all_bodies_at_the_limit_and_beyond) {
    enum { LEN = 600 << 10 };
    struct program p = start("/dev/null", "bodies=1MiB", "idle=1m");
    struct buf post = {0};
    add_post(&post, LEN);
    expect(begin(&p, post.data), 400, "not JSON"); // one fits
    int refused = 0;
    while (refused == 0) { // until both are read in part before either is whole
        int fds[2];
        post.data[post.len - 1] = '\0';
        for (int i = 0; i < 2; i++)
            fds[i] = begin(&p, post.data);
        for (int i = 0; i < 2; i++)
            send_text(fds[i], " ");
        for (int i = 0; i < 2; i++) {
            char *text;
            ck_assert_int_eq(read_rest(fds[i], &text), 0);
            refused += strstr(text, "HTTP/1.1 503 ") != NULL;
            ck_assert((strstr(text, "\r\nRetry-After: 1\r\n") != NULL) ==
                      (strstr(text, "HTTP/1.1 503 ") != NULL));
            free(text);
            close(fds[i]);
        }
    }
    buf_deinit(&post);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

static const struct {
    const char *few, *many, *other;
    const char *request; // that is not all
    int status;          // of its answer; 0: none
} slow[] = {
    {"head-time=1s", "head-time=10m", "idle=1h", "GET /livez HTTP/1.1\r\nHost: loc", 408},
    {"head-time=1s", "head-time=10m", "idle=1h", HEAD "GET /livez HTTP/1.1\r\nHost: loc", 0},
    {"body-time=1s", "body-time=10m", "idle=1h", POST "Content-Length: 20\r\n\r\n{", 0},
    {"idle=1s", "idle=10m", "head-time=10m", HEAD, 0},
};

static int begin_slow(const struct program *p, const char *request) {
    int fd = begin(p, request);
    if (strncmp(request, HEAD, strlen(HEAD)) == 0) read_answer(fd, 200);
    return fd;
}

// It ends where it has little time, twice over, and not where it has more: one that had the same
// time there would have ended before the second of these.
START_TEST(what_is_slow_ends) {
    struct program much = start("/dev/null", slow[_i].many, slow[_i].other),
                   little = start("/dev/null", slow[_i].few, slow[_i].other);
    int stays = begin_slow(&much, slow[_i].request);
    for (int n = 0; n < 2; n++) {
        int ends = begin_slow(&little, slow[_i].request);
        if (slow[_i].status != 0)
            expect(ends, slow[_i].status, "application/problem+json");
        else
            await_end(ends);
    }
    ck_assert_int_eq(state_of(stays), OPEN);
    close(stays);
    ck_assert_int_eq(program_stop(&little), 0);
    ck_assert_int_eq(program_stop(&much), 0);
}
END_TEST

#define GET_EVENTS "GET /events/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

START_TEST(so_many_streams_of_events_and_one_more) {
    int fds[3];
    struct program p = start("/dev/null", "event-streams=3", "idle=1m");
    for (int i = 0; i < 3; i++) {
        fds[i] = begin(&p, GET_EVENTS);
        read_answer(fds[i], 200);
    }
    struct answer a = http_get(p.url, "/events/");
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "10");
    assert_problem(a, 503, NULL, "3 streams of events are open, and no more may be");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// --- what is read and kept

static int accept_request(int listener) {
    int fd = accept(listener, NULL, NULL);
    char *line = read_line(fd);
    while (line != NULL && strcmp(line, "\r") != 0) {
        free(line);
        line = read_line(fd);
    }
    free(line);
    return fd;
}

#define POST_ASYNC                                                                                 \
    POST "Prefer: respond-async\r\nContent-Length: 20\r\n\r\n{\"version\": \"5.3.1\"}"

// Both had room when they came. Their host is a device that says nothing.
START_TEST(of_two_jobs_at_the_same_time_one_is_taken_where_there_is_room_for_one) {
    char url[64], device[64], *answers[2];
    int posts[2], readings[2], inventory = listen_silently(url), silent = listen_silently(device);
    struct buf text = {0};
    struct program p = start(url, "open-jobs=1", "idle=1m");
    buf_addf(
        &text,
        "HTTP/1.0 200 OK\r\n\r\n{\"earth\": {\"leaf00.earth\": {\"platform\": \"acmeos\", "
        "\"dev_type\": \"leaf\", \"rack\": \"1\", \"hostname\": \"127.0.0.1\", \"port\": %ld}}}",
        strtol(strrchr(device, ':') + 1, NULL, 10));
    for (int i = 0; i < 2; i++) {
        posts[i] = begin(&p, POST_ASYNC);
        readings[i] = accept_request(inventory);
    }
    for (int i = 0; i < 2; i++) {
        send_text(readings[i], text.data);
        close(readings[i]);
    }
    int taken = 0, refused = 0;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(read_rest(posts[i], &answers[i]), 0);
        taken += strncmp(answers[i], "HTTP/1.1 202 ", 13) == 0;
        refused += strncmp(answers[i], "HTTP/1.1 429 ", 13) == 0;
        close(posts[i]);
    }
    ck_assert_msg(taken == 1 && refused == 1, "%s\n%s", answers[0], answers[1]);
    free(answers[0]);
    free(answers[1]);
    close(silent); // the device is gone, and the job at its end
    ck_assert_int_eq(program_stop(&p), 0);
    buf_deinit(&text);
    close(inventory);
}
END_TEST

static void write_inventory(const char *path, size_t size) {
    struct buf text = {0};
    buf_adds(&text, "{\"earth\": {}}");
    while (text.len < size)
        buf_adds(&text, " ");
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text.data, 1, text.len, file), text.len);
    ck_assert_int_eq(fclose(file), 0);
    buf_deinit(&text);
}

START_TEST(inventories_at_the_limit_and_beyond) {
    char path[] = "/tmp/limits-XXXXXX";
    close(mkstemp(path));
    struct program p = start(path, "inventory=2KiB", "inventory-time=10s");
    write_inventory(path, 2048);
    struct answer a = http_get(p.url, "/readyz");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    a = http_post(p.url, "/get-version/", "{}");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    write_inventory(path, 2049);
    assert_problem(http_get(p.url, "/readyz"), 503, NULL, "larger than 2048 bytes");
    assert_problem(http_post(p.url, "/get-version/", "{}"), 502, NULL, "larger than 2048 bytes");
    ck_assert_int_eq(program_stop(&p), 0);
    unlink(path);
}
END_TEST

START_TEST(inventories_over_http_at_the_limit_and_beyond) {
    char url[64];
    int fds[2], inventory = listen_silently(url);
    struct program p = start(url, "inventory=1KiB", "inventory-time=1s");
    for (size_t over = 0; over < 2; over++) {
        struct buf text = {0};
        fds[0] = begin(&p, POST_ALL);
        fds[1] = accept_request(inventory);
        buf_adds(&text, "HTTP/1.0 200 OK\r\n\r\n{\"earth\": {}}");
        while (text.len < strlen("HTTP/1.0 200 OK\r\n\r\n") + 1024 + over)
            buf_adds(&text, " ");
        send_text(fds[1], text.data);
        buf_deinit(&text);
        close(fds[1]);
        if (over == 0)
            expect(fds[0], 200, "completed");
        else
            expect(fds[0], 502, "it is larger than 1024 bytes (--limit inventory)");
    }
    fds[0] = begin(&p, POST_ALL); // one that does not come
    fds[1] = accept_request(inventory);
    expect(fds[0], 502, "the inventory: http://");
    close(fds[1]);
    ck_assert_int_eq(program_stop(&p), 0);
    close(inventory);
}
END_TEST

// A request with as many names as its body may have.
static char *long_request(const char *more) {
    struct buf text = {0};
    buf_addf(&text, "{%s\"filter_hosts\": [", more);
    for (int i = 0; i < 20000; i++)
        buf_adds(&text, "\"spine00.earth\", ");
    buf_adds(&text, "\"spine00.earth\"]}");
    return buf_take(&text);
}

static long post_long(const struct program *p) {
    char *text = long_request("");
    struct answer a = http_post(p->url, "/get-version/", text);
    const long status = a.status;
    if (status == 503) {
        ck_assert_ptr_nonnull(strstr(a.body, "the store: it holds "));
        ck_assert_ptr_nonnull(strstr(a.body, "--keep-jobs or a larger --limit store-size"));
        ck_assert_ptr_nonnull(strstr(a.body, "nothing was begun"));
    }
    answer_free(&a);
    free(text);
    return status;
}

static bool is_ready(const struct program *p) {
    struct answer a = http_get(p->url, "/readyz");
    const bool is_ready = a.status == 200;
    if (!is_ready) ck_assert_ptr_nonnull(strstr(a.body, "the store: it holds "));
    answer_free(&a);
    return is_ready;
}

// It takes jobs until it is full. Then it takes none, what it has is there to be read, and fewer
// jobs to keep make room.
START_TEST(a_store_takes_jobs_until_it_is_full) {
    struct lab lab = bare_start(ARGS("--latency", "0"));
    char inventory[128], state[100];
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab.admin);
    snprintf(state, sizeof state, "%s/jobs.db", lab.dir);
    const char *const args[] = {"--listen", "127.0.0.1:0",        "--inventory", inventory,
                                "--log",    "/dev/null",          "--state",     state,
                                "--limit",  "store-size=1500KiB", "--keep-jobs", "1000",
                                NULL};
    const char *fewer[sizeof args / sizeof *args];
    memcpy(fewer, args, sizeof args);
    fewer[11] = "1";
    struct program p = program_start("orchestrator", args);
    long status, taken = 0;
    while ((status = post_long(&p)) == 200)
        taken++;
    ck_assert_int_eq(status, 503);
    ck_assert_int_ge(taken, 2);
    ck_assert(!is_ready(&p));
    char *dry = long_request("\"dry_run\": true, ");
    struct answer a = http_post(p.url, "/get-version/", dry); // is none
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    free(dry);
    cJSON *jobs = get_json(p.url, "/jobs/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(jobs, "jobs")), taken);
    cJSON_Delete(jobs);
    ck_assert_int_eq(program_stop(&p), 0);
    p = program_start("orchestrator", fewer);
    while (!is_ready(&p))
        ;
    ck_assert_int_eq(post_long(&p), 200);
    ck_assert_int_eq(program_stop(&p), 0);
    unlink(state);
    bare_stop(&lab);
}
END_TEST

Suite *check_limits(void) {
    Suite *suite = suite_create("limits");
    TCase *tc = tcase_create("limits");
    tcase_set_timeout(tc, 30);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, one_more_of_an_address_ends_its_own_longest);
    tcase_add_test(tc, one_more_of_an_address_that_awaits_answers_is_closed);
    tcase_add_test(tc, an_address_with_many_connections_puts_nobody_out);
    tcase_add_test(tc, this_machine_is_not_counted);
    tcase_add_test(tc, so_many_connections_and_one_more);
    tcase_add_test(tc, so_many_requests_at_once_and_one_more);
    tcase_add_loop_test(tc, heads_at_the_limit_and_beyond, 0, 3);
    tcase_add_test(tc, bodies_at_the_limit_and_beyond);
    tcase_add_test(tc, all_bodies_at_the_limit_and_beyond);
    tcase_add_loop_test(tc, what_is_slow_ends, 0, 4);
    tcase_add_test(tc, so_many_streams_of_events_and_one_more);
    tcase_add_test(tc, inventories_at_the_limit_and_beyond);
    tcase_add_test(tc, inventories_over_http_at_the_limit_and_beyond);
    tcase_add_test(tc, of_two_jobs_at_the_same_time_one_is_taken_where_there_is_room_for_one);
    tcase_add_test(tc, a_store_takes_jobs_until_it_is_full);
    return suite;
}
