// How the admin API answers.
#pragma once

#include "common/buf.h"
#include "common/http.h"

void admin_answer_text(struct http_request *r, int status, struct buf *json); // takes the buffer
