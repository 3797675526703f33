#include "scenarios/runner/follower.h"

#include "common/client.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/sse.h"
#include "scenarios/runner/heard.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENT_MAX = 64 << 20, // bytes: a snapshot has all jobs
    EVENTS_MAX = 300,     // on one connection, before it is cut
    PAUSE_MS = 20,        // while the service is not there
    PATIENCE_S = 20,      // for what is on its way
    SILENCE_S = 60
};

struct follower {
    struct follower_config config;
    struct heard *heard;
    pthread_t thread;
    pthread_mutex_t lock; // of all below, and of heard
    pthread_cond_t changed;
    int ending;      // an eventfd
    bool is_ending;  // it is told to
    bool is_refused; // there is no such path
    // The thread's own.
    struct sse_reader reader;
    char *last_id;
    uint64_t connections;
    size_t left; // events, until the connection is cut
};

static void take(struct follower *f, const struct sse_event *event) {
    pthread_mutex_lock(&f->lock);
    heard_take(f->heard, event->name, event->data);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (strcmp(event->id, f->last_id) == 0) return;
    free(f->last_id);
    f->last_id = mem_strdup(event->id);
    f->left--;
}

static bool on_piece(void *arg, long status, const char *data, size_t len) {
    struct follower *f = arg;
    struct sse_event event;
    if (status != 200) return false;
    sse_reader_feed(&f->reader, data, len);
    while (f->left > 0 && sse_reader_next(&f->reader, &event) == SSE_READY)
        take(f, &event);
    return f->left > 0;
}

static bool on_turn(void *arg) {
    struct follower *f = arg;
    pthread_mutex_lock(&f->lock);
    const bool goes_on = !f->is_ending;
    pthread_mutex_unlock(&f->lock);
    return goes_on;
}

// One connection. The first asks for all that ever was.
static long follow(struct follower *f) {
    char base[64], url[128];
    struct error ignored; // the next connection may be better
    long status = 0;
    f->config.base(f->config.arg, base);
    snprintf(url, sizeof url, "%s/events/", base);
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Last-Event-ID", f->last_id);
    const struct client_request request = {
        .method = "GET", .url = url, .headers = headers, .timeout_s = SILENCE_S};
    const struct client_stream stream = {.on_piece = on_piece,
                                         .on_turn = on_turn,
                                         .arg = f,
                                         .turn_ms = 1000,
                                         .fds = &f->ending,
                                         .fds_count = 1};
    f->left = rng_range(rng_mix(f->config.seed, ++f->connections), 1, EVENTS_MAX);
    sse_reader_init(&f->reader, EVENT_MAX, f->last_id);
    client_follow(&request, &stream, &status, &ignored);
    sse_reader_deinit(&f->reader);
    cJSON_Delete(headers);
    return status;
}

static void add_ms(struct timespec *t, long ms) {
    clock_gettime(CLOCK_REALTIME, t);
    t->tv_sec += ms / 1000;
    t->tv_nsec += ms % 1000 * 1000000;
    if (t->tv_nsec < 1000000000) return;
    t->tv_sec++;
    t->tv_nsec -= 1000000000;
}

static void *run(void *arg) {
    struct follower *f = arg;
    struct timespec until;
    pthread_mutex_lock(&f->lock);
    while (!f->is_ending && !f->is_refused) {
        pthread_mutex_unlock(&f->lock);
        const long status = follow(f);
        pthread_mutex_lock(&f->lock);
        f->is_refused = status != 0 && status != 200 && status != 503;
        add_ms(&until, PAUSE_MS);
        if (status != 200 && !f->is_ending) pthread_cond_timedwait(&f->changed, &f->lock, &until);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

struct follower *follower_start(const struct follower_config *config) {
    struct follower *f = mem_zalloc(sizeof *f);
    f->config = *config;
    f->heard = heard_new(config->may_forget);
    f->last_id = mem_strdup(";");
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->ending = eventfd(0, EFD_CLOEXEC);
    if (f->ending < 0 || pthread_create(&f->thread, NULL, run, f) != 0) abort(); // out of memory
    return f;
}

void follower_stop(struct follower *f) {
    static const uint64_t one = 1;
    if (f == NULL) return;
    pthread_mutex_lock(&f->lock);
    f->is_ending = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (write(f->ending, &one, sizeof one) < 0) abort(); // it has room for more
    pthread_join(f->thread, NULL);
    close(f->ending);
    heard_free(f->heard);
    free(f->last_id);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

// --- what was heard

static bool has_all(const struct follower *f, const cJSON *jobs) {
    const cJSON *job;
    cJSON_ArrayForEach(job, jobs) {
        if (strcmp(json_text(job, "state"), "done") == 0 &&
            !heard_has_end_of(f->heard, json_text(job, "id")))
            return false;
    }
    return true;
}

static bool are_done(const cJSON *jobs) {
    const cJSON *job;
    cJSON_ArrayForEach(job, jobs) {
        if (strcmp(json_text(job, "state"), "done") != 0) return false;
    }
    return true;
}

void follower_check(struct follower *f, const cJSON *jobs, const char *log, const char *scrape,
                    bool strict, struct buf *differences) {
    struct timespec until;
    add_ms(&until, PATIENCE_S * 1000L);
    pthread_mutex_lock(&f->lock);
    while (!f->is_refused && !has_all(f, jobs))
        if (pthread_cond_timedwait(&f->changed, &f->lock, &until) != 0) break;
    const bool has_heard = has_all(f, jobs);
    if (!f->is_refused && (has_heard || strict)) heard_check(f->heard, jobs, differences);
    if (!f->is_refused && has_heard && are_done(jobs)) {
        if (log != NULL) heard_check_log(f->heard, log, differences);
        if (scrape != NULL) heard_check_metrics(f->heard, scrape, differences);
    }
    pthread_mutex_unlock(&f->lock);
}
