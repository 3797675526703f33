// A simulator, and an orchestrator over it, for the length of one measurement.
#pragma once

#include "bench/scratch.h"
#include "common/buf.h"
#include "common/daemon.h"
#include "orchestrator/peers_config.h"

struct lab_config {
    // Files; NULL: the ACME network, and its policy.
    const char *network, *inventory, *policy;
    const char *orchestrator_policy;      // NULL: ACME's
    const char *username, *password_file; // NULL: the orchestrator's own
    const char *credentials;              // a file; NULL: devices have none of their own
    const char *latency;                  // NULL: the network's own
    double time_scale;
    unsigned addresses;
    uint64_t seed;
    unsigned workers;                 // 0: no orchestrator
    bool keeps;                       // its jobs in a store, in a file of the lab's; else in memory
    const char *state;                // a database for them, in place of both; NULL: none
    const char *preload;              // a library for it; NULL: none
    const char *turns;                // turns.so, for both programs, in place of it; NULL: none
    bool tls;                         // the devices speak it
    bool https;                       // the orchestrator serves it; its CA is in https-ca.pem
    const struct peers_config *peers; // NULL: the orchestrator's own; asks 0: lab_asks()
    uint64_t connect_timeout_us, call_timeout_us, install_timeout_us; // 0: the orchestrator's own
};

struct lab {
    struct daemon simulator, orchestrator;
    bool asks;                                      // the orchestrator, devices for their peers
    double simulator_turn_us, orchestrator_turn_us; // after lab_stop(), where turns was given
    char dir[SCRATCH_PATH_MAX];
};

// What one run over the network amounted to.
struct lab_run {
    double wall_s;
    double cpu_s;           // of the client: the orchestrator, or another
    double simulator_cpu_s; // while the client ran
    uint64_t completed, failed, skipped;
    bool asks; // it logs in to ask devices for their peers, too
};

// What the simulator has counted since its start, resets or not.
struct lab_counts {
    double logins, installs, violations;
};

// Asks for so many workers: as many, as far as the descriptors reach.
unsigned lab_asks(unsigned workers);

int lab_start(struct lab *lab, const struct lab_config *config, struct error *err);
// The orchestrator is killed; another over the same store, with the same options.
int lab_kill(struct lab *lab, struct error *err);
int lab_start_again(struct lab *lab, const struct lab_config *config, struct error *err);
// One more orchestrator over the same network, for the caller to end. number: of its log, from 2.
int lab_start_node(struct lab *lab, const struct lab_config *config, unsigned number,
                   struct daemon *node, struct error *err);
// Ends both, orderly; an error where one does not end with 0.
int lab_stop(struct lab *lab, struct error *err);

// POST /upgrade-os/ for the whole network.
int lab_upgrade(struct lab *lab, const char *version, struct lab_run *run, struct error *err);
// The same request, whose answer nobody waits for; the connection is the caller's, to close.
int lab_begin_upgrade(const struct lab *lab, const char *version, int *connection,
                      struct error *err);
// A job of the whole network that nobody waits for (respond-async): its id.
enum { LAB_JOB_ID_MAX = 64 };
int lab_begin_job(const struct lab *lab, const char *version, char id[LAB_JOB_ID_MAX],
                  struct error *err);
// Another client over the same network: argv and what is added, --inventory, --version and
// --workers; it prints a line of JSON with devices, completed, failed, wall_s and cpu_s.
int lab_client(struct lab *lab, const char *const *argv, const char *version, unsigned workers,
               struct lab_run *run, struct error *err);

// Fails where the simulator has counted anything but one install and one login for every host, or a
// violation, since the counts were taken; a run that asks may have logged in more often. In counts
// then: what it has counted since.
int lab_check(const struct lab *lab, struct lab_counts *counts, const struct lab_run *run,
              struct error *err);
// Fails unless so many devices run the version.
int lab_check_versions(const struct lab *lab, const char *version, unsigned devices,
                       struct error *err);
int lab_count(const struct lab *lab, struct lab_counts *counts, struct error *err);
int lab_reset(const struct lab *lab, uint64_t seed, struct error *err);

// How large the store is, with what lies beside it.
double lab_store_bytes(const struct lab *lab);

// The text that GET, or POST, answered; out may be NULL. Fails where the status is another.
int lab_get(const struct daemon *d, const char *path, struct buf *out, struct error *err);
int lab_post(const struct daemon *d, const char *path, const char *json, long status,
             struct buf *out, struct error *err);
