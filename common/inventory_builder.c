#include "common/inventory_builder.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/secret.h"
#include "common/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { ERRORS_TOLD = 3 };

#define GROUPS "redundancy_groups"

// --- names

int inventory_check_name(const char *name, const char *what, struct error *err) {
    size_t len = strlen(name);
    if (len == 0) return error_set(err, "%s is empty", what);
    if (len > INVENTORY_NAME_MAX)
        return error_set(err, "%s is longer than %d bytes", what, INVENTORY_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return error_set(err, "%s holds a space or a control character", what);
    return 0;
}

// The index of a name, added where it is new. Errors say that there are too many of what.
static int index_of(struct inventory_builder *b, struct strmap *known, struct names *names,
                    const char *name, const char *what, uint16_t *out, struct error *err) {
    uintptr_t found = (uintptr_t)strmap_get(known, name);
    if (found == 0) {
        if (names->count == INVENTORY_NO_NAME) return error_set(err, "too many %s", what);
        const char *copy = texts_keep(&b->inventory->texts, name);
        names->list = mem_resize(names->list, names->count + 1, sizeof *names->list);
        names->list[names->count++] = copy;
        found = names->count;
        strmap_put(known, copy, (void *)found);
    }
    *out = (uint16_t)(found - 1);
    return 0;
}

// --- credentials

// Up to that host; those in between have none.
static void reach_credentials(struct inventory_builder *b, size_t count) {
    struct inventory *inventory = b->inventory;
    inventory->credentials = mem_grow(inventory->credentials, &b->credentials_cap, count,
                                      sizeof *inventory->credentials);
    for (; b->credentials_len < count; b->credentials_len++)
        inventory->credentials[b->credentials_len] = (struct credentials){0};
}

static void fit_credentials(struct inventory_builder *b) {
    struct inventory *inventory = b->inventory;
    reach_credentials(b, inventory->count);
    inventory->credentials =
        mem_resize(inventory->credentials, inventory->count, sizeof *inventory->credentials);
}

// Of the host that was added last. Many hosts share one text.
static void keep_credentials(struct inventory_builder *b, const struct credentials *credentials) {
    struct inventory *inventory = b->inventory;
    const char *username = credentials->username, *password = credentials->password;
    if (username == NULL && password == NULL) return;
    reach_credentials(b, inventory->count);
    inventory->credentials[inventory->count - 1] =
        (struct credentials){username == NULL ? NULL : texts_share(&inventory->texts, username),
                             password == NULL ? NULL : texts_share(&inventory->texts, password)};
}

// --- life

void inventory_builder_init(struct inventory_builder *b) {
    struct error err;
    uint16_t acmeos;
    *b = (struct inventory_builder){.inventory = mem_zalloc(sizeof *b->inventory)};
    b->inventory->refs = 1;
    index_of(b, &b->platforms, &b->inventory->platforms, "acmeos", "platforms", &acmeos, &err);
}

// A file with one mistake often has it a hundred times: it is told at once how often.
void inventory_builder_note(struct inventory_builder *b, const struct error *err) {
    if (b->errors == 0) b->first = *err;
    if (b->errors < ERRORS_TOLD)
        buf_addf(&b->several, "%s%.80s", b->errors == 0 ? "" : "; ", err->text);
    b->errors++;
}

static int tell_errors(const struct inventory_builder *b, struct error *err) {
    *err = b->first;
    if (b->errors == 1) return ERROR_INPUT;
    if (b->errors > ERRORS_TOLD)
        error_set(err, "%s; and %zu more", b->several.data, b->errors - ERRORS_TOLD);
    else
        error_set(err, "%s", b->several.data);
    err->at = b->first.at;
    return ERROR_INPUT;
}

// A network without attributes pays nothing for them, nor one without credentials for these.
static void fit_arrays(struct inventory_builder *b) {
    struct inventory *inventory = b->inventory;
    if (b->credentials_len > 0) fit_credentials(b);
    inventory->hosts = mem_resize(inventory->hosts, inventory->count, sizeof *inventory->hosts);
    if (b->pairs == 0) {
        free(inventory->attributes_from);
        inventory->attributes_from = NULL;
        return;
    }
    inventory->attributes_from =
        mem_resize(inventory->attributes_from, inventory->count + 1, sizeof(uint32_t));
    inventory->attribute_names =
        mem_resize(inventory->attribute_names, b->pairs, sizeof *inventory->attribute_names);
    inventory->attribute_values =
        mem_resize(inventory->attribute_values, b->pairs, sizeof *inventory->attribute_values);
}

int inventory_builder_end(struct inventory_builder *b, struct inventory **out, struct error *err) {
    int rc = b->errors == 0 ? 0 : tell_errors(b, err);
    buf_deinit(&b->several);
    strmap_deinit(&b->hosts);
    strmap_deinit(&b->sites);
    strmap_deinit(&b->dev_types);
    strmap_deinit(&b->platforms);
    strmap_deinit(&b->attributes);
    texts_forget_shared(&b->inventory->texts);
    if (rc != 0) {
        inventory_unref(b->inventory);
        return rc;
    }
    fit_arrays(b);
    *out = b->inventory;
    return 0;
}

// --- sites and hosts

int inventory_builder_site(struct inventory_builder *b, const char *name, struct error *err) {
    uint16_t index;
    int rc = inventory_check_name(name, "the site's name", err);
    if (rc == 0) rc = index_of(b, &b->sites, &b->inventory->sites, name, "sites", &index, err);
    return rc;
}

static int missing(const char *field, struct error *err) {
    error_set(err, "missing");
    error_in(err, "%s", field);
    return ERROR_INPUT;
}

// We speak acmeos only, and a host of another platform is asked for nothing.
static int check_fields(const struct host_fields *f, bool ours, bool unaddressed,
                        struct error *err) {
    const struct {
        const char *name, *value;
    } texts[] = {{"dev_type", f->dev_type}, {"hostname", f->address}, {"site", f->site}};
    const bool optional[] = {false, unaddressed, false};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].value == NULL && ours && !optional[i]) return missing(texts[i].name, err);
        if (texts[i].value == NULL) continue;
        if (inventory_check_name(texts[i].value, texts[i].name, err) != 0) return ERROR_INPUT;
    }
    if (f->rack != NULL && inventory_check_name(f->rack, "rack", err) != 0) return ERROR_INPUT;
    return f->port == 0 && ours && !unaddressed ? missing("port", err) : 0;
}

static void append(struct inventory_builder *b, const struct host *host) {
    struct inventory *inventory = b->inventory;
    size_t count = ++inventory->count;
    inventory->hosts = mem_grow(inventory->hosts, &b->hosts_cap, count, sizeof *inventory->hosts);
    inventory->hosts[count - 1] = *host;
    inventory->attributes_from =
        mem_grow(inventory->attributes_from, &b->from_cap, count + 1, sizeof(uint32_t));
    inventory->attributes_from[count - 1] = (uint32_t)b->pairs;
    inventory->attributes_from[count] = (uint32_t)b->pairs;
}

int inventory_builder_host(struct inventory_builder *b, const struct host_fields *f,
                           struct error *err) {
    struct inventory *inventory = b->inventory;
    struct host host = {.site = INVENTORY_NO_NAME, .dev_type = INVENTORY_NO_NAME};
    const char *platform = f->platform == NULL ? "unknown" : f->platform;
    uint16_t platform_index = 0;
    int rc = inventory_check_name(f->name, "the host's name", err);
    if (rc == 0) rc = inventory_check_name(platform, "platform", err);
    if (rc == 0) rc = check_fields(f, strcmp(platform, "acmeos") == 0, b->unaddressed, err);
    if (rc == 0 && inventory->count == INVENTORY_HOSTS_MAX)
        rc = error_set(err, "more than %d hosts", INVENTORY_HOSTS_MAX);
    if (rc == 0)
        rc = index_of(b, &b->platforms, &inventory->platforms, platform, "platforms",
                      &platform_index, err);
    if (rc == 0 && platform_index >= INVENTORY_PLATFORMS_MAX)
        rc = error_set(err, "too many platforms");
    if (rc == 0 && f->site != NULL)
        rc = index_of(b, &b->sites, &inventory->sites, f->site, "sites", &host.site, err);
    if (rc == 0 && f->dev_type != NULL)
        rc = index_of(b, &b->dev_types, &inventory->dev_types, f->dev_type, "device types",
                      &host.dev_type, err);
    if (rc != 0) return rc;
    host.name = texts_keep(&inventory->texts, f->name);
    if (strmap_put(&b->hosts, host.name, inventory) != NULL)
        return error_set(err, "there is another host of this name in another site");
    host.address = texts_share(&inventory->texts, f->address == NULL ? f->name : f->address);
    host.rack = texts_share(&inventory->texts, f->rack == NULL ? "" : f->rack);
    host.port = (uint16_t)f->port;
    host.platform = platform_index & 0x3fffU;
    host.tls = f->tls;
    host.epochs = f->epochs;
    append(b, &host);
    if (host.platform == 0) keep_credentials(b, &f->credentials);
    return 0;
}

// --- attributes

int inventory_builder_text(struct inventory_builder *b, const cJSON *value, const char **out,
                           struct error *err) {
    struct buf text = {0};
    if (value == NULL || cJSON_IsNull(value)) return 0;
    if (!cJSON_IsString(value) && !cJSON_IsNumber(value)) {
        error_set(err, "expected a text, not %s", json_type_name(value));
        error_in(err, "%.100s", value->string);
        err->at = value;
        return ERROR_INPUT;
    }
    json_add_text(&text, value);
    if (text.len > 0) *out = texts_share(&b->inventory->texts, text.data);
    buf_deinit(&text);
    return 0;
}

int inventory_builder_secret(const cJSON *value, const char **out, struct error *err) {
    if (value == NULL) return 0;
    int rc = cJSON_IsString(value) ? secret_check(value->valuestring, err)
             : cJSON_IsNumber(value)
                 ? error_set(err, "expected a text, not a number: put it in quotes")
                 : error_set(err, "expected a text, not %s", json_type_name(value));
    if (rc == 0)
        *out = value->valuestring;
    else
        error_in(err, "%.100s", value->string);
    if (rc != 0) err->at = value;
    return rc;
}

int inventory_builder_bool(const cJSON *value, bool *out, struct error *err) {
    if (value == NULL) return 0;
    if (!cJSON_IsBool(value)) {
        error_set(err, "expected true or false, not %s", json_type_name(value));
        error_in(err, "%.100s", value->string);
        err->at = value;
        return ERROR_INPUT;
    }
    *out = cJSON_IsTrue(value);
    return 0;
}

bool inventory_means_groups(const char *attribute) {
    return strcasecmp(attribute, "group") == 0 || strcasecmp(attribute, "groups") == 0 ||
           (strcmp(attribute, GROUPS) != 0 && suggest_slip(attribute, GROUPS));
}

// What is meant for a password must be no attribute, which a policy could name.
static int check_slip(const cJSON *value, struct error *err) {
    static const char *const slips[][2] = {{"username", "username"},
                                           {"password", "password"},
                                           {"passwd", "password"},
                                           {"pass", "password"},
                                           {"pwd", "password"}};
    for (size_t i = 0; i < COUNT(slips); i++) {
        if (strcasecmp(value->string, slips[i][0]) != 0) continue;
        error_set(err, "unknown field; did you mean %s (in Ansible's form ansible_%s)?",
                  slips[i][1], strcmp(slips[i][1], "username") == 0 ? "user" : "password");
        error_in(err, "%.100s", value->string);
        err->at = value;
        return ERROR_INPUT;
    }
    return 0;
}

// Passed over, the device would get its password in plain text, or take orders from whoever has
// been replaced.
static int check_flag(const cJSON *value, struct error *err) {
    static const char *const flags[] = {"tls", "epochs"};
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (strcasecmp(value->string, flags[i]) != 0) continue;
        error_set(err, "unknown field; did you mean %s?", flags[i]);
        error_in(err, "%.100s", value->string);
        err->at = value;
        return ERROR_INPUT;
    }
    return 0;
}

static bool is_text(const cJSON *value) {
    return (cJSON_IsString(value) && value->valuestring[0] != '\0') || cJSON_IsNumber(value);
}

static void add_pair(struct inventory_builder *b, uint16_t name, const cJSON *value) {
    struct inventory *inventory = b->inventory;
    struct buf text = {0};
    if (!is_text(value)) return;
    json_add_text(&text, value);
    inventory->attribute_names = mem_grow(inventory->attribute_names, &b->names_cap, b->pairs + 1,
                                          sizeof *inventory->attribute_names);
    inventory->attribute_values = mem_grow(inventory->attribute_values, &b->values_cap,
                                           b->pairs + 1, sizeof *inventory->attribute_values);
    inventory->attribute_names[b->pairs] = name;
    inventory->attribute_values[b->pairs] = texts_share(&inventory->texts, text.data);
    inventory->attributes_from[inventory->count] = (uint32_t)++b->pairs;
    buf_deinit(&text);
}

// Its groups are what a host is held back for: nothing of them is passed over.
static int check_groups(const cJSON *value, struct error *err) {
    const cJSON *element;
    size_t index = 0;
    if (!cJSON_IsArray(value)) {
        error_set(err, "expected an array of names, not %s", json_type_name(value));
        error_in(err, GROUPS);
        err->at = value;
        return ERROR_INPUT;
    }
    cJSON_ArrayForEach(element, value) {
        if (!is_text(element)) {
            error_set(err, "expected a name, not %s", json_type_name(element));
            error_in(err, GROUPS "[%zu]", index);
            err->at = element;
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

int inventory_builder_attribute(struct inventory_builder *b, const cJSON *value,
                                struct error *err) {
    uint16_t name = 0;
    const char *key = value->string;
    bool list = cJSON_IsArray(value), groups = strcmp(key, GROUPS) == 0;
    if (strcmp(key, "username") == 0 || strcmp(key, "password") == 0) return 0;
    const bool is_ours = b->inventory->hosts[b->inventory->count - 1].platform == 0;
    if (is_ours && (check_flag(value, err) != 0 || check_slip(value, err) != 0)) return ERROR_INPUT;
    if (groups && !cJSON_IsNull(value) && check_groups(value, err) != 0) return ERROR_INPUT;
    if (!list && !is_text(value) && !inventory_means_groups(key)) return 0;
    if (strlen(key) > TERMS_ATTRIBUTE_MAX) return 0; // no rule can name it
    int rc = index_of(b, &b->attributes, &b->inventory->attributes, key, "attributes", &name, err);
    if (rc != 0) return rc;
    if (!list) add_pair(b, name, value);
    const cJSON *element;
    if (list) cJSON_ArrayForEach(element, value) add_pair(b, name, element);
    return 0;
}
