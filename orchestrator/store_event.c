#include "orchestrator/store_event.h"

static bool is_result(enum host_state state) {
    return state > HOST_IN_HAND && state < HOST_STATES;
}

static int check_host_event(const struct store_event *event, struct error *err) {
    if (event->host == STORE_NO_HOST)
        return error_set(err, "an event of kind %d without a host", (int)event->kind);
    if (event->state != 0 || event->outcome != JOB_NO_OUTCOME)
        return error_set(err, "an event of kind %d with the state of a job", (int)event->kind);
    if (event->kind == STORE_OUTCOME && !is_result(event->result))
        return error_set(err, "an outcome that is none: %d", (int)event->result);
    if (event->kind != STORE_OUTCOME && (event->result != HOST_WAITING || event->ms != 0))
        return error_set(err, "an event of kind %d with a result", (int)event->kind);
    return 0;
}

static int check_state(enum job_state state, enum job_outcome outcome, struct error *err) {
    if (state < JOB_WAITING || state > JOB_DONE)
        return error_set(err, "a job in a state that is none: %d", (int)state);
    const bool is_due = state == JOB_DONE;
    const bool is_known = state == JOB_CANCELLING && outcome >= JOB_CANCELLED;
    if (outcome > JOB_STOPPED || (outcome != JOB_NO_OUTCOME && !is_due && !is_known) ||
        (outcome == JOB_NO_OUTCOME && is_due))
        return error_set(err, "a job in state %d with outcome %d", (int)state, (int)outcome);
    return 0;
}

int store_event_check(const struct store_event *event, struct error *err) {
    if (event->kind < STORE_STARTED || event->kind > STORE_JOB)
        return error_set(err, "an event of a kind that is none: %d", (int)event->kind);
    if (event->kind != STORE_JOB) return check_host_event(event, err);
    if (event->host != STORE_NO_HOST || event->result != HOST_WAITING || event->attempt != 0 ||
        event->ms != 0 || event->version != NULL)
        return error_set(err, "an event of a job with what is of a host");
    return check_state(event->state, event->outcome, err);
}

int store_job_check(const struct store_job *job, struct error *err) {
    if (job->id == NULL || job->task == NULL || job->request == NULL)
        return error_set(err, "a job without its id, its task or its request");
    if (job->hosts >= STORE_NO_HOST)
        return error_set(err, "a job of %llu hosts", (unsigned long long)job->hosts);
    uint64_t results = 0;
    for (enum host_state state = HOST_WAITING; state < HOST_STATES; state++) {
        if (job->results[state] > (is_result(state) ? job->hosts : 0))
            return error_set(err, "a job with %llu results of %llu hosts",
                             (unsigned long long)job->results[state],
                             (unsigned long long)job->hosts);
        results += job->results[state];
    }
    if (results > job->hosts)
        return error_set(err, "a job with %llu results of %llu hosts", (unsigned long long)results,
                         (unsigned long long)job->hosts);
    return check_state(job->state, job->outcome, err);
}

bool store_job_may_take(const struct store_job *job, const struct store_event *event) {
    return event->kind != STORE_INTENT || job->state == JOB_RUNNING;
}

bool store_job_may_enter(enum job_state from, const struct store_event *event) {
    switch (event->state) {
    case JOB_WAITING:
        return from == JOB_WAITING || (from == JOB_PAUSED && event->epoch == 0);
    case JOB_RUNNING:
        return from == JOB_WAITING;
    case JOB_PAUSED:
        return from == JOB_WAITING || from == JOB_RUNNING;
    case JOB_CANCELLING:
        return from != JOB_CANCELLING && from != JOB_DONE;
    case JOB_DONE:
        return from != JOB_DONE && (from == JOB_CANCELLING) == (event->outcome >= JOB_CANCELLED);
    }
    return false;
}

void store_job_take(struct store_job *job, struct store_event *event) {
    event->n = ++job->n;
    if (event->kind == STORE_OUTCOME) job->results[event->result]++;
    if (event->kind != STORE_JOB) return;
    job->state = event->state;
    job->outcome = event->outcome;
    job->text = event->text;
    if (event->state == JOB_RUNNING && job->started_ms == 0) job->started_ms = event->wall_ms;
    if (event->state == JOB_DONE) job->ended_ms = event->wall_ms;
}
