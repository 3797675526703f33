#include "orchestrator/claims.h"

#include "common/mem.h"
#include "common/rng.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MAX = 1 << 16 };

void claims_init(struct claims *claims, size_t devices) {
    claims->buckets_count = 1;
    while (claims->buckets_count < devices && claims->buckets_count < BUCKETS_MAX)
        claims->buckets_count *= 2;
    claims->buckets = mem_array(claims->buckets_count, sizeof(struct claim *));
}

void claims_deinit(struct claims *claims) {
    free(claims->buckets);
    *claims = (struct claims){0};
}

static struct claim **bucket_of(const struct claims *claims, const struct host *host) {
    return &claims->buckets[rng_hash(host->name) & (claims->buckets_count - 1)];
}

static bool is_same_device(const struct host *a, const struct host *b) {
    return a->port == b->port && strcmp(a->name, b->name) == 0 &&
           strcmp(a->address, b->address) == 0;
}

struct claim *claims_take(struct claims *claims, struct claim *claim, const struct host *host) {
    struct claim **bucket = bucket_of(claims, host);
    for (struct claim *other = *bucket; other != NULL; other = other->next)
        if (is_same_device(other->host, host)) return other;
    *claim = (struct claim){.next = *bucket, .host = host};
    *bucket = claim;
    return NULL;
}

void claims_wait(struct claim *holder, const char *group) {
    holder->waiting = mem_grow(holder->waiting, &holder->waiting_cap, holder->waiting_count + 1,
                               sizeof *holder->waiting);
    holder->waiting[holder->waiting_count++] = group;
}

void claims_release(struct claims *claims, struct claim *claim,
                    void (*released)(void *arg, const char *group), void *arg) {
    struct claim **link = bucket_of(claims, claim->host);
    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
    for (size_t i = 0; i < claim->waiting_count; i++)
        released(arg, claim->waiting[i]);
    free(claim->waiting);
    *claim = (struct claim){0};
}
