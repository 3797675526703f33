#include "orchestrator/event.h"

#include <assert.h>

const char *const host_state_names[HOST_STATES] = {
#define X(name, word) word,
#include "orchestrator/host_states.def"
#undef X
};

void processors_add(struct processors *processors, struct processor processor) {
    assert(processors->count < PROCESSORS_MAX);
    processors->list[processors->count++] = processor;
}

void processors_tell(const struct processors *processors, const struct event *event) {
    for (size_t i = 0; i < processors->count; i++)
        processors->list[i].event(processors->list[i].self, event);
}
