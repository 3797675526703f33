// What must hold of a job that was surrounded by those who do not behave.
#pragma once

#include "common/error.h"

#include <stddef.h>

struct verdict {
    const char *api, *admin; // URLs
    const char *log;         // the orchestrator's file
    const char *job;         // its id; it is done
    size_t good;             // hosts that behave
};

// Each good host is completed and its device runs the version; each rude one has exactly one
// outcome, in the job, in its report and in the log, with a text of its row in the table; the log
// has the lines that clients must leave there; the referee saw nothing. An error says what is not
// so.
int verdict_check(const struct verdict *v, struct error *err);

// What a program wrote to stderr: nothing in it may tell of a mistake of its own.
int verdict_check_stderr(const char *path, struct error *err);
