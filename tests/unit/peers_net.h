// Peers of a small network, told in letters: what the suites of peers.h share.
#pragma once

#include "orchestrator/peers.h"
#include "tests/unit/applied.h"

#include <stdio.h>

enum { MAX_AGE = 1000, START = 5000 };

// A network and its peers. Each host is a letter.
struct net {
    struct peers *peers;
    struct inventory *inventory;
    struct policy policy;
    struct grouping grouping;
    struct turn *turns[128]; // by host
    struct peers_hold hold;  // of the last begin that was refused
    uint64_t now_ms;
    bool asks_pass; // else they are to stay
};

static const struct peers_config by_default = {.check = true, .max_age_ms = MAX_AGE, .asks = 10};

// "a:p b:pq -c:p": a is in group p, b in p and q, c is of another platform.
static inline struct inventory *network_of(const char *hosts) {
    struct buf text = {0};
    buf_adds(&text, "{'s': {");
    for (const char *c = hosts; *c != '\0'; c++) {
        const bool is_foreign = *c == '-';
        c += is_foreign;
        buf_addf(&text, "%s'%c': {'platform': '%s', 'hostname': '127.0.0.1', 'port': %d, ",
                 c - is_foreign == hosts ? "" : ", ", *c, is_foreign ? "panos" : "acmeos", *c);
        buf_adds(&text, "'dev_type': 't', 'g': [");
        for (c += 2; *c != ' ' && *c != '\0'; c++)
            buf_addf(&text, "%s'%c'", c[-1] == ':' ? "" : ", ", *c);
        buf_adds(&text, "]}");
        if (*c == '\0') break;
    }
    buf_adds(&text, "}}");
    struct inventory *inventory = inventory_of(text.data);
    buf_deinit(&text);
    return inventory;
}

// Of the hosts selected; NULL: of all.
static inline struct net net_of(const struct peers_config *config, const char *hosts,
                                unsigned limit, const char *selected) {
    struct net n = {.peers = peers_new(config), .inventory = network_of(hosts), .now_ms = START};
    struct selection selection = all_of(n.inventory);
    char policy[80];
    struct error err;
    snprintf(policy, sizeof policy, "redundancy: [{group: \"{g}\", max_unavailable: %u}]", limit);
    n.policy = policy_of(policy);
    selection.count = 0;
    for (uint32_t h = 0; h < n.inventory->count; h++)
        if (selected == NULL || strchr(selected, *n.inventory->hosts[h].name) != NULL)
            selection.hosts[selection.count++] = h;
    ck_assert_int_eq(policy_grouping(&n.grouping, &n.policy, n.inventory, &selection, &err), 0);
    selection_deinit(&selection);
    return n;
}

static inline struct net net(const char *hosts, unsigned limit) {
    return net_of(&by_default, hosts, limit, NULL);
}

static inline uint32_t number_of(const struct net *n, char host) {
    for (uint32_t h = 0; h < n->inventory->count; h++)
        if (*n->inventory->hosts[h].name == host) return h;
    ck_abort_msg("no host %c", host);
    return 0;
}

static inline struct device *device(const struct net *n, char host) {
    return peers_find(n->peers, &n->inventory->hosts[number_of(n, host)]);
}

static const struct cohort *cohort_of(const struct net *n, uint32_t host) {
    for (size_t c = 0; c < n->grouping.cohorts_count; c++)
        for (uint32_t i = 0; i < n->grouping.cohorts[c].count; i++)
            if (n->grouping.order[n->grouping.cohorts[c].first + i] == host)
                return &n->grouping.cohorts[c];
    ck_abort_msg("host %u is not selected", host);
    return NULL;
}

static const char *group_of(const struct net *n, const char *key) {
    for (size_t i = 0; i < n->grouping.count; i++)
        if (strcmp(n->grouping.constraints[i].key, key) == 0)
            return n->grouping.constraints[i].name;
    return key;
}

// False: it cannot now, and the hold is kept.
static inline bool begin(struct net *n, char host) {
    const uint32_t number = number_of(n, host);
    struct turn *turn = peers_begin(n->peers, n->inventory, &n->grouping, cohort_of(n, number),
                                    number, "fallback", NULL, n->now_ms, &n->hold);
    if (turn != NULL) n->turns[(int)host] = turn;
    return turn != NULL;
}

static inline bool begin_in_doubt(struct net *n, char host) {
    const uint32_t number = number_of(n, host);
    struct turn *turn = peers_begin_in_doubt(n->peers, n->inventory, &n->grouping,
                                             cohort_of(n, number), number, NULL, n->now_ms);
    if (turn != NULL) n->turns[(int)host] = turn;
    return turn != NULL;
}

static inline void want(struct net *n, char host) {
    peers_want(n->peers, n->turns[(int)host], n->now_ms);
}

static char told[64]; // the groups that the last end told, and those before since it was cleared

static inline void note_told(void *arg, const char *key) {
    const size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s ", group_of(arg, key));
}

static inline void end_as(struct net *n, char host, enum turn_end end, uint64_t verified_ms) {
    struct turn *turn = n->turns[(int)host];
    n->turns[(int)host] = NULL;
    peers_end(n->peers, turn, end, verified_ms, end == TURN_FAILED ? "bricked" : NULL, n->now_ms,
              note_told, n);
}

static inline void leave(struct net *n, char host) {
    end_as(n, host, TURN_LEFT, 0);
}

static inline void verify(struct net *n, char host) {
    end_as(n, host, TURN_VERIFIED, n->now_ms);
}

// --- asks

static inline void note_contact(struct net *n, struct device *d) {
    ck_assert_ptr_null(d->contact);
    ck_assert_ptr_null(d->turn);
    d->contact = n;
}

// An ask that is to stay is kept, one that passes by is on its way out.
static inline void up(struct net *n, char host) {
    static const struct member nobody;
    struct device *d = device(n, host);
    if (d->is_passing)
        peers_leaving(n->peers, d);
    else
        peers_kept(n->peers, d, NULL, d->waiting != NULL ? d->waiting : &nobody);
    peers_answered(n->peers, d, NULL, n->now_ms);
}

static inline void gone(struct net *n, char host) {
    peers_gone(n->peers, device(n, host), n->now_ms);
}

static inline void refuse(struct net *n, char host) {
    peers_answered(n->peers, device(n, host), "connection refused", n->now_ms);
    gone(n, host);
}

// All that is to be done now: "ask b, grant a, skip c: TEXT, back d for a (GROUP), let go b".
static const char *deeds(struct net *n) {
    static char text[800];
    struct peers_deed deed;
    size_t len = 0;
    text[0] = '\0';
    while (peers_next(n->peers, n->now_ms, &deed)) {
        const char *host =
            deed.turn != NULL ? deed.turn->device->host.name : deed.device->host.name;
        char *end = text + len;
        const size_t room = sizeof text - len;
        switch (deed.kind) {
        case PEERS_ASK:
            peers_asking(n->peers, deed.device, !n->asks_pass);
            note_contact(n, deed.device);
            snprintf(end, room, ", ask %s", host);
            break;
        case PEERS_LET_GO:
            snprintf(end, room, ", let go %s", host);
            break;
        case PEERS_GRANT:
            snprintf(end, room, ", grant %s", host);
            break;
        case PEERS_SKIP:
            snprintf(end, room, ", skip %s: %s", host, deed.text);
            break;
        case PEERS_BACK:
            n->hold = deed.hold;
            snprintf(end, room, ", back %s for %s (%s)", host, deed.hold.holder->host.name,
                     group_of(n, deed.hold.key));
            break;
        }
        len = strlen(text);
    }
    return len == 0 ? "" : text + 2;
}

#define DEEDS(n, expected) ck_assert_str_eq(deeds(n), expected)

static inline void end_net(struct net *n) {
    told[0] = '\0';
    for (int host = 0; host < 128; host++)
        if (n->turns[host] != NULL) leave(n, (char)host);
    peers_free(n->peers);
    grouping_deinit(&n->grouping);
    policy_deinit(&n->policy);
    inventory_unref(n->inventory);
}

// Found out in a turn of asking, which has ended; of all others nothing.
static inline void learn(struct net *n, char asking, const char *are_up, const char *are_down) {
    n->asks_pass = true;
    ck_assert(begin(n, asking));
    deeds(n);
    n->asks_pass = false;
    for (; *are_up != '\0'; are_up++)
        up(n, *are_up);
    for (; *are_down != '\0'; are_down++)
        refuse(n, *are_down);
    leave(n, asking);
    for (uint32_t h = 0; h < n->inventory->count; h++) {
        struct device *d = peers_find(n->peers, &n->inventory->hosts[h]);
        if (d != NULL && d->contact != NULL) peers_gone(n->peers, d, n->now_ms);
    }
}
