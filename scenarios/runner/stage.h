// Where a scenario plays: its two programs, its variables, and the faults that it put in force.
#pragma once

#include "common/error.h"
#include "scenarios/runner/programs.h"
#include "scenarios/runner/scenario.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>

struct rule {   // a fault that the scenario put in force
    char *text; // its name, or what it says
    double id;
    double fired;
    bool named, may_not_fire, gone;
};

struct stage;
// Plays steps in turn until one fails (steps.h). The stage has it for the kinds that hold steps, so
// that these need not know the list of all kinds.
typedef int (*stage_player)(struct stage *s, const cJSON *steps, const char *where,
                            struct buf *failure);

// Appends which checks of `always` do not hold (play.c).
typedef void (*stage_judge)(struct stage *s, struct buf *failure);

struct stage {
    const struct scenario *source; // the file that its steps stand in
    stage_player play_all;
    stage_judge judge;
    struct programs programs;
    pthread_t main;       // the only thread that starts programs
    pthread_mutex_t lock; // of all below
    pthread_cond_t changed;
    cJSON *options; // the scenario, as the programs have it
    cJSON *vars;
    cJSON *looked[PROGRAM_COUNT]; // the values of metrics when a step last looked at them
    cJSON *answers;               // reports
    cJSON *born;                  // the devices as they were when the network began
    char since[32];               // when that was
    cJSON *told;                  // of jobs that were over, see outcomes.h
    size_t told_jobs, told_hosts; // how many the last look at them saw
    struct follower *follower;    // or NULL
    unsigned followed_since;      // what programs_settled() said then
    struct rule *rules;
    size_t rules_count;
    struct stage_start *wanted; // a program that a branch wants started, or NULL
};

// vars becomes the stage's own; the scenario is borrowed, and its options may change.
void stage_init(struct stage *s, const char *dir, const char *const *binaries, cJSON *scenario,
                cJSON *vars, uint64_t seed);
void stage_deinit(struct stage *s);

// A copy of value with its ${...} replaced; the caller's.
int stage_expand(struct stage *s, const cJSON *value, cJSON **out, struct error *err);

// What GET of a path answers; the caller's.
int stage_get_json(struct stage *s, enum program_name name, const char *path, cJSON **out,
                   struct error *err);
// The URL of a path on a program, cut to size.
void stage_url(struct stage *s, enum program_name name, const char *path, char url[512]);
char *stage_read_log(const struct stage *s); // the orchestrator's, as text to free

// {"credentials.yaml": text}: writes files into the folder of the run, readable by their owner
// alone, each at once as a whole. What is no text is written as JSON, and null removes a file.
int stage_write_files(struct stage *s, const cJSON *files, struct error *err);

// Puts faults in force.
int stage_add_faults(struct stage *s, const cJSON *faults, struct error *err);
// Takes the faults of that name back. An error: there is none, or the simulator did not.
int stage_remove_fault(struct stage *s, const char *name, struct error *err);
// Asks the simulator how often its rules have fired.
void stage_count_faults(struct stage *s);
// The rules of a simulator are gone with it. Count them before.
void stage_forget_faults(struct stage *s);
void stage_forget_fault(struct stage *s, double id); // that one alone

// Options of the orchestrator, in place of those that it had; for those who start it next. Takes
// NULL.
void stage_set_options(struct stage *s, const cJSON *options);

// Starts a program, from whichever thread: those of branches hand it to the main thread, which is
// in stage_await() meanwhile.
int stage_start(struct stage *s, enum program_name name, struct error *err);
// Until *left, which the lock guards and stage_leave() counts down, is 0.
void stage_await(struct stage *s, const size_t *left);
void stage_leave(struct stage *s, size_t *left);
