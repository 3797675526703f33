#include "simulator/admin_answer.h"

void admin_answer_text(struct http_request *r, int status, struct buf *json) {
    buf_adds(json, "\n");
    size_t len = json->len;
    http_answer(r, status, "application/json", buf_take(json), len);
}
