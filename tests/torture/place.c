#include "tests/torture/place.h"

#include <stdio.h>
#include <string.h>

const char *const place_sites[PLACE_SITES] = {"earth", "mars", "venus"};
const char *const place_types[3] = {"edge", "spine", "leaf"};

static void add_range(cJSON *latency, const char *operation, unsigned low_ms, unsigned high_ms) {
    char text[64];
    snprintf(text, sizeof text, "%ums..%ums", low_ms, high_ms);
    cJSON_AddStringToObject(latency, operation, text);
}

enum { ANY_PORT = 8300 }; // the simulator has one of its own

// --- the hosts

static const char *const uplink_names[] = {"u0", "u1", "u2", "u3"};

// One or two of the site's uplinks, so that some hosts are in two groups of a policy that has
// these.
static void add_uplinks(cJSON *host, struct draw *d, unsigned uplinks) {
    cJSON *list = cJSON_AddArrayToObject(host, "uplinks");
    const unsigned first = draw_number(d, 0, uplinks - 1);
    cJSON_AddItemToArray(list, cJSON_CreateString(uplink_names[first]));
    if (uplinks < 2 || !draw_chance(d, 25)) return;
    cJSON_AddItemToArray(list, cJSON_CreateString(uplink_names[(first + 1) % uplinks]));
}

static void add_host(struct place *p, struct draw *d, cJSON *site, const char *type, unsigned rack,
                     unsigned uplinks, const char *name) {
    if (p->hosts == PLACE_HOSTS) return;
    snprintf(p->names[p->hosts++], PLACE_NAME, "%s", name);
    cJSON *host = cJSON_AddObjectToObject(site, name);
    cJSON_AddStringToObject(host, "hostname", "127.0.0.1");
    cJSON_AddNumberToObject(host, "port", ANY_PORT);
    cJSON_AddStringToObject(host, "platform", "acmeos");
    cJSON_AddStringToObject(host, "dev_type", type);
    char number[16];
    snprintf(number, sizeof number, "%u", rack);
    cJSON_AddStringToObject(host, "rack", number);
    // The first of all is a standby, so that a rule that has those go first holds for somebody.
    cJSON_AddStringToObject(host, "role",
                            p->hosts == 1 || draw_chance(d, 30) ? "standby" : "active");
    add_uplinks(host, d, uplinks);
}

// Racks of two, now and then of one or three.
static void add_type(struct place *p, struct draw *d, unsigned site, cJSON *members, unsigned type,
                     unsigned count, unsigned uplinks) {
    unsigned rack = 100 * (type + 1), left = 0;
    for (unsigned i = 0; i < count; i++) {
        char name[PLACE_NAME];
        if (left == 0) {
            rack++;
            left = draw_chance(d, 70) ? 2 : draw_number(d, 1, 3);
        }
        left--;
        snprintf(name, sizeof name, "%s%02u.%s", place_types[type], i, place_sites[site]);
        add_host(p, d, members, place_types[type], rack, uplinks, name);
    }
}

static void draw_inventory(struct place *p, struct draw *d) {
    const unsigned most = draw_chance(d, 10) ? 16 : 8;
    p->inventory = cJSON_CreateObject();
    p->sites = draw_number(d, 1, PLACE_SITES);
    for (unsigned site = 0; site < p->sites; site++) {
        cJSON *members = cJSON_AddObjectToObject(p->inventory, place_sites[site]);
        const unsigned uplinks = draw_number(d, 1, COUNT(uplink_names));
        for (unsigned type = 0; type < COUNT(place_types); type++) {
            const unsigned least = site == 0 && type == 2 ? 1 : 0; // one host there is
            add_type(p, d, site, members, type, draw_number(d, least, type == 2 ? most : most / 2),
                     uplinks);
        }
        if (cJSON_GetArraySize(members) == 0)
            cJSON_DeleteItemFromObjectCaseSensitive(p->inventory, place_sites[site]);
    }
}

// Of half the networks devices take epochs, nearly all of them. It is drawn aside, so that all else
// of a round is as it was without.
static void draw_epochs(struct place *p, const struct draw *d) {
    struct draw aside = {.seed = ~d->seed};
    cJSON *site, *host;
    if (draw_chance(&aside, 50)) return;
    cJSON_ArrayForEach(site, p->inventory)
        cJSON_ArrayForEach(host, site) if (draw_chance(&aside, 90))
            cJSON_AddTrueToObject(host, "epochs");
}

// --- the policy

static cJSON *add_rule(cJSON *list, const char *group) {
    cJSON *rule = cJSON_CreateObject();
    cJSON_AddStringToObject(rule, "group", group);
    cJSON_AddItemToArray(list, rule);
    return rule;
}

static void add_first(struct place *p, cJSON *rule) {
    cJSON_AddStringToObject(cJSON_AddObjectToObject(rule, "first"), "role", "standby");
    p->has_first = true;
}

// Every host has all that these templates name, so each is in a group of the first rule at least.
static void draw_policy(struct place *p, struct draw *d) {
    if (draw_chance(d, 30)) return;
    p->policy = cJSON_CreateObject();
    cJSON *groups = cJSON_AddArrayToObject(p->policy, "redundancy");
    cJSON *rule = add_rule(groups, DRAW_ONE(d, "{site}_{dev_type}", "{site}_{uplinks}",
                                            "{site}_{dev_type}_{rack}", "{site}"));
    if (draw_chance(d, 40)) cJSON_AddNumberToObject(rule, "max_unavailable", draw_number(d, 1, 4));
    if (draw_chance(d, 30)) add_first(p, rule);
    if (draw_chance(d, 40)) {
        rule = add_rule(groups, DRAW_ONE(d, "rack {site} {dev_type} {rack}", "role {role} {site}"));
        if (draw_chance(d, 50))
            cJSON_AddNumberToObject(rule, "max_unavailable", draw_number(d, 1, 3));
    }
    if (draw_chance(d, 40))
        cJSON_AddNumberToObject(
            add_rule(cJSON_AddArrayToObject(p->policy, "throttle"), DRAW_ONE(d, "{site}", "all")),
            "at_once", draw_number(d, 1, 6));
}

static void draw_latency(struct place *p, struct draw *d) {
    p->latency = cJSON_CreateObject();
    add_range(p->latency, "login", 0, draw_number(d, 1, 10));
    add_range(p->latency, "get_version", 0, draw_number(d, 1, 10));
    add_range(p->latency, "get_cpu_ram", 0, draw_number(d, 1, 10));
    add_range(p->latency, "install_os_version", 5, draw_number(d, 6, 120));
    add_range(p->latency, "logout", 0, draw_number(d, 1, 10));
    if (draw_chance(d, 50)) add_range(p->latency, "reboot", 5, draw_number(d, 6, 200));
}

void place_draw(struct place *p, struct draw *d) {
    *p = (struct place){0};
    draw_inventory(p, d);
    draw_policy(p, d);
    draw_latency(p, d);
    draw_epochs(p, d);
}

void place_deinit(struct place *p) {
    cJSON_Delete(p->inventory);
    cJSON_Delete(p->policy);
    cJSON_Delete(p->latency);
}
