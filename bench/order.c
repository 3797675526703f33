// Whether it helps to start the groups in the order of the time that they will need, learnt from an
// earlier job, and not of the number of their hosts: on the virtual clock, on networks whose device
// types do not take equally long.
#include "bench/order.h"

#include "bench/model.h"
#include "bench/stats.h"
#include "common/count.h"
#include "orchestrator/pace.h"

enum { SEEDS = 60, WORKERS = 100 };
static const char version[] = "9.9.9"; // that no device is born with

static double median_ratio(struct model *model, unsigned seeds) {
    double ratios[SEEDS];
    for (unsigned i = 0; i < seeds; i++) {
        struct virtual_result result;
        model_seed(model, i + 1);
        model_run(model, WORKERS, &result);
        ratios[i] = (double)result.makespan_us / virtual_bound_us(&result, WORKERS);
    }
    return stats_median(ratios, seeds);
}

// As the runner learns it, from one job.
static void learn(struct model *model, struct grouping *grouping) {
    struct pace pace = {0};
    const struct inventory *inventory = model->plan->inventory;
    model_seed(model, 1000);
    for (uint32_t host = 0; host < inventory->count; host++)
        pace_learn(&pace, "upgrade_os", inventory_dev_type(inventory, &inventory->hosts[host]),
                   model_upgrade_us(model, host) / 1000);
    pace_weigh(&pace, "upgrade_os", inventory, grouping);
    pace_deinit(&pace);
}

static const struct table_column columns[] = {
    {"edge takes", 1},       {"spine takes", 1},   {"leaf takes", 1},
    {"ratio, by number", 3}, {"ratio, learnt", 3}, {"shorter by %", 1},
};

int order_table(const struct bench_config *config, struct bench_result *result, struct error *err) {
    static const double slowness[][3] = {{1, 1, 1}, {2, 1, 1}, {3, 1, 1},    {4, 2, 1},
                                         {1, 3, 1}, {1, 1, 2}, {1.8, 1.3, 1}};
    struct table *table = bench_table(
        result,
        "Order between groups: most hosts left first, or most time left as learnt from one "
        "earlier job (virtual clock, 100 workers, acme with device types that take longer)",
        columns, COUNT(columns));
    struct plan plan;
    struct model model;
    int rc = plan_init(&plan, NULL, NULL, err);
    if (rc != 0) return rc;
    model_init(&model, &plan, version, NULL);
    model.peers.check = false; // the orders alone
    unsigned seeds = config->tiny ? 1 : SEEDS;
    for (size_t i = 0; i < COUNT(slowness); i++) {
        for (size_t type = 0; type < 3; type++)
            model.slowness[type] = slowness[i][type];
        for (size_t g = 0; g < plan.grouping.count; g++)
            plan.grouping.constraints[g].weight = 1;
        double by_number = median_ratio(&model, seeds);
        learn(&model, &plan.grouping);
        double learnt = median_ratio(&model, seeds);
        table_row(table, slowness[i][0], slowness[i][1], slowness[i][2], by_number, learnt,
                  100 * (1 - learnt / by_number));
    }
    model_deinit(&model);
    plan_deinit(&plan);
    return 0;
}
