#include "orchestrator/group.h"

#include "common/buf.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <stdlib.h>
#include <string.h>

static bool is_by_rack(const struct inventory *inventory, const struct host *host) {
    return strcmp(inventory_dev_type(inventory, host), "leaf") == 0;
}

// The rule and its values, apart: no value holds a space. Joined by an underscore, site eu with
// type west_spine would be one group with site eu_west and type spine.
static void write_key(struct buf *key, const struct inventory *inventory, const struct host *host) {
    bool by_rack = is_by_rack(inventory, host);
    buf_clear(key);
    buf_adds(key, by_rack ? "rack " : "type ");
    buf_adds(key, inventory_site(inventory, host));
    buf_adds(key, " ");
    buf_adds(key, by_rack ? host->rack : inventory_dev_type(inventory, host));
}

void group_write_name(const struct inventory *inventory, const struct host *host, struct buf *out) {
    buf_addf(out, "%s_%s", inventory_site(inventory, host), inventory_dev_type(inventory, host));
    if (is_by_rack(inventory, host)) buf_addf(out, "_%s", host->rack);
}

// Keys are appended to one buffer that moves as it grows: until all are known a key is an offset.
struct key_list {
    struct strmap known; // key -> group number + 1
    struct buf keys;
    struct listed_key {
        size_t offset; // into keys
        char *copy;    // what the map's key points to while it is in use
    } * list;
    size_t count, cap;
};

static uint32_t number_of(struct key_list *list, const char *key) {
    uintptr_t known = (uintptr_t)strmap_get(&list->known, key);
    if (known != 0) return (uint32_t)(known - 1);
    list->list = mem_grow(list->list, &list->cap, list->count + 1, sizeof *list->list);
    struct listed_key *new = &list->list[list->count];
    *new = (struct listed_key){list->keys.len, mem_strdup(key)};
    buf_add(&list->keys, key, strlen(key) + 1);
    strmap_put(&list->known, new->copy, (void *)(uintptr_t)(list->count + 1));
    return (uint32_t)list->count++;
}

static void key_list_deinit(struct key_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->list[i].copy);
    free(list->list);
    strmap_deinit(&list->known);
}

void grouping_init(struct grouping *grouping, const struct inventory *inventory,
                   const struct selection *selection) {
    struct key_list list = {0};
    struct buf key = {0};
    uint32_t *number = mem_array(selection->count, sizeof *number);
    for (size_t i = 0; i < selection->count; i++) {
        write_key(&key, inventory, &inventory->hosts[selection->hosts[i]]);
        number[i] = number_of(&list, key.data);
    }
    buf_deinit(&key);

    *grouping = (struct grouping){.count = list.count, .hosts = selection->count};
    grouping->groups = mem_array(list.count, sizeof *grouping->groups);
    grouping->order = mem_array(selection->count, sizeof *grouping->order);
    grouping->keys = buf_take(&list.keys);
    for (size_t i = 0; i < selection->count; i++)
        grouping->groups[number[i]].count++;
    uint32_t first = 0;
    for (size_t g = 0; g < list.count; g++) {
        grouping->groups[g].key = grouping->keys + list.list[g].offset;
        grouping->groups[g].first = first;
        grouping->groups[g].weight = 1;
        first += grouping->groups[g].count;
        grouping->groups[g].count = 0; // counted up again while the hosts are put in place
    }
    for (size_t i = 0; i < selection->count; i++) {
        struct group *group = &grouping->groups[number[i]];
        grouping->order[group->first + group->count++] = selection->hosts[i];
    }
    free(number);
    key_list_deinit(&list);
}

void grouping_deinit(struct grouping *grouping) {
    free(grouping->groups);
    free(grouping->order);
    free(grouping->keys);
    *grouping = (struct grouping){0};
}
