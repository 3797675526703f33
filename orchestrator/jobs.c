#include "orchestrator/jobs.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct watch {
    struct watch *next;
    const struct job *job; // NULL: all
    jobs_watcher told;
    void *arg;
};

struct jobs {
    struct job **list; // in order of arrival
    size_t count, cap;
    struct watch *watches;
};

struct jobs *jobs_new(void) {
    return mem_zalloc(sizeof(struct jobs));
}

static void forget(struct watch **link) {
    struct watch *watch = *link;
    *link = watch->next;
    free(watch);
}

void jobs_free(struct jobs *jobs) {
    if (jobs == NULL) return;
    for (size_t i = 0; i < jobs->count; i++)
        job_free(jobs->list[i]);
    while (jobs->watches != NULL)
        forget(&jobs->watches);
    free(jobs->list);
    free(jobs);
}

void jobs_add(struct jobs *jobs, struct job *job) {
    jobs->list = mem_grow(jobs->list, &jobs->cap, jobs->count + 1, sizeof(struct job *));
    jobs->list[jobs->count++] = job;
}

struct job *jobs_find(const struct jobs *jobs, const char *id) {
    for (size_t i = 0; i < jobs->count; i++)
        if (strcmp(jobs->list[i]->id, id) == 0) return jobs->list[i];
    return NULL;
}

struct job *jobs_numbered(const struct jobs *jobs, uint64_t number) {
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->list[i]->number == number) return jobs->list[i];
    return NULL;
}

struct job *jobs_keyed(const struct jobs *jobs, const char *key) {
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->list[i]->key != NULL && strcmp(jobs->list[i]->key, key) == 0)
            return jobs->list[i];
    return NULL;
}

size_t jobs_count(const struct jobs *jobs) {
    return jobs->count;
}

const struct job *jobs_at(const struct jobs *jobs, size_t i) {
    assert(i < jobs->count);
    return jobs->list[i];
}

size_t jobs_in_state(const struct jobs *jobs, enum job_state state) {
    size_t count = 0;
    for (size_t i = 0; i < jobs->count; i++)
        count += jobs->list[i]->state == state;
    return count;
}

void jobs_watch(struct jobs *jobs, const struct job *job, jobs_watcher told, void *arg) {
    struct watch **end = &jobs->watches;
    while (*end != NULL)
        end = &(*end)->next;
    *end = mem_alloc(sizeof **end);
    **end = (struct watch){.job = job, .told = told, .arg = arg};
}

void jobs_unwatch(struct jobs *jobs, const void *arg) {
    for (struct watch **link = &jobs->watches; *link != NULL;)
        if ((*link)->arg == arg)
            forget(link);
        else
            link = &(*link)->next;
}

static void tell_watchers(struct jobs *jobs, const struct job *job) {
    for (struct watch **link = &jobs->watches; *link != NULL;) {
        struct watch *watch = *link;
        if (watch->job == NULL || watch->job == job) watch->told(watch->arg, job);
        if (watch->job == job)
            forget(link);
        else
            link = &watch->next;
    }
}

void jobs_done(struct jobs *jobs, struct job *job) {
    size_t at = 0;
    while (at < jobs->count && jobs->list[at] != job)
        at++;
    assert(at < jobs->count);
    jobs->count--;
    memmove(&jobs->list[at], &jobs->list[at + 1], (jobs->count - at) * sizeof(struct job *));
    tell_watchers(jobs, job);
    job_free(job);
}

void jobs_leave(struct jobs *jobs) {
    for (size_t i = 0; i < jobs->count; i++)
        tell_watchers(jobs, jobs->list[i]);
}
