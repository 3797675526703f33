// GET /metrics/ of the orchestrator.
#pragma once

#include "common/http.h"
#include "orchestrator/metrics.h"

// Answers with a scrape, in pieces; metrics must live until the server is closed.
void api_metrics_answer(struct http_request *r, const struct metrics *metrics,
                        const struct metrics_now *now);
