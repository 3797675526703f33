#include "bench/picture.h"

#include "bench/bars.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/timeline_axis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int draw(const struct bench_config *config, const char *what, const char *subtitle,
                const struct timeline_host *hosts, size_t count, uint64_t end_us,
                struct error *err) {
    char title[128], took[TIMELINE_LABEL_MAX];
    struct buf svg = {0};
    timeline_clock(end_us, took);
    snprintf(title, sizeof title, "%s: %zu hosts, %s", what, count, took);
    int rc = timeline_write(&(struct timeline){title, subtitle, hosts, count, end_us}, &svg, err);
    if (rc == 0) rc = file_write(config->timeline, &svg, err);
    buf_deinit(&svg);
    return rc;
}

int picture_foretold(const struct bench_config *config, struct model *model, unsigned workers,
                     uint64_t seed, size_t runs, struct error *err) {
    const struct plan *plan = model->plan;
    const size_t count = plan->inventory->count;
    struct virtual_host *hosts = mem_array(count, sizeof *hosts);
    struct virtual_result result;
    char subtitle[128];
    model_seed(model, seed);
    model_run_hosts(model, workers, hosts, &result);
    struct timeline_host *bars = bars_foretold(plan, hosts);
    snprintf(subtitle, sizeof subtitle,
             "seed %" PRIu64 ", the median of %zu runs on the virtual clock; %u workers", seed,
             runs, workers);
    int rc = draw(config, "A foretold upgrade", subtitle, bars, count, result.makespan_us, err);
    free(bars);
    free(hosts);
    return rc;
}

int picture_live(const struct bench_config *config, unsigned workers,
                 const struct timeline_host *hosts, size_t count, uint64_t end_us,
                 struct error *err) {
    char subtitle[128];
    snprintf(subtitle, sizeof subtitle,
             "seed %" PRIu64 ", live, delays times %g; %u workers; behind it what was foretold",
             config->seed, config->time_scale, workers);
    return draw(config, "An upgrade over its forecast", subtitle, hosts, count, end_us, err);
}
