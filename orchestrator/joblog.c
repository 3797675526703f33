#include "orchestrator/joblog.h"

static void completed_host(struct log *log, const struct event *e) {
    const char *id = e->job, *name = e->host;
    switch (e->result) {
    case HOST_CHANGED:
    case HOST_UNCHANGED:
        log_line(log, LOG_INFO, e->wall_ms, id, "completed host:%s:%s", name, e->text);
        break;
    case HOST_FAILED:
        log_line(log, LOG_ERROR, e->wall_ms, id, "completed host:%s:%s", name, e->text);
        break;
    case HOST_SKIPPED:
        log_line(log, LOG_WARNING, e->wall_ms, id, "skipped   host:%s:%s", name, e->text);
        break;
    default: // no results
        break;
    }
}

static void completed_subtask(struct log *log, const struct event *e) {
    const char *id = e->job, *name = e->host;
    if (e->text != NULL)
        log_line(log, e->failed ? LOG_ERROR : LOG_WARNING, e->wall_ms, id,
                 "completed subtask:%s:%s:%s", name, e->subtask, e->text);
    else
        log_line(log, LOG_DEBUG, e->wall_ms, id, "completed subtask:%s:%s", name, e->subtask);
}

void joblog_event(void *self, const struct event *e) {
    struct log *log = self;
    switch (e->kind) {
    case EVENT_TASK_STARTED:
        log_line(log, LOG_INFO, e->wall_ms, e->job, "starting  task:%s", e->task);
        break;
    case EVENT_TASK_COMPLETED:
        log_line(log, LOG_INFO, e->wall_ms, e->job, "completed task:%s", e->task);
        break;
    case EVENT_TASK_INSTANCE_STARTED:
        log_line(log, LOG_INFO, e->wall_ms, e->job, "starting  host:%s", e->host);
        break;
    case EVENT_TASK_INSTANCE_PUT_BACK:
        log_line(log, LOG_DEBUG, e->wall_ms, e->job, "put back  host:%s:%s", e->host, e->text);
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        completed_host(log, e);
        break;
    case EVENT_SUBTASK_INSTANCE_STARTED:
        log_line(log, LOG_DEBUG, e->wall_ms, e->job, "starting  subtask:%s:%s", e->host,
                 e->subtask);
        break;
    case EVENT_SUBTASK_INSTANCE_COMPLETED:
        completed_subtask(log, e);
        break;
    case EVENT_TASK_INSTANCE_IN_DOUBT:
        log_line(log, LOG_WARNING, e->wall_ms, e->job, "in doubt  host:%s:%s", e->host, e->text);
        break;
    case EVENT_TASK_RESUMED:
        log_line(log, LOG_INFO, e->wall_ms, e->job, "resuming  task:%s:%s", e->task, e->text);
        break;
    case EVENT_TASK_PAUSED:
        log_line(log, LOG_WARNING, e->wall_ms, e->job, "paused    task:%s:%s", e->task, e->text);
        break;
    case EVENT_TASK_STOPPING:
        log_line(log, LOG_WARNING, e->wall_ms, e->job, "stopping  task:%s:%s", e->task, e->text);
        break;
    case EVENT_TASK_WAITING:
        log_line(log, LOG_INFO, e->wall_ms, e->job, "waiting   task:%s:%s", e->task, e->text);
        break;
    case EVENT_PEER_ASKED:
        log_line(log, LOG_DEBUG, e->wall_ms, e->job, "asked     peer:%s:%s", e->host,
                 e->failed ? e->text : "up");
        break;
    }
}
