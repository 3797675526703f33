#include "simulator/network_file_hosts.h"

#include "common/count.h"
#include "common/inventory_builder.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "simulator/network_grammar.h"

#include <stdlib.h>
#include <string.h>

// The first four are of a host of its own alone: a regular one has them from its place.
static const char *const known[] = {"site", "dev_type", "rack",     "platform", "version",
                                    "port", "state",    "username", "password", "epochs"};
enum { OWN_FIELDS = 4 };

static bool is_own(const cJSON *host) {
    return network_field(host, "site") != NULL || network_field(host, "dev_type") != NULL;
}

static int wrong_field(const cJSON *host, const char *field, struct error *err) {
    const cJSON *value = network_field(host, field);
    return network_wrong_in(value == NULL ? host : value, err, "hosts.%.100s.%s", host->string,
                            field);
}

// --- hosts of their own

static int parse_site(struct network *n, const cJSON *host, struct network_own *own,
                      struct error *err) {
    const char *name = NULL;
    int rc = json_string(host, "site", &name, err);
    if (rc != 0) {
        error_in(err, "hosts.%.100s", host->string);
        return rc;
    }
    int site = network_find_site(n, name);
    own->site = (uint32_t)site;
    if (site >= 0) return 0;
    const char **names = mem_array(n->sites_len, sizeof *names);
    for (size_t i = 0; i < n->sites_len; i++)
        names[i] = n->sites[i].name;
    const char *near = suggest(name, names, n->sites_len);
    if (near == NULL)
        error_set(err, "there is no site '%.63s': add it to sites", name);
    else
        error_set(err, "there is no site '%.63s'; did you mean %s?", name, near);
    free(names);
    return wrong_field(host, "site", err);
}

static int parse_type(struct network *n, const cJSON *host, struct network_own *own,
                      struct error *err) {
    const char *name = NULL;
    int rc = json_string(host, "dev_type", &name, err);
    if (rc != 0) {
        error_in(err, "hosts.%.100s", host->string);
        return rc;
    }
    rc = inventory_check_name(name, "the device type", err);
    if (rc == 0) rc = network_own_type(n, name, &own->type, err);
    return rc == 0 ? 0 : wrong_field(host, "dev_type", err);
}

// A rack may be written as a number.
static int parse_rack(const cJSON *host, struct buf *rack, struct error *err) {
    const cJSON *value = network_field(host, "rack");
    if (value == NULL) return 0;
    int rc = cJSON_IsString(value) || cJSON_IsNumber(value)
                 ? 0
                 : error_set(err, "expected a text, not %s", json_type_name(value));
    if (rc == 0) json_add_text(rack, value);
    if (rc == 0) rc = inventory_check_name(rack->len == 0 ? "" : rack->data, "the rack", err);
    return rc == 0 ? 0 : wrong_field(host, "rack", err);
}

static int parse_platform(const cJSON *host, struct network_own *own, struct error *err) {
    const char *name = NULL;
    int rc = json_string_opt(host, "platform", &name, err);
    if (rc != 0) {
        error_in(err, "hosts.%.100s", host->string);
        return rc;
    }
    if (name == NULL || strcmp(name, "acmeos") == 0) return 0;
    own->platform = name;
    rc = inventory_check_name(name, "the platform", err);
    return rc == 0 ? 0 : wrong_field(host, "platform", err);
}

static int parse_own(struct network *n, const cJSON *host, struct error *err) {
    struct network_own own = {.name = host->string};
    struct buf rack = {0};
    int rc = inventory_check_name(host->string, "the host's name", err);
    if (rc != 0) return network_wrong_in(host, err, "hosts.%.100s", host->string);
    rc = parse_site(n, host, &own, err);
    if (rc == 0) rc = parse_type(n, host, &own, err);
    if (rc == 0) rc = parse_platform(host, &own, err);
    if (rc == 0) rc = parse_rack(host, &rack, err);
    own.rack = rack.data;
    if (rc == 0 && network_add_own(n, &own, err) != 0) rc = network_wrong_in(host, err, "hosts");
    buf_deinit(&rack);
    return rc;
}

int network_file_own_hosts(struct network *n, const cJSON *hosts, struct error *err) {
    int rc = json_as_object(hosts, err);
    if (rc != 0) return network_wrong_in(hosts, err, "hosts");
    const cJSON *host;
    cJSON_ArrayForEach(host, hosts) {
        if (!cJSON_IsObject(host) || !is_own(host)) continue;
        rc = parse_own(n, host, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// --- what is odd

// A regular device is where it is, and of its type.
static int check_regular(const cJSON *host, struct error *err) {
    for (size_t i = 0; i < OWN_FIELDS; i++)
        if (network_field(host, known[i]) != NULL) {
            error_set(err, "unknown field");
            return wrong_field(host, known[i], err);
        }
    return 0;
}

static int parse_state(const cJSON *host, bool *down, struct error *err) {
    const cJSON *value = network_field(host, "state");
    const char *state;
    if (value == NULL) return 0;
    int rc = json_as_string(value, &state, err);
    if (rc == 0 && strcmp(state, "down") != 0)
        rc = error_set(err, "'%.40s' is unknown; only down is", state);
    if (rc != 0) return wrong_field(host, "state", err);
    *down = true;
    return 0;
}

static int parse_port(const cJSON *host, uint64_t *port, struct error *err) {
    int rc = json_uint_opt(host, "port", 1, UINT16_MAX, port, err);
    if (rc != 0) error_in(err, "hosts.%.100s", host->string);
    return rc;
}

static int parse_version(const cJSON *host, const char **version, struct error *err) {
    const cJSON *value = network_field(host, "version");
    if (value == NULL || network_parse_version(value, version, err) == 0) return 0;
    return wrong_field(host, "version", err);
}

static int parse_epochs(const cJSON *host, signed char *epochs, struct error *err) {
    bool takes_them = false;
    const cJSON *value = network_field(host, "epochs");
    int rc = inventory_builder_bool(value, &takes_them, err);
    if (rc != 0) error_in(err, "hosts.%.100s", host->string);
    if (rc == 0 && value != NULL) *epochs = takes_them ? 1 : -1;
    return rc;
}

static int parse_login(const cJSON *host, struct credentials *login, struct error *err) {
    int rc = network_parse_login(host, login, err);
    if (rc != 0) error_in(err, "hosts.%.100s", host->string);
    return rc;
}

static int parse_odd(struct network *n, const cJSON *host, struct error *err) {
    uint32_t device = 0;
    uint64_t port = 0;
    bool down = false;
    signed char epochs = 0;
    const char *version = NULL;
    struct credentials login = {0};
    struct network_range attributes;
    int rc = json_as_object(host, err);
    if (rc == 0 && !network_find(n, host->string, &device))
        rc = error_set(err, "the network has no device of that name");
    if (rc != 0) return network_wrong_in(host, err, "hosts.%.100s", host->string);
    if (!is_own(host) && check_regular(host, err) != 0) return ERROR_INPUT;
    rc = network_parse_attributes(n, host, known, COUNT(known), false, &attributes, err);
    if (rc != 0) {
        error_in(err, "hosts.%.100s", host->string);
        return rc;
    }
    rc = parse_port(host, &port, err);
    if (rc == 0) rc = parse_version(host, &version, err);
    if (rc == 0) rc = parse_state(host, &down, err);
    if (rc == 0) rc = parse_epochs(host, &epochs, err);
    if (rc == 0) rc = parse_login(host, &login, err);
    if (rc != 0) return rc;
    const struct network_own *own = network_place(n, device).own;
    struct network_override *override = network_override(n, device, version, (uint16_t)port);
    override->down = override->down || down || (own != NULL && own->platform != NULL);
    if (epochs != 0) override->epochs = epochs;
    if (login.username != NULL || login.password != NULL)
        network_override_login(n, override, login);
    if (attributes.from == attributes.to) return 0;
    if (override->attributes.from < override->attributes.to) {
        error_set(err, "its attributes come from the inventory");
        return network_wrong_in(host, err, "hosts.%.100s", host->string);
    }
    override->attributes = attributes;
    return 0;
}

int network_file_odd_hosts(struct network *n, const cJSON *hosts, struct error *err) {
    const cJSON *host;
    cJSON_ArrayForEach(host, hosts) {
        int rc = parse_odd(n, host, err);
        if (rc != 0) return rc;
    }
    return 0;
}
