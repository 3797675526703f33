// The schedule as a script: each host is a letter, with the constraints that it is under.
#pragma once

#include "orchestrator/schedule.h"
#include "tests/unit/support.h"

#include <stdio.h>

struct script_job {
    struct grouping grouping;
    struct schedule_job *scheduled;
    struct schedule_work works[128]; // by host
};

static char skipped[64]; // "b<a": b was skipped because of a; "b<-": because its job is cancelled

static void note_skip(void *owner, uint32_t host, uint32_t cause) {
    (void)owner;
    size_t len = strlen(skipped);
    snprintf(skipped + len, sizeof skipped - len, "%c<%c ", (char)host,
             cause == SCHEDULE_NO_HOST ? '-' : (char)cause);
}

static inline struct schedule *begin_script(unsigned workers) {
    skipped[0] = '\0';
    return schedule_new(workers, note_skip);
}

// "A1 t20": constraints, each a letter and its limit; small letters are throttles.
static struct constraint *script_constraints(const char *text, size_t *count) {
    static char keys[128][2];
    struct constraint *constraints = mem_array(strlen(text), sizeof *constraints);
    *count = 0;
    for (char *end; *text != '\0'; text = *end == ' ' ? end + 1 : end) {
        const char letter = *text;
        keys[(int)letter][0] = letter;
        constraints[(*count)++] =
            (struct constraint){.key = keys[(int)letter],
                                .name = keys[(int)letter],
                                .limit = (uint32_t)strtoul(text + 1, &end, 10),
                                .weight = 1,
                                .redundancy = letter < 'a'};
    }
    return constraints;
}

static uint32_t script_need(const struct script_job *job, char letter) {
    for (uint32_t i = 0; i < job->grouping.count; i++)
        if (job->grouping.constraints[i].key[0] == letter) return i;
    ck_abort_msg("no constraint %c", letter);
    return 0;
}

// "aA bAB!": a is under A, b under A and B, where it goes first.
static inline void script_group(struct script_job *job, const char *constraints,
                                const char *hosts) {
    uint32_t numbers[64], ends[64], needs[64], end = 0;
    struct selection selection = {.hosts = numbers};
    *job = (struct script_job){0};
    job->grouping.constraints = script_constraints(constraints, &job->grouping.count);
    for (const char *c = hosts; *c != '\0'; c++) {
        if (*c == ' ') continue;
        if (c == hosts || c[-1] == ' ')
            numbers[selection.count++] = (uint32_t)*c;
        else if (*c == '!')
            needs[end - 1] |= NEED_FIRST;
        else
            needs[end++] = script_need(job, *c);
        if (selection.count > 0) ends[selection.count - 1] = end;
    }
    grouping_build(&job->grouping, &selection, ends, needs);
}

static inline void script_add(struct schedule *s, struct script_job *job, const char *constraints,
                              const char *hosts) {
    script_group(job, constraints, hosts);
    job->scheduled = schedule_add(s, &job->grouping, job);
}

static inline enum past script_past(void *arg, uint32_t host) {
    const char *found = strchr(arg, (int)host);
    if (found == NULL) return PAST_PENDING;
    return found[1] == '+' ? PAST_OVER : found[1] == '-' ? PAST_FAILED : PAST_IN_DOUBT;
}

// "a+ b- c?": a is over, b has failed, c is in doubt; all others wait.
static inline void script_add_resumed(struct schedule *s, struct script_job *job,
                                      const char *constraints, const char *hosts,
                                      const char *before) {
    char text[64];
    snprintf(text, sizeof text, "%s", before);
    script_group(job, constraints, hosts);
    job->scheduled = schedule_add_resumed(s, &job->grouping, job, script_past, text);
}

// Gets all that are in doubt, as letters.
static inline const char *get_doubts(struct schedule *s, struct script_job *job) {
    static char got[64];
    size_t len = 0;
    struct schedule_work work;
    while (schedule_next_in_doubt(s, job->scheduled, &work)) {
        ck_assert_ptr_eq(work.owner, job);
        ck_assert_ptr_eq(work.job, job->scheduled);
        job->works[work.host] = work;
        got[len++] = (char)work.host;
    }
    got[len] = '\0';
    return got;
}

// Starts all that may start; what was started, as letters.
static inline const char *start_all(struct schedule *s) {
    static char started[64];
    size_t len = 0;
    struct schedule_work work;
    while (schedule_next(s, &work)) {
        struct script_job *job = work.owner;
        schedule_claimed(s, &work);
        job->works[work.host] = work;
        started[len++] = (char)work.host;
    }
    started[len] = '\0';
    return started;
}

static inline void end_script(struct schedule *s, struct script_job *jobs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ck_assert(schedule_finished(jobs[i].scheduled));
        schedule_remove(s, jobs[i].scheduled);
        grouping_deinit(&jobs[i].grouping);
    }
    ck_assert_uint_eq(schedule_groups_pending(s), 0);
    schedule_free(s);
}

// All that is left, one after the other, those first that started first.
static inline void finish_all(struct schedule *s, struct script_job *job, const char *in_hand) {
    char queue[128];
    snprintf(queue, sizeof queue, "%s", in_hand);
    for (size_t i = 0; queue[i] != '\0'; i++) {
        schedule_done(s, &job->works[(int)queue[i]], false);
        snprintf(queue + strlen(queue), sizeof queue - strlen(queue), "%s", start_all(s));
    }
}

#define SUCCEED(job, host)  schedule_done(s, &(job).works[host], false)
#define FAIL(job, host)     schedule_done(s, &(job).works[host], true)
#define PUT_BACK(job, host) schedule_put_back(s, &(job).works[host])
