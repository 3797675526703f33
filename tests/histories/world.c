// The clock, and what happens when. What is due at the same time happens in the order of asking.
#include "tests/histories/world.h"

#include "common/rng.h"
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

#include <assert.h>

enum {
    EVENTS_MAX = 100000,      // no history is that long
    END_MS = 5 * 3600 * 1000, // nor lasts until then
    NODES_EVENTS_MAX = 1000000,
    NODES_END_MS = 3600 * 1000,
    WHAT_SHIFT = 5,      // in a tag: the kind below
    WALL_S = 1700000000, // the wall clock at 0 ms
};
static_assert(HISTORY_EVENTS <= 1 << WHAT_SHIFT, "a kind has its place in a tag");

uint64_t world_draw(const struct world *w, const char *what, uint64_t a, uint64_t b, uint64_t low,
                    uint64_t high) {
    const uint64_t of = rng_mix(rng_mix(w->plan->seed, rng_hash(what)), rng_mix(a, b));
    return rng_range(of, low, high);
}

void world_at(struct world *w, uint64_t at_ms, enum history_event kind, unsigned what) {
    if (kind == EVENT_JOB) w->jobs_awaited |= 1U << what;
    heap_push(&w->heap, (struct heap_entry){.key = at_ms,
                                            .id = ++w->asked,
                                            .tag = (uint32_t)kind | what << WHAT_SHIFT});
}

long long world_wall_ms(const struct world *w) {
    return (long long)WALL_S * 1000 + (long long)w->now_ms + w->clock_ms;
}

uint64_t world_paced(const struct world *w, uint64_t ms) {
    return w->plan->pace > 0 ? ms * w->plan->pace : ms;
}

const struct store_back *world_back(const struct world *w) {
    return w->plan->nodes > 0 ? &store_memory_shared : &store_memory;
}

static void begin(struct world *w) {
    const struct plan *p = w->plan;
    network_make(w);
    w->sessions = (struct session_config){.username = "admin",
                                          .password = "admin",
                                          .connect_timeout_ms = world_paced(w, 50),
                                          .call_timeout_ms = world_paced(w, 100),
                                          .install_timeout_ms = world_paced(w, 600),
                                          .keep_ms = world_paced(w, p->max_age_ms)};
    for (unsigned h = 0; h < p->hosts; h++) {
        w->devices[h].installing = NOBODY;
        w->devices[h].asked_since_install = true;
    }
    for (unsigned i = 0; i < p->deaths_count; i++) {
        if (p->deaths[i].is_absent) continue;
        world_at(w, p->deaths[i].from_ms, EVENT_DEATH, p->deaths[i].host);
        if (p->deaths[i].to_ms > 0) world_at(w, p->deaths[i].to_ms, EVENT_BACK, p->deaths[i].host);
    }
    if (p->nodes > 0)
        nodes_begin(w);
    else
        world_at(w, 0, EVENT_LIVE, 0);
    for (unsigned i = 0; i < p->jobs_count; i++) {
        w->jobs[i].asked = plan_root(p, i);
        w->jobs[i].hosts = p->jobs[i].hosts;
        w->jobs[i].canaries = p->jobs[i].canaries;
        if (!p->jobs[i].is_absent && !p->jobs[i].is_retry)
            world_at(w, p->jobs[i].at_ms, EVENT_JOB, i);
    }
    if (p->hold.for_ms == 0) return;
    world_at(w, p->hold.at_ms, EVENT_HOLD, 0);
    world_at(w, p->hold.at_ms + p->hold.for_ms, EVENT_FREE, 0);
}

// --- what happens

static void live_event(struct world *w, enum history_event kind, unsigned what) {
    if (kind >= EVENT_STORE && what != w->at->life) return; // of a process that is no more
    w->at->events++;
    if (shell_happen(w, kind)) return;
    switch (kind) {
    case EVENT_TALK:
        talk_due(w, what);
        break;
    case EVENT_JOB:
        clients_submit(w, what);
        break;
    case EVENT_CONTROL:
        clients_control(w, what);
        break;
    case EVENT_RESUME:
        clients_resume(w);
        break;
    case EVENT_INVENTORY:
        recovery_read_inventory(w);
        break;
    case EVENT_HOLD:
    case EVENT_FREE:
        process_hold(w, kind == EVENT_HOLD);
        break;
    default:
        break;
    }
}

static void begin_process(struct world *w) {
    process_begin(w);
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (w->late >> i & 1) world_at(w, w->now_ms, EVENT_JOB, i);
    for (unsigned i = 0; i < w->plan->controls_count; i++)
        if (w->late_controls >> i & 1) world_at(w, w->now_ms, EVENT_CONTROL, i);
    w->late = w->late_controls = 0;
}

static void happen(struct world *w, enum history_event kind, unsigned what) {
    if (device_happen(w, kind, what)) return;
    if (kind == EVENT_LIVE)
        begin_process(w);
    else if (w->at->is_alive)
        live_event(w, kind, what);
    else if (kind == EVENT_JOB)
        w->late |= 1U << what;
    else if (kind == EVENT_CONTROL)
        w->late_controls |= 1U << what;
}

// --- how processes end

void world_count_install(struct world *w) {
    const struct plan *p = w->plan;
    w->at->installs++;
    if (w->at->life <= p->ends_count && p->ends[w->at->life - 1].installs == w->at->installs)
        w->at->events = 0;
}

static void end_process(struct world *w, const struct plan_end *end, const char *how) {
    story_tell(w, "the orchestrator %s", how);
    shell_end(w);
    w->verdict->ends++;
    w->clock_ms += end->clock_ms;
    world_at(w, w->now_ms + end->away_ms, EVENT_LIVE, 0);
}

static void signal_again(struct world *w, const struct plan_end *end) {
    if (end->again == SIGNAL_NONE || w->at->is_aborted || w->at->events < w->at->again_at) return;
    if (end->again == SIGNAL_KILL)
        end_process(w, end, "is killed while it ends");
    else
        process_abort(w);
}

static void signal_if_due(struct world *w) {
    const unsigned number = w->at->life - 1;
    if (!w->at->is_alive || number >= w->plan->ends_count) return;
    const struct plan_end *end = &w->plan->ends[number];
    if (end->is_absent || w->at->installs < end->installs || w->at->events < end->after) return;
    if (w->at->is_ending) {
        signal_again(w, end);
    } else if (end->signal == SIGNAL_KILL) {
        end_process(w, end, "is killed");
    } else {
        w->at->again_at = w->at->events + end->again_after;
        process_halt(w);
    }
    if (w->at->is_alive && process_has_ended(w)) end_process(w, end, "has ended");
}

static void run(struct world *w) {
    while (w->heap.count > 0 && !w->verdict->is_broken) {
        const struct heap_entry next = heap_pop(&w->heap);
        const bool are_nodes = w->plan->nodes > 0;
        if (next.key > (are_nodes ? NODES_END_MS : END_MS) ||
            w->verdict->events == (are_nodes ? NODES_EVENTS_MAX : EVENTS_MAX)) {
            story_broken(w, comes_to_an_end, "it never ends");
            return;
        }
        w->now_ms = next.key;
        w->verdict->events++;
        const enum history_event kind = next.tag & ((1U << WHAT_SHIFT) - 1);
        if (are_nodes) {
            nodes_happen(w, kind, next.tag >> WHAT_SHIFT);
            if (nodes_are_over(w)) return;
            continue;
        }
        happen(w, kind, next.tag >> WHAT_SHIFT);
        signal_if_due(w);
    }
}

void world_play(const struct plan *plan, struct verdict *verdict, FILE *story) {
    struct world w = {.plan = plan, .verdict = verdict, .story = story};
    *verdict = (struct verdict){0};
    w.at = &w.processes[0];
    begin(&w);
    run(&w);
    if (!verdict->is_broken) referee_end(&w);
    if (plan->nodes > 0)
        nodes_end(&w);
    else if (w.at->is_alive)
        shell_end(&w);
    world_back(&w)->close(w.db);
    heap_deinit(&w.heap);
    for (unsigned i = 0; i < PLAN_NODES; i++)
        buf_deinit(&w.processes[i].update.send);
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        buf_deinit(&w.images[i]);
    network_free(&w);
}
