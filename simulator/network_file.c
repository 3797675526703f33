// The grammar of a network file, field by field. Each function knows its own field's place, and its
// callers add theirs; yml_place() finds the line.
#include "simulator/network_file.h"

#include "common/acmeos.h"
#include "common/count.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/yml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong_at(const cJSON *value, struct error *err) {
    err->at = value;
    return ERROR_INPUT;
}

// Puts the field before a text that says only what is wrong with it.
static int wrong_in(const cJSON *value, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int wrong_in(const cJSON *value, struct error *err, const char *format, ...) {
    char place[160];
    va_list args;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);
    error_in(err, "%s", place);
    return wrong_at(value, err);
}

static const cJSON *field_of(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

// --- sites

static int parse_site_list(struct network *n, const cJSON *list, struct error *err) {
    size_t index = 0;
    const cJSON *value;
    if (list->child == NULL) {
        error_set(err, "expected one site at least");
        return wrong_in(list, err, "sites");
    }
    cJSON_ArrayForEach(value, list) {
        const char *name;
        int rc = json_as_string(value, &name, err);
        if (rc == 0) rc = network_add_site(n, name, err);
        if (rc != 0) return wrong_in(value, err, "sites[%zu]", index);
        index++;
    }
    return 0;
}

static int parse_site_count(struct network *n, const cJSON *object, struct error *err) {
    uint64_t count = 0;
    const char *prefix = "site";
    int rc = JSON_ONLY(object, err, "count", "prefix");
    if (rc == 0) rc = json_uint(object, "count", 1, NETWORK_SITES_MAX, &count, err);
    if (rc == 0) rc = json_string_opt(object, "prefix", &prefix, err);
    if (rc != 0) {
        error_in(err, "sites");
        return rc;
    }
    for (unsigned i = 0; i < count; i++) {
        char name[NETWORK_NAME_MAX * 2];
        int len = snprintf(name, sizeof name, "%.100s%02u", prefix, i);
        rc = len < 0 || (size_t)len >= sizeof name ? ERROR_INPUT : network_add_site(n, name, err);
        if (rc != 0) return wrong_in(field_of(object, "prefix"), err, "sites.prefix");
    }
    return 0;
}

static int parse_sites(struct network *n, const cJSON *sites, struct error *err) {
    if (cJSON_IsArray(sites)) return parse_site_list(n, sites, err);
    if (cJSON_IsObject(sites)) return parse_site_count(n, sites, err);
    error_set(err, "expected an array of names, or {count, prefix}, not %s", json_type_name(sites));
    return wrong_in(sites, err, "sites");
}

// --- device types

// Where racks begin that the file does not number: as in the ACME network, then hundreds.
static uint32_t default_rack(const char *name, size_t index) {
    if (strcmp(name, "edge") == 0) return 10;
    if (strcmp(name, "spine") == 0) return 20;
    if (strcmp(name, "leaf") == 0) return 100;
    return (uint32_t)(index + 1) * 1000;
}

static int parse_type(struct network *n, const cJSON *type, struct error *err) {
    uint64_t count = 0, rack = default_rack(type->string, n->types_len), per_rack = 2;
    int rc = json_as_object(type, err);
    if (rc != 0) return wrong_in(type, err, "dev_types.%.80s", type->string);
    rc = JSON_ONLY(type, err, "count", "rack", "per_rack");
    if (rc == 0) rc = json_uint(type, "count", 1, NETWORK_DEVICES_MAX, &count, err);
    if (rc == 0) rc = json_uint_opt(type, "rack", 0, NETWORK_RACK_MAX, &rack, err);
    if (rc == 0) rc = json_uint_opt(type, "per_rack", 1, NETWORK_DEVICES_MAX, &per_rack, err);
    if (rc != 0) {
        error_in(err, "dev_types.%.80s", type->string);
        return rc;
    }
    rc =
        network_add_type(n, type->string, (uint32_t)count, (uint32_t)rack, (uint32_t)per_rack, err);
    return rc == 0 ? 0 : wrong_in(type, err, "dev_types");
}

static int parse_types(struct network *n, const cJSON *types, struct error *err) {
    int rc = json_as_object(types, err);
    if (rc == 0 && types->child == NULL) rc = error_set(err, "expected one device type at least");
    if (rc != 0) return wrong_in(types, err, "dev_types");
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        rc = parse_type(n, type, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// --- latency, credentials, versions

static int parse_range(const cJSON *value, struct duration_range *range, struct error *err) {
    const char *text = "0";
    int rc = 0;
    if (!cJSON_IsNumber(value) || value->valuedouble != 0) rc = json_as_string(value, &text, err);
    return rc == 0 ? duration_range_parse(text, range, err) : rc;
}

static int parse_latency(struct network *n, const cJSON *latency, struct error *err) {
    struct duration_range range;
    if (!cJSON_IsObject(latency)) {
        if (parse_range(latency, &range, err) != 0) return wrong_in(latency, err, "latency");
        network_set_latency(n, range);
        return 0;
    }
    int rc = json_only(latency, operation_names, OPERATION_COUNT, err);
    if (rc != 0) {
        error_in(err, "latency");
        return rc;
    }
    const cJSON *value;
    cJSON_ArrayForEach(value, latency) {
        if (parse_range(value, &range, err) != 0)
            return wrong_in(value, err, "latency.%s", value->string);
        n->latency[operation_parse(value->string)] = range;
    }
    return 0;
}

static int parse_text(const cJSON *value, char **text, struct error *err) {
    const char *found;
    int rc = json_as_string(value, &found, err);
    if (rc != 0) return wrong_in(value, err, "%s", value->string);
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

static int check_version(const cJSON *value, const char **version, struct error *err) {
    int rc = json_as_string(value, version, err);
    if (rc == 0 && !acmeos_version_valid(*version))
        rc = error_set(err, "'%.40s': expected a version in the format X.Y.Z, such as 5.2.1",
                       *version);
    return rc;
}

static int parse_versions(struct network *n, const cJSON *list, struct error *err) {
    size_t index = 0;
    const cJSON *value;
    if (!cJSON_IsArray(list) || list->child == NULL) {
        error_set(err, "expected an array of versions, with one at least");
        return wrong_in(list, err, "versions");
    }
    cJSON_ArrayForEach(value, list) {
        const char *version;
        int rc = check_version(value, &version, err);
        if (rc == 0 && index == NETWORK_VERSIONS_MAX)
            rc = error_set(err, "%d versions at most", NETWORK_VERSIONS_MAX);
        if (rc != 0) return wrong_in(value, err, "versions[%zu]", index);
        network_add_version(n, version);
        index++;
    }
    return 0;
}

// --- what needs the sealed network

static int parse_host(struct network *n, const cJSON *host, struct error *err) {
    uint32_t device;
    uint64_t port = 0;
    const char *version = NULL;
    int rc = json_as_object(host, err);
    if (rc == 0 && !network_find(n, host->string, &device))
        rc = error_set(err, "the network has no device of that name");
    if (rc != 0) return wrong_in(host, err, "hosts.%.100s", host->string);
    rc = JSON_ONLY(host, err, "version", "port");
    if (rc == 0) rc = json_uint_opt(host, "port", 1, 65535, &port, err);
    if (rc != 0) {
        error_in(err, "hosts.%.100s", host->string);
        return rc;
    }
    const cJSON *value = field_of(host, "version");
    if (value != NULL && check_version(value, &version, err) != 0)
        return wrong_in(value, err, "hosts.%.100s.version", host->string);
    network_override(n, device, version, (uint16_t)port);
    return 0;
}

static int parse_hosts(struct network *n, const cJSON *hosts, struct error *err) {
    int rc = json_as_object(hosts, err);
    if (rc != 0) return wrong_in(hosts, err, "hosts");
    const cJSON *host;
    cJSON_ArrayForEach(host, hosts) {
        rc = parse_host(n, host, err);
        if (rc != 0) return rc;
    }
    network_sort_overrides(n);
    return 0;
}

static int parse_faults(struct fault_list *faults, const cJSON *value,
                        struct error *err) {
    int rc = fault_add(faults, value, err);
    if (rc != 0) error_in(err, "faults");
    return rc;
}

// --- the file

static const struct {
    const char *name;
    int (*parse)(struct network *n, const cJSON *value, struct error *err);
    bool sealed; // needs to know all devices
} fields[] = {
    {"sites", parse_sites, false},       {"dev_types", parse_types, false},
    {"latency", parse_latency, false},   {"username", parse_username, false},
    {"password", parse_password, false}, {"versions", parse_versions, false},
    {"hosts", parse_hosts, true},
};

static int parse_fields(struct network *n, const cJSON *root, bool sealed, struct error *err) {
    for (size_t i = 0; i < COUNT(fields); i++) {
        const cJSON *value = field_of(root, fields[i].name);
        if (value == NULL || fields[i].sealed != sealed) continue;
        int rc = fields[i].parse(n, value, err);
        if (rc != 0) return rc;
    }
    return 0;
}

int network_file_read(struct network *n, struct fault_list *faults, const cJSON *root,
                      struct error *err) {
    int rc = json_as_object(root, err);
    if (rc == 0)
        rc = JSON_ONLY(root, err, "sites", "dev_types", "latency", "username", "password",
                       "versions", "hosts", "faults");
    if (rc == 0) rc = parse_fields(n, root, false, err);
    if (rc == 0 && network_lay_out(n, err) != 0) rc = wrong_at(root, err);
    if (rc == 0) rc = parse_fields(n, root, true, err);
    if (rc == 0 && network_seal(n, err) != 0) rc = wrong_at(root, err);
    faults->known = (struct fault_known){.names = n->pairs.names, .count = n->pairs.names_len};
    const cJSON *list = field_of(root, "faults");
    if (rc == 0 && list != NULL) rc = parse_faults(faults, list, err);
    return rc;
}

int network_file_parse(struct network *n, struct fault_list *faults, const char *name,
                       const char *text, size_t len, struct error *err) {
    struct yml y = {0};
    int rc = yml_parse(&y, name, text, len, err);
    if (rc != 0) return rc;
    rc = network_file_read(n, faults, y.root, err);
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
