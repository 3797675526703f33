// All goes well, and whatever is not the install takes no time: it is in the time of the host as a
// whole.
#include "orchestrator/foretell.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum contact_state { APART, LOOKING, WANTING, INSTALLING, ASKED, PASSING, KEPT, LEAVING };

struct devices_played {
    const struct inventory *inventory;
    const double *means_ms;
    double other_ms; // of types that are not known
    const bool *are_as_wanted;
    uint8_t *states; // by host: enum contact_state
};

static uint64_t time_of(const struct devices_played *d, uint32_t host) {
    const uint16_t type = d->inventory->hosts[host].dev_type;
    if (d->are_as_wanted != NULL && d->are_as_wanted[host]) return 0;
    const double ms = type == INVENTORY_NO_NAME ? 0 : d->means_ms[type];
    return (uint64_t)((ms > 0 ? ms : d->other_ms) * 1000);
}

static void enter(struct devices_played *d, uint32_t host, enum contact_state state,
                  uint64_t due_us, struct contact_update *update) {
    d->states[host] = (uint8_t)state;
    update->due_us = due_us;
}

static void begin(void *arg) {
    (void)arg; // no host has been contacted yet
}

static void contact(void *arg, uint32_t host, enum contact_task task, uint64_t now_us,
                    struct contact_update *update) {
    static const enum contact_state first[] = {
        [CONTACT_UPGRADE] = LOOKING, [CONTACT_ASK] = ASKED, [CONTACT_ASK_AND_LEAVE] = PASSING};
    *update = (struct contact_update){0};
    enter(arg, host, first[task], now_us, update);
}

static void take_due(struct devices_played *d, uint32_t host, uint64_t now_us,
                     struct contact_update *update) {
    switch ((enum contact_state)d->states[host]) {
    case LOOKING:
        update->answered = update->asks = true;
        d->states[host] = WANTING;
        break;
    case ASKED:
        update->answered = update->is_kept = true;
        update->verdict = CONTACT_DONE;
        d->states[host] = KEPT;
        break;
    case PASSING:
        update->answered = update->leaves = true;
        update->verdict = CONTACT_DONE;
        enter(d, host, LEAVING, now_us, update);
        break;
    case INSTALLING:
        update->answered = true;
        update->verdict = CONTACT_DONE;
        enter(d, host, LEAVING, now_us, update);
        break;
    case LEAVING:
        update->is_over = true;
        d->states[host] = APART;
        break;
    case APART:
    case WANTING:
    case KEPT: // nothing is due
        break;
    }
}

static void tell(void *arg, uint32_t host, enum contact_input input, uint64_t now_us,
                 struct contact_update *update) {
    struct devices_played *d = arg;
    *update = (struct contact_update){.due_us = UINT64_MAX};
    switch (input) {
    case CONTACT_DUE:
        take_due(d, host, now_us, update);
        break;
    case CONTACT_GRANTED:
        enter(d, host, INSTALLING, now_us + time_of(d, host), update);
        break;
    case CONTACT_TAKEN:
        enter(d, host, LOOKING, now_us, update);
        break;
    case CONTACT_REFUSED:
    case CONTACT_LEAVE:
        update->leaves = true;
        enter(d, host, LEAVING, now_us, update);
        break;
    }
}

static double mean_of_known(const double *means_ms, size_t count) {
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        sum += means_ms[i];
        known += means_ms[i] > 0;
    }
    return known == 0 ? 0 : sum / (double)known;
}

struct phase {
    const bool *are_canaries;
    bool is_of_canaries;
};

static enum past past(void *arg, uint32_t host) {
    const struct phase *phase = arg;
    return phase->are_canaries[host] == phase->is_of_canaries ? PAST_PENDING : PAST_OVER;
}

// phase: those alone; NULL: all at once. Adds to the window.
static void play(const struct foretelling *f, struct devices_played *d, struct phase *phase,
                 struct foretold *out) {
    const struct virtual_devices devices = {
        .arg = d, .begin = begin, .contact = contact, .tell = tell};
    const struct virtual_job job = {.inventory = f->inventory,
                                    .grouping = f->grouping,
                                    .workers = f->workers,
                                    .peers = f->peers,
                                    .past = phase == NULL ? NULL : past,
                                    .past_arg = phase};
    struct virtual_result result;
    memset(d->states, 0, f->inventory->count);
    virtual_run(&job, &devices, &result);
    const uint64_t window_ms = result.makespan_us / 1000;
    if (window_ms >= out->window_ms) { // of two the one that takes longer
        const bool decides =
            result.longest_group_us > 0 && result.longest_group_us >= result.busy_us / f->workers;
        out->longest = decides ? &f->grouping->constraints[result.longest_group] : NULL;
    }
    out->window_ms += window_ms;
}

void foretell(const struct foretelling *f, struct foretold *out) {
    const double known_ms = mean_of_known(f->means_ms, f->inventory->dev_types.count);
    struct devices_played d = {.inventory = f->inventory,
                               .means_ms = f->means_ms,
                               .other_ms = known_ms > 0 ? known_ms : 1,
                               .are_as_wanted = f->are_as_wanted,
                               .states = mem_array(f->inventory->count, 1)};
    *out = (struct foretold){.is_known = known_ms > 0};
    if (f->are_canaries == NULL) {
        play(f, &d, NULL, out);
    } else {
        play(f, &d, &(struct phase){f->are_canaries, true}, out);
        play(f, &d, &(struct phase){f->are_canaries, false}, out);
    }
    free(d.states);
}
