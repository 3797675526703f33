#include "orchestrator/runner.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/connection.h"
#include "orchestrator/pace.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PROCESSORS_MAX = 8,
    READ_BUFFER = 65536,
    STARTS_AT_ONCE = 64, // hosts a turn of the loop: a connection costs 30 microseconds
    BREATH_STEPS = 64,   // of all devices, about a millisecond
};

struct runner {
    struct connection_context context;
    struct schedule *schedule;
    struct pace pace;
    struct processor processors[PROCESSORS_MAX];
    size_t processors_count;
    struct job **jobs; // that are not done
    size_t jobs_count;
    uv_idle_t more; // runs while hosts may start that have not
    void (*breathe)(void *arg);
    void *breathe_arg;
    uint64_t steps;
    char read_buffer[READ_BUFFER];
    struct buf send_buffer;
};

struct flight { // a host in hand
    struct runner *runner;
    struct schedule_work work;
    uint64_t started_ms;
};

static void emit(const struct runner *r, struct event event) {
    event.wall_ms = clock_wall_ms();
    for (size_t i = 0; i < r->processors_count; i++)
        r->processors[i].event(r->processors[i].self, &event);
}

static const struct host *host_of(const struct job *job, uint32_t host) {
    return &job->inventory->hosts[host];
}

// --- ends

static void on_skip(void *arg, uint32_t host, uint32_t cause) {
    const struct job *job = arg;
    emit(job->runner,
         (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED,
                        .job = job,
                        .host = host_of(job, host),
                        .result = HOST_SKIPPED,
                        .text = cause == SCHEDULE_NO_HOST ? "shutting down"
                                                          : host_of(job, cause)->name});
}

static void finish_job(struct runner *r, struct job *job) {
    size_t i = 0;
    while (r->jobs[i] != job)
        i++;
    r->jobs[i] = r->jobs[--r->jobs_count];
    schedule_remove(r->schedule, job->scheduled);
    job->scheduled = NULL;
    emit(r, (struct event){.kind = EVENT_TASK_COMPLETED,
                           .job = job,
                           .duration_ms = uv_now(r->context.loop) - job->started_ms});
    job->done(job->done_arg, job);
}

static bool start_host(struct runner *r);

static void finish_host(struct flight *flight, const struct session *session) {
    struct runner *r = flight->runner;
    struct schedule_work work = flight->work;
    struct job *job = work.owner;
    bool failed = session->result == HOST_FAILED;
    uint64_t duration_ms = uv_now(r->context.loop) - flight->started_ms;
    if (failed) job->failed++;
    if (session->result == HOST_CHANGED)
        pace_learn(&r->pace, job->task->name, inventory_dev_type(job->inventory, session->host),
                   duration_ms);
    emit(r, (struct event){.kind = EVENT_TASK_INSTANCE_COMPLETED,
                           .job = job,
                           .host = session->host,
                           .result = session->result,
                           .text = session_text(session),
                           .duration_ms = duration_ms});
    free(flight);
    schedule_done(r->schedule, &work, failed);
    if (schedule_finished(job->scheduled)) finish_job(r, job);
    start_host(r); // it leaves one worker and one group: room for one
}

// --- the way of a host

static void on_stepped(void *arg, const struct session *session) {
    struct flight *flight = arg;
    struct runner *r = flight->runner;
    const struct job *job = flight->work.owner;
    struct event event = {.job = job, .host = session->host};
    if (session->call_ended != NULL) {
        event.kind = EVENT_SUBTASK_INSTANCE_COMPLETED;
        event.subtask = session->call_ended;
        event.text = session->call_failure;
        emit(r, event);
    }
    if (session->call_begun != NULL) {
        event.kind = EVENT_SUBTASK_INSTANCE_STARTED;
        event.subtask = session->call_begun;
        event.text = NULL;
        emit(r, event);
    }
    if (session->state == SESSION_ENDED) finish_host(flight, session);
    if (++r->steps % BREATH_STEPS == 0 && r->breathe != NULL) r->breathe(r->breathe_arg);
}

static bool start_host(struct runner *r) {
    struct schedule_work work;
    if (!schedule_next(r->schedule, &work)) return false;
    schedule_claimed(r->schedule, &work);
    const struct job *job = work.owner;
    struct flight *flight = mem_alloc(sizeof *flight);
    *flight = (struct flight){.runner = r, .work = work, .started_ms = uv_now(r->context.loop)};
    const struct host *host = host_of(job, work.host);
    emit(r, (struct event){.kind = EVENT_TASK_INSTANCE_STARTED, .job = job, .host = host});
    connection_start(&r->context, job->task, &job->args, host, flight);
    return true;
}

static void on_more(uv_idle_t *more);

// All that may start: some now, the rest in the turns to come.
static void start_hosts(struct runner *r) {
    for (int started = 0; started < STARTS_AT_ONCE; started++) {
        if (start_host(r)) continue;
        uv_idle_stop(&r->more);
        return;
    }
    uv_idle_start(&r->more, on_more);
}

static void on_more(uv_idle_t *more) {
    start_hosts(more->data);
}

void runner_submit(struct runner *r, struct job *job) {
    job->runner = r;
    r->jobs = mem_resize(r->jobs, r->jobs_count + 1, sizeof(struct job *));
    r->jobs[r->jobs_count++] = job;
    uv_update_time(r->context.loop);
    job->started_ms = uv_now(r->context.loop);
    emit(r, (struct event){.kind = EVENT_TASK_STARTED, .job = job});
    pace_weigh(&r->pace, job->task->name, job->inventory, &job->grouping);
    job->scheduled = schedule_add(r->schedule, &job->grouping, job);
    if (schedule_finished(job->scheduled))
        finish_job(r, job);
    else
        start_hosts(r);
}

void runner_drain(struct runner *r) {
    schedule_drain(r->schedule);
    for (size_t i = 0; i < r->jobs_count;) {
        struct job *job = r->jobs[i];
        if (schedule_finished(job->scheduled))
            finish_job(r, job); // another takes its place
        else
            i++;
    }
}

// --- life

struct runner *runner_new(uv_loop_t *loop, unsigned workers, const struct session_config *config) {
    struct runner *r = mem_zalloc(sizeof *r);
    r->context = (struct connection_context){
        .loop = loop,
        .config = config,
        .read_buffer = {r->read_buffer, sizeof r->read_buffer},
        .send_buffer = &r->send_buffer,
        .stepped = on_stepped,
    };
    r->schedule = schedule_new(workers, on_skip);
    uv_idle_init(loop, &r->more);
    r->more.data = r;
    return r;
}

void runner_close(struct runner *r) {
    uv_close((uv_handle_t *)&r->more, NULL);
}

void runner_free(struct runner *r) {
    if (r == NULL) return;
    schedule_free(r->schedule);
    pace_deinit(&r->pace);
    buf_deinit(&r->send_buffer);
    free(r->jobs);
    free(r);
}

void runner_on_breath(struct runner *r, void (*breathe)(void *arg), void *arg) {
    r->breathe = breathe;
    r->breathe_arg = arg;
}

void runner_add_processor(struct runner *r, struct processor processor) {
    assert(r->processors_count < PROCESSORS_MAX);
    r->processors[r->processors_count++] = processor;
}

size_t runner_jobs(const struct runner *r) {
    return r->jobs_count;
}

size_t runner_groups_pending(const struct runner *r) {
    return schedule_groups_pending(r->schedule);
}
