// GET /hosts/ and /hosts/{host}/ of the orchestrator: the inventory as the service sees it now.
#pragma once

#include "common/http.h"
#include "common/policy.h"
#include "orchestrator/errands.h"
#include "orchestrator/fetch.h"
#include "orchestrator/gate.h"

struct api_hosts { // zeroed but for what is borrowed
    struct fetcher *fetcher;
    const struct policy *policy;
    const struct gate *gate;
    struct errands grouping; // inventories that are put into groups
    bool is_draining;
};

void api_hosts_list(struct api_hosts *hosts, struct http_request *r);
void api_hosts_get(struct api_hosts *hosts, struct http_request *r);
void api_hosts_drain(struct api_hosts *hosts);
