#include "common/http_head.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_http_head(void);

#define LINE   "GET /livez HTTP/1.1\r\n"
#define HOST_X "Host: x\r\n"
#define A10    "aaaaaaaaaa"
#define A100   A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A1000  A100 A100 A100 A100 A100 A100 A100 A100 A100 A100
#define A8000  A1000 A1000 A1000 A1000 A1000 A1000 A1000 A1000
#define P31    P10 P10 P10 "a=b&"
#define P10    "a=b&a=b&a=b&a=b&a=b&a=b&a=b&a=b&a=b&a=b&"
#define C31    C10 C10 C10 "a=b; "
#define C10    "a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b; "
#define T(s)   s, sizeof(s) - 1 // NOLINT(bugprone-macro-parentheses): two values

static const struct {
    const char *bytes;
    size_t len;
    int status; // 0: whole
} heads[] = {
    {T(LINE HOST_X "\r\n"), 0},
    {T("\r\n\r\n" LINE HOST_X "\r\n"), 0},
    {T("GET /livez HTTP/1.0\n\n"), 0},
    {T("GET http://localhost/livez HTTP/1.1\r\n" HOST_X "\r\n"), 0},
    {T("POST /upgrade-os/ HTTP/1.1\r\n" HOST_X "Content-Length: 2\r\n\r\n{}"), 0},
    {T("POST /upgrade-os/ HTTP/1.1\r\n" HOST_X "Content-Length: 2\r\n\r\n\0\r"), 0}, // a body's
    {T(LINE "X-Empty:\r\n" HOST_X "\r\n"), 0},
    {T("GET /caf\xc3\xa9 HTTP/1.1\r\n" HOST_X "\r\n"), 0},
    {T("GET " A8000 " HTTP/1.1\r\n" HOST_X "\r\n"), 0},
    {T("GET " A8000 "a HTTP/1.1\r\n" HOST_X "\r\n"), 414},
    {T("GET /livez\r\n"), 400},
    {T("GET /livez \r\n"), 400},
    {T("GET  /livez HTTP/1.1\r\n"), 400},
    {T("GET /livez HTTP/1.1 \r\n"), 400},
    {T("GET /a b HTTP/1.1\r\n"), 400},
    {T("GET /livez HTTP\r\n"), 400},
    {T("GET /livez http/1.1\r\n"), 400},
    {T("GET /livez HTTP/1.z\r\n"), 400},
    {T("GET /livez HTTP/1.9\r\n" HOST_X "\r\n"), 0},
    {T(" GET /livez HTTP/1.1\r\n"), 400},
    {T("g\x7ft /livez HTTP/1.1\r\n"), 400},
    {T("hello\r\n"), 400},
    {T("\x16\x03\x01 a client that speaks TLS\r\n"), 400},
    {T("GET /livez HTTP/2.0\r\n"), 505},
    {T("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {T("GET /livez\0/upgrade-os/ HTTP/1.1\r\n"), 400},
    {T("GET /li\0"), 400}, // before its line ends
    {T("GET /a\tb HTTP/1.1\r\n"), 400},
    {T("GET /a\rb HTTP/1.1\r\n"), 400},
    {T(LINE "Host: x\0y\r\n"), 400},
    {T(LINE "Host: x\ry\r\n"), 400},
    {T(LINE "Host : x\r\n"), 400},
    {T(LINE "Host\t: x\r\n"), 400},
    {T(LINE "Host x\r\n"), 400},
    {T(LINE ": x\r\n"), 400},
    {T(LINE HOST_X " folded: y\r\n"), 400},
    {T(LINE HOST_X "content-length: 0000000000000000000001\r\n\r\n"), 0},
    {T(LINE HOST_X "Content-Length: 999999999999999999\r\n\r\n"), 0}, // read, and dropped
    {T(LINE HOST_X "Content-Length: 9999999999999999999\r\n"), 413},
    {T(LINE HOST_X "Content-Length: 2, 2\r\n\r\n"), 400},
    {T(LINE HOST_X "Content-Length: 2 \r\n\r\n"), 400}, // libmicrohttpd takes it for no number
    {T(LINE HOST_X "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"), 400},
    {T(LINE HOST_X "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {T(LINE HOST_X "Transfer-Encoding: gzip, chunked\r\n\r\n"), 400},
    {T(LINE HOST_X "Transfer-Encoding: \tChunked\r\n\r\n"), 0},
    {T("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {T(LINE "\r\n"), 400},
    {T(LINE HOST_X HOST_X "\r\n"), 400},
    {T(LINE "Host: a@b\r\n\r\n"), 400},
    {T(LINE HOST_X "X: a\0b\r\n\r\n"), 400},
    {T("GET /?" P31 "a=b HTTP/1.1\r\n" HOST_X "\r\n"), 0},
    {T("GET /?" P31 "a=b& HTTP/1.1\r\n"), 414},
    {T(LINE HOST_X "Cookie: " C31 "a=b\r\n\r\n"), 0},
    {T(LINE HOST_X "Cookie: " C31 "a=b\r\nCookie: a=b\r\n\r\n"), 431},
    {T(LINE HOST_X "Cookie: " A1000 A1000 A1000 A1000 A10 A10 A10 A10 A10 A10 A10 A10 A10
                   "123456\r\n\r\n"),
     0},
    {T(LINE HOST_X "Cookie: " A1000 A1000 A1000 A1000 A10 A10 A10 A10 A10 A10 A10 A10 A10
                   "1234567\r\n\r\n"),
     431},
};

static enum http_head read_with_defaults(const char *bytes, size_t len,
                                         struct http_refusal *refusal) {
    const struct http_limits limits = http_limits_or_default(NULL);
    return http_head_read(bytes, len, &limits, NULL, refusal);
}

START_TEST(a_head_is_whole_or_refused) {
    struct http_refusal refusal = {0};
    enum http_head head = read_with_defaults(heads[_i].bytes, heads[_i].len, &refusal);
    ck_assert_int_eq(head, heads[_i].status == 0 ? HTTP_HEAD_WHOLE : HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, heads[_i].status);
    ck_assert((refusal.detail[0] == '\0') == (heads[_i].status == 0));
}
END_TEST

// However a head is cut into pieces, its beginning is neither whole nor wrong.
START_TEST(the_beginning_of_a_head_is_partial) {
    static const char head[] = "\r\n" LINE HOST_X "Accept: */*\r\n\r\n";
    struct http_refusal refusal;
    for (size_t len = 0; len < sizeof head - 1; len++)
        ck_assert_int_eq(read_with_defaults(head, len, &refusal), HTTP_HEAD_PARTIAL);
    ck_assert_int_eq(read_with_defaults(head, sizeof head - 1, &refusal), HTTP_HEAD_WHOLE);
}
END_TEST

static enum http_head read_headers(unsigned count, unsigned length, struct http_refusal *refusal) {
    struct buf head = {0};
    buf_adds(&head, LINE HOST_X);
    for (unsigned i = 1; i < count; i++) {
        buf_adds(&head, "X:");
        for (unsigned n = 4; n < length; n++)
            buf_adds(&head, "x");
        buf_adds(&head, "\r\n");
    }
    buf_adds(&head, "\r\n");
    enum http_head read = read_with_defaults(head.data, head.len, refusal);
    buf_deinit(&head);
    return read;
}

START_TEST(headers_are_counted_and_their_bytes) {
    struct http_refusal refusal;
    ck_assert_int_eq(read_headers(HTTP_HEADERS_MAX, 4, &refusal), HTTP_HEAD_WHOLE);
    ck_assert_int_eq(read_headers(HTTP_HEADERS_MAX + 1, 4, &refusal), HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 431);
    ck_assert_int_eq(read_headers(2, HTTP_HEAD_MAX - 100, &refusal), HTTP_HEAD_WHOLE);
    ck_assert_int_eq(read_headers(2, HTTP_HEAD_MAX, &refusal), HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 431);
}
END_TEST

// Each at its edge, smaller than by default.
START_TEST(limits_are_those_that_were_given) {
    static const char text[] = "GET /aaaa HTTP/1.0\r\nA: 1\r\nB: 2\r\n\r\n"; // 34 bytes
    const struct http_limits fits = {.head = 34, .target = 5, .headers = 2, .body = 7};
    struct http_limits limits = fits;
    struct http_refusal refusal;
    ck_assert_int_eq(http_head_read(text, sizeof text - 1, &limits, NULL, &refusal),
                     HTTP_HEAD_WHOLE);
    limits.head--;
    ck_assert_int_eq(http_head_read(text, sizeof text - 1, &limits, NULL, &refusal),
                     HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 431);
    ck_assert_str_eq(refusal.detail, "2 headers at most, and 33 bytes of them");
    limits = fits;
    limits.target--;
    ck_assert_int_eq(http_head_read(text, sizeof text - 1, &limits, NULL, &refusal),
                     HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 414);
    ck_assert_str_eq(refusal.detail, "the path and the query may have 4 bytes at most");
    limits = fits;
    limits.headers--;
    ck_assert_int_eq(http_head_read(text, sizeof text - 1, &limits, NULL, &refusal),
                     HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 431);
    ck_assert_str_eq(refusal.detail, "1 headers at most, and 34 bytes of them");
}
END_TEST

// A line without an end is refused before it fills memory.
START_TEST(a_line_without_an_end_is_refused) {
    static char line[HTTP_HEAD_MAX + 1];
    struct http_refusal refusal;
    memset(line, 'a', sizeof line);
    ck_assert_int_eq(read_with_defaults(line, HTTP_HEAD_MAX - 1, &refusal), HTTP_HEAD_PARTIAL);
    ck_assert_int_eq(read_with_defaults(line, sizeof line, &refusal), HTTP_HEAD_WRONG);
    ck_assert_int_eq(refusal.status, 414);
}
END_TEST

static const struct {
    const char *target, *path, *host; // NULL: none
} targets[] = {
    {"/livez", "/livez", NULL},
    {"*", "*", NULL},
    {"http://localhost:5000/livez", "/livez", "localhost:5000"},
    {"HTTPS://[::1]/metrics/?a=b", "/metrics/?a=b", "[::1]"},
    {"http://localhost", "/", "localhost"},
    {"http://localhost?a=b", "/", "localhost"},
    {"httpx://localhost/", "httpx://localhost/", NULL},
};

START_TEST(a_target_in_absolute_form_has_host_and_path) {
    const char *host;
    size_t len;
    ck_assert_str_eq(http_target_path(targets[_i].target, &host, &len), targets[_i].path);
    ck_assert((host == NULL) == (targets[_i].host == NULL));
    if (host != NULL) {
        ck_assert_uint_eq(len, strlen(targets[_i].host));
        ck_assert_int_eq(strncmp(host, targets[_i].host, len), 0);
    }
}
END_TEST

static const struct {
    const char *headers;
    struct http_end end; // its head as a difference
} ends[] = {
    {HOST_X, {0}},
    {HOST_X "Content-Length: 12\r\n", {.length = 12}},
    {HOST_X "content-length: \t0007\r\n", {.length = 7}},
    {HOST_X "Transfer-Encoding: chunked\r\n", {.is_chunked = true}},
};

START_TEST(a_whole_head_says_where_its_request_ends) {
    const struct http_limits limits = http_limits_or_default(NULL);
    char text[200];
    struct http_refusal refusal;
    struct http_end end = {0};
    const int len = snprintf(text, sizeof text, LINE "%s\r\n{}", ends[_i].headers);
    ck_assert_int_eq(http_head_read(text, (size_t)len, &limits, &end, &refusal), HTTP_HEAD_WHOLE);
    ck_assert_uint_eq(end.head, (size_t)len - 2);
    ck_assert_uint_eq(end.length, ends[_i].end.length);
    ck_assert_int_eq(end.is_chunked, ends[_i].end.is_chunked);
}
END_TEST

Suite *check_http_head(void) {
    Suite *suite = suite_create("http_head");
    TCase *tcase = tcase_create("http_head");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_head_is_whole_or_refused, 0, (int)COUNT(heads));
    tcase_add_test(tcase, the_beginning_of_a_head_is_partial);
    tcase_add_loop_test(tcase, a_whole_head_says_where_its_request_ends, 0, (int)COUNT(ends));
    tcase_add_test(tcase, limits_are_those_that_were_given);
    tcase_add_test(tcase, headers_are_counted_and_their_bytes);
    tcase_add_test(tcase, a_line_without_an_end_is_refused);
    tcase_add_loop_test(tcase, a_target_in_absolute_form_has_host_and_path, 0, (int)COUNT(targets));
    return suite;
}
