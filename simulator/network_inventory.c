#include "simulator/network_inventory.h"

#include "common/file.h"
#include "common/inventory_file.h"

static int add_host(struct network *n, const struct inventory *inventory, const struct host *host,
                    struct error *err) {
    bool site = host->site != INVENTORY_NO_NAME, type = host->dev_type != INVENTORY_NO_NAME;
    struct network_own own = {
        .name = host->name,
        .rack = *host->rack == '\0' ? NULL : host->rack,
        .platform = host->platform == 0 ? NULL : inventory_platform(inventory, host),
    };
    int rc =
        network_own_site(n, site ? inventory_site(inventory, host) : NETWORK_NONE, &own.site, err);
    if (rc == 0)
        rc = network_own_type(n, type ? inventory_dev_type(inventory, host) : NETWORK_NONE,
                              &own.type, err);
    return rc == 0 ? network_add_own(n, &own, err) : rc;
}

// Its attributes, what a login must give and may say, and that it is away.
static int add_odd(struct network *n, const struct inventory *inventory, size_t index,
                   struct error *err) {
    const struct host *host = &inventory->hosts[index];
    const uint32_t *from = inventory->attributes_from;
    uint32_t count = from == NULL ? 0 : from[index + 1] - from[index], device = 0;
    struct network_range range = {.from = (uint32_t)n->pairs.len};
    const struct credentials login = inventory_credentials(inventory, index);
    const bool has_login = login.username != NULL || login.password != NULL;
    if (count == 0 && host->platform == 0 && !has_login && !host->epochs) return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pair = from[index] + i;
        if (network_pair(n, inventory->attributes.list[inventory->attribute_names[pair]],
                         inventory->attribute_values[pair], err) != 0)
            return ERROR_INPUT;
    }
    range.to = (uint32_t)n->pairs.len;
    if (!network_find(n, host->name, &device))
        return error_set(err, "%.100s: it is in no site", host->name);
    struct network_override *override = network_override(n, device, NULL, 0);
    override->attributes = range;
    override->down = host->platform != 0;
    override->epochs = host->epochs;
    if (has_login) network_override_login(n, override, login);
    return 0;
}

static int add_hosts(struct network *n, const struct inventory *inventory, struct error *err) {
    int rc = inventory->count == 0 ? error_set(err, "no host") : 0;
    for (size_t i = 0; rc == 0 && i < inventory->count; i++)
        rc = add_host(n, inventory, &inventory->hosts[i], err);
    if (rc == 0) rc = network_lay_out(n, err);
    for (size_t i = 0; rc == 0 && i < inventory->count; i++)
        rc = add_odd(n, inventory, i, err);
    network_sort_overrides(n);
    return rc;
}

int network_inventory_load(struct network *n, const char *path, struct error *err) {
    struct inventory_file file;
    struct inventory *inventory = NULL;
    int rc = inventory_file_read(&file, path, FILE_BYTES_MAX, err);
    file.unaddressed = true;
    if (rc == 0) rc = inventory_file_parse(&file, &inventory, err);
    inventory_file_deinit(&file);
    if (rc != 0) return rc;
    rc = add_hosts(n, inventory, err);
    if (rc != 0) error_from(err, "%.200s", path);
    inventory_unref(inventory);
    return rc;
}
