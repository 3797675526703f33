// GET /metrics/.
#pragma once

#include "common/http.h"
#include "simulator/world.h"

// Of a world that was brought up to now.
void admin_metrics_get(const struct world *world, size_t connections, struct http_request *r);
