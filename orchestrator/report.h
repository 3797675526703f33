// The report processor: what became of every host of a job, as the answer tells it.
#pragma once

#include "orchestrator/event.h"

#include <cjson/cJSON.h>

struct report;

struct report *report_new(const struct inventory *inventory);
void report_free(struct report *report);

// Records into the job's own report; needs no self.
void report_event(void *self, const struct event *event);

// {"failed": [...], "skipped": [...], "completed": [...]}, hosts in inventory order, as JSON text,
// the caller's to free.
char *report_json(const struct job *job, size_t *len);
