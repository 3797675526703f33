#include "orchestrator/lock.h"

#include "common/mem.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void locks_deinit(struct locks *locks) {
    for (size_t i = 0; i < locks->by_key.cap; i++)
        free(locks->by_key.slots[i].value);
    strmap_deinit(&locks->by_key);
}

struct lock *lock_of(struct locks *locks, const char *key) {
    struct lock *lock = strmap_get(&locks->by_key, key);
    if (lock != NULL) return lock;
    size_t size = strlen(key) + 1;
    lock = mem_zalloc(offsetof(struct lock, key) + size);
    memcpy(lock->key, key, size);
    strmap_put(&locks->by_key, lock->key, lock);
    return lock;
}

static void enqueue(struct share *share) {
    struct lock *lock = share->lock;
    share->is_queued = true;
    share->behind = NULL;
    if (lock->last == NULL)
        lock->first = share;
    else
        lock->last->behind = share;
    lock->last = share;
}

static void leave(struct share *share) {
    struct lock *lock = share->lock;
    struct share *before = NULL;
    share->is_queued = false;
    if (lock->first == share) {
        lock->first = share->behind;
    } else {
        for (before = lock->first; before->behind != share;)
            before = before->behind;
        before->behind = share->behind;
    }
    if (lock->last == share) lock->last = before;
}

static void find_limit(struct lock *lock) {
    lock->limit = UINT32_MAX;
    for (const struct share *share = lock->first; share != NULL; share = share->behind)
        if (share->constraint->limit < lock->limit) lock->limit = share->constraint->limit;
}

void lock_enter(struct share *share) {
    assert(share->constraint->limit > 0);
    enqueue(share);
    find_limit(share->lock);
}

static bool stays(const struct share *share) {
    return share->in_hand > 0 || (share->left > 0 && !share->is_paused);
}

void lock_rotate(struct share *share) {
    if (!share->is_queued) return;
    if (stays(share) && share->behind == NULL) return; // the last as it is
    leave(share);
    if (stays(share))
        enqueue(share);
    else
        find_limit(share->lock);
}

void lock_pause(struct share *share) {
    share->is_paused = true;
    if (!share->is_queued || stays(share)) return;
    leave(share);
    find_limit(share->lock);
}

void lock_unpause(struct share *share) {
    share->is_paused = false;
    if (share->left == 0) return;
    if (share->is_queued) leave(share);
    lock_enter(share);
}
