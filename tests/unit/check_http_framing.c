#include "common/http_framing.h"
#include "tests/unit/support.h"

Suite *check_http_framing(void);

#define LENGTHS "there are several Content-Length headers"
#define NAME    "a header's name has a space or a character that no name may have"
#define ADDRESS "Host is no name or address with a port"
#define H(n, v)                                                                                    \
    n, sizeof(n) - 1, v, sizeof(v) - 1 // NOLINT(bugprone-macro-parentheses): four values
#define HOST_X                                                                                     \
    { H("Host", "x") }
#define LENGTH_5                                                                                   \
    { H("Content-Length", "5") }

struct header {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

static const struct {
    struct header headers[4];
    bool is_1_0;
    const char *wrong; // NULL: nothing
} cases[] = {
    {{HOST_X}, false, NULL},
    {{HOST_X, LENGTH_5}, false, NULL},
    {{HOST_X, {H("transfer-encoding", "Chunked")}}, false, NULL},
    {{HOST_X, {H("X-Text", "a b\tc")}}, false, NULL},
    {{LENGTH_5}, true, NULL},
    {{LENGTH_5}, false, "there is no Host header"},
    {{HOST_X, HOST_X}, false, "there are several Host headers"},
    {{HOST_X, HOST_X}, true, "there are several Host headers"},
    {{HOST_X, LENGTH_5, LENGTH_5}, false, LENGTHS},
    {{HOST_X, LENGTH_5, {H("content-length", "0")}}, false, LENGTHS},
    {{HOST_X, {H("Content-Length", "5, 5")}}, false, "Content-Length is not a number"},
    {{HOST_X, {H("Content-Length", "+5")}}, false, "Content-Length is not a number"},
    {{HOST_X, {H("Content-Length", "")}}, false, "Content-Length is not a number"},
    {{HOST_X, LENGTH_5, {H("Transfer-Encoding", "chunked")}},
     false,
     "there are both Content-Length and Transfer-Encoding"},
    {{HOST_X, {H("Transfer-Encoding", "gzip, chunked")}},
     false,
     "Transfer-Encoding is not chunked"},
    {{HOST_X, {H("Transfer-Encoding", "chunked")}, {H("Transfer-Encoding", "chunked")}},
     false,
     "there are several Transfer-Encoding headers"},
    {{HOST_X, {H("Transfer-Encoding", "chunked")}},
     true,
     "there is a Transfer-Encoding in HTTP/1.0"},
    {{{H("Host", "[::1]:80")}}, false, NULL},
    {{{H("Host", "")}}, false, NULL},
    {{{H("Host", "a@b")}}, false, ADDRESS},
    {{{H("Host", "a, b")}}, false, ADDRESS},
    {{{H("Host", "a/b")}}, false, ADDRESS},
    {{HOST_X, {H("Content-Length ", "5")}}, false, NAME},
    {{HOST_X, {H("", "5")}}, false, NAME},
    {{HOST_X, {H("X\0Y", "5")}}, false, NAME},
};

START_TEST(what_leaves_a_doubt_is_named) {
    struct http_framing f = {0};
    for (const struct header *h = cases[_i].headers; h->name != NULL; h++)
        http_framing_take(&f, h->name, h->name_len, h->value, h->value_len);
    ck_assert_pstr_eq(http_framing_wrong(&f, !cases[_i].is_1_0), cases[_i].wrong);
}
END_TEST

Suite *check_http_framing(void) {
    Suite *suite = suite_create("http_framing");
    TCase *tcase = tcase_create("http_framing");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_leaves_a_doubt_is_named, 0, (int)COUNT(cases));
    return suite;
}
