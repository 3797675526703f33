// What comes on a connection, one request after another: how many bytes may go on to libmicrohttpd,
// which takes what it is given. A head goes on as a whole, and when nothing is wrong with it; a
// body goes on as it comes; so does a chunk, behind a size that is one (RFC 9112, section 7.1).
// Extensions and trailers of chunked bodies are refused. Pure.
#pragma once

#include "common/http_head.h"

enum http_part {
    HTTP_PART_HEAD,
    HTTP_PART_SIZE,      // of a chunk
    HTTP_PART_CHUNK_END, // the line end behind its data
    HTTP_PART_LAST,      // the same, behind the last chunk
};

struct http_pass { // zeroed: a connection begins
    enum http_part part;
    uint64_t heads; // that went on
};

// So many bytes may go on, of these and of those that are to come behind them. Those that may not
// are to be given again, with more behind them; refusal->status, which must be 0, says that they
// are wrong, whatever comes.
uint64_t http_pass(struct http_pass *p, const char *bytes, size_t len,
                   const struct http_limits *limits, struct http_refusal *refusal);
