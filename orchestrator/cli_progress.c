#include "orchestrator/cli_progress.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_EVERY_MS = 1000, // so that a rate is that of the last half minute
    RATE_AFTER_MS = 5000,   // nothing is foretold from less
};

void progress_init(struct progress *p, uint64_t hosts) {
    *p = (struct progress){.hosts = hosts, .counts[HOST_WAITING] = hosts};
}

void progress_deinit(struct progress *p) {
    for (struct progress_host *host = p->seen, *next; host != NULL; host = next) {
        next = host->next;
        free(host);
    }
    strmap_deinit(&p->by_name);
    *p = (struct progress){0};
}

// --- states

static struct progress_host *find_or_add(struct progress *p, const char *name) {
    struct progress_host *host = strmap_get(&p->by_name, name);
    if (host != NULL) return host;
    const size_t size = strlen(name) + 1;
    host = mem_zalloc(sizeof *host + size);
    memcpy(host->name, name, size);
    host->next = p->seen;
    p->seen = host;
    strmap_put(&p->by_name, host->name, host);
    return host;
}

bool progress_turn(struct progress *p, const struct cli_host *told) {
    struct progress_host *host = find_or_add(p, told->name);
    const enum host_state before = host->state;
    host->started_ms = told->started_ms;
    host->is_in_doubt = told->is_in_doubt;
    host->state = told->state;
    if (before == told->state) return false;
    if (p->counts[before] > 0) p->counts[before]--;
    p->counts[told->state]++;
    return true;
}

void progress_put_back(struct progress *p) {
    for (struct progress_host *host = p->seen; host != NULL; host = host->next)
        if (host->state == HOST_IN_HAND) host->state = HOST_WAITING;
    p->counts[HOST_WAITING] += p->counts[HOST_IN_HAND];
    p->counts[HOST_IN_HAND] = 0;
}

uint64_t progress_count_over(const struct progress *p) {
    uint64_t over = 0;
    for (int state = HOST_IN_HAND + 1; state < HOST_STATES; state++)
        over += p->counts[state];
    return over;
}

// --- how fast

void progress_tick(struct progress *p, uint64_t now_ms) {
    const unsigned last = (p->next_sample + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    const unsigned before = (last + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    // The last one is of now until the next is due.
    const bool is_due =
        p->samples_count < 2 || p->samples[last].ms - p->samples[before].ms >= SAMPLE_EVERY_MS;
    const unsigned at = is_due ? p->next_sample : last;
    p->samples[at].ms = now_ms;
    p->samples[at].over = progress_count_over(p);
    if (!is_due) return;
    p->next_sample = (at + 1) % PROGRESS_SAMPLES;
    if (p->samples_count < PROGRESS_SAMPLES) p->samples_count++;
}

double progress_rate(const struct progress *p) {
    if (p->samples_count < 2) return 0;
    const unsigned last = (p->next_sample + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    const unsigned first =
        (p->next_sample + PROGRESS_SAMPLES - p->samples_count) % PROGRESS_SAMPLES;
    const uint64_t ms = p->samples[last].ms - p->samples[first].ms;
    if (ms < RATE_AFTER_MS || p->samples[last].over <= p->samples[first].over) return 0;
    return (double)(p->samples[last].over - p->samples[first].over) * 1000 / (double)ms;
}

uint64_t progress_left_ms(const struct progress *p) {
    const double rate = progress_rate(p);
    const double left = (double)(p->counts[HOST_WAITING] + p->counts[HOST_IN_HAND]);
    return rate > 0 ? (uint64_t)(left * 1000 / rate) : 0;
}

// --- who takes long

size_t progress_longest(const struct progress *p, const struct progress_host **out, size_t max) {
    size_t count = 0;
    for (const struct progress_host *host = p->seen; host != NULL; host = host->next) {
        if (host->state != HOST_IN_HAND || host->started_ms == 0) continue;
        size_t at = count < max ? count++ : max;
        for (; at > 0 && out[at - 1]->started_ms > host->started_ms; at--)
            if (at < max) out[at] = out[at - 1];
        if (at < max) out[at] = host;
    }
    return count;
}
