#include "orchestrator/inventory.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <stdlib.h>
#include <string.h>

// Strings stand in large blocks: a million hosts are a few hundred allocations, and one free.
enum { BLOCK_SIZE = 64 * 1024 };

struct block {
    struct block *next;
    size_t used;
    char bytes[BLOCK_SIZE];
};

struct inventory_memory {
    struct block *blocks;
};

// While parsing: what was seen before.
struct reader {
    struct inventory *inventory;
    struct strmap shared;    // addresses and racks: text -> the one copy
    struct strmap hosts;     // name -> anything
    struct strmap dev_types; // name -> index + 1
    size_t hosts_cap;
    struct error first; // what is wrong with it
    struct buf several; // ... and with ERRORS_TOLD at most, each cut
    size_t errors;
};

enum { ERRORS_TOLD = 3 };

static const char *keep(struct inventory_memory *memory, const char *text) {
    size_t size = strlen(text) + 1;
    struct block *block = memory->blocks;
    if (block == NULL || BLOCK_SIZE - block->used < size) {
        block = mem_alloc(sizeof *block);
        *block = (struct block){.next = memory->blocks};
        memory->blocks = block;
    }
    char *copy = block->bytes + block->used;
    memcpy(copy, text, size);
    block->used += size;
    return copy;
}

static const char *keep_shared(struct reader *r, const char *text) {
    const char *copy = strmap_get(&r->shared, text);
    if (copy != NULL) return copy;
    copy = keep(r->inventory->memory, text);
    strmap_put(&r->shared, copy, (void *)(uintptr_t)copy);
    return copy;
}

static size_t add_name(struct names *names, const char *name) {
    names->list = mem_resize(names->list, names->count + 1, sizeof *names->list);
    names->list[names->count] = name;
    return names->count++;
}

static int check_name(const char *name, const char *what, struct error *err) {
    size_t len = strlen(name);
    if (len == 0) return error_set(err, "%s is empty", what);
    if (len > INVENTORY_NAME_MAX)
        return error_set(err, "%s is longer than %d bytes", what, INVENTORY_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return error_set(err, "%s holds a space or a control character", what);
    return 0;
}

static int dev_type_index(struct reader *r, const char *name, uint16_t *out, struct error *err) {
    uintptr_t known = (uintptr_t)strmap_get(&r->dev_types, name);
    if (known == 0) {
        struct names *types = &r->inventory->dev_types;
        if (types->count == UINT16_MAX) return error_set(err, "too many device types");
        const char *copy = keep(r->inventory->memory, name);
        known = add_name(types, copy) + 1;
        strmap_put(&r->dev_types, copy, (void *)known);
    }
    *out = (uint16_t)(known - 1);
    return 0;
}

static int read_text(const cJSON *object, const char *key, const char **out, struct error *err) {
    int rc = json_string(object, key, out, err);
    return rc != 0 ? rc : check_name(*out, key, err);
}

static int unknown_platform(const char *platform, struct error *err) {
    error_set(err, "'%.40s' is unknown; only acmeos is", platform);
    error_in(err, "platform");
    return ERROR_INPUT;
}

static int read_host(struct reader *r, const cJSON *entry, uint16_t site, struct error *err) {
    struct inventory *inventory = r->inventory;
    const char *platform, *dev_type, *rack, *address;
    uint64_t port;
    int rc = json_as_object(entry, err);
    if (rc == 0) rc = check_name(entry->string, "the host's name", err);
    if (rc == 0) rc = json_string(entry, "platform", &platform, err);
    if (rc == 0 && strcmp(platform, "acmeos") != 0) rc = unknown_platform(platform, err);
    if (rc != 0 && err->at == NULL) err->at = cJSON_GetObjectItemCaseSensitive(entry, "platform");
    if (rc == 0) rc = read_text(entry, "dev_type", &dev_type, err);
    if (rc == 0) rc = read_text(entry, "rack", &rack, err);
    if (rc == 0) rc = read_text(entry, "hostname", &address, err);
    if (rc == 0) rc = json_uint(entry, "port", 1, UINT16_MAX, &port, err);
    if (rc == 0 && inventory->count == INVENTORY_HOSTS_MAX)
        rc = error_set(err, "more than %d hosts", INVENTORY_HOSTS_MAX);
    struct host host = {.site = site};
    if (rc == 0) rc = dev_type_index(r, dev_type, &host.dev_type, err);
    if (rc != 0) return rc;

    host.name = keep(inventory->memory, entry->string);
    host.address = keep_shared(r, address);
    host.rack = keep_shared(r, rack);
    host.port = (uint16_t)port;
    if (strmap_put(&r->hosts, host.name, inventory->memory) != NULL)
        return error_set(err, "there is another host of this name in another site");
    inventory->hosts =
        mem_grow(inventory->hosts, &r->hosts_cap, inventory->count + 1, sizeof *inventory->hosts);
    inventory->hosts[inventory->count++] = host;
    return 0;
}

// A file with one mistake often has it a hundred times: it is told at once how often.
static void note_error(struct reader *r, const cJSON *site, struct error *err) {
    error_in(err, "%.100s", site->string);
    if (r->errors == 0) r->first = *err;
    if (r->errors < ERRORS_TOLD)
        buf_addf(&r->several, "%s%.80s", r->errors == 0 ? "" : "; ", err->text);
    r->errors++;
}

static int tell_errors(const struct reader *r, struct error *err) {
    *err = r->first;
    if (r->errors == 1) return ERROR_INPUT;
    if (r->errors > ERRORS_TOLD)
        error_set(err, "%s; and %zu more", r->several.data, r->errors - ERRORS_TOLD);
    else
        error_set(err, "%s", r->several.data);
    err->at = r->first.at;
    return ERROR_INPUT;
}

static void read_site(struct reader *r, const cJSON *site) {
    struct error err;
    int rc = json_as_object(site, &err);
    if (rc == 0) rc = check_name(site->string, "the site's name", &err);
    if (rc == 0 && r->inventory->sites.count == UINT16_MAX) rc = error_set(&err, "too many sites");
    if (rc != 0) {
        note_error(r, site, &err);
        return;
    }
    size_t index = add_name(&r->inventory->sites, keep(r->inventory->memory, site->string));
    const cJSON *entry;
    cJSON_ArrayForEach(entry, site) {
        if (read_host(r, entry, (uint16_t)index, &err) == 0) continue;
        if (err.at == NULL) err.at = entry;
        error_in(&err, "%.100s", entry->string);
        note_error(r, site, &err);
    }
}

int inventory_parse(const cJSON *document, struct inventory **out, struct error *err) {
    if (!cJSON_IsObject(document))
        return error_set(err, "expected an object of sites, not %s", json_type_name(document));
    struct inventory *inventory = mem_zalloc(sizeof *inventory);
    inventory->memory = mem_zalloc(sizeof *inventory->memory);
    inventory->refs = 1;
    struct reader r = {.inventory = inventory};
    const cJSON *site;
    cJSON_ArrayForEach(site, document) read_site(&r, site);
    int rc = r.errors == 0 ? 0 : tell_errors(&r, err);
    buf_deinit(&r.several);
    strmap_deinit(&r.shared);
    strmap_deinit(&r.hosts);
    strmap_deinit(&r.dev_types);
    if (rc != 0) {
        inventory_unref(inventory);
        return rc;
    }
    inventory->hosts = mem_resize(inventory->hosts, inventory->count, sizeof *inventory->hosts);
    *out = inventory;
    return 0;
}

struct inventory *inventory_ref(struct inventory *inventory) {
    inventory->refs++;
    return inventory;
}

void inventory_unref(struct inventory *inventory) {
    if (inventory == NULL || --inventory->refs > 0) return;
    while (inventory->memory->blocks != NULL) {
        struct block *block = inventory->memory->blocks;
        inventory->memory->blocks = block->next;
        free(block);
    }
    free(inventory->memory);
    free(inventory->hosts);
    free(inventory->sites.list);
    free(inventory->dev_types.list);
    free(inventory);
}

const char *inventory_site(const struct inventory *inventory, const struct host *host) {
    return inventory->sites.list[host->site];
}

const char *inventory_dev_type(const struct inventory *inventory, const struct host *host) {
    return inventory->dev_types.list[host->dev_type];
}

static int unknown_name(const char *field, size_t index, const char *name, const char *what,
                        const struct names *known, struct error *err) {
    enum { LISTED = 20 };
    struct buf list = {0};
    for (size_t i = 0; i < known->count && i < LISTED; i++)
        buf_addf(&list, "%s%.40s", i == 0 ? "" : ", ", known->list[i]);
    if (known->count > LISTED) buf_addf(&list, " and %zu more", known->count - LISTED);
    error_set(err, "there is no %s '%.60s'; known are: %.300s", what, name,
              list.len == 0 ? "none" : list.data);
    error_in_list(err, field, index);
    buf_deinit(&list);
    return ERROR_INPUT;
}

// wanted[i] is set for every name of known that the filter lets through.
static int apply(const struct filter *filter, const struct names *known, const char *field,
                 const char *what, bool *wanted, struct error *err) {
    struct strmap index = {0};
    int rc = 0;
    for (size_t i = 0; i < known->count; i++) {
        wanted[i] = filter->all;
        strmap_put(&index, known->list[i], &wanted[i]);
    }
    for (size_t i = 0; rc == 0 && !filter->all && i < filter->count; i++) {
        bool *entry = strmap_get(&index, filter->names[i]);
        if (entry != NULL)
            *entry = true;
        else
            rc = unknown_name(field, i, filter->names[i], what, known, err);
    }
    strmap_deinit(&index);
    return rc;
}

int inventory_select(const struct inventory *inventory, const struct filter *sites,
                     const struct filter *dev_types, struct selection *out, struct error *err) {
    bool *site_wanted = mem_array(inventory->sites.count, sizeof *site_wanted);
    bool *type_wanted = mem_array(inventory->dev_types.count, sizeof *type_wanted);
    int rc = apply(sites, &inventory->sites, "filter_sites", "site", site_wanted, err);
    if (rc == 0)
        rc = apply(dev_types, &inventory->dev_types, "filter_dev_types", "device type", type_wanted,
                   err);
    if (rc == 0) {
        struct selection selection = {.hosts = mem_array(inventory->count, sizeof(uint32_t))};
        for (size_t i = 0; i < inventory->count; i++) {
            const struct host *host = &inventory->hosts[i];
            if (site_wanted[host->site] && type_wanted[host->dev_type])
                selection.hosts[selection.count++] = (uint32_t)i;
        }
        selection.hosts = mem_resize(selection.hosts, selection.count, sizeof(uint32_t));
        *out = selection;
    }
    free(site_wanted);
    free(type_wanted);
    return rc;
}

void selection_deinit(struct selection *selection) {
    free(selection->hosts);
    *selection = (struct selection){0};
}
