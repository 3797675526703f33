// What an event is called stands in one table. In text a line is the original's,
//
//   VERB      OF:NAME[:SUBTASK][:TEXT]
//
// and in JSON it is the record itself: the same events in the same order, and beside what the text
// has where the host is, what became of it, and how long that took.
#include "orchestrator/joblog.h"

#include "common/count.h"

static const struct kind {
    const char *event; // in JSON: as event.h calls it
    const char *verb, *of;
    enum log_level level;
} kinds[] = {
    [EVENT_TASK_STARTED] = {"task_started", "starting", "task", LOG_INFO},
    [EVENT_TASK_COMPLETED] = {"task_completed", "completed", "task", LOG_INFO},
    [EVENT_TASK_INSTANCE_STARTED] = {"task_instance_started", "starting", "host", LOG_INFO},
    [EVENT_TASK_INSTANCE_COMPLETED] = {"task_instance_completed", "completed", "host", LOG_INFO},
    [EVENT_SUBTASK_INSTANCE_STARTED] = {"subtask_instance_started", "starting", "subtask",
                                        LOG_DEBUG},
    [EVENT_SUBTASK_INSTANCE_COMPLETED] = {"subtask_instance_completed", "completed", "subtask",
                                          LOG_DEBUG},
    [EVENT_TASK_INSTANCE_PUT_BACK] = {"task_instance_put_back", "put back", "host", LOG_DEBUG},
    [EVENT_TASK_INSTANCE_IN_DOUBT] = {"task_instance_in_doubt", "in doubt", "host", LOG_WARNING},
    [EVENT_TASK_WAITING] = {"task_waiting", "waiting", "task", LOG_INFO},
    [EVENT_TASK_RESUMED] = {"task_resumed", "resuming", "task", LOG_INFO},
    [EVENT_TASK_PAUSED] = {"task_paused", "paused", "task", LOG_WARNING},
    [EVENT_TASK_STOPPING] = {"task_stopping", "stopping", "task", LOG_WARNING},
    [EVENT_PEER_ASKED] = {"peer_asked", "asked", "peer", LOG_DEBUG},
};

// What is said of an event, in either form.
struct line {
    const char *event, *verb, *of;
    enum log_level level;
    const char *result; // NULL: it is none
    bool took_time;
};

static void read_host_result(struct line *line, const struct event *e) {
    line->result = host_state_names[e->result];
    line->took_time = e->result != HOST_SKIPPED || e->started;
    if (e->result == HOST_FAILED) line->level = LOG_ERROR;
    if (e->result != HOST_SKIPPED) return;
    line->level = LOG_WARNING;
    line->verb = "skipped";
}

static struct line line_of(const struct event *e) {
    const struct kind *kind = &kinds[e->kind];
    struct line line = {
        .event = kind->event, .verb = kind->verb, .of = kind->of, .level = kind->level};
    switch (e->kind) {
    case EVENT_TASK_COMPLETED:
        line.result = e->outcome;
        line.took_time = true;
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        read_host_result(&line, e);
        break;
    case EVENT_SUBTASK_INSTANCE_COMPLETED:
        line.result = e->failed ? "failed" : "completed";
        if (e->text != NULL) line.level = e->failed ? LOG_ERROR : LOG_WARNING;
        break;
    case EVENT_PEER_ASKED:
        line.result = e->failed ? "not_up" : "up";
        break;
    case EVENT_TASK_STARTED:
    case EVENT_TASK_INSTANCE_STARTED:
    case EVENT_SUBTASK_INSTANCE_STARTED:
    case EVENT_TASK_INSTANCE_PUT_BACK:
    case EVENT_TASK_INSTANCE_IN_DOUBT:
    case EVENT_TASK_WAITING:
    case EVENT_TASK_RESUMED:
    case EVENT_TASK_PAUSED:
    case EVENT_TASK_STOPPING:
        break;
    }
    return line;
}

static void write_text(struct log *log, const struct line *line, const struct event *e) {
    const char *name = e->host == NULL ? e->task : e->host;
    const char *subtask = e->subtask == NULL ? "" : e->subtask;
    const char *text = e->kind == EVENT_PEER_ASKED && !e->failed ? line->result : e->text;
    log_line(log, line->level, e->wall_ms, e->job, "%-9s %s:%s%s%s%s%s", line->verb, line->of, name,
             e->subtask == NULL ? "" : ":", subtask, text == NULL ? "" : ":",
             text == NULL ? "" : text);
}

static void write_json(struct log *log, const struct line *line, const struct event *e) {
    const struct log_field all[] = {
        {.name = "job", .text = e->job},          {.name = "event", .text = line->event},
        {.name = "task", .text = e->task},        {.name = "host", .text = e->host},
        {.name = "site", .text = e->site},        {.name = "dev_type", .text = e->dev_type},
        {.name = "subtask", .text = e->subtask},  {.name = "brake", .text = e->brake},
        {.name = "result", .text = line->result}, {.name = "text", .text = e->text},
    };
    struct log_field fields[COUNT(all) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].text != NULL) fields[count++] = all[i];
    if (line->took_time)
        fields[count++] = (struct log_field){.name = "duration_ms", .number = e->duration_ms};
    log_object(log, line->level, e->wall_ms, fields, count);
}

void joblog_event(void *self, const struct event *e) {
    struct log *log = self;
    const struct line line = line_of(e);
    if (line.level < log->level) return; // most are for a log of level debug
    if (log->format == LOG_JSON)
        write_json(log, &line, e);
    else
        write_text(log, &line, e);
}
