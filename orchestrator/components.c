#include "orchestrator/components.h"

#include "common/mem.h"

#include <stdlib.h>

uint32_t components_of(const struct components *c, uint32_t host) {
    while (c->parent[host] != host) {
        c->parent[host] = c->parent[c->parent[host]];
        host = c->parent[host];
    }
    return host;
}

static void tie(struct components *c, uint32_t a, uint32_t b) {
    uint32_t x = components_of(c, a), y = components_of(c, b);
    if (x == y) return;
    if (c->sizes[x] < c->sizes[y]) {
        uint32_t other = x;
        x = y;
        y = other;
    }
    c->parent[y] = x;
    c->sizes[x] += c->sizes[y];
}

void components_find(struct components *c, const struct applied_policy *applied, size_t hosts) {
    c->parent = mem_array(hosts, sizeof *c->parent);
    c->sizes = mem_array(hosts, sizeof *c->sizes);
    for (uint32_t i = 0; i < hosts; i++) {
        c->parent[i] = i;
        c->sizes[i] = 1;
    }
    for (size_t g = 0; g < applied->count; g++) {
        const uint32_t *members = &applied->members[applied->groups[g].first];
        for (uint32_t i = 1; i < applied->groups[g].count; i++)
            tie(c, members[0], members[i]);
    }
}

void components_deinit(struct components *c) {
    free(c->parent);
    free(c->sizes);
}
