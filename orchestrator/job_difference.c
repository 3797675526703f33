// In the order in which one thing follows from another: the policy, then the hosts, then their
// groups. Once the hosts are known to be the same, in the same order, numbers mean the same in
// both.
#include "orchestrator/job_difference.h"

#include "common/count.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

struct side {
    struct job_image image;
    bool *selected;      // by host
    uint32_t *cohort;    // by host: of those selected
    struct strmap hosts; // name -> host
};

static void side_init(struct side *s) { // whose image is read
    const struct inventory *inventory = s->image.inventory;
    const struct grouping *g = &s->image.grouping;
    s->selected = mem_array(inventory->count, sizeof *s->selected);
    s->cohort = mem_array(inventory->count, sizeof *s->cohort);
    for (size_t i = 0; i < s->image.selection.count; i++)
        s->selected[s->image.selection.hosts[i]] = true;
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            s->cohort[g->order[g->cohorts[c].first + i]] = c;
    strmap_reserve(&s->hosts, inventory->count);
    for (size_t i = 0; i < inventory->count; i++)
        strmap_put(&s->hosts, inventory->hosts[i].name, &inventory->hosts[i]);
}

static void side_deinit(struct side *s) {
    free(s->selected);
    free(s->cohort);
    strmap_deinit(&s->hosts);
    job_image_deinit(&s->image);
}

// --- hosts

static void write_address(const struct host *host, struct buf *out) {
    const bool is_v6 = strchr(host->address, ':') != NULL;
    buf_addf(out, is_v6 ? "[%s]:%u" : "%s:%u", host->address, (unsigned)host->port);
}

static const char *site_of(const struct side *s, const struct host *host) {
    return inventory_site(s->image.inventory, host);
}

static const char *dev_type_of(const struct side *s, const struct host *host) {
    return inventory_dev_type(s->image.inventory, host);
}

static const char *rack_of(const struct side *s, const struct host *host) {
    (void)s;
    return host->rack;
}

static const char *platform_of(const struct side *s, const struct host *host) {
    return inventory_platform(s->image.inventory, host);
}

static const struct {
    const char *name;
    const char *(*of)(const struct side *s, const struct host *host);
} fields[] = {
    {"site", site_of}, {"device type", dev_type_of}, {"rack", rack_of}, {"platform", platform_of}};

static bool differ_in_field(const struct side *was, const struct host *old, const struct side *now,
                            const struct host *new, struct buf *out) {
    for (size_t i = 0; i < COUNT(fields); i++) {
        const char *a = fields[i].of(was, old), *b = fields[i].of(now, new);
        if (strcmp(a, b) == 0) continue;
        buf_addf(out, "the %s of %s is %s, was %s", fields[i].name, old->name,
                 *b == '\0' ? "none" : b, *a == '\0' ? "none" : a);
        return true;
    }
    return false;
}

static bool is_in(const struct inventory *inventory, const char *name) {
    for (size_t i = 0; inventory != NULL && i < inventory->count; i++)
        if (strcmp(inventory->hosts[i].name, name) == 0) return true;
    return false;
}

static bool host_differs(const struct side *was, size_t i, const struct side *now,
                         const struct inventory *inventory, struct buf *out) {
    const struct host *old = &was->image.inventory->hosts[i];
    const struct host *new = strmap_get(&now->hosts, old->name);
    if (new == NULL) {
        buf_addf(out, "%s is not in %s any more", old->name,
                 !is_in(inventory, old->name) ? "the inventory"
                 : was->selected[i]           ? "the selection"
                                              : "the same groups");
        return true;
    }
    if (strcmp(old->address, new->address) != 0 || old->port != new->port) {
        buf_addf(out, "%s is at ", old->name);
        write_address(new, out);
        buf_adds(out, ", was at ");
        write_address(old, out);
        return true;
    }
    if (old->tls != new->tls) {
        buf_addf(out, new->tls ? "%s speaks TLS, did not" : "%s does not speak TLS, did",
                 old->name);
        return true;
    }
    if (old->epochs != new->epochs) {
        buf_addf(out, new->epochs ? "%s takes epochs, did not" : "%s takes no epochs, did",
                 old->name);
        return true;
    }
    if (differ_in_field(was, old, now, new, out)) return true;
    if (was->selected[i] == now->selected[new - now->image.inventory->hosts]) return false;
    buf_addf(out,
             was->selected[i] ? "%s is not in the selection any more"
                              : "%s is in the selection now, was not",
             old->name);
    return true;
}

static bool host_is_new(const struct side *was, const struct side *now, size_t i, struct buf *out) {
    const char *name = now->image.inventory->hosts[i].name;
    if (strmap_get(&was->hosts, name) != NULL) return false;
    buf_addf(out, "%s is in %s now, was not", name,
             now->selected[i] ? "the selection" : "a group of the selected hosts");
    return true;
}

static bool order_differs(const struct side *was, const struct side *now, size_t i,
                          struct buf *out) {
    const char *a = was->image.inventory->hosts[i].name, *b = now->image.inventory->hosts[i].name;
    if (strcmp(a, b) == 0) return false;
    buf_addf(out, "%s stands where %s was in the inventory", b, a);
    return true;
}

static bool hosts_differ(const struct side *was, const struct side *now,
                         const struct inventory *inventory, struct buf *out) {
    for (size_t i = 0; i < was->image.inventory->count; i++)
        if (host_differs(was, i, now, inventory, out)) return true;
    for (size_t i = 0; i < now->image.inventory->count; i++)
        if (host_is_new(was, now, i, out)) return true;
    for (size_t i = 0; i < was->image.inventory->count; i++)
        if (order_differs(was, now, i, out)) return true;
    return false;
}

// --- groups, of the same hosts

// By the same policy a key says all of a group but who is in it.
static bool are_same_needs(const struct side *was, const struct side *now, size_t host) {
    const struct grouping *a = &was->image.grouping, *b = &now->image.grouping;
    const struct cohort *old = &a->cohorts[was->cohort[host]],
                        *new = &b->cohorts[now->cohort[host]];
    if (old->needs_count != new->needs_count) return false;
    for (uint32_t i = 0; i < old->needs_count; i++) {
        const uint32_t x = cohort_needs(a, old)[i], y = cohort_needs(b, new)[i];
        const struct constraint *c = &a->constraints[need_constraint(x)];
        const struct constraint *d = &b->constraints[need_constraint(y)];
        if (strcmp(c->key, d->key) != 0 || (x >= NEED_FIRST) != (y >= NEED_FIRST)) return false;
    }
    return true;
}

static bool groups_differ(const struct side *was, const struct side *now, struct buf *out) {
    for (size_t i = 0; i < was->image.inventory->count; i++) {
        if (!was->selected[i] || are_same_needs(was, now, i)) continue;
        buf_addf(out, "the groups of %s are not the same", was->image.inventory->hosts[i].name);
        return true;
    }
    return false;
}

static bool members_differ(const struct side *was, const struct side *now, struct buf *out) {
    const struct grouping *a = &was->image.grouping, *b = &now->image.grouping;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct constraint *c = &a->constraints[i], *d = &b->constraints[i];
        bool same = c->members == d->members && c->others_count == d->others_count;
        for (uint32_t o = 0; same && o < c->others_count; o++)
            same = a->others[c->others + o] == b->others[d->others + o];
        if (same) continue;
        buf_addf(out, "the members of %s are not the same", c->name);
        return true;
    }
    return false;
}

static bool write_difference(const struct side *was, const struct side *now,
                             const struct inventory *inventory, struct buf *out) {
    if (was->image.policy != now->image.policy) {
        buf_adds(out, "the policy has changed");
        return true;
    }
    return hosts_differ(was, now, inventory, out) || groups_differ(was, now, out) ||
           members_differ(was, now, out);
}

int job_difference(const void *was, size_t was_len, const void *now, size_t now_len,
                   const struct inventory *inventory, struct buf *out, struct error *err) {
    struct side a = {0}, b = {0};
    if (job_image_is_same(was, was_len, now, now_len)) return 0;
    int rc = job_image_read(was, was_len, &a.image, err);
    if (rc == 0) rc = job_image_read(now, now_len, &b.image, err);
    if (rc == 0) {
        side_init(&a);
        side_init(&b);
        if (!write_difference(&a, &b, inventory, out)) buf_adds(out, "the groups are not the same");
    }
    side_deinit(&a);
    side_deinit(&b);
    return rc;
}
