// /jobs/: to find a job again, whether it lives or the store alone knows of it.
#pragma once

#include "common/http.h"
#include "orchestrator/api_events.h"
#include "orchestrator/api_tasks.h"
#include "orchestrator/job_loader.h"
#include "orchestrator/jobs.h"
#include "orchestrator/recover.h"
#include "orchestrator/store.h"

struct api_jobs {        // what it points to is borrowed
    struct jobs *jobs;   // those that live
    struct store *store; // has all of them
    struct job_loader *loader;
    struct recovery *recovery;
    struct gate *gate;
    struct api_tasks *tasks;
    struct api_events *events;
    bool are_taken_up;    // jobs of an earlier process
    bool is_draining;     // no job goes on any more
    struct visit *held;   // what is to change jobs, until they are taken up; in order of arrival
    struct visit *unkept; // what has changed a job, and is not on disk yet
    bool is_closed;       // the store is, or will be at once: nothing is asked of it
    size_t reading;       // requests that the store has yet to answer
};

void api_jobs_open(struct api_jobs *a);  // jobs of an earlier process are the gate's
void api_jobs_drain(struct api_jobs *a); // what is held is refused

// The store cannot be written, and why: who waits for that is told.
void api_jobs_unwell(struct api_jobs *a, const char *why);

// Handlers' parts, and the query parameters that they take. The route's parameter is the job's id.
void api_jobs_list(struct api_jobs *a, struct http_request *r);       // GET /jobs/
void api_jobs_get(struct api_jobs *a, struct http_request *r);        // GET /jobs/{id}/
void api_jobs_hosts(struct api_jobs *a, struct http_request *r);      // GET /jobs/{id}/hosts/
void api_jobs_report(struct api_jobs *a, struct http_request *r);     // GET /jobs/{id}/report/
void api_jobs_events(struct api_jobs *a, struct http_request *r);     // GET /jobs/{id}/events/
void api_jobs_all_events(struct api_jobs *a, struct http_request *r); // GET /events/
void api_jobs_resume(struct api_jobs *a, struct http_request *r);     // POST /jobs/{id}/resume/
void api_jobs_pause(struct api_jobs *a, struct http_request *r);      // POST /jobs/{id}/pause/
void api_jobs_cancel(struct api_jobs *a, struct http_request *r);     // POST /jobs/{id}/cancel/
void api_jobs_retry(struct api_jobs *a, struct http_request *r);      // POST /jobs/{id}/retry/
extern const char *const api_jobs_list_query[], *const api_jobs_hosts_query[];
