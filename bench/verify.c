#include "bench/verify.h"

#include "bench/bars.h"
#include "bench/live.h"
#include "bench/picture.h"
#include "bench/stats.h"
#include "common/mem.h"

#include <math.h>
#include <stdlib.h>

// A bar is off where its start or end is, by more than so much of the run.
static const double OFF_SHARE = 0.01;

static void note_window(const struct bench_config *config, const struct lab_run *run,
                        const struct virtual_result *forecast, double median_s,
                        struct bench_result *result) {
    const double live_s = run->wall_s / config->time_scale,
                 forecast_s = virtual_window_s(forecast) / config->time_scale;
    if (run->failed != forecast->failed || run->skipped != forecast->skipped)
        bench_note(result,
                   "The live run had %llu failed and %llu skipped hosts; the forecast was %u "
                   "and %u.",
                   (unsigned long long)run->failed, (unsigned long long)run->skipped,
                   forecast->failed, forecast->skipped);
    bench_note(
        result,
        "Live, seed %llu: %.2f s, %llu failed, %llu skipped. Forecast for that seed: %.2f s, "
        "%u failed, %u skipped; over all seeds: %.2f s.",
        (unsigned long long)config->seed, live_s, (unsigned long long)run->failed,
        (unsigned long long)run->skipped, forecast_s, forecast->failed, forecast->skipped,
        median_s);
    bench_goal(result,
               (struct bench_goal){"what-if: the median window forecast, off from a live run by",
                                   " %", 2, 100 * fabs(median_s / live_s - 1), false});
    bench_goal(result,
               (struct bench_goal){"what-if: the window forecast for the seed of that run, off "
                                   "from it by",
                                   " %", 2, 100 * fabs(forecast_s / live_s - 1), false});
}

static void note_bars(const struct bars_distance *d, struct bench_result *result) {
    if (d->count == 0) return;
    bench_note(result,
               "Bar by bar, in parts of that run's length: half of all starts and ends are off "
               "from the forecast by less than %.3f %%, 99 %% of them by less than %.3f %%, and "
               "%s most, by %.3f %%. Of %zu hosts that began %zu are off by more than %g %%, and "
               "%zu came to another end.",
               100 * stats_quantile(d->off, d->count, 0.5),
               100 * stats_quantile(d->off, d->count, 0.99), d->host == NULL ? "none" : d->host,
               100 * d->most, d->hosts, d->hosts_off, 100 * OFF_SHARE, d->hosts_unlike);
    bench_goal(result,
               (struct bench_goal){"what-if: the start or end of any host, off from that run by",
                                   " % of it", 100 * OFF_SHARE, 100 * d->most, false});
}

static int compare(const struct bench_config *config, const struct plan *plan, unsigned workers,
                   const struct virtual_host *hosts, struct job_timeline *live,
                   struct bench_result *result, struct error *err) {
    const struct timeline drawn = job_timeline_drawn(live);
    struct bars_distance distance;
    struct timeline_host *foretold = bars_foretold(plan, hosts);
    bars_lay_over(live->hosts, live->count, drawn.end_us, foretold, plan->inventory->count,
                  OFF_SHARE, &distance);
    note_bars(&distance, result);
    free(distance.off);
    free(foretold);
    if (config->timeline == NULL) return 0;
    const double factor = 1 / config->time_scale;
    bars_stretch(live->hosts, live->count, factor);
    return picture_live(config, workers, live->hosts, live->count,
                        (uint64_t)llround((double)drawn.end_us * factor), err);
}

int verify_forecast(const struct bench_config *config, struct model *model, unsigned workers,
                    double median_s, struct bench_result *result, struct error *err) {
    struct lab_run run;
    struct virtual_result forecast;
    struct job_timeline live;
    const bool is_shown = model->plan->inventory->count <= TIMELINE_HOSTS_MAX;
    bench_progress(config, 0, 0, "a live run, about %.0f s", median_s * config->time_scale);
    model_scale(model, config->time_scale);
    int rc = live_run(config, model, workers, &run, is_shown ? &live : NULL, err);
    struct virtual_host *hosts = mem_array(model->plan->inventory->count, sizeof *hosts);
    model_seed(model, config->seed);
    model_run_hosts(model, workers, hosts, &forecast);
    if (rc == 0) note_window(config, &run, &forecast, median_s, result);
    if (rc == 0 && is_shown) rc = compare(config, model->plan, workers, hosts, &live, result, err);
    if (is_shown) job_timeline_deinit(&live);
    free(hosts);
    return rc;
}
