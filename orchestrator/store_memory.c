#include "orchestrator/store.h"

// What it would keep is in the jobs already, which live as long as this store does.
static void append(struct store *store, const struct store_event *event, store_done done,
                   void *arg) {
    (void)store;
    (void)event;
    done(arg, STORE_OK);
}

void store_memory_init(struct store *store) {
    *store = (struct store){.append = append};
}
