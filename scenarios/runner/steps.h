// The steps of a scenario. Each does one thing and tells the differences between what it expected
// and what came.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/programs.h"

#include <cjson/cJSON.h>
#include <pthread.h>

struct rule {   // a fault that the scenario put in force
    char *text; // its name, or what it says
    double id;
    double fired;
    bool named, may_not_fire, gone;
};

struct stage { // where a scenario plays
    struct programs programs;
    pthread_t main;       // the only thread that starts programs
    pthread_mutex_t lock; // of all below
    pthread_cond_t changed;
    cJSON *vars;
    cJSON *looked;  // the values of metrics when a step last looked at them
    cJSON *answers; // reports
    struct rule *rules;
    size_t rules_count;
    int start_wanted; // a program that a branch wants started, or -1
    int start_rc;
    struct error start_error;
};

void stage_init(struct stage *s, const char *dir, const char *const *binaries,
                const cJSON *scenario, cJSON *vars, uint64_t seed);
void stage_deinit(struct stage *s);

// Runs the steps in turn until one fails: then appends to failure which one, what it asked and what
// came, and returns a value other than 0. where is the place of the list: "steps".
int steps_run(struct stage *s, const cJSON *steps, const char *where, struct buf *failure);

// A check of `always`: as a step, but failure is only appended to where programs could be asked.
int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure);

// Puts faults in force.
int stage_add_faults(struct stage *s, const cJSON *faults, struct error *err);
// Asks the simulator how often its rules have fired.
void stage_count_faults(struct stage *s);
