#include "bench/virtual.h"

#include "common/mem.h"

#include <stdlib.h>

struct flight { // a host in hand
    uint64_t done_us;
    bool fails;
    struct schedule_work work;
};

struct clockwork {
    struct schedule *schedule;
    const struct grouping *grouping;
    virtual_draw draw;
    void *draw_arg;
    uint64_t now_us;
    struct flight *flights; // a binary heap, the first to be done on top
    size_t count, cap;
    uint32_t *group_of; // host -> group
    uint64_t *group_us;
    struct virtual_result *result;
};

// --- the heap

static void push(struct clockwork *c, struct flight flight) {
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 64 : c->cap * 2;
        c->flights = mem_resize(c->flights, c->cap, sizeof *c->flights);
    }
    size_t at = c->count++;
    for (; at > 0 && flight.done_us < c->flights[(at - 1) / 2].done_us; at = (at - 1) / 2)
        c->flights[at] = c->flights[(at - 1) / 2];
    c->flights[at] = flight;
}

static struct flight pop(struct clockwork *c) {
    struct flight top = c->flights[0], moved = c->flights[--c->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= c->count) break;
        if (child + 1 < c->count && c->flights[child + 1].done_us < c->flights[child].done_us)
            child++;
        if (c->flights[child].done_us >= moved.done_us) break;
        c->flights[at] = c->flights[child];
        at = child;
    }
    c->flights[at] = moved;
    return top;
}

// --- the clock

static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct clockwork *c = owner;
    (void)host;
    (void)cause;
    c->result->skipped++;
}

static void start_hosts(struct clockwork *c) {
    struct schedule_work work;
    while (schedule_next(c->schedule, &work)) {
        struct virtual_host host = c->draw(c->draw_arg, work.host);
        c->result->busy_us += host.us;
        c->group_us[c->group_of[work.host]] += host.us;
        push(c, (struct flight){c->now_us + host.us, host.fails, work});
    }
}

static void finish_host(struct clockwork *c) {
    struct flight flight = pop(c);
    c->now_us = flight.done_us;
    if (flight.fails)
        c->result->failed++;
    else
        c->result->completed++;
    schedule_done(c->schedule, &flight.work, flight.fails);
}

static uint32_t *map_groups(const struct grouping *grouping) {
    uint32_t last = 0;
    for (size_t i = 0; i < grouping->hosts; i++)
        if (grouping->order[i] > last) last = grouping->order[i];
    uint32_t *group_of = mem_array((size_t)last + 1, sizeof *group_of);
    for (size_t g = 0; g < grouping->count; g++)
        for (uint32_t i = 0; i < grouping->groups[g].count; i++)
            group_of[grouping->order[grouping->groups[g].first + i]] = (uint32_t)g;
    return group_of;
}

void virtual_run(const struct grouping *grouping, unsigned workers, virtual_draw draw, void *arg,
                 struct virtual_result *result) {
    *result = (struct virtual_result){0};
    struct clockwork c = {.schedule = schedule_new(workers, on_skip),
                          .grouping = grouping,
                          .draw = draw,
                          .draw_arg = arg,
                          .group_of = map_groups(grouping),
                          .group_us = mem_array(grouping->count, sizeof(uint64_t)),
                          .result = result};
    struct schedule_job *job = schedule_add(c.schedule, grouping, &c);
    for (start_hosts(&c); c.count > 0; start_hosts(&c))
        finish_host(&c);
    result->makespan_us = c.now_us;
    for (size_t g = 0; g < grouping->count; g++)
        if (c.group_us[g] > result->longest_group_us) result->longest_group_us = c.group_us[g];
    schedule_remove(c.schedule, job);
    schedule_free(c.schedule);
    free(c.flights);
    free(c.group_of);
    free(c.group_us);
}

double virtual_bound_us(const struct virtual_result *result, unsigned workers) {
    double share = (double)result->busy_us / workers, group = (double)result->longest_group_us;
    return share > group ? share : group;
}
