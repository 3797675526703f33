#include "orchestrator/hosts_view.h"

#include "common/mem.h"
#include "orchestrator/job_view.h"
#include "orchestrator/policy_grouping.h"
#include "orchestrator/shards.h"

#include <stdlib.h>
#include <string.h>

int hosts_view_init(struct hosts_view *view, struct inventory *inventory,
                    const struct policy *policy, bool is_shared, struct error *err) {
    static const struct filter all = {.all = true};
    *view = (struct hosts_view){0};
    int rc = inventory_select(inventory, &all, &all, &view->selection, err);
    if (rc != 0) return rc;
    rc = policy_grouping(&view->grouping, policy, inventory, &view->selection, err);
    if (rc != 0) {
        selection_deinit(&view->selection);
        return rc;
    }
    const struct grouping *g = &view->grouping;
    view->inventory = inventory;
    view->cohorts = mem_array(inventory->count, sizeof *view->cohorts);
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            view->cohorts[g->order[g->cohorts[c].first + i]] = c;
    if (is_shared) view->shards = shards_of(policy, inventory, &view->selection);
    return 0;
}

void hosts_view_deinit(struct hosts_view *view) {
    if (view->inventory == NULL) return;
    free(view->cohorts);
    free(view->shards);
    grouping_deinit(&view->grouping);
    selection_deinit(&view->selection);
    inventory_unref(view->inventory);
}

bool hosts_view_find(const struct hosts_view *view, const char *name, uint32_t *host) {
    const struct inventory *inventory = view->inventory;
    for (uint32_t i = 0; i < inventory->count; i++) {
        if (strcmp(inventory->hosts[i].name, name) != 0) continue;
        *host = i;
        return true;
    }
    return false;
}

static void write_known(struct buf *out, const struct peers_known *known) {
    static const char *const words[] = {[PEERS_NOT_KNOWN] = "unknown",
                                        [PEERS_UP] = "up",
                                        [PEERS_DOWN] = "down",
                                        [PEERS_IN_HAND] = "in_hand"};
    buf_addf(out, ", \"known\": \"%s\", \"known_ms\": ", words[known->is]);
    if (known->is == PEERS_UP || known->is == PEERS_DOWN)
        buf_add_uint(out, known->ms);
    else
        buf_adds(out, "null");
    job_view_add_text(out, "why", known->why);
    job_view_add_text(out, "version", known->version);
}

// Without its end.
static void begin(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                  uint32_t number) {
    const struct inventory *inventory = view->inventory;
    const struct host *host = &inventory->hosts[number];
    const struct peers_known known = gate_known_of(gate, host);
    job_view_begin_host(out, inventory, host, &view->grouping,
                        &view->grouping.cohorts[view->cohorts[number]]);
    write_known(out, &known);
    if (view->shards != NULL) buf_addf(out, ", \"shard\": %u", view->shards[number]);
}

void hosts_view_write(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                      uint32_t host) {
    begin(out, view, gate, host);
    buf_adds(out, "}");
}

static void write_members(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                          const struct constraint *group, uint32_t but) {
    const struct grouping *g = &view->grouping;
    const uint32_t *cohorts = constraint_cohorts(g, group);
    size_t told = 0;
    for (uint32_t c = 0; c < group->cohorts_count; c++) {
        const struct cohort *cohort = &g->cohorts[cohorts[c]];
        for (uint32_t i = 0; i < cohort->count && told < HOSTS_VIEW_PEERS_MAX; i++) {
            if (g->order[cohort->first + i] == but) continue;
            if (told++ > 0) buf_adds(out, ", ");
            hosts_view_write(out, view, gate, g->order[cohort->first + i]);
        }
    }
}

void hosts_view_write_peers(struct buf *out, const struct hosts_view *view, const struct gate *gate,
                            uint32_t host) {
    const struct grouping *g = &view->grouping;
    const struct cohort *cohort = &g->cohorts[view->cohorts[host]];
    const char *between = "";
    begin(out, view, gate, host);
    buf_adds(out, ", \"peers\": [");
    for (const struct constraint *group = NULL;
         (group = grouping_next(g, cohort, group)) != NULL;) {
        buf_addf(out, "%s{\"group\": ", between);
        buf_add_json(out, group->name);
        buf_addf(out, ", \"max_unavailable\": %u, \"members\": %u, \"hosts\": [", group->limit,
                 group->members);
        write_members(out, view, gate, group, host);
        buf_adds(out, "]}");
        between = ", ";
    }
    buf_adds(out, "]}");
}
