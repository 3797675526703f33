#include "simulator/network_view.h"

#include <stdio.h>
#include <string.h>

static const char *const field_names[NETWORK_FIELDS] = {
    [NETWORK_SITE] = "site", [NETWORK_DEV_TYPE] = "dev_type", [NETWORK_RACK] = "rack",
    [NETWORK_HOST] = "host", [NETWORK_PLATFORM] = "platform",
};

int network_attribute(const struct network *n, const char *name) {
    for (int i = 0; i < NETWORK_FIELDS; i++)
        if (strcmp(name, field_names[i]) == 0) return i;
    uintptr_t found = (uintptr_t)strmap_get(&n->pairs.by_name, name);
    return found == 0 ? -1 : NETWORK_FIELDS + (int)found - 1;
}

void network_view(struct network_view *view, const struct network *n, uint32_t device) {
    view->network = n;
    view->computed_next = 0;
    view->device = device;
    view->place = network_place(n, device);
    view->override = network_override_of(n, device);
}

static const char *rack_of(struct network_view *view) {
    if (view->place.own != NULL) return view->place.own->rack;
    snprintf(view->rack, sizeof view->rack, "%u", network_rack(&view->place));
    return view->rack;
}

static const char *platform_of(const struct network_place *place) {
    return place->own == NULL || place->own->platform == NULL ? "acmeos" : place->own->platform;
}

// NULL: it has none.
static const char *field_of(struct network_view *view, enum network_field field) {
    const char *text = NULL;
    switch (field) {
    case NETWORK_SITE:
        text = view->place.site->name;
        break;
    case NETWORK_DEV_TYPE:
        text = view->place.type->name;
        break;
    case NETWORK_RACK:
        return rack_of(view);
    case NETWORK_HOST:
        network_host(view->network, view->device, view->host);
        return view->host;
    default:
        return platform_of(&view->place);
    }
    return strcmp(text, NETWORK_NONE) == 0 ? NULL : text;
}

static struct attribute_values find(const struct network_pairs *pairs,
                                    const struct network_range *range, int name) {
    struct attribute_values values = {0};
    uint32_t i = range->from;
    while (i < range->to && pairs->name_of[i] != name)
        i++;
    values.list = pairs->values + i;
    while (i < range->to && pairs->name_of[i] == name) {
        i++;
        values.count++;
    }
    return values;
}

static const struct network_computed *computed_of(const struct network_place *at, int name) {
    for (size_t i = 0; at->own == NULL && i < at->type->computed_len; i++)
        if (at->type->computed[i].name == name) return &at->type->computed[i];
    return NULL;
}

// In a ring, for a template asks for several before it uses them.
static struct attribute_values compute(struct network_view *view,
                                       const struct network_computed *computed) {
    const struct network_place *at = &view->place;
    unsigned slot = view->computed_next++ % NETWORK_COMPUTED_KEPT;
    network_name_write(&computed->value, at->site->name, at->type->name, at->number,
                       view->computed[slot], NETWORK_COMPUTED_MAX);
    view->computed_texts[slot] = view->computed[slot];
    return (struct attribute_values){&view->computed_texts[slot], 1};
}

bool network_is_computed(const struct network *n, int attribute) {
    for (size_t type = 0; type < n->types_len; type++)
        for (size_t i = 0; i < n->types[type].computed_len; i++)
            if (n->types[type].computed[i].name + NETWORK_FIELDS == attribute) return true;
    return false;
}

// The device's own word goes before its type's.
struct attribute_values network_view_values(struct network_view *view, int attribute) {
    struct attribute_values values = {0};
    if (attribute < 0) return values;
    if (attribute < NETWORK_FIELDS) {
        view->fields[attribute] = field_of(view, (enum network_field)attribute);
        values.list = &view->fields[attribute];
        values.count = view->fields[attribute] != NULL;
        return values;
    }
    const struct network_pairs *pairs = &view->network->pairs;
    if (view->override != NULL)
        values = find(pairs, &view->override->attributes, attribute - NETWORK_FIELDS);
    if (values.count > 0) return values;
    const struct network_computed *computed = computed_of(&view->place, attribute - NETWORK_FIELDS);
    if (computed != NULL) return compute(view, computed);
    return find(pairs, &view->place.type->attributes, attribute - NETWORK_FIELDS);
}
