// A client that behaves, and waits for an answer as long as such a client does.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { POLITE_ID_MAX = 64 };

// Whether the program at this URL lives, and tells its metrics.
int polite_ask(const char *base, struct error *err);
// How many descriptors it has open, that of this request included; one that was made right before
// may be, too. (Its folder in /proc only root may read: no debugger can look into its memory.)
int polite_count_descriptors(const char *base, double *count, struct error *err);

// All of the orchestrator at this URL: a look at one host, which is waited for; a job that upgrades
// all hosts to the version, and how that is.
int polite_look_at_host(const char *base, const char *host, struct error *err);
int polite_begin_job(const char *base, const char *version, char id[POLITE_ID_MAX],
                     struct error *err);
int polite_look_at_job(const char *base, const char *id, bool *is_done, struct error *err);
