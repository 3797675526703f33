// The timeline of a real run, asked from the service that did it.
#pragma once

#include "common/client.h"
#include "orchestrator/job_timeline.h"

// Asks the service at base_url for the job and all of its hosts, with that trust or NULL. timeline
// is zeroed first; deinit it after success and after errors.
int cli_timeline_load(const char *base_url, const struct client_trust *trust, const char *job_id,
                      struct job_timeline *timeline, struct error *err);

// Writes the job's timeline as SVG to the file at path.
int cli_timeline(const char *base_url, const struct client_trust *trust, const char *job_id,
                 const char *path, struct error *err);
