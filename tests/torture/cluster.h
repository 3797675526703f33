// Several orchestrators over one database and one network, all of them real processes, and what
// may happen to them. Each thing that is done to one is over by itself after a while, if the
// cluster is tended meanwhile: the one that was stopped goes on, the one that ended is started
// again, as a service manager does.
#pragma once

#include "common/daemon.h"
#include "tests/lab/proxy.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CLUSTER_MAX = 9, CLUSTER_PATH = 200 };

struct node {
    struct process process;
    char url[64]; // its own for good
    char log[CLUSTER_PATH], said[CLUSTER_PATH];
    struct lab_proxy *proxy; // between it and the database
    char state[LAB_URI_MAX];
    bool is_killed, is_ending; // since its start
    bool may_lapse;            // likewise: something was done that may have cost it its lease
    uint64_t away_ms;          // so long it is not started again when it has ended
    // By clock_boot_ms(); 0: not to be.
    uint64_t starts_ms, wakes_ms, heals_ms;
};

struct cluster {
    const char *dir; // borrowed: what all of them write
    struct node nodes[CLUSTER_MAX];
    unsigned count;
    struct daemon simulator;
    struct lab_server *server; // borrowed
    char database[LAB_URI_MAX];
    uint64_t database_starts_ms;       // 0: it is up
    const char *policy;                // a file; NULL: ACME's
    unsigned kills, stops, cuts, left; // left: that ended of their own accord
};

// The folder has network.json, and policy.json where has_policy. The database, of that name, is
// new. All nodes are ready, or it is an error.
int cluster_start(struct cluster *c, struct lab_server *server, const char *dir, const char *name,
                  unsigned nodes, bool has_policy, struct error *err);
// Each of them is killed. Also behind an error of cluster_start().
void cluster_drop(struct cluster *c);

// Does what is due. An error: one has ended as none may.
int cluster_tend(struct cluster *c, struct error *err);
bool cluster_has_database(const struct cluster *c);

void cluster_kill(struct cluster *c, unsigned node, uint64_t away_ms);
void cluster_terminate(struct cluster *c, unsigned node);
void cluster_stand_still(struct cluster *c, unsigned node, uint64_t for_ms);
void cluster_cut(struct cluster *c, unsigned node, enum lab_proxy_mode mode, unsigned delay_ms,
                 uint64_t for_ms);
void cluster_end_sessions(struct cluster *c, bool all); // of the database, or about half of them
void cluster_stop_database(struct cluster *c, uint64_t for_ms);

// All that was done is over, and each node is ready.
int cluster_settle(struct cluster *c, struct error *err);
// Each ends with 0 and leaves nothing of its own in the database.
int cluster_end(struct cluster *c, struct error *err);
