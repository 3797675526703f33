#include "orchestrator/joblog.h"

static void completed_host(struct log *log, const struct event *e) {
    const char *id = e->job->id, *name = e->host->name;
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
    }
}

static void completed_subtask(struct log *log, const struct event *e) {
    const char *id = e->job->id, *name = e->host->name;
    if (e->text != NULL)
        log_line(log, LOG_ERROR, e->wall_ms, id, "completed subtask:%s:%s:%s", name, e->subtask,
                 e->text);
    else
        log_line(log, LOG_DEBUG, e->wall_ms, id, "completed subtask:%s:%s", name, e->subtask);
}

void joblog_event(void *self, const struct event *e) {
    struct log *log = self;
    switch (e->kind) {
    case EVENT_TASK_STARTED:
        log_line(log, LOG_INFO, e->wall_ms, e->job->id, "starting  task:%s", e->job->task->name);
        break;
    case EVENT_TASK_COMPLETED:
        log_line(log, LOG_INFO, e->wall_ms, e->job->id, "completed task:%s", e->job->task->name);
        break;
    case EVENT_TASK_INSTANCE_STARTED:
        log_line(log, LOG_INFO, e->wall_ms, e->job->id, "starting  host:%s", e->host->name);
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        completed_host(log, e);
        break;
    case EVENT_SUBTASK_INSTANCE_STARTED:
        log_line(log, LOG_DEBUG, e->wall_ms, e->job->id, "starting  subtask:%s:%s", e->host->name,
                 e->subtask);
        break;
    case EVENT_SUBTASK_INSTANCE_COMPLETED:
        completed_subtask(log, e);
        break;
    }
}
