// A job as the store has it becomes a job again. Pure.
#pragma once

#include "orchestrator/job.h"

// Of a row with its image: all hosts wait, and what is known of them and of the job itself comes
// with its events, each through job_apply(). NULL: the error says what is wrong with the row.
struct job *job_from_store(const struct store_job *row, struct error *err);
