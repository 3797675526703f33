// Answers in pieces, over real sockets, from a server inside the test: its loop goes round only
// when the test says so. A client of a test reads when it wants to.
#include "common/http_stream.h"

#include "common/buf.h"
#include "tests/e2e/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_stream(void);

// --- what is told

enum { ENDLESS = 1 << 30, LONG = 256 * 1024 };

struct tale {
    int pieces;     // until the last
    size_t size;    // of each
    char letter;    // the first piece's; the next ones follow in the alphabet
    bool waits;     // for a wake-up after each piece
    bool wakes;     // itself, while it tells one
    bool hesitates; // every other piece is empty
    int asked, told, closed;
    int left; // its client, before it was answered
    struct http_stream *stream;
};

static void add_piece(struct buf *out, const struct tale *t, int piece) {
    buf_reserve(out, t->size);
    memset(out->data + out->len, t->letter + piece % 26, t->size);
    out->len += t->size;
    out->data[out->len] = '\0';
}

static enum http_piece tell(void *arg, struct buf *out) {
    struct tale *t = arg;
    t->asked++;
    if (t->wakes && t->stream != NULL) http_stream_wake(t->stream);
    if (t->hesitates && t->asked % 2 == 1) return t->waits ? HTTP_PIECE_WAIT : HTTP_PIECE_MORE;
    add_piece(out, t, t->told);
    if (++t->told == t->pieces) return HTTP_PIECE_LAST;
    return t->waits ? HTTP_PIECE_WAIT : HTTP_PIECE_MORE;
}

static void close_tale(void *arg) {
    struct tale *t = arg;
    t->closed++;
}

static const struct http_source source = {tell, close_tale};

static char *whole(const struct tale *t) {
    struct buf text = {0};
    buf_adds(&text, "");
    for (int piece = 0; piece < t->pieces; piece++)
        add_piece(&text, t, piece);
    return buf_take(&text);
}

// --- the server: GET /one/ and /two/ tell a tale each, /short is answered at once

static uv_loop_t loop;
static struct http_server *server;
static struct tale one, two;
static struct http_request *later; // where set to hold: what is to be answered later
static bool holds;
static bool server_closed;

static void note_left(void *arg) {
    ((struct tale *)arg)->left++;
}

static void get_tale(void *app, struct http_request *r) {
    (void)app;
    struct tale *t = http_arg(r) == &one ? &one : &two;
    http_on_left(r, note_left, t);
    if (holds)
        later = r;
    else
        t->stream = http_answer_stream(r, 200, "text/plain", &source, t);
}

static void get_short(void *app, struct http_request *r) {
    (void)app;
    http_answer_empty(r, 204);
}

static const struct http_route list[] = {
    {HTTP_GET, "/one/", get_tale, .arg = &one},
    {HTTP_GET, "/two/", get_tale, .arg = &two},
    {HTTP_GET, "/short", get_short, .arg = NULL},
};
static const struct http_routes routes = {.list = list, .count = 3};

static void set_up(void) {
    union address any;
    struct error err;
    uv_loop_init(&loop);
    ck_assert_int_eq(address_parse("127.0.0.1:0", &any, &err), 0);
    const struct http_config config = {.listen = any, .routes = &routes};
    ck_assert_int_eq(http_start(&server, &loop, &config, &err), 0);
    one = (struct tale){.pieces = 1, .size = 10, .letter = 'a'};
    two = (struct tale){.pieces = 1, .size = 10, .letter = 'A'};
    holds = server_closed = false;
}

static void on_closed(void *arg) {
    (void)arg;
    server_closed = true;
}

static void turn(void) {
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void close_server(void) {
    http_close(server, on_closed, NULL);
    while (!server_closed)
        turn();
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    uv_library_shutdown();
}

// --- a client

struct client {
    int fd;
    struct buf got;
    bool ended;
};

static struct client client_of(const char *request) {
    char address[ADDRESS_TEXT_MAX];
    address_format(http_address(server), address);
    struct client c = {.fd = dial(address)};
    send_text(c.fd, request);
    buf_adds(&c.got, "");
    return c;
}

static struct client ask_for(const char *path) {
    struct buf request = {0};
    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    struct client c = client_of(request.data);
    buf_deinit(&request);
    return c;
}

static void take(struct client *c) {
    char bytes[16384];
    ssize_t len = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (len > 0) buf_add(&c->got, bytes, (size_t)len);
    if (len == 0) c->ended = true;
}

static void await_end(struct client *c) {
    while (!c->ended) {
        turn();
        take(c);
    }
}

static void await_text(struct client *c, const char *text) {
    while (strstr(c->got.data, text) == NULL) {
        ck_assert(!c->ended);
        turn();
        take(c);
    }
}

static void leave(struct client *c) {
    close(c->fd);
    buf_deinit(&c->got);
}

static const char *body_of(const struct client *c) {
    const char *end = strstr(c->got.data, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static bool says(const struct client *c, const char *header) {
    const char *found = strstr(c->got.data, header);
    return found != NULL && found < body_of(c);
}

// The body of an answer in chunks; the test fails unless it has its end.
static char *joined(const struct client *c) {
    struct buf body = {0};
    buf_adds(&body, "");
    for (const char *at = body_of(c);;) {
        char *data;
        size_t size = strtoul(at, &data, 16);
        ck_assert_int_eq(strncmp(data, "\r\n", 2), 0);
        ck_assert_uint_ge((size_t)(c->got.data + c->got.len - data), size + 4);
        buf_add(&body, data + 2, size);
        at = data + 2 + size;
        ck_assert_int_eq(strncmp(at, "\r\n", 2), 0);
        at += 2;
        if (size > 0) continue;
        ck_assert_str_eq(at, "");
        return buf_take(&body);
    }
}

static void assert_chunks(const struct client *c, const struct tale *t) {
    char *body = joined(c), *expected = whole(t);
    ck_assert(says(c, "\r\nTransfer-Encoding: chunked\r\n"));
    ck_assert(!says(c, "\r\nContent-Length: "));
    ck_assert(strcmp(body, expected) == 0);
    ck_assert_int_eq(t->closed, 1);
    free(body);
    free(expected);
}

// --- the form of an answer

START_TEST(an_answer_of_one_piece_has_its_length) {
    struct client c = ask_for("/one/");
    await_end(&c);
    ck_assert(says(&c, "\r\nContent-Length: 10\r\n"));
    ck_assert(says(&c, "\r\nContent-Type: text/plain\r\n"));
    ck_assert(!says(&c, "\r\nTransfer-Encoding: "));
    ck_assert_str_eq(body_of(&c), "aaaaaaaaaa");
    ck_assert_ptr_null(one.stream);
    ck_assert_int_eq(one.closed, 1);
    leave(&c);
    one = (struct tale){.pieces = 1, .size = 0};
    c = ask_for("/one/");
    await_end(&c);
    ck_assert(says(&c, "\r\nContent-Length: 0\r\n"));
    leave(&c);
    close_server();
}
END_TEST

START_TEST(an_answer_of_several_pieces_comes_in_chunks) {
    static const struct {
        int pieces;
        size_t size;
        bool hesitates;
    } cases[] = {{2, 1, false}, {100, 7, false}, {3, 1, true}, {9, LONG, false}, {40, 40000, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        one = (struct tale){.pieces = cases[i].pieces,
                            .size = cases[i].size,
                            .letter = 'a',
                            .hesitates = cases[i].hesitates};
        struct client c = ask_for("/one/");
        await_end(&c);
        ck_assert(says(&c, "\r\nContent-Type: text/plain\r\n"));
        assert_chunks(&c, &one);
        ck_assert_int_eq(one.told, one.pieces);
        leave(&c);
    }
    close_server();
}
END_TEST

START_TEST(an_old_client_gets_it_as_it_is_until_the_connection_ends) {
    static const char *const requests[] = {
        "GET /one/ HTTP/1.0\r\n\r\n",
        "GET /one/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        one = (struct tale){.pieces = 5, .size = LONG, .letter = 'a'};
        struct client c = client_of(requests[i]);
        await_end(&c);
        char *expected = whole(&one);
        ck_assert(strcmp(body_of(&c), expected) == 0);
        ck_assert(!says(&c, "chunked"));
        ck_assert(!says(&c, "\r\nContent-Length: "));
        ck_assert_int_eq(one.closed, 1);
        free(expected);
        leave(&c);
    }
    close_server();
}
END_TEST

START_TEST(head_gets_the_headers_alone) {
    one.pieces = 3;
    struct client c = client_of("HEAD /one/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await_end(&c); // no length can be told, so nothing may follow
    ck_assert(says(&c, "HTTP/1.1 200 OK\r\n"));
    ck_assert(says(&c, "\r\nContent-Type: text/plain\r\n"));
    ck_assert(says(&c, "\r\nConnection: close\r\n"));
    ck_assert(!says(&c, "\r\nContent-Length: "));
    ck_assert_str_eq(body_of(&c), "");
    ck_assert_int_eq(one.closed, 1);
    ck_assert_int_eq(one.asked, 1);
    leave(&c);
    two.size = 11;
    c = client_of("HEAD /two/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET /short HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await_end(&c);
    ck_assert(says(&c, "\r\nContent-Length: 11\r\n"));
    ck_assert_int_eq(strncmp(body_of(&c), "HTTP/1.1 204 ", 13), 0);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(the_connection_goes_on_after_the_last_chunk) {
    one.pieces = 3;
    struct client c =
        client_of("GET /one/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET /short HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await_end(&c);
    ck_assert_ptr_nonnull(strstr(body_of(&c), "cccccccccc\r\n0\r\n\r\nHTTP/1.1 204 "));
    ck_assert_int_eq(one.closed, 1);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(a_request_can_be_answered_in_pieces_later) {
    one.pieces = 3;
    holds = true;
    struct client c = ask_for("/one/");
    while (later == NULL)
        turn();
    ck_assert_int_eq(one.asked, 0);
    one.stream = http_answer_stream(later, 200, "text/plain", &source, &one);
    await_end(&c);
    assert_chunks(&c, &one);
    leave(&c);
    close_server();
}
END_TEST

// --- when a source is asked

START_TEST(a_stream_that_waits_goes_on_when_it_is_woken) {
    one = (struct tale){.pieces = 3, .size = 4, .letter = 'a', .waits = true};
    struct client c = ask_for("/one/");
    await_text(&c, "aaaa");
    for (int i = 0; i < 5; i++)
        turn();
    ck_assert_int_eq(one.asked, 1);
    http_stream_wake(one.stream);
    await_text(&c, "bbbb");
    ck_assert_int_eq(one.asked, 2);
    http_stream_wake(one.stream);
    http_stream_wake(one.stream);
    await_end(&c);
    assert_chunks(&c, &one);
    ck_assert_int_eq(one.asked, 3);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(a_wake_up_before_it_waits_is_not_lost) {
    one = (struct tale){.pieces = 2, .size = LONG, .letter = 'a', .waits = true};
    struct client c = ask_for("/one/");
    while (one.stream == NULL)
        turn();
    http_stream_wake(one.stream);
    await_end(&c);
    assert_chunks(&c, &one);
    leave(&c);
    one = (struct tale){.pieces = 20, .size = 4, .letter = 'a', .waits = true, .wakes = true};
    c = ask_for("/one/");
    while (one.stream == NULL)
        turn();
    http_stream_wake(one.stream);
    await_end(&c);
    assert_chunks(&c, &one);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(a_wake_up_with_nothing_to_tell_is_no_end) {
    one = (struct tale){.pieces = 1, .size = 4, .letter = 'a', .waits = true, .hesitates = true};
    struct client c = ask_for("/one/");
    await_text(&c, "\r\n\r\n");
    ck_assert_str_eq(body_of(&c), "");
    http_stream_wake(one.stream);
    await_end(&c);
    assert_chunks(&c, &one);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(two_at_once_get_what_is_theirs) {
    one = (struct tale){.pieces = 30, .size = LONG, .letter = 'a'};
    two = (struct tale){.pieces = 20, .size = LONG + 1, .letter = 'A'};
    struct client first = ask_for("/one/"), second = ask_for("/two/");
    while (!first.ended || !second.ended) {
        turn();
        if (!first.ended) take(&first);
        turn();
        if (!second.ended) take(&second);
    }
    assert_chunks(&first, &one);
    assert_chunks(&second, &two);
    leave(&first);
    leave(&second);
    close_server();
}
END_TEST

START_TEST(a_client_that_does_not_read_holds_up_nobody) {
    one = (struct tale){.pieces = 60, .size = LONG, .letter = 'a'};
    two = (struct tale){.pieces = 20, .size = LONG, .letter = 'A'};
    struct client slow = ask_for("/one/");
    while (one.stream == NULL)
        turn();
    struct client quick = ask_for("/two/");
    await_end(&quick);
    assert_chunks(&quick, &two);
    ck_assert_int_eq(one.closed, 0);
    await_end(&slow);
    assert_chunks(&slow, &one);
    leave(&slow);
    leave(&quick);
    close_server();
}
END_TEST

// --- ends before the end

START_TEST(a_source_is_closed_when_its_client_leaves_in_the_middle) {
    one = (struct tale){.pieces = ENDLESS, .size = LONG, .letter = 'a'};
    struct client c = ask_for("/one/");
    await_text(&c, "bbbb");
    ck_assert_int_eq(one.closed, 0);
    leave(&c);
    while (one.closed == 0)
        turn();
    c = ask_for("/two/");
    await_end(&c);
    ck_assert_str_eq(body_of(&c), "AAAAAAAAAA");
    ck_assert_int_eq(one.closed, 1);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(a_source_that_waits_learns_from_its_next_piece_that_its_client_has_left) {
    one = (struct tale){.pieces = ENDLESS, .size = 4, .letter = 'a', .waits = true};
    struct client c = ask_for("/one/");
    await_text(&c, "aaaa");
    leave(&c);
    while (one.closed == 0) {
        http_stream_wake(one.stream);
        turn();
    }
    ck_assert_int_eq(one.closed, 1);
    close_server();
}
END_TEST

// Nothing is to be told for ever: it is not noticed by telling.
START_TEST(a_stream_that_waits_ends_when_its_client_has_left) {
    const struct linger reset = {.l_onoff = _i};
    one = (struct tale){.pieces = ENDLESS, .size = 4, .letter = 'a', .waits = true};
    struct client c = ask_for("/one/");
    await_text(&c, "aaaa");
    ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    leave(&c);
    while (one.closed == 0)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(one.asked, 1);
    ck_assert_int_eq(one.left, 0); // it had its answer
    c = ask_for("/two/");
    await_end(&c);
    ck_assert_str_eq(body_of(&c), "AAAAAAAAAA");
    ck_assert_int_eq(one.closed, 1);
    leave(&c);
    close_server();
}
END_TEST

START_TEST(a_server_that_closes_tells_to_the_end) {
    one = (struct tale){.pieces = 30, .size = LONG, .letter = 'a'};
    struct client c = ask_for("/one/");
    while (one.stream == NULL)
        turn();
    http_close(server, on_closed, NULL);
    await_end(&c);
    assert_chunks(&c, &one);
    while (!server_closed)
        turn();
    leave(&c);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    uv_library_shutdown();
}
END_TEST

START_TEST(a_server_that_closes_ends_those_that_wait) {
    one = (struct tale){.pieces = ENDLESS, .size = 4, .letter = 'a', .waits = true};
    two = (struct tale){
        .pieces = ENDLESS, .size = LONG, .letter = 'A', .waits = true, .hesitates = true};
    struct client first = ask_for("/one/"), second = ask_for("/two/");
    await_text(&first, "aaaa");
    await_text(&second, "\r\n\r\n");
    http_stream_wake(two.stream); // it has a piece to give when the server closes
    http_close(server, on_closed, NULL);
    await_end(&first);
    await_end(&second);
    while (!server_closed)
        turn();
    char *body = joined(&first);
    ck_assert_str_eq(body, "aaaa");
    free(body);
    body = joined(&second);
    ck_assert_uint_eq(strlen(body), LONG);
    free(body);
    ck_assert_int_eq(one.closed, 1);
    ck_assert_int_eq(two.closed, 1);
    leave(&first);
    leave(&second);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    uv_library_shutdown();
}
END_TEST

Suite *check_stream(void) {
    Suite *suite = suite_create("stream");
    TCase *tc = tcase_create("stream");
    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, an_answer_of_one_piece_has_its_length);
    tcase_add_test(tc, an_answer_of_several_pieces_comes_in_chunks);
    tcase_add_test(tc, an_old_client_gets_it_as_it_is_until_the_connection_ends);
    tcase_add_test(tc, head_gets_the_headers_alone);
    tcase_add_test(tc, the_connection_goes_on_after_the_last_chunk);
    tcase_add_test(tc, a_request_can_be_answered_in_pieces_later);
    tcase_add_test(tc, a_stream_that_waits_goes_on_when_it_is_woken);
    tcase_add_test(tc, a_wake_up_before_it_waits_is_not_lost);
    tcase_add_test(tc, a_wake_up_with_nothing_to_tell_is_no_end);
    tcase_add_test(tc, two_at_once_get_what_is_theirs);
    tcase_add_test(tc, a_client_that_does_not_read_holds_up_nobody);
    tcase_add_test(tc, a_source_is_closed_when_its_client_leaves_in_the_middle);
    tcase_add_test(tc, a_source_that_waits_learns_from_its_next_piece_that_its_client_has_left);
    tcase_add_loop_test(tc, a_stream_that_waits_ends_when_its_client_has_left, 0, 2);
    tcase_add_test(tc, a_server_that_closes_tells_to_the_end);
    tcase_add_test(tc, a_server_that_closes_ends_those_that_wait);
    suite_add_tcase(suite, tc);
    return suite;
}
