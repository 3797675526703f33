#include "common/rpc.h"
#include "tests/unit/support.h"

Suite *check_rpc(void);

START_TEST(requests_are_taken_or_answered_with_the_right_error) {
    static const struct {
        const char *line;
        enum rpc_error error;
        const char *id; // as it is echoed
        bool notification;
    } cases[] = {
        {"{'jsonrpc': '2.0', 'id': 1, 'method': 'login', 'params': {}}", RPC_OK, "1", false},
        {"{'jsonrpc': '2.0', 'id': 'x\\'y', 'method': 'login'}", RPC_OK, "\"x\\\"y\"", false},
        {"{'jsonrpc': '2.0', 'id': 'seven', 'method': 'm'}", RPC_OK, "\"seven\"", false},
        {"{'jsonrpc': '2.0', 'id': -1.5, 'method': 'm'}", RPC_OK, "-1.5", false},
        {"{'jsonrpc':'2.0','id':9007199254740991,'method':'m'}", RPC_OK, "9007199254740991", false},
        {"{'id':1795620179123456789,'jsonrpc':'2.0','method':'m'}", RPC_OK, "1795620179123456789",
         false},
        {"{'jsonrpc': '2.0', 'method': 'm', 'id' : 0.10 }", RPC_OK, "0.10", false},
        {"{'jsonrpc': '2.0', 'method': 'm', 'id':\t-1E+400}", RPC_OK, "-1E+400", false},
        {"{'jsonrpc': '2.0', 'method': 'm', 'id': 5.0}", RPC_OK, "5.0", false},
        {"{'params': {'id': 1, 'a': [2, {}]}, ']\\',\\\\': ',:', 'id': -0, 'jsonrpc': '2.0',"
         " 'method': 'm'}",
         RPC_OK, "-0", false},
        {"{'\\u0069d': 1e2, 'jsonrpc': '2.0', 'method': 'm'}", RPC_OK, "1e2", false},
        {"{'id': 12345678901234567890, 'method': 'm'}", RPC_INVALID_REQUEST, "12345678901234567890",
         false},
        {"{'jsonrpc': '2.0', 'id': null, 'method': 'm'}", RPC_OK, "null", false},
        {"{'jsonrpc': '2.0', 'method': 'm'}", RPC_OK, "null", true},
        {"{'jsonrpc': '2.0', 'id': 1, 'method': 'm', 'params': []}", RPC_OK, "1", false},
        {"", RPC_PARSE, "null", false},
        {"{'jsonrpc'", RPC_PARSE, "null", false},
        {"[{'jsonrpc': '2.0', 'id': 1, 'method': 'm'}]", RPC_INVALID_REQUEST, "null", false},
        {"[]", RPC_INVALID_REQUEST, "null", false},
        {"'text'", RPC_INVALID_REQUEST, "null", false},
        {"{'id': 7, 'method': 'm'}", RPC_INVALID_REQUEST, "7", false},
        {"{'jsonrpc': '1.0', 'id': 7, 'method': 'm'}", RPC_INVALID_REQUEST, "7", false},
        {"{'jsonrpc': 2.0, 'id': 7, 'method': 'm'}", RPC_INVALID_REQUEST, "7", false},
        {"{'jsonrpc': '2.0', 'id': 7}", RPC_INVALID_REQUEST, "7", false},
        {"{'jsonrpc': '2.0', 'id': 7, 'method': 3}", RPC_INVALID_REQUEST, "7", false},
        {"{'jsonrpc': '2.0', 'id': 7, 'method': 'm', 'params': 3}", RPC_INVALID_REQUEST, "7",
         false},
        {"{'jsonrpc': '2.0', 'id': [], 'method': 'm'}", RPC_INVALID_REQUEST, "null", false},
        {"{'jsonrpc': '2.0', 'id': true, 'method': 'm'}", RPC_INVALID_REQUEST, "null", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *line = double_quoted(cases[i].line);
        struct rpc_request request;
        enum rpc_error error = rpc_request_parse(&request, line, strlen(line));
        ck_assert_msg(error == cases[i].error, "%s gave %d", line, (int)error);
        ck_assert_msg(error != RPC_OK || request.notification == cases[i].notification, "%s", line);
        struct buf answer = {0}, expected = {0};
        rpc_write_result(&answer, request.id, "true");
        buf_addf(&expected, "{\"jsonrpc\": \"2.0\", \"id\": %s, \"result\": true}\n", cases[i].id);
        ck_assert_str_eq(answer.data, expected.data);
        buf_deinit(&answer);
        buf_deinit(&expected);
        rpc_request_deinit(&request);
        free(line);
    }
}
END_TEST

START_TEST(errors_are_the_protocols) {
    static const struct {
        enum rpc_error error;
        int code;
        const char *message;
    } cases[] = {
        {RPC_PARSE, -32700, "parse error"},
        {RPC_INVALID_REQUEST, -32600, "invalid request"},
        {RPC_METHOD_NOT_FOUND, -32601, "method not found"},
        {RPC_VERSION_FORMAT, -32602,
         "version format isn't correct, it should be in the format X.Y.Z"},
        {RPC_INVALID_PARAMS, -32602, "invalid params: "},
        {RPC_DEVICE, -32000, "problem communicating with device"},
        {RPC_AUTHENTICATION, -32001, "authentication failed"},
        {RPC_NOT_LOGGED_IN, -32002, "not logged in"},
        {RPC_UNKNOWN_DEVICE, -32003, "unknown device: "},
        {RPC_INSTALL_RUNNING, -32004, "another install is in progress"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_int_eq(rpc_error_code(cases[i].error), cases[i].code);
        ck_assert_str_eq(rpc_error_message(cases[i].error), cases[i].message);
    }
}
END_TEST

START_TEST(what_is_written_is_one_line) {
    struct buf out = {0};
    rpc_write_request(&out, 4294967295, "login", "{\"hostname\": \"h\"}");
    ck_assert_str_eq(out.data, "{\"jsonrpc\": \"2.0\", \"id\": 4294967295, \"method\": \"login\", "
                               "\"params\": {\"hostname\": \"h\"}}\n");
    buf_clear(&out);
    rpc_write_request(&out, 2, "logout", NULL);
    ck_assert_str_eq(out.data, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"logout\"}\n");
    buf_clear(&out);
    rpc_write_error(&out, NULL, -32000, "two\nlines \"quoted\"");
    ck_assert_str_eq(out.data, "{\"jsonrpc\": \"2.0\", \"id\": null, \"error\": {\"code\": -32000, "
                               "\"message\": \"two\\nlines \\\"quoted\\\"\"}}\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(answers_are_taken_or_refused_with_the_reason) {
    static const struct {
        const char *line;
        int rc;
        const char *text;
    } cases[] = {
        {"{'jsonrpc': '2.0', 'id': 7, 'result': {}}", 0, ""},
        {"{'jsonrpc': '2.0', 'id': 7, 'result': null}", 0, ""},
        {"{'jsonrpc': '2.0', 'id': 7, 'error': {'code': -32000, 'message': 'broken'}}",
         RPC_DEVICE_ERROR, "broken"},
        {"{'jsonrpc': '2.0', 'id': null, 'error': {'code': -32700, 'message': 'parse error'}}",
         RPC_DEVICE_ERROR, "parse error"},
        {"", ERROR_INPUT, "the answer is not JSON"},
        {"garbage", ERROR_INPUT, "the answer is not JSON"},
        {"{'jsonrpc': '2.0', 'id': 7, 'result': {}", ERROR_INPUT, "the answer is not JSON"},
        {"[]", ERROR_INPUT, "the answer is not JSON-RPC 2.0"},
        {"7", ERROR_INPUT, "the answer is not JSON-RPC 2.0"},
        {"{'id': 7, 'result': {}}", ERROR_INPUT, "the answer is not JSON-RPC 2.0"},
        {"{'jsonrpc': '2.0', 'id': 8, 'result': {}}", ERROR_INPUT,
         "the answer has another id than the question"},
        {"{'jsonrpc': '2.0', 'id': '7', 'result': {}}", ERROR_INPUT, "another id"},
        {"{'jsonrpc': '2.0', 'id': null, 'result': {}}", ERROR_INPUT, "another id"},
        {"{'jsonrpc': '2.0', 'result': {}}", ERROR_INPUT, "another id"},
        {"{'jsonrpc': '2.0', 'id': 8, 'error': {'code': 1, 'message': 'm'}}", ERROR_INPUT,
         "another id"},
        {"{'jsonrpc': '2.0', 'id': 7}", ERROR_INPUT, "neither a result nor an error"},
        {"{'jsonrpc': '2.0', 'id': 7, 'result': 1, 'error': {'code': 1, 'message': 'm'}}",
         ERROR_INPUT, "or both"},
        {"{'jsonrpc': '2.0', 'id': 7, 'error': 'm'}", ERROR_INPUT, "no code or no message"},
        {"{'jsonrpc': '2.0', 'id': 7, 'error': ['m']}", ERROR_INPUT, "no code or no message"},
        {"{'jsonrpc': '2.0', 'id': 7, 'error': {'code': 'x', 'message': 'm'}}", ERROR_INPUT,
         "no code or no message"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *line = double_quoted(cases[i].line);
        struct rpc_response response;
        struct error err = {0};
        int rc = rpc_response_parse(&response, 7, line, strlen(line), &err);
        ck_assert_msg(rc == cases[i].rc, "%s gave %d", line, rc);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s: %s", line, err.text);
        if (rc == 0) {
            ck_assert_ptr_nonnull(response.result);
            rpc_response_deinit(&response);
        }
        free(line);
    }
}
END_TEST

Suite *check_rpc(void) {
    Suite *suite = suite_create("rpc");
    TCase *tcase = tcase_create("rpc");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, requests_are_taken_or_answered_with_the_right_error);
    tcase_add_test(tcase, errors_are_the_protocols);
    tcase_add_test(tcase, what_is_written_is_one_line);
    tcase_add_test(tcase, answers_are_taken_or_refused_with_the_reason);
    return suite;
}
