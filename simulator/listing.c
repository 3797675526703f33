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

void listing_write(const struct network *n, const struct listing_filter *f,
                   const struct listing_addresses *at, struct buf *out) {
    const struct network_site *open = NULL;
    buf_adds(out, "{");
    for (uint32_t device = 0; device < n->devices; device++) {
        struct network_place place = network_place(n, device);
        if (!wanted(f, n, device, &place)) continue;
        if (place.site != open)
            buf_addf(out, "%s\"%s\": {", open == NULL ? "" : "}, ", place.site->name);
        else
            buf_adds(out, ", ");
        open = place.site;
        const struct network_override *override = network_override_of(n, device);
        char host[NETWORK_HOST_MAX];
        network_host(n, device, host);
        buf_addf(out,
                 "\"%s\": {\"platform\": \"acmeos\", \"dev_type\": \"%s\", \"rack\": \"%u\", "
                 "\"hostname\": \"%s\", \"port\": %u}",
                 host, place.type->name, network_rack(&place), at->hosts[device % at->count],
                 override != NULL && override->port != 0 ? override->port : at->port);
    }
    buf_adds(out, open == NULL ? "}" : "}}");
}

void listing_write_devices(const struct world *w, const struct listing_filter *f, struct buf *out) {
    const char *comma = "";
    buf_adds(out, "{\"devices\": [");
    for (uint32_t device = 0; device < w->network->devices; device++) {
        struct network_place place = network_place(w->network, device);
        if (!wanted(f, w->network, device, &place)) continue;
        buf_adds(out, comma);
        device_write(w, device, out);
        comma = ", ";
    }
    buf_adds(out, "]}");
}
