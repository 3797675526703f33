// Answers that come piece by piece, as the client follows them. The server is in the test: it goes
// on in the client's own turns, so that nothing depends on who is quicker.
#include "common/client.h"

#include "common/buf.h"
#include "common/count.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_client(void);

// --- the server

enum { NEVER = -1, TURN_MS = 1 };

struct server {
    int listener, connection; // -1: none
    char url[64];
    const char *const *script; // what it writes, in turn; NULL ends it, and its connection
    struct buf asked, told;    // the request; what the client was told of the answer
    long status;               // as it was told with the last piece
    int turns, enough_pieces, enough_turns;
    int pieces;
};

static struct server serve(const char *const *script) {
    struct server s = {.connection = -1,
                       .script = script,
                       .enough_pieces = NEVER,
                       .enough_turns = NEVER,
                       .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t len = sizeof address;
    ck_assert_int_eq(bind(s.listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(s.listener, 1), 0);
    ck_assert_int_eq(getsockname(s.listener, (struct sockaddr *)&address, &len), 0);
    snprintf(s.url, sizeof s.url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    buf_adds(&s.asked, "");
    buf_adds(&s.told, "");
    return s;
}

static void take_request(struct server *s) {
    char bytes[1024];
    if (s->connection < 0)
        s->connection = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const ssize_t len = s->connection < 0 ? 0 : recv(s->connection, bytes, sizeof bytes, 0);
    if (len > 0) buf_add(&s->asked, bytes, (size_t)len);
}

static void close_connection(struct server *s) {
    if (s->connection >= 0) close(s->connection);
    s->connection = -1;
}

static bool on_turn(void *arg) {
    struct server *s = arg;
    if (s->turns++ == s->enough_turns) return false;
    if (strstr(s->asked.data, "\r\n\r\n") == NULL) {
        take_request(s);
    } else if (*s->script != NULL) {
        const size_t len = strlen(*s->script);
        ck_assert_int_eq(send(s->connection, *s->script++, len, MSG_NOSIGNAL), (ssize_t)len);
    } else {
        close_connection(s);
    }
    return true;
}

static bool on_piece(void *arg, long status, const char *data, size_t len) {
    struct server *s = arg;
    s->status = status;
    buf_adds(&s->told, "<");
    buf_add(&s->told, data, len);
    buf_adds(&s->told, ">");
    return ++s->pieces != s->enough_pieces;
}

static int follow(struct server *s, long timeout_s, long *status, struct error *err) {
    const struct client_request request = {.method = "GET", .url = s->url, .timeout_s = timeout_s};
    const struct client_stream stream = {.on_piece = on_piece,
                                         .on_turn = on_turn,
                                         .arg = s,
                                         .turn_ms = TURN_MS,
                                         .fds = &s->listener,
                                         .fds_count = 1};
    return client_follow(&request, &stream, status, err);
}

static void end(struct server *s) {
    close_connection(s);
    close(s->listener);
    buf_deinit(&s->asked);
    buf_deinit(&s->told);
}

// --- tests

#define HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *const *script;
    long status;
    const char *told, *error; // error NULL: the answer has its end
} answers[] = {
    {(const char *const[]){HEAD, "3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n", NULL}, 200,
     "<><one><two>", NULL},
    {(const char *const[]){HEAD "3\r\none\r\n", "3\r\ntwo\r\n", NULL}, 200, "<><one><two>",
     ": the answer was cut off: "},
    {(const char *const[]){HEAD, NULL}, 200, "<>", ": the answer was cut off: "},
    {(const char *const[]){"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", "n", "o", NULL},
     404, "<><n><o>", NULL},
    {(const char *const[]){"HTTP/1.1 204 No Content\r\n\r\n", NULL}, 204, "<>", NULL},
    {(const char *const[]){"HTTP/1.1 200 OK\r\n\r\n", "until the end", NULL}, 200,
     "<><until the end>", NULL},
    {(const char *const[]){NULL}, 0, "", ": no answer: "},
};

START_TEST(an_answer_is_told_as_it_comes_and_whether_it_had_its_end) {
    struct server s = serve(answers[_i].script);
    struct error err = {.text = ""};
    long status = -1;
    const int rc = follow(&s, 0, &status, &err);
    ck_assert_msg(rc == (answers[_i].error == NULL ? 0 : ERROR_INPUT), "%d %s", rc, err.text);
    if (rc != 0) ck_assert_ptr_nonnull(strstr(err.text, answers[_i].error));
    ck_assert_int_eq(status, answers[_i].status);
    ck_assert_str_eq(s.told.data, answers[_i].told);
    if (s.pieces > 0) ck_assert_int_eq(s.status, answers[_i].status);
    end(&s);
}
END_TEST

START_TEST(a_callback_that_has_enough_ends_it_without_an_error) {
    static const char *const script[] = {HEAD, "3\r\none\r\n", "3\r\ntwo\r\n", NULL};
    struct error err;
    long status;
    struct server s = serve(script);
    s.enough_pieces = 2;
    ck_assert_int_eq(follow(&s, 0, &status, &err), 0);
    ck_assert_int_eq(status, 200);
    ck_assert_str_eq(s.told.data, "<><one>");
    end(&s);

    s = serve(script);
    s.enough_pieces = 1; // with its head
    ck_assert_int_eq(follow(&s, 0, &status, &err), 0);
    ck_assert_int_eq(status, 200);
    ck_assert_str_eq(s.told.data, "<>");
    end(&s);

    s = serve(script);
    s.enough_turns = 0; // before there is an answer
    ck_assert_int_eq(follow(&s, 0, &status, &err), 0);
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(s.told.data, "");
    end(&s);
}
END_TEST

// --- silence

static bool only_answer(void *arg) {
    struct server *s = arg;
    if (s->connection >= 0 && *s->script == NULL) return true; // it says no more
    return on_turn(arg);
}

START_TEST(a_server_that_falls_silent_is_given_up) {
    static const char *const script[] = {HEAD "3\r\none\r\n", NULL};
    struct server s = serve(script);
    struct error err;
    long status;
    const struct client_request request = {.method = "GET", .url = s.url, .timeout_s = 1};
    const struct client_stream stream = {
        .on_piece = on_piece, .on_turn = only_answer, .arg = &s, .turn_ms = TURN_MS};
    ck_assert_int_ne(client_follow(&request, &stream, &status, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, ": the answer was cut off: Timeout was reached"));
    ck_assert_str_eq(s.told.data, "<><one>");
    end(&s);
}
END_TEST

START_TEST(nobody_there_is_no_answer) {
    struct server s = serve(NULL);
    struct error err;
    long status = -1;
    close(s.listener); // nobody listens at its port
    const struct client_request request = {.method = "GET", .url = s.url};
    const struct client_stream stream = {.on_piece = on_piece, .arg = &s};
    ck_assert_msg(client_follow(&request, &stream, &status, &err) == -ECONNREFUSED, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, ": no answer: "));
    ck_assert_int_eq(status, 0);
    buf_deinit(&s.asked);
    buf_deinit(&s.told);
}
END_TEST

START_TEST(headers_and_a_body_go_out_as_with_any_request) {
    static const char *const script[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL};
    struct server s = serve(script);
    struct error err;
    long status;
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Last-Event-ID", "42");
    const struct client_request request = {
        .method = "POST", .url = s.url, .headers = headers, .body = "{}", .body_len = 2};
    const struct client_stream stream = {
        .on_piece = on_piece, .on_turn = on_turn, .arg = &s, .turn_ms = TURN_MS};
    ck_assert_int_eq(client_follow(&request, &stream, &status, &err), 0);
    ck_assert_ptr_nonnull(strstr(s.asked.data, "POST / HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(s.asked.data, "\r\nLast-Event-ID: 42\r\n"));
    ck_assert_ptr_nonnull(strstr(s.asked.data, "\r\n\r\n{}"));
    cJSON_Delete(headers);
    end(&s);
}
END_TEST

Suite *check_client(void) {
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, an_answer_is_told_as_it_comes_and_whether_it_had_its_end, 0,
                        COUNT(answers));
    tcase_add_test(tcase, a_callback_that_has_enough_ends_it_without_an_error);
    tcase_add_test(tcase, a_server_that_falls_silent_is_given_up);
    tcase_add_test(tcase, nobody_there_is_no_answer);
    tcase_add_test(tcase, headers_and_a_body_go_out_as_with_any_request);
    return suite;
}
