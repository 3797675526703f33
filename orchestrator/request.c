#include "orchestrator/request.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

// Of every task. filter_dev_sites is an older name of filter_sites.
static const char *const common_fields[] = {"filter_sites",     "filter_dev_types", "filter_hosts",
                                            "filter_dev_sites", "dry_run",          "expect_hosts",
                                            "canaries"};
enum { COMMON_FIELDS = COUNT(common_fields) };

static int check_known(const struct task *task, const cJSON *body, struct error *err) {
    size_t count = 0;
    const char **known =
        mem_array(task->fields_count + COMMON_FIELDS + BRAKES_FIELDS, sizeof *known);
    for (size_t i = 0; i < task->fields_count; i++)
        known[count++] = task->fields[i].name;
    for (size_t i = 0; i < COMMON_FIELDS; i++)
        known[count++] = common_fields[i];
    for (size_t i = 0; i < BRAKES_FIELDS; i++)
        known[count++] = brakes_fields[i];
    int rc = json_only(body, known, count, err);
    free(known);
    return rc;
}

static int parse_filter(const cJSON *body, const char *name, struct filter *filter,
                        struct error *err) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);
    filter->all = value == NULL || cJSON_IsNull(value);
    if (filter->all) return 0;
    if (!cJSON_IsArray(value)) {
        error_set(err, "expected an array of strings, not %s", json_type_name(value));
        error_in(err, "%s", name);
        return ERROR_INPUT;
    }
    filter->names = mem_array((size_t)cJSON_GetArraySize(value), sizeof *filter->names);
    const cJSON *element;
    cJSON_ArrayForEach(element, value) {
        if (json_as_string(element, &filter->names[filter->count], err) != 0) {
            error_in_list(err, name, filter->count);
            return ERROR_INPUT;
        }
        filter->count++;
    }
    return 0;
}

static int parse_fields(const struct task *task, const cJSON *body, struct task_args *args,
                        struct error *err) {
    for (size_t i = 0; i < task->fields_count; i++) {
        const struct task_field *f = &task->fields[i];
        int rc = f->parse(cJSON_GetObjectItemCaseSensitive(body, f->name), args, err);
        if (rc == 0) continue;
        error_in(err, "%s", f->name);
        return rc;
    }
    return 0;
}

static int parse_dry_run(const cJSON *value, bool *is_dry_run, struct error *err) {
    if (value == NULL) return 0;
    if (!cJSON_IsBool(value)) {
        error_set(err, "expected true or false, not %s", json_type_name(value));
        error_in(err, "dry_run");
        return ERROR_INPUT;
    }
    *is_dry_run = cJSON_IsTrue(value);
    return 0;
}

static int parse_expected(const cJSON *body, uint32_t *hosts, struct error *err) {
    uint64_t number = REQUEST_ANY_HOSTS;
    int rc = json_uint_opt(body, "expect_hosts", 0, INVENTORY_HOSTS_MAX, &number, err);
    *hosts = (uint32_t)number;
    return rc;
}

// How the job is to run, and when it is to stop by itself.
static int parse_run(const cJSON *body, struct task_request *r, struct error *err) {
    int rc = brakes_parse(body, &r->brakes, err);
    if (rc == 0)
        rc = canaries_parse(cJSON_GetObjectItemCaseSensitive(body, "canaries"), &r->canaries, err);
    if (rc == 0) rc = parse_expected(body, &r->expected_hosts, err);
    if (rc == 0)
        rc = parse_dry_run(cJSON_GetObjectItemCaseSensitive(body, "dry_run"), &r->is_dry_run, err);
    return rc;
}

int request_parse(const struct task *task, const cJSON *body, struct task_request *request,
                  struct error *err) {
    struct task_request r = {.task = task};
    if (!cJSON_IsObject(body))
        return error_set(err, "the body: expected a JSON object, not %s", json_type_name(body));
    int rc = check_known(task, body, err);
    if (rc != 0) return rc;
    const char *sites = "filter_sites";
    if (cJSON_HasObjectItem(body, "filter_dev_sites")) {
        sites = "filter_dev_sites";
        if (cJSON_HasObjectItem(body, "filter_sites")) {
            error_set(err, "it means filter_sites; give one of the two");
            error_in(err, "%s", sites);
            return ERROR_INPUT;
        }
    }
    rc = parse_fields(task, body, &r.args, err);
    if (rc == 0) rc = parse_filter(body, sites, &r.sites, err);
    if (rc == 0) rc = parse_filter(body, "filter_dev_types", &r.dev_types, err);
    if (rc == 0) rc = parse_filter(body, "filter_hosts", &r.hosts, err);
    if (rc == 0) rc = parse_run(body, &r, err);
    if (rc != 0) {
        request_deinit(&r);
        return rc;
    }
    *request = r;
    return 0;
}

void request_deinit(struct task_request *request) {
    free(request->sites.names);
    free(request->dev_types.names);
    free(request->hosts.names);
    canaries_deinit(&request->canaries);
    *request = (struct task_request){0};
}
