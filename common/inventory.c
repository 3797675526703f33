#include "common/inventory.h"

#include "common/buf.h"
#include "common/glob.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <stdlib.h>
#include <string.h>

// --- life

struct inventory *inventory_ref(struct inventory *inventory) {
    inventory->refs++;
    return inventory;
}

void inventory_unref(struct inventory *inventory) {
    if (inventory == NULL || --inventory->refs > 0) return;
    free(inventory->hosts);
    free(inventory->sites.list);
    free(inventory->dev_types.list);
    free(inventory->platforms.list);
    free(inventory->attributes.list);
    free(inventory->attributes_from);
    free(inventory->attribute_names);
    free(inventory->attribute_values);
    free(inventory->credentials);
    texts_deinit(&inventory->texts);
    free(inventory);
}

// --- what is known of a host

static const char *const no_name = "";

// Where the name of a host stands, so that it can be handed out as a list of one.
static const char *const *name_at(const struct names *names, uint16_t index) {
    return index == INVENTORY_NO_NAME ? &no_name : &names->list[index];
}

const char *inventory_site(const struct inventory *inventory, const struct host *host) {
    return *name_at(&inventory->sites, host->site);
}

const char *inventory_dev_type(const struct inventory *inventory, const struct host *host) {
    return *name_at(&inventory->dev_types, host->dev_type);
}

const char *inventory_platform(const struct inventory *inventory, const struct host *host) {
    return inventory->platforms.list[host->platform];
}

enum { SITE, DEV_TYPE, RACK, HOST, PLATFORM };

const char *const inventory_fields[INVENTORY_FIELDS] = {
    [SITE] = "site", [DEV_TYPE] = "dev_type", [RACK] = "rack",
    [HOST] = "host", [PLATFORM] = "platform",
};

int inventory_attribute(const struct inventory *inventory, const char *name) {
    for (int i = 0; i < INVENTORY_FIELDS; i++)
        if (strcmp(inventory_fields[i], name) == 0) return i;
    for (size_t i = 0; i < inventory->attributes.count; i++)
        if (strcmp(inventory->attributes.list[i], name) == 0) return INVENTORY_FIELDS + (int)i;
    return -1;
}

static struct attribute_values own_values(const struct inventory *inventory, size_t host,
                                          int attribute) {
    if (inventory->attributes_from == NULL) return (struct attribute_values){0};
    uint32_t at = inventory->attributes_from[host], end = inventory->attributes_from[host + 1];
    while (at < end && inventory->attribute_names[at] != attribute)
        at++;
    struct attribute_values values = {.list = inventory->attribute_values + at};
    for (; at < end && inventory->attribute_names[at] == attribute; at++)
        values.count++;
    return values;
}

struct attribute_values inventory_values(const struct inventory *inventory, size_t host,
                                         int attribute) {
    const struct host *h = &inventory->hosts[host];
    const char *const *one = &no_name;
    switch (attribute) {
    case SITE:
        one = name_at(&inventory->sites, h->site);
        break;
    case DEV_TYPE:
        one = name_at(&inventory->dev_types, h->dev_type);
        break;
    case RACK:
        one = &h->rack;
        break;
    case HOST:
        one = &h->name;
        break;
    case PLATFORM:
        one = name_at(&inventory->platforms, h->platform);
        break;
    default:
        return own_values(inventory, host, attribute - INVENTORY_FIELDS);
    }
    return (struct attribute_values){one, **one == '\0' ? 0 : 1};
}

// --- credentials

static const char withheld[] = "";

struct credentials inventory_credentials(const struct inventory *inventory, size_t host) {
    if (inventory->credentials == NULL || inventory_withholds_credentials(inventory, host))
        return (struct credentials){0};
    return inventory->credentials[host];
}

bool inventory_withholds_credentials(const struct inventory *inventory, size_t host) {
    return inventory->credentials != NULL && inventory->credentials[host].username == withheld;
}

static struct credentials *credentials_of(struct inventory *inventory, size_t host) {
    if (inventory->credentials == NULL)
        inventory->credentials = mem_array(inventory->count, sizeof *inventory->credentials);
    return &inventory->credentials[host];
}

void inventory_withhold_credentials(struct inventory *inventory, size_t host) {
    *credentials_of(inventory, host) = (struct credentials){withheld, withheld};
}

void inventory_set_credentials(struct inventory *inventory, size_t host,
                               struct credentials credentials) {
    struct texts *texts = &inventory->texts;
    *credentials_of(inventory, host) = (struct credentials){
        credentials.username == NULL ? NULL : texts_keep(texts, credentials.username),
        credentials.password == NULL ? NULL : texts_keep(texts, credentials.password)};
}

// --- the hosts that a request asks for

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
            bool in_site = host->site == INVENTORY_NO_NAME ? sites->all : site_wanted[host->site];
            bool of_type =
                host->dev_type == INVENTORY_NO_NAME ? dev_types->all : type_wanted[host->dev_type];
            if (in_site && of_type) selection.hosts[selection.count++] = (uint32_t)i;
        }
        selection.hosts = mem_resize(selection.hosts, selection.count, sizeof(uint32_t));
        *out = selection;
    }
    free(site_wanted);
    free(type_wanted);
    return rc;
}

// --- hosts by name

// named[i] becomes the host that entry i names, where it names one.
static void find_named(const struct inventory *inventory, const struct filter *hosts,
                       const struct host **named) {
    struct strmap entries = {0}; // of a million hosts few are asked for
    for (size_t i = 0; i < hosts->count; i++)
        strmap_put(&entries, hosts->names[i], &named[i]);
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host **found = strmap_get(&entries, inventory->hosts[i].name);
        if (found != NULL) *found = &inventory->hosts[i];
    }
    for (size_t i = 0; i < hosts->count; i++) // an entry may come twice
        named[i] = *(const struct host **)strmap_get(&entries, hosts->names[i]);
    strmap_deinit(&entries);
}

static bool want_matching(const struct inventory *inventory, const char *glob, bool *wanted) {
    bool any = false;
    for (size_t i = 0; i < inventory->count; i++) {
        if (!glob_matches(glob, inventory->hosts[i].name)) continue;
        wanted[i] = true;
        any = true;
    }
    return any;
}

static int not_ours(const struct inventory *inventory, const struct host *host, struct error *err) {
    return error_set(err, "%.100s runs %.60s, not acmeos", host->name,
                     inventory_platform(inventory, host));
}

static int want_entry(const struct inventory *inventory, const struct host *named,
                      const char *entry, bool *wanted, size_t *globs, struct error *err) {
    if (named != NULL && named->platform != 0) return not_ours(inventory, named, err);
    if (named != NULL) {
        wanted[named - inventory->hosts] = true;
        return 0;
    }
    if (!glob_is(entry)) return error_set(err, "there is no host '%.100s'", entry);
    if (++*globs > INVENTORY_GLOBS_MAX)
        return error_set(err, "more than %d globs", INVENTORY_GLOBS_MAX);
    if (want_matching(inventory, entry, wanted)) return 0;
    return error_set(err, "no host matches '%.100s'", entry);
}

static void keep_wanted(struct selection *selection, const bool *wanted) {
    size_t kept = 0;
    for (size_t i = 0; i < selection->count; i++)
        if (wanted[selection->hosts[i]]) selection->hosts[kept++] = selection->hosts[i];
    selection->count = kept;
}

int inventory_narrow(const struct inventory *inventory, const struct filter *hosts,
                     struct selection *selection, struct error *err) {
    if (hosts->all) return 0;
    bool *wanted = mem_array(inventory->count, sizeof *wanted);
    const struct host **named = mem_array(hosts->count, sizeof *named);
    size_t globs = 0;
    int rc = 0;
    find_named(inventory, hosts, named);
    for (size_t i = 0; rc == 0 && i < hosts->count; i++) {
        rc = want_entry(inventory, named[i], hosts->names[i], wanted, &globs, err);
        if (rc != 0) error_in_list(err, "filter_hosts", i);
    }
    if (rc == 0) keep_wanted(selection, wanted);
    free(named);
    free(wanted);
    return rc;
}

void selection_deinit(struct selection *selection) {
    free(selection->hosts);
    *selection = (struct selection){0};
}
