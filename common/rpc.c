#include "common/rpc.h"

#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    int code;
    const char *message;
} errors[] = {
    [RPC_OK] = {0, ""},
#define X(name, code, message) [RPC_##name] = {code, message},
#include "common/rpc_errors.def"
#undef X
};

int rpc_error_code(enum rpc_error e) {
    return errors[e].code;
}

const char *rpc_error_message(enum rpc_error e) {
    return errors[e].message;
}

static bool valid_id(const cJSON *id) {
    return id == NULL || cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id);
}

// Where the value of an object's member begins. text has passed json_parse(), and has that member.
static const char *member_value(const char *text, size_t member) {
    size_t depth = 0;
    bool in_string = false;
    for (;; text++) {
        if (in_string && *text == '\\') {
            text++;
        } else if (*text == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            if (*text == '{' || *text == '[') depth++;
            if (*text == '}' || *text == ']') depth--;
            if (*text == ',' && depth == 1) member--;
            if (*text == ':' && depth == 1 && member == 0) break;
        }
    }
    return text + 1 + strspn(text + 1, " \t\r\n");
}

// A number that is echoed keeps its text: as a double 1795620179123456789 is another one.
static void keep_text(cJSON *number, const char *line) {
    size_t member = 0;
    for (const cJSON *c = number; c->prev->next != NULL; c = c->prev)
        member++;
    const char *text = member_value(line, member);
    number->valuestring = mem_strndup(text, strspn(text, "+-.0123456789Ee"));
}

enum rpc_error rpc_request_parse(struct rpc_request *r, const char *line, size_t len) {
    *r = (struct rpc_request){0};
    struct error ignored;
    if (json_parse(line, len, &r->json, &ignored) != 0) return RPC_PARSE;
    if (!cJSON_IsObject(r->json)) return RPC_INVALID_REQUEST;
    cJSON *id = cJSON_GetObjectItemCaseSensitive(r->json, "id");
    if (!valid_id(id)) return RPC_INVALID_REQUEST;
    if (cJSON_IsNumber(id)) keep_text(id, line);
    r->id = id;

    const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->json, "jsonrpc");
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(r->json, "method");
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(r->json, "params");
    if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        return RPC_INVALID_REQUEST;
    if (!cJSON_IsString(method)) return RPC_INVALID_REQUEST;
    if (params != NULL && !cJSON_IsObject(params) && !cJSON_IsArray(params))
        return RPC_INVALID_REQUEST;
    r->notification = id == NULL;
    r->method = method->valuestring;
    r->params = params;
    return RPC_OK;
}

void rpc_request_deinit(struct rpc_request *r) {
    cJSON_Delete(r->json);
    *r = (struct rpc_request){0};
}

static void write_id(struct buf *out, const cJSON *id) {
    buf_adds(out, "{\"jsonrpc\": \"2.0\", \"id\": ");
    if (id == NULL || cJSON_IsNull(id)) {
        buf_adds(out, "null");
    } else if (cJSON_IsString(id)) {
        buf_add_json(out, id->valuestring);
    } else {
        json_add_text(out, id);
    }
}

void rpc_write_result(struct buf *out, const cJSON *id, const char *result) {
    write_id(out, id);
    buf_adds(out, ", \"result\": ");
    buf_adds(out, result);
    buf_adds(out, "}\n");
}

void rpc_write_error(struct buf *out, const cJSON *id, int code, const char *message) {
    write_id(out, id);
    buf_addf(out, ", \"error\": {\"code\": %d, \"message\": ", code);
    buf_add_json(out, message);
    buf_adds(out, "}}\n");
}

void rpc_write_request(struct buf *out, uint32_t id, const char *method, const char *params) {
    buf_adds(out, "{\"jsonrpc\": \"2.0\", \"id\": ");
    buf_add_uint(out, id);
    buf_adds(out, ", \"method\": \"");
    buf_adds(out, method);
    buf_adds(out, "\"");
    if (params != NULL) {
        buf_adds(out, ", \"params\": ");
        buf_adds(out, params);
    }
    buf_adds(out, "}\n");
}

static int check_error(const cJSON *error, struct error *err) {
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(error, "message");
    if (!cJSON_IsNumber(code) || !cJSON_IsString(message))
        return error_set(err, "the answer's error has no code or no message");
    error_set(err, "%s", message->valuestring);
    return RPC_DEVICE_ERROR;
}

static int check_response(struct rpc_response *r, uint32_t id, struct error *err) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->json, "jsonrpc");
    const cJSON *got = cJSON_GetObjectItemCaseSensitive(r->json, "id");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(r->json, "error");
    r->result = cJSON_GetObjectItemCaseSensitive(r->json, "result");
    if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        return error_set(err, "the answer is not JSON-RPC 2.0");
    if (!cJSON_IsNumber(got) || got->valuedouble != (double)id) {
        if (error != NULL && cJSON_IsNull(got)) return check_error(error, err);
        return error_set(err, "the answer has another id than the question");
    }
    if ((r->result == NULL) == (error == NULL))
        return error_set(err, "the answer has neither a result nor an error, or both");
    return error == NULL ? 0 : check_error(error, err);
}

int rpc_response_parse(struct rpc_response *r, uint32_t id, const char *line, size_t len,
                       struct error *err) {
    *r = (struct rpc_response){0};
    struct error why;
    mem_scratch_begin();
    int rc = json_parse(line, len, &r->json, &why);
    rc = rc != 0 ? error_set(err, "the answer is not JSON") : check_response(r, id, err);
    if (rc != 0) rpc_response_deinit(r);
    return rc;
}

void rpc_response_deinit(struct rpc_response *r) {
    cJSON_Delete(r->json);
    mem_scratch_end();
    *r = (struct rpc_response){0};
}
