// One look at a store that several nodes share: who is there, which jobs are open, and their events
// behind those that are known. Pure: whoever reads the rows is given, and may block.
#pragma once

#include "orchestrator/job.h"
#include "orchestrator/store_back.h"

enum { LOOK_EVENTS_MAX = 20000 }; // of a job

struct look_job { // whose events are to be read, behind the number heard
    uint64_t number, heard;
};

struct look_found { // an open job
    uint64_t number;
    char id[JOB_ID_MAX];
};

struct look_events { // of a job, as they were read; strings are copies
    uint64_t number;
    struct store_event *list;
    size_t count, cap;
};

struct look {
    uint64_t nth; // of this node
    struct look_job *asked;
    size_t asked_count;
    // What was read.
    struct store_view view;
    struct look_found *open; // newest first
    size_t open_count, open_cap;
    struct look_events *events; // of each that was asked for
    size_t events_count;
    struct look_events *at; // that is being read
    bool is_cut;            // there is more than was read
    int rc;                 // not 0: nothing of it counts, and err says why
    struct error err;
};

struct look_source {
    void *self;
    int (*view)(void *self, struct store_view *view, struct error *err);
    int (*rows)(void *self, const struct store_query *query, store_row row, void *arg,
                struct error *err);
};

void look_read(struct look *look, const struct look_source *source);
void look_deinit(struct look *look); // zeroed, it may be one again
