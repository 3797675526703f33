#include "simulator/listing.h"

#include "common/mem.h"
#include "common/suggest.h"

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

static bool wanted(const struct listing_filter *f, const struct network *n, uint32_t device,
                   const struct network_place *at) {
    return (f->sites == NULL || f->sites[device / n->site_devices]) &&
           (f->types == NULL || f->types[at->type - n->types]);
}

void listing_init_inventory(struct listing *l, const struct network *n,
                            const struct listing_filter *f, const struct listing_addresses *at) {
    *l = (struct listing){.kind = LISTING_INVENTORY, .network = n, .filter = f, .at = at};
}

static void write_device(const struct world *w, uint32_t device, const struct network_place *at,
                         struct buf *out) {
    const struct device *d = &w->devices[device];
    char host[NETWORK_HOST_MAX];
    network_host(w->network, device, host);
    buf_addf(out,
             "{\"name\": \"%s\", \"site\": \"%s\", \"dev_type\": \"%s\", \"rack\": \"%u\", "
             "\"version\": \"%s\", \"state\": \"%s\", \"logins\": %u, \"installs\": %u}",
             host, at->site->name, at->type->name, network_rack(at), world_version(w, device),
             device_state_names[d->state], d->logins, d->installs);
}

void listing_write_device(const struct world *w, uint32_t device, struct buf *out) {
    struct network_place at = network_place(w->network, device);
    write_device(w, device, &at, out);
}

void listing_init_devices(struct listing *l, const struct world *w,
                          const struct listing_filter *f) {
    *l = (struct listing){.kind = LISTING_DEVICES, .network = w->network, .world = w, .filter = f};
}

static void write_host(struct listing *l, uint32_t device, const struct network_place *place,
                       struct buf *out) {
    const struct network *n = l->network;
    if (place->site != l->open)
        buf_addf(out, "%s\"%s\": {", l->open == NULL ? "" : "}, ", place->site->name);
    else
        buf_adds(out, ", ");
    l->open = place->site;
    const struct network_override *override = network_override_of(n, device);
    char host[NETWORK_HOST_MAX];
    network_host(n, device, host);
    buf_addf(out,
             "\"%s\": {\"platform\": \"acmeos\", \"dev_type\": \"%s\", \"rack\": \"%u\", "
             "\"hostname\": \"%s\", \"port\": %u}",
             host, place->type->name, network_rack(place), l->at->hosts[device % l->at->count],
             override != NULL && override->port != 0 ? override->port : l->at->port);
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
        if (!wanted(l->filter, n, l->device, &place)) continue;
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
