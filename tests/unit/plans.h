// The plan of a network that is written as text.
#pragma once

#include "bench/plan.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <unistd.h>

static inline struct plan plan_of(const char *network) {
    char path[] = "/tmp/unit-network-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    struct plan plan;
    struct error err;
    fputs(network, file);
    fclose(file);
    int rc = plan_init(&plan, &(struct network_source){.network = path}, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    unlink(path);
    return plan;
}
