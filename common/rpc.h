// The envelope of the device protocol: JSON-RPC 2.0, one object a line (spec/acmeos.md). Both ends.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RPC_LINE_MAX = 65536, RPC_DROP_MAX = 1 << 20 }; // bytes; spec/acmeos.md, "Transport"

enum rpc_error {
    RPC_OK = 0,
#define X(name, code, message) RPC_##name,
#include "common/rpc_errors.def"
#undef X
};

int rpc_error_code(enum rpc_error e);
const char *rpc_error_message(enum rpc_error e); // where it ends in a space, a detail follows

// --- the device's end

struct rpc_request {
    cJSON *json; // owns all that the other fields point to
    const cJSON *id;
    bool notification; // no id: carried out, not answered
    const char *method;
    const cJSON *params; // an object, or NULL
};

// RPC_OK, or what to answer (RPC_PARSE, RPC_INVALID_REQUEST); id is set where one was readable.
// Deinit it in either case.
enum rpc_error rpc_request_parse(struct rpc_request *r, const char *line, size_t len);
void rpc_request_deinit(struct rpc_request *r);

// Answers as lines, LF included. A NULL id is written as null. Result is JSON text.
void rpc_write_result(struct buf *out, const cJSON *id, const char *result);
void rpc_write_error(struct buf *out, const cJSON *id, int code, const char *message);

// --- the client's end

// A request as a line; params is JSON text, or NULL for none.
void rpc_write_request(struct buf *out, uint32_t id, const char *method, const char *params);

enum { RPC_DEVICE_ERROR = 2 }; // the device answered with an error object

struct rpc_response {
    cJSON *json;
    const cJSON *result;
};

// 0 and the result; RPC_DEVICE_ERROR and the device's own message in err; or ERROR_INPUT and what
// is wrong with the answer. After 0 deinit it before the next is parsed: it is read in scratch
// memory (mem.h).
int rpc_response_parse(struct rpc_response *r, uint32_t id, const char *line, size_t len,
                       struct error *err);
void rpc_response_deinit(struct rpc_response *r);
