#include "common/inventory_acme.h"

#include "common/count.h"
#include "common/json.h"

#include <string.h>

static const char *const own[] = {"hostname", "port",     "platform", "dev_type", "rack",
                                  "username", "password", "tls",      "epochs"};

static int read_credentials(const cJSON *entry, struct host_fields *f, struct error *err) {
    int rc = inventory_builder_secret(cJSON_GetObjectItemCaseSensitive(entry, "username"),
                                      &f->credentials.username, err);
    if (rc == 0)
        rc = inventory_builder_secret(cJSON_GetObjectItemCaseSensitive(entry, "password"),
                                      &f->credentials.password, err);
    return rc;
}

static int read_fields(const cJSON *entry, struct host_fields *f, struct error *err) {
    int rc = json_as_object(entry, err);
    if (rc == 0) rc = inventory_check_name(entry->string, "the host's name", err);
    if (rc == 0) rc = json_string(entry, "platform", &f->platform, err);
    if (rc == 0) rc = json_string_opt(entry, "dev_type", &f->dev_type, err);
    if (rc == 0) rc = json_string_opt(entry, "rack", &f->rack, err);
    if (rc == 0) rc = json_string_opt(entry, "hostname", &f->address, err);
    if (rc == 0) rc = json_uint_opt(entry, "port", 1, UINT16_MAX, &f->port, err);
    const cJSON *tls = cJSON_GetObjectItemCaseSensitive(entry, "tls");
    if (rc == 0) rc = inventory_builder_bool(tls, &f->tls, err);
    const cJSON *epochs = cJSON_GetObjectItemCaseSensitive(entry, "epochs");
    if (rc == 0) rc = inventory_builder_bool(epochs, &f->epochs, err);
    if (rc == 0 && strcmp(f->platform, "acmeos") == 0) rc = read_credentials(entry, f, err);
    return rc;
}

static int not_read(const cJSON *field, struct error *err) {
    error_set(err, "unknown field; did you mean redundancy_groups?");
    error_in(err, "%.100s", field->string);
    err->at = field;
    return ERROR_INPUT;
}

static int other_site(const cJSON *field, const char *site, struct error *err) {
    error_set(err, "the host stands in %.60s", site);
    error_in(err, "site");
    err->at = field;
    return ERROR_INPUT;
}

static bool is_own(const char *key) {
    for (size_t i = 0; i < COUNT(own); i++)
        if (strcmp(own[i], key) == 0) return true;
    return false;
}

static int read_attributes(struct inventory_builder *b, const cJSON *entry, const char *site,
                           struct error *err) {
    const cJSON *field;
    int rc = 0;
    cJSON_ArrayForEach(field, entry) {
        if (is_own(field->string)) continue;
        if (strcmp(field->string, "site") == 0) {
            if (!cJSON_IsString(field) || strcmp(field->valuestring, site) != 0)
                rc = other_site(field, site, err);
        } else if (inventory_means_groups(field->string)) {
            rc = not_read(field, err);
        } else {
            rc = inventory_builder_attribute(b, field, err);
        }
        if (rc != 0) return rc;
    }
    return 0;
}

static int read_host(struct inventory_builder *b, const cJSON *entry, const char *site,
                     struct error *err) {
    struct host_fields fields = {.name = entry->string, .site = site};
    int rc = read_fields(entry, &fields, err);
    if (rc == 0) rc = inventory_builder_host(b, &fields, err);
    if (rc == 0) rc = read_attributes(b, entry, site, err);
    return rc;
}

static void note(struct inventory_builder *b, const cJSON *site, struct error *err) {
    error_in(err, "%.100s", site->string);
    inventory_builder_note(b, err);
}

static void read_site(struct inventory_builder *b, const cJSON *site) {
    struct error err;
    int rc = json_as_object(site, &err);
    if (rc == 0) rc = inventory_builder_site(b, site->string, &err);
    if (rc != 0) {
        note(b, site, &err);
        return;
    }
    const cJSON *entry;
    cJSON_ArrayForEach(entry, site) {
        if (read_host(b, entry, site->string, &err) == 0) continue;
        if (err.at == NULL) err.at = entry;
        error_in(&err, "%.100s", entry->string);
        note(b, site, &err);
    }
}

void inventory_acme_read(struct inventory_builder *b, const cJSON *document) {
    const cJSON *site;
    cJSON_ArrayForEach(site, document) read_site(b, site);
}
