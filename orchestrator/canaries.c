#include "orchestrator/canaries.h"

#include "common/glob.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

// --- the request

static int in_canaries(struct error *err) {
    error_in(err, "canaries");
    return ERROR_INPUT;
}

static int parse_hosts(const cJSON *value, struct filter *hosts, struct error *err) {
    const int count = cJSON_GetArraySize(value);
    const cJSON *element;
    if (count == 0 || count > CANARIES_MAX) {
        error_set(err, "expected from 1 to %d names or globs, not %d", CANARIES_MAX, count);
        return in_canaries(err);
    }
    hosts->all = false;
    hosts->names = mem_array((size_t)count, sizeof *hosts->names);
    cJSON_ArrayForEach(element, value) {
        if (json_as_string(element, &hosts->names[hosts->count], err) != 0) {
            error_in_list(err, "canaries", hosts->count);
            return ERROR_INPUT;
        }
        hosts->count++;
    }
    return 0;
}

int canaries_parse(const cJSON *value, struct canaries *canaries, struct error *err) {
    uint64_t groups;
    *canaries = (struct canaries){.hosts = {.all = true}};
    if (value == NULL) return 0;
    if (cJSON_IsArray(value)) return parse_hosts(value, &canaries->hosts, err);
    if (!cJSON_IsNumber(value)) {
        error_set(err, "expected a number of groups, or an array of names or globs, not %s",
                  json_type_name(value));
        return in_canaries(err);
    }
    if (json_as_uint(value, 1, CANARIES_MAX, &groups, err) != 0) return in_canaries(err);
    canaries->groups = (uint32_t)groups;
    return 0;
}

void canaries_deinit(struct canaries *canaries) {
    free(canaries->hosts.names);
    canaries->hosts.names = NULL;
}

// --- hosts

static const struct host *host_at(const struct job *job, size_t place) {
    return &job->inventory->hosts[job->selection.hosts[place]];
}

static void mark(struct job *job, size_t place) {
    if (job->hosts[place].is_canary) return;
    job->hosts[place].is_canary = true;
    job->canaries_left++;
    if (job->left != NULL) job->left[job_shard(job, (uint32_t)place)].canaries++;
}

static bool is_selected(const struct job *job, const char *name) {
    for (size_t i = 0; i < job->selection.count; i++)
        if (strcmp(host_at(job, i)->name, name) == 0) return true;
    return false;
}

// A name is looked for as it is before it is read as a glob, as in filter_hosts.
static int mark_entry(struct job *job, const char *entry, struct error *err) {
    const bool is_glob = glob_is(entry) && !is_selected(job, entry);
    bool is_found = false;
    for (size_t i = 0; i < job->selection.count; i++) {
        const struct host *host = host_at(job, i);
        if (is_glob ? !glob_matches(entry, host->name) : strcmp(entry, host->name) != 0) continue;
        if (host->platform == 0) {
            is_found = true;
            mark(job, i);
        } else if (!is_glob) {
            return error_set(err, "%.100s is of platform %.40s, and is not worked on", entry,
                             inventory_platform(job->inventory, host));
        }
    }
    if (is_found) return 0;
    return error_set(err, "none of the selected hosts is '%.100s'", entry);
}

static int mark_hosts(struct job *job, const struct filter *hosts, struct error *err) {
    for (size_t i = 0; i < hosts->count; i++) {
        if (mark_entry(job, hosts->names[i], err) == 0) continue;
        error_in_list(err, "canaries", i);
        return ERROR_INPUT;
    }
    return 0;
}

// --- groups

static bool is_first_of(const struct grouping *g, const struct cohort *cohort, uint32_t group) {
    const uint32_t *needs = cohort_needs(g, cohort);
    for (uint32_t n = 0; n < cohort->needs_count; n++)
        if (needs[n] == (group | NEED_FIRST)) return true;
    return false;
}

// Whether the group has selected hosts that go before its others.
static bool has_first(const struct grouping *g, uint32_t group) {
    const uint32_t *cohorts = constraint_cohorts(g, &g->constraints[group]);
    for (uint32_t c = 0; c < g->constraints[group].cohorts_count; c++)
        if (is_first_of(g, &g->cohorts[cohorts[c]], group)) return true;
    return false;
}

// In each of its groups it is one of those that may begin before any other has.
static bool may_lead(const struct grouping *g, const struct cohort *cohort, const bool *is_led) {
    const uint32_t *needs = cohort_needs(g, cohort);
    for (uint32_t n = 0; n < cohort->needs_count; n++) {
        const uint32_t number = need_constraint(needs[n]);
        if (!g->constraints[number].redundancy) continue;
        if (is_led[number]) return false;
        if (needs[n] < NEED_FIRST && has_first(g, number)) return false;
    }
    return true;
}

static void lead(const struct grouping *g, const struct cohort *cohort, bool *is_led) {
    const uint32_t *needs = cohort_needs(g, cohort);
    for (uint32_t n = 0; n < cohort->needs_count; n++)
        is_led[need_constraint(needs[n])] = true;
}

// Cohorts stand in the order of their first hosts: so do the groups' first.
static void mark_groups(struct job *job, uint32_t groups) {
    const struct grouping *g = &job->grouping;
    bool *is_led = mem_array(g->count, sizeof *is_led);
    for (size_t c = 0; c < g->cohorts_count && groups > 0; c++) {
        const struct cohort *cohort = &g->cohorts[c];
        for (uint32_t i = 0; i < cohort->count; i++) {
            const uint32_t host = g->order[cohort->first + i];
            if (job->inventory->hosts[host].platform != 0) continue;
            if (!may_lead(g, cohort, is_led)) break;
            lead(g, cohort, is_led);
            mark(job, job_place(job, host));
            groups--;
            break;
        }
    }
    free(is_led);
}

// --- the policy's own order

static uint32_t *cohorts_of_canaries(const struct job *job) {
    const struct grouping *g = &job->grouping;
    uint32_t *canaries = mem_array(g->cohorts_count, sizeof *canaries); // so many of each
    for (size_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            canaries[c] += job_host(job, g->order[g->cohorts[c].first + i])->is_canary;
    return canaries;
}

static uint32_t find_host(const struct job *job, const struct cohort *cohort, bool is_canary) {
    const uint32_t *order = job->grouping.order;
    uint32_t i = cohort->first;
    while (job_host(job, order[i])->is_canary != is_canary)
        i++;
    return order[i];
}

// A canary that the group has go behind others that are none.
static int check_group(const struct job *job, uint32_t number, const uint32_t *canaries,
                       struct error *err) {
    const struct grouping *g = &job->grouping;
    const struct constraint *group = &g->constraints[number];
    const uint32_t *cohorts = constraint_cohorts(g, group);
    const struct cohort *ahead = NULL, *behind = NULL;
    for (uint32_t i = 0; i < group->cohorts_count; i++) {
        const uint32_t c = cohorts[i];
        const bool is_first = is_first_of(g, &g->cohorts[c], number);
        if (is_first && canaries[c] < g->cohorts[c].count) ahead = &g->cohorts[c];
        if (!is_first && canaries[c] > 0) behind = &g->cohorts[c];
    }
    if (ahead == NULL || behind == NULL) return 0;
    const struct host *hosts = job->inventory->hosts;
    error_set(err, "opposite orders: the canary %.80s goes before %.80s, which goes first of %.80s",
              hosts[find_host(job, behind, true)].name, hosts[find_host(job, ahead, false)].name,
              group->name);
    return in_canaries(err);
}

static int check_order(const struct job *job, struct error *err) {
    const struct grouping *g = &job->grouping;
    uint32_t *canaries = cohorts_of_canaries(job);
    int rc = 0;
    for (uint32_t i = 0; i < g->count && rc == 0; i++)
        if (g->constraints[i].redundancy) rc = check_group(job, i, canaries, err);
    free(canaries);
    return rc;
}

int canaries_mark(struct job *job, const struct canaries *canaries, struct error *err) {
    if (canaries->groups > 0) {
        mark_groups(job, canaries->groups);
        return 0;
    }
    if (canaries->hosts.all) return 0;
    int rc = mark_hosts(job, &canaries->hosts, err);
    return rc == 0 ? check_order(job, err) : rc;
}
