#include "common/inventory_nornir.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 }; // of groups in groups

struct group {
    const cJSON *entry;
    const struct group **parents; // itself first, then all that it inherits from, in order
    size_t count;
    enum { NEW, OPEN, RESOLVED } state;
};

struct reader {
    struct inventory_builder *builder;
    struct group *groups;
    size_t groups_count;
    struct strmap by_name; // name -> struct group
    bool alone;            // there is no groups.yaml
    const cJSON *defaults;
};

// What a host inherits from, itself first, the defaults last.
struct layers {
    const cJSON **list;
    size_t count;
};

static const cJSON *get(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(value) ? NULL : value;
}

bool inventory_is_nornir(const cJSON *document) {
    static const char *const scalars[] = {"hostname", "port", "platform", "username", "password"};
    const cJSON *entry;
    cJSON_ArrayForEach(entry, document) {
        if (cJSON_IsArray(get(entry, "groups"))) return true;
        for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
            const cJSON *value = get(entry, scalars[i]);
            if (cJSON_IsString(value) || cJSON_IsNumber(value)) return true;
        }
    }
    return false;
}

// --- what an entry of any of the three files must look like

static int wrong(const cJSON *at, const char *field, struct error *err) {
    error_in(err, "%s", field);
    err->at = at;
    return ERROR_INPUT;
}

static int check_known(const cJSON *entry, struct error *err) {
    int rc = JSON_ONLY(entry, err, "hostname", "port", "username", "password", "platform", "groups",
                       "data", "connection_options");
    if (rc == 0) return 0;
    const cJSON *field = err->at;
    if (inventory_means_groups(field->string))
        error_set(err, "unknown field; did you mean groups, or redundancy_groups in data?");
    else if (strstr(err->text, "did you mean") == NULL)
        error_set(err, "unknown field; what is known of a host goes into data");
    else
        return rc;
    error_in(err, "%.100s", field->string);
    err->at = field;
    return rc;
}

static int check_entry(const cJSON *entry, struct error *err) {
    const cJSON *groups = get(entry, "groups"), *name;
    if (cJSON_IsNull(entry)) return 0;
    int rc = json_as_object(entry, err);
    if (rc == 0) rc = check_known(entry, err);
    if (rc == 0 && get(entry, "data") != NULL && json_as_object(get(entry, "data"), err) != 0)
        return wrong(get(entry, "data"), "data", err);
    if (rc != 0 || groups == NULL) return rc;
    bool names = cJSON_IsArray(groups);
    cJSON_ArrayForEach(name, groups) names = names && cJSON_IsString(name);
    if (names) return 0;
    error_set(err, "expected an array of the names of groups");
    return wrong(groups, "groups", err);
}

static void note(struct reader *r, const cJSON *entry, struct error *err) {
    if (err->at == NULL) err->at = entry;
    if (entry->string != NULL) error_in(err, "%.100s", entry->string);
    inventory_builder_note(r->builder, err);
}

// --- groups

static bool has(const struct group *const *list, size_t count, const struct group *group) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == group) return true;
    return false;
}

static int find_group(const struct reader *r, const cJSON *name, struct group **out,
                      struct error *err) {
    *out = strmap_get(&r->by_name, name->valuestring);
    if (*out != NULL) return 0;
    if (r->alone)
        error_set(err, "'%.60s': there is no groups.yaml; or give the folder, not its file",
                  name->valuestring);
    else
        error_set(err, "there is no group '%.60s' in groups.yaml", name->valuestring);
    return wrong(name, "groups", err);
}

static int resolve(struct reader *r, struct group *group, int depth, struct error *err);

// Appends a group and all that it inherits from, each once.
static int inherit(struct reader *r, const cJSON *name, int depth, const struct group ***list,
                   size_t *count, struct error *err) {
    struct group *group;
    int rc = find_group(r, name, &group, err);
    if (rc == 0) rc = resolve(r, group, depth, err);
    if (rc != 0) return rc;
    for (size_t i = 0; i < group->count; i++) {
        if (has(*list, *count, group->parents[i])) continue;
        *list = mem_resize(*list, *count + 1, sizeof **list);
        (*list)[(*count)++] = group->parents[i];
    }
    return 0;
}

static int resolve(struct reader *r, struct group *group, int depth, struct error *err) {
    const cJSON *name;
    if (group->state == RESOLVED) return 0;
    if (group->state == OPEN || depth > DEPTH_MAX) {
        error_set(err,
                  group->state == OPEN ? "the group '%.60s' inherits from itself"
                                       : "the group '%.60s' inherits through too many others",
                  group->entry->string);
        return wrong(group->entry, "groups", err);
    }
    group->state = OPEN;
    group->parents = mem_array(1, sizeof *group->parents);
    group->parents[group->count++] = group;
    cJSON_ArrayForEach(name, get(group->entry, "groups")) {
        int rc = inherit(r, name, depth + 1, &group->parents, &group->count, err);
        if (rc != 0) return rc;
    }
    group->state = RESOLVED;
    return 0;
}

static void read_groups(struct reader *r, const cJSON *groups) {
    struct error err;
    const cJSON *entry;
    if (groups == NULL || cJSON_IsNull(groups)) return;
    if (json_as_object(groups, &err) != 0) {
        note(r, groups, &err);
        return;
    }
    r->groups = mem_array((size_t)cJSON_GetArraySize(groups), sizeof *r->groups);
    cJSON_ArrayForEach(entry, groups) {
        if (check_entry(entry, &err) != 0) note(r, entry, &err);
        struct group *group = &r->groups[r->groups_count++];
        group->entry = entry;
        strmap_put(&r->by_name, entry->string, group);
    }
    for (size_t i = 0; r->builder->errors == 0 && i < r->groups_count; i++)
        if (resolve(r, &r->groups[i], 0, &err) != 0) note(r, r->groups[i].entry, &err);
}

// --- hosts

static int find_layers(struct reader *r, const cJSON *entry, struct layers *layers,
                       struct error *err) {
    const struct group **groups = NULL;
    const cJSON *name;
    size_t count = 0;
    int rc = 0;
    cJSON_ArrayForEach(name, get(entry, "groups")) {
        rc = inherit(r, name, 0, &groups, &count, err);
        if (rc != 0) break;
    }
    *layers = (struct layers){.list = mem_array(count + 2, sizeof *layers->list)};
    layers->list[layers->count++] = entry;
    for (size_t i = 0; i < count; i++)
        layers->list[layers->count++] = groups[i]->entry;
    if (r->defaults != NULL) layers->list[layers->count++] = r->defaults;
    free(groups);
    return rc;
}

static const cJSON *field_of(const struct layers *layers, const char *key) {
    for (size_t i = 0; i < layers->count; i++) {
        const cJSON *value = get(layers->list[i], key);
        if (value != NULL) return value;
    }
    return NULL;
}

// The first layer that has it says what it is, be it null; before: so many layers are asked.
static const cJSON *datum_of(const struct layers *layers, size_t before, const char *key) {
    for (size_t i = 0; i < before; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(get(layers->list[i], "data"), key);
        if (value != NULL) return value;
    }
    return NULL;
}

static int read_data(struct reader *r, const struct layers *layers, const char *key,
                     const char **out, struct error *err) {
    int rc = inventory_builder_text(r->builder, datum_of(layers, layers->count, key), out, err);
    if (rc != 0) error_in(err, "data");
    return rc;
}

static int read_port(const cJSON *port, uint64_t *out, struct error *err) {
    if (port == NULL) return 0;
    int rc = json_as_uint(port, 1, UINT16_MAX, out, err);
    return rc == 0 ? 0 : wrong(port, "port", err);
}

static int read_flag(const struct layers *layers, const char *key, bool *out, struct error *err) {
    const cJSON *flag = datum_of(layers, layers->count, key);
    int rc = cJSON_IsNull(flag) ? 0 : inventory_builder_bool(flag, out, err);
    if (rc != 0) error_in(err, "data");
    return rc;
}

static int read_fields(struct reader *r, const struct layers *layers, struct host_fields *f,
                       struct error *err) {
    int rc = inventory_builder_text(r->builder, field_of(layers, "platform"), &f->platform, err);
    if (rc == 0) rc = read_data(r, layers, "site", &f->site, err);
    if (rc == 0) rc = read_data(r, layers, "dev_type", &f->dev_type, err);
    if (rc == 0) rc = read_data(r, layers, "rack", &f->rack, err);
    if (rc != 0 || f->platform == NULL || strcmp(f->platform, "acmeos") != 0) return rc;
    rc = inventory_builder_text(r->builder, field_of(layers, "hostname"), &f->address, err);
    if (rc == 0) rc = read_flag(layers, "tls", &f->tls, err);
    if (rc == 0) rc = read_flag(layers, "epochs", &f->epochs, err);
    if (rc == 0) rc = read_port(field_of(layers, "port"), &f->port, err);
    if (rc == 0)
        rc = inventory_builder_secret(field_of(layers, "username"), &f->credentials.username, err);
    if (rc == 0)
        rc = inventory_builder_secret(field_of(layers, "password"), &f->credentials.password, err);
    return rc;
}

static bool is_field(const char *key) {
    static const char *const fields[] = {"site", "dev_type", "rack", "tls", "epochs"};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (strcmp(key, fields[i]) == 0) return true;
    return false;
}

static int read_attributes(struct reader *r, const struct layers *layers, struct error *err) {
    for (size_t i = 0; i < layers->count; i++) {
        const cJSON *field;
        cJSON_ArrayForEach(field, get(layers->list[i], "data")) {
            if (is_field(field->string) || datum_of(layers, i, field->string) != NULL) continue;
            int rc = inventory_builder_attribute(r->builder, field, err);
            if (rc == 0) continue;
            error_in(err, "data");
            return rc;
        }
    }
    return 0;
}

static int read_host(struct reader *r, const cJSON *entry, struct error *err) {
    struct host_fields fields = {.name = entry->string};
    struct layers layers = {0};
    int rc = inventory_check_name(entry->string, "the host's name", err);
    if (rc == 0) rc = check_entry(entry, err);
    if (rc == 0) rc = find_layers(r, entry, &layers, err);
    if (rc == 0) rc = read_fields(r, &layers, &fields, err);
    if (rc == 0) rc = inventory_builder_host(r->builder, &fields, err);
    if (rc == 0) rc = read_attributes(r, &layers, err);
    free(layers.list);
    return rc;
}

static void read_hosts(struct reader *r, const cJSON *hosts) {
    struct error err;
    const cJSON *entry;
    if (json_as_object(hosts, &err) != 0) {
        note(r, hosts, &err);
        return;
    }
    cJSON_ArrayForEach(entry, hosts) {
        if (read_host(r, entry, &err) != 0) note(r, entry, &err);
    }
}

void inventory_nornir_read(struct inventory_builder *b, const struct inventory_nornir *documents) {
    struct reader r = {
        .builder = b, .alone = documents->groups == NULL, .defaults = documents->defaults};
    struct error err;
    if (r.defaults != NULL && check_entry(r.defaults, &err) != 0) note(&r, r.defaults, &err);
    read_groups(&r, documents->groups);
    if (b->errors == 0) read_hosts(&r, documents->hosts);
    for (size_t i = 0; i < r.groups_count; i++)
        free(r.groups[i].parents);
    free(r.groups);
    strmap_deinit(&r.by_name);
}
