// The referee checks a thing when it begins, against what is under way at that moment. So it has to
// know what is under way: an install from its arrival until somebody knows what came of it, a login
// from its answer until the connection can do nothing more. Both are entries of one pool. Logins
// are chained by device, for only those can collide. An install stands in a chain of each group of
// its device, and so does a device that is away; the links of these chains are a second pool. A
// network at rest costs 8 bytes a device and 32 a group.
//
// Why an install lasts longer than the device is at it: at latency 0 that is no time at all, and
// whoever drives a whole group at once would never be seen. But who takes the next device before
// the last has told its version relies on an install that may have failed. So an install ends with
// the first answer to get_version behind it. The connection that sent it may end it too: there are
// those who never ask.
//
// The happy path: an entry is pushed on its chains, which are empty but for it, and taken out at
// its end. Where a chain then has more than its group allows, that is a violation. A violation
// names the entries that make it, or the group where it is a crowd's, and ends with the first of
// them that ends, or when the crowd is small enough; those that have not ended are few, so a list
// of them is searched. An entry's number is used again once it is free, which is why its violations
// are ended before it is taken out.
//
// How many may be away, and who counts, is decided here and nowhere else: with the orchestrator it
// shares only how a policy is read and what its templates say.
#include "simulator/referee.h"
#include "simulator/network_groups.h"

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
    r->groups = mem_array(network->groups.count, sizeof *r->groups);
    r->logins = mem_array(network->devices, sizeof *r->logins);
    r->installs = mem_array(network->devices, sizeof *r->installs);
}

void referee_deinit(struct referee *r) {
    for (size_t i = 0; i < r->violations_len; i++) {
        free(r->violations[i].hosts);
        free(r->violations[i].connections);
    }
    free(r->named_twice);
    free(r->groups);
    free(r->logins);
    free(r->installs);
    free(r->entries);
    free(r->links);
    free(r->violations);
    free(r->open);
    *r = (struct referee){0};
}

// --- entries and links: numbered from 1, 0 is none

static struct referee_entry *entry(struct referee *r, uint32_t number) {
    assert(number > 0 && number <= r->entries_len);
    return &r->entries[number - 1];
}

static uint32_t new_entry(struct referee *r, uint32_t device, uint64_t connection) {
    uint32_t number = r->entries_free;
    if (number != 0) {
        r->entries_free = entry(r, number)->next;
    } else {
        r->entries =
            mem_grow(r->entries, &r->entries_cap, (size_t)r->entries_len + 1, sizeof *r->entries);
        number = ++r->entries_len;
    }
    *entry(r, number) = (struct referee_entry){.connection = connection, .device = device};
    return number;
}

static void free_entry(struct referee *r, uint32_t number) {
    entry(r, number)->next = r->entries_free;
    r->entries_free = number;
}

static struct referee_link *link_of(struct referee *r, uint32_t number) {
    assert(number > 0 && number <= r->links_len);
    return &r->links[number - 1];
}

static uint32_t new_link(struct referee *r, uint32_t what, uint32_t next) {
    uint32_t number = r->links_free;
    if (number != 0) {
        r->links_free = link_of(r, number)->next;
    } else {
        r->links = mem_grow(r->links, &r->links_cap, (size_t)r->links_len + 1, sizeof *r->links);
        number = ++r->links_len;
    }
    *link_of(r, number) = (struct referee_link){what, next};
    return number;
}

// Takes it out of the chain that it must be in.
static void unlink_from(struct referee *r, uint32_t *head, uint32_t what) {
    while (link_of(r, *head)->what != what)
        head = &link_of(r, *head)->next;
    uint32_t number = *head;
    *head = link_of(r, number)->next;
    link_of(r, number)->next = r->links_free;
    r->links_free = number;
}

// --- violations

static struct referee_violation *record(struct referee *r, enum referee_kind kind,
                                        uint64_t now_us) {
    r->counts[kind]++;
    if (r->violations_len == REFEREE_KEPT_MAX) return NULL;
    r->violations =
        mem_grow(r->violations, &r->violations_cap, r->violations_len + 1, sizeof *r->violations);
    r->open = mem_grow(r->open, &r->open_cap, r->open_len + 1, sizeof *r->open);
    r->open[r->open_len++] = (uint32_t)r->violations_len;
    struct referee_violation *v = &r->violations[r->violations_len++];
    *v = (struct referee_violation){.kind = kind, .started_us = now_us};
    return v;
}

static void make_room(struct referee_violation *v, size_t hosts, size_t connections) {
    v->hosts = mem_array(hosts, sizeof *v->hosts);
    v->connections = mem_array(connections, sizeof *v->connections);
}

// Of two entries; other is 0 where there is one.
static void record_pair(struct referee *r, enum referee_kind kind, uint64_t now_us, uint32_t other,
                        uint32_t number) {
    const struct referee_entry *mine = entry(r, number);
    struct referee_violation *v = record(r, kind, now_us);
    if (v == NULL) return;
    make_room(v, 2, 2);
    if (other != 0) {
        v->hosts[v->hosts_len++] = entry(r, other)->device;
        v->connections[v->connections_len++] = entry(r, other)->connection;
    }
    if (v->hosts_len == 0 || v->hosts[0] != mine->device) v->hosts[v->hosts_len++] = mine->device;
    v->connections[v->connections_len++] = mine->connection;
    v->entries[0] = other;
    v->entries[1] = number;
}

static void record_pair_in(struct referee *r, enum referee_kind kind, uint64_t now_us,
                           uint32_t group, uint32_t other, uint32_t number) {
    size_t before = r->violations_len;
    record_pair(r, kind, now_us, other, number);
    if (r->violations_len == before) return;
    r->violations[before].has_group = true;
    r->violations[before].group = group;
}

static void end_violation(struct referee_violation *v, uint64_t now_us) {
    v->ended = true;
    v->ended_us = now_us;
}

static void end_violations(struct referee *r, uint64_t now_us, uint32_t number) {
    size_t kept = 0;
    for (size_t i = 0; i < r->open_len; i++) {
        struct referee_violation *v = &r->violations[r->open[i]];
        if (v->entries[0] == number || v->entries[1] == number)
            end_violation(v, now_us);
        else
            r->open[kept++] = r->open[i];
    }
    r->open_len = kept;
}

static void end_crowds(struct referee *r, uint64_t now_us, uint32_t group) {
    size_t kept = 0;
    for (size_t i = 0; i < r->open_len; i++) {
        struct referee_violation *v = &r->violations[r->open[i]];
        if (v->crowd && v->group == group)
            end_violation(v, now_us);
        else
            r->open[kept++] = r->open[i];
    }
    r->open_len = kept;
}

// --- logins

uint32_t referee_login(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection) {
    uint32_t first = r->logins[device];
    uint32_t number = new_entry(r, device, connection);
    entry(r, number)->next = first;
    r->logins[device] = number;
    for (uint32_t other = first; other != 0; other = entry(r, other)->next)
        record_pair(r, REFEREE_DOUBLE_DRIVE, now_us, other, number);
    if (++r->in_flight > r->max_in_flight) r->max_in_flight = r->in_flight;
    return number;
}

void referee_logout(struct referee *r, uint64_t now_us, uint32_t login) {
    end_violations(r, now_us, login);
    uint32_t *head = &r->logins[entry(r, login)->device];
    while (*head != login)
        head = &entry(r, *head)->next;
    *head = entry(r, login)->next;
    free_entry(r, login);
    r->in_flight--;
}

void referee_epoch(struct referee *r, uint32_t device, uint64_t epoch) {
    struct network_group_list groups = network_groups_of(r->network, device);
    for (size_t i = 0; i < groups.count; i++) {
        struct referee_group *group = &r->groups[groups.list[i]];
        if (epoch > group->epoch) group->epoch = epoch;
    }
}

// --- the end of an install

static void unlink_client(struct referee *r, struct referee_client *client, uint32_t number) {
    uint32_t *at = &client->installs;
    while (*at != number)
        at = &entry(r, *at)->next_of_client;
    *at = entry(r, number)->next_of_client;
    entry(r, number)->client = NULL;
}

static void end_install(struct referee *r, uint64_t now_us, uint32_t number) {
    uint32_t device = entry(r, number)->device;
    end_violations(r, now_us, number);
    struct referee_client *client = entry(r, number)->client;
    if (client != NULL) unlink_client(r, client, number);
    struct network_group_list groups = network_groups_of(r->network, device);
    for (size_t i = 0; i < groups.count; i++) {
        struct referee_group *group = &r->groups[groups.list[i]];
        unlink_from(r, &group->running, number);
        if (--group->running_count <= r->network->groups.list[groups.list[i]].limit)
            end_crowds(r, now_us, groups.list[i]);
    }
    r->installs[device] = 0;
    free_entry(r, number);
    r->installing--;
}

// --- its begin

// Those of a chain, of which the newest come first, and the newcomer behind them.
static void name_all(struct referee *r, struct referee_violation *v, uint32_t chain, size_t count,
                     uint32_t number) {
    size_t named = count < REFEREE_NAMED_MAX - 1 ? count : REFEREE_NAMED_MAX - 1;
    make_room(v, named + 1, named + 1);
    v->hosts_len = v->connections_len = (uint32_t)named + 1;
    v->hosts[named] = entry(r, number)->device;
    v->connections[named] = entry(r, number)->connection;
    for (; named > 0; chain = link_of(r, chain)->next) {
        const struct referee_entry *other = entry(r, link_of(r, chain)->what);
        v->hosts[--named] = other->device;
        v->connections[named] = other->connection;
    }
}

// The newcomer stands at the head of the chain already.
static void check_running(struct referee *r, uint64_t now_us, uint32_t index, uint32_t number) {
    const struct network_group *rule = &r->network->groups.list[index];
    const struct referee_group *group = &r->groups[index];
    uint32_t others = link_of(r, group->running)->next;
    if (group->running_count <= rule->limit) return;
    if (rule->redundancy && rule->limit == 1) {
        for (uint32_t at = others; at != 0; at = link_of(r, at)->next)
            record_pair_in(r, REFEREE_GROUP_OVERLAP, now_us, index, link_of(r, at)->what, number);
        return;
    }
    enum referee_kind kind = rule->redundancy ? REFEREE_GROUP_OVERLAP : REFEREE_THROTTLE;
    struct referee_violation *v = record(r, kind, now_us);
    if (v == NULL) return;
    v->has_group = v->crowd = true;
    v->group = index;
    v->entries[0] = v->entries[1] = number;
    name_all(r, v, others, group->running_count - 1, number);
}

static struct referee_violation *record_peers(struct referee *r, uint64_t now_us, uint32_t group,
                                              uint32_t number, size_t peers) {
    struct referee_violation *v = record(r, REFEREE_PEER_DOWN, now_us);
    if (v == NULL) return NULL;
    make_room(v, peers + 1, 1);
    v->has_group = true;
    v->group = group;
    v->connections[v->connections_len++] = entry(r, number)->connection;
    v->entries[0] = v->entries[1] = number;
    return v;
}

// Where one is too many each of those that are away is a violation of its own; else all are one.
static void check_peers(struct referee *r, uint64_t now_us, uint32_t index, uint32_t number,
                        bool is_down) {
    uint32_t limit = r->network->groups.list[index].limit, mine = entry(r, number)->device;
    size_t others = r->groups[index].down_count - is_down;
    size_t each = limit == 1 ? 1 : others < REFEREE_NAMED_MAX - 1 ? others : REFEREE_NAMED_MAX - 1;
    struct referee_violation *v = NULL;
    size_t left = 0;
    if (others + 1 <= limit) return;
    for (uint32_t at = r->groups[index].down; at != 0; at = link_of(r, at)->next) {
        uint32_t peer = link_of(r, at)->what;
        if (peer == mine) continue;
        if (left == 0 && (v == NULL || limit == 1)) {
            v = record_peers(r, now_us, index, number, each);
            left = each;
        }
        if (v == NULL || left == 0) continue;
        v->hosts[v->hosts_len++] = peer;
        if (--left == 0) v->hosts[v->hosts_len++] = mine;
    }
}

static bool is_away(struct referee *r, const struct network_group_list *groups, uint32_t device) {
    for (size_t i = 0; i < groups->count; i++) {
        if (!r->network->groups.list[groups->list[i]].redundancy) continue;
        for (uint32_t at = r->groups[groups->list[i]].down; at != 0; at = link_of(r, at)->next)
            if (link_of(r, at)->what == device) return true;
        return false;
    }
    return false;
}

uint32_t referee_install(struct referee *r, uint64_t now_us, uint32_t device,
                         struct referee_client *client, bool needless) {
    struct network_group_list groups = network_groups_of(r->network, device);
    if (r->installs[device] != 0) end_install(r, now_us, r->installs[device]);
    uint32_t number = new_entry(r, device, client->connection);
    struct referee_entry *mine = entry(r, number);
    mine->busy = true;
    mine->client = client;
    mine->next_of_client = client->installs;
    client->installs = number;
    r->installs[device] = number;
    if (++r->installing > r->max_installing) r->max_installing = r->installing;
    for (size_t i = 0; i < groups.count; i++) {
        struct referee_group *group = &r->groups[groups.list[i]];
        group->running = new_link(r, number, group->running);
        group->running_count++;
        group->installs++;
        check_running(r, now_us, groups.list[i], number);
    }
    bool away = is_away(r, &groups, device);
    for (size_t i = 0; i < groups.count; i++) {
        if (!r->network->groups.list[groups.list[i]].redundancy) continue;
        check_peers(r, now_us, groups.list[i], number, away);
        if (client->epoch < r->groups[groups.list[i]].epoch)
            record_pair_in(r, REFEREE_STALE_EPOCH, now_us, groups.list[i], 0, number);
    }
    if (needless) record_pair(r, REFEREE_NEEDLESS_INSTALL, now_us, 0, number);
    return number;
}

void referee_installed(struct referee *r, uint64_t now_us, uint32_t install) {
    entry(r, install)->busy = false;
    if (entry(r, install)->client == NULL) end_install(r, now_us, install);
}

void referee_version_told(struct referee *r, uint64_t now_us, uint32_t device) {
    uint32_t install = r->installs[device];
    if (install != 0 && !entry(r, install)->busy) end_install(r, now_us, install);
}

void referee_client_left(struct referee *r, uint64_t now_us, struct referee_client *client) {
    while (client->installs != 0) {
        uint32_t install = client->installs;
        unlink_client(r, client, install);
        if (!entry(r, install)->busy) end_install(r, now_us, install);
    }
}

// --- devices that are away

void referee_down(struct referee *r, uint32_t device) {
    struct network_group_list groups = network_groups_of(r->network, device);
    for (size_t i = 0; i < groups.count; i++) {
        struct referee_group *group = &r->groups[groups.list[i]];
        if (!r->network->groups.list[groups.list[i]].redundancy) continue;
        uint32_t number = new_link(r, device, 0); // first, for it may move the links
        uint32_t *at = &group->down;
        while (*at != 0 && link_of(r, *at)->what < device)
            at = &link_of(r, *at)->next;
        link_of(r, number)->next = *at;
        *at = number;
        group->down_count++;
    }
}

void referee_up(struct referee *r, uint32_t device) {
    struct network_group_list groups = network_groups_of(r->network, device);
    for (size_t i = 0; i < groups.count; i++) {
        struct referee_group *group = &r->groups[groups.list[i]];
        if (!r->network->groups.list[groups.list[i]].redundancy) continue;
        unlink_from(r, &group->down, device);
        group->down_count--;
    }
}

// --- the findings

static void write_group(const struct referee *r, uint32_t group, struct buf *out) {
    struct buf name = {0};
    network_group_name(r->network, group, r->named_twice, &name);
    buf_add_json(out, name.data);
    buf_deinit(&name);
}

// What concerns a device alone is told with its first group.
static void write_group_of(const struct referee *r, const struct referee_violation *v,
                           struct buf *out) {
    struct network_group_list groups = network_groups_of(r->network, v->hosts[0]);
    if (v->has_group)
        write_group(r, v->group, out);
    else if (groups.count > 0)
        write_group(r, groups.list[0], out);
    else
        buf_adds(out, "null");
}

static void write_violation(const struct referee *r, const struct referee_violation *v,
                            struct buf *out) {
    buf_addf(out, "{\"kind\": \"%s\", \"group\": ", referee_kind_names[v->kind]);
    write_group_of(r, v, out);
    buf_adds(out, ", \"hosts\": [");
    for (uint32_t i = 0; i < v->hosts_len; i++) {
        char host[NETWORK_HOST_MAX];
        network_host(r->network, v->hosts[i], host);
        if (i > 0) buf_adds(out, ", ");
        buf_add_json(out, host);
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
    for (uint32_t group = 0; group < r->network->groups.count; group++) {
        buf_adds(out, group == 0 ? "\n" : ",\n");
        write_group(r, group, out);
        buf_addf(out, ": {\"installs\": %" PRIu32 "}", r->groups[group].installs);
    }
    buf_adds(out, "}");
}

void referee_write(struct referee *r, bool with_groups, struct buf *out) {
    uint64_t found = 0;
    if (r->named_twice == NULL) r->named_twice = network_groups_named_twice(r->network);
    for (int i = 0; i < REFEREE_KIND_COUNT; i++)
        found += r->counts[i];
    buf_adds(out, "{\"violations\": [");
    for (size_t i = 0; i < r->violations_len; i++) {
        buf_adds(out, i == 0 ? "\n" : ",\n");
        write_violation(r, &r->violations[i], out);
    }
    buf_addf(out, "], \"max_in_flight\": %" PRIu64 ", \"max_installing\": %" PRIu64,
             r->max_in_flight, r->max_installing);
    if (with_groups) write_groups(r, out);
    if (found > r->violations_len)
        buf_addf(out, ", \"violations_not_kept\": %" PRIu64, found - r->violations_len);
    buf_adds(out, "}");
}
