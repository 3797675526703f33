// What comes on a connection, one request after another: what of it goes on, and what is refused.
#include "common/http_pass.h"
#include "tests/unit/support.h"

Suite *check_http_pass(void);

#define GET    "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST   "POST /upgrade-os/ HTTP/1.1\r\nHost: x\r\n"
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *good, *rest; // what goes on, and what does not
    unsigned heads;
    uint64_t ahead; // bytes to come that go on as well
    int status;     // of what is wrong with the rest; 0: it may come to be right
} cases[] = {
    {"", "GET /livez HTTP/1.1\r\nHost: x\r\n", 0, 0, 0},
    {GET, "", 1, 0, 0},
    {GET GET, "GET /", 2, 0, 0},
    {GET, "GET /livez HTTP/2.0\r\n", 1, 0, 505},
    {GET, "GET /livez HTTP/1.1\r\n\r\n", 1, 0, 400},
    {GET, "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 1, 0, 400},
    {POST "Content-Length: 2\r\n\r\n{}" GET, "", 2, 0, 0},
    {POST "Content-Length: 2\r\n\r\n{", "", 1, 1, 0},
    {POST "Content-Length: 999999\r\n\r\n", "", 1, 999999, 0},
    {CHUNKS, "", 1, 0, 0},
    {CHUNKS, "2", 1, 0, 0},
    {CHUNKS, "2\r", 1, 0, 0},
    {CHUNKS "2\r\n", "", 1, 2, 0},
    {CHUNKS "2\r\n{}", "", 1, 0, 0},
    {CHUNKS "2\r\n{}", "\r", 1, 0, 0},
    {CHUNKS "2\r\n{}\r\n", "", 1, 0, 0},
    {CHUNKS "1\r\n{\r\n00A\r\n         }\r\n0\r\n\r\n" GET, "", 2, 0, 0},
    {CHUNKS "0\r\n", "\r", 1, 0, 0},
    {CHUNKS "0\r\n\r\n" GET, " GET", 2, 0, 0},
    {CHUNKS, "zz\r\n", 1, 0, 400},
    {CHUNKS, "-1\r\n", 1, 0, 400},
    {CHUNKS, "\r\n", 1, 0, 400},
    {CHUNKS, "0x2\r\n{}", 1, 0, 400},
    {CHUNKS, "2 \r\n{}", 1, 0, 400},
    {CHUNKS, "2;a=b\r\n{}", 1, 0, 400},
    {CHUNKS, "2\n{}", 1, 0, 400},
    {CHUNKS, "2\rX", 1, 0, 400},
    {CHUNKS, "fffffffffffff", 1, 0, 413},
    {CHUNKS "ffffffffffff\r\n", "", 1, 0xffffffffffff, 0},
    {CHUNKS "2\r\n{}", "X\r\n", 1, 0, 400},
    {CHUNKS "2\r\n{}", "\n", 1, 0, 400},
    {CHUNKS "0\r\n", "X: y\r\n\r\n", 1, 0, 400},
};

// In one piece, and a byte at a time.
static void pass_all(size_t i, size_t most) {
    const struct http_limits limits = http_limits_or_default(NULL);
    struct buf text = {0};
    struct http_pass p = {0};
    struct http_refusal refusal = {0};
    uint64_t passed = 0;
    buf_adds(&text, cases[i].good);
    buf_adds(&text, cases[i].rest);
    for (size_t there = most < text.len ? most : text.len; refusal.status == 0; there++) {
        if (passed < there)
            passed += http_pass(&p, text.data + passed, there - (size_t)passed, &limits, &refusal);
        if (there == text.len) break;
    }
    ck_assert_uint_eq(passed, strlen(cases[i].good) + cases[i].ahead);
    ck_assert_uint_eq(p.heads, cases[i].heads);
    ck_assert_int_eq(refusal.status, cases[i].status);
    buf_deinit(&text);
}

START_TEST(what_is_right_goes_on_and_no_more) {
    pass_all((size_t)_i, SIZE_MAX);
    pass_all((size_t)_i, 1);
}
END_TEST

Suite *check_http_pass(void) {
    Suite *suite = suite_create("http_pass");
    TCase *tcase = tcase_create("http_pass");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_is_right_goes_on_and_no_more, 0, (int)COUNT(cases));
    return suite;
}
