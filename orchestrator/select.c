#include "orchestrator/select.h"

#include "common/json.h"
#include "orchestrator/policy_grouping.h"

#include <string.h>

static int narrow(const struct task_request *request, const struct inventory *inventory,
                  struct selection *selection, struct error *err) {
    int rc = inventory_select(inventory, &request->sites, &request->dev_types, selection, err);
    if (rc != 0) return rc;
    rc = inventory_narrow(inventory, &request->hosts, selection, err);
    if (rc != 0) selection_deinit(selection);
    return rc;
}

// A task that changes nothing is held back by nobody.
static const struct policy no_groups = {.ungrouped_allowed = true};

int select_hosts(const struct task_request *request, const struct policy *policy,
                 const struct inventory *inventory, struct selection *selection,
                 struct grouping *grouping, struct error *err) {
    int rc = narrow(request, inventory, selection, err);
    if (rc != 0) return rc;
    rc = policy_grouping(grouping, request->task->reads ? &no_groups : policy, inventory, selection,
                         err);
    if (rc != 0) selection_deinit(selection);
    return rc;
}

int select_from_text(const struct task *task, const char *request, const struct policy *policy,
                     const struct inventory *inventory, struct selection *selection,
                     struct grouping *grouping, struct error *err) {
    struct task_request parsed;
    cJSON *body = NULL;
    int rc = json_parse(request, strlen(request), &body, err);
    if (rc != 0) return rc;
    rc = request_parse(task, body, &parsed, err);
    if (rc == 0) {
        rc = select_hosts(&parsed, policy, inventory, selection, grouping, err);
        request_deinit(&parsed);
    }
    cJSON_Delete(body);
    return rc;
}
