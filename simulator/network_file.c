// The grammar of a network file, field by field. Each function knows its own field's place, and its
// callers add theirs; yml_place() finds the line. The order is that in which one needs the other:
// sites and types, or an inventory; hosts of their own; then there are devices, and what is odd
// about some; groups; faults.
#include "simulator/network_file.h"

#include "common/count.h"
#include "common/file.h"
#include "common/inventory_builder.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/yml.h"
#include "simulator/network_file_hosts.h"
#include "simulator/network_file_sites.h"
#include "simulator/network_grammar.h"
#include "simulator/network_inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- latency, credentials, versions

static int parse_range(const cJSON *value, struct duration_range *range, struct error *err) {
    const char *text = "0";
    int rc = 0;
    if (!cJSON_IsNumber(value) || value->valuedouble != 0) rc = json_as_string(value, &text, err);
    return rc == 0 ? duration_range_parse(text, range, err) : rc;
}

static void set_latency(struct network *n, const char *name, struct duration_range range) {
    if (strcmp(name, "reboot") != 0) {
        n->latency[operation_parse(name)] = range;
        return;
    }
    n->reboots = true;
    n->reboot = range;
}

static int parse_latency(struct network *n, const cJSON *latency, struct error *err) {
    struct duration_range range;
    if (!cJSON_IsObject(latency)) {
        if (parse_range(latency, &range, err) != 0)
            return network_wrong_in(latency, err, "latency");
        network_set_latency(n, range);
        return 0;
    }
    const char *known[OPERATION_COUNT + 1];
    memcpy(known, operation_names, sizeof operation_names);
    known[OPERATION_COUNT] = "reboot";
    int rc = json_only(latency, known, OPERATION_COUNT + 1, err);
    if (rc != 0) {
        error_in(err, "latency");
        return rc;
    }
    const cJSON *value;
    cJSON_ArrayForEach(value, latency) {
        if (parse_range(value, &range, err) != 0)
            return network_wrong_in(value, err, "latency.%s", value->string);
        set_latency(n, value->string, range);
    }
    return 0;
}

static int parse_text(const cJSON *value, char **text, struct error *err) {
    const char *found;
    int rc = json_as_string(value, &found, err);
    if (rc != 0) return network_wrong_in(value, err, "%s", value->string);
    free(*text);
    *text = mem_strdup(found);
    return 0;
}

static int parse_username(struct network *n, const cJSON *value, struct error *err) {
    return parse_text(value, &n->username, err);
}

static int parse_password(struct network *n, const cJSON *value, struct error *err) {
    return parse_text(value, &n->password, err);
}

static int parse_epochs(struct network *n, const cJSON *value, struct error *err) {
    return inventory_builder_bool(value, &n->epochs, err);
}

static int parse_versions(struct network *n, const cJSON *list, struct error *err) {
    size_t index = 0;
    const cJSON *value;
    if (!cJSON_IsArray(list) || list->child == NULL) {
        error_set(err, "expected an array of versions, with one at least");
        return network_wrong_in(list, err, "versions");
    }
    cJSON_ArrayForEach(value, list) {
        const char *version;
        int rc = network_parse_version(value, &version, err);
        if (rc == 0 && index == NETWORK_VERSIONS_MAX)
            rc = error_set(err, "%d versions at most", NETWORK_VERSIONS_MAX);
        if (rc != 0) return network_wrong_in(value, err, "versions[%zu]", index);
        network_add_version(n, version);
        index++;
    }
    return 0;
}

// --- devices

static int load_inventory(struct network *n, const char *file, const cJSON *root,
                          struct error *err) {
    static const char *const beside[] = {"sites", "dev_types"};
    const cJSON *value = network_field(root, "inventory");
    const char *name;
    for (size_t i = 0; i < COUNT(beside); i++) {
        if (network_field(root, beside[i]) == NULL) continue;
        error_set(err, "they come from the inventory");
        return network_wrong_in(network_field(root, beside[i]), err, "%s", beside[i]);
    }
    int rc = json_as_string(value, &name, err);
    if (rc == 0) {
        char *path = file_beside(file, name);
        if (network_inventory_load(n, path, err) != 0) rc = ERROR_INPUT;
        free(path);
    }
    return rc == 0 ? 0 : network_wrong_in(value, err, "inventory");
}

static int place_devices(struct network *n, const cJSON *root, struct error *err) {
    const cJSON *hosts = network_field(root, "hosts");
    int rc =
        network_file_sites(n, network_field(root, "sites"), network_field(root, "dev_types"), err);
    if (rc == 0 && network_add_defaults(n, err) != 0) rc = network_wrong_at(root, err);
    if (rc == 0 && hosts != NULL) rc = network_file_own_hosts(n, hosts, err);
    if (rc == 0 && network_lay_out(n, err) != 0) rc = network_wrong_at(root, err);
    return rc;
}

static int check_hosts(const cJSON *hosts, struct error *err) {
    return hosts == NULL || json_as_object(hosts, err) == 0 ? 0
                                                            : network_wrong_in(hosts, err, "hosts");
}

static int parse_devices(struct network *n, const char *file, const cJSON *root,
                         struct error *err) {
    const cJSON *hosts = network_field(root, "hosts");
    int rc = check_hosts(hosts, err);
    if (rc == 0)
        rc = network_field(root, "inventory") != NULL ? load_inventory(n, file, root, err)
                                                      : place_devices(n, root, err);
    if (rc == 0 && hosts != NULL) rc = network_file_odd_hosts(n, hosts, err);
    return rc;
}

// --- the policy, and the groups that it forms

static int parse_policy(struct network *n, const cJSON *value, struct error *err) {
    struct policy policy;
    int rc = policy_parse(&policy, value, NULL, NULL, err);
    if (rc == 0)
        network_set_policy(n, &policy);
    else
        error_in(err, "policy");
    return rc;
}

static int form_groups(struct network *n, const cJSON *root, struct error *err) {
    const cJSON *policy = network_field(root, "policy");
    if (policy != NULL && parse_policy(n, policy, err) != 0) return ERROR_INPUT;
    if (network_seal(n, err) == 0) return 0;
    return policy == NULL ? network_wrong_at(root, err) : network_wrong_in(policy, err, "policy");
}

// --- the file

static const struct {
    const char *name;
    int (*parse)(struct network *n, const cJSON *value, struct error *err);
} fields[] = {
    {"latency", parse_latency}, {"username", parse_username}, {"password", parse_password},
    {"epochs", parse_epochs},   {"versions", parse_versions},
};

static int parse_fields(struct network *n, const cJSON *root, struct error *err) {
    for (size_t i = 0; i < COUNT(fields); i++) {
        const cJSON *value = network_field(root, fields[i].name);
        int rc = value == NULL ? 0 : fields[i].parse(n, value, err);
        if (rc != 0) return rc;
    }
    return 0;
}

static int parse_faults(const struct network *n, struct fault_list *faults, const cJSON *root,
                        struct error *err) {
    const cJSON *value = network_field(root, "faults");
    faults->known = (struct fault_known){.names = n->pairs.names, .count = n->pairs.names_len};
    int rc = value == NULL ? 0 : fault_add(faults, value, err);
    if (rc != 0) error_in(err, "faults");
    return rc;
}

int network_file_read(struct network *n, struct fault_list *faults, const char *name,
                      const cJSON *root, struct error *err) {
    int rc = json_as_object(root, err);
    if (rc == 0)
        rc = JSON_ONLY(root, err, "sites", "dev_types", "inventory", "latency", "username",
                       "password", "epochs", "versions", "hosts", "policy", "faults");
    if (rc == 0) rc = parse_fields(n, root, err);
    if (rc == 0) rc = parse_devices(n, name, root, err);
    if (rc == 0) rc = form_groups(n, root, err);
    return rc == 0 ? parse_faults(n, faults, root, err) : rc;
}

int network_file_parse(struct network *n, struct fault_list *faults, const char *name,
                       const char *text, size_t len, struct error *err) {
    struct yml y = {0};
    int rc = yml_parse(&y, name, text, len, err);
    if (rc != 0) return rc;
    rc = network_file_read(n, faults, name, y.root, err);
    if (rc != 0) yml_place(&y, name, err);
    yml_deinit(&y);
    return rc;
}

int network_file_load(struct network *n, struct fault_list *faults, const char *path,
                      struct error *err) {
    struct buf text = {0};
    int rc = file_read(path, &text, err);
    if (rc == 0)
        rc = network_file_parse(n, faults, path, text.len == 0 ? "" : text.data, text.len, err);
    buf_deinit(&text);
    return rc;
}
