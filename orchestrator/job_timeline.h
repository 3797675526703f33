// The timeline of a job, from what its service answers: GET /jobs/{id}/, and the pages of its
// hosts. Pure.
#pragma once

#include "common/texts.h"
#include "common/timeline.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum { JOB_TIMELINE_HEADING_MAX = 160 };

struct job_timeline {
    struct timeline_host *hosts; // in the order of the job
    size_t count, cap;
    uint64_t expected;    // how many hosts the job has
    const char *last;     // the name of the last host so far; NULL: none yet
    uint64_t makespan_us; // from the job's start to its end; of one that goes on, to the last that
                          // its hosts tell
    struct texts texts;
    char title[JOB_TIMELINE_HEADING_MAX], subtitle[JOB_TIMELINE_HEADING_MAX];
    // What is told of the job.
    const char *id, *task, *version, *state;
    long long started_ms; // wall; 0: not yet
    bool is_done;
};

// Takes what is told of the job. ERROR_INPUT where it has more hosts than a timeline shows, or the
// answer is none of a job. timeline is zeroed first; deinit after success and after errors.
int job_timeline_begin(struct job_timeline *timeline, const cJSON *job, struct error *err);
// Takes a page of hosts. *more: whether there are others to ask for, behind timeline->last.
int job_timeline_add(struct job_timeline *timeline, const cJSON *page, bool *more,
                     struct error *err);
// What is to be drawn, when all hosts are there. It borrows from the timeline.
struct timeline job_timeline_drawn(struct job_timeline *timeline);
void job_timeline_deinit(struct job_timeline *timeline);
