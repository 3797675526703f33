#include "orchestrator/request.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

// filter_dev_sites is an older name of filter_sites.
static const char *const filter_fields[] = {"filter_sites", "filter_dev_types", "filter_hosts",
                                            "filter_dev_sites"};
enum { FILTER_FIELDS = COUNT(filter_fields) };

static int check_known(const struct task *task, const cJSON *body, struct error *err) {
    size_t count = task->fields_count + FILTER_FIELDS;
    const char **known = mem_array(count, sizeof *known);
    for (size_t i = 0; i < task->fields_count; i++)
        known[i] = task->fields[i].name;
    for (size_t i = 0; i < FILTER_FIELDS; i++)
        known[task->fields_count + i] = filter_fields[i];
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
    *request = (struct task_request){0};
}
