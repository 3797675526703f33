// Jobs of a store that several nodes share, which differed from this node's inventory when they
// were joined, and are to go on; or hosts of them are in doubt. All that are asked for are looked
// up in one inventory; where it cannot be read, they wait.
#include "orchestrator/recover_look_up.h"

#include "common/mem.h"
#include "common/program.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/recover_internal.h"

#include <stddef.h>
#include <stdlib.h>

static void fetch(struct recovery *r);

static void on_again(uv_timer_t *timer) {
    fetch(timer->data);
}

void recovery_look_ups_begin(struct recovery *r) {
    uv_timer_init(r->config.loop, &r->look_ups.again);
    r->look_ups.again.data = r;
}

void recovery_look_ups_stop(struct recovery *r) {
    struct look_ups *look_ups = &r->look_ups;
    if (look_ups->fetches) fetcher_forget(r->config.fetcher, look_ups);
    look_ups->fetches = false;
    look_ups->is_stopped = true;
    uv_close((uv_handle_t *)&look_ups->again, NULL);
}

// A reading that is under way may have begun before what it is asked for now.
static void ask_for(struct look_ups *look_ups, uint64_t number) {
    for (size_t i = look_ups->fetches ? look_ups->read_for : 0; i < look_ups->count; i++)
        if (look_ups->jobs[i] == number) return;
    look_ups->jobs =
        mem_grow(look_ups->jobs, &look_ups->cap, look_ups->count + 1, sizeof *look_ups->jobs);
    look_ups->jobs[look_ups->count++] = number;
}

// It may be over by now, or seen since by who has it resumed.
static void look_up(const struct recovery *r, uint64_t number, struct inventory *inventory) {
    struct job *job = jobs_numbered(r->config.jobs, number);
    struct buf differs = {0};
    if (job == NULL) return;
    recovery_look_up_again(r, job, inventory, NULL, &differs);
    if (gate_looked_up(r->config.gate, job, differs.len == 0 ? NULL : differs.data))
        recovery_say_paused(job, differs.data);
    buf_deinit(&differs);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct recovery *r = (struct recovery *)((char *)arg - offsetof(struct recovery, look_ups));
    struct look_ups asked = r->look_ups;
    r->look_ups.fetches = false;
    if (inventory == NULL) {
        if (!r->look_ups.is_told)
            program_say("orchestrator: %zu jobs wait here to be looked up until the inventory can "
                        "be read: %s",
                        asked.count, why->text);
        r->look_ups.is_told = true;
        uv_timer_start(&r->look_ups.again, on_again, PAUSE_FIRST_MS, 0);
        return;
    }
    r->look_ups.is_told = false;
    r->look_ups.jobs = NULL;
    r->look_ups.count = r->look_ups.cap = 0;
    for (size_t i = 0; i < asked.count; i++)
        if (i < asked.read_for)
            look_up(r, asked.jobs[i], inventory);
        else
            ask_for(&r->look_ups, asked.jobs[i]);
    free(asked.jobs);
    inventory_unref(inventory);
    fetch(r);
}

static void fetch(struct recovery *r) {
    if (r->look_ups.fetches || r->look_ups.is_stopped || r->look_ups.count == 0) return;
    r->look_ups.fetches = true;
    r->look_ups.read_for = r->look_ups.count;
    fetcher_ask(r->config.fetcher, on_inventory, &r->look_ups);
}

void recovery_look_up(struct recovery *r, const struct job *job) {
    ask_for(&r->look_ups, job->number);
    if (!uv_is_active((uv_handle_t *)&r->look_ups.again)) fetch(r);
}
