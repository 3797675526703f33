#include "simulator/listing.h"

#include "common/mem.h"
#include "common/suggest.h"
#include "simulator/network_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "filter_sites: there is no 'earht', did you mean earth?; known: mercury, venus, ..."
static int unknown(const char *field, const char *name, const char *const *known, size_t count,
                   struct error *err) {
    char list[256] = "";
    size_t used = 0, i = 0;
    for (; i < count && used + strlen(known[i]) + 8 < sizeof list; i++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", known[i]);
    const char *near = suggest(name, known, count);
    error_set(err, "there is no '%.60s'%s%s%s; known: %s%s", name,
              near == NULL ? "" : ", did you mean ", near == NULL ? "" : near,
              near == NULL ? "" : "?", list, i < count ? ", ..." : "");
    error_in(err, "%s", field);
    return ERROR_INPUT;
}

static int parse_list(const char *field, const char *text, const char *const *known, size_t count,
                      int (*find)(const struct network *, const char *), const struct network *n,
                      bool **wanted, struct error *err) {
    bool *found = mem_array(count, sizeof *found);
    char *copy = mem_strdup(text), *rest = copy;
    int rc = 0;
    for (char *name; *text != '\0' && rc == 0 && (name = strsep(&rest, ",")) != NULL;) {
        int index = find(n, name);
        if (index < 0)
            rc = unknown(field, name, known, count, err);
        else
            found[index] = true;
    }
    free(copy);
    if (rc == 0)
        *wanted = found;
    else
        free(found);
    return rc;
}

int listing_filter_init(struct listing_filter *f, const struct network *n, const char *sites,
                        const char *types, struct error *err) {
    *f = (struct listing_filter){0};
    size_t count = n->sites_len > n->types_len ? n->sites_len : n->types_len;
    const char **known = mem_array(count, sizeof *known);
    int rc = 0;
    if (sites != NULL) {
        for (size_t i = 0; i < n->sites_len; i++)
            known[i] = n->sites[i].name;
        rc = parse_list("filter_sites", sites, known, n->sites_len, network_find_site, n, &f->sites,
                        err);
    }
    if (types != NULL && rc == 0) {
        for (size_t i = 0; i < n->types_len; i++)
            known[i] = n->types[i].name;
        rc = parse_list("filter_dev_types", types, known, n->types_len, network_find_type, n,
                        &f->types, err);
    }
    free(known);
    if (rc != 0) listing_filter_deinit(f);
    return rc;
}

void listing_filter_deinit(struct listing_filter *f) {
    free(f->sites);
    free(f->types);
    *f = (struct listing_filter){0};
}

static bool wanted(const struct listing_filter *f, const struct network *n,
                   const struct network_place *at) {
    return (f->sites == NULL || f->sites[at->site - n->sites]) &&
           (f->types == NULL || f->types[at->type - n->types]);
}

void listing_init_inventory(struct listing *l, const struct network *n,
                            const struct listing_filter *f, const struct listing_addresses *at) {
    *l = (struct listing){.kind = LISTING_INVENTORY, .network = n, .filter = f, .at = at};
}

static void write_name(const struct network *n, uint32_t device, struct buf *out) {
    char host[NETWORK_HOST_MAX];
    network_host(n, device, host);
    buf_add_json(out, host);
}

static void write_rack(const struct network_place *at, struct buf *out) {
    if (at->own == NULL)
        buf_addf(out, "\"%u\"", network_rack(at));
    else
        buf_add_json(out, at->own->rack == NULL ? "" : at->own->rack);
}

static void write_device(const struct world *w, uint32_t device, const struct network_place *at,
                         struct buf *out) {
    const struct device *d = &w->devices[device];
    buf_adds(out, "{\"name\": ");
    write_name(w->network, device, out);
    buf_adds(out, ", \"site\": ");
    buf_add_json(out, at->site->name);
    buf_adds(out, ", \"dev_type\": ");
    buf_add_json(out, at->type->name);
    buf_adds(out, ", \"rack\": ");
    write_rack(at, out);
    buf_addf(out, ", \"version\": \"%s\", \"state\": \"%s\", \"logins\": %u, \"installs\": %u",
             world_version(w, device), device_state_names[d->state], d->logins, d->installs);
    if (d->epoch > 0) buf_addf(out, ", \"epoch\": %" PRIu64, d->epoch);
    buf_adds(out, "}");
}

void listing_write_device(const struct world *w, uint32_t device, struct buf *out) {
    struct network_place at = network_place(w->network, device);
    write_device(w, device, &at, out);
}

void listing_init_devices(struct listing *l, const struct world *w,
                          const struct listing_filter *f) {
    *l = (struct listing){.kind = LISTING_DEVICES, .network = w->network, .world = w, .filter = f};
}

static void open_site(struct listing *l, const struct network_site *site, struct buf *out) {
    if (site == l->open) {
        buf_adds(out, ", ");
        return;
    }
    if (l->open != NULL) buf_adds(out, "}, ");
    buf_add_json(out, site->name);
    buf_adds(out, ": {");
    l->open = site;
}

// One value as a text; redundancy_groups are a list always.
static void write_values(const char *name, const char *const *values, uint32_t count,
                         struct buf *out) {
    bool list = count > 1 || strcmp(name, "redundancy_groups") == 0;
    buf_adds(out, ", ");
    buf_add_json(out, name);
    buf_adds(out, list ? ": [" : ": ");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_adds(out, ", ");
        buf_add_json(out, values[i]);
    }
    if (list) buf_adds(out, "]");
}

static bool has_pair(const struct network_pairs *pairs, const struct network_range *range,
                     uint16_t name) {
    for (uint32_t i = range->from; i < range->to; i++)
        if (pairs->name_of[i] == name) return true;
    return false;
}

// Those of a range, but for what the other range has too.
static void write_range(const struct network_pairs *pairs, const struct network_range *range,
                        const struct network_range *but, struct buf *out) {
    for (uint32_t i = range->from, next; i < range->to; i = next) {
        for (next = i + 1; next < range->to && pairs->name_of[next] == pairs->name_of[i];)
            next++;
        if (!has_pair(pairs, but, pairs->name_of[i]))
            write_values(pairs->names[pairs->name_of[i]], pairs->values + i, next - i, out);
    }
}

static void write_computed(const struct network *n, const struct network_place *place,
                           const struct network_computed *computed, struct buf *out) {
    char text[NETWORK_COMPUTED_MAX];
    const char *const values[] = {text};
    network_name_write(&computed->value, place->site->name, place->type->name, place->number, text,
                       sizeof text);
    write_values(n->pairs.names[computed->name], values, 1, out);
}

static void write_attributes(const struct network *n, const struct network_place *place,
                             const struct network_override *override, struct buf *out) {
    static const struct network_range none;
    const struct network_range *own = override == NULL ? &none : &override->attributes;
    write_range(&n->pairs, &place->type->attributes, own, out);
    for (size_t i = 0; place->own == NULL && i < place->type->computed_len; i++)
        if (!has_pair(&n->pairs, own, place->type->computed[i].name))
            write_computed(n, place, &place->type->computed[i], out);
    write_range(&n->pairs, own, &none, out);
}

static void write_host(struct listing *l, uint32_t device, const struct network_place *place,
                       struct buf *out) {
    const struct network *n = l->network;
    const struct network_override *override = network_override_of(n, device);
    const struct network_own *own = place->own;
    const char *platform = own == NULL || own->platform == NULL ? "acmeos" : own->platform;
    open_site(l, place->site, out);
    write_name(n, device, out);
    buf_adds(out, ": {\"platform\": ");
    buf_add_json(out, platform);
    if (strcmp(place->type->name, NETWORK_NONE) != 0) {
        buf_adds(out, ", \"dev_type\": ");
        buf_add_json(out, place->type->name);
    }
    if (own == NULL || own->rack != NULL) {
        buf_adds(out, ", \"rack\": ");
        write_rack(place, out);
    }
    if (strcmp(platform, "acmeos") == 0)
        buf_addf(out, ", \"hostname\": \"%s\", \"port\": %u", l->at->hosts[device % l->at->count],
                 override != NULL && override->port != 0 ? override->port : l->at->port);
    if (l->at->tls && strcmp(platform, "acmeos") == 0) buf_adds(out, ", \"tls\": true");
    if (network_takes_epochs(n, device) && strcmp(platform, "acmeos") == 0)
        buf_adds(out, ", \"epochs\": true");
    write_attributes(n, place, override, out);
    buf_adds(out, "}");
}

static void list_device(struct listing *l, uint32_t device, const struct network_place *place,
                        struct buf *out) {
    if (l->any) buf_adds(out, ", ");
    write_device(l->world, device, place, out);
    l->any = true;
}

bool listing_next(struct listing *l, struct buf *out) {
    const struct network *n = l->network;
    bool inventory = l->kind == LISTING_INVENTORY;
    uint32_t left = n->devices - l->device;
    uint32_t end = l->device + (left < LISTING_PIECE ? left : LISTING_PIECE);
    if (l->device == 0) buf_adds(out, inventory ? "{" : "{\"devices\": [");
    for (; l->device < end; l->device++) {
        struct network_place place = network_place(n, l->device);
        if (!wanted(l->filter, n, &place)) continue;
        if (inventory)
            write_host(l, l->device, &place, out);
        else
            list_device(l, l->device, &place, out);
    }
    if (end < n->devices) return true;
    if (inventory)
        buf_adds(out, l->open == NULL ? "}" : "}}");
    else
        buf_adds(out, "]}");
    return false;
}

void listing_write(const struct network *n, const struct listing_filter *f,
                   const struct listing_addresses *at, struct buf *out) {
    struct listing l;
    listing_init_inventory(&l, n, f, at);
    while (listing_next(&l, out))
        ;
}
