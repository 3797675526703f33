#include "bench/virtual.h"

#include "common/heap.h"
#include "common/mem.h"

#include <stdlib.h>

struct flight { // a host in hand
    struct virtual_host host;
    struct schedule_work work;
};

struct clockwork {
    struct schedule *schedule;
    const struct grouping *grouping;
    virtual_draw draw;
    void *draw_arg;
    uint64_t now_us;
    struct heap ends; // of flights: when, the host, and its slot in flights
    struct flight *flights;
    uint32_t *free_slots;
    uint32_t free_count;
    uint32_t *cohort_of;     // host -> cohort
    uint64_t *constraint_us; // of its hosts together
    struct virtual_result *result;
};

// --- the clock

static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct clockwork *c = owner;
    (void)host;
    (void)cause;
    c->result->skipped++;
}

static void add_time(struct clockwork *c, uint32_t host, uint64_t us) {
    const struct cohort *cohort = &c->grouping->cohorts[c->cohort_of[host]];
    const uint32_t *needs = cohort_needs(c->grouping, cohort);
    c->result->busy_us += us;
    for (uint32_t i = 0; i < cohort->needs_count; i++)
        c->constraint_us[need_constraint(needs[i])] += us;
}

static void start_hosts(struct clockwork *c) {
    struct schedule_work work;
    while (schedule_next(c->schedule, &work)) {
        schedule_claimed(c->schedule, &work);
        struct virtual_host host = c->draw(c->draw_arg, work.host);
        if (host.passed_over) {
            c->result->skipped++;
            schedule_done(c->schedule, &work, false);
            continue;
        }
        add_time(c, work.host, host.us);
        const uint32_t slot = c->free_slots[--c->free_count];
        c->flights[slot] = (struct flight){host, work};
        heap_push(&c->ends, (struct heap_entry){c->now_us + host.us, work.host, slot});
    }
}

static void finish_host(struct clockwork *c) {
    const struct heap_entry end = heap_pop(&c->ends);
    const struct flight *flight = &c->flights[end.tag];
    c->free_slots[c->free_count++] = end.tag;
    c->now_us = end.key;
    if (flight->host.fails)
        c->result->failed++;
    else
        c->result->completed++;
    if (flight->host.times_out) c->result->timed_out++;
    schedule_done(c->schedule, &flight->work, flight->host.fails);
}

static uint32_t *map_cohorts(const struct grouping *grouping) {
    uint32_t last = 0;
    for (size_t i = 0; i < grouping->hosts; i++)
        if (grouping->order[i] > last) last = grouping->order[i];
    uint32_t *cohort_of = mem_array((size_t)last + 1, sizeof *cohort_of);
    for (uint32_t c = 0; c < grouping->cohorts_count; c++)
        for (uint32_t i = 0; i < grouping->cohorts[c].count; i++)
            cohort_of[grouping->order[grouping->cohorts[c].first + i]] = c;
    return cohort_of;
}

// However the hosts of a constraint are ordered, it takes a limit's part of their time at least.
static void find_longest(const struct clockwork *c) {
    for (size_t i = 0; i < c->grouping->count; i++) {
        const uint64_t us = c->constraint_us[i] / c->grouping->constraints[i].limit;
        if (us <= c->result->longest_group_us) continue;
        c->result->longest_group_us = us;
        c->result->longest_group = i;
    }
}

void virtual_run(const struct grouping *grouping, unsigned workers, virtual_draw draw, void *arg,
                 struct virtual_result *result) {
    *result = (struct virtual_result){0};
    const uint32_t slots = workers < grouping->hosts ? workers : (uint32_t)grouping->hosts;
    struct clockwork c = {.schedule = schedule_new(workers, on_skip),
                          .grouping = grouping,
                          .draw = draw,
                          .draw_arg = arg,
                          .cohort_of = map_cohorts(grouping),
                          .constraint_us = mem_array(grouping->count, sizeof(uint64_t)),
                          .flights = mem_array(slots, sizeof(struct flight)),
                          .free_slots = mem_array(slots, sizeof(uint32_t)),
                          .result = result};
    while (c.free_count < slots) {
        c.free_slots[c.free_count] = c.free_count;
        c.free_count++;
    }
    struct schedule_job *job = schedule_add(c.schedule, grouping, &c);
    for (start_hosts(&c); c.ends.count > 0; start_hosts(&c))
        finish_host(&c);
    result->makespan_us = c.now_us;
    find_longest(&c);
    schedule_remove(c.schedule, job);
    schedule_free(c.schedule);
    heap_deinit(&c.ends);
    free(c.flights);
    free(c.free_slots);
    free(c.cohort_of);
    free(c.constraint_us);
}

double virtual_bound_us(const struct virtual_result *result, unsigned workers) {
    double share = (double)result->busy_us / workers, group = (double)result->longest_group_us;
    return share > group ? share : group;
}
