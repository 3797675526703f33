// The referee checks a thing when it begins, against what is under way at that moment. So it has to
// know what is under way: an install from its arrival until somebody knows what came of it, a login
// from its answer until the connection can do nothing more. Both are entries of one pool; installs
// are chained by group and logins by device, for only those of one chain can collide. A network at
// rest costs 16 bytes a device at most.
//
// Why an install lasts longer than the device is at it: at latency 0 that is no time at all, and
// whoever drives a whole group at once would never be seen. But who takes the next device before
// the last has told its version relies on an install that may have failed. So an install ends with
// the first answer to get_version behind it. The connection that sent it may end it too: there are
// those who never ask.
//
// The happy path: an entry is pushed on its chain, which is empty but for it, and taken out at its
// end. Every other entry of the chain is a violation with the newcomer. A violation names the
// entries that make it and ends with the first of them that ends; those that have not ended are
// few, so a list of them is searched. An entry's number is used again once it is free, which is why
// its violations are ended before it is taken out.
#include "simulator/referee.h"

#include "common/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

const char *const referee_kind_names[REFEREE_KIND_COUNT] = {
#define X(name, text) [REFEREE_##name] = #text,
#include "simulator/referee_kinds.def"
#undef X
};

void referee_init(struct referee *r, const struct network *network) {
    *r = (struct referee){.network = network};
    r->groups = mem_array(network->groups, sizeof *r->groups);
    r->logins = mem_array(network->devices, sizeof *r->logins);
}

void referee_deinit(struct referee *r) {
    free(r->groups);
    free(r->logins);
    free(r->entries);
    free(r->violations);
    free(r->open);
    *r = (struct referee){0};
}

// --- entries: numbered from 1, 0 is none

static struct referee_entry *entry(struct referee *r, uint32_t number) {
    assert(number > 0 && number <= r->entries_len);
    return &r->entries[number - 1];
}

// Puts a new entry at the head of a chain.
static uint32_t push(struct referee *r, uint32_t *head, uint32_t device, uint64_t connection) {
    uint32_t number = r->entries_free;
    if (number != 0) {
        r->entries_free = entry(r, number)->next;
    } else {
        r->entries =
            mem_grow(r->entries, &r->entries_cap, (size_t)r->entries_len + 1, sizeof *r->entries);
        number = ++r->entries_len;
    }
    *entry(r, number) =
        (struct referee_entry){.connection = connection, .device = device, .next = *head};
    *head = number;
    return number;
}

static void take_out(struct referee *r, uint32_t *head, uint32_t number) {
    while (*head != number)
        head = &entry(r, *head)->next;
    *head = entry(r, number)->next;
    entry(r, number)->next = r->entries_free;
    r->entries_free = number;
}

// --- violations

static void record(struct referee *r, const struct referee_violation *violation) {
    r->counts[violation->kind]++;
    if (r->violations_len == REFEREE_KEPT_MAX) return;
    r->violations =
        mem_grow(r->violations, &r->violations_cap, r->violations_len + 1, sizeof *r->violations);
    r->open = mem_grow(r->open, &r->open_cap, r->open_len + 1, sizeof *r->open);
    r->open[r->open_len++] = (uint32_t)r->violations_len;
    r->violations[r->violations_len++] = *violation;
}

// Of two entries; other is 0 where there is one.
static void record_pair(struct referee *r, enum referee_kind kind, uint64_t now_us, uint32_t other,
                        uint32_t number) {
    const struct referee_entry *mine = entry(r, number);
    struct referee_violation v = {.kind = kind, .started_us = now_us};
    if (other != 0) {
        v.hosts[v.hosts_len++] = entry(r, other)->device;
        v.connections[v.connections_len++] = entry(r, other)->connection;
    }
    if (v.hosts_len == 0 || v.hosts[0] != mine->device) v.hosts[v.hosts_len++] = mine->device;
    v.connections[v.connections_len++] = mine->connection;
    v.entries[0] = other;
    v.entries[1] = number;
    record(r, &v);
}

static void end_violations(struct referee *r, uint64_t now_us, uint32_t number) {
    size_t kept = 0;
    for (size_t i = 0; i < r->open_len; i++) {
        struct referee_violation *v = &r->violations[r->open[i]];
        if (v->entries[0] == number || v->entries[1] == number) {
            v->ended = true;
            v->ended_us = now_us;
        } else {
            r->open[kept++] = r->open[i];
        }
    }
    r->open_len = kept;
}

// --- what happens

uint32_t referee_login(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection) {
    uint32_t first = r->logins[device];
    uint32_t number = push(r, &r->logins[device], device, connection);
    for (uint32_t other = first; other != 0; other = entry(r, other)->next)
        record_pair(r, REFEREE_DOUBLE_DRIVE, now_us, other, number);
    if (++r->in_flight > r->max_in_flight) r->max_in_flight = r->in_flight;
    return number;
}

void referee_logout(struct referee *r, uint64_t now_us, uint32_t login) {
    end_violations(r, now_us, login);
    take_out(r, &r->logins[entry(r, login)->device], login);
    r->in_flight--;
}

// Of a device; 0: it is not being installed.
static uint32_t install_of(struct referee *r, uint32_t device) {
    uint32_t number = r->groups[network_group(r->network, device)].running;
    while (number != 0 && entry(r, number)->device != device)
        number = entry(r, number)->next;
    return number;
}

static void unlink_client(struct referee *r, struct referee_client *client, uint32_t number) {
    uint32_t *at = &client->installs;
    while (*at != number)
        at = &entry(r, *at)->next_of_client;
    *at = entry(r, number)->next_of_client;
    entry(r, number)->client = NULL;
}

static void end_install(struct referee *r, uint64_t now_us, uint32_t number) {
    end_violations(r, now_us, number);
    struct referee_client *client = entry(r, number)->client;
    if (client != NULL) unlink_client(r, client, number);
    uint32_t group = network_group(r->network, entry(r, number)->device);
    take_out(r, &r->groups[group].running, number);
}

static void check_peers(struct referee *r, uint64_t now_us, uint32_t number,
                        referee_is_down is_down, const void *arg) {
    const struct referee_entry *mine = entry(r, number);
    uint32_t group = network_group(r->network, mine->device), first, count;
    uint32_t left = r->groups[group].down;
    network_group_devices(r->network, group, &first, &count);
    for (uint32_t peer = first; peer < first + count && left > 0; peer++) {
        if (!is_down(arg, peer)) continue;
        left--;
        if (peer == mine->device) continue;
        struct referee_violation v = {
            .kind = REFEREE_PEER_DOWN,
            .hosts = {peer, mine->device},
            .hosts_len = 2,
            .connections = {mine->connection},
            .connections_len = 1,
            .started_us = now_us,
            .entries = {number, number},
        };
        record(r, &v);
    }
}

uint32_t referee_install(struct referee *r, uint64_t now_us, uint32_t device,
                         struct referee_client *client, bool needless, referee_is_down is_down,
                         const void *arg) {
    struct referee_group *group = &r->groups[network_group(r->network, device)];
    uint32_t before = install_of(r, device);
    if (before != 0) end_install(r, now_us, before);
    uint32_t first = group->running;
    uint32_t number = push(r, &group->running, device, client->connection);
    struct referee_entry *mine = entry(r, number);
    mine->busy = true;
    mine->client = client;
    mine->next_of_client = client->installs;
    client->installs = number;
    group->installs++;
    for (uint32_t other = first; other != 0; other = entry(r, other)->next)
        record_pair(r, REFEREE_GROUP_OVERLAP, now_us, other, number);
    if (group->down > 0) check_peers(r, now_us, number, is_down, arg);
    if (needless) record_pair(r, REFEREE_NEEDLESS_INSTALL, now_us, 0, number);
    return number;
}

void referee_installed(struct referee *r, uint64_t now_us, uint32_t install) {
    entry(r, install)->busy = false;
    if (entry(r, install)->client == NULL) end_install(r, now_us, install);
}

void referee_version_told(struct referee *r, uint64_t now_us, uint32_t device) {
    uint32_t install = install_of(r, device);
    if (install != 0 && !entry(r, install)->busy) end_install(r, now_us, install);
}

void referee_client_left(struct referee *r, uint64_t now_us, struct referee_client *client) {
    while (client->installs != 0) {
        uint32_t install = client->installs;
        unlink_client(r, client, install);
        if (!entry(r, install)->busy) end_install(r, now_us, install);
    }
}

void referee_down(struct referee *r, uint32_t device) {
    r->groups[network_group(r->network, device)].down++;
}

void referee_up(struct referee *r, uint32_t device) {
    r->groups[network_group(r->network, device)].down--;
}

// --- the findings

static void write_violation(const struct referee *r, const struct referee_violation *v,
                            struct buf *out) {
    char text[NETWORK_GROUP_MAX];
    network_group_name(r->network, network_group(r->network, v->hosts[0]), text);
    buf_addf(out, "{\"kind\": \"%s\", \"group\": \"%s\", \"hosts\": [", referee_kind_names[v->kind],
             text);
    for (uint32_t i = 0; i < v->hosts_len; i++) {
        network_host(r->network, v->hosts[i], text);
        buf_addf(out, "%s\"%s\"", i == 0 ? "" : ", ", text);
    }
    buf_addf(out, "], \"started_ms\": %" PRIu64 ", \"ended_ms\": ", v->started_us / 1000);
    if (v->ended)
        buf_addf(out, "%" PRIu64, v->ended_us / 1000);
    else
        buf_adds(out, "null");
    buf_adds(out, ", \"connections\": [");
    for (uint32_t i = 0; i < v->connections_len; i++)
        buf_addf(out, "%s%" PRIu64, i == 0 ? "" : ", ", v->connections[i]);
    buf_adds(out, "]}");
}

static void write_groups(const struct referee *r, struct buf *out) {
    buf_adds(out, ", \"groups\": {");
    for (uint32_t group = 0; group < r->network->groups; group++) {
        char name[NETWORK_GROUP_MAX];
        network_group_name(r->network, group, name);
        buf_addf(out, "%s\n\"%s\": {\"installs\": %" PRIu32 "}", group == 0 ? "" : ",", name,
                 r->groups[group].installs);
    }
    buf_adds(out, "}");
}

void referee_write(const struct referee *r, bool with_groups, struct buf *out) {
    uint64_t found = 0;
    for (int i = 0; i < REFEREE_KIND_COUNT; i++)
        found += r->counts[i];
    buf_adds(out, "{\"violations\": [");
    for (size_t i = 0; i < r->violations_len; i++) {
        buf_adds(out, i == 0 ? "\n" : ",\n");
        write_violation(r, &r->violations[i], out);
    }
    buf_addf(out, "], \"max_in_flight\": %" PRIu64, r->max_in_flight);
    if (with_groups) write_groups(r, out);
    if (found > r->violations_len)
        buf_addf(out, ", \"violations_not_kept\": %" PRIu64, found - r->violations_len);
    buf_adds(out, "}");
}
