// What the files of recovery share: recover.c takes up what an earlier process has left,
// recover_join.c the jobs of a store that several nodes share, recover_look_up.c those of them that
// differ; recover_left.c compares. No other file includes it.
#pragma once

#include "orchestrator/recover_config.h"

enum { PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 10 * 1000 };

// A job that an earlier process has left; or one of the store's that differed from this node's
// inventory when it was joined.
struct left {
    struct left *next;
    uint64_t number;
    void *image;
    size_t image_len;
    bool is_paused;
};

struct resuming { // who wants a paused job to go on
    struct resuming *next;
    struct recovery *recovery;
    uint64_t number;
    bool is_asked;      // the store has been told that it is to go on
    recovery_told told; // NULL: nobody wants to know any more
    void *arg;
};

struct joining;

struct recovery {
    struct recovery_config config;
    struct joins {
        struct joining *first; // in order of arrival
        uv_timer_t again;
        bool fetches, is_stopped;
        struct error why;  // they wait; "": nothing is wrong
        uint64_t begun_ms; // by clock_boot_ms(): the store was opened right before
    } joins;
    struct look_ups {   // of jobs that this node has found to differ
        uint64_t *jobs; // their numbers
        size_t count, cap;
        size_t read_for; // of them, those that were asked for before the reading began
        uv_timer_t again;
        bool fetches, is_stopped;
        bool is_told; // that they wait
    } look_ups;
    uv_timer_t retry; // of the inventory, while hosts in doubt wait for their credentials
    uint64_t pause_ms;
    struct left *jobs; // in order of arrival
    struct resuming *resuming;
    bool runs;
    void (*done)(void *arg);
    void *done_arg;
};

// --- recover_left.c

void recovery_free_left(struct left *left);
void recovery_say_paused(const struct job *job, const char *why);
// The job as it was when it was kept, against an inventory: job_look_up(). NULL: it could not be
// read (why).
void recovery_look_up_in(const struct recovery *r, const struct left *left, struct job *job,
                         struct inventory *inventory, const struct error *why, struct buf *differs);
// The same, by what is left of it here; of one that nothing is left of, as this process has it.
void recovery_look_up_again(const struct recovery *r, struct job *job, struct inventory *inventory,
                            const struct error *why, struct buf *differs);

// --- recover_look_up.c

void recovery_look_ups_begin(struct recovery *r);
void recovery_look_ups_stop(struct recovery *r);

// --- recover_join.c

void recovery_joins_begin(struct recovery *r);
void recovery_joins_stop(struct recovery *r);
void recovery_joins_free(struct recovery *r);
