// A report, {"failed": [...], "skipped": [...], "completed": [...]}, against what is expected of
// it. As expect.h: pure, and told as differences.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>

// expected: {failed, skipped, completed}, each a number, a list or an object. Where completed alone
// is given the other two are not looked at; else failed and skipped must be empty where they are
// not given. why tells what the log says of a host, or is NULL.
typedef const char *(*expect_why)(void *arg, const char *host);
void expect_report(const cJSON *expected, const cJSON *report, expect_why why, void *arg,
                   struct buf *differences);
