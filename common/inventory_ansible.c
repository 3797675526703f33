#include "common/inventory_ansible.h"

#include "common/count.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool inventory_is_ansible(const cJSON *document) {
    return cJSON_IsObject(get(document, "_meta")) &&
           get(get(document, "_meta"), "hostvars") != NULL;
}

static int wrong(const cJSON *field, struct error *err) {
    error_in(err, "%.100s", field->string);
    err->at = field;
    return ERROR_INPUT;
}

// Ansible takes a number in quotes, too.
static int read_port(const cJSON *vars, uint64_t *out, struct error *err) {
    const cJSON *port = get(vars, "ansible_port");
    if (!cJSON_IsString(port)) return json_uint_opt(vars, "ansible_port", 1, UINT16_MAX, out, err);
    const char *text = port->valuestring;
    size_t digits = strspn(text, "0123456789");
    unsigned long n =
        digits > 0 && digits <= 5 && text[digits] == '\0' ? strtoul(text, NULL, 10) : 0;
    if (n < 1 || n > UINT16_MAX) {
        error_set(err, "'%.40s': expected a whole number from 1 to %d", text, UINT16_MAX);
        return wrong(port, err);
    }
    *out = n;
    return 0;
}

// Of an inventory in INI a boolean comes as a text.
static int read_flag(const cJSON *flag, bool *out, struct error *err) {
    static const char *const words[] = {"false", "true", "no", "yes"};
    for (size_t i = 0; cJSON_IsString(flag) && i < COUNT(words); i++)
        if (strcasecmp(flag->valuestring, words[i]) == 0) {
            *out = i % 2 == 1;
            return 0;
        }
    return cJSON_IsNull(flag) ? 0 : inventory_builder_bool(flag, out, err);
}

// "acmeos", or with the collection that it comes from: "acme.net.acmeos".
static void cut_collection(const char **platform) {
    const char *dot = *platform == NULL ? NULL : strrchr(*platform, '.');
    if (dot != NULL && dot[1] != '\0') *platform = dot + 1;
}

// The one that Ansible takes first, of those that are there.
static const cJSON *first_of(const cJSON *vars, const char *key, const char *older) {
    return get(vars, key) != NULL ? get(vars, key) : get(vars, older);
}

// ansible-inventory prints templates as they are written, and what a vault keeps sealed.
static int read_secret(const cJSON *value, const char **out, struct error *err) {
    const bool is_template = cJSON_IsString(value) && strstr(value->valuestring, "{{") != NULL;
    if (!is_template && get(value, "__ansible_vault") == NULL)
        return inventory_builder_secret(value, out, err);
    error_set(err, "%s: leave it out, and give --credentials",
              is_template ? "a template that is not filled in" : "sealed by a vault");
    return wrong(value, err);
}

static int read_credentials(const cJSON *vars, struct host_fields *f, struct error *err) {
    int rc = read_secret(first_of(vars, "ansible_user", "ansible_ssh_user"),
                         &f->credentials.username, err);
    if (rc == 0)
        rc = read_secret(first_of(vars, "ansible_password", "ansible_ssh_pass"),
                         &f->credentials.password, err);
    return rc;
}

static int read_fields(struct inventory_builder *b, const cJSON *vars, struct host_fields *f,
                       struct error *err) {
    int rc = json_as_object(vars, err);
    if (rc == 0) rc = inventory_builder_text(b, get(vars, "ansible_network_os"), &f->platform, err);
    if (rc == 0) rc = inventory_builder_text(b, get(vars, "site"), &f->site, err);
    if (rc == 0) rc = inventory_builder_text(b, get(vars, "dev_type"), &f->dev_type, err);
    if (rc == 0) rc = inventory_builder_text(b, get(vars, "rack"), &f->rack, err);
    cut_collection(&f->platform);
    if (rc != 0 || f->platform == NULL || strcmp(f->platform, "acmeos") != 0) return rc;
    rc = inventory_builder_text(b, get(vars, "ansible_host"), &f->address, err);
    if (f->address == NULL) f->address = f->name; // as Ansible does
    if (rc == 0) rc = read_flag(get(vars, "tls"), &f->tls, err);
    if (rc == 0) rc = read_flag(get(vars, "epochs"), &f->epochs, err);
    if (rc == 0) rc = read_port(vars, &f->port, err);
    return rc == 0 ? read_credentials(vars, f, err) : rc;
}

static bool is_attribute(const char *name) {
    static const char *const own[] = {"site", "dev_type", "rack", "tls", "epochs"};
    for (size_t i = 0; i < COUNT(own); i++)
        if (strcmp(name, own[i]) == 0) return false;
    return strncmp(name, "ansible_", 8) != 0;
}

// What is missing is told by Ansible's name for it.
static int add_host(struct inventory_builder *b, const struct host_fields *fields,
                    struct error *err) {
    int rc = inventory_builder_host(b, fields, err);
    if (rc == 0 || strcmp(err->field, "port") != 0) return rc;
    error_set(err, "missing");
    error_in(err, "ansible_port");
    return rc;
}

static int read_host(struct inventory_builder *b, const cJSON *vars, struct error *err) {
    struct host_fields fields = {.name = vars->string};
    int rc = read_fields(b, vars, &fields, err);
    if (rc == 0) rc = add_host(b, &fields, err);
    const cJSON *field;
    cJSON_ArrayForEach(field, vars) {
        if (rc != 0) break;
        if (is_attribute(field->string)) rc = inventory_builder_attribute(b, field, err);
    }
    return rc;
}

// A host without variables is not among hostvars, and would be overlooked.
static void check_members(struct inventory_builder *b, const struct strmap *known,
                          const cJSON *group) {
    const cJSON *hosts = cJSON_IsArray(group) ? group : get(group, "hosts"), *host;
    struct error err;
    cJSON_ArrayForEach(host, hosts) {
        if (!cJSON_IsString(host) || strmap_get(known, host->valuestring) != NULL) continue;
        error_set(&err, "%.100s has no variables: no ansible_port", host->valuestring);
        error_in(&err, "%.100s", group->string);
        err.at = host;
        inventory_builder_note(b, &err);
    }
}

void inventory_ansible_read(struct inventory_builder *b, const cJSON *document) {
    const cJSON *hostvars = get(get(document, "_meta"), "hostvars"), *vars, *group;
    struct strmap known = {0};
    struct error err;
    if (json_as_object(hostvars, &err) != 0) {
        error_in(&err, "_meta.hostvars");
        inventory_builder_note(b, &err);
        return;
    }
    cJSON_ArrayForEach(vars, hostvars) {
        strmap_put(&known, vars->string, b);
        if (read_host(b, vars, &err) == 0) continue;
        if (err.at == NULL) err.at = vars;
        error_in(&err, "%.100s", vars->string);
        inventory_builder_note(b, &err);
    }
    cJSON_ArrayForEach(group, document) {
        if (strcmp(group->string, "_meta") != 0) check_members(b, &known, group);
    }
    strmap_deinit(&known);
}
