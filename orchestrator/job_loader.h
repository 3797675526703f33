// Jobs of which the store alone knows become jobs again, off the loop's thread: reading a large one
// is long work. A client pages through it, so the one that was read last is kept.
#pragma once

#include "orchestrator/job.h"
#include "orchestrator/store.h"

struct job_loader;

struct job_loader *job_loader_new(struct store *store); // which is borrowed
void job_loader_free(struct job_loader *loader);        // idle; takes NULL
bool job_loader_is_idle(const struct job_loader *loader);

// Told once, possibly from within: the job, which lives for the call, as its last event that is
// kept left it; NULL: there is none, or (err) it cannot be read.
typedef void (*job_loaded)(void *arg, const struct job *job, const struct error *err);
void job_load_by_id(struct job_loader *loader, const char *id, job_loaded loaded, void *arg);
void job_load_by_key(struct job_loader *loader, const char *key, job_loaded loaded, void *arg);
