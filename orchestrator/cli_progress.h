// How far a job has come, from its hosts' states as they are told, in any order and more than once:
// how many are in which state, who is in hand for how long, and how fast it goes. Pure.
#pragma once

#include "common/strmap.h"
#include "orchestrator/cli_job.h"

enum { PROGRESS_SAMPLES = 32 };

struct progress_host {
    struct progress_host *next;
    enum host_state state;
    long long started_ms;
    bool is_in_doubt;
    char name[];
};

struct progress {
    uint64_t hosts, counts[HOST_STATES];
    struct strmap by_name;
    struct progress_host *seen; // those that have begun, or are over
    struct {                    // a ring: how many were over at that time
        uint64_t ms, over;
    } samples[PROGRESS_SAMPLES];
    unsigned samples_count, next_sample;
};

void progress_init(struct progress *p, uint64_t hosts); // all wait
void progress_deinit(struct progress *p);

// True: it is in this state since now, and was in another.
bool progress_turn(struct progress *p, const struct cli_host *host);

// Whoever is in hand waits again.
void progress_put_back(struct progress *p);

uint64_t progress_count_over(const struct progress *p);

// Called with what a steady clock says, as often as anybody likes.
void progress_tick(struct progress *p, uint64_t now_ms);
// Hosts that are over a second, of late; 0: not known yet.
double progress_rate(const struct progress *p);
// Until the last is over, at that rate; 0: not known.
uint64_t progress_left_ms(const struct progress *p);

// Those in hand, the longest first; returns how many are in out.
size_t progress_longest(const struct progress *p, const struct progress_host **out, size_t max);
