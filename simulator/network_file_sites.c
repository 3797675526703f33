// Sites come in three shapes: a list of names, a count of them, or each with counts of its own. The
// counts name types, so they are read when the types are known; without dev_types they are what
// makes the types.
#include "simulator/network_file_sites.h"

#include "common/count.h"
#include "common/json.h"
#include "common/suggest.h"
#include "simulator/network_grammar.h"

#include <stdio.h>
#include <string.h>

static int parse_site_list(struct network *n, const cJSON *list, struct error *err) {
    size_t index = 0;
    const cJSON *value;
    if (list->child == NULL) {
        error_set(err, "expected one site at least");
        return network_wrong_in(list, err, "sites");
    }
    cJSON_ArrayForEach(value, list) {
        const char *name;
        int rc = json_as_string(value, &name, err);
        if (rc == 0) rc = network_add_site(n, name, err);
        if (rc != 0) return network_wrong_in(value, err, "sites[%zu]", index);
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
        if (rc != 0) return network_wrong_in(network_field(object, "prefix"), err, "sites.prefix");
    }
    return 0;
}

// {ams: {acc: 48}}: any value that is an object tells it from {count: 100, prefix: site}.
static bool has_counts(const cJSON *sites) {
    const cJSON *site;
    if (!cJSON_IsObject(sites)) return false;
    cJSON_ArrayForEach(site, sites) {
        if (cJSON_IsObject(site)) return true;
    }
    return false;
}

static int parse_site_names(struct network *n, const cJSON *sites, struct error *err) {
    const cJSON *site;
    cJSON_ArrayForEach(site, sites) {
        int rc = json_as_object(site, err);
        if (rc != 0) return network_wrong_in(site, err, "sites.%.80s", site->string);
        rc = network_add_site(n, site->string, err);
        if (rc != 0) return network_wrong_in(site, err, "sites");
    }
    return 0;
}

static int parse_sites(struct network *n, const cJSON *sites, struct error *err) {
    if (sites == NULL) return 0;
    if (cJSON_IsArray(sites)) return parse_site_list(n, sites, err);
    if (has_counts(sites)) return parse_site_names(n, sites, err);
    if (cJSON_IsObject(sites)) return parse_site_count(n, sites, err);
    error_set(err, "expected an array of names, or {count, prefix}, not %s", json_type_name(sites));
    return network_wrong_in(sites, err, "sites");
}

// --- device types

// Where racks begin that the file does not number: as in the ACME network, then hundreds.
static uint32_t default_rack(const char *name, size_t index) {
    if (strcmp(name, "edge") == 0) return 10;
    if (strcmp(name, "spine") == 0) return 20;
    if (strcmp(name, "leaf") == 0) return 100;
    return (uint32_t)(index + 1) * 1000;
}

static int parse_name(struct network *n, const cJSON *type, struct error *err) {
    const cJSON *value = network_field(type, "name");
    const char *template;
    if (value == NULL) return 0;
    int rc = json_as_string(value, &template, err);
    if (rc == 0) rc = network_name_type(n, template, err);
    return rc == 0 ? 0 : network_wrong_in(value, err, "dev_types.%.80s.name", type->string);
}

static int parse_type_attributes(struct network *n, const cJSON *type, struct error *err) {
    static const char *const known[] = {"count", "rack",     "per_rack",
                                        "name",  "username", "password"};
    struct network_range attributes;
    struct credentials login = {0};
    int rc = network_parse_attributes(n, type, known, COUNT(known), true, &attributes, err);
    if (rc == 0) rc = network_parse_login(type, &login, err);
    if (rc == 0) {
        network_set_type_attributes(n, attributes);
        network_set_type_login(n, login);
    } else {
        error_in(err, "dev_types.%.80s", type->string);
    }
    return rc;
}

// count_later: a site may say it.
static int parse_type(struct network *n, const cJSON *type, bool count_later, struct error *err) {
    uint64_t count = 0, rack = default_rack(type->string, n->types_len), per_rack = 2;
    int rc = json_as_object(type, err);
    if (rc != 0) return network_wrong_in(type, err, "dev_types.%.80s", type->string);
    rc = (count_later ? json_uint_opt : json_uint)(type, "count", 1, NETWORK_DEVICES_MAX, &count,
                                                   err);
    if (rc == 0) rc = json_uint_opt(type, "rack", 0, NETWORK_RACK_MAX, &rack, err);
    if (rc == 0) rc = json_uint_opt(type, "per_rack", 1, NETWORK_DEVICES_MAX, &per_rack, err);
    if (rc != 0) {
        error_in(err, "dev_types.%.80s", type->string);
        return rc;
    }
    rc =
        network_add_type(n, type->string, (uint32_t)count, (uint32_t)rack, (uint32_t)per_rack, err);
    if (rc != 0) return network_wrong_in(type, err, "dev_types");
    rc = parse_name(n, type, err);
    return rc == 0 ? parse_type_attributes(n, type, err) : rc;
}

static int parse_types(struct network *n, const cJSON *types, bool count_later, struct error *err) {
    if (types == NULL) return 0;
    int rc = json_as_object(types, err);
    if (rc == 0 && types->child == NULL) rc = error_set(err, "expected one device type at least");
    if (rc != 0) return network_wrong_in(types, err, "dev_types");
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        rc = parse_type(n, type, count_later, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// --- counts of a site's own

static int unknown_type(const struct network *n, const char *name, struct error *err) {
    const char *known[NETWORK_TYPES_MAX];
    for (size_t i = 0; i < n->types_len; i++)
        known[i] = n->types[i].name;
    const char *near = suggest(name, known, n->types_len);
    if (near == NULL) return error_set(err, "dev_types has no such type");
    return error_set(err, "dev_types has no such type; did you mean %s?", near);
}

static int parse_count(struct network *n, size_t site, const cJSON *value, bool add,
                       struct error *err) {
    uint64_t count = 0;
    int type = network_find_type(n, value->string), rc = 0;
    if (type < 0 && add) {
        rc = network_add_type(n, value->string, 0, default_rack(value->string, n->types_len), 2,
                              err);
        type = (int)n->types_len - 1;
    } else if (type < 0) {
        rc = unknown_type(n, value->string, err);
    }
    if (rc == 0) rc = json_as_uint(value, 0, NETWORK_DEVICES_MAX, &count, err);
    if (rc == 0) network_set_count(n, site, (size_t)type, (uint32_t)count);
    return rc;
}

static int parse_counts(struct network *n, const cJSON *sites, bool add, struct error *err) {
    size_t index = 0;
    const cJSON *site, *value;
    cJSON_ArrayForEach(site, sites) {
        cJSON_ArrayForEach(value, site) {
            if (parse_count(n, index, value, add, err) != 0)
                return network_wrong_in(value, err, "sites.%.64s.%.64s", site->string,
                                        value->string);
        }
        index++;
    }
    return 0;
}

int network_file_sites(struct network *n, const cJSON *sites, const cJSON *types,
                       struct error *err) {
    bool counts = has_counts(sites);
    int rc = parse_sites(n, sites, err);
    if (rc == 0) rc = parse_types(n, types, counts, err);
    if (rc == 0 && counts) rc = parse_counts(n, sites, types == NULL, err);
    return rc;
}
