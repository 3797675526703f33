// What was heard of jobs as it happened, by GET /events/: against itself, and against what the
// orchestrator tells of them when they are over. Pure: text in, differences in words out, as in
// expect.h.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct heard;

struct heard *heard_new(bool may_forget); // a new process may know nothing of jobs before it
void heard_free(struct heard *heard);     // takes NULL

// An event, by the name and the data that it had. Of each job they must be numbered from 1 on
// without a gap, and of each host there must be one outcome, behind all else. What is not so is
// told by heard_check().
void heard_take(struct heard *heard, const char *name, const char *data);
bool heard_has_end_of(const struct heard *heard, const char *job);

// jobs: as GET /jobs/{id}/ answers, each with "rows", what hosts/ lists. Of those that are done all
// must have been heard, and each row as it was heard last.
void heard_check(const struct heard *heard, const cJSON *jobs, struct buf *differences);
// The log, where it has all that happened: a line for each outcome, of its kind. An empty one is of
// a program that logs elsewhere.
void heard_check_log(const struct heard *heard, const char *log, struct buf *differences);
// A scrape of the process that did it all, and is idle.
void heard_check_metrics(const struct heard *heard, const char *scrape, struct buf *differences);
